/* Results of `conform` into structs: see document.h and read.h. */
#include "reports/read.h"

static struct lfm_agreement_check read_check(struct lfm_place at)
{
    return (struct lfm_agreement_check){
        .name = lfm_read_string(at, "name"),
        .verdict = lfm_read_string(at, "verdict"),
        .required = lfm_read_number(at, "required"),
        .given = lfm_read_number(at, "given"),
        .agree = lfm_read_number(at, "agree"),
        .not_required = lfm_read_number(at, "not_required"),
        .worst = lfm_read_number(at, "worst"),
        .tolerance = lfm_read_number(at, "tolerance"),
        .failure = lfm_read_string(at, "first_failure"),
    };
}

void lfm_read_conform(struct lfm_place top, struct lfm_document *document)
{
    struct lfm_list list = lfm_place_list(top, "checks");
    document->model = lfm_read_string(top, "runtime");
    document->arithmetic = lfm_read_string(top, "class");
    document->diagnosis = lfm_read_string(top, "diagnosis");
    document->checks = lfm_pool_alloc(top.pool, list.count, sizeof *document->checks);
    if (!document->checks) return;
    while (document->n_checks < list.count) document->checks[document->n_checks++] = read_check(lfm_list_next(&list));
}
