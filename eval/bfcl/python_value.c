/* Values of Python literals, and their arena: see python_value.h. */
#include "eval/bfcl/python_value.h"

#include "reference/base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

enum { BLOCK_BYTES = 16 * 1024, ALIGNMENT = 16 };

struct lfm_arena_block {
    struct lfm_arena_block *next;
    size_t used, size;
    _Alignas(ALIGNMENT) unsigned char bytes[];
};

enum lfm_status lfm_arena_alloc(struct lfm_arena *arena, void **out, size_t size, struct lfm_error *error)
{
    struct lfm_arena_block *block = arena->blocks;
    if (size > SIZE_MAX / 2) return lfm_fail(error, LFM_ERROR_MEMORY, "cannot allocate %zu bytes", size);
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (!block || block->size - block->used < size) {
        size_t room = size > BLOCK_BYTES ? size : BLOCK_BYTES;
        LFM_TRY(lfm_alloc((void **)&block, 1, sizeof *block + room, error));
        block->size = room;
        block->next = arena->blocks;
        arena->blocks = block;
    }
    *out = block->bytes + block->used;
    block->used += size;
    return LFM_OK;
}

enum lfm_status lfm_arena_copy(struct lfm_arena *arena, struct lfm_span *out, struct lfm_span text,
                               struct lfm_error *error)
{
    char *copy;
    LFM_TRY(lfm_arena_alloc(arena, (void **)&copy, text.length + 1, error));
    if (text.length) memcpy(copy, text.at, text.length);
    *out = (struct lfm_span){copy, text.length};
    return LFM_OK;
}

enum lfm_status lfm_arena_grow(struct lfm_arena *arena, void **array, size_t *capacity, size_t count, size_t size,
                               struct lfm_error *error)
{
    if (count < *capacity) return LFM_OK;
    size_t target = *capacity < 4 ? 4 : *capacity * 2;
    void *memory;
    if (target > SIZE_MAX / 4 / size) return lfm_fail(error, LFM_ERROR_MEMORY, "cannot hold %zu elements", target);
    LFM_TRY(lfm_arena_alloc(arena, &memory, target * size, error));
    if (count) memcpy(memory, *array, count * size);
    *array = memory;
    *capacity = target;
    return LFM_OK;
}

