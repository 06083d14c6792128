/* The backend in this process: one model, many sequences decoding together. */
#ifndef LFM_EVAL_BACKENDS_LOCAL_H
#define LFM_EVAL_BACKENDS_LOCAL_H

#include "eval/harness/backend.h"
#include "reference/base/error.h"
#include "reference/base/progress.h"
#include "reference/model/model.h"
#include "reference/model/sample.h"

#include <stddef.h>

enum { LFM_MOST_GUESSES = 7 }; /* with the token before them as many as attention takes together */

struct lfm_local_options {
    struct lfm_sampling sampling; /* its seed is unused: every request has its own */
    size_t max_tokens;            /* per request, at least 1 */
    size_t batch;                 /* sequences that decode together, at least 1 */
    size_t reuse_bytes;           /* memory for states of what prompts begin with; 0: every prompt is computed anew */
    size_t guesses;               /* tokens that are guessed ahead where text repeats itself, at most LFM_MOST_GUESSES; 0: none */
    const char *scale;            /* how the weights were scaled, for run.json; borrowed, NULL when they are as stored */
    const char *date;             /* for chat templates that print one; borrowed, may be NULL */
    struct lfm_progress *progress; /* of hashing the model; may be NULL */
};

/* A backend on an open model, which has to outlive it. Sequences join as soon as there is room, and what prompts have in
 * common is computed once; answers do not depend on what decodes beside them, was computed before or is guessed. Fails on models
 * without a tokenizer or without a chat template this program knows. */
enum lfm_status lfm_local_backend_open(struct lfm_backend *out, const struct lfm_model *model,
                                       const struct lfm_local_options *options, struct lfm_error *error);

#endif
