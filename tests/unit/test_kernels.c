/* Every set of kernels computes the same bits as plain C: decoding, FP32 products and integer products. */
#include "assert.h"
#include "reference/base/memory.h"
#include "reference/model/kernels.h"
#include "reference/model/linear.h"

#include <criterion/criterion.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROWS = 37, MOST_TOKENS = 11, MOST_COLUMNS = 1280 };

/* Where halves stand in blocks. */
static const struct {
    const char *format;
    size_t halves[2];
} scales_at[] = {{"q8_0", {0, 0}}, {"q4_0", {0, 0}}, {"q4_1", {0, 2}}, {"q5_0", {0, 0}},
                 {"q5_1", {0, 2}}, {"q4_k", {0, 2}}, {"q5_k", {0, 2}}, {"q6_k", {208, 208}}};

static gsl_rng *new_rng(void)
{
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(rng, 7);
    return rng;
}

static const struct lfm_kernels *plain(void)
{
    const struct lfm_kernels *const *set = lfm_kernel_sets;
    while (set[1]) set++;
    return *set;
}

/* Random blocks: encoded where the format can, else random bytes under scales of about 0.01. */
static void random_row(const struct lfm_format *format, uint8_t *row, size_t n, gsl_rng *rng)
{
    float x[MOST_COLUMNS];
    for (size_t i = 0; i < n; i++) x[i] = (float)(gsl_rng_uniform(rng) - 0.5);
    if (format->encode_row) {
        format->encode_row(row, x, n);
        return;
    }
    for (size_t i = 0; i < n / format->block_size * format->block_bytes; i++) row[i] = (uint8_t)gsl_rng_get(rng);
    for (size_t f = 0; f < sizeof scales_at / sizeof scales_at[0]; f++)
        for (size_t b = 0; b < n / format->block_size && strcmp(scales_at[f].format, format->name) == 0; b++)
            for (int h = 0; h < 2; h++) row[b * format->block_bytes + scales_at[f].halves[h] + 1] = 0x21;
}

/* A matrix of random rows; release with free(data). */
static struct lfm_matrix random_matrix(const struct lfm_format *format, size_t rows, size_t columns, gsl_rng *rng)
{
    struct lfm_matrix W = {.format = format, .rows = rows, .columns = columns};
    struct lfm_error error;
    assert_ok(lfm_format_row_bytes(format, columns, &W.row_bytes, &error));
    uint8_t *data = malloc(rows * W.row_bytes + 1);
    for (size_t r = 0; r < rows; r++) random_row(format, data + r * W.row_bytes, columns, rng);
    W.data = data;
    return W;
}

static void random_floats(float *x, size_t n, gsl_rng *rng)
{
    for (size_t i = 0; i < n; i++) x[i] = (float)(2 * gsl_rng_uniform(rng) - 1);
}

/* Calls check for every supported set but the plain one, and every format. */
static void for_each_set_and_format(void (*check)(const struct lfm_kernels *, const struct lfm_format *, gsl_rng *))
{
    gsl_rng *rng = new_rng();
    size_t n_checked = 0;
    for (const struct lfm_kernels *const *set = lfm_kernel_sets; *set != plain(); set++)
        for (const struct lfm_format *format = lfm_formats; format->name && (*set)->supported(); format++, n_checked++)
            check(*set, format, rng);
    gsl_rng_free(rng);
    if (n_checked == 0) cr_skip_test("skipped: this processor has none but the plain kernels");
}

static void check_decoding(const struct lfm_kernels *set, const struct lfm_format *format, gsl_rng *rng)
{
    const struct lfm_format_kernels *kernels = lfm_format_kernels(set, format);
    if (!kernels || !kernels->decode_row) return;
    float expected[MOST_COLUMNS], x[MOST_COLUMNS];
    struct lfm_matrix W = random_matrix(format, 1, MOST_COLUMNS, rng);
    format->decode_row(expected, W.data, MOST_COLUMNS);
    kernels->decode_row(x, W.data, MOST_COLUMNS);
    for (size_t i = 0; i < MOST_COLUMNS; i++)
        cr_assert(memcmp(&x[i], &expected[i], sizeof x[i]) == 0, "%s, %s, element %zu: %a, expected %a", set->name,
                  format->name, i, (double)x[i], (double)expected[i]);
    free((void *)W.data);
}

