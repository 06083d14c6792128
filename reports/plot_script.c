/* The gnuplot script of a plot: see plot.h. Sizes are in pixels of a canvas 760 wide; nothing depends on the machine:
 * no dates, no default colours, no fonts but the reader's. */
#include "reports/plot.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    WIDTH = 760,
    HEIGHT = 380,      /* of plots with two numeric axes */
    FONT = 13,         /* pixels */
    CHARACTER = 7,     /* a character's usual width at that size */
    SMALL_CHARACTER = 6, /* ... at 11 pixels */
    KEY_CHARACTER = 8,   /* what gnuplot reckons a character of the key to take */
    KEY_LINE = 22,     /* height of one line of the key */
    AXIS = 52,         /* below the frame: tick labels and the title */
    LABEL_LIMIT = 34,  /* longest category name, in characters */
    KEY_LIMIT = 26,    /* longest name in the key */
    SCALE_STEPS = 32,  /* shades in the scale beside a heat map */
    MAP_RIGHT = 118,   /* right of a heat map: the scale */
    MAPS_AXIS = 30,    /* below several maps, which name their columns themselves */
    LEAST_CELL = 25    /* width of a cell when several maps share a line */
};

/* A heat map's shade is one hue, more or less opaque, so that it reads on light and on dark ground. Both hues have a
 * luminance near 0.2, on which black and white text are equally legible; EVEN uses the second one below 1. */
#define HUE 0xd0661aL
#define HUE_BELOW 0x2f7ed8L
#define MUTED "0xa0808080"

struct range {
    double low, high;
};

static void widen(struct range *range, double value)
{
    if (!isfinite(value)) return;
    if (!(value >= range->low)) range->low = value;
    if (!(value <= range->high)) range->high = value;
}

static struct range range_of(const struct lfm_plot *plot, bool of_x)
{
    bool log_scale = (of_x ? plot->x_scale : plot->y_scale) == LFM_SCALE_LOG;
    bool has_error = of_x == (plot->kind == LFM_PLOT_DOTS);
    struct range range = {NAN, NAN};
    for (size_t i = 0; i < plot->n_points; i++) {
        const struct lfm_point *point = &plot->points[i];
        double value = of_x ? point->x : point->y;
        widen(&range, value);
        if (has_error) widen(&range, point->low);
        if (has_error) widen(&range, point->high);
        if (!has_error || !isfinite(point->error)) continue;
        if (!log_scale || value > point->error) widen(&range, value - point->error);
        widen(&range, value + point->error);
    }
    if (of_x && plot->kind == LFM_PLOT_DOTS && !log_scale) widen(&range, plot->reference_line);
    return range;
}

/* Major ticks at powers of ten (thinned where there are many), unnamed minor ones between neighbours. */
static void log_axis(struct lfm_writer *out, struct lfm_pool *pool, const char *axis, struct range range)
{
    int first = (int)floor(log10(range.low) + 1e-9), last = (int)ceil(log10(range.high) - 1e-9);
    if (last <= first) last = first + 1;
    int step = 1 + (last - first) / 9;
    lfm_write(out, "set logscale %s\nset %srange [1e%d:1e%d]\nset %stics (", axis, axis, first, last, axis);
    for (int exponent = first; exponent <= last; exponent++) {
        if ((exponent - first) % step == 0)
            lfm_write(out, "%s'%s' 1e%d", exponent > first ? ", " : "", lfm_power_of_ten(pool, exponent), exponent);
        for (int digit = 2; step == 1 && digit < 10 && exponent < last; digit++)
            lfm_write(out, ", '' %de%d 1", digit, exponent);
    }
    lfm_write(out, ")\n");
}

/* Powers of two along x. */
static void doubling_axis(struct lfm_writer *out, struct range range)
{
    int first = (int)floor(log2(range.low) + 1e-9), last = (int)ceil(log2(range.high) - 1e-9);
    int step = 1 + (last - first) / 16;
    lfm_write(out, "set logscale x 2\nset xrange [%.10g:%.10g]\nset xtics (", range.low / 1.2, range.high * 1.2);
    for (int exponent = first; exponent <= last; exponent += step)
        lfm_write(out, "%s'%.10g' %.10g", exponent > first ? ", " : "", ldexp(1, exponent), ldexp(1, exponent));
    lfm_write(out, ")\n");
}

