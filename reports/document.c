/* Result files into structs: see document.h. */
#include "reports/document.h"

#include "reference/base/file.h"
#include "reference/base/json.h"

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
};

/* An object of the document and what messages call it: "a.json: candidates[1].kld". */
struct place {
    struct lfm_pool *pool;
    const cJSON *object; /* NULL when absent: every look-up then finds nothing */
    const char *name;
};

static void fail(struct place at, const char *key, const char *expected)
{
    if (at.pool->status == LFM_OK)
        at.pool->status = lfm_fail(&at.pool->error, LFM_ERROR_FORMAT, "%s: '%s' must be %s", at.name, key, expected);
}

static const cJSON *find(struct place at, const char *key)
{
    const cJSON *item = at.object ? cJSON_GetObjectItemCaseSensitive(at.object, key) : NULL;
    return cJSON_IsNull(item) ? NULL : item;
}

static double number(struct place at, const char *key)
{
    const cJSON *item = find(at, key);
    if (!item) return NAN;
    if (!cJSON_IsNumber(item)) fail(at, key, "a number");
    return cJSON_IsNumber(item) && isfinite(item->valuedouble) ? item->valuedouble : NAN;
}

static const char *string(struct place at, const char *key)
{
    const cJSON *item = find(at, key);
    if (!item) return "";
    if (!cJSON_IsString(item)) {
        fail(at, key, "a string");
        return "";
    }
    return lfm_clean_text(at.pool, item->valuestring);
}

static size_t layer_number(struct place at, size_t otherwise)
{
    double value = number(at, "layer");
    if (isnan(value)) return otherwise;
    if (value >= 0 && value < 100000 && value == floor(value)) return (size_t)value;
    fail(at, "layer", "a whole number below 100000");
    return otherwise;
}

static struct place inside(struct place at, const char *key)
{
    const cJSON *item = find(at, key);
    if (item && !cJSON_IsObject(item)) {
        fail(at, key, "an object");
        item = NULL;
    }
    return (struct place){at.pool, item, lfm_pool_printf(at.pool, "%s.%s", at.name, key)};
}

/* A list of objects and a walk through it. */
struct list {
    struct place at;
    const char *key;
    const cJSON *next;
    size_t count, index;
};

static struct list list_of(struct place at, const char *key)
{
    const cJSON *item = find(at, key);
    if (item && !cJSON_IsArray(item)) {
        fail(at, key, "a list");
        item = NULL;
    }
    return (struct list){at, key, item ? item->child : NULL, item ? (size_t)cJSON_GetArraySize(item) : 0, 0};
}

static struct place list_next(struct list *list)
{
    struct place place = {list->at.pool, list->next,
                          lfm_pool_printf(list->at.pool, "%s%s%s[%zu]", list->at.name,
                                          strstr(list->at.name, ": ") ? "." : ": ", list->key, list->index)};
    if (list->next && !cJSON_IsObject(list->next)) {
        fail(list->at, list->key, "a list of objects");
        place.object = NULL;
    }
    if (list->next) list->next = list->next->next;
    list->index++;
    return place;
}

static struct lfm_shift read_shift(struct place at)
{
    return (struct lfm_shift){
        .present = at.object != NULL,
        .overlap = number(at, "overlap"),
        .shared = number(at, "shared"),
        .exact_set = number(at, "exact_set"),
        .gate_kl = number(at, "gate_kl"),
        .mass_moved = number(at, "mass_moved"),
    };
}

/* Layers of compare carry their router in an object; lists of routers are the shifts themselves. */
static void read_layers(struct place at, const char *key, bool routers, struct lfm_layer_shift **out, size_t *count)
{
    struct list list = list_of(at, key);
    struct lfm_layer_shift *layers = lfm_pool_alloc(at.pool, list.count, sizeof *layers);
    if (!layers) return;
    for (size_t i = 0; i < list.count; i++) {
        struct place item = list_next(&list);
        layers[i] = (struct lfm_layer_shift){
            .layer = layer_number(item, i),
            .operation = routers ? "" : string(item, "operator"),
            .relative_l2 = number(item, "relative_l2"),
            .cosine = number(item, "cosine"),
            .sqnr_db = number(item, "sqnr_db"),
            .router = read_shift(routers ? item : inside(item, "router")),
        };
    }
    *out = layers;
    *count = list.count;
}

