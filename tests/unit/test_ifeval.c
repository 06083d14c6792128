/* IFEval's instructions: the quirks by hand, and agreement with recorded verdicts of the official scorer where those
 * are at hand (../shared/oracle/ifeval). */
#include "eval/ifeval/checks.h"
#include "eval/ifeval/ifeval.h"
#include "eval/ifeval/python_json.h"
#include "eval/text/json_lines.h"
#include "tests/unit/assert.h"
#include "tests/unit/directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool follows(const char *id, const char *kwargs, const char *response)
{
    struct lfm_error error = {0};
    const struct lfm_ifeval_check *check = lfm_ifeval_check_by_id(id);
    cr_assert_not_null(check, "no check '%s'", id);
    cJSON *arguments = cJSON_Parse(kwargs);
    cr_assert_not_null(arguments);
    bool out = false;
    assert_ok(lfm_ifeval_strict(check, arguments, lfm_span_of(response), &out, &error));
    cJSON_Delete(arguments);
    return out;
}

static bool follows_loosely(const char *id, const char *kwargs, const char *response)
{
    struct lfm_error error = {0};
    cJSON *arguments = cJSON_Parse(kwargs);
    bool out = false;
    bool strict = follows(id, kwargs, response);
    assert_ok(lfm_ifeval_loose(lfm_ifeval_check_by_id(id), arguments, lfm_span_of(response), strict, &out, &error));
    cJSON_Delete(arguments);
    return out;
}

static void assert_arguments(const char *id, const char *kwargs, const char *complaint)
{
    struct lfm_error error = {0};
    cJSON *arguments = cJSON_Parse(kwargs);
    cr_assert_not_null(arguments);
    const struct lfm_ifeval_check *check = lfm_ifeval_check_by_id(id);
    if (complaint)
        assert_fails(lfm_ifeval_check_arguments(check, arguments, &error), LFM_ERROR_FORMAT, complaint);
    else
        assert_ok(lfm_ifeval_check_arguments(check, arguments, &error));
    cJSON_Delete(arguments);
}

Test(ifeval, arguments_must_be_those_that_the_instruction_takes)
{
    const char *words = "length_constraints:number_words";
    assert_arguments(words, "{\"num_words\": 3, \"relation\": \"at least\"}", NULL);
    assert_arguments(words, "{\"num_words\": 3, \"relation\": \"at least\", \"keywords\": null}", NULL);
    assert_arguments(words, "{\"num_words\": 3, \"relation\": \"at least\", \"num\": 1}", "takes no argument 'num'");
    assert_arguments(words, "{\"num_words\": 3, \"relation\": \"at least\", \"words\": 1}", "takes no argument 'words'");
    assert_arguments(words, "{\"relation\": \"at least\"}", "num_words");
    assert_arguments("punctuation:no_comma", "{}", NULL);
    assert_arguments("punctuation:no_comma", "{\"a\": 1}", "takes no argument 'a' (it takes none)");
    assert_arguments("keywords:forbidden_words", "{\"forbidden_words\": [\"(\"]}", "cannot use the pattern");
}

Test(ifeval, a_blank_response_follows_nothing)
{
    cr_assert_not(follows("punctuation:no_comma", "{}", ""));
    cr_assert_not(follows("punctuation:no_comma", "{}", " \n\xE3\x80\x80"));
    cr_assert(follows("punctuation:no_comma", "{}", "no comma here"));
    cr_assert_not(follows("punctuation:no_comma", "{}", "a, b"));
    cr_assert(follows("punctuation:no_comma", "{}", "a\xEF\xBC\x8C b")); /* the fullwidth comma is none */
}

Test(ifeval, loose_forgives_a_first_line_a_last_line_and_asterisks)
{
    const char *kwargs = "{\"end_phrase\": \"the end\"}";
    cr_assert_not(follows("startend:end_checker", kwargs, "It was the end\nHope this helps!"));
    cr_assert(follows_loosely("startend:end_checker", kwargs, "It was the end\nHope this helps!"));
    cr_assert(follows_loosely("startend:end_checker", kwargs, "It was **the end**"));
    cr_assert(follows_loosely("punctuation:no_comma", "{}", "Sure, here it is:\nno commas"));
    cr_assert_not(follows_loosely("punctuation:no_comma", "{}", "one, line"));
}

