/* Tables compiled into the program, byte for byte the files of datasets/punkt and datasets/langdetect. */
#ifndef LFM_EVAL_TEXT_TABLES_H
#define LFM_EVAL_TEXT_TABLES_H

#include "eval/text/python_text.h"

#include <stdbool.h>

enum lfm_table {
    LFM_TABLE_ABBREVIATIONS, /* Punkt: types of abbreviations, without their period */
    LFM_TABLE_COLLOCATIONS,  /* Punkt: pairs of types with no sentence boundary between them */
    LFM_TABLE_STARTERS,      /* Punkt: types that often start sentences */
    LFM_TABLE_ORTHOGRAPHY,   /* Punkt: type, tab, flags of where it was seen in which case */
    LFM_TABLE_PROFILES,      /* langdetect: n-gram counts of 55 languages, binary */
    LFM_TABLE_KANJI          /* langdetect: Chinese character, tab, the one that stands for its class */
};

/* The whole file; lives as long as the program. */
struct lfm_span lfm_table(enum lfm_table which);

/* Looks a line up in a table of lines sorted by their bytes: one that is `key`, or `key`, a tab and *value. `value` may
 * be NULL. */
bool lfm_table_find(struct lfm_span table, struct lfm_span key, struct lfm_span *value);

#endif
