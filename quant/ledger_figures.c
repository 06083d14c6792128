/* Figures of a ledger: see ledger_figures.h. */
#include "quant/ledger_figures.h"

#include "reference/base/memory.h"

#include <math.h>
#include <stdlib.h>

/* What routing adds at position t. */
static double routing_at(const struct lfm_losses *losses, size_t t)
{
    return 0.5 * ((losses->ref_cand[t] - losses->ref_ref[t]) + (losses->cand_cand[t] - losses->cand_ref[t]));
}

static double rest_at(const struct lfm_losses *losses, size_t t)
{
    return 0.5 * ((losses->cand_ref[t] - losses->ref_ref[t]) + (losses->cand_cand[t] - losses->ref_cand[t]));
}

static double loss_at(const struct lfm_losses *losses, size_t t)
{
    return losses->cand_cand[t] - losses->ref_ref[t];
}

static double interaction_at(const struct lfm_losses *losses, size_t t)
{
    return losses->cand_cand[t] - losses->cand_ref[t] - losses->ref_cand[t] + losses->ref_ref[t];
}

static struct lfm_estimate mean_of(double (*at)(const struct lfm_losses *, size_t), const struct lfm_losses *losses,
                                   const uint32_t *clusters, size_t n, double *scratch)
{
    for (size_t t = 0; t < n; t++) scratch[t] = at(losses, t);
    return lfm_clustered_mean(scratch, clusters, n);
}

/* cause / loss, both means over the same positions. */
static struct lfm_estimate share_of(double (*at)(const struct lfm_losses *, size_t), double cause, double loss,
                                    const struct lfm_losses *losses, const uint32_t *clusters, size_t n, double *scratch)
{
    if (loss == 0) return (struct lfm_estimate){NAN, NAN};
    double share = cause / loss;
    for (size_t t = 0; t < n; t++) scratch[t] = (at(losses, t) - share * loss_at(losses, t)) / loss;
    return (struct lfm_estimate){share, lfm_clustered_mean(scratch, clusters, n).error};
}

enum lfm_status lfm_split_loss(struct lfm_split *split, const struct lfm_losses *losses, const uint32_t *clusters, size_t n,
                               struct lfm_error *error)
{
    double *scratch;
    LFM_TRY(LFM_ALLOC(&scratch, n, error));
    *split = (struct lfm_split){
        .loss = mean_of(loss_at, losses, clusters, n, scratch),
        .routing = mean_of(routing_at, losses, clusters, n, scratch),
        .rest = mean_of(rest_at, losses, clusters, n, scratch),
        .interaction = mean_of(interaction_at, losses, clusters, n, scratch),
    };
    double loss = split->loss.mean;
    split->routing_share = share_of(routing_at, split->routing.mean, loss, losses, clusters, n, scratch);
    split->rest_share = share_of(rest_at, split->rest.mean, loss, losses, clusters, n, scratch);
    free(scratch);
    return LFM_OK;
}

struct lfm_cell_figures lfm_cell_figures(const struct lfm_ledger_cell *cell, const struct lfm_positions *positions)
{
    struct lfm_estimate nll = lfm_clustered_mean(cell->nll, positions->clusters, positions->count);
    return (struct lfm_cell_figures){
        .kld = lfm_clustered_mean(cell->kld, positions->clusters, positions->count),
        .nll = nll,
        .perplexity = lfm_exponential(nll),
    };
}

static struct lfm_losses klds(const struct lfm_ledger *ledger, const struct lfm_ledger_part *part)
{
    return (struct lfm_losses){ledger->ref_ref.kld, part->ref_cand.kld, part->cand_ref.kld, ledger->cand_cand.kld};
}

static struct lfm_losses nlls(const struct lfm_ledger *ledger, const struct lfm_ledger_part *part)
{
    return (struct lfm_losses){ledger->ref_ref.nll, part->ref_cand.nll, part->cand_ref.nll, ledger->cand_cand.nll};
}

