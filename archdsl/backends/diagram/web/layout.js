// Where things are. Scopes are laid out from the inside out: the members of a scope are boxes for dagre, then the scope
// is a box of its parent. Every scope keeps its layout until something in it is opened or closed.

const BOX = { height: 24, pad: 12, least: 84, most: 260, header: 26, margin: 14, scopeHeight: 42 };
const GAP = { ranksep: 28, nodesep: 22, edgesep: 12, turn: 7 };
const FOLLOWS = new Set(["norm", "act", "regularizer"]);
const MANY = 400;

const ruler = document.createElement("canvas").getContext("2d");
const widths = new Map();
const family = getComputedStyle(document.body).fontFamily;

function textWidth(text, bold = false, size = 12) {
  const font = `${bold ? "600 " : ""}${size}px ${family}`;
  const key = font + text;
  if (!widths.has(key)) {
    ruler.font = font;
    widths.set(key, ruler.measureText(text).width);
  }
  return widths.get(key);
}

/** A text cut to a width, with an ellipsis in its middle. */
function fitText(text, limit, bold = false, size = 12) {
  if (textWidth(text, bold, size) <= limit) return text;
  let kept = text.length - 1;
  while (kept > 1) {
    const head = Math.ceil(kept / 2);
    const cut = `${text.slice(0, head).trimEnd()}…${text.slice(text.length - (kept - head)).trimStart()}`;
    if (textWidth(cut, bold, size) <= limit) return cut;
    kept -= 1;
  }
  return "…";
}

/** What a box says: its name in the spec, what it is, how often. */
function wordsOf(part) {
  if (part.isNode) {
    const given = part.outputs.join(", ");
    const label = given ? `${nodeLabel(part)}  → ${given}` : nodeLabel(part);
    return { title: label, name: "", badge: badgeOf(part) };
  }
  const chain = levels(part);
  const name = chain.find((level) => level.definition)?.definition || contents(chain.at(-1));
  return { title: chain.map((level) => level.name).join("."), name, badge: badgeOf(part), detail: scopeDetail(part) };
}

function badgeOf(part) {
  const run = part.run;
  if (!run || run.count < 2) return "";
  return run.folded ? `×${run.count}${run.parallel ? " side by side" : ""}` : run.first === part ? "fold" : "";
}

/** An op's label; where a folded run around it stands for several with other labels (drop rates), first and last. */
function nodeLabel(part) {
  const last = lastInstance(part);
  const label = part.op.label;
  if (last.op.label === label) return label;
  let same = 0;
  while (label[same] === last.op.label[same]) same += 1;
  const cut = label.lastIndexOf(" ", same);
  return `${label} … ${last.op.label.slice(cut + 1)}`;
}

/** The node at the same place in the last members of the folded runs around. */
function lastInstance(part) {
  let place = part.start;
  for (const member of [part, ...part.ancestors()]) {
    if (member.run?.folded && member.run.first === member) place += member.run.parts.at(-1).start - member.start;
  }
  return order[place];
}

/** A scope, its only member if that is a scope, and so on: they are drawn as one. */
function levels(part) {
  const found = [part];
  for (let inner = onlyScope(part); inner; inner = onlyScope(inner)) found.push(inner);
  return found;
}

function scopeDetail(part) {
  const count = part.run?.folded ? part.run.count : 1;
  const total = (key) => (count > 1 ? part.run.parts.reduce((sum, member) => sum + member[key], 0) : part[key]);
  const texts = part.outputs.length ? [`→ ${part.outputs.join(", ")}`] : [];
  if (total("params")) texts.push(`${countText(total("params"))} params`);
  if (total("macs")) texts.push(`${countText(total("macs"))} MACs`);
  return texts.filter(Boolean).join(" · ") || `${part.stop - part.start} ops`;
}

/** What a sequence is made of: `3 × Bottleneck`. */
function contents(part) {
  const names = part.parts.map((member) => member.isNode ? member.op.name : levels(member).find((level) => level.definition)?.definition);
  if (names.length < 2 || !names[0] || names.some((name) => name !== names[0])) return "";
  return `${names.length} × ${names[0]}`;
}

/** Sums and products are drawn as their sign. */
function isRound(part) {
  return part.op.role === "merge" && part.op.label.length === 1 && !part.outputs.length;
}

