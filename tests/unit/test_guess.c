/* What is guessed to follow, from what followed before. */
#include "eval/backends/guess.h"

#include <criterion/criterion.h>

enum { N = LFM_LEAST_REPEATED };

/* ids[n + N]: the numbers from `first` on, n of them, and then the first N of these again. */
static size_t repeat(int32_t *ids, int32_t first, size_t n)
{
    for (size_t i = 0; i < n + N; i++) ids[i] = first + (int32_t)(i % n);
    return n + N;
}

Test(guess, what_followed_the_same_tokens_follows_again)
{
    int32_t ids[64], guesses[3] = {0};
    cr_assert_eq(lfm_guess(guesses, 3, ids, repeat(ids, 100, 20)), 3);
    for (int i = 0; i < 3; i++) cr_assert_eq(guesses[i], 100 + N + i);
}

Test(guess, the_last_such_place_counts)
{
    int32_t ids[64], guesses[1];
    size_t n = repeat(ids, 0, 12);
    ids[n++] = 77;
    for (int i = 0; i < N; i++) ids[n++] = i;
    cr_assert_eq(lfm_guess(guesses, 1, ids, n), 1);
    cr_assert_eq(guesses[0], 77);
}

Test(guess, a_loop_goes_round_and_round)
{
    int32_t ids[2 * N], guesses[7];
    for (int i = 0; i < 2 * N; i++) ids[i] = i % 3;
    cr_assert_eq(lfm_guess(guesses, 7, ids, 2 * N), 7);
    for (int i = 0; i < 7; i++) cr_assert_eq(guesses[i], (2 * N + i) % 3);
}

Test(guess, nothing_is_guessed_without_enough_that_repeats)
{
    int32_t ids[64], guesses[7];
    size_t n = repeat(ids, 0, 20);
    for (size_t k = 0; k < n; k++) cr_assert_eq(lfm_guess(guesses, 7, ids, k), 0, "after %zu tokens", k);
    ids[n - N] = 500;
    cr_assert_eq(lfm_guess(guesses, 7, ids, n), 0);
    cr_assert_eq(lfm_guess(guesses, 7, ids, 0), 0);
}