Test(kernels, rows_decode_to_the_same_bits_as_in_plain_c)
{
    for_each_set_and_format(check_decoding);
}

/* Every code of the 8-bit floats, and every half. */
Test(kernels, all_codes_of_small_floats_decode_alike)
{
    uint16_t halves[65536];
    static float expected[65536], x[65536];
    uint8_t codes[256];
    for (size_t i = 0; i < 65536; i++) halves[i] = (uint16_t)i;
    for (size_t i = 0; i < 256; i++) codes[i] = (uint8_t)i;
    for (const struct lfm_kernels *const *set = lfm_kernel_sets; *set; set++)
        for (const struct lfm_format *format = lfm_formats; format->name && (*set)->supported(); format++) {
            const struct lfm_format_kernels *kernels = lfm_format_kernels(*set, format);
            if (!kernels || !kernels->decode_row || format->block_bytes > 2) continue;
            size_t n = format->block_bytes == 1 ? 256 : 65536;
            const void *from = n == 256 ? (const void *)codes : (const void *)halves;
            format->decode_row(expected, from, n);
            kernels->decode_row(x, from, n);
            for (size_t i = 0; i < n; i++)
                cr_assert((isnan(x[i]) && isnan(expected[i])) || memcmp(&x[i], &expected[i], sizeof x[i]) == 0,
                          "%s, %s, code %zx: %a, expected %a", (*set)->name, format->name, i, (double)x[i],
                          (double)expected[i]);
        }
}

static void set_half(uint8_t *at, unsigned half)
{
    at[0] = (uint8_t)half;
    at[1] = (uint8_t)(half >> 8);
}

/* One random block under many scales and minima: zeros and subnormals of both signs, infinities, what is no number. */
static void check_scales(const struct lfm_kernels *set, const struct lfm_format *format, gsl_rng *rng)
{
    enum { STEP = 64, HALVES = 1 << 16 }; /* 16 of every exponent and sign */
    const struct lfm_format_kernels *kernels = lfm_format_kernels(set, format);
    size_t f = 0, n = sizeof scales_at / sizeof scales_at[0];
    while (f < n && strcmp(scales_at[f].format, format->name) != 0) f++;
    if (!kernels || !kernels->decode_row || f == n) return;
    struct lfm_matrix W = random_matrix(format, 1, format->block_size, rng);
    static const unsigned others[] = {0, 0x8000, 0x8001, 0x2100, 0x7c00, 0x7fff}; /* 0, -0, subnormal, 0.01, infinite, none */
    for (unsigned half = 0; half < HALVES; half += STEP)
        for (size_t o = 0; o < sizeof others / sizeof others[0]; o++) {
            float expected[256], x[256];
            set_half((uint8_t *)W.data + scales_at[f].halves[1], others[o]);
            set_half((uint8_t *)W.data + scales_at[f].halves[0], half);
            format->decode_row(expected, W.data, format->block_size);
            kernels->decode_row(x, W.data, format->block_size);
            for (size_t i = 0; i < format->block_size; i++)
                cr_assert((isnan(x[i]) && isnan(expected[i])) || memcmp(&x[i], &expected[i], sizeof x[i]) == 0,
                          "%s, %s, halves %x and %x, element %zu: %a, expected %a", set->name, format->name, half, others[o], i,
                          (double)x[i], (double)expected[i]);
        }
    free((void *)W.data);
}

Test(kernels, blocks_decode_alike_under_scales_and_minima_of_every_size)
{
    for_each_set_and_format(check_scales);
}

static void assert_equal_products(const float *y, const float *expected, size_t rows, size_t T, const char *set,
                                  const char *format, size_t n)
{
    for (size_t i = 0; i < rows * T; i++)
        cr_assert(memcmp(&y[i], &expected[i], sizeof *y) == 0, "%s, %s: %zu rows, %zu tokens, %zu columns: %a at %zu, expected %a",
                  set, format, rows, T, n, (double)y[i], i, (double)expected[i]);
}

