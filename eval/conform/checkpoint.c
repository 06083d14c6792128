/* The tiny checkpoint of a pack: see checkpoint.h. */
#include "eval/conform/checkpoint.h"

#include "eval/conform/embedded.h"
#include "quant/quantize.h"
#include "reference/base/file.h"
#include "reference/base/memory.h"
#include "reference/checkpoint/safetensors.h"
#include "reference/model/names.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void lfm_pack_config(struct lfm_config *config)
{
    static const enum lfm_operator operators[] = {LFM_CONV, LFM_CONV, LFM_ATTENTION, LFM_CONV, LFM_ATTENTION};
    *config = (struct lfm_config){
        .architecture = LFM_ARCH_LFM2_MOE,
        .hidden_size = 64,
        .num_hidden_layers = sizeof operators / sizeof *operators,
        .vocab_size = 2048,
        .max_position_embeddings = 512,
        .num_attention_heads = 4,
        .num_key_value_heads = 2,
        .head_dim = 16,
        .intermediate_size = 128,
        .conv_l_cache = 3,
        .num_dense_layers = 1,
        .num_experts = 8,
        .num_experts_per_tok = 3,
        .moe_intermediate_size = 32,
        .norm_topk_prob = true,
        .use_expert_bias = true,
        .tie_word_embeddings = true,
        .routed_scaling_factor = 1,
        .norm_eps = 1e-5,
        .rope_theta = 5e6,
    };
    memcpy(config->layer_types, operators, sizeof operators);
}

/* --- values --- */

/* The finishing steps of SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

uint64_t lfm_pack_hash(uint64_t seed, uint64_t stream, uint64_t counter)
{
    uint64_t x = mix(seed + UINT64_C(0x9e3779b97f4a7c15)) + stream * UINT64_C(0xd1b54a32d192ed03);
    return mix(mix(x) + counter * UINT64_C(0x9e3779b97f4a7c15));
}

/* Mean 0, standard deviation 1: a sum of four uniform numbers, which have variance 1/12 each. */
static double deviate(uint64_t bits)
{
    const double root_of_three = 1.7320508075688772;
    int sum = 0;
    for (int k = 0; k < 4; k++) sum += (int)(bits >> 16 * k & 0xffff);
    return root_of_three * ((double)sum / 65536 - 2);
}

void lfm_pack_bias(float *bias, size_t n_experts, uint64_t seed, size_t layer)
{
    for (size_t e = 0; e < n_experts; e++) bias[e] = (float)(-0.3 + 0.6 * (double)e / (double)(n_experts - 1));
    for (size_t e = n_experts - 1; e > 0; e--) { /* Fisher and Yates */
        size_t other = (size_t)(lfm_pack_hash(seed, 1000 + layer, e) % (e + 1));
        float value = bias[e];
        bias[e] = bias[other];
        bias[other] = value;
    }
}

/* --- tensors --- */

/* Value i of a tensor is mean + scale * deviate. */
struct tensor {
    enum lfm_tensor_role role;
    size_t layer, expert;
    size_t n_dimensions, shape[3], elements;
    double mean, scale;
    const float *values; /* instead: F32 values as they are */
};

struct tensors {
    struct tensor *items;
    size_t count, capacity;
    const struct lfm_config *config;
    const float *biases;
    struct lfm_error *error;
};

/* A shape ends at its first zero. */
#define SHAPE(...) ((const size_t[3]){__VA_ARGS__})

static enum lfm_status add(struct tensors *tensors, enum lfm_tensor_role role, size_t layer, size_t expert,
                           const size_t shape[3], double mean, double scale)
{
    struct tensor tensor = {.role = role, .layer = layer, .expert = expert, .elements = 1, .mean = mean, .scale = scale};
    for (; tensor.n_dimensions < 3 && shape[tensor.n_dimensions] > 0; tensor.n_dimensions++) {
        tensor.shape[tensor.n_dimensions] = shape[tensor.n_dimensions];
        tensor.elements *= shape[tensor.n_dimensions];
    }
    LFM_TRY(LFM_GROW(&tensors->items, &tensors->capacity, tensors->count + 1, tensors->error));
    tensors->items[tensors->count++] = tensor;
    return LFM_OK;
}

/* A matrix whose outputs have about `gain` times the size of its inputs. */
static enum lfm_status add_matrix(struct tensors *tensors, enum lfm_tensor_role role, size_t layer, size_t expert,
                                  size_t rows, size_t columns, double gain)
{
    return add(tensors, role, layer, expert, SHAPE(rows, columns), 0, gain / sqrt((double)columns));
}

