/* Writing a trace: see writer.h. */
#include "reference/trace/writer.h"

#include "reference/base/memory.h"
#include "reference/base/progress.h"
#include "reference/trace/h5.h"
#include "reference/trace/header.h"
#include "reference/trace/rows.h"
#include "reference/trace/statistics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum axis { AXIS_LAYER, AXIS_CHANNEL, AXIS_HEAD_CHANNEL, AXIS_KV_CHANNEL, AXIS_EXPERT, AXIS_RANK, AXIS_VOCABULARY,
            AXIS_DOCUMENT, AXIS_COUNT };
static const char *const axis_names[AXIS_COUNT] = {"layer", "channel", "head_channel", "kv_channel",
                                                   "expert", "rank", "vocabulary", "document"};

/* The datasets below /statistics/<point>, and what they are computed from. */
struct point_statistics {
    struct lfm_channel_statistics running;
    hid_t datasets[LFM_STATISTIC_COUNT], count;
};

/* Tokens per expert, and the sum of their mixing weights: [L,E]. */
struct router_statistics {
    int64_t *load;
    double *weight_sum;
    hid_t load_dataset, mean_weight_dataset;
};

struct lfm_trace_writer {
    hid_t file;
    char *path;
    const struct lfm_config *config;
    const struct lfm_documents *documents;
    struct lfm_trace_options options;
    struct lfm_observer observer;
    const struct lfm_format *half; /* the encoder, when options.half */
    uint16_t *halves;              /* [chunk_rows, widest point] */
    size_t chunk_rows;
    hid_t axes[AXIS_COUNT];        /* -1 where the model has no such axis */
    struct lfm_rows token_axis, ids, token_documents, positions, logits;
    struct lfm_rows *points;       /* [L, LFM_POINT_COUNT], zeroed where nothing is recorded */
    struct point_statistics statistics[LFM_POINT_COUNT];
    struct router_statistics router;
    size_t flushed;                /* rows in the file at the last flush */
    size_t final;                  /* rows that every dataset has, when finishing */
};

static struct lfm_rows *rows_of(struct lfm_trace_writer *writer, size_t layer, enum lfm_point point)
{
    return &writer->points[layer * LFM_POINT_COUNT + (size_t)point];
}

static enum axis axis_of(enum lfm_point point)
{
    switch (point) {
    case LFM_POINT_Q:
    case LFM_POINT_ATTENTION: return AXIS_HEAD_CHANNEL;
    case LFM_POINT_K:
    case LFM_POINT_V: return AXIS_KV_CHANNEL;
    case LFM_POINT_ROUTER_LOGITS: return AXIS_EXPERT;
    case LFM_POINT_ROUTER_SELECTED:
    case LFM_POINT_ROUTER_WEIGHTS: return AXIS_RANK;
    default: return AXIS_CHANNEL;
    }
}

/* --- layout --- */

static size_t axis_length(const struct lfm_trace_writer *writer, enum axis axis)
{
    const struct lfm_config *config = writer->config;
    switch (axis) {
    case AXIS_LAYER: return config->num_hidden_layers;
    case AXIS_CHANNEL: return config->hidden_size;
    case AXIS_HEAD_CHANNEL: return lfm_point_max_width(config, LFM_POINT_Q);
    case AXIS_KV_CHANNEL: return lfm_point_max_width(config, LFM_POINT_K);
    case AXIS_EXPERT: return lfm_point_max_width(config, LFM_POINT_ROUTER_LOGITS);
    case AXIS_RANK: return lfm_point_max_width(config, LFM_POINT_ROUTER_SELECTED);
    case AXIS_VOCABULARY: return writer->options.logits ? config->vocab_size : 0;
    case AXIS_DOCUMENT: return writer->documents->count;
    default: return 0;
    }
}

