/* The page that `lfmscope view` writes. Everything that comes from a run is placed as text: nothing here parses markup. */
'use strict';
(() => {

const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId('data').textContent);
byId('data').remove();

/* --- elements --- */

/* make('p.note', 'text', node, ...): strings become text; null is left out. */
function make(name, ...children) {
    const [tag, ...classes] = name.split('.');
    const element = document.createElement(tag);
    if (classes.length) element.className = classes.join(' ');
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
}

function withAttributes(element, attributes) {
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
}

function folded(title, open, ...children) {
    const element = make('details', make('summary', title), ...children);
    element.open = open;
    return element;
}

/* --- text from runs --- */

/* What cannot be seen or reorders what is seen: controls but tab and newline, soft hyphen, zero-width and direction marks,
 * tags, halves of surrogate pairs, and U+2400, as which a zero character comes here. Joiners (U+200C, U+200D) are parts of
 * words and emoji and stay. */
const hidden = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u2400\ud800-\udfff\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/* Calls found(match) and rest(text) for the parts of a text, in order; beyond `most` matches all is rest. */
function split(text, pattern, found, rest, most = Infinity) {
    let last = 0, n = 0;
    for (const match of text.matchAll(pattern)) {
        if (n++ === most) break;
        if (match.index > last) rest(text.slice(last, match.index));
        found(match[0]);
        last = match.index + match[0].length;
    }
    if (last < text.length) rest(text.slice(last));
}

function codePoint(character) {
    if (character === '\u2400') return 'NUL';
    return 'U+' + character.codePointAt(0).toString(16).toUpperCase().padStart(4, '0');
}

/* Adds text with hidden characters written out. */
function addVisible(parent, text) {
    split(text, hidden,
          (character) => parent.append(make('span.hidden', codePoint(character))),
          (plain) => parent.append(plain));
}

const mostMarks = 1000;

/* Adds text as above, with what was searched for marked. */
function addText(parent, text) {
    if (!state.marks) return addVisible(parent, text);
    split(text, state.marks, (word) => {
        const mark = make('mark');
        addVisible(mark, word);
        parent.append(mark);
    }, (plain) => addVisible(parent, plain), mostMarks);
}

function textNode(name, text) {
    const element = make(name);
    addText(element, String(text));
    return element;
}

const mostShown = 50000;

/* A block of text; of a very long one the beginning, and a button for the rest. */
function textBlock(name, text, fill = addText) {
    const element = make(name);
    if (text.length <= mostShown) {
        fill(element, text);
        return element;
    }
    fill(element, text.slice(0, mostShown));
    const button = make('button.more', `Show all ${count(text.length)} characters`);
    button.addEventListener('click', () => {
        element.replaceChildren();
        fill(element, text);
    });
    element.append('… ', button);
    return element;
}

/* --- numbers --- */

const count = (n) => Number(n).toLocaleString('en');
const percent = (share) => (100 * share).toFixed(1);
const plural = (n, noun) => `${count(n)} ${noun}${n === 1 ? '' : 's'}`;
const signed = (share) => (share < 0 ? '−' : '+') + Math.abs(100 * share).toFixed(1);
const interval = (rate, write) =>
    typeof rate.low === 'number' && typeof rate.high === 'number' ? ` [${write(rate.low)}, ${write(rate.high)}]` : '';
const pValue = (p) => (p < 0.0001 ? '< 0.0001' : p.toFixed(4));

/* --- any value as a table, a list or text --- */

const isScalar = (value) => value === null || typeof value !== 'object';
const isRate = (value) => !isScalar(value) && typeof value.accuracy === 'number';
const title = (key) => key.replaceAll('_', ' ');

function flag(value) {
    return value ? make('span.yes', '✓ yes') : make('span.no', '✗ no');
}

function showScalar(value) {
    if (typeof value === 'boolean') return flag(value);
    if (value === null || value === undefined) return make('span.quiet', '–');
    if (typeof value === 'number') return make('span', Number.isInteger(value) ? count(value) : String(Number(value.toPrecision(6))));
    return value.includes('\n') ? textBlock('pre', value) : textBlock('span', value);
}

function showRate(rate) {
    return make('span', `${percent(rate.accuracy)} %${interval(rate, percent)}`,
                typeof rate.right === 'number' ? make('span.quiet', ` ${count(rate.right)} of ${count(rate.n)}`) : null);
}

function table(columns, rows) {
    const head = make('tr', ...columns.map((key) => withAttributes(textNode('th', title(key)), {scope: 'col'})));
    const body = rows.map((row) => make('tr', ...columns.map((key) => make('td', key in row ? showValue(row[key]) : ''))));
    return make('div.scroll', make('table', make('thead', head), make('tbody', ...body)));
}

function showList(list) {
    if (list.length === 0) return make('span.quiet', 'none');
    if (list.every((item) => !isScalar(item) && !Array.isArray(item)))
        return table([...new Set(list.flatMap(Object.keys))], list);
    if (list.every((item) => typeof item === 'boolean')) return make('span', ...list.flatMap((item) => [flag(item), ' ']));
    return make('ul', ...list.map((item) => make('li', showValue(item))));
}

const isListOf = (value, type) => Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === type);

/* "action" of "actions" and of "action_checks". */
const stem = (key) => key.split('_')[0].replace(/s$/, '');

/* What lists of truth values are about: [texts, [flags, ...]] for each list of texts and those of its length beside it,
 * of several lists of texts those that are called alike. */
