/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of a role for the token of a web identity, as a service account has one in EKS. Source:
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html */
#ifndef AWS_STS_H
#define AWS_STS_H

#include "aws_fetch.h"

void aws_sts_start(struct aws_fetch *fetch);

#endif
