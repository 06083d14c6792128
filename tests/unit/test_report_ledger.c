/* reports: what `ledger` printed, as figures and tables. */
#include "tests/unit/assert.h"
#include "tests/unit/report_fixture.h"

static struct lfm_error error;

#define START                                                                                                          \
    "{\"schema\": \"lfmscope-ledger\", \"replay\": \"set\", \"decisions\": 100, \"changed\": 7, \"candidate\": {\"name\": " \
    "\"q4_0\"}, \"cells\": {\"ref_ref\": {\"kld\": 0}, \"ref_cand\": {\"kld\": 1}, \"cand_ref\": {\"kld\": 2}, "          \
    "\"cand_cand\": {\"kld\": 5, \"kld_stderr\": 0.5}}, \"loss\": 5, \"phi\": {\"routing\": 2, \"routing_stderr\": 0.25, "   \
    "\"arithmetic\": 3}, \"shares\": {\"routing\": 0.4, \"arithmetic\": 0.6}"

Test(report_ledger, causes_are_series_and_texts_are_rows, .fini = release_report)
{
    assert_ok(build_report(&error, START ", \"labels\": [{\"label\": \"tools\", \"phi\": {\"routing\": -1, \"arithmetic\": 4}}]}"));
    const struct lfm_block *block = find_block("ledger");
    cr_assert_not_null(block);
    const struct lfm_plot *plot = block->plot;
    cr_assert_eq(plot->n_series, 2);
    cr_assert_str_eq(plot->series[0].label, "routing");
    cr_assert_str_eq(plot->rows[0], "all text");
    cr_assert_str_eq(plot->rows[1], "tools");
    cr_assert_eq(plot->points[0].x, 2);
    cr_assert_eq(plot->points[0].error, 0.25);
    cr_assert_eq(plot->points[1].x, -1);
    cr_assert_eq(plot->points[3].x, 4);
    cr_assert(strstr(block->text, "Of the 5.00 nats that Q4_0 loses, 40.0") != NULL, "%s", block->text);

    const struct lfm_table *cells = find_block("ledger-cells")->table;
    cr_assert_eq(cells->n_cells, 4u * 4);
    cr_assert_str_eq(cells->cells[4].text, "reference");
    cr_assert_str_eq(cells->cells[5].text, "Q4_0");
    cr_assert_eq(cells->cells[6].value, 1);
    cr_assert_eq(cells->cells[14].error, 0.5);
    cr_assert_null(find_block("ledger-layers"));
    cr_assert_null(find_block("ledger-margins"));
}

Test(report_ledger, layers_and_bins_have_a_figure_and_a_table_each, .fini = release_report)
{
    assert_ok(build_report(&error, START
                    ", \"layers\": [{\"layer\": 2, \"operator\": \"attention\", \"phi\": {\"routing\": 0.5}, \"share\": 0.1},"
                    "{\"layer\": 3, \"operator\": \"conv\", \"decisions\": 50, \"changed\": 5, \"phi\": {\"routing\": 1.5}, "
                    "\"share\": 0.3, \"cells\": {\"cand_ref\": {\"kld\": 4}}}], \"margins\": [{\"low\": 0, \"high\": 0.01, "
                    "\"phi\": {\"routing\": 2}, \"share\": 0.4}, {\"low\": 0.01, \"high\": null, \"phi\": {\"routing\": 0}}]}"));
    const struct lfm_plot *layers = find_block("ledger-layers")->plot, *margins = find_block("ledger-margins")->plot;
    cr_assert_str_eq(layers->rows[0], "2 attention");
    cr_assert_eq(layers->points[1].x, 1.5);
    cr_assert_eq(layers->points[1].y, 1);
    cr_assert(strstr(find_block("ledger-layers")->text, "Layer 3 has the largest part, 30.0") != NULL);
    const struct lfm_table *table = find_block("ledger-layers-table")->table;
    cr_assert_str_eq(table->cells[7].text, "3 conv");
    cr_assert_eq(table->cells[9].value, 0.1);
    cr_assert_eq(table->cells[11].value, 1, "what the layer repairs: 5 - 4");
    cr_assert_str_eq(margins->rows[0], "0 to 0.01");
    cr_assert_str_eq(margins->rows[1], "0.01 and more");
    cr_assert_eq(margins->points[0].x, 2);
}

Test(report_ledger, a_result_without_cells_is_refused, .fini = release_report)
{
    assert_fails(build_report(&error, "{\"schema\": \"lfmscope-ledger\"}"), LFM_ERROR_FORMAT, "'cells' is missing");
    release_report();
    assert_fails(build_report(&error, START ", \"layers\": [{\"layer\": 0.5}]}"), LFM_ERROR_FORMAT, "a whole number below 100000");
    release_report();
    assert_fails(build_report(&error, START ", \"margins\": [{\"low\": \"0\"}]}"), LFM_ERROR_FORMAT, "'low' must be a number");
}
