/* The configuration, from config.json or GGUF metadata: see config.h. */
#include "reference/model/config.h"

#include "reference/checkpoint/gguf.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *lfm_architecture_name(enum lfm_architecture architecture)
{
    return architecture == LFM_ARCH_LFM2_MOE ? "lfm2_moe" : architecture == LFM_ARCH_LFM2 ? "lfm2" : "llama";
}

bool lfm_layer_is_moe(const struct lfm_config *config, size_t layer)
{
    return config->num_experts > 0 && layer >= config->num_dense_layers;
}

/* --- checks that hold whatever the container --- */

static enum lfm_status out_of_range(const char *name, const char *key, size_t value, size_t low, size_t high,
                                    struct lfm_error *error)
{
    return lfm_fail(error, LFM_ERROR_FORMAT, "%s: '%s' is %zu, expected %zu to %zu", name, key, value, low, high);
}

static enum lfm_status check_experts(const struct lfm_config *config, const char *name, struct lfm_error *error)
{
    if (config->architecture != LFM_ARCH_LFM2_MOE) return LFM_OK;
    if (config->num_experts == 0 || config->num_experts > LFM_MAX_EXPERTS)
        return out_of_range(name, "num_experts", config->num_experts, 1, LFM_MAX_EXPERTS, error);
    if (config->num_experts_per_tok == 0 || config->num_experts_per_tok > config->num_experts)
        return out_of_range(name, "num_experts_per_tok", config->num_experts_per_tok, 1, config->num_experts, error);
    if (config->moe_intermediate_size == 0 || config->moe_intermediate_size > 1u << 24)
        return out_of_range(name, "moe_intermediate_size", config->moe_intermediate_size, 1, 1u << 24, error);
    if (!isfinite(config->routed_scaling_factor))
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'routed_scaling_factor' must be finite", name);
    return LFM_OK;
}

static enum lfm_status check_config(const struct lfm_config *config, const char *name, struct lfm_error *error)
{
    const struct {
        const char *key;
        size_t value, high;
    } sizes[] = {
        {"hidden_size", config->hidden_size, 1u << 20},
        {"num_hidden_layers", config->num_hidden_layers, LFM_MAX_LAYERS},
        {"vocab_size", config->vocab_size, 1u << 24},
        {"max_position_embeddings", config->max_position_embeddings, 1u << 30},
        {"num_attention_heads", config->num_attention_heads, 1u << 14},
        {"num_key_value_heads", config->num_key_value_heads, 1u << 14},
        {"head_dim", config->head_dim, 1u << 14},
        {"intermediate_size", config->intermediate_size, 1u << 24},
        {"conv_L_cache", config->conv_l_cache, 64},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        if (sizes[i].value == 0 || sizes[i].value > sizes[i].high)
            return out_of_range(name, sizes[i].key, sizes[i].value, 1, sizes[i].high, error);
    if (config->num_attention_heads % config->num_key_value_heads != 0)
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: %zu attention heads cannot share %zu key/value heads evenly", name,
                        config->num_attention_heads, config->num_key_value_heads);
    if (config->head_dim % 2 != 0)
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'head_dim' is %zu, but rotation needs an even number", name,
                        config->head_dim);
    if (!(config->norm_eps > 0) || !(config->rope_theta > 0) || !isfinite(config->rope_theta))
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: norm_eps (%g) and rope_theta (%g) must be positive", name,
                        config->norm_eps, config->rope_theta);
    return check_experts(config, name, error);
}

/* --- Hugging Face --- */

static enum lfm_status hf_architecture(struct lfm_config *config, const cJSON *json, const char *name,
                                       struct lfm_error *error)
{
    const char *type;
    LFM_TRY(lfm_json_require_string(json, "model_type", name, &type, error));
    if (strcmp(type, "lfm2_moe") == 0)
        config->architecture = LFM_ARCH_LFM2_MOE;
    else if (strcmp(type, "lfm2") == 0)
        config->architecture = LFM_ARCH_LFM2;
    else if (strcmp(type, "llama") == 0)
        config->architecture = LFM_ARCH_LLAMA;
    else
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: model_type '%s' is not supported: expected lfm2_moe, lfm2 or llama",
                        name, type);
    return LFM_OK;
}

