/* str methods and re against Python's own (scripts/golden/text.py). */
#include "eval/text/python_text.h"
#include "tests/unit/text_cases.h"

static struct lfm_error error;

static void assert_span(struct lfm_span observed, const char *expected, const char *what, const char *text)
{
    cr_assert(lfm_span_equals(observed, lfm_span_of(expected)), "%s is '%.*s', expected '%s', of: %s", what,
              (int)observed.length, observed.at, expected, text);
}

/* --- str --- */

static void check_case(const cJSON *row)
{
    struct lfm_span text = text_of(row, "text");
    struct lfm_buffer lower = {0};
    assert_ok(lfm_py_lower(&lower, text, &error));
    assert_span((struct lfm_span){lower.data, lower.length}, text_of(row, "lower").at, "lower()", text.at);
    cr_assert(lfm_py_is_upper(text) == cJSON_IsTrue(item_of(row, "isupper")), "isupper() of: %s", text.at);
    cr_assert(lfm_py_is_lower(text) == cJSON_IsTrue(item_of(row, "islower")), "islower() of: %s", text.at);
    lfm_buffer_release(&lower);
}

Test(python_text, has_the_case_python_gives_it)
{
    each_text_case(check_case);
}

static void check_oracle_case(const cJSON *row)
{
    struct lfm_span text = text_of(row, "text");
    cr_assert(lfm_py_is_upper(text) == cJSON_IsTrue(item_of(row, "isupper")), "isupper() of: %s", text.at);
    cr_assert(lfm_py_is_lower(text) == cJSON_IsTrue(item_of(row, "islower")), "islower() of: %s", text.at);
}

Test(python_text_oracle, has_the_case_of_the_oracle)
{
    each_oracle_case(check_oracle_case);
}

static void check_strip(const cJSON *row)
{
    struct lfm_span text = text_of(row, "text");
    assert_span(lfm_py_strip(text), text_of(row, "strip").at, "strip()", text.at);
    cr_assert(lfm_py_is_blank(text) == (text_of(row, "strip").length == 0), "is blank: %s", text.at);
}

Test(python_text, is_stripped_as_python_strips)
{
    each_text_case(check_strip);
}

static void check_split(const cJSON *row)
{
    struct lfm_span text = text_of(row, "text"), rest = text, word;
    const cJSON *expected = item_of(row, "split")->child;
    for (; lfm_py_next_word(&rest, &word); expected = expected->next) {
        cr_assert_not_null(expected, "more words than split() has: %s", text.at);
        assert_span(word, expected->valuestring, "a word", text.at);
    }
    cr_assert_null(expected, "fewer words than split() has: %s", text.at);
    rest = text;
    expected = item_of(row, "lines")->child;
    for (bool more = true; lfm_py_next_piece(&rest, "\n", &more, &word); expected = expected->next) {
        cr_assert_not_null(expected, "more lines than split('\\n') has: %s", text.at);
        assert_span(word, expected->valuestring, "a line", text.at);
    }
    cr_assert_null(expected, "fewer lines than split('\\n') has: %s", text.at);
}

Test(python_text, is_split_as_python_splits)
{
    each_text_case(check_split);
}

Test(python_text, is_split_at_longer_separators)
{
    static const char *const expected[] = {"a", "", "*b", ""};
    struct lfm_span rest = lfm_span_of("a******" "******" "*b******"), piece;
    size_t n = 0;
    for (bool more = true; lfm_py_next_piece(&rest, "******", &more, &piece); n++) {
        cr_assert(n < 4, "too many pieces");
        assert_span(piece, expected[n], "a piece", "stars");
    }
    cr_assert(n == 4, "%zu pieces", n);
}

Test(python_text, loses_given_characters_at_its_ends)
{
    assert_span(lfm_py_strip_left(lfm_span_of("''\"a'"), "'"), "\"a'", "lstrip", "");
    assert_span(lfm_py_strip_right(lfm_span_of("«a»\"\""), "\""), "«a»", "rstrip", "");
    assert_span(lfm_py_strip_right(lfm_span_of("***"), "*"), "", "rstrip", "");
    assert_span(lfm_py_strip_right(lfm_span_of("a\xC2\xA0\xE2\x80\x83"), NULL), "a", "rstrip", "");
}

Test(spans, compare_by_bytes)
{
    struct lfm_span empty = {0}, text = lfm_span_of("abcabd");
    cr_assert(lfm_span_equals(empty, lfm_span_of("")) && !lfm_span_equals(text, lfm_span_of("abcabc")));
    cr_assert(lfm_span_starts_with(text, lfm_span_of("abc")) && !lfm_span_starts_with(text, lfm_span_of("b")));
    cr_assert(lfm_span_ends_with(text, lfm_span_of("abd")) && !lfm_span_ends_with(lfm_span_of("d"), text));
    cr_assert(lfm_span_contains(text, lfm_span_of("abd")) && lfm_span_contains(text, lfm_span_of("d")));
    cr_assert(lfm_span_contains(text, empty) && lfm_span_contains(empty, empty));
    cr_assert(!lfm_span_contains(text, lfm_span_of("abe")) && !lfm_span_contains(empty, text));
}

/* --- re --- */

static unsigned flags_of(const cJSON *row)
{
    const char *flags = text_of(row, "flags").at;
    return (strchr(flags, 'I') ? LFM_RE_IGNORECASE : 0u) | (strchr(flags, 'M') ? LFM_RE_MULTILINE : 0u);
}

