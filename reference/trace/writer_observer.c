/* What becomes of announcements: statistics and rows of recorded points, and of those derived from them. */
#include "reference/trace/writer_parts.h"

#include "reference/base/memory.h"
#include "reference/base/progress.h"
#include "reference/model/ops.h"
#include "reference/model/state.h"
#include "reference/trace/attention_weights.h"

#include <string.h>

/* --- recording a run of wanted tokens --- */

/* As many rows as fit are converted at a time. */
static enum lfm_status append_halves(struct lfm_trace_writer *writer, struct lfm_rows *rows, const float *values,
                                     size_t n, size_t width, struct lfm_error *error)
{
    size_t most = lfm_writer_staged(writer) / width;
    for (size_t t = 0; t < n;) {
        size_t some = n - t < most ? n - t : most;
        writer->half->encode_row(writer->halves, values + t * width, some * width);
        LFM_TRY(lfm_rows_append(rows, writer->halves, some, error));
        t += some;
    }
    return LFM_OK;
}

static enum lfm_status append(struct lfm_trace_writer *writer, size_t layer, enum lfm_point point, const float *values,
                              size_t n, size_t width, struct lfm_error *error)
{
    struct lfm_rows *rows = lfm_writer_rows(writer, layer, point);
    if (writer->options.half && !lfm_writer_stays_single(point))
        return append_halves(writer, rows, values, n, width, error);
    return lfm_rows_append(rows, values, n, error);
}

/* The rows of the chosen experts, which stand expert after expert, token after token as [n,K,width]. */
static enum lfm_status append_experts(struct lfm_trace_writer *writer, const struct lfm_announcement *run,
                                      struct lfm_error *error)
{
    size_t K = writer->config->num_experts_per_tok, width = run->width, most = lfm_writer_staged(writer) / (K * width);
    for (size_t t = 0; t < run->n_tokens;) {
        size_t some = run->n_tokens - t < most ? run->n_tokens - t : most;
        for (size_t i = 0; i < some * K; i++)
            memcpy(writer->gathered + i * width, run->values + run->rows[t * K + i] * width, width * sizeof(float));
        LFM_TRY(append(writer, run->layer, run->point, writer->gathered, some, K * width, error));
        t += some;
    }
    return LFM_OK;
}

static void count_experts(struct lfm_trace_writer *writer, const struct lfm_announcement *run)
{
    size_t E = writer->config->num_experts, base = run->layer * E;
    for (size_t i = 0; i < run->n_tokens * run->width; i++) {
        int32_t expert = run->selected[i];
        if (expert < 0 || (size_t)expert >= E) continue;
        writer->router.load[base + (size_t)expert]++;
        writer->router.weight_sum[base + (size_t)expert] += run->values[i];
    }
}

/* Channels of experts are counted expert by expert: channel 3 of one has nothing to do with channel 3 of another. */
static void add_experts(struct lfm_trace_writer *writer, const struct lfm_announcement *run, size_t row)
{
    size_t E = writer->config->num_experts, K = writer->config->num_experts_per_tok;
    for (size_t i = 0; i < run->n_tokens * K; i++)
        lfm_channel_statistics_add(&writer->statistics[run->point].running, run->layer * E + (size_t)run->selected[i],
                                   run->values + run->rows[i] * run->width, 1, (int64_t)(row + i / K));
}

/* Consecutive tokens, all of them wanted; the first one is row `row` of the trace. */
static enum lfm_status record_run(struct lfm_trace_writer *writer, const struct lfm_announcement *run, size_t row,
                                  struct lfm_error *error)
{
    if (run->point == LFM_POINT_ROUTER_WEIGHTS) count_experts(writer, run);
    if (run->rows)
        add_experts(writer, run, row);
    else if (!lfm_point_is_integer(run->point))
        lfm_channel_statistics_add(&writer->statistics[run->point].running, run->layer, run->values, run->n_tokens,
                                   (int64_t)row);
    if (writer->options.statistics_only) return LFM_OK;
    if (run->rows) return append_experts(writer, run, error);
    if (lfm_point_is_integer(run->point))
        return lfm_rows_append(lfm_writer_rows(writer, run->layer, run->point), run->selected, run->n_tokens, error);
    return append(writer, run->layer, run->point, run->values, run->n_tokens, run->width, error);
}

