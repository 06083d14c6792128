/* Kernels for AVX2 with F16C: every x86-64 server and PC since about 2013. Compiled with these switched on, whatever the
 * rest of the program is compiled for; nothing here runs unless supported() says so. */
#include "quant/kernels/kernels.h"

#include "reference/model/lanes.h"

#include <immintrin.h>

#define INLINE static inline __attribute__((always_inline))

/* Two codes at a time are multiplied and added in 16 bits, without overflow when one of them is below 129: codes above
 * are taken as differences from 128, which the sum of the activations makes up for. */
INLINE __m256i pairs(__m256i codes, __m256i q)
{
    __m256i difference = _mm256_xor_si256(codes, _mm256_set1_epi8((char)0x80));
    __m256i low = _mm256_maddubs_epi16(_mm256_abs_epi8(difference), _mm256_sign_epi8(q, difference));
    return _mm256_madd_epi16(low, _mm256_set1_epi16(1));
}

static int32_t group_product(const uint8_t *codes, const int8_t *q, size_t group)
{
    const __m128i *c = (const __m128i *)(const void *)codes, *a = (const __m128i *)(const void *)q;
    bool whole = group == 32;
    __m256i code = _mm256_set_m128i(whole ? _mm_loadu_si128(c + 1) : _mm_setzero_si128(), _mm_loadu_si128(c));
    __m256i activation = _mm256_set_m128i(whole ? _mm_loadu_si128(a + 1) : _mm_setzero_si128(), _mm_loadu_si128(a));
    __m256i of_activations = _mm256_madd_epi16(_mm256_maddubs_epi16(_mm256_set1_epi8(1), activation), _mm256_set1_epi16(128));
    __m256i sums = _mm256_add_epi32(pairs(code, activation), of_activations);
    __m128i four = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(four, _mm_shuffle_epi32(four, 0xb1)));
}

#include "quant/kernels/integer.h"

enum { GROUP = 32 };

/* --- sums --- */

INLINE __m256 multiply_add(__m256 sum, __m256 a, __m256 b)
{
    return _mm256_add_ps(sum, _mm256_mul_ps(a, b));
}

/* The first two steps of lfm_sum_lanes: lanes i, i + 8, i + 4 and i + 12 together. */
INLINE __m128 fold_to_4(__m256 low, __m256 high)
{
    __m256 by_8 = _mm256_add_ps(low, high);
    return _mm_add_ps(_mm256_castps256_ps128(by_8), _mm256_extractf128_ps(by_8, 1));
}

/* One step of adding vectors pairwise: the halves of a and of b are added and stand side by side. */
#define FOLD_2(a, b) _mm_add_ps(_mm_shuffle_ps(a, b, 0x44), _mm_shuffle_ps(a, b, 0xee))
#define FOLD_1(a, b) _mm_add_ps(_mm_shuffle_ps(a, b, 0x88), _mm_shuffle_ps(a, b, 0xdd))

/* The sum of 16 lanes as lfm_sum_lanes adds them. */
INLINE float sum_lanes(__m256 low, __m256 high)
{
    __m128 by_2 = FOLD_2(fold_to_4(low, high), fold_to_4(low, high));
    return _mm_cvtss_f32(FOLD_1(by_2, by_2));
}

/* --- FP32 products with decoded weights ---
 *
 * A tile of 3 rows and 2 tokens keeps its 6 x 16 partial sums in registers and needs 5 loads for 6 products. What it reads
 * should come from the first-level cache: columns are taken in runs, and in each run a block of tokens stays there while
 * the rows pass; between runs the partial sums wait in memory. The order of each sum is that of the columns all the same. */

enum {
    TILE_ROWS = 3,
    TILE_TOKENS = 2,
    BLOCK_ROWS = 24,  /* partial sums that wait: BLOCK_ROWS x BLOCK_TOKENS x 64 bytes */
    BLOCK_TOKENS = 8,
    RUN = 256,        /* columns */
};

struct sums {
    float lanes[BLOCK_ROWS][BLOCK_TOKENS][LFM_LANES];
};

/* Adds `columns` columns to the sums of some rows and tokens, the first of which are `row` and `token` in the block; with
 * `begin` they are the first columns. */
