/* The tokenizer against golden data of the tokenizers library (scripts/golden/tokenizer.py), and what it refuses. */
#include "reference/base/file.h"
#include "reference/base/hash.h"
#include "reference/base/json.h"
#include "reference/base/utf8.h"
#include "reference/checkpoint/gguf.h"
#include "reference/model/tokenizer.h"
#include "tests/unit/assert.h"
#include "tests/unit/checkpoint_files.h"

#include <stdio.h>
#include <stdlib.h>

static struct lfm_error error;

static struct lfm_tokenizer *open_json(const char *directory)
{
    struct lfm_tokenizer *tokenizer = NULL;
    const struct lfm_checkpoint checkpoint = {.container = LFM_HUGGING_FACE, .path = (char *)directory};
    assert_ok(lfm_tokenizer_open(&tokenizer, &checkpoint, &error));
    return tokenizer;
}

static struct lfm_tokens encode(const struct lfm_tokenizer *tokenizer, const char *text, size_t length, bool special)
{
    struct lfm_tokens tokens = {0};
    assert_ok(lfm_tokenize(tokenizer, text, length, false, special, &tokens, &error));
    return tokens;
}

/* --- golden data --- */

static unsigned char from_hex(const char *hex)
{
    const char pair[3] = {hex[0], hex[1], '\0'};
    return (unsigned char)strtoul(pair, NULL, 16);
}

static struct lfm_buffer decode_hex(const char *hex)
{
    struct lfm_buffer text = {0};
    for (; *hex; hex += 2) {
        unsigned char byte = from_hex(hex);
        assert_ok(lfm_buffer_append(&text, &byte, 1, &error));
    }
    return text;
}

static void expect_ids(const struct lfm_tokens *tokens, const cJSON *ids, const char *hex)
{
    size_t expected = (size_t)cJSON_GetArraySize(ids), i = 0;
    const cJSON *id;
    cJSON_ArrayForEach(id, ids)
    {
        if (i < tokens->count)
            cr_assert_eq(tokens->ids[i], id->valueint, "text %s: token %zu is %d, expected %d", hex, i, tokens->ids[i],
                         id->valueint);
        i++;
    }
    cr_assert_eq(tokens->count, expected, "text %s: %zu tokens, expected %zu", hex, tokens->count, expected);
}

static cJSON *read_cases(const char *name)
{
    cJSON *document;
    char path[128];
    snprintf(path, sizeof path, "tests/golden/tokenizer/%s/cases.json", name);
    assert_ok(lfm_json_parse_file(&document, path, &error));
    return document;
}

static void check_cases(const struct lfm_tokenizer *tokenizer, const cJSON *document)
{
    const cJSON *item;
    size_t count = 0;
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(document, "cases"))
    {
        const char *hex = cJSON_GetObjectItem(item, "hex")->valuestring;
        struct lfm_buffer text = decode_hex(hex);
        struct lfm_tokens tokens =
            encode(tokenizer, text.data, text.length, cJSON_IsTrue(cJSON_GetObjectItem(item, "special")));
        expect_ids(&tokens, cJSON_GetObjectItem(item, "ids"), hex);
        lfm_tokens_release(&tokens);
        lfm_buffer_release(&text);
        count++;
    }
    cr_assert(count > 200, "only %zu cases", count);
}

static void check_golden(const char *name)
{
    char directory[128];
    snprintf(directory, sizeof directory, "tests/golden/tokenizer/%s", name);
    struct lfm_tokenizer *tokenizer = open_json(directory);
    cJSON *document = read_cases(name);
    check_cases(tokenizer, document);
    cJSON_Delete(document);
    lfm_tokenizer_free(tokenizer);
}

Test(tokenizer, agrees_with_the_oracle_on_the_demo_tokenizer)
{
    char sha256[LFM_SHA256_TEXT];
    assert_ok(lfm_sha256_file("datasets/demo-model/tokenizer.json", sha256, &error));
    cJSON *document = read_cases("demo");
    cr_assert_str_eq(sha256, cJSON_GetObjectItem(document, "sha256")->valuestring,
                     "the demo tokenizer changed: make its golden data anew");
    struct lfm_tokenizer *tokenizer = open_json("datasets/demo-model");
    check_cases(tokenizer, document);
    lfm_tokenizer_free(tokenizer);
    cJSON_Delete(document);
}

