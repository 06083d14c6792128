/* The harness on a suite and a backend without a model: runs that are killed, damaged, locked, repeated. */
#include "eval/harness/paired.h"
#include "eval/harness/run.h"
#include "eval/harness/runner.h"
#include "reference/base/file.h"
#include "tests/unit/assert.h"
#include "tests/unit/directory.h"
#include "tests/unit/harness_fakes.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static struct lfm_error error;
static const struct lfm_selection everything;

TestSuite(harness, .init = make_directory, .fini = remove_directory);

static cJSON *description(double seed)
{
    cJSON *run = cJSON_CreateObject();
    cJSON_AddStringToObject(run, "suite", "fake");
    cJSON_AddNumberToObject(cJSON_AddObjectToObject(run, "sampling"), "temperature", 0.5);
    cJSON_AddNumberToObject(run, "seed", seed);
    return run;
}

static struct lfm_task all_items(size_t samples)
{
    struct lfm_task task = {.suite = &fake_suite, .samples = samples, .seed = 11};
    assert_ok(lfm_task_select(&task, &everything, &error));
    return task;
}

/* Runs or continues a run to its summary. */
static enum lfm_status go_on(const char *name, const struct lfm_task *task, struct fake_backend *fake,
                             size_t concurrency)
{
    struct lfm_backend backend = fake_backend(fake, concurrency);
    struct lfm_run run;
    cJSON *about = description(11), *summary = cJSON_CreateObject(), **table = NULL;
    enum lfm_status status = lfm_run_open(&run, in_run(name, NULL), about, &error);
    cJSON_Delete(about);
    if (status == LFM_OK) {
        status = lfm_task_run(task, &backend, &run, NULL, &table, &error);
        if (status == LFM_OK) status = lfm_task_summarise(task, table, summary, &error);
        if (status == LFM_OK) status = lfm_run_write_summary(run.directory, summary, &error);
        free(table);
        lfm_run_close(&run);
    }
    cJSON_Delete(summary);
    return status;
}