static enum lfm_status check_width(const struct lfm_trace_writer *writer, const struct lfm_announcement *announcement,
                                   struct lfm_error *error)
{
    size_t expected = lfm_writer_width(writer, announcement->layer, announcement->point);
    if (lfm_point_is_expert(announcement->point)) expected /= writer->config->num_experts_per_tok;
    if (announcement->width == expected) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_MISMATCH, "layer %zu announced %s with %zu values per token, expected %zu",
                    announcement->layer, lfm_point_name(announcement->point), announcement->width, expected);
}

/* What is left of an announcement after its first `skip` tokens, `n` long. */
static struct lfm_announcement part_of(const struct lfm_announcement *whole, size_t skip, size_t n, size_t K)
{
    struct lfm_announcement part = *whole;
    part.first_position += skip;
    part.n_tokens = n;
    if (whole->rows) {
        part.rows += skip * K;
        part.selected += skip * K;
        return part;
    }
    if (part.values) part.values += skip * whole->width;
    if (part.selected) part.selected += skip * whole->width;
    return part;
}

/* The wanted tokens of an announcement, run by run. */
static enum lfm_status record(struct lfm_trace_writer *writer, const struct lfm_announcement *announcement,
                              struct lfm_error *error)
{
    const struct lfm_ranges *wanted = &writer->options.selection.tokens;
    size_t first = announcement->first_position, end = first + announcement->n_tokens, start, stop;
    LFM_TRY(check_width(writer, announcement, error));
    for (size_t from = first; lfm_ranges_next(wanted, from, end, &start, &stop); from = stop) {
        struct lfm_announcement run =
            part_of(announcement, start - first, stop - start, writer->config->num_experts_per_tok);
        size_t row = writer->piece_row + lfm_ranges_count(wanted, writer->piece_position, start);
        LFM_TRY(record_run(writer, &run, row, error));
    }
    return LFM_OK;
}

/* --- derived points --- */

static enum lfm_status record_derived(struct lfm_trace_writer *writer, const struct lfm_announcement *from,
                                      enum lfm_point point, float *values, int32_t *whole, struct lfm_error *error)
{
    if (!lfm_writer_records(writer, from->layer, point)) return LFM_OK;
    const struct lfm_announcement derived = {
        .point = point,
        .layer = from->layer,
        .sequence = from->sequence,
        .first_position = from->first_position,
        .n_tokens = from->n_tokens,
        .width = lfm_writer_width(writer, from->layer, point),
        .values = values,
        .selected = whole,
    };
    return record(writer, &derived, error);
}

static enum lfm_status derive_scores(struct lfm_trace_writer *writer, const struct lfm_announcement *logits,
                                     struct lfm_error *error)
{
    struct lfm_derived *derived = &writer->derived;
    size_t E = writer->config->num_experts;
    if (!lfm_writer_records(writer, logits->layer, LFM_POINT_ROUTER_SCORES) &&
        !lfm_writer_records(writer, logits->layer, LFM_POINT_ROUTER_MARGIN))
        return LFM_OK;
    LFM_TRY(LFM_GROW(&derived->scores, &derived->scores_room, logits->n_tokens * E, error));
    lfm_expert_scores(derived->scores, logits->values, writer->model->layers[logits->layer].expert_bias,
                      logits->n_tokens, E);
    return record_derived(writer, logits, LFM_POINT_ROUTER_SCORES, derived->scores, NULL, error);
}

/* The scores are those of the same tokens: their logits were announced before. */
static enum lfm_status derive_margins(struct lfm_trace_writer *writer, const struct lfm_announcement *weights,
                                      struct lfm_error *error)
{
    struct lfm_derived *derived = &writer->derived;
    size_t E = writer->config->num_experts, n = weights->n_tokens;
    if (!lfm_writer_records(writer, weights->layer, LFM_POINT_ROUTER_MARGIN)) return LFM_OK;
    if (derived->scores_room < n * E)
        return lfm_fail(error, LFM_ERROR_MISMATCH, "layer %zu announced router/weights before router/logits",
                        weights->layer);
    LFM_TRY(LFM_GROW(&derived->margins, &derived->margins_room, n, error));
    lfm_expert_margins(derived->margins, derived->scores, weights->selected, n, E, weights->width);
    return record_derived(writer, weights, LFM_POINT_ROUTER_MARGIN, derived->margins, NULL, error);
}

