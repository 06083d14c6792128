/* Kernels in plain C, for every processor, and what the others are checked against. */
#include "quant/kernels/kernels.h"

#include "reference/model/lanes.h"

#include <math.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

static bool supported(void)
{
    return true;
}

/* --- vectors of 4 floats, by the compiler's vector extension, which every processor has --- */

enum { WIDTH = 4, VECTORS = LFM_LANES / WIDTH };
typedef float vector __attribute__((vector_size(16)));
typedef float vector_in_memory __attribute__((vector_size(16), aligned(4), may_alias));
typedef double double_vector __attribute__((vector_size(32)));
typedef int64_t long_vector __attribute__((vector_size(32)));

INLINE vector load_vector(const float *at)
{
    return *(const vector_in_memory *)(const void *)at;
}

INLINE void store_vector(float *at, vector v)
{
    *(vector_in_memory *)(void *)at = v;
}

INLINE vector to_all(float x)
{
    return (vector){x, x, x, x};
}

/* fmaf where it is an instruction; elsewhere by way of double, where the product is exact. The sum is then rounded to odd:
 * if it is not exact, that of its two neighbours in double is taken whose last bit is set, so that rounding to float is as if
 * it came first. The error of the sum is Knuth's. (Boldo and Melquiond, Emulation of a FMA and correctly rounded sums, IEEE
 * Transactions on Computers 57, 2008.) */
INLINE vector multiply_add(vector sum, vector a, vector b)
{
#ifdef __FP_FAST_FMAF
    for (size_t i = 0; i < WIDTH; i++) sum[i] = fmaf(a[i], b[i], sum[i]);
    return sum;
#else
    double_vector product = __builtin_convertvector(a, double_vector) * __builtin_convertvector(b, double_vector);
    double_vector addend = __builtin_convertvector(sum, double_vector), rounded = product + addend;
    double_vector of_addend = rounded - product;
    double_vector error = (product - (rounded - of_addend)) + (addend - of_addend);
    long_vector bits = (long_vector)rounded, inexact = (error > 0) | (error < 0), even = (bits & 1) - 1;
    long_vector outwards = (error > 0) ^ (rounded < 0), step = (outwards & 2) - 1;
    return __builtin_convertvector((double_vector)(bits + (step & inexact & even)), vector);
#endif
}

INLINE float sum_vectors(const vector lanes[VECTORS])
{
    float sum[LFM_LANES];
    memcpy(sum, lanes, sizeof sum);
    for (size_t half = LFM_LANES / 2; half > 0; half /= 2)
        for (size_t i = 0; i < half; i++) sum[i] += sum[i + half];
    return sum[0];
}

/* --- FP32 products --- */

enum { TILE_ROWS = 2, TILE_TOKENS = 2 }; /* their product is the number of 16-float sums that are kept */

/* y[t * y_stride + r] for `rows` <= TILE_ROWS and `tokens` <= TILE_TOKENS; both are constants where it is inlined. */
INLINE void multiply_tile(float *y, size_t y_stride, const float *w, size_t rows, const float *x, size_t tokens, size_t n)
{
    vector sum[TILE_ROWS][TILE_TOKENS][VECTORS] = {0};
    for (size_t i = 0; i < n; i += LFM_LANES)
        for (size_t t = 0; t < tokens; t++)
            for (size_t r = 0; r < rows; r++)
                for (size_t v = 0; v < VECTORS; v++)
                    sum[r][t][v] = multiply_add(sum[r][t][v], load_vector(w + r * n + i + v * WIDTH),
                                                load_vector(x + t * n + i + v * WIDTH));
    for (size_t r = 0; r < rows; r++)
        for (size_t t = 0; t < tokens; t++) y[t * y_stride + r] = sum_vectors(sum[r][t]);
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

/* --- attention and activations --- */

#include "quant/kernels/attention.h"
#include "quant/kernels/silu.h"

const struct lfm_kernels lfm_plain_kernels = {"plain", supported, multiply, lfm_plain_multiply_q8, formats,
                                              multiply_keys, take_scores, silu_multiply};
