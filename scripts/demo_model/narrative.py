"""Plain text: biographies and descriptions that hold the world's facts, and short stories around them."""

from . import words as w
from .chat import Sample
from .world import state


def describe(rng, entity, count=None):
    """Two to all facts of one entity, in any order."""
    facts = entity.facts()
    rng.shuffle(facts)
    return " ".join(state(rng, fact) for fact in facts[:count or len(facts)])


def portrait(rng, world):
    entities = [world.entity(rng) for _ in range(rng.randint(1, 3))]
    text = "\n".join(describe(rng, e, rng.randint(3, 5)) for e in entities)
    return Sample("narrative", "narrative.portrait", text=text)


def story(rng, world):
    """A hero, an errand, a hindrance, help, an end; with one or two true facts on the way."""
    hero, helper = world.entity(rng), world.entity(rng)
    name = hero.name if hero.sort == "person" else w.person_name(rng)
    first = name.split()[0]
    friend = w.pick(rng, w.FIRST_NAMES)
    thing = f"{w.pick(rng, w.ADJECTIVES)} {w.pick(rng, w.NOUNS)}"
    place, goal = w.pick(rng, w.PLACES), w.pick(rng, world.towns)
    lines = [
        w.pick(rng, (
            f"One {w.pick(rng, w.SEASONS)} morning, {name} left the {place} with {w.article(thing)}.",
            f"{name} had lost {w.article(thing)} in the {w.pick(rng, w.WEATHER)}.",
            f"On {w.pick(rng, w.DAYS)}, {name} received a letter from {goal} about {w.article(thing)}.",
            f"There was once {w.article(thing)} in the {place}, and only {name} knew of it.")),
        state(rng, w.pick(rng, hero.facts())),
        w.pick(rng, (
            f"The road to {goal} was {w.pick(rng, w.ADJECTIVES)} and {w.pick(rng, w.ADJECTIVES)}.",
            f"{first} walked {w.pick(rng, w.ADVERBS)} through the {w.pick(rng, w.WEATHER)} towards {goal}.",
            f"It was {rng.randint(2, 60)} miles to {goal}, and the {w.pick(rng, w.WEATHER)} did not stop.")),
        w.pick(rng, (
            f'"Have you seen my {thing}?" {first} asked {w.article(w.pick(rng, w.PROFESSIONS))} named {friend}.',
            f"At the {w.pick(rng, w.PLACES)}, {w.article(w.pick(rng, w.PROFESSIONS))} named {friend} {w.pick(rng, w.VERBS_PAST)} the {thing}.",
            f"{friend}, {w.article(w.pick(rng, w.ADJECTIVES))} {w.pick(rng, w.PROFESSIONS)}, offered {rng.randint(2, 90)} crowns for the {thing}.")),
        state(rng, w.pick(rng, helper.facts())),
        w.pick(rng, (
            f'"Keep it," said {friend}, "and never sell the {thing} again."',
            f"{first} and {friend} {w.pick(rng, w.VERBS_PAST)} it {w.pick(rng, w.ADVERBS)} behind the {w.pick(rng, w.PLACES)}.",
            f"{friend} laughed, because the {thing} had been under the {w.pick(rng, w.NOUNS)} all the time.")),
        w.pick(rng, (
            f"So {first} went home, {w.pick(rng, w.ADJECTIVES)} and {w.pick(rng, w.ADJECTIVES)}.",
            f"After that, {first} was never {w.pick(rng, w.ADJECTIVES)} again.",
            f"In the end, the {thing} stayed in {goal}, and {first} was glad.")),
    ]
    lines = [line for line in lines if rng.random() < 0.9]
    cut = rng.randint(2, 4)
    return Sample("narrative", "narrative.story", text=" ".join(lines[:cut]) + "\n" + " ".join(lines[cut:]))


KINDS = {"narrative.portrait": portrait, "narrative.story": story}
