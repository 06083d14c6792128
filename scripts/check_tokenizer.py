#!/usr/bin/env python3
"""Compares `lfmscope tokenize` with the tokenizers library, id by id, over a corpus of hard text.

    python3 scripts/check_tokenizer.py MODEL...

MODEL is a Hugging Face directory (its tokenizer.json is the oracle) or a GGUF file (tokens, types and merges of the
file and the pattern below make the oracle). Needs the Python packages tokenizers and gguf; exits with 1 on any mismatch.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

ROOT = Path(__file__).resolve().parent.parent

CONTRACTIONS = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
LLAMA3 = CONTRACTIONS + (r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace("{1,3}", "")
QWEN35 = CONTRACTIONS + (r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+"
                         r"|\s+(?!\S)|\s+")
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"
CJK = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"
MARKS = r"\s?[!-/:-~" + "\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+"
# Letters of the scripts with upper and lower case, as deepseek-llm lists them.
CASED = ("A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af"
         "\u0370-\u0373\u0376\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5"
         "\u03f7-\u0481\u048a-\u052f\u0531-\u0556\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba"
         "\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45"
         "\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe"
         "\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc\u2102"
         "\u2107\u210a-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139"
         "\u213c-\u213f\u2145-\u2149\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3"
         "\ua640-\ua66d\ua680-\ua69b\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06"
         "\ufb13-\ufb17\uff21-\uff3a\uff41-\uff5a\U00010400-\U0001044f\U000104b0-\U000104d3"
         "\U000104d8-\U000104fb\U00010c80-\U00010cb2\U00010cc0-\U00010cf2\U000118a0-\U000118df"
         "\U0001e900-\U0001e943")
# What llama.cpp applies, one pattern after another, for the names in tokenizer.ggml.pre; and whether a word that is in
# the vocabulary is taken whole.
PRE = {
    "lfm2": ([LLAMA3], True),
    "llama-bpe": ([LLAMA3], True),
    "qwen2": ([QWEN2], False),
    "qwen35": ([QWEN35], False),
    "gpt-2": ([GPT2], False),
    "mpt": ([GPT2], False),
    "smollm": ([r"\p{N}", GPT2], False),
    "starcoder": ([r"\p{N}", GPT2], False),
    "refact": ([r"\p{N}", GPT2], False),
    "command-r": ([r"\p{N}", GPT2], False),
    "falcon": ([r"[\p{P}\$\+<=>\^~\|`]+", GPT2, "[0-9][0-9][0-9]"], False),
    "deepseek-coder": ([r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", CJK, r"\p{N}"], False),
    "deepseek-llm": ([r"[\r\n]", rf"\s?[{CASED}]+", MARKS, r"\s+\z", CJK, r"\p{N}+"], False),
}


# --- the corpus ---

SCRIPTS = ["the quick brown fox", "Füße über Änderungen", "déjà vu à la Noël", "съешь ещё этих булок", "ξεσκεπάζω τὴν ψυχοφθόρα",
           "עברית היא שפה", "اللغة العربية جميلة", "हिन्दी भाषा में", "বাংলা ভাষা", "ภาษาไทยง่าย", "中文分词很难", "日本語の文章です",
           "カタカナとひらがな", "한국어 문장입니다", "ᚠᛇᚻ᛫ᛒᛦᚦ", "Հայերեն լեզու", "ქართული ენა", "አማርኛ ቋንቋ", "မြန်မာဘာသာ", "ᠮᠣᠩᠭᠣᠯ\u180eᠪᠢᠴᠢᠭ",
           "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝕞𝕒𝕥𝕙", "ﬁﬂ ligatures ﬀ", "Ǆ ǅ ǆ titlecase", "ℵ ℶ Ⅷ ⅷ ② ½ ¾ ²³"]
EMOJI = ["🙂", "👩‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽", "🇩🇪🇫🇷", "1️⃣", "❤️", "🧑🏿‍🚀", "🤷‍♀️", "⌚️", "🫠"]
SPACES = [" ", "  ", "   ", "\t", "\n", "\r\n", "\r", "\n\n", "\u00a0", "\u2003", "\u3000", "\u200b", "\u2028", "\u2029", "\u0085",
          "\u180e", "\u1680", "\u202f", "\u205f", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x1f", "\ufeff", " \n", "\n ", "\t \t"]
CONTRACTED = ["I'm", "you're", "we've", "they'll", "he'd", "it's", "don't", "IT'S", "DON'T", "WE'LL", "You'Re", "'ſ", "it'ſ", "l'été",
              "rock'n'roll", "''s", "'", "o'clock", "'tis", "y'all'd've", "’s", "it’s", "K'K", "'Ve", "'lL"]
PUNCTUATION = list("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~") + [
    "...", "—", "«»", "“”", "¿¡", "、。", "…", "==", "!=", "->", "/*", "*/", "//", "```"]
COMBINING = ["e\u0301", "a\u0308\u0304", "Z\u0351\u036b\u0343a\u0334l\u0321g\u0322o\u0323", "\u0301", "क्षि", "ກຳ", "\u20dd", "n\u0303o"]
CODE = ["def f(x):\n    return x**2  # square\n", "if (a&&b||!c) { x[i++] = y->z; }\r\n", "SELECT * FROM t WHERE a='b''c';",
        "<a href=\"x?y=1&z=%20\">T</a>", "\tfor\ti\tin\trange(10):\n\t\tpass\n", "{\"k\": [1, 2.5e-10, null]}", "\\u00e9\\n\\\\",
        "https://example.org/~a/b.html?q=ä#f", "0x7fffFFFF 0b1010 1_000_000", "x = y ** -1.5E+300"]
SPECIAL = ["<|im_start|>", "<|im_end|>", "<|startoftext|>", "<|endoftext|>", "<|begin_of_text|>", "<|eot_id|>", "<s>", "</s>", "<unk>",
           "<fim_prefix>", "<|im_start", "im_end|>", "<||>", "<|pad|>"]


def assigned(rng):
    """A random code point that has a category in this Python's Unicode tables."""
    while True:
        c = chr(rng.choice([rng.randrange(0x20, 0x3000), rng.randrange(0x3000, 0x11000), rng.randrange(0x110000)]))
        if unicodedata.category(c) not in ("Cn", "Cs", "Co"):
            return c


