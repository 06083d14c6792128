/* tau2-bench's domain "mock": tasks of users, and the user's notifications. Small, and there to prove the engine.
 *
 * Tools, messages and data as in github.com/sierra-research/tau2-bench 1.0.1 (MIT licence, (c) 2025 Sierra). */
#include "eval/tau2/domain.h"

#include <stdio.h>

typedef const struct lfm_py_value *value;

static const char schemas[] =
    "[{\"type\": \"function\", \"function\": {\"name\": \"create_task\", "
    "\"description\": \"Create a new task for a user.\", "
    "\"parameters\": {\"properties\": {\"user_id\": {\"description\": \"The ID of the user creating the task\", "
    "\"title\": \"User Id\", \"type\": \"string\"}, \"title\": {\"description\": \"The title of the task\", "
    "\"title\": \"Title\", \"type\": \"string\"}, \"description\": {\"default\": null, "
    "\"description\": \"Optional description of the task\", \"title\": \"Description\", \"type\": \"string\"}}, "
    "\"required\": [\"user_id\", \"title\"], \"title\": \"parameters\", \"type\": \"object\"}}}, "
    "{\"type\": \"function\", \"function\": {\"name\": \"get_users\", "
    "\"description\": \"Get all users in the database.\", \"parameters\": {\"properties\": {}, "
    "\"title\": \"parameters\", \"type\": \"object\"}}}, {\"type\": \"function\", "
    "\"function\": {\"name\": \"update_task_status\", \"description\": \"Update the status of a task.\", "
    "\"parameters\": {\"properties\": {\"task_id\": {\"description\": \"The ID of the task to update\", "
    "\"title\": \"Task Id\", \"type\": \"string\"}, "
    "\"status\": {\"description\": \"The new status of the task\", \"enum\": [\"pending\", \"completed\"], "
    "\"title\": \"Status\", \"type\": \"string\"}}, \"required\": [\"task_id\", \"status\"], "
    "\"title\": \"parameters\", \"type\": \"object\"}}}, {\"type\": \"function\", "
    "\"function\": {\"name\": \"transfer_to_human_agents\", "
    "\"description\": \"Transfer the user to a human agent, "
    "with a summary of the user's issue.\\n\\nOnly transfer if\\n -  the user explicitly asks for a human agent\\n"
    " -  given the policy and the available tools, "
    "you cannot solve the user's issue.\", "
    "\"parameters\": {\"properties\": {\"summary\": {\"description\": \"A summary of the user's issue.\", "
    "\"title\": \"Summary\", \"type\": \"string\"}}, \"required\": [\"summary\"], \"title\": \"parameters\", "
    "\"type\": \"object\"}}}]";

static const char task_fields[] = "task_id title description? status", user_fields[] = "user_id name tasks";
static const char notification_fields[] = "notification_id message status task_id?";

/* --- the agent's --- */

/* The row of this key, or an exception that says `missing`. */
static enum lfm_status look_up(struct lfm_tau2_call *call, value *row, const char *table, value key,
                               const char *missing, struct lfm_error *error)
{
    LFM_TRY(lfm_tau2_look_up(call, row, lfm_py_get_named(call->db, table), key, error));
    return *row || call->raised ? LFM_OK : lfm_tau2_raise(call, missing, key, error);
}

static enum lfm_status append_task_id(struct lfm_tau2_call *call, value user_id, const char *task_id,
                                      struct lfm_error *error)
{
    struct lfm_py_value *users, *user, *tasks, *item;
    LFM_TRY(lfm_db_own(call->arena, &users, call->db, lfm_span_of("users"), error));
    LFM_TRY(lfm_db_own(call->arena, &user, users, user_id->text, error));
    LFM_TRY(lfm_db_own(call->arena, &tasks, user, lfm_span_of("tasks"), error));
    LFM_TRY(lfm_py_new_str(call->arena, &item, lfm_span_of(task_id), error));
    return lfm_py_append(call->arena, tasks, item, error);
}

