/* Results held against a pack: the rules of agreement on packs of a few numbers, worked out by hand, what is refused, and
 * the answers of a scripted server. tests/cli/cases/conform.sh writes whole packs. */
#include "eval/conform/checkpoint.h"
#include "eval/conform/judge.h"
#include "eval/conform/remote.h"
#include "eval/conform/results.h"
#include "tests/unit/assert.h"
#include "tests/unit/directory.h"
#include "tests/unit/http_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct lfm_error error;
static struct lfm_pack pack;
static struct lfm_judgement judgement;

/* A pack of 3 experts, 2 of them chosen, in one layer; vectors of two numbers. */
static void open_pack(void)
{
    pack = (struct lfm_pack){
        .n_layers = 1, .n_experts = 3, .n_chosen = 2, .hidden_size = 2, .vocab_size = 2, .router_rms = 1, .logits_rms = 1};
    pack.manifest = cJSON_Parse("{\"expert_bias\": [[0, 0.5, -0.25]]}");
    pack.biases = cJSON_GetObjectItem(pack.manifest, "expert_bias");
    pack.path = strdup("pack");
}

static void close_pack(void)
{
    lfm_pack_close(&pack);
}

static void add_case(enum lfm_conform_section section, const char *json)
{
    struct lfm_conform_cases *cases = &pack.sections[section];
    cJSON *row = cJSON_Parse(json);
    cr_assert_not_null(row, "not JSON: %s", json);
    cases->items = realloc(cases->items, (cases->count + 1) * sizeof *cases->items);
    cases->items[cases->count++] =
        (struct lfm_conform_case){.row = row, .id = cJSON_GetObjectItem(row, "id")->valuestring};
}

static enum lfm_status try_result(const char *json)
{
    cJSON *row = cJSON_Parse(json);
    cr_assert_not_null(row, "not JSON: %s", json);
    enum lfm_status status = lfm_results_add(&pack, row, "r:1", &error);
    if (status != LFM_OK) cJSON_Delete(row);
    return status;
}

static void add_result(const char *json)
{
    assert_ok(try_result(json));
}

static const struct lfm_check_result *judge(enum lfm_check check, const char *class_name)
{
    assert_ok(lfm_judge(&judgement, &pack, lfm_conform_class_by_name(class_name), &error));
    return &judgement.checks[check];
}

static void expect(const struct lfm_check_result *check, enum lfm_verdict verdict)
{
    cr_assert_eq(check->verdict, verdict, "%s: %s, expected %s (%s)", check->name, lfm_verdict_name(check->verdict),
                 lfm_verdict_name(verdict), check->first);
}

#define TEST(name) Test(conform, name, .init = open_pack, .fini = close_pack)

/* --- vectors --- */

#define LOGITS(id, upstream) \
    "{\"section\": \"logits\", \"id\": \"" id "\", \"values\": [3, 4], \"upstream_margin\": " upstream "}"

TEST(deviation_is_the_largest_difference_over_the_rms)
{
    add_case(LFM_CONFORM_LOGITS, LOGITS("a/0", "null"));
    add_result("{\"section\": \"logits\", \"id\": \"a/0\", \"values\": [3.05, 3.9]}");
    const struct lfm_check_result *check = judge(LFM_CHECK_LOGITS, "f32");
    assert_near(check->worst, 0.1 / sqrt(12.5), 1e-12);
    expect(check, LFM_VERDICT_FAIL);
    cr_assert_str_eq(check->worst_id, "a/0");
    cr_assert(strstr(check->first, "number 1 is 3.9, expected 4"), "%s", check->first);
    cr_assert_not(judgement.passed);
    expect(judge(LFM_CHECK_LOGITS, "f16"), LFM_VERDICT_PASS);
    cr_assert(judgement.passed);
}

TEST(what_is_not_finite_never_passes)
{
    add_case(LFM_CONFORM_LOGITS, LOGITS("a/0", "null"));
    add_result("{\"section\": \"logits\", \"id\": \"a/0\", \"values\": [3, null]}");
    expect(judge(LFM_CHECK_LOGITS, "q8"), LFM_VERDICT_FAIL);
}