static void linear_axis(struct lfm_writer *out, const char *axis, struct range range, double most)
{
    double margin = 0.06 * (range.high - range.low);
    if (!(margin > 0)) margin = range.high != 0 ? 0.05 * fabs(range.high) : 1;
    double high = range.high + margin;
    if (isfinite(most) && high > most) high = most + 0.15 * margin;
    lfm_write(out, "set %srange [%.10g:%.10g]\n", axis, range.low - margin, high);
}

/* Whole numbers (layers) along x, every one or every few. */
static void index_axis(struct lfm_writer *out, struct range range)
{
    double span = range.high - range.low;
    int step = span <= 16 ? 1 : span <= 32 ? 2 : (int)ceil(span / 16);
    lfm_write(out, "set xrange [%.10g:%.10g]\nset xtics %d\n", range.low - 0.5, range.high + 0.5, step);
}

static void text(struct lfm_writer *out, const char *before, const char *value, const char *after)
{
    lfm_write(out, "%s", before);
    lfm_write_gnuplot(out, value);
    lfm_write(out, "%s", after);
}

static void prologue(struct lfm_writer *out, const struct lfm_plot *plot, int height)
{
    lfm_write(out, "# %s: drawn by 'lfmscope report', to be run in this directory: gnuplot %s.gp\n", plot->id,
              plot->id);
    lfm_write(out, "reset session\nset encoding utf8\n");
    lfm_write(out, "set terminal svg size %d,%d dynamic noenhanced rounded linewidth 1 font 'sans-serif,%d'\n", WIDTH,
              height, FONT);
    lfm_write(out, "set output '%s.svg'\nset datafile separator ','\n", plot->id);
    lfm_write(out, "data = '../data/%s.csv'\n", plot->id);
    lfm_write(out, "set format '%%g'\nset tics nomirror scale 0.6,0.3 textcolor rgb 'black'\n");
    lfm_write(out, "set border 3 linecolor rgb '%s'\n", MUTED);
    text(out, "set xlabel ", plot->x_title, " offset 0,0.2\n");
    if (plot->kind == LFM_PLOT_LINES || plot->kind == LFM_PLOT_SCATTER)
        text(out, "set ylabel ", plot->y_title, " offset 0.6,0\n");
}

static void frame(struct lfm_writer *out, int left, int right, int top, int bottom, int height)
{
    lfm_write(out, "set lmargin at screen %.6f\nset rmargin at screen %.6f\n", (double)left / WIDTH,
              (double)(WIDTH - right) / WIDTH);
    lfm_write(out, "set tmargin at screen %.6f\nset bmargin at screen %.6f\n", (double)(height - top) / height,
              (double)bottom / height);
}

/* Lines of the key: its entries flow from left to right. */
static int key_lines(const struct lfm_plot *plot)
{
    double widest = 0;
    for (size_t s = 0; s < plot->n_series; s++)
        widest = fmax(widest, fmin(KEY_LIMIT, (double)lfm_text_length(plot->series[s].label)));
    double entry = (widest + 7) * KEY_CHARACTER;
    double per_line = fmax(1, floor((WIDTH - 110) / entry));
    return (int)ceil((double)plot->n_series / per_line);
}

static void key(struct lfm_writer *out, int left, int height)
{
    lfm_write(out,
              "set key at screen %.6f, screen %.6f left top horizontal Left reverse samplen 1.4 spacing 1.3 width 2\n",
              (double)(left - 6) / WIDTH, (double)(height - 4) / height);
}

static bool has_errors(const struct lfm_plot *plot, const struct lfm_series *series)
{
    for (size_t i = 0; i < series->count; i++)
        if (isfinite(plot->points[series->first + i].error) || isfinite(plot->points[series->first + i].low))
            return true;
    return false;
}

/* "data skip 1 every ::first::last": the rows of a series in the CSV. */
static void rows(struct lfm_writer *out, const struct lfm_plot *plot, size_t index)
{
    size_t before = 0;
    for (size_t s = 0; s < index; s++) before += plot->series[s].count;
    lfm_write(out, "data skip 1 every ::%zu::%zu", before, before + plot->series[index].count - 1);
}

