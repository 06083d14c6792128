/* The backend behind a URL, against a scripted server. */
#include "eval/backends/endpoint.h"
#include "eval/bfcl/python_calls.h"
#include "reference/base/progress.h"
#include "tests/unit/assert.h"
#include "tests/unit/http_server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define KEY "sk-very-secret-0123456789"
#define ANSWER(message, finish) \
    "{\"choices\": [{\"index\": 0, \"message\": " message ", \"finish_reason\": \"" finish "\"}], " \
    "\"usage\": {\"prompt_tokens\": 11, \"completion_tokens\": 5, " \
    "\"prompt_tokens_details\": {\"cached_tokens\": 4}}}"
#define SAYS(content) ANSWER("{\"role\": \"assistant\", \"content\": \"" content "\"}", "stop")
#define CALL(name, arguments) \
    "{\"id\": \"x\", \"type\": \"function\", \"function\": {\"name\": \"" name "\", \"arguments\": \"" arguments "\"}}"

TestSuite(endpoint, .timeout = 60);

static struct lfm_error error;
static struct http_server *server;
static struct lfm_backend backend;
static struct lfm_endpoint_options options;
static char url[128];

static void set_options(unsigned port)
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

#define SERVE(...)                                                       \
    static const struct http_step steps[] = {__VA_ARGS__};               \
    server = http_server_start(steps, sizeof steps / sizeof *steps);     \
    set_options(http_server_port(server))

static void open_backend(void)
{
    assert_ok(lfm_endpoint_backend_open(&backend, &options, &error));
}

static void shut_down(void)
{
    backend.close(backend.context);
    if (server) http_server_stop(server);
}

static cJSON *user_says(const char *content)
{
    cJSON *messages = cJSON_CreateArray(), *message = cJSON_CreateObject();
    cJSON_AddStringToObject(message, "role", "user");
    cJSON_AddStringToObject(message, "content", content);
    cJSON_AddItemToArray(messages, message);
    return messages;
}

static enum lfm_status submit(size_t ticket, const char *content)
{
    cJSON *messages = user_says(content);
    const struct lfm_request request = {.messages = messages};
    enum lfm_status status = backend.submit(backend.context, ticket, &request, 1000 + ticket, &error);
    cJSON_Delete(messages);
    return status;
}

/* One request, from beginning to end. */
static enum lfm_status ask(struct lfm_completion *completion)
{
    *completion = (struct lfm_completion){0};
    enum lfm_status status = submit(3, "Hello.");
    return status == LFM_OK ? backend.wait(backend.context, completion, &error) : status;
}

static const char *text_of(const struct lfm_buffer *buffer)
{
    return buffer->data ? buffer->data : "";
}

static void expect_text(const char *text)
{
    struct lfm_completion completion;
    assert_ok(ask(&completion));
    cr_assert_str_empty(completion.error.message);
    cr_assert_str_eq(text_of(&completion.text), text);
    lfm_completion_release(&completion);
}

/* The request fails, the backend does not. */
static void expect_failure(const char *part)
{
    struct lfm_completion completion;
    assert_ok(ask(&completion));
    cr_assert_eq(completion.finish, LFM_FINISH_ERROR, "finish is %s", lfm_finish_name(completion.finish));
    cr_assert(strstr(completion.error.message, part), "message '%s' lacks '%s'", completion.error.message, part);
    cr_assert(!strstr(completion.error.message, "sk-very"), "'%s' has the key", completion.error.message);
    cr_assert_str_empty(text_of(&completion.text));
    lfm_completion_release(&completion);
}

/* The backend fails. */
static void expect_end(const char *part)
{
    struct lfm_completion completion;
    assert_fails(ask(&completion), LFM_ERROR_IO, part);
    cr_assert(!strstr(error.message, "sk-very"), "'%s' has the key", error.message);
}

static cJSON *sent(size_t request)
{
    cJSON *body = cJSON_Parse(http_server_body(server, request));
    cr_assert_not_null(body, "the body is no JSON: %s", http_server_body(server, request));
    return body;
}

static double number_in(const cJSON *body, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(body, key);
    cr_assert(cJSON_IsNumber(item), "'%s' is not sent", key);
    return item->valuedouble;
}

/* --- what is sent --- */

Test(endpoint, asks_for_a_completion_with_the_key_as_bearer_token)
{
    SERVE({.body = SAYS("Good day.")});
    open_backend();
    expect_text("Good day.");
    const char *head = http_server_head(server, 0);
    cr_assert(strncmp(head, "POST /v1/chat/completions HTTP/1.1\r\n", 36) == 0, "%s", head);
    cr_assert(strstr(head, "\r\nAuthorization: Bearer " KEY "\r\n"), "%s", head);
    cr_assert(strstr(head, "\r\nContent-Type: application/json\r\n"), "%s", head);
    cr_assert(!strstr(head, "Expect:"), "%s", head);
    cJSON *body = sent(0);
    cr_assert_str_eq(cJSON_GetObjectItem(body, "model")->valuestring, "a-model");
    cr_assert(cJSON_IsFalse(cJSON_GetObjectItem(body, "stream")));
    cr_assert_eq(number_in(body, "max_tokens"), 100);
    cr_assert_null(cJSON_GetObjectItem(body, "tools"));
    char *messages = cJSON_PrintUnformatted(cJSON_GetObjectItem(body, "messages"));
    cr_assert_str_eq(messages, "[{\"role\":\"user\",\"content\":\"Hello.\"}]");
    cJSON_free(messages);
    cJSON_Delete(body);
    shut_down();
}

