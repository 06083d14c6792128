/* Perplexity: see perplexity.h. */
#include "quant/perplexity.h"

#include "quant/distance.h"
#include "reference/base/memory.h"
#include "reference/model/forward.h"
#include "reference/model/state.h"

#include <math.h>
#include <stdlib.h>

struct scorer {
    const struct lfm_model *model;
    struct lfm_state *state;
    float *hidden; /* [N,D] */
    float *logits; /* [LFM_LOGIT_ROWS,V] */
};

enum lfm_status lfm_check_windows(const struct lfm_model *model, const struct lfm_windows *windows,
                                  struct lfm_error *error)
{
    const struct lfm_config *config = &model->config;
    const struct lfm_documents *documents = windows->documents;
    if (windows->longest > config->max_position_embeddings)
        return lfm_fail(error, LFM_ERROR_LIMIT, "windows of %zu tokens are longer than the %zu positions of '%s'; use "
                        "--context %zu or less", windows->longest, config->max_position_embeddings,
                        model->checkpoint->name, config->max_position_embeddings);
    for (size_t i = 0; i < documents->count; i++)
        for (size_t t = 0; t < documents->items[i].tokens.count; t++) {
            int32_t id = documents->items[i].tokens.ids[t];
            if (id < 0 || (size_t)id >= config->vocab_size)
                return lfm_fail(error, LFM_ERROR_MISMATCH, "%s: token %zu has id %d, but '%s' has a vocabulary of %zu",
                                documents->items[i].name, t, (int)id, model->checkpoint->name, config->vocab_size);
        }
    return LFM_OK;
}

/* nll[count] of `count` rows from `first` on. */
static enum lfm_status score_rows(double *nll, const struct scorer *scorer, const struct lfm_window *window,
                                  size_t first, size_t count, struct lfm_error *error)
{
    size_t D = scorer->model->config.hidden_size, V = scorer->model->config.vocab_size;
    LFM_TRY(lfm_logits(scorer->model, scorer->hidden + first * D, count, scorer->logits, error));
#pragma omp parallel for schedule(static)
    for (size_t r = 0; r < count; r++) {
        struct lfm_row_summary summary;
        lfm_summarize_row(&summary, scorer->logits + r * V, V);
        nll[r] = lfm_row_nll(&summary, scorer->logits + r * V, window->tokens[first + r + 1]);
    }
    for (size_t r = 0; r < count; r++)
        if (!isfinite(nll[r]))
            return lfm_fail(error, LFM_ERROR_FORMAT, "'%s' gives logits that are not finite at position %zu of a "
                            "window; are there NaN or infinite weights?", scorer->model->checkpoint->name, first + r);
    return LFM_OK;
}

static enum lfm_status score_window(double *nll, const struct scorer *scorer, const struct lfm_window *window,
                                    struct lfm_error *error)
{
    lfm_state_clear(scorer->state);
    LFM_TRY(lfm_forward(scorer->model, scorer->state, window->tokens, window->n, NULL, scorer->hidden, error));
    for (size_t done = 0; done < window->count; done += LFM_LOGIT_ROWS) {
        size_t left = window->count - done, rows = left < LFM_LOGIT_ROWS ? left : LFM_LOGIT_ROWS;
        LFM_TRY(score_rows(nll + done, scorer, window, window->first + done, rows, error));
    }
    return LFM_OK;
}

enum lfm_status lfm_score_text(double *nll, const struct lfm_model *model, struct lfm_windows *windows,
                               struct lfm_progress *progress, struct lfm_error *error)
{
    struct scorer scorer = {.model = model};
    struct lfm_window window;
    size_t scored = 0, run = 0;
    LFM_TRY(lfm_check_windows(model, windows, error));

    enum lfm_status status = LFM_OK;
    LFM_TRY_DONE(LFM_ALLOC(&scorer.hidden, windows->longest * model->config.hidden_size, error));
    LFM_TRY_DONE(LFM_ALLOC(&scorer.logits, LFM_LOGIT_ROWS * model->config.vocab_size, error));
    LFM_TRY_DONE(lfm_state_new(&scorer.state, model, error));
    lfm_windows_rewind(windows);
    while (lfm_windows_next(windows, &window)) {
        if (lfm_interrupted()) {
            status = lfm_fail(error, LFM_ERROR_STOPPED, "interrupted after %zu of %zu tokens", run, windows->n_tokens);
            goto done;
        }
        LFM_TRY_DONE(score_window(nll + scored, &scorer, &window, error));
        scored += window.count;
        run += window.n;
        lfm_progress_update(progress, (double)run);
    }

done:
    lfm_state_free(scorer.state);
    free(scorer.logits);
    free(scorer.hidden);
    return status;
}
