/* The forward pass. There is one: prefill and decode are the same code with many tokens or one. */
#ifndef LFM_MODEL_FORWARD_H
#define LFM_MODEL_FORWARD_H

#include "reference/base/error.h"
#include "reference/model/model.h"
#include "reference/model/observer.h"
#include "reference/model/state.h"

#include <stddef.h>
#include <stdint.h>

/* One sequence of a batch: its state, the tokens to append to it, and where their results go. */
struct lfm_sequence {
    struct lfm_state *state;
    const int32_t *tokens; /* [n_tokens] */
    size_t n_tokens;       /* at least 1 */
    float *hidden;         /* [n_tokens,D]: the stream after the final norm, ready for lfm_logits; may be NULL */
};

/* Runs the tokens of several sequences together, so that weights are read once for all of them, and appends them to
 * their states. Results are the same bits as those of every sequence run alone. Tokens go through the layers in pieces
 * of at most 512, whatever sequences they belong to; an announcement to the observer (which may be NULL) covers tokens
 * of one sequence. The states must be distinct. Fails, before anything is computed, on ids outside the vocabulary and
 * beyond the model's context length. */
enum lfm_status lfm_forward_batch(const struct lfm_model *model, struct lfm_sequence *sequences, size_t n_sequences,
                                  const struct lfm_observer *observer, struct lfm_error *error);

/* The same for one sequence of T tokens. */
enum lfm_status lfm_forward(const struct lfm_model *model, struct lfm_state *state, const int32_t *tokens, size_t T,
                            const struct lfm_observer *observer, float *hidden, struct lfm_error *error);

/* logits[T,V] = lm_head . hidden[T,D] */
enum lfm_status lfm_logits(const struct lfm_model *model, const float *hidden, size_t T, float *logits,
                           struct lfm_error *error);

#endif
