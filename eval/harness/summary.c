/* What a finished run amounts to: see lfm_task_summarise in runner.h. */
#include "eval/harness/runner.h"
#include "eval/harness/verdicts.h"

#include <math.h>
#include <string.h>

static cJSON *add_figures(cJSON *object, const char *name, double accuracy, size_t right, size_t n,
                          struct lfm_interval interval)
{
    cJSON *rate = cJSON_AddObjectToObject(object, name);
    lfm_json_add_number(rate, "accuracy", accuracy);
    cJSON_AddNumberToObject(rate, "right", (double)right);
    cJSON_AddNumberToObject(rate, "n", (double)n);
    lfm_json_add_number(rate, "low", interval.low);
    lfm_json_add_number(rate, "high", interval.high);
    return rate;
}

static double share(size_t right, size_t n)
{
    return n ? (double)right / (double)n : NAN;
}

void lfm_add_clusters(cJSON *rate, const struct lfm_clusters *clusters)
{
    if (clusters->n == clusters->clusters) return;
    lfm_json_add_number(rate, "stderr", lfm_clustered_stderr(clusters));
    cJSON_AddNumberToObject(rate, "clusters", (double)clusters->clusters);
}

void lfm_add_rate(cJSON *object, const char *name, size_t right, size_t n)
{
    add_figures(object, name, share(right, n), right, n, lfm_wilson(right, n, 0.95));
}

void lfm_add_clustered_rate(cJSON *object, const char *name, const struct lfm_clusters *clusters)
{
    lfm_add_rate(object, name, clusters->right, clusters->n);
    lfm_add_clusters(cJSON_GetObjectItemCaseSensitive(object, name), clusters);
}

static size_t right_of_item(const struct lfm_task *task, cJSON *const *table, size_t item)
{
    size_t right = 0;
    for (size_t s = 0; s < task->samples; s++) right += lfm_sample_correct(table[item * task->samples + s]);
    return right;
}

/* Samples of one item are not independent. The interval takes the items as all there is to know, which is never too
 * narrow: Wilson's of that rate in as many trials as there are
 * items. */
static void add_correct(cJSON *summary, const struct lfm_task *task, cJSON *const *table)
{
    struct lfm_clusters items = {0};
    for (size_t i = 0; i < task->n_items; i++) lfm_clusters_add(&items, right_of_item(task, table, i), task->samples);
    struct lfm_interval interval = lfm_wilson_mean((double)items.right / (double)task->samples, task->n_items, 0.95);
    cJSON *rate = add_figures(summary, "correct", share(items.right, items.n), items.right, items.n, interval);
    lfm_add_clusters(rate, &items);
}

/* pass@k and pass^k, means over the items. */
static void add_passes(cJSON *summary, const struct lfm_task *task, cJSON *const *table)
{
    cJSON *list = cJSON_AddArrayToObject(summary, "pass");
    for (size_t k = 1; k <= task->samples; k++) {
        double any = 0, all = 0;
        for (size_t i = 0; i < task->n_items; i++) {
            size_t right = right_of_item(task, table, i);
            any += lfm_pass_at_k(task->samples, right, k);
            all += lfm_pass_all_k(task->samples, right, k);
        }
        cJSON *row = cJSON_CreateObject();
        cJSON_AddNumberToObject(row, "k", (double)k);
        lfm_json_add_number(row, "at_least_one", any / (double)task->n_items);
        lfm_json_add_number(row, "all", all / (double)task->n_items);
        cJSON_AddItemToArray(list, row);
    }
}

static double number_of(const cJSON *sample, const char *key)
{
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(sample, key);
    return cJSON_IsNumber(number) ? number->valuedouble : 0;
}

static void add_counts(cJSON *summary, cJSON *const *table, size_t n)
{
    size_t finishes[LFM_N_FINISHES] = {0};
    double prompt_tokens = 0, generated_tokens = 0;
    for (size_t i = 0; i < n; i++) {
        const char *name = cJSON_GetObjectItemCaseSensitive(table[i], "finish")->valuestring;
        for (int finish = 0; finish < LFM_N_FINISHES; finish++)
            finishes[finish] += strcmp(name, lfm_finish_name((enum lfm_finish)finish)) == 0;
        prompt_tokens += number_of(table[i], "prompt_tokens");
        generated_tokens += number_of(table[i], "generated_tokens");
    }
    cJSON *counts = cJSON_AddObjectToObject(summary, "finish");
    for (int finish = 0; finish < LFM_N_FINISHES; finish++)
        cJSON_AddNumberToObject(counts, lfm_finish_name((enum lfm_finish)finish), (double)finishes[finish]);
    lfm_json_add_number(summary, "prompt_tokens", prompt_tokens);
    lfm_json_add_number(summary, "generated_tokens", generated_tokens);
}

enum lfm_status lfm_task_summarise(const struct lfm_task *task, cJSON *const *table, cJSON *summary,
                                   struct lfm_error *error)
{
    size_t n = task->n_items * task->samples;
    cJSON_AddNumberToObject(summary, "items", (double)task->n_items);
    cJSON_AddNumberToObject(summary, "samples_per_item", (double)task->samples);
    add_correct(summary, task, table);
    if (task->samples > 1) add_passes(summary, task, table);
    add_counts(summary, table, n);
    return task->suite->summarise(task->data, table, n, summary, error);
}

static void copy_member(cJSON *to, const cJSON *from, const char *key)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(from, key);
    if (member) cJSON_AddItemToObject(to, key, cJSON_Duplicate(member, true));
}

enum lfm_status lfm_run_summary(cJSON **summary, const cJSON *description, const struct lfm_task *task,
                                cJSON *const *table, struct lfm_error *error)
{
    static const char *const keys[] = {"suite", "model",    "endpoint", "weights",         "activations",
                                       "kv",    "scale",    "variant",  "bits_per_weight", "ids",
                                       "limit", "excluded"};
    const cJSON *command = cJSON_GetObjectItemCaseSensitive(description, "repeats");
    *summary = cJSON_CreateObject();
    cJSON_AddStringToObject(*summary, "schema", "lfmscope-eval");
    copy_member(*summary, description, "version");
    if (command) cJSON_AddItemToObject(*summary, "command", cJSON_Duplicate(command, true));
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) copy_member(*summary, description, keys[i]);
    enum lfm_status status = lfm_task_summarise(task, table, *summary, error);
    if (status == LFM_OK) return LFM_OK;
    cJSON_Delete(*summary);
    *summary = NULL;
    return status;
}
