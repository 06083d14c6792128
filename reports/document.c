/* Result files into structs: see document.h. */
#include "reports/document.h"

#include "reference/base/file.h"
#include "reports/read.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *schema;
    enum lfm_document_kind kind;
} schemas[] = {
    {"lfmscope-compare", LFM_DOCUMENT_COMPARE},
    {"lfmscope-trace-compare", LFM_DOCUMENT_TRACES},
    {"lfmscope-routing", LFM_DOCUMENT_ROUTING},
    {"lfmscope-eval-against", LFM_DOCUMENT_TASKS},
    {"lfmscope-eval", LFM_DOCUMENT_TASKS},
    {"lfmscope-bench", LFM_DOCUMENT_BENCH},
    {"lfmscope-ledger", LFM_DOCUMENT_LEDGER},
    {"lfmscope-routing-load", LFM_DOCUMENT_LOAD},
    {"lfmscope-conform", LFM_DOCUMENT_CONFORM},
    {"lfmscope-attribute", LFM_DOCUMENT_ATTRIBUTION},
};

enum { MOST_NESTING = 4 }; /* directories within a directory that are searched for summaries of runs */

static struct lfm_shift read_shift(struct lfm_place at)
{
    return (struct lfm_shift){
        .present = at.object != NULL,
        .overlap = lfm_read_number(at, "overlap"),
        .shared = lfm_read_number(at, "shared"),
        .exact_set = lfm_read_number(at, "exact_set"),
        .gate_kl = lfm_read_number(at, "gate_kl"),
        .mass_moved = lfm_read_number(at, "mass_moved"),
    };
}

/* Layers of compare carry their router in an object; lists of routers are the shifts themselves. */
static void read_layers(struct lfm_place at, const char *key, bool routers, struct lfm_layer_shift **out, size_t *count)
{
    struct lfm_list list = lfm_place_list(at, key);
    struct lfm_layer_shift *layers = lfm_pool_alloc(at.pool, list.count, sizeof *layers);
    if (!layers) return;
    for (size_t i = 0; i < list.count; i++) {
        struct lfm_place item = lfm_list_next(&list);
        layers[i] = (struct lfm_layer_shift){
            .layer = lfm_read_layer(item, i),
            .operation = routers ? "" : lfm_read_string(item, "operator"),
            .relative_l2 = lfm_read_number(item, "relative_l2"),
            .cosine = lfm_read_number(item, "cosine"),
            .sqnr_db = lfm_read_number(item, "sqnr_db"),
            .router = read_shift(routers ? item : lfm_place_inside(item, "router")),
        };
    }
    *out = layers;
    *count = list.count;
}

static void read_domains(struct lfm_place at, struct lfm_candidate *candidate)
{
    struct lfm_list list = lfm_place_list(at, "labels");
    candidate->domains = lfm_pool_alloc(at.pool, list.count, sizeof *candidate->domains);
    if (!candidate->domains) return;
    for (candidate->n_domains = 0; candidate->n_domains < list.count; candidate->n_domains++) {
        struct lfm_place item = lfm_list_next(&list);
        candidate->domains[candidate->n_domains] = (struct lfm_domain){
            .label = lfm_read_string(item, "label"),
            .positions = lfm_read_number(item, "positions"),
            .documents = lfm_read_number(item, "documents"),
            .kld_mean = lfm_read_number(item, "kld_mean"),
            .kld_stderr = lfm_read_number(item, "kld_stderr"),
            .perplexity = lfm_read_number(item, "perplexity"),
            .reference_perplexity = lfm_read_number(item, "reference_perplexity"),
            .perplexity_ratio = lfm_read_number(item, "perplexity_ratio"),
            .top1_agreement = lfm_read_number(item, "top1_agreement"),
        };
    }
}

static void read_points(struct lfm_place at, struct lfm_candidate *candidate)
{
    struct lfm_list list = lfm_place_list(at, "points");
    candidate->points = lfm_pool_alloc(at.pool, list.count, sizeof *candidate->points);
    if (!candidate->points) return;
    for (candidate->n_points = 0; candidate->n_points < list.count; candidate->n_points++) {
        struct lfm_place item = lfm_list_next(&list);
        candidate->points[candidate->n_points] = (struct lfm_point_shift){
            .layer = lfm_read_layer(item, 0),
            .point = lfm_read_string(item, "point"),
            .relative_l2 = lfm_read_number(item, "relative_l2"),
            .cosine = lfm_read_number(item, "cosine"),
            .sqnr_db = lfm_read_number(item, "sqnr_db"),
            .cka = lfm_read_number(item, "cka"),
            .max_channel_error = lfm_read_number(item, "max_channel_error"),
            .max_channel = lfm_read_number(item, "max_channel"),
        };
    }
}

