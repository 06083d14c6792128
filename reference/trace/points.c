/* Points and layers to record: see points.h. */
#include "reference/trace/points.h"

#include "reference/base/buffer.h"

#include <stdlib.h>
#include <string.h>

const char *lfm_axis_name(enum lfm_axis axis)
{
    static const char *const names[LFM_AXIS_COUNT] = {
        "layer", "channel", "head_channel", "kv_channel", "feed_forward_channel", "expert_channel",
        "head", "span", "expert", "rank", "vocabulary", "document"};
    return names[axis];
}

struct lfm_point_axes lfm_point_axes(enum lfm_point point)
{
    switch (point) {
    case LFM_POINT_Q:
    case LFM_POINT_ATTENTION: return (struct lfm_point_axes){1, {LFM_AXIS_HEAD_CHANNEL}};
    case LFM_POINT_K:
    case LFM_POINT_V: return (struct lfm_point_axes){1, {LFM_AXIS_KV_CHANNEL}};
    case LFM_POINT_WEIGHTS_ENTROPY:
    case LFM_POINT_WEIGHTS_LARGEST:
    case LFM_POINT_WEIGHTS_POSITION: return (struct lfm_point_axes){1, {LFM_AXIS_HEAD}};
    case LFM_POINT_WEIGHTS_SPANS: return (struct lfm_point_axes){2, {LFM_AXIS_HEAD, LFM_AXIS_SPAN}};
    case LFM_POINT_ROUTER_LOGITS:
    case LFM_POINT_ROUTER_SCORES: return (struct lfm_point_axes){1, {LFM_AXIS_EXPERT}};
    case LFM_POINT_ROUTER_SELECTED:
    case LFM_POINT_ROUTER_WEIGHTS: return (struct lfm_point_axes){1, {LFM_AXIS_RANK}};
    case LFM_POINT_ROUTER_MARGIN: return (struct lfm_point_axes){0};
    case LFM_POINT_GATE:
    case LFM_POINT_UP: return (struct lfm_point_axes){1, {LFM_AXIS_FEED_FORWARD_CHANNEL}};
    case LFM_POINT_EXPERT_GATE:
    case LFM_POINT_EXPERT_UP: return (struct lfm_point_axes){2, {LFM_AXIS_RANK, LFM_AXIS_EXPERT_CHANNEL}};
    case LFM_POINT_EXPERT_DOWN: return (struct lfm_point_axes){2, {LFM_AXIS_RANK, LFM_AXIS_CHANNEL}};
    default: return (struct lfm_point_axes){1, {LFM_AXIS_CHANNEL}};
    }
}

size_t lfm_point_width(const struct lfm_config *config, size_t layer, enum lfm_point point)
{
    bool attention = config->layer_types[layer] == LFM_ATTENTION;
    bool moe = lfm_layer_is_moe(config, layer);
    switch (point) {
    case LFM_POINT_B:
    case LFM_POINT_C:
    case LFM_POINT_X:
    case LFM_POINT_CONV: return attention ? 0 : config->hidden_size;
    case LFM_POINT_Q:
    case LFM_POINT_ATTENTION: return attention ? config->num_attention_heads * config->head_dim : 0;
    case LFM_POINT_K:
    case LFM_POINT_V: return attention ? config->num_key_value_heads * config->head_dim : 0;
    case LFM_POINT_WEIGHTS_ENTROPY:
    case LFM_POINT_WEIGHTS_LARGEST:
    case LFM_POINT_WEIGHTS_POSITION:
    case LFM_POINT_WEIGHTS_SPANS: return attention ? config->num_attention_heads : 0;
    case LFM_POINT_ROUTER_LOGITS:
    case LFM_POINT_ROUTER_SCORES: return moe ? config->num_experts : 0;
    case LFM_POINT_ROUTER_SELECTED:
    case LFM_POINT_ROUTER_WEIGHTS: return moe ? config->num_experts_per_tok : 0;
    case LFM_POINT_ROUTER_MARGIN: return moe;
    case LFM_POINT_GATE:
    case LFM_POINT_UP: return moe ? 0 : config->intermediate_size;
    case LFM_POINT_EXPERT_GATE:
    case LFM_POINT_EXPERT_UP: return moe ? config->num_experts_per_tok * config->moe_intermediate_size : 0;
    case LFM_POINT_EXPERT_DOWN: return moe ? config->num_experts_per_tok * config->hidden_size : 0;
    default: return config->hidden_size;
    }
}

