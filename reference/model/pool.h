/* Objects that are expensive to make and used again: taken by one thread at a time, given back when done. */
#ifndef LFM_MODEL_POOL_H
#define LFM_MODEL_POOL_H

#include "reference/base/error.h"

struct lfm_pool;

/* An empty pool. Freeing it destroys what it holds. */
enum lfm_status lfm_pool_new(struct lfm_pool **out, struct lfm_error *error);
void lfm_pool_free(struct lfm_pool *pool); /* NULL is fine */

/* An object that was given and not taken since, or NULL when there is none. */
void *lfm_pool_take(struct lfm_pool *pool);
/* Gives an object to the pool, whose objects are all destroyed by the same function; at once when it is full. */
void lfm_pool_give(struct lfm_pool *pool, void *object, void (*destroy)(void *object));

#endif
