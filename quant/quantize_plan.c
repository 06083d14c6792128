/* Planning: which tensors the quantized file has, in which types, and where their rows come from. See quantize.h. */
#include "quant/quantize_parts.h"

#include "reference/base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum lfm_status lfm_notes_add(struct lfm_notes *notes, struct lfm_error *error, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    LFM_TRY(LFM_GROW(&notes->items, &notes->capacity, notes->count + 1, error));
    LFM_TRY(lfm_copy_string(&notes->items[notes->count], line, strlen(line), error));
    notes->count++;
    return LFM_OK;
}

static void release_notes(struct lfm_notes *notes)
{
    for (size_t i = 0; i < notes->count; i++) free(notes->items[i]);
    free(notes->items);
}

void lfm_quantization_free(struct lfm_quantization *quantization)
{
    if (!quantization) return;
    release_notes(&quantization->fallbacks);
    release_notes(&quantization->warnings);
    release_notes(&quantization->unquantized);
    free(quantization->tensors);
    free(quantization);
}

/* --- adding tensors --- */

struct planner {
    struct lfm_quantization *plan;
    const struct lfm_config *config;
    bool quantize_embedding;
    struct lfm_error *error;
};

static void name_tensor(char name[128], const struct planner *planner, enum lfm_container container,
                        enum lfm_tensor_role role, size_t layer, size_t expert)
{
    const char *pattern = lfm_tensor_name_pattern(container, planner->config->architecture, role);
    snprintf(name, 128, pattern ? pattern : "?", layer, expert);
}

/* Appends the tensor and fills in its size. */
static enum lfm_status add(struct planner *planner, const struct lfm_planned_tensor *tensor)
{
    struct lfm_quantization *plan = planner->plan;
    LFM_TRY(LFM_GROW(&plan->tensors, &plan->capacity, plan->count + 1, planner->error));
    struct lfm_planned_tensor *added = &plan->tensors[plan->count++];
    *added = *tensor;
    size_t row_bytes;
    LFM_TRY(lfm_format_row_bytes(added->format, added->columns, &row_bytes, planner->error));
    added->bytes = added->rows * row_bytes;
    plan->bytes += added->bytes;
    if (!added->scales) plan->elements += added->rows * added->columns;
    return LFM_OK;
}

/* The type in which something that is not to be quantized is written: that of the stored tensor, if the directory can
 * hold it without scales; GGUF files keep such tensors in F32. */
static const struct lfm_format *kept_format(const struct planner *planner, const struct lfm_format *stored)
{
    if (planner->plan->container == LFM_GGUF) return lfm_format_by_name("f32");
    if (stored && stored->safetensors_dtype && stored->scaled_max <= 0) return stored;
    return lfm_format_by_name("bf16");
}

/* A vector or conv kernel, from the model's FP32 copy. */
static enum lfm_status add_values(struct planner *planner, enum lfm_tensor_role role, size_t layer, const float *values,
                                  size_t n_dimensions, const size_t *shape)
{
    const struct lfm_quantization *plan = planner->plan;
    const struct lfm_checkpoint *checkpoint = plan->model->checkpoint;
    char source[128];
    name_tensor(source, planner, checkpoint->container, role, layer, 0);
    const struct lfm_tensor *stored = lfm_checkpoint_find(checkpoint, "%s", source);
    struct lfm_planned_tensor tensor = {.values = values, .n_dimensions = n_dimensions, .rows = 1};
    tensor.format = kept_format(
        planner, checkpoint->container == LFM_HUGGING_FACE && stored ? stored->format : lfm_format_by_name("f32"));
    for (size_t i = 0; i < n_dimensions; i++) tensor.shape[i] = shape[i];
    for (size_t i = 0; i + 1 < n_dimensions; i++) tensor.rows *= shape[i];
    tensor.columns = shape[n_dimensions - 1];
    name_tensor(tensor.name, planner, plan->container, role, layer, 0);
    return add(planner, &tensor);
}