size_t lfm_point_max_width(const struct lfm_config *config, enum lfm_point point)
{
    size_t width = 0;
    for (size_t layer = 0; layer < config->num_hidden_layers; layer++) {
        size_t here = lfm_point_width(config, layer, point);
        if (here > width) width = here;
    }
    return width;
}

static bool has_prefix(enum lfm_point point, const char *prefix)
{
    return strncmp(lfm_point_name(point), prefix, strlen(prefix)) == 0;
}

bool lfm_point_is_router(enum lfm_point point)
{
    return has_prefix(point, "router/");
}

bool lfm_point_is_expert(enum lfm_point point)
{
    return has_prefix(point, "experts/");
}

bool lfm_point_is_attention_weights(enum lfm_point point)
{
    return has_prefix(point, "attention_weights/");
}

bool lfm_point_is_derived(enum lfm_point point)
{
    return point == LFM_POINT_ROUTER_SCORES || point == LFM_POINT_ROUTER_MARGIN ||
           lfm_point_is_attention_weights(point);
}

bool lfm_point_is_integer(enum lfm_point point)
{
    return point == LFM_POINT_ROUTER_SELECTED || point == LFM_POINT_WEIGHTS_POSITION;
}

bool lfm_point_is_on_request(enum lfm_point point)
{
    return point == LFM_POINT_GATE || point == LFM_POINT_UP || lfm_point_is_expert(point) ||
           lfm_point_is_attention_weights(point);
}

bool lfm_point_is_comparable(enum lfm_point point)
{
    return !lfm_point_is_derived(point) && !lfm_point_is_integer(point) && !lfm_point_is_expert(point) &&
           point != LFM_POINT_ROUTER_WEIGHTS;
}

/* --- points --- */

static bool is_name(const char *name, const char *text, size_t length)
{
    return strlen(name) == length && memcmp(name, text, length) == 0;
}

/* Whether `text` is the name of a group that the point belongs to. */
static bool is_group_of(enum lfm_point point, const char *text, size_t length)
{
    if (is_name("all", text, length)) return true;
    if (is_name("default", text, length)) return !lfm_point_is_on_request(point);
    const char *slash = strchr(lfm_point_name(point), '/');
    size_t group = slash ? (size_t)(slash - lfm_point_name(point)) : 0;
    return group > 0 && group == length && memcmp(lfm_point_name(point), text, length) == 0;
}

static bool select_named(struct lfm_selection *selection, const char *name, size_t length)
{
    bool found = false;
    for (int p = 0; p < LFM_POINT_COUNT; p++) {
        enum lfm_point point = (enum lfm_point)p;
        bool named = is_name(lfm_point_name(point), name, length), group = is_group_of(point, name, length);
        if (!named && !group) continue;
        found = true;
        if (named || point != LFM_POINT_WEIGHTS_SPANS || selection->spans.count > 0) selection->points[p] = true;
    }
    return found;
}

static enum lfm_status unknown_point(const char *name, size_t length, struct lfm_error *error)
{
    struct lfm_buffer names = {0};
    enum lfm_status status = LFM_OK;
    for (int p = 0; p < LFM_POINT_COUNT && status == LFM_OK; p++)
        status = lfm_buffer_printf(&names, error, "%s%s", p ? ", " : "", lfm_point_name((enum lfm_point)p));
    if (status == LFM_OK)
        status =
            lfm_fail(error, LFM_ERROR_ARGUMENT,
                     "unknown point '%.*s': expected default, all, router, experts, attention_weights, or one of %s",
                     (int)length, name, names.data);
    lfm_buffer_release(&names);
    return status;
}

enum lfm_status lfm_selection_parse_points(struct lfm_selection *selection, const char *text,
                                           const struct lfm_config *config, struct lfm_error *error)
{
    memset(selection->points, 0, sizeof selection->points);
    for (const char *at = text ? text : "default"; at;) {
        size_t length = strcspn(at, ",");
        if (!select_named(selection, at, length)) return unknown_point(at, length, error);
        at = at[length] ? at + length + 1 : NULL;
    }
    if (selection->points[LFM_POINT_WEIGHTS_SPANS] && selection->spans.count == 0)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "'%s' needs spans of positions: use --attention-spans",
                        lfm_point_name(LFM_POINT_WEIGHTS_SPANS));
    if (selection->spans.count > 0) {
        if (lfm_point_max_width(config, LFM_POINT_WEIGHTS_SPANS) == 0)
            return lfm_fail(error, LFM_ERROR_ARGUMENT, "the model has no attention layers, and so no attention spans");
        bool asked = false;
        for (int p = 0; p < LFM_POINT_COUNT; p++)
            asked = asked || (selection->points[p] && lfm_point_is_attention_weights((enum lfm_point)p));
        if (!asked) select_named(selection, "attention_weights", strlen("attention_weights"));
        selection->points[LFM_POINT_WEIGHTS_SPANS] = true;
    }
    bool any = false;
    for (int p = 0; p < LFM_POINT_COUNT; p++) {
        if (lfm_point_max_width(config, (enum lfm_point)p) == 0) selection->points[p] = false;
        any = any || selection->points[p];
    }
    if (any) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_ARGUMENT, "the model has none of the points '%s'", text ? text : "");
}

