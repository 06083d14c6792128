/* Reading a tokenizer from a Hugging Face directory: tokenizer.json, and beside it tokenizer_config.json (special
 * tokens, chat template), chat_template.jinja and generation_config.json. See tokenizer_parts.h. */
#include "reference/base/file.h"
#include "reference/base/memory.h"
#include "reference/model/tokenizer_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    struct lfm_tokenizer *tokenizer;
    const char *directory;
    const char *name;         /* path of tokenizer.json */
    const cJSON *model_config; /* config.json, or NULL */
    cJSON *document;          /* tokenizer.json */
    cJSON *config;            /* tokenizer_config.json, or NULL */
    cJSON *generation;        /* generation_config.json, or NULL */
    const cJSON **entries;    /* what names each id: an item of the vocabulary or of added_tokens */
    size_t n_ids;
    const char *patterns[LFM_MAX_SPLIT_STEPS]; /* of the pre-tokenizer, for its GGUF name */
    size_t n_patterns;
    bool named;               /* nothing but isolated patterns so far: GGUF may have a name */
    struct lfm_error *error;
};

static const cJSON *get(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNull(item) ? NULL : item;
}

static const char *get_string(const cJSON *object, const char *key)
{
    return cJSON_GetStringValue(get(object, key));
}

static bool get_flag(const cJSON *object, const char *key, bool fallback)
{
    const cJSON *item = get(object, key);
    return cJSON_IsBool(item) ? cJSON_IsTrue(item) : fallback;
}

/* --- vocabulary --- */

static bool valid_id(const cJSON *item, size_t *id)
{
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) || item->valuedouble >= LFM_MAX_VOCABULARY) return false;
    *id = (size_t)item->valuedouble;
    return (double)*id == item->valuedouble;
}

static enum lfm_status note_entry(struct reader *r, const cJSON *id_item, const cJSON *entry, const char *text)
{
    size_t id;
    if (!valid_id(id_item, &id))
        return lfm_fail(r->error, LFM_ERROR_FORMAT, "%s: the id of token '%.64s' must be a whole number below %d",
                        r->name, text, LFM_MAX_VOCABULARY);
    r->entries[id] = entry;
    if (id >= r->n_ids) r->n_ids = id + 1;
    return LFM_OK;
}

static enum lfm_status collect_entries(struct reader *r, const cJSON *vocabulary, const cJSON *added)
{
    LFM_TRY(LFM_ALLOC(&r->entries, LFM_MAX_VOCABULARY, r->error));
    const cJSON *item;
    cJSON_ArrayForEach(item, vocabulary) LFM_TRY(note_entry(r, item, item, item->string));
    cJSON_ArrayForEach(item, added)
    {
        const char *content = get_string(item, "content");
        if (!content || !*content)
            return lfm_fail(r->error, LFM_ERROR_FORMAT, "%s: an added token has no content", r->name);
        LFM_TRY(note_entry(r, get(item, "id"), item, content));
    }
    if (r->n_ids == 0) return lfm_fail(r->error, LFM_ERROR_FORMAT, "%s: the vocabulary is empty", r->name);
    /* The model may have more rows than the tokenizer names. */
    size_t rows;
    if (valid_id(get(r->model_config, "vocab_size"), &rows) && rows > r->n_ids) r->n_ids = rows;
    return LFM_OK;
}

static bool is_added(const cJSON *entry)
{
    return cJSON_IsObject(entry);
}

static enum lfm_status read_texts(struct reader *r)
{
    struct lfm_tokenizer *t = r->tokenizer;
    LFM_TRY(LFM_ALLOC(&t->types, r->n_ids, r->error));
    for (size_t id = 0; id < r->n_ids; id++) {
        const cJSON *entry = r->entries[id];
        char unused[32];
        const char *text = unused;
        if (!entry) {
            snprintf(unused, sizeof unused, "[PAD%zu]", id);
            t->types[id] = LFM_TOKEN_UNUSED;
        } else if (is_added(entry)) {
            text = get_string(entry, "content");
            t->types[id] = get_flag(entry, "special", false) ? LFM_TOKEN_CONTROL : LFM_TOKEN_USER;
        } else {
            text = entry->string;
            t->types[id] = LFM_TOKEN_NORMAL;
        }
        LFM_TRY(lfm_texts_append(&t->texts, text, strlen(text), r->error));
    }
    return lfm_tokenizer_finish_texts(t, r->error);
}

