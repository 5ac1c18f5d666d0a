/* SPDX-License-Identifier: Apache-2.0 */
#include "counts.h"

#include <string.h>

#define ERRORS(code)                                                                \
	{                                                                           \
		"kollect_kwatch_errors_total", "code=\"" code "\"",                 \
		    "Failed requests and broken answers, by HTTP status or cause.", \
		    METRIC_COUNTER, 0                                               \
	}
#define EVENTS(type)                                                           \
	{                                                                      \
		"kollect_kwatch_events_total", "type=\"" type "\"",            \
		    "Watch events and list items received.", METRIC_COUNTER, 0 \
	}
#define STREAMS(state)                                                            \
	{                                                                         \
		"kollect_kwatch_streams", "state=\"" state "\"",                  \
		    "Lists and watches, by what they are doing.", METRIC_GAUGE, 0 \
	}
#define TOTAL(name, help)                                                      \
	{                                                                      \
		"kollect_kwatch_" name "_total", NULL, help, METRIC_COUNTER, 0 \
	}

static const struct metric initial[COUNTS] = {
    [COUNT_EVENTS + EVENT_ADDED] = EVENTS("ADDED"),
    [COUNT_EVENTS + EVENT_MODIFIED] = EVENTS("MODIFIED"),
    [COUNT_EVENTS + EVENT_DELETED] = EVENTS("DELETED"),
    [COUNT_EVENTS + EVENT_BOOKMARK] = EVENTS("BOOKMARK"),
    [COUNT_EVENTS + EVENT_ERROR] = EVENTS("ERROR"),
    [COUNT_BYTES] = TOTAL("bytes", "Bytes of events written."),
    [COUNT_SNAPSHOTS] = TOTAL("snapshots", "Complete snapshots taken."),
    [COUNT_RESUMED] =
	TOTAL("resumed", "Watches that went on from where an earlier run had come to."),
    [COUNT_GAPS] = TOTAL("gaps", "Times that a resourceVersion had expired."),
    [COUNT_AUDITS] = TOTAL("audits", "Lists of a stream's objects made to compare with."),
    [COUNT_RESYNCS] = TOTAL("resyncs", "Snapshots taken because they were asked for."),
    [COUNT_RECONNECTS] = TOTAL("reconnects", "Watches begun again where they had ended."),
    [COUNT_DISCOVERIES] = TOTAL("discoveries", "Times that the types were asked for."),
    [COUNT_STREAMS_QUEUED] = STREAMS("queued"),
    [COUNT_STREAMS_SNAPSHOT] = STREAMS("snapshot"),
    [COUNT_STREAMS_WATCHING] = STREAMS("watching"),
    [COUNT_STREAMS_PAUSED] = STREAMS("backoff"),
    [COUNT_STREAMS_DENIED] = STREAMS("denied"),
    [COUNT_ERROR_401] = ERRORS("401"),
    [COUNT_ERROR_403] = ERRORS("403"),
    [COUNT_ERROR_404] = ERRORS("404"),
    [COUNT_ERROR_410] = ERRORS("410"),
    [COUNT_ERROR_422] = ERRORS("422"),
    [COUNT_ERROR_429] = ERRORS("429"),
    [COUNT_ERROR_500] = ERRORS("500"),
    [COUNT_ERROR_503] = ERRORS("503"),
    [COUNT_ERROR_504] = ERRORS("504"),
    [COUNT_ERROR_OTHER] = ERRORS("other"),
    [COUNT_ERROR_CONNECTION] = ERRORS("connection"),
    [COUNT_ERROR_MALFORMED] = ERRORS("malformed"),
};

void
counts_init(struct counts *counts, const struct log *log, const char *path)
{
	memcpy(counts->table, initial, sizeof(initial));
	metrics_init(&counts->metrics, log, path, counts->table, COUNTS);
}

void
counts_status(struct counts *counts, long status)
{
	static const struct {
		long status;
		enum count count;
	} table[] = {{0, COUNT_ERROR_CONNECTION}, {401, COUNT_ERROR_401},
	    {403, COUNT_ERROR_403}, {404, COUNT_ERROR_404}, {410, COUNT_ERROR_410},
	    {422, COUNT_ERROR_422}, {429, COUNT_ERROR_429}, {500, COUNT_ERROR_500},
	    {503, COUNT_ERROR_503}, {504, COUNT_ERROR_504}};
	enum count count = COUNT_ERROR_OTHER;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].status == status)
			count = table[i].count;
	counts_add(counts, count, 1);
}