static void read_domains(struct place at, struct lfm_candidate *candidate)
{
    struct list list = list_of(at, "labels");
    candidate->domains = lfm_pool_alloc(at.pool, list.count, sizeof *candidate->domains);
    if (!candidate->domains) return;
    for (candidate->n_domains = 0; candidate->n_domains < list.count; candidate->n_domains++) {
        struct place item = list_next(&list);
        candidate->domains[candidate->n_domains] = (struct lfm_domain){
            .label = string(item, "label"),
            .positions = number(item, "positions"),
            .documents = number(item, "documents"),
            .kld_mean = number(item, "kld_mean"),
            .kld_stderr = number(item, "kld_stderr"),
            .perplexity = number(item, "perplexity"),
            .reference_perplexity = number(item, "reference_perplexity"),
            .perplexity_ratio = number(item, "perplexity_ratio"),
            .top1_agreement = number(item, "top1_agreement"),
        };
    }
}

static void read_points(struct place at, struct lfm_candidate *candidate)
{
    struct list list = list_of(at, "points");
    candidate->points = lfm_pool_alloc(at.pool, list.count, sizeof *candidate->points);
    if (!candidate->points) return;
    for (candidate->n_points = 0; candidate->n_points < list.count; candidate->n_points++) {
        struct place item = list_next(&list);
        candidate->points[candidate->n_points] = (struct lfm_point_shift){
            .layer = layer_number(item, 0),
            .point = string(item, "point"),
            .relative_l2 = number(item, "relative_l2"),
            .cosine = number(item, "cosine"),
            .sqnr_db = number(item, "sqnr_db"),
            .cka = number(item, "cka"),
            .max_channel_error = number(item, "max_channel_error"),
            .max_channel = number(item, "max_channel"),
        };
    }
}

static void read_cumulative(struct place at, struct lfm_candidate *candidate)
{
    const cJSON *list = find(at, "kld_cumulative"), *item;
    if (!list) return;
    size_t count = cJSON_IsArray(list) ? (size_t)cJSON_GetArraySize(list) : 0;
    candidate->cumulative = lfm_pool_alloc(at.pool, count, sizeof *candidate->cumulative);
    if (!cJSON_IsArray(list)) fail(at, "kld_cumulative", "a list of pairs of numbers");
    if (!cJSON_IsArray(list) || !candidate->cumulative) return;
    cJSON_ArrayForEach(item, list)
    {
        const cJSON *kld = cJSON_GetArrayItem(item, 0), *share = cJSON_GetArrayItem(item, 1);
        if (!cJSON_IsNumber(kld) || !cJSON_IsNumber(share)) {
            fail(at, "kld_cumulative", "a list of pairs of numbers");
            return;
        }
        candidate->cumulative[candidate->n_cumulative][0] = kld->valuedouble;
        candidate->cumulative[candidate->n_cumulative++][1] = share->valuedouble;
    }
}

static void read_kld(struct place at, struct lfm_candidate *candidate)
{
    struct place kld = inside(at, "kld"), bootstrap = inside(at, "kld_bootstrap");
    candidate->kld_mean = number(kld, "mean");
    candidate->kld_stderr = number(kld, "stderr");
    candidate->kld_median = number(kld, "median");
    candidate->kld_p90 = number(kld, "p90");
    candidate->kld_p95 = number(kld, "p95");
    candidate->kld_p99 = number(kld, "p99");
    candidate->kld_p99_9 = number(kld, "p99_9");
    candidate->kld_max = number(kld, "max");
    candidate->kld_low = number(bootstrap, "low");
    candidate->kld_high = number(bootstrap, "high");
}

/* The last component of a path, so that a name is short and the same on every machine. */
static const char *base_name(const char *name)
{
    size_t length = strlen(name);
    while (length > 1 && name[length - 1] == '/') length--;
    for (size_t i = length; i-- > 0;)
        if (name[i] == '/' && i + 1 < length) return name + i + 1;
    return name;
}

static struct lfm_candidate read_candidate(struct place at)
{
    struct place delta_p = inside(at, "delta_p");
    struct lfm_candidate candidate = {
        .name = base_name(string(at, "name")),
        .weights = string(at, "weights"),
        .file = string(at, "file"),
        .sha256 = string(at, "sha256"),
        .bits_per_weight = number(at, "bits_per_weight"),
        .bytes = number(at, "bytes"),
        .fallback_matrices = number(at, "fallback_matrices"),
        .tokens = number(at, "tokens"),
        .perplexity = number(at, "perplexity"),
        .perplexity_stderr = number(at, "perplexity_stderr"),
        .perplexity_ratio = number(at, "perplexity_ratio"),
        .perplexity_ratio_stderr = number(at, "perplexity_ratio_stderr"),
        .nll_mean = number(at, "nll_mean"),
        .top1_agreement = number(at, "top1_agreement"),
        .top1_agreement_stderr = number(at, "top1_agreement_stderr"),
        .top5_overlap = number(at, "top5_overlap"),
        .delta_p_mean = number(delta_p, "mean"),
        .delta_p_rms = number(delta_p, "rms"),
        .router = read_shift(inside(at, "router")),
    };
    read_kld(at, &candidate);
    read_domains(at, &candidate);
    read_points(at, &candidate);
    read_cumulative(at, &candidate);
    bool traces = find(at, "routers") != NULL;
    read_layers(at, traces ? "routers" : "layers", traces, &candidate.layers, &candidate.n_layers);
    return candidate;
}

