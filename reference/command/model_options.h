/* The options of every command that opens a model: --weights, --scale, --activations and --kv. */
#ifndef LFM_REFERENCE_COMMAND_MODEL_OPTIONS_H
#define LFM_REFERENCE_COMMAND_MODEL_OPTIONS_H

#include "reference/base/command.h"
#include "reference/model/model.h"

/* What the user typed; the defaults are {NULL, "channel", "f32", "f32"}. NULL is the default of each. */
struct lfm_model_arguments {
    const char *weights, *scale, *activations, *kv;
};
#define LFM_MODEL_ARGUMENTS_DEFAULT {NULL, "channel", "f32", "f32"}

/* The rows for a command's option table, filling `arguments` (a struct lfm_model_arguments in scope). */
#define LFM_MODEL_OPTION_ROWS(arguments)                                                                            \
    {"weights", "T", "quantize every matrix to T in memory (as stored)", LFM_OPTION_STRING, &(arguments).weights},  \
    {"scale", "S", "scales of FP8: tensor, channel or block (channel)", LFM_OPTION_STRING, &(arguments).scale},     \
    {"activations", "A", "inputs of matrix products: f32, q8 or fp8 (f32)", LFM_OPTION_STRING,                      \
     &(arguments).activations},                                                                                     \
    {"kv", "K", "keys and values: f32, f16, q8_0 or fp8_e4m3 (f32)", LFM_OPTION_STRING, &(arguments).kv}

/* Turns the strings into options for lfm_model_open, `progress` left NULL. Fails on unknown types, on types that can
 * only be read, on unknown scales, activations and cache types, with the names that would do. */
enum lfm_status lfm_model_options_parse(struct lfm_model_options *options, const struct lfm_model_arguments *arguments,
                                        struct lfm_error *error);

/* Reads how one word names a variant of a model, WEIGHTS[/ACTIVATIONS[/KV]]: "q8_0", "q8_0/q8", "stored/f32/f16".
 * WEIGHTS is a type that can be encoded, or "stored"; parts left out are those of `plain` (the reference's), so that
 * what differs is what the word says. The strings of *variant are names of the tables, or those of `plain`: nothing is
 * to be released. Fails as lfm_model_options_parse does, and on a fourth part. */
enum lfm_status lfm_model_variant_parse(struct lfm_model_arguments *variant, const char *word,
                                        const struct lfm_model_arguments *plain, struct lfm_error *error);

/* Opens a model as the arguments say, with a bar while it is quantized; `label` is what the bar is called. Says how many
 * matrices could not be quantized. */
enum lfm_status lfm_open_model(struct lfm_model **out, const char *path, const struct lfm_model_arguments *arguments,
                               const char *label, bool quiet, struct lfm_error *error);

/* Says on stderr, where there are any, how many matrices of the model at `path` the format did not fit. */
void lfm_say_fallbacks(size_t matrices, const char *path, const struct lfm_format *format);

/* Adds what a model is computed with: "weights" (lfm_weights_name), "activations", "kv" and, of matrices that could not be
 * quantized, "fallback_matrices". */
void lfm_add_model_types(cJSON *object, const struct lfm_model *model);
/* The same of a model in a comparison, with "name" in front, and "bits_per_weight" and "bytes". */
void lfm_add_model(cJSON *object, const char *name, const struct lfm_model *model);

#endif
