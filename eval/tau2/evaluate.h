/* The verdict on a conversation, as the evaluators of tau2-bench make it: docs/tau2.md states the rules. */
#ifndef LFM_EVAL_TAU2_EVALUATE_H
#define LFM_EVAL_TAU2_EVALUATE_H

#include "eval/tau2/environment.h"
#include "eval/tau2/task.h"
#include "reference/base/json.h"

#include <stdbool.h>
#include <stddef.h>

/* What happened after the task's message history. */
struct lfm_tau2_trajectory {
    const struct lfm_tau2_step *steps; /* all calls, of both sides */
    size_t n_steps;
    const struct lfm_span *texts; /* what the agent said */
    size_t n_texts;
};

struct lfm_tau2_verdict {
    double reward;     /* the product over the task's reward basis, 0 or 1; judged assertions count as met */
    double env_reward; /* database and environment assertions, as far as they are in the basis */
    double action_reward, communicate_reward;
    bool db_match;
    bool *env_assertions, *action_checks, *communicate_checks; /* owned, as many as the task has */
    size_t n_env_assertions, n_action_checks, n_communicate_checks;
    char exception[512]; /* where tau2-bench would raise instead; all rewards are 0 then. "": it does not */
};

/* Evaluates a conversation as if it had ended well. Release also after a failure. */
enum lfm_status lfm_tau2_evaluate(struct lfm_tau2_verdict *verdict, const struct lfm_tau2_task *task,
                                  const struct lfm_tau2_trajectory *trajectory, struct lfm_error *error);
void lfm_tau2_verdict_release(struct lfm_tau2_verdict *verdict);

/* Adds "db_match", "env_assertions", "action_checks", "communicate_checks", the three partial rewards, and "exception"
 * when there is one. */
void lfm_tau2_add_verdict(cJSON *object, const struct lfm_tau2_verdict *verdict);

#endif
