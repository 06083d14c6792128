/* The plot model and its CSV: see plot.h. The script is written by plot_script.c. */
#include "reports/plot.h"

#include "reports/colour.h"

#include <math.h>

struct lfm_plot *lfm_plot_new(struct lfm_pool *pool, const char *id, enum lfm_plot_kind kind)
{
    struct lfm_plot *plot = lfm_pool_alloc(pool, 1, sizeof *plot);
    if (!plot) return NULL;
    *plot = (struct lfm_plot){.id = id, .kind = kind, .x_title = "", .y_title = "", .x_key = "x", .y_key = "y",
                              .value_key = "value", .reference_line = NAN, .value_low = NAN, .value_high = NAN,
                              .y_most = NAN, .pool = pool};
    return plot;
}

void lfm_plot_series(struct lfm_plot *plot, const char *label, const char *color)
{
    if (!plot) return;
    struct lfm_series *series =
        lfm_pool_grow(plot->pool, plot->series, &plot->series_capacity, plot->n_series + 1, sizeof *series);
    if (!series) return;
    plot->series = series;
    plot->series[plot->n_series++] =
        (struct lfm_series){.label = label, .color = color, .first = plot->n_points, .mark = lfm_colour_mark(color)};
}

static void add(struct lfm_plot *plot, struct lfm_point point)
{
    struct lfm_point *points =
        lfm_pool_grow(plot->pool, plot->points, &plot->points_capacity, plot->n_points + 1, sizeof *points);
    if (!points) return;
    plot->points = points;
    plot->points[plot->n_points++] = point;
    plot->series[plot->n_series - 1].count++;
}

void lfm_plot_point(struct lfm_plot *plot, double x, double y, double error)
{
    if (!plot || plot->n_series == 0 || !isfinite(x) || !isfinite(y)) return;
    if ((plot->x_scale != LFM_SCALE_LINEAR && x <= 0) || (plot->y_scale == LFM_SCALE_LOG && y <= 0)) return;
    add(plot, (struct lfm_point){.x = x, .y = y, .value = NAN, .low = NAN, .high = NAN,
                                 .error = isfinite(error) && error >= 0 ? error : NAN});
}

void lfm_plot_interval(struct lfm_plot *plot, double x, double y, double low, double high)
{
    size_t before = plot ? plot->n_points : 0;
    lfm_plot_point(plot, x, y, NAN);
    if (!plot || plot->n_points == before || !isfinite(low) || !isfinite(high)) return;
    plot->points[before].low = low;
    plot->points[before].high = high;
}

void lfm_plot_cell(struct lfm_plot *plot, size_t row, size_t column, double value)
{
    if (!plot || !isfinite(value) || (plot->value_scale != LFM_SCALE_LINEAR && value < 0)) return;
    if (plot->n_series == 0) lfm_plot_series(plot, "", "");
    if (plot->n_series == 0) return;
    add(plot, (struct lfm_point){.x = (double)column, .y = (double)row, .value = value, .error = NAN, .low = NAN,
                                 .high = NAN});
}

bool lfm_plot_has_data(const struct lfm_plot *plot)
{
    return plot && plot->n_points > 0;
}

static void cell_csv(struct lfm_writer *out, const struct lfm_plot *plot, const struct lfm_series *series,
                     const struct lfm_point *point)
{
    lfm_write_csv(out, plot->rows[(size_t)point->y]);
    lfm_write(out, ",");
    lfm_write_csv(out, plot->columns[(size_t)point->x]);
    lfm_write(out, ",");
    lfm_write_number(out, point->value);
    lfm_write(out, ",%.0f,%.0f", point->y, point->x);
    if (plot->n_series > 1) {
        lfm_write(out, ",");
        lfm_write_csv(out, series->label);
    }
    lfm_write(out, "\n");
}

static void heat_csv(struct lfm_writer *out, const struct lfm_plot *plot)
{
    lfm_write(out, "%s,%s,%s,row,column%s\n", plot->y_key, plot->x_key, plot->value_key,
              plot->n_series > 1 ? ",series" : "");
    for (size_t s = 0; s < plot->n_series; s++)
        for (size_t i = 0; i < plot->series[s].count; i++)
            cell_csv(out, plot, &plot->series[s], &plot->points[plot->series[s].first + i]);
}

static void point_csv(struct lfm_writer *out, const struct lfm_plot *plot, const struct lfm_point *point)
{
    lfm_write(out, ",");
    lfm_write_number(out, point->x);
    lfm_write(out, ",");
    lfm_write_number(out, point->y);
    lfm_write(out, ",");
    lfm_write_number(out, plot->intervals ? point->low : point->error);
    if (plot->intervals) {
        lfm_write(out, ",");
        lfm_write_number(out, point->high);
    }
    if (plot->kind == LFM_PLOT_DOTS) {
        lfm_write(out, ",");
        lfm_write_csv(out, plot->rows[(size_t)point->y]);
    }
    lfm_write(out, "\n");
}

void lfm_plot_csv(struct lfm_writer *out, const struct lfm_plot *plot)
{
    if (plot->kind == LFM_PLOT_HEAT) {
        heat_csv(out, plot);
        return;
    }
    bool dots = plot->kind == LFM_PLOT_DOTS;
    lfm_write(out, "series,%s,%s,%s%s%s\n", plot->x_key, dots ? "row" : plot->y_key,
              plot->intervals ? "low,high" : "stderr", dots ? "," : "", dots ? plot->y_key : "");
    for (size_t s = 0; s < plot->n_series; s++)
        for (size_t i = 0; i < plot->series[s].count; i++) {
            lfm_write_csv(out, plot->series[s].label);
            point_csv(out, plot, &plot->points[plot->series[s].first + i]);
        }
}
