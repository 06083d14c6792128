/* BFCL's verdict on decoded calls of Python functions: ast_checker of bfcl-eval 2026.3.23. docs/bfcl.md states the
 * rules. */
#ifndef LFM_EVAL_BFCL_AST_CHECKER_H
#define LFM_EVAL_BFCL_AST_CHECKER_H

#include "eval/bfcl/python_value.h"

enum lfm_bfcl_matching {
    LFM_BFCL_SIMPLE,  /* one call of the one function */
    LFM_BFCL_MULTIPLE, /* one call, several functions to choose from */
    LFM_BFCL_PARALLEL /* several calls, in any order */
};

struct lfm_bfcl_question {
    const struct lfm_py_value *functions;    /* list of {"name", "parameters": {"properties", "required"}} */
    const struct lfm_py_value *ground_truth; /* list of {name: {parameter: [possible answers]}} */
    enum lfm_bfcl_matching matching;
    bool underscore_to_dot; /* the model had "_" for the dots of function names, as with OpenAI's tools */
};

/* Where the official checker would raise instead of giving a verdict. */
extern const char lfm_bfcl_raises[]; /* "ast_checker:exception" */

/* Checks a list of dicts {name: {parameter: value}}. *error_type is NULL when the calls are right, the official
 * error_type otherwise. Fails with LFM_ERROR_FORMAT when the question itself is malformed: an unknown type, a missing
 * key. */
enum lfm_status lfm_bfcl_check(const char **error_type, const struct lfm_bfcl_question *question,
                               const struct lfm_py_value *calls, struct lfm_error *error);

/* Whether the value is such a list (an empty one is). */
bool lfm_bfcl_is_call_list(const struct lfm_py_value *calls);

#endif
