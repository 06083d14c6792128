/* The results of this program's own engine: see results.h. */
#include "eval/conform/results.h"

#include "reference/base/version.h"

#include <stdint.h>
#include <string.h>

struct computing {
    struct lfm_pack *pack;
    const struct lfm_model *model;
    struct lfm_tokenizer *tokenizer;
    char sequence[64];    /* which one `pass` is of */
    struct lfm_pass pass;
    struct lfm_error *error;
};

static size_t number(const cJSON *row, const char *key, size_t otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(row, key);
    return cJSON_IsNumber(item) && item->valuedouble >= 0 ? (size_t)item->valuedouble : otherwise;
}

/* Runs the row's sequence, unless the row before was of the same. */
static enum lfm_status run_sequence(struct computing *c, const cJSON *row)
{
    const char *name;
    struct lfm_tokens ids;
    LFM_TRY(lfm_json_require_string(row, "sequence", c->pack->path, &name, c->error));
    if (strcmp(name, c->sequence) == 0) return LFM_OK;
    const cJSON *sequence = lfm_pack_sequence(c->pack, name);
    if (!sequence || strlen(name) >= sizeof c->sequence)
        return lfm_fail(c->error, LFM_ERROR_MISMATCH, "'%s': the pack has no sequence '%s'", c->pack->path, name);
    *c->sequence = '\0';
    lfm_pass_release(&c->pass);
    LFM_TRY(lfm_row_read_ids(&ids, sequence, "ids", c->pack->path, c->error));
    enum lfm_status status = lfm_pass_run(&c->pass, c->model, ids.ids, ids.count, 0, c->error);
    lfm_tokens_release(&ids);
    if (status == LFM_OK) strcpy(c->sequence, name);
    return status;
}

static enum lfm_status compute_in_sequence(struct computing *c, enum lfm_conform_section section, const cJSON *row,
                                           cJSON *out)
{
    size_t layer = number(row, "layer", c->pack->n_layers), position = number(row, "position", SIZE_MAX);
    LFM_TRY(run_sequence(c, row));
    if (position >= c->pass.T || layer > c->pass.L || (section == LFM_CONFORM_ROUTER && layer == c->pass.L))
        return lfm_fail(c->error, LFM_ERROR_MISMATCH, "'%s': a case outside its sequence or the model", c->pack->path);
    if (section == LFM_CONFORM_ROUTER) return lfm_row_route(out, &c->pass, layer, position, c->error);
    if (section == LFM_CONFORM_HIDDEN) return lfm_row_hidden(out, &c->pass, layer, position, c->error);
    return lfm_row_logits(out, &c->pass, position, c->error);
}

static enum lfm_status compute_continuation(const struct computing *c, const cJSON *row, cJSON *out)
{
    struct lfm_tokens prompt;
    LFM_TRY(lfm_row_read_ids(&prompt, row, "prompt", c->pack->path, c->error));
    size_t steps = (size_t)cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(row, "ids"));
    enum lfm_status status = lfm_row_continue(out, c->model, prompt.ids, prompt.count, steps, false, c->error);
    lfm_tokens_release(&prompt);
    return status;
}

static enum lfm_status compute(struct computing *c, enum lfm_conform_section section, const cJSON *row, cJSON *out)
{
    switch (section) {
    case LFM_CONFORM_TOKENIZER: return lfm_row_tokenize(out, row, c->tokenizer, c->error);
    case LFM_CONFORM_TEMPLATE: return lfm_row_render(out, row, c->tokenizer, c->error);
    case LFM_CONFORM_GREEDY: return compute_continuation(c, row, out);
    default: return compute_in_sequence(c, section, row, out);
    }
}

/* What was computed as raw text becomes numbers: the row is read back, as one of a file would be. */
static enum lfm_status give(struct computing *c, const cJSON *out)
{
    struct lfm_buffer text = {0};
    cJSON *row = NULL;
    enum lfm_status status = lfm_row_print(&text, out, c->error);
    if (status == LFM_OK) status = lfm_json_parse(&row, text.data, text.length, "a result", c->error);
    if (status == LFM_OK) status = lfm_results_add(c->pack, row, "this program", c->error);
    if (status != LFM_OK) cJSON_Delete(row);
    lfm_buffer_release(&text);
    return status;
}

static enum lfm_status compute_all(struct computing *c)
{
    for (size_t s = 0; s < LFM_CONFORM_N_SECTIONS; s++) {
        enum lfm_conform_section section = (enum lfm_conform_section)s;
        for (size_t i = 0; i < c->pack->sections[s].count; i++) {
            const struct lfm_conform_case *one = &c->pack->sections[s].items[i];
            cJSON *out = lfm_row_new(section, one->id);
            enum lfm_status status = compute(c, section, one->row, out);
            if (status == LFM_OK) status = give(c, out);
            cJSON_Delete(out);
            LFM_TRY(status);
        }
    }
    return LFM_OK;
}

static enum lfm_status check_sizes(const struct lfm_pack *pack, const struct lfm_model *model, struct lfm_error *error)
{
    const struct lfm_config *config = &model->config;
    if (config->vocab_size == pack->vocab_size && config->hidden_size == pack->hidden_size &&
        config->num_hidden_layers == pack->n_layers && config->num_experts == pack->n_experts &&
        config->num_experts_per_tok == pack->n_chosen)
        return LFM_OK;
    return lfm_fail(error, LFM_ERROR_MISMATCH, "'%s' is not the model of the pack '%s': its sizes are others",
                    model->checkpoint->path, pack->path);
}

enum lfm_status lfm_results_compute(struct lfm_pack *pack, const struct lfm_model *model, struct lfm_error *error)
{
    struct computing c = {.pack = pack, .model = model, .error = error};
    LFM_TRY(check_sizes(pack, model, error));
    enum lfm_status status = lfm_tokenizer_open(&c.tokenizer, model->checkpoint, error);
    if (status == LFM_OK) status = compute_all(&c);
    lfm_pass_release(&c.pass);
    lfm_tokenizer_free(c.tokenizer);
    if (status != LFM_OK) return status;
    cJSON *about = cJSON_CreateObject();
    cJSON_AddStringToObject(about, "section", "about");
    cJSON_AddStringToObject(about, "runtime", "lfmscope " LFM_VERSION);
    return lfm_results_add(pack, about, "this program", error);
}