Test(endpoint, without_a_key_nothing_is_said_of_one)
{
    SERVE({.body = SAYS("Yes")});
    options.key = "";
    open_backend();
    expect_text("Yes");
    cr_assert(!strstr(http_server_head(server, 0), "Authorization"));
    shut_down();
}

Test(endpoint, addresses_are_taken_in_all_their_spellings)
{
    static const struct {
        const char *tail, *path;
    } cases[] = {{"/v1", "/v1"},
                 {"/v1/", "/v1"},
                 {"/v1///", "/v1"},
                 {"/v1/chat/completions", "/v1"},
                 {"/v1/chat/completions/", "/v1"},
                 {"", ""},
                 {"/", ""},
                 {"/some/where/v2", "/some/where/v2"}};
    SERVE({.body = SAYS("Yes")});
    unsigned port = http_server_port(server);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[128];
        snprintf(url, sizeof url, "http://127.0.0.1:%u%s", port, cases[i].tail);
        snprintf(line, sizeof line, "POST %s/chat/completions HTTP/1.1\r\n", cases[i].path);
        open_backend();
        expect_text("Yes");
        cr_assert(strncmp(http_server_head(server, i), line, strlen(line)) == 0, "%s gives %s", url,
                  http_server_head(server, i));
        backend.close(backend.context);
    }
    http_server_stop(server);
}

Test(endpoint, a_query_is_sent_and_not_shown)
{
    SERVE({.status = 400, .body = "no"});
    snprintf(url, sizeof url, "http://127.0.0.1:%u/v1?code=hush", http_server_port(server));
    open_backend();
    expect_failure("/v1' answers HTTP 400: no");
    cr_assert(strstr(http_server_head(server, 0), "POST /v1/chat/completions?code=hush HTTP"));
    shut_down();
}

Test(endpoint, other_schemes_and_malformed_urls_are_refused)
{
    set_options(1);
    options.url = "ftp://host/v1";
    assert_fails(lfm_endpoint_backend_open(&backend, &options, &error), LFM_ERROR_ARGUMENT, "http:// or https://");
    options.url = "file:///etc/passwd";
    assert_fails(lfm_endpoint_backend_open(&backend, &options, &error), LFM_ERROR_ARGUMENT, "http:// or https://");
    options.url = "127.0.0.1:8080/v1";
    assert_fails(lfm_endpoint_backend_open(&backend, &options, &error), LFM_ERROR_ARGUMENT, "http:// or https://");
    options.url = "http://";
    assert_fails(lfm_endpoint_backend_open(&backend, &options, &error), LFM_ERROR_ARGUMENT, "cannot be read");
    options.url = "http://user:hush@host:port/v1";
    assert_fails(lfm_endpoint_backend_open(&backend, &options, &error), LFM_ERROR_ARGUMENT, "cannot be read");
    cr_assert(!strstr(error.message, "hush"));
}

Test(endpoint, keys_with_line_ends_are_refused_and_not_shown)
{
    set_options(1);
    options.key = KEY "\r\nX-Other: header";
    assert_fails(lfm_endpoint_backend_open(&backend, &options, &error), LFM_ERROR_ARGUMENT, "control character");
    cr_assert(!strstr(error.message, "sk-very"));
}

Test(endpoint, greedy_decoding_says_that_no_penalty_applies)
{
    SERVE({.body = SAYS("Yes")});
    open_backend();
    expect_text("Yes");
    cJSON *body = sent(0);
    cr_assert_eq(number_in(body, "temperature"), 0);
    cr_assert_eq(number_in(body, "repeat_penalty"), 1);
    cr_assert_eq(number_in(body, "repetition_penalty"), 1);
    cr_assert_eq(number_in(body, "seed"), 1003);
    cr_assert_null(cJSON_GetObjectItem(body, "top_k"));
    cr_assert_null(cJSON_GetObjectItem(body, "repeat_last_n"));
    cJSON_Delete(body);
    shut_down();
}

Test(endpoint, sampling_is_sent_under_the_names_of_all_servers)
{
    SERVE({.body = SAYS("Yes")});
    options.sampling = (struct lfm_sampling){
        .temperature = 0.25, .top_k = 80, .top_p = 0.5, .min_p = 0.125, .repetition_penalty = 1.5};
    open_backend();
    expect_text("Yes");
    cJSON *body = sent(0);
    cr_assert_eq(number_in(body, "temperature"), 0.25);
    cr_assert_eq(number_in(body, "top_k"), 80);
    cr_assert_eq(number_in(body, "top_p"), 0.5);
    cr_assert_eq(number_in(body, "min_p"), 0.125);
    cr_assert_eq(number_in(body, "repeat_penalty"), 1.5);
    cr_assert_eq(number_in(body, "repetition_penalty"), 1.5);
    cr_assert_geq(number_in(body, "repeat_last_n"), 131072);
    cJSON_Delete(body);
    shut_down();
}

Test(endpoint, seeds_have_31_bits)
{
    SERVE({.body = SAYS("Yes")});
    open_backend();
    cJSON *messages = user_says("Hello."), *body;
    const struct lfm_request request = {.messages = messages};
    struct lfm_completion completion;
    assert_ok(backend.submit(backend.context, 0, &request, UINT64_MAX - 1, &error));
    assert_ok(backend.wait(backend.context, &completion, &error));
    body = sent(0);
    cr_assert_eq(number_in(body, "seed"), 2147483646);
    lfm_completion_release(&completion);
    cJSON_Delete(body);
    cJSON_Delete(messages);
    shut_down();
}

