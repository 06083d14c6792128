/* Routing decisions out of a trace: see load.h. */
#include "quant/load.h"

#include "quant/corpus.h"
#include "reference/base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { SLAB = 1024 }; /* tokens read at a time */

static enum lfm_status chosen_twice(const struct lfm_trace *trace, size_t layer, size_t token, int expert,
                                    struct lfm_error *error)
{
    return lfm_fail(error, LFM_ERROR_FORMAT, "'%s': token %zu of layer %zu chose expert %d twice",
                    lfm_trace_information(trace)->path, token, layer, expert);
}

static enum lfm_status read_layer(struct lfm_choices *choices, size_t i, const struct lfm_trace *trace, int32_t *slab,
                                  struct lfm_error *error)
{
    size_t T = choices->tokens, K = choices->per_token, layer = choices->layers[i];
    uint16_t *selected = choices->selected + i * T * K;
    uint32_t *counts = choices->counts + i * choices->experts;
    for (size_t first = 0; first < T; first += SLAB) {
        size_t n = T - first < SLAB ? T - first : SLAB;
        if (lfm_interrupted()) return lfm_fail(error, LFM_ERROR_STOPPED, "interrupted while reading routers");
        LFM_TRY(lfm_trace_read_selected(trace, layer, first, n, slab, error));
        for (size_t j = 0; j < n * K; j++) {
            for (size_t other = j / K * K; other < j; other++)
                if (slab[other] == slab[j]) return chosen_twice(trace, layer, first + j / K, slab[j], error);
            selected[first * K + j] = (uint16_t)slab[j];
            counts[slab[j]]++;
        }
    }
    return LFM_OK;
}

/* A document is a run of tokens that follow each other. */
static enum lfm_status read_documents(struct lfm_choices *choices, const struct lfm_trace *trace,
                                      struct lfm_error *error)
{
    int32_t *documents = NULL, *positions = NULL;
    size_t T = choices->tokens;
    enum lfm_status status;
    LFM_TRY_DONE(LFM_ALLOC(&documents, T, error));
    LFM_TRY_DONE(LFM_ALLOC(&positions, T, error));
    LFM_TRY_DONE(LFM_ALLOC(&choices->starts, T + 1, error));
    LFM_TRY_DONE(lfm_trace_read_documents(trace, 0, T, documents, error));
    LFM_TRY_DONE(lfm_trace_read_positions(trace, 0, T, positions, error));
    for (size_t t = 0; t < T; t++)
        if (t == 0 || !lfm_tokens_adjacent(documents, positions, t - 1)) choices->starts[choices->n_documents++] = t;
    choices->starts[choices->n_documents] = T;

done:
    free(documents);
    free(positions);
    return status;
}

static enum lfm_status find_layers(struct lfm_choices *choices, const struct lfm_trace *trace, struct lfm_error *error)
{
    const struct lfm_trace_information *information = lfm_trace_information(trace);
    if (information->experts == 0)
        return lfm_fail(error, LFM_ERROR_MISMATCH, "'%s' has no router data: the model has no experts",
                        information->path);
    if (information->tokens == 0) return lfm_fail(error, LFM_ERROR_MISMATCH, "'%s' holds no tokens", information->path);
    LFM_TRY(LFM_ALLOC(&choices->layers, information->layers, error));
    for (size_t layer = 0; layer < information->layers; layer++)
        if (lfm_trace_width(trace, layer, LFM_POINT_ROUTER_SELECTED) > 0) choices->layers[choices->n_layers++] = layer;
    if (choices->n_layers > 0) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_MISMATCH,
                    "'%s' has no 'router/selected': trace with --points router/selected, without --statistics-only",
                    information->path);
}

enum lfm_status lfm_choices_read(struct lfm_choices *out, const struct lfm_trace *trace, struct lfm_error *error)
{
    const struct lfm_trace_information *information = lfm_trace_information(trace);
    int32_t *slab = NULL;
    enum lfm_status status;
    *out = (struct lfm_choices){.tokens = information->tokens, .experts = information->experts,
                                .per_token = information->experts_per_token};
    LFM_TRY_DONE(find_layers(out, trace, error));
    LFM_TRY_DONE(LFM_ALLOC(&out->selected, out->n_layers * out->tokens * out->per_token, error));
    LFM_TRY_DONE(LFM_ALLOC(&out->counts, out->n_layers * out->experts, error));
    LFM_TRY_DONE(LFM_ALLOC(&slab, SLAB * out->per_token, error));
    LFM_TRY_DONE(read_documents(out, trace, error));
    for (size_t i = 0; i < out->n_layers; i++) LFM_TRY_DONE(read_layer(out, i, trace, slab, error));

done:
    free(slab);
    if (status != LFM_OK) lfm_choices_release(out);
    return status;
}

void lfm_choices_release(struct lfm_choices *choices)
{
    free(choices->layers);
    free(choices->selected);
    free(choices->counts);
    free(choices->starts);
    *choices = (struct lfm_choices){0};
}

const uint16_t *lfm_choices_of(const struct lfm_choices *choices, size_t i)
{
    return choices->selected + i * choices->tokens * choices->per_token;
}
