/* Writing a pack: see pack.h.
 *
 * The model is written twice: with the biases it starts from, and with those that make the near ties. */
#include "eval/conform/checkpoint.h"
#include "eval/conform/pack.h"
#include "eval/conform/pack_files.h"
#include "eval/conform/sequences.h"
#include "reference/base/file.h"
#include "reference/base/hash.h"
#include "reference/base/memory.h"
#include "reference/base/version.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const struct lfm_conform_class lfm_conform_classes[LFM_CONFORM_N_CLASSES] = {
    {"f32", 3e-5, 2.5e-5, 1.5e-4,
     "FP32 throughout. Two orders of summation differ by about 1e-6 of the RMS; 3e-5 leaves room for the depth of the "
     "network and none for a wrong formula (measured: up to 1.2e-5). Router logits of RMS 1.5 that are off by 3e-5 of it "
     "move scores, whose slope is at most 1/4, by 1.1e-5, and two scores towards each other by twice that."},
    {"f16", 5e-2, 5e-3, 1e-1,
     "Intermediate results in FP16, which rounds by up to 2^-11. Three times the largest deviation measured with "
     "transformers in float16, whose margins of changed decisions stayed below 2e-3."},
    {"bf16", 3e-1, 3e-2, 5e-1,
     "Intermediate results in BF16, which rounds by up to 2^-8: eight times FP16's. Measured with transformers in "
     "bfloat16: deviations up to 0.23."},
    {"q8", 4e-1, 6e-2, 8e-1,
     "Inputs of matrix products in 8 bits by blocks of 32, each off by up to 1/254 of the block's largest: coarse for rows "
     "of 64. Measured with this program's --activations q8: deviations up to 0.25, changed decisions up to 0.046."},
};

const struct lfm_conform_class *lfm_conform_class_by_name(const char *name)
{
    for (size_t i = 0; i < LFM_CONFORM_N_CLASSES; i++)
        if (strcmp(lfm_conform_classes[i].name, name) == 0) return &lfm_conform_classes[i];
    return NULL;
}

struct writing {
    const char *directory;
    uint64_t seed;
    char *model_directory;  /* owned */
    cJSON *cases, *manifest; /* owned */
    float *biases;          /* owned: [layers, E] */
    struct lfm_config config;
    struct lfm_model *model;
    struct lfm_tokenizer *tokenizer;
    struct lfm_pack_sequences *sequences; /* owned */
    struct lfm_buffer text[LFM_CONFORM_N_SECTIONS]; /* the sections' files */
    size_t counts[LFM_CONFORM_N_SECTIONS];
    size_t bias_decides, near_ties, beyond; /* decisions */
    double router_squares, logits_squares;
    size_t n_router, n_logits;
    struct lfm_error *error;
};

/* --- the model --- */

static enum lfm_status open_model(struct writing *w)
{
    lfm_model_close(w->model);
    w->model = NULL;
    return lfm_model_open(&w->model, w->model_directory, NULL, w->error);
}

static enum lfm_status make_model(struct writing *w)
{
    size_t E = w->config.num_experts, L = w->config.num_hidden_layers;
    LFM_TRY(LFM_ALLOC(&w->biases, L * E, w->error));
    for (size_t l = w->config.num_dense_layers; l < L; l++) lfm_pack_bias(w->biases + l * E, E, w->seed, l);
    LFM_TRY(lfm_pack_write_directory(w->model_directory, w->seed, w->biases, w->error));
    LFM_TRY(open_model(w));
    LFM_TRY(lfm_pack_make_ties(w->sequences, w->model, w->biases, w->seed, w->error));
    LFM_TRY(lfm_pack_write_directory(w->model_directory, w->seed, w->biases, w->error));
    LFM_TRY(open_model(w));
    LFM_TRY(lfm_tokenizer_open(&w->tokenizer, w->model->checkpoint, w->error));
    return lfm_pack_find_sequences(w->sequences, w->model, w->tokenizer, cJSON_GetObjectItem(w->cases, "texts"), w->seed,
                                   w->error);
}