static enum lfm_status create_axes(struct lfm_trace_writer *writer, struct lfm_error *error)
{
    hid_t group;
    const char *path = writer->path;
    LFM_TRY(lfm_h5_group(&group, writer->file, "axes", path, error));
    enum lfm_status status = lfm_rows_create(&writer->token_axis, group, "token", H5T_STD_I32LE, 1, 1,
                                             writer->chunk_rows, "index", path, error);
    if (status == LFM_OK) status = lfm_h5_declare_scale(writer->token_axis.dataset, "token", path, error);
    for (int a = 0; a < AXIS_COUNT && status == LFM_OK; a++) {
        size_t length = axis_length(writer, (enum axis)a);
        if (length > 0)
            status = lfm_h5_put_axis(&writer->axes[a], group, axis_names[a], axis_names[a], length, path, error);
    }
    lfm_h5_close(group);
    return status;
}

static enum lfm_status attach(struct lfm_trace_writer *writer, hid_t dataset, size_t dimension, enum axis axis,
                              struct lfm_error *error)
{
    return lfm_h5_attach(dataset, dimension, writer->axes[axis], axis_names[axis], writer->path, error);
}

/* One dataset per token: [T], or [T, width] along `axis`. */
static enum lfm_status create_rows(struct lfm_trace_writer *writer, struct lfm_rows *rows, hid_t parent,
                                   const char *name, hid_t type, size_t width, enum axis axis, const char *units,
                                   struct lfm_error *error)
{
    size_t rank = axis == AXIS_COUNT ? 1 : 2, chunk_rows = writer->chunk_rows;
    const size_t chunk_bytes = (size_t)4 << 20;
    while (chunk_rows > 1 && chunk_rows * width > chunk_bytes / 4) chunk_rows = (chunk_rows + 1) / 2;
    LFM_TRY(lfm_rows_create(rows, parent, name, type, rank, width, chunk_rows, units, writer->path, error));
    LFM_TRY(lfm_h5_attach(rows->dataset, 0, writer->token_axis.dataset, "token", writer->path, error));
    return rank == 2 ? attach(writer, rows->dataset, 1, axis, error) : LFM_OK;
}

static enum lfm_status create_tokens(struct lfm_trace_writer *writer, struct lfm_error *error)
{
    hid_t group;
    LFM_TRY(lfm_h5_group(&group, writer->file, "tokens", writer->path, error));
    enum lfm_status status =
        create_rows(writer, &writer->ids, group, "id", H5T_STD_I32LE, 1, AXIS_COUNT, "token id", error);
    if (status == LFM_OK)
        status = create_rows(writer, &writer->token_documents, group, "document", H5T_STD_I32LE, 1, AXIS_COUNT, "index",
                             error);
    if (status == LFM_OK)
        status =
            create_rows(writer, &writer->positions, group, "position", H5T_STD_I32LE, 1, AXIS_COUNT, "tokens", error);
    lfm_h5_close(group);
    return status;
}

static enum lfm_status put_document_column(struct lfm_trace_writer *writer, hid_t group, const char *name,
                                           const char *const *texts, const int64_t *numbers, struct lfm_error *error)
{
    hid_t dataset = -1;
    size_t count = writer->documents->count;
    enum lfm_status status = texts ? lfm_h5_put_texts(&dataset, group, name, texts, count, writer->path, error)
                                   : lfm_h5_put_array(&dataset, group, name, H5T_STD_I64LE, 1, &count, numbers,
                                                      "tokens", writer->path, error);
    if (status == LFM_OK) status = attach(writer, dataset, 0, AXIS_DOCUMENT, error);
    lfm_h5_close(dataset);
    return status;
}

