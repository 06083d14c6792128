/* Comparing traces: figures against sums taken directly, and what must be refused. */
#include "quant/cka.h"
#include "quant/trace_compare.h"
#include "tests/unit/assert.h"
#include "tests/unit/trace_files.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct lfm_error error;
static struct made_model made, other;

static void setup(void)
{
    static const size_t lengths[] = {330, 270};
    make_directory();
    made_model_init(&made, lengths, 2);
    made_model_init(&other, lengths, 2);
    other.noise = 0.05;
}

static void teardown(void)
{
    made_model_release(&made);
    made_model_release(&other);
    remove_directory();
}

TestSuite(trace_compare, .init = setup, .fini = teardown);

static struct lfm_trace *write_and_open(const struct made_model *model, const char *name)
{
    struct lfm_trace *trace;
    write_made_trace(model, name);
    assert_ok(lfm_trace_open(&trace, in_directory(name), &error));
    return trace;
}

static const struct lfm_point_difference *find_point(const struct lfm_trace_comparison *comparison, size_t layer,
                                                     enum lfm_point point)
{
    for (size_t i = 0; i < comparison->n_points; i++)
        if (comparison->points[i].layer == layer && comparison->points[i].point == point) return &comparison->points[i];
    cr_assert_fail("no point");
    return NULL;
}

Test(trace_compare, a_trace_equals_itself)
{
    struct lfm_trace_comparison comparison;
    struct lfm_trace *a = write_and_open(&made, "a.h5"), *b = write_and_open(&made, "b.h5");
    assert_ok(lfm_traces_match(a, b, &error));
    assert_ok(lfm_traces_compare(&comparison, a, b, NULL, NULL, &error));
    cr_assert_eq(comparison.n_points,
                 2 * 9 + 2 * 9 + 2); /* two conv, two attention layers, two of them with a router */
    cr_assert_eq(comparison.n_points, lfm_traces_points(a, b));
    cr_assert_eq(comparison.n_routers, 2);
    for (size_t i = 0; i < comparison.n_points; i++) {
        assert_near(comparison.points[i].relative_l2, 0, 0);
        assert_near(comparison.points[i].cosine, 1, 0);
        assert_near(comparison.points[i].cka, 1, 1e-12);
        assert_near(comparison.points[i].max_channel_error, 0, 0);
        cr_assert(isinf(comparison.points[i].sqnr_db));
    }
    assert_near(comparison.routers[0].figures.overlap, 1, 0);
    assert_near(comparison.routers[1].figures.exact_set, 1, 0);
    assert_near(comparison.routers[1].figures.gate_kl, 0, 1e-15);
    lfm_trace_comparison_release(&comparison);
    lfm_trace_close(a);
    lfm_trace_close(b);
}

Test(trace_compare, point_figures_are_those_of_the_definitions)
{
    struct lfm_trace_comparison comparison;
    struct lfm_trace *a = write_and_open(&made, "a.h5"), *b = write_and_open(&other, "b.h5");
    double xx = 0, yy = 0, xy = 0, dd = 0, channel[MADE_WIDTH] = {0};
    for (size_t t = 0; t < 600; t++)
        for (size_t c = 0; c < MADE_WIDTH; c++) {
            double x = made_value(&made, 2, LFM_POINT_CONV, t, c), y = made_value(&other, 2, LFM_POINT_CONV, t, c);
            xx += x * x;
            yy += y * y;
            xy += x * y;
            dd += (x - y) * (x - y);
            channel[c] += (x - y) * (x - y);
        }
    size_t worst = 0;
    for (size_t c = 1; c < MADE_WIDTH; c++)
        if (channel[c] > channel[worst]) worst = c;
    assert_ok(lfm_traces_compare(&comparison, a, b, NULL, NULL, &error));
    const struct lfm_point_difference *row = find_point(&comparison, 2, LFM_POINT_CONV);
    assert_near(row->relative_l2, sqrt(dd / xx), 1e-12);
    assert_near(row->cosine, xy / sqrt(xx * yy), 1e-12);
    assert_near(row->sqnr_db, 10 * log10(xx / dd), 1e-9);
    cr_assert_eq(row->max_channel, worst);
    assert_near(row->max_channel_error, sqrt(channel[worst] / (xx / MADE_WIDTH)), 1e-12);
    cr_assert(row->cka > 0.9 && row->cka < 1);
    lfm_trace_comparison_release(&comparison);
    lfm_trace_close(a);
    lfm_trace_close(b);
}

