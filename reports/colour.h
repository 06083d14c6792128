/* Colours and marks: one of each per label, the same in every plot. */
#ifndef LFM_REPORTS_COLOUR_H
#define LFM_REPORTS_COLOUR_H

/* gnuplot's point type that goes with a colour, so that colour is never the only difference. */
int lfm_colour_mark(const char *color);

#endif
