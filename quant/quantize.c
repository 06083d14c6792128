/* Encoding the planned tensors, row by row, into whatever file is written. See quantize.h. */
#include "quant/quantize_parts.h"

#include "reference/base/file.h"
#include "reference/base/memory.h"
#include "reference/checkpoint/encode.h"

#include <stdlib.h>
#include <string.h>

/* Row r of the tensor as one matrix: which matrix of the stack, and which row there. */
static void fetch_row(const void *context, size_t r, float *x)
{
    const struct lfm_planned_tensor *tensor = context;
    if (tensor->values) {
        memcpy(x, tensor->values + r * tensor->columns, tensor->columns * sizeof *x);
        return;
    }
    const char *matrix = (const char *)tensor->matrices + r / tensor->matrix_rows * tensor->stride;
    size_t row = r % tensor->matrix_rows;
    if (tensor->order != LFM_ROWS_AS_STORED) {
        size_t half = tensor->head_dim / 2, start = row / tensor->head_dim * tensor->head_dim, i = row - start;
        /* Halves pair row i with i + half; neighbours pair 2i with 2i + 1. */
        row = start + (tensor->order == LFM_ROWS_HALVES_TO_NEIGHBOURS ? i / 2 + i % 2 * half : i % half * 2 + i / half);
    }
    lfm_matrix_decode_rows((const struct lfm_matrix *)(const void *)matrix, row, 1, x, 0);
}

/* Tells the system about the stored bytes of rows first .. first+count-1, which may lie in several matrices. Rows that
 * change places do so within a head, near enough for advice. */
static void advise_rows(const struct lfm_quantization *plan, const struct lfm_planned_tensor *tensor, size_t first,
                        size_t count, enum lfm_advice advice)
{
    if (tensor->values) return;
    for (size_t r = first, n; r < first + count && r < tensor->rows; r += n) {
        const char *at = (const char *)tensor->matrices + r / tensor->matrix_rows * tensor->stride;
        const struct lfm_matrix *matrix = (const struct lfm_matrix *)(const void *)at;
        size_t row = r % tensor->matrix_rows, left = first + count - r;
        n = tensor->matrix_rows - row < left ? tensor->matrix_rows - row : left;
        const char *data = (const char *)matrix->data + row * matrix->row_bytes;
        lfm_checkpoint_advise(plan->model->checkpoint, data, n * matrix->row_bytes, advice);
    }
}

enum { CHUNK_BYTES = 8 << 20 };

struct encoding {
    const struct lfm_quantization *plan;
    struct lfm_background_writer *writer;
    struct lfm_progress *progress;
    size_t done;         /* bytes */
    float *scales;       /* of the tensor just written, for the one that follows */
    uint8_t *buffers[2]; /* one is encoded into while the other is written */
    size_t turn;         /* the one to encode into */
};

/* Rows that are encoded and written together. */
static size_t chunk_rows(const struct lfm_planned_tensor *tensor)
{
    size_t row_bytes = tensor->rows > 0 ? tensor->bytes / tensor->rows : 0;
    if (row_bytes == 0) return tensor->rows;
    size_t chunk = row_bytes < CHUNK_BYTES ? CHUNK_BYTES / row_bytes : 1;
    return chunk < tensor->rows ? chunk : tensor->rows;
}

static enum lfm_status write_rows(struct encoding *encoding, const struct lfm_planned_tensor *tensor,
                                  const struct lfm_row_source *source, struct lfm_error *error)
{
    size_t row_bytes = tensor->bytes / tensor->rows, chunk = chunk_rows(tensor);
    for (size_t first = 0; first < tensor->rows; first += chunk) {
        size_t count = tensor->rows - first < chunk ? tensor->rows - first : chunk;
        uint8_t *data = encoding->buffers[encoding->turn];
        advise_rows(encoding->plan, tensor, first + count, chunk, LFM_SOON);
        if (lfm_interrupted())
            return lfm_fail(error, LFM_ERROR_STOPPED, "stopped while writing '%s'; nothing was kept", tensor->name);
        LFM_TRY(lfm_encode_rows(source, tensor->format, encoding->plan->scale, encoding->scales, first, count, data,
                                error));
        LFM_TRY(lfm_background_writer_write(encoding->writer, data, count * row_bytes, error));
        encoding->turn = !encoding->turn;
        advise_rows(encoding->plan, tensor, first, count, LFM_DONE);
        encoding->done += count * row_bytes;
        lfm_progress_update(encoding->progress, (double)encoding->done);
    }
    return LFM_OK;
}

