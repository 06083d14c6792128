/* Attention over one block of keys, for all sets alike: see reference/model/attention.c. The including file defines
 *     WIDTH, vector                 floats in a register, at most 16, and its type (with operators)
 *     load_vector, store_vector     from and to memory, unaligned
 *     to_all                        a float in every lane
 *     multiply_add(sum, a, b)       sum + a * b, rounded once
 *     INLINE                        what functions of constant sizes are declared with
 *
 * Scores, weights and sums are kept in 16 lanes whatever the width, so that every set computes the same bits. */
#include "reference/model/lanes.h"

#include <math.h>
#include <string.h>

typedef int32_t int_vector __attribute__((vector_size(4 * WIDTH)));

#include "reference/model/exp.h"

enum { LANE_VECTORS = LFM_LANES / WIDTH };

/* sum[h] = the sum of the partial sums lane, lane + 8, lane + 4 and lane + 12 of the dot products of q[h] with 16 keys. */
INLINE void sum_quarter(vector sum[LFM_HEADS][LANE_VECTORS], const float *q, const float *keys, size_t A, size_t lane,
                        size_t n_heads)
{
    static const size_t order[] = {0, 8, 4, 12};
    vector part[4][LFM_HEADS][LANE_VECTORS];
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++) {
        for (size_t h = 0; h < n_heads; h++)
            for (size_t v = 0; v < LANE_VECTORS; v++) part[i][h][v] = (vector){0};
        for (size_t a = lane + order[i]; a < A; a += LFM_LANES)
            for (size_t v = 0; v < LANE_VECTORS; v++) {
                vector key = load_vector(keys + a * LFM_KEYS + v * WIDTH);
                for (size_t h = 0; h < n_heads; h++) part[i][h][v] = multiply_add(part[i][h][v], to_all(q[h * A + a]), key);
            }
    }
    for (size_t h = 0; h < n_heads; h++)
        for (size_t v = 0; v < LANE_VECTORS; v++)
            sum[h][v] = (part[0][h][v] + part[1][h][v]) + (part[2][h][v] + part[3][h][v]);
}

/* The scores of 16 transposed keys, their partial sums added in the order that kernels.h gives. */
INLINE void multiply_16_keys(float *scores, const float *keys, const float *q, size_t n_heads, size_t A)
{
    vector half[2][LFM_HEADS][LANE_VECTORS];
    for (size_t odd = 0; odd < 2; odd++) {
        vector first[LFM_HEADS][LANE_VECTORS], second[LFM_HEADS][LANE_VECTORS];
        sum_quarter(first, q, keys, A, odd, n_heads);
        sum_quarter(second, q, keys, A, odd + 2, n_heads);
        for (size_t h = 0; h < n_heads; h++)
            for (size_t v = 0; v < LANE_VECTORS; v++) half[odd][h][v] = first[h][v] + second[h][v];
    }
    for (size_t h = 0; h < n_heads; h++)
        for (size_t v = 0; v < LANE_VECTORS; v++)
            store_vector(scores + h * LFM_KEYS + v * WIDTH, half[0][h][v] + half[1][h][v]);
}

INLINE void multiply_block_of_keys(float *scores, const float *keys, size_t count, const float *q, size_t n_heads,
                                   size_t A)
{
    for (size_t k = 0; k < count; k += LFM_LANES) multiply_16_keys(scores + k, keys + k, q, n_heads, A);
}

static void multiply_keys(float *scores, const float *keys, size_t count, const float *q, size_t n_heads, size_t A)
{
    switch (n_heads) {
    case 1: multiply_block_of_keys(scores, keys, count, q, 1, A); break;
    case 2: multiply_block_of_keys(scores, keys, count, q, 2, A); break;
    case 3: multiply_block_of_keys(scores, keys, count, q, 3, A); break;
    default: multiply_block_of_keys(scores, keys, count, q, LFM_HEADS, A); break;
    }
}

INLINE float largest_of(const float *x, size_t n)
{
    float largest = -INFINITY;
    for (size_t i = 0; i < n; i++) largest = x[i] > largest ? x[i] : largest;
    return largest;
}

