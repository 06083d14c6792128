/* The CANDIDATE argument of commands that hold a model against a reference. */
#ifndef LFM_QUANT_COMMAND_CANDIDATE_H
#define LFM_QUANT_COMMAND_CANDIDATE_H

#include "reference/base/error.h"
#include "reference/command/model_options.h"
#include "reference/model/model.h"

#include <stdbool.h>

/* Opens what `word` says: a path, run as the reference is, or else WEIGHTS[/ACTIVATIONS[/KV]], the reference at
 * `reference_path` with these; a path that exists wins. Checks that it can be compared with the reference
 * (lfm_check_comparable). *name is what results call it: borrowed from the model, or `word`. On failure *model is NULL
 * or to be closed. */
enum lfm_status lfm_open_candidate(struct lfm_model **model, const char **name, const char *word,
                                   const struct lfm_model *reference, const char *reference_path,
                                   const struct lfm_model_arguments *arguments, bool quiet, struct lfm_error *error);

#endif