static enum lfm_status write_gguf(const struct writing *w)
{
    char *path;
    LFM_TRY(lfm_join_path(&path, w->directory, "model.gguf", w->error));
    enum lfm_status status = lfm_pack_write_gguf(path, w->model, w->error);
    free(path);
    return status;
}

/* --- cases --- */

/* Appends the row and deletes it. */
static enum lfm_status take_row(struct writing *w, enum lfm_conform_section section, cJSON *row, enum lfm_status status)
{
    if (status == LFM_OK) status = lfm_row_print(&w->text[section], row, w->error);
    cJSON_Delete(row);
    w->counts[section]++;
    return status;
}

/* The cases of cases.json, with what comes of them. */
static enum lfm_status add_texts(struct writing *w, enum lfm_conform_section section,
                                 enum lfm_status (*add)(cJSON *, const cJSON *, const struct lfm_tokenizer *,
                                                        struct lfm_error *))
{
    const cJSON *item, *field;
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(w->cases, lfm_conform_section_name(section)))
    {
        cJSON *row = lfm_row_new(section, cJSON_GetObjectItem(item, "id")->valuestring);
        cJSON_ArrayForEach(field, item)
            if (strcmp(field->string, "id") != 0) cJSON_AddItemToObject(row, field->string, cJSON_Duplicate(field, true));
        LFM_TRY(take_row(w, section, row, add(row, item, w->tokenizer, w->error)));
    }
    return LFM_OK;
}

static void add_place(cJSON *row, const char *sequence, size_t layer, size_t position, bool with_layer)
{
    cJSON_AddStringToObject(row, "sequence", sequence);
    if (with_layer) cJSON_AddNumberToObject(row, "layer", (double)layer);
    cJSON_AddNumberToObject(row, "position", (double)position);
}

static double sum_of_squares(const float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)x[i] * (double)x[i];
    return sum;
}

static enum lfm_status add_decision(struct writing *w, const struct lfm_pack_sequence *sequence,
                                    const struct lfm_pass *pass, size_t l, size_t t)
{
    char id[64];
    double margin = lfm_pass_margin(pass, w->model, l, t), upstream = lfm_pass_upstream(pass, w->model, l, t);
    bool bias_decides = lfm_pass_bias_decides(pass, l, t), near_tie = margin < 1e-2;
    snprintf(id, sizeof id, "%s/%zu/%zu", sequence->id, l, t);
    cJSON *row = lfm_row_new(LFM_CONFORM_ROUTER, id);
    add_place(row, sequence->id, l, t, true);
    enum lfm_status status = lfm_row_route(row, pass, l, t, w->error);
    lfm_json_add_number(row, "margin", margin);
    lfm_json_add_number(row, "upstream_margin", upstream);
    cJSON_AddBoolToObject(row, "bias_decides", bias_decides);
    cJSON_AddBoolToObject(row, "near_tie", near_tie);
    w->bias_decides += bias_decides;
    w->near_ties += near_tie;
    w->router_squares += sum_of_squares(pass->router_logits + (l * pass->T + t) * pass->E, pass->E);
    w->n_router += pass->E;
    return take_row(w, LFM_CONFORM_ROUTER, row, status);
}

