/* BFCL as a suite: what it asks in both forms, its verdicts, its figures. */
#include "eval/bfcl/figures.h"
#include "eval/bfcl/prompt.h"
#include "eval/harness/suite.h"
#include "reference/base/file.h"
#include "reference/model/python_text.h"
#include "tests/unit/assert.h"
#include "tests/unit/directory.h"
#include "tests/unit/text_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct lfm_error error;
static const struct lfm_suite *suite;

static const char simple[] =
    "{\"id\": \"simple_python_0\", \"question\": [[{\"role\": \"user\", \"content\": \"Round 1.5 up.\"}]], \"function\": "
    "[{\"name\": \"math.round\", \"description\": \"Rounds.\", \"parameters\": {\"type\": \"dict\", \"properties\": "
    "{\"x\": {\"type\": \"float\", \"description\": \"What.\", \"default\": 1.0}, \"how\": {\"type\": \"any\"}, \"at\": "
    "{\"type\": \"tuple\", \"items\": {\"type\": \"dict\", \"properties\": {\"n\": {\"type\": \"integer\"}}}}}, \"required\": "
    "[\"x\"]}}]}\n";
static const char simple_answers[] =
    "{\"id\": \"simple_python_0\", \"ground_truth\": [{\"math.round\": {\"x\": [1.5], \"how\": [\"up\", \"\"], \"at\": [\"\"]}}]}\n";
static const char irrelevance[] =
    "{\"id\": \"irrelevance_0\", \"question\": [[{\"role\": \"system\", \"content\": \"Be kind.\"}, {\"role\": \"user\", "
    "\"content\": \"Hello.\"}]], \"function\": [{\"name\": \"f\", \"parameters\": {\"type\": \"dict\", \"properties\": {}}}]}\n";
static const char java[] =
    "{\"id\": \"simple_java_0\", \"question\": [[{\"role\": \"user\", \"content\": \"x\"}]], \"function\": []}\n";

static void prepare(void)
{
    make_directory();
    write_text("BFCL_v4_simple_python.json", simple);
    write_text("possible_answer/BFCL_v4_simple_python.json", simple_answers);
    write_text("BFCL_v4_irrelevance.json", irrelevance);
    suite = lfm_suite_by_name("bfcl");
    cr_assert_not_null(suite);
}

TestSuite(bfcl_suite, .init = prepare, .fini = remove_directory);

static void *open_data(void)
{
    void *data;
    assert_ok(suite->open(&data, in_directory(""), &error));
    return data;
}

/* What is asked first, as text; the caller frees. */
static void asked(void *data, size_t item, char **messages, char **tools)
{
    struct lfm_request request = {0};
    bool done = false;
    void *dialogue;
    assert_ok(suite->start(&dialogue, data, item, &error));
    assert_ok(suite->next(dialogue, NULL, &request, &done, &error));
    cr_assert(!done);
    *messages = cJSON_PrintUnformatted(request.messages);
    *tools = cJSON_PrintUnformatted(request.tools);
    suite->finish(dialogue);
}

/* A sample as samples.jsonl has it, of the item answered with this text. */
static cJSON *answer(void *data, size_t item, const char *text, enum lfm_finish finish)
{
    const struct lfm_reply reply = {text, finish};
    struct lfm_request request = {0};
    bool done = false;
    void *dialogue;
    cJSON *sample = cJSON_CreateObject();
    assert_ok(suite->start(&dialogue, data, item, &error));
    assert_ok(suite->next(dialogue, NULL, &request, &done, &error));
    assert_ok(suite->next(dialogue, &reply, &request, &done, &error));
    cr_assert(done);
    cJSON_AddStringToObject(sample, "id", suite->id(data, item));
    assert_ok(suite->verdict(dialogue, cJSON_AddObjectToObject(sample, "verdict"), &error));
    suite->finish(dialogue);
    return sample;
}

static void assert_answer(void *data, size_t item, const char *text, enum lfm_finish finish, const char *expected)
{
    cJSON *sample = answer(data, item, text, finish);
    char *verdict = cJSON_PrintUnformatted(cJSON_GetObjectItem(sample, "verdict"));
    cr_assert_str_eq(verdict, expected);
    cJSON_free(verdict);
    cJSON_Delete(sample);
}

