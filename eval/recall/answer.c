/* Exact match: see answer.h. */
#include "eval/recall/answer.h"

#include "eval/text/python_text.h"

#include <ctype.h>
#include <string.h>
#include <unictype.h>

static bool is_digit(char c)
{
    return isdigit((unsigned char)c) != 0;
}

/* The comma of 4,711: a digit before it, three after it and no fourth. `before` is what stands in front of it. */
static bool groups_digits(char before, const char *comma)
{
    return *comma == ',' && is_digit(before) && is_digit(comma[1]) && is_digit(comma[2]) && is_digit(comma[3]) &&
           !is_digit(comma[4]);
}

static enum lfm_status add_space(struct lfm_buffer *out, struct lfm_error *error)
{
    if (out->length > 0 && out->data[out->length - 1] == ' ') return LFM_OK;
    return lfm_buffer_puts(out, " ", error);
}

static enum lfm_status add_words(struct lfm_buffer *out, const struct lfm_buffer *lower, struct lfm_error *error)
{
    const char *end = lower->data + lower->length;
    LFM_TRY(add_space(out, error));
    for (const char *at = lower->data; at < end;) {
        const char *start = at;
        bool comma = at > lower->data && groups_digits(at[-1], at);
        uint32_t point = lfm_next_point(&at, end);
        if (comma) continue;
        if (uc_is_alnum(point)) LFM_TRY(lfm_buffer_append(out, start, (size_t)(at - start), error));
        else LFM_TRY(add_space(out, error));
    }
    return add_space(out, error);
}

enum lfm_status lfm_recall_normalise(struct lfm_buffer *out, const char *text, struct lfm_error *error)
{
    struct lfm_buffer lower = {0};
    enum lfm_status status = lfm_buffer_puts(&lower, "", error);
    if (status == LFM_OK) status = lfm_py_lower(&lower, lfm_span_of(text), error);
    if (status == LFM_OK) status = add_words(out, &lower, error);
    lfm_buffer_release(&lower);
    return status;
}

size_t lfm_recall_occurrences(const char *text, const char *phrase)
{
    size_t count = 0, length = strlen(phrase);
    if (length < 3) return 0; /* no word in it */
    for (const char *at = strstr(text, phrase); at; at = strstr(at + length - 1, phrase)) count++;
    return count;
}
