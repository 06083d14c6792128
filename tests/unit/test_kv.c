/* Keys and values in every cache format: rows, states, models. */
#include "reference/model/forward.h"
#include "reference/model/kv.h"
#include "tests/unit/assert.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct lfm_error error;

static const char demo[] = "datasets/demo-model"; /* heads of 32, which every format can hold */

static void start(struct lfm_kv *kv, const char *format, size_t width, size_t rows)
{
    assert_ok(lfm_kv_init(kv, lfm_kv_by_name(format), width, &error));
    assert_ok(lfm_kv_reserve(kv, rows, &error));
}

/* Largest |x - stored| over 3 rows of 64 that reach from -2 to 2, the second row times 1000. */
static double largest_error(const char *format)
{
    enum { WIDTH = 64, ROWS = 3 };
    float x[ROWS * WIDTH], y[WIDTH];
    double largest = 0;
    struct lfm_kv kv;
    start(&kv, format, WIDTH, 10);
    for (size_t i = 0; i < ROWS * WIDTH; i++) x[i] = (float)sin((double)i) * 2 * (i / WIDTH == 1 ? 1000 : 1);
    lfm_kv_store(&kv, 5, x, ROWS);
    for (size_t r = 0; r < ROWS; r++) {
        lfm_kv_load(y, 32, &kv, 5 + r, 1, 32, 32);
        for (size_t i = 0; i < 32; i++)
            largest = fmax(largest, fabs((double)x[r * WIDTH + 32 + i] - y[i]) / (r == 1 ? 2000 : 2));
    }
    lfm_kv_release(&kv);
    return largest;
}

Test(kv, rows_come_back_as_closely_as_the_format_allows)
{
    cr_assert_eq(largest_error("f32"), 0);
    cr_assert_leq(largest_error("f16"), ldexp(1, -11));         /* 11 bits */
    cr_assert_leq(largest_error("q8_0"), 0.5 / 127 * 1.01);     /* half a step of max/127, and the scale in f16 */
    cr_assert_leq(largest_error("fp8_e4m3"), ldexp(1, -4));     /* 4 bits */
    cr_assert_gt(largest_error("fp8_e4m3"), largest_error("q8_0"));
}

Test(kv, fp8_has_one_scale_per_token)
{
    const float x[4] = {0, 0, 896, -1};
    float y[4];
    struct lfm_kv kv;
    start(&kv, "fp8_e4m3", 2, 2);
    lfm_kv_store(&kv, 0, x, 2);
    cr_assert_eq(kv.scales[0], 1);
    cr_assert_eq(kv.scales[1], 2);
    lfm_kv_load(y, 2, &kv, 0, 2, 0, 2);
    cr_assert_eq(memcmp(x, y, sizeof x), 0);
    cr_assert_eq(lfm_kv_bytes(&kv, 7), 7 * (2 + 4));
    lfm_kv_release(&kv);
}

Test(kv, values_that_are_not_finite_do_not_come_back_finite)
{
    const char *const formats[] = {"f32", "f16", "q8_0", "fp8_e4m3"};
    for (size_t f = 0; f < 4; f++) {
        float x[64] = {1, [40] = f % 2 ? NAN : INFINITY}, y[64];
        struct lfm_kv kv;
        start(&kv, formats[f], 64, 1);
        lfm_kv_store(&kv, 0, x, 1);
        lfm_kv_load(y, 64, &kv, 0, 1, 0, 64);
        cr_assert(!isfinite(y[40]), "%s", formats[f]);
        lfm_kv_release(&kv);
    }
}

Test(kv, growing_and_copying_keep_the_rows)
{
    float x[3] = {1, -2, 3}, y[3];
    struct lfm_kv kv, copy;
    start(&kv, "fp8_e4m3", 3, 1);
    start(&copy, "fp8_e4m3", 3, 1);
    lfm_kv_store(&kv, 0, x, 1);
    assert_ok(lfm_kv_reserve(&kv, 1000, &error));
    cr_assert_geq(kv.capacity, 1000);
    lfm_kv_copy(&copy, &kv, 1);
    lfm_kv_load(y, 3, &copy, 0, 1, 0, 3);
    assert_near(y[1], -2, 0.1);
    cr_assert_eq(copy.scales[0], kv.scales[0]);
    lfm_kv_release(&kv);
    lfm_kv_release(&copy);
}

