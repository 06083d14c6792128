/* BFCL's checker and data: every rule of docs/bfcl.md with questions made for it. */
#include "eval/bfcl/ast_checker.h"
#include "eval/bfcl/bfcl.h"
#include "reference/base/file.h"
#include "reference/base/memory.h"
#include "tests/unit/assert.h"
#include "tests/unit/directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A question about function f: properties and possible answers as JSON, "a" required. */
struct case_of {
    const char *properties, *answers;
};

static struct lfm_py_value *json(struct lfm_arena *arena, const char *text)
{
    struct lfm_error error;
    struct lfm_py_value *value;
    assert_ok(lfm_py_json_value(arena, &value, lfm_span_of(text), "test", &error));
    return value;
}

static const char *check(const char *functions, const char *truth, enum lfm_bfcl_matching matching, bool dots,
                         const char *response)
{
    struct lfm_arena arena = {0};
    struct lfm_error error;
    struct lfm_py_value *calls;
    const char *error_type;
    struct lfm_bfcl_question question = {json(&arena, functions), json(&arena, truth), matching, dots};
    assert_ok(lfm_decode_calls(&arena, &calls, LFM_CALLS_PROMPT, lfm_span_of(response), &error));
    assert_ok(lfm_bfcl_check(&error_type, &question, calls, &error));
    lfm_arena_release(&arena);
    return error_type;
}

static void assert_verdict(const char *got, const char *expected, const char *what)
{
    bool same = got && expected ? strcmp(got, expected) == 0 : !got && !expected;
    cr_assert(same, "%s: got %s, expected %s", what, got ? got : "valid", expected ? expected : "valid");
}

static void assert_simple(const struct case_of *question, const char *response, const char *expected)
{
    char functions[1024], truth[1024];
    snprintf(functions, sizeof functions,
             "[{\"name\": \"m.f\", \"parameters\": {\"type\": \"dict\", \"properties\": %s, \"required\": [\"a\"]}}]",
             question->properties);
    snprintf(truth, sizeof truth, "[{\"m.f\": %s}]", question->answers);
    assert_verdict(check(functions, truth, LFM_BFCL_SIMPLE, false, response), expected, response);
}

/* f has one parameter a of this type. */
static void assert_one(const char *type, const char *answers, const char *argument, const char *expected)
{
    char properties[512], possible[512], response[512];
    snprintf(properties, sizeof properties, "{\"a\": {%s}}", type);
    snprintf(possible, sizeof possible, "{\"a\": %s}", answers);
    snprintf(response, sizeof response, "[m.f(a=%s)]", argument);
    const struct case_of question = {properties, possible};
    assert_simple(&question, response, expected);
}

#define INTEGER "\"type\": \"integer\""
#define FLOAT "\"type\": \"float\""
#define STRING "\"type\": \"string\""
#define BOOLEAN "\"type\": \"boolean\""
#define DICT "\"type\": \"dict\""
#define ARRAY_OF(type) "\"type\": \"array\", \"items\": {" type "}"
#define TUPLE_OF(type) "\"type\": \"tuple\", \"items\": {" type "}"

Test(bfcl_checker, the_function_and_its_parameters_come_first)
{
    const struct case_of question = {"{\"a\": {" INTEGER "}, \"b\": {" INTEGER "}, \"c\": {" INTEGER "}}",
                                     "{\"a\": [1], \"b\": [\"\", 2], \"c\": [3]}"};
    assert_simple(&question, "[m.f(a=1, b=2, c=3)]", NULL);
    assert_simple(&question, "[m.f(c=3, a=1)]", NULL);
    assert_simple(&question, "[]", "simple_function_checker:wrong_count");
    assert_simple(&question, "[m.f(a=1, c=3), m.f(a=1, c=3)]", "simple_function_checker:wrong_count");
    assert_simple(&question, "[m_f(a=1, c=3)]", "simple_function_checker:wrong_func_name");
    assert_simple(&question, "[m.f(b=9, d=1)]", "simple_function_checker:missing_required");
    assert_simple(&question, "[m.f(a=1, d=1)]", "simple_function_checker:unexpected_param");
    assert_simple(&question, "[m.f(a=1, **x)]", "simple_function_checker:unexpected_param");
    assert_simple(&question, "[m.f(a=1, b=2)]", "simple_function_checker:missing_optional");
    assert_simple(&question, "[m.f(a='1', d=1)]", "type_error:simple");
    assert_simple(&question, "[m.f(a=2, d=1)]", "value_error:others");
}