static void series_lines(struct lfm_writer *out, const struct lfm_plot *plot, size_t index, const char *where)
{
    const struct lfm_series *series = &plot->series[index];
    const char *bars = plot->kind == LFM_PLOT_DOTS ? "xerrorbars" : "yerrorbars";
    bool line = plot->kind == LFM_PLOT_LINES;
    if (has_errors(plot, series)) {
        rows(out, plot, index);
        lfm_write(out, " using %s:4%s with %s pointtype -1 linewidth 1.6 linecolor rgb '%s' notitle, \\\n    ", where,
                  plot->intervals ? ":5" : "", bars, series->color);
    }
    rows(out, plot, index);
    if (line && series->count > 40)
        lfm_write(out, " using %s with lines linewidth 2.2 linecolor rgb '%s'", where, series->color);
    else
        lfm_write(out, " using %s with %s pointtype %d pointsize %s linewidth 2 linecolor rgb '%s'", where,
                  line ? "linespoints" : "points", series->mark, line ? "0.55" : "0.8", series->color);
    if (plot->kind == LFM_PLOT_SCATTER) lfm_write(out, " notitle");
    else text(out, " title ", lfm_shorten(plot->pool, series->label, KEY_LIMIT), "");
}

static void plot_command(struct lfm_writer *out, const struct lfm_plot *plot)
{
    const char *separator = "plot ";
    for (size_t s = 0; s < plot->n_series; s++) {
        if (plot->series[s].count == 0) continue;
        char where[64] = "2:3";
        double place = ((double)s + 0.5) / (double)plot->n_series - 0.5;
        if (plot->kind == LFM_PLOT_DOTS && !plot->one_per_row)
            snprintf(where, sizeof where, "2:($3%+.4f)", 0.64 * place);
        lfm_write(out, "%s", separator);
        series_lines(out, plot, s, where);
        separator = ", \\\n    ";
    }
    lfm_write(out, "\n");
}

static void bands(struct lfm_writer *out, const struct lfm_plot *plot)
{
    for (size_t i = 0; i < plot->n_bands; i++)
        lfm_write(out, "set object rectangle from %.10g, graph 0 to %.10g, graph 1 behind fillcolor rgb '0xe0808080' "
                       "fillstyle solid noborder\n", plot->bands[i] - 0.5, plot->bands[i] + 0.5);
}

static void point_names(struct lfm_writer *out, const struct lfm_plot *plot, struct range x)
{
    for (size_t s = 0; s < plot->n_series; s++) {
        const struct lfm_series *series = &plot->series[s];
        if (series->count == 0) continue;
        const struct lfm_point *point = &plot->points[series->first];
        bool right = point->x > 0.5 * (x.low + x.high);
        text(out, "set label ", lfm_shorten(plot->pool, series->label, LABEL_LIMIT), "");
        lfm_write(out, " at %.10g,%.10g %s offset %s,0\n", point->x, point->y, right ? "right" : "left",
                  right ? "-1.2" : "1.2");
    }
}

static void curves_script(struct lfm_writer *out, const struct lfm_plot *plot)
{
    bool lines = plot->kind == LFM_PLOT_LINES;
    int left = 74, top = lines ? 14 + KEY_LINE * key_lines(plot) : 16, height = HEIGHT + top - 16;
    struct range x = range_of(plot, true), y = range_of(plot, false);
    prologue(out, plot, height);
    frame(out, left, 18, top, AXIS, height);
    lfm_write(out, "set grid ytics linetype 1 linewidth 0.8 linecolor rgb '0xc8808080'\n");
    if (plot->x_scale == LFM_SCALE_LOG) log_axis(out, plot->pool, "x", x);
    else if (plot->x_scale == LFM_SCALE_DOUBLING) doubling_axis(out, x);
    else if (lines) index_axis(out, x);
    else linear_axis(out, "x", x, NAN);
    if (plot->y_scale == LFM_SCALE_LOG) log_axis(out, plot->pool, "y", y);
    else linear_axis(out, "y", y, plot->y_most);
    bands(out, plot);
    if (lines) key(out, left, height);
    else lfm_write(out, "set key off\n");
    if (!lines) point_names(out, plot, x);
    plot_command(out, plot);
}

static int name_margin(const char *const *names, size_t count)
{
    size_t longest = 4;
    for (size_t i = 0; i < count; i++) {
        size_t length = lfm_text_length(names[i]);
        if (length > longest) longest = length;
    }
    return 22 + CHARACTER * (int)(longest < LABEL_LIMIT ? longest : LABEL_LIMIT);
}

/* A tick's name, which gnuplot takes for a format. */
static void tick(struct lfm_writer *out, struct lfm_pool *pool, const char *before, const char *name)
{
    const char *format = "";
    for (name = lfm_shorten(pool, name, LABEL_LIMIT); *name;) {
        size_t plain = strcspn(name, "%");
        format = lfm_pool_printf(pool, "%s%.*s%s", format, (int)plain, name, name[plain] ? "%%" : "");
        name += plain + (name[plain] != '\0');
    }
    text(out, before, format, "");
}

