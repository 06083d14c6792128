/* Files: see file.h. */
#define _GNU_SOURCE /* madvise, sync_file_range */
#include "reference/base/file.h"

#include "reference/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum lfm_status lfm_mapping_open(struct lfm_mapping *mapping, const char *path, struct lfm_error *error)
{
    *mapping = (struct lfm_mapping){0};
    /* Without O_NONBLOCK, opening a named pipe would wait for its writer. */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return lfm_fail(error, LFM_ERROR_IO, "cannot open '%s': %s", path, strerror(errno));

    struct stat information;
    if (fstat(descriptor, &information) != 0 || !S_ISREG(information.st_mode)) {
        close(descriptor);
        return lfm_fail(error, LFM_ERROR_IO, "cannot map '%s': it is not a regular file", path);
    }
    size_t size = (size_t)information.st_size;
    void *data = NULL;
    if (size > 0) data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    int map_error = errno;
    close(descriptor);
    if (data == MAP_FAILED)
        return lfm_fail(error, LFM_ERROR_IO, "cannot map '%s': %s", path, strerror(map_error));

    mapping->data = data;
    mapping->size = size;
    enum lfm_status status = lfm_copy_string(&mapping->path, path, strlen(path), error);
    if (status != LFM_OK) lfm_mapping_close(mapping);
    return status;
}

void lfm_mapping_close(struct lfm_mapping *mapping)
{
    if (mapping->data) munmap((void *)(uintptr_t)mapping->data, mapping->size);
    free(mapping->path);
    *mapping = (struct lfm_mapping){0};
}

void lfm_mapping_advise(const struct lfm_mapping *mapping, const void *data, size_t bytes, enum lfm_advice advice)
{
    const uint8_t *start = data;
    if (!mapping->data || start < mapping->data || start >= mapping->data + mapping->size) return;
    size_t offset = (size_t)(start - mapping->data), page = (size_t)sysconf(_SC_PAGESIZE);
    size_t end = bytes < mapping->size - offset ? offset + bytes : mapping->size;
    offset = offset / page * page;
    /* A page that other bytes share is forgotten with them: it comes back when it is read. */
    madvise((uint8_t *)(uintptr_t)mapping->data + offset, end - offset, advice == LFM_SOON ? MADV_WILLNEED : MADV_DONTNEED);
}

enum lfm_status lfm_read_file(struct lfm_buffer *buffer, const char *path, struct lfm_error *error)
{
    bool standard_input = strcmp(path, "-") == 0;
    FILE *file = standard_input ? stdin : fopen(path, "rb");
    if (!file) return lfm_fail(error, LFM_ERROR_IO, "cannot open '%s': %s", path, strerror(errno));

    enum lfm_status status = LFM_OK;
    char block[65536];
    size_t got;
    while (status == LFM_OK && (got = fread(block, 1, sizeof block, file)) > 0)
        status = lfm_buffer_append(buffer, block, got, error);
    if (status == LFM_OK && ferror(file))
        status = lfm_fail(error, LFM_ERROR_IO, "cannot read '%s': %s", path, strerror(errno));
    if (status == LFM_OK) status = lfm_buffer_append(buffer, "", 0, error);
    if (!standard_input) fclose(file);
    return status;
}

enum lfm_status lfm_output_open(struct lfm_output *output, const char *path, struct lfm_error *error)
{
    static const char suffix[] = ".partial";
    struct stat there;
    *output = (struct lfm_output){0};
    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode))
        return lfm_fail(error, LFM_ERROR_IO, "cannot write '%s': it is no regular file", path);
    LFM_TRY(lfm_copy_string(&output->path, path, strlen(path), error));
    size_t length = strlen(path) + sizeof suffix;
    enum lfm_status status = lfm_alloc((void **)&output->partial_path, length, 1, error);
    if (status != LFM_OK) {
        lfm_output_abandon(output);
        return status;
    }
    snprintf(output->partial_path, length, "%s%s", path, suffix);
    output->file = fopen(output->partial_path, "wb");
    if (!output->file) {
        status = lfm_fail(error, LFM_ERROR_IO, "cannot write '%s': %s", output->partial_path, strerror(errno));
        free(output->partial_path);
        output->partial_path = NULL;
        lfm_output_abandon(output);
    }
    return status;
}

/* Has the disk write while more is computed: otherwise the system lets gigabytes pile up, and the end waits for them. */
static void start_writing(struct lfm_output *output)
{
    enum { PIECE = 32 << 20 };
    if (output->written - output->on_its_way < PIECE) return;
#ifdef SYNC_FILE_RANGE_WRITE
    sync_file_range(fileno(output->file), (off_t)output->on_its_way, (off_t)(output->written - output->on_its_way),
                    SYNC_FILE_RANGE_WRITE);
#endif
    output->on_its_way = output->written;
}

