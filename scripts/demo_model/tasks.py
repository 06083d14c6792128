"""The demo model's own evaluation tasks, in the file formats of IFEval and BFCL.

What is asked follows from kinds and seeds alone; no item was chosen by how the model answers it. Instructions are about
topics that training has no text on. Calls carry names that are invented anew, from the seeds of the purpose "suite".
"""

import json
import math

from . import corpus, instruction, tools, words as w

# --- IFEval ---

TOPICS = """a desert, the bakery, an island, butter, a tunnel, the evening, a museum, autumn leaves, a telescope, the kitchen,
an umbrella, dust, a choir, the railway, clouds, a sandwich, a puzzle, candles, the attic, a violin, wool, the postman,
a waterfall, gardening, a sailing boat, pepper, the theatre, a postcard, spiders, the dentist, a ladder, chess, a blanket,
the ferry, mushrooms, a compass, swimming, the fountain, a suitcase, strawberries""".replace("\n", " ").split(", ")

MAKERS = {maker.__name__: maker for group in instruction.GROUPS.values() for maker in group}
MAKERS |= {maker.__name__: maker for maker in instruction.ALONE}
# Prompts of one instruction, by kind: every kind of the training text, all alike.
SINGLES = {name: 4 for name in MAKERS}
# Prompts of two: each pair of groups that training knows, this often.
PAIRS = 3


def instruction_row(key, request, constraints):
    return {"key": key, "prompt": " ".join([request] + [c.wording for c in constraints]),
            "instruction_id_list": [c.id for c in constraints], "kwargs": [c.kwargs for c in constraints]}


def instructions():
    """The rows of input_data.jsonl."""
    plan = [[[name]] for name, count in SINGLES.items() for _ in range(count)]
    plan += [[[m.__name__ for m in instruction.GROUPS[group]] for group in sorted(pair, key=instruction.ORDER.index)]
             for pair in instruction.PAIRS for _ in range(PAIRS)]
    for number, choices in enumerate(plan):
        rng = corpus.generator("suite", f"ifeval {number}")
        topic = TOPICS[number % len(TOPICS)]
        request = instruction.request_for(rng, topic)
        constraints = [MAKERS[rng.choice(names)](rng, topic, request) for names in choices]
        yield instruction_row(number + 1, request, constraints)


# --- BFCL ---

ENTRIES = {"simple_python": 50, "multiple": 50, "parallel": 40, "irrelevance": 40}
TYPES = {"string": "string", "integer": "integer", "number": "float", "boolean": "boolean"}
# How many values of a kind there are, roughly. A function takes part when so many requests can call it that none is likely
# to have been in the training text.
VALUES = {"town": 20_000, "person": 1_000_000, "name": 400_000, "email": 1_000_000, "date": 2_016, "time": 68,
          "number": 9_987, "decimal": 20_000, "phrase": 2_700}
LEAST_REQUESTS = 50_000


def requests(function):
    required = (kind for name, kind in function.params.items() if name not in function.optional[:1])
    return math.prod(VALUES.get(kind, 10) for kind in required)


FUNCTIONS = [f for f in tools.FUNCTIONS if requests(f) >= LEAST_REQUESTS]


def document(function):
    """The function as BFCL writes one."""
    schema = function.schema()
    properties = {name: {"type": TYPES[p["type"]]} for name, p in schema["parameters"]["properties"].items()}
    return schema | {"parameters": schema["parameters"] | {"type": "dict", "properties": properties}}


def possible_answer(function, args):
    """One right value for each parameter; "" where an optional one was not asked for."""
    return {function.name: {name: [args.get(name, "")] for name in function.params}}


def simple(rng, number):
    function = FUNCTIONS[number % len(FUNCTIONS)]
    request, args = tools.draw_call(rng, function)
    return request, [function], [possible_answer(function, args)]


