// The network as the page knows it: parts by number, with links between them. `archdsl/backends/diagram/page_data.py`
// says what the data means.

const data = JSON.parse(document.getElementById("ui-data").textContent);

class Run {
  constructor(scope, parts, parallel) {
    this.scope = scope;
    this.parts = parts;
    this.parallel = parallel;
    this.folded = parts.length > 1;
    for (const part of parts) part.run = this;
  }
  get first() { return this.parts[0]; }
  get count() { return this.parts.length; }
}

class Part {
  constructor(number, raw) {
    Object.assign(this, raw);
    this.number = number;
    this.parts = [];
    this.runs = [];
    this.run = null;
    this.open = false;
    this.layout = null;
    this.isNode = raw.op !== undefined;
    if (this.isNode) {
      this.op = data.ops[raw.op];
      this.in = raw.in.map((i) => data.shapes[i]);
      this.out = raw.out.map((i) => data.shapes[i]);
      this.field = data.fields[raw.field];
      this.weights = data.weights[raw.weights];
    }
  }
  get isScope() { return !this.isNode; }
  get title() { return this.path || data.name; }
  /** Whether it is drawn as one box when visible. */
  get isBox() { return this.isNode || !this.open; }
  *ancestors() { for (let part = this.up; part; part = part.up) yield part; }
  /** The names of the outputs of the network that it gives; of a folded run, those of all of it. */
  get outputs() { return (this.run?.folded ? this.run.parts : [this]).flatMap((part) => order.slice(part.start, part.stop).flatMap((node) => node.gives ?? [])); }
  holds(place) { return this.start <= place && place < this.stop; }
}

const parts = data.parts.map((raw, number) => new Part(number, raw));
const root = parts[0];
/** Nodes as the tree is read: the numbers of tensors are positions here. */
const order = [];

for (const part of parts) {
  part.up = part.up < 0 ? null : parts[part.up];
  if (part.up) {
    part.index = part.up.parts.length;
    part.up.parts.push(part);
  }
  part.start = order.length;
  if (part.isNode) order.push(part);
}
for (const part of [...parts].reverse()) part.stop = part.isNode ? part.start + 1 : part.parts.at(-1)?.stop ?? part.start;
for (const part of parts) {
  if (part.isNode) continue;
  part.runs = part.runs.length ? part.runs : [];
  const runs = data.parts[part.number].runs;
  part.runs = runs.map(([first, count, parallel]) => new Run(part, part.parts.slice(first, first + count), Boolean(parallel)));
}
for (const number of data.open) parts[number].open = true;

/** Which nodes read each node, by place. */
const readers = order.map(() => []);
order.forEach((part, place) => {
  for (const [source] of part.reads) readers[source].push(place);
});

function shapeOf([place, port]) { return order[place].out[port]; }

/** The box or frame that shows a part as things are: itself, the first of a folded run, or a closed scope around. */
function shownAs(part) {
  const chain = [part, ...part.ancestors()].reverse();
  let shown = chain[0];
  for (const member of chain.slice(1)) {
    if (shown.isNode || !shown.open) return shown;
    const counterpart = shown.parts[member.index];
    shown = counterpart.run.folded ? counterpart.run.first : counterpart;
  }
  return shown;
}

/** Whether a part itself is drawn, as a box or a frame. */
function isDrawn(part) { return shownAs(part) === part; }

/** Open everything around a part, and unfold runs that it is not the first of. */
function reveal(part) {
  for (const around of [...part.ancestors()]) setOpen(around, true);
  for (const member of [part, ...part.ancestors()]) {
    if (member.run && member.run.folded && member.run.first !== member) setFolded(member.run, false);
  }
}

/** The only member of a scope, if that is a scope: they open and close together. */
function onlyScope(part) {
  return part.parts.length === 1 && part.parts[0].isScope ? part.parts[0] : null;
}

function setOpen(part, open) {
  for (let scope = part; scope; scope = onlyScope(scope)) {
    if (scope.isNode || scope === root) return;
    scope.open = open;
    forget(scope);
  }
}

function setFolded(run, folded) {
  run.folded = folded && run.count > 1;
  forget(run.scope);
}

/** Lay a scope and those around it out again. */
function forget(part) {
  part.layout = null;
  for (const around of part.ancestors()) around.layout = null;
}

/** All nodes from which one can be reached, or that it reaches, by place, itself included. */
function closure(places, next) {
  const seen = new Set(places);
  const stack = [...places];
  while (stack.length) {
    for (const place of next(stack.pop())) {
      if (!seen.has(place)) {
        seen.add(place);
        stack.push(place);
      }
    }
  }
  return seen;
}

function upstream(part) {
  return closure(placesOf(part), (place) => order[place].reads.map(([source]) => source));
}

function downstream(part) {
  return closure(placesOf(part), (place) => readers[place]);
}

function placesOf(part) {
  return Array.from({ length: part.stop - part.start }, (_, i) => part.start + i);
}

const UNITS = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "K"]];

/** 25.6 M: four significant digits. */
function countText(value) {
  for (const [factor, unit] of UNITS) {
    if (value >= factor) return `${Number((value / factor).toPrecision(4))} ${unit}`;
  }
  return String(value);
}

function shareText(value, whole) {
  if (!whole || !value) return "";
  const share = (100 * value) / whole;
  return share < 0.1 ? "<0.1 %" : `${share.toFixed(1)} %`;
}
