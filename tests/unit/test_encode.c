/* Encoding whole matrices: scales, threads, refusals. */
#include "reference/checkpoint/encode.h"
#include "tests/unit/assert.h"

#include <omp.h>
#include <stdint.h>
#include <stdlib.h>

static struct lfm_error error;

struct table {
    const float *values;
    size_t columns;
};

static void table_row(const void *context, size_t r, float *x)
{
    const struct table *table = context;
    memcpy(x, table->values + r * table->columns, table->columns * sizeof *x);
}

static const struct lfm_format *e4m3(void)
{
    return lfm_format_by_name("fp8_e4m3");
}

Test(encode, scale_names_are_recognised)
{
    enum lfm_scale scale;
    cr_assert(lfm_scale_by_name("tensor", &scale) && scale == LFM_SCALE_TENSOR);
    cr_assert(lfm_scale_by_name("Channel", &scale) && scale == LFM_SCALE_CHANNEL);
    cr_assert(lfm_scale_by_name("block", &scale) && scale == LFM_SCALE_BLOCK);
    cr_assert_not(lfm_scale_by_name("row", &scale));
}

Test(encode, shapes_of_scales_count_partial_tiles)
{
    size_t rows, columns;
    lfm_scale_shape(LFM_SCALE_TENSOR, 300, 129, &rows, &columns);
    cr_assert(rows == 1 && columns == 1);
    lfm_scale_shape(LFM_SCALE_CHANNEL, 300, 129, &rows, &columns);
    cr_assert(rows == 300 && columns == 1);
    lfm_scale_shape(LFM_SCALE_BLOCK, 300, 129, &rows, &columns);
    cr_assert(rows == 3 && columns == 2);
    cr_assert_eq(lfm_scale_count(e4m3(), LFM_SCALE_BLOCK, 300, 129), 6);
    cr_assert_eq(lfm_scale_count(lfm_format_by_name("q8_0"), LFM_SCALE_BLOCK, 300, 128), 0);
}

static const float small[] = {448, -1, 2,   //
                              0,   0,  -0., //
                              -56, 7,  3.5};
static const struct table small_table = {small, 3};
static const struct lfm_row_source small_source = {"small", 3, 3, table_row, &small_table};

Test(encode, a_channel_scale_is_the_largest_magnitude_of_its_row_over_448)
{
    uint8_t data[9];
    float scales[3], x[9];
    assert_ok(lfm_encode_matrix(&small_source, e4m3(), LFM_SCALE_CHANNEL, data, scales, &error));
    assert_near(scales[0], 1, 0);
    assert_near(scales[1], 1, 0); /* a row of zeros */
    assert_near(scales[2], 0.125, 0);
    e4m3()->decode_row(x, data, 9);
    const float expected[] = {448, -1, 2, 0, 0, -0., -448, 56, 28};
    cr_assert_arr_eq(x, expected, sizeof expected);
}

Test(encode, a_tensor_scale_is_shared_by_all_rows)
{
    uint8_t data[9];
    float scale, x[9];
    assert_ok(lfm_encode_matrix(&small_source, e4m3(), LFM_SCALE_TENSOR, data, &scale, &error));
    assert_near(scale, 1, 0);
    e4m3()->decode_row(x, data, 9);
    cr_assert_arr_eq(x, small, sizeof small);
}

/* 130 x 130: value 448 * (tile number + 1) at the top left corner of each tile, 1 elsewhere. */
Test(encode, a_tile_scale_covers_128_by_128)
{
    enum { N = 130 };
    float *values = malloc(N * N * sizeof *values), scales[4];
    uint8_t *data = malloc(N * N), code;
    for (size_t i = 0; i < N * N; i++) values[i] = 1;
    values[0] = 448;
    values[128] = 448 * 2;
    values[128 * N] = -448 * 3;
    values[128 * N + 128] = 448 * 4;
    const struct table table = {values, N};
    const struct lfm_row_source source = {"tiles", N, N, table_row, &table};
    assert_ok(lfm_encode_matrix(&source, e4m3(), LFM_SCALE_BLOCK, data, scales, &error));
    for (int i = 0; i < 4; i++) assert_near(scales[i], i + 1, 0);
    float quarter = 0.25f;
    e4m3()->encode_row(&code, &quarter, 1);
    cr_assert_eq(data[N * N - 1], code, "1 / 4 in the last tile is %02x, expected %02x", data[N * N - 1], code);
    cr_assert_eq(data[128 * N], 0xfe);
    free(data);
    free(values);
}

