/* Kernels for NEON, which every 64-bit ARM processor has. */
#include "quant/kernels/kernels.h"

#include "quant/formats/k_scales.h"
#include "reference/model/lanes.h"

#include <arm_neon.h>

#define INLINE static inline __attribute__((always_inline))

static bool supported(void)
{
    return true;
}

/* --- vectors of 4 floats --- */

enum { WIDTH = 4, GROUP = 32 };
typedef float32x4_t vector;

INLINE vector load_vector(const float *at)
{
    return vld1q_f32(at);
}

INLINE void store_vector(float *at, vector v)
{
    vst1q_f32(at, v);
}

INLINE vector to_all(float x)
{
    return vdupq_n_f32(x);
}

INLINE vector multiply_add(vector sum, vector a, vector b)
{
    return vfmaq_f32(sum, a, b);
}

#define KEEP_IN_REGISTER(v) __asm__("" : "+w"(v))

/* The sum of 16 lanes: i and i + 8, then 4, 2 and 1 apart. */
INLINE float sum_vectors(const vector lanes[4])
{
    float32x4_t by_4 = vaddq_f32(vaddq_f32(lanes[0], lanes[2]), vaddq_f32(lanes[1], lanes[3]));
    float32x2_t by_2 = vadd_f32(vget_low_f32(by_4), vget_high_f32(by_4));
    return vget_lane_f32(by_2, 0) + vget_lane_f32(by_2, 1);
}

INLINE void sum_lanes(float *y, const float *lanes, size_t stride, size_t n)
{
    for (size_t i = 0; i < n; i++, lanes += stride)
        y[i] = sum_vectors((vector[4]){vld1q_f32(lanes), vld1q_f32(lanes + 4), vld1q_f32(lanes + 8), vld1q_f32(lanes + 12)});
}

/* --- 32 elements of a stored row, in eight registers --- */

#include "quant/kernels/blocks.h"

INLINE float load_half(const uint8_t *at)
{
    uint16_t half;
    memcpy(&half, at, sizeof half);
    return vgetq_lane_f32(vcvt_f32_f16(vreinterpret_f16_u16(vdup_n_u16(half))), 0);
}

INLINE float32x4_t halves_to_floats(uint16x4_t halves)
{
    return vcvt_f32_f16(vreinterpret_f16_u16(halves));
}

/* Sixteen signed bytes as floats. */
INLINE void expand_16(vector w[4], int8x16_t bytes)
{
    int16x8_t low = vmovl_s8(vget_low_s8(bytes)), high = vmovl_s8(vget_high_s8(bytes));
    w[0] = vcvtq_f32_s32(vmovl_s16(vget_low_s16(low)));
    w[1] = vcvtq_f32_s32(vmovl_s16(vget_high_s16(low)));
    w[2] = vcvtq_f32_s32(vmovl_s16(vget_low_s16(high)));
    w[3] = vcvtq_f32_s32(vmovl_s16(vget_high_s16(high)));
}

/* The low (upper: the high) halves of 16 bytes. */
INLINE uint8x16_t halves_of(uint8x16_t bytes, bool upper)
{
    return upper ? vshrq_n_u8(bytes, 4) : vandq_u8(bytes, vdupq_n_u8(15));
}

/* 32 codes: those in the low halves of 16 bytes, then those in the high halves. */
INLINE void split_halves(uint8x16_t codes[2], const uint8_t *at)
{
    codes[0] = halves_of(vld1q_u8(at), false);
    codes[1] = halves_of(vld1q_u8(at), true);
}

