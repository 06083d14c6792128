/* Bit-level conversions that several formats share. All are branch-free, so that loops over them vectorise. */
#ifndef LFM_QUANT_FORMATS_BITS_H
#define LFM_QUANT_FORMATS_BITS_H

#include <stdint.h>
#include <string.h>

static inline uint32_t lfm_bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float lfm_float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* condition ? a : b without a jump. */
static inline uint32_t lfm_choose(int condition, uint32_t a, uint32_t b)
{
    uint32_t mask = 0u - (uint32_t)condition;
    return (a & mask) | (b & ~mask);
}

/* max|x| of n finite values: magnitudes of floats are ordered like their bits. */
static inline float lfm_largest_magnitude(const float *x, int n)
{
    int32_t largest = 0;
    for (int i = 0; i < n; i++) {
        int32_t bits = (int32_t)(lfm_bits_of(x[i]) & 0x7fffffffu);
        largest = bits > largest ? bits : largest;
    }
    return lfm_float_of((uint32_t)largest);
}

/* |x| given by its bits -> the code, without sign, of the nearest small float with `mantissa` bits of fraction and
 * exponent bias `bias`; ties to the even code. Too large values give codes beyond the format's largest: the caller
 * limits them. Below the smallest normal, 2^(1-bias), the codes are whole multiples of 2^(1-bias-mantissa): adding a
 * power of two whose last place is that unit makes the FPU round. */
static inline uint32_t lfm_small_float_code(uint32_t magnitude, int mantissa, int bias)
{
    uint32_t shift = 23u - (uint32_t)mantissa;
    uint32_t rounding = (1u << (shift - 1)) - 1;
    uint32_t rebias = (uint32_t)(127 - bias) << mantissa;
    uint32_t normal = ((magnitude + rounding + ((magnitude >> shift) & 1u)) >> shift) - rebias;
    uint32_t unit = (uint32_t)(127 + 24 - bias - mantissa) << 23;
    uint32_t subnormal = lfm_bits_of(lfm_float_of(magnitude) + lfm_float_of(unit)) - unit;
    return lfm_choose(magnitude < (uint32_t)(128 - bias) << 23, subnormal, normal);
}

/* The value of such a code (finite, without sign). */
static inline float lfm_small_float_value(uint32_t code, int mantissa, int bias)
{
    uint32_t shifted = code << (23 - mantissa);
    uint32_t normal = shifted + ((uint32_t)(127 - bias) << 23);
    uint32_t smallest = (uint32_t)(128 - bias) << 23;
    float subnormal = lfm_float_of(shifted + smallest) - lfm_float_of(smallest);
    return lfm_float_of(lfm_choose(code < 1u << mantissa, lfm_bits_of(subnormal), normal));
}

/* IEEE half precision: round to nearest, ties to even; beyond 65504 infinity; NaN keeps the top of its payload. */
static inline uint16_t lfm_half_of(float x)
{
    uint32_t bits = lfm_bits_of(x), magnitude = bits & 0x7fffffffu;
    uint32_t code = lfm_small_float_code(magnitude, 10, 15);
    uint32_t payload = magnitude >> 13 & 0x3ffu;
    uint32_t nan = 0x7c00u | lfm_choose(payload != 0, payload, 0x200u);
    code = lfm_choose((code > 0x7c00u) | (magnitude >= 0x7f800000u), 0x7c00u, code);
    code = lfm_choose(magnitude > 0x7f800000u, nan, code);
    return (uint16_t)(bits >> 16 & 0x8000u) | (uint16_t)code;
}

static inline float lfm_float_of_half(uint16_t half)
{
    uint32_t code = half & 0x7fffu;
    uint32_t finite = lfm_bits_of(lfm_small_float_value(code, 10, 15));
    uint32_t special = 0x7f800000u | code << 13;
    return lfm_float_of((uint32_t)(half & 0x8000u) << 16 | lfm_choose(code >= 0x7c00u, special, finite));
}

static inline void lfm_store_half(uint8_t *at, float x)
{
    uint16_t half = lfm_half_of(x);
    memcpy(at, &half, sizeof half);
}

static inline float lfm_load_half(const uint8_t *at)
{
    uint16_t half;
    memcpy(&half, at, sizeof half);
    return lfm_float_of_half(half);
}

/* The 32 codes of a block whose byte j holds element j in its low and element j + 16 in its high half. */
static inline void lfm_unpack_halves(uint8_t *codes, const uint8_t *bytes)
{
    for (int j = 0; j < 16; j++) {
        codes[j] = bytes[j] & 15;
        codes[j + 16] = bytes[j] >> 4;
    }
}

/* The same with a fifth bit of each code: bit i of the 4 bytes `fifths` belongs to element i. */
static inline void lfm_unpack_fifths(uint8_t *codes, const uint8_t *bytes, const uint8_t *fifths)
{
    lfm_unpack_halves(codes, bytes);
    for (int i = 0; i < 32; i++) codes[i] |= (uint8_t)((fifths[i / 8] >> i % 8 & 1) << 4);
}

#endif
