/* The results of eval and merge as text. */
#include "eval/command/evaluation.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static double number(const cJSON *object, const char *key)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNumber(member) ? member->valuedouble : NAN;
}

static const cJSON *member_of(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static const char *text_of(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(member_of(object, key));
    return text ? text : "";
}

/* --- a summary --- */

static void print_rate(const char *name, const cJSON *rate)
{
    printf("%-26s %7.2f %%  [%.2f, %.2f]  %.0f of %.0f", name, 100 * number(rate, "accuracy"), 100 * number(rate, "low"),
           100 * number(rate, "high"), number(rate, "right"), number(rate, "n"));
    if (isfinite(number(rate, "stderr")))
        printf(", standard error %.2f over %.0f clusters", 100 * number(rate, "stderr"), number(rate, "clusters"));
    printf("\n");
}

/* The rates of an object and, indented, those of the objects in it. */
static void print_rates(const cJSON *object, int depth)
{
    for (const cJSON *member = object->child; member; member = member->next) {
        char name[64];
        snprintf(name, sizeof name, "%*s%s", 2 * depth, "", member->string ? member->string : "");
        if (cJSON_IsNumber(member_of(member, "right")) && cJSON_IsNumber(member_of(member, "low")))
            print_rate(name, member);
        else if (depth == 0 && cJSON_IsObject(member))
            print_rates(member, depth + 1);
    }
}

static void print_passes(const cJSON *passes)
{
    if (!passes) return;
    printf("\n%4s %10s %10s\n", "k", "pass@k", "pass^k");
    for (const cJSON *row = passes->child; row; row = row->next)
        printf("%4.0f %8.2f %% %8.2f %%\n", number(row, "k"), 100 * number(row, "at_least_one"), 100 * number(row, "all"));
}

/* ", activations q8, kv f16": what differs from f32. */
static void print_types(const cJSON *object)
{
    static const char *const keys[] = {"activations", "kv"};
    if (*text_of(object, "weights")) printf(", weights %s", text_of(object, "weights"));
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const char *type = text_of(object, keys[i]);
        if (*type && strcmp(type, "f32") != 0) printf(", %s %s", keys[i], type);
    }
}

static void print_summary(const cJSON *summary)
{
    printf("%s, %s", text_of(summary, "suite"), text_of(summary, "model"));
    print_types(summary);
    double items = number(summary, "items");
    printf(": %.0f item%s (95 %% Wilson intervals)\n", items, items == 1 ? "" : "s");
    if (*text_of(summary, "excluded")) printf("without %s\n", text_of(summary, "excluded"));
    if (items == 0) return; /* a shard of fewer items than shards: no rates */
    print_rates(summary, 0);
    print_passes(member_of(summary, "pass"));
    printf("\nanswers that ended by");
    const cJSON *finishes = member_of(summary, "finish");
    for (const cJSON *finish = finishes->child; finish; finish = finish->next)
        printf("%s %s %.0f", finish == finishes->child ? "" : ",", finish->string, finish->valuedouble);
    printf("; %.0f tokens generated\n", number(summary, "generated_tokens"));
    double failed = number(finishes, "error");
    if (failed > 0)
        printf("%.0f of them failed and count as wrong: 'error' in samples.jsonl says why, --retry-failed asks again\n",
               failed);
}

/* --- a comparison --- */

static int name_width(const cJSON *variants)
{
    size_t width = 10;
    for (const cJSON *variant = variants->child; variant; variant = variant->next)
        if (strlen(text_of(variant, "name")) > width) width = strlen(text_of(variant, "name"));
    return (int)(width < 60 ? width : 60);
}

/* Answers that a limit cut off: a model that no longer finds an end may score as before. */
static double cut_off(const cJSON *run)
{
    const cJSON *finish = member_of(run, "finish");
    return number(finish, "length") + number(finish, "context");
}

static void print_score(const cJSON *run, int width)
{
    const cJSON *correct = member_of(run, "correct");
    printf("%-*s %6.2f %7.2f  [%5.1f, %5.1f] %7.0f", width, text_of(run, "name"), number(run, "bits_per_weight"),
           100 * number(correct, "accuracy"), 100 * number(correct, "low"), 100 * number(correct, "high"), cut_off(run));
}

static void print_variant(const cJSON *variant, int width)
{
    const cJSON *difference = member_of(variant, "difference"), *equivalence = member_of(variant, "equivalence");
    const char *verdict = text_of(equivalence, "verdict");
    print_score(variant, width);
    printf(" %4d %4d  %+6.1f  [%+5.1f, %+5.1f]  %6.4f %6.4f %6.4f  %s", cJSON_GetArraySize(member_of(variant, "lost")),
           cJSON_GetArraySize(member_of(variant, "gained")), 100 * number(difference, "value"),
           100 * number(difference, "low"), 100 * number(difference, "high"), number(variant, "mcnemar_exact"),
           number(variant, "mcnemar_mid_p"), number(variant, "holm"), verdict);
    double needed = number(equivalence, "items_needed");
    if (strcmp(verdict, "UNDECIDED") == 0 && isfinite(needed)) printf(", about %.0f more items", needed);
    printf("\n");
}

static void print_comparison(const cJSON *comparison)
{
    const cJSON *reference = member_of(comparison, "reference"), *variants = member_of(comparison, "variants");
    int width = name_width(variants);
    printf("%s, %s, %.0f items: right %% with 95 %% Wilson interval, answers that a limit\n"
           "cut off, flips against the reference, difference with 95 %% Newcombe interval, McNemar's p (exact, mid-p, exact\n"
           "adjusted by Holm), equivalence within %.1f points\n",
           text_of(comparison, "suite"), text_of(comparison, "model"), number(comparison, "items"),
           100 * number(comparison, "margin"));
    if (*text_of(comparison, "excluded")) printf("without %s\n", text_of(comparison, "excluded"));
    printf("reference");
    print_types(reference);
    printf("\n\n%-*s %6s %7s  %-14s %7s %4s %4s  %6s  %-14s  %6s %6s %6s  %s\n", width, "variant", "bits", "right", "", "cut off",
           "lost", "won", "diff", "", "p", "mid-p", "Holm", "verdict");
    print_score(reference, width);
    printf("\n");
    for (const cJSON *variant = variants->child; variant; variant = variant->next) print_variant(variant, width);
}

/* --- several --- */

void lfm_print_evaluation(const cJSON *document)
{
    if (member_of(document, "variants"))
        print_comparison(document);
    else
        print_summary(document);
}

static cJSON *gather(cJSON **documents, size_t n, int argc, char **argv)
{
    cJSON *all = lfm_json_document("eval-suites", argc, argv), *list = cJSON_AddArrayToObject(all, "suites");
    for (size_t i = 0; i < n; i++) cJSON_AddItemToArray(list, documents[i]);
    return all;
}

enum lfm_status lfm_print_evaluations(cJSON **documents, size_t n, const struct lfm_common *common, int argc,
                                      char **argv, struct lfm_error *error)
{
    if (common->json) return lfm_print_document(n == 1 ? documents[0] : gather(documents, n, argc, argv), error);
    for (size_t i = 0; i < n; i++) {
        if (i > 0) printf("\n");
        lfm_print_evaluation(documents[i]);
        cJSON_Delete(documents[i]);
    }
    return LFM_OK;
}
