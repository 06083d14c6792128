/* Python's random.Random: the generator and the draws langdetect takes from it. GSL has the same Mersenne Twister
 * (MT19937) but seeds it otherwise than Python, and its normal draws are other ones; every draw decides here. */
#ifndef LFM_EVAL_TEXT_TWISTER_H
#define LFM_EVAL_TEXT_TWISTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LFM_TWISTER_WORDS = 624 };

struct lfm_twister {
    uint32_t state[LFM_TWISTER_WORDS];
    size_t used; /* words of `state` already given out */
    double next_gauss;
    bool has_gauss;
};

/* random.seed(seed), for a seed below 2^32: init_by_array of one word (Matsumoto and Nishimura, 2002). */
void lfm_twister_seed(struct lfm_twister *twister, uint32_t seed);
/* random.random(): 53 bits, 0 <= x < 1. */
double lfm_twister_uniform(struct lfm_twister *twister);
/* random.gauss(0, 1): Box and Muller's pair, of which the second waits for the next call. */
double lfm_twister_gauss(struct lfm_twister *twister);
/* random.choice: an index below n; 0 < n < 2^32. */
size_t lfm_twister_choice(struct lfm_twister *twister, size_t n);

#endif
