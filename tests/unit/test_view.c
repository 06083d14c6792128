/* Pages of samples: reading runs that are not in order, pairs, the page's data and what it lets through. */
#include "eval/view/pool.h"
#include "eval/view/samples.h"
#include "eval/view/view.h"
#include "reference/base/file.h"
#include "reference/base/hash.h"
#include "tests/unit/assert.h"
#include "tests/unit/directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static struct lfm_error error;

TestSuite(view, .init = make_directory, .fini = remove_directory);

#define RUN_OF(suite, data, bits) \
    "{\"suite\": \"" suite "\", \"data_sha256\": \"" data "\", \"weights\": \"w\", \"bits_per_weight\": " bits "}"
#define RUN RUN_OF("ifeval", "d", "16")

/* A line whose answer is `text`. */
#define LINE(id, sample, text, correct)                                                                      \
    "{\"id\": \"" id "\", \"sample\": " sample ", \"messages\": [{\"role\": \"user\", \"content\": \"ask\"}], " \
    "\"raw\": \"" text "\", \"text\": \"" text "\", \"finish\": \"stop\", \"verdict\": {\"correct\": " correct "}}\n"

static void put_run(const char *name, const char *description, const char *log)
{
    char path[128];
    snprintf(path, sizeof path, "%s/run.json", name);
    write_text(path, description);
    snprintf(path, sizeof path, "%s/samples.jsonl", name);
    write_text(path, log);
}

static struct lfm_samples read_log(const char *log)
{
    struct lfm_samples samples;
    write_text("samples.jsonl", log);
    assert_ok(lfm_samples_read(&samples, in_directory("samples.jsonl"), &error));
    return samples;
}

/* --- repair --- */

static void assert_repaired(const char *line, size_t length, const char *expected)
{
    struct lfm_buffer out = {0};
    assert_ok(lfm_repair_json(&out, line, length, &error));
    cr_assert(strcmp(out.data, expected) == 0, "repaired to '%s', expected '%s'", out.data, expected);
    lfm_buffer_release(&out);
}
#define REPAIRED(line, expected) assert_repaired(line, sizeof(line) - 1, expected)

