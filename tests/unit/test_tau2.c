/* tau2: databases, environments, verdicts, conversations, on the service desk's own tasks and on files made here. */
#include "eval/tau2/dialogue.h"
#include "eval/tau2/environment.h"
#include "eval/tau2/evaluate.h"
#include "eval/tau2/suite.h"
#include "eval/bfcl/python_calls.h"
#include "reference/base/file.h"
#include "tests/unit/assert.h"
#include "tests/unit/directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TASKS "datasets/tasks/tau2"

typedef const struct lfm_py_value *value;

static struct lfm_error error;

/* --- databases --- */

static value json(struct lfm_arena *arena, const char *text)
{
    struct lfm_py_value *out;
    assert_ok(lfm_py_json_value(arena, &out, lfm_span_of(text), "test", &error));
    return out;
}

static void check_dump(const char *text, bool sorted, const char *expected)
{
    struct lfm_arena arena = {0};
    struct lfm_buffer dump = {0};
    assert_ok(lfm_db_dump(&dump, json(&arena, text), sorted, &error));
    cr_assert_str_eq(dump.data, expected);
    lfm_buffer_release(&dump);
    lfm_arena_release(&arena);
}

Test(tau2_database, is_dumped_as_python_does)
{
    check_dump("{\"b\":[1,1.0,-0.0,1e16,0.00001,1e22],\"a\":{}}", false,
               "{\"b\": [1, 1.0, -0.0, 1e+16, 1e-05, 1e+22], \"a\": {}}");
    check_dump("[null,true,false,NaN,Infinity,-Infinity,123456789012345678901234567890]", false,
               "[null, true, false, NaN, Infinity, -Infinity, 123456789012345678901234567890]");
    check_dump("\"\\u00e9\\ud83d\\ude00\\ud800\\u007f\\u0000\\n\\t\\\\\\\"/\"", false,
               "\"\\u00e9\\ud83d\\ude00\\ud800\\u007f\\u0000\\n\\t\\\\\\\"/\"");
}

Test(tau2_database, keys_are_sorted_by_code_point_at_every_level)
{
    check_dump("{\"b\":{\"z\":1,\"Z\":2},\"\\u00e9\":0,\"a\":3,\"aa\":4,\"\":5}", true,
               "{\"\": 5, \"a\": 3, \"aa\": 4, \"b\": {\"Z\": 2, \"z\": 1}, \"\\u00e9\": 0}");
}

Test(tau2_database, hash_tells_integers_from_floats)
{
    struct lfm_arena arena = {0};
    char a[LFM_SHA256_TEXT], b[LFM_SHA256_TEXT];
    assert_ok(lfm_db_hash(a, json(&arena, "{\"a\": 1}"), &error));
    assert_ok(lfm_db_hash(b, json(&arena, "{\"a\": 1.0}"), &error));
    cr_assert_str_eq(a, "f9d86028c6e0d64e225186f96acb69338b2c59764df79162107f5c4bb34d1310");
    cr_assert_str_neq(a, b);
    lfm_arena_release(&arena);
}

Test(tau2_database, a_change_leaves_what_it_came_from_as_it_was)
{
    struct lfm_arena arena = {0};
    struct lfm_py_value *mine, *orders, *order;
    value original = json(&arena, "{\"orders\": [{\"id\": \"a\"}, {\"id\": \"b\"}]}");
    assert_ok(lfm_db_copy(&arena, &mine, original, &error));
    assert_ok(lfm_db_own(&arena, &orders, mine, lfm_span_of("orders"), &error));
    assert_ok(lfm_db_own_at(&arena, &order, orders, 1, &error));
    assert_ok(lfm_db_put_text(&arena, order, "id", "c", &error));
    cr_assert(lfm_py_equal(original, json(&arena, "{\"orders\": [{\"id\": \"a\"}, {\"id\": \"b\"}]}")));
    cr_assert(lfm_py_equal(mine, json(&arena, "{\"orders\": [{\"id\": \"a\"}, {\"id\": \"c\"}]}")));
    assert_fails(lfm_db_own(&arena, &order, mine, lfm_span_of("users"), &error), LFM_ERROR_FORMAT, "'users'");
    lfm_arena_release(&arena);
}

Test(tau2_database, data_are_merged_key_by_key)
{
    struct lfm_arena arena = {0};
    value merged;
    assert_ok(lfm_db_merge(&arena, &merged, json(&arena, "{\"a\": {\"x\": [1, 2], \"y\": 1}, \"b\": 1}"),
                           json(&arena, "{\"a\": {\"x\": [3]}, \"c\": {\"z\": 1}}"), &error));
    cr_assert(lfm_py_equal(merged, json(&arena, "{\"a\": {\"x\": [3], \"y\": 1}, \"b\": 1, \"c\": {\"z\": 1}}")));
    lfm_arena_release(&arena);
}

