/* Python's re on PCRE2: see python_text.h. */
#include "eval/text/python_text.h"
#include "reference/base/memory.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct lfm_pattern {
    pcre2_code *code;
};

#define SPACES \
    "\\x{9}-\\x{D}\\x{1C}-\\x{20}\\x{85}\\x{A0}\\x{1680}\\x{2000}-\\x{200A}\\x{2028}\\x{2029}\\x{202F}\\x{205F}\\x{3000}"
#define NO_SPACES                                                                                        \
    "\\x{0}-\\x{8}\\x{E}-\\x{1B}\\x{21}-\\x{84}\\x{86}-\\x{9F}\\x{A1}-\\x{167F}\\x{1681}-\\x{1FFF}"      \
    "\\x{200B}-\\x{2027}\\x{202A}-\\x{202E}\\x{2030}-\\x{205E}\\x{2060}-\\x{2FFF}\\x{3001}-\\x{D7FF}"    \
    "\\x{E000}-\\x{10FFFF}"
/* Letters, numbers and the low line. PCRE2's \w was that up to 10.42; from 10.43 on it has marks and connectors too. */
#define WORD "\\p{L}\\p{N}_"
#define NO_WORD                                                                        \
    "\\p{M}\\p{S}\\p{Z}\\p{C}\\p{Pd}\\p{Ps}\\p{Pe}\\p{Pi}\\p{Pf}\\p{Po}"               \
    "\\x{203F}\\x{2040}\\x{2054}\\x{FE33}\\x{FE34}\\x{FE4D}-\\x{FE4F}\\x{FF3F}"

/* How PCRE2 spells an escape of Python's, outside a class and in one; NULL when it spells it the same. */
static const char *escape_spelling(char c, bool in_class)
{
    switch (c) {
    case 's': return in_class ? SPACES : "[" SPACES "]";
    case 'S': return in_class ? NO_SPACES : "[^" SPACES "]";
    case 'w': return in_class ? WORD : "[" WORD "]";
    case 'W': return in_class ? NO_WORD : "[^" WORD "]";
    case 'd': return "\\p{Nd}";
    case 'D': return "\\P{Nd}";
    case 'b': return in_class ? NULL : "(?:(?<![" WORD "])(?=[" WORD "])|(?<=[" WORD "])(?![" WORD "]))";
    case 'B': return in_class ? NULL : "(?:(?<=[" WORD "])(?=[" WORD "])|(?<![" WORD "])(?![" WORD "]))";
    case 'Z': return in_class ? NULL : "\\z";
    default: return NULL;
    }
}

/* Bytes of a quantifier without a lower bound, "{,3}" or "{,}", which Python takes as from 0 and PCRE2 as text; else 0. */
static size_t open_quantifier_length(struct lfm_span rest)
{
    size_t n = 2;
    if (rest.length < 3 || rest.at[0] != '{' || rest.at[1] != ',') return 0;
    while (n < rest.length && rest.at[n] >= '0' && rest.at[n] <= '9') n++;
    return n < rest.length && rest.at[n] == '}' ? n + 1 : 0;
}

/* Bytes of what the class has next: a range ("a-z") or one byte. */
static size_t range_length(struct lfm_span rest)
{
    return rest.length > 2 && rest.at[1] == '-' && !strchr("]\\", rest.at[2]) ? 3 : 1;
}

/* Whether a character or a range has the letter i. */
static bool has_i(struct lfm_span range)
{
    unsigned char first = (unsigned char)range.at[0], last = (unsigned char)range.at[range.length - 1];
    return (first <= 'i' && 'i' <= last) || (first <= 'I' && 'I' <= last);
}

/* Bytes of the start of a group that are no text to match: "(?P<name>", "(?P=name)", "(?i:", "(?<=". */
static size_t group_start_length(struct lfm_span rest)
{
    size_t n = 2;
    if (rest.length < 2 || rest.at[1] != '?') return 1;
    const char *ends = lfm_span_starts_with(rest, lfm_span_of("(?P<")) ? ">" : ":=!)>";
    if (lfm_span_starts_with(rest, lfm_span_of("(?P="))) ends = ")";
    while (n < rest.length && !strchr(ends, rest.at[n])) n++;
    return n < rest.length ? n + 1 : n;
}

/* Bytes of the start of a class, a bracket in front of which does not close it: "[", "[^", "[]", "[^]". */
static size_t class_start_length(struct lfm_span rest)
{
    size_t n = rest.length > 1 && rest.at[1] == '^' ? 2 : 1;
    return rest.length > n && rest.at[n] == ']' ? n + 1 : n;
}

/* Python's ignorecase joins i with dotted and dotless i; PCRE2's does not. */
#define OTHER_I "\\x{130}\\x{131}"

