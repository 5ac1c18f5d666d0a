/* SPDX-License-Identifier: Apache-2.0 */
#include "nats_link.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backoff.h"
#include "nats_conn.h"
#include "nats_wire.h"
#include "tool.h"

enum {
	REQUEST_MS = 5000,
	FLUSH_MS = 5000,
	CLOSE_S = 2,
	BACKOFF_BASE_MS = 200,
	BACKOFF_MAX_MS = 5000,
	/* JetStream may be late where servers have just started: so often it has to be absent.
	 */
	ABSENT_TRIES = 4,
	ABSENT_WAIT_MS = 250,
	FIRST_JOBS = 256,
};

struct job {
	uint64_t generation;
	uint64_t tag;
	const struct message *m; /* NULL: flush */
};

struct jobs {
	struct job *job;
	size_t n;
	size_t size;
};

struct nats_link {
	char *subject;
	enum nats_promise promise;
	struct mailbox *box;
	pthread_t thread;
	bool started;
	struct jobs gathered; /* the caller's: not handed over yet */

	/* The thread's own. */
	struct nats_conn conn;
	uint64_t generation; /* of conn; they are counted from 1 */
	bool jetstream;
	bool had_jetstream; /* then core is not good enough any more */
	struct jobs work;

	pthread_mutex_t lock; /* for what follows */
	pthread_cond_t wake;
	struct jobs jobs;
	bool stop;
	bool ended;     /* the thread uses nothing of this any more */
	bool abandoned; /* the caller does not: the thread frees it at its end */
};

static void
tell(const struct nats_link *link, int kind, uint64_t tag, int64_t number)
{
	struct mail mail = {.kind = kind, .tag = tag, .number = number};

	mailbox_put(link->box, &mail);
}

