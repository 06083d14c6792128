/* safetensors: reading a file, and a Hugging Face directory with one file or several. The layout is in
 * safetensors.h; as the format demands, the tensors must cover the data without gap or overlap. */
#include "reference/checkpoint/safetensors.h"

#include "reference/base/memory.h"
#include "reference/checkpoint/reader.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_HEADER = 100000000 }; /* bytes, the limit of the format's own library */

/* Types that lfmscope does not compute with: their size is still checked. */
static const struct {
    const char *dtype;
    size_t bits;
} unread_types[] = {{"BOOL", 8}, {"U8", 8},   {"I8", 8},   {"U16", 16}, {"I16", 16}, {"U32", 32}, {"I32", 32},
                    {"U64", 64}, {"I64", 64}, {"F64", 64}, {"C64", 64}, {"F16", 16}, {"BF16", 16}, {"F32", 32},
                    {"F8_E4M3", 8}, {"F8_E5M2", 8}, {"F8_E8M0", 8}, {"F4", 4}, {"F6_E2M3", 6}, {"F6_E3M2", 6}};

enum { N_UNREAD_TYPES = sizeof unread_types / sizeof unread_types[0] };

static bool whole_number(const cJSON *item, size_t *out)
{
    if (!cJSON_IsNumber(item)) return false;
    double value = item->valuedouble;
    if (!(value >= 0 && value <= 9007199254740992.0) || floor(value) != value) return false;
    *out = (size_t)value;
    return true;
}

