/* Reading traces: see reader.h. */
#include "reference/trace/reader.h"

#include "reference/base/file.h"
#include "reference/base/memory.h"
#include "reference/model/config.h"
#include "reference/trace/h5.h"
#include "reference/trace/header.h"
#include "reference/trace/points.h"
#include "reference/trace/truncated.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WIDTH = 1 << 24 }; /* values per token: far beyond any model, small enough to allocate rows of */

struct stored_layer {
    hid_t points[LFM_POINT_COUNT]; /* datasets, -1 where there is none */
    size_t widths[LFM_POINT_COUNT];
    size_t inner[LFM_POINT_COUNT][2]; /* extents of the axes after that of the tokens, whose product the width is */
    hid_t expert_bias;
};

struct lfm_trace {
    hid_t file;
    char *path;
    cJSON *header; /* what the texts of `information` are borrowed from */
    struct lfm_trace_information information;
    hid_t ids, documents, positions;
    struct stored_layer *layers; /* [information.layers] */
};

/* --- opening --- */

static enum lfm_status open_file(struct lfm_trace *trace, struct lfm_error *error)
{
    const char *path = trace->path;
    struct lfm_mapping mapping;
    lfm_h5_start();
    LFM_TRY(lfm_mapping_open(&mapping, path, error));
    size_t bytes = mapping.size;
    lfm_mapping_close(&mapping);
    if (H5Fis_hdf5(path) <= 0) return lfm_fail(error, LFM_ERROR_FORMAT, "'%s' is not an HDF5 file", path);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
    trace->file = H5Fopen(path, H5F_ACC_RDONLY, access);
    enum lfm_status status = trace->file < 0 ? lfm_h5_fail(error, LFM_ERROR_FORMAT, "open", NULL, path) : LFM_OK;
    lfm_h5_close(access);
    bool truncated = status != LFM_OK && error && strstr(error->message, "truncated file") != NULL;
    return truncated ? lfm_trace_explain_truncation(path, bytes, error) : status;
}

static enum lfm_status read_header(struct lfm_trace *trace, struct lfm_error *error)
{
    const char *path = trace->path;
    char *text;
    htri_t exists = H5Aexists(trace->file, "header");
    if (exists < 0) return lfm_h5_fail(error, LFM_ERROR_FORMAT, "read attribute", "header", path);
    if (exists == 0)
        return lfm_fail(error, LFM_ERROR_FORMAT, "'%s' is HDF5, but not a trace: the attribute 'header' is missing",
                        path);
    LFM_TRY(lfm_h5_get_fixed_text(trace->file, "header", &text, path, error));
    enum lfm_status status = lfm_json_parse(&trace->header, text, strlen(text), path, error);
    free(text);
    return status;
}

static enum lfm_status check_format(const struct lfm_trace *trace, struct lfm_error *error)
{
    const char *path = trace->path, *format;
    int64_t version;
    LFM_TRY(lfm_json_require_string(trace->header, "format", path, &format, error));
    if (strcmp(format, LFM_TRACE_FORMAT) != 0)
        return lfm_fail(error, LFM_ERROR_FORMAT, "'%s' has the format '%.40s', expected '%s'", path, format,
                        LFM_TRACE_FORMAT);
    LFM_TRY(lfm_h5_get_whole(trace->file, "version", &version, path, error));
    if (version == LFM_TRACE_VERSION) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_FORMAT, "'%s' is a trace of version %" PRId64 ", this program reads version %d",
                    path, version, LFM_TRACE_VERSION);
}

