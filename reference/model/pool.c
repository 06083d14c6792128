/* Objects for reuse: see pool.h. */
#include "reference/model/pool.h"

#include "reference/base/memory.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

enum { MOST = 8 }; /* threads that use a model at once, before objects are made anew */

struct lfm_pool {
    pthread_mutex_t lock;
    void (*destroy)(void *object);
    void *objects[MOST];
    size_t n;
};

enum lfm_status lfm_pool_new(struct lfm_pool **out, struct lfm_error *error)
{
    LFM_TRY(LFM_ALLOC(out, 1, error));
    pthread_mutex_init(&(*out)->lock, NULL);
    return LFM_OK;
}

void lfm_pool_free(struct lfm_pool *pool)
{
    if (!pool) return;
    while (pool->n > 0) pool->destroy(pool->objects[--pool->n]);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

void *lfm_pool_take(struct lfm_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    void *object = pool->n > 0 ? pool->objects[--pool->n] : NULL;
    pthread_mutex_unlock(&pool->lock);
    return object;
}

void lfm_pool_give(struct lfm_pool *pool, void *object, void (*destroy)(void *object))
{
    pthread_mutex_lock(&pool->lock);
    bool kept = pool->n < MOST;
    pool->destroy = destroy;
    if (kept) pool->objects[pool->n++] = object;
    pthread_mutex_unlock(&pool->lock);
    if (!kept) destroy(object);
}