Test(kernels, products_with_decoded_rows_are_the_same_bits_for_every_size)
{
    static float w[MOST_ROWS * 96], x[MOST_TOKENS * 96], y[MOST_ROWS * MOST_TOKENS], expected[MOST_ROWS * MOST_TOKENS];
    gsl_rng *rng = new_rng();
    random_floats(w, MOST_ROWS * 96, rng);
    random_floats(x, MOST_TOKENS * 96, rng);
    for (const struct lfm_kernels *const *set = lfm_kernel_sets; *set; set++)
        for (size_t rows = 0; rows <= MOST_ROWS && (*set)->supported(); rows++)
            for (size_t T = 0; T <= MOST_TOKENS; T++)
                for (size_t n = 16; n <= 96; n += 80) {
                    plain()->multiply(expected, rows, w, rows, x, T, n);
                    (*set)->multiply(y, rows, w, rows, x, T, n);
                    assert_equal_products(y, expected, rows, T, (*set)->name, "f32", n);
                }
    gsl_rng_free(rng);
}

/* The order of a sum, written out. */
Test(kernels, products_are_summed_in_sixteen_interleaved_parts_then_pairwise)
{
    enum { N = 64 };
    float w[N], x[N], parts[16] = {0}, y;
    gsl_rng *rng = new_rng();
    random_floats(w, N, rng);
    random_floats(x, N, rng);
    for (size_t i = 0; i < N; i++) parts[i % 16] = fmaf(w[i], x[i], parts[i % 16]);
    for (size_t half = 8; half > 0; half /= 2)
        for (size_t i = 0; i < half; i++) parts[i] += parts[i + half];
    for (const struct lfm_kernels *const *set = lfm_kernel_sets; *set; set++) {
        if (!(*set)->supported()) continue;
        (*set)->multiply(&y, 1, w, 1, x, 1, N);
        cr_assert_float_eq(y, parts[0], 0, "%s", (*set)->name);
    }
    gsl_rng_free(rng);
}

/* An odd number of so many bits. */
static float odd_number(unsigned bits, gsl_rng *rng)
{
    return (float)(1u << (bits - 1) | gsl_rng_uniform_int(rng, 1u << (bits - 1)) | 1u);
}

static bool same_number(float a, float b)
{
    return a == b || (isnan(a) && isnan(b));
}

/* a * b of 12 and 13 bits is often halfway between two floats, where what is far below it decides; others cancel, or are
 * subnormal or too large in the end. */
Test(kernels, a_product_is_added_in_one_rounding_whatever_the_numbers)
{
    enum { TRIES = 100000 };
    static const int scales[] = {0, 0, 0, -80, -72, 53};
    gsl_rng *rng = new_rng();
    size_t hard = 0;
    for (int i = 0; i < TRIES; i++) {
        unsigned bits = i % 2 ? 12 : 24;
        int scale = scales[gsl_rng_uniform_int(rng, 6)], shift = (int)gsl_rng_uniform_int(rng, 90) - 60;
        float a = odd_number(bits, rng), b = odd_number(bits == 12 ? 13 : 24, rng);
        float before = i % 5 == 0 ? a * b : ldexpf(odd_number(1 + (unsigned)i % 24, rng), shift);
        float w[32] = {ldexpf(i % 3 ? -before : before, 2 * scale)}, x[32] = {1};
        w[16] = ldexpf(a, scale), x[16] = ldexpf(b, scale);
        float expected = fmaf(w[16], x[16], w[0]);
        hard += !same_number((float)((double)w[16] * (double)x[16] + (double)w[0]), expected);
        for (const struct lfm_kernels *const *set = lfm_kernel_sets; *set; set++) {
            float y;
            if (!(*set)->supported()) continue;
            (*set)->multiply(&y, 1, w, 1, x, 1, 32);
            cr_assert(same_number(y, expected), "%s: %a * %a + %a = %a, expected %a", (*set)->name, (double)w[16],
                      (double)x[16], (double)w[0], (double)y, (double)expected);
        }
    }
    cr_assert_gt(hard, TRIES / 100, "%zu sums need more than rounding twice", hard);
    gsl_rng_free(rng);
}

