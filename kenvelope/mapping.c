/* SPDX-License-Identifier: Apache-2.0 */
/* Walks protobuf-c's descriptors, so that a field added to a .proto is shown without being
 * named here. */
#include "mapping.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "kollect/resource/event/v1/event.pb-c.h"
#include "print.h"

/* The payloads that are known, by the full name at the end of a type URL. */
static const ProtobufCMessageDescriptor *const payloads[] = {
    &kollect__resource__event__v1__resource_created_event__descriptor,
    &kollect__resource__event__v1__resource_updated_event__descriptor,
    &kollect__resource__event__v1__resource_deleted_event__descriptor,
    &kollect__resource__event__v1__gap__descriptor,
};

static int print_message(struct buf *to, const ProtobufCMessage *message, bool first);

static const ProtobufCMessageDescriptor *
payload_of(const char *type_url)
{
	const char *slash = strrchr(type_url, '/');
	const char *name = slash != NULL ? slash + 1 : type_url;

	for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++)
		if (strcmp(payloads[i]->name, name) == 0)
			return payloads[i];
	return NULL;
}

/* A payload that cannot be looked into, and the closing brace. */
static int
print_unknown(struct buf *to, const ProtobufCBinaryData *value)
{
	if (buf_addstr(to, ",\"value\":") == -1 ||
	    print_base64(to, value->data, value->len) == -1)
		return -1;
	return buf_addstr(to, "}");
}

static int
print_any(struct buf *to, const Google__Protobuf__Any *any)
{
	const ProtobufCMessageDescriptor *type = payload_of(any->type_url);
	ProtobufCMessage *message = NULL;
	int result;

	if (type != NULL)
		message =
		    protobuf_c_message_unpack(type, NULL, any->value.len, any->value.data);
	result = buf_addstr(to, "{\"@type\":");
	if (result == 0)
		result = print_string(to, any->type_url);
	if (result == 0)
		result = message != NULL ? print_message(to, message, false)
					 : print_unknown(to, &any->value);
	if (message != NULL)
		protobuf_c_message_free_unpacked(message, NULL);
	return result;
}

/* snake_case → "lowerCamelCase": */
static int
print_name(struct buf *to, const char *name)
{
	if (buf_addstr(to, "\"") == -1)
		return -1;
	for (; *name != '\0'; name++) {
		bool upper = *name == '_' && name[1] >= 'a' && name[1] <= 'z';
		char c = upper ? (char)(*++name - 'a' + 'A') : *name;

		if (buf_add(to, &c, 1) == -1)
			return -1;
	}
	return buf_addstr(to, "\":");
}

/* The message in a field, by its type. */
static int
print_submessage(struct buf *to, const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;

	if (type == &google__protobuf__timestamp__descriptor) {
		const Google__Protobuf__Timestamp *t =
		    (const Google__Protobuf__Timestamp *)message;

		return print_time(to, t->seconds, t->nanos);
	}
	if (type == &google__protobuf__any__descriptor)
		return print_any(to, (const Google__Protobuf__Any *)message);
	return buf_addstr(to, "{") == -1 ? -1 : print_message(to, message, true);
}

/* Our messages have singular fields of five types only. Is the field set? */
static bool
is_set(const ProtobufCFieldDescriptor *field, const void *value)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return **(char *const *)value != '\0';
	case PROTOBUF_C_TYPE_BYTES:
		return ((const ProtobufCBinaryData *)value)->len > 0;
	case PROTOBUF_C_TYPE_UINT64:
		return *(const uint64_t *)value != 0;
	case PROTOBUF_C_TYPE_ENUM:
		return *(const int *)value != 0;
	case PROTOBUF_C_TYPE_MESSAGE:
		return *(const ProtobufCMessage *const *)value != NULL;
	default:
		return false;
	}
}

/* By its name; a value that is not known, as a number. */
static int
print_enum(struct buf *to, const ProtobufCEnumDescriptor *type, int n)
{
	const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(type, n);

	return value != NULL ? print_string(to, value->name) : buf_printf(to, "%d", n);
}

static int
print_value(struct buf *to, const ProtobufCFieldDescriptor *field, const void *value)
{
	const ProtobufCBinaryData *bytes;

	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return print_string(to, *(char *const *)value);
	case PROTOBUF_C_TYPE_BYTES:
		bytes = value;
		return print_json(to, bytes->data, bytes->len);
	case PROTOBUF_C_TYPE_UINT64: /* in quotes: JavaScript's numbers are too short */
		return buf_printf(to, "\"%" PRIu64 "\"", *(const uint64_t *)value);
	case PROTOBUF_C_TYPE_ENUM:
		return print_enum(to, field->descriptor, *(const int *)value);
	default:
		return print_submessage(to, *(const ProtobufCMessage *const *)value);
	}
}

/* The fields and the closing brace. first: nothing stands behind the opening one yet. */
static int
print_message(struct buf *to, const ProtobufCMessage *message, bool first)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;

	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];
		const void *value = (const char *)message + field->offset;

		if (!is_set(field, value))
			continue;
		if ((!first && buf_addstr(to, ",") == -1) ||
		    print_name(to, field->name) == -1 || print_value(to, field, value) == -1)
			return -1;
		first = false;
	}
	return buf_addstr(to, "}");
}

int
mapping_print(struct buf *to, const Kollect__Event__V1__Envelope *envelope)
{
	return buf_addstr(to, "{") == -1 ? -1 : print_message(to, &envelope->base, true);
}
