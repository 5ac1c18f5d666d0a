/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include <zdict.h>
#include <zstd.h>

enum {
	LEVEL = 1,
	SAMPLES = 200,          /* objects that a dictionary is made of */
	SAMPLE_MAX = 32 * 1024, /* bytes of each that count */
	DICTIONARY_MAX = 32 * 1024,
	NAME_MAX_LEN = 400, /* of group/Kind */
};

/* A row of the store's kinds table: this and the dictionary. */
struct row {
	uint32_t id;
};

struct kind {
	uint32_t id;
	uint32_t count;    /* objects seen, up to when the dictionary is made */
	uint32_t train_at; /* the count at which to make it; 0: it is made */
	ZSTD_CDict *cdict;
	ZSTD_DDict *ddict;
	size_t name_len;
	char name[];
};

struct kinds {
	const struct log *log;
	struct store *store;
	ZSTD_CCtx *cctx;
	ZSTD_DCtx *dctx;
	struct buf packed;
	struct kind **table; /* open addressing by the name's hash; size is a power of two */
	size_t size;
	size_t n;
	struct kind **by_id; /* ids are 1 to n; as many as the table has slots */
};

static void
kind_free(struct kind *kind)
{
	if (kind == NULL)
		return;
	ZSTD_freeCDict(kind->cdict);
	ZSTD_freeDDict(kind->ddict);
	free(kind);
}

void
kinds_close(struct kinds *k)
{
	if (k == NULL)
		return;
	for (size_t i = 0; k->table != NULL && i < k->size; i++)
		kind_free(k->table[i]);
	free(k->table);
	free(k->by_id);
	ZSTD_freeCCtx(k->cctx);
	ZSTD_freeDCtx(k->dctx);
	buf_free(&k->packed);
	free(k);
}

uint32_t
kind_id(const struct kind *kind)
{
	return kind->id;
}

const char *
kind_name(const struct kind *kind)
{
	return kind->name;
}

/* Where the name stands in the table, or would. */
static struct kind **
slot(struct kind **table, size_t size, const char *name, size_t len)
{
	size_t i = XXH3_64bits(name, len) & (size - 1);

	while (table[i] != NULL &&
	       (table[i]->name_len != len || memcmp(table[i]->name, name, len) != 0))
		i = (i + 1) & (size - 1);
	return &table[i];
}

static int
grow(struct kinds *k)
{
	size_t size = k->size * 2;
	struct kind **table = calloc(size, sizeof(struct kind *));
	struct kind **by_id = realloc(k->by_id, size * sizeof(struct kind *));

	if (by_id != NULL)
		k->by_id = by_id;
	if (table == NULL || by_id == NULL) {
		log_error(k->log, "out of memory");
		free(table);
		return -1;
	}
	for (size_t i = 0; i < k->size; i++) {
		struct kind *kind = k->table[i];

		if (kind != NULL)
			*slot(table, size, kind->name, kind->name_len) = kind;
	}
	free(k->table);
	k->table = table;
	k->size = size;
	return 0;
}

static int
use_dictionary(struct kinds *k, struct kind *kind, const void *p, size_t len)
{
	kind->cdict = ZSTD_createCDict(p, len, LEVEL);
	kind->ddict = ZSTD_createDDict(p, len);
	if (kind->cdict == NULL || kind->ddict == NULL) {
		log_error(k->log, "%s: out of memory for the dictionary", kind->name);
		return -1;
	}
	kind->train_at = 0;
	return 0;
}

static struct kind *
kind_new(struct kinds *k, const char *name, size_t len)
{
	struct kind *kind = calloc(1, sizeof(*kind) + len + 1);

	if (kind == NULL) {
		log_error(k->log, "out of memory");
		return NULL;
	}
	memcpy(kind->name, name, len);
	kind->name_len = len;
	kind->train_at = SAMPLES;
	return kind;
}

/* Into the table; takes kind, which is freed on failure. */
static struct kind *
add(struct kinds *k, struct kind *kind)
{
	if (k->n * 2 >= k->size && grow(k) == -1) {
		kind_free(kind);
		return NULL;
	}
	*slot(k->table, k->size, kind->name, kind->name_len) = kind;
	k->n++;
	k->by_id[kind->id] = kind;
	return kind;
}

