/* Comparing models live: see compare.h. */
#include "quant/compare.h"

#include "quant/compare_inside.h"
#include "quant/distance.h"
#include "quant/perplexity.h"
#include "reference/base/memory.h"
#include "reference/model/forward.h"
#include "reference/model/state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One model and what it needs to run a window. */
struct runner {
    const struct lfm_model *model;
    struct lfm_state *state;
    float *hidden; /* [longest window, D] */
};

struct comparer {
    struct runner reference;
    struct runner *candidates; /* [n] */
    struct lfm_comparison *comparisons;
    size_t n;
    double *reference_nll;
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

static enum lfm_status runner_init(struct runner *runner, const struct lfm_model *model,
                                   const struct lfm_windows *windows, struct lfm_error *error)
{
    runner->model = model;
    LFM_TRY(lfm_check_windows(model, windows, error));
    LFM_TRY(lfm_state_new(&runner->state, model, error));
    return LFM_ALLOC(&runner->hidden, windows->longest * model->config.hidden_size, error);
}

static void runner_release(struct runner *runner)
{
    lfm_state_free(runner->state);
    free(runner->hidden);
}

static enum lfm_status run_window(struct runner *runner, struct comparer *comparer, const struct lfm_window *window,
                                  const struct lfm_observer *observer, struct lfm_error *error)
{
    if (lfm_interrupted()) return lfm_fail(error, LFM_ERROR_STOPPED, "interrupted after %.0f tokens", comparer->run);
    lfm_state_clear(runner->state);
    LFM_TRY(lfm_forward(runner->model, runner->state, window->tokens, window->n, observer, runner->hidden, error));
    comparer->run += (double)window->n;
    lfm_progress_update(comparer->progress, comparer->run);
    return LFM_OK;
}

static enum lfm_status run_models(struct comparer *comparer, const struct lfm_window *window, struct lfm_error *error)
{
    comparer->recording.first = window->first;
    comparer->recording.count = window->count;
    const struct lfm_observer recorder = lfm_inside_recording_observer(&comparer->recording);
    LFM_TRY(run_window(&comparer->reference, comparer, window, &recorder, error));
    for (size_t c = 0; c < comparer->n; c++) {
        struct lfm_inside_comparer inside = {&comparer->recording, comparer->comparisons[c].layers};
        const struct lfm_observer observer = lfm_inside_observer(&inside);
        LFM_TRY(run_window(&comparer->candidates[c], comparer, window, inside.layers ? &observer : NULL, error));
    }
    return LFM_OK;
}

static enum lfm_status not_finite(const struct lfm_model *model, size_t position, struct lfm_error *error)
{
    return lfm_fail(error, LFM_ERROR_FORMAT, "'%s' (%s) gives logits that are not finite at position %zu of a window; "
                    "are there NaN or infinite weights?", model->checkpoint->name, model->weights, position);
}

/* Logits of the reference at `count` rows from position `first` on, their summaries and NLLs. */
static enum lfm_status reference_rows(struct comparer *comparer, const struct lfm_window *window, size_t first,
                                      size_t count, double *nll, struct lfm_error *error)
{
    const struct lfm_model *model = comparer->reference.model;
    size_t D = model->config.hidden_size, V = model->config.vocab_size;
    LFM_TRY(lfm_logits(model, comparer->reference.hidden + first * D, count, comparer->p_logits, error));
#pragma omp parallel for schedule(static)
    for (size_t r = 0; r < count; r++) {
        const float *logits = comparer->p_logits + r * V;
        lfm_summarize_row(&comparer->p_rows[r], logits, V);
        nll[r] = lfm_row_nll(&comparer->p_rows[r], logits, window->tokens[first + r + 1]);
    }
    for (size_t r = 0; r < count; r++)
        if (!isfinite(nll[r])) return not_finite(model, first + r, error);
    return LFM_OK;
}

/* The same rows of candidate c; results go to index `at` of its comparison. */
static enum lfm_status candidate_rows(struct comparer *comparer, size_t c, const struct lfm_window *window,
                                      size_t first, size_t count, size_t at, struct lfm_error *error)
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
                     comparer->q_logits + r * V, &q, V, window->tokens[first + r + 1]);
    }
    for (size_t r = 0; r < count; r++) {
        const struct lfm_distance *distance = &comparer->distances[r];
        if (!isfinite(distance->q_nll) || !isfinite(distance->kld)) return not_finite(model, first + r, error);
        out->kld[at + r] = distance->kld;
        out->nll[at + r] = distance->q_nll;
        out->delta_p[at + r] = distance->q_true - distance->p_true;
        out->top1[at + r] = distance->top1_agreement;
        out->top5[at + r] = distance->top5_overlap;
    }
    return LFM_OK;
}

