/* reports: result files in, a page, its twin, and data out. The inputs in tests/golden/reports are synthetic. */
#include "reference/base/file.h"
#include "reports/gnuplot.h"
#include "tests/unit/assert.h"
#include "tests/unit/directory.h"
#include "tests/unit/report_fixture.h"

#include <stdio.h>
#include <stdlib.h>

static struct lfm_error error;

static void clean(void)
{
    release_report();
    remove_directory();
}

TestSuite(report, .init = make_directory, .fini = clean);

/* Builds from one file with this text. */
static enum lfm_status build_text(const char *text)
{
    const char *paths[] = {in_directory("result.json")};
    write_text("result.json", text);
    release_report();
    return lfm_report_build(&report, paths, 1, NULL, &error);
}

static enum lfm_status build_golden(void)
{
    static const char *const paths[] = {"tests/golden/reports"};
    return lfm_report_build(&report, paths, 1, NULL, &error);
}

static struct lfm_buffer read_output(const char *name)
{
    struct lfm_buffer text = {0};
    assert_ok(lfm_read_file(&text, in_directory(name), &error));
    return text;
}

static bool says(const char *part)
{
    for (size_t i = 0; i < report.content.n_blocks; i++)
        if (report.content.blocks[i].text && strstr(report.content.blocks[i].text, part)) return true;
    return false;
}

Test(report, opens_with_the_answer)
{
    assert_ok(build_golden());
    const struct lfm_block *first = &report.content.blocks[0];
    cr_assert_eq(first->kind, LFM_BLOCK_LEAD);
    cr_assert_str_eq(first->text,
                     "Q8_0 changes almost nothing: its mean KLD is 2.70\xc3\x97" "10\xe2\x81\xbb\xe2\x81\xb6 nats, and "
                     "99.96\xc2\xa0% of positions keep their top token. Q4_0 changes little: it costs 0.00170 nats, "
                     "0.95\xc2\xa0% of positions get another top token, perplexity rises by 0.37\xc2\xa0%, and "
                     "98.43\xc2\xa0% of the routers\xe2\x80\x99 choices stay.");
    cr_assert(find_block("formats") != NULL);
    cr_assert_eq(find_block("formats")->kind, LFM_BLOCK_TABLE);
}

Test(report, shows_every_figure_when_everything_is_given)
{
    assert_ok(build_golden());
    cr_assert_eq(report.n_absent, 0u);
    for (const struct lfm_figure *figure = lfm_figures; figure->id; figure++)
        cr_assert(find_block(figure->id) != NULL, "'%s' is not on the page", figure->id);
    cr_assert(find_block("error-points-3") != NULL, "each of three formats has its map");
}

Test(report, a_format_has_one_colour_everywhere)
{
    assert_ok(build_golden());
    const struct lfm_plot *growth = find_block("error-growth")->plot, *entropy = find_block("load-entropy")->plot;
    cr_assert_str_eq(growth->series[2].label, "Q4_0");
    cr_assert_str_eq(entropy->series[3].label, "Q4_0");
    cr_assert_str_eq(growth->series[2].color, entropy->series[3].color);
    cr_assert_eq(growth->series[2].mark, entropy->series[3].mark);
}

Test(report, a_format_it_does_not_know_gets_a_colour_that_is_free)
{
    assert_ok(build_text("{\"schema\": \"lfmscope-compare\", \"candidates\": ["
                         "{\"name\": \"new\"}, {\"weights\": \"q8_0\"}, {\"weights\": \"q4_k\"}, {\"name\": "
                         "\"newer\"}]}"));
    const struct lfm_candidate *candidates = report.documents.items[0].candidates;
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < i; j++)
            cr_assert(strcmp(candidates[i].color, candidates[j].color) != 0, "%s and %s are both %s",
                      candidates[i].label, candidates[j].label, candidates[i].color);
}

Test(report, every_figure_and_table_names_file_and_command)
{
    assert_ok(build_golden());
    for (size_t i = 0; i < report.content.n_blocks; i++) {
        const struct lfm_block *block = &report.content.blocks[i];
        if (block->kind != LFM_BLOCK_FIGURE && block->kind != LFM_BLOCK_TABLE) continue;
        cr_assert(block->source.file[0] != '\0', "'%s' has no source", block->id);
    }
    cr_assert_str_eq(find_block("expert-load")->source.file, "tests/golden/reports/routing.json");
    cr_assert(strstr(find_block("kld-bits")->source.command, "lfmscope compare") != NULL);
}

