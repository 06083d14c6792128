/* Perplexity: the negative log-likelihood that a model gives to each scored token of a text. */
#ifndef LFM_QUANT_PERPLEXITY_H
#define LFM_QUANT_PERPLEXITY_H

#include "reference/base/error.h"
#include "reference/base/progress.h"
#include "reference/model/model.h"
#include "reference/model/text.h"

/* Rows of logits held at a time: memory is O(vocabulary), whatever the context. */
enum { LFM_LOGIT_ROWS = 32 };

/* Runs all windows from the first. nll[windows->n_scored], in nats, in the order of the windows. The progress, which
 * may be NULL, counts tokens. Fails on logits that are not finite, and after Ctrl-C. */
enum lfm_status lfm_score_text(double *nll, const struct lfm_model *model, struct lfm_windows *windows,
                               struct lfm_progress *progress, struct lfm_error *error);

#endif
