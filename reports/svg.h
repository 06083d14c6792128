/* gnuplot's SVG made fit for a page. */
#ifndef LFM_REPORTS_SVG_H
#define LFM_REPORTS_SVG_H

#include "reports/text.h"

/* What surrounds a drawing: an element of the page, or a file of its own with its colours for light and dark. */
enum lfm_svg_use { LFM_SVG_INLINE, LFM_SVG_FILE };

/* Rewrites what gnuplot drew: no XML header, no fixed size, no fonts, no background; black becomes currentColor, so
 * that text and axes follow the page's theme; ids begin with `id`, so that many drawings share a page; empty groups
 * and unused definitions go. `label` is what a screen reader says. Fails with LFM_ERROR_FORMAT when the text is no
 * drawing of gnuplot's. */
enum lfm_status lfm_svg_adapt(struct lfm_writer *out, const char *svg, const char *id, const char *label,
                              enum lfm_svg_use use, struct lfm_error *error);

#endif
