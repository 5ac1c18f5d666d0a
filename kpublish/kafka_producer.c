/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka_producer.h"

#include <stdio.h>
#include <string.h>

/* librdkafka tells of each broker and each try; what matters comes by the error callback. */
static void
no_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
	(void)rk;
	(void)level;
	(void)facility;
	(void)text;
}

/* NULL with a message. */
static rd_kafka_t *
make(const struct kafka_settings *settings, size_t batch_bytes)
{
	const struct kafka_callbacks *callbacks = &settings->callbacks;
	rd_kafka_conf_t *conf = rd_kafka_conf_dup(settings->conf);
	rd_kafka_t *rk;
	char batch[24];
	char why[512];

	rd_kafka_conf_set_dr_msg_cb(conf, callbacks->delivered);
	rd_kafka_conf_set_error_cb(conf, callbacks->error);
	rd_kafka_conf_set_ssl_cert_verify_cb(conf, callbacks->certificate);
	rd_kafka_conf_set_log_cb(conf, no_log);
	rd_kafka_conf_set_opaque(conf, callbacks->opaque);
	snprintf(batch, sizeof(batch), "%zu", batch_bytes);
	rd_kafka_conf_set(conf, "batch.size", batch, NULL, 0);
	rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why)); /* takes conf */
	if (rk == NULL) {
		log_error(settings->log, "%s: %s", settings->shown, why);
		rd_kafka_conf_destroy(conf);
	}
	return rk;
}

int
kafka_producer_open(
    struct kafka_producer *p, const struct kafka_settings *settings, size_t batch_bytes)
{
	static const uint64_t one = 1;

	*p = (struct kafka_producer){.rk = make(settings, batch_bytes)};
	if (p->rk == NULL)
		return -1;
	p->topic = rd_kafka_topic_new(p->rk, settings->topic, NULL);
	if (p->topic == NULL) {
		log_error(settings->log, "%s: %s", settings->shown,
		    rd_kafka_err2str(rd_kafka_last_error()));
		kafka_producer_close(p);
		return -1;
	}
	p->events = rd_kafka_queue_get_main(p->rk);
	rd_kafka_queue_io_event_enable(p->events, settings->fd, &one, sizeof(one));
	return 0;
}

void
kafka_producer_close(struct kafka_producer *p)
{
	if (p->rk == NULL)
		return;
	rd_kafka_purge(p->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	if (p->events != NULL)
		rd_kafka_queue_destroy(p->events);
	if (p->topic != NULL)
		rd_kafka_topic_destroy(p->topic);
	rd_kafka_destroy(p->rk);
	*p = (struct kafka_producer){.rk = NULL};
}

/* Attributes, and the key once more: a gocloud consumer opened by URL does not see the
 * record's. */
static rd_kafka_headers_t *
make_headers(const struct message *m)
{
	rd_kafka_headers_t *headers = rd_kafka_headers_new(m->n_attributes + 1);

	rd_kafka_header_add(headers, "key", -1, m->key, (ssize_t)m->key_len);
	for (size_t i = 0; i < m->n_attributes; i++)
		rd_kafka_header_add(headers, m->attributes[i].name, -1, m->attributes[i].value,
		    (ssize_t)m->attributes[i].len);
	return headers;
}

rd_kafka_resp_err_t
kafka_producer_send(struct kafka_producer *p, struct message *m)
{
	rd_kafka_headers_t *headers = make_headers(m);
	rd_kafka_vu_t arguments[] = {
	    {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = p->topic},
	    {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem.size = m->key_len},
	    {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem.size = m->len},
	    {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
	    {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = m},
	};
	rd_kafka_error_t *error;
	rd_kafka_resp_err_t code;

	/* Const casts: without flags for it, neither is copied or changed. */
	memcpy(&arguments[1].u.mem.ptr, &m->key, sizeof(m->key));
	memcpy(&arguments[2].u.mem.ptr, &m->body, sizeof(m->body));
	error = rd_kafka_produceva(p->rk, arguments, sizeof(arguments) / sizeof(arguments[0]));
	if (error == NULL)
		return RD_KAFKA_RESP_ERR_NO_ERROR;
	rd_kafka_headers_destroy(headers); /* taken otherwise */
	code = rd_kafka_error_code(error);
	rd_kafka_error_destroy(error);
	return code;
}
