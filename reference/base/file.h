/* Files: read-only mappings, whole-file reads, and outputs that appear under their name only when complete. */
#ifndef LFM_BASE_FILE_H
#define LFM_BASE_FILE_H

#include "reference/base/buffer.h"
#include "reference/base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* A file mapped read-only. `data` is NULL for an empty file. */
struct lfm_mapping {
    char *path; /* owned */
    const uint8_t *data;
    size_t size;
};

enum lfm_status lfm_mapping_open(struct lfm_mapping *mapping, const char *path, struct lfm_error *error);
void lfm_mapping_close(struct lfm_mapping *mapping);

/* Advice about `bytes` bytes at `data`, which bears on speed and memory alone: LFM_SOON, they will be read; LFM_DONE, not
 * for a while, and their pages need not count as this process's memory. Bytes outside the mapping are left alone. */
enum lfm_advice { LFM_SOON, LFM_DONE };
void lfm_mapping_advise(const struct lfm_mapping *mapping, const void *data, size_t bytes, enum lfm_advice advice);

/* Appends the whole file to *buffer. "-" reads standard input. */
enum lfm_status lfm_read_file(struct lfm_buffer *buffer, const char *path, struct lfm_error *error);

/* An output file, written as `<path>.partial` and renamed to `path` by lfm_output_commit. */
struct lfm_output {
    FILE *file;
    char *path;         /* owned: the final name */
    char *partial_path; /* owned: what is being written */
    size_t written, on_its_way; /* bytes; of them the system has been told to put so many on the disk */
};

/* Fails when `path` exists and is no regular file. */
enum lfm_status lfm_output_open(struct lfm_output *output, const char *path, struct lfm_error *error);
enum lfm_status lfm_output_write(struct lfm_output *output, const void *bytes, size_t length, struct lfm_error *error);
/* Flushes, fsyncs, closes and renames. On failure the partial file is removed. */
enum lfm_status lfm_output_commit(struct lfm_output *output, struct lfm_error *error);
/* Closes and removes the partial file; nothing happens after a commit. */
void lfm_output_abandon(struct lfm_output *output);

/* Writes `length` bytes as one complete file (open, write, commit). */
enum lfm_status lfm_write_file(const char *path, const void *bytes, size_t length, struct lfm_error *error);

bool lfm_is_directory(const char *path);
/* Whether both exist and are the same file, by whatever names. */
bool lfm_same_file(const char *a, const char *b);
/* Fails when `output` is the file `input`, by whatever name: writing it would destroy what is read. */
enum lfm_status lfm_keep_input(const char *output, const char *input, struct lfm_error *error);
/* Fails when `output` is, or would be, in the directory, all of which is being read. */
enum lfm_status lfm_keep_directory(const char *output, const char *directory, struct lfm_error *error);
bool lfm_file_exists(const char *path);
/* Makes a directory and its parents; an existing one is fine. */
enum lfm_status lfm_make_directory(const char *path, struct lfm_error *error);
/* "<directory>/<name>", allocated; the caller frees. */
enum lfm_status lfm_join_path(char **out, const char *directory, const char *name, struct lfm_error *error);

#endif
