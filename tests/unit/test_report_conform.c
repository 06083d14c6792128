/* reports: what `conform` printed, as a table. */
#include "reference/base/file.h"
#include "reports/report.h"
#include "tests/unit/assert.h"
#include "tests/unit/directory.h"

static struct lfm_report report;
static struct lfm_error error;

static enum lfm_status build(const char *text)
{
    make_directory();
    write_text("conform.json", text);
    const char *paths[] = {in_directory("conform.json")};
    return lfm_report_build(&report, paths, 1, NULL, &error);
}

static void clean(void)
{
    lfm_report_release(&report);
    remove_directory();
}

Test(report_conform, checks_that_were_given_are_rows, .fini = clean)
{
    assert_ok(build("{\"schema\": \"lfmscope-conform\", \"runtime\": \"other 1.0\", \"class\": \"f32\", \"diagnosis\": "
                    "\"softmax\", \"checks\": [{\"name\": \"greedy\", \"verdict\": \"not given\"}, {\"name\": \"logits\", "
                    "\"verdict\": \"fail\", \"required\": 3, \"given\": 3, \"agree\": 2, \"not_required\": 1, \"worst\": 0.25, "
                    "\"tolerance\": 0.1, \"first_failure\": \"'a/0': off\"}]}"));
    const struct lfm_table *table = NULL;
    for (size_t i = 0; i < report.content.n_blocks; i++)
        if (!table && report.content.blocks[i].kind == LFM_BLOCK_TABLE) table = report.content.blocks[i].table;
    cr_assert_not_null(table);
    cr_assert_str_eq(table->id, "conform");
    cr_assert_eq(table->n_cells, 9, "one row: what was not given is left out");
    cr_assert_str_eq(table->cells[0].text, "logits");
    cr_assert_eq(table->cells[3].value, 2);
    cr_assert_eq(table->cells[5].value, 0.25);
    cr_assert_str_eq(table->cells[7].text, "fail");
    cr_assert(strstr(table->caption, "other 1.0") && strstr(table->caption, "another rule: softmax"), "%s", table->caption);
}

Test(report_conform, a_document_without_checks_is_refused, .fini = clean)
{
    assert_fails(build("{\"schema\": \"lfmscope-conform\", \"checks\": []}"), LFM_ERROR_FORMAT, "nothing was judged");
}
