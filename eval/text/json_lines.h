/* JSON Lines: one document per line, with file and line in every message. */
#ifndef LFM_EVAL_TEXT_JSON_LINES_H
#define LFM_EVAL_TEXT_JSON_LINES_H

#include "reference/base/error.h"
#include "reference/base/json.h"

#include <stddef.h>

/* Calls `take` with every line's object and its place ("file:line"). `take` owns the row once it returns LFM_OK; blank
 * lines are skipped; an escaped U+0000 arrives as U+0001. Lines that are not valid UTF-8 or not a JSON object
 * are errors. "-" is standard input. */
enum lfm_status lfm_each_json_line(const char *path,
                                   enum lfm_status (*take)(void *context, cJSON *row, const char *name,
                                                           struct lfm_error *error),
                                   void *context, struct lfm_error *error);

/* The same for the text of a file that was read already; it is changed. `path` is what messages call it. */
enum lfm_status lfm_each_json_line_of(char *text, size_t length, const char *path,
                                      enum lfm_status (*take)(void *context, cJSON *row, const char *name,
                                                              struct lfm_error *error),
                                      void *context, struct lfm_error *error);

#endif
