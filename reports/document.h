/* Result files: what `compare`, `compare` of traces, `ledger`, `attribute`, `routing`, `eval`, `bench` and `conform` print with --json,
 * read into structs.
 *
 * A key that is absent or null is a number that is not there (NaN), an empty text or an empty list; a key of another
 * type is an error that names the file and the place. Texts are cleaned (lfm_clean_text). */
#ifndef LFM_REPORTS_DOCUMENT_H
#define LFM_REPORTS_DOCUMENT_H

#include "reference/base/hash.h"
#include "reports/table.h"

enum lfm_document_kind { LFM_DOCUMENT_COMPARE, LFM_DOCUMENT_TRACES, LFM_DOCUMENT_ROUTING, LFM_DOCUMENT_TASKS,
                         LFM_DOCUMENT_BENCH, LFM_DOCUMENT_LEDGER, LFM_DOCUMENT_LOAD, LFM_DOCUMENT_CONFORM,
                         LFM_DOCUMENT_ATTRIBUTION };

/* How far a router's decisions moved. */
struct lfm_shift {
    bool present;
    double overlap, shared, exact_set, gate_kl, mass_moved;
};

struct lfm_layer_shift {
    size_t layer;
    const char *operation; /* "conv" or "attention"; compare of models only */
    double relative_l2, cosine, sqnr_db;
    struct lfm_shift router;
};

struct lfm_domain {
    const char *label;
    double positions, documents, kld_mean, kld_stderr, perplexity, reference_perplexity, perplexity_ratio,
        top1_agreement;
};

struct lfm_point_shift {
    size_t layer;
    const char *point;
    double relative_l2, cosine, sqnr_db, cka, max_channel_error, max_channel;
};

/* The first token above the tolerance (compare of traces). */
struct lfm_parting {
    bool present;
    size_t layer;
    const char *point;
    double token, document, position, id, value;
};

/* A channel that stands out at a point, by its error or by its size in the reference. */
struct lfm_outlier {
    size_t layer;
    const char *point;
    bool of_error;
    double channel, rms, times_median;
};

/* One module's own and inherited error (compare --inject). */
struct lfm_module_error {
    size_t layer;
    const char *module, *kind;
    double injected, inherited, propagated, total;
    double same_injected, same_total; /* share of tokens whose router chose the reference's experts, NaN without a router */
};

/* A model under comparison. `label` is unique in its document; `color` is the label's in every plot. */
struct lfm_candidate {
    const char *name, *variant, *file, *sha256, *label, *color;
    double bits_per_weight, bytes, fallback_matrices, tokens;
    double perplexity, perplexity_stderr, perplexity_ratio, perplexity_ratio_stderr, nll_mean;
    double kld_mean, kld_stderr, kld_median, kld_p90, kld_p95, kld_p99, kld_p99_9, kld_max, kld_low, kld_high;
    double top1_agreement, top1_agreement_stderr, top5_overlap, delta_p_mean, delta_p_rms;
    struct lfm_shift router;
    struct lfm_layer_shift *layers; /* compare: error and routers; traces: routers */
    size_t n_layers;
    struct lfm_domain *domains;
    size_t n_domains;
    double (*cumulative)[2]; /* KLD, share of positions with at most this */
    size_t n_cumulative;
    struct lfm_point_shift *points; /* traces only */
    size_t n_points;
    struct lfm_parting first, first_in_text; /* traces only */
    struct lfm_outlier *outliers;            /* traces only: all that the points list */
    size_t n_outliers;
    double error_outliers, magnitude_outliers; /* how many there are, over all points */
    struct lfm_module_error *modules;        /* compare --inject only */
    size_t n_modules;
};

/* Two experts and how much more often they are chosen together than if they were independent. */
struct lfm_expert_pair {
    double a, b, lift;
};

/* The share of a domain's tokens that chose each expert. */
struct lfm_domain_share {
    const char *label;
    double *shares;
    size_t n;
};