TEST(values_after_a_near_tie_are_not_required)
{
    add_case(LFM_CONFORM_LOGITS, LOGITS("a/0", "0.001"));
    add_result("{\"section\": \"logits\", \"id\": \"a/0\", \"values\": [-3, 4]}");
    expect(judge(LFM_CHECK_LOGITS, "f32"), LFM_VERDICT_FAIL);
    const struct lfm_check_result *check = judge(LFM_CHECK_LOGITS, "f16");
    expect(check, LFM_VERDICT_NOT_REQUIRED);
    cr_assert_eq(check->beyond, 1);
    cr_assert_eq(check->beyond_agree, 0);
    cr_assert_not(judgement.passed, "nothing was required");
}

TEST(a_part_of_a_section_is_incomplete_and_none_of_it_is_not_given)
{
    add_case(LFM_CONFORM_LOGITS, LOGITS("a/0", "null"));
    add_case(LFM_CONFORM_LOGITS, LOGITS("a/1", "null"));
    add_case(LFM_CONFORM_TOKENIZER, "{\"section\": \"tokenizer\", \"id\": \"t\", \"text\": \"x\", \"ids\": [5]}");
    add_result("{\"section\": \"logits\", \"id\": \"a/1\", \"values\": [3, 4]}");
    expect(judge(LFM_CHECK_LOGITS, "f32"), LFM_VERDICT_INCOMPLETE);
    expect(&judgement.checks[LFM_CHECK_TOKENIZER_IDS], LFM_VERDICT_NOT_GIVEN);
    cr_assert_not(judgement.passed);
    add_result("{\"section\": \"logits\", \"id\": \"a/0\", \"values\": [3, 4]}");
    expect(judge(LFM_CHECK_LOGITS, "f32"), LFM_VERDICT_PASS);
    cr_assert(judgement.passed, "a section that is not given is no failure");
}

/* --- texts --- */

TEST(ids_and_texts_are_compared_exactly_and_the_first_difference_is_named)
{
    add_case(LFM_CONFORM_TEMPLATE,
             "{\"section\": \"template\", \"id\": \"t\", \"messages\": [], \"text\": \"abc\", \"ids\": [5, 6, 7]}");
    add_result("{\"section\": \"template\", \"id\": \"t\", \"text\": \"abd\", \"ids\": [5, 6]}");
    const struct lfm_check_result *ids = judge(LFM_CHECK_TEMPLATE_IDS, "q8"), *text = &judgement.checks[LFM_CHECK_TEMPLATE_TEXT];
    expect(ids, LFM_VERDICT_FAIL);
    cr_assert_str_eq(ids->first, "'t': 2 ids, expected 3");
    expect(text, LFM_VERDICT_FAIL);
    cr_assert_str_eq(text->first, "'t': the text differs at byte 2 of 3 (3 expected)");
}

TEST(text_and_ids_of_a_rendering_may_come_alone)
{
    add_case(LFM_CONFORM_TEMPLATE,
             "{\"section\": \"template\", \"id\": \"t\", \"messages\": [], \"text\": \"abc\", \"ids\": [5]}");
    add_result("{\"section\": \"template\", \"id\": \"t\", \"text\": \"abc\"}");
    expect(judge(LFM_CHECK_TEMPLATE_TEXT, "f32"), LFM_VERDICT_PASS);
    expect(&judgement.checks[LFM_CHECK_TEMPLATE_IDS], LFM_VERDICT_NOT_GIVEN);
    cr_assert(judgement.passed);
}

/* --- routers: logits 0, -1, 2 and biases 0, 0.5, -0.25: scores 0.5, 0.769, 0.631; without the bias 0 beats 1 --- */

#define SIGMOID_1 0.2689414213699951
#define SIGMOID_2 0.8807970779778823
#define DECISION(margin)                                                                                          \
    "{\"section\": \"router\", \"id\": \"a/0/0\", \"layer\": 0, \"logits\": [0, -1, 2], \"selected\": [1, 2], "     \
    "\"weights\": [0.233916, 0.766084], \"margin\": " margin ", \"upstream_margin\": null}"