Test(bfcl_checker, a_parameter_without_possible_answers_is_unexpected)
{
    const struct case_of question = {"{\"a\": {" INTEGER "}, \"b\": {" INTEGER "}}", "{\"a\": [1]}"};
    assert_simple(&question, "[m.f(a=1, b=2)]", "simple_function_checker:unexpected_param");
}

Test(bfcl_checker, types_are_pythons_and_bool_is_not_int)
{
    assert_one(INTEGER, "[1]", "1", NULL);
    assert_one(INTEGER, "[1]", "1.0", "type_error:simple");
    assert_one(INTEGER, "[1]", "True", "type_error:simple");
    assert_one(INTEGER, "[1]", "2", "value_error:others");
    assert_one(BOOLEAN, "[true]", "True", NULL);
    assert_one(BOOLEAN, "[true]", "true", "type_error:simple");
    assert_one(BOOLEAN, "[true]", "1", "type_error:simple");
    assert_one("\"type\": \"any\"", "[\"x\"]", "'X'", NULL);
}

Test(bfcl_checker, an_int_serves_as_a_float)
{
    assert_one(FLOAT, "[1.5, 2.0]", "2", NULL);
    assert_one(FLOAT, "[1.5]", "1.5", NULL);
    assert_one(FLOAT, "[2.0]", "True", "type_error:simple");
    assert_one(FLOAT, "[1e20]", "10**20", NULL);
}

Test(bfcl_checker, answers_of_another_type_stand_for_variables)
{
    assert_one(INTEGER, "[\"n\"]", "n", NULL);
    assert_one(INTEGER, "[\"n\"]", "N", "value_error:others");
    assert_one(INTEGER, "[\"\", \"n\"]", "7", "value_error:others");
    assert_one(FLOAT, "[5]", "5", NULL);
    assert_one(FLOAT, "[5]", "5.0", NULL);
    assert_one(DICT, "[\"d\"]", "'d'", NULL);
    assert_one(INTEGER, "[\"\"]", "7", "value_error:others");
    assert_one(INTEGER, "[null, 7]", "None", NULL);
}

Test(bfcl_checker, strings_are_compared_without_case_spaces_and_punctuation)
{
    assert_one(STRING, "[\"April 1, 2024\"]", "'april-1/2024.'", NULL);
    assert_one(STRING, "[\"a ,./-_*^b\"]", "'ab'", NULL);
    assert_one(STRING, "[\"it's\"]", "'IT\"S'", NULL);
    assert_one(STRING, "[\"a:b\"]", "'ab'", "value_error:string");
    assert_one(STRING, "[\"a\", \"\"]", "' '", NULL);
    assert_one(STRING, "[\"\xC3\x89t\xC3\xA9\"]", "'\xC3\xA9T\xC3\x89'", NULL);
    assert_one(STRING, "[\"\\ud800a\"]", "'\\ud800A'", NULL);
}

