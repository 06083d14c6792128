/* Recording and replaying router decisions: see replay.h. */
#include "quant/replay.h"

#include "quant/decisions.h"
#include "reference/base/memory.h"

#include <stdlib.h>
#include <string.h>

static const char *const mode_names[] = {[LFM_REPLAY_SET] = "set", [LFM_REPLAY_SET_AND_WEIGHTS] = "set+weights"};

const char *lfm_replay_name(enum lfm_replay_mode mode)
{
    return mode_names[mode];
}

bool lfm_replay_by_name(const char *name, enum lfm_replay_mode *mode)
{
    for (size_t i = 0; i < sizeof mode_names / sizeof mode_names[0]; i++)
        if (strcmp(name, mode_names[i]) == 0) {
            *mode = (enum lfm_replay_mode)i;
            return true;
        }
    return false;
}

enum lfm_status lfm_routing_record_init(struct lfm_routing_record *record, const struct lfm_model *model,
                                        const struct lfm_steps *steps, struct lfm_error *error)
{
    const struct lfm_config *config = &model->config;
    *record = (struct lfm_routing_record){
        .model = model,
        .steps = steps,
        .first_layer = config->num_dense_layers,
        .n_layers = config->num_hidden_layers - config->num_dense_layers,
        .E = config->num_experts,
        .K = config->num_experts_per_tok,
    };
    size_t decisions = record->n_layers * LFM_STEP_TOKENS;
    enum lfm_status status;
    LFM_TRY_DONE(LFM_ALLOC(&record->selected, decisions * record->K, error));
    LFM_TRY_DONE(LFM_ALLOC(&record->weights, decisions * record->K, error));
    LFM_TRY_DONE(LFM_ALLOC(&record->margins, decisions, error));
    LFM_TRY_DONE(LFM_ALLOC(&record->scores, record->E, error));
    return LFM_OK;

done:
    lfm_routing_record_release(record);
    return status;
}

void lfm_routing_record_release(struct lfm_routing_record *record)
{
    free(record->selected);
    free(record->weights);
    free(record->margins);
    free(record->scores);
    *record = (struct lfm_routing_record){0};
}

static bool holds(const int32_t *set, size_t K, int32_t expert)
{
    for (size_t k = 0; k < K; k++)
        if (set[k] == expert) return true;
    return false;
}

bool lfm_same_experts(const int32_t *a, const int32_t *b, size_t K)
{
    for (size_t k = 0; k < K; k++)
        if (!holds(b, K, a[k])) return false;
    return true;
}

/* The first decision of an announcement; those of its further tokens follow. */
static size_t first_decision(const struct lfm_routing_record *record, const struct lfm_announcement *announcement)
{
    const struct lfm_step_part *part = &record->steps->parts[announcement->sequence];
    size_t row = part->token + announcement->first_position - part->position;
    return lfm_decision_index(record, announcement->layer, row);
}

static enum lfm_status record_decisions(void *context, const struct lfm_announcement *announcement,
                                        struct lfm_error *error)
{
    (void)error;
    struct lfm_routing_record *record = context;
    size_t E = record->E, K = record->K, n = announcement->n_tokens;
    if (announcement->point == LFM_POINT_ROUTER_LOGITS) {
        double *margins = record->margins + first_decision(record, announcement);
        const float *bias = record->model->layers[announcement->layer].expert_bias;
        for (size_t t = 0; t < n; t++)
            margins[t] = lfm_router_margin(announcement->values + t * E, bias, record->scores, E, K);
    }
    if (announcement->point == LFM_POINT_ROUTER_WEIGHTS) {
        size_t first = first_decision(record, announcement) * K;
        memcpy(record->selected + first, announcement->selected, n * K * sizeof *record->selected);
        memcpy(record->weights + first, announcement->values, n * K * sizeof *record->weights);
    }
    return LFM_OK;
}

struct lfm_observer lfm_record_observer(struct lfm_routing_record *record)
{
    return (struct lfm_observer){record_decisions, record};
}

void lfm_routing_record_copy(struct lfm_routing_record *to, const struct lfm_routing_record *from, size_t layer, size_t row)
{
    size_t i = lfm_decision_index(to, layer, row), K = to->K;
    memcpy(to->selected + i * K, from->selected + i * K, K * sizeof *to->selected);
    memcpy(to->weights + i * K, from->weights + i * K, K * sizeof *to->weights);
    to->margins[i] = from->margins[i];
}

bool lfm_routing_record_equal(const struct lfm_routing_record *a, const struct lfm_routing_record *b, size_t n_tokens,
                              enum lfm_replay_mode mode)
{
    size_t K = a->K;
    for (size_t layer = a->first_layer; layer < a->first_layer + a->n_layers; layer++) {
        size_t first = lfm_decision_index(a, layer, 0) * K, n = n_tokens * K;
        if (memcmp(a->selected + first, b->selected + first, n * sizeof *a->selected) != 0) {
            if (mode == LFM_REPLAY_SET_AND_WEIGHTS) return false;
            for (size_t i = first; i < first + n; i += K)
                if (!lfm_same_experts(a->selected + i, b->selected + i, K)) return false;
        }
        if (mode == LFM_REPLAY_SET_AND_WEIGHTS && memcmp(a->weights + first, b->weights + first, n * sizeof *a->weights) != 0)
            return false;
    }
    return true;
}

/* Puts the recorded experts that were not chosen in the places of chosen ones that were not recorded. */
static void adopt_set(int32_t *selected, const int32_t *recorded, size_t K)
{
    size_t next = 0;
    int32_t chosen[K];
    memcpy(chosen, selected, sizeof chosen);
    for (size_t k = 0; k < K; k++) {
        if (holds(recorded, K, chosen[k])) continue;
        while (holds(chosen, K, recorded[next])) next++;
        selected[k] = recorded[next++];
    }
}

static enum lfm_status replay_decisions(void *context, const struct lfm_announcement *announcement,
                                        struct lfm_error *error)
{
    (void)error;
    const struct lfm_replay *replay = context;
    const struct lfm_routing_record *record = replay->record;
    bool selects = announcement->point == LFM_POINT_ROUTER_SELECTED;
    if (!selects && announcement->point != LFM_POINT_ROUTER_WEIGHTS) return LFM_OK;
    size_t K = record->K, n = announcement->n_tokens, first = first_decision(record, announcement) * K;
    if (replay->mode == LFM_REPLAY_SET)
        for (size_t t = 0; selects && t < n; t++)
            adopt_set(announcement->selected + t * K, record->selected + first + t * K, K);
    else if (selects)
        memcpy(announcement->selected, record->selected + first, n * K * sizeof *record->selected);
    else
        memcpy(announcement->values, record->weights + first, n * K * sizeof *record->weights);
    return LFM_OK;
}

struct lfm_observer lfm_replay_observer(struct lfm_replay *replay)
{
    return (struct lfm_observer){replay_decisions, replay};
}
