/* Where a loss comes from: see attribute.h. */
#include "quant/attribute.h"

#include "reference/base/memory.h"
#include "reference/model/names.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GROUP = 8 }; /* parts that run side by side */

static const char *const division_names[] = {"layer", "module", "tensor", "expert"};

bool lfm_division_by_name(const char *name, enum lfm_division *out)
{
    for (size_t i = 0; i < sizeof division_names / sizeof division_names[0]; i++) {
        if (strcmp(division_names[i], name) != 0) continue;
        *out = (enum lfm_division)i;
        return true;
    }
    return false;
}

const char *lfm_division_name(enum lfm_division division)
{
    return division_names[division];
}

/* --- which part a matrix belongs to --- */

static bool is_expert(enum lfm_tensor_role role)
{
    return role == LFM_TENSOR_EXPERT_W1 || role == LFM_TENSOR_EXPERT_W3 || role == LFM_TENSOR_EXPERT_W2;
}

/* The pattern of a name without "model.", without what says that it is a weight, and without the expert; `layer` in the
 * place of the layer, or, where it is NULL, without that too. */
static void shorten(char out[LFM_PART_NAME], const char *pattern, const size_t *layer)
{
    static const char model[] = "model.", layers[] = "layers.%zu.", expert[] = "experts.%zu", weight[] = ".weight";
    size_t length = 0;
    if (strncmp(pattern, model, strlen(model)) == 0) pattern += strlen(model);
    if (strncmp(pattern, layers, strlen(layers)) == 0) {
        if (layer) length = (size_t)snprintf(out, LFM_PART_NAME, layers, *layer);
        pattern += strlen(layers);
    }
    const char *experts = strstr(pattern, expert), *end = strstr(pattern, weight);
    if (!end) end = pattern + strlen(pattern);
    if (experts)
        snprintf(out + length, LFM_PART_NAME - length, "%.*sexperts%.*s", (int)(experts - pattern), pattern,
                 (int)(end - experts) - (int)strlen(expert), experts + strlen(expert));
    else
        snprintf(out + length, LFM_PART_NAME - length, "%.*s", (int)(end - pattern), pattern);
}

/* The part of the matrix of that Hugging Face name. */
static void name_part(char out[LFM_PART_NAME], const char *name, enum lfm_architecture architecture,
                      enum lfm_division division)
{
    enum lfm_tensor_role role;
    size_t layer, expert;
    snprintf(out, LFM_PART_NAME, "%s", name);
    if (!lfm_tensor_role_of(LFM_HUGGING_FACE, architecture, name, &role, &layer, &expert)) return;
    bool in_layer = role != LFM_TENSOR_EMBED_TOKENS && role != LFM_TENSOR_LM_HEAD;
    const char *pattern = lfm_tensor_name_pattern(LFM_HUGGING_FACE, architecture, role);
    if (division == LFM_BY_LAYER && in_layer)
        snprintf(out, LFM_PART_NAME, "layers.%zu", layer);
    else if (division == LFM_BY_EXPERT && is_expert(role))
        snprintf(out, LFM_PART_NAME, "layers.%zu.experts.%zu", layer, expert);
    else if (division == LFM_BY_EXPERT)
        snprintf(out, LFM_PART_NAME, "all but experts");
    else
        shorten(out, pattern, division == LFM_BY_TENSOR ? &layer : NULL);
}

/* --- the parts --- */

struct listing {
    struct lfm_attribution *attribution;
    enum lfm_architecture architecture;
    enum lfm_division division;
    size_t capacity;
};

static struct lfm_part *find_part(const struct lfm_attribution *attribution, const char *name)
{
    for (size_t i = attribution->n_parts; i-- > 0;)
        if (strcmp(attribution->parts[i].name, name) == 0) return &attribution->parts[i];
    return NULL;
}

static void count_matrix(struct lfm_part *part, const struct lfm_matrix *matrix)
{
    part->matrices++;
    part->parameters += matrix->rows * matrix->columns;
}

static enum lfm_status list_matrix(void *context, const char *name, struct lfm_matrix *matrix, struct lfm_error *error)
{
    struct listing *listing = context;
    struct lfm_attribution *attribution = listing->attribution;
    char part_name[LFM_PART_NAME];
    name_part(part_name, name, listing->architecture, listing->division);
    struct lfm_part *part = find_part(attribution, part_name);
    if (!part) {
        LFM_TRY(LFM_GROW(&attribution->parts, &listing->capacity, attribution->n_parts + 1, error));
        part = &attribution->parts[attribution->n_parts++];
        *part = (struct lfm_part){0};
        memcpy(part->name, part_name, sizeof part_name);
    }
    count_matrix(part, matrix);
    count_matrix(&attribution->whole, matrix);
    return LFM_OK;
}

