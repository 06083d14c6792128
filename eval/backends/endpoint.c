/* The backend behind a URL: see endpoint.h.
 *
 * Every request has an exchange of its own with a libcurl handle. One that cannot be sent yet, or again, is paused until its
 * time has come. All handles run in one thread, inside submit and wait. */
#include "eval/backends/endpoint.h"

#include "eval/backends/endpoint_handle.h"
#include "eval/backends/endpoint_parts.h"
#include "reference/base/memory.h"
#include "reference/base/progress.h"

#include <curl/curl.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LONGEST_LOOK = 200 };        /* milliseconds between looks for Ctrl-C */

static const double longest_pause = 60;      /* seconds between two attempts of our own choosing */
static const double longest_requested = 600; /* the most that a server may ask for */

enum phase { PHASE_FREE, PHASE_PAUSED, PHASE_RUNNING, PHASE_FINISHED };

struct exchange {
    enum phase phase;
    struct lfm_completion completion; /* what will be handed out */
    cJSON *body;
    char *text;                       /* the body as it is sent; cJSON's */
    struct lfm_buffer answer;
    bool too_long;
    CURL *handle;
    char complaint[CURL_ERROR_SIZE];
    size_t attempts;
    size_t answers_before; /* of all, when the first attempt began */
    double started, due;
};

struct endpoint {
    struct lfm_endpoint_options options;
    struct lfm_endpoint_url url;
    char *model_name, *key;      /* owned; NULL when there is none */
    struct curl_slist *headers;
    CURLM *multi;
    struct exchange *exchanges;  /* [concurrency] */
    size_t answers, successes;   /* HTTP answers of any kind; completions */
    unsigned left_out;           /* parameters this server does not take */
    double not_before;           /* the server asked for quiet until then */
    char created[32];
};

/* What becomes of an attempt. */
enum fate {
    FATE_DONE,    /* the completion is filled */
    FATE_RESEND,  /* without what the server refused */
    FATE_RETRY,   /* after a pause */
    FATE_FAILED,  /* this request cannot succeed */
    FATE_HOPELESS /* none can */
};

/* --- messages --- */

/* The key is no part of any message, whatever the server echoes. */
static void hide_key(const struct endpoint *endpoint, char *text, size_t length)
{
    size_t n = endpoint->key ? strlen(endpoint->key) : 0;
    for (size_t i = 0; n > 0 && i + n <= length; i++)
        if (memcmp(text + i, endpoint->key, n) == 0) memset(text + i, '*', n);
}

/* Fills the exchange's error with "<what>: <what the server says>". */
static enum fate complain(const struct endpoint *endpoint, struct exchange *exchange, enum fate fate, const char *what)
{
    struct lfm_error *error = &exchange->completion.error;
    struct lfm_buffer said = {0};
    struct lfm_buffer *answer = &exchange->answer;
    if (answer->length > 0) hide_key(endpoint, answer->data, answer->length);
    const struct lfm_span body = {answer->data, answer->length};
    if (answer->length == 0 || lfm_endpoint_excerpt(&said, body, NULL) != LFM_OK || said.length == 0)
        lfm_set_error(error, LFM_ERROR_IO, "'%s' %s", endpoint->url.shown, what);
    else
        lfm_set_error(error, LFM_ERROR_IO, "'%s' %s: %s", endpoint->url.shown, what, said.data);
    lfm_buffer_release(&said);
    return fate;
}

/* The same for what libcurl found; no body is to be shown. */
static enum fate complain_of_connection(const struct endpoint *endpoint, struct exchange *exchange, enum fate fate,
                                        const char *what, const char *detail)
{
    lfm_set_error(&exchange->completion.error, LFM_ERROR_IO, "%s '%s'%s%s", what, endpoint->url.shown,
                  *detail ? ": " : "", detail);
    return fate;
}

/* --- what an attempt came to --- */

static const char *refusal_of(const struct exchange *exchange)
{
    return exchange->answer.data && exchange->answer.length > 0 ? exchange->answer.data : "";
}

static enum fate unless_proven(const struct endpoint *endpoint)
{
    return endpoint->successes > 0 ? FATE_FAILED : FATE_HOPELESS;
}

