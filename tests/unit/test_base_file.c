/* Files: mappings, whole-file reads, outputs that appear only when complete. */
#include "reference/base/file.h"
#include "tests/unit/assert.h"
#include "tests/unit/directory.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct lfm_error error;
static const char *path, *partial, *directory;

static void make_scratch(void)
{
    make_directory();
    path = in_directory("output");
    partial = in_directory("output.partial");
    directory = in_directory("");
}

TestSuite(file, .init = make_scratch, .fini = remove_directory);

static void assert_holds(const char *text)
{
    struct lfm_buffer buffer = {0};
    assert_ok(lfm_read_file(&buffer, path, &error));
    cr_assert_str_eq(buffer.data, text);
    lfm_buffer_release(&buffer);
}

Test(file, output_appears_under_its_name_only_when_committed)
{
    struct lfm_output output;
    assert_ok(lfm_output_open(&output, path, &error));
    assert_ok(lfm_output_write(&output, "complete", 8, &error));
    cr_assert(!lfm_file_exists(path));
    cr_assert(lfm_file_exists(partial));
    assert_ok(lfm_output_commit(&output, &error));
    cr_assert(!lfm_file_exists(partial));
    assert_holds("complete");
    lfm_output_abandon(&output);
    assert_holds("complete");
}

Test(file, abandoned_output_leaves_the_earlier_file_and_nothing_else)
{
    struct lfm_output output;
    assert_ok(lfm_write_file(path, "earlier", 7, &error));
    assert_ok(lfm_output_open(&output, path, &error));
    assert_ok(lfm_output_write(&output, "half", 4, &error));
    lfm_output_abandon(&output);
    cr_assert(!lfm_file_exists(partial));
    assert_holds("earlier");
}

Test(file, output_into_a_missing_directory_fails_and_names_it)
{
    struct lfm_output output;
    assert_fails(lfm_output_open(&output, in_directory("missing/output"), &error), LFM_ERROR_IO, "missing/output");
    lfm_output_abandon(&output);
}

Test(file, output_over_what_is_no_file_is_refused_and_leaves_no_partial_file)
{
    struct lfm_output output;
    cr_assert_eq(mkdir(path, 0777), 0);
    assert_fails(lfm_output_open(&output, path, &error), LFM_ERROR_IO, "it is no regular file");
    cr_assert(!lfm_file_exists(partial));
    cr_assert(lfm_is_directory(path));
}

Test(file, a_directory_that_takes_the_name_meanwhile_fails_at_commit_and_leaves_no_partial_file)
{
    struct lfm_output output;
    assert_ok(lfm_output_open(&output, path, &error));
    cr_assert_eq(mkdir(path, 0777), 0);
    assert_fails(lfm_output_commit(&output, &error), LFM_ERROR_IO, "cannot rename");
    cr_assert(!lfm_file_exists(partial));
    cr_assert(lfm_is_directory(path));
}

Test(file, an_input_is_kept_whatever_it_is_called)
{
    assert_ok(lfm_write_file(path, "x", 1, &error));
    cr_assert_eq(symlink(path, partial), 0);
    assert_fails(lfm_keep_input(path, path, &error), LFM_ERROR_IO, "which is being read");
    assert_fails(lfm_keep_input(partial, path, &error), LFM_ERROR_IO, "which is being read");
    assert_ok(lfm_keep_input(in_directory("another"), path, &error));
    assert_ok(lfm_keep_input(path, in_directory("another"), &error));
}

