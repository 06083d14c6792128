/* The layout of a trace: axes, tokens, documents, layers, statistics. docs/trace-format.md describes it. */
#include "reference/trace/writer_parts.h"

#include "reference/base/buffer.h"
#include "reference/base/memory.h"
#include "reference/trace/h5.h"
#include "reference/trace/header.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 4 << 20, STAGED = 1 << 16 };

/* --- what there is --- */

bool lfm_writer_records(const struct lfm_trace_writer *writer, size_t layer, enum lfm_point point)
{
    const struct lfm_selection *selection = &writer->options.selection;
    return selection->points[point] && selection->layers[layer] && lfm_point_width(writer->config, layer, point) > 0;
}

size_t lfm_writer_width(const struct lfm_trace_writer *writer, size_t layer, enum lfm_point point)
{
    size_t width = lfm_point_width(writer->config, layer, point);
    return point == LFM_POINT_WEIGHTS_SPANS ? width * writer->options.selection.spans.count : width;
}

size_t lfm_writer_staged(const struct lfm_trace_writer *writer)
{
    size_t staged = STAGED;
    for (int p = 0; p < LFM_POINT_COUNT; p++) {
        size_t width = lfm_point_max_width(writer->config, (enum lfm_point)p);
        if (width > staged) staged = width;
    }
    return staged;
}

bool lfm_writer_stays_single(enum lfm_point point)
{
    return lfm_point_is_router(point) || lfm_point_is_attention_weights(point);
}

static size_t axis_length(const struct lfm_trace_writer *writer, enum lfm_axis axis)
{
    const struct lfm_config *config = writer->config;
    const struct lfm_selection *selection = &writer->options.selection;
    switch (axis) {
    case LFM_AXIS_LAYER: return config->num_hidden_layers;
    case LFM_AXIS_CHANNEL: return config->hidden_size;
    case LFM_AXIS_HEAD_CHANNEL: return lfm_point_max_width(config, LFM_POINT_Q);
    case LFM_AXIS_KV_CHANNEL: return lfm_point_max_width(config, LFM_POINT_K);
    case LFM_AXIS_FEED_FORWARD_CHANNEL: return lfm_point_max_width(config, LFM_POINT_GATE);
    case LFM_AXIS_EXPERT_CHANNEL:
        return lfm_point_max_width(config, LFM_POINT_EXPERT_GATE) ? config->moe_intermediate_size : 0;
    case LFM_AXIS_HEAD: return lfm_point_max_width(config, LFM_POINT_WEIGHTS_ENTROPY);
    case LFM_AXIS_SPAN: return selection->points[LFM_POINT_WEIGHTS_SPANS] ? selection->spans.count : 0;
    case LFM_AXIS_EXPERT: return lfm_point_max_width(config, LFM_POINT_ROUTER_LOGITS);
    case LFM_AXIS_RANK: return lfm_point_max_width(config, LFM_POINT_ROUTER_SELECTED);
    case LFM_AXIS_VOCABULARY: return writer->options.logits ? config->vocab_size : 0;
    case LFM_AXIS_DOCUMENT: return writer->documents->count;
    default: return 0;
    }
}

/* Axes of a point's statistics after that of the layers. */
static struct lfm_point_axes statistics_axes(enum lfm_point point)
{
    struct lfm_point_axes axes = lfm_point_axes(point);
    if (lfm_point_is_expert(point)) axes.axes[0] = LFM_AXIS_EXPERT;
    return axes;
}

/* --- axes --- */

static enum lfm_status create_axes(struct lfm_trace_writer *writer, struct lfm_error *error)
{
    hid_t group;
    const char *path = writer->path;
    LFM_TRY(lfm_h5_group(&group, writer->file, "axes", path, error));
    enum lfm_status status = lfm_rows_create(&writer->token_axis, group, "token", H5T_STD_I32LE, 0, NULL,
                                             writer->chunk_rows, "index", &writer->rows_file, error);
    if (status == LFM_OK) status = lfm_h5_declare_scale(writer->token_axis.dataset, "token", path, error);
    for (int a = 0; a < LFM_AXIS_COUNT && status == LFM_OK; a++) {
        size_t length = axis_length(writer, (enum lfm_axis)a);
        if (length > 0)
            status = lfm_h5_put_axis(&writer->axes[a], group, lfm_axis_name((enum lfm_axis)a),
                                     lfm_axis_name((enum lfm_axis)a), length, path, error);
    }
    lfm_h5_close(group);
    return status;
}

