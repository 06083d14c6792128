/* Attribution: parts hold every matrix once, and a part's figures are those of a model that is quantized there alone. */
#include "quant/attribute.h"

#include "quant/positions.h"
#include "tests/unit/assert.h"

#include <stdlib.h>
#include <string.h>

static struct lfm_error error;

static const char moe[] = "tests/golden/model/moe-bf16", dense[] = "tests/golden/model/lfm2-adjusted-width",
                  odd[] = "tests/golden/model/moe-odd-sizes";

enum { LENGTH = 60, V = 130, BOS = 1 };

static int32_t ids[2][LENGTH];
static char name[] = "a.txt";
static struct lfm_document items[2];
static const struct lfm_documents documents = {.items = items, .count = 2};

static void start_text(struct lfm_windows *windows, struct lfm_positions *positions)
{
    const struct lfm_window_options options = {.context = 24, .bos = BOS};
    for (size_t d = 0; d < 2; d++) {
        for (size_t t = 0; t < LENGTH; t++) ids[d][t] = (int32_t)((13 * t * t + 29 * t + 5 * d) % V);
        items[d] = (struct lfm_document){.name = name, .tokens = {.ids = ids[d], .count = LENGTH}};
    }
    assert_ok(lfm_windows_start(windows, &documents, &options, &error));
    assert_ok(lfm_positions_list(positions, windows, &error));
}

static void list(struct lfm_attribution *attribution, const char *path, enum lfm_division division)
{
    struct lfm_model *model;
    assert_ok(lfm_model_open(&model, path, NULL, &error));
    assert_ok(lfm_attribution_init(attribution, model, division, &error));
    lfm_model_close(model);
}

static const struct lfm_part *part(const struct lfm_attribution *attribution, const char *wanted)
{
    for (size_t i = 0; i < attribution->n_parts; i++)
        if (strcmp(attribution->parts[i].name, wanted) == 0) return &attribution->parts[i];
    cr_assert_fail("there is no part '%s'", wanted);
    return NULL;
}

static void assert_parts_are_all(const char *path, enum lfm_division division)
{
    struct lfm_attribution attribution;
    size_t matrices = 0, parameters = 0;
    list(&attribution, path, division);
    for (size_t i = 0; i < attribution.n_parts; i++) {
        matrices += attribution.parts[i].matrices;
        parameters += attribution.parts[i].parameters;
        for (size_t j = 0; j < i; j++) cr_assert_str_neq(attribution.parts[i].name, attribution.parts[j].name);
    }
    cr_assert_eq(matrices, attribution.whole.matrices);
    cr_assert_eq(parameters, attribution.whole.parameters);
    lfm_attribution_release(&attribution);
}

Test(attribute, parts_hold_every_matrix_once)
{
    for (int division = LFM_BY_LAYER; division <= LFM_BY_EXPERT; division++) {
        assert_parts_are_all(moe, (enum lfm_division)division);
        assert_parts_are_all(dense, (enum lfm_division)division);
    }
}

Test(attribute, parts_are_named_by_what_they_divide)
{
    struct lfm_attribution attribution;
    list(&attribution, odd, LFM_BY_LAYER);
    cr_assert_eq(attribution.n_parts, 6, "embedding and five layers");
    part(&attribution, "embed_tokens");
    part(&attribution, "layers.4");
    lfm_attribution_release(&attribution);
    list(&attribution, odd, LFM_BY_MODULE);
    cr_assert_eq(part(&attribution, "feed_forward.experts.w2")->matrices, 3 * 7, "three layers of seven experts");
    part(&attribution, "self_attn.q_proj");
    part(&attribution, "feed_forward.w1");
    lfm_attribution_release(&attribution);
    list(&attribution, odd, LFM_BY_TENSOR);
    cr_assert_eq(part(&attribution, "layers.2.feed_forward.experts.w1")->matrices, 7);
    cr_assert_eq(part(&attribution, "layers.0.feed_forward.w1")->matrices, 1);
    lfm_attribution_release(&attribution);
    list(&attribution, odd, LFM_BY_EXPERT);
    cr_assert_eq(attribution.n_parts, 1 + 3 * 7);
    cr_assert_eq(part(&attribution, "layers.4.experts.6")->matrices, 3);
    part(&attribution, "all but experts");
    lfm_attribution_release(&attribution);
}