static void add_decision(const char *selected, double first, double second)
{
    char json[256];
    snprintf(json, sizeof json,
             "{\"section\": \"router\", \"id\": \"a/0/0\", \"selected\": %s, \"weights\": [%.17g, %.17g]}", selected, first,
             second);
    add_result(json);
}

TEST(weights_belong_to_experts_in_whatever_order)
{
    add_case(LFM_CONFORM_ROUTER, DECISION("0.13"));
    add_decision("[2, 1]", 0.766084, 0.233916);
    expect(judge(LFM_CHECK_ROUTER_CHOICE, "f32"), LFM_VERDICT_PASS);
    expect(&judgement.checks[LFM_CHECK_ROUTER_WEIGHTS], LFM_VERDICT_PASS);
    expect(&judgement.checks[LFM_CHECK_ROUTER_LOGITS], LFM_VERDICT_NOT_GIVEN);
    cr_assert_str_empty(judgement.diagnosis);
}

TEST(another_choice_deviates_by_its_margin_and_is_forgiven_below_that_of_the_class)
{
    add_case(LFM_CONFORM_ROUTER, DECISION("0.02"));
    add_decision("[0, 2]", 0.4, 0.6);
    const struct lfm_check_result *check = judge(LFM_CHECK_ROUTER_CHOICE, "f16");
    expect(check, LFM_VERDICT_FAIL);
    assert_near(check->worst, 0.02, 0);
    cr_assert(strstr(check->first, "experts 0 2, expected 1 2, by a margin of 0.02"), "%s", check->first);
    expect(&judgement.checks[LFM_CHECK_ROUTER_WEIGHTS], LFM_VERDICT_FAIL);
    assert_near(judgement.checks[LFM_CHECK_ROUTER_WEIGHTS].worst, 0.4, 1e-12);
    expect(judge(LFM_CHECK_ROUTER_CHOICE, "bf16"), LFM_VERDICT_NOT_REQUIRED);
}

static void expect_diagnosis(const char *selected, double first, double second, const char *part)
{
    add_case(LFM_CONFORM_ROUTER, DECISION("0.13"));
    add_decision(selected, first, second);
    judge(LFM_CHECK_ROUTER_WEIGHTS, "f32");
    cr_assert_not(judgement.passed);
    cr_assert(strstr(judgement.diagnosis, part), "'%s' lacks '%s'", judgement.diagnosis, part);
}

/* softmax: e^-2, e^-3, 1 over 1.18512: 0.11420, 0.04201, 0.84379; with the bias 0.114, 0.542, 0.594 */
TEST(a_router_with_softmax_is_named)
{
    double a = exp(-3), b = 1;
    expect_diagnosis("[1, 2]", a / (a + b), b / (a + b), "softmax");
}

TEST(a_bias_in_the_weights_is_named)
{
    double a = SIGMOID_1 + 0.5, b = SIGMOID_2 - 0.25;
    expect_diagnosis("[1, 2]", a / (a + b), b / (a + b), "the bias is part of the weights, not of the choice alone");
}

TEST(weights_that_are_not_normed_are_named)
{
    expect_diagnosis("[1, 2]", SIGMOID_1, SIGMOID_2, "the weights are not divided by their sum");
}

TEST(a_choice_without_the_bias_is_named)
{
    expect_diagnosis("[0, 2]", 0.5 / (0.5 + SIGMOID_2), SIGMOID_2 / (0.5 + SIGMOID_2), "the bias is not used");
}

TEST(a_wrong_router_of_no_known_kind_has_no_name)
{
    add_case(LFM_CONFORM_ROUTER, DECISION("0.13"));
    add_decision("[0, 1]", 0.9, 0.1);
    expect(judge(LFM_CHECK_ROUTER_CHOICE, "f32"), LFM_VERDICT_FAIL);
    cr_assert_str_empty(judgement.diagnosis);
}

/* --- continuations --- */