INLINE void add_tile(struct sums *sums, bool begin, size_t row, size_t token, const float *w, size_t rows, const float *x,
                     size_t tokens, size_t n, size_t columns)
{
    __m256 sum[TILE_ROWS][TILE_TOKENS][2];
    for (size_t r = 0; r < rows; r++)
        for (size_t t = 0; t < tokens; t++)
            for (size_t h = 0; h < 2; h++)
                sum[r][t][h] = begin ? _mm256_setzero_ps() : _mm256_loadu_ps(sums->lanes[row + r][token + t] + 8 * h);
    for (size_t i = 0; i < columns; i += LFM_LANES)
        for (size_t h = 0; h < 2; h++) {
            __m256 x_i[TILE_TOKENS];
            for (size_t t = 0; t < tokens; t++) x_i[t] = _mm256_loadu_ps(x + t * n + i + 8 * h);
            for (size_t r = 0; r < rows; r++) {
                __m256 w_i = _mm256_loadu_ps(w + r * n + i + 8 * h);
                for (size_t t = 0; t < tokens; t++) sum[r][t][h] = multiply_add(sum[r][t][h], w_i, x_i[t]);
            }
        }
    for (size_t r = 0; r < rows; r++)
        for (size_t t = 0; t < tokens; t++)
            for (size_t h = 0; h < 2; h++) _mm256_storeu_ps(sums->lanes[row + r][token + t] + 8 * h, sum[r][t][h]);
}

/* Adds one run of columns to all sums of a block. */
static void add_run(struct sums *sums, bool begin, const float *w, size_t rows, const float *x, size_t tokens, size_t n, size_t columns)
{
#define TILE_OF(r, n_r, t, n_t) add_tile(sums, begin, r, t, w + (r) * n, n_r, x + (t) * n, n_t, n, columns)
    size_t pairs = tokens / TILE_TOKENS * TILE_TOKENS, r = 0;
    for (; r + TILE_ROWS <= rows; r += TILE_ROWS) {
        for (size_t t = 0; t < pairs; t += TILE_TOKENS) TILE_OF(r, TILE_ROWS, t, TILE_TOKENS);
        if (pairs < tokens) TILE_OF(r, TILE_ROWS, pairs, 1);
    }
    for (; r < rows; r++) {
        for (size_t t = 0; t < pairs; t += TILE_TOKENS) TILE_OF(r, 1, t, TILE_TOKENS);
        if (pairs < tokens) TILE_OF(r, 1, pairs, 1);
    }
#undef TILE_OF
}

static void multiply_block(float *y, size_t y_stride, const float *w, size_t rows, const float *x, size_t tokens, size_t n)
{
    struct sums sums;
    for (size_t first = 0; first < n; first += RUN)
        add_run(&sums, first == 0, w + first, rows, x + first, tokens, n, n - first < RUN ? n - first : RUN);
    for (size_t r = 0; r < rows; r++)
        for (size_t t = 0; t < tokens; t++)
            y[t * y_stride + r] = sum_lanes(_mm256_loadu_ps(sums.lanes[r][t]), _mm256_loadu_ps(sums.lanes[r][t] + 8));
}

static void multiply(float *y, size_t y_stride, const float *w, size_t n_rows, const float *x, size_t T, size_t n)
{
    for (size_t t = 0; t < T; t += BLOCK_TOKENS)
        for (size_t r = 0; r < n_rows; r += BLOCK_ROWS)
            multiply_block(y + t * y_stride + r, y_stride, w + r * n, n_rows - r < BLOCK_ROWS ? n_rows - r : BLOCK_ROWS,
                           x + t * n, T - t < BLOCK_TOKENS ? T - t : BLOCK_TOKENS, n);
}

/* Every processor with AVX2 has F16C too, which not every compiler can ask for. */
static bool supported(void)
{
    return __builtin_cpu_supports("avx2");
}

/* --- 32 elements of a stored row, in four registers --- */

INLINE __m256 load_half(const uint8_t *at)
{
    uint16_t half;
    memcpy(&half, at, sizeof half);
    return _mm256_set1_ps(_cvtsh_ss(half));
}