static enum lfm_status attach(struct lfm_trace_writer *writer, hid_t dataset, size_t dimension, enum lfm_axis axis,
                              struct lfm_error *error)
{
    return lfm_h5_attach(dataset, dimension, writer->axes[axis], lfm_axis_name(axis), writer->path, error);
}

/* One dataset per token: [T], or [T, ...] along the axes. */
static enum lfm_status create_rows(struct lfm_trace_writer *writer, struct lfm_rows *rows, hid_t parent,
                                   const char *name, hid_t type, struct lfm_point_axes axes, const char *units,
                                   struct lfm_error *error)
{
    size_t chunk_rows = writer->chunk_rows, inner[2] = {1, 1};
    for (size_t i = 0; i < axes.count; i++) inner[i] = axis_length(writer, axes.axes[i]);
    while (chunk_rows > 1 && chunk_rows * inner[0] * inner[1] > CHUNK_BYTES / 4) chunk_rows = (chunk_rows + 1) / 2;
    LFM_TRY(lfm_rows_create(rows, parent, name, type, axes.count, inner, chunk_rows, units, &writer->rows_file, error));
    LFM_TRY(lfm_h5_attach(rows->dataset, 0, writer->token_axis.dataset, "token", writer->path, error));
    for (size_t i = 0; i < axes.count; i++) LFM_TRY(attach(writer, rows->dataset, i + 1, axes.axes[i], error));
    return LFM_OK;
}

static enum lfm_status create_tokens(struct lfm_trace_writer *writer, struct lfm_error *error)
{
    const struct lfm_point_axes none = {0};
    hid_t group;
    LFM_TRY(lfm_h5_group(&group, writer->file, "tokens", writer->path, error));
    enum lfm_status status =
        create_rows(writer, &writer->ids, group, "id", H5T_STD_I32LE, none, "token id", error);
    if (status == LFM_OK)
        status = create_rows(writer, &writer->token_documents, group, "document", H5T_STD_I32LE, none, "index",
                             error);
    if (status == LFM_OK)
        status =
            create_rows(writer, &writer->positions, group, "position", H5T_STD_I32LE, none, "tokens", error);
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
    if (status == LFM_OK) status = attach(writer, dataset, 0, LFM_AXIS_DOCUMENT, error);
    lfm_h5_close(dataset);
    return status;
}

/* How many tokens the documents have, how many of them are recorded, and from which row on. */
struct document_columns {
    int64_t *length, *tokens, *first;
};

static void fill_columns(const struct lfm_trace_writer *writer, struct document_columns *columns)
{
    const struct lfm_ranges *wanted = &writer->options.selection.tokens;
    for (size_t d = 0; d < writer->documents->count; d++) {
        size_t length = writer->documents->items[d].tokens.count;
        columns->length[d] = (int64_t)length;
        columns->tokens[d] = (int64_t)lfm_ranges_count(wanted, 0, length);
        columns->first[d] = d > 0 ? columns->first[d - 1] + columns->tokens[d - 1] : 0;
    }
}

