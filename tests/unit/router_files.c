/* Traces with routers decided by hand. */
#include "tests/unit/router_files.h"

#include "reference/model/ops.h"
#include "tests/unit/assert.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct lfm_error error;

void choose_pair(struct router_scores *scores, size_t a, size_t b)
{
    for (size_t e = 0; e < MADE_EXPERTS; e++) scores->of[e] = 0.1;
    scores->of[a] = 0.9;
    scores->of[b] = 0.8;
}

void made_model_route(struct made_model *made)
{
    memset(made->expert_bias, 0, sizeof made->expert_bias);
    assert_ok(lfm_selection_parse_points(&made->options.selection, "router", &made->model.config, &error));
}

static void announce(const struct lfm_observer *observer, size_t layer, enum lfm_point point, size_t position,
                     size_t width, float *values, int32_t *selected)
{
    const struct lfm_announcement announcement = {.point = point, .layer = layer, .first_position = position, .n_tokens = 1,
                                                  .width = width, .values = values, .selected = selected};
    assert_ok(observer->observe(observer->context, &announcement, &error));
}

static void announce_scores(const struct made_model *made, const struct lfm_observer *observer, size_t layer,
                            size_t position, const struct router_scores *scores)
{
    float logits[MADE_EXPERTS], weights[MADE_CHOSEN];
    int32_t selected[MADE_CHOSEN];
    for (size_t e = 0; e < MADE_EXPERTS; e++) logits[e] = (float)log(scores->of[e] / (1 - scores->of[e]));
    lfm_select_experts(selected, logits, made->expert_bias, 1, MADE_EXPERTS, MADE_CHOSEN);
    lfm_expert_weights(weights, selected, logits, 1, MADE_EXPERTS, MADE_CHOSEN, true, 1);
    announce(observer, layer, LFM_POINT_ROUTER_LOGITS, position, MADE_EXPERTS, logits, NULL);
    announce(observer, layer, LFM_POINT_ROUTER_SELECTED, position, MADE_CHOSEN, NULL, selected);
    announce(observer, layer, LFM_POINT_ROUTER_WEIGHTS, position, MADE_CHOSEN, weights, selected);
}

void write_routes(const struct made_model *made, const char *name, const struct router_scores *const layers[ROUTER_LAYERS],
                  size_t tokens, bool complete)
{
    struct lfm_trace_writer *writer;
    size_t t = 0;
    assert_ok(lfm_trace_writer_open(&writer, in_directory(name), &made->model, &made->provenance, &made->documents,
                                    &made->options, &error));
    for (size_t d = 0; d < made->documents.count; d++)
        for (size_t i = 0; i < made->documents.items[d].tokens.count && t < tokens; i++, t++) {
            assert_ok(lfm_trace_writer_add_tokens(writer, d, i, made->documents.items[d].tokens.ids + i, 1, &error));
            for (size_t l = 0; l < ROUTER_LAYERS; l++)
                announce_scores(made, lfm_trace_writer_observer(writer), FIRST_ROUTER + l, i, &layers[l][t]);
            assert_ok(lfm_trace_writer_flush(writer, &error));
        }
    assert_ok(lfm_trace_writer_finish(writer, complete, &error));
    lfm_trace_writer_close(writer);
}
