/* The 25 instructions of IFEval: see checks.h. In the order of the table at the end. */
#include "eval/ifeval/checks.h"

#include "eval/ifeval/python_json.h"
#include "eval/text/language.h"
#include "eval/text/sentences.h"

#include <stdlib.h>
#include <string.h>

/* --- arguments --- */

static enum lfm_status text_argument(const cJSON *kwargs, const char *key, struct lfm_span *out, struct lfm_error *error)
{
    const char *text;
    LFM_TRY(lfm_json_require_string(kwargs, key, "arguments", &text, error));
    *out = lfm_span_of(text);
    return LFM_OK;
}

static enum lfm_status number_argument(const cJSON *kwargs, const char *key, size_t *out, struct lfm_error *error)
{
    return lfm_json_require_size(kwargs, key, "arguments", out, error);
}

static enum lfm_status list_argument(const cJSON *kwargs, const char *key, const cJSON **out, struct lfm_error *error)
{
    *out = cJSON_GetObjectItemCaseSensitive(kwargs, key);
    const cJSON *item;
    bool strings = cJSON_IsArray(*out);
    cJSON_ArrayForEach(item, *out) strings = strings && cJSON_IsString(item);
    if (strings) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_FORMAT, "arguments: '%s' must be a list of strings", key);
}

/* "less than" or "at least". */
static enum lfm_status compare(const cJSON *kwargs, const char *key, size_t count, size_t threshold, bool *out,
                               struct lfm_error *error)
{
    struct lfm_span relation;
    LFM_TRY(text_argument(kwargs, key, &relation, error));
    if (lfm_span_equals(relation, lfm_span_of("less than")))
        *out = count < threshold;
    else if (lfm_span_equals(relation, lfm_span_of("at least")))
        *out = count >= threshold;
    else
        return lfm_fail(error, LFM_ERROR_FORMAT, "arguments: '%s' is '%.*s', expected 'less than' or 'at least'", key,
                        (int)relation.length, relation.at);
    return LFM_OK;
}

/* --- patterns --- */

static enum lfm_status count_span(struct lfm_span pattern, unsigned flags, struct lfm_span text, size_t *count,
                                  struct lfm_error *error)
{
    struct lfm_pattern *compiled;
    LFM_TRY(lfm_pattern_compile(&compiled, pattern, flags, error));
    enum lfm_status status = lfm_pattern_count(compiled, text, count, error);
    lfm_pattern_free(compiled);
    return status;
}

static enum lfm_status count_constant(const char *pattern, unsigned flags, struct lfm_span text, size_t *count,
                                      struct lfm_error *error)
{
    const struct lfm_pattern *compiled;
    LFM_TRY(lfm_pattern_constant(&compiled, pattern, flags, error));
    return lfm_pattern_count(compiled, text, count, error);
}

/* re.split(pattern, text) without groups: the pieces, through `piece`, with their index and whether it is the last. */
struct splitter {
    const struct lfm_pattern *pattern;
    struct lfm_span text;
    size_t position, start;
    bool done;
};

static enum lfm_status next_split(struct splitter *splitter, struct lfm_span *piece, struct lfm_error *error)
{
    struct lfm_span groups[LFM_MAX_GROUPS];
    bool found;
    LFM_TRY(lfm_pattern_next(splitter->pattern, splitter->text, &splitter->position, groups, &found, error));
    size_t end = found ? (size_t)(groups[0].at - splitter->text.at) : splitter->text.length;
    *piece = (struct lfm_span){splitter->text.at + splitter->start, end - splitter->start};
    splitter->start = found ? end + groups[0].length : end;
    splitter->done = !found;
    return LFM_OK;
}

static enum lfm_status lower(struct lfm_buffer *buffer, struct lfm_span text, struct lfm_span *out, struct lfm_error *error)
{
    size_t start = buffer->length;
    LFM_TRY(lfm_py_lower(buffer, text, error));
    *out = (struct lfm_span){buffer->data + start, buffer->length - start};
    return LFM_OK;
}

/* --- keywords --- */

