/* reports/plot and reports/svg: what is drawn, the data behind it, gnuplot's output on a page. */
#include "reports/plot.h"
#include "reports/svg.h"

#include "tests/unit/assert.h"

static struct lfm_pool pool;
static struct lfm_writer writer;

static void release(void)
{
    lfm_pool_release(&pool);
    lfm_buffer_release(&writer.buffer);
}

TestSuite(report_plot, .fini = release);

static void assert_contains(const char *part)
{
    cr_assert(strstr(writer.buffer.data, part) != NULL, "'%s' lacks '%s'", writer.buffer.data, part);
}

static void assert_lacks(const char *part)
{
    cr_assert(strstr(writer.buffer.data, part) == NULL, "'%s' has '%s'", writer.buffer.data, part);
}

Test(report_plot, a_log_axis_leaves_out_what_it_cannot_show)
{
    struct lfm_plot *plot = lfm_plot_new(&pool, "p", LFM_PLOT_LINES);
    plot->y_scale = LFM_SCALE_LOG;
    lfm_plot_series(plot, "a", "#2f7ed8");
    lfm_plot_point(plot, 0, 0, NAN);
    lfm_plot_point(plot, 1, -1, NAN);
    lfm_plot_point(plot, 2, NAN, NAN);
    cr_assert_not(lfm_plot_has_data(plot));
    lfm_plot_point(plot, 3, 0.5, NAN);
    cr_assert(lfm_plot_has_data(plot));
    lfm_plot_csv(&writer, plot);
    cr_assert_str_eq(writer.buffer.data, "series,x,y,stderr\na,3,0.5,\n");
}

Test(report_plot, the_script_reads_each_series_by_its_rows)
{
    struct lfm_plot *plot = lfm_plot_new(&pool, "growth", LFM_PLOT_LINES);
    lfm_plot_series(plot, "first", "#2f7ed8");
    lfm_plot_point(plot, 0, 1, NAN);
    lfm_plot_point(plot, 1, 2, NAN);
    lfm_plot_series(plot, "it's", "#d0661a");
    lfm_plot_point(plot, 0, 3, 0.5);
    lfm_plot_script(&writer, plot);
    assert_contains("data = '../data/growth.csv'");
    assert_contains("every ::0::1 using 2:3 with linespoints");
    assert_contains("every ::2::2 using 2:3:4 with yerrorbars");
    assert_contains("title 'it\xe2\x80\x99s'");
}

Test(report_plot, decades_are_the_ticks_of_a_log_axis)
{
    struct lfm_plot *plot = lfm_plot_new(&pool, "p", LFM_PLOT_LINES);
    plot->y_scale = LFM_SCALE_LOG;
    lfm_plot_series(plot, "a", "#2f7ed8");
    lfm_plot_point(plot, 0, 2e-6, NAN);
    lfm_plot_point(plot, 1, 3e-5, NAN);
    lfm_plot_script(&writer, plot);
    assert_contains("set yrange [1e-6:1e-4]");
    assert_contains("'10\xe2\x81\xbb\xe2\x81\xb5' 1e-5");
}

Test(report_plot, a_heat_map_names_rows_and_columns_in_its_csv)
{
    static const char *rows[] = {"conv, x", "ffn"}, *names[] = {"0", "7"};
    struct lfm_plot *plot = lfm_plot_new(&pool, "heat", LFM_PLOT_HEAT);
    plot->rows = rows;
    plot->columns = names;
    plot->n_rows = plot->n_columns = 2;
    plot->x_key = "layer";
    plot->y_key = "point";
    lfm_plot_cell(plot, 0, 1, 0.25);
    lfm_plot_cell(plot, 1, 0, NAN);
    lfm_plot_csv(&writer, plot);
    cr_assert_str_eq(writer.buffer.data, "point,layer,value,row,column\n\"conv, x\",7,0.25,0,1\n");
}

Test(report_plot, heat_maps_of_several_series_stand_side_by_side_while_there_is_room)
{
    static const char *rows[] = {"0 %", "100 %"}, *names[] = {"1k", "2k", "3k", "4k", "5k", "6k", "7k", "8k"};
    struct lfm_plot *plot = lfm_plot_new(&pool, "maps", LFM_PLOT_HEAT);
    plot->rows = rows;
    plot->columns = names;
    plot->n_rows = 2;
    plot->n_columns = 8;
    for (size_t s = 0; s < 3; s++) {
        lfm_plot_series(plot, s == 0 ? "first" : s == 1 ? "second" : "third", "#2f7ed8");
        lfm_plot_cell(plot, 0, 0, 50);
        lfm_plot_cell(plot, 1, 7, 100);
    }
    lfm_plot_script(&writer, plot);
    assert_contains("set label 'second' at 8.2200,0.0800");
    assert_contains("set label 'third' at -0.4800,3.9800");
    assert_contains("every ::4::5 using ($5+0):($4+4.9)");
    assert_contains("'0 %%' 1.0000, '100 %%' 2.0000, '0 %%' 4.9000");
    lfm_buffer_clear(&writer.buffer);
    lfm_plot_csv(&writer, plot);
    assert_contains("y,x,value,row,column,series\n0 %,1k,50,0,0,first\n100 %,8k,100,1,7,first\n0 %,1k,50,0,0,second\n");
}

