/* Long-context recall as a suite of the harness. */
#ifndef LFM_EVAL_RECALL_SUITE_H
#define LFM_EVAL_RECALL_SUITE_H

#include "eval/harness/suite.h"

/* The data set is a grid file (grid.h); items are made from it when they are asked, one user message each. Ids:
 * "<kind>-<length>-<depth>-<number>". Verdicts: "correct", "kind", "length", "depth", "expected" (values), "found"
 * (those of them that the answer names), "others" (values it names that were not asked). Summary: a rate per kind under
 * the kind's name, and "cells". */
extern const struct lfm_suite lfm_recall_suite;

#endif
