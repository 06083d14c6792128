/* Tokens above a tolerance and channels above the others, on values worked out by hand. */
#include "quant/divergence.h"
#include "tests/unit/assert.h"

static struct lfm_error error;

/* |(3,4) - (3,5)| / |(3,4)| = 1/5. */
Test(divergence, error_of_a_row_is_relative_to_the_reference)
{
    const float x[] = {3, 4}, y[] = {3, 5}, zero[] = {0, 0}, nan[] = {3, NAN};
    assert_near(lfm_row_relative_l2(x, y, 2), 0.2, 1e-15);
    assert_near(lfm_row_relative_l2(y, x, 2), 1 / sqrt(34), 1e-15);
    assert_near(lfm_row_relative_l2(x, x, 2), 0, 0);
    assert_near(lfm_row_relative_l2(zero, zero, 2), 0, 0);
    cr_assert(isinf(lfm_row_relative_l2(zero, x, 2)));
    cr_assert(isnan(lfm_row_relative_l2(x, nan, 2)));
}

/* Errors 0, 0.2, 0.1 (not above it), 0.4, over two blocks. */
Test(divergence, tokens_above_are_those_that_exceed_the_tolerance)
{
    const float x[] = {3, 4, 3, 4, 0, 10, 3, 4}, y[] = {3, 4, 3, 5, 1, 10, 3, 6};
    struct lfm_token_errors errors = LFM_TOKEN_ERRORS_NONE;
    double tolerance = lfm_row_relative_l2(x + 4, y + 4, 2);
    lfm_token_errors_add(&errors, x, y, 1, 2, tolerance);
    cr_assert_eq(errors.above, 0);
    cr_assert_eq(errors.first, LFM_NO_TOKEN);
    cr_assert_eq(errors.worst, 0);
    lfm_token_errors_add(&errors, x + 2, y + 2, 3, 2, tolerance);
    cr_assert_eq(errors.tokens, 4);
    cr_assert_eq(errors.above, 2);
    cr_assert_eq(errors.first, 1);
    assert_near(errors.first_value, 0.2, 1e-15);
    cr_assert_eq(errors.worst, 3);
    assert_near(errors.worst_value, 0.4, 1e-15);
}

Test(divergence, the_worst_token_is_the_first_that_is_no_number)
{
    const float x[] = {1, 1, 1, 1}, y[] = {1, NAN, 9, NAN};
    struct lfm_token_errors errors = LFM_TOKEN_ERRORS_NONE;
    lfm_token_errors_add(&errors, x, y, 4, 1, 100);
    cr_assert_eq(errors.above, 2);
    cr_assert_eq(errors.first, 1);
    cr_assert_eq(errors.worst, 1);
}

/* Two tokens: RMS of the channels 1, 2, 3, 10, 6; the median is 3. */
Test(divergence, outliers_exceed_a_multiple_of_the_median)
{
    const double squares[] = {2, 8, 18, 200, 72};
    struct lfm_channel_outliers outliers;
    assert_ok(lfm_channel_outliers(&outliers, squares, 5, 2, 1.5, &error));
    assert_near(outliers.median, 3, 1e-15);
    cr_assert_eq(outliers.count, 2);
    cr_assert_eq(outliers.n_listed, 2);
    cr_assert_eq(outliers.listed[0].channel, 3);
    assert_near(outliers.listed[0].rms, 10, 1e-15);
    assert_near(outliers.listed[0].times_median, 10.0 / 3, 1e-15);
    cr_assert_eq(outliers.listed[1].channel, 4);
    assert_ok(lfm_channel_outliers(&outliers, squares, 5, 2, 2, &error));
    cr_assert_eq(outliers.count, 1, "6 is not more than twice 3");
    assert_ok(lfm_channel_outliers(&outliers, squares, 4, 2, 3, &error));
    assert_near(outliers.median, 2.5, 1e-15);
}

Test(divergence, the_largest_outliers_are_listed_and_all_are_counted)
{
    const double squares[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 400, 900, 100, 900, 2500, 1600, 225, 1, 1};
    struct lfm_channel_outliers outliers;
    static const size_t expected[LFM_OUTLIERS_LISTED] = {13, 14, 10, 12, 9};
    assert_ok(lfm_channel_outliers(&outliers, squares, 18, 1, 3, &error));
    cr_assert_eq(outliers.count, 7);
    cr_assert_eq(outliers.n_listed, LFM_OUTLIERS_LISTED);
    for (size_t i = 0; i < LFM_OUTLIERS_LISTED; i++) cr_assert_eq(outliers.listed[i].channel, expected[i], "place %zu", i);
}

Test(divergence, with_a_median_of_zero_every_channel_with_a_value_stands_out)
{
    const double squares[] = {0, 0, 0, 4, 0};
    struct lfm_channel_outliers outliers;
    assert_ok(lfm_channel_outliers(&outliers, squares, 5, 1, 3, &error));
    cr_assert_eq(outliers.count, 1);
    assert_near(outliers.listed[0].rms, 2, 0);
    cr_assert(isinf(outliers.listed[0].times_median));
}