static void read_cumulative(struct lfm_place at, struct lfm_candidate *candidate)
{
    const cJSON *list = lfm_place_find(at, "kld_cumulative"), *item;
    if (!list) return;
    size_t count = cJSON_IsArray(list) ? (size_t)cJSON_GetArraySize(list) : 0;
    candidate->cumulative = lfm_pool_alloc(at.pool, count, sizeof *candidate->cumulative);
    if (!cJSON_IsArray(list)) lfm_place_fail(at, "kld_cumulative", "a list of pairs of numbers");
    if (!cJSON_IsArray(list) || !candidate->cumulative) return;
    cJSON_ArrayForEach(item, list)
    {
        const cJSON *kld = cJSON_GetArrayItem(item, 0), *share = cJSON_GetArrayItem(item, 1);
        if (!cJSON_IsNumber(kld) || !cJSON_IsNumber(share)) {
            lfm_place_fail(at, "kld_cumulative", "a list of pairs of numbers");
            return;
        }
        candidate->cumulative[candidate->n_cumulative][0] = kld->valuedouble;
        candidate->cumulative[candidate->n_cumulative++][1] = share->valuedouble;
    }
}

static void read_kld(struct lfm_place at, struct lfm_candidate *candidate)
{
    struct lfm_place kld = lfm_place_inside(at, "kld"), bootstrap = lfm_place_inside(at, "kld_bootstrap");
    candidate->kld_mean = lfm_read_number(kld, "mean");
    candidate->kld_stderr = lfm_read_number(kld, "stderr");
    candidate->kld_median = lfm_read_number(kld, "median");
    candidate->kld_p90 = lfm_read_number(kld, "p90");
    candidate->kld_p95 = lfm_read_number(kld, "p95");
    candidate->kld_p99 = lfm_read_number(kld, "p99");
    candidate->kld_p99_9 = lfm_read_number(kld, "p99_9");
    candidate->kld_max = lfm_read_number(kld, "max");
    candidate->kld_low = lfm_read_number(bootstrap, "low");
    candidate->kld_high = lfm_read_number(bootstrap, "high");
}

static struct lfm_candidate read_candidate(struct lfm_place at)
{
    struct lfm_place delta_p = lfm_place_inside(at, "delta_p");
    struct lfm_candidate candidate = {
        .name = lfm_read_name(at),
        .variant = lfm_read_variant(at),
        .file = lfm_read_string(at, "file"),
        .sha256 = lfm_read_string(at, "sha256"),
        .bits_per_weight = lfm_read_number(at, "bits_per_weight"),
        .bytes = lfm_read_number(at, "bytes"),
        .fallback_matrices = lfm_read_number(at, "fallback_matrices"),
        .tokens = lfm_read_number(at, "tokens"),
        .perplexity = lfm_read_number(at, "perplexity"),
        .perplexity_stderr = lfm_read_number(at, "perplexity_stderr"),
        .perplexity_ratio = lfm_read_number(at, "perplexity_ratio"),
        .perplexity_ratio_stderr = lfm_read_number(at, "perplexity_ratio_stderr"),
        .nll_mean = lfm_read_number(at, "nll_mean"),
        .top1_agreement = lfm_read_number(at, "top1_agreement"),
        .top1_agreement_stderr = lfm_read_number(at, "top1_agreement_stderr"),
        .top5_overlap = lfm_read_number(at, "top5_overlap"),
        .delta_p_mean = lfm_read_number(delta_p, "mean"),
        .delta_p_rms = lfm_read_number(delta_p, "rms"),
        .router = read_shift(lfm_place_inside(at, "router")),
    };
    read_kld(at, &candidate);
    read_domains(at, &candidate);
    read_points(at, &candidate);
    read_cumulative(at, &candidate);
    lfm_read_divergence(at, &candidate);
    lfm_read_modules(at, &candidate);
    bool traces = lfm_place_find(at, "routers") != NULL;
    read_layers(at, traces ? "routers" : "layers", traces, &candidate.layers, &candidate.n_layers);
    return candidate;
}

