/* Kernels for AVX-512 (F, BW, DQ, VL, VNNI): Intel since Ice Lake, AMD since Zen 4. Compiled with these switched on,
 * whatever the rest of the program is compiled for; nothing here runs unless supported() says so. */
#include "quant/kernels/kernels.h"

#include <immintrin.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum { GROUP = 32, WIDTH = 16 };
typedef __m512 vector;

/* Every processor with these has F16C too, which not every compiler can ask for. */
static bool supported(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
}

/* --- vectors of 16 floats --- */

INLINE vector load_vector(const float *at)
{
    return _mm512_loadu_ps(at);
}

INLINE void store_vector(float *at, vector v)
{
    _mm512_storeu_ps(at, v);
}

INLINE __m512 to_all(float x)
{
    return _mm512_set1_ps(x);
}

INLINE __m512 multiply_add(__m512 sum, __m512 a, __m512 b)
{
    return _mm512_fmadd_ps(a, b, sum);
}

/* Keeps the compiler from loading v again for every product it is in. */
#ifndef KEEP_IN_REGISTER /* tests/emulated/avx512.h has another */
#define KEEP_IN_REGISTER(v) __asm__("" : "+v"(v))
#endif

/* --- sums --- */

/* One step of adding 16 vectors of 16 lanes pairwise: the halves of a and of b are added and stand side by side. */
#define FOLD_8(a, b) _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xee))
#define FOLD_4(a, b) _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xdd))
#define FOLD_2(a, b) _mm512_add_ps(_mm512_shuffle_ps(a, b, 0x44), _mm512_shuffle_ps(a, b, 0xee))
#define FOLD_1(a, b) _mm512_add_ps(_mm512_shuffle_ps(a, b, 0x88), _mm512_shuffle_ps(a, b, 0xdd))

/* Lane 4 * t + r is the sum of v[r][t], as kernels.h says. */
INLINE __m512 sum_16(__m512 v[4][4])
{
    __m512 by_4[4];
    for (int r = 0; r < 4; r++) by_4[r] = FOLD_4(FOLD_8(v[r][0], v[r][1]), FOLD_8(v[r][2], v[r][3]));
    return FOLD_1(FOLD_2(by_4[0], by_4[1]), FOLD_2(by_4[2], by_4[3]));
}

INLINE float sum_vectors(const vector lanes[1])
{
    __m512 by_4 = FOLD_8(lanes[0], lanes[0]);
    by_4 = FOLD_4(by_4, by_4);
    by_4 = FOLD_2(by_4, by_4);
    return _mm_cvtss_f32(_mm512_castps512_ps128(FOLD_1(by_4, by_4)));
}

/* y[n] = the sums of 16 lanes each, `stride` floats apart. */
INLINE void sum_lanes(float *y, const float *lanes, size_t stride, size_t n)
{
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        __m512 v[4][4];
        for (size_t k = 0; k < 16; k++) v[k % 4][k / 4] = _mm512_loadu_ps(lanes + (i + k) * stride);
        _mm512_storeu_ps(y + i, sum_16(v));
    }
    for (; i < n; i++) y[i] = sum_vectors((vector[1]){_mm512_loadu_ps(lanes + i * stride)});
}

/* --- 32 elements of a stored row, in two registers --- */

#include "quant/kernels/blocks.h"

/* Scales are converted by what the integer units do meanwhile, and read back from memory by the instruction that wants one in
 * every lane: the two units that work on 512 bits have enough to do. */
INLINE __m512 load_half(const uint8_t *at)
{
    uint16_t half;
    float x;
    memcpy(&half, at, sizeof half);
    if (((half + 0x400) & 0x7800) == 0) { /* an exponent of 0 or 31: zero, subnormal, infinite, or no number */
        x = _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(half)));
    } else {
        uint32_t bits = (((uint32_t)(int32_t)(int16_t)half << 13) & 0x8fffffffu) + (112u << 23);
        memcpy(&x, &bits, sizeof x);
    }
    __asm__("" : "+m"(x));
    return _mm512_set1_ps(x);
}

INLINE __m128i load_16(const uint8_t *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

INLINE __m256i load_32(const uint8_t *at)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)at);
}

/* first, first + 1, ... first + 15: codes of 4 bits are looked up among the 16 values that they can have. */
INLINE __m512 steps(float first)
{
    return _mm512_add_ps(_mm512_set1_ps(first), _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}

INLINE void f32_group(__m512 w[2], const uint8_t *at)
{
    w[0] = _mm512_loadu_ps(at);
    w[1] = _mm512_loadu_ps(at + 64);
}

INLINE void bf16_group(__m512 w[2], const uint8_t *at)
{
    for (int h = 0; h < 2; h++)
        w[h] = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(load_32(at + 32 * h)), 16));
}

