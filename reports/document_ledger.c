/* Results of `ledger` into structs: see document.h and read.h. */
#include "reports/read.h"

#include <math.h>

/* "<key>" and "<key>_stderr". */
static struct lfm_measure read_measure(struct lfm_place at, const char *key)
{
    return (struct lfm_measure){lfm_read_number(at, key), lfm_read_number(at, lfm_pool_printf(at.pool, "%s_stderr", key))};
}

static struct lfm_split_loss read_split(struct lfm_place at)
{
    struct lfm_place phi = lfm_place_inside(at, "phi"), shares = lfm_place_inside(at, "shares");
    double error = lfm_read_number(at, "shares_stderr");
    return (struct lfm_split_loss){
        .label = lfm_read_string(at, "label"),
        .positions = lfm_read_number(at, "positions"),
        .loss = read_measure(at, "loss"),
        .routing = read_measure(phi, "routing"),
        .arithmetic = read_measure(phi, "arithmetic"),
        .routing_share = {lfm_read_number(shares, "routing"), error},
        .arithmetic_share = {lfm_read_number(shares, "arithmetic"), error},
        .interaction = read_measure(at, "interaction"),
    };
}

static size_t read_layer(struct lfm_place at)
{
    double layer = lfm_read_number(at, "layer");
    if (isnan(layer) || (layer >= 0 && layer < 100000 && layer == floor(layer))) return isnan(layer) ? 0 : (size_t)layer;
    lfm_place_fail(at, "layer", "a whole number below 100000");
    return 0;
}

static void read_entries(struct lfm_place top, const char *key, struct lfm_ledger_entry **out, size_t *count)
{
    struct lfm_list list = lfm_place_list(top, key);
    *out = lfm_pool_alloc(top.pool, list.count, sizeof **out);
    if (!*out) return;
    while (*count < list.count) {
        struct lfm_place at = lfm_list_next(&list), cells = lfm_place_inside(at, "cells");
        (*out)[(*count)++] = (struct lfm_ledger_entry){
            .layer = read_layer(at),
            .operation = lfm_read_string(at, "operator"),
            .low = lfm_read_number(at, "low"),
            .high = lfm_read_number(at, "high"),
            .decisions = lfm_read_number(at, "decisions"),
            .changed = lfm_read_number(at, "changed"),
            .ref_cand = read_measure(lfm_place_inside(cells, "ref_cand"), "kld"),
            .cand_ref = read_measure(lfm_place_inside(cells, "cand_ref"), "kld"),
            .routing = read_measure(lfm_place_inside(at, "phi"), "routing"),
            .share = read_measure(at, "share"),
        };
    }
}

static void read_splits(struct lfm_place top, struct lfm_account *account)
{
    struct lfm_list labels = lfm_place_list(top, "labels");
    account->splits = lfm_pool_alloc(top.pool, 1 + labels.count, sizeof *account->splits);
    if (!account->splits) return;
    account->splits[account->n_splits++] = read_split(top);
    while (account->n_splits < 1 + labels.count) account->splits[account->n_splits++] = read_split(lfm_list_next(&labels));
}

enum lfm_status lfm_read_ledger(struct lfm_place top, struct lfm_document *document, struct lfm_error *error)
{
    static const char *const names[2][2] = {{"ref_ref", "ref_cand"}, {"cand_ref", "cand_cand"}};
    struct lfm_account *account = &document->account;
    struct lfm_place cells = lfm_place_inside(top, "cells"), candidate = lfm_place_inside(top, "candidate");
    account->reference = lfm_base_name(lfm_read_string(lfm_place_inside(top, "reference"), "name"));
    account->candidate = lfm_read_string(candidate, "name");
    account->label = lfm_variant_title(top.pool, lfm_read_variant(candidate));
    if (!account->label[0])
        account->label = account->candidate[0] ? lfm_format_title(top.pool, lfm_base_name(account->candidate)) : "unnamed";
    account->replay = lfm_read_string(top, "replay");
    account->decisions = lfm_read_number(top, "decisions");
    account->changed = lfm_read_number(top, "changed");
    for (size_t w = 0; w < 2; w++)
        for (size_t r = 0; r < 2; r++) {
            struct lfm_place cell = lfm_place_inside(cells, names[w][r]);
            account->kld[w][r] = read_measure(cell, "kld");
            account->perplexity[w][r] = read_measure(cell, "perplexity");
        }
    read_splits(top, account);
    read_entries(top, "layers", &account->layers, &account->n_layers);
    read_entries(top, "margins", &account->margins, &account->n_margins);
    account->layers_remainder = read_measure(lfm_place_inside(top, "layers_total"), "remainder");
    account->margins_remainder = read_measure(lfm_place_inside(top, "margins_total"), "remainder");
    LFM_TRY(lfm_pool_check(top.pool, error));
    if (cells.object) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'cells' is missing: nothing was replayed", top.name);
}
