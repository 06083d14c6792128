/* Chunks as HDF5's filters shuffle and deflate store them, made quickly. Private to reference/trace.
 *
 * Shuffled, a chunk of elements of k bytes is k planes: all first bytes, all second bytes, and so on. The planes of a
 * float's lower fraction bits are noise, on which deflate spends most of its time for nothing. Deflate's format lets
 * every block be stored as it is instead: planes that look like noise are, the others are compressed. The result is one
 * zlib stream, with the Adler-32 checksum of all of it, that every reader of HDF5 inflates and unshuffles as usual. */
#ifndef LFM_TRACE_DEFLATE_H
#define LFM_TRACE_DEFLATE_H

#include "reference/base/error.h"

#include <stddef.h>

/* Encodes n elements of element_size bytes. *out is allocated, *length its use; the caller frees. */
enum lfm_status lfm_deflate_chunk(unsigned char **out, size_t *length, const unsigned char *elements, size_t n,
                                  size_t element_size, struct lfm_error *error);

#endif
