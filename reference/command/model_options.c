/* --weights and --scale: see model_options.h. */
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
