/* Chat templates, natively: see chat.h.
 *
 * A template is recognised by what its text says; the pieces in which the family's published templates differ are the
 * fields of struct form. A template with constructs outside these pieces is refused, not guessed at. Sources: the
 * templates of LFM2-8B-A1B, LFM2.5-1.2B-Instruct, LFM2-24B-A2B, LFM2.5-VL-450M and LFM2.5-8B-A1B. */
#include "reference/model/chat.h"

#include "reference/base/memory.h"
#include "reference/base/utf8.h"
#include "reference/model/python_text.h"

#include <stdlib.h>
#include <string.h>

enum thinking {
    THINKING_KEPT,
    THINKING_LAST_ANSWER, /* of all assistant turns but the last, "...</think>" is dropped */
    THINKING_LAST_USER    /* dropped from assistant turns before the last user turn */
};

enum calls { CALLS_NONE, CALLS_BEFORE_CONTENT, CALLS_AFTER_CONTENT };

/* What a template does. */
struct form {
    bool bos;                  /* BOS in front */
    bool tools;                /* puts a list of tools into the system turn */
    bool tool_list_tokens;     /* <|tool_list_start|> and <|tool_list_end|> around it */
    bool tool_response_tokens; /* <|tool_response_start|> and <|tool_response_end|> around tool messages */
    bool date;                 /* "Today's date" above the list of tools */
    bool parts; /* content may be a list of {"type": "text"}; otherwise such content is printed as JSON */
    bool open_without_content; /* a turn without content is not closed */
    enum thinking thinking;
    bool thinking_field;       /* message["thinking"] is printed between <think> and </think> */
    enum calls calls;
    bool empty_calls;          /* an empty list of calls is printed */
    char quote;                /* around string arguments */
    bool null_arguments;       /* null is "null" and lists are JSON; otherwise both are Python */
    char *default_system;      /* owned; the system turn when there is none, or NULL */
};

/* --- recognition --- */

static bool has(const char *text, const char *what)
{
    return strstr(text, what) != NULL;
}

static enum lfm_status unknown(struct lfm_error *error, const char *why)
{
    return lfm_fail(error, LFM_ERROR_FORMAT,
                    "unknown chat template: %s; render the conversation yourself and pass the text as a prompt", why);
}

/* "...<|im_start|>system\nTEXT<|im_end|>..." where the first message is not a system message. */
static enum lfm_status read_default_system(struct form *form, const char *text, struct lfm_error *error)
{
    const char *condition = strstr(text, "messages[0]['role'] != 'system'"), *start = NULL, *end = NULL;
    if (!condition) return LFM_OK;
    start = strstr(condition, "<|im_start|>system");
    if (start) start += strlen("<|im_start|>system");
    if (start && strncmp(start, "\\n", 2) == 0)
        start += 2;
    else if (start && *start == '\n')
        start++;
    else
        start = NULL;
    if (start) end = strstr(start, "<|im_end|>");
    if (!end || memchr(start, '\'', (size_t)(end - start)) || memchr(start, '\\', (size_t)(end - start)))
        return unknown(error, "its default system message cannot be read");
    return lfm_copy_string(&form->default_system, start, (size_t)(end - start), error);
}

/* Plain ChatML: turns one after another, at most a default system message. */
static enum lfm_status recognise_plain(struct form *form, const char *text, struct lfm_error *error)
{
    if (!has(text, "'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>'") &&
        !has(text, "'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>'"))
        return unknown(error, "its turns are not ChatML's");
    if (has(text, "tool") || has(text, "</think>"))
        return unknown(error, "it has tools or thinking besides plain turns");
    return read_default_system(form, text, error);
}

static enum lfm_status recognise_tools(struct form *form, const char *text, struct lfm_error *error)
{
    form->tools = true;
    form->tool_list_tokens = has(text, "\"List of tools: <|tool_list_start|>[\"");
    form->tool_response_tokens = has(text, "\"<|tool_response_start|>\" + content + \"<|tool_response_end|>\"");
    form->date =
        has(text, "\"Today's date: \" + strftime_now(\"%Y-%m-%d\") + \"\\n\\nList of tools: \" + (tools | tojson)");
    bool joined = form->tool_list_tokens || has(text, "\"List of tools: [\"");
    if (joined == form->date) return unknown(error, "its list of tools is none of the known ones");
    return LFM_OK;
}