/* One router's load, as `routing` measured it. */
struct lfm_load_layer {
    size_t layer;
    double experts, top_k, entropy, entropy_normalized, effective_experts, cv, gini, max_violation, margin_median;
    double *load; /* share of the choices, per expert */
    size_t n_load;
    double chance_cv, chance_effective_experts;         /* of even routing */
    double domain_excess, token_excess;                 /* mutual information over shuffled text, nats */
    double next_token, next_token_chance;               /* share of experts that the next token keeps */
    struct lfm_expert_pair *lifts;
    size_t n_lifts;
    struct lfm_domain_share *domains;
    size_t n_domains;
};

struct lfm_load {
    const char *name, *variant, *file, *sha256, *label, *color;
    double tokens;
    double chance_lift, chance_share; /* of a pair, and of a token's chance to choose an expert, with even routing */
    struct lfm_load_layer *layers;
    size_t n_layers;
};

/* Choices whose margin lies in [from, to), to being NaN for no end; shares of them. */
struct lfm_flip_bin {
    double from, to, tokens, shared, weight_l1, observed, predicted_empirical, predicted_normal;
};

/* The share of tokens whose experts differ in this layer and in none before. */
struct lfm_first_flip {
    double layer, share;
};

/* Two traces' routers side by side. */
struct lfm_pair {
    const char *reference, *candidate, *label, *color;
    struct lfm_layer_shift *layers;
    size_t n_layers;
    struct lfm_flip_bin *bins; /* over all layers */
    size_t n_bins;
    struct lfm_first_flip *firsts;
    size_t n_firsts;
    double never_share;
};

/* A share of right answers with its 95 % interval. */
struct lfm_rate {
    double accuracy, right, n, low, high;
};

/* A part of a suite: a kind of instruction, a category of calls, a kind of recall. */
struct lfm_task_part {
    const char *name;
    struct lfm_rate rate;
};

/* Recall: items of one kind, one length of text, one depth in per cent. */
struct lfm_task_cell {
    const char *kind;
    double length, depth;
    struct lfm_rate rate;
};

/* One run of a suite. Of a comparison's runs all but the first have what follows `cut_off`. */
struct lfm_task_run {
    const char *name, *label, *color;
    double bits_per_weight;
    struct lfm_rate correct;
    double cut_off;      /* answers that a limit ended; NaN where it is not known */
    double lost, gained; /* items that went from right to wrong, from wrong to right */
    double difference, difference_low, difference_high;
    double mcnemar_exact, mcnemar_mid_p, holm, items_needed;
    const char *verdict; /* "PASS", "FAIL", "UNDECIDED", "" */
    struct lfm_task_part *parts;
    size_t n_parts;
    struct lfm_task_cell *cells;
    size_t n_cells;
};

/* Repeats of one measurement. */
struct lfm_speed_spread {
    double median, low, high;
};

/* Rates of one kind of weights, activations and cache, at one batch size and depth. */
struct lfm_speed {
    const char *format, *activations, *kv, *label, *color;
    double batch, context;
    struct lfm_speed_spread prefill, decode; /* tokens per second */
    double bytes_per_token, bandwidth_share, distinct_experts, decode_joules;
};

/* A figure and its standard error. */
struct lfm_measure {
    double value, error;
};

/* A loss between two causes: nats, and what share of the loss they are. */
struct lfm_split_loss {
    const char *label; /* of the text; "" for all of it */
    double positions;
    struct lfm_measure loss, routing, arithmetic, routing_share, arithmetic_share, interaction;
};

/* Some router decisions and what their change costs: those of a layer, or those whose margin lies in a bin. */
struct lfm_ledger_entry {
    size_t layer;
    const char *operation;
    double low, high; /* of a bin; high is NaN for the last */
    double decisions, changed;
    struct lfm_measure ref_cand, cand_ref; /* KLDs of the two runs */
    struct lfm_measure routing, share;
};

/* What `ledger` measured. */
struct lfm_account {
    const char *reference, *candidate, *label, *color, *replay;
    double decisions, changed;
    struct lfm_measure kld[2][2], perplexity[2][2]; /* [weights][routing], 0 the reference's */
    struct lfm_split_loss *splits; /* of the whole text, then of its labels */
    size_t n_splits;
    struct lfm_ledger_entry *layers, *margins;
    size_t n_layers, n_margins;
    struct lfm_measure layers_remainder, margins_remainder;
};

