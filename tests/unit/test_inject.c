/* Injected and inherited errors, on the random checkpoint of tests/golden/model: identities, candidates of which one module
 * differs, and the definition followed step by step. */
#include "quant/inject.h"
#include "reference/model/forward.h"
#include "tests/unit/assert.h"

#include <omp.h>
#include <stdlib.h>

static struct lfm_error error;

static const char moe[] = "tests/golden/model/moe-bf16"; /* conv conv attention conv attention; experts from layer 2 on */

enum { LAYERS = 5, LONG = 700, V = 160, D = 32 };

static int32_t ids[2][LONG];
static char name[] = "a.txt";
static struct lfm_document items[2];
static struct lfm_documents documents = {.items = items};
static struct lfm_model *reference, *candidate, *quantized;

static struct lfm_model *open_model(const char *path, const char *weights)
{
    struct lfm_model *model;
    const struct lfm_model_options options = {
        .weights = weights ? lfm_format_by_name(weights) : NULL, .scale = LFM_SCALE_CHANNEL,
    };
    assert_ok(lfm_model_open(&model, path, &options, &error));
    model->config.max_position_embeddings = 1024;
    return model;
}

static void setup(void)
{
    for (size_t d = 0; d < 2; d++) {
        for (size_t t = 0; t < LONG; t++) ids[d][t] = (int32_t)((17 * t * t + 31 * t + 7 * d) % V);
        items[d] = (struct lfm_document){.name = name, .tokens = {.ids = ids[d], .count = d == 0 ? 70 : 40}};
    }
    documents.count = 2;
    reference = open_model(moe, NULL);
    candidate = open_model(moe, NULL);
    quantized = open_model(moe, "q4_0");
}

static void teardown(void)
{
    lfm_model_close(reference);
    lfm_model_close(candidate);
    lfm_model_close(quantized);
}

TestSuite(inject, .init = setup, .fini = teardown);

static void inject_windows(struct lfm_injection *injection, const struct lfm_model *model, size_t context,
                           enum lfm_score score)
{
    struct lfm_windows windows;
    const struct lfm_window_options options = {.context = context, .score = score, .bos = 1};
    assert_ok(lfm_windows_start(&windows, &documents, &options, &error));
    assert_ok(lfm_injection_init(injection, reference, model, &error));
    assert_ok(lfm_inject(injection, 1, reference, &windows, NULL, &error));
    cr_assert_eq(injection->positions, windows.n_scored);
    lfm_windows_release(&windows);
}

static void inject(struct lfm_injection *injection, const struct lfm_model *model)
{
    inject_windows(injection, model, 32, LFM_SCORE_HALF);
}

static const struct lfm_inject_sums *module_of(const struct lfm_injection *injection, size_t layer, size_t module)
{
    const struct lfm_inject_layer *sums = &injection->layers[layer];
    return module == 0 ? &sums->operator : module == 1 ? &sums->feed_forward : &sums->layer;
}

/* Only this module, and its layer as a whole, err on the reference's input. */
static void expect_injected_only(const struct lfm_injection *injection, size_t layer, size_t module)
{
    for (size_t l = 0; l < LAYERS; l++)
        for (size_t m = 0; m < 3; m++) {
            double injected = module_of(injection, l, m)->injected;
            bool expected = l == layer && (m == module || m == 2);
            cr_assert((injected > 0) == expected, "layer %zu, module %zu: %g", l, m, injected);
        }
}

Test(inject, a_model_injects_and_inherits_nothing_of_itself)
{
    struct lfm_injection injection;
    inject(&injection, candidate);
    expect_injected_only(&injection, LAYERS, 0);
    cr_assert_eq(injection.embedding.total, 0);
    for (size_t l = 0; l < LAYERS; l++) {
        for (size_t m = 0; m < 3; m++) {
            struct lfm_inject_figures figures = lfm_inject_figures(module_of(&injection, l, m));
            cr_assert_eq(figures.total, 0);
            cr_assert_eq(figures.propagated, 0);
            cr_assert_eq(figures.inherited, 0);
            cr_assert_gt(module_of(&injection, l, m)->reference, 0);
        }
        cr_assert_eq(injection.layers[l].router_total.tokens, l < 2 ? 0 : injection.positions);
        if (l >= 2) cr_assert_eq(lfm_router_figures(&injection.layers[l].router_injected).exact_set, 1);
    }
    lfm_injection_release(&injection);
}