/* No dictionary yet: counts on from where the last run was. */
static int
count_known(struct kinds *k, struct kind *kind)
{
	struct name_walk walk = {.len = 0};
	struct uid_key uid;
	int have = 1;

	while (kind->count < SAMPLES - 1 && (have = store_name_next(k->store, kind->id,
						 (struct bytes){NULL, 0}, &walk, &uid)) == 1)
		kind->count++;
	return have == -1 ? -1 : 0;
}

static int
load(void *arg, struct bytes key, struct bytes value)
{
	struct kinds *k = arg;
	struct kind *kind = kind_new(k, key.p, key.len);
	struct row row;

	if (kind == NULL)
		return -1;
	if (value.len < sizeof(row)) {
		log_error(k->log, "%s: the store's row of this kind is damaged", kind->name);
		kind_free(kind);
		return -1;
	}
	memcpy(&row, value.p, sizeof(row));
	kind->id = row.id;
	while (kind->id >= k->size) {
		if (grow(k) == -1) {
			kind_free(kind);
			return -1;
		}
	}
	if (value.len > sizeof(row)
		? use_dictionary(k, kind, value.p + sizeof(row), value.len - sizeof(row)) == -1
		: count_known(k, kind) == -1) {
		kind_free(kind);
		return -1;
	}
	return add(k, kind) == NULL ? -1 : 0;
}

struct kinds *
kinds_open(const struct log *log, struct store *store)
{
	struct kinds *k = calloc(1, sizeof(*k));

	if (k != NULL) {
		k->log = log;
		k->store = store;
		k->cctx = ZSTD_createCCtx();
		k->dctx = ZSTD_createDCtx();
		k->size = 256;
		k->table = calloc(k->size, sizeof(struct kind *));
		k->by_id = calloc(k->size, sizeof(struct kind *));
		buf_init(&k->packed, (size_t)128 << 20);
	}
	if (k == NULL || k->cctx == NULL || k->dctx == NULL || k->table == NULL ||
	    k->by_id == NULL) {
		log_error(log, "out of memory");
		kinds_close(k);
		return NULL;
	}
	if (store_row_each(store, STORE_KINDS, load, k) == -1) {
		kinds_close(k);
		return NULL;
	}
	return k;
}

struct kind *
kinds_of(struct kinds *k, struct bytes api_version, struct bytes kind_part)
{
	const char *slash = memchr(api_version.p, '/', api_version.len);
	size_t group = slash != NULL ? (size_t)(slash - api_version.p) : 0;
	char name[NAME_MAX_LEN];
	size_t len = group + 1 + kind_part.len;
	struct kind *kind;
	struct row row;

	if (len >= sizeof(name)) {
		log_error(k->log, "a kind's name is over %d bytes", NAME_MAX_LEN);
		return NULL;
	}
	memcpy(name, api_version.p, group);
	name[group] = '/';
	memcpy(name + group + 1, kind_part.p, kind_part.len);
	kind = *slot(k->table, k->size, name, len);
	if (kind != NULL)
		return kind;
	kind = kind_new(k, name, len);
	if (kind == NULL)
		return NULL;
	kind->id = row.id = (uint32_t)k->n + 1;
	if (store_row_put(k->store, STORE_KINDS, (struct bytes){name, len},
		(struct bytes){(const char *)&row, sizeof(row)}) == -1) {
		kind_free(kind);
		return NULL;
	}
	return add(k, kind);
}

int
kinds_pack(struct kinds *k, struct kind *kind, struct bytes state, struct packed *out)
{
	size_t bound = ZSTD_compressBound(state.len);
	size_t n;

	k->packed.len = 0;
	buf_shrink(&k->packed, (size_t)1 << 20);
	if (buf_reserve(&k->packed, bound) == NULL) {
		log_error(k->log, "%s: no memory to pack a state of %zu bytes", kind->name,
		    state.len);
		return -1;
	}
	if (kind->cdict != NULL)
		n = ZSTD_compress_usingCDict(
		    k->cctx, k->packed.data, bound, state.p, state.len, kind->cdict);
	else
		n = ZSTD_compressCCtx(
		    k->cctx, k->packed.data, bound, state.p, state.len, LEVEL);
	if (ZSTD_isError(n)) {
		log_error(
		    k->log, "%s: cannot pack a state: %s", kind->name, ZSTD_getErrorName(n));
		return -1;
	}
	*out = (struct packed){
	    .kind = kind->id,
	    .dictionary = kind->cdict != NULL,
	    .size = state.len,
	    .bytes = {k->packed.data, n},
	};
	return 0;
}

