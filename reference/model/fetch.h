/* Asking for memory before it is read, where the processor does not see what comes next. */
#ifndef LFM_MODEL_FETCH_H
#define LFM_MODEL_FETCH_H

#include <stddef.h>
#include <stdint.h>

/* Asks for `bytes` bytes from `at` on, or, called for one piece after another, for all lines of the whole: a request for every
 * 64 bytes, wherever lines begin. Any address will do. A processor keeps a few tens of requests: ask for little at a time. */
static inline __attribute__((always_inline)) void lfm_fetch(const uint8_t *at, size_t bytes)
{
    enum { LINE = 64 };
    for (size_t i = 0; i < bytes; i += LINE) __builtin_prefetch(at + i);
}

#endif
