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
/* The same formula for n shares between 0 and 1 that sum up to k, which need not be whole. */
struct lfm_interval lfm_wilson_mean(double k, size_t n, double confidence);

/* Verdicts in clusters: instructions of one prompt, samples of one task. Sums from which the rate's error follows. */
struct lfm_clusters {
    size_t clusters;
    size_t right, n;          /* verdicts, of all clusters */
    double right2, cross, n2; /* sums over the clusters of right_g^2, right_g n_g, n_g^2 */
};
/* Counts one more cluster: `right` of its n verdicts. Clusters without verdicts do not count. */
void lfm_clusters_add(struct lfm_clusters *clusters, size_t right, size_t n);
/* Counts all clusters of another sum. */
void lfm_clusters_join(struct lfm_clusters *clusters, const struct lfm_clusters *more);
/* The standard error of the rate p = right / n, a ratio of sums over G clusters:
 * sqrt(G / (G - 1) * sum_g (right_g - p n_g)^2) / n. NaN for fewer than two clusters. */
double lfm_clustered_stderr(const struct lfm_clusters *clusters);

/* Two runs over the same items. "Right" is a true verdict; the reference comes first. */
struct lfm_pairs {
    size_t both, lost, gained, neither; /* right in both; right to wrong; wrong to right; wrong in both */
};

/* (gained - lost) / n, and Newcombe's interval of it. NaN and {-1, 1} when there are no items. */
double lfm_paired_difference(const struct lfm_pairs *pairs);
struct lfm_interval lfm_newcombe(const struct lfm_pairs *pairs, double confidence);

/* Two-sided p-values for lost = gained, by the binomial distribution; 1 when nothing flipped. */
double lfm_mcnemar_exact(const struct lfm_pairs *pairs);
/* The exact one less the chance of just this split, or half of it where as many were lost as gained (Fagerland, Lydersen, Laake,
 * "The McNemar test for binary matched-pairs data", BMC Medical Research Methodology 13:91, 2013). */
double lfm_mcnemar_mid_p(const struct lfm_pairs *pairs);

enum lfm_equivalence {
    LFM_EQUIVALENT_PASS,     /* the 90 % interval of the difference lies inside (-margin, margin) */
    LFM_EQUIVALENT_FAIL,     /* it lies wholly beyond -margin or margin */
    LFM_EQUIVALENT_UNDECIDED /* neither: more items are needed */
};
struct lfm_equivalence_verdict {
    enum lfm_equivalence verdict;
    struct lfm_interval interval; /* 90 % */
    double items_needed;          /* further items until a decision, if the shares of the four kinds of pairs stay as they
                                   * are; 0 when decided, infinite when there are none or the difference is the margin */
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