Test(tau2_database, models_put_fields_in_order_and_fill_in_none)
{
    struct lfm_arena arena = {0};
    struct lfm_py_value *record;
    struct lfm_buffer dump = {0};
    assert_ok(lfm_db_model(&arena, &record, json(&arena, "{\"c\": 1, \"a\": 2, \"d\": 3}"), "a b? c", "row", &error));
    assert_ok(lfm_db_dump(&dump, record, false, &error));
    cr_assert_str_eq(dump.data, "{\"a\": 2, \"b\": null, \"c\": 1}");
    assert_fails(lfm_db_model(&arena, &record, json(&arena, "{\"a\": 2}"), "a c", "row", &error), LFM_ERROR_FORMAT,
                 "row has no 'c'");
    assert_fails(lfm_db_model(&arena, &record, json(&arena, "[]"), "a", "row", &error), LFM_ERROR_FORMAT,
                 "row must be an object");
    lfm_buffer_release(&dump);
    lfm_arena_release(&arena);
}

/* --- environments --- */

struct desk {
    struct lfm_tau2_data data;
    struct lfm_tau2_environment environment;
};

static void open_desk(struct desk *desk)
{
    assert_ok(lfm_tau2_open(&desk->data, TASKS, &error));
    assert_ok(lfm_tau2_environment_open(&desk->environment, &desk->data.tasks[0], &error));
}

static void close_desk(struct desk *desk)
{
    lfm_tau2_environment_close(&desk->environment);
    lfm_tau2_close(&desk->data);
}

static void check_call(struct desk *desk, enum lfm_tau2_side requestor, const char *name, const char *arguments,
                       const char *content, bool is_error)
{
    struct lfm_tau2_step step = {
        .requestor = requestor, .name = lfm_span_of(name), .arguments = json(&desk->environment.arena, arguments)};
    assert_ok(lfm_tau2_call(&desk->environment, &step, &error));
    cr_assert_str_eq(step.content.at, content);
    cr_assert_eq(step.is_error, is_error);
}

/* "orders" of the environment's database: field of the order with this id. */
static value order_field(const struct desk *desk, const char *order_id, const char *field)
{
    value orders = lfm_py_get_named(desk->environment.databases[LFM_TAU2_AGENT], "orders");
    for (size_t i = 0; i < orders->count; i++)
        if (lfm_py_is_str(lfm_py_get_named(orders->items[i], "order_id"), order_id))
            return lfm_py_get_named(orders->items[i], field);
    cr_assert_fail("no order %s", order_id);
    return NULL;
}

Test(tau2_environment, wrong_calls_say_what_python_says)
{
    struct desk desk;
    open_desk(&desk);
    check_call(&desk, LFM_TAU2_AGENT, "lookup", "{}", "Error: Tool 'lookup' not found.", true);
    check_call(&desk, LFM_TAU2_USER, "get_order", "{\"order_id\": \"W955\"}", "Error: User tools not available", true);
    check_call(&desk, LFM_TAU2_AGENT, "change_address", "{}",
               "Error: ServiceDeskTools.change_address() missing 2 required positional arguments: 'order_id' and "
               "'town'",
               true);
    check_call(&desk, LFM_TAU2_AGENT, "change_address", "{\"town\": \"X\"}",
               "Error: ServiceDeskTools.change_address() missing 1 required positional argument: 'order_id'", true);
    check_call(&desk, LFM_TAU2_AGENT, "get_order", "{\"order_id\": \"W955\", \"note\": \"x\"}",
               "Error: ServiceDeskTools.get_order() got an unexpected keyword argument 'note'", true);
    check_call(&desk, LFM_TAU2_AGENT, "get_order", "{\"order_id\": 5}", "Error: no such order", true);
    check_call(&desk, LFM_TAU2_AGENT, "find_customer", "{\"email\": \"nobody\"}", "Error: no such customer", true);
    close_desk(&desk);
}

Test(tau2_environment, tools_read_and_write_the_database)
{
    struct desk desk;
    char before[LFM_SHA256_TEXT], after[LFM_SHA256_TEXT];
    open_desk(&desk);
    assert_ok(lfm_tau2_hash(before, &desk.environment, LFM_TAU2_AGENT, &error));
    cr_assert(lfm_py_is_str(order_field(&desk, "W955", "status"), "pending"));
    check_call(&desk, LFM_TAU2_AGENT, "get_order", "{\"order_id\": \"W955\"}",
               "{\"order_id\": \"W955\", \"item\": \"violet lamp\", \"status\": \"pending\", \"days\": 34, "
               "\"town\": \"Gailtholm\"}",
               false);
    assert_ok(lfm_tau2_hash(after, &desk.environment, LFM_TAU2_AGENT, &error));
    cr_assert_str_eq(before, after);
    check_call(&desk, LFM_TAU2_AGENT, "cancel_order", "{\"order_id\": \"W955\"}", "ok", false);
    cr_assert(lfm_py_is_str(order_field(&desk, "W955", "status"), "cancelled"));
    check_call(&desk, LFM_TAU2_AGENT, "change_address", "{\"order_id\": \"W955\", \"town\": \"Elsewhere\"}", "ok",
               false);
    cr_assert(lfm_py_is_str(order_field(&desk, "W955", "town"), "Elsewhere"));
    check_call(&desk, LFM_TAU2_AGENT, "refund_order", "{\"order_id\": \"W955\"}", "ok", false);
    cr_assert(lfm_py_is_str(order_field(&desk, "W955", "status"), "refunded"));
    check_call(&desk, LFM_TAU2_AGENT, "escalate", "{\"order_id\": \"W955\"}", "ok", false);
    cr_assert(lfm_py_is_str(order_field(&desk, "W955", "status"), "escalated"));
    assert_ok(lfm_tau2_hash(after, &desk.environment, LFM_TAU2_AGENT, &error));
    cr_assert_str_neq(before, after);
    close_desk(&desk);
}

