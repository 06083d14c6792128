/* From result files to a directory: see report.h. */
#include "reports/report.h"

#include "reference/base/file.h"
#include "reports/explain.h"
#include "reports/gnuplot.h"
#include "reports/svg.h"

#include <stdlib.h>
#include <string.h>

static size_t count_figures(void)
{
    size_t count = 0;
    while (lfm_figures[count].id) count++;
    return count;
}

static bool opens_section(const struct lfm_figure *figure)
{
    return figure == lfm_figures || strcmp(figure->section, figure[-1].section) != 0;
}

/* A heading's anchor: letters and digits of the text, the rest as hyphens. */
static const char *anchor(struct lfm_pool *pool, const char *text)
{
    char *id = lfm_pool_alloc(pool, strlen(text) + 1, 1);
    for (size_t i = 0; id && text[i]; i++) {
        char c = text[i];
        bool upper = c >= 'A' && c <= 'Z', kept = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        id[i] = upper ? (char)(c - 'A' + 'a') : kept ? c : '-';
    }
    return id ? id : "";
}

static void add_figures(struct lfm_report *report)
{
    struct lfm_content *content = &report->content;
    size_t heading = 0;
    bool pending = false;
    for (const struct lfm_figure *figure = lfm_figures; figure->id; figure++) {
        if (opens_section(figure)) {
            if (pending) content->n_blocks = heading; /* nothing came under the last heading */
            heading = content->n_blocks;
            lfm_content_heading(content, anchor(&report->pool, figure->section), figure->section);
            pending = true;
        }
        size_t before = content->n_blocks;
        figure->add(content, &report->documents);
        if (content->n_blocks > before) pending = false;
        else report->absent[report->n_absent++] = figure;
    }
    if (pending) content->n_blocks = heading;
}

static const char *default_title(struct lfm_report *report)
{
    for (size_t i = 0; i < report->documents.count; i++) {
        const struct lfm_document *document = &report->documents.items[i];
        const char *name = document->n_loads        ? document->loads[0].name
                           : document->model        ? document->model
                           : document->n_candidates ? document->reference.name
                                                    : "";
        if (name[0]) return lfm_pool_printf(&report->pool, "lfmscope report: %s", name);
    }
    return "lfmscope report";
}

static enum lfm_status add_gate(struct lfm_report *report, const struct lfm_report_options *options, struct lfm_error *error)
{
    for (size_t i = 0; i < options->n_baseline; i++)
        LFM_TRY(lfm_documents_add(&report->baseline, &report->pool, options->baseline[i], error));
    if (options->n_baseline + options->n_rules == 0) return LFM_OK;
    LFM_TRY(lfm_gate_judge(&report->gate, &report->pool, &report->documents, options->n_baseline ? &report->baseline : NULL,
                           options->rules, options->n_rules, error));
    lfm_gate_block(&report->content, &report->gate);
    return LFM_OK;
}

enum lfm_status lfm_report_build(struct lfm_report *report, const char *const *paths, size_t count,
                                 const struct lfm_report_options *options, struct lfm_error *error)
{
    static const struct lfm_report_options none;
    *report = (struct lfm_report){0};
    struct lfm_pool *pool = &report->pool;
    if (!options) options = &none;
    for (size_t i = 0; i < count; i++) LFM_TRY(lfm_documents_add(&report->documents, pool, paths[i], error));
    lfm_documents_colour(&report->documents);
    report->absent = lfm_pool_alloc(pool, count_figures(), sizeof *report->absent);
    report->content = (struct lfm_content){.pool = pool};
    LFM_TRY(lfm_pool_check(pool, error));
    report->content.title = options->title ? lfm_clean_text(pool, options->title) : default_title(report);
    LFM_TRY(add_gate(report, options, error));
    lfm_answer(&report->content, &report->documents);
    add_figures(report);
    lfm_explain_terms(&report->content);
    lfm_explain_run(&report->content, &report->documents, report->absent, report->n_absent);
    return lfm_pool_check(pool, error);
}

/* Writes the text as <directory>/<name><suffix> and releases it. */
static enum lfm_status write_text(struct lfm_writer *text, const char *directory, const char *name, const char *suffix,
                                  struct lfm_error *error)
{
    struct lfm_buffer path = {0};
    enum lfm_status status = text->status;
    if (status != LFM_OK && error) *error = text->error;
    if (status == LFM_OK) status = lfm_buffer_printf(&path, error, "%s/%s%s", directory, name, suffix);
    if (status == LFM_OK) status = lfm_write_file(path.data, text->buffer.data, text->buffer.length, error);
    lfm_buffer_release(&path);
    lfm_buffer_release(&text->buffer);
    return status;
}

