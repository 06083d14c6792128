/* Sampling against distributions worked out by hand, and frequencies of a seeded generator. */
#include "reference/model/sample.h"
#include "tests/unit/assert.h"

#include <stdlib.h>

static struct lfm_error error;

enum { DRAWS = 20000, V = 5 };

static const struct lfm_sampling plain = {.temperature = 1, .top_p = 1, .repetition_penalty = 1, .seed = 7};

/* Natural logarithms of 0.5, 0.25, 0.125, 0.0625, 0.0625. */
static const float halves[V] = {-0.6931472f, -1.3862944f, -2.0794415f, -2.7725887f, -2.7725887f};

static int32_t sample_once(const struct lfm_sampling *sampling, const float *logits, const int32_t *history, size_t n)
{
    struct lfm_sampler *sampler;
    int32_t token = -1;
    assert_ok(lfm_sampler_new(&sampler, sampling, V, &error));
    assert_ok(lfm_sample(sampler, logits, history, n, &token, &error));
    lfm_sampler_free(sampler);
    return token;
}

/* The share of each token lies within 4 standard errors of what is expected; tokens of share 0 never come. */
static void expect_shares(const struct lfm_sampling *sampling, const float *logits, const int32_t *history, size_t n,
                          const double *expected)
{
    struct lfm_sampler *sampler;
    size_t counts[V] = {0};
    assert_ok(lfm_sampler_new(&sampler, sampling, V, &error));
    for (size_t i = 0; i < DRAWS; i++) {
        int32_t token;
        assert_ok(lfm_sample(sampler, logits, history, n, &token, &error));
        cr_assert(token >= 0 && token < V, "token %d", token);
        counts[token]++;
    }
    for (size_t v = 0; v < V; v++)
        assert_near((double)counts[v] / DRAWS, expected[v], 4 * sqrt(expected[v] * (1 - expected[v]) / DRAWS));
    lfm_sampler_free(sampler);
}

Test(sample, greedy_takes_the_largest_and_of_equals_the_lower_id)
{
    const struct lfm_sampling greedy = {.temperature = 0, .top_p = 1, .repetition_penalty = 1};
    const float logits[V] = {1, 3, 2, 3, -1};
    cr_assert_eq(sample_once(&greedy, logits, NULL, 0), 1);
}

Test(sample, the_penalty_divides_positive_and_multiplies_negative_logits_once)
{
    const struct lfm_sampling greedy = {.temperature = 0, .top_p = 1, .repetition_penalty = 2};
    const float positive[V] = {3, 2, 1, 0, 0}, negative[V] = {-1, -1.5f, -9, -9, -9};
    const int32_t history[] = {0, 0, 0}; /* once: 3 / 2 < 2; three times would be 3 / 8 */
    const float close[V] = {3, 1.4f, 0, 0, 0};
    cr_assert_eq(sample_once(&greedy, positive, history, 3), 1);
    cr_assert_eq(sample_once(&greedy, negative, history, 3), 1);
    cr_assert_eq(sample_once(&greedy, close, history, 3), 0);
}

Test(sample, the_penalty_ignores_ids_outside_the_vocabulary)
{
    const struct lfm_sampling greedy = {.temperature = 0, .top_p = 1, .repetition_penalty = 2};
    const float logits[V] = {3, 2, 1, 0, 0};
    const int32_t history[] = {-1, V, 1000000};
    cr_assert_eq(sample_once(&greedy, logits, history, 3), 0);
}

Test(sample, the_penalty_does_not_last_beyond_the_history_that_is_given)
{
    const struct lfm_sampling greedy = {.temperature = 0, .top_p = 1, .repetition_penalty = 2};
    const float logits[V] = {3, 2, 1, 0, 0};
    const int32_t history[] = {0};
    struct lfm_sampler *sampler;
    int32_t token;
    assert_ok(lfm_sampler_new(&sampler, &greedy, V, &error));
    for (int i = 0; i < 3; i++) {
        assert_ok(lfm_sample(sampler, logits, history, 1, &token, &error));
        cr_assert_eq(token, 1);
        assert_ok(lfm_sample(sampler, logits, NULL, 0, &token, &error));
        cr_assert_eq(token, 0);
    }
    lfm_sampler_free(sampler);
}

Test(sample, draws_in_proportion_to_the_softmax)
{
    expect_shares(&plain, halves, NULL, 0, (const double[]){0.5, 0.25, 0.125, 0.0625, 0.0625});
}

Test(sample, temperature_one_half_squares_the_probabilities)
{
    struct lfm_sampling sampling = plain;
    sampling.temperature = 0.5;
    const double sum = 0.25 + 0.0625 + 0.015625 + 2 * 0.00390625;
    expect_shares(&sampling, halves, NULL, 0,
                  (const double[]){0.25 / sum, 0.0625 / sum, 0.015625 / sum, 0.00390625 / sum, 0.00390625 / sum});
}

Test(sample, top_k_keeps_the_k_most_likely_and_those_equal_to_the_last)
{
    struct lfm_sampling sampling = plain;
    sampling.top_k = 2;
    expect_shares(&sampling, halves, NULL, 0, (const double[]){2 / 3.0, 1 / 3.0, 0, 0, 0});
    sampling.top_k = 4;
    expect_shares(&sampling, halves, NULL, 0, (const double[]){0.5, 0.25, 0.125, 0.0625, 0.0625});
    sampling.top_k = 100;
    expect_shares(&sampling, halves, NULL, 0, (const double[]){0.5, 0.25, 0.125, 0.0625, 0.0625});
}

