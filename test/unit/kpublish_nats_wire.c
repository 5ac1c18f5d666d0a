/* SPDX-License-Identifier: Apache-2.0 */
#include "kpublish/nats_wire.h"

#include <string.h>

#include "tap.h"

static enum verdict
ack(const char *json)
{
	char why[100];

	return nats_wire_ack(json, strlen(json), why, sizeof(why));
}

static enum nats_stream
streams(const char *json)
{
	char why[100];

	return nats_wire_streams(json, strlen(json), why, sizeof(why));
}

int
main(void)
{
	struct tap tap = {0};
	char why[100];
	const char *full = "{\"error\":{\"code\":503,\"err_code\":10077,"
			   "\"description\":\"maximum messages exceeded\"},\"seq\":0}";

	tap_ok(
	    &tap, ack("{\"stream\":\"S\", \"seq\":7}") == VERDICT_ACKED, "an acknowledgement");
	tap_ok(&tap, ack("{\"stream\":\"S\",\"seq\":7,\"duplicate\": true}") == VERDICT_ACKED,
	    "of a copy");
	tap_ok(&tap,
	    nats_wire_ack(full, strlen(full), why, sizeof(why)) == VERDICT_RETRY &&
		strcmp(why, "JetStream: maximum messages exceeded (error 10077)") == 0,
	    "an error that may pass");
	tap_ok(&tap,
	    ack("{\"error\":{\"code\":400,\"err_code\":10054,\"description\":\"message size "
		"exceeds maximum allowed\"},\"stream\":\"S\",\"seq\":0}") == VERDICT_TOO_LARGE,
	    "one for its size");
	tap_ok(&tap,
	    ack("") == VERDICT_RETRY && ack("hello") == VERDICT_RETRY &&
		ack("{}") == VERDICT_RETRY,
	    "what is no answer of JetStream's");
	tap_ok(&tap, streams("{\"total\":1,\"streams\":[\"S\"]}") == NATS_STREAM_THERE,
	    "a stream");
	tap_ok(&tap,
	    streams("{\"total\":0,\"streams\":[ ]}") == NATS_STREAM_NONE &&
		streams("{\"total\":0,\"streams\":null}") == NATS_STREAM_NONE,
	    "none");
	tap_ok(&tap,
	    streams("{\"error\":{\"err_code\":10039,\"description\":\"x\"}}") ==
		NATS_STREAM_DISABLED,
	    "no JetStream for the account");
	tap_ok(&tap,
	    streams("{\"error\":{\"err_code\":10008,\"description\":\"x\"}}") ==
		    NATS_STREAM_UNKNOWN &&
		streams("{") == NATS_STREAM_UNKNOWN,
	    "not to be known now");
	return tap_done(&tap);
}
