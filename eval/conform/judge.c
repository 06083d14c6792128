/* Results held against the pack: see judge.h. */
#include "eval/conform/judge.h"

#include "reference/base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *lfm_verdict_name(enum lfm_verdict verdict)
{
    static const char *const names[] = {"not given", "pass", "FAIL", "incomplete", "not required"};
    return names[verdict];
}

/* --- reading --- */

static const cJSON *get(const cJSON *row, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(row, key);
    return cJSON_IsNull(item) ? NULL : item;
}

static double value_of(const cJSON *item)
{
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

void lfm_read_numbers(double *out, const cJSON *row, const char *key, size_t n)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(row, key), *item;
    size_t i = 0;
    cJSON_ArrayForEach(item, list)
    {
        if (i == n) return;
        out[i++] = value_of(item);
    }
}

/* A margin: null means that nothing comes near. */
static double margin_of(const cJSON *row, const char *key)
{
    const cJSON *item = get(row, key);
    return cJSON_IsNumber(item) ? item->valuedouble : INFINITY;
}

/* --- counting --- */

struct judging {
    const struct lfm_pack *pack;
    const struct lfm_conform_class *conform_class;
    double *expected, *given; /* [most numbers of a row] */
    struct lfm_judgement *out;
};

/* What one case comes to. */
struct outcome {
    bool required, given, agrees;
    double deviation; /* NAN: not a number; compared texts leave it at 0 */
    char detail[320]; /* of a failure */
};

/* NaN is worse than everything. */
static bool is_worse(double deviation, double worst)
{
    return isnan(deviation) ? !isnan(worst) : deviation > worst;
}

static void count(struct lfm_check_result *check, const char *id, const struct outcome *outcome)
{
    if (!outcome->required) {
        check->beyond += outcome->given;
        check->beyond_agree += outcome->given && outcome->agrees;
        return;
    }
    check->required++;
    if (!outcome->given) return;
    check->given++;
    check->agree += outcome->agrees;
    if (is_worse(outcome->deviation, *check->worst_id ? check->worst : 0)) {
        check->worst = outcome->deviation;
        snprintf(check->worst_id, sizeof check->worst_id, "%s", id);
    }
    if (!outcome->agrees && !*check->first) snprintf(check->first, sizeof check->first, "'%s': %s", id, outcome->detail);
}

static void conclude(struct lfm_check_result *check)
{
    if (check->given == 0 && check->beyond == 0) check->verdict = LFM_VERDICT_NOT_GIVEN;
    else if (check->required == 0) check->verdict = LFM_VERDICT_NOT_REQUIRED;
    else if (check->agree < check->given) check->verdict = LFM_VERDICT_FAIL;
    else check->verdict = check->given < check->required ? LFM_VERDICT_INCOMPLETE : LFM_VERDICT_PASS;
}

/* --- ids and texts --- */

static void compare_ids(struct outcome *outcome, const cJSON *expected, const cJSON *given)
{
    size_t i = 0, n = (size_t)cJSON_GetArraySize(expected), found = (size_t)cJSON_GetArraySize(given);
    const cJSON *a = expected->child, *b = given->child;
    for (; a && b && a->valuedouble == b->valuedouble; a = a->next, b = b->next) i++;
    outcome->agrees = !a && !b;
    if (outcome->agrees) return;
    if (a && b)
        snprintf(outcome->detail, sizeof outcome->detail, "id %zu is %.0f, expected %.0f (%zu ids, expected %zu)", i,
                 b->valuedouble, a->valuedouble, found, n);
    else
        snprintf(outcome->detail, sizeof outcome->detail, "%zu ids, expected %zu", found, n);
}

static void compare_texts(struct outcome *outcome, const char *expected, const char *given)
{
    size_t i = 0;
    while (expected[i] && expected[i] == given[i]) i++;
    outcome->agrees = expected[i] == given[i];
    if (!outcome->agrees)
        snprintf(outcome->detail, sizeof outcome->detail, "the text differs at byte %zu of %zu (%zu expected)", i,
                 strlen(given), strlen(expected));
}

static void judge_texts(const struct judging *j, const struct lfm_conform_case *one, enum lfm_conform_section section)
{
    struct outcome ids = {.required = true}, text = {.required = true};
    const cJSON *given_ids = get(one->given, "ids"), *given_text = get(one->given, "text");
    ids.given = given_ids != NULL;
    text.given = given_text != NULL;
    if (given_ids) compare_ids(&ids, get(one->row, "ids"), given_ids);
    bool template = section == LFM_CONFORM_TEMPLATE;
    count(&j->out->checks[template ? LFM_CHECK_TEMPLATE_IDS : LFM_CHECK_TOKENIZER_IDS], one->id, &ids);
    if (!template) return;
    if (given_text) compare_texts(&text, get(one->row, "text")->valuestring, given_text->valuestring);
    count(&j->out->checks[LFM_CHECK_TEMPLATE_TEXT], one->id, &text);
}