function checkedLists(object) {
    const keys = (type) => Object.keys(object).filter((key) => isListOf(object[key], type));
    const texts = keys('string'), flags = keys('boolean');
    const belong = (text, flag) => object[text].length === object[flag].length && (texts.length === 1 || stem(text) === stem(flag));
    return texts.map((text) => [text, flags.filter((flag) => belong(text, flag))]).filter(([, found]) => found.length);
}

function showObject(object) {
    const checked = checkedLists(object), done = checked.flat(2), parts = make('div.value'), terms = make('dl');
    for (const [text, flags] of checked)
        parts.append(table([text, ...flags], object[text].map((_, i) => Object.fromEntries([text, ...flags].map((key) => [key, object[key][i]])))));
    for (const [key, value] of Object.entries(object))
        if (!done.includes(key)) terms.append(textNode('dt', title(key)), make('dd', showValue(value)));
    if (terms.childElementCount) parts.append(terms);
    return parts;
}

function showValue(value) {
    if (isScalar(value)) return showScalar(value);
    if (Array.isArray(value)) return showList(value);
    return isRate(value) ? showRate(value) : showObject(value);
}

/* --- samples --- */

const isRight = (sample) => sample?.verdict?.correct === true;
const isScored = (sample) => typeof sample?.verdict?.correct === 'boolean';
const number = (sample) => sample.sample ?? 0;
const answerOf = (sample) => sample.text ?? sample.raw ?? '';
const messagesOf = (sample) => (Array.isArray(sample.messages) ? sample.messages : []);

/* A message's content, which may be a text, parts with texts, or nothing. */
function contentOf(message) {
    const content = message?.content;
    if (typeof content === 'string') return content;
    if (!Array.isArray(content)) return content === null || content === undefined ? '' : JSON.stringify(content);
    return content.map((part) => part?.text ?? JSON.stringify(part)).join('\n');
}

/* The first thing a user said, on one line. */
function snippet(sample) {
    const said = messagesOf(sample).map((place) => data.messages[place]);
    return contentOf(said.find((message) => message?.role === 'user') ?? said[0]).slice(0, 300).replace(/\s+/g, ' ').trim();
}

function verdictOf(sample) {
    if (!sample) return {sign: '·', word: 'not there', kind: 'none'};
    if (sample.finish === 'error') return {sign: '!', word: 'failed', kind: 'failed'};
    if (!isScored(sample)) return {sign: '?', word: 'no verdict', kind: 'none'};
    return isRight(sample) ? {sign: '✓', word: 'right', kind: 'right'} : {sign: '✗', word: 'wrong', kind: 'wrong'};
}

function sign(sample) {
    const verdict = verdictOf(sample);
    return withAttributes(make('span.sign.' + verdict.kind, verdict.sign), {role: 'img', 'aria-label': verdict.word});
}

/* --- what is shown --- */

/* first, second: indices of runs (second -1: none). rows: {key, a, b}, those that the filters leave in `shown`. */
const state = {first: 0, second: -1, rows: [], shown: [], at: -1, found: {terms: [], rows: []}, verdict: 'all', facets: new Map(), terms: [], marks: null};

const samplesOf = (row) => [row.a, row.b].filter(Boolean);
const isPair = () => state.second >= 0;

function pairRows() {
    const keyOf = (sample) => sample.id + '\u0000' + number(sample);
    const rows = new Map(data.runs[state.first].samples.map((sample) => [keyOf(sample), {a: sample, b: null}]));
    if (!isPair()) return [...rows.values()];
    for (const sample of data.runs[state.second].samples) {
        const row = rows.get(keyOf(sample));
        if (row) row.b = sample;
        else rows.set(keyOf(sample), {a: null, b: sample});
    }
    return [...rows.values()];
}

const anyEnds = (...finishes) => (row) => samplesOf(row).some((sample) => finishes.includes(sample.finish));
const inBoth = (row) => row.a !== null && row.b !== null;

const singleFilters = [
    ['all', 'All', () => true],
    ['right', 'Right', (row) => isRight(row.a)],
    ['wrong', 'Wrong', (row) => isScored(row.a) && !isRight(row.a) && row.a.finish !== 'error'],
    ['failed', 'Failed', anyEnds('error')],
    ['length', 'Ended by length', anyEnds('length')],
    ['context', 'Context full', anyEnds('context')],
    ['unscored', 'No verdict', (row) => !isScored(row.a) && row.a.finish !== 'error'],
];
const pairFilters = [
    ['all', 'All', () => true],
    ['flipped', 'Flipped', (row) => inBoth(row) && isRight(row.a) !== isRight(row.b)],
    ['lost', 'Lost', (row) => inBoth(row) && isRight(row.a) && !isRight(row.b)],
    ['won', 'Won', (row) => inBoth(row) && !isRight(row.a) && isRight(row.b)],
    ['right', 'Both right', (row) => inBoth(row) && isRight(row.a) && isRight(row.b)],
    ['wrong', 'Both wrong', (row) => inBoth(row) && !isRight(row.a) && !isRight(row.b)],
    ['changed', 'Other answer', (row) => inBoth(row) && answerOf(row.a) !== answerOf(row.b)],
    ['failed', 'Failed', anyEnds('error')],
    ['length', 'Ended by length', anyEnds('length')],
    ['context', 'Context full', anyEnds('context')],
    ['single', 'In one only', (row) => !inBoth(row)],
];
const always = {all: 1, right: 1, wrong: 1, flipped: 1, lost: 1, won: 1};
const filters = () => (isPair() ? pairFilters : singleFilters);

/* --- facets: what verdicts say in few words --- */