static enum lfm_status create_task(struct lfm_tau2_call *call, struct lfm_error *error)
{
    struct lfm_py_value *tasks, *given, *task;
    value user_id = call->arguments[0], user;
    char task_id[32];
    LFM_TRY(look_up(call, &user, "users", user_id, "User {} not found", error));
    if (call->raised) return LFM_OK;
    LFM_TRY(lfm_db_own(call->arena, &tasks, call->db, lfm_span_of("tasks"), error));
    snprintf(task_id, sizeof task_id, "task_%zu", tasks->count / 2 + 1);
    LFM_TRY(lfm_py_new(call->arena, &given, LFM_PY_DICT, error));
    LFM_TRY(lfm_db_put_text(call->arena, given, "task_id", task_id, error));
    LFM_TRY(lfm_db_put(call->arena, given, lfm_span_of("title"), call->arguments[1], error));
    if (call->arguments[2])
        LFM_TRY(lfm_db_put(call->arena, given, lfm_span_of("description"), call->arguments[2], error));
    LFM_TRY(lfm_db_put_text(call->arena, given, "status", "pending", error));
    LFM_TRY(lfm_db_model(call->arena, &task, given, task_fields, "task", error));
    LFM_TRY(lfm_db_put(call->arena, tasks, lfm_span_of(task_id), task, error));
    call->result = task;
    return append_task_id(call, user_id, task_id, error);
}

static enum lfm_status get_users(struct lfm_tau2_call *call, struct lfm_error *error)
{
    struct lfm_py_value *list;
    value users = lfm_py_get_named(call->db, "users");
    LFM_TRY(lfm_py_new(call->arena, &list, LFM_PY_LIST, error));
    for (size_t i = 1; i < users->count; i += 2) LFM_TRY(lfm_py_append(call->arena, list, users->items[i], error));
    call->result = list;
    return LFM_OK;
}

static enum lfm_status update_task_status(struct lfm_tau2_call *call, struct lfm_error *error)
{
    struct lfm_py_value *tasks, *own;
    value task;
    LFM_TRY(look_up(call, &task, "tasks", call->arguments[0], "Task {} not found", error));
    if (call->raised) return LFM_OK;
    LFM_TRY(lfm_db_own(call->arena, &tasks, call->db, lfm_span_of("tasks"), error));
    LFM_TRY(lfm_db_own(call->arena, &own, tasks, call->arguments[0]->text, error));
    call->result = own;
    return lfm_db_put(call->arena, own, lfm_span_of("status"), call->arguments[1], error);
}

static enum lfm_status transfer(struct lfm_tau2_call *call, struct lfm_error *error)
{
    return lfm_tau2_return_text(call, "Transfer successful", error);
}

static enum lfm_status assert_number_of_tasks(struct lfm_tau2_call *call, struct lfm_error *error)
{
    value user;
    LFM_TRY(look_up(call, &user, "users", call->arguments[0], "User {} not found", error));
    if (call->raised) return LFM_OK;
    const struct lfm_py_value count = {.type = LFM_PY_INT,
                                       .integer = (int64_t)lfm_py_get_named(user, "tasks")->count};
    return lfm_tau2_return_bool(call, lfm_py_equal(&count, call->arguments[1]), error);
}

static enum lfm_status assert_status(struct lfm_tau2_call *call, const char *table, const char *missing,
                                     struct lfm_error *error)
{
    value row;
    LFM_TRY(look_up(call, &row, table, call->arguments[0], missing, error));
    if (call->raised) return LFM_OK;
    return lfm_tau2_return_bool(call, lfm_py_equal(lfm_py_get_named(row, "status"), call->arguments[1]), error);
}

static enum lfm_status assert_task_status(struct lfm_tau2_call *call, struct lfm_error *error)
{
    return assert_status(call, "tasks", "Task {} not found", error);
}

static const struct lfm_tau2_function agent_functions[] = {
    {"create_task", LFM_TAU2_WRITES, "user_id title description?", create_task},
    {"get_users", LFM_TAU2_READS, "", get_users},
    {"update_task_status", LFM_TAU2_WRITES, "task_id status", update_task_status},
    {"transfer_to_human_agents", LFM_TAU2_READS, "summary", transfer},
    {"assert_number_of_tasks", LFM_TAU2_HELPER, "user_id expected_number", assert_number_of_tasks},
    {"assert_task_status", LFM_TAU2_HELPER, "task_id expected_status", assert_task_status},
    {0},
};

/* --- the user's --- */

static const char no_notification[] = "Notification {} not found";

static enum lfm_status check_notifications(struct lfm_tau2_call *call, struct lfm_error *error)
{
    struct lfm_py_value *list;
    value notifications = lfm_py_get_named(call->db, "notifications");
    LFM_TRY(lfm_py_new(call->arena, &list, LFM_PY_LIST, error));
    for (size_t i = 1; i < notifications->count; i += 2)
        LFM_TRY(lfm_py_append(call->arena, list, notifications->items[i], error));
    call->result = list;
    return LFM_OK;
}

