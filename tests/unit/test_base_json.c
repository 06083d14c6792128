/* JSON: messages with lines, typed look-ups, numbers that read back the same. */
#include "reference/base/json.h"
#include "reference/base/version.h"
#include "tests/unit/assert.h"

#include <stdio.h>
#include <stdlib.h>

static struct lfm_error error;

static cJSON *parse(const char *text)
{
    cJSON *document;
    assert_ok(lfm_json_parse(&document, text, strlen(text), "test", &error));
    return document;
}

static void assert_refused(const char *text, const char *part)
{
    cJSON *document;
    assert_fails(lfm_json_parse(&document, text, strlen(text), "config.json", &error), LFM_ERROR_FORMAT, part);
    cr_assert_null(document);
}

Test(json, syntax_errors_name_the_file_and_the_line)
{
    assert_refused("{\n  \"a\": 1,\n  \"b\": ]\n}\n", "config.json:3:");
    assert_refused("[1, 2", "config.json:1:");
    assert_refused("{\"a\": 1}\nmore", "config.json:2:");
    assert_refused("nothing", "config.json:1:");
}

Test(json, an_empty_text_is_refused)
{
    assert_refused("", "expected JSON, found an empty text");
    assert_refused("  \n ", "config.json:");
}

Test(json, text_beyond_the_given_length_is_not_read)
{
    cJSON *document;
    assert_ok(lfm_json_parse(&document, "[1]garbage", 3, "test", &error));
    cr_assert_eq(cJSON_GetArraySize(document), 1);
    cJSON_Delete(document);
    assert_fails(lfm_json_parse(&document, "[1]", 2, "test", &error), LFM_ERROR_FORMAT, "test:1");
}

Test(json, nesting_has_a_limit_instead_of_a_crash)
{
    size_t depth = 2000000;
    char *text = malloc(depth);
    cJSON *document;
    memset(text, '[', depth);
    assert_fails(lfm_json_parse(&document, text, depth, "deep", &error), LFM_ERROR_FORMAT, "deep:1");
    free(text);
}

Test(json, a_missing_file_is_named)
{
    cJSON *document;
    assert_fails(lfm_json_parse_file(&document, "/nonexistent/config.json", &error), LFM_ERROR_IO,
                 "/nonexistent/config.json");
    cr_assert_null(document);
}

Test(json, required_values_must_exist_and_have_their_type)
{
    cJSON *document = parse("{\"n\": 3, \"x\": 1.5, \"s\": \"text\", \"z\": null}");
    const char *text;
    size_t size;
    double number;
    assert_ok(lfm_json_require_size(document, "n", "d", &size, &error));
    cr_assert_eq(size, 3);
    assert_ok(lfm_json_require_double(document, "x", "d", &number, &error));
    assert_near(number, 1.5, 0);
    assert_ok(lfm_json_require_string(document, "s", "d", &text, &error));
    cr_assert_str_eq(text, "text");
    assert_fails(lfm_json_require_size(document, "absent", "d", &size, &error), LFM_ERROR_FORMAT, "d: 'absent' is missing");
    assert_fails(lfm_json_require_string(document, "z", "d", &text, &error), LFM_ERROR_FORMAT, "'z' is missing");
    assert_fails(lfm_json_require_string(document, "n", "d", &text, &error), LFM_ERROR_FORMAT, "'n' must be a string");
    assert_fails(lfm_json_require_double(document, "s", "d", &number, &error), LFM_ERROR_FORMAT, "'s' must be a number");
    assert_fails(lfm_json_require_size(document, "x", "d", &size, &error), LFM_ERROR_FORMAT, "'x' must be a whole number");
    cJSON_Delete(document);
}

Test(json, sizes_are_whole_and_in_range)
{
    cJSON *document = parse("{\"most\": 9007199254740992, \"more\": 9007199254740994, \"less\": -1, \"far\": 1e300}");
    size_t size = 7;
    assert_ok(lfm_json_optional_size(document, "most", "d", &size, &error));
    cr_assert_eq(size, (size_t)1 << 53);
    const char *refused[] = {"more", "less", "far"};
    for (size_t i = 0; i < 3; i++)
        assert_fails(lfm_json_optional_size(document, refused[i], "d", &size, &error), LFM_ERROR_FORMAT, refused[i]);
    cJSON_Delete(document);
}