static enum lfm_status add_vector(struct planner *planner, enum lfm_tensor_role role, size_t layer, const float *values,
                                  size_t n)
{
    return add_values(planner, role, layer, values, 1, &n);
}

/* One matrix, or a stack of `count` of them as a tensor of three dimensions. */
static struct lfm_planned_tensor describe_matrices(const struct planner *planner, enum lfm_tensor_role role,
                                                   size_t layer, size_t expert, const struct lfm_matrix *matrices,
                                                   size_t stride, size_t count)
{
    struct lfm_planned_tensor tensor = {.matrices = matrices, .stride = stride, .matrix_rows = matrices->rows};
    tensor.rows = matrices->rows * (count > 0 ? count : 1);
    tensor.columns = matrices->columns;
    if (count > 0) tensor.shape[tensor.n_dimensions++] = count;
    tensor.shape[tensor.n_dimensions++] = matrices->rows;
    tensor.shape[tensor.n_dimensions++] = matrices->columns;
    name_tensor(tensor.name, planner, planner->plan->container, role, layer, expert);
    return tensor;
}

/* The scales of an FP8 weight "x.weight" follow it as "x.weight_scale", shaped as compressed-tensors has them. */
static enum lfm_status add_scales(struct planner *planner, const struct lfm_planned_tensor *weight)
{
    enum lfm_scale scale = planner->plan->scale;
    struct lfm_planned_tensor tensor = {.scales = true, .format = lfm_format_by_name("f32")};
    lfm_scale_shape(scale, weight->rows, weight->columns, &tensor.rows, &tensor.columns);
    tensor.n_dimensions = scale == LFM_SCALE_TENSOR ? 1 : 2;
    tensor.shape[0] = tensor.rows;
    tensor.shape[1] = tensor.columns;
    snprintf(tensor.name, sizeof tensor.name, "%.100s_scale", weight->name);
    return add(planner, &tensor);
}

static enum lfm_status add_quantized(struct planner *planner, struct lfm_planned_tensor *tensor)
{
    struct lfm_quantization *plan = planner->plan;
    tensor->format = plan->format;
    if (tensor->columns % plan->format->block_size != 0) {
        tensor->format = lfm_format_by_name("f16");
        LFM_TRY(lfm_notes_add(&plan->fallbacks, planner->error, "%s: f16 (rows of %zu are no multiple of %zu)",
                              tensor->name, tensor->columns, plan->format->block_size));
    }
    LFM_TRY(add(planner, tensor));
    return tensor->format->scaled_max > 0 ? add_scales(planner, tensor) : LFM_OK;
}

static enum lfm_status add_matrix(struct planner *planner, enum lfm_tensor_role role, size_t layer,
                                  const struct lfm_matrix *matrix)
{
    struct lfm_planned_tensor tensor = describe_matrices(planner, role, layer, 0, matrix, 0, 0);
    return add_quantized(planner, &tensor);
}

/* The name of the module that holds tensor "<module>.weight". */
static enum lfm_status leave_unquantized(struct planner *planner, const char *name)
{
    static const char suffix[] = ".weight";
    size_t length = strlen(name);
    if (length > sizeof suffix - 1 && strcmp(name + length - (sizeof suffix - 1), suffix) == 0)
        length -= sizeof suffix - 1;
    return lfm_notes_add(&planner->plan->unquantized, planner->error, "%.*s", (int)length, name);
}

static enum lfm_status add_kept_matrix(struct planner *planner, enum lfm_tensor_role role, size_t layer,
                                       const struct lfm_matrix *matrix)
{
    struct lfm_planned_tensor tensor = describe_matrices(planner, role, layer, 0, matrix, 0, 0);
    tensor.format = kept_format(planner, matrix->format);
    LFM_TRY(add(planner, &tensor));
    return leave_unquantized(planner, tensor.name);
}

