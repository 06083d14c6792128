/* FP32 matrix products for sets without a tile of their own: the vector extension of the compiler, which makes the best
 * of the instruction set that the including file is compiled for. Define TILE_ROWS and TILE_TOKENS first: their product
 * is the number of 16-float sums that are kept in registers. */
#include "reference/model/lanes.h"

#include <stddef.h>

/* y[t * y_stride + r] for `rows` <= TILE_ROWS and `tokens` <= TILE_TOKENS; both are constants where it is inlined. */
static inline __attribute__((always_inline)) void multiply_tile(float *y, size_t y_stride, const float *w, size_t rows,
                                                                const float *x, size_t tokens, size_t n)
{
    lfm_lanes sum[TILE_ROWS][TILE_TOKENS] = {0};
    for (size_t i = 0; i < n; i += LFM_LANES)
        for (size_t t = 0; t < tokens; t++) {
            lfm_lanes x_t = lfm_load(x + t * n + i);
            for (size_t r = 0; r < rows; r++) sum[r][t] += lfm_load(w + r * n + i) * x_t;
        }
    for (size_t r = 0; r < rows; r++)
        for (size_t t = 0; t < tokens; t++) y[t * y_stride + r] = lfm_sum_lanes(&sum[r][t]);
}

static void multiply(float *y, size_t y_stride, const float *w, size_t n_rows, const float *x, size_t T, size_t n)
{
    size_t t = 0;
    for (; t + TILE_TOKENS <= T; t += TILE_TOKENS) {
        size_t r = 0;
        for (; r + TILE_ROWS <= n_rows; r += TILE_ROWS)
            multiply_tile(y + t * y_stride + r, y_stride, w + r * n, TILE_ROWS, x + t * n, TILE_TOKENS, n);
        for (; r < n_rows; r++) multiply_tile(y + t * y_stride + r, y_stride, w + r * n, 1, x + t * n, TILE_TOKENS, n);
    }
    for (; t < T; t++) {
        size_t r = 0;
        for (; r + TILE_ROWS <= n_rows; r += TILE_ROWS)
            multiply_tile(y + t * y_stride + r, y_stride, w + r * n, TILE_ROWS, x + t * n, 1, n);
        for (; r < n_rows; r++) multiply_tile(y + t * y_stride + r, y_stride, w + r * n, 1, x + t * n, 1, n);
    }
}
