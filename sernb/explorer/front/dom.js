// Elements, text that is only ever text, numbers in words, colours.

// An element: h("p.quiet", { role: "status" }, "text", child) is a p of the class quiet, as hyperscript writes it.
function h(kind, options, ...children) {
  const [tag, ...classes] = kind.split("."), node = document.createElement(tag);
  node.classList.add(...classes);
  if (tag === "button") node.type = tag;
  for (const [name, value] of pairs(options ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") node.textContent = plain(value);
    else if (name === "label") node.setAttribute("aria-label", plain(value));
    else if (name === "style") for (const [key, one] of pairs(value)) node.style.setProperty(key, one);
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (["value", "checked", "disabled", "tabIndex", "className"].includes(name)) node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) node.append(typeof child === "string" ? plain(child) : child);
  }
  return node;
}

const pairs = Object.entries, find = (node, what) => node.querySelector(what), put = (node, ...children) => node.replaceChildren(...children);

function active() {
  return document.activeElement;
}

// Control characters become their pictures (␀ …), so that they can be seen and do nothing.
function plain(text) {
  return String(text).replace(/[\u0000-\u0008\u000b-\u001f]/g, (one) => String.fromCharCode(0x2400 + one.charCodeAt(0)));
}

function short(text, most) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

// Text from a corpus stands by itself: its direction does not spill over.
function quote(tag, text, options) {
  return h(tag, { dir: "auto", ...options, text });
}

function named(value) {
  return value === "" ? "(none)" : value;
}

function percent(share, digits = 0) {
  return Number.isFinite(share) ? `${(100 * share).toFixed(digits)} %` : "–";
}

function number(value, digits = 2) {
  return value === null || value === undefined || !Number.isFinite(value) ? "–" : (Number(value.toFixed(digits)) || 0).toFixed(digits).replace("-", "−");
}

function many(count) {
  return count.toLocaleString("en");
}

function select(label, options, value, change) {
  const box = h("select", { onchange: () => change(box.value) });
  const fill = (list, chosen) => {
    put(box, ...list.map(([key, words]) => h("option", { value: key, text: words })));
    box.value = chosen;
  };
  fill(options, value);
  return { whole: field(label, box), box, fill };
}

function button(text, click, options) {
  return h("button", { onclick: click, text, ...options });
}

// The swatch that goes with an emotion's name; the name always stands beside it.
function chip(app, name) {
  const at = app.data.state.classes.indexOf(name);
  const color = at >= 0 ? app.data.state.colors[at] : "transparent";
  return h("span.chip", {}, h("i", { style: { background: color } }), quote("span", named(name)));
}

function mix(from, to, share) {
  return from.map((one, i) => Math.round(one + (to[i] - one) * Math.min(1, Math.max(0, share))));
}

// Background and ink of a cell: from the page's ground to one hue, the ink whichever of two is the plainer to read.
function shade(app, share) {
  const ground = app.dark ? [22, 27, 34] : [255, 255, 255];
  const hue = share < 0 ? (app.dark ? [240, 150, 70] : [178, 78, 0]) : (app.dark ? [105, 175, 245] : [8, 69, 148]);
  const [r, g, b] = mix(ground, hue, Math.abs(share) ** 0.8 * 0.92);
  const light = [r, g, b].map((one) => (one /= 255, one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
  const luminance = 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2];
  return { background: `rgb(${r},${g},${b})`, color: luminance > 0.179 ? "#000" : "#fff" };
}

function saveAs(name, text, type) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
}

function field(words, control) {
  return h("label.field", {}, h("span", { text: words }), control);
}

// A canvas as sharp as the screen; draw(pen, width, height) is called again when its width changes.
function canvas(height, draw, label, options) {
  const node = h("canvas", { role: "img", label, style: { height: `${height}px` }, ...options });
  const redraw = () => {
    const width = node.clientWidth, scale = window.devicePixelRatio || 1;
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

function inkOf(node, name) {
  return getComputedStyle(node).getPropertyValue(name).trim();
}
