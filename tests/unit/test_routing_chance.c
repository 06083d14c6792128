/* Loads by chance: cases that are known exactly, and what is known about their moments. */
#include "quant/routing_chance.h"
#include "tests/unit/assert.h"

static struct lfm_error error;

static struct lfm_chance chance_of(size_t T, size_t E, size_t K, uint64_t seed)
{
    struct lfm_chance chance;
    assert_ok(lfm_chance(&chance, T, E, K, seed, &error));
    return chance;
}

Test(routing_chance, one_token_loads_its_experts_once_and_no_other)
{
    /* Counts 1, 1, 0, 0 in some order: mean 1/2, deviation 1/2. */
    struct lfm_chance chance = chance_of(1, 4, 2, 0);
    cr_assert_not(chance.normal);
    assert_near(chance.mean.entropy, log(2), 1e-14);
    assert_near(chance.mean.cv, 1, 1e-14);
    assert_near(chance.mean.jain, 0.5, 1e-14);
    assert_near(chance.mean.max_violation, 1, 1e-14);
    assert_near(chance.mean.balancedness, 0.5, 1e-14);
    assert_near(chance.deviation.cv, 0, 1e-14);
}

Test(routing_chance, choosing_every_expert_is_even)
{
    struct lfm_chance chance = chance_of(10, 3, 3, 0);
    assert_near(chance.mean.cv, 0, 1e-15);
    assert_near(chance.mean.entropy_normalized, 1, 1e-14);
}

/* Of two tokens that choose one of two experts, half go together: cv is 1 or 0, each with probability 1/2. 1000 draws have
 * a standard error of 0.016; 0.08 is five of them. */
Test(routing_chance, two_tokens_of_one_expert_each_go_together_half_the_time)
{
    struct lfm_chance chance = chance_of(2, 2, 1, 0);
    assert_near(chance.mean.cv, 0.5, 0.08);
    assert_near(chance.deviation.cv, 0.5, 0.01);
    assert_near(chance.mean.entropy, log(2) / 2, 0.08 * log(2));
}

/* mean(cv^2) = (E - K) / (T K), mean(H) = ln E - half of that but for terms in 1/T^2. cv^2 (E - 1) / mean is about
 * chi^2 with E - 1 degrees of freedom: its relative standard error over 1000 draws is sqrt(2 / 7 / 1000) = 0.017. */
static void check_moments(size_t T)
{
    struct lfm_chance chance = chance_of(T, 8, 2, 3);
    double expected = 6.0 / (2 * (double)T), spread = chance.deviation.cv * chance.deviation.cv * 999 / 1000;
    assert_near((chance.mean.cv * chance.mean.cv + spread) / expected, 1, 0.085);
    assert_near((log(8) - chance.mean.entropy) / (expected / 2), 1, 0.1);
}

Test(routing_chance, simulated_loads_have_the_known_moments)
{
    cr_assert_not(chance_of(500, 8, 2, 3).normal);
    check_moments(500);
}

Test(routing_chance, loads_of_many_tokens_come_from_the_normal_limit_with_the_same_moments)
{
    cr_assert(chance_of(1000000, 8, 2, 3).normal);
    check_moments(1000000);
}

Test(routing_chance, the_seed_decides)
{
    struct lfm_chance a = chance_of(50, 4, 1, 1), b = chance_of(50, 4, 1, 1), c = chance_of(50, 4, 1, 2);
    cr_assert_eq(a.mean.cv, b.mean.cv);
    cr_assert_neq(a.mean.cv, c.mean.cv);
}