Test(report, same_inputs_same_bytes)
{
    struct lfm_buffer first, second;
    assert_ok(build_golden());
    assert_ok(lfm_report_write(&report, in_directory(""), false, &error));
    first = read_output("index.html");
    release_report();
    assert_ok(build_golden());
    assert_ok(lfm_report_write(&report, in_directory(""), false, &error));
    second = read_output("index.html");
    cr_assert_eq(first.length, second.length);
    cr_assert(memcmp(first.data, second.data, first.length) == 0);
    lfm_buffer_release(&first);
    lfm_buffer_release(&second);
}

Test(report, writes_data_and_twin_without_gnuplot)
{
    assert_ok(build_golden());
    assert_ok(lfm_report_write(&report, in_directory(""), false, &error));
    struct lfm_buffer csv = read_output("data/formats.csv"), twin = read_output("index.md");
    cr_assert(
        strncmp(csv.data, "format,bits_per_weight,bytes,perplexity_ratio,perplexity_ratio_stderr,kld_mean,", 78) == 0,
        "%s", csv.data);
    cr_assert(strstr(csv.data, "\nQ4_0,4.5,8831250,1.0037,") != NULL, "%s", csv.data);
    cr_assert(strstr(twin.data, "| Q4\\_0 | 4.50 | 8.83\xc2\xa0MB |") != NULL, "%s", twin.data);
    cr_assert(strstr(twin.data, ".svg") == NULL, "no figures without plots");
    lfm_buffer_release(&csv);
    lfm_buffer_release(&twin);
}

Test(report, absent_data_is_left_out_and_listed)
{
    assert_ok(build_text("{\"schema\": \"lfmscope-compare\", \"candidates\": [{\"name\": \"a\"}]}"));
    cr_assert(find_block("kld-bits") == NULL);
    cr_assert(find_block("formats") != NULL);
    cr_assert(says("Not shown: Error at every point of every layer; it needs a comparison of traces"));
    for (size_t i = 0; i < report.content.n_blocks; i++)
        cr_assert(report.content.blocks[i].kind != LFM_BLOCK_HEADING ||
                      !strstr(report.content.blocks[i].text, "routed"),
                  "a heading without content");
}

Test(report, routing_alone_makes_a_page)
{
    static const char *const paths[] = {"tests/golden/reports/routing.json"};
    assert_ok(lfm_report_build(&report, paths, 1, &(struct lfm_report_options){.title = "A <title>"}, &error));
    cr_assert(find_block("expert-load") != NULL);
    cr_assert(find_block("router-overlap") != NULL, "pairs of traces have router agreement too");
    cr_assert_eq(report.content.blocks[0].kind, LFM_BLOCK_LEAD);
}

Test(report, names_from_files_cannot_become_markup)
{
    assert_ok(build_text("{\"schema\": \"lfmscope-compare\", \"command\": \"<script>alert(1)</script>\", "
                         "\"positions\": 5,"
                         "\"reference\": {\"name\": \"<img src=x onerror=alert(2)>\"},"
                         "\"candidates\": [{\"name\": \"<script>alert(3)<b>\", \"kld\": {\"mean\": 0.1},"
                         "\"labels\": [{\"label\": \"<svg onload=alert(4)>\", \"kld_mean\": 0.1}]}]}"));
    assert_ok(lfm_report_write(&report, in_directory(""), false, &error));
    struct lfm_buffer page = read_output("index.html"), twin = read_output("index.md");
    cr_assert(strstr(page.data, "<script") == NULL);
    cr_assert(strstr(page.data, "<img") == NULL);
    cr_assert(strstr(page.data, "<svg onload") == NULL);
    cr_assert(strstr(page.data, "&lt;script&gt;alert(3)&lt;b&gt;") != NULL, "the name itself is shown");
    cr_assert(strstr(twin.data, "<img") == NULL);
    lfm_buffer_release(&page);
    lfm_buffer_release(&twin);
}