void lfm_arena_release(struct lfm_arena *arena)
{
    while (arena->blocks) {
        struct lfm_arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
}

enum lfm_status lfm_py_new(struct lfm_arena *arena, struct lfm_py_value **out, enum lfm_py_type type,
                           struct lfm_error *error)
{
    LFM_TRY(lfm_arena_alloc(arena, (void **)out, sizeof **out, error));
    (*out)->type = type;
    return LFM_OK;
}

enum lfm_status lfm_py_new_str(struct lfm_arena *arena, struct lfm_py_value **out, struct lfm_span text,
                               struct lfm_error *error)
{
    LFM_TRY(lfm_py_new(arena, out, LFM_PY_STR, error));
    return lfm_arena_copy(arena, &(*out)->text, text, error);
}

enum lfm_status lfm_py_new_int(struct lfm_arena *arena, struct lfm_py_value **out, int64_t integer,
                               struct lfm_error *error)
{
    LFM_TRY(lfm_py_new(arena, out, LFM_PY_INT, error));
    (*out)->integer = integer;
    return LFM_OK;
}

/* The decimal digits of a number in another base; `decimal` has room for as many digits as `digits` has, times 2. */
static size_t to_decimal(char *decimal, struct lfm_span digits, int base)
{
    size_t used = 1; /* least significant first while at work */
    decimal[0] = 0;
    for (size_t i = 0; i < digits.length; i++) {
        int carry = lfm_hex_digit(digits.at[i]);
        for (size_t j = 0; j < used; j++) {
            carry += decimal[j] * base;
            decimal[j] = (char)(carry % 10);
            carry /= 10;
        }
        for (; carry > 0; carry /= 10) decimal[used++] = (char)(carry % 10);
    }
    for (size_t i = 0, j = used - 1; i < j; i++, j--) {
        char kept = decimal[i];
        decimal[i] = decimal[j];
        decimal[j] = kept;
    }
    for (size_t i = 0; i < used; i++) decimal[i] = (char)(decimal[i] + '0');
    return used;
}

static enum lfm_status new_big(struct lfm_arena *arena, struct lfm_py_value **out, struct lfm_span digits, int base,
                               bool negative, struct lfm_error *error)
{
    char *decimal;
    LFM_TRY(lfm_py_new(arena, out, LFM_PY_INT, error));
    LFM_TRY(lfm_arena_alloc(arena, (void **)&decimal, digits.length * 2 + 4, error));
    decimal[0] = '-';
    char *start = decimal + (negative ? 1 : 0);
    if (base == 10)
        memcpy(start, digits.at, digits.length);
    else
        to_decimal(start, digits, base);
    (*out)->digits = decimal;
    return LFM_OK;
}

enum { MOST_DIGITS = 4300 }; /* CPython's limit on decimal literals; other bases end here too */

enum lfm_status lfm_py_new_int_digits(struct lfm_arena *arena, struct lfm_py_value **out, struct lfm_span digits,
                                      int base, bool negative, struct lfm_error *error)
{
    int64_t sum = 0;
    if (digits.length > MOST_DIGITS)
        return lfm_fail(error, LFM_ERROR_FORMAT, "an integer of %zu digits; at most %d are read", digits.length,
                        MOST_DIGITS);
    while (digits.length > 1 && digits.at[0] == '0') digits = (struct lfm_span){digits.at + 1, digits.length - 1};
    for (size_t i = 0; i < digits.length; i++) {
        int digit = lfm_hex_digit(digits.at[i]);
        if (__builtin_mul_overflow(sum, base, &sum) ||
            (negative ? __builtin_sub_overflow(sum, digit, &sum) : __builtin_add_overflow(sum, digit, &sum)))
            return new_big(arena, out, digits, base, negative, error);
    }
    return lfm_py_new_int(arena, out, sum, error);
}

enum lfm_status lfm_py_new_int_rounded(struct lfm_arena *arena, struct lfm_py_value **out, double number,
                                       struct lfm_error *error)
{
    char digits[400];
    if (fabs(number) < 0x1p63) return lfm_py_new_int(arena, out, (int64_t)number, error);
    int length = snprintf(digits, sizeof digits, "%.0f", fabs(number));
    return new_big(arena, out, (struct lfm_span){digits, (size_t)length}, 10, number < 0, error);
}

enum lfm_status lfm_py_append(struct lfm_arena *arena, struct lfm_py_value *sequence,
                              const struct lfm_py_value *item, struct lfm_error *error)
{
    LFM_TRY(lfm_arena_grow(arena, (void **)&sequence->items, &sequence->capacity, sequence->count,
                           sizeof *sequence->items, error));
    sequence->items[sequence->count++] = item;
    return LFM_OK;
}

static bool is_hashable(const struct lfm_py_value *value)
{
    if (value->type == LFM_PY_LIST || value->type == LFM_PY_DICT) return false;
    for (size_t i = 0; i < value->count; i++)
        if (!is_hashable(value->items[i])) return false;
    return true;
}

/* --- dicts: looked through while small, by an index of their keys when large --- */

enum { SMALL_DICT = 64 }; /* elements of `items` */

/* Open addressing; a slot holds 1 + the key's place among the items, or 0. Good for the very dict it was made for, as
 * it was: a copy, or a dict that got items by other ways, is looked through. */
struct lfm_py_index {
    const struct lfm_py_value *of;
    size_t count, mask;
    size_t slots[];
};

static uint64_t mix(uint64_t hash, const void *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) hash = (hash ^ ((const unsigned char *)bytes)[i]) * UINT64_C(0x100000001B3);
    return hash;
}

