/* Chunks as HDF5's filters shuffle and deflate store them, made quickly. Private to reference/trace.
 *
 * Shuffled, a chunk of elements of k bytes is k planes: all first bytes, all second bytes, and so on. The planes of a
 * float's lower fraction bits are noise, on which deflate spends most of its time for nothing. Deflate's format lets
 * every block be stored as it is instead: planes that look like noise are, the others are compressed. The result is one
 * zlib stream, with the Adler-32 checksum of all of it, that every reader of HDF5 inflates and unshuffles as usual.
 * Planes are deflated in parts of 64 KB, by all threads. */
#ifndef LFM_TRACE_DEFLATE_H
#define LFM_TRACE_DEFLATE_H

#include "reference/base/error.h"

#include <stddef.h>

/* A buffer that chunks are encoded in, one after the other. A zeroed struct is an empty one; the owner frees `bytes`. */
struct lfm_chunk {
    unsigned char *bytes;
    size_t room, length;
};

/* Encodes n elements of element_size bytes, [n * element_size], into `chunk`, by all threads: the same bytes for any
 * number of them. Fails when memory is short. */
enum lfm_status lfm_deflate_chunk(struct lfm_chunk *chunk, const unsigned char *elements, size_t n, size_t element_size,
                                  struct lfm_error *error);

#endif
