/* Points and layers to record: see points.h. */
#include "reference/trace/points.h"

#include "reference/base/buffer.h"

#include <stdlib.h>
#include <string.h>

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
    case LFM_POINT_ROUTER_LOGITS: return moe ? config->num_experts : 0;
    case LFM_POINT_ROUTER_SELECTED:
    case LFM_POINT_ROUTER_WEIGHTS: return moe ? config->num_experts_per_tok : 0;
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

bool lfm_point_is_router(enum lfm_point point)
{
    return point == LFM_POINT_ROUTER_LOGITS || point == LFM_POINT_ROUTER_SELECTED || point == LFM_POINT_ROUTER_WEIGHTS;
}

static bool is_name(const char *name, const char *text, size_t length)
{
    return strlen(name) == length && memcmp(name, text, length) == 0;
}

static bool select_named(struct lfm_selection *selection, const char *name, size_t length)
{
    bool found = false;
    for (int p = 0; p < LFM_POINT_COUNT; p++) {
        bool group = lfm_point_is_router((enum lfm_point)p) && is_name("router", name, length);
        if (!group && !is_name(lfm_point_name((enum lfm_point)p), name, length)) continue;
        selection->points[p] = true;
        found = true;
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
        status = lfm_fail(error, LFM_ERROR_ARGUMENT, "unknown point '%.*s': expected router, or one of %s",
                          (int)length, name, names.data);
    lfm_buffer_release(&names);
    return status;
}

enum lfm_status lfm_selection_parse_points(struct lfm_selection *selection, const char *text,
                                           const struct lfm_config *config, struct lfm_error *error)
{
    for (int p = 0; p < LFM_POINT_COUNT; p++) selection->points[p] = text == NULL;
    for (const char *at = text; at;) {
        size_t length = strcspn(at, ",");
        if (!select_named(selection, at, length)) return unknown_point(at, length, error);
        at = at[length] ? at + length + 1 : NULL;
    }
    bool any = false;
    for (int p = 0; p < LFM_POINT_COUNT; p++) {
        if (lfm_point_max_width(config, (enum lfm_point)p) == 0) selection->points[p] = false;
        any = any || selection->points[p];
    }
    if (any) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_ARGUMENT, "the model has none of the points '%s'", text ? text : "");
}

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
