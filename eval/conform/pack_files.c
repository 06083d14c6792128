/* What a pack consists of: see pack_files.h. The texts are put into the program's read-only data by the assembler; paths
 * are relative to the project's root, where make runs the compiler. A compiler cache may not see when
 * they change. */
#include "eval/conform/pack_files.h"

#include "reference/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

const char *const lfm_pack_files[] = {
    "README.md",
    "model/config.json",
    "model/generation_config.json",
    "model/model.safetensors",
    "model/tokenizer.json",
    "model/tokenizer_config.json",
    "model.gguf",
    "sequences.jsonl",
    "tokenizer.jsonl",
    "template.jsonl",
    "router.jsonl",
    "hidden.jsonl",
    "logits.jsonl",
    "greedy.jsonl",
    LFM_PACK_MANIFEST,
    NULL,
};

__asm__(".section .rodata\n"
        ".global lfm_pack_case_text\n"
        ".global lfm_pack_case_text_end\n"
        ".global lfm_pack_readme_text\n"
        ".global lfm_pack_readme_text_end\n"
        "lfm_pack_case_text:\n"
        ".incbin \"eval/conform/cases.json\"\n"
        "lfm_pack_case_text_end:\n"
        "lfm_pack_readme_text:\n"
        ".incbin \"eval/conform/pack-readme.md\"\n"
        "lfm_pack_readme_text_end:\n"
        ".previous\n");

extern const char lfm_pack_case_text[], lfm_pack_case_text_end[];
extern const char lfm_pack_readme_text[], lfm_pack_readme_text_end[];

static struct lfm_span span(const char *begin, const char *end)
{
    return (struct lfm_span){begin, (size_t)((uintptr_t)end - (uintptr_t)begin)};
}

struct lfm_span lfm_pack_cases(void)
{
    return span(lfm_pack_case_text, lfm_pack_case_text_end);
}

struct lfm_span lfm_pack_readme(void)
{
    return span(lfm_pack_readme_text, lfm_pack_readme_text_end);
}

enum lfm_status lfm_pack_refuse_occupied(const char *directory, struct lfm_error *error)
{
    if (!lfm_file_exists(directory)) return LFM_OK;
    DIR *open = opendir(directory);
    if (!open)
        return lfm_fail(error, LFM_ERROR_IO, "cannot write a pack to '%s': %s", directory, strerror(errno));
    bool occupied = false;
    for (const struct dirent *entry; !occupied && (entry = readdir(open));)
        occupied = strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(open);
    if (!occupied) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_IO, "cannot write a pack to '%s': the directory is not empty", directory);
}
