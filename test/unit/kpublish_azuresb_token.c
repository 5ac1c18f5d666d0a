/* SPDX-License-Identifier: Apache-2.0 */
#include "kpublish/azuresb_token.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

int
main(void)
{
	struct tap tap = {0};
	char *token = azuresb_token_make(
	    "amqps://NS.servicebus.windows.net/Orders", "Root Key", "c2VjcmV0", 1700000000);

	/* Computed by Python's hmac, base64 and urllib. */
	tap_ok(&tap,
	    token != NULL &&
		strcmp(token,
		    "SharedAccessSignature sr=amqps%3a%2f%2fns.servicebus.windows.net%2forders"
		    "&sig=k3MF15JSJXae7%2FQlpEvaA9qu7%2Fq4DFbK%2FFLOctZK184%3D"
		    "&se=1700000000&skn=Root%20Key") == 0,
	    "a token");
	tap_ok(&tap, token != NULL && azuresb_token_expiry(token) == 1700000000,
	    "when it ends is read from it");
	azuresb_token_free(token);
	azuresb_token_free(NULL);
	tap_ok(&tap,
	    azuresb_token_expiry("SharedAccessSignature sr=x&sig=y&se=12") == 12 &&
		azuresb_token_expiry("SharedAccessSignature sr=x&sig=y") == 0 &&
		azuresb_token_expiry("SharedAccessSignature sr=x&se=") == 0 &&
		azuresb_token_expiry("SharedAccessSignature sr=x&se=12x") == 0 &&
		azuresb_token_expiry("SharedAccessSignature sr=x&se=99999999999999999999") == 0,
	    "of tokens made elsewhere");
	return tap_done(&tap);
}
