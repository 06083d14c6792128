/* The tokenizer of a pack, put into the program's read-only data by the assembler: see embedded.h. Paths are relative to
 * the project's root, where make runs the compiler. Any ELF target, gcc or clang. */
#include "eval/conform/embedded.h"

#include <stdint.h>

#define EMBED(name, file)                     \
    __asm__(".section .rodata\n"              \
            ".global lfm_pack_" name "\n"     \
            ".global lfm_pack_" name "_end\n" \
            "lfm_pack_" name ":\n"            \
            ".incbin \"" file "\"\n"          \
            "lfm_pack_" name "_end:\n"        \
            ".previous\n")

EMBED("tokenizer", "datasets/demo-model/tokenizer.json");
EMBED("tokenizer_config", "datasets/demo-model/tokenizer_config.json");
EMBED("generation_config", "datasets/demo-model/generation_config.json");

extern const char lfm_pack_tokenizer[], lfm_pack_tokenizer_end[];
extern const char lfm_pack_tokenizer_config[], lfm_pack_tokenizer_config_end[];
extern const char lfm_pack_generation_config[], lfm_pack_generation_config_end[];

struct lfm_embedded_file lfm_embedded_file(size_t i)
{
    static const struct {
        const char *name, *begin, *end;
    } files[LFM_N_EMBEDDED_FILES] = {
        {"tokenizer.json", lfm_pack_tokenizer, lfm_pack_tokenizer_end},
        {"tokenizer_config.json", lfm_pack_tokenizer_config, lfm_pack_tokenizer_config_end},
        {"generation_config.json", lfm_pack_generation_config, lfm_pack_generation_config_end},
    };
    return (struct lfm_embedded_file){files[i].name, files[i].begin,
                                      (size_t)((uintptr_t)files[i].end - (uintptr_t)files[i].begin)};
}