static enum lfm_status create_documents(struct lfm_trace_writer *writer, struct lfm_error *error)
{
    const struct lfm_documents *documents = writer->documents;
    hid_t group = -1;
    const char **names = NULL, **labels = NULL;
    struct document_columns columns = {NULL, NULL, NULL};
    enum lfm_status status;
    LFM_TRY_DONE(LFM_ALLOC(&names, documents->count, error));
    LFM_TRY_DONE(LFM_ALLOC(&labels, documents->count, error));
    LFM_TRY_DONE(LFM_ALLOC(&columns.length, documents->count, error));
    LFM_TRY_DONE(LFM_ALLOC(&columns.tokens, documents->count, error));
    LFM_TRY_DONE(LFM_ALLOC(&columns.first, documents->count, error));
    for (size_t d = 0; d < documents->count; d++) {
        const struct lfm_document *document = &documents->items[d];
        names[d] = document->name;
        labels[d] = document->label ? document->label : "";
    }
    fill_columns(writer, &columns);
    LFM_TRY_DONE(lfm_h5_group(&group, writer->file, "documents", writer->path, error));
    LFM_TRY_DONE(put_document_column(writer, group, "name", names, NULL, error));
    LFM_TRY_DONE(put_document_column(writer, group, "label", labels, NULL, error));
    LFM_TRY_DONE(put_document_column(writer, group, "length", NULL, columns.length, error));
    LFM_TRY_DONE(put_document_column(writer, group, "tokens", NULL, columns.tokens, error));
    LFM_TRY_DONE(put_document_column(writer, group, "first_token", NULL, columns.first, error));

done:
    lfm_h5_close(group);
    free(names);
    free(labels);
    free(columns.length);
    free(columns.tokens);
    free(columns.first);
    return status;
}

/* The spans that attention was summed over. */
static enum lfm_status create_spans(struct lfm_trace_writer *writer, struct lfm_error *error)
{
    const struct lfm_selection *selection = &writer->options.selection;
    size_t count = axis_length(writer, LFM_AXIS_SPAN);
    int64_t ends[2][LFM_MAX_RANGES];
    hid_t group, dataset = -1;
    if (count == 0) return LFM_OK;
    for (size_t i = 0; i < count; i++) {
        const struct lfm_range *span = &selection->spans.items[i];
        ends[0][i] = (int64_t)span->first;
        ends[1][i] = span->last == LFM_RANGE_END ? -1 : (int64_t)span->last;
    }
    LFM_TRY(lfm_h5_group(&group, writer->file, "attention_spans", writer->path, error));
    enum lfm_status status = LFM_OK;
    for (size_t i = 0; i < 2 && status == LFM_OK; i++) {
        status = lfm_h5_put_array(&dataset, group, i ? "last" : "first", H5T_STD_I64LE, 1, &count, ends[i], "position",
                                  writer->path, error);
        if (status == LFM_OK) status = attach(writer, dataset, 0, LFM_AXIS_SPAN, error);
        lfm_h5_close(dataset);
        dataset = -1;
    }
    lfm_h5_close(group);
    return status;
}

/* --- layers --- */

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
    enum lfm_status status = attach(writer, dataset, 0, LFM_AXIS_EXPERT, error);
    lfm_h5_close(dataset);
    return status;
}

/* The groups of a layer; -1 where there is none. */
struct layer_groups {
    hid_t layer, router, experts, attention_weights;
};

static hid_t group_of(const struct layer_groups *groups, enum lfm_point point)
{
    if (lfm_point_is_router(point)) return groups->router;
    if (lfm_point_is_expert(point)) return groups->experts;
    if (lfm_point_is_attention_weights(point)) return groups->attention_weights;
    return groups->layer;
}

static const char *units_of(enum lfm_point point)
{
    switch (point) {
    case LFM_POINT_ROUTER_SELECTED: return "expert index";
    case LFM_POINT_WEIGHTS_POSITION: return "position";
    case LFM_POINT_WEIGHTS_ENTROPY: return "nat";
    default: return "1";
    }
}

/* The name of a point within its group. */
static const char *name_of(enum lfm_point point)
{
    const char *slash = strchr(lfm_point_name(point), '/');
    return slash ? slash + 1 : lfm_point_name(point);
}

static enum lfm_status create_point(struct lfm_trace_writer *writer, const struct layer_groups *groups, size_t layer,
                                    enum lfm_point point, struct lfm_error *error)
{
    hid_t half = -1, type = H5T_IEEE_F32LE;
    if (lfm_point_is_integer(point)) type = H5T_STD_I32LE;
    else if (writer->options.half && !lfm_writer_stays_single(point)) type = half = lfm_h5_half_type();
    enum lfm_status status = create_rows(writer, lfm_writer_rows(writer, layer, point), group_of(groups, point),
                                         name_of(point), type, lfm_point_axes(point), units_of(point), error);
    lfm_h5_close(half);
    return status;
}

