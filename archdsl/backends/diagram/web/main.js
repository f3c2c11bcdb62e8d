// What happens on mouse and keys: hovering, selecting, opening, searching.

const state = { hovered: [], selected: null, other: null };
const said = document.getElementById("ui-said");
const hint = document.getElementById("ui-hint");

// --- lighting ------------------------------------------------------------------------------

/** Show what is hovered and selected: in the graph, the table and the source. */
function paint() {
  const lit = new Set(state.hovered.map((part) => drawn.get(shownAs(part).number)));
  for (const group of drawn.values()) {
    group.classList.toggle("hovered", lit.has(group));
    group.classList.toggle("selected", Boolean(state.selected) && drawn.get(shownAs(state.selected).number) === group);
    group.classList.toggle("other", Boolean(state.other) && drawn.get(shownAs(state.other).number) === group);
  }
  paintPaths();
  for (const row of stageBody.children) {
    const stage = data.stages[row.dataset.stage];
    row.classList.toggle("hovered", state.hovered.length > 0 && state.hovered.every((part) => part !== root && stageHolds(stage, part)));
    row.classList.toggle("selected", Boolean(state.selected) && stageHolds(stage, state.selected));
  }
}

/** What is before and after the selected part, or between it and another, in full colour; the rest pale. */
function paintPaths() {
  const on = Boolean(state.selected) && state.selected !== root;
  svg.classList.toggle("paths", on);
  if (!on) return;
  const { before, after } = pathsOf();
  const within = (part, places) => {
    for (let place = part.start; place < part.stop; place += 1) if (places.has(place)) return true;
    return false;
  };
  for (const group of drawn.values()) {
    group.classList.toggle("before", within(group.shows, before));
    group.classList.toggle("after", within(group.shows, after));
  }
  for (const edge of drawnEdges) {
    const from = edge.tensors.map(([place]) => order[place]);
    const reads = (places) => from.some((part) => places.has(part.start) && readers[part.start].some((reader) =>
      places.has(reader) && (!edge.targetPart || holdsShown(edge.targetPart, reader))));
    edge.classList.toggle("before", reads(before));
    edge.classList.toggle("after", reads(after));
    edge.querySelector("path").classList.toggle("lit", edge.classList.contains("before") || edge.classList.contains("after"));
  }
}

/** Whether a node is in a part that is drawn, or in one that it stands for. */
function holdsShown(part, place) {
  return part.run?.folded ? part.run.first.start <= place && place < part.run.parts.at(-1).stop : part.holds(place);
}

function pathsOf() {
  const { selected, other } = state;
  if (!other) return { before: upstream(selected), after: downstream(selected) };
  const between = (from, to) => {
    const back = upstream(to);
    return new Set([...downstream(from)].filter((place) => back.has(place)));
  };
  const forth = between(selected, other);
  const places = forth.size ? forth : between(other, selected);
  return { before: places, after: new Set() };
}

function hover(found, scroll = false) {
  if (found.length === state.hovered.length && found.every((part, i) => part === state.hovered[i])) return;
  state.hovered = found;
  paint();
  const [part] = found;
  markSource(part ?? state.selected, scroll && Boolean(part));
}

function select(part, other = null) {
  state.selected = part;
  state.other = other;
  writeDetails(part);
  paint();
  markSource(part, Boolean(part));
  hint.textContent = other ? pathHint() : "";
  if (part) said.textContent = spoken(part);
  history.replaceState(null, "", part && part.path ? `#${encodeURIComponent(part.path)}` : location.pathname + location.search);
}

function pathHint() {
  const { before } = pathsOf();
  const [a, b] = [state.selected.title, state.other.title];
  return before.size ? `paths between ${a} and ${b}: ${before.size} ops` : `no path between ${a} and ${b}`;
}

/** Show a part, wherever it is, and select it. */
function goTo(part) {
  if (!isDrawn(part)) {
    reveal(part);
    render();
  }
  select(part);
  bringIntoView(part);
}

// --- opening -------------------------------------------------------------------------------

function toggleOpen(part) {
  if (part.isNode || part === root) return;
  setOpen(part, !part.open);
  redraw(part);
  said.textContent = `${part.title} ${part.open ? "open" : "closed"}`;
}

function toggleFold(part) {
  setFolded(part.run, !part.run.folded);
  redraw(part.run.first);
}

function visibleScopes() {
  return [...drawn.values()].map((group) => group.shows).filter((part) => part.isScope);
}

function openLevel() {
  const anchor = inFocus();
  for (const part of visibleScopes().filter((scope) => !scope.open)) setOpen(part, true);
  redraw(anchor);
}

