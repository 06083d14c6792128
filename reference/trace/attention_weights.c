/* Summaries of attention weights: see attention_weights.h. */
#include "reference/trace/attention_weights.h"

#include "reference/base/memory.h"
#include "reference/model/lanes.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { LANES = 8 };
typedef double lanes __attribute__((vector_size(64)));
typedef float lanes_in_memory __attribute__((vector_size(32), aligned(4), may_alias));

/* scores[j] = scale q[A] . keys[j,A], in double: product i goes to sum i mod 8. */
LFM_CLONES
static void multiply_keys(double *scores, const float *q, const float *keys, size_t n, size_t A, double scale)
{
    for (size_t j = 0; j < n; j++) {
        const float *k = keys + j * A;
        lanes sums = {0};
        size_t a = 0;
        for (; a + LANES <= A; a += LANES)
            sums += __builtin_convertvector(*(const lanes_in_memory *)(const void *)(q + a), lanes) *
                    __builtin_convertvector(*(const lanes_in_memory *)(const void *)(k + a), lanes);
        double sum = 0;
        for (size_t i = 0; i < LANES; i++) sum += sums[i];
        for (; a < A; a++) sum += (double)q[a] * (double)k[a];
        scores[j] = sum * scale;
    }
}

/* The summary of one token and query head (number `row` of n*H) from its n scores, which become the weights relative to
 * the largest. */
static void summarize(const struct lfm_attention_summary *out, size_t row, double *scores, size_t n,
                      const struct lfm_ranges *spans)
{
    size_t largest = 0;
    double total = 0, weighted = 0;
    for (size_t j = 1; j < n; j++)
        if (scores[j] > scores[largest]) largest = j;
    double most = scores[largest];
    for (size_t j = 0; j < n; j++) {
        double score = scores[j] - most;
        scores[j] = exp(score);
        total += scores[j];
        weighted += scores[j] > 0 ? scores[j] * score : scores[j];
    }
    out->entropy[row] = (float)(log(total) - weighted / total);
    out->largest[row] = (float)(1 / total);
    out->position[row] = (int32_t)largest;
    for (size_t s = 0; s < spans->count; s++) {
        double mass = 0;
        for (size_t j = spans->items[s].first; j < n && j <= spans->items[s].last; j++) mass += scores[j];
        out->span_mass[row * spans->count + s] = (float)(mass / total);
    }
}

enum lfm_status lfm_attention_summarize(const struct lfm_attention_summary *out,
                                        const struct lfm_attention_queries *queries, struct lfm_error *error)
{
    size_t H = queries->H, G = queries->G, A = queries->A, group = H / G, n = queries->n;
    size_t seen = queries->first_position + n, n_threads = (size_t)omp_get_max_threads();
    double scale = 1 / sqrt((double)A), *scores = NULL;
    float *keys = NULL;
    enum lfm_status status;
    LFM_TRY_DONE(LFM_ALLOC(&keys, seen * A, error));
    LFM_TRY_DONE(LFM_ALLOC(&scores, n_threads * seen, error));
    for (size_t g = 0; g < G; g++) {
        lfm_kv_load(keys, A, queries->keys, 0, seen, g * A, A);
#pragma omp parallel for schedule(dynamic, 16)
        for (size_t i = 0; i < n * group; i++) {
            size_t t = i / group, h = g * group + i % group, visible = queries->first_position + t + 1;
            double *own = scores + (size_t)omp_get_thread_num() * seen;
            multiply_keys(own, queries->q + (t * H + h) * A, keys, visible, A, scale);
            summarize(out, t * H + h, own, visible, queries->spans);
        }
    }

done:
    free(keys);
    free(scores);
    return status;
}
