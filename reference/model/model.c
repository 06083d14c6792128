/* Loading a model: every tensor found by its role, checked against the configuration, and viewed in place.
 * See model.h. */
#include "reference/model/model.h"

#include "reference/base/memory.h"
#include "reference/model/kv.h"
#include "reference/model/names.h"
#include "reference/model/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the model owns besides the mapping: norms and kernels in FP32, scales, quantized matrices. */
struct lfm_model_memory {
    void **blocks;
    size_t count, capacity;
    size_t vector_bytes;    /* stored bytes of the vectors and conv kernels */
    size_t vector_elements;
};

struct loader {
    struct lfm_model *model;
    const struct lfm_checkpoint *checkpoint;
    const struct lfm_config *config;
    struct lfm_error *error;
};

enum { NO_LAYER = 0, NO_EXPERT = 0, NAME_MAX_BYTES = 128 };

/* Takes over memory from lfm_alloc; freed with the model. */
static enum lfm_status own(struct lfm_model *model, void *block, struct lfm_error *error)
{
    struct lfm_model_memory *memory = model->memory;
    enum lfm_status status = LFM_GROW(&memory->blocks, &memory->capacity, memory->count + 1, error);
    if (status == LFM_OK)
        memory->blocks[memory->count++] = block;
    else
        free(block);
    return status;
}

/* --- finding tensors --- */

static void tensor_name(char name[NAME_MAX_BYTES], enum lfm_container container, const struct lfm_config *config,
                        enum lfm_tensor_role role, size_t layer, size_t expert)
{
    const char *pattern = lfm_tensor_name_pattern(container, config->architecture, role);
    snprintf(name, NAME_MAX_BYTES, pattern ? pattern : "?", layer, expert);
}

static const struct lfm_tensor *find(const struct loader *loader, enum lfm_tensor_role role, size_t layer, size_t expert)
{
    const char *pattern = lfm_tensor_name_pattern(loader->checkpoint->container, loader->config->architecture, role);
    return pattern ? lfm_checkpoint_find(loader->checkpoint, pattern, layer, expert) : NULL;
}

static enum lfm_status require(const struct loader *loader, enum lfm_tensor_role role, size_t layer, size_t expert,
                               const struct lfm_tensor **out)
{
    char name[NAME_MAX_BYTES];
    tensor_name(name, loader->checkpoint->container, loader->config, role, layer, expert);
    *out = find(loader, role, layer, expert);
    if (!*out)
        return lfm_fail(loader->error, LFM_ERROR_MISMATCH, "%s: tensor '%s' is missing", loader->checkpoint->path, name);
    if (!(*out)->format)
        return lfm_fail(loader->error, LFM_ERROR_FORMAT, "%s: tensor '%s' has type %s, which lfmscope does not read",
                        (*out)->file, (*out)->name, (*out)->type_name);
    return LFM_OK;
}

/* --- vectors: decoded to FP32 once --- */

static enum lfm_status load_floats(struct loader *loader, enum lfm_tensor_role role, size_t layer, size_t n_dimensions,
                                   const size_t *shape, float **out)
{
    const struct lfm_tensor *tensor;
    LFM_TRY(require(loader, role, layer, NO_EXPERT, &tensor));
    LFM_TRY(lfm_tensor_expect_shape(tensor, n_dimensions, shape, loader->error));
    size_t n = lfm_tensor_elements(tensor);
    float *values;
    LFM_TRY(LFM_ALLOC(&values, n, loader->error));
    LFM_TRY(own(loader->model, values, loader->error));
    LFM_TRY(lfm_tensor_decode(tensor, values, n, loader->error));
    loader->model->memory->vector_bytes += tensor->bytes;
    loader->model->memory->vector_elements += n;
    *out = values;
    return LFM_OK;
}

static enum lfm_status load_vector(struct loader *loader, enum lfm_tensor_role role, size_t layer, size_t n, float **out)
{
    return load_floats(loader, role, layer, 1, &n, out);
}

/* conv.weight is [D,1,L] in Hugging Face files and [D,L] in GGUF. */
static enum lfm_status load_conv_kernel(struct loader *loader, size_t layer, float **out)
{
    size_t D = loader->config->hidden_size, L = loader->config->conv_l_cache;
    if (loader->checkpoint->container == LFM_GGUF)
        return load_floats(loader, LFM_TENSOR_CONV, layer, 2, (size_t[]){D, L}, out);
    return load_floats(loader, LFM_TENSOR_CONV, layer, 3, (size_t[]){D, 1, L}, out);
}