def multiple(rng, number):
    function = FUNCTIONS[number % len(FUNCTIONS)]
    request, args = tools.draw_call(rng, function)
    others = rng.sample([f for f in tools.FUNCTIONS if f != function], rng.randint(1, 3))
    return request, [function] + others, [possible_answer(function, args)]


def parallel(rng, number):
    """Two calls of one function."""
    function = FUNCTIONS[number % len(FUNCTIONS)]
    drawn = [tools.draw_call(rng, function) for _ in range(2)]
    request = rng.choice((" Also: ", " And ", " Then: ")).join(request for request, _ in drawn)
    return request, [function], [possible_answer(function, args) for _, args in drawn]


def irrelevance(rng, number):
    """A request that no tool at all could serve."""
    request = tools.UNSERVED[number % len(tools.UNSERVED)](rng)
    return request, rng.sample(tools.FUNCTIONS, 3), None


MAKERS_OF_CALLS = {"simple_python": simple, "multiple": multiple, "parallel": parallel, "irrelevance": irrelevance}


def calls(category):
    """(question rows, possible answer rows) of a category; irrelevance has no answers."""
    questions, answers = [], []
    for number in range(ENTRIES[category]):
        rng = corpus.generator("suite", f"bfcl {category} {number}")
        request, functions, answer = MAKERS_OF_CALLS[category](rng, number)
        rng.shuffle(functions)
        name = f"{category}_{number}"
        questions.append({"id": name, "question": [[{"role": "user", "content": request}]],
                          "function": [document(f) for f in functions]})
        if answer is not None:
            answers.append({"id": name, "ground_truth": answer})
    return questions, answers


# --- files ---

def files():
    """{path below datasets/tasks: text}"""
    found = {"ifeval/input_data.jsonl": lines(instructions()), "bfcl/prompt.json": json.dumps({"form": "plain"}) + "\n"}
    for category in ENTRIES:
        questions, answers = calls(category)
        found[f"bfcl/BFCL_v4_{category}.json"] = lines(questions)
        if answers:
            found[f"bfcl/possible_answer/BFCL_v4_{category}.json"] = lines(answers)
    return found


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def asked(files):
    """What the model is asked, one (request, names of the tools) per item."""
    for path, text in files.items():
        rows = [json.loads(line) for line in text.splitlines()]
        if path.startswith("ifeval/"):
            yield from ((row["prompt"], ()) for row in rows)
        elif path.startswith("bfcl/BFCL_"):
            yield from ((row["question"][0][0]["content"], tuple(f["name"] for f in row["function"])) for row in rows)


def trained(sample):
    """The same of a sample of the training text; None for text that is no conversation."""
    if sample.messages is None:
        return None
    request = next(m["content"] for m in sample.messages if m["role"] == "user")
    return request, tuple(tool["name"] for tool in sample.tools or ())


def complaints(files, world, samples):
    """Sentences on what must not be: items asked twice, items that training may have seen.

    Training went by the clock, and its mixture was changed on the way, so its text cannot be had again word for word. Its
    seeds can: `samples` drawn from them, in the shipped mixture, are compared, and the seeds of checks as well.
    """
    items = list(asked(files))
    yield from (f"asked twice: {item}" for item in sorted(set(items)) if items.count(item) > 1)
    yield from (f"a topic of the training text: {topic}" for topic in TOPICS if topic in w.TOPICS)
    seen = {trained(sample) for sample in training_samples(world, samples)}
    yield from (f"in the training text: {item}" for item in items if item in seen)


def training_samples(world, count):
    kinds = [kind for kind in corpus.KINDS if kind.startswith(("instruction.", "tools."))]
    rng = corpus.generator("train", "from step 0")
    for _ in range(count):
        yield corpus.draw(rng, world, rng.choice(kinds))
    for kind in kinds:
        for number in range(count // 100):
            yield corpus.draw(corpus.generator("check", f"{kind} {number}"), world, kind)
