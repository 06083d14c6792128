/* States by the tokens they have seen: see prefixes.h. */
#include "eval/backends/prefixes.h"

#include "reference/base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_ENTRIES = 256 };

struct entry {
    int32_t *tokens;         /* owned: [state->n_past] */
    struct lfm_state *state; /* owned */
    size_t bytes;
    uint64_t used;           /* when, in the store's count of uses */
};

struct lfm_prefixes {
    const struct lfm_model *model;
    size_t budget, bytes, n;
    uint64_t uses;
    struct entry entries[MOST_ENTRIES];
};

enum lfm_status lfm_prefixes_new(struct lfm_prefixes **out, const struct lfm_model *model, size_t budget,
                                 struct lfm_error *error)
{
    LFM_TRY(LFM_ALLOC(out, 1, error));
    (*out)->model = model;
    (*out)->budget = budget;
    return LFM_OK;
}

static void release(struct entry *entry)
{
    free(entry->tokens);
    lfm_state_free(entry->state);
}

void lfm_prefixes_free(struct lfm_prefixes *prefixes)
{
    if (!prefixes) return;
    for (size_t i = 0; i < prefixes->n; i++) release(&prefixes->entries[i]);
    free(prefixes);
}

size_t lfm_common_prefix(const int32_t *a, size_t n_a, const int32_t *b, size_t n_b)
{
    size_t n = 0;
    while (n < n_a && n < n_b && a[n] == b[n]) n++;
    return n;
}

static size_t length_of(const struct entry *entry)
{
    return entry->state->n_past;
}

static struct entry *find(struct lfm_prefixes *prefixes, const int32_t *tokens, size_t n)
{
    struct entry *best = NULL;
    for (struct entry *entry = prefixes->entries; entry < prefixes->entries + prefixes->n; entry++) {
        size_t length = length_of(entry);
        if (length > n || (best && length <= length_of(best))) continue;
        if (memcmp(entry->tokens, tokens, length * sizeof *tokens) == 0) best = entry;
    }
    return best;
}

const struct lfm_state *lfm_prefixes_find(struct lfm_prefixes *prefixes, const int32_t *tokens, size_t n)
{
    struct entry *entry = find(prefixes, tokens, n);
    if (!entry) return NULL;
    entry->used = ++prefixes->uses;
    return entry->state;
}

size_t lfm_prefixes_shared(const struct lfm_prefixes *prefixes, const int32_t *tokens, size_t n)
{
    size_t most = 0;
    for (const struct entry *entry = prefixes->entries; entry < prefixes->entries + prefixes->n; entry++) {
        size_t shared = lfm_common_prefix(tokens, n, entry->tokens, length_of(entry));
        if (shared > most) most = shared;
    }
    return most;
}

static void forget_oldest(struct lfm_prefixes *prefixes)
{
    struct entry *oldest = prefixes->entries;
    for (struct entry *entry = oldest; entry < prefixes->entries + prefixes->n; entry++)
        if (entry->used < oldest->used) oldest = entry;
    prefixes->bytes -= oldest->bytes;
    release(oldest);
    *oldest = prefixes->entries[--prefixes->n];
}

static enum lfm_status copy(struct entry *entry, const struct lfm_model *model, const int32_t *tokens,
                            const struct lfm_state *state)
{
    LFM_TRY(LFM_ALLOC(&entry->tokens, state->n_past, NULL));
    memcpy(entry->tokens, tokens, state->n_past * sizeof *tokens);
    LFM_TRY(lfm_state_new(&entry->state, model, NULL));
    return lfm_state_copy(entry->state, state, NULL);
}

void lfm_prefixes_keep(struct lfm_prefixes *prefixes, const int32_t *tokens, const struct lfm_state *state)
{
    const struct lfm_state_bytes sizes = lfm_state_bytes(prefixes->model, state->n_past);
    size_t bytes = sizes.kv_cache + sizes.conv_state + state->n_past * sizeof *tokens;
    struct entry *known = find(prefixes, tokens, state->n_past), entry = {.bytes = bytes, .used = ++prefixes->uses};
    if (known && length_of(known) == state->n_past) {
        known->used = entry.used;
        return;
    }
    if (bytes > prefixes->budget) return;
    while (prefixes->n == MOST_ENTRIES || prefixes->bytes > prefixes->budget - bytes) forget_oldest(prefixes);
    if (copy(&entry, prefixes->model, tokens, state) != LFM_OK) {
        release(&entry);
        return;
    }
    prefixes->entries[prefixes->n++] = entry;
    prefixes->bytes += bytes;
}
