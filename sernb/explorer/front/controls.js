// What is chosen and filtered with, and the box that shares a view.

import { active, button, field, h, quote, saveAs, select } from "./dom.js";
import { ORDERS, SHOWS, SORTS, defaultView, isFilter } from "./view.js";
import { csv } from "./words.js";

// The choices of a view, by name: words, a function that gives [[key, words], …], and whether it is never
// shown.
export function choices(app) {
  const { columns, dimensions, models } = app.data.state;
  const same = (names) => names.map((name) => [name, name]);
  const groups = same(columns.filter((column) => column.kind === "category").map((column) => column.name));
  const names = models.map((model) => model.name);
  const [truth, predicted] = [["emotion", "true emotion"], ["predicted", "predicted"]];
  const lists = {
    cells: "chosen cells",
    errors: "likely label errors",
    noted: "with a note",
    heard: "with sound",
  };
  const planes = { true: "true values", predicted: "predicted values" };
  const made = {
    model: ["Model", () => same(names)],
    other: ["compared with", () => [["", "none"], ...same(names.filter((name) => name !== app.view.model))]],
    rows: ["down", () => [truth, predicted, ...groups]],
    columns: ["across", () => [predicted, truth, ...groups]],
    show: ["shown", () => Object.entries(SHOWS)],
    order: ["order", () => Object.entries(ORDERS)],
    list: ["list", () => Object.entries(lists)],
    sort: ["sorted", () => Object.entries(SORTS)],
    dimension: ["dimension", () => same(dimensions.map((dimension) => dimension.name))],
    plane: ["plane", () => Object.entries(planes)],
  };

  const controls = {};
  for (const [name, [words, options]] of Object.entries(made)) {
    const newAxis = name === "rows" || name === "columns"; // cells of the old one are gone
    const change = (value) => app.update({ [name]: value || null, ...(newAxis ? { cells: [] } : {}) });
    const control = select(words, change);
    control.box.dataset.control = name;
    control.whole.hidden = name === "other" && names.length < 2;
    controls[name] = { options, ...control };
  }
  return controls;
}

// Sets a choice to what the view has; one that is being used keeps its list open.
export function refresh({ options, whole, box, fill }, value) {
  if (!whole.hidden && box !== active()) fill(options(), value ?? "");
  else box.value = value ?? "";
}

// Two numbers, the lowest and the highest that pass; an empty one sets no limit. get() gives them,
// set(limits) what of the view they change.
export function range(app, name, words, get, set) {
  const boxes = [0, 1].map((end) => h("input", {
    type: "number",
    step: "any",
    "data-filter": `${name}:${end}`,
    label: `${words}, ${end ? "highest" : "lowest"}`,
    oninput: () => app.update(set(boxes.map((box) => (box.value === "" ? null : Number(box.value))))),
  }));
  app.follow.push(() => boxes.forEach((box, end) => {
    if (box !== active()) box.value = get()?.[end] ?? "";
  }));
  return h("fieldset", {}, h("legend", {}, words), boxes[0], " to ", boxes[1]);
}

// The row of models, search and filters; `chosen` stands before them.
export function filters(app, chosen) {
  const { columns, models } = app.data.state;
  const ofKind = (kind) => columns.filter((column) => column.kind === kind);
  const limits = (name, words) => range(app, name, words, () => app.view.filters[name], (ends) => ({
    filters: changed(app, name, ends, ends.every((end) => end === null)),
  }));
  app.filterCount = h("summary");
  return h("div.filters", {},
    chosen,
    field("Search", search(app)),
    h("details", {},
      app.filterCount,
      h("div.row", {}, ofKind("category").map((column) => category(app, column))),
      h("div.row", {},
        models.some((model) => model.confidence) ? limits("confidence", "confidence") : null,
        ofKind("number").map(({ name, unit }) => limits(name, unit ? `${name} (${unit})` : name)))));
}

// The view's filters with one of them changed, or without it.
function changed(app, name, value, isEmpty) {
  const filters = { ...app.view.filters, [name]: value };
  if (isEmpty) delete filters[name];
  return filters;
}

function search(app) {
  const box = h("input", {
    type: "search",
    "data-filter": "text",
    placeholder: "words or id",
    dir: "auto",
    oninput: () => app.update({ filters: changed(app, "text", box.value, !box.value) }),
  });
  app.follow.push(() => {
    if (box !== active()) box.value = app.view.filters.text ?? "";
  });
  return box;
}

function category(app, { name, values }) {
  const chosen = () => app.view.filters[name] ?? [];
  const boxes = values.map((value) => {
    const box = h("input", { type: "checkbox", "data-filter": `${name}=${value}`, onchange: () => {
      const wanted = box.checked ? [...chosen(), value] : chosen().filter((other) => other !== value);
      app.update({ filters: changed(app, name, wanted, !wanted.length) });
    } });
    app.follow.push(() => { box.checked = chosen().includes(value); });
    return h("label", {}, box, quote("span", value));
  });
  return h("details.choice", {}, h("summary", {}, name), h("div", {}, boxes));
}

// The view as JSON, to send to somebody with the same predictions; the notes as CSV.
export function sharing(app) {
  const status = h("span", { role: "status" });

  // The box follows the view, but never overwrites what a person has put into it: that stays until it is
  // shown, or the box is emptied.
  let theirs = false;
  const follow = () => {
    if (!theirs) box.value = JSON.stringify(app.view, null, 1);
  };
  const box = h("textarea", {
    rows: 4,
    label: "This view as JSON",
    "data-view": true,
    spellcheck: "false",
    oninput: () => { theirs = box.value.trim() !== ""; },
    onblur: follow,
  });
  app.follow.push(() => {
    if (box !== active()) follow(); // while it has the focus, what is selected in it stays
  });

  const show = () => {
    const before = app.view;
    try {
      app.update(checked(app, JSON.parse(box.value)));
      theirs = false;
      follow();
      status.textContent = "This view is shown.";
    } catch (problem) {
      if (app.view !== before) app.update(before);
      status.textContent = `This is no view: ${problem.message}`;
    }
  };
  const saveNotes = () => {
    const lines = Object.entries(app.notes).map(([id, { note, tags }]) => [id, note, tags.join("; ")]);
    saveAs("notes.csv", csv([["utterance", "note", "tags"], ...lines]), "text/csv");
  };
  return h("details.sharing", {},
    h("summary", {}, "Share this view · save notes"),
    box,
    h("div.row", {},
      button("Show the view in the box", show),
      button("Save notes (CSV)", saveNotes),
      status));
}

// A view that somebody sent: an Error says what is not known here.
function checked({ view, data, choices: known }, given) {
  const whole = defaultView(data);
  const need = (name, isKnown) => {
    if (!isKnown) throw new Error(`${name} is not known here`);
  };
  for (const [name, value] of Object.entries(given)) {
    need(name, name in whole);
    const fits = !known[name] || known[name].options().some(([key]) => (key || null) === value);
    need(`${name} ${JSON.stringify(value)}`, fits);
  }
  for (const name of Object.keys(given.filters ?? {})) need(name, isFilter(data, name));
  return { ...view, ...given };
}
