/* Results: what some runtime made of a pack's cases. docs/conformance.md has the file's format. */
#ifndef LFM_EVAL_CONFORM_RESULTS_H
#define LFM_EVAL_CONFORM_RESULTS_H

#include "eval/conform/pack.h"
#include "reference/model/model.h"

/* Gives a case its result. `row` belongs to the pack once LFM_OK is returned. Fails on sections and cases that the pack
 * does not have, on second results, and on values of another shape than the case's. */
enum lfm_status lfm_results_add(struct lfm_pack *pack, cJSON *row, const char *place, struct lfm_error *error);

/* Reads JSON Lines, or one JSON array, of {"section", "id", ...}; a row of section "about" says what computed them. Fails
 * when the file has no result. "-" is standard input. */
enum lfm_status lfm_results_read(struct lfm_pack *pack, const char *path, struct lfm_error *error);

/* The results of this program's engine with an opened model of the pack, for all cases. */
enum lfm_status lfm_results_compute(struct lfm_pack *pack, const struct lfm_model *model, struct lfm_error *error);

/* Writes the results that were given as JSON Lines. */
enum lfm_status lfm_results_write(const struct lfm_pack *pack, const char *path, struct lfm_error *error);

/* The number of cases with results. */
size_t lfm_results_count(const struct lfm_pack *pack);

#endif
