/* A suite: prompts in, verdicts out. The harness never knows which one it runs, the suite never knows which model.
 *
 * A sample is a dialogue: the suite states what the model is to answer, sees the answer, and either asks again (a tool
 * result, the next user turn) or is done. Single-turn suites ask once. Dialogues of many samples are under way at the
 * same time, so a suite keeps everything that changes in its dialogue. */
#ifndef LFM_EVAL_HARNESS_SUITE_H
#define LFM_EVAL_HARNESS_SUITE_H

#include "reference/base/error.h"
#include "reference/base/json.h"

#include <stdbool.h>
#include <stddef.h>

/* What the model is asked: a conversation in the chat format and the tools it may call. Owned by the dialogue, valid
 * until its next call. */
struct lfm_request {
    const cJSON *messages; /* [{"role", "content", ...}], see reference/model/chat.h */
    const cJSON *tools;    /* [function schema], or NULL */
    size_t max_tokens;     /* 0: what the run says */
};

enum lfm_finish {
    LFM_FINISH_STOP,    /* the model ended its turn */
    LFM_FINISH_LENGTH,  /* max_tokens */
    LFM_FINISH_CONTEXT, /* the model's context was full; counted, not an error */
    LFM_FINISH_ERROR    /* the backend failed for this request; `error` says how */
};

/* What came back. Owned by the harness, valid during the call that hands it over. */
struct lfm_reply {
    const char *text;        /* the answer with reasoning removed, special tokens kept: tool-call marks are part of it */
    size_t length;
    const cJSON *tool_calls; /* structured calls of an OpenAI-compatible server, or NULL */
    enum lfm_finish finish;
    const char *error;       /* LFM_FINISH_ERROR: one line, else NULL */
};

struct lfm_suite_options {
    const char *data;    /* file or directory of the data set; NULL: the suite's own demo tasks */
    bool many;           /* `score`: several responses to one id */
};

struct lfm_suite {
    const char *name;    /* "ifeval" */
    const char *summary; /* one line for --help */

    /* Reads the data set. */
    enum lfm_status (*open)(void **suite, const struct lfm_suite_options *options, struct lfm_error *error);
    void (*close)(void *suite);
    size_t (*count)(const void *suite);
    const char *(*id)(const void *suite, size_t item); /* unique within the data set; borrowed */

    /* One sample. `next` is called first with reply NULL, then with each reply; it fills *request, or sets *done. */
    enum lfm_status (*start)(void **dialogue, const void *suite, size_t item, struct lfm_error *error);
    enum lfm_status (*next)(void *dialogue, const struct lfm_reply *reply, struct lfm_request *request, bool *done,
                            struct lfm_error *error);
    void (*finish)(void *dialogue);

    /* Adds the verdict of a finished dialogue to `sample` as "verdict": an object with at least "correct" (bool) and
     * the parts the suite has (IFEval: "strict", "loose"; BFCL: "valid", "error_type"; tau2: "reward" and its parts),
     * and "category" where the suite has categories. */
    enum lfm_status (*verdict)(const void *dialogue, cJSON *sample, struct lfm_error *error);

    /* Adds the suite's own figures over all samples (array of objects as in samples.jsonl) to `summary`. The harness has
     * put "correct" with its interval there already. */
    enum lfm_status (*summarise)(const void *suite, const cJSON *samples, cJSON *summary, struct lfm_error *error);

    /* The key under which items share a prompt or scenario, for clustered errors: usually the id. */
    const char *(*cluster)(const void *suite, size_t item);

    /* Scores one recorded response (a line of a responses file, design "Files that score reads and writes") without a
     * model: finds the item, fills `verdict` with the fields of the verdicts file. `name` is "file:line" for messages. */
    enum lfm_status (*score)(const void *suite, const cJSON *response, const char *name, cJSON *verdict,
                             struct lfm_error *error);
};

/* The suites, ending with NULL, and the one of that name (NULL when there is none). Defined in eval/suites.c. */
extern const struct lfm_suite *const lfm_suites[];
const struct lfm_suite *lfm_suite_by_name(const char *name);

#endif
