/* Running statistics of every channel of every layer at one point: what /statistics holds. */
#ifndef LFM_TRACE_STATISTICS_H
#define LFM_TRACE_STATISTICS_H

#include "reference/base/error.h"

#include <stddef.h>
#include <stdint.h>

struct lfm_channel_statistics {
    size_t layers, width;
    uint64_t *count;            /* [layers] tokens seen */
    double *sum, *sum_squares;  /* [layers, width] */
    double *min, *max;          /* [layers, width] */
};

enum lfm_status lfm_channel_statistics_init(struct lfm_channel_statistics *statistics, size_t layers, size_t width,
                                            struct lfm_error *error);
void lfm_channel_statistics_release(struct lfm_channel_statistics *statistics);

/* Adds values[n, width] of a layer. A NaN makes sum and sum_squares of its channel NaN and is left out of min and
 * max. */
void lfm_channel_statistics_add(struct lfm_channel_statistics *statistics, size_t layer, const float *values, size_t n);

enum lfm_statistic { LFM_STATISTIC_MEAN, LFM_STATISTIC_RMS, LFM_STATISTIC_ABSMAX, LFM_STATISTIC_MIN, LFM_STATISTIC_MAX,
                     LFM_STATISTIC_COUNT };
/* "mean", "rms", "absmax", "min", "max". */
const char *lfm_statistic_name(enum lfm_statistic statistic);
/* One statistic as out[layers, width]; NaN in layers without tokens. mean = sum x / n, rms = sqrt(sum x^2 / n). */
void lfm_channel_statistics_get(const struct lfm_channel_statistics *statistics, enum lfm_statistic which, double *out);

#endif
