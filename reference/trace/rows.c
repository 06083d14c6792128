/* Growing datasets: see rows.h. */
#include "reference/trace/rows.h"

#include "reference/base/memory.h"
#include "reference/trace/h5.h"

#include <stdlib.h>
#include <string.h>

/* What the file says; chunks are deflated here (deflate.h), and readers need no level. */
enum { DEFLATE_LEVEL = 1 };

static enum lfm_status create_dataset(struct lfm_rows *rows, hid_t parent, const char *name, struct lfm_error *error)
{
    int rank = 1 + (int)rows->n_inner;
    size_t a = rows->inner[0], b = rows->inner[1];
    const hsize_t extent[3] = {0, a, b}, limit[3] = {H5S_UNLIMITED, a, b}, chunk[3] = {rows->chunk_rows, a, b};
    hid_t space = H5Screate_simple(rank, extent, limit);
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_obj_track_times(creation, false);
    H5Pset_chunk(creation, rank, chunk);
    H5Pset_fill_time(creation, H5D_FILL_TIME_ALLOC);
    H5Pset_shuffle(creation);
    H5Pset_deflate(creation, DEFLATE_LEVEL);
    hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
    H5Pset_chunk_cache(access, 0, 0, 0);
    rows->dataset = H5Dcreate2(parent, name, rows->type, space, H5P_DEFAULT, creation, access);
    enum lfm_status status = LFM_OK;
    if (rows->dataset < 0) status = lfm_h5_fail(error, LFM_ERROR_IO, "create", name, rows->file->path);
    lfm_h5_close(access);
    lfm_h5_close(creation);
    lfm_h5_close(space);
    return status;
}

enum lfm_status lfm_rows_create(struct lfm_rows *rows, hid_t parent, const char *name, hid_t type, size_t n_inner,
                                const size_t *inner, size_t chunk_rows, const char *units,
                                struct lfm_rows_file *file, struct lfm_error *error)
{
    *rows = (struct lfm_rows){.dataset = -1, .file = file, .n_inner = n_inner, .width = 1, .chunk_rows = chunk_rows};
    for (size_t i = 0; i < n_inner; i++) {
        rows->inner[i] = inner[i];
        rows->width *= inner[i];
    }
    rows->type = H5Tcopy(type);
    rows->row_bytes = H5Tget_size(type) * rows->width;
    enum lfm_status status = create_dataset(rows, parent, name, error);
    if (status == LFM_OK) H5Iget_name(rows->dataset, rows->name, sizeof rows->name);
    if (status == LFM_OK) status = lfm_h5_put_text(rows->dataset, "units", units, file->path, error);
    if (status != LFM_OK) lfm_rows_close(rows);
    return status;
}

/* Writes one chunk [chunk_rows, width], of which the first n rows count, past HDF5's own filters. */
static enum lfm_status write_chunk(struct lfm_rows *rows, const unsigned char *values, size_t n, struct lfm_error *error)
{
    const hsize_t start[3] = {rows->written};
    const hsize_t extent[3] = {rows->written + n, rows->inner[0], rows->inner[1]};
    struct lfm_chunk *chunk = &rows->file->chunk;
    LFM_TRY(lfm_deflate_chunk(chunk, values, rows->chunk_rows * rows->width, rows->row_bytes / rows->width, error));
    if (H5Dset_extent(rows->dataset, extent) < 0 ||
        H5Dwrite_chunk(rows->dataset, H5P_DEFAULT, 0, start, chunk->length, chunk->bytes) < 0)
        return lfm_h5_fail(error, LFM_ERROR_IO, "write", rows->name, rows->file->path);
    rows->written += n;
    return LFM_OK;
}

/* Rows that the buffer lacks at the end of a run are zeros. */
static enum lfm_status write_buffer(struct lfm_rows *rows, struct lfm_error *error)
{
    size_t n = rows->buffered, used = n * rows->row_bytes;
    memset(rows->buffer + used, 0, rows->chunk_rows * rows->row_bytes - used);
    rows->buffered = 0;
    return write_chunk(rows, rows->buffer, n, error);
}

enum lfm_status lfm_rows_append(struct lfm_rows *rows, const void *values, size_t n, struct lfm_error *error)
{
    const unsigned char *from = values;
    for (size_t take; n > 0; from += take * rows->row_bytes, n -= take) {
        size_t room = rows->chunk_rows - rows->buffered;
        take = n < room ? n : room;
        if (take == rows->chunk_rows) {
            LFM_TRY(write_chunk(rows, from, take, error));
            continue;
        }
        if (!rows->buffer) LFM_TRY(lfm_alloc((void **)&rows->buffer, rows->chunk_rows, rows->row_bytes, error));
        memcpy(rows->buffer + rows->buffered * rows->row_bytes, from, take * rows->row_bytes);
        rows->buffered += take;
        if (rows->buffered == rows->chunk_rows) LFM_TRY(write_buffer(rows, error));
    }
    return LFM_OK;
}

enum lfm_status lfm_rows_truncate(struct lfm_rows *rows, size_t n, struct lfm_error *error)
{
    if (n >= lfm_rows_count(rows)) return LFM_OK;
    rows->buffered = n > rows->written ? n - rows->written : 0;
    if (n >= rows->written) return LFM_OK;
    const hsize_t extent[3] = {n, rows->inner[0], rows->inner[1]};
    if (H5Dset_extent(rows->dataset, extent) < 0)
        return lfm_h5_fail(error, LFM_ERROR_IO, "shorten", rows->name, rows->file->path);
    rows->written = n;
    return LFM_OK;
}

enum lfm_status lfm_rows_finish(struct lfm_rows *rows, struct lfm_error *error)
{
    return rows->buffered > 0 ? write_buffer(rows, error) : LFM_OK;
}

size_t lfm_rows_count(const struct lfm_rows *rows)
{
    return rows->written + rows->buffered;
}

void lfm_rows_close(struct lfm_rows *rows)
{
    lfm_h5_close(rows->dataset);
    lfm_h5_close(rows->type);
    free(rows->buffer);
    *rows = (struct lfm_rows){.dataset = -1, .type = -1};
}
