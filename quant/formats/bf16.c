/* bf16: the upper half of a single-precision number. Round to nearest, ties to even; magnitudes that round beyond the
 * largest become infinity; subnormals and signed zeros are kept; a NaN keeps the top 7 bits of its payload. */
#include "quant/formats/bits.h"
#include "quant/formats/rows.h"

static uint16_t bf16_of(float x)
{
    uint32_t bits = lfm_bits_of(x);
    uint32_t rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
    uint32_t nan = bits >> 16 | (bits & 0x7f0000u ? 0u : 0x40u);
    return (uint16_t)((bits & 0x7fffffffu) > 0x7f800000u ? nan : rounded);
}

void lfm_bf16_encode(void *blocks, const float *x, size_t n)
{
    uint8_t *out = blocks;
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        uint16_t code = bf16_of(x[i]);
        memcpy(out + 2 * i, &code, sizeof code);
    }
}

void lfm_bf16_decode(float *x, const void *blocks, size_t n)
{
    const uint8_t *in = blocks;
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        uint16_t code;
        memcpy(&code, in + 2 * i, sizeof code);
        x[i] = lfm_float_of((uint32_t)code << 16);
    }
}
