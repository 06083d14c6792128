/* Streaming tensors into a file: see stream.h. */
#include "reference/checkpoint/stream.h"

#include "reference/base/memory.h"
#include "reference/checkpoint/reader.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static size_t padding_at(const struct lfm_stream *stream, size_t position)
{
    return (stream->alignment - position % stream->alignment) % stream->alignment;
}

enum lfm_status lfm_stream_expect_open(const struct lfm_stream *stream, struct lfm_error *error)
{
    if (!stream->begun) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_ARGUMENT, "cannot write '%s': its header is written already", stream->output.path);
}

static enum lfm_status measure(struct lfm_stream_tensor *tensor, struct lfm_error *error)
{
    struct lfm_tensor view = {.format = tensor->format, .n_dimensions = tensor->n_dimensions};
    memcpy(view.shape, tensor->shape, sizeof view.shape);
    LFM_TRY(lfm_tensor_measure(&view, error));
    tensor->bytes = view.bytes;
    return LFM_OK;
}

static enum lfm_status check_tensor(const struct lfm_stream *stream, const char *name, size_t n_dimensions,
                                    struct lfm_error *error)
{
    size_t length = strlen(name);
    LFM_TRY(lfm_stream_expect_open(stream, error));
    LFM_TRY(lfm_check_text("a tensor's name", name, length, error));
    if (length == 0 || length > LFM_MAX_NAME)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "expected tensor names of 1 to %d bytes, found %zu", LFM_MAX_NAME,
                        length);
    if (n_dimensions > LFM_MAX_DIMENSIONS)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "tensor '%s': expected at most %d dimensions, found %zu", name,
                        LFM_MAX_DIMENSIONS, n_dimensions);
    for (size_t i = 0; i < stream->n; i++)
        if (strcmp(stream->tensors[i].name, name) == 0)
            return lfm_fail(error, LFM_ERROR_ARGUMENT, "tensor '%s' is given twice", name);
    return LFM_OK;
}

enum lfm_status lfm_stream_add(struct lfm_stream *stream, const char *name, const struct lfm_format *format,
                               size_t n_dimensions, const size_t *shape, struct lfm_error *error)
{
    LFM_TRY(check_tensor(stream, name, n_dimensions, error));
    struct lfm_stream_tensor tensor = {.format = format, .n_dimensions = n_dimensions};
    if (n_dimensions > 0) memcpy(tensor.shape, shape, n_dimensions * sizeof *shape);
    enum lfm_status status = measure(&tensor, error);
    if (status != LFM_OK) {
        lfm_fail_in(error, "tensor '%s'", name);
        return status;
    }
    tensor.offset = stream->end + padding_at(stream, stream->end);
    if (tensor.bytes > PTRDIFF_MAX - tensor.offset)
        return lfm_fail(error, LFM_ERROR_LIMIT, "tensor '%s': the file is larger than files can be", name);
    LFM_TRY(LFM_GROW(&stream->tensors, &stream->capacity, stream->n + 1, error));
    LFM_TRY(lfm_copy_string(&tensor.name, name, strlen(name), error));
    stream->tensors[stream->n++] = tensor;
    stream->end = tensor.offset + tensor.bytes;
    return LFM_OK;
}

static enum lfm_status write_zeros(struct lfm_stream *stream, size_t length, struct lfm_error *error)
{
    static const char zeros[4096];
    for (size_t part; length > 0; length -= part) {
        part = length < sizeof zeros ? length : sizeof zeros;
        LFM_TRY(lfm_output_write(&stream->output, zeros, part, error));
    }
    return LFM_OK;
}

/* Passes over tensors that are complete: empty ones are from the start. */
static enum lfm_status advance(struct lfm_stream *stream, struct lfm_error *error)
{
    while (stream->current < stream->n && stream->written == stream->tensors[stream->current].bytes) {
        const struct lfm_stream_tensor *tensor = &stream->tensors[stream->current++];
        stream->written = 0;
        LFM_TRY(write_zeros(stream, padding_at(stream, tensor->offset + tensor->bytes), error));
    }
    return LFM_OK;
}

enum lfm_status lfm_stream_begin(struct lfm_stream *stream, const struct lfm_buffer *header, struct lfm_error *error)
{
    LFM_TRY(lfm_stream_expect_open(stream, error));
    LFM_TRY(lfm_output_write(&stream->output, header->data, header->length, error));
    stream->begun = true;
    return advance(stream, error);
}

enum lfm_status lfm_stream_write(struct lfm_stream *stream, const void *bytes, size_t length, struct lfm_error *error)
{
    const uint8_t *at = bytes;
    if (!stream->begun)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "cannot write '%s': data came before the header",
                        stream->output.path);
    while (length > 0) {
        if (stream->current == stream->n)
            return lfm_fail(error, LFM_ERROR_ARGUMENT, "cannot write '%s': %zu bytes more than its tensors hold",
                            stream->output.path, length);
        size_t part = stream->tensors[stream->current].bytes - stream->written;
        if (part > length) part = length;
        LFM_TRY(lfm_output_write(&stream->output, at, part, error));
        stream->written += part;
        at += part;
        length -= part;
        LFM_TRY(advance(stream, error));
    }
    return LFM_OK;
}

enum lfm_status lfm_stream_commit(struct lfm_stream *stream, struct lfm_error *error)
{
    if (!stream->begun)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "cannot write '%s': its header is missing", stream->output.path);
    if (stream->current < stream->n)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "cannot write '%s': tensor '%s' has %zu of its %zu bytes",
                        stream->output.path, stream->tensors[stream->current].name, stream->written,
                        stream->tensors[stream->current].bytes);
    return lfm_output_commit(&stream->output, error);
}

void lfm_stream_release(struct lfm_stream *stream)
{
    for (size_t i = 0; i < stream->n; i++) free(stream->tensors[i].name);
    free(stream->tensors);
    lfm_output_abandon(&stream->output);
    *stream = (struct lfm_stream){0};
}
