"""Denser exercise for training only: many answers for one prompt, so that copying and lookup are learned with few tokens."""

from . import dialogue, recall, tools, words as w
from .chat import Sample, call_block, turn
from .narrative import describe
from .world import ask


def item(rng):
    return rng.choice((w.pick(rng, w.NOUNS), str(rng.randint(10, 9999)), w.invented_name(rng), w.person_name(rng),
                       f"{w.pick(rng, w.ADJECTIVES)} {w.pick(rng, w.OBJECTS)}"))


def copy(rng, world):
    """Repeat a list of random things."""
    text = " ".join(item(rng) for _ in range(rng.choice((2, 3, 4, 5, 7, 10, 18))))
    return Sample("recall", "drill.copy", [turn("user", f"Repeat: {text}"), turn("assistant", text)])


def lookup(rng, world):
    """A table of pairs, then many questions for one entry."""
    pairs = {item(rng): item(rng) for _ in range(rng.randint(3, 10))}
    messages = [turn("user", "Remember: " + ", ".join(f"{k} is {v}" for k, v in pairs.items()) + "."), turn("assistant", "Yes.")]
    for key in rng.sample(list(pairs), min(len(pairs), rng.randint(3, 8))):
        messages += [turn("user", f"What is {key}?"), turn("assistant", pairs[key] + ".")]
    return Sample("recall", "drill.lookup", messages)


def series(rng, world):
    """Several requests to the same tools, one of them possibly beyond these."""
    functions = rng.sample(tools.FUNCTIONS, rng.randint(2, 4))
    offered = functions[1:] if rng.random() < 0.5 else functions
    messages = []
    for _ in range(rng.randint(3, 6)):
        drawn = [(f, *tools.draw_call(rng, f)) for f in rng.choices(functions, k=rng.choice((1, 1, 2)))]
        known = all(f in offered for f, _, _ in drawn)
        if not known:
            drawn = [d for d in drawn if d[0] not in offered][:1]
        request = rng.choice((" Also: ", " And ", " Then: ")).join(request for _, request, _ in drawn)
        answer = call_block([(f.name, args) for f, _, args in drawn]) if known else tools.REFUSAL
        messages += [turn("user", request), turn("assistant", answer)]
    return Sample("tools", "drill.series", messages, [f.schema() for f in offered])


def shift(rng, world):
    """A service desk shift: one policy, callers one after the other."""
    messages = []
    for caller in range(rng.randint(2, 3)):
        turns = dialogue.conversation(rng, world).messages
        messages += turns if caller == 0 else [m for m in turns[1:] if m["content"] != dialogue.GREETING]
    return Sample("dialogue", "drill.shift", messages, dialogue.TOOLS)


def quiz(rng, world):
    """One text, many questions."""
    sentences, questions = rng.choice((needle_text, variable_text, reading_text))(rng, world)
    rng.shuffle(questions)
    messages = []
    for question, answer in questions[:6]:
        text = question if messages else "Read the text and answer the question.\n" + " ".join(sentences) + "\n" + question
        messages += [turn("user", text), turn("assistant", answer + ".")]
    return Sample("recall", "drill.quiz", messages)


def needle_text(rng, world):
    holders = recall.distinct_holders(rng, rng.randint(1, 6))
    sentences = recall.spread(rng, [f"The code of the {h} is {code}." for h, code in holders.items()], rng.choice((0, 2, 4, 8, 16)))
    questions = [(f"What is the code of the {h}?", code) for h, code in holders.items()]
    if len(holders) > 1:
        first, second = rng.sample(list(holders), 2)
        questions.append((f"What are the codes of the {first} and the {second}?", f"{holders[first]} and {holders[second]}"))
    return sentences, questions


def variable_text(rng, world):
    values, sentences = {}, []
    for name in rng.sample("ABCDEFGHKLMNPRSTUVWXYZ", rng.randint(2, 6)):
        if values and rng.random() < 0.45:
            source = rng.choice(list(values))
            values[name] = values[source]
            sentences.append(f"Variable {name} is equal to variable {source}.")
        else:
            values[name] = str(rng.randint(100, 999))
            sentences.append(f"Variable {name} is {values[name]}.")
    return recall.spread(rng, sentences, rng.choice((0, 0, 3, 6))), [
        (f"What is the value of variable {name}?", value) for name, value in values.items()]


def reading_text(rng, world):
    people = [world.stranger(rng) for _ in range(rng.randint(1, 3))]
    return [describe(rng, p) for p in people], [(ask(rng, fact), fact.value) for p in people for fact in p.facts()]


KINDS = {"drill.copy": copy, "drill.lookup": lookup, "drill.series": series, "drill.shift": shift, "drill.quiz": quiz}
