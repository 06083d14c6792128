/* What `score` needs to know of a suite: one struct lfm_scorer each. */
#ifndef LFM_EVAL_COMMAND_SCORE_H
#define LFM_EVAL_COMMAND_SCORE_H

#include "eval/harness/suite.h"
#include "reference/base/error.h"
#include "reference/base/json.h"

#include <stddef.h>

/* A recorded response. */
struct lfm_response {
    cJSON *row;       /* owned: its line */
    size_t line;      /* from 1 */
    const void *item; /* what it answers, of the suite's data */
    void *verdict;    /* owned: of the scorer's verdict_size */
};

struct lfm_scorer {
    const struct lfm_suite *suite;
    size_t verdict_size;

    enum lfm_status (*open)(void **data, const char *path, struct lfm_error *error);
    void (*close)(void *data);
    /* Finds the item that a line answers and checks all that `score` reads. `name` is the line's place, "file:line". */
    enum lfm_status (*find)(const void *data, const cJSON *row, const char *name, const void **item,
                            struct lfm_error *error);
    /* Fills response->verdict, which is zeroed. Called by several threads at once. */
    enum lfm_status (*score)(const struct lfm_response *response, struct lfm_error *error);
    /* Adds the item's name and the verdict to a line of the verdicts file. */
    void (*describe)(const struct lfm_response *response, cJSON *line);
    /* Adds the figures to `document`, or prints them when that is NULL. */
    void (*report)(const struct lfm_response *responses, size_t n, cJSON *document);
};

extern const struct lfm_scorer lfm_ifeval_scorer, lfm_bfcl_scorer;

/* A rate with Wilson's 95 % interval, as a line of text (lfm_add_rate has it for JSON). */
void lfm_print_rate(const char *name, size_t right, size_t n);

#endif
