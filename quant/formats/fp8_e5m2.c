/* fp8_e5m2: one byte: sign, 5 bits of exponent (bias 15), 2 of fraction; largest 57344, infinity 0x7c, NaN 0x7d to
 * 0x7f. Round to nearest, ties to even; larger finite magnitudes saturate at 57344, infinities stay; subnormals (steps
 * of 2^-16), signed zeros and the top 2 bits of a NaN's payload are kept. Scales stand beside the tensor
 * (lfm_encode_matrix). Source: OCP 8-bit Floating Point Specification (OFP8). */
#include "quant/formats/bits.h"
#include "quant/formats/rows.h"

enum { MANTISSA = 2, BIAS = 15, LARGEST = 0x7b, INFINITE = 0x7c };

static uint8_t code_of(float x)
{
    uint32_t bits = lfm_bits_of(x), magnitude = bits & 0x7fffffffu;
    uint32_t code = lfm_small_float_code(magnitude, MANTISSA, BIAS);
    uint32_t payload = magnitude >> 21 & 3u;
    uint32_t nan = INFINITE | lfm_choose(payload != 0, payload, 2u);
    code = lfm_choose(code > LARGEST, LARGEST, code);
    code = lfm_choose(magnitude >= 0x7f800000u, INFINITE, code);
    code = lfm_choose(magnitude > 0x7f800000u, nan, code);
    return (uint8_t)(bits >> 24 & 0x80u) | (uint8_t)code;
}

static float value_of(uint8_t byte)
{
    uint32_t code = byte & 0x7fu;
    uint32_t finite = lfm_bits_of(lfm_small_float_value(code, MANTISSA, BIAS));
    uint32_t special = 0x7f800000u | (code & 3u) << 21;
    return lfm_float_of((uint32_t)(byte & 0x80u) << 24 | lfm_choose(code >= INFINITE, special, finite));
}

void lfm_fp8_e5m2_encode(void *blocks, const float *x, size_t n)
{
    uint8_t *out = blocks;
#pragma omp simd
    for (size_t i = 0; i < n; i++) out[i] = code_of(x[i]);
}

void lfm_fp8_e5m2_decode(float *x, const void *blocks, size_t n)
{
    const uint8_t *in = blocks;
#pragma omp simd
    for (size_t i = 0; i < n; i++) x[i] = value_of(in[i]);
}
