/* Kernels in plain C, for every processor, and what the others are checked against. */
#include "quant/kernels/kernels.h"

#include "reference/model/lanes.h"

#define INLINE static inline __attribute__((always_inline))

static bool supported(void)
{
    return true;
}

/* --- FP32 products: the vector extension of the compiler, which makes the best of the instruction set it compiles for --- */

enum { TILE_ROWS = 2, TILE_TOKENS = 2 }; /* their product is the number of 16-float sums that are kept */

/* y[t * y_stride + r] for `rows` <= TILE_ROWS and `tokens` <= TILE_TOKENS; both are constants where it is inlined. */
INLINE void multiply_tile(float *y, size_t y_stride, const float *w, size_t rows, const float *x, size_t tokens, size_t n)
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

/* --- integer products --- */

static int32_t group_product(const uint8_t *codes, const int8_t *q, size_t group)
{
    int32_t sum = 0;
    for (size_t i = 0; i < group; i++) sum += codes[i] * q[i];
    return sum;
}

#include "quant/kernels/integer.h"

void lfm_plain_multiply_q8(float *y, size_t y_stride, const struct lfm_format *format, const void *rows, size_t row_bytes,
                           size_t n_rows, const struct lfm_q8_rows *x, void *scratch)
{
    multiply_q8_by_rows(y, y_stride, format, rows, row_bytes, n_rows, x, scratch);
}

static const struct lfm_format_kernels formats[] = {{0}};

/* --- attention and activations: in vectors that every processor has --- */

enum { WIDTH = 4 };
typedef float vector __attribute__((vector_size(16)));
typedef float vector_in_memory __attribute__((vector_size(16), aligned(4), may_alias));

INLINE vector load_vector(const float *at)
{
    return *(const vector_in_memory *)(const void *)at;
}

INLINE void store_vector(float *at, vector v)
{
    *(vector_in_memory *)(void *)at = v;
}

#include "quant/kernels/attention.h"
#include "quant/kernels/silu.h"

const struct lfm_kernels lfm_plain_kernels = {"plain", supported, multiply, lfm_plain_multiply_q8, formats,
                                              multiply_keys, take_scores, silu_multiply};
