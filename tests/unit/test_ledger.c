/* Routing recorded and replayed, and the ledger made of it, on a random checkpoint of tests/golden/model. */
#include "quant/compare.h"
#include "quant/decisions.h"
#include "quant/ledger.h"
#include "quant/ledger_figures.h"
#include "quant/outputs.h"
#include "reference/model/forward.h"
#include "tests/unit/assert.h"

#include <omp.h>
#include <stdlib.h>

static struct lfm_error error;

static const char moe[] = "tests/golden/model/moe-bf16"; /* layers 2, 3, 4 have E experts, of which K are chosen */

enum { N_DOCUMENTS = 3, LENGTH = 530, V = 160, D = 32, BOS = 1, FIRST = 2, LAYERS = 5, E = 8, K = 3 };

static int32_t ids[N_DOCUMENTS][LENGTH];
static char name[] = "a.txt";
static struct lfm_document items[N_DOCUMENTS];
static const struct lfm_documents documents = {.items = items, .count = N_DOCUMENTS};

/* Documents of 70, 70 and 50 ids with windows of 32; or of 530, 525 and 70 with windows of 520, longer than a step. */
static void start_windows(struct lfm_windows *windows, size_t context)
{
    static const size_t lengths[2][N_DOCUMENTS] = {{70, 70, 50}, {LENGTH, 525, 70}};
    const struct lfm_window_options options = {.context = context, .bos = BOS};
    for (size_t d = 0; d < N_DOCUMENTS; d++) {
        for (size_t t = 0; t < LENGTH; t++) ids[d][t] = (int32_t)((17 * t * t + 31 * t + 7 * d) % V);
        items[d] = (struct lfm_document){.name = name, .tokens = {.ids = ids[d], .count = lengths[context > 32][d]}};
    }
    assert_ok(lfm_windows_start(windows, &documents, &options, &error));
}

static struct lfm_model *open_model(const char *weights)
{
    struct lfm_model *model;
    const struct lfm_model_options options = {
        .weights = weights ? lfm_format_by_name(weights) : NULL, .scale = LFM_SCALE_CHANNEL,
    };
    assert_ok(lfm_model_open(&model, moe, &options, &error));
    model->config.max_position_embeddings = 2 * LENGTH;
    return model;
}

/* --- replay --- */

Test(replay, margin_is_the_gap_between_the_last_chosen_and_the_first_that_is_not)
{
    const float logits[3] = {0, 1.0986122886681098f, -1.0986122886681098f}; /* sigmoids 0.5, 0.75, 0.25 */
    const float bias[3] = {0.2f, -0.1f, 0};
    double scores[3];
    assert_near(lfm_router_margin(logits, NULL, scores, 3, 1), 0.25, 1e-7);
    assert_near(lfm_router_margin(logits, NULL, scores, 3, 2), 0.25, 1e-7);
    assert_near(lfm_router_margin(logits, bias, scores, 3, 1), 0.05, 1e-7);
    assert_near(lfm_router_margin(logits, bias, scores, 3, 2), 0.4, 1e-7);
    cr_assert(isinf(lfm_router_margin(logits, bias, scores, 3, 3)));
}

Test(replay, sets_are_equal_in_any_order)
{
    cr_assert(lfm_same_experts((const int32_t[]){4, 0, 7}, (const int32_t[]){7, 4, 0}, 3));
    cr_assert_not(lfm_same_experts((const int32_t[]){4, 0, 7}, (const int32_t[]){7, 4, 1}, 3));
}

/* Steps with one window of two tokens, of which the record knows a decision each in layer 3. */
struct two_tokens {
    struct lfm_model *model;
    struct lfm_steps steps;
    struct lfm_routing_record record;
    int32_t selected[2 * K];
    float weights[2 * K];
};

