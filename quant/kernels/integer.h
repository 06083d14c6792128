/* Integer products row by row, for sets without panels of their own. The including file defines
 *     static int32_t group_product(const uint8_t *codes, const int8_t *q, size_t group)
 * the exact sum(code * q) over `group` (16 or 32) codes. */
#include "reference/model/kernels.h"

#include <math.h>

/* One row of weights, unpacked, with token t of x. */
static float multiply_row_q8(const struct lfm_format *format, const uint8_t *codes, const float *scales,
                             const float *minima, const struct lfm_q8_rows *x, size_t t)
{
    const int8_t *q = x->codes + t * x->n;
    const float *d = x->scales + t * (x->n / LFM_Q8_BLOCK);
    size_t group = format->group;
    const float *sums = (group == LFM_Q8_HALF ? x->half_sums : x->sums) + t * (x->n / group);
    float sum = 0;
    for (size_t g = 0; g < x->n / group; g++) {
        float scale = d[g * group / LFM_Q8_BLOCK];
        int32_t product = group_product(codes + g * group, q + g * group, group) - format->zero * (int32_t)sums[g];
        sum = fmaf(scales[g] * scale, (float)product, sum);
        if (format->has_minima) sum = fmaf(minima[g] * scale, sums[g], sum);
    }
    return sum;
}

static void multiply_q8_by_rows(float *y, size_t y_stride, const struct lfm_format *format, const void *rows,
                                size_t row_bytes, size_t n_rows, const struct lfm_q8_rows *x, void *scratch)
{
    uint8_t *codes = scratch;
    float *scales = (float *)(codes + x->n), *minima = scales + x->n / LFM_Q8_HALF;
    for (size_t r = 0; r < n_rows; r++) {
        format->unpack_row(codes, scales, minima, (const uint8_t *)rows + r * row_bytes, x->n);
        for (size_t t = 0; t < x->T; t++) y[t * y_stride + r] = multiply_row_q8(format, codes, scales, minima, x, t);
    }
}
