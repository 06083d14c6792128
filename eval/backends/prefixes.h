/* Beginnings of prompts that were computed before: copies of states, by the tokens they have seen. */
#ifndef LFM_EVAL_BACKENDS_PREFIXES_H
#define LFM_EVAL_BACKENDS_PREFIXES_H

#include "reference/base/error.h"
#include "reference/model/state.h"

#include <stddef.h>
#include <stdint.h>

struct lfm_prefixes;

/* A store of at most `budget` bytes of states; the least recently used go first. The model is borrowed. */
enum lfm_status lfm_prefixes_new(struct lfm_prefixes **out, const struct lfm_model *model, size_t budget,
                                 struct lfm_error *error);
void lfm_prefixes_free(struct lfm_prefixes *prefixes); /* NULL is fine */

/* The state of the longest stored sequence that `tokens` begin with, of at most n tokens: borrowed until the next
 * lfm_prefixes_keep. NULL when there is none. */
const struct lfm_state *lfm_prefixes_find(struct lfm_prefixes *prefixes, const int32_t *tokens, size_t n);

/* How many of the n tokens some stored sequence has in common with them, from the first on. */
size_t lfm_prefixes_shared(const struct lfm_prefixes *prefixes, const int32_t *tokens, size_t n);

/* Stores a copy of a state and of the state->n_past tokens it has seen. What does not fit, or finds no memory, is not
 * stored. */
void lfm_prefixes_keep(struct lfm_prefixes *prefixes, const int32_t *tokens, const struct lfm_state *state);

/* How many tokens two sequences have in common, from the first on. */
size_t lfm_common_prefix(const int32_t *a, size_t n_a, const int32_t *b, size_t n_b);

#endif