/* FP8 directories are for runtimes that look embeddings up unquantized and share them with the head. */
static enum lfm_status add_embedding(struct planner *planner, enum lfm_tensor_role role,
                                     const struct lfm_matrix *matrix)
{
    struct lfm_quantization *plan = planner->plan;
    if (plan->format->scaled_max <= 0 || planner->quantize_embedding) return add_matrix(planner, role, 0, matrix);
    LFM_TRY(add_kept_matrix(planner, role, 0, matrix));
    const struct lfm_planned_tensor *added = &plan->tensors[plan->count - 1];
    return lfm_notes_add(&plan->fallbacks, planner->error,
                         "%s: %s (runtimes load no %s embeddings; --embedding quantizes them)", added->name,
                         added->format->name, plan->format->name);
}

/* --- layers --- */

/* Files of llama models in GGUF rotate neighbours and order the rows of each head for that; those of
 * Hugging Face rotate halves. */
static enum lfm_status add_rotated(struct planner *planner, enum lfm_tensor_role role, size_t layer,
                                   const struct lfm_matrix *matrix)
{
    const struct lfm_config *config = planner->config;
    struct lfm_planned_tensor tensor = describe_matrices(planner, role, layer, 0, matrix, 0, 0);
    if (config->architecture == LFM_ARCH_LLAMA) {
        enum lfm_rope wanted = planner->plan->container == LFM_GGUF ? LFM_ROPE_NEIGHBOURS : LFM_ROPE_HALVES;
        tensor.head_dim = config->head_dim;
        if (config->rope != wanted)
            tensor.order =
                wanted == LFM_ROPE_NEIGHBOURS ? LFM_ROWS_HALVES_TO_NEIGHBOURS : LFM_ROWS_NEIGHBOURS_TO_HALVES;
    }
    return add_quantized(planner, &tensor);
}

static enum lfm_status plan_attention(struct planner *planner, size_t l, const struct lfm_layer *layer)
{
    size_t A = planner->config->head_dim;
    LFM_TRY(add_rotated(planner, LFM_TENSOR_Q_PROJ, l, &layer->q_proj));
    LFM_TRY(add_rotated(planner, LFM_TENSOR_K_PROJ, l, &layer->k_proj));
    LFM_TRY(add_matrix(planner, LFM_TENSOR_V_PROJ, l, &layer->v_proj));
    LFM_TRY(add_matrix(planner, LFM_TENSOR_OUT_PROJ, l, &layer->out_proj));
    if (!layer->q_layernorm) return LFM_OK;
    LFM_TRY(add_vector(planner, LFM_TENSOR_Q_LAYERNORM, l, layer->q_layernorm, A));
    return add_vector(planner, LFM_TENSOR_K_LAYERNORM, l, layer->k_layernorm, A);
}

static enum lfm_status plan_convolution(struct planner *planner, size_t l, const struct lfm_layer *layer)
{
    size_t D = planner->config->hidden_size, L = planner->config->conv_l_cache;
    bool gguf = planner->plan->container == LFM_GGUF;
    LFM_TRY(add_matrix(planner, LFM_TENSOR_CONV_IN_PROJ, l, &layer->in_proj));
    LFM_TRY(add_values(planner, LFM_TENSOR_CONV, l, layer->conv, gguf ? 2 : 3,
                       gguf ? (const size_t[]){D, L} : (const size_t[]){D, 1, L}));
    LFM_TRY(leave_unquantized(planner, planner->plan->tensors[planner->plan->count - 1].name));
    return add_matrix(planner, LFM_TENSOR_CONV_OUT_PROJ, l, &layer->conv_out_proj);
}

