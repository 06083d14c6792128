/* Grouped-query attention over the cached keys and values. */
#ifndef LFM_MODEL_ATTENTION_H
#define LFM_MODEL_ATTENTION_H

#include "reference/model/kv.h"

#include <stddef.h>

/* The tokens of one sequence: out[T,H*A], q[T,H*A] and its caches [n_past + T, G*A]. */
struct lfm_attention_part {
    float *out;
    const float *q;
    const struct lfm_kv *keys, *values;
    size_t T, n_past;
};

/* Causal grouped-query attention of several sequences. MODEL.md 4
 * out = softmax(q keys^T / sqrt(A)) values; token t sees the first n_past + t + 1 rows, query head h reads key head
 * h / (H/G).
 *
 * Streams over the cache in blocks of 64 keys that begin at multiples of 64, keeping for every (token, head) the largest
 * score so far and sums relative to it: no scores are kept beyond a block. The order of every sum follows from the
 * positions alone, so results are the same bits for any number of threads and however the tokens are split over calls.
 * room: scratch of lfm_attention_room floats, zero before its first use. */
void lfm_attention(const struct lfm_attention_part *parts, size_t n_parts, size_t H, size_t G, size_t A, float *room);
size_t lfm_attention_room(size_t H, size_t G, size_t A);

#endif
