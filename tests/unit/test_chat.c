/* Chat templates against what transformers makes of them (scripts/golden/chat.py), and what is refused. */
#include "reference/model/chat.h"
#include "reference/model/python_text.h"
#include "tests/unit/assert.h"

#include <stdlib.h>

static struct lfm_error error;

/* --- golden data --- */

static cJSON *document;

static void read_golden(void)
{
    const char *path = getenv("LFM_CHAT_CASES");
    assert_ok(lfm_json_parse_file(&document, path ? path : "tests/golden/chat/cases.json", &error));
}

static void free_golden(void)
{
    cJSON_Delete(document);
}

static const cJSON *entry(const char *kind, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItem(document, kind), name);
    cr_assert_not_null(item, "the golden data lack %s '%s'", kind, name);
    return item;
}

static const char *text_of(const cJSON *object, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItem(object, key));
}

static void check_case(const cJSON *item)
{
    const char *name = text_of(item, "template"), *conversation_name = text_of(item, "conversation");
    const cJSON *conversation = entry("conversations", conversation_name);
    const struct lfm_chat_options options = {.add_generation_prompt = cJSON_IsTrue(cJSON_GetObjectItem(item, "prompt")),
                                             .keep_past_thinking = cJSON_IsTrue(cJSON_GetObjectItem(item, "keep")),
                                             .date = "2026-05-04"};
    struct lfm_buffer out = {0};
    enum lfm_status status =
        lfm_chat_render(&out, entry("templates", name)->valuestring, cJSON_GetObjectItem(conversation, "messages"),
                        cJSON_GetObjectItem(conversation, "tools"), &options, &error);
    cr_assert_eq(status, LFM_OK, "%s, %s: %s", name, conversation_name, error.message);
    cr_assert_str_eq(out.data, text_of(item, "expected"), "%s, %s (keep %d): found\n%s\nexpected\n%s", name,
                     conversation_name, options.keep_past_thinking, out.data, text_of(item, "expected"));
    lfm_buffer_release(&out);
}

Test(chat, renders_every_conversation_as_the_template_does, .init = read_golden, .fini = free_golden)
{
    const cJSON *item;
    size_t count = 0;
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(document, "cases"))
    {
        check_case(item);
        count++;
    }
    cr_assert(count > 200, "only %zu cases", count);
}

/* --- arguments as text, tools as text --- */

static enum lfm_status render(struct lfm_buffer *out, const char *name, const char *messages_text,
                              const char *tools_text, const struct lfm_chat_options *options)
{
    cJSON *messages = cJSON_Parse(messages_text), *tools = tools_text ? cJSON_Parse(tools_text) : NULL;
    cr_assert_not_null(messages);
    enum lfm_status status =
        lfm_chat_render(out, entry("templates", name)->valuestring, messages, tools, options, &error);
    cJSON_Delete(messages);
    cJSON_Delete(tools);
    return status;
}

static const struct lfm_chat_options no_options;

static void expect(const char *name, const char *messages, const char *tools, const char *expected)
{
    struct lfm_buffer out = {0};
    assert_ok(render(&out, name, messages, tools, &no_options));
    cr_assert_str_eq(out.data, expected, "found '%s'", out.data);
    lfm_buffer_release(&out);
}

Test(chat, reads_arguments_that_are_json_text, .init = read_golden, .fini = free_golden)
{
    expect("reasoning",
           "[{\"role\": \"assistant\", \"tool_calls\": [{\"function\": {\"name\": \"f\", \"arguments\": \"{\\\"x\\\": "
           "[1, null]}\"}}]}]",
           NULL,
           "<|startoftext|><|im_start|>assistant\n<|tool_call_start|>[f(x=[1, None])]<|tool_call_end|><|im_end|>\n");
}

Test(chat, takes_tools_that_are_text_as_they_are, .init = read_golden, .fini = free_golden)
{
    expect("demo", "[{\"role\": \"user\", \"content\": \"x\"}]", "[\"one\", {\"n\": 1}]",
           "<|startoftext|><|im_start|>system\nList of tools: [one, {\"n\": "
           "1}]<|im_end|>\n<|im_start|>user\nx<|im_end|>\n");
}

Test(chat, puts_the_bos_of_the_tokenizer_in_front, .init = read_golden, .fini = free_golden)
{
    const struct lfm_chat_options options = {.bos_token = "<s>"};
    struct lfm_buffer out = {0};
    assert_ok(render(&out, "demo", "[{\"role\": \"user\", \"content\": \"x\"}]", NULL, &options));
    cr_assert_str_eq(out.data, "<s><|im_start|>user\nx<|im_end|>\n");
    lfm_buffer_release(&out);
}

/* --- what is refused --- */

static void refuse(const char *name, const char *messages, const char *tools, enum lfm_status status, const char *part)
{
    struct lfm_buffer out = {0};
    assert_fails(render(&out, name, messages, tools, &no_options), status, part);
    lfm_buffer_release(&out);
}

Test(chat, refuses_conversations_that_are_none, .init = read_golden, .fini = free_golden)
{
    refuse("demo", "[]", NULL, LFM_ERROR_FORMAT, "at least one message");
    refuse("demo", "{}", NULL, LFM_ERROR_FORMAT, "at least one message");
    refuse("demo", "[{\"role\": \"king\", \"content\": \"x\"}]", NULL, LFM_ERROR_FORMAT, "message 0: 'role' must be");
    refuse("demo", "[{\"content\": \"x\"}]", NULL, LFM_ERROR_FORMAT, "message 0: 'role' must be");
    refuse("demo", "[{\"role\": \"user\"}]", NULL, LFM_ERROR_FORMAT, "message 0: 'content' is missing");
    refuse("demo", "[{\"role\": \"system\", \"content\": [1]}]", NULL, LFM_ERROR_FORMAT, "must be a string");
    refuse("calls", "[{\"role\": \"user\", \"content\": {}}]", NULL, LFM_ERROR_FORMAT, "a string or a list of parts");
    refuse("plain", "[{\"role\": \"user\", \"content\": [1]}]", NULL, LFM_ERROR_FORMAT, "'content' must be a string");
    refuse("demo", "[{\"role\": \"user\", \"content\": \"x\"}]", "{}", LFM_ERROR_FORMAT, "tools must be a list");
}