/* What people call a model: its number format, and its name where two share one. A trace of weights as they are
 * stored ("stored") goes by its name. */
static const char *label_of(struct lfm_pool *pool, const char *name, const char *weights, bool shared)
{
    const char *title = strcmp(weights, "stored") == 0 ? "" : lfm_format_title(pool, weights);
    if (title[0] && !shared) return title;
    if (!name[0]) return title[0] ? title : "unnamed";
    return title[0] && strcmp(lfm_format_title(pool, name), title) != 0 ? lfm_pool_printf(pool, "%s (%s)", name, title)
                                                                       : lfm_format_title(pool, name);
}

/* "a" for the first of a name, "a #2" for the second. */
static const char *numbered(struct lfm_pool *pool, const char *label, size_t earlier)
{
    return earlier == 0 ? label : lfm_pool_printf(pool, "%s #%zu", label, earlier + 1);
}

static void label_candidates(struct lfm_pool *pool, struct lfm_document *document)
{
    struct lfm_candidate *items = document->candidates;
    document->reference.label = label_of(pool, document->reference.name, document->reference.weights, false);
    for (size_t i = 0; i < document->n_candidates; i++) {
        bool shared = false;
        size_t earlier = 0;
        for (size_t j = 0; j < document->n_candidates; j++) {
            bool same = j != i && strcmp(items[j].weights, items[i].weights) == 0;
            shared |= same;
            earlier += same && j < i && strcmp(items[j].name, items[i].name) == 0;
        }
        items[i].label = numbered(pool, label_of(pool, items[i].name, items[i].weights, shared), earlier);
    }
}

static void read_candidates(struct place at, struct lfm_document *document)
{
    struct list list = list_of(at, "candidates");
    document->reference = read_candidate(inside(at, "reference"));
    document->candidates = lfm_pool_alloc(at.pool, list.count, sizeof *document->candidates);
    if (!document->candidates) return;
    for (document->n_candidates = 0; document->n_candidates < list.count; document->n_candidates++)
        document->candidates[document->n_candidates] = read_candidate(list_next(&list));
    label_candidates(at.pool, document);
}

static void read_load(struct place at, struct lfm_load_layer *layer, size_t index)
{
    const cJSON *loads = find(at, "load"), *item;
    *layer = (struct lfm_load_layer){
        .layer = layer_number(at, index),
        .experts = number(at, "experts"),
        .top_k = number(at, "top_k"),
        .entropy = number(at, "entropy"),
        .entropy_normalized = number(at, "entropy_normalized"),
        .effective_experts = number(at, "effective_experts"),
        .cv = number(at, "cv"),
        .gini = number(at, "gini"),
        .max_violation = number(at, "max_violation"),
        .margin_median = number(at, "margin_median"),
    };
    if (!loads) return;
    if (!cJSON_IsArray(loads)) fail(at, "load", "a list of numbers");
    layer->load = lfm_pool_alloc(at.pool, (size_t)cJSON_GetArraySize(loads), sizeof *layer->load);
    if (!layer->load || !cJSON_IsArray(loads)) return;
    cJSON_ArrayForEach(item, loads)
    {
        if (!cJSON_IsNumber(item)) fail(at, "load", "a list of numbers");
        layer->load[layer->n_load++] = item->valuedouble;
    }
}

static void read_trace(struct place at, struct lfm_load *load)
{
    struct list list = list_of(at, "layers");
    *load = (struct lfm_load){.name = base_name(string(at, "name")),
                              .weights = string(at, "weights"),
                              .file = string(at, "file"),
                              .sha256 = string(at, "sha256"),
                              .tokens = number(at, "tokens")};
    load->layers = lfm_pool_alloc(at.pool, list.count, sizeof *load->layers);
    if (!load->layers) return;
    for (load->n_layers = 0; load->n_layers < list.count; load->n_layers++)
        read_load(list_next(&list), &load->layers[load->n_layers], load->n_layers);
}

static void read_pair(struct place at, struct lfm_pair *pair)
{
    *pair = (struct lfm_pair){.reference = string(at, "reference"), .candidate = string(at, "candidate")};
    read_layers(at, "layers", true, &pair->layers, &pair->n_layers);
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
    return base_name(name);
}

