/* Data sets on disk: see data.h. */
#include "eval/harness/data.h"

#include "reference/base/buffer.h"
#include "reference/base/file.h"
#include "reference/base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FILES = 100000, MOST_DEPTH = 16 };

/* --- where --- */

/* What LFMSCOPE_DATA names; NULL when it is unset or empty. */
static const char *users_data(void)
{
    const char *directory = getenv("LFMSCOPE_DATA");
    return directory && *directory ? directory : NULL;
}

enum lfm_status lfm_data_file(char **out, const char *path, const char *name, struct lfm_error *error)
{
    *out = NULL;
    if (!name || !lfm_is_directory(path)) return lfm_copy_string(out, path, strlen(path), error);
    LFM_TRY(lfm_join_path(out, path, name, error));
    if (lfm_file_exists(*out)) return LFM_OK;
    free(*out);
    *out = NULL;
    return lfm_fail(error, LFM_ERROR_IO, "the directory '%s' has no %s", path, name);
}

static enum lfm_status not_found(const struct lfm_suite *suite, const char *path, const char *given,
                                 struct lfm_error *error)
{
    const char *origin = given ? "--data" : users_data() ? "LFMSCOPE_DATA" : "the built-in tasks";
    return lfm_fail(error, LFM_ERROR_IO, "no data for %s: there is no '%s' (%s)%s", suite->name, path, origin,
                    given ? "" : "; name a data set with --data, or a directory of them with LFMSCOPE_DATA");
}

enum lfm_status lfm_data_locate(char **out, const struct lfm_suite *suite, const char *given, bool several,
                                struct lfm_error *error)
{
    char *path;
    const char *directory = given ? given : users_data();
    *out = NULL;
    if (given && !several)
        LFM_TRY(lfm_copy_string(&path, given, strlen(given), error));
    else
        LFM_TRY(lfm_join_path(&path, directory ? directory : "datasets/tasks", suite->name, error));
    enum lfm_status status =
        lfm_file_exists(path) ? lfm_data_file(out, path, suite->data_file, error) : not_found(suite, path, given, error);
    free(path);
    return status;
}

/* --- which --- */

/* Names of files, relative to the root. */
struct names {
    const char *root;
    char **items; /* owned, each */
    size_t count, capacity;
};

static enum lfm_status walk(struct names *names, const char *below, size_t depth, struct lfm_error *error);

/* Takes one entry of the directory `below` ("" for the root): a file's name is kept, a directory is walked. */
static enum lfm_status take_entry(struct names *names, const char *below, const char *entry, size_t depth,
                                  struct lfm_error *error)
{
    char *name = NULL, *path = NULL;
    enum lfm_status status = *below ? lfm_join_path(&name, below, entry, error)
                                    : lfm_copy_string(&name, entry, strlen(entry), error);
    if (status == LFM_OK) status = lfm_join_path(&path, names->root, name, error);
    if (status == LFM_OK && lfm_is_directory(path)) {
        status = walk(names, name, depth + 1, error);
    } else if (status == LFM_OK && names->count == MOST_FILES) {
        status = lfm_fail(error, LFM_ERROR_LIMIT, "'%s' holds more than %d files: that is no data set", names->root,
                          MOST_FILES);
    } else if (status == LFM_OK) {
        status = LFM_GROW(&names->items, &names->capacity, names->count + 1, error);
        if (status == LFM_OK) {
            names->items[names->count++] = name;
            name = NULL;
        }
    }
    free(path);
    free(name);
    return status;
}

static enum lfm_status walk(struct names *names, const char *below, size_t depth, struct lfm_error *error)
{
    char *path;
    if (depth > MOST_DEPTH)
        return lfm_fail(error, LFM_ERROR_LIMIT, "'%s' is nested more than %d deep", names->root, MOST_DEPTH);
    LFM_TRY(lfm_join_path(&path, names->root, below, error));
    DIR *directory = opendir(*below ? path : names->root);
    enum lfm_status status =
        directory ? LFM_OK : lfm_fail(error, LFM_ERROR_IO, "cannot open '%s': %s", path, strerror(errno));
    free(path);
    if (status != LFM_OK) return status;
    for (struct dirent *entry; status == LFM_OK && (entry = readdir(directory)) != NULL;)
        if (entry->d_name[0] != '.') status = take_entry(names, below, entry->d_name, depth, error);
    closedir(directory);
    return status;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum lfm_status list_hashes(const struct names *names, struct lfm_buffer *list, struct lfm_error *error)
{
    for (size_t i = 0; i < names->count; i++) {
        char *path, digest[LFM_SHA256_TEXT];
        LFM_TRY(lfm_join_path(&path, names->root, names->items[i], error));
        enum lfm_status status = lfm_sha256_file(path, digest, error);
        free(path);
        if (status == LFM_OK) status = lfm_buffer_printf(list, error, "%s  %s\n", digest, names->items[i]);
        if (status != LFM_OK) return status;
    }
    return LFM_OK;
}

enum lfm_status lfm_data_sha256(const char *path, char text[LFM_SHA256_TEXT], struct lfm_error *error)
{
    if (!lfm_is_directory(path)) return lfm_sha256_file(path, text, error);
    struct names names = {.root = path};
    struct lfm_buffer list = {0};
    enum lfm_status status = walk(&names, "", 0, error);
    if (status == LFM_OK && names.count == 0)
        status = lfm_fail(error, LFM_ERROR_FORMAT, "the directory '%s' holds no files", path);
    if (names.count > 1) qsort(names.items, names.count, sizeof *names.items, by_bytes);
    if (status == LFM_OK) status = list_hashes(&names, &list, error);
    if (status == LFM_OK) status = lfm_sha256(list.data, list.length, text, error);
    for (size_t i = 0; i < names.count; i++) free(names.items[i]);
    free(names.items);
    lfm_buffer_release(&list);
    return status;
}
