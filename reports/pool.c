/* A pool of memory with one release: see pool.h. */
#include "reports/pool.h"

#include "reference/base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER = 64 }; /* keeps the alignment that lfm_alloc gives; holds the link to the block before */

void *lfm_pool_alloc(struct lfm_pool *pool, size_t count, size_t size)
{
    unsigned char *block;
    if (size != 0 && count > (SIZE_MAX - HEADER) / size) {
        pool->status = lfm_fail(&pool->error, LFM_ERROR_MEMORY, "cannot allocate %zu elements of %zu bytes", count,
                                size);
        return NULL;
    }
    struct lfm_error error;
    enum lfm_status status = lfm_alloc((void **)&block, count * size + HEADER, 1, &error);
    if (status != LFM_OK) {
        if (pool->status == LFM_OK) pool->error = error;
        pool->status = status;
        return NULL;
    }
    memcpy(block, &pool->newest, sizeof pool->newest);
    pool->newest = block;
    return block + HEADER;
}

void *lfm_pool_grow(struct lfm_pool *pool, void *array, size_t *capacity, size_t needed, size_t size)
{
    if (array && needed <= *capacity) return array;
    size_t target = *capacity ? *capacity : 8;
    while (target < needed) target = target > SIZE_MAX / 2 ? needed : target * 2;
    void *larger = lfm_pool_alloc(pool, target, size);
    if (!larger) return NULL;
    if (array) memcpy(larger, array, *capacity * size);
    *capacity = target;
    return larger;
}

const char *lfm_pool_printf(struct lfm_pool *pool, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = length < 0 ? NULL : lfm_pool_alloc(pool, (size_t)length + 1, 1);
    if (!text) return "";
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

enum lfm_status lfm_pool_check(const struct lfm_pool *pool, struct lfm_error *error)
{
    if (pool->status != LFM_OK && error) *error = pool->error;
    return pool->status;
}

void lfm_pool_release(struct lfm_pool *pool)
{
    while (pool->newest) {
        void *before;
        memcpy(&before, pool->newest, sizeof before);
        free(pool->newest);
        pool->newest = before;
    }
    pool->status = LFM_OK;
}
