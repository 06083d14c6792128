/* Kernels for AVX2 with FMA and F16C: every x86-64 server and PC since about 2013. Compiled with these switched on, whatever the
 * rest of the program is compiled for; nothing here runs unless supported() says so. */
#include "quant/kernels/kernels.h"

#include "quant/formats/k_scales.h"
#include "reference/model/lanes.h"

#include <immintrin.h>

#define INLINE static inline __attribute__((always_inline))

/* --- vectors of 8 floats --- */

enum { WIDTH = 8, GROUP = 32 };
typedef __m256 vector;

INLINE vector load_vector(const float *at)
{
    return _mm256_loadu_ps(at);
}

INLINE void store_vector(float *at, vector v)
{
    _mm256_storeu_ps(at, v);
}

INLINE vector to_all(float x)
{
    return _mm256_set1_ps(x);
}

INLINE vector multiply_add(vector sum, vector a, vector b)
{
    return _mm256_fmadd_ps(a, b, sum);
}

#define KEEP_IN_REGISTER(v) __asm__("" : "+x"(v))

/* The first two steps of adding 16 lanes: lanes i, i + 8, i + 4 and i + 12 together. */
INLINE __m128 fold_to_4(__m256 low, __m256 high)
{
    __m256 by_8 = _mm256_add_ps(low, high);
    return _mm_add_ps(_mm256_castps256_ps128(by_8), _mm256_extractf128_ps(by_8, 1));
}

/* One step of adding vectors pairwise: the halves of a and of b are added and stand side by side. */
#define FOLD_2(a, b) _mm_add_ps(_mm_shuffle_ps(a, b, 0x44), _mm_shuffle_ps(a, b, 0xee))
#define FOLD_1(a, b) _mm_add_ps(_mm_shuffle_ps(a, b, 0x88), _mm_shuffle_ps(a, b, 0xdd))

/* The sum of 16 lanes, halves added to halves. */
INLINE float sum_vectors(const vector lanes[2])
{
    __m128 by_4 = fold_to_4(lanes[0], lanes[1]), by_2 = FOLD_2(by_4, by_4);
    return _mm_cvtss_f32(FOLD_1(by_2, by_2));
}

INLINE void sum_lanes(float *y, const float *lanes, size_t stride, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = sum_vectors((vector[2]){load_vector(lanes + i * stride), load_vector(lanes + i * stride + WIDTH)});
}

/* --- 32 elements of a stored row, in four registers ---
 *
 * Fused multiply-add is used where the product is exact (a scale of at most 17 bits times a code of at most 5), so that it
 * rounds once as the separate operations do. */

#include "quant/kernels/blocks.h"

INLINE __m256 load_half(const uint8_t *at)
{
    uint16_t half;
    memcpy(&half, at, sizeof half);
    return _mm256_cvtph_ps(_mm_set1_epi16((short)half));
}

INLINE __m128i load_8(const uint8_t *at)
{
    return _mm_loadl_epi64((const __m128i *)(const void *)at);
}

INLINE __m128i load_16(const uint8_t *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

INLINE __m256i load_32(const uint8_t *at)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)at);
}

/* Sixteen signed bytes as floats. */
INLINE void expand_16(__m256 w[2], __m128i bytes)
{
    w[0] = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes));
    w[1] = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(bytes, 8)));
}

INLINE void expand_32(__m256 w[4], __m256i bytes)
{
    expand_16(w, _mm256_castsi256_si128(bytes));
    expand_16(w + 2, _mm256_extracti128_si256(bytes, 1));
}

/* Eight bytes, as integers of 32 bits. */
INLINE __m256i load_8_widened(const uint8_t *at)
{
    return _mm256_cvtepu8_epi32(load_8(at));
}

INLINE __m256i low_half_of(__m256i codes)
{
    return _mm256_and_si256(codes, _mm256_set1_epi32(15));
}

/* The low halves of 16 bytes, then the high halves: from memory in the lanes where they are converted to floats. */
INLINE void load_halves_widened(__m256i codes[4], const uint8_t *at)
{
    for (size_t k = 0; k < 2; k++) {
        __m256i bytes = load_8_widened(at + 8 * k);
        codes[k] = low_half_of(bytes);
        codes[k + 2] = _mm256_srli_epi32(bytes, 4);
    }
}

