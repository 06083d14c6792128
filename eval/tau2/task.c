/* Reading tasks: see task.h. Everything that the other parts rely on is checked here. */
#include "eval/tau2/task.h"

#include "eval/bfcl/python_calls.h"
#include "reference/base/file.h"
#include "reference/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef const struct lfm_py_value *value;

/* Where a message says the fault is. */
struct place {
    char text[512];
};

struct reader {
    struct lfm_tau2_data *data;
    struct lfm_tau2_world *world;
    const char *directory; /* of the domain */
    struct place place;
    struct lfm_error *error;
};

enum lfm_tau2_side lfm_tau2_side_of(const struct lfm_py_value *name)
{
    return name && lfm_py_is_str(name, "user") ? LFM_TAU2_USER : LFM_TAU2_AGENT;
}

static enum lfm_status fail(const struct reader *r, const char *what)
{
    return lfm_fail(r->error, LFM_ERROR_FORMAT, "%s: %s", r->place.text, what);
}

static bool is(value item, enum lfm_py_type type)
{
    return item && item->type == type;
}

/* --- files --- */

static enum lfm_status read_text(const struct reader *r, struct lfm_buffer *text, const char *name)
{
    char *path;
    LFM_TRY(lfm_join_path(&path, r->directory, name, r->error));
    enum lfm_status status = lfm_read_file(text, path, r->error);
    free(path);
    return status;
}

static enum lfm_status read_json(struct reader *r, struct lfm_py_value **out, const char *name)
{
    struct lfm_buffer text = {0};
    snprintf(r->place.text, sizeof r->place.text, "%s/%s", r->directory, name);
    enum lfm_status status = read_text(r, &text, name);
    if (status == LFM_OK)
        status =
            lfm_py_json_value(&r->data->arena, out, (struct lfm_span){text.data, text.length}, r->place.text, r->error);
    lfm_buffer_release(&text);
    return status;
}

static enum lfm_status read_system(struct reader *r)
{
    struct lfm_buffer policy = {0}, system = {0};
    enum lfm_status status;
    const char *instruction = r->world->domain->instruction;
    LFM_TRY_DONE(read_text(r, &policy, "policy.md"));
    LFM_TRY_DONE(lfm_buffer_append(&policy, "", 0, r->error));
    while (!instruction && policy.length && policy.data[policy.length - 1] == '\n') policy.data[--policy.length] = '\0';
    if (instruction)
        LFM_TRY_DONE(
            lfm_buffer_printf(&system, r->error, "<instructions>\n%s\n</instructions>\n<policy>\n", instruction));
    LFM_TRY_DONE(lfm_buffer_puts(&system, policy.data, r->error));
    if (instruction) LFM_TRY_DONE(lfm_buffer_puts(&system, "\n</policy>", r->error));
    status = lfm_copy_string(&r->world->system, system.data, system.length, r->error);
done:
    lfm_buffer_release(&policy);
    lfm_buffer_release(&system);
    return status;
}

static enum lfm_status read_database(struct reader *r, enum lfm_tau2_side side)
{
    const struct lfm_tau2_domain *domain = r->world->domain;
    struct lfm_py_value **database = &r->world->databases[side];
    if (!domain->sides[side].database) return LFM_OK;
    LFM_TRY(read_json(r, database, domain->sides[side].database));
    if (!is(*database, LFM_PY_DICT)) return fail(r, "a database must be an object");
    if (!domain->complete) return LFM_OK;
    LFM_TRY(lfm_db_copy(&r->data->arena, database, *database, r->error));
    enum lfm_status status = domain->complete(&r->data->arena, side, *database, r->error);
    return status == LFM_OK ? status : lfm_fail_in(r->error, "%s", r->place.text);
}

/* --- the parts of a task --- */

/* *out is the list at `key`, whose elements pass `check`; NULL when there is none. */
static enum lfm_status read_list(const struct reader *r, value *out, value dict, const char *key,
                                 enum lfm_status (*check)(const struct reader *r, value item))
{
    *out = lfm_db_member(dict, key);
    if (*out && (*out)->type != LFM_PY_LIST)
        return lfm_fail(r->error, LFM_ERROR_FORMAT, "%s: '%s' must be a list", r->place.text, key);
    for (size_t i = 0; *out && i < (*out)->count; i++) {
        enum lfm_status status = check(r, (*out)->items[i]);
        if (status != LFM_OK) return lfm_fail_in(r->error, "element %zu of '%s'", i + 1, key);
    }
    return LFM_OK;
}