static bool wants_attention_weights(const struct lfm_trace_writer *writer, size_t layer)
{
    for (int p = 0; p < LFM_POINT_COUNT; p++)
        if (lfm_point_is_attention_weights((enum lfm_point)p) && lfm_writer_records(writer, layer, (enum lfm_point)p))
            return true;
    return false;
}

/* Of a run of wanted queries, whose keys the state has. */
static enum lfm_status derive_attention_run(struct lfm_trace_writer *writer, const struct lfm_announcement *run,
                                            struct lfm_error *error)
{
    struct lfm_derived *derived = &writer->derived;
    const struct lfm_config *config = writer->config;
    const struct lfm_ranges *spans = &writer->options.selection.spans;
    size_t H = config->num_attention_heads, n = run->n_tokens;
    LFM_TRY(LFM_GROW(&derived->entropy, &derived->entropy_room, n * H, error));
    LFM_TRY(LFM_GROW(&derived->largest, &derived->largest_room, n * H, error));
    LFM_TRY(LFM_GROW(&derived->position, &derived->position_room, n * H, error));
    LFM_TRY(LFM_GROW(&derived->span_mass, &derived->span_room, n * H * spans->count + 1, error));
    const struct lfm_attention_queries queries = {.q = run->values,
                                                  .keys = &writer->state->layers[run->layer].keys,
                                                  .first_position = run->first_position,
                                                  .n = n,
                                                  .H = H,
                                                  .G = config->num_key_value_heads,
                                                  .A = config->head_dim,
                                                  .spans = spans};
    const struct lfm_attention_summary summary = {derived->entropy, derived->largest, derived->position,
                                                  derived->span_mass};
    LFM_TRY(lfm_attention_summarize(&summary, &queries, error));
    LFM_TRY(record_derived(writer, run, LFM_POINT_WEIGHTS_ENTROPY, derived->entropy, NULL, error));
    LFM_TRY(record_derived(writer, run, LFM_POINT_WEIGHTS_LARGEST, derived->largest, NULL, error));
    LFM_TRY(record_derived(writer, run, LFM_POINT_WEIGHTS_POSITION, NULL, derived->position, error));
    return record_derived(writer, run, LFM_POINT_WEIGHTS_SPANS, derived->span_mass, NULL, error);
}

static enum lfm_status derive_attention(struct lfm_trace_writer *writer, const struct lfm_announcement *queries,
                                        struct lfm_error *error)
{
    const struct lfm_ranges *wanted = &writer->options.selection.tokens;
    size_t first = queries->first_position, end = first + queries->n_tokens, start, stop;
    if (!wants_attention_weights(writer, queries->layer)) return LFM_OK;
    if (!writer->state || writer->state->layers[queries->layer].keys.capacity < end)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "attention weights need the state whose keys are attended to");
    for (size_t from = first; lfm_ranges_next(wanted, from, end, &start, &stop); from = stop) {
        struct lfm_announcement run = part_of(queries, start - first, stop - start, 0);
        LFM_TRY(derive_attention_run(writer, &run, error));
    }
    return LFM_OK;
}

static enum lfm_status derive(struct lfm_trace_writer *writer, const struct lfm_announcement *announcement,
                              struct lfm_error *error)
{
    switch (announcement->point) {
    case LFM_POINT_ROUTER_LOGITS: return derive_scores(writer, announcement, error);
    case LFM_POINT_ROUTER_WEIGHTS: return derive_margins(writer, announcement, error);
    case LFM_POINT_Q: return derive_attention(writer, announcement, error);
    default: return LFM_OK;
    }
}

/* --- the observer --- */

enum lfm_status lfm_writer_observe(void *context, const struct lfm_announcement *announcement, struct lfm_error *error)
{
    struct lfm_trace_writer *writer = context;
    size_t first = announcement->first_position, layer = announcement->layer;
    if (lfm_interrupted()) return lfm_fail(error, LFM_ERROR_STOPPED, "interrupted");
    if (layer >= writer->config->num_hidden_layers) return LFM_OK;
    if (first < writer->piece_position || first + announcement->n_tokens > writer->piece_end)
        return lfm_fail(error, LFM_ERROR_MISMATCH,
                        "layer %zu announced %s at positions %zu to %zu, expected %zu to %zu", layer,
                        lfm_point_name(announcement->point), first, first + announcement->n_tokens,
                        writer->piece_position, writer->piece_end);
    if (lfm_writer_records(writer, layer, announcement->point)) LFM_TRY(record(writer, announcement, error));
    return derive(writer, announcement, error);
}