/* The low halves of 16 bytes, then the high halves. */
INLINE __m256i split_halves(__m128i bytes)
{
    return _mm256_and_si256(_mm256_set_m128i(_mm_srli_epi16(bytes, 4), bytes), _mm256_set1_epi8(15));
}

/* The low (upper: the high) halves of 32 bytes. */
INLINE __m256i halves_of(__m256i bytes, bool upper)
{
    return _mm256_and_si256(upper ? _mm256_srli_epi16(bytes, 4) : bytes, _mm256_set1_epi8(15));
}

/* 16 where the bit of the byte is set, the first bit for the first byte. */
INLINE __m256i fifth_bits(const uint8_t *at)
{
    int32_t bits;
    memcpy(&bits, at, sizeof bits);
    const __m256i spread = _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
    const __m256i mask = _mm256_set1_epi64x((long long)0x8040201008040201);
    __m256i bytes = _mm256_and_si256(_mm256_shuffle_epi8(_mm256_set1_epi32(bits), spread), mask);
    return _mm256_and_si256(_mm256_cmpeq_epi8(bytes, mask), _mm256_set1_epi8(16));
}

INLINE void scale_codes(__m256 w[4], __m256i codes, __m256 d)
{
    expand_32(w, codes);
    for (size_t k = 0; k < 4; k++) w[k] = _mm256_mul_ps(d, w[k]);
}

INLINE void scale_and_add(__m256 w[4], __m256i codes, __m256 d, __m256 m)
{
    expand_32(w, codes);
    for (size_t k = 0; k < 4; k++) w[k] = _mm256_fmadd_ps(d, w[k], m);
}

INLINE void f32_group(__m256 w[4], const uint8_t *at)
{
    for (size_t k = 0; k < 4; k++) w[k] = _mm256_loadu_ps((const float *)(const void *)at + 8 * k);
}

INLINE void bf16_group(__m256 w[4], const uint8_t *at)
{
    for (size_t k = 0; k < 4; k++)
        w[k] = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(load_16(at + 16 * k)), 16));
}

INLINE void f16_group(__m256 w[4], const uint8_t *at)
{
    for (size_t k = 0; k < 4; k++) w[k] = _mm256_cvtph_ps(load_16(at + 16 * k));
}

INLINE void q8_0_group(__m256 w[4], const uint8_t *block)
{
    __m256 d = load_half(block);
    for (size_t k = 0; k < 4; k++)
        w[k] = _mm256_mul_ps(d, _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(load_8(block + 2 + 8 * k))));
}

/* (code - 8) times 2^28 is what a half of a byte, its first bit inverted, says at the top of a lane: no subtraction, and one
 * mask for two codes. Scales are that much smaller. */
INLINE void q4_0_group(__m256 w[4], const uint8_t *block)
{
    const __m256i first_8 = _mm256_setr_epi32(0x00ffffff, 0x01ffffff, 0x02ffffff, 0x03ffffff, 0x04ffffff, 0x05ffffff,
                                              0x06ffffff, 0x07ffffff);
    __m256 d = _mm256_mul_ps(load_half(block), _mm256_set1_ps(0x1p-28f));
    __m256i bytes = _mm256_xor_si256(_mm256_broadcastsi128_si256(load_16(block + 2)), _mm256_set1_epi8((char)0x88));
    for (size_t k = 0; k < 2; k++) {
        __m256i at_top = _mm256_shuffle_epi8(bytes, _mm256_add_epi32(first_8, _mm256_set1_epi32((int)k << 27)));
        w[k] = _mm256_mul_ps(d, _mm256_cvtepi32_ps(_mm256_slli_epi32(at_top, 4)));
        w[k + 2] = _mm256_mul_ps(d, _mm256_cvtepi32_ps(_mm256_and_si256(at_top, _mm256_set1_epi32((int)0xf0000000u))));
    }
}

