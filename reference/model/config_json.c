/* The configuration as JSON: see config.h. */
#include "reference/model/config.h"

static cJSON *layer_types(const struct lfm_config *config)
{
    cJSON *types = cJSON_CreateArray();
    for (size_t layer = 0; layer < config->num_hidden_layers; layer++)
        cJSON_AddItemToArray(types,
                             cJSON_CreateString(config->layer_types[layer] == LFM_CONV ? "conv" : "full_attention"));
    return types;
}

cJSON *lfm_config_json(const struct lfm_config *config)
{
    const struct {
        const char *key;
        size_t value;
    } sizes[] = {
        {"hidden_size", config->hidden_size},
        {"num_hidden_layers", config->num_hidden_layers},
        {"vocab_size", config->vocab_size},
        {"max_position_embeddings", config->max_position_embeddings},
        {"num_attention_heads", config->num_attention_heads},
        {"num_key_value_heads", config->num_key_value_heads},
        {"head_dim", config->head_dim},
        {"intermediate_size", config->intermediate_size},
        {"conv_L_cache", config->conv_l_cache},
        {"num_dense_layers", config->num_dense_layers},
        {"num_experts", config->num_experts},
        {"num_experts_per_tok", config->num_experts_per_tok},
        {"moe_intermediate_size", config->moe_intermediate_size},
    };
    cJSON *document = cJSON_CreateObject();
    cJSON_AddStringToObject(document, "model_type", lfm_architecture_name(config->architecture));
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        lfm_json_add_number(document, sizes[i].key, (double)sizes[i].value);
    cJSON_AddBoolToObject(document, "norm_topk_prob", config->norm_topk_prob);
    cJSON_AddBoolToObject(document, "use_expert_bias", config->use_expert_bias);
    cJSON_AddBoolToObject(document, "tie_word_embeddings", config->tie_word_embeddings);
    lfm_json_add_number(document, "routed_scaling_factor", config->routed_scaling_factor);
    lfm_json_add_number(document, "norm_eps", config->norm_eps);
    lfm_json_add_number(document, "rope_theta", config->rope_theta);
    cJSON_AddItemToObject(document, "layer_types", layer_types(config));
    return document;
}