#define GREEDY                                                                                                        \
    "{\"section\": \"greedy\", \"id\": \"g\", \"prompt\": [1], \"ids\": [7, 8, 9], \"margins\": [1, 1, 0.00001], "        \
    "\"upstream_margins\": [null, 0.5, 0.5], \"top\": [[[7, -0.5], [3, -1.5]], [[8, -0.25], [4, -2]], [[9, -1], [5, -1]]]}"

TEST(steps_are_required_up_to_the_first_close_one)
{
    add_case(LFM_CONFORM_GREEDY, GREEDY);
    add_result("{\"section\": \"greedy\", \"id\": \"g\", \"ids\": [7, 8, 5]}");
    expect(judge(LFM_CHECK_GREEDY, "f32"), LFM_VERDICT_PASS);
    expect(&judgement.checks[LFM_CHECK_LOGPROBS], LFM_VERDICT_NOT_GIVEN);
}

TEST(another_token_at_a_required_step_fails_with_its_margin)
{
    add_case(LFM_CONFORM_GREEDY, GREEDY);
    add_result("{\"section\": \"greedy\", \"id\": \"g\", \"ids\": [7, 4, 9]}");
    const struct lfm_check_result *check = judge(LFM_CHECK_GREEDY, "f32");
    expect(check, LFM_VERDICT_FAIL);
    cr_assert_str_eq(check->first, "'g': step 1 gives 4, expected 8, by a margin of 1");
}

TEST(a_continuation_that_ends_early_fails)
{
    add_case(LFM_CONFORM_GREEDY, GREEDY);
    add_result("{\"section\": \"greedy\", \"id\": \"g\", \"ids\": [7]}");
    expect(judge(LFM_CHECK_GREEDY, "f32"), LFM_VERDICT_FAIL);
}

TEST(log_probabilities_are_compared_by_token)
{
    add_case(LFM_CONFORM_GREEDY, GREEDY);
    add_result("{\"section\": \"greedy\", \"id\": \"g\", \"ids\": [7, 8, 9], "
               "\"top\": [[[3, -1.5], [7, -0.5]], [[8, -0.2], [4, -2]], [[9, -9]]]}");
    const struct lfm_check_result *check = judge(LFM_CHECK_LOGPROBS, "f32");
    assert_near(check->worst, 0.05, 1e-12);
    expect(check, LFM_VERDICT_FAIL);
    expect(judge(LFM_CHECK_LOGPROBS, "f16"), LFM_VERDICT_PASS);
}

TEST(a_token_that_should_not_be_near_the_top_counts)
{
    add_case(LFM_CONFORM_GREEDY, GREEDY);
    add_result("{\"section\": \"greedy\", \"id\": \"g\", \"ids\": [7, 8, 9], \"top\": [[[7, -0.5], [6, -1]], [[8, -0.25]], []]}");
    assert_near(judge(LFM_CHECK_LOGPROBS, "f32")->worst, 0.5, 1e-12);
}

/* --- what is refused --- */