INLINE void q4_1_group(__m256 w[4], const uint8_t *block)
{
    __m256 d = load_half(block), m = load_half(block + 2);
    __m256i codes[4];
    load_halves_widened(codes, block + 4);
    for (size_t k = 0; k < 4; k++) w[k] = _mm256_fmadd_ps(d, _mm256_cvtepi32_ps(codes[k]), m);
}

INLINE void q5_0_group(__m256 w[4], const uint8_t *block)
{
    __m256i codes = _mm256_or_si256(split_halves(load_16(block + 6)), fifth_bits(block + 2));
    scale_codes(w, _mm256_sub_epi8(codes, _mm256_set1_epi8(16)), load_half(block));
}

INLINE void q5_1_group(__m256 w[4], const uint8_t *block)
{
    __m256i codes = _mm256_or_si256(split_halves(load_16(block + 8)), fifth_bits(block + 4));
    scale_and_add(w, codes, load_half(block), load_half(block + 2));
}

INLINE __m256 negated(__m256 x)
{
    return _mm256_xor_ps(x, _mm256_set1_ps(-0.0f));
}

/* At the first group of a q4_k or q5_k block, keeps its scales and minima: lfm_k_scales_of, eight at a time. */
INLINE void keep_k_scales(struct kept *kept, const uint8_t *block, size_t g)
{
    if (g > 0) return;
    __m128i head = load_16(block); /* d and dmin; the packed bytes 0-3; 4-7; 8-11 */
    __m128 d = _mm_cvtph_ps(head);
    __m128i six = _mm_srlv_epi32(_mm_shuffle_epi32(head, 0xa5), _mm_setr_epi32(0, 2, 0, 2));
    __m128i four = _mm_srlv_epi32(_mm_shuffle_epi32(head, 0xff), _mm_setr_epi32(0, 0, 0, 4));
    six = _mm_and_si128(six, _mm_setr_epi32(0x3f3f3f3f, 0x30303030, 0x3f3f3f3f, 0x30303030));
    four = _mm_and_si128(four, _mm_setr_epi32(0, 0x0f0f0f0f, 0, 0x0f0f0f0f));
    __m128i codes = _mm_or_si128(six, four); /* eight scales, eight minima */
    __m256 scale = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(codes));
    __m256 minimum = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_srli_si128(codes, 8)));
    _mm256_storeu_ps(kept->scales, _mm256_mul_ps(_mm256_broadcastss_ps(d), scale));
    _mm256_storeu_ps(kept->minima, negated(_mm256_mul_ps(_mm256_broadcastss_ps(_mm_movehdup_ps(d)), minimum)));
}

INLINE void store_codes(struct kept *kept, size_t group, __m256i codes)
{
    _mm256_storeu_si256((__m256i *)(void *)(kept->codes + group * GROUP), codes);
}

INLINE void scale_kept_and_add(__m256 w[4], const struct kept *kept, size_t g)
{
    __m256 scale = _mm256_broadcast_ss(kept->scales + g), minimum = _mm256_broadcast_ss(kept->minima + g);
    for (size_t k = 0; k < 4; k++) {
        __m256i codes = load_8_widened(kept->codes + g * GROUP + 8 * k);
        w[k] = _mm256_fmadd_ps(scale, _mm256_cvtepi32_ps(codes), minimum);
    }
}

INLINE void q4_k_kept(__m256 *w, const uint8_t *block, size_t g, struct kept *kept)
{
    keep_k_scales(kept, block, g);
    for (size_t group = 0; g == 0 && group < 8; group++)
        store_codes(kept, group, halves_of(load_32(block + 16 + group / 2 * GROUP), group % 2));
    scale_kept_and_add(w, kept, g);
}

INLINE __m256i with_fifth_bit(__m256i codes, __m256i fifth, size_t group)
{
    __m256i bit = _mm256_set1_epi8((char)(1u << group)), set = _mm256_cmpeq_epi8(_mm256_and_si256(fifth, bit), bit);
    return _mm256_or_si256(codes, _mm256_and_si256(set, _mm256_set1_epi8(16)));
}

INLINE void q5_k_kept(__m256 *w, const uint8_t *block, size_t g, struct kept *kept)
{
    keep_k_scales(kept, block, g);
    for (size_t group = 0; g == 0 && group < 8; group++) {
        __m256i low = halves_of(load_32(block + 48 + group / 2 * GROUP), group % 2);
        store_codes(kept, group, with_fifth_bit(low, load_32(block + 16), group));
    }
    scale_kept_and_add(w, kept, g);
}

