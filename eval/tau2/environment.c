/* Environments: see environment.h. The messages of exceptions are CPython 3.12's. */
#include "eval/tau2/environment.h"

#include "eval/bfcl/python_calls.h"

#include <string.h>

typedef const struct lfm_py_value *value;

/* --- functions --- */

static const struct lfm_tau2_function *find(const struct lfm_tau2_domain *domain, enum lfm_tau2_side side,
                                            struct lfm_span name, bool helpers)
{
    const struct lfm_tau2_function *function = domain->sides[side].functions;
    for (; function && function->name; function++)
        if (lfm_span_equals(lfm_span_of(function->name), name) && (helpers || function->kind != LFM_TAU2_HELPER))
            return function;
    return NULL;
}

bool lfm_tau2_writes(const struct lfm_tau2_domain *domain, struct lfm_span name)
{
    const struct lfm_tau2_function *function = find(domain, LFM_TAU2_AGENT, name, false);
    if (!function) function = find(domain, LFM_TAU2_USER, name, false);
    return function && function->kind == LFM_TAU2_WRITES;
}

/* One exception's text, put together from parts. */
static enum lfm_status raise_text(struct lfm_tau2_call *call, struct lfm_buffer *text, struct lfm_error *error)
{
    call->raised = true;
    return lfm_arena_copy(call->arena, &call->exception, (struct lfm_span){text->data, text->length}, error);
}

static enum lfm_status raise_unexpected(struct lfm_tau2_call *call, const char *class_name, const char *function,
                                        struct lfm_span argument, struct lfm_error *error)
{
    struct lfm_buffer text = {0};
    enum lfm_status status;
    LFM_TRY_DONE(lfm_buffer_printf(&text, error, "%s.%s() got an unexpected keyword argument '", class_name, function));
    LFM_TRY_DONE(lfm_buffer_append(&text, argument.at, argument.length, error));
    LFM_TRY_DONE(lfm_buffer_puts(&text, "'", error));
    status = raise_text(call, &text, error);
done:
    lfm_buffer_release(&text);
    return status;
}

/* "missing 2 required positional arguments: 'a' and 'b'", with more names "'a', 'b', and 'c'". */
static enum lfm_status raise_missing(struct lfm_tau2_call *call, const char *class_name, const char *function,
                                     const struct lfm_span *names, size_t n, struct lfm_error *error)
{
    struct lfm_buffer text = {0};
    enum lfm_status status;
    LFM_TRY_DONE(lfm_buffer_printf(&text, error, "%s.%s() missing %zu required positional argument%s: ", class_name,
                                   function, n, n == 1 ? "" : "s"));
    for (size_t i = 0; i < n; i++) {
        const char *before = i == 0 ? "" : i + 1 < n ? ", " : n == 2 ? " and " : ", and ";
        LFM_TRY_DONE(lfm_buffer_printf(&text, error, "%s'%.*s'", before, (int)names[i].length, names[i].at));
    }
    status = raise_text(call, &text, error);
done:
    lfm_buffer_release(&text);
    return status;
}

/* The next parameter of a declaration; *optional when it may be left out. */
static bool next_parameter(struct lfm_span *rest, struct lfm_span *name, bool *optional)
{
    if (!lfm_py_next_word(rest, name)) return false;
    *optional = name->at[name->length - 1] == '?';
    name->length -= *optional;
    return true;
}

/* The place of the parameter of this name, or SIZE_MAX. */
static size_t place_of(const struct lfm_tau2_function *function, struct lfm_span wanted)
{
    struct lfm_span rest = lfm_span_of(function->parameters), name;
    bool optional;
    for (size_t i = 0; next_parameter(&rest, &name, &optional); i++)
        if (lfm_span_equals(name, wanted)) return i;
    return SIZE_MAX;
}