static enum lfm_status read_config(struct lfm_trace *trace, struct lfm_error *error)
{
    struct lfm_trace_information *information = &trace->information;
    const char *path = trace->path;
    information->config = cJSON_GetObjectItemCaseSensitive(trace->header, "config");
    const struct {
        const char *key;
        size_t *out, limit;
    } sizes[] = {
        {"num_hidden_layers", &information->layers, LFM_MAX_LAYERS},
        {"hidden_size", &information->hidden_size, MAX_WIDTH},
        {"num_experts", &information->experts, LFM_MAX_EXPERTS},
        {"num_experts_per_tok", &information->experts_per_token, LFM_MAX_EXPERTS},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        LFM_TRY(lfm_json_require_size(information->config, sizes[i].key, path, sizes[i].out, error));
        if (*sizes[i].out > sizes[i].limit)
            return lfm_fail(error, LFM_ERROR_LIMIT, "'%s': %s is %zu, at most %zu is possible", path, sizes[i].key,
                            *sizes[i].out, sizes[i].limit);
    }
    if (information->experts_per_token > information->experts)
        return lfm_fail(error, LFM_ERROR_MISMATCH, "'%s': num_experts_per_tok is %zu of %zu experts", path,
                        information->experts_per_token, information->experts);
    if (information->layers == 0) return lfm_fail(error, LFM_ERROR_FORMAT, "'%s': num_hidden_layers is 0", path);
    return LFM_OK;
}

static enum lfm_status read_attributes(struct lfm_trace *trace, struct lfm_error *error)
{
    struct lfm_trace_information *information = &trace->information;
    const cJSON *header = trace->header;
    const char *path = trace->path;
    int64_t complete;
    LFM_TRY(lfm_json_require_string(header, "model", path, &information->model, error));
    LFM_TRY(lfm_json_require_string(header, "sha256", path, &information->sha256, error));
    LFM_TRY(lfm_json_require_string(header, "tokenizer_sha256", path, &information->tokenizer_sha256, error));
    LFM_TRY(lfm_json_require_string(header, "weights", path, &information->weights, error));
    LFM_TRY(lfm_json_require_string(header, "created", path, &information->created, error));
    information->activations = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(header, "activations"));
    information->kv = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(header, "kv"));
    LFM_TRY(lfm_json_require_double(header, "bits_per_weight", path, &information->bits_per_weight, error));
    LFM_TRY(lfm_h5_get_whole(trace->file, "complete", &complete, path, error));
    information->complete = complete == 1;
    return LFM_OK;
}

/* True when all groups on the way, and the object itself, exist. */
static bool object_exists(hid_t file, const char *name)
{
    char prefix[128];
    for (size_t i = 0; name[i]; i++) {
        if (name[i] != '/' || i == 0 || i >= sizeof prefix) continue;
        snprintf(prefix, sizeof prefix, "%.*s", (int)i, name);
        if (H5Lexists(file, prefix, H5P_DEFAULT) <= 0) return false;
    }
    return H5Lexists(file, name, H5P_DEFAULT) > 0;
}

/* Bytes that the dataset claims to hold, against those that are in the file: deflate saves a factor of 1032 at most, so
 * a larger one means that the rows do not exist. */
static bool is_plausible(hid_t dataset, const hsize_t extent[3], int rank, size_t element)
{
    double claimed = (double)element;
    for (int i = 0; i < rank; i++) claimed *= (double)extent[i];
    return claimed <= 4096 + 1100.0 * (double)H5Dget_storage_size(dataset);
}

