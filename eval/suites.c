/* The suites that `eval` runs: one line each. */
#include "eval/bfcl/suite.h"
#include "eval/harness/suite.h"
#include "eval/ifeval/suite.h"
#include "eval/tau2/suite.h"
#include "eval/recall/suite.h"

#include <string.h>

const struct lfm_suite *const lfm_suites[] = {
    &lfm_ifeval_suite,
    &lfm_bfcl_suite,
    &lfm_recall_suite,
    &lfm_tau2_suite,
    NULL,
};

const struct lfm_suite *lfm_suite_by_name(const char *name)
{
    for (const struct lfm_suite *const *suite = lfm_suites; *suite; suite++)
        if (strcmp((*suite)->name, name) == 0) return *suite;
    return NULL;
}
