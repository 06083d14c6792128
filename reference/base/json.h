/* JSON, by cJSON: parsing with a file and line in every message, typed look-ups, and output.
 * Other files build and walk documents with cJSON's own functions and parse and read values with these. */
#ifndef LFM_BASE_JSON_H
#define LFM_BASE_JSON_H

#include "reference/base/buffer.h"
#include "reference/base/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/* Parses `length` bytes; `name` is what messages call the source. The caller frees with cJSON_Delete. */
enum lfm_status lfm_json_parse(cJSON **out, const char *text, size_t length, const char *name, struct lfm_error *error);
enum lfm_status lfm_json_parse_file(cJSON **out, const char *path, struct lfm_error *error);
/* The same of a file whose strings are texts for a model, with lfm_json_refuse_zero. */
enum lfm_status lfm_json_parse_texts(cJSON **out, const char *path, struct lfm_error *error);
/* Fails when JSON has an escaped zero byte, at which cJSON ends a string: its tail would silently be lost. */
enum lfm_status lfm_json_refuse_zero(const char *text, size_t length, const char *name, struct lfm_error *error);

/* Look-ups in an object. The `require` forms fail when the key is absent or of another type.
 * `name` is what messages call the document. */
enum lfm_status lfm_json_require_string(const cJSON *object, const char *key, const char *name, const char **out,
                                        struct lfm_error *error);
enum lfm_status lfm_json_require_size(const cJSON *object, const char *key, const char *name, size_t *out,
                                      struct lfm_error *error);
enum lfm_status lfm_json_require_double(const cJSON *object, const char *key, const char *name, double *out,
                                        struct lfm_error *error);
/* Optional: *out keeps its value when the key is absent or null; another type is an error. */
enum lfm_status lfm_json_optional_size(const cJSON *object, const char *key, const char *name, size_t *out,
                                       struct lfm_error *error);
enum lfm_status lfm_json_optional_double(const cJSON *object, const char *key, const char *name, double *out,
                                         struct lfm_error *error);
enum lfm_status lfm_json_optional_bool(const cJSON *object, const char *key, const char *name, bool *out,
                                       struct lfm_error *error);

/* A new document {"schema": "lfmscope-<kind>", "version": ..., "command": "lfmscope ..."}; NULL when memory is short. */
cJSON *lfm_json_document(const char *kind, int argc, char **argv);

/* Appends a number; NaN and infinities become null, as JSON has none. */
void lfm_json_add_number(cJSON *object, const char *key, double value);

/* Appends the document as text, indented, with a final newline. Numbers are printed with as many digits as it takes
 * to read back the same. */
enum lfm_status lfm_json_print(struct lfm_buffer *out, const cJSON *document, struct lfm_error *error);

#endif
