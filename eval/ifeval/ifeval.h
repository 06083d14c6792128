/* IFEval: the data set as published (input_data.jsonl), and scores of responses to it. */
#ifndef LFM_EVAL_IFEVAL_IFEVAL_H
#define LFM_EVAL_IFEVAL_IFEVAL_H

#include "eval/ifeval/checks.h"
#include "reference/base/error.h"
#include "reference/base/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LFM_IFEVAL_MOST = 32 }; /* instructions per prompt */

struct lfm_ifeval_item {
    int64_t key;
    const char *prompt;
    size_t n; /* instructions */
    const struct lfm_ifeval_check *checks[LFM_IFEVAL_MOST];
    const cJSON *kwargs[LFM_IFEVAL_MOST];
    cJSON *row; /* owned; prompt and kwargs lie in it */
};

struct lfm_ifeval_data {
    struct lfm_ifeval_item *items; /* by ascending key */
    size_t count, capacity;
};

/* Reads the data set. Unknown instructions and arguments, duplicate keys and malformed lines are errors that name file
 * and line. */
enum lfm_status lfm_ifeval_open(struct lfm_ifeval_data *data, const char *path, struct lfm_error *error);
void lfm_ifeval_close(struct lfm_ifeval_data *data);

/* The item of that key, or with exactly that prompt; NULL when there is none. */
const struct lfm_ifeval_item *lfm_ifeval_by_key(const struct lfm_ifeval_data *data, int64_t key);
const struct lfm_ifeval_item *lfm_ifeval_by_prompt(const struct lfm_ifeval_data *data, const char *prompt);

/* Verdicts of one response, one per instruction. */
struct lfm_ifeval_verdict {
    bool strict[LFM_IFEVAL_MOST], loose[LFM_IFEVAL_MOST];
};
enum lfm_status lfm_ifeval_score(const struct lfm_ifeval_item *item, const char *response,
                                 struct lfm_ifeval_verdict *verdict, struct lfm_error *error);

/* Counts behind the accuracies: a prompt is right when all of its instructions are. */
struct lfm_ifeval_rate {
    size_t right, n;
};
struct lfm_ifeval_tier {
    const char *name; /* "keywords" (tier 0), "keywords:existence" (tier 1); borrowed from the checks */
    int name_length;
    struct lfm_ifeval_rate strict, loose;
};
enum { LFM_IFEVAL_TIERS = 64 };
struct lfm_ifeval_summary {
    struct lfm_ifeval_rate prompt_strict, instruction_strict, prompt_loose, instruction_loose;
    struct lfm_ifeval_tier tier0[LFM_IFEVAL_TIERS], tier1[LFM_IFEVAL_TIERS]; /* in order of appearance */
    size_t n_tier0, n_tier1;
};
void lfm_ifeval_add(struct lfm_ifeval_summary *summary, const struct lfm_ifeval_item *item,
                    const struct lfm_ifeval_verdict *verdict);

#endif
