/* Results of `bench` into structs: see document.h and read.h. */
#include "reports/read.h"

#include <string.h>

static struct lfm_speed_spread read_spread(struct lfm_place at, const char *key)
{
    return (struct lfm_speed_spread){
        .median = lfm_read_number(at, key),
        .low = lfm_read_number(at, lfm_pool_printf(at.pool, "%s_min", key)),
        .high = lfm_read_number(at, lfm_pool_printf(at.pool, "%s_max", key)),
    };
}

static struct lfm_speed read_speed(struct lfm_place at)
{
    return (struct lfm_speed){
        .format = lfm_read_string(at, "format"),
        .activations = lfm_read_string(at, "activations"),
        .kv = lfm_read_string(at, "kv"),
        .batch = lfm_read_number(at, "batch"),
        .context = lfm_read_number(at, "context"),
        .prefill = read_spread(at, "prefill_tps"),
        .decode = read_spread(at, "decode_tps"),
        .bytes_per_token = lfm_read_number(at, "bytes_per_token"),
        .bandwidth_share = lfm_read_number(at, "bandwidth_share"),
        .distinct_experts = lfm_read_number(at, "distinct_experts"),
        .decode_joules = lfm_read_number(at, "decode_joules_per_token"),
    };
}

/* "Q8_0/Q8/F16": weights, activations and cache, as far as these differ between the rows. */
static void label_speeds(struct lfm_pool *pool, struct lfm_document *document)
{
    bool activations = false, kv = false;
    for (size_t i = 1; i < document->n_speeds; i++) {
        activations |= strcmp(document->speeds[i].activations, document->speeds[0].activations) != 0;
        kv |= strcmp(document->speeds[i].kv, document->speeds[0].kv) != 0;
    }
    for (size_t i = 0; i < document->n_speeds; i++) {
        struct lfm_speed *speed = &document->speeds[i];
        speed->label = speed->format[0] ? lfm_format_title(pool, speed->format) : "unnamed";
        if (activations || kv)
            speed->label = lfm_pool_printf(pool, "%s/%s", speed->label, lfm_format_title(pool, speed->activations));
        if (kv) speed->label = lfm_pool_printf(pool, "%s/%s", speed->label, lfm_format_title(pool, speed->kv));
    }
}

void lfm_read_bench(struct lfm_place top, struct lfm_document *document)
{
    struct lfm_list list = lfm_place_list(top, "rows");
    document->model = lfm_base_name(lfm_read_string(top, "name"));
    document->cpu = lfm_read_string(top, "cpu");
    document->threads = lfm_read_number(top, "threads");
    document->repeats = lfm_read_number(top, "repeats");
    document->prompt_tokens = lfm_read_number(top, "prompt_tokens");
    document->bandwidth = read_spread(top, "bandwidth_read");
    document->speeds = lfm_pool_alloc(top.pool, list.count, sizeof *document->speeds);
    if (!document->speeds) return;
    while (document->n_speeds < list.count) document->speeds[document->n_speeds++] = read_speed(lfm_list_next(&list));
    label_speeds(top.pool, document);
}
