/* Tokens above a tolerance, channels above the others: see divergence.h. */
#include "quant/divergence.h"

#include "quant/agreement.h"
#include "reference/base/memory.h"

#include <gsl/gsl_sort_double.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

double lfm_row_relative_l2(const float *x, const float *y, size_t width)
{
    struct lfm_vector_sums sums = {0};
    lfm_vector_add(&sums, x, y, width);
    return lfm_relative_l2(&sums);
}

bool lfm_error_exceeds(double error, double other)
{
    if (isnan(other)) return false;
    return isnan(error) || error > other;
}

void lfm_token_errors_add(struct lfm_token_errors *errors, const float *x, const float *y, size_t n, size_t width,
                          double tolerance)
{
    for (size_t t = 0; t < n; t++) {
        double value = lfm_row_relative_l2(x + t * width, y + t * width, width);
        size_t token = errors->tokens++;
        if (errors->worst == LFM_NO_TOKEN || lfm_error_exceeds(value, errors->worst_value)) {
            errors->worst = token;
            errors->worst_value = value;
        }
        if (!lfm_error_exceeds(value, tolerance)) continue;
        if (errors->above++ > 0) continue;
        errors->first = token;
        errors->first_value = value;
    }
}

/* A channel with a NaN is as far out as can be. */
static double root_mean_square(double squares, size_t tokens)
{
    return isnan(squares) ? INFINITY : sqrt(squares / (double)tokens);
}

/* Keeps the list of the largest: the new channel, a later one than those in it, goes behind its equals. */
static void list_channel(struct lfm_channel_outliers *out, struct lfm_channel_outlier outlier)
{
    size_t at = out->n_listed;
    while (at > 0 && out->listed[at - 1].rms < outlier.rms) at--;
    if (at == LFM_OUTLIERS_LISTED) return;
    if (out->n_listed < LFM_OUTLIERS_LISTED) out->n_listed++;
    for (size_t i = out->n_listed - 1; i > at; i--) out->listed[i] = out->listed[i - 1];
    out->listed[at] = outlier;
}

enum lfm_status lfm_channel_outliers(struct lfm_channel_outliers *out, const double *squares, size_t width, size_t tokens,
                                     double multiple, struct lfm_error *error)
{
    double *sorted;
    *out = (struct lfm_channel_outliers){0};
    LFM_TRY(LFM_ALLOC(&sorted, width, error));
    for (size_t c = 0; c < width; c++) sorted[c] = root_mean_square(squares[c], tokens);
    gsl_sort(sorted, 1, width);
    out->median = gsl_stats_median_from_sorted_data(sorted, 1, width);
    free(sorted);
    for (size_t c = 0; c < width; c++) {
        double rms = root_mean_square(squares[c], tokens);
        if (!(rms > multiple * out->median)) continue;
        out->count++;
        list_channel(out, (struct lfm_channel_outlier){c, rms, rms / out->median});
    }
    return LFM_OK;
}