const mostFacets = 3, mostValues = 100, mostNumbers = 24, longestValue = 80;

/* Calls say(facet, kind, value) for what a verdict states, and for lists of names with truth values beside them: each name,
 * and again, as another kind, where it is not true. */
function eachFacet(verdict, say) {
    const checked = new Map(checkedLists(verdict));
    for (const [key, value] of Object.entries(verdict)) {
        if (key === 'correct') continue;
        if (typeof value === 'string' && value.length > 0 && value.length <= longestValue) say(key, '', value);
        else if (Number.isInteger(value)) say(key, '', value);
        else if (typeof value === 'boolean') say(key, '', value);
        else if (checked.has(key))
            value.forEach((name, i) => {
                say(key, 'asked', name);
                for (const flags of checked.get(key)) if (!verdict[flags][i]) say(key, `${title(flags)}: no`, name);
            });
    }
}

/* No help in choosing: one value that all have, too many, and many that are nearly all different. */
function isPointless(values) {
    const all = [...values.keys()], n = all.length, rows = [...values.values()].reduce((sum, each) => sum + each.size, 0);
    if (n === 1) return rows === state.rows.length;
    return n > (all.every((value) => typeof value === 'number') ? mostNumbers : mostValues) || (n > 8 && rows < 2 * n);
}

const inner = (map, key, make) => map.get(key) ?? map.set(key, make()).get(key);

/* facet -> kind -> value -> rows that have it. */
function collectFacets() {
    const facets = new Map();
    for (const row of state.rows)
        for (const sample of samplesOf(row))
            eachFacet(sample.verdict ?? {}, (facet, kind, value) => {
                const values = inner(inner(facets, facet, () => new Map()), kind, () => new Map());
                inner(values, value, () => new Set()).add(row);
            });
    for (const [facet, kinds] of facets) {
        for (const [kind, values] of kinds) if (isPointless(values)) kinds.delete(kind);
        if (!kinds.size) facets.delete(facet);
    }
    return facets;
}

/* --- search --- */

/* Words, and phrases in quotation marks, in lower case. */
function termsOf(query) {
    return [...query.toLowerCase().matchAll(/"([^"]+)"?|(\S+)/g)].map((match) => match[1] ?? match[2]).filter((term) => term !== '"');
}

const lowered = {messages: [], samples: new WeakMap()};

function loweredMessage(place) {
    lowered.messages[place] ??= (contentOf(data.messages[place]) + '\n' + JSON.stringify(data.messages[place]?.tool_calls ?? '')).toLowerCase();
    return lowered.messages[place];
}

function loweredSample(sample) {
    let text = lowered.samples.get(sample);
    if (text === undefined) {
        text = [sample.id, sample.reasoning ?? '', sample.raw ?? '', sample.text ?? '', sample.error ?? ''].join('\n').toLowerCase();
        lowered.samples.set(sample, text);
    }
    return text;
}

/* A test of rows: every term stands somewhere in the prompt or the answer of one of the samples. */
function searcher(terms) {
    const hits = terms.map((term) => data.messages.map((_, place) => loweredMessage(place).includes(term)));
    const has = (sample, term, i) => messagesOf(sample).some((place) => hits[i][place]) || loweredSample(sample).includes(term);
    return (row) => samplesOf(row).some((sample) => terms.every((term, i) => has(sample, term, i)));
}

/* Lower-case copies are made while the reader looks at the page, a little at a time, so that the first search is quick. */
function warmUp() {
    const later = window.requestIdleCallback ?? ((work) => setTimeout(() => work({timeRemaining: () => 8}), 20));
    const work = (function* () {
        for (let place = 0; place < data.messages.length; place++) yield loweredMessage(place);
        for (const run of data.runs) for (const sample of run.samples) yield loweredSample(sample);
    })();
    const go = (idle) => {
        while (idle.timeRemaining() > 2) if (work.next().done) return;
        later(go);
    };
    later(go);
}

/* --- filtering --- */

/* The rows that a chosen {kind, value} leaves, undefined when there is no such choice any more. */
const rowsOf = (facet, choice) => state.facetRows.get(facet)?.get(choice.kind)?.get(choice.value);

function passesFacets(row) {
    return [...state.facets].every(([facet, choice]) => rowsOf(facet, choice).has(row));
}

/* What the search leaves. More letters of the same words only leave less: then what was left before is enough to search. */
function foundRows() {
    const {terms, rows} = state.found;
    const longer = terms.every((term) => state.terms.some((now) => now.includes(term)));
    const among = longer ? rows : state.rows;
    state.found = {terms: state.terms, rows: state.terms.length ? among.filter(searcher(state.terms)) : state.rows};
    return state.found.rows;
}

/* Keeps the sample that is open when it is still among those shown; `redraw` draws it anew even so. */
function refilter(redraw = false) {
    const open = state.shown[state.at];
    const candidates = foundRows().filter(passesFacets);
    const test = filters().find(([name]) => name === state.verdict)[2];
    state.shown = candidates.filter(test);
    showVerdicts(candidates);
    byId('count').textContent = state.shown.length === state.rows.length
        ? plural(state.rows.length, 'sample') : `${count(state.shown.length)} of ${plural(state.rows.length, 'sample')}`;
    byId('rows').style.height = `${state.shown.length * rowHeight()}px`;
    const place = open ? state.shown.indexOf(open) : -1;
    select(place >= 0 ? place : state.shown.length ? 0 : -1, redraw);
}

