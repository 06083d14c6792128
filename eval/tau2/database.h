/* Databases of JSON as Python has them: values of eval/bfcl/python_value.h, whose integers and floats differ and whose
 * dicts keep their order.
 *
 * A value may be part of many databases and is not changed, except for containers that are one database's own:
 * lfm_db_own puts a copy in the place of a container and hands it out, one level at a time, so that a change costs a
 * copy of what lies on the way to it. */
#ifndef LFM_EVAL_TAU2_DATABASE_H
#define LFM_EVAL_TAU2_DATABASE_H

#include "eval/bfcl/python_value.h"
#include "reference/base/hash.h"

#include <stdbool.h>
#include <stddef.h>

/* A container with the same elements, which may be changed. */
enum lfm_status lfm_db_copy(struct lfm_arena *arena, struct lfm_py_value **out, const struct lfm_py_value *container,
                            struct lfm_error *error);
/* Makes the container parent[key], or parent[index], the database's own and returns it. `parent` is its own already;
 * the element must be there. */
enum lfm_status lfm_db_own(struct lfm_arena *arena, struct lfm_py_value **out, struct lfm_py_value *parent,
                           struct lfm_span key, struct lfm_error *error);
enum lfm_status lfm_db_own_at(struct lfm_arena *arena, struct lfm_py_value **out, struct lfm_py_value *parent,
                              size_t index, struct lfm_error *error);

/* dict[key] = value; `dict` is the database's own. The second form makes the value of a C string. */
enum lfm_status lfm_db_put(struct lfm_arena *arena, struct lfm_py_value *dict, struct lfm_span key,
                           const struct lfm_py_value *value, struct lfm_error *error);
enum lfm_status lfm_db_put_text(struct lfm_arena *arena, struct lfm_py_value *dict, const char *key, const char *text,
                                struct lfm_error *error);

/* A record with the fields of a model, in their order: "task_id title description? status". Fields with "?" are None
 * when absent; others must be there; fields of no such name are left out. `name` is what messages call the record. */
enum lfm_status lfm_db_model(struct lfm_arena *arena, struct lfm_py_value **out, const struct lfm_py_value *record,
                             const char *fields, const char *name, struct lfm_error *error);

/* `base` with what `update` says: dicts are merged key by key, anything else is replaced. */
enum lfm_status lfm_db_merge(struct lfm_arena *arena, const struct lfm_py_value **out, const struct lfm_py_value *base,
                             const struct lfm_py_value *update, struct lfm_error *error);

/* The member of a dict; NULL when `dict` is NULL or no dict, or the member is absent or None. */
const struct lfm_py_value *lfm_db_member(const struct lfm_py_value *dict, const char *key);

/* Appends json.dumps(value), ASCII only, keys sorted where `sorted`. Values are what JSON has: no bytes, complex
 * numbers or tuples, and keys are strings. */
enum lfm_status lfm_db_dump(struct lfm_buffer *out, const struct lfm_py_value *value, bool sorted,
                            struct lfm_error *error);
/* The SHA-256 of json.dumps(value, sort_keys=True). */
enum lfm_status lfm_db_hash(char text[LFM_SHA256_TEXT], const struct lfm_py_value *value, struct lfm_error *error);

#endif
