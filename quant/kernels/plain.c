/* Kernels in plain C, for every processor, and what the others are checked against. */
#include "quant/kernels/kernels.h"

#include "reference/model/lanes.h"

static bool supported(void)
{
    return true;
}

/* --- FP32 products: the vector extension of the compiler, which makes the best of the instruction set it compiles for --- */

enum { TILE_ROWS = 2, TILE_TOKENS = 2 }; /* their product is the number of 16-float sums that are kept */

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

/* --- integer products, row by row --- */

/* The exact sum(code * q) over `group` codes. */
static int32_t group_product(const uint8_t *codes, const int8_t *q, size_t group)
{
    int32_t sum = 0;
    for (size_t i = 0; i < group; i++) sum += codes[i] * q[i];
    return sum;
}

/* One row of weights, unpacked, with token t of x. */
static float multiply_row_q8(const struct lfm_format *format, const uint8_t *codes, const float *scales,
                             const float *minima, const struct lfm_q8_rows *x, size_t t)
{
    const int8_t *q = x->codes + t * x->n;
    const float *d = x->scales + t * (x->n / LFM_Q8_BLOCK);
    const int32_t *sums = x->sums + t * (x->n / LFM_Q8_HALF);
    size_t group = format->group, halves = group / LFM_Q8_HALF;
    float sum = 0;
    for (size_t g = 0; g < x->n / group; g++) {
        float scale = d[g * group / LFM_Q8_BLOCK];
        int32_t of_activations = sums[g * halves] + (halves == 2 ? sums[g * halves + 1] : 0);
        int32_t product = group_product(codes + g * group, q + g * group, group) - format->zero * of_activations;
        sum += scales[g] * scale * (float)product;
        if (format->has_minima) sum += minima[g] * scale * (float)of_activations;
    }
    return sum;
}

void lfm_plain_multiply_q8(float *y, size_t y_stride, const struct lfm_format *format, const void *rows, size_t row_bytes,
                           size_t n_rows, const struct lfm_q8_rows *x, void *scratch)
{
    uint8_t *codes = scratch;
    float *scales = (float *)(codes + x->n), *minima = scales + x->n / LFM_Q8_HALF;
    for (size_t r = 0; r < n_rows; r++) {
        format->unpack_row(codes, scales, minima, (const uint8_t *)rows + r * row_bytes, x->n);
        for (size_t t = 0; t < x->T; t++) y[t * y_stride + r] = multiply_row_q8(format, codes, scales, minima, x, t);
    }
}

static const struct lfm_format_kernels formats[] = {{0}};

const struct lfm_kernels lfm_plain_kernels = {"plain", supported, multiply, lfm_plain_multiply_q8, formats};