INLINE void f16_group(__m512 w[2], const uint8_t *at)
{
    for (int h = 0; h < 2; h++) w[h] = _mm512_cvtph_ps(load_32(at + 32 * h));
}

INLINE void q8_0_group(__m512 w[2], const uint8_t *block)
{
    __m512 d = load_half(block);
    for (int h = 0; h < 2; h++)
        w[h] = _mm512_mul_ps(d, _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(load_16(block + 2 + 16 * h))));
}

/* Codes in the low and the high halves of 16 bytes; a lookup sees only the low 4 bits of an index. */
INLINE void look_up_halves(__m512 w[2], __m128i bytes, __m512 values)
{
    __m512i codes = _mm512_cvtepu8_epi32(bytes);
    w[0] = _mm512_permutexvar_ps(codes, values);
    w[1] = _mm512_permutexvar_ps(_mm512_srli_epi32(codes, 4), values);
}

INLINE void q4_0_group(__m512 w[2], const uint8_t *block)
{
    look_up_halves(w, load_16(block + 2), _mm512_mul_ps(load_half(block), steps(-8)));
}

INLINE void q4_1_group(__m512 w[2], const uint8_t *block)
{
    look_up_halves(w, load_16(block + 4), multiply_add(load_half(block + 2), load_half(block), steps(0)));
}

/* As above with a fifth bit for each code, which chooses between two lists. */
INLINE void look_up_fifths(__m512 w[2], __m128i bytes, uint32_t fifth, __m512 low, __m512 high)
{
    __m512i codes = _mm512_cvtepu8_epi32(bytes), upper = _mm512_srli_epi32(codes, 4);
    w[0] = _mm512_mask_permutexvar_ps(_mm512_permutexvar_ps(codes, low), (__mmask16)fifth, codes, high);
    w[1] = _mm512_mask_permutexvar_ps(_mm512_permutexvar_ps(upper, low), (__mmask16)(fifth >> 16), upper, high);
}

INLINE uint32_t load_bits(const uint8_t *at)
{
    uint32_t bits;
    memcpy(&bits, at, sizeof bits);
    return bits;
}

INLINE void q5_0_group(__m512 w[2], const uint8_t *block)
{
    __m512 d = load_half(block);
    look_up_fifths(w, load_16(block + 6), load_bits(block + 2), _mm512_mul_ps(d, steps(-16)), _mm512_mul_ps(d, steps(0)));
}

INLINE void q5_1_group(__m512 w[2], const uint8_t *block)
{
    __m512 d = load_half(block), m = load_half(block + 2);
    look_up_fifths(w, load_16(block + 8), load_bits(block + 4), multiply_add(m, d, steps(0)), multiply_add(m, d, steps(16)));
}

/* At the first group of a q4_k or q5_k block, keeps its scales and minima: lfm_k_scales_of, all at once. */
INLINE void keep_k_scales(struct kept *kept, const uint8_t *block, size_t g)
{
    if (g > 0) return;
    __m128i head = load_16(block); /* d and dmin; the packed bytes 0-3; 4-7; 8-11 */
    __m128i six = _mm_srlv_epi32(_mm_shuffle_epi32(head, 0xa5), _mm_setr_epi32(0, 2, 0, 2));
    __m128i four = _mm_srlv_epi32(_mm_shuffle_epi32(head, 0xff), _mm_setr_epi32(0, 0, 0, 4));
    six = _mm_and_si128(six, _mm_setr_epi32(0x3f3f3f3f, 0x30303030, 0x3f3f3f3f, 0x30303030));
    four = _mm_and_si128(four, _mm_setr_epi32(0, 0x0f0f0f0f, 0, 0x0f0f0f0f));
    __m512 codes = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_or_si128(six, four))); /* eight scales, eight minima */
    __m512 d = _mm512_mask_xor_ps(load_half(block), 0xff00, load_half(block + 2), _mm512_set1_ps(-0.0f)); /* and -dmin */
    codes = _mm512_mul_ps(d, codes);
    _mm256_storeu_ps(kept->scales, _mm512_castps512_ps256(codes));
    _mm256_storeu_ps(kept->minima, _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(codes), 1)));
}

INLINE void q4_k_kept(__m512 *w, const uint8_t *block, size_t g, struct kept *kept)
{
    keep_k_scales(kept, block, g);
    __m512 values = multiply_add(_mm512_set1_ps(kept->minima[g]), _mm512_set1_ps(kept->scales[g]), steps(0));
    for (int h = 0; h < 2; h++) {
        __m512i codes = _mm512_cvtepu8_epi32(load_16(block + 16 + g / 2 * GROUP + 16 * (size_t)h));
        w[h] = _mm512_permutexvar_ps(g % 2 ? _mm512_srli_epi32(codes, 4) : codes, values);
    }
}

