/* What a trace derives, what it records on request, and of which tokens. */
#include "reference/base/file.h"
#include "reference/model/forward.h"
#include "reference/model/ops.h"
#include "reference/trace/attention_weights.h"
#include "reference/trace/points.h"
#include "reference/trace/ranges.h"
#include "reference/trace/reader.h"
#include "reference/trace/run.h"
#include "reference/trace/statistics.h"
#include "tests/unit/assert.h"
#include "tests/unit/trace_files.h"

#include <hdf5.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct lfm_error error;
static struct made_model made;

static void setup(void)
{
    static const size_t lengths[] = {330, 270};
    make_directory();
    made_model_init(&made, lengths, 2);
}

static void teardown(void)
{
    made_model_release(&made);
    remove_directory();
}

TestSuite(trace_points, .init = setup, .fini = teardown);

static struct lfm_trace *open_trace(const char *name)
{
    struct lfm_trace *trace;
    assert_ok(lfm_trace_open(&trace, in_directory(name), &error));
    return trace;
}

static void select_made(const char *points, const char *tokens)
{
    if (tokens) assert_ok(lfm_ranges_parse(&made.options.selection.tokens, "tokens", tokens, &error));
    assert_ok(lfm_selection_parse_points(&made.options.selection, points, &made.model.config, &error));
}

/* --- ranges --- */

Test(ranges, runs_are_found_in_order_whatever_the_order_and_overlap_of_the_ranges)
{
    struct lfm_ranges ranges;
    size_t start, stop;
    assert_ok(lfm_ranges_parse(&ranges, "tokens", "10-12,2,4-7,6-9,20-", &error));
    cr_assert_eq(ranges.count, 5);
    cr_assert(lfm_ranges_next(&ranges, 0, 30, &start, &stop));
    cr_assert_eq(start, 2);
    cr_assert_eq(stop, 3);
    cr_assert(lfm_ranges_next(&ranges, stop, 30, &start, &stop));
    cr_assert_eq(start, 4);
    cr_assert_eq(stop, 13, "4-7, 6-9 and 10-12 touch");
    cr_assert(lfm_ranges_next(&ranges, stop, 30, &start, &stop));
    cr_assert_eq(start, 20);
    cr_assert_eq(stop, 30);
    cr_assert_not(lfm_ranges_next(&ranges, 30, 30, &start, &stop));
    cr_assert_not(lfm_ranges_next(&ranges, 13, 20, &start, &stop));
    cr_assert_eq(lfm_ranges_count(&ranges, 0, 25), 1 + 9 + 5);
    cr_assert_eq(lfm_ranges_count(&ranges, 5, 8), 3);
    cr_assert_eq(lfm_ranges_end(&ranges), 0, "open");
    assert_ok(lfm_ranges_parse(&ranges, "tokens", "5-9,3", &error));
    cr_assert_eq(lfm_ranges_end(&ranges), 10);
    ranges.count = 0;
    cr_assert_eq(lfm_ranges_count(&ranges, 3, 11), 8, "no ranges: all");
}

Test(ranges, texts_that_are_none_are_refused)
{
    static const char *const bad[] = {"", "a", "3-1", "1,", ",1", "1-2-3", "-3", "1 -2", "0x3", "1;2"};
    struct lfm_ranges ranges;
    char many[400] = "0";
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_fails(lfm_ranges_parse(&ranges, "tokens", bad[i], &error), LFM_ERROR_ARGUMENT, "cannot read the tokens");
    for (size_t i = 0; i < LFM_MAX_RANGES; i++) strcat(many, ",1");
    assert_fails(lfm_ranges_parse(&ranges, "tokens", many, &error), LFM_ERROR_LIMIT, "more than 64 ranges");
}

/* --- statistics --- */

/* One statistic of the only cell of some values of two channels. */
static double statistic(const struct lfm_channel_statistics *statistics, enum lfm_statistic which, size_t channel)
{
    double out[2];
    lfm_channel_statistics_get(statistics, which, out);
    return out[channel];
}

Test(moments, by_hand)
{
    /* 1 2 3 4: mean 2.5, deviations +-1.5, +-0.5.  0 0 0 4: mean 1, deviations -1 -1 -1 3. */
    const float values[] = {1, 0, 2, 0, 3, 0, 4, 4};
    struct lfm_channel_statistics s;
    assert_ok(lfm_channel_statistics_init(&s, 1, 2, &error));
    lfm_channel_statistics_add(&s, 0, values, 4, 10);
    assert_near(statistic(&s, LFM_STATISTIC_M2, 0), 5, 0);
    assert_near(statistic(&s, LFM_STATISTIC_M3, 0), 0, 0);
    assert_near(statistic(&s, LFM_STATISTIC_M4, 0), 10.25, 0);
    assert_near(statistic(&s, LFM_STATISTIC_KURTOSIS, 0), 4 * 10.25 / 25 - 3, 1e-15);
    assert_near(statistic(&s, LFM_STATISTIC_M2, 1), 12, 0);
    assert_near(statistic(&s, LFM_STATISTIC_M3, 1), 24, 0);
    assert_near(statistic(&s, LFM_STATISTIC_M4, 1), 84, 0);
    assert_near(statistic(&s, LFM_STATISTIC_KURTOSIS, 1), 4 * 84 / 144.0 - 3, 1e-15);
    cr_assert_eq(s.absmax_token[0], 13);
    cr_assert_eq(s.absmax_token[1], 13);
    lfm_channel_statistics_release(&s);
}

