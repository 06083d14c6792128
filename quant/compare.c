/* Comparing models live: see compare.h. */
#include "quant/compare.h"

#include "quant/compare_inside.h"
#include "quant/outputs.h"
#include "quant/steps.h"
#include "reference/base/memory.h"

#include <stdlib.h>

struct comparer {
    struct lfm_step_runner reference;
    struct lfm_step_runner *candidates; /* [n] */
    struct lfm_comparison *comparisons;
    size_t n;
    double *reference_nll;
    struct lfm_steps steps;
    struct lfm_inside_recording recording;
    struct lfm_outputs outputs;
    struct lfm_progress *progress;
    double run; /* tokens times models so far */
};

static bool compares_inside(const struct lfm_model *reference, const struct lfm_model *candidate)
{
    return reference->config.architecture == candidate->config.architecture;
}

enum lfm_status lfm_comparison_init(struct lfm_comparison *comparison, const struct lfm_model *reference,
                                    const struct lfm_model *candidate, size_t positions, struct lfm_error *error)
{
    *comparison = (struct lfm_comparison){.model = candidate};
    enum lfm_status status;
    LFM_TRY_DONE(LFM_ALLOC(&comparison->kld, positions, error));
    LFM_TRY_DONE(LFM_ALLOC(&comparison->nll, positions, error));
    LFM_TRY_DONE(LFM_ALLOC(&comparison->delta_p, positions, error));
    LFM_TRY_DONE(LFM_ALLOC(&comparison->top1, positions, error));
    LFM_TRY_DONE(LFM_ALLOC(&comparison->top5, positions, error));
    if (compares_inside(reference, candidate))
        LFM_TRY_DONE(LFM_ALLOC(&comparison->layers, candidate->config.num_hidden_layers, error));
    return LFM_OK;

done:
    lfm_comparison_release(comparison);
    return status;
}

void lfm_comparison_release(struct lfm_comparison *comparison)
{
    free(comparison->kld);
    free(comparison->nll);
    free(comparison->delta_p);
    free(comparison->top1);
    free(comparison->top5);
    free(comparison->layers);
    *comparison = (struct lfm_comparison){0};
}

static enum lfm_status run_model(struct lfm_step_runner *runner, struct comparer *comparer,
                                 const struct lfm_observer *observer, struct lfm_error *error)
{
    if (lfm_interrupted()) return lfm_fail(error, LFM_ERROR_STOPPED, "interrupted after %.0f tokens", comparer->run);
    LFM_TRY(lfm_step_run(runner, &comparer->steps, observer, error));
    comparer->run += (double)comparer->steps.n_tokens;
    lfm_progress_update(comparer->progress, comparer->run);
    return LFM_OK;
}

static enum lfm_status run_models(struct comparer *comparer, struct lfm_error *error)
{
    const struct lfm_observer recorder = lfm_inside_recording_observer(&comparer->recording);
    LFM_TRY(run_model(&comparer->reference, comparer, &recorder, error));
    for (size_t c = 0; c < comparer->n; c++) {
        struct lfm_inside_comparer inside = {&comparer->recording, comparer->comparisons[c].layers};
        const struct lfm_observer observer = lfm_inside_observer(&inside);
        LFM_TRY(run_model(&comparer->candidates[c], comparer, inside.layers ? &observer : NULL, error));
    }
    return LFM_OK;
}

/* The same rows of candidate c; results go to index `at` of its comparison. */
static enum lfm_status candidate_rows(struct comparer *comparer, size_t c, size_t first, size_t count, size_t at,
                                      struct lfm_error *error)
{
    const struct lfm_step_runner *runner = &comparer->candidates[c];
    struct lfm_comparison *out = &comparer->comparisons[c];
    LFM_TRY(lfm_outputs_compare(&comparer->outputs, runner->model, runner->hidden, first, count, error));
    for (size_t r = 0; r < count; r++) {
        const struct lfm_distance *distance = &comparer->outputs.distances[r];
        out->kld[at + r] = distance->kld;
        out->nll[at + r] = distance->q_nll;
        out->delta_p[at + r] = distance->q_true - distance->p_true;
        out->top1[at + r] = distance->top1_agreement;
        out->top5[at + r] = distance->top5_overlap;
    }
    return LFM_OK;
}

static enum lfm_status compare_step(struct comparer *comparer, size_t at, struct lfm_error *error)
{
    LFM_TRY(run_models(comparer, error));
    for (size_t done = 0; done < comparer->steps.n_scored; done += LFM_LOGIT_ROWS) {
        size_t left = comparer->steps.n_scored - done, rows = left < LFM_LOGIT_ROWS ? left : LFM_LOGIT_ROWS;
        LFM_TRY(lfm_outputs_reference(&comparer->outputs, comparer->reference.model, comparer->reference.hidden, done, rows,
                                      comparer->reference_nll + at + done, error));
        for (size_t c = 0; c < comparer->n; c++) LFM_TRY(candidate_rows(comparer, c, done, rows, at + done, error));
    }
    return LFM_OK;
}

static enum lfm_status comparer_init(struct comparer *comparer, const struct lfm_model *reference,
                                     const struct lfm_windows *windows, struct lfm_error *error)
{
    LFM_TRY(LFM_ALLOC(&comparer->candidates, comparer->n, error));
    LFM_TRY(lfm_step_runner_init(&comparer->reference, reference, windows, error));
    for (size_t c = 0; c < comparer->n; c++)
        LFM_TRY(lfm_step_runner_init(&comparer->candidates[c], comparer->comparisons[c].model, windows, error));
    LFM_TRY(lfm_outputs_init(&comparer->outputs, &comparer->steps, reference->config.vocab_size, error));
    return lfm_inside_recording_init(&comparer->recording, &reference->config, &comparer->steps, error);
}

static void comparer_release(struct comparer *comparer)
{
    lfm_step_runner_release(&comparer->reference);
    for (size_t c = 0; comparer->candidates && c < comparer->n; c++) lfm_step_runner_release(&comparer->candidates[c]);
    free(comparer->candidates);
    lfm_outputs_release(&comparer->outputs);
    lfm_inside_recording_release(&comparer->recording);
}

enum lfm_status lfm_compare(double *reference_nll, struct lfm_comparison *comparisons, size_t n,
                            const struct lfm_model *reference, struct lfm_windows *windows,
                            struct lfm_progress *progress, struct lfm_error *error)
{
    struct comparer comparer = {
        .comparisons = comparisons, .n = n, .reference_nll = reference_nll, .progress = progress,
    };
    size_t at = 0;
    enum lfm_status status;
    LFM_TRY_DONE(comparer_init(&comparer, reference, windows, error));
    lfm_steps_start(&comparer.steps, windows);
    while (lfm_steps_next(&comparer.steps)) {
        LFM_TRY_DONE(compare_step(&comparer, at, error));
        at += comparer.steps.n_scored;
    }

done:
    comparer_release(&comparer);
    return status;
}
