/* Kernels for AVX-512 (F, BW, DQ, VL, VNNI): Intel since Ice Lake, AMD since Zen 4. Compiled with these switched on,
 * whatever the rest of the program is compiled for; nothing here runs unless supported() says so. */
#include "quant/kernels/kernels.h"

#include "quant/formats/k_scales.h"
#include "reference/model/fetch.h"
#include "reference/model/lanes.h"

#include <assert.h>
#include <immintrin.h>

#define INLINE static inline __attribute__((always_inline))

enum { TILE = 4, GROUP = 32, WIDTH = 16 };
typedef __m512 vector;
static_assert((int)LFM_MOST_DIRECT <= (int)TILE, "what is multiplied directly fits a tile");

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

/* --- sums --- */

/* One step of adding 16 vectors of 16 lanes pairwise: the halves of a and of b are added and stand side by side. */
#define FOLD_8(a, b) _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xee))
#define FOLD_4(a, b) _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xdd))
#define FOLD_2(a, b) _mm512_add_ps(_mm512_shuffle_ps(a, b, 0x44), _mm512_shuffle_ps(a, b, 0xee))
#define FOLD_1(a, b) _mm512_add_ps(_mm512_shuffle_ps(a, b, 0x88), _mm512_shuffle_ps(a, b, 0xdd))

/* The sums of 4 x 4 vectors, each as kernels.h says; lane 4 * t + r is that of v[r][t]. */
INLINE __m512 sum_tile(__m512 v[TILE][TILE])
{
    __m512 by_4[TILE];
    for (int r = 0; r < TILE; r++) by_4[r] = FOLD_4(FOLD_8(v[r][0], v[r][1]), FOLD_8(v[r][2], v[r][3]));
    return FOLD_1(FOLD_2(by_4[0], by_4[1]), FOLD_2(by_4[2], by_4[3]));
}

/* Writes the first `rows` of each of the first `tokens` quarters. Not by a masked store: gcc makes one instruction of it and of
 * taking the quarter, vextractf32x4, which touches all four places (Intel's manual: class E6NF, no faults suppressed). */
INLINE void store_tile(float *y, size_t y_stride, __m512 sums, size_t rows, size_t tokens)
{
    float quarters[TILE * TILE];
    _mm512_storeu_ps(quarters, sums);
    for (size_t t = 0; t < tokens; t++) memcpy(y + t * y_stride, quarters + t * TILE, rows * sizeof *y);
}

INLINE __m512 to_all(float x)
{
    return _mm512_set1_ps(x);
}

INLINE __m512 multiply_add(__m512 sum, __m512 a, __m512 b)
{
    return _mm512_fmadd_ps(a, b, sum);
}

/* --- FP32 products with decoded weights --- */

INLINE void multiply_tile(float *y, size_t y_stride, const float *w, size_t rows, const float *x, size_t tokens, size_t n)
{
    __m512 sum[TILE][TILE];
    for (size_t r = 0; r < TILE; r++)
        for (size_t t = 0; t < TILE; t++) sum[r][t] = _mm512_setzero_ps();
    for (size_t i = 0; i < n; i += LFM_LANES) {
        __m512 x_i[TILE];
        for (size_t t = 0; t < tokens; t++) x_i[t] = _mm512_loadu_ps(x + t * n + i);
        for (size_t r = 0; r < rows; r++) {
            __m512 w_i = _mm512_loadu_ps(w + r * n + i);
            for (size_t t = 0; t < tokens; t++) sum[r][t] = multiply_add(sum[r][t], w_i, x_i[t]);
        }
    }
    store_tile(y, y_stride, sum_tile(sum), rows, tokens);
}

/* A tile at the border: the number of tokens becomes a constant. */
static void multiply_border(float *y, size_t y_stride, const float *w, size_t rows, const float *x, size_t tokens, size_t n)
{
    switch (tokens) {
    case 1: multiply_tile(y, y_stride, w, rows, x, 1, n); break;
    case 2: multiply_tile(y, y_stride, w, rows, x, 2, n); break;
    case 3: multiply_tile(y, y_stride, w, rows, x, 3, n); break;
    default: multiply_tile(y, y_stride, w, rows, x, TILE, n); break;
    }
}

static void multiply(float *y, size_t y_stride, const float *w, size_t n_rows, const float *x, size_t T, size_t n)
{
    for (size_t t = 0; t < T; t += TILE) {
        size_t tokens = T - t < TILE ? T - t : TILE;
        for (size_t r = 0; r < n_rows; r += TILE) {
            size_t rows = n_rows - r < TILE ? n_rows - r : TILE;
            float *out = y + t * y_stride + r;
            if (rows == TILE && tokens == TILE)
                multiply_tile(out, y_stride, w + r * n, TILE, x + t * n, TILE, n);
            else
                multiply_border(out, y_stride, w + r * n, rows, x + t * n, tokens, n);
        }
    }
}

/* --- 32 elements of a stored row, in two registers --- */

