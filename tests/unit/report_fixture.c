/* A report built from the text of one result file: see report_fixture.h. */
#include "tests/unit/report_fixture.h"

#include "tests/unit/assert.h"
#include "tests/unit/directory.h"

#include <string.h>

struct lfm_report report;

enum lfm_status build_report(struct lfm_error *error, const char *text)
{
    make_directory();
    write_text("result.json", text);
    const char *paths[] = {in_directory("result.json")};
    enum lfm_status status = lfm_report_build(&report, paths, 1, NULL, error);
    remove_directory();
    return status;
}

void release_report(void)
{
    lfm_report_release(&report);
}

const struct lfm_block *find_block(const char *id)
{
    for (size_t i = 0; i < report.content.n_blocks; i++)
        if (report.content.blocks[i].id && strcmp(report.content.blocks[i].id, id) == 0) return &report.content.blocks[i];
    return NULL;
}