Test(ifeval, keywords_are_found_inside_words_and_forbidden_words_are_not)
{
    cr_assert(follows("keywords:existence", "{\"keywords\": [\"cat\", \"Dog\"]}", "concatenate the dogma"));
    cr_assert_not(follows("keywords:existence", "{\"keywords\": [\"cat\", \"cow\"]}", "cat"));
    cr_assert(follows("keywords:forbidden_words", "{\"forbidden_words\": [\"cat\"]}", "concatenate"));
    cr_assert_not(follows("keywords:forbidden_words", "{\"forbidden_words\": [\"cat\"]}", "a CAT."));
    cr_assert(follows("keywords:frequency", "{\"keyword\": \" aa \", \"frequency\": 2, \"relation\": \"less than\"}", "aaa"));
    cr_assert(follows("keywords:frequency", "{\"keyword\": \"aa\", \"frequency\": 2, \"relation\": \"at least\"}", "aaaa"));
}

Test(ifeval, ignoring_case_joins_i_with_the_turkish_letters_as_python_does)
{
    cr_assert(follows("keywords:existence", "{\"keywords\": [\"istanbul\"]}", "\xC4\xB0stanbul"));
    cr_assert(follows("keywords:existence", "{\"keywords\": [\"kim\"]}", "k\xC4\xB1m"));
    cr_assert(follows("keywords:existence", "{\"keywords\": [\"\xC4\xB0stanbul\"]}", "istanbul"));
    cr_assert(follows("keywords:existence", "{\"keywords\": [\"k\xC4\xB1m\"]}", "k\xC4\xB0M"));
    cr_assert(follows("keywords:existence", "{\"keywords\": [\"k[\xC4\xB1o]m\"]}", "KIM"));
    cr_assert_not(follows("keywords:existence", "{\"keywords\": [\"k[^\xC4\xB1]m\"]}", "KIM"));
}

Test(ifeval, letters_are_counted_in_the_lower_cased_text)
{
    const char *two = "{\"letter\": \"k\", \"let_frequency\": 2, \"let_relation\": \"at least\"}";
    cr_assert(follows("keywords:letter_frequency", two, "K k"));
    cr_assert(follows("keywords:letter_frequency", two, "\xE2\x84\xAA k")); /* the Kelvin sign is a k in lower case */
    cr_assert(follows("keywords:letter_frequency", "{\"letter\": \"#\", \"let_frequency\": 1, \"let_relation\": \"at least\"}", "#"));
}

Test(ifeval, words_are_runs_of_word_characters)
{
    const char *two = "{\"num_words\": 2, \"relation\": \"at least\"}";
    cr_assert(follows("length_constraints:number_words", two, "don't"));
    cr_assert_not(follows("length_constraints:number_words", two, "snake_case"));
}

Test(ifeval, paragraphs_between_stars_may_be_blank_at_the_ends_only)
{
    const char *two = "{\"num_paragraphs\": 2}";
    cr_assert(follows("length_constraints:number_paragraphs", two, "a\n***\nb"));
    cr_assert(follows("length_constraints:number_paragraphs", two, "***\na\n***\nb\n***"));
    cr_assert_not(follows("length_constraints:number_paragraphs", two, "a\n***\n\n***\nb"));
    cr_assert_not(follows("length_constraints:number_paragraphs", two, "a"));
}

Test(ifeval, the_nth_paragraph_counts_blank_ones_in_its_number)
{
    const char *kwargs = "{\"num_paragraphs\": 2, \"nth_paragraph\": 2, \"first_word\": \"Second\"}";
    cr_assert(follows("length_constraints:nth_paragraph_first_word", kwargs, "First.\n\n\"second! paragraph"));
    cr_assert_not(follows("length_constraints:nth_paragraph_first_word", kwargs, "First.\n\n\n\nsecond paragraph"));
    cr_assert_not(follows("length_constraints:nth_paragraph_first_word", kwargs, "First.\n\nsecond\n\nthird"));
}

