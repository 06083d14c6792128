/* BFCL's figures: rates of the categories and the leaderboard's averages over them. */
#ifndef LFM_EVAL_BFCL_FIGURES_H
#define LFM_EVAL_BFCL_FIGURES_H

#include "eval/bfcl/bfcl.h"
#include "reference/base/json.h"

struct lfm_bfcl_summary {
    size_t right[LFM_BFCL_CATEGORIES], n[LFM_BFCL_CATEGORIES];
};
void lfm_bfcl_add(struct lfm_bfcl_summary *summary, enum lfm_bfcl_category category, bool right);

/* The averages of BFCL version 4 over its categories. */
enum lfm_bfcl_group {
    LFM_BFCL_NON_LIVE,        /* mean of simple (itself the mean of three languages), multiple, parallel, parallel_multiple */
    LFM_BFCL_NON_LIVE_PYTHON, /* the same with simple_python alone as simple: not the leaderboard's, but its nearest here */
    LFM_BFCL_LIVE,            /* over the questions of the four live categories with answers */
    LFM_BFCL_NO_CALL,         /* mean of irrelevance and live_irrelevance */
    LFM_BFCL_GROUPS
};
const char *lfm_bfcl_group_name(enum lfm_bfcl_group group); /* "non_live", "non_live_python", "live", "irrelevance_overall" */
/* False when one of its categories has no question. */
bool lfm_bfcl_group_average(double *out, const struct lfm_bfcl_summary *summary, enum lfm_bfcl_group group);

/* Adds a rate with Wilson's 95 % interval for every category that has questions, by its name, and "groups", the
 * averages that can be taken. */
void lfm_bfcl_add_figures(cJSON *out, const struct lfm_bfcl_summary *summary);

#endif