/* The stream after every layer, after the final norm, and the logits. */
static enum lfm_status add_position(struct writing *w, const struct lfm_pack_sequence *sequence,
                                    const struct lfm_pass *pass, size_t t)
{
    char id[64];
    for (size_t l = 0; l <= pass->L; l++) {
        bool final = l == pass->L;
        const char *after = final ? "final norm" : w->config.layer_types[l] == LFM_CONV ? "conv" : "attention";
        if (final) snprintf(id, sizeof id, "%s/final/%zu", sequence->id, t);
        else snprintf(id, sizeof id, "%s/%zu/%zu", sequence->id, l, t);
        cJSON *row = lfm_row_new(LFM_CONFORM_HIDDEN, id);
        add_place(row, sequence->id, l, t, !final);
        cJSON_AddStringToObject(row, "after", after);
        enum lfm_status status = lfm_row_hidden(row, pass, l, t, w->error);
        lfm_json_add_number(row, "upstream_margin", lfm_pass_upstream(pass, w->model, final ? l : l + 1, t));
        LFM_TRY(take_row(w, LFM_CONFORM_HIDDEN, row, status));
    }
    snprintf(id, sizeof id, "%s/%zu", sequence->id, t);
    cJSON *row = lfm_row_new(LFM_CONFORM_LOGITS, id);
    add_place(row, sequence->id, 0, t, false);
    enum lfm_status status = lfm_row_logits(row, pass, t, w->error);
    lfm_json_add_number(row, "upstream_margin", lfm_pass_upstream(pass, w->model, pass->L, t));
    w->logits_squares += sum_of_squares(pass->logits + t * pass->V, pass->V);
    w->n_logits += pass->V;
    return take_row(w, LFM_CONFORM_LOGITS, row, status);
}

static enum lfm_status add_sequence(struct writing *w, const struct lfm_pack_sequence *sequence)
{
    enum { SHORT = 4 };
    struct lfm_pass pass;
    enum lfm_status status = lfm_pass_run(&pass, w->model, sequence->ids, sequence->n, 0, w->error);
    for (size_t t = 0; status == LFM_OK && t < pass.T; t++)
        for (size_t l = w->config.num_dense_layers; status == LFM_OK && l < pass.L; l++)
            status = add_decision(w, sequence, &pass, l, t);
    if (status == LFM_OK && pass.T > SHORT) status = add_position(w, sequence, &pass, 1);
    if (status == LFM_OK && pass.T > SHORT) status = add_position(w, sequence, &pass, pass.T / 2);
    if (status == LFM_OK) status = add_position(w, sequence, &pass, pass.T - 1);
    lfm_pass_release(&pass);
    return status;
}

static enum lfm_status add_cases(struct writing *w)
{
    LFM_TRY(add_texts(w, LFM_CONFORM_TOKENIZER, lfm_row_tokenize));
    LFM_TRY(add_texts(w, LFM_CONFORM_TEMPLATE, lfm_row_render));
    for (size_t i = 0; i < w->sequences->count; i++) LFM_TRY(add_sequence(w, &w->sequences->items[i]));
    for (size_t i = 0; i < LFM_PACK_PROMPTS; i++) {
        const struct lfm_pack_sequence *prompt = &w->sequences->prompts[i];
        cJSON *row = lfm_row_new(LFM_CONFORM_GREEDY, prompt->id);
        enum lfm_status status = lfm_row_add_ids(row, "prompt", prompt->ids, prompt->n, w->error);
        if (status == LFM_OK)
            status = lfm_row_continue(row, w->model, prompt->ids, prompt->n, LFM_PACK_STEPS, true, w->error);
        LFM_TRY(take_row(w, LFM_CONFORM_GREEDY, row, status));
    }
    if (w->bias_decides > 0 && w->near_ties >= LFM_PACK_TIES) return LFM_OK;
    return lfm_fail(w->error, LFM_ERROR_ARGUMENT, "seed %llu gives too few decisions by the bias: choose another --seed",
                    (unsigned long long)w->seed);
}

/* --- files --- */

static enum lfm_status write_text(struct writing *w, const char *name, const void *text, size_t length)
{
    char *path;
    LFM_TRY(lfm_join_path(&path, w->directory, name, w->error));
    enum lfm_status status = lfm_write_file(path, text, length, w->error);
    free(path);
    return status;
}