static enum lfm_status create_layer_groups(struct lfm_trace_writer *writer, struct layer_groups *groups, hid_t layers,
                                           size_t layer, struct lfm_error *error)
{
    char name[24];
    bool moe = lfm_layer_is_moe(writer->config, layer), experts = false, attention_weights = false;
    bool attention = writer->config->layer_types[layer] == LFM_ATTENTION;
    for (int p = 0; p < LFM_POINT_COUNT && !writer->options.statistics_only; p++) {
        if (!lfm_writer_records(writer, layer, (enum lfm_point)p)) continue;
        experts = experts || lfm_point_is_expert((enum lfm_point)p);
        attention_weights = attention_weights || lfm_point_is_attention_weights((enum lfm_point)p);
    }
    snprintf(name, sizeof name, "%02zu", layer);
    LFM_TRY(lfm_h5_group(&groups->layer, layers, name, writer->path, error));
    LFM_TRY(lfm_h5_put_text(groups->layer, "operator", attention ? "attention" : "conv", writer->path, error));
    LFM_TRY(lfm_h5_put_text(groups->layer, "feed_forward", moe ? "moe" : "dense", writer->path, error));
    if (moe) LFM_TRY(lfm_h5_group(&groups->router, groups->layer, "router", writer->path, error));
    if (experts) LFM_TRY(lfm_h5_group(&groups->experts, groups->layer, "experts", writer->path, error));
    if (!attention_weights) return LFM_OK;
    return lfm_h5_group(&groups->attention_weights, groups->layer, "attention_weights", writer->path, error);
}

static enum lfm_status create_layer(struct lfm_trace_writer *writer, hid_t layers, size_t layer,
                                    struct lfm_error *error)
{
    struct layer_groups groups = {-1, -1, -1, -1};
    enum lfm_status status;
    LFM_TRY_DONE(create_layer_groups(writer, &groups, layers, layer, error));
    if (groups.router >= 0) LFM_TRY_DONE(describe_router(writer, groups.router, &writer->model->layers[layer], error));
    for (int p = 0; p < LFM_POINT_COUNT && !writer->options.statistics_only; p++)
        if (lfm_writer_records(writer, layer, (enum lfm_point)p))
            LFM_TRY_DONE(create_point(writer, &groups, layer, (enum lfm_point)p, error));

done:
    lfm_h5_close(groups.attention_weights);
    lfm_h5_close(groups.experts);
    lfm_h5_close(groups.router);
    lfm_h5_close(groups.layer);
    return status;
}

static enum lfm_status create_layers(struct lfm_trace_writer *writer, struct lfm_error *error)
{
    hid_t group;
    LFM_TRY(LFM_ALLOC(&writer->points, writer->config->num_hidden_layers * LFM_POINT_COUNT, error));
    LFM_TRY(lfm_h5_group(&group, writer->file, "layers", writer->path, error));
    enum lfm_status status = LFM_OK;
    for (size_t layer = 0; layer < writer->config->num_hidden_layers && status == LFM_OK; layer++)
        if (writer->options.selection.layers[layer]) status = create_layer(writer, group, layer, error);
    lfm_h5_close(group);
    return status;
}

/* --- statistics --- */

/* A dataset [L, ...] below /statistics. */
static enum lfm_status create_statistic(struct lfm_trace_writer *writer, hid_t *dataset, hid_t group, const char *name,
                                        hid_t type, struct lfm_point_axes axes, const char *units,
                                        struct lfm_error *error)
{
    size_t dimensions[3] = {writer->config->num_hidden_layers};
    for (size_t i = 0; i < axes.count; i++) dimensions[i + 1] = axis_length(writer, axes.axes[i]);
    LFM_TRY(lfm_h5_put_array(dataset, group, name, type, 1 + axes.count, dimensions, NULL, units, writer->path, error));
    LFM_TRY(attach(writer, *dataset, 0, LFM_AXIS_LAYER, error));
    for (size_t i = 0; i < axes.count; i++) LFM_TRY(attach(writer, *dataset, i + 1, axes.axes[i], error));
    return LFM_OK;
}