static enum lfm_status create_documents(struct lfm_trace_writer *writer, struct lfm_error *error)
{
    const struct lfm_documents *documents = writer->documents;
    hid_t group = -1;
    const char **names = NULL, **labels = NULL;
    int64_t *tokens = NULL, *first = NULL;
    enum lfm_status status;
    LFM_TRY_DONE(LFM_ALLOC(&names, documents->count, error));
    LFM_TRY_DONE(LFM_ALLOC(&labels, documents->count, error));
    LFM_TRY_DONE(LFM_ALLOC(&tokens, documents->count, error));
    LFM_TRY_DONE(LFM_ALLOC(&first, documents->count, error));
    for (size_t d = 0; d < documents->count; d++) {
        const struct lfm_document *document = &documents->items[d];
        names[d] = document->name;
        labels[d] = document->label ? document->label : "";
        tokens[d] = (int64_t)document->tokens.count;
        first[d] = d > 0 ? first[d - 1] + tokens[d - 1] : 0;
    }
    LFM_TRY_DONE(lfm_h5_group(&group, writer->file, "documents", writer->path, error));
    LFM_TRY_DONE(put_document_column(writer, group, "name", names, NULL, error));
    LFM_TRY_DONE(put_document_column(writer, group, "label", labels, NULL, error));
    LFM_TRY_DONE(put_document_column(writer, group, "tokens", NULL, tokens, error));
    LFM_TRY_DONE(put_document_column(writer, group, "first_token", NULL, first, error));

done:
    lfm_h5_close(group);
    free(names);
    free(labels);
    free(tokens);
    free(first);
    return status;
}

/* The router's group: how the model turns logits into a choice, so that margins can be computed from the file. */
static enum lfm_status describe_router(struct lfm_trace_writer *writer, hid_t group, const struct lfm_layer *layer,
                                       struct lfm_error *error)
{
    const struct lfm_config *config = writer->config;
    LFM_TRY(lfm_h5_put_whole(group, "num_experts", (int64_t)config->num_experts, writer->path, error));
    LFM_TRY(lfm_h5_put_whole(group, "num_experts_per_tok", (int64_t)config->num_experts_per_tok, writer->path, error));
    LFM_TRY(lfm_h5_put_whole(group, "norm_topk_prob", config->norm_topk_prob, writer->path, error));
    LFM_TRY(lfm_h5_put_double(group, "routed_scaling_factor", config->routed_scaling_factor, writer->path, error));
    if (!layer->expert_bias) return LFM_OK;
    hid_t dataset = -1;
    size_t E = config->num_experts;
    LFM_TRY(lfm_h5_put_array(&dataset, group, "expert_bias", H5T_IEEE_F32LE, 1, &E, layer->expert_bias, "1",
                             writer->path, error));
    enum lfm_status status = attach(writer, dataset, 0, AXIS_EXPERT, error);
    lfm_h5_close(dataset);
    return status;
}

static enum lfm_status create_point(struct lfm_trace_writer *writer, hid_t group, size_t layer, enum lfm_point point,
                                    struct lfm_error *error)
{
    size_t width = lfm_point_width(writer->config, layer, point);
    const char *name = lfm_point_name(point), *units = "1";
    const char *slash = strchr(name, '/');
    hid_t half = -1, type = H5T_IEEE_F32LE;
    if (point == LFM_POINT_ROUTER_SELECTED) {
        type = H5T_STD_I32LE;
        units = "expert index";
    } else if (writer->options.half && !lfm_point_is_router(point)) {
        type = half = lfm_h5_half_type();
    }
    enum lfm_status status = create_rows(writer, rows_of(writer, layer, point), group, slash ? slash + 1 : name, type,
                                         width, axis_of(point), units, error);
    lfm_h5_close(half);
    return status;
}

static bool records(const struct lfm_trace_writer *writer, size_t layer, enum lfm_point point)
{
    const struct lfm_selection *selection = &writer->options.selection;
    return selection->points[point] && selection->layers[layer] && lfm_point_width(writer->config, layer, point) > 0;
}