Test(moments, do_not_depend_on_how_values_are_handed_over_and_survive_a_large_offset)
{
    enum { N = 300 };
    static float values[N * 2];
    struct lfm_channel_statistics whole, pieces, left, right;
    for (size_t t = 0; t < N; t++) {
        values[2 * t] = 4096 + (float)((t * 37 % 101)) / 64; /* a small spread on a large mean */
        values[2 * t + 1] = (float)(t % 7) * (t % 5 ? 1.0f : -3.0f);
    }
    struct lfm_channel_statistics *const all[] = {&whole, &pieces, &left, &right};
    for (size_t i = 0; i < 4; i++) assert_ok(lfm_channel_statistics_init(all[i], 1, 2, &error));
    lfm_channel_statistics_add(&whole, 0, values, N, 0);
    for (size_t t = 0; t < N; t++) lfm_channel_statistics_add(&pieces, 0, values + 2 * t, 1, (int64_t)t);
    lfm_channel_statistics_add(&left, 0, values, 77, 0);
    lfm_channel_statistics_add(&right, 0, values + 2 * 77, N - 77, 77);
    lfm_channel_statistics_merge(&left, &right);
    cr_assert_eq(left.count[0], N);
    for (size_t c = 0; c < 2; c++) {
        double mean = 0, m[5] = {0};
        for (size_t t = 0; t < N; t++) mean += values[2 * t + c] / (double)N;
        for (size_t t = 0; t < N; t++)
            for (int p = 2; p <= 4; p++) m[p] += pow(values[2 * t + c] - mean, p);
        for (size_t i = 0; i < 3; i++) {
            assert_near(statistic(all[i], LFM_STATISTIC_MEAN, c), mean, 1e-12 * fabs(mean));
            assert_near(statistic(all[i], LFM_STATISTIC_M2, c), m[2], 1e-10 * m[2]);
            assert_near(statistic(all[i], LFM_STATISTIC_M3, c), m[3], 1e-9 * m[4]);
            assert_near(statistic(all[i], LFM_STATISTIC_M4, c), m[4], 1e-10 * m[4]);
            assert_near(statistic(all[i], LFM_STATISTIC_KURTOSIS, c), N * m[4] / (m[2] * m[2]) - 3, 1e-9);
            assert_near(statistic(all[i], LFM_STATISTIC_MAX, c), statistic(&whole, LFM_STATISTIC_MAX, c), 0);
            cr_assert_eq(all[i]->absmax_token[c], whole.absmax_token[c]);
        }
    }
    for (size_t i = 0; i < 4; i++) lfm_channel_statistics_release(all[i]);
}

Test(moments, of_channels_that_never_change_or_are_not_finite)
{
    const float values[] = {0.1f, 1, 0.1f, NAN, 0.1f, -2}, nothing[] = {NAN, INFINITY};
    struct lfm_channel_statistics s;
    assert_ok(lfm_channel_statistics_init(&s, 1, 2, &error));
    cr_assert_eq(s.absmax_token[0], -1);
    lfm_channel_statistics_add(&s, 0, values, 3, 5);
    assert_near(statistic(&s, LFM_STATISTIC_M2, 0), 0, 0);
    cr_assert(isnan(statistic(&s, LFM_STATISTIC_KURTOSIS, 0)));
    cr_assert_eq(s.absmax_token[0], 5, "the first of equals");
    cr_assert(isnan(statistic(&s, LFM_STATISTIC_MEAN, 1)) && isnan(statistic(&s, LFM_STATISTIC_M4, 1)));
    assert_near(statistic(&s, LFM_STATISTIC_ABSMAX, 1), 2, 0);
    cr_assert_eq(s.absmax_token[1], 7);
    lfm_channel_statistics_release(&s);
    assert_ok(lfm_channel_statistics_init(&s, 1, 2, &error));
    lfm_channel_statistics_add(&s, 0, nothing, 1, 0);
    cr_assert(isnan(statistic(&s, LFM_STATISTIC_ABSMAX, 0)) && isnan(statistic(&s, LFM_STATISTIC_MIN, 0)));
    cr_assert_eq(s.absmax_token[0], -1);
    cr_assert(isinf(statistic(&s, LFM_STATISTIC_ABSMAX, 1)) && isnan(statistic(&s, LFM_STATISTIC_RMS, 1)));
    lfm_channel_statistics_release(&s);
}

/* --- the router --- */