Test(bfcl_suite, asks_as_the_handler_for_lfm2_does)
{
    void *data = open_data();
    char *messages, *tools;
    asked(data, 0, &messages, &tools);
    cr_assert(strstr(messages, "[{\"role\":\"system\",\"content\":\"You are an expert in composing functions."));
    cr_assert(strstr(messages, "or task.\\n\"},{\"role\":\"user\",\"content\":\"Round 1.5 up.\"}]"));
    cr_assert_str_eq(tools,
                     "[{\"type\":\"function\",\"function\":{\"name\":\"math_round\",\"description\":\"Rounds. Note that the "
                     "provided function is in Python 3 syntax.\",\"parameters\":{\"type\":\"object\",\"properties\":{\"x\":"
                     "{\"type\":\"number\",\"description\":\"What. This is a float type value.\",\"default\":1.0,\"format\":"
                     "\"float\"},\"how\":{\"type\":\"string\"},\"at\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
                     "\"properties\":{\"n\":{\"type\":\"integer\"}}}}},\"required\":[\"x\"]}}}]");
    cJSON_free(messages);
    cJSON_free(tools);
    asked(data, 1, &messages, &tools);
    cr_assert(strstr(messages, "or task.\\n\\n\\nBe kind.\"},{\"role\":\"user\",\"content\":\"Hello.\"}]"));
    cJSON_free(messages);
    cJSON_free(tools);
    suite->close(data);
}

Test(bfcl_suite, the_plain_form_adds_nothing)
{
    write_text("prompt.json", "{\"form\": \"plain\"}");
    void *data = open_data();
    char *messages, *tools;
    asked(data, 0, &messages, &tools);
    cr_assert_str_eq(messages, "[{\"role\":\"user\",\"content\":\"Round 1.5 up.\"}]");
    cr_assert_str_eq(tools, "[{\"name\":\"math_round\",\"description\":\"Rounds.\",\"parameters\":{\"type\":\"object\","
                            "\"properties\":{\"x\":{\"type\":\"number\",\"description\":\"What.\",\"default\":1.0},\"how\":"
                            "{\"type\":\"string\"},\"at\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":"
                            "{\"n\":{\"type\":\"integer\"}}}}},\"required\":[\"x\"]}}]");
    cJSON_free(messages);
    cJSON_free(tools);
    suite->close(data);
}

Test(bfcl_suite, verdicts_name_category_and_error)
{
    void *data = open_data();
    assert_answer(data, 0, "<think>so</think><|tool_call_start|>[math_round(x=1.5, how='Up')]<|tool_call_end|>",
                  LFM_FINISH_STOP, "{\"correct\":true,\"category\":\"simple_python\",\"error_type\":null}");
    assert_answer(data, 0, "<|tool_call_start|>[math_round(x=2.5)]<|tool_call_end|>", LFM_FINISH_STOP,
                  "{\"correct\":false,\"category\":\"simple_python\",\"error_type\":\"value_error:others\"}");
    assert_answer(data, 0, "I cannot.", LFM_FINISH_LENGTH,
                  "{\"correct\":false,\"category\":\"simple_python\",\"error_type\":\"simple_function_checker:wrong_count\"}");
    assert_answer(data, 1, "I cannot.", LFM_FINISH_STOP,
                  "{\"correct\":true,\"category\":\"irrelevance\",\"error_type\":null}");
    suite->close(data);
}

Test(bfcl_suite, silence_of_a_failed_request_is_no_right_refusal)
{
    void *data = open_data();
    const char *expected = "{\"correct\":false,\"category\":\"irrelevance\",\"error_type\":\"no_answer\"}";
    assert_answer(data, 1, "", LFM_FINISH_ERROR, expected);
    assert_answer(data, 1, "", LFM_FINISH_CONTEXT, expected);
    assert_answer(data, 1, "", LFM_FINISH_STOP, "{\"correct\":true,\"category\":\"irrelevance\",\"error_type\":null}");
    suite->close(data);
}

Test(bfcl_suite, calls_nested_beyond_reason_are_wrong_and_nothing_else)
{
    static char text[100000];
    void *data = open_data();
    memset(text, '[', sizeof text - 1);
    assert_answer(data, 0, text, LFM_FINISH_LENGTH,
                  "{\"correct\":false,\"category\":\"simple_python\",\"error_type\":\"simple_function_checker:wrong_count\"}");
    suite->close(data);
}