/* Every keyword is a pattern that must be found, in any case. */
static enum lfm_status keywords_existence(const cJSON *kwargs, struct lfm_span response, bool *out, struct lfm_error *error)
{
    const cJSON *keywords, *keyword;
    *out = true;
    LFM_TRY(list_argument(kwargs, "keywords", &keywords, error));
    cJSON_ArrayForEach(keyword, keywords)
    {
        size_t count;
        LFM_TRY(count_span(lfm_span_of(keyword->valuestring), LFM_RE_IGNORECASE, response, &count, error));
        if (count == 0) *out = false;
    }
    return LFM_OK;
}

static enum lfm_status keywords_frequency(const cJSON *kwargs, struct lfm_span response, bool *out, struct lfm_error *error)
{
    struct lfm_span keyword;
    size_t frequency, count;
    LFM_TRY(text_argument(kwargs, "keyword", &keyword, error));
    LFM_TRY(number_argument(kwargs, "frequency", &frequency, error));
    LFM_TRY(count_span(lfm_py_strip(keyword), LFM_RE_IGNORECASE, response, &count, error));
    return compare(kwargs, "relation", count, frequency, out, error);
}

static enum lfm_status keywords_forbidden_words(const cJSON *kwargs, struct lfm_span response, bool *out,
                                                struct lfm_error *error)
{
    const cJSON *words, *word;
    struct lfm_buffer pattern = {0};
    enum lfm_status status = LFM_OK;
    *out = true;
    LFM_TRY(list_argument(kwargs, "forbidden_words", &words, error));
    cJSON_ArrayForEach(word, words)
    {
        size_t count = 0;
        lfm_buffer_clear(&pattern);
        status = lfm_buffer_printf(&pattern, error, "\\b%s\\b", word->valuestring);
        if (status == LFM_OK)
            status = count_span((struct lfm_span){pattern.data, pattern.length}, LFM_RE_IGNORECASE, response, &count, error);
        if (status != LFM_OK) break;
        if (count > 0) *out = false;
    }
    lfm_buffer_release(&pattern);
    return status;
}

/* Counts the letter in the lower-cased response. The official checker replaces a character outside a-z by a random
 * letter; here the character itself is counted. */
static enum lfm_status keywords_letter_frequency(const cJSON *kwargs, struct lfm_span response, bool *out,
                                                 struct lfm_error *error)
{
    struct lfm_buffer memory = {0};
    struct lfm_span letter, text, wanted;
    size_t frequency, count = 0;
    LFM_TRY(text_argument(kwargs, "letter", &letter, error));
    LFM_TRY(number_argument(kwargs, "let_frequency", &frequency, error));
    enum lfm_status status = lower(&memory, lfm_py_strip(letter), &wanted, error);
    size_t wanted_length = memory.length;
    if (status == LFM_OK) status = lower(&memory, response, &text, error);
    if (status == LFM_OK) {
        wanted = (struct lfm_span){memory.data, wanted_length};
        for (size_t i = 0; i < text.length && wanted.length > 0; i++)
            count += lfm_span_starts_with((struct lfm_span){text.at + i, text.length - i}, wanted);
        status = compare(kwargs, "let_relation", count, frequency, out, error);
    }
    lfm_buffer_release(&memory);
    return status;
}

/* --- language --- */

/* A text in which langdetect finds no features counts as any language. */
static enum lfm_status is_language(struct lfm_span response, const char *code, bool *out, struct lfm_error *error)
{
    struct lfm_language languages[LFM_MAX_LANGUAGES];
    size_t n;
    LFM_TRY(lfm_detect_languages(response, languages, &n, error));
    *out = n == 0 || strcmp(languages[0].code, code) == 0;
    return LFM_OK;
}

static enum lfm_status language_response_language(const cJSON *kwargs, struct lfm_span response, bool *out,
                                                  struct lfm_error *error)
{
    const char *code;
    LFM_TRY(lfm_json_require_string(kwargs, "language", "arguments", &code, error));
    return is_language(response, code, out, error);
}

/* --- length --- */

static enum lfm_status length_number_sentences(const cJSON *kwargs, struct lfm_span response, bool *out,
                                               struct lfm_error *error)
{
    struct lfm_spans sentences = {0};
    size_t threshold;
    LFM_TRY(number_argument(kwargs, "num_sentences", &threshold, error));
    enum lfm_status status = lfm_split_sentences(&sentences, response, error);
    if (status == LFM_OK) status = compare(kwargs, "relation", sentences.count, threshold, out, error);
    lfm_spans_release(&sentences);
    return status;
}