/* Opens a dataset of that class and rank, and tells its extent. */
static enum lfm_status open_dataset(const struct lfm_trace *trace, const char *name, H5T_class_t class, int rank,
                                    hid_t *out, hsize_t extent[3], struct lfm_error *error)
{
    const char *path = trace->path;
    if (!object_exists(trace->file, name))
        return lfm_fail(error, LFM_ERROR_FORMAT, "'%s': the dataset '%s' is missing", path, name);
    *out = H5Dopen2(trace->file, name, H5P_DEFAULT);
    if (*out < 0) return lfm_h5_fail(error, LFM_ERROR_FORMAT, "open", name, path);
    hid_t type = H5Dget_type(*out), space = H5Dget_space(*out);
    size_t element = type >= 0 ? H5Tget_size(type) : 0;
    extent[0] = extent[1] = extent[2] = 0;
    bool fits = type >= 0 && space >= 0 && H5Tget_class(type) == class && element <= 8 &&
                H5Sget_simple_extent_ndims(space) == rank && H5Sget_simple_extent_dims(space, extent, NULL) == rank;
    bool plausible = fits && is_plausible(*out, extent, rank, element);
    lfm_h5_close(space);
    lfm_h5_close(type);
    if (!fits)
        return lfm_fail(error, LFM_ERROR_FORMAT, "'%s': '%s' must have %d axes and hold %s", path, name, rank,
                        class == H5T_FLOAT ? "floating-point numbers" : "whole numbers");
    if (!plausible)
        return lfm_fail(error, LFM_ERROR_FORMAT, "'%s': '%s' claims %llu rows, but the file does not hold them", path,
                        name, (unsigned long long)extent[0]);
    return LFM_OK;
}

static enum lfm_status open_column(struct lfm_trace *trace, const char *name, hid_t *out, struct lfm_error *error)
{
    hsize_t extent[3];
    LFM_TRY(open_dataset(trace, name, H5T_INTEGER, 1, out, extent, error));
    size_t *tokens = &trace->information.tokens;
    if (extent[0] > INT32_MAX)
        return lfm_fail(error, LFM_ERROR_LIMIT, "'%s': '%s' has %llu rows, at most %d are possible",
                        trace->path, name, (unsigned long long)extent[0], INT32_MAX);
    if (extent[0] < *tokens) *tokens = (size_t)extent[0];
    return LFM_OK;
}

/* Adds up the documents' lengths. */
static enum lfm_status read_planned(struct lfm_trace *trace, hid_t lengths, struct lfm_error *error)
{
    struct lfm_trace_information *information = &trace->information;
    int64_t *tokens;
    LFM_TRY(LFM_ALLOC(&tokens, information->documents, error));
    enum lfm_status status = LFM_OK;
    if (H5Dread(lengths, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, tokens) < 0)
        status = lfm_h5_fail(error, LFM_ERROR_FORMAT, "read", "/documents/tokens", trace->path);
    for (size_t d = 0; d < information->documents && status == LFM_OK; d++) {
        if (tokens[d] >= 0 && tokens[d] <= INT32_MAX) information->planned += (size_t)tokens[d];
        else
            status = lfm_fail(error, LFM_ERROR_FORMAT, "'%s': '/documents/tokens' says that document %zu has %" PRId64
                              " tokens", trace->path, d, tokens[d]);
    }
    free(tokens);
    return status;
}

static enum lfm_status open_tokens(struct lfm_trace *trace, struct lfm_error *error)
{
    hsize_t extent[3];
    hid_t lengths = -1;
    trace->information.tokens = INT32_MAX;
    LFM_TRY(open_column(trace, "/tokens/id", &trace->ids, error));
    LFM_TRY(open_column(trace, "/tokens/document", &trace->documents, error));
    LFM_TRY(open_column(trace, "/tokens/position", &trace->positions, error));
    enum lfm_status status = open_dataset(trace, "/documents/tokens", H5T_INTEGER, 1, &lengths, extent, error);
    trace->information.documents = (size_t)extent[0];
    if (status == LFM_OK) status = read_planned(trace, lengths, error);
    lfm_h5_close(lengths);
    return status;
}

