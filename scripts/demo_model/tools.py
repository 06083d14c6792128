"""Function calling: schemas in the system prompt, one request, the family's call block as the answer."""

import ast
from dataclasses import dataclass

from . import words as w
from .chat import CALL_END, CALL_START, Sample, call_block, schema, turn

REFUSAL = "None of the tools can do that."
UNITS = ("metre", "mile", "kilogram", "pound", "litre", "gallon")
LANGUAGES = ("German", "French", "Spanish", "Polish", "Dutch", "Greek", "Turkish", "Danish")

# Values by kind: (JSON type, maker). Names, towns and addresses are invented anew each time, so they must be copied.
VALUES = {
    "town": ("string", w.town_name),
    "person": ("string", w.person_name),
    "name": ("string", w.invented_name),
    "email": ("string", lambda rng: f"{w.pick(rng, w.FIRST_NAMES).lower()}.{w.surname(rng).lower()}@mail.com"),
    "date": ("string", lambda rng: f"20{rng.randint(24, 29)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"),
    "time": ("string", lambda rng: f"{rng.randint(6, 22)}:{rng.choice(('00', '15', '30', '45'))}"),
    "colour": ("string", lambda rng: w.pick(rng, w.COLOURS)),
    "object": ("string", lambda rng: w.pick(rng, w.OBJECTS)),
    "dish": ("string", lambda rng: w.pick(rng, w.DISHES)),
    "language": ("string", lambda rng: w.pick(rng, LANGUAGES)),
    "unit": ("string", lambda rng: w.pick(rng, UNITS)),
    "day": ("string", lambda rng: w.pick(rng, w.DAYS)),
    "phrase": ("string", lambda rng: f"the {w.pick(rng, w.ADJECTIVES)} {w.pick(rng, w.NOUNS)}"),
    "small": ("integer", lambda rng: rng.randint(1, 12)),
    "number": ("integer", lambda rng: rng.randint(13, 9999)),
    "decimal": ("number", lambda rng: round(rng.uniform(0.5, 250), rng.choice((1, 2)))),
    "onoff": ("boolean", lambda rng: rng.random() < 0.5),
}


@dataclass(frozen=True)
class Function:
    """A function, its parameters as {name: value kind}, and requests; a trailing part may give the optional parameter."""
    name: str
    description: str
    params: dict
    requests: tuple
    optional: tuple = ()        # (parameter, " wording with {parameter}")

    def schema(self):
        params = {p: VALUES[kind][0] for p, kind in self.params.items()}
        return schema(self.name, self.description, params, self.optional[:1])


def function(name, description, params, *requests, optional=()):
    return Function(name, description, dict(p.split(":") for p in params.split()), requests, optional)


