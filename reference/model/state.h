/* The state of one sequence: keys and values of the attention layers, last columns of the conv layers. */
#ifndef LFM_MODEL_STATE_H
#define LFM_MODEL_STATE_H

#include "reference/base/error.h"
#include "reference/model/kv.h"
#include "reference/model/model.h"

#include <stddef.h>

struct lfm_layer_state {
    struct lfm_kv keys, values; /* attention: [capacity, G*A] in the model's cache format, rotated keys */
    float *conv;                /* conv: [L-1, D], the last L-1 rows of B*x, oldest first, FP32 */
};

struct lfm_state {
    const struct lfm_model *model; /* borrowed */
    size_t n_past;                 /* tokens seen */
    size_t capacity;               /* tokens the caches have room for; grows as needed */
    struct lfm_layer_state *layers;
};

/* An empty state. It grows up to max_position_embeddings. */
enum lfm_status lfm_state_new(struct lfm_state **out, const struct lfm_model *model, struct lfm_error *error);
void lfm_state_free(struct lfm_state *state); /* NULL is fine */
/* Forgets all tokens and keeps the memory. */
void lfm_state_clear(struct lfm_state *state);
/* Makes *to, a state of the same model, equal to *from: a prompt computed once can be continued many ways. */
enum lfm_status lfm_state_copy(struct lfm_state *to, const struct lfm_state *from, struct lfm_error *error);
/* Makes room for n more tokens; fails when the model's context would be exceeded. */
enum lfm_status lfm_state_reserve(struct lfm_state *state, size_t n, struct lfm_error *error);

/* What it takes to come back to a moment: how many tokens had been seen, and the conv layers' columns, which what follows
 * overwrites. Begins as {0}; belongs to states of one model. */
struct lfm_mark {
    size_t n_past;
    float *conv; /* [conv layers, L-1, D] */
};
enum lfm_status lfm_mark_set(struct lfm_mark *mark, const struct lfm_state *state, struct lfm_error *error);
void lfm_mark_release(struct lfm_mark *mark);
/* Forgets tokens until at most n are left, a number from the mark's on: n are left where all layers are attention, otherwise
 * as many as at the mark. Does nothing to a state of at most n tokens. */
void lfm_state_go_back(struct lfm_state *state, const struct lfm_mark *mark, size_t n);

/* Bytes that the state of a sequence of `context` tokens holds: keys and values, and the conv layers' columns. */
struct lfm_state_bytes {
    size_t kv_cache, conv_state;
};
struct lfm_state_bytes lfm_state_bytes(const struct lfm_model *model, size_t context);

#endif
