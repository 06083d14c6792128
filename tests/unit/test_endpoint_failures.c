/* The backend behind a URL, against a scripted server: many requests at a time, and servers that fail. */
#include "reference/base/progress.h"
#include "tests/unit/assert.h"
#include "tests/unit/endpoint_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

TestSuite(endpoint_failures, .timeout = 60);

static struct lfm_error error;

/* --- many at a time --- */

Test(endpoint_failures, requests_are_under_way_together)
{
    SERVE({.together = 8});
    bool seen[8] = {false};
    options.concurrency = 8;
    options.retries = 0;
    open_backend();
    for (size_t i = 0; i < 8; i++) {
        char content[16];
        snprintf(content, sizeof content, "number %zu", i);
        assert_ok(submit(i, content, &error));
    }
    cr_assert_eq(submit(8, "one too many", &error), LFM_ERROR_LIMIT);
    for (size_t i = 0; i < 8; i++) {
        struct lfm_completion completion;
        char content[16];
        assert_ok(backend.wait(backend.context, &completion, &error));
        snprintf(content, sizeof content, "number %zu", completion.ticket);
        cr_assert_str_eq(body_text(&completion.text), content);
        cr_assert(!seen[completion.ticket]);
        seen[completion.ticket] = true;
        lfm_completion_release(&completion);
    }
    struct lfm_completion none;
    assert_fails(backend.wait(backend.context, &none, &error), LFM_ERROR_ARGUMENT, "no request is under way");
    shut_down();
}

Test(endpoint_failures, a_failing_request_leaves_the_others_alone)
{
    SERVE({.body = NULL}, {.status = 400, .body = "{\"error\": \"bad words\"}"}, {.body = NULL});
    size_t errors = 0;
    open_backend();
    for (size_t i = 0; i < 4; i++) assert_ok(submit(i, "words", &error));
    for (size_t i = 0; i < 4; i++) {
        struct lfm_completion completion;
        assert_ok(backend.wait(backend.context, &completion, &error));
        errors += completion.finish == LFM_FINISH_ERROR;
        lfm_completion_release(&completion);
    }
    cr_assert_eq(errors, 1);
    shut_down();
}

Test(endpoint_failures, closing_drops_what_is_under_way)
{
    SERVE({.silent = true});
    open_backend();
    for (size_t i = 0; i < 3; i++) assert_ok(submit(i, "words", &error));
    shut_down();
}

Test(endpoint_failures, can_be_interrupted)
{
    SERVE({.silent = true});
    struct lfm_completion completion;
    open_backend();
    assert_ok(submit(0, "words", &error));
    lfm_catch_interrupts();
    raise(SIGINT);
    assert_fails(backend.wait(backend.context, &completion, &error), LFM_ERROR_STOPPED, "interrupted");
    shut_down();
}

/* --- trying again --- */

Test(endpoint_failures, tries_again_after_429_and_5xx)
{
    SERVE({.status = 429, .body = "slow down"}, {.status = 500, .body = ""}, {.status = 503, .body = "Loading model"},
          {.body = SAYS("At last")});
    open_backend();
    expect_text("At last");
    cr_assert_eq(http_server_count(server), 4);
    cr_assert_str_eq(http_server_body(server, 3), http_server_body(server, 0));
    shut_down();
}

Test(endpoint_failures, gives_up_after_so_many_retries)
{
    SERVE({.status = 500, .body = "{\"error\": {\"message\": \"out of luck\"}}"});
    open_backend();
    expect_failure("answers HTTP 500: out of luck (4 attempts)");
    cr_assert_eq(http_server_count(server), 4);
    shut_down();
}

Test(endpoint_failures, too_many_requests_after_all_retries_is_said)
{
    SERVE({.status = 429, .body = "{\"error\": {\"message\": \"Rate limit for " KEY "\"}}"});
    options.retries = 1;
    open_backend();
    expect_failure("answers HTTP 429 (too many requests): Rate limit for *************************");
    cr_assert_eq(http_server_count(server), 2);
    shut_down();
}