static enum lfm_status add_norm(struct tensors *tensors, enum lfm_tensor_role role, size_t layer, size_t width,
                                double mean)
{
    return add(tensors, role, layer, 0, SHAPE(width), mean, 0.1);
}

/* Norms of queries and keys above one sharpen attention, so that a wrong rotation shows. */
static enum lfm_status add_operator(struct tensors *tensors, size_t l)
{
    const struct lfm_config *config = tensors->config;
    size_t D = config->hidden_size, A = config->head_dim, Q = config->num_attention_heads * A;
    size_t K = config->num_key_value_heads * A;
    LFM_TRY(add_norm(tensors, LFM_TENSOR_OPERATOR_NORM, l, D, 1));
    if (config->layer_types[l] == LFM_CONV) {
        LFM_TRY(add_matrix(tensors, LFM_TENSOR_CONV_IN_PROJ, l, 0, 3 * D, D, 1));
        LFM_TRY(add(tensors, LFM_TENSOR_CONV, l, 0, SHAPE(D, 1, config->conv_l_cache), 0, 0.6));
        return add_matrix(tensors, LFM_TENSOR_CONV_OUT_PROJ, l, 0, D, D, 0.6);
    }
    LFM_TRY(add_matrix(tensors, LFM_TENSOR_Q_PROJ, l, 0, Q, D, 1));
    LFM_TRY(add_matrix(tensors, LFM_TENSOR_K_PROJ, l, 0, K, D, 1));
    LFM_TRY(add_matrix(tensors, LFM_TENSOR_V_PROJ, l, 0, K, D, 1));
    LFM_TRY(add_matrix(tensors, LFM_TENSOR_OUT_PROJ, l, 0, D, Q, 1));
    LFM_TRY(add_norm(tensors, LFM_TENSOR_Q_LAYERNORM, l, A, 1.5));
    return add_norm(tensors, LFM_TENSOR_K_LAYERNORM, l, A, 1.5);
}

static enum lfm_status add_feed_forward(struct tensors *tensors, size_t l)
{
    const struct lfm_config *config = tensors->config;
    size_t D = config->hidden_size, F = config->intermediate_size, M = config->moe_intermediate_size;
    size_t E = config->num_experts;
    LFM_TRY(add_norm(tensors, LFM_TENSOR_FFN_NORM, l, D, 1));
    if (!lfm_layer_is_moe(config, l)) {
        LFM_TRY(add_matrix(tensors, LFM_TENSOR_W1, l, 0, F, D, 1));
        LFM_TRY(add_matrix(tensors, LFM_TENSOR_W3, l, 0, F, D, 1));
        return add_matrix(tensors, LFM_TENSOR_W2, l, 0, D, F, 1);
    }
    LFM_TRY(add_matrix(tensors, LFM_TENSOR_ROUTER, l, 0, E, D, 1.5));
    LFM_TRY(add(tensors, LFM_TENSOR_EXPERT_BIAS, l, 0, SHAPE(E), 0, 0));
    tensors->items[tensors->count - 1].values = tensors->biases + l * E;
    for (size_t e = 0; e < E; e++) {
        LFM_TRY(add_matrix(tensors, LFM_TENSOR_EXPERT_W1, l, e, M, D, 1));
        LFM_TRY(add_matrix(tensors, LFM_TENSOR_EXPERT_W3, l, e, M, D, 1));
        LFM_TRY(add_matrix(tensors, LFM_TENSOR_EXPERT_W2, l, e, D, M, 1.5));
    }
    return LFM_OK;
}

static enum lfm_status list_tensors(struct tensors *tensors)
{
    const struct lfm_config *config = tensors->config;
    LFM_TRY(add(tensors, LFM_TENSOR_EMBED_TOKENS, 0, 0, SHAPE(config->vocab_size, config->hidden_size), 0, 0.25));
    for (size_t l = 0; l < config->num_hidden_layers; l++) {
        LFM_TRY(add_operator(tensors, l));
        LFM_TRY(add_feed_forward(tensors, l));
    }
    return add_norm(tensors, LFM_TENSOR_EMBEDDING_NORM, 0, config->hidden_size, 1);
}

/* --- files --- */

static void fill(float *out, const struct tensor *tensor, uint64_t seed, size_t number)
{
    const struct lfm_format *bf16 = lfm_format_by_name("bf16");
    for (size_t i = 0; i < tensor->elements; i++) {
        uint16_t rounded;
        out[i] = (float)(tensor->mean + tensor->scale * deviate(lfm_pack_hash(seed, number, i)));
        bf16->encode_row(&rounded, &out[i], 1);
        bf16->decode_row(&out[i], &rounded, 1);
    }
    if (tensor->values) memcpy(out, tensor->values, tensor->elements * sizeof *out);
}

