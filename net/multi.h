/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl's multi interface behind one descriptor, for a program that has a loop of its own.
 * Source: https://curl.se/libcurl/c/libcurl-multi.html, "multi_socket". */
#ifndef MULTI_H
#define MULTI_H

#include <curl/curl.h>

#include "log.h"

struct multi;

/* A transfer that was added is over. It has been removed; easy is the caller's again. */
typedef void multi_done_fn(void *arg, CURL *easy, CURLcode code);

/* NULL with a message. done is called from multi_run alone. */
struct multi *multi_open(const struct log *log, multi_done_fn *done, void *arg);
/* What was added must have been removed. Takes NULL. */
void multi_close(struct multi *multi);

/* For curl_multi_setopt. */
CURLM *multi_handle(struct multi *multi);

/* 0; -1: out of memory. */
int multi_add(struct multi *multi, CURL *easy);
/* Without a call of done. Harmless when it is not there. */
void multi_remove(struct multi *multi, CURL *easy);

/* Readable when multi_run has something to do. */
int multi_fd(const struct multi *multi);
/* Milliseconds until multi_run has something to do even so; -1: nothing. */
int multi_timeout_ms(const struct multi *multi);

/* Does what there is to do now, without waiting. How many descriptors something has happened to
 * and transfers were over, 0 for a call in vain; -1 with a message when the system fails. */
int multi_run(struct multi *multi);

#endif