/* The experts' matrices at `first` within struct lfm_ffn: stacked in GGUF files, one by one in directories. */
static enum lfm_status add_experts(struct planner *planner, enum lfm_tensor_role role, size_t l,
                                   const struct lfm_matrix *first)
{
    size_t E = planner->config->num_experts;
    struct lfm_planned_tensor tensor;
    if (planner->plan->container == LFM_GGUF) {
        tensor = describe_matrices(planner, role, l, 0, first, sizeof(struct lfm_ffn), E);
        return add_quantized(planner, &tensor);
    }
    for (size_t e = 0; e < E; e++) {
        const void *matrix = (const char *)first + e * sizeof(struct lfm_ffn);
        tensor = describe_matrices(planner, role, l, e, matrix, 0, 0);
        LFM_TRY(add_quantized(planner, &tensor));
    }
    return LFM_OK;
}

static enum lfm_status plan_feed_forward(struct planner *planner, size_t l, const struct lfm_layer *layer)
{
    const struct lfm_config *config = planner->config;
    if (!lfm_layer_is_moe(config, l)) {
        LFM_TRY(add_matrix(planner, LFM_TENSOR_W1, l, &layer->dense.w1));
        LFM_TRY(add_matrix(planner, LFM_TENSOR_W3, l, &layer->dense.w3));
        return add_matrix(planner, LFM_TENSOR_W2, l, &layer->dense.w2);
    }
    LFM_TRY(add_kept_matrix(planner, LFM_TENSOR_ROUTER, l, &layer->gate));
    if (layer->expert_bias)
        LFM_TRY(add_vector(planner, LFM_TENSOR_EXPERT_BIAS, l, layer->expert_bias, config->num_experts));
    LFM_TRY(add_experts(planner, LFM_TENSOR_EXPERT_W1, l, &layer->experts->w1));
    LFM_TRY(add_experts(planner, LFM_TENSOR_EXPERT_W3, l, &layer->experts->w3));
    return add_experts(planner, LFM_TENSOR_EXPERT_W2, l, &layer->experts->w2);
}

static enum lfm_status plan_tensors(struct planner *planner)
{
    const struct lfm_model *model = planner->plan->model;
    size_t D = planner->config->hidden_size;
    LFM_TRY(add_embedding(planner, LFM_TENSOR_EMBED_TOKENS, &model->embed_tokens));
    LFM_TRY(add_vector(planner, LFM_TENSOR_EMBEDDING_NORM, 0, model->embedding_norm, D));
    if (!planner->config->tie_word_embeddings) LFM_TRY(add_embedding(planner, LFM_TENSOR_LM_HEAD, &model->lm_head));
    for (size_t l = 0; l < planner->config->num_hidden_layers; l++) {
        const struct lfm_layer *layer = &model->layers[l];
        LFM_TRY(add_vector(planner, LFM_TENSOR_OPERATOR_NORM, l, layer->operator_norm, D));
        LFM_TRY(layer->operator_type == LFM_CONV ? plan_convolution(planner, l, layer)
                                                 : plan_attention(planner, l, layer));
        LFM_TRY(add_vector(planner, LFM_TENSOR_FFN_NORM, l, layer->ffn_norm, D));
        LFM_TRY(plan_feed_forward(planner, l, layer));
    }
    return LFM_OK;
}

/* --- what other programs will not understand, and what is left behind --- */

static enum lfm_status warn_of_gguf_limits(struct planner *planner)
{
    const struct lfm_config *config = planner->config;
    struct lfm_notes *warnings = &planner->plan->warnings;
    if (config->num_experts == 0) return LFM_OK;
    if (config->routed_scaling_factor != 1.0)
        LFM_TRY(lfm_notes_add(warnings, planner->error,
                              "routed_scaling_factor is %g: llama.cpp takes it for 1 and will compute something else; "
                              "lfmscope reads lfm2moe.expert_weights_scale", config->routed_scaling_factor));
    if (!config->norm_topk_prob)
        LFM_TRY(lfm_notes_add(warnings, planner->error,
                              "norm_topk_prob is false: llama.cpp takes it for true and will compute something else; "
                              "lfmscope reads lfm2moe.expert_weights_norm"));
    if (!config->use_expert_bias)
        LFM_TRY(lfm_notes_add(
            warnings, planner->error,
            "use_expert_bias is false, so there are no exp_probs_b tensors: llama.cpp will refuse the file"));
    return LFM_OK;
}