static enum fate read_answer(struct endpoint *endpoint, struct exchange *exchange)
{
    struct lfm_completion *completion = &exchange->completion;
    const struct lfm_span body = {exchange->answer.data, exchange->answer.length};
    struct lfm_error why;
    char what[256];
    enum lfm_status status = lfm_endpoint_read(completion, body, endpoint->options.max_tokens, &why);
    if (status == LFM_OK) {
        endpoint->successes++;
        return FATE_DONE;
    }
    completion->error = why;
    if (status != LFM_ERROR_FORMAT) return FATE_HOPELESS;
    snprintf(what, sizeof what, "sent an answer that cannot be read: %.160s", why.message);
    return complain(endpoint, exchange, unless_proven(endpoint), what);
}

static enum fate end_by_context(struct exchange *exchange)
{
    exchange->completion.finish = LFM_FINISH_CONTEXT;
    return FATE_DONE;
}

static enum fate judge_refusal(struct endpoint *endpoint, struct exchange *exchange, long status)
{
    char what[128];
    unsigned dispensable = 0;
    snprintf(what, sizeof what, "answers HTTP %ld", status);
    if (status == 400 || status == 422) dispensable = lfm_endpoint_dispensable(exchange->body, refusal_of(exchange));
    if (!dispensable) return complain(endpoint, exchange, FATE_FAILED, what);
    endpoint->left_out |= dispensable;
    return FATE_RESEND;
}

/* The statuses that say the address is not that of a server of models, with this model. */
static enum fate judge_address(const struct endpoint *endpoint, struct exchange *exchange, long status)
{
    size_t length = strlen(endpoint->url.shown);
    bool versioned = length >= 3 && strcmp(endpoint->url.shown + length - 3, "/v1") == 0;
    char what[128];
    if (status >= 300 && status < 400)
        snprintf(what, sizeof what, "redirects (HTTP %ld), which is not followed: give the final URL", status);
    else
        snprintf(what, sizeof what, "answers HTTP %ld (wrong %s?)", status,
                 versioned ? "URL or model name" : "model name, or URL: most servers' ends in /v1");
    return complain(endpoint, exchange, unless_proven(endpoint), what);
}

static bool is_worth_another_try(long status)
{
    return status == 408 || status == 429 || status >= 500;
}

static enum fate judge_answer(struct endpoint *endpoint, struct exchange *exchange, long status)
{
    char what[64];
    if (status == 200 && exchange->answer.length == 0)
        return complain(endpoint, exchange, FATE_RETRY, "sent an empty answer");
    if (status == 200) return read_answer(endpoint, exchange);
    if (status >= 400 && status != 429 && lfm_endpoint_says_context_full(refusal_of(exchange)))
        return end_by_context(exchange);
    if (status >= 500 && lfm_endpoint_says_unparsed(refusal_of(exchange)))
        return judge_refusal(endpoint, exchange, status);
    if (is_worth_another_try(status)) {
        snprintf(what, sizeof what, "answers HTTP %ld%s", status, status == 429 ? " (too many requests)" : "");
        return complain(endpoint, exchange, FATE_RETRY, what);
    }
    if (status == 401)
        return complain(endpoint, exchange, FATE_HOPELESS,
                        endpoint->key ? "refuses the API key (HTTP 401)" : "asks for an API key (HTTP 401)");
    if (status == 403) return complain(endpoint, exchange, unless_proven(endpoint), "denies access (HTTP 403)");
    if (status < 400 || status == 404 || status == 405) return judge_address(endpoint, exchange, status);
    return judge_refusal(endpoint, exchange, status);
}

static bool is_of_tls(CURLcode result)
{
    return result == CURLE_SSL_CONNECT_ERROR || result == CURLE_PEER_FAILED_VERIFICATION ||
           result == CURLE_SSL_CERTPROBLEM || result == CURLE_SSL_CIPHER || result == CURLE_SSL_CACERT_BADFILE ||
           result == CURLE_SSL_ISSUER_ERROR || result == CURLE_SSL_INVALIDCERTSTATUS;
}