static enum lfm_status create_layer(struct lfm_trace_writer *writer, hid_t layers, const struct lfm_model *model,
                                    size_t layer, struct lfm_error *error)
{
    hid_t group = -1, router = -1;
    char name[24];
    bool moe = lfm_layer_is_moe(writer->config, layer);
    bool attention = writer->config->layer_types[layer] == LFM_ATTENTION;
    bool arrays = !writer->options.statistics_only;
    enum lfm_status status;
    snprintf(name, sizeof name, "%02zu", layer);
    LFM_TRY_DONE(lfm_h5_group(&group, layers, name, writer->path, error));
    LFM_TRY_DONE(lfm_h5_put_text(group, "operator", attention ? "attention" : "conv", writer->path, error));
    LFM_TRY_DONE(lfm_h5_put_text(group, "feed_forward", moe ? "moe" : "dense", writer->path, error));
    if (moe) {
        LFM_TRY_DONE(lfm_h5_group(&router, group, "router", writer->path, error));
        LFM_TRY_DONE(describe_router(writer, router, &model->layers[layer], error));
    }
    for (int p = 0; p < LFM_POINT_COUNT && arrays; p++) {
        enum lfm_point point = (enum lfm_point)p;
        if (!records(writer, layer, point)) continue;
        LFM_TRY_DONE(create_point(writer, lfm_point_is_router(point) ? router : group, layer, point, error));
    }

done:
    lfm_h5_close(router);
    lfm_h5_close(group);
    return status;
}

static enum lfm_status create_layers(struct lfm_trace_writer *writer, const struct lfm_model *model,
                                     struct lfm_error *error)
{
    hid_t group;
    LFM_TRY(LFM_ALLOC(&writer->points, writer->config->num_hidden_layers * LFM_POINT_COUNT, error));
    LFM_TRY(lfm_h5_group(&group, writer->file, "layers", writer->path, error));
    enum lfm_status status = LFM_OK;
    for (size_t layer = 0; layer < writer->config->num_hidden_layers && status == LFM_OK; layer++)
        if (writer->options.selection.layers[layer]) status = create_layer(writer, group, model, layer, error);
    lfm_h5_close(group);
    return status;
}

/* A dataset [L] or [L, width] below /statistics. */
static enum lfm_status create_statistic(struct lfm_trace_writer *writer, hid_t *dataset, hid_t group, const char *name,
                                        hid_t type, size_t width, enum axis axis, const char *units,
                                        struct lfm_error *error)
{
    const size_t dimensions[2] = {writer->config->num_hidden_layers, width};
    size_t rank = axis == AXIS_COUNT ? 1 : 2;
    LFM_TRY(lfm_h5_put_array(dataset, group, name, type, rank, dimensions, NULL, units, writer->path, error));
    LFM_TRY(attach(writer, *dataset, 0, AXIS_LAYER, error));
    return rank == 2 ? attach(writer, *dataset, 1, axis, error) : LFM_OK;
}

static enum lfm_status create_point_statistics(struct lfm_trace_writer *writer, hid_t parent, enum lfm_point point,
                                               struct lfm_error *error)
{
    struct point_statistics *statistics = &writer->statistics[point];
    const char *name = strchr(lfm_point_name(point), '/');
    size_t width = lfm_point_max_width(writer->config, point);
    hid_t group;
    LFM_TRY(lfm_channel_statistics_init(&statistics->running, writer->config->num_hidden_layers, width, error));
    LFM_TRY(lfm_h5_group(&group, parent, name ? name + 1 : lfm_point_name(point), writer->path, error));
    enum lfm_status status = create_statistic(writer, &statistics->count, group, "count", H5T_STD_I64LE, 0, AXIS_COUNT,
                                              "tokens", error);
    for (int s = 0; s < LFM_STATISTIC_COUNT && status == LFM_OK; s++)
        status = create_statistic(writer, &statistics->datasets[s], group, lfm_statistic_name((enum lfm_statistic)s),
                                  H5T_IEEE_F64LE, width, axis_of(point), "1", error);
    lfm_h5_close(group);
    return status;
}

static enum lfm_status create_router_statistics(struct lfm_trace_writer *writer, hid_t group, struct lfm_error *error)
{
    struct router_statistics *router = &writer->router;
    size_t E = writer->config->num_experts, cells = writer->config->num_hidden_layers * E;
    LFM_TRY(LFM_ALLOC(&router->load, cells, error));
    LFM_TRY(LFM_ALLOC(&router->weight_sum, cells, error));
    LFM_TRY(
        create_statistic(writer, &router->load_dataset, group, "load", H5T_STD_I64LE, E, AXIS_EXPERT, "tokens", error));
    return create_statistic(writer, &router->mean_weight_dataset, group, "mean_weight", H5T_IEEE_F64LE, E, AXIS_EXPERT,
                            "1", error);
}

