/* Shared texts: see pool.h. */
#include "eval/view/pool.h"

#include "reference/base/memory.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a, 64 bits. */
static uint64_t hash(const char *text)
{
    uint64_t value = UINT64_C(0xcbf29ce484222325);
    for (; *text; text++) value = (value ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return value;
}

/* Where the text stands, or the free place where it would. */
static size_t *place_of(const struct lfm_text_pool *pool, const char *text)
{
    size_t place = hash(text) % pool->n_places;
    while (pool->places[place] && strcmp(pool->texts[pool->places[place] - 1], text) != 0)
        place = (place + 1) % pool->n_places;
    return &pool->places[place];
}

/* Keeps at least half of the places free. */
static enum lfm_status make_room(struct lfm_text_pool *pool, struct lfm_error *error)
{
    if (2 * (pool->count + 1) <= pool->n_places) return LFM_OK;
    size_t *places, n_places = pool->n_places ? 2 * pool->n_places : 64;
    LFM_TRY(LFM_ALLOC(&places, n_places, error));
    free(pool->places);
    pool->places = places;
    pool->n_places = n_places;
    for (size_t i = 0; i < pool->count; i++) *place_of(pool, pool->texts[i]) = i + 1;
    return LFM_OK;
}

enum lfm_status lfm_text_pool_add(struct lfm_text_pool *pool, const char *text, size_t *index, struct lfm_error *error)
{
    LFM_TRY(make_room(pool, error));
    LFM_TRY(LFM_GROW(&pool->texts, &pool->capacity, pool->count + 1, error));
    size_t *place = place_of(pool, text);
    if (!*place) {
        LFM_TRY(lfm_copy_string(&pool->texts[pool->count], text, strlen(text), error));
        *place = ++pool->count;
    }
    *index = *place - 1;
    return LFM_OK;
}

void lfm_text_pool_release(struct lfm_text_pool *pool)
{
    for (size_t i = 0; i < pool->count; i++) free(pool->texts[i]);
    free(pool->texts);
    free(pool->places);
    *pool = (struct lfm_text_pool){0};
}