static enum lfm_status recognise_thinking(struct form *form, const char *text, struct lfm_error *error)
{
    form->thinking_field = has(text, "message.thinking");
    if (!has(text, "</think>")) return LFM_OK;
    if (!has(text, "content.split(\"</think>\")[-1] | trim"))
        return unknown(error, "it treats thinking in another way");
    form->thinking = has(text, "last_user_index") ? THINKING_LAST_USER : THINKING_LAST_ANSWER;
    if (form->thinking == THINKING_LAST_ANSWER && !has(text, "last_assistant_index"))
        return unknown(error, "it treats thinking in another way");
    return LFM_OK;
}

static enum lfm_status recognise_calls(struct form *form, const char *text, struct lfm_error *error)
{
    if (!has(text, "tool_calls")) return LFM_OK;
    if (!has(text, "join(\", \")") || !has(text, "<|tool_call_start|>["))
        return unknown(error, "its tool calls are not Pythonic");
    const char *calls = strstr(text, "render_tool_calls(message.tool_calls)");
    const char *content = strstr(text, "parse_content(message.content)");
    form->calls = calls && content && calls > content ? CALLS_AFTER_CONTENT : CALLS_BEFORE_CONTENT;
    form->empty_calls = has(text, "message.tool_calls is defined");
    form->null_arguments = has(text, "arg_value is none");
    if (has(text, "\"'\" + arg_value + \"'\""))
        form->quote = '\'';
    else if (has(text, "'\"' + arg_value + '\"'") || has(text, "'\"' ~ arg_value ~ '\"'"))
        form->quote = '"';
    else
        return unknown(error, "it writes string arguments in another way");
    return LFM_OK;
}

static enum lfm_status recognise(struct form *form, const char *text, struct lfm_error *error)
{
    static const char *const foreign[] = {"enable_thinking", "reasoning_content", "<tool_call>", "raise_exception",
                                          "# Tools",         "<tool_response>",   "documents"};
    *form = (struct form){0};
    if (!has(text, "<|im_start|>")) return unknown(error, "it has no <|im_start|>");
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
        if (has(text, foreign[i])) return unknown(error, foreign[i]);
    form->bos = has(text, "{{- bos_token -}}") || has(text, "{{bos_token}}") || has(text, "{{ bos_token }}");
    if (!has(text, "List of tools: ")) return recognise_plain(form, text, error);
    LFM_TRY(recognise_tools(form, text, error));
    LFM_TRY(recognise_thinking(form, text, error));
    LFM_TRY(recognise_calls(form, text, error));
    form->parts = has(text, "\"<image>\"");
    form->open_without_content = form->parts && has(text, "parse_content(message.content) + \"<|im_end|>\\n\"");
    return LFM_OK;
}

/* --- rendering --- */

struct renderer {
    struct form form;
    const struct lfm_chat_options *options;
    struct lfm_buffer *out;
    size_t last_user, last_answer; /* positions among the rendered messages; SIZE_MAX: none */
    struct lfm_error *error;
};

static enum lfm_status put(struct renderer *r, const char *text)
{
    return lfm_buffer_puts(r->out, text, r->error);
}

static const cJSON *get(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNull(item) ? NULL : item;
}

static enum lfm_status append_parts(struct renderer *r, struct lfm_buffer *out, const cJSON *content)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, content)
    {
        const char *type = cJSON_GetStringValue(get(item, "type")), *text = cJSON_GetStringValue(get(item, "text"));
        if (type && strcmp(type, "image") == 0)
            LFM_TRY(lfm_buffer_puts(out, "<image>", r->error));
        else if (type && strcmp(type, "text") == 0 && text)
            LFM_TRY(lfm_buffer_puts(out, text, r->error));
        else
            LFM_TRY(lfm_python_json(out, item, r->error));
    }
    return LFM_OK;
}

