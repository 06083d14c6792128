/* Sixteen partial sums side by side: how every dot product of the reference is summed.
 *
 * A sum of n products is kept as 16 sums, product i going to sum i mod 16, which are added pairwise at the end. The
 * order is the same on every processor and in every kernel, so results are the same bits; it suits 128-, 256- and
 * 512-bit registers alike. GCC's and Clang's vector extension expresses it in plain C. */
#ifndef LFM_MODEL_LANES_H
#define LFM_MODEL_LANES_H

#include <string.h>

enum { LFM_LANES = 16 };

typedef float lfm_lanes __attribute__((vector_size(64)));
typedef float lfm_lanes_in_memory __attribute__((vector_size(64), aligned(4), may_alias));

#define lfm_load(pointer) ((lfm_lanes)*(const lfm_lanes_in_memory *)(const void *)(pointer))

static inline __attribute__((always_inline)) float lfm_sum_lanes(const lfm_lanes *lanes)
{
    float sum[LFM_LANES];
    memcpy(sum, lanes, sizeof sum);
    for (size_t half = LFM_LANES / 2; half > 0; half /= 2)
        for (size_t i = 0; i < half; i++) sum[i] += sum[i + half];
    return sum[0];
}

/* Compiles a function for several instruction sets and picks one at program start. Not with Clang, whose version
 * 14 names the choosing symbol otherwise than callers in other files do. */
#if defined(__x86_64__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define LFM_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define LFM_CLONES
#endif

#endif
