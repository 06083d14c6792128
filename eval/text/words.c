/* word_tokenize: see sentences.h. The rules are those of nltk/tokenize/destructive.py 3.9.1, which follows the Penn
 * Treebank's: rewrites of the sentence, one after the other, then a cut at white space. */
#include "eval/text/sentences.h"

struct rule {
    const char *pattern, *replacement;
    unsigned flags;
};

static const struct rule opening_rules[] = {
    /* opening quotes */
    {"([«“‘„]|[`]+)", " \\1 ", 0},
    {"^\"", "``", 0},
    {"(``)", " \\1 ", 0},
    {"([ (\\[{<])(\"|'{2})", "\\1 `` ", 0},
    {"(')(?!re|ve|ll|m|t|s|d|n)(\\w)\\b", "\\1 \\2", LFM_RE_IGNORECASE},
    /* punctuation */
    {"([^.])(\\.)([\\])}>\"'»”’ ]*+)\\s*+$", "\\1 \\2 \\3 ", 0}, /* possessive: the same, in linear time */
    {"([:,])([^\\d])", " \\1 \\2", 0},
    {"([:,])$", " \\1 ", 0},
    {"(\\.{2,})", " \\1 ", 0},
    {"([;@#$%&])", " \\1 ", 0},
    {"([^.])(\\.)([\\])}>\"']*)\\s*$", "\\1 \\2\\3 ", 0},
    {"([?!])", " \\1 ", 0},
    {"([^'])' ", "\\1 ' ", 0},
    {"([*])", " \\1 ", 0},
    /* brackets and dashes */
    {"([\\]\\[(){}<>])", " \\1 ", 0},
    {"--", " -- ", 0},
};

static const struct rule closing_rules[] = {
    /* closing quotes */
    {"([»”’])", " \\1 ", 0},
    {"''", " '' ", 0},
    {"\"", " '' ", 0},
    {"\\s+", " ", 0},
    {"([^' ])('[sS]|'[mM]|'[dD]|') ", "\\1 \\2 ", 0},
    {"([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) ", "\\1 \\2 ", 0},
    /* contractions, after Robert MacIntyre's list */
    {"\\b(can)(not)\\b", " \\1 \\2 ", LFM_RE_IGNORECASE},
    {"\\b(d)('ye)\\b", " \\1 \\2 ", LFM_RE_IGNORECASE},
    {"\\b(gim)(me)\\b", " \\1 \\2 ", LFM_RE_IGNORECASE},
    {"\\b(gon)(na)\\b", " \\1 \\2 ", LFM_RE_IGNORECASE},
    {"\\b(got)(ta)\\b", " \\1 \\2 ", LFM_RE_IGNORECASE},
    {"\\b(lem)(me)\\b", " \\1 \\2 ", LFM_RE_IGNORECASE},
    {"\\b(more)('n)\\b", " \\1 \\2 ", LFM_RE_IGNORECASE},
    {"\\b(wan)(na)(?=\\s)", " \\1 \\2 ", LFM_RE_IGNORECASE},
    {" ('t)(is)\\b", " \\1 \\2 ", LFM_RE_IGNORECASE},
    {" ('t)(was)\\b", " \\1 \\2 ", LFM_RE_IGNORECASE},
};

enum {
    OPENING_RULES = sizeof opening_rules / sizeof opening_rules[0],
    CLOSING_RULES = sizeof closing_rules / sizeof closing_rules[0]
};

struct tokenizer {
    const struct lfm_pattern *opening[OPENING_RULES], *closing[CLOSING_RULES];
    struct lfm_buffer text, spare;
};

static enum lfm_status compile(const struct lfm_pattern **patterns, const struct rule *rules, size_t n, struct lfm_error *error)
{
    for (size_t i = 0; i < n; i++)
        LFM_TRY(lfm_pattern_constant(&patterns[i], rules[i].pattern, rules[i].flags, error));
    return LFM_OK;
}

static void release(struct tokenizer *tokenizer)
{
    lfm_buffer_release(&tokenizer->text);
    lfm_buffer_release(&tokenizer->spare);
}

/* text = re.sub(pattern, replacement, text) for one rule after the other. */
static enum lfm_status rewrite(struct tokenizer *tokenizer, const struct lfm_pattern *const *patterns, const struct rule *rules,
                               size_t n, struct lfm_error *error)
{
    for (size_t i = 0; i < n; i++) {
        struct lfm_buffer before = tokenizer->text;
        lfm_buffer_clear(&tokenizer->spare);
        LFM_TRY(lfm_pattern_replace(patterns[i], (struct lfm_span){before.data, before.length}, rules[i].replacement,
                                    &tokenizer->spare, error));
        tokenizer->text = tokenizer->spare;
        tokenizer->spare = before;
    }
    return LFM_OK;
}

/* A space on either side makes the closing rules easier. */
static enum lfm_status pad(struct tokenizer *tokenizer, struct lfm_error *error)
{
    struct lfm_buffer before = tokenizer->text;
    lfm_buffer_clear(&tokenizer->spare);
    LFM_TRY(lfm_buffer_append(&tokenizer->spare, " ", 1, error));
    LFM_TRY(lfm_buffer_append(&tokenizer->spare, before.data, before.length, error));
    LFM_TRY(lfm_buffer_append(&tokenizer->spare, " ", 1, error));
    tokenizer->text = tokenizer->spare;
    tokenizer->spare = before;
    return LFM_OK;
}

static enum lfm_status add_tokens(struct lfm_buffer *out, size_t *count, struct lfm_span text, struct lfm_error *error)
{
    struct lfm_span word;
    while (lfm_py_next_word(&text, &word)) {
        LFM_TRY(lfm_buffer_append(out, word.at, word.length, error));
        LFM_TRY(lfm_buffer_append(out, "", 1, error));
        ++*count;
    }
    return LFM_OK;
}

static enum lfm_status tokenize(struct tokenizer *tokenizer, struct lfm_buffer *out, size_t *count,
                                struct lfm_span sentence, struct lfm_error *error)
{
    lfm_buffer_clear(&tokenizer->text);
    LFM_TRY(lfm_buffer_append(&tokenizer->text, sentence.at, sentence.length, error));
    LFM_TRY(rewrite(tokenizer, tokenizer->opening, opening_rules, OPENING_RULES, error));
    LFM_TRY(pad(tokenizer, error));
    LFM_TRY(rewrite(tokenizer, tokenizer->closing, closing_rules, CLOSING_RULES, error));
    return add_tokens(out, count, (struct lfm_span){tokenizer->text.data, tokenizer->text.length}, error);
}

enum lfm_status lfm_word_tokens(struct lfm_buffer *out, size_t *count, struct lfm_span text, struct lfm_error *error)
{
    struct tokenizer tokenizer = {0};
    struct lfm_spans sentences = {0};
    *count = 0;
    enum lfm_status status = lfm_split_sentences(&sentences, text, error);
    if (status == LFM_OK) status = compile(tokenizer.opening, opening_rules, OPENING_RULES, error);
    if (status == LFM_OK) status = compile(tokenizer.closing, closing_rules, CLOSING_RULES, error);
    for (size_t i = 0; status == LFM_OK && i < sentences.count; i++)
        status = tokenize(&tokenizer, out, count, sentences.items[i], error);
    lfm_spans_release(&sentences);
    release(&tokenizer);
    return status;
}
