/* For the tests of the checkpoint readers: files built byte by byte in the directory of the test. */
#ifndef LFM_TESTS_CHECKPOINT_FILES_H
#define LFM_TESTS_CHECKPOINT_FILES_H

#include "reference/base/buffer.h"
#include "reference/checkpoint/checkpoint.h"
#include "tests/unit/directory.h"

#include <stddef.h>
#include <stdint.h>

void write_buffer(const char *name, const struct lfm_buffer *buffer);
/* Little-endian numbers, GGUF strings, filler. */
void put_integer(struct lfm_buffer *buffer, uint64_t value, size_t size);
void put_string(struct lfm_buffer *buffer, const char *text);
void put_zeros(struct lfm_buffer *buffer, size_t length);

/* "GGUF", version and counts; one metadata value u32; one tensor of up to four dimensions, innermost first. */
void put_gguf_header(struct lfm_buffer *buffer, uint32_t version, uint64_t n_tensors, uint64_t n_values);
void put_gguf_u32(struct lfm_buffer *buffer, const char *key, uint32_t value);
void put_gguf_tensor(struct lfm_buffer *buffer, const char *name, uint32_t n_dimensions, const uint64_t *dimensions,
                     uint32_t type, uint64_t offset);
void pad_to(struct lfm_buffer *buffer, size_t alignment);

/* The length, the JSON text and `data_length` bytes 0, 1, 2, ... as a safetensors file. */
void write_safetensors(const char *name, const char *header, size_t data_length);

#endif