static enum lfm_status check_string(const struct reader *r, value item)
{
    return is(item, LFM_PY_STR) ? LFM_OK : fail(r, "expected a string");
}

static enum lfm_status check_action(const struct reader *r, value action)
{
    value unused;
    if (!is(lfm_db_member(action, "name"), LFM_PY_STR)) return fail(r, "an action needs a string 'name'");
    if (!is(lfm_db_member(action, "arguments"), LFM_PY_DICT)) return fail(r, "an action needs an object 'arguments'");
    return read_list(r, &unused, action, "compare_args", check_string);
}

static enum lfm_status check_function_call(const struct reader *r, value call)
{
    value name = lfm_db_member(call, "func_name");
    const struct lfm_tau2_function *function =
        r->world->domain->sides[lfm_tau2_side_of(lfm_db_member(call, "env_type"))].functions;
    if (!is(name, LFM_PY_STR) || !is(lfm_db_member(call, "arguments"), LFM_PY_DICT))
        return fail(r, "a function call needs a string 'func_name' and an object 'arguments'");
    while (function && function->name && !lfm_py_is_str(name, function->name)) function++;
    if (function && function->name) return LFM_OK;
    return lfm_fail(r->error, LFM_ERROR_FORMAT, "%s: the domain has no function '%s'", r->place.text, name->text.at);
}

static enum lfm_status read_basis(struct reader *r, struct lfm_tau2_task *task)
{
    static const struct {
        const char *name;
        enum lfm_tau2_reward reward;
    } rewards[] = {{"DB", LFM_TAU2_DB},
                   {"ENV_ASSERTION", LFM_TAU2_ENV_ASSERTION},
                   {"ACTION", LFM_TAU2_ACTION},
                   {"COMMUNICATE", LFM_TAU2_COMMUNICATE},
                   {"NL_ASSERTION", LFM_TAU2_NL_ASSERTION}};
    value basis;
    LFM_TRY(read_list(r, &basis, task->criteria, "reward_basis", check_string));
    task->reward_basis = basis ? 0 : LFM_TAU2_DB | LFM_TAU2_COMMUNICATE;
    for (size_t i = 0; basis && i < basis->count; i++) {
        unsigned found = 0;
        for (size_t k = 0; k < sizeof rewards / sizeof *rewards; k++)
            if (lfm_py_is_str(basis->items[i], rewards[k].name)) found = rewards[k].reward;
        if (!found)
            return lfm_fail(r->error, LFM_ERROR_FORMAT, "%s: unknown reward basis '%s'", r->place.text,
                            basis->items[i]->text.at);
        task->reward_basis |= found;
    }
    return LFM_OK;
}

static enum lfm_status read_criteria(struct reader *r, struct lfm_tau2_task *task, value row)
{
    task->criteria = lfm_db_member(row, "evaluation_criteria");
    if (task->criteria && task->criteria->type != LFM_PY_DICT)
        return fail(r, "'evaluation_criteria' must be an object");
    LFM_TRY(read_list(r, &task->actions, task->criteria, "actions", check_action));
    LFM_TRY(read_list(r, &task->env_assertions, task->criteria, "env_assertions", check_function_call));
    LFM_TRY(read_list(r, &task->communicate_info, task->criteria, "communicate_info", check_string));
    return read_basis(r, task);
}

/* --- the message history --- */

static enum lfm_status check_message(const struct reader *r, value message)
{
    value role = lfm_db_member(message, "role"), content = lfm_db_member(message, "content"), calls;
    if (!is(role, LFM_PY_STR)) return fail(r, "a message needs a string 'role'");
    if (!lfm_py_is_str(role, "assistant") && !lfm_py_is_str(role, "user") && !lfm_py_is_str(role, "tool"))
        return lfm_fail(r->error, LFM_ERROR_FORMAT, "%s: unknown role '%s'", r->place.text, role->text.at);
    if (content && content->type != LFM_PY_STR) return fail(r, "a message's 'content' must be a string");
    return read_list(r, &calls, message, "tool_calls", check_action);
}

