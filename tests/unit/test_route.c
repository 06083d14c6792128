/* The page of a route: its data, and what it lets through. */
#include "quant/route/route.h"
#include "reference/base/file.h"
#include "reference/base/json.h"
#include "reference/base/page.h"
#include "tests/unit/assert.h"
#include "tests/unit/router_files.h"

#include <stdlib.h>
#include <string.h>

static struct lfm_error error;
static struct made_model made;
static struct router_scores scores[ROUTER_LAYERS][3], moved[3];

static void setup(void)
{
    static const size_t lengths[] = {2, 1};
    make_directory();
    made_model_init(&made, lengths, 2);
    made_model_route(&made);
    for (size_t t = 0; t < 3; t++) {
        choose_pair(&scores[0][t], t, 5);
        choose_pair(&scores[1][t], 4, t);
        choose_pair(&moved[t], t == 1 ? 2 : 4, t);
    }
}

static void teardown(void)
{
    made_model_release(&made);
    remove_directory();
}

TestSuite(route, .init = setup, .fini = teardown);

static const struct lfm_trace *open_route(const char *name, const struct router_scores *second, size_t tokens)
{
    struct lfm_trace *trace;
    write_routes(&made, name, (const struct router_scores *const[]){scores[0], second}, tokens, tokens == 3);
    assert_ok(lfm_trace_open(&trace, in_directory(name), &error));
    return trace;
}

static cJSON *data_of(const struct lfm_trace *const *traces, size_t n)
{
    struct lfm_buffer json = {0};
    cJSON *data;
    assert_ok(lfm_route_data(&json, traces, n, NULL, &error));
    cr_assert_null(strchr(json.data, '<'));
    assert_ok(lfm_json_parse(&data, json.data, json.length, "data", &error));
    lfm_buffer_release(&json);
    return data;
}

/* The value at a path like "traces.0.layers.1.selected.2". */
static const cJSON *at(const cJSON *value, const char *path)
{
    char copy[128], *rest = copy;
    snprintf(copy, sizeof copy, "%s", path);
    for (char *key = strtok_r(rest, ".", &rest); key; key = strtok_r(rest, ".", &rest)) {
        value = cJSON_IsArray(value) ? cJSON_GetArrayItem(value, atoi(key)) : cJSON_GetObjectItemCaseSensitive(value, key);
        cr_assert_not_null(value, "%s is missing", path);
    }
    return value;
}

static double number(const cJSON *data, const char *path)
{
    cr_assert(cJSON_IsNumber(at(data, path)), "%s", path);
    return at(data, path)->valuedouble;
}

static void close_route(const struct lfm_trace *trace)
{
    lfm_trace_close((struct lfm_trace *)(uintptr_t)trace);
}

Test(route, holds_the_decisions_of_every_token)
{
    const struct lfm_trace *trace = open_route("t.h5", scores[1], 3);
    cJSON *data = data_of(&trace, 1);
    cr_assert_eq(number(data, "experts"), MADE_EXPERTS);
    cr_assert_eq(number(data, "top_k"), MADE_CHOSEN);
    cr_assert_eq(number(data, "traces.0.layers.0.layer"), 2);
    cr_assert_eq(cJSON_GetArraySize(at(data, "traces.0.layers")), 2);
    cr_assert_eq(cJSON_GetArraySize(at(data, "traces.0.layers.0.selected")), 6);
    cr_assert_eq(number(data, "traces.0.layers.0.selected.2"), 1); /* token 1: first 1, then 5 */
    cr_assert_eq(number(data, "traces.0.layers.0.selected.3"), 5);
    assert_near(number(data, "traces.0.layers.0.weights.2"), 0.9 / 1.7, 5e-4); /* three digits */
    assert_near(number(data, "traces.0.layers.0.margins.1"), 0.7, 5e-4);
    cr_assert_eq(cJSON_GetArraySize(at(data, "documents")), 2);
    cr_assert_eq(number(data, "documents.1.first"), 2);
    cr_assert_eq(number(data, "documents.1.tokens"), 1);
    cr_assert_str_eq(at(data, "documents.1.label")->valuestring, "tools");
    cr_assert_eq(number(data, "left_out"), 0);
    cJSON_Delete(data);
    close_route(trace);
}

Test(route, without_a_tokenizer_has_ids_for_texts)
{
    const struct lfm_trace *trace = open_route("t.h5", scores[1], 3);
    cJSON *data = data_of(&trace, 1);
    cr_assert(cJSON_IsFalse(at(data, "texts")));
    cr_assert_str_eq(at(data, "pieces.2")->valuestring, "#2");
    cr_assert_eq(number(data, "tokens.2"), 2);
    cJSON_Delete(data);
    close_route(trace);
}

Test(route, of_several_traces_has_what_all_of_them_have)
{
    const struct lfm_trace *const traces[] = {open_route("a.h5", scores[1], 3), open_route("b.h5", moved, 2)};
    cJSON *data = data_of(traces, 2);
    cr_assert_eq(cJSON_GetArraySize(at(data, "tokens")), 2);
    cr_assert_eq(number(data, "left_out"), 1);
    cr_assert_eq(number(data, "traces.1.layers.1.selected.2"), 2);
    cr_assert(cJSON_IsFalse(at(data, "traces.1.complete")));
    cJSON_Delete(data);
    close_route(traces[0]);
    close_route(traces[1]);
}

/* data_of checks that no "<" is left. */
Test(route, names_and_labels_cannot_become_markup)
{
    free(made.documents.items[1].label);
    made.documents.items[1].label = strdup("</script><b>\xff\xe2\x80\xae");
    const struct lfm_trace *trace = open_route("t.h5", scores[1], 3);
    cJSON *data = data_of(&trace, 1);
    cr_assert_str_eq(at(data, "documents.1.label")->valuestring, "</script><b>\xef\xbf\xbd\xe2\x80\xae");
    cJSON_Delete(data);
    close_route(trace);
}

Test(route, is_written_whole_with_digests_of_its_own_script_and_style)
{
    struct lfm_buffer page = {0};
    const struct lfm_trace *trace = open_route("t.h5", scores[1], 3);
    assert_ok(lfm_route_write(&trace, 1, NULL, in_directory("route.html"), &error));
    assert_ok(lfm_read_file(&page, in_directory("route.html"), &error));
    cr_assert_null(strstr(page.data, "{{"));
    cr_assert_not_null(strstr(page.data, "script-src 'sha256-"));
    cr_assert_not_null(strstr(page.data, "\"schema\":\"lfmscope-route\""));
    lfm_buffer_release(&page);
    close_route(trace);
}

Test(page, json_keeps_its_meaning_without_what_could_end_an_element)
{
    struct lfm_buffer out = {0};
    assert_ok(lfm_page_put_json(&out, "[\"</script>\",\"a\xe2\x80\xae" "b\",\"\xe2\x82\xac\"]", &error));
    cr_assert_str_eq(out.data, "[\"\\u003c/script>\",\"a\\u202eb\",\"\xe2\x82\xac\"]");
    lfm_buffer_release(&out);
}
