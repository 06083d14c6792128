/* The operations of the forward pass that are not matrix products. Leaf loops, FP32, row-major.
 * Results do not depend on the number of threads. Equation numbers are those of MODEL.md. */
#ifndef LFM_MODEL_OPS_H
#define LFM_MODEL_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* y[T,D] = g[D] * x[T,D] / sqrt(mean_D(x^2) + eps), the mean in double, in 16 partial sums. y may be x. MODEL.md 2 */
void lfm_rmsnorm(float *y, const float *x, const float *g, size_t T, size_t D, double eps);

/* y[n] += x[n] */
void lfm_add(float *y, const float *x, size_t n);

/* y[n] *= x[n] */
void lfm_multiply_elements(float *y, const float *x, size_t n);

/* a[T,D], b[T,D], c[T,D] = the thirds of each row of abc[T,3D]. */
void lfm_split_thirds(float *a, float *b, float *c, const float *abc, size_t T, size_t D);

/* y[n,D] = the rows `rows`[n] of x. */
void lfm_gather_rows(float *y, const float *x, const size_t *rows, size_t n, size_t D);

/* Row rows[i] of y += weights[i] * x[i,D], for n distinct rows. */
void lfm_add_weighted_rows(float *y, const float *x, const size_t *rows, const float *weights, size_t n, size_t D);

/* gate[n] = silu(gate[n]) * up[n], silu(x) = x / (1 + exp(-x)). MODEL.md 5 */
void lfm_silu_multiply(float *gate, const float *up, size_t n);

/* Depthwise causal convolution over time. MODEL.md 3
 * y[T,D]: y[t,d] = sum_j kernel[d,j] * bx[t-(L-1)+j, d], where rows before 0 are the L-1 rows of `past`
 * (oldest first). Afterwards `past` holds the last L-1 rows of past and bx. */
void lfm_short_conv(float *y, const float *bx, float *past, const float *kernel, size_t T, size_t D, size_t L);

/* Rotates each of n_heads heads of x[T, n_heads*A] by its position, in place: pairs (i, i + A/2), or (2i, 2i + 1)
 * when `neighbours`; angle = position / theta^(2i/A). MODEL.md 4 */
void lfm_rope(float *x, size_t T, size_t n_heads, size_t A, size_t first_position, double theta, bool neighbours);

/* scores[T,E] = sigmoid(logits[T,E]) + bias[E] (bias may be NULL): what the experts are ranked by. MODEL.md 6 */
void lfm_expert_scores(float *scores, const float *logits, const float *bias, size_t T, size_t E);

/* Chooses K experts for each token. MODEL.md 6
 * selected[T,K]: the K largest of sigmoid(logits[T,E]) + bias[E] (bias may be NULL), best first, ties to the lower id. */
void lfm_select_experts(int32_t *selected, const float *logits, const float *bias, size_t T, size_t E, size_t K);

/* margins[T] = the least score of a chosen expert minus the largest of those that were not: how far a score has to move
 * before another expert is chosen. Infinite when all E are chosen; negative when something else made the choice. */
void lfm_expert_margins(float *margins, const float *scores, const int32_t *selected, size_t T, size_t E, size_t K);

/* weights[T,K]: sigmoid of the chosen experts' logits; divided by (their sum + 1e-6) when `normalise`; times scale. */
void lfm_expert_weights(float *weights, const int32_t *selected, const float *logits, size_t T, size_t E, size_t K,
                        bool normalise, double scale);

#endif