const struct kind *
kinds_by_id(const struct kinds *k, uint32_t id)
{
	return id > 0 && id <= k->n ? k->by_id[id] : NULL;
}

bool
kinds_unpacks(struct kinds *k, const struct packed *state, struct buf *out)
{
	const struct kind *kind = kinds_by_id(k, state->kind);
	char *to = buf_reserve(out, state->size);
	size_t n = 0;

	if (to == NULL)
		return false;
	if (state->dictionary == 0)
		n = ZSTD_decompressDCtx(
		    k->dctx, to, state->size, state->bytes.p, state->bytes.len);
	else if (kind != NULL && kind->ddict != NULL)
		n = ZSTD_decompress_usingDDict(
		    k->dctx, to, state->size, state->bytes.p, state->bytes.len, kind->ddict);
	if (ZSTD_isError(n) || n != state->size)
		return false;
	out->len += n;
	return true;
}

int
kinds_unpack(struct kinds *k, const struct packed *state, struct buf *out)
{
	/* First, as want of memory says nothing about the store. */
	if (buf_reserve(out, state->size) == NULL) {
		log_error(k->log, "no memory to unpack a state of %llu bytes",
		    (unsigned long long)state->size);
		return -1;
	}
	return kinds_unpacks(k, state, out) ? 0 : store_damaged(k->store, "a state");
}

/* Gathers the kind's states from the store: samples one behind the other, their sizes in sizes.
 */
static int
gather(struct kinds *k, const struct kind *kind, struct buf *samples, size_t sizes[SAMPLES])
{
	struct name_walk walk = {.len = 0};
	struct uid_key uid;
	struct known known;
	struct buf state;
	int n = 0;
	int have = 1;

	buf_init(&state, (size_t)128 << 20);
	while (n < SAMPLES && (have = store_name_next(k->store, kind->id,
				   (struct bytes){NULL, 0}, &walk, &uid)) == 1) {
		size_t size;

		have = store_get(k->store, &uid, &known);
		if (have == 0 || (have == 1 && known.state.kind != kind->id))
			continue;
		state.len = 0;
		buf_shrink(&state, (size_t)1 << 20);
		if (have == -1 || kinds_unpack(k, &known.state, &state) == -1) {
			have = -1;
			break;
		}
		size = state.len < SAMPLE_MAX ? state.len : SAMPLE_MAX;
		have = buf_add(samples, state.data, size);
		if (have == -1)
			break;
		sizes[n++] = size;
	}
	buf_free(&state);
	return have == -1 ? -1 : n;
}

static int
keep_dictionary(struct kinds *k, struct kind *kind, const char *dictionary, size_t len)
{
	struct row row = {.id = kind->id};
	struct buf value;
	int result;

	buf_init(&value, sizeof(row) + DICTIONARY_MAX);
	result = buf_add(&value, &row, sizeof(row)) == -1 ||
			 buf_add(&value, dictionary, len) == -1 ||
			 store_row_put(k->store, STORE_KINDS,
			     (struct bytes){kind->name, kind->name_len},
			     (struct bytes){value.data, value.len}) == -1 ||
			 use_dictionary(k, kind, dictionary, len) == -1
		     ? -1
		     : 0;
	buf_free(&value);
	return result;
}

int
kinds_count(struct kinds *k, struct kind *kind)
{
	char *dictionary = NULL;
	struct buf samples;
	size_t sizes[SAMPLES];
	size_t len;
	int result = -1;
	int n;

	if (kind->train_at == 0 || ++kind->count < kind->train_at)
		return 0;
	buf_init(&samples, (size_t)SAMPLES * SAMPLE_MAX);
	n = gather(k, kind, &samples, sizes);
	dictionary = malloc(DICTIONARY_MAX);
	if (n == -1 || dictionary == NULL)
		goto out;
	len =
	    ZDICT_trainFromBuffer(dictionary, DICTIONARY_MAX, samples.data, sizes, (unsigned)n);
	if (ZDICT_isError(len)) {
		/* Too little to learn from, as when all are alike but tiny: later, with others.
		 */
		kind->train_at *= 4;
		result = 0;
		goto out;
	}
	result = keep_dictionary(k, kind, dictionary, len);
out:
	free(dictionary);
	buf_free(&samples);
	return result;
}
