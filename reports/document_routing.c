/* What `routing` says beyond load and agreement by layer, into structs: see document.h and read.h. */
#include "reports/read.h"

#include <math.h>

/* A list of numbers; null becomes NaN. */
static double *read_numbers(struct lfm_place at, const char *key, size_t *n)
{
    const cJSON *list = lfm_place_find(at, key), *item;
    *n = 0;
    if (!list) return NULL;
    if (!cJSON_IsArray(list)) {
        lfm_place_fail(at, key, "a list of numbers");
        return NULL;
    }
    double *numbers = lfm_pool_alloc(at.pool, (size_t)cJSON_GetArraySize(list), sizeof *numbers);
    if (!numbers) return NULL;
    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsNumber(item) && !cJSON_IsNull(item)) lfm_place_fail(at, key, "a list of numbers");
        numbers[(*n)++] = cJSON_IsNumber(item) ? item->valuedouble : NAN;
    }
    return numbers;
}

static void read_lifts(struct lfm_place at, struct lfm_load_layer *layer)
{
    struct lfm_list list = lfm_place_list(at, "coactivation");
    layer->lifts = lfm_pool_alloc(at.pool, list.count, sizeof *layer->lifts);
    while (layer->lifts && layer->n_lifts < list.count) {
        struct lfm_place pair = lfm_list_next(&list);
        layer->lifts[layer->n_lifts++] = (struct lfm_expert_pair){
            lfm_read_number(pair, "a"), lfm_read_number(pair, "b"), lfm_read_number(pair, "lift")};
    }
}

static void read_shares(struct lfm_place at, struct lfm_load_layer *layer)
{
    struct lfm_list list = lfm_place_list(at, "domains");
    layer->domains = lfm_pool_alloc(at.pool, list.count, sizeof *layer->domains);
    while (layer->domains && layer->n_domains < list.count) {
        struct lfm_place domain = lfm_list_next(&list);
        struct lfm_domain_share *share = &layer->domains[layer->n_domains++];
        share->label = lfm_read_string(domain, "label");
        share->shares = read_numbers(domain, "share", &share->n);
    }
}

void lfm_read_routing_layer(struct lfm_place at, struct lfm_load_layer *layer)
{
    struct lfm_place chance = lfm_place_inside(at, "chance"), information = lfm_place_inside(at, "mutual_information");
    struct lfm_place next = lfm_place_inside(lfm_place_inside(at, "persistence"), "next_token");
    layer->chance_cv = lfm_read_number(chance, "cv");
    layer->chance_effective_experts = lfm_read_number(chance, "effective_experts");
    layer->domain_excess = lfm_read_number(lfm_place_inside(information, "domain"), "excess");
    layer->token_excess = lfm_read_number(lfm_place_inside(information, "token"), "excess");
    layer->next_token = lfm_read_number(next, "overlap");
    layer->next_token_chance = lfm_read_number(next, "chance_load");
    read_lifts(at, layer);
    read_shares(at, layer);
}

void lfm_read_routing_chance(struct lfm_place at, struct lfm_load *load)
{
    struct lfm_place chance = lfm_place_inside(at, "chance");
    load->chance_lift = lfm_read_number(chance, "lift");
    load->chance_share = lfm_read_number(chance, "share");
}

static void read_bins(struct lfm_place at, struct lfm_pair *pair)
{
    struct lfm_list list = lfm_place_list(at, "margin_bins");
    pair->bins = lfm_pool_alloc(at.pool, list.count, sizeof *pair->bins);
    while (pair->bins && pair->n_bins < list.count) {
        struct lfm_place bin = lfm_list_next(&list), flips = lfm_place_inside(bin, "flips");
        pair->bins[pair->n_bins++] = (struct lfm_flip_bin){
            .from = lfm_read_number(bin, "from"),
            .to = lfm_read_number(bin, "to"),
            .tokens = lfm_read_number(bin, "tokens"),
            .shared = lfm_read_number(bin, "shared"),
            .weight_l1 = lfm_read_number(bin, "weight_l1"),
            .observed = lfm_read_number(flips, "observed"),
            .predicted_empirical = lfm_read_number(flips, "predicted_empirical"),
            .predicted_normal = lfm_read_number(flips, "predicted_normal"),
        };
    }
}

void lfm_read_routing_pair(struct lfm_place at, struct lfm_pair *pair)
{
    struct lfm_place divergence = lfm_place_inside(at, "first_divergence");
    struct lfm_list list = lfm_place_list(divergence, "layers");
    read_bins(lfm_place_inside(at, "all"), pair);
    pair->never_share = lfm_read_number(divergence, "never_share");
    pair->firsts = lfm_pool_alloc(at.pool, list.count, sizeof *pair->firsts);
    while (pair->firsts && pair->n_firsts < list.count) {
        struct lfm_place layer = lfm_list_next(&list);
        pair->firsts[pair->n_firsts++] = (struct lfm_first_flip){lfm_read_number(layer, "layer"),
                                                                 lfm_read_number(layer, "share")};
    }
}
