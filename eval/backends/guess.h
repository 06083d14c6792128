/* Guesses how a text goes on from how it went on before. */
#ifndef LFM_EVAL_BACKENDS_GUESS_H
#define LFM_EVAL_BACKENDS_GUESS_H

#include <stddef.h>
#include <stdint.h>

enum { LFM_LEAST_REPEATED = 8 }; /* tokens that have to repeat before a guess is made */

/* Writes `most` guesses for what follows ids[n]: what followed the last place before the end where the last LFM_LEAST_REPEATED
 * ids stand, round and round when that is the end itself. Returns how many it wrote: `most`, or 0 when there is no such place. */
size_t lfm_guess(int32_t *guesses, size_t most, const int32_t *ids, size_t n);

#endif