static bool is_other_i(struct lfm_span rest)
{
    return lfm_span_starts_with(rest, lfm_span_of("\xC4\xB0")) || lfm_span_starts_with(rest, lfm_span_of("\xC4\xB1"));
}

static enum lfm_status translate(struct lfm_buffer *out, struct lfm_span pattern, unsigned flags, struct lfm_error *error)
{
    bool in_class = false, caseless = flags & LFM_RE_IGNORECASE;
    for (size_t i = 0, used; i < pattern.length; i += used) {
        struct lfm_span rest = {pattern.at + i, pattern.length - i};
        const char *spelling = NULL, *before = "";
        used = 1;
        if (rest.at[0] == '\\' && rest.length > 1) {
            spelling = escape_spelling(rest.at[1], in_class);
            used = 2;
        } else if (in_class) {
            used = range_length(rest);
            in_class = rest.at[0] != ']';
            if (rest.at[0] == '[') before = "\\"; /* else "[:" would begin a class of POSIX */
            if (caseless && (is_other_i(rest) || has_i((struct lfm_span){rest.at, used}))) before = "i" OTHER_I;
        } else if (rest.at[0] == '[') {
            used = class_start_length(rest);
            in_class = true;
        } else if (rest.at[0] == '(') {
            used = group_start_length(rest);
        } else if (open_quantifier_length(rest) > 0) {
            spelling = "{0";
        } else if (caseless && (is_other_i(rest) || has_i((struct lfm_span){rest.at, 1}))) {
            used = is_other_i(rest) ? 2 : 1;
            spelling = "[i" OTHER_I "]";
        }
        LFM_TRY(lfm_buffer_puts(out, before, error));
        LFM_TRY(spelling ? lfm_buffer_puts(out, spelling, error) : lfm_buffer_append(out, rest.at, used, error));
    }
    return lfm_buffer_append(out, "", 0, error);
}

enum lfm_status lfm_pattern_compile(struct lfm_pattern **out, struct lfm_span pattern, unsigned flags,
                                    struct lfm_error *error)
{
    struct lfm_buffer translated = {0};
    uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_NO_UTF_CHECK;
    int code;
    PCRE2_SIZE offset;
    *out = NULL;
    if (flags & LFM_RE_IGNORECASE) options |= PCRE2_CASELESS;
    if (flags & LFM_RE_MULTILINE) options |= PCRE2_MULTILINE;
    LFM_TRY(translate(&translated, pattern, flags, error));
    enum lfm_status status = LFM_ALLOC(out, 1, error);
    if (status == LFM_OK) {
        pcre2_compile_context *context = pcre2_compile_context_create(NULL);
        if (context) pcre2_set_newline(context, PCRE2_NEWLINE_LF);
        (*out)->code = pcre2_compile((PCRE2_SPTR)translated.data, translated.length, options, &code, &offset, context);
        pcre2_compile_context_free(context);
        if (!(*out)->code) {
            PCRE2_UCHAR message[128];
            pcre2_get_error_message(code, message, sizeof message);
            status = lfm_fail(error, LFM_ERROR_FORMAT, "cannot use the pattern '%.*s': %s", (int)pattern.length, pattern.at,
                              (const char *)message);
        }
    }
    lfm_buffer_release(&translated);
    if (status == LFM_OK) return LFM_OK;
    lfm_pattern_free(*out);
    *out = NULL;
    return status;
}

void lfm_pattern_free(struct lfm_pattern *pattern)
{
    if (!pattern) return;
    pcre2_code_free(pattern->code);
    free(pattern);
}

/* --- constants --- */

struct constant {
    const char *text;
    unsigned flags;
    struct lfm_pattern *pattern;
    struct constant *next;
};

static pthread_mutex_t constants_lock = PTHREAD_MUTEX_INITIALIZER;
static struct constant *constants;

static enum lfm_status add_constant(struct constant **out, const char *text, unsigned flags, struct lfm_error *error)
{
    struct constant *constant;
    LFM_TRY(LFM_ALLOC(&constant, 1, error));
    enum lfm_status status = lfm_pattern_compile(&constant->pattern, lfm_span_of(text), flags, error);
    if (status != LFM_OK) {
        free(constant);
        return status;
    }
    pcre2_jit_compile(constant->pattern->code, PCRE2_JIT_COMPLETE); /* without it, matching is only slower */
    constant->text = text;
    constant->flags = flags;
    constant->next = constants;
    *out = constants = constant;
    return LFM_OK;
}

enum lfm_status lfm_pattern_constant(const struct lfm_pattern **out, const char *pattern, unsigned flags,
                                     struct lfm_error *error)
{
    enum lfm_status status = LFM_OK;
    pthread_mutex_lock(&constants_lock);
    struct constant *constant = constants;
    while (constant && (constant->text != pattern || constant->flags != flags)) constant = constant->next;
    if (!constant) status = add_constant(&constant, pattern, flags, error);
    pthread_mutex_unlock(&constants_lock);
    if (status == LFM_OK) *out = constant->pattern;
    return status;
}