static enum lfm_status read_added(struct reader *r)
{
    struct lfm_tokenizer *t = r->tokenizer;
    for (size_t id = 0; id < r->n_ids; id++) {
        const cJSON *entry = r->entries[id];
        if (!entry || !is_added(entry)) continue;
        if (get_flag(entry, "single_word", false))
            return lfm_fail(r->error, LFM_ERROR_FORMAT,
                            "%s: added token '%.64s' is 'single_word', which is not supported", r->name,
                            t->texts.items[id]);
        const struct lfm_added_token token = {
            .id = (int32_t)id,
            .text = t->texts.items[id],
            .length = t->texts.lengths[id],
            .special = t->types[id] == LFM_TOKEN_CONTROL,
            .normalized = get_flag(entry, "normalized", false),
            .strip_left = get_flag(entry, "lstrip", false),
            .strip_right = get_flag(entry, "rstrip", false),
        };
        LFM_TRY(lfm_added_append(&t->added, &token, r->error));
    }
    lfm_added_sort(&t->added);
    return LFM_OK;
}

/* --- merges --- */

static enum lfm_status split_merge(struct reader *r, const cJSON *item, const char **left, size_t *left_length,
                                   const char **right, size_t *right_length)
{
    const char *text = cJSON_GetStringValue(item), *space = text ? strchr(text, ' ') : NULL;
    if (space) {
        *left = text;
        *left_length = (size_t)(space - text);
        *right = space + 1;
        *right_length = strlen(space + 1);
        return LFM_OK;
    }
    *left = cJSON_GetStringValue(cJSON_GetArrayItem(item, 0));
    *right = cJSON_GetStringValue(cJSON_GetArrayItem(item, 1));
    if (!*left || !*right || cJSON_GetArraySize(item) != 2)
        return lfm_fail(r->error, LFM_ERROR_FORMAT, "%s: merge %zu must be \"left right\" or [left, right]", r->name,
                        r->tokenizer->bpe.n_merges);
    *left_length = strlen(*left);
    *right_length = strlen(*right);
    return LFM_OK;
}

static enum lfm_status read_merges(struct reader *r, const cJSON *merges)
{
    struct lfm_tokenizer *t = r->tokenizer;
    struct lfm_buffer text = {0};
    enum lfm_status status = LFM_OK;
    const cJSON *item;
    cJSON_ArrayForEach(item, merges)
    {
        const char *left = NULL, *right = NULL;
        size_t left_length = 0, right_length = 0;
        LFM_TRY_DONE(split_merge(r, item, &left, &left_length, &right, &right_length));
        status = lfm_bpe_add_merge(&t->bpe, left, left_length, right, right_length, r->error);
        if (status != LFM_OK) {
            status = lfm_fail_in(r->error, "%s", r->name);
            goto done;
        }
        lfm_buffer_clear(&text);
        LFM_TRY_DONE(lfm_buffer_append(&text, left, left_length, r->error));
        LFM_TRY_DONE(lfm_buffer_puts(&text, " ", r->error));
        LFM_TRY_DONE(lfm_buffer_append(&text, right, right_length, r->error));
        LFM_TRY_DONE(lfm_texts_append(&t->merges, text.data, text.length, r->error));
    }
    status = lfm_texts_seal(&t->merges, r->error);
done:
    lfm_buffer_release(&text);
    return status;
}

