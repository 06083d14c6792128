/* What `bench` prints: a table for people, and the document of --json. */
#ifndef LFM_QUANT_COMMAND_BENCH_REPORT_H
#define LFM_QUANT_COMMAND_BENCH_REPORT_H

#include "quant/bench.h"
#include "reference/base/json.h"

/* One kind of weights, activations and cache, with its rows. */
struct lfm_bench_variant {
    const char *format, *activations, *kv; /* names of the tables */
    double bytes, bits_per_weight;         /* of all weights */
    struct lfm_bench_row *rows;            /* [n_rows], owned */
    size_t n_rows;
};

struct lfm_bench_result {
    const char *name;                      /* of the model */
    double parameters, active_parameters;
    struct lfm_bench_variant *variants;    /* owned */
    size_t n_variants;
    const struct lfm_bench_options *options;
    struct lfm_spread bandwidth;           /* bytes per second */
    size_t bandwidth_bytes, bandwidth_samples, threads;
    double load_before;                    /* runnable processes, mean of the minute before; NaN when unknown */
    char cpu[128];
};

void lfm_bench_print(const struct lfm_bench_result *result);
/* The caller deletes. */
cJSON *lfm_bench_document(const struct lfm_bench_result *result, int argc, char **argv);

#endif