/* rope_scaling.rope_theta or rope_parameters.rope_theta, or the older rope_theta or theta at top level. As in transformers,
 * a rope_scaling that holds anything takes the place of rope_parameters. */
static enum lfm_status hf_rope(struct lfm_config *config, const cJSON *json, const char *name, struct lfm_error *error)
{
    config->rope_theta = config->architecture == LFM_ARCH_LLAMA ? 10000.0 : 1000000.0;
    LFM_TRY(lfm_json_optional_double(json, "theta", name, &config->rope_theta, error));
    LFM_TRY(lfm_json_optional_double(json, "rope_theta", name, &config->rope_theta, error));

    const cJSON *parameters = cJSON_GetObjectItemCaseSensitive(json, "rope_scaling");
    if (!cJSON_IsObject(parameters) || !parameters->child)
        parameters = cJSON_GetObjectItemCaseSensitive(json, "rope_parameters");
    if (!cJSON_IsObject(parameters)) return LFM_OK;
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(parameters, "rope_type");
    if (!type) type = cJSON_GetObjectItemCaseSensitive(parameters, "type");
    if (cJSON_IsString(type) && strcmp(type->valuestring, "default") != 0)
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: rope_type '%s' is not supported: expected 'default'", name,
                        type->valuestring);
    return lfm_json_optional_double(parameters, "rope_theta", name, &config->rope_theta, error);
}

static enum lfm_status hf_layer_types(struct lfm_config *config, const cJSON *json, const char *name,
                                      struct lfm_error *error)
{
    const cJSON *types = cJSON_GetObjectItemCaseSensitive(json, "layer_types");
    const cJSON *indices = cJSON_GetObjectItemCaseSensitive(json, "full_attn_idxs");
    const cJSON *item;
    size_t n = 0;
    if (config->architecture == LFM_ARCH_LLAMA || (!cJSON_IsArray(types) && !cJSON_IsArray(indices))) {
        if (config->architecture == LFM_ARCH_LFM2_MOE)
            return lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'layer_types' is missing", name);
        for (size_t l = 0; l < config->num_hidden_layers; l++) config->layer_types[l] = LFM_ATTENTION;
        return LFM_OK;
    }
    if (!cJSON_IsArray(types)) {
        for (size_t l = 0; l < config->num_hidden_layers; l++) config->layer_types[l] = LFM_CONV;
        cJSON_ArrayForEach(item, indices)
        {
            if (!cJSON_IsNumber(item) || item->valuedouble < 0 || item->valuedouble >= (double)config->num_hidden_layers)
                return lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'full_attn_idxs' must hold layer numbers below %zu", name,
                                config->num_hidden_layers);
            config->layer_types[(size_t)item->valuedouble] = LFM_ATTENTION;
        }
        return LFM_OK;
    }
    cJSON_ArrayForEach(item, types)
    {
        const char *type = cJSON_IsString(item) ? item->valuestring : "(not a string)";
        bool attention = strcmp(type, "full_attention") == 0;
        if (!attention && strcmp(type, "conv") != 0)
            return lfm_fail(error, LFM_ERROR_FORMAT, "%s: layer_types[%zu] is '%s', expected 'conv' or 'full_attention'",
                            name, n, type);
        if (n < config->num_hidden_layers) config->layer_types[n] = attention ? LFM_ATTENTION : LFM_CONV;
        n++;
    }
    if (n != config->num_hidden_layers)
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'layer_types' has %zu entries, expected %zu (num_hidden_layers)",
                        name, n, config->num_hidden_layers);
    return LFM_OK;
}

/* lfm2 states a width from which the real one follows: 2/3 of it, times a multiplier, rounded up. */
static enum lfm_status hf_adjust_width(struct lfm_config *config, const cJSON *json, const char *name,
                                       struct lfm_error *error)
{
    bool adjust = true;
    double multiplier = 1.0;
    size_t multiple_of = 256;
    LFM_TRY(lfm_json_optional_bool(json, "block_auto_adjust_ff_dim", name, &adjust, error));
    LFM_TRY(lfm_json_optional_double(json, "block_ffn_dim_multiplier", name, &multiplier, error));
    LFM_TRY(lfm_json_optional_size(json, "block_multiple_of", name, &multiple_of, error));
    if (!adjust) return LFM_OK;
    if (multiple_of == 0 || multiple_of > 1u << 20 || !(multiplier > 0) || multiplier > 1e6)
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: block_multiple_of (%zu) or block_ffn_dim_multiplier (%g) is out of range",
                        name, multiple_of, multiplier);
    size_t width = (size_t)(multiplier * (double)(2 * config->intermediate_size / 3));
    config->intermediate_size = (width + multiple_of - 1) / multiple_of * multiple_of;
    return LFM_OK;
}

