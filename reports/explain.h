/* The sections that close a page. */
#ifndef LFM_REPORTS_EXPLAIN_H
#define LFM_REPORTS_EXPLAIN_H

#include "reports/figures.h"

/* "How to read this": short definitions. */
void lfm_explain_terms(struct lfm_content *content);

/* "What was run": commands, files, models, and the figures that are absent with what they need. */
void lfm_explain_run(struct lfm_content *content, const struct lfm_documents *documents,
                     const struct lfm_figure **absent, size_t n_absent);

#endif
