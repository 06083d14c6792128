/* Comparing models live, on the random checkpoints of tests/golden/model; and the figures made from a comparison. */
#include "quant/compare.h"
#include "quant/compare_figures.h"
#include "quant/distance.h"
#include "quant/perplexity.h"
#include "quant/steps.h"
#include "quant/positions.h"
#include "reference/base/file.h"
#include "reference/model/forward.h"
#include "tests/unit/assert.h"
#include "tests/unit/directory.h"

#include <omp.h>
#include <stdlib.h>
#include <unistd.h>

static struct lfm_error error;

static const char moe[] = "tests/golden/model/moe-bf16";

enum { N_DOCUMENTS = 3, LENGTH = 70, V = 160, BOS = 1, POSITIONS_MAX = N_DOCUMENTS * LENGTH };

static int32_t ids[N_DOCUMENTS][LENGTH];
static char name[] = "a.txt", red[] = "red", blue[] = "blue";
static struct lfm_document items[N_DOCUMENTS];
static const struct lfm_documents documents = {.items = items, .count = N_DOCUMENTS};

/* Three documents of 70, 70 and 50 ids, the first and the last labelled red. */
static void make_documents(void)
{
    for (size_t d = 0; d < N_DOCUMENTS; d++) {
        for (size_t t = 0; t < LENGTH; t++) ids[d][t] = (int32_t)((17 * t * t + 31 * t + 7 * d) % V);
        items[d] = (struct lfm_document){
            .name = name,
            .label = d == 1 ? blue : red,
            .tokens = {.ids = ids[d], .count = d == 2 ? 50 : LENGTH},
        };
    }
}

static struct lfm_model *open_model(const char *path, const char *weights)
{
    struct lfm_model *model;
    const struct lfm_model_options options = {
        .weights = weights ? lfm_format_by_name(weights) : NULL, .scale = LFM_SCALE_CHANNEL,
    };
    assert_ok(lfm_model_open(&model, path, &options, &error));
    return model;
}

static void start_windows(struct lfm_windows *windows)
{
    const struct lfm_window_options options = {.context = 32, .bos = BOS};
    make_documents();
    assert_ok(lfm_windows_start(windows, &documents, &options, &error));
}

struct outcome {
    struct lfm_comparison comparison;
    double reference_nll[POSITIONS_MAX];
    size_t n;
};

static void compare(struct outcome *outcome, const struct lfm_model *reference, const struct lfm_model *candidate)
{
    struct lfm_windows windows;
    start_windows(&windows);
    outcome->n = windows.n_scored;
    assert_ok(lfm_comparison_init(&outcome->comparison, reference, candidate, windows.n_scored, &error));
    assert_ok(lfm_compare(outcome->reference_nll, &outcome->comparison, 1, reference, &windows, NULL, &error));
    lfm_windows_release(&windows);
}

Test(compare, model_with_itself_differs_by_exactly_nothing)
{
    struct lfm_model *reference = open_model(moe, NULL), *candidate = open_model(moe, NULL);
    struct outcome outcome;
    compare(&outcome, reference, candidate);
    cr_assert_eq(outcome.n, 5 * 15);
    for (size_t i = 0; i < outcome.n; i++) {
        cr_assert_eq(outcome.comparison.kld[i], 0);
        cr_assert_eq(outcome.comparison.delta_p[i], 0);
        cr_assert_eq(outcome.comparison.top1[i], 1);
        cr_assert_eq(outcome.comparison.top5[i], 1);
        cr_assert_eq(outcome.comparison.nll[i], outcome.reference_nll[i]);
    }
    for (size_t l = 0; l < 5; l++) {
        cr_assert_eq(lfm_relative_l2(&outcome.comparison.layers[l].residual), 0);
        cr_assert_eq(outcome.comparison.layers[l].router.tokens, l < 2 ? 0 : outcome.n, "layer %zu", l);
        if (l >= 2) cr_assert_eq(lfm_router_figures(&outcome.comparison.layers[l].router).overlap, 1);
    }
    lfm_comparison_release(&outcome.comparison);
    lfm_model_close(candidate);
    lfm_model_close(reference);
}

/* Logits of every position of a window. */
static float *logits_of(const struct lfm_model *model, const struct lfm_window *window)
{
    struct lfm_state *state;
    float *hidden = malloc(window->n * model->config.hidden_size * sizeof *hidden);
    float *logits = malloc(window->n * V * sizeof *logits);
    assert_ok(lfm_state_new(&state, model, &error));
    assert_ok(lfm_forward(model, state, window->tokens, window->n, NULL, hidden, &error));
    assert_ok(lfm_logits(model, hidden, window->n, logits, &error));
    lfm_state_free(state);
    free(hidden);
    return logits;
}