static enum lfm_status write_values(struct lfm_safetensors_writer *writer, const struct tensors *tensors, uint64_t seed)
{
    size_t most = 0;
    float *values;
    enum lfm_status status = LFM_OK;
    for (size_t i = 0; i < tensors->count; i++)
        if (tensors->items[i].elements > most) most = tensors->items[i].elements;
    LFM_TRY(LFM_ALLOC(&values, most, tensors->error));
    for (size_t i = 0; status == LFM_OK && i < tensors->count; i++) {
        const struct tensor *tensor = &tensors->items[i];
        fill(values, tensor, seed, i);
        status = lfm_safetensors_write_data(writer, values, tensor->elements * sizeof *values, tensors->error);
    }
    free(values);
    return status;
}

static enum lfm_status write_weights(const char *path, const struct tensors *tensors, uint64_t seed)
{
    const struct lfm_format *f32 = lfm_format_by_name("f32");
    struct lfm_safetensors_writer *writer;
    enum lfm_status status;
    LFM_TRY(lfm_safetensors_writer_open(&writer, path, tensors->error));
    for (size_t i = 0; i < tensors->count; i++) {
        const struct tensor *tensor = &tensors->items[i];
        char name[128];
        snprintf(name, sizeof name, lfm_tensor_name_pattern(LFM_HUGGING_FACE, LFM_ARCH_LFM2_MOE, tensor->role),
                 tensor->layer, tensor->expert);
        LFM_TRY_DONE(lfm_safetensors_add_tensor(writer, name, f32, tensor->n_dimensions, tensor->shape, tensors->error));
    }
    LFM_TRY_DONE(lfm_safetensors_begin(writer, tensors->error));
    LFM_TRY_DONE(write_values(writer, tensors, seed));
    status = lfm_safetensors_commit(writer, tensors->error);
done:
    lfm_safetensors_writer_close(writer);
    return status;
}

static enum lfm_status write_file_in(const char *directory, const char *name, const void *data, size_t length,
                                     struct lfm_error *error)
{
    char *path;
    LFM_TRY(lfm_join_path(&path, directory, name, error));
    enum lfm_status status = lfm_write_file(path, data, length, error);
    free(path);
    return status;
}

static enum lfm_status write_config(const char *directory, const struct lfm_config *config, struct lfm_error *error)
{
    struct lfm_buffer text = {0};
    cJSON *document = lfm_make_config(config);
    cJSON_ReplaceItemInObjectCaseSensitive(document, "dtype", cJSON_CreateString("float32"));
    cJSON_AddNumberToObject(document, "bos_token_id", 1);
    cJSON_AddNumberToObject(document, "eos_token_id", 7);
    cJSON_AddNumberToObject(document, "pad_token_id", 0);
    enum lfm_status status = lfm_json_print(&text, document, error);
    if (status == LFM_OK) status = write_file_in(directory, "config.json", text.data, text.length, error);
    lfm_buffer_release(&text);
    cJSON_Delete(document);
    return status;
}

enum lfm_status lfm_pack_write_directory(const char *directory, uint64_t seed, const float *biases,
                                         struct lfm_error *error)
{
    struct lfm_config config;
    struct tensors tensors = {.config = &config, .biases = biases, .error = error};
    char *path = NULL;
    enum lfm_status status;
    lfm_pack_config(&config);
    LFM_TRY_DONE(list_tensors(&tensors));
    LFM_TRY_DONE(lfm_join_path(&path, directory, "model.safetensors", error));
    LFM_TRY_DONE(write_weights(path, &tensors, seed));
    for (size_t i = 0; i < LFM_N_EMBEDDED_FILES; i++) {
        struct lfm_embedded_file file = lfm_embedded_file(i);
        LFM_TRY_DONE(write_file_in(directory, file.name, file.data, file.length, error));
    }
    status = write_config(directory, &config, error);
done:
    free(path);
    free(tensors.items);
    return status;
}

enum lfm_status lfm_pack_write_gguf(const char *path, const struct lfm_model *model, struct lfm_error *error)
{
    struct lfm_quantization *plan;
    const struct lfm_quantization_options options = {.format = lfm_format_by_name("f32"), .container = LFM_GGUF};
    LFM_TRY(lfm_quantization_plan(&plan, model, &options, error));
    enum lfm_status status = lfm_quantization_write(plan, path, NULL, error);
    lfm_quantization_free(plan);
    return status;
}