static enum lfm_status hf_refuse_biases(const cJSON *json, const char *name, struct lfm_error *error)
{
    static const char *const keys[] = {"conv_bias", "attention_bias", "mlp_bias"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        bool set = false;
        LFM_TRY(lfm_json_optional_bool(json, keys[i], name, &set, error));
        if (set) return lfm_fail(error, LFM_ERROR_FORMAT, "%s: '%s' is true, but biases are not supported", name, keys[i]);
    }
    return LFM_OK;
}

/* Of LFM2 the activation is part of the architecture; llama models state theirs. */
static enum lfm_status hf_activation(const struct lfm_config *config, const cJSON *json, const char *name,
                                     struct lfm_error *error)
{
    const cJSON *activation = cJSON_GetObjectItemCaseSensitive(json, "hidden_act");
    if (config->architecture != LFM_ARCH_LLAMA || !cJSON_IsString(activation)) return LFM_OK;
    if (strcmp(activation->valuestring, "silu") == 0 || strcmp(activation->valuestring, "swish") == 0) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_FORMAT, "%s: hidden_act '%s' is not supported: expected 'silu'", name,
                    activation->valuestring);
}

static enum lfm_status hf_experts(struct lfm_config *config, const cJSON *json, const char *name, struct lfm_error *error)
{
    config->num_dense_layers = config->num_hidden_layers;
    if (config->architecture != LFM_ARCH_LFM2_MOE) return LFM_OK;
    config->norm_topk_prob = true;
    config->use_expert_bias = true;
    LFM_TRY(lfm_json_require_size(json, "num_dense_layers", name, &config->num_dense_layers, error));
    LFM_TRY(lfm_json_require_size(json, "num_experts", name, &config->num_experts, error));
    LFM_TRY(lfm_json_require_size(json, "num_experts_per_tok", name, &config->num_experts_per_tok, error));
    LFM_TRY(lfm_json_require_size(json, "moe_intermediate_size", name, &config->moe_intermediate_size, error));
    LFM_TRY(lfm_json_optional_bool(json, "norm_topk_prob", name, &config->norm_topk_prob, error));
    LFM_TRY(lfm_json_optional_bool(json, "use_expert_bias", name, &config->use_expert_bias, error));
    return lfm_json_optional_double(json, "routed_scaling_factor", name, &config->routed_scaling_factor, error);
}