static enum lfm_status write_sequences(struct writing *w)
{
    struct lfm_buffer text = {0};
    enum lfm_status status = LFM_OK;
    for (size_t i = 0; status == LFM_OK && i < w->sequences->count; i++) {
        const struct lfm_pack_sequence *sequence = &w->sequences->items[i];
        cJSON *row = cJSON_CreateObject();
        cJSON_AddStringToObject(row, "id", sequence->id);
        cJSON_AddStringToObject(row, "about", sequence->about);
        status = lfm_row_add_ids(row, "ids", sequence->ids, sequence->n, w->error);
        if (status == LFM_OK) status = lfm_row_print(&text, row, w->error);
        cJSON_Delete(row);
    }
    if (status == LFM_OK) status = write_text(w, "sequences.jsonl", text.data, text.length);
    lfm_buffer_release(&text);
    return status;
}

static enum lfm_status write_cases(struct writing *w)
{
    for (size_t i = 0; i < LFM_CONFORM_N_SECTIONS; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s.jsonl", lfm_conform_section_name((enum lfm_conform_section)i));
        LFM_TRY(write_text(w, name, w->text[i].data, w->text[i].length));
    }
    struct lfm_span readme = lfm_pack_readme();
    return write_text(w, "README.md", readme.at, readme.length);
}

static enum lfm_status add_file(struct writing *w, cJSON *files, const char *name)
{
    char digest[LFM_SHA256_TEXT], *path;
    struct stat about = {0};
    LFM_TRY(lfm_join_path(&path, w->directory, name, w->error));
    enum lfm_status status = lfm_sha256_file(path, digest, w->error);
    if (status == LFM_OK && stat(path, &about) != 0) status = lfm_fail(w->error, LFM_ERROR_IO, "cannot read '%s'", path);
    free(path);
    LFM_TRY(status);
    cJSON *file = cJSON_CreateObject();
    cJSON_AddStringToObject(file, "path", name);
    cJSON_AddNumberToObject(file, "bytes", (double)about.st_size);
    cJSON_AddStringToObject(file, "sha256", digest);
    cJSON_AddItemToArray(files, file);
    return LFM_OK;
}

static void describe_classes(cJSON *manifest)
{
    cJSON *classes = cJSON_AddObjectToObject(manifest, "classes");
    for (size_t i = 0; i < LFM_CONFORM_N_CLASSES; i++) {
        cJSON *one = cJSON_AddObjectToObject(classes, lfm_conform_classes[i].name);
        cJSON_AddNumberToObject(one, "relative", lfm_conform_classes[i].relative);
        cJSON_AddNumberToObject(one, "margin", lfm_conform_classes[i].margin);
        cJSON_AddNumberToObject(one, "logit", lfm_conform_classes[i].logit);
        cJSON_AddStringToObject(one, "reason", lfm_conform_classes[i].reason);
    }
}

static enum lfm_status describe_biases(struct writing *w, cJSON *manifest)
{
    cJSON *list = cJSON_AddArrayToObject(manifest, "expert_bias");
    size_t E = w->config.num_experts;
    for (size_t l = 0; l < w->config.num_hidden_layers; l++) {
        if (!lfm_layer_is_moe(&w->config, l)) {
            cJSON_AddItemToArray(list, cJSON_CreateNull());
            continue;
        }
        cJSON *row = cJSON_CreateObject();
        LFM_TRY(lfm_row_add_floats(row, "bias", w->biases + l * E, E, w->error));
        cJSON_AddItemToArray(list, cJSON_DetachItemFromObject(row, "bias"));
        cJSON_Delete(row);
    }
    return LFM_OK;
}