/* The content as text; nothing when there is none. Parts are {"type": "text", "text"} and {"type": "image"}. */
static enum lfm_status append_content(struct renderer *r, struct lfm_buffer *out, const cJSON *message)
{
    const cJSON *content = get(message, "content");
    if (cJSON_IsString(content)) return lfm_buffer_puts(out, content->valuestring, r->error);
    if (!content) return LFM_OK;
    if (!r->form.parts) return lfm_python_json(out, content, r->error);
    if (!cJSON_IsArray(content))
        return lfm_fail(r->error, LFM_ERROR_FORMAT, "'content' must be a string or a list of parts");
    return append_parts(r, out, content);
}

/* Python's str.strip() of the last part. */
static void drop_thinking(const char **text, size_t *length)
{
    static const char mark[] = "</think>";
    const char *last = NULL;
    for (const char *at = strstr(*text, mark); at; at = strstr(at + 1, mark)) last = at;
    if (!last) return;
    *length -= (size_t)(last - *text) + strlen(mark);
    *text = last + strlen(mark);
    lfm_utf8_strip(text, length);
}

static bool keeps_thinking(const struct renderer *r, size_t index)
{
    if (r->options->keep_past_thinking || r->form.thinking == THINKING_KEPT) return true;
    if (r->form.thinking == THINKING_LAST_ANSWER) return index == r->last_answer;
    return r->last_user == SIZE_MAX || index > r->last_user;
}

static enum lfm_status append_argument(struct renderer *r, const cJSON *value)
{
    bool json = cJSON_IsObject(value) || (r->form.null_arguments && (cJSON_IsArray(value) || cJSON_IsNull(value)));
    if (json) return lfm_python_json(r->out, value, r->error);
    if (!cJSON_IsString(value)) return lfm_python_str(r->out, value, r->error);
    return lfm_buffer_printf(r->out, r->error, "%c%s%c", r->form.quote, value->valuestring, r->form.quote);
}

static enum lfm_status append_arguments(struct renderer *r, const cJSON *arguments)
{
    const cJSON *argument;
    cJSON_ArrayForEach(argument, arguments)
    {
        LFM_TRY(
            lfm_buffer_printf(r->out, r->error, "%s%s=", argument == arguments->child ? "" : ", ", argument->string));
        LFM_TRY(append_argument(r, argument));
    }
    return LFM_OK;
}

/* name(argument=value, ...); the arguments are an object, or JSON text of one. */
static enum lfm_status append_call(struct renderer *r, const cJSON *call, size_t index)
{
    const cJSON *function = get(call, "function"), *arguments = get(function, "arguments");
    const char *name = cJSON_GetStringValue(get(function, "name")), *text = cJSON_GetStringValue(arguments);
    cJSON *parsed = NULL;
    enum lfm_status status = LFM_OK;
    if (!name) return lfm_fail(r->error, LFM_ERROR_FORMAT, "message %zu: a tool call has no function name", index);
    if (text) LFM_TRY(lfm_json_parse(&parsed, text, strlen(text), "the arguments of a tool call", r->error));
    if (parsed) arguments = parsed;
    if (arguments && !cJSON_IsObject(arguments)) {
        status =
            lfm_fail(r->error, LFM_ERROR_FORMAT, "message %zu: the arguments of '%s' must be an object", index, name);
        goto done;
    }
    LFM_TRY_DONE(lfm_buffer_printf(r->out, r->error, "%s(", name));
    LFM_TRY_DONE(append_arguments(r, arguments));
    LFM_TRY_DONE(put(r, ")"));
done:
    cJSON_Delete(parsed);
    return status;
}

static enum lfm_status append_calls(struct renderer *r, const cJSON *message, size_t index)
{
    const cJSON *calls = get(message, "tool_calls"), *call;
    if (!calls || (!calls->child && !r->form.empty_calls)) return LFM_OK;
    if (!cJSON_IsArray(calls))
        return lfm_fail(r->error, LFM_ERROR_FORMAT, "message %zu: 'tool_calls' must be a list", index);
    if (r->form.calls == CALLS_NONE)
        return lfm_fail(r->error, LFM_ERROR_ARGUMENT,
                        "message %zu: the model's chat template does not print 'tool_calls'; write them into 'content'",
                        index);
    LFM_TRY(put(r, "<|tool_call_start|>["));
    cJSON_ArrayForEach(call, calls)
    {
        if (call != calls->child) LFM_TRY(put(r, ", "));
        LFM_TRY(append_call(r, call, index));
    }
    return put(r, "]<|tool_call_end|>");
}