Test(bfcl_checker, lists_are_compared_in_order_with_strings_standardised)
{
    assert_one(ARRAY_OF(STRING), "[[\"a b\", \"c\"]]", "['AB', 'C.']", NULL);
    assert_one(ARRAY_OF(STRING), "[[\"a\", \"b\"]]", "['b', 'a']", "value_error:list/tuple");
    assert_one(ARRAY_OF(INTEGER), "[[1, 2], [3]]", "[3]", NULL);
    assert_one(ARRAY_OF(INTEGER), "[[1, 2]]", "[1, '2']", "type_error:nested");
    assert_one(ARRAY_OF(INTEGER), "[[1, 2]]", "(1, 2)", "type_error:simple");
    assert_one(ARRAY_OF(FLOAT), "[[1.0]]", "[1]", "type_error:nested");
    assert_one(ARRAY_OF(FLOAT), "[[1]]", "[1.0]", NULL);
    assert_one(ARRAY_OF(ARRAY_OF(STRING)), "[[[\"a\"]]]", "[['A']]", "value_error:list/tuple");
    assert_one(ARRAY_OF(INTEGER), "[\"\"]", "[]", NULL);
    assert_one(ARRAY_OF(INTEGER), "[\"v\"]", "v", NULL);
    assert_one(TUPLE_OF(INTEGER), "[[1, 2]]", "(1, 2)", NULL);
    assert_one(TUPLE_OF(INTEGER), "[[1, 2]]", "[1, 2]", NULL);
}

Test(bfcl_checker, dicts_have_possible_answers_for_each_key)
{
    const char *answers = "[{\"k\": [\"v w\", \"\"], \"n\": [1]}]";
    assert_one(DICT, answers, "{'k': 'VW', 'n': 1}", NULL);
    assert_one(DICT, answers, "{'n': True}", NULL);
    assert_one(DICT, answers, "{'k': 'v w'}", "value_error:dict_key");
    assert_one(DICT, answers, "{'n': 1, 'x': 1}", "value_error:dict_key");
    assert_one(DICT, answers, "{'n': 2}", "value_error:dict_value");
    assert_one(DICT, answers, "{'k': 'z'}", "value_error:dict_key");
    assert_one(DICT, "[\"\", {\"n\": [1]}, {\"n\": [2]}]", "{'n': 2}", NULL);
    assert_one(DICT, "[\"\"]", "{}", "dict_checker:unclear");
    assert_one(DICT, "[{\"k\": [{\"j\": [1]}]}]", "{'k': {'j': 1}}", "value_error:dict_value");
    assert_one(DICT, "[{\"k\": {\"x\": 1}}, {\"j\": [2]}]", "{'j': 2}", NULL);
    assert_one(DICT, "[{\"k\": {\"x\": \"\"}}]", "{}", "value_error:dict_key");
    assert_one(DICT, "[{\"k\": {\"\": 1}}]", "{}", NULL);
    assert_one(DICT, "[{\"k\": 1}, {\"j\": [2]}]", "{'j': 2}", "ast_checker:exception");
}

Test(bfcl_checker, lists_of_dicts_are_compared_in_pairs)
{
    const char *answers = "[[{\"n\": [1]}, {\"n\": [2]}]]";
    assert_one(ARRAY_OF(DICT), answers, "[{'n': 1}, {'n': 2}]", NULL);
    assert_one(ARRAY_OF(DICT), answers, "[{'n': 2}, {'n': 1}]", "value_error:dict_value");
    assert_one(ARRAY_OF(DICT), answers, "[{'n': 1}]", "value_error:list_dict_count");
    assert_one(ARRAY_OF(DICT), "[\"\"]", "[]", NULL);
    assert_one(ARRAY_OF(DICT), "[[{\"n\": [1]}], \"\"]", "[1]", "ast_checker:exception");
}

#define FUNCTION(name, type)                                                                                           \
    "{\"name\": \"" name "\", \"parameters\": {\"type\": \"dict\", \"properties\": {\"a\": {" type                     \
    "}}, \"required\": [\"a\"]}}"
#define TWO_FUNCTIONS "[" FUNCTION("f", INTEGER) ", " FUNCTION("g.h", STRING) "]"