Test(compare, distances_belong_to_the_scored_positions)
{
    struct lfm_model *reference = open_model(moe, NULL), *candidate = open_model(moe, "q4_0");
    struct outcome outcome;
    struct lfm_windows windows;
    struct lfm_window window;
    compare(&outcome, reference, candidate);

    size_t at = 0;
    start_windows(&windows);
    while (lfm_windows_next(&windows, &window)) {
        float *p = logits_of(reference, &window), *q = logits_of(candidate, &window);
        for (size_t i = window.first; i < window.first + window.count; i++, at++) {
            struct lfm_row_summary a, b;
            struct lfm_distance expected;
            lfm_summarize_row(&a, p + i * V, V);
            lfm_summarize_row(&b, q + i * V, V);
            lfm_distance(&expected, p + i * V, &a, q + i * V, &b, V, window.tokens[i + 1]);
            cr_assert_eq(outcome.comparison.kld[at], expected.kld, "position %zu", at);
            cr_assert_gt(expected.kld, 0);
            cr_assert_eq(outcome.comparison.nll[at], expected.q_nll);
            cr_assert_eq(outcome.reference_nll[at], expected.p_nll);
            cr_assert_eq(outcome.comparison.delta_p[at], expected.q_true - expected.p_true);
        }
        free(p);
        free(q);
    }
    cr_assert_eq(at, outcome.n);
    lfm_windows_release(&windows);
    lfm_comparison_release(&outcome.comparison);
    lfm_model_close(candidate);
    lfm_model_close(reference);
}

Test(compare, error_enters_with_the_first_layer_and_routers_move)
{
    struct lfm_model *reference = open_model(moe, NULL), *candidate = open_model(moe, "q4_0");
    struct outcome outcome;
    compare(&outcome, reference, candidate);
    for (size_t l = 0; l < 5; l++) {
        double relative = lfm_relative_l2(&outcome.comparison.layers[l].residual);
        cr_assert(relative > 1e-3 && relative < 1, "layer %zu: %g", l, relative);
    }
    struct lfm_router_figures router = lfm_router_figures(&outcome.comparison.layers[4].router);
    cr_assert(router.overlap < 1 && router.overlap > 0.3, "overlap %g", router.overlap);
    cr_assert_gt(router.gate_kl, 0);
    lfm_comparison_release(&outcome.comparison);
    lfm_model_close(candidate);
    lfm_model_close(reference);
}

Test(compare, gives_the_same_bits_for_any_number_of_threads)
{
    struct lfm_model *reference = open_model(moe, NULL), *candidate = open_model(moe, "q8_0");
    struct outcome one, three;
    omp_set_num_threads(1);
    compare(&one, reference, candidate);
    omp_set_num_threads(3);
    compare(&three, reference, candidate);
    cr_assert_arr_eq(one.comparison.kld, three.comparison.kld, one.n * sizeof(double));
    cr_assert_arr_eq(one.comparison.nll, three.comparison.nll, one.n * sizeof(double));
    cr_assert_arr_eq(one.comparison.layers, three.comparison.layers, 5 * sizeof(struct lfm_layer_sums));
    lfm_comparison_release(&one.comparison);
    lfm_comparison_release(&three.comparison);
    lfm_model_close(candidate);
    lfm_model_close(reference);
}

Test(compare, another_architecture_has_no_inside_figures)
{
    struct lfm_model *reference = open_model(moe, NULL);
    struct lfm_model *candidate = open_model("tests/golden/model/lfm2-adjusted-width", NULL);
    struct outcome outcome;
    compare(&outcome, reference, candidate);
    cr_assert_null(outcome.comparison.layers);
    cr_assert_gt(outcome.comparison.kld[0], 0);
    lfm_comparison_release(&outcome.comparison);
    lfm_model_close(candidate);
    lfm_model_close(reference);
}

Test(compare, several_candidates_give_what_each_gives_alone)
{
    struct lfm_model *reference = open_model(moe, NULL);
    struct lfm_model *candidates[2] = {open_model(moe, "q4_0"), open_model(moe, "q8_0")};
    struct lfm_comparison together[2];
    struct lfm_windows windows;
    double nll[POSITIONS_MAX];
    start_windows(&windows);
    for (size_t c = 0; c < 2; c++)
        assert_ok(lfm_comparison_init(&together[c], reference, candidates[c], windows.n_scored, &error));
    assert_ok(lfm_compare(nll, together, 2, reference, &windows, NULL, &error));
    for (size_t c = 0; c < 2; c++) {
        struct outcome alone;
        compare(&alone, reference, candidates[c]);
        cr_assert_arr_eq(together[c].kld, alone.comparison.kld, alone.n * sizeof(double));
        cr_assert_arr_eq(together[c].layers, alone.comparison.layers, 5 * sizeof(struct lfm_layer_sums));
        lfm_comparison_release(&alone.comparison);
        lfm_comparison_release(&together[c]);
        lfm_model_close(candidates[c]);
    }
    lfm_windows_release(&windows);
    lfm_model_close(reference);
}

