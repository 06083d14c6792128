/* Statistics of verdicts: see verdicts.h. */
#include "eval/harness/verdicts.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdbool.h>

static double normal_quantile(double confidence)
{
    return gsl_cdf_ugaussian_Qinv((1 - confidence) / 2);
}

/* Counts need not be whole numbers: lfm_equivalence_test asks what more items of the same kinds would give. */
static struct lfm_interval wilson(double k, double n, double z)
{
    double p = k / n, centre = p + z * z / (2 * n);
    double half = z * sqrt(fmax(0, p * (1 - p)) / n + z * z / (4 * n * n));
    double scale = 1 + z * z / n;
    return (struct lfm_interval){k > 0 ? fmax(0, (centre - half) / scale) : 0, k < n ? fmin(1, (centre + half) / scale) : 1};
}

struct lfm_interval lfm_wilson(size_t k, size_t n, double confidence)
{
    return lfm_wilson_mean((double)k, n, confidence);
}

struct lfm_interval lfm_wilson_mean(double k, size_t n, double confidence)
{
    if (n == 0) return (struct lfm_interval){0, 1};
    return wilson(k, (double)n, normal_quantile(confidence));
}

void lfm_clusters_add(struct lfm_clusters *clusters, size_t right, size_t n)
{
    if (n == 0) return;
    clusters->clusters++;
    clusters->right += right;
    clusters->n += n;
    clusters->right2 += (double)right * (double)right;
    clusters->cross += (double)right * (double)n;
    clusters->n2 += (double)n * (double)n;
}

void lfm_clusters_join(struct lfm_clusters *clusters, const struct lfm_clusters *more)
{
    clusters->clusters += more->clusters;
    clusters->right += more->right;
    clusters->n += more->n;
    clusters->right2 += more->right2;
    clusters->cross += more->cross;
    clusters->n2 += more->n2;
}

double lfm_clustered_stderr(const struct lfm_clusters *clusters)
{
    double G = (double)clusters->clusters, n = (double)clusters->n;
    if (clusters->clusters < 2) return NAN;
    double p = (double)clusters->right / n;
    double squares = clusters->right2 - 2 * p * clusters->cross + p * p * clusters->n2;
    return sqrt(G / (G - 1) * fmax(0, squares)) / n;
}

/* --- two runs --- */

/* Pairs as in lfm_pairs, in any measure. */
struct shares {
    double both, lost, gained, neither;
};

static size_t items(const struct lfm_pairs *pairs)
{
    return pairs->both + pairs->lost + pairs->gained + pairs->neither;
}

static struct shares shares_of(const struct lfm_pairs *pairs)
{
    return (struct shares){(double)pairs->both, (double)pairs->lost, (double)pairs->gained, (double)pairs->neither};
}

double lfm_paired_difference(const struct lfm_pairs *pairs)
{
    return ((double)pairs->gained - (double)pairs->lost) / (double)items(pairs);
}

/* The correlation of the two verdicts, a positive one corrected for continuity as method 10 does. */
static double correlation(const struct shares *pairs)
{
    double a = pairs->both, b = pairs->gained, c = pairs->lost, d = pairs->neither;
    double margins = (a + b) * (c + d) * (a + c) * (b + d);
    if (margins == 0) return 0;
    double numerator = a * d - b * c;
    if (numerator > 0) numerator = fmax(0, numerator - (a + b + c + d) / 2);
    return numerator / sqrt(margins);
}

static double combine(double first, double second, double phi)
{
    return sqrt(fmax(0, first * first - 2 * phi * first * second + second * second));
}

static struct lfm_interval newcombe(const struct shares *pairs, double z)
{
    double n = pairs->both + pairs->lost + pairs->gained + pairs->neither;
    double candidate = (pairs->both + pairs->gained) / n, reference = (pairs->both + pairs->lost) / n;
    struct lfm_interval c = wilson(pairs->both + pairs->gained, n, z), r = wilson(pairs->both + pairs->lost, n, z);
    double phi = correlation(pairs), difference = candidate - reference;
    return (struct lfm_interval){difference - combine(candidate - c.low, r.high - reference, phi),
                                 difference + combine(c.high - candidate, reference - r.low, phi)};
}

struct lfm_interval lfm_newcombe(const struct lfm_pairs *pairs, double confidence)
{
    const struct shares shares = shares_of(pairs);
    if (items(pairs) == 0) return (struct lfm_interval){-1, 1};
    return newcombe(&shares, normal_quantile(confidence));
}