/* What the header says about the values per token of a point, 0 when there may be any number. */
static size_t expected_width(const struct lfm_trace_information *information, enum lfm_point point)
{
    switch (point) {
    case LFM_POINT_Q:
    case LFM_POINT_K:
    case LFM_POINT_V:
    case LFM_POINT_ATTENTION:
    case LFM_POINT_WEIGHTS_ENTROPY:
    case LFM_POINT_WEIGHTS_LARGEST:
    case LFM_POINT_WEIGHTS_POSITION:
    case LFM_POINT_WEIGHTS_SPANS:
    case LFM_POINT_GATE:
    case LFM_POINT_UP:
    case LFM_POINT_EXPERT_GATE:
    case LFM_POINT_EXPERT_UP: return 0;
    case LFM_POINT_ROUTER_LOGITS:
    case LFM_POINT_ROUTER_SCORES: return information->experts;
    case LFM_POINT_ROUTER_SELECTED:
    case LFM_POINT_ROUTER_WEIGHTS: return information->experts_per_token;
    case LFM_POINT_ROUTER_MARGIN: return 1;
    case LFM_POINT_EXPERT_DOWN: return information->experts_per_token * information->hidden_size;
    default: return information->hidden_size;
    }
}

static enum lfm_status open_point(struct lfm_trace *trace, size_t layer, enum lfm_point point, struct lfm_error *error)
{
    struct lfm_trace_information *information = &trace->information;
    struct stored_layer *stored = &trace->layers[layer];
    char name[64];
    hsize_t extent[3];
    size_t n_axes = lfm_point_axes(point).count, K = information->experts_per_token;
    snprintf(name, sizeof name, "/layers/%02zu/%s", layer, lfm_point_name(point));
    if (!object_exists(trace->file, name)) return LFM_OK;
    H5T_class_t class = lfm_point_is_integer(point) ? H5T_INTEGER : H5T_FLOAT;
    LFM_TRY(open_dataset(trace, name, class, 1 + (int)n_axes, &stored->points[point], extent, error));
    size_t expected = expected_width(information, point);
    hsize_t width = n_axes > 0 ? extent[1] : 1, last = n_axes > 1 ? extent[2] : 1;
    bool fits = width > 0 && last > 0 && width <= MAX_WIDTH && last <= MAX_WIDTH / width;
    fits = fits && (expected > 0 ? width * last == expected : !lfm_point_is_router(point));
    if (!fits || (lfm_point_is_expert(point) && width != K))
        return lfm_fail(error, LFM_ERROR_MISMATCH, "'%s': '%s' has %llu values per token, expected %zu",
                        information->path, name, (unsigned long long)(width * last), expected);
    stored->inner[point][0] = (size_t)width;
    stored->inner[point][1] = (size_t)last;
    stored->widths[point] = (size_t)(width * last);
    if (information->complete && extent[0] != information->tokens)
        return lfm_fail(error, LFM_ERROR_MISMATCH, "'%s': '%s' has %llu rows, expected %zu as there are tokens",
                        information->path, name, (unsigned long long)extent[0], information->tokens);
    if (extent[0] < information->tokens) information->tokens = (size_t)extent[0];
    return LFM_OK;
}

static enum lfm_status open_expert_bias(struct lfm_trace *trace, size_t layer, struct lfm_error *error)
{
    char name[64];
    hsize_t extent[3];
    snprintf(name, sizeof name, "/layers/%02zu/router/expert_bias", layer);
    if (!object_exists(trace->file, name)) return LFM_OK;
    LFM_TRY(open_dataset(trace, name, H5T_FLOAT, 1, &trace->layers[layer].expert_bias, extent, error));
    if (extent[0] == trace->information.experts) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_MISMATCH, "'%s': '%s' has %llu values, expected %zu", trace->path,
                    name, (unsigned long long)extent[0], trace->information.experts);
}

static enum lfm_status open_layers(struct lfm_trace *trace, struct lfm_error *error)
{
    LFM_TRY(LFM_ALLOC(&trace->layers, trace->information.layers, error));
    for (size_t layer = 0; layer < trace->information.layers; layer++) {
        trace->layers[layer].expert_bias = -1;
        for (int p = 0; p < LFM_POINT_COUNT; p++) trace->layers[layer].points[p] = -1;
    }
    for (size_t layer = 0; layer < trace->information.layers; layer++) {
        LFM_TRY(open_expert_bias(trace, layer, error));
        for (int p = 0; p < LFM_POINT_COUNT; p++) LFM_TRY(open_point(trace, layer, (enum lfm_point)p, error));
    }
    return LFM_OK;
}