Test(bfcl_checker, one_of_several_functions_is_found_by_the_answers_name)
{
    const char *truth = "[{\"g.h\": {\"a\": [\"x\"]}}]";
    assert_verdict(check(TWO_FUNCTIONS, truth, LFM_BFCL_MULTIPLE, false, "[g.h(a='x')]"), NULL, "multiple");
    assert_verdict(check(TWO_FUNCTIONS, truth, LFM_BFCL_MULTIPLE, true, "[g_h(a='x')]"), NULL, "multiple");
    assert_verdict(check(TWO_FUNCTIONS, truth, LFM_BFCL_MULTIPLE, true, "[g.h(a='x')]"),
                   "simple_function_checker:wrong_func_name", "dots");
    assert_verdict(check(TWO_FUNCTIONS, truth, LFM_BFCL_MULTIPLE, false, "[f(a=1)]"),
                   "simple_function_checker:wrong_func_name", "other");
    assert_verdict(check(TWO_FUNCTIONS, truth, LFM_BFCL_MULTIPLE, false, "[]"), "multiple_function_checker:wrong_count",
                   "none");
}

Test(bfcl_checker, parallel_calls_match_in_any_order_and_greedily)
{
    const char *truth = "[{\"f\": {\"a\": [1, 2]}}, {\"f\": {\"a\": [1]}}, {\"g.h\": {\"a\": [\"x\"]}}]";
    const char *no_match = "parallel_function_checker_no_order:cannot_find_match";
    assert_verdict(check(TWO_FUNCTIONS, truth, LFM_BFCL_PARALLEL, false, "[g.h(a='X'), f(a=2), f(a=1)]"), NULL,
                   "order");
    /* The first answer takes the 1 that the second one needs. */
    assert_verdict(check(TWO_FUNCTIONS, truth, LFM_BFCL_PARALLEL, false, "[f(a=1), f(a=2), g.h(a='x')]"), no_match,
                   "greedy");
    assert_verdict(check(TWO_FUNCTIONS, truth, LFM_BFCL_PARALLEL, false, "[f(a=1)]"),
                   "parallel_function_checker_no_order:wrong_count", "count");
}

Test(bfcl_checker, what_is_no_list_of_calls_has_the_wrong_format)
{
    struct lfm_arena arena = {0};
    struct lfm_error error;
    const char *error_type;
    struct lfm_bfcl_question question = {json(&arena, TWO_FUNCTIONS), json(&arena, "[{\"f\": {\"a\": [1]}}]"),
                                         LFM_BFCL_SIMPLE, false};
    static const char *const wrong[] = {"{}", "[1]", "[{}]", "[{\"f\": 1}]", "[{\"f\": {}, \"g\": {}}]", "\"f\""};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_ok(lfm_bfcl_check(&error_type, &question, json(&arena, wrong[i]), &error));
        assert_verdict(error_type, "ast_decoder:decoder_wrong_output_format", wrong[i]);
    }
    lfm_arena_release(&arena);
}

/* --- data --- */

#define QUESTION(id, function) \
    "{\"id\": \"" id "\", \"question\": [[{\"role\": \"user\", \"content\": \"?\"}]], \"function\": [" function "]}\n"
#define ANSWER(id, name) "{\"id\": \"" id "\", \"ground_truth\": [{\"" name "\": {\"a\": [1]}}]}\n"

static void make_data(void)
{
    make_directory();
    write_text("BFCL_v4_simple_python.json", QUESTION("simple_python_0", FUNCTION("f", INTEGER)) "\n"
                                                    QUESTION("simple_python_1", FUNCTION("g.h", FLOAT)));
    write_text("possible_answer/BFCL_v4_simple_python.json",
             ANSWER("simple_python_1", "g.h") ANSWER("simple_python_0", "f"));
    write_text("BFCL_v3_java.json", QUESTION("java_0", FUNCTION("f", "\"type\": \"String\"")));
    write_text("possible_answer/BFCL_v3_java.json", ANSWER("java_0", "f"));
    write_text("BFCL_v4_irrelevance.json", QUESTION("irrelevance_0", FUNCTION("f", INTEGER)));
    write_text("BFCL_v4_live_relevance.json", QUESTION("live_relevance_0", FUNCTION("f", INTEGER)));
}