static void setup_two_tokens(struct two_tokens *f)
{
    static const int32_t recorded[2 * K] = {2, 0, 5, 1, 2, 3}, live[2 * K] = {5, 2, 7, 3, 2, 1};
    f->model = open_model(NULL);
    f->steps = (struct lfm_steps){.parts = {{.position = 10, .n = 2}}, .n_parts = 1, .n_tokens = 2};
    assert_ok(lfm_routing_record_init(&f->record, f->model, &f->steps, &error));
    size_t at = lfm_decision_index(&f->record, 3, 0) * K;
    for (size_t i = 0; i < 2 * K; i++) {
        f->record.selected[at + i] = recorded[i];
        f->record.weights[at + i] = 0.125f * (float)(i + 1);
        f->selected[i] = live[i];
        f->weights[i] = 0.75f;
    }
}

static void announce(struct two_tokens *f, enum lfm_replay_mode mode)
{
    struct lfm_replay replay = {&f->record, mode};
    const struct lfm_observer observer = lfm_replay_observer(&replay);
    struct lfm_announcement announcement = {
        .point = LFM_POINT_ROUTER_SELECTED, .layer = 3, .first_position = 10, .n_tokens = 2, .width = K, .selected = f->selected,
    };
    assert_ok(observer.observe(observer.context, &announcement, &error));
    announcement.point = LFM_POINT_ROUTER_WEIGHTS;
    announcement.values = f->weights;
    assert_ok(observer.observe(observer.context, &announcement, &error));
}

static void release_two_tokens(struct two_tokens *f)
{
    lfm_routing_record_release(&f->record);
    lfm_model_close(f->model);
}

Test(replay, of_the_set_keeps_what_was_chosen_anyway_in_its_place_and_leaves_the_weights_to_the_gate)
{
    struct two_tokens f;
    setup_two_tokens(&f);
    announce(&f, LFM_REPLAY_SET);
    cr_assert_arr_eq(f.selected, ((int32_t[]){5, 2, 0, 3, 2, 1}), sizeof f.selected);
    for (size_t i = 0; i < 2 * K; i++) cr_assert_eq(f.weights[i], 0.75f);
    release_two_tokens(&f);
}

Test(replay, of_set_and_weights_takes_both_as_recorded)
{
    struct two_tokens f;
    setup_two_tokens(&f);
    announce(&f, LFM_REPLAY_SET_AND_WEIGHTS);
    cr_assert_arr_eq(f.selected, ((int32_t[]){2, 0, 5, 1, 2, 3}), sizeof f.selected);
    for (size_t i = 0; i < 2 * K; i++) cr_assert_eq(f.weights[i], 0.125f * (float)(i + 1));
    release_two_tokens(&f);
}

Test(replay, records_differ_by_sets_or_by_sets_and_weights)
{
    struct two_tokens a, b;
    setup_two_tokens(&a);
    setup_two_tokens(&b);
    size_t at = lfm_decision_index(&b.record, 3, 1) * K;
    cr_assert(lfm_routing_record_equal(&a.record, &b.record, 2, LFM_REPLAY_SET_AND_WEIGHTS));
    b.record.weights[at + 2] = 0.5f;
    cr_assert(lfm_routing_record_equal(&a.record, &b.record, 2, LFM_REPLAY_SET));
    cr_assert_not(lfm_routing_record_equal(&a.record, &b.record, 2, LFM_REPLAY_SET_AND_WEIGHTS));
    b.record.selected[at] = 2;
    b.record.selected[at + 1] = 1;
    cr_assert(lfm_routing_record_equal(&a.record, &b.record, 2, LFM_REPLAY_SET));
    b.record.selected[at] = 6;
    cr_assert_not(lfm_routing_record_equal(&a.record, &b.record, 2, LFM_REPLAY_SET));
    cr_assert(lfm_routing_record_equal(&a.record, &b.record, 1, LFM_REPLAY_SET));
    release_two_tokens(&a);
    release_two_tokens(&b);
}

