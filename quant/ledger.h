/* The loss ledger: how much of a candidate's loss is experts chosen differently, how much is experts computed differently.
 *
 * A run has the weights of one model and the routing of one model: router decisions are recorded in the free runs of both
 * models and replayed into the other (replay.h). The four runs give four losses L(weights, routing), from which
 * ledger_figures.h splits L(candidate, candidate) - L(reference, reference).
 *
 * The same can be asked of a part of the decisions (all of one layer, or those whose margin lies in a bin): two more runs
 * per part, the reference with the candidate's decisions in the part, and the candidate with the reference's. Every decision
 * outside the part is replayed as the model that the weights are of took it in its own free run, so that a part's runs
 * differ from the free runs by the part alone. docs/ledger.md defines it all. */
#ifndef LFM_QUANT_LEDGER_H
#define LFM_QUANT_LEDGER_H

#include "quant/replay.h"
#include "reference/base/error.h"
#include "reference/base/progress.h"
#include "reference/model/model.h"
#include "reference/model/text.h"

#include <stdbool.h>
#include <stddef.h>

enum lfm_ledger_kind { LFM_LEDGER_ALL, LFM_LEDGER_LAYER, LFM_LEDGER_MARGIN };

/* What is measured in one run: values per scored position, in the order of the windows. */
struct lfm_ledger_cell {
    double *kld; /* nats, of the run's distribution from that of the reference's free run */
    double *nll; /* of the true next token */
};

/* A part of the decisions. */
struct lfm_ledger_part {
    enum lfm_ledger_kind kind;
    size_t layer;              /* LFM_LEDGER_LAYER */
    double low, high;          /* LFM_LEDGER_MARGIN: the reference's margin is at least low and below high */
    size_t decisions, changed; /* over all tokens of the windows: in the part, and of them those where the free runs of the
                                * two models chose different sets */
    struct lfm_ledger_cell ref_cand; /* weights of the reference, the candidate's decisions in the part */
    struct lfm_ledger_cell cand_ref; /* weights of the candidate, the reference's decisions in the part */
};

struct lfm_ledger_options {
    enum lfm_replay_mode mode;
    bool layers[LFM_MAX_LAYERS]; /* a part for each of these; they must have experts */
    const double *edges;         /* [n_edges] ascending and positive, borrowed: bins of the margin are [0, edges[0]), ...,
                                  * [edges[n_edges - 1], infinity) */
    size_t n_edges;              /* 0: no bins */
};

struct lfm_ledger {
    const struct lfm_model *reference, *candidate; /* borrowed */
    enum lfm_replay_mode mode;
    size_t positions;
    struct lfm_ledger_cell ref_ref, cand_cand; /* the free runs; ref_ref.kld is exactly 0 */
    struct lfm_ledger_part *parts;             /* [n_parts]: all decisions, then the layers, then the bins */
    size_t n_parts;
};

/* Fails unless both models have experts, and as many of them: the message says what is missing. The models have passed
 * lfm_check_comparable. */
enum lfm_status lfm_check_replayable(const struct lfm_model *reference, const struct lfm_model *candidate,
                                     struct lfm_error *error);

/* Allocates a ledger of `positions` scored positions. On failure nothing is owned. */
enum lfm_status lfm_ledger_init(struct lfm_ledger *ledger, const struct lfm_model *reference,
                                const struct lfm_model *candidate, size_t positions,
                                const struct lfm_ledger_options *options, struct lfm_error *error);
void lfm_ledger_release(struct lfm_ledger *ledger);

/* The number of runs, those over all parts included: what the progress of lfm_ledger_fill counts tokens of. */
size_t lfm_ledger_runs(const struct lfm_ledger *ledger);

/* Runs all windows from the first and fills the ledger. The progress, which may be NULL, counts tokens times runs. A run
 * in which no decision of a step would be changed is not made again where windows are no longer than a step: its results
 * are those of the free run. Memory is O(vocabulary) but for a few numbers per scored position and run and, where
 * windows are longer than a step, keys and values of each run. Results are the same bits for any number of threads. Fails on
 * logits that are not finite, and after Ctrl-C. */
enum lfm_status lfm_ledger_fill(struct lfm_ledger *ledger, struct lfm_windows *windows, struct lfm_progress *progress,
                                struct lfm_error *error);

#endif