static enum lfm_status create_statistics(struct lfm_trace_writer *writer, struct lfm_error *error)
{
    const bool *points = writer->options.selection.points;
    hid_t group = -1, router = -1;
    enum lfm_status status;
    LFM_TRY_DONE(lfm_h5_group(&group, writer->file, "statistics", writer->path, error));
    if (points[LFM_POINT_ROUTER_LOGITS] || points[LFM_POINT_ROUTER_WEIGHTS])
        LFM_TRY_DONE(lfm_h5_group(&router, group, "router", writer->path, error));
    for (int p = 0; p < LFM_POINT_COUNT; p++) {
        enum lfm_point point = (enum lfm_point)p;
        if (!points[p] || point == LFM_POINT_ROUTER_SELECTED) continue;
        LFM_TRY_DONE(create_point_statistics(writer, lfm_point_is_router(point) ? router : group, point, error));
    }
    if (points[LFM_POINT_ROUTER_WEIGHTS]) LFM_TRY_DONE(create_router_statistics(writer, router, error));

done:
    lfm_h5_close(router);
    lfm_h5_close(group);
    return status;
}

/* Until the next flush no metadata may reach the file: a run killed in between leaves it as it was flushed. */
static enum lfm_status hold_metadata(struct lfm_trace_writer *writer, struct lfm_error *error)
{
    H5AC_cache_config_t cache = {.version = H5AC__CURR_CACHE_CONFIG_VERSION};
    bool done = H5Fget_mdc_config(writer->file, &cache) >= 0;
    cache.evictions_enabled = false;
    cache.incr_mode = H5C_incr__off;
    cache.flash_incr_mode = H5C_flash_incr__off;
    cache.decr_mode = H5C_decr__off;
    done = done && H5Fset_mdc_config(writer->file, &cache) >= 0;
    return done ? LFM_OK : lfm_h5_fail(error, LFM_ERROR_IO, "configure", NULL, writer->path);
}

static enum lfm_status flush_file(struct lfm_trace_writer *writer, struct lfm_error *error)
{
    if (H5Fflush(writer->file, H5F_SCOPE_GLOBAL) >= 0) return LFM_OK;
    return lfm_h5_fail(error, LFM_ERROR_IO, "write", NULL, writer->path);
}

static enum lfm_status create_logits(struct lfm_trace_writer *writer, struct lfm_error *error)
{
    return create_rows(writer, &writer->logits, writer->file, "logits", H5T_IEEE_F32LE, writer->config->vocab_size,
                       AXIS_VOCABULARY, "1", error);
}

static enum lfm_status prepare_halves(struct lfm_trace_writer *writer, struct lfm_error *error)
{
    size_t widest = 0;
    for (int p = 0; p < LFM_POINT_COUNT; p++) {
        size_t width = lfm_point_max_width(writer->config, (enum lfm_point)p);
        if (width > widest) widest = width;
    }
    writer->half = lfm_format_by_name("f16");
    if (!writer->half) return lfm_fail(error, LFM_ERROR_ARGUMENT, "this program has no format f16");
    return LFM_ALLOC(&writer->halves, writer->chunk_rows * widest, error);
}

static enum lfm_status create_all(struct lfm_trace_writer *writer, const struct lfm_model *model,
                                  const struct lfm_provenance *provenance, struct lfm_error *error)
{
    LFM_TRY(lfm_h5_create(&writer->file, writer->path, error));
    LFM_TRY(hold_metadata(writer, error));
    LFM_TRY(lfm_h5_put_header(writer->file, LFM_TRACE_FORMAT, provenance, writer->path, error));
    LFM_TRY(create_axes(writer, error));
    LFM_TRY(create_tokens(writer, error));
    LFM_TRY(create_documents(writer, error));
    LFM_TRY(create_layers(writer, model, error));
    LFM_TRY(create_statistics(writer, error));
    if (writer->options.logits) LFM_TRY(create_logits(writer, error));
    if (writer->options.half) LFM_TRY(prepare_halves(writer, error));
    return flush_file(writer, error);
}