/* Every scored row, bit for bit, with the model's own routing replayed. */
static void check_own_routing(size_t context, enum lfm_replay_mode mode)
{
    struct lfm_model *model = open_model("q8_0");
    struct lfm_windows windows;
    struct lfm_step_runner plain, replayed;
    struct lfm_routing_record record;
    struct lfm_steps *steps = malloc(sizeof *steps);
    size_t scored = 0;
    start_windows(&windows, context);
    assert_ok(lfm_step_runner_init(&plain, model, &windows, &error));
    assert_ok(lfm_step_runner_init(&replayed, model, &windows, &error));
    assert_ok(lfm_routing_record_init(&record, model, steps, &error));
    struct lfm_replay replay = {&record, mode};
    const struct lfm_observer recorder = lfm_record_observer(&record), replayer = lfm_replay_observer(&replay);
    lfm_steps_start(steps, &windows);
    while (lfm_steps_next(steps)) {
        assert_ok(lfm_step_run(&plain, steps, &recorder, &error));
        assert_ok(lfm_step_run(&replayed, steps, &replayer, &error));
        cr_assert_arr_eq(plain.hidden, replayed.hidden, steps->n_scored * D * sizeof(float));
        scored += steps->n_scored;
    }
    cr_assert_eq(scored, windows.n_scored);
    lfm_routing_record_release(&record);
    lfm_step_runner_release(&plain);
    lfm_step_runner_release(&replayed);
    lfm_windows_release(&windows);
    lfm_model_close(model);
    free(steps);
}

Test(replay, of_a_models_own_routing_changes_no_bit)
{
    check_own_routing(32, LFM_REPLAY_SET);
    check_own_routing(32, LFM_REPLAY_SET_AND_WEIGHTS);
    check_own_routing(520, LFM_REPLAY_SET);
    check_own_routing(520, LFM_REPLAY_SET_AND_WEIGHTS);
}

/* --- the ledger --- */

struct outcome {
    struct lfm_ledger ledger;
    struct lfm_positions positions;
    struct lfm_windows windows;
    struct lfm_ledger_figures figures;
};

static void account(struct outcome *out, const struct lfm_model *reference, const struct lfm_model *candidate, size_t context,
                    const struct lfm_ledger_options *options)
{
    start_windows(&out->windows, context);
    assert_ok(lfm_positions_list(&out->positions, &out->windows, &error));
    assert_ok(lfm_ledger_init(&out->ledger, reference, candidate, out->positions.count, options, &error));
    assert_ok(lfm_ledger_fill(&out->ledger, &out->windows, NULL, &error));
    assert_ok(lfm_ledger_figures(&out->figures, &out->ledger, &out->positions, &error));
}

static void discard(struct outcome *out)
{
    lfm_ledger_figures_release(&out->figures);
    lfm_ledger_release(&out->ledger);
    lfm_positions_release(&out->positions);
    lfm_windows_release(&out->windows);
}

static const double edges[] = {0.02, 0.1};
static const struct lfm_ledger_options everything = {
    .mode = LFM_REPLAY_SET, .layers = {[2] = true, [3] = true, [4] = true}, .edges = edges, .n_edges = 2,
};
static const struct lfm_ledger_options everything_with_weights = {
    .mode = LFM_REPLAY_SET_AND_WEIGHTS, .layers = {[2] = true, [3] = true, [4] = true}, .edges = edges, .n_edges = 2,
};

static void check_zero(const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++) cr_assert_eq(values[i], 0, "position %zu: %g", i, values[i]);
}

static void check_equal(const double *a, const double *b, size_t n)
{
    cr_assert_arr_eq(a, b, n * sizeof *a);
}

