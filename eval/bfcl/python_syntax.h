/* Python expressions (CPython 3.11's grammar) as trees: what ast.parse(text, mode="eval"), ast.unparse and eval of a
 * constant expression do for the decoder of calls. Nothing is executed: names and calls have no value here.
 *
 * Everything lies in the caller's arena. Text that is not an expression, or passes a limit, fails with
 * LFM_ERROR_FORMAT. */
#ifndef LFM_EVAL_BFCL_PYTHON_SYNTAX_H
#define LFM_EVAL_BFCL_PYTHON_SYNTAX_H

#include "eval/bfcl/python_value.h"

enum lfm_token_kind {
    LFM_TOKEN_NAME,
    LFM_TOKEN_NUMBER,
    LFM_TOKEN_STRING,
    LFM_TOKEN_OPERATOR,
    LFM_TOKEN_NEWLINE,
    LFM_TOKEN_END
};

struct lfm_token {
    enum lfm_token_kind kind;
    struct lfm_span text; /* of the source, as written; strings with prefix and quotes */
};
struct lfm_tokens {
    struct lfm_token *items; /* the last is LFM_TOKEN_END */
    size_t count, capacity;
};

/* The tokens of a source text. Line ends become \n first, so spans lie in the arena's copy of the text. */
enum lfm_status lfm_py_tokenize(struct lfm_arena *arena, struct lfm_tokens *out, struct lfm_span source,
                                struct lfm_error *error);
/* The value of a NUMBER token. */
enum lfm_status lfm_py_number(struct lfm_arena *arena, struct lfm_py_value **out, struct lfm_span token,
                              struct lfm_error *error);
/* The value, str or bytes, of a STRING token; *is_format instead, without a value, when it is an f-string, whose
 * replacement fields are checked. */
enum lfm_status lfm_py_string(struct lfm_arena *arena, struct lfm_py_value **out, bool *is_format,
                              struct lfm_span token, struct lfm_error *error);

/* Checks what stands between an f-string's quotes: its escapes, and its replacement fields with the expressions in
 * them. */
enum lfm_status lfm_py_check_format(struct lfm_arena *arena, struct lfm_span content, bool raw,
                                    struct lfm_error *error);
/* Checks the escapes of a str's content. */
enum lfm_status lfm_py_check_escapes(struct lfm_span content, struct lfm_error *error);

enum lfm_node_kind {
    LFM_NODE_CONSTANT,      /* `value`; `text` is "u" when its literal had that prefix */
    LFM_NODE_ELLIPSIS,
    LFM_NODE_NAME,          /* `text`, NFKC as Python has it */
    LFM_NODE_FORMAT,        /* an f-string; `text` is its source */
    LFM_NODE_ATTRIBUTE,     /* items: object; `text` */
    LFM_NODE_CALL,          /* items: function, arguments in order of writing */
    LFM_NODE_KEYWORD,       /* items: value; `text`, whose `at` is NULL for ** */
    LFM_NODE_SUBSCRIPT,     /* items: object, index */
    LFM_NODE_SLICE,         /* items: three, NULL where left out */
    LFM_NODE_UNARY,         /* operation; items: operand */
    LFM_NODE_BINARY,        /* operation; items: left, right */
    LFM_NODE_BOOLEAN,       /* operation; items: operands */
    LFM_NODE_COMPARE,       /* items: operand, OPERATOR, operand, ... */
    LFM_NODE_OPERATOR,      /* `text`: "<", "not in", ... */
    LFM_NODE_CONDITIONAL,   /* items: value, condition, other value */
    LFM_NODE_LIST,          /* items */
    LFM_NODE_TUPLE,         /* items */
    LFM_NODE_SET,           /* items */
    LFM_NODE_DICT,          /* items: key (NULL for **), value, ... */
    LFM_NODE_COMPREHENSION, /* `text`: "[", "{" or "("; items: element, or key and value, then FORs */
    LFM_NODE_FOR,           /* `text`: "for" or "async for"; items: target, iterable, conditions */
    LFM_NODE_STARRED,       /* items: value */
    LFM_NODE_LAMBDA,        /* items: PARAMETERs, body */
    LFM_NODE_PARAMETER,     /* `text`: "a", "*a", "**a", "*", "/"; items: default, or none */
    LFM_NODE_NAMED,         /* items: name, value of := */
    LFM_NODE_YIELD,         /* `text`: "yield" or "yield from"; items: value, or none */
    LFM_NODE_AWAIT          /* items: value */
};

enum lfm_operation {
    LFM_OP_OR, LFM_OP_AND, LFM_OP_NOT, LFM_OP_BIT_OR, LFM_OP_BIT_XOR, LFM_OP_BIT_AND, LFM_OP_LEFT, LFM_OP_RIGHT,
    LFM_OP_ADD, LFM_OP_SUBTRACT, LFM_OP_MULTIPLY, LFM_OP_MATRIX, LFM_OP_DIVIDE, LFM_OP_FLOOR, LFM_OP_MODULO,
    LFM_OP_PLUS, LFM_OP_MINUS, LFM_OP_INVERT, LFM_OP_POWER
};

struct lfm_node {
    enum lfm_node_kind kind;
    enum lfm_operation operation;
    struct lfm_span text;
    struct lfm_py_value *value;
    struct lfm_node **items;
    size_t count, capacity;
};

/* ast.parse(source, mode="eval").body. More than 200 brackets inside each other, as in CPython, or 1,000 other levels
 * are refused. */
enum lfm_status lfm_py_parse(struct lfm_arena *arena, struct lfm_node **out, struct lfm_span source,
                             struct lfm_error *error);
/* Appends ast.unparse(node). */
enum lfm_status lfm_py_unparse(struct lfm_buffer *out, const struct lfm_node *node, struct lfm_error *error);
/* eval(ast.unparse(node)) of literals and operators. Fails on names, calls and what else is no constant, where Python
 * would raise (1/0, "a" + 1), and on results of more than a million bytes or elements. */
enum lfm_status lfm_py_evaluate(struct lfm_arena *arena, struct lfm_py_value **out, const struct lfm_node *node,
                                struct lfm_error *error);

#endif