/* A figure of `routing --load` with its 5 % and 95 % quantiles over resamples. */
struct lfm_band {
    double mean, low, high;
};

/* A trace under load; figures are means over its layers. */
struct lfm_under_load {
    const char *name, *file, *label;
    double tokens, documents, experts, top_k, bits_per_weight;
    struct lfm_load_batch {
        double batch, uniform, own_load, bytes_per_token, expert_bytes_per_token, worst_layer;
        struct lfm_band distinct;
    } *batches;
    size_t n_batches;
    struct lfm_load_placement {
        const char *placement;
        double devices, batch, p95, even, worst_layer, worst;
        struct lfm_band straggler;
    } *placements;
    size_t n_placements;
    struct lfm_load_drop {
        double factor, batch, capacity, even, worst_layer, worst;
        struct lfm_band dropped;
    } *drops;
    size_t n_drops;
    struct lfm_load_cache {
        double size, coverage_held_out, worst_layer, worst;
        double lru, lfu, hottest, belady;         /* hit rates */
        double lru_bytes, lfu_bytes, hottest_bytes, belady_bytes; /* loaded per token */
    } *caches;
    size_t n_caches;
};

/* One check of a runtime against a conformance pack. */
struct lfm_agreement_check {
    const char *name, *verdict, *failure; /* "router choice"; "pass", "fail", ...; the first case that fails, or "" */
    double required, given, agree, not_required, worst, tolerance;
};

/* One part of a model quantized alone, or all of them. */
struct lfm_part_loss {
    const char *name;
    double parameters, bytes_saved;
    struct lfm_measure kld; /* nats */
    double share, kld_per_mib, top1_agreement;
};

/* What `attribute` measured. */
struct lfm_attributed {
    const char *by, *label, *color; /* "module"; of the format */
    double parts_kld;
    struct lfm_part_loss whole, *parts;
    size_t n_parts;
};

struct lfm_document {
    enum lfm_document_kind kind;
    struct lfm_source source;
    const char *schema, *version;
    char sha256[LFM_SHA256_TEXT]; /* of the file */
    struct lfm_candidate reference;
    struct lfm_candidate *candidates;
    size_t n_candidates;
    double positions, documents, context, tokens;
    double tolerance, outlier_multiple; /* traces */
    const char *score, *errors_by;
    struct lfm_load *loads; /* routing: one per trace */
    size_t n_loads;
    struct lfm_pair *pairs;
    size_t n_pairs;
    const char *suite, *model, *length_unit; /* tasks */
    double items, margin;
    struct lfm_task_run *runs; /* the reference first */
    size_t n_runs;
    const char *cpu; /* bench */
    double threads, repeats, prompt_tokens;
    struct lfm_speed_spread bandwidth; /* bytes per second */
    struct lfm_speed *speeds;
    size_t n_speeds;
    struct lfm_account account; /* ledger */
    struct lfm_attributed attributed; /* attribute; `model` is the reference */
    const char *draw; /* load */
    double resamples, steps;
    struct lfm_under_load *under_loads; /* one per trace */
    size_t n_under_loads;
    const char *arithmetic, *diagnosis; /* conform; `model` is the runtime */
    struct lfm_agreement_check *checks;
    size_t n_checks;
};

struct lfm_documents {
    struct lfm_document *items;
    size_t count, capacity;
    const char **skipped; /* JSON files of a directory that hold something else */
    size_t n_skipped, skipped_capacity;
};

/* Adds the file, or every *.json of the directory in the order of their names, then the summary.json of runs below it.
 * A file named itself must hold one of the known schemas; in a directory, files of other schemas are skipped. All
 * memory is the pool's. */
enum lfm_status lfm_documents_add(struct lfm_documents *documents, struct lfm_pool *pool, const char *path,
                                  struct lfm_error *error);

/* Gives every label its colour: known formats have theirs, others take what is left in order of appearance. */
void lfm_documents_colour(struct lfm_documents *documents);

/* The first document of a kind; NULL when there is none. */
const struct lfm_document *lfm_documents_first(const struct lfm_documents *documents, enum lfm_document_kind kind);

#endif
