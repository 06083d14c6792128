/* BFCL as a suite of the harness. */
#ifndef LFM_EVAL_BFCL_SUITE_H
#define LFM_EVAL_BFCL_SUITE_H

#include "eval/harness/suite.h"

/* The single-turn questions on Python functions of a directory in BFCL's layout, asked as eval/bfcl/prompt.h says.
 * Verdicts: "correct", "category" and "error_type" (null when correct; "no_answer" when the request failed). Summary:
 * the categories' rates, "groups" with the averages of the leaderboard whose categories are all there, "left_out" with
 * the other categories of the directory, "form". */
extern const struct lfm_suite lfm_bfcl_suite;

#endif
