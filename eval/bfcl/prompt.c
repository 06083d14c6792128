/* Questions as prompts: see prompt.h. Tools follow convert_to_tool of bfcl-eval 2026.3.23. */
#include "eval/bfcl/prompt.h"

#include "reference/base/file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

/* The system prompt of BFCL's handler for LFM2 (gorilla, commit c2e418a8, Apache-2.0). */
static const char lfm2_prompt[] =
    "You are an expert in composing functions. You are given a question and a set of possible functions. Based on the "
    "question, you will need to make one or more function/tool calls to achieve the purpose.\n"
    "If none of the functions can be used, point it out. If the given question lacks the parameters required by the "
    "function, also point it out.\n"
    "You should only return the function calls in your response.\n"
    "\n"
    "If you decide to invoke any of the function(s), you MUST put it in the format of "
    "<|tool_call_start|>[func_name1(params_name1=params_value1, params_name2=params_value2...), "
    "func_name2(params)]<|tool_call_end|>\n"
    "You SHOULD NOT include any other text in the response.\n"
    "\n"
    "At each turn, you should try your best to complete the tasks requested by the user within the current turn. "
    "Continue to output functions to call until you have fulfilled the user's request to the best of your ability. Once "
    "you have no more functions to call, the system will consider the current turn complete and proceed to the next turn "
    "or task.\n";
static const char language_hint[] = " Note that the provided function is in Python 3 syntax.";
static const char float_hint[] = " This is a float type value.";

static const char *const form_names[] = {"lfm2", "plain"};

const char *lfm_bfcl_form_name(enum lfm_bfcl_form form)
{
    return form_names[form];
}

static enum lfm_status read_form(enum lfm_bfcl_form *form, const char *path, struct lfm_error *error)
{
    cJSON *document;
    const char *name = "";
    LFM_TRY(lfm_json_parse_file(&document, path, error));
    enum lfm_status status = lfm_json_require_string(document, "form", path, &name, error);
    if (status == LFM_OK && strcmp(name, "lfm2") == 0)
        *form = LFM_BFCL_FORM_LFM2;
    else if (status == LFM_OK && strcmp(name, "plain") == 0)
        *form = LFM_BFCL_FORM_PLAIN;
    else if (status == LFM_OK)
        status = lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'form' is '%.40s', expected lfm2 or plain", path, name);
    cJSON_Delete(document);
    return status;
}

enum lfm_status lfm_bfcl_form_of(enum lfm_bfcl_form *form, const char *directory, struct lfm_error *error)
{
    char *path;
    LFM_TRY(lfm_join_path(&path, directory, "prompt.json", error));
    *form = LFM_BFCL_FORM_LFM2;
    enum lfm_status status = lfm_file_exists(path) ? read_form(form, path, error) : LFM_OK;
    free(path);
    return status;
}

/* --- values as cJSON --- */

static cJSON *to_json(const struct lfm_py_value *value);

/* A number as json.dumps writes it: 1.0 stays apart from 1. */
static cJSON *number_to_json(const struct lfm_py_value *value)
{
    struct lfm_buffer text = {0};
    cJSON *number = lfm_py_repr(&text, value, NULL) == LFM_OK ? cJSON_CreateRaw(text.data) : NULL;
    lfm_buffer_release(&text);
    return number;
}

static cJSON *members_to_json(const struct lfm_py_value *value)
{
    bool dict = value->type == LFM_PY_DICT;
    cJSON *out = dict ? cJSON_CreateObject() : cJSON_CreateArray();
    for (size_t i = 0; out && i < value->count; i += dict ? 2 : 1) {
        cJSON *member = to_json(value->items[dict ? i + 1 : i]);
        bool added = dict ? cJSON_AddItemToObject(out, value->items[i]->text.at, member)
                          : cJSON_AddItemToArray(out, member);
        if (added) continue;
        cJSON_Delete(member);
        cJSON_Delete(out);
        out = NULL;
    }
    return out;
}

/* NULL when memory is short. What JSON can hold is all there is: values come from JSON. */
static cJSON *to_json(const struct lfm_py_value *value)
{
    switch (value->type) {
    case LFM_PY_DICT:
    case LFM_PY_LIST:
        return members_to_json(value);
    case LFM_PY_STR:
        return cJSON_CreateString(value->text.at);
    case LFM_PY_BOOL:
        return cJSON_CreateBool(value->boolean);
    case LFM_PY_INT:
    case LFM_PY_FLOAT:
        return number_to_json(value);
    default:
        return cJSON_CreateNull();
    }
}

