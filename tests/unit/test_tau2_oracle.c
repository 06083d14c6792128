/* The engine against tau2-bench 1.0.1: recorded calls of its domain "mock" with the official results, hashes and
 * verdicts, laid beside the project by those who have them. */
#include "eval/bfcl/python_calls.h"
#include "eval/tau2/evaluate.h"
#include "tests/unit/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ORACLE "../shared/oracle/tau2"
#define CASES ORACLE "/replay-open.jsonl.gz"

typedef const struct lfm_py_value *value;

static struct lfm_error error;

struct oracle {
    struct lfm_tau2_data data;
    struct lfm_arena arena; /* of the row at hand */
    const char *what;       /* task and kind of the row at hand */
    size_t rows, steps, wrong;
};

static void expect(struct oracle *o, bool right, const char *what)
{
    if (right) return;
    o->wrong++;
    cr_log_error("%s: %s differs", o->what, what);
}

static void expect_hashes(struct oracle *o, const struct lfm_tau2_environment *environment, value expected,
                          const char *what)
{
    for (int side = 0; expected && side < LFM_TAU2_SIDES; side++) {
        char hash[LFM_SHA256_TEXT];
        assert_ok(lfm_tau2_hash(hash, environment, (enum lfm_tau2_side)side, &error));
        expect(o, lfm_py_is_str(expected->items[side], hash), what);
    }
}

static struct lfm_tau2_step read_step(value row)
{
    return (struct lfm_tau2_step){.requestor = lfm_tau2_side_of(lfm_db_member(row, "requestor")),
                                  .name = lfm_db_member(row, "name")->text,
                                  .arguments = lfm_db_member(row, "arguments")};
}

/* Runs the row's calls; they are then as they were recorded. */
static struct lfm_tau2_step *run_steps(struct oracle *o, struct lfm_tau2_environment *environment, value row)
{
    value rows = lfm_db_member(row, "steps");
    struct lfm_tau2_step *steps = calloc(rows->count + 1, sizeof *steps);
    expect_hashes(o, environment, lfm_db_member(row, "initial_hash"), "the initial hash");
    for (size_t i = 0; i < rows->count; i++, o->steps++) {
        struct lfm_tau2_step step = read_step(rows->items[i]);
        assert_ok(lfm_tau2_call(environment, &step, &error));
        expect(o, lfm_span_equals(step.content, lfm_db_member(rows->items[i], "content")->text), "a tool's result");
        expect(o, step.is_error == lfm_py_is_true(lfm_db_member(rows->items[i], "error")), "whether a call failed");
        expect_hashes(o, environment, lfm_db_member(rows->items[i], "hash"), "a hash");
        steps[i] = read_step(rows->items[i]);
        steps[i].content = lfm_db_member(rows->items[i], "content")->text;
    }
    expect_hashes(o, environment, lfm_db_member(row, "final_hash"), "the final hash");
    return steps;
}

static bool same_checks(value expected, const bool *checks, size_t n)
{
    bool same = expected->count == n;
    for (size_t i = 0; same && i < n; i++) same = expected->items[i]->boolean == checks[i];
    return same;
}

static void check_verdict(struct oracle *o, const struct lfm_tau2_task *task, value row,
                          const struct lfm_tau2_step *steps)
{
    value expected = lfm_db_member(row, "eval"), texts = lfm_db_member(row, "assistant_texts");
    struct lfm_span *spans = calloc(texts->count + 1, sizeof *spans);
    for (size_t i = 0; i < texts->count; i++) spans[i] = texts->items[i]->text;
    const struct lfm_tau2_trajectory trajectory = {steps, lfm_db_member(row, "steps")->count, spans, texts->count};
    struct lfm_tau2_verdict v;
    assert_ok(lfm_tau2_evaluate(&v, task, &trajectory, &error));
    if (lfm_db_member(expected, "exception")) {
        expect(o, v.exception[0] != '\0', "the exception");
    } else {
        expect(o, v.exception[0] == '\0', "the exception");
        expect(o, v.db_match == lfm_db_member(expected, "db_match")->boolean, "db_match");
        expect(o, same_checks(lfm_db_member(expected, "action_checks"), v.action_checks, v.n_action_checks), "actions");
        expect(o, same_checks(lfm_db_member(expected, "env_assertions"), v.env_assertions, v.n_env_assertions),
               "assertions");
        expect(o, v.env_reward == lfm_db_member(expected, "env_reward")->real, "env_reward");
        expect(o, v.action_reward == lfm_db_member(expected, "action_reward")->real, "action_reward");
        expect(o, v.communicate_reward == lfm_db_member(expected, "communicate_reward")->real, "communicate_reward");
        expect(o, v.reward == lfm_db_member(expected, "reward_without_nl")->real, "reward");
    }
    lfm_tau2_verdict_release(&v);
    free(spans);
}

