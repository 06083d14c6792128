/* Choosing the next token. */
#ifndef LFM_MODEL_SAMPLE_H
#define LFM_MODEL_SAMPLE_H

#include "reference/base/error.h"

#include <stddef.h>
#include <stdint.h>

struct lfm_sampling {
    double temperature;        /* 0: greedy, ties to the lower id */
    size_t top_k;              /* 0: off */
    double top_p;              /* 1: off */
    double min_p;              /* 0: off */
    double repetition_penalty; /* 1: off */
    uint64_t seed;
};

/* Fails for values out of range, naming the option. */
enum lfm_status lfm_sampling_check(const struct lfm_sampling *sampling, struct lfm_error *error);

struct lfm_sampler; /* parameters, random state and scratch memory for one sequence */

enum lfm_status lfm_sampler_new(struct lfm_sampler **out, const struct lfm_sampling *sampling, size_t vocab_size,
                                struct lfm_error *error);
void lfm_sampler_free(struct lfm_sampler *sampler); /* NULL is fine */

/* Chooses the next token from logits[V]; `history` holds the n_history ids so far (prompt included), for the
 * repetition penalty. In this order: penalty, temperature, top-k, top-p, min-p, draw. Logits are not changed. */
enum lfm_status lfm_sample(struct lfm_sampler *sampler, const float *logits, const int32_t *history, size_t n_history,
                           int32_t *token, struct lfm_error *error);

#endif
