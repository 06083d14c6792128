/* Linear CKA: see cka.h. */
#include "quant/cka.h"

#include "reference/base/memory.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum lfm_status lfm_cka_init(struct lfm_cka *cka, size_t width, size_t block, struct lfm_error *error)
{
    *cka = (struct lfm_cka){.width = width, .block = block};
    double **const vectors[] = {&cka->x_shift, &cka->y_shift, &cka->x_sum, &cka->y_sum};
    double **const squares[] = {&cka->xx, &cka->yy, &cka->yx};
    enum lfm_status status = LFM_OK;
    if (width > LFM_CKA_MAX_WIDTH)
        return lfm_fail(error, LFM_ERROR_LIMIT,
                        "CKA of %zu channels would take too much memory: at most %d are possible", width,
                        LFM_CKA_MAX_WIDTH);
    for (size_t i = 0; i < 4 && status == LFM_OK; i++) status = LFM_ALLOC(vectors[i], width, error);
    for (size_t i = 0; i < 3 && status == LFM_OK; i++) status = LFM_ALLOC(squares[i], width * width, error);
    if (status == LFM_OK) status = LFM_ALLOC(&cka->x, block * width, error);
    if (status == LFM_OK) status = LFM_ALLOC(&cka->y, block * width, error);
    if (status != LFM_OK) lfm_cka_release(cka);
    return status;
}

void lfm_cka_release(struct lfm_cka *cka)
{
    free(cka->x_shift);
    free(cka->y_shift);
    free(cka->x_sum);
    free(cka->y_sum);
    free(cka->xx);
    free(cka->yy);
    free(cka->yx);
    free(cka->x);
    free(cka->y);
    *cka = (struct lfm_cka){0};
}

static void find_shift(double *shift, const float *values, size_t n, size_t width)
{
    for (size_t c = 0; c < width; c++) {
        double sum = 0;
        for (size_t t = 0; t < n; t++) sum += values[t * width + c];
        shift[c] = sum / (double)n;
    }
}

static void shift_block(double *out, double *sum, const double *shift, const float *values, size_t n, size_t width)
{
    for (size_t t = 0; t < n; t++)
        for (size_t c = 0; c < width; c++) {
            out[t * width + c] = values[t * width + c] - shift[c];
            sum[c] += out[t * width + c];
        }
}

/* row[j] += sum over tokens of a[t,i] b[t,j] for j >= from. Four tokens at a time: the row is read and written once for
 * all of them. */
static void add_row(double *row, const double *a, const double *b, size_t i, size_t from, size_t n, size_t width)
{
    size_t t = 0;
    for (; t + 4 <= n; t += 4) {
        const double *factors = a + t * width + i, *values = b + t * width;
        double f0 = factors[0], f1 = factors[width], f2 = factors[2 * width], f3 = factors[3 * width];
#pragma omp simd
        for (size_t j = from; j < width; j++)
            row[j] += f0 * values[j] + f1 * values[width + j] + f2 * values[2 * width + j] + f3 * values[3 * width + j];
    }
    for (; t < n; t++)
        for (size_t j = from; j < width; j++) row[j] += a[t * width + i] * b[t * width + j];
}

void lfm_cka_add(struct lfm_cka *cka, const float *x, const float *y, size_t n)
{
    size_t width = cka->width;
    if (n == 0) return;
    if (cka->tokens == 0) {
        find_shift(cka->x_shift, x, n, width);
        find_shift(cka->y_shift, y, n, width);
    }
    shift_block(cka->x, cka->x_sum, cka->x_shift, x, n, width);
    shift_block(cka->y, cka->y_sum, cka->y_shift, y, n, width);
    cka->tokens += n;
#pragma omp parallel for schedule(dynamic, 8)
    for (size_t i = 0; i < width; i++) {
        add_row(cka->xx + i * width, cka->x, cka->x, i, i, n, width);
        add_row(cka->yy + i * width, cka->y, cka->y, i, i, n, width);
        add_row(cka->yx + i * width, cka->y, cka->x, i, 0, n, width);
    }
}

/* |A'B|_F^2 of the centred columns, from the sums of the shifted ones. Of a symmetric product only the upper triangle
 * is stored. */
static double squared_norm(const double *product, const double *a_sum, const double *b_sum, size_t width, double n,
                           bool symmetric)
{
    double total = 0;
    for (size_t i = 0; i < width; i++)
        for (size_t j = symmetric ? i : 0; j < width; j++) {
            double value = product[i * width + j] - a_sum[i] * b_sum[j] / n;
            total += value * value * (symmetric && j > i ? 2 : 1);
        }
    return total;
}

double lfm_cka_value(const struct lfm_cka *cka)
{
    double n = (double)cka->tokens;
    if (cka->tokens == 0) return NAN;
    double xx = squared_norm(cka->xx, cka->x_sum, cka->x_sum, cka->width, n, true);
    double yy = squared_norm(cka->yy, cka->y_sum, cka->y_sum, cka->width, n, true);
    double yx = squared_norm(cka->yx, cka->y_sum, cka->x_sum, cka->width, n, false);
    return xx > 0 && yy > 0 ? yx / (sqrt(xx) * sqrt(yy)) : NAN;
}
