/* Leaf operations of the forward pass: see ops.h. */
#include "reference/model/ops.h"

#include "reference/model/kernels.h"
#include "reference/model/lanes.h"

#include <math.h>
#include <string.h>

typedef float vector __attribute__((vector_size(16)));
typedef int32_t int_vector __attribute__((vector_size(16)));

#include "reference/model/exp.h"

enum {
    WORTH_SHARING = 1 << 17, /* elements below which waking other threads takes longer than it saves */
    CHUNK = 1 << 13          /* elements that a thread takes at a time */
};

typedef float eight __attribute__((vector_size(32)));
typedef float eight_in_memory __attribute__((vector_size(32), aligned(4), may_alias));
typedef double double_eight __attribute__((vector_size(64)));

#define load_in_double(pointer) \
    __builtin_convertvector((eight) * (const eight_in_memory *)(const void *)(pointer), double_eight)

/* sum x^2 in double, in 16 interleaved partial sums. */
static inline __attribute__((always_inline)) double sum_of_squares(const float *x, size_t n)
{
    double_eight low = {0}, high = {0};
    size_t whole = n - n % LFM_LANES;
    for (size_t i = 0; i < whole; i += LFM_LANES) {
        double_eight a = load_in_double(x + i), b = load_in_double(x + i + 8);
        low += a * a;
        high += b * b;
    }
    low += high;
    double sum = 0;
    for (size_t i = 0; i < 8; i++) sum += low[i];
    for (size_t i = whole; i < n; i++) sum += (double)x[i] * x[i];
    return sum;
}

LFM_CLONES
static void normalise_row(float *y, const float *x, const float *g, size_t D, double eps)
{
    float scale = (float)(1 / sqrt(sum_of_squares(x, D) / (double)D + eps));
    for (size_t d = 0; d < D; d++) y[d] = g[d] * (x[d] * scale);
}

void lfm_rmsnorm(float *y, const float *x, const float *g, size_t T, size_t D, double eps)
{
#pragma omp parallel for schedule(static) if (T * D >= WORTH_SHARING)
    for (size_t t = 0; t < T; t++) normalise_row(y + t * D, x + t * D, g, D, eps);
}

/* for (i = 0; i < n; i++) statement, in chunks that threads share. */
#define EACH(i, n, statement)                                                               \
    _Pragma("omp parallel for schedule(static) if ((n) >= WORTH_SHARING)")                  \
    for (size_t chunk = 0; chunk < (n); chunk += CHUNK)                                     \
        for (size_t i = chunk, end = (n) - chunk < CHUNK ? (n) : chunk + CHUNK; i < end; i++) statement

void lfm_add(float *y, const float *x, size_t n)
{
    EACH(i, n, y[i] += x[i];)
}

void lfm_multiply_elements(float *y, const float *x, size_t n)
{
    EACH(i, n, y[i] *= x[i];)
}

static float sigmoid(float x)
{
    return sigmoid_vector((vector){x})[0];
}

void lfm_silu_multiply(float *gate, const float *up, size_t n)
{
#pragma omp parallel for schedule(static) if (n >= WORTH_SHARING)
    for (size_t first = 0; first < n; first += CHUNK)
        lfm_kernels()->silu_multiply(gate + first, up + first, n - first < CHUNK ? n - first : CHUNK);
}

void lfm_split_thirds(float *a, float *b, float *c, const float *abc, size_t T, size_t D)
{
#pragma omp parallel for schedule(static) if (T * D >= WORTH_SHARING)
    for (size_t t = 0; t < T; t++) {
        memcpy(a + t * D, abc + t * 3 * D, D * sizeof *a);
        memcpy(b + t * D, abc + t * 3 * D + D, D * sizeof *b);
        memcpy(c + t * D, abc + t * 3 * D + 2 * D, D * sizeof *c);
    }
}

void lfm_gather_rows(float *y, const float *x, const size_t *rows, size_t n, size_t D)
{
#pragma omp parallel for schedule(static) if (n * D >= WORTH_SHARING)
    for (size_t i = 0; i < n; i++) memcpy(y + i * D, x + rows[i] * D, D * sizeof *y);
}

void lfm_add_weighted_rows(float *y, const float *x, const size_t *rows, const float *weights, size_t n, size_t D)
{
#pragma omp parallel for schedule(static) if (n * D >= WORTH_SHARING)
    for (size_t i = 0; i < n; i++)
        for (size_t d = 0; d < D; d++) y[rows[i] * D + d] += weights[i] * x[i * D + d];
}

