/* IFEval as a suite: what it asks, its verdicts, its four accuracies. */
#include "eval/harness/suite.h"
#include "reference/base/file.h"
#include "reference/base/json.h"
#include "tests/unit/assert.h"
#include "tests/unit/directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char data[] =
    "{\"key\": 20, \"prompt\": \"No commas, a title.\", \"instruction_id_list\": [\"punctuation:no_comma\", "
    "\"detectable_format:title\"], \"kwargs\": [{}, {}]}\n"
    "{\"key\": 3, \"prompt\": \"Quote it.\", \"instruction_id_list\": [\"startend:quotation\"], \"kwargs\": [{}]}\n";

static struct lfm_error error;
static const struct lfm_suite *suite;
static void *opened;

static void open_suite(void)
{
    make_directory();
    write_text("data.jsonl", data);
    suite = lfm_suite_by_name("ifeval");
    cr_assert(suite != NULL);
    assert_ok(suite->open(&opened, in_directory("data.jsonl"), &error));
}

static void close_suite(void)
{
    suite->close(opened);
    remove_directory();
}

TestSuite(ifeval_suite, .init = open_suite, .fini = close_suite);

/* A sample as samples.jsonl has it, of the item answered with this text. */
static cJSON *answer(size_t item, const char *text)
{
    const struct lfm_reply reply = {text, LFM_FINISH_STOP};
    struct lfm_request request = {0};
    bool done = false;
    void *dialogue;
    cJSON *sample = cJSON_CreateObject();
    assert_ok(suite->start(&dialogue, opened, item, &error));
    assert_ok(suite->next(dialogue, NULL, &request, &done, &error));
    cr_assert(!done && cJSON_GetArraySize(request.messages) == 1);
    cr_assert_str_eq(cJSON_GetObjectItem(cJSON_GetArrayItem(request.messages, 0), "role")->valuestring, "user");
    assert_ok(suite->next(dialogue, &reply, &request, &done, &error));
    cr_assert(done);
    cJSON_AddStringToObject(sample, "id", suite->id(opened, item));
    assert_ok(suite->verdict(dialogue, cJSON_AddObjectToObject(sample, "verdict"), &error));
    suite->finish(dialogue);
    return sample;
}

static void assert_verdict(const cJSON *sample, const char *expected)
{
    char *text = cJSON_PrintUnformatted(cJSON_GetObjectItem(sample, "verdict"));
    cr_assert_str_eq(text, expected);
    cJSON_free(text);
}

static void assert_rate(const cJSON *summary, const char *name, int right, int n)
{
    const cJSON *rate = cJSON_GetObjectItem(summary, name);
    cr_assert(cJSON_GetObjectItem(rate, "right")->valueint == right, "%s", name);
    cr_assert(cJSON_GetObjectItem(rate, "n")->valueint == n, "%s", name);
}

Test(ifeval_suite, items_are_the_keys_in_order_and_unknown_suites_are_none)
{
    cr_assert(suite->count(opened) == 2);
    cr_assert_str_eq(suite->id(opened, 0), "3");
    cr_assert_str_eq(suite->id(opened, 1), "20");
    cr_assert(lfm_suite_by_name("nonesuch") == NULL);
}

Test(ifeval_suite, verdicts_and_accuracies_count_prompts_and_instructions)
{
    cJSON *summary = cJSON_CreateObject();
    cJSON *samples[2] = {answer(0, "*\"quoted\"*"), answer(1, "<<Title>> one, two")};
    assert_verdict(samples[0], "{\"correct\":false,\"instructions\":[\"startend:quotation\"],\"strict\":[false],"
                               "\"loose\":[true]}");
    assert_verdict(samples[1], "{\"correct\":false,\"instructions\":[\"punctuation:no_comma\",\"detectable_format:title\"],"
                               "\"strict\":[false,true],\"loose\":[false,true]}");
    assert_ok(suite->summarise(opened, samples, 2, summary, &error));
    assert_rate(summary, "prompt_level_strict", 0, 2);
    assert_rate(summary, "instruction_level_strict", 1, 3);
    assert_rate(summary, "prompt_level_loose", 1, 2);
    assert_rate(summary, "instruction_level_loose", 2, 3);
    cr_assert(cJSON_GetArraySize(cJSON_GetObjectItem(summary, "tier0")) == 3);
    /* 0 of 1 and 1 of 2: sqrt(2 (1/9 + 1/9)) / 3 */
    const cJSON *instructions = cJSON_GetObjectItem(summary, "instruction_level_strict");
    assert_near(cJSON_GetObjectItem(instructions, "stderr")->valuedouble, 2.0 / 9, 1e-15);
    cr_assert(cJSON_GetObjectItem(instructions, "clusters")->valueint == 2);
    cr_assert(!cJSON_HasObjectItem(cJSON_GetObjectItem(summary, "prompt_level_strict"), "stderr"));
    cJSON_Delete(samples[0]);
    cJSON_Delete(samples[1]);
    cJSON_Delete(summary);
}

Test(ifeval_suite, an_empty_answer_follows_nothing)
{
    cJSON *sample = answer(1, "");
    assert_verdict(sample, "{\"correct\":false,\"instructions\":[\"punctuation:no_comma\",\"detectable_format:title\"],"
                           "\"strict\":[false,false],\"loose\":[false,false]}");
    cJSON_Delete(sample);
}

Test(ifeval_suite, verdicts_of_another_data_set_are_refused)
{
    cJSON *sample = answer(0, "x"), *summary = cJSON_CreateObject();
    cJSON_AddItemToArray(cJSON_GetObjectItem(cJSON_GetObjectItem(sample, "verdict"), "strict"), cJSON_CreateTrue());
    assert_fails(suite->summarise(opened, &sample, 1, summary, &error), LFM_ERROR_FORMAT, "needs 1 'strict'");
    cJSON_Delete(sample);
    cJSON_Delete(summary);
}

Test(ifeval_suite, answers_to_one_prompt_are_one_cluster)
{
    /* prompt 3 right in 2 of 2 answers, prompt 20 in 0 of 2: p = 1/2, sqrt(2 (1 + 1)) / 4 */
    cJSON *summary = cJSON_CreateObject();
    cJSON *samples[4] = {answer(0, "\"quoted\""), answer(0, "\"too\""), answer(1, "a, b"), answer(1, "")};
    assert_ok(suite->summarise(opened, samples, 4, summary, &error));
    const cJSON *prompts = cJSON_GetObjectItem(summary, "prompt_level_strict");
    assert_near(cJSON_GetObjectItem(prompts, "stderr")->valuedouble, 0.5, 1e-15);
    cr_assert(cJSON_GetObjectItem(prompts, "clusters")->valueint == 2);
    for (size_t i = 0; i < 4; i++) cJSON_Delete(samples[i]);
    cJSON_Delete(summary);
}
