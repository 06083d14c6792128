/* Results of `eval`, alone or against variants, into structs: see document.h and read.h. */
#include "reports/read.h"

#include "reference/base/file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct lfm_rate read_rate(struct lfm_place at)
{
    return (struct lfm_rate){
        .accuracy = lfm_read_number(at, "accuracy"),
        .right = lfm_read_number(at, "right"),
        .n = lfm_read_number(at, "n"),
        .low = lfm_read_number(at, "low"),
        .high = lfm_read_number(at, "high"),
    };
}

static bool is_rate(const cJSON *item)
{
    return cJSON_IsObject(item) && cJSON_GetObjectItemCaseSensitive(item, "accuracy") &&
           cJSON_GetObjectItemCaseSensitive(item, "n");
}

/* The suite's own rates stand beside "correct" under their names. */
static void read_rates(struct lfm_place at, struct lfm_task_run *run)
{
    for (const cJSON *item = at.object->child; item; item = item->next) {
        if (!is_rate(item) || strcmp(item->string, "correct") == 0) continue;
        struct lfm_place place = {at.pool, item, lfm_pool_printf(at.pool, "%s: %.60s", at.name, item->string)};
        run->parts[run->n_parts++] =
            (struct lfm_task_part){.name = lfm_clean_text(at.pool, item->string), .rate = read_rate(place)};
    }
}

/* IFEval's kinds of instruction, by the strict rule. */
static void read_tier(struct lfm_list list, struct lfm_task_run *run)
{
    for (size_t i = 0; i < list.count; i++) {
        struct lfm_place item = lfm_list_next(&list);
        double accuracy = lfm_read_number(item, "strict"), n = lfm_read_number(item, "n");
        run->parts[run->n_parts++] = (struct lfm_task_part){
            .name = lfm_read_string(item, "name"),
            .rate = {.accuracy = accuracy, .right = round(accuracy * n), .n = n, .low = NAN, .high = NAN},
        };
    }
}

/* tau2's kinds of task. */
static void read_templates(struct lfm_list list, struct lfm_task_run *run)
{
    for (size_t i = 0; i < list.count; i++) {
        struct lfm_place item = lfm_list_next(&list);
        double right = lfm_read_number(item, "right"), n = lfm_read_number(item, "n");
        run->parts[run->n_parts++] = (struct lfm_task_part){
            .name = lfm_read_string(item, "name"),
            .rate = {.accuracy = right / n, .right = right, .n = n, .low = NAN, .high = NAN},
        };
    }
}

static void read_parts(struct lfm_place at, struct lfm_task_run *run)
{
    struct lfm_list tier = lfm_place_list(at, "tier1"), templates = lfm_place_list(at, "templates");
    if (!at.object) return;
    size_t most = (size_t)cJSON_GetArraySize(at.object) + tier.count + templates.count;
    run->parts = lfm_pool_alloc(at.pool, most, sizeof *run->parts);
    if (!run->parts) return;
    read_rates(at, run);
    read_tier(tier, run);
    read_templates(templates, run);
}

static void read_cells(struct lfm_place at, struct lfm_task_run *run)
{
    struct lfm_list list = lfm_place_list(at, "cells");
    run->cells = lfm_pool_alloc(at.pool, list.count, sizeof *run->cells);
    if (!run->cells) return;
    for (; run->n_cells < list.count; run->n_cells++) {
        struct lfm_place item = lfm_list_next(&list);
        run->cells[run->n_cells] = (struct lfm_task_cell){
            .kind = lfm_read_string(item, "kind"),
            .length = lfm_read_number(item, "length"),
            .depth = lfm_read_number(item, "depth"),
            .rate = read_rate(lfm_place_inside(item, "correct")),
        };
    }
}

/* What only the summary of the run itself says. */
static void read_details(struct lfm_place at, struct lfm_document *document, struct lfm_task_run *run)
{
    const char *model = lfm_read_string(at, "model"), *unit = lfm_read_string(at, "length_unit");
    if (model[0]) document->model = lfm_base_name(model);
    if (unit[0]) document->length_unit = unit;
    read_parts(at, run);
    read_cells(at, run);
}

static double count_of(struct lfm_place at, const char *key)
{
    const cJSON *list = lfm_place_find(at, key);
    if (!list) return NAN;
    if (!cJSON_IsArray(list)) lfm_place_fail(at, key, "a list");
    return cJSON_GetArraySize(list);
}

static const char *label_of(struct lfm_pool *pool, const char *name)
{
    return name[0] ? lfm_variant_title(pool, name) : "unnamed";
}

