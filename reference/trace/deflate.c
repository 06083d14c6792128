/* Shuffling and deflating chunks: see deflate.h. Source of the formats: HDF5's documentation of the shuffle filter,
 * RFC 1950 and 1951. */
#include "reference/trace/deflate.h"

#include "reference/base/memory.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

/* How a part of a plane is put into the stream. */
struct manner {
    int level, strategy;
};

/* Planes are deflated in parts, each on its own and ending with a whole byte, so that threads share the work and the
 * result does not depend on how many they are. */
enum { PART = 1 << 16, PART_ROOM = PART + PART / 4 + 1024, SAMPLES = 4096, HEADER = 2, CHECKSUM = 4 };

/* Bytes first .. first + n - 1 of plane `plane`. */
struct part {
    size_t plane, first, n;
    size_t length; /* deflated, at least 1 */
    uLong checksum;
};

/* Entropy of the bytes, in bits, from a sample spread over them. */
static double entropy_of(const unsigned char *bytes, size_t n)
{
    size_t counts[256] = {0}, step = n > SAMPLES ? n / SAMPLES : 1, total = 0;
    double bits = 0;
    for (size_t i = 0; i < n; i += step, total++) counts[bytes[i]]++;
    for (size_t b = 0; b < 256; b++)
        if (counts[b] > 0) bits -= (double)counts[b] / (double)total * log2((double)counts[b] / (double)total);
    return bits;
}

/* Above 7 bits there is hardly an eighth to save; between, bytes differ in frequency and rarely repeat in rows; below 1,
 * there are runs worth looking for. */
static struct manner choose_manner(const unsigned char *bytes, size_t n)
{
    double bits = entropy_of(bytes, n);
    if (bits > 7.0) return (struct manner){Z_NO_COMPRESSION, Z_DEFAULT_STRATEGY};
    return (struct manner){Z_BEST_SPEED, bits > 1.0 ? Z_HUFFMAN_ONLY : Z_DEFAULT_STRATEGY};
}

/* out[i] = byte k of element i. */
static void take_plane(unsigned char *out, const unsigned char *elements, size_t n, size_t element_size, size_t k)
{
    if (element_size == 4)
        for (size_t i = 0; i < n; i++) out[i] = elements[i * 4 + k];
    else if (element_size == 2)
        for (size_t i = 0; i < n; i++) out[i] = elements[i * 2 + k];
    else
        for (size_t i = 0; i < n; i++) out[i] = elements[i * element_size + k];
}

/* Into `out` of PART_ROOM bytes; the last part ends the stream. Leaves the length at 0 when that fails. */
static void deflate_part(z_stream *stream, unsigned char *out, struct part *part, const unsigned char *elements,
                         size_t element_size, bool last)
{
    unsigned char bytes[PART];
    take_plane(bytes, elements + part->first * element_size, part->n, element_size, part->plane);
    struct manner manner = choose_manner(bytes, part->n);
    if (deflateReset(stream) != Z_OK || deflateParams(stream, manner.level, manner.strategy) != Z_OK) return;
    stream->next_in = bytes;
    stream->avail_in = (uInt)part->n;
    stream->next_out = out;
    stream->avail_out = PART_ROOM;
    if (deflate(stream, last ? Z_FINISH : Z_SYNC_FLUSH) != (last ? Z_STREAM_END : Z_OK)) return;
    if (stream->avail_in > 0 || stream->avail_out == 0) return;
    part->length = stream->total_out;
    part->checksum = adler32(adler32(0, NULL, 0), bytes, (uInt)part->n);
}

/* Part i goes to out + i * PART_ROOM. */
static bool deflate_parts(unsigned char *out, struct part *parts, size_t n_parts, const unsigned char *elements,
                          size_t element_size)
{
#pragma omp parallel if (n_parts > 1)
    {
        z_stream stream = {0};
        bool ready = deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, -MAX_WBITS, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK;
        /* From the last plane, signs and exponents, on: what takes longest is not left to one thread in the end. */
#pragma omp for schedule(dynamic)
        for (size_t left = n_parts; left > 0; left--) {
            size_t i = left - 1;
            if (ready) deflate_part(&stream, out + i * PART_ROOM, &parts[i], elements, element_size, i == n_parts - 1);
        }
        deflateEnd(&stream);
    }
    for (size_t i = 0; i < n_parts; i++)
        if (parts[i].length == 0) return false;
    return true;
}

/* RFC 1950: two bytes of header, which say "deflate, a window of 32 KB, the fastest level", the parts, the checksum. */
static void join_parts(struct lfm_chunk *chunk, const struct part *parts, size_t n_parts)
{
    uLong checksum = adler32(0, NULL, 0);
    chunk->bytes[0] = 0x78;
    chunk->bytes[1] = 0x01;
    chunk->length = HEADER;
    for (size_t i = 0; i < n_parts; i++) {
        memmove(chunk->bytes + chunk->length, chunk->bytes + HEADER + i * PART_ROOM, parts[i].length);
        chunk->length += parts[i].length;
        checksum = adler32_combine(checksum, parts[i].checksum, (z_off_t)parts[i].n);
    }
    for (int shift = 24; shift >= 0; shift -= 8) chunk->bytes[chunk->length++] = (unsigned char)(checksum >> shift);
}

/* An empty chunk is one empty part, which ends the stream. */
static void divide(struct part *parts, size_t n_parts, size_t n)
{
    size_t plane = 0, first = 0;
    for (size_t i = 0; i < n_parts; i++) {
        parts[i] = (struct part){.plane = plane, .first = first, .n = n - first < PART ? n - first : PART};
        first += parts[i].n;
        if (first < n) continue;
        first = 0;
        plane++;
    }
}

enum lfm_status lfm_deflate_chunk(struct lfm_chunk *chunk, const unsigned char *elements, size_t n, size_t element_size,
                                  struct lfm_error *error)
{
    size_t n_parts = n > 0 ? (n + PART - 1) / PART * element_size : 1;
    struct part *parts;
    LFM_TRY(LFM_GROW(&chunk->bytes, &chunk->room, HEADER + n_parts * PART_ROOM + CHECKSUM, error));
    LFM_TRY(LFM_ALLOC(&parts, n_parts, error));
    divide(parts, n_parts, n);
    bool fitted = deflate_parts(chunk->bytes + HEADER, parts, n_parts, elements, element_size);
    if (fitted) join_parts(chunk, parts, n_parts);
    free(parts);
    if (fitted) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_MEMORY, "cannot compress a chunk of %zu bytes: out of memory", n * element_size);
}
