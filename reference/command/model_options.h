/* The options of every command that opens a model: --weights and --scale. */
#ifndef LFM_REFERENCE_COMMAND_MODEL_OPTIONS_H
#define LFM_REFERENCE_COMMAND_MODEL_OPTIONS_H

#include "reference/base/command.h"
#include "reference/model/model.h"

/* What the user typed; the defaults are {NULL, "channel"}. */
struct lfm_model_arguments {
    const char *weights, *scale;
};
#define LFM_MODEL_ARGUMENTS_DEFAULT {NULL, "channel"}

/* The two rows for a command's option table, filling `arguments` (a struct lfm_model_arguments in scope). */
#define LFM_MODEL_OPTION_ROWS(arguments)                                                                   \
    {"weights", "T", "quantize every matrix to T in memory (as stored)", LFM_OPTION_STRING,                \
     &(arguments).weights},                                                                                \
    {"scale", "S", "scales of FP8: tensor, channel or block (channel)", LFM_OPTION_STRING, &(arguments).scale}

/* Turns the strings into options for lfm_model_open, `progress` left NULL. Fails on unknown types, on types that can
 * only be read, and on unknown scales, with the names that would do. */
enum lfm_status lfm_model_options_parse(struct lfm_model_options *options, const struct lfm_model_arguments *arguments,
                                        struct lfm_error *error);

/* Opens a model as the arguments say, with a bar while it is quantized; `label` is what the bar is called. */
enum lfm_status lfm_open_model(struct lfm_model **out, const char *path, const struct lfm_model_arguments *arguments,
                               const char *label, bool quiet, struct lfm_error *error);

#endif