Test(compare, refuses_logits_that_are_not_finite)
{
    struct lfm_model *reference = open_model(moe, NULL), *candidate = open_model(moe, NULL);
    struct lfm_comparison comparison;
    struct lfm_windows windows;
    double nll[POSITIONS_MAX];
    candidate->embedding_norm[3] = NAN;
    start_windows(&windows);
    assert_ok(lfm_comparison_init(&comparison, reference, candidate, windows.n_scored, &error));
    assert_fails(lfm_compare(nll, &comparison, 1, reference, &windows, NULL, &error), LFM_ERROR_FORMAT, "not finite");
    assert_fails(lfm_score_text(nll, candidate, &windows, NULL, &error), LFM_ERROR_FORMAT, "not finite");
    lfm_windows_release(&windows);
    lfm_comparison_release(&comparison);
    lfm_model_close(candidate);
    lfm_model_close(reference);
}

Test(compare, refuses_ids_and_windows_that_a_model_cannot_run)
{
    struct lfm_model *model = open_model(moe, NULL);
    struct lfm_windows windows;
    start_windows(&windows);
    assert_ok(lfm_check_windows(model, &windows, &error));
    ids[1][3] = V;
    assert_fails(lfm_check_windows(model, &windows, &error), LFM_ERROR_MISMATCH, "token 3 has id 160");
    ids[1][3] = -1;
    assert_fails(lfm_check_windows(model, &windows, &error), LFM_ERROR_MISMATCH, "token 3 has id -1");
    model->config.max_position_embeddings = 31;
    assert_fails(lfm_check_windows(model, &windows, &error), LFM_ERROR_LIMIT, "--context 31 or less");
    lfm_windows_release(&windows);
    lfm_model_close(model);
}

Test(compare, refuses_other_layer_shapes_and_names_the_difference)
{
    struct lfm_model *reference = open_model(moe, NULL), *candidate = open_model(moe, NULL);
    candidate->config.num_experts = 9;
    assert_fails(lfm_check_comparable(reference, candidate, &error), LFM_ERROR_MISMATCH,
                 "num_experts is 9, expected 8");
    candidate->config.num_experts = 8;
    candidate->config.layer_types[1] = LFM_ATTENTION;
    assert_fails(lfm_check_comparable(reference, candidate, &error), LFM_ERROR_MISMATCH,
                 "layer 1 is a conv layer in only");
    candidate->config.vocab_size = 161;
    assert_fails(lfm_check_comparable(reference, candidate, &error), LFM_ERROR_MISMATCH,
                 "vocab_size is 161, expected 160");
    lfm_model_close(candidate);
    lfm_model_close(reference);
}

Test(compare, names_the_format_of_most_weights)
{
    struct lfm_model *stored = open_model(moe, NULL), *quantized = open_model(moe, "q8_0");
    cr_assert_str_eq(lfm_weights_name(stored), "bf16");
    cr_assert_str_eq(lfm_weights_name(quantized), "q8_0");
    lfm_model_close(quantized);
    lfm_model_close(stored);
}

/* --- tokenizers --- */

/* The demo model's tokenizer with <|im_end|> renamed. */
static void write_renamed_tokenizer(void)
{
    static const char *const files[] = {"tokenizer.json", "tokenizer_config.json"};
    make_directory();
    for (size_t i = 0; i < 2; i++) {
        struct lfm_buffer text = {0};
        char *from;
        assert_ok(lfm_join_path(&from, "datasets/demo-model", files[i], &error));
        assert_ok(lfm_read_file(&text, from, &error));
        for (char *at = text.data; (at = strstr(at, "<|im_end|>")) != NULL; at++) memcpy(at, "<|my_end|>", 10);
        write_bytes(files[i], text.data, text.length);
        lfm_buffer_release(&text);
        free(from);
    }
}

Test(compare, refuses_another_tokenizer_and_names_the_token, .init = write_renamed_tokenizer, .fini = remove_directory)
{
    char demo[] = "datasets/demo-model", left[] = "left", right[] = "right";
    struct lfm_checkpoint a = {.container = LFM_HUGGING_FACE, .path = demo, .name = left};
    char renamed[512];
    snprintf(renamed, sizeof renamed, "%s", in_directory(""));
    struct lfm_checkpoint b = {.container = LFM_HUGGING_FACE, .path = renamed, .name = right};
    const struct lfm_model reference = {.checkpoint = &a}, candidate = {.checkpoint = &b};
    assert_ok(lfm_check_comparable(&reference, &reference, &error));
    assert_fails(lfm_check_comparable(&reference, &candidate, &error), LFM_ERROR_MISMATCH,
                 "is '<|my_end|>', expected '<|im_end|>'");
}