/* Equal keys have equal hashes: 1, 1.0, True and 1+0j are one key. */
static uint64_t hash_of(const struct lfm_py_value *key)
{
    const uint64_t start = UINT64_C(0xCBF29CE484222325);
    uint64_t hash = start;
    double number = key->real;
    switch (key->type) {
    case LFM_PY_STR:
    case LFM_PY_BYTES: return mix(start, key->text.at, key->text.length);
    case LFM_PY_BOOL:
    case LFM_PY_INT: number = key->digits ? strtod(key->digits, NULL) : (double)key->integer; /* fall through */
    case LFM_PY_FLOAT:
    case LFM_PY_COMPLEX: number += 0.0; return mix(start, &number, sizeof number);
    default:
        for (size_t i = 0; i < key->count; i++) {
            uint64_t item = hash_of(key->items[i]);
            hash = mix(hash, &item, sizeof item);
        }
        return hash;
    }
}

static void index_key(struct lfm_py_index *index, const struct lfm_py_value *dict, size_t place)
{
    size_t slot = (size_t)hash_of(dict->items[place]) & index->mask;
    while (index->slots[slot]) slot = (slot + 1) & index->mask;
    index->slots[slot] = place + 1;
    index->count = place + 2;
}

static bool is_indexed(const struct lfm_py_value *dict)
{
    return dict->index && dict->index->of == dict && dict->index->count == dict->count;
}

/* Takes the last key up, making the index anew when there is none or it is more than half full. */
static enum lfm_status index_last_key(struct lfm_arena *arena, struct lfm_py_value *dict, struct lfm_error *error)
{
    struct lfm_py_index *index = dict->index;
    if (dict->count < SMALL_DICT) return LFM_OK;
    if (index && index->of == dict && index->count == dict->count - 2 && dict->count <= index->mask) {
        index_key(index, dict, dict->count - 2);
        return LFM_OK;
    }
    size_t slots = SMALL_DICT;
    while (slots < 2 * dict->count) slots *= 2;
    LFM_TRY(lfm_arena_alloc(arena, (void **)&index, sizeof *index + slots * sizeof *index->slots, error));
    index->of = dict;
    index->mask = slots - 1;
    for (size_t i = 0; i < dict->count; i += 2) index_key(index, dict, i);
    dict->index = index;
    return LFM_OK;
}

/* The key's place among the items; their number when it is not there. */
static size_t find_key(const struct lfm_py_value *dict, const struct lfm_py_value *key)
{
    if (is_indexed(dict)) {
        const struct lfm_py_index *index = dict->index;
        for (size_t slot = (size_t)hash_of(key) & index->mask; index->slots[slot]; slot = (slot + 1) & index->mask)
            if (lfm_py_equal(dict->items[index->slots[slot] - 1], key)) return index->slots[slot] - 1;
        return dict->count;
    }
    for (size_t i = 0; i < dict->count; i += 2)
        if (lfm_py_equal(dict->items[i], key)) return i;
    return dict->count;
}

enum lfm_status lfm_py_set(struct lfm_arena *arena, struct lfm_py_value *dict, const struct lfm_py_value *key,
                           const struct lfm_py_value *value, struct lfm_error *error)
{
    if (!is_hashable(key)) return lfm_fail(error, LFM_ERROR_FORMAT, "a list or dict cannot be a key");
    size_t place = find_key(dict, key);
    if (place < dict->count) {
        dict->items[place + 1] = value;
        return LFM_OK;
    }
    LFM_TRY(lfm_py_append(arena, dict, key, error));
    LFM_TRY(lfm_py_append(arena, dict, value, error));
    return index_last_key(arena, dict, error);
}

const struct lfm_py_value *lfm_py_get(const struct lfm_py_value *dict, const struct lfm_py_value *key)
{
    size_t place = find_key(dict, key);
    return place < dict->count ? dict->items[place + 1] : NULL;
}

const struct lfm_py_value *lfm_py_get_named(const struct lfm_py_value *dict, const char *key)
{
    const struct lfm_py_value name = {.type = LFM_PY_STR, .text = lfm_span_of(key)};
    return lfm_py_get(dict, &name);
}

