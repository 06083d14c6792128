/* The 25 verifiable instructions of IFEval (Zhou et al., arXiv 2311.07911), as the official checkers decide them
 * (google-research, instruction_following_eval, Apache-2.0), quirks included; docs/ifeval.md lists those. */
#ifndef LFM_EVAL_IFEVAL_CHECKS_H
#define LFM_EVAL_IFEVAL_CHECKS_H

#include "eval/text/python_text.h"
#include "reference/base/error.h"
#include "reference/base/json.h"

#include <stdbool.h>

/* One instruction: its id, and whether a response follows it. `kwargs` are the instruction's arguments; a missing or
 * ill-typed one is an error that names it. */
struct lfm_ifeval_check {
    const char *id;        /* "punctuation:no_comma" */
    const char *arguments; /* their names, with spaces between */
    enum lfm_status (*follows)(const cJSON *kwargs, struct lfm_span response, bool *out, struct lfm_error *error);
};

/* The check of that id, or NULL. */
const struct lfm_ifeval_check *lfm_ifeval_check_by_id(const char *id);

/* Fails when the arguments are not what the instruction takes: one is missing, of another type, or unknown. Those that are
 * null count as absent. */
enum lfm_status lfm_ifeval_check_arguments(const struct lfm_ifeval_check *check, const cJSON *kwargs,
                                           struct lfm_error *error);

/* Strict: the response as it stands, false when it is blank. Loose: any of eight variants (without first line, last
 * line, both, none; each also without asterisks) that is not blank; the first of them is the response itself, whose verdict
 * is `strict`. */
enum lfm_status lfm_ifeval_strict(const struct lfm_ifeval_check *check, const cJSON *kwargs, struct lfm_span response,
                                  bool *out, struct lfm_error *error);
enum lfm_status lfm_ifeval_loose(const struct lfm_ifeval_check *check, const cJSON *kwargs, struct lfm_span response,
                                 bool strict, bool *out, struct lfm_error *error);

#endif
