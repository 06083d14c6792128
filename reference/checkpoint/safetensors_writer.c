/* Writing safetensors: see safetensors.h. */
#include "reference/base/json.h"
#include "reference/base/memory.h"
#include "reference/checkpoint/safetensors.h"
#include "reference/checkpoint/stream.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct lfm_safetensors_writer {
    struct lfm_stream stream;
};

enum lfm_status lfm_safetensors_writer_open(struct lfm_safetensors_writer **out, const char *path,
                                            struct lfm_error *error)
{
    LFM_TRY(LFM_ALLOC(out, 1, error));
    (*out)->stream.alignment = 1;
    enum lfm_status status = lfm_output_open(&(*out)->stream.output, path, error);
    if (status != LFM_OK) {
        lfm_safetensors_writer_close(*out);
        *out = NULL;
    }
    return status;
}

enum lfm_status lfm_safetensors_add_tensor(struct lfm_safetensors_writer *writer, const char *name,
                                           const struct lfm_format *format, size_t n_dimensions, const size_t *shape,
                                           struct lfm_error *error)
{
    if (!format->safetensors_dtype)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "tensor '%s': safetensors files have no type for %s", name,
                        format->name);
    if (strcmp(name, "__metadata__") == 0)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "tensor '%s': the name is taken by the format", name);
    return lfm_stream_add(&writer->stream, name, format, n_dimensions, shape, error);
}

/* Adds {"dtype", "shape", "data_offsets"}; false when memory is short. */
static bool describe(cJSON *header, const struct lfm_stream_tensor *tensor)
{
    cJSON *entry = cJSON_AddObjectToObject(header, tensor->name);
    bool complete = cJSON_AddStringToObject(entry, "dtype", tensor->format->safetensors_dtype) != NULL;
    cJSON *shape = cJSON_AddArrayToObject(entry, "shape");
    for (size_t i = 0; i < tensor->n_dimensions; i++)
        complete = cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)tensor->shape[i])) && complete;
    cJSON *offsets = cJSON_AddArrayToObject(entry, "data_offsets");
    complete = cJSON_AddItemToArray(offsets, cJSON_CreateNumber((double)tensor->offset)) && complete;
    return cJSON_AddItemToArray(offsets, cJSON_CreateNumber((double)(tensor->offset + tensor->bytes))) && complete;
}

/* The JSON text, with the metadata that transformers asks for. The caller frees with cJSON_free. */
static char *print_header(const struct lfm_stream *stream)
{
    cJSON *header = cJSON_CreateObject();
    cJSON *metadata = cJSON_AddObjectToObject(header, "__metadata__");
    bool complete = cJSON_AddStringToObject(metadata, "format", "pt") != NULL;
    for (size_t i = 0; i < stream->n; i++) complete = describe(header, &stream->tensors[i]) && complete;
    char *text = complete ? cJSON_PrintUnformatted(header) : NULL;
    cJSON_Delete(header);
    return text;
}

enum lfm_status lfm_safetensors_begin(struct lfm_safetensors_writer *writer, struct lfm_error *error)
{
    struct lfm_buffer header = {0};
    enum lfm_status status;
    char *text = print_header(&writer->stream);
    if (!text) return lfm_fail(error, LFM_ERROR_MEMORY, "cannot write '%s': out of memory", writer->stream.output.path);
    size_t length = strlen(text), padding = (8 - length % 8) % 8;
    uint8_t stated[8];
    for (int i = 0; i < 8; i++) stated[i] = (uint8_t)((uint64_t)(length + padding) >> (8 * i));
    LFM_TRY_DONE(lfm_buffer_append(&header, stated, sizeof stated, error));
    LFM_TRY_DONE(lfm_buffer_append(&header, text, length, error));
    LFM_TRY_DONE(lfm_buffer_append(&header, "        ", padding, error));
    status = lfm_stream_begin(&writer->stream, &header, error);
done:
    lfm_buffer_release(&header);
    cJSON_free(text);
    return status;
}

enum lfm_status lfm_safetensors_write_data(struct lfm_safetensors_writer *writer, const void *bytes, size_t length,
                                           struct lfm_error *error)
{
    return lfm_stream_write(&writer->stream, bytes, length, error);
}

enum lfm_status lfm_safetensors_commit(struct lfm_safetensors_writer *writer, struct lfm_error *error)
{
    return lfm_stream_commit(&writer->stream, error);
}

void lfm_safetensors_writer_close(struct lfm_safetensors_writer *writer)
{
    if (!writer) return;
    lfm_stream_release(&writer->stream);
    free(writer);
}