static bool is_integer(const struct lfm_py_value *value)
{
    return value->type == LFM_PY_INT || value->type == LFM_PY_BOOL;
}

static bool is_number(const struct lfm_py_value *value)
{
    return is_integer(value) || value->type == LFM_PY_FLOAT || value->type == LFM_PY_COMPLEX;
}

static bool integer_equals_double(const struct lfm_py_value *value, double number)
{
    if (!value->digits)
        return number >= -0x1p63 && number < 0x1p63 && number == floor(number) && (int64_t)number == value->integer;
    char digits[400];
    snprintf(digits, sizeof digits, "%.0f", number);
    return strcmp(digits, value->digits) == 0;
}

static bool numbers_equal(const struct lfm_py_value *a, const struct lfm_py_value *b)
{
    if (is_integer(a) && is_integer(b))
        return a->digits && b->digits ? strcmp(a->digits, b->digits) == 0
                                      : !a->digits && !b->digits && a->integer == b->integer;
    if (is_integer(a)) return b->imaginary == 0 && integer_equals_double(a, b->real);
    if (is_integer(b)) return numbers_equal(b, a);
    return a->real == b->real && a->imaginary == b->imaginary;
}

static bool dicts_equal(const struct lfm_py_value *a, const struct lfm_py_value *b)
{
    if (a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i += 2) {
        const struct lfm_py_value *other = lfm_py_get(b, a->items[i]);
        if (!other || !lfm_py_equal(a->items[i + 1], other)) return false;
    }
    return true;
}

bool lfm_py_equal(const struct lfm_py_value *a, const struct lfm_py_value *b)
{
    if (is_number(a) && is_number(b)) return numbers_equal(a, b);
    if (a->type != b->type) return false;
    if (a->type == LFM_PY_NONE) return true;
    if (a->type == LFM_PY_STR || a->type == LFM_PY_BYTES) return lfm_span_equals(a->text, b->text);
    if (a->type == LFM_PY_DICT) return dicts_equal(a, b);
    if (a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++)
        if (!lfm_py_equal(a->items[i], b->items[i])) return false;
    return true;
}

bool lfm_py_is_str(const struct lfm_py_value *value, const char *text)
{
    return value->type == LFM_PY_STR && lfm_span_equals(value->text, lfm_span_of(text));
}

bool lfm_py_is_true(const struct lfm_py_value *value)
{
    switch (value->type) {
    case LFM_PY_NONE: return false;
    case LFM_PY_BOOL:
    case LFM_PY_INT: return value->digits || value->integer != 0;
    case LFM_PY_FLOAT:
    case LFM_PY_COMPLEX: return value->real != 0 || value->imaginary != 0;
    case LFM_PY_STR:
    case LFM_PY_BYTES: return value->text.length > 0;
    default: return value->count > 0;
    }
}

enum lfm_status lfm_py_put_point(struct lfm_buffer *out, uint32_t point, struct lfm_error *error)
{
    const bool lone = point >= 0xD800 && point < 0xE000; /* a surrogate, which UTF-8 proper has no form for */
    uint8_t bytes[4] = {0xED, (uint8_t)(0x80 | (point >> 6 & 0x3F)), (uint8_t)(0x80 | (point & 0x3F))};
    int length = lone ? 3 : u8_uctomb(bytes, point, sizeof bytes);
    if (length < 0) return lfm_fail(error, LFM_ERROR_FORMAT, "a code point beyond U+10FFFF");
    return lfm_buffer_append(out, bytes, (size_t)length, error);
}

int lfm_hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool lfm_py_to_double(const struct lfm_py_value *value, double *out)
{
    if (value->type == LFM_PY_FLOAT)
        *out = value->real;
    else if (is_integer(value))
        *out = value->digits ? strtod(value->digits, NULL) : (double)value->integer;
    else
        return false;
    return value->type == LFM_PY_FLOAT || isfinite(*out);
}
