/* What the backend in endpoint.c is made of: addresses, requests and answers of chat completions as text. Only the
 * endpoint*.c include this, and the command line of eval, for what of a URL may be written. */
#ifndef LFM_EVAL_BACKENDS_ENDPOINT_PARTS_H
#define LFM_EVAL_BACKENDS_ENDPOINT_PARTS_H

#include "eval/backends/endpoint.h"
#include "eval/text/python_text.h"
#include "reference/base/buffer.h"
#include "reference/base/json.h"

#include <stdbool.h>
#include <stdint.h>

/* --- endpoint_url.c --- */

struct lfm_endpoint_url {
    char *request; /* owned: where requests go; may hold a user's name and password */
    char *shown;   /* owned: what may be written: the address as given, without user, query and "/chat/completions" */
    bool local;    /* on this machine: no proxy stands between */
};
enum lfm_status lfm_endpoint_url_parse(struct lfm_endpoint_url *out, const char *url, struct lfm_error *error);
void lfm_endpoint_url_release(struct lfm_endpoint_url *url);

/* --- endpoint_request.c --- */

/* What servers are known to refuse by name; a set of them is a number. */
enum lfm_endpoint_parameter {
    LFM_PARAMETER_MAX_TOKENS, /* means: wants it as "max_completion_tokens" */
    LFM_PARAMETER_SEED,
    LFM_PARAMETER_TOP_P,
    LFM_PARAMETER_TOP_K,
    LFM_PARAMETER_MIN_P,
    LFM_PARAMETER_REPEAT_PENALTY,
    LFM_PARAMETER_REPETITION_PENALTY,
    LFM_PARAMETER_REPEAT_LAST_N,
    LFM_PARAMETER_PARALLEL_TOOL_CALLS,
    LFM_PARAMETER_SKIP_SPECIAL_TOKENS,
    LFM_N_ENDPOINT_PARAMETERS
};

/* The body of a request. The caller deletes *body. */
enum lfm_status lfm_endpoint_request(cJSON **body, const struct lfm_endpoint_options *options,
                                     const struct lfm_request *request, uint64_t seed, struct lfm_error *error);
/* The parameters of the body that a refusal names and that the request can do without: they are at values that change
 * nothing, or another name stands for them. */
unsigned lfm_endpoint_dispensable(const cJSON *body, const char *refusal);
/* Takes these parameters out of the body. */
void lfm_endpoint_leave_out(cJSON *body, unsigned parameters);

/* --- endpoint_answer.c --- */

/* Fills raw, text, finish and the counts of tokens from the body of an answer. Fails with LFM_ERROR_FORMAT and what is
 * wrong with it; the message has nothing of the body. */
enum lfm_status lfm_endpoint_read(struct lfm_completion *completion, struct lfm_span body, size_t max_tokens,
                                  struct lfm_error *error);
/* Appends what a server says of a failure: the message in its JSON, or the first bytes of the body, on one line of
 * printable UTF-8. */
enum lfm_status lfm_endpoint_excerpt(struct lfm_buffer *out, struct lfm_span body, struct lfm_error *error);
/* Whether a refusal says that the conversation does not fit the model's context. */
bool lfm_endpoint_says_context_full(const char *refusal);
/* Whether a refusal says that the model's answer could not be parsed: asking again gives the same. */
bool lfm_endpoint_says_unparsed(const char *refusal);

/* Appends text as UTF-8 without zero bytes: what is no UTF-8 becomes U+FFFD, zero bytes U+0001. */
enum lfm_status lfm_endpoint_clean(struct lfm_buffer *out, struct lfm_span text, struct lfm_error *error);

#endif
