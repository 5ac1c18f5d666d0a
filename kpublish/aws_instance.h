/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of the role of the machine, from its metadata, version 2. Source:
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-v2-how-it-works.html */
#ifndef AWS_INSTANCE_H
#define AWS_INSTANCE_H

#include "aws_fetch.h"

void aws_instance_start(struct aws_fetch *fetch);

#endif