/* --- matrices: views --- */

/* FP8 matrices have their scales beside them, as "<name>_scale": one, one per row, or one per tile. */
static enum lfm_status load_scales(struct loader *loader, const struct lfm_tensor *tensor, struct lfm_matrix *matrix)
{
    const struct lfm_tensor *scale = lfm_checkpoint_find(loader->checkpoint, "%s_scale", tensor->name);
    if (!scale || !scale->format)
        return lfm_fail(loader->error, LFM_ERROR_MISMATCH, "%s: tensor '%s' is %s, but '%s_scale' is missing", tensor->file,
                        tensor->name, tensor->type_name, tensor->name);
    size_t n = lfm_tensor_elements(scale);
    size_t rows = scale->n_dimensions > 0 ? scale->shape[0] : 1;
    size_t columns = scale->n_dimensions > 1 ? scale->shape[1] : 1;
    size_t tile_rows, tile_columns;
    lfm_scale_shape(LFM_SCALE_BLOCK, matrix->rows, matrix->columns, &tile_rows, &tile_columns);
    if (n == 1) {
        matrix->scale_rows = matrix->rows;
        matrix->scale_columns = matrix->columns;
    } else if (rows == matrix->rows && columns == 1) {
        matrix->scale_rows = 1;
        matrix->scale_columns = matrix->columns;
    } else if (rows == tile_rows && columns == tile_columns && scale->n_dimensions == 2) {
        matrix->scale_rows = matrix->scale_columns = LFM_SCALE_TILE;
    } else {
        return lfm_fail(loader->error, LFM_ERROR_MISMATCH,
                        "%s: tensor '%s' is [%zu,%zu], expected one scale, [%zu,1] or [%zu,%zu]", scale->file, scale->name,
                        rows, columns, matrix->rows, tile_rows, tile_columns);
    }
    float *values;
    LFM_TRY(LFM_ALLOC(&values, n, loader->error));
    LFM_TRY(own(loader->model, values, loader->error));
    matrix->scales = values;
    return lfm_tensor_decode(scale, values, n, loader->error);
}

/* A view of a tensor whose last dimension is `columns` as a matrix of all its rows. */
static enum lfm_status view_rows(struct loader *loader, const struct lfm_tensor *tensor, size_t rows, size_t columns,
                                 struct lfm_matrix *out)
{
    size_t row_bytes;
    LFM_TRY(lfm_format_row_bytes(tensor->format, columns, &row_bytes, loader->error));
    *out = (struct lfm_matrix){
        .format = tensor->format, .rows = rows, .columns = columns, .data = tensor->data, .row_bytes = row_bytes};
    return tensor->format->scaled_max > 0 ? load_scales(loader, tensor, out) : LFM_OK;
}

static enum lfm_status load_matrix(struct loader *loader, enum lfm_tensor_role role, size_t layer, size_t expert,
                                   size_t rows, size_t columns, struct lfm_matrix *out)
{
    const struct lfm_tensor *tensor;
    LFM_TRY(require(loader, role, layer, expert, &tensor));
    LFM_TRY(lfm_tensor_expect_shape(tensor, 2, (size_t[]){rows, columns}, loader->error));
    return view_rows(loader, tensor, rows, columns, out);
}

/* Rows first .. first+rows-1 of a matrix; its scales must not be cut apart. */
static struct lfm_matrix part_of(const struct lfm_matrix *matrix, size_t first, size_t rows)
{
    struct lfm_matrix part = *matrix;
    part.rows = rows;
    part.data = (const uint8_t *)matrix->data + first * matrix->row_bytes;
    return part;
}

/* --- experts: one by one, stacked by kind (GGUF), or fused (gate_up_proj, down_proj) --- */

