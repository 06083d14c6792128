/* The data of tau2 domains: tasks, policies and databases, read from files as published. docs/tau2.md describes
 * them. */
#ifndef LFM_EVAL_TAU2_TASK_H
#define LFM_EVAL_TAU2_TASK_H

#include "eval/tau2/domain.h"
#include "reference/base/json.h"

#include <stdbool.h>
#include <stddef.h>

/* A domain with its data. */
struct lfm_tau2_world {
    const struct lfm_tau2_domain *domain;
    char *system;                                   /* owned: the agent's system message */
    cJSON *tools;                                   /* owned: list of the schemas */
    struct lfm_py_value *databases[LFM_TAU2_SIDES]; /* complete; NULL: none */
};

/* A call as it was made, and what came back. */
struct lfm_tau2_step {
    enum lfm_tau2_side requestor;
    struct lfm_span name;
    const struct lfm_py_value *arguments; /* dict of JSON values */
    struct lfm_span content;              /* of the tool message; at NULL: not known */
    bool is_error;
};

/* A turn of a scripted user. */
struct lfm_tau2_turn {
    struct lfm_span say;
    struct lfm_pattern *if_agent; /* owned; NULL: always */
};

enum lfm_tau2_reward {
    LFM_TAU2_DB = 1,
    LFM_TAU2_ENV_ASSERTION = 2,
    LFM_TAU2_ACTION = 4,
    LFM_TAU2_COMMUNICATE = 8,
    LFM_TAU2_NL_ASSERTION = 16
};

/* The values below are parts of the file, checked for their form; NULL where the file has none or null. */
struct lfm_tau2_task {
    const struct lfm_tau2_world *world;
    const char *id;                                /* "<domain>/<id in the file>" */
    const struct lfm_py_value *initial_state;      /* dict */
    const struct lfm_py_value *messages;           /* list: the message history */
    const struct lfm_py_value *criteria;           /* dict */
    const struct lfm_py_value *actions;            /* list of {"name", "arguments", "requestor"?, "compare_args"?} */
    const struct lfm_py_value *env_assertions;     /* list of {"env_type", "func_name", "arguments", "assert_value"?} */
    const struct lfm_py_value *communicate_info;   /* list of strings */
    unsigned reward_basis;                         /* of LFM_TAU2_DB and so on */
    struct lfm_tau2_step *history;                 /* the calls in `messages` */
    size_t n_history, history_capacity;
    const char *template_name;                     /* which tasks are alike; NULL: nothing is said */
    struct lfm_tau2_turn *turns;                   /* the scripted user; none: the task needs a simulated one */
    size_t n_turns;
};

struct lfm_tau2_data {
    struct lfm_tau2_world *worlds;
    size_t n_worlds;
    struct lfm_tau2_task *tasks; /* domain by domain, each as in its file */
    size_t n_tasks, capacity;
    struct lfm_arena arena; /* what they consist of */
};

/* Reads every known domain that is a directory in `directory`, or the one domain that `directory` is. Fails on
 * malformed files and tasks, naming them, and when there is no domain. */
enum lfm_status lfm_tau2_open(struct lfm_tau2_data *data, const char *directory, struct lfm_error *error);
void lfm_tau2_close(struct lfm_tau2_data *data);

const struct lfm_tau2_task *lfm_tau2_find(const struct lfm_tau2_data *data, const char *id); /* NULL: no such task */

/* LFM_TAU2_USER for the string "user", else the agent's. `name` may be NULL. */
enum lfm_tau2_side lfm_tau2_side_of(const struct lfm_py_value *name);

#endif