Test(view, what_no_string_can_hold_is_replaced_and_the_rest_stays)
{
    REPAIRED("plain \\n \\u00e4 \xc3\xa4", "plain \\n \\u00e4 \xc3\xa4");
    REPAIRED("a\\u0000b", "a\\u2400b");
    REPAIRED("a\\\\u0000b", "a\\\\u0000b");
    REPAIRED("a\\\\\\u0000b", "a\\\\\\u2400b");
    REPAIRED("a\0b", "a\xe2\x90\x80" "b");
    REPAIRED("\\ud83d\\ude00", "\\ud83d\\ude00");
    REPAIRED("\\ud83d!", "\\ufffd!");
    REPAIRED("\\ude00\\ud83d", "\\ufffd\\ufffd");
    REPAIRED("\\uD83D\\u0041", "\\ufffd\\u0041");
    REPAIRED("\xff\xc3", "\xef\xbf\xbd\xef\xbf\xbd");
    REPAIRED("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    REPAIRED("\\\xff", "\\\xef\xbf\xbd");
    REPAIRED("end\\", "end\\");
    REPAIRED("end\\u00", "end\\u00");
}

/* --- the log --- */

Test(view, torn_and_damaged_lines_are_left_out_and_counted)
{
    struct lfm_samples samples = read_log(LINE("a", "0", "x", "true") "not json\n{\"no\": \"id\"}\n[1]\n\n" LINE("b", "0", "y", "false")
                                          "{\"id\": \"c\", \"sam");
    cr_assert(samples.count == 2 && samples.damaged == 3 && samples.torn, "%zu, %zu", samples.count, samples.damaged);
    lfm_samples_release(&samples);
}

Test(view, a_whole_last_line_without_its_newline_is_a_sample)
{
    struct lfm_samples samples = read_log("{\"id\": \"a\"}");
    cr_assert(samples.count == 1 && !samples.torn && samples.damaged == 0);
    lfm_samples_release(&samples);
}

Test(view, without_a_log_there_are_no_samples)
{
    struct lfm_samples samples;
    assert_ok(lfm_samples_read(&samples, in_directory("none.jsonl"), &error));
    cr_assert(samples.count == 0);
    lfm_samples_release(&samples);
}

Test(view, samples_stand_by_id_with_numbers_as_numbers_then_by_number)
{
    static const char *const expected[] = {"2", "10", "item", "item_02", "item_2", "item_10", "item_10", "item_10x", "item_x"};
    struct lfm_samples samples =
        read_log("{\"id\": \"item_10\", \"sample\": 1}\n{\"id\": \"10\"}\n{\"id\": \"item_x\"}\n{\"id\": \"item_10x\"}\n"
                 "{\"id\": \"item_2\"}\n{\"id\": \"item_02\"}\n{\"id\": \"2\"}\n{\"id\": \"item\"}\n{\"id\": \"item_10\", \"sample\": 0}\n");
    cr_assert(samples.count == 9);
    for (size_t i = 0; i < samples.count; i++) {
        const char *id = lfm_sample_id(samples.items[i]);
        cr_assert(strcmp(id, expected[i]) == 0, "%zu: %s, expected %s", i, id, expected[i]);
        if (i > 0) cr_assert(lfm_sample_order(samples.items[i - 1], samples.items[i]) < 0);
    }
    lfm_samples_release(&samples);
}

Test(view, of_a_repeated_sample_the_last_line_counts)
{
    struct lfm_samples samples = read_log(LINE("a", "0", "", "false") LINE("b", "0", "", "true") LINE("a", "0", "again", "true"));
    cr_assert(samples.count == 2 && lfm_sample_correct(samples.items[0]));
    lfm_samples_release(&samples);
}

/* --- directories --- */

Test(view, what_is_no_run_is_refused)
{
    struct lfm_view view = {0};
    write_text("file", "x");
    assert_fails(lfm_view_add(&view, in_directory("nowhere"), &error), LFM_ERROR_IO, "cannot open");
    assert_fails(lfm_view_add(&view, in_directory("file"), &error), LFM_ERROR_IO, "is not the directory of a run");
    assert_fails(lfm_view_add(&view, in_directory(""), &error), LFM_ERROR_FORMAT, "has a run.json");
    write_text("damaged/run.json", "{");
    assert_fails(lfm_view_add(&view, in_directory("damaged"), &error), LFM_ERROR_FORMAT, "run.json:1");
    write_text("list/run.json", "[]");
    assert_fails(lfm_view_add(&view, in_directory("list"), &error), LFM_ERROR_FORMAT, "expected a JSON object");
    lfm_view_release(&view);
}

Test(view, runs_below_a_directory_come_reference_first_then_by_bits)
{
    static const char *const expected[] = {"bfcl/reference", "bfcl/q8_0", "ifeval/reference", "ifeval/q8_0", "ifeval/fp8", "ifeval/q4_0"};
    struct lfm_view view = {0};
    put_run("ifeval/q4_0", RUN_OF("ifeval", "d", "4.5"), "");
    put_run("ifeval/q8_0", RUN_OF("ifeval", "d", "8.5"), "");
    put_run("ifeval/fp8", RUN_OF("ifeval", "d", "8"), "");
    put_run("ifeval/reference", RUN_OF("ifeval", "d", "2"), "");
    put_run("bfcl/q8_0", RUN_OF("bfcl", "e", "8.5"), "");
    put_run("bfcl/reference", RUN_OF("bfcl", "e", "16"), "");
    write_text("summary.json", "{}");
    assert_ok(lfm_view_add(&view, in_directory(""), &error));
    cr_assert(view.count == 6);
    for (size_t i = 0; i < view.count; i++)
        cr_assert(strcmp(view.runs[i].name, expected[i]) == 0, "%zu: %s", i, view.runs[i].name);
    assert_ok(lfm_view_compare(&view, &error));
    cr_assert(view.n_pairs == 1 + 6, "%zu pairs: only within a suite", view.n_pairs);
    lfm_view_release(&view);
}

Test(view, an_unfinished_run_is_shown_and_says_so)
{
    struct lfm_view view = {0};
    put_run("run", RUN, LINE("a", "0", "x", "true") "{\"id\"");
    assert_ok(lfm_view_add(&view, in_directory("run"), &error));
    cJSON *notes = lfm_viewed_notes(&view.runs[0]);
    cr_assert(cJSON_GetArraySize(notes) == 2);
    cr_assert(strstr(cJSON_GetArrayItem(notes, 0)->valuestring, "not finished"));
    cr_assert(strstr(cJSON_GetArrayItem(notes, 1)->valuestring, "incomplete"));
    cr_assert(strcmp(view.runs[0].name, "run") == 0);
    cJSON_Delete(notes);
    lfm_view_release(&view);
}

Test(view, runs_of_one_name_are_told_apart)
{
    struct lfm_view view = {0};
    put_run("a/run", RUN, "");
    put_run("b/run", RUN, "");
    assert_ok(lfm_view_add(&view, in_directory("a/run"), &error));
    assert_ok(lfm_view_add(&view, in_directory("b/run"), &error));
    assert_ok(lfm_view_compare(&view, &error));
    cr_assert(strcmp(view.runs[0].name, "run") == 0 && strcmp(view.runs[1].name, "run (2)") == 0);
    lfm_view_release(&view);
}

/* --- pairs --- */

static void open_two(struct lfm_view *view, const char *first, const char *second)
{
    *view = (struct lfm_view){0};
    put_run("first", RUN, first);
    put_run("second", RUN, second);
    assert_ok(lfm_view_add(view, in_directory("first"), &error));
    assert_ok(lfm_view_add(view, in_directory("second"), &error));
    assert_ok(lfm_view_compare(view, &error));
    cr_assert(view->n_pairs == 1);
}

static double figure(const cJSON *figures, const char *key)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(figures, key);
    return cJSON_IsNumber(member) ? member->valuedouble : NAN;
}