static enum lfm_status write_data(const struct lfm_content *content, const char *data, const char *plots,
                                  struct lfm_error *error)
{
    for (size_t i = 0; i < content->n_blocks; i++) {
        const struct lfm_block *block = &content->blocks[i];
        struct lfm_writer csv = {0}, script = {0};
        if (block->table) lfm_table_csv(&csv, block->table);
        else if (block->plot) lfm_plot_csv(&csv, block->plot);
        else continue;
        LFM_TRY(write_text(&csv, data, block->id, ".csv", error));
        if (!block->plot) continue;
        lfm_plot_script(&script, block->plot);
        LFM_TRY(write_text(&script, plots, block->id, ".gp", error));
    }
    return LFM_OK;
}

static enum lfm_status run_gnuplot(struct lfm_report *report, const char *plots, struct lfm_error *error)
{
    const struct lfm_content *content = &report->content;
    const char **scripts = lfm_pool_alloc(&report->pool, content->n_blocks, sizeof *scripts);
    size_t count = 0;
    for (size_t i = 0; scripts && i < content->n_blocks; i++)
        if (content->blocks[i].plot) scripts[count++] = lfm_pool_printf(&report->pool, "%s.gp", content->blocks[i].id);
    LFM_TRY(lfm_pool_check(&report->pool, error));
    return lfm_gnuplot_run(plots, scripts, count, error);
}

/* Reads what gnuplot drew, writes it back fit for a page, and keeps the form for the page itself. */
static enum lfm_status adopt_svg(struct lfm_report *report, struct lfm_block *block, const char *plots,
                                 struct lfm_error *error)
{
    struct lfm_buffer path = {0}, drawn = {0};
    struct lfm_writer inlined = {0}, file = {0};
    enum lfm_status status;
    LFM_TRY_DONE(lfm_buffer_printf(&path, error, "%s/%s.svg", plots, block->id));
    LFM_TRY_DONE(lfm_read_file(&drawn, path.data, error));
    const char *label = lfm_pool_printf(&report->pool, "%s. %s", block->term, block->text);
    LFM_TRY_DONE(lfm_svg_adapt(&file, drawn.data, block->id, label, LFM_SVG_FILE, error));
    LFM_TRY_DONE(write_text(&file, plots, block->id, ".svg", error));
    LFM_TRY_DONE(lfm_svg_adapt(&inlined, drawn.data, block->id, label, LFM_SVG_INLINE, error));
    block->svg = lfm_pool_printf(&report->pool, "%s", inlined.buffer.data);
    status = lfm_pool_check(&report->pool, error);

done:
    lfm_buffer_release(&path);
    lfm_buffer_release(&drawn);
    lfm_buffer_release(&file.buffer);
    lfm_buffer_release(&inlined.buffer);
    return status;
}

static enum lfm_status draw(struct lfm_report *report, const char *plots, struct lfm_error *error)
{
    LFM_TRY(run_gnuplot(report, plots, error));
    for (size_t i = 0; i < report->content.n_blocks; i++)
        if (report->content.blocks[i].plot) LFM_TRY(adopt_svg(report, &report->content.blocks[i], plots, error));
    return LFM_OK;
}

enum lfm_status lfm_report_write(struct lfm_report *report, const char *directory, bool plots, struct lfm_error *error)
{
    char *data = NULL, *drawings = NULL;
    struct lfm_writer markdown = {0}, page = {0};
    enum lfm_status status;
    LFM_TRY_DONE(lfm_join_path(&data, directory, "data", error));
    LFM_TRY_DONE(lfm_join_path(&drawings, directory, "plots", error));
    LFM_TRY_DONE(lfm_make_directory(data, error));
    LFM_TRY_DONE(lfm_make_directory(drawings, error));
    LFM_TRY_DONE(write_data(&report->content, data, drawings, error));
    if (plots) LFM_TRY_DONE(draw(report, drawings, error));
    lfm_page_markdown(&markdown, &report->content);
    lfm_page_html(&page, &report->content);
    LFM_TRY_DONE(write_text(&markdown, directory, "index", ".md", error));
    LFM_TRY_DONE(write_text(&page, directory, "index", ".html", error));

done:
    lfm_buffer_release(&markdown.buffer);
    lfm_buffer_release(&page.buffer);
    free(data);
    free(drawings);
    return status;
}

void lfm_report_release(struct lfm_report *report)
{
    lfm_pool_release(&report->pool);
    *report = (struct lfm_report){0};
}
