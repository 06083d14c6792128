/* The model's configuration: what config.json or GGUF metadata say, checked. Names as in Hugging Face's config. */
#ifndef LFM_MODEL_CONFIG_H
#define LFM_MODEL_CONFIG_H

#include "reference/base/error.h"
#include "reference/base/json.h"
#include "reference/checkpoint/checkpoint.h"

#include <stdbool.h>
#include <stddef.h>

enum lfm_architecture { LFM_ARCH_LFM2, LFM_ARCH_LFM2_MOE, LFM_ARCH_LLAMA };
enum lfm_operator { LFM_CONV, LFM_ATTENTION };
enum lfm_rope { LFM_ROPE_HALVES, LFM_ROPE_NEIGHBOURS }; /* rotate i with i + head_dim/2, or 2i with 2i + 1 */

enum { LFM_MAX_LAYERS = 512, LFM_MAX_EXPERTS = 1024 };

/* Dimension letters used in shapes everywhere: T tokens, D hidden_size, H num_attention_heads,
 * G num_key_value_heads, A head_dim, F intermediate_size, M moe_intermediate_size, E num_experts,
 * K num_experts_per_tok, L conv_L_cache, V vocab_size. */
struct lfm_config {
    enum lfm_architecture architecture;
    size_t hidden_size, num_hidden_layers, vocab_size, max_position_embeddings;
    size_t num_attention_heads, num_key_value_heads, head_dim;
    size_t intermediate_size;     /* of the dense FFN, after lfm2's adjustment */
    size_t conv_l_cache;          /* taps of the short convolution */
    size_t num_dense_layers;      /* layers below are dense; num_hidden_layers for dense models */
    size_t num_experts, num_experts_per_tok, moe_intermediate_size; /* 0 for dense models */
    bool norm_topk_prob, use_expert_bias, tie_word_embeddings;
    double routed_scaling_factor;
    double norm_eps, rope_theta;
    enum lfm_rope rope;
    enum lfm_operator layer_types[LFM_MAX_LAYERS];
};

/* Reads and checks the configuration of an open checkpoint. */
enum lfm_status lfm_config_read(struct lfm_config *config, const struct lfm_checkpoint *checkpoint, struct lfm_error *error);

/* "lfm2_moe", "lfm2", "llama". */
const char *lfm_architecture_name(enum lfm_architecture architecture);

/* The configuration as the program understood it, with Hugging Face's keys, whatever the checkpoint's container. The
 * caller deletes. */
cJSON *lfm_config_json(const struct lfm_config *config);

/* True when layer l has experts. */
bool lfm_layer_is_moe(const struct lfm_config *config, size_t layer);

#endif