function showVerdicts(candidates) {
    const buttons = filters().map(([name, label, test]) => {
        const n = candidates.filter(test).length;
        if (n === 0 && !always[name] && name !== state.verdict) return null;
        const button = withAttributes(make('button.chip.' + name, label + ' ', make('b', count(n))),
                                      {'aria-pressed': name === state.verdict, type: 'button', 'data-verdict': name});
        button.addEventListener('click', () => setVerdict(name));
        return button;
    });
    const focused = byId('verdicts').contains(document.activeElement);
    byId('verdicts').replaceChildren(...buttons.filter(Boolean));
    if (focused) byId('verdicts').querySelector('[aria-pressed=true]').focus();
}

function setVerdict(name) {
    state.verdict = name;
    refilter();
}

function facetSelect(facet, kinds) {
    const select = make('select', withAttributes(make('option', 'any'), {value: -1})), choices = [];
    for (const [kind, values] of kinds) {
        const options = [...values].sort(([a], [b]) => (a < b ? -1 : 1)).map(([value, rows]) => {
            const name = typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value).replace(hidden, '\ufffd');
            const option = make('option', `${name} (${count(rows.size)})`);
            option.value = choices.push({kind, value}) - 1;
            return option;
        });
        select.append(...(kind ? [withAttributes(make('optgroup', ...options), {label: kind.replace(hidden, '\ufffd')})] : options));
    }
    const chosen = state.facets.get(facet);
    select.value = chosen ? choices.findIndex(({kind, value}) => kind === chosen.kind && value === chosen.value) : -1;
    select.addEventListener('change', () => {
        state.facets.delete(facet);
        if (select.value >= 0) state.facets.set(facet, choices[select.value]);
        refilter();
    });
    return make('label', textNode('span', title(facet)), select);
}

function showFacets() {
    state.facetRows = collectFacets();
    for (const [facet, choice] of state.facets) if (!rowsOf(facet, choice)) state.facets.delete(facet);
    const rank = ([, kinds]) => ['string', 'boolean', 'number'].indexOf(typeof kinds.values().next().value.keys().next().value);
    const selects = [...state.facetRows].sort((a, b) => rank(a) - rank(b)).map(([facet, kinds]) => facetSelect(facet, kinds));
    const more = selects.splice(mostFacets), chosen = more.some((label) => label.lastChild.value >= 0);
    byId('facets').replaceChildren(...selects, more.length ? folded('More', chosen, ...more) : '');
}

function setQuery(query) {
    state.terms = termsOf(query);
    const escaped = state.terms.map((term) => term.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'));
    state.marks = escaped.length ? new RegExp(escaped.join('|'), 'giu') : null;
    refilter(true);
}

/* --- the list: only the rows in sight are there --- */

const rowHeight = () => 3.5 * parseFloat(getComputedStyle(document.documentElement).fontSize);

function listRow(row, place) {
    const sample = row.a ?? row.b;
    const tags = samplesOf(row).map((each) => each.finish).filter((finish) => finish === 'length' || finish === 'context');
    const name = textNode('span.id', sample.id);
    if (state.numbered) name.append(make('span.quiet', ` #${number(sample) + 1}`));
    const element = make('div.item',
                         make('div.line', make('span.signs', ...(isPair() ? [sign(row.a), sign(row.b)] : [sign(row.a)])), name,
                              ...[...new Set(tags)].map((tag) => make('span.tag', tag))),
                         textNode('div.snippet', snippet(sample)));
    withAttributes(element, {id: `row-${place}`, role: 'option', 'aria-selected': place === state.at,
                             'aria-setsize': state.shown.length, 'aria-posinset': place + 1});
    element.style.transform = `translateY(${place * rowHeight()}px)`;
    element.addEventListener('click', () => {
        select(place);
        openDetail();
    });
    return element;
}

function showRows() {
    const list = byId('list'), height = rowHeight(), spare = 8;
    const from = Math.max(0, Math.floor(list.scrollTop / height) - spare);
    const to = Math.min(state.shown.length, Math.ceil((list.scrollTop + list.clientHeight) / height) + spare);
    const elements = [];
    for (let place = from; place < to; place++) elements.push(listRow(state.shown[place], place));
    if (!state.shown.length) elements.push(make('p.empty', 'No sample is like that.'));
    byId('rows').replaceChildren(...elements);
    if (state.at >= from && state.at < to) list.setAttribute('aria-activedescendant', `row-${state.at}`);
    else list.removeAttribute('aria-activedescendant');
}

function scrollToSelected() {
    const list = byId('list'), height = rowHeight(), top = state.at * height;
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top + height > list.scrollTop + list.clientHeight) list.scrollTop = top + height - list.clientHeight;
}

/* After the list, so that keys held down move through the list without waiting for every sample on the way. */
function drawDetail() {
    clearTimeout(state.drawing);
    state.drawing = setTimeout(showDetail, 0);
}

function select(place, redraw = false) {
    const changed = state.shown[place] !== state.open;
    state.at = place;
    state.open = state.shown[place];
    scrollToSelected();
    showRows();
    if (changed || redraw) drawDetail();
    clearTimeout(state.writing);
    state.writing = setTimeout(writeAddress, 150); /* browsers refuse an address that changes too often */
}

function move(step) {
    if (state.shown.length) select(Math.min(state.shown.length - 1, Math.max(0, state.at + step)));
}

/* --- differences of words --- */

const mostEdits = 1000;

const wordsOf = (text) => text.match(/\s+|[\p{L}\p{N}_]+|[^]/gu) ?? [];