function boxSize(part) {
  const { title, name, badge, detail } = wordsOf(part);
  const extra = badge ? textWidth(badge, true, 11) + 16 : 0;
  if (part.isNode) {
    if (isRound(part) && !badge) return { width: BOX.height, height: BOX.height };
    const width = textWidth(title) + 2 * BOX.pad + extra;
    return { width: Math.min(BOX.most, Math.max(BOX.least, width)), height: BOX.height };
  }
  const first = 16 + textWidth(title, true) + (name ? 8 + textWidth(name) : 0) + extra;
  const width = Math.max(first, 12 + textWidth(detail, false, 11)) + 2 * BOX.pad + 4;
  return { width: Math.min(BOX.most, Math.max(BOX.least, width)), height: BOX.scopeHeight };
}

/** Lay a scope out: { width, height, items, edges, ins, outs }, in coordinates of its own. */
function layoutOf(scope) {
  if (!scope.layout) {
    const inner = onlyScope(scope);
    // Two frames around the same boxes say nothing: the outer one shows what is in the inner one.
    scope.layout = inner && inner.open && scope !== root ? layoutOf(inner) : arrange(scope);
  }
  return scope.layout;
}

function arrange(scope) {
  const items = itemsOf(scope);
  const links = linksOf(scope, items);
  const stacks = stacksOf(items, links);
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "TB", rankalign: "top", ...GAP, ranker: stacks.length > MANY ? "longest-path" : "network-simplex" });
  graph.setDefaultEdgeLabel(() => ({}));
  stacks.forEach((stack, i) => graph.setNode(`s${i}`, { width: stack.width, height: stack.height }));
  const ports = addPorts(graph, scope, links);
  const names = new Map();
  links.forEach((link, i) => {
    const from = link.source ? `s${link.source.stack}` : ports.ins.get(link.key);
    const to = link.target ? `s${link.target.stack}` : ports.outs.get(link.original);
    if (link.inside || from === to) return;
    const next = link.source && link.target && link.target.stack === link.source.stack + 1;
    const label = link.label ? { width: textWidth(link.label, false, 11) + 8, height: 14, labelpos: "r", labeloffset: 2 } : {};
    graph.setEdge(from, to, { weight: next ? 6 : 1, ...label }, `e${i}`);
    names.set(i, { v: from, w: to, name: `e${i}` });
  });
  dagre.layout(graph);
  return place(scope, graph, stacks, links, ports, names);
}

/** What is drawn in a scope: folded runs as one, everything else by itself. */
function itemsOf(scope) {
  const items = [];
  for (const run of scope.runs) {
    for (const part of run.folded ? [run.first] : run.parts) {
      const inner = part.isScope && part.open ? layoutOf(part) : null;
      const size = inner ? { width: inner.width, height: inner.height } : boxSize(part);
      items.push({ part, run, inner, ...size });
    }
  }
  return items;
}

function itemOf(items, scope) {
  const found = new Map();
  for (const item of items) {
    for (const part of item.run.folded ? item.run.parts : [item.part]) found.set(part.index, item);
  }
  return (index) => (index < 0 ? null : found.get(index));
}

/** The edges between items, one for each pair and, where one side is open, for each tensor. */
function linksOf(scope, items) {
  const item = itemOf(items, scope);
  const found = new Map();
  const entered = new Set();
  const labelled = new Set();
  const add = ([from, to, place, port]) => {
    const source = item(from);
    const target = item(to);
    if (source === target || (scope === root && !target)) return;
    const drawn = source ? place + source.part.start - scope.parts[from].start : place;
    const key = `${drawn}:${port}`;
    const original = `${place}:${port}`;
    const split = !source || !target || source.inner || target.inner;
    // Two of a run that are read by one are one tensor as drawn, and two where they enter.
    const name = `${source ? source.part.index : -1}>${target ? target.part.index : -1}${split ? `:${key}:${original}` : ""}`;
    if (!found.has(name)) found.set(name, { source, target, key, original, tensors: [], label: "" });
    found.get(name).tensors.push([place, port]);
  };
  const isFirst = (index) => index < 0 || !scope.parts[index].run.folded || scope.parts[index].run.first.index === index;
  for (const edge of scope.edges.filter(([, to]) => isFirst(to))) {
    add(edge);
    entered.add(`${item(edge[0])?.part.index ?? -1}>${item(edge[1])?.part.index ?? -1}`);
  }
  // The first of a run shows how it is entered; another adds only what comes from elsewhere.
  for (const edge of scope.edges.filter(([, to]) => !isFirst(to))) {
    if (!entered.has(`${item(edge[0])?.part.index ?? -1}>${item(edge[1]).part.index}`)) add(edge);
  }
  const links = [...found.values()];
  for (const link of links) {
    if (!link.source) continue;
    const changed = link.tensors.filter((tensor) => !labelled.has(String(tensor)) && changesShape(link.source.part, tensor));
    if (!changed.length || !link.target) continue;
    changed.forEach((tensor) => labelled.add(String(tensor)));
    link.label = [...new Set(changed.map(shapeOf))].join(", ");
  }
  return links;
}

