/* The value of a constant expression: see python_syntax.h. After the Python Language Reference 3.11, 6. */
#include "eval/bfcl/python_syntax.h"

#include <complex.h>
#include <math.h>
#include <string.h>

enum { MOST_LEVELS = 300, MOST_ELEMENTS = 1000000 };

struct evaluation {
    struct lfm_arena *arena;
    struct lfm_error *error;
    int level;
};

typedef struct lfm_py_value *value;

static enum lfm_status evaluate(struct evaluation *e, value *out, const struct lfm_node *node);

static enum lfm_status refuse(const struct evaluation *e, const char *why)
{
    return lfm_fail(e->error, LFM_ERROR_FORMAT, "cannot evaluate: %s", why);
}

static bool is_integer(const struct lfm_py_value *v)
{
    return v->type == LFM_PY_INT || v->type == LFM_PY_BOOL;
}

static enum lfm_status new_double(const struct evaluation *e, value *out, double number)
{
    LFM_TRY(lfm_py_new(e->arena, out, LFM_PY_FLOAT, e->error));
    (*out)->real = number;
    return LFM_OK;
}

static enum lfm_status new_bool(const struct evaluation *e, value *out, bool truth)
{
    LFM_TRY(lfm_py_new(e->arena, out, LFM_PY_BOOL, e->error));
    (*out)->boolean = truth;
    (*out)->integer = truth;
    return LFM_OK;
}

static enum lfm_status new_rounded(const struct evaluation *e, value *out, double number)
{
    if (!isfinite(number)) return refuse(e, "an integer beyond the range of floats");
    return lfm_py_new_int_rounded(e->arena, out, number, e->error);
}

/* --- numbers --- */

/* Python's x % y and x // y: the remainder has the sign of y. */
static void divide_floor(double x, double y, double *quotient, double *remainder)
{
    double mod = fmod(x, y), div = (x - mod) / y;
    if (mod != 0 && (y < 0) != (mod < 0)) {
        mod += y;
        div -= 1;
    }
    double floored = floor(div);
    *quotient = div == 0 ? copysign(0, x / y) : floored + (div - floored > 0.5);
    *remainder = mod == 0 ? copysign(0, y) : mod;
}

static enum lfm_status real_power(const struct evaluation *e, value *out, double x, double y)
{
    if (x == 0 && y < 0) return refuse(e, "zero to a negative power");
    if (x < 0 && isfinite(x) && isfinite(y) && y != floor(y)) {
        double complex power = cpow(x, y);
        LFM_TRY(lfm_py_new(e->arena, out, LFM_PY_COMPLEX, e->error));
        (*out)->real = creal(power);
        (*out)->imaginary = cimag(power);
        return LFM_OK;
    }
    double power = pow(x, y);
    if (isinf(power) && isfinite(x) && isfinite(y)) return refuse(e, "a power beyond the range of floats");
    return new_double(e, out, power);
}

static enum lfm_status real_operation(const struct evaluation *e, value *out, enum lfm_operation operation, double x,
                                      double y)
{
    double quotient, remainder;
    bool divides = operation == LFM_OP_DIVIDE || operation == LFM_OP_FLOOR || operation == LFM_OP_MODULO;
    if (divides && y == 0) return refuse(e, "division by zero");
    switch (operation) {
    case LFM_OP_ADD: return new_double(e, out, x + y);
    case LFM_OP_SUBTRACT: return new_double(e, out, x - y);
    case LFM_OP_MULTIPLY: return new_double(e, out, x * y);
    case LFM_OP_DIVIDE: return new_double(e, out, x / y);
    case LFM_OP_POWER: return real_power(e, out, x, y);
    case LFM_OP_FLOOR:
    case LFM_OP_MODULO:
        divide_floor(x, y, &quotient, &remainder);
        return new_double(e, out, operation == LFM_OP_FLOOR ? quotient : remainder);
    default: return refuse(e, "an operator that floats do not have");
    }
}

/* Integers when an operand or the result passes 64 bits: by way of doubles. */
static enum lfm_status rounded_operation(const struct evaluation *e, value *out, enum lfm_operation operation, double x,
                                         double y)
{
    value result;
    if (operation == LFM_OP_LEFT || operation == LFM_OP_RIGHT) {
        if (y > 1e6) return refuse(e, "a shift too far");
        return new_rounded(e, out, operation == LFM_OP_LEFT ? ldexp(x, (int)y) : floor(ldexp(x, -(int)y)));
    }
    LFM_TRY(real_operation(e, &result, operation, x, y));
    return new_rounded(e, out, result->real);
}