Test(margins, are_least_chosen_minus_largest_left)
{
    const float scores[] = {0.5f, 0.25f, 1.0f, 0.125f, 0.75f, 0.75f, 0.75f, 0.0f};
    const int32_t best[] = {2, 0, 0, 1}, other[] = {3, 2, 3, 0}, all[] = {0, 1, 2, 3};
    float margins[2];
    lfm_expert_margins(margins, scores, best, 2, 4, 2);
    assert_near(margins[0], 0.25, 0);
    assert_near(margins[1], 0, 0); /* a tie */
    lfm_expert_margins(margins, scores, other, 2, 4, 2);
    assert_near(margins[0], 0.125 - 0.5, 0); /* not the best two */
    assert_near(margins[1], 0.0 - 0.75, 0);
    lfm_expert_margins(margins, scores, all, 1, 4, 4);
    cr_assert(isinf(margins[0]) && margins[0] > 0);
}

Test(trace_points, scores_and_margins_follow_from_logits_and_bias)
{
    float scores[600 * MADE_EXPERTS], margins[600];
    write_made_trace(&made, "t.h5");
    struct lfm_trace *trace = open_trace("t.h5");
    cr_assert_eq(lfm_trace_width(trace, 3, LFM_POINT_ROUTER_SCORES), MADE_EXPERTS);
    cr_assert_eq(lfm_trace_width(trace, 3, LFM_POINT_ROUTER_MARGIN), 1);
    cr_assert_eq(lfm_trace_width(trace, 1, LFM_POINT_ROUTER_MARGIN), 0);
    assert_ok(lfm_trace_read(trace, 3, LFM_POINT_ROUTER_SCORES, 0, 600, scores, &error));
    assert_ok(lfm_trace_read(trace, 3, LFM_POINT_ROUTER_MARGIN, 0, 600, margins, &error));
    for (size_t t = 0; t < 600; t++) {
        int32_t selected[MADE_CHOSEN];
        float weights[MADE_CHOSEN];
        double least = INFINITY, most = -INFINITY;
        made_choice(&made, 3, t, selected, weights);
        for (size_t e = 0; e < MADE_EXPERTS; e++) {
            double logit = (double)made_value(&made, 3, LFM_POINT_ROUTER_LOGITS, t, e);
            double score = 1 / (1 + exp(-logit)) + (double)made.expert_bias[e];
            assert_near(scores[t * MADE_EXPERTS + e], score, 3e-7);
            bool chosen = selected[0] == (int32_t)e || selected[1] == (int32_t)e;
            if (chosen) least = fmin(least, score);
            else most = fmax(most, score);
        }
        assert_near(margins[t], least - most, 5e-7);
    }
    lfm_trace_close(trace);
}

/* --- attention weights --- */

Test(attention_weights, by_hand)
{
    enum { A = 4, H = 2, N = 3 };
    /* head 0 sees every key alike; head 1 has score ln 3 = q . k / 2 for the second key and 0 for the others */
    const float ln3 = 1.0986123f, keys[N][A] = {{0}, {1, 0, 0, 0}, {0}};
    float q[N][H][A] = {{{0}}};
    for (size_t t = 0; t < N; t++) q[t][1][0] = 2 * ln3;
    struct lfm_kv kv;
    struct lfm_ranges spans;
    float entropy[N * H], largest[N * H], mass[N * H * 2];
    int32_t position[N * H];
    assert_ok(lfm_kv_init(&kv, lfm_kv_by_name("f32"), A, &error));
    assert_ok(lfm_kv_reserve(&kv, N, &error));
    lfm_kv_store(&kv, 0, keys[0], N);
    assert_ok(lfm_ranges_parse(&spans, "spans", "0,1-2", &error));
    const struct lfm_attention_queries queries = {q[0][0], &kv, 0, N, H, 1, A, &spans};
    const struct lfm_attention_summary summary = {entropy, largest, position, mass};
    assert_ok(lfm_attention_summarize(&summary, &queries, &error));
    for (size_t t = 0; t < N; t++) {
        double n = (double)t + 1;
        assert_near(entropy[t * H], log(n), 1e-7);
        assert_near(largest[t * H], 1 / n, 1e-7);
        cr_assert_eq(position[t * H], 0);
        assert_near(mass[(t * H) * 2], 1 / n, 1e-7);
        assert_near(mass[(t * H) * 2 + 1], 1 - 1 / n, 1e-7);
    }
    assert_near(entropy[1], 0, 0);
    assert_near(entropy[1 * H + 1], 0.25 * log(4) + 0.75 * log(4 / 3.0), 1e-6);
    assert_near(largest[1 * H + 1], 0.75, 1e-6);
    cr_assert_eq(position[1 * H + 1], 1);
    assert_near(mass[(1 * H + 1) * 2 + 1], 0.75, 1e-6);
    assert_near(largest[2 * H + 1], 0.6, 1e-6);
    assert_near(mass[(2 * H + 1) * 2 + 1], 0.8, 1e-6);

    /* The last token alone, with the keys of all. */
    const struct lfm_attention_queries last = {q[2][0], &kv, 2, 1, H, 1, A, &spans};
    float again[H], again_largest[H], again_mass[H * 2];
    int32_t again_position[H];
    const struct lfm_attention_summary one = {again, again_largest, again_position, again_mass};
    assert_ok(lfm_attention_summarize(&one, &last, &error));
    cr_assert_arr_eq(again, entropy + 2 * H, sizeof again);
    lfm_kv_release(&kv);
}

