/* Injected and inherited errors as JSON and as a table: see inject_report.h. */
#include "quant/command/inject_report.h"

#include "quant/command/router_report.h"

#include <math.h>
#include <stdio.h>

enum { MODULES = 3 };

/* One module of a layer. */
struct module {
    const char *name, *kind;
    const struct lfm_inject_sums *sums;
    bool has_router;
};

static void modules_of(struct module modules[MODULES], const struct lfm_injection *injection, size_t l)
{
    const struct lfm_config *config = &injection->model->config;
    const struct lfm_inject_layer *layer = &injection->layers[l];
    bool moe = lfm_layer_is_moe(config, l);
    modules[0] = (struct module){"operator", config->layer_types[l] == LFM_CONV ? "conv" : "attention", &layer->operator, false};
    modules[1] = (struct module){"feed_forward", moe ? "moe" : "dense", &layer->feed_forward, moe};
    modules[2] = (struct module){"layer", "", &layer->layer, false};
}

/* --- JSON --- */

static void add_figures(cJSON *object, const struct lfm_inject_figures *figures)
{
    lfm_json_add_number(object, "injected", figures->injected);
    lfm_json_add_number(object, "inherited", figures->inherited);
    lfm_json_add_number(object, "propagated", figures->propagated);
    lfm_json_add_number(object, "total", figures->total);
}

static void add_router(cJSON *object, const struct lfm_inject_layer *layer)
{
    struct lfm_router_figures injected = lfm_router_figures(&layer->router_injected);
    struct lfm_router_figures total = lfm_router_figures(&layer->router_total);
    cJSON *router = cJSON_AddObjectToObject(object, "router");
    lfm_add_router_figures(cJSON_AddObjectToObject(router, "injected"), &injected);
    lfm_add_router_figures(cJSON_AddObjectToObject(router, "total"), &total);
}

void lfm_add_injection(cJSON *candidate, const struct lfm_injection *injection)
{
    cJSON *object = cJSON_AddObjectToObject(candidate, "inject");
    struct lfm_inject_figures embedding = lfm_inject_figures(&injection->embedding);
    lfm_json_add_number(object, "positions", (double)injection->positions);
    add_figures(cJSON_AddObjectToObject(object, "embedding"), &embedding);
    cJSON *list = cJSON_AddArrayToObject(object, "modules");
    for (size_t l = 0; l < injection->model->config.num_hidden_layers; l++) {
        struct module modules[MODULES];
        modules_of(modules, injection, l);
        for (size_t m = 0; m < MODULES; m++) {
            struct lfm_inject_figures figures = lfm_inject_figures(modules[m].sums);
            cJSON *entry = cJSON_CreateObject();
            lfm_json_add_number(entry, "layer", (double)l);
            cJSON_AddStringToObject(entry, "module", modules[m].name);
            if (modules[m].kind[0]) cJSON_AddStringToObject(entry, "kind", modules[m].kind);
            add_figures(entry, &figures);
            if (modules[m].has_router) add_router(entry, &injection->layers[l]);
            cJSON_AddItemToArray(list, entry);
        }
    }
}

/* --- table --- */

static void print_number(double value)
{
    if (isfinite(value)) printf(" %10.3e", value);
    else printf(" %10s", "-");
}

static void print_figures(const struct lfm_inject_figures *figures)
{
    print_number(figures->injected);
    print_number(figures->inherited);
    print_number(figures->propagated);
    print_number(figures->total);
}

static void print_module(size_t layer, const struct module *module, const struct lfm_inject_layer *sums)
{
    struct lfm_inject_figures figures = lfm_inject_figures(module->sums);
    printf("%5zu %-12s %-9s", layer, module->name, module->kind);
    print_figures(&figures);
    if (module->has_router) {
        double own = lfm_router_figures(&sums->router_injected).exact_set;
        printf("  %8.3f%% %8.3f%%", 100 * (1 - own), 100 * (1 - lfm_router_figures(&sums->router_total).exact_set));
    }
    printf("\n");
}

void lfm_print_injection(const char *name, const struct lfm_injection *injection)
{
    struct lfm_inject_figures embedding = lfm_inject_figures(&injection->embedding);
    printf("\n%s: relative L2 error of each module, injected (on the reference's input) and inherited (the rest)\n", name);
    printf("%5s %-12s %-9s %10s %10s %10s %10s  %9s %9s\n", "layer", "module", "kind", "injected", "inherited", "propagated",
           "total", "rerouted", "in all");
    printf("%5s %-12s %-9s", "-", "embedding", "");
    print_figures(&embedding);
    printf("\n");
    for (size_t l = 0; l < injection->model->config.num_hidden_layers; l++) {
        struct module modules[MODULES];
        modules_of(modules, injection, l);
        for (size_t m = 0; m < MODULES; m++) print_module(l, &modules[m], &injection->layers[l]);
    }
    printf("rerouted: tokens for which the router chooses other experts than the reference's, on the reference's input; in all: in "
           "the candidate's own run\n");
}
