/* Where traces part, channels that stand out, and errors of modules, into structs: see document.h and read.h. */
#include "reports/read.h"

#include <math.h>

static struct lfm_parting read_parting(struct lfm_place at)
{
    return (struct lfm_parting){
        .present = at.object != NULL,
        .layer = lfm_read_layer(at, 0),
        .point = lfm_read_string(at, "point"),
        .token = lfm_read_number(at, "token"),
        .document = lfm_read_number(at, "document"),
        .position = lfm_read_number(at, "position"),
        .id = lfm_read_number(at, "id"),
        .value = lfm_read_number(at, "value"),
    };
}

/* Takes the channels that a point lists. */
static void read_outliers(struct lfm_place point, const char *key, struct lfm_candidate *candidate, size_t *capacity)
{
    struct lfm_place inside = lfm_place_inside(point, key);
    struct lfm_list list = lfm_place_list(inside, "channels");
    bool of_error = key[0] == 'e';
    double count = lfm_read_number(inside, "count");
    if (!isnan(count)) *(of_error ? &candidate->error_outliers : &candidate->magnitude_outliers) += count;
    for (size_t i = 0; i < list.count; i++) {
        struct lfm_place at = lfm_list_next(&list);
        struct lfm_outlier *outliers =
            lfm_pool_grow(point.pool, candidate->outliers, capacity, candidate->n_outliers + 1, sizeof *outliers);
        if (!outliers) return;
        candidate->outliers = outliers;
        outliers[candidate->n_outliers++] = (struct lfm_outlier){
            .layer = lfm_read_layer(point, 0),
            .point = lfm_read_string(point, "point"),
            .of_error = of_error,
            .channel = lfm_read_number(at, "channel"),
            .rms = lfm_read_number(at, "rms"),
            .times_median = lfm_read_number(at, "times_median"),
        };
    }
}

void lfm_read_divergence(struct lfm_place at, struct lfm_candidate *candidate)
{
    struct lfm_list points = lfm_place_list(at, "points");
    size_t capacity = 0;
    candidate->first = read_parting(lfm_place_inside(at, "first"));
    candidate->first_in_text = read_parting(lfm_place_inside(at, "first_in_text"));
    for (size_t i = 0; i < points.count; i++) {
        struct lfm_place point = lfm_list_next(&points);
        read_outliers(point, "error_outliers", candidate, &capacity);
        read_outliers(point, "magnitude_outliers", candidate, &capacity);
    }
}

void lfm_read_modules(struct lfm_place at, struct lfm_candidate *candidate)
{
    struct lfm_list list = lfm_place_list(lfm_place_inside(at, "inject"), "modules");
    candidate->modules = lfm_pool_alloc(at.pool, list.count, sizeof *candidate->modules);
    if (!candidate->modules) return;
    for (candidate->n_modules = 0; candidate->n_modules < list.count; candidate->n_modules++) {
        struct lfm_place item = lfm_list_next(&list), router = lfm_place_inside(item, "router");
        candidate->modules[candidate->n_modules] = (struct lfm_module_error){
            .layer = lfm_read_layer(item, 0),
            .module = lfm_read_string(item, "module"),
            .kind = lfm_read_string(item, "kind"),
            .injected = lfm_read_number(item, "injected"),
            .inherited = lfm_read_number(item, "inherited"),
            .propagated = lfm_read_number(item, "propagated"),
            .total = lfm_read_number(item, "total"),
            .same_injected = lfm_read_number(lfm_place_inside(router, "injected"), "exact_set"),
            .same_total = lfm_read_number(lfm_place_inside(router, "total"), "exact_set"),
        };
    }
}
