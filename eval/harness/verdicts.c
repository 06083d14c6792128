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

struct lfm_interval lfm_wilson(size_t k, size_t n, double confidence)
{
    if (n == 0) return (struct lfm_interval){0, 1};
    double z = normal_quantile(confidence), size = (double)n, p = (double)k / size;
    double centre = p + z * z / (2 * size);
    double half = z * sqrt(p * (1 - p) / size + z * z / (4 * size * size));
    double scale = 1 + z * z / size;
    return (struct lfm_interval){fmax(0, (centre - half) / scale), fmin(1, (centre + half) / scale)};
}

static size_t items(const struct lfm_pairs *pairs)
{
    return pairs->both + pairs->lost + pairs->gained + pairs->neither;
}

double lfm_paired_difference(const struct lfm_pairs *pairs)
{
    return ((double)pairs->gained - (double)pairs->lost) / (double)items(pairs);
}

/* The correlation of the two verdicts, a positive one corrected for continuity as method 10 does. */
static double correlation(const struct lfm_pairs *pairs)
{
    double a = (double)pairs->both, b = (double)pairs->gained, c = (double)pairs->lost, d = (double)pairs->neither;
    double margins = (a + b) * (c + d) * (a + c) * (b + d);
    if (margins == 0) return 0;
    double numerator = a * d - b * c;
    if (numerator > 0) numerator = fmax(0, numerator - (a + b + c + d) / 2);
    return numerator / sqrt(margins);
}

static double combine(double first, double second, double phi)
{
    return sqrt(first * first - 2 * phi * first * second + second * second);
}

struct lfm_interval lfm_newcombe(const struct lfm_pairs *pairs, double confidence)
{
    size_t n = items(pairs);
    if (n == 0) return (struct lfm_interval){-1, 1};
    double candidate = (double)(pairs->both + pairs->gained) / (double)n;
    double reference = (double)(pairs->both + pairs->lost) / (double)n;
    struct lfm_interval c = lfm_wilson(pairs->both + pairs->gained, n, confidence);
    struct lfm_interval r = lfm_wilson(pairs->both + pairs->lost, n, confidence);
    double phi = correlation(pairs), difference = candidate - reference;
    return (struct lfm_interval){difference - combine(candidate - c.low, r.high - reference, phi),
                                 difference + combine(c.high - candidate, reference - r.low, phi)};
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

struct lfm_equivalence_verdict lfm_equivalence_test(const struct lfm_pairs *pairs, double margin)
{
    static const double confidence = 0.90;
    struct lfm_equivalence_verdict result = {LFM_EQUIVALENT_UNDECIDED, lfm_newcombe(pairs, confidence), 0};
    if (result.interval.low > -margin && result.interval.high < margin) result.verdict = LFM_EQUIVALENT_PASS;
    if (result.interval.low > margin || result.interval.high < -margin) result.verdict = LFM_EQUIVALENT_FAIL;
    if (result.verdict != LFM_EQUIVALENT_UNDECIDED) return result;

    /* the interval's half-width shrinks with the root of the number of items until it fits the distance to the margin */
    double half = (result.interval.high - result.interval.low) / 2;
    double middle = (result.interval.high + result.interval.low) / 2;
    double distance = fabs(margin - fabs(middle));
    double n = (double)items(pairs);
    result.items_needed = n > 0 ? fmax(1, ceil(n * pow(half / distance, 2)) - n) : INFINITY;
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