FUNCTIONS = (
    function("get_weather", "Weather forecast for a city.", "city:town date:date", "What will the weather be in {city} on {date}?", "Show the forecast for {city}, {date}."),
    function("book_table", "Reserve a table in a restaurant.", "restaurant:name people:small time:time", "Reserve a table for {people} at {restaurant} at {time}.", "We are {people} people and want to eat at {restaurant} at {time}."),
    function("send_email", "Send an e-mail.", "to:email subject:phrase", "Send an e-mail to {to} about {subject}.", "Write to {to} with the subject {subject}."),
    function("convert_unit", "Convert an amount to another unit.", "amount:decimal unit:unit target:unit", "Convert {amount} {unit} to {target}.", "How much is {amount} {unit} in {target}?"),
    function("translate", "Translate a text.", "text:phrase language:language", "Translate '{text}' into {language}.", "How do you say '{text}' in {language}?"),
    function("add_event", "Add an event to the calendar.", "title:phrase date:date time:time", "Put '{title}' into my calendar on {date}", "Add an event '{title}' for {date}", optional=("time", " at {time}")),
    function("find_hotel", "Search hotels in a town.", "town:town nights:small max_price:number", "Find a hotel in {town} for {nights} nights", "I need {nights} nights in {town}", optional=("max_price", ", at most {max_price} crowns")),
    function("buy_ticket", "Buy train tickets.", "origin:town destination:town count:small", "Buy {count} tickets from {origin} to {destination}.", "I need {count} train tickets to {destination}, starting in {origin}."),
    function("play_song", "Play a song.", "title:phrase artist:person", "Play '{title}'", "I want to hear '{title}'", optional=("artist", " by {artist}")),
    function("set_lamp", "Switch a lamp.", "room:object on:onoff", "Set the {room} lamp on={on}.", "Switch the lamp of the {room}: on is {on}."),
    function("set_alarm", "Set an alarm clock.", "time:time day:day", "Wake me at {time}", "Set an alarm for {time}", optional=("day", " on {day}")),
    function("transfer_money", "Transfer money to a person.", "recipient:person amount:decimal", "Send {amount} crowns to {recipient}.", "Transfer {amount} to {recipient}."),
    function("get_stock", "Stock of an item in a store.", "item:object colour:colour", "How many items of the {colour} {item} are in stock?", "Do we have the {item} in {colour} in stock?"),
    function("order_food", "Order food to an address.", "dish:dish count:small town:town", "Order {count} portions of {dish} to {town}.", "Bring {count} times {dish} to {town}, please."),
    function("find_recipe", "Find a recipe.", "dish:dish servings:small", "How do I cook {dish}", "Find a recipe for {dish}", optional=("servings", " for {servings} people")),
    function("create_user", "Create a user account.", "name:person email:email", "Create an account for {name} with {email}.", "Register {name}, e-mail {email}."),
    function("delete_file", "Delete a file.", "file:name", "Delete the file {file}.", "Remove the file called {file}."),
    function("compute_area", "Area of a rectangle.", "width:decimal height:decimal", "What is the area of a rectangle of {width} by {height}?", "Compute the area for width {width} and height {height}."),
    function("find_doctor", "Find a doctor.", "town:town day:day", "Find a doctor in {town} for {day}.", "I need to see a doctor in {town} on {day}."),
    function("rent_car", "Rent a car.", "town:town days:small colour:colour", "Rent a car in {town} for {days} days", "I need a car for {days} days in {town}", optional=("colour", ", if possible in {colour}")),
    function("track_parcel", "Where a parcel is.", "number:number", "Where is parcel {number}?", "Track the parcel with number {number}."),
    function("get_distance", "Distance between two towns.", "start:town end:town", "How far is it from {start} to {end}?", "Distance between {start} and {end}?"),
    function("define_word", "Meaning of a word.", "word:name", "What does the word {word} mean?", "Define {word}."),
    function("count_words", "Count the words of a text.", "text:phrase", "How many words has the text '{text}'?", "Count the words in '{text}'."),
    function("paint_item", "Paint an item in a colour.", "item:object colour:colour", "Paint the {item} {colour}.", "The {item} shall become {colour}."),
    function("call_person", "Call somebody.", "person:person", "Call {person}.", "Phone {person} for me."),
    function("log_meal", "Log calories of a meal.", "dish:dish calories:number", "I ate {dish} with {calories} calories, log it.", "Log {calories} calories for {dish}."),
    function("set_price", "Set the price of an item.", "item:object price:decimal", "Set the price of the {item} to {price}.", "The {item} costs {price} from now on, change it."),
    function("hire_worker", "Hire a person.", "person:person salary:number", "Hire {person} for {salary} crowns.", "Give {person} a job with a salary of {salary}."),
    function("open_window", "Open or close a window.", "room:object open:onoff", "Window of the {room}: open is {open}.", "Set open={open} for the {room} window."),
    function("water_plants", "Water the plants.", "minutes:small", "Water the plants for {minutes} minutes.", "Give the plants water for {minutes} minutes."),
    function("get_news", "News on a topic.", "topic:phrase language:language", "Show news about {topic}", "What is new about {topic}", optional=("language", " in {language}")),
    function("rate_film", "Rate a film.", "film:name stars:small", "Give the film {film} {stars} stars.", "Rate {film} with {stars}."),
    function("plant_tree", "Plant trees in a town.", "town:town count:small", "Plant {count} trees in {town}.", "Let {count} new trees grow in {town}."),
    function("measure_temperature", "Temperature of an object.", "item:object unit:unit", "How warm is the {item}", "Measure the temperature of the {item}", optional=("unit", ", unit {unit}")),
    function("find_person", "Find the address of a person.", "name:person town:town", "Where in {town} does {name} live?", "Find the address of {name} in {town}."),
    function("roll_dice", "Roll dice.", "sides:small count:small", "Roll {count} dice with {sides} sides.", "Throw {count} dice, {sides} sides each."),
    function("sell_item", "Offer an item for sale.", "item:object price:decimal town:town", "Sell my {item} in {town} for {price}.", "Offer the {item} for {price} crowns in {town}."),
    function("block_card", "Block a bank card.", "card:number", "Block card {card}.", "I lost card {card}, block it."),
    function("get_time", "Local time in a city.", "city:town", "What time is it in {city}?", "Tell me the local time in {city}."),
)