/* --- the observer --- */

static enum lfm_status append_halves(struct lfm_trace_writer *writer, struct lfm_rows *rows,
                                     const struct lfm_announcement *announcement, struct lfm_error *error)
{
    size_t width = announcement->width;
    for (size_t t = 0; t < announcement->n_tokens;) {
        size_t n = announcement->n_tokens - t < writer->chunk_rows ? announcement->n_tokens - t : writer->chunk_rows;
        writer->half->encode_row(writer->halves, announcement->values + t * width, n * width);
        LFM_TRY(lfm_rows_append(rows, writer->halves, n, error));
        t += n;
    }
    return LFM_OK;
}

static void count_experts(struct lfm_trace_writer *writer, const struct lfm_announcement *announcement)
{
    size_t E = writer->config->num_experts, base = announcement->layer * E;
    for (size_t i = 0; i < announcement->n_tokens * announcement->width; i++) {
        int32_t expert = announcement->selected[i];
        if (expert < 0 || (size_t)expert >= E) continue;
        writer->router.load[base + (size_t)expert]++;
        writer->router.weight_sum[base + (size_t)expert] += announcement->values[i];
    }
}

static enum lfm_status observe(void *context, const struct lfm_announcement *announcement, struct lfm_error *error)
{
    struct lfm_trace_writer *writer = context;
    enum lfm_point point = announcement->point;
    size_t layer = announcement->layer;
    if (lfm_interrupted()) return lfm_fail(error, LFM_ERROR_STOPPED, "interrupted");
    if (layer >= writer->config->num_hidden_layers || !records(writer, layer, point)) return LFM_OK;
    size_t expected = lfm_point_width(writer->config, layer, point);
    if (announcement->width != expected)
        return lfm_fail(error, LFM_ERROR_MISMATCH, "layer %zu announced %s with %zu values per token, expected %zu",
                        layer, lfm_point_name(point), announcement->width, expected);
    if (point != LFM_POINT_ROUTER_SELECTED)
        lfm_channel_statistics_add(&writer->statistics[point].running, layer, announcement->values,
                                   announcement->n_tokens);
    if (point == LFM_POINT_ROUTER_WEIGHTS) count_experts(writer, announcement);
    if (writer->options.statistics_only) return LFM_OK;

    struct lfm_rows *rows = rows_of(writer, layer, point);
    if (point == LFM_POINT_ROUTER_SELECTED)
        return lfm_rows_append(rows, announcement->selected, announcement->n_tokens, error);
    if (writer->options.half && !lfm_point_is_router(point)) return append_halves(writer, rows, announcement, error);
    return lfm_rows_append(rows, announcement->values, announcement->n_tokens, error);
}

/* --- lifecycle --- */

static void mark_closed(struct lfm_trace_writer *writer)
{
    for (int a = 0; a < AXIS_COUNT; a++) writer->axes[a] = -1;
    for (int p = 0; p < LFM_POINT_COUNT; p++) {
        writer->statistics[p].count = -1;
        for (int s = 0; s < LFM_STATISTIC_COUNT; s++) writer->statistics[p].datasets[s] = -1;
    }
    writer->router.load_dataset = writer->router.mean_weight_dataset = writer->file = -1;
}

enum lfm_status lfm_trace_writer_open(struct lfm_trace_writer **out, const char *path, const struct lfm_model *model,
                                      const struct lfm_provenance *provenance, const struct lfm_documents *documents,
                                      const struct lfm_trace_options *options, struct lfm_error *error)
{
    struct lfm_trace_writer *writer = NULL;
    *out = NULL;
    LFM_TRY(lfm_h5_check_target(path, error));
    LFM_TRY(LFM_ALLOC(&writer, 1, error));
    mark_closed(writer);
    writer->config = &model->config;
    writer->documents = documents;
    writer->options = *options;
    writer->observer = (struct lfm_observer){observe, writer};
    writer->chunk_rows = documents->n_tokens < LFM_TRACE_CHUNK ? documents->n_tokens : LFM_TRACE_CHUNK;
    if (writer->chunk_rows == 0) writer->chunk_rows = 1;
    enum lfm_status status = lfm_copy_string(&writer->path, path, strlen(path), error);
    if (status == LFM_OK) status = create_all(writer, model, provenance, error);
    if (status == LFM_OK) {
        *out = writer;
        return LFM_OK;
    }
    bool created = writer->file >= 0;
    lfm_trace_writer_close(writer);
    if (created) unlink(path);
    return status;
}