Test(view, flips_of_common_samples_are_counted_and_tested)
{
    struct lfm_view view;
    open_two(&view, LINE("1", "0", "", "true") LINE("2", "0", "", "true") LINE("3", "0", "", "true") LINE("4", "0", "", "false")
                        LINE("5", "0", "", "true"),
             LINE("4", "0", "", "false") LINE("3", "0", "", "false") LINE("2", "0", "", "false") LINE("1", "0", "", "false")
                 LINE("6", "0", "", "true"));
    cJSON *figures = lfm_viewed_pair_figures(&view.pairs[0]);
    cr_assert(figure(figures, "samples") == 4 && figure(figures, "lost") == 3 && figure(figures, "gained") == 0);
    assert_near(figure(figures, "mcnemar_exact"), 0.25, 1e-12); /* 2 (1/2)^3 */
    assert_near(figure(figures, "mcnemar_mid_p"), 0.125, 1e-12);
    assert_near(figure(cJSON_GetObjectItemCaseSensitive(figures, "difference"), "value"), -0.75, 1e-12);
    cr_assert(isnan(figure(figures, "holm")), "one comparison is no family");
    cJSON_Delete(figures);
    lfm_view_release(&view);
}

Test(view, samples_of_one_item_are_counted_and_not_tested)
{
    struct lfm_view view;
    open_two(&view, LINE("1", "0", "", "true") LINE("1", "1", "", "true"), LINE("1", "0", "", "false") LINE("1", "1", "", "true"));
    cJSON *figures = lfm_viewed_pair_figures(&view.pairs[0]);
    cr_assert(figure(figures, "samples") == 2 && figure(figures, "lost") == 1);
    cr_assert(!cJSON_HasObjectItem(figures, "mcnemar_exact") && !cJSON_HasObjectItem(figures, "difference"));
    cJSON_Delete(figures);
    lfm_view_release(&view);
}

