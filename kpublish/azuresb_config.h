/* SPDX-License-Identifier: Apache-2.0 */
/* SERVICEBUS_CONNECTION_STRING: where Service Bus is and how it lets us in. Source:
 * https://learn.microsoft.com/azure/service-bus-messaging/service-bus-sas */
#ifndef AZURESB_CONFIG_H
#define AZURESB_CONFIG_H

#include "peer.h"

struct azuresb_config {
	char *memory; /* owned: all the strings */
	struct peer
	    peer; /* port 5671 if none is given; of the emulator, which has no TLS, 5672 */
	/* Either a key and its name, or a signature made elsewhere. */
	const char *key_name;
	char *key;
	char *signature;    /* a whole token: SharedAccessSignature sr=… */
	const char *entity; /* EntityPath; NULL: none */
};

/* Reads NAME=VALUE;NAME=VALUE… (names in any case; those that mean nothing here are passed over).
 * 0; or -1 with *why a literal that says what is wrong with the string, without any of it. */
int azuresb_config_parse(struct azuresb_config *config, const char *text, const char **why);

/* Overwrites the secrets first. */
void azuresb_config_free(struct azuresb_config *config);

#endif
