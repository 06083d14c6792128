/* Plots: a model of what is drawn, written as the CSV behind it and the gnuplot script that draws it.
 *
 * The script reads ../data/<id>.csv and writes <id>.svg; it lies in plots/ and runs there by hand as well. */
#ifndef LFM_REPORTS_PLOT_H
#define LFM_REPORTS_PLOT_H

#include "reports/table.h"

enum lfm_plot_kind {
    LFM_PLOT_LINES,   /* y over x, one line per series */
    LFM_PLOT_SCATTER, /* points with the series' name beside each */
    LFM_PLOT_DOTS,    /* categories down the side, values with error bars to the right, series side by side */
    LFM_PLOT_HEAT     /* rows x columns of cells, shaded by value; one map for each series, side by side */
};

enum lfm_plot_scale {
    LFM_SCALE_LINEAR,
    LFM_SCALE_LOG, /* decades; values that are not positive are left out */
    LFM_SCALE_DOUBLING, /* x of lines only: powers of two, named; values are positive */
    LFM_SCALE_EVEN /* heat maps only: 1 is neutral, doubled and halved are equally far from it */
};

struct lfm_series {
    const char *label;
    const char *color;   /* "#2f7ed8" */
    size_t first, count; /* its points */
    int mark;            /* gnuplot's point type, so that colour is not the only difference */
};

/* One point. In a heat map x is the column and y the row; in dots y is the category. */
struct lfm_point {
    double x, y;
    double value; /* heat maps: what the cell shows */
    double error; /* half the length of the error bar, NaN for none; along x in dots, along y elsewhere */
    double low, high; /* the ends of a bar that is not even (dots), NaN for none */
};

struct lfm_plot {
    const char *id;
    enum lfm_plot_kind kind;
    enum lfm_plot_scale x_scale, y_scale, value_scale;
    const char *x_title, *y_title;
    const char *x_key, *y_key, *value_key; /* names of the CSV's columns; "layer", "relative_l2" */
    struct lfm_series *series;
    size_t n_series, series_capacity;
    struct lfm_point *points;
    size_t n_points, points_capacity;
    const char **rows, **columns;  /* names of categories (dots, heat) and of a heat map's columns */
    size_t n_rows, n_columns;
    bool one_per_row;              /* dots: each row has one point of a series of its own, which needs no key */
    bool intervals;                /* dots: bars are intervals, and the CSV has their ends in place of an error */
    bool whole_numbers;            /* heat maps: values are written without decimals */
    double reference_line;         /* a vertical rule in dots, NaN for none */
    double value_low, value_high;  /* range of a heat map's shading, so that several share it; NaN: from the data */
    double y_most;                 /* the y axis ends here at the latest; NaN: from the data */
    const double *bands;           /* x positions shaded behind lines (attention layers) */
    size_t n_bands;
    struct lfm_pool *pool;
};

/* A plot without data, in the pool; NULL when memory is short. */
struct lfm_plot *lfm_plot_new(struct lfm_pool *pool, const char *id, enum lfm_plot_kind kind);

/* Starts a series; the points added next belong to it. */
void lfm_plot_series(struct lfm_plot *plot, const char *label, const char *color);
/* Adds a point to the last series. A point that is not finite, or not positive on a log axis, is left out. */
void lfm_plot_point(struct lfm_plot *plot, double x, double y, double error);
/* Adds a point with an interval: the bar goes from low to high. */
void lfm_plot_interval(struct lfm_plot *plot, double x, double y, double low, double high);
/* Adds a cell of a heat map. Of a map alone no series need be started. */
void lfm_plot_cell(struct lfm_plot *plot, size_t row, size_t column, double value);

/* True when there is something to draw. */
bool lfm_plot_has_data(const struct lfm_plot *plot);

/* The data: one line per point, the series' name first. */
void lfm_plot_csv(struct lfm_writer *out, const struct lfm_plot *plot);
/* The gnuplot script. */
void lfm_plot_script(struct lfm_writer *out, const struct lfm_plot *plot);

#endif
