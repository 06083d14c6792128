/* Building files for the tests of the checkpoint readers. */
#include "tests/unit/checkpoint_files.h"

#include "reference/base/file.h"
#include "tests/unit/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct lfm_error error;

void write_buffer(const char *name, const struct lfm_buffer *buffer)
{
    write_bytes(name, buffer->data, buffer->length);
}

void put_integer(struct lfm_buffer *buffer, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)(value >> (8 * i));
        assert_ok(lfm_buffer_append(buffer, &byte, 1, &error));
    }
}

void put_string(struct lfm_buffer *buffer, const char *text)
{
    put_integer(buffer, strlen(text), 8);
    assert_ok(lfm_buffer_puts(buffer, text, &error));
}

void put_zeros(struct lfm_buffer *buffer, size_t length)
{
    for (size_t i = 0; i < length; i++) put_integer(buffer, 0, 1);
}

void put_gguf_header(struct lfm_buffer *buffer, uint32_t version, uint64_t n_tensors, uint64_t n_values)
{
    assert_ok(lfm_buffer_puts(buffer, "GGUF", &error));
    put_integer(buffer, version, 4);
    put_integer(buffer, n_tensors, 8);
    put_integer(buffer, n_values, 8);
}

void put_gguf_u32(struct lfm_buffer *buffer, const char *key, uint32_t value)
{
    put_string(buffer, key);
    put_integer(buffer, 4, 4);
    put_integer(buffer, value, 4);
}

void put_gguf_tensor(struct lfm_buffer *buffer, const char *name, uint32_t n_dimensions, const uint64_t *dimensions,
                     uint32_t type, uint64_t offset)
{
    put_string(buffer, name);
    put_integer(buffer, n_dimensions, 4);
    for (uint32_t i = 0; i < n_dimensions; i++) put_integer(buffer, dimensions[i], 8);
    put_integer(buffer, type, 4);
    put_integer(buffer, offset, 8);
}

void pad_to(struct lfm_buffer *buffer, size_t alignment)
{
    while (buffer->length % alignment != 0) put_zeros(buffer, 1);
}

void write_safetensors(const char *name, const char *header, size_t data_length)
{
    struct lfm_buffer buffer = {0};
    put_integer(&buffer, strlen(header), 8);
    assert_ok(lfm_buffer_puts(&buffer, header, &error));
    for (size_t i = 0; i < data_length; i++) put_integer(&buffer, i & 0xff, 1);
    write_buffer(name, &buffer);
    lfm_buffer_release(&buffer);
}
