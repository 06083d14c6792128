/* Statistics of verdicts: one rate, two runs over the same items, several variants, several samples per item.
 *
 * Formulas: Wilson (1927); McNemar, exact and mid-p, as in Fagerland, Lydersen and Laake (BMC Med. Res. Methodol. 13:91,
 * 2013); Newcombe's interval for paired differences, method 10 (Stat. Med. 17:2635, 1998); equivalence by two one-sided
 * tests, read off the 90 % interval; Holm (1979); pass@k of Chen et al. (arXiv 2107.03374) and pass^k of Yao et al.
 * (arXiv 2406.12045). By GSL. */
#ifndef LFM_EVAL_HARNESS_VERDICTS_H
#define LFM_EVAL_HARNESS_VERDICTS_H

#include <stddef.h>

struct lfm_interval {
    double low, high;
};

/* Wilson's score interval of k successes in n at this confidence (0.95). {0, 1} when n is 0. */
struct lfm_interval lfm_wilson(size_t k, size_t n, double confidence);

/* Two runs over the same items. "Right" is a true verdict; the reference comes first. */
struct lfm_pairs {
    size_t both, lost, gained, neither; /* right in both; right to wrong; wrong to right; wrong in both */
};

/* (gained - lost) / n, and Newcombe's interval of it. NaN and {-1, 1} when there are no items. */
double lfm_paired_difference(const struct lfm_pairs *pairs);
struct lfm_interval lfm_newcombe(const struct lfm_pairs *pairs, double confidence);

/* Two-sided p-values for lost = gained; 1 when nothing flipped. */
double lfm_mcnemar_exact(const struct lfm_pairs *pairs);
double lfm_mcnemar_mid_p(const struct lfm_pairs *pairs);

enum lfm_equivalence {
    LFM_EQUIVALENT_PASS,     /* the 90 % interval of the difference lies inside (-margin, margin) */
    LFM_EQUIVALENT_FAIL,     /* it lies wholly beyond -margin or margin */
    LFM_EQUIVALENT_UNDECIDED /* neither: more items are needed */
};
struct lfm_equivalence_verdict {
    enum lfm_equivalence verdict;
    struct lfm_interval interval; /* 90 % */
    double items_needed;          /* further items until a decision, if rates stay as they are; 0 when decided, infinite
                                   * when the difference is the margin itself */
};
struct lfm_equivalence_verdict lfm_equivalence_test(const struct lfm_pairs *pairs, double margin);
const char *lfm_equivalence_name(enum lfm_equivalence verdict); /* "PASS", "FAIL", "UNDECIDED" */

/* Holm's step-down adjustment of n p-values: adjusted[i] belongs to p[i]. n is at most 64. */
void lfm_holm(double *adjusted, const double *p, size_t n);

/* Chance that at least one of k samples drawn from the n of an item (c of them right) is right; that all are.
 * k is at most n. */
double lfm_pass_at_k(size_t n, size_t c, size_t k);
double lfm_pass_all_k(size_t n, size_t c, size_t k);

#endif