static void complain(const struct nats_link *link, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
complain(const struct nats_link *link, const char *fmt, ...)
{
	struct mail mail = {.kind = NATS_TROUBLE};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(mail.text, sizeof(mail.text), fmt, ap);
	va_end(ap);
	mailbox_put(link->box, &mail);
}

/* In a thread of cnats, maybe when the next connection is already there: only wakes. */
static void
on_closed(void *arg)
{
	struct nats_link *link = arg;

	pthread_mutex_lock(&link->lock);
	pthread_cond_signal(&link->wake);
	pthread_mutex_unlock(&link->lock);
}

/* Waits, but not longer than until it is to stop. */
static void
pause_ms(struct nats_link *link, int ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += ms % 1000 * 1000000L;
	until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_mutex_lock(&link->lock);
	while (!link->stop &&
	       pthread_cond_timedwait(&link->wake, &link->lock, &until) != ETIMEDOUT)
		;
	pthread_mutex_unlock(&link->lock);
}

static bool
stopping(struct nats_link *link)
{
	bool stop;

	pthread_mutex_lock(&link->lock);
	stop = link->stop;
	pthread_mutex_unlock(&link->lock);
	return stop;
}

/* Asks once whether a stream covers the subject. */
static enum nats_stream
ask_for_stream(struct nats_link *link, char *why, size_t why_size)
{
	char request[1024];
	natsMsg *answer = NULL;
	enum nats_stream result = NATS_STREAM_UNKNOWN;
	natsStatus s;

	snprintf(request, sizeof(request), "{\"subject\":\"%s\"}", link->subject);
	s = natsConnection_RequestString(
	    &answer, link->conn.nc, NATS_QUESTION, request, REQUEST_MS);
	if (s == NATS_OK)
		result = nats_wire_streams(natsMsg_GetData(answer),
		    (size_t)natsMsg_GetDataLength(answer), why, why_size);
	else if (s == NATS_NO_RESPONDERS)
		result = NATS_STREAM_DISABLED;
	else
		snprintf(why, why_size,
		    "JetStream does not say whether a stream takes the subject: "
		    "%s" NATS_QUESTION_HINT,
		    natsStatus_GetText(s));
	natsMsg_Destroy(answer);
	return result;
}

/* Finds out what the connection can be used for; false: not to be known now. */
static bool
find_stream(struct nats_link *link)
{
	char why[MAIL_TEXT];
	enum nats_stream found;

	link->jetstream = link->promise == NATS_YES;
	if (link->promise != NATS_ASK)
		return true;
	found = ask_for_stream(link, why, sizeof(why));
	for (int i = 1; i < ABSENT_TRIES && found == NATS_STREAM_DISABLED; i++) {
		pause_ms(link, ABSENT_WAIT_MS);
		found = ask_for_stream(link, why, sizeof(why));
	}
	if (found == NATS_STREAM_UNKNOWN) {
		complain(link, "%s", why);
		return false;
	}
	link->jetstream = found == NATS_STREAM_THERE;
	if (!link->jetstream && link->had_jetstream) {
		complain(link, "no stream covers the subject any more");
		return false;
	}
	link->had_jetstream = link->jetstream;
	return true;
}

/* One try to have a connection that can be used. */
static bool
bring_up(struct nats_link *link)
{
	char why[MAIL_TEXT];

	if (nats_conn_connect(&link->conn, why, sizeof(why)) == -1) {
		complain(link, "cannot connect to %s", why);
		return false;
	}
	if (!find_stream(link)) {
		nats_conn_drop(&link->conn);
		return false;
	}
	link->generation++;
	tell(link, link->jetstream ? NATS_JETSTREAM : NATS_CORE, link->generation,
	    natsConnection_GetMaxPayload(link->conn.nc));
	return true;
}

static natsStatus
do_job(struct nats_link *link, const struct job *job)
{
	natsStatus s;

	if (job->m != NULL)
		return nats_conn_publish(
		    &link->conn, link->subject, job->m, link->jetstream ? job->tag : 0);
	s = natsConnection_FlushTimeout(link->conn.nc, FLUSH_MS);
	if (s == NATS_OK)
		tell(link, NATS_FLUSHED, job->tag, 0);
	return s;
}

/* Takes the jobs that are there, waiting for some. False: it is to stop, or the connection has
 * been closed. */
static bool
take_jobs(struct nats_link *link)
{
	struct jobs empty = link->work;
	bool go_on;

	empty.n = 0;
	pthread_mutex_lock(&link->lock);
	while (link->jobs.n == 0 && !link->stop && !natsConnection_IsClosed(link->conn.nc))
		pthread_cond_wait(&link->wake, &link->lock);
	go_on = !link->stop && !natsConnection_IsClosed(link->conn.nc);
	link->work = link->jobs;
	link->jobs = empty;
	pthread_mutex_unlock(&link->lock);
	return go_on;
}

/* Works on one connection until it is lost. */
static void
serve(struct nats_link *link)
{
	while (take_jobs(link)) {
		for (size_t i = 0; i < link->work.n; i++) {
			const struct job *job = &link->work.job[i];
			natsStatus s;

			/* m may be gone: it is not looked at */
			if (job->generation != link->generation || stopping(link))
				continue;
			s = do_job(link, job);
			if (s == NATS_OK)
				continue;
			complain(link, "cannot publish: %s", natsStatus_GetText(s));
			return;
		}
	}
}

static void
free_link(struct nats_link *link)
{
	free(link->subject);
	nats_conn_free(&link->conn);
	nats_CloseAndWait(CLOSE_S * 1000LL); /* then no thread puts anything into the box */
	mailbox_close(link->box);
	pthread_cond_destroy(&link->wake);
	pthread_mutex_destroy(&link->lock);
	free(link->gathered.job);
	free(link->jobs.job);
	free(link->work.job);
	free(link);
}

static void *
run(void *arg)
{
	struct nats_link *link = arg;
	unsigned attempts = 0;
	bool abandoned;

	while (!stopping(link)) {
		if (!bring_up(link)) {
			attempts++;
			pause_ms(link, backoff_ms(attempts, BACKOFF_BASE_MS, BACKOFF_MAX_MS));
			continue;
		}
		attempts = 0;
		serve(link);
		nats_conn_drop(&link->conn);
		tell(link, NATS_LOST, link->generation, 0);
	}
	pthread_mutex_lock(&link->lock);
	link->ended = true;
	abandoned = link->abandoned;
	pthread_mutex_unlock(&link->lock);
	if (abandoned)
		free_link(link);
	return NULL;
}

/* Room for so many. -1 with errno ENOMEM. */
static int
jobs_reserve(struct jobs *jobs, size_t n)
{
	size_t size = jobs->size > 0 ? jobs->size : FIRST_JOBS;
	struct job *more;

	while (size < n)
		size *= 2;
	if (size == jobs->size)
		return 0;
	more = reallocarray(jobs->job, size, sizeof(*more));
	if (more == NULL)
		return -1;
	jobs->job = more;
	jobs->size = size;
	return 0;
}

static int
gather(struct nats_link *link, const struct job *job)
{
	struct jobs *jobs = &link->gathered;

	if (jobs_reserve(jobs, jobs->n + 1) == -1)
		return -1;
	jobs->job[jobs->n++] = *job;
	return 0;
}

int
nats_link_send(
    struct nats_link *link, uint64_t generation, uint64_t tag, const struct message *m)
{
	return gather(link, &(struct job){generation, tag, m});
}

int
nats_link_flush(struct nats_link *link, uint64_t generation, uint64_t tag)
{
	return gather(link, &(struct job){generation, tag, NULL});
}

int
nats_link_hand_over(struct nats_link *link)
{
	struct jobs *from = &link->gathered;
	struct jobs *to = &link->jobs;
	int result = 0;

	if (from->n == 0)
		return 0;
	pthread_mutex_lock(&link->lock);
	result = jobs_reserve(to, to->n + from->n);
	if (result == 0) {
		memcpy(&to->job[to->n], from->job, from->n * sizeof(*from->job));
		if (to->n == 0)
			pthread_cond_signal(&link->wake);
		to->n += from->n;
		from->n = 0;
	}
	pthread_mutex_unlock(&link->lock);
	return result;
}

struct mailbox *
nats_link_mailbox(const struct nats_link *link)
{
	return link->box;
}

static void
init_lock(struct nats_link *link)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&link->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&link->wake, &attr);
	pthread_condattr_destroy(&attr);
}

