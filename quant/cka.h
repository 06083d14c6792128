/* Linear centred kernel alignment between two sets of vectors, as running sums.
 *
 *   CKA = |Y'X|_F^2 / (|X'X|_F |Y'Y|_F),  columns of X and Y centred over the tokens      0 to 1
 *
 * Source: Kornblith et al., Similarity of Neural Network Representations Revisited, 2019 (arXiv 1905.00414), eq. 5.
 * It asks whether two layers hold the same information up to rotation and scale; with fewer tokens than channels it is
 * close to 1 for any two sets. */
#ifndef LFM_QUANT_CKA_H
#define LFM_QUANT_CKA_H

#include "reference/base/error.h"

#include <stddef.h>

struct lfm_cka {
    size_t width, tokens;
    double *x_shift, *y_shift; /* [width] what was subtracted: the means of the first block */
    double *x_sum, *y_sum;     /* [width] of the shifted values */
    double *xx, *yy, *yx;      /* [width, width] X'X and Y'Y (upper triangles), Y'X, of the shifted values */
    double *x, *y;             /* [block, width] scratch */
    size_t block;
};

enum { LFM_CKA_MAX_WIDTH = 16384 };

/* Memory is 3 width^2 doubles. Adding takes blocks of at most `block` tokens. */
enum lfm_status lfm_cka_init(struct lfm_cka *cka, size_t width, size_t block, struct lfm_error *error);
void lfm_cka_release(struct lfm_cka *cka);

/* Adds n tokens x[n, width], y[n, width]. The result does not depend on the number of threads. */
void lfm_cka_add(struct lfm_cka *cka, const float *x, const float *y, size_t n);
/* NaN when one side does not vary. */
double lfm_cka_value(const struct lfm_cka *cka);

#endif
