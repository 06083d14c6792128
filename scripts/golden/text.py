#!/usr/bin/env python3
"""Makes tests/golden/text/: what NLTK, langdetect and Python itself make of texts and patterns.

cases.jsonl     per text: sentences and words (nltk 3.9.1 with datasets/punkt), languages (langdetect 1.0.9, seed 0,
                profiles in alphabetical order), str methods
patterns.jsonl  per pattern and text: re.finditer, re.sub
random.jsonl    draws of random.Random(seed)

With --random N --out FILE it writes N further random cases instead, to be checked with LFM_TEXT_CASES=FILE.
Needs Python 3.11 (Unicode 14), nltk==3.9.1, langdetect==1.0.9.
"""
import argparse
import json
import pathlib
import random
import re

import langdetect
from langdetect.detector_factory import DetectorFactory
from langdetect.lang_detect_exception import LangDetectException
from nltk.tokenize.destructive import NLTKWordTokenizer
from nltk.tokenize.punkt import PunktSentenceTokenizer, load_punkt_params

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "tests" / "golden" / "text"

TEXTS = [
    "", " ", "\n", ".", "...", "!!!", "a", "A.", "Hello", "Hello.", "Hello. World", "Hello.World", " Leading. Space ",
    # abbreviations, initials, numbers, collocations
    "Mr. Smith met Dr. Jones at 5 p.m. They talked.", "He works for Acme Inc. In the morning he rests.",
    "J. Bach wrote it. J. S. Bach did.", "See fig. 3. It shows more.", "U.S. troops left. The U.S. government stayed.",
    "It cost $3.50. That is cheap. No. 5 is alive.", "On Jan. 5 we met. In Feb. we did not.",
    "Items: 1. First thing. 2. Second thing. 3. third thing", "1. one\n2. two\n3. Three", "e.g. this, i.e. that. Etc. etc.",
    "Chapter 5. the end. Chapter 6. The End.", "v. Board of Education. ex-sen. Smith said so.", "Ph.D. students. M.B.A. People.",
    "N. Korea and S. Korea. W. Germany.", "Her score was 9.5. 10 people came. -3.5. the rest.", "_. and Ⅳ. The x. y",
    # ellipses, marks in rows
    "Wait... what? Yes... No.", "Wait . . . what . . . The end . .", "Really?! Yes!! I know!!! ok", "?!?! .. .", "a.. b. . c",
    "Well... the thing. And... The thing.", "Bad acting!!! I promise.", "So.\u00a0.\u00a0. The end. . .\u2003. Go",
    # closing punctuation, quotes, brackets
    "(It rained.) He left. [Really.] She stayed.", '"Stop!" he said. "Why?" she asked. \'So.\' Done.',
    'He said "no." Then "yes."-- and left. (Yes.)', "End.) Start. End.') -- more. End.\"\nNext.", "A. ) B. ' C. \" D. } E", "(End.)- more. Ok. (End.)-- more.",
    "He left.\"\" She came.''' They stay.", "Yes.* No.** Maybe.# So.", "**Bold.** Next. _It._ `Code.` Done.",
    # white space of every kind
    "One.\nTwo.\n\nThree.\r\nFour.\tFive.", "One.\x1cTwo.\x85Three.\u2028Four.\u3000Five.\u200bSix.", "\n\nLead. Then.\n \n",
    "a\x0b.b. C", "x .Y. z", ". A", " . a. B", "\t! A! B", "\n!! a", " ?! Then it came. It went.", "\n\n?! a",
    # words
    "can't won't it's I'm he'd they'll we've you're John's dogs' 'tis 'twas", "CAN'T WON'T IT'S 'TIS d'ye gimme gonna gotta lemme",
    "cannot CANNOT more'n wanna wanna. wanna-be gonna-be Gonna, gotta! 'Tis true, 'Twas so", "rock 'n' roll 'em 'cause 'll 're",
    "\"Double\" ''two single'' ``ticks`` `one` “curly” ‘single’ „low“ «guillemets»", "a,b, 1,000 3:45 a:b c: d,",
    "A--B --- C - D-E ---- end--", "50% #tag @user $5 a&b x;y *star* **two**", "(a)[b]{c}<d> <|im_start|> f(x)=y",
    "The end. .\" ] ) The 'quoted.' And (this.)  ", "She said: \"I'm 'fine'.\" 'Tis.", "e-mail: a.b@c.org; https://x.y/z?q=1&r=2.",
    "it's it’s IT’S dog’s", "don''t 'a' 'ab 'abc' x'y ''", "Tab\tand\x1funit. “Quote.” After. ‘One.’ Two.",
    # case
    "ALL CAPS TEXT.", "all lower text", "ÀÉÎ ŠŽ", "àéî šž", "ǅ", "ǆ Ǆ", "ªº", "Ⓐ Ⅳ", "ⓐ ⅳ", "İI ıi", "ΑΣ ΟΔΟΣ. ΣΑΣ, Σ", "ẞ ß", "123 !?", "K Å ſ",
    # languages
    "The quick brown fox jumps over the lazy dog and runs into the forest.", "Der schnelle braune Fuchs springt über den faulen Hund.",
    "Le renard brun rapide saute par-dessus le chien paresseux, n'est-ce pas ?", "El veloz murciélago hindú comía feliz cardillo y kiwi.",
    "Съешь же ещё этих мягких французских булок, да выпей чаю.", "Бързата кафява лисица скача над мързеливото куче.",
    "素早い茶色の狐は、のろまな犬を飛び越える。カタカナも。", "敏捷的棕色狐狸跳过了懒狗。这是一个测试。", "敏捷的棕色狐狸跳過了懶狗。這是一個測試。",
    "빠른 갈색 여우가 게으른 개를 뛰어넘습니다.", "तेज भूरी लोमड़ी आलसी कुत्ते के ऊपर कूदती है।", "জলদি বাদামী শিয়াল অলস কুকুরের উপর লাফ দেয়।",
    "الثعلب البني السريع يقفز فوق الكلب الكسول.", "روباه قهوه‌ای سریع از روی سگ تنبل می‌پرد.", "تیز بھوری لومڑی سست کتے پر چھلانگ لگاتی ہے۔",
    "สุนัขจิ้งจอกสีน้ำตาลกระโดดข้ามสุนัขขี้เกียจ", "Con cáo nâu nhanh nhẹn nhảy qua con chó lười biếng.",
    "Con ca\u0301o na\u0302u nhanh nhe\u0323n nha\u0309y qua con cho\u0301 lươ\u0300i biê\u0301ng. A\u0300 Y\u0309 z\u0301 a\u0302\u0301",
    "Mbweha mwepesi wa rangi ya kahawia anaruka juu ya mbwa mvivu.", "Vulpea maro iute sare peste câinele leneș și adoarme. Țară",
    "Hızlı kahverengi tilki tembel köpeğin üzerinden atlar.", "Nopea ruskea kettu hyppää laiskan koiran yli.",
    "THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG.", "I AM A CAT", "hello", "ok", "a b c", "1234 5678", "😀😀", "\u3105\u3106 \u31a0\u31bf",
    "Mixed: Hello Привет мир и добро пожаловать everyone", "Привет hello world", "см. https://example.org/a/b?c=d и a.b-c@example.org!",
    "http://x https://y.z a@b.c a@bc a@b- @ab x@yz", "  many     spaces    here  and   there  ", "x\u00a0y\u00abz\u00b0w\u00bbv", "\U00020000\U0001F600 ab",
    "亜 亞 丁 丂", "ÀÉÎÕÜ ÀÉÎÕÜ été", "aB Ab AB ABc aBC AbC",
]

