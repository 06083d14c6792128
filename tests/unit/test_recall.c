/* Recall: what counts as an answer, grid files, the items made from them, the suite. */
#include "eval/harness/suite.h"
#include "eval/recall/answer.h"
#include "eval/recall/item.h"
#include "reference/base/file.h"
#include "reference/base/hash.h"
#include "reference/base/json.h"
#include "tests/unit/assert.h"
#include "tests/unit/directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char demo_file[] = "datasets/tasks/recall/recall.json";
static const char general_file[] = "datasets/tasks/recall/general.json";

static char grid_path[512], haystack_path[512];
static struct lfm_error error;
static struct lfm_recall_grid grid;

static void prepare(void)
{
    make_directory();
    snprintf(grid_path, sizeof grid_path, "%s", in_directory("grid.json"));
    snprintf(haystack_path, sizeof haystack_path, "%s", in_directory("haystack.txt"));
}

static void clean(void)
{
    lfm_recall_grid_close(&grid);
    remove_directory();
}

TestSuite(recall, .init = prepare, .fini = clean);

static enum lfm_status open_text(const char *text)
{
    assert_ok(lfm_write_file(grid_path, text, strlen(text), &error));
    return lfm_recall_grid_open(&grid, grid_path, &error);
}

/* --- answers --- */

static void assert_normalised(const char *text, const char *expected)
{
    struct lfm_buffer out = {0};
    assert_ok(lfm_recall_normalise(&out, text, &error));
    cr_assert_str_eq(out.data, expected, "'%s' became '%s', not '%s'", text, out.data, expected);
    lfm_buffer_release(&out);
}

Test(recall, answers_are_compared_by_their_words)
{
    assert_normalised("The code: *Red  coat*.", " the code red coat ");
    assert_normalised("", " ");
    assert_normalised("...", " ");
    assert_normalised("Lodur", " lodur ");
    assert_normalised("\xc3\x84PFEL\xe2\x80\x94na\xc3\xafve", " \xc3\xa4pfel na\xc3\xafve ");
    assert_normalised("<|im_end|>", " im end ");
}

Test(recall, commas_that_group_digits_are_left_out)
{
    assert_normalised("4,711", " 4711 ");
    assert_normalised("8,231,077 and 1,000", " 8231077 and 1000 ");
    assert_normalised("4711,1234", " 4711 1234 ");
    assert_normalised("47, 111", " 47 111 ");
    assert_normalised("a,111", " a 111 ");
    assert_normalised(",111,", " 111 ");
}

Test(recall, values_count_where_they_stand_as_whole_words)
{
    cr_assert_eq(lfm_recall_occurrences(" the code is 4711 ", " 4711 "), 1u);
    cr_assert_eq(lfm_recall_occurrences(" 14711 47112 ", " 4711 "), 0u);
    cr_assert_eq(lfm_recall_occurrences(" 47 47 47 ", " 47 "), 3u);
    cr_assert_eq(lfm_recall_occurrences(" red coat red ", " red coat "), 1u);
    cr_assert_eq(lfm_recall_occurrences(" a b ", " "), 0u, "nothing is nowhere");
}

/* --- grid files --- */

Test(recall, the_grids_that_ship_can_be_read)
{
    assert_ok(lfm_recall_grid_open(&grid, demo_file, &error));
    cr_assert_eq(lfm_recall_grid_count(&grid), (5u + 3 + 3) * 5 * 2);
    lfm_recall_grid_close(&grid);
    assert_ok(lfm_recall_grid_open(&grid, general_file, &error));
    cr_assert_eq(grid.n_tasks, 4u);
    cr_assert_eq(lfm_recall_words(&grid, 2400), 2000u, "1.2 tokens are taken for a word");
}

