/* Databases of JSON: see database.h. */
#include "eval/tau2/database.h"

#include "reference/base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef const struct lfm_py_value *value;

/* --- changes --- */

enum lfm_status lfm_db_copy(struct lfm_arena *arena, struct lfm_py_value **out, const struct lfm_py_value *container,
                            struct lfm_error *error)
{
    LFM_TRY(lfm_py_new(arena, out, container->type, error));
    if (container->count == 0) return LFM_OK;
    LFM_TRY(lfm_arena_alloc(arena, (void **)&(*out)->items, container->count * sizeof *container->items, error));
    memcpy((*out)->items, container->items, container->count * sizeof *container->items);
    (*out)->count = (*out)->capacity = container->count;
    return LFM_OK;
}

enum lfm_status lfm_db_own_at(struct lfm_arena *arena, struct lfm_py_value **out, struct lfm_py_value *parent,
                              size_t index, struct lfm_error *error)
{
    LFM_TRY(lfm_db_copy(arena, out, parent->items[index], error));
    parent->items[index] = *out;
    return LFM_OK;
}

static struct lfm_py_value str_of(struct lfm_span text)
{
    return (struct lfm_py_value){.type = LFM_PY_STR, .text = text};
}

enum lfm_status lfm_db_own(struct lfm_arena *arena, struct lfm_py_value **out, struct lfm_py_value *parent,
                           struct lfm_span key, struct lfm_error *error)
{
    const struct lfm_py_value name = str_of(key);
    size_t i = 0;
    while (i < parent->count && !lfm_py_equal(parent->items[i], &name)) i += 2;
    if (i >= parent->count)
        return lfm_fail(error, LFM_ERROR_FORMAT, "the database has no '%.*s'", (int)key.length, key.at);
    return lfm_db_own_at(arena, out, parent, i + 1, error);
}

enum lfm_status lfm_db_put(struct lfm_arena *arena, struct lfm_py_value *dict, struct lfm_span key,
                           const struct lfm_py_value *item, struct lfm_error *error)
{
    struct lfm_py_value *name;
    LFM_TRY(lfm_py_new_str(arena, &name, key, error));
    return lfm_py_set(arena, dict, name, item, error);
}

enum lfm_status lfm_db_put_text(struct lfm_arena *arena, struct lfm_py_value *dict, const char *key, const char *text,
                                struct lfm_error *error)
{
    struct lfm_py_value *item;
    LFM_TRY(lfm_py_new_str(arena, &item, lfm_span_of(text), error));
    return lfm_db_put(arena, dict, lfm_span_of(key), item, error);
}

enum lfm_status lfm_db_model(struct lfm_arena *arena, struct lfm_py_value **out, const struct lfm_py_value *record,
                             const char *fields, const char *name, struct lfm_error *error)
{
    struct lfm_span rest = lfm_span_of(fields), field;
    if (record->type != LFM_PY_DICT) return lfm_fail(error, LFM_ERROR_FORMAT, "%s must be an object", name);
    LFM_TRY(lfm_py_new(arena, out, LFM_PY_DICT, error));
    while (lfm_py_next_word(&rest, &field)) {
        bool optional = field.at[field.length - 1] == '?';
        field.length -= optional;
        const struct lfm_py_value key = str_of(field);
        value found = lfm_py_get(record, &key);
        struct lfm_py_value *none;
        if (!found && !optional)
            return lfm_fail(error, LFM_ERROR_FORMAT, "%s has no '%.*s'", name, (int)field.length, field.at);
        LFM_TRY(lfm_py_new(arena, &none, LFM_PY_NONE, error));
        LFM_TRY(lfm_db_put(arena, *out, field, found ? found : none, error));
    }
    return LFM_OK;
}

enum lfm_status lfm_db_merge(struct lfm_arena *arena, const struct lfm_py_value **out, const struct lfm_py_value *base,
                             const struct lfm_py_value *update, struct lfm_error *error)
{
    struct lfm_py_value *merged;
    *out = update;
    if (base->type != LFM_PY_DICT || update->type != LFM_PY_DICT) return LFM_OK;
    LFM_TRY(lfm_db_copy(arena, &merged, base, error));
    for (size_t i = 0; i < update->count; i += 2) {
        value old = lfm_py_get(base, update->items[i]), item = update->items[i + 1];
        if (old) LFM_TRY(lfm_db_merge(arena, &item, old, item, error));
        LFM_TRY(lfm_py_set(arena, merged, update->items[i], item, error));
    }
    *out = merged;
    return LFM_OK;
}

const struct lfm_py_value *lfm_db_member(const struct lfm_py_value *dict, const char *key)
{
    value member = dict && dict->type == LFM_PY_DICT ? lfm_py_get_named(dict, key) : NULL;
    return member && member->type != LFM_PY_NONE ? member : NULL;
}

/* --- json.dumps --- */

static enum lfm_status put_unit(struct lfm_buffer *out, uint32_t unit, struct lfm_error *error)
{
    return lfm_buffer_printf(out, error, "\\u%04x", (unsigned)unit);
}

