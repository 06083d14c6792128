/* lfmscope report: pages, plots and tables from result files. */
#include "reference/base/command.h"
#include "reports/command/commands.h"
#include "reports/report.h"

#include <stdio.h>

struct options {
    const char *output, *title;
    struct lfm_strings baseline, gate;
    bool no_plots;
};

static void add_string(cJSON *object, const char *key, const char *value)
{
    cJSON_AddStringToObject(object, key, value);
}

static void add_files(cJSON *list, const struct lfm_documents *documents)
{
    for (size_t i = 0; i < documents->count; i++) {
        cJSON *input = cJSON_CreateObject();
        add_string(input, "file", documents->items[i].source.file);
        add_string(input, "schema", documents->items[i].schema);
        add_string(input, "sha256", documents->items[i].sha256);
        cJSON_AddItemToArray(list, input);
    }
}

static void add_gate(cJSON *document, const struct lfm_gate *gate)
{
    if (gate->n_checks == 0) return;
    cJSON *object = cJSON_AddObjectToObject(document, "gate");
    if (gate->n_rules > 0) cJSON_AddBoolToObject(object, "holds", gate->n_failed == 0);
    cJSON *checks = cJSON_AddArrayToObject(object, "checks");
    for (size_t i = 0; i < gate->n_checks; i++) {
        const struct lfm_gate_check *check = &gate->checks[i];
        cJSON *item = cJSON_CreateObject();
        add_string(item, "subject", check->subject);
        add_string(item, "figure", check->metric);
        lfm_json_add_number(item, "baseline", check->baseline);
        lfm_json_add_number(item, "value", check->value);
        if (check->rule) {
            add_string(item, "rule", check->rule);
            lfm_json_add_number(item, "limit", check->limit);
            add_string(item, "verdict", check->verdict);
        }
        cJSON_AddItemToArray(checks, item);
    }
}

static void add_inputs(cJSON *document, const struct lfm_report *report)
{
    add_files(cJSON_AddArrayToObject(document, "inputs"), &report->documents);
    if (report->baseline.count > 0) add_files(cJSON_AddArrayToObject(document, "baseline"), &report->baseline);
    cJSON *skipped = cJSON_AddArrayToObject(document, "skipped");
    for (size_t i = 0; i < report->documents.n_skipped; i++)
        cJSON_AddItemToArray(skipped, cJSON_CreateString(report->documents.skipped[i]));
}

static void add_block(cJSON *list, const struct lfm_block *block)
{
    cJSON *item = cJSON_CreateObject();
    add_string(item, "id", block->id);
    add_string(item, "title", block->plot ? block->term : block->text);
    add_string(item, "source", block->source.file);
    cJSON_AddItemToArray(list, item);
}

static void add_contents(cJSON *document, const struct lfm_report *report)
{
    cJSON *answer = cJSON_AddArrayToObject(document, "answer"), *figures = cJSON_AddArrayToObject(document, "figures"),
          *tables = cJSON_AddArrayToObject(document, "tables"), *absent = cJSON_AddArrayToObject(document, "not_shown");
    for (size_t i = 0; i < report->content.n_blocks; i++) {
        const struct lfm_block *block = &report->content.blocks[i];
        if (block->kind == LFM_BLOCK_LEAD) cJSON_AddItemToArray(answer, cJSON_CreateString(block->text));
        if (block->kind == LFM_BLOCK_FIGURE && block->svg) add_block(figures, block);
        if (block->kind == LFM_BLOCK_TABLE) add_block(tables, block);
    }
    for (size_t i = 0; i < report->n_absent; i++) {
        cJSON *item = cJSON_CreateObject();
        add_string(item, "id", report->absent[i]->id);
        add_string(item, "needs", report->absent[i]->needs);
        cJSON_AddItemToArray(absent, item);
    }
}

static enum lfm_status print_json(const struct lfm_report *report, const char *output, int argc, char **argv,
                                  struct lfm_error *error)
{
    cJSON *document = lfm_json_document("report", argc, argv);
    if (!document) return lfm_fail(error, LFM_ERROR_MEMORY, "cannot make a JSON document: out of memory");
    add_string(document, "output", output);
    add_inputs(document, report);
    add_gate(document, &report->gate);
    add_contents(document, report);
    return lfm_print_document(document, error);
}

