/* The pre-tokenizer: a chain of steps that cut text into pieces. See tokenizer_parts.h.
 *
 * Patterns come in the dialect of tokenizer.json, Oniguruma's with Ruby's syntax, and run on PCRE2. Where the two give
 * one spelling different meanings, the pattern is rewritten; what has no counterpart is refused by name. */
#include "reference/base/memory.h"
#include "reference/model/tokenizer_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Oniguruma's \s is Unicode's White_Space; PCRE2's adds U+180E. Both as ranges for use inside a class. */
#define SPACES \
    "\\x{9}-\\x{D}\\x{20}\\x{85}\\x{A0}\\x{1680}\\x{2000}-\\x{200A}\\x{2028}\\x{2029}\\x{202F}\\x{205F}\\x{3000}"
#define NO_SPACES                                                                                     \
    "\\x{0}-\\x{8}\\x{E}-\\x{1F}\\x{21}-\\x{84}\\x{86}-\\x{9F}\\x{A1}-\\x{167F}\\x{1681}-\\x{1FFF}"   \
    "\\x{200B}-\\x{2027}\\x{202A}-\\x{202E}\\x{2030}-\\x{205E}\\x{2060}-\\x{2FFF}\\x{3001}-\\x{D7FF}" \
    "\\x{E000}-\\x{10FFFF}"

/* --- translation --- */

enum { MAX_GROUPS = 64 };

struct translation {
    const char *pattern; /* what is read, whole, for messages */
    const char *at;
    struct lfm_buffer *out;
    size_t depth;        /* of character classes */
    size_t atom;         /* where in `out` the last item begins that a quantifier could follow */
    size_t groups[MAX_GROUPS]; /* where the open groups begin */
    size_t n_groups;
    struct lfm_error *error;
};

static enum lfm_status refuse(const struct translation *t, const char *what)
{
    return lfm_fail(t->error, LFM_ERROR_FORMAT,
                    "cannot use the pre-tokenizer pattern '%.200s': %s at byte %zu is not supported", t->pattern, what,
                    (size_t)(t->at - t->pattern));
}

static enum lfm_status emit(struct translation *t, const char *text)
{
    return lfm_buffer_puts(t->out, text, t->error);
}

/* Copies n characters of the pattern and moves on. */
static enum lfm_status copy(struct translation *t, size_t n)
{
    LFM_TRY(lfm_buffer_append(t->out, t->at, n, t->error));
    t->at += n;
    return LFM_OK;
}

static bool is_letter_or_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_hexadecimal(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

static enum lfm_status translate_code_point(struct translation *t)
{
    for (size_t i = 2; i < 6; i++)
        if (!is_hexadecimal(t->at[i])) return refuse(t, "'\\u' without four digits");
    LFM_TRY(emit(t, "\\x{"));
    t->at += 2;
    LFM_TRY(copy(t, 4));
    return emit(t, "}");
}

/* Whether Unicode has a script of this name. */
static bool is_script(const char *name, size_t length)
{
    char pattern[64];
    int code, n = snprintf(pattern, sizeof pattern, "\\p{sc:%.*s}", (int)length, name);
    PCRE2_SIZE offset;
    if (n < 0 || (size_t)n >= sizeof pattern) return false;
    pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)pattern, (size_t)n, PCRE2_UTF, &code, &offset, NULL);
    pcre2_code_free(compiled);
    return compiled != NULL;
}

/* A script's name is the script alone; in PCRE2 it would be what the script is also used with. */
static enum lfm_status translate_property(struct translation *t)
{
    const char *end = t->at[2] == '{' ? strchr(t->at, '}') : NULL;
    if (!end) return refuse(t, "'\\p' without braces");
    size_t negation = t->at[3] == '^' ? 1 : 0;
    const char *name = t->at + 3 + negation;
    bool script = is_script(name, (size_t)(end - name));
    LFM_TRY(copy(t, 3 + negation));
    if (script) LFM_TRY(emit(t, "sc:"));
    return copy(t, (size_t)(end - t->at) + 1);
}

static enum lfm_status translate_escape(struct translation *t)
{
    char c = t->at[1];
    const char *replacement = NULL;
    if (c == '\0') return refuse(t, "a backslash at the end");
    if (c == 's') replacement = t->depth ? SPACES : "[" SPACES "]";
    if (c == 'S') replacement = t->depth ? NO_SPACES : "[^" SPACES "]";
    if (c == 'd') replacement = "\\p{Nd}";
    if (c == 'D') replacement = "\\P{Nd}";
    if (c == 'v') replacement = "\\x{B}";
    if (c == 'u') return translate_code_point(t);
    if (replacement) {
        t->at += 2;
        return emit(t, replacement);
    }
    if (c == 'p' || c == 'P') return translate_property(t);
    if (is_letter_or_digit(c) && !strchr("rntfaexAz", c)) return refuse(t, "this escape");
    return copy(t, 2);
}