Test(tau2_environment, conversations_do_not_see_each_others_changes)
{
    struct desk desk;
    struct lfm_tau2_environment other;
    char ours[LFM_SHA256_TEXT], theirs[LFM_SHA256_TEXT];
    open_desk(&desk);
    check_call(&desk, LFM_TAU2_AGENT, "cancel_order", "{\"order_id\": \"W955\"}", "ok", false);
    assert_ok(lfm_tau2_environment_open(&other, &desk.data.tasks[0], &error));
    assert_ok(lfm_tau2_hash(ours, &desk.environment, LFM_TAU2_AGENT, &error));
    assert_ok(lfm_tau2_hash(theirs, &other, LFM_TAU2_AGENT, &error));
    cr_assert_str_neq(ours, theirs);
    lfm_tau2_environment_close(&other);
    close_desk(&desk);
}

/* The functions' declarations and the schemas that the model is shown say the same. */
Test(tau2_environment, schemas_name_the_parameters_of_the_tools)
{
    for (size_t d = 0; lfm_tau2_domains[d]; d++) {
        const struct lfm_tau2_toolkit *kit = &lfm_tau2_domains[d]->sides[LFM_TAU2_AGENT];
        const struct lfm_tau2_function *function = kit->functions;
        cJSON *schemas = cJSON_Parse(kit->schemas);
        cr_assert_not_null(schemas);
        for (const cJSON *schema = schemas->child; schema; schema = schema->next, function++) {
            const cJSON *inner = cJSON_GetObjectItemCaseSensitive(schema, "function");
            if (!inner) inner = schema;
            const cJSON *parameters = cJSON_GetObjectItemCaseSensitive(inner, "parameters");
            const cJSON *required = cJSON_GetObjectItemCaseSensitive(parameters, "required");
            const cJSON *property = cJSON_GetObjectItemCaseSensitive(parameters, "properties")->child;
            struct lfm_span rest = lfm_span_of(function->parameters), word;
            cr_assert_str_eq(cJSON_GetObjectItemCaseSensitive(inner, "name")->valuestring, function->name);
            for (; lfm_py_next_word(&rest, &word); property = property->next) {
                bool optional = word.at[word.length - 1] == '?', listed = false;
                cr_assert_not_null(property, "%s lacks a parameter", function->name);
                cr_assert_eq(strlen(property->string), word.length - optional);
                cr_assert_eq(strncmp(property->string, word.at, word.length - optional), 0);
                for (const cJSON *name = required ? required->child : NULL; name; name = name->next)
                    listed = listed || strcmp(name->valuestring, property->string) == 0;
                cr_assert_neq(listed, optional, "%s of %s", property->string, function->name);
            }
            cr_assert_null(property, "%s has more parameters", function->name);
        }
        cr_assert(!function->name || function->kind == LFM_TAU2_HELPER, "%s has no schema", function->name);
        cJSON_Delete(schemas);
    }
}

/* --- conversations --- */

struct talk {
    struct lfm_tau2_dialogue *dialogue;
    struct lfm_request request;
    bool done;
    cJSON *verdict;
};

static void begin(struct talk *talk, const struct lfm_tau2_task *task)
{
    *talk = (struct talk){0};
    assert_ok(lfm_tau2_dialogue_new(&talk->dialogue, task, &error));
    assert_ok(lfm_tau2_dialogue_next(talk->dialogue, NULL, &talk->request, &talk->done, &error));
    cr_assert(!talk->done);
}

static void answer(struct talk *talk, const char *text, enum lfm_finish finish)
{
    const struct lfm_reply reply = {text, finish};
    cr_assert(!talk->done, "the conversation is over before '%s'", text);
    assert_ok(lfm_tau2_dialogue_next(talk->dialogue, &reply, &talk->request, &talk->done, &error));
}

static const char *last_content(const struct talk *talk, const char *role)
{
    const cJSON *last = cJSON_GetArrayItem(talk->request.messages, cJSON_GetArraySize(talk->request.messages) - 1);
    cr_assert_str_eq(cJSON_GetObjectItemCaseSensitive(last, "role")->valuestring, role);
    return cJSON_GetObjectItemCaseSensitive(last, "content")->valuestring;
}

