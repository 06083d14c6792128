/* Sentences and words against NLTK 3.9.1 (scripts/golden/text.py). */
#include "eval/text/sentences.h"
#include "eval/text/tables.h"
#include "tests/unit/text_cases.h"

static struct lfm_error error;

static void check_sentences(const cJSON *row)
{
    struct lfm_span text = text_of(row, "text");
    struct lfm_spans spans = {0};
    assert_ok(lfm_split_sentences(&spans, text, &error));
    const cJSON *expected = item_of(row, "sent_spans");
    for (size_t i = 0; i < spans.count; i++) {
        const cJSON *pair = cJSON_GetArrayItem(expected, (int)i);
        cr_assert_not_null(pair, "%zu sentences, expected %d, in: %s", spans.count, cJSON_GetArraySize(expected), text.at);
        int start = (int)points_before(text, spans.items[i].at);
        int end = start + (int)lfm_count_points(spans.items[i]);
        cr_assert(start == pair->child->valueint && end == pair->child->next->valueint,
                  "sentence %zu is %d-%d, expected %d-%d, in: %s", i, start, end, pair->child->valueint,
                  pair->child->next->valueint, text.at);
    }
    cr_assert((int)spans.count == cJSON_GetArraySize(expected), "%zu sentences, expected %d, in: %s", spans.count,
              cJSON_GetArraySize(expected), text.at);
    lfm_spans_release(&spans);
}

static void check_words(const cJSON *row)
{
    struct lfm_span text = text_of(row, "text");
    struct lfm_buffer tokens = {0};
    size_t count;
    assert_ok(lfm_word_tokens(&tokens, &count, text, &error));
    const cJSON *expected = item_of(row, "tokens")->child;
    const char *token = tokens.data;
    for (size_t i = 0; i < count && expected; i++, expected = expected->next, token += strlen(token) + 1)
        cr_assert_str_eq(token, expected->valuestring, "token %zu is '%s', expected '%s', in: %s", i, token,
                         expected->valuestring, text.at);
    cr_assert((int)count == cJSON_GetArraySize(item_of(row, "tokens")), "%zu tokens, expected %d, in: %s", count,
              cJSON_GetArraySize(item_of(row, "tokens")), text.at);
    lfm_buffer_release(&tokens);
}

Test(sentences, end_where_nltk_ends_them)
{
    each_text_case(check_sentences);
}

Test(sentences_oracle, end_where_the_oracle_ends_them)
{
    each_oracle_case(check_sentences);
}

Test(words, are_those_of_nltk)
{
    each_text_case(check_words);
}

Test(words_oracle, are_those_of_the_oracle)
{
    each_oracle_case(check_words);
}

Test(sentences, are_none_in_no_text)
{
    struct lfm_spans spans = {0};
    assert_ok(lfm_split_sentences(&spans, (struct lfm_span){0}, &error));
    assert_ok(lfm_split_sentences(&spans, lfm_span_of(" \n\t"), &error));
    cr_assert(spans.count == 0, "%zu sentences", spans.count);
}

Test(words, are_none_in_no_text)
{
    struct lfm_buffer tokens = {0};
    size_t count = 1;
    assert_ok(lfm_word_tokens(&tokens, &count, (struct lfm_span){0}, &error));
    cr_assert(count == 0 && tokens.length == 0, "%zu words", count);
}

Test(sentences, are_appended)
{
    struct lfm_spans spans = {0};
    assert_ok(lfm_split_sentences(&spans, lfm_span_of("One. Two."), &error));
    assert_ok(lfm_split_sentences(&spans, lfm_span_of("Three."), &error));
    cr_assert(spans.count == 3, "%zu sentences", spans.count);
    cr_assert(lfm_span_equals(spans.items[1], lfm_span_of("Two.")) && lfm_span_equals(spans.items[2], lfm_span_of("Three.")));
    lfm_spans_release(&spans);
}

Test(words, are_found_across_ten_thousand_spaces)
{
    struct lfm_buffer text = {0}, tokens = {0};
    size_t count;
    assert_ok(lfm_buffer_printf(&text, &error, "Mr. %10000s y", "smith"));
    assert_ok(lfm_word_tokens(&tokens, &count, (struct lfm_span){text.data, text.length}, &error));
    cr_assert(count == 3, "%zu words", count);
    lfm_buffer_release(&text);
    lfm_buffer_release(&tokens);
}

/* --- the tables they rest on --- */

Test(tables, find_every_line_of_theirs)
{
    static const enum lfm_table kinds[] = {LFM_TABLE_ABBREVIATIONS, LFM_TABLE_STARTERS, LFM_TABLE_ORTHOGRAPHY, LFM_TABLE_KANJI};
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        struct lfm_span table = lfm_table(kinds[k]), rest = table, line, value;
        cr_assert(table.length > 0 && table.at[table.length - 1] == '\n', "table %zu does not end in a newline", k);
        for (bool more = true; lfm_py_next_piece(&rest, "\n", &more, &line) && more;) {
            const char *tab = memchr(line.at, '\t', line.length);
            struct lfm_span key = {line.at, tab ? (size_t)(tab - line.at) : line.length};
            cr_assert(lfm_table_find(table, key, &value), "'%.*s' is not found", (int)key.length, key.at);
            cr_assert(value.at == line.at + key.length + (tab != NULL), "another line is found for '%.*s'", (int)key.length, key.at);
        }
    }
}

Test(tables, find_nothing_else)
{
    static const char *const absent[] = {"", "\t", "a\t", "aaa", "zzzzzz", "\xF4\x8F\xBF\xBF", "##number", "mr\t1"};
    struct lfm_span table = lfm_table(LFM_TABLE_ABBREVIATIONS);
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++)
        cr_assert(!lfm_table_find(table, lfm_span_of(absent[i]), NULL), "'%s' is found", absent[i]);
    cr_assert(!lfm_table_find(lfm_table(LFM_TABLE_COLLOCATIONS), lfm_span_of("##number##"), NULL) ||
                  lfm_table_find(lfm_table(LFM_TABLE_COLLOCATIONS), lfm_span_of("##number##\taes"), NULL),
              "a pair is found by its first half alone");
}
