/* Punkt: see sentences.h. The decisions are those of Kiss and Strunk (2006), sections 4.1 to 4.3, with the cuts and the
 * quirks of nltk/tokenize/punkt.py 3.9.1. */
#include "eval/text/sentences.h"
#include "eval/text/tables.h"
#include "reference/base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <unictype.h>

/* Where the training text had a word, and in which case. */
enum {
    MIDDLE_UPPER = 1 << 2,
    START_LOWER = 1 << 4,
    ANY_UPPER = 1 << 1 | MIDDLE_UPPER | 1 << 3,
    ANY_LOWER = START_LOWER | 1 << 5 | 1 << 6
};

struct token {
    struct lfm_span text;
    size_t type, type_length; /* in the context's `types`: lower case, numbers as ##number## */
    bool ends_sentence, abbreviation, ellipsis;
};

/* The tokens around one possible end of a sentence. */
struct context {
    struct token *tokens; /* owned */
    size_t count, capacity;
    struct lfm_buffer types;
};

static bool is_one_of(char c, const char *characters)
{
    return c != '\0' && strchr(characters, c) != NULL;
}

static bool ends_with(struct lfm_span text, const char *suffix)
{
    return lfm_span_ends_with(text, lfm_span_of(suffix));
}

static bool equals(struct lfm_span text, const char *other)
{
    return lfm_span_equals(text, lfm_span_of(other));
}

/* Bytes of the white space at the start of the text, of one character or of all of it. */
static size_t space_length(const char *at, const char *end)
{
    const char *next = at;
    return at < end && lfm_py_is_space(lfm_next_point(&next, end)) ? (size_t)(next - at) : 0;
}

static size_t spaces_length(const char *at, const char *end)
{
    return (size_t)(lfm_py_strip_left((struct lfm_span){at, (size_t)(end - at)}, NULL).at - at);
}

void lfm_spans_release(struct lfm_spans *spans)
{
    free(spans->items);
    *spans = (struct lfm_spans){0};
}

static enum lfm_status add_span(struct lfm_spans *spans, const char *start, const char *end, struct lfm_error *error)
{
    if (start >= end) return LFM_OK;
    LFM_TRY(LFM_GROW(&spans->items, &spans->capacity, spans->count + 1, error));
    spans->items[spans->count++] = (struct lfm_span){start, (size_t)(end - start)};
    return LFM_OK;
}

/* --- words: the Punkt word pattern --- */

static const char not_in_words[] = ")\";}]*:@'({[?!";
static const char not_at_word_start[] = "(\"`{[:;&#*@)}]-,";

static size_t run_length(const char *at, const char *end, char c)
{
    size_t n = 0;
    while (at + n < end && at[n] == c) n++;
    return n;
}

/* (?:\.\s){2,}\. : the longest row of periods with one space between each two, at least three periods. */
static size_t spaced_periods(const char *at, const char *end)
{
    size_t periods = 0, length = 0;
    for (const char *next = at; next < end && *next == '.';) {
        periods++;
        length = (size_t)(next - at) + 1;
        size_t space = space_length(next + 1, end);
        if (space == 0) break;
        next += 1 + space;
    }
    return periods >= 3 ? length : 0;
}

/* \-{2,}|\.{2,}|(?:\.\s){2,}\. */
static size_t multiple_punctuation(const char *at, const char *end)
{
    if (at == end || !is_one_of(*at, "-.")) return 0;
    size_t run = run_length(at, end, *at);
    if (run >= 2) return run;
    return *at == '.' ? spaced_periods(at, end) : 0;
}

static bool is_break(const char *at, const char *end)
{
    return at == end || space_length(at, end) > 0 || is_one_of(*at, not_in_words) || multiple_punctuation(at, end) > 0;
}

static bool ends_word(const char *at, const char *end)
{
    return is_break(at, end) || (*at == ',' && is_break(at + 1, end));
}

/* The token at `at`, which is no space. */
static size_t token_length(const char *at, const char *end)
{
    size_t length = multiple_punctuation(at, end);
    if (length > 0) return length;
    const char *next = at;
    lfm_next_point(&next, end);
    if (is_one_of(*at, not_at_word_start)) return (size_t)(next - at);
    while (!ends_word(next, end)) lfm_next_point(&next, end);
    return (size_t)(next - at);
}

/* --- tokens --- */