static enum lfm_status append_answer(struct renderer *r, const cJSON *message, const char *content, size_t length,
                                     size_t index)
{
    const char *thinking = r->form.thinking_field ? cJSON_GetStringValue(get(message, "thinking")) : NULL;
    bool keep = keeps_thinking(r, index);
    if (thinking && keep) LFM_TRY(lfm_buffer_printf(r->out, r->error, "<think>%s</think>", thinking));
    if (!keep) drop_thinking(&content, &length);
    if (r->form.calls != CALLS_AFTER_CONTENT) LFM_TRY(append_calls(r, message, index));
    LFM_TRY(lfm_buffer_append(r->out, content, length, r->error));
    return r->form.calls == CALLS_AFTER_CONTENT ? append_calls(r, message, index) : LFM_OK;
}

/* One turn; `index` counts from the first message that is rendered as one. */
static enum lfm_status append_turn(struct renderer *r, const cJSON *message, size_t index)
{
    const char *role = cJSON_GetStringValue(get(message, "role"));
    struct lfm_buffer content = {0};
    enum lfm_status status;
    bool empty = !get(message, "content");
    if (empty && !r->form.parts)
        return lfm_fail(r->error, LFM_ERROR_FORMAT, "message %zu: 'content' is missing", index);
    if (!r->form.tools && !cJSON_IsString(get(message, "content")))
        return lfm_fail(r->error, LFM_ERROR_FORMAT, "message %zu: 'content' must be a string", index);
    LFM_TRY_DONE(append_content(r, &content, message));
    LFM_TRY_DONE(lfm_buffer_append(&content, "", 0, r->error));
    LFM_TRY_DONE(lfm_buffer_printf(r->out, r->error, "<|im_start|>%s\n", role));
    bool response = r->form.tool_response_tokens && strcmp(role, "tool") == 0;
    if (response) LFM_TRY_DONE(put(r, "<|tool_response_start|>"));
    if (strcmp(role, "assistant") == 0)
        LFM_TRY_DONE(append_answer(r, message, content.data, content.length, index));
    else
        LFM_TRY_DONE(lfm_buffer_append(r->out, content.data, content.length, r->error));
    if (response) LFM_TRY_DONE(put(r, "<|tool_response_end|>"));
    status = empty && r->form.open_without_content ? LFM_OK : put(r, "<|im_end|>\n");
done:
    lfm_buffer_release(&content);
    return status;
}

static enum lfm_status append_tools(struct renderer *r, struct lfm_buffer *out, const cJSON *tools)
{
    const cJSON *tool;
    if (!r->form.tools)
        return lfm_fail(r->error, LFM_ERROR_ARGUMENT, "the model's chat template has no place for tools");
    if (r->form.date) {
        if (!r->options->date)
            return lfm_fail(
                r->error, LFM_ERROR_ARGUMENT,
                "the model's chat template prints today's date: give one as YYYY-MM-DD, so that runs can be repeated");
        LFM_TRY(lfm_buffer_printf(out, r->error, "%sToday's date: %s\n\nList of tools: ", out->length ? "\n\n" : "",
                                  r->options->date));
        return lfm_python_json(out, tools, r->error);
    }
    LFM_TRY(lfm_buffer_printf(out, r->error, "%sList of tools: %s[", out->length ? "\n" : "",
                              r->form.tool_list_tokens ? "<|tool_list_start|>" : ""));
    cJSON_ArrayForEach(tool, tools)
    {
        if (tool != tools->child) LFM_TRY(lfm_buffer_puts(out, ", ", r->error));
        if (cJSON_IsString(tool))
            LFM_TRY(lfm_buffer_puts(out, tool->valuestring, r->error));
        else
            LFM_TRY(lfm_python_json(out, tool, r->error));
    }
    return lfm_buffer_puts(out, r->form.tool_list_tokens ? "]<|tool_list_end|>" : "]", r->error);
}

