/* SPDX-License-Identifier: Apache-2.0 */
/* The XML of SNS and STS, which hold what they say in elements, not in attributes. */
#ifndef AWS_XML_H
#define AWS_XML_H

#include <stddef.h>

/* An element has ended. path: the names of it and of those around it below the root, as
 * a/b/c; text: what stood in it behind its last child (ends in a NUL). Both are borrowed. */
typedef void aws_xml_element(void *arg, const char *path, const char *text, size_t len);

/* 0; -1: it is no XML, or deeper or with longer texts than any answer (and element has been
 * called for what came before). */
int aws_xml_read(const char *xml, size_t len, aws_xml_element *element, void *arg);

#endif