enum lfm_status lfm_split_label(struct lfm_split *split, const struct lfm_ledger *ledger,
                                const struct lfm_positions *positions, uint32_t label, struct lfm_error *error)
{
    const struct lfm_losses all = klds(ledger, &ledger->parts[0]);
    const double *const from[4] = {all.ref_ref, all.ref_cand, all.cand_ref, all.cand_cand};
    double *selected[4] = {NULL};
    uint32_t *clusters = NULL;
    size_t n = 0;
    enum lfm_status status;
    LFM_TRY_DONE(LFM_ALLOC(&clusters, positions->count, error));
    for (size_t c = 0; c < 4; c++) {
        LFM_TRY_DONE(LFM_ALLOC(&selected[c], positions->count, error));
        n = lfm_positions_select(positions, label, from[c], selected[c], clusters);
    }
    const struct lfm_losses losses = {selected[0], selected[1], selected[2], selected[3]};
    status = lfm_split_loss(split, &losses, clusters, n, error);

done:
    for (size_t c = 0; c < 4; c++) free(selected[c]);
    free(clusters);
    return status;
}

static enum lfm_status part_figures(struct lfm_part_figures *figures, const struct lfm_ledger *ledger,
                                    const struct lfm_ledger_part *part, const struct lfm_positions *positions,
                                    struct lfm_error *error)
{
    const struct lfm_losses kld = klds(ledger, part), nll = nlls(ledger, part);
    figures->ref_cand = lfm_cell_figures(&part->ref_cand, positions);
    figures->cand_ref = lfm_cell_figures(&part->cand_ref, positions);
    LFM_TRY(lfm_split_loss(&figures->kld, &kld, positions->clusters, positions->count, error));
    return lfm_split_loss(&figures->nll, &nll, positions->clusters, positions->count, error);
}

static enum lfm_status total(struct lfm_parts_total *out, enum lfm_ledger_kind kind, const struct lfm_ledger *ledger,
                             const struct lfm_positions *positions, struct lfm_error *error)
{
    size_t n = positions->count;
    double *sums;
    *out = (struct lfm_parts_total){.n = 0};
    LFM_TRY(LFM_ALLOC(&sums, n, error));
    for (size_t i = 0; i < ledger->n_parts; i++) {
        if (ledger->parts[i].kind != kind) continue;
        const struct lfm_losses losses = klds(ledger, &ledger->parts[i]);
        for (size_t t = 0; t < n; t++) sums[t] += routing_at(&losses, t);
        out->n++;
    }
    const struct lfm_losses all = klds(ledger, &ledger->parts[0]);
    out->routing = lfm_clustered_mean(sums, positions->clusters, n);
    for (size_t t = 0; t < n; t++) sums[t] = routing_at(&all, t) - sums[t];
    out->remainder = lfm_clustered_mean(sums, positions->clusters, n);
    free(sums);
    return LFM_OK;
}

enum lfm_status lfm_ledger_figures(struct lfm_ledger_figures *figures, const struct lfm_ledger *ledger,
                                   const struct lfm_positions *positions, struct lfm_error *error)
{
    *figures = (struct lfm_ledger_figures){
        .ref_ref = lfm_cell_figures(&ledger->ref_ref, positions),
        .cand_cand = lfm_cell_figures(&ledger->cand_cand, positions),
    };
    enum lfm_status status;
    LFM_TRY_DONE(LFM_ALLOC(&figures->parts, ledger->n_parts, error));
    for (size_t i = 0; i < ledger->n_parts; i++)
        LFM_TRY_DONE(part_figures(&figures->parts[i], ledger, &ledger->parts[i], positions, error));
    LFM_TRY_DONE(total(&figures->layers, LFM_LEDGER_LAYER, ledger, positions, error));
    LFM_TRY_DONE(total(&figures->margins, LFM_LEDGER_MARGIN, ledger, positions, error));
    return LFM_OK;

done:
    lfm_ledger_figures_release(figures);
    return status;
}

void lfm_ledger_figures_release(struct lfm_ledger_figures *figures)
{
    free(figures->parts);
    *figures = (struct lfm_ledger_figures){.parts = NULL};
}