/** Close the open scopes that hold no other open scope. */
function closeLevel() {
  const anchor = inFocus();
  const open = visibleScopes().filter((part) => part.open);
  const holds = (part) => open.some((other) => other !== part && other !== onlyScope(part) && [...other.ancestors()].includes(part));
  for (const part of open.filter((scope) => !holds(scope))) setOpen(part, false);
  redraw(anchor);
}

/** What stays where it is when much changes: the selected box, or the one nearest to the middle of the screen. */
function inFocus() {
  if (state.selected && drawn.has(state.selected.number)) return state.selected;
  const outer = svg.getBoundingClientRect();
  const away = (part) => {
    const box = boundsOf(part);
    return Math.hypot(box.left + box.width / 2 - outer.left - outer.width / 2, box.top - outer.top - outer.height / 3);
  };
  return [...drawn.values()].map((group) => group.shows).reduce((a, b) => (away(b) < away(a) ? b : a));
}

// --- mouse ---------------------------------------------------------------------------------

function partAt(target) {
  const group = target.closest?.("[data-part]");
  return group && scene.contains(group) ? parts[Number(group.dataset.part)] : null;
}

let drag = null;

svg.addEventListener("pointerdown", (event) => {
  if (event.button === 0) drag = { x: event.clientX, y: event.clientY, moved: false };
});
window.addEventListener("pointermove", (event) => {
  if (!drag) return;
  const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
  if (!drag.moved && Math.hypot(dx, dy) < 4) return;
  drag = { x: event.clientX, y: event.clientY, moved: true };
  svg.classList.add("dragging");
  pan(dx, dy);
});
window.addEventListener("pointerup", () => {
  svg.classList.remove("dragging");
  setTimeout(() => { drag = null; });
});
svg.addEventListener("click", (event) => {
  if (drag?.moved) return;
  const part = partAt(event.target);
  const action = event.target.closest?.("[data-action]")?.dataset.action;
  if (part && action === "toggle") toggleOpen(part);
  else if (part && action === "fold") toggleFold(part);
  else if (part && event.shiftKey && state.selected) select(state.selected, part);
  else select(part);
});
svg.addEventListener("dblclick", (event) => {
  const part = partAt(event.target);
  if (part && !event.target.closest("[data-action]")) toggleOpen(part);
});
svg.addEventListener("pointerover", (event) => {
  if (drag?.moved) return;
  const part = partAt(event.target);
  hover(part ? [part] : [], true);
});
svg.addEventListener("pointerleave", () => hover([]));
svg.addEventListener("wheel", (event) => {
  event.preventDefault();
  const outer = svg.getBoundingClientRect();
  if (event.ctrlKey || event.metaKey) zoom(Math.exp(-event.deltaY / 300), { x: event.clientX - outer.left, y: event.clientY - outer.top });
  else if (event.shiftKey && !event.deltaX) pan(-event.deltaY, 0);
  else pan(-event.deltaX, -event.deltaY);
}, { passive: false });

sourcePane.addEventListener("pointerover", (event) => {
  const span = spanAt(event.target);
  hover(span ? span.parts : []);
});
sourcePane.addEventListener("pointerleave", () => hover([]));
sourcePane.addEventListener("click", (event) => {
  const span = spanAt(event.target);
  if (span) goTo(span.parts.find(isDrawn) ?? shownOrFirst(span.parts));
});

function shownOrFirst(found) { return found[0]; }

stageBody.addEventListener("pointerover", (event) => {
  const row = event.target.closest("tr");
  hover(row ? partsOfStage(data.stages[row.dataset.stage]) : []);
});
stageBody.addEventListener("pointerleave", () => hover([]));
stageBody.addEventListener("click", (event) => goToStage(event.target.closest("tr")));
stageBody.addEventListener("keydown", (event) => { if (event.key === "Enter") goToStage(event.target.closest("tr")); });

function goToStage(row) {
  if (row) goTo(partsOfStage(data.stages[row.dataset.stage])[0]);
}

// --- keys ----------------------------------------------------------------------------------

/** The box that an edge from or to a part leads to. */
function along(part, forwards) {
  const shown = shownAs(part);
  const places = forwards ? closureStep(shown, readers) : [...sources(shown)];
  const boxes = places.map((place) => shownAs(order[place])).filter((box) => box !== shown && !box.holds(shown.start));
  return forwards ? boxes[0] : boxes.at(-1);
}

