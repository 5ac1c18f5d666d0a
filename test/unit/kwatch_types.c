/* SPDX-License-Identifier: Apache-2.0 */
/* Discovery documents and what names on the command line mean by them. */
#include <stdlib.h>
#include <string.h>

#include "kwatch/discovery.h"
#include "kwatch/types.h"
#include "tap.h"

#define RESOURCE(plural, singular, kind, more)                                  \
	"{\"resource\":\"" plural                                               \
	"\",\"responseKind\":{\"group\":\"\",\"version\":\"\",\"kind\":\"" kind \
	"\"},\"scope\":\"Namespaced\",\"singularResource\":\"" singular "\"," more "}"
#define WATCHED "\"verbs\":[\"get\",\"list\",\"watch\"]"
#define GROUP(name, versions)             \
	"{\"metadata\":{\"name\":\"" name \
	"\",\"creationTimestamp\":null},\"versions\":[" versions "]}"
#define VERSION(version, more, resources) \
	"{\"version\":\"" version "\",\"resources\":[" resources "]" more "}"

static const char aggregated[] =
    "{\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":\"apidiscovery.k8s.io/"
    "v2\",\"items\":[" GROUP(
	"", VERSION("v1", "",
		RESOURCE("pods", "pod", "Pod",
		    WATCHED ",\"shortNames\":[\"po\"],\"categories\":[\"all\"],"
			    "\"subresources\":[{\"subresource\":\"log\",\"verbs\":"
			    "[\"get\"]}]") "," RESOURCE("events", "event", "Event",
		    WATCHED ",\"shortNames\":[\"ev\"]") "," RESOURCE("bindings", "binding",
		    "Binding", "\"verbs\":[\"create\"]"))) "," GROUP("apps",
	VERSION("v1", ",\"freshness\":\"Current\"",
	    RESOURCE("deployments", "deployment", "Deployment",
		WATCHED
		",\"shortNames\":[\"deploy\"],\"categories\":[\"all\"]")) "," VERSION("v1beta1",
	    "",
	    RESOURCE("deployments", "deployment", "Deployment", WATCHED) "," RESOURCE(
		"oldthings", "oldthing", "OldThing", WATCHED))) "," GROUP("events.k8s.io",
	VERSION(
	    "v1", "", RESOURCE("events", "event", "Event", WATCHED))) "," GROUP("extensions",
	VERSION("v1beta1", "",
	    RESOURCE(
		"ingresses", "ingress", "Ingress", WATCHED))) "," GROUP("networking.k8s.io",
	VERSION("v1", "",
	    RESOURCE("ingresses", "ingress", "Ingress", WATCHED))) "," GROUP("broken.example",
	VERSION("v1", ",\"freshness\":\"Stale\"", "")) "]}";

static struct types types;

/* What the argument means, as "version/resource.group " of each. */
static const char *
meaning(const char *arg)
{
	static char text[400];
	bool chosen[32] = {false};
	enum types_found found = types_choose(&types, arg, chosen);

	if (found != TYPES_OK)
		return found == TYPES_NONE ? "none" : "not watchable";
	text[0] = '\0';
	for (size_t i = 0; i < types.n; i++) {
		const struct type *t = &types.list[i];
		size_t len = strlen(text);

		if (chosen[i])
			snprintf(text + len, sizeof(text) - len, "%s%s/%s%s%s",
			    len > 0 ? " " : "", t->version, t->resource,
			    *t->group != '\0' ? "." : "", t->group);
	}
	return text;
}

static void
means(struct tap *tap, const char *arg, const char *expect)
{
	char name[1000];
	const char *is = meaning(arg);

	snprintf(name, sizeof(name), "%s means %s (%s)", arg, expect, is);
	tap_ok(tap, strcmp(is, expect) == 0, name);
}

