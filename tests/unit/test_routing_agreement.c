/* Two traces of four tokens (a document of one, a document of three) with scores chosen by hand. In layer 2
 *
 *          reference            candidate              margin   moves at the boundary
 *   0      .9 .8 .5             the same               .3       0
 *   1      .9 .6 .585           .9 .6 .7               .015     .115: flips
 *   2      .9 .6 .55            .5 .6 .55              .05      0, but expert 0 leaves: flips
 *   3      .7 .6 .45            .7 .56 .45             .15      .04
 *
 * and experts 3 to 5 far below. In layer 3 tokens 1 and 3 flip. */
#include "quant/routing_agreement.h"
#include "quant/trace_compare.h"
#include "tests/unit/assert.h"
#include "tests/unit/router_files.h"

#include <gsl/gsl_cdf.h>
#include <string.h>

enum { T = 4 };

static struct lfm_error error;
static struct made_model made;
static const struct router_scores reference[T] = {{{.9, .8, .5, .1, .1, .1}},
                                                  {{.9, .6, .585, .1, .1, .1}},
                                                  {{.9, .6, .55, .1, .1, .1}},
                                                  {{.7, .6, .45, .1, .1, .1}}};
static const struct router_scores candidate[T] = {{{.9, .8, .5, .1, .1, .1}},
                                                  {{.9, .6, .7, .1, .1, .1}},
                                                  {{.5, .6, .55, .1, .1, .1}},
                                                  {{.7, .56, .45, .1, .1, .1}}};
static struct router_scores above[T], moved_above[T]; /* layer 3 of both */

static void setup(void)
{
    static const size_t lengths[] = {1, 3};
    make_directory();
    made_model_init(&made, lengths, 2);
    made_model_route(&made);
    for (size_t t = 0; t < T; t++) {
        choose_pair(&above[t], 0, 1);
        choose_pair(&moved_above[t], 0, t % 2 ? 2 : 1);
    }
}

static void teardown(void)
{
    made_model_release(&made);
    remove_directory();
}

TestSuite(routing_agreement, .init = setup, .fini = teardown);

static struct lfm_trace *open_routes(const char *name, const struct router_scores *first, const struct router_scores *second,
                                     size_t tokens, bool complete)
{
    struct lfm_trace *trace;
    write_routes(&made, name, (const struct router_scores *const[]){first, second}, tokens, complete);
    assert_ok(lfm_trace_open(&trace, in_directory(name), &error));
    return trace;
}

static struct lfm_agreement agree(size_t tokens)
{
    struct lfm_agreement agreement;
    struct lfm_trace *a = open_routes("a.h5", reference, above, T, true);
    struct lfm_trace *b = open_routes("b.h5", candidate, moved_above, tokens, tokens == T);
    size_t both;
    assert_ok(lfm_traces_overlap(&both, a, b, &error));
    cr_assert_eq(both, tokens);
    assert_ok(lfm_agreement_read(&agreement, a, b, both, &error));
    lfm_trace_close(a);
    lfm_trace_close(b);
    return agreement;
}

Test(routing_agreement, of_layers_by_hand)
{
    struct lfm_agreement agreement = agree(T);
    const struct lfm_agreement_layer *layer = &agreement.layers[0];
    cr_assert_eq(agreement.n_layers, 2);
    cr_assert_eq(layer->layer, 2);
    assert_near(layer->figures.exact_set, 0.5, 1e-15);
    assert_near(layer->figures.shared, (1 + 0.5 + 0.5 + 1) / 4, 1e-15);
    assert_near(layer->figures.overlap, (1 + 1.0 / 3 + 1.0 / 3 + 1) / 4, 1e-15);
    assert_near(layer->figures.top1, 0.75, 1e-15); /* token 2: expert 1 comes first */
    assert_near(layer->figures.weight_l1, 2 * layer->figures.mass_moved, 1e-15);
    /* exact_set is 1 | 0 0 1 less the mean 1/2: clusters .5 and -.5, so 2/1 * (.25 + .25) / 16. */
    assert_near(layer->errors.exact_set, 0.25, 1e-15);
    cr_assert_eq(layer->unexplained_reference, 0);
    cr_assert_eq(layer->unexplained_candidate, 0);
    /* four scores moved: .115, -.4, -.04 of 4 * 6 */
    assert_near(layer->score_deviation, sqrt((.115 * .115 + .4 * .4 + .04 * .04) / 24), 1e-7);
    lfm_agreement_release(&agreement);
}