/* What people call a model: its number formats, and its name where two share them. A trace of weights as they are
 * stored ("stored") goes by its name. */
static const char *label_of(struct lfm_pool *pool, const char *name, const char *variant, bool shared)
{
    const char *title = strcmp(variant, "stored") == 0 ? "" : lfm_variant_title(pool, variant);
    if (title[0] && !shared) return title;
    if (!name[0]) return title[0] ? title : "unnamed";
    return title[0] && strcmp(lfm_variant_title(pool, name), title) != 0 ? lfm_pool_printf(pool, "%s (%s)", name, title)
                                                                        : lfm_variant_title(pool, name);
}

/* "a" for the first of a name, "a #2" for the second. */
static const char *numbered(struct lfm_pool *pool, const char *label, size_t earlier)
{
    return earlier == 0 ? label : lfm_pool_printf(pool, "%s #%zu", label, earlier + 1);
}

static void label_candidates(struct lfm_pool *pool, struct lfm_document *document)
{
    struct lfm_candidate *items = document->candidates;
    document->reference.label = label_of(pool, document->reference.name, document->reference.variant, false);
    for (size_t i = 0; i < document->n_candidates; i++) {
        bool shared = false;
        size_t earlier = 0;
        for (size_t j = 0; j < document->n_candidates; j++) {
            bool same = j != i && strcmp(items[j].variant, items[i].variant) == 0;
            shared |= same;
            earlier += same && j < i && strcmp(items[j].name, items[i].name) == 0;
        }
        items[i].label = numbered(pool, label_of(pool, items[i].name, items[i].variant, shared), earlier);
    }
}

static void read_candidates(struct lfm_place at, struct lfm_document *document)
{
    struct lfm_list list = lfm_place_list(at, "candidates");
    document->reference = read_candidate(lfm_place_inside(at, "reference"));
    document->candidates = lfm_pool_alloc(at.pool, list.count, sizeof *document->candidates);
    if (!document->candidates) return;
    for (document->n_candidates = 0; document->n_candidates < list.count; document->n_candidates++)
        document->candidates[document->n_candidates] = read_candidate(lfm_list_next(&list));
    label_candidates(at.pool, document);
}

static void read_load(struct lfm_place at, struct lfm_load_layer *layer, size_t index)
{
    const cJSON *loads = lfm_place_find(at, "load"), *item;
    *layer = (struct lfm_load_layer){
        .layer = lfm_read_layer(at, index),
        .experts = lfm_read_number(at, "experts"),
        .top_k = lfm_read_number(at, "top_k"),
        .entropy = lfm_read_number(at, "entropy"),
        .entropy_normalized = lfm_read_number(at, "entropy_normalized"),
        .effective_experts = lfm_read_number(at, "effective_experts"),
        .cv = lfm_read_number(at, "cv"),
        .gini = lfm_read_number(at, "gini"),
        .max_violation = lfm_read_number(at, "max_violation"),
        .margin_median = lfm_read_number(at, "margin_median"),
    };
    lfm_read_routing_layer(at, layer);
    if (!loads) return;
    if (!cJSON_IsArray(loads)) lfm_place_fail(at, "load", "a list of numbers");
    layer->load = lfm_pool_alloc(at.pool, (size_t)cJSON_GetArraySize(loads), sizeof *layer->load);
    if (!layer->load || !cJSON_IsArray(loads)) return;
    cJSON_ArrayForEach(item, loads)
    {
        if (!cJSON_IsNumber(item)) lfm_place_fail(at, "load", "a list of numbers");
        layer->load[layer->n_load++] = item->valuedouble;
    }
}

static void read_trace(struct lfm_place at, struct lfm_load *load)
{
    struct lfm_list list = lfm_place_list(at, "layers");
    *load = (struct lfm_load){.name = lfm_read_name(at),
                              .variant = lfm_read_variant(at),
                              .file = lfm_read_string(at, "file"),
                              .sha256 = lfm_read_string(at, "sha256"),
                              .tokens = lfm_read_number(at, "tokens")};
    lfm_read_routing_chance(at, load);
    load->layers = lfm_pool_alloc(at.pool, list.count, sizeof *load->layers);
    if (!load->layers) return;
    for (load->n_layers = 0; load->n_layers < list.count; load->n_layers++)
        read_load(lfm_list_next(&list), &load->layers[load->n_layers], load->n_layers);
}

