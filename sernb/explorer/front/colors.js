// Colours: of emotions, and of a cell by what it holds.

import { h, quote } from "./dom.js";
import { named } from "./words.js";

// The swatch that goes with an emotion's name; the name always stands beside it.
export function chip(app, name) {
  const { classes, colors } = app.data.state;
  const at = classes.indexOf(name);
  const swatch = h("i", { style: { background: at >= 0 ? colors[at] : "transparent" } });
  return h("span.chip", {}, swatch, quote("span", named(name)));
}

// Red, green and blue between two colours.
export function mix(from, to, share) {
  const inside = Math.min(1, Math.max(0, share));
  return from.map((level, i) => Math.round(level + (to[i] - level) * inside));
}

// Background and ink of a cell: from the page's ground to one hue, orange for less than nothing.
export function shade(app, share) {
  const ground = app.dark ? [22, 27, 34] : [255, 255, 255];
  const orange = app.dark ? [240, 150, 70] : [178, 78, 0];
  const blue = app.dark ? [105, 175, 245] : [8, 69, 148];
  const color = mix(ground, share < 0 ? orange : blue, Math.abs(share) ** 0.8 * 0.92);
  return { background: `rgb(${color})`, color: luminance(color) > 0.179 ? "#000" : "#fff" };
}

// WCAG's relative luminance: above 0.179 black is plainer to read than white.
function luminance(color) {
  const [red, green, blue] = color.map((level) => {
    const share = level / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
