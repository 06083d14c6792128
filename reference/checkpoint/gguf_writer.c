/* Writing GGUF version 3: see gguf.h. */
#include "reference/base/memory.h"
#include "reference/checkpoint/gguf.h"
#include "reference/checkpoint/stream.h"

#include <stdlib.h>
#include <string.h>

enum { VERSION = 3, DEFAULT_ALIGNMENT = 32, MAX_TENSOR_NAME = 63 /* ggml's GGML_MAX_NAME - 1 */ };

struct lfm_gguf_writer {
    struct lfm_stream stream;
    struct lfm_buffer metadata;
    char **keys;
    size_t n_keys, key_capacity;
};

static enum lfm_status put(struct lfm_buffer *buffer, uint64_t value, size_t size, struct lfm_error *error)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)(value >> (8 * i));
    return lfm_buffer_append(buffer, bytes, size, error);
}

static enum lfm_status put_text(struct lfm_buffer *buffer, const char *text, size_t length, struct lfm_error *error)
{
    LFM_TRY(put(buffer, length, 8, error));
    return lfm_buffer_append(buffer, text, length, error);
}

enum lfm_status lfm_gguf_writer_open(struct lfm_gguf_writer **out, const char *path, struct lfm_error *error)
{
    LFM_TRY(LFM_ALLOC(out, 1, error));
    (*out)->stream.alignment = DEFAULT_ALIGNMENT;
    enum lfm_status status = lfm_output_open(&(*out)->stream.output, path, error);
    if (status != LFM_OK) {
        lfm_gguf_writer_close(*out);
        *out = NULL;
    }
    return status;
}

/* --- metadata --- */

static enum lfm_status put_key(struct lfm_gguf_writer *writer, const char *key, enum lfm_gguf_type type,
                               struct lfm_error *error)
{
    LFM_TRY(lfm_stream_expect_open(&writer->stream, error));
    for (size_t i = 0; i < writer->n_keys; i++)
        if (strcmp(writer->keys[i], key) == 0)
            return lfm_fail(error, LFM_ERROR_ARGUMENT, "cannot write '%s': metadata '%s' is given twice",
                            writer->stream.output.path, key);
    LFM_TRY(LFM_GROW(&writer->keys, &writer->key_capacity, writer->n_keys + 1, error));
    LFM_TRY(lfm_copy_string(&writer->keys[writer->n_keys], key, strlen(key), error));
    writer->n_keys++;
    LFM_TRY(put_text(&writer->metadata, key, strlen(key), error));
    return put(&writer->metadata, type, 4, error);
}

/* general.alignment is not only noted but obeyed. */
static enum lfm_status set_alignment(struct lfm_gguf_writer *writer, uint32_t alignment, struct lfm_error *error)
{
    if (alignment == 0 || (alignment & (alignment - 1)) != 0 || writer->stream.n > 0)
        return lfm_fail(error, LFM_ERROR_ARGUMENT,
                        "cannot write '%s': expected a power of two as alignment, before the first tensor",
                        writer->stream.output.path);
    writer->stream.alignment = alignment;
    return LFM_OK;
}

enum lfm_status lfm_gguf_put_u32(struct lfm_gguf_writer *writer, const char *key, uint32_t value,
                                 struct lfm_error *error)
{
    if (strcmp(key, "general.alignment") == 0) LFM_TRY(set_alignment(writer, value, error));
    LFM_TRY(put_key(writer, key, LFM_GGUF_U32, error));
    return put(&writer->metadata, value, 4, error);
}

enum lfm_status lfm_gguf_put_f32(struct lfm_gguf_writer *writer, const char *key, float value, struct lfm_error *error)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    LFM_TRY(put_key(writer, key, LFM_GGUF_F32, error));
    return put(&writer->metadata, bits, 4, error);
}

enum lfm_status lfm_gguf_put_bool(struct lfm_gguf_writer *writer, const char *key, bool value, struct lfm_error *error)
{
    LFM_TRY(put_key(writer, key, LFM_GGUF_BOOL, error));
    return put(&writer->metadata, value, 1, error);
}

enum lfm_status lfm_gguf_put_string(struct lfm_gguf_writer *writer, const char *key, const char *text, size_t length,
                                    struct lfm_error *error)
{
    LFM_TRY(put_key(writer, key, LFM_GGUF_STRING, error));
    return put_text(&writer->metadata, text, length, error);
}

static enum lfm_status put_array(struct lfm_gguf_writer *writer, const char *key, enum lfm_gguf_type element_type,
                                 size_t count, struct lfm_error *error)
{
    LFM_TRY(put_key(writer, key, LFM_GGUF_ARRAY, error));
    LFM_TRY(put(&writer->metadata, element_type, 4, error));
    return put(&writer->metadata, count, 8, error);
}

enum lfm_status lfm_gguf_put_strings(struct lfm_gguf_writer *writer, const char *key, const char *const *texts,
                                     const size_t *lengths, size_t count, struct lfm_error *error)
{
    LFM_TRY(put_array(writer, key, LFM_GGUF_STRING, count, error));
    for (size_t i = 0; i < count; i++) LFM_TRY(put_text(&writer->metadata, texts[i], lengths[i], error));
    return LFM_OK;
}

/* Element i of an array of this C type, as the bits that are stored. */
static uint64_t element_bits(const void *values, size_t i, size_t size)
{
    const uint8_t *at = (const uint8_t *)values + i * size;
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    switch (size) {
    case 1: memcpy(&u8, at, size); return u8;
    case 2: memcpy(&u16, at, size); return u16;
    case 4: memcpy(&u32, at, size); return u32;
    default: memcpy(&u64, at, size); return u64;
    }
}

