/* From the cells of a ledger to its figures: Shapley values of two causes, with errors clustered by document.
 *
 * L00, L01, L10, L11 are mean losses per scored position, by weights then routing, 0 the reference's and 1 the candidate's:
 *
 *     routing     = 1/2 [(L01 - L00) + (L11 - L10)]
 *     rest        = 1/2 [(L10 - L00) + (L11 - L01)]       routing + rest = L11 - L00
 *     interaction = L11 - L10 - L01 + L00
 *
 * Each is a mean over positions of the same expression in the losses of one position, and its error that mean's
 * (lfm_clustered_mean). Over all decisions the rest is the arithmetic: the same experts, computed otherwise. For a part of
 * the decisions it is all else: the arithmetic, and the routing outside the part. */
#ifndef LFM_QUANT_LEDGER_FIGURES_H
#define LFM_QUANT_LEDGER_FIGURES_H

#include "quant/ledger.h"
#include "quant/positions.h"
#include "quant/statistics.h"
#include "reference/base/error.h"

#include <stddef.h>
#include <stdint.h>

/* Losses of n positions in each cell: KLDs, or NLLs. */
struct lfm_losses {
    const double *ref_ref, *ref_cand, *cand_ref, *cand_cand; /* [n], named weights, routing */
};

struct lfm_split {
    struct lfm_estimate loss; /* L11 - L00 */
    struct lfm_estimate routing, rest, interaction;
    /* routing / loss, and 1 minus it; NaN when there is no loss. The error is that of a ratio of two means of the same
     * positions: of the mean of (routing_t - share * loss_t) / loss. */
    struct lfm_estimate routing_share, rest_share;
};

/* Splits the loss between the routing and the rest; clusters[n] as in lfm_clustered_mean. */
enum lfm_status lfm_split_loss(struct lfm_split *split, const struct lfm_losses *losses, const uint32_t *clusters, size_t n,
                               struct lfm_error *error);

/* The split of the KLD between the routing of all decisions and the arithmetic, over the positions with one label. */
enum lfm_status lfm_split_label(struct lfm_split *split, const struct lfm_ledger *ledger,
                                const struct lfm_positions *positions, uint32_t label, struct lfm_error *error);

struct lfm_cell_figures {
    struct lfm_estimate kld, nll, perplexity;
};
struct lfm_cell_figures lfm_cell_figures(const struct lfm_ledger_cell *cell, const struct lfm_positions *positions);

struct lfm_part_figures {
    struct lfm_cell_figures ref_cand, cand_ref;
    struct lfm_split kld, nll; /* of the part's routing and the rest */
};

/* What the parts of one kind come to together. When they cover all decisions, the remainder is what no part has by itself. */
struct lfm_parts_total {
    size_t n;                             /* parts of the kind */
    struct lfm_estimate routing;          /* sum of kld.routing over them */
    struct lfm_estimate remainder;        /* kld.routing of all decisions less that sum */
};

struct lfm_ledger_figures {
    struct lfm_cell_figures ref_ref, cand_cand;
    struct lfm_part_figures *parts; /* [ledger->n_parts], owned; the first is of all decisions */
    struct lfm_parts_total layers, margins;
};

/* On failure nothing is owned. */
enum lfm_status lfm_ledger_figures(struct lfm_ledger_figures *figures, const struct lfm_ledger *ledger,
                                   const struct lfm_positions *positions, struct lfm_error *error);
void lfm_ledger_figures_release(struct lfm_ledger_figures *figures);

#endif
