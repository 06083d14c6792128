/* RUN directories: see run.h. */
#include "eval/harness/run.h"

#include "eval/text/json_lines.h"
#include "reference/base/file.h"
#include "reference/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* --- the lock --- */

static enum lfm_status refuse_second(int lock, const char *directory, struct lfm_error *error)
{
    char holder[32] = "";
    ssize_t got = pread(lock, holder, sizeof holder - 1, 0);
    holder[got > 0 ? got : 0] = '\0';
    return lfm_fail(error, LFM_ERROR_MISMATCH, "the run '%s' is in use by another process (%.*s)", directory,
                    (int)strcspn(holder, "\n"), holder);
}

/* The lock goes with the process, however that ends; the file stays and names its last holder. */
static enum lfm_status take_lock(struct lfm_run *run, struct lfm_error *error)
{
    char *path;
    LFM_TRY(lfm_join_path(&path, run->directory, "lock", error));
    enum lfm_status status = LFM_OK;
    run->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (run->lock < 0)
        status = lfm_fail(error, LFM_ERROR_IO, "cannot open '%s': %s", path, strerror(errno));
    else if (flock(run->lock, LOCK_EX | LOCK_NB) != 0)
        status = errno == EWOULDBLOCK ? refuse_second(run->lock, run->directory, error)
                                      : lfm_fail(error, LFM_ERROR_IO, "cannot lock '%s': %s", path, strerror(errno));
    else if (ftruncate(run->lock, 0) != 0 || dprintf(run->lock, "%ld\n", (long)getpid()) < 0)
        status = lfm_fail(error, LFM_ERROR_IO, "cannot write '%s': %s", path, strerror(errno));
    free(path);
    return status;
}

/* --- run.json --- */

/* Keys of run.json that decide what samples come out. A model that is known by its hash may go by any name. */
static const char *const identity[] = {"suite",       "data_sha256", "model_sha256", "model",    "weights",
                                       "activations", "kv",          "scale",        "date",     "calls",
                                       "sampling",    "max_tokens",  "seed",         "version"};

