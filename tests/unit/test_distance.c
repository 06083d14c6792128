/* Distances between output distributions, against values computed by hand. */
#include "quant/distance.h"
#include "tests/unit/assert.h"

static struct lfm_distance distance_of(const float *p, const float *q, size_t V, int32_t id)
{
    struct lfm_row_summary a, b;
    struct lfm_distance distance;
    lfm_summarize_row(&a, p, V);
    lfm_summarize_row(&b, q, V);
    lfm_distance(&distance, p, &a, q, &b, V, id);
    return distance;
}

Test(distance, of_two_known_distributions)
{
    /* p = (3/4, 1/4), q = (1/2, 1/2): 3/4 ln(3/2) + 1/4 ln(1/2) */
    const float p[2] = {1.0986122886681098f, 0}, q[2] = {7, 7};
    struct lfm_distance distance = distance_of(p, q, 2, 1);
    assert_near(distance.kld, 0.13081203594113697, 1e-7);
    assert_near(distance.p_true, 0.25, 1e-7);
    assert_near(distance.q_true, 0.5, 1e-15);
    assert_near(distance.p_nll, 1.3862943611198906, 1e-7);
    assert_near(distance.q_nll, 0.6931471805599453, 1e-15);
}

Test(distance, of_equal_rows_is_exactly_zero)
{
    const float row[4] = {0.1f, -3.7f, 12.3f, 5};
    struct lfm_distance distance = distance_of(row, row, 4, 0);
    cr_assert_eq(distance.kld, 0);
    cr_assert_eq(distance.top1_agreement, 1);
    cr_assert_eq(distance.top5_overlap, 1);
}

Test(distance, ignores_a_constant_added_to_all_logits)
{
    const float p[3] = {1, 2, 3}, q[3] = {1001, 1002, 1003};
    assert_near(distance_of(p, q, 3, 0).kld, 0, 1e-12);
}

Test(distance, is_not_clamped_where_the_candidate_is_almost_sure_of_another_token)
{
    /* p = (1/2, 1/2), q = (1, e^-80) up to rounding: -ln 2 + 80/2 */
    const float p[2] = {0, 0}, q[2] = {0, -80};
    struct lfm_distance distance = distance_of(p, q, 2, 1);
    assert_near(distance.kld, 40 - 0.6931471805599453, 1e-12);
    assert_near(distance.q_nll, 80, 1e-12);
}

Test(distance, survives_probabilities_that_underflow)
{
    const float p[2] = {0, -2000}, q[2] = {0, -1000};
    struct lfm_distance distance = distance_of(p, q, 2, 1);
    cr_assert_eq(distance.kld, 0);
    assert_near(distance.p_nll, 2000, 1e-9);
    assert_near(distance_of(q, p, 2, 1).kld, 0, 1e-300);
}

Test(distance, of_a_nearby_distribution_keeps_its_digits)
{
    /* Two tokens with logits (0, 0) and (d, 0): KLD = ln cosh(d/2) = d^2/8 - d^4/192 + ... */
    const float d = 0.0009765625f, p[2] = {0, 0}, q[2] = {d, 0};
    double expected = (double)d * d / 8 - pow(d, 4) / 192;
    assert_near(distance_of(p, q, 2, 0).kld / expected, 1, 1e-8);
}

Test(distance, puts_ties_to_the_lower_id)
{
    struct lfm_row_summary summary;
    const float row[7] = {1, 5, 5, 2, 5, 1, 1};
    const int32_t expected[LFM_TOP] = {1, 2, 4, 3, 0};
    lfm_summarize_row(&summary, row, 7);
    for (size_t i = 0; i < LFM_TOP; i++)
        cr_assert_eq(summary.top[i], expected[i], "rank %zu is %d", i, (int)summary.top[i]);
}

Test(distance, counts_shared_ids_among_the_five_likeliest)
{
    const float p[8] = {9, 8, 7, 6, 5, 0, 0, 0}, q[8] = {0, 8, 7, 0, 5, 9, 6, 0};
    struct lfm_distance distance = distance_of(p, q, 8, 0);
    assert_near(distance.top5_overlap, 0.6, 1e-15);
    cr_assert_eq(distance.top1_agreement, 0);
}

Test(distance, of_a_vocabulary_below_five_overlaps_fully)
{
    const float p[3] = {1, 2, 3}, q[3] = {3, 2, 1};
    cr_assert_eq(distance_of(p, q, 3, 0).top5_overlap, 1);
}

Test(distance, shows_logits_that_are_not_finite)
{
    struct lfm_row_summary summary;
    const float with_nan[3] = {1, NAN, 2}, with_infinity[3] = {1, INFINITY, 2};
    lfm_summarize_row(&summary, with_nan, 3);
    cr_assert(!isfinite(summary.log_sum));
    lfm_summarize_row(&summary, with_infinity, 3);
    cr_assert(!isfinite(summary.log_sum));
}
