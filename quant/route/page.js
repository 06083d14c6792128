/* The page that `lfmscope routing --route` writes. Tokens, names and labels are placed as text: nothing here parses markup. */
'use strict';
(() => {

const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId('data').textContent);
byId('data').remove();

const E = data.experts, K = data.top_k;
const reference = data.traces[0];
const layers = reference.layers.map((layer) => layer.layer);
const rowHeight = 24, expertWidth = 20, close = 0.001;
const state = {document: 0, trace: 0, layer: 0, expert: -1, token: 0, changed: false, shown: []};

/* --- elements --- */

/* make('p.note', 'text', node, ...): strings become text; null is left out. */
function make(name, ...children) {
    const [tag, ...classes] = name.split('.');
    const element = document.createElement(tag);
    if (classes.length) element.className = classes.join(' ');
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
}

function options(select, texts) {
    select.replaceChildren(...texts.map((text, i) => {
        const option = make('option', text);
        option.value = i;
        return option;
    }));
}

/* What cannot be seen or reorders what is seen, written out: controls, zero-width and direction marks. */
const hidden = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/gu;
const written = (character) => 'U+' + character.codePointAt(0).toString(16).toUpperCase().padStart(4, '0');
const visible = (text) => text.replace(hidden, written);
/* On one line: newlines, tabs and blanks at the ends as signs. */
const oneLine = (text) => visible(text).replace(/\n/g, '↵').replace(/\t/g, '⇥').replace(/^ | $/g, '␣');

const pieceOf = (token) => data.pieces[data.tokens[token]];
const idOf = (token) => data.ids[data.tokens[token]];

/* --- decisions --- */

const setOf = (trace, layer, token) => trace.layers[layer].selected.slice(token * K, token * K + K);
const weightsOf = (trace, layer, token) => trace.layers[layer].weights.slice(token * K, token * K + K);
const marginOf = (trace, layer, token) => trace.layers[layer].margins[token];

/* Looked up for every layer of every token: no lists are made here. */
function isMoved(trace, layer, token) {
    if (trace === reference) return false;
    const here = trace.layers[layer].selected, there = reference.layers[layer].selected, end = (token + 1) * K;
    for (let i = token * K; i < end; i++) {
        let kept = false;
        for (let j = token * K; j < end && !kept; j++) kept = here[i] === there[j];
        if (!kept) return true;
    }
    return false;
}

/* Hues go round by the golden angle, so that neighbours in number differ. */
const colour = (expert, strength) =>
    `hsl(${(expert * 137.508) % 360} var(--chroma) var(--light) / ${Math.min(1, Math.max(0.12, strength)).toFixed(2)})`;

/* --- the text --- */

let spans = [];

function paintText() {
    const trace = data.traces[state.trace], first = data.documents[state.document].first;
    spans.forEach((span, i) => {
        const token = first + i, set = setOf(trace, state.layer, token), weights = weightsOf(trace, state.layer, token);
        const total = weights.reduce((sum, weight) => sum + weight, 0) || 1;
        const at = state.expert < 0 ? 0 : set.indexOf(state.expert);
        span.style.background = at < 0 ? '' : colour(set[at], state.expert < 0 ? 1 : 0.3 + 1.4 * weights[at] / total);
        span.classList.toggle('moved', isMoved(trace, state.layer, token));
    });
}

function fillText() {
    const where = data.documents[state.document];
    spans = [];
    for (let i = 0; i < where.tokens; i++) {
        const text = pieceOf(where.first + i);
        const span = make('span', data.texts ? visible(text) : text + ' ');
        span.dataset.token = where.first + i;
        spans.push(span);
    }
    byId('text').replaceChildren(...spans);
    byId('text').scrollTop = 0;
    paintText();
}

/* --- the grid: only the rows in sight are elements --- */

const lines = new Map();

function makeCell(trace, layer, token) {
    const cell = make('span.cell'), set = setOf(trace, layer, token), weights = weightsOf(trace, layer, token);
    const most = Math.max(...weights) || 1, margin = marginOf(trace, layer, token);
    const there = trace === reference ? null : setOf(reference, layer, token);
    set.forEach((expert, k) => {
        const part = make('i', String(expert));
        part.style.background = colour(expert, 0.15 + 0.85 * weights[k] / most);
        if (there && !there.includes(expert)) part.className = 'other';
        cell.append(part);
    });
    cell.dataset.layer = layer;
    cell.title = `layer ${layers[layer]}: ` + set.map((expert, k) => `${expert} (${weights[k]})`).join(', ') +
                 (margin === null ? '' : `; margin ${margin}`);
    if (margin !== null && margin < close) cell.classList.add('close');
    if (layer === state.layer) cell.classList.add('now');
    return cell;
}

function makeLine(index) {
    const token = state.shown[index], where = data.documents[state.document], trace = data.traces[state.trace];
    const line = make('div.line', make('span.place', String(where.position + token - where.first)),
                      make('span.piece', oneLine(pieceOf(token))));
    for (let layer = 0; layer < layers.length; layer++) line.append(makeCell(trace, layer, token));
    line.style.transform = `translateY(${index * rowHeight}px)`;
    line.dataset.token = token;
    if (token === state.token) line.classList.add('chosen');
    return line;
}

function drawLines() {
    const grid = byId('grid'), rows = byId('rows');
    const from = Math.max(0, Math.floor(grid.scrollTop / rowHeight) - 6);
    const to = Math.min(state.shown.length, Math.ceil((grid.scrollTop + grid.clientHeight) / rowHeight) + 6);
    for (const [index, line] of lines)
        if (index < from || index >= to) {
            line.remove();
            lines.delete(index);
        }
    for (let index = from; index < to; index++)
        if (!lines.has(index)) {
            lines.set(index, makeLine(index));
            rows.append(lines.get(index));
        }
}

function fillGrid() {
    const where = data.documents[state.document], trace = data.traces[state.trace];
    state.shown = [];
    for (let token = where.first; token < where.first + where.tokens; token++)
        if (!state.changed || layers.some((_, layer) => isMoved(trace, layer, token))) state.shown.push(token);
    byId('count').textContent = `${state.shown.length} of ${where.tokens} tokens`;
    byId('rows').style.height = `${state.shown.length * rowHeight}px`;
    byId('rows').replaceChildren();
    lines.clear();
    const heads = layers.map((layer, i) => {
        const head = make(i === state.layer ? 'span.head.now' : 'span.head', `layer ${layer}`);
        head.style.width = `${K * expertWidth + 2}px`;
        if (K * expertWidth < 50) head.textContent = String(layer);
        head.dataset.layer = i;
        return head;
    });
    byId('heads').replaceChildren(make('span.place', ''), make('span.piece', 'token'), ...heads);
    drawLines();
}

/* --- the token --- */

function describeSet(trace, layer, token, there) {
    const cell = make('td');
    setOf(trace, layer, token).forEach((expert, k) => {
        const name = make(there && !there.includes(expert) ? 'b.other' : 'b', String(expert));
        cell.append(k ? ', ' : '', name, ` ${weightsOf(trace, layer, token)[k]}`);
    });
    return cell;
}

function fillDetail() {
    const token = state.token, where = data.documents[state.document], trace = data.traces[state.trace];
    const table = make('table', make('tr', make('th', 'layer'), make('th', 'experts and weights'), make('th', 'margin')));
    layers.forEach((number, layer) => {
        const there = trace === reference ? null : setOf(reference, layer, token);
        const margin = marginOf(trace, layer, token);
        const row = make(layer === state.layer ? 'tr.now' : 'tr', make('td', String(number)), describeSet(trace, layer, token, there),
                         make('td', margin === null ? '–' : String(margin)));
        table.append(row);
        if (isMoved(trace, layer, token))
            table.append(make('tr', make('td', ''), describeSet(reference, layer, token, null),
                              make('td', `${marginOf(reference, layer, token)} (reference)`)));
    });
    byId('detail').replaceChildren(make('h2', oneLine(pieceOf(token))),
                                   make('p.quiet', `id ${idOf(token)}, position ${where.position + token - where.first}`), table);
}

function choose(token, scroll) {
    const where = data.documents[state.document];
    for (const line of lines.values()) line.classList.toggle('chosen', Number(line.dataset.token) === token);
    spans[state.token - where.first]?.classList.remove('chosen');
    state.token = token;
    spans[token - where.first]?.classList.add('chosen');
    fillDetail();
    const index = state.shown.indexOf(token), grid = byId('grid');
    if (!scroll || index < 0) return;
    const top = index * rowHeight, heads = byId('heads').offsetHeight;
    if (top < grid.scrollTop) grid.scrollTop = top;
    else if (top + rowHeight + heads > grid.scrollTop + grid.clientHeight) grid.scrollTop = top + rowHeight + heads - grid.clientHeight;
    spans[token - where.first]?.scrollIntoView({block: 'nearest'});
    drawLines();
}

function chooseLayer(layer) {
    state.layer = Math.min(layers.length - 1, Math.max(0, layer));
    byId('layer').value = state.layer;
    paintText();
    for (const marked of byId('grid').querySelectorAll('.now')) marked.classList.remove('now');
    for (const cell of byId('grid').querySelectorAll(`[data-layer="${state.layer}"]`)) cell.classList.add('now');
    fillDetail();
}

function chooseDocument(index) {
    state.document = index;
    state.token = data.documents[index].first;
    byId('grid').scrollTop = 0;
    fillText();
    fillGrid();
    choose(state.token, false);
}

/* --- what the reader does --- */

function step(by) {
    const at = state.shown.indexOf(state.token);
    const next = state.shown[Math.min(state.shown.length - 1, Math.max(0, at + by))];
    if (next !== undefined) choose(next, true);
}

document.addEventListener('keydown', (event) => {
    if (event.target.closest('select, input') || event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = {ArrowDown: 1, ArrowUp: -1, PageDown: 15, PageUp: -15};
    if (event.key in steps) step(steps[event.key]);
    else if (event.key === 'ArrowLeft') chooseLayer(state.layer - 1);
    else if (event.key === 'ArrowRight') chooseLayer(state.layer + 1);
    else return;
    event.preventDefault();
});
byId('grid').addEventListener('scroll', drawLines, {passive: true});
window.addEventListener('resize', drawLines);
byId('grid').addEventListener('click', (event) => {
    const layer = event.target.closest('[data-layer]'), line = event.target.closest('.line');
    if (line) choose(Number(line.dataset.token), true);
    if (layer) chooseLayer(Number(layer.dataset.layer));
});
byId('text').addEventListener('click', (event) => {
    const span = event.target.closest('[data-token]');
    if (span) choose(Number(span.dataset.token), true);
});
byId('document').addEventListener('change', (event) => chooseDocument(Number(event.target.value)));
byId('layer').addEventListener('change', (event) => chooseLayer(Number(event.target.value)));
byId('expert').addEventListener('change', (event) => {
    state.expert = Number(event.target.value) - 1;
    paintText();
});
byId('trace').addEventListener('change', (event) => {
    state.trace = Number(event.target.value);
    paintText();
    fillGrid();
    fillDetail();
});
byId('changed').addEventListener('change', (event) => {
    state.changed = event.target.checked;
    byId('grid').scrollTop = 0;
    fillGrid();
});

/* --- the beginning --- */

const about = [`${reference.model}, weights ${reference.format} (${reference.bits} bits)`, `${data.tokens.length} tokens`,
               `${E} experts, ${K} per token`, reference.file];
if (!reference.complete) about.push('the trace is incomplete');
if (data.left_out) about.push(`${data.left_out} further tokens are not on this page`);
if (!data.texts) about.push('tokens are ids: --tokenizer MODEL gives them their text');
byId('about').textContent = about.map(visible).join(' · ');
options(byId('document'), data.documents.map((one) =>
    visible(`${one.name}${one.label ? ` (${one.label})` : ''}, ${one.tokens} tokens${one.position ? ` from ${one.position} on` : ''}`)));
options(byId('trace'), data.traces.map((trace, i) => visible(`${trace.format}${i ? '' : ' (reference)'}: ${trace.file}`)));
options(byId('layer'), layers.map(String));
options(byId('expert'), ['the first expert', ...Array.from({length: E}, (_, expert) => `expert ${expert}`)]);
byId('trace-choice').hidden = byId('changed-choice').hidden = byId('outline').hidden = data.traces.length < 2;
chooseDocument(0);

})();
