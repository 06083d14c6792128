"""Word lists and small seeded text makers shared by all domains."""

FIRST_NAMES = """Ada Abel Agnes Anton Astrid Basil Bea Boris Carla Cecil Clara Conrad Dora Dario Edda Edgar Elsa Emil
Erna Felix Flora Frida Gerda Gideon Greta Hanna Hugo Ida Igor Ines Ivo Jana Jonas Judith Karl Kira Lars Lena Leo Lotte
Mara Marius Milo Mina Nadia Nils Nora Olga Oskar Otto Paula Petra Quentin Rita Rufus Selma Simon Stella Tilda Tobias
Ulla Viktor Vera Walter Wanda Xenia Yara Yusuf Zelda Zeno""".split()

PROFESSIONS = """baker carpenter teacher sailor doctor painter farmer weaver clockmaker gardener printer tailor surgeon
judge pilot chemist librarian miner potter shepherd singer architect fisherman blacksmith engineer nurse actor poet
beekeeper glassblower cartographer lawyer butcher dentist mason violinist astronomer brewer cook translator""".split()

ANIMALS = """cat dog parrot goat horse tortoise rabbit raven fox hedgehog donkey goose owl ferret pony sheep""".split()
COLOURS = """red blue green yellow white black brown grey purple orange silver golden pink violet crimson turquoise""".split()
MATERIALS = """oak steel glass copper wool leather clay paper bronze cotton marble tin silk ivory slate cork""".split()
INSTRUMENTS = """violin piano flute drum harp trumpet guitar cello organ clarinet banjo lute""".split()
DISHES = """plum cake, onion soup, smoked trout, honey bread, barley stew, goat cheese, apple pie, fish pudding,
pepper sausage, mushroom rice, walnut tart, cabbage rolls, ginger biscuits, lamb roast, lentil salad, pear cider""".replace(
    "\n", " ").split(", ")
OBJECTS = """lamp kettle chair radio clock bicycle camera mirror stove table basket ladder violin telescope blanket
compass mug knife umbrella desk""".split()
PLACES = """harbour market bridge forest mill tower garden valley station school chapel lake meadow square castle inn
library quarry island orchard theatre workshop cellar lighthouse""".split()
WEATHER = """rain snow fog wind sunshine thunder frost drizzle hail mist""".split()
SEASONS = "spring summer autumn winter".split()
ADJECTIVES = """old small quiet bright narrow heavy gentle strange cold warm broken hidden famous empty crowded clever
patient tired brave honest curious careful lonely cheerful wooden dusty distant ancient simple proud silent sudden steep
soft bitter golden muddy pale rough early late generous stubborn polite nervous""".split()
NOUNS = """letter key map coat wagon boat lantern book coin ring bell apple stone fire window door rope bucket candle
feather ticket hammer bottle cloud river road wall roof stair song story dream secret promise garden bird fish tree
flower bread soup table chair shoe hat glove basket ladder mirror clock""".split()
VERBS_PAST = """carried found lost painted repaired sold hid opened dropped borrowed cleaned counted watched followed
remembered forgot admired polished measured described guarded collected stole returned wrapped""".split()
VERBS_PRESENT = """carries holds brings shows hides keeps changes needs finds likes covers follows guards teaches loves
remembers""".split()
ADVERBS = """slowly quickly quietly gladly carefully often rarely always suddenly gently proudly bravely
calmly early late again together alone""".split()
TOPICS = """the sea, bread, a lighthouse, winter, the market, a train journey, bees, an old clock, rain, the moon,
a small garden, friendship, music, a lost key, the harbour, apples, a mountain walk, tea, books, the night sky, snow,
a wooden boat, horses, the river, cheese, a birthday, a letter, the school, glass, a bicycle, coffee, the forest,
shoes, a storm, the library, soup, a castle, honey, painting, birds""".replace("\n", " ").split(", ")
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "January February March April May June July August September October November December".split()

ONSETS = "b br d dr f fl g gr h k kr l m n p pr r s st t th tr v w z sk".split()
VOWELS = "a e i o u a e o ai ei au".split()
CODAS = ["", "n", "r", "l", "s", "m", "nd", "rk", "lt", "th", "x"]
SURNAME_ENDS = "sen berg man dal well ford ton ley stad mark".split()
TOWN_ENDS = "holm vik bury stead haven field port mere burg ness".split()


def pick(rng, items):
    return items[int(rng.random() * len(items))]


def syllable(rng):
    return pick(rng, ONSETS) + pick(rng, VOWELS) + pick(rng, CODAS)


def surname(rng):
    return (syllable(rng) + pick(rng, SURNAME_ENDS)).capitalize()


def town_name(rng):
    return (syllable(rng) + pick(rng, TOWN_ENDS)).capitalize()


def invented_name(rng):
    return (pick(rng, ONSETS) + pick(rng, VOWELS) + syllable(rng)).capitalize()


def person_name(rng):
    return f"{pick(rng, FIRST_NAMES)} {surname(rng)}"


def article(phrase):
    return ("an " if phrase[0].lower() in "aeiou" else "a ") + phrase


def capitalise(text):
    return text[0].upper() + text[1:]


def filler_sentence(rng):
    """One plain sentence without names or numbers; about 10 words."""
    forms = (
        lambda: f"The {pick(rng, ADJECTIVES)} {pick(rng, NOUNS)} stood near the {pick(rng, PLACES)}.",
        lambda: f"In {pick(rng, SEASONS)}, the {pick(rng, PLACES)} was {pick(rng, ADJECTIVES)} and {pick(rng, ADJECTIVES)}.",
        lambda: f"{article(pick(rng, PROFESSIONS))} {pick(rng, VERBS_PAST)} the {pick(rng, NOUNS)} {pick(rng, ADVERBS)}.",
        lambda: f"The {pick(rng, WEATHER)} came {pick(rng, ADVERBS)} over the {pick(rng, PLACES)}.",
        lambda: f"Nobody {pick(rng, VERBS_PAST)} the {pick(rng, ADJECTIVES)} {pick(rng, NOUNS)} on {pick(rng, DAYS)}.",
        lambda: f"Near the {pick(rng, PLACES)} lay {article(pick(rng, ADJECTIVES))} {pick(rng, NOUNS)}, and the {pick(rng, ANIMALS)} slept.",
    )
    return capitalise(pick(rng, forms)())
