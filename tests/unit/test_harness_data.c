/* Where data sets lie, and what their hash covers. */
#include "eval/harness/data.h"
#include "reference/base/file.h"
#include "tests/unit/assert.h"
#include "tests/unit/harness_fakes.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct lfm_error error;
static char directory[64];

static void make_directory(void)
{
    snprintf(directory, sizeof directory, "/tmp/lfmscope-data-XXXXXX");
    cr_assert(mkdtemp(directory) != NULL && unsetenv("LFMSCOPE_DATA") == 0);
}

static void remove_directory(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    cr_assert(system(command) == 0);
}

TestSuite(data, .init = make_directory, .fini = remove_directory);

static const char *inside(const char *name)
{
    static char paths[4][160];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

static void put(const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s", inside(name));
    *strrchr(path, '/') = '\0';
    assert_ok(lfm_make_directory(path, &error));
    assert_ok(lfm_write_file(inside(name), text, strlen(text), &error));
}

static void assert_located(const char *given, bool several, const char *expected)
{
    char *path;
    assert_ok(lfm_data_locate(&path, &fake_suite, given, several, &error));
    cr_assert_str_eq(path, expected);
    free(path);
}

Test(data, a_given_file_is_taken_and_a_directory_gives_the_file_in_it)
{
    put("set/fake.jsonl", "{}");
    assert_located(inside("set/fake.jsonl"), false, inside("set/fake.jsonl"));
    assert_located(inside("set"), false, inside("set/fake.jsonl"));
}

Test(data, several_suites_share_a_directory)
{
    put("all/fake/fake.jsonl", "{}");
    assert_located(inside("all"), true, inside("all/fake/fake.jsonl"));
    char *path;
    assert_fails(lfm_data_locate(&path, &fake_suite, inside("none"), true, &error), LFM_ERROR_IO, "none/fake' (--data)");
    cr_assert(path == NULL);
}

Test(data, a_directory_of_another_suite_is_named)
{
    char *path;
    put("other/BFCL_v4_multiple.json", "{}");
    assert_fails(lfm_data_locate(&path, &fake_suite, inside("other"), false, &error), LFM_ERROR_IO,
                 "other' has no fake.jsonl");
}

Test(data, the_environment_names_a_directory_of_data_sets)
{
    char *path;
    put("mine/fake/fake.jsonl", "{}");
    setenv("LFMSCOPE_DATA", inside("mine"), 1);
    assert_located(NULL, false, inside("mine/fake/fake.jsonl"));
    assert_located(NULL, true, inside("mine/fake/fake.jsonl"));
    setenv("LFMSCOPE_DATA", inside("nowhere"), 1);
    assert_fails(lfm_data_locate(&path, &fake_suite, NULL, false, &error), LFM_ERROR_IO, "nowhere/fake' (LFMSCOPE_DATA)");
    setenv("LFMSCOPE_DATA", "", 1);
    assert_fails(lfm_data_locate(&path, &fake_suite, NULL, false, &error), LFM_ERROR_IO,
                 "no data for fake: there is no 'datasets/tasks/fake' (the built-in tasks); name a data set with --data");
}

static const char *hash(const char *name)
{
    static char digests[4][LFM_SHA256_TEXT];
    static int next;
    char *digest = digests[next++ % 4];
    assert_ok(lfm_data_sha256(inside(name), digest, &error));
    return digest;
}

Test(data, a_directory_has_the_hash_that_sha256sum_gives)
{
    put("set/b.json", "two\n");
    put("set/a/z.json", "one\n");
    put("set/a.json", "three\n");
    put("set/.hidden", "x");
    /* find * -type f | LC_ALL=C sort | xargs sha256sum | sha256sum */
    cr_assert_str_eq(hash("set"), "108ea9fea8422d77d93c0196533e15455ad079dafffb298c985164d7bf212492");
    cr_assert_str_eq(hash("set/b.json"), "27dd8ed44a83ff94d557f9fd0412ed5a8cbca69ea04922d88c01184a07300a5a");
}

Test(data, names_contents_and_places_count)
{
    put("first/a.json", "one");
    put("second/a.json", "two");
    put("third/b.json", "one");
    put("fourth/sub/a.json", "one");
    put("fifth/a.json", "one");
    cr_assert_str_neq(hash("first"), hash("second"));
    cr_assert_str_neq(hash("first"), hash("third"));
    cr_assert_str_neq(hash("first"), hash("fourth"));
    cr_assert_str_eq(hash("first"), hash("fifth"));
}

Test(data, empty_and_endless_directories_are_refused)
{
    char digest[LFM_SHA256_TEXT];
    cr_assert(mkdir(inside("empty"), 0777) == 0);
    assert_fails(lfm_data_sha256(inside("empty"), digest, &error), LFM_ERROR_FORMAT, "holds no files");
    put("loop/a.json", "x");
    cr_assert(symlink(".", inside("loop/again")) == 0);
    assert_fails(lfm_data_sha256(inside("loop"), digest, &error), LFM_ERROR_LIMIT, "nested more than 16 deep");
    assert_fails(lfm_data_sha256(inside("nowhere"), digest, &error), LFM_ERROR_IO, "cannot open");
}
