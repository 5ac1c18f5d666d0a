/* SPDX-License-Identifier: Apache-2.0 */
/* The properties of librdkafka's producer, from all the places where they can stand. The later
 * one counts: kpublish's defaults, the file that KAFKA_CONFIG names, KAFKA_BROKERS, the URL's
 * parameters. Those on which the promise depends cannot be changed by any of them.
 * Source: https://github.com/confluentinc/librdkafka/blob/v2.0.2/CONFIGURATION.md */
#ifndef KAFKA_CONFIG_H
#define KAFKA_CONFIG_H

#include <librdkafka/rdkafka.h>

#include "log.h"
#include "url.h"

/* The caller destroys it. NULL with a message, which holds no value of a property, as that may
 * be a password. */
rd_kafka_conf_t *kafka_config_make(const struct url *url, const struct log *log);

#endif