static enum lfm_status load_single_experts(struct loader *loader, size_t layer, struct lfm_ffn *experts)
{
    size_t D = loader->config->hidden_size, M = loader->config->moe_intermediate_size;
    for (size_t e = 0; e < loader->config->num_experts; e++) {
        LFM_TRY(load_matrix(loader, LFM_TENSOR_EXPERT_W1, layer, e, M, D, &experts[e].w1));
        LFM_TRY(load_matrix(loader, LFM_TENSOR_EXPERT_W3, layer, e, M, D, &experts[e].w3));
        LFM_TRY(load_matrix(loader, LFM_TENSOR_EXPERT_W2, layer, e, D, M, &experts[e].w2));
    }
    return LFM_OK;
}

/* A tensor [E, rows, columns] as one matrix [E*rows, columns]. */
static enum lfm_status load_stack(struct loader *loader, enum lfm_tensor_role role, size_t layer, size_t rows,
                                  size_t columns, struct lfm_matrix *out)
{
    const struct lfm_tensor *tensor;
    size_t E = loader->config->num_experts;
    LFM_TRY(require(loader, role, layer, NO_EXPERT, &tensor));
    LFM_TRY(lfm_tensor_expect_shape(tensor, 3, (size_t[]){E, rows, columns}, loader->error));
    if (tensor->format->scaled_max > 0)
        return lfm_fail(loader->error, LFM_ERROR_FORMAT,
                        "%s: tensor '%s' is %s, but stacked experts in that type are not supported", tensor->file,
                        tensor->name, tensor->type_name);
    return view_rows(loader, tensor, E * rows, columns, out);
}

static enum lfm_status load_stacked_experts(struct loader *loader, size_t layer, struct lfm_ffn *experts)
{
    size_t D = loader->config->hidden_size, M = loader->config->moe_intermediate_size;
    struct lfm_matrix w1, w2, w3;
    LFM_TRY(load_stack(loader, LFM_TENSOR_EXPERT_W1, layer, M, D, &w1));
    LFM_TRY(load_stack(loader, LFM_TENSOR_EXPERT_W3, layer, M, D, &w3));
    LFM_TRY(load_stack(loader, LFM_TENSOR_EXPERT_W2, layer, D, M, &w2));
    for (size_t e = 0; e < loader->config->num_experts; e++)
        experts[e] = (struct lfm_ffn){part_of(&w1, e * M, M), part_of(&w3, e * M, M), part_of(&w2, e * D, D)};
    return LFM_OK;
}

static enum lfm_status load_fused_experts(struct loader *loader, size_t layer, struct lfm_ffn *experts)
{
    size_t D = loader->config->hidden_size, M = loader->config->moe_intermediate_size;
    struct lfm_matrix gate_up, down;
    LFM_TRY(load_stack(loader, LFM_TENSOR_EXPERTS_W1_W3, layer, 2 * M, D, &gate_up));
    LFM_TRY(load_stack(loader, LFM_TENSOR_EXPERTS_W2, layer, D, M, &down));
    for (size_t e = 0; e < loader->config->num_experts; e++)
        experts[e] = (struct lfm_ffn){part_of(&gate_up, 2 * e * M, M), part_of(&gate_up, (2 * e + 1) * M, M),
                                      part_of(&down, e * D, D)};
    return LFM_OK;
}

static enum lfm_status load_experts(struct loader *loader, size_t l, struct lfm_layer *layer)
{
    const struct lfm_config *config = loader->config;
    LFM_TRY(load_matrix(loader, LFM_TENSOR_ROUTER, l, NO_EXPERT, config->num_experts, config->hidden_size, &layer->gate));
    if (config->use_expert_bias)
        LFM_TRY(load_vector(loader, LFM_TENSOR_EXPERT_BIAS, l, config->num_experts, &layer->expert_bias));
    LFM_TRY(LFM_ALLOC(&layer->experts, config->num_experts, loader->error));
    if (loader->checkpoint->container == LFM_GGUF) return load_stacked_experts(loader, l, layer->experts);
    if (find(loader, LFM_TENSOR_EXPERTS_W1_W3, l, NO_EXPERT)) return load_fused_experts(loader, l, layer->experts);
    return load_single_experts(loader, l, layer->experts);
}

/* --- layers --- */

static enum lfm_status load_convolution(struct loader *loader, size_t l, struct lfm_layer *layer)
{
    size_t D = loader->config->hidden_size;
    LFM_TRY(load_matrix(loader, LFM_TENSOR_CONV_IN_PROJ, l, NO_EXPERT, 3 * D, D, &layer->in_proj));
    LFM_TRY(load_conv_kernel(loader, l, &layer->conv));
    return load_matrix(loader, LFM_TENSOR_CONV_OUT_PROJ, l, NO_EXPERT, D, D, &layer->conv_out_proj);
}