Test(report, malformed_json_is_one_line_with_file_and_line)
{
    assert_fails(build_text("{\"schema\": \"lfmscope-compare\",\n \"candidates\": [}"), LFM_ERROR_FORMAT,
                 "result.json:2: not valid JSON");
    assert_fails(build_text(""), LFM_ERROR_FORMAT, "expected JSON, found an empty text");
}

Test(report, other_documents_are_refused_by_name)
{
    assert_fails(build_text("{\"schema\": \"lfmscope-other\"}"), LFM_ERROR_FORMAT, "found 'lfmscope-other'");
    assert_fails(build_text("{}"), LFM_ERROR_FORMAT, "'schema' is missing");
    assert_fails(build_text("[1, 2]"), LFM_ERROR_FORMAT, "'schema' is missing");
    assert_fails(build_text("{\"schema\": \"lfmscope-compare\"}"), LFM_ERROR_FORMAT,
                 "'candidates' is missing or empty");
    assert_fails(build_text("{\"schema\": \"lfmscope-routing\", \"traces\": []}"), LFM_ERROR_FORMAT,
                 "'traces' is missing or empty");
}

Test(report, wrong_types_are_errors_that_name_the_place)
{
    assert_fails(build_text("{\"schema\": \"lfmscope-compare\", \"candidates\": [{}, {\"kld\": {\"mean\": \"low\"}}]}"),
                 LFM_ERROR_FORMAT, "result.json: candidates[1].kld: 'mean' must be a number");
    assert_fails(build_text("{\"schema\": \"lfmscope-compare\", \"candidates\": [{\"layers\": [{\"layer\": -1}]}]}"),
                 LFM_ERROR_FORMAT, "candidates[0].layers[0]: 'layer' must be a whole number");
    assert_fails(build_text("{\"schema\": \"lfmscope-compare\", \"candidates\": [{\"kld_cumulative\": [[1]]}]}"),
                 LFM_ERROR_FORMAT, "'kld_cumulative' must be a list of pairs of numbers");
    assert_fails(build_text("{\"schema\": \"lfmscope-routing\", \"traces\": [{\"layers\": [{\"load\": 3}]}]}"),
                 LFM_ERROR_FORMAT, "traces[0].layers[0]: 'load' must be a list of numbers");
    assert_fails(build_text("{\"schema\": \"lfmscope-compare\", \"candidates\": 7}"), LFM_ERROR_FORMAT,
                 "'candidates' must be a list");
}

Test(report, a_directory_without_results_is_an_error)
{
    const char *paths[] = {in_directory("")};
    assert_fails(lfm_report_build(&report, paths, 1, NULL, &error), LFM_ERROR_FORMAT, "holds no result");
}

Test(report, a_missing_file_is_an_error)
{
    const char *paths[] = {"tests/golden/reports/absent.json"};
    assert_fails(lfm_report_build(&report, paths, 1, NULL, &error), LFM_ERROR_IO, "cannot open");
}

Test(report, tasks_have_a_table_per_suite_and_one_plot_for_all)
{
    assert_ok(build_golden());
    const struct lfm_block *figure = find_block("task-scores"), *table = find_block("tasks-ifeval");
    cr_assert(figure && table && find_block("tasks-recall") && find_block("tasks-ifeval-parts"));
    cr_assert_str_eq(find_block("task-overview")->table->cells[7].text, "82.5\xc2\xa0% (2 lost, 1 won)");
    cr_assert_eq(figure->plot->n_series, 3u);
    cr_assert_str_eq(figure->plot->rows[1], "Recall");
    cr_assert_str_eq(figure->source.file, "tests/golden/reports/tasks/ifeval/summary.json, "
                                          "tests/golden/reports/tasks/recall/summary.json");
    cr_assert_str_eq(figure->source.command,
                     "lfmscope eval ifeval,recall --model datasets/demo-model --against q8_0,q4_0");
    cr_assert_str_eq(table->table->cells[2 * 10 + 1].text, "82.5\xc2\xa0% [68.0, 91.3]");
    cr_assert_str_eq(table->table->cells[10 + 2].text, "\xe2\x80\x93");
    cr_assert_str_eq(table->table->cells[2 * 10 + 2].text, "5");
    cr_assert_str_eq(table->table->cells[2 * 10 + 8].text, "UNDECIDED");
    cr_assert_str_eq(table->table->cells[2 * 10 + 9].text, "1,235");
    cr_assert_str_eq(table->table->cells[10 + 9].text, "");
    cr_assert(says("Of the answers to 112 tasks (IFEval and Recall), these flip: Q8_0 none and Q4_0 "));
}

