/* For tests of reports: a report built from the text of one result file. */
#ifndef LFM_TESTS_REPORT_FIXTURE_H
#define LFM_TESTS_REPORT_FIXTURE_H

#include "reports/report.h"

/* One test's report. */
extern struct lfm_report report;

/* Builds it from a file with this text. */
enum lfm_status build_report(struct lfm_error *error, const char *text);
/* What a suite's .fini is. */
void release_report(void);
/* The block of that id; NULL when there is none. */
const struct lfm_block *find_block(const char *id);

#endif
