/* The figures of a report: one function and one row in the table of figures.c each (docs/adding-a-plot.md). */
#ifndef LFM_REPORTS_FIGURES_H
#define LFM_REPORTS_FIGURES_H

#include "reports/content.h"
#include "reports/gate.h"

/* A figure adds its plots and tables to the content, or nothing when the documents lack its data. */
typedef void (*lfm_figure_function)(struct lfm_content *content, const struct lfm_documents *documents);

struct lfm_figure {
    const char *id;      /* the plot's file name, and the first part of it when there are several */
    const char *section; /* the heading it stands under */
    const char *title;   /* what it shows, for the list of what is not shown */
    const char *needs;   /* what must be given for it to appear */
    lfm_figure_function add;
};

/* The table, in the order of the page; ends with a row of zeroes. */
extern const struct lfm_figure lfm_figures[];

/* figures_answer.c: the sentences at the top and the table of formats. */
void lfm_answer(struct lfm_content *content, const struct lfm_documents *documents);

/* figures_gate.c: whether the gate holds, and the table of its checks. */
void lfm_gate_block(struct lfm_content *content, const struct lfm_gate *gate);

/* figures_distribution.c */
void lfm_figure_kld_bits(struct lfm_content *content, const struct lfm_documents *documents);
void lfm_figure_kld_cumulative(struct lfm_content *content, const struct lfm_documents *documents);
void lfm_figure_perplexity_ratio(struct lfm_content *content, const struct lfm_documents *documents);
void lfm_figure_domains(struct lfm_content *content, const struct lfm_documents *documents);

/* figures_ledger.c */
void lfm_figure_ledger(struct lfm_content *content, const struct lfm_documents *documents);
void lfm_figure_ledger_layers(struct lfm_content *content, const struct lfm_documents *documents);
void lfm_figure_ledger_margins(struct lfm_content *content, const struct lfm_documents *documents);

/* figures_attribute.c */
void lfm_figure_attribute(struct lfm_content *content, const struct lfm_documents *documents);

/* figures_layers.c */
void lfm_figure_error_growth(struct lfm_content *content, const struct lfm_documents *documents);
void lfm_figure_error_points(struct lfm_content *content, const struct lfm_documents *documents);

/* figures_divergence.c */
void lfm_figure_injected(struct lfm_content *content, const struct lfm_documents *documents);
void lfm_figure_first_above(struct lfm_content *content, const struct lfm_documents *documents);
void lfm_figure_channel_outliers(struct lfm_content *content, const struct lfm_documents *documents);

/* figures_routing.c */
void lfm_figure_router_overlap(struct lfm_content *content, const struct lfm_documents *documents);
void lfm_figure_expert_load(struct lfm_content *content, const struct lfm_documents *documents);
void lfm_figure_load_entropy(struct lfm_content *content, const struct lfm_documents *documents);

/* figures_experts.c */
void lfm_figure_load_chance(struct lfm_content *content, const struct lfm_documents *documents);
void lfm_figure_coactivation(struct lfm_content *content, const struct lfm_documents *documents);
void lfm_figure_specialisation(struct lfm_content *content, const struct lfm_documents *documents);
void lfm_figure_domain_experts(struct lfm_content *content, const struct lfm_documents *documents);
void lfm_figure_flips_margin(struct lfm_content *content, const struct lfm_documents *documents);
void lfm_figure_flips_predicted(struct lfm_content *content, const struct lfm_documents *documents);
void lfm_figure_first_divergence(struct lfm_content *content, const struct lfm_documents *documents);

/* figures_tasks.c */
void lfm_figure_tasks(struct lfm_content *content, const struct lfm_documents *documents);
void lfm_figure_recall(struct lfm_content *content, const struct lfm_documents *documents);
/* "IFEval" of "ifeval". */
const char *lfm_suite_title(const char *suite);

/* figures_load.c */
void lfm_figure_load_batches(struct lfm_content *content, const struct lfm_documents *documents);
void lfm_figure_load_devices(struct lfm_content *content, const struct lfm_documents *documents);
void lfm_figure_load_caches(struct lfm_content *content, const struct lfm_documents *documents);

/* figures_bench.c */
void lfm_figure_bench(struct lfm_content *content, const struct lfm_documents *documents);

/* figures_conform.c */
void lfm_figure_conform(struct lfm_content *content, const struct lfm_documents *documents);

/* "<id>", or "<id>-<n>" for the n-th of several (n from 1). */
const char *lfm_figure_id(struct lfm_pool *pool, const char *id, size_t n);

#endif
