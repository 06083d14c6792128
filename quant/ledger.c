/* The loss ledger: see ledger.h. */
#include "quant/ledger.h"

#include "quant/outputs.h"
#include "quant/steps.h"
#include "reference/base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { REFERENCE, CANDIDATE, MODELS }; /* whose weights; run 0 and run 1 are the free ones */

/* One model under one routing. */
struct run {
    size_t weights;                       /* REFERENCE or CANDIDATE */
    const struct lfm_ledger_part *part;   /* decisions that are the other model's; NULL in a free run */
    struct lfm_step_runner *runner;       /* borrowed */
    float *hidden;                        /* [LFM_STEP_TOKENS,D] its scored rows of the step */
    struct lfm_ledger_cell *out;          /* borrowed */
    bool as_free;                         /* this step is that of the free run */
};

struct bookkeeper {
    struct lfm_ledger *ledger;
    struct lfm_steps steps;
    struct lfm_step_runner *runners; /* [n_runners]: one per model, or one per run */
    size_t n_runners;
    struct run *runs;                /* [n_runs]: the free ones, then two for each part */
    size_t n_runs;
    struct lfm_routing_record records[MODELS], replayed;
    struct lfm_outputs outputs;
    struct lfm_progress *progress;
    double done;                     /* tokens times runs so far */
};

enum lfm_status lfm_check_replayable(const struct lfm_model *reference, const struct lfm_model *candidate,
                                     struct lfm_error *error)
{
    const struct lfm_model *models[MODELS] = {reference, candidate};
    for (size_t m = 0; m < MODELS; m++) {
        const struct lfm_config *config = &models[m]->config;
        if (config->num_experts == 0 || config->num_dense_layers >= config->num_hidden_layers)
            return lfm_fail(error, LFM_ERROR_MISMATCH, "'%s' (%s) has no experts: there is no routing to replay",
                            models[m]->checkpoint->name, lfm_architecture_name(config->architecture));
    }
    if (reference->config.architecture == candidate->config.architecture) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_MISMATCH, "'%s' is %s, but the reference '%s' is %s: routing is replayed between models "
                    "of one architecture", candidate->checkpoint->name,
                    lfm_architecture_name(candidate->config.architecture), reference->checkpoint->name,
                    lfm_architecture_name(reference->config.architecture));
}

/* --- the ledger --- */

static enum lfm_status cell_init(struct lfm_ledger_cell *cell, size_t positions, struct lfm_error *error)
{
    LFM_TRY(LFM_ALLOC(&cell->kld, positions, error));
    return LFM_ALLOC(&cell->nll, positions, error);
}

static void cell_release(struct lfm_ledger_cell *cell)
{
    free(cell->kld);
    free(cell->nll);
}

static void list_parts(struct lfm_ledger *ledger, const struct lfm_ledger_options *options)
{
    struct lfm_ledger_part *parts = ledger->parts;
    size_t n = 0;
    parts[n++] = (struct lfm_ledger_part){.kind = LFM_LEDGER_ALL};
    for (size_t layer = 0; layer < ledger->reference->config.num_hidden_layers; layer++)
        if (options->layers[layer]) parts[n++] = (struct lfm_ledger_part){.kind = LFM_LEDGER_LAYER, .layer = layer};
    for (size_t i = 0; options->n_edges > 0 && i <= options->n_edges; i++)
        parts[n++] = (struct lfm_ledger_part){
            .kind = LFM_LEDGER_MARGIN,
            .low = i > 0 ? options->edges[i - 1] : 0,
            .high = i < options->n_edges ? options->edges[i] : INFINITY,
        };
    ledger->n_parts = n;
}

