/* SPDX-License-Identifier: Apache-2.0 */
/* Application Default Credentials: which there are, and what the file says.
 * https://cloud.google.com/docs/authentication/application-default-credentials
 * External accounts: https://google.aip.dev/auth/4117 */
#ifndef GCP_CREDENTIALS_H
#define GCP_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>

#include "log.h"

enum { GCP_HEADERS_MAX = 8 };

enum gcp_kind {
	GCP_METADATA, /* no file: the metadata server of the machine or cluster is asked */
	GCP_SERVICE_ACCOUNT,
	GCP_AUTHORIZED_USER,
	GCP_EXTERNAL_ACCOUNT,
};

/* The strings are owned; NULL: the file does not have it. */
struct gcp_credentials {
	enum gcp_kind kind;
	char *quota_project;
	char *universe;  /* as said in the file, in GOOGLE_CLOUD_UNIVERSE_DOMAIN, else
			    googleapis.com */
	char *token_uri; /* where a token is asked for; of an external account, the STS */

	/* service account */
	char *email;
	char *key; /* PEM */
	char *key_id;

	/* authorized user */
	char *client_id;
	char *client_secret;
	char *refresh_token;

	/* external account */
	char *audience;
	char *subject_type;
	char *impersonation_url; /* NULL: the STS's token is the one */
	char *source_file;       /* where the subject token is: this or */
	char *source_url;        /* that */
	char *source_headers;    /* a JSON object of strings, GCP_HEADERS_MAX at most */
	char *source_field; /* the token is this member of a JSON object; NULL: it is all */
};

/* Reads the file's text. 0; -1 with why in size bytes, which says nothing secret. */
int gcp_credentials_read(
    struct gcp_credentials *c, const char *text, size_t len, char *why, size_t size);
/* Zeroed memory is fine. */
void gcp_credentials_free(struct gcp_credentials *c);

/* The file that the environment and the home directory say there is: memory of the caller's in
 * *path, or NULL for GCP_METADATA. -1: out of memory. */
int gcp_credentials_find(char **path);
/* Reads the file; path NULL: GCP_METADATA. 0, or -1 with why in size bytes. */
int gcp_credentials_load(struct gcp_credentials *c, const char *path, char *why, size_t size);

#endif