static void assert_groups(const struct lfm_span groups[LFM_MAX_GROUPS], const cJSON *expected, struct lfm_span text,
                          const char *pattern)
{
    for (size_t i = 0; expected; expected = expected->next, i++) {
        int start = groups[i].at ? (int)points_before(text, groups[i].at) : -1;
        int end = groups[i].at ? start + (int)lfm_count_points(groups[i]) : -1;
        cr_assert(start == expected->child->valueint && end == expected->child->next->valueint,
                  "group %zu of %s is %d-%d, expected %d-%d, in: %s", i, pattern, start, end, expected->child->valueint,
                  expected->child->next->valueint, text.at);
    }
}

static void check_matches(const cJSON *row)
{
    struct lfm_span text = text_of(row, "text"), pattern = text_of(row, "pattern"), groups[LFM_MAX_GROUPS];
    struct lfm_pattern *compiled;
    size_t position = 0, n = 0, counted;
    bool found;
    assert_ok(lfm_pattern_compile(&compiled, pattern, flags_of(row), &error));
    const cJSON *expected = item_of(row, "matches")->child;
    for (;; expected = expected->next, n++) {
        assert_ok(lfm_pattern_next(compiled, text, &position, groups, &found, &error));
        cr_assert(found == (expected != NULL), "%s has %s matches than %zu in: %s", pattern.at, found ? "more" : "no more", n, text.at);
        if (!found) break;
        assert_groups(groups, expected->child, text, pattern.at);
    }
    assert_ok(lfm_pattern_count(compiled, text, &counted, &error));
    cr_assert(counted == n, "%zu matches are counted, %zu found", counted, n);
    lfm_pattern_free(compiled);
}

Test(python_re, a_constant_is_compiled_once_for_each_set_of_flags)
{
    static const char pattern[] = "A+";
    const struct lfm_pattern *first, *again, *caseless;
    size_t count;
    assert_ok(lfm_pattern_constant(&first, pattern, 0, &error));
    assert_ok(lfm_pattern_constant(&again, pattern, 0, &error));
    assert_ok(lfm_pattern_constant(&caseless, pattern, LFM_RE_IGNORECASE, &error));
    cr_assert(first == again && first != caseless);
    assert_ok(lfm_pattern_count(first, lfm_span_of("aAAbA"), &count, &error));
    cr_assert(count == 2);
    assert_ok(lfm_pattern_count(caseless, lfm_span_of("aAAbA"), &count, &error));
    cr_assert(count == 2);
    assert_ok(lfm_pattern_count(caseless, lfm_span_of("aba"), &count, &error));
    cr_assert(count == 2);
    assert_fails(lfm_pattern_constant(&again, "(", 0, &error), LFM_ERROR_FORMAT, "cannot use the pattern '('");
}

Test(python_re, matches_where_python_matches)
{
    each_row("tests/golden/text/patterns.jsonl", check_matches);
}

static void check_replacement(const cJSON *row)
{
    struct lfm_span text = text_of(row, "text"), pattern = text_of(row, "pattern");
    struct lfm_pattern *compiled;
    struct lfm_buffer out = {0};
    if (strstr(text_of(row, "replacement").at, "\\0")) return;
    assert_ok(lfm_pattern_compile(&compiled, pattern, flags_of(row), &error));
    assert_ok(lfm_pattern_replace(compiled, text, text_of(row, "replacement").at, &out, &error));
    cr_assert_str_eq(out.data, text_of(row, "replaced").at, "re.sub of %s gives '%s', expected '%s'", pattern.at, out.data,
                     text_of(row, "replaced").at);
    lfm_buffer_release(&out);
    lfm_pattern_free(compiled);
}

Test(python_re, replaces_as_python_does)
{
    each_row("tests/golden/text/patterns.jsonl", check_replacement);
}

Test(python_re, searches_from_a_place_on)
{
    struct lfm_span groups[LFM_MAX_GROUPS], text = lfm_span_of("a1 b2");
    struct lfm_pattern *pattern;
    bool found;
    assert_ok(lfm_pattern_compile(&pattern, lfm_span_of("([a-z])(\\d)|(x)"), 0, &error));
    assert_ok(lfm_pattern_search(pattern, text, 1, groups, &found, &error));
    cr_assert(found && groups[1].at == text.at + 3 && groups[2].at == text.at + 4 && groups[3].at == NULL);
    assert_ok(lfm_pattern_search(pattern, text, 4, groups, &found, &error));
    cr_assert(!found);
    lfm_pattern_free(pattern);
}

Test(python_re, refuses_what_is_no_pattern)
{
    struct lfm_pattern *pattern;
    assert_fails(lfm_pattern_compile(&pattern, lfm_span_of("(a"), 0, &error), LFM_ERROR_FORMAT, "cannot use the pattern '(a'");
    cr_assert_null(pattern);
}

Test(python_re, gives_up_instead_of_never_ending)
{
    struct lfm_pattern *pattern;
    struct lfm_span groups[LFM_MAX_GROUPS];
    bool found;
    assert_ok(lfm_pattern_compile(&pattern, lfm_span_of("(a+)+$"), 0, &error));
    assert_fails(lfm_pattern_search(pattern, lfm_span_of("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"), 0, groups, &found,
                                    &error), LFM_ERROR_LIMIT, "gave up");
    lfm_pattern_free(pattern);
}