Test(inject, one_changed_operator_injects_and_what_follows_inherits)
{
    struct lfm_injection injection;
    candidate->layers[3].conv_out_proj = quantized->layers[3].conv_out_proj;
    inject(&injection, candidate);
    expect_injected_only(&injection, 3, 0);
    for (size_t l = 0; l < LAYERS; l++)
        for (size_t m = 0; m < 3; m++) {
            const struct lfm_inject_sums *sums = module_of(&injection, l, m);
            bool before = l < 3, changed = l == 3 && m == 0;
            cr_assert((sums->total > 0) == !before, "layer %zu, module %zu: %g", l, m, sums->total);
            cr_assert((sums->propagated > 0) == (l == 4 || (l == 3 && m == 1)), "layer %zu, module %zu", l, m);
            if (changed || (l == 3 && m == 2)) cr_assert_eq(sums->total, sums->injected, "its input is the reference's");
        }
    lfm_injection_release(&injection);
}

Test(inject, changed_experts_inject_in_their_feed_forward)
{
    struct lfm_injection injection;
    candidate->layers[2].experts[5].w1 = quantized->layers[2].experts[5].w1;
    inject(&injection, candidate);
    expect_injected_only(&injection, 2, 1);
    cr_assert_eq(lfm_router_figures(&injection.layers[2].router_injected).exact_set, 1);
    lfm_injection_release(&injection);
}

Test(inject, keys_of_earlier_tokens_are_made_of_the_reference_s_inputs)
{
    struct lfm_injection injection;
    candidate->layers[4].k_proj = quantized->layers[4].k_proj;
    candidate->layers[0].conv_out_proj = quantized->layers[0].conv_out_proj;
    inject(&injection, candidate);
    double both = injection.layers[4].operator.injected;
    lfm_injection_release(&injection);
    candidate->layers[0].conv_out_proj = reference->layers[0].conv_out_proj;
    inject(&injection, candidate);
    expect_injected_only(&injection, 4, 0);
    cr_assert_eq(injection.layers[4].operator.injected, both, "an error in layer 0 leaks into what layer 4 injects");
    lfm_injection_release(&injection);
}

Test(inject, a_changed_norm_belongs_to_the_module_behind_it)
{
    struct lfm_injection injection;
    candidate->layers[2].ffn_norm[3] *= 1.5f;
    inject(&injection, candidate);
    expect_injected_only(&injection, 2, 1);
    lfm_injection_release(&injection);
}

Test(inject, a_changed_gate_reroutes_on_the_reference_s_input)
{
    struct lfm_injection injection;
    candidate->layers[3].gate = quantized->layers[4].gate;
    inject(&injection, candidate);
    expect_injected_only(&injection, 3, 1);
    cr_assert_lt(lfm_router_figures(&injection.layers[3].router_injected).exact_set, 0.9);
    cr_assert_eq(lfm_router_figures(&injection.layers[4].router_injected).exact_set, 1);
    lfm_injection_release(&injection);
}

/* Only the first layer as a whole sees the reference's embedding through a sum, which rounds. */
Test(inject, a_changed_embedding_is_inherited_by_all)
{
    struct lfm_injection injection;
    candidate->embed_tokens = quantized->embed_tokens;
    inject(&injection, candidate);
    cr_assert_gt(lfm_inject_figures(&injection.embedding).total, 0.01);
    for (size_t l = 0; l < LAYERS; l++)
        for (size_t m = 0; m < 3; m++) {
            struct lfm_inject_figures figures = lfm_inject_figures(module_of(&injection, l, m));
            assert_near(figures.injected, 0, l == 0 && m == 2 ? 1e-6 : 0);
            cr_assert_gt(figures.total, 1e-3, "layer %zu, module %zu", l, m);
            assert_near(figures.propagated, figures.total, 1e-6);
        }
    lfm_injection_release(&injection);
}

Test(inject, total_is_the_sum_of_the_parts_as_vectors)
{
    struct lfm_injection injection;
    inject(&injection, quantized);
    for (size_t l = 0; l < LAYERS; l++)
        for (size_t m = 0; m < 3; m++) {
            struct lfm_inject_figures figures = lfm_inject_figures(module_of(&injection, l, m));
            cr_assert_gt(figures.injected, 1e-3);
            cr_assert(figures.total <= figures.injected + figures.propagated + 1e-12, "layer %zu, module %zu", l, m);
            cr_assert(figures.total >= fabs(figures.injected - figures.propagated) - 1e-12);
            assert_near(figures.inherited, figures.total - figures.injected, 0);
        }
    lfm_injection_release(&injection);
}