Test(tokenizer, agrees_on_case_folding_whole_words_and_overlapping_added_tokens)
{
    check_golden("folded");
}

Test(tokenizer, agrees_on_prefix_spaces_and_added_tokens_that_strip)
{
    check_golden("gpt2");
}

Test(tokenizer, agrees_on_punctuation_and_single_digits)
{
    check_golden("digits");
}

Test(tokenizer, agrees_on_all_split_behaviors_and_nested_classes)
{
    check_golden("steps");
}

Test(tokenizer, agrees_on_possessive_quantifiers)
{
    check_golden("possessive");
}

Test(tokenizer, agrees_on_scripts_and_quantifiers_without_a_lower_bound)
{
    check_golden("scripts");
}

/* --- GGUF --- */

static void put_texts(struct lfm_gguf_writer *writer, const struct lfm_tokenizer_tables *tables, size_t count)
{
    assert_ok(lfm_gguf_put_string(writer, "tokenizer.ggml.model", "gpt2", 4, &error));
    assert_ok(lfm_gguf_put_string(writer, "tokenizer.ggml.pre", tables->pre, strlen(tables->pre), &error));
    assert_ok(
        lfm_gguf_put_strings(writer, "tokenizer.ggml.tokens", tables->texts, tables->text_lengths, count, &error));
    assert_ok(lfm_gguf_put_numbers(writer, "tokenizer.ggml.token_type", LFM_GGUF_I32, tables->types, count, &error));
    assert_ok(lfm_gguf_put_strings(writer, "tokenizer.ggml.merges", tables->merges, tables->merge_lengths,
                                   tables->n_merges, &error));
    assert_ok(lfm_gguf_put_u32(writer, "tokenizer.ggml.bos_token_id", (uint32_t)tables->bos_id, &error));
    assert_ok(lfm_gguf_put_u32(writer, "tokenizer.ggml.eos_token_id", (uint32_t)tables->eos_id, &error));
    assert_ok(lfm_gguf_put_bool(writer, "tokenizer.ggml.add_bos_token", tables->add_bos, &error));
}

/* A GGUF file with these tables and one tensor. */
static void write_gguf(const char *path, const struct lfm_tokenizer_tables *tables, size_t count)
{
    struct lfm_gguf_writer *writer;
    const size_t shape[] = {1};
    const float value = 0;
    assert_ok(lfm_gguf_writer_open(&writer, path, &error));
    assert_ok(lfm_gguf_put_string(writer, "general.architecture", "lfm2", 4, &error));
    put_texts(writer, tables, count);
    assert_ok(lfm_gguf_add_tensor(writer, "x", lfm_format_by_name("f32"), 1, shape, &error));
    assert_ok(lfm_gguf_begin(writer, &error));
    assert_ok(lfm_gguf_write_data(writer, &value, sizeof value, &error));
    assert_ok(lfm_gguf_commit(writer, &error));
    lfm_gguf_writer_close(writer);
}

static enum lfm_status open_gguf(struct lfm_tokenizer **tokenizer, const char *path)
{
    struct lfm_checkpoint *checkpoint = NULL;
    enum lfm_status status = lfm_checkpoint_open(&checkpoint, path, &error);
    if (status == LFM_OK) status = lfm_tokenizer_open(tokenizer, checkpoint, &error);
    lfm_checkpoint_close(checkpoint);
    return status;
}

Test(tokenizer, gives_the_same_ids_after_a_passage_through_gguf, .init = make_directory, .fini = remove_directory)
{
    struct lfm_tokenizer *json = open_json("datasets/demo-model"), *gguf = NULL;
    struct lfm_tokenizer_tables tables;
    cJSON *document = read_cases("demo");
    assert_ok(lfm_tokenizer_tables(json, &tables, &error));
    write_gguf(in_directory("m.gguf"), &tables, lfm_vocabulary_size(json));
    assert_ok(open_gguf(&gguf, in_directory("m.gguf")));
    check_cases(gguf, document);
    cr_assert_eq(lfm_vocabulary_size(gguf), lfm_vocabulary_size(json));
    cr_assert_eq(lfm_bos_id(gguf), lfm_bos_id(json));
    cr_assert_eq(lfm_eos_id(gguf), lfm_eos_id(json));
    cr_assert(lfm_adds_bos(gguf));
    for (int32_t id = 0; id < (int32_t)lfm_vocabulary_size(json); id++)
        cr_assert_eq(lfm_is_special(gguf, id), lfm_is_special(json, id));
    cJSON_Delete(document);
    lfm_tokenizer_free(gguf);
    lfm_tokenizer_free(json);
}