Test(endpoint, parameters_that_a_server_refuses_and_that_are_off_are_left_out_from_then_on)
{
    SERVE({.status = 400, .body = "{\"error\": {\"message\": \"Unrecognized request argument supplied: repeat_penalty\"}}"},
          {.status = 400, .body = "{\"error\": {\"message\": \"Unsupported parameter: 'max_tokens'. Use "
                                  "'max_completion_tokens' instead.\"}}"},
          {.body = SAYS("Yes")});
    options.retries = 0;
    open_backend();
    expect_text("Yes");
    expect_text("Yes");
    cr_assert_eq(http_server_count(server), 4);
    for (size_t i = 2; i < 4; i++) {
        cJSON *body = sent(i);
        cr_assert_null(cJSON_GetObjectItem(body, "repeat_penalty"));
        cr_assert_eq(number_in(body, "repetition_penalty"), 1);
        cr_assert_null(cJSON_GetObjectItem(body, "max_tokens"));
        cr_assert_eq(number_in(body, "max_completion_tokens"), 100);
        cJSON_Delete(body);
    }
    shut_down();
}

Test(endpoint, parameters_that_matter_are_not_left_out)
{
    SERVE({.status = 422, .body = "{\"detail\": \"Extra inputs are not permitted: top_k\"}"});
    options.sampling.temperature = 1;
    options.sampling.top_k = 40;
    open_backend();
    expect_failure("answers HTTP 422: Extra inputs are not permitted: top_k");
    cr_assert_eq(http_server_count(server), 1);
    shut_down();
}

Test(endpoint, of_two_names_for_the_penalty_one_is_kept)
{
    SERVE({.status = 400, .body = "unknown: repeat_penalty, repetition_penalty"}, {.status = 400, .body = "still: repetition_penalty"});
    options.sampling.repetition_penalty = 1.05;
    open_backend();
    expect_failure("still: repetition_penalty");
    cr_assert_eq(http_server_count(server), 2);
    cJSON *body = sent(1);
    cr_assert_null(cJSON_GetObjectItem(body, "repeat_penalty"));
    cr_assert_eq(number_in(body, "repetition_penalty"), 1.05);
    cJSON_Delete(body);
    shut_down();
}

/* --- what comes back --- */

Test(endpoint, tokens_and_ticket_are_handed_on)
{
    SERVE({.body = SAYS("Yes")});
    struct lfm_completion completion;
    open_backend();
    assert_ok(ask(&completion));
    cr_assert_eq(completion.ticket, 3);
    cr_assert_eq(completion.prompt_tokens, 11);
    cr_assert_eq(completion.generated_tokens, 5);
    cr_assert_eq(completion.reused_tokens, 4);
    cr_assert_eq(completion.finish, LFM_FINISH_STOP);
    cr_assert_geq(completion.seconds, 0);
    lfm_completion_release(&completion);
    shut_down();
}

static void expect_finish(const char *message, enum lfm_finish finish, size_t max_tokens)
{
    const struct http_step step = {.body = message};
    struct lfm_completion completion;
    server = http_server_start(&step, 1);
    set_options(http_server_port(server));
    options.max_tokens = max_tokens;
    open_backend();
    assert_ok(ask(&completion));
    cr_assert_eq(completion.finish, finish, "%s gives %s", message, lfm_finish_name(completion.finish));
    lfm_completion_release(&completion);
    shut_down();
}

Test(endpoint, finish_reasons_are_translated)
{
    expect_finish(SAYS("Yes"), LFM_FINISH_STOP, 5);
    expect_finish(ANSWER("{\"content\": \"Yes\"}", "length"), LFM_FINISH_LENGTH, 5);
    expect_finish(ANSWER("{\"content\": \"Yes\"}", "length"), LFM_FINISH_CONTEXT, 6);
    expect_finish(ANSWER("{\"content\": null, \"tool_calls\": [" CALL("f", "{}") "]}", "tool_calls"), LFM_FINISH_STOP, 9);
    expect_finish("{\"choices\": [{\"message\": {\"content\": \"Yes\"}, \"finish_reason\": null}]}", LFM_FINISH_STOP, 9);
    expect_finish("{\"choices\": [{\"message\": {\"content\": \"Yes\"}, \"finish_reason\": \"length\"}]}", LFM_FINISH_LENGTH, 9);
}

Test(endpoint, a_full_context_is_an_outcome)
{
    static const char *const refusals[] = {
        "{\"error\":{\"code\":400,\"message\":\"the request exceeds the available context size, try increasing it\","
        "\"type\":\"exceed_context_size_error\",\"n_prompt_tokens\":5000,\"n_ctx\":4096}}",
        "{\"object\":\"error\",\"message\":\"This model's maximum context length is 512 tokens. However, you requested "
        "1612 tokens (332 in the messages, 1280 in max_tokens)\",\"type\":\"BadRequestError\",\"code\":400}",
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct http_step step = {.status = 400, .body = refusals[i]};
        struct lfm_completion completion;
        server = http_server_start(&step, 1);
        set_options(http_server_port(server));
        open_backend();
        assert_ok(ask(&completion));
        cr_assert_eq(completion.finish, LFM_FINISH_CONTEXT);
        cr_assert_str_empty(text_of(&completion.text));
        cr_assert_eq(http_server_count(server), 1);
        lfm_completion_release(&completion);
        shut_down();
    }
}

static void expect_raw_and_text(const char *message, const char *raw, const char *text)
{
    const struct http_step step = {.body = message};
    struct lfm_completion completion;
    server = http_server_start(&step, 1);
    set_options(http_server_port(server));
    open_backend();
    assert_ok(ask(&completion));
    cr_assert_str_empty(completion.error.message);
    cr_assert_str_eq(text_of(&completion.raw), raw);
    cr_assert_str_eq(text_of(&completion.text), text);
    lfm_completion_release(&completion);
    shut_down();
}