INLINE double sum_in_double(const float lanes[LFM_LANES])
{
    double sum[LFM_LANES];
    for (size_t i = 0; i < LFM_LANES; i++) sum[i] = (double)lanes[i];
    for (size_t half = LFM_LANES / 2; half > 0; half /= 2)
        for (size_t i = 0; i < half; i++) sum[i] += sum[i + half];
    return sum[0];
}

/* Turns the scores of `count` keys into exp(score * scale - largest), and those behind them into 0 up to the end of their
 * 16; updates *largest and *total, and returns what the sums so far are to be multiplied by. */
INLINE float weigh(float *scores, float scale, size_t count, float *largest, double *total)
{
    size_t end = (count + LFM_LANES - 1) / LFM_LANES * LFM_LANES;
    for (size_t i = count; i < end; i++) scores[i] = -INFINITY;
    vector most = (vector){0} - INFINITY;
    for (size_t i = 0; i < end; i += WIDTH) {
        vector score = load_vector(scores + i) * scale;
        store_vector(scores + i, score);
        most = select_vector((int_vector)(score > most), score, most);
    }
    float lanes[LFM_LANES];
    store_vector(lanes, most);
    float before = *largest, now = largest_of(lanes, WIDTH);
    *largest = now = now > before ? now : before;
    float shift = now > -INFINITY ? now : 0;
    vector sum[LANE_VECTORS];
    for (size_t v = 0; v < LANE_VECTORS; v++) sum[v] = (vector){0};
    for (size_t i = 0; i < end; i += LFM_LANES)
        for (size_t v = 0; v < LANE_VECTORS; v++) {
            vector weight = exp_vector(load_vector(scores + i + v * WIDTH) - shift);
            store_vector(scores + i + v * WIDTH, weight);
            sum[v] += weight;
        }
    for (size_t v = 0; v < LANE_VECTORS; v++) store_vector(lanes + v * WIDTH, sum[v]);
    float shrink = exp_vector((vector){before - shift})[0];
    *total = *total * (double)shrink + sum_in_double(lanes);
    return shrink;
}

/* sums[h] = sums[h] * shrink[h] + sum over `count` keys of weights[h] * values. */
INLINE void add_values(const struct lfm_running *running, const float *shrink, const float *weights,
                       const float *values, size_t stride, size_t count, size_t n_heads)
{
    for (size_t a = 0; a < running->padded; a += LFM_LANES) {
        vector sum[LFM_HEADS][LANE_VECTORS];
        for (size_t h = 0; h < n_heads; h++)
            for (size_t v = 0; v < LANE_VECTORS; v++) sum[h][v] = (vector){0};
        for (size_t k = 0; k < count; k++)
            for (size_t v = 0; v < LANE_VECTORS; v++) {
                vector value = load_vector(values + k * stride + a + v * WIDTH);
                for (size_t h = 0; h < n_heads; h++) sum[h][v] = multiply_add(sum[h][v], to_all(weights[h * LFM_KEYS + k]), value);
            }
        for (size_t h = 0; h < n_heads; h++)
            for (size_t v = 0; v < LANE_VECTORS; v++) {
                float *at = running->sums + h * running->padded + a + v * WIDTH;
                store_vector(at, multiply_add(sum[h][v], load_vector(at), to_all(shrink[h])));
            }
    }
}

INLINE void take_scores_of(const struct lfm_running *running, float *scores, float scale, const float *values,
                           size_t stride, size_t count, size_t n_heads)
{
    float shrink[LFM_HEADS];
    for (size_t h = 0; h < n_heads; h++)
        shrink[h] = weigh(scores + h * LFM_KEYS, scale, count, &running->largest[h], &running->totals[h]);
    add_values(running, shrink, scores, values, stride, count, n_heads);
}

static void take_scores(const struct lfm_running *running, float *scores, float scale, const float *values, size_t stride,
                        size_t count, size_t n_heads)
{
    switch (n_heads) {
    case 1: take_scores_of(running, scores, scale, values, stride, count, 1); break;
    case 2: take_scores_of(running, scores, scale, values, stride, count, 2); break;
    case 3: take_scores_of(running, scores, scale, values, stride, count, 3); break;
    default: take_scores_of(running, scores, scale, values, stride, count, LFM_HEADS); break;
    }
}
