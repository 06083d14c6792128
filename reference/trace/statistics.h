/* Running statistics of every channel, cell by cell, at one point: what /statistics holds. A cell is a layer, or an expert of a
 * layer. One pass over the values, in double, from which means of powers of deviations follow without cancellation. */
#ifndef LFM_TRACE_STATISTICS_H
#define LFM_TRACE_STATISTICS_H

#include "reference/base/error.h"

#include <stddef.h>
#include <stdint.h>

struct lfm_channel_statistics {
    size_t cells, width;
    uint64_t *count;            /* [cells] values seen per channel */
    double *mean;               /* [cells, width] */
    double *m2, *m3, *m4;       /* [cells, width] sums over the values of (x - mean)^2, ^3, ^4 */
    double *min, *max;          /* [cells, width] */
    int64_t *absmax_token;      /* [cells, width] where |x| was largest, the first such; -1 where nothing was seen */
};

enum lfm_status lfm_channel_statistics_init(struct lfm_channel_statistics *statistics, size_t cells, size_t width,
                                            struct lfm_error *error);
void lfm_channel_statistics_release(struct lfm_channel_statistics *statistics);

/* Adds values[n, width] of the tokens first_token, first_token + 1, ... to a cell. A NaN or an infinity makes mean
 * and moments of its channel NaN; a NaN is left out of min, max and absmax_token.
 *
 * Values are taken in blocks of 64 tokens: mean and sums of powers of deviations from it within the block, joined to what
 * was there by the formulas of Pebay, "Formulas for robust, one-pass parallel computation of covariances and arbitrary-order
 * statistical moments", SAND2008-6212, eqs. 2.1 and 3.1. */
void lfm_channel_statistics_add(struct lfm_channel_statistics *statistics, size_t cell, const float *values, size_t n,
                                int64_t first_token);
/* Joins the statistics of other values, of the same cells and width, by the same formulas. Where both have the same
 * absolute maximum, that of *to stays. */
void lfm_channel_statistics_merge(struct lfm_channel_statistics *to, const struct lfm_channel_statistics *from);

enum lfm_statistic { LFM_STATISTIC_MEAN, LFM_STATISTIC_RMS, LFM_STATISTIC_ABSMAX, LFM_STATISTIC_MIN, LFM_STATISTIC_MAX,
                     LFM_STATISTIC_M2, LFM_STATISTIC_M3, LFM_STATISTIC_M4, LFM_STATISTIC_KURTOSIS, LFM_STATISTIC_COUNT };
/* "mean", "rms", "absmax", "min", "max", "m2", "m3", "m4", "kurtosis". */
const char *lfm_statistic_name(enum lfm_statistic statistic);
/* One statistic as out[cells, width]; NaN in cells without values. rms = sqrt(mean^2 + m2 / n); kurtosis is the excess over
 * a normal distribution's, of the population: n m4 / m2^2 - 3, NaN for a channel that never changes. */
void lfm_channel_statistics_get(const struct lfm_channel_statistics *statistics, enum lfm_statistic which, double *out);

#endif