Test(view, runs_without_a_common_sample_are_not_tested)
{
    struct lfm_view view;
    open_two(&view, LINE("1", "0", "", "true"), "");
    cJSON *figures = lfm_viewed_pair_figures(&view.pairs[0]);
    cr_assert(figure(figures, "samples") == 0 && !cJSON_HasObjectItem(figures, "mcnemar_exact"));
    cJSON_Delete(figures);
    lfm_view_release(&view);
}

Test(view, several_runs_beside_a_reference_are_adjusted_together)
{
    struct lfm_view view = {0};
    put_run("g/reference", RUN, LINE("1", "0", "", "true"));
    put_run("g/q8_0", RUN_OF("ifeval", "d", "8"), LINE("1", "0", "", "true"));
    put_run("g/q4_0", RUN_OF("ifeval", "d", "4"), LINE("1", "0", "", "false"));
    assert_ok(lfm_view_add(&view, in_directory("g"), &error));
    assert_ok(lfm_view_compare(&view, &error));
    cr_assert(view.n_pairs == 3 && view.pairs[0].adjusted && view.pairs[1].adjusted && !view.pairs[2].adjusted);
    assert_near(view.pairs[0].paired.holm, 1, 0);
    lfm_view_release(&view);
}

Test(view, other_suites_and_other_data_are_not_compared_and_named)
{
    static const char *const other[] = {RUN_OF("bfcl", "d", "16"), RUN_OF("ifeval", "e", "16"), "{\"suite\": \"ifeval\"}"};
    static const char *const named[] = {"suite differs, ifeval and bfcl", "data (SHA-256) differs, d and e", "d and not stated"};
    put_run("first", RUN, "");
    for (size_t i = 0; i < 3; i++) {
        struct lfm_view view = {0};
        put_run("second", other[i], "");
        assert_ok(lfm_view_add(&view, in_directory("first"), &error));
        assert_ok(lfm_view_add(&view, in_directory("second"), &error));
        assert_fails(lfm_view_compare(&view, &error), LFM_ERROR_MISMATCH, named[i]);
        lfm_view_release(&view);
    }
}

/* --- the page's data --- */

/* The data of a page on this one run. */
static cJSON *data_of(const char *log, struct lfm_buffer *text)
{
    struct lfm_view view = {0};
    cJSON *data;
    put_run("run", RUN, log);
    assert_ok(lfm_view_add(&view, in_directory("run"), &error));
    assert_ok(lfm_view_compare(&view, &error));
    assert_ok(lfm_view_data(text, &view, &error));
    assert_ok(lfm_json_parse(&data, text->data, text->length, "data", &error));
    lfm_view_release(&view);
    return data;
}

static const cJSON *sample_of(const cJSON *data, int index)
{
    const cJSON *run = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(data, "runs"), 0);
    return cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(run, "samples"), index);
}

static void assert_text(const cJSON *object, const char *key, const char *expected)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, key);
    cr_assert(cJSON_IsString(member) && strcmp(member->valuestring, expected) == 0, "%s is '%s', expected '%s'", key,
              cJSON_IsString(member) ? member->valuestring : "nothing", expected);
}

