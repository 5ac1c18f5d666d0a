# HELP kollect_kpublish_messages_total Messages by what became of them.
# TYPE kollect_kpublish_messages_total counter
kollect_kpublish_messages_total{result="acked"} 1000
kollect_kpublish_messages_total{result="dead_letter"} 0
kollect_kpublish_messages_total{result="failed"} 0
# HELP kollect_kpublish_bytes_total Bytes of messages that the bus has accepted.
# TYPE kollect_kpublish_bytes_total counter
kollect_kpublish_bytes_total 2167021
# HELP kollect_kpublish_shrunk_total Messages accepted without part of their states, as they were too large.
# TYPE kollect_kpublish_shrunk_total counter
kollect_kpublish_shrunk_total 0
# HELP kollect_kpublish_retries_total Messages sent that have to be sent again.
# TYPE kollect_kpublish_retries_total counter
kollect_kpublish_retries_total 45
# HELP kollect_kpublish_bad_frames_total Frames that were no Envelope.
# TYPE kollect_kpublish_bad_frames_total counter
kollect_kpublish_bad_frames_total 0
# HELP kollect_kpublish_in_flight Messages sent and not yet accepted.
# TYPE kollect_kpublish_in_flight gauge
kollect_kpublish_in_flight 0
# HELP kollect_kpublish_window_bytes Bytes of messages not yet accepted.
# TYPE kollect_kpublish_window_bytes gauge
kollect_kpublish_window_bytes 0
# HELP kollect_kpublish_last_success_time_seconds When the bus last accepted a message, in Unix time.
# TYPE kollect_kpublish_last_success_time_seconds gauge
kollect_kpublish_last_success_time_seconds 1795455984
# HELP kollect_kpublish_connected Is there a connection to the bus?
# TYPE kollect_kpublish_connected gauge
kollect_kpublish_connected 1