static enum fate judge_time_out(const struct endpoint *endpoint, struct exchange *exchange)
{
    char detail[64];
    snprintf(detail, sizeof detail, "within %g s", endpoint->options.timeout_seconds);
    return complain_of_connection(endpoint, exchange, FATE_RETRY, "no answer from",
                                  endpoint->options.timeout_seconds > 0 ? detail : "");
}

static enum fate judge_connection(struct endpoint *endpoint, struct exchange *exchange, CURLcode result)
{
    const char *detail = *exchange->complaint ? exchange->complaint : curl_easy_strerror(result);
    long reason = 0;
    enum fate unless_answered = endpoint->answers > 0 ? FATE_RETRY : FATE_HOPELESS;
    curl_easy_getinfo(exchange->handle, CURLINFO_OS_ERRNO, &reason);
    if (exchange->too_long)
        return complain_of_connection(endpoint, exchange, FATE_FAILED, "an answer of more than 64 MiB from", "");
    if (is_of_tls(result))
        return complain_of_connection(endpoint, exchange, unless_proven(endpoint), "no secure connection to", detail);
    switch (result) {
    case CURLE_OPERATION_TIMEDOUT: return judge_time_out(endpoint, exchange);
    case CURLE_COULDNT_CONNECT:
        if (reason == ECONNREFUSED) detail = "connection refused; is the server running?";
        return complain_of_connection(endpoint, exchange, FATE_RETRY, "cannot connect to", detail);
    case CURLE_COULDNT_RESOLVE_HOST:
        return complain_of_connection(endpoint, exchange, unless_answered, "unknown host in", "");
    case CURLE_COULDNT_RESOLVE_PROXY:
        return complain_of_connection(endpoint, exchange, unless_answered, "unknown proxy on the way to", "");
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return complain_of_connection(endpoint, exchange, FATE_RETRY, "connection broken by", detail);
    case CURLE_OUT_OF_MEMORY:
        lfm_set_error(&exchange->completion.error, LFM_ERROR_MEMORY, "out of memory");
        return FATE_HOPELESS;
    default: return complain_of_connection(endpoint, exchange, unless_proven(endpoint), "no HTTP with", detail);
    }
}

/* --- pauses --- */

/* From 0.5 to 1, the same for the same request and attempt: steps of the SplitMix64 generator. */
static double jitter(size_t ticket, size_t attempt)
{
    uint64_t x = (uint64_t)ticket * UINT64_C(0x9E3779B97F4A7C15) + attempt;
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return 0.5 + 0.5 * (double)((x ^ x >> 31) >> 11) * 0x1p-53;
}

static double pause_before(const struct endpoint *endpoint, const struct exchange *exchange)
{
    double first = endpoint->options.first_pause_seconds > 0 ? endpoint->options.first_pause_seconds : 0.5;
    double pause = first * exp2((double)(exchange->attempts - 1));
    return fmin(pause, longest_pause) * jitter(exchange->completion.ticket, exchange->attempts);
}

static void note_attempts(struct exchange *exchange)
{
    struct lfm_error *error = &exchange->completion.error;
    size_t used = strlen(error->message);
    if (exchange->attempts > 1)
        snprintf(error->message + used, sizeof error->message - used, " (%zu attempts)", exchange->attempts);
}

/* When nobody was there for any request all the while, nobody will be. */
static enum fate give_up(const struct endpoint *endpoint, struct exchange *exchange, CURLcode result)
{
    bool nobody = result == CURLE_COULDNT_CONNECT || result == CURLE_COULDNT_RESOLVE_HOST ||
                  result == CURLE_COULDNT_RESOLVE_PROXY;
    note_attempts(exchange);
    return nobody && endpoint->answers == exchange->answers_before ? FATE_HOPELESS : FATE_FAILED;
}

static enum fate pause_or_give_up(struct endpoint *endpoint, struct exchange *exchange, CURLcode result)
{
    curl_off_t requested = 0;
    if (result == CURLE_OK) curl_easy_getinfo(exchange->handle, CURLINFO_RETRY_AFTER, &requested);
    if (exchange->attempts > endpoint->options.retries) return give_up(endpoint, exchange, result);
    if ((double)requested > longest_requested) {
        lfm_fail_in(&exchange->completion.error, "asked to wait for %lld s", (long long)requested);
        return FATE_FAILED;
    }
    double now = lfm_seconds();
    exchange->due = now + fmax(pause_before(endpoint, exchange), (double)requested);
    if (requested > 0) endpoint->not_before = fmax(endpoint->not_before, now + (double)requested);
    return FATE_RETRY;
}

