/* The backend behind a URL: an OpenAI-compatible server (POST .../chat/completions). */
#ifndef LFM_EVAL_BACKENDS_ENDPOINT_H
#define LFM_EVAL_BACKENDS_ENDPOINT_H

#include "eval/harness/backend.h"
#include "reference/base/error.h"
#include "reference/model/sample.h"

#include <stdbool.h>
#include <stddef.h>

struct lfm_endpoint_options {
    const char *url;        /* "http://127.0.0.1:8080/v1"; "/chat/completions" may follow. Borrowed, as all strings here */
    const char *model_name; /* what the server is asked for; NULL: no model is named */
    const char *key;        /* sent as bearer token and written nowhere; NULL or empty: none */
    struct lfm_sampling sampling; /* docs/running-evaluations.md has what is sent; its seed is unused: every request has
                                   * its own */
    size_t max_tokens;      /* per request, at least 1 */
    size_t concurrency;     /* requests under way together, at least 1 */
    size_t retries;         /* of one request, after 429, 5xx, time-outs and broken connections; with growing pauses */
    double timeout_seconds; /* of one attempt; 0: none */
    double first_pause_seconds; /* before the first retry, about; doubles with every further one. 0: half a second */
    bool calls_as_text;     /* calls stay in the text both ways, as the family writes them: for servers of its models */
};

/* A backend on a server. Unless calls_as_text, tool calls that come back in OpenAI's form are handed on as the family
 * writes them (<|tool_call_start|>[f(a=1)]<|tool_call_end|> before the text), and calls in earlier assistant messages
 * are sent in OpenAI's form, with ids that the tool messages after them refer to in their order. A request that keeps
 * failing ends with LFM_FINISH_ERROR and why; the backend fails as a whole only when nothing can succeed: the key is
 * refused; the address is wrong, or no model server's, and no request has succeeded yet; nobody is there and no other
 * request was answered meanwhile. Fails on a URL that is none, on other schemes than http and https, and on keys with
 * control characters. Redirects are not followed. */
enum lfm_status lfm_endpoint_backend_open(struct lfm_backend *out, const struct lfm_endpoint_options *options,
                                          struct lfm_error *error);

#endif