/* Units of a statistic of values in `units`. */
static const char *units_of_statistic(enum lfm_statistic statistic, const char *units)
{
    bool nats = strcmp(units, "nat") == 0;
    switch (statistic) {
    case LFM_STATISTIC_M2: return nats ? "nat^2" : units;
    case LFM_STATISTIC_M3: return nats ? "nat^3" : units;
    case LFM_STATISTIC_M4: return nats ? "nat^4" : units;
    case LFM_STATISTIC_KURTOSIS: return "1";
    default: return units;
    }
}

/* [L] tokens, or [L,E] tokens that chose the expert. */
static enum lfm_status create_counts(struct lfm_trace_writer *writer, hid_t group, enum lfm_point point,
                                     struct lfm_error *error)
{
    const struct lfm_point_axes axes = {lfm_point_is_expert(point), {LFM_AXIS_EXPERT}};
    return create_statistic(writer, &writer->statistics[point].count, group, "count", H5T_STD_I64LE, axes, "tokens",
                            error);
}

static enum lfm_status create_point_statistics(struct lfm_trace_writer *writer, hid_t parent, enum lfm_point point,
                                               struct lfm_error *error)
{
    struct lfm_point_statistics *statistics = &writer->statistics[point];
    const struct lfm_point_axes axes = statistics_axes(point);
    size_t cells = writer->config->num_hidden_layers, width = 1;
    for (size_t i = 0; i < axes.count; i++) width *= axis_length(writer, axes.axes[i]);
    if (lfm_point_is_expert(point)) {
        cells *= writer->config->num_experts;
        width /= writer->config->num_experts;
    }
    hid_t group;
    LFM_TRY(lfm_channel_statistics_init(&statistics->running, cells, width, error));
    LFM_TRY(lfm_h5_group(&group, parent, name_of(point), writer->path, error));
    enum lfm_status status = create_counts(writer, group, point, error);
    for (int i = 0; i < LFM_STATISTIC_COUNT && status == LFM_OK; i++) {
        enum lfm_statistic statistic = (enum lfm_statistic)i;
        status = create_statistic(writer, &statistics->datasets[i], group, lfm_statistic_name(statistic),
                                  H5T_IEEE_F64LE, axes, units_of_statistic(statistic, units_of(point)), error);
    }
    if (status == LFM_OK)
        status = create_statistic(writer, &statistics->absmax_token, group, "absmax_token", H5T_STD_I64LE, axes,
                                  "row of /tokens", error);
    lfm_h5_close(group);
    return status;
}

static enum lfm_status create_router_statistics(struct lfm_trace_writer *writer, hid_t group, struct lfm_error *error)
{
    struct lfm_router_statistics *router = &writer->router;
    size_t E = writer->config->num_experts, cells = writer->config->num_hidden_layers * E;
    LFM_TRY(LFM_ALLOC(&router->load, cells, error));
    LFM_TRY(LFM_ALLOC(&router->weight_sum, cells, error));
    const struct lfm_point_axes axes = {1, {LFM_AXIS_EXPERT}};
    LFM_TRY(create_statistic(writer, &router->load_dataset, group, "load", H5T_STD_I64LE, axes, "tokens", error));
    return create_statistic(writer, &router->mean_weight_dataset, group, "mean_weight", H5T_IEEE_F64LE, axes, "1",
                            error);
}

/* The group below /statistics that a point's statistics lie in, created when it is first needed. */
static enum lfm_status find_parent(struct lfm_trace_writer *writer, struct layer_groups *groups, enum lfm_point point,
                                   hid_t *parent, struct lfm_error *error)
{
    hid_t *group = lfm_point_is_router(point)              ? &groups->router
                   : lfm_point_is_expert(point)            ? &groups->experts
                   : lfm_point_is_attention_weights(point) ? &groups->attention_weights
                                                           : &groups->layer;
    if (*group < 0) {
        const char *name = lfm_point_name(point);
        char prefix[32];
        snprintf(prefix, sizeof prefix, "%.*s", (int)strcspn(name, "/"), name);
        LFM_TRY(lfm_h5_group(group, groups->layer, prefix, writer->path, error));
    }
    *parent = *group;
    return LFM_OK;
}

