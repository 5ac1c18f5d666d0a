/* SPDX-License-Identifier: Apache-2.0 */
#include "bus.h"

#include <string.h>

/* In the order in which --help lists them. */
static const struct bus *const buses[] = {
    &bus_stdout,
    &bus_file,
    &bus_nats,
    &bus_rabbit,
    &bus_kafka,
    &bus_awssqs,
    &bus_awssns,
    &bus_gcppubsub,
    &bus_azuresb,
};

const struct bus *
bus_at(size_t i)
{
	return i < sizeof(buses) / sizeof(buses[0]) ? buses[i] : NULL;
}

const struct bus *
bus_find(const char *scheme)
{
	const struct bus *bus;

	for (size_t i = 0; (bus = bus_at(i)) != NULL; i++)
		if (strcmp(bus->scheme, scheme) == 0)
			return bus;
	return NULL;
}
