/* Results held against the pack: which checks pass, what deviates most, and what a wrong router looks like. The rules are
 * in pack.h, in words in docs/conformance.md. */
#ifndef LFM_EVAL_CONFORM_JUDGE_H
#define LFM_EVAL_CONFORM_JUDGE_H

#include "eval/conform/pack.h"

#include <stddef.h>

enum lfm_check {
    LFM_CHECK_TOKENIZER_IDS,
    LFM_CHECK_TEMPLATE_TEXT,
    LFM_CHECK_TEMPLATE_IDS,
    LFM_CHECK_ROUTER_LOGITS,
    LFM_CHECK_ROUTER_CHOICE,
    LFM_CHECK_ROUTER_WEIGHTS,
    LFM_CHECK_HIDDEN,
    LFM_CHECK_LOGITS,
    LFM_CHECK_GREEDY,
    LFM_CHECK_LOGPROBS,
    LFM_N_CHECKS
};

enum lfm_verdict {
    LFM_VERDICT_NOT_GIVEN,
    LFM_VERDICT_PASS,
    LFM_VERDICT_FAIL,
    LFM_VERDICT_INCOMPLETE,  /* some required cases have no result */
    LFM_VERDICT_NOT_REQUIRED /* results, but the class requires none of the cases */
};
/* "not given", "pass", "FAIL", "incomplete", "not required" */
const char *lfm_verdict_name(enum lfm_verdict verdict);

struct lfm_check_result {
    const char *name;         /* "router choice" */
    enum lfm_verdict verdict;
    size_t required;          /* cases that must agree in this class */
    size_t given, agree;      /* of them */
    size_t beyond, beyond_agree; /* given cases that are not required: near ties and what depends on them */
    double worst, tolerance;  /* over required cases; NAN where texts and ids are compared */
    char worst_id[80];        /* the case of `worst`; empty when nothing deviates */
    char first[400];          /* what the first required case that fails says; empty when none does */
};

struct lfm_judgement {
    const struct lfm_conform_class *conform_class;
    struct lfm_check_result checks[LFM_N_CHECKS];
    bool passed;             /* at least one check passed, and none fails or is incomplete */
    char diagnosis[200];     /* the rule that the router seems to follow instead; empty when it is right, or no known one */
};

/* Judges what was given. Never fails on wrong results, only for want of memory. */
enum lfm_status lfm_judge(struct lfm_judgement *judgement, const struct lfm_pack *pack,
                          const struct lfm_conform_class *conform_class, struct lfm_error *error);

/* Names the rule that most of the given decisions follow, of those that were seen in other programs, or that are near at
 * hand: see diagnose.c. Leaves `text` empty when that is the right one, or none. */
void lfm_diagnose_router(char *text, size_t size, const struct lfm_pack *pack,
                         const struct lfm_conform_class *conform_class);

/* The numbers of a row of the pack or of results as doubles, NAN for null; at most n. */
void lfm_read_numbers(double *out, const cJSON *row, const char *key, size_t n);

#endif