/* --- the definition, followed with an observer of the test's own, one window at a time --- */

struct tape {
    float u[LAYERS][2][LONG][D], y[LAYERS][2][LONG][D]; /* inputs and outputs of operator and feed-forward */
    bool play;                                          /* replace the inputs by what is on the tape */
    double injected[LAYERS][2], expected[LAYERS][2];    /* sums over the scored positions */
    size_t first, count;
};

static enum lfm_status run_tape(void *context, const struct lfm_announcement *announcement, struct lfm_error *unused)
{
    (void)unused;
    struct tape *tape = context;
    enum lfm_point point = announcement->point;
    bool is_input = point == LFM_POINT_OPERATOR_NORM || point == LFM_POINT_FFN_NORM;
    if (!is_input && point != LFM_POINT_OPERATOR && point != LFM_POINT_FEED_FORWARD) return LFM_OK;
    size_t module = point == LFM_POINT_FFN_NORM || point == LFM_POINT_FEED_FORWARD, l = announcement->layer;
    for (size_t t = 0; t < announcement->n_tokens; t++) {
        size_t at = announcement->first_position + t;
        float *values = announcement->values + t * D, *kept = is_input ? tape->u[l][module][at] : tape->y[l][module][at];
        if (!tape->play) memcpy(kept, values, D * sizeof *kept);
        else if (is_input) memcpy(values, kept, D * sizeof *kept);
        bool scored = at >= tape->first && at < tape->first + tape->count;
        for (size_t c = 0; c < D && tape->play && !is_input && scored; c++) {
            tape->injected[l][module] += pow((double)values[c] - (double)kept[c], 2);
            tape->expected[l][module] += (double)kept[c] * (double)kept[c];
        }
    }
    return LFM_OK;
}

static void play_window(struct tape *tape, const struct lfm_window *window)
{
    const struct lfm_observer observer = {run_tape, tape};
    const struct lfm_model *const models[2] = {reference, quantized};
    tape->first = window->first;
    tape->count = window->count;
    for (size_t i = 0; i < 2; i++) {
        struct lfm_state *state;
        tape->play = i == 1;
        assert_ok(lfm_state_new(&state, models[i], &error));
        assert_ok(lfm_forward(models[i], state, window->tokens, window->n, &observer, NULL, &error));
        lfm_state_free(state);
    }
}

static void expect_definition(size_t context, enum lfm_score score)
{
    struct lfm_injection injection;
    struct lfm_windows windows;
    struct lfm_window window;
    struct tape *tape = calloc(1, sizeof *tape);
    const struct lfm_window_options options = {.context = context, .score = score, .bos = 1};
    inject_windows(&injection, quantized, context, score);
    assert_ok(lfm_windows_start(&windows, &documents, &options, &error));
    while (lfm_windows_next(&windows, &window)) play_window(tape, &window);
    for (size_t l = 0; l < LAYERS; l++)
        for (size_t m = 0; m < 2; m++) {
            const struct lfm_inject_sums *sums = module_of(&injection, l, m);
            assert_near(sums->injected, tape->injected[l][m], 1e-9 * tape->injected[l][m]);
            assert_near(sums->reference, tape->expected[l][m], 1e-9 * tape->expected[l][m]);
            cr_assert_gt(sums->injected, 0);
        }
    free(tape);
    lfm_windows_release(&windows);
    lfm_injection_release(&injection);
}

Test(inject, follows_the_definition_when_windows_share_a_step)
{
    expect_definition(32, LFM_SCORE_HALF);
    expect_definition(30, LFM_SCORE_ALL);
}

Test(inject, follows_the_definition_when_a_window_takes_several_steps)
{
    items[0].tokens.count = LONG;
    expect_definition(LONG, LFM_SCORE_HALF);
}

Test(inject, gives_the_same_bits_for_any_number_of_threads)
{
    struct lfm_injection one, three;
    omp_set_num_threads(1);
    inject(&one, quantized);
    omp_set_num_threads(3);
    inject(&three, quantized);
    cr_assert_arr_eq(one.layers, three.layers, LAYERS * sizeof *one.layers);
    lfm_injection_release(&one);
    lfm_injection_release(&three);
}

Test(inject, another_architecture_is_refused)
{
    struct lfm_injection injection;
    struct lfm_model *other = open_model("tests/golden/model/lfm2-adjusted-width", NULL);
    assert_fails(lfm_injection_init(&injection, reference, other, &error), LFM_ERROR_MISMATCH, "another architecture");
    lfm_model_close(other);
}