Test(trace_compare, router_figures_are_those_of_the_definitions)
{
    struct lfm_trace_comparison comparison;
    struct lfm_trace *a = write_and_open(&made, "a.h5"), *b = write_and_open(&other, "b.h5");
    double shared = 0, exact = 0, jaccard = 0;
    for (size_t t = 0; t < 600; t++) {
        int32_t p[MADE_CHOSEN], q[MADE_CHOSEN];
        float weights[MADE_CHOSEN];
        int common = 0;
        made_choice(&made, 3, t, p, weights);
        made_choice(&other, 3, t, q, weights);
        for (size_t i = 0; i < MADE_CHOSEN; i++)
            for (size_t j = 0; j < MADE_CHOSEN; j++) common += p[i] == q[j];
        shared += common / 2.0;
        exact += common == 2;
        jaccard += common / (4.0 - common);
    }
    assert_ok(lfm_traces_compare(&comparison, a, b, NULL, NULL, &error));
    cr_assert_eq(comparison.routers[1].layer, 3);
    assert_near(comparison.routers[1].figures.shared, shared / 600, 1e-12);
    assert_near(comparison.routers[1].figures.exact_set, exact / 600, 1e-12);
    assert_near(comparison.routers[1].figures.overlap, jaccard / 600, 1e-12);
    cr_assert(exact < 600, "the noise moves some choices");
    lfm_trace_comparison_release(&comparison);
    lfm_trace_close(a);
    lfm_trace_close(b);
}

Test(trace_compare, only_points_of_both_traces_are_compared)
{
    struct lfm_trace_comparison comparison;
    assert_ok(lfm_selection_parse_points(&other.options.selection, "residual", &other.model.config, &error));
    struct lfm_trace *a = write_and_open(&made, "a.h5"), *b = write_and_open(&other, "b.h5");
    assert_ok(lfm_traces_compare(&comparison, a, b, NULL, NULL, &error));
    cr_assert_eq(comparison.n_points, MADE_LAYERS);
    cr_assert_eq(comparison.n_routers, 0);
    lfm_trace_comparison_release(&comparison);
    lfm_trace_close(b);
    other.options.statistics_only = true;
    b = write_and_open(&other, "b.h5");
    assert_fails(lfm_traces_compare(&comparison, a, b, NULL, NULL, &error), LFM_ERROR_MISMATCH, "the other of none at all");
    lfm_trace_close(a);
    lfm_trace_close(b);
}

/* --- where traces part --- */

static double error_of_token(size_t layer, enum lfm_point point, size_t token)
{
    double difference = 0, reference = 0;
    for (size_t c = 0; c < MADE_WIDTH; c++) {
        double x = made_value(&made, layer, point, token, c), y = made_value(&other, layer, point, token, c);
        difference += (x - y) * (x - y);
        reference += x * x;
    }
    return sqrt(difference / reference);
}

/* Layer 2 errs at token 7 of the text, layer 1 at token 400, its operator_norm below the tolerance at token 2. */
Test(trace_compare, the_first_above_the_tolerance_is_named_by_layer_and_by_token)
{
    struct lfm_trace_comparison comparison;
    other.noise = 0;
    other.n_bumps = 3;
    other.bumps[0] = (struct made_bump){2, LFM_POINT_FEED_FORWARD, 7, 3, 0.5f};
    other.bumps[1] = (struct made_bump){1, LFM_POINT_V, 400, 1, -0.5f};
    other.bumps[2] = (struct made_bump){1, LFM_POINT_OPERATOR_NORM, 2, 0, 1e-4f};
    struct lfm_trace *a = write_and_open(&made, "a.h5"), *b = write_and_open(&other, "b.h5");
    assert_ok(lfm_traces_compare(&comparison, a, b, NULL, NULL, &error));
    cr_assert(comparison.first.found && comparison.first_in_text.found);
    cr_assert_eq(comparison.first.layer, 1);
    cr_assert_eq(comparison.first.point, LFM_POINT_V);
    cr_assert_eq(comparison.first.token, 400);
    cr_assert_eq(comparison.first.document, 1);
    cr_assert_eq(comparison.first.position, 70);
    cr_assert_eq(comparison.first.id, 400 % MADE_VOCABULARY);
    cr_assert_eq(comparison.first_in_text.layer, 2);
    cr_assert_eq(comparison.first_in_text.point, LFM_POINT_FEED_FORWARD);
    cr_assert_eq(comparison.first_in_text.token, 7);
    assert_near(comparison.first_in_text.value, error_of_token(2, LFM_POINT_FEED_FORWARD, 7), 1e-12);
    const struct lfm_token_errors *small = &find_point(&comparison, 1, LFM_POINT_OPERATOR_NORM)->token_errors;
    cr_assert_eq(small->above, 0);
    cr_assert_eq(small->first, LFM_NO_TOKEN);
    cr_assert_eq(small->worst, 2);
    assert_near(small->worst_value, error_of_token(1, LFM_POINT_OPERATOR_NORM, 2), 1e-12);
    lfm_trace_comparison_release(&comparison);

    const struct lfm_trace_compare_options strict = {.tolerance = 1e-6, .outliers = 3};
    assert_ok(lfm_traces_compare(&comparison, a, b, &strict, NULL, &error));
    cr_assert_eq(comparison.first.point, LFM_POINT_OPERATOR_NORM);
    cr_assert_eq(comparison.first.token, 2);
    cr_assert_eq(comparison.first_in_text.point, LFM_POINT_OPERATOR_NORM);
    lfm_trace_comparison_release(&comparison);
    lfm_trace_close(a);
    lfm_trace_close(b);
}