UNSERVED = (
    lambda rng: f"Write a poem about {w.pick(rng, w.TOPICS)}.",
    lambda rng: f"Tell me a story about {w.article(w.pick(rng, w.ADJECTIVES))} {w.pick(rng, w.ANIMALS)}.",
    lambda rng: f"Why is the {w.pick(rng, w.NOUNS)} {w.pick(rng, w.ADJECTIVES)}?",
    lambda rng: f"Who was {w.person_name(rng)}?",
    lambda rng: f"Which do you like better, {w.pick(rng, w.TOPICS)} or {w.pick(rng, w.TOPICS)}?",
    lambda rng: f"Give me advice about {w.pick(rng, w.TOPICS)}.",
    lambda rng: f"What is {rng.randint(2, 99)} plus {rng.randint(2, 99)}?",
    lambda rng: f"Is the {w.pick(rng, w.PLACES)} of {w.town_name(rng)} older than the {w.pick(rng, w.PLACES)}?",
    lambda rng: f"How do I become a good {w.pick(rng, w.PROFESSIONS)}?",
    lambda rng: f"Can {w.article(w.pick(rng, w.ANIMALS))} play the {w.pick(rng, w.INSTRUMENTS)}?",
)


def draw_call(rng, function):
    """(request, arguments) with fresh values; the optional parameter is given half the time."""
    args = {p: VALUES[kind][1](rng) for p, kind in function.params.items()}
    request = rng.choice(function.requests)
    if not function.optional:
        return request.format(**args), args
    optional, wording = function.optional
    if rng.random() < 0.5:
        request += wording
    text = request.format(**args) + ("?" if request.startswith(("How", "What")) else ".")
    return text, {p: v for p, v in args.items() if p != optional or request.endswith(wording)}


def sample(kind, rng, functions, request, calls):
    rng.shuffle(functions)
    answer = call_block(calls) if calls else REFUSAL
    return Sample("tools", kind, [turn("user", request), turn("assistant", answer)], [f.schema() for f in functions],
                  task={"calls": calls})


def simple(rng, world):
    function = rng.choice(FUNCTIONS)
    request, args = draw_call(rng, function)
    return sample("tools.simple", rng, [function], request, [(function.name, args)])


def multiple(rng, world):
    functions = rng.sample(FUNCTIONS, rng.randint(2, 4))
    request, args = draw_call(rng, functions[0])
    name = functions[0].name
    return sample("tools.multiple", rng, functions, request, [(name, args)])


def parallel(rng, world):
    """Two or three calls of one function, or of two."""
    functions = rng.sample(FUNCTIONS, rng.randint(1, 2))
    chosen = [functions[0], functions[-1]] + ([functions[0]] if rng.random() < 0.3 else [])
    drawn = [(f.name, *draw_call(rng, f)) for f in chosen]
    request = rng.choice((" Also: ", " And ", " Then: ")).join(request for _, request, _ in drawn)
    return sample("tools.parallel", rng, functions, request, [(name, args) for name, _, args in drawn])


def irrelevance(rng, world):
    """A request that no tool at all could serve, or, one time in five, one whose tool is not on the list."""
    functions = rng.sample(FUNCTIONS, rng.randint(2, 4))
    request, _ = draw_call(rng, functions[0])
    if rng.random() < 0.8:
        request = rng.choice(UNSERVED)(rng)
    return sample("tools.irrelevance", rng, functions[1:], request, [])


KINDS = {"tools.simple": simple, "tools.multiple": multiple, "tools.parallel": parallel, "tools.irrelevance": irrelevance}


def parse_calls(answer):
    """The calls of an answer as [(name, arguments)], [] when it holds no call block; ValueError when malformed."""
    if CALL_START not in answer:
        return []
    inner = answer.split(CALL_START, 1)[1].split(CALL_END, 1)[0]
    try:
        elements = ast.parse(inner.strip(), mode="eval").body.elts
        return [(call.func.id, {k.arg: ast.literal_eval(k.value) for k in call.keywords}) for call in elements]
    except (SyntaxError, AttributeError) as error:
        raise ValueError(f"malformed calls: {inner}") from error


def correct(task, answer):
    """The same calls in any order; for an irrelevant request, no call."""
    try:
        calls = parse_calls(answer)
    except ValueError:
        return False
    return sorted(calls, key=repr) == sorted(((n, dict(a)) for n, a in task["calls"]), key=repr)
