/* What a decoding step must read. See bench.h.
 *
 * Counted: every stored weight that the step multiplies with, once, however many sequences share it; keys, values and
 * conv columns of every sequence. Not counted: activations, which stay in the caches, and what is written. */
#include "quant/bench.h"

#include "reference/base/memory.h"
#include "reference/model/observer.h"
#include "reference/model/state.h"

#include <math.h>
#include <stdlib.h>

double lfm_step_bytes_total(const struct lfm_step_bytes *bytes)
{
    return bytes->weights + bytes->experts + bytes->kv + bytes->state;
}

static double bytes_of(const struct lfm_matrix *matrix)
{
    return (double)lfm_matrix_bytes(matrix);
}

static double ffn_bytes(const struct lfm_ffn *ffn)
{
    return bytes_of(&ffn->w1) + bytes_of(&ffn->w3) + bytes_of(&ffn->w2);
}

/* Vectors and kernels are held in FP32. */
static double float_bytes(size_t n)
{
    return (double)(n * sizeof(float));
}

static double operator_bytes(const struct lfm_config *config, const struct lfm_layer *layer)
{
    size_t norms = layer->q_layernorm ? 2 * config->head_dim : 0;
    if (layer->operator_type == LFM_CONV)
        return bytes_of(&layer->in_proj) + bytes_of(&layer->conv_out_proj) +
               float_bytes(config->hidden_size * config->conv_l_cache);
    return bytes_of(&layer->q_proj) + bytes_of(&layer->k_proj) + bytes_of(&layer->v_proj) + bytes_of(&layer->out_proj) +
           float_bytes(norms);
}

/* What every token of a layer uses, whatever it is. */
static double layer_bytes(const struct lfm_config *config, const struct lfm_layer *layer, bool moe)
{
    double bytes = operator_bytes(config, layer) + float_bytes(2 * config->hidden_size);
    if (!moe) return bytes + ffn_bytes(&layer->dense);
    return bytes + bytes_of(&layer->gate) + (layer->expert_bias ? float_bytes(config->num_experts) : 0);
}

static double shared_bytes(const struct lfm_model *model, size_t batch)
{
    const struct lfm_config *config = &model->config;
    double bytes = bytes_of(&model->lm_head) + float_bytes(config->hidden_size);
    bytes += (double)(batch * model->embed_tokens.row_bytes);
    for (size_t l = 0; l < config->num_hidden_layers; l++)
        bytes += layer_bytes(config, &model->layers[l], lfm_layer_is_moe(config, l));
    return bytes;
}

/* --- experts --- */

enum lfm_status lfm_expert_use_open(struct lfm_expert_use *use, const struct lfm_model *model, struct lfm_error *error)
{
    *use = (struct lfm_expert_use){.model = model};
    return LFM_ALLOC(&use->last_step, model->config.num_hidden_layers * model->config.num_experts, error);
}

void lfm_expert_use_step(struct lfm_expert_use *use)
{
    use->steps++;
}

enum lfm_status lfm_expert_use_observe(void *context, const struct lfm_announcement *announcement,
                                       struct lfm_error *error)
{
    struct lfm_expert_use *use = context;
    (void)error;
    if (announcement->point != LFM_POINT_ROUTER_SELECTED) return LFM_OK;
    size_t *last_step = use->last_step + announcement->layer * use->model->config.num_experts;
    const struct lfm_layer *layer = &use->model->layers[announcement->layer];
    for (size_t i = 0; i < announcement->n_tokens * announcement->width; i++) {
        size_t expert = (size_t)announcement->selected[i];
        if (last_step[expert] == use->steps) continue;
        last_step[expert] = use->steps;
        use->chosen++;
        use->bytes += ffn_bytes(&layer->experts[expert]);
    }
    return LFM_OK;
}

double lfm_expert_use_mean(const struct lfm_expert_use *use)
{
    const struct lfm_config *config = &use->model->config;
    size_t layers = 0;
    for (size_t l = 0; l < config->num_hidden_layers; l++) layers += lfm_layer_is_moe(config, l);
    return layers > 0 && use->steps > 0 ? use->chosen / (double)(layers * use->steps) : NAN;
}

void lfm_expert_use_close(struct lfm_expert_use *use)
{
    free(use->last_step);
    *use = (struct lfm_expert_use){0};
}

struct lfm_step_bytes lfm_step_bytes(const struct lfm_model *model, const struct lfm_expert_use *use, size_t batch,
                                     size_t context, size_t steps)
{
    /* Step s = 1 .. steps attends to context + s tokens, its own included. */
    struct lfm_state_bytes first = lfm_state_bytes(model, context + 1), last = lfm_state_bytes(model, context + steps);
    return (struct lfm_step_bytes){
        .weights = shared_bytes(model, batch),
        .experts = use->steps > 0 ? use->bytes / (double)use->steps : 0,
        .kv = (double)batch * ((double)first.kv_cache + (double)last.kv_cache) / 2,
        .state = (double)batch * (double)last.conv_state,
    };
}