static enum lfm_status load_attention(struct loader *loader, size_t l, struct lfm_layer *layer)
{
    const struct lfm_config *config = loader->config;
    size_t D = config->hidden_size, A = config->head_dim;
    size_t q_rows = config->num_attention_heads * A, kv_rows = config->num_key_value_heads * A;
    LFM_TRY(load_matrix(loader, LFM_TENSOR_Q_PROJ, l, NO_EXPERT, q_rows, D, &layer->q_proj));
    LFM_TRY(load_matrix(loader, LFM_TENSOR_K_PROJ, l, NO_EXPERT, kv_rows, D, &layer->k_proj));
    LFM_TRY(load_matrix(loader, LFM_TENSOR_V_PROJ, l, NO_EXPERT, kv_rows, D, &layer->v_proj));
    LFM_TRY(load_matrix(loader, LFM_TENSOR_OUT_PROJ, l, NO_EXPERT, D, q_rows, &layer->out_proj));
    if (config->architecture == LFM_ARCH_LLAMA) return LFM_OK;
    LFM_TRY(load_vector(loader, LFM_TENSOR_Q_LAYERNORM, l, A, &layer->q_layernorm));
    return load_vector(loader, LFM_TENSOR_K_LAYERNORM, l, A, &layer->k_layernorm);
}

static enum lfm_status load_layer(struct loader *loader, size_t l)
{
    const struct lfm_config *config = loader->config;
    struct lfm_layer *layer = &loader->model->layers[l];
    size_t D = config->hidden_size, F = config->intermediate_size;
    layer->operator_type = config->layer_types[l];
    LFM_TRY(load_vector(loader, LFM_TENSOR_OPERATOR_NORM, l, D, &layer->operator_norm));
    LFM_TRY(load_vector(loader, LFM_TENSOR_FFN_NORM, l, D, &layer->ffn_norm));
    LFM_TRY(layer->operator_type == LFM_CONV ? load_convolution(loader, l, layer) : load_attention(loader, l, layer));
    if (lfm_layer_is_moe(config, l)) return load_experts(loader, l, layer);
    LFM_TRY(load_matrix(loader, LFM_TENSOR_W1, l, NO_EXPERT, F, D, &layer->dense.w1));
    LFM_TRY(load_matrix(loader, LFM_TENSOR_W3, l, NO_EXPERT, F, D, &layer->dense.w3));
    return load_matrix(loader, LFM_TENSOR_W2, l, NO_EXPERT, D, F, &layer->dense.w2);
}

/* Biases, scales and factors of the rotation that llama.cpp applies when a GGUF file has them. Without them the numbers
 * would be wrong and look right. Of a Hugging Face directory the configuration decides, and has been checked. */
static enum lfm_status refuse_foreign_tensors(const struct loader *loader)
{
    static const char *const endings[] = {".bias", ".scale", "rope_freqs.weight", "rope_factors_long.weight",
                                          "rope_factors_short.weight"};
    const struct lfm_checkpoint *checkpoint = loader->checkpoint;
    if (checkpoint->container != LFM_GGUF) return LFM_OK;
    for (size_t i = 0; i < checkpoint->n_tensors; i++) {
        const struct lfm_tensor *tensor = &checkpoint->tensors[i];
        enum lfm_tensor_role role;
        size_t layer, expert, length = strlen(tensor->name);
        if (lfm_tensor_role_of(LFM_GGUF, loader->config->architecture, tensor->name, &role, &layer, &expert)) continue;
        for (size_t e = 0; e < sizeof endings / sizeof endings[0]; e++) {
            size_t ending = strlen(endings[e]);
            if (length >= ending && strcmp(tensor->name + length - ending, endings[e]) == 0)
                return lfm_fail(loader->error, LFM_ERROR_FORMAT,
                                "%s: tensor '%s' has no part in %s as lfmscope computes it; without it the results would "
                                "be wrong", tensor->file, tensor->name,
                                lfm_architecture_name(loader->config->architecture));
        }
    }
    return LFM_OK;
}

