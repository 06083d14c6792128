/* Checked allocation: see memory.h. */
#include "reference/base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum lfm_status lfm_alloc(void **out, size_t count, size_t size, struct lfm_error *error)
{
    *out = NULL;
    if (size != 0 && count > (SIZE_MAX - 64) / size)
        return lfm_fail(error, LFM_ERROR_MEMORY, "cannot allocate %zu elements of %zu bytes: the size overflows",
                        count, size);
    size_t bytes = (count * size + 63) / 64 * 64;
    if (bytes == 0) bytes = 64;
    void *memory = aligned_alloc(64, bytes);
    if (!memory) return lfm_fail(error, LFM_ERROR_MEMORY, "cannot allocate %zu bytes: out of memory", bytes);
    memset(memory, 0, bytes);
    *out = memory;
    return LFM_OK;
}

enum lfm_status lfm_grow(void **array, size_t *capacity, size_t needed, size_t size, struct lfm_error *error)
{
    if (needed <= *capacity) return LFM_OK;
    size_t target = *capacity < 16 ? 16 : *capacity;
    while (target < needed) {
        if (target > SIZE_MAX / 2) {
            target = needed;
            break;
        }
        target *= 2;
    }
    if (size != 0 && target > SIZE_MAX / size)
        return lfm_fail(error, LFM_ERROR_MEMORY, "cannot grow to %zu elements of %zu bytes: the size overflows",
                        needed, size);
    void *memory = realloc(*array, target * size);
    if (!memory) return lfm_fail(error, LFM_ERROR_MEMORY, "cannot allocate %zu bytes: out of memory", target * size);
    *array = memory;
    *capacity = target;
    return LFM_OK;
}

enum lfm_status lfm_copy_string(char **out, const char *text, size_t length, struct lfm_error *error)
{
    LFM_TRY(lfm_alloc((void **)out, length + 1, 1, error));
    memcpy(*out, text, length);
    return LFM_OK;
}
