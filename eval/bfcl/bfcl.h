/* BFCL, the Berkeley Function-Calling Leaderboard: the published questions and answers, and scores of responses to
 * them.
 *
 * Categories of Python functions, and irrelevance and relevance, are scored as bfcl-eval 2026.3.23 does (versions 3 and
 * 4 of the data). Java and JavaScript questions are read, but not scored. */
#ifndef LFM_EVAL_BFCL_BFCL_H
#define LFM_EVAL_BFCL_BFCL_H

#include "eval/bfcl/python_calls.h"
#include "eval/bfcl/python_value.h"
#include "reference/base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum lfm_bfcl_category {
    LFM_BFCL_SIMPLE_PYTHON,
    LFM_BFCL_SIMPLE_JAVA,
    LFM_BFCL_SIMPLE_JAVASCRIPT,
    LFM_BFCL_MULTIPLE_CHOICE,
    LFM_BFCL_PARALLEL_CALLS,
    LFM_BFCL_PARALLEL_MULTIPLE,
    LFM_BFCL_IRRELEVANCE,
    LFM_BFCL_LIVE_SIMPLE,
    LFM_BFCL_LIVE_MULTIPLE,
    LFM_BFCL_LIVE_PARALLEL,
    LFM_BFCL_LIVE_PARALLEL_MULTIPLE,
    LFM_BFCL_LIVE_IRRELEVANCE,
    LFM_BFCL_LIVE_RELEVANCE,
    LFM_BFCL_CATEGORIES
};
const char *lfm_bfcl_category_name(enum lfm_bfcl_category category); /* as in version 4: "simple_python" */
/* By the name of version 4 or 3; false when there is none. */
bool lfm_bfcl_category_find(const char *name, enum lfm_bfcl_category *out);
/* Whether lfm_bfcl_score gives verdicts: all but Java and JavaScript. */
bool lfm_bfcl_category_is_scored(enum lfm_bfcl_category category);

struct lfm_bfcl_item {
    const char *id;
    enum lfm_bfcl_category category;
    const struct lfm_py_value *question;     /* turns, lists of {"role", "content"} */
    const struct lfm_py_value *functions;    /* the function documents */
    const struct lfm_py_value *ground_truth; /* possible answers; NULL for irrelevance and relevance */
};

struct lfm_bfcl_data {
    struct lfm_bfcl_item *items; /* by category, then as in the files */
    size_t count, capacity;
    struct lfm_bfcl_item **by_id;
    struct lfm_arena arena; /* all of the items' contents */
};

/* Reads what there is of the single-turn categories in a directory as published: BFCL_v4_<category>.json (or
 * BFCL_v3_..., where version 4 has none) and possible_answer/ with the same names, JSON Lines. Files of other
 * categories are passed over. A malformed line, an id that appears twice, a question without answers or a directory
 * without any category fails, with file and line. */
enum lfm_status lfm_bfcl_open(struct lfm_bfcl_data *data, const char *directory, struct lfm_error *error);
void lfm_bfcl_close(struct lfm_bfcl_data *data);

const struct lfm_bfcl_item *lfm_bfcl_find(const struct lfm_bfcl_data *data, const char *id); /* NULL: no such id */

struct lfm_bfcl_verdict {
    bool scored;            /* false: Java and JavaScript, not supported yet; the rest says nothing then */
    bool valid;
    const char *error_type; /* NULL when valid; as bfcl-eval names it; static */
    char detail[160];       /* why decoding failed; "" otherwise */
};

/* The verdict on a response, the model's whole text. Modes lfm2 and openai take the dots in function names for "_".
 * Fails when memory is short or the question itself is malformed. */
enum lfm_status lfm_bfcl_score(struct lfm_bfcl_verdict *verdict, const struct lfm_bfcl_item *item,
                               enum lfm_call_mode mode, struct lfm_span response, struct lfm_error *error);

/* The same for calls that are decoded already. */
enum lfm_status lfm_bfcl_score_calls(struct lfm_bfcl_verdict *verdict, const struct lfm_bfcl_item *item,
                                     bool underscore_to_dot, const struct lfm_py_value *calls, struct lfm_error *error);

#endif
