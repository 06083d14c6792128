/* What happens inside the models while they are compared: see compare_inside.h. */
#include "quant/compare_inside.h"

#include "reference/base/memory.h"

#include <stdlib.h>
#include <string.h>

enum lfm_status lfm_inside_recording_init(struct lfm_inside_recording *recording, const struct lfm_config *config,
                                          const struct lfm_steps *steps, struct lfm_error *error)
{
    size_t rows = config->num_hidden_layers * LFM_STEP_TOKENS;
    *recording = (struct lfm_inside_recording){.config = config, .steps = steps};
    enum lfm_status status;
    LFM_TRY_DONE(LFM_ALLOC(&recording->residual, rows * config->hidden_size, error));
    LFM_TRY_DONE(LFM_ALLOC(&recording->router_logits, rows * config->num_experts, error));
    LFM_TRY_DONE(LFM_ALLOC(&recording->selected, rows * config->num_experts_per_tok, error));
    LFM_TRY_DONE(LFM_ALLOC(&recording->weights, rows * config->num_experts_per_tok, error));
    LFM_TRY_DONE(LFM_ALLOC(&recording->candidate_logits, LFM_STEP_TOKENS * config->num_experts, error));
    return LFM_OK;

done:
    lfm_inside_recording_release(recording);
    return status;
}

void lfm_inside_recording_release(struct lfm_inside_recording *recording)
{
    free(recording->residual);
    free(recording->router_logits);
    free(recording->selected);
    free(recording->weights);
    free(recording->candidate_logits);
    *recording = (struct lfm_inside_recording){0};
}

/* Rows of an announcement that are scored: `skip` rows come before them in the announcement, `at` in the recording. */
struct rows {
    size_t skip, at, count;
};

static struct rows scored_rows(const struct lfm_inside_recording *recording,
                               const struct lfm_announcement *announcement)
{
    const struct lfm_step_part *part = &recording->steps->parts[announcement->sequence];
    size_t from = announcement->first_position - part->position, to = from + announcement->n_tokens; /* rows of the part */
    size_t first = from > part->skipped ? from : part->skipped, last = part->skipped + part->scored;
    if (to < last) last = to;
    if (first >= last) return (struct rows){0};
    return (struct rows){first - from, part->row + first - part->skipped, last - first};
}

/* Copies the scored rows of `source` [n_tokens, width] into `rows` of `target` [LFM_STEP_TOKENS, width]. */
static void keep(void *target, const void *source, struct rows rows, size_t row_bytes)
{
    if (rows.count == 0) return;
    memcpy((char *)target + rows.at * row_bytes, (const char *)source + rows.skip * row_bytes, rows.count * row_bytes);
}

static enum lfm_status record(void *context, const struct lfm_announcement *announcement, struct lfm_error *error)
{
    (void)error;
    struct lfm_inside_recording *recording = context;
    struct rows rows = scored_rows(recording, announcement);
    size_t width = announcement->width, row_bytes = width * sizeof(float);
    size_t start = announcement->layer * LFM_STEP_TOKENS * width;
    switch (announcement->point) {
    case LFM_POINT_RESIDUAL: keep(recording->residual + start, announcement->values, rows, row_bytes); break;
    case LFM_POINT_ROUTER_LOGITS: keep(recording->router_logits + start, announcement->values, rows, row_bytes); break;
    case LFM_POINT_ROUTER_WEIGHTS:
        keep(recording->weights + start, announcement->values, rows, row_bytes);
        keep(recording->selected + start, announcement->selected, rows, width * sizeof(int32_t));
        break;
    default: break;
    }
    return LFM_OK;
}

struct lfm_observer lfm_inside_recording_observer(struct lfm_inside_recording *recording)
{
    return (struct lfm_observer){record, recording};
}

static void compare_routers(struct lfm_router_sums *sums, const struct lfm_inside_recording *recording,
                            const struct lfm_announcement *announcement, struct rows rows)
{
    size_t E = recording->config->num_experts, K = recording->config->num_experts_per_tok;
    for (size_t r = 0; r < rows.count; r++) {
        size_t row = announcement->layer * LFM_STEP_TOKENS + rows.at + r;
        const struct lfm_router_decision reference = {
            recording->router_logits + row * E,
            recording->selected + row * K,
            recording->weights + row * K,
        };
        const struct lfm_router_decision candidate = {
            recording->candidate_logits + (rows.at + r) * E,
            announcement->selected + (rows.skip + r) * K,
            announcement->values + (rows.skip + r) * K,
        };
        lfm_router_add(sums, &reference, &candidate, E, K);
    }
}

static enum lfm_status compare(void *context, const struct lfm_announcement *announcement, struct lfm_error *error)
{
    (void)error;
    struct lfm_inside_comparer *comparer = context;
    struct lfm_inside_recording *recording = comparer->recording;
    struct lfm_layer_sums *layer = &comparer->layers[announcement->layer];
    struct rows rows = scored_rows(recording, announcement);
    size_t width = announcement->width;
    switch (announcement->point) {
    case LFM_POINT_RESIDUAL:
        lfm_vector_add(&layer->residual,
                       recording->residual + (announcement->layer * LFM_STEP_TOKENS + rows.at) * width,
                       announcement->values + rows.skip * width, rows.count * width);
        break;
    case LFM_POINT_ROUTER_LOGITS:
        keep(recording->candidate_logits, announcement->values, rows, width * sizeof(float));
        break;
    case LFM_POINT_ROUTER_WEIGHTS: compare_routers(&layer->router, recording, announcement, rows); break;
    default: break;
    }
    return LFM_OK;
}

struct lfm_observer lfm_inside_observer(struct lfm_inside_comparer *comparer)
{
    return (struct lfm_observer){compare, comparer};
}
