/* A report: result files in, a directory with the page, its Markdown twin, data and plots out. */
#ifndef LFM_REPORTS_REPORT_H
#define LFM_REPORTS_REPORT_H

#include "reports/content.h"
#include "reports/figures.h"

struct lfm_report {
    struct lfm_pool pool;
    struct lfm_documents documents;
    struct lfm_content content;
    const struct lfm_figure **absent; /* figures whose data are not there */
    size_t n_absent;
};

/* Reads the files and directories `paths` and arranges what they say. `title` NULL: made from the reference's name.
 * The report is to be released, also after a failure. */
enum lfm_status lfm_report_build(struct lfm_report *report, const char *const *paths, size_t count, const char *title,
                                 struct lfm_error *error);

/* Writes <directory>/{index.html,index.md,data/...csv,plots/...gp,plots/...svg}. Without plots, gnuplot is not run, and
 * page and twin have the tables alone. The same report gives the same bytes. The page is written last. */
enum lfm_status lfm_report_write(struct lfm_report *report, const char *directory, bool plots, struct lfm_error *error);

void lfm_report_release(struct lfm_report *report);

#endif