Test(recall, items_go_through_kinds_lengths_depths_and_samples)
{
    assert_ok(open_text("{\"seed\": 1, \"wording\": \"demo\", \"lengths\": [60, 90], \"depths\": [0, 50, 100],"
                        "\"kinds\": [{\"kind\": \"needle\", \"lengths\": [10]}, "
                        "{\"kind\": \"variables\", \"name\": \"v\"}], \"samples_per_cell\": 2}"));
    cr_assert_eq(lfm_recall_grid_count(&grid), 6u + 12);
    cr_assert_eq(lfm_recall_grid_cell(&grid, 5).length, 10u, "a kind may have lengths of its own");
    struct lfm_recall_cell cell = lfm_recall_grid_cell(&grid, 6 + 6 + 3);
    cr_assert_str_eq(cell.task->name, "v");
    cr_assert(cell.length == 90 && cell.depth == 50 && cell.sample == 2);
    cr_assert(cell.task->chains == 2 && cell.task->hops == 2, "what is left out has its default");
}

#define REST "\"lengths\": [90], \"depths\": [0], \"kinds\": [{\"kind\": \"needle\"}]"

Test(recall, a_grid_that_says_nonsense_is_refused_with_the_place)
{
    static const char *const cases[][2] = {
        {"[1]", "expected an object"},
        {"{\"seed\": 1, \"wording\": \"demo\", \"lenghts\": [90]}", "unknown key 'lenghts'"},
        {"{\"wording\": \"demo\", " REST "}", "'seed' is missing"},
        {"{\"seed\": 1, " REST "}", "'wording' is missing"},
        {"{\"seed\": 1, \"wording\": \"poem\", " REST "}", "unknown wording 'poem'"},
        {"{\"seed\": 1, \"wording\": \"demo\", \"unit\": \"miles\", " REST "}", "'unit' must be words or tokens"},
        {"{\"seed\": 1, \"wording\": \"demo\", \"unit\": \"tokens\", \"tokens_per_word\": 0, " REST "}",
         "'tokens_per_word' must be from"},
        {"{\"seed\": 1, \"wording\": \"demo\", \"samples_per_cell\": 0, " REST "}",
         "'samples_per_cell' must be from 1"},
        {"{\"seed\": 1, \"wording\": \"demo\", \"lengths\": [], \"depths\": [0], \"kinds\": [{\"kind\": \"needle\"}]}",
         "'lengths' must be a list with at least one"},
        {"{\"seed\": 1, \"wording\": \"demo\", \"lengths\": [90, 90], \"depths\": [0], \"kinds\": [{\"kind\": "
         "\"needle\"}]}",
         "'lengths' must be rising"},
        {"{\"seed\": 1, \"wording\": \"demo\", \"lengths\": [9], \"depths\": [0.5], \"kinds\": []}",
         "'depths' must be rising whole numbers from 0 to 100"},
        {"{\"seed\": 1, \"wording\": \"demo\", \"lengths\": [9], \"depths\": [101], \"kinds\": []}",
         "'depths' must be"},
        {"{\"seed\": 1, \"wording\": \"demo\", \"lengths\": [90], \"depths\": [0], \"kinds\": [7]}",
         "kinds[0] must be an object"},
        {"{\"seed\": 1, \"wording\": \"demo\", \"lengths\": [90], \"depths\": [0], \"kinds\": [{\"kind\": \"pin\"}]}",
         "kinds[0]: unknown kind 'pin'"},
        {"{\"seed\": 1, \"wording\": \"demo\", \"lengths\": [90], \"depths\": [0], \"kinds\": [{\"kind\": \"needle\"}, "
         "{\"kind\": \"needle\"}]}", "kinds[1]: there are two tasks called 'needle'"},
        {"{\"seed\": 1, \"wording\": \"demo\", \"lengths\": [90], \"depths\": [0], \"kinds\": [{\"kind\": \"needle\", "
         "\"name\": \"a,b\"}]}", "'name' must be 1 to 40"},
        {"{\"seed\": 1, \"wording\": \"demo\", \"lengths\": [90], \"depths\": [0], \"kinds\": [{\"kind\": \"needle\", "
         "\"needles\": 3}]}", "kinds[0]: unknown key 'needles'"},
        {"{\"seed\": 1, \"wording\": \"demo\", \"lengths\": [90], \"depths\": [0], \"kinds\": "
         "[{\"kind\": \"one_of_several\", \"needles\": 1}]}", "'needles' must be from 2 to 64"},
        {"{\"seed\": 1, \"wording\": \"demo\", \"lengths\": [900], \"depths\": [0], \"kinds\": "
         "[{\"kind\": \"variables\", \"chains\": 6, \"hops\": 3}]}",
         "24 variables, but the wording 'demo' has names for 22"},
        {"{\"seed\": 1, \"wording\": \"demo\", \"lengths\": [30], \"depths\": [0], \"kinds\": "
         "[{\"kind\": \"all_of_several\"}]}", "a length of 30 is too short for 'all_of_several'"},
        {"{\"seed\": 1, \"wording\": \"demo\", \"haystack\": \"absent.txt\", " REST "}", "cannot open"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_assert_neq(open_text(cases[i][0]), LFM_OK, "'%s' was accepted", cases[i][0]);
        cr_assert(strstr(error.message, cases[i][1]) != NULL, "'%s' lacks '%s'", error.message, cases[i][1]);
    }
}

/* --- items --- */

static struct lfm_recall_item make(size_t index)
{
    struct lfm_recall_cell cell = lfm_recall_grid_cell(&grid, index);
    struct lfm_recall_item item;
    char id[100];
    snprintf(id, sizeof id, "%s-%zu-%zu-%zu", cell.task->name, cell.length, cell.depth, cell.sample);
    assert_ok(lfm_recall_item_make(&item, &grid, &cell, id, &error));
    return item;
}

static size_t times_in(const char *text, const char *value)
{
    struct lfm_buffer normal = {0}, phrase = {0};
    assert_ok(lfm_recall_normalise(&normal, text, &error));
    assert_ok(lfm_recall_normalise(&phrase, value, &error));
    size_t times = lfm_recall_occurrences(normal.data, phrase.data);
    lfm_buffer_release(&normal);
    lfm_buffer_release(&phrase);
    return times;
}

Test(recall, the_same_id_makes_the_same_item_and_another_id_another_one)
{
    assert_ok(lfm_recall_grid_open(&grid, demo_file, &error));
    struct lfm_recall_item first = make(7), between = make(8), again = make(7);
    cr_assert_str_eq(first.text.data, again.text.data);
    cr_assert_str_eq(first.question.data, again.question.data);
    cr_assert_str_eq(first.expected.items[0], again.expected.items[0]);
    cr_assert_str_neq(first.text.data, between.text.data);
    grid.seed++;
    struct lfm_recall_item other = make(7);
    cr_assert_str_neq(first.text.data, other.text.data);
    lfm_recall_item_release(&first);
    lfm_recall_item_release(&between);
    lfm_recall_item_release(&again);
    lfm_recall_item_release(&other);
}

/* Values stand in the text once; names of variables once for each assignment they have a part in. */
static void check_values(const struct lfm_recall_item *item, const struct lfm_recall_cell *cell)
{
    const struct lfm_recall_texts *lists[] = {&item->expected, &item->others};
    bool names = cell->task->kind == LFM_RECALL_VARIABLES && grid.wording->asks_names;
    for (size_t l = 0; l < 2; l++)
        for (size_t i = 0; i < lists[l]->count; i++) {
            bool source = names && (i + 1) % (cell->task->hops + 1) != 0;
            cr_assert_eq(times_in(item->text.data, lists[l]->items[i]), source ? 2u : 1u, "'%s' in '%s'",
                         lists[l]->items[i], item->text.data);
        }
    for (size_t i = 0; i < item->expected.count; i++)
        cr_assert_eq(times_in(item->question.data, item->expected.items[i]), 0u, "%s", item->question.data);
}

/* The longest filler has 12 words; the sentence of the depth stands at the nearest boundary, other statements aside. */
static void check_shape(const struct lfm_recall_item *item, const struct lfm_recall_cell *cell)
{
    size_t room = lfm_recall_words(&grid, cell->length), statements = cell->task->needles;
    if (cell->task->kind == LFM_RECALL_VARIABLES) statements = cell->task->chains * (cell->task->hops + 1);
    double wanted = (double)cell->depth / 100 * (double)item->words;
    double slack = 6 + (double)statements * (double)grid.wording->longest;
    cr_assert(item->words <= room && item->words + 12 > room, "%zu words of %zu", item->words, room);
    cr_assert(fabs((double)item->place - wanted) <= slack, "at word %zu of %zu, depth %zu", item->place, item->words,
              cell->depth);
}

static void check_all(void)
{
    for (size_t i = 0; i < lfm_recall_grid_count(&grid); i++) {
        struct lfm_recall_cell cell = lfm_recall_grid_cell(&grid, i);
        struct lfm_recall_item item = make(i);
        check_values(&item, &cell);
        check_shape(&item, &cell);
        lfm_recall_item_release(&item);
    }
}

Test(recall, every_item_of_the_demo_grid_is_sound)
{
    assert_ok(lfm_recall_grid_open(&grid, demo_file, &error));
    check_all();
}

Test(recall, every_kind_in_both_wordings_is_sound)
{
    static const char form[] =
        "{\"seed\": 5, \"wording\": \"%s\", \"unit\": \"tokens\", \"lengths\": [200, 1000], \"depths\": [0, 10, 50, "
        "100], \"kinds\": [{\"kind\": \"needle\"}, {\"kind\": \"one_of_several\", \"needles\": 6}, {\"kind\": "
        "\"all_of_several\", \"needles\": 3}, {\"kind\": \"variables\", \"chains\": 3, \"hops\": 2}], "
        "\"samples_per_cell\": 5}";
    char text[sizeof form + 16];
    for (int demo = 0; demo < 2; demo++) {
        snprintf(text, sizeof text, form, demo ? "demo" : "general");
        assert_ok(open_text(text));
        check_all();
        lfm_recall_grid_close(&grid);
    }
}

Test(recall, depths_0_and_100_are_the_ends_of_the_text)
{
    assert_ok(open_text("{\"seed\": 3, \"wording\": \"demo\", \"lengths\": [200], \"depths\": [0, 100], \"kinds\": "
                        "[{\"kind\": \"one_of_several\", \"needles\": 5}], \"samples_per_cell\": 20}"));
    for (size_t i = 0; i < 40; i++) {
        struct lfm_recall_item item = make(i);
        const char *value = strstr(item.text.data, item.expected.items[0]);
        if (i < 20) cr_assert_eq(item.place, 0u, "%s", item.text.data);
        else cr_assert_str_eq(value + strlen(item.expected.items[0]), ".", "%s", item.text.data);
        lfm_recall_item_release(&item);
    }
}

Test(recall, copies_of_a_variable_come_after_what_they_copy)
{
    assert_ok(open_text("{\"seed\": 3, \"wording\": \"general\", \"lengths\": [300], \"depths\": [0, 60, 100], "
                        "\"kinds\": [{\"kind\": \"variables\", \"chains\": 2, \"hops\": 3}], "
                        "\"samples_per_cell\": 10}"));
    for (size_t i = 0; i < 30; i++) {
        struct lfm_recall_item item = make(i);
        const char *last = item.text.data;
        cr_assert(item.expected.count == 4 && item.others.count == 4);
        for (size_t n = 0; n < 4; n++) {
            char assigned[40];
            snprintf(assigned, sizeof assigned, "Variable %s is set to", item.expected.items[n]);
            const char *at = strstr(item.text.data, assigned);
            cr_assert(at && at >= last, "%s", item.text.data);
            last = at;
        }
        lfm_recall_item_release(&item);
    }
}

static void write_haystack(const char *text, const char *sha256)
{
    static const char form[] =
        "{\"seed\": 1, \"wording\": \"general\", \"lengths\": [60], \"depths\": [50], \"kinds\": [{\"kind\": "
        "\"needle\"}], \"samples_per_cell\": 5, \"haystack\": \"haystack.txt\", \"haystack_sha256\": \"%s\"}";
    char hash[LFM_SHA256_TEXT], grid_text[sizeof form + LFM_SHA256_TEXT];
    assert_ok(lfm_sha256(text, strlen(text), hash, &error));
    assert_ok(lfm_write_file(haystack_path, text, strlen(text), &error));
    snprintf(grid_text, sizeof grid_text, form, sha256 ? sha256 : hash);
    assert_ok(lfm_write_file(grid_path, grid_text, strlen(grid_text), &error));
}

Test(recall, the_haystack_may_be_a_text_whose_sentences_stay_whole)
{
    write_haystack("Mr. Fogg left the house\nat noon. It rained! Did anybody see him?\n\nNobody did, it seems.\n",
                   NULL);
    assert_ok(lfm_recall_grid_open(&grid, grid_path, &error));
    for (size_t i = 0; i < 5; i++) {
        struct lfm_recall_item item = make(i);
        cr_assert(strstr(item.text.data, "Mr. Fogg left the house at noon. ") != NULL, "%s", item.text.data);
        cr_assert(strchr(item.text.data, '\n') == NULL);
        cr_assert(item.words <= 60 && item.words > 51, "%zu", item.words);
        cr_assert_eq(times_in(item.text.data, item.expected.items[0]), 1u);
        lfm_recall_item_release(&item);
    }
}

Test(recall, a_haystack_that_changed_is_refused)
{
    write_haystack("It rained.", "0000");
    assert_fails(lfm_recall_grid_open(&grid, grid_path, &error), LFM_ERROR_MISMATCH, "has SHA-256");
    write_haystack("   \n", NULL);
    assert_fails(lfm_recall_grid_open(&grid, grid_path, &error), LFM_ERROR_FORMAT, "has no sentences");
    write_haystack("caf\xe9", NULL);
    assert_fails(lfm_recall_grid_open(&grid, grid_path, &error), LFM_ERROR_FORMAT, "is no UTF-8 text");
}

/* --- scores --- */

static bool scored(const struct lfm_recall_item *item, const char *answer)
{
    struct lfm_recall_score score;
    assert_ok(lfm_recall_item_score(&score, item, answer, &error));
    bool correct = score.correct;
    lfm_recall_score_release(&score);
    return correct;
}

Test(recall, right_is_every_expected_value_and_none_of_the_others)
{
    char *expected[] = {"red coat", "4711"}, *others[] = {"Lodur"};
    const struct lfm_recall_item item = {.expected = {expected, 2, 2}, .others = {others, 1, 1}};
    cr_assert(scored(&item, "red coat and 4711."));
    cr_assert(scored(&item, "They are 4,711 and the **Red Coat**!"), "in any order and dress");
    cr_assert(!scored(&item, "red coat"));
    cr_assert(!scored(&item, "red coats and 4711"));
    cr_assert(!scored(&item, "red coat, 4711, Lodur"), "naming everything is no recall");
    cr_assert(!scored(&item, ""));
}

/* --- the suite --- */

static cJSON *answered(const struct lfm_suite *suite, void *opened, size_t item, const char *text)
{
    const struct lfm_reply reply = {text, LFM_FINISH_STOP};
    struct lfm_request request = {0};
    bool done = false;
    void *dialogue;
    cJSON *sample = cJSON_CreateObject();
    assert_ok(suite->start(&dialogue, opened, item, &error));
    assert_ok(suite->next(dialogue, NULL, &request, &done, &error));
    cr_assert(!done && cJSON_GetArraySize(request.messages) == 1 && !request.tools);
    assert_ok(suite->next(dialogue, &reply, &request, &done, &error));
    cr_assert(done);
    cJSON_AddStringToObject(sample, "id", suite->id(opened, item));
    assert_ok(suite->verdict(dialogue, cJSON_AddObjectToObject(sample, "verdict"), &error));
    suite->finish(dialogue);
    return sample;
}

static const char *first_expected(const cJSON *sample)
{
    const cJSON *expected = cJSON_GetObjectItem(cJSON_GetObjectItem(sample, "verdict"), "expected");
    return cJSON_GetArrayItem(expected, 0)->valuestring;
}

Test(recall, the_suite_asks_scores_and_counts_by_cell)
{
    const struct lfm_suite *suite = lfm_suite_by_name("recall");
    void *opened;
    cr_assert(suite != NULL);
    assert_ok(suite->open(&opened, demo_file, &error));
    cr_assert_str_eq(suite->id(opened, 0), "needle-50-0-1");
    cJSON *wrong = answered(suite, opened, 0, "I do not know."), *summary = cJSON_CreateObject();
    char value[64];
    snprintf(value, sizeof value, "It is %s.", first_expected(wrong));
    cJSON *samples[] = {wrong, answered(suite, opened, 0, value)};
    cr_assert(cJSON_IsFalse(cJSON_GetObjectItem(cJSON_GetObjectItem(samples[0], "verdict"), "correct")));
    cr_assert(cJSON_IsTrue(cJSON_GetObjectItem(cJSON_GetObjectItem(samples[1], "verdict"), "correct")));
    assert_ok(suite->summarise(opened, samples, 2, summary, &error));
    const cJSON *cells = cJSON_GetObjectItem(summary, "cells"), *cell = cells->child;
    cr_assert_eq(cJSON_GetArraySize(cells), 1, "cells without items are left out");
    cr_assert_str_eq(cJSON_GetObjectItem(cell, "kind")->valuestring, "needle");
    cr_assert_eq(cJSON_GetObjectItem(cell, "length")->valueint, 50);
    cr_assert_eq(cJSON_GetObjectItem(cJSON_GetObjectItem(cell, "correct"), "right")->valueint, 1);
    cr_assert_eq(cJSON_GetObjectItem(cJSON_GetObjectItem(summary, "needle"), "n")->valueint, 2);
    cr_assert_eq(cJSON_GetObjectItem(cJSON_GetObjectItem(summary, "needle"), "clusters")->valueint, 1);
    cr_assert(cJSON_HasObjectItem(cJSON_GetObjectItem(cell, "correct"), "stderr"), "two answers to one item are a cluster");
    cJSON_Delete(samples[0]);
    cJSON_Delete(samples[1]);
    cJSON_Delete(summary);
    suite->close(opened);
}

Test(recall, one_answer_to_every_item_has_no_clusters)
{
    const struct lfm_suite *suite = lfm_suite_by_name("recall");
    void *opened;
    assert_ok(suite->open(&opened, demo_file, &error));
    cJSON *samples[] = {answered(suite, opened, 0, "?"), answered(suite, opened, 1, "?")}, *summary = cJSON_CreateObject();
    assert_ok(suite->summarise(opened, samples, 2, summary, &error));
    cr_assert_eq(cJSON_GetObjectItem(cJSON_GetObjectItem(summary, "needle"), "n")->valueint, 2);
    cr_assert(!cJSON_HasObjectItem(cJSON_GetObjectItem(summary, "needle"), "stderr"));
    cJSON_Delete(samples[0]);
    cJSON_Delete(samples[1]);
    cJSON_Delete(summary);
    suite->close(opened);
}

Test(recall, a_dialogue_without_an_answer_found_nothing)
{
    const struct lfm_suite *suite = lfm_suite_by_name("recall");
    void *opened, *dialogue;
    cJSON *verdict = cJSON_CreateObject();
    assert_ok(suite->open(&opened, demo_file, &error));
    assert_ok(suite->start(&dialogue, opened, 0, &error));
    assert_ok(suite->verdict(dialogue, verdict, &error));
    cr_assert(cJSON_IsFalse(cJSON_GetObjectItem(verdict, "correct")));
    cr_assert_eq(cJSON_GetArraySize(cJSON_GetObjectItem(verdict, "found")), 0);
    suite->finish(dialogue);
    suite->close(opened);
    cJSON_Delete(verdict);
}

Test(recall, samples_of_another_grid_are_refused)
{
    const struct lfm_suite *suite = lfm_suite_by_name("recall");
    void *opened;
    cJSON *sample = cJSON_CreateObject(), *summary = cJSON_CreateObject();
    cJSON_AddStringToObject(sample, "id", "needle-51-0-1");
    assert_ok(suite->open(&opened, demo_file, &error));
    assert_fails(suite->summarise(opened, &sample, 1, summary, &error), LFM_ERROR_FORMAT,
                 "the grid has no item 'needle-51-0-1'");
    suite->close(opened);
    cJSON_Delete(sample);
    cJSON_Delete(summary);
}