static void check_stored(const struct lfm_kernels *set, const struct lfm_format *format, gsl_rng *rng)
{
    const struct lfm_format_kernels *kernels = lfm_format_kernels(set, format);
    if (!kernels || !kernels->multiply_stored) return;
    static float decoded[MOST_ROWS * MOST_COLUMNS], x[LFM_MOST_DIRECT * MOST_COLUMNS];
    float y[MOST_ROWS * LFM_MOST_DIRECT], expected[MOST_ROWS * LFM_MOST_DIRECT];
    const size_t columns[] = {format->block_size > 32 ? format->block_size : 32, MOST_COLUMNS};
    for (int c = 0; c < 2; c++)
        for (size_t rows = 0; rows < MOST_ROWS; rows += rows < 6 ? 1 : 10)
            for (size_t T = 1; T <= LFM_MOST_DIRECT; T++) {
                struct lfm_matrix W = random_matrix(format, rows, columns[c], rng);
                random_floats(x, T * columns[c], rng);
                for (size_t r = 0; r < rows; r++)
                    format->decode_row(decoded + r * columns[c], (const uint8_t *)W.data + r * W.row_bytes, columns[c]);
                plain()->multiply(expected, rows, decoded, rows, x, T, columns[c]);
                kernels->multiply_stored(y, rows, W.data, W.row_bytes, rows, x, T, columns[c]);
                assert_equal_products(y, expected, rows, T, set->name, format->name, columns[c]);
                free((void *)W.data);
            }
}

Test(kernels, products_with_stored_rows_are_the_bits_of_decoded_ones)
{
    for_each_set_and_format(check_stored);
}

/* Random activations as round_to_q8 in linear.c would give them, extremes included. */
static struct lfm_q8_rows random_q8(size_t T, size_t n, gsl_rng *rng)
{
    struct lfm_q8_rows x = {.T = T, .n = n, .codes = malloc(T * n), .scales = malloc(T * n / 32 * sizeof(float))};
    x.sums = calloc(T * n / 32, sizeof(float));
    x.half_sums = calloc(T * n / 16, sizeof(float));
    for (size_t i = 0; i < T * n; i++) {
        x.codes[i] = (int8_t)(i % 5 == 0 ? -127 : i % 7 == 0 ? 127 : (int)gsl_rng_uniform_int(rng, 255) - 127);
        x.sums[i / 32] += x.codes[i];
        x.half_sums[i / 16] += x.codes[i];
    }
    random_floats(x.scales, T * n / 32, rng);
    return x;
}

static void check_integer(const struct lfm_kernels *set, const struct lfm_format *format, gsl_rng *rng)
{
    const struct lfm_format_kernels *kernels = lfm_format_kernels(set, format);
    if (format->group == 0) return;
    float y[MOST_ROWS * MOST_TOKENS], expected[MOST_ROWS * MOST_TOKENS];
    struct lfm_error error;
    for (size_t n = format->block_size > 32 ? format->block_size : 32; n <= MOST_COLUMNS; n *= 5)
        for (size_t rows = 0; rows < MOST_ROWS; rows += 12)
            for (size_t T = 1; T <= MOST_TOKENS; T++) {
                struct lfm_matrix W = random_matrix(format, rows, n, rng);
                struct lfm_q8_rows x = random_q8(T, n, rng);
                void *scratch;
                assert_ok(lfm_alloc(&scratch, 1, lfm_q8_scratch_bytes(T, n), &error));
                plain()->multiply_q8(expected, rows, format, W.data, W.row_bytes, rows, &x, scratch);
                if (kernels && kernels->multiply_q8)
                    kernels->multiply_q8(y, rows, W.data, W.row_bytes, rows, &x, scratch);
                else
                    set->multiply_q8(y, rows, format, W.data, W.row_bytes, rows, &x, scratch);
                assert_equal_products(y, expected, rows, T, set->name, format->name, n);
                free(scratch);
                free(x.codes);
                free(x.scales);
                free(x.sums);
                free(x.half_sums);
                free((void *)W.data);
            }
}