/* x ** y of integers, y >= 0; false when it passes 64 bits. */
static bool integer_power(int64_t x, int64_t y, int64_t *out)
{
    *out = 1;
    if (x == 0 || x == 1 || x == -1) {
        *out = y == 0 ? 1 : x == -1 && y % 2 == 0 ? 1 : x;
        return true;
    }
    for (; y > 0; y--)
        if (__builtin_mul_overflow(*out, x, out)) return false;
    return true;
}

/* The exact result in *result; false when it passes 64 bits. Divisors are not zero, shifts not negative. */
static bool exact_operation(enum lfm_operation operation, int64_t x, int64_t y, int64_t *result)
{
    switch (operation) {
    case LFM_OP_ADD: return !__builtin_add_overflow(x, y, result);
    case LFM_OP_SUBTRACT: return !__builtin_sub_overflow(x, y, result);
    case LFM_OP_MULTIPLY: return !__builtin_mul_overflow(x, y, result);
    case LFM_OP_FLOOR:
        if (x == INT64_MIN && y == -1) return false;
        *result = x / y - (x % y != 0 && (x < 0) != (y < 0));
        return true;
    case LFM_OP_MODULO:
        *result = y == -1 ? 0 : x % y;
        if (*result != 0 && (*result < 0) != (y < 0)) *result += y;
        return true;
    case LFM_OP_POWER: return integer_power(x, y, result);
    case LFM_OP_LEFT:
        return x == 0 ? (*result = 0, true) : y < 63 && !__builtin_mul_overflow(x, (int64_t)1 << y, result);
    case LFM_OP_RIGHT: *result = y > 62 ? -(x < 0) : x >> y; return true;
    case LFM_OP_BIT_AND: *result = x & y; return true;
    case LFM_OP_BIT_OR: *result = x | y; return true;
    case LFM_OP_BIT_XOR: *result = x ^ y; return true;
    default: return false;
    }
}

static bool is_bitwise(enum lfm_operation operation)
{
    return operation == LFM_OP_BIT_AND || operation == LFM_OP_BIT_OR || operation == LFM_OP_BIT_XOR;
}

static enum lfm_status integer_operation(const struct evaluation *e, value *out, enum lfm_operation operation,
                                         const struct lfm_py_value *a, const struct lfm_py_value *b)
{
    double x = 0, y = 0;
    int64_t result;
    bool in_range = lfm_py_to_double(a, &x) && lfm_py_to_double(b, &y);
    if (!in_range) return refuse(e, "an integer beyond the range of floats");
    if (operation == LFM_OP_DIVIDE || (operation == LFM_OP_POWER && y < 0))
        return real_operation(e, out, operation, x, y);
    if ((operation == LFM_OP_FLOOR || operation == LFM_OP_MODULO) && y == 0) return refuse(e, "division by zero");
    if ((operation == LFM_OP_LEFT || operation == LFM_OP_RIGHT) && y < 0) return refuse(e, "a negative shift");
    if (!a->digits && !b->digits && exact_operation(operation, a->integer, b->integer, &result)) {
        if (a->type == LFM_PY_BOOL && b->type == LFM_PY_BOOL && is_bitwise(operation))
            return new_bool(e, out, result != 0);
        return lfm_py_new_int(e->arena, out, result, e->error);
    }
    return rounded_operation(e, out, operation, x, y);
}

static enum lfm_status complex_operation(const struct evaluation *e, value *out, enum lfm_operation operation,
                                         double complex x, double complex y)
{
    double complex result;
    if (operation == LFM_OP_ADD) {
        result = x + y;
    } else if (operation == LFM_OP_SUBTRACT) {
        result = x - y;
    } else if (operation == LFM_OP_MULTIPLY) {
        result = x * y;
    } else if (operation == LFM_OP_DIVIDE && y != 0) {
        result = x / y;
    } else if (operation == LFM_OP_POWER && (x != 0 || (creal(y) >= 0 && cimag(y) == 0))) {
        result = y == 0 ? 1 : x == 0 ? 0 : cpow(x, y);
    } else {
        return refuse(e, "a division by zero, or an operator that complex numbers do not have");
    }
    LFM_TRY(lfm_py_new(e->arena, out, LFM_PY_COMPLEX, e->error));
    (*out)->real = creal(result);
    (*out)->imaginary = cimag(result);
    return LFM_OK;
}

