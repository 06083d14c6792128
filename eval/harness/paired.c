/* Variants against a reference: see paired.h. */
#include "eval/harness/paired.h"

static struct lfm_pairs pair(const bool *reference, const bool *variant, size_t n)
{
    struct lfm_pairs pairs = {0};
    for (size_t i = 0; i < n; i++) {
        pairs.both += reference[i] && variant[i];
        pairs.lost += reference[i] && !variant[i];
        pairs.gained += !reference[i] && variant[i];
        pairs.neither += !reference[i] && !variant[i];
    }
    return pairs;
}

void lfm_compare_variants(struct lfm_paired *paired, const bool *reference, const struct lfm_variant *variants,
                          size_t n_variants, size_t n_items, double margin)
{
    double exact[LFM_MOST_VARIANTS] = {0}, adjusted[LFM_MOST_VARIANTS];
    for (size_t i = 0; i < n_variants; i++) {
        struct lfm_pairs pairs = pair(reference, variants[i].right, n_items);
        exact[i] = lfm_mcnemar_exact(&pairs);
        paired[i] = (struct lfm_paired){
            .pairs = pairs,
            .difference = lfm_paired_difference(&pairs),
            .interval = lfm_newcombe(&pairs, 0.95),
            .exact = exact[i],
            .mid_p = lfm_mcnemar_mid_p(&pairs),
            .equivalence = lfm_equivalence_test(&pairs, margin),
        };
    }
    lfm_holm(adjusted, exact, n_variants);
    for (size_t i = 0; i < n_variants; i++) paired[i].holm = adjusted[i];
}

static void describe(cJSON *object, const struct lfm_variant *variant, size_t n_items)
{
    size_t right = 0;
    for (size_t i = 0; i < n_items; i++) right += variant->right[i];
    cJSON_AddStringToObject(object, "name", variant->name);
    if (variant->weights) cJSON_AddStringToObject(object, "weights", variant->weights);
    if (variant->activations) cJSON_AddStringToObject(object, "activations", variant->activations);
    if (variant->kv) cJSON_AddStringToObject(object, "kv", variant->kv);
    lfm_json_add_number(object, "bits_per_weight", variant->bits_per_weight);
    lfm_add_rate(object, "correct", right, n_items);
    if (variant->finish) cJSON_AddItemToObject(object, "finish", cJSON_Duplicate(variant->finish, true));
    if (variant->generated_tokens)
        cJSON_AddItemToObject(object, "generated_tokens", cJSON_Duplicate(variant->generated_tokens, true));
}

/* The ids of the items that are right in `first` and wrong in `second`. */
static void add_flips(cJSON *object, const char *name, const struct lfm_task *task, const bool *first,
                      const bool *second)
{
    cJSON *ids = cJSON_AddArrayToObject(object, name);
    for (size_t i = 0; i < task->n_items; i++)
        if (first[i] && !second[i])
            cJSON_AddItemToArray(ids, cJSON_CreateString(task->suite->id(task->data, task->items[i])));
}

static void add_paired(cJSON *object, const struct lfm_paired *paired)
{
    cJSON *difference = cJSON_AddObjectToObject(object, "difference");
    lfm_json_add_number(difference, "value", paired->difference);
    lfm_json_add_number(difference, "low", paired->interval.low);
    lfm_json_add_number(difference, "high", paired->interval.high);
    lfm_json_add_number(object, "mcnemar_exact", paired->exact);
    lfm_json_add_number(object, "mcnemar_mid_p", paired->mid_p);
    lfm_json_add_number(object, "holm", paired->holm);
    cJSON *equivalence = cJSON_AddObjectToObject(object, "equivalence");
    cJSON_AddStringToObject(equivalence, "verdict", lfm_equivalence_name(paired->equivalence.verdict));
    lfm_json_add_number(equivalence, "low", paired->equivalence.interval.low);
    lfm_json_add_number(equivalence, "high", paired->equivalence.interval.high);
    lfm_json_add_number(equivalence, "items_needed", paired->equivalence.items_needed);
}

void lfm_add_variants(cJSON *document, const struct lfm_task *task, const struct lfm_variant *reference,
                      const struct lfm_variant *variants, const struct lfm_paired *paired, size_t n_variants)
{
    describe(cJSON_AddObjectToObject(document, "reference"), reference, task->n_items);
    cJSON *list = cJSON_AddArrayToObject(document, "variants");
    for (size_t i = 0; i < n_variants; i++) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddItemToArray(list, object);
        describe(object, &variants[i], task->n_items);
        add_flips(object, "lost", task, reference->right, variants[i].right);
        add_flips(object, "gained", task, variants[i].right, reference->right);
        add_paired(object, &paired[i]);
    }
}