Test(bfcl_suite, the_summary_has_rates_and_names_what_it_left_out)
{
    write_text("BFCL_v4_memory.json", "{}");
    write_text("BFCL_v4_simple_java.json", java);
    write_text("possible_answer/BFCL_v4_simple_java.json", "{\"id\": \"simple_java_0\", \"ground_truth\": []}");
    void *data = open_data();
    cr_assert(suite->count(data) == 2, "questions on Java are left out");
    cJSON *samples[2] = {answer(data, 0, "", LFM_FINISH_STOP), answer(data, 1, "", LFM_FINISH_STOP)};
    cJSON *summary = cJSON_CreateObject();
    assert_ok(suite->summarise(data, samples, 2, summary, &error));
    cJSON_Delete(cJSON_DetachItemFromObject(summary, "simple_python"));
    cJSON *rate = cJSON_GetObjectItem(summary, "irrelevance");
    cr_assert(cJSON_GetObjectItem(rate, "right")->valueint == 1 && cJSON_GetObjectItem(rate, "n")->valueint == 1);
    cJSON_Delete(cJSON_DetachItemFromObject(summary, "irrelevance"));
    char *text = cJSON_PrintUnformatted(summary);
    cr_assert_str_eq(text, "{\"groups\":{},\"left_out\":[\"memory\",\"simple_java\"],\"form\":\"lfm2\"}");
    cJSON_free(text);
    cJSON_Delete(summary);
    cJSON_Delete(samples[0]);
    cJSON_Delete(samples[1]);
    suite->close(data);
}

Test(bfcl_suite, several_samples_of_a_question_are_a_cluster)
{
    void *data = open_data();
    cJSON *samples[3] = {answer(data, 0, "", LFM_FINISH_STOP), answer(data, 1, "", LFM_FINISH_STOP),
                         answer(data, 1, "[f(a=1)]", LFM_FINISH_STOP)};
    cJSON *summary = cJSON_CreateObject();
    assert_ok(suite->summarise(data, samples, 3, summary, &error));
    const cJSON *rate = cJSON_GetObjectItem(summary, "irrelevance");
    cr_assert(cJSON_GetObjectItem(rate, "right")->valueint == 1 && cJSON_GetObjectItem(rate, "n")->valueint == 2);
    cr_assert(cJSON_GetObjectItem(rate, "clusters")->valueint == 1);
    cr_assert_null(cJSON_GetObjectItem(cJSON_GetObjectItem(summary, "simple_python"), "clusters"));
    for (int i = 0; i < 3; i++) cJSON_Delete(samples[i]);
    cJSON_Delete(summary);
    suite->close(data);
}

Test(bfcl_suite, samples_of_another_data_set_are_refused)
{
    void *data = open_data();
    cJSON *sample = cJSON_Parse("{\"id\": \"parallel_7\", \"verdict\": {}}"), *summary = cJSON_CreateObject();
    assert_fails(suite->summarise(data, &sample, 1, summary, &error), LFM_ERROR_FORMAT, "no id 'parallel_7'");
    cJSON_Delete(sample);
    cJSON_Delete(summary);
    suite->close(data);
}

static void assert_refused(const char *name, const char *text, const char *part)
{
    void *data;
    write_text(name, text);
    assert_fails(suite->open(&data, in_directory(""), &error), LFM_ERROR_FORMAT, part);
}

Test(bfcl_suite, questions_that_cannot_be_asked_are_refused_before_anything_runs)
{
    const char *name = "BFCL_v4_irrelevance.json";
    assert_refused(name, "{\"id\": \"a\", \"question\": [], \"function\": []}", "'a': 'question' has no turn");
    assert_refused(name, "{\"id\": \"a\", \"question\": [[]], \"function\": []}", "'a': 'question' must be lists of messages");
    assert_refused(name, "{\"id\": \"a\", \"question\": [[{\"role\": \"user\"}]], \"function\": []}", "with role and content");
    assert_refused(name, "{\"id\": \"a\", \"question\": [[{\"role\": \"user\", \"content\": \"\\ud800\"}]], \"function\": []}",
                   "lone surrogate");
    assert_refused(name, "{\"id\": \"a\", \"question\": [[{\"role\": \"user\", \"content\": \"x\"}]], \"function\": [{}]}",
                   "'a': a function needs 'name'");
    write_text(name, irrelevance);
    assert_refused("prompt.json", "{\"form\": \"chatty\"}", "'form' is 'chatty', expected lfm2 or plain");
    assert_refused("prompt.json", "{}", "'form'");
}

/* --- figures --- */