Test(ledger, of_a_model_and_itself_is_empty)
{
    struct lfm_model *reference = open_model(NULL), *candidate = open_model(NULL);
    const struct lfm_ledger_options *const options[2] = {&everything, &everything_with_weights};
    for (size_t o = 0; o < 2; o++)
        for (size_t context = 32; context <= (o ? 32 : 520); context += 488) {
            struct outcome out;
            account(&out, reference, candidate, context, options[o]);
            size_t n = out.positions.count;
            cr_assert_eq(out.ledger.n_parts, 1 + 3 + 3);
            check_zero(out.ledger.ref_ref.kld, n);
            check_zero(out.ledger.cand_cand.kld, n);
            for (size_t i = 0; i < out.ledger.n_parts; i++) {
                check_zero(out.ledger.parts[i].ref_cand.kld, n);
                check_zero(out.ledger.parts[i].cand_ref.kld, n);
                check_equal(out.ledger.parts[i].ref_cand.nll, out.ledger.ref_ref.nll, n);
                cr_assert_eq(out.ledger.parts[i].changed, 0);
            }
            cr_assert_eq(out.figures.parts[0].kld.loss.mean, 0);
            cr_assert(isnan(out.figures.parts[0].kld.routing_share.mean));
            discard(&out);
        }
    lfm_model_close(candidate);
    lfm_model_close(reference);
}

/* Gives the experts of a layer each other's gates. Returns what to free when the model is closed. */
static void *reverse_gates(struct lfm_model *model, size_t layer)
{
    struct lfm_matrix *gate = &model->layers[layer].gate;
    char *rows = malloc(E * gate->row_bytes);
    for (size_t e = 0; e < E; e++)
        memcpy(rows + e * gate->row_bytes, (const char *)gate->data + (E - 1 - e) * gate->row_bytes, gate->row_bytes);
    gate->data = rows;
    return rows;
}

Test(ledger, other_gates_are_all_routing_when_weights_are_replayed)
{
    struct lfm_model *reference = open_model(NULL), *candidate = open_model(NULL);
    void *gates = reverse_gates(candidate, 3);
    struct outcome out;
    account(&out, reference, candidate, 32, &everything_with_weights);
    size_t n = out.positions.count;
    const struct lfm_ledger_part *all = &out.ledger.parts[0], *third = &out.ledger.parts[2];
    cr_assert_gt(out.figures.cand_cand.kld.mean, 1e-4);
    check_zero(all->cand_ref.kld, n);
    check_equal(all->ref_cand.kld, out.ledger.cand_cand.kld, n);
    cr_assert_eq(out.figures.parts[0].kld.rest.mean, 0);
    assert_near(out.figures.parts[0].kld.routing_share.mean, 1, 1e-12);
    cr_assert_eq(third->layer, 3);
    cr_assert_gt(third->changed, third->decisions / 2);
    cr_assert_eq(out.ledger.parts[1].changed, 0);
    discard(&out);

    account(&out, reference, candidate, 32, &everything);
    cr_assert_gt(out.figures.parts[0].kld.rest.mean, 1e-6, "another gate gives other weights to the same set");
    discard(&out);
    lfm_model_close(candidate);
    lfm_model_close(reference);
    free(gates);
}

Test(ledger, other_experts_in_the_last_layer_are_all_arithmetic)
{
    struct lfm_model *reference = open_model(NULL), *candidate = open_model(NULL);
    struct lfm_ffn *experts = candidate->layers[LAYERS - 1].experts;
    const void *first = experts[0].w2.data;
    experts[0].w2.data = experts[1].w2.data;
    experts[1].w2.data = first;
    const struct lfm_ledger_options *const options[2] = {&everything, &everything_with_weights};
    for (size_t o = 0; o < 2; o++) {
        struct outcome out;
        account(&out, reference, candidate, 32, options[o]);
        cr_assert_gt(out.figures.cand_cand.kld.mean, 1e-4);
        check_zero(out.ledger.parts[0].ref_cand.kld, out.positions.count);
        check_equal(out.ledger.parts[0].cand_ref.kld, out.ledger.cand_cand.kld, out.positions.count);
        cr_assert_eq(out.figures.parts[0].kld.routing_share.mean, 0);
        assert_near(out.figures.parts[0].kld.rest_share.mean, 1, 1e-12);
        discard(&out);
    }
    lfm_model_close(candidate);
    lfm_model_close(reference);
}

/* --- the same numbers by another way: every window alone, under an observer of the test's own --- */

/* Free decisions of one model over one window. */
struct decisions {
    int32_t selected[LAYERS][LENGTH][K];
    float weights[LAYERS][LENGTH][K];
    double margins[LAYERS][LENGTH];
};