Test(report, details_of_a_comparison_come_from_the_runs_below_it)
{
    assert_ok(build_golden());
    const struct lfm_table *parts = find_block("tasks-ifeval-parts")->table;
    size_t row = 4 * parts->n_columns; /* behind the three accuracies and a first kind of instruction */
    cr_assert_str_eq(parts->cells[row].text, "length_constraints:number_words");
    cr_assert_str_eq(parts->cells[row + 1].text, "9 of 15");
    cr_assert_str_eq(parts->cells[row + 3].text, "8 of 15");
}

Test(report, recall_has_a_map_per_kind_and_a_table_of_cells)
{
    assert_ok(build_golden());
    const struct lfm_plot *plot = find_block("recall-2")->plot;
    cr_assert_eq(plot->n_series, 3u);
    cr_assert(plot->n_rows == 3 && plot->n_columns == 3);
    cr_assert_str_eq(plot->columns[2], "1k");
    cr_assert_eq(find_block("recall-cells")->table->n_cells, 18u * 6);
    cr_assert(find_block("recall-3") == NULL);
}

Test(report, a_run_alone_has_its_score)
{
    static const char *const paths[] = {"tests/golden/reports/tasks/recall/q4_0"};
    assert_ok(lfm_report_build(&report, paths, 1, NULL, &error));
    cr_assert_eq(find_block("tasks-recall")->table->n_columns, 3u);
    cr_assert_str_eq(find_block("tasks-recall")->table->cells[0].text, "demo-model (Q4_0)");
    cr_assert_eq(find_block("recall")->plot->n_series, 1u);
    cr_assert_str_eq(report.content.title, "lfmscope report: demo-model");
}

Test(report, several_suites_may_come_in_one_document)
{
    assert_ok(build_text("{\"schema\": \"lfmscope-eval-suites\", \"suites\": ["
                         "{\"schema\": \"lfmscope-eval\", \"suite\": \"bfcl\", \"correct\": {\"accuracy\": 0.5}},"
                         "{\"schema\": \"lfmscope-eval\", \"suite\": \"bfcl\", \"correct\": {\"accuracy\": 0.25}},"
                         "{\"schema\": \"lfmscope-eval\", \"suite\": \"../x\", \"correct\": {\"accuracy\": 1}}]}"));
    cr_assert_eq(report.documents.count, 3u);
    cr_assert(find_block("tasks-bfcl") && find_block("tasks-bfcl-2"));
    cr_assert(find_block("tasks-other") != NULL, "a name becomes a file's only when it is plain");
}

Test(report, tasks_without_suite_or_score_are_errors)
{
    assert_fails(build_text("{\"schema\": \"lfmscope-eval\"}"), LFM_ERROR_FORMAT, "'suite' is missing");
    assert_fails(build_text("{\"schema\": \"lfmscope-eval-against\", \"suite\": \"x\"}"), LFM_ERROR_FORMAT,
                 "the reference's 'correct' is missing");
    assert_fails(build_text("{\"schema\": \"lfmscope-eval-against\", \"suite\": \"x\", \"variants\": [{\"lost\": 3}]}"),
                 LFM_ERROR_FORMAT, "variants[0]: 'lost' must be a list");
}

Test(report, names_with_a_per_cent_sign_are_drawn)
{
    assert_ok(build_text("{\"schema\": \"lfmscope-compare\", \"candidates\": [{\"name\": \"a\", \"labels\": ["
                         "{\"label\": \"50 % off %d\", \"kld_mean\": 0.1}]}]}"));
    assert_ok(lfm_report_write(&report, in_directory(""), true, &error));
    struct lfm_buffer drawing = read_output("plots/kld-domain.svg");
    cr_assert(strstr(drawing.data, "50 % off %d") != NULL);
    lfm_buffer_release(&drawing);
}