static enum lfm_status open_all(struct lfm_trace *trace, struct lfm_error *error)
{
    LFM_TRY(open_file(trace, error));
    LFM_TRY(read_header(trace, error));
    LFM_TRY(check_format(trace, error));
    LFM_TRY(read_config(trace, error));
    LFM_TRY(read_attributes(trace, error));
    LFM_TRY(open_tokens(trace, error));
    return open_layers(trace, error);
}

enum lfm_status lfm_trace_open(struct lfm_trace **out, const char *path, struct lfm_error *error)
{
    struct lfm_trace *trace;
    *out = NULL;
    LFM_TRY(LFM_ALLOC(&trace, 1, error));
    trace->file = trace->ids = trace->documents = trace->positions = -1;
    enum lfm_status status = lfm_copy_string(&trace->path, path, strlen(path), error);
    trace->information.path = trace->path;
    if (status == LFM_OK) status = open_all(trace, error);
    if (status == LFM_OK)
        *out = trace;
    else
        lfm_trace_close(trace);
    return status;
}

static void close_layer(struct stored_layer *layer)
{
    for (int p = 0; p < LFM_POINT_COUNT; p++) lfm_h5_close(layer->points[p]);
    lfm_h5_close(layer->expert_bias);
}

void lfm_trace_close(struct lfm_trace *trace)
{
    if (!trace) return;
    for (size_t layer = 0; trace->layers && layer < trace->information.layers; layer++)
        close_layer(&trace->layers[layer]);
    lfm_h5_close(trace->ids);
    lfm_h5_close(trace->documents);
    lfm_h5_close(trace->positions);
    lfm_h5_close(trace->file);
    free(trace->layers);
    free(trace->path);
    cJSON_Delete(trace->header);
    free(trace);
}

/* --- reading --- */

const struct lfm_trace_information *lfm_trace_information(const struct lfm_trace *trace)
{
    return &trace->information;
}

size_t lfm_trace_width(const struct lfm_trace *trace, size_t layer, enum lfm_point point)
{
    return layer < trace->information.layers ? trace->layers[layer].widths[point] : 0;
}

bool lfm_trace_has_router(const struct lfm_trace *trace, size_t layer)
{
    return lfm_trace_width(trace, layer, LFM_POINT_ROUTER_LOGITS) > 0 &&
           lfm_trace_width(trace, layer, LFM_POINT_ROUTER_SELECTED) > 0 &&
           lfm_trace_width(trace, layer, LFM_POINT_ROUTER_WEIGHTS) > 0;
}

/* Rows first .. first+n-1 of a dataset [T], or [T, ...] with n_axes extents `inner` after that, converted to `type`. */
static enum lfm_status read_rows(const struct lfm_trace *trace, hid_t dataset, const char *name, size_t n_axes,
                                 const size_t *inner, size_t first, size_t n, hid_t type, void *out,
                                 struct lfm_error *error)
{
    const char *path = trace->path;
    size_t T = trace->information.tokens;
    if (n > T || first > T - n)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "'%s' has %zu tokens; %zu from token %zu were asked for", path, T, n,
                        first);
    if (n == 0) return LFM_OK;
    hsize_t start[3] = {first}, count[3] = {n};
    for (size_t i = 0; i < n_axes; i++) count[i + 1] = inner[i];
    hid_t memory = H5Screate_simple(1 + (int)n_axes, count, NULL), file = H5Dget_space(dataset);
    bool done = memory >= 0 && file >= 0 && H5Sselect_hyperslab(file, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
                H5Dread(dataset, type, memory, file, H5P_DEFAULT, out) >= 0;
    enum lfm_status status = done ? LFM_OK : lfm_h5_fail(error, LFM_ERROR_FORMAT, "read", name, path);
    lfm_h5_close(file);
    lfm_h5_close(memory);
    return status;
}

