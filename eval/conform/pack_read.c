/* Reading a pack: see pack.h. */
#include "eval/conform/pack.h"
#include "eval/conform/pack_files.h"
#include "eval/text/json_lines.h"
#include "reference/base/file.h"
#include "reference/base/hash.h"
#include "reference/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum lfm_status check_version(const struct lfm_pack *pack, const char *path, struct lfm_error *error)
{
    const char *format;
    size_t version;
    LFM_TRY(lfm_json_require_string(pack->manifest, "format", path, &format, error));
    LFM_TRY(lfm_json_require_size(pack->manifest, "version", path, &version, error));
    if (strcmp(format, LFM_PACK_FORMAT) != 0)
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: the format is '%s', expected '%s'", path, format, LFM_PACK_FORMAT);
    if (version != LFM_PACK_VERSION)
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: a pack of version %zu, expected %d", path, version, LFM_PACK_VERSION);
    return LFM_OK;
}

static const char *digest_of(const cJSON *manifest, const char *name)
{
    const cJSON *file;
    cJSON_ArrayForEach(file, cJSON_GetObjectItemCaseSensitive(manifest, "files"))
    {
        const char *path = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(file, "path"));
        if (path && strcmp(path, name) == 0)
            return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(file, "sha256"));
    }
    return NULL;
}

static enum lfm_status check_file(const struct lfm_pack *pack, const char *name, struct lfm_error *error)
{
    char found[LFM_SHA256_TEXT], *path;
    const char *expected = digest_of(pack->manifest, name);
    if (!expected)
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s/%s: no SHA-256 of '%s'", pack->path, LFM_PACK_MANIFEST, name);
    LFM_TRY(lfm_join_path(&path, pack->path, name, error));
    enum lfm_status status = lfm_sha256_file(path, found, error);
    if (status == LFM_OK && strcmp(found, expected) != 0)
        status = lfm_fail(error, LFM_ERROR_MISMATCH, "'%s' is not the file of the pack: its SHA-256 differs from the manifest's",
                          path);
    free(path);
    return status;
}

static enum lfm_status read_sizes(struct lfm_pack *pack, const char *path, struct lfm_error *error)
{
    const cJSON *config = cJSON_GetObjectItemCaseSensitive(pack->manifest, "config");
    LFM_TRY(lfm_json_require_size(config, "num_hidden_layers", path, &pack->n_layers, error));
    LFM_TRY(lfm_json_require_size(config, "num_experts", path, &pack->n_experts, error));
    LFM_TRY(lfm_json_require_size(config, "num_experts_per_tok", path, &pack->n_chosen, error));
    LFM_TRY(lfm_json_require_size(config, "hidden_size", path, &pack->hidden_size, error));
    LFM_TRY(lfm_json_require_size(config, "vocab_size", path, &pack->vocab_size, error));
    LFM_TRY(lfm_json_require_double(pack->manifest, "router_rms", path, &pack->router_rms, error));
    LFM_TRY(lfm_json_require_double(pack->manifest, "logits_rms", path, &pack->logits_rms, error));
    pack->biases = cJSON_GetObjectItemCaseSensitive(pack->manifest, "expert_bias");
    bool sane = pack->n_experts > 0 && pack->n_experts <= LFM_MAX_EXPERTS && pack->n_chosen <= pack->n_experts;
    if (sane && (size_t)cJSON_GetArraySize(pack->biases) == pack->n_layers) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_FORMAT, "%s: experts, layers and 'expert_bias' contradict each other", path);
}

static enum lfm_status read_manifest(struct lfm_pack *pack, struct lfm_error *error)
{
    char *path;
    LFM_TRY(lfm_join_path(&path, pack->path, LFM_PACK_MANIFEST, error));
    enum lfm_status status =
        lfm_file_exists(path) ? lfm_json_parse_file(&pack->manifest, path, error)
                              : lfm_fail(error, LFM_ERROR_IO, "'%s' is no conformance pack: it has no %s", pack->path,
                                         LFM_PACK_MANIFEST);
    if (status == LFM_OK) status = check_version(pack, path, error);
    if (status == LFM_OK) status = read_sizes(pack, path, error);
    free(path);
    return status;
}

/* --- cases --- */

struct reading {
    struct lfm_pack *pack;
    enum lfm_conform_section section;
};

static bool has_array(const cJSON *row, const char *key, size_t length)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(row, key);
    return cJSON_IsArray(list) && (length == 0 || (size_t)cJSON_GetArraySize(list) == length);
}

static bool has_text(const cJSON *row, const char *key)
{
    return cJSON_IsString(cJSON_GetObjectItemCaseSensitive(row, key));
}

/* Every expert is one. */
static bool has_experts(const struct lfm_pack *pack, const cJSON *row)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(row, "selected"))
        if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble < (double)pack->n_experts)) return false;
    return has_array(row, "selected", pack->n_chosen);
}

/* Every step has pairs of numbers. */
static bool has_pairs(const cJSON *row, size_t steps)
{
    const cJSON *step, *pair;
    cJSON_ArrayForEach(step, cJSON_GetObjectItemCaseSensitive(row, "top"))
        cJSON_ArrayForEach(pair, step)
            if (cJSON_GetArraySize(pair) != 2 || !cJSON_IsNumber(pair->child) || !cJSON_IsNumber(pair->child->next))
                return false;
    return has_array(row, "top", steps);
}