Test(view, nothing_in_the_data_can_end_its_element_or_reorder_its_source)
{
    static const char hostile[] = "</script><img src=x onerror=alert(1)><!--<script>\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xae\xe2\x81\xa6"
                                  "\xe2\x80\xa7\xe2\x81\xaa&amp;\xc3\xa4";
    struct lfm_buffer text = {0};
    char log[512];
    snprintf(log, sizeof log, LINE("<i>", "0", "%s", "true"), hostile, hostile);
    cJSON *data = data_of(log, &text);
    cr_assert(!strchr(text.data, '<'));
    cr_assert(!strstr(text.data, "\xe2\x80\xa8") && !strstr(text.data, "\xe2\x80\xa9"));
    cr_assert(!strstr(text.data, "\xe2\x80\xae") && !strstr(text.data, "\xe2\x81\xa6"));
    assert_text(sample_of(data, 0), "text", hostile);
    assert_text(sample_of(data, 0), "id", "<i>");
    cJSON_Delete(data);
    lfm_buffer_release(&text);
}

Test(view, messages_and_tools_are_kept_once)
{
    struct lfm_buffer text = {0};
    cJSON *data = data_of("{\"id\": \"a\", \"messages\": [{\"role\": \"system\"}, {\"role\": \"user\", \"content\": \"1\"}], \"tools\": [{\"name\": \"t\"}]}\n"
                          "{\"id\": \"b\", \"messages\": [{\"role\": \"system\"}, {\"role\": \"user\", \"content\": \"2\"}], \"tools\": [{\"name\": \"t\"}]}\n",
                          &text);
    char *places = cJSON_PrintUnformatted(cJSON_GetObjectItem(sample_of(data, 1), "messages"));
    cr_assert(strcmp(places, "[0,2]") == 0, "%s", places);
    cr_assert(cJSON_GetArraySize(cJSON_GetObjectItem(data, "messages")) == 3);
    cr_assert(cJSON_GetArraySize(cJSON_GetObjectItem(data, "tools")) == 1);
    cr_assert(figure(sample_of(data, 1), "tools") == 0);
    cJSON_free(places);
    cJSON_Delete(data);
    lfm_buffer_release(&text);
}

Test(view, reasoning_is_what_stands_before_the_text)
{
    struct lfm_buffer text = {0};
    cJSON *data = data_of("{\"id\": \"1\", \"raw\": \"<think>a</think>\\nb\", \"text\": \"b\"}\n"
                          "{\"id\": \"2\", \"raw\": \"b\", \"text\": \"b\"}\n"
                          "{\"id\": \"3\", \"raw\": \"<think>\", \"text\": \"\"}\n"
                          "{\"id\": \"4\", \"raw\": \"other\", \"text\": \"b\"}\n"
                          "{\"id\": \"5\", \"raw\": \"only\"}\n",
                          &text);
    assert_text(sample_of(data, 0), "reasoning", "<think>a</think>\n");
    cr_assert(!cJSON_HasObjectItem(sample_of(data, 0), "raw"));
    cr_assert(!cJSON_HasObjectItem(sample_of(data, 1), "reasoning"));
    assert_text(sample_of(data, 2), "reasoning", "<think>");
    assert_text(sample_of(data, 3), "raw", "other");
    assert_text(sample_of(data, 4), "raw", "only");
    cJSON_Delete(data);
    lfm_buffer_release(&text);
}

Test(view, samples_of_unknown_suites_keep_all_they_say)
{
    struct lfm_buffer text = {0};
    cJSON *data = data_of("{\"id\": \"a\", \"messages\": \"no list\", \"tools\": {}, \"verdict\": [1], \"more\": {\"x\": null}}\n", &text);
    char *printed = cJSON_PrintUnformatted(sample_of(data, 0));
    cr_assert(strcmp(printed, "{\"id\":\"a\",\"messages\":\"no list\",\"tools\":{},\"verdict\":[1],\"more\":{\"x\":null}}") == 0, "%s", printed);
    cJSON_free(printed);
    cJSON_Delete(data);
    lfm_buffer_release(&text);
}

