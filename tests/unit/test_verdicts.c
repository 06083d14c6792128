/* Statistics of verdicts against published and hand-computed values. */
#include "eval/harness/verdicts.h"
#include "tests/unit/assert.h"

Test(wilson, gives_the_intervals_of_newcombes_comparison)
{
    /* Newcombe, Stat. Med. 17:857 (1998), table I, method 3 */
    const struct {
        size_t k, n;
        double low, high;
    } published[] = {{81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0, 0.1611}, {1, 29, 0.0061, 0.1718}};
    for (size_t i = 0; i < 4; i++) {
        struct lfm_interval interval = lfm_wilson(published[i].k, published[i].n, 0.95);
        assert_near(interval.low, published[i].low, 5e-5);
        assert_near(interval.high, published[i].high, 5e-5);
    }
}

Test(wilson, takes_sums_of_shares_that_are_not_whole)
{
    /* k = 2.5 of n = 10: (p + z^2/2n -+ z sqrt(p (1-p)/n + z^2/4n^2)) / (1 + z^2/n) with p = 0.25, z = 1.959964 */
    struct lfm_interval interval = lfm_wilson_mean(2.5, 10, 0.95);
    assert_near(interval.low, 0.0809478, 1e-6);
    assert_near(interval.high, 0.5578186, 1e-6);
}

Test(wilson, knows_nothing_without_items)
{
    assert_near(lfm_wilson(0, 0, 0.95).low, 0, 0);
    assert_near(lfm_wilson(0, 0, 0.95).high, 1, 0);
}

Test(newcombe, gives_the_published_interval_of_method_10)
{
    /* Newcombe, Stat. Med. 17:2635 (1998): a = 36, b = 12, c = 2, d = 0 */
    const struct lfm_pairs pairs = {.both = 36, .gained = 12, .lost = 2, .neither = 0};
    struct lfm_interval interval = lfm_newcombe(&pairs, 0.95);
    assert_near(lfm_paired_difference(&pairs), 0.2, 1e-12);
    assert_near(interval.low, 0.0569, 5e-5);
    assert_near(interval.high, 0.3404, 5e-5);
}

Test(newcombe, is_mirrored_when_the_runs_change_places)
{
    const struct lfm_pairs pairs = {.both = 50, .lost = 7, .gained = 3, .neither = 40};
    const struct lfm_pairs swapped = {.both = 50, .lost = 3, .gained = 7, .neither = 40};
    struct lfm_interval a = lfm_newcombe(&pairs, 0.9), b = lfm_newcombe(&swapped, 0.9);
    assert_near(a.low, -b.high, 1e-12);
    assert_near(a.high, -b.low, 1e-12);
}

Test(mcnemar, gives_the_published_exact_and_mid_p_values)
{
    /* Fagerland et al. (2013), airway hyper-responsiveness: 1 against 7 */
    const struct lfm_pairs pairs = {.both = 1, .lost = 1, .gained = 7, .neither = 12};
    assert_near(lfm_mcnemar_exact(&pairs), 0.0703125, 1e-12);
    assert_near(lfm_mcnemar_mid_p(&pairs), 0.0390625, 1e-12);
}

Test(mcnemar, no_flips_and_as_many_both_ways_are_no_evidence)
{
    const struct lfm_pairs none = {.both = 10, .neither = 5}, even = {.both = 1, .lost = 2, .gained = 2};
    assert_near(lfm_mcnemar_exact(&none), 1, 0);
    assert_near(lfm_mcnemar_mid_p(&none), 1, 0);
    assert_near(lfm_mcnemar_exact(&even), 1, 0);
    assert_near(lfm_mcnemar_mid_p(&even), 1 - 0.5 * 6.0 / 16, 1e-12);
}

Test(equivalence, many_agreeing_items_pass_few_are_undecided_and_a_large_loss_fails)
{
    const struct lfm_pairs many = {.both = 800, .lost = 2, .gained = 2, .neither = 196};
    const struct lfm_pairs few = {.both = 8, .lost = 1, .gained = 0, .neither = 3};
    const struct lfm_pairs worse = {.both = 300, .lost = 200, .gained = 5, .neither = 100};
    cr_assert_eq(lfm_equivalence_test(&many, 0.02).verdict, LFM_EQUIVALENT_PASS);
    cr_assert_eq(lfm_equivalence_test(&worse, 0.02).verdict, LFM_EQUIVALENT_FAIL);
    struct lfm_equivalence_verdict undecided = lfm_equivalence_test(&few, 0.2);
    cr_assert_eq(undecided.verdict, LFM_EQUIVALENT_UNDECIDED);
    cr_assert(undecided.items_needed >= 1 && isfinite(undecided.items_needed));
    cr_assert_str_eq(lfm_equivalence_name(undecided.verdict), "UNDECIDED");
}

Test(equivalence, the_items_needed_are_those_of_the_closed_form)
{
    /* Without flips and half of the items right, Newcombe's half-width is z / sqrt(n (n + z^2)): Wilson's is z / (2 sqrt(n +
     * z^2)) on either side, and phi = 1 - 2/n leaves sqrt(4/n) of it. z = 1.644854, margin 0.02: n^2 + 2.7055 n > 6763.9,
     * so n = 81. */
    const struct lfm_pairs ten = {.both = 5, .neither = 5}, eighty = {.both = 40, .neither = 40};
    assert_near(lfm_equivalence_test(&ten, 0.02).items_needed, 71, 0);
    assert_near(lfm_equivalence_test(&eighty, 0.02).items_needed, 1, 0);
    const struct lfm_pairs decided = {.both = 41, .neither = 41};
    cr_assert_eq(lfm_equivalence_test(&decided, 0.02).verdict, LFM_EQUIVALENT_PASS);
}

