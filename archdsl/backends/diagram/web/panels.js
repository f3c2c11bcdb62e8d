// What stands beside the graph: title, stage table, details, search, legend.

const details = document.getElementById("ui-details");
const stageBody = document.querySelector("#ui-stages tbody");
const searchBox = document.getElementById("ui-search");
const results = document.getElementById("ui-results");

function tag(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function writeTitle() {
  document.getElementById("ui-name").textContent = data.name;
  const facts = [`${data.input} → ${data.output}`, `${countText(root.params)} params`, `${countText(root.macs)} MACs`, `${data.nodes} ops`];
  document.getElementById("ui-facts").textContent = facts.join("  ·  ");
}

// --- stages --------------------------------------------------------------------------------

function writeStages() {
  data.stages.forEach((stage, index) => {
    const row = tag("tr", stage.kind);
    row.tabIndex = 0;
    row.dataset.stage = index;
    const name = tag("td", "", stage.name);
    if (stage.repeats.length) name.append(tag("small", "", stage.repeats.join(", ")));
    row.append(name, tag("td", "", stage.output), tag("td", "number", String(stage.layers)));
    row.append(cost(stage.params, root.params), cost(stage.macs, root.macs));
    stageBody.append(row);
  });
  const total = tag("tr");
  total.append(tag("td", "", "total"), tag("td"), tag("td", "number", String(root.layers)));
  total.append(tag("td", "number", countText(root.params)), tag("td", "number", countText(root.macs)));
  document.querySelector("#ui-stages tfoot").append(total);
}

/** A number, with its share of the whole as a bar below. */
function cost(value, whole) {
  const cell = tag("td", "number", countText(value));
  const bar = tag("i");
  bar.style.width = `${whole ? (100 * value) / whole : 0}%`;
  cell.append(bar);
  return cell;
}

function stageHolds(stage, part) {
  return stage.nodes.some(([start, stop]) => start < part.stop && part.start < stop);
}

/** The parts that make up a stage, as large as they come. */
function partsOfStage(stage) {
  const found = [];
  const visit = (part) => {
    const within = stage.nodes.some(([start, stop]) => start <= part.start && part.stop <= stop);
    if (within && part !== root) found.push(part);
    else for (const member of part.parts) if (stageHolds(stage, member)) visit(member);
  };
  visit(root);
  return found;
}

// --- details -------------------------------------------------------------------------------

function writeDetails(part) {
  details.hidden = !part;
  details.replaceChildren();
  if (!part) return;
  const head = tag("header");
  const close = tag("button", "", "×");
  close.type = "button";
  close.title = "Close (Esc)";
  close.setAttribute("aria-label", "Close");
  close.addEventListener("click", () => select(null));
  head.append(tag("h2", "", part.title), close);
  details.append(head, tag("p", "what", part.isNode ? `${part.op.name}: ${part.op.about}` : whatScope(part)));
  if (part.doc) details.append(tag("p", "doc", part.doc));
  details.append(facts(part));
  if (part.isNode) details.append(...section("Arguments", pairs(part.op.arguments)), ...section("Weights", weightsOf(part)));
  else details.append(...section("Arguments", pairs(part.arguments)));
}

function whatScope(part) {
  if (part.kind === "model") return `model ${part.definition}`;
  if (part.definition) return `block ${part.definition}${part.stage ? ", a stage" : ""}`;
  return part.stage ? "a stage" : { sequence: "a sequence", container: "labels with a common beginning" }[part.kind] ?? "a group of layers";
}

function facts(part) {
  const list = tag("dl");
  const add = (name, value) => value && list.append(tag("dt", "", name), typeof value === "string" ? tag("dd", "", value) : value);
  const last = order[part.stop - 1];
  add("in", part.isNode ? part.in.join(", ") : [...shapeOfEntries(part)].join(", "));
  add("out", part.isNode ? part.out.join(", ") : [...new Set(part.edges.filter(([, to]) => to < 0).map(([, , ...tensor]) => shapeOf(tensor)))].join(", "));
  add(part === root ? "outputs" : "gives", part.outputs.join(", "));
  add("params", withShare(part.params, root.params));
  add("MACs", withShare(part.macs, root.macs));
  add("activations", part.activations.toLocaleString("en"));
  add(part.isNode ? "receptive field" : "receptive field at its end", part.isNode ? part.field : last?.field);
  if (part.run?.count > 1) add("equal neighbours", `${part.run.count}: ${part.run.first.path} … ${part.run.parts.at(-1).path}`);
  add("written at", placeLink(part));
  return list;
}

function withShare(value, whole) {
  return value ? [value.toLocaleString("en"), shareText(value, whole)].filter(Boolean).join("  ·  ") : "0";
}

function placeLink(part) {
  const span = spans[part.span];
  const cell = tag("dd");
  const link = tag("button", "link", `${data.sources[span.source].name}:${span.line}`);
  link.type = "button";
  link.addEventListener("click", () => markSource(part, true));
  cell.append(link);
  return cell;
}

function section(title, content) {
  return content.childElementCount ? [tag("h3", "", title), content] : [];
}

function pairs(values) {
  const list = tag("dl", "code");
  for (const [name, value] of values) list.append(tag("dt", "", name), tag("dd", "", value));
  return list;
}

function weightsOf(part) {
  const table = tag("table", "weights");
  for (const [name, shape, trainable] of part.weights) {
    const row = tag("tr", trainable ? "" : "buffer");
    row.append(tag("td", "", name ? `${part.path}.${name}` : part.path), tag("td", "", shape));
    if (!trainable) row.title = "a buffer, not trained";
    table.append(row);
  }
  return table;
}

// --- search --------------------------------------------------------------------------------

const MOST_RESULTS = 60;
const texts = parts.map((part) => [part.path, part.isNode ? `${part.op.name} ${part.op.label}` : part.definition].join(" ").toLowerCase());
let chosen = -1;

/** Parts whose path, op or block has all the words; exact and short paths first. */
function search(query) {
  const wanted = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!wanted.length) return [];
  const found = parts.filter((part) => part !== root && wanted.every((word) => texts[part.number].includes(word)));
  const rank = (part) => {
    const path = part.path.toLowerCase();
    const first = wanted[0];
    return path === first ? 0 : path.startsWith(first) ? 1 : path.split(".").includes(first) ? 2 : path.includes(first) ? 3 : 4;
  };
  return found.map((part) => [rank(part), part]).sort(([a, x], [b, y]) => a - b || x.path.length - y.path.length || x.number - y.number).map(([, part]) => part);
}