static void read_pair(struct lfm_place at, struct lfm_pair *pair)
{
    *pair = (struct lfm_pair){.reference = lfm_read_string(at, "reference"),
                              .candidate = lfm_read_string(at, "candidate")};
    read_layers(at, "layers", true, &pair->layers, &pair->n_layers);
    lfm_read_routing_pair(at, pair);
}

/* The label of the trace that a pair names by file or by name; else the name itself. */
static const char *pair_label(const struct lfm_document *document, const char *name)
{
    for (size_t i = 0; i < document->n_loads; i++) {
        const struct lfm_load *load = &document->loads[i];
        if (strcmp(load->file, name) == 0) return load->label;
    }
    for (size_t i = 0; i < document->n_loads; i++)
        if (strcmp(document->loads[i].name, name) == 0) return document->loads[i].label;
    return lfm_base_name(name);
}

static void read_routing(struct lfm_place at, struct lfm_document *document)
{
    struct lfm_list traces = lfm_place_list(at, "traces"), pairs = lfm_place_list(at, "pairs");
    document->loads = lfm_pool_alloc(at.pool, traces.count, sizeof *document->loads);
    document->pairs = lfm_pool_alloc(at.pool, pairs.count, sizeof *document->pairs);
    if (!document->loads || !document->pairs) return;
    for (; document->n_loads < traces.count; document->n_loads++)
        read_trace(lfm_list_next(&traces), &document->loads[document->n_loads]);
    for (size_t i = 0; i < document->n_loads; i++) {
        bool shared = false;
        for (size_t j = 0; j < document->n_loads; j++)
            shared |= j != i && strcmp(document->loads[j].variant, document->loads[i].variant) == 0;
        const char *name = shared && document->loads[i].file[0] ? lfm_base_name(document->loads[i].file)
                                                                : document->loads[i].name;
        document->loads[i].label = label_of(at.pool, name, document->loads[i].variant, shared);
    }
    for (; document->n_pairs < pairs.count; document->n_pairs++) {
        struct lfm_pair *pair = &document->pairs[document->n_pairs];
        read_pair(lfm_list_next(&pairs), pair);
        pair->label = pair_label(document, pair->candidate);
    }
}

static enum lfm_status read_document(struct lfm_document *document, struct lfm_pool *pool, const cJSON *json,
                                     const char *path, struct lfm_error *error)
{
    struct lfm_place top = {pool, json, path};
    document->source = (struct lfm_source){lfm_clean_text(pool, path), lfm_read_string(top, "command")};
    document->version = lfm_read_string(top, "version");
    document->score = lfm_read_string(top, "score");
    document->errors_by = lfm_read_string(top, "errors_by");
    document->positions = lfm_read_number(top, "positions");
    document->documents = lfm_read_number(top, "documents");
    document->context = lfm_read_number(top, "context");
    document->tokens = lfm_read_number(top, "tokens");
    document->tolerance = lfm_read_number(top, "tolerance");
    document->outlier_multiple = lfm_read_number(top, "outlier_multiple");
    if (document->kind == LFM_DOCUMENT_TASKS)
        return lfm_read_tasks(top, document, path, strcmp(document->schema, "lfmscope-eval") == 0, error);
    if (document->kind == LFM_DOCUMENT_LEDGER) return lfm_read_ledger(top, document, error);
    if (document->kind == LFM_DOCUMENT_ROUTING) read_routing(top, document);
    else if (document->kind == LFM_DOCUMENT_BENCH) lfm_read_bench(top, document);
    else if (document->kind == LFM_DOCUMENT_LOAD) lfm_read_load(top, document);
    else if (document->kind == LFM_DOCUMENT_CONFORM) lfm_read_conform(top, document);
    else if (document->kind == LFM_DOCUMENT_ATTRIBUTION) lfm_read_attribution(top, document);
    else read_candidates(top, document);
    LFM_TRY(lfm_pool_check(pool, error));
    if (document->kind == LFM_DOCUMENT_BENCH && document->n_speeds == 0)
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'rows' is missing or empty: nothing was measured", path);
    if (document->kind == LFM_DOCUMENT_LOAD && document->n_under_loads == 0)
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'traces' is missing or empty: no load to show", path);
    if (document->kind == LFM_DOCUMENT_CONFORM && document->n_checks == 0)
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'checks' is missing or empty: nothing was judged", path);
    if (document->kind == LFM_DOCUMENT_ATTRIBUTION && document->attributed.n_parts == 0)
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'parts' is missing or empty: nothing was measured", path);
    bool compared = document->kind == LFM_DOCUMENT_COMPARE || document->kind == LFM_DOCUMENT_TRACES;
    if (compared && document->n_candidates == 0)
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'candidates' is missing or empty: nothing was compared", path);
    if (document->kind == LFM_DOCUMENT_ROUTING && document->n_loads == 0)
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'traces' is missing or empty: no routing to show", path);
    return LFM_OK;
}