/* Keeps the codes of a q6_k block, less 32 and times 4: what their bits, the first inverted, say at the top of a byte. Scales
 * are that much smaller. */
INLINE void keep_q6_k(struct kept *kept, const uint8_t *block)
{
    __m256 d = _mm256_mul_ps(load_half(block + 208), _mm256_set1_ps(0.25f));
    for (size_t k = 0; k < 16; k += 8) {
        __m256i scales = _mm256_cvtepi8_epi32(load_8(block + 192 + k));
        _mm256_storeu_ps(kept->scales + k, _mm256_mul_ps(d, _mm256_cvtepi32_ps(scales)));
    }
    for (size_t half = 0; half < 2; half++) {
        __m256i high = _mm256_xor_si256(load_32(block + 128 + half * 32), _mm256_set1_epi8((char)0xaa));
        for (size_t quarter = 0; quarter < 4; quarter++) {
            __m256i low = load_32(block + half * 64 + quarter % 2 * 32);
            low = quarter < 2 ? _mm256_slli_epi16(low, 2) : _mm256_srli_epi16(low, 2);
            low = _mm256_and_si256(low, _mm256_set1_epi8(0x3c));
            __m256i top = _mm256_sll_epi16(high, _mm_cvtsi32_si128((int)(6 - 2 * quarter)));
            top = _mm256_and_si256(top, _mm256_set1_epi8((char)0xc0));
            store_codes(kept, 4 * half + quarter, _mm256_or_si256(low, top));
        }
    }
}

INLINE void q6_k_kept(__m256 *w, const uint8_t *block, size_t g, struct kept *kept)
{
    if (g == 0) keep_q6_k(kept, block);
    for (size_t k = 0; k < 4; k++) {
        __m256i codes = _mm256_cvtepi8_epi32(load_8(kept->codes + g * GROUP + 8 * k));
        w[k] = _mm256_mul_ps(_mm256_broadcast_ss(kept->scales + 2 * g + k / 2), _mm256_cvtepi32_ps(codes));
    }
}

/* E4M3 with its sign, exponent and fraction moved to their places in a half, which has 8 powers of two more bias. */
INLINE void fp8_e4m3_group(__m256 w[4], const uint8_t *at)
{
    for (size_t k = 0; k < 4; k += 2) {
        __m256i code = _mm256_cvtepu8_epi16(load_16(at + 8 * k));
        __m256i magnitude = _mm256_and_si256(code, _mm256_set1_epi16(0x7f));
        __m256i sign = _mm256_slli_epi16(_mm256_and_si256(code, _mm256_set1_epi16(0x80)), 8);
        __m256i nan = _mm256_cmpeq_epi16(magnitude, _mm256_set1_epi16(0x7f));
        __m256i half = _mm256_blendv_epi8(_mm256_slli_epi16(magnitude, 7), _mm256_set1_epi16(0x7e00), nan);
        half = _mm256_or_si256(sign, half);
        w[k] = _mm256_mul_ps(_mm256_cvtph_ps(_mm256_castsi256_si128(half)), _mm256_set1_ps(256));
        w[k + 1] = _mm256_mul_ps(_mm256_cvtph_ps(_mm256_extracti128_si256(half, 1)), _mm256_set1_ps(256));
    }
}

/* E5M2 is the upper byte of a half. */
INLINE void fp8_e5m2_group(__m256 w[4], const uint8_t *at)
{
    for (size_t k = 0; k < 4; k++) w[k] = _mm256_cvtph_ps(_mm_slli_epi16(_mm_cvtepu8_epi16(load_8(at + 8 * k)), 8));
}

#include "quant/kernels/tiles.h"

/* --- integer products ---
 *
 * See panels.h. Two neighbouring products are added in 16 bits by one instruction, which wants one factor without a sign.
 * Codes up to 63 have none, and several such sums fit 16 bits before they are widened. Codes of 8 bits are kept as
 * magnitudes of their differences from 128, with the signs put on the activations. */