function closureStep(part, next) {
  const end = part.run?.folded ? part.run.parts.at(-1).stop : part.stop;
  const found = [];
  for (let place = part.start; place < end; place += 1) found.push(...next[place].filter((reader) => reader >= end || reader < part.start));
  return found.sort((a, b) => a - b);
}

function sources(part) {
  const found = new Set();
  for (let place = part.start; place < part.stop; place += 1) {
    for (const [source] of order[place].reads) if (!part.holds(source)) found.add(source);
  }
  return [...found].sort((a, b) => a - b);
}

function neighbour(part, step) {
  const shown = shownAs(part);
  const siblings = shown.up ? [...new Set(shown.up.parts.map(shownAs))] : [];
  return siblings[siblings.indexOf(shown) + step];
}

function moveTo(part) {
  if (!part || part === root) return;
  select(part);
  bringIntoView(part);
}

const GRAPH_KEYS = {
  ArrowDown: (part) => moveTo(part ? along(part, true) : shownAs(order[0])),
  ArrowUp: (part) => moveTo(part ? along(part, false) : shownAs(order[0])),
  ArrowRight: (part, event) => moveTo(part && (event.altKey ? part.open && shownAs(part.parts[0]) : neighbour(part, 1))),
  ArrowLeft: (part, event) => moveTo(part && (event.altKey ? part.up : neighbour(part, -1))),
  Enter: (part) => part && toggleOpen(shownAs(part)),
  " ": (part) => part && toggleOpen(shownAs(part)),
};
const KEYS = {
  "/": () => searchBox.focus(),
  "+": () => zoom(1.25),
  "=": () => zoom(1.25),
  "-": () => zoom(0.8),
  0: fit,
  e: openLevel,
  E: closeLevel,
  t: switchTheme,
  "?": () => document.getElementById("ui-keys").showModal(),
  Escape: () => select(null),
};

document.addEventListener("keydown", (event) => {
  if (event.target === searchBox || event.ctrlKey || event.metaKey || document.querySelector("dialog[open]")) return;
  const inGraph = event.target === svg || event.target === document.body;
  const action = (inGraph && GRAPH_KEYS[event.key]) || KEYS[event.key];
  if (!action) return;
  event.preventDefault();
  action(state.selected, event);
});

searchBox.addEventListener("input", writeResults);
searchBox.addEventListener("focus", () => { if (searchBox.value.trim()) writeResults(); });
searchBox.addEventListener("blur", () => showResults(false));
searchBox.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown") choose(chosen + 1);
  else if (event.key === "ArrowUp") choose(chosen - 1);
  else if (event.key === "Enter") { const entry = results.querySelectorAll('[role="option"]')[chosen]; if (entry) take(entry.shows); }
  else if (event.key === "Escape") { searchBox.value = ""; showResults(false); svg.focus(); }
  else return;
  event.preventDefault();
});

// --- buttons, theme, sizes, print ----------------------------------------------------------

function isDark() {
  const { theme } = document.documentElement.dataset;
  return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function switchTheme() { document.documentElement.dataset.theme = isDark() ? "light" : "dark"; }

const BUTTONS = { less: closeLevel, more: openLevel, out: () => zoom(0.8), in: () => zoom(1.25), fit, theme: switchTheme, help: KEYS["?"] };
for (const [name, action] of Object.entries(BUTTONS)) document.getElementById(`ui-${name}`).addEventListener("click", () => action());

const split = document.getElementById("ui-split");
function setLeft(width) {
  document.documentElement.style.setProperty("--left", `${Math.min(innerWidth - 320, Math.max(220, width))}px`);
}
split.addEventListener("pointerdown", (event) => {
  split.setPointerCapture(event.pointerId);
  split.onpointermove = (move) => setLeft(move.clientX);
});
split.addEventListener("pointerup", () => { split.onpointermove = null; });
split.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -24, ArrowRight: 24 }[event.key];
  if (step) setLeft(split.getBoundingClientRect().left + step);
});

window.addEventListener("beforeprint", () => {
  svg.setAttribute("viewBox", `0 0 ${scene.dataset.width} ${scene.dataset.height}`);
  scene.removeAttribute("transform");
});
window.addEventListener("afterprint", () => {
  svg.removeAttribute("viewBox");
  applyCamera();
});
window.addEventListener("hashchange", goToHash);

function goToHash() {
  let path = "";
  try {
    path = decodeURIComponent(location.hash.slice(1));
  } catch {
    return;
  }
  const part = path && parts.find((candidate) => candidate.path === path);
  if (part) goTo(part);
}

writeTitle();
writeStages();
writeTabs();
writeSource(0);
writeLegend();
render();
fit();
goToHash();
document.documentElement.dataset.ready = "true";
