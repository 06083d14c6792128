"""Instructions with constraints that code can verify, worded as IFEval words them, with answers that satisfy them."""

import json
import re
from dataclasses import dataclass
from typing import Callable

from . import words as w
from .chat import Sample, turn

REQUESTS = (
    "Write a short text about {t}.", "Tell me something about {t}.", "Describe {t}.",
    "Write a few lines about {t}.", "What can you say about {t}?", "Write a short note about {t} for a friend.",
)
END_PHRASES = ("Is there anything else I can help with?", "That is all you need to know.", "Any other questions?",
               "Peace and good luck to you.", "Let me know what you think.", "I hope this helps.")
CHOICES = ("My answer is yes.", "My answer is no.", "My answer is maybe.")


@dataclass
class Draft:
    """An answer in the making: the topic, sentences, and what the constraints ask of each sentence."""
    topic: str
    commas: bool = True
    avoid: tuple = ()
    sentences: int = 3


@dataclass
class Constraint:
    """One verifiable instruction: its official id and arguments, its wording, its two effects on an answer."""
    id: str
    kwargs: dict
    wording: str
    prepare: Callable = lambda draft: None
    finish: Callable = lambda text: text


def sentence(rng, topic, draft):
    """A sentence about the topic that respects the draft; topics are singular or plural nouns."""
    noun = topic.split(" ", 1)[1] if topic.split(" ")[0] in ("a", "an", "the") else topic
    while True:
        adjective, other, place = w.pick(rng, w.ADJECTIVES), w.pick(rng, w.NOUNS), w.pick(rng, w.PLACES)
        plain = (
            f"I think of {topic} as something {adjective}.",
            f"Many people like {topic} in {w.pick(rng, w.SEASONS)}.",
            f"My friend {w.pick(rng, w.FIRST_NAMES)} dreams of {topic} {w.pick(rng, w.ADVERBS)}.",
            f"Everyone at the {place} talks about {topic}.",
            f"The {noun} can be {adjective} and {w.pick(rng, w.ADJECTIVES)}.",
            f"With {topic} comes the {adjective} {other}.",
        )
        with_comma = (
            f"In {w.pick(rng, w.SEASONS)}, I find {topic} {adjective}.",
            f"When I think of {topic}, I remember the {adjective} {other}.",
            f"It is {adjective}, {w.pick(rng, w.ADJECTIVES)} and {w.pick(rng, w.ADJECTIVES)}.",
            f"Near the {place}, the {noun} is always {adjective}.",
        )
        text = w.capitalise(w.pick(rng, plain + with_comma if draft.commas else plain))
        if not any(re.search(rf"\b{word}\b", text, re.I) for word in draft.avoid):
            return text


def body(rng, draft):
    return " ".join(sentence(rng, draft.topic, draft) for _ in range(draft.sentences))


# Makers of constraints: each takes (rng, topic, request) and returns a Constraint.

def no_comma(rng, topic, request):
    wording = rng.choice(("In your entire response, refrain from the use of any commas.", "Do not use any commas in your response.",
                          "Your answer must not contain any commas."))
    return Constraint("punctuation:no_comma", {}, wording, prepare=lambda d: setattr(d, "commas", False))


def lowercase(rng, topic, request):
    wording = rng.choice(("Your entire response should be in English, and in all lowercase letters. No capital letters are allowed.",
                          "Answer in all lowercase letters.", "Use only lowercase letters in your answer."))
    return Constraint("change_case:english_lowercase", {}, wording, finish=str.lower)


def uppercase(rng, topic, request):
    wording = rng.choice(("Your entire response should be in English, and in all capital letters.",
                          "Answer in all capital letters.", "Use only capital letters in your answer."))
    return Constraint("change_case:english_capital", {}, wording, finish=str.upper)