/* --- what is asked for --- */

static enum lfm_status parse(const char *points, const char *spans)
{
    struct lfm_selection *selection = &made.options.selection;
    selection->spans.count = 0;
    if (spans) LFM_TRY(lfm_ranges_parse(&selection->spans, "attention spans", spans, &error));
    return lfm_selection_parse_points(selection, points, &made.model.config, &error);
}

Test(trace_points, what_is_heavy_is_recorded_only_when_it_is_named)
{
    const bool *points = made.options.selection.points;
    assert_ok(parse(NULL, NULL));
    cr_assert(points[LFM_POINT_RESIDUAL] && points[LFM_POINT_ROUTER_SCORES] && points[LFM_POINT_ROUTER_MARGIN]);
    for (int p = 0; p < LFM_POINT_COUNT; p++) cr_assert_eq(points[p], !lfm_point_is_on_request((enum lfm_point)p));
    assert_ok(parse("experts,gate", NULL));
    cr_assert(points[LFM_POINT_EXPERT_DOWN] && points[LFM_POINT_GATE]);
    cr_assert_not(points[LFM_POINT_UP] || points[LFM_POINT_RESIDUAL]);
    assert_ok(parse("default,attention_weights", NULL));
    cr_assert(points[LFM_POINT_RESIDUAL] && points[LFM_POINT_WEIGHTS_POSITION]);
    cr_assert_not(points[LFM_POINT_WEIGHTS_SPANS], "there are no spans");
    assert_ok(parse("all", NULL));
    cr_assert(points[LFM_POINT_EXPERT_UP] && points[LFM_POINT_B]);
    assert_ok(parse("residual", "0-3"));
    cr_assert(points[LFM_POINT_WEIGHTS_SPANS] && points[LFM_POINT_WEIGHTS_ENTROPY], "spans ask for all four");
    assert_ok(parse("attention_weights/entropy", "0-3"));
    cr_assert(points[LFM_POINT_WEIGHTS_SPANS]);
    cr_assert_not(points[LFM_POINT_WEIGHTS_LARGEST]);
    assert_fails(parse("attention_weights/span_mass", NULL), LFM_ERROR_ARGUMENT, "use --attention-spans");
    assert_fails(parse("expert", NULL), LFM_ERROR_ARGUMENT, "unknown point 'expert'");
}

Test(trace_points, spans_and_tokens_beyond_the_texts_are_refused)
{
    struct lfm_selection *selection = &made.options.selection;
    assert_ok(parse(NULL, "0-3,320-329"));
    assert_ok(lfm_selection_check_texts(selection, &made.documents, &error));
    assert_ok(parse(NULL, "0-3,320-330"));
    assert_fails(lfm_selection_check_texts(selection, &made.documents, &error), LFM_ERROR_ARGUMENT,
                 "attention span 1 goes to position 330");
    assert_ok(parse(NULL, NULL));
    select_made(NULL, "330-");
    assert_fails(lfm_selection_check_texts(selection, &made.documents, &error), LFM_ERROR_ARGUMENT,
                 "the longest has positions 0 to 329");
    select_made(NULL, "329-1000");
    assert_ok(lfm_selection_check_texts(selection, &made.documents, &error));
    cr_assert_eq(lfm_selection_tokens(selection, &made.documents), 1);
}

Test(trace_points, the_bytes_of_values_by_hand)
{
    select_made("residual,router/margin,experts/gate", "0-9");
    /* 20 tokens: residual of 4 layers; margin and 2 x 5 values of 2 layers */
    assert_near(lfm_trace_value_bytes(&made.model.config, &made.documents, &made.options),
                20 * (4 * MADE_WIDTH * 4 + 2 * (4 + 2 * 5 * 4)), 0);
    made.options.half = true;
    made.options.logits = true;
    assert_near(lfm_trace_value_bytes(&made.model.config, &made.documents, &made.options),
                20 * (4 * MADE_WIDTH * 2 + 2 * (4 + 2 * 5 * 2) + 4 * MADE_VOCABULARY), 0);
    made.options.statistics_only = true;
    made.options.logits = false;
    assert_near(lfm_trace_value_bytes(&made.model.config, &made.documents, &made.options), 0, 0);
}