struct forced {
    const struct lfm_ledger_part *part;
    enum lfm_replay_mode mode;
    struct decisions *own, *other;
    const struct decisions *reference;
};

static int descending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

static const struct lfm_model *listened_to;

static enum lfm_status listen(void *context, const struct lfm_announcement *a, struct lfm_error *failure)
{
    (void)failure;
    struct decisions *into = context;
    for (size_t t = 0; t < a->n_tokens; t++) {
        size_t at = a->first_position + t;
        if (a->point == LFM_POINT_ROUTER_LOGITS) {
            double scores[E];
            for (size_t e = 0; e < E; e++)
                scores[e] = 1 / (1 + exp(-(double)a->values[t * E + e])) + (double)listened_to->layers[a->layer].expert_bias[e];
            qsort(scores, E, sizeof *scores, descending);
            into->margins[a->layer][at] = scores[K - 1] - scores[K];
        }
        if (a->point != LFM_POINT_ROUTER_WEIGHTS) continue;
        memcpy(into->selected[a->layer][at], a->selected + t * K, sizeof into->selected[a->layer][at]);
        memcpy(into->weights[a->layer][at], a->values + t * K, sizeof into->weights[a->layer][at]);
    }
    return LFM_OK;
}

static enum lfm_status force(void *context, const struct lfm_announcement *a, struct lfm_error *failure)
{
    (void)failure;
    const struct forced *forced = context;
    for (size_t t = 0; t < a->n_tokens; t++) {
        size_t at = a->first_position + t;
        const struct lfm_ledger_part *part = forced->part;
        double margin = forced->reference->margins[a->layer][at];
        bool inside = part->kind == LFM_LEDGER_ALL || (part->kind == LFM_LEDGER_LAYER && part->layer == a->layer) ||
                      (part->kind == LFM_LEDGER_MARGIN && margin >= part->low && margin < part->high);
        const struct decisions *from = inside ? forced->other : forced->own;
        if (a->point == LFM_POINT_ROUTER_SELECTED)
            memcpy(a->selected + t * K, from->selected[a->layer][at], sizeof from->selected[a->layer][at]);
        if (a->point == LFM_POINT_ROUTER_WEIGHTS && forced->mode == LFM_REPLAY_SET_AND_WEIGHTS)
            memcpy(a->values + t * K, from->weights[a->layer][at], sizeof from->weights[a->layer][at]);
    }
    return LFM_OK;
}

static float *logits_of(const struct lfm_model *model, const struct lfm_window *window, const struct lfm_observer *observer)
{
    struct lfm_state *state;
    float *hidden = malloc(window->n * D * sizeof *hidden), *logits = malloc(window->n * V * sizeof *logits);
    assert_ok(lfm_state_new(&state, model, &error));
    assert_ok(lfm_forward(model, state, window->tokens, window->n, observer, hidden, &error));
    assert_ok(lfm_logits(model, hidden, window->n, logits, &error));
    lfm_state_free(state);
    free(hidden);
    return logits;
}

static double largest_difference;

/* KLDs of one cell over one window, from position `at` of the ledger on, against those of the window alone. */
static void check_window(const struct lfm_ledger_cell *cell, size_t at, const struct lfm_model *model,
                         const struct lfm_window *window, const float *p, struct forced *forced)
{
    const struct lfm_observer observer = {force, forced};
    float *q = logits_of(model, window, &observer);
    for (size_t i = 0; i < window->count; i++) {
        size_t row = window->first + i;
        struct lfm_row_summary a, b;
        struct lfm_distance expected;
        lfm_summarize_row(&a, p + row * V, V);
        lfm_summarize_row(&b, q + row * V, V);
        lfm_distance(&expected, p + row * V, &a, q + row * V, &b, V, window->tokens[row + 1]);
        double difference = fabs(cell->kld[at + i] - expected.kld) + fabs(cell->nll[at + i] - expected.q_nll);
        largest_difference = fmax(largest_difference, difference);
    }
    free(q);
}

