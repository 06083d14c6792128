/* Conversations: see dialogue.h. */
#include "eval/tau2/dialogue.h"

#include "eval/bfcl/python_calls.h"
#include "reference/base/memory.h"
#include "reference/base/utf8.h"

#include <stdlib.h>
#include <string.h>

typedef const struct lfm_py_value *value;

static const char greeting[] = "Hi! How can I help you today?";
static const char stop[] = "###STOP###";
static const char calls_open[] = "<|tool_call_start|>", calls_close[] = "<|tool_call_end|>";

struct lfm_tau2_dialogue {
    const struct lfm_tau2_task *task;
    struct lfm_tau2_environment environment; /* its arena holds what the conversation consists of, too */
    cJSON *messages;                         /* owned: as the agent sees them */
    bool *said;                              /* [n_turns] of the scripted user */
    struct lfm_tau2_step *steps;             /* in the arena */
    size_t n_steps, steps_capacity;
    struct lfm_span *texts;                  /* in the arena: what the agent said */
    size_t n_texts, texts_capacity;
    size_t count, errors;                    /* steps as tau2-bench counts them: messages; tool errors */
    enum lfm_tau2_termination termination;
};

const char *lfm_tau2_termination_name(enum lfm_tau2_termination termination)
{
    static const char *const names[LFM_TAU2_TERMINATIONS] = {
        "not_ended",   "user_stop",     "agent_stop",          "max_steps", "too_many_errors",
        "agent_error", "context_limit", "infrastructure_error"};
    return names[termination];
}

/* --- messages --- */

static enum lfm_status add_message(struct lfm_tau2_dialogue *dialogue, const char *role, struct lfm_span content,
                                   struct lfm_error *error)
{
    struct lfm_buffer text = {0};
    LFM_TRY(lfm_utf8_repair(&text, content.at, content.length, error));
    cJSON *message = cJSON_CreateObject();
    cJSON_AddStringToObject(message, "role", role);
    cJSON_AddStringToObject(message, "content", text.data ? text.data : "");
    cJSON_AddItemToArray(dialogue->messages, message);
    lfm_buffer_release(&text);
    return LFM_OK;
}

static enum lfm_status add_text(struct lfm_tau2_dialogue *dialogue, struct lfm_span text, struct lfm_error *error)
{
    struct lfm_arena *arena = &dialogue->environment.arena;
    LFM_TRY(lfm_arena_grow(arena, (void **)&dialogue->texts, &dialogue->texts_capacity, dialogue->n_texts,
                           sizeof *dialogue->texts, error));
    return lfm_arena_copy(arena, &dialogue->texts[dialogue->n_texts++], text, error);
}

static enum lfm_status put_argument(struct lfm_buffer *out, value name, value item, struct lfm_error *error)
{
    LFM_TRY(lfm_buffer_append(out, name->text.at, name->text.length, error));
    LFM_TRY(lfm_buffer_puts(out, "=", error));
    return item->type == LFM_PY_STR ? lfm_db_dump(out, item, false, error) : lfm_py_repr(out, item, error);
}

/* Calls of the message history as the family writes them. */
static enum lfm_status put_calls(struct lfm_buffer *out, value calls, struct lfm_error *error)
{
    LFM_TRY(lfm_buffer_printf(out, error, "%s[", calls_open));
    for (size_t i = 0; i < calls->count; i++) {
        value arguments = lfm_db_member(calls->items[i], "arguments");
        const char *name = lfm_db_member(calls->items[i], "name")->text.at;
        LFM_TRY(lfm_buffer_printf(out, error, "%s%s(", i > 0 ? ", " : "", name));
        for (size_t a = 0; a < arguments->count; a += 2) {
            if (a > 0) LFM_TRY(lfm_buffer_puts(out, ", ", error));
            LFM_TRY(put_argument(out, arguments->items[a], arguments->items[a + 1], error));
        }
        LFM_TRY(lfm_buffer_puts(out, ")", error));
    }
    return lfm_buffer_printf(out, error, "]%s", calls_close);
}

static enum lfm_status add_history(struct lfm_tau2_dialogue *dialogue, struct lfm_error *error)
{
    value messages = dialogue->task->messages;
    for (size_t i = 0; i < messages->count; i++) {
        value message = messages->items[i], content = lfm_db_member(message, "content");
        value calls = lfm_db_member(message, "tool_calls");
        struct lfm_buffer text = {0};
        enum lfm_status status = LFM_OK;
        if (calls && calls->count) status = put_calls(&text, calls, error);
        if (content && status == LFM_OK)
            status = lfm_buffer_append(&text, content->text.at, content->text.length, error);
        if (status == LFM_OK)
            status = add_message(dialogue, lfm_db_member(message, "role")->text.at,
                                 (struct lfm_span){text.data, text.length}, error);
        lfm_buffer_release(&text);
        LFM_TRY(status);
    }
    return LFM_OK;
}