static struct lfm_task_run read_run(struct lfm_place at)
{
    struct lfm_place difference = lfm_place_inside(at, "difference"), equivalence = lfm_place_inside(at, "equivalence");
    struct lfm_place finish = lfm_place_inside(at, "finish");
    const char *name = lfm_read_string(at, "name");
    return (struct lfm_task_run){
        .name = name,
        .label = label_of(at.pool, name),
        .bits_per_weight = lfm_read_number(at, "bits_per_weight"),
        .correct = read_rate(lfm_place_inside(at, "correct")),
        .cut_off = lfm_read_number(finish, "length") + lfm_read_number(finish, "context"),
        .lost = count_of(at, "lost"),
        .gained = count_of(at, "gained"),
        .difference = lfm_read_number(difference, "value"),
        .difference_low = lfm_read_number(difference, "low"),
        .difference_high = lfm_read_number(difference, "high"),
        .mcnemar_exact = lfm_read_number(at, "mcnemar_exact"),
        .mcnemar_mid_p = lfm_read_number(at, "mcnemar_mid_p"),
        .holm = lfm_read_number(at, "holm"),
        .items_needed = lfm_read_number(equivalence, "items_needed"),
        .verdict = lfm_read_string(equivalence, "verdict"),
    };
}

static enum lfm_status read_summary(struct lfm_pool *pool, struct lfm_document *document, struct lfm_task_run *run,
                                    const char *path, struct lfm_error *error)
{
    cJSON *json;
    if (!lfm_file_exists(path)) return LFM_OK;
    LFM_TRY(lfm_json_parse_file(&json, path, error));
    read_details((struct lfm_place){pool, cJSON_IsObject(json) ? json : NULL, lfm_clean_text(pool, path)}, document,
                 run);
    cJSON_Delete(json);
    return lfm_pool_check(pool, error);
}

/* "q8_0/q8" lies in the directory "q8_0+q8". */
static const char *directory_of(struct lfm_pool *pool, const char *name)
{
    char *directory = lfm_pool_alloc(pool, strlen(name) + 1, 1);
    if (!directory) return "";
    for (size_t i = 0; name[i]; i++) directory[i] = name[i] == '/' ? '+' : name[i];
    return directory;
}

static enum lfm_status add_details(struct lfm_pool *pool, struct lfm_document *document, struct lfm_task_run *run,
                                   const char *path, struct lfm_error *error)
{
    int length = (int)(lfm_base_name(path) - path);
    if (!run->name[0] || run->name[0] == '.') return LFM_OK;
    const char *directory = directory_of(pool, run->name);
    return read_summary(pool, document, run, lfm_pool_printf(pool, "%.*s%s/summary.json", length, path, directory),
                        error);
}

static enum lfm_status read_comparison(struct lfm_place top, struct lfm_document *document, const char *path,
                                       struct lfm_error *error)
{
    struct lfm_list variants = lfm_place_list(top, "variants");
    document->runs = lfm_pool_alloc(top.pool, 1 + variants.count, sizeof *document->runs);
    if (!document->runs) return lfm_pool_check(top.pool, error);
    document->runs[document->n_runs++] = read_run(lfm_place_inside(top, "reference"));
    while (document->n_runs <= variants.count) document->runs[document->n_runs++] = read_run(lfm_list_next(&variants));
    LFM_TRY(lfm_pool_check(top.pool, error));
    for (size_t i = 0; i < document->n_runs && strcmp(lfm_base_name(path), "summary.json") == 0; i++)
        LFM_TRY(add_details(top.pool, document, &document->runs[i], path, error));
    const char *weights = lfm_read_string(lfm_place_inside(top, "reference"), "weights");
    document->runs[0].label =
        weights[0] ? lfm_pool_printf(top.pool, "%s (reference)", lfm_format_title(top.pool, weights)) : "Reference";
    return lfm_pool_check(top.pool, error);
}

static enum lfm_status read_one(struct lfm_place top, struct lfm_document *document, struct lfm_error *error)
{
    const char *weights = lfm_read_string(top, "weights");
    document->runs = lfm_pool_alloc(top.pool, 1, sizeof *document->runs);
    if (!document->runs) return lfm_pool_check(top.pool, error);
    document->runs[document->n_runs++] = read_run(top);
    read_details(top, document, &document->runs[0]);
    const char *label = document->model[0] ? document->model : "Reference";
    if (weights[0] && strcmp(weights, "stored") != 0)
        label = lfm_pool_printf(top.pool, "%s (%s)", label, lfm_format_title(top.pool, weights));
    document->runs[0].label = label;
    return lfm_pool_check(top.pool, error);
}

enum lfm_status lfm_read_tasks(struct lfm_place top, struct lfm_document *document, const char *path, bool whole,
                               struct lfm_error *error)
{
    document->suite = lfm_read_string(top, "suite");
    document->model = lfm_base_name(lfm_read_string(top, "model"));
    document->length_unit = "words";
    document->items = lfm_read_number(top, "items");
    document->margin = lfm_read_number(top, "margin");
    if (whole) LFM_TRY(read_one(top, document, error));
    else LFM_TRY(read_comparison(top, document, path, error));
    if (!document->suite[0])
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'suite' is missing", path);
    if (isnan(document->runs[0].correct.accuracy))
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: the reference's 'correct' is missing", path);
    return LFM_OK;
}
