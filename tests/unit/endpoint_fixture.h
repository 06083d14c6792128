/* For the tests of the backend behind a URL: a scripted server, the backend on it, and one request at a time. */
#ifndef LFM_TESTS_ENDPOINT_FIXTURE_H
#define LFM_TESTS_ENDPOINT_FIXTURE_H

#include "eval/backends/endpoint.h"
#include "tests/unit/http_server.h"

#define KEY "sk-very-secret-0123456789"
#define ANSWER(message, finish) \
    "{\"choices\": [{\"index\": 0, \"message\": " message ", \"finish_reason\": \"" finish "\"}], " \
    "\"usage\": {\"prompt_tokens\": 11, \"completion_tokens\": 5, " \
    "\"prompt_tokens_details\": {\"cached_tokens\": 4}}}"
#define SAYS(content) ANSWER("{\"role\": \"assistant\", \"content\": \"" content "\"}", "stop")
#define CALL(name, arguments) \
    "{\"id\": \"x\", \"type\": \"function\", \"function\": {\"name\": \"" name "\", \"arguments\": \"" arguments "\"}}"

/* One test's server, the backend, and what it is opened with. */
extern struct http_server *server;
extern struct lfm_backend backend;
extern struct lfm_endpoint_options options;
extern char url[128]; /* what options.url points to */

/* Starts a server that answers by these steps, and sets usual options for it. */
#define SERVE(...)                                                       \
    static const struct http_step steps[] = {__VA_ARGS__};               \
    server = http_server_start(steps, sizeof steps / sizeof *steps);     \
    set_options(http_server_port(server))

/* Usual options for a server on this port, which need not be there. */
void set_options(unsigned port);
void open_backend(void);
/* Closes the backend and stops the server, if there is one. */
void shut_down(void);

/* A conversation of one message; the caller's. */
cJSON *user_says(const char *content);
enum lfm_status submit(size_t ticket, const char *content, struct lfm_error *error);
/* One request, from beginning to end. */
enum lfm_status ask(struct lfm_completion *completion, struct lfm_error *error);
const char *body_text(const struct lfm_buffer *buffer);

/* A request that gives this text; that fails, while the backend does not; with which the backend fails. The key stands in no
 * message. */
void expect_text(const char *text);
void expect_failure(const char *part);
void expect_end(const char *part);

/* The body of a request that the server got, parsed; the caller's. A number in it, which must be there. */
cJSON *sent(size_t request);
double number_in(const cJSON *body, const char *key);

#endif
