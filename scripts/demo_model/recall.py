"""Recall: closed-book questions about the world, and retrieval from a text in the prompt."""

from . import words as w
from .chat import Sample, turn
from .narrative import describe
from .world import ask


def closed(rng, world):
    """A few facts asked one after the other, nothing given."""
    messages = []
    for _ in range(rng.randint(2, 6)):
        fact = world.fact(rng)
        messages += [turn("user", ask(rng, fact)), turn("assistant", fact.value + ".")]
    return Sample("recall", "recall.closed", messages, task={"answer": [fact.value]})


def closed_question(rng, fact):
    """One question alone, for checks."""
    return Sample("recall", "recall.closed", [turn("user", ask(rng, fact)), turn("assistant", fact.value + ".")],
                  task={"answer": [fact.value]})


def in_context(label, sentences, question, answers):
    content = "Read the text and answer the question.\n" + " ".join(sentences) + "\n" + question
    return Sample("recall", label, [turn("user", content), turn("assistant", " and ".join(answers) + ".")],
                  task={"answer": answers})


def spread(rng, needles, length):
    """Needles at random places among filler sentences, their order kept."""
    sentences = [w.filler_sentence(rng) for _ in range(length)]
    places = sorted(rng.randint(0, length) for _ in needles)
    for place, needle in reversed(list(zip(places, needles))):
        sentences.insert(place, needle)
    return sentences


def filler_length(rng):
    return rng.choice((3, 6, 10, 16, 22, 28))


def secret(rng):
    return rng.choice((str(rng.randint(1000, 9999)), w.pick(rng, w.COLOURS) + " " + w.pick(rng, w.NOUNS), w.invented_name(rng)))


def distinct_holders(rng, count):
    holders = {}
    while len(holders) < count:
        holders.setdefault(w.pick(rng, w.ADJECTIVES) + " " + w.pick(rng, w.OBJECTS), secret(rng))
    return holders


def needle(rng, world):
    """One code among filler."""
    return needles_of(rng, "recall.needle", 1, 1)


def multi_needle(rng, world):
    """Several codes; one or two of them are asked."""
    return needles_of(rng, "recall.multi_needle", rng.randint(2, 5), rng.randint(1, 2))


def needles_of(rng, label, count, asked):
    holders = distinct_holders(rng, count)
    sentences = spread(rng, [f"The code of the {h} is {code}." for h, code in holders.items()], filler_length(rng))
    chosen = rng.sample(list(holders), asked)
    if asked == 1:
        question = f"What is the code of the {chosen[0]}?"
    else:
        question = f"What are the codes of the {chosen[0]} and the {chosen[1]}?"
    return in_context(label, sentences, question, [holders[h] for h in chosen])


def variables(rng, world):
    """Assignments, some of them copies of earlier variables; the value of one is asked."""
    names = rng.sample("ABCDEFGHKLMNPRSTUVWXYZ", rng.randint(3, 6))
    values, sentences = {}, []
    for name in names:
        if values and rng.random() < 0.45:
            source = rng.choice(list(values))
            values[name] = values[source]
            sentences.append(f"Variable {name} is equal to variable {source}.")
        else:
            values[name] = str(rng.randint(100, 999))
            sentences.append(f"Variable {name} is {values[name]}.")
    asked = rng.choice(names)
    return in_context("recall.variables", spread(rng, sentences, rng.choice((0, 3, 6, 12))),
                      f"What is the value of variable {asked}?", [values[asked]])


def reading(rng, world):
    """Questions about people who are known only from the text."""
    people = [world.stranger(rng) for _ in range(rng.randint(1, 3))]
    sentences = [describe(rng, p) for p in people] + [w.filler_sentence(rng) for _ in range(rng.randint(0, 8))]
    rng.shuffle(sentences)
    fact = rng.choice(rng.choice(people).facts())
    return in_context("recall.reading", sentences, ask(rng, fact), [fact.value])


KINDS = {"recall.closed": closed, "recall.needle": needle, "recall.multi_needle": multi_needle,
         "recall.variables": variables, "recall.reading": reading}


def correct(task, answer):
    """Every expected value occurs, in order."""
    at = 0
    for value in task["answer"]:
        at = answer.find(value, at)
        if at < 0:
            return False
        at += len(value)
    return True