static enum lfm_status write_tensor(struct encoding *encoding, const struct lfm_planned_tensor *tensor,
                                    struct lfm_error *error)
{
    if (tensor->scales) {
        encoding->done += tensor->bytes;
        LFM_TRY(lfm_background_writer_write(encoding->writer, encoding->scales, tensor->bytes, error));
        return lfm_background_writer_write(encoding->writer, NULL, 0, error); /* the next tensor frees the scales */
    }
    const struct lfm_row_source source = {tensor->name, tensor->rows, tensor->columns, fetch_row, tensor};
    size_t n_scales = lfm_scale_count(tensor->format, encoding->plan->scale, tensor->rows, tensor->columns);
    free(encoding->scales);
    encoding->scales = NULL;
    LFM_TRY(LFM_ALLOC(&encoding->scales, n_scales, error));
    LFM_TRY(lfm_measure_scales(&source, tensor->format, encoding->plan->scale, encoding->scales, error));
    return write_rows(encoding, tensor, &source, error);
}

static enum lfm_status write_tensors(struct encoding *encoding, struct lfm_error *error)
{
    const struct lfm_quantization *plan = encoding->plan;
    size_t most = 0;
    for (size_t i = 0; i < plan->count; i++) {
        const struct lfm_planned_tensor *tensor = &plan->tensors[i];
        if (tensor->rows == 0) continue;
        size_t bytes = chunk_rows(tensor) * (tensor->bytes / tensor->rows);
        most = bytes > most ? bytes : most;
    }
    for (size_t i = 0; i < 2; i++) LFM_TRY(LFM_ALLOC(&encoding->buffers[i], most, error));
    for (size_t i = 0; i < plan->count; i++) LFM_TRY(write_tensor(encoding, &plan->tensors[i], error));
    return LFM_OK;
}

enum lfm_status lfm_quantization_write_data(const struct lfm_quantization *quantization,
                                            const struct lfm_data_sink *sink, struct lfm_progress *progress,
                                            struct lfm_error *error)
{
    struct encoding encoding = {.plan = quantization, .progress = progress};
    LFM_TRY(lfm_background_writer_start(&encoding.writer, sink, error));
    enum lfm_status status = write_tensors(&encoding, error);
    enum lfm_status written = lfm_background_writer_finish(encoding.writer, status == LFM_OK ? error : NULL);
    free(encoding.scales);
    for (size_t i = 0; i < 2; i++) free(encoding.buffers[i]);
    return status != LFM_OK ? status : written;
}

static enum lfm_status refuse_own_files(const struct lfm_checkpoint *checkpoint, const char *path,
                                        struct lfm_error *error)
{
    bool own = lfm_same_file(checkpoint->path, path);
    const char *last = NULL;
    for (size_t i = 0; !own && i < checkpoint->n_tensors; i++) {
        const char *file = checkpoint->tensors[i].file;
        if (last && strcmp(file, last) == 0) continue;
        own = lfm_same_file(file, path);
        last = file;
    }
    if (!own) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_IO, "cannot write '%s': it is the model that is being read", path);
}

enum lfm_status lfm_quantization_write(const struct lfm_quantization *quantization, const char *path,
                                       struct lfm_progress *progress, struct lfm_error *error)
{
    LFM_TRY(refuse_own_files(quantization->model->checkpoint, path, error));
    if (quantization->container == LFM_GGUF) return lfm_quantization_write_gguf(quantization, path, progress, error);
    return lfm_quantization_write_directory(quantization, path, progress, error);
}
