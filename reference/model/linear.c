/* Matrix times activations: see linear.h.
 *
 * Rows of W are decoded to FP32, four at a time, and multiplied with four tokens at a time; each of the 16 outputs is
 * summed exactly as lfm_dot sums it. */
#include "reference/model/linear.h"

#include "reference/base/memory.h"
#include "reference/model/lanes.h"
#include "reference/model/ops.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum {
    TILE = 4,
    WORTH_SHARING = 1 << 20 /* products below which waking other threads takes longer than it saves */
};

/* out[r][t] = w_r . x_t for 4 rows of w and 4 tokens, n floats each, n a multiple of 16. */
LFM_CLONES
static void multiply_tile(float out[TILE][TILE], const float *w, const float *x, size_t x_stride, size_t n)
{
    lfm_lanes sum[TILE][TILE] = {0};
    for (size_t i = 0; i < n; i += LFM_LANES) {
        lfm_lanes x0 = lfm_load(x + i), x1 = lfm_load(x + x_stride + i);
        lfm_lanes x2 = lfm_load(x + 2 * x_stride + i), x3 = lfm_load(x + 3 * x_stride + i);
#pragma GCC unroll 4
        for (size_t r = 0; r < TILE; r++) {
            lfm_lanes row = lfm_load(w + r * n + i);
            sum[r][0] += row * x0;
            sum[r][1] += row * x1;
            sum[r][2] += row * x2;
            sum[r][3] += row * x3;
        }
    }
    for (size_t r = 0; r < TILE; r++)
        for (size_t t = 0; t < TILE; t++) out[r][t] = lfm_sum_lanes(&sum[r][t]);
}

/* y for the rows first .. first + n_rows - 1 (at most 4), whose FP32 values are w[n_rows, n]. */
static void multiply_rows(float *y, size_t y_stride, const float *w, size_t first, size_t n_rows, const float *x, size_t T,
                          size_t n)
{
    size_t t = 0;
    for (; n_rows == TILE && t + TILE <= T; t += TILE) {
        float out[TILE][TILE];
        multiply_tile(out, w, x + t * n, n, n);
        for (size_t r = 0; r < TILE; r++)
            for (size_t k = 0; k < TILE; k++) y[(t + k) * y_stride + first + r] = out[r][k];
    }
    for (; t < T; t++)
        for (size_t r = 0; r < n_rows; r++) y[t * y_stride + first + r] = lfm_dot(w + r * n, x + t * n, n);
}

/* x[T,columns] with rows padded by zeros to n floats, or x itself when no padding is needed. */
static enum lfm_status pad_rows(const float **padded, float **owned, const float *x, size_t T, size_t columns, size_t n,
                                struct lfm_error *error)
{
    *padded = x;
    *owned = NULL;
    if (n == columns) return LFM_OK;
    LFM_TRY(LFM_ALLOC(owned, T * n, error));
    for (size_t t = 0; t < T; t++) memcpy(*owned + t * n, x + t * columns, columns * sizeof *x);
    *padded = *owned;
    return LFM_OK;
}

enum lfm_status lfm_linear(float *y, const struct lfm_matrix *W, const float *x, size_t T,
                           enum lfm_activations activations, struct lfm_error *error)
{
    size_t n = (W->columns + LFM_LANES - 1) / LFM_LANES * LFM_LANES;
    (void)activations;
    size_t n_threads = (size_t)omp_get_max_threads();
    const float *x_padded;
    float *x_owned, *decoded;
    LFM_TRY(pad_rows(&x_padded, &x_owned, x, T, W->columns, n, error));
    enum lfm_status status = LFM_ALLOC(&decoded, n_threads * TILE * n, error);
    if (status != LFM_OK) {
        free(x_owned);
        return status;
    }
#pragma omp parallel for schedule(static) if (W->rows * W->columns * T > WORTH_SHARING)
    for (size_t first = 0; first < W->rows; first += TILE) {
        size_t n_rows = W->rows - first < TILE ? W->rows - first : TILE;
        float *w = decoded + (size_t)omp_get_thread_num() * TILE * n;
        for (size_t r = 0; r < n_rows; r++) lfm_matrix_decode_row(W, first + r, w + r * n);
        multiply_rows(y, W->rows, w, first, n_rows, x_padded, T, n);
    }
    free(decoded);
    free(x_owned);
    return LFM_OK;
}
