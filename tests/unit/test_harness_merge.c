/* Shards and other parts of an experiment as one run: the result is that of a run in one piece. */
#include "eval/harness/merge.h"
#include "reference/base/file.h"
#include "tests/unit/assert.h"
#include "tests/unit/directory.h"
#include "tests/unit/harness_fakes.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

static struct lfm_error error;
static struct fake_backend fake;

TestSuite(merge, .init = make_directory, .fini = remove_directory);

/* What a run is made from, besides its directory. */
struct part {
    struct lfm_selection selection;
    size_t samples;
    double seed;
    bool retry_failed;
};

static cJSON *describe(const struct part *part)
{
    cJSON *run = cJSON_CreateObject();
    cJSON_AddStringToObject(run, "version", "1");
    cJSON_AddStringToObject(run, "repeats", "lfmscope eval fake");
    cJSON_AddStringToObject(run, "suite", "fake");
    cJSON_AddNumberToObject(cJSON_AddObjectToObject(run, "sampling"), "temperature", 0.5);
    cJSON_AddNumberToObject(run, "seed", part->seed);
    cJSON_AddNumberToObject(run, "samples_per_item", (double)part->samples);
    lfm_selection_describe(run, &part->selection);
    return run;
}

/* Makes or continues a run by the global fake backend. */
static void make_run(const char *name, const struct part *part)
{
    struct lfm_backend backend = fake_backend(&fake, 1);
    struct lfm_task task = {.suite = &fake_suite, .samples = part->samples, .seed = (uint64_t)part->seed,
                            .retry_failed = part->retry_failed};
    struct lfm_run run;
    cJSON *about = describe(part), *summary, **table;
    assert_ok(lfm_task_select(&task, &part->selection, &error));
    assert_ok(lfm_run_open(&run, in_run(name, NULL), about, &error));
    assert_ok(lfm_task_run(&task, &backend, &run, NULL, &table, &error));
    assert_ok(lfm_run_summary(&summary, about, &task, table, &error));
    assert_ok(lfm_run_write_summary(run.directory, summary, &error));
    cJSON_Delete(summary);
    cJSON_Delete(about);
    free(table);
    lfm_run_close(&run);
    lfm_task_release(&task);
}

/* Makes shard i of n, named "shard-i". */
static void make_shard(size_t shard, size_t shards, struct part part)
{
    char name[32];
    snprintf(name, sizeof name, "shard-%zu", shard);
    part.selection.shard = shard;
    part.selection.shards = shards;
    make_run(name, &part);
}

/* Merges the runs of this space-separated list into "merged". */
static enum lfm_status join(const char *list, bool partial)
{
    char names[256];
    const char *paths[16];
    size_t n = 0;
    struct lfm_merge merge;
    snprintf(names, sizeof names, "%s", list);
    for (char *name = strtok(names, " "); name; name = strtok(NULL, " ")) paths[n++] = in_run(name, NULL);
    enum lfm_status status = lfm_merge_read(&merge, paths, n, &error);
    if (status == LFM_OK) status = lfm_merge_join(&merge, &fake_suite, NULL, partial, &error);
    if (status == LFM_OK) {
        cJSON *summary;
        assert_ok(lfm_run_summary(&summary, merge.description, &merge.task, merge.table, &error));
        status = lfm_run_create(in_run("merged", NULL), merge.description, merge.lines, merge.n_lines, summary, &error);
        cJSON_Delete(summary);
    }
    lfm_merge_release(&merge);
    return status;
}

static void assert_same_file(const char *a, const char *b, const char *file)
{
    struct lfm_buffer first = {0}, second = {0};
    assert_ok(lfm_read_file(&first, in_run(a, file), &error));
    assert_ok(lfm_read_file(&second, in_run(b, file), &error));
    cr_assert_str_eq(first.data, second.data);
    lfm_buffer_release(&first);
    lfm_buffer_release(&second);
}

static void assert_merged_is(const char *whole)
{
    assert_same_file("merged", whole, "samples.jsonl");
    assert_same_file("merged", whole, "summary.json");
}

static void forget(const char *name)
{
    char command[160];
    snprintf(command, sizeof command, "rm -rf '%s'", in_run(name, NULL));
    cr_assert(system(command) == 0);
}

Test(merge, any_number_of_shards_gives_the_run_in_one_piece)
{
    static const size_t counts[] = {1, 2, 3, 9};
    const struct part whole = {.samples = 2, .seed = 11};
    make_run("whole", &whole);
    for (size_t c = 0; c < 4; c++) {
        char list[256] = "";
        for (size_t shard = counts[c]; shard >= 1; shard--) {
            make_shard(shard, counts[c], whole);
            snprintf(list + strlen(list), sizeof list - strlen(list), "shard-%zu ", shard);
        }
        assert_ok(join(list, false));
        assert_merged_is("whole");
        forget("merged");
        for (size_t shard = 1; shard <= counts[c]; shard++) {
            char name[32];
            snprintf(name, sizeof name, "shard-%zu", shard);
            forget(name);
        }
    }
}

Test(merge, shards_of_chosen_items_give_the_run_over_these)
{
    const struct part part = {.selection = {.exclude = "item-1", .limit = 4}, .samples = 1, .seed = 11};
    make_run("whole", &part);
    make_shard(1, 2, part);
    make_shard(2, 2, part);
    assert_ok(join("shard-1 shard-2", false));
    assert_merged_is("whole");
}