/* Rows of a point; fails when the file does not have it. */
static enum lfm_status read_point(const struct lfm_trace *trace, size_t layer, enum lfm_point point, size_t first,
                                  size_t n, hid_t type, void *out, struct lfm_error *error)
{
    char name[64];
    snprintf(name, sizeof name, "/layers/%02zu/%s", layer, lfm_point_name(point));
    size_t width = lfm_trace_width(trace, layer, point);
    if (width == 0) return lfm_fail(error, LFM_ERROR_MISMATCH, "'%s' has no '%s'", trace->path, name);
    return read_rows(trace, trace->layers[layer].points[point], name, lfm_point_axes(point).count,
                     trace->layers[layer].inner[point], first, n, type, out, error);
}

enum lfm_status lfm_trace_read(const struct lfm_trace *trace, size_t layer, enum lfm_point point, size_t first,
                               size_t n, float *out, struct lfm_error *error)
{
    return read_point(trace, layer, point, first, n, H5T_NATIVE_FLOAT, out, error);
}

enum lfm_status lfm_trace_read_integers(const struct lfm_trace *trace, size_t layer, enum lfm_point point, size_t first,
                                        size_t n, int32_t *out, struct lfm_error *error)
{
    return read_point(trace, layer, point, first, n, H5T_NATIVE_INT32, out, error);
}

enum lfm_status lfm_trace_read_selected(const struct lfm_trace *trace, size_t layer, size_t first, size_t n,
                                        int32_t *out, struct lfm_error *error)
{
    LFM_TRY(read_point(trace, layer, LFM_POINT_ROUTER_SELECTED, first, n, H5T_NATIVE_INT32, out, error));
    size_t K = trace->information.experts_per_token, E = trace->information.experts;
    for (size_t i = 0; i < n * K; i++)
        if (out[i] < 0 || (size_t)out[i] >= E)
            return lfm_fail(error, LFM_ERROR_FORMAT, "'%s': token %zu of layer %zu chose expert %d of %zu",
                            trace->path, first + i / K, layer, (int)out[i], E);
    return LFM_OK;
}

enum lfm_status lfm_trace_read_tokens(const struct lfm_trace *trace, size_t first, size_t n, int32_t *ids,
                                      struct lfm_error *error)
{
    return read_rows(trace, trace->ids, "/tokens/id", 0, NULL, first, n, H5T_NATIVE_INT32, ids, error);
}

enum lfm_status lfm_trace_read_documents(const struct lfm_trace *trace, size_t first, size_t n, int32_t *documents,
                                         struct lfm_error *error)
{
    return read_rows(trace, trace->documents, "/tokens/document", 0, NULL, first, n, H5T_NATIVE_INT32, documents,
                     error);
}

enum lfm_status lfm_trace_read_positions(const struct lfm_trace *trace, size_t first, size_t n, int32_t *positions,
                                         struct lfm_error *error)
{
    return read_rows(trace, trace->positions, "/tokens/position", 0, NULL, first, n, H5T_NATIVE_INT32, positions,
                     error);
}

enum lfm_status lfm_trace_read_expert_bias(const struct lfm_trace *trace, size_t layer, float *bias,
                                           struct lfm_error *error)
{
    size_t E = trace->information.experts;
    hid_t dataset = layer < trace->information.layers ? trace->layers[layer].expert_bias : -1;
    if (dataset < 0) {
        memset(bias, 0, E * sizeof *bias);
        return LFM_OK;
    }
    if (H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, bias) >= 0) return LFM_OK;
    return lfm_h5_fail(error, LFM_ERROR_FORMAT, "read", "router/expert_bias", trace->path);
}

/* --- statistics --- */

