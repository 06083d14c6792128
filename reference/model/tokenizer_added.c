/* Added tokens: cut out of the text before it is split into words. See tokenizer_parts.h.
 *
 * At each place the longest token wins. `special` ones are found only when the caller wants them; those with
 * `normalized` are looked for last, in what the others left. */
#include "reference/base/memory.h"
#include "reference/model/tokenizer_parts.h"

#include <stdlib.h>
#include <string.h>

enum lfm_status lfm_added_append(struct lfm_added *added, const struct lfm_added_token *token, struct lfm_error *error)
{
    LFM_TRY(LFM_GROW(&added->items, &added->capacity, added->count + 1, error));
    added->items[added->count++] = *token;
    return LFM_OK;
}

static int by_first_byte_then_longest(const void *left, const void *right)
{
    const struct lfm_added_token *a = left, *b = right;
    if (a->text[0] != b->text[0]) return (unsigned char)a->text[0] < (unsigned char)b->text[0] ? -1 : 1;
    if (a->length != b->length) return a->length > b->length ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

void lfm_added_sort(struct lfm_added *added)
{
    if (added->count > 1) qsort(added->items, added->count, sizeof *added->items, by_first_byte_then_longest);
    size_t i = 0;
    for (size_t byte = 0; byte < 256; byte++) {
        added->first[byte] = i;
        while (i < added->count && (unsigned char)added->items[i].text[0] == byte) i++;
    }
    added->first[256] = i;
}

static const struct lfm_added_token *find(const struct lfm_added *added, bool normalized, const char *text,
                                          size_t length)
{
    unsigned char byte = (unsigned char)text[0];
    for (size_t i = added->first[byte]; i < added->first[byte + 1]; i++) {
        const struct lfm_added_token *token = &added->items[i];
        if (token->normalized == normalized && token->length <= length && memcmp(text, token->text, token->length) == 0)
            return token;
    }
    return NULL;
}

static size_t character_before(const char *text, size_t end)
{
    size_t start = end - 1;
    while (start > 0 && ((unsigned char)text[start] & 0xC0) == 0x80) start--;
    return start;
}

/* True when the character that starts here is white space; *length is its length. */
static bool is_space(const char *text, size_t available, size_t *length)
{
    size_t broken = 1;
    *length = lfm_utf8_length(text, available, &broken);
    return *length && lfm_is_white_space(lfm_utf8_code_point(text, *length));
}

static size_t strip_left(const char *text, size_t floor, size_t start)
{
    while (start > floor) {
        size_t previous = character_before(text, start), length;
        if (previous < floor || !is_space(text + previous, start - previous, &length)) break;
        start = previous;
    }
    return start;
}

static size_t strip_right(const char *text, size_t stop, size_t length)
{
    size_t n;
    while (stop < length && is_space(text + stop, length - stop, &n)) stop += n;
    return stop;
}

static enum lfm_status append(struct lfm_segments *out, size_t start, size_t length, int32_t id,
                              struct lfm_error *error)
{
    if (length == 0 && id < 0) return LFM_OK;
    LFM_TRY(LFM_GROW(&out->items, &out->capacity, out->count + 1, error));
    out->items[out->count++] = (struct lfm_segment){start, length, id};
    return LFM_OK;
}

/* Cuts text[from..to) by the tokens of one kind. */
static enum lfm_status cut(const struct lfm_added *added, bool normalized, const char *text, size_t from, size_t to,
                           bool parse_special, struct lfm_segments *out, struct lfm_error *error)
{
    size_t done = from;
    for (size_t i = from; i < to;) {
        const struct lfm_added_token *token = find(added, normalized, text + i, to - i);
        if (!token) {
            i++;
            continue;
        }
        size_t start = i, stop = i + token->length;
        i = stop;
        if (start < done || (token->special && !parse_special)) continue;
        if (token->strip_left) start = strip_left(text, done, start);
        if (token->strip_right) stop = strip_right(text, stop, to);
        LFM_TRY(append(out, done, start - done, -1, error));
        LFM_TRY(append(out, start, stop - start, token->id, error));
        done = stop;
    }
    return append(out, done, to - done, -1, error);
}

enum lfm_status lfm_added_cut(const struct lfm_added *added, const char *text, size_t length, bool parse_special,
                              struct lfm_segments *out, struct lfm_error *error)
{
    struct lfm_segments first = {0};
    enum lfm_status status;
    out->count = 0;
    LFM_TRY_DONE(cut(added, false, text, 0, length, parse_special, &first, error));
    for (size_t i = 0; i < first.count; i++) {
        const struct lfm_segment *segment = &first.items[i];
        if (segment->id >= 0)
            LFM_TRY_DONE(append(out, segment->start, segment->length, segment->id, error));
        else
            LFM_TRY_DONE(
                cut(added, true, text, segment->start, segment->start + segment->length, parse_special, out, error));
    }
done:
    free(first.items);
    return status;
}
