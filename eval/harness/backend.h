/* A backend: something that continues conversations, many at a time. */
#ifndef LFM_EVAL_HARNESS_BACKEND_H
#define LFM_EVAL_HARNESS_BACKEND_H

#include "eval/harness/suite.h"
#include "reference/base/buffer.h"
#include "reference/base/error.h"

#include <stddef.h>
#include <stdint.h>

/* A finished request. `raw` is all the model said; `text` is what suites see: raw without reasoning. */
struct lfm_completion {
    size_t ticket;               /* as given to submit */
    struct lfm_buffer raw, text; /* valid UTF-8 without zero bytes; owned by whoever waits */
    enum lfm_finish finish;
    struct lfm_error error;      /* LFM_FINISH_ERROR: why */
    size_t prompt_tokens, generated_tokens;
    size_t reused_tokens;        /* of the prompt: computed before, for another request */
    double seconds;
};
void lfm_completion_release(struct lfm_completion *completion);

struct lfm_backend {
    void *context;
    size_t concurrency; /* requests that can be under way together */

    /* Takes a request (copied; the caller's memory may change afterwards). `seed` makes its sampling repeatable
     * whatever else runs. Fails only when the backend as a whole cannot go on. */
    enum lfm_status (*submit)(void *context, size_t ticket, const struct lfm_request *request, uint64_t seed,
                              struct lfm_error *error);
    /* Works until one request is finished and fills *completion. At least one must be under way. */
    enum lfm_status (*wait)(void *context, struct lfm_completion *completion, struct lfm_error *error);
    /* Adds what run.json records of the backend: model, model_sha256, weights, sampling, max_tokens, machine. */
    void (*describe)(const void *context, cJSON *run);
    void (*close)(void *context);
};

/* The seed of one request: the first 64 bits of SHA-256 over "<run seed>\n<item id>\n<sample>\n<turn>", so that it
 * depends on nothing else. */
enum lfm_status lfm_request_seed(uint64_t *seed, uint64_t run_seed, const char *id, size_t sample, size_t turn,
                                 struct lfm_error *error);

/* The reasoning rule: everything up to and including the last "</think>" is reasoning when the text starts (after
 * white space) with "<think>" or holds "</think>" without an opening tag before it; without a "</think>", a text that
 * starts with "<think>" is reasoning as a whole. What is left loses leading newlines. A text without reasoning stays as
 * it is. Appends what is left of the C string `raw` to *text. */
enum lfm_status lfm_strip_reasoning(struct lfm_buffer *text, const char *raw, struct lfm_error *error);

#endif