static void assert_score(const struct lfm_bfcl_data *data, const char *id, enum lfm_call_mode mode,
                         const char *response, const char *expected)
{
    struct lfm_error error;
    struct lfm_bfcl_verdict verdict;
    const struct lfm_bfcl_item *item = lfm_bfcl_find(data, id);
    cr_assert_not_null(item, "no item %s", id);
    assert_ok(lfm_bfcl_score(&verdict, item, mode, lfm_span_of(response), &error));
    cr_assert(verdict.scored);
    cr_assert_eq(verdict.valid, expected == NULL, "%s: %s", id, response);
    assert_verdict(verdict.error_type, expected, response);
}

Test(bfcl, responses_are_scored_by_category_and_mode)
{
    make_data();
    struct lfm_bfcl_data data;
    struct lfm_error error;
    assert_ok(lfm_bfcl_open(&data, in_directory(""), &error));
    cr_assert_eq(data.count, 5);
    cr_assert_null(lfm_bfcl_find(&data, "simple_python_2"));
    cr_assert_eq(lfm_bfcl_find(&data, "java_0")->category, LFM_BFCL_SIMPLE_JAVA);
    assert_score(&data, "simple_python_0", LFM_CALLS_PROMPT, "[f(a=1)]", NULL);
    assert_score(&data, "simple_python_0", LFM_CALLS_PROMPT, "I will call f.", "ast_decoder:decoder_failed");
    assert_score(&data, "simple_python_0", LFM_CALLS_LFM2, "I will call f.", "simple_function_checker:wrong_count");
    assert_score(&data, "simple_python_1", LFM_CALLS_PROMPT, "[g.h(a=1)]", NULL);
    assert_score(&data, "simple_python_1", LFM_CALLS_LFM2, "<|tool_call_start|>[g_h(a=1)]<|tool_call_end|>", NULL);
    assert_score(&data, "simple_python_1", LFM_CALLS_OPENAI, "[{\"name\": \"g_h\", \"arguments\": \"{\\\"a\\\": 1}\"}]",
                 NULL);
    assert_score(&data, "simple_python_1", LFM_CALLS_OPENAI, "[{\"name\": \"g_h\", \"arguments\": 1}]",
                 "ast_decoder:decoder_wrong_output_format");
    assert_score(&data, "irrelevance_0", LFM_CALLS_PROMPT, "None of them fits.", NULL);
    assert_score(&data, "irrelevance_0", LFM_CALLS_PROMPT, "[]", NULL);
    assert_score(&data, "irrelevance_0", LFM_CALLS_PROMPT, "[x()]", "irrelevance_error:decoder_success");
    assert_score(&data, "live_relevance_0", LFM_CALLS_PROMPT, "[x()]", NULL);
    assert_score(&data, "live_relevance_0", LFM_CALLS_PROMPT, "No.", "relevance_error:decoder_failed");
    lfm_bfcl_close(&data);
    remove_directory();
}

Test(bfcl, java_and_javascript_get_no_verdict)
{
    make_data();
    struct lfm_bfcl_data data;
    struct lfm_bfcl_verdict verdict;
    struct lfm_error error;
    assert_ok(lfm_bfcl_open(&data, in_directory(""), &error));
    assert_ok(
        lfm_bfcl_score(&verdict, lfm_bfcl_find(&data, "java_0"), LFM_CALLS_PROMPT, lfm_span_of("[f(a=1)]"), &error));
    cr_assert_not(verdict.scored);
    cr_assert_not(lfm_bfcl_category_is_scored(LFM_BFCL_SIMPLE_JAVASCRIPT));
    cr_assert(lfm_bfcl_category_is_scored(LFM_BFCL_LIVE_RELEVANCE));
    lfm_bfcl_close(&data);
    remove_directory();
}