Test(tokenizer, refuses_gguf_tables_that_contradict_each_other, .init = make_directory, .fini = remove_directory)
{
    struct lfm_tokenizer *json = open_json("tests/golden/tokenizer/folded"), *gguf = NULL;
    struct lfm_tokenizer_tables tables;
    const char *path = in_directory("m.gguf");
    assert_ok(lfm_tokenizer_tables(json, &tables, &error));
    size_t count = lfm_vocabulary_size(json);

    struct lfm_tokenizer_tables changed = tables;
    changed.pre = "no-such-pre";
    write_gguf(path, &changed, count);
    assert_fails(open_gguf(&gguf, path), LFM_ERROR_FORMAT, "pre-tokenizer 'no-such-pre' is not known");

    write_gguf(path, &tables, 300);
    assert_fails(open_gguf(&gguf, path), LFM_ERROR_FORMAT, "is not in the vocabulary");

    const char *const merges[] = {"ab"};
    const size_t lengths[] = {2};
    changed = tables;
    changed.merges = merges;
    changed.merge_lengths = lengths;
    changed.n_merges = 1;
    write_gguf(path, &changed, count);
    assert_fails(open_gguf(&gguf, path), LFM_ERROR_FORMAT, "merge 0 must be 'left right', found 'ab'");

    changed = tables;
    changed.eos_id = 100000;
    write_gguf(path, &changed, count);
    assert_fails(open_gguf(&gguf, path), LFM_ERROR_FORMAT, "'tokenizer.ggml.eos_token_id' is 100000");
    lfm_tokenizer_free(json);
}

/* --- tables --- */

static const char *pre_of(const char *name)
{
    static char pre[64];
    char directory[128];
    struct lfm_tokenizer_tables tables;
    snprintf(directory, sizeof directory, "tests/golden/tokenizer/%s", name);
    struct lfm_tokenizer *tokenizer = open_json(directory);
    pre[0] = '\0';
    if (lfm_tokenizer_tables(tokenizer, &tables, &error) == LFM_OK) snprintf(pre, sizeof pre, "%s", tables.pre);
    lfm_tokenizer_free(tokenizer);
    return pre;
}

Test(tokenizer, knows_what_gguf_calls_its_pre_tokenizer)
{
    cr_assert_str_eq(pre_of("folded"), "llama-bpe");
    cr_assert_str_eq(pre_of("gpt2"), "", "a prefix space has no name in GGUF");
    cr_assert_str_eq(pre_of("steps"), "");
    cr_assert(strstr(error.message, "GGUF has no name for this pre-tokenizer"), "%s", error.message);
}

Test(tokenizer, pads_the_vocabulary_to_the_rows_of_the_model)
{
    struct lfm_tokenizer *tokenizer = NULL;
    struct lfm_tokenizer_tables tables;
    const char *bytes;
    size_t length;
    cJSON *config = cJSON_Parse("{\"vocab_size\": 700, \"model_type\": \"lfm2_moe\"}");
    const struct lfm_checkpoint checkpoint = {.path = (char *)"tests/golden/tokenizer/folded", .config = config};
    assert_ok(lfm_tokenizer_open(&tokenizer, &checkpoint, &error));
    assert_ok(lfm_tokenizer_tables(tokenizer, &tables, &error));
    cr_assert_eq(lfm_vocabulary_size(tokenizer), 700);
    cr_assert_eq(tables.types[699], 5);
    cr_assert_str_eq(tables.texts[699], "[PAD699]");
    cr_assert_str_eq(tables.pre, "lfm2");
    assert_fails(lfm_token_bytes(tokenizer, 700, &bytes, &length, &error), LFM_ERROR_ARGUMENT,
                 "token id 700 is outside");
    lfm_tokenizer_free(tokenizer);
    cJSON_Delete(config);
}