/* --- the user --- */

/* What the user says to the agent's words: the first turn that is left and fits them. */
static enum lfm_status choose_turn(struct lfm_tau2_dialogue *dialogue, struct lfm_span agent_text, struct lfm_span *say,
                                   struct lfm_error *error)
{
    const struct lfm_tau2_task *task = dialogue->task;
    *say = lfm_span_of(stop);
    for (size_t i = 0; i < task->n_turns; i++) {
        struct lfm_span groups[LFM_MAX_GROUPS];
        bool fits = !task->turns[i].if_agent;
        if (dialogue->said[i]) continue;
        if (!fits) LFM_TRY(lfm_pattern_search(task->turns[i].if_agent, agent_text, 0, groups, &fits, error));
        if (!fits) continue;
        dialogue->said[i] = true;
        *say = task->turns[i].say;
        return LFM_OK;
    }
    return LFM_OK;
}

static bool ends(struct lfm_span text)
{
    return lfm_span_contains(text, lfm_span_of(stop)) || lfm_span_contains(text, lfm_span_of("###TRANSFER###")) ||
           lfm_span_contains(text, lfm_span_of("###OUT-OF-SCOPE###"));
}

/* Looked at after every step whose message does not go to the environment. */
static void check_limits(struct lfm_tau2_dialogue *dialogue)
{
    const struct lfm_tau2_domain *domain = dialogue->task->world->domain;
    if (dialogue->count >= domain->max_steps) dialogue->termination = LFM_TAU2_MAX_STEPS;
    if (dialogue->errors >= domain->max_errors) dialogue->termination = LFM_TAU2_TOO_MANY_ERRORS;
}

static enum lfm_status let_user_speak(struct lfm_tau2_dialogue *dialogue, struct lfm_span agent_text,
                                      struct lfm_error *error)
{
    struct lfm_span say;
    LFM_TRY(choose_turn(dialogue, agent_text, &say, error));
    dialogue->count++;
    if (ends(say)) dialogue->termination = LFM_TAU2_USER_STOP;
    check_limits(dialogue);
    return add_message(dialogue, "user", say, error);
}

/* --- the agent --- */

/* Python's literals as JSON has them: tuples are lists. False when there is no such form. */
static enum lfm_status to_json(struct lfm_arena *arena, value *item, bool *possible, struct lfm_error *error)
{
    struct lfm_py_value *copy;
    bool is_dict = (*item)->type == LFM_PY_DICT;
    if ((*item)->type == LFM_PY_BYTES || (*item)->type == LFM_PY_COMPLEX) *possible = false;
    if (!is_dict && (*item)->type != LFM_PY_LIST && (*item)->type != LFM_PY_TUPLE) return LFM_OK;
    LFM_TRY(lfm_db_copy(arena, &copy, *item, error));
    if (!is_dict) copy->type = LFM_PY_LIST;
    *item = copy;
    for (size_t i = 0; i < copy->count; i++) {
        if (is_dict && i % 2 == 0)
            *possible = *possible && copy->items[i]->type == LFM_PY_STR;
        else
            LFM_TRY(to_json(arena, &copy->items[i], possible, error));
    }
    return LFM_OK;
}

/* The calls of a message, each a dict {"name", "arguments"}. *readable is false when there are some that cannot be
 * read. */
static enum lfm_status read_calls(struct lfm_arena *arena, struct lfm_py_value **calls, struct lfm_span text,
                                  bool *readable, struct lfm_error *error)
{
    LFM_TRY(lfm_lfm2_tool_calls(arena, calls, text, error));
    *readable = (*calls)->count > 0 || !lfm_span_contains(text, lfm_span_of(calls_open));
    for (size_t i = 0; i < (*calls)->count; i++) {
        struct lfm_py_value *call;
        LFM_TRY(lfm_db_own_at(arena, &call, *calls, i, error));
        value arguments = lfm_py_get_named(call, "arguments");
        LFM_TRY(to_json(arena, &arguments, readable, error));
        LFM_TRY(lfm_db_put(arena, call, lfm_span_of("arguments"), arguments, error));
    }
    return LFM_OK;
}