/* Pieces between "***"; a blank one is forgiven at either end, in the middle it fails. */
static enum lfm_status length_number_paragraphs(const cJSON *kwargs, struct lfm_span response, bool *out,
                                                struct lfm_error *error)
{
    size_t wanted, count = 0, index = 0;
    bool blank_inside = false;
    LFM_TRY(number_argument(kwargs, "num_paragraphs", &wanted, error));
    struct splitter splitter = {.text = response};
    LFM_TRY(lfm_pattern_constant(&splitter.pattern, "\\s?\\*\\*\\*\\s?", 0, error));
    enum lfm_status status = LFM_OK;
    while (status == LFM_OK && !splitter.done) {
        struct lfm_span piece;
        status = next_split(&splitter, &piece, error);
        if (status != LFM_OK) break;
        bool blank = lfm_py_is_blank(piece);
        if (blank && index > 0 && !splitter.done) blank_inside = true;
        count += !blank;
        index++;
    }
    *out = !blank_inside && count == wanted;
    return status;
}

static enum lfm_status length_number_words(const cJSON *kwargs, struct lfm_span response, bool *out, struct lfm_error *error)
{
    size_t threshold, count;
    LFM_TRY(number_argument(kwargs, "num_words", &threshold, error));
    LFM_TRY(count_constant("\\w+", 0, response, &count, error));
    return compare(kwargs, "relation", count, threshold, out, error);
}

/* The word before the first of . , ? ! ' ", without quotes in front, in lower case. */
static enum lfm_status first_word(struct lfm_span paragraph, struct lfm_buffer *out, struct lfm_error *error)
{
    struct lfm_span word = {0};
    lfm_py_next_word(&paragraph, &word);
    word = lfm_py_strip_left(word, "'");
    word = lfm_py_strip_left(word, "\"");
    size_t length = 0;
    while (length < word.length && !strchr(".,?!'\"", word.at[length])) length++;
    /* str.lower() of one character at a time, as the checker does: no final sigma */
    const char *at = word.at, *end = word.at + length;
    while (at < end) {
        const char *start = at;
        lfm_next_point(&at, end);
        LFM_TRY(lfm_py_lower(out, (struct lfm_span){start, (size_t)(at - start)}, error));
    }
    return lfm_buffer_append(out, "", 0, error);
}

/* Paragraphs are what "\n\n" separates. Blank ones are not counted, yet keep their number. */
static enum lfm_status length_nth_paragraph_first_word(const cJSON *kwargs, struct lfm_span response, bool *out,
                                                       struct lfm_error *error)
{
    struct lfm_span wanted, piece, rest = response, nth_piece = {0};
    size_t paragraphs, nth, count = 0, index = 0;
    LFM_TRY(number_argument(kwargs, "num_paragraphs", &paragraphs, error));
    LFM_TRY(number_argument(kwargs, "nth_paragraph", &nth, error));
    LFM_TRY(text_argument(kwargs, "first_word", &wanted, error));
    *out = false;
    for (bool more = true; lfm_py_next_piece(&rest, "\n\n", &more, &piece);) {
        count += !lfm_py_is_blank(piece);
        if (++index == nth) nth_piece = piece;
    }
    if (nth > count || nth == 0 || lfm_py_is_blank(nth_piece)) return LFM_OK;

    struct lfm_buffer found = {0}, expected = {0};
    enum lfm_status status = first_word(lfm_py_strip(nth_piece), &found, error);
    if (status == LFM_OK) status = lfm_py_lower(&expected, wanted, error);
    if (status == LFM_OK)
        *out = count == paragraphs && found.length == expected.length && memcmp(found.data, expected.data, found.length) == 0;
    lfm_buffer_release(&found);
    lfm_buffer_release(&expected);
    return status;
}

/* --- content --- */

static enum lfm_status content_number_placeholders(const cJSON *kwargs, struct lfm_span response, bool *out,
                                                   struct lfm_error *error)
{
    size_t wanted, count;
    LFM_TRY(number_argument(kwargs, "num_placeholders", &wanted, error));
    LFM_TRY(count_constant("\\[.*?\\]", 0, response, &count, error));
    *out = count >= wanted;
    return LFM_OK;
}

