/* reports: what `attribute` printed, as a figure and a table. */
#include "reports/report.h"
#include "tests/unit/assert.h"
#include "tests/unit/report_fixture.h"

static struct lfm_error error;

TestSuite(report_attribute, .fini = release_report);

#define HEAD "{\"schema\": \"lfmscope-attribute\", \"reference\": {\"name\": \"a/model\"}, \"type\": \"q4_0\", "
#define PARTS "\"whole\": {\"kld\": 2}, \"parts_kld\": 3, \"parts\": [{\"name\": \"layers.0\", \"kld\": 1, \"share\": 0.25}, " \
              "{\"name\": \"layers.1\", \"kld\": 2, \"share\": 0.75}]}"

static const struct lfm_table *table_of(const char *text)
{
    assert_ok(build_report(&error, text));
    const struct lfm_block *figure = find_block("attribute"), *table = find_block("attribute-parts");
    cr_assert(figure && figure->plot && table);
    cr_assert_not_null(strstr(figure->text, "Most comes from layers.1: 75.00"));
    cr_assert_not_null(strstr(table->text, "model with one part at a time in Q4_0"));
    return table->table;
}

Test(report_attribute, parts_are_rows_the_costliest_first_and_the_whole_last)
{
    const struct lfm_table *table = table_of(HEAD "\"by\": \"tensor\", " PARTS);
    cr_assert_eq(table->n_cells, 3 * 7);
    cr_assert_str_eq(table->cells[0].text, "layers.1");
    cr_assert_eq(table->cells[3].value, 2);
    cr_assert_str_eq(table->cells[7].text, "layers.0");
    cr_assert_str_eq(table->cells[14].text, "whole");
}

Test(report_attribute, layers_keep_their_order)
{
    const struct lfm_table *table = table_of(HEAD "\"by\": \"layer\", " PARTS);
    cr_assert_str_eq(table->cells[0].text, "layers.0");
    cr_assert_str_eq(table->cells[7].text, "layers.1");
}

Test(report_attribute, a_document_without_parts_is_refused)
{
    assert_fails(build_report(&error, HEAD "\"parts\": []}"), LFM_ERROR_FORMAT, "nothing was measured");
    release_report();
    assert_fails(build_report(&error, HEAD "\"parts\": [{\"name\": 1}]}"), LFM_ERROR_FORMAT, "name");
}
