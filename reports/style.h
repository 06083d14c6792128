/* The page's style sheet, light and dark by the reader's preference. */
#ifndef LFM_REPORTS_STYLE_H
#define LFM_REPORTS_STYLE_H

extern const char lfm_page_style[];

#endif
