/* exp in 16 lanes: the exponential of softmax, silu and the router's sigmoid, the same bits on every processor and with
 * every C library.
 *
 * exp(x) = 2^n exp(r), n = x / ln 2 rounded to a whole number, r = x - n ln 2 with ln 2 in two parts; exp(r) by a
 * polynomial of degree 6 (minimax on |r| <= ln 2 / 2). Within 1 ulp of the true value for every float (checked over all
 * of them; the largest error is 0.98 ulp); 0 below -103.98, subnormal results rounded once, infinity from 88.73 on;
 * NaN stays NaN. */
#ifndef LFM_MODEL_EXP_H
#define LFM_MODEL_EXP_H

#include "reference/model/lanes.h"

#include <stdint.h>

typedef int32_t lfm_int_lanes __attribute__((vector_size(64)));

/* mask ? a : b, where each lane of the mask is all ones or zeros, as comparisons give them. */
#define lfm_select(mask, a, b) ((lfm_lanes)(((mask) & (lfm_int_lanes)(a)) | (~(mask) & (lfm_int_lanes)(b))))

/* *x = exp(*x). By pointer, as passing vectors depends on the processor that is compiled for. */
static inline __attribute__((always_inline)) void lfm_exp_lanes(lfm_lanes *x)
{
    const lfm_lanes zero = {0}, lowest = zero - 104.0f, highest = zero + 89.0f;
    const lfm_lanes round = zero + 0x1.8p23f; /* adding it leaves a whole number in the last bits */
    lfm_lanes y = lfm_select(*x < lowest, lowest, *x);
    y = lfm_select(y > highest, highest, y);
    lfm_lanes shifted = y * 0x1.715476p+0f + round;
    lfm_lanes whole = shifted - round;
    lfm_lanes r = (y - whole * 0x1.62e4p-1f) - whole * 0x1.7f7d1cp-20f;
    lfm_lanes p = r * 0x1.6a215ap-10f + 0x1.123b9ap-7f;
    p = p * r + 0x1.5558fcp-5f;
    p = p * r + 0x1.55549p-3f;
    p = p * r + 0x1.fffffcp-2f;
    p = 1.0f + (r + r * r * p);
    lfm_int_lanes n = (lfm_int_lanes)shifted - (lfm_int_lanes)round;
    lfm_int_lanes half = n >> 1; /* 2^n in two steps: n may lie outside the range of normal exponents */
    *x = p * (lfm_lanes)((half + 127) << 23) * (lfm_lanes)((n - half + 127) << 23);
}

/* *x = 1 / (1 + exp(-*x)) */
static inline __attribute__((always_inline)) void lfm_sigmoid_lanes(lfm_lanes *x)
{
    *x = -*x;
    lfm_exp_lanes(x);
    *x = 1.0f / (1.0f + *x);
}

#endif
