/* SPDX-License-Identifier: Apache-2.0 */
#include "event.h"

#include <string.h>

#include "tap.h"

static struct event event;
static const char *why;
static size_t at;

static bool
scans(const char *line)
{
	why = "";
	return event_scan(line, strlen(line), &event, &why, &at) == 0;
}

static bool
refused(const char *line, const char *want)
{
	return !scans(line) && strcmp(why, want) == 0;
}

static bool
range_is(struct json_range range, const char *text)
{
	return range.p != NULL && range.len == strlen(text) &&
	       memcmp(range.p, text, range.len) == 0;
}

static void
members(struct tap *tap)
{
	const struct object *o = &event.object;

	tap_ok(tap,
	    scans("{\"type\":\"MODIFIED\",\"object\": "
		  "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{"
		  "\"name\":\"n\",\"namespace\":\"s\",\"uid\":\"u\",\"resourceVersion\":\"7\","
		  "\"creationTimestamp\":\"c\",\"deletionTimestamp\":\"d\",\"annotations\":{"
		  "\"a\":\"b\"},"
		  "\"managedFields\":[{\"manager\":\"m\"}],\"labels\":{\"name\":\"other\"}},"
		  "\"spec\":{\"metadata\":{\"name\":\"inner\"},\"uid\":\"inner\"}} }"),
	    "an event is scanned");
	tap_ok(tap,
	    event.type == EVENT_MODIFIED && json_str_is(&o->kind, "Pod") &&
		json_str_is(&o->api_version, "v1") && json_str_is(&o->name, "n") &&
		json_str_is(&o->ns, "s") && json_str_is(&o->uid, "u") &&
		json_str_is(&o->resource_version, "7") && json_str_is(&o->creation, "c") &&
		json_str_is(&o->deletion, "d"),
	    "its strings, and not those of the same name further in");
	tap_ok(tap,
	    range_is(o->annotations, "{\"a\":\"b\"}") &&
		range_is(o->managed_fields, "[{\"manager\":\"m\"}]") && o->items.p == NULL,
	    "its ranges");
	tap_ok(tap,
	    o->bytes.p[0] == '{' && o->bytes.p[o->bytes.len - 1] == '}' &&
		o->bytes.p[-1] == ' ' && o->bytes.p[o->bytes.len] == ' ',
	    "the object's bytes from brace to brace");
	tap_ok(tap,
	    scans("{\"object\":{},\"extra\":[1,{}],\"type\":\"DELETED\"}") &&
		event.type == EVENT_DELETED && o->uid.p == NULL && o->kind.p == NULL &&
		range_is(o->bytes, "{}"),
	    "any order of members, unknown ones, and nothing in the object");
	tap_ok(tap,
	    scans("{\"ty\\u0070e\":\"\\u0041DDED\",\"object\":{\"metad\\u0061ta\":{\"uid\":"
		  "\"\\u0061\"}}}") &&
		event.type == EVENT_ADDED && json_str_is(&o->uid, "a") && o->uid.escaped,
	    "names and values may be written with escapes");
	tap_ok(tap,
	    scans(
		"{\"type\":\"ADDED\",\"object\":{\"kind\":null,\"metadata\":{\"namespace\":"
		"null,"
		"\"managedFields\":null,\"annotations\":null,\"creationTimestamp\":null}}}") &&
		o->kind.p == NULL && o->ns.p == NULL && o->managed_fields.p == NULL &&
		o->creation.p == NULL,
	    "null is absent");
	tap_ok(tap,
	    scans("{\"type\":\"ADDED\",\"object\":{\"kind\":\"List\",\"items\":[ {}, {} ]}}") &&
		range_is(o->items, "[ {}, {} ]"),
	    "a List's items");
	for (int i = 0; i < EVENT_TYPES; i++) {
		char line[80];

		snprintf(line, sizeof(line), "{\"type\":\"%s\",\"object\":{}}",
		    event_type_name((enum event_type)i));
		tap_ok(tap, scans(line) && (int)event.type == i,
		    event_type_name((enum event_type)i));
	}
}

static void
repeated(struct tap *tap)
{
	const struct object *o = &event.object;

	tap_ok(tap,
	    scans("{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"uid\":\"1\",\"name\":\"1\"},"
		  "\"metadata\":{\"uid\":\"2\"}}}") &&
		json_str_is(&o->uid, "2") && o->name.p == NULL,
	    "of two metadata the last counts, whole");
	tap_ok(tap,
	    scans("{\"type\":\"ADDED\",\"object\":{\"kind\":\"A\"},\"object\":{\"apiVersion\":"
		  "\"v1\"},"
		  "\"type\":\"DELETED\"}") &&
		event.type == EVENT_DELETED && o->kind.p == NULL &&
		json_str_is(&o->api_version, "v1"),
	    "of two objects and types the last counts");
	tap_ok(tap,
	    scans("{\"type\":\"ADDED\",\"object\":{\"items\":[1],\"items\":{}}}") &&
		o->items.p == NULL,
	    "of two items the last counts, an array or not");
	tap_ok(tap,
	    scans("{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"uid\":\"1\"},\"metadata\":"
		  "null}}") &&
		o->uid.p == NULL,
	    "metadata null is none");
}

