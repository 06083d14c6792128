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

/* How a plane is put into the stream. */
struct manner {
    int level, strategy;
};

enum { SAMPLES = 4096 };

/* Entropy of the plane's bytes, in bits, from a sample spread over it. */
static double entropy_of(const unsigned char *plane, size_t n)
{
    size_t counts[256] = {0}, step = n > SAMPLES ? n / SAMPLES : 1, total = 0;
    double bits = 0;
    for (size_t i = 0; i < n; i += step, total++) counts[plane[i]]++;
    for (size_t b = 0; b < 256; b++)
        if (counts[b] > 0) bits -= (double)counts[b] / (double)total * log2((double)counts[b] / (double)total);
    return bits;
}

/* Above 7 bits there is hardly an eighth to save; between, bytes differ in frequency and rarely repeat in rows; below 1,
 * there are runs worth looking for. */
static struct manner choose_manner(const unsigned char *plane, size_t n)
{
    double bits = entropy_of(plane, n);
    if (bits > 7.0) return (struct manner){Z_NO_COMPRESSION, Z_DEFAULT_STRATEGY};
    return (struct manner){Z_BEST_SPEED, bits > 1.0 ? Z_HUFFMAN_ONLY : Z_DEFAULT_STRATEGY};
}

/* planes[k][i] = byte k of element i. */
static void shuffle(unsigned char *planes, const unsigned char *elements, size_t n, size_t element_size)
{
    for (size_t k = 0; k < element_size; k++)
        for (size_t i = 0; i < n; i++) planes[k * n + i] = elements[i * element_size + k];
}

/* The usual sizes, with constants that the compiler can work with. */
static void shuffle_fast(unsigned char *planes, const unsigned char *elements, size_t n, size_t element_size)
{
    if (element_size == 4) shuffle(planes, elements, n, 4);
    else if (element_size == 2) shuffle(planes, elements, n, 2);
    else shuffle(planes, elements, n, element_size);
}

/* The whole stream: true when it fitted. */
static bool deflate_planes(z_stream *stream, const unsigned char *planes, size_t n, size_t element_size)
{
    for (size_t k = 0; n > 0 && k < element_size; k++) {
        struct manner manner = choose_manner(planes + k * n, n);
        if (deflateParams(stream, manner.level, manner.strategy) != Z_OK) return false;
        stream->next_in = planes + k * n;
        stream->avail_in = (uInt)n;
        if (deflate(stream, Z_NO_FLUSH) != Z_OK || stream->avail_in > 0) return false;
    }
    return deflate(stream, Z_FINISH) == Z_STREAM_END;
}

enum lfm_status lfm_deflate_chunk(unsigned char **out, size_t *length, const unsigned char *elements, size_t n,
                                  size_t element_size, struct lfm_error *error)
{
    /* Stored blocks add 5 bytes to at most 65,535; a plane of Huffman codes can lose a little by its sample. */
    size_t bytes = n * element_size, room = bytes + bytes / 4 + 1024, planes_room = 0, out_room = 0;
    unsigned char *planes = NULL;
    z_stream stream = {0};
    *out = NULL;
    if (room > UINT32_MAX) return lfm_fail(error, LFM_ERROR_LIMIT, "a chunk of %zu bytes is too large to compress", bytes);
    enum lfm_status status = LFM_GROW(&planes, &planes_room, bytes + 1, error);
    if (status == LFM_OK) status = LFM_GROW(out, &out_room, room, error);
    if (status == LFM_OK && deflateInit(&stream, Z_BEST_SPEED) != Z_OK)
        status = lfm_fail(error, LFM_ERROR_MEMORY, "cannot compress: out of memory");
    if (status == LFM_OK) {
        shuffle_fast(planes, elements, n, element_size);
        stream.next_out = *out;
        stream.avail_out = (uInt)room;
        if (!deflate_planes(&stream, planes, n, element_size))
            status = lfm_fail(error, LFM_ERROR_LIMIT, "cannot compress a chunk of %zu bytes", bytes);
        *length = stream.total_out;
        deflateEnd(&stream);
    }
    free(planes);
    if (status == LFM_OK) return LFM_OK;
    free(*out);
    *out = NULL;
    return status;
}
