/* Windows in steps: what a step holds, and that it changes nothing. */
#include "quant/distance.h"
#include "quant/perplexity.h"
#include "quant/steps.h"
#include "tests/unit/assert.h"

#include <stdlib.h>

static struct lfm_error error;

enum { BOS = 1, MOST_DOCUMENTS = 40 };

static char name[] = "a.txt";
static struct lfm_document items[MOST_DOCUMENTS];
static struct lfm_documents documents = {.items = items};

/* Documents of these lengths, 0 ends the list; id t of document d is 2 + (5 d + 3 t) mod 1000. */
static void start(struct lfm_windows *windows, const size_t *lengths, const struct lfm_window_options *options)
{
    documents.count = 0;
    for (size_t d = 0; lengths[d] > 0; d++) {
        int32_t *ids = malloc(lengths[d] * sizeof *ids);
        for (size_t t = 0; t < lengths[d]; t++) ids[t] = (int32_t)(2 + (5 * d + 3 * t) % 1000);
        items[documents.count++] =
            (struct lfm_document){.name = name, .tokens = {.ids = ids, .count = lengths[d], .capacity = lengths[d]}};
    }
    assert_ok(lfm_windows_start(windows, &documents, options, &error));
}

static void finish(struct lfm_windows *windows)
{
    lfm_windows_release(windows);
    for (size_t d = 0; d < documents.count; d++) free(items[d].tokens.ids);
}

/* All steps together are all windows, each token once and each scored row once, in order. */
static void check_steps(const size_t *lengths, const struct lfm_window_options *options, size_t expected_steps)
{
    struct lfm_windows windows, again;
    struct lfm_window window;
    start(&windows, lengths, options);
    assert_ok(lfm_windows_start(&again, &documents, options, &error));
    struct lfm_steps *steps = malloc(sizeof *steps);
    size_t n_steps = 0, scored = 0, tokens = 0, done = 0;
    lfm_steps_start(steps, &windows);
    cr_assert(lfm_windows_next(&again, &window));
    while (lfm_steps_next(steps)) {
        n_steps++;
        cr_assert_leq(steps->n_tokens, LFM_STEP_TOKENS);
        cr_assert_leq(steps->n_parts, LFM_STEP_WINDOWS);
        size_t row = 0;
        for (size_t p = 0; p < steps->n_parts; p++) {
            const struct lfm_step_part *part = &steps->parts[p];
            cr_assert_eq(part->position, done);
            cr_assert_eq(part->row, row);
            cr_assert(part->position == 0 || p == 0, "a window goes on in another place");
            cr_assert(part->n == window.n || p == 0, "a window that does not fit is not the first of its step");
            for (size_t i = 0; i < part->n; i++) {
                size_t position = part->position + i;
                bool is_scored = position >= window.first && position < window.first + window.count;
                cr_assert_eq(steps->tokens[part->token + i], window.tokens[position]);
                cr_assert_eq(is_scored, i >= part->skipped && i < part->skipped + part->scored);
                if (!is_scored) continue;
                cr_assert_eq(steps->positions[row], position);
                cr_assert_eq(steps->targets[row++], window.tokens[position + 1]);
            }
            done += part->n;
            if (done < window.n) continue;
            done = 0;
            lfm_windows_next(&again, &window);
        }
        cr_assert_eq(row, steps->n_scored);
        scored += row;
        tokens += steps->n_tokens;
    }
    cr_assert_eq(scored, windows.n_scored);
    cr_assert_eq(tokens, windows.n_tokens);
    cr_assert_eq(n_steps, expected_steps, "%zu steps, expected %zu", n_steps, expected_steps);
    free(steps);
    lfm_windows_release(&again);
    finish(&windows);
}

Test(steps, short_windows_share_a_step)
{
    check_steps((const size_t[]){100, 100, 100, 0}, &(struct lfm_window_options){512, 0, LFM_SCORE_ALL, BOS}, 1);
    check_steps((const size_t[]){300, 300, 200, 0}, &(struct lfm_window_options){512, 0, LFM_SCORE_ALL, BOS}, 2);
}

Test(steps, windows_as_long_as_a_step_have_one_each)
{
    check_steps((const size_t[]){1600, 0}, &(struct lfm_window_options){512, 0, LFM_SCORE_HALF, BOS}, 3);
}

Test(steps, long_windows_go_on_from_step_to_step)
{
    check_steps((const size_t[]){100, 1200, 80, 0}, &(struct lfm_window_options){2000, 0, LFM_SCORE_ALL, BOS}, 4);
    check_steps((const size_t[]){1300, 0}, &(struct lfm_window_options){600, 0, LFM_SCORE_HALF, -1}, 4);
    check_steps((const size_t[]){2000, 0}, &(struct lfm_window_options){700, 300, LFM_SCORE_ALL, BOS}, 11);
}

Test(steps, a_step_holds_a_bounded_number_of_windows)
{
    size_t lengths[MOST_DOCUMENTS + 1] = {0};
    for (size_t d = 0; d < MOST_DOCUMENTS; d++) lengths[d] = 4 + d % 3;
    check_steps(lengths, &(struct lfm_window_options){100, 0, LFM_SCORE_ALL, BOS}, 2);
}

/* Negative log-likelihoods of every window run alone. */
static void score_alone(double *nll, const struct lfm_model *model, struct lfm_windows *windows)
{
    size_t D = model->config.hidden_size, V = model->config.vocab_size;
    struct lfm_window window;
    lfm_windows_rewind(windows);
    while (lfm_windows_next(windows, &window)) {
        struct lfm_state *state;
        float *hidden = malloc(window.n * D * sizeof *hidden), *logits = malloc(V * sizeof *logits);
        assert_ok(lfm_state_new(&state, model, &error));
        assert_ok(lfm_forward(model, state, window.tokens, window.n, NULL, hidden, &error));
        for (size_t i = window.first; i < window.first + window.count; i++) {
            struct lfm_row_summary summary;
            assert_ok(lfm_logits(model, hidden + i * D, 1, logits, &error));
            lfm_summarize_row(&summary, logits, V);
            *nll++ = lfm_row_nll(&summary, logits, window.tokens[i + 1]);
        }
        lfm_state_free(state);
        free(hidden);
        free(logits);
    }
}

Test(steps, scores_are_those_of_every_window_alone_bit_for_bit)
{
    struct lfm_windows windows;
    struct lfm_model *model;
    assert_ok(lfm_model_open(&model, "datasets/demo-model", NULL, &error));
    start(&windows, (const size_t[]){40, 640, 70, 30, 5, 0}, &(struct lfm_window_options){620, 0, LFM_SCORE_ALL, BOS});
    double *together = calloc(windows.n_scored, sizeof *together), *alone = calloc(windows.n_scored, sizeof *alone);
    assert_ok(lfm_score_text(together, model, &windows, NULL, &error));
    score_alone(alone, model, &windows);
    for (size_t i = 0; i < windows.n_scored; i++) cr_assert_eq(together[i], alone[i], "position %zu", i);
    free(together);
    free(alone);
    finish(&windows);
    lfm_model_close(model);
}