static double average(const struct lfm_bfcl_summary *summary, enum lfm_bfcl_group group)
{
    double value = NAN;
    cr_assert(lfm_bfcl_group_average(&value, summary, group));
    return value;
}

Test(bfcl_figures, groups_are_the_averages_of_the_leaderboard)
{
    const struct lfm_bfcl_summary summary = {
        .n = {400, 100, 50, 200, 200, 200, 240, 258, 1053, 16, 24, 884, 16},
        .right = {300, 50, 10, 180, 160, 140, 120, 129, 1053, 8, 12, 884, 0},
    };
    double simple_mean = (0.75 + 0.5 + 0.2) / 3;
    assert_near(average(&summary, LFM_BFCL_NON_LIVE), (simple_mean + 0.9 + 0.8 + 0.7) / 4, 1e-12);
    assert_near(average(&summary, LFM_BFCL_NON_LIVE_PYTHON), (0.75 + 0.9 + 0.8 + 0.7) / 4, 1e-12);
    assert_near(average(&summary, LFM_BFCL_LIVE), (129.0 + 1053 + 8 + 12) / (258 + 1053 + 16 + 24), 1e-12);
    assert_near(average(&summary, LFM_BFCL_NO_CALL), 0.75, 1e-12);
}

Test(bfcl_figures, a_group_that_lacks_a_category_has_no_average)
{
    const struct lfm_bfcl_summary summary = {.n = {10, 0, 0, 10, 10, 10, 10}, .right = {5, 0, 0, 5, 5, 5, 5}};
    double value;
    cr_assert(lfm_bfcl_group_average(&value, &summary, LFM_BFCL_NON_LIVE_PYTHON));
    cr_assert(!lfm_bfcl_group_average(&value, &summary, LFM_BFCL_NON_LIVE));
    cr_assert(!lfm_bfcl_group_average(&value, &summary, LFM_BFCL_LIVE));
    cr_assert(!lfm_bfcl_group_average(&value, &summary, LFM_BFCL_NO_CALL));
}

/* --- the project's own tasks --- */

static size_t items_of(const char *name, const char *data)
{
    const struct lfm_suite *own = lfm_suite_by_name(name);
    void *opened;
    assert_ok(own->open(&opened, data, &error));
    size_t n = own->count(opened);
    own->close(opened);
    return n;
}

Test(own_tasks, open_as_the_official_data_do)
{
    cr_assert(items_of("bfcl", "datasets/tasks/bfcl") == 180);
    cr_assert(items_of("ifeval", "datasets/tasks/ifeval/input_data.jsonl") == 131);
}

/* --- the official tools, laid beside the project by those who have them --- */

#define PROMPTS "../shared/oracle/bfcl/prompts-open.jsonl.gz"

static struct lfm_bfcl_data official;
static size_t compared;

static void check_tools(const cJSON *row)
{
    const struct lfm_bfcl_item *item = lfm_bfcl_find(&official, cJSON_GetObjectItem(row, "id")->valuestring);
    struct lfm_buffer got = {0}, expected = {0};
    cJSON *tools;
    if (!item || !lfm_bfcl_category_is_scored(item->category)) return;
    assert_ok(lfm_bfcl_tools(&tools, item, LFM_BFCL_FORM_LFM2, &error));
    char *text = cJSON_PrintUnformatted(tools);
    cJSON *read_back = cJSON_Parse(text);
    assert_ok(lfm_python_json(&got, read_back, &error));
    assert_ok(lfm_python_json(&expected, cJSON_GetObjectItem(row, "tools_openai"), &error));
    cr_assert_str_eq(got.data, expected.data);
    compared++;
    cJSON_free(text);
    cJSON_Delete(read_back);
    cJSON_Delete(tools);
    lfm_buffer_release(&got);
    lfm_buffer_release(&expected);
}

Test(bfcl_prompts_oracle, tools_are_the_official_ones, .timeout = 120)
{
    char path[512];
    const char *data = getenv("LFMSCOPE_DATA");
    if (access(PROMPTS, R_OK) != 0) cr_skip_test("skipped: no %s", PROMPTS);
    snprintf(path, sizeof path, "%s/bfcl", data ? data : "datasets/cache");
    if (access(path, R_OK) != 0) cr_skip_test("skipped: no %s", path);
    assert_ok(lfm_bfcl_open(&official, path, &error));
    each_row(PROMPTS, check_tools);
    cr_log_info("%zu entries compared", compared);
    cr_assert(compared > 1000);
    lfm_bfcl_close(&official);
}
