/* One question to a server at a time: JSON out, JSON back. For what is not a conversation; those are the backend's. */
#ifndef LFM_EVAL_BACKENDS_ENDPOINT_POST_H
#define LFM_EVAL_BACKENDS_ENDPOINT_POST_H

#include "reference/base/error.h"
#include "reference/base/json.h"

#include <stdbool.h>

struct lfm_poster; /* an address, a key, a time-out */

/* `url` as for the backend (endpoint.h): "http://127.0.0.1:8080/v1". `key` may be NULL or empty. Fails on a URL that is
 * none, on other schemes than http and https, and on keys with control characters. */
enum lfm_status lfm_poster_open(struct lfm_poster **out, const char *url, const char *key, double timeout_seconds,
                                struct lfm_error *error);
void lfm_poster_close(struct lfm_poster *poster); /* NULL is fine */

/* The address as it may be shown, without user, password and query. */
const char *lfm_poster_url(const struct lfm_poster *poster);

/* Posts the body to the path ("/completions") below the address, or, at_root, below what is left of it without "/v1". *answer
 * is the document that came, for the caller to delete. Tries once. Fails with what the server says on other statuses than
 * 200, which *http_status then has (0: there was no answer), and on answers that are no JSON. The key is in no message. */
enum lfm_status lfm_poster_post(struct lfm_poster *poster, const char *path, bool at_root, const cJSON *body,
                                cJSON **answer, long *http_status, struct lfm_error *error);

#endif
