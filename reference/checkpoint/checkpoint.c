/* Checkpoints: opening, the index of names, decoding, the digest of the files. See checkpoint.h. */
#include "reference/checkpoint/checkpoint.h"

#include "reference/base/memory.h"
#include "reference/checkpoint/reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The length of "model" in "model.gguf" and "model-00001-of-00003.gguf". */
static size_t model_name_length(const char *base)
{
    size_t length = strlen(base);
    if (length > 5 && strcmp(base + length - 5, ".gguf") == 0) {
        length -= 5;
        int part, of, used = 0;
        if (length > 15 && sscanf(base + length - 15, "-%5d-of-%5d%n", &part, &of, &used) == 2 && used == 15)
            length -= 15;
    }
    return length;
}

/* The last part of the path; "." and ".." are looked up. */
static enum lfm_status name_of_path(char **out, const char *path, struct lfm_error *error)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') length--;
    char *trimmed = NULL;
    LFM_TRY(lfm_copy_string(&trimmed, path, length, error));
    const char *base = base_name(trimmed);
    char *resolved = NULL;
    if (strcmp(base, "") == 0 || strcmp(base, ".") == 0 || strcmp(base, "..") == 0) resolved = realpath(path, NULL);
    if (resolved) base = base_name(resolved);
    enum lfm_status status = lfm_copy_string(out, base, model_name_length(base), error);
    free(resolved);
    free(trimmed);
    return status;
}

enum lfm_status lfm_checkpoint_new(struct lfm_checkpoint **out, const char *path, struct lfm_error *error)
{
    struct lfm_checkpoint *checkpoint;
    *out = NULL;
    LFM_TRY(LFM_ALLOC(&checkpoint, 1, error));
    enum lfm_status status = LFM_ALLOC(&checkpoint->files, 1, error);
    if (status == LFM_OK) status = lfm_copy_string(&checkpoint->path, path, strlen(path), error);
    if (status == LFM_OK) status = name_of_path(&checkpoint->name, path, error);
    if (status == LFM_OK)
        *out = checkpoint;
    else
        lfm_checkpoint_close(checkpoint);
    return status;
}

static enum lfm_status read_config(struct lfm_checkpoint *checkpoint, struct lfm_error *error)
{
    char *path;
    LFM_TRY(lfm_join_path(&path, checkpoint->path, "config.json", error));
    enum lfm_status status = LFM_OK;
    if (!lfm_file_exists(path))
        status = lfm_fail(error, LFM_ERROR_IO,
                          "cannot load '%s': the directory has no config.json; a model is a Hugging Face directory or "
                          "a .gguf file", checkpoint->path);
    if (status == LFM_OK) status = lfm_json_parse_file(&checkpoint->config, path, error);
    if (status == LFM_OK && !cJSON_IsObject(checkpoint->config))
        status = lfm_fail(error, LFM_ERROR_FORMAT, "cannot load '%s': expected a JSON object", path);
    free(path);
    return status;
}

enum lfm_status lfm_checkpoint_open(struct lfm_checkpoint **out, const char *path, struct lfm_error *error)
{
    struct lfm_checkpoint *checkpoint;
    *out = NULL;
    LFM_TRY(lfm_checkpoint_new(&checkpoint, path, error));
    enum lfm_status status = LFM_OK;
    if (lfm_is_directory(path)) {
        checkpoint->container = LFM_HUGGING_FACE;
        LFM_TRY_DONE(read_config(checkpoint, error));
        LFM_TRY_DONE(lfm_safetensors_read_directory(checkpoint, error));
    } else {
        checkpoint->container = LFM_GGUF;
        LFM_TRY_DONE(lfm_gguf_read_set(checkpoint, error));
    }
    *out = checkpoint;
done:
    if (status != LFM_OK) lfm_checkpoint_close(checkpoint);
    return status;
}

