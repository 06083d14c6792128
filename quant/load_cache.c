/* Caches of experts: see load.h.
 *
 * The K experts of a token are loaded into a working buffer if they are not in the cache, so a cache may have any
 * size, and a policy may leave an expert out. Whatever the policy, after a token the cache is made of what it held and
 * of what the token used. Belady's rule, keep those whose next request comes first, is then optimal: a hit is an
 * interval between two requests of an expert during which the cache keeps it, at most `size` intervals may overlap,
 * and giving up the one that ends last keeps the most (Belady, IBM Systems Journal 5, 1966; for intervals Faigle and
 * Nawijn, Discrete Applied Mathematics 58, 1995).
 *
 * All sizes are simulated in one pass. After a token every policy but the static one ranks what there is by an order
 * that does not depend on the size, and keeps the first `size`; so a larger cache holds all that a smaller one does,
 * and one more at most. A stack says it all: its first C experts are the cache of size C (Mattson, Gecsei, Slutz and
 * Traiger, IBM Systems Journal 9, 1970). */
#include "quant/load.h"

#include "reference/base/memory.h"
#include "reference/model/config.h"

#include <stdlib.h>
#include <string.h>

struct expert {
    size_t level;      /* the smallest cache that holds it; 0: none does */
    uint64_t latest;   /* 1 + index of its last request among all T*K; 0: never */
    uint64_t requests; /* so far */
    uint64_t next;     /* index of the token that requests it next */
};

struct caches {
    enum lfm_cache_policy policy;
    size_t per_token, n_held;
    struct expert state[LFM_MAX_EXPERTS];
    uint16_t stack[LFM_MAX_EXPERTS]; /* [n_held]: the cache of size C holds the first C */
};

const char *lfm_cache_name(enum lfm_cache_policy policy)
{
    static const char *const names[LFM_CACHE_POLICIES] = {"lru", "lfu", "static", "belady"};
    return names[policy];
}

/* --- the hottest --- */

static void count_requests(uint64_t *counts, const uint16_t *selected, size_t requests)
{
    for (size_t i = 0; i < requests; i++) counts[selected[i]]++;
}

/* Adds to hot[E] the `size` experts with the largest counts of those that are not, ties to the lower. */
static void mark_hottest(bool *hot, const uint64_t *counts, size_t experts, size_t size)
{
    for (size_t n = 0; n < size; n++) {
        size_t best = experts;
        for (size_t e = 0; e < experts; e++)
            if (!hot[e] && (best == experts || counts[e] > counts[best])) best = e;
        hot[best] = true;
    }
}

/* Every hot expert misses once, when it is loaded; all others always. */
static void static_hits(uint64_t *hits, const uint16_t *selected, size_t requests, size_t experts)
{
    uint64_t counts[LFM_MAX_EXPERTS] = {0}, sum = 0;
    bool hot[LFM_MAX_EXPERTS] = {false}, before[LFM_MAX_EXPERTS] = {false};
    count_requests(counts, selected, requests);
    for (size_t size = 1; size <= experts; size++) {
        mark_hottest(hot, counts, experts, 1);
        for (size_t e = 0; e < experts; e++)
            if (hot[e] && !before[e] && counts[e] > 0) sum += counts[e] - 1;
        memcpy(before, hot, sizeof hot);
        hits[size - 1] = sum;
    }
}

enum lfm_status lfm_cache_coverage(double *share, const uint16_t *selected, size_t tokens, size_t per_token,
                                   size_t experts, size_t size, size_t fitted, size_t from, struct lfm_error *error)
{
    uint64_t counts[LFM_MAX_EXPERTS] = {0}, covered = 0;
    bool hot[LFM_MAX_EXPERTS] = {false};
    if (fitted == 0 || fitted > tokens || from >= tokens || size > experts)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "%zu tokens cannot be split at %zu and %zu", tokens, fitted, from);
    count_requests(counts, selected, fitted * per_token);
    mark_hottest(hot, counts, experts, size);
    for (size_t i = from * per_token; i < tokens * per_token; i++) covered += hot[selected[i]];
    *share = (double)covered / (double)((tokens - from) * per_token);
    return LFM_OK;
}

/* --- the others, token by token --- */