static enum lfm_status translate_in_class(struct translation *t)
{
    char c = t->at[0];
    if (c == '&' && t->at[1] == '&') return refuse(t, "an intersection of classes");
    if (c == '[') {
        /* A class inside a class is a union: its brackets add nothing. */
        const char *name = t->at + 2;
        while (is_letter_or_digit(*name)) name++;
        bool posix = t->at[1] == ':' && name[0] == ':' && name[1] == ']';
        if (t->at[1] == '^' || posix) return refuse(t, "this inner class");
        t->depth++;
        t->at++;
        return LFM_OK;
    }
    if (c == ']' && --t->depth > 0) {
        t->at++;
        return LFM_OK;
    }
    return copy(t, 1);
}

static enum lfm_status translate_group(struct translation *t)
{
    if (t->n_groups == MAX_GROUPS) return refuse(t, "so deep a group");
    t->groups[t->n_groups++] = t->out->length;
    if (t->at[1] == '*') return refuse(t, "'(*'");
    if (t->at[1] != '?') return copy(t, 1);
    size_t n = 2;
    if (strchr("<", t->at[2]) && t->at[2]) n = 3;
    if (t->at[n] && strchr(":=!>", t->at[n])) return copy(t, n + 1);
    if (t->at[2] == 'i' && (t->at[3] == ':' || t->at[3] == ')')) return copy(t, 4);
    return refuse(t, "this kind of group");
}

/* Length of a quantifier such as {1,3}, 0 when these braces are none. */
static size_t quantifier_length(const char *at)
{
    size_t inner = strspn(at + 1, "0123456789,");
    if (at[1] == ',' && inner == 1) return 0;
    return inner > 0 && at[1 + inner] == '}' ? inner + 2 : 0;
}

/* Ruby's X{,m} is X{0,m}, and its X{n,m}+ repeats what PCRE2 would take as possessive: (?:X{n,m})+ */
static enum lfm_status translate_quantifier(struct translation *t, size_t length)
{
    static const char open[] = "(?:";
    size_t moved = t->out->length - t->atom;
    bool repeated = t->at[length] == '+';
    if (repeated) {
        LFM_TRY(emit(t, open));
        memmove(t->out->data + t->atom + 3, t->out->data + t->atom, moved);
        memcpy(t->out->data + t->atom, open, 3);
    }
    LFM_TRY(copy(t, 1));
    if (*t->at == ',') LFM_TRY(emit(t, "0"));
    LFM_TRY(copy(t, length - 1));
    return repeated ? emit(t, ")") : LFM_OK;
}

static enum lfm_status translate_close(struct translation *t)
{
    if (t->n_groups == 0) return refuse(t, "')' without '('");
    t->atom = t->groups[--t->n_groups];
    return copy(t, 1);
}

/* One item outside of classes. */
static enum lfm_status translate_item(struct translation *t)
{
    char c = *t->at;
    size_t quantifier = c == '{' ? quantifier_length(t->at) : 0;
    bool continues = ((unsigned char)c & 0xC0) == 0x80; /* a byte inside a character */
    if (quantifier) return translate_quantifier(t, quantifier);
    if (c == ')') return translate_close(t);
    if (!strchr("*+?", c) && !continues) t->atom = t->out->length;
    if (c == '\\') return translate_escape(t);
    if (c == '(') return translate_group(t);
    if (c != '[') return copy(t, 1);
    t->depth = 1;
    LFM_TRY(copy(t, t->at[1] == '^' ? 2 : 1));
    return *t->at == ']' ? refuse(t, "an empty class") : LFM_OK;
}

static enum lfm_status translate(struct lfm_buffer *out, const char *pattern, struct lfm_error *error)
{
    struct translation t = {.pattern = pattern, .at = pattern, .out = out, .error = error};
    while (*t.at) {
        if (t.depth == 0)
            LFM_TRY(translate_item(&t));
        else if (*t.at == '\\')
            LFM_TRY(translate_escape(&t));
        else
            LFM_TRY(translate_in_class(&t));
    }
    return t.depth ? refuse(&t, "a class without end") : LFM_OK;
}

/* --- steps --- */

