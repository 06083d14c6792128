/* One table, three renderings: see table.h. */
#include "reports/table.h"

#include <math.h>

struct lfm_table *lfm_table_new(struct lfm_pool *pool, const char *id, const char *caption,
                                const struct lfm_source *source, const struct lfm_column *columns, size_t n_columns)
{
    struct lfm_table *table = lfm_pool_alloc(pool, 1, sizeof *table);
    if (!table) return NULL;
    *table = (struct lfm_table){.id = id, .caption = caption, .source = *source, .columns = columns,
                                .n_columns = n_columns, .pool = pool};
    return table;
}

static void add(struct lfm_table *table, struct lfm_cell cell)
{
    if (!table) return;
    struct lfm_cell *cells =
        lfm_pool_grow(table->pool, table->cells, &table->capacity, table->n_cells + 1, sizeof *cells);
    if (!cells) return;
    table->cells = cells;
    table->cells[table->n_cells++] = cell;
}

void lfm_table_text(struct lfm_table *table, const char *text)
{
    add(table, (struct lfm_cell){.text = text, .value = NAN, .error = NAN});
}

void lfm_table_mark(struct lfm_table *table, const char *text, const char *color)
{
    add(table, (struct lfm_cell){.text = text, .color = color, .value = NAN, .error = NAN});
}

void lfm_table_number(struct lfm_table *table, double value, enum lfm_number_style style)
{
    if (!table) return;
    const char *text = lfm_number_text(table->pool, value, style);
    add(table, (struct lfm_cell){.text = text, .value = value, .error = NAN, .number = true});
}

void lfm_table_error(struct lfm_table *table, double value, double error, enum lfm_number_style style)
{
    if (!table) return;
    const char *text = lfm_number_with_error(table->pool, value, error, style);
    add(table, (struct lfm_cell){.text = text, .value = value, .error = error, .number = true, .with_error = true});
}

void lfm_table_interval(struct lfm_table *table, double value, double low, double high, enum lfm_number_style style)
{
    if (!table) return;
    const char *text = lfm_number_with_interval(table->pool, value, low, high, style);
    add(table, (struct lfm_cell){.text = text, .value = value, .low = low, .high = high, .number = true,
                                 .with_interval = true});
}

void lfm_table_share(struct lfm_table *table, double right, double n, double low, double high)
{
    if (!table) return;
    const char *text = isfinite(right) && isfinite(n) ? lfm_pool_printf(table->pool, "%.0f of %.0f", right, n)
                                                      : "\xe2\x80\x93";
    add(table, (struct lfm_cell){.text = text, .value = n > 0 ? right / n : NAN, .low = low, .high = high,
                                 .number = true, .with_interval = true});
}

void lfm_table_worded(struct lfm_table *table, const char *text, double value)
{
    add(table, (struct lfm_cell){.text = text, .value = value, .error = NAN, .number = true});
}

static size_t rows_of(const struct lfm_table *table)
{
    return table->n_cells / table->n_columns;
}

static void html_cell(struct lfm_writer *out, const struct lfm_column *column, const struct lfm_cell *cell, bool first)
{
    const char *tag = first ? "th scope=\"row\"" : "td";
    lfm_write(out, column->number ? "<%s class=\"n\">" : "<%s>", tag);
    if (cell->color) lfm_write(out, "<span class=\"mark\" style=\"background:%s\"></span>", cell->color);
    lfm_write_html(out, cell->text);
    lfm_write(out, first ? "</th>" : "</td>");
}

void lfm_table_html(struct lfm_writer *out, const struct lfm_table *table)
{
    lfm_write(out, "<table>\n<thead><tr>");
    for (size_t c = 0; c < table->n_columns; c++) {
        lfm_write(out, table->columns[c].number ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">");
        lfm_write_html(out, table->columns[c].title);
        lfm_write(out, "</th>");
    }
    lfm_write(out, "</tr></thead>\n<tbody>\n");
    for (size_t r = 0; r < rows_of(table); r++) {
        lfm_write(out, "<tr>");
        for (size_t c = 0; c < table->n_columns; c++)
            html_cell(out, &table->columns[c], &table->cells[r * table->n_columns + c], c == 0);
        lfm_write(out, "</tr>\n");
    }
    lfm_write(out, "</tbody>\n</table>\n");
}

void lfm_table_markdown(struct lfm_writer *out, const struct lfm_table *table)
{
    for (size_t c = 0; c < table->n_columns; c++) {
        lfm_write(out, "| ");
        lfm_write_markdown(out, table->columns[c].title);
        lfm_write(out, " ");
    }
    lfm_write(out, "|\n");
    for (size_t c = 0; c < table->n_columns; c++) lfm_write(out, table->columns[c].number ? "|---:" : "|:---");
    lfm_write(out, "|\n");
    for (size_t i = 0; i < rows_of(table) * table->n_columns; i++) {
        lfm_write(out, "| ");
        lfm_write_markdown(out, table->cells[i].text);
        lfm_write(out, (i + 1) % table->n_columns ? " " : " |\n");
    }
}

static bool shows_errors(const struct lfm_table *table, size_t column)
{
    for (size_t r = 0; r < rows_of(table); r++)
        if (table->cells[r * table->n_columns + column].with_error) return true;
    return false;
}

static bool shows_intervals(const struct lfm_table *table, size_t column)
{
    for (size_t r = 0; r < rows_of(table); r++)
        if (table->cells[r * table->n_columns + column].with_interval) return true;
    return false;
}

static void csv_cell(struct lfm_writer *out, const struct lfm_table *table, size_t row, size_t column)
{
    const struct lfm_cell *cell = &table->cells[row * table->n_columns + column];
    if (cell->number) lfm_write_number(out, cell->value);
    else lfm_write_csv(out, cell->text);
    if (shows_errors(table, column)) {
        lfm_write(out, ",");
        lfm_write_number(out, cell->error);
    }
    if (!shows_intervals(table, column)) return;
    lfm_write(out, ",");
    lfm_write_number(out, cell->with_interval ? cell->low : NAN);
    lfm_write(out, ",");
    lfm_write_number(out, cell->with_interval ? cell->high : NAN);
}

void lfm_table_csv(struct lfm_writer *out, const struct lfm_table *table)
{
    for (size_t c = 0; c < table->n_columns; c++) {
        lfm_write(out, "%s%s", c ? "," : "", table->columns[c].key);
        if (shows_errors(table, c)) lfm_write(out, ",%s_stderr", table->columns[c].key);
        if (shows_intervals(table, c)) lfm_write(out, ",%s_low,%s_high", table->columns[c].key, table->columns[c].key);
    }
    lfm_write(out, "\n");
    for (size_t r = 0; r < rows_of(table); r++) {
        for (size_t c = 0; c < table->n_columns; c++) {
            lfm_write(out, c ? "," : "");
            csv_cell(out, table, r, c);
        }
        lfm_write(out, "\n");
    }
}