/* True when a is kept rather than b. A total order: experts are numbered, and their last requests differ. `first` is
 * the index of the token's first request. */
static bool is_kept_before(const struct caches *caches, size_t a, size_t b, uint64_t first)
{
    const struct expert *x = &caches->state[a], *y = &caches->state[b];
    if (caches->policy == LFM_CACHE_BELADY) return x->next != y->next ? x->next < y->next : a < b;
    if (caches->policy == LFM_CACHE_LFU) {
        bool now_x = x->latest > first, now_y = y->latest > first;
        if (now_x != now_y) return now_x;
        if (x->requests != y->requests) return x->requests > y->requests;
    }
    return x->latest > y->latest;
}

/* Takes the expert that is kept rather than all others out of pool[*n]. */
static uint16_t take_best(const struct caches *caches, uint16_t *pool, size_t *n, uint64_t first)
{
    size_t best = 0;
    for (size_t i = 1; i < *n; i++)
        if (is_kept_before(caches, pool[i], pool[best], first)) best = i;
    uint16_t expert = pool[best];
    pool[best] = pool[--*n];
    return expert;
}

/* The caches of sizes 1, 2, ... after a token: of each, what the next smaller one keeps, and the best of the rest of
 * what it held and what the token used. */
static void restack(struct caches *caches, const uint16_t *chosen, uint64_t first)
{
    uint16_t pool[LFM_MAX_EXPERTS];
    size_t n = caches->per_token, before = caches->n_held;
    memcpy(pool, chosen, n * sizeof *pool);
    for (size_t k = 0; k < caches->per_token; k++) caches->n_held += caches->state[chosen[k]].level == 0;
    for (size_t i = 0; i < caches->n_held && n > 0; i++) {
        bool asked = i >= before || caches->state[caches->stack[i]].latest > first;
        if (!asked) pool[n++] = caches->stack[i];
        caches->stack[i] = take_best(caches, pool, &n, first);
        caches->state[caches->stack[i]].level = i + 1;
    }
}

/* One token's requests: counts of the smallest cache that holds the expert, found[E + 1], found[0] for none. */
static void request(struct caches *caches, uint64_t *found, const uint16_t *chosen, const uint64_t *next, size_t token)
{
    size_t K = caches->per_token;
    for (size_t k = 0; k < K; k++) {
        struct expert *expert = &caches->state[chosen[k]];
        found[expert->level]++;
        expert->latest = token * K + k + 1;
        expert->requests++;
        expert->next = next ? next[token * K + k] : 0;
    }
    restack(caches, chosen, token * K);
}

/* next[T, K]: the token that requests the same expert next, UINT64_MAX for none. The caller frees. */
static enum lfm_status find_next(uint64_t **out, const uint16_t *selected, size_t tokens, size_t per_token,
                                 struct lfm_error *error)
{
    uint64_t seen[LFM_MAX_EXPERTS];
    LFM_TRY(LFM_ALLOC(out, tokens * per_token, error));
    for (size_t e = 0; e < LFM_MAX_EXPERTS; e++) seen[e] = UINT64_MAX;
    for (size_t i = tokens * per_token; i-- > 0;) {
        (*out)[i] = seen[selected[i]];
        seen[selected[i]] = i / per_token;
    }
    return LFM_OK;
}

enum lfm_status lfm_cache_hits(uint64_t *hits, enum lfm_cache_policy policy, const uint16_t *selected, size_t tokens,
                               size_t per_token, size_t experts, struct lfm_error *error)
{
    uint64_t *next = NULL, found[LFM_MAX_EXPERTS + 1] = {0}, sum = 0;
    struct caches caches = {.policy = policy, .per_token = per_token};
    if (policy == LFM_CACHE_STATIC) {
        static_hits(hits, selected, tokens * per_token, experts);
        return LFM_OK;
    }
    if (policy == LFM_CACHE_BELADY) LFM_TRY(find_next(&next, selected, tokens, per_token, error));
    for (size_t t = 0; t < tokens; t++) request(&caches, found, selected + t * per_token, next, t);
    for (size_t size = 1; size <= experts; size++) hits[size - 1] = sum += found[size];
    free(next);
    return LFM_OK;
}
