/* An environment: the databases of one conversation and the functions that work on them. */
#ifndef LFM_EVAL_TAU2_ENVIRONMENT_H
#define LFM_EVAL_TAU2_ENVIRONMENT_H

#include "eval/tau2/domain.h"
#include "eval/tau2/task.h"

#include <stdbool.h>

struct lfm_tau2_environment {
    const struct lfm_tau2_domain *domain;
    struct lfm_arena arena;
    struct lfm_py_value *databases[LFM_TAU2_SIDES]; /* NULL: the domain has none for this side */
};

/* A fresh environment in the initial state of the task: its data merged in, its actions run, the calls of its message
 * history repeated. Values of the task are borrowed. Closed also after a failure. */
enum lfm_status lfm_tau2_environment_open(struct lfm_tau2_environment *environment, const struct lfm_tau2_task *task,
                                          struct lfm_error *error);
void lfm_tau2_environment_close(struct lfm_tau2_environment *environment);

/* Runs the call of step->requestor, name and arguments, and fills in content and is_error. Unknown tools, wrong
 * arguments and exceptions are contents "Error: ..." as tau2-bench has them. */
enum lfm_status lfm_tau2_call(struct lfm_tau2_environment *environment, struct lfm_tau2_step *step,
                              struct lfm_error *error);
/* The call of a gold action: like lfm_tau2_call, but exceptions say nothing and the sides are not synchronised. */
enum lfm_status lfm_tau2_apply(struct lfm_tau2_environment *environment, const struct lfm_tau2_step *step,
                               struct lfm_error *error);
/* Repeats a recorded call when it is one of a tool that writes. *same is false when it returns something else than was
 * recorded; compared as JSON where both are. */
enum lfm_status lfm_tau2_repeat(struct lfm_tau2_environment *environment, const struct lfm_tau2_step *step, bool *same,
                                struct lfm_error *error);
/* Runs a function, tool or helper, of this side. What it returns or raises is in *call. */
enum lfm_status lfm_tau2_run(struct lfm_tau2_environment *environment, enum lfm_tau2_side side, struct lfm_span name,
                             const struct lfm_py_value *arguments, struct lfm_tau2_call *call, struct lfm_error *error);

/* Whether a tool of this name, of either side, writes. */
bool lfm_tau2_writes(const struct lfm_tau2_domain *domain, struct lfm_span name);
/* The database's hash; "" when the side has none. */
enum lfm_status lfm_tau2_hash(char text[LFM_SHA256_TEXT], const struct lfm_tau2_environment *environment,
                              enum lfm_tau2_side side, struct lfm_error *error);

#endif