static const cJSON *verdict_of(struct talk *talk, const char *key)
{
    cr_assert(talk->done);
    if (!talk->verdict) {
        talk->verdict = cJSON_CreateObject();
        assert_ok(lfm_tau2_dialogue_verdict(talk->dialogue, talk->verdict, &error));
    }
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(talk->verdict, key);
    cr_assert_not_null(item, "the verdict has no '%s'", key);
    return item;
}

static void check_end(struct talk *talk, const char *termination, double reward)
{
    cr_assert_str_eq(verdict_of(talk, "termination")->valuestring, termination);
    cr_assert_eq(verdict_of(talk, "reward")->valuedouble, reward);
    cr_assert_eq(cJSON_IsTrue(verdict_of(talk, "correct")), reward == 1);
}

static void end(struct talk *talk)
{
    cJSON_Delete(talk->verdict);
    lfm_tau2_dialogue_free(talk->dialogue);
}

static void make_call(struct talk *talk, value action)
{
    struct lfm_buffer text = {0};
    value arguments = lfm_py_get_named(action, "arguments");
    assert_ok(lfm_buffer_printf(&text, &error, "<|tool_call_start|>[%s(", lfm_py_get_named(action, "name")->text.at));
    for (size_t i = 0; i < arguments->count; i += 2)
        assert_ok(lfm_buffer_printf(&text, &error, "%s%s=\"%s\"", i ? ", " : "", arguments->items[i]->text.at,
                                    arguments->items[i + 1]->text.at));
    assert_ok(lfm_buffer_puts(&text, ")]<|tool_call_end|>", &error));
    answer(talk, text.data, LFM_FINISH_STOP);
    lfm_buffer_release(&text);
}

/* An agent that knows the gold actions and asks where the user waits to be asked. */
static void solve(struct talk *talk, const struct lfm_tau2_task *task)
{
    size_t next = 0, n = task->actions->count;
    bool wants_email =
        task->n_turns > 1 && task->turns[1].if_agent && lfm_span_contains(task->turns[1].say, lfm_span_of("@"));
    bool consents = strstr(task->id, "-done") || strstr(task->id, "-declined");
    if (wants_email) answer(talk, "Sure. What is your e-mail address?", LFM_FINISH_STOP);
    for (; next < n && next < 2 && !strstr(task->id, "foreign-human"); next++)
        make_call(talk, task->actions->items[next]);
    for (; next < 1; next++) make_call(talk, task->actions->items[next]);
    if (consents) answer(talk, "I can do that. Do you confirm?", LFM_FINISH_STOP);
    if (!consents) answer(talk, "It is pending, shipped or delivered.", LFM_FINISH_STOP);
    for (; next < n; next++) make_call(talk, task->actions->items[next]);
    if (!talk->done) answer(talk, "All done.", LFM_FINISH_STOP);
    if (!talk->done) answer(talk, "You are welcome.", LFM_FINISH_STOP);
}

Test(tau2_dialogue, every_task_of_the_service_desk_can_be_solved)
{
    struct lfm_tau2_data data;
    assert_ok(lfm_tau2_open(&data, TASKS, &error));
    cr_assert_geq(data.n_tasks, 40);
    for (size_t i = 0; i < data.n_tasks; i++) {
        struct talk talk;
        begin(&talk, &data.tasks[i]);
        solve(&talk, &data.tasks[i]);
        cr_assert(talk.done, "%s does not end", data.tasks[i].id);
        cr_assert(cJSON_IsTrue(verdict_of(&talk, "correct")), "%s: %s", data.tasks[i].id,
                  cJSON_PrintUnformatted(talk.verdict));
        end(&talk);
    }
    lfm_tau2_close(&data);
}

static const struct lfm_tau2_task *desk_task(const struct desk *desk, const char *id)
{
    const struct lfm_tau2_task *task = lfm_tau2_find(&desk->data, id);
    cr_assert_not_null(task, "no task '%s'", id);
    return task;
}

#define CALL(text) "<|tool_call_start|>[" text "]<|tool_call_end|>"

Test(tau2_dialogue, agent_sees_policy_tools_greeting_and_the_users_first_words)
{
    struct desk desk;
    struct talk talk;
    open_desk(&desk);
    begin(&talk, &desk.data.tasks[0]);
    const cJSON *messages = talk.request.messages;
    cr_assert_eq(cJSON_GetArraySize(messages), 3);
    const char *system = cJSON_GetObjectItemCaseSensitive(messages->child, "content")->valuestring;
    cr_assert(strncmp(system, "You are the service desk of a shop. Follow this policy.\n1. ", 58) == 0);
    cr_assert_str_eq(system + strlen(system) - 9, "escalate.");
    cr_assert_str_eq(cJSON_GetObjectItemCaseSensitive(messages->child->next, "content")->valuestring, "Hi! How can I "
                                                                                                      "help you "
                                                                                                      "today?");
    cr_assert_str_eq(last_content(&talk, "user"), "I no longer need order W955, cancel it please.");
    cr_assert_eq(cJSON_GetArraySize(talk.request.tools), 6);
    end(&talk);
    close_desk(&desk);
}