INLINE __m128i load_8(const uint8_t *at)
{
    return _mm_loadl_epi64((const __m128i *)(const void *)at);
}

INLINE __m128i load_16(const uint8_t *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

/* Eight codes as floats. */
INLINE __m256 to_floats(__m128i codes, int zero)
{
    return _mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_cvtepu8_epi32(codes), _mm256_set1_epi32(zero)));
}

/* The codes in the low (upper: the high) halves of eight bytes. */
INLINE __m128i half_codes(const uint8_t *bytes, bool upper)
{
    __m128i eight = load_8(bytes);
    return _mm_and_si128(upper ? _mm_srli_epi16(eight, 4) : eight, _mm_set1_epi8(15));
}

INLINE void f32_group(__m256 w[4], const uint8_t *row, size_t i)
{
    for (size_t k = 0; k < 4; k++) w[k] = _mm256_loadu_ps((const float *)(const void *)(row + 4 * i) + 8 * k);
}

INLINE void bf16_group(__m256 w[4], const uint8_t *row, size_t i)
{
    for (size_t k = 0; k < 4; k++)
        w[k] = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(load_16(row + 2 * i + 16 * k)), 16));
}

INLINE void f16_group(__m256 w[4], const uint8_t *row, size_t i)
{
    for (size_t k = 0; k < 4; k++) w[k] = _mm256_cvtph_ps(load_16(row + 2 * i + 16 * k));
}

INLINE void q8_0_group(__m256 w[4], const uint8_t *row, size_t i)
{
    const uint8_t *block = row + i / GROUP * 34;
    __m256 d = load_half(block);
    for (size_t k = 0; k < 4; k++)
        w[k] = _mm256_mul_ps(d, _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(load_8(block + 2 + 8 * k))));
}

INLINE void q4_0_group(__m256 w[4], const uint8_t *row, size_t i)
{
    const uint8_t *block = row + i / GROUP * 18;
    __m256 d = load_half(block);
    for (size_t k = 0; k < 4; k++)
        w[k] = _mm256_mul_ps(d, to_floats(half_codes(block + 2 + k % 2 * 8, k / 2), 8));
}

INLINE void q4_1_group(__m256 w[4], const uint8_t *row, size_t i)
{
    const uint8_t *block = row + i / GROUP * 20;
    __m256 d = load_half(block), m = load_half(block + 2);
    for (size_t k = 0; k < 4; k++)
        w[k] = _mm256_add_ps(_mm256_mul_ps(d, to_floats(half_codes(block + 4 + k % 2 * 8, k / 2), 0)), m);
}

/* Scale and minimum of group g of a q4_k block; see quant/formats/k_scales.h. */
INLINE void q4_k_group(__m256 w[4], const uint8_t *row, size_t i)
{
    const uint8_t *block = row + i / 256 * 144, *b = block + 4;
    size_t g = i % 256 / GROUP;
    unsigned s = g < 4 ? b[g] & 63u : (b[g + 4] & 15u) | (unsigned)(b[g - 4] >> 6) << 4;
    unsigned m = g < 4 ? b[g + 4] & 63u : (unsigned)(b[g + 4] >> 4) | (unsigned)(b[g] >> 6) << 4;
    __m256 scale = _mm256_mul_ps(load_half(block), _mm256_set1_ps((float)s));
    __m256 minimum = _mm256_mul_ps(load_half(block + 2), _mm256_set1_ps((float)m));
    const uint8_t *codes = block + 16 + g / 2 * GROUP;
    for (size_t k = 0; k < 4; k++)
        w[k] = _mm256_sub_ps(_mm256_mul_ps(scale, to_floats(half_codes(codes + 8 * k, g % 2), 0)), minimum);
}

INLINE void q6_k_group(__m256 w[4], const uint8_t *row, size_t i)
{
    const uint8_t *block = row + i / 256 * 210;
    size_t half = i % 256 / 128, quarter = i % 128 / GROUP;
    const uint8_t *low = block + half * 64 + quarter % 2 * 32, *high = block + 128 + half * 32;
    const uint8_t *scales = block + 192 + half * 8 + quarter * 2;
    __m256 d = load_half(block + 208);
    for (size_t k = 0; k < 4; k++) {
        __m128i two = _mm_and_si128(_mm_srl_epi16(load_8(high + 8 * k), _mm_cvtsi32_si128((int)(2 * quarter))), _mm_set1_epi8(3));
        __m128i code = _mm_or_si128(half_codes(low + 8 * k, quarter / 2), _mm_slli_epi16(two, 4));
        __m256 scale = _mm256_mul_ps(d, _mm256_set1_ps((float)(int8_t)scales[k / 2]));
        w[k] = _mm256_mul_ps(scale, to_floats(code, 32));
    }
}

