/* Kernels: the inner loops of matrix products, attention and silu, once per instruction set.
 *
 * The table is filled in quant/kernels.c. All sets compute the same bits; what they compute is said here once.
 *
 * FP32 products. A dot product of n terms is kept as 16 partial sums, term i going to sum i mod 16 (LFM_LANES), multiplied
 * and added in one operation that rounds once (C's fmaf), and the sums are added pairwise: s[i] += s[i + 8], then 4, 2, 1.
 *
 * Integer products of activations that were rounded to blocks of 32 signed bytes (activations q8) with weights that are
 * small integers times a scale. A format gives a row as unsigned codes in groups (lfm_format.unpack_row):
 * w = scale * (code - zero) + minimum. The sum runs over the groups in ascending order, each adding
 *     (scale * d) * sum((code - zero) * q)   and then, in formats with minima,   (minimum * d) * sum(q)
 * by fmaf, where q and d are the bytes and the scale of the activations; the integer sums are exact. */
#ifndef LFM_MODEL_KERNELS_H
#define LFM_MODEL_KERNELS_H

#include "reference/base/error.h"
#include "reference/checkpoint/format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LFM_Q8_BLOCK = 32,      /* activations under one scale */
    LFM_Q8_HALF = 16,       /* activations under one sum */
    LFM_MOST_DIRECT = 8,    /* tokens that `multiply_stored` takes at once */
    LFM_KEYS = 64,          /* in a block of attention */
    LFM_HEADS = 4           /* query heads that go through such a block together */
};

/* x[T,n] rounded to q8; n a multiple of 32. */
struct lfm_q8_rows {
    size_t T, n;
    int8_t *codes;    /* [T,n] */
    float *scales;    /* [T,n/32] */
    float *sums;      /* [T,n/32] of the codes under one scale: whole numbers */
    float *half_sums; /* [T,n/16] */
};

/* Room that integer products need. */
static inline size_t lfm_q8_scratch_bytes(size_t T, size_t n)
{
    return (1 << 14) + T * 16 * sizeof(float) + 2 * n;
}

/* The results so far of n_heads query heads of one token, over the keys they have seen: see attention.c. */
struct lfm_running {
    double *totals;  /* [n_heads] sums of exp(score - largest) */
    float *largest;  /* [n_heads] */
    float *sums;     /* [n_heads, padded] sums of exp(score - largest) * value */
    size_t padded;   /* a multiple of 16 */
};

/* What one instruction set has for one format. Functions may be NULL: linear.c then uses the
 * format's decode_row, or the set's multiply_q8. */
struct lfm_format_kernels {
    const char *format;
    /* x[n] = the row's elements, as the format's decode_row; n a multiple of 32 and, here and below, of the format's block. */
    void (*decode_row)(float *x, const void *row, size_t n);
    /* y[t * y_stride + r] = rows[r] . x[t] for T <= LFM_MOST_DIRECT tokens, decoding as it goes; n a multiple of 32. */
    void (*multiply_stored)(float *y, size_t y_stride, const void *rows, size_t row_bytes, size_t n_rows, const float *x,
                            size_t T, size_t n);
    /* The same with activations q8, any T. `scratch` has lfm_q8_scratch_bytes(T, n), aligned to 64. */
    void (*multiply_q8)(float *y, size_t y_stride, const void *rows, size_t row_bytes, size_t n_rows,
                        const struct lfm_q8_rows *x, void *scratch);
};

struct lfm_kernels {
    const char *name;        /* "avx512" */
    bool (*supported)(void); /* by this processor */
    /* y[t * y_stride + r] = w[r] . x[t] for w[n_rows,n], x[T,n]; n a multiple of 16, w and x aligned to 4. */
    void (*multiply)(float *y, size_t y_stride, const float *w, size_t n_rows, const float *x, size_t T, size_t n);
    /* multiply_q8 for any format with unpack_row. */
    void (*multiply_q8)(float *y, size_t y_stride, const struct lfm_format *format, const void *rows, size_t row_bytes,
                        size_t n_rows, const struct lfm_q8_rows *x, void *scratch);
    const struct lfm_format_kernels *formats; /* ends with a NULL name */
    /* scores[h * LFM_KEYS + k] = q[h] . key k for q[n_heads,A], n_heads <= LFM_HEADS, and the first `count` of the
     * transposed keys [A, LFM_KEYS]; each summed as FP32 products are. Up to the next multiple of 16 scores are written. */
    void (*multiply_keys)(float *scores, const float *keys, size_t count, const float *q, size_t n_heads, size_t A);
    /* Takes `count` keys with these scores, times `scale`, and with these values [count, stride] into the results of 1 to
     * LFM_HEADS heads. The scores are overwritten. Sums of weights are kept in 16 lanes over the block, then in double; those
     * of values are added key by key over the block, as terms of FP32 products are, then to the ones before. */
    void (*take_scores)(const struct lfm_running *running, float *scores, float scale, const float *values, size_t stride,
                        size_t count, size_t n_heads);
    /* gate[n] = silu(gate) * up */
    void (*silu_multiply)(float *gate, const float *up, size_t n);
};

/* The sets of this build, best first; the last one, "plain", is supported everywhere. Ends with NULL. */
extern const struct lfm_kernels *const lfm_kernel_sets[];

/* The best set that is supported; or the one that the environment variable LFMSCOPE_KERNELS names, if it is. */
const struct lfm_kernels *lfm_kernels(void);
/* Fails when LFMSCOPE_KERNELS names a set that this processor does not run, or none. */
enum lfm_status lfm_kernels_check(struct lfm_error *error);
/* The set's row for a format, NULL when it has none. */
const struct lfm_format_kernels *lfm_format_kernels(const struct lfm_kernels *kernels, const struct lfm_format *format);

#endif
