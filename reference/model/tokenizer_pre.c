/* Pre-tokenizers that GGUF files name in tokenizer.ggml.pre: see tokenizer_pre.h.
 *
 * Names, patterns and defaults are those that llama.cpp gives them (src/llama-vocab.cpp). */
#include "reference/model/tokenizer_parts.h"

#include <string.h>

#define CONTRACTIONS "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
#define LAST "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define WORDS_NUMBERS(digits) "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" digits LAST

#define LLAMA3 CONTRACTIONS WORDS_NUMBERS("\\p{N}{1,3}")
#define QWEN2 CONTRACTIONS WORDS_NUMBERS("\\p{N}")
#define QWEN35                                                                                                     \
    CONTRACTIONS "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+" \
                 "|\\s+(?!\\S)|\\s+"
#define CJK_AND_MORE "[\\x{4E00}-\\x{9FA5}\\x{800}-\\x{4E00}\\x{AC00}-\\x{D7FF}]+"
#define KANJI_KANA "[\\x{4E00}-\\x{9FA5}\\x{3040}-\\x{309F}\\x{30A0}-\\x{30FF}]+"
#define DEEPSEEK3_WORDS                                                                                              \
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"              \
    "| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
/* Letters of the scripts with upper and lower case, as deepseek-llm lists them. */
#define CASED_LETTERS                                                                                       \
    "[A-Za-z\\x{B5}\\x{C0}-\\x{D6}\\x{D8}-\\x{F6}\\x{F8}-\\x{1BA}\\x{1BC}-\\x{1BF}\\x{1C4}-\\x{293}"        \
    "\\x{295}-\\x{2AF}\\x{370}-\\x{373}\\x{376}\\x{377}\\x{37B}-\\x{37D}\\x{37F}\\x{386}\\x{388}-\\x{38A}"  \
    "\\x{38C}\\x{38E}-\\x{3A1}\\x{3A3}-\\x{3F5}\\x{3F7}-\\x{481}\\x{48A}-\\x{52F}\\x{531}-\\x{556}"         \
    "\\x{10A0}-\\x{10C5}\\x{13A0}-\\x{13F5}\\x{13F8}-\\x{13FD}\\x{1C90}-\\x{1CBA}\\x{1CBD}-\\x{1CBF}"       \
    "\\x{1D00}-\\x{1D2B}\\x{1D6B}-\\x{1D77}\\x{1D79}-\\x{1D9A}\\x{1E00}-\\x{1F15}\\x{1F18}-\\x{1F1D}"       \
    "\\x{1F20}-\\x{1F45}\\x{1F48}-\\x{1F4D}\\x{1F50}-\\x{1F57}\\x{1F59}\\x{1F5B}\\x{1F5D}"                  \
    "\\x{1F5F}-\\x{1F7D}\\x{1F80}-\\x{1FB4}\\x{1FB6}-\\x{1FBC}\\x{1FBE}\\x{1FC2}-\\x{1FC4}"                 \
    "\\x{1FC6}-\\x{1FCC}\\x{1FD0}-\\x{1FD3}\\x{1FD6}-\\x{1FDB}\\x{1FE0}-\\x{1FEC}\\x{1FF2}-\\x{1FF4}"       \
    "\\x{1FF6}-\\x{1FFC}\\x{2102}\\x{2107}\\x{210A}-\\x{2113}\\x{2115}\\x{2119}-\\x{211D}\\x{2124}"         \
    "\\x{2126}\\x{2128}\\x{212A}-\\x{212D}\\x{212F}-\\x{2134}\\x{2139}\\x{213C}-\\x{213F}"                  \
    "\\x{2145}-\\x{2149}\\x{214E}\\x{2183}\\x{2184}\\x{2C00}-\\x{2C7B}\\x{2C7E}-\\x{2CE4}"                  \
    "\\x{2CEB}-\\x{2CEE}\\x{2CF2}\\x{2CF3}\\x{A640}-\\x{A66D}\\x{A680}-\\x{A69B}\\x{A722}-\\x{A76F}"        \
    "\\x{A771}-\\x{A787}\\x{A78B}-\\x{A78E}\\x{AB70}-\\x{ABBF}\\x{FB00}-\\x{FB06}\\x{FB13}-\\x{FB17}"       \
    "\\x{FF21}-\\x{FF3A}\\x{FF41}-\\x{FF5A}\\x{10400}-\\x{1044F}\\x{104B0}-\\x{104D3}"                      \
    "\\x{104D8}-\\x{104FB}\\x{10C80}-\\x{10CB2}\\x{10CC0}-\\x{10CF2}\\x{118A0}-\\x{118DF}"                  \
    "\\x{1E900}-\\x{1E943}]"
#define MARKS "\\s?[!-/:-~\\x{FF01}-\\x{FF0F}\\x{FF1A}-\\x{FF5E}\\x{2018}-\\x{201F}\\x{3000}-\\x{3002}]+"
#define DEEPSEEK_LLM {"[\\r\\n]", "\\s?" CASED_LETTERS "+", MARKS, "\\s+\\z", CJK_AND_MORE, "\\p{N}+"}
#define PUNCTUATION "[\\p{P}\\$\\+<=>\\^~\\|`]+"
#define BLOOM " ?[^(\\s|.,!?\\x{2026}\\x{3002}\\x{FF0C}\\x{3001}\\x{964}\\x{6D4}\\x{60C})]+"