def word_count(rng, topic, request):
    if rng.random() < 0.5:
        n = rng.choice((15, 20, 25, 30, 40))
        wording = rng.choice((f"Answer with at least {n} words.", f"Your response should contain at least {n} words."))
        return Constraint("length_constraints:number_words", {"relation": "at least", "num_words": n}, wording,
                          prepare=lambda d: setattr(d, "sentences", n // 7 + 2))
    n = rng.choice((15, 20, 30, 40))
    wording = rng.choice((f"Answer with less than {n} words.", f"Your response should contain less than {n} words."))
    return Constraint("length_constraints:number_words", {"relation": "less than", "num_words": n}, wording,
                      prepare=lambda d: setattr(d, "sentences", max(1, n // 14)))


def sentence_count(rng, topic, request):
    n = rng.randint(2, 6)
    if rng.random() < 0.5:
        wording = rng.choice((f"Your response should contain at least {n} sentences.", f"Use at least {n} sentences."))
        return Constraint("length_constraints:number_sentences", {"relation": "at least", "num_sentences": n}, wording,
                          prepare=lambda d: setattr(d, "sentences", n))
    wording = rng.choice((f"Your response should contain less than {n} sentences.", f"Use less than {n} sentences."))
    return Constraint("length_constraints:number_sentences", {"relation": "less than", "num_sentences": n}, wording,
                      prepare=lambda d: setattr(d, "sentences", n - 1))


def bullets(rng, topic, request):
    n = rng.randint(2, 5)
    wording = rng.choice((f"Your answer must contain exactly {n} bullet points. Use the markdown bullet points such as:\n* This is point 1.",
                          f"Answer with exactly {n} bullet points in markdown, each starting with *."))
    return Constraint("detectable_format:number_bullet_lists", {"num_bullets": n}, wording,
                      prepare=lambda d: setattr(d, "sentences", n), finish=lambda text: each_sentence(text, "* {}", "\n"))


def paragraphs(rng, topic, request):
    n = rng.randint(2, 4)
    wording = rng.choice((f"There should be {n} paragraphs. Paragraphs are separated with the markdown divider: ***",
                          f"Write {n} paragraphs and separate them with the markdown divider: ***"))
    return Constraint("length_constraints:number_paragraphs", {"num_paragraphs": n}, wording,
                      prepare=lambda d: setattr(d, "sentences", n), finish=lambda text: each_sentence(text, "{}", "\n***\n"))


def sections(rng, topic, request):
    n = rng.randint(2, 4)
    word = rng.choice(("SECTION", "Section"))
    wording = f"Your response must have {n} sections. Mark the beginning of each section with {word} X, such as:\n{word} 1"
    return Constraint("detectable_format:multiple_sections", {"section_spliter": word, "num_sections": n}, wording,
                      prepare=lambda d: setattr(d, "sentences", n), finish=lambda text: numbered(text, word))


def title(rng, topic, request):
    wording = rng.choice(("Your answer must contain a title, wrapped in double angular brackets, such as <<poem of joy>>.",
                          "Give it a title wrapped in double angular brackets, i.e. <<title>>."))
    return Constraint("detectable_format:title", {}, wording, finish=lambda text: f"<<{w.capitalise(topic)}>>\n{text}")


def highlights(rng, topic, request):
    n = rng.randint(1, 4)
    wording = rng.choice((f"Highlight at least {n} sections in your answer with markdown, i.e. *highlighted section*.",
                          f"Your answer must have at least {n} highlighted parts, such as *this one*."))
    return Constraint("detectable_format:number_highlighted_sections", {"num_highlights": n}, wording,
                      prepare=lambda d: setattr(d, "sentences", n), finish=highlight_last_words)


def placeholders(rng, topic, request):
    n = rng.randint(1, 4)
    wording = f"The response must contain at least {n} placeholders represented by square brackets, such as [address]."
    names = rng.sample(("name", "address", "date", "city", "time", "price", "phone", "email"), n)
    lines = " ".join(f"Please add the [{name}]." for name in names)
    return Constraint("detectable_content:number_placeholders", {"num_placeholders": n}, wording,
                      prepare=lambda d: setattr(d, "sentences", 2), finish=lambda text: f"{text} {lines}")


def postscript(rng, topic, request):
    marker = rng.choice(("P.S.", "P.P.S"))
    wording = rng.choice((f"At the end of your response, please explicitly add a postscript starting with {marker}",
                          f"Finish your response with a postscript that starts with {marker}"))
    closing = rng.choice(("Write soon.", "Bring some bread.", "The door is open.", "Say hello to my sister."))
    return Constraint("detectable_content:postscript", {"postscript_marker": marker}, wording,
                      finish=lambda text: f"{text}\n{marker} {closing}")


def end_phrase(rng, topic, request):
    phrase = rng.choice(END_PHRASES)
    wording = rng.choice((f"Finish your response with this exact phrase {phrase} No other words should follow this phrase.",
                          f"Your response must end with the exact phrase: {phrase}"))
    return Constraint("startend:end_checker", {"end_phrase": phrase}, wording, finish=lambda text: f"{text} {phrase}")


def quotation(rng, topic, request):
    wording = rng.choice(("Wrap your entire response with double quotation marks.", "Put your whole answer in double quotation marks."))
    return Constraint("startend:quotation", {}, wording, finish=lambda text: f'"{text}"')


def keywords(rng, topic, request):
    chosen = rng.sample(w.NOUNS, rng.randint(1, 3))
    wording = rng.choice((f"Include keywords {chosen} in the response.", f"Use the words {' and '.join(chosen)} in your answer."))
    lines = [rng.choice(("I also mention the {}.", "The {} belongs to it.", "It goes well with a {}.")).format(k) for k in chosen]
    return Constraint("keywords:existence", {"keywords": chosen}, wording,
                      prepare=lambda d: setattr(d, "sentences", 2), finish=lambda text: f"{text} {' '.join(lines)}")


def frequency(rng, topic, request):
    word, n = rng.choice(w.NOUNS), rng.randint(2, 4)
    wording = rng.choice((f"In your response, the word {word} should appear at least {n} times.", f"Use the word {word} at least {n} times."))
    lines = rng.sample(("The {} is here.", "I like the {}.", "Nobody forgets the {}.", "The {} is old.", "Look at the {}."), n)
    return Constraint("keywords:frequency", {"relation": "at least", "keyword": word, "frequency": n}, wording,
                      prepare=lambda d: setattr(d, "sentences", 1),
                      finish=lambda text: f"{text} {' '.join(lines).format(*[word] * n)}")


def forbidden(rng, topic, request):
    banned = rng.sample(("many", "think", "near", "people", "always", "friend", "everyone", "can", "with"), rng.randint(1, 3))
    wording = rng.choice((f"Do not include keywords {banned} in the response.", f"Do not use the words {' and '.join(banned)}."))
    return Constraint("keywords:forbidden_words", {"forbidden_words": banned}, wording,
                      prepare=lambda d: setattr(d, "avoid", d.avoid + tuple(banned)))


def repeat_request(rng, topic, request):
    wording = "First repeat the request word for word without change, then give your answer."
    return Constraint("combination:repeat_prompt", {"prompt_to_repeat": request}, wording,
                      prepare=lambda d: setattr(d, "sentences", 2), finish=lambda text: f"{request}\n{text}")


def two_responses(rng, topic, request):
    wording = "Give two different responses. Responses and only responses should be separated by 6 asterisk symbols: ******."
    return Constraint("combination:two_responses", {}, wording, prepare=lambda d: setattr(d, "sentences", 2),
                      finish=lambda text: each_sentence(text, "{}", "\n******\n"))


def json_format(rng, topic, request):
    wording = rng.choice(("Entire output should be wrapped in JSON format.", "Give your whole answer as JSON."))
    return Constraint("detectable_format:json_format", {}, wording, prepare=lambda d: setattr(d, "sentences", 2),
                      finish=lambda text: json.dumps({"topic": topic, "text": text}))


def each_sentence(text, form, joint):
    return joint.join(form.format(s) for s in split_sentences(text))


def numbered(text, word):
    return "\n".join(f"{word} {i}\n{s}" for i, s in enumerate(split_sentences(text), 1))


def highlight_last_words(text):
    return " ".join(re.sub(r"(\w+)([.?!])$", r"*\1*\2", s) for s in split_sentences(text))


def split_sentences(text):
    return re.split(r"(?<=[.?!]) (?=[A-Z])", text)


# Which constraints go together: one from each group of a pair.
GROUPS = {
    "comma": (no_comma,), "case": (lowercase, uppercase), "length": (word_count, sentence_count),
    "layout": (bullets, paragraphs, sections, highlights), "title": (title,), "words": (keywords, forbidden, frequency),
    "close": (end_phrase, postscript, placeholders), "wrap": (quotation,),
}
ALONE = (repeat_request, two_responses, json_format)
PAIRS = (
    ("comma", "case"), ("comma", "length"), ("comma", "layout"), ("comma", "title"), ("comma", "wrap"),
    ("length", "wrap"), ("length", "case"), ("layout", "title"), ("layout", "case"), ("title", "case"), ("title", "wrap"),
    ("words", "case"), ("words", "wrap"), ("length", "close"), ("comma", "close"), ("length", "title"), ("words", "title"),
)
ORDER = ("comma", "length", "words", "layout", "close", "title", "case", "wrap")


def request_for(rng, topic):
    return rng.choice(REQUESTS).format(t=topic)


def answer_for(rng, topic, constraints):
    draft = Draft(topic, sentences=rng.randint(2, 3))
    for constraint in constraints:
        constraint.prepare(draft)
    text = body(rng, draft)
    for constraint in constraints:
        text = constraint.finish(text)
    return text


def build(kind, topic, request, constraints, answer):
    content = " ".join([request] + [c.wording for c in constraints])
    task = {"instruction_id_list": [c.id for c in constraints], "kwargs": [c.kwargs for c in constraints]}
    return Sample("instruction", kind, [turn("user", content), turn("assistant", answer)], task=task)


def single(rng, world):
    makers = [m for group in GROUPS.values() for m in group] + list(ALONE)
    topic = rng.choice(w.TOPICS)
    request = request_for(rng, topic)
    constraint = rng.choice(makers)(rng, topic, request)
    return build("instruction.single", topic, request, [constraint], answer_for(rng, topic, [constraint]))


def double(rng, world):
    """Two constraints; drawn again when the second spoils the first."""
    while True:
        topic = rng.choice(w.TOPICS)
        request = request_for(rng, topic)
        groups = sorted(rng.choice(PAIRS), key=ORDER.index)
        constraints = [rng.choice(GROUPS[g])(rng, topic, request) for g in groups]
        answer = answer_for(rng, topic, constraints)
        sample = build("instruction.double", topic, request, constraints, answer)
        if all(verdicts(sample.task, answer)):
            return sample


def choice(rng, world):
    """A yes-or-no question with the official three answers; the world's towns decide it."""
    entity = world.entity(rng)
    fact = rng.choice(entity.facts())
    name = fact.entity if entity.sort != "thing" else "the " + fact.entity
    wording = f"Answer with one of the following options: {CHOICES}"
    request = rng.choice((f"Do you know {name}?", f"Would you like to hear about {name}?", f"Is {name} famous?"))
    constraint = Constraint("detectable_format:constrained_response", {}, wording)
    return build("instruction.choice", name, request, [constraint], rng.choice(CHOICES))


KINDS = {"instruction.single": single, "instruction.double": double, "instruction.choice": choice}


# Verdicts: the official checks, with sentences counted plainly and the language taken as English.

def relation_holds(kwargs, count, key):
    return count < kwargs[key] if kwargs["relation"] == "less than" else count >= kwargs[key]


def paragraphs_ok(kwargs, text):
    pieces = [p.strip() for p in re.split(r"\s?\*\*\*\s?", text)]
    return "" not in pieces[1:-1] and sum(map(bool, pieces)) == kwargs["num_paragraphs"]


def two_responses_ok(kwargs, text):
    pieces = [p.strip() for p in text.split("******")]
    full = [p for p in pieces if p]
    return "" not in pieces[1:-1] and len(full) == 2 and full[0] != full[1]


def json_ok(kwargs, text):
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def section_marks(kwargs, text):
    return len(re.findall(rf"{kwargs['section_spliter']}\s?\d+", text))


def occurrences(word, text):
    return len(re.findall(word, text, re.I))


CHECKS = {
    "punctuation:no_comma": lambda k, t: "," not in t,
    "change_case:english_lowercase": lambda k, t: t.islower(),
    "change_case:english_capital": lambda k, t: t.isupper(),
    "length_constraints:number_words": lambda k, t: relation_holds(k, len(re.findall(r"\w+", t)), "num_words"),
    "length_constraints:number_sentences": lambda k, t: relation_holds(k, len(re.findall(r"[.?!](?=\s|$)", t)), "num_sentences"),
    "detectable_format:number_bullet_lists": lambda k, t: len(re.findall(r"^\s*\*[^\*].*$|^\s*-.*$", t, re.M)) == k["num_bullets"],
    "length_constraints:number_paragraphs": paragraphs_ok,
    "detectable_format:multiple_sections": lambda k, t: section_marks(k, t) >= k["num_sections"],
    "detectable_format:title": lambda k, t: re.search(r"<<[^\n]*[^\n<> ][^\n]*>>", t) is not None,
    "detectable_format:number_highlighted_sections": lambda k, t: len(re.findall(r"\*[^\n\*]+\*", t)) >= k["num_highlights"],
    "detectable_content:number_placeholders": lambda k, t: len(re.findall(r"\[.*?\]", t)) >= k["num_placeholders"],
    "detectable_content:postscript": lambda k, t: k["postscript_marker"].lower() in t.lower(),
    "startend:end_checker": lambda k, t: t.strip().strip('"').lower().endswith(k["end_phrase"].lower()),
    "startend:quotation": lambda k, t: len(t) > 1 and t[0] == t[-1] == '"',
    "keywords:existence": lambda k, t: all(occurrences(word, t) for word in k["keywords"]),
    "keywords:frequency": lambda k, t: relation_holds(k, occurrences(k["keyword"], t), "frequency"),
    "keywords:forbidden_words": lambda k, t: not any(occurrences(rf"\b{word}\b", t) for word in k["forbidden_words"]),
    "combination:repeat_prompt": lambda k, t: t.lower().startswith(k["prompt_to_repeat"].lower()),
    "combination:two_responses": two_responses_ok,
    "detectable_format:json_format": json_ok,
    "detectable_format:constrained_response": lambda k, t: any(c in t for c in CHOICES),
}


def verdicts(task, answer):
    """One verdict per instruction."""
    text = answer.strip()
    return [bool(text) and CHECKS[i](k, text) for i, k in zip(task["instruction_id_list"], task["kwargs"])]


def correct(task, answer):
    return all(verdicts(task, answer))
