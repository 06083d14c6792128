/* The backend behind a URL: an OpenAI-compatible server (POST .../chat/completions). */
#ifndef LFM_EVAL_BACKENDS_ENDPOINT_H
#define LFM_EVAL_BACKENDS_ENDPOINT_H

#include "eval/harness/backend.h"
#include "reference/base/error.h"
#include "reference/model/sample.h"

#include <stddef.h>

struct lfm_endpoint_options {
    const char *url;        /* "http://127.0.0.1:8080/v1"; borrowed, as all strings here */
    const char *model_name; /* what the server is asked for */
    const char *key;        /* sent as bearer token and kept nowhere else; NULL: none */
    struct lfm_sampling sampling; /* what differs from its default is sent; its seed is unused: every request has its own */
    size_t max_tokens;
    size_t concurrency;     /* requests under way together, at least 1 */
    size_t retries;         /* of one request, after 429, 5xx, time-outs and broken connections; with growing pauses */
    double timeout_seconds; /* of one request */
};

/* A backend on a server. Tool calls that come back in OpenAI's form are handed on as the family writes them
 * (<|tool_call_start|>[f(a=1)]<|tool_call_end|> before the text), and calls in earlier assistant messages are sent in
 * OpenAI's form. A request that keeps failing ends with LFM_FINISH_ERROR and why; the backend fails as a whole only when
 * nothing can succeed (the key is refused, the model is unknown, nobody answers at the first request). */
enum lfm_status lfm_endpoint_backend_open(struct lfm_backend *out, const struct lfm_endpoint_options *options,
                                          struct lfm_error *error);

#endif