static bool is_role(const cJSON *message, const char *role)
{
    const char *text = cJSON_GetStringValue(get(message, "role"));
    return text && strcmp(text, role) == 0;
}

/* The first system message and the tools, in one turn. */
static enum lfm_status append_system(struct renderer *r, const cJSON *message, const cJSON *tools)
{
    struct lfm_buffer text = {0};
    enum lfm_status status = LFM_OK;
    if (message && !r->form.parts && !cJSON_IsString(get(message, "content"))) {
        status = lfm_fail(r->error, LFM_ERROR_FORMAT, "message 0: the content of a system message must be a string");
        goto done;
    }
    if (message) LFM_TRY_DONE(append_content(r, &text, message));
    if (!message && r->form.default_system) LFM_TRY_DONE(lfm_buffer_puts(&text, r->form.default_system, r->error));
    if (tools && tools->child) LFM_TRY_DONE(append_tools(r, &text, tools));
    if (text.length || (message && !r->form.tools))
        status = lfm_buffer_printf(r->out, r->error, "<|im_start|>system\n%s<|im_end|>\n", text.data ? text.data : "");
done:
    lfm_buffer_release(&text);
    return status;
}

static enum lfm_status check_messages(const cJSON *messages, struct lfm_error *error)
{
    static const char *const roles[] = {"system", "user", "assistant", "tool"};
    const cJSON *message;
    size_t index = 0;
    if (!cJSON_IsArray(messages) || !messages->child)
        return lfm_fail(error, LFM_ERROR_FORMAT, "a conversation must be a list of at least one message");
    cJSON_ArrayForEach(message, messages)
    {
        bool known = false;
        for (size_t i = 0; i < 4; i++) known = known || is_role(message, roles[i]);
        if (!known)
            return lfm_fail(error, LFM_ERROR_FORMAT, "message %zu: 'role' must be system, user, assistant or tool",
                            index);
        index++;
    }
    return LFM_OK;
}

static enum lfm_status render(struct renderer *r, const char *bos, const cJSON *messages, const cJSON *tools)
{
    const cJSON *first = messages->child, *message;
    bool system = is_role(first, "system");
    if (r->form.bos) LFM_TRY(put(r, bos));
    LFM_TRY(append_system(r, system ? first : NULL, tools));
    if (system) first = first->next;
    size_t index = 0;
    r->last_user = r->last_answer = SIZE_MAX;
    for (message = first; message; message = message->next, index++) {
        if (is_role(message, "user")) r->last_user = index;
        if (is_role(message, "assistant")) r->last_answer = index;
    }
    index = 0;
    for (message = first; message; message = message->next) LFM_TRY(append_turn(r, message, index++));
    return r->options->add_generation_prompt ? put(r, "<|im_start|>assistant\n") : LFM_OK;
}

enum lfm_status lfm_chat_render(struct lfm_buffer *out, const char *chat_template, const cJSON *messages,
                                const cJSON *tools, const struct lfm_chat_options *options, struct lfm_error *error)
{
    struct renderer r = {.options = options, .out = out, .error = error};
    if (!chat_template) return lfm_fail(error, LFM_ERROR_FORMAT, "the model has no chat template");
    if (tools && !cJSON_IsArray(tools)) return lfm_fail(error, LFM_ERROR_FORMAT, "tools must be a list");
    LFM_TRY(check_messages(messages, error));
    enum lfm_status status = recognise(&r.form, chat_template, error);
    if (status == LFM_OK)
        status = render(&r, options->bos_token ? options->bos_token : "<|startoftext|>", messages, tools);
    free(r.form.default_system);
    return status;
}

bool lfm_is_date(const char *text)
{
    for (const char *form = "0000-00-00"; *form; form++, text++)
        if (*form == '0' ? *text < '0' || *text > '9' : *text != *form) return false;
    return *text == '\0';
}