/* The KLD of the model with these matrices quantized, by way of compare. */
static double kld_of(const struct lfm_model *reference, bool (*only)(const void *context, const char *name),
                     struct lfm_windows *windows, const struct lfm_positions *positions)
{
    struct lfm_model *candidate;
    struct lfm_comparison comparison;
    struct lfm_compare_figures figures;
    double *nll = calloc(positions->count, sizeof *nll);
    const struct lfm_model_options options = {.weights = lfm_format_by_name("fp8_e4m3"), .scale = LFM_SCALE_CHANNEL, .only = only};
    assert_ok(lfm_model_open(&candidate, moe, &options, &error));
    assert_ok(lfm_comparison_init(&comparison, reference, candidate, positions->count, &error));
    assert_ok(lfm_compare(nll, &comparison, 1, reference, windows, NULL, &error));
    assert_ok(lfm_compare_figures(&figures, &comparison, nll, positions, 0, &error));
    lfm_comparison_release(&comparison);
    lfm_model_close(candidate);
    free(nll);
    return figures.kld.mean;
}

static bool in_last_layer(const void *context, const char *matrix)
{
    (void)context;
    return strncmp(matrix, "model.layers.3.", 15) == 0;
}

Test(attribute, a_part_is_the_model_that_is_quantized_there_alone)
{
    struct lfm_model *reference;
    struct lfm_windows windows;
    struct lfm_positions positions;
    struct lfm_attribution attribution;
    const struct lfm_model_options options = {.weights = lfm_format_by_name("fp8_e4m3"), .scale = LFM_SCALE_CHANNEL};
    start_text(&windows, &positions);
    assert_ok(lfm_model_open(&reference, moe, NULL, &error));
    assert_ok(lfm_attribution_init(&attribution, reference, LFM_BY_LAYER, &error));
    const struct lfm_attribution_run run = {reference, moe, &options, LFM_BY_LAYER, &windows, &positions, 0, NULL};
    assert_ok(lfm_attribute(&attribution, &run, &error));

    assert_near(attribution.whole.kld.mean, kld_of(reference, NULL, &windows, &positions), 0);
    assert_near(part(&attribution, "layers.3")->kld.mean, kld_of(reference, in_last_layer, &windows, &positions), 0);
    double sum = 0, saved = 0;
    for (size_t i = 0; i < attribution.n_parts; i++) {
        cr_assert_gt(attribution.parts[i].kld.mean, 0, "%s", attribution.parts[i].name);
        sum += attribution.parts[i].kld.mean;
        saved += attribution.parts[i].bytes_saved;
    }
    assert_near(attribution.parts_kld, sum, 0);
    assert_near(attribution.whole.bytes_saved, saved, 0);
    lfm_attribution_release(&attribution);
    lfm_positions_release(&positions);
    lfm_windows_release(&windows);
    lfm_model_close(reference);
}

Test(attribute, parts_do_not_depend_on_what_runs_beside_them)
{
    struct lfm_model *reference;
    struct lfm_windows windows;
    struct lfm_positions positions;
    struct lfm_attribution all, one;
    const struct lfm_model_options options = {.weights = lfm_format_by_name("fp8_e4m3"), .scale = LFM_SCALE_TENSOR};
    start_text(&windows, &positions);
    assert_ok(lfm_model_open(&reference, moe, NULL, &error));
    const struct lfm_attribution_run run = {reference, moe, &options, LFM_BY_TENSOR, &windows, &positions, 0, NULL};
    assert_ok(lfm_attribution_init(&all, reference, LFM_BY_TENSOR, &error));
    cr_assert_gt(all.n_parts, 8, "more than one group");
    assert_ok(lfm_attribute(&all, &run, &error));
    assert_ok(lfm_attribution_init(&one, reference, LFM_BY_TENSOR, &error));
    one.parts[0] = one.parts[one.n_parts - 1];
    one.n_parts = 1;
    assert_ok(lfm_attribute(&one, &run, &error));
    assert_near(one.parts[0].kld.mean, all.parts[all.n_parts - 1].kld.mean, 0);
    lfm_attribution_release(&all);
    lfm_attribution_release(&one);
    lfm_positions_release(&positions);
    lfm_windows_release(&windows);
    lfm_model_close(reference);
}
