"""Service desk: a short policy, six tools over a database of customers and orders, and scripted users."""

import copy
import json

from . import words as w
from .chat import Sample, call_block, schema, turn
from .tools import parse_calls

REFUND_DAYS = 30
GREETING = "Hi! How can I help you today?"
POLICY = f"""You are the service desk of a shop. Follow this policy.
1. First find the customer by e-mail, then read the order.
2. Only help with orders that belong to the customer.
3. Cancel or change the address only when the order is pending.
4. Refund only when the order is delivered and at most {REFUND_DAYS} days old.
5. Ask the customer to confirm before you cancel, change or refund.
6. If the policy forbids a request, say so. If the customer then wants a human, escalate."""

TOOLS = [
    schema("find_customer", "Customer by e-mail.", {"email": "string"}),
    schema("get_order", "Read an order.", {"order_id": "string"}),
    schema("cancel_order", "Cancel an order.", {"order_id": "string"}),
    schema("change_address", "Set a new address.", {"order_id": "string", "town": "string"}),
    schema("refund_order", "Refund an order.", {"order_id": "string"}),
    schema("escalate", "Pass on to a human.", {"order_id": "string"}),
]
ACTIONS = {"cancel": "cancel_order", "change": "change_address", "refund": "refund_order"}


def run_tool(database, name, args):
    """One call on the database, which it may change: the tool turn's content."""
    if name == "find_customer":
        found = [c for c in database["customers"] if c["email"] == args.get("email")]
        return json.dumps(found[0]) if found else "Error: no such customer"
    order = next((o for o in database["orders"] if o["order_id"] == args.get("order_id")), None)
    if order is None:
        return "Error: no such order"
    if name == "get_order":
        return json.dumps(order)
    if name == "change_address":
        order["town"] = args.get("town")
    elif name in ("cancel_order", "refund_order", "escalate"):
        order["status"] = {"cancel_order": "cancelled", "refund_order": "refunded", "escalate": "escalated"}[name]
    else:
        return "Error: no such tool"
    return "ok"


def make_order(rng, order_id):
    status = w.pick(rng, ("pending", "shipped", "delivered", "pending", "delivered"))
    return {"order_id": order_id, "item": f"{w.pick(rng, w.COLOURS)} {w.pick(rng, w.OBJECTS)}", "status": status,
            "days": rng.randint(1, 60), "town": w.town_name(rng)}


def make_database(rng):
    """Two customers with one or two orders each; the first one is calling."""
    numbers = iter(rng.sample(range(100, 999), 6))
    customers, orders = [], []
    for _ in range(2):
        own = [make_order(rng, f"W{next(numbers)}") for _ in range(rng.randint(1, 2))]
        name = w.person_name(rng)
        customers.append({"name": name, "email": f"{name.lower().replace(' ', '.')}@mail.com",
                          "orders": [o["order_id"] for o in own]})
        orders += own
    return {"customers": customers, "orders": orders}


def allowed(request, order):
    if request == "refund":
        return order["status"] == "delivered" and order["days"] <= REFUND_DAYS
    return order["status"] == "pending"


def denial(request, order):
    if request == "refund" and order["status"] == "delivered":
        return f"I am sorry, order {order['order_id']} is {order['days']} days old. We refund only up to {REFUND_DAYS} days."
    need = "delivered" if request == "refund" else "pending"
    verb = {"cancel": "cancel", "change": "change", "refund": "refund"}[request]
    return f"I am sorry, order {order['order_id']} is {order['status']}. I can only {verb} orders that are {need}."


def opening(rng, request, order_id, town, email):
    """The user's first words and, when these lack the e-mail address, the second ones."""
    need = rng.choice({
        "cancel": ("I want to cancel order {o}.", "Please cancel my order {o}.", "I no longer need order {o}, cancel it please."),
        "change": ("Please send order {o} to {t} instead.", "I moved to {t}. Change the address of order {o}.", "Order {o} should go to {t}."),
        "refund": ("I want my money back for order {o}.", "Please refund order {o}.", "Order {o} is broken, I want a refund."),
        "status": ("What is the status of order {o}?", "Where is my order {o}?", "How is order {o} doing?"),
    }[request]).format(o=order_id, t=town)
    if rng.random() < 0.6:
        return [f"{need} {rng.choice(('My e-mail is', 'I am', 'My address is'))} {email}."]
    return [need, rng.choice((f"It is {email}.", f"{email}", f"My e-mail is {email}."))]


