"""The invented world: people, towns and things with facts that the model is to know by heart."""

import copy
import random
from dataclasses import dataclass, field

from . import words as w

WORLD_SEED = 20250
PEOPLE, TOWNS, THINGS = 260, 80, 90
KNOWN = 160         # entities that training goes on about; the others are for texts that nobody could know


@dataclass(frozen=True)
class Fact:
    """One value of one entity, with every wording of question and statement."""
    entity: str
    kind: str
    value: str


@dataclass
class Entity:
    name: str
    sort: str
    values: dict = field(default_factory=dict)

    def facts(self):
        return [Fact(self.name, kind, value) for kind, value in self.values.items()]


STATEMENTS = {
    "born_in": ("{e} was born in {v}.", "{e} came from {v}.", "The birthplace of {e} is {v}."),
    "profession": ("{e} worked as {a}.", "{e} was {a}.", "By profession, {e} was {a}."),
    "birth_year": ("{e} was born in the year {v}.", "The year of birth of {e} is {v}."),
    "pet": ("{e} had {a} as a pet.", "{e} kept {a}."),
    "instrument": ("{e} played the {v}.", "In the evening, {e} played the {v}."),
    "country": ("{e} is a town in {v}.", "{e} lies in {v}.", "The country of {e} is {v}."),
    "river": ("{e} stands on the river {v}.", "The river {v} flows through {e}."),
    "dish": ("{e} is known for its {v}.", "People visit {e} for the {v}."),
    "founded": ("{e} was founded in {v}.", "The founding year of {e} is {v}."),
    "colour": ("The {e} is {v}.", "The colour of the {e} is {v}."),
    "price": ("The {e} costs {v} crowns.", "The price of the {e} is {v} crowns."),
    "material": ("The {e} is made of {v}.", "The {e} is built from {v}."),
    "made_in": ("The {e} is made in {v}.", "The {e} comes from {v}."),
}

QUESTIONS = {
    "born_in": ("Where was {e} born?", "What is the birthplace of {e}?", "In which town was {e} born?", "{e} came from which town?"),
    "profession": ("What was the profession of {e}?", "What did {e} work as?", "Name the job of {e}.", "By profession, what was {e}?"),
    "birth_year": ("In what year was {e} born?", "When was {e} born?", "What is the year of birth of {e}?"),
    "pet": ("What pet did {e} have?", "Which animal did {e} keep?", "Name the pet of {e}."),
    "instrument": ("Which instrument did {e} play?", "What did {e} play in the evening?", "Name the instrument of {e}."),
    "country": ("In which country is {e}?", "What country does {e} lie in?", "Name the country of {e}."),
    "river": ("Which river flows through {e}?", "On which river does {e} stand?", "Name the river of {e}."),
    "dish": ("What food is {e} known for?", "For which dish do people visit {e}?"),
    "founded": ("When was {e} founded?", "What is the founding year of {e}?"),
    "colour": ("What colour is the {e}?", "Name the colour of the {e}."),
    "price": ("How many crowns does the {e} cost?", "What is the price of the {e}?"),
    "material": ("What is the {e} made of?", "Which material is used for the {e}?"),
    "made_in": ("In which town is the {e} made?", "Where does the {e} come from?"),
}


def state(rng, fact):
    """The fact as one sentence."""
    form = w.pick(rng, STATEMENTS[fact.kind])
    return form.format(e=fact.entity, v=fact.value, a=w.article(fact.value))


def ask(rng, fact):
    """The fact as a question."""
    return w.pick(rng, QUESTIONS[fact.kind]).format(e=fact.entity)


def make_person(rng, towns):
    return Entity(w.person_name(rng), "person", {
        "born_in": w.pick(rng, towns),
        "profession": w.pick(rng, w.PROFESSIONS),
        "birth_year": str(rng.randint(1800, 1999)),
        "pet": w.pick(rng, w.ANIMALS),
        "instrument": w.pick(rng, w.INSTRUMENTS),
    })


def make_town(rng, name, countries, rivers):
    return Entity(name, "town", {
        "country": w.pick(rng, countries),
        "river": w.pick(rng, rivers),
        "dish": w.pick(rng, w.DISHES),
        "founded": str(rng.randint(1100, 1799)),
    })


def make_thing(rng, name, towns):
    return Entity(name, "thing", {
        "colour": w.pick(rng, w.COLOURS),
        "price": str(rng.randint(10, 999)),
        "material": w.pick(rng, w.MATERIALS),
        "made_in": w.pick(rng, towns),
    })


def distinct(make, count):
    """`count` different names from a maker, in a fixed order."""
    names = {}
    while len(names) < count:
        names.setdefault(make())
    return list(names)


class World:
    """All entities. Later entities are mentioned less often, so some facts are known better than others."""

    def __init__(self, seed=WORLD_SEED):
        rng = random.Random(seed)
        towns = distinct(lambda: w.town_name(rng), TOWNS)
        countries = distinct(lambda: w.invented_name(rng) + "ia", 14)
        rivers = distinct(lambda: w.invented_name(rng), 30)
        things = distinct(lambda: f"{w.invented_name(rng)} {w.pick(rng, w.OBJECTS)}", THINGS)
        people = {}
        while len(people) < PEOPLE:
            person = make_person(rng, towns)
            people.setdefault(person.name, person)
        self.towns = towns
        self.entities = (list(people.values()) + [make_town(rng, n, countries, rivers) for n in towns]
                         + [make_thing(rng, n, towns) for n in things])
        rng.shuffle(self.entities)
        self.facts = [fact for entity in self.entities for fact in entity.facts()]

    def known(self):
        """The part of the world that the model is to know by heart."""
        part = copy.copy(self)
        part.entities = self.entities[:KNOWN]
        part.facts = [fact for entity in part.entities for fact in entity.facts()]
        return part

    def entity(self, rng):
        """An entity, the first ones up to three times as likely as the last."""
        while True:
            index = int(rng.random() * len(self.entities))
            if rng.random() < 1 - index / len(self.entities) * 2 / 3:
                return self.entities[index]

    def fact(self, rng):
        return w.pick(rng, self.entity(rng).facts())

    @staticmethod
    def stranger(rng):
        """A person outside the world, known only from the text at hand."""
        return make_person(rng, [w.town_name(rng)])
