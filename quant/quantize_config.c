/* config.json of a quantized Hugging Face directory: the source's (or one made from GGUF metadata), with what the
 * quantization changes. FP8 is described as compressed-tensors "float-quantized". See quantize.h. */
#include "quant/quantize_parts.h"

#include "reference/base/file.h"
#include "reference/base/json.h"

#include <stdlib.h>
#include <string.h>

/* Replaces the numbers of `item`, in document order, by the text they have in *json. A parsed 1.0 would be printed as
 * 1, which the strict configuration classes of Transformers refuse where they expect a float. */
static void keep_spelling(cJSON *item, const char **json)
{
    if (cJSON_IsNumber(item)) {
        const char *at = *json;
        while (*at && *at != '-' && (*at < '0' || *at > '9')) {
            if (*at++ != '"') continue;
            while (*at && *at != '"') at += *at == '\\' && at[1] ? 2 : 1;
            if (*at) at++;
        }
        size_t length = strspn(at, "+-0123456789.eE");
        char *text = cJSON_malloc(length + 1);
        if (!text) return;
        memcpy(text, at, length);
        text[length] = '\0';
        *json = at + length;
        item->type = (item->type & ~0xFF) | cJSON_Raw;
        item->valuestring = text;
    }
    for (cJSON *child = item->child; child; child = child->next) keep_spelling(child, json);
}

static enum lfm_status read_config(cJSON **out, const struct lfm_checkpoint *checkpoint, struct lfm_error *error)
{
    struct lfm_buffer text = {0};
    char *path;
    LFM_TRY(lfm_join_path(&path, checkpoint->path, "config.json", error));
    enum lfm_status status = lfm_read_file(&text, path, error);
    if (status == LFM_OK) status = lfm_json_parse(out, text.data, text.length, path, error);
    const char *json = text.data;
    if (status == LFM_OK) keep_spelling(*out, &json);
    lfm_buffer_release(&text);
    free(path);
    return status;
}

static cJSON *describe_fp8(enum lfm_scale scale, bool activations)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, "num_bits", 8);
    cJSON_AddStringToObject(object, "type", "float");
    cJSON_AddBoolToObject(object, "symmetric", true);
    cJSON_AddBoolToObject(object, "dynamic", activations);
    bool tiles = scale == LFM_SCALE_BLOCK;
    if (activations) {
        cJSON_AddStringToObject(object, "strategy", tiles ? "group" : "token");
        if (tiles) cJSON_AddNumberToObject(object, "group_size", LFM_SCALE_TILE);
        return object;
    }
    static const char *const strategies[] = {
        [LFM_SCALE_TENSOR] = "tensor", [LFM_SCALE_CHANNEL] = "channel", [LFM_SCALE_BLOCK] = "block"};
    cJSON_AddStringToObject(object, "strategy", strategies[scale]);
    const int tile[] = {LFM_SCALE_TILE, LFM_SCALE_TILE};
    if (tiles) cJSON_AddItemToObject(object, "block_structure", cJSON_CreateIntArray(tile, 2));
    return object;
}

/* The kernels of vLLM quantize activations as they go: per token, or per 128 elements of one. */
static cJSON *describe_quantization(const struct lfm_quantization *plan)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "quant_method", "compressed-tensors");
    cJSON_AddStringToObject(object, "format", "float-quantized");
    cJSON_AddStringToObject(object, "quantization_status", "compressed");
    cJSON *group = cJSON_AddObjectToObject(cJSON_AddObjectToObject(object, "config_groups"), "group_0");
    const char *target = "Linear";
    cJSON_AddItemToObject(group, "targets", cJSON_CreateStringArray(&target, 1));
    cJSON_AddItemToObject(group, "weights", describe_fp8(plan->scale, false));
    cJSON_AddItemToObject(group, "input_activations", describe_fp8(plan->scale, true));
    cJSON_AddNullToObject(group, "output_activations");
    cJSON *ignore = cJSON_AddArrayToObject(object, "ignore");
    bool has_head = false;
    for (size_t i = 0; i < plan->unquantized.count; i++) {
        const char *module = plan->unquantized.items[i];
        has_head = has_head || strcmp(module, "lm_head") == 0;
        cJSON_AddItemToArray(ignore, cJSON_CreateString(module));
    }
    if (!has_head) cJSON_AddItemToArray(ignore, cJSON_CreateString("lm_head"));
    cJSON_AddNullToObject(object, "kv_cache_scheme");
    return object;
}

static void state_dtype(cJSON *config, const struct lfm_format *format)
{
    const char *dtype = strcmp(format->name, "f32") == 0   ? "float32"
                        : strcmp(format->name, "f16") == 0 ? "float16"
                                                           : "bfloat16";
    static const char *const keys[] = {"dtype", "torch_dtype"};
    if (!cJSON_HasObjectItem(config, keys[0]) && !cJSON_HasObjectItem(config, keys[1])) {
        cJSON_AddStringToObject(config, keys[1], dtype);
        return;
    }
    for (size_t i = 0; i < 2; i++)
        if (cJSON_HasObjectItem(config, keys[i])) cJSON_ReplaceItemInObject(config, keys[i], cJSON_CreateString(dtype));
}

enum lfm_status lfm_quantization_write_config(const struct lfm_quantization *plan, const char *path,
                                              struct lfm_error *error)
{
    struct lfm_buffer text = {0};
    cJSON *config;
    if (plan->model->checkpoint->container == LFM_GGUF) config = lfm_make_config(&plan->model->config);
    else LFM_TRY(read_config(&config, plan->model->checkpoint, error));
    cJSON_DeleteItemFromObject(config, "quantization_config");
    cJSON_DeleteItemFromObject(config, "lfmscope");
    if (plan->format->scaled_max > 0) cJSON_AddItemToObject(config, "quantization_config", describe_quantization(plan));
    else state_dtype(config, plan->format);
    if (plan->fallbacks.count > 0) {
        cJSON *list = cJSON_AddArrayToObject(cJSON_AddObjectToObject(config, "lfmscope"), "fallbacks");
        for (size_t i = 0; i < plan->fallbacks.count; i++)
            cJSON_AddItemToArray(list, cJSON_CreateString(plan->fallbacks.items[i]));
    }
    enum lfm_status status = lfm_json_print(&text, config, error);
    if (status == LFM_OK) status = lfm_write_file(path, text.data, text.length, error);
    lfm_buffer_release(&text);
    cJSON_Delete(config);
    return status;
}
