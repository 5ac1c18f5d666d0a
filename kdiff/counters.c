/* SPDX-License-Identifier: Apache-2.0 */
#include "counters.h"

#include <stdlib.h>
#include <string.h>

struct metric *
counters_new(void)
{
#define EVENTS(label)                                                                        \
	{                                                                                    \
		"kollect_kdiff_events_total", label, "Watch events read.", METRIC_COUNTER, 0 \
	}
#define RECORDS(label)                                                           \
	{                                                                        \
		"kollect_kdiff_records_total", label, "Change records written.", \
		    METRIC_COUNTER, 0                                            \
	}
#define DROPPED(label)                                                                      \
	{                                                                                   \
		"kollect_kdiff_events_dropped_total", label, "Events that were no change.", \
		    METRIC_COUNTER, 0                                                       \
	}
	static const struct metric metrics[COUNTERS] = {
	    [COUNT_ADDED] = EVENTS("type=\"ADDED\""),
	    [COUNT_MODIFIED] = EVENTS("type=\"MODIFIED\""),
	    [COUNT_DELETED] = EVENTS("type=\"DELETED\""),
	    [COUNT_BOOKMARK] = EVENTS("type=\"BOOKMARK\""),
	    [COUNT_CREATED_RECORDS] = RECORDS("type=\"created\""),
	    [COUNT_UPDATED_RECORDS] = RECORDS("type=\"updated\""),
	    [COUNT_DELETED_RECORDS] = RECORDS("type=\"deleted\""),
	    [COUNT_GAP_RECORDS] = RECORDS("type=\"gap\""),
	    [COUNT_UNCHANGED] = DROPPED("reason=\"unchanged\""),
	    [COUNT_STALE] = DROPPED("reason=\"stale\""),
	    [COUNT_IGNORED] = DROPPED("reason=\"metadata\""),
	    [COUNT_LEARNED] = DROPPED("reason=\"baseline\""),
	    [COUNT_BAD] = {"kollect_kdiff_bad_input_total", NULL,
		"Lines and items that could not be taken.", METRIC_COUNTER, 0},
	    [COUNT_GAPS] = {"kollect_kdiff_gaps_total", NULL,
		"Times that events may have been missed.", METRIC_COUNTER, 0},
	    [COUNT_SNAPSHOTS] = {"kollect_kdiff_snapshots_total", NULL, "Snapshots completed.",
		METRIC_COUNTER, 0},
	    [COUNT_INPUT_BYTES] = {"kollect_kdiff_input_bytes_total", NULL, "Bytes read.",
		METRIC_COUNTER, 0},
	    [COUNT_OUTPUT_BYTES] = {"kollect_kdiff_output_bytes_total", NULL, "Bytes written.",
		METRIC_COUNTER, 0},
	    [COUNT_OBJECTS] = {"kollect_kdiff_objects", NULL, "Objects known.", METRIC_GAUGE,
		0},
	    [COUNT_SEQ] = {"kollect_kdiff_sequence", NULL,
		"Sequence number of the last record.", METRIC_GAUGE, 0},
	    [COUNT_ACKED] = {"kollect_kdiff_acked_sequence", NULL,
		"Sequence number up to which the bus has accepted all.", METRIC_GAUGE, 0},
	    [COUNT_OUTBOX_ROWS] = {"kollect_kdiff_outbox_records", NULL,
		"Records in the outbox: not acknowledged, or not written.", METRIC_GAUGE, 0},
	    [COUNT_OUTBOX_BYTES] = {"kollect_kdiff_outbox_bytes", NULL, "Bytes of the outbox.",
		METRIC_GAUGE, 0},
	    [COUNT_SPOOL_FULL] = {"kollect_kdiff_spool_full", NULL,
		"1 while no input is read because the outbox is full.", METRIC_GAUGE, 0},
	    [COUNT_COLLAPSED] = {"kollect_kdiff_collapsed_total", NULL,
		"Records dropped for the next one of their object.", METRIC_COUNTER, 0},
	    [COUNT_AGAIN] = {"kollect_kdiff_made_again_total", NULL,
		"Records written that were made again from the outbox.", METRIC_COUNTER, 0},
	    [COUNT_SYNCED] = {"kollect_kdiff_synced_total", NULL,
		"Times that the store was brought to the disk.", METRIC_COUNTER, 0},
	    [COUNT_STORE_FULL] = {"kollect_kdiff_store_full", NULL,
		"1 while no input is read because the store's disk is full.", METRIC_GAUGE, 0},
	    [COUNT_READY] = {"kollect_kdiff_ready", NULL,
		"1 while changes can be taken: 0 when the store's disk is full.", METRIC_GAUGE,
		1},
	    [COUNT_AUDITS] = {"kollect_kdiff_audits_total", NULL,
		"Audits compared with what is known.", METRIC_COUNTER, 0},
	    [COUNT_AUDIT_MISSED] = {"kollect_audit_missed_total", NULL,
		"Objects of which two audits have shown that a change was missed.",
		METRIC_COUNTER, 0},
	};
	struct metric *copy = malloc(sizeof(metrics));

	if (copy != NULL)
		memcpy(copy, metrics, sizeof(metrics));
	return copy;
}