TEST(results_of_another_shape_are_refused_with_their_place)
{
    add_case(LFM_CONFORM_LOGITS, LOGITS("a/0", "null"));
    add_case(LFM_CONFORM_ROUTER, DECISION("0.13"));
    assert_fails(try_result("{\"id\": \"a/0\"}"), LFM_ERROR_FORMAT, "r:1: 'section' is missing");
    assert_fails(try_result("{\"section\": \"logit\", \"id\": \"a/0\"}"), LFM_ERROR_MISMATCH, "no section 'logit'");
    assert_fails(try_result("{\"section\": \"logits\", \"id\": \"b/0\"}"), LFM_ERROR_MISMATCH, "no logits case 'b/0'");
    assert_fails(try_result("{\"section\": \"logits\", \"id\": \"a/0\"}"), LFM_ERROR_FORMAT, "'values' is missing");
    assert_fails(try_result("{\"section\": \"logits\", \"id\": \"a/0\", \"values\": [1]}"), LFM_ERROR_MISMATCH,
                 "'values' has 1 numbers, expected 2");
    assert_fails(try_result("{\"section\": \"logits\", \"id\": \"a/0\", \"values\": [1, \"2\"]}"), LFM_ERROR_FORMAT,
                 "'values' must hold numbers");
    assert_fails(try_result("{\"section\": \"router\", \"id\": \"a/0/0\", \"weights\": [1, 0]}"), LFM_ERROR_FORMAT,
                 "'weights' without 'selected'");
    assert_fails(try_result("{\"section\": \"router\", \"id\": \"a/0/0\", \"selected\": [1, 1]}"), LFM_ERROR_MISMATCH,
                 "distinct experts below 3");
    assert_fails(try_result("{\"section\": \"router\", \"id\": \"a/0/0\", \"selected\": [1, 3]}"), LFM_ERROR_MISMATCH,
                 "distinct experts below 3");
    assert_fails(try_result("{\"section\": \"about\", \"class\": \"f64\"}"), LFM_ERROR_FORMAT, "'class' must be f32");
    add_result("{\"section\": \"logits\", \"id\": \"a/0\", \"values\": [3, 4]}");
    assert_fails(try_result("{\"section\": \"logits\", \"id\": \"a/0\", \"values\": [3, 4]}"), LFM_ERROR_MISMATCH,
                 "a second result for logits case 'a/0', after r:1");
}

/* --- a server --- */

static struct http_server *server;

static void make_remote_pack(void)
{
    char *here = realpath("datasets/demo-model", NULL);
    make_directory();
    open_pack();
    cr_assert_eq(symlink(here, in_directory("model")), 0);
    free(here);
    free(pack.path);
    pack.path = strdup(in_directory(""));
    add_case(LFM_CONFORM_GREEDY, GREEDY);
    add_case(LFM_CONFORM_TOKENIZER, "{\"section\": \"tokenizer\", \"id\": \"t\", \"text\": \"a b\", \"add_special\": true, "
                                    "\"parse_special\": false, \"ids\": [5]}");
}

static void close_remote_pack(void)
{
    close_pack();
    remove_directory();
    if (server) http_server_stop(server);
}

static enum lfm_status ask(const struct http_step *steps, size_t n)
{
    char url[64];
    server = http_server_start(steps, n);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/v1", http_server_port(server));
    const struct lfm_remote_options options = {
        .url = url, .model_name = "m", .key = "sk-very-secret", .timeout_seconds = 20};
    return lfm_results_ask(&pack, &options, NULL, &error);
}
#define ASK(...) \
    ask((const struct http_step[]){__VA_ARGS__}, sizeof((const struct http_step[]){__VA_ARGS__}) / sizeof(struct http_step))

#define REMOTE(name) Test(conform_endpoint, name, .init = make_remote_pack, .fini = close_remote_pack)
#define ENTRY(id, p, other, q) \
    "{\"id\": " id ", \"token\": \"x\", \"logprob\": " p ", \"top_logprobs\": [{\"id\": " id ", \"token\": \"x\", " \
    "\"logprob\": " p "}, {\"id\": " other ", \"token\": \"y\", \"logprob\": " q "}]}"
#define CONTENT \
    "{\"choices\": [{\"logprobs\": {\"content\": [" ENTRY("7", "-0.5", "3", "-1.5") ", " ENTRY("8", "-0.25", "4", "-2") \
    ", " ENTRY("9", "-1", "5", "-1") "]}}]}"

REMOTE(continuations_are_asked_for_as_ids_and_read_with_theirs)
{
    assert_ok(ASK({.body = CONTENT}, {.status = 404, .body = "{}"}));
    expect(judge(LFM_CHECK_GREEDY, "f32"), LFM_VERDICT_PASS);
    expect(&judgement.checks[LFM_CHECK_LOGPROBS], LFM_VERDICT_PASS);
    expect(&judgement.checks[LFM_CHECK_TOKENIZER_IDS], LFM_VERDICT_NOT_GIVEN);
    cr_assert(judgement.passed);
    cr_assert(strstr(http_server_head(server, 0), "POST /v1/completions "), "%s", http_server_head(server, 0));
    cr_assert(strstr(http_server_head(server, 0), "Authorization: Bearer sk-very-secret"));
    const char *body = http_server_body(server, 0);
    cr_assert(strstr(body, "\"prompt\":[1]") && strstr(body, "\"max_tokens\":3") && strstr(body, "\"model\":\"m\"") &&
              strstr(body, "\"temperature\":0"), "%s", body);
}