Test(bfcl, categories_go_by_both_versions_names)
{
    enum lfm_bfcl_category category;
    cr_assert(lfm_bfcl_category_find("simple", &category) && category == LFM_BFCL_SIMPLE_PYTHON);
    cr_assert(lfm_bfcl_category_find("live_multiple", &category) && category == LFM_BFCL_LIVE_MULTIPLE);
    cr_assert_not(lfm_bfcl_category_find("multi_turn_base", &category));
    cr_assert_str_eq(lfm_bfcl_category_name(LFM_BFCL_SIMPLE_JAVASCRIPT), "simple_javascript");
}

/* Opening fails with this message when a file of the sample holds this text. */
static void assert_open_fails(const char *name, const char *text, enum lfm_status status, const char *part)
{
    make_data();
    struct lfm_bfcl_data data;
    struct lfm_error error;
    write_text(name, text);
    assert_fails(lfm_bfcl_open(&data, in_directory(""), &error), status, part);
    remove_directory();
}

Test(bfcl, malformed_data_is_refused_with_file_and_line)
{
    const char *questions = "BFCL_v4_simple_python.json", *answers = "possible_answer/BFCL_v4_simple_python.json";
    assert_open_fails(questions, QUESTION("a", FUNCTION("f", INTEGER)) "{\"id\": \n", LFM_ERROR_FORMAT,
                      "simple_python.json:2");
    assert_open_fails(questions, "[]\n", LFM_ERROR_FORMAT, "expected a JSON object");
    assert_open_fails(questions, "{\"id\": 1}\n", LFM_ERROR_FORMAT, "'id' must be a string");
    assert_open_fails(questions, "{\"id\": \"a\", \"question\": []}\n", LFM_ERROR_FORMAT, "'function' is missing");
    assert_open_fails(questions, "{\"id\": \"\xFF\"}\n", LFM_ERROR_FORMAT, "not valid UTF-8");
    assert_open_fails(answers, ANSWER("simple_python_0", "f"), LFM_ERROR_FORMAT, "no answer to 'simple_python_1'");
    assert_open_fails(answers, ANSWER("simple_python_0", "f") ANSWER("simple_python_0", "f"), LFM_ERROR_FORMAT,
                      "second answer");
    assert_open_fails(answers, ANSWER("simple_python_7", "f"), LFM_ERROR_FORMAT, "which is no question");
    assert_open_fails("BFCL_v4_irrelevance.json", QUESTION("java_0", FUNCTION("f", INTEGER)), LFM_ERROR_FORMAT,
                      "appears twice");
}

Test(bfcl, a_directory_without_questions_is_refused)
{
    make_directory();
    struct lfm_bfcl_data data;
    struct lfm_error error;
    assert_fails(lfm_bfcl_open(&data, in_directory(""), &error), LFM_ERROR_IO, "no BFCL questions");
    remove_directory();
}

Test(bfcl, a_malformed_question_is_an_error_and_no_verdict)
{
    make_data();
    struct lfm_bfcl_data data;
    struct lfm_bfcl_verdict verdict;
    struct lfm_error error;
    write_text("BFCL_v4_simple_python.json", QUESTION("simple_python_0", FUNCTION("f", "\"type\": \"number\""))
                                                    QUESTION("simple_python_1", "{\"name\": \"f\"}"));
    assert_ok(lfm_bfcl_open(&data, in_directory(""), &error));
    assert_fails(lfm_bfcl_score(&verdict, lfm_bfcl_find(&data, "simple_python_0"), LFM_CALLS_PROMPT,
                                lfm_span_of("[f(a=1)]"), &error),
                 LFM_ERROR_FORMAT, "simple_python_0: a parameter of unknown type");
    assert_fails(lfm_bfcl_score(&verdict, lfm_bfcl_find(&data, "simple_python_1"), LFM_CALLS_PROMPT,
                                lfm_span_of("[f(a=1)]"), &error),
                 LFM_ERROR_FORMAT, "simple_python_1: a function without");
    lfm_bfcl_close(&data);
    remove_directory();
}