Test(kv, only_four_formats_hold_keys_and_values)
{
    cr_assert_not_null(lfm_kv_by_name("F16"));
    cr_assert_null(lfm_kv_by_name("bf16"));
    cr_assert_null(lfm_kv_by_name("q4_0"));
    cr_assert_null(lfm_kv_by_name("x"));
}

static struct lfm_model *open_with(const char *path, const char *format)
{
    struct lfm_model *model;
    const struct lfm_model_options options = {.kv = lfm_format_by_name(format)};
    assert_ok(lfm_model_open(&model, path, &options, &error));
    return model;
}

Test(kv, heads_that_blocks_do_not_fill_are_refused)
{
    struct lfm_model *model;
    struct lfm_model_options options = {.kv = lfm_format_by_name("q8_0")};
    assert_fails(lfm_model_open(&model, "tests/golden/model/moe-bf16", &options, &error), LFM_ERROR_ARGUMENT,
                 "expected a multiple of 32");
    options.kv = lfm_format_by_name("bf16");
    assert_fails(lfm_model_open(&model, "tests/golden/model/moe-bf16", &options, &error), LFM_ERROR_ARGUMENT,
                 "cannot be kept in bf16");
}

enum { LENGTH = 90 };

static void run(float *hidden, struct lfm_state *state, size_t first, size_t n, size_t piece)
{
    int32_t ids[LENGTH];
    size_t D = state->model->config.hidden_size;
    for (size_t t = 0; t < LENGTH; t++) ids[t] = (int32_t)(20 + 7 * t);
    for (size_t t = first; t < first + n; t += piece) {
        size_t count = first + n - t < piece ? first + n - t : piece;
        assert_ok(lfm_forward(state->model, state, ids + t, count, NULL, hidden + t * D, &error));
    }
}

/* Prefill, decoding, and a copied state that goes on: all the same bits. */
static void check_model(const char *format, double nearest, double farthest)
{
    struct lfm_model *model = open_with(demo, format), *plain = open_with(demo, "f32");
    struct lfm_state *state, *copy, *reference;
    size_t D = model->config.hidden_size;
    float *whole = calloc(LENGTH * D, sizeof *whole), *single = calloc(LENGTH * D, sizeof *single);
    assert_ok(lfm_state_new(&state, model, &error));
    assert_ok(lfm_state_new(&copy, model, &error));
    assert_ok(lfm_state_new(&reference, plain, &error));
    run(whole, state, 0, LENGTH, LENGTH);
    lfm_state_clear(state);
    run(single, state, 0, 70, 1);
    assert_ok(lfm_state_copy(copy, state, &error));
    run(single, copy, 70, 10, 1);
    run(single, copy, 80, 10, 3);
    cr_assert_eq(memcmp(whole, single, LENGTH * D * sizeof *whole), 0, "%s: prefill and decoding differ", format);

    double difference = 0, squares = 0;
    run(single, reference, 0, LENGTH, LENGTH);
    for (size_t i = 0; i < LENGTH * D; i++) {
        difference += pow((double)whole[i] - single[i], 2);
        squares += pow(single[i], 2);
    }
    double relative = sqrt(difference / squares);
    cr_assert(relative >= nearest && relative <= farthest, "%s: hidden states are off by %g", format, relative);
    lfm_state_free(state);
    lfm_state_free(copy);
    lfm_state_free(reference);
    free(whole);
    free(single);
    lfm_model_close(model);
    lfm_model_close(plain);
}

Test(kv, prefill_decoding_and_copied_states_agree_in_every_format)
{
    check_model("f32", 0, 0);
    check_model("f16", 1e-6, 3e-2);
    check_model("q8_0", 1e-5, 2e-1);
    check_model("fp8_e4m3", 1e-4, 5e-1);
}

Test(kv, planned_bytes_follow_from_the_format)
{
    /* 3 attention layers of 4 heads of 32; 5 conv layers of 2 columns of 256 floats */
    const struct {
        const char *format;
        size_t bytes;
    } rows[] = {{"f32", 512}, {"f16", 256}, {"q8_0", 136}, {"fp8_e4m3", 132}};
    for (size_t i = 0; i < 4; i++) {
        struct lfm_model *model = open_with(demo, rows[i].format);
        struct lfm_state_bytes bytes = lfm_state_bytes(model, 10);
        cr_assert_eq(bytes.kv_cache, 3 * 2 * 10 * rows[i].bytes, "%s: %zu", rows[i].format, bytes.kv_cache);
        cr_assert_eq(bytes.conv_state, 5 * 2 * 256 * sizeof(float));
        lfm_model_close(model);
    }
}
