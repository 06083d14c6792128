/* Calls as the models write them, decoded as BFCL does (bfcl-eval 2026.3.23): to a list of dicts {name: {parameter:
 * value}}. docs/bfcl.md has the rules and their quirks. */
#ifndef LFM_EVAL_BFCL_PYTHON_CALLS_H
#define LFM_EVAL_BFCL_PYTHON_CALLS_H

#include "eval/bfcl/python_value.h"

enum lfm_call_mode {
    LFM_CALLS_PROMPT, /* a list in Python's syntax, as the prompt of BFCL demands it */
    LFM_CALLS_LFM2,   /* LFM2's text: <think>, <|tool_call_start|>[...]<|tool_call_end|> */
    LFM_CALLS_OPENAI  /* tool_calls as JSON */
};
const char *lfm_call_mode_name(enum lfm_call_mode mode);            /* "prompt", "lfm2", "openai" */
bool lfm_call_mode_find(const char *name, enum lfm_call_mode *out); /* false when there is none of that name */

/* The calls of a response: what decode_ast gives. LFM_ERROR_FORMAT where it raises; the message tells why. Mode lfm2
 * never raises: what cannot be decoded is the empty list. Mode openai takes a JSON list of {"function": {"name",
 * "arguments"}}, of {"name", "arguments"} or of {name: arguments}, the arguments an object or JSON text in a string;
 * or an object whose "tool_calls" is such a list. */
enum lfm_status lfm_decode_calls(struct lfm_arena *arena, struct lfm_py_value **calls, enum lfm_call_mode mode,
                                 struct lfm_span response, struct lfm_error *error);

/* The parts of a response of LFM2. */
struct lfm_lfm2_response {
    struct lfm_span reasoning; /* inside the first <think>...</think>, without space around it; "" when there is none */
    struct lfm_span visible;   /* everything else; newlines at its start are gone when there was reasoning */
    struct lfm_span calls;     /* inside the first pair of call tags, or `visible` when there is no pair */
};
enum lfm_status lfm_split_lfm2(struct lfm_arena *arena, struct lfm_lfm2_response *out, struct lfm_span response,
                               struct lfm_error *error);

/* The calls of all call blocks in the visible text, as a conversation records them: a list of dicts {"name",
 * "arguments"}. Only literals, lists, tuples, dicts, names and minus are read; other calls are left out. */
enum lfm_status lfm_lfm2_tool_calls(struct lfm_arena *arena, struct lfm_py_value **calls, struct lfm_span visible,
                                    struct lfm_error *error);

/* Python's json.loads: whole numbers are int, others float; NaN and Infinity, lone surrogates and duplicate keys (the
 * last counts) are taken. cJSON keeps no difference between 1 and 1.0, on which verdicts depend. More than 900 levels
 * are refused. `name` is what messages call the text; NULL for no name. */
enum lfm_status lfm_py_json_value(struct lfm_arena *arena, struct lfm_py_value **out, struct lfm_span text,
                                  const char *name, struct lfm_error *error);

#endif