static enum lfm_status have_same_values(const struct lfm_matrix *a, const struct lfm_matrix *b, bool *same,
                                        struct lfm_error *error)
{
    float *rows;
    size_t n = a->columns;
    LFM_TRY(LFM_ALLOC(&rows, 2 * n, error));
    *same = true;
    for (size_t r = 0; *same && r < a->rows; r++) {
        lfm_matrix_decode_rows(a, r, 1, rows, 0);
        lfm_matrix_decode_rows(b, r, 1, rows + n, 0);
        *same = memcmp(rows, rows + n, n * sizeof *rows) == 0;
    }
    free(rows);
    return LFM_OK;
}

/* A head of its own in the file of a model whose head is tied: the same weights are passed over, others contradict. */
static enum lfm_status check_tied_head(struct loader *loader)
{
    size_t V = loader->config->vocab_size, D = loader->config->hidden_size;
    const struct lfm_tensor *tensor = find(loader, LFM_TENSOR_LM_HEAD, NO_LAYER, NO_EXPERT);
    struct lfm_matrix head;
    bool same;
    if (!tensor) return LFM_OK;
    LFM_TRY(load_matrix(loader, LFM_TENSOR_LM_HEAD, NO_LAYER, NO_EXPERT, V, D, &head));
    LFM_TRY(have_same_values(&head, &loader->model->embed_tokens, &same, loader->error));
    if (same) return LFM_OK;
    return lfm_fail(loader->error, LFM_ERROR_MISMATCH,
                    "%s: tensor '%s' has other weights than the embedding, to which the configuration ties the head: set "
                    "'tie_word_embeddings' to false, or leave the tensor out", tensor->file, tensor->name);
}

static enum lfm_status load_weights(struct loader *loader)
{
    struct lfm_model *model = loader->model;
    const struct lfm_config *config = loader->config;
    size_t V = config->vocab_size, D = config->hidden_size;
    LFM_TRY(refuse_foreign_tensors(loader));
    LFM_TRY(load_matrix(loader, LFM_TENSOR_EMBED_TOKENS, NO_LAYER, NO_EXPERT, V, D, &model->embed_tokens));
    LFM_TRY(LFM_ALLOC(&model->layers, config->num_hidden_layers, loader->error));
    for (size_t l = 0; l < config->num_hidden_layers; l++) LFM_TRY(load_layer(loader, l));
    LFM_TRY(load_vector(loader, LFM_TENSOR_EMBEDDING_NORM, NO_LAYER, D, &model->embedding_norm));
    model->lm_head = model->embed_tokens;
    if (config->tie_word_embeddings) return check_tied_head(loader);
    return load_matrix(loader, LFM_TENSOR_LM_HEAD, NO_LAYER, NO_EXPERT, V, D, &model->lm_head);
}

/* --- going through all matrices --- */

typedef enum lfm_status (*visitor)(void *context, const char *name, struct lfm_matrix *matrix, struct lfm_error *error);

struct visit {
    struct lfm_model *model;
    visitor visit;
    void *context;
    struct lfm_error *error;
};

static enum lfm_status visit_one(const struct visit *visit, enum lfm_tensor_role role, size_t layer, size_t expert,
                                 struct lfm_matrix *matrix)
{
    char name[NAME_MAX_BYTES];
    tensor_name(name, LFM_HUGGING_FACE, &visit->model->config, role, layer, expert);
    return visit->visit(visit->context, name, matrix, visit->error);
}

static enum lfm_status visit_operator(const struct visit *visit, size_t l, struct lfm_layer *layer)
{
    if (layer->operator_type == LFM_CONV) {
        LFM_TRY(visit_one(visit, LFM_TENSOR_CONV_IN_PROJ, l, NO_EXPERT, &layer->in_proj));
        return visit_one(visit, LFM_TENSOR_CONV_OUT_PROJ, l, NO_EXPERT, &layer->conv_out_proj);
    }
    LFM_TRY(visit_one(visit, LFM_TENSOR_Q_PROJ, l, NO_EXPERT, &layer->q_proj));
    LFM_TRY(visit_one(visit, LFM_TENSOR_K_PROJ, l, NO_EXPERT, &layer->k_proj));
    LFM_TRY(visit_one(visit, LFM_TENSOR_V_PROJ, l, NO_EXPERT, &layer->v_proj));
    return visit_one(visit, LFM_TENSOR_OUT_PROJ, l, NO_EXPERT, &layer->out_proj);
}

