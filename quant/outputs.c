/* Output distributions against the reference's: see outputs.h. */
#include "quant/outputs.h"

#include "reference/base/memory.h"
#include "reference/model/forward.h"

#include <math.h>
#include <stdlib.h>

enum lfm_status lfm_outputs_init(struct lfm_outputs *outputs, const struct lfm_steps *steps, size_t V,
                                 struct lfm_error *error)
{
    *outputs = (struct lfm_outputs){.steps = steps};
    enum lfm_status status;
    LFM_TRY_DONE(LFM_ALLOC(&outputs->p_logits, LFM_LOGIT_ROWS * V, error));
    LFM_TRY_DONE(LFM_ALLOC(&outputs->q_logits, LFM_LOGIT_ROWS * V, error));
    LFM_TRY_DONE(LFM_ALLOC(&outputs->p_rows, LFM_LOGIT_ROWS, error));
    LFM_TRY_DONE(LFM_ALLOC(&outputs->distances, LFM_LOGIT_ROWS, error));
    return LFM_OK;

done:
    lfm_outputs_release(outputs);
    return status;
}

void lfm_outputs_release(struct lfm_outputs *outputs)
{
    free(outputs->p_logits);
    free(outputs->q_logits);
    free(outputs->p_rows);
    free(outputs->distances);
    *outputs = (struct lfm_outputs){0};
}

static enum lfm_status not_finite(const struct lfm_model *model, size_t position, struct lfm_error *error)
{
    return lfm_fail(error, LFM_ERROR_FORMAT, "'%s' (%s) gives logits that are not finite at position %zu of a window; "
                    "are there NaN or infinite weights?", model->checkpoint->name, lfm_weights_name(model), position);
}

enum lfm_status lfm_outputs_reference(struct lfm_outputs *outputs, const struct lfm_model *model, const float *hidden,
                                      size_t first, size_t count, double *nll, struct lfm_error *error)
{
    size_t D = model->config.hidden_size, V = model->config.vocab_size;
    LFM_TRY(lfm_logits(model, hidden + first * D, count, outputs->p_logits, error));
#pragma omp parallel for schedule(static)
    for (size_t r = 0; r < count; r++) {
        const float *logits = outputs->p_logits + r * V;
        lfm_summarize_row(&outputs->p_rows[r], logits, V);
        nll[r] = lfm_row_nll(&outputs->p_rows[r], logits, outputs->steps->targets[first + r]);
    }
    for (size_t r = 0; r < count; r++)
        if (!isfinite(nll[r])) return not_finite(model, outputs->steps->positions[first + r], error);
    return LFM_OK;
}

enum lfm_status lfm_outputs_compare(struct lfm_outputs *outputs, const struct lfm_model *model, const float *hidden,
                                    size_t first, size_t count, struct lfm_error *error)
{
    size_t D = model->config.hidden_size, V = model->config.vocab_size;
    LFM_TRY(lfm_logits(model, hidden + first * D, count, outputs->q_logits, error));
#pragma omp parallel for schedule(static)
    for (size_t r = 0; r < count; r++) {
        struct lfm_row_summary q;
        lfm_summarize_row(&q, outputs->q_logits + r * V, V);
        lfm_distance(&outputs->distances[r], outputs->p_logits + r * V, &outputs->p_rows[r], outputs->q_logits + r * V, &q,
                     V, outputs->steps->targets[first + r]);
    }
    for (size_t r = 0; r < count; r++)
        if (!isfinite(outputs->distances[r].q_nll) || !isfinite(outputs->distances[r].kld))
            return not_finite(model, outputs->steps->positions[first + r], error);
    return LFM_OK;
}