WORDS = """the The THE a A I he He she it It there There in In however However but according Mr Mr. Dr. e.g. i.e. U.S. U.N. p.m.
a.m. Inc. Corp. vs. St. No. no. Jan. 5. 12. 3.5 1,000 -7. J. S. x. é. É. Ⅳ. _. ²x. ½. end end. End. go! Go! why? Why? ok... Ok... ... .. .
. . . ! ? !? ?! !!! -- --- - , ; : , " ' '' `` ` ( ) [ ] { } < > * ** # $ % & @ “ ” ‘ ’ « » „ – — … can't it's I'm we'll 'tis 'twas cannot
CANNOT gimme gonna wanna wannaſ d'ye more'n 'em dogs' ex-Sen. co-op. semi-final. international. sandoz. board-room. springsteen. coverage
2.Coverage (a.) [b.] "c." 'd.' e.) f." g.' h.* naïve. Étude été über Über ΑΣ. Σ. ΟΔΟΣ ǅa ǆ ª ⓐ İ ı ſ K 中文。 日本語 カタ ひら 한국어 Привет мир. Това
на и в que el los é um não der und ist le les des est il gli che di een het van och att och på är hello example@example.org
a.b@c-d.org https://example.org/a.b?c=d. http://a www.x.y/z. 😀 😀. a\u0300 ơ\u0301 e\u0302\u0323 Thị trấn क ख की है ไทย عربي فارسی یک ۵. ٣ ٣. x\u200by \u200b""".split(" ")
WORDS = [word for part in WORDS for word in part.split("\n")]
SPACES = [" "] * 30 + ["", "", "", "  ", "\n", "\n", "\n\n", "\r\n", "\t", "\u00a0", "\u2003", "\x1c", "\x1f", "\x85", "\u2028", "\x0b", "\u3000", "\u1680"]
POINTS = [(0x20, 0x7E)] * 6 + [(0xA0, 0x24F), (0x300, 0x36F), (0x370, 0x5FF), (0x600, 0x6FF), (0x900, 0xDFF), (0xE00, 0xE7F), (0x1E00, 0x1FFF),
          (0x2000, 0x206F), (0x2100, 0x218F), (0x3040, 0x31FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7AF), (0xA640, 0xA7FF), (0x10400, 0x1044F), (0x1F600, 0x1F64F)]