Test(endpoint, reasoning_is_kept_in_raw_only)
{
    expect_raw_and_text(ANSWER("{\"content\": \"<think>hm</think>\\n\\nYes\"}", "stop"), "<think>hm</think>\n\nYes", "Yes");
    expect_raw_and_text(ANSWER("{\"content\": \"Yes\", \"reasoning_content\": \"hm\"}", "stop"), "<think>hm</think>Yes", "Yes");
    expect_raw_and_text(ANSWER("{\"content\": \"Yes\", \"reasoning\": \"hm\"}", "stop"), "<think>hm</think>Yes", "Yes");
    expect_raw_and_text(ANSWER("{\"content\": null, \"reasoning_content\": \"hm\"}", "length"), "<think>hm", "");
    expect_raw_and_text(ANSWER("{\"content\": \"\", \"reasoning_content\": null}", "stop"), "", "");
}

Test(endpoint, tool_calls_become_the_familys_text)
{
    expect_raw_and_text(
        ANSWER("{\"content\": null, \"tool_calls\": [" CALL("get_weather", "{\\\"city\\\": \\\"Bonn\\\", \\\"days\\\": 3}") "]}",
               "tool_calls"),
        "<|tool_call_start|>[get_weather(city='Bonn', days=3)]<|tool_call_end|>",
        "<|tool_call_start|>[get_weather(city='Bonn', days=3)]<|tool_call_end|>");
    expect_raw_and_text(
        ANSWER("{\"content\": \"Wait.\", \"reasoning_content\": \"hm\", \"tool_calls\": [" CALL(
                   "a.b", "{\\\"x\\\": 1.0, \\\"y\\\": [true, null, \\\"it's\\\"], \\\"z\\\": {\\\"k\\\": 12345678901234567890}}")
               ", " CALL("g", "{}") "]}", "tool_calls"),
        "<think>hm</think><|tool_call_start|>[a.b(x=1.0, y=[True, None, \"it's\"], z={'k': 12345678901234567890}), g()]"
        "<|tool_call_end|>Wait.",
        "<|tool_call_start|>[a.b(x=1.0, y=[True, None, \"it's\"], z={'k': 12345678901234567890}), g()]<|tool_call_end|>Wait.");
}

Test(endpoint, arguments_may_be_an_object_absent_or_broken)
{
    expect_raw_and_text(ANSWER("{\"tool_calls\": [{\"function\": {\"name\": \"f\", \"arguments\": {\"a\": 1}}}]}", "stop"),
                        "<|tool_call_start|>[f(a=1)]<|tool_call_end|>", "<|tool_call_start|>[f(a=1)]<|tool_call_end|>");
    expect_raw_and_text(ANSWER("{\"tool_calls\": [{\"function\": {\"name\": \"f\"}}, " CALL("g", "") "]}", "stop"),
                        "<|tool_call_start|>[f(), g()]<|tool_call_end|>", "<|tool_call_start|>[f(), g()]<|tool_call_end|>");
    expect_raw_and_text(ANSWER("{\"tool_calls\": [" CALL("f", "{\\\"a\\\": ") "]}", "stop"),
                        "<|tool_call_start|>[f({\"a\": )]<|tool_call_end|>", "<|tool_call_start|>[f({\"a\": )]<|tool_call_end|>");
}

Test(endpoint, tags_inside_arguments_do_not_end_a_call)
{
    static const char expected[] = "<|tool_call_start|>[f(a='x\\x3c|tool_call_end|>y', b='</think>')]<|tool_call_end|>";
    expect_raw_and_text(
        ANSWER("{\"tool_calls\": [" CALL("f", "{\\\"a\\\": \\\"x<|tool_call_end|>y\\\", \\\"b\\\": \\\"</think>\\\"}") "]}", "stop"),
        expected, expected);
    struct lfm_arena arena = {0};
    struct lfm_py_value *calls;
    assert_ok(lfm_lfm2_tool_calls(&arena, &calls, lfm_span_of(expected), &error));
    cr_assert_eq(calls->count, 1);
    const struct lfm_py_value *arguments = lfm_py_get_named(calls->items[0], "arguments");
    cr_assert(lfm_py_is_str(lfm_py_get_named(arguments, "a"), "x<|tool_call_end|>y"));
    lfm_arena_release(&arena);
}

Test(endpoint, content_in_parts_is_joined_and_odd_characters_are_replaced)
{
    expect_raw_and_text(ANSWER("{\"content\": [{\"type\": \"text\", \"text\": \"a\"}, {\"type\": \"text\", \"text\": \"b\"}]}", "stop"),
                        "ab", "ab");
    expect_raw_and_text(ANSWER("{\"content\": \"a\\u0000b\\u00e9\"}", "stop"), "a\1b\xC3\xA9", "a\1b\xC3\xA9");
}

/* --- conversations with calls --- */

