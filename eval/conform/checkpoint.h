/* The checkpoint of a conformance pack: a tiny lfm2_moe with random weights, as a Hugging Face directory and as GGUF.
 *
 * Five layers (conv, conv, attention, conv, attention), the first with a dense feed-forward, the others with 8 experts of
 * which 3 are chosen; hidden_size 64, head_dim 16, rope_theta 5e6, and the 2,048 tokens of the demo model's tokenizer. All
 * weights are stored in F32 and are values of bf16, so that runtimes of either type start from the same numbers; the
 * biases of the experts are F32.
 *
 * Element i of tensor n is scale * sqrt(3) * (u1 + u2 + u3 + u4 - 2), rounded to bf16, where u1 .. u4 are the four
 * 16-bit parts of a hash of (seed, n, i), divided by 65,536: integers only, so that it is the same everywhere. */
#ifndef LFM_EVAL_CONFORM_CHECKPOINT_H
#define LFM_EVAL_CONFORM_CHECKPOINT_H

#include "reference/base/error.h"
#include "reference/model/config.h"
#include "reference/model/model.h"

#include <stdint.h>

/* What every pack's checkpoint has in common. */
void lfm_pack_config(struct lfm_config *config);

/* A hash of the seed, a stream and a counter: every bit depends on all three. */
uint64_t lfm_pack_hash(uint64_t seed, uint64_t stream, uint64_t counter);

/* bias[E] of a layer before it is tuned: the values -0.3 .. 0.3 in even steps, in an order that the seed decides. */
void lfm_pack_bias(float *bias, size_t n_experts, uint64_t seed, size_t layer);

/* Writes config.json, the tokenizer's files and model.safetensors into the existing directory. `biases` [layers, E] are
 * those of the experts; rows of dense layers are not looked at. */
enum lfm_status lfm_pack_write_directory(const char *directory, uint64_t seed, const float *biases,
                                         struct lfm_error *error);

/* Writes the same tensors, in F32, as a GGUF file. */
enum lfm_status lfm_pack_write_gguf(const char *path, const struct lfm_model *model, struct lfm_error *error);

#endif