static void print_summary(const struct lfm_report *report, const char *output)
{
    size_t figures = 0, tables = 0;
    for (size_t i = 0; i < report->content.n_blocks; i++) {
        const struct lfm_block *block = &report->content.blocks[i];
        if (block->kind == LFM_BLOCK_LEAD) printf("%s\n", block->text);
        figures += block->kind == LFM_BLOCK_FIGURE && block->svg;
        tables += block->kind == LFM_BLOCK_TABLE;
    }
    printf("%s/index.html: %zu figure%s and %zu table%s from %zu result file%s\n", output, figures, figures == 1 ? "" : "s", tables,
           tables == 1 ? "" : "s", report->documents.count, report->documents.count == 1 ? "" : "s");
}

static int run(const struct options *options, const struct lfm_strings *paths, const struct lfm_common *common, int argc,
               char **argv)
{
    const struct lfm_report_options settings = {options->title, options->baseline.items, options->baseline.count,
                                                options->gate.items, options->gate.count};
    struct lfm_error error = {0};
    struct lfm_report report;
    lfm_catch_interrupts();
    enum lfm_status status = lfm_report_build(&report, paths->items, paths->count, &settings, &error);
    if (status == LFM_OK) status = lfm_report_write(&report, options->output, !options->no_plots, &error);
    if (status == LFM_OK && common->json) status = print_json(&report, options->output, argc, argv, &error);
    else if (status == LFM_OK) print_summary(&report, options->output);
    bool holds = report.gate.n_failed == 0;
    lfm_report_release(&report);
    int exit_code = lfm_report_status(status, &error);
    return exit_code == LFM_EXIT_OK && !holds ? LFM_EXIT_GATE : exit_code;
}

int lfm_command_report(int argc, char **argv)
{
    struct options options = {0};
    const struct lfm_option table[] = {
        {"output", "DIR", "where to write: index.html, index.md, data/, plots/", LFM_OPTION_STRING, &options.output},
        {"title", "S", "title of the page (made from the reference's name)", LFM_OPTION_STRING, &options.title},
        {"baseline", "PATH", "results of an earlier report, to set figures beside; repeatable", LFM_OPTION_STRINGS,
         &options.baseline},
        {"gate", "RULES", "exit with 3 unless these hold: METRIC=LIMIT,...; repeatable", LFM_OPTION_STRINGS, &options.gate},
        {"no-plots", NULL, "tables only; gnuplot is not needed", LFM_OPTION_FLAG, &options.no_plots},
        {0},
    };
    const struct lfm_usage usage = {
        .name = "report",
        .arguments = "RESULT... --output DIR [options]",
        .summary = "Makes a page with plots and tables from result files.",
        .notes = "A RESULT is a file that compare, ledger, attribute, routing, eval, conform or bench printed with --json, a directory of\n"
                 "such files (others in it are passed over), or a RUN of eval. The same files give the same bytes.\n\n"
                 "METRIC is kld, kld_p99, perplexity_ratio, top1_agreement, router_overlap (compare), score (eval) or\n"
                 "bytes_per_token (bench). LIMIT is a number, or how much worse than the baseline: kld=0.02, kld=+5%,\n"
                 "top1_agreement=-0.002. A rule that judges no figure is an error.",
        .options = table,
        .min_arguments = 1,
        .max_arguments = SIZE_MAX,
    };
    struct lfm_common common;
    struct lfm_strings paths;
    int exit_code;
    if (lfm_parse_arguments(&usage, argc, argv, &common, &paths, &exit_code)) {
        if (options.output) exit_code = run(&options, &paths, &common, argc, argv);
        else exit_code = lfm_report_usage(&usage, "'--output' is missing: the directory to write to");
        lfm_strings_release(&paths);
    }
    lfm_strings_release(&options.baseline);
    lfm_strings_release(&options.gate);
    return exit_code;
}
