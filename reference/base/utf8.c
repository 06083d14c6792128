/* UTF-8: see utf8.h. */
#include "reference/base/utf8.h"

/* Length of the sequence that this lead begins, 0 for a bad one, and the range of its second byte (Unicode, table 3-7). */
static size_t sequence(unsigned lead, unsigned *low, unsigned *high)
{
    *low = 0x80;
    *high = 0xBF;
    if (lead >= 0xC2 && lead <= 0xDF) return 2;
    if (lead >= 0xE0 && lead <= 0xEF) {
        if (lead == 0xE0) *low = 0xA0;
        if (lead == 0xED) *high = 0x9F;
        return 3;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        if (lead == 0xF0) *low = 0x90;
        if (lead == 0xF4) *high = 0x8F;
        return 4;
    }
    return 0;
}

size_t lfm_utf8_length(const char *text, size_t length, size_t *broken)
{
    const unsigned char *bytes = (const unsigned char *)text;
    if (length == 0) return *broken = 0;
    if (bytes[0] < 0x80) return 1;
    unsigned low, high;
    size_t wanted = sequence(bytes[0], &low, &high);
    size_t have = 1;
    while (have < wanted && have < length && bytes[have] >= low && bytes[have] <= high) {
        have++;
        low = 0x80;
        high = 0xBF;
    }
    if (wanted && have == wanted) return wanted;
    *broken = have;
    return 0;
}

enum lfm_status lfm_utf8_repair(struct lfm_buffer *out, const char *text, size_t length, struct lfm_error *error)
{
    size_t start = 0, i = 0;
    while (i < length) {
        size_t broken = 1, n = lfm_utf8_length(text + i, length - i, &broken);
        if (n) {
            i += n;
            continue;
        }
        LFM_TRY(lfm_buffer_append(out, text + start, i - start, error));
        LFM_TRY(lfm_buffer_puts(out, "\xEF\xBF\xBD", error));
        i += broken;
        start = i;
    }
    return lfm_buffer_append(out, text + start, length - start, error);
}

size_t lfm_utf8_complete(const char *text, size_t length)
{
    for (size_t back = 1; back <= 3 && back <= length; back++) {
        unsigned low, high;
        unsigned char lead = (unsigned char)text[length - back];
        if ((lead & 0xC0) == 0x80) continue;
        size_t broken = 0, wanted = lead < 0x80 ? 1 : sequence(lead, &low, &high);
        bool open = wanted > back && lfm_utf8_length(text + length - back, back, &broken) == 0 && broken == back;
        return open ? length - back : length;
    }
    return length;
}

unsigned lfm_utf8_code_point(const char *text, size_t length)
{
    unsigned value = (unsigned char)text[0];
    if (length > 1) value &= 0xFFu >> (length + 1);
    for (size_t i = 1; i < length; i++) value = value << 6 | ((unsigned char)text[i] & 0x3Fu);
    return value;
}

bool lfm_is_white_space(unsigned c)
{
    return (c >= 9 && c <= 13) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
           c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/* Python counts the separators U+001C to U+001F as white space, too. */
static bool is_stripped(const char *text, size_t length)
{
    unsigned c = lfm_utf8_code_point(text, length);
    return lfm_is_white_space(c) || (c >= 0x1C && c <= 0x1F);
}

void lfm_utf8_strip(const char **text, size_t *length)
{
    size_t broken, n;
    while (*length && (n = lfm_utf8_length(*text, *length, &broken)) && is_stripped(*text, n)) {
        *text += n;
        *length -= n;
    }
    while (*length) {
        size_t start = *length - 1;
        while (start > 0 && ((unsigned char)(*text)[start] & 0xC0) == 0x80) start--;
        n = lfm_utf8_length(*text + start, *length - start, &broken);
        if (n != *length - start || !is_stripped(*text + start, n)) break;
        *length = start;
    }
}