Test(json, optional_values_keep_their_default_when_absent_or_null)
{
    cJSON *document = parse("{\"z\": null, \"b\": true, \"s\": \"yes\"}");
    size_t size = 7;
    double number = 2.5;
    bool flag = false;
    assert_ok(lfm_json_optional_size(document, "z", "d", &size, &error));
    assert_ok(lfm_json_optional_double(document, "absent", "d", &number, &error));
    assert_ok(lfm_json_optional_bool(document, "absent", "d", &flag, &error));
    cr_assert_eq(size, 7);
    assert_near(number, 2.5, 0);
    cr_assert(!flag);
    assert_ok(lfm_json_optional_bool(document, "b", "d", &flag, &error));
    cr_assert(flag);
    assert_fails(lfm_json_optional_bool(document, "s", "d", &flag, &error), LFM_ERROR_FORMAT, "'s' must be true or false");
    cJSON_Delete(document);
}

Test(json, keys_differ_by_case)
{
    cJSON *document = parse("{\"THETA\": 1, \"theta\": 2}");
    size_t size;
    assert_ok(lfm_json_require_size(document, "theta", "d", &size, &error));
    cr_assert_eq(size, 2);
    cJSON_Delete(document);
}

Test(json, documents_state_schema_version_and_command)
{
    char *arguments[] = {"info", "model"};
    cJSON *document = lfm_json_document("info", 2, arguments);
    const char *text;
    assert_ok(lfm_json_require_string(document, "schema", "d", &text, &error));
    cr_assert_str_eq(text, "lfmscope-info");
    assert_ok(lfm_json_require_string(document, "version", "d", &text, &error));
    cr_assert_str_eq(text, LFM_VERSION);
    assert_ok(lfm_json_require_string(document, "command", "d", &text, &error));
    cr_assert_str_eq(text, "lfmscope info model");
    cJSON_Delete(document);
}

Test(json, printed_numbers_read_back_the_same)
{
    static const double values[] = {0.1, 0.1 + 0.2, 1.0 / 3, 1e-300, 2.718281828459045, 123456789012345680.0, -1.5,
                                    9007199254740991.0, 1.0000000000000002, 5e-324, 1.7976931348623157e308, 0, 42};
    enum { COUNT = sizeof values / sizeof values[0] };
    cJSON *document = cJSON_CreateObject();
    char key[16];
    for (int i = 0; i < COUNT; i++) {
        snprintf(key, sizeof key, "%d", i);
        lfm_json_add_number(document, key, values[i]);
    }
    struct lfm_buffer text = {0};
    assert_ok(lfm_json_print(&text, document, &error));
    cJSON *back = parse(text.data);
    for (int i = 0; i < COUNT; i++) {
        double value = cJSON_GetArrayItem(back, i)->valuedouble;
        cr_assert(value == values[i], "%.17g came back as %.17g", values[i], value);
        cr_assert(cJSON_GetArrayItem(document, i)->valuedouble == values[i], "the document itself changed");
    }
    cr_assert_not_null(strstr(text.data, "\"0\":\t0.1,"), "0.1 is printed longer than needed: %s", text.data);
    cr_assert_not_null(strstr(text.data, "\t42\n"), "42 is not printed as 42: %s", text.data);
    cJSON_Delete(back);
    cJSON_Delete(document);
    lfm_buffer_release(&text);
}

Test(json, what_is_no_number_becomes_null)
{
    cJSON *document = cJSON_CreateObject();
    lfm_json_add_number(document, "nan", NAN);
    lfm_json_add_number(document, "inf", -INFINITY);
    cr_assert(cJSON_IsNull(cJSON_GetObjectItem(document, "nan")));
    cr_assert(cJSON_IsNull(cJSON_GetObjectItem(document, "inf")));
    cJSON_Delete(document);
}

Test(json, printed_text_is_one_document_with_a_final_newline)
{
    struct lfm_buffer text = {0};
    cJSON *document = parse("[]");
    assert_ok(lfm_json_print(&text, document, &error));
    cr_assert_str_eq(text.data, "[]\n");
    cJSON_Delete(document);
    lfm_buffer_release(&text);
    assert_fails(lfm_json_print(&text, NULL, &error), LFM_ERROR_MEMORY, "out of memory");
}