static enum lfm_status dismiss_notification(struct lfm_tau2_call *call, struct lfm_error *error)
{
    struct lfm_py_value *notifications, *own;
    value notification, id = call->arguments[0];
    char text[256];
    LFM_TRY(look_up(call, &notification, "notifications", id, no_notification, error));
    if (call->raised) return LFM_OK;
    LFM_TRY(lfm_db_own(call->arena, &notifications, call->db, lfm_span_of("notifications"), error));
    LFM_TRY(lfm_db_own(call->arena, &own, notifications, id->text, error));
    LFM_TRY(lfm_db_put_text(call->arena, own, "status", "read", error));
    snprintf(text, sizeof text, "Notification %.*s dismissed", (int)id->text.length, id->text.at);
    return lfm_tau2_return_text(call, text, error);
}

static enum lfm_status add_notification(struct lfm_tau2_call *call, struct lfm_error *error)
{
    struct lfm_py_value *notifications, *given, *notification;
    LFM_TRY(lfm_db_own(call->arena, &notifications, call->db, lfm_span_of("notifications"), error));
    LFM_TRY(lfm_py_new(call->arena, &given, LFM_PY_DICT, error));
    LFM_TRY(lfm_db_put(call->arena, given, lfm_span_of("notification_id"), call->arguments[0], error));
    LFM_TRY(lfm_db_put(call->arena, given, lfm_span_of("message"), call->arguments[1], error));
    LFM_TRY(lfm_db_put_text(call->arena, given, "status", "unread", error));
    if (call->arguments[2]) LFM_TRY(lfm_db_put(call->arena, given, lfm_span_of("task_id"), call->arguments[2], error));
    LFM_TRY(lfm_db_model(call->arena, &notification, given, notification_fields, "notification", error));
    call->result = notification;
    return lfm_py_set(call->arena, notifications, call->arguments[0], notification, error);
}

static enum lfm_status assert_notification_status(struct lfm_tau2_call *call, struct lfm_error *error)
{
    return assert_status(call, "notifications", no_notification, error);
}

static const struct lfm_tau2_function user_functions[] = {
    {"check_notifications", LFM_TAU2_READS, "", check_notifications},
    {"dismiss_notification", LFM_TAU2_WRITES, "notification_id", dismiss_notification},
    {"add_notification", LFM_TAU2_HELPER, "notification_id message task_id?", add_notification},
    {"assert_notification_status", LFM_TAU2_HELPER, "notification_id expected_status", assert_notification_status},
    {0},
};

/* --- the databases --- */

static enum lfm_status complete_table(struct lfm_arena *arena, struct lfm_py_value *db, const char *name,
                                      const char *fields, struct lfm_error *error)
{
    struct lfm_py_value *table, *row;
    value found = lfm_db_member(db, name);
    if (!found || found->type != LFM_PY_DICT)
        return lfm_fail(error, LFM_ERROR_FORMAT, "the database needs an object '%s'", name);
    LFM_TRY(lfm_db_own(arena, &table, db, lfm_span_of(name), error));
    for (size_t i = 1; i < table->count; i += 2) {
        LFM_TRY(lfm_db_model(arena, &row, table->items[i], fields, name, error));
        table->items[i] = row;
    }
    return LFM_OK;
}

static enum lfm_status check_users(value users, struct lfm_error *error)
{
    for (size_t i = 1; i < users->count; i += 2)
        if (lfm_py_get_named(users->items[i], "tasks")->type != LFM_PY_LIST)
            return lfm_fail(error, LFM_ERROR_FORMAT, "a user's 'tasks' must be a list");
    return LFM_OK;
}

static enum lfm_status complete(struct lfm_arena *arena, enum lfm_tau2_side side, struct lfm_py_value *db,
                                struct lfm_error *error)
{
    if (side == LFM_TAU2_USER) return complete_table(arena, db, "notifications", notification_fields, error);
    LFM_TRY(complete_table(arena, db, "tasks", task_fields, error));
    LFM_TRY(complete_table(arena, db, "users", user_fields, error));
    return check_users(lfm_py_get_named(db, "users"), error);
}

const struct lfm_tau2_domain lfm_tau2_mock = {
    .name = "mock",
    .instruction = lfm_tau2_instruction,
    .sides = {[LFM_TAU2_AGENT] = {"MockTools", "db.json", agent_functions, schemas},
              [LFM_TAU2_USER] = {"MockUserTools", "user_db.json", user_functions, NULL}},
    .max_steps = 200,
    .max_errors = 10,
    .complete = complete,
};
