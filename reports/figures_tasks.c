/* Tasks: what each suite scores, what flips against the reference, and where. */
#include "reports/figures.h"

#include <math.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { MOST_LABELS = 64 };

/* --- names --- */

const char *lfm_suite_title(const char *suite)
{
    static const char *const titles[][2] = {{"ifeval", "IFEval"}, {"bfcl", "BFCL"}, {"recall", "Recall"}};
    for (size_t i = 0; i < COUNT(titles); i++)
        if (strcmp(titles[i][0], suite) == 0) return titles[i][1];
    return suite;
}

/* The suite, and the model where another document has the same suite. */
static const char *title_of(struct lfm_pool *pool, const struct lfm_documents *documents,
                            const struct lfm_document *document)
{
    const char *title = lfm_suite_title(document->suite);
    for (size_t i = 0; i < documents->count; i++) {
        const struct lfm_document *other = &documents->items[i];
        if (other == document || other->kind != LFM_DOCUMENT_TASKS || strcmp(other->suite, document->suite) != 0)
            continue;
        return lfm_pool_printf(pool, "%s, %s", title, document->model[0] ? document->model : document->source.file);
    }
    return title;
}

/* "tasks-<suite>", numbered where a suite comes again; a suite's name that is no file name is "other". */
static const char *id_of(struct lfm_pool *pool, const struct lfm_documents *documents,
                         const struct lfm_document *document)
{
    size_t n = 1;
    for (const struct lfm_document *other = documents->items; other < document; other++)
        n += other->kind == LFM_DOCUMENT_TASKS && strcmp(other->suite, document->suite) == 0;
    bool plain = strspn(document->suite, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(document->suite);
    return lfm_figure_id(pool, lfm_pool_printf(pool, "tasks-%s", plain ? document->suite : "other"), n);
}

static const char *kind_title(const char *kind)
{
    static const char *const titles[][2] = {{"needle", "one fact"},
                                            {"one_of_several", "one of several facts"},
                                            {"all_of_several", "several facts"},
                                            {"variables", "variables"}};
    for (size_t i = 0; i < COUNT(titles); i++)
        if (strcmp(titles[i][0], kind) == 0) return titles[i][1];
    return kind;
}

/* --- scores --- */

/* The runs' labels over all documents, in the order in which they appear. */
struct labels {
    const char *text[MOST_LABELS], *color[MOST_LABELS];
    size_t count;
};

static void collect_labels(struct labels *labels, const struct lfm_documents *documents)
{
    labels->count = 0;
    for (size_t d = 0; d < documents->count; d++)
        for (size_t r = 0; r < documents->items[d].n_runs; r++) {
            const struct lfm_task_run *run = &documents->items[d].runs[r];
            size_t known = 0;
            while (known < labels->count && strcmp(labels->text[known], run->label) != 0) known++;
            if (known < labels->count || known == MOST_LABELS) continue;
            labels->text[known] = run->label;
            labels->color[known] = run->color;
            labels->count++;
        }
}

static void add_scores(struct lfm_plot *plot, const struct lfm_documents *documents, const char *label)
{
    double row = 0;
    for (size_t d = 0; d < documents->count; d++) {
        const struct lfm_document *document = &documents->items[d];
        if (document->kind != LFM_DOCUMENT_TASKS) continue;
        for (size_t r = 0; r < document->n_runs; r++) {
            const struct lfm_rate *rate = &document->runs[r].correct;
            if (strcmp(document->runs[r].label, label) == 0)
                lfm_plot_interval(plot, 100 * rate->accuracy, row, 100 * rate->low, 100 * rate->high);
        }
        row++;
    }
}

static struct lfm_plot *score_plot(struct lfm_pool *pool, const struct lfm_documents *documents)
{
    struct lfm_plot *plot = lfm_plot_new(pool, "task-scores", LFM_PLOT_DOTS);
    const char **rows = lfm_pool_alloc(pool, documents->count, sizeof *rows);
    struct labels labels;
    if (!plot || !rows) return NULL;
    plot->x_title = "right answers, %";
    plot->x_key = "right_percent";
    plot->y_key = "suite";
    plot->intervals = true;
    plot->rows = rows;
    for (size_t d = 0; d < documents->count; d++)
        if (documents->items[d].kind == LFM_DOCUMENT_TASKS)
            rows[plot->n_rows++] = title_of(pool, documents, &documents->items[d]);
    collect_labels(&labels, documents);
    for (size_t i = 0; i < labels.count; i++) {
        lfm_plot_series(plot, labels.text[i], labels.color[i]);
        add_scores(plot, documents, labels.text[i]);
    }
    return plot;
}

static void run_row(struct lfm_table *table, const struct lfm_task_run *run, bool reference)
{
    lfm_table_mark(table, run->label, run->color);
    lfm_table_interval(table, run->correct.accuracy, run->correct.low, run->correct.high, LFM_NUMBER_SCORE);
    lfm_table_number(table, run->cut_off, LFM_NUMBER_COUNT);
    if (reference) {
        for (int i = 0; i < 7; i++) lfm_table_text(table, "");
        return;
    }
    lfm_table_number(table, run->lost, LFM_NUMBER_COUNT);
    lfm_table_number(table, run->gained, LFM_NUMBER_COUNT);
    lfm_table_interval(table, run->difference, run->difference_low, run->difference_high, LFM_NUMBER_POINTS);
    lfm_table_number(table, run->mcnemar_exact, LFM_NUMBER_PLAIN);
    lfm_table_number(table, run->holm, LFM_NUMBER_PLAIN);
    lfm_table_text(table, run->verdict);
    if (strcmp(run->verdict, "UNDECIDED") == 0) lfm_table_number(table, ceil(run->items_needed), LFM_NUMBER_COUNT);
    else lfm_table_text(table, "");
}

static void comparison_table(struct lfm_content *content, const struct lfm_document *document, const char *id,
                             const char *title)
{
    static const struct lfm_column columns[] = {
        {"format", "Format", false},        {"right", "Right", true},
        {"cut_off", "Cut off", true},       {"lost", "Lost", true},
        {"won", "Won", true},               {"difference", "Difference", true},
        {"mcnemar_exact", "McNemar p", true}, {"mcnemar_holm", "p, Holm", true},
        {"verdict", "Verdict", false},      {"items_needed", "Still needed", true},
    };
    struct lfm_pool *pool = content->pool;
    const char *caption = lfm_pool_printf(
        pool, "%s: %s items, scores, answers that a limit cut off, and what flips against the reference. Brackets are "
              "95\xc2\xa0%% intervals, differences are in points; the verdict is for a margin of %.3g points, still needed are "
              "the items until it is decided.", title,
        lfm_number_text(pool, document->items, LFM_NUMBER_COUNT), 100 * document->margin);
    struct lfm_table *table = lfm_table_new(pool, id, caption, &document->source, columns, COUNT(columns));
    for (size_t i = 0; i < document->n_runs; i++) run_row(table, &document->runs[i], i == 0);
    lfm_content_table(content, table, false);
}

static void score_table(struct lfm_content *content, const struct lfm_document *document, const char *id,
                        const char *title)
{
    static const struct lfm_column columns[] = {{"model", "Model", false}, {"right", "Right", true},
                                                {"items", "Items", true}};
    const char *caption = lfm_pool_printf(content->pool, "%s: share of right answers with its 95\xc2\xa0%% interval.",
                                          title);
    struct lfm_table *table = lfm_table_new(content->pool, id, caption, &document->source, columns, COUNT(columns));
    const struct lfm_task_run *run = &document->runs[0];
    lfm_table_mark(table, run->label, run->color);
    lfm_table_interval(table, run->correct.accuracy, run->correct.low, run->correct.high, LFM_NUMBER_SCORE);
    lfm_table_number(table, document->items, LFM_NUMBER_COUNT);
    lfm_content_table(content, table, false);
}

/* "text", and a column for each run of the document. */
static struct lfm_column *run_columns(struct lfm_pool *pool, const struct lfm_document *document,
                                      const struct lfm_column *first, size_t n_first)
{
    struct lfm_column *columns = lfm_pool_alloc(pool, n_first + document->n_runs, sizeof *columns);
    if (!columns) return NULL;
    memcpy(columns, first, n_first * sizeof *first);
    for (size_t i = 0; i < document->n_runs; i++)
        columns[n_first + i] = (struct lfm_column){document->n_runs > 1 ? document->runs[i].name : "right",
                                                   document->n_runs > 1 ? document->runs[i].label : "Right", true};
    return columns;
}

static const struct lfm_rate *part_of(const struct lfm_task_run *run, const char *name)
{
    for (size_t i = 0; i < run->n_parts; i++)
        if (strcmp(run->parts[i].name, name) == 0) return &run->parts[i].rate;
    return NULL;
}

static void share_cell(struct lfm_table *table, const struct lfm_rate *rate)
{
    static const struct lfm_rate absent = {NAN, NAN, NAN, NAN, NAN};
    if (!rate) rate = &absent;
    lfm_table_share(table, rate->right, rate->n, rate->low, rate->high);
}

static void part_table(struct lfm_content *content, const struct lfm_document *document, const char *id,
                       const char *title)
{
    static const struct lfm_column first[] = {{"part", "Part", false}};
    const struct lfm_task_run *reference = &document->runs[0];
    struct lfm_pool *pool = content->pool;
    struct lfm_column *columns = run_columns(pool, document, first, COUNT(first));
    const char *caption = lfm_pool_printf(pool, "%s by part: right answers.", title);
    if (!columns) return;
    struct lfm_table *table = lfm_table_new(pool, lfm_pool_printf(pool, "%s-parts", id), caption, &document->source,
                                            columns, COUNT(first) + document->n_runs);
    for (size_t p = 0; p < reference->n_parts; p++) {
        lfm_table_text(table, reference->parts[p].name);
        for (size_t i = 0; i < document->n_runs; i++)
            share_cell(table, part_of(&document->runs[i], reference->parts[p].name));
    }
    lfm_content_table(content, table, true);
}

/* What follows the suite in "lfmscope eval SUITE ..."; NULL when the command is another one. */
static const char *rest_of(const struct lfm_document *document)
{
    static const char start[] = "lfmscope eval ";
    const char *command = document->source.command;
    size_t length = strlen(document->suite);
    if (strncmp(command, start, sizeof start - 1) != 0) return NULL;
    command += sizeof start - 1;
    return strncmp(command, document->suite, length) == 0 && command[length] == ' ' ? command + length : NULL;
}

static const char *joined(struct lfm_pool *pool, const char *before, const char *between, const char *text)
{
    return before[0] ? lfm_pool_printf(pool, "%s%s%s", before, between, text) : text;
}

/* Files and commands of all documents. Commands that differ in the suite alone are one with all suites. */
static struct lfm_source sources(struct lfm_pool *pool, const struct lfm_documents *documents)
{
    struct lfm_source all = {"", ""};
    const char *suites = "", *rest = NULL;
    bool alike = true;
    for (size_t i = 0; i < documents->count; i++) {
        const struct lfm_document *document = &documents->items[i];
        if (document->kind != LFM_DOCUMENT_TASKS) continue;
        all.file = joined(pool, all.file, ", ", document->source.file);
        all.command = joined(pool, all.command, "; ", document->source.command);
        suites = joined(pool, suites, ",", document->suite);
        alike = alike && rest_of(document) && (!rest || strcmp(rest, rest_of(document)) == 0);
        rest = rest_of(document);
    }
    if (alike && rest) all.command = lfm_pool_printf(pool, "lfmscope eval %s%s", suites, rest);
    return all;
}

static const char *score_caption(struct lfm_pool *pool, const struct lfm_documents *documents)
{
    const struct lfm_task_run *worst = NULL;
    const char *suite = "";
    for (size_t d = 0; d < documents->count; d++)
        for (size_t r = 1; r < documents->items[d].n_runs; r++) {
            const struct lfm_task_run *run = &documents->items[d].runs[r];
            if (isnan(run->difference) || (worst && fabs(run->difference) <= fabs(worst->difference))) continue;
            worst = run;
            suite = title_of(pool, documents, &documents->items[d]);
        }
    const char *largest = "";
    if (worst && worst->difference != 0)
        largest = lfm_pool_printf(pool, " The largest difference from the reference is %s points, %s on %s.",
                                  lfm_number_text(pool, worst->difference, LFM_NUMBER_POINTS), worst->label, suite);
    return lfm_pool_printf(pool, "Share of right answers with 95\xc2\xa0%% Wilson intervals.%s", largest);
}

static const struct lfm_task_run *run_of(const struct lfm_document *document, const char *label)
{
    for (size_t i = 0; i < document->n_runs; i++)
        if (strcmp(document->runs[i].label, label) == 0) return &document->runs[i];
    return NULL;
}

static void overview_cell(struct lfm_table *table, struct lfm_pool *pool, const struct lfm_task_run *run)
{
    if (!run) {
        lfm_table_text(table, "");
        return;
    }
    const char *score = lfm_number_text(pool, run->correct.accuracy, LFM_NUMBER_SCORE);
    if (isfinite(run->lost) && isfinite(run->gained))
        score = lfm_pool_printf(pool, "%s (%.0f lost, %.0f won)", score, run->lost, run->gained);
    lfm_table_worded(table, score, run->correct.accuracy);
}

/* All suites side by side, where there are several comparisons. */
static void overview_table(struct lfm_content *content, const struct lfm_documents *documents)
{
    struct lfm_pool *pool = content->pool;
    struct lfm_column *columns = lfm_pool_alloc(pool, 1 + documents->count, sizeof *columns);
    struct lfm_source source = sources(pool, documents);
    struct labels labels;
    size_t n = 0;
    if (!columns) return;
    columns[n++] = (struct lfm_column){"format", "Format", false};
    for (size_t d = 0; d < documents->count; d++)
        if (documents->items[d].n_runs > 1)
            columns[n++] = (struct lfm_column){id_of(pool, documents, &documents->items[d]),
                                               title_of(pool, documents, &documents->items[d]), true};
    if (n < 3) return;
    struct lfm_table *table = lfm_table_new(pool, "task-overview", "Right answers, and those that flip against the "
                                            "reference: from right to wrong (lost), from wrong to right (won).",
                                            &source, columns, n);
    collect_labels(&labels, documents);
    for (size_t i = 0; i < labels.count; i++) {
        lfm_table_mark(table, labels.text[i], labels.color[i]);
        for (size_t d = 0; d < documents->count; d++)
            if (documents->items[d].n_runs > 1) overview_cell(table, pool, run_of(&documents->items[d], labels.text[i]));
    }
    lfm_content_table(content, table, false);
}

void lfm_figure_tasks(struct lfm_content *content, const struct lfm_documents *documents)
{
    struct lfm_pool *pool = content->pool;
    struct lfm_plot *plot = lfm_documents_first(documents, LFM_DOCUMENT_TASKS) ? score_plot(pool, documents) : NULL;
    if (!plot) return;
    overview_table(content, documents);
    struct lfm_source source = sources(pool, documents);
    lfm_content_figure(content, plot, &source, "Scores by suite and format", score_caption(pool, documents));
    for (size_t i = 0; i < documents->count; i++) {
        const struct lfm_document *document = &documents->items[i];
        if (document->kind != LFM_DOCUMENT_TASKS) continue;
        const char *id = id_of(pool, documents, document), *title = title_of(pool, documents, document);
        if (document->n_runs > 1) comparison_table(content, document, id, title);
        else score_table(content, document, id, title);
        part_table(content, document, id, title);
    }
}

/* --- recall --- */

/* The values that the cells of one kind have, rising. */
struct grid {
    double lengths[MOST_LABELS], depths[MOST_LABELS];
    size_t n_lengths, n_depths;
};

static void insert(double *values, size_t *count, double value)
{
    size_t at = 0;
    while (at < *count && values[at] < value) at++;
    if (*count == MOST_LABELS || isnan(value) || (at < *count && values[at] == value)) return;
    memmove(values + at + 1, values + at, (*count - at) * sizeof *values);
    values[at] = value;
    ++*count;
}

static size_t place_of(const double *values, size_t count, double value)
{
    size_t at = 0;
    while (at < count && values[at] != value) at++;
    return at;
}

static struct grid grid_of(const struct lfm_task_run *run, const char *kind)
{
    struct grid grid = {.n_lengths = 0};
    for (size_t i = 0; i < run->n_cells; i++) {
        if (strcmp(run->cells[i].kind, kind) != 0) continue;
        insert(grid.lengths, &grid.n_lengths, run->cells[i].length);
        insert(grid.depths, &grid.n_depths, run->cells[i].depth);
    }
    return grid;
}

/* 400, 8k, 120k. */
static const char *length_text(struct lfm_pool *pool, double length)
{
    if (length >= 1000 && fmod(length, 1000) == 0) return lfm_pool_printf(pool, "%.0fk", length / 1000);
    return lfm_pool_printf(pool, "%.0f", length);
}

static void add_map(struct lfm_plot *plot, const struct lfm_task_run *run, const char *kind, const struct grid *grid)
{
    lfm_plot_series(plot, run->label, run->color);
    for (size_t i = 0; i < run->n_cells; i++) {
        const struct lfm_task_cell *cell = &run->cells[i];
        if (strcmp(cell->kind, kind) != 0) continue;
        size_t row = place_of(grid->depths, grid->n_depths, cell->depth);
        size_t column = place_of(grid->lengths, grid->n_lengths, cell->length);
        if (row < grid->n_depths && column < grid->n_lengths)
            lfm_plot_cell(plot, row, column, 100 * cell->rate.accuracy);
    }
}

static struct lfm_plot *recall_plot(struct lfm_pool *pool, const struct lfm_document *document, const char *kind,
                                    size_t n)
{
    struct grid grid = grid_of(&document->runs[0], kind);
    struct lfm_plot *plot = lfm_plot_new(pool, lfm_figure_id(pool, "recall", n), LFM_PLOT_HEAT);
    const char **rows = lfm_pool_alloc(pool, grid.n_depths, sizeof *rows);
    const char **columns = lfm_pool_alloc(pool, grid.n_lengths, sizeof *columns);
    if (!plot || !rows || !columns) return NULL;
    for (size_t i = 0; i < grid.n_depths; i++) rows[i] = lfm_pool_printf(pool, "%.0f\xc2\xa0%%", grid.depths[i]);
    for (size_t i = 0; i < grid.n_lengths; i++) columns[i] = length_text(pool, grid.lengths[i]);
    plot->x_title = lfm_pool_printf(pool, "length of the text, %s", document->length_unit);
    plot->y_title = "depth";
    plot->x_key = "length";
    plot->y_key = "depth";
    plot->value_key = "right_percent";
    plot->rows = rows;
    plot->columns = columns;
    plot->n_rows = grid.n_depths;
    plot->n_columns = grid.n_lengths;
    plot->value_low = 0;
    plot->value_high = 100;
    plot->whole_numbers = true;
    for (size_t i = 0; i < document->n_runs; i++) add_map(plot, &document->runs[i], kind, &grid);
    return plot;
}

static const struct lfm_task_cell *cell_of(const struct lfm_task_run *run, const struct lfm_task_cell *like)
{
    for (size_t i = 0; i < run->n_cells; i++) {
        const struct lfm_task_cell *cell = &run->cells[i];
        if (strcmp(cell->kind, like->kind) == 0 && cell->length == like->length && cell->depth == like->depth)
            return cell;
    }
    return NULL;
}

static void cell_table(struct lfm_content *content, const struct lfm_document *document, size_t n)
{
    static const struct lfm_column first[] = {{"kind", "Kind", false}, {"length", "Length", true},
                                              {"depth_percent", "Depth", true}};
    struct lfm_pool *pool = content->pool;
    const struct lfm_task_run *reference = &document->runs[0];
    struct lfm_column *columns = run_columns(pool, document, first, COUNT(first));
    if (!columns) return;
    struct lfm_table *table = lfm_table_new(pool, lfm_figure_id(pool, "recall-cells", n),
                                            "Recall: right answers in every cell.", &document->source, columns,
                                            COUNT(first) + document->n_runs);
    for (size_t c = 0; c < reference->n_cells; c++) {
        const struct lfm_task_cell *like = &reference->cells[c];
        lfm_table_text(table, like->kind);
        lfm_table_number(table, like->length, LFM_NUMBER_COUNT);
        lfm_table_number(table, like->depth, LFM_NUMBER_COUNT);
        for (size_t i = 0; i < document->n_runs; i++) {
            const struct lfm_task_cell *cell = cell_of(&document->runs[i], like);
            share_cell(table, cell ? &cell->rate : NULL);
        }
    }
    lfm_content_table(content, table, true);
}

static const char *recall_caption(struct lfm_pool *pool, const struct lfm_document *document, const char *kind)
{
    static const char *const tasks[][2] = {
        {"needle", "One fact in a long text, asked at its end"},
        {"one_of_several", "Several facts in a long text; one of them is asked"},
        {"all_of_several", "Several facts in a long text; all of them are asked"},
        {"variables", "Chains of variables that take each other\xe2\x80\x99s values; one chain is asked"},
    };
    const char *task = "A long text and a question";
    double fewest = NAN, most = NAN;
    for (size_t i = 0; i < COUNT(tasks); i++)
        if (strcmp(tasks[i][0], kind) == 0) task = tasks[i][1];
    for (size_t i = 0; i < document->runs[0].n_cells; i++) {
        const struct lfm_task_cell *cell = &document->runs[0].cells[i];
        if (strcmp(cell->kind, kind) != 0) continue;
        fewest = fmin(fewest, cell->rate.n);
        most = fmax(most, cell->rate.n);
    }
    const char *items = fewest == most ? lfm_pool_printf(pool, "%.0f", most)
                                       : lfm_pool_printf(pool, "%.0f to %.0f", fewest, most);
    const struct lfm_rate *rate = part_of(&document->runs[0], kind);
    const char *score = !rate ? "" : lfm_pool_printf(pool, " Over all cells, %s answers %.0f of %.0f.",
                                                     document->n_runs > 1 ? "the reference" : "the model", rate->right,
                                                     rate->n);
    return lfm_pool_printf(pool, "%s. Each cell is the share of right answers among %s item%s.%s", task, items,
                           most == 1 ? "" : "s", score);
}

static bool seen_before(const struct lfm_task_run *run, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(run->cells[i].kind, run->cells[index].kind) == 0) return true;
    return false;
}

void lfm_figure_recall(struct lfm_content *content, const struct lfm_documents *documents)
{
    struct lfm_pool *pool = content->pool;
    size_t maps = 0, tables = 0;
    for (size_t d = 0; d < documents->count; d++) {
        const struct lfm_document *document = &documents->items[d];
        if (document->kind != LFM_DOCUMENT_TASKS || document->runs[0].n_cells == 0) continue;
        for (size_t c = 0; c < document->runs[0].n_cells; c++) {
            const char *kind = document->runs[0].cells[c].kind;
            if (seen_before(&document->runs[0], c)) continue;
            struct lfm_plot *plot = recall_plot(pool, document, kind, ++maps);
            if (!plot) return;
            lfm_content_figure(content, plot, &document->source,
                               lfm_pool_printf(pool, "%s by length and depth: %s",
                                               title_of(pool, documents, document), kind_title(kind)),
                               recall_caption(pool, document, kind));
        }
        cell_table(content, document, ++tables);
    }
}