static struct lfm_span type_of(const struct context *context, const struct token *token)
{
    return (struct lfm_span){context->types.data + token->type, token->type_length};
}

static struct lfm_span without_period(struct lfm_span type)
{
    /* a type of one character keeps it, and a single byte is the period alone */
    if (type.length > 1 && type.at[type.length - 1] == '.') type.length--;
    return type;
}

/* type_no_sentperiod: without the period when it ends a sentence */
static struct lfm_span bare_type(const struct context *context, const struct token *token)
{
    struct lfm_span type = type_of(context, token);
    return token->ends_sentence ? without_period(type) : type;
}

static bool starts_upper(const struct token *token)
{
    const char *next = token->text.at;
    lfm_next_point(&next, token->text.at + token->text.length);
    return lfm_py_is_upper((struct lfm_span){token->text.at, (size_t)(next - token->text.at)});
}

static bool starts_lower(const struct token *token)
{
    const char *next = token->text.at;
    lfm_next_point(&next, token->text.at + token->text.length);
    return lfm_py_is_lower((struct lfm_span){token->text.at, (size_t)(next - token->text.at)});
}

static bool is_digit(uint32_t point)
{
    return uc_is_general_category_withtable(point, UC_CATEGORY_MASK_Nd);
}

/* ^-?[\.,]?\d[\d,\.-]*\.?$ */
static bool is_number(struct lfm_span text)
{
    const char *at = text.at, *end = text.at + text.length;
    if (at < end && *at == '-') at++;
    if (at < end && is_one_of(*at, ".,")) at++;
    if (at == end || !is_digit(lfm_next_point(&at, end))) return false;
    while (at < end)
        if (is_one_of(*at, ",.-"))
            at++;
        else if (!is_digit(lfm_next_point(&at, end)))
            return false;
    return true;
}

/* [^\W\d]\.$ : a letter (or a number that is no digit, or a low line) and a period */
static bool is_initial(struct lfm_span text)
{
    if (text.length == 0) return false;
    const char *at = text.at, *end = text.at + text.length;
    uint32_t point = lfm_next_point(&at, end);
    if (end - at != 1 || *at != '.') return false;
    return point == '_' || (uc_is_general_category_withtable(point, UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_N) &&
                            !is_digit(point));
}

static bool is_abbreviation(struct lfm_span lower)
{
    struct lfm_span table = lfm_table(LFM_TABLE_ABBREVIATIONS), last = lower;
    if (lfm_table_find(table, lower, NULL)) return true;
    while (last.length > 0 && last.at[last.length - 1] != '-') last.length--;
    return lfm_table_find(table, (struct lfm_span){lower.at + last.length, lower.length - last.length}, NULL);
}

/* First pass: what the token is by itself. `lower` is its text in lower case. */
static void classify(struct token *token, struct lfm_span lower)
{
    struct lfm_span text = token->text;
    if (equals(text, ".") || equals(text, "?") || equals(text, "!"))
        token->ends_sentence = true;
    else if (text.length >= 2 && run_length(text.at, text.at + text.length, '.') == text.length)
        token->ellipsis = true;
    else if (ends_with(text, ".") && !ends_with(text, "..") && is_abbreviation(without_period(lower)))
        token->abbreviation = true;
    else if (ends_with(text, ".") && !ends_with(text, ".."))
        token->ends_sentence = true;
}

static enum lfm_status add_token(struct context *context, struct lfm_span text, struct lfm_error *error)
{
    LFM_TRY(LFM_GROW(&context->tokens, &context->capacity, context->count + 1, error));
    struct token *token = &context->tokens[context->count];
    *token = (struct token){.text = text, .type = context->types.length};
    LFM_TRY(lfm_py_lower(&context->types, text, error));
    token->type_length = context->types.length - token->type;
    classify(token, type_of(context, token));
    if (is_number(type_of(context, token))) {
        token->type = context->types.length;
        LFM_TRY(lfm_buffer_puts(&context->types, "##number##", error));
        token->type_length = context->types.length - token->type;
    }
    context->count++;
    return LFM_OK;
}

static enum lfm_status add_tokens_of_line(struct context *context, struct lfm_span line, struct lfm_error *error)
{
    const char *end = line.at + line.length;
    for (const char *at = line.at + spaces_length(line.at, end); at < end; at += spaces_length(at, end)) {
        size_t length = token_length(at, end);
        LFM_TRY(add_token(context, (struct lfm_span){at, length}, error));
        at += length;
    }
    return LFM_OK;
}

