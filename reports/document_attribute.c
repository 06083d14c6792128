/* Results of `attribute` into structs: see document.h and read.h. */
#include "reports/read.h"

static struct lfm_part_loss read_part(struct lfm_place at)
{
    return (struct lfm_part_loss){
        .name = lfm_read_string(at, "name"),
        .parameters = lfm_read_number(at, "parameters"),
        .bytes_saved = lfm_read_number(at, "bytes_saved"),
        .kld = {lfm_read_number(at, "kld"), lfm_read_number(at, "kld_stderr")},
        .share = lfm_read_number(at, "share"),
        .kld_per_mib = lfm_read_number(at, "kld_per_mib"),
        .top1_agreement = lfm_read_number(at, "top1_agreement"),
    };
}

void lfm_read_attribution(struct lfm_place top, struct lfm_document *document)
{
    struct lfm_list list = lfm_place_list(top, "parts");
    struct lfm_attributed *attributed = &document->attributed;
    const char *type = lfm_read_string(top, "type");
    document->model = lfm_base_name(lfm_read_string(lfm_place_inside(top, "reference"), "name"));
    attributed->by = lfm_read_string(top, "by");
    attributed->label = type[0] ? lfm_format_title(top.pool, type) : "unnamed";
    attributed->parts_kld = lfm_read_number(top, "parts_kld");
    attributed->whole = read_part(lfm_place_inside(top, "whole"));
    attributed->parts = lfm_pool_alloc(top.pool, list.count, sizeof *attributed->parts);
    if (!attributed->parts) return;
    while (attributed->n_parts < list.count) attributed->parts[attributed->n_parts++] = read_part(lfm_list_next(&list));
}