function writeResults() {
  const found = search(searchBox.value);
  chosen = found.length ? 0 : -1;
  results.replaceChildren();
  found.slice(0, MOST_RESULTS).forEach((part, index) => {
    const entry = tag("li");
    entry.id = `ui-result-${index}`;
    entry.role = "option";
    entry.shows = part;
    entry.append(tag("span", "path", part.path), tag("small", "", part.isNode ? part.op.label : part.definition || part.kind));
    entry.addEventListener("mousedown", (event) => { event.preventDefault(); take(part); });
    results.append(entry);
  });
  if (found.length > MOST_RESULTS) results.append(tag("li", "more", `and ${found.length - MOST_RESULTS} more`));
  if (searchBox.value.trim() && !found.length) results.append(tag("li", "more", "nothing found"));
  showResults(Boolean(searchBox.value.trim()));
  choose(chosen);
}

function showResults(open) {
  results.hidden = !open;
  searchBox.setAttribute("aria-expanded", String(open));
}

function choose(index) {
  const entries = results.querySelectorAll('[role="option"]');
  chosen = entries.length ? (index + entries.length) % entries.length : -1;
  entries.forEach((entry, i) => entry.setAttribute("aria-selected", String(i === chosen)));
  entries[chosen]?.scrollIntoView({ block: "nearest" });
  searchBox.setAttribute("aria-activedescendant", entries[chosen]?.id ?? "");
}

function take(part) {
  showResults(false);
  goTo(part);
  svg.focus({ preventScroll: true });
}

// --- legend --------------------------------------------------------------------------------

const ROLE_NAMES = JSON.parse(getComputedStyle(document.documentElement).getPropertyValue("--role-names") || "{}");

function writeLegend() {
  const used = new Set(order.map((part) => part.op.role));
  const legend = document.getElementById("ui-legend");
  for (const [role, name] of Object.entries(ROLE_NAMES)) {
    if (!used.has(role) && role !== "block") continue;
    const entry = tag("li");
    entry.append(tag("i", `role-${role}`), tag("span", "", name));
    legend.append(entry);
  }
}