Test(trace_compare, equal_traces_have_no_first_difference_even_at_tolerance_zero)
{
    struct lfm_trace_comparison comparison;
    const struct lfm_trace_compare_options strict = {.tolerance = 0, .outliers = 3};
    struct lfm_trace *a = write_and_open(&made, "a.h5"), *b = write_and_open(&made, "b.h5");
    assert_ok(lfm_traces_compare(&comparison, a, b, &strict, NULL, &error));
    cr_assert_not(comparison.first.found);
    cr_assert_not(comparison.first_in_text.found);
    cr_assert_eq(comparison.n_missing, 0);
    cr_assert_eq(comparison.points[0].error_outliers.count, 0);
    lfm_trace_comparison_release(&comparison);
    lfm_trace_close(a);
    lfm_trace_close(b);
}

Test(trace_compare, a_value_that_is_no_number_is_above_every_tolerance)
{
    struct lfm_trace_comparison comparison;
    const struct lfm_trace_compare_options lax = {.tolerance = 1e30, .outliers = 3};
    other.noise = 0;
    other.n_bumps = 1;
    other.bumps[0] = (struct made_bump){3, LFM_POINT_RESIDUAL, 555, 5, NAN};
    struct lfm_trace *a = write_and_open(&made, "a.h5"), *b = write_and_open(&other, "b.h5");
    assert_ok(lfm_traces_compare(&comparison, a, b, &lax, NULL, &error));
    cr_assert_eq(comparison.first.layer, 3);
    cr_assert_eq(comparison.first.token, 555);
    cr_assert(isnan(comparison.first.value));
    const struct lfm_point_difference *row = find_point(&comparison, 3, LFM_POINT_RESIDUAL);
    cr_assert_eq(row->error_outliers.listed[0].channel, 5);
    cr_assert_eq(row->max_channel, 5);
    cr_assert(isnan(row->max_channel_error));
    lfm_trace_comparison_release(&comparison);
    lfm_trace_close(a);
    lfm_trace_close(b);
}

Test(trace_compare, a_channel_that_errs_more_than_the_others_is_an_outlier)
{
    struct lfm_trace_comparison comparison;
    other.n_bumps = 1;
    other.bumps[0] = (struct made_bump){0, LFM_POINT_C, 100, 6, 40};
    struct lfm_trace *a = write_and_open(&made, "a.h5"), *b = write_and_open(&other, "b.h5");
    assert_ok(lfm_traces_compare(&comparison, a, b, NULL, NULL, &error));
    const struct lfm_channel_outliers *outliers = &find_point(&comparison, 0, LFM_POINT_C)->error_outliers;
    cr_assert_eq(outliers->count, 1);
    cr_assert_eq(outliers->listed[0].channel, 6);
    double squares = 0;
    for (size_t t = 0; t < 600; t++) {
        double difference = (double)made_value(&made, 0, LFM_POINT_C, t, 6) - (double)made_value(&other, 0, LFM_POINT_C, t, 6);
        squares += difference * difference;
    }
    assert_near(outliers->listed[0].rms, sqrt(squares / 600), 1e-12);
    assert_near(outliers->listed[0].times_median, outliers->listed[0].rms / outliers->median, 1e-12);
    cr_assert_eq(find_point(&comparison, 0, LFM_POINT_C)->magnitude_outliers.count, 0);
    lfm_trace_comparison_release(&comparison);
    lfm_trace_close(a);
    lfm_trace_close(b);
}