INLINE void q5_k_kept(__m512 *w, const uint8_t *block, size_t g, struct kept *kept)
{
    keep_k_scales(kept, block, g);
    __m512 scale = _mm512_set1_ps(kept->scales[g]), minimum = _mm512_set1_ps(kept->minima[g]);
    __m512 low = multiply_add(minimum, scale, steps(0)), high = multiply_add(minimum, scale, steps(16));
    __m128i bit = _mm_set1_epi8((char)(1u << g));
    for (int h = 0; h < 2; h++) {
        __m512i codes = _mm512_cvtepu8_epi32(load_16(block + 48 + g / 2 * GROUP + 16 * (size_t)h));
        __mmask16 fifth = _mm_test_epi8_mask(load_16(block + 16 + 16 * h), bit);
        codes = g % 2 ? _mm512_srli_epi32(codes, 4) : codes;
        w[h] = _mm512_mask_permutexvar_ps(_mm512_permutexvar_ps(codes, low), fifth, codes, high);
    }
}

/* Keeps the codes of a q6_k block, less 32. */
INLINE void keep_q6_k(struct kept *kept, const uint8_t *block)
{
    const __m512i to_left = _mm512_setr_epi64(4, 4, 4, 4, 2, 2, 2, 2), to_right = _mm512_setr_epi64(0, 0, 0, 0, 2, 2, 2, 2);
    for (size_t half = 0; half < 2; half++) {
        __m512i low = _mm512_loadu_si512(block + half * 64), high = _mm512_broadcast_i64x4(load_32(block + 128 + half * 32));
        __m512i lows[2] = {low, _mm512_srli_epi16(low, 4)};
        __m512i highs[2] = {_mm512_sllv_epi64(high, to_left), _mm512_srlv_epi64(high, to_right)}; /* bits 4 and 5 of each byte */
        for (size_t k = 0; k < 2; k++) {
            __m512i low_bits = _mm512_and_si512(lows[k], _mm512_set1_epi8(0x0f));
            __m512i high_bits = _mm512_and_si512(highs[k], _mm512_set1_epi8(0x30));
            __m512i code = _mm512_sub_epi8(_mm512_or_si512(low_bits, high_bits), _mm512_set1_epi8(32));
            _mm512_storeu_si512(kept->codes + half * 128 + k * 64, code);
        }
    }
    __m512 scales = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(load_16(block + 192)));
    _mm512_storeu_ps(kept->scales, _mm512_mul_ps(load_half(block + 208), scales));
}

INLINE void q6_k_kept(__m512 *w, const uint8_t *block, size_t g, struct kept *kept)
{
    if (g == 0) keep_q6_k(kept, block);
    for (size_t h = 0; h < 2; h++) {
        __m512i codes = _mm512_cvtepi8_epi32(load_16(kept->codes + g * GROUP + 16 * h));
        w[h] = _mm512_mul_ps(_mm512_set1_ps(kept->scales[2 * g + h]), _mm512_cvtepi32_ps(codes));
    }
}

/* E4M3 with its sign, exponent and fraction moved to their places in a half, which has 8 powers of two more bias. */
INLINE void fp8_e4m3_group(__m512 w[2], const uint8_t *at)
{
    __m512i code = _mm512_cvtepu8_epi16(load_32(at));
    __m512i magnitude = _mm512_and_si512(code, _mm512_set1_epi16(0x7f));
    __m512i sign = _mm512_slli_epi16(_mm512_and_si512(code, _mm512_set1_epi16(0x80)), 8);
    __m512i half = _mm512_or_si512(sign, _mm512_slli_epi16(magnitude, 7));
    __mmask32 nan = _mm512_cmpeq_epi16_mask(magnitude, _mm512_set1_epi16(0x7f));
    half = _mm512_mask_mov_epi16(half, nan, _mm512_or_si512(sign, _mm512_set1_epi16(0x7e00)));
    w[0] = _mm512_mul_ps(_mm512_cvtph_ps(_mm512_castsi512_si256(half)), _mm512_set1_ps(256));
    w[1] = _mm512_mul_ps(_mm512_cvtph_ps(_mm512_extracti64x4_epi64(half, 1)), _mm512_set1_ps(256));
}

/* E5M2 is the upper byte of a half. */
INLINE void fp8_e5m2_group(__m512 w[2], const uint8_t *at)
{
    __m512i half = _mm512_slli_epi16(_mm512_cvtepu8_epi16(load_32(at)), 8);
    w[0] = _mm512_cvtph_ps(_mm512_castsi512_si256(half));
    w[1] = _mm512_cvtph_ps(_mm512_extracti64x4_epi64(half, 1));
}