void lfm_short_conv(float *y, const float *bx, float *past, const float *kernel, size_t T, size_t D, size_t L)
{
    size_t n_past = L - 1;
#pragma omp parallel for schedule(static) if (T * D * L >= WORTH_SHARING)
    for (size_t t = 0; t < T; t++) {
        memset(y + t * D, 0, D * sizeof *y);
        for (size_t j = 0; j < L; j++) {
            size_t row = t + j; /* counted from the oldest row of `past` */
            const float *source = row < n_past ? past + row * D : bx + (row - n_past) * D;
            for (size_t d = 0; d < D; d++) y[t * D + d] += kernel[d * L + j] * source[d];
        }
    }
    if (T >= n_past) {
        memcpy(past, bx + (T - n_past) * D, n_past * D * sizeof *past);
        return;
    }
    memmove(past, past + T * D, (n_past - T) * D * sizeof *past);
    memcpy(past + (n_past - T) * D, bx, T * D * sizeof *past);
}

enum { PAIRS = 64 }; /* of a head, rotated together */

/* What the pairs first .. first + n - 1 of every head turn by at one position. */
struct rotation {
    size_t first, n;
    float cosine[PAIRS], sine[PAIRS];
};

static void rotate_heads(float *x, size_t n_heads, size_t A, bool neighbours, const struct rotation *rotation)
{
    for (size_t h = 0; h < n_heads; h++)
        for (size_t i = 0; i < rotation->n; i++) {
            size_t pair = rotation->first + i;
            float *first = x + h * A + (neighbours ? 2 * pair : pair), *second = first + (neighbours ? 1 : A / 2);
            float a = *first, b = *second;
            *first = a * rotation->cosine[i] - b * rotation->sine[i];
            *second = b * rotation->cosine[i] + a * rotation->sine[i];
        }
}

void lfm_rope(float *x, size_t T, size_t n_heads, size_t A, size_t first_position, double theta, bool neighbours)
{
    for (size_t first = 0; first < A / 2; first += PAIRS) {
        size_t n = A / 2 - first < PAIRS ? A / 2 - first : PAIRS;
        float frequency[PAIRS];
        for (size_t i = 0; i < n; i++)
            frequency[i] = 1 / (float)pow(theta, (double)((float)(2 * (first + i)) / (float)A));
#pragma omp parallel for schedule(static) if (T * n_heads * A >= WORTH_SHARING)
        for (size_t t = 0; t < T; t++) {
            struct rotation rotation = {.first = first, .n = n};
            for (size_t i = 0; i < n; i++) {
                float angle = (float)(first_position + t) * frequency[i];
                rotation.cosine[i] = cosf(angle);
                rotation.sine[i] = sinf(angle);
            }
            rotate_heads(x + t * n_heads * A, n_heads, A, neighbours, &rotation);
        }
    }
}

static float score_of_expert(const float *logits, const float *bias, size_t e)
{
    return sigmoid(logits[e]) + (bias ? bias[e] : 0);
}

void lfm_expert_scores(float *scores, const float *logits, const float *bias, size_t T, size_t E)
{
    for (size_t t = 0; t < T; t++)
        for (size_t e = 0; e < E; e++) scores[t * E + e] = score_of_expert(logits + t * E, bias, e);
}

void lfm_select_experts(int32_t *selected, const float *logits, const float *bias, size_t T, size_t E, size_t K)
{
    for (size_t t = 0; t < T; t++) {
        int32_t *chosen = selected + t * K;
        float score_of[K];
        size_t n = 0;
        for (size_t e = 0; e < E; e++) {
            float score = score_of_expert(logits + t * E, bias, e);
            size_t place = n;
            while (place > 0 && score > score_of[place - 1]) place--;
            if (place >= K) continue;
            if (n < K) n++;
            for (size_t k = n - 1; k > place; k--) {
                score_of[k] = score_of[k - 1];
                chosen[k] = chosen[k - 1];
            }
            score_of[place] = score;
            chosen[place] = (int32_t)e;
        }
    }
}

static bool is_chosen(const int32_t *chosen, size_t K, size_t e)
{
    for (size_t k = 0; k < K; k++)
        if (chosen[k] == (int32_t)e) return true;
    return false;
}

void lfm_expert_margins(float *margins, const float *scores, const int32_t *selected, size_t T, size_t E, size_t K)
{
    for (size_t t = 0; t < T; t++) {
        float least = INFINITY, most = -INFINITY;
        for (size_t e = 0; e < E; e++) {
            float score = scores[t * E + e];
            if (is_chosen(selected + t * K, K, e)) least = score < least ? score : least;
            else most = score > most ? score : most;
        }
        margins[t] = least - most;
    }
}

void lfm_expert_weights(float *weights, const int32_t *selected, const float *logits, size_t T, size_t E, size_t K,
                        bool normalise, double scale)
{
    for (size_t t = 0; t < T; t++) {
        float sum = 0;
        for (size_t k = 0; k < K; k++) {
            weights[t * K + k] = sigmoid(logits[t * E + (size_t)selected[t * K + k]]);
            sum += weights[t * K + k];
        }
        float factor = (float)scale;
        for (size_t k = 0; k < K; k++)
            weights[t * K + k] = (normalise ? weights[t * K + k] / (sum + 1e-6f) : weights[t * K + k]) * factor;
    }
}
