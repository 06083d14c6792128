/* What `score` hands to a suite. */
#ifndef LFM_EVAL_COMMAND_SCORE_H
#define LFM_EVAL_COMMAND_SCORE_H

#include "reference/base/error.h"
#include "reference/base/file.h"
#include "reference/base/json.h"

#include <stdbool.h>
#include <stddef.h>

struct lfm_score_options {
    const char *responses, *data; /* the file of responses; file or directory of the data set */
    const char *verdicts;         /* file to write, or NULL */
    bool many;                    /* several responses to one item are fine */
};

/* Scores the responses file, writes the verdicts, and adds the figures to `document`, or prints them when that is NULL. */
enum lfm_status lfm_score_ifeval(const struct lfm_score_options *options, cJSON *document, struct lfm_error *error);
enum lfm_status lfm_score_bfcl(const struct lfm_score_options *options, cJSON *document, struct lfm_error *error);

/* --- what the suites share --- */

/* The line number in a name "file:line". */
size_t lfm_line_of(const char *name);

/* Which item a response answers, and where it stands. The first member of what a suite keeps of a response. */
struct lfm_answered {
    const void *item;
    size_t line;
};
/* Fails when two of n responses, structures of `size` bytes, answer one item. */
enum lfm_status lfm_refuse_duplicates(const void *responses, size_t n, size_t size, const char *path,
                                      struct lfm_error *error);

/* Writes the object as one line and deletes it. */
enum lfm_status lfm_write_verdict(struct lfm_output *output, cJSON *verdict, struct lfm_error *error);

/* A rate with Wilson's 95 % interval, as a line of text (lfm_add_rate has it for JSON). */
void lfm_print_rate(const char *name, size_t right, size_t n);

#endif
