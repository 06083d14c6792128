/* A page's data as JSON: see view.h and README.md. */
#include "eval/view/pool.h"
#include "eval/view/view.h"

#include "reference/base/page.h"
#include "reference/base/version.h"

#include <string.h>

struct writer {
    struct lfm_buffer *out;
    struct lfm_text_pool messages, tools;
    struct lfm_error *error;
};

static enum lfm_status short_of_memory(struct lfm_error *error)
{
    return lfm_fail(error, LFM_ERROR_MEMORY, "cannot write the page's data: out of memory");
}

/* Takes the item, which may be NULL when memory was short. */
static enum lfm_status put_item(struct writer *writer, cJSON *item)
{
    char *text = item ? cJSON_PrintUnformatted(item) : NULL;
    cJSON_Delete(item);
    if (!text) return short_of_memory(writer->error);
    enum lfm_status status = lfm_page_put_json(writer->out, text, writer->error);
    cJSON_free(text);
    return status;
}

static enum lfm_status put(struct writer *writer, const char *text)
{
    return lfm_buffer_puts(writer->out, text, writer->error);
}

/* --- samples --- */

static enum lfm_status pool_item(struct writer *writer, struct lfm_text_pool *pool, const cJSON *item, size_t *index)
{
    char *text = cJSON_PrintUnformatted(item);
    if (!text) return short_of_memory(writer->error);
    enum lfm_status status = lfm_text_pool_add(pool, text, index, writer->error);
    cJSON_free(text);
    return status;
}

/* Replaces messages and tools, which repeat, by places in the lists at the end of the data. */
static enum lfm_status share_prompt(struct writer *writer, cJSON *sample)
{
    const cJSON *messages = cJSON_GetObjectItemCaseSensitive(sample, "messages"),
                *tools = cJSON_GetObjectItemCaseSensitive(sample, "tools");
    size_t index;
    if (cJSON_IsArray(messages)) {
        cJSON *places = cJSON_CreateArray();
        enum lfm_status status = LFM_OK;
        for (const cJSON *message = messages->child; message && status == LFM_OK; message = message->next) {
            status = pool_item(writer, &writer->messages, message, &index);
            if (status == LFM_OK) cJSON_AddItemToArray(places, cJSON_CreateNumber((double)index));
        }
        cJSON_ReplaceItemInObjectCaseSensitive(sample, "messages", places);
        LFM_TRY(status);
    }
    if (!cJSON_IsArray(tools)) return LFM_OK;
    LFM_TRY(pool_item(writer, &writer->tools, tools, &index));
    cJSON_ReplaceItemInObjectCaseSensitive(sample, "tools", cJSON_CreateNumber((double)index));
    return LFM_OK;
}

/* `text` is what `raw` ends in: then "reasoning" is what stands before it, and `raw` is not said twice. */
static void part_reasoning(cJSON *sample)
{
    const cJSON *raw = cJSON_GetObjectItemCaseSensitive(sample, "raw"),
                *text = cJSON_GetObjectItemCaseSensitive(sample, "text");
    if (!cJSON_IsString(raw) || !cJSON_IsString(text)) return;
    size_t raw_length = strlen(raw->valuestring), length = strlen(text->valuestring);
    if (length > raw_length || strcmp(raw->valuestring + raw_length - length, text->valuestring) != 0) return;
    if (length < raw_length) {
        raw->valuestring[raw_length - length] = '\0';
        cJSON_AddStringToObject(sample, "reasoning", raw->valuestring);
    }
    cJSON_DeleteItemFromObjectCaseSensitive(sample, "raw");
}

static enum lfm_status put_sample(struct writer *writer, const cJSON *sample)
{
    cJSON *copy = cJSON_Duplicate(sample, true);
    if (!copy) return short_of_memory(writer->error);
    enum lfm_status status = share_prompt(writer, copy);
    if (status == LFM_OK) {
        part_reasoning(copy);
        return put_item(writer, copy);
    }
    cJSON_Delete(copy);
    return status;
}

/* --- runs --- */

cJSON *lfm_viewed_notes(const struct lfm_viewed_run *run)
{
    cJSON *notes = cJSON_CreateArray();
    struct lfm_buffer line = {0};
    if (!run->summary)
        cJSON_AddItemToArray(notes, cJSON_CreateString("The run is not finished: it has no summary yet."));
    if (run->samples.torn)
        cJSON_AddItemToArray(notes, cJSON_CreateString("The last line of the log is incomplete and left out."));
    if (run->samples.damaged &&
        lfm_buffer_printf(&line, NULL, "%zu damaged line%s of the log %s left out.", run->samples.damaged,
                          run->samples.damaged == 1 ? "" : "s", run->samples.damaged == 1 ? "is" : "are") == LFM_OK)
        cJSON_AddItemToArray(notes, cJSON_CreateString(line.data));
    lfm_buffer_release(&line);
    return notes;
}

