/* SPDX-License-Identifier: Apache-2.0 */
/* The keys that there are now, renewed some minutes before they expire and when they are
 * refused. While a renewal fails the last ones are used on. */
#ifndef AWS_CREDENTIALS_H
#define AWS_CREDENTIALS_H

#include <stdbool.h>
#include <stdint.h>

#include "aws_keys.h"
#include "bus.h"
#include "requests.h"

struct aws_credentials;

/* requests, region and owner are borrowed. NULL with *exit_code and a message. */
struct aws_credentials *aws_credentials_open(struct requests *requests, const char *region,
    const struct bus_owner *owner, int *exit_code);
/* Before the requests are closed. Takes NULL. */
void aws_credentials_close(struct aws_credentials *credentials);

/* The keys, and in *header the header that goes with them or NULL: borrowed until
 * aws_credentials_work, or requests_run. NULL: there are none yet. */
const struct aws_keys *aws_credentials_get(
    const struct aws_credentials *credentials, const char **header);

/* Which keys those are, counted from 1. */
uint64_t aws_credentials_generation(const struct aws_credentials *credentials);

/* The service takes the keys of that generation; or it does not, and then there are none until
 * others have come. True: that is no news, as it took them before. */
void aws_credentials_accepted(struct aws_credentials *credentials, uint64_t generation);
bool aws_credentials_refused(struct aws_credentials *credentials, uint64_t generation);

/* Milliseconds until work has something to do; -1: nothing, or requests_run comes first. */
int aws_credentials_timeout_ms(const struct aws_credentials *credentials);
void aws_credentials_work(struct aws_credentials *credentials);

/* When to renew keys that expire so many seconds from now: seconds from now. */
int aws_credentials_renewal(int64_t left_s);

#endif
