/* Perplexity: see perplexity.h. */
#include "quant/perplexity.h"

#include "quant/distance.h"
#include "quant/steps.h"
#include "reference/base/memory.h"

#include <math.h>
#include <stdlib.h>

struct scorer {
    struct lfm_step_runner runner;
    struct lfm_steps steps;
    float *logits; /* [LFM_LOGIT_ROWS,V] */
};

/* nll[count] of `count` scored rows from `first` on. */
static enum lfm_status score_rows(double *nll, const struct scorer *scorer, size_t first, size_t count,
                                  struct lfm_error *error)
{
    const struct lfm_model *model = scorer->runner.model;
    size_t D = model->config.hidden_size, V = model->config.vocab_size;
    LFM_TRY(lfm_logits(model, scorer->runner.hidden + first * D, count, scorer->logits, error));
#pragma omp parallel for schedule(static)
    for (size_t r = 0; r < count; r++) {
        struct lfm_row_summary summary;
        lfm_summarize_row(&summary, scorer->logits + r * V, V);
        nll[r] = lfm_row_nll(&summary, scorer->logits + r * V, scorer->steps.targets[first + r]);
    }
    for (size_t r = 0; r < count; r++)
        if (!isfinite(nll[r]))
            return lfm_fail(error, LFM_ERROR_FORMAT, "'%s' gives logits that are not finite at position %zu of a "
                            "window; are there NaN or infinite weights?", model->checkpoint->name,
                            scorer->steps.positions[first + r]);
    return LFM_OK;
}

static enum lfm_status score_step(double *nll, struct scorer *scorer, struct lfm_error *error)
{
    LFM_TRY(lfm_step_run(&scorer->runner, &scorer->steps, NULL, error));
    for (size_t done = 0; done < scorer->steps.n_scored; done += LFM_LOGIT_ROWS) {
        size_t left = scorer->steps.n_scored - done;
        LFM_TRY(score_rows(nll + done, scorer, done, left < LFM_LOGIT_ROWS ? left : LFM_LOGIT_ROWS, error));
    }
    return LFM_OK;
}

enum lfm_status lfm_score_text(double *nll, const struct lfm_model *model, struct lfm_windows *windows,
                               struct lfm_progress *progress, struct lfm_error *error)
{
    struct scorer scorer = {0};
    size_t scored = 0, run = 0;
    enum lfm_status status;
    LFM_TRY_DONE(lfm_step_runner_init(&scorer.runner, model, windows, error));
    LFM_TRY_DONE(LFM_ALLOC(&scorer.logits, LFM_LOGIT_ROWS * model->config.vocab_size, error));
    lfm_steps_start(&scorer.steps, windows);
    while (lfm_steps_next(&scorer.steps)) {
        if (lfm_interrupted()) {
            status = lfm_fail(error, LFM_ERROR_STOPPED, "interrupted after %zu of %zu tokens", run, windows->n_tokens);
            goto done;
        }
        LFM_TRY_DONE(score_step(nll + scored, &scorer, error));
        scored += scorer.steps.n_scored;
        run += scorer.steps.n_tokens;
        lfm_progress_update(progress, (double)run);
    }

done:
    lfm_step_runner_release(&scorer.runner);
    free(scorer.logits);
    return status;
}