def word(rng):
    kind = rng.randrange(12)
    if kind == 0:
        return "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(1, 14)))
    if kind == 1:
        return "".join(rng.choice("0123456789") for _ in range(rng.choice([1, 2, 3, 4, 5, 7, 12, 40])))
    if kind == 2:
        return "".join(rng.choice("٠١٢٣०१२९𝟘𝟙²½Ⅻ") for _ in range(rng.randint(1, 9)))
    if kind == 3:
        return "".join(assigned(rng) for _ in range(rng.randint(1, 12)))
    return rng.choice(rng.choice([SCRIPTS, EMOJI, CONTRACTED, PUNCTUATION, COMBINING, CODE, SPECIAL, SCRIPTS]))


def mixture(rng):
    parts = []
    for _ in range(rng.randint(1, 24)):
        parts.append(word(rng))
        if rng.random() < 0.8:
            parts.append(rng.choice(SPACES) if rng.random() < 0.5 else " ")
        if rng.random() < 0.05:
            parts.append(rng.choice(SPACES) * rng.randint(2, 70))
    return "".join(parts).encode("utf-8")


def broken(rng):
    """Valid text with bytes changed, dropped or inserted."""
    data = bytearray(mixture(rng))
    for _ in range(rng.randint(1, 10)):
        if not data:
            break
        at = rng.randrange(len(data))
        action = rng.randrange(3)
        if action == 0:
            data[at] = rng.randrange(256)
        elif action == 1:
            del data[at]
        else:
            data[at:at] = rng.choice([b"\xff", b"\xc3", b"\xe2\x82", b"\xf0\x9f", b"\xed\xa0\x80", b"\xc0\x80", b"\xf5\x80",
                                      b"\x80"])
    return bytes(data)


def random_bytes(rng):
    return bytes(rng.randrange(256) for _ in range(rng.randint(1, 200)))


def random_unicode(rng):
    return "".join(assigned(rng) for _ in range(rng.randint(1, 80))).encode("utf-8")


