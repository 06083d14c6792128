#!/usr/bin/env python3
"""Checks the page that `lfmscope view` writes in headless Chromium: hostile answers, keys, filters, links, two runs,
10,000 samples. For whoever changes eval/view/page.*; needs the Python package playwright and Chromium, neither of which
the other tests need.

usage: check_view.py [--program build/lfmscope] [--chromium /usr/bin/chromium] [--pictures DIR]
"""
import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile

from playwright.sync_api import sync_playwright

HOSTILE = {
    "script": "</script><img src=x onerror=hostile()>",
    "comment": "<!--<script>",
    "case": "</ScRiPt ><svg onload=hostile()>",
    "direction": "a\u202egnp.exe\u202c \u200b\ufeff\u2066d\u2069",
    "separators": "a\u2028b\u2029c \x1b[31m \x07 \r",
    "null": "nul \0 end",
    "surrogate": "half \ud800 pair",
    "tags": "\U000e0041\U000e0042",
    "line": "x" * 1_000_000,
    "words": "word " * 200_000,
    "entities": "&lt;b&gt; &amp; \"quotes\" ' `",
    "marks": "{{script}} {{data}} ${1+1}",
    "</script><img src=x onerror=hostile()>": "an id",
    "a=b&c/d %zz \u202e": "another id",
}
KINDS = ["length:words", "keywords:existence", "punctuation:no_comma", "format:json"]


def sample(name, text, right, **others):
    row = {"id": name, "sample": 0, "raw": text, "text": text, "finish": "stop", "prompt_tokens": 5, "generated_tokens": 7,
           "seconds": 0.5, "messages": [{"role": "user", "content": "Say " + text[:200]}],
           "verdict": {"correct": right, "instructions": ["a:<b>", "c:d"], "strict": [right, True], "loose": [True, True]}}
    return {**row, **others}


def write_run(directory, rows, suite="ifeval", weights="f32", torn="", summary=None):
    directory.mkdir(parents=True)
    run = {"schema": "lfmscope-run", "suite": suite, "data_sha256": "0", "model": "<img src=x onerror=hostile()>", "weights": weights}
    (directory / "run.json").write_text(json.dumps(run))
    (directory / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows) + torn)
    if summary:
        (directory / "summary.json").write_text(json.dumps(summary))


def big_rows(seed):
    """10,000 samples of about 4 KB; prompts do not depend on the seed, which shuffles answers and verdicts."""
    words = random.Random(0)
    vocabulary = ["".join(words.choices("abcdefghijklmnopqrstuvwxyz", k=words.randint(2, 9))) for _ in range(5000)] + ["naïve", "日本"]
    chance = random.Random(seed)
    for i in range(10000):
        prompt, answer = words.choices(vocabulary, k=120), chance.choices(vocabulary, k=chance.randint(100, 800))
        strict = [chance.random() < 0.6 for _ in range(2)]
        yield sample(f"item_{i}", " ".join(answer), all(strict), messages=[{"role": "user", "content": " ".join(prompt)}],
                     finish="length" if i % 10 == 0 else "stop",
                     verdict={"correct": all(strict), "instructions": chance.sample(KINDS, 2), "strict": strict, "loose": strict})


class Page:
    """One page in a browser of its own; what it should never do is recorded."""

    def __init__(self, browser, path, address="", dark=False, narrow=False):
        size = {"width": 390, "height": 800} if narrow else {"width": 1280, "height": 860}
        self.context = browser.new_context(color_scheme="dark" if dark else "light", viewport=size)
        self.page = self.context.new_page()
        self.complaints = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append("dialog"))
        self.page.on("request", lambda request: self.complaints.append(request.url) if not request.url.startswith("file:") else None)
        self.page.goto(f"file://{path}{address}")
        self.page.wait_for_timeout(300)

    def text(self, selector):
        return self.page.locator(selector).inner_text()

    def count(self, selector):
        return self.page.locator(selector).count()

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)
        self.page.wait_for_timeout(250)

    def search(self, text):
        self.page.fill("#query", text)
        self.page.wait_for_timeout(250)

    def close(self):
        expect(self.complaints == [], f"the page complained: {self.complaints}")
        self.context.close()


failures = 0