/* Opens /statistics/<point>/<name>, [L, ...] with width values per layer in all; *out is -1 when there is none. */
static enum lfm_status open_statistic(const struct lfm_trace *trace, enum lfm_point point, const char *name,
                                      H5T_class_t class, hid_t *out, hsize_t extent[3], struct lfm_error *error)
{
    char full[96];
    int rank = 1 + (int)lfm_point_axes(point).count;
    *out = -1;
    snprintf(full, sizeof full, "/statistics/%s/%s", lfm_point_name(point), name);
    if (!object_exists(trace->file, full)) return LFM_OK;
    LFM_TRY(open_dataset(trace, full, class, rank, out, extent, error));
    hsize_t a = rank > 1 ? extent[1] : 1, b = rank > 2 ? extent[2] : 1;
    if (extent[0] == trace->information.layers && a > 0 && b > 0 && a <= MAX_WIDTH && b <= MAX_WIDTH / a) return LFM_OK;
    lfm_h5_close(*out);
    *out = -1;
    return lfm_fail(error, LFM_ERROR_MISMATCH, "'%s': '%s' has %llu layers of %llu values, expected %zu", trace->path,
                    full, (unsigned long long)extent[0], (unsigned long long)(a * b), trace->information.layers);
}

enum lfm_status lfm_trace_statistics_width(const struct lfm_trace *trace, enum lfm_point point, size_t *width,
                                           struct lfm_error *error)
{
    hid_t dataset;
    hsize_t extent[3];
    *width = 0;
    LFM_TRY(open_statistic(trace, point, "mean", H5T_FLOAT, &dataset, extent, error));
    if (dataset < 0) return LFM_OK;
    *width = 1;
    for (size_t i = 0; i < lfm_point_axes(point).count; i++) *width *= (size_t)extent[i + 1];
    lfm_h5_close(dataset);
    return LFM_OK;
}

/* One layer of a statistic. */
static enum lfm_status read_statistic(const struct lfm_trace *trace, enum lfm_point point, const char *name,
                                      H5T_class_t class, size_t layer, hid_t type, void *out, struct lfm_error *error)
{
    hid_t dataset;
    hsize_t extent[3], start[3] = {layer}, count[3] = {1, 1, 1};
    LFM_TRY(open_statistic(trace, point, name, class, &dataset, extent, error));
    if (dataset < 0 || layer >= trace->information.layers) {
        lfm_h5_close(dataset);
        return lfm_fail(error, LFM_ERROR_MISMATCH, "'%s' has no '/statistics/%s/%s' of layer %zu", trace->path,
                        lfm_point_name(point), name, layer);
    }
    size_t n_axes = lfm_point_axes(point).count;
    for (size_t i = 0; i < n_axes; i++) count[i + 1] = extent[i + 1];
    hid_t memory = H5Screate_simple(1 + (int)n_axes, count, NULL), file = H5Dget_space(dataset);
    bool done = memory >= 0 && file >= 0 && H5Sselect_hyperslab(file, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
                H5Dread(dataset, type, memory, file, H5P_DEFAULT, out) >= 0;
    enum lfm_status status = done ? LFM_OK : lfm_h5_fail(error, LFM_ERROR_FORMAT, "read", name, trace->path);
    lfm_h5_close(file);
    lfm_h5_close(memory);
    lfm_h5_close(dataset);
    return status;
}

enum lfm_status lfm_trace_read_statistic(const struct lfm_trace *trace, enum lfm_point point,
                                         enum lfm_statistic statistic, size_t layer, double *out,
                                         struct lfm_error *error)
{
    return read_statistic(trace, point, lfm_statistic_name(statistic), H5T_FLOAT, layer, H5T_NATIVE_DOUBLE, out, error);
}

enum lfm_status lfm_trace_read_absmax_tokens(const struct lfm_trace *trace, enum lfm_point point, size_t layer,
                                             int64_t *out, struct lfm_error *error)
{
    return read_statistic(trace, point, "absmax_token", H5T_INTEGER, layer, H5T_NATIVE_INT64, out, error);
}

/* --- names and labels --- */

/* Rows of fixed-length text, each with room for a final zero: (*rows)[documents][*stride], to be freed. As is_plausible,
 * what a file claims is held against what it stores. */
static enum lfm_status read_padded(const struct lfm_trace *trace, const char *name, hid_t dataset, char **rows,
                                   size_t *stride, struct lfm_error *error)
{
    const char *path = trace->path;
    size_t count = trace->information.documents;
    hsize_t extent[1] = {0};
    hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset), memory = -1;
    size_t size = type >= 0 && H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 ? H5Tget_size(type) : 0;
    bool fits = size > 0 && size < MAX_WIDTH && space >= 0 && H5Sget_simple_extent_ndims(space) == 1 &&
                H5Sget_simple_extent_dims(space, extent, NULL) == 1 && extent[0] == count &&
                (double)count * (double)size <= 4096 + 1100.0 * (double)H5Dget_storage_size(dataset);
    enum lfm_status status = LFM_OK;
    *stride = size + 1;
    if (!fits)
        status = lfm_fail(error, LFM_ERROR_FORMAT, "'%s': '%s' must hold %zu texts of fixed length", path, name, count);
    if (status == LFM_OK) status = lfm_alloc((void **)rows, count, *stride, error);
    if (status == LFM_OK) {
        memory = H5Tcopy(type);
        if (memory < 0 || H5Tset_size(memory, *stride) < 0 ||
            H5Dread(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, *rows) < 0)
            status = lfm_h5_fail(error, LFM_ERROR_FORMAT, "read", name, path);
    }
    lfm_h5_close(memory);
    lfm_h5_close(space);
    lfm_h5_close(type);
    return status;
}

