/* f16: IEEE half precision. Round to nearest, ties to even; magnitudes that round beyond 65504 become infinity;
 * subnormals (steps of 2^-24), signed zeros and NaN payloads (their top 10 bits) are kept. */
#include "quant/formats/bits.h"
#include "quant/formats/rows.h"

void lfm_f16_encode(void *blocks, const float *x, size_t n)
{
    uint8_t *out = blocks;
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        uint16_t half = lfm_half_of(x[i]);
        memcpy(out + 2 * i, &half, sizeof half);
    }
}

void lfm_f16_decode(float *x, const void *blocks, size_t n)
{
    const uint8_t *in = blocks;
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        uint16_t half;
        memcpy(&half, in + 2 * i, sizeof half);
        x[i] = lfm_float_of_half(half);
    }
}
