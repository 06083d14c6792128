/* BFCL's figures: see figures.h. The averages are those of eval_runner_helper.py in bfcl-eval 2026.3.23. */
#include "eval/bfcl/figures.h"

#include "eval/harness/runner.h"

void lfm_bfcl_add(struct lfm_bfcl_summary *summary, enum lfm_bfcl_category category, bool right)
{
    summary->n[category]++;
    summary->right[category] += right;
}

const char *lfm_bfcl_group_name(enum lfm_bfcl_group group)
{
    static const char *const names[] = {"non_live", "non_live_python", "live", "irrelevance_overall"};
    return names[group];
}

static double accuracy(const struct lfm_bfcl_summary *summary, enum lfm_bfcl_category category)
{
    return (double)summary->right[category] / (double)summary->n[category];
}

static bool all_there(const struct lfm_bfcl_summary *summary, const enum lfm_bfcl_category *categories, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (summary->n[categories[i]] == 0) return false;
    return true;
}

/* Every category counts alike, or every question does. */
static double mean(const struct lfm_bfcl_summary *summary, const enum lfm_bfcl_category *categories, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += accuracy(summary, categories[i]);
    return sum / (double)n;
}

static double pooled(const struct lfm_bfcl_summary *summary, const enum lfm_bfcl_category *categories, size_t n)
{
    size_t right = 0, asked = 0;
    for (size_t i = 0; i < n; i++) {
        right += summary->right[categories[i]];
        asked += summary->n[categories[i]];
    }
    return (double)right / (double)asked;
}

static const enum lfm_bfcl_category languages[] = {LFM_BFCL_SIMPLE_PYTHON, LFM_BFCL_SIMPLE_JAVA, LFM_BFCL_SIMPLE_JAVASCRIPT};
static const enum lfm_bfcl_category several[] = {LFM_BFCL_MULTIPLE_CHOICE, LFM_BFCL_PARALLEL_CALLS, LFM_BFCL_PARALLEL_MULTIPLE};
static const enum lfm_bfcl_category live[] = {LFM_BFCL_LIVE_SIMPLE, LFM_BFCL_LIVE_MULTIPLE, LFM_BFCL_LIVE_PARALLEL,
                                              LFM_BFCL_LIVE_PARALLEL_MULTIPLE};
static const enum lfm_bfcl_category no_call[] = {LFM_BFCL_IRRELEVANCE, LFM_BFCL_LIVE_IRRELEVANCE};

bool lfm_bfcl_group_average(double *out, const struct lfm_bfcl_summary *summary, enum lfm_bfcl_group group)
{
    size_t n_languages = group == LFM_BFCL_NON_LIVE ? 3 : 1;
    if (group == LFM_BFCL_LIVE) {
        if (!all_there(summary, live, 4)) return false;
        *out = pooled(summary, live, 4);
    } else if (group == LFM_BFCL_NO_CALL) {
        if (!all_there(summary, no_call, 2)) return false;
        *out = mean(summary, no_call, 2);
    } else {
        if (!all_there(summary, languages, n_languages) || !all_there(summary, several, 3)) return false;
        *out = (mean(summary, languages, n_languages) + 3 * mean(summary, several, 3)) / 4;
    }
    return true;
}

void lfm_bfcl_add_figures(cJSON *out, const struct lfm_bfcl_summary *summary)
{
    for (int c = 0; c < LFM_BFCL_CATEGORIES; c++)
        if (summary->n[c] > 0)
            lfm_add_rate(out, lfm_bfcl_category_name((enum lfm_bfcl_category)c), summary->right[c], summary->n[c]);
    cJSON *groups = cJSON_AddObjectToObject(out, "groups");
    for (int g = 0; g < LFM_BFCL_GROUPS; g++) {
        double average;
        if (lfm_bfcl_group_average(&average, summary, (enum lfm_bfcl_group)g))
            lfm_json_add_number(groups, lfm_bfcl_group_name((enum lfm_bfcl_group)g), average);
    }
}