static enum lfm_status content_postscript(const cJSON *kwargs, struct lfm_span response, bool *out, struct lfm_error *error)
{
    struct lfm_buffer pattern = {0}, text = {0};
    struct lfm_span marker;
    size_t count = 0;
    LFM_TRY(text_argument(kwargs, "postscript_marker", &marker, error));
    marker = lfm_py_strip(marker);
    enum lfm_status status;
    if (lfm_span_equals(marker, lfm_span_of("P.P.S")))
        status = lfm_buffer_puts(&pattern, "\\s*p\\.\\s?p\\.\\s?s.*$", error);
    else if (lfm_span_equals(marker, lfm_span_of("P.S.")))
        status = lfm_buffer_puts(&pattern, "\\s*p\\.\\s?s\\..*$", error);
    else {
        status = lfm_buffer_puts(&pattern, "\\s*", error);
        if (status == LFM_OK) status = lfm_py_lower(&pattern, marker, error);
        if (status == LFM_OK) status = lfm_buffer_puts(&pattern, ".*$", error);
    }
    if (status == LFM_OK) status = lfm_py_lower(&text, response, error);
    if (status == LFM_OK)
        status = count_span((struct lfm_span){pattern.data, pattern.length}, LFM_RE_MULTILINE,
                            (struct lfm_span){text.data, text.length}, &count, error);
    *out = count > 0;
    lfm_buffer_release(&pattern);
    lfm_buffer_release(&text);
    return status;
}

/* --- format --- */

static enum lfm_status format_number_bullet_lists(const cJSON *kwargs, struct lfm_span response, bool *out,
                                                  struct lfm_error *error)
{
    size_t wanted, stars, dashes;
    LFM_TRY(number_argument(kwargs, "num_bullets", &wanted, error));
    LFM_TRY(count_constant("^\\s*\\*[^\\*].*$", LFM_RE_MULTILINE, response, &stars, error));
    LFM_TRY(count_constant("^\\s*-.*$", LFM_RE_MULTILINE, response, &dashes, error));
    *out = stars + dashes == wanted;
    return LFM_OK;
}

static enum lfm_status format_constrained_response(const cJSON *kwargs, struct lfm_span response, bool *out,
                                                   struct lfm_error *error)
{
    static const char *const answers[] = {"My answer is yes.", "My answer is no.", "My answer is maybe."};
    (void)kwargs;
    (void)error;
    *out = false;
    for (size_t i = 0; i < 3; i++)
        if (lfm_span_contains(lfm_py_strip(response), lfm_span_of(answers[i]))) *out = true;
    return LFM_OK;
}

/* Matches of a pattern that are not blank once `trim` characters are taken off. */
static enum lfm_status count_highlights(const char *pattern, bool doubled, struct lfm_span text, size_t *count,
                                        struct lfm_error *error)
{
    const struct lfm_pattern *compiled;
    struct lfm_span groups[LFM_MAX_GROUPS];
    size_t position = 0;
    bool found = true;
    LFM_TRY(lfm_pattern_constant(&compiled, pattern, 0, error));
    enum lfm_status status = LFM_OK;
    while (status == LFM_OK && found) {
        status = lfm_pattern_next(compiled, text, &position, groups, &found, error);
        if (status != LFM_OK || !found) break;
        struct lfm_span inner = groups[0];
        if (doubled) {
            inner = (struct lfm_span){inner.at + 2, inner.length - 2}; /* removeprefix, removesuffix */
            if (lfm_span_ends_with(inner, lfm_span_of("**"))) inner.length -= 2;
        } else {
            inner = lfm_py_strip_right(lfm_py_strip_left(inner, "*"), "*");
        }
        *count += !lfm_py_is_blank(inner);
    }
    return status;
}

static enum lfm_status format_number_highlighted_sections(const cJSON *kwargs, struct lfm_span response, bool *out,
                                                          struct lfm_error *error)
{
    size_t wanted, count = 0;
    LFM_TRY(number_argument(kwargs, "num_highlights", &wanted, error));
    LFM_TRY(count_highlights("\\*[^\\n\\*]*\\*", false, response, &count, error));
    LFM_TRY(count_highlights("\\*\\*[^\\n\\*]*\\*\\*", true, response, &count, error));
    *out = count >= wanted;
    return LFM_OK;
}