static bool to_complex(const struct lfm_py_value *v, double complex *out)
{
    double real = v->real;
    if (v->type != LFM_PY_COMPLEX && !lfm_py_to_double(v, &real)) return false;
    *out = v->type == LFM_PY_COMPLEX ? real + v->imaginary * I : real;
    return true;
}

/* --- sequences --- */

static bool is_sequence(const struct lfm_py_value *v)
{
    return v->type == LFM_PY_STR || v->type == LFM_PY_BYTES || v->type == LFM_PY_LIST || v->type == LFM_PY_TUPLE;
}

static enum lfm_status add_sequence(const struct evaluation *e, value to, const struct lfm_py_value *from,
                                    struct lfm_buffer *text)
{
    if (from->type == LFM_PY_STR || from->type == LFM_PY_BYTES)
        return lfm_buffer_append(text, from->text.at, from->text.length, e->error);
    for (size_t i = 0; i < from->count; i++) LFM_TRY(lfm_py_append(e->arena, to, from->items[i], e->error));
    return LFM_OK;
}

/* a repeated `times`, then b (or nothing) */
static enum lfm_status join(const struct evaluation *e, value *out, const struct lfm_py_value *a, int64_t times,
                            const struct lfm_py_value *b)
{
    struct lfm_buffer text = {0};
    enum lfm_status status = LFM_OK;
    size_t size = a->count + a->text.length;
    if (times > 0 && size > 0 && (uint64_t)times > MOST_ELEMENTS / size)
        return refuse(e, "a sequence that gets too long");
    LFM_TRY_DONE(lfm_py_new(e->arena, out, a->type, e->error));
    for (int64_t i = 0; size > 0 && i < times; i++) LFM_TRY_DONE(add_sequence(e, *out, a, &text));
    if (b) LFM_TRY_DONE(add_sequence(e, *out, b, &text));
    LFM_TRY_DONE(lfm_arena_copy(e->arena, &(*out)->text, (struct lfm_span){text.data, text.length}, e->error));
done:
    lfm_buffer_release(&text);
    return status;
}

static enum lfm_status merge_dicts(const struct evaluation *e, value *out, const struct lfm_py_value *a,
                                   const struct lfm_py_value *b)
{
    LFM_TRY(lfm_py_new(e->arena, out, LFM_PY_DICT, e->error));
    for (size_t i = 0; i < a->count; i += 2)
        LFM_TRY(lfm_py_set(e->arena, *out, a->items[i], a->items[i + 1], e->error));
    for (size_t i = 0; i < b->count; i += 2)
        LFM_TRY(lfm_py_set(e->arena, *out, b->items[i], b->items[i + 1], e->error));
    return LFM_OK;
}

static enum lfm_status operate(const struct evaluation *e, value *out, enum lfm_operation operation, value a, value b)
{
    double complex x, y;
    if (operation == LFM_OP_ADD && is_sequence(a) && a->type == b->type) return join(e, out, a, 1, b);
    if (operation == LFM_OP_MULTIPLY && is_sequence(b) && is_integer(a)) return operate(e, out, operation, b, a);
    if (operation == LFM_OP_MULTIPLY && is_sequence(a) && is_integer(b) && !b->digits)
        return join(e, out, a, b->integer, NULL);
    if (operation == LFM_OP_BIT_OR && a->type == LFM_PY_DICT && b->type == LFM_PY_DICT)
        return merge_dicts(e, out, a, b);
    if (is_integer(a) && is_integer(b)) return integer_operation(e, out, operation, a, b);
    if (!to_complex(a, &x) || !to_complex(b, &y)) return refuse(e, "an operator between types that do not have it");
    if (a->type == LFM_PY_COMPLEX || b->type == LFM_PY_COMPLEX) return complex_operation(e, out, operation, x, y);
    return real_operation(e, out, operation, creal(x), creal(y));
}

/* --- nodes --- */

static enum lfm_status negate(const struct evaluation *e, value *out, const struct lfm_py_value *v)
{
    if (is_integer(v)) {
        const struct lfm_py_value zero = {.type = LFM_PY_INT};
        if (v->digits && v->digits[0] != '-')
            return lfm_py_new_int_digits(e->arena, out, lfm_span_of(v->digits), 10, true, e->error);
        return integer_operation(e, out, LFM_OP_SUBTRACT, &zero, v);
    }
    if (v->type != LFM_PY_FLOAT && v->type != LFM_PY_COMPLEX) return refuse(e, "minus before what is no number");
    LFM_TRY(lfm_py_new(e->arena, out, v->type, e->error));
    (*out)->real = -v->real;
    (*out)->imaginary = v->type == LFM_PY_COMPLEX ? -v->imaginary : 0;
    return LFM_OK;
}