static struct lfm_buffer read_file(const char *path)
{
    struct lfm_buffer text = {0};
    assert_ok(lfm_read_file(&text, path, &error));
    return text;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The lines of two logs are the same, whatever their order; the summaries are the same bytes. */
static void assert_same_run(const char *a, const char *b)
{
    const char *names[2] = {a, b};
    char *lines[2][64];
    size_t n[2] = {0, 0};
    struct lfm_buffer logs[2], summaries[2];
    for (int i = 0; i < 2; i++) {
        logs[i] = read_file(in_run(names[i], "samples.jsonl"));
        summaries[i] = read_file(in_run(names[i], "summary.json"));
        for (char *line = strtok(logs[i].data, "\n"); line; line = strtok(NULL, "\n")) lines[i][n[i]++] = line;
        qsort(lines[i], n[i], sizeof lines[i][0], by_text);
    }
    cr_assert(n[0] == n[1], "%zu lines, expected %zu", n[0], n[1]);
    for (size_t i = 0; i < n[0]; i++) cr_assert_str_eq(lines[0][i], lines[1][i]);
    cr_assert_str_eq(summaries[0].data, summaries[1].data);
    for (int i = 0; i < 2; i++) {
        lfm_buffer_release(&logs[i]);
        lfm_buffer_release(&summaries[i]);
    }
}

static size_t count_lines(const char *run)
{
    struct lfm_buffer text = read_file(in_run(run, "samples.jsonl"));
    size_t n = 0;
    for (size_t i = 0; i < text.length; i++) n += text.data[i] == '\n';
    lfm_buffer_release(&text);
    return n;
}

static void append_text(const char *run, const char *text)
{
    FILE *file = fopen(in_run(run, "samples.jsonl"), "a");
    cr_assert(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

Test(harness, the_order_in_which_answers_come_has_no_influence)
{
    struct lfm_task task = all_items(3);
    struct fake_backend one = {0}, many = {.last_first = true};
    assert_ok(go_on("one", &task, &one, 1));
    assert_ok(go_on("many", &task, &many, 5));
    cr_assert(count_lines("one") == 3 * FAKE_ITEMS);
    cr_assert(one.served == 3 * (FAKE_ITEMS + FAKE_ITEMS / 2), "odd items ask twice; %zu requests", one.served);
    assert_same_run("one", "many");
    lfm_task_release(&task);
}

Test(harness, a_run_killed_anywhere_goes_on_to_the_same_end)
{
    struct lfm_task task = all_items(2);
    struct fake_backend whole = {0};
    assert_ok(go_on("whole", &task, &whole, 3));
    for (size_t kill_after = 1; kill_after < whole.served; kill_after++) {
        char name[32];
        int how;
        snprintf(name, sizeof name, "killed-%zu", kill_after);
        pid_t child = fork();
        cr_assert(child >= 0);
        if (child == 0) {
            struct fake_backend fake = {.kill_after = kill_after, .last_first = true};
            (void)go_on(name, &task, &fake, 3);
            _exit(0);
        }
        cr_assert(waitpid(child, &how, 0) == child);
        cr_assert(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
        size_t saved = count_lines(name);
        cr_assert(!lfm_file_exists(in_run(name, "summary.json")));
        struct fake_backend rest = {0};
        assert_ok(go_on(name, &task, &rest, 2));
        cr_assert(saved == 2 * FAKE_ITEMS || rest.served < whole.served || saved == 0);
        assert_same_run(name, "whole");
    }
    lfm_task_release(&task);
}

Test(harness, a_line_torn_at_any_byte_is_cut_away_and_only_that)
{
    struct lfm_task task = all_items(1);
    struct fake_backend whole = {0};
    assert_ok(go_on("whole", &task, &whole, 1));
    struct lfm_buffer log = read_file(in_run("whole", "samples.jsonl"));
    size_t last = log.length - 1;
    while (log.data[last - 1] != '\n') last--;
    assert_ok(go_on("torn", &task, &whole, 1));
    for (size_t length = last; length < log.length; length++) {
        struct fake_backend rest = {0};
        cr_assert(truncate(in_run("torn", "samples.jsonl"), (off_t)length) == 0);
        assert_ok(go_on("torn", &task, &rest, 1));
        cr_assert(rest.served == 1, "%zu requests after a cut at byte %zu", rest.served, length);
        assert_same_run("torn", "whole");
    }
    lfm_buffer_release(&log);
    lfm_task_release(&task);
}

Test(harness, a_finished_run_asks_nothing_and_can_be_extended)
{
    struct lfm_task small = {.suite = &fake_suite, .samples = 1, .seed = 11}, large = all_items(2);
    struct fake_backend first = {0}, again = {0}, more = {0}, whole = {0};
    assert_ok(lfm_task_select(&small, &(struct lfm_selection){.limit = 3}, &error));
    assert_ok(go_on("run", &small, &first, 2));
    assert_ok(go_on("run", &small, &again, 2));
    cr_assert(again.served == 0);
    assert_ok(go_on("run", &large, &more, 2));
    assert_ok(go_on("whole", &large, &whole, 2));
    cr_assert(first.served + more.served == whole.served);
    assert_same_run("run", "whole");
    lfm_task_release(&small);
    lfm_task_release(&large);
}

Test(harness, a_second_holder_of_a_run_is_refused)
{
    struct lfm_run first, second;
    cJSON *about = description(11);
    assert_ok(lfm_run_open(&first, in_run("run", NULL), about, &error));
    assert_fails(lfm_run_open(&second, in_run("run", NULL), about, &error), LFM_ERROR_MISMATCH, "in use by another");
    lfm_run_close(&first);
    assert_ok(lfm_run_open(&second, in_run("run", NULL), about, &error));
    lfm_run_close(&second);
    cJSON_Delete(about);
}

Test(harness, a_run_of_other_settings_is_refused_and_named)
{
    struct lfm_run run;
    cJSON *about = description(11), *reseeded = description(12), *warmer = description(11);
    cJSON_SetNumberValue(cJSON_GetObjectItem(cJSON_GetObjectItem(warmer, "sampling"), "temperature"), 0.75);
    assert_ok(lfm_run_open(&run, in_run("run", NULL), about, &error));
    lfm_run_close(&run);
    assert_fails(lfm_run_open(&run, in_run("run", NULL), reseeded, &error), LFM_ERROR_MISMATCH, "seed 11, not 12");
    assert_fails(lfm_run_open(&run, in_run("run", NULL), warmer, &error), LFM_ERROR_MISMATCH, "temperature 0.5, not 0.75");
    cJSON_AddStringToObject(about, "weights", "q4_0");
    assert_fails(lfm_run_open(&run, in_run("run", NULL), about, &error), LFM_ERROR_MISMATCH, "weights unset, not \"q4_0\"");
    cJSON_Delete(about);
    cJSON_Delete(reseeded);
    cJSON_Delete(warmer);
}

Test(harness, damaged_logs_are_refused_with_the_place)
{
    struct lfm_task task = all_items(1);
    struct fake_backend fake = {0};
    assert_ok(go_on("run", &task, &fake, 1));
    struct lfm_buffer log = read_file(in_run("run", "samples.jsonl"));
    append_text("run", log.data);
    assert_fails(go_on("run", &task, &fake, 1), LFM_ERROR_FORMAT, "sample 0 of item 'item-0' stands there twice");
    cr_assert(truncate(in_run("run", "samples.jsonl"), (off_t)log.length) == 0);
    append_text("run", "{\"id\": \"item-0\", \"sample\"\n");
    assert_fails(go_on("run", &task, &fake, 1), LFM_ERROR_FORMAT, "samples.jsonl:8");
    cr_assert(truncate(in_run("run", "samples.jsonl"), (off_t)log.length) == 0);
    append_text("run", "{\"id\": \"item-0\", \"sample\": 0, \"finish\": \"stop\"}\n");
    assert_fails(go_on("run", &task, &fake, 1), LFM_ERROR_FORMAT, "'verdict' must be an object");
    cr_assert(unlink(in_run("run", "run.json")) == 0);
    assert_fails(go_on("run", &task, &fake, 1), LFM_ERROR_FORMAT, "no run.json");
    lfm_buffer_release(&log);
    lfm_task_release(&task);
}

Test(harness, a_run_where_no_directory_can_be_is_one_clear_error)
{
    struct lfm_task task = all_items(1);
    struct fake_backend fake = {0};
    assert_ok(lfm_write_file(in_run("file", NULL), "x", 1, &error));
    assert_fails(go_on("file/run", &task, &fake, 1), LFM_ERROR_IO, "cannot make the directory");
    cr_assert(fake.served == 0);
    lfm_task_release(&task);
}

/* A limit on the size of files stands in for a full disk: the write that crosses it is cut short. */
Test(harness, a_full_disk_loses_nothing_written)
{
    struct lfm_task task = all_items(1);
    struct fake_backend whole = {0}, rest = {0};
    int how;
    assert_ok(go_on("whole", &task, &whole, 1));
    struct lfm_buffer log = read_file(in_run("whole", "samples.jsonl"));
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        const struct rlimit limit = {log.length / 2, log.length / 2};
        struct fake_backend fake = {0};
        signal(SIGXFSZ, SIG_IGN);
        bool limited = setrlimit(RLIMIT_FSIZE, &limit) == 0;
        bool failed = go_on("full", &task, &fake, 1) == LFM_ERROR_IO && strstr(error.message, "cannot write");
        _exit(limited && failed ? 0 : 1);
    }
    cr_assert(waitpid(child, &how, 0) == child);
    cr_assert(WIFEXITED(how) && WEXITSTATUS(how) == 0);
    struct lfm_buffer left = read_file(in_run("full", "samples.jsonl"));
    cr_assert(left.length > 0 && left.length <= log.length / 2 && left.data[left.length - 1] == '\n');
    cr_assert(memcmp(left.data, log.data, left.length) == 0);
    assert_ok(go_on("full", &task, &rest, 1));
    assert_same_run("full", "whole");
    lfm_buffer_release(&left);
    lfm_buffer_release(&log);
    lfm_task_release(&task);
}

static double figure(const cJSON *document, const char *key, const char *inner)
{
    const cJSON *member = cJSON_GetObjectItem(document, key);
    if (inner) member = cJSON_GetObjectItem(member, inner);
    cr_assert(cJSON_IsNumber(member), "no number '%s'", key);
    return member->valuedouble;
}

static cJSON *read_summary(const char *run)
{
    cJSON *summary;
    assert_ok(lfm_json_parse_file(&summary, in_run(run, "summary.json"), &error));
    return summary;
}

Test(harness, failed_samples_are_counted_and_retried_on_request)
{
    struct lfm_task task = all_items(1);
    struct fake_backend failing = {.fails_on = "item-4"}, patient = {0}, retry = {0}, whole = {0};
    assert_ok(go_on("run", &task, &failing, 2));
    cJSON *summary = read_summary("run");
    assert_near(figure(summary, "finish", "error"), 1, 0);
    assert_near(figure(summary, "finish", "stop"), FAKE_ITEMS - 1, 0);
    assert_near(figure(summary, "correct", "n"), FAKE_ITEMS, 0);
    cJSON_Delete(summary);

    assert_ok(go_on("run", &task, &patient, 2));
    cr_assert(patient.served == 0);
    task.retry_failed = true;
    assert_ok(go_on("run", &task, &retry, 2));
    cr_assert(retry.served == 1);
    cr_assert(count_lines("run") == FAKE_ITEMS + 1, "the failed line stays");
    task.retry_failed = false;
    assert_ok(go_on("run", &task, &patient, 2));
    cr_assert(patient.served == 0);
    assert_ok(go_on("whole", &task, &whole, 2));
    struct lfm_buffer a = read_file(in_run("run", "summary.json")), b = read_file(in_run("whole", "summary.json"));
    cr_assert_str_eq(a.data, b.data);
    lfm_buffer_release(&a);
    lfm_buffer_release(&b);
    lfm_task_release(&task);
}

/* A table of n samples with these verdicts, as the suite would have left them. */
static void make_table(cJSON **table, const char *right, size_t samples)
{
    for (size_t i = 0; right[i]; i++) {
        cJSON *sample = table[i] = cJSON_CreateObject();
        cJSON_AddStringToObject(sample, "id", fake_suite.id(NULL, i / samples));
        cJSON_AddStringToObject(sample, "finish", i == 0 ? "length" : "stop");
        cJSON_AddNumberToObject(sample, "generated_tokens", 2);
        cJSON *verdict = cJSON_AddObjectToObject(sample, "verdict");
        cJSON_AddBoolToObject(verdict, "correct", right[i] == '1');
        cJSON_AddNumberToObject(verdict, "digit", 0);
    }
}

Test(harness, the_interval_of_several_samples_counts_items_and_keeps_the_rate)
{
    /* 10 of 21 samples: Wilson's interval of 10/3 in 7 items, not of 3 or 4 */
    cJSON *table[3 * FAKE_ITEMS], *summary = cJSON_CreateObject();
    struct lfm_task task = all_items(3);
    make_table(table, "111" "101" "011" "000" "000" "000" "111", 3);
    assert_ok(lfm_task_summarise(&task, table, summary, &error));
    assert_near(figure(summary, "correct", "low"), lfm_wilson_mean(10.0 / 3, 7, 0.95).low, 0);
    assert_near(figure(summary, "correct", "high"), lfm_wilson_mean(10.0 / 3, 7, 0.95).high, 0);
    for (size_t i = 0; i < 3 * FAKE_ITEMS; i++) cJSON_Delete(table[i]);
    cJSON_Delete(summary);
    lfm_task_release(&task);
}

Test(harness, several_samples_give_pass_rates_and_an_interval_over_items)
{
    /* items right in 3, 2, 1, 0, 0, 0, 3 of 3 samples */
    cJSON *table[3 * FAKE_ITEMS], *summary = cJSON_CreateObject();
    struct lfm_task task = all_items(3);
    make_table(table, "111" "101" "010" "000" "000" "000" "111", 3);
    assert_ok(lfm_task_summarise(&task, table, summary, &error));
    assert_near(figure(summary, "correct", "accuracy"), 9.0 / 21, 1e-12);
    assert_near(figure(summary, "correct", "low"), lfm_wilson(3, 7, 0.95).low, 0);
    assert_near(figure(summary, "correct", "high"), lfm_wilson(3, 7, 0.95).high, 0);
    assert_near(figure(summary, "finish", "length"), 1, 0);
    assert_near(figure(summary, "generated_tokens", NULL), 42, 0);
    const cJSON *second = cJSON_GetArrayItem(cJSON_GetObjectItem(summary, "pass"), 1);
    assert_near(figure(second, "k", NULL), 2, 0);
    assert_near(figure(second, "at_least_one", NULL), (1 + 1 + 2.0 / 3 + 1) / 7, 1e-12);
    assert_near(figure(second, "all", NULL), (1 + 1.0 / 3 + 0 + 1) / 7, 1e-12);
    for (size_t i = 0; i < 3 * FAKE_ITEMS; i++) cJSON_Delete(table[i]);
    cJSON_Delete(summary);
    lfm_task_release(&task);
}

/* The chosen items as text, "1 5 ". */
static const char *chosen(const struct lfm_selection *selection)
{
    static char text[128];
    struct lfm_task task = {.suite = &fake_suite};
    size_t used = 0;
    assert_ok(lfm_task_select(&task, selection, &error));
    text[0] = '\0';
    for (size_t i = 0; i < task.n_items; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%zu ", task.items[i]);
    lfm_task_release(&task);
    return text;
}

static void assert_refused(const struct lfm_selection *selection, const char *message)
{
    struct lfm_task task = {.suite = &fake_suite};
    assert_fails(lfm_task_select(&task, selection, &error), LFM_ERROR_ARGUMENT, message);
    lfm_task_release(&task);
}

Test(harness, items_are_chosen_by_id_without_the_excluded_up_to_the_limit)
{
    cr_assert_str_eq(chosen(&(struct lfm_selection){.ids = "item-5,item-1,item-3", .exclude = "item-3"}), "1 5 ");
    cr_assert_str_eq(chosen(&(struct lfm_selection){.exclude = "item-0,item-2", .limit = 2}), "1 3 ");
    assert_refused(&(struct lfm_selection){.ids = "item-1,item-12"}, "no item 'item-12'");
    assert_refused(&(struct lfm_selection){.ids = "item-1,item"}, "no item 'item'");
    assert_refused(&(struct lfm_selection){.ids = "item-1", .exclude = "item-1"}, "no items are left");
}

Test(harness, shards_take_every_nth_of_the_chosen_items)
{
    cr_assert_str_eq(chosen(&(struct lfm_selection){.shard = 1, .shards = 3}), "0 3 6 ");
    cr_assert_str_eq(chosen(&(struct lfm_selection){.shard = 3, .shards = 3}), "2 5 ");
    cr_assert_str_eq(chosen(&(struct lfm_selection){.exclude = "item-0", .limit = 4, .shard = 2, .shards = 2}), "2 4 ");
    cr_assert_str_eq(chosen(&(struct lfm_selection){.limit = 2, .shard = 3, .shards = 3}), "");
}

Test(harness, shards_are_written_as_one_of_how_many)
{
    static const char *const wrong[] = {"", "1", "0/3", "4/3", "1/0", "-1/3", "1/3x", "1/ 3", "/3", "1/99999999999999999999"};
    struct lfm_selection selection = {0};
    cr_assert(lfm_shard_parse(&selection, "2/3") && selection.shard == 2 && selection.shards == 3);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_assert(!lfm_shard_parse(&selection, wrong[i]), "'%s' was taken", wrong[i]);
}

Test(harness, a_comparison_names_the_flips_and_adjusts_over_the_variants)
{
    bool reference[FAKE_ITEMS] = {true, true, true, true, true, true, false};
    bool same[FAKE_ITEMS] = {true, true, true, true, true, true, false};
    bool worse[FAKE_ITEMS] = {false, false, false, false, false, false, true};
    const struct lfm_variant base = {.name = "reference", .right = reference},
                             variants[] = {{.name = "q8_0", .right = same}, {.name = "q4_0/q8", .activations = "q8", .right = worse}};
    struct lfm_task task = all_items(1);
    struct lfm_paired paired[2];
    lfm_compare_variants(paired, reference, variants, 2, FAKE_ITEMS, 0.02);
    cr_assert(paired[1].pairs.lost == 6 && paired[1].pairs.gained == 1 && paired[1].pairs.both == 0);
    assert_near(paired[1].difference, -5.0 / 7, 1e-12);
    assert_near(paired[1].exact, 2 * 8.0 / 128, 1e-12); /* at most 1 of 7 flips one way, twice */
    assert_near(paired[1].holm, 4 * 8.0 / 128, 1e-12);
    assert_near(paired[0].holm, 1, 0);
    cJSON *document = cJSON_CreateObject();
    lfm_add_variants(document, &task, &base, variants, paired, 2);
    const cJSON *second = cJSON_GetArrayItem(cJSON_GetObjectItem(document, "variants"), 1);
    cr_assert(cJSON_GetArraySize(cJSON_GetObjectItem(second, "lost")) == 6);
    cr_assert_str_eq(cJSON_GetArrayItem(cJSON_GetObjectItem(second, "gained"), 0)->valuestring, "item-6");
    assert_near(figure(second, "correct", "right"), 1, 0);
    cr_assert_str_eq(cJSON_GetObjectItem(second, "activations")->valuestring, "q8");
    cJSON_Delete(document);
    lfm_task_release(&task);
}

Test(harness, seeds_are_the_documented_hash)
{
    uint64_t seed, other;
    assert_ok(lfm_request_seed(&seed, 7, "item-1", 2, 0, &error));
    cr_assert(seed == UINT64_C(0x4c2aa655908b85f6), "seed is %llx", (unsigned long long)seed);
    assert_ok(lfm_request_seed(&other, 7, "item-1", 2, 1, &error));
    cr_assert(seed != other);
}

Test(harness, reasoning_is_taken_away_by_the_stated_rule)
{
    static const struct {
        const char *raw, *text;
    } cases[] = {
        {"An answer.", "An answer."},
        {"\n\nAn answer.", "\n\nAn answer."},
        {"<think>why</think>\n\nAn answer.\n", "An answer.\n"},
        {" \n<think>why</think>An answer.", "An answer."},
        {"<think>a</think>b</think>\nc", "c"},
        {"why not</think>\nAn answer.", "An answer."},
        {"<think>and so on", ""},
        {"<think>", ""},
        {"</think>", ""},
        {"Tags: <think>x</think> stay.", "Tags: <think>x</think> stay."},
        {"Tags: <think> alone stay.", "Tags: <think> alone stay."},
        {"<think>a</think>Say <think>!", "Say <think>!"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lfm_buffer text = {0};
        assert_ok(lfm_strip_reasoning(&text, cases[i].raw, &error));
        cr_assert_str_eq(text.data, cases[i].text, "'%s' gave '%s'", cases[i].raw, text.data);
        lfm_buffer_release(&text);
    }
}
