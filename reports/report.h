/* A report: result files in, a directory with the page, its Markdown twin, data and plots out. */
#ifndef LFM_REPORTS_REPORT_H
#define LFM_REPORTS_REPORT_H

#include "reports/content.h"
#include "reports/figures.h"

/* What a report is made of besides its results; all may be left 0. */
struct lfm_report_options {
    const char *title; /* NULL: made from the reference's name */
    const char *const *baseline; /* [n_baseline] result files and directories of an earlier report */
    size_t n_baseline;
    const char *const *rules; /* [n_rules] of the gate: see gate.h */
    size_t n_rules;
};

struct lfm_report {
    struct lfm_pool pool;
    struct lfm_documents documents, baseline;
    struct lfm_gate gate; /* without baseline and rules it has no checks */
    struct lfm_content content;
    const struct lfm_figure **absent; /* figures whose data are not there */
    size_t n_absent;
};

/* Reads the files and directories `paths`, and those of the baseline, arranges what they say, and judges the gate, whose
 * failure is none of the report's. `options` may be NULL. The report is to be released, also after a failure. */
enum lfm_status lfm_report_build(struct lfm_report *report, const char *const *paths, size_t count,
                                 const struct lfm_report_options *options, struct lfm_error *error);

/* Writes <directory>/{index.html,index.md,data/...csv,plots/...gp,plots/...svg}. Without plots, gnuplot is not run, and
 * page and twin have the tables alone. The same report gives the same bytes. The page is written last. */
enum lfm_status lfm_report_write(struct lfm_report *report, const char *directory, bool plots, struct lfm_error *error);

void lfm_report_release(struct lfm_report *report);

#endif