Test(report_plot, intervals_are_bars_from_low_to_high)
{
    static const char *rows[] = {"suite"};
    struct lfm_plot *plot = lfm_plot_new(&pool, "scores", LFM_PLOT_DOTS);
    plot->rows = rows;
    plot->n_rows = 1;
    plot->intervals = true;
    lfm_plot_series(plot, "a", "#2f7ed8");
    lfm_plot_interval(plot, 70, 0, 60, 78);
    lfm_plot_interval(plot, NAN, 0, 60, 78);
    lfm_plot_csv(&writer, plot);
    cr_assert_str_eq(writer.buffer.data, "series,x,row,low,high,y\na,70,0,60,78,suite\n");
    lfm_buffer_clear(&writer.buffer);
    lfm_plot_script(&writer, plot);
    assert_contains("using 2:($3+0.0000):4:5 with xerrorbars");
    assert_contains("set xrange [58.92:79.08]");
}

static const char drawing[] =
    "<?xml version=\"1.0\" encoding=\"utf-8\"  standalone=\"no\"?>\n<svg \n viewBox=\"0 0 760 380\"\n"
    " xmlns=\"http://www.w3.org/2000/svg\"\n>\n\n<title>Gnuplot</title>\n<desc>Produced by GNUPLOT 5.4</desc>\n\n"
    "<g id=\"gnuplot_canvas\">\n\n<rect x=\"0\" y=\"0\" width=\"760\" height=\"380\" fill=\"none\"/>\n<defs>\n\n"
    "\t<circle id='gpDot' r='0.5'/>\n\t<filter id='textbox'>\n\t  <feFlood/>\n\t</filter>\n</defs>\n"
    "<g fill=\"none\" color=\"black\" stroke=\"currentColor\">\n</g>\n"
    "<g fill=\"none\" color=\"black\" stroke=\"currentColor\">\n"
    "\t<use xlink:href='#gpPt6' color='rgb(47, 126, 216)'/>\n"
    "\t<use xlink:href='#gpPt6' transform='scale(4.88)' color='white'/>\n"
    "\t<g fill=\"black\" font-family=\"sans-serif\" font-size=\"13.00\">\n"
    "\t\t<text><tspan font-family=\"sans-serif\" >KLD</tspan></text>\n\t</g>\n</g>\n</g>\n</svg>\n";

Test(report_plot, a_drawing_follows_the_theme_of_its_page)
{
    struct lfm_error error = {0};
    assert_ok(lfm_svg_adapt(&writer, drawing, "kld", "a \"label\"", LFM_SVG_INLINE, &error));
    assert_contains("viewBox=\"0 0 760 380\" role=\"img\" id=\"kld\" aria-label=\"a &quot;label&quot;\"");
    assert_contains("<use href='#kld-p6' color='rgb(47, 126, 216)'/>");
    assert_contains("<g fill=\"currentColor\" font-size=\"13.00\">");
    assert_contains("<text><tspan>KLD</tspan></text>");
    assert_lacks("black");
    assert_lacks("<?xml");
    assert_lacks("GNUPLOT");
    assert_lacks("<rect");
    assert_lacks("white");
    assert_lacks("filter");
    assert_lacks("feFlood");
    assert_lacks("<style>");
    assert_lacks("gnuplot");
    assert_lacks("stroke=\"currentColor\">\n</g>");
}

Test(report_plot, a_drawing_of_its_own_brings_colours_for_both_themes)
{
    struct lfm_error error = {0};
    assert_ok(lfm_svg_adapt(&writer, drawing, "kld", "label", LFM_SVG_FILE, &error));
    assert_contains("prefers-color-scheme:dark");
}

Test(report_plot, something_else_is_no_drawing)
{
    struct lfm_error error = {0};
    assert_fails(lfm_svg_adapt(&writer, "<html>", "kld", "label", LFM_SVG_INLINE, &error), LFM_ERROR_FORMAT,
                 "expected an SVG by gnuplot");
}