/* What the server is sent for these messages. */
static char *messages_sent(const char *messages, const char *tools)
{
    const struct http_step step = {.body = SAYS("Yes")};
    struct lfm_completion completion;
    cJSON *conversation = cJSON_Parse(messages), *schemas = tools ? cJSON_Parse(tools) : NULL;
    const struct lfm_request request = {conversation, schemas};
    server = http_server_start(&step, 1);
    set_options(http_server_port(server));
    open_backend();
    assert_ok(backend.submit(backend.context, 0, &request, 0, &error));
    assert_ok(backend.wait(backend.context, &completion, &error));
    cJSON *body = sent(0);
    char *text = cJSON_PrintUnformatted(cJSON_GetObjectItem(body, tools ? "tools" : "messages"));
    if (tools) cr_assert(cJSON_IsTrue(cJSON_GetObjectItem(body, "parallel_tool_calls")));
    cJSON_Delete(body);
    cJSON_Delete(conversation);
    cJSON_Delete(schemas);
    lfm_completion_release(&completion);
    shut_down();
    return text;
}

static void expect_messages(const char *messages, const char *expected)
{
    char *text = messages_sent(messages, NULL);
    cr_assert_str_eq(text, expected);
    cJSON_free(text);
}

Test(endpoint, calls_in_the_text_are_sent_with_ids_that_tool_messages_refer_to)
{
    expect_messages(
        "[{\"role\": \"user\", \"content\": \"Weather?\"},"
        " {\"role\": \"assistant\", \"content\": \"<|tool_call_start|>[get(city='Bonn', n=1.0), get(city=\\\"K'ln\\\", "
        "more=[True, None, (1, 2)])]<|tool_call_end|>\"},"
        " {\"role\": \"tool\", \"content\": \"sun\"}, {\"role\": \"tool\", \"content\": \"rain\"},"
        " {\"role\": \"assistant\", \"content\": \"Once more.<|tool_call_start|>[now()]<|tool_call_end|>\"},"
        " {\"role\": \"tool\", \"content\": \"12:00\"}]",
        "[{\"role\":\"user\",\"content\":\"Weather?\"},"
        "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":["
        "{\"id\":\"call00001\",\"type\":\"function\",\"function\":{\"name\":\"get\",\"arguments\":\"{\\\"city\\\":\\\"Bonn\\\",\\\"n\\\":1.0}\"}},"
        "{\"id\":\"call00002\",\"type\":\"function\",\"function\":{\"name\":\"get\",\"arguments\":\"{\\\"city\\\":\\\"K'ln\\\",\\\"more\\\":[true,null,[1,2]]}\"}}]},"
        "{\"role\":\"tool\",\"content\":\"sun\",\"tool_call_id\":\"call00001\"},"
        "{\"role\":\"tool\",\"content\":\"rain\",\"tool_call_id\":\"call00002\"},"
        "{\"role\":\"assistant\",\"content\":\"Once more.\",\"tool_calls\":["
        "{\"id\":\"call00003\",\"type\":\"function\",\"function\":{\"name\":\"now\",\"arguments\":\"{}\"}}]},"
        "{\"role\":\"tool\",\"content\":\"12:00\",\"tool_call_id\":\"call00003\"}]");
}

Test(endpoint, what_is_no_call_stays_text)
{
    expect_messages("[{\"role\": \"user\", \"content\": \"<|tool_call_start|>[f()]<|tool_call_end|>\"},"
                    " {\"role\": \"assistant\", \"content\": \"<|tool_call_start|>[f(]<|tool_call_end|>\"},"
                    " {\"role\": \"tool\", \"content\": \"cannot be read\"}]",
                    "[{\"role\":\"user\",\"content\":\"<|tool_call_start|>[f()]<|tool_call_end|>\"},"
                    "{\"role\":\"assistant\",\"content\":\"<|tool_call_start|>[f(]<|tool_call_end|>\"},"
                    "{\"role\":\"tool\",\"content\":\"cannot be read\",\"tool_call_id\":\"call00001\"}]");
}

Test(endpoint, calls_in_the_form_of_chat_templates_get_ids_too)
{
    expect_messages("[{\"role\": \"assistant\", \"content\": \"\", \"tool_calls\": [{\"function\": {\"name\": \"f\", "
                    "\"arguments\": {\"a\": 1}}}, {\"id\": \"mine\", \"function\": {\"name\": \"g\", \"arguments\": \"{}\"}}]},"
                    " {\"role\": \"tool\", \"tool_call_id\": \"other\", \"content\": \"1\"}, {\"role\": \"tool\", \"content\": \"2\"}]",
                    "[{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":["
                    "{\"id\":\"call00001\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}},"
                    "{\"id\":\"call00002\",\"type\":\"function\",\"function\":{\"name\":\"g\",\"arguments\":\"{}\"}}]},"
                    "{\"role\":\"tool\",\"content\":\"1\",\"tool_call_id\":\"call00001\"},"
                    "{\"role\":\"tool\",\"content\":\"2\",\"tool_call_id\":\"call00002\"}]");
}

Test(endpoint, numbers_and_keys_of_arguments_are_json)
{
    expect_messages("[{\"role\": \"assistant\", \"content\": \"<|tool_call_start|>[f(a=12345678901234567890, b=1e300, "
                    "c={1: 'x', None: 'y'}, d=b'z', e=-2.5, g=1e999)]<|tool_call_end|>\"}]",
                    "[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"call00001\",\"type\":\"function\","
                    "\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":12345678901234567890,\\\"b\\\":1e+300,"
                    "\\\"c\\\":{\\\"1\\\":\\\"x\\\",\\\"null\\\":\\\"y\\\"},\\\"d\\\":\\\"b'z'\\\",\\\"e\\\":-2.5,\\\"g\\\":null}\"}}]}]");
}

Test(endpoint, tools_are_sent_and_bare_schemas_wrapped)
{
    char *tools = messages_sent("[{\"role\": \"user\", \"content\": \"Hi\"}]",
                                "[{\"type\": \"function\", \"function\": {\"name\": \"f\"}}, {\"name\": \"g\", \"parameters\": {}}]");
    cr_assert_str_eq(tools, "[{\"type\":\"function\",\"function\":{\"name\":\"f\"}},"
                            "{\"type\":\"function\",\"function\":{\"name\":\"g\",\"parameters\":{}}}]");
    cJSON_free(tools);
}

Test(endpoint, calls_may_stay_in_the_text)
{
    SERVE({.body = SAYS("<|tool_call_start|>[f(a=\\\"x\\\")]<|tool_call_end|>")});
    static const char call[] = "<|tool_call_start|>[f(a=\"x\")]<|tool_call_end|>";
    cJSON *messages = user_says("Hello."), *tools = cJSON_Parse("[{\"name\": \"f\"}]"), *answer = cJSON_CreateObject();
    cJSON_AddStringToObject(answer, "role", "assistant");
    cJSON_AddStringToObject(answer, "content", call);
    cJSON_AddItemToArray(messages, answer);
    const struct lfm_request request = {messages, tools};
    struct lfm_completion completion;
    options.calls_as_text = true;
    open_backend();
    assert_ok(backend.submit(backend.context, 0, &request, 0, &error));
    assert_ok(backend.wait(backend.context, &completion, &error));
    cr_assert_str_eq(text_of(&completion.text), call);
    cJSON *body = sent(0);
    cr_assert(cJSON_Compare(cJSON_GetObjectItem(body, "messages"), messages, true));
    cr_assert_str_eq(cJSON_GetObjectItem(body, "tool_choice")->valuestring, "none");
    cr_assert(cJSON_IsFalse(cJSON_GetObjectItem(body, "skip_special_tokens")));
    cJSON_Delete(body);
    cJSON_Delete(messages);
    cJSON_Delete(tools);
    lfm_completion_release(&completion);
    shut_down();
}

/* --- many at a time --- */

Test(endpoint, requests_are_under_way_together)
{
    SERVE({.together = 8});
    bool seen[8] = {false};
    options.concurrency = 8;
    options.retries = 0;
    open_backend();
    for (size_t i = 0; i < 8; i++) {
        char content[16];
        snprintf(content, sizeof content, "number %zu", i);
        assert_ok(submit(i, content));
    }
    cr_assert_eq(submit(8, "one too many"), LFM_ERROR_LIMIT);
    for (size_t i = 0; i < 8; i++) {
        struct lfm_completion completion;
        char content[16];
        assert_ok(backend.wait(backend.context, &completion, &error));
        snprintf(content, sizeof content, "number %zu", completion.ticket);
        cr_assert_str_eq(text_of(&completion.text), content);
        cr_assert(!seen[completion.ticket]);
        seen[completion.ticket] = true;
        lfm_completion_release(&completion);
    }
    struct lfm_completion none;
    assert_fails(backend.wait(backend.context, &none, &error), LFM_ERROR_ARGUMENT, "no request is under way");
    shut_down();
}

Test(endpoint, a_failing_request_leaves_the_others_alone)
{
    SERVE({.body = NULL}, {.status = 400, .body = "{\"error\": \"bad words\"}"}, {.body = NULL});
    size_t errors = 0;
    open_backend();
    for (size_t i = 0; i < 4; i++) assert_ok(submit(i, "words"));
    for (size_t i = 0; i < 4; i++) {
        struct lfm_completion completion;
        assert_ok(backend.wait(backend.context, &completion, &error));
        errors += completion.finish == LFM_FINISH_ERROR;
        lfm_completion_release(&completion);
    }
    cr_assert_eq(errors, 1);
    shut_down();
}

Test(endpoint, closing_drops_what_is_under_way)
{
    SERVE({.silent = true});
    open_backend();
    for (size_t i = 0; i < 3; i++) assert_ok(submit(i, "words"));
    shut_down();
}

Test(endpoint, can_be_interrupted)
{
    SERVE({.silent = true});
    struct lfm_completion completion;
    open_backend();
    assert_ok(submit(0, "words"));
    lfm_catch_interrupts();
    raise(SIGINT);
    assert_fails(backend.wait(backend.context, &completion, &error), LFM_ERROR_STOPPED, "interrupted");
    shut_down();
}

/* --- trying again --- */

Test(endpoint, tries_again_after_429_and_5xx)
{
    SERVE({.status = 429, .body = "slow down"}, {.status = 500, .body = ""}, {.status = 503, .body = "Loading model"},
          {.body = SAYS("At last")});
    open_backend();
    expect_text("At last");
    cr_assert_eq(http_server_count(server), 4);
    cr_assert_str_eq(http_server_body(server, 3), http_server_body(server, 0));
    shut_down();
}

Test(endpoint, gives_up_after_so_many_retries)
{
    SERVE({.status = 500, .body = "{\"error\": {\"message\": \"out of luck\"}}"});
    open_backend();
    expect_failure("answers HTTP 500: out of luck (4 attempts)");
    cr_assert_eq(http_server_count(server), 4);
    shut_down();
}

Test(endpoint, too_many_requests_after_all_retries_is_said)
{
    SERVE({.status = 429, .body = "{\"error\": {\"message\": \"Rate limit for " KEY "\"}}"});
    options.retries = 1;
    open_backend();
    expect_failure("answers HTTP 429 (too many requests): Rate limit for *************************");
    cr_assert_eq(http_server_count(server), 2);
    shut_down();
}

Test(endpoint, waits_as_long_as_the_server_asks)
{
    SERVE({.status = 429, .headers = "Retry-After: 1\r\n", .body = ""}, {.body = SAYS("Yes")});
    double before = lfm_seconds();
    open_backend();
    expect_text("Yes");
    cr_assert_geq(lfm_seconds() - before, 1);
    shut_down();
}

Test(endpoint, does_not_wait_for_hours)
{
    SERVE({.status = 429, .headers = "Retry-After: 86400\r\n", .body = "Come back tomorrow"});
    open_backend();
    expect_failure("asked to wait for 86400 s");
    cr_assert_eq(http_server_count(server), 1);
    shut_down();
}

Test(endpoint, other_refusals_are_not_repeated)
{
    SERVE({.status = 400, .body = "{\"error\": {\"message\": \"messages: too few\"}}"});
    open_backend();
    expect_failure("answers HTTP 400: messages: too few");
    cr_assert_eq(http_server_count(server), 1);
    shut_down();
}

Test(endpoint, an_answer_the_server_cannot_parse_is_not_asked_for_again)
{
    SERVE({.status = 500, .body = "{\"error\":{\"code\":500,\"message\":\"The model produced output that does not match the "
                                  "expected peg-native format\",\"type\":\"server_error\"}}"});
    open_backend();
    expect_failure("The model produced output that does not match");
    cr_assert_eq(http_server_count(server), 1);
    shut_down();
}

Test(endpoint, tries_again_when_the_connection_breaks)
{
    SERVE({.raw = ""}, {.body = SAYS("A long answer"), .cut = 20}, {.raw = "HTTP/1.1 200 OK\r\nContent-Le"},
          {.body = SAYS("Yes")});
    open_backend();
    expect_text("Yes");
    cr_assert_eq(http_server_count(server), 4);
    shut_down();
}

Test(endpoint, a_connection_that_keeps_breaking_is_an_error)
{
    SERVE({.body = SAYS("A long answer"), .cut = 20});
    options.retries = 1;
    open_backend();
    expect_failure("connection broken by 'http://127.0.0.1:");
    cr_assert_eq(http_server_count(server), 2);
    shut_down();
}

Test(endpoint, slow_answers_time_out_and_are_tried_again)
{
    SERVE({.silent = true}, {.body = SAYS("Yes")});
    options.timeout_seconds = 0.2;
    open_backend();
    expect_text("Yes");
    cr_assert_eq(http_server_count(server), 2);
    shut_down();
}

Test(endpoint, no_answer_in_time_is_an_error)
{
    SERVE({.silent = true});
    options.timeout_seconds = 0.1;
    options.retries = 1;
    open_backend();
    expect_failure("within 0.1 s (2 attempts)");
    cr_assert_eq(http_server_count(server), 2);
    shut_down();
}

Test(endpoint, empty_answers_are_asked_for_again)
{
    SERVE({.body = ""}, {.body = SAYS("Yes")}, {.body = ""});
    open_backend();
    expect_text("Yes");
    expect_failure("sent an empty answer (4 attempts)");
    cr_assert_eq(http_server_count(server), 6);
    shut_down();
}

/* --- when nothing can succeed --- */

Test(endpoint, nobody_there_ends_the_run)
{
    set_options(http_free_port());
    open_backend();
    expect_end("connection refused; is the server running? (4 attempts)");
    shut_down();
}

Test(endpoint, an_unknown_host_ends_the_run)
{
    set_options(1);
    options.url = "http://no..such..host/v1";
    open_backend();
    expect_end("unknown host in 'http://no..such..host/v1'");
    shut_down();
}

Test(endpoint, a_server_without_tls_ends_the_run)
{
    SERVE({.body = SAYS("Yes")});
    snprintf(url, sizeof url, "https://127.0.0.1:%u/v1", http_server_port(server));
    open_backend();
    expect_end("no secure connection to 'https://127.0.0.1:");
    shut_down();
}

Test(endpoint, what_does_not_speak_http_ends_the_run)
{
    SERVE({.raw = "220 mail.example ESMTP\r\n"});
    open_backend();
    expect_end("no HTTP with 'http://127.0.0.1:");
    shut_down();
}

Test(endpoint, a_refused_key_ends_the_run_and_is_not_shown)
{
    SERVE({.status = 401, .body = "{\"error\": {\"message\": \"Incorrect API key provided: " KEY "\"}}"});
    open_backend();
    expect_end("refuses the API key (HTTP 401): Incorrect API key provided: ***");
    cr_assert_eq(http_server_count(server), 1);
    shut_down();
}

Test(endpoint, a_key_at_the_end_of_an_excerpt_is_not_shown_in_part)
{
    static char body[512];
    memset(body, 'x', 190);
    strcpy(body + 190, KEY);
    const struct http_step step = {.status = 400, .body = body};
    server = http_server_start(&step, 1);
    set_options(http_server_port(server));
    open_backend();
    expect_failure("xxxx**********...");
    shut_down();
}

Test(endpoint, a_missing_key_ends_the_run)
{
    SERVE({.status = 401, .body = ""});
    options.key = NULL;
    open_backend();
    expect_end("asks for an API key (HTTP 401)");
    shut_down();
}

Test(endpoint, forbidden_ends_the_run_at_first_and_the_request_later)
{
    SERVE({.status = 403, .body = ""}, {.body = SAYS("Yes")}, {.status = 403, .body = "flagged"});
    open_backend();
    expect_end("denies access (HTTP 403)");
    backend.close(backend.context);
    open_backend();
    expect_text("Yes");
    expect_failure("denies access (HTTP 403): flagged");
    shut_down();
}

Test(endpoint, a_wrong_path_suggests_the_usual_one)
{
    SERVE({.status = 404, .body = "{\"error\": {\"message\": \"File Not Found\"}}"});
    snprintf(url, sizeof url, "http://127.0.0.1:%u", http_server_port(server));
    open_backend();
    expect_end("answers HTTP 404 (wrong model name, or URL: most servers' ends in /v1?): File Not Found");
    shut_down();
}

Test(endpoint, an_unknown_model_ends_the_run)
{
    SERVE({.status = 404, .body = "{\"error\": {\"message\": \"The model `a-model` does not exist.\"}}"});
    open_backend();
    expect_end("answers HTTP 404 (wrong URL or model name?): The model `a-model` does not exist.");
    shut_down();
}

Test(endpoint, redirects_are_not_followed)
{
    static const struct http_step elsewhere[] = {{.body = SAYS("The key, please")}};
    struct http_server *other = http_server_start(elsewhere, 1);
    char location[128];
    snprintf(location, sizeof location, "Location: http://127.0.0.1:%u/v1/chat/completions\r\n", http_server_port(other));
    const struct http_step step = {.status = 307, .headers = location, .body = ""};
    server = http_server_start(&step, 1);
    set_options(http_server_port(server));
    open_backend();
    expect_end("redirects (HTTP 307), which is not followed");
    cr_assert_eq(http_server_count(other), 0);
    http_server_stop(other);
    shut_down();
}

/* --- answers that are none --- */

Test(endpoint, nonsense_is_shown_cleaned)
{
    SERVE({.body = "<html>\n\x1b[31mWelcome\x1b[0m\xff</html>"});
    open_backend();
    expect_end("it is not UTF-8 at byte 23: <html>??[31mWelcome?[0m\xEF\xBF\xBD</html>");
    shut_down();
}

Test(endpoint, unreadable_answers_fail_the_request_once_others_were_read)
{
    SERVE({.body = SAYS("Yes")}, {.body = "{\"choices\": "}, {.body = "[1, 2]"}, {.body = "{\"choices\": []}"},
          {.body = "{\"choices\": [{}]}"}, {.body = "{\"error\": {\"message\": \"no more credit\"}}"},
          {.body = ANSWER("{\"content\": null}", "stop")}, {.body = ANSWER("{\"content\": 7}", "stop")},
          {.body = ANSWER("{\"tool_calls\": [{\"id\": 1}]}", "tool_calls")}, {.body = ANSWER("{\"content\": \"\"}", "content_filter")},
          {.body = "{\"choices\": [{\"message\": {\"content\": \"\xC3\x28\"}}]}"}, {.body = SAYS("Yes") " trailing"},
          {.body = SAYS("Yes")});
    open_backend();
    expect_text("Yes");
    expect_failure("sent an answer that cannot be read: it: not valid JSON at byte 12: expected a value: {\"choices\":");
    expect_failure("it has no 'choices': [1, 2]");
    expect_failure("it has no 'choices'");
    expect_failure("its first choice has no 'message'");
    expect_failure("it has no 'choices': no more credit");
    expect_failure("its message has neither content nor tool calls");
    expect_failure("its 'content' is not text");
    expect_failure("a tool call without a function name");
    expect_failure("the server withheld it (content_filter)");
    expect_failure("it is not UTF-8 at byte 38");
    expect_failure("text behind the value");
    expect_text("Yes");
    cr_assert_eq(http_server_count(server), 13);
    shut_down();
}

Test(endpoint, deep_answers_are_refused)
{
    static char body[1 << 16];
    memset(body, '[', sizeof body - 1);
    const struct http_step step = {.body = body};
    server = http_server_start(&step, 1);
    set_options(http_server_port(server));
    open_backend();
    expect_end("too many levels");
    shut_down();
}

Test(endpoint, answers_without_end_are_cut_off)
{
    SERVE({.body = SAYS("Yes"), .blanks = (64 << 20) + 1}, {.body = SAYS("Yes"), .blanks = 1 << 20});
    open_backend();
    expect_failure("an answer of more than 64 MiB from 'http://127.0.0.1:");
    expect_text("Yes");
    cr_assert_eq(http_server_count(server), 2);
    shut_down();
}

/* --- what is written --- */

Test(endpoint, describes_itself_without_key_and_password)
{
    set_options(1);
    options.url = "https://user:hush@models.example:8443/v1/chat/completions?token=hush";
    options.sampling = (struct lfm_sampling){.temperature = 0.25, .top_k = 80, .top_p = 1, .repetition_penalty = 1.05};
    server = NULL;
    open_backend();
    cJSON *run = cJSON_CreateObject();
    backend.describe(backend.context, run);
    char *text = cJSON_PrintUnformatted(run);
    cr_assert(!strstr(text, "sk-very") && !strstr(text, "hush") && !strstr(text, "user"), "%s", text);
    cr_assert_str_eq(cJSON_GetObjectItem(run, "endpoint")->valuestring, "https://models.example:8443/v1");
    cr_assert_str_eq(cJSON_GetObjectItem(run, "model")->valuestring, "a-model");
    cr_assert_str_eq(cJSON_GetObjectItem(run, "weights")->valuestring, "unknown");
    cr_assert(cJSON_IsNull(cJSON_GetObjectItem(run, "bits_per_weight")));
    cr_assert_eq(number_in(run, "max_tokens"), 100);
    cr_assert_str_eq(cJSON_GetObjectItem(run, "calls")->valuestring, "tool_calls");
    cr_assert_eq(number_in(cJSON_GetObjectItem(run, "sampling"), "top_k"), 80);
    cr_assert_eq(backend.concurrency, 4);
    cJSON_free(text);
    cJSON_Delete(run);
    shut_down();
}