static void name_tics(struct lfm_writer *out, const struct lfm_plot *plot, const char *axis, const char *const *names,
                      size_t count, size_t step)
{
    lfm_write(out, "set %stics scale 0 (", axis);
    for (size_t i = 0; i < count; i += step) {
        tick(out, plot->pool, i ? ", " : "", names[i]);
        lfm_write(out, " %zu", i);
    }
    lfm_write(out, ")\n");
}

static void dots_script(struct lfm_writer *out, const struct lfm_plot *plot)
{
    bool with_key = !plot->one_per_row && plot->n_series > 1;
    int left = name_margin(plot->rows, plot->n_rows), top = with_key ? 14 + KEY_LINE * key_lines(plot) : 12;
    int row = with_key ? 14 * (int)plot->n_series + 12 : 30;
    int height = top + AXIS + row * (int)plot->n_rows;
    struct range x = range_of(plot, true);
    prologue(out, plot, height);
    frame(out, left, 18, top, AXIS, height);
    lfm_write(out, "set border 1\nset grid xtics linetype 1 linewidth 0.8 linecolor rgb '0xc8808080'\n");
    if (plot->x_scale == LFM_SCALE_LOG) log_axis(out, plot->pool, "x", x);
    else linear_axis(out, "x", x, NAN);
    lfm_write(out, "set yrange [%.1f:-0.5]\n", (double)plot->n_rows - 0.5);
    name_tics(out, plot, "y", plot->rows, plot->n_rows, 1);
    if (isfinite(plot->reference_line))
        lfm_write(out,
                  "set arrow from %.10g, graph 0 to %.10g, graph 1 nohead linewidth 1.2 linecolor rgb '0x40808080'\n",
                  plot->reference_line, plot->reference_line);
    if (with_key) key(out, left, height);
    else lfm_write(out, "set key off\n");
    plot_command(out, plot);
}

static struct range shade_range(const struct lfm_plot *plot)
{
    struct range range = {plot->value_low, plot->value_high};
    if (isfinite(range.low) && isfinite(range.high)) return range;
    for (size_t i = 0; i < plot->n_points; i++)
        if (plot->value_scale != LFM_SCALE_LOG || plot->points[i].value > 0) widen(&range, plot->points[i].value);
    return range;
}

/* Defines share(v), the opacity of a value from 0 to 1, and shade(v), gnuplot's 0xAARRGGBB with its inverted alpha. */
static void shade_functions(struct lfm_writer *out, const struct lfm_plot *plot, struct range range)
{
    lfm_write(out, "within(a) = a < 0 ? 0.0 : a > 1 ? 1.0 : a\n");
    if (plot->value_scale == LFM_SCALE_EVEN) {
        lfm_write(out, "share(v) = v > 0 ? within(abs(log(v) / log(2)) / 2) : 1.0\n");
        lfm_write(out, "hue(v) = v < 1 ? %ld : %ld\n", HUE_BELOW, HUE);
    } else if (plot->value_scale == LFM_SCALE_LOG) {
        double low = log10(range.low), span = fmax(log10(range.high) - low, 1e-9);
        lfm_write(out, "share(v) = v > 0 ? within((log10(v) - (%.10g)) / %.10g) : 0.0\nhue(v) = %ld\n", low, span, HUE);
    } else {
        lfm_write(out, "share(v) = within((v - (%.10g)) / %.10g)\nhue(v) = %ld\n", range.low,
                  fmax(range.high - range.low, 1e-12), HUE);
    }
    if (plot->whole_numbers) lfm_write(out, "places(v) = '%%.0f'\n");
    else lfm_write(out, "places(v) = v < 0.00095 ? '%%.0e' : v < 0.0095 ? '%%.4f' : v < 0.095 ? '%%.3f' : '%%.2f'\n");
    lfm_write(out, "written(v) = sprintf(places(v), v)\n");
    lfm_write(out, "shade(v) = int(255 * (1 - 0.08 - 0.74 * share(v))) * 2**24 + hue(v)\n");
}

