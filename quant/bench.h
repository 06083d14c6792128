/* Measuring speed: prefill and decode rates, what each decoded token must read, and what the machine can read.
 *
 * Decoding is bound by memory: each step reads every weight it uses once, and the keys and values of every sequence. So
 * a decode rate times the bytes per token is a rate of reading, and its share of the bandwidth that a plain loop reaches
 * on the same machine says how much is left to gain. docs/performance.md has the method. */
#ifndef LFM_QUANT_BENCH_H
#define LFM_QUANT_BENCH_H

#include "reference/base/error.h"
#include "reference/base/progress.h"
#include "reference/model/model.h"
#include "reference/model/observer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Repeats of one measurement; all NaN when there are none. */
struct lfm_spread {
    double median, low, high;
};

/* Of n values, which get sorted. */
struct lfm_spread lfm_spread_of(double *values, size_t n);

/* --- the machine: bench_machine.c --- */

/* Reading a large buffer, each thread its own part of it, 64 bytes at a time. */
struct lfm_bandwidth {
    uint64_t *buffer; /* owned */
    size_t bytes;
    double *samples;  /* bytes per second, of every pass */
    size_t n, capacity;
};

/* Fills the buffer, each thread the part that it will read. `bytes` is rounded down to a multiple of 64 per thread. */
enum lfm_status lfm_bandwidth_open(struct lfm_bandwidth *bandwidth, size_t bytes, struct lfm_error *error);
/* One pass over the buffer: adds a sample. */
enum lfm_status lfm_bandwidth_measure(struct lfm_bandwidth *bandwidth, struct lfm_error *error);
/* Over all samples; they get sorted. */
struct lfm_spread lfm_bandwidth_spread(struct lfm_bandwidth *bandwidth);
void lfm_bandwidth_close(struct lfm_bandwidth *bandwidth);

/* Energy counters of the processor packages (RAPL, as Linux shows them below /sys/class/powercap). */
enum { LFM_MAX_PACKAGES = 16 };
struct lfm_energy {
    char *paths[LFM_MAX_PACKAGES];     /* of energy_uj; owned */
    double ranges[LFM_MAX_PACKAGES];   /* joules at which a counter starts again */
    size_t n;                          /* 0: the machine does not say */
};
struct lfm_energy_reading {
    double joules[LFM_MAX_PACKAGES];
};

/* Finds the packages below `directory`; none when it or its files cannot be read. */
enum lfm_status lfm_energy_open(struct lfm_energy *energy, const char *directory, struct lfm_error *error);
struct lfm_energy_reading lfm_energy_read(const struct lfm_energy *energy);
/* Joules since `before`, over all packages; NaN without counters. */
double lfm_energy_since(const struct lfm_energy *energy, const struct lfm_energy_reading *before);
void lfm_energy_close(struct lfm_energy *energy);

/* --- what a decoding step reads: bench_bytes.c --- */

/* Bytes per step of a batch, each weight counted once however many sequences use it. */
struct lfm_step_bytes {
    double weights; /* used by every step: operators, dense feed-forwards, routers, norms, the head, embedding rows */
    double experts; /* of the experts chosen by at least one sequence, mean over the steps */
    double kv;      /* keys and values of all sequences, mean over the steps */
    double state;   /* columns of the conv layers */
};
double lfm_step_bytes_total(const struct lfm_step_bytes *bytes);

/* Which experts the sequences of a step chose: filled by an observer. */
struct lfm_expert_use {
    const struct lfm_model *model; /* borrowed */
    size_t *last_step;             /* [layers, experts]: 1 + the last step that chose it; owned */
    size_t steps;                  /* begun */
    double chosen;                 /* distinct experts, over all layers and steps */
    double bytes;                  /* of them */
};
enum lfm_status lfm_expert_use_open(struct lfm_expert_use *use, const struct lfm_model *model, struct lfm_error *error);
/* The announcements that follow belong to a new step. */
void lfm_expert_use_step(struct lfm_expert_use *use);
/* An observer's function; its context is the lfm_expert_use. */
enum lfm_status lfm_expert_use_observe(void *context, const struct lfm_announcement *announcement,
                                       struct lfm_error *error);
/* Distinct experts of a layer with experts per step; NaN for dense models and before the first step. */
double lfm_expert_use_mean(const struct lfm_expert_use *use);
void lfm_expert_use_close(struct lfm_expert_use *use);

/* What `steps` steps of `batch` sequences read that had `context` tokens before the first. */
struct lfm_step_bytes lfm_step_bytes(const struct lfm_model *model, const struct lfm_expert_use *use, size_t batch,
                                     size_t context, size_t steps);

/* --- measuring --- */

struct lfm_bench_options {
    size_t prompt_tokens, decode_tokens; /* 0: that rate is not measured */
    size_t repeats;
    const size_t *batches, *contexts;
    size_t n_batches, n_contexts;
    uint64_t seed;                       /* of the token ids */
};

/* One batch size at one depth. Prefill is that of a single sequence, the same for every batch size. */
struct lfm_bench_row {
    size_t batch, context;
    struct lfm_spread prefill;    /* tokens per second */
    struct lfm_spread decode;     /* tokens per second, all sequences together */
    struct lfm_step_bytes bytes;  /* of a step */
    double distinct_experts;      /* per layer and step; NaN for dense models */
    double prefill_joules, decode_joules; /* per token, medians; NaN without counters */
};

/* Fails when a length is beyond the model's context, or nothing is to be measured. */
enum lfm_status lfm_bench_check(const struct lfm_model *model, const struct lfm_bench_options *options,
                                struct lfm_error *error);
/* Tokens that lfm_bench runs through the model, for the progress bar. */
double lfm_bench_tokens(const struct lfm_bench_options *options);
/* Reads every weight once, so that no measurement waits for the disk. The progress counts bytes. */
enum lfm_status lfm_bench_touch(struct lfm_model *model, struct lfm_progress *progress, struct lfm_error *error);

/* Fills rows[n_contexts * n_batches], contexts outermost. After the repeats of a measurement the bandwidth is sampled as
 * often, so that both saw the same machine. The progress counts tokens from *done, which is advanced. Fails after Ctrl-C. */
enum lfm_status lfm_bench(struct lfm_bench_row *rows, const struct lfm_model *model,
                          const struct lfm_bench_options *options, struct lfm_bandwidth *bandwidth,
                          const struct lfm_energy *energy, double *done, struct lfm_progress *progress,
                          struct lfm_error *error);

#endif
