// The layout as SVG. Everything is drawn anew when something opens or closes; text is set as text only.

const SVG = "http://www.w3.org/2000/svg";
const svg = document.getElementById("ui-graph");
const scene = document.getElementById("ui-scene");
/** What is drawn now: part number -> its <g>; and all edges. */
const drawn = new Map();
let drawnEdges = [];

function element(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function words(x, y, text, className, attributes = {}) {
  const made = element("text", { x, y, class: className, ...attributes });
  made.textContent = text;
  return made;
}

function render() {
  drawn.clear();
  drawnEdges = [];
  const layout = layoutOf(root);
  scene.replaceChildren(contentOf(layout));
  scene.dataset.width = layout.width;
  scene.dataset.height = layout.height;
}

function contentOf(layout) {
  const frames = element("g", {});
  const lines = element("g", { class: "edges" });
  const boxes = element("g", {});
  for (const edge of layout.edges) lines.append(edgeOf(edge));
  for (const item of layout.items) {
    if (item.inner) frames.append(frameOf(item));
    else boxes.append(boxOf(item));
  }
  return element("g", {}, frames, lines, boxes);
}

function edgeOf(edge) {
  const group = element("g", { class: "edge" });
  group.append(element("path", { d: curve(edge.points), class: edge.target ? "line" : "line plain" }));
  if (edge.label) group.append(words(edge.at.x, edge.at.y, edge.label, "shape"));
  group.tensors = edge.tensors;
  group.sourcePart = edge.source?.part ?? null;
  group.targetPart = edge.target?.part ?? null;
  drawnEdges.push(group);
  return group;
}

/** From point to point with vertical ends, so that a path through ranks is smooth. */
function curve(points) {
  let path = `M${round(points[0].x)} ${round(points[0].y)}`;
  for (let i = 1; i < points.length; i += 1) {
    const [a, b] = [points[i - 1], points[i]];
    if (Math.abs(a.x - b.x) < 0.5 && Math.abs(a.y - b.y) < 0.5) continue;
    if (Math.abs(a.x - b.x) < 0.5) {
      path += `L${round(b.x)} ${round(b.y)}`;
      continue;
    }
    const middle = (a.y + b.y) / 2;
    path += `C${round(a.x)} ${round(middle)} ${round(b.x)} ${round(middle)} ${round(b.x)} ${round(b.y)}`;
  }
  return path;
}

function round(value) { return Math.round(10 * value) / 10; }

function groupOf(part, className, item) {
  const group = element("g", {
    class: className, transform: `translate(${round(item.x)} ${round(item.y)})`, role: "button", "aria-label": spoken(part),
    "aria-expanded": part.isScope ? String(part.open) : undefined,
  });
  if (part.path) group.id = xmlId(part.path);
  group.dataset.part = part.number;
  group.shows = part;
  for (let same = part; same; same = item.inner || !same.open ? onlyScope(same) : null) drawn.set(same.number, group);
  return group;
}

function spoken(part) {
  const { title, name, badge, detail } = wordsOf(part);
  return [part.title, name || (part.isNode ? title : ""), badge, detail].filter(Boolean).join(", ");
}

/** A path as an XML id, as pictures have it: what is not an ASCII letter, digit, `-` or `.` is `_`, and one leads a digit. */
function xmlId(path) {
  const name = path.replace(/[^A-Za-z0-9_.-]/gu, "_");
  return /^[A-Za-z_]/.test(name) ? name : `_${name}`;
}

function boxOf(item) {
  const { part, width, height } = item;
  const { title, name, badge, detail } = wordsOf(part);
  const role = part.isNode ? part.op.role : "block";
  const group = groupOf(part, `box ${part.isNode ? "node" : "closed"} role-${role}`, item);
  if (badge && badge !== "fold") group.append(shadow(width, height));
  const rx = role === "merge" ? BOX.height / 2 : part.isNode ? 4 : 6;
  group.append(element("rect", { width: round(width), height, rx, class: "body" }));
  const room = width - 2 * BOX.pad - (badge ? textWidth(badge, true, 11) + 16 : 0);
  if (part.isNode) {
    group.append(words((width - (badge ? textWidth(badge, true, 11) + 16 : 0)) / 2, 16, fitText(title, room + 8), "label", { "text-anchor": "middle" }));
  } else {
    group.append(toggle(part, 10, 13));
    group.append(titleOf(title, name, 24, 17, room - 14));
    group.append(words(24, 33, fitText(detail, width - 32, false, 11), "detail"));
  }
  if (badge) group.append(badgeBox(part, badge, width - 8, part.isNode ? 4 : 4));
  return group;
}

function shadow(width, height) {
  return element("rect", { x: 4, y: 4, width: round(width), height, rx: 6, class: "body behind" });
}

function titleOf(title, name, x, y, room) {
  const text = element("text", { x, y });
  const first = element("tspan", { class: "title" });
  first.textContent = fitText(title, room, true);
  text.append(first);
  const left = room - textWidth(first.textContent, true) - 8;
  if (name && left > 24) {
    const second = element("tspan", { class: "definition", dx: 8 });
    second.textContent = fitText(name, left);
    text.append(second);
  }
  return text;
}

function toggle(part, x, y) {
  const sign = element("g", { class: "toggle", transform: `translate(${x} ${y})` });
  sign.append(element("rect", { x: -6, y: -9, width: 18, height: 18, class: "hit" }));
  sign.append(element("path", { d: part.open ? "M0 -2 L8 -2 L4 4 z" : "M1 -4 L7 0 L1 4 z" }));
  sign.dataset.action = "toggle";
  return sign;
}

function badgeBox(part, badge, right, top) {
  const width = textWidth(badge, true, 11) + 10;
  const group = element("g", { class: "badge", transform: `translate(${round(right - width)} ${top})` });
  group.append(element("rect", { width: round(width), height: 16, rx: 8 }));
  group.append(words(width / 2, 12, badge, "", { "text-anchor": "middle" }));
  group.dataset.action = "fold";
  return group;
}

function frameOf(item) {
  const { part, inner, width, height } = item;
  const { title, name, badge } = wordsOf(part);
  const group = groupOf(part, `frame${part.stage ? " stage" : ""}`, item);
  if (badge && badge !== "fold") group.append(shadow(width, height));
  group.append(element("rect", { width: round(width), height: round(height), rx: 8, class: "body" }));
  group.append(toggle(part, 10, 14));
  group.append(titleOf(title, name, 24, 17, width - 36 - (badge ? Math.max(34, textWidth(badge, true, 11) + 16) : 0)));
  if (badge) group.append(badgeBox(part, badge, width - 8, 5));
  for (const port of [...inner.ins.values(), ...inner.outs.values()]) {
    group.append(element("circle", { cx: round(port.x), cy: round(port.y), r: 2.5, class: "port" }));
    if (port.label) group.append(words(port.x + 6, port.y + 12, port.label, "shape"));
  }
  group.append(contentOf(inner));
  return group;
}

// --- where one looks -----------------------------------------------------------------------

const camera = { x: 0, y: 0, scale: 1 };

function applyCamera() {
  scene.setAttribute("transform", `translate(${round(camera.x)} ${round(camera.y)}) scale(${camera.scale})`);
}

function fit() {
  const { clientWidth: width } = svg;
  const wide = Number(scene.dataset.width);
  camera.scale = Math.min(1, Math.max(0.12, (width - 24) / wide));
  camera.x = (width - wide * camera.scale) / 2;
  camera.y = 8;
  applyCamera();
}

function zoom(factor, at = { x: svg.clientWidth / 2, y: svg.clientHeight / 2 }) {
  const scale = Math.min(4, Math.max(0.05, camera.scale * factor));
  camera.x = at.x - ((at.x - camera.x) * scale) / camera.scale;
  camera.y = at.y - ((at.y - camera.y) * scale) / camera.scale;
  camera.scale = scale;
  applyCamera();
}

function pan(dx, dy) {
  camera.x += dx;
  camera.y += dy;
  keepInSight();
  applyCamera();
}

/** Some of the graph stays on the screen. */
function keepInSight() {
  const [width, height] = [scene.dataset.width * camera.scale, scene.dataset.height * camera.scale];
  camera.x = Math.min(svg.clientWidth - 80, Math.max(80 - width, camera.x));
  camera.y = Math.min(svg.clientHeight - 80, Math.max(80 - height, camera.y));
}

function boundsOf(part) {
  return drawn.get(part.number)?.querySelector(".body").getBoundingClientRect();
}

/** Move so that a part is on the screen, if it is not. */
function bringIntoView(part) {
  const box = boundsOf(part);
  if (!box) return;
  const outer = svg.getBoundingClientRect();
  const inside = box.left >= outer.left && box.right <= outer.right && box.top >= outer.top && box.bottom <= outer.bottom;
  if (inside) return;
  if (camera.scale < 0.45) zoom(0.8 / camera.scale);
  const now = boundsOf(part);
  const tall = now.height > outer.height - 80;
  camera.x += outer.left + outer.width / 2 - (now.left + now.width / 2);
  camera.y += tall ? outer.top + 40 - now.top : outer.top + outer.height / 2 - (now.top + now.height / 2);
  applyCamera();
}

/** Draw anew after a change, with a part staying where it was on the screen. */
function redraw(anchor = null) {
  const before = anchor && boundsOf(anchor);
  render();
  const after = before && boundsOf(shownAs(anchor));
  if (after) {
    camera.x += before.left + before.width / 2 - (after.left + after.width / 2);
    camera.y += before.top - after.top;
    applyCamera();
  }
  paint();
}