/* Adds 16 where the bit of the byte is set, the first bit for the first byte. */
INLINE void add_fifth_bits(uint8x16_t codes[2], const uint8_t *bits)
{
    static const uint8_t order[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t mask = vld1q_u8(order);
    for (int h = 0; h < 2; h++) {
        uint8x16_t spread = vcombine_u8(vdup_n_u8(bits[2 * h]), vdup_n_u8(bits[2 * h + 1]));
        codes[h] = vorrq_u8(codes[h], vandq_u8(vtstq_u8(spread, mask), vdupq_n_u8(16)));
    }
}

/* w = d * (codes - zero) */
INLINE void scale_codes(vector w[8], const uint8x16_t codes[2], int8_t zero, float d)
{
    for (int h = 0; h < 2; h++) expand_16(w + 4 * h, vsubq_s8(vreinterpretq_s8_u8(codes[h]), vdupq_n_s8(zero)));
    for (int k = 0; k < 8; k++) w[k] = vmulq_n_f32(w[k], d);
}

/* w = d * codes + m, the product rounded first. */
INLINE void scale_and_add(vector w[8], const uint8x16_t codes[2], float d, float m)
{
    scale_codes(w, codes, 0, d);
    for (int k = 0; k < 8; k++) w[k] = vaddq_f32(w[k], vdupq_n_f32(m));
}

INLINE void f32_group(vector w[8], const uint8_t *at)
{
    for (size_t k = 0; k < 8; k++) w[k] = vreinterpretq_f32_u8(vld1q_u8(at + 16 * k));
}

INLINE void bf16_group(vector w[8], const uint8_t *at)
{
    for (size_t k = 0; k < 8; k++)
        w[k] = vreinterpretq_f32_u32(vshll_n_u16(vreinterpret_u16_u8(vld1_u8(at + 8 * k)), 16));
}

INLINE void f16_group(vector w[8], const uint8_t *at)
{
    for (size_t k = 0; k < 8; k++) w[k] = halves_to_floats(vreinterpret_u16_u8(vld1_u8(at + 8 * k)));
}

INLINE void q8_0_group(vector w[8], const uint8_t *block)
{
    const uint8x16_t codes[2] = {vld1q_u8(block + 2), vld1q_u8(block + 18)};
    scale_codes(w, codes, 0, load_half(block));
}

INLINE void q4_0_group(vector w[8], const uint8_t *block)
{
    uint8x16_t codes[2];
    split_halves(codes, block + 2);
    scale_codes(w, codes, 8, load_half(block));
}

INLINE void q4_1_group(vector w[8], const uint8_t *block)
{
    uint8x16_t codes[2];
    split_halves(codes, block + 4);
    scale_and_add(w, codes, load_half(block), load_half(block + 2));
}

INLINE void q5_0_group(vector w[8], const uint8_t *block)
{
    uint8x16_t codes[2];
    split_halves(codes, block + 6);
    add_fifth_bits(codes, block + 2);
    scale_codes(w, codes, 16, load_half(block));
}

INLINE void q5_1_group(vector w[8], const uint8_t *block)
{
    uint8x16_t codes[2];
    split_halves(codes, block + 8);
    add_fifth_bits(codes, block + 4);
    scale_and_add(w, codes, load_half(block), load_half(block + 2));
}

/* At the first group of a q4_k or q5_k block, keeps its scales and minima. */
INLINE void keep_k_scales(struct kept *kept, const uint8_t *block, size_t g)
{
    if (g == 0) lfm_k_scales_of(kept->scales, kept->minima, block + 4, load_half(block), load_half(block + 2));
}

INLINE void q4_k_kept(vector *w, const uint8_t *block, size_t g, struct kept *kept)
{
    uint8x16_t codes[2];
    keep_k_scales(kept, block, g);
    for (size_t h = 0; h < 2; h++) codes[h] = halves_of(vld1q_u8(block + 16 + g / 2 * GROUP + 16 * h), g % 2);
    scale_and_add(w, codes, kept->scales[g], kept->minima[g]);
}

INLINE void q5_k_kept(vector *w, const uint8_t *block, size_t g, struct kept *kept)
{
    uint8x16_t codes[2], bit = vdupq_n_u8((uint8_t)(1u << g));
    keep_k_scales(kept, block, g);
    for (size_t h = 0; h < 2; h++) {
        uint8x16_t fifth = vandq_u8(vtstq_u8(vld1q_u8(block + 16 + 16 * h), bit), vdupq_n_u8(16));
        codes[h] = vorrq_u8(halves_of(vld1q_u8(block + 48 + g / 2 * GROUP + 16 * h), g % 2), fifth);
    }
    scale_and_add(w, codes, kept->scales[g], kept->minima[g]);
}

INLINE void q6_k_kept(vector *w, const uint8_t *block, size_t g, struct kept *kept)
{
    size_t half = g / 4, quarter = g % 4;
    const uint8_t *low = block + half * 64 + quarter % 2 * 32, *high = block + 128 + half * 32;
    float d = load_half(block + 208);
    for (size_t k = 0; k < 16 && g == 0; k++) kept->scales[k] = d * (float)(int8_t)block[192 + k];
    for (size_t h = 0; h < 2; h++) {
        uint8x16_t two = vshlq_u8(vld1q_u8(high + 16 * h), vdupq_n_s8((int8_t)(-2 * (int)quarter)));
        uint8x16_t upper = vshlq_n_u8(vandq_u8(two, vdupq_n_u8(3)), 4);
        uint8x16_t codes = vorrq_u8(halves_of(vld1q_u8(low + 16 * h), quarter / 2), upper);
        expand_16(w + 4 * h, vsubq_s8(vreinterpretq_s8_u8(codes), vdupq_n_s8(32)));
        for (size_t k = 0; k < 4; k++) w[4 * h + k] = vmulq_n_f32(w[4 * h + k], kept->scales[2 * g + h]);
    }
}

/* E4M3 with its sign, exponent and fraction moved to their places in a half, which has 8 powers of two more bias. */
INLINE void fp8_e4m3_group(vector w[8], const uint8_t *at)
{
    for (size_t k = 0; k < 4; k++) {
        uint16x8_t code = vmovl_u8(vld1_u8(at + 8 * k)), magnitude = vandq_u16(code, vdupq_n_u16(0x7f));
        uint16x8_t sign = vshlq_n_u16(vandq_u16(code, vdupq_n_u16(0x80)), 8);
        uint16x8_t nan = vceqq_u16(magnitude, vdupq_n_u16(0x7f));
        uint16x8_t half = vorrq_u16(sign, vbslq_u16(nan, vdupq_n_u16(0x7e00), vshlq_n_u16(magnitude, 7)));
        w[2 * k] = vmulq_n_f32(halves_to_floats(vget_low_u16(half)), 256);
        w[2 * k + 1] = vmulq_n_f32(halves_to_floats(vget_high_u16(half)), 256);
    }
}

/* E5M2 is the upper byte of a half. */
INLINE void fp8_e5m2_group(vector w[8], const uint8_t *at)
{
    for (size_t k = 0; k < 4; k++) {
        uint16x8_t half = vshll_n_u8(vld1_u8(at + 8 * k), 8);
        w[2 * k] = halves_to_floats(vget_low_u16(half));
        w[2 * k + 1] = halves_to_floats(vget_high_u16(half));
    }
}

#include "quant/kernels/tiles.h"

/* --- integer products --- */

/* Codes up to 255 are multiplied as code - 128, which the sum of q makes up for. */
static int32_t group_product(const uint8_t *codes, const int8_t *q, size_t group)
{
    int32x4_t sum = vdupq_n_s32(0);
    int32_t of_activations = 0;
    for (size_t i = 0; i < group; i += 16) {
        int8x16_t c = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(codes + i), vdupq_n_u8(0x80))), a = vld1q_s8(q + i);
        of_activations += vaddlvq_s8(a);
#ifdef __ARM_FEATURE_DOTPROD
        sum = vdotq_s32(sum, c, a);
#else
        sum = vpadalq_s16(sum, vmull_s8(vget_low_s8(c), vget_low_s8(a)));
        sum = vpadalq_s16(sum, vmull_high_s8(c, a));
#endif
    }
    return vaddvq_s32(sum) + 128 * of_activations;
}

#include "quant/kernels/integer.h"

#define ROW(format) {#format, format##_decode, format##_multiply, NULL}
static const struct lfm_format_kernels formats[] = {
    ROW(f32), ROW(f16), ROW(bf16), ROW(q8_0), ROW(q4_0), ROW(q4_1), ROW(q5_0), ROW(q5_1), ROW(q4_k), ROW(q5_k), ROW(q6_k),
    ROW(fp8_e4m3), ROW(fp8_e5m2), {0},
};

#include "quant/kernels/attention.h"
#include "quant/kernels/silu.h"

const struct lfm_kernels lfm_neon_kernels = {"neon", supported, multiply, multiply_q8_by_rows, formats,
                                             multiply_keys, take_scores, silu_multiply};
