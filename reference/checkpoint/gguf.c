/* GGUF: reading a file or a split set, and metadata look-ups. The layout is in gguf.h; nothing a file states is
 * believed before it was compared with the file. */
#include "reference/checkpoint/gguf.h"

#include "reference/base/memory.h"
#include "reference/checkpoint/reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_KEY = 65535, MAX_NESTING = 8, DEFAULT_ALIGNMENT = 32 };

static const size_t scalar_bytes[] = {
    [LFM_GGUF_U8] = 1,  [LFM_GGUF_I8] = 1,  [LFM_GGUF_U16] = 2,  [LFM_GGUF_I16] = 2, [LFM_GGUF_U32] = 4,
    [LFM_GGUF_I32] = 4, [LFM_GGUF_F32] = 4, [LFM_GGUF_BOOL] = 1, [LFM_GGUF_STRING] = 0, [LFM_GGUF_ARRAY] = 0,
    [LFM_GGUF_U64] = 8, [LFM_GGUF_I64] = 8, [LFM_GGUF_F64] = 8};

enum { N_TYPES = sizeof scalar_bytes / sizeof scalar_bytes[0] };

static uint64_t load(const uint8_t *bytes, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

/* --- the file as a stream of bytes --- */

struct cursor {
    const uint8_t *data;
    size_t at, size;
    struct lfm_error *error;
};

static size_t bytes_left(const struct cursor *cursor)
{
    return cursor->size - cursor->at;
}

static enum lfm_status take(struct cursor *cursor, const uint8_t **out, uint64_t length)
{
    *out = cursor->data + cursor->at;
    if (length > bytes_left(cursor))
        return lfm_fail(cursor->error, LFM_ERROR_FORMAT,
                        "expected %" PRIu64 " more bytes at byte %zu, the file has %zu (is it truncated?)", length,
                        cursor->at, bytes_left(cursor));
    cursor->at += (size_t)length;
    return LFM_OK;
}

static enum lfm_status take_u32(struct cursor *cursor, uint32_t *out)
{
    const uint8_t *bytes;
    LFM_TRY(take(cursor, &bytes, 4));
    *out = (uint32_t)load(bytes, 4);
    return LFM_OK;
}

static enum lfm_status take_u64(struct cursor *cursor, uint64_t *out)
{
    const uint8_t *bytes;
    LFM_TRY(take(cursor, &bytes, 8));
    *out = load(bytes, 8);
    return LFM_OK;
}

/* A key or a tensor's name: 1 to `limit` bytes without control characters. */
static enum lfm_status take_name(struct cursor *cursor, const char **out, size_t *length, size_t limit)
{
    uint64_t stated;
    const uint8_t *bytes;
    LFM_TRY(take_u64(cursor, &stated));
    if (stated == 0 || stated > limit)
        return lfm_fail(cursor->error, LFM_ERROR_FORMAT, "expected a name of 1 to %zu bytes, found %" PRIu64, limit,
                        stated);
    LFM_TRY(take(cursor, &bytes, stated));
    *out = (const char *)bytes;
    *length = (size_t)stated;
    return lfm_check_text("the name", *out, *length, cursor->error);
}

/* --- metadata --- */

static enum lfm_status skip_elements(struct cursor *cursor, uint32_t type, uint64_t count, int nesting)
{
    const uint8_t *ignored;
    if (type >= N_TYPES)
        return lfm_fail(cursor->error, LFM_ERROR_FORMAT, "expected a value type from 0 to %d, found %" PRIu32,
                        N_TYPES - 1, type);
    if (scalar_bytes[type] != 0) {
        if (count > UINT64_MAX / scalar_bytes[type]) count = UINT64_MAX / scalar_bytes[type];
        return take(cursor, &ignored, count * scalar_bytes[type]);
    }
    if (nesting > MAX_NESTING)
        return lfm_fail(cursor->error, LFM_ERROR_LIMIT, "arrays are nested more than %d deep", MAX_NESTING);
    for (uint64_t i = 0; i < count; i++) {
        uint32_t element_type = LFM_GGUF_U8;
        uint64_t length;
        if (type == LFM_GGUF_ARRAY) LFM_TRY(take_u32(cursor, &element_type));
        LFM_TRY(take_u64(cursor, &length));
        LFM_TRY(skip_elements(cursor, element_type, length, nesting + 1));
    }
    return LFM_OK;
}

static enum lfm_status read_value(struct cursor *cursor, struct lfm_gguf_value *value)
{
    uint32_t type, element_type;
    LFM_TRY(take_u32(cursor, &type));
    element_type = type;
    value->count = 1;
    if (type == LFM_GGUF_ARRAY) {
        LFM_TRY(take_u32(cursor, &element_type));
        LFM_TRY(take_u64(cursor, &value->count));
    }
    size_t start = cursor->at;
    LFM_TRY(skip_elements(cursor, element_type, value->count, 0));
    value->type = (enum lfm_gguf_type)type;
    value->element_type = (enum lfm_gguf_type)element_type;
    value->data = cursor->data + start;
    value->bytes = cursor->at - start;
    return LFM_OK;
}

static enum lfm_status read_metadata(struct cursor *cursor, struct lfm_gguf *gguf, uint64_t count)
{
    size_t capacity = 0;
    for (uint64_t i = 0; i < count; i++) {
        const char *key;
        size_t length;
        if (take_name(cursor, &key, &length, MAX_KEY) != LFM_OK)
            return lfm_fail_in(cursor->error, "metadata entry %" PRIu64 " of %" PRIu64, i + 1, count);
        LFM_TRY(LFM_GROW(&gguf->values, &capacity, gguf->n_values + 1, cursor->error));
        struct lfm_gguf_value *value = &gguf->values[gguf->n_values];
        *value = (struct lfm_gguf_value){0};
        LFM_TRY(lfm_copy_string(&value->key, key, length, cursor->error));
        gguf->n_values++;
        if (read_value(cursor, value) != LFM_OK) return lfm_fail_in(cursor->error, "metadata '%s'", value->key);
    }
    return LFM_OK;
}

static int compare_keys(const void *a, const void *b)
{
    const char *const *first = a, *const *second = b;
    return strcmp(*first, *second);
}

static enum lfm_status check_keys_differ(const struct lfm_gguf *gguf, struct lfm_error *error)
{
    const char **keys;
    enum lfm_status status = LFM_OK;
    LFM_TRY(LFM_ALLOC(&keys, gguf->n_values, error));
    for (size_t i = 0; i < gguf->n_values; i++) keys[i] = gguf->values[i].key;
    qsort(keys, gguf->n_values, sizeof *keys, compare_keys);
    for (size_t i = 1; i < gguf->n_values && status == LFM_OK; i++)
        if (strcmp(keys[i - 1], keys[i]) == 0)
            status = lfm_fail(error, LFM_ERROR_FORMAT, "metadata '%s' is there twice", keys[i]);
    free(keys);
    return status;
}

static enum lfm_status read_alignment(const struct lfm_gguf *gguf, uint64_t *alignment, struct lfm_error *error)
{
    const struct lfm_gguf_value *value = lfm_gguf_find(gguf, "general.alignment");
    *alignment = DEFAULT_ALIGNMENT;
    if (!value) return LFM_OK;
    if (value->type != LFM_GGUF_U32)
        return lfm_fail(error, LFM_ERROR_FORMAT, "metadata 'general.alignment': expected a value of type u32");
    *alignment = load(value->data, 4);
    if (*alignment == 0 || (*alignment & (*alignment - 1)) != 0)
        return lfm_fail(error, LFM_ERROR_FORMAT,
                        "metadata 'general.alignment': expected a power of two, found %" PRIu64, *alignment);
    return LFM_OK;
}

/* --- tensors --- */

/* The tensors of one file while it is read: offsets[i] belongs to checkpoint->tensors[first + i]. */
struct placement {
    struct lfm_checkpoint *checkpoint;
    const char *file;
    size_t first;
    uint64_t *offsets;
    size_t n, capacity;
};

static enum lfm_status read_shape(struct cursor *cursor, struct lfm_tensor *tensor)
{
    uint32_t n_dimensions;
    LFM_TRY(take_u32(cursor, &n_dimensions));
    if (n_dimensions == 0 || n_dimensions > LFM_MAX_DIMENSIONS)
        return lfm_fail(cursor->error, LFM_ERROR_FORMAT, "expected 1 to %d dimensions, found %" PRIu32,
                        LFM_MAX_DIMENSIONS, n_dimensions);
    tensor->n_dimensions = n_dimensions;
    for (uint32_t i = 0; i < n_dimensions; i++) {
        uint64_t dimension;
        LFM_TRY(take_u64(cursor, &dimension));
        if (dimension == 0 || dimension > PTRDIFF_MAX)
            return lfm_fail(cursor->error, LFM_ERROR_FORMAT, "expected a dimension from 1 to %td, found %" PRIu64,
                            PTRDIFF_MAX, dimension);
        tensor->shape[n_dimensions - 1 - i] = (size_t)dimension;
    }
    return LFM_OK;
}

static enum lfm_status set_type(struct lfm_checkpoint *checkpoint, struct lfm_tensor *tensor, uint32_t type,
                                struct lfm_error *error)
{
    tensor->format = lfm_format_by_gguf_type(type);
    if (tensor->format) {
        tensor->type_name = tensor->format->name;
        return LFM_OK;
    }
    char name[32];
    int length = snprintf(name, sizeof name, "ggml type %" PRIu32, type);
    return lfm_checkpoint_keep(checkpoint, &tensor->type_name, name, (size_t)length, error);
}

static enum lfm_status read_tensor(struct cursor *cursor, struct placement *placement)
{
    struct lfm_tensor tensor = {.file = placement->file};
    const char *name;
    size_t length;
    uint32_t type;
    uint64_t offset;
    if (take_name(cursor, &name, &length, LFM_MAX_NAME) != LFM_OK)
        return lfm_fail_in(cursor->error, "tensor %zu", placement->n + 1);
    LFM_TRY(lfm_checkpoint_keep(placement->checkpoint, &tensor.name, name, length, cursor->error));
    enum lfm_status status;
    LFM_TRY_DONE(read_shape(cursor, &tensor));
    LFM_TRY_DONE(take_u32(cursor, &type));
    LFM_TRY_DONE(take_u64(cursor, &offset));
    LFM_TRY_DONE(set_type(placement->checkpoint, &tensor, type, cursor->error));
    LFM_TRY_DONE(lfm_tensor_measure(&tensor, cursor->error));
    LFM_TRY_DONE(LFM_GROW(&placement->offsets, &placement->capacity, placement->n + 1, cursor->error));
    placement->offsets[placement->n++] = offset;
    status = lfm_checkpoint_add(placement->checkpoint, &tensor, cursor->error);
done:
    if (status != LFM_OK) lfm_fail_in(cursor->error, "tensor '%s'", tensor.name);
    return status;
}

/* Points every tensor at its data. */
static enum lfm_status place_tensors(const struct cursor *cursor, const struct placement *placement, uint64_t alignment)
{
    size_t padding = (size_t)((alignment - cursor->at % alignment) % alignment);
    if (padding > bytes_left(cursor))
        return lfm_fail(cursor->error, LFM_ERROR_FORMAT,
                        "expected tensor data from byte %zu on, the file has %zu bytes (is it truncated?)",
                        cursor->at + padding, cursor->size);
    const uint8_t *start = cursor->data + cursor->at + padding;
    size_t available = bytes_left(cursor) - padding;
    for (size_t i = 0; i < placement->n; i++) {
        struct lfm_tensor *tensor = &placement->checkpoint->tensors[placement->first + i];
        uint64_t offset = placement->offsets[i];
        if (offset % alignment != 0)
            return lfm_fail(cursor->error, LFM_ERROR_FORMAT,
                            "tensor '%s': expected an offset that is a multiple of %" PRIu64 ", found %" PRIu64,
                            tensor->name, alignment, offset);
        if (offset >= available || tensor->bytes > available - offset)
            return lfm_fail(cursor->error, LFM_ERROR_FORMAT,
                            "tensor '%s': %zu bytes at offset %" PRIu64 " lie beyond the end, the file has %zu bytes "
                            "of tensor data (is it truncated?)", tensor->name, tensor->bytes, offset, available);
        tensor->data = start + (size_t)offset;
    }
    return LFM_OK;
}

/* No two tensors share a byte. A tensor of unknown type gets the bytes up to the next one. */
static enum lfm_status check_overlap(const struct cursor *cursor, const struct placement *placement)
{
    struct lfm_tensor **sorted;
    enum lfm_status status = LFM_OK;
    LFM_TRY(lfm_tensors_by_position(&sorted, placement->checkpoint, placement->first, cursor->error));
    for (size_t i = 0; i < placement->n && status == LFM_OK; i++) {
        const uint8_t *begin = sorted[i]->data, *next = cursor->data + cursor->size;
        if (i + 1 < placement->n) next = sorted[i + 1]->data;
        size_t room = (size_t)(next - begin);
        if (room == 0 || sorted[i]->bytes > room)
            status = lfm_fail(cursor->error, LFM_ERROR_FORMAT, "tensors '%s' and '%s' overlap", sorted[i]->name,
                              sorted[i + 1]->name);
        if (!sorted[i]->format) sorted[i]->bytes = room;
    }
    free(sorted);
    return status;
}

/* --- one file --- */

static enum lfm_status read_header(struct cursor *cursor, uint32_t *version, uint64_t *n_tensors, uint64_t *n_values)
{
    const uint8_t *magic;
    if (cursor->size < 4 || memcmp(cursor->data, "GGUF", 4) != 0)
        return lfm_fail(cursor->error, LFM_ERROR_FORMAT,
                        "it is no GGUF file (it does not begin with 'GGUF'); a model is a Hugging Face directory or a "
                        ".gguf file");
    LFM_TRY(take(cursor, &magic, 4));
    LFM_TRY(take_u32(cursor, version));
    if (*version != 2 && *version != 3)
        return lfm_fail(cursor->error, LFM_ERROR_FORMAT, "expected GGUF version 2 or 3, found %" PRIu32 "%s", *version,
                        *version != 0 && (*version & 0xffff) == 0 ? " (a big-endian file?)" : "");
    LFM_TRY(take_u64(cursor, n_tensors));
    return take_u64(cursor, n_values);
}

static enum lfm_status read_contents(struct cursor *cursor, struct lfm_gguf *gguf, struct placement *placement)
{
    uint64_t n_tensors, n_values, alignment;
    LFM_TRY(read_header(cursor, &gguf->version, &n_tensors, &n_values));
    LFM_TRY(read_metadata(cursor, gguf, n_values));
    LFM_TRY(check_keys_differ(gguf, cursor->error));
    LFM_TRY(read_alignment(gguf, &alignment, cursor->error));
    for (uint64_t i = 0; i < n_tensors; i++) LFM_TRY(read_tensor(cursor, placement));
    if (n_tensors == 0) return LFM_OK;
    LFM_TRY(place_tensors(cursor, placement, alignment));
    return check_overlap(cursor, placement);
}

enum lfm_status lfm_gguf_read_file(struct lfm_checkpoint *checkpoint, struct lfm_gguf **out,
                                   const struct lfm_mapping *file, struct lfm_error *error)
{
    struct cursor cursor = {.data = file->data, .size = file->size, .error = error};
    struct placement placement = {.checkpoint = checkpoint, .file = file->path, .first = checkpoint->n_tensors};
    *out = NULL;
    struct lfm_gguf *gguf;
    LFM_TRY(LFM_ALLOC(&gguf, 1, error));
    gguf->path = file->path;
    enum lfm_status status = read_contents(&cursor, gguf, &placement);
    free(placement.offsets);
    if (status == LFM_OK) {
        *out = gguf;
        return LFM_OK;
    }
    lfm_gguf_free(gguf);
    lfm_fail_in(error, "cannot load '%s'", file->path);
    return status;
}

void lfm_gguf_free(struct lfm_gguf *gguf)
{
    if (!gguf) return;
    for (size_t i = 0; i < gguf->n_values; i++) free(gguf->values[i].key);
    free(gguf->values);
    free(gguf);
}

/* --- split sets --- */

/* What a part says of the set it belongs to; count 1 for a file that is not split. */
struct split {
    size_t number, count, tensors;
};

static enum lfm_status read_split(const struct lfm_gguf *gguf, struct split *split, struct lfm_error *error)
{
    bool found;
    *split = (struct split){.count = 1};
    LFM_TRY(lfm_gguf_size(gguf, "split.no", &split->number, &found, error));
    LFM_TRY(lfm_gguf_size(gguf, "split.tensors.count", &split->tensors, &found, error));
    return lfm_gguf_size(gguf, "split.count", &split->count, &found, error);
}

/* Appends the path of part `number` (from 0), made from the path of the first. */
static enum lfm_status part_path(struct lfm_buffer *out, const char *first, size_t number, size_t count,
                                 struct lfm_error *error)
{
    char suffix[48];
    size_t length = strlen(first), used = (size_t)snprintf(suffix, sizeof suffix, "-00001-of-%05zu.gguf", count);
    if (length < used || strcmp(first + length - used, suffix) != 0)
        return lfm_fail(error, LFM_ERROR_MISMATCH,
                        "cannot load '%s': it is part 1 of %zu, so its name should end in '%s'", first, count, suffix);
    LFM_TRY(lfm_buffer_append(out, first, length - used, error));
    return lfm_buffer_printf(out, error, "-%05zu-of-%05zu.gguf", number + 1, count);
}

static enum lfm_status read_part(struct lfm_checkpoint *checkpoint, size_t number, size_t count,
                                 struct lfm_error *error)
{
    struct lfm_buffer path = {0};
    struct lfm_mapping file;
    struct lfm_gguf *gguf = NULL;
    struct split split;
    enum lfm_status status = part_path(&path, checkpoint->path, number, count, error);
    if (status == LFM_OK) {
        status = lfm_checkpoint_map(checkpoint, path.data, &file, error);
        if (status != LFM_OK)
            lfm_fail_in(error, "cannot load '%s': part %zu of %zu", checkpoint->path, number + 1, count);
    }
    if (status == LFM_OK) status = lfm_gguf_read_file(checkpoint, &gguf, &file, error);
    if (status == LFM_OK) status = read_split(gguf, &split, error);
    if (status == LFM_OK && (split.number != number || split.count != count))
        status = lfm_fail(error, LFM_ERROR_MISMATCH,
                          "cannot load '%s': expected part %zu of %zu, found part %zu of %zu",
                          path.data, number + 1, count, split.number + 1, split.count);
    lfm_gguf_free(gguf);
    lfm_buffer_release(&path);
    return status;
}

/* The set is presented as one file: metadata about the splitting go. */
static void drop_split_metadata(struct lfm_gguf *gguf)
{
    size_t kept = 0;
    for (size_t i = 0; i < gguf->n_values; i++) {
        if (strncmp(gguf->values[i].key, "split.", 6) == 0)
            free(gguf->values[i].key);
        else
            gguf->values[kept++] = gguf->values[i];
    }
    gguf->n_values = kept;
}

enum lfm_status lfm_gguf_read_set(struct lfm_checkpoint *checkpoint, struct lfm_error *error)
{
    enum { MAX_PARTS = 65535 };
    struct lfm_mapping file;
    struct split split;
    LFM_TRY(lfm_checkpoint_map(checkpoint, checkpoint->path, &file, error));
    LFM_TRY(lfm_gguf_read_file(checkpoint, &checkpoint->gguf, &file, error));
    LFM_TRY(read_split(checkpoint->gguf, &split, error));
    if (split.count > MAX_PARTS || (split.count > 1 && split.number >= split.count))
        return lfm_fail(error, LFM_ERROR_FORMAT, "cannot load '%s': it says it is part %zu of %zu", file.path,
                        split.number + 1, split.count);
    if (split.count > 1 && split.number != 0)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "cannot load '%s': it is part %zu of %zu; give the first part",
                        file.path, split.number + 1, split.count);
    for (size_t i = 1; i < split.count; i++) LFM_TRY(read_part(checkpoint, i, split.count, error));
    if (split.count > 1 && split.tensors != 0 && split.tensors != checkpoint->n_tensors)
        return lfm_fail(error, LFM_ERROR_MISMATCH, "cannot load '%s': expected %zu tensors in its %zu parts, found %zu",
                        file.path, split.tensors, split.count, checkpoint->n_tensors);
    drop_split_metadata(checkpoint->gguf);
    return lfm_checkpoint_index(checkpoint, error);
}