Test(endpoint_failures, waits_as_long_as_the_server_asks)
{
    SERVE({.status = 429, .headers = "Retry-After: 1\r\n", .body = ""}, {.body = SAYS("Yes")});
    double before = lfm_seconds();
    open_backend();
    expect_text("Yes");
    cr_assert_geq(lfm_seconds() - before, 1);
    shut_down();
}

Test(endpoint_failures, does_not_wait_for_hours)
{
    SERVE({.status = 429, .headers = "Retry-After: 86400\r\n", .body = "Come back tomorrow"});
    open_backend();
    expect_failure("asked to wait for 86400 s");
    cr_assert_eq(http_server_count(server), 1);
    shut_down();
}

Test(endpoint_failures, other_refusals_are_not_repeated)
{
    SERVE({.status = 400, .body = "{\"error\": {\"message\": \"messages: too few\"}}"});
    open_backend();
    expect_failure("answers HTTP 400: messages: too few");
    cr_assert_eq(http_server_count(server), 1);
    shut_down();
}

Test(endpoint_failures, an_answer_the_server_cannot_parse_is_not_asked_for_again)
{
    SERVE({.status = 500, .body = "{\"error\":{\"code\":500,\"message\":\"The model produced output that does not match the "
                                  "expected peg-native format\",\"type\":\"server_error\"}}"});
    open_backend();
    expect_failure("The model produced output that does not match");
    cr_assert_eq(http_server_count(server), 1);
    shut_down();
}

Test(endpoint_failures, tries_again_when_the_connection_breaks)
{
    SERVE({.raw = ""}, {.body = SAYS("A long answer"), .cut = 20}, {.raw = "HTTP/1.1 200 OK\r\nContent-Le"},
          {.body = SAYS("Yes")});
    open_backend();
    expect_text("Yes");
    cr_assert_eq(http_server_count(server), 4);
    shut_down();
}

Test(endpoint_failures, a_connection_that_keeps_breaking_is_an_error)
{
    SERVE({.body = SAYS("A long answer"), .cut = 20});
    options.retries = 1;
    open_backend();
    expect_failure("connection broken by 'http://127.0.0.1:");
    cr_assert_eq(http_server_count(server), 2);
    shut_down();
}

Test(endpoint_failures, slow_answers_time_out_and_are_tried_again)
{
    SERVE({.silent = true}, {.body = SAYS("Yes")});
    options.timeout_seconds = 0.2;
    open_backend();
    expect_text("Yes");
    cr_assert_eq(http_server_count(server), 2);
    shut_down();
}

Test(endpoint_failures, no_answer_in_time_is_an_error)
{
    SERVE({.silent = true});
    options.timeout_seconds = 0.1;
    options.retries = 1;
    open_backend();
    expect_failure("within 0.1 s (2 attempts)");
    cr_assert_eq(http_server_count(server), 2);
    shut_down();
}

Test(endpoint_failures, empty_answers_are_asked_for_again)
{
    SERVE({.body = ""}, {.body = SAYS("Yes")}, {.body = ""});
    open_backend();
    expect_text("Yes");
    expect_failure("sent an empty answer (4 attempts)");
    cr_assert_eq(http_server_count(server), 6);
    shut_down();
}

/* --- when nothing can succeed --- */

Test(endpoint_failures, nobody_there_ends_the_run)
{
    set_options(http_free_port());
    open_backend();
    expect_end("connection refused; is the server running? (4 attempts)");
    shut_down();
}

Test(endpoint_failures, an_unknown_host_ends_the_run)
{
    set_options(1);
    options.url = "http://no..such..host/v1";
    open_backend();
    expect_end("unknown host in 'http://no..such..host/v1'");
    shut_down();
}

Test(endpoint_failures, a_server_without_tls_ends_the_run)
{
    SERVE({.body = SAYS("Yes")});
    snprintf(url, sizeof url, "https://127.0.0.1:%u/v1", http_server_port(server));
    open_backend();
    expect_end("no secure connection to 'https://127.0.0.1:");
    shut_down();
}