enum lfm_status lfm_trace_read_document_texts(const struct lfm_trace *trace, const char *column, char ***texts,
                                              struct lfm_error *error)
{
    char name[64], *rows = NULL;
    size_t count = trace->information.documents, stride = 0;
    *texts = NULL;
    snprintf(name, sizeof name, "/documents/%s", column);
    if (!object_exists(trace->file, name))
        return lfm_fail(error, LFM_ERROR_FORMAT, "'%s': the dataset '%s' is missing", trace->path, name);
    hid_t dataset = H5Dopen2(trace->file, name, H5P_DEFAULT);
    if (dataset < 0) return lfm_h5_fail(error, LFM_ERROR_FORMAT, "open", name, trace->path);
    enum lfm_status status = read_padded(trace, name, dataset, &rows, &stride, error);
    lfm_h5_close(dataset);
    if (status == LFM_OK) status = LFM_ALLOC(texts, count + 1, error);
    for (size_t i = 0; i < count && status == LFM_OK; i++) {
        rows[i * stride + stride - 1] = '\0';
        status = lfm_copy_string(&(*texts)[i], rows + i * stride, strlen(rows + i * stride), error);
    }
    free(rows);
    if (status != LFM_OK) lfm_trace_free_texts(texts);
    return status;
}

void lfm_trace_free_texts(char ***texts)
{
    for (size_t i = 0; *texts && (*texts)[i]; i++) free((*texts)[i]);
    free(*texts);
    *texts = NULL;
}

static void add_text(cJSON *object, const char *key, const char *text)
{
    cJSON_AddItemToObject(object, key, text ? cJSON_CreateString(text) : cJSON_CreateNull());
}

void lfm_trace_describe(cJSON *object, const struct lfm_trace_information *information)
{
    add_text(object, "file", information->path);
    add_text(object, "name", information->model);
    add_text(object, "weights", information->weights);
    add_text(object, "activations", information->activations);
    add_text(object, "kv", information->kv);
    lfm_json_add_number(object, "bits_per_weight", information->bits_per_weight);
}
