/* What a fuzz target offers: libFuzzer's entry point, and one valid file to begin with (see README.md). */
#ifndef LFM_TESTS_FUZZ_READERS_H
#define LFM_TESTS_FUZZ_READERS_H

#include "reference/base/error.h"
#include "reference/base/file.h"
#include "reference/checkpoint/checkpoint.h"

#include <stddef.h>
#include <stdint.h>

/* Reads the bytes as a file. Aborts when a promise is broken; memory errors are the sanitizers' to find. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Writes a small valid file that uses most of the format. */
enum lfm_status fuzz_write_seed(const char *path, struct lfm_error *error);

/* The promises to a checkpoint's users: a failure has a message of one line, success has tensors inside the file whose
 * elements can all be read. */
void fuzz_check_message(enum lfm_status status, const struct lfm_error *error);
void fuzz_check_tensors(const struct lfm_checkpoint *checkpoint, const struct lfm_mapping *file);

#endif
