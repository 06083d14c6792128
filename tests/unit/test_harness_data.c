/* Where data sets lie, and what their hash covers. */
#include "eval/harness/data.h"
#include "reference/base/file.h"
#include "tests/unit/assert.h"
#include "tests/unit/directory.h"
#include "tests/unit/harness_fakes.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct lfm_error error;

static void prepare(void)
{
    make_directory();
    cr_assert(unsetenv("LFMSCOPE_DATA") == 0);
}

TestSuite(data, .init = prepare, .fini = remove_directory);

static void assert_located(const char *given, bool several, const char *expected)
{
    char *path;
    assert_ok(lfm_data_locate(&path, &fake_suite, given, several, &error));
    cr_assert_str_eq(path, expected);
    free(path);
}

Test(data, a_given_file_is_taken_and_a_directory_gives_the_file_in_it)
{
    write_text("set/fake.jsonl", "{}");
    assert_located(in_directory("set/fake.jsonl"), false, in_directory("set/fake.jsonl"));
    assert_located(in_directory("set"), false, in_directory("set/fake.jsonl"));
}

Test(data, several_suites_share_a_directory)
{
    write_text("all/fake/fake.jsonl", "{}");
    assert_located(in_directory("all"), true, in_directory("all/fake/fake.jsonl"));
    char *path;
    assert_fails(lfm_data_locate(&path, &fake_suite, in_directory("none"), true, &error), LFM_ERROR_IO, "none/fake' (--data)");
    cr_assert(path == NULL);
}

Test(data, a_directory_of_another_suite_is_named)
{
    char *path;
    write_text("other/BFCL_v4_multiple.json", "{}");
    assert_fails(lfm_data_locate(&path, &fake_suite, in_directory("other"), false, &error), LFM_ERROR_IO,
                 "other' has no fake.jsonl");
}

Test(data, the_environment_names_a_directory_of_data_sets)
{
    char *path;
    write_text("mine/fake/fake.jsonl", "{}");
    setenv("LFMSCOPE_DATA", in_directory("mine"), 1);
    assert_located(NULL, false, in_directory("mine/fake/fake.jsonl"));
    assert_located(NULL, true, in_directory("mine/fake/fake.jsonl"));
    setenv("LFMSCOPE_DATA", in_directory("nowhere"), 1);
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
    assert_ok(lfm_data_sha256(in_directory(name), digest, &error));
    return digest;
}

Test(data, a_directory_has_the_hash_that_sha256sum_gives)
{
    write_text("set/b.json", "two\n");
    write_text("set/a/z.json", "one\n");
    write_text("set/a.json", "three\n");
    write_text("set/.hidden", "x");
    /* find * -type f | LC_ALL=C sort | xargs sha256sum | sha256sum */
    cr_assert_str_eq(hash("set"), "108ea9fea8422d77d93c0196533e15455ad079dafffb298c985164d7bf212492");
    cr_assert_str_eq(hash("set/b.json"), "27dd8ed44a83ff94d557f9fd0412ed5a8cbca69ea04922d88c01184a07300a5a");
}

Test(data, names_contents_and_places_count)
{
    write_text("first/a.json", "one");
    write_text("second/a.json", "two");
    write_text("third/b.json", "one");
    write_text("fourth/sub/a.json", "one");
    write_text("fifth/a.json", "one");
    cr_assert_str_neq(hash("first"), hash("second"));
    cr_assert_str_neq(hash("first"), hash("third"));
    cr_assert_str_neq(hash("first"), hash("fourth"));
    cr_assert_str_eq(hash("first"), hash("fifth"));
}

Test(data, empty_and_endless_directories_are_refused)
{
    char digest[LFM_SHA256_TEXT];
    cr_assert(mkdir(in_directory("empty"), 0777) == 0);
    assert_fails(lfm_data_sha256(in_directory("empty"), digest, &error), LFM_ERROR_FORMAT, "holds no files");
    write_text("loop/a.json", "x");
    cr_assert(symlink(".", in_directory("loop/again")) == 0);
    assert_fails(lfm_data_sha256(in_directory("loop"), digest, &error), LFM_ERROR_LIMIT, "nested more than 16 deep");
    assert_fails(lfm_data_sha256(in_directory("nowhere"), digest, &error), LFM_ERROR_IO, "cannot open");
}