Test(merge, runs_over_other_items_join_and_say_which_these_are)
{
    const struct part all = {.samples = 1, .seed = 11};
    const struct part first = {.selection = {.ids = "item-4,item-0,item-2"}, .samples = 1, .seed = 11};
    const struct part second = {.selection = {.ids = "item-6,item-5"}, .samples = 1, .seed = 11};
    const struct part third = {.selection = {.ids = "item-1,item-3,item-4"}, .samples = 1, .seed = 11};
    const struct part both = {.selection = {.ids = "item-0,item-2,item-4,item-5,item-6"}, .samples = 1, .seed = 11};
    make_run("all", &all);
    make_run("first", &first);
    make_run("second", &second);
    make_run("third", &third);
    make_run("both", &both);
    assert_ok(join("second first", false));
    assert_merged_is("both");
    assert_fails(join("first third", false), LFM_ERROR_IO, "holds a run already");
    forget("merged");
    assert_ok(join("third second first", false));
    assert_merged_is("all");
}

Test(merge, missing_shards_are_named_and_can_be_left_out)
{
    const struct part whole = {.samples = 2, .seed = 11};
    make_shard(1, 3, whole);
    make_shard(3, 3, whole);
    assert_fails(join("shard-1 shard-3", false), LFM_ERROR_MISMATCH, "shard 2/3 is missing; --partial");
    cr_assert(!lfm_file_exists(in_run("merged", NULL)));

    /* shard 3 has items 2 and 5; cut into the line of its last sample */
    struct lfm_buffer log = {0};
    assert_ok(lfm_read_file(&log, in_run("shard-3", "samples.jsonl"), &error));
    cr_assert(truncate(in_run("shard-3", "samples.jsonl"), (off_t)log.length - 9) == 0);
    assert_fails(join("shard-1 shard-3", false), LFM_ERROR_MISMATCH,
                 "shard 2/3 is missing, shard 3/3 lacks 1 of 4 samples; --partial");
    assert_ok(join("shard-1 shard-3", true));
    const struct part rest = {.selection = {.ids = "item-0,item-2,item-3,item-6"}, .samples = 2, .seed = 11};
    make_run("rest", &rest);
    assert_merged_is("rest");
    lfm_buffer_release(&log);
}

Test(merge, a_partial_merge_and_the_rest_give_the_whole)
{
    const struct part whole = {.samples = 1, .seed = 11};
    make_run("whole", &whole);
    make_shard(1, 2, whole);
    assert_ok(join("shard-1", true));
    cr_assert(rename(in_run("merged", NULL), in_run("part", NULL)) == 0);
    make_shard(2, 2, whole);
    assert_ok(join("part shard-2", false));
    assert_merged_is("whole");
}

Test(merge, what_is_missing_without_shards_is_counted)
{
    const struct part part = {.selection = {.ids = "item-1,item-2"}, .samples = 1, .seed = 11};
    make_run("part", &part);
    cr_assert(truncate(in_run("part", "samples.jsonl"), 3) == 0);
    assert_fails(join("part", false), LFM_ERROR_MISMATCH, "2 of 2 samples are missing, the first of item 'item-1'");
    assert_fails(join("part", true), LFM_ERROR_MISMATCH, "nothing to merge");
}

Test(merge, runs_of_other_experiments_are_refused_by_name)
{
    const struct part one = {.samples = 1, .seed = 11}, reseeded = {.samples = 1, .seed = 12}, more = {.samples = 2, .seed = 11};
    make_run("one", &one);
    make_run("reseeded", &reseeded);
    make_run("more", &more);
    assert_fails(join("one reseeded", false), LFM_ERROR_MISMATCH, "do not belong together: the former has seed 12, not 11");
    assert_fails(join("one more", false), LFM_ERROR_MISMATCH, "samples_per_item 2, not 1");
    assert_fails(join("one nowhere", false), LFM_ERROR_IO, "nowhere/run.json");
}

Test(merge, one_sample_with_two_answers_is_refused)
{
    const struct part part = {.selection = {.ids = "item-2,item-3"}, .samples = 1, .seed = 11};
    const struct part other = {.selection = {.ids = "item-3"}, .samples = 1, .seed = 11};
    make_run("part", &part);
    make_run("same", &other);
    make_run("other", &other);
    assert_ok(join("part same", false));
    assert_merged_is("part");
    forget("merged");
    struct lfm_buffer log = {0};
    assert_ok(lfm_read_file(&log, in_run("other", "samples.jsonl"), &error));
    char *raw = strstr(log.data, "item-3 ");
    cr_assert(raw != NULL);
    raw[7] = raw[7] == '1' ? '2' : '1';
    assert_ok(lfm_write_file(in_run("other", "samples.jsonl"), log.data, log.length, &error));
    assert_fails(join("part other", false), LFM_ERROR_MISMATCH, "different answers to sample 0 of item 'item-3'");
    lfm_buffer_release(&log);
}

Test(merge, failed_samples_stay_in_the_log_and_give_way_to_an_answer)
{
    struct part part = {.selection = {.ids = "item-2,item-4"}, .samples = 1, .seed = 11};
    fake.fails_on = "item-4";
    make_run("failed", &part);
    make_run("retried", &part);
    fake.fails_on = NULL;
    part.retry_failed = true;
    make_run("retried", &part);
    make_run("fine", &part);
    assert_ok(join("fine failed", false));
    assert_same_file("merged", "fine", "summary.json");
    assert_same_file("merged", "retried", "samples.jsonl");
    forget("merged");
    assert_ok(join("failed", false));
    assert_merged_is("failed");
}

Test(merge, a_run_that_goes_on_is_refused)
{
    const struct part part = {.samples = 1, .seed = 11};
    make_run("part", &part);
    int lock = open(in_run("part", "lock"), O_RDWR);
    cr_assert(lock >= 0 && flock(lock, LOCK_EX) == 0);
    assert_fails(join("part", false), LFM_ERROR_MISMATCH, "in use by another process");
    close(lock);
    assert_ok(join("part", false));
}
