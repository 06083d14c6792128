/* The suites that `eval` runs: one line each. */
#include "eval/harness/suite.h"
#include "eval/ifeval/suite.h"

#include <string.h>

const struct lfm_suite *const lfm_suites[] = {
    &lfm_ifeval_suite,
    NULL,
};

const struct lfm_suite *lfm_suite_by_name(const char *name)
{
    for (const struct lfm_suite *const *suite = lfm_suites; *suite; suite++)
        if (strcmp((*suite)->name, name) == 0) return *suite;
    return NULL;
}
