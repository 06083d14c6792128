/* The state of one sequence: see state.h. */
#include "reference/model/state.h"

#include "reference/base/memory.h"

#include <stdlib.h>
#include <string.h>

static size_t conv_floats(const struct lfm_config *config)
{
    return (config->conv_l_cache - 1) * config->hidden_size;
}

static enum lfm_status init_layer(struct lfm_state *state, size_t l, struct lfm_error *error)
{
    const struct lfm_config *config = &state->model->config;
    const struct lfm_format *format = state->model->kv;
    struct lfm_layer_state *layer = &state->layers[l];
    size_t width = config->num_key_value_heads * config->head_dim;
    if (config->layer_types[l] == LFM_CONV) return LFM_ALLOC(&layer->conv, conv_floats(config), error);
    LFM_TRY(lfm_kv_init(&layer->keys, format, width, error));
    return lfm_kv_init(&layer->values, format, width, error);
}

enum lfm_status lfm_state_new(struct lfm_state **out, const struct lfm_model *model, struct lfm_error *error)
{
    const struct lfm_config *config = &model->config;
    struct lfm_state *state;
    *out = NULL;
    LFM_TRY(LFM_ALLOC(&state, 1, error));
    state->model = model;
    enum lfm_status status = LFM_ALLOC(&state->layers, config->num_hidden_layers, error);
    for (size_t l = 0; l < config->num_hidden_layers && status == LFM_OK; l++) status = init_layer(state, l, error);
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
        lfm_kv_release(&state->layers[l].keys);
        lfm_kv_release(&state->layers[l].values);
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

    size_t target = needed;
    for (size_t l = 0; l < config->num_hidden_layers; l++) {
        struct lfm_layer_state *layer = &state->layers[l];
        if (config->layer_types[l] != LFM_ATTENTION) continue;
        LFM_TRY(lfm_kv_reserve(&layer->keys, needed, error));
        LFM_TRY(lfm_kv_reserve(&layer->values, needed, error));
        target = layer->keys.capacity;
    }
    state->capacity = target;
    return LFM_OK;
}

enum lfm_status lfm_state_copy(struct lfm_state *to, const struct lfm_state *from, struct lfm_error *error)
{
    const struct lfm_config *config = &from->model->config;
    to->n_past = 0;
    LFM_TRY(lfm_state_reserve(to, from->n_past, error));
    for (size_t l = 0; l < config->num_hidden_layers; l++) {
        const struct lfm_layer_state *source = &from->layers[l];
        if (source->conv) memcpy(to->layers[l].conv, source->conv, conv_floats(config) * sizeof(float));
        else {
            lfm_kv_copy(&to->layers[l].keys, &source->keys, from->n_past);
            lfm_kv_copy(&to->layers[l].values, &source->values, from->n_past);
        }
    }
    to->n_past = from->n_past;
    return LFM_OK;
}

static size_t count_conv(const struct lfm_config *config)
{
    size_t n = 0;
    for (size_t l = 0; l < config->num_hidden_layers; l++) n += config->layer_types[l] == LFM_CONV;
    return n;
}

enum lfm_status lfm_mark_set(struct lfm_mark *mark, const struct lfm_state *state, struct lfm_error *error)
{
    const struct lfm_config *config = &state->model->config;
    size_t floats = conv_floats(config), n_conv = count_conv(config);
    if (!mark->conv && n_conv > 0) LFM_TRY(LFM_ALLOC(&mark->conv, n_conv * floats, error));
    float *at = mark->conv;
    for (size_t l = 0; l < config->num_hidden_layers; l++) {
        if (config->layer_types[l] != LFM_CONV) continue;
        memcpy(at, state->layers[l].conv, floats * sizeof *at);
        at += floats;
    }
    mark->n_past = state->n_past;
    return LFM_OK;
}

void lfm_mark_release(struct lfm_mark *mark)
{
    free(mark->conv);
    *mark = (struct lfm_mark){0};
}

void lfm_state_go_back(struct lfm_state *state, const struct lfm_mark *mark, size_t n)
{
    const struct lfm_config *config = &state->model->config;
    if (state->n_past <= n) return;
    state->n_past = mark->conv ? mark->n_past : n;
    if (!mark->conv) return;
    const float *at = mark->conv;
    for (size_t l = 0; l < config->num_hidden_layers; l++) {
        if (config->layer_types[l] != LFM_CONV) continue;
        memcpy(state->layers[l].conv, at, conv_floats(config) * sizeof *at);
        at += conv_floats(config);
    }
}

struct lfm_state_bytes lfm_state_bytes(const struct lfm_model *model, size_t context)
{
    const struct lfm_config *config = &model->config;
    struct lfm_kv kv;
    struct lfm_state_bytes bytes = {0};
    lfm_kv_init(&kv, model->kv, config->num_key_value_heads * config->head_dim, NULL);
    for (size_t l = 0; l < config->num_hidden_layers; l++) {
        if (config->layer_types[l] == LFM_ATTENTION) bytes.kv_cache += 2 * lfm_kv_bytes(&kv, context);
        else bytes.conv_state += conv_floats(config) * sizeof(float);
    }
    return bytes;
}
