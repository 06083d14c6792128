/* The exponential of softmax, silu and the router, against double precision. */
#include "reference/model/ops.h"
#include "tests/unit/assert.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef float vector __attribute__((vector_size(16)));
typedef int32_t int_vector __attribute__((vector_size(16)));

#include "reference/model/exp.h"

static void exponentials(float y[16], const float x[16])
{
    for (size_t i = 0; i < 16; i += 4) {
        vector in;
        memcpy(&in, x + i, sizeof in);
        vector out = exp_vector(in);
        memcpy(y + i, &out, sizeof out);
    }
}

/* |y - exp(x)| in units of the last place of exp(x) rounded to FP32. */
static double error_of(float y, float x)
{
    double exact = exp((double)x);
    int exponent;
    frexp(exact, &exponent);
    int place = exponent - 24 < -149 ? -149 : exponent > 128 ? 104 : exponent - 24;
    return fabs((isinf(y) ? ldexp(1, 128) : (double)y) - fmin(exact, ldexp(1, 128))) / ldexp(1, place);
}

/* Every 1009th float; all of them give 0.98 at most. */
Test(exp, is_within_one_unit_in_the_last_place)
{
    double worst = 0;
    for (uint64_t first = 0; first < 1ull << 32; first += 16 * 1009) {
        float x[16], y[16];
        for (size_t i = 0; i < 16; i++) {
            uint32_t bits = (uint32_t)(first + 1009 * i);
            memcpy(&x[i], &bits, sizeof bits);
        }
        exponentials(y, x);
        for (size_t i = 0; i < 16; i++) {
            cr_assert_eq(isnan(x[i]), isnan(y[i]), "exp(%g) is %g", (double)x[i], (double)y[i]);
            if (isnan(x[i])) continue;
            double off = error_of(y[i], x[i]);
            cr_assert(off <= 1, "exp(%a) is %a, off by %g", (double)x[i], (double)y[i], off);
            worst = fmax(worst, off);
        }
    }
    cr_assert_gt(worst, 0.5);
}

Test(exp, is_exact_where_it_can_be)
{
    const float x[16] = {0, -0.0f, -INFINITY, INFINITY, -104, 89, -200, 200};
    const float expected[8] = {1, 1, 0, INFINITY, 0, INFINITY, 0, INFINITY};
    float y[16];
    exponentials(y, x);
    for (size_t i = 0; i < 8; i++) cr_assert_eq(y[i], expected[i], "exp(%g) is %g", (double)x[i], (double)y[i]);
}

Test(ops, silu_is_right_for_all_lengths)
{
    for (size_t n = 0; n <= 70; n++) {
        float gate[70], up[70], silu[71];
        for (size_t i = 0; i < 70; i++) {
            gate[i] = silu[i] = (float)(i % 2 ? -1 : 1) * 0.37f * (float)i;
            up[i] = 2 - (float)i;
        }
        silu[n] = 123;
        lfm_silu_multiply(silu, up, n);
        for (size_t i = 0; i < n; i++) {
            double expected = gate[i] / (1 + exp(-(double)gate[i])) * up[i];
            assert_near(silu[i], expected, 3e-7 * fabs(expected));
        }
        assert_near(silu[n], 123, 0);
    }
}

Test(ops, silu_of_extreme_values_is_finite)
{
    float gate[4] = {-1e30f, 1e30f, -100, 100}, up[4] = {1, 1, 1, 1};
    lfm_silu_multiply(gate, up, 4);
    assert_near(gate[0], 0, 0);
    assert_near(gate[1], 1e30f, 0);
    assert_near(gate[2], 0, 1e-41);
    assert_near(gate[3], 100, 0);
}

Test(ops, norms_take_rows_of_any_length)
{
    for (size_t D = 1; D <= 40; D++) {
        float x[80], y[80], g[40];
        for (size_t i = 0; i < 2 * D; i++) x[i] = (float)i - 7.5f;
        for (size_t d = 0; d < D; d++) g[d] = 1 + 0.1f * (float)d;
        lfm_rmsnorm(y, x, g, 2, D, 1e-5);
        for (size_t t = 0; t < 2; t++) {
            double squares = 0;
            for (size_t d = 0; d < D; d++) squares += (double)x[t * D + d] * x[t * D + d];
            for (size_t d = 0; d < D; d++) {
                double expected = g[d] * x[t * D + d] / sqrt(squares / (double)D + 1e-5);
                assert_near(y[t * D + d], expected, 2e-7 * fabs(expected));
            }
        }
    }
}

/* Large enough to be shared among threads: every element once, none twice. */
Test(ops, rows_that_threads_share_are_each_done_once)
{
    enum { T = 300, D = 512 };
    float *x = malloc(T * 3 * D * sizeof *x), *parts = calloc(3 * T * D, sizeof *parts), *y = calloc(T * D, sizeof *y);
    size_t rows[T];
    float weights[T];
    for (size_t i = 0; i < T * 3 * D; i++) x[i] = (float)(i % 1021);
    for (size_t t = 0; t < T; t++) {
        rows[t] = (t * 7) % T;
        weights[t] = (float)t;
    }
    lfm_split_thirds(parts, parts + T * D, parts + 2 * T * D, x, T, D);
    for (size_t t = 0; t < T; t++)
        for (size_t d = 0; d < D; d++)
            for (size_t third = 0; third < 3; third++)
                cr_assert_eq(parts[third * T * D + t * D + d], x[t * 3 * D + third * D + d]);
    lfm_gather_rows(y, x, rows, T, D);
    for (size_t t = 0; t < T; t++) cr_assert_eq(memcmp(y + t * D, x + rows[t] * D, D * sizeof *y), 0);
    memset(y, 0, T * D * sizeof *y);
    lfm_add_weighted_rows(y, x, rows, weights, T, D);
    for (size_t t = 0; t < T; t++)
        for (size_t d = 0; d < D; d++) cr_assert_eq(y[rows[t] * D + d], weights[t] * x[t * D + d]);
    lfm_add(y, y, T * D);
    lfm_multiply_elements(y, y, T * D);
    for (size_t d = 0; d < D; d++) assert_near(y[rows[3] * D + d], pow(2 * 3 * x[3 * D + d], 2), 0);
    free(x);
    free(parts);
    free(y);
}