/* Puts the arguments where the function finds them, or raises Python's TypeError. */
static enum lfm_status bind(struct lfm_tau2_call *call, const struct lfm_tau2_function *function,
                            const char *class_name, value arguments, struct lfm_error *error)
{
    struct lfm_span rest = lfm_span_of(function->parameters), name, missing[LFM_TAU2_MOST_PARAMETERS];
    size_t n_missing = 0;
    bool optional;
    for (size_t i = 0; i < arguments->count; i += 2) {
        size_t place = place_of(function, arguments->items[i]->text);
        if (place == SIZE_MAX)
            return raise_unexpected(call, class_name, function->name, arguments->items[i]->text, error);
        call->arguments[place] = arguments->items[i + 1];
    }
    for (size_t i = 0; next_parameter(&rest, &name, &optional); i++)
        if (!call->arguments[i] && !optional) missing[n_missing++] = name;
    return n_missing ? raise_missing(call, class_name, function->name, missing, n_missing, error) : LFM_OK;
}

static enum lfm_status run(struct lfm_tau2_environment *environment, enum lfm_tau2_side side,
                           const struct lfm_tau2_function *function, value arguments, struct lfm_tau2_call *call,
                           struct lfm_error *error)
{
    *call = (struct lfm_tau2_call){
        .arena = &environment->arena, .databases = environment->databases, .db = environment->databases[side]};
    LFM_TRY(bind(call, function, environment->domain->sides[side].class_name, arguments, error));
    return call->raised ? LFM_OK : function->run(call, error);
}

static enum lfm_status synchronise(struct lfm_tau2_environment *environment, struct lfm_error *error)
{
    if (!environment->domain->sync) return LFM_OK;
    return environment->domain->sync(&environment->arena, environment->databases, error);
}

enum lfm_status lfm_tau2_run(struct lfm_tau2_environment *environment, enum lfm_tau2_side side, struct lfm_span name,
                             const struct lfm_py_value *arguments, struct lfm_tau2_call *call, struct lfm_error *error)
{
    const struct lfm_tau2_function *function = find(environment->domain, side, name, true);
    if (!function)
        return lfm_fail(error, LFM_ERROR_FORMAT, "domain '%s' has no function '%.*s'", environment->domain->name,
                        (int)name.length, name.at);
    LFM_TRY(run(environment, side, function, arguments, call, error));
    return call->raised ? LFM_OK : synchronise(environment, error);
}

static enum lfm_status raise_unknown(struct lfm_tau2_call *call, bool has_tools, struct lfm_span name,
                                     struct lfm_error *error)
{
    const struct lfm_py_value text = {.type = LFM_PY_STR, .text = name};
    if (!has_tools) return lfm_tau2_raise(call, "User tools not available", NULL, error);
    return lfm_tau2_raise(call, "Tool '{}' not found.", &text, error);
}

/* What the call returns or raises, as tools do. */
static enum lfm_status use_tool(struct lfm_tau2_environment *environment, const struct lfm_tau2_step *step,
                                struct lfm_tau2_call *call, struct lfm_error *error)
{
    const struct lfm_tau2_function *function = find(environment->domain, step->requestor, step->name, false);
    if (function) return run(environment, step->requestor, function, step->arguments, call, error);
    *call = (struct lfm_tau2_call){.arena = &environment->arena};
    return raise_unknown(call, environment->domain->sides[step->requestor].functions != NULL, step->name, error);
}

/* --- the text of a result --- */

/* What no model holds: a number becomes its text. */
static enum lfm_status plain_value(struct lfm_arena *arena, value *out, value item, struct lfm_error *error)
{
    struct lfm_py_value *copy;
    struct lfm_buffer text = {0};
    enum lfm_status status;
    *out = item;
    if (item->type == LFM_PY_NONE || item->type == LFM_PY_STR) return LFM_OK;
    if (item->type == LFM_PY_LIST || item->type == LFM_PY_DICT) {
        LFM_TRY(lfm_db_copy(arena, &copy, item, error));
        *out = copy;
        for (size_t i = item->type == LFM_PY_DICT; i < copy->count; i += item->type == LFM_PY_DICT ? 2 : 1)
            LFM_TRY(plain_value(arena, &copy->items[i], copy->items[i], error));
        return LFM_OK;
    }
    LFM_TRY_DONE(lfm_py_repr(&text, item, error));
    LFM_TRY_DONE(lfm_py_new_str(arena, &copy, (struct lfm_span){text.data, text.length}, error));
    *out = copy;
done:
    lfm_buffer_release(&text);
    return status;
}