/* The calls of message i, with the contents of the tool messages that follow it. */
static enum lfm_status read_calls(struct reader *r, struct lfm_tau2_task *task, size_t i)
{
    value message = task->messages->items[i], calls = lfm_db_member(message, "tool_calls");
    for (size_t c = 0; calls && c < calls->count; c++) {
        value answer = i + 1 + c < task->messages->count ? task->messages->items[i + 1 + c] : NULL;
        value content = lfm_db_member(answer, "content");
        if (!answer || !lfm_py_is_str(lfm_db_member(answer, "role"), "tool") || !content)
            return fail(r, "a call in the message history has no tool message");
        LFM_TRY(lfm_arena_grow(&r->data->arena, (void **)&task->history, &task->history_capacity, task->n_history,
                               sizeof *task->history, r->error));
        task->history[task->n_history++] =
            (struct lfm_tau2_step){.requestor = lfm_tau2_side_of(lfm_db_member(message, "role")),
                                   .name = lfm_db_member(calls->items[c], "name")->text,
                                   .arguments = lfm_db_member(calls->items[c], "arguments"),
                                   .content = content->text};
    }
    return LFM_OK;
}

static enum lfm_status read_initial_state(struct reader *r, struct lfm_tau2_task *task, value row)
{
    value unused, data;
    task->initial_state = lfm_db_member(row, "initial_state");
    if (task->initial_state && task->initial_state->type != LFM_PY_DICT)
        return fail(r, "'initial_state' must be an object");
    data = lfm_db_member(task->initial_state, "initialization_data");
    if (data && data->type != LFM_PY_DICT) return fail(r, "'initialization_data' must be an object");
    LFM_TRY(read_list(r, &unused, task->initial_state, "initialization_actions", check_function_call));
    LFM_TRY(read_list(r, &task->messages, task->initial_state, "message_history", check_message));
    for (size_t i = 0; task->messages && i < task->messages->count; i++) LFM_TRY(read_calls(r, task, i));
    return LFM_OK;
}

/* --- the scripted user --- */

static enum lfm_status check_turn(const struct reader *r, value turn)
{
    value condition = lfm_db_member(turn, "if_agent");
    if (!is(lfm_db_member(turn, "say"), LFM_PY_STR)) return fail(r, "a turn needs a string 'say'");
    return !condition || condition->type == LFM_PY_STR ? LFM_OK : fail(r, "'if_agent' must be a pattern");
}

static enum lfm_status read_script(struct reader *r, struct lfm_tau2_task *task, value row)
{
    value user = lfm_db_member(row, "scripted_user"), turns, name = lfm_db_member(user, "template");
    if (!user) return LFM_OK;
    LFM_TRY(read_list(r, &turns, user, "turns", check_turn));
    if (!turns || turns->count == 0 || lfm_db_member(turns->items[0], "if_agent"))
        return fail(r, "a scripted user needs 'turns', the first one without 'if_agent'");
    if (name && name->type != LFM_PY_STR) return fail(r, "'template' must be a string");
    task->template_name = name ? name->text.at : NULL;
    LFM_TRY(lfm_arena_alloc(&r->data->arena, (void **)&task->turns, turns->count * sizeof *task->turns, r->error));
    for (size_t i = 0; i < turns->count; i++) {
        value condition = lfm_db_member(turns->items[i], "if_agent");
        task->turns[task->n_turns].say = lfm_db_member(turns->items[i], "say")->text;
        task->n_turns++;
        if (!condition) continue;
        enum lfm_status status =
            lfm_pattern_compile(&task->turns[i].if_agent, condition->text, LFM_RE_IGNORECASE, r->error);
        if (status != LFM_OK) return lfm_fail_in(r->error, "%s: turn %zu", r->place.text, i + 1);
    }
    return LFM_OK;
}

/* --- tasks and domains --- */

static enum lfm_status read_task(struct reader *r, value row)
{
    struct lfm_tau2_data *data = r->data;
    value id = lfm_db_member(row, "id");
    struct lfm_buffer full_id = {0};
    struct lfm_span copy;
    if (!is(id, LFM_PY_STR)) return fail(r, "a task needs a string 'id'");
    LFM_TRY(LFM_GROW(&data->tasks, &data->capacity, data->n_tasks + 1, r->error));
    struct lfm_tau2_task *task = &data->tasks[data->n_tasks++];
    *task = (struct lfm_tau2_task){.world = r->world};
    enum lfm_status status = lfm_buffer_printf(&full_id, r->error, "%s/%s", r->world->domain->name, id->text.at);
    if (status == LFM_OK)
        status = lfm_arena_copy(&data->arena, &copy, (struct lfm_span){full_id.data, full_id.length}, r->error);
    lfm_buffer_release(&full_id);
    LFM_TRY(status);
    task->id = copy.at;
    if (lfm_tau2_find(data, task->id) != task) return fail(r, "an id that appears twice");
    LFM_TRY(read_initial_state(r, task, row));
    LFM_TRY(read_criteria(r, task, row));
    return read_script(r, task, row);
}