/* Replaying sets, the order of a sum of weights differs: FP32 rounding of a few 1e-7 times losses of up to 5. */
static void check_cells(size_t context, const struct lfm_ledger_options *options, double tolerance)
{
    struct lfm_model *models[2] = {open_model(NULL), open_model("q4_0")};
    struct decisions *free_decisions[2] = {malloc(sizeof(struct decisions)), malloc(sizeof(struct decisions))};
    struct outcome out;
    struct lfm_window window;
    size_t at = 0;
    account(&out, models[0], models[1], context, options);
    largest_difference = 0;
    lfm_windows_rewind(&out.windows);
    while (lfm_windows_next(&out.windows, &window)) {
        float *logits[2];
        for (size_t m = 0; m < 2; m++) {
            const struct lfm_observer observer = {listen, free_decisions[m]};
            listened_to = models[m];
            logits[m] = logits_of(models[m], &window, &observer);
        }
        for (size_t i = 0; i < out.ledger.n_parts; i++) {
            const struct lfm_ledger_part *part = &out.ledger.parts[i];
            struct forced forward = {part, options->mode, free_decisions[0], free_decisions[1], free_decisions[0]};
            struct forced backward = {part, options->mode, free_decisions[1], free_decisions[0], free_decisions[0]};
            check_window(&part->ref_cand, at, models[0], &window, logits[0], &forward);
            check_window(&part->cand_ref, at, models[1], &window, logits[0], &backward);
        }
        free(logits[0]);
        free(logits[1]);
        at += window.count;
    }
    cr_assert_eq(at, out.positions.count);
    cr_assert_leq(largest_difference, tolerance, "off by %g", largest_difference);
    for (size_t i = 0; i < out.ledger.n_parts; i++) cr_assert_gt(out.ledger.parts[i].changed, 0, "part %zu", i);
    discard(&out);
    for (size_t m = 0; m < 2; m++) {
        free(free_decisions[m]);
        lfm_model_close(models[m]);
    }
}

Test(ledger, cells_are_those_of_every_window_run_alone_under_forced_routing)
{
    check_cells(32, &everything_with_weights, 0);
    check_cells(32, &everything, 5e-6);
}

Test(ledger, long_windows_keep_a_state_for_every_run)
{
    check_cells(520, &everything_with_weights, 0);
    check_cells(520, &everything, 5e-6);
}

Test(ledger, free_runs_are_those_of_compare_bit_for_bit)
{
    struct lfm_model *reference = open_model(NULL), *candidate = open_model("q4_0");
    struct lfm_comparison comparison;
    struct outcome out;
    account(&out, reference, candidate, 32, &(struct lfm_ledger_options){.mode = LFM_REPLAY_SET});
    size_t n = out.positions.count;
    double *nll = malloc(n * sizeof *nll);
    assert_ok(lfm_comparison_init(&comparison, reference, candidate, n, &error));
    assert_ok(lfm_compare(nll, &comparison, 1, reference, &out.windows, NULL, &error));
    check_equal(out.ledger.cand_cand.kld, comparison.kld, n);
    check_equal(out.ledger.cand_cand.nll, comparison.nll, n);
    check_equal(out.ledger.ref_ref.nll, nll, n);
    check_zero(out.ledger.ref_ref.kld, n);
    cr_assert_eq(out.ledger.parts[0].decisions, 3 * out.windows.n_tokens);
    const struct lfm_split *split = &out.figures.parts[0].kld;
    assert_near(split->routing.mean + split->rest.mean, out.figures.cand_cand.kld.mean, 1e-15);
    assert_near(split->routing_share.mean + split->rest_share.mean, 1, 1e-12);
    free(nll);
    lfm_comparison_release(&comparison);
    discard(&out);
    lfm_model_close(candidate);
    lfm_model_close(reference);
}