Test(routing_agreement, flips_are_predicted_from_margins_and_movement)
{
    struct lfm_agreement agreement = agree(T);
    const struct lfm_agreement_layer *layer = &agreement.layers[0];
    const double margins[T] = {.3, .015, .05, .15}, moves[T] = {0, .115, 0, .04};
    double mean = 0, variance = 0, normal = 0;
    for (size_t t = 0; t < T; t++) mean += moves[t] / T;
    for (size_t t = 0; t < T; t++) variance += (moves[t] - mean) * (moves[t] - mean) / (T - 1);
    for (size_t t = 0; t < T; t++) normal += gsl_cdf_ugaussian_Q((margins[t] - mean) / sqrt(variance)) / T;
    assert_near(layer->perturbation_mean, mean, 1e-7);
    assert_near(layer->perturbation_deviation, sqrt(variance), 1e-7);
    cr_assert_eq(layer->flips.tokens, 4);
    assert_near(layer->flips.observed, 0.5, 0);
    assert_near(layer->flips.boundary, 0.25, 0);
    /* above .015 are two of the four moves, above .05 one, above .15 and .3 none */
    assert_near(layer->flips.predicted_empirical, (0.5 + 0.25) / 4, 1e-15);
    assert_near(layer->flips.predicted_normal, normal, 1e-6);
    lfm_agreement_release(&agreement);
}

Test(routing_agreement, bins_divide_the_tokens_by_the_references_margin)
{
    struct lfm_agreement agreement = agree(T);
    const struct lfm_margin_bin *bins = agreement.layers[0].bins;
    static const size_t tokens[LFM_MARGIN_BINS] = {0, 0, 0, 0, 0, 1, 1, 2};
    for (size_t i = 0; i < LFM_MARGIN_BINS; i++) cr_assert_eq(bins[i].flips.tokens, tokens[i], "bin %zu", i);
    assert_near(bins[5].flips.observed, 1, 0);
    assert_near(bins[5].flips.boundary, 1, 0);
    assert_near(bins[5].flips.predicted_empirical, 0.5, 0);
    assert_near(bins[6].flips.observed, 1, 0);
    assert_near(bins[6].flips.boundary, 0, 0);
    assert_near(bins[6].figures.shared, 0.5, 0);
    assert_near(bins[7].flips.observed, 0, 0);
    cr_assert(isnan(bins[0].flips.observed));
    /* The margin of all tokens of layer 3 is .7. */
    cr_assert_eq(agreement.bins[7].flips.tokens, 2 + 4);
    assert_near(agreement.bins[7].flips.observed, 2.0 / 6, 1e-15);
    assert_near(agreement.flips.observed, 4.0 / 8, 1e-15);
    assert_near(agreement.figures.exact_set, 4.0 / 8, 1e-15);
    lfm_agreement_release(&agreement);
}

Test(routing_agreement, edges_belong_to_the_bin_above)
{
    cr_assert_eq(lfm_margin_bin(0), 0);
    cr_assert_eq(lfm_margin_bin(0.9999e-4), 0);
    cr_assert_eq(lfm_margin_bin(1e-4), 1);
    cr_assert_eq(lfm_margin_bin(0.0999), 6);
    cr_assert_eq(lfm_margin_bin(0.1), 7);
    cr_assert_eq(lfm_margin_bin(5), 7);
    for (size_t i = 1; i + 1 < LFM_MARGIN_BINS; i++)
        assert_near(log10(lfm_margin_edges[i + 1] / lfm_margin_edges[i]), 0.5, 1e-12);
}

Test(routing_agreement, tokens_leave_the_references_path_once)
{
    /* Layer 2: tokens 1 and 2; layer 3: 1 again, and 3. Token 0 never. */
    struct lfm_agreement agreement = agree(T);
    cr_assert_eq(agreement.layers[0].first, 2);
    cr_assert_eq(agreement.layers[1].first, 1);
    cr_assert_eq(agreement.never, 1);
    cr_assert(isnan(agreement.layers[0].after_flip));
    assert_near(agreement.layers[1].after_flip, 0.5, 0);
    assert_near(agreement.layers[1].after_agreement, 0.5, 0);
    lfm_agreement_release(&agreement);
}

Test(routing_agreement, of_a_trace_with_itself_is_perfect)
{
    struct lfm_agreement agreement;
    struct lfm_trace *a = open_routes("a.h5", reference, above, T, true);
    assert_ok(lfm_agreement_read(&agreement, a, a, T, &error));
    cr_assert_eq(agreement.figures.exact_set, 1);
    cr_assert_eq(agreement.flips.observed, 0);
    cr_assert_eq(agreement.flips.predicted_empirical, 0);
    cr_assert_eq(agreement.flips.predicted_normal, 0);
    cr_assert_eq(agreement.never, T);
    lfm_agreement_release(&agreement);
    lfm_trace_close(a);
}

Test(routing_agreement, covers_what_an_incomplete_trace_has)
{
    struct lfm_agreement agreement = agree(2);
    cr_assert_eq(agreement.tokens, 2);
    assert_near(agreement.layers[0].flips.observed, 0.5, 0);
    cr_assert_eq(agreement.never, 1);
    lfm_agreement_release(&agreement);
}

Test(routing_agreement, a_complete_trace_that_is_shorter_is_of_another_text)
{
    struct lfm_trace *a = open_routes("a.h5", reference, above, T, true);
    struct lfm_trace *b = open_routes("b.h5", candidate, moved_above, 2, true);
    size_t both;
    assert_fails(lfm_traces_overlap(&both, a, b, &error), LFM_ERROR_MISMATCH, "has 4 tokens");
    lfm_trace_close(a);
    lfm_trace_close(b);
}
