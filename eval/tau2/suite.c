/* tau2 as a suite: see suite.h. */
#include "eval/tau2/suite.h"

#include "eval/harness/runner.h"
#include "eval/tau2/dialogue.h"
#include "quant/statistics.h"
#include "reference/base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void close_suite(void *suite)
{
    lfm_tau2_close(suite);
    free(suite);
}

/* A user that is a model is not there yet: without a script nobody would answer. */
static enum lfm_status check_scripts(const struct lfm_tau2_data *data, struct lfm_error *error)
{
    for (size_t i = 0; i < data->n_tasks; i++)
        if (data->tasks[i].n_turns == 0)
            return lfm_fail(error, LFM_ERROR_ARGUMENT,
                            "task '%s' has no scripted user, and simulated users are not supported: name a directory "
                            "whose tasks have 'scripted_user'",
                            data->tasks[i].id);
    return LFM_OK;
}

static enum lfm_status open_suite(void **suite, const char *directory, struct lfm_error *error)
{
    struct lfm_tau2_data *data;
    LFM_TRY(LFM_ALLOC(&data, 1, error));
    enum lfm_status status = lfm_tau2_open(data, directory, error);
    if (status == LFM_OK) status = check_scripts(data, error);
    if (status != LFM_OK)
        close_suite(data);
    else
        *suite = data;
    return status;
}

static size_t count(const void *suite)
{
    return ((const struct lfm_tau2_data *)suite)->n_tasks;
}

static const char *id(const void *suite, size_t item)
{
    return ((const struct lfm_tau2_data *)suite)->tasks[item].id;
}

static enum lfm_status start(void **dialogue, const void *suite, size_t item, struct lfm_error *error)
{
    return lfm_tau2_dialogue_new((struct lfm_tau2_dialogue **)dialogue,
                                 &((const struct lfm_tau2_data *)suite)->tasks[item], error);
}

static enum lfm_status next(void *dialogue, const struct lfm_reply *reply, struct lfm_request *request, bool *done,
                            struct lfm_error *error)
{
    return lfm_tau2_dialogue_next(dialogue, reply, request, done, error);
}

static void finish(void *dialogue)
{
    lfm_tau2_dialogue_free(dialogue);
}

static enum lfm_status verdict(const void *dialogue, cJSON *out, struct lfm_error *error)
{
    return lfm_tau2_dialogue_verdict(dialogue, out, error);
}

/* --- figures --- */

/* What the figures are made of, one sample. */
struct outcome {
    const struct lfm_tau2_task *task;
    uint32_t cluster; /* of its template; a task without one is a cluster of its own */
    bool correct, db_match;
    double reward, steps;
    const char *termination;
};

struct table {
    struct outcome *rows;
    size_t n;
};

static enum lfm_status read_outcome(struct outcome *out, const struct lfm_tau2_data *data, const cJSON *sample,
                                    struct lfm_error *error)
{
    const cJSON *object = cJSON_GetObjectItemCaseSensitive(sample, "verdict");
    const char *name = "samples.jsonl";
    LFM_TRY(lfm_json_require_string(sample, "id", name, &name, error));
    out->task = lfm_tau2_find(data, name);
    if (!out->task) return lfm_fail(error, LFM_ERROR_FORMAT, "samples.jsonl: there is no task '%s'", name);
    LFM_TRY(lfm_json_require_double(object, "reward", name, &out->reward, error));
    LFM_TRY(lfm_json_require_double(object, "steps", name, &out->steps, error));
    LFM_TRY(lfm_json_require_string(object, "termination", name, &out->termination, error));
    out->correct = lfm_sample_correct(sample);
    out->db_match = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, "db_match"));
    return LFM_OK;
}

/* Two tasks that share domain and template. */
static bool alike(const struct lfm_tau2_task *a, const struct lfm_tau2_task *b)
{
    if (a == b) return true;
    return a->world == b->world && a->template_name && b->template_name &&
           strcmp(a->template_name, b->template_name) == 0;
}

static int by_cluster(const void *a, const void *b)
{
    uint32_t left = ((const struct outcome *)a)->cluster, right = ((const struct outcome *)b)->cluster;
    return (left > right) - (left < right);
}

/* Numbers the clusters and brings each together. */
static void make_clusters(struct table *table)
{
    for (size_t i = 0; i < table->n; i++) {
        size_t first = 0;
        while (!alike(table->rows[first].task, table->rows[i].task)) first++;
        table->rows[i].cluster = (uint32_t)first;
    }
    qsort(table->rows, table->n, sizeof *table->rows, by_cluster);
}

/* How many databases ended as they should, by cluster. */
static struct lfm_clusters count_matches(const struct table *table)
{
    struct lfm_clusters matches = {0};
    for (size_t i = 0, end; i < table->n; i = end) {
        size_t right = 0;
        for (end = i; end < table->n && table->rows[end].cluster == table->rows[i].cluster; end++)
            right += table->rows[end].db_match;
        lfm_clusters_add(&matches, right, end - i);
    }
    return matches;
}