void lfm_checkpoint_close(struct lfm_checkpoint *checkpoint)
{
    if (!checkpoint) return;
    struct lfm_checkpoint_files *files = checkpoint->files;
    if (files) {
        for (size_t i = 0; i < files->n_mappings; i++) lfm_mapping_close(&files->mappings[i]);
        for (size_t i = 0; i < files->n_strings; i++) free(files->strings[i]);
        free(files->mappings);
        free(files->strings);
        free(files->by_name);
        free(files);
    }
    lfm_gguf_free(checkpoint->gguf);
    cJSON_Delete(checkpoint->config);
    free(checkpoint->tensors);
    free(checkpoint->name);
    free(checkpoint->path);
    free(checkpoint);
}

enum lfm_status lfm_checkpoint_map(struct lfm_checkpoint *checkpoint, const char *path, struct lfm_mapping *out,
                                   struct lfm_error *error)
{
    struct lfm_checkpoint_files *files = checkpoint->files;
    LFM_TRY(LFM_GROW(&files->mappings, &files->mapping_capacity, files->n_mappings + 1, error));
    LFM_TRY(lfm_mapping_open(&files->mappings[files->n_mappings], path, error));
    *out = files->mappings[files->n_mappings++];
    return LFM_OK;
}

enum lfm_status lfm_checkpoint_keep(struct lfm_checkpoint *checkpoint, const char **out, const char *text,
                                    size_t length, struct lfm_error *error)
{
    struct lfm_checkpoint_files *files = checkpoint->files;
    char *copy;
    LFM_TRY(LFM_GROW(&files->strings, &files->string_capacity, files->n_strings + 1, error));
    LFM_TRY(lfm_copy_string(&copy, text, length, error));
    files->strings[files->n_strings++] = copy;
    *out = copy;
    return LFM_OK;
}

enum lfm_status lfm_checkpoint_add(struct lfm_checkpoint *checkpoint, const struct lfm_tensor *tensor,
                                   struct lfm_error *error)
{
    LFM_TRY(LFM_GROW(&checkpoint->tensors, &checkpoint->files->tensor_capacity, checkpoint->n_tensors + 1, error));
    checkpoint->tensors[checkpoint->n_tensors++] = *tensor;
    return LFM_OK;
}

static int compare_names(const void *a, const void *b)
{
    const struct lfm_tensor *const *first = a, *const *second = b;
    return strcmp((*first)->name, (*second)->name);
}

enum lfm_status lfm_checkpoint_index(struct lfm_checkpoint *checkpoint, struct lfm_error *error)
{
    size_t n = checkpoint->n_tensors;
    LFM_TRY(LFM_ALLOC(&checkpoint->files->by_name, n, error));
    const struct lfm_tensor **by_name = checkpoint->files->by_name;
    checkpoint->bytes = 0;
    for (size_t i = 0; i < n; i++) {
        by_name[i] = &checkpoint->tensors[i];
        checkpoint->bytes += checkpoint->tensors[i].bytes;
    }
    qsort(by_name, n, sizeof *by_name, compare_names);
    for (size_t i = 1; i < n; i++)
        if (strcmp(by_name[i - 1]->name, by_name[i]->name) == 0)
            return lfm_fail(error, LFM_ERROR_FORMAT, "cannot load '%s': tensor '%s' is there twice (also in '%s')",
                            by_name[i - 1]->file, by_name[i]->name, by_name[i]->file);
    return LFM_OK;
}

static int compare_name_with(const void *name, const void *element)
{
    const struct lfm_tensor *const *tensor = element;
    return strcmp(name, (*tensor)->name);
}

const struct lfm_tensor *lfm_checkpoint_find(const struct lfm_checkpoint *checkpoint, const char *name_format, ...)
{
    char name[LFM_MAX_NAME + 1];
    va_list arguments;
    va_start(arguments, name_format);
    int length = vsnprintf(name, sizeof name, name_format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof name) return NULL;
    const struct lfm_tensor **found = bsearch(name, checkpoint->files->by_name, checkpoint->n_tensors,
                                              sizeof *checkpoint->files->by_name, compare_name_with);
    return found ? *found : NULL;
}