Test(ifeval, bullets_are_stars_and_dashes_at_the_start_of_a_line)
{
    const char *two = "{\"num_bullets\": 2}";
    cr_assert(follows("detectable_format:number_bullet_lists", two, "* a\n- b"));
    cr_assert(follows("detectable_format:number_bullet_lists", two, "*\nfoo\n---"));
    cr_assert_not(follows("detectable_format:number_bullet_lists", two, "** bold **\n- b"));
}

Test(ifeval, highlights_placeholders_titles_and_sections_are_counted_by_their_patterns)
{
    cr_assert(follows("detectable_format:number_highlighted_sections", "{\"num_highlights\": 1}", "*x*"));
    cr_assert_not(follows("detectable_format:number_highlighted_sections", "{\"num_highlights\": 1}", "** **"));
    cr_assert(follows("detectable_content:number_placeholders", "{\"num_placeholders\": 1}", "[[a]]"));
    cr_assert_not(follows("detectable_content:number_placeholders", "{\"num_placeholders\": 2}", "[[a]]"));
    cr_assert(follows("detectable_format:title", "{}", "<<a title>>"));
    cr_assert_not(follows("detectable_format:title", "{}", "<< >>"));
    cr_assert(follows("detectable_format:multiple_sections", "{\"section_spliter\": \"Section\", \"num_sections\": 2}",
                      "Section 1\na\nSection 2\nb"));
    cr_assert_not(follows("detectable_format:multiple_sections", "{\"section_spliter\": \"Section\", \"num_sections\": 1}",
                          "section 1"));
}

Test(ifeval, a_postscript_may_stand_anywhere)
{
    cr_assert(follows("detectable_content:postscript", "{\"postscript_marker\": \"P.S.\"}", "text p. s. more"));
    cr_assert(follows("detectable_content:postscript", "{\"postscript_marker\": \"P.P.S\"}", "P.P.S bye"));
    cr_assert_not(follows("detectable_content:postscript", "{\"postscript_marker\": \"P.S.\"}", "PS: bye"));
}

Test(ifeval, two_responses_differ_and_six_stars_part_them)
{
    cr_assert(follows("combination:two_responses", "{}", "a\n******\nb"));
    cr_assert_not(follows("combination:two_responses", "{}", "a ****** a"));
    cr_assert(follows("combination:two_responses", "{}", "a*******a")); /* the seventh star belongs to the second */
}

Test(ifeval, quotation_and_end_phrase_look_at_the_stripped_text)
{
    cr_assert(follows("startend:quotation", "{}", " \"a\"\n"));
    cr_assert_not(follows("startend:quotation", "{}", "\""));
    cr_assert(follows("startend:end_checker", "{\"end_phrase\": \" The End \"}", "this is the END\""));
    cr_assert_not(follows("startend:end_checker", "{\"end_phrase\": \"the end\"}", "the end \""));
}