Test(file, a_directory_that_is_read_is_kept_as_it_is)
{
    const char *data = in_directory("data"), *link = in_directory("link");
    cr_assert_eq(mkdir(data, 0777), 0);
    cr_assert_eq(symlink(data, link), 0);
    const char *inside[] = {"data/new", "data/../data/new", "link/new"}, *outside[] = {"new", "database", "none/new"};
    for (size_t i = 0; i < 3; i++) {
        assert_fails(lfm_keep_directory(in_directory(inside[i]), data, &error), LFM_ERROR_IO, "which is being read");
        assert_fails(lfm_keep_directory(in_directory(inside[i]), link, &error), LFM_ERROR_IO, "which is being read");
        assert_ok(lfm_keep_directory(in_directory(outside[i]), data, &error));
    }
    assert_fails(lfm_keep_directory(in_directory("new"), "/", &error), LFM_ERROR_IO, "which is being read");
    cr_assert_eq(chdir(data), 0);
    assert_fails(lfm_keep_directory("new", ".", &error), LFM_ERROR_IO, "which is being read");
    assert_ok(lfm_keep_directory("../new", ".", &error));
}

Test(file, a_full_disk_is_an_error_at_the_latest_on_commit)
{
    cr_assert_eq(symlink("/dev/full", partial), 0);
    struct lfm_output output;
    assert_ok(lfm_output_open(&output, path, &error));
    assert_ok(lfm_output_write(&output, "x", 1, &error));
    assert_fails(lfm_output_commit(&output, &error), LFM_ERROR_IO, "cannot write");
    cr_assert(!lfm_file_exists(path));
}

Test(file, mapping_shows_the_bytes)
{
    struct lfm_mapping mapping;
    assert_ok(lfm_write_file(path, "0123456789", 10, &error));
    assert_ok(lfm_mapping_open(&mapping, path, &error));
    cr_assert_eq(mapping.size, 10);
    cr_assert_arr_eq(mapping.data, "0123456789", 10);
    lfm_mapping_close(&mapping);
    cr_assert_null(mapping.data);
}

Test(file, mapping_an_empty_file_gives_no_bytes)
{
    struct lfm_mapping mapping;
    assert_ok(lfm_write_file(path, "", 0, &error));
    assert_ok(lfm_mapping_open(&mapping, path, &error));
    cr_assert_eq(mapping.size, 0);
    cr_assert_null(mapping.data);
    lfm_mapping_close(&mapping);
}

Test(file, mapping_refuses_what_is_no_file)
{
    struct lfm_mapping mapping;
    assert_fails(lfm_mapping_open(&mapping, path, &error), LFM_ERROR_IO, "No such file");
    assert_fails(lfm_mapping_open(&mapping, directory, &error), LFM_ERROR_IO, "not a regular file");
    cr_assert_eq(mkfifo(path, 0666), 0);
    assert_fails(lfm_mapping_open(&mapping, path, &error), LFM_ERROR_IO, "not a regular file");
}

Test(file, reading_a_missing_file_or_a_directory_fails)
{
    struct lfm_buffer buffer = {0};
    assert_fails(lfm_read_file(&buffer, path, &error), LFM_ERROR_IO, path);
    assert_fails(lfm_read_file(&buffer, directory, &error), LFM_ERROR_IO, directory);
    lfm_buffer_release(&buffer);
}

Test(file, directories_are_made_with_their_parents)
{
    const char *deep = in_directory("a/b/");
    assert_ok(lfm_make_directory(deep, &error));
    assert_ok(lfm_make_directory(deep, &error));
    cr_assert(lfm_is_directory(deep));
}

Test(file, a_directory_where_a_file_stands_is_refused)
{
    assert_ok(lfm_write_file(path, "x", 1, &error));
    assert_fails(lfm_make_directory(path, &error), LFM_ERROR_IO, "a file of that name exists");
    assert_fails(lfm_make_directory(in_directory("output/below"), &error), LFM_ERROR_IO, "cannot make the directory");
    assert_fails(lfm_make_directory("", &error), LFM_ERROR_IO, "cannot make the directory");
}

Test(file, joins_paths)
{
    char *joined;
    assert_ok(lfm_join_path(&joined, "models/a", "config.json", &error));
    cr_assert_str_eq(joined, "models/a/config.json");
    free(joined);
}