static void read_routing(struct place at, struct lfm_document *document)
{
    struct list traces = list_of(at, "traces"), pairs = list_of(at, "pairs");
    document->loads = lfm_pool_alloc(at.pool, traces.count, sizeof *document->loads);
    document->pairs = lfm_pool_alloc(at.pool, pairs.count, sizeof *document->pairs);
    if (!document->loads || !document->pairs) return;
    for (; document->n_loads < traces.count; document->n_loads++)
        read_trace(list_next(&traces), &document->loads[document->n_loads]);
    for (size_t i = 0; i < document->n_loads; i++) {
        bool shared = false;
        for (size_t j = 0; j < document->n_loads; j++)
            shared |= j != i && strcmp(document->loads[j].weights, document->loads[i].weights) == 0;
        const char *name = shared && document->loads[i].file[0] ? base_name(document->loads[i].file)
                                                                : document->loads[i].name;
        document->loads[i].label = label_of(at.pool, name, document->loads[i].weights, shared);
    }
    for (; document->n_pairs < pairs.count; document->n_pairs++) {
        struct lfm_pair *pair = &document->pairs[document->n_pairs];
        read_pair(list_next(&pairs), pair);
        pair->label = pair_label(document, pair->candidate);
    }
}

static enum lfm_status read_document(struct lfm_document *document, struct lfm_pool *pool, const cJSON *json,
                                     const char *path, struct lfm_error *error)
{
    struct place top = {pool, json, path};
    document->source = (struct lfm_source){lfm_clean_text(pool, path), string(top, "command")};
    document->version = string(top, "version");
    document->score = string(top, "score");
    document->errors_by = string(top, "errors_by");
    document->positions = number(top, "positions");
    document->documents = number(top, "documents");
    document->context = number(top, "context");
    document->tokens = number(top, "tokens");
    if (document->kind == LFM_DOCUMENT_ROUTING) read_routing(top, document);
    else read_candidates(top, document);
    LFM_TRY(lfm_pool_check(pool, error));
    if (document->kind != LFM_DOCUMENT_ROUTING && document->n_candidates == 0)
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'candidates' is missing or empty: nothing was compared", path);
    if (document->kind == LFM_DOCUMENT_ROUTING && document->n_loads == 0)
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'traces' is missing or empty: no routing to show", path);
    return LFM_OK;
}

static bool known_schema(const cJSON *json, enum lfm_document_kind *kind, const char **schema)
{
    const cJSON *item = cJSON_IsObject(json) ? cJSON_GetObjectItemCaseSensitive(json, "schema") : NULL;
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
    static const char expected[] = "lfmscope-compare, lfmscope-trace-compare or lfmscope-routing";
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

static enum lfm_status add_file(struct lfm_documents *documents, struct lfm_pool *pool, const char *path, bool named,
                                struct lfm_error *error)
{
    cJSON *json = NULL;
    const char *schema = NULL;
    struct lfm_document document = {0};
    struct lfm_buffer text = {0};
    enum lfm_status status;
    LFM_TRY_DONE(lfm_read_file(&text, path, error));
    LFM_TRY_DONE(lfm_json_parse(&json, text.data, text.length, path, error));
    if (!known_schema(json, &document.kind, &schema)) {
        if (named) status = unknown_schema(pool, path, schema, error);
        else skip(documents, pool, path);
        goto done;
    }
    document.schema = lfm_clean_text(pool, schema);
    LFM_TRY_DONE(lfm_sha256(text.data, text.length, document.sha256, error));
    LFM_TRY_DONE(read_document(&document, pool, json, path, error));
    struct lfm_document *items =
        lfm_pool_grow(pool, documents->items, &documents->capacity, documents->count + 1, sizeof *items);
    LFM_TRY_DONE(lfm_pool_check(pool, error));
    documents->items = items;
    documents->items[documents->count++] = document;

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

static int by_name(const struct dirent **left, const struct dirent **right)
{
    return strcmp((*left)->d_name, (*right)->d_name);
}

static enum lfm_status add_directory(struct lfm_documents *documents, struct lfm_pool *pool, const char *path,
                                     struct lfm_error *error)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, is_json, by_name);
    if (count < 0) return lfm_fail(error, LFM_ERROR_IO, "cannot read the directory '%s': %s", path, strerror(errno));
    enum lfm_status status = LFM_OK;
    size_t before = documents->count;
    for (int i = 0; i < count; i++) {
        char *file = NULL;
        if (status == LFM_OK) status = lfm_join_path(&file, path, entries[i]->d_name, error);
        if (status == LFM_OK && !lfm_is_directory(file)) status = add_file(documents, pool, file, false, error);
        free(file);
        free(entries[i]);
    }
    free(entries);
    if (status == LFM_OK && documents->count == before)
        status = lfm_fail(error, LFM_ERROR_FORMAT, "'%s' holds no result of compare or routing (*.json)", path);
    return status;
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
