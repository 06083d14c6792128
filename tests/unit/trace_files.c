/* Traces with made-up activations. */
#include "tests/unit/trace_files.h"

#include "tests/unit/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct lfm_error error;

static void fill_config(struct lfm_config *config)
{
    *config = (struct lfm_config){
        .architecture = LFM_ARCH_LFM2_MOE,
        .hidden_size = MADE_WIDTH, .num_hidden_layers = MADE_LAYERS, .vocab_size = MADE_VOCABULARY,
        .max_position_embeddings = 4096,
        .num_attention_heads = 2, .num_key_value_heads = 1, .head_dim = 4,
        .intermediate_size = 16, .conv_l_cache = 3, .num_dense_layers = 2,
        .num_experts = MADE_EXPERTS, .num_experts_per_tok = MADE_CHOSEN, .moe_intermediate_size = 5,
        .norm_topk_prob = true, .use_expert_bias = true, .tie_word_embeddings = true,
        .routed_scaling_factor = 1, .norm_eps = 1e-5, .rope_theta = 1e6,
    };
    for (size_t layer = 0; layer < MADE_LAYERS; layer++)
        config->layer_types[layer] = layer % 2 ? LFM_ATTENTION : LFM_CONV;
}

static void fill_documents(struct lfm_documents *documents, const size_t *lengths, size_t n)
{
    documents->items = calloc(n, sizeof *documents->items);
    for (size_t d = 0; d < n; d++) {
        struct lfm_document *document = &documents->items[documents->count++];
        document->name = strdup(d % 2 ? "second" : "first");
        document->label = d % 2 ? strdup("tools") : NULL;
        for (size_t t = 0; t < lengths[d]; t++)
            assert_ok(lfm_tokens_append(&document->tokens, (int32_t)(documents->n_tokens++ % MADE_VOCABULARY), &error));
    }
}

void made_model_init(struct made_model *made, const size_t *lengths, size_t n_documents)
{
    *made = (struct made_model){.noise = 0};
    fill_config(&made->model.config);
    fill_documents(&made->documents, lengths, n_documents);
    for (size_t e = 0; e < MADE_EXPERTS; e++) made->expert_bias[e] = 0.05f * (float)e;
    for (size_t layer = 2; layer < MADE_LAYERS; layer++) made->layers[layer].expert_bias = made->expert_bias;
    made->model.layers = made->layers;
    made->provenance = (struct lfm_provenance){.model = "made",
                                               .weights = "stored",
                                               .activations = "f32",
                                               .kv = "f32",
                                               .bits_per_weight = 16,
                                               .seed = 7,
                                               .threads = 1,
                                               .sha256 = "aa",
                                               .tokenizer_sha256 = "bb",
                                               .created = "2026-01-01T00:00:00Z",
                                               .cpu = "none"};
    assert_ok(lfm_config_to_json(&made->provenance.config, &made->model.config, &error));
    assert_ok(lfm_selection_parse_points(&made->options.selection, NULL, &made->model.config, &error));
    assert_ok(lfm_selection_parse_layers(&made->options.selection, NULL, &made->model.config, &error));
}

void made_model_release(struct made_model *made)
{
    lfm_documents_release(&made->documents);
    lfm_provenance_release(&made->provenance);
}

static float scramble(uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    uint32_t state = a * 2654435761u ^ b * 2246822519u ^ c * 3266489917u ^ d * 668265263u;
    for (int i = 0; i < 3; i++) {
        state ^= state >> 15;
        state *= 2246822519u;
    }
    return (float)(state >> 8) / 8388608.0f - 1.0f;
}

float made_value(const struct made_model *made, size_t layer, enum lfm_point point, size_t token, size_t channel)
{
    uint32_t where = (uint32_t)(layer * LFM_POINT_COUNT + point);
    float value = scramble(where, (uint32_t)token, (uint32_t)channel, 1);
    value += (float)made->noise * scramble(where, (uint32_t)token, (uint32_t)channel, 2);
    for (size_t i = 0; i < made->n_bumps; i++) {
        const struct made_bump *bump = &made->bumps[i];
        if (bump->layer == layer && bump->point == point && bump->token == token && bump->channel == channel)
            value += bump->by;
    }
    return value;
}

static double score(const struct made_model *made, size_t layer, size_t token, size_t expert)
{
    return 1 / (1 + exp(-(double)made_value(made, layer, LFM_POINT_ROUTER_LOGITS, token, expert)));
}

void made_choice(const struct made_model *made, size_t layer, size_t token, int32_t *selected, float *weights)
{
    bool taken[MADE_EXPERTS] = {false};
    double sum = 0;
    for (size_t k = 0; k < MADE_CHOSEN; k++) {
        size_t best = MADE_EXPERTS;
        double best_score = -1;
        for (size_t e = 0; e < MADE_EXPERTS; e++) {
            double biased = score(made, layer, token, e) + (double)made->expert_bias[e];
            if (taken[e] || biased <= best_score) continue;
            best = e;
            best_score = biased;
        }
        taken[best] = true;
        selected[k] = (int32_t)best;
        sum += score(made, layer, token, best);
    }
    for (size_t k = 0; k < MADE_CHOSEN; k++)
        weights[k] = (float)(score(made, layer, token, (size_t)selected[k]) / sum);
}

