/* Panels of the formats with codes of up to six bits: what the sets share. The including file defines what panels.h asks for and
 *     load_rows                  16 bytes of each of LANES rows to four registers, interleaved or not
 *     load_interleaved           the same, interleaved: lane r of register k gets bytes 4k .. 4k + 3 of row r
 *     load_halves                a half-precision number of each of LANES rows; may read the two bytes behind it
 *     low_half_to_float          the half-precision numbers in the low halves of the lanes
 * and gets FORMAT_fill for these formats. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint32_t words __attribute__((vector_size(4 * LANES)));
typedef int32_t signed_words __attribute__((vector_size(4 * LANES)));

/* --- codes: four of them in every lane --- */

/* The low (upper: the high) halves of bytes. */
INLINE words half_codes(lane_integers bytes, bool upper)
{
    return (upper ? (words)bytes >> 4 : (words)bytes) & 0x0f0f0f0fu;
}

/* 32 bytes of each row, in eight registers. */
INLINE void load_32_of_rows(lane_integers out[8], const uint8_t *at, size_t row_bytes, bool interleave)
{
    load_rows(out, at, row_bytes, interleave);
    load_rows(out + 4, at + 16, row_bytes, interleave);
}

/* 16 bytes of each row, whose low halves are the first 16 codes. */
INLINE void fill_from_16(lane_integers codes[8], const uint8_t *at, size_t row_bytes, bool interleave)
{
    load_rows(codes, at, row_bytes, interleave);
    for (int k = 0; k < 4; k++) {
        codes[4 + k] = (lane_integers)half_codes(codes[k], true);
        codes[k] = (lane_integers)half_codes(codes[k], false);
    }
}

INLINE void q4_0_fill(struct panel *panel, size_t p, const uint8_t *rows, size_t row_bytes, size_t g, bool interleave)
{
    const uint8_t *block = rows + g * 18;
    fill_from_16(panel->codes + p * 8, block + 2, row_bytes, interleave);
    panel->scales[p] = load_halves(block, row_bytes);
}

INLINE void q4_1_fill(struct panel *panel, size_t p, const uint8_t *rows, size_t row_bytes, size_t g, bool interleave)
{
    const uint8_t *block = rows + g * 20;
    fill_from_16(panel->codes + p * 8, block + 4, row_bytes, interleave);
    panel->scales[p] = load_halves(block, row_bytes);
    panel->minima[p] = load_halves(block + 2, row_bytes);
}

/* --- blocks of 256: what groups share is filled with the first of them; place p holds group p % 8 --- */

INLINE words bits_at(lane_integers lanes, unsigned shift, uint32_t mask)
{
    return (words)lanes >> shift & mask;
}

/* Of all groups of q4_k or q5_k blocks: the first 16 bytes of a block are d, dmin and the packed scales and minima
 * (quant/formats/k_scales.h). */
INLINE void k_scales_fill(struct panel *panel, size_t p, const uint8_t *block, size_t row_bytes)
{
    lane_integers head[4];
    load_interleaved(head, block, row_bytes);
    lane_floats d = low_half_to_float(head[0]), dmin = low_half_to_float((lane_integers)((words)head[0] >> 16));
    for (unsigned j = 0; j < 4; j++) {
        const words scales[2] = {bits_at(head[1], 8 * j, 63), bits_at(head[3], 8 * j, 15) | bits_at(head[1], 8 * j + 6, 3) << 4};
        const words minima[2] = {bits_at(head[2], 8 * j, 63),
                                 bits_at(head[3], 8 * j + 4, 15) | bits_at(head[2], 8 * j + 6, 3) << 4};
        for (size_t upper = 0; upper < 2; upper++) {
            panel->scales[p + 4 * upper + j] = d * to_floats((lane_integers)scales[upper]);
            panel->minima[p + 4 * upper + j] = -(dmin * to_floats((lane_integers)minima[upper]));
        }
    }
}

/* Two groups share 32 bytes per row: the codes of one are the low halves, of the other the high ones. */
INLINE void q4_k_fill(struct panel *panel, size_t p, const uint8_t *rows, size_t row_bytes, size_t g, bool interleave)
{
    const uint8_t *block = rows + g / 8 * 144;
    if (p % 8 == 0) k_scales_fill(panel, p, block, row_bytes);
    if (p % 2 == 1) return;
    lane_integers bytes[8], *codes = panel->codes + p * 8;
    load_32_of_rows(bytes, block + 16 + p % 8 / 2 * 32, row_bytes, interleave);
    for (int k = 0; k < 8; k++) {
        codes[k] = (lane_integers)half_codes(bytes[k], false);
        codes[8 + k] = (lane_integers)half_codes(bytes[k], true);
    }
}

INLINE void q5_k_fill(struct panel *panel, size_t p, const uint8_t *rows, size_t row_bytes, size_t g, bool interleave)
{
    const uint8_t *block = rows + g / 8 * 176;
    unsigned group = p % 8;
    if (group == 0) k_scales_fill(panel, p, block, row_bytes);
    if (group % 2 == 1) return;
    lane_integers bytes[8], fifth[8], *codes = panel->codes + p * 8;
    load_32_of_rows(bytes, block + 48 + group / 2 * 32, row_bytes, interleave);
    load_32_of_rows(fifth, block + 16, row_bytes, interleave);
    for (int k = 0; k < 8; k++) {
        codes[k] = (lane_integers)(half_codes(bytes[k], false) | bits_at(fifth[k], group, 0x01010101) << 4);
        codes[8 + k] = (lane_integers)(half_codes(bytes[k], true) | bits_at(fifth[k], group + 1, 0x01010101) << 4);
    }
}

/* The scales of q6_k blocks, one for 16 elements. */
INLINE void q6_k_scales_fill(struct panel *panel, size_t p, const uint8_t *block, size_t row_bytes)
{
    lane_integers scales[4], last[4];
    load_interleaved(scales, block + 192, row_bytes);
    load_interleaved(last, block + 194, row_bytes);
    lane_floats d = low_half_to_float((lane_integers)((words)last[3] >> 16)); /* the last two bytes */
    for (unsigned place = 0; place < 16; place++) {
        signed_words scale = (signed_words)((words)scales[place / 4] << (24 - place % 4 * 8)) >> 24;
        panel->scales[2 * p + place] = d * to_floats((lane_integers)scale);
    }
}

/* The four groups of half a block share 64 bytes of low bits and 32 of high ones per row. */
INLINE void q6_k_fill(struct panel *panel, size_t p, const uint8_t *rows, size_t row_bytes, size_t g, bool interleave)
{
    const uint8_t *block = rows + g / 8 * 210;
    size_t half = p % 8 / 4;
    if (p % 8 == 0) q6_k_scales_fill(panel, p, block, row_bytes);
    if (p % 4 > 0) return;
    lane_integers high[8];
    load_32_of_rows(high, block + 128 + half * 32, row_bytes, interleave);
    for (unsigned pair = 0; pair < 2; pair++) {
        lane_integers low[8], *codes = panel->codes + (p + pair) * 8;
        load_32_of_rows(low, block + half * 64 + pair * 32, row_bytes, interleave);
        for (int k = 0; k < 8; k++) {
            codes[k] = (lane_integers)(half_codes(low[k], false) | bits_at(high[k], 2 * pair, 0x03030303) << 4);
            codes[16 + k] = (lane_integers)(half_codes(low[k], true) | bits_at(high[k], 2 * pair + 4, 0x03030303) << 4);
        }
    }
}