static enum lfm_status compare_window(struct comparer *comparer, const struct lfm_window *window, size_t at,
                                      struct lfm_error *error)
{
    LFM_TRY(run_models(comparer, window, error));
    for (size_t done = 0; done < window->count; done += LFM_LOGIT_ROWS) {
        size_t left = window->count - done, rows = left < LFM_LOGIT_ROWS ? left : LFM_LOGIT_ROWS;
        size_t first = window->first + done;
        LFM_TRY(reference_rows(comparer, window, first, rows, comparer->reference_nll + at + done, error));
        for (size_t c = 0; c < comparer->n; c++)
            LFM_TRY(candidate_rows(comparer, c, window, first, rows, at + done, error));
    }
    return LFM_OK;
}

static enum lfm_status comparer_init(struct comparer *comparer, const struct lfm_model *reference,
                                     const struct lfm_windows *windows, struct lfm_error *error)
{
    size_t V = reference->config.vocab_size;
    LFM_TRY(LFM_ALLOC(&comparer->candidates, comparer->n, error));
    LFM_TRY(runner_init(&comparer->reference, reference, windows, error));
    for (size_t c = 0; c < comparer->n; c++)
        LFM_TRY(runner_init(&comparer->candidates[c], comparer->comparisons[c].model, windows, error));
    LFM_TRY(LFM_ALLOC(&comparer->p_logits, LFM_LOGIT_ROWS * V, error));
    LFM_TRY(LFM_ALLOC(&comparer->q_logits, LFM_LOGIT_ROWS * V, error));
    LFM_TRY(LFM_ALLOC(&comparer->p_rows, LFM_LOGIT_ROWS, error));
    LFM_TRY(LFM_ALLOC(&comparer->distances, LFM_LOGIT_ROWS, error));
    return lfm_inside_recording_init(&comparer->recording, &reference->config, windows->longest, error);
}

static void comparer_release(struct comparer *comparer)
{
    runner_release(&comparer->reference);
    for (size_t c = 0; comparer->candidates && c < comparer->n; c++) runner_release(&comparer->candidates[c]);
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
    struct lfm_window window;
    size_t at = 0;
    enum lfm_status status;
    LFM_TRY_DONE(comparer_init(&comparer, reference, windows, error));
    lfm_windows_rewind(windows);
    while (lfm_windows_next(windows, &window)) {
        LFM_TRY_DONE(compare_window(&comparer, &window, at, error));
        at += window.count;
    }

done:
    comparer_release(&comparer);
    return status;
}

enum { MAX_FORMATS = 64 };

struct tally {
    const struct lfm_format *formats[MAX_FORMATS];
    size_t elements[MAX_FORMATS];
    size_t n;
};

static enum lfm_status count_elements(void *context, const char *name, struct lfm_matrix *matrix,
                                      struct lfm_error *error)
{
    (void)name;
    (void)error;
    struct tally *tally = context;
    size_t i = 0;
    while (i < tally->n && tally->formats[i] != matrix->format) i++;
    if (i == MAX_FORMATS) return LFM_OK;
    if (i == tally->n) tally->formats[tally->n++] = matrix->format;
    tally->elements[i] += matrix->rows * matrix->columns;
    return LFM_OK;
}

const char *lfm_weights_name(struct lfm_model *model)
{
    struct tally tally = {0};
    if (strcmp(model->weights, "stored") != 0) return model->weights;
    if (lfm_model_each_matrix(model, count_elements, &tally, NULL) != LFM_OK || tally.n == 0) return model->weights;
    size_t most = 0;
    for (size_t i = 1; i < tally.n; i++)
        if (tally.elements[i] > tally.elements[most]) most = i;
    return tally.formats[most]->name;
}
