/* BFCL's checker of decoded calls: see ast_checker.h. */
#include "eval/bfcl/ast_checker.h"

#include <string.h>

const char lfm_bfcl_raises[] = "ast_checker:exception";

typedef const struct lfm_py_value *value;

/* One check; memory for standardised text goes with it. */
struct check {
    struct lfm_arena arena;
    bool underscore_to_dot;
    struct lfm_error *error;
};

/* What a parameter is declared as. `nested` is the type of a list's elements; LFM_PY_NONE stands for none stated. */
struct declared {
    enum lfm_py_type type, nested;
    bool is_tuple, is_float;
};

/* --- types --- */

static bool find_type(const struct lfm_py_value *name, enum lfm_py_type *out)
{
    static const struct {
        const char *name;
        enum lfm_py_type type;
    } types[] = {{"string", LFM_PY_STR}, {"integer", LFM_PY_INT}, {"float", LFM_PY_FLOAT}, {"boolean", LFM_PY_BOOL},
                 {"array", LFM_PY_LIST}, {"tuple", LFM_PY_LIST},  {"dict", LFM_PY_DICT},   {"any", LFM_PY_STR}};
    for (size_t i = 0; name && i < sizeof types / sizeof *types; i++)
        if (lfm_py_is_str(name, types[i].name)) {
            *out = types[i].type;
            return true;
        }
    return false;
}

static enum lfm_status read_declared(struct declared *out, const struct lfm_py_value *parameter,
                                     struct lfm_error *error)
{
    value type = parameter->type == LFM_PY_DICT ? lfm_py_get_named(parameter, "type") : NULL;
    *out = (struct declared){.nested = LFM_PY_NONE};
    if (!find_type(type, &out->type)) return lfm_fail(error, LFM_ERROR_FORMAT, "a parameter of unknown type");
    out->is_tuple = lfm_py_is_str(type, "tuple");
    out->is_float = out->type == LFM_PY_FLOAT;
    if (out->type != LFM_PY_LIST) return LFM_OK;
    value items = lfm_py_get_named(parameter, "items");
    value nested = items && items->type == LFM_PY_DICT ? lfm_py_get_named(items, "type") : NULL;
    if (!find_type(nested, &out->nested))
        return lfm_fail(error, LFM_ERROR_FORMAT, "an array whose items have no known type");
    return LFM_OK;
}

static bool is_empty_str(value v)
{
    return v->type == LFM_PY_STR && v->text.length == 0;
}

/* get_possible_answer_type: of the first answer that is not "" */
static value first_answer(value answers)
{
    for (size_t i = 0; i < answers->count; i++)
        if (!is_empty_str(answers->items[i])) return answers->items[i];
    return NULL;
}

/* Whether every element has the nested type, or the type of the answer's first element. */
static bool elements_fit(value list, enum lfm_py_type nested, value answer)
{
    value first = answer->type == LFM_PY_LIST ? first_answer(answer) : NULL;
    if (answer->type != LFM_PY_LIST) return true;
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i]->type != nested && (!first || list->items[i]->type != first->type)) return false;
    return true;
}

/* type_checker: NULL, or the error. *is_variable: the answers are of another type than declared, so that the value is
 * taken for a variable's name and only compared. */
static const char *check_type(value v, value answers, const struct declared *declared, bool *is_variable)
{
    value first = first_answer(answers);
    *is_variable = first && first->type != declared->type;
    if (v->type == declared->type) {
        if (declared->nested == LFM_PY_NONE) return NULL;
        for (size_t i = 0; i < answers->count; i++)
            if (elements_fit(v, declared->nested, answers->items[i])) return NULL;
        return *is_variable || !first ? "type_error:simple" : "type_error:nested";
    }
    if (!first || v->type != first->type) return "type_error:simple";
    *is_variable = true;
    return NULL;
}

/* --- values --- */