/* Myers' greedy algorithm (Algorithmica 1:251, 1986): calls keep(i, k) for the words that both lists share. Beyond
 * mostEdits differences what is left counts as different. */
function shareWords(a, b, keep) {
    const most = Math.min(a.length + b.length, mostEdits), reach = new Int32Array(2 * most + 3), trace = [];
    const middle = most + 1;
    for (let edits = 0; edits <= most; edits++) {
        trace.push(reach.slice(middle - edits - 1, middle + edits + 2));
        for (let line = -edits; line <= edits; line += 2) {
            const down = line === -edits || (line !== edits && reach[middle + line - 1] < reach[middle + line + 1]);
            let i = down ? reach[middle + line + 1] : reach[middle + line - 1] + 1;
            while (i < a.length && i - line < b.length && a[i] === b[i - line]) i++;
            reach[middle + line] = i;
            if (i >= a.length && i - line >= b.length) return walkBack(trace, a, b, keep);
        }
    }
    let same = 0;
    for (; same < a.length && same < b.length && a[same] === b[same]; same++) keep(same, same);
    for (let i = 1; i <= Math.min(a.length, b.length) - same && a.at(-i) === b.at(-i); i++) keep(a.length - i, b.length - i);
}

/* trace[d] holds, from its line -d-1 on, how far d-1 edits reach on each line. */
function walkBack(trace, a, b, keep) {
    let i = a.length, k = b.length;
    for (let edits = trace.length - 1; edits >= 0; edits--) {
        const reach = (line) => trace[edits][line + edits + 1];
        const line = i - k;
        const down = line === -edits || (line !== edits && reach(line - 1) < reach(line + 1));
        const from = edits === 0 ? 0 : down ? reach(line + 1) : reach(line - 1);
        const start = edits === 0 ? 0 : down ? from : from + 1;
        while (i > start) keep(--i, --k);
        if (down) k--;
        else i--;
    }
}

/* Words as numbers, equal ones for equal words: quick to compare. */
function numbered(lists) {
    const numbers = new Map();
    return lists.map((list) => Int32Array.from(list, (word) => inner(numbers, word, () => numbers.size)));
}

/* A blank between two words that differ reads as a part of them. */
function joinOverBlanks(list, shared) {
    for (let i = 1; i + 1 < list.length; i++)
        if (shared[i] && !shared[i - 1] && !shared[i + 1] && !list[i].trim()) shared[i] = 0;
}

/* How each text is to be filled in: shared words plain, the others in elements of that name. */
function differences(a, b) {
    const words = [wordsOf(a), wordsOf(b)], shared = words.map((list) => new Uint8Array(list.length));
    shareWords(...numbered(words), (i, k) => { shared[0][i] = shared[1][k] = 1; });
    words.forEach((list, side) => joinOverBlanks(list, shared[side]));
    return words.map((list, side) => (parent) => {
        for (let i = 0; i < list.length;) {
            let end = i;
            while (end < list.length && shared[side][end] === shared[side][i]) end++;
            const text = list.slice(i, end).join('');
            if (shared[side][i]) addText(parent, text);
            else parent.append(textNode(side === 0 ? 'del' : 'ins', text));
            i = end;
        }
    });
}

/* --- the sample --- */

function showTools(place) {
    const tools = data.tools[place];
    const names = tools.map((tool) => (tool?.function ?? tool)?.name ?? 'unnamed');
    const summary = make('span', `${plural(tools.length, 'tool')}: `, textNode('span', names.join(', ')));
    return folded(summary, false, ...tools.map((tool) => textBlock('pre', JSON.stringify(tool?.function ?? tool, null, 2))));
}

function showCall(call) {
    const called = call?.function ?? call, given = called?.arguments ?? {};
    return textBlock('pre.call', `${called?.name ?? 'call'}(${typeof given === 'string' ? given : JSON.stringify(given, null, 2)})`);
}

function showMessage(place) {
    const message = data.messages[place], {role, content, tool_calls: calls, ...others} = message ?? {};
    const text = contentOf(message);
    const parts = [text || !calls ? textBlock('pre', text) : null, ...(Array.isArray(calls) ? calls.map(showCall) : []),
                   Object.keys(others).length ? showObject(others) : null];
    if (role === 'system' && text.length > 400)
        return make('section.message', folded(make('span.role', 'system'), false, ...parts));
    return make('section.message.' + (role === 'assistant' || role === 'tool' ? role : 'other'), textNode('div.role', role ?? 'message'), ...parts);
}

const known = ['id', 'sample', 'messages', 'tools', 'raw', 'text', 'reasoning', 'finish', 'error', 'prompt_tokens', 'prompt_tokens_reused',
               'generated_tokens', 'seconds', 'verdict'];

function showOthers(sample) {
    const others = Object.fromEntries(Object.entries(sample).filter(([key]) => !known.includes(key)));
    return Object.keys(others).length ? make('section', make('h3', 'Also recorded'), showObject(others)) : null;
}

function showCosts(sample) {
    const facts = [];
    if (sample.finish) facts.push(`ended by ${sample.finish}`);
    if (typeof sample.prompt_tokens === 'number')
        facts.push(`${count(sample.prompt_tokens)} prompt tokens` + (sample.prompt_tokens_reused ? `, ${count(sample.prompt_tokens_reused)} reused` : ''));
    if (typeof sample.generated_tokens === 'number') facts.push(`${count(sample.generated_tokens)} generated`);
    if (typeof sample.seconds === 'number') facts.push(`${sample.seconds.toFixed(sample.seconds < 10 ? 2 : 0)} s`);
    return textNode('p.costs', facts.join(' · '));
}

