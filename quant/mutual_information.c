/* Mutual information: see mutual_information.h. */
#include "quant/mutual_information.h"

#include <math.h>

/* -sum p ln p over the sums of `n` lines of the table, each of `length` cells `step` apart; how many are not empty. */
static double marginal(const uint32_t *counts, size_t n, size_t stride, size_t length, size_t step, double total,
                       size_t *occupied)
{
    double entropy = 0;
    *occupied = 0;
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t j = 0; j < length; j++) sum += counts[i * stride + j * step];
        if (sum == 0) continue;
        ++*occupied;
        entropy -= sum / total * log(sum / total);
    }
    return entropy;
}

struct lfm_mutual_information lfm_mutual_information(const uint32_t *counts, size_t rows, size_t columns)
{
    struct lfm_mutual_information out = {0, NAN, NAN, NAN, NAN, 0, 0, 0};
    for (size_t i = 0; i < rows * columns; i++) out.observations += counts[i];
    double n = out.observations;
    if (n == 0) return out;
    out.entropy_rows = marginal(counts, rows, columns, columns, 1, n, &out.occupied_rows);
    out.entropy_columns = marginal(counts, columns, 1, rows, columns, n, &out.occupied_columns);
    double joint = marginal(counts, rows * columns, 1, 1, 1, n, &out.occupied_cells);
    out.plugin = out.entropy_rows + out.entropy_columns - joint;
    out.corrected = out.plugin + ((double)(out.occupied_rows + out.occupied_columns) - (double)out.occupied_cells - 1) /
                                     (2 * n);
    return out;
}
