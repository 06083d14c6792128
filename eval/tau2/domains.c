/* The domains of tau2, one line each, and what their functions share: see domain.h. */
#include "eval/tau2/domain.h"

#include <string.h>

const struct lfm_tau2_domain *const lfm_tau2_domains[] = {
    &lfm_tau2_service_desk,
    &lfm_tau2_mock,
    NULL,
};

const char lfm_tau2_instruction[] =
    "You are a customer service agent that helps the user according to the <policy> provided below.\n"
    "In each turn you can either:\n"
    "- Send a message to the user.\n"
    "- Make a tool call.\n"
    "You cannot do both at the same time.\n"
    "\n"
    "Try to be helpful and always follow the policy. Always make sure you generate valid JSON only.";

enum lfm_status lfm_tau2_raise(struct lfm_tau2_call *call, const char *format, const struct lfm_py_value *value,
                               struct lfm_error *error)
{
    struct lfm_buffer text = {0};
    const char *hole = strstr(format, "{}");
    size_t before = hole ? (size_t)(hole - format) : strlen(format);
    enum lfm_status status;
    LFM_TRY_DONE(lfm_buffer_append(&text, format, before, error));
    if (hole && value && value->type == LFM_PY_STR)
        LFM_TRY_DONE(lfm_buffer_append(&text, value->text.at, value->text.length, error));
    else if (hole && value)
        LFM_TRY_DONE(lfm_py_repr(&text, value, error));
    if (hole) LFM_TRY_DONE(lfm_buffer_puts(&text, hole + 2, error));
    call->raised = true;
    status = lfm_arena_copy(call->arena, &call->exception, (struct lfm_span){text.data, text.length}, error);
done:
    lfm_buffer_release(&text);
    return status;
}

enum lfm_status lfm_tau2_look_up(struct lfm_tau2_call *call, const struct lfm_py_value **found,
                                 const struct lfm_py_value *table, const struct lfm_py_value *key,
                                 struct lfm_error *error)
{
    *found = NULL;
    if (key->type == LFM_PY_LIST) return lfm_tau2_raise(call, "unhashable type: 'list'", NULL, error);
    if (key->type == LFM_PY_DICT) return lfm_tau2_raise(call, "unhashable type: 'dict'", NULL, error);
    *found = lfm_py_get(table, key);
    return LFM_OK;
}

enum lfm_status lfm_tau2_return_text(struct lfm_tau2_call *call, const char *text, struct lfm_error *error)
{
    struct lfm_py_value *result;
    LFM_TRY(lfm_py_new_str(call->arena, &result, lfm_span_of(text), error));
    call->result = result;
    return LFM_OK;
}

enum lfm_status lfm_tau2_return_bool(struct lfm_tau2_call *call, bool boolean, struct lfm_error *error)
{
    struct lfm_py_value *result;
    LFM_TRY(lfm_py_new(call->arena, &result, LFM_PY_BOOL, error));
    result->boolean = boolean;
    result->integer = boolean;
    call->result = result;
    return LFM_OK;
}