static enum lfm_status check_options(const struct lfm_ledger_options *options, const struct lfm_model *model,
                                     struct lfm_error *error)
{
    for (size_t layer = 0; layer < model->config.num_hidden_layers; layer++)
        if (options->layers[layer] && !lfm_layer_is_moe(&model->config, layer))
            return lfm_fail(error, LFM_ERROR_ARGUMENT, "layer %zu of '%s' has no experts: layers %zu to %zu have", layer,
                            model->checkpoint->name, model->config.num_dense_layers, model->config.num_hidden_layers - 1);
    for (size_t i = 0; i < options->n_edges; i++)
        if (!isfinite(options->edges[i]) || !(options->edges[i] > (i > 0 ? options->edges[i - 1] : 0)))
            return lfm_fail(error, LFM_ERROR_ARGUMENT, "edge %zu of the margin bins is %g: expected finite numbers above 0, "
                            "ascending", i + 1, options->edges[i]);
    return LFM_OK;
}

enum lfm_status lfm_ledger_init(struct lfm_ledger *ledger, const struct lfm_model *reference,
                                const struct lfm_model *candidate, size_t positions,
                                const struct lfm_ledger_options *options, struct lfm_error *error)
{
    *ledger = (struct lfm_ledger){
        .reference = reference, .candidate = candidate, .mode = options->mode, .positions = positions,
    };
    enum lfm_status status;
    LFM_TRY_DONE(check_options(options, reference, error));
    LFM_TRY_DONE(LFM_ALLOC(&ledger->parts, reference->config.num_hidden_layers + options->n_edges + 2, error));
    list_parts(ledger, options);
    LFM_TRY_DONE(cell_init(&ledger->ref_ref, positions, error));
    LFM_TRY_DONE(cell_init(&ledger->cand_cand, positions, error));
    for (size_t i = 0; i < ledger->n_parts; i++) {
        LFM_TRY_DONE(cell_init(&ledger->parts[i].ref_cand, positions, error));
        LFM_TRY_DONE(cell_init(&ledger->parts[i].cand_ref, positions, error));
    }
    return LFM_OK;

done:
    lfm_ledger_release(ledger);
    return status;
}

void lfm_ledger_release(struct lfm_ledger *ledger)
{
    cell_release(&ledger->ref_ref);
    cell_release(&ledger->cand_cand);
    for (size_t i = 0; i < ledger->n_parts; i++) {
        cell_release(&ledger->parts[i].ref_cand);
        cell_release(&ledger->parts[i].cand_ref);
    }
    free(ledger->parts);
    *ledger = (struct lfm_ledger){0};
}

size_t lfm_ledger_runs(const struct lfm_ledger *ledger)
{
    return MODELS + 2 * ledger->n_parts;
}

/* --- the runs --- */

/* Whether a decision is in a part: margins are the reference's, in its free run. */
static bool belongs(const struct bookkeeper *book, const struct lfm_ledger_part *part, size_t layer, size_t row)
{
    const struct lfm_routing_record *reference = &book->records[REFERENCE];
    double margin = reference->margins[lfm_decision_index(reference, layer, row)];
    switch (part->kind) {
    case LFM_LEDGER_LAYER: return layer == part->layer;
    case LFM_LEDGER_MARGIN: return margin >= part->low && (margin < part->high || isinf(part->high));
    default: return true;
    }
}

/* Routing for a run: the other model's decisions in the part, the own ones of the run's model elsewhere. */
static void compose(struct bookkeeper *book, const struct run *run)
{
    const struct lfm_routing_record *own = &book->records[run->weights], *other = &book->records[!run->weights];
    for (size_t layer = own->first_layer; layer < own->first_layer + own->n_layers; layer++)
        for (size_t row = 0; row < book->steps.n_tokens; row++)
            lfm_routing_record_copy(&book->replayed, belongs(book, run->part, layer, row) ? other : own, layer, row);
}