static enum lfm_status format_multiple_sections(const cJSON *kwargs, struct lfm_span response, bool *out,
                                                struct lfm_error *error)
{
    struct lfm_buffer pattern = {0};
    struct lfm_span splitter;
    size_t wanted, count = 0;
    LFM_TRY(text_argument(kwargs, "section_spliter", &splitter, error));
    LFM_TRY(number_argument(kwargs, "num_sections", &wanted, error));
    splitter = lfm_py_strip(splitter);
    enum lfm_status status =
        lfm_buffer_printf(&pattern, error, "\\s?%.*s\\s?\\d+\\s?", (int)splitter.length, splitter.at);
    if (status == LFM_OK) status = count_span((struct lfm_span){pattern.data, pattern.length}, 0, response, &count, error);
    *out = count >= wanted;
    lfm_buffer_release(&pattern);
    return status;
}

static enum lfm_status format_json(const cJSON *kwargs, struct lfm_span response, bool *out, struct lfm_error *error)
{
    static const char *const openings[] = {"```json", "```Json", "```JSON", "```"};
    struct lfm_span text = lfm_py_strip(response);
    (void)kwargs;
    (void)error;
    for (size_t i = 0; i < 4; i++) {
        struct lfm_span opening = lfm_span_of(openings[i]);
        if (!lfm_span_starts_with(text, opening)) continue;
        text.at += opening.length;
        text.length -= opening.length;
    }
    if (lfm_span_ends_with(text, lfm_span_of("```"))) text.length -= 3;
    *out = lfm_py_json_loads(lfm_py_strip(text));
    return LFM_OK;
}

static enum lfm_status format_title(const cJSON *kwargs, struct lfm_span response, bool *out, struct lfm_error *error)
{
    const struct lfm_pattern *pattern;
    struct lfm_span groups[LFM_MAX_GROUPS];
    size_t position = 0;
    bool found = true;
    (void)kwargs;
    *out = false;
    LFM_TRY(lfm_pattern_constant(&pattern, "<<[^\\n]+>>", 0, error));
    enum lfm_status status = LFM_OK;
    while (status == LFM_OK && found) {
        status = lfm_pattern_next(pattern, response, &position, groups, &found, error);
        if (status == LFM_OK && found && !lfm_py_is_blank(lfm_py_strip_right(lfm_py_strip_left(groups[0], "<"), ">")))
            *out = true;
    }
    return status;
}

/* --- combination --- */

static enum lfm_status combination_two_responses(const cJSON *kwargs, struct lfm_span response, bool *out,
                                                 struct lfm_error *error)
{
    struct lfm_span piece, rest = response, kept[2] = {{0}};
    size_t count = 0, index = 0;
    bool blank_inside = false;
    (void)kwargs;
    (void)error;
    for (bool more = true; lfm_py_next_piece(&rest, "******", &more, &piece); index++) {
        bool blank = lfm_py_is_blank(piece);
        if (blank && index > 0 && more) blank_inside = true;
        if (!blank && count < 2) kept[count] = lfm_py_strip(piece);
        count += !blank;
    }
    *out = !blank_inside && count == 2 && !lfm_span_equals(kept[0], kept[1]);
    return LFM_OK;
}

/* Whether the lower-cased text starts (or ends) with the lower-cased phrase. */
static enum lfm_status lowered_edge(struct lfm_span text, struct lfm_span phrase, bool at_end, bool *out,
                                    struct lfm_error *error)
{
    struct lfm_buffer a = {0}, b = {0};
    struct lfm_span lower_text, lower_phrase;
    enum lfm_status status = lower(&a, text, &lower_text, error);
    if (status == LFM_OK) status = lower(&b, phrase, &lower_phrase, error);
    if (status == LFM_OK)
        *out = at_end ? lfm_span_ends_with(lower_text, lower_phrase) : lfm_span_starts_with(lower_text, lower_phrase);
    lfm_buffer_release(&a);
    lfm_buffer_release(&b);
    return status;
}

