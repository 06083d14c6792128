/* Router statistics against hand-computed values. */
#include "quant/routing.h"
#include "tests/unit/assert.h"
#include "tests/unit/trace_files.h"

#include <math.h>
#include <stdlib.h>

static struct lfm_error error;
static struct made_model made;

static void setup(void)
{
    static const size_t lengths[] = {300, 3};
    make_directory();
    made_model_init(&made, lengths, 2);
}

static void teardown(void)
{
    made_model_release(&made);
    remove_directory();
}

TestSuite(routing, .init = setup, .fini = teardown);

Test(routing, an_even_load_is_balanced)
{
    const double counts[] = {5, 5, 5, 5};
    struct lfm_balance balance;
    assert_ok(lfm_balance(&balance, counts, 4, &error));
    assert_near(balance.entropy, log(4), 1e-15);
    assert_near(balance.entropy_normalized, 1, 1e-15);
    assert_near(balance.effective, 4, 1e-14);
    assert_near(balance.cv, 0, 0);
    assert_near(balance.gini, 0, 1e-15);
    assert_near(balance.max_violation, 0, 0);
}

/* Counts 1, 0, 3, 4 sum to 8, mean 2: H = 1/8 ln 8 + 3/8 ln 8/3 + 1/2 ln 2; variance (1 + 4 + 1 + 4) / 4 = 2.5;
 * Gini = (-3*0 - 1*1 + 1*3 + 3*4) / (4*8) = 14/32; (4 - 2) / 2 = 1. */
Test(routing, an_uneven_load_by_hand)
{
    const double counts[] = {1, 0, 3, 4};
    struct lfm_balance balance;
    assert_ok(lfm_balance(&balance, counts, 4, &error));
    double entropy = log(8) / 8 + 3 * log(8.0 / 3) / 8 + log(2) / 2;
    assert_near(balance.entropy, entropy, 1e-15);
    assert_near(balance.entropy_normalized, entropy / log(4), 1e-15);
    assert_near(balance.effective, exp(entropy), 1e-14);
    assert_near(balance.cv, sqrt(2.5) / 2, 1e-15);
    assert_near(balance.gini, 14.0 / 32, 1e-15);
    assert_near(balance.max_violation, 1, 1e-15);
    assert_near(balance.jain, 64.0 / (4 * 26), 1e-15);
    assert_near(balance.balancedness, 0.5, 1e-15);
}

Test(routing, one_expert_for_everything_is_the_other_extreme)
{
    const double counts[] = {0, 9, 0, 0};
    struct lfm_balance balance;
    assert_ok(lfm_balance(&balance, counts, 4, &error));
    assert_near(balance.entropy, 0, 0);
    assert_near(balance.effective, 1, 0);
    assert_near(balance.cv, sqrt(3), 1e-15);
    assert_near(balance.gini, 0.75, 1e-15);
    assert_near(balance.max_violation, 3, 0);
    assert_near(balance.jain, 0.25, 0);
    assert_near(balance.balancedness, 0.25, 0);
}

Test(routing, no_load_has_no_balance)
{
    const double counts[] = {0, 0};
    struct lfm_balance balance;
    assert_ok(lfm_balance(&balance, counts, 2, &error));
    cr_assert(isnan(balance.entropy) && isnan(balance.cv) && isnan(balance.gini));
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Second minus third of six biased scores, by sorting. */
static double expected_margin(size_t layer, size_t token)
{
    double scores[MADE_EXPERTS];
    for (size_t e = 0; e < MADE_EXPERTS; e++)
        scores[e] = 1 / (1 + exp(-(double)made_value(&made, layer, LFM_POINT_ROUTER_LOGITS, token, e))) +
                    (double)made.expert_bias[e];
    qsort(scores, MADE_EXPERTS, sizeof scores[0], ascending);
    return scores[MADE_EXPERTS - 2] - scores[MADE_EXPERTS - 3];
}

Test(routing, load_weights_and_margins_come_from_the_trace)
{
    struct lfm_trace *trace;
    struct lfm_routing routing;
    double counts[MADE_EXPERTS] = {0}, weight[MADE_EXPERTS] = {0}, margins[303];
    write_made_trace(&made, "t.h5");
    assert_ok(lfm_trace_open(&trace, in_directory("t.h5"), &error));
    assert_ok(lfm_routing_read(&routing, trace, &error));
    for (size_t t = 0; t < 303; t++) {
        int32_t selected[MADE_CHOSEN];
        float weights[MADE_CHOSEN];
        made_choice(&made, 3, t, selected, weights);
        for (size_t k = 0; k < MADE_CHOSEN; k++) {
            counts[selected[k]]++;
            weight[selected[k]] += weights[k];
        }
        margins[t] = expected_margin(3, t);
    }
    qsort(margins, 303, sizeof margins[0], ascending);
    cr_assert_eq(routing.n_layers, 2);
    const struct lfm_routing_layer *layer = &routing.layers[1];
    cr_assert_eq(layer->layer, 3);
    double sum = 0;
    for (size_t e = 0; e < MADE_EXPERTS; e++) {
        assert_near(layer->load[e], counts[e] / 606, 1e-15);
        assert_near(layer->mean_weight[e], weight[e] / counts[e], 1e-12);
        sum += layer->load[e];
    }
    assert_near(sum, 1, 1e-12);
    assert_near(layer->margin_median, margins[151], 1e-15);
    assert_near(layer->cv_noise, sqrt(4.0 / 606), 1e-15);
    lfm_routing_release(&routing);
    lfm_trace_close(trace);
}

Test(routing, a_trace_without_routers_is_refused)
{
    struct lfm_trace *trace;
    struct lfm_routing routing;
    made.options.statistics_only = true;
    write_made_trace(&made, "t.h5");
    assert_ok(lfm_trace_open(&trace, in_directory("t.h5"), &error));
    assert_fails(lfm_routing_read(&routing, trace, &error), LFM_ERROR_MISMATCH, "has no router data");
    lfm_trace_close(trace);
}
