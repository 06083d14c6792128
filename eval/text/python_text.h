/* Python's view of text: str methods and re, on UTF-8, as the official scorers use them (CPython 3.11, Unicode 14).
 *
 * White space is str.isspace(); case is Unicode's by libunistring; patterns run on PCRE2, with what means something else
 * in Python's re rewritten: \s (U+001C-U+001F belong to it, U+180E does not), \w, \d and \b (whatever PCRE2's version
 * takes for a word), \Z, and the letter i when case is ignored.
 * All text is valid UTF-8. */
#ifndef LFM_EVAL_TEXT_PYTHON_TEXT_H
#define LFM_EVAL_TEXT_PYTHON_TEXT_H

#include "reference/base/buffer.h"
#include "reference/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of text; borrowed, not zero-terminated. */
struct lfm_span {
    const char *at;
    size_t length; /* bytes */
};

struct lfm_span lfm_span_of(const char *text); /* of a C string */
bool lfm_span_equals(struct lfm_span a, struct lfm_span b);
bool lfm_span_starts_with(struct lfm_span text, struct lfm_span prefix);
bool lfm_span_ends_with(struct lfm_span text, struct lfm_span suffix);
bool lfm_span_contains(struct lfm_span text, struct lfm_span part);

/* The code point at *at, which moves on; *at < end. */
uint32_t lfm_next_point(const char **at, const char *end);
size_t lfm_count_points(struct lfm_span text);

/* str.isspace() of one code point. */
bool lfm_py_is_space(uint32_t point);
/* str.strip(), str.lstrip(), str.rstrip(); with `characters` (ASCII) those instead of white space. */
struct lfm_span lfm_py_strip(struct lfm_span text);
struct lfm_span lfm_py_strip_left(struct lfm_span text, const char *characters);
struct lfm_span lfm_py_strip_right(struct lfm_span text, const char *characters);
bool lfm_py_is_blank(struct lfm_span text); /* strip() leaves nothing */

/* str.split() without argument: the next run of non-space of *rest, which moves on; false when there is none. */
bool lfm_py_next_word(struct lfm_span *rest, struct lfm_span *word);
/* str.split(separator): the next piece of *rest; start with *more = true; false after the last. */
bool lfm_py_next_piece(struct lfm_span *rest, const char *separator, bool *more, struct lfm_span *piece);

/* Appends str.lower(). */
enum lfm_status lfm_py_lower(struct lfm_buffer *out, struct lfm_span text, struct lfm_error *error);
/* str.isupper(), str.islower(): at least one cased character, and none of the other case. */
bool lfm_py_is_upper(struct lfm_span text);
bool lfm_py_is_lower(struct lfm_span text);

/* --- re --- */

struct lfm_pattern; /* a compiled pattern */

enum { LFM_RE_IGNORECASE = 1, LFM_RE_MULTILINE = 2 };

/* Compiles a pattern in Python's dialect. Fails with PCRE2's message and the place in the pattern. */
enum lfm_status lfm_pattern_compile(struct lfm_pattern **out, struct lfm_span pattern, unsigned flags,
                                    struct lfm_error *error);
void lfm_pattern_free(struct lfm_pattern *pattern); /* NULL is fine */

/* The same for a string constant: compiled at its first use, for all threads, and kept as long as the program runs. */
enum lfm_status lfm_pattern_constant(const struct lfm_pattern **out, const char *pattern, unsigned flags,
                                     struct lfm_error *error);

enum { LFM_MAX_GROUPS = 8 };

/* re.search from byte `start`: groups[0] is the match, groups[i] the i-th group ({NULL, 0} when it took no part).
 * *found tells. Fails when PCRE2 gives up (its limits on backtracking). */
enum lfm_status lfm_pattern_search(const struct lfm_pattern *pattern, struct lfm_span text, size_t start,
                                   struct lfm_span groups[LFM_MAX_GROUPS], bool *found, struct lfm_error *error);

/* re.finditer: call with *position = 0 at first; each call gives the next match and moves *position on, past empty
 * matches as Python does. */
enum lfm_status lfm_pattern_next(const struct lfm_pattern *pattern, struct lfm_span text, size_t *position,
                                 struct lfm_span groups[LFM_MAX_GROUPS], bool *found, struct lfm_error *error);

/* len(re.findall(pattern, text)). */
enum lfm_status lfm_pattern_count(const struct lfm_pattern *pattern, struct lfm_span text, size_t *count,
                                  struct lfm_error *error);

/* re.sub: appends text with every match replaced; "\1" to "\9" in `replacement` are groups, other text is as it stands. */
enum lfm_status lfm_pattern_replace(const struct lfm_pattern *pattern, struct lfm_span text, const char *replacement,
                                    struct lfm_buffer *out, struct lfm_error *error);

#endif