/* The rate over the samples that are there; with several of an item no interval, which the summary has. */
static void add_correct(cJSON *object, const struct lfm_samples *samples)
{
    size_t right = 0;
    bool repeated = false;
    for (size_t i = 0; i < samples->count; i++) {
        right += lfm_sample_correct(samples->items[i]);
        repeated = repeated || lfm_sample_number(samples->items[i]) > 0;
    }
    lfm_add_rate(object, "correct", right, samples->count);
    cJSON *rate = cJSON_GetObjectItemCaseSensitive(object, "correct");
    for (int i = 0; repeated && i < 2; i++) cJSON_DeleteItemFromObjectCaseSensitive(rate, i ? "high" : "low");
}

static cJSON *describe_run(const struct lfm_viewed_run *run)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name", run->name);
    cJSON_AddNumberToObject(object, "source", (double)run->source);
    cJSON_AddItemToObject(object, "about", cJSON_Duplicate(run->about, true));
    cJSON_AddItemToObject(object, "summary", run->summary ? cJSON_Duplicate(run->summary, true) : cJSON_CreateNull());
    cJSON_AddItemToObject(object, "notes", lfm_viewed_notes(run));
    add_correct(object, &run->samples);
    return object;
}

static enum lfm_status put_run(struct writer *writer, const struct lfm_viewed_run *run)
{
    LFM_TRY(put_item(writer, describe_run(run)));
    writer->out->data[--writer->out->length] = '\0'; /* the object goes on */
    LFM_TRY(put(writer, ",\"samples\":["));
    for (size_t i = 0; i < run->samples.count; i++) {
        LFM_TRY(put(writer, i ? ",\n" : "\n"));
        LFM_TRY(put_sample(writer, run->samples.items[i]));
    }
    return put(writer, "]}");
}

static void add_interval(cJSON *object, const char *name, double value, struct lfm_interval interval)
{
    cJSON *figures = cJSON_AddObjectToObject(object, name);
    lfm_json_add_number(figures, "value", value);
    lfm_json_add_number(figures, "low", interval.low);
    lfm_json_add_number(figures, "high", interval.high);
}

cJSON *lfm_viewed_pair_figures(const struct lfm_viewed_pair *pair)
{
    cJSON *object = cJSON_CreateObject();
    const struct lfm_paired *paired = &pair->paired;
    cJSON_AddNumberToObject(object, "first", (double)pair->first);
    cJSON_AddNumberToObject(object, "second", (double)pair->second);
    cJSON_AddNumberToObject(object, "samples", (double)pair->both);
    cJSON_AddNumberToObject(object, "lost", (double)paired->pairs.lost);
    cJSON_AddNumberToObject(object, "gained", (double)paired->pairs.gained);
    if (pair->repeated || pair->both == 0) return object;
    add_interval(object, "difference", paired->difference, paired->interval);
    lfm_json_add_number(object, "mcnemar_exact", paired->exact);
    lfm_json_add_number(object, "mcnemar_mid_p", paired->mid_p);
    if (pair->adjusted) lfm_json_add_number(object, "holm", paired->holm);
    return object;
}

static enum lfm_status put_texts(struct writer *writer, const char *name, const struct lfm_text_pool *pool)
{
    LFM_TRY(lfm_buffer_printf(writer->out, writer->error, ",\"%s\":[", name));
    for (size_t i = 0; i < pool->count; i++) {
        LFM_TRY(put(writer, i ? ",\n" : "\n"));
        LFM_TRY(lfm_page_put_json(writer->out, pool->texts[i], writer->error));
    }
    return put(writer, "]");
}

static enum lfm_status put_data(struct writer *writer, const struct lfm_view *view)
{
    LFM_TRY(put(writer, "{\"schema\":\"lfmscope-view\",\"version\":\"" LFM_VERSION "\",\"runs\":["));
    for (size_t i = 0; i < view->count; i++) {
        LFM_TRY(put(writer, i ? ",\n" : "\n"));
        LFM_TRY(put_run(writer, &view->runs[i]));
    }
    LFM_TRY(put(writer, "],\"pairs\":["));
    for (size_t i = 0; i < view->n_pairs; i++) {
        LFM_TRY(put(writer, i ? ",\n" : "\n"));
        LFM_TRY(put_item(writer, lfm_viewed_pair_figures(&view->pairs[i])));
    }
    LFM_TRY(put(writer, "]"));
    LFM_TRY(put_texts(writer, "messages", &writer->messages));
    LFM_TRY(put_texts(writer, "tools", &writer->tools));
    return put(writer, "}");
}

enum lfm_status lfm_view_data(struct lfm_buffer *out, const struct lfm_view *view, struct lfm_error *error)
{
    struct writer writer = {.out = out, .error = error};
    enum lfm_status status = put_data(&writer, view);
    lfm_text_pool_release(&writer.messages);
    lfm_text_pool_release(&writer.tools);
    return status;
}
