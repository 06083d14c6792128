/* Sixteen partial sums side by side: how every dot product of the reference is summed.
 *
 * A sum of n products is kept as 16 sums, product i going to sum i mod 16, which are added pairwise at the end. The
 * order is the same on every processor and in every kernel, so results are the same bits; it suits 128-, 256- and
 * 512-bit registers alike. */
#ifndef LFM_MODEL_LANES_H
#define LFM_MODEL_LANES_H

enum { LFM_LANES = 16 };

/* Compiles a function for several instruction sets and picks one at program start. Not with Clang, whose version
 * 14 names the choosing symbol otherwise than callers in other files do. */
#if defined(__x86_64__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define LFM_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define LFM_CLONES
#endif

#endif