static uint64_t load_u64(const uint8_t *bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

/* --- one tensor of the header --- */

static enum lfm_status read_shape(struct lfm_tensor *tensor, const cJSON *entry, struct lfm_error *error)
{
    const cJSON *shape = cJSON_GetObjectItemCaseSensitive(entry, "shape"), *item;
    if (!cJSON_IsArray(shape)) return lfm_fail(error, LFM_ERROR_FORMAT, "expected an array 'shape'");
    cJSON_ArrayForEach(item, shape) {
        if (tensor->n_dimensions == LFM_MAX_DIMENSIONS)
            return lfm_fail(error, LFM_ERROR_FORMAT, "expected at most %d dimensions, found %d", LFM_MAX_DIMENSIONS,
                            cJSON_GetArraySize(shape));
        if (!whole_number(item, &tensor->shape[tensor->n_dimensions]))
            return lfm_fail(error, LFM_ERROR_FORMAT, "expected whole numbers in 'shape'");
        tensor->n_dimensions++;
    }
    return LFM_OK;
}

static enum lfm_status set_type(struct lfm_checkpoint *checkpoint, struct lfm_tensor *tensor, const char *dtype,
                                struct lfm_error *error)
{
    LFM_TRY(lfm_check_text("'dtype'", dtype, strlen(dtype), error));
    tensor->format = lfm_format_by_dtype(dtype);
    tensor->type_name = tensor->format ? tensor->format->safetensors_dtype : NULL;
    for (size_t i = 0; i < N_UNREAD_TYPES && !tensor->type_name; i++)
        if (strcmp(unread_types[i].dtype, dtype) == 0) tensor->type_name = unread_types[i].dtype;
    if (tensor->type_name) return LFM_OK;
    return lfm_checkpoint_keep(checkpoint, &tensor->type_name, dtype, strlen(dtype), error);
}

/* True when bytes are what the type and the shape demand, or when the type's size is not known. */
static bool size_fits(struct lfm_tensor *tensor, size_t bytes)
{
    if (tensor->format) return tensor->bytes == bytes;
    size_t elements = lfm_tensor_elements(tensor);
    for (size_t i = 0; i < N_UNREAD_TYPES; i++) {
        if (strcmp(unread_types[i].dtype, tensor->type_name) != 0) continue;
        size_t bits = unread_types[i].bits;
        return elements <= SIZE_MAX / bits && elements * bits % 8 == 0 && elements * bits / 8 == bytes;
    }
    return true;
}

static enum lfm_status read_data(struct lfm_tensor *tensor, const cJSON *entry, const uint8_t *data, size_t data_size,
                                 struct lfm_error *error)
{
    const cJSON *offsets = cJSON_GetObjectItemCaseSensitive(entry, "data_offsets");
    size_t begin, end;
    if (!cJSON_IsArray(offsets) || cJSON_GetArraySize(offsets) != 2 || !whole_number(offsets->child, &begin) ||
        !whole_number(offsets->child->next, &end) || begin > end)
        return lfm_fail(error, LFM_ERROR_FORMAT, "expected 'data_offsets' [begin, end]");
    if (end > data_size)
        return lfm_fail(error, LFM_ERROR_FORMAT,
                        "data_offsets [%zu, %zu] lie beyond the end, the file has %zu bytes of tensor data (is it "
                        "truncated?)", begin, end, data_size);
    if (!size_fits(tensor, end - begin)) {
        char shape[LFM_SHAPE_TEXT];
        lfm_shape_text(shape, tensor->n_dimensions, tensor->shape);
        return lfm_fail(error, LFM_ERROR_FORMAT,
                        "data_offsets [%zu, %zu] span %zu bytes, which is not the size of %s %s",
                        begin, end, end - begin, tensor->type_name, shape);
    }
    tensor->bytes = end - begin;
    tensor->data = data + begin;
    return LFM_OK;
}

static enum lfm_status read_tensor(struct lfm_checkpoint *checkpoint, struct lfm_tensor *tensor, const cJSON *entry,
                                   const uint8_t *data, size_t data_size, struct lfm_error *error)
{
    if (!cJSON_IsObject(entry)) return lfm_fail(error, LFM_ERROR_FORMAT, "expected a JSON object");
    const cJSON *dtype = cJSON_GetObjectItemCaseSensitive(entry, "dtype");
    if (!cJSON_IsString(dtype)) return lfm_fail(error, LFM_ERROR_FORMAT, "expected a string 'dtype'");
    LFM_TRY(set_type(checkpoint, tensor, dtype->valuestring, error));
    LFM_TRY(read_shape(tensor, entry, error));
    LFM_TRY(lfm_tensor_measure(tensor, error));
    LFM_TRY(read_data(tensor, entry, data, data_size, error));
    return lfm_checkpoint_add(checkpoint, tensor, error);
}

/* --- one file --- */

/* cJSON would cut a string at a zero, so that two names could look alike. */
static enum lfm_status check_no_zeros(const char *text, size_t length, struct lfm_error *error)
{
    for (size_t i = 0; i < length; i++) {
        bool escaped = text[i] == '\\' && length - i >= 6 && memcmp(text + i, "\\u0000", 6) == 0;
        if (text[i] == '\0' || escaped)
            return lfm_fail(error, LFM_ERROR_FORMAT, "the header has a zero character at byte %zu", i);
        if (text[i] == '\\') i++;
    }
    return LFM_OK;
}

static enum lfm_status parse_header(cJSON **out, const struct lfm_mapping *file, size_t *header_size,
                                    struct lfm_error *error)
{
    if (file->size < 8)
        return lfm_fail(error, LFM_ERROR_FORMAT, "expected the length of a header in 8 bytes, the file has %zu",
                        file->size);
    uint64_t length = load_u64(file->data);
    if (length > MAX_HEADER)
        return lfm_fail(error, LFM_ERROR_FORMAT, "expected a header of at most %d bytes, found %" PRIu64, MAX_HEADER,
                        length);
    if (length > file->size - 8)
        return lfm_fail(error, LFM_ERROR_FORMAT, "expected a header of %" PRIu64 " bytes, the file has %zu more (is it "
                        "truncated?)", length, file->size - 8);
    const char *text = (const char *)file->data + 8;
    *header_size = (size_t)length;
    if (length == 0 || text[0] != '{')
        return lfm_fail(error, LFM_ERROR_FORMAT, "expected a header that begins with '{'");
    LFM_TRY(check_no_zeros(text, *header_size, error));
    return lfm_json_parse(out, text, *header_size, "header", error);
}

static enum lfm_status read_entries(struct lfm_checkpoint *checkpoint, const struct lfm_mapping *file,
                                    const cJSON *header, const uint8_t *data, size_t data_size, struct lfm_error *error)
{
    const cJSON *entry;
    cJSON_ArrayForEach(entry, header) {
        const char *name = entry->string;
        size_t length = strlen(name);
        if (strcmp(name, "__metadata__") == 0) continue;
        if (length == 0 || length > LFM_MAX_NAME)
            return lfm_fail(error, LFM_ERROR_FORMAT, "expected tensor names of 1 to %d bytes, found %zu", LFM_MAX_NAME,
                            length);
        LFM_TRY(lfm_check_text("a tensor's name", name, length, error));
        struct lfm_tensor tensor = {.file = file->path};
        LFM_TRY(lfm_checkpoint_keep(checkpoint, &tensor.name, name, length, error));
        enum lfm_status status = read_tensor(checkpoint, &tensor, entry, data, data_size, error);
        if (status != LFM_OK) {
            lfm_fail_in(error, "tensor '%s'", tensor.name);
            return status;
        }
    }
    return LFM_OK;
}

/* The tensors from `first` on follow one another from the first to the last byte of the data. */
static enum lfm_status check_coverage(const struct lfm_checkpoint *checkpoint, size_t first, const uint8_t *data,
                                      size_t data_size, struct lfm_error *error)
{
    size_t n = checkpoint->n_tensors - first, covered = 0;
    struct lfm_tensor **sorted;
    enum lfm_status status = LFM_OK;
    LFM_TRY(lfm_tensors_by_position(&sorted, checkpoint, first, error));
    for (size_t i = 0; i < n && status == LFM_OK; i++) {
        size_t begin = (size_t)((const uint8_t *)sorted[i]->data - data);
        if (begin < covered)
            status = lfm_fail(error, LFM_ERROR_FORMAT, "tensors '%s' and '%s' overlap", sorted[i - 1]->name,
                              sorted[i]->name);
        else if (begin > covered)
            status = lfm_fail(error, LFM_ERROR_FORMAT, "tensor '%s': expected its data to begin at %zu, found %zu",
                              sorted[i]->name, covered, begin);
        covered = begin + sorted[i]->bytes;
    }
    free(sorted);
    if (status == LFM_OK && covered != data_size)
        status = lfm_fail(error, LFM_ERROR_FORMAT, "expected %zu bytes of tensor data, found %zu", covered, data_size);
    return status;
}

enum lfm_status lfm_safetensors_read_file(struct lfm_checkpoint *checkpoint, const struct lfm_mapping *file,
                                          struct lfm_error *error)
{
    cJSON *header = NULL;
    size_t header_size = 0, first = checkpoint->n_tensors;
    enum lfm_status status;
    LFM_TRY_DONE(parse_header(&header, file, &header_size, error));
    const uint8_t *data = file->data + 8 + header_size;
    size_t data_size = file->size - 8 - header_size;
    LFM_TRY_DONE(read_entries(checkpoint, file, header, data, data_size, error));
    status = check_coverage(checkpoint, first, data, data_size, error);
done:
    cJSON_Delete(header);
    if (status != LFM_OK) lfm_fail_in(error, "cannot load '%s'", file->path);
    return status;
}

/* --- a directory --- */

static enum lfm_status read_shard(struct lfm_checkpoint *checkpoint, const char *name, struct lfm_error *error)
{
    char *path;
    struct lfm_mapping file;
    LFM_TRY(lfm_join_path(&path, checkpoint->path, name, error));
    enum lfm_status status = lfm_checkpoint_map(checkpoint, path, &file, error);
    if (status == LFM_OK) status = lfm_safetensors_read_file(checkpoint, &file, error);
    free(path);
    return status;
}

static int compare_strings(const void *a, const void *b)
{
    const char *const *first = a, *const *second = b;
    return strcmp(*first, *second);
}

/* A shard lies in the model's own directory. */
static enum lfm_status check_shard_name(const cJSON *entry, struct lfm_error *error)
{
    LFM_TRY(lfm_check_text("a tensor's name", entry->string, strlen(entry->string), error));
    if (!cJSON_IsString(entry) || entry->valuestring[0] == '\0')
        return lfm_fail(error, LFM_ERROR_FORMAT, "tensor '%s': expected the name of a file", entry->string);
    LFM_TRY(lfm_check_text("a shard's name", entry->valuestring, strlen(entry->valuestring), error));
    if (strchr(entry->valuestring, '/'))
        return lfm_fail(error, LFM_ERROR_FORMAT, "tensor '%s': expected a file in the same directory, found '%s'",
                        entry->string, entry->valuestring);
    return LFM_OK;
}

/* The names of the shards, sorted, each once; they are the JSON's. The caller frees the array. */
static enum lfm_status list_shards(const char ***out, size_t *n, const cJSON *weight_map, struct lfm_error *error)
{
    const cJSON *entry;
    const char **names;
    size_t count = 0, kept = 0;
    cJSON_ArrayForEach(entry, weight_map) {
        LFM_TRY(check_shard_name(entry, error));
        count++;
    }
    LFM_TRY(LFM_ALLOC(&names, count, error));
    count = 0;
    cJSON_ArrayForEach(entry, weight_map) names[count++] = entry->valuestring;
    qsort(names, count, sizeof *names, compare_strings);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || strcmp(names[i], names[kept - 1]) != 0) names[kept++] = names[i];
    *out = names;
    *n = kept;
    return LFM_OK;
}