static void check_row(struct oracle *o, value row)
{
    struct lfm_tau2_environment environment;
    char id[128], what[192];
    if (!lfm_py_is_str(lfm_db_member(row, "domain"), "mock")) return;
    snprintf(id, sizeof id, "mock/%s", lfm_db_member(row, "task_id")->text.at);
    snprintf(what, sizeof what, "%s %s", id, lfm_db_member(row, "kind")->text.at);
    o->what = what;
    const struct lfm_tau2_task *task = lfm_tau2_find(&o->data, id);
    cr_assert_not_null(task, "no task '%s'", id);
    assert_ok(lfm_tau2_environment_open(&environment, task, &error));
    struct lfm_tau2_step *steps = run_steps(o, &environment, row);
    check_verdict(o, task, row, steps);
    free(steps);
    lfm_tau2_environment_close(&environment);
    o->rows++;
}

static void need_oracle(void)
{
    if (access(CASES, R_OK) != 0) cr_skip_test("skipped: no %s", CASES);
}

Test(tau2_oracle, calls_hashes_and_verdicts_are_the_official_ones)
{
    struct oracle o = {0};
    char *line = NULL;
    size_t capacity = 0;
    need_oracle();
    assert_ok(lfm_tau2_open(&o.data, ORACLE "/data", &error));
    FILE *file = popen("gzip -dc " CASES, "r");
    cr_assert_not_null(file);
    for (ssize_t length; (length = getline(&line, &capacity, file)) > 0;) {
        struct lfm_py_value *row;
        if (!strstr(line, "\"domain\": \"mock\"")) continue;
        assert_ok(lfm_py_json_value(&o.arena, &row, (struct lfm_span){line, (size_t)length}, CASES, &error));
        check_row(&o, row);
        lfm_arena_release(&o.arena);
    }
    free(line);
    pclose(file);
    lfm_tau2_close(&o.data);
    cr_log_info("%zu rows, %zu steps, %zu differences", o.rows, o.steps, o.wrong);
    cr_assert(o.rows > 0, "no row was checked");
    cr_assert(o.wrong == 0, "%zu differences in %zu rows", o.wrong, o.rows);
}

/* What the agent is shown, and the databases of all tasks as they are read. */
Test(tau2_oracle, prompts_schemas_and_initial_databases_are_the_official_ones)
{
    struct lfm_arena arena = {0};
    struct lfm_buffer text = {0};
    struct lfm_tau2_data data;
    struct lfm_py_value *defs;
    char hash[LFM_SHA256_TEXT];
    need_oracle();
    assert_ok(lfm_tau2_open(&data, ORACLE "/data", &error));
    FILE *file = fopen(ORACLE "/defs/mock.json", "r");
    cr_assert_not_null(file);
    for (int c; (c = getc(file)) != EOF;) assert_ok(lfm_buffer_append(&text, &(char){(char)c}, 1, &error));
    fclose(file);
    assert_ok(lfm_py_json_value(&arena, &defs, (struct lfm_span){text.data, text.length}, "defs", &error));
    cr_assert(lfm_py_is_str(lfm_db_member(defs, "agent_system_prompt"), data.worlds[0].system));
    struct lfm_py_value *schemas;
    const char *ours = data.worlds[0].domain->sides[LFM_TAU2_AGENT].schemas;
    assert_ok(lfm_py_json_value(&arena, &schemas, lfm_span_of(ours), "schemas", &error));
    cr_assert(lfm_py_equal(schemas, lfm_db_member(defs, "agent_tools")));
    assert_ok(lfm_db_hash(hash, data.worlds[0].databases[LFM_TAU2_AGENT], &error));
    cr_assert(lfm_py_is_str(lfm_db_member(defs, "initial_db_hash"), hash));
    assert_ok(lfm_db_hash(hash, data.worlds[0].databases[LFM_TAU2_USER], &error));
    cr_assert(lfm_py_is_str(lfm_db_member(defs, "initial_user_db_hash"), hash));
    lfm_tau2_close(&data);
    lfm_buffer_release(&text);
    lfm_arena_release(&arena);
}