Test(view, shared_texts_have_one_place_each)
{
    struct lfm_text_pool pool = {0};
    char text[16];
    size_t index;
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < 1000; i++) {
            snprintf(text, sizeof text, "text %zu", i);
            assert_ok(lfm_text_pool_add(&pool, text, &index, &error));
            cr_assert(index == i);
        }
    cr_assert(pool.count == 1000);
    lfm_text_pool_release(&pool);
}

/* --- the page --- */

static struct lfm_buffer page_of(const char *log)
{
    struct lfm_view view = {0};
    struct lfm_buffer page = {0};
    put_run("run", RUN, log);
    assert_ok(lfm_view_add(&view, in_directory("run"), &error));
    assert_ok(lfm_view_compare(&view, &error));
    assert_ok(lfm_view_write(&view, in_directory("page.html"), &error));
    assert_ok(lfm_read_file(&page, in_directory("page.html"), &error));
    lfm_view_release(&view);
    return page;
}

static size_t count_of(const char *text, const char *part)
{
    size_t n = 0;
    for (; (text = strstr(text, part)); text++) n++;
    return n;
}

/* The digest in Base64 of what stands between two marks, by the library's hash and a table of our own. */
static void digest_between(const char *page, const char *before, const char *after, char out[45])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char hexadecimal[LFM_SHA256_TEXT], bits[256 + 8] = "";
    const char *start = strstr(page, before) + strlen(before);
    assert_ok(lfm_sha256(start, (size_t)(strstr(start, after) - start), hexadecimal, &error));
    for (size_t i = 0; i < 64; i++) {
        long value = strtol((const char[]){hexadecimal[i], '\0'}, NULL, 16);
        for (size_t k = 0; k < 4; k++) bits[4 * i + k] = (char)(value >> (3 - k) & 1);
    }
    for (size_t i = 0; i < 43; i++) {
        int value = 0;
        for (size_t k = 0; k < 6; k++) value = 2 * value + bits[6 * i + k];
        out[i] = digits[value];
    }
    strcpy(out + 43, "=");
}

Test(view, the_policy_lets_through_exactly_the_pages_own_script_and_style)
{
    struct lfm_buffer page = page_of(LINE("a", "0", "</script><script>alert(1)</script>", "true"));
    char script[45], style[45], policy[256];
    digest_between(page.data, "</script>\n<script>", "</script>", script);
    digest_between(page.data, "<style>", "</style>", style);
    snprintf(policy, sizeof policy,
             "content=\"default-src 'none'; script-src 'sha256-%s'; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'\"",
             script, style);
    cr_assert(strstr(page.data, policy) != NULL, "no policy %s", policy);
    cr_assert(count_of(page.data, "<script") == 2 && count_of(page.data, "</script>") == 2);
    cr_assert(count_of(page.data, "<!--") == 0 && count_of(page.data, "{{") == 0);
    cr_assert(count_of(page.data, "http:") == 0 && count_of(page.data, "https:") == 0, "the page names other places");
    lfm_buffer_release(&page);
}

Test(view, the_order_of_the_log_does_not_matter)
{
    struct lfm_buffer first = page_of(LINE("a", "0", "x", "true") LINE("b", "0", "y", "true"));
    struct lfm_buffer second = page_of(LINE("b", "0", "y", "true") LINE("a", "0", "x", "true"));
    cr_assert(first.length == second.length && memcmp(first.data, second.data, first.length) == 0);
    lfm_buffer_release(&first);
    lfm_buffer_release(&second);
}

Test(view, a_page_that_cannot_be_written_leaves_nothing)
{
    struct lfm_view view = {0};
    put_run("run", RUN, "");
    assert_ok(lfm_view_add(&view, in_directory("run"), &error));
    assert_fails(lfm_view_write(&view, in_directory("nowhere/page.html"), &error), LFM_ERROR_IO, "nowhere/page.html");
    cr_assert(!lfm_file_exists(in_directory("nowhere")));
    lfm_view_release(&view);
}