Test(kernels, integer_products_are_the_same_bits_as_in_plain_c)
{
    for_each_set_and_format(check_integer);
}

Test(kernels, codes_scales_and_minima_make_up_the_decoded_row)
{
    float x[MOST_COLUMNS], scales[MOST_COLUMNS / 16], minima[MOST_COLUMNS / 16];
    uint8_t codes[MOST_COLUMNS];
    gsl_rng *rng = new_rng();
    for (const struct lfm_format *format = lfm_formats; format->name; format++) {
        if (format->group == 0) continue;
        struct lfm_matrix W = random_matrix(format, 1, MOST_COLUMNS, rng);
        format->decode_row(x, W.data, MOST_COLUMNS);
        format->unpack_row(codes, scales, minima, W.data, MOST_COLUMNS);
        for (size_t i = 0; i < MOST_COLUMNS; i++) {
            size_t g = i / format->group;
            double w = (double)scales[g] * (codes[i] - format->zero) + (format->has_minima ? (double)minima[g] : 0);
            cr_assert_float_eq((double)x[i], w, 1e-6 * (fabs(w) + 1), "%s, element %zu", format->name, i);
        }
        free((void *)W.data);
    }
    gsl_rng_free(rng);
}

/* --- the way through linear.c --- */

static void multiply(float *y, const struct lfm_matrix *W, const float *x, size_t T, enum lfm_activations activations)
{
    struct lfm_error error;
    assert_ok(lfm_linear(y, W, x, T, activations, &error));
}

/* Rows of `columns` elements; those of a multiple of 1,024 are padded on their way. */
static void check_alone_and_together(const struct lfm_format *format, size_t columns, enum lfm_activations activations,
                                     gsl_rng *rng)
{
    enum { ROWS = 200, T = 9, MOST = 1024 };
    static float x[T * MOST], together[T * ROWS], alone[ROWS];
    struct lfm_matrix W = random_matrix(format, ROWS, columns, rng);
    random_floats(x, T * columns, rng);
    multiply(together, &W, x, T, activations);
    for (size_t t = 0; t < T; t++) {
        multiply(alone, &W, x + t * columns, 1, activations);
        assert_equal_products(alone, together + t * ROWS, ROWS, 1, lfm_activations_name(activations), format->name, columns);
    }
    free((void *)W.data);
}

Test(linear, a_token_gives_the_same_bits_alone_and_among_others_in_every_format_and_mode)
{
    gsl_rng *rng = new_rng();
    for (const struct lfm_format *format = lfm_formats; format->name; format++)
        for (int a = 0; a < LFM_N_ACTIVATIONS; a++)
            for (size_t columns = 512; columns <= 1024; columns *= 2)
                check_alone_and_together(format, columns, (enum lfm_activations)a, rng);
    gsl_rng_free(rng);
}

Test(linear, several_products_in_one_call_and_any_number_of_threads_give_the_same_bits)
{
    enum { ROWS = 700, COLUMNS = 512, T = 3, N = 5 };
    static float x[T * COLUMNS], y[N][T * ROWS], expected[N][T * ROWS];
    const char *names[N] = {"bf16", "q8_0", "q8_0", "q4_0", "f32"};
    const size_t tokens[N] = {3, 3, 0, 1, 2};
    struct lfm_matrix W[N];
    struct lfm_product products[N];
    struct lfm_error error;
    gsl_rng *rng = new_rng();
    int n_threads = omp_get_max_threads();
    random_floats(x, T * COLUMNS, rng);
    for (size_t i = 0; i < N; i++) {
        W[i] = random_matrix(lfm_format_by_name(names[i]), ROWS - 50 * i, COLUMNS, rng);
        products[i] = (struct lfm_product){y[i], &W[i], x, tokens[i]};
    }
    for (int a = 0; a < LFM_N_ACTIVATIONS; a++)
        for (int threads = 1; threads <= 5; threads += 2) {
            memset(y, 0, sizeof y);
            memset(expected, 0, sizeof expected);
            omp_set_num_threads(1);
            for (size_t i = 0; i < N; i++)
                multiply(expected[i], &W[i], x, tokens[i], (enum lfm_activations)a);
            omp_set_num_threads(threads);
            assert_ok(lfm_multiply(products, N, (enum lfm_activations)a, &error));
            cr_assert(memcmp(y, expected, sizeof y) == 0, "activations %s, %d threads",
                      lfm_activations_name((enum lfm_activations)a), threads);
        }
    omp_set_num_threads(n_threads);
    for (size_t i = 0; i < N; i++) free((void *)W[i].data);
    gsl_rng_free(rng);
}

