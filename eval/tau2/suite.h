/* tau2 as a suite of the harness. */
#ifndef LFM_EVAL_TAU2_SUITE_H
#define LFM_EVAL_TAU2_SUITE_H

#include "eval/harness/suite.h"

/* Conversations with scripted users; the data is a directory of domains as eval/tau2/task.h reads it. Verdicts: see
 * lfm_tau2_dialogue_verdict. Summary: "db_match" as a rate, "reward" with its clustered error, "domains", "templates",
 * "terminations", "steps_mean". */
extern const struct lfm_suite lfm_tau2_suite;

#endif