struct nats_link *
nats_link_open(const char *servers, const char *subject, enum nats_promise promise,
    const char *shown, const struct log *log, int *exit_code)
{
	struct nats_link *link = calloc(1, sizeof(*link));
	char why[MAIL_TEXT] = "out of memory";

	*exit_code = EXIT_FAILED;
	if (link != NULL) {
		init_lock(link);
		link->subject = strdup(subject); /* the thread may outlive the URL */
		link->promise = promise;
		link->box = mailbox_open();
		link->conn = (struct nats_conn){
		    .box = link->box, .closed = on_closed, .closed_arg = link};
		if (link->subject != NULL && link->box != NULL &&
		    nats_conn_init(&link->conn, servers, why, sizeof(why)) == -1)
			*exit_code = EXIT_USAGE;
		else
			link->started = link->subject != NULL && link->box != NULL &&
					pthread_create(&link->thread, NULL, run, link) == 0;
	}
	if (link != NULL && link->started)
		return link;
	log_error(log, "%s: %s", shown, why);
	nats_link_close(link);
	return NULL;
}

/* False: it is busy, as with a server that does not answer, and frees the link when it ends, or the process ends
 * first. One that is connecting cannot be hurried. */
static bool
join(struct nats_link *link)
{
	struct timespec until;
	bool ended;

	if (!link->started)
		return true;
	pthread_mutex_lock(&link->lock);
	link->stop = true;
	pthread_cond_signal(&link->wake);
	pthread_mutex_unlock(&link->lock);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += CLOSE_S;
	if (pthread_timedjoin_np(link->thread, NULL, &until) == 0)
		return true;
	pthread_mutex_lock(&link->lock);
	ended = link->ended;
	if (!ended) {
		link->abandoned = true;
		pthread_detach(link->thread);
	}
	pthread_mutex_unlock(&link->lock);
	return ended && pthread_join(link->thread, NULL) == 0;
}

void
nats_link_close(struct nats_link *link)
{
	if (link != NULL && join(link))
		free_link(link);
}