static enum lfm_status compile(pcre2_code **out, const char *pattern, bool literal, struct lfm_error *error)
{
    struct lfm_buffer translated = {0};
    pcre2_compile_context *context = NULL;
    enum lfm_status status = LFM_OK;
    uint32_t options = PCRE2_UTF | (literal ? PCRE2_LITERAL : PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C);
    if (literal)
        LFM_TRY_DONE(lfm_buffer_puts(&translated, pattern, error));
    else
        LFM_TRY_DONE(translate(&translated, pattern, error));
    context = pcre2_compile_context_create(NULL);
    if (!context) {
        status = lfm_fail(error, LFM_ERROR_MEMORY, "cannot compile a pattern: out of memory");
        goto done;
    }
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    int code;
    PCRE2_SIZE offset;
    *out = pcre2_compile((PCRE2_SPTR)translated.data, translated.length, options, &code, &offset, context);
    if (!*out) {
        PCRE2_UCHAR message[200];
        pcre2_get_error_message(code, message, sizeof message);
        status = lfm_fail(error, LFM_ERROR_FORMAT, "cannot use the pre-tokenizer pattern '%.200s': %s", pattern,
                          (const char *)message);
        goto done;
    }
    pcre2_jit_compile(*out, PCRE2_JIT_COMPLETE); /* where that is not possible the interpreter runs it */
done:
    pcre2_compile_context_free(context);
    lfm_buffer_release(&translated);
    return status;
}

enum lfm_status lfm_splitter_add(struct lfm_splitter *splitter, int kind, struct lfm_error *error)
{
    if (splitter->count == LFM_MAX_SPLIT_STEPS)
        return lfm_fail(error, LFM_ERROR_LIMIT, "the pre-tokenizer has more than %d steps", LFM_MAX_SPLIT_STEPS);
    splitter->steps[splitter->count] = (struct lfm_split_step){0};
    splitter->steps[splitter->count++].kind = kind;
    return LFM_OK;
}

enum lfm_status lfm_splitter_add_pattern(struct lfm_splitter *splitter, const char *pattern, bool literal,
                                         enum lfm_split_behavior behavior, bool invert, struct lfm_error *error)
{
    if (!*pattern) return lfm_fail(error, LFM_ERROR_FORMAT, "the pre-tokenizer has an empty pattern");
    pcre2_code *code = NULL;
    LFM_TRY(compile(&code, pattern, literal, error));
    enum lfm_status status = lfm_splitter_add(splitter, LFM_STEP_PATTERN, error);
    if (status != LFM_OK) {
        pcre2_code_free(code);
        return status;
    }
    struct lfm_split_step *step = &splitter->steps[splitter->count - 1];
    step->code = code;
    step->behavior = behavior;
    step->invert = invert;
    return LFM_OK;
}

void lfm_splitter_release(struct lfm_splitter *splitter)
{
    for (size_t i = 0; i < splitter->count; i++) pcre2_code_free(splitter->steps[i].code);
    *splitter = (struct lfm_splitter){0};
}

void lfm_pieces_release(struct lfm_pieces *pieces)
{
    free(pieces->items);
    lfm_buffer_release(&pieces->text);
    *pieces = (struct lfm_pieces){0};
}

static enum lfm_status append(struct lfm_pieces *pieces, size_t start, size_t length, bool match,
                              struct lfm_error *error)
{
    LFM_TRY(LFM_GROW(&pieces->items, &pieces->capacity, pieces->count + 1, error));
    pieces->items[pieces->count++] = (struct lfm_piece){start, length, match};
    return LFM_OK;
}

static enum lfm_status run_pattern(const pcre2_code *code, pcre2_match_data *data, const char *text, size_t length,
                                   size_t offset, bool *found, size_t *start, size_t *end, struct lfm_error *error)
{
    int count = pcre2_match(code, (PCRE2_SPTR)text, length, offset, PCRE2_NO_UTF_CHECK, data, NULL);
    if (count == PCRE2_ERROR_JIT_STACKLIMIT)
        count = pcre2_match(code, (PCRE2_SPTR)text, length, offset, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, data, NULL);
    *found = count >= 0;
    if (count < 0 && count != PCRE2_ERROR_NOMATCH) {
        PCRE2_UCHAR message[200];
        pcre2_get_error_message(count, message, sizeof message);
        return lfm_fail(error, LFM_ERROR_LIMIT, "cannot split a text of %zu bytes into words: %s", length,
                        (const char *)message);
    }
    if (*found) {
        *start = pcre2_get_ovector_pointer(data)[0];
        *end = pcre2_get_ovector_pointer(data)[1];
    }
    return LFM_OK;
}

