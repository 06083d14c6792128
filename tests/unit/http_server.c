/* A scripted HTTP server: see http_server.h. One thread accepts, every connection has its own. */
#include "tests/unit/http_server.h"

#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST_CONNECTIONS = 64, MOST_REQUESTS = 256, LARGEST_REQUEST = 1 << 20 };

struct request {
    char *head, *body;
};

struct http_server {
    const struct http_step *steps;
    size_t n_steps;
    int listener;
    unsigned port;
    pthread_t acceptor;
    pthread_mutex_t mutex; /* of all that follows */
    pthread_cond_t changed;
    bool stopping;
    size_t waiting, released; /* requests that wait for others; those that may go */
    struct request requests[MOST_REQUESTS];
    size_t n_requests;
    int sockets[MOST_CONNECTIONS];
    pthread_t threads[MOST_CONNECTIONS];
    size_t n_connections;
};

struct connection {
    struct http_server *server;
    int socket;
    char *text; /* what was read and belongs to no request yet */
    size_t length;
};

/* --- reading --- */

static bool read_more(struct connection *c)
{
    if (c->length + 1 >= LARGEST_REQUEST) return false;
    ssize_t got = recv(c->socket, c->text + c->length, LARGEST_REQUEST - 1 - c->length, 0);
    if (got <= 0) return false;
    c->length += (size_t)got;
    c->text[c->length] = '\0';
    return true;
}

static size_t content_length(const char *head)
{
    for (const char *line = head; line; line = strstr(line, "\r\n")) {
        line += line == head ? 0 : 2;
        if (strncasecmp(line, "content-length:", 15) == 0) return strtoul(line + 15, NULL, 10);
    }
    return 0;
}

/* Takes a whole request; false at the end of the connection, and when the client speaks TLS. */
static bool read_request(struct connection *c, struct request *request)
{
    static const char refusal[] = "HTTP/1.1 400 Bad Request\r\n\r\n", tls_handshake = 0x16;
    char *end;
    c->text[c->length] = '\0';
    while (!(end = strstr(c->text, "\r\n\r\n"))) {
        if (!read_more(c)) return false;
        if (c->text[0] != tls_handshake) continue;
        send(c->socket, refusal, sizeof refusal - 1, MSG_NOSIGNAL);
        return false;
    }
    size_t head = (size_t)(end - c->text) + 4;
    request->head = strndup(c->text, head);
    size_t body = content_length(request->head);
    while (c->length < head + body)
        if (!read_more(c)) {
            free(request->head);
            return false;
        }
    request->body = strndup(c->text + head, body);
    c->length -= head + body;
    memmove(c->text, c->text + head + body, c->length);
    return true;
}

/* --- answering --- */

static bool send_all(int socket, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t put = send(socket, bytes, length, MSG_NOSIGNAL);
        if (put <= 0) return false;
        bytes += put;
        length -= (size_t)put;
    }
    return true;
}

static char *echo(const char *body)
{
    cJSON *question = cJSON_Parse(body), *messages = cJSON_GetObjectItem(question, "messages");
    cJSON *last = cJSON_GetArrayItem(messages, cJSON_GetArraySize(messages) - 1);
    cJSON *answer = cJSON_Parse("{\"choices\": [{\"message\": {\"role\": \"assistant\"}, \"finish_reason\": \"stop\"}], "
                                "\"usage\": {\"prompt_tokens\": 7, \"completion_tokens\": 3}}");
    cJSON *message = cJSON_GetObjectItem(cJSON_GetArrayItem(cJSON_GetObjectItem(answer, "choices"), 0), "message");
    cJSON_AddItemToObject(message, "content", cJSON_Duplicate(cJSON_GetObjectItem(last, "content"), true));
    char *text = cJSON_PrintUnformatted(answer);
    cJSON_Delete(question);
    cJSON_Delete(answer);
    return text;
}

static bool send_blanks(int socket, size_t n)
{
    char blanks[1 << 12];
    memset(blanks, ' ', sizeof blanks);
    for (size_t part; n > 0; n -= part) {
        part = n < sizeof blanks ? n : sizeof blanks;
        if (!send_all(socket, blanks, part)) return false;
    }
    return true;
}

static bool send_answer(const struct connection *c, const struct http_step *step, const char *question)
{
    char head[1024], *echoed = step->body ? NULL : echo(question);
    const char *body = step->body ? step->body : echoed;
    size_t length = step->length ? step->length : strlen(body), part = step->cut ? step->cut : length;
    int used = snprintf(head, sizeof head, "HTTP/1.1 %d Scripted\r\nContent-Length: %zu\r\n%s\r\n",
                        step->status ? step->status : 200, length + step->blanks, step->headers ? step->headers : "");
    bool open = send_all(c->socket, head, (size_t)used) && send_all(c->socket, body, part) &&
                send_blanks(c->socket, step->blanks) && !step->cut;
    cJSON_free(echoed);
    return open;
}

