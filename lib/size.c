/* SPDX-License-Identifier: Apache-2.0 */
#include "size.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool
size_parse(const char *text, uint64_t *size)
{
	static const char units[] = "KMGT";
	unsigned shift = 0;
	unsigned long long n;
	const char *unit;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno != 0 || *text < '0' || *text > '9')
		return false;
	unit = *end != '\0' ? strchr(units, *end) : NULL;
	if (unit != NULL) {
		shift = 10 * (unsigned)(unit - units + 1);
		end++;
		if (strcmp(end, "iB") == 0)
			end += 2;
	}
	*size = (uint64_t)n << shift;
	return *end == '\0' && *size >> shift == n;
}