Test(tau2_dialogue, calls_of_one_message_run_in_order_and_words_beside_them_are_kept)
{
    struct desk desk;
    struct talk talk;
    open_desk(&desk);
    begin(&talk, desk_task(&desk, "service_desk/00-cancel-done"));
    answer(&talk, "One moment. " CALL("cancel_order(order_id='W955'), get_order(order_id=\"W955\")"), LFM_FINISH_STOP);
    cr_assert_not_null(strstr(last_content(&talk, "tool"), "\"status\": \"cancelled\""));
    cr_assert_eq(cJSON_GetArraySize(talk.request.messages), 6);
    answer(&talk, "Done.", LFM_FINISH_STOP);
    check_end(&talk, "user_stop", 0);
    cr_assert_eq(verdict_of(&talk, "steps")->valuedouble, 5); /* user, agent, environment, agent, user */
    cr_assert(cJSON_IsTrue(verdict_of(&talk, "db_match")));
    cr_assert(cJSON_IsFalse(verdict_of(&talk, "action_checks")->child), "the customer was never looked up");
    cr_assert_eq(cJSON_GetArraySize(verdict_of(&talk, "actions")), cJSON_GetArraySize(verdict_of(&talk, "action_checks")));
    cr_assert_str_eq(verdict_of(&talk, "actions")->child->next->valuestring, "get_order(order_id='W955')");
    end(&talk);
    close_desk(&desk);
}

Test(tau2_dialogue, user_says_a_turn_only_when_the_agents_words_fit)
{
    struct desk desk;
    struct talk talk;
    open_desk(&desk);
    begin(&talk, desk_task(&desk, "service_desk/00-cancel-done"));
    answer(&talk, "Do you CONFIRM?", LFM_FINISH_STOP);
    cr_assert_str_eq(last_content(&talk, "user"), "I confirm.");
    answer(&talk, "What is your E-Mail?", LFM_FINISH_STOP);
    cr_assert_str_eq(last_content(&talk, "user"), "It is mina.nasmark@mail.com.");
    answer(&talk, "Do you confirm?", LFM_FINISH_STOP);
    check_end(&talk, "user_stop", 0);
    end(&talk);
    close_desk(&desk);
}

Test(tau2_dialogue, words_are_checked_only_where_the_task_asks_for_them)
{
    struct desk desk;
    struct talk talk;
    open_desk(&desk);
    begin(&talk, desk_task(&desk, "service_desk/02-status-told"));
    answer(&talk, "What is your e-mail?", LFM_FINISH_STOP);
    answer(&talk, CALL("find_customer(email=\"emil.grexberg@mail.com\")"), LFM_FINISH_STOP);
    answer(&talk, CALL("get_order(order_id=\"W161\")"), LFM_FINISH_STOP);
    answer(&talk, "It is on its way.", LFM_FINISH_STOP);
    answer(&talk, "You are welcome.", LFM_FINISH_STOP);
    check_end(&talk, "user_stop", 0);
    cr_assert_eq(verdict_of(&talk, "communicate_reward")->valuedouble, 0);
    cr_assert_eq(verdict_of(&talk, "action_reward")->valuedouble, 1);
    end(&talk);
    close_desk(&desk);
}

static void check_single_answer(const char *text, enum lfm_finish finish, const char *termination)
{
    struct desk desk;
    struct talk talk;
    open_desk(&desk);
    begin(&talk, &desk.data.tasks[0]);
    answer(&talk, text, finish);
    check_end(&talk, termination, 0);
    end(&talk);
    close_desk(&desk);
}

Test(tau2_dialogue, what_is_no_message_ends_the_conversation)
{
    check_single_answer("", LFM_FINISH_STOP, "agent_error");
    check_single_answer(" \n", LFM_FINISH_STOP, "agent_error");
    check_single_answer("<|tool_call_start|>[get_order(", LFM_FINISH_LENGTH, "agent_error");
    check_single_answer("Sure. " CALL("get_order(order_id="), LFM_FINISH_STOP, "agent_error");
    check_single_answer(CALL("get_order(order_id=b'W955')"), LFM_FINISH_STOP, "agent_error");
    check_single_answer("", LFM_FINISH_ERROR, "infrastructure_error");
    check_single_answer("I am", LFM_FINISH_CONTEXT, "context_limit");
}

static size_t repeat(const char *text, const char *termination)
{
    struct desk desk;
    struct talk talk;
    open_desk(&desk);
    begin(&talk, &desk.data.tasks[0]);
    while (!talk.done) answer(&talk, text, LFM_FINISH_STOP);
    check_end(&talk, termination, 0);
    size_t steps = (size_t)verdict_of(&talk, "steps")->valuedouble;
    end(&talk);
    close_desk(&desk);
    return steps;
}

Test(tau2_dialogue, steps_and_errors_are_limited)
{
    cr_assert_eq(repeat(CALL("get_order(order_id=\"W955\")"), "max_steps"), 41);
    cr_assert_eq(repeat(CALL("lookup()"), "too_many_errors"), 21);
    cr_assert_eq(repeat(CALL("lookup(), lookup(), lookup(), lookup()"), "too_many_errors"), 7);
}