Test(report, two_candidates_of_one_format_keep_their_names)
{
    assert_ok(build_text("{\"schema\": \"lfmscope-compare\", \"candidates\": ["
                         "{\"name\": \"a/one.gguf\", \"weights\": \"q4_0\"}, {\"name\": \"two.gguf\", \"weights\": "
                         "\"q4_0\"},"
                         "{\"name\": \"two.gguf\", \"weights\": \"q4_0\"}]}"));
    const struct lfm_candidate *candidates = report.documents.items[0].candidates;
    cr_assert_str_eq(candidates[0].label, "one.gguf (Q4_0)");
    cr_assert_str_eq(candidates[1].label, "two.gguf (Q4_0)");
    cr_assert_str_eq(candidates[2].label, "two.gguf (Q4_0) #2");
}

Test(report, activations_and_cache_are_part_of_a_format_s_name)
{
    assert_ok(build_text("{\"schema\": \"lfmscope-compare\", \"reference\": {\"name\": \"m\", \"weights\": \"bf16\"}, \"candidates\": ["
                         "{\"name\": \"q8_0\", \"weights\": \"q8_0\", \"activations\": \"f32\", \"kv\": \"f32\"},"
                         "{\"name\": \"q8_0/q8\", \"weights\": \"q8_0\", \"activations\": \"q8\", \"kv\": \"f32\"},"
                         "{\"name\": \"stored/f32/f16\", \"weights\": \"bf16\", \"activations\": \"f32\", \"kv\": \"f16\"},"
                         "{\"name\": \"m/n.gguf\", \"weights\": \"q8_0\", \"activations\": \"q8\", \"kv\": \"q8_0\"}]}"));
    const struct lfm_candidate *candidates = report.documents.items[0].candidates;
    cr_assert_str_eq(candidates[0].label, "Q8_0");
    cr_assert_str_eq(candidates[1].label, "Q8_0/Q8");
    cr_assert_str_eq(candidates[2].label, "BF16/F32/F16");
    cr_assert_str_eq(candidates[3].label, "Q8_0/Q8/Q8_0");
    cr_assert_str_eq(candidates[2].name, "stored/f32/f16");
    cr_assert_str_eq(candidates[3].name, "n.gguf");
}

Test(report, a_missing_gnuplot_is_said_with_its_cure)
{
    static const char *const scripts[] = {"a.gp"};
    setenv("PATH", in_directory(""), 1);
    assert_fails(lfm_gnuplot_run(in_directory(""), scripts, 1, &error), LFM_ERROR_IO, "apt-get install gnuplot-nox");
}

Test(report, what_gnuplot_complains_about_is_passed_on)
{
    static const char *const scripts[] = {"absent.gp"};
    assert_fails(lfm_gnuplot_run(in_directory(""), scripts, 1, &error), LFM_ERROR_IO, "gnuplot failed");
}

Test(report, plots_are_drawn_and_inlined)
{
    assert_ok(build_golden());
    assert_ok(lfm_report_write(&report, in_directory(""), true, &error));
    struct lfm_buffer page = read_output("index.html"), drawing = read_output("plots/error-growth.svg");
    cr_assert(strstr(page.data, "role=\"img\" id=\"error-growth\"") != NULL);
    cr_assert(strstr(page.data, "<?xml") == NULL);
    cr_assert(strstr(page.data, "gpPt") == NULL, "ids are the figure's own");
    cr_assert(strstr(page.data, "=\"black\"") == NULL, "text and axes follow the theme");
    cr_assert(strncmp(drawing.data, "<svg xmlns=", 11) == 0);
    lfm_buffer_release(&page);
    lfm_buffer_release(&drawing);
}

Test(report, hostile_names_are_drawn_as_they_are)
{
    assert_ok(build_text("{\"schema\": \"lfmscope-compare\", \"candidates\": [{"
                         "\"name\": \"'; system('touch hacked'); '`touch hacked`\","
                         "\"bits_per_weight\": 4, \"perplexity_ratio\": 1.5, \"kld\": {\"mean\": 0.1}}]}"));
    assert_ok(lfm_report_write(&report, in_directory(""), true, &error));
    cr_assert_not(lfm_file_exists(in_directory("plots/hacked")));
}