/* --- vectors --- */

/* max |x - r| / sqrt(mean r^2) */
static double deviation(const double *expected, const double *given, size_t n, size_t *place)
{
    double squares = 0, most = 0;
    for (size_t i = 0; i < n; i++) {
        squares += expected[i] * expected[i];
        double difference = fabs(given[i] - expected[i]);
        if (!is_worse(difference, most)) continue;
        most = difference;
        *place = i;
    }
    return squares > 0 ? most / sqrt(squares / (double)n) : most;
}

static void judge_vector(const struct judging *j, const struct lfm_conform_case *one, enum lfm_check check,
                         const char *key, size_t n, bool required)
{
    struct outcome outcome = {.required = required, .given = get(one->given, key) != NULL};
    double tolerance = j->conform_class->relative;
    size_t place = 0;
    if (outcome.given) {
        const char *after = cJSON_GetStringValue(get(one->row, "after"));
        lfm_read_numbers(j->expected, one->row, key, n);
        lfm_read_numbers(j->given, one->given, key, n);
        outcome.deviation = deviation(j->expected, j->given, n, &place);
        outcome.agrees = outcome.deviation <= tolerance;
        snprintf(outcome.detail, sizeof outcome.detail, "%s%s%snumber %zu is %.6g, expected %.6g", after ? "after " : "",
                 after ? after : "", after ? ", " : "", place, j->given[place], j->expected[place]);
    }
    j->out->checks[check].tolerance = tolerance;
    count(&j->out->checks[check], one->id, &outcome);
}

/* --- routers --- */