/* Expert points of a layer are what was announced, token after token; `rows`[n] are numbers of tokens. */
static void check_experts(const struct lfm_trace *trace, enum lfm_point point, const size_t *rows, size_t n, double tolerance)
{
    size_t width = lfm_trace_width(trace, 2, point);
    cr_assert_eq(width, lfm_point_width(&made.model.config, 2, point));
    float *values = calloc(n, width * sizeof *values);
    assert_ok(lfm_trace_read(trace, 2, point, 0, n, values, &error));
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < width; c++) {
            double expected = (double)made_value(&made, 2, point, rows[i], c);
            assert_near(values[i * width + c], expected, tolerance * fabs(expected) + tolerance * 1e-3);
        }
    free(values);
}

Test(trace_points, values_of_experts_stand_token_after_token_best_expert_first)
{
    static size_t rows[600];
    for (size_t t = 0; t < 600; t++) rows[t] = t;
    select_made("all", NULL);
    for (int p = 0; p < LFM_POINT_COUNT; p++)
        if (lfm_point_is_attention_weights((enum lfm_point)p)) made.options.selection.points[p] = false;
    write_made_trace(&made, "t.h5");
    struct lfm_trace *trace = open_trace("t.h5");
    check_experts(trace, LFM_POINT_EXPERT_GATE, rows, 600, 0);
    check_experts(trace, LFM_POINT_EXPERT_DOWN, rows, 600, 0);
    cr_assert_eq(lfm_trace_width(trace, 1, LFM_POINT_UP), 16);
    cr_assert_eq(lfm_trace_width(trace, 2, LFM_POINT_UP), 0);
    lfm_trace_close(trace);
    made.options.half = true;
    write_made_trace(&made, "t.h5");
    trace = open_trace("t.h5");
    check_experts(trace, LFM_POINT_EXPERT_UP, rows, 600, 1.0 / 2048);
    lfm_trace_close(trace);
}

Test(trace_points, statistics_of_experts_are_those_of_the_tokens_that_chose_them)
{
    double mean[MADE_EXPERTS * 5], expected = 0, n = 0, largest = -1;
    int64_t tokens[MADE_EXPERTS * 5], at = -1;
    size_t width;
    made.options.statistics_only = true;
    select_made("experts", NULL);
    write_made_trace(&made, "t.h5");
    struct lfm_trace *trace = open_trace("t.h5");
    cr_assert_eq(lfm_trace_width(trace, 2, LFM_POINT_EXPERT_GATE), 0);
    assert_ok(lfm_trace_statistics_width(trace, LFM_POINT_EXPERT_GATE, &width, &error));
    cr_assert_eq(width, MADE_EXPERTS * 5);
    assert_ok(lfm_trace_read_statistic(trace, LFM_POINT_EXPERT_GATE, LFM_STATISTIC_MEAN, 2, mean, &error));
    assert_ok(lfm_trace_read_absmax_tokens(trace, LFM_POINT_EXPERT_GATE, 2, tokens, &error));
    for (size_t t = 0; t < 600; t++) { /* channel 3 of expert 4 */
        int32_t selected[MADE_CHOSEN];
        float weights[MADE_CHOSEN];
        made_choice(&made, 2, t, selected, weights);
        for (size_t k = 0; k < MADE_CHOSEN; k++) {
            if (selected[k] != 4) continue;
            double x = (double)made_value(&made, 2, LFM_POINT_EXPERT_GATE, t, k * 5 + 3);
            expected += x;
            n++;
            if (fabs(x) > largest) {
                largest = fabs(x);
                at = (int64_t)t;
            }
        }
    }
    cr_assert(n > 10);
    assert_near(mean[4 * 5 + 3], expected / n, 1e-12);
    cr_assert_eq(tokens[4 * 5 + 3], at);
    lfm_trace_close(trace);
}

Test(trace_points, statistics_that_a_file_does_not_have_are_refused)
{
    double values[64];
    size_t width;
    select_made("residual", NULL);
    write_made_trace(&made, "t.h5");
    struct lfm_trace *trace = open_trace("t.h5");
    assert_ok(lfm_trace_statistics_width(trace, LFM_POINT_RESIDUAL, &width, &error));
    cr_assert_eq(width, MADE_WIDTH);
    assert_ok(lfm_trace_statistics_width(trace, LFM_POINT_B, &width, &error));
    cr_assert_eq(width, 0);
    assert_fails(lfm_trace_read_statistic(trace, LFM_POINT_B, LFM_STATISTIC_MEAN, 0, values, &error), LFM_ERROR_MISMATCH,
                 "/statistics/B/mean");
    assert_fails(lfm_trace_read_statistic(trace, LFM_POINT_RESIDUAL, LFM_STATISTIC_MEAN, 4, values, &error),
                 LFM_ERROR_MISMATCH, "of layer 4");
    lfm_trace_close(trace);
}

/* --- ranges of tokens --- */

