/* --weights, --scale, --activations, --kv, and opening what they describe: see model_options.h. */
#include "reference/command/model_options.h"

#include "reference/model/kv.h"

#include <stdio.h>
#include <string.h>

static enum lfm_status parse_weights(struct lfm_model_options *options, const char *name, struct lfm_error *error)
{
    if (!name) return LFM_OK;
    options->weights = lfm_format_by_name(name);
    if (!options->weights)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "unknown weight type '%s': expected one of %s", name,
                        lfm_format_encodable_names());
    if (!options->weights->encode_row)
        return lfm_fail(error, LFM_ERROR_ARGUMENT,
                        "weights cannot be quantized to '%s', which is only read: expected one of %s", name,
                        lfm_format_encodable_names());
    return LFM_OK;
}

enum lfm_status lfm_model_options_parse(struct lfm_model_options *options, const struct lfm_model_arguments *arguments,
                                        struct lfm_error *error)
{
    const char *scale = arguments->scale ? arguments->scale : "channel";
    const char *activations = arguments->activations ? arguments->activations : "f32";
    const char *kv = arguments->kv ? arguments->kv : "f32";
    *options = (struct lfm_model_options){0};
    LFM_TRY(parse_weights(options, arguments->weights, error));
    if (!lfm_scale_by_name(scale, &options->scale))
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "unknown scale '%s': expected tensor, channel or block", scale);
    if (!lfm_activations_by_name(activations, &options->activations))
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "unknown activation type '%s': expected f32, q8 or fp8", activations);
    options->kv = lfm_kv_by_name(kv);
    if (!options->kv)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "unknown cache type '%s': expected f32, f16, q8_0 or fp8_e4m3", kv);
    return LFM_OK;
}

enum { PART_MAX = 32 };

/* Copies the part of *word up to the next '/' and moves *word behind it, to NULL at the end; longer parts are cut, and
 * are names of nothing then. */
static void next_part(char part[PART_MAX], const char **word)
{
    size_t length = strcspn(*word, "/");
    snprintf(part, PART_MAX, "%.*s", (int)(length < PART_MAX ? length : PART_MAX), *word);
    *word = (*word)[length] ? *word + length + 1 : NULL;
}

/* What is no name of the tables is parsed, and refused, as it stands in `part`. */
static enum lfm_status read_parts(struct lfm_model_arguments *variant, const char *word, char part[3][PART_MAX],
                                  struct lfm_error *error)
{
    const char *rest = word;
    next_part(part[0], &rest);
    variant->weights = strcmp(part[0], "stored") == 0 ? NULL : part[0];
    if (rest) {
        next_part(part[1], &rest);
        variant->activations = part[1];
    }
    if (rest) {
        next_part(part[2], &rest);
        variant->kv = part[2];
    }
    if (!rest) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_ARGUMENT, "'%s' has too many parts: expected WEIGHTS/ACTIVATIONS/KV", word);
}

enum lfm_status lfm_model_variant_parse(struct lfm_model_arguments *variant, const char *word,
                                        const struct lfm_model_arguments *plain, struct lfm_error *error)
{
    struct lfm_model_options options;
    char part[3][PART_MAX];
    *variant = *plain;
    LFM_TRY(read_parts(variant, word, part, error));
    LFM_TRY(lfm_model_options_parse(&options, variant, error));
    variant->weights = options.weights ? options.weights->name : NULL;
    variant->activations = lfm_activations_name(options.activations);
    variant->kv = options.kv->name;
    return LFM_OK;
}

enum lfm_status lfm_open_model(struct lfm_model **out, const char *path, const struct lfm_model_arguments *arguments,
                               const char *label, bool quiet, struct lfm_error *error)
{
    struct lfm_model_options options;
    struct lfm_progress progress;
    *out = NULL;
    LFM_TRY(lfm_model_options_parse(&options, arguments, error));
    lfm_progress_start(&progress, label, "weights", 0, quiet || !options.weights);
    options.progress = &progress;
    enum lfm_status status = lfm_model_open(out, path, &options, error);
    lfm_progress_finish(&progress);
    if (status == LFM_OK && options.weights) lfm_say_fallbacks((*out)->fallback_matrices, path, options.weights);
    return status;
}

void lfm_say_fallbacks(size_t matrices, const char *path, const struct lfm_format *format)
{
    if (matrices > 0)
        fprintf(stderr, "fallback: %zu matrices of '%s' keep their stored type: their rows are no multiple of %zu, the block "
                "of %s\n", matrices, path, format->block_size, format->name);
}

void lfm_add_model_types(cJSON *object, const struct lfm_model *model)
{
    cJSON_AddStringToObject(object, "weights", lfm_weights_name(model));
    cJSON_AddStringToObject(object, "activations", lfm_activations_name(model->activations));
    cJSON_AddStringToObject(object, "kv", model->kv->name);
    cJSON_AddNumberToObject(object, "fallback_matrices", (double)model->fallback_matrices);
}

void lfm_add_model(cJSON *object, const char *name, const struct lfm_model *model)
{
    cJSON_AddStringToObject(object, "name", name);
    lfm_add_model_types(object, model);
    lfm_json_add_number(object, "bits_per_weight", lfm_model_bits_per_weight(model));
    cJSON_AddNumberToObject(object, "bytes", (double)lfm_model_bytes(model));
}