/* The message without its blocks of calls. */
static enum lfm_status strip_calls(struct lfm_buffer *out, struct lfm_span text, struct lfm_error *error)
{
    struct lfm_span piece;
    bool more = true;
    LFM_TRY(lfm_buffer_append(out, "", 0, error));
    while (lfm_py_next_piece(&text, calls_open, &more, &piece)) {
        LFM_TRY(lfm_buffer_append(out, piece.at, piece.length, error));
        if (more) lfm_py_next_piece(&text, calls_close, &more, &piece);
    }
    return LFM_OK;
}

static enum lfm_status run_call(struct lfm_tau2_dialogue *dialogue, value call, struct lfm_error *error)
{
    struct lfm_tau2_step step = {.requestor = LFM_TAU2_AGENT,
                                 .name = lfm_py_get_named(call, "name")->text,
                                 .arguments = lfm_py_get_named(call, "arguments")};
    LFM_TRY(lfm_tau2_call(&dialogue->environment, &step, error));
    LFM_TRY(lfm_arena_grow(&dialogue->environment.arena, (void **)&dialogue->steps, &dialogue->steps_capacity,
                           dialogue->n_steps, sizeof *dialogue->steps, error));
    dialogue->steps[dialogue->n_steps++] = step;
    dialogue->errors += step.is_error;
    return add_message(dialogue, "tool", step.content, error);
}

/* A message that reached the agent's side whole: its calls run, or the user answers. */
static enum lfm_status take_message(struct lfm_tau2_dialogue *dialogue, struct lfm_span text, struct lfm_span visible,
                                    value calls, struct lfm_error *error)
{
    LFM_TRY(add_message(dialogue, "assistant", text, error));
    if (!lfm_py_is_blank(visible)) LFM_TRY(add_text(dialogue, visible, error));
    dialogue->count++;
    if (calls->count == 0) {
        check_limits(dialogue);
        return dialogue->termination == LFM_TAU2_NOT_ENDED ? let_user_speak(dialogue, visible, error) : LFM_OK;
    }
    for (size_t i = 0; i < calls->count; i++) LFM_TRY(run_call(dialogue, calls->items[i], error));
    dialogue->count++;
    check_limits(dialogue);
    return LFM_OK;
}

static enum lfm_status take_reply(struct lfm_tau2_dialogue *dialogue, const struct lfm_reply *reply,
                                  struct lfm_error *error)
{
    struct lfm_span text = lfm_span_of(reply->text);
    struct lfm_buffer visible = {0};
    struct lfm_py_value *calls;
    bool readable;
    enum lfm_status status;
    LFM_TRY_DONE(read_calls(&dialogue->environment.arena, &calls, text, &readable, error));
    LFM_TRY_DONE(strip_calls(&visible, text, error));
    struct lfm_span words = {visible.data, visible.length};
    if (!readable || (calls->count == 0 && lfm_py_is_blank(words)))
        dialogue->termination = LFM_TAU2_AGENT_ERROR;
    else
        status = take_message(dialogue, text, words, calls, error);
done:
    lfm_buffer_release(&visible);
    return status;
}

enum lfm_status lfm_tau2_dialogue_next(struct lfm_tau2_dialogue *dialogue, const struct lfm_reply *reply,
                                       struct lfm_request *request, bool *done, struct lfm_error *error)
{
    if (reply && reply->finish == LFM_FINISH_ERROR)
        dialogue->termination = LFM_TAU2_INFRASTRUCTURE_ERROR;
    else if (reply && reply->finish == LFM_FINISH_CONTEXT)
        dialogue->termination = LFM_TAU2_CONTEXT_LIMIT;
    else if (reply)
        LFM_TRY(take_reply(dialogue, reply, error));
    *done = dialogue->termination != LFM_TAU2_NOT_ENDED;
    request->messages = dialogue->messages;
    request->tools = dialogue->task->world->tools;
    return LFM_OK;
}

/* --- beginning and end --- */

static enum lfm_status begin(struct lfm_tau2_dialogue *dialogue, struct lfm_error *error)
{
    const struct lfm_tau2_task *task = dialogue->task;
    value last = task->messages && task->messages->count ? task->messages->items[task->messages->count - 1] : NULL;
    value content = lfm_db_member(last, "content");
    if (task->n_turns == 0)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "task '%s' has no scripted user", task->id);
    LFM_TRY(LFM_ALLOC(&dialogue->said, task->n_turns, error));
    LFM_TRY(lfm_tau2_environment_open(&dialogue->environment, task, error));
    LFM_TRY(add_message(dialogue, "system", lfm_span_of(task->world->system), error));
    if (last) {
        LFM_TRY(add_history(dialogue, error));
        if (!lfm_py_is_str(lfm_db_member(last, "role"), "assistant")) return LFM_OK;
        return let_user_speak(dialogue, content ? content->text : lfm_span_of(""), error);
    }
    LFM_TRY(add_message(dialogue, "assistant", lfm_span_of(greeting), error));
    LFM_TRY(add_text(dialogue, lfm_span_of(greeting), error));
    return let_user_speak(dialogue, lfm_span_of(greeting), error);
}