static enum lfm_status visit_feed_forward(const struct visit *visit, size_t l, struct lfm_layer *layer)
{
    const struct lfm_config *config = &visit->model->config;
    if (!lfm_layer_is_moe(config, l)) {
        LFM_TRY(visit_one(visit, LFM_TENSOR_W1, l, NO_EXPERT, &layer->dense.w1));
        LFM_TRY(visit_one(visit, LFM_TENSOR_W3, l, NO_EXPERT, &layer->dense.w3));
        return visit_one(visit, LFM_TENSOR_W2, l, NO_EXPERT, &layer->dense.w2);
    }
    for (size_t e = 0; e < config->num_experts; e++) {
        LFM_TRY(visit_one(visit, LFM_TENSOR_EXPERT_W1, l, e, &layer->experts[e].w1));
        LFM_TRY(visit_one(visit, LFM_TENSOR_EXPERT_W3, l, e, &layer->experts[e].w3));
        LFM_TRY(visit_one(visit, LFM_TENSOR_EXPERT_W2, l, e, &layer->experts[e].w2));
    }
    return LFM_OK;
}

enum lfm_status lfm_model_each_matrix(struct lfm_model *model, visitor visit, void *context, struct lfm_error *error)
{
    const struct visit walk = {model, visit, context, error};
    LFM_TRY(visit_one(&walk, LFM_TENSOR_EMBED_TOKENS, NO_LAYER, NO_EXPERT, &model->embed_tokens));
    for (size_t l = 0; l < model->config.num_hidden_layers; l++) {
        LFM_TRY(visit_operator(&walk, l, &model->layers[l]));
        LFM_TRY(visit_feed_forward(&walk, l, &model->layers[l]));
    }
    if (model->config.tie_word_embeddings) return LFM_OK;
    return visit_one(&walk, LFM_TENSOR_LM_HEAD, NO_LAYER, NO_EXPERT, &model->lm_head);
}

/* --- quantizing in memory --- */

struct quantization {
    struct lfm_model *model;
    const struct lfm_model_options *options;
    size_t done; /* elements */
};

static void decode_source_row(const void *context, size_t r, float *x)
{
    lfm_matrix_decode_rows(context, r, 1, x, 0);
}

static enum lfm_status quantize_matrix(void *context, const char *name, struct lfm_matrix *matrix, struct lfm_error *error)
{
    struct quantization *quantization = context;
    const struct lfm_format *format = quantization->options->weights;
    enum lfm_scale scale = quantization->options->scale;
    if (lfm_interrupted()) return lfm_fail(error, LFM_ERROR_STOPPED, "stopped while quantizing '%s'", name);
    if (quantization->options->only && !quantization->options->only(quantization->options->only_context, name)) return LFM_OK;
    if (matrix->columns % format->block_size != 0) {
        quantization->model->fallback_matrices++;
        return LFM_OK;
    }
    const struct lfm_matrix source = *matrix;
    const struct lfm_row_source rows = {name, source.rows, source.columns, decode_source_row, &source};
    size_t n_scales = lfm_scale_count(format, scale, source.rows, source.columns);
    float *scales = NULL;
    void *data;
    LFM_TRY(lfm_format_row_bytes(format, source.columns, &matrix->row_bytes, error));
    LFM_TRY(lfm_alloc(&data, source.rows, matrix->row_bytes, error));
    LFM_TRY(own(quantization->model, data, error));
    if (n_scales > 0) {
        LFM_TRY(LFM_ALLOC(&scales, n_scales, error));
        LFM_TRY(own(quantization->model, scales, error));
    }
    LFM_TRY(lfm_encode_matrix(&rows, format, scale, data, scales, error));
    matrix->format = format;
    matrix->data = data;
    matrix->scales = scales;
    matrix->scale_rows = scale == LFM_SCALE_TENSOR ? source.rows : scale == LFM_SCALE_CHANNEL ? 1 : LFM_SCALE_TILE;
    matrix->scale_columns = scale == LFM_SCALE_BLOCK ? LFM_SCALE_TILE : source.columns;
    quantization->done += source.rows * source.columns;
    lfm_progress_update(quantization->options->progress, (double)quantization->done);
    return LFM_OK;
}

