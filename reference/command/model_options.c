/* --weights and --scale, and opening what they describe: see model_options.h. */
#include "reference/command/model_options.h"

enum lfm_status lfm_model_options_parse(struct lfm_model_options *options, const struct lfm_model_arguments *arguments,
                                        struct lfm_error *error)
{
    *options = (struct lfm_model_options){0};
    if (!lfm_scale_by_name(arguments->scale, &options->scale))
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "unknown scale '%s': expected tensor, channel or block",
                        arguments->scale);
    if (!arguments->weights) return LFM_OK;
    options->weights = lfm_format_by_name(arguments->weights);
    if (!options->weights)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "unknown weight type '%s': expected one of %s", arguments->weights,
                        lfm_format_encodable_names());
    if (!options->weights->encode_row)
        return lfm_fail(error, LFM_ERROR_ARGUMENT,
                        "weights cannot be quantized to '%s', which is only read: expected one of %s",
                        arguments->weights, lfm_format_encodable_names());
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
    return status;
}