/* --- positions and figures --- */

Test(positions, belong_to_documents_and_labels)
{
    struct lfm_windows windows;
    struct lfm_positions positions;
    start_windows(&windows);
    assert_ok(lfm_positions_list(&positions, &windows, &error));
    cr_assert_eq(positions.count, 5 * 15);
    cr_assert(!positions.by_window);
    cr_assert_eq(positions.n_names, 2);
    cr_assert_str_eq(positions.names[0].name, "red");
    cr_assert_eq(positions.names[0].documents, 2);
    cr_assert_eq(positions.names[0].positions, 3 * 15);
    cr_assert_eq(positions.names[1].documents, 1);
    cr_assert_eq(positions.clusters[29], 0);
    cr_assert_eq(positions.clusters[30], 1);
    cr_assert_eq(positions.clusters[74], 2);

    double values[75], selected[75];
    uint32_t clusters[75];
    for (size_t i = 0; i < 75; i++) values[i] = (double)i;
    cr_assert_eq(lfm_positions_select(&positions, 0, values, selected, clusters), 45);
    cr_assert_eq(selected[30], 60);
    cr_assert_eq(clusters[30], 2);
    lfm_positions_release(&positions);
    lfm_windows_release(&windows);
}

Test(positions, of_a_single_document_cluster_by_window)
{
    const struct lfm_documents single = {.items = items, .count = 1};
    const struct lfm_window_options options = {.context = 32, .bos = BOS};
    struct lfm_windows windows;
    struct lfm_positions positions;
    make_documents();
    items[0].label = NULL;
    assert_ok(lfm_windows_start(&windows, &single, &options, &error));
    assert_ok(lfm_positions_list(&positions, &windows, &error));
    cr_assert(positions.by_window);
    cr_assert_eq(positions.n_names, 0);
    cr_assert_eq(positions.clusters[14], 0);
    cr_assert_eq(positions.clusters[15], 1);
    lfm_positions_release(&positions);
    lfm_windows_release(&windows);
}

Test(figures, by_hand)
{
    double kld[4] = {0, 0.1, 0.2, 0.5}, nll[4] = {1, 2, 3, 4}, delta_p[4] = {0.1, -0.1, 0.3, -0.5};
    double top1[4] = {1, 1, 0, 1}, top5[4] = {1, 0.8, 0.6, 0.8}, reference_nll[4] = {1, 1.5, 3, 3.5};
    uint32_t clusters[4] = {0, 0, 1, 1}, labels[4] = {0, 0, 1, 1};
    const struct lfm_comparison comparison = {.kld = kld, .nll = nll, .delta_p = delta_p, .top1 = top1, .top5 = top5};
    const struct lfm_positions positions = {.count = 4, .n_documents = 2, .clusters = clusters, .labels = labels};
    struct lfm_compare_figures figures;
    assert_ok(lfm_compare_figures(&figures, &comparison, reference_nll, &positions, 0, &error));
    assert_near(figures.perplexity, exp(2.5), 1e-12);
    assert_near(figures.ratio.mean, exp(0.25), 1e-12);
    assert_near(figures.ratio.error, 0, 1e-12);
    assert_near(figures.kld.mean, 0.2, 1e-15);
    assert_near(figures.kld.error, sqrt(2 * 2 * 0.09) / 4, 1e-15);
    assert_near(figures.kld_distribution.median, 0.15, 1e-15);
    assert_near(figures.top1.mean, 0.75, 1e-15);
    assert_near(figures.top5_overlap, 0.8, 1e-15);
    assert_near(figures.delta_p_mean, -0.05, 1e-15);
    assert_near(figures.delta_p_rms, 0.3, 1e-15);
    cr_assert(isnan(figures.router.overlap));

    struct lfm_label_figures label;
    assert_ok(lfm_label_figures(&label, &comparison, reference_nll, &positions, 1, &error));
    assert_near(label.kld.mean, 0.35, 1e-15);
    cr_assert(isnan(label.kld.error));
    assert_near(label.perplexity, exp(3.5), 1e-12);
    assert_near(label.reference_perplexity, exp(3.25), 1e-12);
    assert_near(label.ratio.mean, exp(0.25), 1e-12);
    assert_near(label.top1, 0.5, 1e-15);
}
