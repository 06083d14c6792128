/* A backend: something that continues conversations, many at a time. */
#ifndef LFM_EVAL_HARNESS_BACKEND_H
#define LFM_EVAL_HARNESS_BACKEND_H

#include "eval/harness/suite.h"
#include "reference/base/buffer.h"
#include "reference/base/error.h"
#include "reference/model/sample.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A finished request. `raw` is all the model said; `text` is what suites see: raw without reasoning. */
struct lfm_completion {
    size_t ticket;           /* as given to submit */
    struct lfm_buffer raw, text; /* owned by whoever waits */
    cJSON *tool_calls;       /* owned; NULL when there are none */
    enum lfm_finish finish;
    char error[256];         /* LFM_FINISH_ERROR */
    size_t prompt_tokens, generated_tokens;
    double seconds;
};
void lfm_completion_release(struct lfm_completion *completion);

struct lfm_backend {
    void *context;
    size_t concurrency; /* requests worth having under way together */

    /* Takes a request (copied; the caller's memory may change afterwards). `seed` makes its sampling repeatable
     * whatever else runs. Fails only when the backend as a whole cannot go on. */
    enum lfm_status (*submit)(void *context, size_t ticket, const struct lfm_request *request, uint64_t seed,
                              struct lfm_error *error);
    /* Works until one request is finished and fills *completion. At least one must be under way. */
    enum lfm_status (*wait)(void *context, struct lfm_completion *completion, struct lfm_error *error);
    /* Adds what run.json records of the backend: model, sha256, sampling, endpoint (never a key). */
    enum lfm_status (*describe)(const void *context, cJSON *run, struct lfm_error *error);
    void (*close)(void *context);
};

/* Sampling and limits shared by all requests of a run. */
struct lfm_generation {
    struct lfm_sampling sampling; /* seed unused: submit has it */
    size_t max_tokens;            /* per request */
};

/* The reasoning rule: everything up to and including the last "</think>" is reasoning when the text starts (after
 * white space) with "<think>" or holds "</think>" without an opening tag before it; an unclosed "<think>" makes all of it
 * reasoning. What is left loses leading newlines. Appends what is left to *text. */
enum lfm_status lfm_strip_reasoning(struct lfm_buffer *text, const char *raw, size_t length, struct lfm_error *error);

#endif
