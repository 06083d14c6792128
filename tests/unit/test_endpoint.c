/* The backend behind a URL, against a scripted server: what is sent, and what answers become. */
#include "eval/bfcl/python_calls.h"
#include "tests/unit/assert.h"
#include "tests/unit/endpoint_fixture.h"

#include <stdio.h>
#include <stdlib.h>

TestSuite(endpoint, .timeout = 60);

static struct lfm_error error;

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
    assert_ok(ask(&completion, &error));
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
    assert_ok(ask(&completion, &error));
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
        assert_ok(ask(&completion, &error));
        cr_assert_eq(completion.finish, LFM_FINISH_CONTEXT);
        cr_assert_str_empty(body_text(&completion.text));
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
    assert_ok(ask(&completion, &error));
    cr_assert_str_empty(completion.error.message);
    cr_assert_str_eq(body_text(&completion.raw), raw);
    cr_assert_str_eq(body_text(&completion.text), text);
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
    cr_assert_str_eq(body_text(&completion.text), call);
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
