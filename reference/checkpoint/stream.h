/* What the two writers share: a list of tensors whose data are then streamed in that order. Private to this room. */
#ifndef LFM_CHECKPOINT_STREAM_H
#define LFM_CHECKPOINT_STREAM_H

#include "reference/base/error.h"
#include "reference/base/file.h"
#include "reference/checkpoint/checkpoint.h"

#include <stdbool.h>
#include <stddef.h>

struct lfm_stream_tensor {
    char *name; /* owned */
    const struct lfm_format *format;
    size_t n_dimensions, shape[LFM_MAX_DIMENSIONS];
    size_t offset, bytes; /* in the tensor data */
};

struct lfm_stream {
    struct lfm_output output;
    struct lfm_stream_tensor *tensors;
    size_t n, capacity;
    size_t end;       /* of the data of the tensors so far, not padded */
    size_t alignment; /* of every tensor's offset: a power of two, set before the first tensor */
    bool begun;       /* the header is written */
    size_t current;   /* the tensor whose data come next */
    size_t written;   /* bytes of it */
};

/* Lays out one more tensor. Fails for names given twice, rows that are no multiple of the block, overflow. */
enum lfm_status lfm_stream_add(struct lfm_stream *stream, const char *name, const struct lfm_format *format,
                               size_t n_dimensions, const size_t *shape, struct lfm_error *error);
/* Fails when the header is written already. */
enum lfm_status lfm_stream_expect_open(const struct lfm_stream *stream, struct lfm_error *error);
/* Writes the header; data follow. */
enum lfm_status lfm_stream_begin(struct lfm_stream *stream, const struct lfm_buffer *header, struct lfm_error *error);
/* Writes data, with the padding after each tensor. */
enum lfm_status lfm_stream_write(struct lfm_stream *stream, const void *bytes, size_t length, struct lfm_error *error);
/* Puts the file under its name; fails, leaving none, unless every tensor is complete. */
enum lfm_status lfm_stream_commit(struct lfm_stream *stream, struct lfm_error *error);
void lfm_stream_release(struct lfm_stream *stream);

#endif