static void count_decisions(struct bookkeeper *book, struct lfm_ledger_part *part)
{
    const struct lfm_routing_record *a = &book->records[REFERENCE], *b = &book->records[CANDIDATE];
    for (size_t layer = a->first_layer; layer < a->first_layer + a->n_layers; layer++)
        for (size_t row = 0; row < book->steps.n_tokens; row++) {
            if (!belongs(book, part, layer, row)) continue;
            size_t at = lfm_decision_index(a, layer, row) * a->K;
            part->decisions++;
            part->changed += !lfm_same_experts(a->selected + at, b->selected + at, a->K);
        }
}

/* Runs the step and keeps the scored rows. */
static enum lfm_status make_run(struct bookkeeper *book, struct run *run, const struct lfm_observer *observer,
                                struct lfm_error *error)
{
    if (lfm_interrupted()) return lfm_fail(error, LFM_ERROR_STOPPED, "interrupted after %.0f tokens", book->done);
    LFM_TRY(lfm_step_run(run->runner, &book->steps, observer, error));
    memcpy(run->hidden, run->runner->hidden,
           book->steps.n_scored * run->runner->model->config.hidden_size * sizeof *run->hidden);
    return LFM_OK;
}

static enum lfm_status replay_run(struct bookkeeper *book, struct run *run, struct lfm_error *error)
{
    struct lfm_replay replay = {&book->replayed, book->ledger->mode};
    const struct lfm_observer observer = lfm_replay_observer(&replay);
    bool shared = book->n_runners == MODELS; /* every window lies in one step: a run leaves nothing behind */
    compose(book, run);
    run->as_free = shared && lfm_routing_record_equal(&book->records[run->weights], &book->replayed, book->steps.n_tokens,
                                                      replay.mode);
    return run->as_free ? LFM_OK : make_run(book, run, &observer, error);
}

static enum lfm_status run_all(struct bookkeeper *book, struct lfm_error *error)
{
    for (size_t i = 0; i < book->n_runs; i++) {
        struct run *run = &book->runs[i];
        if (run->part) {
            LFM_TRY(replay_run(book, run, error));
        } else {
            const struct lfm_observer observer = lfm_record_observer(&book->records[run->weights]);
            LFM_TRY(make_run(book, run, &observer, error));
        }
        book->done += (double)book->steps.n_tokens;
        lfm_progress_update(book->progress, book->done);
    }
    for (size_t i = 0; i < book->ledger->n_parts; i++) count_decisions(book, &book->ledger->parts[i]);
    return LFM_OK;
}

/* --- their outputs --- */

/* `count` scored rows of a run from `first` on, to index `at` of its cell. */
static enum lfm_status measure(struct bookkeeper *book, struct run *run, size_t first, size_t count, size_t at,
                               struct lfm_error *error)
{
    const struct run *free_run = &book->runs[run->weights];
    if (run->as_free) {
        memcpy(run->out->kld + at, free_run->out->kld + at, count * sizeof(double));
        memcpy(run->out->nll + at, free_run->out->nll + at, count * sizeof(double));
        return LFM_OK;
    }
    LFM_TRY(lfm_outputs_compare(&book->outputs, run->runner->model, run->hidden, first, count, error));
    for (size_t r = 0; r < count; r++) {
        run->out->kld[at + r] = book->outputs.distances[r].kld;
        run->out->nll[at + r] = book->outputs.distances[r].q_nll;
    }
    return LFM_OK;
}

static enum lfm_status account_step(struct bookkeeper *book, size_t at, struct lfm_error *error)
{
    struct run *reference = &book->runs[REFERENCE];
    LFM_TRY(run_all(book, error));
    for (size_t done = 0; done < book->steps.n_scored; done += LFM_LOGIT_ROWS) {
        size_t left = book->steps.n_scored - done, rows = left < LFM_LOGIT_ROWS ? left : LFM_LOGIT_ROWS;
        LFM_TRY(lfm_outputs_reference(&book->outputs, reference->runner->model, reference->hidden, done, rows,
                                      reference->out->nll + at + done, error));
        for (size_t i = 0; i < book->n_runs; i++) LFM_TRY(measure(book, &book->runs[i], done, rows, at + done, error));
    }
    return LFM_OK;
}

