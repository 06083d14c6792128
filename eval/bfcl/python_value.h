/* Values of Python literals: what a model's call arguments, the published questions and their answers consist of.
 *
 * Everything lies in an arena and is released with it; values are not changed once built. Strings are UTF-8, lone
 * surrogates (which Python's str may hold) three bytes each. Integers of 64 bits are exact. Beyond that a literal keeps
 * its decimal digits, and the result of an operation is rounded to a double first. */
#ifndef LFM_EVAL_BFCL_PYTHON_VALUE_H
#define LFM_EVAL_BFCL_PYTHON_VALUE_H

#include "eval/text/python_text.h"
#include "reference/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Memory that is released at once. Start with {0}. */
struct lfm_arena {
    struct lfm_arena_block *blocks;
};
/* Zeroed, aligned for any value. */
enum lfm_status lfm_arena_alloc(struct lfm_arena *arena, void **out, size_t size, struct lfm_error *error);
enum lfm_status lfm_arena_copy(struct lfm_arena *arena, struct lfm_span *out, struct lfm_span text,
                               struct lfm_error *error);
/* Grows an array of `count` elements in the arena so that one more fits. */
enum lfm_status lfm_arena_grow(struct lfm_arena *arena, void **array, size_t *capacity, size_t count, size_t size,
                               struct lfm_error *error);
void lfm_arena_release(struct lfm_arena *arena);

enum lfm_py_type {
    LFM_PY_NONE,
    LFM_PY_BOOL,
    LFM_PY_INT,
    LFM_PY_FLOAT,
    LFM_PY_COMPLEX,
    LFM_PY_STR,
    LFM_PY_BYTES,
    LFM_PY_LIST,
    LFM_PY_TUPLE,
    LFM_PY_DICT
};

struct lfm_py_value {
    enum lfm_py_type type;
    bool boolean;             /* bool */
    int64_t integer;          /* int, and bool as 0 or 1 */
    const char *digits;       /* int beyond 64 bits: "-123...", NULL otherwise */
    double real, imaginary;   /* float, complex */
    struct lfm_span text;     /* str, bytes */
    /* list and tuple: the elements; dict: key, value, key, value, ... in order of insertion */
    const struct lfm_py_value **items;
    size_t count, capacity; /* of `items`: a dict of n keys counts 2n */
    struct lfm_py_index *index; /* of a large dict's keys, kept by lfm_py_set; NULL while it is small */
};

enum lfm_status lfm_py_new(struct lfm_arena *arena, struct lfm_py_value **out, enum lfm_py_type type,
                           struct lfm_error *error);
enum lfm_status lfm_py_new_str(struct lfm_arena *arena, struct lfm_py_value **out, struct lfm_span text,
                               struct lfm_error *error); /* copies */
enum lfm_status lfm_py_new_int(struct lfm_arena *arena, struct lfm_py_value **out, int64_t integer,
                               struct lfm_error *error);
/* An integer literal: digits of this base (2, 8, 10, 16), no underscores. */
enum lfm_status lfm_py_new_int_digits(struct lfm_arena *arena, struct lfm_py_value **out, struct lfm_span digits,
                                      int base, bool negative, struct lfm_error *error);
/* The integer nearest to a finite double. */
enum lfm_status lfm_py_new_int_rounded(struct lfm_arena *arena, struct lfm_py_value **out, double number,
                                       struct lfm_error *error);
enum lfm_status lfm_py_append(struct lfm_arena *arena, struct lfm_py_value *sequence,
                              const struct lfm_py_value *item, struct lfm_error *error);
/* d[key] = value. Fails with LFM_ERROR_FORMAT on keys that Python cannot hash: lists, dicts, tuples with such. */
enum lfm_status lfm_py_set(struct lfm_arena *arena, struct lfm_py_value *dict, const struct lfm_py_value *key,
                           const struct lfm_py_value *value, struct lfm_error *error);

/* d.get(key); NULL when there is none. The second form takes a C string. */
const struct lfm_py_value *lfm_py_get(const struct lfm_py_value *dict, const struct lfm_py_value *key);
const struct lfm_py_value *lfm_py_get_named(const struct lfm_py_value *dict, const char *key);

/* a == b: 1 == 1.0 == True, and sequences of one type element by element. */
bool lfm_py_equal(const struct lfm_py_value *a, const struct lfm_py_value *b);
bool lfm_py_is_str(const struct lfm_py_value *value, const char *text); /* a str of this text */
bool lfm_py_is_true(const struct lfm_py_value *value);                  /* bool(value) */
/* float(value) of a bool, int or float; false when it is none, or too large. */
bool lfm_py_to_double(const struct lfm_py_value *value, double *out);

/* Appends a code point as UTF-8, a lone surrogate as three bytes; fails with LFM_ERROR_FORMAT beyond U+10FFFF. */
enum lfm_status lfm_py_put_point(struct lfm_buffer *out, uint32_t point, struct lfm_error *error);
/* 0 to 15, or -1 when it is no hexadecimal digit. */
int lfm_hex_digit(char c);

/* Appends repr(value). */
enum lfm_status lfm_py_repr(struct lfm_buffer *out, const struct lfm_py_value *value, struct lfm_error *error);

#endif
