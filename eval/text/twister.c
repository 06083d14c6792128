/* See twister.h. The recurrence and the seeding are those of M. Matsumoto and T. Nishimura, "Mersenne Twister: a
 * 623-dimensionally equidistributed uniform pseudo-random number generator", ACM TOMACS 8:1 (1998), and their
 * initialization of 2002. */
#include "eval/text/twister.h"

#include <math.h>

enum { N = LFM_TWISTER_WORDS, SHIFT = 397 };

static uint32_t spread(uint32_t word)
{
    return word ^ word >> 30;
}

static void seed_with_word(uint32_t *state, uint32_t seed)
{
    state[0] = seed;
    for (uint32_t i = 1; i < N; i++) state[i] = UINT32_C(1812433253) * spread(state[i - 1]) + i;
}

void lfm_twister_seed(struct lfm_twister *twister, uint32_t seed)
{
    uint32_t *state = twister->state;
    *twister = (struct lfm_twister){.used = N};
    seed_with_word(state, UINT32_C(19650218));
    /* the key has one word, and its index, which is added too, is always 0 */
    for (size_t i = 1, k = 0; k < N; k++) {
        state[i] = (state[i] ^ spread(state[i - 1]) * UINT32_C(1664525)) + seed;
        if (++i == N) {
            state[0] = state[N - 1];
            i = 1;
        }
    }
    for (uint32_t i = 2, k = 1; k < N; k++) {
        state[i] = (state[i] ^ spread(state[i - 1]) * UINT32_C(1566083941)) - i;
        if (++i == N) {
            state[0] = state[N - 1];
            i = 1;
        }
    }
    state[0] = UINT32_C(0x80000000);
}

static void refill(struct lfm_twister *twister)
{
    uint32_t *state = twister->state;
    for (size_t i = 0; i < N; i++) {
        uint32_t joined = (state[i] & UINT32_C(0x80000000)) | (state[(i + 1) % N] & UINT32_C(0x7FFFFFFF));
        state[i] = state[(i + SHIFT) % N] ^ joined >> 1 ^ (joined & 1 ? UINT32_C(0x9908B0DF) : 0);
    }
    twister->used = 0;
}

static uint32_t next_word(struct lfm_twister *twister)
{
    if (twister->used == N) refill(twister);
    uint32_t word = twister->state[twister->used++];
    word ^= word >> 11;
    word ^= word << 7 & UINT32_C(0x9D2C5680);
    word ^= word << 15 & UINT32_C(0xEFC60000);
    return word ^ word >> 18;
}

double lfm_twister_uniform(struct lfm_twister *twister)
{
    uint32_t high = next_word(twister) >> 5, low = next_word(twister) >> 6;
    return (high * 67108864.0 + low) * (1.0 / 9007199254740992.0);
}

double lfm_twister_gauss(struct lfm_twister *twister)
{
    if (twister->has_gauss) {
        twister->has_gauss = false;
        return twister->next_gauss;
    }
    double angle = lfm_twister_uniform(twister) * (2.0 * 3.14159265358979323846);
    double radius = sqrt(-2.0 * log(1.0 - lfm_twister_uniform(twister)));
    twister->next_gauss = sin(angle) * radius;
    twister->has_gauss = true;
    return cos(angle) * radius;
}

size_t lfm_twister_choice(struct lfm_twister *twister, size_t n)
{
    unsigned bits = 0;
    while (n >> bits) bits++;
    for (;;) {
        uint32_t word = next_word(twister) >> (32 - bits);
        if (word < n) return word;
    }
}