static enum lfm_status read_hugging_face(struct lfm_config *config, const cJSON *json, const char *name,
                                         struct lfm_error *error)
{
    LFM_TRY(hf_architecture(config, json, name, error));
    LFM_TRY(hf_refuse_biases(json, name, error));
    LFM_TRY(hf_activation(config, json, name, error));
    LFM_TRY(lfm_json_require_size(json, "hidden_size", name, &config->hidden_size, error));
    LFM_TRY(lfm_json_require_size(json, "num_hidden_layers", name, &config->num_hidden_layers, error));
    LFM_TRY(lfm_json_require_size(json, "vocab_size", name, &config->vocab_size, error));
    LFM_TRY(lfm_json_require_size(json, "num_attention_heads", name, &config->num_attention_heads, error));
    config->num_key_value_heads = config->num_attention_heads;
    LFM_TRY(lfm_json_optional_size(json, "num_key_value_heads", name, &config->num_key_value_heads, error));
    if (config->num_attention_heads > 0) config->head_dim = config->hidden_size / config->num_attention_heads;
    LFM_TRY(lfm_json_optional_size(json, "head_dim", name, &config->head_dim, error));
    config->max_position_embeddings = config->architecture == LFM_ARCH_LLAMA ? 2048 : 128000;
    LFM_TRY(lfm_json_optional_size(json, "max_position_embeddings", name, &config->max_position_embeddings, error));
    LFM_TRY(lfm_json_optional_size(json, "intermediate_size", name, &config->intermediate_size, error));
    LFM_TRY(lfm_json_optional_size(json, "block_ff_dim", name, &config->intermediate_size, error));
    config->norm_eps = 1e-5;
    LFM_TRY(lfm_json_optional_double(json, config->architecture == LFM_ARCH_LLAMA ? "rms_norm_eps" : "norm_eps", name,
                                     &config->norm_eps, error));
    config->conv_l_cache = 3;
    LFM_TRY(lfm_json_optional_size(json, "conv_L_cache", name, &config->conv_l_cache, error));
    config->tie_word_embeddings = config->architecture != LFM_ARCH_LLAMA;
    /* LFM2's own key, tie_embedding, goes before the general one where both are there. */
    LFM_TRY(lfm_json_optional_bool(json, "tie_word_embeddings", name, &config->tie_word_embeddings, error));
    if (config->architecture != LFM_ARCH_LLAMA)
        LFM_TRY(lfm_json_optional_bool(json, "tie_embedding", name, &config->tie_word_embeddings, error));
    if (config->num_hidden_layers == 0 || config->num_hidden_layers > LFM_MAX_LAYERS)
        return out_of_range(name, "num_hidden_layers", config->num_hidden_layers, 1, LFM_MAX_LAYERS, error);
    if (config->intermediate_size > 1u << 24)
        return out_of_range(name, "intermediate_size", config->intermediate_size, 1, 1u << 24, error);
    LFM_TRY(hf_rope(config, json, name, error));
    LFM_TRY(hf_layer_types(config, json, name, error));
    if (config->architecture == LFM_ARCH_LFM2) LFM_TRY(hf_adjust_width(config, json, name, error));
    return hf_experts(config, json, name, error);
}

/* --- GGUF --- */

/* Metadata keys start with the architecture: "lfm2moe.block_count". */
struct gguf_keys {
    const struct lfm_gguf *gguf;
    const char *prefix;
    char key[96];
};

static const char *key(struct gguf_keys *keys, const char *suffix)
{
    snprintf(keys->key, sizeof keys->key, "%s.%s", keys->prefix, suffix);
    return keys->key;
}

static enum lfm_status gguf_architecture(struct lfm_config *config, struct gguf_keys *keys, struct lfm_error *error)
{
    static const struct {
        const char *name;
        enum lfm_architecture architecture;
    } known[] = {{"lfm2moe", LFM_ARCH_LFM2_MOE}, {"lfm2", LFM_ARCH_LFM2}, {"llama", LFM_ARCH_LLAMA}};
    const char *name;
    size_t length;
    LFM_TRY(lfm_gguf_string(keys->gguf, "general.architecture", &name, &length, NULL, error));
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strlen(known[i].name) == length && memcmp(known[i].name, name, length) == 0) {
            config->architecture = known[i].architecture;
            keys->prefix = known[i].name;
            return LFM_OK;
        }
    return lfm_fail(error, LFM_ERROR_FORMAT, "%s: architecture '%.*s' is not supported: expected lfm2moe, lfm2 or llama",
                    keys->gguf->path, (int)length, name);
}

/* head_count_kv: one number, or one per layer where 0 marks a conv layer. */
static enum lfm_status gguf_layer_types(struct lfm_config *config, struct gguf_keys *keys, struct lfm_error *error)
{
    const struct lfm_gguf_value *value = lfm_gguf_find(keys->gguf, key(keys, "attention.head_count_kv"));
    for (size_t l = 0; l < config->num_hidden_layers; l++) config->layer_types[l] = LFM_ATTENTION;
    config->num_key_value_heads = config->num_attention_heads;
    if (!value) return LFM_OK;
    if (value->type != LFM_GGUF_ARRAY)
        return lfm_gguf_size(keys->gguf, keys->key, &config->num_key_value_heads, NULL, error);
    if (value->count != config->num_hidden_layers)
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: '%s' has %llu entries, expected %zu (block_count)",
                        keys->gguf->path, keys->key, (unsigned long long)value->count, config->num_hidden_layers);
    double shared = 0;
    for (size_t l = 0; l < config->num_hidden_layers; l++) {
        double heads;
        LFM_TRY(lfm_gguf_element(value, l, &heads, error));
        if (heads < 0 || heads > (double)config->num_attention_heads || (heads > 0 && shared > 0 && heads != shared))
            return lfm_fail(error, LFM_ERROR_FORMAT, "%s: '%s'[%zu] is %g; lfmscope needs 0 or one number for all layers",
                            keys->gguf->path, keys->key, l, heads);
        if (heads > 0) shared = heads;
        config->layer_types[l] = heads > 0 ? LFM_ATTENTION : LFM_CONV;
    }
    if (shared > 0) config->num_key_value_heads = (size_t)shared;
    return LFM_OK;
}