Test(encode, division_by_the_scale_is_rounded_once)
{
    /* 2.3 / (3.1 / 448) is just above 332; multiplying by a rounded 1 / scale can land elsewhere for such values. */
    float values[] = {3.1f, 2.3f, 0.7f, -1.9f};
    const struct table table = {values, 4};
    const struct lfm_row_source source = {"row", 1, 4, table_row, &table};
    uint8_t data[4], expected[4];
    float scale, divided[4];
    assert_ok(lfm_encode_matrix(&source, e4m3(), LFM_SCALE_CHANNEL, data, &scale, &error));
    cr_assert_eq(scale, 3.1f / 448.0f);
    for (int i = 0; i < 4; i++) divided[i] = values[i] / scale;
    e4m3()->encode_row(expected, divided, 4);
    cr_assert_arr_eq(data, expected, 4);
}

Test(encode, rows_in_pieces_are_the_rows_of_the_whole)
{
    enum { ROWS = 300, COLUMNS = 160 };
    float *values = malloc(ROWS * COLUMNS * sizeof *values), scales[6], again[6];
    uint8_t *whole = malloc(ROWS * COLUMNS), *pieces = malloc(ROWS * COLUMNS);
    for (size_t i = 0; i < ROWS * COLUMNS; i++) values[i] = (float)((i * 2654435761u) % 1000003) / 1000.0f - 500;
    const struct table table = {values, COLUMNS};
    const struct lfm_row_source source = {"pieces", ROWS, COLUMNS, table_row, &table};
    omp_set_num_threads(3);
    assert_ok(lfm_encode_matrix(&source, e4m3(), LFM_SCALE_BLOCK, whole, scales, &error));
    omp_set_num_threads(1);
    assert_ok(lfm_measure_scales(&source, e4m3(), LFM_SCALE_BLOCK, again, &error));
    cr_assert_arr_eq(scales, again, sizeof scales);
    for (size_t first = 0; first < ROWS; first += 70) {
        size_t count = ROWS - first < 70 ? ROWS - first : 70;
        assert_ok(
            lfm_encode_rows(&source, e4m3(), LFM_SCALE_BLOCK, again, first, count, pieces + first * COLUMNS, &error));
    }
    cr_assert_arr_eq(whole, pieces, ROWS * COLUMNS);
    free(pieces);
    free(whole);
    free(values);
}

static void expect_refusal_of(float bad, const char *format, const char *part)
{
    float values[64] = {0};
    uint8_t data[64 * 4];
    float scales[2];
    values[32 + 5] = bad;
    const struct table table = {values, 32};
    const struct lfm_row_source source = {"blk.0.bad.weight", 2, 32, table_row, &table};
    assert_fails(lfm_encode_matrix(&source, lfm_format_by_name(format), LFM_SCALE_CHANNEL, data, scales, &error),
                 LFM_ERROR_FORMAT, part);
}

Test(encode, values_that_are_not_finite_are_named)
{
    expect_refusal_of(NAN, "q8_0", "'blk.0.bad.weight': row 1, column 5 is nan");
    expect_refusal_of(-INFINITY, "q4_0", "row 1, column 5 is -inf");
    expect_refusal_of(NAN, "fp8_e4m3", "row 1, column 5 is nan");
    expect_refusal_of(INFINITY, "bf16", "row 1, column 5 is inf");
}

Test(encode, values_beyond_the_range_of_the_format_are_named)
{
    expect_refusal_of(65520, "f16", "row 1, column 5 is 65520, expected a value in the range of f16");
    expect_refusal_of(-3.4e38f, "f16", "row 1, column 5 is -3.4e+38");
    expect_refusal_of(3.4028235e38f, "bf16", "range of bf16");
    expect_refusal_of(1e7f, "q8_0", "range of q8_0");
}

Test(encode, the_largest_values_that_formats_hold_are_accepted)
{
    float values[32] = {65519.9f, -65504};
    uint8_t data[128];
    float scale;
    const struct table table = {values, 32};
    const struct lfm_row_source source = {"large", 1, 32, table_row, &table};
    assert_ok(lfm_encode_matrix(&source, lfm_format_by_name("f16"), LFM_SCALE_TENSOR, data, NULL, &error));
    values[0] = 3.3e38f;
    assert_ok(lfm_encode_matrix(&source, lfm_format_by_name("bf16"), LFM_SCALE_TENSOR, data, NULL, &error));
    assert_ok(lfm_encode_matrix(&source, e4m3(), LFM_SCALE_CHANNEL, data, &scale, &error));
}

Test(encode, formats_that_are_only_read_and_broken_blocks_are_refused)
{
    struct lfm_format only_read = *lfm_format_by_name("q8_0");
    only_read.encode_row = NULL;
    uint8_t data[64];
    assert_fails(lfm_encode_matrix(&small_source, &only_read, LFM_SCALE_TENSOR, data, NULL, &error), LFM_ERROR_ARGUMENT,
                 "only reads");
    assert_fails(lfm_encode_matrix(&small_source, lfm_format_by_name("q8_0"), LFM_SCALE_TENSOR, data, NULL, &error),
                 LFM_ERROR_FORMAT, "3 elements");
}