static enum lfm_status write_result(struct lfm_tau2_environment *environment, const struct lfm_tau2_call *call,
                                    struct lfm_span *content, struct lfm_error *error)
{
    static const struct lfm_py_value none = {.type = LFM_PY_NONE};
    struct lfm_buffer text = {0};
    enum lfm_status status;
    value result = call->result ? call->result : &none;
    if (result->type == LFM_PY_STR) {
        *content = result->text;
        return LFM_OK;
    }
    bool bare = result->type == LFM_PY_BOOL || result->type == LFM_PY_INT || result->type == LFM_PY_FLOAT;
    if (call->plain || bare) LFM_TRY_DONE(plain_value(&environment->arena, &result, result, error));
    LFM_TRY_DONE(lfm_db_dump(&text, result, false, error));
    LFM_TRY_DONE(lfm_arena_copy(&environment->arena, content, (struct lfm_span){text.data, text.length}, error));
done:
    lfm_buffer_release(&text);
    return status;
}

static enum lfm_status write_exception(struct lfm_tau2_environment *environment, struct lfm_span exception,
                                       struct lfm_span *content, struct lfm_error *error)
{
    struct lfm_buffer text = {0};
    enum lfm_status status;
    LFM_TRY_DONE(lfm_buffer_puts(&text, "Error: ", error));
    LFM_TRY_DONE(lfm_buffer_append(&text, exception.at, exception.length, error));
    LFM_TRY_DONE(lfm_arena_copy(&environment->arena, content, (struct lfm_span){text.data, text.length}, error));
done:
    lfm_buffer_release(&text);
    return status;
}

enum lfm_status lfm_tau2_call(struct lfm_tau2_environment *environment, struct lfm_tau2_step *step,
                              struct lfm_error *error)
{
    struct lfm_tau2_call call;
    LFM_TRY(use_tool(environment, step, &call, error));
    step->is_error = call.raised;
    if (call.raised) return write_exception(environment, call.exception, &step->content, error);
    LFM_TRY(synchronise(environment, error));
    return write_result(environment, &call, &step->content, error);
}

enum lfm_status lfm_tau2_apply(struct lfm_tau2_environment *environment, const struct lfm_tau2_step *step,
                               struct lfm_error *error)
{
    struct lfm_tau2_call call;
    return use_tool(environment, step, &call, error);
}

/* content == recorded, each read as JSON where it is JSON. */
static enum lfm_status compare(struct lfm_arena *arena, bool *same, struct lfm_span content, struct lfm_span recorded,
                               struct lfm_error *error)
{
    struct lfm_py_value *a, *b;
    struct lfm_error why;
    *same = true;
    if (lfm_span_equals(content, recorded)) return LFM_OK;
    enum lfm_status first = lfm_py_json_value(arena, &a, content, "content", &why);
    enum lfm_status second = lfm_py_json_value(arena, &b, recorded, "content", &why);
    if (first == LFM_ERROR_MEMORY || second == LFM_ERROR_MEMORY)
        return lfm_fail(error, LFM_ERROR_MEMORY, "%s", why.message);
    if (first != LFM_OK) LFM_TRY(lfm_py_new_str(arena, &a, content, error));
    if (second != LFM_OK) LFM_TRY(lfm_py_new_str(arena, &b, recorded, error));
    *same = lfm_py_equal(a, b);
    return LFM_OK;
}

enum lfm_status lfm_tau2_repeat(struct lfm_tau2_environment *environment, const struct lfm_tau2_step *step, bool *same,
                                struct lfm_error *error)
{
    struct lfm_tau2_step repeated = *step;
    *same = true;
    if (!lfm_tau2_writes(environment->domain, step->name)) return LFM_OK;
    LFM_TRY(lfm_tau2_call(environment, &repeated, error));
    if (!step->content.at) return LFM_OK;
    return compare(&environment->arena, same, repeated.content, step->content, error);
}