function badge(sample) {
    const verdict = verdictOf(sample);
    return make('span.badge.' + verdict.kind, `${verdict.sign} ${verdict.word}`);
}

function showVerdict(sample) {
    const {correct, ...parts} = sample.verdict ?? {};
    if (!Object.keys(parts).length) return null;
    return make('section.parts', make('h3', 'Verdict'), showObject(parts));
}

/* What one run made of it. `fill` places the answer with its differences, null: plain. */
function showAnswer(run, sample, fill) {
    const head = make('h2', isPair() ? textNode('span.run', run.name) : 'Answer', ' ', badge(sample));
    if (!sample) return make('section.answer', head, make('p.quiet', 'This run has no such sample.'));
    const answer = answerOf(sample);
    return make('section.answer', head,
                showCosts(sample),
                sample.error ? textBlock('pre.error', sample.error) : null,
                sample.reasoning ? folded(`Reasoning, ${plural(sample.reasoning.length, 'character')}`, false, textBlock('pre', sample.reasoning)) : null,
                fill ? make('pre.response') : answer ? textBlock('pre.response', answer) : make('p.quiet', 'The answer is empty.'),
                sample.raw !== undefined && sample.text !== undefined ? folded('As it came', false, textBlock('pre', sample.raw)) : null,
                showVerdict(sample), showOthers(sample));
}

/* Long answers are compared whole, too, but shown in part first like any other. */
function showAnswers(row) {
    const runs = [data.runs[state.first], data.runs[state.second]];
    if (!isPair()) return make('div', showAnswer(runs[0], row.a, null));
    const texts = [row.a, row.b].map((sample) => (sample ? answerOf(sample) : ''));
    const comparable = inBoth(row) && texts.every((text) => text.length <= mostShown);
    const fills = comparable ? differences(...texts) : [null, null];
    const answers = [showAnswer(runs[0], row.a, fills[0]), showAnswer(runs[1], row.b, fills[1])];
    fills.forEach((fill, side) => fill?.(answers[side].querySelector('.response')));
    return make('div.sides', ...answers);
}

/* Messages that both samples begin with are shown once. */
function showPrompt(row) {
    const [a, b] = [row.a, row.b].map((sample) => (sample ? messagesOf(sample) : []));
    let shared = 0;
    while (isPair() && shared < a.length && shared < b.length && a[shared] === b[shared]) shared++;
    const tools = [...new Set(samplesOf(row).map((sample) => sample.tools).filter((place) => typeof place === 'number'))];
    const begin = isPair() && inBoth(row) ? a.slice(0, shared) : a.length ? a : b;
    const rest = isPair() && inBoth(row) ? [a.slice(shared), b.slice(shared)] : [[], []];
    return make('section.prompt', make('h2', begin.length + rest[0].length > 1 ? 'Conversation' : 'Prompt'),
                ...tools.map(showTools), ...begin.map(showMessage),
                rest.some((side) => side.length) ? make('div.sides', ...rest.map((side) => make('div', ...side.map(showMessage)))) : null);
}

function showDetail() {
    const detail = byId('detail'), row = state.shown[state.at];
    if (!row) return detail.replaceChildren(make('p.empty', 'Nothing to show.'));
    const sample = row.a ?? row.b;
    const link = textNode('a', sample.id);
    link.href = addressOf(row);
    const step = (label, by, text) => {
        const button = withAttributes(make('button', text), {type: 'button', 'aria-label': label});
        button.addEventListener('click', () => move(by));
        return button;
    };
    const back = withAttributes(make('button.back', '← List'), {type: 'button'});
    back.addEventListener('click', closeDetail);
    detail.replaceChildren(
        make('div.bar', back, make('h1', link, state.numbered ? make('span.quiet', ` sample ${number(sample) + 1}`) : null),
             make('span.quiet', `${count(state.at + 1)} of ${count(state.shown.length)}`), step('Previous sample', -1, '↑'), step('Next sample', 1, '↓')),
        showPrompt(row), showAnswers(row));
    detail.scrollTop = 0;
}

/* On narrow screens the sample takes the place of the list. */
function openDetail() {
    document.body.classList.add('reading');
    if (matchMedia('(max-width: 52rem)').matches) {
        scrollTo(0, 0);
        byId('detail').focus();
    }
}

function closeDetail() {
    document.body.classList.remove('reading');
    scrollToSelected();
    showRows();
    byId('list').focus();
}

/* --- the summary --- */

/* The figures in summary.json, or what the samples that are there come to. */
const scoreOf = (run) => (isRate(run.summary?.correct) ? run.summary.correct : run.correct);
const weightsOf = (run) => String(run.about.weights ?? run.about.model_name ?? run.name);

function runChoice(label, value, choices, change) {
    const choice = make('select', ...choices.map(([index, name]) => {
        const option = make('option', name.replace(hidden, '\ufffd'));
        option.value = index;
        return option;
    }));
    choice.value = value;
    choice.addEventListener('change', () => change(Number(choice.value)));
    return make('label', make('span', label), choice);
}

const pairOf = (first, second) => data.pairs.find((pair) => pair.first === first && pair.second === second) ??
    turned(data.pairs.find((pair) => pair.first === second && pair.second === first));

/* The same pair with the other run as the reference. */
function turned(pair) {
    if (!pair) return undefined;
    const {holm, difference, ...others} = pair;
    const flipped = difference && {value: -difference.value, low: -difference.high, high: -difference.low};
    return {...others, first: pair.second, second: pair.first, lost: pair.gained, gained: pair.lost, ...(flipped && {difference: flipped})};
}

