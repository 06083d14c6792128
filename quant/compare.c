/* Comparing models live: see compare.h. */
#include "quant/compare.h"

#include "quant/compare_inside.h"
#include "quant/distance.h"
#include "quant/perplexity.h"
#include "quant/steps.h"
#include "reference/base/memory.h"

#include <math.h>
#include <stdlib.h>

struct comparer {
    struct lfm_step_runner reference;
    struct lfm_step_runner *candidates; /* [n] */
    struct lfm_comparison *comparisons;
    size_t n;
    double *reference_nll;
    struct lfm_steps steps;
    struct lfm_inside_recording recording;
    float *p_logits, *q_logits;      /* [LFM_LOGIT_ROWS,V] */
    struct lfm_row_summary *p_rows;  /* [LFM_LOGIT_ROWS] */
    struct lfm_distance *distances;  /* [LFM_LOGIT_ROWS] */
    struct lfm_progress *progress;
    double run;                      /* tokens times models so far */
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

static enum lfm_status not_finite(const struct lfm_model *model, size_t position, struct lfm_error *error)
{
    return lfm_fail(error, LFM_ERROR_FORMAT, "'%s' (%s) gives logits that are not finite at position %zu of a window; "
                    "are there NaN or infinite weights?", model->checkpoint->name, lfm_weights_name(model), position);
}

/* Logits of the reference at `count` scored rows from `first` on, their summaries and NLLs. */
static enum lfm_status reference_rows(struct comparer *comparer, size_t first, size_t count, double *nll,
                                      struct lfm_error *error)
{
    const struct lfm_model *model = comparer->reference.model;
    size_t D = model->config.hidden_size, V = model->config.vocab_size;
    LFM_TRY(lfm_logits(model, comparer->reference.hidden + first * D, count, comparer->p_logits, error));
#pragma omp parallel for schedule(static)
    for (size_t r = 0; r < count; r++) {
        const float *logits = comparer->p_logits + r * V;
        lfm_summarize_row(&comparer->p_rows[r], logits, V);
        nll[r] = lfm_row_nll(&comparer->p_rows[r], logits, comparer->steps.targets[first + r]);
    }
    for (size_t r = 0; r < count; r++)
        if (!isfinite(nll[r])) return not_finite(model, comparer->steps.positions[first + r], error);
    return LFM_OK;
}

/* The same rows of candidate c; results go to index `at` of its comparison. */
static enum lfm_status candidate_rows(struct comparer *comparer, size_t c, size_t first, size_t count, size_t at,
                                      struct lfm_error *error)
{
    const struct lfm_model *model = comparer->candidates[c].model;
    struct lfm_comparison *out = &comparer->comparisons[c];
    size_t D = model->config.hidden_size, V = model->config.vocab_size;
    LFM_TRY(lfm_logits(model, comparer->candidates[c].hidden + first * D, count, comparer->q_logits, error));
#pragma omp parallel for schedule(static)
    for (size_t r = 0; r < count; r++) {
        struct lfm_row_summary q;
        lfm_summarize_row(&q, comparer->q_logits + r * V, V);
        lfm_distance(&comparer->distances[r], comparer->p_logits + r * V, &comparer->p_rows[r],
                     comparer->q_logits + r * V, &q, V, comparer->steps.targets[first + r]);
    }
    for (size_t r = 0; r < count; r++) {
        const struct lfm_distance *distance = &comparer->distances[r];
        if (!isfinite(distance->q_nll) || !isfinite(distance->kld))
            return not_finite(model, comparer->steps.positions[first + r], error);
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
        LFM_TRY(reference_rows(comparer, done, rows, comparer->reference_nll + at + done, error));
        for (size_t c = 0; c < comparer->n; c++) LFM_TRY(candidate_rows(comparer, c, done, rows, at + done, error));
    }
    return LFM_OK;
}

static enum lfm_status comparer_init(struct comparer *comparer, const struct lfm_model *reference,
                                     const struct lfm_windows *windows, struct lfm_error *error)
{
    size_t V = reference->config.vocab_size;
    LFM_TRY(LFM_ALLOC(&comparer->candidates, comparer->n, error));
    LFM_TRY(lfm_step_runner_init(&comparer->reference, reference, windows, error));
    for (size_t c = 0; c < comparer->n; c++)
        LFM_TRY(lfm_step_runner_init(&comparer->candidates[c], comparer->comparisons[c].model, windows, error));
    LFM_TRY(LFM_ALLOC(&comparer->p_logits, LFM_LOGIT_ROWS * V, error));
    LFM_TRY(LFM_ALLOC(&comparer->q_logits, LFM_LOGIT_ROWS * V, error));
    LFM_TRY(LFM_ALLOC(&comparer->p_rows, LFM_LOGIT_ROWS, error));
    LFM_TRY(LFM_ALLOC(&comparer->distances, LFM_LOGIT_ROWS, error));
    return lfm_inside_recording_init(&comparer->recording, &reference->config, &comparer->steps, error);
}

static void comparer_release(struct comparer *comparer)
{
    lfm_step_runner_release(&comparer->reference);
    for (size_t c = 0; comparer->candidates && c < comparer->n; c++) lfm_step_runner_release(&comparer->candidates[c]);
    free(comparer->candidates);
    free(comparer->p_logits);
    free(comparer->q_logits);
    free(comparer->p_rows);
    free(comparer->distances);
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
