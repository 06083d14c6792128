/* A dataset that grows by rows: [T], [T, a] or [T, a, b], chunked, shuffled, compressed, with a checksum. Private to
 * reference/trace.
 *
 * Rows are collected in memory and reach the file in whole chunks, so that no chunk is ever written twice: what a
 * flushed file refers to stays as it is until the run ends. lfm_rows_finish writes the last, partial chunk. */
#ifndef LFM_TRACE_ROWS_H
#define LFM_TRACE_ROWS_H

#include "reference/base/error.h"
#include "reference/trace/deflate.h"

#include <hdf5.h>
#include <stddef.h>

/* What the datasets of a file share. Its owner frees chunk.bytes after closing them. */
struct lfm_rows_file {
    const char *path;       /* for messages; borrowed */
    struct lfm_chunk chunk; /* that is being written */
};

struct lfm_rows {
    hid_t dataset, type;  /* type: the same in memory and in the file; owned */
    struct lfm_rows_file *file; /* borrowed */
    char name[64];        /* of the dataset, with its groups, for messages */
    size_t n_inner, inner[2]; /* extents of the axes after the first */
    size_t width, row_bytes, chunk_rows; /* width: values per row */
    size_t written;       /* rows in the file */
    size_t buffered;      /* rows in `buffer` */
    unsigned char *buffer; /* [chunk_rows, width]; NULL until rows come that do not fill a chunk */
};

/* Creates the dataset below `parent`, of 0 to 2 axes `inner` after that of the rows. The type is copied. */
enum lfm_status lfm_rows_create(struct lfm_rows *rows, hid_t parent, const char *name, hid_t type, size_t n_inner,
                                const size_t *inner, size_t chunk_rows, const char *units,
                                struct lfm_rows_file *file, struct lfm_error *error);
/* Appends n rows of `type`. */
enum lfm_status lfm_rows_append(struct lfm_rows *rows, const void *values, size_t n, struct lfm_error *error);
/* Forgets all rows after the first n. */
enum lfm_status lfm_rows_truncate(struct lfm_rows *rows, size_t n, struct lfm_error *error);
/* Writes what is still in memory; nothing can be appended afterwards. */
enum lfm_status lfm_rows_finish(struct lfm_rows *rows, struct lfm_error *error);
/* Rows appended so far. */
size_t lfm_rows_count(const struct lfm_rows *rows);
/* Closes without writing. A zeroed struct is fine. */
void lfm_rows_close(struct lfm_rows *rows);

#endif