/** Whether a tensor's shape is none of those that its source reads. */
function changesShape(part, tensor) {
  const shape = shapeOf(tensor);
  if (part.isNode) return part.in[0] !== shape && !part.op.label.includes(shape);
  const member = shapeOfEntries(part);
  return !member.has(shape);
}

function shapeOfEntries(part) {
  part.entryShapes ??= new Set(part.edges.filter(([from]) => from < 0).map(([, , place, port]) => shapeOf([place, port])));
  return part.entryShapes;
}

/** Chains of an op and what normalizes, activates or drops its result stand on each other without arrows. */
function stacksOf(items, links) {
  const outs = new Map(items.map((item) => [item, []]));
  const ins = new Map(items.map((item) => [item, []]));
  for (const link of links) {
    if (link.source) outs.get(link.source).push(link);
    if (link.target) ins.get(link.target).push(link);
  }
  const stacks = [];
  for (const item of items) {
    const [link] = ins.get(item);
    const before = link?.source;
    const joins = ins.get(item).length === 1 && before && before.part.isNode && item.part.isNode && !isRound(before.part) &&
      outs.get(before).length === 1 && FOLLOWS.has(item.part.op.role) && item.run.count === 1 && before.run.count === 1 &&
      stacks[before.stack].items.at(-1) === before;
    if (joins) {
      link.inside = true;
      item.stack = before.stack;
      stacks[item.stack].items.push(item);
    } else {
      item.stack = stacks.length;
      stacks.push({ items: [item] });
    }
  }
  for (const stack of stacks) {
    stack.width = Math.max(...stack.items.map((item) => item.width));
    stack.height = stack.items.reduce((sum, item) => sum + item.height, 0);
  }
  // A shape that changes inside a stack is told where the stack ends.
  for (const stack of stacks) {
    const [first, last] = [stack.items[0], stack.items.at(-1)];
    const link = outs.get(last)[0];
    if (first !== last && link?.target && !link.label && changesShape(first.part, [first.part.start, 0])) {
      link.label = shapeOf(link.tensors[0]);
    }
  }
  return stacks;
}

/** A point at the upper edge of a scope for each tensor that enters, and at the lower for each that leaves. */
function addPorts(graph, scope, links) {
  const ins = new Map();
  const outs = new Map();
  if (scope === root) return { ins, outs };
  const named = new Map();
  for (const [name, place, port] of scope.ports) {
    const key = `${place}:${port}`;
    named.set(key, named.has(key) ? `${named.get(key)}, ${name}` : name);
  }
  for (const link of links) {
    if (!link.source && !ins.has(link.key)) ins.set(link.key, `i${ins.size}`);
    if (!link.target && !outs.has(link.original)) outs.set(link.original, `o${outs.size}`);
  }
  const label = (key) => named.get(key) ?? "";
  for (const [key, name] of ins) graph.setNode(name, { width: Math.max(10, textWidth(label(key), false, 11) + 8), height: 1 });
  for (const name of outs.values()) graph.setNode(name, { width: 10, height: 1 });
  // Held together at the first and last rank by points that are not drawn.
  if (ins.size > 1) {
    graph.setNode("top", { width: 1, height: 1 });
    for (const name of ins.values()) graph.setEdge("top", name, { weight: 50 });
  }
  if (outs.size > 1) {
    graph.setNode("bottom", { width: 1, height: 1 });
    for (const name of outs.values()) graph.setEdge(name, "bottom", { weight: 50 });
  }
  return { ins, outs, label };
}

