/* The decoder of calls: every rule of docs/bfcl.md with cases by hand. Expected values are what CPython 3.11 gives. */
#include "eval/bfcl/python_calls.h"
#include "eval/bfcl/python_syntax.h"
#include "tests/unit/assert.h"

#include <stdio.h>
#include <stdlib.h>

/* repr of the decoded calls, or NULL where decoding raises; in static memory. */
static const char *decoded(const char *response, enum lfm_call_mode mode)
{
    static char text[1 << 16];
    struct lfm_arena arena = {0};
    struct lfm_error error;
    struct lfm_buffer out = {0};
    struct lfm_py_value *calls;
    enum lfm_status status = lfm_decode_calls(&arena, &calls, mode, lfm_span_of(response), &error);
    cr_assert(status == LFM_OK || status == LFM_ERROR_FORMAT, "status %d: %s", (int)status, error.message);
    if (status == LFM_OK) {
        assert_ok(lfm_py_repr(&out, calls, &error));
        snprintf(text, sizeof text, "%s", out.data);
    } else {
        cr_assert(error.message[0] != '\0');
    }
    lfm_buffer_release(&out);
    lfm_arena_release(&arena);
    return status == LFM_OK ? text : NULL;
}

static void assert_calls(const char *response, const char *expected)
{
    const char *got = decoded(response, LFM_CALLS_PROMPT);
    cr_assert(got && strcmp(got, expected) == 0, "%s decodes to\n  %s, expected\n  %s", response, got, expected);
}

/* One argument a=..., and what it becomes. */
static void assert_argument(const char *source, const char *expected)
{
    char response[1024], calls[1024];
    snprintf(response, sizeof response, "[f(a=%s)]", source);
    snprintf(calls, sizeof calls, "[{'f': {'a': %s}}]", expected);
    assert_calls(response, calls);
}

static void assert_refused(const char *response)
{
    const char *got = decoded(response, LFM_CALLS_PROMPT);
    cr_assert_null(got, "%s decodes to %s, but should not", response, got);
}

static void assert_argument_refused(const char *source)
{
    char response[1024];
    snprintf(response, sizeof response, "[f(a=%s)]", source);
    assert_refused(response);
}

Test(bfcl_decoder, brackets_are_added_and_quotes_and_fences_removed)
{
    assert_calls("[f(a=1)]", "[{'f': {'a': 1}}]");
    assert_calls("f(a=1)", "[{'f': {'a': 1}}]");
    assert_calls("```\n[f(a=1), g.h(b=2)]\n```", "[{'f': {'a': 1}}, {'g.h': {'b': 2}}]");
    assert_calls("", "[]");
    assert_refused("```python\n[f(a=1)]\n```");
    assert_refused("\t[f(a=1)]\t");
    assert_refused("I cannot do that.");
    assert_refused("[f(a=1)] [g(b=2)]");
    assert_refused("[f]");
    assert_refused("[f(a=1)][0]");
}

Test(bfcl_decoder, only_keyword_arguments_count)
{
    assert_calls("[f(1, *x, b=2)]", "[{'f': {'b': 2}}]");
    assert_calls("[f(**x)]", "[{'f': {None: 'x'}}]");
    assert_calls("[f(a=1, a=2)]", "[{'f': {'a': 2}}]");
    assert_calls("[f()(a=1), x[0].g(b=2)]", "[{'': {'a': 1}}, {'g': {'b': 2}}]");
    assert_refused("[f(a=1, 2)]");
    assert_refused("[f(**x, *y)]");
    assert_refused("[f(from=1)]");
    assert_refused("[f(1=2)]");
    assert_refused("[f(a.b=2)]");
    assert_refused("[f(x for x in y, 1)]");
    assert_calls("[f(x for x in y)]", "[{'f': {}}]");
    assert_calls("[f(b := 1)]", "[{'f': {}}]");
}

