/* Whether Python's json.loads accepts a text: IFEval's json_format asks nothing else of it. Beyond RFC 8259 it takes NaN,
 * Infinity and -Infinity, lone surrogate escapes and duplicate keys; integers of more than 4,300 digits and, as CPython's
 * recursion limit has it, about a thousand levels of nesting it refuses. cJSON is stricter here and looser there. */
#ifndef LFM_EVAL_IFEVAL_PYTHON_JSON_H
#define LFM_EVAL_IFEVAL_PYTHON_JSON_H

#include "eval/text/python_text.h"

#include <stdbool.h>

bool lfm_py_json_loads(struct lfm_span text);

#endif