/* --- look-ups --- */

const struct lfm_gguf_value *lfm_gguf_find(const struct lfm_gguf *gguf, const char *key)
{
    for (size_t i = 0; i < gguf->n_values; i++)
        if (strcmp(gguf->values[i].key, key) == 0) return &gguf->values[i];
    return NULL;
}

/* *value is NULL when an optional key is absent. */
static enum lfm_status look_up(const struct lfm_gguf *gguf, const char *key, bool *found,
                               const struct lfm_gguf_value **value, struct lfm_error *error)
{
    *value = lfm_gguf_find(gguf, key);
    if (found) *found = *value != NULL;
    if (*value || found) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_FORMAT, "cannot load '%s': metadata '%s' is missing", gguf->path, key);
}

static enum lfm_status wrong_kind(const struct lfm_gguf *gguf, const char *key, const char *expected,
                                  struct lfm_error *error)
{
    return lfm_fail(error, LFM_ERROR_FORMAT, "cannot load '%s': metadata '%s': expected %s", gguf->path, key, expected);
}

static bool is_signed(enum lfm_gguf_type type)
{
    return type == LFM_GGUF_I8 || type == LFM_GGUF_I16 || type == LFM_GGUF_I32 || type == LFM_GGUF_I64;
}

static bool is_unsigned(enum lfm_gguf_type type)
{
    return type == LFM_GGUF_U8 || type == LFM_GGUF_U16 || type == LFM_GGUF_U32 || type == LFM_GGUF_U64;
}

