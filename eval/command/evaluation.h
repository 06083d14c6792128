/* What `eval` was asked for, and one run of it. */
#ifndef LFM_EVAL_COMMAND_EVALUATION_H
#define LFM_EVAL_COMMAND_EVALUATION_H

#include "eval/harness/runner.h"
#include "reference/base/command.h"
#include "reference/base/hash.h"
#include "reference/command/model_options.h"
#include "reference/model/sample.h"

#include <stdbool.h>
#include <stddef.h>

struct lfm_evaluation {
    const char *model, *data, *output;  /* paths */
    const char *ids, *exclude, *date;
    const char *against;                /* comma-separated weight types, or NULL */
    size_t limit, batch, max_tokens;
    double margin;
    struct lfm_sampling sampling;
    struct lfm_model_arguments weights;
    struct lfm_task task;
    char data_sha256[LFM_SHA256_TEXT];
    struct lfm_common common;
    int argc;
    char **argv;
};

/* What a finished run leaves; release with the function below. */
struct lfm_evaluation_result {
    cJSON *summary;         /* owned: as in summary.json */
    bool *right;            /* owned: [n_items * samples] */
    double bits_per_weight;
};
void lfm_evaluation_result_release(struct lfm_evaluation_result *result);

/* Runs, or continues, the evaluation of the model with these weights (NULL: as stored) in this directory. */
enum lfm_status lfm_evaluate(const struct lfm_evaluation *evaluation, const char *directory, const char *weights,
                             struct lfm_evaluation_result *result, struct lfm_error *error);

/* Runs the reference and every type of `against` in directories of their own below the output, writes the comparison as
 * summary.json above them, and hands it out. */
enum lfm_status lfm_evaluate_against(const struct lfm_evaluation *evaluation, cJSON **comparison,
                                     struct lfm_error *error);
/* Prints the comparison as a table. */
void lfm_print_comparison(const cJSON *comparison);

#endif