static bool is_complete(const struct lfm_pack *pack, enum lfm_conform_section section, const cJSON *row)
{
    switch (section) {
    case LFM_CONFORM_TOKENIZER: return has_array(row, "ids", 0) && has_text(row, "text");
    case LFM_CONFORM_TEMPLATE:
        return has_array(row, "ids", 0) && has_array(row, "messages", 0) && has_text(row, "text");
    case LFM_CONFORM_ROUTER:
        return has_array(row, "logits", pack->n_experts) && has_experts(pack, row) &&
               has_array(row, "weights", pack->n_chosen) && cJSON_GetObjectItemCaseSensitive(row, "layer");
    case LFM_CONFORM_HIDDEN: return has_array(row, "values", pack->hidden_size);
    case LFM_CONFORM_LOGITS: return has_array(row, "values", pack->vocab_size);
    case LFM_CONFORM_GREEDY: {
        size_t steps = (size_t)cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(row, "ids"));
        return steps > 0 && has_array(row, "prompt", 0) && has_array(row, "margins", steps) &&
               has_array(row, "upstream_margins", steps) && has_pairs(row, steps);
    }
    case LFM_CONFORM_N_SECTIONS: break;
    }
    return false;
}

static enum lfm_status take_case(void *context, cJSON *row, const char *name, struct lfm_error *error)
{
    struct reading *reading = context;
    struct lfm_conform_cases *cases = &reading->pack->sections[reading->section];
    const char *id;
    LFM_TRY(lfm_json_require_string(row, "id", name, &id, error));
    if (!is_complete(reading->pack, reading->section, row))
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s: not a whole %s case", name,
                        lfm_conform_section_name(reading->section));
    LFM_TRY(LFM_GROW(&cases->items, &cases->capacity, cases->count + 1, error));
    cases->items[cases->count++] = (struct lfm_conform_case){.row = row, .id = id};
    return LFM_OK;
}

static enum lfm_status take_sequence(void *context, cJSON *row, const char *name, struct lfm_error *error)
{
    struct lfm_pack *pack = context;
    const char *id;
    LFM_TRY(lfm_json_require_string(row, "id", name, &id, error));
    if (!has_array(row, "ids", 0)) return lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'ids' must be an array", name);
    cJSON_AddItemToArray(pack->sequences, row);
    return LFM_OK;
}

static enum lfm_status read_lines(struct lfm_pack *pack, const char *name, void *context,
                                  enum lfm_status (*take)(void *, cJSON *, const char *, struct lfm_error *),
                                  struct lfm_error *error)
{
    char *path;
    LFM_TRY(lfm_join_path(&path, pack->path, name, error));
    enum lfm_status status = lfm_each_json_line(path, take, context, error);
    free(path);
    return status;
}

static enum lfm_status read_pack(struct lfm_pack *pack, const char *path, struct lfm_error *error)
{
    LFM_TRY(lfm_copy_string(&pack->path, path, strlen(path), error));
    pack->sequences = cJSON_CreateArray();
    LFM_TRY(read_manifest(pack, error));
    for (size_t i = 0; lfm_pack_files[i]; i++)
        if (strcmp(lfm_pack_files[i], LFM_PACK_MANIFEST) != 0) LFM_TRY(check_file(pack, lfm_pack_files[i], error));
    LFM_TRY(read_lines(pack, "sequences.jsonl", pack, take_sequence, error));
    for (size_t i = 0; i < LFM_CONFORM_N_SECTIONS; i++) {
        struct reading reading = {pack, (enum lfm_conform_section)i};
        char name[32];
        snprintf(name, sizeof name, "%s.jsonl", lfm_conform_section_name(reading.section));
        LFM_TRY(read_lines(pack, name, &reading, take_case, error));
    }
    return LFM_OK;
}

enum lfm_status lfm_pack_open(struct lfm_pack *pack, const char *path, struct lfm_error *error)
{
    *pack = (struct lfm_pack){0};
    enum lfm_status status = read_pack(pack, path, error);
    if (status != LFM_OK) lfm_pack_close(pack);
    return status;
}

void lfm_pack_close(struct lfm_pack *pack)
{
    for (size_t s = 0; s < LFM_CONFORM_N_SECTIONS; s++) {
        for (size_t i = 0; i < pack->sections[s].count; i++) {
            cJSON_Delete(pack->sections[s].items[i].row);
            cJSON_Delete(pack->sections[s].items[i].given);
            free(pack->sections[s].items[i].place);
        }
        free(pack->sections[s].items);
    }
    cJSON_Delete(pack->manifest);
    cJSON_Delete(pack->sequences);
    cJSON_Delete(pack->about);
    free(pack->path);
    *pack = (struct lfm_pack){0};
}

const cJSON *lfm_pack_sequence(const struct lfm_pack *pack, const char *id)
{
    const cJSON *sequence;
    cJSON_ArrayForEach(sequence, pack->sequences)
    {
        if (strcmp(cJSON_GetObjectItemCaseSensitive(sequence, "id")->valuestring, id) == 0)
            return sequence;
    }
    return NULL;
}
