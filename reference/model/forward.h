/* The forward pass. There is one: prefill and decode are the same code with many tokens or one. */
#ifndef LFM_MODEL_FORWARD_H
#define LFM_MODEL_FORWARD_H

#include "reference/base/error.h"
#include "reference/model/model.h"
#include "reference/model/observer.h"
#include "reference/model/state.h"

#include <stddef.h>
#include <stdint.h>

/* Runs T tokens after those the state has seen and appends them to it.
 * hidden[T,D] receives the stream after the final norm, ready for lfm_logits; it may be NULL.
 * `observer` may be NULL. Long inputs are cut into pieces of at most 512 tokens, so an announcement covers at most
 * that many. Fails on ids outside the vocabulary and beyond the model's context length. */
enum lfm_status lfm_forward(const struct lfm_model *model, struct lfm_state *state, const int32_t *tokens, size_t T,
                            const struct lfm_observer *observer, float *hidden, struct lfm_error *error);

/* logits[T,V] = lm_head . hidden[T,D] */
enum lfm_status lfm_logits(const struct lfm_model *model, const float *hidden, size_t T, float *logits,
                           struct lfm_error *error);

#endif
