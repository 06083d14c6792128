/* Mutual information of two counted properties. */
#ifndef LFM_QUANT_MUTUAL_INFORMATION_H
#define LFM_QUANT_MUTUAL_INFORMATION_H

#include <stddef.h>
#include <stdint.h>

/* All in nats. NaN without observations. */
struct lfm_mutual_information {
    double observations;    /* n, the sum of the table */
    double entropy_rows;    /* H(row), of the observed frequencies */
    double entropy_columns; /* H(column) */
    double plugin;          /* I = H(row) + H(column) - H(row, column), of the observed frequencies; biased upwards */
    /* I + (r + c - m - 1) / (2n), r rows, c columns and m cells having observations: each entropy with the correction of
     * Miller and Madow, H + (occupied - 1) / (2n). Can be below 0 when there is no dependence. */
    double corrected;
    size_t occupied_rows, occupied_columns, occupied_cells;
};

/* counts[rows, columns]: how often the two occurred together. */
struct lfm_mutual_information lfm_mutual_information(const uint32_t *counts, size_t rows, size_t columns);

#endif
