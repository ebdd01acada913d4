// Views: what of a state is shown, as plain JSON that people can pass on.

export const SHOWS = {
  count: "counts",
  row: "% of the row",
  column: "% of the column",
  all: "% of all",
  right: "% right",
};
export const ORDERS = { given: "the kit's order", name: "by name", confusion: "most errors first" };
export const SORTS = {
  given: "as they come",
  confidence: "surest first",
  unsure: "least sure first",
  length: "longest first",
  residual: "largest residual first",
};

// The state, and what is looked up in it by name.
export function prepare(state) {
  return {
    state,
    number: new Map(state.utterance.map((id, row) => [id, row])),
    columns: new Map(state.columns.map((column) => [column.name, column])),
    models: new Map(state.models.map((model) => [model.name, model])),
    lower: null, // ids and texts in small letters, once somebody searches
  };
}

export function modelOf(data, view) {
  return data.models.get(view.model);
}

// Names of the models that are looked at, one or two.
export function compared({ view }) {
  return [view.model, view.other].filter(Boolean);
}

export function defaultView(data) {
  const { models, dimensions } = data.state;
  return {
    tab: models.some((model) => model.predicted) ? "matrix" : "dimensions",
    model: models[0].name,
    other: null,
    rows: "emotion",
    columns: "predicted",
    show: "count",
    order: "given",
    filters: {},
    outcome: null,
    threshold: 0,
    cells: [],
    which: "model",
    list: "cells",
    sort: "given",
    dimension: dimensions[0]?.name ?? null,
    residual: [null, null],
    box: null,
    plane: "true",
    utterance: null,
    quiz: { size: 10, seed: 1 },
  };
}

// Views come from other people, too: what is not known here is left at its default.
export function completeView(data, given) {
  const view = defaultView(data);
  for (const [name, value] of Object.entries(given ?? {})) {
    if (name in view && value !== undefined) view[name] = value;
  }
  if (!data.models.has(view.model)) view.model = data.state.models[0].name;
  if (!data.models.has(view.other) || view.other === view.model) view.other = null;

  view.filters = Object.assign(Object.create(null), view.filters); // a column may be called "constructor"
  for (const name of Object.keys(view.filters)) {
    if (!isFilter(data, name)) delete view.filters[name];
  }

  if (!view.other) { // what needs a second model
    view.outcome = null;
    view.which = "model";
    if (view.columns === "other") view.columns = "predicted";
    if (view.rows === "other") view.rows = "emotion";
  }
  return view;
}

export function isFilter(data, name) {
  return name === "text" || name === "confidence" || data.columns.has(name);
}
