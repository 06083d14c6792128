/* UTF-8: finding characters, and repairing what is none. */
#ifndef LFM_BASE_UTF8_H
#define LFM_BASE_UTF8_H

#include "reference/base/buffer.h"
#include "reference/base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Length of the valid character at text[0..length), 0 when there is none; then *broken is the length of the maximal
 * subpart to be replaced (The Unicode Standard, section 3.9, "U+FFFD Substitution of Maximal Subparts"). */
size_t lfm_utf8_length(const char *text, size_t length, size_t *broken);
/* Appends the text with U+FFFD for each maximal subpart that is no UTF-8, as Python's errors="replace" does. */
enum lfm_status lfm_utf8_repair(struct lfm_buffer *out, const char *text, size_t length, struct lfm_error *error);
/* Length of the longest beginning of the text that no further bytes could change: all of it, unless it ends in the
 * beginning of a character. */
size_t lfm_utf8_complete(const char *text, size_t length);
/* The code point of the valid character text[0..length). */
unsigned lfm_utf8_code_point(const char *text, size_t length);
/* Unicode's White_Space property. */
bool lfm_is_white_space(unsigned code_point);
/* Narrows the text by what Python's str.strip() takes away at both ends. */
void lfm_utf8_strip(const char **text, size_t *length);

#endif
