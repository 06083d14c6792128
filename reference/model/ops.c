/* Leaf operations of the forward pass: see ops.h. */
#include "reference/model/ops.h"

#include "reference/model/lanes.h"

#include <math.h>
#include <omp.h>
#include <string.h>

enum { WORTH_SHARING = 1 << 20 }; /* products below which waking other threads takes longer than it saves */

LFM_CLONES
float lfm_dot(const float *a, const float *b, size_t n)
{
    lfm_lanes sum = {0};
    size_t whole = n - n % LFM_LANES;
    for (size_t i = 0; i < whole; i += LFM_LANES) sum += lfm_load(a + i) * lfm_load(b + i);
    for (size_t i = whole; i < n; i++) sum[i - whole] += a[i] * b[i];
    return lfm_sum_lanes(&sum);
}

void lfm_rmsnorm(float *y, const float *x, const float *g, size_t T, size_t D, double eps)
{
    for (size_t t = 0; t < T; t++) {
        const float *x_t = x + t * D;
        double squares = 0;
        for (size_t d = 0; d < D; d++) squares += (double)x_t[d] * x_t[d];
        float scale = (float)(1 / sqrt(squares / (double)D + eps));
        for (size_t d = 0; d < D; d++) y[t * D + d] = g[d] * (x_t[d] * scale);
    }
}

void lfm_add(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] += x[i];
}

static float sigmoid(float x)
{
    return 1 / (1 + expf(-x));
}

void lfm_silu_multiply(float *gate, const float *up, size_t n)
{
    for (size_t i = 0; i < n; i++) gate[i] = gate[i] * sigmoid(gate[i]) * up[i];
}

void lfm_short_conv(float *y, const float *bx, float *past, const float *kernel, size_t T, size_t D, size_t L)
{
    size_t n_past = L - 1;
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

void lfm_rope(float *x, size_t T, size_t n_heads, size_t A, size_t first_position, double theta, bool neighbours)
{
    for (size_t i = 0; i < A / 2; i++) {
        float frequency = 1 / (float)pow(theta, (double)((float)(2 * i) / (float)A));
        size_t first = neighbours ? 2 * i : i;
        size_t second = neighbours ? 2 * i + 1 : i + A / 2;
        for (size_t t = 0; t < T; t++) {
            float angle = (float)(first_position + t) * frequency;
            float cosine = cosf(angle), sine = sinf(angle);
            for (size_t h = 0; h < n_heads; h++) {
                float *head = x + (t * n_heads + h) * A;
                float a = head[first], b = head[second];
                head[first] = a * cosine - b * sine;
                head[second] = b * cosine + a * sine;
            }
        }
    }
}

size_t lfm_attention_scratch(size_t n_keys)
{
    return n_keys * (size_t)omp_get_max_threads();
}

/* out[A] = softmax(scale * q . keys^T) . values, over n keys of one head, rows `stride` apart. */
static void attend(float *out, const float *q, const float *keys, const float *values, size_t n, size_t stride, size_t A,
                   float scale, float *scores)
{
    float largest = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        scores[i] = scale * lfm_dot(q, keys + i * stride, A);
        largest = fmaxf(largest, scores[i]);
    }
    double total = 0;
    for (size_t i = 0; i < n; i++) {
        scores[i] = expf(scores[i] - largest);
        total += (double)scores[i];
    }
    memset(out, 0, A * sizeof *out);
    for (size_t i = 0; i < n; i++) {
        float weight = (float)(scores[i] / total);
        for (size_t a = 0; a < A; a++) out[a] += weight * values[i * stride + a];
    }
}

void lfm_attention(float *out, const float *q, const float *keys, const float *values, size_t T, size_t n_past,
                   size_t H, size_t G, size_t A, float *scores)
{
    float scale = (float)(1 / sqrt((double)A));
    size_t scratch = n_past + T;
#pragma omp parallel for collapse(2) schedule(dynamic, 4) if (T * H * A * scratch > WORTH_SHARING)
    for (size_t t = 0; t < T; t++)
        for (size_t h = 0; h < H; h++) {
            size_t head = t * H + h, key_head = h / (H / G);
            attend(out + head * A, q + head * A, keys + key_head * A, values + key_head * A, n_past + t + 1, G * A, A,
                   scale, scores + scratch * (size_t)omp_get_thread_num());
        }
}

void lfm_select_experts(int32_t *selected, const float *logits, const float *bias, size_t T, size_t E, size_t K)
{
    for (size_t t = 0; t < T; t++) {
        int32_t *chosen = selected + t * K;
        float score_of[K];
        size_t n = 0;
        for (size_t e = 0; e < E; e++) {
            float score = sigmoid(logits[t * E + e]) + (bias ? bias[e] : 0);
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