/* --- matching --- */

static enum lfm_status match(const struct lfm_pattern *pattern, struct lfm_span text, size_t start, uint32_t options,
                             struct lfm_span groups[LFM_MAX_GROUPS], bool *found, struct lfm_error *error)
{
    const char *subject = text.at ? text.at : "";
    pcre2_match_data *data = pcre2_match_data_create(LFM_MAX_GROUPS, NULL);
    if (!data) return lfm_fail(error, LFM_ERROR_MEMORY, "cannot match a pattern: out of memory");
    int result = pcre2_match(pattern->code, (PCRE2_SPTR)subject, text.length, start, options | PCRE2_NO_UTF_CHECK, data, NULL);
    if (result == PCRE2_ERROR_JIT_STACKLIMIT)
        result = pcre2_match(pattern->code, (PCRE2_SPTR)subject, text.length, start,
                             options | PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, data, NULL);
    *found = result >= 0;
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(data);
    for (int i = 0; *found && i < LFM_MAX_GROUPS; i++) {
        bool set = (result == 0 || i < result) && ends[2 * i] != PCRE2_UNSET;
        groups[i] = set ? (struct lfm_span){subject + ends[2 * i], ends[2 * i + 1] - ends[2 * i]} : (struct lfm_span){0};
    }
    pcre2_match_data_free(data);
    if (result >= 0 || result == PCRE2_ERROR_NOMATCH) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_LIMIT, "a pattern gave up on a text of %zu bytes (PCRE2 error %d)", text.length, result);
}

enum lfm_status lfm_pattern_search(const struct lfm_pattern *pattern, struct lfm_span text, size_t start,
                                   struct lfm_span groups[LFM_MAX_GROUPS], bool *found, struct lfm_error *error)
{
    return match(pattern, text, start, 0, groups, found, error);
}

enum lfm_status lfm_pattern_next(const struct lfm_pattern *pattern, struct lfm_span text, size_t *position,
                                 struct lfm_span groups[LFM_MAX_GROUPS], bool *found, struct lfm_error *error)
{
    /* *position is twice the byte to go on at, plus one when an empty match there has been delivered */
    size_t start = *position / 2;
    *found = false;
    if (start > text.length) return LFM_OK;
    uint32_t options = *position % 2 ? PCRE2_NOTEMPTY_ATSTART : 0;
    LFM_TRY(match(pattern, text, start, options, groups, found, error));
    if (!*found) return LFM_OK;
    size_t end = (size_t)(groups[0].at - (text.at ? text.at : groups[0].at)) + groups[0].length;
    *position = 2 * end + (groups[0].length == 0);
    return LFM_OK;
}

enum lfm_status lfm_pattern_count(const struct lfm_pattern *pattern, struct lfm_span text, size_t *count,
                                  struct lfm_error *error)
{
    struct lfm_span groups[LFM_MAX_GROUPS];
    size_t position = 0;
    bool found = true;
    for (*count = 0; found; *count += found)
        LFM_TRY(lfm_pattern_next(pattern, text, &position, groups, &found, error));
    return LFM_OK;
}

static enum lfm_status put_replacement(const char *replacement, const struct lfm_span groups[LFM_MAX_GROUPS],
                                       struct lfm_buffer *out, struct lfm_error *error)
{
    for (const char *at = replacement; *at; at++) {
        if (at[0] == '\\' && at[1] >= '1' && at[1] < '0' + LFM_MAX_GROUPS) {
            const struct lfm_span group = groups[at[1] - '0'];
            LFM_TRY(lfm_buffer_append(out, group.at, group.length, error));
            at++;
        } else {
            LFM_TRY(lfm_buffer_append(out, at, 1, error));
        }
    }
    return LFM_OK;
}

enum lfm_status lfm_pattern_replace(const struct lfm_pattern *pattern, struct lfm_span text, const char *replacement,
                                    struct lfm_buffer *out, struct lfm_error *error)
{
    struct lfm_span groups[LFM_MAX_GROUPS];
    size_t position = 0, copied = 0;
    bool found;
    for (;;) {
        LFM_TRY(lfm_pattern_next(pattern, text, &position, groups, &found, error));
        if (!found) break;
        size_t start = (size_t)(groups[0].at - text.at);
        LFM_TRY(lfm_buffer_append(out, text.at + copied, start - copied, error));
        LFM_TRY(put_replacement(replacement, groups, out, error));
        copied = start + groups[0].length;
    }
    return lfm_buffer_append(out, text.at + copied, text.length - copied, error);
}