/* --- text and ids --- */

Test(tokenizer, gives_back_the_text_of_its_ids)
{
    static const char text[] = "It's 12345 d\xC3\xA9j\xC3\xA0 vu \xF0\x9F\x99\x82\r\n\tend\0of";
    struct lfm_tokenizer *tokenizer = open_json("datasets/demo-model");
    struct lfm_tokens tokens = encode(tokenizer, text, sizeof text - 1, false);
    struct lfm_buffer back = {0};
    assert_ok(lfm_detokenize(tokenizer, tokens.ids, tokens.count, false, &back, &error));
    cr_assert_eq(back.length, sizeof text - 1);
    cr_assert(memcmp(back.data, text, back.length) == 0, "'%s' came back", back.data);
    lfm_buffer_release(&back);
    lfm_tokens_release(&tokens);
    lfm_tokenizer_free(tokenizer);
}

Test(tokenizer, leaves_special_tokens_out_of_the_text_unless_asked)
{
    const int32_t ids[] = {1, 6, 7};
    struct lfm_tokenizer *tokenizer = open_json("datasets/demo-model");
    struct lfm_buffer text = {0};
    assert_ok(lfm_detokenize(tokenizer, ids, 3, false, &text, &error));
    cr_assert_eq(text.length, 0);
    assert_ok(lfm_detokenize(tokenizer, ids, 3, true, &text, &error));
    cr_assert_str_eq(text.data, "<|startoftext|><|im_start|><|im_end|>");
    lfm_buffer_release(&text);
    lfm_tokenizer_free(tokenizer);
}

Test(tokenizer, puts_bos_in_front_when_the_post_processor_does)
{
    struct lfm_tokenizer *tokenizer = open_json("datasets/demo-model");
    struct lfm_tokens tokens = {0};
    assert_ok(lfm_tokenize(tokenizer, "", 0, true, false, &tokens, &error));
    cr_assert_eq(tokens.count, 1);
    cr_assert_eq(tokens.ids[0], lfm_bos_id(tokenizer));
    cr_assert_eq(lfm_bos_id(tokenizer), lfm_token_id(tokenizer, "<|startoftext|>"));
    cr_assert_eq(lfm_token_id(tokenizer, "no such token"), -1);
    cr_assert(lfm_token_id(tokenizer, " the") > 0);
    cr_assert(lfm_ends_generation(tokenizer, lfm_eos_id(tokenizer)));
    cr_assert_not(lfm_ends_generation(tokenizer, lfm_bos_id(tokenizer)));
    lfm_tokens_release(&tokens);
    lfm_tokenizer_free(tokenizer);
}

Test(tokenizer, merges_a_word_of_a_million_letters)
{
    struct lfm_tokenizer *tokenizer = open_json("datasets/demo-model");
    size_t n = 1000000;
    char *word = malloc(n);
    cr_assert_not_null(word);
    for (size_t i = 0; i < n; i++) word[i] = "abcdefghijklmnopqrstuvwxyz"[(i * i + i / 7) % 26];
    struct lfm_tokens tokens = encode(tokenizer, word, n, false);
    struct lfm_buffer back = {0};
    assert_ok(lfm_detokenize(tokenizer, tokens.ids, tokens.count, false, &back, &error));
    cr_assert_eq(back.length, n);
    cr_assert(memcmp(back.data, word, n) == 0);
    lfm_buffer_release(&back);
    lfm_tokens_release(&tokens);
    lfm_tokenizer_free(tokenizer);
    free(word);
}

/* --- what is refused --- */

