/* Which rule a wrong router follows: see judge.h.
 *
 * With the logits that came with a decision (or the pack's, when none did) every known rule is worked out, and the one that
 * gives the chosen experts and weights of at least 95 % of the decisions is named. That needs no agreement of anything
 * before: a router that errs in one layer is found in all. */
#include "eval/conform/judge.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct rule {
    const char *name;      /* NULL: the right one */
    bool softmax;          /* scores by softmax over all experts instead of sigmoids */
    bool bias_in_logits;   /* the bias is added before the sigmoid */
    bool bias_in_choice;   /* ... to the scores that are compared */
    bool bias_in_weights;  /* ... and to those that become weights */
    bool softmax_of_chosen; /* weights by softmax over the logits of the chosen */
    bool normalised;
};

static const struct rule rules[] = {
    {.bias_in_choice = true, .normalised = true},
    {"softmax over all experts instead of sigmoids", .softmax = true, .bias_in_choice = true, .normalised = true},
    {"softmax over all experts instead of sigmoids, weights not divided by their sum", .softmax = true,
     .bias_in_choice = true},
    {"softmax over all experts, the bias not used", .softmax = true, .normalised = true},
    {"softmax over all experts, the bias not used, weights not divided by their sum", .softmax = true},
    {"the bias is part of the weights, not of the choice alone", .bias_in_choice = true, .bias_in_weights = true,
     .normalised = true},
    {"the bias is part of the weights, which are not divided by their sum", .bias_in_choice = true,
     .bias_in_weights = true},
    {"the bias is added to the logits, before the sigmoid", .bias_in_logits = true, .normalised = true},
    {"the bias is not used", .normalised = true},
    {"the bias is not used, weights not divided by their sum", .normalised = false},
    {"the weights are not divided by their sum", .bias_in_choice = true},
    {"the weights are a softmax over the logits of the chosen", .bias_in_choice = true, .softmax_of_chosen = true},
};
enum { N_RULES = sizeof rules / sizeof *rules };

struct decision {
    double logits[LFM_MAX_EXPERTS], bias[LFM_MAX_EXPERTS]; /* [E] */
    double selected[LFM_MAX_EXPERTS], weights[LFM_MAX_EXPERTS]; /* [K] as given */
    bool has_weights;
    size_t E, K;
};

static void work_out_scores(double *scores, const struct rule *rule, const struct decision *d)
{
    double largest = -INFINITY, sum = 0;
    for (size_t e = 0; e < d->E; e++) largest = fmax(largest, d->logits[e]);
    for (size_t e = 0; e < d->E; e++) {
        double logit = d->logits[e] + (rule->bias_in_logits ? d->bias[e] : 0);
        scores[e] = rule->softmax ? exp(logit - largest) : 1 / (1 + exp(-logit));
        sum += scores[e];
    }
    for (size_t e = 0; rule->softmax && e < d->E; e++) scores[e] /= sum;
}

static double weight_of(const struct rule *rule, const struct decision *d, const double *scores, size_t e)
{
    if (rule->softmax_of_chosen) return exp(d->logits[e]);
    return scores[e] + (rule->bias_in_weights ? d->bias[e] : 0);
}

/* Whether the rule gives what the decision says, within the tolerance: no expert outside beats one inside, and the weights
 * are the rule's. */
static bool follows(const struct rule *rule, const struct decision *d, double tolerance)
{
    double scores[LFM_MAX_EXPERTS], worst = INFINITY, best = -INFINITY, sum = 0;
    bool chosen[LFM_MAX_EXPERTS] = {false};
    work_out_scores(scores, rule, d);
    for (size_t k = 0; k < d->K; k++) {
        chosen[(size_t)d->selected[k]] = true;
        sum += weight_of(rule, d, scores, (size_t)d->selected[k]);
    }
    for (size_t e = 0; e < d->E; e++) {
        double score = scores[e] + (rule->bias_in_choice ? d->bias[e] : 0);
        if (chosen[e]) worst = fmin(worst, score);
        else best = fmax(best, score);
    }
    if (worst < best - tolerance) return false;
    if (!rule->normalised && !rule->softmax_of_chosen) sum = 1;
    for (size_t k = 0; d->has_weights && k < d->K; k++) {
        double weight = weight_of(rule, d, scores, (size_t)d->selected[k]) / sum;
        if (!(fabs(weight - d->weights[k]) <= tolerance)) return false;
    }
    return true;
}

static bool read_decision(struct decision *d, const struct lfm_pack *pack, const struct lfm_conform_case *one)
{
    const cJSON *given = one->given, *bias, *item;
    const cJSON *layer = cJSON_GetObjectItemCaseSensitive(one->row, "layer");
    size_t e = 0;
    if (!given || !cJSON_GetObjectItemCaseSensitive(given, "selected") || !cJSON_IsNumber(layer)) return false;
    d->E = pack->n_experts;
    d->K = pack->n_chosen;
    d->has_weights = cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(given, "weights"));
    bool own = cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(given, "logits"));
    lfm_read_numbers(d->logits, own ? given : one->row, "logits", d->E);
    lfm_read_numbers(d->selected, given, "selected", d->K);
    if (d->has_weights) lfm_read_numbers(d->weights, given, "weights", d->K);
    bias = cJSON_GetArrayItem(pack->biases, (int)layer->valuedouble);
    cJSON_ArrayForEach(item, bias)
        if (e < d->E) d->bias[e++] = item->valuedouble;
    return e == d->E;
}

void lfm_diagnose_router(char *text, size_t size, const struct lfm_pack *pack,
                         const struct lfm_conform_class *conform_class)
{
    const struct lfm_conform_cases *cases = &pack->sections[LFM_CONFORM_ROUTER];
    size_t follow[N_RULES] = {0}, n = 0, best = 0;
    double tolerance = 2 * conform_class->margin;
    *text = '\0';
    for (size_t i = 0; i < cases->count; i++) {
        struct decision decision;
        if (!read_decision(&decision, pack, &cases->items[i])) continue;
        n++;
        for (size_t r = 0; r < N_RULES; r++) follow[r] += follows(&rules[r], &decision, tolerance);
    }
    for (size_t r = 1; r < N_RULES; r++)
        if (follow[r] > follow[best]) best = r;
    if (n == 0 || best == 0 || (double)follow[best] < 0.95 * (double)n) return;
    snprintf(text, size, "%s (so in %zu of %zu decisions; the right rule in %zu)", rules[best].name, follow[best], n,
             follow[0]);
}