static enum lfm_status read_context(struct context *context, struct lfm_span text, struct lfm_error *error)
{
    struct lfm_span line;
    bool more = true;
    context->count = 0;
    lfm_buffer_clear(&context->types);
    while (lfm_py_next_piece(&text, "\n", &more, &line)) LFM_TRY(add_tokens_of_line(context, line, error));
    return LFM_OK;
}

/* --- decisions --- */

enum answer { NO, YES, UNKNOWN };

static unsigned orthography(struct lfm_span type)
{
    struct lfm_span value;
    unsigned flags = 0;
    if (!lfm_table_find(lfm_table(LFM_TABLE_ORTHOGRAPHY), type, &value)) return 0;
    for (size_t i = 0; i < value.length; i++) flags = 10 * flags + (unsigned)(value.at[i] - '0');
    return flags;
}

/* 4.1.1, the orthographic heuristic: does the token start a sentence? */
static enum answer starts_sentence(const struct context *context, const struct token *token)
{
    if (token->text.length == 1 && is_one_of(token->text.at[0], ";:,.!?")) return NO;
    unsigned seen = orthography(bare_type(context, token));
    if (starts_upper(token) && (seen & ANY_LOWER) && !(seen & MIDDLE_UPPER)) return YES;
    if (starts_lower(token) && ((seen & ANY_UPPER) || !(seen & START_LOWER))) return NO;
    return UNKNOWN;
}

static enum lfm_status is_collocation(struct lfm_buffer *key, struct lfm_span first, struct lfm_span second, bool *is,
                                      struct lfm_error *error)
{
    lfm_buffer_clear(key);
    LFM_TRY(lfm_buffer_append(key, first.at, first.length, error));
    LFM_TRY(lfm_buffer_append(key, "\t", 1, error));
    LFM_TRY(lfm_buffer_append(key, second.at, second.length, error));
    *is = lfm_table_find(lfm_table(LFM_TABLE_COLLOCATIONS), (struct lfm_span){key->data, key->length}, NULL);
    return LFM_OK;
}

/* 4.2 and 4.3: whether a token with a period ends a sentence, seen with the one after it. */
static void reclassify(const struct context *context, struct token *token, const struct token *next)
{
    bool initial = is_initial(token->text);
    struct lfm_span next_type = bare_type(context, next);
    enum answer answer = starts_sentence(context, next);
    if ((token->abbreviation || token->ellipsis) && !initial) {
        bool starter = starts_upper(next) && lfm_table_find(lfm_table(LFM_TABLE_STARTERS), next_type, NULL);
        if (answer == YES || starter) {
            token->ends_sentence = true;
            return;
        }
    }
    if (!initial && !equals(without_period(type_of(context, token)), "##number##")) return;
    bool never_lower = initial && starts_upper(next) && !(orthography(next_type) & ANY_LOWER);
    if (answer == NO || (answer == UNKNOWN && never_lower)) token->ends_sentence = false;
}

/* Whether a sentence ends after one of the tokens but the last. */
static enum lfm_status has_boundary(struct context *context, struct lfm_span text, struct lfm_buffer *key, bool *has,
                                    struct lfm_error *error)
{
    *has = false;
    LFM_TRY(read_context(context, text, error));
    for (size_t i = 0; i + 1 < context->count && !*has; i++) {
        struct token *token = &context->tokens[i], *next = token + 1;
        bool together = false;
        if (ends_with(token->text, ".")) {
            LFM_TRY(is_collocation(key, without_period(type_of(context, token)), bare_type(context, next), &together,
                                   error));
            if (!together) reclassify(context, token, next);
        }
        *has = token->ends_sentence && !together;
    }
    return LFM_OK;
}

/* --- the text --- */

/* A character that may end a sentence. */
struct candidate {
    const char *word; /* where the word before it starts */
    const char *at;
    const char *after; /* end of what follows in the context: a punctuation mark, or space and the next token */
    const char *next;  /* where the next sentence would start */
};

