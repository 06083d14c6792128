#include "eval/backends/guess.h"

#include <string.h>

enum { LEAST = LFM_LEAST_REPEATED };

size_t lfm_guess(int32_t *guesses, size_t most, const int32_t *ids, size_t n)
{
    for (size_t end = n; end-- > LEAST;) {
        if (memcmp(ids + end - LEAST, ids + n - LEAST, LEAST * sizeof *ids) != 0) continue;
        for (size_t i = 0; i < most; i++) guesses[i] = end + i < n ? ids[end + i] : guesses[end + i - n];
        return most;
    }
    return 0;
}