/* Every tensor is in the shard where the index says it is. */
static enum lfm_status check_weight_map(const struct lfm_checkpoint *checkpoint, const cJSON *weight_map,
                                        struct lfm_error *error)
{
    const cJSON *entry;
    cJSON_ArrayForEach(entry, weight_map) {
        const struct lfm_tensor *tensor = lfm_checkpoint_find(checkpoint, "%s", entry->string);
        const char *slash = tensor ? strrchr(tensor->file, '/') : NULL;
        if (!slash)
            return lfm_fail(error, LFM_ERROR_MISMATCH, "tensor '%s' should be in '%s', but no shard has it",
                            entry->string, entry->valuestring);
        if (strcmp(slash + 1, entry->valuestring) != 0)
            return lfm_fail(error, LFM_ERROR_MISMATCH, "tensor '%s' should be in '%s', found in '%s'", entry->string,
                            entry->valuestring, tensor->file);
    }
    return LFM_OK;
}

static enum lfm_status read_shards(struct lfm_checkpoint *checkpoint, const char *index_path, struct lfm_error *error)
{
    cJSON *index = NULL;
    const char **shards = NULL;
    size_t n = 0;
    bool in_index = true; /* whose fault it is: the index, or a shard with a message of its own */
    enum lfm_status status = lfm_json_parse_file(&index, index_path, error);
    if (status != LFM_OK) return status;
    const cJSON *weight_map = cJSON_GetObjectItemCaseSensitive(index, "weight_map");
    if (!cJSON_IsObject(weight_map) || !weight_map->child) {
        status = lfm_fail(error, LFM_ERROR_FORMAT, "expected an object 'weight_map' with tensors");
        goto done;
    }
    LFM_TRY_DONE(list_shards(&shards, &n, weight_map, error));
    in_index = false;
    for (size_t i = 0; i < n; i++) LFM_TRY_DONE(read_shard(checkpoint, shards[i], error));
    LFM_TRY_DONE(lfm_checkpoint_index(checkpoint, error));
    in_index = true;
    status = check_weight_map(checkpoint, weight_map, error);
done:
    if (status != LFM_OK && in_index) lfm_fail_in(error, "cannot load '%s'", index_path);
    free(shards);
    cJSON_Delete(index);
    return status;
}

enum lfm_status lfm_safetensors_read_directory(struct lfm_checkpoint *checkpoint, struct lfm_error *error)
{
    char *single = NULL, *index = NULL;
    enum lfm_status status;
    LFM_TRY_DONE(lfm_join_path(&single, checkpoint->path, "model.safetensors", error));
    LFM_TRY_DONE(lfm_join_path(&index, checkpoint->path, "model.safetensors.index.json", error));
    if (lfm_file_exists(single)) {
        LFM_TRY_DONE(read_shard(checkpoint, "model.safetensors", error));
        status = lfm_checkpoint_index(checkpoint, error);
    } else if (lfm_file_exists(index)) {
        status = read_shards(checkpoint, index, error);
    } else {
        status = lfm_fail(error, LFM_ERROR_IO,
                          "cannot load '%s': the directory has neither model.safetensors nor "
                          "model.safetensors.index.json", checkpoint->path);
    }
done:
    free(index);
    free(single);
    return status;
}