static void
refusals(struct tap *tap)
{
	static const char line[] = "{\"type\":\"ADDED\",\"object\":{\"kind\":\"Pod\","
				   "\"apiVersion\":\"v1\",\"metadata\":{"
				   "\"uid\":\"u\",\"annotations\":{\"a\":\"\\u00e4\"},"
				   "\"managedFields\":[{}]},\"spec\":[1,\"\xc3\xa4\"]}}";
	bool all = true;

	tap_ok(tap, refused("{\"type\":\"ADDED\"}", "has no object"), "no object");
	tap_ok(tap, refused("{\"object\":{}}", "has no type"), "no type");
	tap_ok(tap, refused("{\"type\":\"added\",\"object\":{}}", "unknown event type"),
	    "an unknown type");
	tap_ok(tap, refused("{\"type\":1,\"object\":{}}", "expected a string") && at == 8,
	    "a type that is no string, and where it is");
	tap_ok(tap, refused("{\"type\":\"ADDED\",\"object\":[]}", "expected an object"),
	    "an array as object");
	tap_ok(tap,
	    refused("[]", "expected an object") && refused("hello", "expected an object") &&
		refused("\"a\"", "expected an object"),
	    "no event at all");
	tap_ok(tap,
	    refused("{\"type\":\"ADDED\",\"object\":{\"metadata\":7}}", "expected an object"),
	    "metadata that is no object");
	tap_ok(tap,
	    refused("{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"uid\":7}}}",
		"expected a string"),
	    "a uid that is no string");
	tap_ok(tap,
	    refused("{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"managedFields\":{}}}}",
		"metadata.managedFields is not an array"),
	    "managedFields that is no array");
	tap_ok(tap,
	    refused("{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"annotations\":[]}}}",
		"metadata.annotations is not an object"),
	    "annotations that is no object");
	tap_ok(tap, refused("{\"type\":\"ADDED\",\"object\":{}} {}", "more follows the value"),
	    "two events on a line");
	for (size_t n = 0; n < sizeof(line) - 1; n++)
		all = all && event_scan(line, n, &event, &why, &at) == -1 && at <= n;
	tap_ok(tap, all && scans(line), "cut at every byte it is an error, within the text");
}

static void
annotations(struct tap *tap)
{
	struct json_str value = {.p = NULL};

	scans("{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"annotations\":{\"n\":1,"
	      "\"kollect/stream\":\"/a\","
	      "\"o\":{},\"kollect\\/mark\":\"begin\"}}}}");
	tap_ok(tap,
	    object_annotation(&event.object, "kollect/stream", &value) &&
		json_str_is(&value, "/a"),
	    "an annotation");
	tap_ok(tap,
	    object_annotation(&event.object, "kollect/mark", &value) &&
		json_str_is(&value, "begin"),
	    "one whose name is written with an escape");
	tap_ok(tap, !object_annotation(&event.object, "kollect", &value), "none of that name");
	tap_ok(tap, !object_annotation(&event.object, "n", &value),
	    "one that is no string is none");
	scans("{\"type\":\"BOOKMARK\",\"object\":{}}");
	tap_ok(
	    tap, !object_annotation(&event.object, "kollect/stream", &value), "no annotations");
	/* A skipped value is not checked whole: what is wrong in it is found here. */
	tap_ok(tap,
	    scans("{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"annotations\":{\"a\":"
		  "\"1\" \"b\"}}}}") &&
		!object_annotation(&event.object, "a", &value),
	    "annotations that are broken have none");
	value = (struct json_str){.p = "x", .len = 1};
	scans("{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"annotations\":{\"a\":\"1\","
	      "\"a\":2}}}}");
	tap_ok(tap, !object_annotation(&event.object, "a", &value),
	    "of two of a name the last counts");
}

int
main(void)
{
	struct tap tap = {0};
	struct object o;

	members(&tap);
	repeated(&tap);
	refusals(&tap);
	annotations(&tap);
	tap_ok(&tap,
	    object_scan(" {\"kind\":\"A\"} ", 14, &o, &why, &at) == 0 && o.bytes.len == 12 &&
		object_scan("{} x", 4, &o, &why, &at) == -1 && at == 3,
	    "an object alone");
	return tap_done(&tap);
}
