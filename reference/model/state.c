/* The state of one sequence: see state.h. */
#include "reference/model/state.h"

#include "reference/base/memory.h"

#include <stdlib.h>
#include <string.h>

static size_t conv_floats(const struct lfm_config *config)
{
    return (config->conv_l_cache - 1) * config->hidden_size;
}

enum lfm_status lfm_state_new(struct lfm_state **out, const struct lfm_model *model, struct lfm_error *error)
{
    const struct lfm_config *config = &model->config;
    struct lfm_state *state;
    *out = NULL;
    LFM_TRY(LFM_ALLOC(&state, 1, error));
    state->model = model;
    enum lfm_status status = LFM_ALLOC(&state->layers, config->num_hidden_layers, error);
    for (size_t l = 0; l < config->num_hidden_layers && status == LFM_OK; l++)
        if (config->layer_types[l] == LFM_CONV) status = LFM_ALLOC(&state->layers[l].conv, conv_floats(config), error);
    if (status != LFM_OK) {
        lfm_state_free(state);
        return status;
    }
    *out = state;
    return LFM_OK;
}

void lfm_state_free(struct lfm_state *state)
{
    if (!state) return;
    for (size_t l = 0; state->layers && l < state->model->config.num_hidden_layers; l++) {
        free(state->layers[l].keys);
        free(state->layers[l].values);
        free(state->layers[l].conv);
    }
    free(state->layers);
    free(state);
}

void lfm_state_clear(struct lfm_state *state)
{
    const struct lfm_config *config = &state->model->config;
    state->n_past = 0;
    for (size_t l = 0; l < config->num_hidden_layers; l++)
        if (state->layers[l].conv) memset(state->layers[l].conv, 0, conv_floats(config) * sizeof(float));
}

enum lfm_status lfm_state_reserve(struct lfm_state *state, size_t n, struct lfm_error *error)
{
    const struct lfm_config *config = &state->model->config;
    size_t limit = config->max_position_embeddings;
    if (n > limit || state->n_past > limit - n)
        return lfm_fail(error, LFM_ERROR_LIMIT,
                        "context exceeded: %zu tokens after %zu, but the model's limit (max_position_embeddings) is %zu",
                        n, state->n_past, limit);
    size_t needed = state->n_past + n;
    if (needed <= state->capacity) return LFM_OK;

    size_t width = config->num_key_value_heads * config->head_dim;
    size_t target = 0;
    for (size_t l = 0; l < config->num_hidden_layers; l++) {
        if (config->layer_types[l] != LFM_ATTENTION) continue;
        struct lfm_layer_state *layer = &state->layers[l];
        size_t keys = state->capacity * width, values = keys; /* both grow by the same rule */
        LFM_TRY(LFM_GROW(&layer->keys, &keys, needed * width, error));
        LFM_TRY(LFM_GROW(&layer->values, &values, needed * width, error));
        target = keys / width;
    }
    state->capacity = target ? target : needed;
    return LFM_OK;
}

enum lfm_status lfm_state_copy(struct lfm_state *to, const struct lfm_state *from, struct lfm_error *error)
{
    const struct lfm_config *config = &from->model->config;
    size_t cached = from->n_past * config->num_key_value_heads * config->head_dim * sizeof(float);
    to->n_past = 0;
    LFM_TRY(lfm_state_reserve(to, from->n_past, error));
    for (size_t l = 0; l < config->num_hidden_layers; l++) {
        const struct lfm_layer_state *source = &from->layers[l];
        if (source->conv) memcpy(to->layers[l].conv, source->conv, conv_floats(config) * sizeof(float));
        if (!source->keys) continue;
        memcpy(to->layers[l].keys, source->keys, cached);
        memcpy(to->layers[l].values, source->values, cached);
    }
    to->n_past = from->n_past;
    return LFM_OK;
}