/* --- exchanges --- */

static enum lfm_status start(struct endpoint *endpoint, struct exchange *exchange, struct lfm_error *error)
{
    lfm_endpoint_leave_out(exchange->body, endpoint->left_out);
    cJSON_free(exchange->text);
    exchange->text = cJSON_PrintUnformatted(exchange->body);
    if (!exchange->text) return lfm_fail(error, LFM_ERROR_MEMORY, "cannot write a request: out of memory");
    lfm_buffer_clear(&exchange->answer);
    exchange->too_long = false;
    *exchange->complaint = '\0';
    curl_easy_setopt(exchange->handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(exchange->text));
    curl_easy_setopt(exchange->handle, CURLOPT_POSTFIELDS, exchange->text);
    if (curl_multi_add_handle(endpoint->multi, exchange->handle) != CURLM_OK)
        return lfm_fail(error, LFM_ERROR_MEMORY, "cannot begin a request: out of memory");
    exchange->phase = PHASE_RUNNING;
    return LFM_OK;
}

/* Starts what is due. *left is the time until the next will be, at most what it was. */
static enum lfm_status start_due(struct endpoint *endpoint, double *left, struct lfm_error *error)
{
    double now = lfm_seconds();
    for (size_t i = 0; i < endpoint->options.concurrency; i++) {
        struct exchange *exchange = &endpoint->exchanges[i];
        if (exchange->phase != PHASE_PAUSED) continue;
        double due = fmax(exchange->due, endpoint->not_before);
        if (due <= now) LFM_TRY(start(endpoint, exchange, error));
        else *left = fmin(*left, due - now);
    }
    return LFM_OK;
}

static void finish(struct exchange *exchange, enum fate fate)
{
    struct lfm_completion *completion = &exchange->completion;
    exchange->phase = PHASE_FINISHED;
    completion->seconds = lfm_seconds() - exchange->started;
    if (fate == FATE_DONE) {
        completion->error = (struct lfm_error){0};
        return;
    }
    completion->finish = LFM_FINISH_ERROR;
    completion->prompt_tokens = completion->generated_tokens = 0;
    lfm_buffer_clear(&completion->raw);
    lfm_buffer_clear(&completion->text);
}

/* Fails when the backend as a whole does. */
static enum lfm_status conclude(struct endpoint *endpoint, struct exchange *exchange, CURLcode result,
                                struct lfm_error *error)
{
    long status = 0;
    enum fate fate;
    exchange->attempts++;
    if (result == CURLE_OK) {
        curl_easy_getinfo(exchange->handle, CURLINFO_RESPONSE_CODE, &status);
        endpoint->answers++;
        fate = judge_answer(endpoint, exchange, status);
    } else {
        fate = judge_connection(endpoint, exchange, result);
    }
    if (fate == FATE_RETRY) fate = pause_or_give_up(endpoint, exchange, result);
    if (fate == FATE_RESEND) exchange->attempts--;
    if (fate == FATE_RESEND || fate == FATE_RETRY) {
        exchange->phase = PHASE_PAUSED;
        return LFM_OK;
    }
    hide_key(endpoint, exchange->completion.error.message, strlen(exchange->completion.error.message));
    finish(exchange, fate);
    if (fate != FATE_HOPELESS) return LFM_OK;
    *error = exchange->completion.error;
    return lfm_failure(error->status);
}

/* Lets the transfers go on as far as they can without waiting. */
static enum lfm_status advance(struct endpoint *endpoint, struct lfm_error *error)
{
    int running, queued;
    if (curl_multi_perform(endpoint->multi, &running) != CURLM_OK)
        return lfm_fail(error, LFM_ERROR_MEMORY, "cannot go on with the requests: out of memory");
    for (const CURLMsg *message; (message = curl_multi_info_read(endpoint->multi, &queued));) {
        struct exchange *exchange = NULL;
        CURLcode result = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&exchange);
        curl_multi_remove_handle(endpoint->multi, exchange->handle);
        LFM_TRY(conclude(endpoint, exchange, result, error));
    }
    return LFM_OK;
}