static double scale_value(const struct lfm_plot *plot, struct range range, double share)
{
    if (plot->value_scale == LFM_SCALE_EVEN) return pow(2, 4 * share - 2);
    double low = log10(range.low), high = log10(range.high);
    if (plot->value_scale == LFM_SCALE_LOG) return pow(10, low + share * (high - low));
    return range.low + share * (range.high - range.low);
}

/* A strip of shades right of the map, its ends and middle named. */
static void shade_scale(struct lfm_writer *out, const struct lfm_plot *plot, struct range range)
{
    double left = (double)(WIDTH - 98) / WIDTH, right = (double)(WIDTH - 84) / WIDTH;
    enum lfm_number_style style = plot->whole_numbers ? LFM_NUMBER_COUNT : LFM_NUMBER_PLAIN;
    for (int i = 0; i < SCALE_STEPS; i++)
        lfm_write(out, "set object rectangle from screen %.5f, graph %.5f to screen %.5f, graph %.5f fillcolor rgb "
                       "shade(%.6g) fillstyle solid noborder\n", left, (double)i / SCALE_STEPS, right,
                  (double)(i + 1) / SCALE_STEPS, scale_value(plot, range, (i + 0.5) / SCALE_STEPS));
    for (int i = 0; i <= 2; i++) {
        double value = scale_value(plot, range, i / 2.0);
        lfm_write(out, "set label '%s' at screen %.5f, graph %.2f left\n",
                  plot->value_scale == LFM_SCALE_EVEN ? (i == 0   ? "\xe2\x89\xa4 \xc2\xbc"
                                                         : i == 1 ? "1"
                                                                  : "\xe2\x89\xa5 4")
                                                      : lfm_number_text(plot->pool, value, style),
                  right + 0.008, i / 2.0);
    }
}

static void shade_axes(struct lfm_writer *out, const struct lfm_plot *plot)
{
    lfm_write(out, "set xrange [-0.5:%.1f]\nset yrange [%.1f:-0.5]\n", (double)plot->n_columns - 0.5,
              (double)plot->n_rows - 0.5);
    name_tics(out, plot, "x", plot->columns, plot->n_columns, 1 + plot->n_columns / 25);
    name_tics(out, plot, "y", plot->rows, plot->n_rows, 1);
}

/* The cells of a map whose corner lies at (x, y), and their values where these fit. */
static void shade_cells(struct lfm_writer *out, const struct lfm_plot *plot, size_t index, double x, double y,
                        bool written)
{
    rows(out, plot, index);
    lfm_write(out,
              " using ($5+%.4g):($4+%.4g):($5%+.4g):($5%+.4g):($4%+.4g):($4%+.4g):(shade($3)) with boxxyerror "
              "linecolor rgb variable fillstyle solid noborder", x, y, x - 0.48, x + 0.48, y - 0.46, y + 0.46);
    if (!written) return;
    lfm_write(out, ", \\\n    ");
    rows(out, plot, index);
    lfm_write(out, " using ($5+%.4g):($4+%.4g):(written($3)) with labels font ',11'", x, y);
}

static int row_height(size_t rows_of_one)
{
    return rows_of_one <= 12 ? 28 : rows_of_one <= 24 ? 20 : 14;
}

static void map_script(struct lfm_writer *out, const struct lfm_plot *plot)
{
    int left = name_margin(plot->rows, plot->n_rows), top = 12, row = row_height(plot->n_rows);
    int height = top + AXIS + row * (int)plot->n_rows;
    struct range range = shade_range(plot);
    prologue(out, plot, height);
    text(out, "set ylabel ", plot->y_title, " offset -0.4,0\n");
    frame(out, left + (plot->y_title[0] ? 26 : 4), MAP_RIGHT, top, AXIS, height);
    lfm_write(out, "unset border\nset key off\n");
    shade_axes(out, plot);
    shade_functions(out, plot, range);
    shade_scale(out, plot, range);
    lfm_write(out, "plot ");
    shade_cells(out, plot, 0, 0, 0, plot->n_columns <= 12 && row >= 20);
    lfm_write(out, "\n");
}

/* Several maps on one canvas, measured in cells: as many in a line as have room, a line for the name above each, one for
 * the columns' names below. */
struct maps {
    size_t per_line, lines;
    double pitch_x, pitch_y;  /* from one map to the next */
    double cell;              /* its width in pixels */
    int left, width;          /* in pixels */
};

#define MAP_GAP 0.7  /* between maps, in cells */
#define MAP_HEAD 1.0 /* above a map, in rows */
#define MAP_FOOT 0.9 /* below it */