#include "quant/kernels/tiles.h"

/* --- integer products ---
 *
 * See panels.h. Codes of 8 bits, as of q8_0, stand for differences from 128. */

enum { LANES = 16, CHUNK = 256 };
#define MOST_UNSTORED(block) 4
#define ZERO(format) (format).zero
typedef __m512 lane_floats;
typedef __m512i lane_integers;

#include "quant/kernels/traits.h"

struct panel {
    __m512i codes[CHUNK / 4];
    __m512 scales[CHUNK / LFM_Q8_HALF], minima[CHUNK / LFM_Q8_HALF];
};

/* 16 bytes of each of 16 rows: lane r of out[k] holds bytes 4k .. 4k + 3 of row r. */
INLINE void load_interleaved(__m512i out[4], const uint8_t *at, size_t row_bytes)
{
    __m512i rows[4];
    for (size_t r = 0; r < 4; r++) {
        const uint8_t *row = at + r * row_bytes;
        rows[r] = _mm512_castsi128_si512(load_16(row));
        rows[r] = _mm512_inserti32x4(rows[r], load_16(row + 4 * row_bytes), 1);
        rows[r] = _mm512_inserti32x4(rows[r], load_16(row + 8 * row_bytes), 2);
        rows[r] = _mm512_inserti32x4(rows[r], load_16(row + 12 * row_bytes), 3);
    }
    __m512i low_01 = _mm512_unpacklo_epi32(rows[0], rows[1]), high_01 = _mm512_unpackhi_epi32(rows[0], rows[1]);
    __m512i low_23 = _mm512_unpacklo_epi32(rows[2], rows[3]), high_23 = _mm512_unpackhi_epi32(rows[2], rows[3]);
    out[0] = _mm512_unpacklo_epi64(low_01, low_23);
    out[1] = _mm512_unpackhi_epi64(low_01, low_23);
    out[2] = _mm512_unpacklo_epi64(high_01, high_23);
    out[3] = _mm512_unpackhi_epi64(high_01, high_23);
}

INLINE __m512 low_half_to_float(__m512i lanes)
{
    return _mm512_cvtph_ps(_mm512_cvtepi32_epi16(lanes));
}

/* One half-precision number of each of 16 rows, with the two bytes behind it. */
INLINE __m512 load_halves(const uint8_t *at, size_t row_bytes)
{
    const __m512i row = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __m512i places = _mm512_mullo_epi32(row, _mm512_set1_epi32((int)row_bytes));
    return low_half_to_float(_mm512_i32gather_epi32(places, at, 1));
}

/* Rows are interleaved whether that is asked for or not: one token pays for it. */
INLINE void load_rows(__m512i out[4], const uint8_t *at, size_t row_bytes, bool interleave)
{
    (void)interleave;
    load_interleaved(out, at, row_bytes);
}

INLINE void q8_0_fill(struct panel *panel, size_t p, const uint8_t *rows, size_t row_bytes, size_t g, bool interleave)
{
    const uint8_t *block = rows + g * 34;
    __m512i *codes = panel->codes + p * 8;
    load_rows(codes, block + 2, row_bytes, interleave);
    load_rows(codes + 4, block + 18, row_bytes, interleave);
    for (int k = 0; k < 8; k++) codes[k] = _mm512_xor_si512(codes[k], _mm512_set1_epi8((char)0x80));
    panel->scales[p] = load_halves(block, row_bytes);
}

INLINE __m512 to_floats(__m512i x)
{
    return _mm512_cvtepi32_ps(x);
}

INLINE __m512 subtract_product(__m512 a, __m512 b, __m512 c)
{
    return _mm512_fnmadd_ps(b, c, a);
}

#include "quant/kernels/fill.h"

/* No code is too large for an instruction that adds in 32 bits. */
INLINE __m512i multiply_group(struct traits format, const struct panel *panel, size_t p, size_t part, const int8_t *q)
{
    size_t quads = format.group / 4, first = p * 8 + part * quads;
    __m512i sum = _mm512_setzero_si512();
    for (size_t k = 0; k < quads; k++) {
        int32_t four;
        memcpy(&four, q + 4 * k, sizeof four);
        sum = _mm512_dpbusd_epi32(sum, panel->codes[first + k], _mm512_set1_epi32(four));
    }
    return sum;
}

#include "quant/kernels/panels.h"

/* --- attention and activations --- */

#include "quant/kernels/attention.h"
#include "quant/kernels/silu.h"

const struct lfm_kernels lfm_avx512_kernels = {"avx512", supported, multiply, lfm_plain_multiply_q8, formats,
                                               multiply_keys, take_scores, silu_multiply};
