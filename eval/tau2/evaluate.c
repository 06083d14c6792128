/* Verdicts: see evaluate.h. */
#include "eval/tau2/evaluate.h"

#include "reference/base/memory.h"
#include "reference/base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef const struct lfm_py_value *value;

static size_t length_of(value list)
{
    return list ? list->count : 0;
}

static enum lfm_status raise_exception(struct lfm_tau2_verdict *verdict, const char *what, struct lfm_span text,
                                       struct lfm_error *error)
{
    struct lfm_buffer valid = {0};
    LFM_TRY(lfm_utf8_repair(&valid, text.at, text.length, error));
    snprintf(verdict->exception, sizeof verdict->exception, "%s%s", what, valid.data ? valid.data : "");
    verdict->exception[lfm_utf8_complete(verdict->exception, strlen(verdict->exception))] = '\0';
    lfm_buffer_release(&valid);
    return LFM_OK;
}

/* --- the databases --- */

static enum lfm_status repeat_all(struct lfm_tau2_verdict *verdict, struct lfm_tau2_environment *predicted,
                                  const struct lfm_tau2_trajectory *trajectory, struct lfm_error *error)
{
    for (size_t i = 0; i < trajectory->n_steps && !verdict->exception[0]; i++) {
        bool same;
        LFM_TRY(lfm_tau2_repeat(predicted, &trajectory->steps[i], &same, error));
        if (!same)
            LFM_TRY(raise_exception(verdict, "another result when repeated: ", trajectory->steps[i].name, error));
    }
    return LFM_OK;
}

static struct lfm_tau2_step step_of(value action)
{
    return (struct lfm_tau2_step){.requestor = lfm_tau2_side_of(lfm_db_member(action, "requestor")),
                                  .name = lfm_db_member(action, "name")->text,
                                  .arguments = lfm_db_member(action, "arguments")};
}

static enum lfm_status compare_databases(struct lfm_tau2_verdict *verdict, const struct lfm_tau2_task *task,
                                         const struct lfm_tau2_environment *predicted, struct lfm_error *error)
{
    struct lfm_tau2_environment gold;
    char ours[LFM_SHA256_TEXT], theirs[LFM_SHA256_TEXT];
    enum lfm_status status;
    verdict->db_match = true;
    LFM_TRY_DONE(lfm_tau2_environment_open(&gold, task, error));
    for (size_t i = 0; i < length_of(task->actions); i++) {
        const struct lfm_tau2_step step = step_of(task->actions->items[i]);
        LFM_TRY_DONE(lfm_tau2_apply(&gold, &step, error));
    }
    for (int side = 0; side < LFM_TAU2_SIDES; side++) {
        LFM_TRY_DONE(lfm_tau2_hash(ours, predicted, (enum lfm_tau2_side)side, error));
        LFM_TRY_DONE(lfm_tau2_hash(theirs, &gold, (enum lfm_tau2_side)side, error));
        verdict->db_match = verdict->db_match && strcmp(ours, theirs) == 0;
    }
done:
    lfm_tau2_environment_close(&gold);
    return status;
}

static enum lfm_status check_assertion(struct lfm_tau2_verdict *verdict, struct lfm_tau2_environment *predicted,
                                       value assertion, bool *met, struct lfm_error *error)
{
    struct lfm_tau2_call call;
    value expected = lfm_db_member(assertion, "assert_value");
    LFM_TRY(lfm_tau2_run(predicted, lfm_tau2_side_of(lfm_db_member(assertion, "env_type")),
                         lfm_db_member(assertion, "func_name")->text, lfm_db_member(assertion, "arguments"), &call,
                         error));
    if (call.raised) return raise_exception(verdict, "", call.exception, error);
    if (!call.result || call.result->type != LFM_PY_BOOL)
        return raise_exception(verdict, "no bool from ", lfm_db_member(assertion, "func_name")->text, error);
    *met = call.result->boolean == (expected ? lfm_py_is_true(expected) : true);
    return LFM_OK;
}

static enum lfm_status check_environment(struct lfm_tau2_verdict *verdict, const struct lfm_tau2_task *task,
                                         const struct lfm_tau2_trajectory *trajectory, struct lfm_error *error)
{
    struct lfm_tau2_environment predicted;
    enum lfm_status status;
    verdict->db_match = true;
    if (!task->actions && !task->env_assertions) return LFM_OK;
    LFM_TRY_DONE(lfm_tau2_environment_open(&predicted, task, error));
    LFM_TRY_DONE(repeat_all(verdict, &predicted, trajectory, error));
    LFM_TRY_DONE(compare_databases(verdict, task, &predicted, error));
    for (size_t i = 0; i < verdict->n_env_assertions && !verdict->exception[0]; i++)
        LFM_TRY_DONE(
            check_assertion(verdict, &predicted, task->env_assertions->items[i], &verdict->env_assertions[i], error));
done:
    lfm_tau2_environment_close(&predicted);
    return status;
}

/* --- actions and texts --- */

static bool is_compared(value names, value key)
{
    for (size_t i = 0; i < length_of(names); i++)
        if (lfm_py_equal(names->items[i], key)) return true;
    return !names;
}

/* Whether all that `call` gives, as far as it is compared, is given alike by `other`. */
static bool agrees(value call, value other, value names)
{
    for (size_t i = 0; i < call->count; i += 2) {
        value theirs = lfm_py_get(other, call->items[i]);
        if (is_compared(names, call->items[i]) && (!theirs || !lfm_py_equal(call->items[i + 1], theirs))) return false;
    }
    return true;
}

