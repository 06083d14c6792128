/* Where the data of a suite lie, and which data they were. */
#ifndef LFM_EVAL_HARNESS_DATA_H
#define LFM_EVAL_HARNESS_DATA_H

#include "eval/harness/suite.h"
#include "reference/base/error.h"
#include "reference/base/hash.h"

#include <stdbool.h>

/* What the suite is to open, in *out (the caller frees): `given`, or `given`/<suite> when one place holds the data of
 * several suites; when nothing is given $LFMSCOPE_DATA/<suite>, or without that variable datasets/tasks/<suite>; of a
 * directory the suite's data_file, when it reads a file. Fails, with all that was looked for, when that is not there. */
enum lfm_status lfm_data_locate(char **out, const struct lfm_suite *suite, const char *given, bool several,
                                struct lfm_error *error);

/* `path`, or `path`/`name` when it is a directory and `name` is not NULL. The caller frees *out. Fails when the file is
 * not there. */
enum lfm_status lfm_data_file(char **out, const char *path, const char *name, struct lfm_error *error);

/* SHA-256 of a file; of a directory, that over "<SHA-256>  <name>\n" of all files in and below it, ordered by the bytes
 * of their names ("sub/file.json"). Hidden files, whose names start with a dot, do not count. Fails on directories
 * without files, with more than 100,000, or nested more than 16 deep. */
enum lfm_status lfm_data_sha256(const char *path, char text[LFM_SHA256_TEXT], struct lfm_error *error);

#endif
