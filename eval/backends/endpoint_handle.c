/* Headers and libcurl handles: see endpoint_handle.h. */
#include "eval/backends/endpoint_handle.h"

#include "reference/base/version.h"

#include <math.h>

static const double longest_connecting = 30; /* seconds */

static enum lfm_status add_header(struct curl_slist **headers, const char *header, struct lfm_error *error)
{
    struct curl_slist *longer = curl_slist_append(*headers, header);
    if (!longer) return lfm_fail(error, LFM_ERROR_MEMORY, "cannot set up a request: out of memory");
    *headers = longer;
    return LFM_OK;
}

enum lfm_status lfm_endpoint_headers(struct curl_slist **out, const char *key, struct lfm_error *error)
{
    struct lfm_buffer authorization = {0};
    *out = NULL;
    LFM_TRY(add_header(out, "Content-Type: application/json", error));
    LFM_TRY(add_header(out, "Accept: application/json", error));
    LFM_TRY(add_header(out, "Expect:", error));
    if (!key) return LFM_OK;
    enum lfm_status status = lfm_buffer_printf(&authorization, error, "Authorization: Bearer %s", key);
    if (status == LFM_OK) status = add_header(out, authorization.data, error);
    lfm_buffer_release(&authorization);
    return status;
}

enum lfm_status lfm_endpoint_check_key(const char *key, struct lfm_error *error)
{
    for (const char *at = key; at && *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7F)
            return lfm_fail(error, LFM_ERROR_ARGUMENT, "the API key holds a control character, or a line end");
    return LFM_OK;
}

enum lfm_status lfm_endpoint_handle(CURL **out, const char *request, bool local, struct curl_slist *headers,
                                    double timeout_seconds, char *complaint,
                                    size_t (*receive)(char *, size_t, size_t, void *), void *context,
                                    struct lfm_error *error)
{
    double timeout = timeout_seconds > 0 ? fmin(timeout_seconds, 1e6) : 0;
    double connecting = timeout > 0 ? fmin(timeout, longest_connecting) : longest_connecting;
    CURL *handle = *out = curl_easy_init();
    if (!handle) return lfm_fail(error, LFM_ERROR_MEMORY, "cannot set up a connection: out of memory");
    bool set = curl_easy_setopt(handle, CURLOPT_URL, request) == CURLE_OK;
    set = set && curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers) == CURLE_OK;
    set = set && curl_easy_setopt(handle, CURLOPT_USERAGENT, "lfmscope/" LFM_VERSION) == CURLE_OK;
    set = set && curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK;
    set = set && curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)ceil(1e3 * timeout)) == CURLE_OK;
    set = set && curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, (long)ceil(1e3 * connecting)) == CURLE_OK;
    set = set && curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, complaint) == CURLE_OK;
    set = set && curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, receive) == CURLE_OK;
    set = set && curl_easy_setopt(handle, CURLOPT_WRITEDATA, context) == CURLE_OK;
    set = set && curl_easy_setopt(handle, CURLOPT_PRIVATE, context) == CURLE_OK;
    if (local) set = set && curl_easy_setopt(handle, CURLOPT_PROXY, "") == CURLE_OK;
    return set ? LFM_OK : lfm_fail(error, LFM_ERROR_MEMORY, "cannot set up a connection: libcurl refuses");
}
