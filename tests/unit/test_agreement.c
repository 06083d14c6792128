/* Distances inside the model, against values computed by hand. */
#include "quant/agreement.h"
#include "tests/unit/assert.h"

Test(agreement, of_vectors_by_hand)
{
    /* x = (3, 4), y = (3, 5): |x-y|^2 = 1, |x|^2 = 25, |y|^2 = 34, xy = 29 */
    const float x[2] = {3, 4}, y[2] = {3, 5};
    struct lfm_vector_sums sums = {0};
    lfm_vector_add(&sums, x, y, 2);
    assert_near(lfm_relative_l2(&sums), 0.2, 1e-15);
    assert_near(lfm_cosine(&sums), 29 / sqrt(25.0 * 34), 1e-15);
    assert_near(lfm_sqnr_db(&sums), 10 * log10(25), 1e-12);
}

Test(agreement, of_vectors_does_not_depend_on_the_pieces)
{
    const float x[4] = {1, 2, 3, 4}, y[4] = {1, 2, 2, 5};
    struct lfm_vector_sums whole = {0}, pieces = {0};
    lfm_vector_add(&whole, x, y, 4);
    lfm_vector_add(&pieces, x, y, 3);
    lfm_vector_add(&pieces, x + 3, y + 3, 1);
    cr_assert_eq(lfm_relative_l2(&whole), lfm_relative_l2(&pieces));
}

Test(agreement, of_equal_vectors_is_perfect_also_when_they_are_zero)
{
    const float zero[2] = {0, 0};
    struct lfm_vector_sums sums = {0};
    lfm_vector_add(&sums, zero, zero, 2);
    cr_assert_eq(lfm_relative_l2(&sums), 0);
    cr_assert_eq(lfm_cosine(&sums), 1);
    cr_assert(isinf(lfm_sqnr_db(&sums)));
}

static struct lfm_router_figures figures_of(const float *a_logits, const int32_t *a, const float *a_weights,
                                            const float *b_logits, const int32_t *b, const float *b_weights, size_t E,
                                            size_t K)
{
    struct lfm_router_sums sums = {0};
    const struct lfm_router_decision reference = {a_logits, a, a_weights}, candidate = {b_logits, b, b_weights};
    lfm_router_add(&sums, &reference, &candidate, E, K);
    return lfm_router_figures(&sums);
}

Test(agreement, of_routers_by_hand)
{
    /* Sets {0,1} and {1,2}: one of three. Weights (.75,.25) and (.5 on 1, .5 on 2): expert 0 loses .75.
     * Gates: sigmoid(0) = 1/2 everywhere against (3/4, 1/2, 1/4), so p = 1/3 and q = (1/2, 1/3, 1/6). */
    const float p[3] = {0, 0, 0}, q[3] = {1.0986122886681098f, 0, -1.0986122886681098f};
    const int32_t a[2] = {0, 1}, b[2] = {1, 2};
    const float w[2] = {0.75f, 0.25f}, v[2] = {1, 1};
    struct lfm_router_figures figures = figures_of(p, a, w, q, b, v, 3, 2);
    assert_near(figures.overlap, 1.0 / 3, 1e-15);
    assert_near(figures.shared, 0.5, 1e-15);
    cr_assert_eq(figures.exact_set, 0);
    assert_near(figures.mass_moved, 0.75, 1e-15);
    assert_near(figures.weight_l1, 1.5, 1e-15);
    cr_assert_eq(figures.top1, 0);
    assert_near(figures.gate_kl, (log(2.0 / 3) + log(1.0) + log(2.0)) / 3, 1e-7);
}

Test(agreement, of_routers_ignores_the_order_of_the_chosen)
{
    const float logits[3] = {2, 1, 0};
    const int32_t a[2] = {0, 1}, b[2] = {1, 0};
    const float w[2] = {0.6f, 0.4f}, v[2] = {0.4f, 0.6f};
    struct lfm_router_figures figures = figures_of(logits, a, w, logits, b, v, 3, 2);
    cr_assert_eq(figures.overlap, 1);
    cr_assert_eq(figures.exact_set, 1);
    cr_assert_eq(figures.top1, 0);
    cr_assert_eq(figures.gate_kl, 0);
    assert_near(figures.mass_moved, 0, 1e-15);
}

Test(agreement, of_routers_averages_over_tokens_and_layers)
{
    const float logits[4] = {0, 0, 0, 0}, w[1] = {1};
    const int32_t a[1] = {0}, b[1] = {3};
    const struct lfm_router_decision here = {logits, a, w}, there = {logits, b, w};
    struct lfm_router_sums first = {0}, second = {0};
    lfm_router_add(&first, &here, &here, 4, 1);
    lfm_router_add(&first, &here, &here, 4, 1);
    lfm_router_add(&first, &here, &there, 4, 1);
    lfm_router_add(&second, &here, &there, 4, 1);
    lfm_router_merge(&first, &second);
    struct lfm_router_figures figures = lfm_router_figures(&first);
    assert_near(figures.overlap, 0.5, 1e-15);
    assert_near(figures.mass_moved, 0.5, 1e-15);
}

Test(agreement, of_routers_survives_extreme_gates)
{
    const float p[2] = {200, -200}, q[2] = {-200, -200}, w[1] = {1};
    const int32_t a[1] = {0};
    struct lfm_router_figures figures = figures_of(p, a, w, q, a, w, 2, 1);
    assert_near(figures.gate_kl, log(2), 1e-12);
}

Test(agreement, without_tokens_is_not_a_number)
{
    struct lfm_router_sums sums = {0};
    cr_assert(isnan(lfm_router_figures(&sums).overlap));
}
