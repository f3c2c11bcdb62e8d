// The text of the spec, cut into pieces at the borders of all spans, so that each piece knows what was written there.

const sourcePane = document.getElementById("ui-source");
const tabs = document.getElementById("ui-tabs");
let shownSource = 0;

/** Spans by source, smallest first, with the parts that have them. */
const spans = data.spans.map(([source, start, end, line], number) => ({ number, source, start, end, line, parts: [] }));
for (const part of parts) spans[part.span].parts.push(part);

const KEYWORDS = "block|model|default|use|fn|table|scaling|variants?|with|expect|init|preprocess|checkpoint|reference|weights|recipe|progressive|for|in|if|then|else|stage|output|on|of|and|or|not|require|count|true|false|none";
const TOKENS = new RegExp(
  [/(?<comment>#[^\n]*)/, /(?<text>"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*")/, /(?<number>\b\d[\d_]*(?:\.\d+)?(?:e-?\d+)?[GMK]?\b)/,
    new RegExp(`(?<keyword>\\b(?:${KEYWORDS})\\b)`), /(?<label>[A-Za-z_][\w.]*(?=:))/].map((part) => part.source).join("|"), "g");

function tokensOf(text) {
  return [...text.matchAll(TOKENS)].map((match) => {
    const [kind] = Object.entries(match.groups).find(([, found]) => found !== undefined);
    return { start: match.index, end: match.index + match[0].length, kind };
  });
}

function writeSource(index) {
  shownSource = index;
  const { text } = data.sources[index];
  const own = spans.filter((span) => span.source === index).sort((a, b) => a.end - a.start - (b.end - b.start));
  const tokens = tokensOf(text);
  const cuts = new Set([0, text.length]);
  for (const { start, end } of [...own, ...tokens]) cuts.add(start).add(end);
  for (let i = 0; i < text.length; i += 1) if (text[i] === "\n") cuts.add(i).add(i + 1);
  const borders = [...cuts].sort((a, b) => a - b);
  const list = document.createElement("ol");
  let line = newLine(list, 1);
  let next = 0;
  for (let i = 0; i + 1 < borders.length; i += 1) {
    const [start, end] = [borders[i], borders[i + 1]];
    const piece = text.slice(start, end);
    if (piece === "\n") {
      line = newLine(list, list.children.length + 1);
      continue;
    }
    while (next < tokens.length && tokens[next].end <= start) next += 1;
    const token = tokens[next]?.start <= start ? tokens[next].kind : "";
    const made = document.createElement("span");
    made.textContent = piece;
    if (token) made.className = `token-${token}`;
    made.spans = own.filter((span) => span.start <= start && end <= span.end);
    if (made.spans.length) made.dataset.span = made.spans[0].number;
    made.range = [start, end];
    line.append(made);
  }
  sourcePane.replaceChildren(list);
  for (const tab of tabs.children) tab.setAttribute("aria-selected", String(Number(tab.dataset.source) === index));
}

function newLine(list, number) {
  const line = document.createElement("li");
  line.dataset.line = number;
  const code = document.createElement("code");
  line.append(code);
  list.append(line);
  return code;
}

function writeTabs() {
  data.sources.forEach(({ name }, index) => {
    const tab = document.createElement("button");
    tab.type = "button";
    tab.role = "tab";
    tab.dataset.source = index;
    tab.textContent = name;
    tab.addEventListener("click", () => { writeSource(index); paint(); });
    tabs.append(tab);
  });
}

/** Mark the span of a part, and more faintly where the blocks around it were written. */
function markSource(part, scroll) {
  const span = part && spans[part.span];
  if (span && span.source !== shownSource) {
    if (!scroll) return;
    writeSource(span.source);
  }
  const chain = part ? [...part.ancestors()].filter((around) => around !== root).map((around) => spans[around.span]) : [];
  for (const piece of sourcePane.querySelectorAll("span")) {
    const inside = (other) => other.source === shownSource && other.start <= piece.range[0] && piece.range[1] <= other.end;
    piece.classList.toggle("lit", Boolean(span) && inside(span));
    piece.classList.toggle("around", Boolean(span) && !inside(span) && chain.some((other) => other.end - other.start < 2000 && inside(other)));
  }
  if (!span || !scroll) return;
  const line = sourcePane.querySelector(`li[data-line="${span.line}"]`);
  if (!line) return;
  const [outer, inner] = [sourcePane.getBoundingClientRect(), line.getBoundingClientRect()];
  if (inner.top < outer.top || inner.bottom > outer.bottom) sourcePane.scrollTop += inner.top - outer.top - outer.height / 3;
}

/** The innermost span at a piece of the source that parts were written in. */
function spanAt(target) {
  const piece = target.closest?.("[data-span]");
  return piece ? spans[Number(piece.dataset.span)] : null;
}