static bool known_schema(const cJSON *json, enum lfm_document_kind *kind, const char **schema)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, "schema");
    *schema = cJSON_IsString(item) ? item->valuestring : NULL;
    for (size_t i = 0; *schema && i < sizeof schemas / sizeof schemas[0]; i++)
        if (strcmp(schemas[i].schema, *schema) == 0) {
            *kind = schemas[i].kind;
            return true;
        }
    return false;
}

static enum lfm_status unknown_schema(struct lfm_pool *pool, const char *path, const char *schema,
                                      struct lfm_error *error)
{
    static const char expected[] = "lfmscope-compare, lfmscope-trace-compare, lfmscope-routing, lfmscope-routing-load, "
                                   "lfmscope-eval, lfmscope-eval-against, lfmscope-bench, lfmscope-ledger, "
                                   "lfmscope-attribute or lfmscope-conform";
    if (!schema) return lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'schema' is missing; expected %s", path, expected);
    return lfm_fail(error, LFM_ERROR_FORMAT, "%s: expected a result of schema %s, found '%.60s'", path, expected,
                    lfm_clean_text(pool, schema));
}

static void skip(struct lfm_documents *documents, struct lfm_pool *pool, const char *path)
{
    const char **skipped = lfm_pool_grow(pool, documents->skipped, &documents->skipped_capacity,
                                         documents->n_skipped + 1, sizeof *skipped);
    if (!skipped) return;
    documents->skipped = skipped;
    documents->skipped[documents->n_skipped++] = lfm_clean_text(pool, path);
}

static enum lfm_status add_document(struct lfm_documents *documents, struct lfm_pool *pool,
                                    const struct lfm_document *like, const cJSON *json, const char *path,
                                    struct lfm_error *error)
{
    struct lfm_document document = *like;
    LFM_TRY(read_document(&document, pool, json, path, error));
    struct lfm_document *items =
        lfm_pool_grow(pool, documents->items, &documents->capacity, documents->count + 1, sizeof *items);
    LFM_TRY(lfm_pool_check(pool, error));
    documents->items = items;
    documents->items[documents->count++] = document;
    return LFM_OK;
}

/* Adds what the file holds: one result, or the list of those of several suites. */
static enum lfm_status add_json(struct lfm_documents *documents, struct lfm_pool *pool, struct lfm_document *like,
                                const cJSON *json, const char *path, bool named, struct lfm_error *error)
{
    const char *schema;
    const cJSON *suites = cJSON_GetObjectItemCaseSensitive(json, "suites"), *suite;
    if (!known_schema(json, &like->kind, &schema)) {
        if (!schema || strcmp(schema, "lfmscope-eval-suites") != 0 || !cJSON_IsArray(suites)) {
            if (named) return unknown_schema(pool, path, schema, error);
            skip(documents, pool, path);
            return LFM_OK;
        }
        cJSON_ArrayForEach(suite, suites) LFM_TRY(add_json(documents, pool, like, suite, path, true, error));
        return LFM_OK;
    }
    like->schema = lfm_clean_text(pool, schema);
    return add_document(documents, pool, like, json, path, error);
}