/* Matches and what lies between them, in order. As in tokenizers, an empty match right after a match does not count. */
static enum lfm_status find_matches(const struct lfm_split_step *step, pcre2_match_data *data, const char *text,
                                    const struct lfm_piece *piece, struct lfm_pieces *out, struct lfm_error *error)
{
    const char *subject = text + piece->start;
    size_t done = 0, offset = 0;
    bool after_match = false;
    while (offset <= piece->length) {
        bool found;
        size_t start = 0, end = 0;
        LFM_TRY(run_pattern(step->code, data, subject, piece->length, offset, &found, &start, &end, error));
        if (!found || end < start) break;
        if (start == end && after_match && start == done) {
            if (offset == piece->length) break;
            size_t broken = 1, n = lfm_utf8_length(subject + offset, piece->length - offset, &broken);
            offset += n ? n : broken;
            continue;
        }
        if (start > done) LFM_TRY(append(out, piece->start + done, start - done, step->invert, error));
        LFM_TRY(append(out, piece->start + start, end - start, !step->invert, error));
        done = offset = end;
        after_match = true;
    }
    if (done < piece->length) LFM_TRY(append(out, piece->start + done, piece->length - done, step->invert, error));
    return LFM_OK;
}

/* Joins or drops the pieces out[from..] as the behavior says. */
static void apply_behavior(enum lfm_split_behavior behavior, struct lfm_pieces *out, size_t from)
{
    size_t kept = from;
    bool previous = false;
    for (size_t i = from; i < out->count; i++) {
        struct lfm_piece piece = out->items[i];
        bool first = kept == from, join = false;
        if (behavior == LFM_SPLIT_WITH_PREVIOUS) join = !first && piece.match && !previous;
        if (behavior == LFM_SPLIT_CONTIGUOUS) join = !first && piece.match == previous;
        if (behavior == LFM_SPLIT_WITH_NEXT) join = !first && !piece.match && previous;
        previous = piece.match;
        if (behavior == LFM_SPLIT_REMOVED && piece.match) continue;
        if (join)
            out->items[kept - 1].length += piece.length;
        else
            out->items[kept++] = piece;
    }
    out->count = kept;
    for (kept = from; from < out->count; from++)
        if (out->items[from].length > 0) out->items[kept++] = out->items[from];
    out->count = kept;
}

static enum lfm_status step_pattern(const struct lfm_split_step *step, const struct lfm_pieces *in,
                                    struct lfm_piece **items, size_t *count, size_t *capacity, struct lfm_error *error)
{
    struct lfm_pieces out = {.items = *items, .capacity = *capacity};
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    enum lfm_status status = data ? LFM_OK : lfm_fail(error, LFM_ERROR_MEMORY, "cannot split a text: out of memory");
    for (size_t i = 0; i < in->count && status == LFM_OK; i++) {
        size_t from = out.count;
        status = find_matches(step, data, in->text.data, &in->items[i], &out, error);
        apply_behavior(step->behavior, &out, from);
    }
    pcre2_match_data_free(data);
    *items = out.items;
    *count = out.count;
    *capacity = out.capacity;
    return status;
}

/* Rewrites the text: a space in front of pieces that have none, or the spelling in GPT-2's alphabet. */
static enum lfm_status step_rewrite(bool spell, struct lfm_pieces *pieces, struct lfm_error *error)
{
    struct lfm_buffer text = {0};
    enum lfm_status status = LFM_OK;
    for (size_t i = 0; i < pieces->count; i++) {
        struct lfm_piece *piece = &pieces->items[i];
        const char *bytes = pieces->text.data + piece->start;
        piece->start = text.length;
        if (spell) {
            LFM_TRY_DONE(lfm_spell_bytes(&text, bytes, piece->length, error));
        } else {
            if (piece->length && bytes[0] != ' ') LFM_TRY_DONE(lfm_buffer_puts(&text, " ", error));
            LFM_TRY_DONE(lfm_buffer_append(&text, bytes, piece->length, error));
        }
        piece->length = text.length - piece->start;
    }
done:
    lfm_buffer_release(&pieces->text);
    pieces->text = text;
    return status;
}

enum lfm_status lfm_split(const struct lfm_splitter *splitter, const char *text, size_t length,
                          struct lfm_pieces *pieces, struct lfm_error *error)
{
    struct lfm_piece *items = NULL;
    size_t count = 0, capacity = 0;
    enum lfm_status status;
    lfm_buffer_clear(&pieces->text);
    pieces->count = 0;
    LFM_TRY_DONE(lfm_buffer_append(&pieces->text, text, length, error));
    LFM_TRY_DONE(append(pieces, 0, length, false, error));
    for (size_t i = 0; i < splitter->count; i++) {
        const struct lfm_split_step *step = &splitter->steps[i];
        if (step->kind != LFM_STEP_PATTERN) {
            LFM_TRY_DONE(step_rewrite(step->kind == LFM_STEP_SPELL, pieces, error));
            continue;
        }
        status = step_pattern(step, pieces, &items, &count, &capacity, error);
        struct lfm_piece *spent = pieces->items;
        size_t spent_capacity = pieces->capacity;
        pieces->items = items;
        pieces->count = count;
        pieces->capacity = capacity;
        items = spent;
        capacity = spent_capacity;
        if (status != LFM_OK) goto done;
    }
done:
    free(items);
    return status;
}