/* RMS and place of the largest value of every channel of the stream, over these tokens. */
static void check_residual(const struct lfm_trace *trace, size_t layer, const size_t *rows, size_t n)
{
    double rms[MADE_WIDTH];
    int64_t tokens[MADE_WIDTH];
    assert_ok(lfm_trace_read_statistic(trace, LFM_POINT_RESIDUAL, LFM_STATISTIC_RMS, layer, rms, &error));
    assert_ok(lfm_trace_read_absmax_tokens(trace, LFM_POINT_RESIDUAL, layer, tokens, &error));
    for (size_t c = 0; c < MADE_WIDTH; c++) {
        double squares = 0, largest = -1;
        int64_t at = -1;
        for (size_t i = 0; i < n; i++) {
            double x = (double)made_value(&made, layer, LFM_POINT_RESIDUAL, rows[i], c);
            squares += x * x;
            if (fabs(x) <= largest) continue;
            largest = fabs(x);
            at = (int64_t)i;
        }
        assert_near(rms[c], sqrt(squares / (double)n), 1e-14);
        cr_assert_eq(tokens[c], at, "rows are those of the trace");
    }
}

Test(trace_points, only_the_wanted_tokens_are_recorded_and_counted)
{
    static const int32_t wanted[] = {3, 4, 99, 100, 101, 299};
    int32_t positions[12], documents[12], ids[12];
    size_t rows[11];
    select_made("residual,router,experts/down", "99-101,3-4,299");
    write_made_trace(&made, "t.h5");
    struct lfm_trace *trace = open_trace("t.h5");
    cr_assert(lfm_trace_information(trace)->complete);
    cr_assert_eq(lfm_trace_information(trace)->tokens, 6 + 5, "the second document ends at 269");
    assert_ok(lfm_trace_read_positions(trace, 0, 11, positions, &error));
    assert_ok(lfm_trace_read_documents(trace, 0, 11, documents, &error));
    assert_ok(lfm_trace_read_tokens(trace, 0, 11, ids, &error));
    for (int32_t i = 0; i < 11; i++) {
        cr_assert_eq(positions[i], wanted[i % 6]);
        cr_assert_eq(documents[i], i >= 6);
        rows[i] = (size_t)positions[i] + (i >= 6 ? 330 : 0);
        cr_assert_eq(ids[i], (int32_t)(rows[i] % MADE_VOCABULARY));
    }
    check_experts(trace, LFM_POINT_EXPERT_DOWN, rows, 11, 0);
    for (size_t layer = 0; layer < MADE_LAYERS; layer++) check_residual(trace, layer, rows, 11);
    lfm_trace_close(trace);
}

/* Writes `n` tokens of the first document and then dies without closing anything. */
static void die_while_writing(size_t n)
{
    struct lfm_trace_writer *writer;
    assert_ok(lfm_trace_writer_open(&writer, in_directory("t.h5"), &made.model, &made.provenance, &made.documents,
                                    &made.options, &error));
    for (size_t t = 0; t < n; t += 10) write_made_piece(&made, writer, 0, t, 10);
    raise(SIGKILL);
}

Test(trace_points, a_killed_run_leaves_experts_and_margins_readable)
{
    static size_t rows[256];
    float margins[256];
    int status;
    select_made("router,experts", NULL);
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) die_while_writing(300);
    waitpid(child, &status, 0);
    cr_assert(WIFSIGNALED(status));
    struct lfm_trace *trace = open_trace("t.h5");
    cr_assert_eq(lfm_trace_information(trace)->tokens, 256);
    cr_assert_not(lfm_trace_information(trace)->complete);
    for (size_t t = 0; t < 256; t++) rows[t] = t;
    check_experts(trace, LFM_POINT_EXPERT_GATE, rows, 256, 0);
    assert_ok(lfm_trace_read(trace, 2, LFM_POINT_ROUTER_MARGIN, 0, 256, margins, &error));
    cr_assert(margins[255] >= 0);
    lfm_trace_close(trace);
}

Test(trace_points, attention_weights_without_a_state_are_refused)
{
    struct lfm_trace_writer *writer;
    const int32_t ids[4] = {0};
    select_made("attention_weights", NULL);
    assert_ok(lfm_trace_writer_open(&writer, in_directory("t.h5"), &made.model, &made.provenance, &made.documents,
                                    &made.options, &error));
    assert_ok(lfm_trace_writer_add_tokens(writer, 0, 0, ids, 4, &error));
    assert_fails(announce_made(&made, lfm_trace_writer_observer(writer), 1, LFM_POINT_Q, 0, 4, &error), LFM_ERROR_ARGUMENT,
                 "need the state");
    assert_fails(announce_made(&made, lfm_trace_writer_observer(writer), 1, LFM_POINT_Q, 2, 4, &error), LFM_ERROR_MISMATCH,
                 "positions 2 to 6, expected 0 to 4");
    lfm_trace_writer_close(writer);
}

/* --- the documentation's example --- */

/* Every name that `opening` and a quotation mark precede in the text exists below `parent`; returns how many there were. */
static size_t check_names(hid_t file, const char *text, const char *opening, const char *parent, bool attributes)
{
    size_t found = 0;
    for (const char *at = text; (at = strstr(at, opening));) {
        char name[128];
        at += strlen(opening);
        snprintf(name, sizeof name, "%s%.*s", parent, (int)strcspn(at, "\""), at);
        if (attributes) cr_assert(H5Aexists(file, name) > 0, "%s", name);
        else cr_assert(H5Oexists_by_name(file, name, H5P_DEFAULT) > 0, "%s", name);
        found++;
    }
    return found;
}