static enum lfm_status combination_repeat_prompt(const cJSON *kwargs, struct lfm_span response, bool *out,
                                                 struct lfm_error *error)
{
    struct lfm_span prompt;
    LFM_TRY(text_argument(kwargs, "prompt_to_repeat", &prompt, error));
    return lowered_edge(lfm_py_strip(response), lfm_py_strip(prompt), false, out, error);
}

/* --- start and end --- */

static enum lfm_status startend_end_checker(const cJSON *kwargs, struct lfm_span response, bool *out,
                                            struct lfm_error *error)
{
    struct lfm_span phrase;
    LFM_TRY(text_argument(kwargs, "end_phrase", &phrase, error));
    struct lfm_span text = lfm_py_strip_right(lfm_py_strip_left(lfm_py_strip(response), "\""), "\"");
    return lowered_edge(text, lfm_py_strip(phrase), true, out, error);
}

static enum lfm_status startend_quotation(const cJSON *kwargs, struct lfm_span response, bool *out, struct lfm_error *error)
{
    struct lfm_span text = lfm_py_strip(response);
    (void)kwargs;
    (void)error;
    *out = lfm_count_points(text) > 1 && text.at[0] == '"' && text.at[text.length - 1] == '"';
    return LFM_OK;
}

/* --- case --- */

static enum lfm_status case_capital_word_frequency(const cJSON *kwargs, struct lfm_span response, bool *out,
                                                   struct lfm_error *error)
{
    struct lfm_buffer tokens = {0};
    size_t threshold, n = 0, capital = 0;
    LFM_TRY(number_argument(kwargs, "capital_frequency", &threshold, error));
    enum lfm_status status = lfm_word_tokens(&tokens, &n, response, error);
    const char *token = tokens.data;
    for (size_t i = 0; i < n && status == LFM_OK; i++) {
        struct lfm_span span = lfm_span_of(token);
        capital += lfm_py_is_upper(span);
        token += span.length + 1;
    }
    if (status == LFM_OK) status = compare(kwargs, "capital_relation", capital, threshold, out, error);
    lfm_buffer_release(&tokens);
    return status;
}

static enum lfm_status case_english_capital(const cJSON *kwargs, struct lfm_span response, bool *out, struct lfm_error *error)
{
    (void)kwargs;
    *out = false;
    return lfm_py_is_upper(response) ? is_language(response, "en", out, error) : LFM_OK;
}

static enum lfm_status case_english_lowercase(const cJSON *kwargs, struct lfm_span response, bool *out,
                                              struct lfm_error *error)
{
    (void)kwargs;
    *out = false;
    return lfm_py_is_lower(response) ? is_language(response, "en", out, error) : LFM_OK;
}

/* --- punctuation --- */

static enum lfm_status punctuation_no_comma(const cJSON *kwargs, struct lfm_span response, bool *out, struct lfm_error *error)
{
    (void)kwargs;
    (void)error;
    *out = !lfm_span_contains(response, lfm_span_of(","));
    return LFM_OK;
}

static const struct lfm_ifeval_check checks[] = {
    {"keywords:existence", "keywords", keywords_existence},
    {"keywords:frequency", "keyword frequency relation", keywords_frequency},
    {"keywords:forbidden_words", "forbidden_words", keywords_forbidden_words},
    {"keywords:letter_frequency", "letter let_frequency let_relation", keywords_letter_frequency},
    {"language:response_language", "language", language_response_language},
    {"length_constraints:number_sentences", "num_sentences relation", length_number_sentences},
    {"length_constraints:number_paragraphs", "num_paragraphs", length_number_paragraphs},
    {"length_constraints:number_words", "num_words relation", length_number_words},
    {"length_constraints:nth_paragraph_first_word", "num_paragraphs nth_paragraph first_word",
     length_nth_paragraph_first_word},
    {"detectable_content:number_placeholders", "num_placeholders", content_number_placeholders},
    {"detectable_content:postscript", "postscript_marker", content_postscript},
    {"detectable_format:number_bullet_lists", "num_bullets", format_number_bullet_lists},
    {"detectable_format:constrained_response", "", format_constrained_response},
    {"detectable_format:number_highlighted_sections", "num_highlights", format_number_highlighted_sections},
    {"detectable_format:multiple_sections", "section_spliter num_sections", format_multiple_sections},
    {"detectable_format:json_format", "", format_json},
    {"detectable_format:title", "", format_title},
    {"combination:two_responses", "", combination_two_responses},
    {"combination:repeat_prompt", "prompt_to_repeat", combination_repeat_prompt},
    {"startend:end_checker", "end_phrase", startend_end_checker},
    {"startend:quotation", "", startend_quotation},
    {"change_case:capital_word_frequency", "capital_frequency capital_relation", case_capital_word_frequency},
    {"change_case:english_capital", "", case_english_capital},
    {"change_case:english_lowercase", "", case_english_lowercase},
    {"punctuation:no_comma", "", punctuation_no_comma},
};

