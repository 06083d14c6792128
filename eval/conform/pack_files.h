/* What a pack consists of: for the writer and the reader of packs. Private to pack_*.c. */
#ifndef LFM_EVAL_CONFORM_PACK_FILES_H
#define LFM_EVAL_CONFORM_PACK_FILES_H

#include "eval/text/python_text.h"
#include "reference/base/error.h"

#define LFM_PACK_FORMAT "lfmscope-conformance-pack"
#define LFM_PACK_MANIFEST "manifest.json"
enum { LFM_PACK_VERSION = 1 };

/* Every file of a pack, below its directory; NULL at the end. */
extern const char *const lfm_pack_files[];

/* Compiled into the program: the cases (cases.json) and the pack's README. */
struct lfm_span lfm_pack_cases(void);
struct lfm_span lfm_pack_readme(void);

/* Fails when there is something at the path other than an empty directory. */
enum lfm_status lfm_pack_refuse_occupied(const char *directory, struct lfm_error *error);

#endif