/* Each activation is off by at most half a step of its block, largest / 127 / 2; the half-precision scale adds 2^-11. */
Test(linear, rounding_activations_to_q8_changes_a_product_by_no_more_than_its_rounding_steps)
{
    enum { COLUMNS = 64 };
    float x[COLUMNS], exact, rounded;
    gsl_rng *rng = new_rng();
    for (const struct lfm_format *format = lfm_formats; format->name; format++) {
        if (format->block_size > COLUMNS) continue;
        struct lfm_matrix W = random_matrix(format, 1, COLUMNS, rng);
        float w[COLUMNS];
        random_floats(x, COLUMNS, rng);
        multiply(&exact, &W, x, 1, LFM_ACTIVATIONS_F32);
        multiply(&rounded, &W, x, 1, LFM_ACTIVATIONS_Q8);
        format->decode_row(w, W.data, COLUMNS);
        double bound = 1e-5;
        for (size_t i = 0; i < COLUMNS; i++) bound += fabs((double)w[i]) * (0.5 / 127 + 1.0 / 2048);
        cr_assert_float_eq((double)rounded, (double)exact, bound, "%s", format->name);
        cr_assert(exact != rounded, "%s: nothing was rounded", format->name);
        free((void *)W.data);
    }
    gsl_rng_free(rng);
}

Test(linear, rounding_activations_to_fp8_keeps_zeros_and_the_largest_magnitude)
{
    const struct lfm_format *f32 = lfm_format_by_name("f32");
    float identity[16 * 16] = {0}, x[32] = {-3.5f, 1.75f, 0.001f}, y[32];
    for (size_t i = 0; i < 16; i++) identity[i * 17] = 1;
    struct lfm_matrix W = {.format = f32, .rows = 16, .columns = 16, .data = identity, .row_bytes = 64};
    multiply(y, &W, x, 2, LFM_ACTIVATIONS_FP8);
    cr_assert_float_eq(y[0], -3.5f, 0);
    cr_assert_float_eq(y[1], 1.75f, 0);
    cr_assert(y[2] != x[2] && fabsf(y[2] - x[2]) < 1e-4f);
    for (size_t i = 3; i < 32; i++) cr_assert_float_eq(y[i], 0, 0);
}

Test(linear, activations_that_are_not_finite_give_products_that_are_not_finite_in_every_mode)
{
    enum { ROWS = 16, COLUMNS = 64 };
    const float bad[] = {NAN, INFINITY, -INFINITY};
    float x[COLUMNS], y[ROWS];
    gsl_rng *rng = new_rng();
    for (const struct lfm_format *format = lfm_formats; format->name; format++) {
        if (format->block_size > COLUMNS) continue;
        struct lfm_matrix W = random_matrix(format, ROWS, COLUMNS, rng);
        for (int a = 0; a < LFM_N_ACTIVATIONS; a++)
            for (size_t b = 0; b < sizeof bad / sizeof bad[0]; b++) {
                random_floats(x, COLUMNS, rng);
                x[40] = bad[b];
                multiply(y, &W, x, 1, (enum lfm_activations)a);
                for (size_t r = 0; r < ROWS; r++)
                    cr_assert(!isfinite(y[r]), "%s, activations %s: %g became %g", format->name,
                              lfm_activations_name((enum lfm_activations)a), (double)bad[b], (double)y[r]);
            }
        free((void *)W.data);
    }
    gsl_rng_free(rng);
}