static const cJSON *member_of(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* The first member of two objects that differs; NULL when none does. */
static const char *first_difference(const cJSON *a, const cJSON *b)
{
    for (const cJSON *member = a->child; member; member = member->next)
        if (!cJSON_Compare(member, member_of(b, member->string), true)) return member->string;
    return NULL;
}

/* Describes how the values of a key differ, going down to the member of an object that does. */
static enum lfm_status name_difference(struct lfm_buffer *out, const char *key, const cJSON *a, const cJSON *b,
                                       struct lfm_error *error)
{
    if (cJSON_IsObject(a) && cJSON_IsObject(b)) {
        const char *member = first_difference(a, b);
        if (!member) member = first_difference(b, a);
        return name_difference(out, member, member_of(a, member), member_of(b, member), error);
    }
    char *first = a ? cJSON_PrintUnformatted(a) : NULL, *second = b ? cJSON_PrintUnformatted(b) : NULL;
    enum lfm_status status =
        lfm_buffer_printf(out, error, "%s %s, not %s", key, first ? first : "unset", second ? second : "unset");
    cJSON_free(first);
    cJSON_free(second);
    return status;
}

enum lfm_status lfm_run_difference(struct lfm_buffer *out, const cJSON *a, const cJSON *b, struct lfm_error *error)
{
    bool hashed = member_of(a, "model_sha256") || member_of(b, "model_sha256");
    for (size_t i = 0; i < sizeof identity / sizeof identity[0]; i++) {
        const cJSON *first = member_of(a, identity[i]), *second = member_of(b, identity[i]);
        if (strcmp(identity[i], "model") == 0 && hashed) continue;
        if ((first || second) && !cJSON_Compare(first, second, true))
            return name_difference(out, identity[i], first, second, error);
    }
    return LFM_OK;
}

static enum lfm_status check_identity(const char *path, const cJSON *description, struct lfm_error *error)
{
    cJSON *found;
    struct lfm_buffer difference = {0};
    LFM_TRY(lfm_json_parse_file(&found, path, error));
    enum lfm_status status = lfm_run_difference(&difference, found, description, error);
    if (status == LFM_OK && difference.length > 0)
        status = lfm_fail(error, LFM_ERROR_MISMATCH, "%s: this run was begun with %s; choose another --output", path,
                          difference.data);
    lfm_buffer_release(&difference);
    cJSON_Delete(found);
    return status;
}

static enum lfm_status write_document(const char *directory, const char *name, const cJSON *document,
                                      struct lfm_error *error)
{
    char *path;
    struct lfm_buffer text = {0};
    LFM_TRY(lfm_join_path(&path, directory, name, error));
    enum lfm_status status = lfm_json_print(&text, document, error);
    if (status == LFM_OK) status = lfm_write_file(path, text.data, text.length, error);
    lfm_buffer_release(&text);
    free(path);
    return status;
}

static enum lfm_status open_description(const struct lfm_run *run, const cJSON *description, struct lfm_error *error)
{
    char *path;
    LFM_TRY(lfm_join_path(&path, run->directory, "run.json", error));
    enum lfm_status status = LFM_OK;
    if (lfm_file_exists(path))
        status = check_identity(path, description, error);
    else if (lfm_file_exists(run->log_path))
        status = lfm_fail(error, LFM_ERROR_FORMAT, "'%s' has samples.jsonl and no run.json: it cannot be continued",
                          run->directory);
    free(path);
    if (status == LFM_OK) status = write_document(run->directory, "run.json", description, error);
    return status;
}

/* --- samples.jsonl --- */

static enum lfm_status log_failure(const struct lfm_run *run, const char *verb, struct lfm_error *error)
{
    return lfm_fail(error, LFM_ERROR_IO, "cannot %s '%s': %s", verb, run->log_path, strerror(errno));
}

/* A line is appended together with its newline, so that what follows the last newline is what a killed process began. */
static enum lfm_status cut_torn_line(struct lfm_run *run, struct lfm_error *error)
{
    char block[4096];
    off_t size = lseek(run->log, 0, SEEK_END), end = size;
    run->length = 0;
    while (end > 0 && run->length == 0) {
        off_t start = end > (off_t)sizeof block ? end - (off_t)sizeof block : 0;
        ssize_t got = pread(run->log, block, (size_t)(end - start), start);
        if (got != end - start) return log_failure(run, "read", error);
        while (got > 0 && block[got - 1] != '\n') got--;
        if (got > 0) run->length = start + got;
        end = start;
    }
    if (run->length == size) return LFM_OK;
    if (ftruncate(run->log, run->length) != 0 || fsync(run->log) != 0) return log_failure(run, "repair", error);
    return LFM_OK;
}

static enum lfm_status keep(struct lfm_run *run, cJSON *sample, struct lfm_error *error)
{
    LFM_TRY(LFM_GROW(&run->samples, &run->capacity, run->count + 1, error));
    run->samples[run->count++] = sample;
    return LFM_OK;
}

/* Checks what the harness relies on; the rest of a line is the reader's. */
static enum lfm_status take_sample(void *context, cJSON *row, const char *name, struct lfm_error *error)
{
    const char *text;
    size_t sample;
    LFM_TRY(lfm_json_require_string(row, "id", name, &text, error));
    LFM_TRY(lfm_json_require_size(row, "sample", name, &sample, error));
    LFM_TRY(lfm_json_require_string(row, "finish", name, &text, error));
    const cJSON *verdict = cJSON_GetObjectItemCaseSensitive(row, "verdict");
    if (!cJSON_IsBool(cJSON_GetObjectItemCaseSensitive(verdict, "correct")))
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'verdict' must be an object with 'correct', true or false", name);
    return keep(context, row, error);
}

static enum lfm_status open_log(struct lfm_run *run, struct lfm_error *error)
{
    run->log = open(run->log_path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (run->log < 0) return log_failure(run, "open", error);
    LFM_TRY(cut_torn_line(run, error));
    return lfm_each_json_line(run->log_path, take_sample, run, error);
}

/* All or nothing: what was written of a line is taken back when the rest does not fit. */
static enum lfm_status append_line(struct lfm_run *run, const struct lfm_buffer *line, struct lfm_error *error)
{
    for (size_t done = 0; done < line->length;) {
        ssize_t put = write(run->log, line->data + done, line->length - done);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) {
            enum lfm_status status = log_failure(run, "write", error);
            return ftruncate(run->log, run->length) == 0 ? status : lfm_fail_in(error, "a torn line is left over");
        }
        done += (size_t)put;
    }
    run->length += (off_t)line->length;
    return fsync(run->log) == 0 ? LFM_OK : log_failure(run, "write", error);
}

enum lfm_status lfm_run_append(struct lfm_run *run, cJSON *sample, struct lfm_error *error)
{
    struct lfm_buffer line = {0};
    char *text = cJSON_PrintUnformatted(sample);
    enum lfm_status status =
        text ? lfm_buffer_printf(&line, error, "%s\n", text)
             : lfm_fail(error, LFM_ERROR_MEMORY, "cannot write '%s': out of memory", run->log_path);
    if (status == LFM_OK) status = append_line(run, &line, error);
    if (status == LFM_OK) status = keep(run, sample, error);
    if (status != LFM_OK) cJSON_Delete(sample);
    cJSON_free(text);
    lfm_buffer_release(&line);
    return status;
}

enum lfm_status lfm_run_write_summary(const char *directory, const cJSON *summary, struct lfm_error *error)
{
    return write_document(directory, "summary.json", summary, error);
}

/* --- a run as a whole --- */

static enum lfm_status begin(struct lfm_run *run, const char *directory, struct lfm_error *error)
{
    *run = (struct lfm_run){.lock = -1, .log = -1};
    LFM_TRY(lfm_copy_string(&run->directory, directory, strlen(directory), error));
    return lfm_join_path(&run->log_path, directory, "samples.jsonl", error);
}

enum lfm_status lfm_run_open(struct lfm_run *run, const char *directory, const cJSON *description,
                             struct lfm_error *error)
{
    enum lfm_status status = begin(run, directory, error);
    if (status == LFM_OK) status = lfm_make_directory(directory, error);
    if (status == LFM_OK) status = take_lock(run, error);
    if (status == LFM_OK) status = open_description(run, description, error);
    if (status == LFM_OK) status = open_log(run, error);
    if (status != LFM_OK) lfm_run_close(run);
    return status;
}

/* A lock file that cannot be opened (another's directory) locks nothing; one that is held says that the run goes on. */
static enum lfm_status share_lock(struct lfm_run *run, struct lfm_error *error)
{
    char *path;
    LFM_TRY(lfm_join_path(&path, run->directory, "lock", error));
    run->lock = open(path, O_RDONLY | O_CLOEXEC);
    free(path);
    if (run->lock >= 0 && flock(run->lock, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return refuse_second(run->lock, run->directory, error);
    return LFM_OK;
}

static enum lfm_status read_log(struct lfm_run *run, struct lfm_error *error)
{
    struct lfm_buffer text = {0};
    if (!lfm_file_exists(run->log_path)) return LFM_OK;
    enum lfm_status status = lfm_read_file(&text, run->log_path, error);
    while (text.length > 0 && text.data[text.length - 1] != '\n') text.length--;
    if (status == LFM_OK) status = lfm_each_json_line_of(text.data, text.length, run->log_path, take_sample, run, error);
    lfm_buffer_release(&text);
    return status;
}

enum lfm_status lfm_run_read(struct lfm_run *run, cJSON **description, const char *directory, struct lfm_error *error)
{
    char *path = NULL;
    *description = NULL;
    enum lfm_status status = begin(run, directory, error);
    if (status == LFM_OK) status = lfm_join_path(&path, directory, "run.json", error);
    if (status == LFM_OK) status = share_lock(run, error);
    if (status == LFM_OK) status = lfm_json_parse_file(description, path, error);
    if (status == LFM_OK) status = read_log(run, error);
    free(path);
    if (status == LFM_OK) return LFM_OK;
    lfm_run_close(run);
    cJSON_Delete(*description);
    *description = NULL;
    return status;
}

static enum lfm_status write_log(const struct lfm_run *run, const cJSON *const *samples, size_t n,
                                 struct lfm_error *error)
{
    struct lfm_output output;
    LFM_TRY(lfm_output_open(&output, run->log_path, error));
    enum lfm_status status = LFM_OK;
    for (size_t i = 0; i < n && status == LFM_OK; i++) {
        char *text = cJSON_PrintUnformatted(samples[i]);
        status = text ? lfm_output_write(&output, text, strlen(text), error)
                      : lfm_fail(error, LFM_ERROR_MEMORY, "cannot write '%s': out of memory", run->log_path);
        if (status == LFM_OK) status = lfm_output_write(&output, "\n", 1, error);
        cJSON_free(text);
    }
    if (status == LFM_OK) return lfm_output_commit(&output, error);
    lfm_output_abandon(&output);
    return status;
}

enum lfm_status lfm_run_refuse_existing(const char *directory, struct lfm_error *error)
{
    char *path;
    LFM_TRY(lfm_join_path(&path, directory, "run.json", error));
    bool taken = lfm_file_exists(path);
    free(path);
    if (!taken) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_IO, "'%s' holds a run already; choose another --output", directory);
}

/* run.json comes last: without it a directory is no run yet, and the merge can be repeated. */
static enum lfm_status write_whole(struct lfm_run *run, const cJSON *description, const cJSON *const *samples, size_t n,
                                   const cJSON *summary, struct lfm_error *error)
{
    LFM_TRY(lfm_run_refuse_existing(run->directory, error));
    LFM_TRY(write_log(run, samples, n, error));
    LFM_TRY(lfm_run_write_summary(run->directory, summary, error));
    return write_document(run->directory, "run.json", description, error);
}

enum lfm_status lfm_run_create(const char *directory, const cJSON *description, const cJSON *const *samples, size_t n,
                               const cJSON *summary, struct lfm_error *error)
{
    struct lfm_run run;
    enum lfm_status status = begin(&run, directory, error);
    if (status == LFM_OK) status = lfm_make_directory(directory, error);
    if (status == LFM_OK) status = take_lock(&run, error);
    if (status == LFM_OK) status = write_whole(&run, description, samples, n, summary, error);
    lfm_run_close(&run);
    return status;
}

void lfm_run_close(struct lfm_run *run)
{
    if (run->log >= 0) close(run->log);
    if (run->lock >= 0) close(run->lock);
    for (size_t i = 0; i < run->count; i++) cJSON_Delete(run->samples[i]);
    free(run->samples);
    free(run->directory);
    free(run->log_path);
    *run = (struct lfm_run){.lock = -1, .log = -1};
}