/* A tokenizer of two letters with one part replaced. */
static void write_tokenizer(const char *key, const char *value)
{
    static const char *const parts[][2] = {
        {"model", "{\"type\": \"BPE\", \"vocab\": {\"a\": 0, \"b\": 1, \"ab\": 2}, \"merges\": [\"a b\"]}"},
        {"added_tokens", "[{\"id\": 3, \"content\": \"<s>\", \"special\": true}]"},
        {"pre_tokenizer", "{\"type\": \"ByteLevel\", \"add_prefix_space\": false}"},
        {"normalizer", "null"},
        {"post_processor", "null"},
    };
    struct lfm_buffer text = {0};
    assert_ok(lfm_buffer_puts(&text, "{", &error));
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        assert_ok(lfm_buffer_printf(&text, &error, "%s\"%s\": %s", i ? ", " : "", parts[i][0],
                                    key && strcmp(key, parts[i][0]) == 0 ? value : parts[i][1]));
    assert_ok(lfm_buffer_puts(&text, "}", &error));
    write_buffer("tokenizer.json", &text);
    lfm_buffer_release(&text);
}

static enum lfm_status open_written(struct lfm_tokenizer **tokenizer)
{
    char directory[256];
    snprintf(directory, sizeof directory, "%s", in_directory("x"));
    directory[strlen(directory) - 2] = '\0';
    const struct lfm_checkpoint checkpoint = {.container = LFM_HUGGING_FACE, .path = directory};
    return lfm_tokenizer_open(tokenizer, &checkpoint, &error);
}

static void refuse(const char *key, const char *value, const char *part)
{
    struct lfm_tokenizer *tokenizer = NULL;
    write_tokenizer(key, value);
    assert_fails(open_written(&tokenizer), LFM_ERROR_FORMAT, part);
    cr_assert_null(tokenizer);
}

Test(tokenizer, refuses_what_it_cannot_do_by_name, .init = make_directory, .fini = remove_directory)
{
    struct lfm_tokenizer *tokenizer = NULL;
    write_tokenizer(NULL, NULL);
    assert_ok(open_written(&tokenizer));
    lfm_tokenizer_free(tokenizer);
    refuse("normalizer", "{\"type\": \"NFKC\"}", "normalizer 'NFKC' is not supported");
    refuse("pre_tokenizer", "{\"type\": \"Metaspace\"}", "pre-tokenizer 'Metaspace' is not supported");
    refuse("pre_tokenizer", "null", "expected a pre-tokenizer with one ByteLevel step, found 0");
    refuse("post_processor", "{\"type\": \"BertProcessing\"}", "post-processor 'BertProcessing' is not supported");
    refuse("model", "{\"type\": \"Unigram\"}", "expected a tokenizer of type BPE, found 'Unigram'");
    refuse("added_tokens", "[{\"id\": 3, \"content\": \"x\", \"single_word\": true}]", "'x' is 'single_word'");
}

Test(tokenizer, refuses_broken_vocabularies, .init = make_directory, .fini = remove_directory)
{
    refuse("model", "{\"type\": \"BPE\", \"vocab\": {\"a\": -1}, \"merges\": []}", "the id of token 'a'");
    refuse("model", "{\"type\": \"BPE\", \"vocab\": {\"a\": 1e12}, \"merges\": []}", "the id of token 'a'");
    refuse("model", "{\"type\": \"BPE\", \"vocab\": {\"a\": \"0\"}, \"merges\": []}", "the id of token 'a'");
    refuse("model", "{\"type\": \"BPE\", \"vocab\": [], \"merges\": []}", "'model.vocab' must be an object");
    refuse("model", "{\"type\": \"BPE\", \"vocab\": {\"a\": 0}, \"merges\": [\"a a\"]}",
           "merge 0 ('a' and 'a'): the result");
    refuse("model", "{\"type\": \"BPE\", \"vocab\": {\"a\": 0}, \"merges\": [\"aa\"]}", "merge 0 must be");
    refuse("model", "{\"type\": \"BPE\", \"vocab\": {\"a\": 0}, \"merges\": [[\"a\"]]}", "merge 0 must be");
    refuse("added_tokens", "[{\"id\": 3}]", "an added token has no content");
    refuse("added_tokens", "[{\"id\": 3, \"content\": \"\"}]", "an added token has no content");
}

static void refuse_pattern(const char *pattern, const char *part)
{
    char value[256];
    snprintf(value, sizeof value,
             "{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Split\", \"pattern\": {\"Regex\": \"%s\"}}, "
             "{\"type\": \"ByteLevel\"}]}",
             pattern);
    refuse("pre_tokenizer", value, part);
}