Test(bfcl_decoder, numbers_are_pythons)
{
    assert_argument("1_000", "1000");
    assert_argument("0x_1F", "31");
    assert_argument("0o17", "15");
    assert_argument("0B11", "3");
    assert_argument("00", "0");
    assert_argument(".5", "0.5");
    assert_argument("1.", "1.0");
    assert_argument("1E-5", "1e-05");
    assert_argument("1e16", "1e+16");
    assert_argument("1e400", "inf");
    assert_argument("012.5", "12.5");
    assert_argument("2J", "2j");
    assert_argument("9223372036854775807", "9223372036854775807");
    assert_argument("9223372036854775808", "9223372036854775808");
    assert_argument("0xFFFFFFFFFFFFFFFFFF", "4722366482869645213695");
    static const char *const wrong[] = {"007", "1__0", "1_", "0_1", "0x", "0b2", "1.5.2", "2024-01-05", "5px", "1_.5"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_argument_refused(wrong[i]);
}

Test(bfcl_decoder, strings_are_pythons)
{
    assert_argument("'it\\'s'", "\"it's\"");
    assert_argument("'a' \"b\" '''c\nd'''", "'abc\\nd'");
    assert_argument("'\\x41\\u00e9\\U0001F600\\101\\N{BULLET}'", "'A\xC3\xA9\xF0\x9F\x98\x80" "A\xE2\x80\xA2'");
    assert_argument("'\\q\\\\'", "'\\\\q\\\\'");
    assert_argument("r'\\n'", "'\\\\n'");
    assert_argument("'a\\\nb'", "'ab'");
    assert_argument("'''a\r\nb'''", "'a\\nb'");
    assert_argument("Rb'\\x'", "b'\\\\x'");
    assert_argument("b'\\x00\\xff'", "b'\\x00\\xff'");
    assert_argument("u'x'", "'x'");
    assert_argument("'\\ud800'", "'\\ud800'");
    static const char *const wrong[] = {"'x",
                                        "'x\ny'",
                                        "'\\x4'",
                                        "'\\u12'",
                                        "'\\N{NO SUCH THING}'",
                                        "'\\U00110000'",
                                        "b'\xC3\xA9'",
                                        "'a' b'b'",
                                        "ur'x'",
                                        "\xE2\x80\x9Cx\xE2\x80\x9D"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_argument_refused(wrong[i]);
}

Test(bfcl_decoder, format_strings_are_no_values_but_must_be_well_formed)
{
    static const char *const right[] = {"f''", "f'{x}'", "rf'{x!r:>{w}}'", "f'{{}}'", "f'{a[\"b\"] != c}'", "f'{x = }'",
                                        "F'{(lambda: 1)}' 'b'", "f'\\N{BULLET}'"};
    static const char *const wrong[] = {"f'{'",     "f'}'",      "f'{}'",       "f'{x!z}'",      "f'{x:{y:{z}}}'",
                                        "f'{a b}'", "f'{\\n}'", "f'{(]}'",     "f'{x#}'",       "f'\\x4'"};
    char response[128];
    assert_argument_refused("f'x'");
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        snprintf(response, sizeof response, "[f(%s)]", right[i]);
        assert_calls(response, "[{'f': {}}]");
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(response, sizeof response, "[f(%s)]", wrong[i]);
        assert_refused(response);
    }
}

Test(bfcl_decoder, any_sign_negates_a_literal)
{
    assert_argument("-5", "-5");
    assert_argument("+5", "-5");
    assert_argument("~5", "-5");
    assert_argument("not True", "-1");
    assert_argument("-9223372036854775808", "-9223372036854775808");
    assert_argument("-1.5", "-1.5");
    assert_argument_refused("--1");
    assert_argument_refused("-x");
    assert_argument_refused("-'a'");
    assert_argument_refused("-2**2");
}

Test(bfcl_decoder, constant_expressions_are_evaluated)
{
    assert_argument("1+2*3", "7");
    assert_argument("7/2", "3.5");
    assert_argument("-7//2", "-4");
    assert_argument("(-7)%3", "2");
    assert_argument("7.5%-2", "-0.5");
    assert_argument("2**-1", "0.5");
    assert_argument("2**3**2", "512");
    assert_argument("2**63", "9223372036854775808");
    assert_argument("1<<4|1", "17");
    assert_argument("True & False", "False");
    assert_argument("True + True", "2");
    assert_argument("0.1+0.2", "0.30000000000000004");
    assert_argument("'a'+'b'*2", "'abb'");
    assert_argument("[1]*2+[(2,)]", "[1, 1, (2,)]");
    assert_argument("1+2j", "(1+2j)");
    assert_argument("{'a': 1} | {'b': 2}", "{'a': 1, 'b': 2}");
    static const char *const wrong[] = {"1/0",   "1+x",    "len('a')+1", "'a'+1",   "1@2",
                                        "0**-1", "1.5<<1", "'a'*10**9",  "9**9**9", "1<<-1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_argument_refused(wrong[i]);
}

Test(bfcl_decoder, names_calls_and_subscripts_become_text)
{
    assert_argument("true", "'true'");
    assert_argument("...", "'...'");
    assert_argument("g()", "'g()'");
    assert_argument("g( 1,x ,'a')", "\"g(1, x, 'a')\"");
    assert_argument("g(b=1)", "{'g': {'b': 1}}");
    assert_argument("x[0]", "'x[0]'");
    assert_argument("x [ 'k' ] [1:2, ...]", "\"x['k'][(1:2, ...)]\"");
    assert_argument("[1, (2, 3), (), (4)]", "[1, (2, 3), (), 4]");
    assert_argument("{'k': {1: None}, j: true}", "{'k': {1: None}, 'j': 'true'}");
    assert_argument("{'k': 1, k: 2}", "{'k': 2}");
    static const char *const wrong[] = {"x.y",   "{1, 2}",  "{**x}",     "{[1]: 2}",      "[i for i in x]",
                                        "1 < 2", "x and y", "lambda: 1", "1 if 1 else 2", "*x",
                                        "yield", "await x"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_argument_refused(wrong[i]);
}

Test(bfcl_decoder, names_are_normalised)
{
    assert_calls("[\xEF\xAC\x81(\xEF\xAC\x81=1)]", "[{'fi': {'fi': 1}}]");
    assert_calls("[\xC3\xA9(a=1)]", "[{'\xC3\xA9': {'a': 1}}]");
    assert_refused("[f(\xC2\xB2=1)]");
}

Test(bfcl_decoder, comments_and_newlines_may_stand_inside_brackets)
{
    assert_calls("[f(a=1, # one\n  b=2),\r\n g(c=\\\n3)]", "[{'f': {'a': 1, 'b': 2}}, {'g': {'c': 3}}]");
    assert_refused("[f(a=1) # c]");
    assert_refused("[f(a=1)]\n[f(a=1)]");
}

/* ast.unparse of a subscripted expression, which the decoder keeps as text. */
static void assert_unparsed(const char *source, const char *expected)
{
    struct lfm_arena arena = {0};
    struct lfm_error error;
    struct lfm_buffer out = {0};
    struct lfm_node *node;
    assert_ok(lfm_py_parse(&arena, &node, lfm_span_of(source), &error));
    assert_ok(lfm_py_unparse(&out, node, &error));
    cr_assert_str_eq(out.data, expected);
    lfm_buffer_release(&out);
    lfm_arena_release(&arena);
}

Test(bfcl_decoder, expressions_are_written_as_ast_unparse_writes_them)
{
    assert_unparsed("(a+b)*c-(d-e)**-f", "(a + b) * c - (d - e) ** (-f)");
    assert_unparsed("not(a)or(b and c)", "not a or (b and c)");
    assert_unparsed("a<b in c is not d", "a < b in c is not d");
    assert_unparsed("(x if y else z)if(u)else v", "(x if y else z) if u else v");
    assert_unparsed("lambda a,b=1,/,*c,d,**e:(a,)", "lambda a, b=1, /, *c, d, **e: (a,)");
    assert_unparsed("{a:b for a,b in c if d if e}", "{a: b for a, b in c if d if e}");
    assert_unparsed("f(x,k=1,*y)", "f(x, *y, k=1)");
    assert_unparsed("1 .real", "1 .real");
    assert_unparsed("u'a'[::2]", "u'a'[::2]");
    assert_unparsed("{**a,'b':(c:=1)}", "{**a, 'b': (c := 1)}");
    assert_unparsed("1e999+0x10", "1e309 + 16");
    assert_unparsed("a,", "(a,)");
}

static char *repeated(const char *part, size_t n, const char *middle, const char *end)
{
    char *text = calloc(n * (strlen(part) + strlen(end)) + strlen(middle) + 1, 1), *at = text;
    cr_assert_not_null(text);
    for (size_t i = 0; i < n; i++) at += sprintf(at, "%s", part);
    at += sprintf(at, "%s", middle);
    for (size_t i = 0; i < n; i++) at += sprintf(at, "%s", end);
    return text;
}

Test(bfcl_decoder, deep_nesting_is_refused_and_does_not_crash)
{
    static const char *const parts[][3] = {
        {"[", "1", "]"},   {"f(a=", "1", ")"},   {"f(", "1", ")"},          {"-", "1", ""},
        {"not ", "1", ""}, {"x.", "x", ""},      {"1+", "1", ""},           {"2**", "1", ""},
        {"x[", "1", "]"},  {"lambda:", "1", ""}, {"a if b else ", "c", ""}, {"{", "1", "}"},
        {"(", "", ")"},    {"await ", "x", ""},  {"{1:", "1", "}"},         {"x", "", "()"}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char *argument = repeated(parts[i][0], 100000, parts[i][1], parts[i][2]);
        char *response = calloc(strlen(argument) + 16, 1);
        sprintf(response, "[f(a=%s)]", argument);
        assert_refused(response);
        free(response);
        free(argument);
    }
}

Test(bfcl_decoder, two_hundred_brackets_are_the_limit)
{
    char *inside = repeated("[", 198, "f(a=1)", "]"), *fits = repeated("[", 197, "1", "]");
    char response[1024];
    assert_refused(inside);
    snprintf(response, sizeof response, "[f(a=[%s])]", fits);
    cr_assert_not_null(decoded(response, LFM_CALLS_PROMPT));
    snprintf(response, sizeof response, "[f(a=[[%s]])]", fits);
    assert_refused(response);
    free(inside);
    free(fits);
}

static void assert_lfm2(const char *response, const char *reasoning, const char *visible, const char *calls)
{
    struct lfm_arena arena = {0};
    struct lfm_error error;
    struct lfm_lfm2_response parts;
    assert_ok(lfm_split_lfm2(&arena, &parts, lfm_span_of(response), &error));
    cr_assert(lfm_span_equals(parts.reasoning, lfm_span_of(reasoning)), "reasoning '%.*s'", (int)parts.reasoning.length,
              parts.reasoning.at);
    cr_assert(lfm_span_equals(parts.visible, lfm_span_of(visible)), "visible '%.*s'", (int)parts.visible.length,
              parts.visible.at);
    cr_assert(lfm_span_equals(parts.calls, lfm_span_of(calls)), "calls '%.*s'", (int)parts.calls.length,
              parts.calls.at);
    lfm_arena_release(&arena);
}

#define OPEN "<|tool_call_start|>"
#define CLOSE "<|tool_call_end|>"

Test(bfcl_decoder, responses_of_lfm2_have_reasoning_and_calls)
{
    assert_lfm2("<think>\n a \n</think>\n\nb" OPEN "[f()]" CLOSE "c", "a", "b" OPEN "[f()]" CLOSE "c", "[f()]");
    assert_lfm2("<think>a" OPEN "[g()]" CLOSE "</think>" OPEN " [f()] " CLOSE OPEN "[h()]" CLOSE,
                "a" OPEN "[g()]" CLOSE, OPEN " [f()] " CLOSE OPEN "[h()]" CLOSE, "[f()]");
    assert_lfm2("<think>a</think>b<think>c</think>d", "a", "bd", "bd");
    assert_lfm2("\n<think>open", "", "\n<think>open", "\n<think>open");
    assert_lfm2(OPEN "[f()]", "", OPEN "[f()]", OPEN "[f()]");
    assert_lfm2("", "", "", "");
}

Test(bfcl_decoder, what_lfm2_writes_wrongly_is_no_call)
{
    cr_assert_str_eq(decoded(OPEN "[f(a=1)]" CLOSE, LFM_CALLS_LFM2), "[{'f': {'a': 1}}]");
    cr_assert_str_eq(decoded(OPEN "[f(a=1]" CLOSE, LFM_CALLS_LFM2), "[]");
    cr_assert_str_eq(decoded("Hello!", LFM_CALLS_LFM2), "[]");
}

Test(bfcl_decoder, recorded_calls_come_from_all_blocks_and_hold_literals)
{
    struct lfm_arena arena = {0};
    struct lfm_error error;
    struct lfm_buffer out = {0};
    struct lfm_py_value *calls;
    const char *visible = OPEN "[f(a=-1, b=x), g(a=1+1), h(1)]" CLOSE " and " OPEN "\n[i(a={'k': (1,)})]\n" CLOSE OPEN
                               "[j(" CLOSE;
    assert_ok(lfm_lfm2_tool_calls(&arena, &calls, lfm_span_of(visible), &error));
    assert_ok(lfm_py_repr(&out, calls, &error));
    cr_assert_str_eq(out.data, "[{'name': 'f', 'arguments': {'a': -1, 'b': 'x'}}, {'name': 'h', 'arguments': {}}, "
                               "{'name': 'i', 'arguments': {'a': {'k': (1,)}}}]");
    lfm_buffer_release(&out);
    lfm_arena_release(&arena);
}

Test(bfcl_decoder, many_unfinished_blocks_are_read_in_no_time)
{
    struct lfm_arena arena = {0};
    struct lfm_error error;
    struct lfm_py_value *calls;
    char *opens = repeated(OPEN "[", 50000, "", CLOSE);
    assert_ok(lfm_lfm2_tool_calls(&arena, &calls, lfm_span_of(opens), &error));
    cr_assert_eq(calls->count, 0);
    cr_assert_str_eq(decoded(opens, LFM_CALLS_LFM2), "[]");
    lfm_arena_release(&arena);
    free(opens);
}

Test(bfcl_decoder, tool_calls_of_openai_are_json)
{
    static const char *const same[] = {
        "[{\"id\": \"1\", \"function\": {\"name\": \"f\", \"arguments\": \"{\\\"a\\\": 1.0}\"}}]",
        "{\"role\": \"assistant\", \"tool_calls\": [{\"function\": {\"name\": \"f\", \"arguments\": {\"a\": 1.0}}}]}",
        "[{\"name\": \"f\", \"arguments\": {\"a\": 1.0}}]",
        "[{\"f\": \"{\\\"a\\\": 1.0}\"}]",
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        cr_assert_str_eq(decoded(same[i], LFM_CALLS_OPENAI), "[{'f': {'a': 1.0}}]");
    cr_assert_null(decoded("I cannot.", LFM_CALLS_OPENAI));
    cr_assert_null(decoded("[{\"f\": \"{\"}]", LFM_CALLS_OPENAI));
    cr_assert_null(decoded("[3]", LFM_CALLS_OPENAI));
    cr_assert_null(decoded("[{}]", LFM_CALLS_OPENAI));
}

static void assert_json(const char *text, const char *expected)
{
    struct lfm_arena arena = {0};
    struct lfm_error error;
    struct lfm_buffer out = {0};
    struct lfm_py_value *value;
    enum lfm_status status = lfm_py_json_value(&arena, &value, lfm_span_of(text), "test", &error);
    cr_assert(status == (expected ? LFM_OK : LFM_ERROR_FORMAT), "%s gave status %d", text, (int)status);
    if (expected) {
        assert_ok(lfm_py_repr(&out, value, &error));
        cr_assert_str_eq(out.data, expected);
    }
    lfm_buffer_release(&out);
    lfm_arena_release(&arena);
}

Test(bfcl_decoder, json_is_what_json_loads_takes)
{
    assert_json(" {\"a\": [1, 1.0, -0, -0.0, 1e2, true, null]} ", "{'a': [1, 1.0, 0, -0.0, 100.0, True, None]}");
    assert_json("\"\\u00e9\\ud83d\\ude00\\ud83d\\/\"", "'\xC3\xA9\xF0\x9F\x98\x80\\ud83d/'");
    assert_json("{\"a\": 1, \"a\": 2}", "{'a': 2}");
    assert_json("[NaN, -Infinity]", "[nan, -inf]");
    static const char *const wrong[] = {"",      "[1,]",    "01", "1.", "{a: 1}", "'a'", "\"\n\"",
                                        "[1] 2", "\"\\q\"", "+1", "[1", "\"a",    "-"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_json(wrong[i], NULL);
    char *deep = repeated("[", 100000, "", "]");
    assert_json(deep, NULL);
    free(deep);
}

Test(bfcl_decoder, calls_with_very_many_arguments_are_read_in_no_time, .timeout = 60)
{
    enum { MANY = 100000 };
    struct lfm_arena arena = {0};
    struct lfm_error error;
    struct lfm_buffer text = {0};
    struct lfm_py_value *calls;
    assert_ok(lfm_buffer_puts(&text, "[f(", &error));
    for (int i = 0; i < MANY; i++) assert_ok(lfm_buffer_printf(&text, &error, "%sa%d=%d", i ? ", " : "", i, i));
    assert_ok(lfm_buffer_puts(&text, ", a77=-1)]", &error));
    assert_ok(lfm_decode_calls(&arena, &calls, LFM_CALLS_PROMPT, (struct lfm_span){text.data, text.length}, &error));
    const struct lfm_py_value *arguments = calls->items[0]->items[1];
    cr_assert_eq(arguments->count, 2 * MANY);
    cr_assert_eq(lfm_py_get_named(arguments, "a99999")->integer, 99999);
    cr_assert_eq(lfm_py_get_named(arguments, "a77")->integer, -1, "the last value of a name counts");
    cr_assert_null(lfm_py_get_named(arguments, "a100000"));
    lfm_buffer_release(&text);
    lfm_arena_release(&arena);
}

Test(python_value, keys_of_large_dicts_are_those_of_small_ones)
{
    struct lfm_arena arena = {0};
    struct lfm_error error;
    struct lfm_py_value *dict, *key, *text;
    assert_ok(lfm_py_new(&arena, &dict, LFM_PY_DICT, &error));
    for (int64_t i = 0; i < 200; i++) {
        assert_ok(lfm_py_new_int(&arena, &key, i, &error));
        assert_ok(lfm_py_set(&arena, dict, key, key, &error));
    }
    assert_ok(lfm_py_new_str(&arena, &text, lfm_span_of("new"), &error));
    const struct lfm_py_value same[] = {{.type = LFM_PY_FLOAT, .real = 150}, {.type = LFM_PY_BOOL, .boolean = true, .integer = 1},
                                        {.type = LFM_PY_COMPLEX, .real = 7}, {.type = LFM_PY_FLOAT, .real = -0.0}};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        assert_ok(lfm_py_set(&arena, dict, &same[i], text, &error));
        cr_assert_eq(lfm_py_get(dict, &same[i]), text);
    }
    cr_assert_eq(dict->count, 400, "1.0, True and 1 are one key");
    cr_assert_eq(dict->items[2 * 150]->type, LFM_PY_INT, "the first key stays");
    const struct lfm_py_value half = {.type = LFM_PY_FLOAT, .real = 1.5}, digit = {.type = LFM_PY_STR, .text = {"1", 1}};
    cr_assert_null(lfm_py_get(dict, &half));
    cr_assert_null(lfm_py_get(dict, &digit));

    /* A copy goes its own way. */
    struct lfm_py_value copy = *dict;
    copy.items = NULL;
    copy.count = copy.capacity = 0;
    for (size_t i = 0; i < 200; i++) assert_ok(lfm_py_append(&arena, &copy, dict->items[i], &error));
    assert_ok(lfm_py_set(&arena, &copy, &digit, text, &error));
    cr_assert_eq(lfm_py_get(&copy, &digit), text);
    cr_assert_eq(copy.count, 202);
    cr_assert_null(lfm_py_get(dict, &digit));
    lfm_arena_release(&arena);
}

Test(python_value, numbers_of_different_types_can_be_equal)
{
    struct lfm_arena arena = {0};
    struct lfm_error error;
    static const struct {
        const char *a, *b;
        bool equal;
    } pairs[] = {{"1", "1.0", true}, {"1", "1.5", false},
                 {"True", "1", true},
                 {"0", "False", true},
                 {"1", "'1'", false},
                 {"[1]", "(1,)", false},
                 {"{'a': 1, 'b': 2}", "{'b': 2.0, 'a': True}", true},
                 {"2**53", "2.0**53", true},
                 {"2**53+1", "2.0**53", false},
                 {"10**20", "1e20", true},
                 {"1", "1+0j", true},
                 {"None", "0", false},
                 {"'a'", "b'a'", false},
                 {"[1, [2]]", "[1, [2.0]]", true}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct lfm_node *a, *b;
        struct lfm_py_value *x, *y;
        assert_ok(lfm_py_parse(&arena, &a, lfm_span_of(pairs[i].a), &error));
        assert_ok(lfm_py_parse(&arena, &b, lfm_span_of(pairs[i].b), &error));
        assert_ok(lfm_py_evaluate(&arena, &x, a, &error));
        assert_ok(lfm_py_evaluate(&arena, &y, b, &error));
        cr_assert_eq(lfm_py_equal(x, y), pairs[i].equal, "%s == %s", pairs[i].a, pairs[i].b);
        cr_assert_eq(lfm_py_equal(y, x), pairs[i].equal, "%s == %s", pairs[i].b, pairs[i].a);
    }
    lfm_arena_release(&arena);
}
