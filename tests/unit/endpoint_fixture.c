/* The backend behind a URL and a scripted server: see endpoint_fixture.h. */
#include "tests/unit/endpoint_fixture.h"

#include "tests/unit/assert.h"

#include <stdio.h>
#include <string.h>

struct http_server *server;
struct lfm_backend backend;
struct lfm_endpoint_options options;
char url[128];

void set_options(unsigned port)
{
    snprintf(url, sizeof url, "http://127.0.0.1:%u/v1", port);
    options = (struct lfm_endpoint_options){
        .url = url,
        .model_name = "a-model",
        .key = KEY,
        .sampling = {.top_p = 1, .repetition_penalty = 1},
        .max_tokens = 100,
        .concurrency = 4,
        .retries = 3,
        .timeout_seconds = 20,
        .first_pause_seconds = 0.002,
    };
}

void open_backend(void)
{
    struct lfm_error error;
    assert_ok(lfm_endpoint_backend_open(&backend, &options, &error));
}

void shut_down(void)
{
    backend.close(backend.context);
    if (server) http_server_stop(server);
}

cJSON *user_says(const char *content)
{
    cJSON *messages = cJSON_CreateArray(), *message = cJSON_CreateObject();
    cJSON_AddStringToObject(message, "role", "user");
    cJSON_AddStringToObject(message, "content", content);
    cJSON_AddItemToArray(messages, message);
    return messages;
}

enum lfm_status submit(size_t ticket, const char *content, struct lfm_error *error)
{
    cJSON *messages = user_says(content);
    const struct lfm_request request = {.messages = messages};
    enum lfm_status status = backend.submit(backend.context, ticket, &request, 1000 + ticket, error);
    cJSON_Delete(messages);
    return status;
}

enum lfm_status ask(struct lfm_completion *completion, struct lfm_error *error)
{
    *completion = (struct lfm_completion){0};
    enum lfm_status status = submit(3, "Hello.", error);
    return status == LFM_OK ? backend.wait(backend.context, completion, error) : status;
}

const char *body_text(const struct lfm_buffer *buffer)
{
    return buffer->data ? buffer->data : "";
}

void expect_text(const char *text)
{
    struct lfm_error error;
    struct lfm_completion completion;
    assert_ok(ask(&completion, &error));
    cr_assert_str_empty(completion.error.message);
    cr_assert_str_eq(body_text(&completion.text), text);
    lfm_completion_release(&completion);
}

void expect_failure(const char *part)
{
    struct lfm_error error;
    struct lfm_completion completion;
    assert_ok(ask(&completion, &error));
    cr_assert_eq(completion.finish, LFM_FINISH_ERROR, "finish is %s", lfm_finish_name(completion.finish));
    cr_assert(strstr(completion.error.message, part), "message '%s' lacks '%s'", completion.error.message, part);
    cr_assert(!strstr(completion.error.message, "sk-very"), "'%s' has the key", completion.error.message);
    cr_assert_str_empty(body_text(&completion.text));
    lfm_completion_release(&completion);
}

void expect_end(const char *part)
{
    struct lfm_error error;
    struct lfm_completion completion;
    assert_fails(ask(&completion, &error), LFM_ERROR_IO, part);
    cr_assert(!strstr(error.message, "sk-very"), "'%s' has the key", error.message);
}

cJSON *sent(size_t request)
{
    cJSON *body = cJSON_Parse(http_server_body(server, request));
    cr_assert_not_null(body, "the body is no JSON: %s", http_server_body(server, request));
    return body;
}

double number_in(const cJSON *body, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(body, key);
    cr_assert(cJSON_IsNumber(item), "'%s' is not sent", key);
    return item->valuedouble;
}
