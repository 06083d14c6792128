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
/* From a GGUF file: what config.json would say (the caller deletes), and the files tokenizer.json and
 * tokenizer_config.json in the directory. */
cJSON *lfm_quantization_make_config(const struct lfm_config *config);
enum lfm_status lfm_quantization_write_tokenizer(const struct lfm_quantization *quantization, const char *directory,
                                                 struct lfm_error *error);

#endif