/* The code point at *at; lone surrogates are three bytes ED A0..BF 80..BF. */
static uint32_t next_point(const char **at, const char *end)
{
    const unsigned char *c = (const unsigned char *)*at;
    if (end - *at < 3 || c[0] != 0xED || c[1] < 0xA0) return lfm_next_point(at, end);
    *at += 3;
    return 0xD000u | (c[1] & 0x3Fu) << 6 | (c[2] & 0x3Fu);
}

static enum lfm_status put_point(struct lfm_buffer *out, uint32_t point, struct lfm_error *error)
{
    static const char letters[] = "\"\"\\\\\nn\rr\tt\bb\ff"; /* pairs: character, letter after the backslash */
    for (const char *pair = letters; *pair; pair += 2)
        if (point == (uint32_t)*pair) return lfm_buffer_printf(out, error, "\\%c", pair[1]);
    if (point >= 0x20 && point < 0x7F) return lfm_buffer_append(out, &(char){(char)point}, 1, error);
    if (point < 0x10000) return put_unit(out, point, error);
    LFM_TRY(put_unit(out, 0xD800 + ((point - 0x10000) >> 10), error));
    return put_unit(out, 0xDC00 + ((point - 0x10000) & 0x3FF), error);
}

static enum lfm_status put_text(struct lfm_buffer *out, struct lfm_span text, struct lfm_error *error)
{
    LFM_TRY(lfm_buffer_puts(out, "\"", error));
    for (const char *at = text.at, *end = text.at + text.length; at < end;)
        LFM_TRY(put_point(out, next_point(&at, end), error));
    return lfm_buffer_puts(out, "\"", error);
}

static int by_key(const void *a, const void *b)
{
    struct lfm_span left = (*(const value *)a)->text, right = (*(const value *)b)->text;
    size_t shorter = left.length < right.length ? left.length : right.length;
    int order = memcmp(left.at, right.at, shorter);
    return order ? order : (left.length > right.length) - (left.length < right.length);
}

static enum lfm_status put_member(struct lfm_buffer *out, value key, value item, bool sorted, struct lfm_error *error)
{
    if (key->type != LFM_PY_STR) return lfm_fail(error, LFM_ERROR_FORMAT, "a key that is no string");
    LFM_TRY(put_text(out, key->text, error));
    LFM_TRY(lfm_buffer_puts(out, ": ", error));
    return lfm_db_dump(out, item, sorted, error);
}

static enum lfm_status put_dict(struct lfm_buffer *out, value dict, bool sorted, struct lfm_error *error)
{
    enum lfm_status status;
    struct pair {
        value key, item;
    } *pairs;
    LFM_TRY(LFM_ALLOC(&pairs, dict->count / 2, error));
    for (size_t i = 0; i < dict->count / 2; i++)
        pairs[i] = (struct pair){dict->items[2 * i], dict->items[2 * i + 1]};
    if (sorted) qsort(pairs, dict->count / 2, sizeof *pairs, by_key);
    LFM_TRY_DONE(lfm_buffer_puts(out, "{", error));
    for (size_t i = 0; i < dict->count / 2; i++) {
        if (i > 0) LFM_TRY_DONE(lfm_buffer_puts(out, ", ", error));
        LFM_TRY_DONE(put_member(out, pairs[i].key, pairs[i].item, sorted, error));
    }
    status = lfm_buffer_puts(out, "}", error);
done:
    free(pairs);
    return status;
}

static enum lfm_status put_list(struct lfm_buffer *out, value list, bool sorted, struct lfm_error *error)
{
    LFM_TRY(lfm_buffer_puts(out, "[", error));
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0) LFM_TRY(lfm_buffer_puts(out, ", ", error));
        LFM_TRY(lfm_db_dump(out, list->items[i], sorted, error));
    }
    return lfm_buffer_puts(out, "]", error);
}

enum lfm_status lfm_db_dump(struct lfm_buffer *out, const struct lfm_py_value *item, bool sorted,
                            struct lfm_error *error)
{
    switch (item->type) {
    case LFM_PY_NONE: return lfm_buffer_puts(out, "null", error);
    case LFM_PY_BOOL: return lfm_buffer_puts(out, item->boolean ? "true" : "false", error);
    case LFM_PY_FLOAT:
        if (isnan(item->real)) return lfm_buffer_puts(out, "NaN", error);
        if (isinf(item->real)) return lfm_buffer_puts(out, item->real > 0 ? "Infinity" : "-Infinity", error);
        return lfm_py_repr(out, item, error);
    case LFM_PY_INT: return lfm_py_repr(out, item, error);
    case LFM_PY_STR: return put_text(out, item->text, error);
    case LFM_PY_LIST: return put_list(out, item, sorted, error);
    case LFM_PY_DICT: return put_dict(out, item, sorted, error);
    default: return lfm_fail(error, LFM_ERROR_FORMAT, "a value that JSON does not have");
    }
}

enum lfm_status lfm_db_hash(char text[LFM_SHA256_TEXT], const struct lfm_py_value *item, struct lfm_error *error)
{
    struct lfm_buffer dump = {0};
    enum lfm_status status = lfm_db_dump(&dump, item, true, error);
    if (status == LFM_OK) status = lfm_sha256(dump.data, dump.length, text, error);
    lfm_buffer_release(&dump);
    return status;
}