/* standardize_string: without [ ,./-_*^], lower case, ' as " */
static enum lfm_status standardize(struct check *c, struct lfm_span *out, struct lfm_span text)
{
    struct lfm_buffer kept = {0}, lower = {0};
    enum lfm_status status = lfm_buffer_append(&kept, "", 0, c->error);
    for (size_t i = 0; i < text.length; i++)
        if (text.at[i] == '\0' || !strchr(" ,./-_*^", text.at[i]))
            LFM_TRY_DONE(lfm_buffer_append(&kept, &text.at[i], 1, c->error));
    /* Lone surrogates have no case, and no place in UTF-8: they pass as they are. */
    for (size_t i = 0, start = 0; i <= kept.length; i++) {
        bool lone = i + 2 < kept.length && (unsigned char)kept.data[i] == 0xED &&
                    (unsigned char)kept.data[i + 1] >= 0xA0;
        if (!lone && i < kept.length) continue;
        LFM_TRY_DONE(lfm_py_lower(&lower, (struct lfm_span){kept.data + start, i - start}, c->error));
        if (!lone) break;
        LFM_TRY_DONE(lfm_buffer_append(&lower, kept.data + i, 3, c->error));
        start = i + 3;
        i += 2;
    }
    for (size_t i = 0; i < lower.length; i++)
        if (lower.data[i] == '\'') lower.data[i] = '"';
    LFM_TRY_DONE(lfm_arena_copy(&c->arena, out, (struct lfm_span){lower.data, lower.length}, c->error));
done:
    lfm_buffer_release(&kept);
    lfm_buffer_release(&lower);
    return status;
}

/* The value with its string standardised; other values are as they are. */
static enum lfm_status standardize_value(struct check *c, value *out, value v)
{
    struct lfm_py_value *copy;
    *out = v;
    if (v->type != LFM_PY_STR) return LFM_OK;
    LFM_TRY(lfm_py_new(&c->arena, &copy, LFM_PY_STR, c->error));
    *out = copy;
    return standardize(c, &copy->text, v->text);
}

/* list(v) with its strings standardised; of a string, its characters. */
static enum lfm_status standardize_list(struct check *c, struct lfm_py_value **out, value v)
{
    LFM_TRY(lfm_py_new(&c->arena, out, LFM_PY_LIST, c->error));
    if (v->type == LFM_PY_STR) {
        for (const char *at = v->text.at, *end = at + v->text.length; at < end;) {
            struct lfm_py_value *character;
            const char *start = at;
            lfm_next_point(&at, end);
            LFM_TRY(lfm_py_new(&c->arena, &character, LFM_PY_STR, c->error));
            LFM_TRY(standardize(c, &character->text, (struct lfm_span){start, (size_t)(at - start)}));
            LFM_TRY(lfm_py_append(&c->arena, *out, character, c->error));
        }
        return LFM_OK;
    }
    for (size_t i = 0; i < v->count; i++) {
        value item;
        LFM_TRY(standardize_value(c, &item, v->items[i]));
        LFM_TRY(lfm_py_append(&c->arena, *out, item, c->error));
    }
    return LFM_OK;
}

/* Whether Python can go through it by index: what should be a list of answers. */
static bool is_indexed(value v)
{
    return v->type == LFM_PY_LIST || v->type == LFM_PY_STR || (v->type == LFM_PY_DICT && v->count == 0);
}

static bool is_in(value v, value list)
{
    for (size_t i = 0; i < list->count; i++)
        if (lfm_py_equal(v, list->items[i])) return true;
    return false;
}

/* string_checker, and the values of a dict: strings are compared standardised. */
static enum lfm_status is_in_standardized(struct check *c, bool *found, value v, value answers)
{
    struct lfm_py_value *standard;
    LFM_TRY(standardize_value(c, &v, v));
    LFM_TRY(standardize_list(c, &standard, answers));
    *found = is_in(v, standard);
    return LFM_OK;
}

static enum lfm_status check_list(struct check *c, const char **error_type, value v, value answers)
{
    struct lfm_py_value *list, *answer;
    *error_type = "value_error:list/tuple";
    LFM_TRY(standardize_list(c, &list, v));
    for (size_t i = 0; i < answers->count; i++) {
        if (!is_indexed(answers->items[i])) {
            *error_type = lfm_bfcl_raises;
            return LFM_OK;
        }
        LFM_TRY(standardize_list(c, &answer, answers->items[i]));
        if (lfm_py_equal(list, answer)) *error_type = NULL;
    }
    return LFM_OK;
}