/* --- setting up --- */

static void list_runs(struct bookkeeper *book)
{
    struct lfm_ledger *ledger = book->ledger;
    size_t n = 0;
    book->runs[n++] = (struct run){.weights = REFERENCE, .out = &ledger->ref_ref};
    book->runs[n++] = (struct run){.weights = CANDIDATE, .out = &ledger->cand_cand};
    for (size_t i = 0; i < ledger->n_parts; i++) {
        struct lfm_ledger_part *part = &ledger->parts[i];
        book->runs[n++] = (struct run){.weights = REFERENCE, .part = part, .out = &part->ref_cand};
        book->runs[n++] = (struct run){.weights = CANDIDATE, .part = part, .out = &part->cand_ref};
    }
}

/* Windows that lie in one step leave no state behind, so that the runs of a model can take turns. */
static enum lfm_status start_runners(struct bookkeeper *book, const struct lfm_windows *windows, struct lfm_error *error)
{
    const struct lfm_model *models[MODELS] = {book->ledger->reference, book->ledger->candidate};
    size_t wanted = windows->longest <= LFM_STEP_TOKENS ? MODELS : book->n_runs;
    LFM_TRY(LFM_ALLOC(&book->runners, wanted, error));
    for (; book->n_runners < wanted; book->n_runners++)
        LFM_TRY(lfm_step_runner_init(&book->runners[book->n_runners], models[book->runs[book->n_runners].weights], windows,
                                     error));
    for (size_t i = 0; i < book->n_runs; i++) {
        struct run *run = &book->runs[i];
        run->runner = &book->runners[wanted == MODELS ? run->weights : i];
        LFM_TRY(LFM_ALLOC(&run->hidden, LFM_STEP_TOKENS * models[run->weights]->config.hidden_size, error));
    }
    return LFM_OK;
}

static enum lfm_status open_book(struct bookkeeper *book, const struct lfm_windows *windows, struct lfm_error *error)
{
    const struct lfm_ledger *ledger = book->ledger;
    book->n_runs = lfm_ledger_runs(ledger);
    LFM_TRY(LFM_ALLOC(&book->runs, book->n_runs, error));
    list_runs(book);
    LFM_TRY(start_runners(book, windows, error));
    LFM_TRY(lfm_routing_record_init(&book->records[REFERENCE], ledger->reference, &book->steps, error));
    LFM_TRY(lfm_routing_record_init(&book->records[CANDIDATE], ledger->candidate, &book->steps, error));
    LFM_TRY(lfm_routing_record_init(&book->replayed, ledger->reference, &book->steps, error));
    return lfm_outputs_init(&book->outputs, &book->steps, ledger->reference->config.vocab_size, error);
}

static void close_book(struct bookkeeper *book)
{
    for (size_t i = 0; book->runs && i < book->n_runs; i++) free(book->runs[i].hidden);
    for (size_t i = 0; i < book->n_runners; i++) lfm_step_runner_release(&book->runners[i]);
    free(book->runners);
    free(book->runs);
    for (size_t m = 0; m < MODELS; m++) lfm_routing_record_release(&book->records[m]);
    lfm_routing_record_release(&book->replayed);
    lfm_outputs_release(&book->outputs);
}

enum lfm_status lfm_ledger_fill(struct lfm_ledger *ledger, struct lfm_windows *windows, struct lfm_progress *progress,
                                struct lfm_error *error)
{
    struct bookkeeper book = {.ledger = ledger, .progress = progress};
    size_t at = 0;
    enum lfm_status status;
    LFM_TRY_DONE(open_book(&book, windows, error));
    lfm_steps_start(&book.steps, windows);
    while (lfm_steps_next(&book.steps)) {
        LFM_TRY_DONE(account_step(&book, at, error));
        at += book.steps.n_scored;
    }

done:
    close_book(&book);
    return status;
}
