/* What chance alone does to the load of experts: how uneven T tokens look whose every K experts are drawn evenly. */
#ifndef LFM_QUANT_ROUTING_CHANCE_H
#define LFM_QUANT_ROUTING_CHANCE_H

#include "quant/routing.h"
#include "reference/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LFM_CHANCE_DRAWS = 1000,        /* simulated loads */
    LFM_CHANCE_MOST_CHOICES = 1 << 17 /* T K up to which every choice is drawn */
};

/* Even routing: each token takes K of E experts, all sets being equally likely, tokens being independent. Then the count
 * of an expert is binomial(T, K/E), and two counts have the correlation -1/(E-1).
 *
 * Mean and standard deviation of each figure of lfm_balance over LFM_CHANCE_DRAWS loads: every choice is drawn (GSL's
 * mt19937 from `seed`) while T K <= LFM_CHANCE_MOST_CHOICES; beyond that the counts are drawn from the normal distribution
 * with the same means and covariances, the limit of large T. Exactly known is only mean(cv^2) = (E - K) / (T K). */
struct lfm_chance {
    struct lfm_balance mean, deviation;
    size_t draws;
    bool normal; /* drawn from the normal limit */
};

/* T, E, K are at least 1, K at most E. */
enum lfm_status lfm_chance(struct lfm_chance *out, size_t T, size_t E, size_t K, uint64_t seed, struct lfm_error *error);

#endif