enum lfm_status lfm_attribution_init(struct lfm_attribution *attribution, const struct lfm_model *reference,
                                     enum lfm_division division, struct lfm_error *error)
{
    *attribution = (struct lfm_attribution){.whole = {.name = "whole"}};
    struct listing listing = {attribution, reference->config.architecture, division, 0};
    /* The visitor reads only. */
    return lfm_model_each_matrix((struct lfm_model *)(uintptr_t)reference, list_matrix, &listing, error);
}

void lfm_attribution_release(struct lfm_attribution *attribution)
{
    free(attribution->parts);
    *attribution = (struct lfm_attribution){0};
}

/* --- running them --- */

/* One part's model. */
struct wanted {
    const char *part; /* NULL: the whole */
    enum lfm_architecture architecture;
    enum lfm_division division;
};

static bool is_wanted(const void *context, const char *name)
{
    const struct wanted *wanted = context;
    char part[LFM_PART_NAME];
    if (!wanted->part) return true;
    name_part(part, name, wanted->architecture, wanted->division);
    return strcmp(part, wanted->part) == 0;
}

struct group {
    struct lfm_part *parts[GROUP];
    struct lfm_model *models[GROUP];
    struct lfm_comparison comparisons[GROUP];
    double *reference_nll;
    size_t n;
};

static enum lfm_status open_part(struct group *group, const struct lfm_attribution_run *run, struct lfm_part *part,
                                 const struct lfm_part *whole, struct lfm_error *error)
{
    const struct wanted wanted = {part == whole ? NULL : part->name, run->reference->config.architecture, run->division};
    struct lfm_model_options options = *run->options;
    size_t i = group->n++;
    options.only = is_wanted;
    options.only_context = &wanted;
    group->parts[i] = part;
    LFM_TRY(lfm_model_open(&group->models[i], run->path, &options, error));
    part->fallback_matrices = group->models[i]->fallback_matrices;
    part->bytes_saved = (double)lfm_model_bytes(run->reference) - (double)lfm_model_bytes(group->models[i]);
    return lfm_comparison_init(&group->comparisons[i], run->reference, group->models[i], run->positions->count, error);
}

static enum lfm_status measure(struct group *group, const struct lfm_attribution_run *run, struct lfm_error *error)
{
    LFM_TRY(LFM_ALLOC(&group->reference_nll, run->positions->count, error));
    LFM_TRY(lfm_compare(group->reference_nll, group->comparisons, group->n, run->reference, run->windows, run->progress,
                        error));
    for (size_t i = 0; i < group->n; i++) {
        struct lfm_compare_figures figures;
        LFM_TRY(lfm_compare_figures(&figures, &group->comparisons[i], group->reference_nll, run->positions, run->seed, error));
        group->parts[i]->kld = figures.kld;
        group->parts[i]->ratio = figures.ratio;
        group->parts[i]->top1 = figures.top1;
    }
    return LFM_OK;
}

static void release_group(struct group *group)
{
    for (size_t i = 0; i < group->n; i++) {
        lfm_comparison_release(&group->comparisons[i]);
        lfm_model_close(group->models[i]);
    }
    free(group->reference_nll);
}

size_t lfm_attribution_runs(const struct lfm_attribution *attribution)
{
    size_t candidates = 1 + attribution->n_parts;
    return candidates + (candidates + GROUP - 1) / GROUP;
}

enum lfm_status lfm_attribute(struct lfm_attribution *attribution, const struct lfm_attribution_run *run,
                              struct lfm_error *error)
{
    for (size_t next = 0, n = 1 + attribution->n_parts; next < n;) {
        struct group group = {.n = 0};
        enum lfm_status status = LFM_OK;
        for (; group.n < GROUP && next < n && status == LFM_OK; next++)
            status = open_part(&group, run, next == 0 ? &attribution->whole : &attribution->parts[next - 1],
                               &attribution->whole, error);
        if (status == LFM_OK) status = measure(&group, run, error);
        if (run->progress) run->progress->before += (double)(run->windows->n_tokens * (1 + group.n));
        release_group(&group);
        LFM_TRY(status);
    }
    attribution->parts_kld = 0;
    for (size_t i = 0; i < attribution->n_parts; i++) attribution->parts_kld += attribution->parts[i].kld.mean;
    return LFM_OK;
}