Test(ifeval, json_is_what_python_reads)
{
    static const char *const good[] = {"{}", "[1, 2.5e3, -0]", "NaN", "-Infinity", "\"\\ud800\"", "{\"a\":1,\"a\":2}", " 1 ",
                                       "```json\n{}\n```", "```json```json{}```"};
    static const char *const bad[] = {"", "{", "[1,]", "01", "1.", "'a'", "\"\t\"", "\xEF\xBB\xBF{}", "{} x", "nan", "+1"};
    for (size_t i = 0; i + 1 < sizeof good / sizeof good[0]; i++)
        cr_assert(follows("detectable_format:json_format", "{}", good[i]), "'%s' is JSON to Python", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_not(follows("detectable_format:json_format", "{}", bad[i]), "'%s' is no JSON to Python", bad[i]);
    char digits[4302];
    memset(digits, '1', sizeof digits);
    cr_assert(lfm_py_json_loads((struct lfm_span){digits, 4300}));
    cr_assert_not(lfm_py_json_loads((struct lfm_span){digits, 4301}));
    char nested[2000];
    memset(nested, '[', 1000);
    memset(nested + 1000, ']', 1000);
    cr_assert_not(lfm_py_json_loads((struct lfm_span){nested, 2000}));
}

Test(ifeval, missing_and_ill_typed_arguments_are_named)
{
    struct lfm_error error = {0};
    cJSON *empty = cJSON_Parse("{}"), *wrong = cJSON_Parse("{\"num_words\": 3, \"relation\": \"more than\"}");
    bool out;
    const struct lfm_ifeval_check *words = lfm_ifeval_check_by_id("length_constraints:number_words");
    assert_fails(lfm_ifeval_strict(words, empty, lfm_span_of("a"), &out, &error), LFM_ERROR_FORMAT, "num_words");
    assert_fails(lfm_ifeval_strict(words, wrong, lfm_span_of("a"), &out, &error), LFM_ERROR_FORMAT, "more than");
    cr_assert_null(lfm_ifeval_check_by_id("no:such"));
    cJSON_Delete(empty);
    cJSON_Delete(wrong);
}

/* --- the official scorer's verdicts --- */

struct tally {
    size_t verdicts, wrong;
    char first[256]; /* the first disagreement */
};

static void compare_lists(struct tally *tally, const cJSON *row, const char *key, size_t i, bool observed)
{
    const cJSON *expected = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(row, key), (int)i);
    char place[24];
    snprintf(place, sizeof place, "%zu", i);
    if (!cJSON_IsBool(expected) || cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(row, "unstable"), place))
        return; /* the official verdict depends on chance */
    tally->verdicts++;
    if (observed == (bool)cJSON_IsTrue(expected)) return;
    if (tally->wrong++ == 0)
        snprintf(tally->first, sizeof tally->first, "%s, %s, %s",
                 cJSON_GetObjectItemCaseSensitive(row, "id")->valuestring, key,
                 cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(row, "instruction_id_list"), (int)i)->valuestring);
}

static enum lfm_status compare_row(void *context, cJSON *row, const char *name, struct lfm_error *unused)
{
    struct lfm_error error = {0};
    struct tally *tally = context;
    (void)name;
    (void)unused;
    const cJSON *ids = cJSON_GetObjectItemCaseSensitive(row, "instruction_id_list");
    const cJSON *kwargs = cJSON_GetObjectItemCaseSensitive(row, "kwargs");
    struct lfm_span response = lfm_span_of(cJSON_GetObjectItemCaseSensitive(row, "response")->valuestring);
    for (int i = 0; i < cJSON_GetArraySize(ids); i++) {
        const struct lfm_ifeval_check *check = lfm_ifeval_check_by_id(cJSON_GetArrayItem(ids, i)->valuestring);
        bool strict, loose;
        assert_ok(lfm_ifeval_strict(check, cJSON_GetArrayItem(kwargs, i), response, &strict, &error));
        assert_ok(lfm_ifeval_loose(check, cJSON_GetArrayItem(kwargs, i), response, strict, &loose, &error));
        compare_lists(tally, row, "strict", (size_t)i, strict);
        compare_lists(tally, row, "loose", (size_t)i, loose);
    }
    cJSON_Delete(row);
    return LFM_OK;
}

Test(ifeval_oracle, every_stable_verdict_of_the_official_scorer_is_the_same, .init = make_directory, .fini = remove_directory)
{
    static const char cases[] = "../shared/oracle/ifeval/cases-open.jsonl.gz";
    if (access(cases, R_OK) != 0) cr_skip_test("skipped: %s is not there", cases);
    struct lfm_error error = {0};
    const char *plain = in_directory("cases.jsonl");
    char command[1024];
    snprintf(command, sizeof command, "gzip -dc %s >%s", cases, plain);
    cr_assert_eq(system(command), 0);
    struct tally tally = {0};
    enum lfm_status status = lfm_each_json_line(plain, compare_row, &tally, &error);
    cr_assert_eq(status, LFM_OK, "%s", error.message);
    cr_log_info("%zu verdicts, %zu different", tally.verdicts, tally.wrong);
    cr_assert_gt(tally.verdicts, 0);
    cr_assert_eq(tally.wrong, 0, "%zu of %zu verdicts differ, first %s", tally.wrong, tally.verdicts, tally.first);
}
