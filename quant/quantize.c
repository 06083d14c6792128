/* Encoding the planned tensors, row by row, into whatever file is written. See quantize.h. */
#include "quant/quantize_parts.h"

#include "reference/base/file.h"
#include "reference/base/memory.h"
#include "reference/checkpoint/encode.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
    lfm_matrix_decode_row((const struct lfm_matrix *)(const void *)matrix, row, x);
}

struct encoding {
    const struct lfm_quantization *plan;
    const struct lfm_data_sink *sink;
    struct lfm_progress *progress;
    size_t done;   /* bytes */
    float *scales; /* of the tensor just written, for the one that follows */
};

enum { CHUNK_BYTES = 8 << 20 };

static enum lfm_status write_rows(struct encoding *encoding, const struct lfm_planned_tensor *tensor,
                                  const struct lfm_row_source *source, struct lfm_error *error)
{
    enum lfm_status status;
    size_t row_bytes = tensor->bytes / tensor->rows;
    size_t chunk = row_bytes < CHUNK_BYTES ? CHUNK_BYTES / row_bytes : 1;
    if (chunk > tensor->rows) chunk = tensor->rows;
    uint8_t *data;
    LFM_TRY(lfm_alloc((void **)&data, chunk, row_bytes, error));
    for (size_t first = 0; first < tensor->rows; first += chunk) {
        size_t count = tensor->rows - first < chunk ? tensor->rows - first : chunk;
        if (lfm_interrupted()) {
            status = lfm_fail(error, LFM_ERROR_STOPPED, "stopped while writing '%s'; nothing was kept", tensor->name);
            goto done;
        }
        LFM_TRY_DONE(lfm_encode_rows(source, tensor->format, encoding->plan->scale, encoding->scales, first, count,
                                     data, error));
        LFM_TRY_DONE(encoding->sink->write(encoding->sink->writer, data, count * row_bytes, error));
        encoding->done += count * row_bytes;
        lfm_progress_update(encoding->progress, (double)encoding->done);
    }
    status = LFM_OK;
done:
    free(data);
    return status;
}

static enum lfm_status write_tensor(struct encoding *encoding, const struct lfm_planned_tensor *tensor,
                                    struct lfm_error *error)
{
    if (tensor->scales) {
        encoding->done += tensor->bytes;
        return encoding->sink->write(encoding->sink->writer, encoding->scales, tensor->bytes, error);
    }
    const struct lfm_row_source source = {tensor->name, tensor->rows, tensor->columns, fetch_row, tensor};
    size_t n_scales = lfm_scale_count(tensor->format, encoding->plan->scale, tensor->rows, tensor->columns);
    free(encoding->scales);
    LFM_TRY(LFM_ALLOC(&encoding->scales, n_scales, error));
    LFM_TRY(lfm_measure_scales(&source, tensor->format, encoding->plan->scale, encoding->scales, error));
    return write_rows(encoding, tensor, &source, error);
}

enum lfm_status lfm_quantization_write_data(const struct lfm_quantization *quantization,
                                            const struct lfm_data_sink *sink, struct lfm_progress *progress,
                                            struct lfm_error *error)
{
    struct encoding encoding = {.plan = quantization, .sink = sink, .progress = progress};
    enum lfm_status status = LFM_OK;
    for (size_t i = 0; status == LFM_OK && i < quantization->count; i++)
        status = write_tensor(&encoding, &quantization->tensors[i], error);
    free(encoding.scales);
    return status;
}

static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static enum lfm_status refuse_own_files(const struct lfm_checkpoint *checkpoint, const char *path,
                                        struct lfm_error *error)
{
    bool own = same_file(checkpoint->path, path);
    const char *last = NULL;
    for (size_t i = 0; !own && i < checkpoint->n_tensors; i++) {
        const char *file = checkpoint->tensors[i].file;
        if (last && strcmp(file, last) == 0) continue;
        own = same_file(file, path);
        last = file;
    }
    if (!own) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_ARGUMENT, "cannot write '%s': it is the model that is being read", path);
}

enum lfm_status lfm_quantization_write(const struct lfm_quantization *quantization, const char *path,
                                       struct lfm_progress *progress, struct lfm_error *error)
{
    LFM_TRY(refuse_own_files(quantization->model->checkpoint, path, error));
    if (quantization->container == LFM_GGUF) return lfm_quantization_write_gguf(quantization, path, progress, error);
    return lfm_quantization_write_directory(quantization, path, progress, error);
}
