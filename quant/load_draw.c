/* Which tokens of a trace meet in a step: see load.h.
 *
 * A sequence starts at a token drawn evenly from all, and where its document ends goes on with the first token of a
 * document drawn evenly from all. A document then fills a share of the time that is proportional to its length, and the
 * start is drawn from that very distribution: at every step every token of the trace is equally likely. So sequences
 * have the load of the trace, and differ from independent tokens only in that a step resembles the one before. */
#include "quant/load.h"

#include "reference/base/memory.h"

#include <gsl/gsl_rng.h>
#include <stdlib.h>

const char *lfm_draw_name(enum lfm_draw draw)
{
    static const char *const names[LFM_DRAWS] = {"sequences", "document", "tokens", "consecutive"};
    return names[draw];
}

static uint32_t below(gsl_rng *random, size_t n)
{
    return (uint32_t)gsl_rng_uniform_int(random, (unsigned long)n);
}

/* ends[T]: true for the last token of a document. */
static void play(uint32_t *rows, const struct lfm_choices *choices, const bool *ends, size_t batch, size_t steps,
                 gsl_rng *random)
{
    for (size_t b = 0; b < batch; b++) rows[b] = below(random, choices->tokens);
    for (size_t i = batch; i < steps * batch; i++) {
        uint32_t before = rows[i - batch];
        rows[i] = ends[before] ? (uint32_t)choices->starts[below(random, choices->n_documents)] : before + 1;
    }
}

static size_t document_of(const struct lfm_choices *choices, size_t row)
{
    size_t d = 0;
    while (choices->starts[d + 1] <= row) d++;
    return d;
}

/* A document with a probability that is proportional to its length, played from its start again after its end. */
static void play_one(uint32_t *rows, const struct lfm_choices *choices, size_t batch, size_t steps, gsl_rng *random)
{
    size_t d = document_of(choices, below(random, choices->tokens));
    size_t first = choices->starts[d], length = choices->starts[d + 1] - first;
    for (size_t b = 0; b < batch; b++) {
        size_t start = below(random, length);
        for (size_t s = 0; s < steps; s++) rows[s * batch + b] = (uint32_t)(first + (start + s) % length);
    }
}

/* The number of first tokens that a run of `batch` neighbours can have. */
static size_t count_runs(const struct lfm_choices *choices, size_t batch)
{
    size_t n = 0;
    for (size_t d = 0; d < choices->n_documents; d++) {
        size_t length = choices->starts[d + 1] - choices->starts[d];
        if (length >= batch) n += length - batch + 1;
    }
    return n;
}

/* The first token of the n-th run. */
static uint32_t run_start(const struct lfm_choices *choices, size_t batch, size_t n)
{
    size_t d = 0;
    for (;; d++) {
        size_t length = choices->starts[d + 1] - choices->starts[d], runs = length < batch ? 0 : length - batch + 1;
        if (n < runs) break;
        n -= runs;
    }
    return (uint32_t)(choices->starts[d] + n);
}

static enum lfm_status draw_sequences(uint32_t *rows, const struct lfm_choices *choices, size_t batch, size_t resamples,
                                      size_t steps, gsl_rng *random, struct lfm_error *error)
{
    bool *ends;
    LFM_TRY(LFM_ALLOC(&ends, choices->tokens, error));
    for (size_t d = 0; d < choices->n_documents; d++) ends[choices->starts[d + 1] - 1] = true;
    for (size_t r = 0; r < resamples; r++) play(rows + r * steps * batch, choices, ends, batch, steps, random);
    free(ends);
    return LFM_OK;
}

static enum lfm_status draw_consecutive(uint32_t *rows, const struct lfm_choices *choices, size_t batch, size_t n_steps,
                                        gsl_rng *random, struct lfm_error *error)
{
    size_t runs = count_runs(choices, batch);
    if (runs == 0) return lfm_fail(error, LFM_ERROR_ARGUMENT, "no document has %zu tokens in a row", batch);
    for (size_t i = 0; i < n_steps; i++) {
        uint32_t first = run_start(choices, batch, below(random, runs));
        for (size_t b = 0; b < batch; b++) rows[i * batch + b] = first + (uint32_t)b;
    }
    return LFM_OK;
}

enum lfm_status lfm_draw_rows(uint32_t *rows, const struct lfm_choices *choices, enum lfm_draw draw, size_t batch,
                              size_t resamples, size_t steps, uint64_t seed, struct lfm_error *error)
{
    gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
    enum lfm_status status = LFM_OK;
    if (!random) return lfm_fail(error, LFM_ERROR_MEMORY, "out of memory for random numbers");
    gsl_rng_set(random, (unsigned long)seed);
    if (draw == LFM_DRAW_SEQUENCES) status = draw_sequences(rows, choices, batch, resamples, steps, random, error);
    for (size_t r = 0; draw == LFM_DRAW_DOCUMENT && r < resamples; r++)
        play_one(rows + r * steps * batch, choices, batch, steps, random);
    if (draw == LFM_DRAW_CONSECUTIVE)
        status = draw_consecutive(rows, choices, batch, resamples * steps, random, error);
    if (draw == LFM_DRAW_TOKENS)
        for (size_t i = 0; i < resamples * steps * batch; i++) rows[i] = below(random, choices->tokens);
    gsl_rng_free(random);
    return status;
}