static void
check_names(struct tap *tap)
{
	static const char *const same[] = {"deployments", "deployment", "deploy", "Deployment",
	    "DEPLOY", "deployments.apps", "deployments.v1.apps", "deploy.app"};

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		means(tap, same[i], "v1/deployments.apps");
	means(tap, "pods", "v1/pods");
	means(tap, "po", "v1/pods");
	means(tap, "deployments.v1beta1.apps", "v1beta1/deployments.apps");
	means(tap, "events", "v1/events");
	means(tap, "events.events.k8s.io", "v1/events.events.k8s.io");
	means(tap, "pods,deploy", "v1/pods v1/deployments.apps");
	means(tap, "all", "v1/pods v1/deployments.apps");
	means(tap, "bindings", "not watchable");
	means(tap, "nosuch", "none");
	means(tap, "pods.apps", "none");
	means(tap, "deployments.v2.apps", "none");
	means(tap, "log", "none");
	means(tap, "", "none");
	means(tap, ".", "none");
}

static void
check_preferred(struct tap *tap)
{
	char text[400] = "";

	for (size_t i = 0; i < types.n; i++)
		if (types.list[i].preferred)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s/%s.%s ",
			    types.list[i].version, types.list[i].resource, types.list[i].group);
	tap_ok(tap,
	    strcmp(text, "v1/pods. v1/events. v1/deployments.apps v1beta1/oldthings.apps "
			 "v1/ingresses.networking.k8s.io ") == 0,
	    "one version a group, one of several groups with the same objects, both verbs");
}

static void
check_old_form(struct tap *tap)
{
	static const char groups[] =
	    "{\"kind\":\"APIGroupList\",\"groups\":[{\"name\":\"apps\",\"versions\":["
	    "{\"groupVersion\":\"apps/v1beta1\",\"version\":\"v1beta1\"},"
	    "{\"groupVersion\":\"apps/v1\",\"version\":\"v1\"}],"
	    "\"preferredVersion\":{\"groupVersion\":\"apps/v1\",\"version\":\"v1\"}}]}";
	static const char resources[] =
	    "{\"kind\":\"APIResourceList\",\"groupVersion\":\"v1\",\"resources\":["
	    "{\"name\":\"nodes\",\"singularName\":\"\",\"namespaced\":false,\"kind\":\"Node\","
	    "\"verbs\":[\"list\",\"watch\"],\"shortNames\":[\"no\"]},"
	    "{\"name\":\"pods\",\"singularName\":\"pod\",\"namespaced\":true,\"kind\":\"Pod\","
	    "\"verbs\":[\"list\",\"watch\"]},"
	    "{\"name\":\"pods/log\",\"singularName\":\"\",\"namespaced\":true,\"kind\":\"Pod\","
	    "\"verbs\":[\"get\"]}]}";
	struct types old = {.list = NULL};
	char *paths = NULL;

	tap_ok(tap, !discovery_is_aggregated(groups, strlen(groups)),
	    "the old form is told apart");
	tap_ok(tap,
	    discovery_groups(groups, strlen(groups), &paths) == 0 &&
		strncmp(paths, "apps/v1,", 8) == 0 && strstr(paths, "apps/v1beta1") != NULL,
	    "old form: the preferred version comes first");
	free(paths);
	tap_ok(tap,
	    discovery_resources(resources, strlen(resources), "", "v1", &old) == 0 &&
		old.n == 2 && !old.list[0].namespaced && old.list[1].namespaced &&
		strcmp(old.list[0].short_names, "no") == 0,
	    "old form: resources without subresources");
	types_free(&old);
	tap_ok(tap, discovery_groups("{", 1, &paths) == -1, "old form: malformed");
}

int
main(void)
{
	struct tap tap = {0, 0};
	struct type stale = {.group = (char[]){"broken.example"}, .version = (char[]){"v1"}};
	struct type fresh = {.group = (char[]){"apps"}, .version = (char[]){"v1"}};
	struct types none = {.list = NULL};

	tap_ok(&tap, discovery_is_aggregated(aggregated, strlen(aggregated)), "aggregated");
	tap_ok(
	    &tap, discovery_aggregated(aggregated, strlen(aggregated), &types) == 0, "is read");
	types_prefer(&types);
	tap_ok(&tap, types.n == 9, "all types but subresources");
	tap_ok(&tap, types_is_stale(&types, &stale) && !types_is_stale(&types, &fresh),
	    "a stale group is known as such");
	check_preferred(&tap);
	check_names(&tap);
	check_old_form(&tap);
	tap_ok(&tap, discovery_aggregated(aggregated, strlen(aggregated) - 2, &none) == -1,
	    "a truncated document is refused");
	types_free(&none);
	types_free(&types);
	return tap_done(&tap);
}
