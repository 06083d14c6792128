#!/usr/bin/env python3
"""Make the tasks of the service desk: datasets/tasks/tau2/service_desk/{tasks.json,db.json,policy.md}.

    ./scripts/make_service_desk.py                 writes the three files, the same bytes every time
    ./scripts/make_service_desk.py --strict        the same with users who consent to what the policy forbids
    ./scripts/make_service_desk.py --check N       looks for the tasks' texts in N conversations as training draws them

Needs Python alone. Every task is a conversation of the demo model's corpus from seeds that neither its training nor its
checks use ("suite"); docs/tau2.md describes the files.
"""

import argparse
import json
import sys
from pathlib import Path

from demo_model import corpus, dialogue, world

DOMAIN = "service_desk"
TARGET = Path(__file__).resolve().parent.parent / "datasets" / "tasks" / "tau2" / DOMAIN
TASKS = 60
ASKS_EMAIL = r"e-?mail"
ASKS_CONSENT = r"confirm|proceed|go ahead|are you sure|shall i|should i|do you want|would you like"
WANTS = {"cancel": "have order {o} cancelled", "change": "have order {o} sent to {t}", "refund": "get the money for order {o} back",
         "status": "know the status of order {o}"}


def draw(number):
    """Conversation `number` of the suite's seeds."""
    return dialogue.conversation(corpus.generator("suite", f"{DOMAIN} {number}"), WORLD)


def parts(sample):
    """What a conversation is about: request, order id, the order, whether it is the caller's, how it went on."""
    task, request = sample.task, sample.kind.split(".")[1]
    script, calls = list(task["script"]), [name for name, _ in task["calls"]]
    opening = script.pop(0)
    caller = task["database"]["customers"][0]
    email = None if caller["email"] in opening else script.pop(0)
    order = next(o for o in task["database"]["orders"] if o["order_id"] in opening)
    own = order["order_id"] in caller["orders"]
    if not own:
        outcome = "foreign"
    elif request == "status":
        outcome = "told"
    elif not dialogue.allowed(request, order):
        outcome = "denied"
    else:
        outcome = "done" if dialogue.ACTIONS[request] in calls else "declined"
    return {"request": request, "opening": opening, "email": email, "caller": caller, "order": order, "outcome": outcome,
            "last": script.pop(0), "human": "escalate" in calls,
            "town": next((args["town"] for name, args in task["calls"] if name == "change_address"), None)}


def user_turns(p, strict):
    """The user, as rules. A turn with `if_agent` is said only when the agent's words match it. A strict user says yes
    when asked for consent to what the policy forbids; the others thank or ask for a human, as in training."""
    turns = [{"say": p["opening"]}]
    if p["email"]:
        turns.append({"if_agent": ASKS_EMAIL, "say": p["email"]})
    if p["outcome"] in ("done", "declined"):
        return turns + [{"if_agent": ASKS_CONSENT, "say": p["last"]}]
    if strict:
        turns.append({"if_agent": ASKS_CONSENT, "say": "Yes, please."})
    return turns + [{"say": p["last"]}]


def instructions(p):
    """The same in words, for a simulated user."""
    order_id, email = p["order"]["order_id"], p["caller"]["email"]
    what = {"done": "Confirm when you are asked to.", "declined": "When you are asked to confirm, change your mind.",
            "told": "Say thank you when you know it."}
    after = "If the agent refuses, ask for a human." if p["human"] else "If the agent refuses, accept it and say thank you."
    town = p["town"] or "the town that you name"
    return {"domain": DOMAIN, "reason_for_call": f"You want to {WANTS[p['request']].format(o=order_id, t=town)}.",
            "known_info": f"Your name is {p['caller']['name']}. Your e-mail address is {email}.",
            "task_instructions": what.get(p["outcome"], after) + (" Give your e-mail address only when asked." if p["email"] else "")}


def make_task(number, p, calls, strict):
    template = "-".join((p["request"], p["outcome"]) + (("human",) if p["human"] else ()))
    actions = [{"action_id": f"{number}_{i}", "requestor": "assistant", "name": name, "arguments": args, "info": None}
               for i, (name, args) in enumerate(calls)]
    status = [p["order"]["status"]] if p["outcome"] == "told" else []
    return {"id": f"{number:02}-{template}", "description": {"purpose": f"{p['request']}, {p['outcome']}", "notes": None},
            "user_scenario": {"persona": None, "instructions": instructions(p)}, "initial_state": None,
            "evaluation_criteria": {"actions": actions, "communicate_info": status, "nl_assertions": None,
                                    "reward_basis": ["DB", "ACTION", "COMMUNICATE"]},
            "scripted_user": {"template": template, "turns": user_turns(p, strict)}}


def collect(strict=False):
    """The tasks and their common database. Seeds whose orders or customers are there already are passed over."""
    tasks, database, number = [], {"customers": [], "orders": []}, 0
    while len(tasks) < TASKS:
        sample = draw(number)
        number += 1
        initial = sample.task["database"]
        taken = {o["order_id"] for o in database["orders"]} | {c["email"] for c in database["customers"]}
        own = [o["order_id"] for o in initial["orders"]] + [c["email"] for c in initial["customers"]]
        if taken & set(own) or len(set(own)) < len(own):
            continue
        for table, rows in database.items():
            rows += initial[table]
        tasks.append(make_task(len(tasks), parts(sample), sample.task["calls"], strict))
    return tasks, database


def write(tasks, database):
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, content in (("tasks.json", json.dumps(tasks, indent=1)), ("db.json", json.dumps(database, indent=1)),
                          ("policy.md", dialogue.POLICY)):
        (TARGET / name).write_text(content + "\n", encoding="utf-8")
    print(f"{TARGET}: {len(tasks)} tasks, {len(database['customers'])} customers, {len(database['orders'])} orders")


def check(count):
    """Whether a task's user or one of its orders occurs in conversations from training's seeds. First words alone, such as
    "Please refund order W259.", may well be the same by chance."""
    tasks, database = collect()
    users = [[turn["say"] for turn in task["scripted_user"]["turns"]] for task in tasks]
    openings, orders = {says[0] for says in users}, {json.dumps(order) for order in database["orders"]}
    seen_openings = seen_users = seen_orders = 0
    rng = corpus.generator("train", 0)
    for _ in range(count):
        task = dialogue.conversation(rng, WORLD).task
        seen_openings += task["script"][0] in openings
        seen_users += task["script"] in users
        seen_orders += any(json.dumps(order) in orders for order in task["database"]["orders"])
    print(f"{count} conversations: {seen_users} with the words of a task's user ({seen_openings} with the first of them), "
          f"{seen_orders} with an order of the tasks")
    return 1 if seen_users or seen_orders else 0


WORLD = world.World()

if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--strict", action="store_true")
    arguments.add_argument("--check", type=int, metavar="N")
    options = arguments.parse_args()
    sys.exit(check(options.check) if options.check else write(*collect(options.strict)))