/* --- what one trace lacks --- */

Test(trace_compare, what_only_one_trace_has_is_listed)
{
    struct lfm_trace_comparison comparison;
    assert_ok(lfm_selection_parse_points(&made.options.selection, "q,residual", &made.model.config, &error));
    assert_ok(lfm_selection_parse_points(&other.options.selection, "v,residual", &other.model.config, &error));
    struct lfm_trace *a = write_and_open(&made, "a.h5"), *b = write_and_open(&other, "b.h5");
    assert_ok(lfm_traces_compare(&comparison, a, b, NULL, NULL, &error));
    cr_assert_eq(comparison.n_points, MADE_LAYERS);
    cr_assert_eq(comparison.n_missing, 4);
    cr_assert_eq(comparison.missing[0].layer, 1);
    cr_assert_eq(comparison.missing[0].point, LFM_POINT_Q);
    cr_assert(comparison.missing[0].in_reference);
    cr_assert_eq(comparison.missing[1].point, LFM_POINT_V);
    cr_assert_not(comparison.missing[1].in_reference);
    cr_assert_eq(comparison.missing[3].layer, 3);
    lfm_trace_comparison_release(&comparison);
    lfm_trace_close(a);
    lfm_trace_close(b);
}

/* The first 290 tokens of the first document, as a run that was stopped leaves them. */
static struct lfm_trace *write_incomplete(const struct made_model *model, const char *name)
{
    struct lfm_trace_writer *writer;
    struct lfm_trace *trace;
    assert_ok(lfm_trace_writer_open(&writer, in_directory(name), &model->model, &model->provenance, &model->documents,
                                    &model->options, &error));
    write_made_piece(model, writer, 0, 0, 290);
    assert_ok(lfm_trace_writer_finish(writer, false, &error));
    lfm_trace_writer_close(writer);
    assert_ok(lfm_trace_open(&trace, in_directory(name), &error));
    return trace;
}

Test(trace_compare, an_incomplete_trace_is_compared_as_far_as_it_goes)
{
    struct lfm_trace_comparison comparison;
    size_t tokens;
    struct lfm_trace *a = write_and_open(&made, "a.h5"), *b = write_incomplete(&made, "b.h5");
    cr_assert_eq(lfm_trace_information(b)->planned, 600);
    assert_ok(lfm_traces_overlap(&tokens, a, b, &error));
    cr_assert_eq(tokens, 290);
    assert_ok(lfm_traces_compare(&comparison, b, a, NULL, NULL, &error));
    cr_assert_eq(comparison.tokens, 290);
    cr_assert_eq(comparison.points[0].token_errors.tokens, 290);
    assert_near(comparison.points[0].relative_l2, 0, 0);
    assert_near(comparison.routers[0].figures.exact_set, 1, 0);
    assert_fails(lfm_traces_match(a, b, &error), LFM_ERROR_MISMATCH, "290 (incomplete)");
    lfm_trace_comparison_release(&comparison);
    lfm_trace_close(a);
    lfm_trace_close(b);
}

Test(trace_compare, an_incomplete_trace_of_another_text_is_refused)
{
    size_t tokens;
    other.documents.items[0].tokens.ids[200] = 9;
    struct lfm_trace *a = write_and_open(&made, "a.h5"), *b = write_incomplete(&other, "b.h5");
    assert_fails(lfm_traces_overlap(&tokens, a, b, &error), LFM_ERROR_MISMATCH, "token 200 has id 8 and 9");
    lfm_trace_close(a);
    lfm_trace_close(b);
}

Test(trace_compare, a_truncated_file_says_what_is_left_of_it)
{
    struct lfm_trace *trace;
    write_made_trace(&made, "a.h5");
    const char *path = in_directory("a.h5");
    struct stat information;
    cr_assert_eq(stat(path, &information), 0);
    cr_assert_eq(truncate(path, information.st_size - 1), 0);
    assert_fails(lfm_trace_open(&trace, path, &error), LFM_ERROR_FORMAT, "of 600 tokens are still there, at ");
    cr_assert_null(trace);
    cr_assert_eq(truncate(path, 4096), 0);
    assert_fails(lfm_trace_open(&trace, path, &error), LFM_ERROR_FORMAT, "no token in it can be read");
    cr_assert_not_null(strstr(error.message, "it has 4096 of "));
}

