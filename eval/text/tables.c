/* The tables of datasets/punkt and datasets/langdetect, put into the program's read-only data by the assembler. Paths are
 * relative to the project's root, where make runs the compiler. Any ELF target, gcc or clang. */
#include "eval/text/tables.h"

#include <string.h>

#define EMBED(name, file)                      \
    __asm__(".section .rodata\n"               \
            ".global lfm_table_" name "\n"     \
            ".global lfm_table_" name "_end\n" \
            "lfm_table_" name ":\n"            \
            ".incbin \"" file "\"\n"           \
            "lfm_table_" name "_end:\n"        \
            ".previous\n")

EMBED("abbreviations", "datasets/punkt/abbrev_types.txt");
EMBED("collocations", "datasets/punkt/collocations.tab");
EMBED("starters", "datasets/punkt/sent_starters.txt");
EMBED("orthography", "datasets/punkt/ortho_context.tab");
EMBED("profiles", "datasets/langdetect/profiles.bin");
EMBED("kanji", "datasets/langdetect/kanji.tab");

extern const char lfm_table_abbreviations[], lfm_table_abbreviations_end[];
extern const char lfm_table_collocations[], lfm_table_collocations_end[];
extern const char lfm_table_starters[], lfm_table_starters_end[];
extern const char lfm_table_orthography[], lfm_table_orthography_end[];
extern const char lfm_table_profiles[], lfm_table_profiles_end[];
extern const char lfm_table_kanji[], lfm_table_kanji_end[];

#define TABLE(name) {lfm_table_##name, lfm_table_##name##_end}

struct lfm_span lfm_table(enum lfm_table which)
{
    static const char *const ends[][2] = {
        [LFM_TABLE_ABBREVIATIONS] = TABLE(abbreviations), [LFM_TABLE_COLLOCATIONS] = TABLE(collocations),
        [LFM_TABLE_STARTERS] = TABLE(starters),           [LFM_TABLE_ORTHOGRAPHY] = TABLE(orthography),
        [LFM_TABLE_PROFILES] = TABLE(profiles),           [LFM_TABLE_KANJI] = TABLE(kanji),
    };
    return (struct lfm_span){ends[which][0], (size_t)((uintptr_t)ends[which][1] - (uintptr_t)ends[which][0])};
}

static struct lfm_span line_around(struct lfm_span table, size_t position)
{
    size_t start = position;
    while (start > 0 && table.at[start - 1] != '\n') start--;
    const char *end = memchr(table.at + position, '\n', table.length - position);
    return (struct lfm_span){table.at + start, (end ? (size_t)(end - table.at) : table.length) - start};
}

/* The order of the file: by bytes, the shorter of two equal beginnings first. */
static int compare(struct lfm_span a, struct lfm_span b)
{
    size_t shared = a.length < b.length ? a.length : b.length;
    int order = shared ? memcmp(a.at, b.at, shared) : 0;
    return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

bool lfm_table_find(struct lfm_span table, struct lfm_span key, struct lfm_span *value)
{
    size_t low = 0, high = table.length; /* the first line that is not before `key` starts in here, or at `high` */
    while (low < high) {
        struct lfm_span line = line_around(table, low + (high - low) / 2);
        size_t start = (size_t)(line.at - table.at);
        if (compare(line, key) < 0)
            low = start + line.length + 1;
        else
            high = start;
    }
    if (low >= table.length) return false;
    struct lfm_span line = line_around(table, low);
    if (!lfm_span_starts_with(line, key)) return false;
    if (line.length > key.length && line.at[key.length] != '\t') return false;
    size_t used = line.length > key.length ? key.length + 1 : key.length;
    if (value) *value = (struct lfm_span){line.at + used, line.length - used};
    return true;
}
