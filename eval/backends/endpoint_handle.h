/* What every request to a server has in common, whatever it asks: headers and a libcurl handle. Only the endpoint*.c
 * include this. */
#ifndef LFM_EVAL_BACKENDS_ENDPOINT_HANDLE_H
#define LFM_EVAL_BACKENDS_ENDPOINT_HANDLE_H

#include "eval/backends/endpoint_parts.h"

#include <curl/curl.h>

enum { LFM_ENDPOINT_LONGEST_ANSWER = 64 << 20 }; /* bytes */

/* JSON both ways; a body waits for no leave to be sent; the key, when it is not NULL, goes along. The caller frees *out with
 * curl_slist_free_all, on failure too. */
enum lfm_status lfm_endpoint_headers(struct curl_slist **out, const char *key, struct lfm_error *error);
/* Fails on keys with control characters. */
enum lfm_status lfm_endpoint_check_key(const char *key, struct lfm_error *error);

/* A handle for one request at a time to `request`; redirects are not followed, and no proxy stands before a local server.
 * `complaint` has CURL_ERROR_SIZE bytes and stays, as the headers do. The caller frees with curl_easy_cleanup, on failure
 * too. */
enum lfm_status lfm_endpoint_handle(CURL **out, const char *request, bool local, struct curl_slist *headers,
                                    double timeout_seconds, char *complaint,
                                    size_t (*receive)(char *, size_t, size_t, void *), void *context,
                                    struct lfm_error *error);

#endif
