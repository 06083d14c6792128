/* lfmscope report: pages, plots and tables from result files. */
#include "reference/base/command.h"
#include "reports/command/commands.h"
#include "reports/report.h"

#include <stdio.h>

struct options {
    const char *output, *title;
    bool no_plots;
};

static void add_string(cJSON *object, const char *key, const char *value)
{
    cJSON_AddStringToObject(object, key, value);
}

static void add_inputs(cJSON *document, const struct lfm_report *report)
{
    cJSON *inputs = cJSON_AddArrayToObject(document, "inputs");
    for (size_t i = 0; i < report->documents.count; i++) {
        cJSON *input = cJSON_CreateObject();
        add_string(input, "file", report->documents.items[i].source.file);
        add_string(input, "schema", report->documents.items[i].schema);
        add_string(input, "sha256", report->documents.items[i].sha256);
        cJSON_AddItemToArray(inputs, input);
    }
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
    printf("%s/index.html: %zu figures and %zu tables from %zu result file%s\n", output, figures, tables,
           report->documents.count, report->documents.count == 1 ? "" : "s");
}

int lfm_command_report(int argc, char **argv)
{
    struct options options = {0};
    const struct lfm_option table[] = {
        {"output", "DIR", "where to write: index.html, index.md, data/, plots/", LFM_OPTION_STRING, &options.output},
        {"title", "S", "title of the page (made from the reference's name)", LFM_OPTION_STRING, &options.title},
        {"no-plots", NULL, "tables only; gnuplot is not needed", LFM_OPTION_FLAG, &options.no_plots},
        {0},
    };
    const struct lfm_usage usage = {
        .name = "report",
        .arguments = "RESULT... --output DIR [options]",
        .summary = "Makes a page with plots and tables from result files.",
        .notes = "A RESULT is a file that compare, ledger, routing, eval, conform or bench printed with --json, a directory of\n"
                 "such files (others in it are passed over), or a RUN of eval. The same files give the same bytes.",
        .options = table,
        .min_arguments = 1,
        .max_arguments = SIZE_MAX,
    };
    struct lfm_common common;
    struct lfm_strings paths;
    int exit_code;
    if (!lfm_parse_arguments(&usage, argc, argv, &common, &paths, &exit_code)) return exit_code;
    if (!options.output) {
        lfm_strings_release(&paths);
        return lfm_report_usage(&usage, "'--output' is missing: the directory to write to");
    }
    struct lfm_error error = {0};
    struct lfm_report report;
    lfm_catch_interrupts();
    enum lfm_status status = lfm_report_build(&report, paths.items, paths.count, options.title, &error);
    if (status == LFM_OK) status = lfm_report_write(&report, options.output, !options.no_plots, &error);
    if (status == LFM_OK && common.json) status = print_json(&report, options.output, argc, argv, &error);
    else if (status == LFM_OK) print_summary(&report, options.output);
    lfm_report_release(&report);
    lfm_strings_release(&paths);
    return lfm_report_status(status, &error);
}