enum { LANES = 8, CHUNK = 256 };
/* Long blocks make long code. */
#define MOST_UNSTORED(block) ((block) == 32 ? 4 : 2)
/* Signs are put on the activations for codes of 8 bits, which are differences from zero already. */
#define ZERO(format) ((format).most == 255 ? 0 : (format).zero)
typedef __m256 lane_floats;
typedef __m256i lane_integers;

#include "quant/kernels/traits.h"

struct panel {
    __m256i codes[CHUNK / 4], signed_codes[CHUNK / 4];
    __m256 scales[CHUNK / LFM_Q8_HALF], minima[CHUNK / LFM_Q8_HALF];
};

/* 16 bytes of each of 8 rows: those of rows r and r + 4 in out[r]. */
INLINE void load_pairs(__m256i out[4], const uint8_t *at, size_t row_bytes)
{
    for (size_t r = 0; r < 4; r++) out[r] = _mm256_set_m128i(load_16(at + (r + 4) * row_bytes), load_16(at + r * row_bytes));
}

/* 16 bytes of each of 8 rows: lane r of out[k] holds bytes 4k .. 4k + 3 of row r. */
INLINE void load_interleaved(__m256i out[4], const uint8_t *at, size_t row_bytes)
{
    __m256i rows[4];
    load_pairs(rows, at, row_bytes);
    __m256i low_01 = _mm256_unpacklo_epi32(rows[0], rows[1]), high_01 = _mm256_unpackhi_epi32(rows[0], rows[1]);
    __m256i low_23 = _mm256_unpacklo_epi32(rows[2], rows[3]), high_23 = _mm256_unpackhi_epi32(rows[2], rows[3]);
    out[0] = _mm256_unpacklo_epi64(low_01, low_23);
    out[1] = _mm256_unpackhi_epi64(low_01, low_23);
    out[2] = _mm256_unpacklo_epi64(high_01, high_23);
    out[3] = _mm256_unpackhi_epi64(high_01, high_23);
}

INLINE void load_rows(__m256i out[4], const uint8_t *at, size_t row_bytes, bool interleave)
{
    if (interleave) load_interleaved(out, at, row_bytes);
    else load_pairs(out, at, row_bytes);
}

/* One half-precision number of each of 8 rows. */
INLINE __m256 load_halves(const uint8_t *at, size_t row_bytes)
{
    uint16_t h[LANES];
    for (size_t r = 0; r < LANES; r++) memcpy(&h[r], at + r * row_bytes, sizeof h[r]);
    return _mm256_cvtph_ps(_mm_setr_epi16((short)h[0], (short)h[1], (short)h[2], (short)h[3], (short)h[4], (short)h[5],
                                          (short)h[6], (short)h[7]));
}

INLINE void q8_0_fill(struct panel *panel, size_t p, const uint8_t *rows, size_t row_bytes, size_t g, bool interleave)
{
    const uint8_t *block = rows + g * 34;
    __m256i *codes = panel->codes + p * 8, *signed_codes = panel->signed_codes + p * 8;
    load_rows(signed_codes, block + 2, row_bytes, interleave);
    load_rows(signed_codes + 4, block + 18, row_bytes, interleave);
    for (int k = 0; k < 8; k++) codes[k] = _mm256_abs_epi8(signed_codes[k]);
    panel->scales[p] = load_halves(block, row_bytes);
}

INLINE __m256 low_half_to_float(__m256i lanes)
{
    __m256i packed = _mm256_packus_epi32(_mm256_and_si256(lanes, _mm256_set1_epi32(0xffff)), _mm256_setzero_si256());
    return _mm256_cvtph_ps(_mm256_castsi256_si128(_mm256_permute4x64_epi64(packed, 0x08)));
}

INLINE __m256 to_floats(__m256i x)
{
    return _mm256_cvtepi32_ps(x);
}

INLINE __m256 subtract_product(__m256 a, __m256 b, __m256 c)
{
    return _mm256_fnmadd_ps(b, c, a);
}

#include "quant/kernels/fill.h"

