/* One question to a server at a time: see endpoint_post.h. */
#include "eval/backends/endpoint_post.h"

#include "eval/backends/endpoint_handle.h"
#include "eval/backends/endpoint_parts.h"
#include "reference/base/memory.h"
#include "reference/base/progress.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lfm_poster {
    struct lfm_endpoint_url url;
    char *key; /* owned; NULL when there is none */
    double timeout;
    struct curl_slist *headers;
};

/* What comes back. */
struct answer {
    struct lfm_buffer body;
    bool too_long;
};

static enum lfm_status fill(struct lfm_poster *poster, const char *url, const char *key, struct lfm_error *error)
{
    LFM_TRY(lfm_endpoint_check_key(key, error));
    if (key && *key) LFM_TRY(lfm_copy_string(&poster->key, key, strlen(key), error));
    LFM_TRY(lfm_endpoint_url_parse(&poster->url, url, error));
    return lfm_endpoint_headers(&poster->headers, poster->key, error);
}

enum lfm_status lfm_poster_open(struct lfm_poster **out, const char *url, const char *key, double timeout_seconds,
                                struct lfm_error *error)
{
    *out = NULL;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return lfm_fail(error, LFM_ERROR_MEMORY, "cannot set up libcurl");
    enum lfm_status status = LFM_ALLOC(out, 1, error);
    if (status != LFM_OK) {
        curl_global_cleanup();
        return status;
    }
    (*out)->timeout = timeout_seconds;
    status = fill(*out, url, key, error);
    if (status == LFM_OK) return LFM_OK;
    lfm_poster_close(*out);
    *out = NULL;
    return status;
}

void lfm_poster_close(struct lfm_poster *poster)
{
    if (!poster) return;
    lfm_endpoint_url_release(&poster->url);
    curl_slist_free_all(poster->headers);
    free(poster->key);
    free(poster);
    curl_global_cleanup();
}

const char *lfm_poster_url(const struct lfm_poster *poster)
{
    return poster->url.shown;
}

/* --- addresses --- */

/* Takes `tail` off the end of a path. */
static void take_off(char *path, const char *tail)
{
    size_t length = strlen(path), n = strlen(tail);
    if (length >= n && strcmp(path + length - n, tail) == 0) path[length - n] = '\0';
}

/* The address of a path; the caller frees with curl_free. */
static enum lfm_status address(const struct lfm_poster *poster, const char *path, bool at_root, char **out,
                               struct lfm_error *error)
{
    struct lfm_buffer whole = {0};
    char *base = NULL;
    CURLU *parts = curl_url();
    enum lfm_status status = LFM_OK;
    bool done = parts && curl_url_set(parts, CURLUPART_URL, poster->url.request, 0) == CURLUE_OK &&
                curl_url_get(parts, CURLUPART_PATH, &base, 0) == CURLUE_OK;
    if (done) {
        take_off(base, "/chat/completions");
        if (at_root) take_off(base, "/v1");
        status = lfm_buffer_printf(&whole, error, "%s%s", base, path);
        done = status == LFM_OK && curl_url_set(parts, CURLUPART_PATH, whole.data, 0) == CURLUE_OK &&
               curl_url_get(parts, CURLUPART_URL, out, 0) == CURLUE_OK;
    }
    curl_free(base);
    curl_url_cleanup(parts);
    lfm_buffer_release(&whole);
    return done ? LFM_OK : lfm_fail(error, LFM_ERROR_MEMORY, "cannot read the URL: out of memory");
}

/* --- one question --- */

static size_t receive(char *bytes, size_t size, size_t count, void *context)
{
    struct answer *answer = context;
    size_t length = size * count;
    answer->too_long = answer->too_long || length > LFM_ENDPOINT_LONGEST_ANSWER - answer->body.length;
    if (answer->too_long || lfm_buffer_append(&answer->body, bytes, length, NULL) != LFM_OK) return 0;
    return length;
}

/* Ctrl-C ends the waiting. */
static int look(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)context, (void)a, (void)b, (void)c, (void)d;
    return lfm_interrupted();
}