static size_t element_size(enum lfm_gguf_type type)
{
    switch (type) {
    case LFM_GGUF_U8: case LFM_GGUF_I8: case LFM_GGUF_BOOL: return 1;
    case LFM_GGUF_U16: case LFM_GGUF_I16: return 2;
    case LFM_GGUF_U32: case LFM_GGUF_I32: case LFM_GGUF_F32: return 4;
    case LFM_GGUF_U64: case LFM_GGUF_I64: case LFM_GGUF_F64: return 8;
    default: return 0;
    }
}

enum lfm_status lfm_gguf_put_numbers(struct lfm_gguf_writer *writer, const char *key, enum lfm_gguf_type element_type,
                                     const void *values, size_t count, struct lfm_error *error)
{
    size_t size = element_size(element_type);
    if (size == 0)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "cannot write '%s': metadata '%s': expected a type of numbers",
                        writer->stream.output.path, key);
    LFM_TRY(put_array(writer, key, element_type, count, error));
    for (size_t i = 0; i < count; i++)
        LFM_TRY(put(&writer->metadata, element_bits(values, i, size), size, error));
    return LFM_OK;
}

enum lfm_status lfm_gguf_put_value(struct lfm_gguf_writer *writer, const struct lfm_gguf_value *value,
                                   struct lfm_error *error)
{
    double alignment;
    if (strcmp(value->key, "general.alignment") == 0) {
        LFM_TRY(lfm_gguf_element(value, 0, &alignment, error));
        return lfm_gguf_put_u32(writer, value->key, (uint32_t)alignment, error);
    }
    if (value->type == LFM_GGUF_ARRAY)
        LFM_TRY(put_array(writer, value->key, value->element_type, (size_t)value->count, error));
    else
        LFM_TRY(put_key(writer, value->key, value->type, error));
    return lfm_buffer_append(&writer->metadata, value->data, value->bytes, error);
}

/* --- tensors --- */

enum lfm_status lfm_gguf_add_tensor(struct lfm_gguf_writer *writer, const char *name, const struct lfm_format *format,
                                    size_t n_dimensions, const size_t *shape, struct lfm_error *error)
{
    if (format->gguf_type < 0)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "tensor '%s': GGUF files have no type for %s", name, format->name);
    if (strlen(name) > MAX_TENSOR_NAME)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "tensor '%s': names in GGUF files have at most %d bytes", name,
                        MAX_TENSOR_NAME);
    bool empty = n_dimensions == 0;
    for (size_t i = 0; i < n_dimensions && i < LFM_MAX_DIMENSIONS; i++) empty = empty || shape[i] == 0;
    if (empty) return lfm_fail(error, LFM_ERROR_ARGUMENT, "tensor '%s': GGUF files have no empty dimensions", name);
    return lfm_stream_add(&writer->stream, name, format, n_dimensions, shape, error);
}

static enum lfm_status put_tensor(struct lfm_buffer *header, const struct lfm_stream_tensor *tensor,
                                  struct lfm_error *error)
{
    LFM_TRY(put_text(header, tensor->name, strlen(tensor->name), error));
    LFM_TRY(put(header, tensor->n_dimensions, 4, error));
    for (size_t i = tensor->n_dimensions; i-- > 0;) LFM_TRY(put(header, tensor->shape[i], 8, error));
    LFM_TRY(put(header, (uint64_t)tensor->format->gguf_type, 4, error));
    return put(header, tensor->offset, 8, error);
}

enum lfm_status lfm_gguf_begin(struct lfm_gguf_writer *writer, struct lfm_error *error)
{
    struct lfm_buffer header = {0};
    enum lfm_status status;
    LFM_TRY_DONE(lfm_buffer_append(&header, "GGUF", 4, error));
    LFM_TRY_DONE(put(&header, VERSION, 4, error));
    LFM_TRY_DONE(put(&header, writer->stream.n, 8, error));
    LFM_TRY_DONE(put(&header, writer->n_keys, 8, error));
    LFM_TRY_DONE(lfm_buffer_append(&header, writer->metadata.data, writer->metadata.length, error));
    for (size_t i = 0; i < writer->stream.n; i++)
        LFM_TRY_DONE(put_tensor(&header, &writer->stream.tensors[i], error));
    while (header.length % writer->stream.alignment != 0) LFM_TRY_DONE(put(&header, 0, 1, error));
    status = lfm_stream_begin(&writer->stream, &header, error);
done:
    lfm_buffer_release(&header);
    return status;
}

enum lfm_status lfm_gguf_write_data(struct lfm_gguf_writer *writer, const void *bytes, size_t length,
                                    struct lfm_error *error)
{
    return lfm_stream_write(&writer->stream, bytes, length, error);
}

enum lfm_status lfm_gguf_commit(struct lfm_gguf_writer *writer, struct lfm_error *error)
{
    return lfm_stream_commit(&writer->stream, error);
}

void lfm_gguf_writer_close(struct lfm_gguf_writer *writer)
{
    if (!writer) return;
    for (size_t i = 0; i < writer->n_keys; i++) free(writer->keys[i]);
    free(writer->keys);
    lfm_buffer_release(&writer->metadata);
    lfm_stream_release(&writer->stream);
    free(writer);
}