/* The arguments that the call has, or those of `compare_args`, are the action's. Who made the call is not compared. */
static bool fits(value action, const struct lfm_tau2_step *step)
{
    value wanted = lfm_db_member(action, "arguments"), names = lfm_db_member(action, "compare_args");
    if (!lfm_span_equals(lfm_db_member(action, "name")->text, step->name)) return false;
    return agrees(step->arguments, wanted, names) && (!names || agrees(wanted, step->arguments, names));
}

static bool was_made(value action, const struct lfm_tau2_task *task, const struct lfm_tau2_trajectory *trajectory)
{
    for (size_t i = 0; i < task->n_history; i++)
        if (fits(action, &task->history[i])) return true;
    for (size_t i = 0; i < trajectory->n_steps; i++)
        if (fits(action, &trajectory->steps[i])) return true;
    return false;
}

/* info.lower() in text.lower().replace(",", "") */
static enum lfm_status contains(bool *found, struct lfm_span text, struct lfm_span info, struct lfm_error *error)
{
    struct lfm_buffer lower = {0}, wanted = {0};
    enum lfm_status status;
    size_t kept = 0;
    LFM_TRY_DONE(lfm_py_lower(&lower, text, error));
    LFM_TRY_DONE(lfm_py_lower(&wanted, info, error));
    for (size_t i = 0; i < lower.length; i++)
        if (lower.data[i] != ',') lower.data[kept++] = lower.data[i];
    *found = *found || wanted.length == 0 ||
             lfm_span_contains((struct lfm_span){lower.data, kept}, (struct lfm_span){wanted.data, wanted.length});
done:
    lfm_buffer_release(&lower);
    lfm_buffer_release(&wanted);
    return status;
}

static enum lfm_status was_said(bool *found, value info, const struct lfm_tau2_task *task,
                                const struct lfm_tau2_trajectory *trajectory, struct lfm_error *error)
{
    for (size_t i = 0; i < length_of(task->messages) && !*found; i++) {
        value message = task->messages->items[i], content = lfm_db_member(message, "content");
        if (content && lfm_py_is_str(lfm_db_member(message, "role"), "assistant"))
            LFM_TRY(contains(found, content->text, info->text, error));
    }
    for (size_t i = 0; i < trajectory->n_texts && !*found; i++)
        LFM_TRY(contains(found, trajectory->texts[i], info->text, error));
    return LFM_OK;
}

/* --- the verdict --- */

static bool all(const bool *checks, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!checks[i]) return false;
    return true;
}

static void reward(struct lfm_tau2_verdict *verdict, unsigned basis)
{
    bool db = !(basis & LFM_TAU2_DB) || verdict->db_match;
    bool assertions = !(basis & LFM_TAU2_ENV_ASSERTION) || all(verdict->env_assertions, verdict->n_env_assertions);
    if (verdict->exception[0]) return;
    verdict->env_reward = db && assertions;
    verdict->action_reward = all(verdict->action_checks, verdict->n_action_checks);
    verdict->communicate_reward = all(verdict->communicate_checks, verdict->n_communicate_checks);
    verdict->reward = verdict->env_reward;
    if (basis & LFM_TAU2_ACTION) verdict->reward *= verdict->action_reward;
    if (basis & LFM_TAU2_COMMUNICATE) verdict->reward *= verdict->communicate_reward;
}

enum lfm_status lfm_tau2_evaluate(struct lfm_tau2_verdict *verdict, const struct lfm_tau2_task *task,
                                  const struct lfm_tau2_trajectory *trajectory, struct lfm_error *error)
{
    *verdict = (struct lfm_tau2_verdict){.n_env_assertions = length_of(task->env_assertions),
                                         .n_action_checks = length_of(task->actions),
                                         .n_communicate_checks = length_of(task->communicate_info)};
    LFM_TRY(LFM_ALLOC(&verdict->env_assertions, verdict->n_env_assertions, error));
    LFM_TRY(LFM_ALLOC(&verdict->action_checks, verdict->n_action_checks, error));
    LFM_TRY(LFM_ALLOC(&verdict->communicate_checks, verdict->n_communicate_checks, error));
    LFM_TRY(check_environment(verdict, task, trajectory, error));
    for (size_t i = 0; i < verdict->n_action_checks; i++)
        verdict->action_checks[i] = was_made(task->actions->items[i], task, trajectory);
    for (size_t i = 0; i < verdict->n_communicate_checks; i++)
        LFM_TRY(was_said(&verdict->communicate_checks[i], task->communicate_info->items[i], task, trajectory, error));
    reward(verdict, task->criteria ? task->reward_basis : 0);
    return LFM_OK;
}

void lfm_tau2_verdict_release(struct lfm_tau2_verdict *verdict)
{
    free(verdict->env_assertions);
    free(verdict->action_checks);
    free(verdict->communicate_checks);
    *verdict = (struct lfm_tau2_verdict){0};
}

static void add_checks(cJSON *object, const char *name, const bool *checks, size_t n)
{
    cJSON *list = cJSON_AddArrayToObject(object, name);
    for (size_t i = 0; i < n; i++) cJSON_AddItemToArray(list, cJSON_CreateBool(checks[i]));
}

void lfm_tau2_add_verdict(cJSON *object, const struct lfm_tau2_verdict *verdict)
{
    cJSON_AddBoolToObject(object, "db_match", verdict->db_match);
    add_checks(object, "env_assertions", verdict->env_assertions, verdict->n_env_assertions);
    add_checks(object, "action_checks", verdict->action_checks, verdict->n_action_checks);
    add_checks(object, "communicate_checks", verdict->communicate_checks, verdict->n_communicate_checks);
    lfm_json_add_number(object, "env_reward", verdict->env_reward);
    lfm_json_add_number(object, "action_reward", verdict->action_reward);
    lfm_json_add_number(object, "communicate_reward", verdict->communicate_reward);
    if (verdict->exception[0]) cJSON_AddStringToObject(object, "exception", verdict->exception);
}
