/* Router decisions, recorded and replayed. Both are observers of a step runner (steps.h): the forward pass is the same.
 *
 * A decision is what one router (a layer with experts) does for one token: the K experts it chooses and their mixing weights.
 * A record holds the decisions of one step, so memory does not grow with the text. Replaying a model's own record gives
 * its own results, bit for bit. */
#ifndef LFM_QUANT_REPLAY_H
#define LFM_QUANT_REPLAY_H

#include "quant/steps.h"
#include "reference/base/error.h"
#include "reference/model/model.h"
#include "reference/model/observer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What of a decision is replayed. */
enum lfm_replay_mode {
    LFM_REPLAY_SET,            /* the set of experts; their weights are those that the live gate gives to them */
    LFM_REPLAY_SET_AND_WEIGHTS /* the experts and their weights; nothing of the live gate is used */
};

/* "set", "set+weights". */
const char *lfm_replay_name(enum lfm_replay_mode mode);
/* False when there is no such mode. */
bool lfm_replay_by_name(const char *name, enum lfm_replay_mode *mode);

/* The decisions of all tokens of the current step, scored or not, in the order of steps->tokens. */
struct lfm_routing_record {
    const struct lfm_model *model; /* whose decisions they are; borrowed */
    const struct lfm_steps *steps; /* borrowed */
    size_t first_layer, n_layers;  /* the layers with experts */
    size_t E, K;
    int32_t *selected;             /* [n_layers, LFM_STEP_TOKENS, K], best first */
    float *weights;                /* [n_layers, LFM_STEP_TOKENS, K] */
    double *margins;               /* [n_layers, LFM_STEP_TOKENS] see lfm_router_margin */
    double *scores;                /* [E] scratch */
};

/* Room for the decisions of a model with experts. On failure nothing is owned. */
enum lfm_status lfm_routing_record_init(struct lfm_routing_record *record, const struct lfm_model *model,
                                        const struct lfm_steps *steps, struct lfm_error *error);
void lfm_routing_record_release(struct lfm_routing_record *record);

/* Index of a decision: selected and weights begin at K times it. `row` counts the tokens of the step. */
static inline size_t lfm_decision_index(const struct lfm_routing_record *record, size_t layer, size_t row)
{
    return (layer - record->first_layer) * LFM_STEP_TOKENS + row;
}

/* Two sets of K distinct experts are equal, whatever their order. */
bool lfm_same_experts(const int32_t *a, const int32_t *b, size_t K);

/* The observer that fills the record while its model runs a step. */
struct lfm_observer lfm_record_observer(struct lfm_routing_record *record);

/* Copies one decision. Both records are of models of the same shape, and of the same step. */
void lfm_routing_record_copy(struct lfm_routing_record *to, const struct lfm_routing_record *from, size_t layer, size_t row);

/* True when replaying `b` in place of `a` changes nothing, for the first n_tokens tokens: equal sets, or equal experts with
 * equal weights in the same order. */
bool lfm_routing_record_equal(const struct lfm_routing_record *a, const struct lfm_routing_record *b, size_t n_tokens,
                              enum lfm_replay_mode mode);

struct lfm_replay {
    const struct lfm_routing_record *record;
    enum lfm_replay_mode mode;
};

/* The observer that makes a model of the record's shape take the recorded decisions in the step that was recorded.
 *
 * LFM_REPLAY_SET: experts that were chosen anyway keep their places, the recorded ones that were not come in place of the
 * others, and the forward pass gives weights to the set; equal sets change nothing at all. */
struct lfm_observer lfm_replay_observer(struct lfm_replay *replay);

#endif