/* [.?!] with punctuation, or with space and a token, after it */
static bool find_candidate(const char *from, const char *end, struct candidate *found)
{
    for (const char *at = from; at < end; at++) {
        if (!is_one_of(*at, ".?!") || at + 1 == end) continue;
        const char *next = at + 1 + spaces_length(at + 1, end), *after = next;
        if (is_one_of(at[1], not_in_words)) {
            *found = (struct candidate){.at = at, .after = at + 2, .next = at + 1};
            return true;
        }
        if (next == at + 1 || next == end) continue;
        while (after < end && space_length(after, end) == 0) lfm_next_point(&after, end);
        *found = (struct candidate){.at = at, .after = after, .next = next};
        return true;
    }
    return false;
}

/* After the last ASCII white space between the previous candidate and this one. Without any, both are in one word; one at the
 * very start of the text counts as none (as punkt takes index 0 for "not found"). */
static const char *word_start(const char *previous_word, const char *previous, const char *at)
{
    for (const char *word = at; word > previous + 1; word--)
        if (is_one_of(word[-1], " \t\n\r\v\f")) return word;
    return previous_word;
}

struct splitter {
    struct lfm_spans *sentences; /* as cut, before closing punctuation moves back */
    struct context context;
    struct lfm_buffer key;
    const char *start; /* of the sentence being read */
};

static enum lfm_status cut_at(struct splitter *splitter, const struct candidate *candidate, struct lfm_error *error)
{
    bool cut;
    struct lfm_span around = {candidate->word, (size_t)(candidate->after - candidate->word)};
    LFM_TRY(has_boundary(&splitter->context, around, &splitter->key, &cut, error));
    if (!cut) return LFM_OK;
    LFM_TRY(add_span(splitter->sentences, splitter->start, candidate->at + 1, error));
    splitter->start = candidate->next;
    return LFM_OK;
}

/* Of candidates in one word, only the last is tried: a candidate waits until the next one's word is known. */
static enum lfm_status cut(struct splitter *splitter, struct lfm_span text, struct lfm_error *error)
{
    const char *end = text.at + text.length;
    struct candidate waiting = {.word = text.at, .at = text.at}, found;
    bool any = false;
    for (const char *from = text.at; find_candidate(from, end, &found); from = found.at + 1) {
        found.word = word_start(waiting.word, waiting.at, found.at);
        if (any && waiting.at <= found.word) LFM_TRY(cut_at(splitter, &waiting, error));
        waiting = found;
        any = true;
    }
    if (any) LFM_TRY(cut_at(splitter, &waiting, error));
    return add_span(splitter->sentences, splitter->start, text.at + lfm_py_strip_right(text, NULL).length, error);
}

/* Closing quotes and brackets at the start of a sentence, followed by space, "--" or its end: how long they are, and how
 * long with the space. */
static size_t closing_length(struct lfm_span sentence, size_t *with_space)
{
    const char *end = sentence.at + sentence.length, *at = sentence.at;
    while (at < end && is_one_of(*at, "\"')]}")) at++;
    size_t space = spaces_length(at, end);
    bool closes = at > sentence.at && (at == end || space > 0 || run_length(at, end, '-') >= 2);
    *with_space = closes ? (size_t)(at - sentence.at) + space : 0;
    return closes ? (size_t)(at - sentence.at) : 0;
}

/* Gives closing punctuation back to the sentence before it; drops sentences of which nothing is left. */
static enum lfm_status realign(struct lfm_spans *out, const struct lfm_spans *cuts, struct lfm_error *error)
{
    size_t moved = 0, moves = 0;
    for (size_t i = 0; i < cuts->count; i++, moved = moves) {
        const char *end = cuts->items[i].at + cuts->items[i].length;
        size_t closing = i + 1 < cuts->count ? closing_length(cuts->items[i + 1], &moves) : 0;
        if (closing > 0) end = cuts->items[i + 1].at + closing;
        LFM_TRY(add_span(out, cuts->items[i].at + moved, end, error));
    }
    return LFM_OK;
}

enum lfm_status lfm_split_sentences(struct lfm_spans *out, struct lfm_span text, struct lfm_error *error)
{
    if (text.length == 0) return LFM_OK;
    struct lfm_spans cuts = {0};
    struct splitter splitter = {.sentences = &cuts, .start = text.at};
    enum lfm_status status = cut(&splitter, text, error);
    if (status == LFM_OK) status = realign(out, &cuts, error);
    lfm_spans_release(&cuts);
    free(splitter.context.tokens);
    lfm_buffer_release(&splitter.context.types);
    lfm_buffer_release(&splitter.key);
    return status;
}