def expect(condition, what):
    global failures
    if not condition:
        failures += 1
        print("FAILED:", what)


def check_hostile(browser, path):
    page = Page(browser, path)
    expect(page.count("img, svg, iframe, object, embed, link") == 0, "an answer became an element")
    expect("2 damaged" not in page.text("#summary") and "incomplete" in page.text("#summary"), "the torn line is named")
    for name, text in HOSTILE.items():
        page.page.evaluate("(id) => { location.hash = encodeURIComponent(id); }", name)
        page.page.wait_for_timeout(100)
        shown = page.page.locator("#detail .response").text_content()
        expect(page.page.evaluate("document.querySelector('.bar a').hash") == page.page.evaluate(
            "(id) => '#' + encodeURIComponent(id)", name), f"the link of {name!r}")
        if name in ("script", "comment", "case", "entities", "marks"):
            expect(shown == text, f"{name}: {shown[:80]!r}")
        if name == "direction":
            expect(page.count("#detail .response .hidden") == 6 and "U+202E" in shown, f"{name}: {shown!r}")
        if name == "null":
            expect("NUL" in shown, f"{name}: {shown!r}")
        if name == "surrogate":
            expect("\ufffd" in shown, f"{name}: {shown!r}")
        if name in ("line", "words"):
            expect(len(shown) < 60000, f"{name}: only the beginning is shown")
            page.page.click("#detail .response .more")
            expect(len(page.page.locator("#detail .response").text_content()) == len(text), f"{name}: the rest on demand")
    page.page.evaluate("location.hash = '%zz'")
    page.page.evaluate("location.hash = 'run=nowhere&id=null'")
    page.page.wait_for_timeout(100)
    expect(page.text(".bar h1") == "null", "a link with an unknown run still finds the sample")
    refused = page.page.evaluate("""() => { const style = document.createElement('style'), script = document.createElement('script');
        style.textContent = 'body { color: red }'; script.textContent = 'window.foreign = 1'; document.head.append(style, script);
        return window.foreign === undefined && style.sheet === null; }""")
    expect(refused, "the policy lets foreign scripts or styles through")
    page.complaints = [text for text in page.complaints if "Content Security Policy" not in text]
    page.close()


def check_keys(browser, path):
    page = Page(browser, path)
    selected = lambda: page.page.locator("[aria-selected=true] .id").inner_text()
    first = selected()
    page.press("j", "j", "k")
    second = selected()
    expect(second != first and page.text(".bar h1") == second, "j and k move, and the sample follows")
    page.press("ArrowUp")
    expect(selected() == first, "arrows move")
    page.press("End")
    expect(page.text(".bar .quiet").startswith("10,000 of"), "End goes to the last one")
    page.press("Home", "/")
    page.page.keyboard.type("item_77")
    page.page.wait_for_timeout(300)
    expect(page.text("#count") == "111 of 10,000 samples" and selected() == "item_77", "search finds ids")
    expect(page.text(".bar h1 mark") == "item_77" and page.count("[role=option] mark") > 0, "what was found is marked")
    page.press("Enter", "j")
    expect(selected() == "item_770", "Enter leaves the search, keys move within what was found")
    expect(page.page.evaluate("location.hash") == "#item_770", "the address names the sample")
    page.search('"no such phrase"')
    expect("0 of" in page.text("#count") and "Nothing" in page.text("#detail"), "nothing is found and said so")
    page.search("NAÏVE")
    expect(page.count("#detail mark") > 0, "search ignores case and marks the answer")
    page.search("")
    page.page.select_option("#facets select", label=page.page.locator("#facets optgroup").nth(1).locator("option").nth(0).inner_text())
    page.page.click(".chip.right")
    expect(page.text("#count").startswith("0 of"), "a right sample has no instruction that is not followed")
    page.page.click(".chip.all")
    expect(page.count("[role=option]") < 60, "only rows in sight are there")
    page.page.locator("summary", has_text="Figures").click()
    expect("tier one" in page.text("#summary").replace("\t", " "), "lists of objects are tables")
    page.close()