enum lfm_status lfm_output_write(struct lfm_output *output, const void *bytes, size_t length, struct lfm_error *error)
{
    if (length > 0 && fwrite(bytes, 1, length, output->file) != length)
        return lfm_fail(error, LFM_ERROR_IO, "cannot write '%s': %s", output->partial_path, strerror(errno));
    output->written += length;
    start_writing(output);
    return LFM_OK;
}

enum lfm_status lfm_output_commit(struct lfm_output *output, struct lfm_error *error)
{
    enum lfm_status status = LFM_OK;
    if (fflush(output->file) != 0 || fsync(fileno(output->file)) != 0)
        status = lfm_fail(error, LFM_ERROR_IO, "cannot write '%s': %s", output->partial_path, strerror(errno));
    if (fclose(output->file) != 0 && status == LFM_OK)
        status = lfm_fail(error, LFM_ERROR_IO, "cannot close '%s': %s", output->partial_path, strerror(errno));
    output->file = NULL;
    if (status == LFM_OK && rename(output->partial_path, output->path) != 0)
        status = lfm_fail(error, LFM_ERROR_IO, "cannot rename '%s' to '%s': %s", output->partial_path, output->path,
                          strerror(errno));
    if (status == LFM_OK) {
        free(output->partial_path);
        output->partial_path = NULL;
    }
    lfm_output_abandon(output);
    return status;
}

void lfm_output_abandon(struct lfm_output *output)
{
    if (output->file) fclose(output->file);
    if (output->partial_path) unlink(output->partial_path);
    free(output->partial_path);
    free(output->path);
    *output = (struct lfm_output){0};
}

enum lfm_status lfm_write_file(const char *path, const void *bytes, size_t length, struct lfm_error *error)
{
    struct lfm_output output;
    LFM_TRY(lfm_output_open(&output, path, error));
    enum lfm_status status = lfm_output_write(&output, bytes, length, error);
    if (status == LFM_OK) return lfm_output_commit(&output, error);
    lfm_output_abandon(&output);
    return status;
}

bool lfm_is_directory(const char *path)
{
    struct stat information;
    return stat(path, &information) == 0 && S_ISDIR(information.st_mode);
}

bool lfm_file_exists(const char *path)
{
    struct stat information;
    return stat(path, &information) == 0;
}

enum lfm_status lfm_make_directory(const char *path, struct lfm_error *error)
{
    char *copy;
    LFM_TRY(lfm_copy_string(&copy, path, strlen(path), error));
    enum lfm_status status = LFM_OK;
    for (char *at = copy + 1; status == LFM_OK; at++) {
        if (*at != '/' && *at != '\0') continue;
        char kept = *at;
        *at = '\0';
        if (mkdir(copy, 0777) != 0 && errno != EEXIST)
            status = lfm_fail(error, LFM_ERROR_IO, "cannot make the directory '%s': %s", copy, strerror(errno));
        *at = kept;
        if (kept == '\0') break;
    }
    if (status == LFM_OK && !lfm_is_directory(path))
        status = lfm_fail(error, LFM_ERROR_IO, "cannot make the directory '%s': a file of that name exists", path);
    free(copy);
    return status;
}

enum lfm_status lfm_join_path(char **out, const char *directory, const char *name, struct lfm_error *error)
{
    size_t length = strlen(directory) + strlen(name) + 2;
    LFM_TRY(lfm_alloc((void **)out, length, 1, error));
    snprintf(*out, length, "%s/%s", directory, name);
    return LFM_OK;
}

bool lfm_same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

enum lfm_status lfm_keep_input(const char *output, const char *input, struct lfm_error *error)
{
    if (!lfm_same_file(output, input)) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_IO, "cannot write '%s': it is '%s', which is being read", output, input);
}

/* Whether a file of the name `path` is, or would be, somewhere in the directory. */
static bool is_inside(const char *path, const char *directory)
{
    const char *slash = strrchr(path, '/');
    char *parent = slash == path ? strdup("/") : slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
    char *inner = parent ? realpath(parent, NULL) : NULL, *outer = realpath(directory, NULL);
    size_t length = outer && strcmp(outer, "/") != 0 ? strlen(outer) : 0;
    bool inside = inner && outer && strncmp(inner, outer, length) == 0 && (inner[length] == '/' || inner[length] == '\0');
    free(parent);
    free(inner);
    free(outer);
    return inside;
}

enum lfm_status lfm_keep_directory(const char *output, const char *directory, struct lfm_error *error)
{
    if (!is_inside(output, directory)) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_IO, "cannot write '%s' into '%s', which is being read", output, directory);
}