static enum lfm_status unary(struct evaluation *e, value *out, const struct lfm_node *node)
{
    value v;
    LFM_TRY(evaluate(e, &v, node->items[0]));
    if (node->operation == LFM_OP_NOT) return new_bool(e, out, !lfm_py_is_true(v));
    if (node->operation == LFM_OP_MINUS) return negate(e, out, v);
    if (node->operation == LFM_OP_INVERT && is_integer(v) && !v->digits)
        return lfm_py_new_int(e->arena, out, ~v->integer, e->error);
    if (node->operation != LFM_OP_PLUS || !(is_integer(v) || v->type == LFM_PY_FLOAT || v->type == LFM_PY_COMPLEX))
        return refuse(e, "a sign before what is no number");
    *out = v;
    return v->type == LFM_PY_BOOL ? lfm_py_new_int(e->arena, out, v->integer, e->error) : LFM_OK;
}

static enum lfm_status binary(struct evaluation *e, value *out, const struct lfm_node *node)
{
    value a, b;
    LFM_TRY(evaluate(e, &a, node->items[0]));
    LFM_TRY(evaluate(e, &b, node->items[1]));
    return operate(e, out, node->operation, a, b);
}

static enum lfm_status display(struct evaluation *e, value *out, const struct lfm_node *node)
{
    LFM_TRY(lfm_py_new(e->arena, out, node->kind == LFM_NODE_LIST ? LFM_PY_LIST : LFM_PY_TUPLE, e->error));
    for (size_t i = 0; i < node->count; i++) {
        value item;
        LFM_TRY(evaluate(e, &item, node->items[i]));
        LFM_TRY(lfm_py_append(e->arena, *out, item, e->error));
    }
    return LFM_OK;
}

static enum lfm_status dict(struct evaluation *e, value *out, const struct lfm_node *node)
{
    LFM_TRY(lfm_py_new(e->arena, out, LFM_PY_DICT, e->error));
    for (size_t i = 0; i + 1 < node->count; i += 2) {
        value key, item;
        if (!node->items[i]) return refuse(e, "** in a dict");
        LFM_TRY(evaluate(e, &key, node->items[i]));
        LFM_TRY(evaluate(e, &item, node->items[i + 1]));
        LFM_TRY(lfm_py_set(e->arena, *out, key, item, e->error));
    }
    return LFM_OK;
}

static enum lfm_status conditional(struct evaluation *e, value *out, const struct lfm_node *node)
{
    value condition;
    LFM_TRY(evaluate(e, &condition, node->items[1]));
    return evaluate(e, out, node->items[lfm_py_is_true(condition) ? 0 : 2]);
}

static enum lfm_status boolean(struct evaluation *e, value *out, const struct lfm_node *node)
{
    for (size_t i = 0; i < node->count; i++) {
        LFM_TRY(evaluate(e, out, node->items[i]));
        if (lfm_py_is_true(*out) == (node->operation == LFM_OP_OR)) return LFM_OK;
    }
    return LFM_OK;
}

static enum lfm_status evaluate_bare(struct evaluation *e, value *out, const struct lfm_node *node)
{
    switch (node->kind) {
    case LFM_NODE_CONSTANT: *out = node->value; return LFM_OK;
    case LFM_NODE_UNARY: return unary(e, out, node);
    case LFM_NODE_BINARY: return binary(e, out, node);
    case LFM_NODE_BOOLEAN: return boolean(e, out, node);
    case LFM_NODE_CONDITIONAL: return conditional(e, out, node);
    case LFM_NODE_LIST:
    case LFM_NODE_TUPLE: return display(e, out, node);
    case LFM_NODE_DICT: return dict(e, out, node);
    case LFM_NODE_NAME: return refuse(e, "a name has no value here");
    case LFM_NODE_CALL: return refuse(e, "calls are not executed");
    default: return refuse(e, "no constant expression");
    }
}

static enum lfm_status evaluate(struct evaluation *e, value *out, const struct lfm_node *node)
{
    if (++e->level > MOST_LEVELS) return refuse(e, "too many levels");
    LFM_TRY(evaluate_bare(e, out, node));
    e->level--;
    return LFM_OK;
}

enum lfm_status lfm_py_evaluate(struct lfm_arena *arena, struct lfm_py_value **out, const struct lfm_node *node,
                                struct lfm_error *error)
{
    struct evaluation e = {arena, error, 0};
    return evaluate(&e, out, node);
}