/* The dense width may be one number or an array that repeats it. */
static enum lfm_status gguf_width(size_t *out, struct gguf_keys *keys, const char *suffix, struct lfm_error *error)
{
    const struct lfm_gguf_value *value = lfm_gguf_find(keys->gguf, key(keys, suffix));
    if (!value || value->type != LFM_GGUF_ARRAY) return lfm_gguf_size(keys->gguf, keys->key, out, NULL, error);
    double largest = 0;
    for (uint64_t i = 0; i < value->count; i++) {
        double width;
        LFM_TRY(lfm_gguf_element(value, i, &width, error));
        if (width > largest) largest = width;
    }
    if (!(largest > 0) || largest > 1 << 24)
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: '%s' is out of range", keys->gguf->path, keys->key);
    *out = (size_t)largest;
    return LFM_OK;
}

static enum lfm_status gguf_experts(struct lfm_config *config, struct gguf_keys *keys, struct lfm_error *error)
{
    const struct lfm_gguf *gguf = keys->gguf;
    bool found;
    size_t gating = 2;
    config->num_dense_layers = config->num_hidden_layers;
    if (config->architecture == LFM_ARCH_LLAMA) {
        size_t experts = 0;
        LFM_TRY(lfm_gguf_size(gguf, key(keys, "expert_count"), &experts, &found, error));
        if (experts > 0)
            return lfm_fail(error, LFM_ERROR_FORMAT, "%s: llama models with experts are not supported", gguf->path);
    }
    if (config->architecture != LFM_ARCH_LFM2_MOE) return LFM_OK;
    config->norm_topk_prob = true;
    config->num_dense_layers = 0;
    LFM_TRY(gguf_width(&config->num_experts, keys, "expert_count", error));
    LFM_TRY(gguf_width(&config->num_experts_per_tok, keys, "expert_used_count", error));
    LFM_TRY(gguf_width(&config->moe_intermediate_size, keys, "expert_feed_forward_length", error));
    LFM_TRY(lfm_gguf_size(gguf, key(keys, "leading_dense_block_count"), &config->num_dense_layers, &found, error));
    LFM_TRY(lfm_gguf_size(gguf, key(keys, "expert_gating_func"), &gating, &found, error));
    if (gating != 2)
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: '%s' is %zu, expected 2 (sigmoid)", gguf->path, keys->key, gating);
    LFM_TRY(lfm_gguf_bool(gguf, key(keys, "expert_weights_norm"), &config->norm_topk_prob, &found, error));
    return lfm_gguf_double(gguf, key(keys, "expert_weights_scale"), &config->routed_scaling_factor, &found, error);
}

static enum lfm_status gguf_rope(struct lfm_config *config, struct gguf_keys *keys, struct lfm_error *error)
{
    bool found;
    const char *scaling;
    size_t length;
    size_t rotated = config->head_dim;
    config->rope = config->architecture == LFM_ARCH_LLAMA ? LFM_ROPE_NEIGHBOURS : LFM_ROPE_HALVES;
    config->rope_theta = 10000.0;
    LFM_TRY(lfm_gguf_double(keys->gguf, key(keys, "rope.freq_base"), &config->rope_theta, &found, error));
    LFM_TRY(lfm_gguf_size(keys->gguf, key(keys, "rope.dimension_count"), &rotated, &found, error));
    if (rotated != config->head_dim)
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: '%s' is %zu, expected the whole head (%zu)", keys->gguf->path,
                        keys->key, rotated, config->head_dim);
    LFM_TRY(lfm_gguf_string(keys->gguf, key(keys, "rope.scaling.type"), &scaling, &length, &found, error));
    if (found && !(length == 4 && memcmp(scaling, "none", 4) == 0))
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: '%s' is '%.*s', expected 'none'", keys->gguf->path, keys->key,
                        (int)length, scaling);
    return LFM_OK;
}