/* Mean reward of the rows of one domain (NULL: all) with its clustered error. */
static enum lfm_status add_reward(cJSON *object, const struct table *table, const struct lfm_tau2_world *world,
                                  struct lfm_error *error)
{
    double *values = NULL;
    uint32_t *clusters = NULL;
    size_t n = 0, n_clusters = 0;
    enum lfm_status status = LFM_ALLOC(&values, table->n, error);
    if (status == LFM_OK) status = LFM_ALLOC(&clusters, table->n, error);
    for (size_t i = 0; status == LFM_OK && i < table->n; i++) {
        if (world && table->rows[i].task->world != world) continue;
        n_clusters += n == 0 || clusters[n - 1] != table->rows[i].cluster;
        values[n] = table->rows[i].reward;
        clusters[n++] = table->rows[i].cluster;
    }
    if (status == LFM_OK) {
        struct lfm_estimate estimate = lfm_clustered_mean(values, clusters, n);
        cJSON_AddNumberToObject(object, "n", (double)n);
        cJSON_AddNumberToObject(object, "clusters", (double)n_clusters);
        lfm_json_add_number(object, "mean", estimate.mean);
        lfm_json_add_number(object, "stderr", estimate.error);
    }
    free(values);
    free(clusters);
    return status;
}

static enum lfm_status add_domains(cJSON *summary, const struct lfm_tau2_data *data, const struct table *table,
                                   struct lfm_error *error)
{
    cJSON *list = cJSON_AddArrayToObject(summary, "domains");
    for (size_t w = 0; w < data->n_worlds; w++) {
        bool any = false;
        for (size_t i = 0; i < table->n; i++) any = any || table->rows[i].task->world == &data->worlds[w];
        if (!any) continue;
        cJSON *row = cJSON_CreateObject();
        cJSON_AddItemToArray(list, row);
        cJSON_AddStringToObject(row, "name", data->worlds[w].domain->name);
        LFM_TRY(add_reward(row, table, &data->worlds[w], error));
    }
    return LFM_OK;
}

static void add_templates(cJSON *summary, const struct table *table)
{
    cJSON *list = cJSON_AddArrayToObject(summary, "templates");
    for (size_t i = 0, end; i < table->n; i = end) {
        size_t right = 0;
        for (end = i; end < table->n && table->rows[end].cluster == table->rows[i].cluster; end++)
            right += table->rows[end].correct;
        const struct lfm_tau2_task *task = table->rows[i].task;
        if (!task->template_name) continue;
        cJSON *row = cJSON_CreateObject();
        cJSON_AddItemToArray(list, row);
        cJSON_AddStringToObject(row, "domain", task->world->domain->name);
        cJSON_AddStringToObject(row, "name", task->template_name);
        cJSON_AddNumberToObject(row, "right", (double)right);
        cJSON_AddNumberToObject(row, "n", (double)(end - i));
    }
}

static void add_terminations(cJSON *summary, const struct table *table)
{
    cJSON *object = cJSON_AddObjectToObject(summary, "terminations");
    for (int termination = LFM_TAU2_USER_STOP; termination < LFM_TAU2_TERMINATIONS; termination++) {
        const char *name = lfm_tau2_termination_name((enum lfm_tau2_termination)termination);
        size_t n = 0;
        for (size_t i = 0; i < table->n; i++) n += strcmp(table->rows[i].termination, name) == 0;
        cJSON_AddNumberToObject(object, name, (double)n);
    }
}

static enum lfm_status add_figures(cJSON *summary, const struct lfm_tau2_data *data, struct table *table,
                                   struct lfm_error *error)
{
    double steps = 0;
    for (size_t i = 0; i < table->n; i++) steps += table->rows[i].steps;
    make_clusters(table);
    const struct lfm_clusters matches = count_matches(table);
    lfm_add_clustered_rate(summary, "db_match", &matches);
    LFM_TRY(add_reward(cJSON_AddObjectToObject(summary, "reward"), table, NULL, error));
    LFM_TRY(add_domains(summary, data, table, error));
    add_templates(summary, table);
    add_terminations(summary, table);
    lfm_json_add_number(summary, "steps_mean", steps / (double)table->n);
    return LFM_OK;
}

static enum lfm_status summarise(const void *suite, cJSON *const *samples, size_t n, cJSON *summary,
                                 struct lfm_error *error)
{
    struct table table = {.n = n};
    LFM_TRY(LFM_ALLOC(&table.rows, n, error));
    enum lfm_status status = LFM_OK;
    for (size_t i = 0; i < n && status == LFM_OK; i++) status = read_outcome(&table.rows[i], suite, samples[i], error);
    if (status == LFM_OK) status = add_figures(summary, suite, &table, error);
    free(table.rows);
    return status;
}

const struct lfm_suite lfm_tau2_suite = {
    .name = "tau2",
    .summary = "conversations with a user and tools over a database (tau2-bench); --data is a directory of domains",
    .open = open_suite,
    .close = close_suite,
    .count = count,
    .id = id,
    .start = start,
    .next = next,
    .finish = finish,
    .verdict = verdict,
    .summarise = summarise,
};