static const struct lfm_pre pres[] = {
    {"lfm2", {LLAMA3}, true, true},
    {"llama-bpe", {LLAMA3}, true, true},
    {"llama3", {LLAMA3}, true, true},
    {"llama-v3", {LLAMA3}, true, true},
    {"falcon3", {LLAMA3}, true, true},
    {"falcon-h1", {LLAMA3}, true, true},
    {"pixtral", {LLAMA3}, true, true},
    {"smaug-bpe", {LLAMA3}, false, false},
    {"dbrx", {LLAMA3}, false, false},
    {"chatglm-bpe", {LLAMA3}, false, false},
    {"glm4", {LLAMA3}, true, false},
    {"qwen2", {QWEN2}, false, false},
    {"deepseek-r1-qwen", {QWEN2}, false, false},
    {"megrez", {QWEN2}, false, false},
    {"stablelm2", {QWEN2}, false, false},
    {"hunyuan", {QWEN2}, false, false},
    {"qwen35", {QWEN35}, false, false},
    {"gpt-2", {LFM_GPT2_PATTERN}, false, false},
    {"phi-2", {LFM_GPT2_PATTERN}, false, false},
    {"gigachat", {LFM_GPT2_PATTERN}, false, false},
    {"modern-bert", {LFM_GPT2_PATTERN}, false, false},
    {"mpt", {LFM_GPT2_PATTERN}, false, false},
    {"olmo", {LFM_GPT2_PATTERN}, false, false},
    {"jais", {LFM_GPT2_PATTERN}, false, false},
    {"trillion", {LFM_GPT2_PATTERN}, false, false},
    {"exaone4", {LFM_GPT2_PATTERN}, false, false},
    {"smollm", {"\\p{N}", LFM_GPT2_PATTERN}, false, false},
    {"starcoder", {"\\p{N}", LFM_GPT2_PATTERN}, false, false},
    {"refact", {"\\p{N}", LFM_GPT2_PATTERN}, false, false},
    {"command-r", {"\\p{N}", LFM_GPT2_PATTERN}, false, false},
    {"codeshell", {"\\p{N}", LFM_GPT2_PATTERN}, false, false},
    {"exaone", {"\\p{N}", LFM_GPT2_PATTERN}, false, false},
    {"minerva-7b", {"\\p{N}", LFM_GPT2_PATTERN}, false, false},
    {"falcon", {PUNCTUATION, LFM_GPT2_PATTERN, "[0-9][0-9][0-9]"}, false, false},
    {"default", {"[\\p{P}\\$\\+<=>\\^~\\|]+", LFM_GPT2_PATTERN, "\\p{N}+", "[0-9][0-9][0-9]"}, false, false},
    {"deepseek-llm", DEEPSEEK_LLM, false, false},
    {"deepseek-coder", {"[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", CJK_AND_MORE, "\\p{N}"}, false, false},
    {"deepseek-v3", {"\\p{N}{1,3}", KANJI_KANA, DEEPSEEK3_WORDS}, false, false},
    {"hunyuan-dense", {"\\p{N}{1,3}", KANJI_KANA, DEEPSEEK3_WORDS}, false, false},
    {"bloom", {BLOOM}, false, false},
    {"poro-chat", {BLOOM}, false, false},
    {"gpt3-finnish", {BLOOM}, false, false},
    {"viking", {BLOOM, "\\p{N}"}, false, false},
};

const struct lfm_pre *lfm_pre_find(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof pres / sizeof pres[0]; i++)
        if (strlen(pres[i].name) == length && memcmp(pres[i].name, name, length) == 0) return &pres[i];
    return NULL;
}

/* The same split in the words of published tokenizer.json files. */
static const struct {
    const char *pattern, *same;
} spellings[] = {
    {"(?i:'s|'t|'re|'ve|'m|'ll|'d)" WORDS_NUMBERS("\\p{N}{1,3}"), LLAMA3},
    {"'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| "
     "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s",
     LLAMA3},
    {"(?i:'s|'t|'re|'ve|'m|'ll|'d)" WORDS_NUMBERS("\\p{N}"), QWEN2},
    {"'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)", LFM_GPT2_PATTERN},
};

static const char *usual(const char *pattern)
{
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++)
        if (strcmp(pattern, spellings[i].pattern) == 0) return spellings[i].same;
    return pattern;
}

static bool same_patterns(const struct lfm_pre *pre, const char *const *patterns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!pre->patterns[i] || strcmp(pre->patterns[i], usual(patterns[i])) != 0) return false;
    return count == 6 || !pre->patterns[count];
}

const char *lfm_pre_name(const char *const *patterns, size_t count, bool ignore_merges, const char *family)
{
    if (count == 0 || count > 6) return NULL;
    for (size_t i = 0; i < sizeof pres / sizeof pres[0]; i++) {
        if (pres[i].ignore_merges != ignore_merges || !same_patterns(&pres[i], patterns, count)) continue;
        if (strcmp(pres[i].name, "lfm2") == 0 && !(family && strcmp(family, "lfm2") == 0)) continue;
        return pres[i].name;
    }
    return NULL;
}
