/* Sampling: see sample.h. The filters are those of Hugging Face's logits processors, in their order; all arithmetic is
 * in double, and ties are ordered by id so that a seed gives the same tokens everywhere. */
#include "reference/model/sample.h"

#include "reference/base/memory.h"

#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct candidate {
    int32_t id;
    double logit;
    double weight; /* exp(logit - largest logit) */
};

struct lfm_sampler {
    struct lfm_sampling sampling;
    size_t vocab_size;
    gsl_rng *rng;
    struct candidate *candidates; /* [vocab_size] */
    bool *seen;                   /* [vocab_size], all false between calls */
};

enum lfm_status lfm_sampling_check(const struct lfm_sampling *sampling, struct lfm_error *error)
{
    if (!(sampling->temperature >= 0) || isinf(sampling->temperature))
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "temperature must be 0 or larger, not %g", sampling->temperature);
    if (!(sampling->top_p > 0 && sampling->top_p <= 1))
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "top-p must be above 0 and at most 1, not %g", sampling->top_p);
    if (!(sampling->min_p >= 0 && sampling->min_p <= 1))
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "min-p must be from 0 to 1, not %g", sampling->min_p);
    if (!(sampling->repetition_penalty > 0) || isinf(sampling->repetition_penalty))
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "the repetition penalty must be above 0, not %g",
                        sampling->repetition_penalty);
    return LFM_OK;
}

enum lfm_status lfm_sampler_new(struct lfm_sampler **out, const struct lfm_sampling *sampling, size_t vocab_size,
                                struct lfm_error *error)
{
    struct lfm_sampler *sampler = NULL;
    enum lfm_status status;
    *out = NULL;
    LFM_TRY(lfm_sampling_check(sampling, error));
    if (vocab_size == 0 || vocab_size > INT32_MAX)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "cannot sample from a vocabulary of %zu", vocab_size);
    LFM_TRY(LFM_ALLOC(&sampler, 1, error));
    sampler->sampling = *sampling;
    sampler->vocab_size = vocab_size;
    LFM_TRY_DONE(LFM_ALLOC(&sampler->candidates, vocab_size, error));
    LFM_TRY_DONE(LFM_ALLOC(&sampler->seen, vocab_size, error));
    sampler->rng = gsl_rng_alloc(gsl_rng_mt19937);
    if (!sampler->rng) {
        status = lfm_fail(error, LFM_ERROR_MEMORY, "cannot start a random number generator: out of memory");
        goto done;
    }
    gsl_rng_set(sampler->rng, (unsigned long)sampling->seed);
    *out = sampler;
    return LFM_OK;
done:
    lfm_sampler_free(sampler);
    return status;
}

void lfm_sampler_free(struct lfm_sampler *sampler)
{
    if (!sampler) return;
    if (sampler->rng) gsl_rng_free(sampler->rng);
    free(sampler->candidates);
    free(sampler->seen);
    free(sampler);
}

static void penalise(struct lfm_sampler *sampler, const int32_t *history, size_t n_history)
{
    double penalty = sampler->sampling.repetition_penalty;
    if (penalty == 1) return;
    for (size_t i = 0; i < n_history; i++) {
        int32_t id = history[i];
        if (id < 0 || (size_t)id >= sampler->vocab_size || sampler->seen[id]) continue;
        sampler->seen[id] = true;
        double *logit = &sampler->candidates[id].logit;
        *logit = *logit < 0 ? *logit * penalty : *logit / penalty;
    }
    for (size_t i = 0; i < n_history; i++)
        if (history[i] >= 0 && (size_t)history[i] < sampler->vocab_size) sampler->seen[history[i]] = false;
}

static size_t best(const struct candidate *candidates, size_t count)
{
    size_t index = 0;
    for (size_t i = 1; i < count; i++)
        if (candidates[i].logit > candidates[index].logit) index = i;
    return index;
}

static int by_logit_then_id(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    if (a->logit != b->logit) return a->logit > b->logit ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

/* Those that are no smaller than the k-th largest stay; candidates are sorted. */
static size_t keep_top_k(const struct candidate *candidates, size_t count, size_t k)
{
    if (k == 0 || k >= count) return count;
    size_t kept = k;
    while (kept < count && candidates[kept].logit == candidates[k - 1].logit) kept++;
    return kept;
}

static double sum_weights(const struct candidate *candidates, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += candidates[i].weight;
    return sum;
}

/* The most likely ones stay that make up more than p: the tail that sums to at most 1 - p goes. */
static size_t keep_top_p(const struct candidate *candidates, size_t count, double p)
{
    if (p >= 1) return count;
    double allowed = (1 - p) * sum_weights(candidates, count), tail = 0;
    while (count > 1 && (tail += candidates[count - 1].weight) <= allowed) count--;
    return count;
}

/* Those at least min_p times as likely as the most likely stay. */
static size_t keep_min_p(const struct candidate *candidates, size_t count, double min_p)
{
    while (count > 1 && candidates[count - 1].weight < min_p) count--;
    return count;
}

static int32_t draw(const struct lfm_sampler *sampler, size_t count)
{
    double left = gsl_rng_uniform(sampler->rng) * sum_weights(sampler->candidates, count);
    for (size_t i = 0; i + 1 < count; i++) {
        left -= sampler->candidates[i].weight;
        if (left < 0) return sampler->candidates[i].id;
    }
    return sampler->candidates[count - 1].id;
}

enum lfm_status lfm_sample(struct lfm_sampler *sampler, const float *logits, const int32_t *history, size_t n_history,
                           int32_t *token, struct lfm_error *error)
{
    const struct lfm_sampling *sampling = &sampler->sampling;
    struct candidate *candidates = sampler->candidates;
    size_t count = sampler->vocab_size;
    for (size_t i = 0; i < count; i++) {
        if (isnan(logits[i]) || logits[i] == INFINITY)
            return lfm_fail(error, LFM_ERROR_MISMATCH, "cannot sample: the logit of token %zu is %g", i,
                            (double)logits[i]);
        candidates[i] = (struct candidate){(int32_t)i, logits[i], 0};
    }
    penalise(sampler, history, n_history);
    size_t top = best(candidates, count);
    *token = candidates[top].id;
    if (sampling->temperature == 0 || isinf(candidates[top].logit)) return LFM_OK;
    double largest = candidates[top].logit;
    for (size_t i = 0; i < count; i++)
        candidates[i].weight = exp((candidates[i].logit - largest) / sampling->temperature);
    if (sampling->top_k > 0 || sampling->top_p < 1 || sampling->min_p > 0) {
        qsort(candidates, count, sizeof *candidates, by_logit_then_id);
        count = keep_top_k(candidates, count, sampling->top_k);
        count = keep_top_p(candidates, count, sampling->top_p);
        count = keep_min_p(candidates, count, sampling->min_p);
    }
    *token = draw(sampler, count);
    return LFM_OK;
}