static int by_number(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* "1 4 6" */
static void print_set(char *text, size_t size, const double *set, size_t n)
{
    size_t used = 0;
    *text = '\0';
    for (size_t k = 0; k < n && used < size; k++)
        used += (size_t)snprintf(text + used, size - used, "%s%.0f", k ? " " : "", set[k]);
}

/* A decision that came out differently deviates by its margin: nothing smaller had to change. */
static void judge_choice(const struct judging *j, const struct lfm_conform_case *one, bool required, double margin)
{
    struct outcome outcome = {.required = required, .given = get(one->given, "selected") != NULL, .agrees = true};
    size_t K = j->pack->n_chosen;
    if (outcome.given) {
        char found[64], wanted[64];
        lfm_read_numbers(j->expected, one->row, "selected", K);
        lfm_read_numbers(j->given, one->given, "selected", K);
        qsort(j->expected, K, sizeof *j->expected, by_number);
        qsort(j->given, K, sizeof *j->given, by_number);
        for (size_t k = 0; k < K; k++) outcome.agrees = outcome.agrees && j->expected[k] == j->given[k];
        print_set(found, sizeof found, j->given, K);
        print_set(wanted, sizeof wanted, j->expected, K);
        if (!outcome.agrees) outcome.deviation = fabs(margin);
        snprintf(outcome.detail, sizeof outcome.detail, "experts %s, expected %s, by a margin of %.3g", found, wanted, margin);
    }
    j->out->checks[LFM_CHECK_ROUTER_CHOICE].tolerance = j->conform_class->margin;
    count(&j->out->checks[LFM_CHECK_ROUTER_CHOICE], one->id, &outcome);
}

/* weights[E], zero for experts that are not chosen */
static void spread(double *weights, const cJSON *row, size_t E, size_t K)
{
    double selected[LFM_MAX_EXPERTS], values[LFM_MAX_EXPERTS];
    lfm_read_numbers(selected, row, "selected", K);
    lfm_read_numbers(values, row, "weights", K);
    for (size_t e = 0; e < E; e++) weights[e] = 0;
    for (size_t k = 0; k < K; k++) weights[(size_t)selected[k]] = values[k];
}

static void judge_weights(const struct judging *j, const struct lfm_conform_case *one, bool required)
{
    struct outcome outcome = {.required = required, .given = get(one->given, "weights") != NULL};
    struct lfm_check_result *check = &j->out->checks[LFM_CHECK_ROUTER_WEIGHTS];
    size_t E = j->pack->n_experts, place = 0;
    check->tolerance = 2 * j->conform_class->margin;
    if (outcome.given) {
        spread(j->expected, one->row, E, j->pack->n_chosen);
        spread(j->given, one->given, E, j->pack->n_chosen);
        for (size_t e = 0; e < E; e++) {
            double difference = fabs(j->given[e] - j->expected[e]);
            if (!is_worse(difference, outcome.deviation)) continue;
            outcome.deviation = difference;
            place = e;
        }
        outcome.agrees = outcome.deviation <= check->tolerance;
        snprintf(outcome.detail, sizeof outcome.detail, "expert %zu weighs %.6g, expected %.6g", place, j->given[place],
                 j->expected[place]);
    }
    count(check, one->id, &outcome);
}

static void judge_decision(const struct judging *j, const struct lfm_conform_case *one)
{
    double margin = margin_of(one->row, "margin"), upstream = margin_of(one->row, "upstream_margin");
    bool reached = upstream >= j->conform_class->margin, required = reached && margin >= j->conform_class->margin;
    judge_vector(j, one, LFM_CHECK_ROUTER_LOGITS, "logits", j->pack->n_experts, reached);
    judge_choice(j, one, required, margin);
    judge_weights(j, one, required);
}

/* --- continuations --- */

/* Steps from the first on that are required. */
static size_t required_steps(const struct judging *j, const cJSON *row)
{
    const cJSON *margin = get(row, "margins")->child, *upstream = get(row, "upstream_margins")->child;
    size_t n = 0;
    for (; margin && upstream; margin = margin->next, upstream = upstream->next, n++) {
        if (value_of(margin) < j->conform_class->logit) break;
        if (cJSON_IsNumber(upstream) && upstream->valuedouble < j->conform_class->margin) break;
    }
    return n;
}

/* Steps at whose end both went the same way. */
static size_t common_steps(const cJSON *expected, const cJSON *given)
{
    size_t n = 0;
    for (const cJSON *a = expected->child, *b = given->child; a && b && a->valuedouble == b->valuedouble;
         a = a->next, b = b->next)
        n++;
    return n;
}

static void judge_ids_of_steps(const struct judging *j, const struct lfm_conform_case *one, size_t steps, size_t common)
{
    struct outcome outcome = {.required = steps > 0, .given = one->given != NULL};
    if (one->given) {
        const cJSON *given = get(one->given, "ids");
        outcome.agrees = common >= steps;
        const cJSON *found = cJSON_GetArrayItem(given, (int)common);
        double margin = value_of(cJSON_GetArrayItem(get(one->row, "margins"), (int)common));
        double wanted = value_of(cJSON_GetArrayItem(get(one->row, "ids"), (int)common));
        if (!outcome.agrees) outcome.deviation = margin;
        if (found)
            snprintf(outcome.detail, sizeof outcome.detail, "step %zu gives %.0f, expected %.0f, by a margin of %.3g",
                     common, found->valuedouble, wanted, margin);
        else
            snprintf(outcome.detail, sizeof outcome.detail, "%zu steps, expected %zu", common, steps);
    }
    j->out->checks[LFM_CHECK_GREEDY].tolerance = j->conform_class->logit;
    count(&j->out->checks[LFM_CHECK_GREEDY], one->id, &outcome);
}

/* The log-probability that a step's pairs have for an id; NAN when it is not among them, or null. */
static double find_pair(const cJSON *pairs, double id, bool *found)
{
    const cJSON *pair;
    *found = false;
    cJSON_ArrayForEach(pair, pairs)
    {
        if (cJSON_GetArrayItem(pair, 0)->valuedouble != id) continue;
        *found = true;
        return value_of(cJSON_GetArrayItem(pair, 1));
    }
    return NAN;
}

/* The largest difference at one step: of the expected tokens that were given, and, for a given one that is not among the
 * expected, of what it has more than the last of those. A step without the expected first token deviates without bound. */
static double compare_step(const cJSON *expected, const cJSON *given, double *id)
{
    const cJSON *pair;
    double most = 0, last = 0;
    bool found, first = true;
    cJSON_ArrayForEach(pair, expected)
    {
        double token = cJSON_GetArrayItem(pair, 0)->valuedouble, found_value = find_pair(given, token, &found);
        last = cJSON_GetArrayItem(pair, 1)->valuedouble;
        double difference = found ? fabs(found_value - last) : first ? INFINITY : 0;
        if (is_worse(difference, most)) most = difference, *id = token;
        first = false;
    }
    cJSON_ArrayForEach(pair, given)
    {
        double token = cJSON_GetArrayItem(pair, 0)->valuedouble, value = value_of(cJSON_GetArrayItem(pair, 1));
        (void)find_pair(expected, token, &found);
        if (!found && is_worse(value - last, most)) most = value - last, *id = token;
    }
    return most;
}

/* The step after the last common one has the same tokens before it, and is compared as well. */
static void judge_top(const struct judging *j, const struct lfm_conform_case *one, size_t steps, size_t common)
{
    const cJSON *given = get(one->given, "top");
    struct lfm_check_result *check = &j->out->checks[LFM_CHECK_LOGPROBS];
    struct outcome outcome = {.required = steps > 0, .given = given != NULL};
    size_t worst = 0;
    double id = 0, worst_id = 0;
    check->tolerance = j->conform_class->logit;
    if (given) {
        size_t n = common + 1 < steps ? common + 1 : steps;
        for (size_t i = 0; i < n; i++) {
            const cJSON *step = cJSON_GetArrayItem(given, (int)i);
            double found = compare_step(cJSON_GetArrayItem(get(one->row, "top"), (int)i), step, &id);
            if (is_worse(found, outcome.deviation)) outcome.deviation = found, worst = i, worst_id = id;
        }
        outcome.agrees = outcome.deviation <= check->tolerance;
        if (isinf(outcome.deviation))
            snprintf(outcome.detail, sizeof outcome.detail, "at step %zu the likeliest token, %.0f, is not among those given",
                     worst, worst_id);
        else
            snprintf(outcome.detail, sizeof outcome.detail, "at step %zu the log-probability of %.0f is off by %.3g", worst,
                     worst_id, outcome.deviation);
    }
    count(check, one->id, &outcome);
}

static void judge_continuation(const struct judging *j, const struct lfm_conform_case *one)
{
    size_t steps = required_steps(j, one->row);
    size_t common = one->given ? common_steps(get(one->row, "ids"), get(one->given, "ids")) : 0;
    judge_ids_of_steps(j, one, steps, common);
    judge_top(j, one, steps, common);
}

/* --- all of it --- */

static void judge_case(const struct judging *j, enum lfm_conform_section section, const struct lfm_conform_case *one)
{
    bool reached = margin_of(one->row, "upstream_margin") >= j->conform_class->margin;
    switch (section) {
    case LFM_CONFORM_TOKENIZER:
    case LFM_CONFORM_TEMPLATE: judge_texts(j, one, section); break;
    case LFM_CONFORM_ROUTER: judge_decision(j, one); break;
    case LFM_CONFORM_HIDDEN:
        judge_vector(j, one, LFM_CHECK_HIDDEN, "values", j->pack->hidden_size, reached);
        break;
    case LFM_CONFORM_LOGITS: judge_vector(j, one, LFM_CHECK_LOGITS, "values", j->pack->vocab_size, reached); break;
    case LFM_CONFORM_GREEDY: judge_continuation(j, one); break;
    case LFM_CONFORM_N_SECTIONS: break;
    }
}

static void start(struct lfm_judgement *judgement, const struct lfm_conform_class *conform_class)
{
    static const char *const names[LFM_N_CHECKS] = {
        "tokenizer ids", "template text", "template ids", "router logits", "router choice",
        "router weights", "hidden states", "logits",      "greedy",        "logprobs"};
    *judgement = (struct lfm_judgement){.conform_class = conform_class};
    for (size_t i = 0; i < LFM_N_CHECKS; i++) {
        judgement->checks[i].name = names[i];
        judgement->checks[i].tolerance = NAN;
    }
}

static void finish(struct lfm_judgement *judgement)
{
    size_t pass = 0, fail = 0;
    for (size_t i = 0; i < LFM_N_CHECKS; i++) {
        struct lfm_check_result *check = &judgement->checks[i];
        conclude(check);
        if (isnan(check->tolerance)) check->worst = NAN;
        pass += check->verdict == LFM_VERDICT_PASS;
        fail += check->verdict == LFM_VERDICT_FAIL || check->verdict == LFM_VERDICT_INCOMPLETE;
    }
    judgement->passed = pass > 0 && fail == 0;
}

enum lfm_status lfm_judge(struct lfm_judgement *judgement, const struct lfm_pack *pack,
                          const struct lfm_conform_class *conform_class, struct lfm_error *error)
{
    size_t most = pack->vocab_size > pack->hidden_size ? pack->vocab_size : pack->hidden_size;
    struct judging j = {.pack = pack, .conform_class = conform_class, .out = judgement};
    if (most < pack->n_experts) most = pack->n_experts;
    enum lfm_status status = LFM_ALLOC(&j.expected, most, error);
    if (status == LFM_OK) status = LFM_ALLOC(&j.given, most, error);
    if (status == LFM_OK) {
        start(judgement, conform_class);
        for (size_t s = 0; s < LFM_CONFORM_N_SECTIONS; s++)
            for (size_t i = 0; i < pack->sections[s].count; i++)
                judge_case(&j, (enum lfm_conform_section)s, &pack->sections[s].items[i]);
        finish(judgement);
        lfm_diagnose_router(judgement->diagnosis, sizeof judgement->diagnosis, pack, conform_class);
    }
    free(j.expected);
    free(j.given);
    return status;
}