enum lfm_status lfm_tau2_dialogue_new(struct lfm_tau2_dialogue **out, const struct lfm_tau2_task *task,
                                      struct lfm_error *error)
{
    LFM_TRY(LFM_ALLOC(out, 1, error));
    (*out)->task = task;
    (*out)->messages = cJSON_CreateArray();
    enum lfm_status status = begin(*out, error);
    if (status == LFM_OK) return LFM_OK;
    lfm_tau2_dialogue_free(*out);
    *out = NULL;
    return status;
}

void lfm_tau2_dialogue_free(struct lfm_tau2_dialogue *dialogue)
{
    if (!dialogue) return;
    cJSON_Delete(dialogue->messages);
    free(dialogue->said);
    lfm_tau2_environment_close(&dialogue->environment);
    free(dialogue);
}

/* --- the verdict --- */

/* An action as a call: cancel_order(order_id='W955'). */
static enum lfm_status put_action(struct lfm_buffer *out, value action, struct lfm_error *error)
{
    const struct lfm_span name = lfm_db_member(action, "name")->text;
    value arguments = lfm_db_member(action, "arguments");
    LFM_TRY(lfm_buffer_append(out, name.at, name.length, error));
    LFM_TRY(lfm_buffer_puts(out, "(", error));
    for (size_t i = 0; arguments && i + 1 < arguments->count; i += 2) {
        const struct lfm_span key = arguments->items[i]->text;
        LFM_TRY(lfm_buffer_printf(out, error, "%s%.*s=", i ? ", " : "", (int)key.length, key.at));
        LFM_TRY(lfm_py_repr(out, arguments->items[i + 1], error));
    }
    return lfm_buffer_puts(out, ")", error);
}

/* Adds what the checks of actions and of texts are about, in their order. */
static enum lfm_status add_expected(cJSON *object, const struct lfm_tau2_task *task, struct lfm_error *error)
{
    struct lfm_buffer text = {0};
    enum lfm_status status = LFM_OK;
    cJSON *actions = cJSON_AddArrayToObject(object, "actions");
    for (size_t i = 0; task->actions && i < task->actions->count && status == LFM_OK; i++) {
        lfm_buffer_clear(&text);
        status = put_action(&text, task->actions->items[i], error);
        if (status == LFM_OK) cJSON_AddItemToArray(actions, cJSON_CreateString(text.data));
    }
    cJSON *texts = cJSON_AddArrayToObject(object, "communicate_info");
    for (size_t i = 0; task->communicate_info && i < task->communicate_info->count && status == LFM_OK; i++) {
        const struct lfm_span span = task->communicate_info->items[i]->text;
        lfm_buffer_clear(&text);
        status = lfm_buffer_append(&text, span.at, span.length, error);
        if (status == LFM_OK) cJSON_AddItemToArray(texts, cJSON_CreateString(text.data));
    }
    lfm_buffer_release(&text);
    return status;
}

enum lfm_status lfm_tau2_dialogue_verdict(const struct lfm_tau2_dialogue *dialogue, cJSON *object,
                                          struct lfm_error *error)
{
    const struct lfm_tau2_trajectory trajectory = {dialogue->steps, dialogue->n_steps, dialogue->texts,
                                                   dialogue->n_texts};
    enum lfm_tau2_termination termination = dialogue->termination;
    struct lfm_tau2_verdict verdict;
    enum lfm_status status = lfm_tau2_evaluate(&verdict, dialogue->task, &trajectory, error);
    if (status == LFM_OK) {
        bool ended = termination == LFM_TAU2_USER_STOP || termination == LFM_TAU2_AGENT_STOP;
        double reward = ended ? verdict.reward : 0;
        cJSON_AddBoolToObject(object, "correct", reward > 1 - 1e-6);
        lfm_json_add_number(object, "reward", reward);
        cJSON_AddStringToObject(object, "termination", lfm_tau2_termination_name(termination));
        cJSON_AddNumberToObject(object, "steps", (double)dialogue->count);
        cJSON_AddNumberToObject(object, "errors", (double)dialogue->errors);
        lfm_tau2_add_verdict(object, &verdict);
        status = add_expected(object, dialogue->task, error);
    }
    lfm_tau2_verdict_release(&verdict);
    return status;
}