enum lfm_status lfm_check_text(const char *what, const char *text, size_t length, struct lfm_error *error)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte < 0x20 || byte == 0x7f)
            return lfm_fail(error, LFM_ERROR_FORMAT, "%s has the control character 0x%02x at byte %zu", what, byte, i);
    }
    return LFM_OK;
}

void lfm_shape_text(char text[LFM_SHAPE_TEXT], size_t n_dimensions, const size_t *shape)
{
    size_t used = (size_t)snprintf(text, LFM_SHAPE_TEXT, "[");
    for (size_t i = 0; i < n_dimensions && i < LFM_MAX_DIMENSIONS; i++)
        used += (size_t)snprintf(text + used, LFM_SHAPE_TEXT - used, "%s%zu", i ? "," : "", shape[i]);
    snprintf(text + used, LFM_SHAPE_TEXT - used, "]");
}

enum lfm_status lfm_tensor_measure(struct lfm_tensor *tensor, struct lfm_error *error)
{
    char shape[LFM_SHAPE_TEXT];
    lfm_shape_text(shape, tensor->n_dimensions, tensor->shape);
    size_t elements = 1;
    for (size_t i = 0; i < tensor->n_dimensions; i++) {
        size_t dimension = tensor->shape[i];
        if (dimension != 0 && elements > PTRDIFF_MAX / dimension)
            return lfm_fail(error, LFM_ERROR_FORMAT, "the shape %s has more elements than memory can hold", shape);
        elements *= dimension;
    }
    if (!tensor->format) return LFM_OK;

    size_t columns = tensor->n_dimensions ? tensor->shape[tensor->n_dimensions - 1] : 1, row_bytes;
    if (lfm_format_row_bytes(tensor->format, columns, &row_bytes, error) != LFM_OK)
        return lfm_fail_in(error, "the shape %s does not fit", shape);
    size_t rows = columns ? elements / columns : 0;
    if (row_bytes != 0 && rows > PTRDIFF_MAX / row_bytes)
        return lfm_fail(error, LFM_ERROR_FORMAT, "the shape %s takes more bytes than memory can hold", shape);
    tensor->bytes = rows * row_bytes;
    return LFM_OK;
}

static int compare_positions(const void *a, const void *b)
{
    const struct lfm_tensor *const *first = a, *const *second = b;
    uintptr_t x = (uintptr_t)(*first)->data, y = (uintptr_t)(*second)->data;
    if (x != y) return x < y ? -1 : 1;
    return ((*first)->bytes > (*second)->bytes) - ((*first)->bytes < (*second)->bytes);
}

enum lfm_status lfm_tensors_by_position(struct lfm_tensor ***out, const struct lfm_checkpoint *checkpoint, size_t first,
                                        struct lfm_error *error)
{
    size_t n = checkpoint->n_tensors - first;
    LFM_TRY(LFM_ALLOC(out, n, error));
    for (size_t i = 0; i < n; i++) (*out)[i] = &checkpoint->tensors[first + i];
    qsort(*out, n, sizeof **out, compare_positions);
    return LFM_OK;
}

void lfm_checkpoint_advise(const struct lfm_checkpoint *checkpoint, const void *data, size_t bytes,
                           enum lfm_advice advice)
{
    for (size_t i = 0; i < checkpoint->files->n_mappings; i++)
        lfm_mapping_advise(&checkpoint->files->mappings[i], data, bytes, advice);
}

size_t lfm_tensor_elements(const struct lfm_tensor *tensor)
{
    size_t elements = 1;
    for (size_t i = 0; i < tensor->n_dimensions; i++) elements *= tensor->shape[i];
    return elements;
}