Test(sample, top_p_drops_the_tail_that_sums_to_at_most_the_rest)
{
    struct lfm_sampling sampling = plain;
    sampling.top_p = 0.7; /* tail 0.0625 + 0.0625 + 0.125 = 0.25 <= 0.3 goes, 0.25 more would not */
    expect_shares(&sampling, halves, NULL, 0, (const double[]){2 / 3.0, 1 / 3.0, 0, 0, 0});
    sampling.top_p = 0.001;
    expect_shares(&sampling, halves, NULL, 0, (const double[]){1, 0, 0, 0, 0});
}

Test(sample, min_p_drops_what_is_less_likely_than_its_share_of_the_best)
{
    struct lfm_sampling sampling = plain;
    sampling.min_p = 0.2; /* 0.125 / 0.5 = 0.25 stays, 0.125 goes */
    expect_shares(&sampling, halves, NULL, 0, (const double[]){4 / 7.0, 2 / 7.0, 1 / 7.0, 0, 0});
    sampling.min_p = 1;
    expect_shares(&sampling, halves, NULL, 0, (const double[]){1, 0, 0, 0, 0});
}

Test(sample, filters_apply_one_after_another)
{
    struct lfm_sampling sampling = plain;
    sampling.top_k = 3;    /* 4/7, 2/7, 1/7 */
    sampling.top_p = 0.85; /* of these the last, 0.143, goes: it is at most 0.15 */
    expect_shares(&sampling, halves, NULL, 0, (const double[]){2 / 3.0, 1 / 3.0, 0, 0, 0});
    sampling.repetition_penalty = 2; /* ln 0.5 * 2 = ln 0.25: now two of 0.25, one of 0.125 */
    sampling.top_p = 1;
    const int32_t history[] = {0};
    expect_shares(&sampling, halves, history, 1, (const double[]){0.4, 0.4, 0.2, 0, 0});
}

Test(sample, masked_tokens_never_come)
{
    const float logits[V] = {-INFINITY, 0, -INFINITY, 0, -INFINITY};
    expect_shares(&plain, logits, NULL, 0, (const double[]){0, 0.5, 0, 0.5, 0});
}

Test(sample, a_seed_gives_the_same_tokens_again_and_another_seed_others)
{
    struct lfm_sampling other = plain;
    other.seed = 8;
    struct lfm_sampler *a, *b, *c;
    size_t differences = 0;
    assert_ok(lfm_sampler_new(&a, &plain, V, &error));
    assert_ok(lfm_sampler_new(&b, &plain, V, &error));
    assert_ok(lfm_sampler_new(&c, &other, V, &error));
    for (int i = 0; i < 200; i++) {
        int32_t x, y, z;
        assert_ok(lfm_sample(a, halves, NULL, 0, &x, &error));
        assert_ok(lfm_sample(b, halves, NULL, 0, &y, &error));
        assert_ok(lfm_sample(c, halves, NULL, 0, &z, &error));
        cr_assert_eq(x, y);
        differences += x != z;
    }
    cr_assert(differences > 50);
    lfm_sampler_free(a);
    lfm_sampler_free(b);
    lfm_sampler_free(c);
}

static void refuse(struct lfm_sampling sampling, const char *part)
{
    struct lfm_sampler *sampler = NULL;
    assert_fails(lfm_sampler_new(&sampler, &sampling, V, &error), LFM_ERROR_ARGUMENT, part);
    cr_assert_null(sampler);
}

Test(sample, refuses_parameters_out_of_range)
{
    refuse((struct lfm_sampling){.temperature = -1, .top_p = 1, .repetition_penalty = 1},
           "temperature must be 0 or larger");
    refuse((struct lfm_sampling){.temperature = NAN, .top_p = 1, .repetition_penalty = 1}, "temperature");
    refuse((struct lfm_sampling){.top_p = 0, .repetition_penalty = 1}, "top-p must be above 0 and at most 1, not 0");
    refuse((struct lfm_sampling){.top_p = 1.5, .repetition_penalty = 1}, "top-p");
    refuse((struct lfm_sampling){.top_p = 1, .min_p = -0.1, .repetition_penalty = 1}, "min-p must be from 0 to 1");
    refuse((struct lfm_sampling){.top_p = 1, .repetition_penalty = 0}, "the repetition penalty must be above 0");
}

Test(sample, refuses_logits_that_are_no_numbers)
{
    struct lfm_sampler *sampler;
    int32_t token;
    const float logits[V] = {0, NAN, 0, 0, 0}, infinite[V] = {0, 0, INFINITY, 0, 0};
    assert_ok(lfm_sampler_new(&sampler, &plain, V, &error));
    assert_fails(lfm_sample(sampler, logits, NULL, 0, &token, &error), LFM_ERROR_MISMATCH,
                 "the logit of token 1 is nan");
    assert_fails(lfm_sample(sampler, infinite, NULL, 0, &token, &error), LFM_ERROR_MISMATCH,
                 "the logit of token 2 is inf");
    lfm_sampler_free(sampler);
}
