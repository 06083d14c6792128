/* GPT-2's byte-to-character alphabet. See tokenizer_parts.h.
 *
 * The alphabet (openai/gpt-2, bytes_to_unicode): the bytes 0x21-0x7E, 0xA1-0xAC and 0xAE-0xFF stand for the character
 * of the same number; the 68 others, in ascending order, for U+0100, U+0101, ... */
#include "reference/model/tokenizer_parts.h"

static bool is_own_character(unsigned byte)
{
    return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
}

/* The other bytes are 0x00-0x20 (33 of them), 0x7F-0xA0 (34) and 0xAD. */
static unsigned spelled(unsigned byte)
{
    if (is_own_character(byte)) return byte;
    if (byte <= 0x20) return 0x100 + byte;
    return byte == 0xAD ? 0x143 : 0x121 + (byte - 0x7F);
}

static int unspelled(unsigned character)
{
    if (character <= 0xFF) return is_own_character(character) ? (int)character : -1;
    if (character <= 0x120) return (int)(character - 0x100);
    if (character <= 0x142) return (int)(character - 0x121 + 0x7F);
    return character == 0x143 ? 0xAD : -1;
}

enum lfm_status lfm_spell_bytes(struct lfm_buffer *out, const char *bytes, size_t length, struct lfm_error *error)
{
    char chunk[512];
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned character = spelled((unsigned char)bytes[i]);
        if (character < 0x80) {
            chunk[used++] = (char)character;
        } else {
            chunk[used++] = (char)(0xC0 | character >> 6);
            chunk[used++] = (char)(0x80 | (character & 0x3F));
        }
        if (used + 2 > sizeof chunk) {
            LFM_TRY(lfm_buffer_append(out, chunk, used, error));
            used = 0;
        }
    }
    return lfm_buffer_append(out, chunk, used, error);
}

enum lfm_status lfm_unspell(struct lfm_buffer *out, const char *text, size_t length, struct lfm_error *error)
{
    size_t before = out->length;
    for (size_t i = 0; i < length;) {
        unsigned lead = (unsigned char)text[i], character = lead;
        size_t n = 1;
        if (lead >= 0xC2 && lead <= 0xDF && i + 1 < length) {
            character = (lead & 0x1F) << 6 | ((unsigned char)text[i + 1] & 0x3F);
            n = 2;
        }
        int byte = lead >= 0x80 && n == 1 ? -1 : unspelled(character);
        if (byte < 0) {
            out->length = before;
            return lfm_buffer_append(out, text, length, error);
        }
        char value = (char)byte;
        LFM_TRY(lfm_buffer_append(out, &value, 1, error));
        i += n;
    }
    return lfm_buffer_append(out, "", 0, error);
}
