// Elements: all text in them is only ever text.

import { plain } from "./words.js";

// Set as such, not as attributes.
const PROPERTIES = ["value", "checked", "disabled", "tabIndex", "className"];

// An element: h("p.quiet", { role: "status" }, "text", child) is a p of the class quiet, as hyperscript
// writes it. Of the options, `text` and `label` are plain words, `style` is {property: value}, `on…`
// listens.
export function h(kind, options, ...children) {
  const [tag, ...classes] = kind.split(".");
  const node = document.createElement(tag);
  node.classList.add(...classes);
  if (tag === "button") node.type = tag;

  for (const [name, value] of Object.entries(options ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") node.textContent = plain(value);
    else if (name === "label") node.setAttribute("aria-label", plain(value));
    else if (name === "style") setStyle(node, value);
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (PROPERTIES.includes(name)) node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }

  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(typeof child === "string" ? plain(child) : child);
  }
  return node;
}

// The page's policy forbids style attributes; properties one by one are allowed.
function setStyle(node, properties) {
  for (const [name, value] of Object.entries(properties)) node.style.setProperty(name, value);
}

export function replace(node, ...children) {
  node.replaceChildren(...children);
}

// Text that a screen reader is to read out when it changes, and only then.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function find(node, selector) {
  return node.querySelector(selector);
}

// The element that has the focus.
export function active() {
  return document.activeElement;
}

// Text from a corpus stands by itself: its direction does not spill over.
export function quote(tag, text, options) {
  return h(tag, { dir: "auto", ...options, text });
}

export function button(text, click, options) {
  return h("button", { onclick: click, text, ...options });
}

// A control under its words.
export function field(words, control) {
  return h("label.field", {}, h("span", { text: words }), control);
}

// A choice: `box` is the select, `whole` has its words, too; fill([[key, words], …], chosen) sets what can
// be chosen.
export function select(words, change) {
  const box = h("select", { onchange: () => change(box.value) });
  const fill = (options, chosen) => {
    replace(box, ...options.map(([key, text]) => h("option", { value: key, text })));
    box.value = chosen;
  };
  return { whole: field(words, box), box, fill };
}

// A canvas as sharp as the screen; draw(pen, width, height) is called again when its width changes.
export function canvas(height, draw, label, options) {
  const node = h("canvas", { role: "img", label, style: { height: `${height}px` }, ...options });
  const redraw = () => {
    const width = node.clientWidth;
    const scale = window.devicePixelRatio || 1;
    if (!width) return;
    node.width = width * scale;
    node.height = height * scale;
    const pen = node.getContext("2d");
    pen.scale(scale, scale);
    draw(pen, width, height);
  };
  new ResizeObserver(redraw).observe(node);
  return { node, redraw };
}

// A colour of the style sheet, such as "--ink", for a canvas.
export function inkOf(node, name) {
  return getComputedStyle(node).getPropertyValue(name).trim();
}

export function saveAs(name, text, type) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10000); // the download has begun by then
}

export function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