Test(chat, refuses_what_the_template_would_drop_in_silence, .init = read_golden, .fini = free_golden)
{
    refuse("demo",
           "[{\"role\": \"assistant\", \"content\": \"\", \"tool_calls\": [{\"function\": {\"name\": \"f\"}}]}]", NULL,
           LFM_ERROR_ARGUMENT, "does not print 'tool_calls'");
    refuse("plain", "[{\"role\": \"user\", \"content\": \"x\"}]", "[{}]", LFM_ERROR_ARGUMENT, "has no place for tools");
    refuse("dated", "[{\"role\": \"user\", \"content\": \"x\"}]", "[{}]", LFM_ERROR_ARGUMENT, "give one as YYYY-MM-DD");
    refuse("calls", "[{\"role\": \"assistant\", \"tool_calls\": [{\"function\": {}}]}]", NULL, LFM_ERROR_FORMAT,
           "has no function name");
    refuse("calls",
           "[{\"role\": \"assistant\", \"tool_calls\": [{\"function\": {\"name\": \"f\", \"arguments\": [1]}}]}]", NULL,
           LFM_ERROR_FORMAT, "the arguments of 'f' must be an object");
}

static void refuse_template(const char *text, const char *part)
{
    struct lfm_buffer out = {0};
    cJSON *messages = cJSON_Parse("[{\"role\": \"user\", \"content\": \"x\"}]");
    assert_fails(lfm_chat_render(&out, text, messages, NULL, &no_options, &error), LFM_ERROR_FORMAT, part);
    lfm_buffer_release(&out);
    cJSON_Delete(messages);
}

Test(chat, refuses_templates_it_does_not_know)
{
    refuse_template(NULL, "the model has no chat template");
    refuse_template("", "unknown chat template: it has no <|im_start|>");
    refuse_template("{{ '<|im_start|>' }}{{ messages }}", "its turns are not ChatML's");
    refuse_template("<|im_start|>{% if enable_thinking %}", "unknown chat template: enable_thinking");
    refuse_template("<|im_start|>\"List of tools: (\"", "its list of tools is none of the known ones");
    refuse_template("<|im_start|>\"List of tools: [\" </think>", "it treats thinking in another way");
    refuse_template("<|im_start|>\"List of tools: [\" tool_calls", "its tool calls are not Pythonic");
    refuse_template("<|im_start|>\"List of tools: [\" tool_calls join(\", \") <|tool_call_start|>[",
                    "string arguments in another way");
}

/* --- values as Python writes them --- */

static void expect_text(const char *json, const char *dumps, const char *repr)
{
    cJSON *value = cJSON_Parse(json);
    struct lfm_buffer out = {0};
    cr_assert_not_null(value, "'%s' is no JSON", json);
    assert_ok(lfm_python_json(&out, value, &error));
    cr_assert_str_eq(out.data, dumps);
    lfm_buffer_clear(&out);
    assert_ok(lfm_python_str(&out, value, &error));
    cr_assert_str_eq(out.data, repr);
    lfm_buffer_release(&out);
    cJSON_Delete(value);
}

Test(python_text, writes_numbers_as_python_does)
{
    expect_text("[0, -7, 123456789012]", "[0, -7, 123456789012]", "[0, -7, 123456789012]");
    expect_text("[0.1, 2.5, -0.001]", "[0.1, 2.5, -0.001]", "[0.1, 2.5, -0.001]");
    expect_text("[0.0001, 0.00001, 1.5e-7]", "[0.0001, 1e-05, 1.5e-07]", "[0.0001, 1e-05, 1.5e-07]");
    expect_text("[1.5e300, 3.141592653589793]", "[1.5e+300, 3.141592653589793]", "[1.5e+300, 3.141592653589793]");
    expect_text("[1e22, 123456.789]", "[1e+22, 123456.789]", "[1e+22, 123456.789]");
    expect_text("[1e400, -1e999]", "[Infinity, -Infinity]", "[inf, -inf]");
}

Test(python_text, writes_constants_and_nesting_as_python_does)
{
    expect_text("{\"a\": [true, false, null], \"b\": {}}", "{\"a\": [true, false, null], \"b\": {}}",
                "{'a': [True, False, None], 'b': {}}");
    expect_text("\"as it is\"", "\"as it is\"", "as it is");
}

Test(python_text, escapes_strings_as_python_does)
{
    expect_text("[\"it's\"]", "[\"it's\"]", "[\"it's\"]");
    expect_text("[\"a\\\"b\"]", "[\"a\\\"b\"]", "['a\"b']");
    expect_text("[\"'\\\"\"]", "[\"'\\\"\"]", "['\\'\"']");
    expect_text("[\"\\n\\t\\u0001\\u007f\\\\\"]", "[\"\\n\\t\\u0001\x7F\\\\\"]", "['\\n\\t\\x01\\x7f\\\\']");
    expect_text("[\"\\u00e9\\u00a0\\u200b\"]", "[\"\xC3\xA9\xC2\xA0\xE2\x80\x8B\"]", "['\xC3\xA9\\xa0\\u200b']");
}
