/* Statistics of values per position, against values computed by hand. */
#include "quant/statistics.h"
#include "tests/unit/assert.h"

static struct lfm_error error;

Test(statistics, clustered_error_sums_deviations_within_clusters)
{
    /* mean 3; cluster sums of deviations -3 and 3; SE = sqrt(2/1 * 18) / 4 */
    const double values[4] = {1, 2, 3, 6};
    const uint32_t clusters[4] = {4, 4, 9, 9};
    struct lfm_estimate estimate = lfm_clustered_mean(values, clusters, 4);
    assert_near(estimate.mean, 3, 1e-15);
    assert_near(estimate.error, 1.5, 1e-15);
}

Test(statistics, clusters_of_one_give_the_usual_standard_error)
{
    /* sample variance 14/3, SE = sqrt(14/3 / 4) */
    const double values[4] = {1, 2, 3, 6};
    const uint32_t clusters[4] = {0, 1, 2, 3};
    assert_near(lfm_clustered_mean(values, clusters, 4).error, sqrt(14.0 / 12), 1e-15);
}

Test(statistics, clusters_of_unequal_size_weigh_by_their_positions)
{
    /* mean 2; deviations sum to -1-1-1 = -3 and 3; SE = sqrt(2 * 18) / 4 */
    const double values[4] = {1, 1, 1, 5};
    const uint32_t clusters[4] = {0, 0, 0, 1};
    struct lfm_estimate estimate = lfm_clustered_mean(values, clusters, 4);
    assert_near(estimate.mean, 2, 1e-15);
    assert_near(estimate.error, 1.5, 1e-15);
}

Test(statistics, one_cluster_has_no_error)
{
    const double values[2] = {1, 2};
    const uint32_t clusters[2] = {3, 3};
    struct lfm_estimate estimate = lfm_clustered_mean(values, clusters, 2);
    assert_near(estimate.mean, 1.5, 1e-15);
    cr_assert(isnan(estimate.error));
}

Test(statistics, no_values_have_no_mean)
{
    struct lfm_estimate estimate = lfm_clustered_mean(NULL, NULL, 0);
    cr_assert(isnan(estimate.mean) && isnan(estimate.error));
}

Test(statistics, exponential_scales_the_error_by_the_value)
{
    struct lfm_estimate estimate = lfm_exponential((struct lfm_estimate){0.5, 0.1});
    assert_near(estimate.mean, 1.6487212707001282, 1e-15);
    assert_near(estimate.error, 0.16487212707001282, 1e-15);
}

Test(statistics, quantiles_interpolate_between_order_statistics)
{
    const double values[11] = {3, 0, 10, 7, 1, 9, 2, 8, 4, 6, 5};
    struct lfm_distribution distribution;
    assert_ok(lfm_distribution(&distribution, values, 11, &error));
    assert_near(distribution.median, 5, 1e-12);
    assert_near(distribution.p90, 9, 1e-12);
    assert_near(distribution.p95, 9.5, 1e-12);
    assert_near(distribution.p99, 9.9, 1e-12);
    assert_near(distribution.p99_9, 9.99, 1e-12);
    assert_near(distribution.max, 10, 0);
    cr_assert_eq(values[0], 3, "the values were reordered");
}

Test(statistics, curve_runs_from_the_smallest_positive_value_to_the_largest)
{
    const double values[5] = {0, 1e-6, 1e-4, 1e-2, 1};
    struct lfm_distribution distribution;
    assert_ok(lfm_distribution(&distribution, values, 5, &error));
    cr_assert_eq(distribution.n_points, LFM_CURVE_POINTS);
    assert_near(distribution.curve[0][0], 1e-6, 0);
    assert_near(distribution.curve[0][1], 0.4, 1e-15);
    assert_near(distribution.curve[50][0], 1e-6 * pow(1e6, 50.0 / 99), 1e-15);
    assert_near(distribution.curve[50][1], 0.6, 1e-15);
    assert_near(distribution.curve[LFM_CURVE_POINTS - 1][0], 1, 0);
    assert_near(distribution.curve[LFM_CURVE_POINTS - 1][1], 1, 0);
}

Test(statistics, curve_of_zeros_is_one_point)
{
    const double values[3] = {0, 0, 0};
    struct lfm_distribution distribution;
    assert_ok(lfm_distribution(&distribution, values, 3, &error));
    cr_assert_eq(distribution.n_points, 1);
    cr_assert_eq(distribution.curve[0][0], 0);
    cr_assert_eq(distribution.curve[0][1], 1);
}

Test(statistics, bootstrap_of_two_clusters_reaches_both)
{
    /* Half of the resamples draw the same cluster twice, so both ends of the 95 % interval are clusters themselves. */
    const double values[4] = {0, 0, 1, 1};
    const uint32_t clusters[4] = {0, 0, 1, 1};
    double low, high;
    assert_ok(lfm_bootstrap_mean(&low, &high, values, clusters, 4, 0, &error));
    cr_assert_eq(low, 0);
    cr_assert_eq(high, 1);
}

Test(statistics, bootstrap_agrees_with_the_clustered_error)
{
    enum { N = 400 };
    double values[N], low, high;
    uint32_t clusters[N];
    for (size_t i = 0; i < N; i++) {
        clusters[i] = (uint32_t)(i / 4);
        values[i] = sin(0.7 * (double)clusters[i]) + 0.1 * sin(12.9 * (double)i);
    }
    struct lfm_estimate estimate = lfm_clustered_mean(values, clusters, N);
    assert_ok(lfm_bootstrap_mean(&low, &high, values, clusters, N, 7, &error));
    assert_near((high - low) / (2 * 1.96 * estimate.error), 1, 0.1);
    assert_near((high + low) / 2, estimate.mean, 0.2 * estimate.error);
}

Test(statistics, bootstrap_repeats_for_a_seed)
{
    const double values[6] = {1, 2, 4, 8, 16, 32};
    const uint32_t clusters[6] = {0, 1, 2, 3, 4, 5};
    double low[3], high[3];
    assert_ok(lfm_bootstrap_mean(&low[0], &high[0], values, clusters, 6, 5, &error));
    assert_ok(lfm_bootstrap_mean(&low[1], &high[1], values, clusters, 6, 5, &error));
    assert_ok(lfm_bootstrap_mean(&low[2], &high[2], values, clusters, 6, 6, &error));
    cr_assert(low[0] == low[1] && high[0] == high[1]);
    cr_assert(low[0] != low[2] || high[0] != high[2]);
}

Test(statistics, bootstrap_of_one_cluster_has_no_interval)
{
    const double values[2] = {1, 2};
    const uint32_t clusters[2] = {0, 0};
    double low, high;
    assert_ok(lfm_bootstrap_mean(&low, &high, values, clusters, 2, 0, &error));
    cr_assert(isnan(low) && isnan(high));
}