Test(tau2_dialogue, arguments_are_json_when_they_reach_the_tools)
{
    struct desk desk;
    struct talk talk;
    open_desk(&desk);
    begin(&talk, &desk.data.tasks[0]);
    answer(&talk, CALL("change_address(order_id=\"W955\", town=(1, 2.0, {'a': (None, True)}))"), LFM_FINISH_STOP);
    cr_assert_str_eq(last_content(&talk, "tool"), "ok");
    answer(&talk, CALL("get_order(order_id=\"W955\")"), LFM_FINISH_STOP);
    cr_assert_not_null(strstr(last_content(&talk, "tool"), "\"town\": [1, 2.0, {\"a\": [null, true]}]"));
    end(&talk);
    close_desk(&desk);
}

/* --- data of other kinds, written here --- */

static void make_files(const char *tasks)
{
    make_directory();
    write_text("mock/tasks.json", tasks);
    write_text("mock/policy.md", "Be kind.\n");
    write_text("mock/db.json",
               "{\"tasks\": {\"t1\": {\"task_id\": \"t1\", \"title\": \"One\", \"status\": \"pending\"}}, "
               "\"users\": {\"u1\": {\"user_id\": \"u1\", \"name\": \"U\", \"tasks\": [\"t1\"]}}}");
    write_text("mock/user_db.json", "{\"notifications\": {}}");
}

#define SCRIPT ", \"scripted_user\": {\"turns\": [{\"say\": \"Hello.\"}]}"

Test(tau2_task, message_history_actions_and_assertions_are_honoured)
{
    make_files("[{\"id\": \"a\", \"initial_state\": {"
                                    "\"initialization_data\": {\"agent_data\": {\"tasks\": {\"t1\": {\"title\": "
                                    "\"New\"}}}},"
                                    "\"initialization_actions\": [{\"env_type\": \"user\", \"func_name\": "
                                    "\"add_notification\", \"arguments\": "
                                    "{\"notification_id\": \"n1\", \"message\": \"M\"}}],"
                                    "\"message_history\": [{\"role\": \"user\", \"content\": \"Do it.\"}, {\"role\": "
                                    "\"assistant\", \"tool_calls\": "
                                    "[{\"id\": \"c\", \"name\": \"update_task_status\", \"arguments\": {\"task_id\": "
                                    "\"t1\", \"status\": \"completed\"}}]}, "
                                    "{\"role\": \"tool\", \"id\": \"c\", \"content\": "
                                    "\"{\\\"status\\\":\\\"completed\\\",\\\"task_id\\\":\\\"t1\\\","
                                    "\\\"title\\\":\\\"New\\\",\\\"description\\\":null}\"}, {\"role\": \"assistant\", "
                                    "\"content\": \"It is 1,000 done.\"}]},"
                                    "\"evaluation_criteria\": {\"env_assertions\": [{\"env_type\": \"assistant\", "
                                    "\"func_name\": \"assert_task_status\", "
                                    "\"arguments\": {\"task_id\": \"t1\", \"expected_status\": \"completed\"}}, "
                                    "{\"env_type\": \"user\", \"func_name\": "
                                    "\"assert_notification_status\", \"arguments\": {\"notification_id\": \"n1\", "
                                    "\"expected_status\": \"read\"}, "
                                    "\"assert_value\": false}], \"communicate_info\": [\"1000 DONE\"], \"actions\": "
                                    "[{\"name\": \"update_task_status\", "
                                    "\"arguments\": {\"task_id\": \"t1\", \"status\": \"x\"}, \"compare_args\": "
                                    "[\"task_id\"]}], "
                                    "\"reward_basis\": [\"ENV_ASSERTION\", \"COMMUNICATE\", \"ACTION\"]}" SCRIPT "}]");
    struct lfm_tau2_data data;
    struct talk talk;
    assert_ok(lfm_tau2_open(&data, in_directory(""), &error));
    begin(&talk, lfm_tau2_find(&data, "mock/a"));
    cr_assert_str_eq(last_content(&talk, "user"), "Hello.");
    cr_assert_str_eq(
        cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(talk.request.messages, 2), "content")->valuestring,
        CALL("update_task_status(task_id=\"t1\", status=\"completed\")"));
    answer(&talk, "Bye.", LFM_FINISH_STOP);
    check_end(&talk, "user_stop", 1);
    cr_assert(cJSON_IsFalse(verdict_of(&talk, "db_match")), "the gold action sets another status");
    end(&talk);
    lfm_tau2_close(&data);
    remove_directory();
}

Test(tau2_task, policy_stands_between_tags_where_the_domain_has_an_instruction)
{
    make_files("[{\"id\": \"a\"" SCRIPT "}]");
    struct lfm_tau2_data data;
    assert_ok(lfm_tau2_open(&data, in_directory(""), &error));
    cr_assert_not_null(strstr(data.worlds[0].system, "valid JSON only.\n</instructions>\n<policy>\nBe "
                                                     "kind.\n\n</policy>"));
    lfm_tau2_close(&data);
    remove_directory();
}