def random_text(rng):
    kind = rng.random()
    if kind < 0.1:  # any characters
        return "".join(chr(rng.randint(*rng.choice(POINTS))) for _ in range(rng.randint(1, 60)))
    length = rng.randint(1, 15) if kind < 0.6 else rng.randint(10, 150)
    words = rng.sample(WORDS, rng.randint(2, 40)) if kind < 0.8 else WORDS
    return "".join(rng.choice(words) + rng.choice(SPACES) for _ in range(length))


def make_factory():
    factory = DetectorFactory()
    directory = pathlib.Path(langdetect.__file__).parent / "profiles"
    factory.load_json_profile([path.read_text("utf-8") for path in sorted(directory.iterdir())])
    factory.set_seed(0)
    return factory


FACTORY = make_factory()
SENTENCES = PunktSentenceTokenizer(load_punkt_params(str(ROOT / "datasets" / "punkt")))
TOKENIZER = NLTKWordTokenizer()


def languages(text):
    detector = FACTORY.create()
    detector.append(text)
    try:
        return [[language.lang, language.prob] for language in detector.get_probabilities()]
    except LangDetectException as error:
        return f"exception: {error}"


def case(text):
    spans = list(SENTENCES.span_tokenize(text))
    return {
        "text": text, "sent_spans": spans,
        "tokens": [token for start, end in spans for token in TOKENIZER.tokenize(text[start:end])],
        "langs": languages(text), "isupper": text.isupper(), "islower": text.islower(), "lower": text.lower(),
        "strip": text.strip(), "split": text.split(), "lines": text.split("\n"),
    }