/* Tensors of the source that have no role in the model. */
static enum lfm_status warn_of_unused(struct planner *planner)
{
    const struct lfm_checkpoint *checkpoint = planner->plan->model->checkpoint;
    size_t unused = 0;
    const char *first = NULL;
    for (size_t i = 0; i < checkpoint->n_tensors; i++) {
        const struct lfm_tensor *tensor = &checkpoint->tensors[i];
        enum lfm_tensor_role role;
        size_t layer, expert, length = strlen(tensor->name);
        bool scale = length > 6 && strcmp(tensor->name + length - 6, "_scale") == 0;
        bool known = lfm_tensor_role_of(checkpoint->container, planner->config->architecture, tensor->name, &role,
                                        &layer, &expert);
        if (scale || (known && !(role == LFM_TENSOR_LM_HEAD && planner->config->tie_word_embeddings))) continue;
        if (unused++ == 0) first = tensor->name;
    }
    if (unused == 0) return LFM_OK;
    return lfm_notes_add(&planner->plan->warnings, planner->error,
                         "%zu tensors of the source are not part of the model and were left out, '%s' first", unused,
                         first);
}

static enum lfm_status warn_of_formats(struct planner *planner)
{
    const struct lfm_quantization *plan = planner->plan;
    if (plan->format->scaled_max > 0 && strcmp(plan->format->safetensors_dtype, "F8_E4M3") != 0)
        LFM_TRY(lfm_notes_add(&planner->plan->warnings, planner->error,
                              "compressed-tensors knows FP8 as E4M3 only: other programs may refuse %s weights",
                              plan->format->name));
    if (plan->format->scaled_max > 0 && planner->quantize_embedding)
        LFM_TRY(lfm_notes_add(
            &planner->plan->warnings, planner->error,
            "the embedding is %s: lfmscope reads it, other programs ignore its scales or refuse the directory",
            plan->format->name));
    return LFM_OK;
}

static enum lfm_status check_format(const struct lfm_quantization_options *options, struct lfm_error *error)
{
    const struct lfm_format *format = options->format;
    if (!format->encode_row)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "lfmscope reads %s but does not write it: expected one of %s",
                        format->name, lfm_format_encodable_names());
    if (options->container == LFM_GGUF && format->gguf_type < 0)
        return lfm_fail(error, LFM_ERROR_ARGUMENT,
                        "GGUF has no type for %s: write to a directory (a name without .gguf)", format->name);
    if (options->container == LFM_HUGGING_FACE && !format->safetensors_dtype)
        return lfm_fail(error, LFM_ERROR_ARGUMENT,
                        "safetensors files have no type for %s: write to a name that ends in .gguf", format->name);
    return LFM_OK;
}

enum lfm_status lfm_quantization_plan(struct lfm_quantization **out, const struct lfm_model *model,
                                      const struct lfm_quantization_options *options, struct lfm_error *error)
{
    *out = NULL;
    LFM_TRY(check_format(options, error));
    struct lfm_quantization *plan;
    LFM_TRY(LFM_ALLOC(&plan, 1, error));
    plan->model = model;
    plan->container = options->container;
    plan->format = options->format;
    plan->scale = options->scale;
    struct planner planner = {plan, &model->config, options->quantize_embedding, error};
    enum lfm_status status = plan_tensors(&planner);
    if (status == LFM_OK && options->container == LFM_GGUF) status = warn_of_gguf_limits(&planner);
    if (status == LFM_OK) status = warn_of_formats(&planner);
    if (status == LFM_OK) status = warn_of_unused(&planner);
    if (status != LFM_OK) {
        lfm_quantization_free(plan);
        return status;
    }
    *out = plan;
    return LFM_OK;
}
