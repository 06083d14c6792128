/* What the parts of the quantizer share: planning, encoding, and the two kinds of output. Private to quantize*.c. */
#ifndef LFM_QUANT_QUANTIZE_PARTS_H
#define LFM_QUANT_QUANTIZE_PARTS_H

#include "quant/quantize.h"
#include "reference/base/json.h"

/* Appends one line. */
enum lfm_status lfm_notes_add(struct lfm_notes *notes, struct lfm_error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Where tensor data go. */
struct lfm_data_sink {
    enum lfm_status (*write)(void *writer, const void *bytes, size_t length, struct lfm_error *error);
    void *writer;
};
/* Writes to a sink in a thread of its own, one piece at a time. `write` waits for the piece before and returns its
 * failure; the bytes must stay as they are until the next call. A length of 0 only waits. `finish` waits, ends the
 * thread and frees, after failures too. */
struct lfm_background_writer;
enum lfm_status lfm_background_writer_start(struct lfm_background_writer **out, const struct lfm_data_sink *sink,
                                            struct lfm_error *error);
enum lfm_status lfm_background_writer_write(struct lfm_background_writer *writer, const void *bytes, size_t length,
                                            struct lfm_error *error);
enum lfm_status lfm_background_writer_finish(struct lfm_background_writer *writer, struct lfm_error *error);

/* Encodes all tensors in order, a few thousand rows at a time. */
enum lfm_status lfm_quantization_write_data(const struct lfm_quantization *quantization,
                                            const struct lfm_data_sink *sink, struct lfm_progress *progress,
                                            struct lfm_error *error);

enum lfm_status lfm_quantization_write_gguf(const struct lfm_quantization *quantization, const char *path,
                                            struct lfm_progress *progress, struct lfm_error *error);
enum lfm_status lfm_quantization_write_directory(const struct lfm_quantization *quantization, const char *path,
                                                 struct lfm_progress *progress, struct lfm_error *error);

/* config.json, from that of the source or from GGUF metadata. */
enum lfm_status lfm_quantization_write_config(const struct lfm_quantization *quantization, const char *path,
                                              struct lfm_error *error);
/* From a GGUF file: tokenizer.json and tokenizer_config.json in the directory. */
enum lfm_status lfm_quantization_write_tokenizer(const struct lfm_quantization *quantization, const char *directory,
                                                 struct lfm_error *error);

#endif
