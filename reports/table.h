/* Tables: one model, rendered as HTML, as Markdown and as CSV. */
#ifndef LFM_REPORTS_TABLE_H
#define LFM_REPORTS_TABLE_H

#include "reports/text.h"

/* Where the numbers of a table or a figure come from; every one carries it. */
struct lfm_source {
    const char *file;    /* the result file, as it was named on the command line */
    const char *command; /* the command that wrote it; "" when the file does not say */
};

struct lfm_column {
    const char *key;   /* the CSV's name of it: "kld_mean" */
    const char *title; /* the heading people read: "KLD mean" */
    bool number;       /* aligned right */
};

struct lfm_cell {
    const char *text;  /* as people read it */
    const char *color; /* a mark in front of the text, "#2f7ed8"; NULL for none */
    double value;      /* as the CSV has it; NaN for a text or an absent number */
    double error;      /* the standard error shown with it */
    double low, high;  /* the interval shown with it */
    bool number, with_error, with_interval;
};

struct lfm_table {
    const char *id;      /* names the CSV: data/<id>.csv */
    const char *caption; /* what the table shows */
    struct lfm_source source;
    const struct lfm_column *columns; /* borrowed, static */
    size_t n_columns;
    struct lfm_cell *cells; /* row-major, filled left to right, top to bottom */
    size_t n_cells, capacity;
    struct lfm_pool *pool; /* where the cells live */
};

/* An empty table in the pool; NULL when memory is short (adding cells to NULL does nothing). */
struct lfm_table *lfm_table_new(struct lfm_pool *pool, const char *id, const char *caption,
                                const struct lfm_source *source, const struct lfm_column *columns, size_t n_columns);

/* The next cell: a text, a text with a colour mark, a number, a number with its standard error or its interval, a count
 * of right answers as "17 of 20", which the CSV has as a share with its interval. */
void lfm_table_text(struct lfm_table *table, const char *text);
void lfm_table_mark(struct lfm_table *table, const char *text, const char *color);
void lfm_table_number(struct lfm_table *table, double value, enum lfm_number_style style);
void lfm_table_error(struct lfm_table *table, double value, double error, enum lfm_number_style style);
void lfm_table_interval(struct lfm_table *table, double value, double low, double high, enum lfm_number_style style);
/* A number in words of one's own. */
void lfm_table_worded(struct lfm_table *table, const char *text, double value);
void lfm_table_share(struct lfm_table *table, double right, double n, double low, double high);

/* The <table> alone: caption and source line are the page's business. */
void lfm_table_html(struct lfm_writer *out, const struct lfm_table *table);
void lfm_table_markdown(struct lfm_writer *out, const struct lfm_table *table);
/* Numbers at full precision; a column that shows errors is followed by one named <key>_stderr, a column of intervals by
 * <key>_low and <key>_high. */
void lfm_table_csv(struct lfm_writer *out, const struct lfm_table *table);

#endif