const struct lfm_observer *lfm_trace_writer_observer(const struct lfm_trace_writer *writer)
{
    return &writer->observer;
}

enum lfm_status lfm_trace_writer_add_tokens(struct lfm_trace_writer *writer, size_t document, size_t position,
                                            const int32_t *ids, size_t n, struct lfm_error *error)
{
    LFM_TRY(lfm_rows_append(&writer->ids, ids, n, error));
    for (size_t t = 0; t < n; t++) {
        const int32_t index = (int32_t)lfm_rows_count(&writer->token_axis);
        const int32_t owner = (int32_t)document, at = (int32_t)(position + t);
        LFM_TRY(lfm_rows_append(&writer->token_axis, &index, 1, error));
        LFM_TRY(lfm_rows_append(&writer->token_documents, &owner, 1, error));
        LFM_TRY(lfm_rows_append(&writer->positions, &at, 1, error));
    }
    return LFM_OK;
}

enum lfm_status lfm_trace_writer_add_logits(struct lfm_trace_writer *writer, const float *logits, size_t n,
                                            struct lfm_error *error)
{
    return lfm_rows_append(&writer->logits, logits, n, error);
}

/* Calls `visit` for every dataset with a row per token. */
static enum lfm_status each_rows(struct lfm_trace_writer *writer,
                                 enum lfm_status (*visit)(struct lfm_trace_writer *writer, struct lfm_rows *rows,
                                                          struct lfm_error *error),
                                 struct lfm_error *error)
{
    LFM_TRY(visit(writer, &writer->token_axis, error));
    LFM_TRY(visit(writer, &writer->ids, error));
    LFM_TRY(visit(writer, &writer->token_documents, error));
    LFM_TRY(visit(writer, &writer->positions, error));
    if (writer->options.logits) LFM_TRY(visit(writer, &writer->logits, error));
    for (size_t i = 0; writer->points && i < writer->config->num_hidden_layers * LFM_POINT_COUNT; i++)
        if (writer->points[i].buffer) LFM_TRY(visit(writer, &writer->points[i], error));
    return LFM_OK;
}

static enum lfm_status check_count(struct lfm_trace_writer *writer, struct lfm_rows *rows, struct lfm_error *error)
{
    size_t expected = lfm_rows_count(&writer->ids), found = lfm_rows_count(rows);
    if (found == expected) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_MISMATCH, "'%s': %zu tokens were run, but '%s' has %zu rows", writer->path,
                    expected, rows->name, found);
}

static enum lfm_status find_least(struct lfm_trace_writer *writer, struct lfm_rows *rows, struct lfm_error *error)
{
    (void)error;
    if (lfm_rows_count(rows) < writer->final) writer->final = lfm_rows_count(rows);
    return LFM_OK;
}

static enum lfm_status finish_rows(struct lfm_trace_writer *writer, struct lfm_rows *rows, struct lfm_error *error)
{
    LFM_TRY(lfm_rows_truncate(rows, writer->final, error));
    return lfm_rows_finish(rows, error);
}

static enum lfm_status write_whole(struct lfm_trace_writer *writer, hid_t dataset, hid_t type, const void *values,
                                   struct lfm_error *error)
{
    if (H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0) return LFM_OK;
    return lfm_h5_fail(error, LFM_ERROR_IO, "write", "/statistics", writer->path);
}