static enum lfm_status check_model(struct reader *r, const cJSON *model)
{
    const char *type = get_string(model, "type");
    if (!cJSON_IsObject(model) || (type ? strcmp(type, "BPE") != 0 : !get(model, "merges")))
        return lfm_fail(r->error, LFM_ERROR_FORMAT, "%s: expected a tokenizer of type BPE, found '%.64s'", r->name,
                        type ? type : "none");
    static const char *const affixes[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    for (size_t i = 0; i < 2; i++) {
        const char *affix = get_string(model, affixes[i]);
        if (affix && *affix)
            return lfm_fail(r->error, LFM_ERROR_FORMAT, "%s: '%s' is not supported", r->name, affixes[i]);
    }
    if (!cJSON_IsObject(get(model, "vocab")))
        return lfm_fail(r->error, LFM_ERROR_FORMAT, "%s: 'model.vocab' must be an object", r->name);
    if (!cJSON_IsArray(get(model, "merges")))
        return lfm_fail(r->error, LFM_ERROR_FORMAT, "%s: 'model.merges' must be an array", r->name);
    return LFM_OK;
}

static enum lfm_status read_model(struct reader *r)
{
    struct lfm_tokenizer *t = r->tokenizer;
    const cJSON *model = get(r->document, "model"), *item;
    LFM_TRY(check_model(r, model));
    LFM_TRY(collect_entries(r, get(model, "vocab"), get(r->document, "added_tokens")));
    LFM_TRY(read_texts(r));
    LFM_TRY(read_added(r));
    LFM_TRY(lfm_bpe_init(&t->bpe, &t->texts, (size_t)cJSON_GetArraySize(get(model, "merges")), r->error));
    cJSON_ArrayForEach(item, get(model, "vocab"))
    {
        size_t id = (size_t)item->valuedouble;
        if (strcmp(t->texts.items[id], item->string) == 0) lfm_bpe_add_text(&t->bpe, (int32_t)id);
    }
    t->bpe.ignore_merges = get_flag(model, "ignore_merges", false);
    const char *unknown = get_string(model, "unk_token");
    if (unknown) t->bpe.unknown_id = lfm_bpe_find(&t->bpe, unknown, strlen(unknown));
    return read_merges(r, get(model, "merges"));
}

/* --- pre-tokenizer --- */

static enum lfm_status read_behavior(struct reader *r, const cJSON *step, enum lfm_split_behavior fallback,
                                     enum lfm_split_behavior *out)
{
    static const char *const names[] = {"Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous"};
    const char *name = get_string(step, "behavior");
    *out = fallback;
    if (!name) return LFM_OK;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0) {
            *out = (enum lfm_split_behavior)i;
            return LFM_OK;
        }
    return lfm_fail(r->error, LFM_ERROR_FORMAT, "%s: unknown behavior '%.64s' of the pre-tokenizer", r->name, name);
}

static enum lfm_status add_pattern(struct reader *r, const char *pattern, bool literal,
                                   enum lfm_split_behavior behavior, bool invert)
{
    if (lfm_splitter_add_pattern(&r->tokenizer->splitter, pattern, literal, behavior, invert, r->error) != LFM_OK)
        return lfm_fail_in(r->error, "%s", r->name);
    r->patterns[r->n_patterns++] = pattern;
    if (literal || behavior != LFM_SPLIT_ISOLATED || invert) r->named = false;
    return LFM_OK;
}

static enum lfm_status read_split(struct reader *r, const cJSON *step)
{
    const cJSON *pattern = get(step, "pattern");
    const char *regex = get_string(pattern, "Regex"), *literal = get_string(pattern, "String");
    enum lfm_split_behavior behavior;
    LFM_TRY(read_behavior(r, step, LFM_SPLIT_ISOLATED, &behavior));
    if (!regex && !literal)
        return lfm_fail(r->error, LFM_ERROR_FORMAT, "%s: a Split of the pre-tokenizer has no pattern", r->name);
    return add_pattern(r, regex ? regex : literal, !regex, behavior, get_flag(step, "invert", false));
}

static enum lfm_status read_byte_level(struct reader *r, const cJSON *step)
{
    struct lfm_splitter *splitter = &r->tokenizer->splitter;
    if (get_flag(step, "add_prefix_space", true)) {
        r->named = false;
        LFM_TRY(lfm_splitter_add(splitter, LFM_STEP_PREFIX_SPACE, r->error));
    }
    if (get_flag(step, "use_regex", true)) LFM_TRY(add_pattern(r, LFM_GPT2_PATTERN, false, LFM_SPLIT_ISOLATED, false));
    return lfm_splitter_add(splitter, LFM_STEP_SPELL, r->error);
}

static enum lfm_status read_step(struct reader *r, const cJSON *step)
{
    const char *type = get_string(step, "type");
    enum lfm_split_behavior behavior;
    if (!type) return lfm_fail(r->error, LFM_ERROR_FORMAT, "%s: a pre-tokenizer has no type", r->name);
    if (strcmp(type, "Split") == 0) return read_split(r, step);
    if (strcmp(type, "ByteLevel") == 0) return read_byte_level(r, step);
    if (strcmp(type, "Digits") == 0) {
        bool individual = get_flag(step, "individual_digits", false);
        return add_pattern(r, "\\p{N}", false, individual ? LFM_SPLIT_ISOLATED : LFM_SPLIT_CONTIGUOUS, false);
    }
    if (strcmp(type, "Punctuation") == 0) {
        LFM_TRY(read_behavior(r, step, LFM_SPLIT_ISOLATED, &behavior));
        return add_pattern(r, "[\\p{P}$+<=>^`|~]", false, behavior, false);
    }
    return lfm_fail(r->error, LFM_ERROR_FORMAT, "%s: pre-tokenizer '%.64s' is not supported", r->name, type);
}

