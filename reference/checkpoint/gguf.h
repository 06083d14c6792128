/* GGUF files (versions 2 and 3, little-endian): metadata look-ups and a streaming writer.
 *
 *   "GGUF" | version u32 | tensor count u64 | metadata count u64
 *   metadata: key string, value type u32, value          string: length u64, bytes
 *   tensors:  name string, n_dimensions u32, dimensions u64[] (innermost first), type u32, offset u64
 *   padding to general.alignment (32) | tensor data, each aligned
 *
 * Source: the GGUF specification (ggml-org/ggml, docs/gguf.md). */
#ifndef LFM_CHECKPOINT_GGUF_H
#define LFM_CHECKPOINT_GGUF_H

#include "reference/base/error.h"
#include "reference/checkpoint/format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lfm_gguf_type {
    LFM_GGUF_U8 = 0, LFM_GGUF_I8, LFM_GGUF_U16, LFM_GGUF_I16, LFM_GGUF_U32, LFM_GGUF_I32, LFM_GGUF_F32, LFM_GGUF_BOOL,
    LFM_GGUF_STRING, LFM_GGUF_ARRAY, LFM_GGUF_U64, LFM_GGUF_I64, LFM_GGUF_F64
};

/* One metadata value: a view into the mapped file, already bounds-checked as a whole. */
struct lfm_gguf_value {
    char *key;                         /* owned by the lfm_gguf */
    enum lfm_gguf_type type;           /* LFM_GGUF_ARRAY for arrays */
    enum lfm_gguf_type element_type;   /* of the array */
    uint64_t count;                    /* of the array; 1 otherwise */
    const uint8_t *data;               /* first byte of the value (of the first element; of a string: its length) */
    size_t bytes;
};

/* The metadata of a file; of a split set, those of its first part without the keys that describe the splitting. */
struct lfm_gguf {
    uint32_t version;
    struct lfm_gguf_value *values;
    size_t n_values;
    const char *path;                  /* for messages */
};

/* The value of that key, or NULL. */
const struct lfm_gguf_value *lfm_gguf_find(const struct lfm_gguf *gguf, const char *key);

/* Scalars. *found tells whether the key exists (NULL: the key is required); a value of another kind is an error,
 * any integer type will do for a whole number. A string is not zero-terminated: use its length. */
enum lfm_status lfm_gguf_size(const struct lfm_gguf *gguf, const char *key, size_t *out, bool *found,
                              struct lfm_error *error);
enum lfm_status lfm_gguf_double(const struct lfm_gguf *gguf, const char *key, double *out, bool *found,
                                struct lfm_error *error);
enum lfm_status lfm_gguf_bool(const struct lfm_gguf *gguf, const char *key, bool *out, bool *found,
                              struct lfm_error *error);
enum lfm_status lfm_gguf_string(const struct lfm_gguf *gguf, const char *key, const char **out, size_t *length,
                                bool *found, struct lfm_error *error);

/* Walks an array of strings: start with *cursor = 0, call `count` times. Element `index` of an array of numbers or
 * truth values (1 and 0); a number by itself is an array of one. */
enum lfm_status lfm_gguf_next_string(const struct lfm_gguf_value *array, size_t *cursor, const char **out,
                                     size_t *length, struct lfm_error *error);
enum lfm_status lfm_gguf_element(const struct lfm_gguf_value *array, uint64_t index, double *out,
                                 struct lfm_error *error);

/* --- writing ---
 * Call in this order: open; any number of put_*; add_tensor for every tensor; begin; write_data for the tensors in
 * the order they were added, in pieces of any size; commit. close abandons what was not committed. */
struct lfm_gguf_writer;

enum lfm_status lfm_gguf_writer_open(struct lfm_gguf_writer **out, const char *path, struct lfm_error *error);
enum lfm_status lfm_gguf_put_u32(struct lfm_gguf_writer *writer, const char *key, uint32_t value,
                                 struct lfm_error *error);
enum lfm_status lfm_gguf_put_f32(struct lfm_gguf_writer *writer, const char *key, float value, struct lfm_error *error);
enum lfm_status lfm_gguf_put_bool(struct lfm_gguf_writer *writer, const char *key, bool value, struct lfm_error *error);
enum lfm_status lfm_gguf_put_string(struct lfm_gguf_writer *writer, const char *key, const char *text, size_t length,
                                    struct lfm_error *error);
/* An array of strings (texts, lengths) or of numbers (values: `count` elements of the C type of element_type). */
enum lfm_status lfm_gguf_put_strings(struct lfm_gguf_writer *writer, const char *key, const char *const *texts,
                                     const size_t *lengths, size_t count, struct lfm_error *error);
enum lfm_status lfm_gguf_put_numbers(struct lfm_gguf_writer *writer, const char *key, enum lfm_gguf_type element_type,
                                     const void *values, size_t count, struct lfm_error *error);
/* A value as it stands in another file. general.alignment is obeyed, so it must come before the first tensor. */
enum lfm_status lfm_gguf_put_value(struct lfm_gguf_writer *writer, const struct lfm_gguf_value *value,
                                   struct lfm_error *error);
/* Shape row-major, outermost first; it is stored innermost first. */
enum lfm_status lfm_gguf_add_tensor(struct lfm_gguf_writer *writer, const char *name, const struct lfm_format *format,
                                    size_t n_dimensions, const size_t *shape, struct lfm_error *error);
enum lfm_status lfm_gguf_begin(struct lfm_gguf_writer *writer, struct lfm_error *error);
enum lfm_status lfm_gguf_write_data(struct lfm_gguf_writer *writer, const void *bytes, size_t length,
                                    struct lfm_error *error);
enum lfm_status lfm_gguf_commit(struct lfm_gguf_writer *writer, struct lfm_error *error);
void lfm_gguf_writer_close(struct lfm_gguf_writer *writer); /* NULL is fine */

#endif