static enum lfm_status write_manifest(struct writing *w)
{
    cJSON *manifest = w->manifest = cJSON_CreateObject();
    struct lfm_buffer text = {0};
    cJSON_AddStringToObject(manifest, "format", LFM_PACK_FORMAT);
    cJSON_AddNumberToObject(manifest, "version", LFM_PACK_VERSION);
    cJSON_AddStringToObject(manifest, "program", "lfmscope " LFM_VERSION);
    cJSON_AddNumberToObject(manifest, "seed", (double)w->seed);
    cJSON_AddItemToObject(manifest, "config", lfm_config_json(&w->config));
    LFM_TRY(describe_biases(w, manifest));
    cJSON *cases = cJSON_AddObjectToObject(manifest, "cases");
    for (size_t i = 0; i < LFM_CONFORM_N_SECTIONS; i++)
        cJSON_AddNumberToObject(cases, lfm_conform_section_name((enum lfm_conform_section)i), (double)w->counts[i]);
    cJSON_AddNumberToObject(manifest, "bias_decides", (double)w->bias_decides);
    cJSON_AddNumberToObject(manifest, "near_ties", (double)w->near_ties);
    cJSON_AddNumberToObject(manifest, "router_rms", sqrt(w->router_squares / (double)w->n_router));
    cJSON_AddNumberToObject(manifest, "logits_rms", sqrt(w->logits_squares / (double)w->n_logits));
    describe_classes(manifest);
    cJSON *files = cJSON_AddArrayToObject(manifest, "files");
    for (size_t i = 0; lfm_pack_files[i]; i++)
        if (strcmp(lfm_pack_files[i], LFM_PACK_MANIFEST) != 0) LFM_TRY(add_file(w, files, lfm_pack_files[i]));
    enum lfm_status status = lfm_json_print(&text, manifest, w->error);
    if (status == LFM_OK) status = write_text(w, LFM_PACK_MANIFEST, text.data, text.length);
    lfm_buffer_release(&text);
    return status;
}

/* --- all of it --- */

static enum lfm_status write_pack(struct writing *w)
{
    struct lfm_span cases = lfm_pack_cases();
    LFM_TRY(lfm_json_parse(&w->cases, cases.at, cases.length, "cases.json", w->error));
    LFM_TRY(LFM_ALLOC(&w->sequences, 1, w->error));
    LFM_TRY(lfm_make_directory(w->model_directory, w->error));
    LFM_TRY(make_model(w));
    LFM_TRY(write_gguf(w));
    LFM_TRY(add_cases(w));
    LFM_TRY(write_sequences(w));
    LFM_TRY(write_cases(w));
    if (lfm_interrupted()) return lfm_fail(w->error, LFM_ERROR_STOPPED, "interrupted; nothing was kept");
    return write_manifest(w);
}

/* Removes the files of a pack that was not completed, and the directories when nothing else is in them. */
static void remove_pack(const struct writing *w, bool was_there)
{
    for (size_t i = 0; lfm_pack_files[i]; i++) {
        char *path;
        if (lfm_join_path(&path, w->directory, lfm_pack_files[i], NULL) != LFM_OK) continue;
        unlink(path);
        free(path);
    }
    rmdir(w->model_directory);
    if (!was_there) rmdir(w->directory);
}

static void release(struct writing *w)
{
    for (size_t i = 0; i < LFM_CONFORM_N_SECTIONS; i++) lfm_buffer_release(&w->text[i]);
    lfm_tokenizer_free(w->tokenizer);
    lfm_model_close(w->model);
    cJSON_Delete(w->cases);
    free(w->sequences);
    free(w->biases);
    free(w->model_directory);
}

enum lfm_status lfm_pack_write(cJSON **manifest, const char *directory, uint64_t seed, struct lfm_error *error)
{
    struct writing w = {.directory = directory, .seed = seed, .error = error};
    bool was_there = lfm_is_directory(directory);
    *manifest = NULL;
    lfm_pack_config(&w.config);
    LFM_TRY(lfm_pack_refuse_occupied(directory, error));
    LFM_TRY(lfm_join_path(&w.model_directory, directory, "model", error));
    int threads = omp_get_max_threads(); /* one is faster for a model of this size, and gives the same bits */
    omp_set_num_threads(1);
    enum lfm_status status = write_pack(&w);
    omp_set_num_threads(threads);
    if (status == LFM_OK) *manifest = w.manifest;
    else cJSON_Delete(w.manifest);
    if (status != LFM_OK) remove_pack(&w, was_there);
    release(&w);
    return status;
}