def corpus(seed, count):
    """Byte strings without zero bytes (they separate texts); a few long words and the zero byte come on their own."""
    rng = random.Random(seed)
    makers = [mixture, mixture, mixture, broken, random_unicode, random_bytes]
    texts = [s.encode() for group in (SCRIPTS, EMOJI, SPACES, CONTRACTED, PUNCTUATION, COMBINING, CODE, SPECIAL) for s in group]
    texts += [(s + t).encode() for s in SPACES for t in ("a", "1", "'s", "!", "é", "🙂")]
    texts += [(t + s + s + t).encode() for s in SPACES for t in ("a", "1", "!", "中")]
    texts += [b"a" * 5000, b"1" * 5000, b" " * 5000, b"\n" * 3000, " a".encode() * 2000, "é".encode() * 3000, b"'" * 2000, b"\xff" * 500]
    while len(texts) < count:
        texts.append(makers[len(texts) % len(makers)](rng).replace(b"\0", b""))
    return [text for text in texts if text]


# --- oracles ---

def from_gguf(path):
    import gguf
    reader = gguf.GGUFReader(path)
    field = lambda key: reader.fields["tokenizer.ggml." + key].contents()
    tokens, types, pre = field("tokens"), field("token_type"), field("pre")
    patterns, ignore_merges = PRE[pre]
    merges = [tuple(merge.split(" ", 1)) for merge in field("merges")]
    tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, merges, ignore_merges=ignore_merges))
    steps = [pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in patterns]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps + [pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    for token, kind in zip(tokens, types):
        if kind in (2, 3):
            tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False)])
    users = [AddedToken(token, special=False, normalized=False) for token, kind in zip(tokens, types) if kind == 4]
    tokenizer.add_tokens(users)
    return tokenizer, pre


def oracle(model):
    if Path(model).is_dir():
        return Tokenizer.from_file(str(Path(model) / "tokenizer.json")), "tokenizer.json"
    return from_gguf(model)


# --- the comparison ---

def ours(program, model, texts, special):
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"\0".join(texts))
        file.flush()
        command = [program, "tokenize", model, "--file", file.name, "--null", "--json", "--no-bos"] + ["--special"] * special
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return [entry["ids"] for entry in json.loads(output)["texts"]]


def whole_file(program, model, data):
    """One text, zero bytes included."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        command = [program, "tokenize", model, "--file", file.name, "--json", "--no-bos"]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["ids"]


def compare(program, model, texts):
    tokenizer, kind = oracle(model)
    mismatches = tokens = 0
    for special in (False, True):
        tokenizer.encode_special_tokens = not special
        expected = [tokenizer.encode(text.decode("utf-8", errors="replace"), add_special_tokens=False).ids for text in texts]
        found = ours(program, model, texts, special)
        assert len(found) == len(expected), f"{len(found)} texts came back, {len(expected)} went in"
        tokens += sum(map(len, expected))
        for text, a, b in zip(texts, expected, found):
            if a != b:
                mismatches += 1
                if mismatches <= 5:
                    where = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
                    print(f"  {text[:100]!r}\n    token {where}: expected {a[where:where + 8]} "
                          f"{[tokenizer.id_to_token(x) for x in a[where:where + 8]]}, found {b[where:where + 8]}")
    tokenizer.encode_special_tokens = True
    data = b"\0a\0\0 b\0" + b"\n".join(texts[:2000])
    expected = tokenizer.encode(data.decode("utf-8", errors="replace"), add_special_tokens=False).ids
    if expected != whole_file(program, model, data):
        mismatches += 1
        print("  the whole file differs")
    print(f"{Path(model).name} ({kind}): {len(texts)} texts with and without special tokens, {tokens} tokens, "
          f"{mismatches} mismatches", flush=True)
    return mismatches


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--program", default=str(ROOT / "build" / "lfmscope"))
    parser.add_argument("--count", type=int, default=8000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    texts = corpus(options.seed, options.count)
    print(f"corpus: {len(texts)} texts, {sum(map(len, texts))} bytes")
    sys.exit(1 if sum(compare(options.program, model, texts) for model in options.models) else 0)


if __name__ == "__main__":
    main()