/* --- layers --- */

/* Reads "7" at *text and moves past it. */
static bool parse_layer(const char **text, size_t *out)
{
    if (**text < '0' || **text > '9') return false;
    char *end;
    unsigned long long value = strtoull(*text, &end, 10);
    *out = value < LFM_MAX_LAYERS ? (size_t)value : LFM_MAX_LAYERS;
    *text = end;
    return true;
}

enum lfm_status lfm_selection_parse_layers(struct lfm_selection *selection, const char *text,
                                           const struct lfm_config *config, struct lfm_error *error)
{
    size_t L = config->num_hidden_layers;
    for (size_t layer = 0; layer < LFM_MAX_LAYERS; layer++) selection->layers[layer] = text == NULL && layer < L;
    for (const char *at = text; at;) {
        size_t first, last;
        if (!parse_layer(&at, &first))
            return lfm_fail(error, LFM_ERROR_ARGUMENT,
                            "cannot read the layers '%s': expected numbers and ranges as in 0,3-5", text);
        last = first;
        bool range = *at == '-';
        if (range) at++;
        if ((range && !parse_layer(&at, &last)) || last < first || (*at != ',' && *at != '\0'))
            return lfm_fail(error, LFM_ERROR_ARGUMENT,
                            "cannot read the layers '%s': expected numbers and ranges as in 0,3-5", text);
        if (last >= L)
            return lfm_fail(error, LFM_ERROR_ARGUMENT, "the layers '%s' go beyond the model, which has layers 0 to %zu",
                            text, L - 1);
        for (size_t layer = first; layer <= last; layer++) selection->layers[layer] = true;
        at = *at == ',' ? at + 1 : NULL;
    }
    return LFM_OK;
}

enum lfm_status lfm_selection_check(const struct lfm_selection *selection, const struct lfm_config *config,
                                    struct lfm_error *error)
{
    for (size_t layer = 0; layer < config->num_hidden_layers; layer++)
        for (int p = 0; selection->layers[layer] && p < LFM_POINT_COUNT; p++)
            if (selection->points[p] && lfm_point_width(config, layer, (enum lfm_point)p) > 0) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_ARGUMENT,
                    "nothing to record: none of the chosen layers has any of the chosen points");
}

/* --- tokens --- */

static size_t longest_document(const struct lfm_documents *documents)
{
    size_t longest = 0;
    for (size_t d = 0; d < documents->count; d++)
        if (documents->items[d].tokens.count > longest) longest = documents->items[d].tokens.count;
    return longest;
}

enum lfm_status lfm_selection_check_texts(const struct lfm_selection *selection, const struct lfm_documents *documents,
                                          struct lfm_error *error)
{
    size_t longest = longest_document(documents);
    if (lfm_selection_tokens(selection, documents) == 0)
        return lfm_fail(error, LFM_ERROR_ARGUMENT,
                        "no document has any of the wanted tokens: the longest has positions 0 to %zu", longest - 1);
    for (size_t i = 0; selection->points[LFM_POINT_WEIGHTS_SPANS] && i < selection->spans.count; i++) {
        const struct lfm_range *span = &selection->spans.items[i];
        size_t last = span->last == LFM_RANGE_END ? span->first : span->last;
        if (last >= longest)
            return lfm_fail(error, LFM_ERROR_ARGUMENT,
                            "attention span %zu goes to position %zu: the longest document has positions 0 to %zu", i,
                            last, longest - 1);
    }
    return LFM_OK;
}

size_t lfm_selection_tokens(const struct lfm_selection *selection, const struct lfm_documents *documents)
{
    size_t tokens = 0;
    for (size_t d = 0; d < documents->count; d++)
        tokens += lfm_ranges_count(&selection->tokens, 0, documents->items[d].tokens.count);
    return tokens;
}
