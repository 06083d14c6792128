/* IFEval as a suite of the harness. */
#ifndef LFM_EVAL_IFEVAL_SUITE_H
#define LFM_EVAL_IFEVAL_SUITE_H

#include "eval/harness/suite.h"
#include "eval/ifeval/ifeval.h"

/* The prompt is the user's message; ids are the keys. Verdicts: "correct" (all instructions, strictly), "strict" and
 * "loose" (a list each). Summary: the four accuracies and both tier tables; accuracies of which several verdicts come from
 * one prompt have a standard error clustered by prompt. */
extern const struct lfm_suite lfm_ifeval_suite;

/* Adds the four accuracies, each with Wilson's 95 % interval, and both tier tables. */
void lfm_ifeval_add_figures(cJSON *out, const struct lfm_ifeval_summary *summary);

#endif