/* Lone surrogates, U+0000 and infinities, which Python's JSON can write, have no place in a prompt. */
static bool is_plain(const struct lfm_py_value *value)
{
    if (value->type == LFM_PY_FLOAT) return isfinite(value->real);
    if (value->type == LFM_PY_STR)
        return !u8_check((const uint8_t *)value->text.at, value->text.length) &&
               (value->text.length == 0 || !memchr(value->text.at, '\0', value->text.length));
    for (size_t i = 0; i < value->count; i++)
        if (!is_plain(value->items[i])) return false;
    return true;
}

static enum lfm_status convert(cJSON **out, const struct lfm_bfcl_item *item, const struct lfm_py_value *value,
                               struct lfm_error *error)
{
    *out = NULL;
    if (!is_plain(value))
        return lfm_fail(error, LFM_ERROR_FORMAT, "'%s': a zero character, a lone surrogate or an infinite number",
                        item->id);
    *out = to_json(value);
    return *out ? LFM_OK : lfm_fail(error, LFM_ERROR_MEMORY, "'%s': out of memory", item->id);
}

static const cJSON *member(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static const char *text_of(const cJSON *object, const char *key)
{
    return cJSON_GetStringValue(member(object, key));
}

static void set_text(cJSON *object, const char *key, const char *text)
{
    if (member(object, key))
        cJSON_ReplaceItemInObjectCaseSensitive(object, key, cJSON_CreateString(text));
    else
        cJSON_AddStringToObject(object, key, text);
}

/* Appends to a text that may be missing. */
static enum lfm_status append_text(cJSON *object, const char *key, const char *more, struct lfm_error *error)
{
    struct lfm_buffer text = {0};
    const char *old = text_of(object, key);
    enum lfm_status status = lfm_buffer_printf(&text, error, "%s%s", old ? old : "", more);
    if (status == LFM_OK) set_text(object, key, text.data);
    lfm_buffer_release(&text);
    return status;
}

/* --- messages --- */

static bool are_messages(const cJSON *messages)
{
    const cJSON *message;
    bool right = cJSON_IsArray(messages) && messages->child;
    cJSON_ArrayForEach(message, messages) right = right && text_of(message, "role") && text_of(message, "content");
    return right;
}

static enum lfm_status add_system_prompt(cJSON *messages, struct lfm_error *error)
{
    struct lfm_buffer text = {0};
    cJSON *first = messages->child;
    bool own = strcmp(text_of(first, "role"), "system") == 0;
    enum lfm_status status = LFM_OK;
    if (own) {
        status = lfm_buffer_printf(&text, error, "%s\n\n%s", lfm2_prompt, text_of(first, "content"));
        if (status == LFM_OK) set_text(first, "content", text.data);
    } else {
        cJSON *system = cJSON_CreateObject();
        cJSON_AddStringToObject(system, "role", "system");
        cJSON_AddStringToObject(system, "content", lfm2_prompt);
        cJSON_InsertItemInArray(messages, 0, system);
    }
    lfm_buffer_release(&text);
    return status;
}

enum lfm_status lfm_bfcl_messages(cJSON **out, const struct lfm_bfcl_item *item, enum lfm_bfcl_form form,
                                  struct lfm_error *error)
{
    *out = NULL;
    if (item->question->count == 0)
        return lfm_fail(error, LFM_ERROR_FORMAT, "'%s': 'question' has no turn", item->id);
    LFM_TRY(convert(out, item, item->question->items[0], error));
    enum lfm_status status = LFM_OK;
    if (!are_messages(*out))
        status = lfm_fail(error, LFM_ERROR_FORMAT, "'%s': 'question' must be lists of messages with role and content",
                          item->id);
    else if (form == LFM_BFCL_FORM_LFM2)
        status = add_system_prompt(*out, error);
    if (status == LFM_OK) return LFM_OK;
    cJSON_Delete(*out);
    *out = NULL;
    return status;
}

/* --- tools --- */

/* JSON's name for a type of BFCL; "string" for a type that is none. */
static const char *json_type(const char *type)
{
    static const char *const names[][2] = {
        {"integer", "integer"}, {"number", "number"},   {"float", "number"},   {"string", "string"},
        {"boolean", "boolean"}, {"bool", "boolean"},    {"array", "array"},    {"list", "array"},
        {"dict", "object"},     {"object", "object"},   {"tuple", "array"},    {"any", "string"},
        {"byte", "integer"},    {"short", "integer"},   {"long", "integer"},   {"double", "number"},
        {"char", "string"},     {"ArrayList", "array"}, {"Array", "array"},    {"HashMap", "object"},
        {"Hashtable", "object"}, {"Queue", "array"},    {"Stack", "array"},    {"Any", "string"},
        {"String", "string"},   {"Bigint", "integer"},
    };
    for (size_t i = 0; type && i < sizeof names / sizeof *names; i++)
        if (strcmp(type, names[i][0]) == 0) return names[i][1];
    return "string";
}

static enum lfm_status convert_properties(cJSON *properties, enum lfm_bfcl_form form, struct lfm_error *error);

/* Elements of a list: their type, and one level below it, as far as BFCL goes. */
static enum lfm_status convert_items(cJSON *items, enum lfm_bfcl_form form, struct lfm_error *error)
{
    cJSON *inner = cJSON_GetObjectItemCaseSensitive(items, "items");
    cJSON *properties = cJSON_GetObjectItemCaseSensitive(items, "properties");
    if (!cJSON_IsObject(items)) return LFM_OK;
    const char *type = json_type(text_of(items, "type"));
    set_text(items, "type", type);
    if (strcmp(type, "array") == 0 && cJSON_IsObject(inner))
        set_text(inner, "type", json_type(text_of(inner, "type")));
    else if (strcmp(type, "object") == 0 && cJSON_IsObject(properties))
        return convert_properties(properties, form, error);
    return LFM_OK;
}

static enum lfm_status convert_property(cJSON *property, enum lfm_bfcl_form form, struct lfm_error *error)
{
    const char *declared = text_of(property, "type"), *type = json_type(declared);
    if (form == LFM_BFCL_FORM_LFM2 && declared && strcmp(declared, "float") == 0) {
        set_text(property, "format", "float");
        LFM_TRY(append_text(property, "description", float_hint, error));
    }
    set_text(property, "type", type);
    if (strcmp(type, "array") != 0 && strcmp(type, "object") != 0) return LFM_OK;
    cJSON *properties = cJSON_GetObjectItemCaseSensitive(property, "properties");
    if (cJSON_IsObject(properties)) return convert_properties(properties, form, error);
    return convert_items(cJSON_GetObjectItemCaseSensitive(property, "items"), form, error);
}

static enum lfm_status convert_properties(cJSON *properties, enum lfm_bfcl_form form, struct lfm_error *error)
{
    for (cJSON *property = properties->child; property; property = property->next)
        if (cJSON_IsObject(property)) LFM_TRY(convert_property(property, form, error));
    return LFM_OK;
}

static void replace_dots(cJSON *function)
{
    for (char *c = cJSON_GetObjectItemCaseSensitive(function, "name")->valuestring; *c; c++)
        if (*c == '.') *c = '_';
}

static enum lfm_status convert_function(cJSON *function, const struct lfm_bfcl_item *item, enum lfm_bfcl_form form,
                                        struct lfm_error *error)
{
    cJSON *parameters = cJSON_GetObjectItemCaseSensitive(function, "parameters");
    cJSON *properties = cJSON_GetObjectItemCaseSensitive(parameters, "properties");
    if (!text_of(function, "name") || !cJSON_IsObject(properties))
        return lfm_fail(error, LFM_ERROR_FORMAT, "'%s': a function needs 'name' and 'parameters' with 'properties'",
                        item->id);
    replace_dots(function);
    if (form == LFM_BFCL_FORM_LFM2) LFM_TRY(append_text(function, "description", language_hint, error));
    set_text(parameters, "type", "object");
    return convert_properties(properties, form, error);
}

/* {"type": "function", "function": ...} around each function. */
static cJSON *wrap(cJSON *functions)
{
    cJSON *wrapped = cJSON_CreateArray();
    while (functions->child) {
        cJSON *tool = cJSON_CreateObject();
        cJSON_AddStringToObject(tool, "type", "function");
        cJSON_AddItemToObject(tool, "function", cJSON_DetachItemViaPointer(functions, functions->child));
        cJSON_AddItemToArray(wrapped, tool);
    }
    cJSON_Delete(functions);
    return wrapped;
}

enum lfm_status lfm_bfcl_tools(cJSON **out, const struct lfm_bfcl_item *item, enum lfm_bfcl_form form,
                               struct lfm_error *error)
{
    enum lfm_status status = LFM_OK;
    LFM_TRY(convert(out, item, item->functions, error));
    for (cJSON *function = (*out)->child; function && status == LFM_OK; function = function->next)
        status = convert_function(function, item, form, error);
    if (status == LFM_OK && form == LFM_BFCL_FORM_LFM2) *out = wrap(*out);
    if (status == LFM_OK) return LFM_OK;
    cJSON_Delete(*out);
    *out = NULL;
    return status;
}
