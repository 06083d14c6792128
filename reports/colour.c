/* Which colour and mark a label has in every plot and table: see colour.h.
 *
 * The colours have a contrast of at least 3:1 on white and on near-black, so one set serves both themes. */
#include "reports/colour.h"

#include "reports/document.h"

#include <string.h>

enum { N_COLOURS = 12, MOST_LABELS = 64 };

static const char *const colours[N_COLOURS] = {
    "#2f7ed8", /* blue */
    "#d0661a", /* orange */
    "#2a9a5c", /* green */
    "#9a63d3", /* violet */
    "#d6455a", /* red */
    "#168f96", /* teal */
    "#a3752f", /* ochre */
    "#c457a0", /* pink */
    "#6f8424", /* olive */
    "#6a78d6", /* indigo */
    "#b0583f", /* brick */
    "#5b7f93", /* slate */
};

static const char grey[] = "#7f868f"; /* references */

static const struct {
    const char *label;
    size_t colour;
} known[] = {
    {"Q8_0", 0}, {"Q4_0", 1}, {"FP8 E4M3", 2}, {"FP8 E5M2", 5}, {"Q4_K", 3}, {"Q6_K", 6}, {"Q5_K", 7}, {"Q4_1", 4},
};

int lfm_colour_mark(const char *color)
{
    static const int marks[N_COLOURS] = {7, 9, 5,  13, 11, 15,
                                         4, 8, 10, 12, 14, 2}; /* gnuplot's, the first six filled */
    for (size_t i = 0; i < N_COLOURS; i++)
        if (strcmp(colours[i], color) == 0) return marks[i];
    return 6; /* a ring */
}

/* The labels seen, and which colours are taken by labels of this page. */
struct register_of_colours {
    const char *labels[MOST_LABELS];
    size_t colours[MOST_LABELS];
    size_t count;
    bool taken[N_COLOURS];
};

static size_t known_colour(const char *label)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i].label, label) == 0) return known[i].colour;
    return N_COLOURS;
}

/* The first colour that is free; all taken: the next in turn. */
static size_t free_colour(const struct register_of_colours *seen)
{
    for (size_t i = 0; i < N_COLOURS; i++)
        if (!seen->taken[i]) return i;
    return seen->count % N_COLOURS;
}

static const char *colour_of(struct register_of_colours *seen, const char *label)
{
    size_t colour = known_colour(label);
    if (colour < N_COLOURS) return colours[colour];
    for (size_t i = 0; i < seen->count; i++)
        if (strcmp(seen->labels[i], label) == 0) return colours[seen->colours[i]];
    if (seen->count == MOST_LABELS) return grey;
    colour = free_colour(seen);
    seen->taken[colour] = true;
    seen->labels[seen->count] = label;
    seen->colours[seen->count++] = colour;
    return colours[colour];
}

static void take_known(struct register_of_colours *seen, const char *label)
{
    size_t colour = known_colour(label);
    if (colour < N_COLOURS) seen->taken[colour] = true;
}

static void take_known_of(struct register_of_colours *seen, const struct lfm_document *document)
{
    for (size_t i = 0; i < document->n_candidates; i++) take_known(seen, document->candidates[i].label);
    for (size_t i = 1; i < document->n_loads; i++) take_known(seen, document->loads[i].label);
    for (size_t i = 0; i < document->n_pairs; i++) take_known(seen, document->pairs[i].label);
    for (size_t i = 1; i < document->n_runs; i++) take_known(seen, document->runs[i].label);
    for (size_t i = 0; i < document->n_speeds; i++) take_known(seen, document->speeds[i].label);
    if (document->account.label) take_known(seen, document->account.label);
    if (document->attributed.label) take_known(seen, document->attributed.label);
}

static void colour_document(struct register_of_colours *seen, struct lfm_document *document)
{
    document->reference.color = grey;
    for (size_t i = 0; i < document->n_candidates; i++)
        document->candidates[i].color = colour_of(seen, document->candidates[i].label);
    for (size_t i = 0; i < document->n_loads; i++)
        document->loads[i].color = i == 0 ? grey : colour_of(seen, document->loads[i].label);
    for (size_t i = 0; i < document->n_pairs; i++)
        document->pairs[i].color = colour_of(seen, document->pairs[i].label);
    for (size_t i = 0; i < document->n_runs; i++)
        document->runs[i].color = i == 0 ? grey : colour_of(seen, document->runs[i].label);
    for (size_t i = 0; i < document->n_speeds; i++)
        document->speeds[i].color = colour_of(seen, document->speeds[i].label);
    if (document->account.label) document->account.color = colour_of(seen, document->account.label);
    if (document->attributed.label) document->attributed.color = colour_of(seen, document->attributed.label);
}

void lfm_documents_colour(struct lfm_documents *documents)
{
    struct register_of_colours seen = {.count = 0};
    for (size_t d = 0; d < documents->count; d++) take_known_of(&seen, &documents->items[d]);
    for (size_t d = 0; d < documents->count; d++) colour_document(&seen, &documents->items[d]);
}