/* Of m flips, the chance of at most k in one direction, and of exactly k, when both directions are as likely. */
static double flips(const struct lfm_pairs *pairs, double *exactly)
{
    unsigned int fewer = (unsigned int)(pairs->lost < pairs->gained ? pairs->lost : pairs->gained);
    unsigned int all = (unsigned int)(pairs->lost + pairs->gained);
    *exactly = gsl_ran_binomial_pdf(fewer, 0.5, all);
    return gsl_cdf_binomial_P(fewer, 0.5, all);
}

double lfm_mcnemar_exact(const struct lfm_pairs *pairs)
{
    double exactly;
    if (pairs->lost == pairs->gained) return 1;
    return fmin(1, 2 * flips(pairs, &exactly));
}

double lfm_mcnemar_mid_p(const struct lfm_pairs *pairs)
{
    double exactly, at_most = flips(pairs, &exactly);
    if (pairs->lost + pairs->gained == 0) return 1;
    if (pairs->lost == pairs->gained) return 1 - exactly / 2;
    return 2 * at_most - exactly;
}

/* --- equivalence --- */

static enum lfm_equivalence decide(struct lfm_interval interval, double margin)
{
    if (interval.low > -margin && interval.high < margin) return LFM_EQUIVALENT_PASS;
    if (interval.low > margin || interval.high < -margin) return LFM_EQUIVALENT_FAIL;
    return LFM_EQUIVALENT_UNDECIDED;
}

/* Whether n items with the same shares of the four kinds of pairs would decide. */
static bool decided_by(const struct lfm_pairs *pairs, double n, double margin, double z)
{
    double factor = n / (double)items(pairs);
    struct shares shares = shares_of(pairs);
    shares = (struct shares){shares.both * factor, shares.lost * factor, shares.gained * factor, shares.neither * factor};
    return decide(newcombe(&shares, z), margin) != LFM_EQUIVALENT_UNDECIDED;
}

/* The interval itself is asked, not scaled by a root of n: of few items its width is half correction for continuity,
 * which shrinks faster. */
static double items_needed(const struct lfm_pairs *pairs, double margin, double z)
{
    static const double most = 1e12;
    double n = (double)items(pairs), undecided = n, decided = n;
    if (n == 0) return INFINITY;
    do {
        undecided = decided;
        decided *= 2;
        if (decided > most) return INFINITY;
    } while (!decided_by(pairs, decided, margin, z));
    while (decided - undecided > 1) {
        double middle = floor((decided + undecided) / 2);
        if (decided_by(pairs, middle, margin, z))
            decided = middle;
        else
            undecided = middle;
    }
    return decided - n;
}

struct lfm_equivalence_verdict lfm_equivalence_test(const struct lfm_pairs *pairs, double margin)
{
    static const double confidence = 0.90;
    struct lfm_equivalence_verdict result = {LFM_EQUIVALENT_UNDECIDED, lfm_newcombe(pairs, confidence), 0};
    result.verdict = decide(result.interval, margin);
    if (result.verdict == LFM_EQUIVALENT_UNDECIDED)
        result.items_needed = items_needed(pairs, margin, normal_quantile(confidence));
    return result;
}

const char *lfm_equivalence_name(enum lfm_equivalence verdict)
{
    return verdict == LFM_EQUIVALENT_PASS ? "PASS" : verdict == LFM_EQUIVALENT_FAIL ? "FAIL" : "UNDECIDED";
}

void lfm_holm(double *adjusted, const double *p, size_t n)
{
    enum { MOST = 64 };
    bool taken[MOST] = {false};
    double largest = 0;
    for (size_t rank = 0; rank < n && n <= MOST; rank++) {
        size_t next = n;
        for (size_t i = 0; i < n; i++)
            if (!taken[i] && (next == n || p[i] < p[next])) next = i;
        taken[next] = true;
        largest = fmax(largest, fmin(1, (double)(n - rank) * p[next]));
        adjusted[next] = largest;
    }
}

double lfm_pass_all_k(size_t n, size_t c, size_t k)
{
    double chance = 1;
    for (size_t i = 0; i < k; i++) chance *= c > i ? (double)(c - i) / (double)(n - i) : 0;
    return chance;
}

double lfm_pass_at_k(size_t n, size_t c, size_t k)
{
    return 1 - lfm_pass_all_k(n, n - c, k);
}
