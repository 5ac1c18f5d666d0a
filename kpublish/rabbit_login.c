/* SPDX-License-Identifier: Apache-2.0 */
#include "rabbit_login.h"

#include <stdlib.h>
#include <string.h>

#include "rabbit_wire.h"

enum { REPLY_SUCCESS = 200 };

static amqp_table_entry_t
text_entry(const char *name, const char *value)
{
	return (amqp_table_entry_t){.key = amqp_cstring_bytes(name),
	    .value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes(value)}};
}

static amqp_table_entry_t
yes_entry(const char *name)
{
	return (amqp_table_entry_t){.key = amqp_cstring_bytes(name),
	    .value = {.kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1}};
}

/* RFC 4616: NUL, user, NUL, password; EXTERNAL has nothing to say. */
static int
add_response(struct buf *response, const struct rabbit_server *server)
{
	if (server->external)
		return 0;
	if (buf_add(response, "", 1) == -1 || buf_addstr(response, server->user) == -1 ||
	    buf_add(response, "", 1) == -1)
		return -1;
	return buf_addstr(response, server->password);
}

int
rabbit_login_start(struct buf *out, const struct rabbit_server *server)
{
	amqp_table_entry_t can[] = {
	    yes_entry("publisher_confirms"),
	    yes_entry("basic.nack"),
	    yes_entry("connection.blocked"),
	    yes_entry("authentication_failure_close"),
	};
	amqp_table_entry_t properties[] = {
	    text_entry("product", "kollect"),
	    text_entry("version", KOLLECT_VERSION),
	    text_entry("connection_name", "kpublish"),
	    {.key = amqp_cstring_bytes("capabilities"),
		.value = {.kind = AMQP_FIELD_KIND_TABLE,
		    .value.table = {sizeof(can) / sizeof(can[0]), can}}},
	};
	struct buf response;
	amqp_connection_start_ok_t fields = {
	    .client_properties = {sizeof(properties) / sizeof(properties[0]), properties},
	    .mechanism = amqp_cstring_bytes(server->external ? "EXTERNAL" : "PLAIN"),
	    .locale = amqp_cstring_bytes("en_US"),
	};
	int result = -1;

	buf_init(&response, UINT16_MAX);
	if (add_response(&response, server) == 0) {
		fields.response = (amqp_bytes_t){response.len, response.data};
		result = rabbit_wire_method(out, 0, AMQP_CONNECTION_START_OK_METHOD, &fields);
	}
	buf_free(&response);
	return result;
}

int
rabbit_login_tune(struct buf *out, uint32_t frame_max, uint16_t heartbeat_s)
{
	amqp_connection_tune_ok_t fields = {
	    .channel_max = RABBIT_CHANNEL, .frame_max = frame_max, .heartbeat = heartbeat_s};

	return rabbit_wire_method(out, 0, AMQP_CONNECTION_TUNE_OK_METHOD, &fields);
}

int
rabbit_login_vhost(struct buf *out, const struct rabbit_server *server)
{
	amqp_connection_open_t fields = {.virtual_host = amqp_cstring_bytes(server->vhost)};

	return rabbit_wire_method(out, 0, AMQP_CONNECTION_OPEN_METHOD, &fields);
}

int
rabbit_login_channel(struct buf *out)
{
	amqp_channel_open_t fields = {.out_of_band = amqp_empty_bytes};

	return rabbit_wire_method(out, RABBIT_CHANNEL, AMQP_CHANNEL_OPEN_METHOD, &fields);
}

int
rabbit_login_exchange(struct buf *out, const char *exchange)
{
	amqp_exchange_declare_t fields = {
	    .exchange = amqp_cstring_bytes(exchange), .passive = 1};

	return rabbit_wire_method(out, RABBIT_CHANNEL, AMQP_EXCHANGE_DECLARE_METHOD, &fields);
}

int
rabbit_login_confirm(struct buf *out)
{
	amqp_confirm_select_t fields = {.nowait = 0};

	return rabbit_wire_method(out, RABBIT_CHANNEL, AMQP_CONFIRM_SELECT_METHOD, &fields);
}

int
rabbit_login_farewell(struct buf *out)
{
	amqp_connection_close_t fields = {
	    .reply_code = REPLY_SUCCESS, .reply_text = amqp_cstring_bytes("done")};

	return rabbit_wire_method(out, 0, AMQP_CONNECTION_CLOSE_METHOD, &fields);
}
