/* fp8_e4m3: one byte: sign, 4 bits of exponent (bias 7), 3 of fraction; the variant without infinities ("FN"): largest
 * 448, NaN 0x7f and 0xff. Round to nearest, ties to even; larger magnitudes and infinities saturate at 448; subnormals
 * (steps of 2^-9) and signed zeros are kept. Scales stand beside the tensor (lfm_encode_matrix).
 * Source: OCP 8-bit Floating Point Specification (OFP8). */
#include "quant/formats/bits.h"
#include "quant/formats/rows.h"

enum { MANTISSA = 3, BIAS = 7, LARGEST = 0x7e, NOT_A_NUMBER = 0x7f };

static uint8_t code_of(float x)
{
    uint32_t bits = lfm_bits_of(x), magnitude = bits & 0x7fffffffu;
    uint32_t code = lfm_small_float_code(magnitude, MANTISSA, BIAS);
    code = lfm_choose((code > LARGEST) | (magnitude >= 0x7f800000u), LARGEST, code);
    code = lfm_choose(magnitude > 0x7f800000u, NOT_A_NUMBER, code);
    return (uint8_t)(bits >> 24 & 0x80u) | (uint8_t)code;
}

static float value_of(uint8_t byte)
{
    uint32_t code = byte & 0x7fu;
    uint32_t finite = lfm_bits_of(lfm_small_float_value(code, MANTISSA, BIAS));
    return lfm_float_of((uint32_t)(byte & 0x80u) << 24 | lfm_choose(code == NOT_A_NUMBER, 0x7fc00000u, finite));
}

void lfm_fp8_e4m3_encode(void *blocks, const float *x, size_t n)
{
    uint8_t *out = blocks;
#pragma omp simd
    for (size_t i = 0; i < n; i++) out[i] = code_of(x[i]);
}

void lfm_fp8_e4m3_decode(float *x, const void *blocks, size_t n)
{
    const uint8_t *in = blocks;
#pragma omp simd
    for (size_t i = 0; i < n; i++) x[i] = value_of(in[i]);
}