/* Whether a key of the answer may be left out: Python's `"" in answers`, which looks at the keys of a dict. */
static bool has_empty(value answers)
{
    size_t step = answers->type == LFM_PY_DICT ? 2 : 1;
    if (answers->type == LFM_PY_STR) return true;
    for (size_t i = 0; i < answers->count; i += step)
        if (is_empty_str(answers->items[i])) return true;
    return false;
}

static enum lfm_status check_dict_keys(struct check *c, const char **error_type, value v, value answer)
{
    for (size_t i = 0; i < v->count; i += 2) {
        value allowed = lfm_py_get(answer, v->items[i]);
        bool found;
        if (!allowed) {
            *error_type = "value_error:dict_key";
            return LFM_OK;
        }
        if (!is_indexed(allowed)) {
            *error_type = lfm_bfcl_raises;
            return LFM_OK;
        }
        LFM_TRY(is_in_standardized(c, &found, v->items[i + 1], allowed));
        if (!found) {
            *error_type = "value_error:dict_value";
            return LFM_OK;
        }
    }
    return LFM_OK;
}

/* dict_checker of one possible answer */
static enum lfm_status check_dict_against(struct check *c, const char **error_type, value v, value answer)
{
    *error_type = NULL;
    if (v->type != LFM_PY_DICT || answer->type != LFM_PY_DICT) {
        *error_type = lfm_bfcl_raises;
        return LFM_OK;
    }
    LFM_TRY(check_dict_keys(c, error_type, v, answer));
    for (size_t i = 0; *error_type != lfm_bfcl_raises && i < answer->count; i += 2) {
        value allowed = answer->items[i + 1];
        if (lfm_py_get(v, answer->items[i]) || has_empty(allowed)) continue;
        *error_type = is_indexed(allowed) || allowed->type == LFM_PY_DICT ? "value_error:dict_key" : lfm_bfcl_raises;
        break;
    }
    return LFM_OK;
}

static enum lfm_status check_dict(struct check *c, const char **error_type, value v,
                                  const struct lfm_py_value **answers, size_t n)
{
    *error_type = "dict_checker:unclear";
    for (size_t i = 0; i < n; i++) {
        if (is_empty_str(answers[i])) continue;
        LFM_TRY(check_dict_against(c, error_type, v, answers[i]));
        if (!*error_type || *error_type == lfm_bfcl_raises) return LFM_OK;
    }
    return LFM_OK;
}

/* Pairwise, in order. */
static enum lfm_status check_dicts_against(struct check *c, const char **error_type, value list, value answer)
{
    *error_type = list->count == 0 ? NULL : *error_type;
    for (size_t i = 0; i < list->count; i++) {
        const struct lfm_py_value *one[] = {answer->items[i]};
        LFM_TRY(check_dict(c, error_type, list->items[i], one, 1));
        if (*error_type) return LFM_OK;
    }
    return LFM_OK;
}

static bool has_length(value v)
{
    return v->type == LFM_PY_STR || v->type == LFM_PY_LIST || v->type == LFM_PY_DICT;
}

static size_t length_of(value v)
{
    return v->type == LFM_PY_STR ? lfm_count_points(v->text) : v->type == LFM_PY_DICT ? v->count / 2 : v->count;
}

static enum lfm_status check_list_of_dicts(struct check *c, const char **error_type, value list, value answers)
{
    *error_type = "list_dict_checker:unclear";
    for (size_t i = 0; i < answers->count; i++) {
        value answer = answers->items[i];
        if (has_length(answer) && list->count != length_of(answer)) {
            *error_type = "value_error:list_dict_count";
            continue;
        }
        if (answer->type != LFM_PY_LIST && (!has_length(answer) || list->count > 0)) {
            *error_type = lfm_bfcl_raises;
            return LFM_OK;
        }
        LFM_TRY(check_dicts_against(c, error_type, list, answer));
        if (!*error_type || *error_type == lfm_bfcl_raises) return LFM_OK;
    }
    return LFM_OK;
}

static enum lfm_status check_value(struct check *c, const char **error_type, value v, value answers,
                                   const struct declared *declared)
{
    bool found;
    if (declared->type == LFM_PY_DICT)
        return check_dict(c, error_type, v, answers->items, answers->count);
    if (declared->type == LFM_PY_LIST && declared->nested == LFM_PY_DICT)
        return check_list_of_dicts(c, error_type, v, answers);
    if (declared->type == LFM_PY_LIST) return check_list(c, error_type, v, answers);
    if (declared->type == LFM_PY_STR) {
        LFM_TRY(is_in_standardized(c, &found, v, answers));
        *error_type = found ? NULL : "value_error:string";
        return LFM_OK;
    }
    *error_type = is_in(v, answers) ? NULL : "value_error:others";
    return LFM_OK;
}