static enum lfm_status no_connection(const struct lfm_poster *poster, CURL *handle, CURLcode result, const char *complaint,
                                     struct lfm_error *error)
{
    long reason = 0;
    curl_easy_getinfo(handle, CURLINFO_OS_ERRNO, &reason);
    if (lfm_interrupted()) return lfm_fail(error, LFM_ERROR_STOPPED, "interrupted");
    if (result == CURLE_OPERATION_TIMEDOUT)
        return lfm_fail(error, LFM_ERROR_IO, "no answer from '%s' within %g s", poster->url.shown, poster->timeout);
    if (result == CURLE_COULDNT_CONNECT && reason == ECONNREFUSED)
        return lfm_fail(error, LFM_ERROR_IO, "cannot connect to '%s': connection refused; is the server running?",
                        poster->url.shown);
    return lfm_fail(error, LFM_ERROR_IO, "no answer from '%s': %s", poster->url.shown,
                    *complaint ? complaint : curl_easy_strerror(result));
}

/* The key is no part of any message, whatever the server echoes. */
static void hide_key(const struct lfm_poster *poster, struct lfm_buffer *body)
{
    size_t n = poster->key ? strlen(poster->key) : 0;
    for (size_t i = 0; n > 0 && i + n <= body->length; i++)
        if (memcmp(body->data + i, poster->key, n) == 0) memset(body->data + i, '*', n);
}

static enum lfm_status refused(const struct lfm_poster *poster, const char *path, long status, struct answer *answer,
                               struct lfm_error *error)
{
    struct lfm_buffer said = {0};
    const struct lfm_span body = {answer->body.data ? answer->body.data : "", answer->body.length};
    hide_key(poster, &answer->body);
    enum lfm_status read = answer->body.length > 0 ? lfm_endpoint_excerpt(&said, body, NULL) : LFM_OK;
    bool says = read == LFM_OK && said.length > 0;
    read = lfm_fail(error, LFM_ERROR_IO, "'%s' answers HTTP %ld to %s%s%s", poster->url.shown, status, path,
                    says ? ": " : "", says ? said.data : "");
    lfm_buffer_release(&said);
    return read;
}

static enum lfm_status exchange(struct lfm_poster *poster, CURL *handle, const char *path, const char *text,
                                const char *complaint, struct answer *answer, long *http_status, struct lfm_error *error)
{
    bool set = curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(text)) == CURLE_OK;
    set = set && curl_easy_setopt(handle, CURLOPT_POSTFIELDS, text) == CURLE_OK;
    set = set && curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, look) == CURLE_OK;
    set = set && curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L) == CURLE_OK;
    if (!set) return lfm_fail(error, LFM_ERROR_MEMORY, "cannot set up a request: libcurl refuses");
    CURLcode result = curl_easy_perform(handle);
    if (result != CURLE_OK) return no_connection(poster, handle, result, complaint, error);
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, http_status);
    return *http_status == 200 ? LFM_OK : refused(poster, path, *http_status, answer, error);
}

enum lfm_status lfm_poster_post(struct lfm_poster *poster, const char *path, bool at_root, const cJSON *body,
                                cJSON **answer, long *http_status, struct lfm_error *error)
{
    struct answer came = {{0}, false};
    char complaint[CURL_ERROR_SIZE] = "", *url = NULL, *text = cJSON_PrintUnformatted(body);
    CURL *handle = NULL;
    enum lfm_status status;
    *answer = NULL;
    *http_status = 0;
    if (!text) return lfm_fail(error, LFM_ERROR_MEMORY, "cannot write a request: out of memory");
    LFM_TRY_DONE(address(poster, path, at_root, &url, error));
    LFM_TRY_DONE(lfm_endpoint_handle(&handle, url, poster->url.local, poster->headers, poster->timeout, complaint, receive,
                                     &came, error));
    LFM_TRY_DONE(exchange(poster, handle, path, text, complaint, &came, http_status, error));
    status = lfm_json_parse(answer, came.body.data ? came.body.data : "", came.body.length, "the answer", error);
    if (status != LFM_OK) status = lfm_fail_in(error, "'%s'", poster->url.shown);
done:
    curl_easy_cleanup(handle);
    curl_free(url);
    cJSON_free(text);
    lfm_buffer_release(&came.body);
    return status;
}