enum lfm_status lfm_tensor_expect_shape(const struct lfm_tensor *tensor, size_t n_dimensions, const size_t *shape,
                                        struct lfm_error *error)
{
    bool equal = tensor->n_dimensions == n_dimensions;
    for (size_t i = 0; equal && i < n_dimensions; i++) equal = tensor->shape[i] == shape[i];
    if (equal) return LFM_OK;
    char found[LFM_SHAPE_TEXT], expected[LFM_SHAPE_TEXT];
    lfm_shape_text(found, tensor->n_dimensions, tensor->shape);
    lfm_shape_text(expected, n_dimensions, shape);
    return lfm_fail(error, LFM_ERROR_MISMATCH, "cannot load '%s': tensor '%s' is %s, expected %s", tensor->file,
                    tensor->name, found, expected);
}

enum lfm_status lfm_tensor_decode(const struct lfm_tensor *tensor, float *out, size_t n, struct lfm_error *error)
{
    if (!tensor->format)
        return lfm_fail(error, LFM_ERROR_FORMAT, "cannot load '%s': tensor '%s' is stored as %s, expected one of %s",
                        tensor->file, tensor->name, tensor->type_name, lfm_format_names());
    size_t elements = lfm_tensor_elements(tensor);
    if (elements != n)
        return lfm_fail(error, LFM_ERROR_MISMATCH, "cannot load '%s': tensor '%s' has %zu elements, expected %zu",
                        tensor->file, tensor->name, elements, n);
    if (n > 0) tensor->format->decode_row(out, tensor->data, n);
    return LFM_OK;
}

/* --- the digest --- */

/* Appends `name` and the file's contents. *done counts bytes over all files. */
static enum lfm_status hash_file(struct lfm_hash *hash, const char *path, double *done, struct lfm_progress *progress,
                                 struct lfm_error *error)
{
    enum { CHUNK = 1 << 23 };
    const char *name = base_name(path);
    LFM_TRY(lfm_hash_update(hash, name, strlen(name) + 1, error));
    struct lfm_mapping file;
    LFM_TRY(lfm_mapping_open(&file, path, error));
    enum lfm_status status = LFM_OK;
    for (size_t at = 0; status == LFM_OK && at < file.size; at += CHUNK) {
        size_t length = file.size - at < CHUNK ? file.size - at : CHUNK;
        status = lfm_hash_update(hash, file.data + at, length, error);
        *done += (double)length;
        lfm_progress_update(progress, *done);
        if (lfm_interrupted()) status = lfm_fail(error, LFM_ERROR_STOPPED, "interrupted while reading '%s'", path);
    }
    lfm_mapping_close(&file);
    return status;
}

static int compare_base_names(const void *a, const void *b)
{
    const char *const *first = a, *const *second = b;
    return strcmp(base_name(*first), base_name(*second));
}

enum lfm_status lfm_checkpoint_sha256(const struct lfm_checkpoint *checkpoint, char text[LFM_SHA256_TEXT],
                                      struct lfm_progress *progress, struct lfm_error *error)
{
    const struct lfm_checkpoint_files *files = checkpoint->files;
    const char **paths = NULL;
    char *config = NULL, *tokenizer = NULL;
    struct lfm_hash *hash = NULL;
    size_t n = 0;
    double done = 0;
    enum lfm_status status;
    LFM_TRY_DONE(LFM_ALLOC(&paths, files->n_mappings + 2, error));
    for (size_t i = 0; i < files->n_mappings; i++) paths[n++] = files->mappings[i].path;
    if (checkpoint->container == LFM_HUGGING_FACE) {
        LFM_TRY_DONE(lfm_join_path(&config, checkpoint->path, "config.json", error));
        LFM_TRY_DONE(lfm_join_path(&tokenizer, checkpoint->path, "tokenizer.json", error));
        paths[n++] = config;
        if (lfm_file_exists(tokenizer)) paths[n++] = tokenizer;
    }
    qsort(paths, n, sizeof *paths, compare_base_names);
    LFM_TRY_DONE(lfm_hash_new(&hash, error));
    for (size_t i = 0; i < n; i++) LFM_TRY_DONE(hash_file(hash, paths[i], &done, progress, error));
    status = lfm_hash_finish(hash, text, error);
done:
    lfm_hash_free(hash);
    free(tokenizer);
    free(config);
    free(paths);
    return status;
}