/* --- calls --- */

/* A tuple for a declared tuple counts as a list, an int for a declared float as a float. */
static enum lfm_status convert(struct check *c, value *v, const struct declared *declared, bool *overflow)
{
    struct lfm_py_value *copy;
    bool to_list = declared->is_tuple && (*v)->type == LFM_PY_TUPLE;
    bool to_float = declared->is_float && (*v)->type == LFM_PY_INT;
    *overflow = false;
    if (!to_list && !to_float) return LFM_OK;
    LFM_TRY(lfm_py_new(&c->arena, &copy, declared->type, c->error));
    if (to_list) {
        copy->items = (*v)->items;
        copy->count = (*v)->count;
    } else {
        *overflow = !lfm_py_to_double(*v, &copy->real);
    }
    *v = copy;
    return LFM_OK;
}

static enum lfm_status check_parameter(struct check *c, const char **error_type, value v, value parameter,
                                       value answers)
{
    struct declared declared;
    bool is_variable, overflow;
    LFM_TRY(read_declared(&declared, parameter, c->error));
    if (answers->type != LFM_PY_LIST) return lfm_fail(c->error, LFM_ERROR_FORMAT, "possible answers that are no list");
    LFM_TRY(convert(c, &v, &declared, &overflow));
    *error_type = overflow ? lfm_bfcl_raises : check_type(v, answers, &declared, &is_variable);
    if (*error_type) return LFM_OK;
    if (!is_variable) return check_value(c, error_type, v, answers, &declared);
    *error_type = is_in(v, answers) ? NULL : "value_error:others";
    return LFM_OK;
}

/* The parameters of a call whose function is the right one. */
static enum lfm_status check_parameters(struct check *c, const char **error_type, value arguments, value properties,
                                        value required, value answers)
{
    for (size_t i = 0; i < required->count; i++)
        if (!lfm_py_get(arguments, required->items[i])) {
            *error_type = "simple_function_checker:missing_required";
            return LFM_OK;
        }
    for (size_t i = 0; i < arguments->count; i += 2) {
        value parameter = lfm_py_get(properties, arguments->items[i]),
              allowed = lfm_py_get(answers, arguments->items[i]);
        if (!parameter || !allowed) {
            *error_type = "simple_function_checker:unexpected_param";
            return LFM_OK;
        }
        LFM_TRY(check_parameter(c, error_type, arguments->items[i + 1], parameter, allowed));
        if (*error_type) return LFM_OK;
    }
    for (size_t i = 0; i < answers->count; i += 2)
        if (!lfm_py_get(arguments, answers->items[i]) && !has_empty(answers->items[i + 1])) {
            *error_type = "simple_function_checker:missing_optional";
            return LFM_OK;
        }
    return LFM_OK;
}

/* The arguments of the call, if it is one of this function; NULL otherwise. */
static enum lfm_status find_arguments(struct check *c, value *out, value call, value name)
{
    struct lfm_py_value expected = {.type = LFM_PY_STR};
    char *text;
    LFM_TRY(lfm_arena_alloc(&c->arena, (void **)&text, name->text.length + 1, c->error));
    for (size_t i = 0; i < name->text.length; i++)
        text[i] = c->underscore_to_dot && name->text.at[i] == '.' ? '_' : name->text.at[i];
    expected.text = (struct lfm_span){text, name->text.length};
    *out = lfm_py_get(call, &expected);
    return LFM_OK;
}