Test(ledger, layers_and_bins_cover_all_decisions_and_a_bin_of_everything_is_the_whole)
{
    struct lfm_model *reference = open_model(NULL), *candidate = open_model("q4_0");
    struct outcome out;
    account(&out, reference, candidate, 32, &everything);
    const struct lfm_ledger_part *parts = out.ledger.parts;
    for (size_t first = 1; first <= 4; first += 3) {
        size_t decisions = 0, changed = 0;
        for (size_t i = first; i < first + 3; i++) {
            decisions += parts[i].decisions;
            changed += parts[i].changed;
        }
        cr_assert_eq(decisions, parts[0].decisions);
        cr_assert_eq(changed, parts[0].changed);
    }
    cr_assert_eq(out.figures.layers.n, 3);
    assert_near(out.figures.layers.routing.mean + out.figures.layers.remainder.mean,
                out.figures.parts[0].kld.routing.mean, 1e-15);
    discard(&out);

    const double beyond[] = {2};
    account(&out, reference, candidate, 32, &(struct lfm_ledger_options){.edges = beyond, .n_edges = 1});
    size_t n = out.positions.count;
    check_equal(out.ledger.parts[1].ref_cand.kld, out.ledger.parts[0].ref_cand.kld, n);
    check_equal(out.ledger.parts[1].cand_ref.nll, out.ledger.parts[0].cand_ref.nll, n);
    cr_assert_eq(out.ledger.parts[2].decisions, 0);
    check_zero(out.ledger.parts[2].ref_cand.kld, n);
    check_equal(out.ledger.parts[2].cand_ref.kld, out.ledger.cand_cand.kld, n);
    assert_near(out.figures.margins.remainder.mean, 0, 1e-15);
    discard(&out);
    lfm_model_close(candidate);
    lfm_model_close(reference);
}

Test(ledger, gives_the_same_bits_for_any_number_of_threads)
{
    struct lfm_model *reference = open_model(NULL), *candidate = open_model("q4_0");
    struct outcome one, three;
    omp_set_num_threads(1);
    account(&one, reference, candidate, 32, &everything);
    omp_set_num_threads(3);
    account(&three, reference, candidate, 32, &everything);
    for (size_t i = 0; i < one.ledger.n_parts; i++) {
        check_equal(one.ledger.parts[i].ref_cand.kld, three.ledger.parts[i].ref_cand.kld, one.positions.count);
        check_equal(one.ledger.parts[i].cand_ref.nll, three.ledger.parts[i].cand_ref.nll, one.positions.count);
    }
    discard(&one);
    discard(&three);
    lfm_model_close(candidate);
    lfm_model_close(reference);
}

Test(ledger, refuses_models_without_experts_and_layers_and_edges_that_are_none)
{
    struct lfm_model *reference = open_model(NULL), *candidate = open_model("q4_0"), *dense;
    struct lfm_ledger ledger;
    assert_ok(lfm_model_open(&dense, "tests/golden/model/lfm2-adjusted-width", NULL, &error));
    assert_ok(lfm_check_replayable(reference, candidate, &error));
    assert_fails(lfm_check_replayable(reference, dense, &error), LFM_ERROR_MISMATCH,
                 "'lfm2-adjusted-width' (lfm2) has no experts");
    assert_fails(lfm_check_replayable(dense, reference, &error), LFM_ERROR_MISMATCH, "no experts");

    struct lfm_ledger_options options = {.layers = {[1] = true}};
    assert_fails(lfm_ledger_init(&ledger, reference, candidate, 10, &options, &error), LFM_ERROR_ARGUMENT,
                 "layer 1 of 'moe-bf16' has no experts: layers 2 to 4 have");
    const double bad[][2] = {{0.1, 0.1}, {0, 0.1}, {NAN, 1}, {0.1, INFINITY}};
    for (size_t i = 0; i < 4; i++) {
        options = (struct lfm_ledger_options){.edges = bad[i], .n_edges = 2};
        assert_fails(lfm_ledger_init(&ledger, reference, candidate, 10, &options, &error), LFM_ERROR_ARGUMENT,
                     "expected finite numbers above 0");
    }
    lfm_model_close(dense);
    lfm_model_close(candidate);
    lfm_model_close(reference);
}

