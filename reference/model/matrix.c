/* Matrices in any number format: see model.h. */
#include "reference/model/kernels.h"
#include "reference/model/model.h"

/* Row r of x[columns] times its scales. */
static void scale_row(const struct lfm_matrix *matrix, size_t r, float *x)
{
    size_t n = matrix->columns;
    size_t scales_per_row = (n + matrix->scale_columns - 1) / matrix->scale_columns;
    const float *scales = matrix->scales + r / matrix->scale_rows * scales_per_row;
    for (size_t first = 0; first < n; first += matrix->scale_columns) {
        size_t end = n - first < matrix->scale_columns ? n : first + matrix->scale_columns;
        float scale = scales[first / matrix->scale_columns];
        for (size_t c = first; c < end; c++) x[c] *= scale;
    }
}

void lfm_matrix_decode_rows(const struct lfm_matrix *matrix, size_t first, size_t n_rows, float *x, size_t x_stride)
{
    size_t n = matrix->columns;
    const struct lfm_format_kernels *kernels = lfm_format_kernels(lfm_kernels(), matrix->format);
    bool fast = kernels && kernels->decode_row && n % LFM_Q8_BLOCK == 0;
    for (size_t r = first; r < first + n_rows; r++, x += x_stride) {
        (fast ? kernels->decode_row : matrix->format->decode_row)(x, (const uint8_t *)matrix->data + r * matrix->row_bytes, n);
        if (matrix->scales) scale_row(matrix, r, x);
    }
}

size_t lfm_matrix_bytes(const struct lfm_matrix *matrix)
{
    size_t bytes = matrix->rows * matrix->row_bytes;
    if (!matrix->scales) return bytes;
    size_t scale_rows = (matrix->rows + matrix->scale_rows - 1) / matrix->scale_rows;
    size_t scale_columns = (matrix->columns + matrix->scale_columns - 1) / matrix->scale_columns;
    return bytes + scale_rows * scale_columns * sizeof(float);
}