/* simple_function_checker */
static enum lfm_status check_call(struct check *c, const char **error_type, value call, value function, value truth)
{
    value parameters = lfm_py_get_named(function, "parameters"), name = lfm_py_get_named(function, "name"), arguments;
    bool is_dict = parameters && parameters->type == LFM_PY_DICT;
    value properties = is_dict ? lfm_py_get_named(parameters, "properties") : NULL;
    value required = is_dict ? lfm_py_get_named(parameters, "required") : NULL;
    if (!name || name->type != LFM_PY_STR || !properties || properties->type != LFM_PY_DICT || !required ||
        required->type != LFM_PY_LIST)
        return lfm_fail(c->error, LFM_ERROR_FORMAT, "a function without 'name', 'properties' or 'required'");
    *error_type = NULL;
    LFM_TRY(find_arguments(c, &arguments, call, name));
    if (arguments) return check_parameters(c, error_type, arguments, properties, required, truth->items[1]);
    *error_type = "simple_function_checker:wrong_func_name";
    return LFM_OK;
}

/* find_description */
static enum lfm_status find_function(struct check *c, value *out, value functions, value truth)
{
    for (size_t i = 0; i < functions->count; i++) {
        *out = functions->items[i];
        value name = (*out)->type == LFM_PY_DICT ? lfm_py_get_named(*out, "name") : NULL;
        if (name && lfm_py_equal(name, truth->items[0])) return LFM_OK;
    }
    return lfm_fail(c->error, LFM_ERROR_FORMAT, "the answer's function is not among the functions");
}

/* Takes, for every answer in order, the first call left that fits it. */
static enum lfm_status check_parallel(struct check *c, const char **error_type, value functions, value calls,
                                      value truths)
{
    bool *taken;
    LFM_TRY(lfm_arena_alloc(&c->arena, (void **)&taken, calls->count + 1, c->error));
    *error_type = NULL;
    for (size_t i = 0; i < truths->count; i++) {
        value function;
        bool matched = false;
        LFM_TRY(find_function(c, &function, functions, truths->items[i]));
        for (size_t j = 0; j < calls->count && !matched; j++) {
            if (taken[j]) continue;
            LFM_TRY(check_call(c, error_type, calls->items[j], function, truths->items[i]));
            if (*error_type == lfm_bfcl_raises) return LFM_OK;
            matched = taken[j] = *error_type == NULL;
        }
        if (matched) continue;
        *error_type = "parallel_function_checker_no_order:cannot_find_match";
        return LFM_OK;
    }
    return LFM_OK;
}

static enum lfm_status check_calls(struct check *c, const char **error_type, const struct lfm_bfcl_question *question,
                                   value calls)
{
    static const char *const wrong_count[] = {"simple_function_checker:wrong_count",
                                              "multiple_function_checker:wrong_count",
                                              "parallel_function_checker_no_order:wrong_count"};
    value functions = question->functions, truths = question->ground_truth, function = functions->items[0];
    size_t expected = question->matching == LFM_BFCL_SIMPLE ? 1 : truths->count;
    *error_type = wrong_count[question->matching];
    if (calls->count != expected) return LFM_OK;
    if (question->matching == LFM_BFCL_PARALLEL) return check_parallel(c, error_type, functions, calls, truths);
    if (question->matching == LFM_BFCL_MULTIPLE) LFM_TRY(find_function(c, &function, functions, truths->items[0]));
    return check_call(c, error_type, calls->items[0], function, truths->items[0]);
}

bool lfm_bfcl_is_call_list(const struct lfm_py_value *calls)
{
    if (calls->type != LFM_PY_LIST) return false;
    for (size_t i = 0; i < calls->count; i++) {
        value call = calls->items[i];
        if (call->type != LFM_PY_DICT || call->count != 2 || call->items[1]->type != LFM_PY_DICT) return false;
    }
    return true;
}

enum lfm_status lfm_bfcl_check(const char **error_type, const struct lfm_bfcl_question *question,
                               const struct lfm_py_value *calls, struct lfm_error *error)
{
    struct check c = {.underscore_to_dot = question->underscore_to_dot, .error = error};
    const struct lfm_py_value *functions = question->functions, *truths = question->ground_truth;
    if (functions->type != LFM_PY_LIST || functions->count == 0 || functions->items[0]->type != LFM_PY_DICT ||
        !lfm_bfcl_is_call_list(truths) || truths->count == 0)
        return lfm_fail(error, LFM_ERROR_FORMAT, "a question without functions or answers");
    *error_type = "ast_decoder:decoder_wrong_output_format";
    enum lfm_status status = lfm_bfcl_is_call_list(calls) ? check_calls(&c, error_type, question, calls) : LFM_OK;
    lfm_arena_release(&c.arena);
    return status;
}