Test(trace_points, the_example_of_the_documentation_names_what_a_trace_has)
{
    struct lfm_buffer page = {0};
    assert_ok(lfm_read_file(&page, "docs/trace-format.md", &error));
    char *example = strstr(page.data, "```python\n");
    cr_assert_not_null(example);
    *strstr(example + 3, "```") = '\0';
    write_made_trace(&made, "t.h5");
    hid_t file = H5Fopen(in_directory("t.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
    cr_assert_geq(check_names(file, example, "trace.attrs[\"", "", true), 3);
    cr_assert_geq(check_names(file, example, "trace[\"", "/", false), 4);
    cr_assert_geq(check_names(file, example, "router[\"", "/layers/02/router/", false), 2);
    H5Fclose(file);
    lfm_buffer_release(&page);
}

/* --- a real, small model --- */

struct small_run {
    struct lfm_model *model;
    struct lfm_documents documents;
    struct lfm_provenance provenance;
    struct lfm_trace_options options;
};

static void run_small(struct small_run *run, const char *points, const char *spans, const char *tokens)
{
    static const size_t lengths[] = {20, 13};
    *run = (struct small_run){.model = NULL};
    struct lfm_selection *selection = &run->options.selection;
    assert_ok(lfm_model_open(&run->model, "tests/golden/model/moe-bf16", NULL, &error));
    assert_ok(lfm_provenance_collect(&run->provenance, run->model, NULL, 0, NULL, &error));
    if (spans) assert_ok(lfm_ranges_parse(&selection->spans, "spans", spans, &error));
    if (tokens) assert_ok(lfm_ranges_parse(&selection->tokens, "tokens", tokens, &error));
    assert_ok(lfm_selection_parse_points(selection, points, &run->model->config, &error));
    assert_ok(lfm_selection_parse_layers(selection, NULL, &run->model->config, &error));
    run->documents.items = calloc(2, sizeof *run->documents.items);
    for (size_t d = 0; d < 2; d++) {
        struct lfm_document *document = &run->documents.items[run->documents.count++];
        document->name = strdup("text");
        for (size_t t = 0; t < lengths[d]; t++)
            assert_ok(lfm_tokens_append(&document->tokens, (int32_t)((7 * t + 3 * d) % run->model->config.vocab_size),
                                        &error));
        run->documents.n_tokens += lengths[d];
    }
    assert_ok(lfm_trace_run(in_directory("run.h5"), run->model, &run->documents, &run->options, &run->provenance, NULL, &error));
}

static void end_small(struct small_run *run)
{
    lfm_provenance_release(&run->provenance);
    lfm_documents_release(&run->documents);
    lfm_model_close(run->model);
}

/* The first layer that has a point. */
static size_t layer_with(const struct lfm_config *config, enum lfm_point point)
{
    size_t layer = 0;
    while (lfm_point_width(config, layer, point) == 0) layer++;
    return layer;
}

static float *read_point(const struct lfm_trace *trace, size_t layer, enum lfm_point point, size_t first, size_t n)
{
    size_t width = lfm_trace_width(trace, layer, point);
    float *values = calloc(n, width * sizeof *values);
    assert_ok(lfm_trace_read(trace, layer, point, first, n, values, &error));
    return values;
}

Test(trace_points, experts_outputs_add_up_to_that_of_the_feed_forward)
{
    struct small_run run;
    run_small(&run, "default,experts", NULL, NULL);
    const struct lfm_config *config = &run.model->config;
    size_t layer = layer_with(config, LFM_POINT_EXPERT_DOWN), D = config->hidden_size, K = config->num_experts_per_tok;
    struct lfm_trace *trace = open_trace("run.h5");
    float *down = read_point(trace, layer, LFM_POINT_EXPERT_DOWN, 0, 33);
    float *sum = read_point(trace, layer, LFM_POINT_FEED_FORWARD, 0, 33);
    float *weights = read_point(trace, layer, LFM_POINT_ROUTER_WEIGHTS, 0, 33);
    int32_t *selected = calloc(33 * K, sizeof *selected);
    assert_ok(lfm_trace_read_selected(trace, layer, 0, 33, selected, &error));
    for (size_t t = 0; t < 33; t++)
        for (size_t d = 0; d < D; d++) {
            float expected = 0; /* in ascending order of the experts, as MODEL.md 6 says */
            for (size_t e = 0; e < config->num_experts; e++)
                for (size_t k = 0; k < K; k++)
                    if (selected[t * K + k] == (int32_t)e) expected += weights[t * K + k] * down[(t * K + k) * D + d];
            cr_assert_eq(sum[t * D + d], expected);
        }
    lfm_trace_close(trace);
    free(down);
    free(sum);
    free(weights);
    free(selected);
    end_small(&run);
}

Test(trace_points, attention_weights_of_a_run_are_distributions)
{
    struct small_run run;
    run_small(&run, "q", "0-,0-4,5-19", NULL);
    const struct lfm_config *config = &run.model->config;
    size_t layer = layer_with(config, LFM_POINT_Q), H = config->num_attention_heads;
    struct lfm_trace *trace = open_trace("run.h5");
    float *entropy = read_point(trace, layer, LFM_POINT_WEIGHTS_ENTROPY, 0, 33);
    float *largest = read_point(trace, layer, LFM_POINT_WEIGHTS_LARGEST, 0, 33);
    float *mass = read_point(trace, layer, LFM_POINT_WEIGHTS_SPANS, 0, 33);
    int32_t *position = calloc(33 * H, sizeof *position);
    assert_ok(lfm_trace_read_integers(trace, layer, LFM_POINT_WEIGHTS_POSITION, 0, 33, position, &error));
    for (size_t i = 0; i < 33 * H; i++) {
        size_t t = i / H < 20 ? i / H : i / H - 20; /* the second document starts anew */
        cr_assert(entropy[i] >= 0 && entropy[i] <= logf((float)t + 1) + 1e-6f);
        cr_assert(largest[i] >= 1 / ((float)t + 1) - 1e-6f && position[i] >= 0 && position[i] <= (int32_t)t);
        assert_near(mass[i * 3], 1, 1e-6);
        assert_near(mass[i * 3 + 1] + mass[i * 3 + 2], 1, 1e-6);
        if (t < 5) assert_near(mass[i * 3 + 2], 0, 0);
    }
    lfm_trace_close(trace);

    /* Chosen tokens have the values they have among all. */
    struct small_run some;
    run_small(&some, "attention_weights", "0-,0-4,5-19", "11-12");
    trace = open_trace("run.h5");
    cr_assert_eq(lfm_trace_information(trace)->tokens, 4);
    float *chosen = read_point(trace, layer, LFM_POINT_WEIGHTS_SPANS, 0, 4);
    cr_assert_arr_eq(chosen, mass + 11 * H * 3, 2 * H * 3 * sizeof *chosen);
    cr_assert_arr_eq(chosen + 2 * H * 3, mass + 31 * H * 3, 2 * H * 3 * sizeof *chosen);
    lfm_trace_close(trace);
    free(entropy);
    free(largest);
    free(mass);
    free(position);
    free(chosen);
    end_small(&some);
    end_small(&run);
}

/* Keeps the gates of one sequence's chosen experts in layer `layer`: [n,K,M]. */
struct gates {
    size_t sequence, layer, K;
    float values[1 << 14];
    size_t n;
};

static enum lfm_status keep_gates(void *context, const struct lfm_announcement *a, struct lfm_error *failure)
{
    struct gates *gates = context;
    (void)failure;
    if (a->point != LFM_POINT_EXPERT_GATE || a->layer != gates->layer || a->sequence != gates->sequence) return LFM_OK;
    for (size_t i = 0; i < a->n_tokens * gates->K; i++, gates->n += a->width) {
        cr_assert(gates->n + a->width <= sizeof gates->values / sizeof *gates->values);
        memcpy(gates->values + gates->n, a->values + a->rows[i] * a->width, a->width * sizeof(float));
    }
    return LFM_OK;
}

Test(trace_points, sequences_of_a_batch_announce_their_own_experts)
{
    static struct gates alone, batched;
    const int32_t first[] = {5, 9, 2, 11, 3}, second[] = {7, 1, 8};
    struct lfm_model *model;
    struct lfm_state *states[2], *state;
    assert_ok(lfm_model_open(&model, "tests/golden/model/moe-bf16", NULL, &error));
    size_t layer = layer_with(&model->config, LFM_POINT_EXPERT_GATE);
    alone = (struct gates){.layer = layer, .K = model->config.num_experts_per_tok};
    batched = (struct gates){.sequence = 1, .layer = layer, .K = model->config.num_experts_per_tok};
    assert_ok(lfm_state_new(&state, model, &error));
    for (size_t i = 0; i < 2; i++) assert_ok(lfm_state_new(&states[i], model, &error));
    const struct lfm_observer observer = {keep_gates, &alone}, other = {keep_gates, &batched};
    assert_ok(lfm_forward(model, state, second, 3, &observer, NULL, &error));
    struct lfm_sequence sequences[] = {{states[0], first, 5, NULL}, {states[1], second, 3, NULL}};
    assert_ok(lfm_forward_batch(model, sequences, 2, &other, &error));
    cr_assert_eq(alone.n, 3 * alone.K * model->config.moe_intermediate_size);
    cr_assert_eq(batched.n, alone.n);
    cr_assert_arr_eq(batched.values, alone.values, alone.n * sizeof(float));
    for (size_t i = 0; i < 2; i++) lfm_state_free(states[i]);
    lfm_state_free(state);
    lfm_model_close(model);
}