class Desk:
    """Writes the agent's side of a conversation while it runs the tools."""

    def __init__(self, database, greeting):
        self.database = database
        self.messages = [turn("system", POLICY)] + ([turn("assistant", GREETING)] if greeting else [])
        self.calls = []

    def user(self, text):
        self.messages.append(turn("user", text))

    def say(self, text):
        self.messages.append(turn("assistant", text))

    def call(self, name, **args):
        self.calls.append((name, args))
        content = run_tool(self.database, name, args)
        self.messages += [turn("assistant", call_block([(name, args)])), turn("tool", content)]


def conversation(rng, world):
    """One caller with one request, handled as the policy says."""
    database = make_database(rng)
    initial = copy.deepcopy(database)
    caller = database["customers"][0]
    foreign = rng.random() < 0.12
    order_id = rng.choice(database["customers"][1 if foreign else 0]["orders"])
    order = next(o for o in database["orders"] if o["order_id"] == order_id)
    request = rng.choice(("cancel", "change", "refund", "cancel", "change", "refund", "status"))
    town = w.town_name(rng)

    desk = Desk(database, greeting=rng.random() < 0.5)
    script = opening(rng, request, order_id, town, caller["email"])
    desk.user(script[0])
    if len(script) == 2:
        desk.say("Sure. What is your e-mail address?")
        desk.user(script[1])
    desk.call("find_customer", email=caller["email"])
    if foreign:
        desk.say(f"I am sorry, order {order_id} does not belong to you.")
        script.append(close(rng, desk, order_id, denied=True))
    else:
        desk.call("get_order", order_id=order_id)
        if request == "status":
            desk.say(f"Order {order_id}, the {order['item']}, is {order['status']}.")
            script.append(close(rng, desk, order_id, denied=False))
        elif not allowed(request, order):
            desk.say(denial(request, order))
            script.append(close(rng, desk, order_id, denied=True))
        else:
            script.append(confirm_and_act(rng, desk, request, order, town))
    task = {"database": initial, "script": script, "calls": desk.calls, "final": database,
            "greeting": desk.messages[1]["role"] == "assistant"}
    return Sample("dialogue", f"dialogue.{request}", desk.messages, TOOLS, task=task)


def confirm_and_act(rng, desk, request, order, town):
    """Ask, hear yes or no, act; returns the user's reply."""
    order_id = order["order_id"]
    what = {"cancel": f"cancel order {order_id}", "change": f"send order {order_id} to {town}", "refund": f"refund order {order_id}"}[request]
    desk.say(f"I can {what}, the {order['item']}. Do you confirm?")
    agreed = rng.random() < 0.85
    reply = rng.choice(("Yes, please.", "Yes.", "I confirm.", "Yes, do it.") if agreed else ("No, wait, leave it.", "No, I changed my mind."))
    desk.user(reply)
    if not agreed:
        desk.say("All right, I left the order as it is.")
        return reply
    desk.call(ACTIONS[request], order_id=order_id, **({"town": town} if request == "change" else {}))
    done = {"cancel": "is cancelled", "change": f"will go to {town}", "refund": "is refunded"}[request]
    desk.say(f"Done. Order {order_id} {done}.")
    return reply


def close(rng, desk, order_id, denied):
    """The user's last words: thanks, or after a denial sometimes the wish for a human."""
    if denied and rng.random() < 0.5:
        text = rng.choice(("I want to speak to a human.", "Then give me a human, please.", "Let me talk to a person."))
        desk.user(text)
        desk.call("escalate", order_id=order_id)
        desk.say("A colleague will contact you.")
        return text
    text = rng.choice(("Thank you.", "All right, thanks.", "OK, thank you for the help."))
    desk.user(text)
    desk.say("You are welcome.")
    return text


KINDS = {"dialogue.desk": conversation}


class Replay:
    """A scripted user and the tools, against a model that answers turn by turn."""

    MAX_STEPS = 14

    def __init__(self, task):
        self.task = task
        self.database = copy.deepcopy(task["database"])
        self.script = list(task["script"])
        self.messages = [turn("system", POLICY)] + ([turn("assistant", GREETING)] if task["greeting"] else [])
        self.messages.append(turn("user", self.script.pop(0)))
        self.calls, self.steps, self.done = [], 0, False

    def answer(self, text):
        """Take the agent's turn and let the tools or the user react."""
        self.steps += 1
        self.messages.append(turn("assistant", text))
        try:
            calls = parse_calls(text)
        except ValueError:
            self.done = True
            return
        for name, args in calls:
            self.calls.append((name, args))
            self.messages.append(turn("tool", run_tool(self.database, name, args)))
        if not calls and self.script:
            self.messages.append(turn("user", self.script.pop(0)))
        elif not calls or self.steps >= self.MAX_STEPS:
            self.done = True

    def correct(self):
        """The same calls and the same database as the policy's way, and the user said everything."""
        return self.calls == self.task["calls"] and self.database == self.task["final"] and not self.script
