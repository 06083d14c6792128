/* A domain: a policy, and tools over a database. Each is one file (service_desk.c, mock.c) and a line in domains.c.
 *
 * Its data are read from a directory of its name: policy.md, tasks.json and the databases (docs/tau2.md). */
#ifndef LFM_EVAL_TAU2_DOMAIN_H
#define LFM_EVAL_TAU2_DOMAIN_H

#include "eval/tau2/database.h"

#include <stdbool.h>
#include <stddef.h>

/* Who calls, and whose tools and database it is. */
enum lfm_tau2_side { LFM_TAU2_AGENT, LFM_TAU2_USER, LFM_TAU2_SIDES };

enum { LFM_TAU2_MOST_PARAMETERS = 24 };

/* One call of a function, while it runs. */
struct lfm_tau2_call {
    struct lfm_arena *arena;
    struct lfm_py_value *const *databases; /* [LFM_TAU2_SIDES], dicts that may be changed; NULL: the domain has none */
    struct lfm_py_value *db;               /* that of the function's side */
    const struct lfm_py_value *arguments[LFM_TAU2_MOST_PARAMETERS]; /* as declared; NULL: left out */

    const struct lfm_py_value *result; /* what the function returns; NULL: None */
    bool plain;                        /* numbers in the result belong to no model: the caller sees them as text */
    bool raised;                       /* it raised; the text of the exception: */
    struct lfm_span exception;
};

enum lfm_tau2_kind {
    LFM_TAU2_READS,  /* a tool that leaves the databases as they are */
    LFM_TAU2_WRITES, /* a tool that may change them */
    LFM_TAU2_HELPER  /* no tool: for the initialization and the assertions of tasks */
};

struct lfm_tau2_function {
    const char *name;
    enum lfm_tau2_kind kind;
    const char *parameters; /* "user_id title description?": in order, with "?" those that may be left out */
    /* Arguments have been checked against `parameters`, not their types. What the function changed before it raised
     * stays changed. Fails only when memory is short. */
    enum lfm_status (*run)(struct lfm_tau2_call *call, struct lfm_error *error);
};

/* The functions of one side. */
struct lfm_tau2_toolkit {
    const char *class_name;                    /* in Python's messages: "MockTools" */
    const char *database;                      /* file name; NULL: this side has none */
    const struct lfm_tau2_function *functions; /* ends with an empty one; NULL: this side has no tools */
    const char *schemas;                       /* JSON list, as the model sees them; NULL for the user's side */
};

struct lfm_tau2_domain {
    const char *name;
    const char *instruction; /* stands before the policy, both between tags as in tau2-bench; NULL: the policy alone */
    struct lfm_tau2_toolkit sides[LFM_TAU2_SIDES];
    size_t max_steps, max_errors;
    /* Brings a database that was read, or changed by a task's data, into the form of its models: defaults filled in,
     * fields in order. `db` is its own at the first level. NULL: it stays as it is. */
    enum lfm_status (*complete)(struct lfm_arena *arena, enum lfm_tau2_side side, struct lfm_py_value *db,
                                struct lfm_error *error);
    /* Carries over what one side's database says to the other's, after every call. NULL: nothing. */
    enum lfm_status (*sync)(struct lfm_arena *arena, struct lfm_py_value *const *databases, struct lfm_error *error);
};

/* The domains, ending with NULL. */
extern const struct lfm_tau2_domain *const lfm_tau2_domains[];
extern const struct lfm_tau2_domain lfm_tau2_service_desk, lfm_tau2_mock;

/* What stands before the policy in tau2-bench (the instruction of its LLM agent). */
extern const char lfm_tau2_instruction[];

/* raise Exception(text), where "{}" in `format` stands for str(value); `value` may be NULL. Always used as
 * `return lfm_tau2_raise(...)`. */
enum lfm_status lfm_tau2_raise(struct lfm_tau2_call *call, const char *format, const struct lfm_py_value *value,
                               struct lfm_error *error);
/* table[key] for a key that came as an argument: *found is NULL when there is none; raises for unhashable keys. */
enum lfm_status lfm_tau2_look_up(struct lfm_tau2_call *call, const struct lfm_py_value **found,
                                 const struct lfm_py_value *table, const struct lfm_py_value *key,
                                 struct lfm_error *error);
/* The result is this text. */
enum lfm_status lfm_tau2_return_text(struct lfm_tau2_call *call, const char *text, struct lfm_error *error);
/* The result is True or False. */
enum lfm_status lfm_tau2_return_bool(struct lfm_tau2_call *call, bool boolean, struct lfm_error *error);

#endif
