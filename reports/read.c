/* Typed look-ups in result files: see read.h. */
#include "reports/read.h"

#include <math.h>
#include <string.h>

void lfm_place_fail(struct lfm_place at, const char *key, const char *expected)
{
    if (at.pool->status == LFM_OK)
        at.pool->status = lfm_fail(&at.pool->error, LFM_ERROR_FORMAT, "%s: '%s' must be %s", at.name, key, expected);
}

const cJSON *lfm_place_find(struct lfm_place at, const char *key)
{
    const cJSON *item = at.object ? cJSON_GetObjectItemCaseSensitive(at.object, key) : NULL;
    return cJSON_IsNull(item) ? NULL : item;
}

double lfm_read_number(struct lfm_place at, const char *key)
{
    const cJSON *item = lfm_place_find(at, key);
    if (!item) return NAN;
    if (!cJSON_IsNumber(item)) lfm_place_fail(at, key, "a number");
    return cJSON_IsNumber(item) && isfinite(item->valuedouble) ? item->valuedouble : NAN;
}

size_t lfm_read_layer(struct lfm_place at, size_t otherwise)
{
    double value = lfm_read_number(at, "layer");
    if (isnan(value)) return otherwise;
    if (value >= 0 && value < 100000 && value == floor(value)) return (size_t)value;
    lfm_place_fail(at, "layer", "a whole number below 100000");
    return otherwise;
}

const char *lfm_read_string(struct lfm_place at, const char *key)
{
    const cJSON *item = lfm_place_find(at, key);
    if (!item) return "";
    if (!cJSON_IsString(item)) {
        lfm_place_fail(at, key, "a string");
        return "";
    }
    return lfm_clean_text(at.pool, item->valuestring);
}

struct lfm_place lfm_place_inside(struct lfm_place at, const char *key)
{
    const cJSON *item = lfm_place_find(at, key);
    if (item && !cJSON_IsObject(item)) {
        lfm_place_fail(at, key, "an object");
        item = NULL;
    }
    return (struct lfm_place){at.pool, item, lfm_pool_printf(at.pool, "%s.%s", at.name, key)};
}

struct lfm_list lfm_place_list(struct lfm_place at, const char *key)
{
    const cJSON *item = lfm_place_find(at, key);
    if (item && !cJSON_IsArray(item)) {
        lfm_place_fail(at, key, "a list");
        item = NULL;
    }
    return (struct lfm_list){at, key, item ? item->child : NULL, item ? (size_t)cJSON_GetArraySize(item) : 0, 0};
}

struct lfm_place lfm_list_next(struct lfm_list *list)
{
    struct lfm_place place = {list->at.pool, list->next,
                          lfm_pool_printf(list->at.pool, "%s%s%s[%zu]", list->at.name,
                                          strstr(list->at.name, ": ") ? "." : ": ", list->key, list->index)};
    if (list->next && !cJSON_IsObject(list->next)) {
        lfm_place_fail(list->at, list->key, "a list of objects");
        place.object = NULL;
    }
    if (list->next) list->next = list->next->next;
    list->index++;
    return place;
}

const char *lfm_base_name(const char *name)
{
    size_t length = strlen(name);
    while (length > 1 && name[length - 1] == '/') length--;
    for (size_t i = length; i-- > 0;)
        if (name[i] == '/' && i + 1 < length) return name + i + 1;
    return name;
}

static bool is_plain(const char *format)
{
    return !format[0] || strcmp(format, "f32") == 0;
}

const char *lfm_read_variant(struct lfm_place at)
{
    const char *weights = lfm_read_string(at, "weights"), *kv = lfm_read_string(at, "kv");
    const char *activations = lfm_read_string(at, "activations");
    if (!weights[0] || (is_plain(activations) && is_plain(kv))) return weights;
    if (!activations[0]) activations = "f32";
    if (is_plain(kv)) return lfm_pool_printf(at.pool, "%s/%s", weights, activations);
    return lfm_pool_printf(at.pool, "%s/%s/%s", weights, activations, kv);
}

const char *lfm_read_name(struct lfm_place at)
{
    const char *name = lfm_read_string(at, "name"), *rest = strchr(name, '/'), *variant = strchr(lfm_read_variant(at), '/');
    return rest && variant && strcmp(rest, variant) == 0 ? name : lfm_base_name(name);
}