const partnersOf = (run) => data.runs.map((_, i) => i).filter((i) => i !== run && pairOf(run, i));

function card(run) {
    const score = scoreOf(run), facts = [];
    if (run.about.model ?? run.about.model_name) facts.push(String(run.about.model ?? run.about.model_name));
    for (const key of ['weights', 'activations', 'kv']) if (run.about[key]) facts.push(`${key} ${run.about[key]}`);
    if (typeof run.about.bits_per_weight === 'number') facts.push(`${run.about.bits_per_weight.toFixed(2)} bits`);
    const finishes = run.samples.filter((sample) => sample.finish && sample.finish !== 'stop').length;
    return make('div.card', textNode('div.name', run.name),
                make('div.score', typeof score.accuracy === 'number' ? make('b', percent(score.accuracy) + ' %') : make('b', '–'),
                     ` right${interval(score, percent)}, ${count(score.right)} of ${count(score.n)}`),
                textNode('div.quiet', facts.join(' · ') + (finishes ? ` · ${count(finishes)} not ended by the model` : '')),
                ...run.notes.map((note) => textNode('div.warning', note)));
}

function pairCard(pair) {
    const lines = [make('div.score', make('b', `${count(pair.lost)} lost, ${count(pair.gained)} won`), ` of ${count(pair.samples)}`)];
    if (pair.difference)
        lines.push(make('div', `difference ${signed(pair.difference.value)} points${interval(pair.difference, signed)}`),
                   make('div.quiet', `McNemar's p ${pValue(pair.mcnemar_exact)} exact, ${pValue(pair.mcnemar_mid_p)} mid-p` +
                        (typeof pair.holm === 'number' ? `, ${pValue(pair.holm)} by Holm` : '')));
    else lines.push(make('div.quiet', pair.samples ? 'Several samples of an item are not independent: no test.' : 'The runs have no sample in common.'));
    return make('div.card', make('div.name', 'Second against first'), ...lines);
}

/* What the runs were made with that differs. */
function settingsThatDiffer(a, b) {
    const skipped = ['command', 'repeats', 'variant', 'created', 'machine', 'bits_per_weight', 'schema'];
    const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => !skipped.includes(key));
    const text = (value) => (value === undefined ? 'unset' : typeof value === 'string' ? value : JSON.stringify(value));
    return keys.filter((key) => JSON.stringify(a[key]) !== JSON.stringify(b[key]))
        .map((key) => `${title(key)} (${text(a[key]).slice(0, 60)}, ${text(b[key]).slice(0, 60)})`);
}

function ratesTable(runs) {
    const names = [...new Set(runs.flatMap((run) => Object.keys(run.summary ?? {}).filter((key) => isRate(run.summary[key]))))];
    const rows = runs.map((run) => ({run: run.name, ...Object.fromEntries(names.map((name) => [name, run.summary?.[name]]).filter(([, rate]) => rate))}));
    return names.length ? table(['run', ...names], rows) : null;
}

function figures(run) {
    const others = Object.fromEntries(Object.entries(run.summary ?? {}).filter(([key, value]) => !isScalar(value) && !isRate(value)));
    return make('section', textNode('h3', run.name), Object.keys(others).length ? showObject(others) : null,
                make('h4', 'How it was run'), showObject(run.about));
}

/* All runs of the page against the first of them that has the same questions. */
function runsTable() {
    const rows = data.runs.map((run, i) => {
        const reference = data.runs.findIndex((_, k) => k === i || pairOf(k, i)), pair = pairOf(reference, i), score = scoreOf(run);
        const button = withAttributes(textNode('button.link', run.name), {type: 'button', 'aria-pressed': i === state.first || i === state.second});
        button.addEventListener('click', () => choose(pair ? reference : i, pair ? i : -1));
        const cells = [run.about.suite ?? '', weightsOf(run), typeof run.about.bits_per_weight === 'number' ? run.about.bits_per_weight.toFixed(2) : '–',
                       typeof score.accuracy === 'number' ? percent(score.accuracy) + interval(score, percent) : '–',
                       pair ? count(pair.lost) : '', pair ? count(pair.gained) : '', pair?.difference ? signed(pair.difference.value) : '',
                       pair?.difference ? pValue(pair.mcnemar_exact) : '', typeof pair?.holm === 'number' ? pValue(pair.holm) : ''];
        return make('tr', withAttributes(make('th', button), {scope: 'row'}), ...cells.map((cell) => textNode('td', cell)));
    });
    const heads = ['run', 'suite', 'weights', 'bits', 'right %', 'lost', 'won', 'points', 'p', 'Holm'];
    const head = make('tr', ...heads.map((text) => withAttributes(make('th', text), {scope: 'col'})));
    return make('div.scroll', make('table.runs', make('thead', head), make('tbody', ...rows)));
}