/* Two's complement, by arithmetic that has no overflow. */
static int64_t load_signed(const uint8_t *bytes, size_t size)
{
    uint64_t value = load(bytes, size), sign = (uint64_t)1 << (8 * size - 1);
    if (!(value & sign)) return (int64_t)value;
    return (int64_t)(value - sign) - (int64_t)(sign - 1) - 1;
}

static double load_number(enum lfm_gguf_type type, const uint8_t *bytes)
{
    if (is_signed(type)) return (double)load_signed(bytes, scalar_bytes[type]);
    if (type == LFM_GGUF_F32) {
        uint32_t bits = (uint32_t)load(bytes, 4);
        float value;
        memcpy(&value, &bits, sizeof value);
        return (double)value;
    }
    if (type == LFM_GGUF_F64) {
        uint64_t bits = load(bytes, 8);
        double value;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    if (type == LFM_GGUF_BOOL) return bytes[0] != 0;
    return (double)load(bytes, scalar_bytes[type]);
}

enum lfm_status lfm_gguf_size(const struct lfm_gguf *gguf, const char *key, size_t *out, bool *found,
                              struct lfm_error *error)
{
    const struct lfm_gguf_value *value;
    LFM_TRY(look_up(gguf, key, found, &value, error));
    if (!value) return LFM_OK;
    bool whole = is_unsigned(value->type);
    if (is_signed(value->type)) whole = load_signed(value->data, value->bytes) >= 0;
    if (!whole) return wrong_kind(gguf, key, "a whole number, not negative", error);
    *out = (size_t)load(value->data, value->bytes);
    return LFM_OK;
}

enum lfm_status lfm_gguf_double(const struct lfm_gguf *gguf, const char *key, double *out, bool *found,
                                struct lfm_error *error)
{
    const struct lfm_gguf_value *value;
    LFM_TRY(look_up(gguf, key, found, &value, error));
    if (!value) return LFM_OK;
    if (scalar_bytes[value->type] == 0 || value->type == LFM_GGUF_BOOL)
        return wrong_kind(gguf, key, "a number", error);
    *out = load_number(value->type, value->data);
    return LFM_OK;
}

enum lfm_status lfm_gguf_bool(const struct lfm_gguf *gguf, const char *key, bool *out, bool *found,
                              struct lfm_error *error)
{
    const struct lfm_gguf_value *value;
    LFM_TRY(look_up(gguf, key, found, &value, error));
    if (!value) return LFM_OK;
    if (value->type != LFM_GGUF_BOOL) return wrong_kind(gguf, key, "true or false", error);
    *out = value->data[0] != 0;
    return LFM_OK;
}

enum lfm_status lfm_gguf_string(const struct lfm_gguf *gguf, const char *key, const char **out, size_t *length,
                                bool *found, struct lfm_error *error)
{
    const struct lfm_gguf_value *value;
    LFM_TRY(look_up(gguf, key, found, &value, error));
    if (!value) return LFM_OK;
    if (value->type != LFM_GGUF_STRING) return wrong_kind(gguf, key, "a string", error);
    *out = (const char *)value->data + 8;
    *length = value->bytes - 8;
    return LFM_OK;
}

enum lfm_status lfm_gguf_next_string(const struct lfm_gguf_value *array, size_t *cursor, const char **out,
                                     size_t *length, struct lfm_error *error)
{
    if (array->type != LFM_GGUF_ARRAY || array->element_type != LFM_GGUF_STRING)
        return lfm_fail(error, LFM_ERROR_FORMAT, "metadata '%s': expected an array of strings", array->key);
    struct cursor bytes = {.data = array->data, .at = *cursor, .size = array->bytes, .error = error};
    const uint8_t *text;
    uint64_t stated;
    if (*cursor >= array->bytes)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "metadata '%s' has no more than its %" PRIu64 " strings", array->key,
                        array->count);
    LFM_TRY(take_u64(&bytes, &stated));
    LFM_TRY(take(&bytes, &text, stated));
    *out = (const char *)text;
    *length = (size_t)stated;
    *cursor = bytes.at;
    return LFM_OK;
}

enum lfm_status lfm_gguf_element(const struct lfm_gguf_value *array, uint64_t index, double *out,
                                 struct lfm_error *error)
{
    size_t size = scalar_bytes[array->element_type];
    if (size == 0) return lfm_fail(error, LFM_ERROR_FORMAT, "metadata '%s': expected numbers", array->key);
    if (index >= array->count)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "metadata '%s': element %" PRIu64 " of %" PRIu64 " does not exist",
                        array->key, index, array->count);
    *out = load_number(array->element_type, array->data + index * size);
    return LFM_OK;
}