Test(tokenizer, refuses_patterns_that_would_mean_something_else, .init = make_directory, .fini = remove_directory)
{
    refuse_pattern("", "an empty pattern");
    refuse_pattern("[a", "a class without end");
    refuse_pattern("(a", "missing closing parenthesis");
    refuse_pattern("a)", "')' without '('");
    refuse_pattern("[a&&b]", "an intersection of classes at byte 2");
    refuse_pattern("[a[^b]]", "this inner class");
    refuse_pattern("\\\\w+", "this escape at byte 0");
    refuse_pattern("(*LIMIT_MATCH=1)a", "'(*'");
    refuse_pattern("(?m:.)", "this kind of group");
    refuse_pattern("a\\\\", "a backslash at the end");
    refuse_pattern("\\\\p{Klingon}", "unknown property");
}

Test(tokenizer, reports_a_missing_file, .init = make_directory, .fini = remove_directory)
{
    struct lfm_tokenizer *tokenizer = NULL;
    assert_fails(open_written(&tokenizer), LFM_ERROR_IO, "tokenizer.json");
}

Test(tokenizer, gives_up_on_a_pattern_that_runs_away, .init = make_directory, .fini = remove_directory)
{
    struct lfm_tokenizer *tokenizer = NULL;
    struct lfm_tokens tokens = {0};
    char text[64];
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = 'b';
    write_tokenizer("pre_tokenizer", "{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Split\", \"pattern\": "
                                     "{\"Regex\": \"(a|aa|aaa)+$\"}}, {\"type\": \"ByteLevel\"}]}");
    assert_ok(open_written(&tokenizer));
    assert_fails(lfm_tokenize(tokenizer, text, sizeof text, false, false, &tokens, &error), LFM_ERROR_LIMIT,
                 "match limit exceeded");
    lfm_tokens_release(&tokens);
    lfm_tokenizer_free(tokenizer);
}

/* --- UTF-8 --- */

static void expect_repair(const char *text, const char *expected)
{
    struct lfm_buffer out = {0};
    assert_ok(lfm_utf8_repair(&out, text, strlen(text), &error));
    cr_assert_str_eq(out.data, expected);
    lfm_buffer_release(&out);
}

Test(utf8, replaces_each_maximal_subpart_as_python_does)
{
    expect_repair("a\xC3\xA9z", "a\xC3\xA9z");
    expect_repair("\xF0\x9F\x99", "\xEF\xBF\xBD");                                     /* cut short: one */
    expect_repair("\xF0\x9F" "a", "\xEF\xBF\xBD" "a");
    expect_repair("\xC0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD");                             /* overlong: each byte */
    expect_repair("\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");             /* surrogate */
    expect_repair("\xE0\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    expect_repair("\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"); /* beyond U+10FFFF */
    expect_repair("\x80\xFF", "\xEF\xBF\xBD\xEF\xBF\xBD");
}

Test(utf8, holds_back_only_the_beginning_of_a_character)
{
    cr_assert_eq(lfm_utf8_complete("ab", 2), 2);
    cr_assert_eq(lfm_utf8_complete("a\xC3", 2), 1);
    cr_assert_eq(lfm_utf8_complete("a\xC3\xA9", 3), 3);
    cr_assert_eq(lfm_utf8_complete("a\xF0\x9F\x99", 4), 1);
    cr_assert_eq(lfm_utf8_complete("a\xF0\x9F", 3), 1);
    cr_assert_eq(lfm_utf8_complete("a\xFF", 2), 2);
    cr_assert_eq(lfm_utf8_complete("a\xE0\x80", 3), 3);
    cr_assert_eq(lfm_utf8_complete("\xA9\xA9\xA9\xA9", 4), 4);
    cr_assert_eq(lfm_utf8_complete("", 0), 0);
}

Test(utf8, strips_what_python_strips)
{
    const char *text = " \n\x1C\xC2\x85\xE2\x80\x83 a b\xE3\x80\x80\t ";
    size_t length = strlen(text);
    lfm_utf8_strip(&text, &length);
    cr_assert_eq(length, 3);
    cr_assert(memcmp(text, "a b", 3) == 0);
    text = " \t";
    length = 2;
    lfm_utf8_strip(&text, &length);
    cr_assert_eq(length, 0);
}
