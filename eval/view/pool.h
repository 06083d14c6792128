/* Texts that many samples share (a system prompt, the tools, the prompt of two runs), each kept once. */
#ifndef LFM_EVAL_VIEW_POOL_H
#define LFM_EVAL_VIEW_POOL_H

#include "reference/base/error.h"

#include <stddef.h>
#include <stdint.h>

struct lfm_text_pool {
    char **texts;   /* owned: in the order in which they came */
    size_t count, capacity;
    size_t *places; /* owned: 1 + index of a text, 0 where free; open addressing */
    size_t n_places;
};

/* The index of a text equal to this one, which is added when there is none. Zero-initialise the pool before. */
enum lfm_status lfm_text_pool_add(struct lfm_text_pool *pool, const char *text, size_t *index, struct lfm_error *error);
void lfm_text_pool_release(struct lfm_text_pool *pool);

#endif
