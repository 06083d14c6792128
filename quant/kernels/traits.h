/* What the loops of panels.h know about a format at compile time. The including file goes on to define struct panel. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct panel;

typedef void fill_group(struct panel *panel, size_t p, const uint8_t *rows, size_t row_bytes, size_t g, bool interleave);

struct traits {
    fill_group *fill;
    size_t block;  /* columns of a block: 32 or 256 */
    size_t group;  /* columns under one scale: 32 or 16 */
    unsigned most; /* the largest code */
    int zero;      /* what is subtracted from codes */
    bool has_minima;
    size_t tokens; /* of an instance for that many, whose panel is not stored; 0: for any number */
};

static inline bool is_interleaved(struct traits format)
{
    return format.tokens == 0;
}
