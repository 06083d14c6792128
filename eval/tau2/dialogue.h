/* A conversation of an agent with a scripted user and an environment: tau2-bench's orchestrator, one message of the
 * agent at a time. docs/tau2.md states the protocol. */
#ifndef LFM_EVAL_TAU2_DIALOGUE_H
#define LFM_EVAL_TAU2_DIALOGUE_H

#include "eval/harness/suite.h"
#include "eval/tau2/evaluate.h"
#include "eval/tau2/task.h"

#include <stdbool.h>
#include <stddef.h>

enum lfm_tau2_termination {
    LFM_TAU2_NOT_ENDED,
    LFM_TAU2_USER_STOP,
    LFM_TAU2_AGENT_STOP, /* in recorded simulations; an agent in a conversation with a user does not stop */
    LFM_TAU2_MAX_STEPS,
    LFM_TAU2_TOO_MANY_ERRORS,
    LFM_TAU2_AGENT_ERROR,          /* an empty message, or calls that cannot be read */
    LFM_TAU2_CONTEXT_LIMIT,        /* the model's context was full */
    LFM_TAU2_INFRASTRUCTURE_ERROR, /* the backend failed */
    LFM_TAU2_TERMINATIONS
};
const char *lfm_tau2_termination_name(enum lfm_tau2_termination termination); /* "user_stop" */

struct lfm_tau2_dialogue; /* owned by the caller */

/* Begins a conversation: the greeting, or the task's message history, and the user's first words. The task needs a
 * scripted user. */
enum lfm_status lfm_tau2_dialogue_new(struct lfm_tau2_dialogue **out, const struct lfm_tau2_task *task,
                                      struct lfm_error *error);
void lfm_tau2_dialogue_free(struct lfm_tau2_dialogue *dialogue);

/* Takes the agent's message (NULL at first), lets environment and user react, and fills in what the agent is asked
 * next, or sets *done. */
enum lfm_status lfm_tau2_dialogue_next(struct lfm_tau2_dialogue *dialogue, const struct lfm_reply *reply,
                                       struct lfm_request *request, bool *done, struct lfm_error *error);

/* Adds the verdict of a finished conversation: "correct", "reward", "termination", "steps", "errors", and what
 * lfm_tau2_add_verdict adds. */
enum lfm_status lfm_tau2_dialogue_verdict(const struct lfm_tau2_dialogue *dialogue, cJSON *verdict,
                                          struct lfm_error *error);

#endif
