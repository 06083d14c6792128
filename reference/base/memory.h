/* Checked allocation. Everything is released with free(). */
#ifndef LFM_BASE_MEMORY_H
#define LFM_BASE_MEMORY_H

#include "reference/base/error.h"

#include <stddef.h>

/* Allocates count*size zeroed bytes, aligned to 64 (a cache line, an AVX-512 register), into *out.
 * Fails on overflow and when memory is short; *out is NULL then. count 0 gives a valid pointer. */
enum lfm_status lfm_alloc(void **out, size_t count, size_t size, struct lfm_error *error);

/* Grows *array (of *capacity elements of `size` bytes) so that it holds at least `needed`, at least doubling.
 * Contents are kept, new bytes are not initialised. On failure the array is unchanged. */
enum lfm_status lfm_grow(void **array, size_t *capacity, size_t needed, size_t size, struct lfm_error *error);

/* A copy of `length` bytes of text with a terminating zero. */
enum lfm_status lfm_copy_string(char **out, const char *text, size_t length, struct lfm_error *error);

/* LFM_ALLOC(&pointer, count, error): lfm_alloc for a typed pointer. */
#define LFM_ALLOC(pointer, count, error) \
    lfm_alloc((void **)(pointer), (count), sizeof **(pointer), (error))
#define LFM_GROW(array, capacity, needed, error) \
    lfm_grow((void **)(array), (capacity), (needed), sizeof **(array), (error))

#endif