Test(equivalence, as_many_items_as_needed_decide_and_one_less_does_not)
{
    /* shares in tenths: whole numbers of pairs at every multiple of ten items */
    static const struct lfm_pairs shares[] = {{7, 1, 0, 2}, {8, 0, 0, 2}, {5, 1, 1, 3}, {4, 0, 3, 3}};
    for (size_t i = 0; i < 4; i++) {
        size_t needed = (size_t)lfm_equivalence_test(&shares[i], 0.05).items_needed, tens = 1;
        cr_assert(needed > 0);
        for (;; tens++) {
            const struct lfm_pairs more = {tens * shares[i].both, tens * shares[i].lost, tens * shares[i].gained,
                                           tens * shares[i].neither};
            if (lfm_equivalence_test(&more, 0.05).verdict != LFM_EQUIVALENT_UNDECIDED) break;
        }
        cr_assert(10 + needed <= 10 * tens && 10 + needed > 10 * (tens - 1), "%zu more for %zu tens", needed, tens);
    }
}

Test(equivalence, without_items_or_at_the_margin_no_number_of_items_decides)
{
    const struct lfm_pairs none = {0}, at_the_margin = {.both = 90, .lost = 10};
    cr_assert(isinf(lfm_equivalence_test(&none, 0.02).items_needed));
    cr_assert(isinf(lfm_equivalence_test(&at_the_margin, 0.1).items_needed));
}

Test(clusters, the_standard_error_is_that_of_the_ratio)
{
    /* By hand: right 2 of 3, 1 of 1, 0 of 2; p = 1/2; deviations 0.5, 0.5, -1; sqrt(3/2 * 1.5) / 6 = 0.25. */
    struct lfm_clusters clusters = {0};
    lfm_clusters_add(&clusters, 2, 3);
    lfm_clusters_add(&clusters, 1, 1);
    lfm_clusters_add(&clusters, 0, 2);
    lfm_clusters_add(&clusters, 0, 0);
    cr_assert(clusters.clusters == 3 && clusters.right == 3 && clusters.n == 6);
    assert_near(lfm_clustered_stderr(&clusters), 0.25, 1e-15);
}

Test(clusters, joined_sums_are_those_of_all_clusters)
{
    struct lfm_clusters first = {0}, second = {0}, all = {0};
    lfm_clusters_add(&first, 2, 3);
    lfm_clusters_add(&second, 1, 1);
    lfm_clusters_add(&second, 0, 2);
    lfm_clusters_join(&all, &first);
    lfm_clusters_join(&all, &second);
    cr_assert(all.clusters == 3 && all.right == 3 && all.n == 6);
    assert_near(lfm_clustered_stderr(&all), 0.25, 1e-15);
}

Test(wilson, the_ends_of_none_and_of_all_are_exact)
{
    for (size_t n = 1; n < 100; n++) {
        cr_assert_eq(lfm_wilson(0, n, 0.95).low, 0, "0 of %zu", n);
        cr_assert_eq(lfm_wilson(n, n, 0.95).high, 1, "%zu of %zu", n, n);
    }
}

Test(clusters, one_verdict_each_gives_the_error_of_a_mean_and_one_cluster_gives_none)
{
    struct lfm_clusters singles = {0}, one = {0};
    for (size_t i = 0; i < 10; i++) lfm_clusters_add(&singles, i < 4, 1);
    assert_near(lfm_clustered_stderr(&singles), sqrt(0.4 * 0.6 / 9), 1e-15);
    lfm_clusters_add(&one, 1, 4);
    cr_assert(isnan(lfm_clustered_stderr(&one)));
}

Test(equivalence, the_items_needed_bring_a_decision_when_rates_stay)
{
    const struct lfm_pairs pairs = {.both = 40, .lost = 3, .gained = 2, .neither = 5};
    struct lfm_equivalence_verdict verdict = lfm_equivalence_test(&pairs, 0.05);
    cr_assert_eq(verdict.verdict, LFM_EQUIVALENT_UNDECIDED);
    size_t factor = (size_t)(verdict.items_needed / 50) + 3;
    const struct lfm_pairs more = {40 * factor, 3 * factor, 2 * factor, 5 * factor};
    cr_assert_eq(lfm_equivalence_test(&more, 0.05).verdict, LFM_EQUIVALENT_PASS);
}

Test(holm, multiplies_by_what_is_left_and_never_decreases)
{
    const double p[] = {0.01, 0.04, 0.03, 0.005}; /* by hand: 0.03, 0.06, 0.06, 0.02 */
    const double expected[] = {0.03, 0.06, 0.06, 0.02};
    double adjusted[4];
    lfm_holm(adjusted, p, 4);
    for (size_t i = 0; i < 4; i++) assert_near(adjusted[i], expected[i], 1e-12);
}

Test(pass_k, counts_subsets)
{
    /* 5 samples, 2 right, draws of 3: none right C(3,3)/C(5,3) = 1/10; all right impossible; draws of 2: 1/10 */
    assert_near(lfm_pass_at_k(5, 2, 3), 0.9, 1e-12);
    assert_near(lfm_pass_all_k(5, 2, 3), 0, 0);
    assert_near(lfm_pass_all_k(5, 2, 2), 0.1, 1e-12);
    assert_near(lfm_pass_at_k(4, 0, 1), 0, 0);
    assert_near(lfm_pass_at_k(4, 4, 4), 1, 0);
}
