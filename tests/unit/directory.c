/* A directory for one test: see directory.h. */
#include "tests/unit/directory.h"

#include "reference/base/file.h"
#include "tests/unit/assert.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char directory[256];
static struct lfm_error error;

void make_directory(void)
{
    const char *parent = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%s/lfmscope-test-XXXXXX", parent && *parent ? parent : P_tmpdir);
    cr_assert_not_null(mkdtemp(directory));
}

static int remove_entry(const char *path, const struct stat *information, int kind, struct FTW *position)
{
    (void)information, (void)kind, (void)position;
    return remove(path);
}

void remove_in_directory(const char *name)
{
    cr_assert_eq(nftw(in_directory(name), remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void remove_directory(void)
{
    remove_in_directory("");
}

const char *in_directory(const char *name)
{
    static char paths[16][512];
    static size_t next;
    char *path = paths[next++ % 16];
    snprintf(path, sizeof paths[0], "%s%s%s", directory, *name ? "/" : "", name);
    return path;
}

void write_bytes(const char *name, const void *bytes, size_t length)
{
    char folder[512];
    snprintf(folder, sizeof folder, "%s", in_directory(name));
    *strrchr(folder, '/') = '\0';
    assert_ok(lfm_make_directory(folder, &error));
    assert_ok(lfm_write_file(in_directory(name), bytes, length, &error));
}

void write_text(const char *name, const char *text)
{
    write_bytes(name, text, strlen(text));
}

size_t count_files(void)
{
    size_t n = 0;
    DIR *stream = opendir(directory);
    cr_assert_not_null(stream);
    for (struct dirent *entry; (entry = readdir(stream));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) n++;
    closedir(stream);
    return n;
}