static void check_refused(const char *tasks, const char *part)
{
    make_files(tasks);
    void *suite;
    assert_fails(lfm_tau2_suite.open(&suite, in_directory(""), &error), LFM_ERROR_FORMAT, part);
    cr_assert_not_null(strstr(error.message, "mock/tasks.json"), "%s", error.message);
    remove_directory();
}

Test(tau2_task, malformed_tasks_are_refused_by_name)
{
    check_refused("[", "not valid JSON");
    check_refused("{}", "expected a list of tasks");
    check_refused("[{}]", "task 1");
    check_refused("[{\"id\": \"a\"}, {\"id\": \"a\"}]", "task 'a': an id that appears twice");
    check_refused("[{\"id\": \"a\", \"evaluation_criteria\": {\"actions\": [{\"name\": 1}]}}]", "element 1 of "
                                                                                                "'actions'");
    check_refused("[{\"id\": \"a\", \"evaluation_criteria\": {\"actions\": 1}}]", "'actions' must be a list");
    check_refused("[{\"id\": \"a\", \"evaluation_criteria\": {\"reward_basis\": [\"LUCK\"]}}]", "'LUCK'");
    check_refused("[{\"id\": \"a\", \"evaluation_criteria\": {\"communicate_info\": [1]}}]", "expected a string");
    check_refused("[{\"id\": \"a\", \"evaluation_criteria\": {\"env_assertions\": [{\"func_name\": \"f\", "
                  "\"arguments\": {}}]}}]",
                  "no function 'f'");
    check_refused("[{\"id\": \"a\", \"initial_state\": {\"message_history\": [{\"role\": \"assistant\", "
                  "\"tool_calls\": "
                  "[{\"name\": \"get_users\", \"arguments\": {}}]}]}}]",
                  "no tool message");
    check_refused("[{\"id\": \"a\", \"scripted_user\": {\"turns\": []}}]", "needs 'turns'");
    check_refused("[{\"id\": \"a\", \"scripted_user\": {\"turns\": [{\"say\": \"x\", \"if_agent\": \"y\"}]}}]", "needs "
                                                                                                                "'turns"
                                                                                                                "'");
    check_refused("[{\"id\": \"a\", \"scripted_user\": {\"turns\": [{\"say\": \"x\"}, {\"say\": \"x\", "
                  "\"if_agent\": \"(\"}]}}]",
                  "turn 2");
}

Test(tau2_task, malformed_databases_are_refused_by_name)
{
    make_files("[{\"id\": \"a\"" SCRIPT "}]");
    struct lfm_tau2_data data;
    write_text("mock/db.json", "{\"tasks\": {}}");
    assert_fails(lfm_tau2_open(&data, in_directory(""), &error), LFM_ERROR_FORMAT, "needs an object 'users'");
    write_text("mock/db.json", "{\"tasks\": {\"t\": {\"task_id\": \"t\"}}, \"users\": {}}");
    assert_fails(lfm_tau2_open(&data, in_directory(""), &error), LFM_ERROR_FORMAT, "tasks has no 'title'");
    write_text("mock/db.json", "[]");
    assert_fails(lfm_tau2_open(&data, in_directory(""), &error), LFM_ERROR_FORMAT,
                 "mock/db.json: a database must be an object");
    write_text("mock/db.json", "{\"tasks\": {}, \"users\": {\"u\": {\"user_id\": 1, \"name\": 1, \"tasks\": 1}}}");
    assert_fails(lfm_tau2_open(&data, in_directory(""), &error), LFM_ERROR_FORMAT, "'tasks' must be a list");
    remove_directory();
}

Test(tau2_task, initial_states_that_do_not_work_are_refused)
{
    make_files("[{\"id\": \"a\", \"initial_state\": {\"message_history\": [{\"role\": \"assistant\", "
                   "\"tool_calls\": [{\"name\": "
                   "\"update_task_status\", \"arguments\": {\"task_id\": \"t9\", \"status\": \"x\"}}]}, {\"role\": "
                   "\"tool\", "
                   "\"content\": \"ok\"}]}" SCRIPT "}, {\"id\": \"b\", \"initial_state\": {\"initialization_actions\": "
                                                   "[{\"func_name\": "
                   "\"create_task\", \"arguments\": {\"user_id\": [1], \"title\": \"T\"}}]}" SCRIPT "}]");
    struct lfm_tau2_data data;
    struct lfm_tau2_dialogue *dialogue;
    assert_ok(lfm_tau2_open(&data, in_directory(""), &error));
    assert_fails(lfm_tau2_dialogue_new(&dialogue, &data.tasks[0], &error), LFM_ERROR_FORMAT,
                 "task 'mock/a': the message history's call 1 returns something else now");
    assert_fails(lfm_tau2_dialogue_new(&dialogue, &data.tasks[1], &error), LFM_ERROR_FORMAT,
                 "task 'mock/b': initialization action 1 raises: unhashable type: 'list'");
    lfm_tau2_close(&data);
    remove_directory();
}

