/* Asking for memory before it is read, where the processor does not see what comes next. */
#ifndef LFM_MODEL_FETCH_H
#define LFM_MODEL_FETCH_H

#include <stddef.h>
#include <stdint.h>

/* Any address will do. The bytes of successive calls follow each other: a part of a line is rounded away or up to one. A
 * processor keeps a few tens of requests and drops others: ask for little at a time. */
static inline __attribute__((always_inline)) void lfm_fetch(const uint8_t *at, size_t bytes)
{
    enum { LINE = 64 };
    for (size_t i = 0; i + LINE / 2 <= bytes; i += LINE) __builtin_prefetch(at + i);
}

#endif