/* The rows of the chosen experts stand in the reverse of the order in which they are stored. */
static enum lfm_status announce_experts(const struct made_model *made, const struct lfm_observer *observer, size_t layer,
                                        enum lfm_point point, size_t first_token, size_t position, size_t n,
                                        struct lfm_error *failure)
{
    size_t width = lfm_point_width(&made->model.config, layer, point) / MADE_CHOSEN, n_rows = n * MADE_CHOSEN;
    float *values = calloc(n_rows, width * sizeof *values);
    int32_t *selected = calloc(n_rows, sizeof *selected);
    size_t *rows = calloc(n_rows, sizeof *rows);
    for (size_t i = 0; i < n_rows; i++) {
        size_t t = i / MADE_CHOSEN, k = i % MADE_CHOSEN;
        float weights[MADE_CHOSEN];
        made_choice(made, layer, first_token + t, selected + t * MADE_CHOSEN, weights);
        rows[i] = n_rows - 1 - i;
        for (size_t c = 0; c < width; c++)
            values[rows[i] * width + c] = made_value(made, layer, point, first_token + t, k * width + c);
    }
    const struct lfm_announcement announcement = {.point = point, .layer = layer, .first_position = position, .n_tokens = n,
                                                  .width = width, .values = values, .selected = selected, .rows = rows};
    enum lfm_status status = observer->observe(observer->context, &announcement, failure);
    free(values);
    free(selected);
    free(rows);
    return status;
}

enum lfm_status announce_made(const struct made_model *made, const struct lfm_observer *observer, size_t layer,
                              enum lfm_point point, size_t first_token, size_t n, struct lfm_error *failure)
{
    size_t width = lfm_point_width(&made->model.config, layer, point), position = first_token;
    for (size_t d = 0; position >= made->documents.items[d].tokens.count; d++)
        position -= made->documents.items[d].tokens.count;
    if (lfm_point_is_expert(point))
        return announce_experts(made, observer, layer, point, first_token, position, n, failure);
    float *values = calloc(n, width * sizeof *values);
    int32_t *selected = calloc(n, MADE_CHOSEN * sizeof *selected);
    bool choice = point == LFM_POINT_ROUTER_SELECTED || point == LFM_POINT_ROUTER_WEIGHTS;
    for (size_t t = 0; t < n; t++) {
        if (choice)
            made_choice(made, layer, first_token + t, selected + t * MADE_CHOSEN, values + t * MADE_CHOSEN);
        for (size_t c = 0; c < width && !choice; c++)
            values[t * width + c] = made_value(made, layer, point, first_token + t, c);
    }
    const struct lfm_announcement announcement = {
        .point = point, .layer = layer, .first_position = position, .n_tokens = n, .width = width,
        .values = point == LFM_POINT_ROUTER_SELECTED ? NULL : values, .selected = choice ? selected : NULL};
    enum lfm_status status = observer->observe(observer->context, &announcement, failure);
    free(values);
    free(selected);
    return status;
}

void write_made_piece(const struct made_model *made, struct lfm_trace_writer *writer, size_t document, size_t position,
                      size_t n)
{
    const struct lfm_observer *observer = lfm_trace_writer_observer(writer);
    const int32_t *ids = made->documents.items[document].tokens.ids + position;
    size_t first_token = position;
    for (size_t d = 0; d < document; d++) first_token += made->documents.items[d].tokens.count;
    assert_ok(lfm_trace_writer_add_tokens(writer, document, position, ids, n, &error));
    for (size_t layer = 0; layer < MADE_LAYERS; layer++)
        for (int p = 0; p < LFM_POINT_COUNT; p++)
            if (lfm_point_width(&made->model.config, layer, (enum lfm_point)p) > 0 && !lfm_point_is_derived((enum lfm_point)p))
                assert_ok(announce_made(made, observer, layer, (enum lfm_point)p, first_token, n, &error));
    for (size_t t = 0; t < n && made->options.logits; t++) {
        float logits[MADE_VOCABULARY];
        for (size_t v = 0; v < MADE_VOCABULARY; v++)
            logits[v] = made_value(made, 9, LFM_POINT_RESIDUAL, first_token + t, v);
        assert_ok(lfm_trace_writer_add_logits(writer, logits, 1, &error));
    }
    assert_ok(lfm_trace_writer_flush(writer, &error));
}

void write_made_trace(const struct made_model *made, const char *name)
{
    struct lfm_trace_writer *writer;
    assert_ok(lfm_trace_writer_open(&writer, in_directory(name), &made->model, &made->provenance, &made->documents,
                                    &made->options, &error));
    for (size_t d = 0; d < made->documents.count; d++) {
        size_t length = made->documents.items[d].tokens.count;
        for (size_t t = 0; t < length; t += 100)
            write_made_piece(made, writer, d, t, length - t < 100 ? length - t : 100);
    }
    assert_ok(lfm_trace_writer_finish(writer, true, &error));
    lfm_trace_writer_close(writer);
}
