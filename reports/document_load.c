/* Results of `routing --load` into structs: see document.h and read.h. */
#include "reports/read.h"

static struct lfm_band read_band(struct lfm_place at, const char *key)
{
    return (struct lfm_band){
        .mean = lfm_read_number(at, key),
        .low = lfm_read_number(at, lfm_pool_printf(at.pool, "%s_low", key)),
        .high = lfm_read_number(at, lfm_pool_printf(at.pool, "%s_high", key)),
    };
}

static void read_batches(struct lfm_place at, struct lfm_under_load *load)
{
    struct lfm_list list = lfm_place_list(at, "batches");
    load->batches = lfm_pool_alloc(at.pool, list.count, sizeof *load->batches);
    while (load->batches && load->n_batches < list.count) {
        struct lfm_place item = lfm_list_next(&list);
        load->batches[load->n_batches++] = (struct lfm_load_batch){
            .batch = lfm_read_number(item, "batch"),
            .uniform = lfm_read_number(item, "distinct_experts_uniform"),
            .own_load = lfm_read_number(item, "distinct_experts_own_load"),
            .bytes_per_token = lfm_read_number(item, "bytes_per_token"),
            .expert_bytes_per_token = lfm_read_number(item, "expert_bytes_per_token"),
            .worst_layer = lfm_read_number(item, "worst_layer"),
            .distinct = read_band(item, "distinct_experts"),
        };
    }
}

static void read_placements(struct lfm_place at, struct lfm_under_load *load)
{
    struct lfm_list list = lfm_place_list(at, "placements");
    load->placements = lfm_pool_alloc(at.pool, list.count, sizeof *load->placements);
    while (load->placements && load->n_placements < list.count) {
        struct lfm_place item = lfm_list_next(&list);
        load->placements[load->n_placements++] = (struct lfm_load_placement){
            .placement = lfm_read_string(item, "placement"),
            .devices = lfm_read_number(item, "devices"),
            .batch = lfm_read_number(item, "batch"),
            .p95 = lfm_read_number(item, "straggler_p95"),
            .even = lfm_read_number(item, "straggler_even"),
            .worst_layer = lfm_read_number(item, "worst_layer"),
            .worst = lfm_read_number(item, "worst_layer_value"),
            .straggler = read_band(item, "straggler"),
        };
    }
}

static void read_drops(struct lfm_place at, struct lfm_under_load *load)
{
    struct lfm_list list = lfm_place_list(at, "dropped");
    load->drops = lfm_pool_alloc(at.pool, list.count, sizeof *load->drops);
    while (load->drops && load->n_drops < list.count) {
        struct lfm_place item = lfm_list_next(&list);
        load->drops[load->n_drops++] = (struct lfm_load_drop){
            .factor = lfm_read_number(item, "capacity_factor"),
            .batch = lfm_read_number(item, "batch"),
            .capacity = lfm_read_number(item, "capacity"),
            .even = lfm_read_number(item, "dropped_even"),
            .worst_layer = lfm_read_number(item, "worst_layer"),
            .worst = lfm_read_number(item, "worst_layer_value"),
            .dropped = read_band(item, "dropped"),
        };
    }
}

static void read_caches(struct lfm_place at, struct lfm_under_load *load)
{
    struct lfm_list list = lfm_place_list(at, "caches");
    load->caches = lfm_pool_alloc(at.pool, list.count, sizeof *load->caches);
    while (load->caches && load->n_caches < list.count) {
        struct lfm_place item = lfm_list_next(&list);
        struct lfm_place rates = lfm_place_inside(item, "hit_rate"), bytes = lfm_place_inside(item, "bytes_per_token");
        load->caches[load->n_caches++] = (struct lfm_load_cache){
            .size = lfm_read_number(item, "size"),
            .coverage_held_out = lfm_read_number(item, "coverage_held_out"),
            .worst_layer = lfm_read_number(item, "worst_layer"),
            .worst = lfm_read_number(item, "worst_layer_value"),
            .lru = lfm_read_number(rates, "lru"),
            .lfu = lfm_read_number(rates, "lfu"),
            .hottest = lfm_read_number(rates, "static"),
            .belady = lfm_read_number(rates, "belady"),
            .lru_bytes = lfm_read_number(bytes, "lru"),
            .lfu_bytes = lfm_read_number(bytes, "lfu"),
            .hottest_bytes = lfm_read_number(bytes, "static"),
            .belady_bytes = lfm_read_number(bytes, "belady"),
        };
    }
}

static void read_trace(struct lfm_place at, struct lfm_under_load *load)
{
    load->name = lfm_base_name(lfm_read_string(at, "name"));
    load->file = lfm_read_string(at, "file");
    load->tokens = lfm_read_number(at, "tokens");
    load->documents = lfm_read_number(at, "documents");
    load->experts = lfm_read_number(at, "experts");
    load->top_k = lfm_read_number(at, "top_k");
    load->bits_per_weight = lfm_read_number(at, "bits_per_weight");
    const char *file = lfm_base_name(load->file);
    load->label = file[0] ? lfm_pool_printf(at.pool, "%s (%s)", load->name, file) : load->name;
    read_batches(at, load);
    read_placements(at, load);
    read_drops(at, load);
    read_caches(at, load);
}

void lfm_read_load(struct lfm_place top, struct lfm_document *document)
{
    struct lfm_list list = lfm_place_list(top, "traces");
    document->draw = lfm_read_string(top, "draw");
    document->resamples = lfm_read_number(top, "resamples");
    document->steps = lfm_read_number(top, "steps");
    document->under_loads = lfm_pool_alloc(top.pool, list.count, sizeof *document->under_loads);
    if (!document->under_loads) return;
    while (document->n_under_loads < list.count)
        read_trace(lfm_list_next(&list), &document->under_loads[document->n_under_loads++]);
}