/* True when the step before the last patterns has already spelled the text: their meaning is another then. */
static bool spells_once_at_the_end(const struct lfm_splitter *splitter)
{
    for (size_t i = 0; i + 1 < splitter->count; i++)
        if (splitter->steps[i].kind == LFM_STEP_SPELL) return false;
    return splitter->count > 0 && splitter->steps[splitter->count - 1].kind == LFM_STEP_SPELL;
}

static enum lfm_status read_pre_tokenizer(struct reader *r)
{
    struct lfm_tokenizer *t = r->tokenizer;
    const cJSON *pre = get(r->document, "pre_tokenizer"), *step;
    const char *type = get_string(pre, "type"), *model_type = get_string(r->model_config, "model_type");
    r->named = true;
    if (type && strcmp(type, "Sequence") == 0)
        cJSON_ArrayForEach(step, get(pre, "pretokenizers")) LFM_TRY(read_step(r, step));
    else if (pre)
        LFM_TRY(read_step(r, pre));
    size_t spellings = 0;
    for (size_t i = 0; i < t->splitter.count; i++) spellings += t->splitter.steps[i].kind == LFM_STEP_SPELL;
    if (spellings != 1)
        return lfm_fail(r->error, LFM_ERROR_FORMAT,
                        "%s: expected a pre-tokenizer with one ByteLevel step, found %zu of them", r->name, spellings);
    if (!r->named || !spells_once_at_the_end(&t->splitter)) return LFM_OK;
    const char *name = lfm_pre_name(r->patterns, r->n_patterns, t->bpe.ignore_merges,
                                    model_type && strncmp(model_type, "lfm2", 4) == 0 ? "lfm2" : NULL);
    return name ? lfm_copy_string(&t->pre, name, strlen(name), r->error) : LFM_OK;
}

static enum lfm_status check_normalizer(struct reader *r)
{
    const cJSON *normalizer = get(r->document, "normalizer");
    const char *type = get_string(normalizer, "type");
    if (!normalizer) return LFM_OK;
    if (type && strcmp(type, "Sequence") == 0 && cJSON_GetArraySize(get(normalizer, "normalizers")) == 0) return LFM_OK;
    return lfm_fail(r->error, LFM_ERROR_FORMAT, "%s: normalizer '%.64s' is not supported", r->name, type ? type : "?");
}

/* --- special tokens --- */

/* The template of the post-processor: special tokens before the text, and after it. */
static enum lfm_status read_template(struct reader *r, const cJSON *processor)
{
    const cJSON *item, *before = NULL;
    bool seen_text = false;
    cJSON_ArrayForEach(item, get(processor, "single"))
    {
        const char *id = get_string(get(item, "SpecialToken"), "id");
        if (!id) {
            seen_text = true;
            continue;
        }
        if (seen_text || before)
            return lfm_fail(r->error, LFM_ERROR_FORMAT,
                            "%s: the post-processor adds '%.64s': only one token, in front, is supported", r->name, id);
        before = cJSON_GetArrayItem(get(get(get(processor, "special_tokens"), id), "ids"), 0);
        size_t bos;
        if (!valid_id(before, &bos) || bos >= r->n_ids)
            return lfm_fail(r->error, LFM_ERROR_FORMAT, "%s: the post-processor's token '%.64s' has no valid id",
                            r->name, id);
        r->tokenizer->bos_id = (int32_t)bos;
        r->tokenizer->add_bos = true;
    }
    return LFM_OK;
}

static enum lfm_status read_post_processor(struct reader *r, const cJSON *processor)
{
    const char *type = get_string(processor, "type");
    if (!processor || (type && strcmp(type, "ByteLevel") == 0)) return LFM_OK;
    if (type && strcmp(type, "TemplateProcessing") == 0) return read_template(r, processor);
    if (type && strcmp(type, "Sequence") == 0) {
        const cJSON *item;
        cJSON_ArrayForEach(item, get(processor, "processors"))
        {
            const char *inner = get_string(item, "type");
            if (inner && strcmp(inner, "Sequence") == 0) continue;
            LFM_TRY(read_post_processor(r, item));
        }
        return LFM_OK;
    }
    return lfm_fail(r->error, LFM_ERROR_FORMAT, "%s: post-processor '%.64s' is not supported", r->name,
                    type ? type : "?");
}

static int32_t named_token(const struct reader *r, const char *key)
{
    const cJSON *item = get(r->config, key);
    const char *text = cJSON_IsObject(item) ? get_string(item, "content") : cJSON_GetStringValue(item);
    return text ? lfm_token_id(r->tokenizer, text) : -1;
}

