/* Writing logits: see logits_writer.h. */
#include "reference/trace/logits_writer.h"

#include "reference/base/buffer.h"
#include "reference/base/memory.h"
#include "reference/trace/h5.h"
#include "reference/trace/header.h"
#include "reference/trace/rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct lfm_logits_writer {
    hid_t file, vocabulary;
    const char *path;
    struct lfm_rows_file rows_file;
    struct lfm_buffer partial; /* the name while it is being written; empty when there is no such file */
    struct lfm_rows token_axis, tokens, documents, positions, logits;
};

/* Rows per chunk, so that a chunk stays below 4 MiB. */
static size_t chunk_rows(size_t n_tokens, size_t V)
{
    size_t rows = n_tokens < LFM_TRACE_CHUNK ? n_tokens : LFM_TRACE_CHUNK;
    while (rows > 1 && rows * V > (size_t)1 << 20) rows = (rows + 1) / 2;
    return rows;
}

static enum lfm_status create_column(struct lfm_logits_writer *writer, struct lfm_rows *rows, const char *name,
                                     size_t n_rows, const char *units, struct lfm_error *error)
{
    LFM_TRY(lfm_rows_create(rows, writer->file, name, H5T_STD_I32LE, 0, NULL, n_rows, units, &writer->rows_file,
                            error));
    return lfm_h5_attach(rows->dataset, 0, writer->token_axis.dataset, "token", writer->path, error);
}

static enum lfm_status create_all(struct lfm_logits_writer *writer, const struct lfm_model *model,
                                  const struct lfm_provenance *provenance, size_t n_tokens, struct lfm_error *error)
{
    const char *path = writer->path;
    size_t V = model->config.vocab_size, n_rows = n_tokens < LFM_TRACE_CHUNK ? n_tokens : LFM_TRACE_CHUNK;
    hid_t axes;
    LFM_TRY(lfm_h5_create(&writer->file, writer->partial.data, error));
    LFM_TRY(lfm_h5_put_header(writer->file, LFM_LOGITS_FORMAT, provenance, path, error));
    LFM_TRY(lfm_h5_group(&axes, writer->file, "axes", path, error));
    enum lfm_status status =
        lfm_rows_create(&writer->token_axis, axes, "token", H5T_STD_I32LE, 0, NULL, n_rows, "index", &writer->rows_file,
                        error);
    if (status == LFM_OK) status = lfm_h5_declare_scale(writer->token_axis.dataset, "token", path, error);
    if (status == LFM_OK)
        status = lfm_h5_put_axis(&writer->vocabulary, axes, "vocabulary", "vocabulary", V, path, error);
    lfm_h5_close(axes);
    if (status != LFM_OK) return status;
    LFM_TRY(create_column(writer, &writer->tokens, "tokens", n_rows, "token id", error));
    LFM_TRY(create_column(writer, &writer->documents, "document", n_rows, "index", error));
    LFM_TRY(create_column(writer, &writer->positions, "position", n_rows, "tokens", error));
    LFM_TRY(lfm_rows_create(&writer->logits, writer->file, "logits", H5T_IEEE_F32LE, 1, &V, chunk_rows(n_tokens, V), "1",
                            &writer->rows_file, error));
    LFM_TRY(lfm_h5_attach(writer->logits.dataset, 0, writer->token_axis.dataset, "token", path, error));
    return lfm_h5_attach(writer->logits.dataset, 1, writer->vocabulary, "vocabulary", path, error);
}

enum lfm_status lfm_logits_writer_open(struct lfm_logits_writer **out, const char *path, const struct lfm_model *model,
                                       const struct lfm_provenance *provenance, size_t n_tokens,
                                       struct lfm_error *error)
{
    struct lfm_logits_writer *writer;
    *out = NULL;
    LFM_TRY(lfm_h5_check_target(path, error));
    LFM_TRY(LFM_ALLOC(&writer, 1, error));
    writer->file = writer->vocabulary = -1;
    writer->path = writer->rows_file.path = path;
    enum lfm_status status = lfm_buffer_printf(&writer->partial, error, "%s.partial", path);
    if (status == LFM_OK) status = create_all(writer, model, provenance, n_tokens, error);
    if (status == LFM_OK)
        *out = writer;
    else
        lfm_logits_writer_close(writer);
    return status;
}

enum lfm_status lfm_logits_writer_add_tokens(struct lfm_logits_writer *writer, size_t document, size_t position,
                                             const int32_t *ids, size_t n, struct lfm_error *error)
{
    for (size_t t = 0; t < n; t++) {
        const int32_t index = (int32_t)lfm_rows_count(&writer->token_axis);
        const int32_t owner = (int32_t)document, at = (int32_t)(position + t);
        LFM_TRY(lfm_rows_append(&writer->token_axis, &index, 1, error));
        LFM_TRY(lfm_rows_append(&writer->tokens, &ids[t], 1, error));
        LFM_TRY(lfm_rows_append(&writer->documents, &owner, 1, error));
        LFM_TRY(lfm_rows_append(&writer->positions, &at, 1, error));
    }
    return LFM_OK;
}

enum lfm_status lfm_logits_writer_add_logits(struct lfm_logits_writer *writer, const float *logits, size_t n,
                                             struct lfm_error *error)
{
    return lfm_rows_append(&writer->logits, logits, n, error);
}

static void close_file(struct lfm_logits_writer *writer)
{
    lfm_rows_close(&writer->token_axis);
    lfm_rows_close(&writer->tokens);
    lfm_rows_close(&writer->documents);
    lfm_rows_close(&writer->positions);
    lfm_rows_close(&writer->logits);
    lfm_h5_close(writer->vocabulary);
    lfm_h5_close(writer->file);
    writer->file = writer->vocabulary = -1;
}

enum lfm_status lfm_logits_writer_commit(struct lfm_logits_writer *writer, struct lfm_error *error)
{
    LFM_TRY(lfm_rows_finish(&writer->token_axis, error));
    LFM_TRY(lfm_rows_finish(&writer->tokens, error));
    LFM_TRY(lfm_rows_finish(&writer->documents, error));
    LFM_TRY(lfm_rows_finish(&writer->positions, error));
    LFM_TRY(lfm_rows_finish(&writer->logits, error));
    LFM_TRY(lfm_h5_set_whole(writer->file, "complete", 1, writer->path, error));
    if (H5Fflush(writer->file, H5F_SCOPE_GLOBAL) < 0)
        return lfm_h5_fail(error, LFM_ERROR_IO, "write", NULL, writer->path);
    close_file(writer);
    if (rename(writer->partial.data, writer->path) != 0)
        return lfm_fail(error, LFM_ERROR_IO, "cannot rename '%s' to '%s': %s", writer->partial.data, writer->path,
                        strerror(errno));
    lfm_buffer_release(&writer->partial);
    return LFM_OK;
}

void lfm_logits_writer_close(struct lfm_logits_writer *writer)
{
    if (!writer) return;
    close_file(writer);
    if (writer->partial.data) unlink(writer->partial.data);
    lfm_buffer_release(&writer->partial);
    free(writer->rows_file.chunk.bytes);
    free(writer);
}