static enum lfm_status submit(void *context, size_t ticket, const struct lfm_request *request, uint64_t seed,
                              struct lfm_error *error)
{
    struct endpoint *endpoint = context;
    struct exchange *exchange = endpoint->exchanges, *end = exchange + endpoint->options.concurrency;
    double left = 0;
    while (exchange < end && exchange->phase != PHASE_FREE) exchange++;
    if (exchange == end)
        return lfm_fail(error, LFM_ERROR_LIMIT, "more than %zu requests at a time", endpoint->options.concurrency);
    LFM_TRY(lfm_endpoint_request(&exchange->body, &endpoint->options, request, seed, error));
    exchange->completion = (struct lfm_completion){.ticket = ticket};
    exchange->phase = PHASE_PAUSED;
    exchange->attempts = 0;
    exchange->answers_before = endpoint->answers;
    exchange->started = exchange->due = lfm_seconds();
    LFM_TRY(start_due(endpoint, &left, error));
    return advance(endpoint, error);
}

static void deliver(struct exchange *exchange, struct lfm_completion *completion)
{
    *completion = exchange->completion;
    exchange->completion = (struct lfm_completion){0};
    cJSON_Delete(exchange->body);
    exchange->body = NULL;
    exchange->phase = PHASE_FREE;
}

/* The first in a phase; NULL when there is none. */
static struct exchange *find(const struct endpoint *endpoint, enum phase phase)
{
    for (size_t i = 0; i < endpoint->options.concurrency; i++)
        if (endpoint->exchanges[i].phase == phase) return &endpoint->exchanges[i];
    return NULL;
}

static enum lfm_status wait_for_one(void *context, struct lfm_completion *completion, struct lfm_error *error)
{
    struct endpoint *endpoint = context;
    for (;;) {
        struct exchange *finished = find(endpoint, PHASE_FINISHED);
        double left = 1e-3 * LONGEST_LOOK;
        if (finished) {
            deliver(finished, completion);
            return LFM_OK;
        }
        if (lfm_interrupted()) return lfm_fail(error, LFM_ERROR_STOPPED, "interrupted");
        if (!find(endpoint, PHASE_RUNNING) && !find(endpoint, PHASE_PAUSED))
            return lfm_fail(error, LFM_ERROR_ARGUMENT, "no request is under way");
        LFM_TRY(advance(endpoint, error));
        LFM_TRY(start_due(endpoint, &left, error));
        if (!find(endpoint, PHASE_FINISHED))
            curl_multi_poll(endpoint->multi, NULL, 0, (int)ceil(1e3 * left), NULL);
    }
}

/* --- the backend --- */

static void describe(const void *context, cJSON *run)
{
    const struct endpoint *endpoint = context;
    const struct lfm_sampling *sampling = &endpoint->options.sampling;
    cJSON_AddStringToObject(run, "created", endpoint->created);
    cJSON_AddStringToObject(run, "endpoint", endpoint->url.shown);
    cJSON_AddStringToObject(run, "model", endpoint->model_name ? endpoint->model_name : "unknown");
    cJSON_AddStringToObject(run, "weights", "unknown");
    lfm_json_add_number(run, "bits_per_weight", NAN);
    cJSON *json = cJSON_AddObjectToObject(run, "sampling");
    lfm_json_add_number(json, "temperature", sampling->temperature);
    lfm_json_add_number(json, "top_k", (double)sampling->top_k);
    lfm_json_add_number(json, "top_p", sampling->top_p);
    lfm_json_add_number(json, "min_p", sampling->min_p);
    lfm_json_add_number(json, "repetition_penalty", sampling->repetition_penalty);
    lfm_json_add_number(run, "max_tokens", (double)endpoint->options.max_tokens);
    cJSON_AddStringToObject(run, "calls", endpoint->options.calls_as_text ? "text" : "tool_calls");
    lfm_json_add_number(run, "concurrency", (double)endpoint->options.concurrency);
}

