/* Addresses of servers: see endpoint_parts.h. Taken apart and put together by libcurl. */
#include "eval/backends/endpoint_parts.h"

#include "reference/base/memory.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char completions[] = "/chat/completions";

static enum lfm_status out_of_memory(struct lfm_error *error)
{
    return lfm_fail(error, LFM_ERROR_MEMORY, "cannot read the URL: out of memory");
}

/* Copies a part into *out; the part has to be there. */
static enum lfm_status get_part(char **out, CURLU *parts, CURLUPart part, struct lfm_error *error)
{
    char *text;
    if (curl_url_get(parts, part, &text, 0) != CURLUE_OK) return out_of_memory(error);
    enum lfm_status status = lfm_copy_string(out, text, strlen(text), error);
    curl_free(text);
    return status;
}

/* The path without slashes at its end and without "/chat/completions". */
static void shorten(char *path)
{
    size_t length = strlen(path), tail = strlen(completions);
    while (length > 0 && path[length - 1] == '/') length--;
    if (length >= tail && memcmp(path + length - tail, completions, tail) == 0) length -= tail;
    while (length > 0 && path[length - 1] == '/') length--;
    path[length] = '\0';
}

static bool is_loopback(const char *host)
{
    return strcasecmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 || strcmp(host, "[::1]") == 0;
}

static enum lfm_status take_apart(struct lfm_endpoint_url *out, CURLU *parts, struct lfm_error *error)
{
    char *path = NULL, *host = NULL;
    struct lfm_buffer whole = {0};
    enum lfm_status status = get_part(&path, parts, CURLUPART_PATH, error);
    if (status == LFM_OK) status = get_part(&host, parts, CURLUPART_HOST, error);
    if (status != LFM_OK) goto done;
    out->local = is_loopback(host);
    shorten(path);
    LFM_TRY_DONE(lfm_buffer_printf(&whole, error, "%s%s", path, completions));
    curl_url_set(parts, CURLUPART_FRAGMENT, NULL, 0);
    if (curl_url_set(parts, CURLUPART_PATH, whole.data, 0) != CURLUE_OK) LFM_TRY_DONE(out_of_memory(error));
    LFM_TRY_DONE(get_part(&out->request, parts, CURLUPART_URL, error));
    curl_url_set(parts, CURLUPART_QUERY, NULL, 0);
    curl_url_set(parts, CURLUPART_USER, NULL, 0);
    curl_url_set(parts, CURLUPART_PASSWORD, NULL, 0);
    curl_url_set(parts, CURLUPART_OPTIONS, NULL, 0);
    if (curl_url_set(parts, CURLUPART_PATH, *path ? path : "/", 0) != CURLUE_OK) LFM_TRY_DONE(out_of_memory(error));
    status = get_part(&out->shown, parts, CURLUPART_URL, error);
done:
    lfm_buffer_release(&whole);
    free(path);
    free(host);
    return status;
}

/* No message shows the URL, in which a password may stand. */
enum lfm_status lfm_endpoint_url_parse(struct lfm_endpoint_url *out, const char *url, struct lfm_error *error)
{
    *out = (struct lfm_endpoint_url){0};
    if (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "the URL of a server begins with http:// or https://");
    CURLU *parts = curl_url();
    if (!parts) return out_of_memory(error);
    enum lfm_status status = LFM_OK;
    if (curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK)
        status = lfm_fail(error, LFM_ERROR_ARGUMENT, "the server's URL cannot be read: expected https://HOST:PORT/v1");
    if (status == LFM_OK) status = take_apart(out, parts, error);
    curl_url_cleanup(parts);
    if (status != LFM_OK) lfm_endpoint_url_release(out);
    return status;
}

void lfm_endpoint_url_release(struct lfm_endpoint_url *url)
{
    free(url->request);
    free(url->shown);
    *url = (struct lfm_endpoint_url){0};
}