static enum lfm_status gguf_vocab_size(struct lfm_config *config, struct gguf_keys *keys,
                                       const struct lfm_checkpoint *checkpoint)
{
    bool found;
    const struct lfm_tensor *embedding = lfm_checkpoint_find(checkpoint, "token_embd.weight");
    if (embedding && embedding->n_dimensions == 2) config->vocab_size = embedding->shape[0];
    if (config->vocab_size == 0) lfm_gguf_size(keys->gguf, key(keys, "vocab_size"), &config->vocab_size, &found, NULL);
    return LFM_OK;
}

static enum lfm_status read_gguf(struct lfm_config *config, const struct lfm_checkpoint *checkpoint,
                                 struct lfm_error *error)
{
    struct gguf_keys keys = {.gguf = checkpoint->gguf};
    const struct lfm_gguf *gguf = keys.gguf;
    bool found, causal = true;
    size_t window = 0;
    LFM_TRY(gguf_architecture(config, &keys, error));
    LFM_TRY(lfm_gguf_size(gguf, key(&keys, "block_count"), &config->num_hidden_layers, NULL, error));
    if (config->num_hidden_layers == 0 || config->num_hidden_layers > LFM_MAX_LAYERS)
        return out_of_range(gguf->path, keys.key, config->num_hidden_layers, 1, LFM_MAX_LAYERS, error);
    LFM_TRY(lfm_gguf_size(gguf, key(&keys, "context_length"), &config->max_position_embeddings, NULL, error));
    LFM_TRY(lfm_gguf_size(gguf, key(&keys, "embedding_length"), &config->hidden_size, NULL, error));
    LFM_TRY(gguf_width(&config->intermediate_size, &keys, "feed_forward_length", error));
    LFM_TRY(gguf_width(&config->num_attention_heads, &keys, "attention.head_count", error));
    LFM_TRY(gguf_layer_types(config, &keys, error));
    if (config->num_attention_heads > 0) config->head_dim = config->hidden_size / config->num_attention_heads;
    LFM_TRY(lfm_gguf_size(gguf, key(&keys, "attention.key_length"), &config->head_dim, &found, error));
    LFM_TRY(lfm_gguf_double(gguf, key(&keys, "attention.layer_norm_rms_epsilon"), &config->norm_eps, NULL, error));
    LFM_TRY(lfm_gguf_bool(gguf, key(&keys, "attention.causal"), &causal, &found, error));
    LFM_TRY(lfm_gguf_size(gguf, key(&keys, "attention.sliding_window"), &window, &found, error));
    if (!causal || window > 0)
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: non-causal and sliding-window attention are not supported", gguf->path);
    config->conv_l_cache = 3;
    if (config->architecture != LFM_ARCH_LLAMA)
        LFM_TRY(lfm_gguf_size(gguf, key(&keys, "shortconv.l_cache"), &config->conv_l_cache, NULL, error));
    config->tie_word_embeddings = lfm_checkpoint_find(checkpoint, "output.weight") == NULL;
    LFM_TRY(gguf_vocab_size(config, &keys, checkpoint));
    LFM_TRY(gguf_rope(config, &keys, error));
    return gguf_experts(config, &keys, error);
}

/* Of a GGUF the tensors tell whether the routers have a bias: there is no key for it. */
static void gguf_find_bias(struct lfm_config *config, const struct lfm_checkpoint *checkpoint)
{
    if (config->num_experts > 0)
        config->use_expert_bias =
            lfm_checkpoint_find(checkpoint, "blk.%zu.exp_probs_b.bias", config->num_dense_layers) != NULL;
}

enum lfm_status lfm_config_read(struct lfm_config *config, const struct lfm_checkpoint *checkpoint,
                                struct lfm_error *error)
{
    *config = (struct lfm_config){.routed_scaling_factor = 1.0};
    if (checkpoint->container == LFM_GGUF) {
        LFM_TRY(read_gguf(config, checkpoint, error));
        gguf_find_bias(config, checkpoint);
        return check_config(config, checkpoint->path, error);
    }
    char name[512];
    snprintf(name, sizeof name, "%s/config.json", checkpoint->path);
    LFM_TRY(read_hugging_face(config, checkpoint->config, name, error));
    return check_config(config, name, error);
}