/* Their scale would be zero. */
Test(linear, rounding_activations_to_fp8_keeps_values_too_small_for_a_scale_finite)
{
    float identity[16 * 16] = {0}, x[16] = {0x1p-148f}, y[16];
    for (size_t i = 0; i < 16; i++) identity[i * 17] = 1;
    struct lfm_matrix W = {.format = lfm_format_by_name("f32"), .rows = 16, .columns = 16, .data = identity, .row_bytes = 64};
    multiply(y, &W, x, 1, LFM_ACTIVATIONS_FP8);
    for (size_t i = 0; i < 16; i++) cr_assert_float_eq(y[i], 0, 0);
}

/* --- attention --- */

enum { MOST_A = 80 };

struct block {
    float q[LFM_HEADS * MOST_A], keys[MOST_A * LFM_KEYS], values[LFM_KEYS * MOST_A];
};

/* What a set makes of a block: its scores, and results that were something before. */
struct outcome {
    float scores[LFM_HEADS * LFM_KEYS], largest[LFM_HEADS], sums[LFM_HEADS * MOST_A];
    double totals[LFM_HEADS];
};

static void run_block(struct outcome *out, const struct lfm_kernels *set, const struct block *block, size_t count,
                      size_t n_heads, size_t A)
{
    memset(out, 0, sizeof *out);
    struct lfm_running running = {out->totals, out->largest, out->sums, (A + 15) / 16 * 16};
    for (size_t h = 0; h < n_heads; h++) {
        out->largest[h] = h % 2 ? 0.25f : -INFINITY;
        out->totals[h] = h % 2 ? 3 : 0;
        for (size_t a = 0; a < running.padded && h % 2; a++) out->sums[h * running.padded + a] = (float)a;
    }
    set->multiply_keys(out->scores, block->keys, count, block->q, n_heads, A);
    set->take_scores(&running, out->scores, 0.125f, block->values, MOST_A, count, n_heads);
}

static void check_blocks(const struct lfm_kernels *set, const struct block *block)
{
    static const size_t widths[] = {16, 40, 64, 80}, counts[] = {1, 3, 15, 16, 17, 33, 63, 64};
    static struct outcome expected, got;
    for (size_t w = 0; w < sizeof widths / sizeof widths[0]; w++)
        for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++)
            for (size_t n_heads = 1; n_heads <= LFM_HEADS; n_heads++) {
                run_block(&expected, plain(), block, counts[c], n_heads, widths[w]);
                run_block(&got, set, block, counts[c], n_heads, widths[w]);
                cr_assert(memcmp(&got, &expected, sizeof got) == 0, "%s: %zu keys of %zu, %zu heads", set->name, counts[c],
                          widths[w], n_heads);
            }
}

Test(kernels, blocks_of_attention_give_the_same_bits_as_in_plain_c)
{
    static struct block block;
    gsl_rng *rng = new_rng();
    random_floats(block.q, sizeof block.q / sizeof *block.q, rng);
    random_floats(block.keys, sizeof block.keys / sizeof *block.keys, rng);
    random_floats(block.values, sizeof block.values / sizeof *block.values, rng);
    for (size_t a = 0; a < MOST_A; a++) block.keys[a * LFM_KEYS + 2] *= 400; /* weights from 1 down to 0 */
    for (const struct lfm_kernels *const *set = lfm_kernel_sets; *set; set++)
        if ((*set)->supported()) check_blocks(*set, &block);
    gsl_rng_free(rng);
}

Test(kernels, silu_gives_the_same_bits_as_in_plain_c)
{
    enum { MOST = 70 };
    float gate[MOST], up[MOST];
    gsl_rng *rng = new_rng();
    for (size_t i = 0; i < MOST; i++) gate[i] = (float)(200 * gsl_rng_uniform(rng) - 100);
    random_floats(up, MOST, rng);
    for (const struct lfm_kernels *const *set = lfm_kernel_sets; *set; set++)
        for (size_t n = 0; n <= MOST && (*set)->supported(); n++) {
            float expected[MOST], got[MOST];
            memcpy(expected, gate, sizeof gate);
            memcpy(got, gate, sizeof gate);
            plain()->silu_multiply(expected, up, n);
            (*set)->silu_multiply(got, up, n);
            cr_assert(memcmp(got, expected, sizeof got) == 0, "%s, %zu elements", (*set)->name, n);
        }
    gsl_rng_free(rng);
}