function showSummary() {
    const first = data.runs[state.first], second = data.runs[state.second], pair = isPair() ? pairOf(state.first, state.second) : null;
    const runs = second ? [first, second] : [first], partners = partnersOf(state.first);
    const choices = make('div.row.choices');
    if (data.runs.length > 1)
        choices.append(runChoice('Run', state.first, data.runs.map((run, i) => [i, run.name]), (i) => choose(i, partnersOf(i).includes(state.second) ? state.second : -1)));
    if (partners.length)
        choices.append(runChoice('Against', state.second, [[-1, 'nothing'], ...partners.map((i) => [i, data.runs[i].name])], (i) => choose(state.first, i)));
    const differing = second ? settingsThatDiffer(first.about, second.about) : [];
    const suite = String(first.about.suite ?? 'samples');
    document.title = `${suite}: ${runs.map((run) => run.name).join(' and ')}`;
    byId('summary').replaceChildren(
        make('div.top', textNode('h1', suite), choices),
        make('div.cards', card(first), second ? card(second) : null, pair ? pairCard(pair) : null),
        differing.length ? textNode('p.quiet.differing', `They differ in ${differing.join(', ')}.`) : '',
        data.runs.length > 2 ? folded(`All ${data.runs.length} runs`, state.runsOpen ?? false, runsTable()) : '',
        folded('Figures and settings', false, ratesTable(runs) ?? '', make('div.figures', ...runs.map(figures))));
}

/* --- the address: #ID, or #key=value&... where more has to be said --- */

function addressOf(row) {
    const sample = row.a ?? row.b, parts = new URLSearchParams();
    const initial = initialChoice();
    if (state.first !== initial[0] || state.second !== initial[1]) {
        parts.set('run', data.runs[state.first].name);
        if (isPair()) parts.set('against', data.runs[state.second].name);
    }
    if (number(sample) > 0) parts.set('sample', number(sample));
    if (!parts.size) return '#' + encodeURIComponent(sample.id);
    parts.set('id', sample.id);
    return '#' + parts;
}

function writeAddress() {
    const row = state.shown[state.at];
    if (row) history.replaceState(null, '', addressOf(row));
}

function readAddress() {
    const text = location.hash.slice(1);
    if (text.includes('=')) return new URLSearchParams(text);
    let id = text;
    try {
        id = decodeURIComponent(text);
    } catch { /* taken as it stands */ }
    return new URLSearchParams(id ? {id} : {});
}

/* Two directories on the command line are compared at once; so are a reference and its first variant. */
function initialChoice() {
    const across = data.pairs.find((pair) => data.runs[pair.first].source !== data.runs[pair.second].source);
    const pair = across ?? data.pairs[0];
    return pair ? [pair.first, pair.second] : [0, -1];
}

function goTo(address) {
    const index = (key) => data.runs.findIndex((run) => run.name === address.get(key));
    const [first, second] = index('run') >= 0 ? [index('run'), index('against')] : initialChoice();
    if (first !== state.first || second !== state.second || !state.rows.length)
        choose(first, second >= 0 && pairOf(first, second) ? second : -1);
    const wanted = (row) => {
        const sample = row.a ?? row.b;
        return sample.id === address.get('id') && (!address.has('sample') || number(sample) === Number(address.get('sample')));
    };
    if (!address.has('id')) return;
    if (!state.shown.some(wanted) && state.rows.some(wanted)) clearFilters();
    const place = state.shown.findIndex(wanted);
    if (place < 0) return;
    select(place);
    openDetail();
}

function clearFilters() {
    state.verdict = 'all';
    state.facets.clear();
    state.terms = [];
    state.marks = null;
    byId('query').value = '';
    showFacets();
    refilter();
}

/* Shows these runs; the item that is open stays open. */
function choose(first, second) {
    const open = state.shown[state.at], sample = open && (open.a ?? open.b);
    Object.assign(state, {first, second});
    state.rows = pairRows();
    state.found = {terms: [], rows: state.rows};
    state.numbered = state.rows.some((row) => number(row.a ?? row.b) > 0);
    if (!filters().some(([name]) => name === state.verdict)) state.verdict = 'all';
    const row = sample && state.rows.find(({a, b}) => (a ?? b).id === sample.id && number(a ?? b) === number(sample));
    state.shown = row ? [row] : [];
    state.at = row ? 0 : -1;
    const details = byId('summary').querySelector('details:has(.runs)');
    if (details) state.runsOpen = details.open;
    showSummary();
    showFacets();
    refilter(true);
}

/* --- keys --- */

const listKeys = {ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity};

function nextVerdict() {
    const buttons = [...byId('verdicts').children], pressed = buttons.findIndex((button) => button.getAttribute('aria-pressed') === 'true');
    setVerdict(buttons[(pressed + 1) % buttons.length].dataset.verdict);
}

function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target, typing = target.matches('input, select, textarea');
    if (event.key === 'Escape') {
        if (typing) byId('list').focus();
        else if (document.body.classList.contains('reading')) closeDetail();
        else byId('list').focus();
        return;
    }
    if (target.id === 'query' && (event.key === 'Enter' || event.key === 'ArrowDown')) {
        byId('list').focus();
        event.preventDefault();
        return;
    }
    if (typing) return;
    const step = listKeys[event.key];
    if (event.key === '/') byId('query').select();
    else if (event.key === 'j' || event.key === 'k') move(event.key === 'j' ? 1 : -1);
    else if (event.key === 'f') nextVerdict();
    else if (event.key === 'Enter' && target.id === 'list') openDetail();
    else if (step && (target.id === 'list' || target === document.body)) move(step);
    else return;
    event.preventDefault();
}

/* --- start --- */

let waiting = 0;
byId('query').addEventListener('input', () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => setQuery(byId('query').value));
});
byId('list').addEventListener('scroll', () => requestAnimationFrame(showRows), {passive: true});
new ResizeObserver(() => showRows()).observe(byId('list'));
document.addEventListener('keydown', onKey);
addEventListener('hashchange', () => goTo(readAddress()));
goTo(readAddress());
byId('list').focus({preventScroll: true});
warmUp();

})();
