/* What `score` hands to a suite. */
#ifndef LFM_EVAL_COMMAND_SCORE_H
#define LFM_EVAL_COMMAND_SCORE_H

#include "reference/base/error.h"
#include "reference/base/json.h"

#include <stdbool.h>

struct lfm_score_options {
    const char *responses, *data; /* files */
    const char *verdicts;         /* file to write, or NULL */
    bool many;                    /* several responses to one item are fine */
};

/* Scores the responses file, writes the verdicts, and adds the figures to `document`, or prints them when that is NULL. */
enum lfm_status lfm_score_ifeval(const struct lfm_score_options *options, cJSON *document, struct lfm_error *error);

#endif