REMOTE(tokens_are_asked_for_at_the_root)
{
    assert_ok(ASK({.body = CONTENT}, {.body = "{\"tokens\": [5]}"}, {.status = 404, .body = "{}"}));
    expect(judge(LFM_CHECK_TOKENIZER_IDS, "f32"), LFM_VERDICT_PASS);
    cr_assert(strstr(http_server_head(server, 1), "POST /tokenize "), "%s", http_server_head(server, 1));
    cr_assert(strstr(http_server_body(server, 1), "\"content\":\"a b\"") &&
              strstr(http_server_body(server, 1), "\"add_special\":true"), "%s", http_server_body(server, 1));
}

REMOTE(tokens_without_ids_are_looked_up_by_their_texts)
{
    assert_ok(ASK({.body = "{\"choices\": [{\"logprobs\": {\"tokens\": [\"token_id:7\", \"token_id:8\", \"<|im_end|>\"], "
                           "\"top_logprobs\": [{\"token_id:7\": -0.5, \"<|fim_pre|>\": -1.5}, {\"token_id:8\": -0.25}, "
                           "{}]}}]}"},
                  {.status = 404, .body = "{}"}));
    const cJSON *ids = cJSON_GetObjectItem(pack.sections[LFM_CONFORM_GREEDY].items[0].given, "ids");
    cr_assert_eq(cJSON_GetArrayItem(ids, 0)->valueint, 7);
    cr_assert_eq(cJSON_GetArrayItem(ids, 2)->valueint, 7, "<|im_end|> is token 7");
    expect(judge(LFM_CHECK_LOGPROBS, "f32"), LFM_VERDICT_PASS);
}

REMOTE(a_parameter_that_is_refused_is_left_out)
{
    assert_ok(ASK({.status = 400, .body = "{\"error\": {\"message\": \"unknown return_tokens_as_token_ids\"}}"},
                  {.body = CONTENT}, {.status = 404, .body = "{}"}));
    cr_assert(strstr(http_server_body(server, 0), "return_tokens_as_token_ids"));
    cr_assert_not(strstr(http_server_body(server, 1), "return_tokens_as_token_ids"));
}

REMOTE(completions_without_log_probabilities_are_an_error)
{
    assert_fails(ASK({.body = "{\"choices\": [{\"text\": \"x\"}]}"}), LFM_ERROR_FORMAT, "gives no log-probabilities");
}

REMOTE(a_server_that_refuses_is_quoted_without_the_key)
{
    assert_fails(ASK({.status = 401, .body = "{\"error\": {\"message\": \"bad key sk-very-secret\"}}"}), LFM_ERROR_IO,
                 "answers HTTP 401 to /completions: bad key");
    cr_assert_not(strstr(error.message, "sk-very-secret"), "%s", error.message);
}

REMOTE(an_answer_that_is_no_json_is_an_error)
{
    assert_fails(ASK({.body = "<html>"}), LFM_ERROR_FORMAT, "not valid JSON");
}

REMOTE(nobody_there_is_an_error)
{
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/v1", http_free_port());
    const struct lfm_remote_options options = {.url = url, .timeout_seconds = 20};
    assert_fails(lfm_results_ask(&pack, &options, NULL, &error), LFM_ERROR_IO, "is the server running?");
}

/* --- a pack's checkpoint --- */

Test(conform, biases_are_even_steps_in_an_order_of_the_seed)
{
    float a[8], b[8], sum = 0;
    bool differ = false;
    lfm_pack_bias(a, 8, 1, 2);
    lfm_pack_bias(b, 8, 2, 2);
    for (size_t e = 0; e < 8; e++) {
        sum += a[e];
        differ = differ || a[e] != b[e];
    }
    assert_near(sum, 0, 1e-6);
    cr_assert(differ);
}