static void expect_mismatch(const char *part)
{
    struct lfm_trace *a = write_and_open(&made, "a.h5"), *b = write_and_open(&other, "b.h5");
    assert_fails(lfm_traces_match(a, b, &error), LFM_ERROR_MISMATCH, part);
    lfm_trace_close(a);
    lfm_trace_close(b);
}

Test(trace_compare, another_token_is_refused)
{
    other.documents.items[1].tokens.ids[70] = 31;
    expect_mismatch("token 400 has id 16 and 31");
}

Test(trace_compare, other_documents_are_refused)
{
    static const size_t lengths[] = {320, 280};
    made_model_release(&other);
    made_model_init(&other, lengths, 2);
    expect_mismatch("token 320 has document 0 and 1");
}

Test(trace_compare, another_length_is_refused)
{
    static const size_t lengths[] = {330, 271};
    made_model_release(&other);
    made_model_init(&other, lengths, 2);
    expect_mismatch("600 tokens, ");
}

Test(trace_compare, another_tokenizer_is_refused)
{
    strcpy(other.provenance.tokenizer_sha256, "cc");
    expect_mismatch("different tokenizers (sha256 bb and cc)");
}

Test(trace_compare, another_shape_is_refused)
{
    free(other.provenance.config);
    other.model.config.layer_types[1] = LFM_CONV;
    assert_ok(lfm_config_to_json(&other.provenance.config, &other.model.config, &error));
    expect_mismatch("layer_types");
}

/* --- CKA --- */

static double cka_of(const float *x, const float *y, size_t n, size_t width, size_t block)
{
    struct lfm_cka cka;
    assert_ok(lfm_cka_init(&cka, width, block, &error));
    for (size_t t = 0; t < n; t += block)
        lfm_cka_add(&cka, x + t * width, y + t * width, n - t < block ? n - t : block);
    double value = lfm_cka_value(&cka);
    lfm_cka_release(&cka);
    return value;
}

/* X = {1, 2, 6}, Y = {1, 0, 2} in the first of two channels, the second constant: both have one centred column, and CKA
 * is the square of their correlation: X - 3 = {-2,-1,3}, Y - 1 = {0,-1,1}; (0+1+3)^2 / (14 * 2) = 16/28. */
Test(trace_compare, cka_of_one_channel_is_the_squared_correlation)
{
    const float x[] = {1, 5, 2, 5, 6, 5}, y[] = {1, 9, 0, 9, 2, 9};
    assert_near(cka_of(x, y, 3, 2, 3), 16.0 / 28, 1e-12);
    assert_near(cka_of(x, y, 3, 2, 1), 16.0 / 28, 1e-12);
    assert_near(cka_of(x, y, 3, 2, 2), 16.0 / 28, 1e-12);
}

/* Rotating, scaling and shifting do not change what a layer represents. */
Test(trace_compare, cka_ignores_rotation_scale_and_shift)
{
    float x[200], y[200];
    for (size_t t = 0; t < 100; t++) {
        x[2 * t] = made_value(&made, 0, LFM_POINT_RESIDUAL, t, 0);
        x[2 * t + 1] = 0.1f * made_value(&made, 0, LFM_POINT_RESIDUAL, t, 1);
        y[2 * t] = 3 * (0.6f * x[2 * t] - 0.8f * x[2 * t + 1]) + 1000;
        y[2 * t + 1] = 3 * (0.8f * x[2 * t] + 0.6f * x[2 * t + 1]) - 5;
    }
    assert_near(cka_of(x, y, 100, 2, 32), 1, 1e-6);
}

Test(trace_compare, cka_is_undefined_when_one_side_does_not_vary)
{
    const float x[] = {1, 2, 6}, y[] = {4, 4, 4};
    cr_assert(isnan(cka_of(x, y, 3, 1, 3)));
}

Test(trace_compare, cka_does_not_depend_on_the_number_of_threads)
{
    float x[50 * 40], y[50 * 40];
    for (size_t i = 0; i < 50 * 40; i++) {
        x[i] = made_value(&made, 0, LFM_POINT_RESIDUAL, i, 0);
        y[i] = made_value(&made, 0, LFM_POINT_RESIDUAL, i, 1) + x[i];
    }
    omp_set_num_threads(1);
    double one = cka_of(x, y, 50, 40, 16);
    omp_set_num_threads(3);
    cr_assert(cka_of(x, y, 50, 40, 16) == one);
}
