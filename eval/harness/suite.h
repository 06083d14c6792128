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
};

enum lfm_finish {
    LFM_FINISH_STOP,    /* the model ended its turn */
    LFM_FINISH_LENGTH,  /* the run's limit of tokens */
    LFM_FINISH_CONTEXT, /* the model's context was full; counted, not an error */
    LFM_FINISH_ERROR,   /* the backend failed for this request; the text is empty */
    LFM_N_FINISHES
};
/* "stop", "length", "context", "error". */
const char *lfm_finish_name(enum lfm_finish finish);

/* What came back. Owned by the harness, valid during the call that hands it over. */
struct lfm_reply {
    const char *text; /* the answer with reasoning removed, special tokens kept; valid UTF-8 */
    enum lfm_finish finish;
};

struct lfm_suite {
    const char *name;    /* "ifeval" */
    const char *summary; /* one line for --help */

    const char *data_file; /* the file that a directory of data holds for this suite; NULL: it opens directories */

    /* Reads the data set: a file or a directory, as published; data_file has been resolved (see data.h). */
    enum lfm_status (*open)(void **suite, const char *data, struct lfm_error *error);
    void (*close)(void *suite);
    size_t (*count)(const void *suite);
    const char *(*id)(const void *suite, size_t item); /* unique within the data set; borrowed */

    /* One sample. `next` is called first with reply NULL and fills *request; then with each reply, when it fills *request
     * again or sets *done. */
    enum lfm_status (*start)(void **dialogue, const void *suite, size_t item, struct lfm_error *error);
    enum lfm_status (*next)(void *dialogue, const struct lfm_reply *reply, struct lfm_request *request, bool *done,
                            struct lfm_error *error);
    void (*finish)(void *dialogue);

    /* Adds the verdict of a finished dialogue to the object `verdict`: at least "correct" (bool), and the parts the suite
     * has (IFEval: "strict", "loose"). Called for failed requests too: they are wrong, not left out. */
    enum lfm_status (*verdict)(const void *dialogue, cJSON *verdict, struct lfm_error *error);

    /* Adds the suite's own figures over n samples (objects as in samples.jsonl, in the order of the items) to
     * `summary`. */
    enum lfm_status (*summarise)(const void *suite, cJSON *const *samples, size_t n, cJSON *summary,
                                 struct lfm_error *error);
};

/* The suites, ending with NULL, and the one of that name (NULL when there is none). Defined in eval/suites.c. */
extern const struct lfm_suite *const lfm_suites[];
const struct lfm_suite *lfm_suite_by_name(const char *name);

#endif
