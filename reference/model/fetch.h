/* Asking for memory before it is read, where the processor does not see what comes next. */
#ifndef LFM_MODEL_FETCH_H
#define LFM_MODEL_FETCH_H

#include <stddef.h>
#include <stdint.h>

/* The lines that begin in these bytes, so that successive calls ask for each once. Any address will do. A processor keeps a
 * few tens of requests and drops others: ask for little at a time. */
static inline __attribute__((always_inline)) void lfm_fetch(const uint8_t *at, size_t bytes)
{
    enum { LINE = 64 };
    const uint8_t *end = at + bytes;
    for (at += -(uintptr_t)at % LINE; at < end; at += LINE) __builtin_prefetch(at);
}

#endif