function place(scope, graph, stacks, links, ports, names) {
  const isRoot = scope === root;
  const box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  const grow = (x, y, width, height) => {
    box.left = Math.min(box.left, x - width / 2);
    box.right = Math.max(box.right, x + width / 2);
    box.top = Math.min(box.top, y - height / 2);
    box.bottom = Math.max(box.bottom, y + height / 2);
  };
  const portNames = [...ports.ins.values(), ...ports.outs.values()];
  stacks.forEach((stack, i) => {
    const node = graph.node(`s${i}`);
    grow(node.x, node.y, stack.width, stack.height);
  });
  for (const name of portNames) grow(graph.node(name).x, graph.node(name).y, graph.node(name).width, 1);
  for (const edge of names.values()) {
    const { points, x, y, width } = graph.edge(edge);
    points.forEach((point) => grow(point.x, point.y, 0, 0));
    if (width) grow(x, y, width, 12);
  }
  const { header, margin } = isRoot ? { header: 0, margin: 20 } : BOX;
  const wanted = isRoot ? 0 : frameWidth(scope);
  const entry = ports.ins.size === 1 ? graph.node([...ports.ins.values()][0]).x : null;
  const lean = entry === null ? 0 : 2 * entry - box.left - box.right;
  // What enters nearly in the middle enters there: blocks on each other are then joined by straight lines.
  if (Math.abs(lean) < 0.35 * (box.right - box.left)) box[lean > 0 ? "right" : "left"] += lean;
  const width = Math.max(box.right - box.left + 2 * margin, wanted);
  const dx = (width - (box.right - box.left)) / 2 - box.left;
  const above = ports.ins.size ? 4 : margin;
  const dy = header + above - box.top;
  const height = box.bottom + dy + (ports.outs.size ? 4 : margin);
  stacks.forEach((stack, i) => {
    const node = graph.node(`s${i}`);
    let y = node.y - stack.height / 2 + dy;
    for (const item of stack.items) {
      const own = item.inner ? item.width : stack.width;
      Object.assign(item, { x: node.x - own / 2 + dx, y, width: own });
      y += item.height;
    }
  });
  const at = (map, y) => new Map([...map].map(([key, name]) => [key, { x: graph.node(name).x + dx, y, label: ports.label(key) }]));
  const ins = at(ports.ins, header);
  const outs = at(ports.outs, height);
  const edges = [];
  links.forEach((link, i) => {
    if (!names.has(i)) return;
    const edge = graph.edge(names.get(i));
    const route = edge.points.map((point) => ({ x: point.x + dx, y: point.y + dy }));
    const points = attach(link, straightened(route, link.label), ins, outs);
    edges.push({ ...link, points, at: link.label ? { x: points[0].x + 6, y: points[0].y + 14 } : null });
  });
  return { width, height, items: stacks.flatMap((stack) => stack.items), edges, ins, outs };
}

function frameWidth(scope) {
  while (scope.up && scope.up !== root && onlyScope(scope.up) === scope) scope = scope.up;
  const { title, name, badge } = wordsOf(scope);
  const badgeWidth = badge ? textWidth(badge, true, 11) + 16 : 0;
  return Math.min(420, 2 * BOX.pad + 20 + textWidth(title, true) + (name ? 8 + textWidth(name) : 0) + badgeWidth);
}

/** Let an edge end exactly where it should: at the middle of a box, at the port of an open scope, at the frame. */
function attach(link, points, ins, outs) {
  const [first, leave] = points;
  const [come, last] = points.slice(-2);
  if (!link.source) Object.assign(first, pick(ins.get(link.key)));
  else {
    const port = link.source.inner?.outs.get(link.key);
    const x = port ? link.source.x + port.x : clampX(first.x, link.source);
    Object.assign(first, { x, y: link.source.y + link.source.height });
  }
  if (!link.target) Object.assign(last, pick(outs.get(link.original)));
  else {
    const port = link.target.inner?.ins.get(link.original) ?? link.target.inner?.ins.get(link.key);
    const x = port ? link.target.x + port.x : clampX(last.x, link.target);
    Object.assign(last, { x, y: link.target.y });
  }
  Object.assign(leave, { x: first.x, y: Math.max(first.y, leave.y) });
  Object.assign(come, { x: last.x, y: Math.min(last.y, come.y) });
  return points;
}

/** A route that leaves and comes vertically: it turns only between ranks, and below what is written beside it. */
function straightened(route, label) {
  const [start, end] = [route[0], route.at(-1)];
  const leave = { x: start.x, y: Math.max(start.y, route[1].y + (label ? 2 : -GAP.turn)) };
  const come = { x: end.x, y: Math.min(end.y, route.at(-2).y + (route.length === 3 && label ? 2 * GAP.turn : GAP.turn)) };
  // Between neighbouring ranks the middle only held the place of the label.
  return [start, leave, ...(route.length === 3 ? [] : route.slice(label ? 2 : 1, -1)), come, end];
}

function pick({ x, y }) { return { x, y }; }

function clampX(x, item) {
  const inset = Math.min(14, item.width / 3);
  return Math.min(Math.max(x, item.x + inset), item.x + item.width - inset);
}
