/* SPDX-License-Identifier: Apache-2.0 */
/* stdout: frames as they came. */
#include <unistd.h>

#include "bus_file.h"
#include "tool.h"

static void *
open_stdout(const struct url *url, const struct bus_owner *owner, int *exit_code)
{
	if (*url->rest != '\0') {
		log_error(owner->log, "%s: nothing can stand behind stdout:", url->shown);
		*exit_code = EXIT_USAGE;
		return NULL;
	}
	return bus_file_wrap(framefile_wrap(STDOUT_FILENO), NULL, url, owner, exit_code);
}

const struct bus bus_stdout = {
    .scheme = "stdout",
    .form = "stdout:",
    .help = "frames on standard output",
    .params = url_no_params,
    .in_place = true,
    .ordered = true,
    .open = open_stdout,
    .send = bus_file_send,
    .flush = bus_file_flush,
    .fd = bus_file_nothing,
    .timeout_ms = bus_file_nothing,
    .work = bus_file_work,
    .close = bus_file_close,
};
