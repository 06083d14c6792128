/* JSON values as Python writes them: what chat templates print with `tojson` and `string`.
 *
 * JSON as read here does not tell 1.0 from 1: whole numbers are written as integers. */
#ifndef LFM_MODEL_PYTHON_TEXT_H
#define LFM_MODEL_PYTHON_TEXT_H

#include "reference/base/buffer.h"
#include "reference/base/error.h"
#include "reference/base/json.h"

/* json.dumps(value, ensure_ascii=False) */
enum lfm_status lfm_python_json(struct lfm_buffer *out, const cJSON *value, struct lfm_error *error);
/* str(value): a string as it is, anything else as repr() gives it */
enum lfm_status lfm_python_str(struct lfm_buffer *out, const cJSON *value, struct lfm_error *error);

#endif
