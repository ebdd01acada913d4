// One utterance: sound, what the model looked at, words, probabilities, raters, facts and a note.

import { chip } from "./colors.js";
import { field, h, quote, replace } from "./dom.js";
import { labelOf, openRow } from "./list.js";
import { player } from "./player.js";
import { compared } from "./view.js";
import { number, percent, signed } from "./words.js";

export function drawClip(app) {
  const here = app.nodes.clip;
  const { state } = app.data;
  const row = openRow(app);
  if (row === app.drawn) return;
  app.player?.stop();
  app.player = null;
  app.drawn = row;
  if (row < 0) {
    const hint = "Choose a cell, then an utterance. Space plays it, n the next, p the one before.";
    replace(here, h("p.quiet", {}, hint));
    return;
  }

  const sound = h("div.sound", {}, h("p.quiet", { text: "fetching …", role: "status" }));
  const words = h("div.transcript", {}, state.text?.[row] ? quote("p.long", state.text[row]) : null);
  replace(
    here,
    quote("h3", state.utterance[row]),
    verdict(app, row),
    sound,
    words,
    bars(app, row),
    raters(state, row),
    facts(state, row),
    noteEditor(app, row),
  );
  app.clip(row).then((clip) => {
    if (app.drawn !== row || app.player) return; // another one was opened meanwhile
    if (clip.problem) replace(sound, h("p.warn", { text: clip.problem, role: "status" }));
    else app.player = player(app, clip, sound);
    if (clip.overlay_problem) sound.append(h("p.warn", {}, clip.overlay_problem));
    if (clip.words) replace(words, weighted(clip.words));
    if (app.playNext && app.player) app.player.play();
    app.playNext = false;
  });
}

// What was meant, and what each model says.
export function verdict(app, row) {
  const { state, models } = app.data;
  const truth = labelOf(state, state.emotion, row);
  const predicted = compared(app).map((name) => {
    const label = labelOf(state, models.get(name).predicted, row);
    return label ? [` · ${name} says `, chip(app, label)] : [];
  });
  return h("p.verdict", {}, truth === null ? null : ["true ", chip(app, truth)], predicted);
}

// Words coloured by their weight, the number below where it is a tenth of the largest or more.
function weighted({ what, words, weights }) {
  const largest = Math.max(1e-9, ...weights.map(Math.abs));
  const nodes = words.map((word, i) => {
    const share = weights[i] / largest;
    const tells = Math.abs(share) >= 0.1;
    const color = share > 0 ? "232,119,34" : "70,130,225";
    const style = tells ? { background: `rgba(${color},${0.15 + 0.5 * Math.abs(share)})` } : null;
    return h("span", { style }, quote("span", word), h("small", {}, tells ? signed(weights[i], 2) : " "));
  });
  return h("figure.weighted", {}, h("figcaption.quiet.small", {}, what), nodes);
}

// A table of probabilities for each model that has some, and one of the dimensions.
export function bars(app, row) {
  const { state, models } = app.data;
  const shown = compared(app).map((name) => models.get(name));
  const knows = (model) => model.p && model.p.some((p) => p[row] !== null);
  const tables = shown.filter(knows).map((model) => h("table.bars", {},
    h("caption", {}, `probabilities, ${model.name}`),
    state.classes.map((name, k) => bar(app, name, model.p[k]?.[row]))));
  if (!state.dimensions.length) return h("div.columns", {}, tables);

  const ratings = state.dimensions.map(({ name, truth }) => h("tr", {},
    h("th", { scope: "row", text: name }),
    h("td.mono", {}, number(truth[row])),
    shown.map((model) => h("td.mono", {}, number(model.dimensions[name]?.[row])))));
  const caption = h("caption", {}, "dimensions: true, then predicted");
  return h("div.columns", {}, tables, h("table.bars", {}, caption, ratings));
}

function bar(app, name, share) {
  return h("tr", {},
    h("th", { scope: "row" }, chip(app, name)),
    h("td.track", {}, h("i", { style: { width: `${100 * (share ?? 0)}%` } })),
    h("td.mono", {}, percent(share ?? NaN)));
}

export function raters(state, row) {
  const votes = state.votes?.[row];
  const listeners = state.listeners?.[row];
  if (!votes && !listeners) return "";
  const parts = Object.entries(votes ?? {}).map(([name, count]) => `${count} × ${name}`);
  for (const [what, value] of listeners ?? []) {
    const words = typeof value === "number" ? `by ${Math.round(value)} % of listeners` : value;
    parts.push(`${what} ${words}`);
  }
  return h("p.raters", {}, "Raters: ", quote("span", parts.join(", ")));
}

function facts(state, row) {
  const pairs = state.columns.map(({ name, kind, values, codes, unit }) => {
    const value = kind === "category" ? values[codes[row]] : values[row];
    if (value === undefined || value === null) return [];
    const words = typeof value === "number" ? `${Number(value.toPrecision(4))} ${unit ?? ""}` : value;
    return [h("dt", {}, name), quote("dd", words)];
  });
  return h("details", {}, h("summary", {}, "All that is known"), h("dl", {}, pairs));
}

// A note is kept with every letter, so that none is lost.
function noteEditor(app, row) {
  const id = app.data.state.utterance[row];
  const own = Object.hasOwn(app.notes, id) ? app.notes[id] : { note: "", tags: [] };
  const keep = () => {
    const tags = tag.value.split(";").map((text) => text.trim()).filter(Boolean);
    const notes = Object.entries(app.notes).filter(([name]) => name !== id);
    if (note.value || tags.length) notes.push([id, { note: note.value, tags }]);
    app.keepNotes(Object.fromEntries(notes));
  };
  const note = h("textarea", { rows: 2, value: own.note, oninput: keep, dir: "auto" });
  const tag = h("input", {
    type: "text",
    value: own.tags.join("; "),
    oninput: keep,
    dir: "auto",
    placeholder: "noisy; two speakers",
  });
  return h("div.note", {}, field("Note", note), field("Tags, with ; between", tag));
}