PATTERNS = [  # pattern, flags, replacement, text
    (r"\s+", "", "_", "a\x1cb\u180ec\u00a0\u2003d\x85e\u200bf\ufeff"), (r"\S+", "", "<\\0>", "a\x1cb\u180ec d"),
    (r"[^\s]+", "", "x", "ab\x1fc d"), (r"[\s,]+", "", "|", "a ,\x1d b"), (r"[^\S\n]+", "", "_", "a \x1c\n b"), (r"[\S]", "", ".", "a\x1eb"),
    (r"\w+", "", "W", "don't naïve e\u0301x हिन्दी a_b ² ½ Ⅳ ٣ 中 ‿ x"), (r"\W", "", ".", "a‿b\u0301_²"), (r"[^\W\d]+", "", "L", "a1_²٣é"), (r"[\W_]+", "", "-", "a_b ‿c\u0301d"),
    (r"\d+", "", "D", "1٣² ½５"), (r"\D+", "", "n", "1٣²½５"), (r"\bis\b", "I", "X", "is İS ıs this _is is\u0301 is2 ¹is IS."), (r"\bi\B", "", "X", "i in _i ‿in \u0301in"),
    (r"kiss", "I", "X", "KISS KİSS kıss KIſS \u212aiss"), (r"[i]x", "I", "X", "IX İx ıX jx"), (r"(?i)straße", "", "X", "STRAßE STRASSE STRAẞE"), (r"(?:i)(?P<i>i)(?P=i)", "I", "X", "iIi İıI"),
    (r"(?i)is", "I", "X", "IS İS"), (r"(?P<q>[i'])s(?P=q)\sx", "I", "X", "is\u0131\x1cx 'S'\x1fX"), (r"(?P<iota>i)(?=i)(?!is)", "I", "X", "iiis"), (r"(?<=i)s(?<!is)?", "I", "X", "İs s"),
    (r"[i-k]", "I", "X", "hi\u0130\u0131K"), (r"[g-i]+", "I", "X", "aHI\u0130\u0131j"), (r"a\Z", "", "X", "a\na"), (r"a\Z", "", "X", "a\n"), (r"[\d\-]+\D", "", "X", "1-2x٣-²"),
    (r"a*", "", "-", "baac"), (r"", "", "-", "abc é"), (r"x*|b", "", "-", "abxx"), (r"\b", "", "|", "ab é. x"), (r"$", "", "|", "a\n"), (r"$", "M", "|", "a\nb\n"), (r"^", "M", "|", "a\n\nb"),
    (r"^\s*\*[^\*].*$", "M", "X", "* a\n\n  *b\n*\nfoo\n**c\n * "), (r"^\s*-.*$", "M", "X", "- a\n---\n-5\n\n\n -x\ntext - y"),
    (r"\*[^\n\*]*\*", "", "<>", "*a* **b** ***c*** * d\n*"), (r"\[.*?\]", "", "_", "[a] [[b]] [c\n] []"), (r"<<[^\n]+>>", "", "T", "<<a>> <<b>>>\n<<c\n>>"),
    (r"\s?\*\*\*\s?", "", "|", "a *** b***c\n***\nd *******"), (r"\s*p\.\s?s\..*$", "M", "X", "a\np.s. b\np. s. c p.s"), (r"(\w+) (\w+)", "", r"\2 \1", "one two three four"),
    (r"(a)|(b)", "", r"[\1\2]", "abc"), (r".", "", ".", "a\r\n\x85\u2028b"), (r"a.c", "", "X", "a\nc a\rc a\u2028c"), (r"[]x]+", "", "_", "a]x]b"), (r"[^]x]+", "", "_", "a]x]b"), (r"\\s\]", "", "X", r"a\s]b"),
    (r"\.", "", "", "a.b"), (r"é", "I", "e", "É é e"), (r"SECTION\s?\d+\s?", "", "|", "SECTION 1 a SECTION٢ b SECTION ² c"),
    (r"b{,2}c", "", "X", "c bc bbbc b{,2}c"), (r"b{,}c", "", "X", "c bbbc b{,}c"), (r"[[:alpha:]]", "", "X", "x] a:]"), (r"[{,2}]", "", "X", "a{2}"),
]


def pattern_case(pattern, flags, replacement, text):
    compiled = re.compile(pattern, sum({"I": re.I, "M": re.M}[flag] for flag in flags))
    matches = [[m.span(i) for i in range(compiled.groups + 1)] for m in compiled.finditer(text)]
    return {"pattern": pattern, "flags": flags, "text": text, "matches": matches, "replacement": replacement,
            "replaced": compiled.sub(replacement.replace("\\0", "\\g<0>"), text)}


def random_draws(seed):
    generator = random.Random(seed)
    return {"seed": seed, "draws": [[generator.gauss(0.0, 1.0), generator.random(), generator.choice(range(n))]
                                    for n in (1, 2, 3, 7, 8, 9, 100, 4096, 12345, 1 << 20, 3000000000) * 15]}


def write_lines(path, rows):
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--random", type=int, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    if options.random:
        rng = random.Random(options.seed)
        write_lines(options.out, (case(random_text(rng)) for _ in range(options.random)))
        return
    OUT.mkdir(parents=True, exist_ok=True)
    rng = random.Random(0)
    write_lines(OUT / "cases.jsonl", map(case, TEXTS + [random_text(rng) for _ in range(60)]))
    write_lines(OUT / "patterns.jsonl", (pattern_case(*row) for row in PATTERNS))
    write_lines(OUT / "random.jsonl", map(random_draws, (0, 1, 4294967295)))


if __name__ == "__main__":
    main()
