/* A scripted HTTP server on the loopback interface, for tests of what speaks to servers. */
#ifndef LFM_TESTS_HTTP_SERVER_H
#define LFM_TESTS_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

/* What happens to one request. */
struct http_step {
    int status;           /* 0: 200 */
    const char *headers;  /* further lines, each with \r\n at its end; may be NULL */
    const char *body;     /* NULL: a chat completion whose content is that of the last message */
    size_t length;        /* of the body; 0: it is a string */
    size_t blanks;        /* that follow the body */
    size_t together;      /* answers when so many requests have come and wait; 500 when they do not come in 10 s */
    size_t cut;           /* of the body, so many bytes are sent, and the connection is closed; 0: all */
    const char *raw;      /* sent instead of all that, before the connection is closed; "": only closed */
    bool silent;          /* nothing is sent until the server stops */
};

struct http_server;

/* Request i of all that come gets steps[i], those after the last the last one. The steps have to stay. */
struct http_server *http_server_start(const struct http_step *steps, size_t n);
void http_server_stop(struct http_server *server);

unsigned http_server_port(const struct http_server *server);
size_t http_server_count(struct http_server *server); /* of requests so far */
/* The request line with the header lines, and the body, of a request that has come; valid until the server stops. */
const char *http_server_head(struct http_server *server, size_t request);
const char *http_server_body(struct http_server *server, size_t request);

/* A port on which nobody listens. */
unsigned http_free_port(void);

#endif