static enum lfm_status quantize_model(struct lfm_model *model, const struct lfm_model_options *options,
                                      struct lfm_error *error)
{
    struct quantization quantization = {.model = model, .options = options};
    if (!options->weights->encode_row)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "format '%s' can be read but not written: use one of %s",
                        options->weights->name, lfm_format_encodable_names());
    LFM_TRY(lfm_model_each_matrix(model, quantize_matrix, &quantization, error));
    if (model->config.tie_word_embeddings) model->lm_head = model->embed_tokens;
    model->weights = options->weights->name;
    return LFM_OK;
}

/* --- opening and closing --- */

enum lfm_status lfm_model_open(struct lfm_model **out, const char *path, const struct lfm_model_options *options,
                               struct lfm_error *error)
{
    struct lfm_model *model;
    *out = NULL;
    LFM_TRY(LFM_ALLOC(&model, 1, error));
    model->weights = "stored";
    model->activations = options ? options->activations : LFM_ACTIVATIONS_F32;
    model->kv = options && options->kv ? options->kv : lfm_kv_by_name("f32");
    struct loader loader = {.model = model, .config = &model->config, .error = error};
    enum lfm_status status = LFM_ALLOC(&model->memory, 1, error);
    if (status == LFM_OK) status = lfm_pool_new(&model->passes, error);
    if (status == LFM_OK) status = lfm_checkpoint_open(&model->checkpoint, path, error);
    if (status == LFM_OK) status = lfm_config_read(&model->config, model->checkpoint, error);
    if (status == LFM_OK) status = lfm_kv_check(model->kv, &model->config, error);
    loader.checkpoint = model->checkpoint;
    if (status == LFM_OK) status = load_weights(&loader);
    if (status == LFM_OK && options && options->weights) status = quantize_model(model, options, error);
    if (status != LFM_OK) {
        lfm_model_close(model);
        return status;
    }
    *out = model;
    return LFM_OK;
}

void lfm_model_close(struct lfm_model *model)
{
    if (!model) return;
    for (size_t i = 0; model->memory && i < model->memory->count; i++) free(model->memory->blocks[i]);
    if (model->memory) free(model->memory->blocks);
    free(model->memory);
    lfm_pool_free(model->passes);
    for (size_t l = 0; model->layers && l < model->config.num_hidden_layers; l++) free(model->layers[l].experts);
    free(model->layers);
    lfm_checkpoint_close(model->checkpoint);
    free(model);
}

/* --- counting --- */

struct count {
    size_t elements, bytes;
};

static enum lfm_status count_matrix(void *context, const char *name, struct lfm_matrix *matrix, struct lfm_error *error)
{
    struct count *count = context;
    (void)name;
    (void)error;
    count->elements += matrix->rows * matrix->columns;
    count->bytes += lfm_matrix_bytes(matrix);
    return LFM_OK;
}

/* All matrices, the routers' and the vectors. */
static struct count count_weights(const struct lfm_model *model)
{
    struct count count = {model->memory->vector_elements, model->memory->vector_bytes};
    lfm_model_each_matrix((struct lfm_model *)(uintptr_t)model, count_matrix, &count, NULL);
    for (size_t l = 0; l < model->config.num_hidden_layers; l++)
        if (lfm_layer_is_moe(&model->config, l))
            count_matrix(&count, NULL, &model->layers[l].gate, NULL);
    return count;
}

size_t lfm_model_parameters(const struct lfm_model *model)
{
    return count_weights(model).elements;
}

size_t lfm_model_active_parameters(const struct lfm_model *model)
{
    const struct lfm_config *config = &model->config;
    size_t idle = 0;
    for (size_t l = 0; l < config->num_hidden_layers; l++)
        if (lfm_layer_is_moe(config, l))
            idle += (config->num_experts - config->num_experts_per_tok) * 3 * config->moe_intermediate_size *
                    config->hidden_size;
    return lfm_model_parameters(model) - idle;
}

size_t lfm_model_bytes(const struct lfm_model *model)
{
    return count_weights(model).bytes;
}

double lfm_model_bits_per_weight(const struct lfm_model *model)
{
    struct count count = count_weights(model);
    return 8.0 * (double)count.bytes / (double)count.elements;
}