static enum lfm_status read_tasks(struct reader *r)
{
    struct lfm_py_value *tasks;
    LFM_TRY(read_json(r, &tasks, "tasks.json"));
    if (tasks->type != LFM_PY_LIST) return fail(r, "expected a list of tasks");
    for (size_t i = 0; i < tasks->count; i++) {
        value id = lfm_db_member(tasks->items[i], "id");
        if (is(id, LFM_PY_STR))
            snprintf(r->place.text, sizeof r->place.text, "%s/tasks.json: task '%s'", r->directory, id->text.at);
        else
            snprintf(r->place.text, sizeof r->place.text, "%s/tasks.json: task %zu", r->directory, i + 1);
        LFM_TRY(read_task(r, tasks->items[i]));
    }
    return LFM_OK;
}

static enum lfm_status read_world(struct lfm_tau2_data *data, const struct lfm_tau2_domain *domain,
                                  const char *directory, struct lfm_error *error)
{
    struct reader r = {.data = data, .world = &data->worlds[data->n_worlds++], .directory = directory, .error = error};
    r.world->domain = domain;
    LFM_TRY(lfm_json_parse(&r.world->tools, domain->sides[LFM_TAU2_AGENT].schemas,
                           strlen(domain->sides[LFM_TAU2_AGENT].schemas), domain->name, error));
    LFM_TRY(read_system(&r));
    LFM_TRY(read_database(&r, LFM_TAU2_AGENT));
    LFM_TRY(read_database(&r, LFM_TAU2_USER));
    return read_tasks(&r);
}

/* Whether the path's last component is `name`. */
static bool is_named(const char *path, const char *name)
{
    size_t length = strlen(path), n = strlen(name);
    while (length > 1 && path[length - 1] == '/') length--;
    return length >= n && strncmp(path + length - n, name, n) == 0 && (length == n || path[length - n - 1] == '/');
}

static bool has_tasks(const char *directory)
{
    struct lfm_error ignored;
    char *path;
    if (lfm_join_path(&path, directory, "tasks.json", &ignored) != LFM_OK) return false;
    bool found = lfm_file_exists(path);
    free(path);
    return found;
}

static enum lfm_status read_domain(struct lfm_tau2_data *data, const struct lfm_tau2_domain *domain,
                                   const char *directory, struct lfm_error *error)
{
    char *path;
    if (is_named(directory, domain->name) && has_tasks(directory)) return read_world(data, domain, directory, error);
    LFM_TRY(lfm_join_path(&path, directory, domain->name, error));
    enum lfm_status status = has_tasks(path) ? read_world(data, domain, path, error) : LFM_OK;
    free(path);
    return status;
}

static enum lfm_status read_all(struct lfm_tau2_data *data, const char *directory, struct lfm_error *error)
{
    size_t n = 0;
    while (lfm_tau2_domains[n]) n++;
    LFM_TRY(LFM_ALLOC(&data->worlds, n, error));
    for (size_t i = 0; i < n; i++) LFM_TRY(read_domain(data, lfm_tau2_domains[i], directory, error));
    if (data->n_worlds > 0) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_FORMAT,
                    "%s: no domain of tau2 here: expected a directory such as '%s' with policy.md, db.json and "
                    "tasks.json",
                    directory, lfm_tau2_domains[0]->name);
}

enum lfm_status lfm_tau2_open(struct lfm_tau2_data *data, const char *directory, struct lfm_error *error)
{
    *data = (struct lfm_tau2_data){0};
    enum lfm_status status = read_all(data, directory, error);
    if (status != LFM_OK) lfm_tau2_close(data);
    return status;
}

void lfm_tau2_close(struct lfm_tau2_data *data)
{
    for (size_t i = 0; i < data->n_tasks; i++)
        for (size_t t = 0; t < data->tasks[i].n_turns; t++) lfm_pattern_free(data->tasks[i].turns[t].if_agent);
    for (size_t i = 0; i < data->n_worlds; i++) {
        free(data->worlds[i].system);
        cJSON_Delete(data->worlds[i].tools);
    }
    free(data->worlds);
    free(data->tasks);
    lfm_arena_release(&data->arena);
    *data = (struct lfm_tau2_data){0};
}

const struct lfm_tau2_task *lfm_tau2_find(const struct lfm_tau2_data *data, const char *id)
{
    for (size_t i = 0; i < data->n_tasks; i++)
        if (data->tasks[i].id && strcmp(data->tasks[i].id, id) == 0) return &data->tasks[i];
    return NULL;
}