const struct lfm_ifeval_check *lfm_ifeval_check_by_id(const char *id)
{
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        if (strcmp(checks[i].id, id) == 0) return &checks[i];
    return NULL;
}

/* Whether the words of `list` have this one. */
static bool is_listed(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = list; (at = strstr(at, word)) != NULL; at += length)
        if ((at == list || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0')) return true;
    return false;
}

enum lfm_status lfm_ifeval_check_arguments(const struct lfm_ifeval_check *check, const cJSON *kwargs,
                                           struct lfm_error *error)
{
    const cJSON *argument;
    bool out;
    cJSON_ArrayForEach(argument, kwargs)
    {
        if (cJSON_IsNull(argument) || is_listed(check->arguments, argument->string)) continue;
        return lfm_fail(error, LFM_ERROR_FORMAT, "%s takes no argument '%.40s' (%s)", check->id, argument->string,
                        *check->arguments ? check->arguments : "it takes none");
    }
    if (check->follows(kwargs, lfm_span_of("x"), &out, error) == LFM_OK) return LFM_OK;
    return lfm_fail_in(error, "%s", check->id);
}

/* --- strict and loose --- */

enum lfm_status lfm_ifeval_strict(const struct lfm_ifeval_check *check, const cJSON *kwargs, struct lfm_span response,
                                  bool *out, struct lfm_error *error)
{
    *out = false;
    return lfm_py_is_blank(response) ? LFM_OK : check->follows(kwargs, response, out, error);
}

/* Without its first `head` and last `tail` lines, stripped when anything was to be left out. */
static struct lfm_span without_lines(struct lfm_span text, bool head, bool tail)
{
    struct lfm_span part = text;
    const char *first = memchr(text.at, '\n', text.length);
    if (!head && !tail) return text;
    if (!first) return (struct lfm_span){text.at, 0};
    if (head) part = (struct lfm_span){first + 1, text.length - (size_t)(first + 1 - text.at)};
    if (tail) {
        while (part.length > 0 && part.at[part.length - 1] != '\n') part.length--;
        if (part.length > 0) part.length--;
    }
    return lfm_py_strip(part);
}

static enum lfm_status without_asterisks(struct lfm_buffer *out, struct lfm_span text, struct lfm_error *error)
{
    lfm_buffer_clear(out);
    for (size_t start = 0, i = 0; i <= text.length; i++) {
        if (i < text.length && text.at[i] != '*') continue;
        LFM_TRY(lfm_buffer_append(out, text.at + start, i - start, error));
        start = i + 1;
    }
    return LFM_OK;
}

enum lfm_status lfm_ifeval_loose(const struct lfm_ifeval_check *check, const cJSON *kwargs, struct lfm_span response,
                                 bool strict, bool *out, struct lfm_error *error)
{
    struct lfm_buffer bare = {0};
    enum lfm_status status = LFM_OK;
    *out = strict;
    for (unsigned lines = 0; lines < 4 && status == LFM_OK && !*out; lines++) {
        struct lfm_span text = without_lines(response, lines & 1, lines & 2);
        if (lines > 0) status = lfm_ifeval_strict(check, kwargs, text, out, error);
        if (status != LFM_OK || *out || !memchr(text.at, '*', text.length)) continue;
        status = without_asterisks(&bare, text, error);
        if (status == LFM_OK)
            status = lfm_ifeval_strict(check, kwargs, (struct lfm_span){bare.data, bare.length}, out, error);
    }
    lfm_buffer_release(&bare);
    return status;
}
