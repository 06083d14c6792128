/* Summaries of attention weights, from queries and cached keys: the forward pass streams over the keys in blocks and
 * never has the weights themselves. */
#ifndef LFM_TRACE_ATTENTION_WEIGHTS_H
#define LFM_TRACE_ATTENTION_WEIGHTS_H

#include "reference/base/error.h"
#include "reference/model/kv.h"
#include "reference/trace/ranges.h"

#include <stddef.h>
#include <stdint.h>

/* Queries q[n, H*A] of tokens that stand at first_position, first_position + 1, ..., and the keys of all tokens up to
 * them. */
struct lfm_attention_queries {
    const float *q;
    const struct lfm_kv *keys; /* [first_position + n or more, G*A], as stored: what the forward pass reads */
    size_t first_position, n;
    size_t H, G, A;
    const struct lfm_ranges *spans; /* S of them */
};

struct lfm_attention_summary {
    float *entropy;    /* [n,H] -sum_j w_j ln w_j, in nats, 0 ln 0 = 0 */
    float *largest;    /* [n,H] max_j w_j */
    int32_t *position; /* [n,H] the first j where it is */
    float *span_mass;  /* [n,H,S] sum of w_j over the positions j of a span that the token sees */
};

/* w_j = softmax_j(q . k_j / sqrt(A)) over the positions 0 .. p of a token at p, query head h with key head h / (H/G),
 * in double from the values as they are stored. MODEL.md 4. Scratch memory is that of one head's keys and of one
 * token's scores per thread. The results do not depend on the number of threads. */
enum lfm_status lfm_attention_summarize(const struct lfm_attention_summary *out,
                                        const struct lfm_attention_queries *queries, struct lfm_error *error);

#endif