Test(ledger, refuses_logits_that_are_not_finite)
{
    struct lfm_model *reference = open_model(NULL), *candidate = open_model(NULL);
    struct lfm_ledger ledger;
    struct lfm_windows windows;
    candidate->embedding_norm[3] = NAN;
    start_windows(&windows, 32);
    assert_ok(lfm_ledger_init(&ledger, reference, candidate, windows.n_scored, &everything, &error));
    assert_fails(lfm_ledger_fill(&ledger, &windows, NULL, &error), LFM_ERROR_FORMAT, "not finite");
    lfm_ledger_release(&ledger);
    lfm_windows_release(&windows);
    lfm_model_close(candidate);
    lfm_model_close(reference);
}

/* --- figures --- */

Test(ledger_figures, split_a_loss_by_hand)
{
    /* per position: loss 1, 2, 2, 3; routing 1/2 [(c01 - c00) + (c11 - c10)] = 0.25, 0.5, 0.5, 1.75 */
    const double ref_ref[4] = {0, 0, 0, 1}, ref_cand[4] = {0.25, 0, 1, 2.5};
    const double cand_ref[4] = {0.75, 1, 2, 2}, cand_cand[4] = {1, 2, 2, 4};
    const struct lfm_losses losses = {ref_ref, ref_cand, cand_ref, cand_cand};
    const uint32_t clusters[4] = {0, 0, 1, 1};
    struct lfm_split split;
    assert_ok(lfm_split_loss(&split, &losses, clusters, 4, &error));
    assert_near(split.loss.mean, 2, 1e-15);
    assert_near(split.routing.mean, 0.75, 1e-15);
    assert_near(split.rest.mean, 1.25, 1e-15);
    /* interaction c11 - c10 - c01 + c00 = 0, 1, -1, 0.5 */
    assert_near(split.interaction.mean, 0.125, 1e-15);
    /* deviations of the loss sum to -1 and 1: SE = sqrt(2 * 2) / 4; of routing to -0.75 and 0.75 */
    assert_near(split.loss.error, 0.5, 1e-15);
    assert_near(split.routing.error, 0.375, 1e-15);
    assert_near(split.routing_share.mean, 0.375, 1e-15);
    assert_near(split.rest_share.mean, 0.625, 1e-15);
    /* (routing - 0.375 loss) / 2 = -0.0625, -0.125, -0.125, 0.3125: sums -0.1875 and 0.1875; SE = sqrt(4 * 0.03515625) / 4 */
    assert_near(split.routing_share.error, 0.09375, 1e-15);
    assert_near(split.rest_share.error, 0.09375, 1e-15);
}

Test(ledger_figures, labels_have_a_split_of_their_own)
{
    double zero[4] = {0}, cand[4] = {1, 2, 3, 4}, ref_cand[4] = {1, 0, 0, 0}, cand_ref[4] = {0, 1, 3, 4}, nll[4] = {0};
    uint32_t clusters[4] = {0, 0, 1, 2}, labels[4] = {1, 1, 0, 1};
    struct lfm_ledger_part part = {.ref_cand = {ref_cand, nll}, .cand_ref = {cand_ref, nll}};
    const struct lfm_ledger ledger = {
        .positions = 4, .ref_ref = {zero, nll}, .cand_cand = {cand, nll}, .parts = &part, .n_parts = 1,
    };
    const struct lfm_positions positions = {.count = 4, .clusters = clusters, .labels = labels};
    struct lfm_split split;
    assert_ok(lfm_split_label(&split, &ledger, &positions, 1, &error));
    /* positions 0, 1 and 3: loss 1, 2, 4; routing 1, 0.5, 0; deviations 0.5 + 0 and -0.5: SE = sqrt(2 * 0.5) / 3 */
    assert_near(split.loss.mean, 7.0 / 3, 1e-15);
    assert_near(split.routing.mean, 0.5, 1e-15);
    assert_near(split.routing.error, 1.0 / 3, 1e-15);
}