static struct maps arrange_maps(const struct lfm_plot *plot)
{
    struct maps maps = {.left = name_margin(plot->rows, plot->n_rows) + (plot->y_title[0] ? 26 : 4)};
    maps.width = WIDTH - MAP_RIGHT - maps.left;
    maps.pitch_x = (double)plot->n_columns + MAP_GAP;
    maps.pitch_y = (double)plot->n_rows + MAP_HEAD + MAP_FOOT;
    double fit = floor(((double)maps.width / LEAST_CELL + MAP_GAP) / maps.pitch_x);
    maps.per_line = fit < 1 ? 1 : fit > (double)plot->n_series ? plot->n_series : (size_t)fit;
    maps.lines = (plot->n_series + maps.per_line - 1) / maps.per_line;
    maps.cell = maps.width / ((double)maps.per_line * maps.pitch_x - MAP_GAP);
    return maps;
}

static double map_x(const struct maps *maps, size_t index)
{
    return (double)(index % maps->per_line) * maps->pitch_x;
}

static double map_y(const struct maps *maps, size_t index)
{
    return (double)(index / maps->per_line) * maps->pitch_y + MAP_HEAD;
}

/* The maps' names and those of their columns, and the rows' names once for each line. */
static void map_names(struct lfm_writer *out, const struct lfm_plot *plot, const struct maps *maps)
{
    size_t longest = 1;
    for (size_t c = 0; c < plot->n_columns; c++)
        if (lfm_text_length(plot->columns[c]) > longest) longest = lfm_text_length(plot->columns[c]);
    size_t step = 1 + (size_t)((double)(longest * SMALL_CHARACTER + 2) / maps->cell);
    for (size_t s = 0; s < plot->n_series; s++) {
        double x = map_x(maps, s), y = map_y(maps, s);
        text(out, "set label ", lfm_shorten(plot->pool, plot->series[s].label, KEY_LIMIT), "");
        lfm_write(out, " at %.4f,%.4f left\n", x - 0.48, y - 0.92);
        for (size_t c = 0; c < plot->n_columns; c += step) {
            text(out, "set label ", plot->columns[c], "");
            lfm_write(out, " at %.4f,%.4f center font ',11'\n", x + (double)c, y + (double)plot->n_rows - 0.1);
        }
    }
    lfm_write(out, "unset xtics\nset ytics scale 0 (");
    for (size_t i = 0; i < maps->lines * plot->n_rows; i++) {
        tick(out, plot->pool, i ? ", " : "", plot->rows[i % plot->n_rows]);
        lfm_write(out, " %.4f", map_y(maps, i / plot->n_rows * maps->per_line) + (double)(i % plot->n_rows));
    }
    lfm_write(out, ")\n");
}

static void maps_script(struct lfm_writer *out, const struct lfm_plot *plot)
{
    struct maps maps = arrange_maps(plot);
    int row = row_height(plot->n_rows), top = 10;
    int height = top + MAPS_AXIS + (int)(row * maps.pitch_y * (double)maps.lines);
    struct range range = shade_range(plot);
    prologue(out, plot, height);
    text(out, "set ylabel ", plot->y_title, " offset -0.4,0\n");
    frame(out, maps.left, MAP_RIGHT, top, MAPS_AXIS, height);
    lfm_write(out, "unset border\nset key off\n");
    lfm_write(out, "set xrange [-0.5:%.4f]\nset yrange [%.4f:-0.5]\n",
              (double)maps.per_line * maps.pitch_x - MAP_GAP - 0.5, (double)maps.lines * maps.pitch_y - 0.5);
    map_names(out, plot, &maps);
    shade_functions(out, plot, range);
    shade_scale(out, plot, range);
    const char *before = "plot ";
    for (size_t s = 0; s < plot->n_series; s++) {
        if (plot->series[s].count == 0) continue;
        lfm_write(out, "%s", before);
        shade_cells(out, plot, s, map_x(&maps, s), map_y(&maps, s), row >= 20);
        before = ", \\\n    ";
    }
    lfm_write(out, "\n");
}

void lfm_plot_script(struct lfm_writer *out, const struct lfm_plot *plot)
{
    if (plot->kind == LFM_PLOT_HEAT && plot->n_series > 1) maps_script(out, plot);
    else if (plot->kind == LFM_PLOT_HEAT) map_script(out, plot);
    else if (plot->kind == LFM_PLOT_DOTS) dots_script(out, plot);
    else curves_script(out, plot);
}
