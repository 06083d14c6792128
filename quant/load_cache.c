/* Caches of experts: see load.h.
 *
 * The K experts of a token are loaded into a working buffer if they are not in the cache, so a cache may have any
 * size, and a policy may leave an expert out. Whatever the policy, after a token the cache is made of what it held and
 * of what the token used. Belady's rule, keep those whose next request comes first, is then optimal: a hit is an
 * interval between two requests of an expert during which the cache keeps it, at most `size` intervals may overlap,
 * and giving up the one that ends last keeps the most (Belady, IBM Systems Journal 5, 1966; for intervals Faigle and
 * Nawijn, Discrete Applied Mathematics 58, 1995). */
#include "quant/load.h"

#include "reference/base/memory.h"
#include "reference/model/config.h"

#include <stdlib.h>

struct expert {
    bool held;
    uint64_t latest; /* 1 + index of its last request among all T*K; 0: never */
    uint64_t requests; /* so far */
    uint64_t next;   /* index of the token that requests it next */
};

struct cache {
    enum lfm_cache_policy policy;
    size_t experts, per_token, size, n_held;
    struct expert state[LFM_MAX_EXPERTS];
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

/* hot[E]: the `size` experts with the largest counts, ties to the lower. */
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
static uint64_t static_hits(const uint16_t *selected, size_t requests, size_t experts, size_t size)
{
    uint64_t counts[LFM_MAX_EXPERTS] = {0}, hits = 0;
    bool hot[LFM_MAX_EXPERTS] = {false};
    count_requests(counts, selected, requests);
    mark_hottest(hot, counts, experts, size);
    for (size_t e = 0; e < experts; e++)
        if (hot[e] && counts[e] > 0) hits += counts[e] - 1;
    return hits;
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

/* True when a is to leave before b. */
static bool leaves_before(const struct cache *cache, const struct expert *a, const struct expert *b, uint64_t first)
{
    if (cache->policy == LFM_CACHE_BELADY) return a->next > b->next;
    if (cache->policy == LFM_CACHE_LFU) {
        bool now_a = a->latest > first, now_b = b->latest > first;
        if (now_a != now_b) return now_b;
        if (a->requests != b->requests) return a->requests < b->requests;
    }
    return a->latest < b->latest;
}

/* `first` is the index of the token's first request. */
static void evict_one(struct cache *cache, uint64_t first)
{
    struct expert *victim = NULL;
    for (size_t e = 0; e < cache->experts; e++) {
        struct expert *expert = &cache->state[e];
        if (expert->held && (!victim || leaves_before(cache, expert, victim, first))) victim = expert;
    }
    victim->held = false;
    cache->n_held--;
}

/* One token's requests: the number of hits. */
static size_t request(struct cache *cache, const uint16_t *chosen, const uint64_t *next, size_t token)
{
    size_t K = cache->per_token, hits = 0;
    for (size_t k = 0; k < K; k++) hits += cache->state[chosen[k]].held;
    for (size_t k = 0; k < K; k++) {
        struct expert *expert = &cache->state[chosen[k]];
        cache->n_held += !expert->held;
        expert->held = true;
        expert->latest = token * K + k + 1;
        expert->requests++;
        expert->next = next ? next[token * K + k] : 0;
    }
    while (cache->n_held > cache->size) evict_one(cache, token * K);
    return hits;
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
                               size_t per_token, size_t experts, size_t size, struct lfm_error *error)
{
    uint64_t *next = NULL;
    struct cache cache = {.policy = policy, .experts = experts, .per_token = per_token, .size = size};
    if (size == 0 || size > experts)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "a cache of %zu experts: there are %zu", size, experts);
    *hits = 0;
    if (policy == LFM_CACHE_STATIC) {
        *hits = static_hits(selected, tokens * per_token, experts, size);
        return LFM_OK;
    }
    if (policy == LFM_CACHE_BELADY) LFM_TRY(find_next(&next, selected, tokens, per_token, error));
    for (size_t t = 0; t < tokens; t++) *hits += request(&cache, selected + t * per_token, next, t);
    free(next);
    return LFM_OK;
}