/* --- the initial state --- */

static enum lfm_status merge_data(struct lfm_tau2_environment *environment, value initial, struct lfm_error *error)
{
    static const char *const keys[LFM_TAU2_SIDES] = {"agent_data", "user_data"};
    value data = lfm_db_member(initial, "initialization_data"), merged;
    for (int side = 0; side < LFM_TAU2_SIDES; side++) {
        value update = lfm_db_member(data, keys[side]);
        if (!update || !environment->databases[side]) continue;
        LFM_TRY(lfm_db_merge(&environment->arena, &merged, environment->databases[side], update, error));
        LFM_TRY(lfm_db_copy(&environment->arena, &environment->databases[side], merged, error));
        if (environment->domain->complete)
            LFM_TRY(environment->domain->complete(&environment->arena, (enum lfm_tau2_side)side,
                                                  environment->databases[side], error));
    }
    return LFM_OK;
}

static enum lfm_status run_actions(struct lfm_tau2_environment *environment, value initial, struct lfm_error *error)
{
    value actions = lfm_db_member(initial, "initialization_actions");
    struct lfm_tau2_call call;
    for (size_t i = 0; actions && i < actions->count; i++) {
        value action = actions->items[i], name = lfm_db_member(action, "func_name");
        enum lfm_tau2_side side = lfm_tau2_side_of(lfm_db_member(action, "env_type"));
        LFM_TRY(lfm_tau2_run(environment, side, name->text, lfm_db_member(action, "arguments"), &call, error));
        if (call.raised)
            return lfm_fail(error, LFM_ERROR_FORMAT, "initialization action %zu raises: %.*s", i + 1,
                            (int)call.exception.length, call.exception.at);
    }
    return LFM_OK;
}

static enum lfm_status repeat_history(struct lfm_tau2_environment *environment, const struct lfm_tau2_task *task,
                                      struct lfm_error *error)
{
    for (size_t i = 0; i < task->n_history; i++) {
        bool same;
        LFM_TRY(lfm_tau2_repeat(environment, &task->history[i], &same, error));
        if (!same)
            return lfm_fail(error, LFM_ERROR_FORMAT, "the message history's call %zu returns something else now",
                            i + 1);
    }
    return LFM_OK;
}

static enum lfm_status initialise(struct lfm_tau2_environment *environment, const struct lfm_tau2_task *task,
                                  struct lfm_error *error)
{
    for (int side = 0; side < LFM_TAU2_SIDES; side++)
        if (task->world->databases[side])
            LFM_TRY(
                lfm_db_copy(&environment->arena, &environment->databases[side], task->world->databases[side], error));
    LFM_TRY(merge_data(environment, task->initial_state, error));
    LFM_TRY(run_actions(environment, task->initial_state, error));
    LFM_TRY(repeat_history(environment, task, error));
    return synchronise(environment, error);
}

enum lfm_status lfm_tau2_environment_open(struct lfm_tau2_environment *environment, const struct lfm_tau2_task *task,
                                          struct lfm_error *error)
{
    *environment = (struct lfm_tau2_environment){.domain = task->world->domain};
    enum lfm_status status = initialise(environment, task, error);
    return status == LFM_ERROR_FORMAT ? lfm_fail_in(error, "task '%s'", task->id) : status;
}

void lfm_tau2_environment_close(struct lfm_tau2_environment *environment)
{
    lfm_arena_release(&environment->arena);
}

enum lfm_status lfm_tau2_hash(char text[LFM_SHA256_TEXT], const struct lfm_tau2_environment *environment,
                              enum lfm_tau2_side side, struct lfm_error *error)
{
    text[0] = '\0';
    if (!environment->databases[side]) return LFM_OK;
    return lfm_db_hash(text, environment->databases[side], error);
}