static enum lfm_status add_file(struct lfm_documents *documents, struct lfm_pool *pool, const char *path, bool named,
                                struct lfm_error *error)
{
    cJSON *json = NULL;
    struct lfm_document document = {0};
    struct lfm_buffer text = {0};
    enum lfm_status status;
    LFM_TRY_DONE(lfm_read_file(&text, path, error));
    LFM_TRY_DONE(lfm_json_parse(&json, text.data, text.length, path, error));
    LFM_TRY_DONE(lfm_sha256(text.data, text.length, document.sha256, error));
    status = add_json(documents, pool, &document, json, path, named, error);

done:
    cJSON_Delete(json);
    lfm_buffer_release(&text);
    return status;
}

static int is_json(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 5 && entry->d_name[0] != '.' && strcmp(entry->d_name + length - 5, ".json") == 0;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int by_name(const struct dirent **left, const struct dirent **right)
{
    return strcmp((*left)->d_name, (*right)->d_name);
}

typedef enum lfm_status (*visit_function)(struct lfm_documents *documents, struct lfm_pool *pool, const char *path,
                                          size_t nesting, struct lfm_error *error);

/* Calls `visit` for every entry that `chosen` lets through, in the order of their names. */
static enum lfm_status visit_directory(struct lfm_documents *documents, struct lfm_pool *pool, const char *path,
                                       size_t nesting, int (*chosen)(const struct dirent *), visit_function visit,
                                       struct lfm_error *error)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, chosen, by_name);
    if (count < 0) return lfm_fail(error, LFM_ERROR_IO, "cannot read the directory '%s': %s", path, strerror(errno));
    enum lfm_status status = LFM_OK;
    for (int i = 0; i < count; i++) {
        char *file = NULL;
        if (status == LFM_OK) status = lfm_join_path(&file, path, entries[i]->d_name, error);
        if (status == LFM_OK) status = visit(documents, pool, file, nesting, error);
        free(file);
        free(entries[i]);
    }
    free(entries);
    return status;
}

static enum lfm_status visit_json(struct lfm_documents *documents, struct lfm_pool *pool, const char *path,
                                  size_t nesting, struct lfm_error *error)
{
    (void)nesting;
    return lfm_is_directory(path) ? LFM_OK : add_file(documents, pool, path, false, error);
}

/* The summary of a run, or of a comparison, whose runs lie in directories below it and are not taken on their own;
 * where there is neither, the directories below are searched. */
static enum lfm_status visit_run(struct lfm_documents *documents, struct lfm_pool *pool, const char *path,
                                 size_t nesting, struct lfm_error *error)
{
    char *summary;
    size_t before = documents->count;
    if (!lfm_is_directory(path)) return LFM_OK;
    LFM_TRY(lfm_join_path(&summary, path, "summary.json", error));
    enum lfm_status status = LFM_OK;
    if (lfm_file_exists(summary)) status = add_file(documents, pool, summary, false, error);
    free(summary);
    if (status != LFM_OK || documents->count > before || nesting == MOST_NESTING) return status;
    return visit_directory(documents, pool, path, nesting + 1, is_visible, visit_run, error);
}

static bool has_summary(const struct lfm_documents *documents, size_t before)
{
    for (size_t i = before; i < documents->count; i++)
        if (documents->items[i].kind == LFM_DOCUMENT_TASKS &&
            strcmp(lfm_base_name(documents->items[i].source.file), "summary.json") == 0)
            return true;
    return false;
}

static enum lfm_status add_directory(struct lfm_documents *documents, struct lfm_pool *pool, const char *path,
                                     struct lfm_error *error)
{
    size_t before = documents->count;
    LFM_TRY(visit_directory(documents, pool, path, 0, is_json, visit_json, error));
    if (!has_summary(documents, before))
        LFM_TRY(visit_directory(documents, pool, path, 1, is_visible, visit_run, error));
    if (documents->count > before) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_FORMAT,
                    "'%s' holds no result of compare, ledger, attribute, routing, eval, bench or conform (*.json)", path);
}

enum lfm_status lfm_documents_add(struct lfm_documents *documents, struct lfm_pool *pool, const char *path,
                                  struct lfm_error *error)
{
    if (lfm_is_directory(path)) return add_directory(documents, pool, path, error);
    return add_file(documents, pool, path, true, error);
}

const struct lfm_document *lfm_documents_first(const struct lfm_documents *documents, enum lfm_document_kind kind)
{
    for (size_t i = 0; i < documents->count; i++)
        if (documents->items[i].kind == kind) return &documents->items[i];
    return NULL;
}