static void close_endpoint(void *context)
{
    struct endpoint *endpoint = context;
    for (size_t i = 0; endpoint->exchanges && i < endpoint->options.concurrency; i++) {
        struct exchange *exchange = &endpoint->exchanges[i];
        if (exchange->phase == PHASE_RUNNING) curl_multi_remove_handle(endpoint->multi, exchange->handle);
        curl_easy_cleanup(exchange->handle);
        lfm_completion_release(&exchange->completion);
        lfm_buffer_release(&exchange->answer);
        cJSON_Delete(exchange->body);
        cJSON_free(exchange->text);
    }
    free(endpoint->exchanges);
    curl_multi_cleanup(endpoint->multi);
    curl_slist_free_all(endpoint->headers);
    lfm_endpoint_url_release(&endpoint->url);
    free(endpoint->model_name);
    free(endpoint->key);
    free(endpoint);
    curl_global_cleanup();
}

static size_t receive(char *bytes, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    size_t length = size * count;
    exchange->too_long = exchange->too_long || length > LFM_ENDPOINT_LONGEST_ANSWER - exchange->answer.length;
    if (exchange->too_long || lfm_buffer_append(&exchange->answer, bytes, length, NULL) != LFM_OK) return 0;
    return length;
}

static enum lfm_status prepare(const struct endpoint *endpoint, struct exchange *exchange, struct lfm_error *error)
{
    return lfm_endpoint_handle(&exchange->handle, endpoint->url.request, endpoint->url.local, endpoint->headers,
                               endpoint->options.timeout_seconds, exchange->complaint, receive, exchange, error);
}

static enum lfm_status take_strings(struct endpoint *endpoint, struct lfm_error *error)
{
    struct lfm_endpoint_options *options = &endpoint->options;
    const char *key = options->key && *options->key ? options->key : NULL, *name = options->model_name;
    LFM_TRY(lfm_endpoint_check_key(key, error));
    if (key) LFM_TRY(lfm_copy_string(&endpoint->key, key, strlen(key), error));
    if (name) LFM_TRY(lfm_copy_string(&endpoint->model_name, name, strlen(name), error));
    LFM_TRY(lfm_endpoint_url_parse(&endpoint->url, options->url, error));
    options->model_name = endpoint->model_name;
    options->key = options->url = NULL;
    return LFM_OK;
}

static enum lfm_status open_endpoint(struct endpoint *endpoint, struct lfm_error *error)
{
    time_t now = time(NULL);
    struct tm parts;
    if (gmtime_r(&now, &parts)) strftime(endpoint->created, sizeof endpoint->created, "%Y-%m-%dT%H:%M:%SZ", &parts);
    LFM_TRY(take_strings(endpoint, error));
    LFM_TRY(lfm_endpoint_headers(&endpoint->headers, endpoint->key, error));
    endpoint->multi = curl_multi_init();
    if (!endpoint->multi) return lfm_fail(error, LFM_ERROR_MEMORY, "cannot set up connections: out of memory");
    LFM_TRY(LFM_ALLOC(&endpoint->exchanges, endpoint->options.concurrency, error));
    for (size_t i = 0; i < endpoint->options.concurrency; i++)
        LFM_TRY(prepare(endpoint, &endpoint->exchanges[i], error));
    return LFM_OK;
}

enum lfm_status lfm_endpoint_backend_open(struct lfm_backend *out, const struct lfm_endpoint_options *options,
                                          struct lfm_error *error)
{
    struct endpoint *endpoint;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return lfm_fail(error, LFM_ERROR_MEMORY, "cannot set up libcurl");
    enum lfm_status status = LFM_ALLOC(&endpoint, 1, error);
    if (status != LFM_OK) {
        curl_global_cleanup();
        return status;
    }
    endpoint->options = *options;
    status = open_endpoint(endpoint, error);
    if (status != LFM_OK) {
        close_endpoint(endpoint);
        return status;
    }
    *out = (struct lfm_backend){endpoint, options->concurrency, submit, wait_for_one, describe, close_endpoint};
    return LFM_OK;
}
