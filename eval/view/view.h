/* A page to browse the samples of runs: one HTML file that needs nothing else, neither network nor server.
 *
 * Answers are text that nobody has checked. They reach the page as JSON in a block that is never executed, and its
 * script places them as text. eval/view/README.md describes the page and its data. */
#ifndef LFM_EVAL_VIEW_VIEW_H
#define LFM_EVAL_VIEW_VIEW_H

#include "eval/harness/paired.h"
#include "eval/view/samples.h"
#include "reference/base/error.h"
#include "reference/base/json.h"

#include <stdbool.h>
#include <stddef.h>

enum { LFM_MOST_VIEWED = 64 };      /* runs on one page */

struct lfm_viewed_run {
    char *directory;     /* owned */
    char *name;          /* owned: how the page calls it */
    size_t source;       /* which of the directories added it comes from, from 0 */
    cJSON *about;        /* owned: run.json */
    cJSON *summary;      /* owned: summary.json, NULL while the run is unfinished */
    struct lfm_samples samples;
};

/* Two runs of the same suite and data, the first one as the reference. */
struct lfm_viewed_pair {
    size_t first, second;     /* runs */
    size_t both;              /* samples that both have */
    bool repeated;            /* several samples of an item: not independent, so that no test is made */
    bool adjusted;            /* paired.holm covers all runs that stand beside `first` */
    struct lfm_paired paired;
};

struct lfm_view {
    struct lfm_viewed_run runs[LFM_MOST_VIEWED];
    size_t count;
    size_t n_sources;
    struct lfm_viewed_pair *pairs; /* owned: all there are */
    size_t n_pairs, pair_capacity;
};

/* Reads the run in `directory`, or all runs below it (what `eval --against` leaves): "reference" first, then by falling
 * bits per weight. Fails when there is none. Zero-initialise the view before the first. */
enum lfm_status lfm_view_add(struct lfm_view *view, const char *directory, struct lfm_error *error);

/* Pairs the runs that have suite and data in common. Fails when two directories were added and no run of one goes with
 * any of the other: what differs is named. Call once, after the last lfm_view_add. */
enum lfm_status lfm_view_compare(struct lfm_view *view, struct lfm_error *error);

/* Writes the page, whole or not at all. Equal runs give equal pages. */
enum lfm_status lfm_view_write(const struct lfm_view *view, const char *path, struct lfm_error *error);

/* Adds the page's data to `out`: one JSON document in which nothing can end or open an HTML element. */
enum lfm_status lfm_view_data(struct lfm_buffer *out, const struct lfm_view *view, struct lfm_error *error);

/* What is to be said about a run that is not as a finished one should be, one line each; a new array of strings. */
cJSON *lfm_viewed_notes(const struct lfm_viewed_run *run);

/* What a pair comes to: "samples" (that both have), "lost", "gained"; and where a test can be made "difference",
 * "mcnemar_exact", "mcnemar_mid_p" and, of several runs beside one reference, "holm". A new object. */
cJSON *lfm_viewed_pair_figures(const struct lfm_viewed_pair *pair);

void lfm_view_release(struct lfm_view *view);

#endif
