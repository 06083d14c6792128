/* One sequence through the model: see pass.h. */
#include "eval/conform/pass.h"

#include "reference/base/memory.h"
#include "reference/model/forward.h"
#include "reference/model/ops.h"
#include "reference/model/state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static enum lfm_status observe(void *context, const struct lfm_announcement *announcement, struct lfm_error *error)
{
    struct lfm_pass *pass = context;
    size_t row = announcement->layer * pass->T + announcement->first_position, n = announcement->n_tokens;
    (void)error;
    switch (announcement->point) {
    case LFM_POINT_ROUTER_LOGITS:
        memcpy(pass->router_logits + row * pass->E, announcement->values, n * pass->E * sizeof(float));
        break;
    case LFM_POINT_ROUTER_WEIGHTS:
        memcpy(pass->weights + row * pass->K, announcement->values, n * pass->K * sizeof(float));
        memcpy(pass->selected + row * pass->K, announcement->selected, n * pass->K * sizeof(int32_t));
        break;
    case LFM_POINT_RESIDUAL:
        memcpy(pass->residual + row * pass->D, announcement->values, n * pass->D * sizeof(float));
        break;
    default: break;
    }
    return LFM_OK;
}

static enum lfm_status prepare(struct lfm_pass *pass, const struct lfm_model *model, size_t T, bool with_logits,
                               struct lfm_error *error)
{
    const struct lfm_config *config = &model->config;
    *pass = (struct lfm_pass){.T = T,
                              .L = config->num_hidden_layers,
                              .D = config->hidden_size,
                              .E = config->num_experts,
                              .K = config->num_experts_per_tok,
                              .V = config->vocab_size};
    LFM_TRY(LFM_ALLOC(&pass->router_logits, pass->L * T * pass->E, error));
    LFM_TRY(LFM_ALLOC(&pass->selected, pass->L * T * pass->K, error));
    LFM_TRY(LFM_ALLOC(&pass->weights, pass->L * T * pass->K, error));
    LFM_TRY(LFM_ALLOC(&pass->residual, pass->L * T * pass->D, error));
    LFM_TRY(LFM_ALLOC(&pass->hidden, T * pass->D, error));
    return with_logits ? LFM_ALLOC(&pass->logits, T * pass->V, error) : LFM_OK;
}

enum lfm_status lfm_pass_run(struct lfm_pass *pass, const struct lfm_model *model, const int32_t *ids, size_t T,
                             size_t first, struct lfm_error *error)
{
    struct lfm_state *state = NULL;
    const struct lfm_observer observer = {observe, pass};
    enum lfm_status status = prepare(pass, model, T, first < T, error);
    if (status == LFM_OK) status = lfm_state_new(&state, model, error);
    if (status == LFM_OK) status = lfm_forward(model, state, ids, T, &observer, pass->hidden, error);
    if (status == LFM_OK && first < T)
        status = lfm_logits(model, pass->hidden + first * pass->D, T - first, pass->logits + first * pass->V, error);
    lfm_state_free(state);
    return status;
}

void lfm_pass_release(struct lfm_pass *pass)
{
    free(pass->router_logits);
    free(pass->selected);
    free(pass->weights);
    free(pass->residual);
    free(pass->hidden);
    free(pass->logits);
    *pass = (struct lfm_pass){0};
}

static bool is_chosen(const int32_t *selected, size_t K, size_t e)
{
    for (size_t k = 0; k < K; k++)
        if (selected[k] == (int32_t)e) return true;
    return false;
}

double lfm_pass_margin(const struct lfm_pass *pass, const struct lfm_model *model, size_t l, size_t t)
{
    const float *logits = pass->router_logits + (l * pass->T + t) * pass->E;
    const int32_t *selected = pass->selected + (l * pass->T + t) * pass->K;
    const float *bias = model->layers[l].expert_bias;
    double worst = INFINITY, best = -INFINITY;
    if (!lfm_layer_is_moe(&model->config, l)) return INFINITY;
    for (size_t e = 0; e < pass->E; e++) {
        double score = 1 / (1 + exp(-(double)logits[e])) + (bias ? (double)bias[e] : 0);
        if (is_chosen(selected, pass->K, e)) worst = fmin(worst, score);
        else best = fmax(best, score);
    }
    return worst - best;
}

double lfm_pass_upstream(const struct lfm_pass *pass, const struct lfm_model *model, size_t layers, size_t t)
{
    double least = INFINITY;
    for (size_t l = 0; l < layers; l++)
        for (size_t i = 0; i <= t; i++) least = fmin(least, lfm_pass_margin(pass, model, l, i));
    return least;
}

bool lfm_pass_bias_decides(const struct lfm_pass *pass, size_t l, size_t t)
{
    int32_t unbiased[LFM_MAX_EXPERTS];
    const int32_t *selected = pass->selected + (l * pass->T + t) * pass->K;
    lfm_select_experts(unbiased, pass->router_logits + (l * pass->T + t) * pass->E, NULL, 1, pass->E, pass->K);
    for (size_t k = 0; k < pass->K; k++)
        if (!is_chosen(selected, pass->K, (size_t)unbiased[k])) return true;
    return false;
}
