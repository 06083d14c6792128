/* Cases for eval/text: JSON Lines with "text" and what Python's libraries make of it (scripts/golden/text.py). */
#ifndef LFM_TESTS_TEXT_CASES_H
#define LFM_TESTS_TEXT_CASES_H

#include "eval/text/python_text.h"
#include "tests/unit/assert.h"

#include <cjson/cJSON.h>
#include <stddef.h>

/* A larger set of the same form, laid beside the project by those who have it. */
#define TEXT_ORACLE "../shared/oracle/ifeval/components-open.jsonl.gz"

/* Calls `check` with every row of a file of JSON Lines, which may be packed (.gz). */
void each_row(const char *path, void (*check)(const cJSON *row));
/* The same with tests/golden/text/cases.jsonl, or the file that LFM_TEXT_CASES names. */
void each_text_case(void (*check)(const cJSON *row));
/* The same with TEXT_ORACLE; the test is skipped when the file is absent. */
void each_oracle_case(void (*check)(const cJSON *row));

/* The text of a row's key; the test fails without it. */
struct lfm_span text_of(const cJSON *row, const char *key);
const cJSON *item_of(const cJSON *row, const char *key);

/* The span's place in `text` in code points, as Python counts. */
size_t points_before(struct lfm_span text, const char *at);

#endif
