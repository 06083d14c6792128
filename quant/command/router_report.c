/* The agreement of routers as JSON and as a table: see router_report.h. */
#include "quant/command/router_report.h"

#include <stdio.h>

void lfm_add_router_figures(cJSON *object, const struct lfm_router_figures *figures)
{
    lfm_json_add_number(object, "overlap", figures->overlap);
    lfm_json_add_number(object, "shared", figures->shared);
    lfm_json_add_number(object, "exact_set", figures->exact_set);
    lfm_json_add_number(object, "gate_kl", figures->gate_kl);
    lfm_json_add_number(object, "mass_moved", figures->mass_moved);
    lfm_json_add_number(object, "top1", figures->top1);
    lfm_json_add_number(object, "weight_l1", figures->weight_l1);
}

void lfm_add_router_rows(cJSON *object, const char *key, const struct lfm_router_difference *rows, size_t n)
{
    cJSON *array = cJSON_AddArrayToObject(object, key);
    for (size_t i = 0; i < n; i++) {
        cJSON *layer = cJSON_CreateObject();
        lfm_json_add_number(layer, "layer", (double)rows[i].layer);
        lfm_add_router_figures(layer, &rows[i].figures);
        cJSON_AddItemToArray(array, layer);
    }
}

void lfm_print_router_rows(const struct lfm_router_difference *rows, size_t n)
{
    printf("%5s %9s %9s %10s %11s %11s\n", "layer", "overlap", "shared", "exact set", "gate KL", "mass moved");
    for (size_t i = 0; i < n; i++) {
        const struct lfm_router_figures *figures = &rows[i].figures;
        printf("%5zu %8.3f%% %8.3f%% %9.3f%% %11.3e %11.3e\n", rows[i].layer, 100 * figures->overlap,
               100 * figures->shared, 100 * figures->exact_set, figures->gate_kl, figures->mass_moved);
    }
}