/* The first id of a key that holds one or several; all of them end a generation when `end` is set. */
static enum lfm_status read_ids(struct reader *r, const cJSON *object, const char *key, bool end, int32_t *first)
{
    const cJSON *item = get(object, key), *one = cJSON_IsArray(item) ? cJSON_GetArrayItem(item, 0) : item;
    for (; one; one = cJSON_IsArray(item) ? one->next : NULL) {
        size_t id;
        if (!valid_id(one, &id) || id >= r->n_ids) continue;
        if (*first < 0) *first = (int32_t)id;
        if (end) LFM_TRY(lfm_tokenizer_add_end(r->tokenizer, (int32_t)id, r->error));
    }
    return LFM_OK;
}

static enum lfm_status read_special(struct reader *r)
{
    struct lfm_tokenizer *t = r->tokenizer;
    LFM_TRY(read_post_processor(r, get(r->document, "post_processor")));
    if (t->bos_id < 0) t->bos_id = named_token(r, "bos_token");
    LFM_TRY(read_ids(r, r->model_config, "bos_token_id", false, &t->bos_id));
    t->add_bos = get_flag(r->config, "add_bos_token", t->add_bos) && t->bos_id >= 0;
    t->eos_id = named_token(r, "eos_token");
    if (t->eos_id >= 0) LFM_TRY(lfm_tokenizer_add_end(t, t->eos_id, r->error));
    LFM_TRY(read_ids(r, r->generation, "eos_token_id", true, &t->eos_id));
    LFM_TRY(read_ids(r, r->model_config, "eos_token_id", true, &t->eos_id));
    t->pad_id = named_token(r, "pad_token");
    return read_ids(r, r->model_config, "pad_token_id", false, &t->pad_id);
}

/* --- chat template --- */

/* A template, or a list of {"name", "template"} with one called "default". */
static const char *find_template(const cJSON *item)
{
    if (cJSON_IsString(item)) return item->valuestring;
    const cJSON *entry;
    cJSON_ArrayForEach(entry, item)
    {
        const char *name = get_string(entry, "name");
        if (name && strcmp(name, "default") == 0) return get_string(entry, "template");
    }
    return NULL;
}

static enum lfm_status read_chat_template(struct reader *r)
{
    char *path = NULL;
    struct lfm_buffer text = {0};
    enum lfm_status status;
    LFM_TRY_DONE(lfm_join_path(&path, r->directory, "chat_template.jinja", r->error));
    if (lfm_file_exists(path)) {
        LFM_TRY_DONE(lfm_read_file(&text, path, r->error));
    } else {
        const char *in_config = find_template(get(r->config, "chat_template"));
        if (!in_config) goto done;
        LFM_TRY_DONE(lfm_buffer_puts(&text, in_config, r->error));
    }
    status = lfm_copy_string(&r->tokenizer->chat_template, text.data ? text.data : "", text.length, r->error);
done:
    free(path);
    lfm_buffer_release(&text);
    return status;
}

/* --- the files --- */

static enum lfm_status parse_optional(struct reader *r, const char *file, cJSON **out)
{
    char *path = NULL;
    LFM_TRY(lfm_join_path(&path, r->directory, file, r->error));
    enum lfm_status status = lfm_file_exists(path) ? lfm_json_parse_file(out, path, r->error) : LFM_OK;
    free(path);
    return status;
}

enum lfm_status lfm_tokenizer_read_json(struct lfm_tokenizer *tokenizer, const char *directory, const cJSON *config,
                                        struct lfm_error *error)
{
    struct reader r = {.tokenizer = tokenizer, .directory = directory, .model_config = config, .error = error};
    enum lfm_status status;
    LFM_TRY_DONE(lfm_join_path(&tokenizer->name, directory, "tokenizer.json", error));
    r.name = tokenizer->name;
    LFM_TRY_DONE(lfm_json_parse_file(&r.document, r.name, error));
    LFM_TRY_DONE(parse_optional(&r, "tokenizer_config.json", &r.config));
    LFM_TRY_DONE(parse_optional(&r, "generation_config.json", &r.generation));
    LFM_TRY_DONE(check_normalizer(&r));
    LFM_TRY_DONE(read_model(&r));
    LFM_TRY_DONE(read_pre_tokenizer(&r));
    LFM_TRY_DONE(read_special(&r));
    status = read_chat_template(&r);
done:
    free(r.entries);
    cJSON_Delete(r.document);
    cJSON_Delete(r.config);
    cJSON_Delete(r.generation);
    return status;
}
