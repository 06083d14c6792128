/* Where two sets of vectors part: tokens whose error exceeds a tolerance, channels that stand out of the others.
 *
 * Both are fed a few tokens at a time, x[n, width] of the reference and y[n, width] of the candidate. docs/metrics.md has
 * the formulas in words. */
#ifndef LFM_QUANT_DIVERGENCE_H
#define LFM_QUANT_DIVERGENCE_H

#include "reference/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LFM_NO_TOKEN SIZE_MAX

/* Whether an error is larger than another one, NaN being the largest. */
bool lfm_error_exceeds(double error, double other);

/* |x - y| / |x| of one token's vectors: 0 for equal ones, infinite when just x is zero, NaN when a value is none. */
double lfm_row_relative_l2(const float *x, const float *y, size_t width);

/* Tokens above a tolerance; a row whose error is NaN is above any. */
struct lfm_token_errors {
    size_t tokens, above;
    size_t first;           /* the first above, LFM_NO_TOKEN for none, and its error */
    double first_value;
    size_t worst;           /* the one with the largest error (the first of equals, NaN before numbers), and that error */
    double worst_value;
};
#define LFM_TOKEN_ERRORS_NONE {.first = LFM_NO_TOKEN, .worst = LFM_NO_TOKEN}

void lfm_token_errors_add(struct lfm_token_errors *errors, const float *x, const float *y, size_t n, size_t width,
                          double tolerance);

enum { LFM_OUTLIERS_LISTED = 5 };

struct lfm_channel_outlier {
    size_t channel;
    double rms;          /* over the tokens; infinite when a value is NaN */
    double times_median; /* rms / the median; infinite when the median is 0 */
};

/* The channels whose RMS is more than a multiple of the median of all channels' RMS. */
struct lfm_channel_outliers {
    double median;
    size_t count;
    struct lfm_channel_outlier listed[LFM_OUTLIERS_LISTED]; /* the largest, falling; of equals the lower channel first */
    size_t n_listed;
};

/* From sums of squares[width] over so many tokens, at least 1 each. Fails when memory is short. */
enum lfm_status lfm_channel_outliers(struct lfm_channel_outliers *out, const double *squares, size_t width, size_t tokens,
                                     double multiple, struct lfm_error *error);

#endif