static enum lfm_status create_statistics(struct lfm_trace_writer *writer, struct lfm_error *error)
{
    const bool *points = writer->options.selection.points;
    struct layer_groups groups = {-1, -1, -1, -1}; /* `layer`: /statistics itself */
    enum lfm_status status;
    LFM_TRY_DONE(lfm_h5_group(&groups.layer, writer->file, "statistics", writer->path, error));
    for (int p = 0; p < LFM_POINT_COUNT; p++) {
        enum lfm_point point = (enum lfm_point)p;
        hid_t parent;
        if (!points[p] || lfm_point_is_integer(point)) continue;
        LFM_TRY_DONE(find_parent(writer, &groups, point, &parent, error));
        LFM_TRY_DONE(create_point_statistics(writer, parent, point, error));
    }
    if (points[LFM_POINT_ROUTER_WEIGHTS]) LFM_TRY_DONE(create_router_statistics(writer, groups.router, error));

done:
    lfm_h5_close(groups.attention_weights);
    lfm_h5_close(groups.experts);
    lfm_h5_close(groups.router);
    lfm_h5_close(groups.layer);
    return status;
}

/* --- the file --- */

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

enum lfm_status lfm_writer_flush_file(struct lfm_trace_writer *writer, struct lfm_error *error)
{
    if (H5Fflush(writer->file, H5F_SCOPE_GLOBAL) >= 0) return LFM_OK;
    return lfm_h5_fail(error, LFM_ERROR_IO, "write", NULL, writer->path);
}

static enum lfm_status create_logits(struct lfm_trace_writer *writer, struct lfm_error *error)
{
    const struct lfm_point_axes axes = {1, {LFM_AXIS_VOCABULARY}};
    return create_rows(writer, &writer->logits, writer->file, "logits", H5T_IEEE_F32LE, axes, "1", error);
}

/* "all", or the positions that --tokens asked for, as ranges. */
static enum lfm_status describe_tokens(struct lfm_trace_writer *writer, struct lfm_error *error)
{
    const struct lfm_ranges *wanted = &writer->options.selection.tokens;
    struct lfm_buffer text = {0};
    enum lfm_status status = lfm_buffer_printf(&text, error, "%s", wanted->count ? "" : "all");
    for (size_t i = 0; i < wanted->count && status == LFM_OK; i++) {
        const struct lfm_range *range = &wanted->items[i];
        status = lfm_buffer_printf(&text, error, "%s%zu-", i ? "," : "", range->first);
        if (status == LFM_OK && range->last != LFM_RANGE_END)
            status = lfm_buffer_printf(&text, error, "%zu", range->last);
    }
    if (status == LFM_OK) status = lfm_h5_put_text(writer->file, "positions", text.data, writer->path, error);
    lfm_buffer_release(&text);
    return status;
}

static enum lfm_status prepare_staging(struct lfm_trace_writer *writer, struct lfm_error *error)
{
    size_t staged = lfm_writer_staged(writer);
    LFM_TRY(LFM_ALLOC(&writer->gathered, staged, error));
    if (!writer->options.half) return LFM_OK;
    writer->half = lfm_format_by_name("f16");
    if (!writer->half) return lfm_fail(error, LFM_ERROR_ARGUMENT, "this program has no format f16");
    return LFM_ALLOC(&writer->halves, staged, error);
}

enum lfm_status lfm_writer_create(struct lfm_trace_writer *writer, const struct lfm_provenance *provenance,
                                  struct lfm_error *error)
{
    LFM_TRY(lfm_h5_create(&writer->file, writer->path, error));
    LFM_TRY(hold_metadata(writer, error));
    LFM_TRY(lfm_h5_put_header(writer->file, LFM_TRACE_FORMAT, provenance, writer->path, error));
    LFM_TRY(describe_tokens(writer, error));
    LFM_TRY(create_axes(writer, error));
    LFM_TRY(create_tokens(writer, error));
    LFM_TRY(create_documents(writer, error));
    LFM_TRY(create_spans(writer, error));
    LFM_TRY(create_layers(writer, error));
    LFM_TRY(create_statistics(writer, error));
    if (writer->options.logits) LFM_TRY(create_logits(writer, error));
    LFM_TRY(prepare_staging(writer, error));
    return lfm_writer_flush_file(writer, error);
}