/* E4M3 with its sign, exponent and fraction moved to their places in a half, which has 8 powers of two more bias. */
INLINE void fp8_e4m3_group(__m256 w[4], const uint8_t *row, size_t i)
{
    for (size_t k = 0; k < 4; k++) {
        __m128i code = _mm_cvtepu8_epi16(load_8(row + i + 8 * k));
        __m128i magnitude = _mm_and_si128(code, _mm_set1_epi16(0x7f));
        __m128i sign = _mm_slli_epi16(_mm_and_si128(code, _mm_set1_epi16(0x80)), 8);
        __m128i nan = _mm_cmpeq_epi16(magnitude, _mm_set1_epi16(0x7f));
        __m128i half = _mm_blendv_epi8(_mm_slli_epi16(magnitude, 7), _mm_set1_epi16(0x7e00), nan);
        w[k] = _mm256_mul_ps(_mm256_cvtph_ps(_mm_or_si128(sign, half)), _mm256_set1_ps(256));
    }
}

/* --- rows of a format: decoded to memory, or multiplied as they are decoded --- */

typedef void decode_group(__m256 w[4], const uint8_t *row, size_t i);

INLINE void decode_row(decode_group *group, float *x, const uint8_t *row, size_t n)
{
    for (size_t i = 0; i < n; i += GROUP) {
        __m256 w[4];
        group(w, row, i);
        for (size_t k = 0; k < 4; k++) _mm256_storeu_ps(x + i + 8 * k, w[k]);
    }
}

/* Rows that are decoded side by side, so that there are enough sums to add to while one addition is under way. */
#define STORED_TILE_ROWS(tokens) ((tokens) == 1 ? 4 : (tokens) == 2 ? 2 : 1)

INLINE void stored_tile(decode_group *group, float *y, size_t y_stride, const uint8_t *first, size_t row_bytes, size_t rows,
                        const float *x, size_t tokens, size_t n)
{
    __m256 sum[4][LFM_MOST_DIRECT][2];
    for (size_t r = 0; r < rows; r++)
        for (size_t t = 0; t < tokens; t++) sum[r][t][0] = sum[r][t][1] = _mm256_setzero_ps();
    for (size_t i = 0; i < n; i += GROUP)
        for (size_t r = 0; r < rows; r++) {
            __m256 w[4];
            group(w, first + r * row_bytes, i);
            for (size_t k = 0; k < 4; k++)
                for (size_t t = 0; t < tokens; t++)
                    sum[r][t][k % 2] = multiply_add(sum[r][t][k % 2], w[k], _mm256_loadu_ps(x + t * n + i + 8 * k));
        }
    for (size_t r = 0; r < rows; r++)
        for (size_t t = 0; t < tokens; t++) y[t * y_stride + r] = sum_lanes(sum[r][t][0], sum[r][t][1]);
}

#include "quant/kernels/stored.h"

STORED_ROWS(f32)
STORED_ROWS(f16)
STORED_ROWS(bf16)
STORED_ROWS(q8_0)
STORED_ROWS(q4_0)
STORED_ROWS(q4_1)
STORED_ROWS(q4_k)
STORED_ROWS(q6_k)
STORED_ROWS(fp8_e4m3)

#define ROW(format) {#format, format##_decode, format##_multiply, NULL}
static const struct lfm_format_kernels formats[] = {
    ROW(f32), ROW(f16), ROW(bf16), ROW(q8_0), ROW(q4_0), ROW(q4_1), ROW(q4_k), ROW(q6_k), ROW(fp8_e4m3), {0},
};

const struct lfm_kernels lfm_avx2_kernels = {"avx2", supported, multiply, multiply_q8_by_rows, formats};
