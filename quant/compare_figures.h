/* What a comparison comes down to: the figures that `compare` prints. docs/metrics.md explains each. */
#ifndef LFM_QUANT_COMPARE_FIGURES_H
#define LFM_QUANT_COMPARE_FIGURES_H

#include "quant/compare.h"
#include "quant/positions.h"
#include "quant/statistics.h"
#include "reference/base/error.h"

#include <stddef.h>
#include <stdint.h>

struct lfm_compare_figures {
    double nll_mean, perplexity;  /* of the candidate */
    struct lfm_estimate ratio;    /* perplexity of the candidate / of the reference, error from paired differences */
    struct lfm_estimate kld;
    struct lfm_distribution kld_distribution;
    double kld_low, kld_high;     /* 95 % bootstrap interval of the mean */
    struct lfm_estimate top1;
    double top5_overlap;
    double delta_p_mean, delta_p_rms;
    struct lfm_router_figures router; /* over all layers with experts; NaN when there are none to compare */
};

/* Over all positions. */
enum lfm_status lfm_compare_figures(struct lfm_compare_figures *figures, const struct lfm_comparison *comparison,
                                    const double *reference_nll, const struct lfm_positions *positions, uint64_t seed,
                                    struct lfm_error *error);

struct lfm_label_figures {
    struct lfm_estimate kld, ratio;
    double perplexity, reference_perplexity, top1;
};

/* Over the positions with one label. */
enum lfm_status lfm_label_figures(struct lfm_label_figures *figures, const struct lfm_comparison *comparison,
                                  const double *reference_nll, const struct lfm_positions *positions, uint32_t label,
                                  struct lfm_error *error);

#endif
