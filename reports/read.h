/* Reading result files: typed look-ups whose failures name the file and the place. For document*.c alone.
 *
 * A failure stays in the pool, as everywhere in this room. */
#ifndef LFM_REPORTS_READ_H
#define LFM_REPORTS_READ_H

#include "reference/base/json.h"
#include "reports/document.h"

/* An object of a document and what messages call it: "a.json: candidates[1].kld". */
struct lfm_place {
    struct lfm_pool *pool;
    const cJSON *object; /* NULL when absent: every look-up then finds nothing */
    const char *name;
};

/* "<place>: '<key>' must be <expected>". */
void lfm_place_fail(struct lfm_place at, const char *key, const char *expected);
/* The member of that name; NULL when it is absent or null. */
const cJSON *lfm_place_find(struct lfm_place at, const char *key);
double lfm_read_number(struct lfm_place at, const char *key);      /* NaN when absent */
const char *lfm_read_string(struct lfm_place at, const char *key); /* cleaned; "" when absent */
struct lfm_place lfm_place_inside(struct lfm_place at, const char *key);

/* A list of objects and a walk through it. */
struct lfm_list {
    struct lfm_place at;
    const char *key;
    const cJSON *next;
    size_t count, index;
};
struct lfm_list lfm_place_list(struct lfm_place at, const char *key);
struct lfm_place lfm_list_next(struct lfm_list *list);

/* The last component of a path, so that a name is short and the same on every machine. */
const char *lfm_base_name(const char *name);

/* How a model was run, WEIGHTS[/ACTIVATIONS[/KV]], from "weights", "activations" and "kv" as far as these are not f32. "" without
 * weights. */
const char *lfm_read_variant(struct lfm_place at);
/* "name" without its directory; names of variants (stored/q8) are kept. */
const char *lfm_read_name(struct lfm_place at);

/* document_tasks.c: a comparison of runs (`whole` false), or one run (true). Of a comparison in a summary.json, the
 * details of its runs are read from <run>/summary.json beside it, where that exists. */
enum lfm_status lfm_read_tasks(struct lfm_place top, struct lfm_document *document, const char *path, bool whole,
                               struct lfm_error *error);

/* document_divergence.c: where traces part and which channels stand out; the errors of modules. */
void lfm_read_divergence(struct lfm_place at, struct lfm_candidate *candidate);
void lfm_read_modules(struct lfm_place at, struct lfm_candidate *candidate);

/* A whole number "layer"; `otherwise` when it is absent. */
size_t lfm_read_layer(struct lfm_place at, size_t otherwise);

/* document_routing.c: what is not about load and agreement by layer */
void lfm_read_routing_layer(struct lfm_place at, struct lfm_load_layer *layer);
void lfm_read_routing_chance(struct lfm_place at, struct lfm_load *load);
void lfm_read_routing_pair(struct lfm_place at, struct lfm_pair *pair);

/* document_bench.c */
void lfm_read_bench(struct lfm_place top, struct lfm_document *document);

/* document_ledger.c; fails when there are no cells. */
enum lfm_status lfm_read_ledger(struct lfm_place top, struct lfm_document *document, struct lfm_error *error);

/* document_load.c */
void lfm_read_load(struct lfm_place top, struct lfm_document *document);

/* document_attribute.c */
void lfm_read_attribution(struct lfm_place top, struct lfm_document *document);

/* document_conform.c */
void lfm_read_conform(struct lfm_place top, struct lfm_document *document);

#endif
