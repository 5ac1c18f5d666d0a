/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that an agent beside the container hands out: EKS pod identity, ECS. Source:
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html */
#ifndef AWS_CONTAINER_H
#define AWS_CONTAINER_H

#include "aws_fetch.h"

void aws_container_start(struct aws_fetch *fetch);

#endif
