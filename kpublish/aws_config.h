/* SPDX-License-Identifier: Apache-2.0 */
/* Which region, and where its services are: by the URL's parameters, as gocloud.dev v0.23 takes
 * them (aws.ConfigFromURLParams), and by the environment, as Amazon's SDKs do:
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html */
#ifndef AWS_CONFIG_H
#define AWS_CONFIG_H

#include "log.h"
#include "url.h"

enum { AWS_REGION_SIZE = 64 };

struct aws_config {
	char region[AWS_REGION_SIZE];
	char *endpoint;      /* owned: the URL to send to */
	const char *ca_file; /* AWS_CA_BUNDLE, or NULL */
};

/* The value of an environment variable, or NULL when it is empty or not there. */
const char *aws_config_variable(const char *name);

/* The parameters of both buses, up to a NULL. */
extern const char *const aws_config_params[];

/* service: sqs, for one. region: the one that the URL itself names, or "". host: that of the URL
 * with a port where it has one, or NULL where the region says where the service is. 0; or -1
 * with a message, for wrong usage or out of memory. */
int aws_config_read(struct aws_config *config, const struct url *url, const char *service,
    const char *region, const char *host, const struct log *log);
void aws_config_free(struct aws_config *config);

/* The URL of a service in a region: what AWS_ENDPOINT_URL_SERVICE or AWS_ENDPOINT_URL says,
 * else Amazon's. The caller frees. NULL: out of memory. */
char *aws_config_endpoint(const char *service, const char *region);

/* The region that a host name of SQS's says, in region; "" if it says none. */
void aws_config_region_of_host(char region[AWS_REGION_SIZE], const char *host);

#endif