/* Waits until `wanted` requests wait, or 10 s. */
static bool wait_for_others(struct http_server *server, size_t wanted)
{
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += 10;
    int late = 0;
    pthread_mutex_lock(&server->mutex);
    if (++server->waiting >= wanted) server->released = server->waiting;
    pthread_cond_broadcast(&server->changed);
    while (server->released < wanted && !server->stopping && late == 0)
        late = pthread_cond_timedwait(&server->changed, &server->mutex, &deadline);
    bool together = server->released >= wanted;
    pthread_mutex_unlock(&server->mutex);
    return together;
}

static void wait_for_stop(struct http_server *server)
{
    pthread_mutex_lock(&server->mutex);
    while (!server->stopping) pthread_cond_wait(&server->changed, &server->mutex);
    pthread_mutex_unlock(&server->mutex);
}

/* False when the connection is to be closed. */
static bool play(const struct connection *c, const struct http_step *step, const char *question)
{
    static const struct http_step alone = {.status = 500, .body = "the others did not come"};
    if (step->silent) wait_for_stop(c->server);
    if (step->silent) return false;
    if (step->together > 0 && !wait_for_others(c->server, step->together)) step = &alone;
    if (!step->raw) return send_answer(c, step, question);
    send_all(c->socket, step->raw, strlen(step->raw));
    return false;
}

static void *serve(void *context)
{
    struct connection c = *(struct connection *)context;
    struct http_server *server = c.server;
    struct request request;
    free(context);
    c.text = malloc(LARGEST_REQUEST);
    for (bool open = true; open && read_request(&c, &request);) {
        pthread_mutex_lock(&server->mutex);
        cr_assert(server->n_requests < MOST_REQUESTS, "more requests than the test server can keep");
        size_t i = server->n_requests++;
        server->requests[i] = request;
        pthread_mutex_unlock(&server->mutex);
        open = play(&c, &server->steps[i < server->n_steps ? i : server->n_steps - 1], request.body);
    }
    shutdown(c.socket, SHUT_RDWR);
    free(c.text);
    return NULL;
}

static void *accept_all(void *context)
{
    struct http_server *server = context;
    for (int socket; (socket = accept(server->listener, NULL, NULL)) >= 0;) {
        struct connection *connection = malloc(sizeof *connection);
        *connection = (struct connection){.server = server, .socket = socket};
        pthread_mutex_lock(&server->mutex);
        cr_assert(server->n_connections < MOST_CONNECTIONS, "more connections than the test server can keep");
        size_t i = server->n_connections++;
        server->sockets[i] = socket;
        pthread_create(&server->threads[i], NULL, serve, connection);
        pthread_mutex_unlock(&server->mutex);
    }
    return NULL;
}

/* --- the server --- */

static int listen_anywhere(unsigned *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert(listener >= 0 && bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 64) == 0 &&
              getsockname(listener, (struct sockaddr *)&address, &size) == 0, "no loopback port for the test server");
    *port = ntohs(address.sin_port);
    return listener;
}

struct http_server *http_server_start(const struct http_step *steps, size_t n)
{
    struct http_server *server = calloc(1, sizeof *server);
    server->steps = steps;
    server->n_steps = n;
    server->listener = listen_anywhere(&server->port);
    pthread_mutex_init(&server->mutex, NULL);
    pthread_cond_init(&server->changed, NULL);
    pthread_create(&server->acceptor, NULL, accept_all, server);
    return server;
}

void http_server_stop(struct http_server *server)
{
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->acceptor, NULL);
    pthread_mutex_lock(&server->mutex);
    server->stopping = true;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->mutex);
    for (size_t i = 0; i < server->n_connections; i++) {
        shutdown(server->sockets[i], SHUT_RDWR);
        pthread_join(server->threads[i], NULL);
        close(server->sockets[i]);
    }
    close(server->listener);
    for (size_t i = 0; i < server->n_requests; i++) {
        free(server->requests[i].head);
        free(server->requests[i].body);
    }
    pthread_mutex_destroy(&server->mutex);
    pthread_cond_destroy(&server->changed);
    free(server);
}

unsigned http_server_port(const struct http_server *server)
{
    return server->port;
}

size_t http_server_count(struct http_server *server)
{
    pthread_mutex_lock(&server->mutex);
    size_t count = server->n_requests;
    pthread_mutex_unlock(&server->mutex);
    return count;
}

static struct request request_at(struct http_server *server, size_t i)
{
    cr_assert(i < http_server_count(server), "request %zu has not come", i);
    return server->requests[i];
}

const char *http_server_head(struct http_server *server, size_t request)
{
    return request_at(server, request).head;
}

const char *http_server_body(struct http_server *server, size_t request)
{
    return request_at(server, request).body;
}

unsigned http_free_port(void)
{
    unsigned port;
    close(listen_anywhere(&port));
    return port;
}