Test(endpoint_failures, what_does_not_speak_http_ends_the_run)
{
    SERVE({.raw = "220 mail.example ESMTP\r\n"});
    open_backend();
    expect_end("no HTTP with 'http://127.0.0.1:");
    shut_down();
}

Test(endpoint_failures, a_refused_key_ends_the_run_and_is_not_shown)
{
    SERVE({.status = 401, .body = "{\"error\": {\"message\": \"Incorrect API key provided: " KEY "\"}}"});
    open_backend();
    expect_end("refuses the API key (HTTP 401): Incorrect API key provided: ***");
    cr_assert_eq(http_server_count(server), 1);
    shut_down();
}

Test(endpoint_failures, a_key_at_the_end_of_an_excerpt_is_not_shown_in_part)
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

Test(endpoint_failures, a_missing_key_ends_the_run)
{
    SERVE({.status = 401, .body = ""});
    options.key = NULL;
    open_backend();
    expect_end("asks for an API key (HTTP 401)");
    shut_down();
}

Test(endpoint_failures, forbidden_ends_the_run_at_first_and_the_request_later)
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

Test(endpoint_failures, a_wrong_path_suggests_the_usual_one)
{
    SERVE({.status = 404, .body = "{\"error\": {\"message\": \"File Not Found\"}}"});
    snprintf(url, sizeof url, "http://127.0.0.1:%u", http_server_port(server));
    open_backend();
    expect_end("answers HTTP 404 (wrong model name, or URL: most servers' ends in /v1?): File Not Found");
    shut_down();
}

Test(endpoint_failures, an_unknown_model_ends_the_run)
{
    SERVE({.status = 404, .body = "{\"error\": {\"message\": \"The model `a-model` does not exist.\"}}"});
    open_backend();
    expect_end("answers HTTP 404 (wrong URL or model name?): The model `a-model` does not exist.");
    shut_down();
}

Test(endpoint_failures, redirects_are_not_followed)
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

Test(endpoint_failures, nonsense_is_shown_cleaned)
{
    SERVE({.body = "<html>\n\x1b[31mWelcome\x1b[0m\xff</html>"});
    open_backend();
    expect_end("it is not UTF-8 at byte 23: <html>??[31mWelcome?[0m\xEF\xBF\xBD</html>");
    shut_down();
}

Test(endpoint_failures, unreadable_answers_fail_the_request_once_others_were_read)
{
    SERVE({.body = SAYS("Yes")}, {.body = "{\"choices\": "}, {.body = "[1, 2]"}, {.body = "{\"choices\": []}"},
          {.body = "{\"choices\": [{}]}"}, {.body = "{\"error\": {\"message\": \"no more credit\"}}"},
          {.body = ANSWER("{\"content\": null}", "stop")}, {.body = ANSWER("{\"content\": 7}", "stop")},
          {.body = ANSWER("{\"tool_calls\": [{\"id\": 1}]}", "tool_calls")}, {.body = ANSWER("{\"content\": \"\"}", "content_filter")},
          {.body = "{\"choices\": [{\"message\": {\"content\": \"\xC3\x28\"}}]}"}, {.body = SAYS("Yes") " trailing"},
          {.body = SAYS("Yes")});
    open_backend();
    expect_text("Yes");
    expect_failure("sent an answer that cannot be read: not valid JSON at byte 12: expected a value: {\"choices\":");
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

Test(endpoint_failures, deep_answers_are_refused)
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

Test(endpoint_failures, answers_without_end_are_cut_off)
{
    SERVE({.body = SAYS("Yes"), .blanks = (64 << 20) + 1}, {.body = SAYS("Yes"), .blanks = 1 << 20});
    open_backend();
    expect_failure("an answer of more than 64 MiB from 'http://127.0.0.1:");
    expect_text("Yes");
    cr_assert_eq(http_server_count(server), 2);
    shut_down();
}
