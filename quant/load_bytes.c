/* Weights that a decoding step reads, from a configuration: see load.h. What is counted is what bench_bytes.c counts of
 * an open model, in parameters in place of bytes; a test holds the two together. */
#include "quant/load.h"

#include <math.h>
#include <string.h>

/* NaN when it is absent, so that whatever is computed from it is NaN. */
static double number(const cJSON *config, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(config, key);
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

static double operator_parameters(const cJSON *config, const cJSON *type)
{
    double D = number(config, "hidden_size"), A = number(config, "head_dim");
    double H = number(config, "num_attention_heads"), G = number(config, "num_key_value_heads");
    const char *name = cJSON_GetStringValue(type);
    if (name && strcmp(name, "conv") == 0) return 4 * D * D + D * number(config, "conv_L_cache");
    if (name && strcmp(name, "full_attention") == 0) return 2 * D * H * A + 2 * D * G * A + 2 * A;
    return NAN;
}

static double layer_parameters(const cJSON *config, const cJSON *type, bool moe)
{
    double D = number(config, "hidden_size"), E = number(config, "num_experts");
    double parameters = operator_parameters(config, type) + 2 * D;
    const cJSON *bias = cJSON_GetObjectItemCaseSensitive(config, "use_expert_bias");
    if (!moe) return parameters + 3 * D * number(config, "intermediate_size");
    return parameters + E * D + (cJSON_IsTrue(bias) ? E : 0);
}

struct lfm_load_parameters lfm_load_parameters(const cJSON *config)
{
    double D = number(config, "hidden_size"), dense = number(config, "num_dense_layers");
    struct lfm_load_parameters out = {
        .expert = 3 * number(config, "moe_intermediate_size") * D,
        .shared = D * number(config, "vocab_size") + D,
        .per_token = D,
    };
    const cJSON *types = cJSON_GetObjectItemCaseSensitive(config, "layer_types"), *type;
    double layer = 0;
    cJSON_ArrayForEach(type, types)
    {
        bool moe = layer++ >= dense;
        out.shared += layer_parameters(config, type, moe);
        out.moe_layers += moe;
    }
    if (!(layer > 0) || layer != number(config, "num_hidden_layers") || isnan(dense)) out.shared = NAN;
    if (isnan(out.shared)) out.moe_layers = 0;
    return out;
}
