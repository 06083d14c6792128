/* A pool: everything a report is made of, released at once.
 *
 * Failure is sticky: a function that finds memory short returns a harmless value (NULL, "") and leaves the status in
 * the pool, so that building content reads as prose and is checked once at the end. */
#ifndef LFM_REPORTS_POOL_H
#define LFM_REPORTS_POOL_H

#include "reference/base/error.h"

#include <stddef.h>

struct lfm_pool {
    void *newest;           /* the last block allocated, linked to those before it */
    enum lfm_status status; /* LFM_OK until something fails; the first failure stays */
    struct lfm_error error; /* what failed */
};

/* count*size zeroed bytes that live as long as the pool; NULL when memory is short. */
void *lfm_pool_alloc(struct lfm_pool *pool, size_t count, size_t size);

/* The array with room for at least `needed` elements: the same one, or a larger copy. NULL when memory is short. */
void *lfm_pool_grow(struct lfm_pool *pool, void *array, size_t *capacity, size_t needed, size_t size);

/* Formatted text that lives as long as the pool; "" when memory is short. */
const char *lfm_pool_printf(struct lfm_pool *pool, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The pool's status, its message copied to *error. */
enum lfm_status lfm_pool_check(const struct lfm_pool *pool, struct lfm_error *error);

/* Frees everything; the pool is empty and usable again. */
void lfm_pool_release(struct lfm_pool *pool);

#endif