static enum lfm_status write_router_statistics(struct lfm_trace_writer *writer, struct lfm_error *error)
{
    const struct router_statistics *router = &writer->router;
    if (!router->load) return LFM_OK;
    size_t cells = writer->config->num_hidden_layers * writer->config->num_experts;
    double *mean;
    LFM_TRY(LFM_ALLOC(&mean, cells, error));
    for (size_t i = 0; i < cells; i++)
        mean[i] = router->load[i] > 0 ? router->weight_sum[i] / (double)router->load[i] : 0;
    enum lfm_status status = write_whole(writer, router->load_dataset, H5T_NATIVE_INT64, router->load, error);
    if (status == LFM_OK) status = write_whole(writer, router->mean_weight_dataset, H5T_NATIVE_DOUBLE, mean, error);
    free(mean);
    return status;
}

static enum lfm_status write_statistics(struct lfm_trace_writer *writer, struct lfm_error *error)
{
    enum lfm_status status = LFM_OK;
    for (int p = 0; p < LFM_POINT_COUNT && status == LFM_OK; p++) {
        const struct point_statistics *statistics = &writer->statistics[p];
        if (!statistics->running.count) continue;
        double *values;
        LFM_TRY(LFM_ALLOC(&values, statistics->running.layers * statistics->running.width, error));
        status = write_whole(writer, statistics->count, H5T_NATIVE_UINT64, statistics->running.count, error);
        for (int s = 0; s < LFM_STATISTIC_COUNT && status == LFM_OK; s++) {
            lfm_channel_statistics_get(&statistics->running, (enum lfm_statistic)s, values);
            status = write_whole(writer, statistics->datasets[s], H5T_NATIVE_DOUBLE, values, error);
        }
        free(values);
    }
    return status == LFM_OK ? write_router_statistics(writer, error) : status;
}

enum lfm_status lfm_trace_writer_flush(struct lfm_trace_writer *writer, struct lfm_error *error)
{
    LFM_TRY(each_rows(writer, check_count, error));
    if (writer->ids.written == writer->flushed) return LFM_OK;
    writer->flushed = writer->ids.written;
    LFM_TRY(write_statistics(writer, error));
    return flush_file(writer, error);
}

enum lfm_status lfm_trace_writer_finish(struct lfm_trace_writer *writer, bool complete, struct lfm_error *error)
{
    if (complete) LFM_TRY(each_rows(writer, check_count, error));
    writer->final = lfm_rows_count(&writer->ids);
    LFM_TRY(each_rows(writer, find_least, error));
    LFM_TRY(each_rows(writer, finish_rows, error));
    LFM_TRY(write_statistics(writer, error));
    LFM_TRY(lfm_h5_set_whole(writer->file, "complete", complete, writer->path, error));
    return flush_file(writer, error);
}

static void close_statistics(struct point_statistics *statistics)
{
    for (int s = 0; s < LFM_STATISTIC_COUNT; s++) lfm_h5_close(statistics->datasets[s]);
    lfm_h5_close(statistics->count);
    lfm_channel_statistics_release(&statistics->running);
}

void lfm_trace_writer_close(struct lfm_trace_writer *writer)
{
    if (!writer) return;
    lfm_rows_close(&writer->token_axis);
    lfm_rows_close(&writer->ids);
    lfm_rows_close(&writer->token_documents);
    lfm_rows_close(&writer->positions);
    lfm_rows_close(&writer->logits);
    for (size_t i = 0; writer->points && i < writer->config->num_hidden_layers * LFM_POINT_COUNT; i++)
        lfm_rows_close(&writer->points[i]);
    for (int p = 0; p < LFM_POINT_COUNT; p++) close_statistics(&writer->statistics[p]);
    for (int a = 0; a < AXIS_COUNT; a++) lfm_h5_close(writer->axes[a]);
    lfm_h5_close(writer->router.load_dataset);
    lfm_h5_close(writer->router.mean_weight_dataset);
    lfm_h5_close(writer->file);
    free(writer->router.load);
    free(writer->router.weight_sum);
    free(writer->points);
    free(writer->halves);
    free(writer->path);
    free(writer);
}