#include "quant/kernels/blocks.h"

INLINE __m512 load_half(const uint8_t *at)
{
    uint16_t half;
    memcpy(&half, at, sizeof half);
    return _mm512_cvtph_ps(_mm256_set1_epi16((short)half));
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

INLINE __m256 floats_of(const uint8_t codes[8])
{
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)codes)));
}

/* At the first group of a q4_k or q5_k block, keeps its scales and minima. */
INLINE void keep_k_scales(struct kept *kept, const uint8_t *block, size_t g)
{
    if (g > 0) return;
    uint8_t scales[8], minima[8];
    lfm_unpack_k_scales(block + 4, scales, minima);
    __m256 d = _mm512_castps512_ps256(load_half(block)), dmin = _mm512_castps512_ps256(load_half(block + 2));
    _mm256_storeu_ps(kept->scales, _mm256_mul_ps(d, floats_of(scales)));
    _mm256_storeu_ps(kept->minima, -_mm256_mul_ps(dmin, floats_of(minima)));
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

INLINE void q6_k_kept(__m512 *w, const uint8_t *block, size_t g, struct kept *kept)
{
    size_t half = g / 4, k = g % 4;
    const uint8_t *low = block + half * 64 + k % 2 * 32, *high = block + 128 + half * 32;
    if (g == 0)
        _mm512_storeu_ps(kept->scales,
                         _mm512_mul_ps(load_half(block + 208), _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(load_16(block + 192)))));
    for (int h = 0; h < 2; h++) {
        __m512i l = _mm512_cvtepu8_epi32(load_16(low + 16 * h)), u = _mm512_cvtepu8_epi32(load_16(high + 16 * h));
        l = _mm512_and_si512(k / 2 ? _mm512_srli_epi32(l, 4) : l, _mm512_set1_epi32(15));
        u = _mm512_and_si512(_mm512_srl_epi32(u, _mm_cvtsi32_si128((int)(2 * k))), _mm512_set1_epi32(3));
        __m512i code = _mm512_sub_epi32(_mm512_or_si512(l, _mm512_slli_epi32(u, 4)), _mm512_set1_epi32(32));
        w[h] = _mm512_mul_ps(_mm512_set1_ps(kept->scales[2 * g + (size_t)h]), _mm512_cvtepi32_ps(code));
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

/* --- rows of a format, multiplied as they are decoded --- */

INLINE void stored_tile(struct blocks format, size_t ahead, float *y, size_t y_stride, const uint8_t *first, size_t row_bytes,
                        size_t rows, const float *x, size_t tokens, size_t n)
{
    __m512 sum[TILE][TILE];
    struct kept kept[TILE];
    for (size_t r = 0; r < TILE; r++)
        for (size_t t = 0; t < TILE; t++) sum[r][t] = _mm512_setzero_ps();
    for (size_t b = 0; b < n / format.columns; b++)
        for (size_t g = 0; g < format.columns / GROUP; g++) {
            const float *x_g = x + b * format.columns + g * GROUP;
            lfm_fetch(first + rows * row_bytes + (b * format.columns / GROUP + g) * rows * ahead, rows * ahead);
#pragma GCC unroll 4 /* what keeps the sums in registers */
            for (size_t r = 0; r < rows; r++) {
                __m512 w[2];
                format.group(w, first + r * row_bytes + b * format.bytes, g, &kept[r]);
                for (size_t t = 0; t < tokens; t++) {
                    sum[r][t] = multiply_add(sum[r][t], w[0], _mm512_loadu_ps(x_g + t * n));
                    sum[r][t] = multiply_add(sum[r][t], w[1], _mm512_loadu_ps(x_g + t * n + 16));
                }
            }
        }
    store_tile(y, y_stride, sum_tile(sum), rows, tokens);
}

#define STORED_TILE_ROWS(tokens) TILE

#include "quant/kernels/stored.h"

/* --- integer products ---
 *
 * See panels.h. Codes of 8 bits, as of q8_0, stand for differences from 128. */

enum { LANES = 16, CHUNK = 256 };
#define MOST_UNSTORED(block) 0
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

/* One half-precision number of each of 16 rows. */
INLINE __m512 load_halves(const uint8_t *at, size_t row_bytes)
{
    uint16_t h[LANES];
    for (size_t r = 0; r < LANES; r++) memcpy(&h[r], at + r * row_bytes, sizeof h[r]);
    return _mm512_cvtph_ps(_mm256_setr_epi16((short)h[0], (short)h[1], (short)h[2], (short)h[3], (short)h[4], (short)h[5],
                                             (short)h[6], (short)h[7], (short)h[8], (short)h[9], (short)h[10],
                                             (short)h[11], (short)h[12], (short)h[13], (short)h[14], (short)h[15]));
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

INLINE __m512 low_half_to_float(__m512i lanes)
{
    return _mm512_cvtph_ps(_mm512_cvtepi32_epi16(lanes));
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
