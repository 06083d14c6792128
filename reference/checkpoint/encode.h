/* Encoding whole matrices: rows of floats in, the rows of a number format and its scales out.
 *
 * Used when a model is quantized in memory and when it is written to a file, so that both give the same bytes.
 *
 * Formats with `scaled_max` (FP8) have no scales of their own. One scale covers a group of elements: the matrix, one
 * row (an output channel), or a tile of 128 rows by 128 columns (smaller at the edges). In FP32, as compressed-tensors
 * computes it: scale = max|x| / scaled_max (1 for a group of zeros), stored = encode(x / scale), w = stored * scale. */
#ifndef LFM_CHECKPOINT_ENCODE_H
#define LFM_CHECKPOINT_ENCODE_H

#include "reference/base/error.h"
#include "reference/checkpoint/format.h"

#include <stdbool.h>
#include <stddef.h>

/* What one scale covers. Ignored for formats without scaled_max. */
enum lfm_scale { LFM_SCALE_TENSOR, LFM_SCALE_CHANNEL, LFM_SCALE_BLOCK };

enum { LFM_SCALE_TILE = 128 };

/* The scale of that name ("tensor", "channel", "block"); false when there is none. */
bool lfm_scale_by_name(const char *name, enum lfm_scale *scale);

/* Rows and columns of the matrix of scales: {1, 1}, {rows, 1} or {ceil(rows/128), ceil(columns/128)}. */
void lfm_scale_shape(enum lfm_scale scale, size_t rows, size_t columns, size_t *scale_rows, size_t *scale_columns);

/* Their product; 0 for a format without scaled_max. */
size_t lfm_scale_count(const struct lfm_format *format, enum lfm_scale scale, size_t rows, size_t columns);

/* The scale of one group of n elements: max|x| / scaled_max, 1 where that is zero; not finite when an element is not. */
float lfm_group_scale(const float *x, size_t n, float scaled_max);

/* Where the rows come from. `row` writes row r into x[columns]; it is called from several threads at once, at most
 * twice for each row. */
struct lfm_row_source {
    const char *name; /* of the tensor, for messages */
    size_t rows, columns;
    void (*row)(const void *context, size_t r, float *x);
    const void *context;
};

/* Encodes the whole matrix: rows of lfm_format_row_bytes each into `data`, and lfm_scale_count floats into `scales`
 * (NULL for formats without scaled_max). The result does not depend on the number of threads. Fails on a format
 * without encoder, rows that are no multiple of its block, and values that are not finite or that the format cannot
 * hold (1e5 in f16), naming the place. */
enum lfm_status lfm_encode_matrix(const struct lfm_row_source *source, const struct lfm_format *format,
                                  enum lfm_scale scale, void *data, float *scales, struct lfm_error *error);

/* The two steps of it, for writers that go through a matrix in pieces: all scales, then rows first .. first+count-1
 * with those scales. lfm_measure_scales does nothing for formats without scaled_max. */
enum lfm_status lfm_measure_scales(const struct lfm_row_source *source, const struct lfm_format *format,
                                   enum lfm_scale scale, float *scales, struct lfm_error *error);
enum lfm_status lfm_encode_rows(const struct lfm_row_source *source, const struct lfm_format *format,
                                enum lfm_scale scale, const float *scales, size_t first, size_t count, void *data,
                                struct lfm_error *error);

#endif