/* --- the suite --- */

Test(tau2_suite, directories_without_a_domain_or_without_scripts_are_refused)
{
    make_files("[{\"id\": \"a\"}]");
    void *suite;
    assert_fails(lfm_tau2_suite.open(&suite, in_directory(""), &error), LFM_ERROR_ARGUMENT,
                 "task 'mock/a' has no scripted user");
    assert_fails(lfm_tau2_suite.open(&suite, "datasets", &error), LFM_ERROR_FORMAT, "no domain of tau2 here");
    assert_fails(lfm_tau2_suite.open(&suite, "datasets/none", &error), LFM_ERROR_FORMAT, "no domain of tau2 here");
    remove_directory();
}

Test(tau2_suite, a_single_domain_can_be_named)
{
    void *suite;
    assert_ok(lfm_tau2_suite.open(&suite, TASKS "/service_desk/", &error));
    cr_assert_eq(lfm_tau2_suite.count(suite), 60);
    cr_assert_str_eq(lfm_tau2_suite.id(suite, 0), "service_desk/00-cancel-done");
    lfm_tau2_suite.close(suite);
}

static cJSON *sample(const char *id, const char *termination, double reward, double steps)
{
    cJSON *out = cJSON_CreateObject(), *verdict;
    cJSON_AddStringToObject(out, "id", id);
    verdict = cJSON_AddObjectToObject(out, "verdict");
    cJSON_AddBoolToObject(verdict, "correct", reward == 1);
    cJSON_AddBoolToObject(verdict, "db_match", reward == 1 || steps == 9);
    cJSON_AddNumberToObject(verdict, "reward", reward);
    cJSON_AddNumberToObject(verdict, "steps", steps);
    cJSON_AddStringToObject(verdict, "termination", termination);
    return out;
}

static double figure(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    cr_assert(cJSON_IsNumber(item), "no number '%s'", key);
    return item->valuedouble;
}

/* Rewards 1, 1 | 0, 1 | 0 in templates of 2, 2 and 1 tasks: the mean is 3/5; deviations summed by template are 4/5,
 * -1/5 and -3/5, so that SE^2 = 3/2 (16 + 1 + 9)/25 / 25 = 0.0624. */
Test(tau2_suite, summary_takes_tasks_of_one_template_for_a_cluster)
{
    cJSON *samples[] = {sample("service_desk/00-cancel-done", "user_stop", 1, 7),
                        sample("service_desk/02-status-told", "user_stop", 0, 9),
                        sample("service_desk/03-refund-denied", "max_steps", 0, 40),
                        sample("service_desk/11-cancel-done", "user_stop", 1, 7),
                        sample("service_desk/55-status-told", "user_stop", 1, 7)};
    cJSON *summary = cJSON_CreateObject();
    void *suite;
    assert_ok(lfm_tau2_suite.open(&suite, TASKS, &error));
    assert_ok(lfm_tau2_suite.summarise(suite, samples, 5, summary, &error));
    const cJSON *reward = cJSON_GetObjectItemCaseSensitive(summary, "reward");
    assert_near(figure(reward, "mean"), 0.6, 1e-15);
    assert_near(figure(reward, "stderr"), 0.24979991993593593, 1e-12);
    cr_assert_eq(figure(reward, "clusters"), 3);
    const cJSON *domain = cJSON_GetObjectItemCaseSensitive(summary, "domains")->child;
    assert_near(figure(domain, "mean"), 0.6, 1e-15);
    cr_assert_eq(figure(domain, "n"), 5);
    cr_assert_null(domain->next);
    cr_assert_eq(figure(cJSON_GetObjectItemCaseSensitive(summary, "terminations"), "user_stop"), 4);
    cr_assert_eq(figure(cJSON_GetObjectItemCaseSensitive(summary, "terminations"), "max_steps"), 1);
    cr_assert_eq(figure(cJSON_GetObjectItemCaseSensitive(summary, "db_match"), "right"), 4);
    /* right 2 of 2, 2 of 2, 0 of 1: p = 4/5, deviations 2/5, 2/5, -4/5; SE^2 = 3/2 (4 + 4 + 16)/25 / 25 = 0.0576 */
    assert_near(figure(cJSON_GetObjectItemCaseSensitive(summary, "db_match"), "stderr"), 0.24, 1e-12);
    cr_assert_eq(figure(cJSON_GetObjectItemCaseSensitive(summary, "db_match"), "clusters"), 3);
    cr_assert_eq(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(summary, "templates")), 3);
    cr_assert_eq(figure(cJSON_GetObjectItemCaseSensitive(summary, "templates")->child, "right"), 2);
    assert_near(figure(summary, "steps_mean"), 14, 1e-12);
    lfm_tau2_suite.close(suite);
    cJSON_Delete(summary);
    for (size_t i = 0; i < 5; i++) cJSON_Delete(samples[i]);
}
