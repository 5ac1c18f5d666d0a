/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Web Tokens that a service account signs (RS256):
 * https://developers.google.com/identity/protocols/oauth2/service-account#jwt-auth and, without
 * an exchange at token_uri, https://google.aip.dev/auth/4111 */
#ifndef GCP_JWT_H
#define GCP_JWT_H

#include <stdbool.h>
#include <time.h>

#include "gcp_credentials.h"

enum { GCP_JWT_S = 3600 }; /* how long one is good: the most that Google takes */

/* Is it an RSA key? */
bool gcp_jwt_key_valid(const char *pem);

/* To be exchanged at c->token_uri; or, as an access token itself, sub being the account. Memory
 * of the caller's; NULL when the library fails. now: by the clock. */
char *gcp_jwt_grant(const struct gcp_credentials *c, const char *scope, time_t now);
char *gcp_jwt_token(const struct gcp_credentials *c, const char *scope, time_t now);

#endif
