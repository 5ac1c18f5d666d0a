/* SPDX-License-Identifier: Apache-2.0 */
/* kenvelope: puts change records into protobuf envelopes, and takes them out again.
 *
 * stdin: change records of kdiff, one JSON object a line; with --decode: frames.
 * stdout: frames (varint length, kollect.event.v1.Envelope); with --decode: a line for each.
 * Exit: 0 at the end of input or after SIGTERM/SIGINT, 1 on failure, 2 on wrong usage. */
#include <string.h>
#include <unistd.h>

#include "decode.h"
#include "encode.h"
#include "json.h"
#include "tool.h"

enum { OPT_BRIEF = OPT_TOOL_FIRST_FREE, CLUSTER_ID_MAX = 256 };

static const char help[] =
    "Usage: kenvelope [--cluster-id=ID]  < records > frames\n"
    "       kenvelope --decode [--brief] < frames\n"
    "Put change records of kdiff into protobuf envelopes, or show envelopes.\n"
    "\n"
    "  -c, --cluster-id=ID        which cluster the changes are of (default: the uid of the\n"
    "                             kube-system namespace, when the stream shows it)\n"
    "  -d, --decode               frames to one JSON object a line\n"
    "      --brief                with --decode: a line for people instead\n" TOOL_OPTIONS_HELP;

struct options {
	const char *cluster_id;
	bool decode;
	bool brief;
};

/* -1: go on; else the exit code. */
static int
parse(int argc, char **argv, struct tool *tool, struct options *o)
{
	static const struct option table[] = {
	    {"cluster-id", required_argument, NULL, 'c'},
	    {"decode", no_argument, NULL, 'd'},
	    {"brief", no_argument, NULL, OPT_BRIEF},
	    TOOL_OPTIONS,
	    {NULL, 0, NULL, 0},
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "c:d", table, NULL)) != -1) {
		switch (opt) {
		case 'c':
			o->cluster_id = optarg;
			break;
		case 'd':
			o->decode = true;
			break;
		case OPT_BRIEF:
			o->brief = true;
			break;
		default:
			switch (tool_option(tool, opt, optarg, help)) {
			case TOOL_OPTION_EXIT:
				return EXIT_OK;
			case TOOL_OPTION_USAGE:
				return EXIT_USAGE;
			default:
				break;
			}
		}
	}
	return -1;
}

/* The cluster id becomes part of keys and headers: text without control characters. */
static bool
good_cluster_id(const char *id)
{
	size_t len = strlen(id);

	if (len == 0 || len > CLUSTER_ID_MAX || !json_utf8_valid(id, len))
		return false;
	for (; *id != '\0'; id++)
		if ((unsigned char)*id < 0x20 || *id == 0x7f)
			return false;
	return true;
}

static const char *
wrong(const struct options *o, int extra)
{
	if (extra > 0)
		return "takes no arguments: records come on standard input";
	if (o->brief && !o->decode)
		return "--brief goes with --decode";
	if (o->cluster_id != NULL && o->decode)
		return "--cluster-id is for making envelopes, not for --decode";
	if (o->cluster_id != NULL && !good_cluster_id(o->cluster_id))
		return "--cluster-id: 1 to 256 bytes of text are wanted";
	return NULL;
}

int
main(int argc, char **argv)
{
	struct options o = {.cluster_id = NULL};
	struct tool tool;
	const char *why;
	int stop_fd;
	int code;

	tool_init(&tool, "kenvelope");
	code = parse(argc, argv, &tool, &o);
	if (code != -1)
		return code;
	why = wrong(&o, argc - optind);
	if (why != NULL) {
		log_error(&tool.log, "%s", why);
		return EXIT_USAGE;
	}
	stop_fd = tool_stop_fd(&tool, 0);
	if (stop_fd == -1)
		return EXIT_FAILED;
	code = o.decode ? decode_run(&tool, stop_fd, o.brief)
			: encode_run(&tool, stop_fd, o.cluster_id);
	close(stop_fd);
	return code;
}