def check_pair(browser, path):
    page = Page(browser, path)
    expect("lost" in page.text("#summary") and "McNemar" in page.text("#summary"), "flips and p are told")
    flips = [int(page.text(f".chip.{name} b").replace(",", "")) for name in ("flipped", "lost", "won")]
    expect(flips[0] == flips[1] + flips[2] > 0, f"flipped is lost and won: {flips}")
    page.page.click(".chip.lost")
    expect(page.count("#detail del") > 0 and page.count("#detail ins") > 0, "differences are marked")
    badges = page.page.locator("#detail .badge").all_inner_texts()
    expect("right" in badges[0] and "wrong" in badges[1], f"lost is right, then wrong: {badges}")
    left = page.page.locator("#detail .response").nth(0).text_content()
    page.page.locator("#summary select").nth(1).select_option("-1")
    page.page.wait_for_timeout(300)
    expect(page.page.locator("#detail .response").text_content() == left, "without the other run the same sample and text stay")
    page.close()


def check_narrow(browser, path):
    page = Page(browser, path, narrow=True)
    width = page.page.evaluate("document.documentElement.scrollWidth")
    expect(width <= 390, f"the page is {width} pixels wide on a screen of 390")
    page.page.locator("[role=option]").nth(1).click()
    expect(page.page.locator("#detail").is_visible() and not page.page.locator("#list").is_visible(), "a sample takes the list's place")
    width = page.page.evaluate("document.documentElement.scrollWidth")
    expect(width <= 390, f"a sample is {width} pixels wide on a screen of 390")
    page.page.click(".back")
    expect(page.page.locator("#list").is_visible(), "and gives it back")
    page.close()


MEASURE = """async (query) => {
    const input = document.getElementById('query'), times = [];
    for (let i = 0; i < 5; i++) {
        input.value = '';
        input.dispatchEvent(new Event('input'));
        await new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)));
        input.value = query;
        const start = performance.now();
        input.dispatchEvent(new Event('input'));
        await new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)));
        times.push(performance.now() - start);
    }
    return Math.min(...times);
}"""


def measure(browser, path, what):
    page = Page(browser, path)
    loaded = page.page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    page.page.wait_for_timeout(8000)
    times = {query: page.page.evaluate(MEASURE, query) for query in ("zzzzz", "the quick", "naïve", "item_77", "a b c")}
    print(f"{what}: {path.stat().st_size / 1e6:.0f} MB, there after {loaded:.0f} ms; from key to picture, best of 5: "
          + ", ".join(f"{query!r} {time:.0f} ms" for query, time in times.items()))
    page.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", default="build/lfmscope")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--pictures", type=pathlib.Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        scratch = pathlib.Path(scratch)
        hostile = [sample(name, text, i % 2 == 0) for i, (name, text) in enumerate(HOSTILE.items())]
        write_run(scratch / "hostile", hostile, torn='{"id": "torn')
        for seed in (1, 2):
            write_run(scratch / f"big{seed}", big_rows(seed), weights=["", "f32", "q4_0"][seed],
                      summary={"tiers": [{"name": "tier one", "strict": 0.5}], "finish": {"stop": 9000, "length": 1000}})
        for arguments in (["hostile"], ["big1"], ["big1", "big2", "--output", "pair.html"]):
            subprocess.run([pathlib.Path(options.program).resolve(), "view", *arguments], cwd=scratch, check=True, stdout=subprocess.DEVNULL)
        browser = playwright.chromium.launch(executable_path=options.chromium, args=["--no-sandbox", "--disable-gpu"])
        one, two = scratch / "big1/view.html", scratch / "pair.html"
        check_hostile(browser, scratch / "hostile/view.html")
        check_keys(browser, one)
        check_pair(browser, two)
        check_narrow(browser, two)
        measure(browser, one, "10,000 samples")
        measure(browser, two, "10,000 samples, two runs")
        for dark in (False, True) if options.pictures else ():
            options.pictures.mkdir(parents=True, exist_ok=True)
            for name, path in (("hostile", scratch / "hostile/view.html"), ("one", one), ("two", two)):
                for narrow in (False, True):
                    page = Page(browser, path, dark=dark, narrow=narrow)
                    page.page.screenshot(path=options.pictures / f"{name}-{'dark' if dark else 'light'}{'-narrow' if narrow else ''}.png")
                    page.close()
        browser.close()
    print("check_view: " + ("in order" if failures == 0 else f"{failures} failed"))
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