INLINE __m256i widen(__m256i pairs)
{
    return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

INLINE __m256i four_of(const int8_t *q)
{
    int32_t four;
    memcpy(&four, q, sizeof four);
    return _mm256_set1_epi32(four);
}

/* Interleaved rows: `quads` registers of codes from `first` on. Sums of two products stay in 16 bits as long as they fit. */
INLINE __m256i multiply_quads(const struct panel *panel, size_t first, size_t quads, unsigned most, const int8_t *q)
{
    if (most == 255) {
        __m256i sum = _mm256_setzero_si256();
        for (size_t k = 0; k < quads; k++) {
            __m256i activations = _mm256_sign_epi8(four_of(q + 4 * k), panel->signed_codes[first + k]);
            sum = _mm256_add_epi32(sum, widen(_mm256_maddubs_epi16(panel->codes[first + k], activations)));
        }
        return sum;
    }
    const size_t together = INT16_MAX / (2 * most * INT8_MAX);
    __m256i pairs, sum = _mm256_setzero_si256();
#pragma GCC unroll 8
    for (size_t k = 0; k < quads; k++) {
        __m256i product = _mm256_maddubs_epi16(panel->codes[first + k], four_of(q + 4 * k));
        pairs = k % together == 0 ? product : _mm256_add_epi16(pairs, product);
        if ((k + 1) % together == 0 || k + 1 == quads) sum = _mm256_add_epi32(sum, widen(pairs));
    }
    return sum;
}

/* The products of rows r and r + 4 with 16 columns, eight sums of two for each. */
INLINE __m256i multiply_pair(const struct panel *panel, size_t at, unsigned most, const int8_t *q)
{
    __m256i activations = _mm256_broadcastsi128_si256(load_16((const uint8_t *)q));
    if (most == 255) activations = _mm256_sign_epi8(activations, panel->signed_codes[at]);
    return _mm256_maddubs_epi16(panel->codes[at], activations);
}

/* Rows as they are, in pairs: registers first .. first + 3 are the first 16 columns, the next four 16 more. Sums stay in 16
 * bits as long as they are sure to fit. */
INLINE __m256i multiply_pairs(const struct panel *panel, size_t first, size_t columns, unsigned most, const int8_t *q)
{
    const size_t fit = INT16_MAX / (2 * most * INT8_MAX); /* sums of two products, in 16 bits */
    const size_t held = columns / LFM_Q8_HALF;            /* of them in sum[r] */
    const bool wide = fit < 2 * held;
    __m256i sum[4];
    for (size_t r = 0; r < 4; r++) {
        sum[r] = multiply_pair(panel, first + r, most, q);
        if (wide) sum[r] = widen(sum[r]);
        if (held == 1) continue;
        __m256i more = multiply_pair(panel, first + 4 + r, most, q + LFM_Q8_HALF);
        sum[r] = wide ? _mm256_add_epi32(sum[r], widen(more)) : _mm256_add_epi16(sum[r], more);
    }
    if (fit >= 4 * held)
        return widen(_mm256_hadd_epi16(_mm256_hadd_epi16(sum[0], sum[1]), _mm256_hadd_epi16(sum[2], sum[3])));
    if (!wide) return _mm256_hadd_epi32(widen(_mm256_hadd_epi16(sum[0], sum[1])), widen(_mm256_hadd_epi16(sum[2], sum[3])));
    return _mm256_hadd_epi32(_mm256_hadd_epi32(sum[0], sum[1]), _mm256_hadd_epi32(sum[2], sum[3]));
}

INLINE __m256i multiply_group(struct traits format, const struct panel *panel, size_t p, size_t part, const int8_t *q)
{
    size_t first = p * 8 + part * format.group / 4;
    if (is_interleaved(format)) return multiply_quads(panel, first, format.group / 4, format.most, q);
    return multiply_pairs(panel, first, format.group, format.most, q);
}

#include "quant/kernels/panels.h"

/* Every processor with AVX2 and FMA has F16C too, which not every compiler can ask for. */
static bool supported(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

#include "quant/kernels/attention.h"
#include "quant/kernels/silu.h"

const struct lfm_kernels lfm_avx2_kernels = {"avx2", supported, multiply, lfm_plain_multiply_q8, formats,
                                             multiply_keys, take_scores, silu_multiply};
