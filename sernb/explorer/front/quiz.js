// A listening quiz: guess, then see truth, model and raters; at the end your confusion matrix beside the
// model's.

import { bars, raters, verdict } from "./clip.js";
import { chip } from "./colors.js";
import { button, field, find, h, quote, replace, saveAs } from "./dom.js";
import { labelOf } from "./list.js";
import { shownIn, table } from "./matrix.js";
import { player } from "./player.js";
import { hasTruth, heard, matrixOf } from "./rows.js";
import { modelOf } from "./view.js";
import { csv } from "./words.js";

// Clips that pass the filters; of a saved page those that were drawn for it by chance, not because a model
// fails on them.
function playable(app) {
  const { data, rows } = app;
  const fits = (row) => heard(app, row) && hasTruth(data, row) && rows.includes(row);
  return (data.state.quiz ?? rows).filter(fits);
}

// Small, seeded and good enough to shuffle (mulberry32), so that a class can hear the same clips.
function random(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// As many of each emotion as will do, in a shuffled order.
function drawn(app, { size, seed }) {
  const { classes, emotion } = app.data.state;
  const next = random(seed);
  const shuffled = (pairs) => pairs.sort((i, j) => i[0] - j[0]).map(([, row]) => row); // [random number, row]
  const ofClasses = classes.map(() => []);
  for (const row of playable(app)) ofClasses[emotion[row]].push([next(), row]);
  const queues = ofClasses.map(shuffled);

  const rows = [];
  for (let turn = 0; rows.length < size && queues.some((queue) => queue.length > turn); turn++) {
    for (const queue of queues) {
      if (queue.length > turn) rows.push(queue[turn]);
    }
  }
  return shuffled(rows.slice(0, size).map((row) => [next(), row]));
}

export function drawQuiz(app) {
  const { quiz, nodes } = app;
  if (!playable(app).length) {
    replace(nodes.quiz, h("p.warn", {}, "The quiz needs recordings with a true label; there are none here."));
  } else if (!quiz) {
    replace(nodes.quiz, ...beginning(app));
  } else if (quiz.at >= quiz.rows.length) {
    app.player?.stop();
    replace(nodes.quiz, ...ending(app));
  } else {
    question(app);
  }
}

function beginning(app) {
  const { size, seed } = app.view.quiz;
  const sizeBox = h("input", { type: "number", min: 1, max: 200, value: size });
  const seedBox = h("input", { type: "number", min: 0, value: seed });
  const start = () => {
    const wanted = Number(sizeBox.value) || 10;
    const chosen = { size: Math.max(1, Math.min(200, wanted)), seed: Number(seedBox.value) || 0 };
    app.quiz = { rows: drawn(app, chosen), at: 0, answers: [] };
    app.update({ quiz: chosen });
    hear(app);
  };
  return [
    h("p", {}, "Listen, guess, then see what was meant, what the model heard and how others voted."),
    h("div.row", {},
      field("clips", sizeBox),
      field("draw (same number, same clips)", seedBox),
      button("Start", start, { className: "main" })),
  ];
}

function question(app) {
  const { quiz } = app;
  const { classes } = app.data.state;
  const row = quiz.rows[quiz.at];
  const answer = quiz.answers[quiz.at];
  const isOpen = answer === undefined;
  const sound = h("div.sound", {});
  const guesses = classes.map((name, k) => h("button", {
    disabled: !isOpen,
    "aria-pressed": String(answer === k),
    onclick: () => guess(app, k),
  }, `${k + 1} `, chip(app, name)));
  replace(
    app.nodes.quiz,
    h("h3", { text: `Clip ${quiz.at + 1} of ${quiz.rows.length}: which emotion do you hear?`, tabindex: -1 }),
    sound,
    h("div.row", { role: "group", label: "Your guess" }, guesses),
    h("div", { role: "status" },
      isOpen ? h("p.quiet", {}, "Space plays it; the numbers answer.") : solution(app, row, answer)),
  );

  app.player?.stop();
  app.player = null;
  app.clip(row).then((clip) => {
    if (app.quiz !== quiz || quiz.rows[quiz.at] !== row) return; // another one is asked meanwhile
    if (clip.problem) {
      replace(sound, h("p.warn", {}, clip.problem));
      return;
    }
    const map = isOpen ? null : clip.map; // what the model looked at would tell
    app.player = player(app, { ...clip, map }, sound);
    if (app.playNext) app.player.play();
    app.playNext = false;
  });
}

function solution(app, row, answer) {
  const { state } = app.data;
  const { quiz } = app;
  const isLast = quiz.at + 1 >= quiz.rows.length;
  const truth = state.emotion[row];
  return [
    h("p", {}, h("b", {}, answer === truth ? "Yes: " : "It was meant as "), chip(app, state.classes[truth])),
    verdict(app, row),
    bars(app, row),
    raters(state, row),
    state.text?.[row] ? quote("p.long", state.text[row]) : null,
    button(isLast ? "How did I do? (n)" : "Next clip (n)", () => onwards(app), { className: "main" }),
  ];
}

// Answers the clip that is asked with class number k.
export function guess(app, k) {
  const { quiz } = app;
  const isOpen = quiz && quiz.at < quiz.rows.length && quiz.answers[quiz.at] === undefined;
  if (!isOpen || k >= app.data.state.classes.length) return;
  quiz.answers[quiz.at] = k;
  drawQuiz(app);
  find(app.nodes.quiz, "h3").focus({ preventScroll: true });
}

// To the next clip, once this one is answered.
export function onwards(app) {
  if (!app.quiz || app.quiz.answers[app.quiz.at] === undefined) return;
  app.quiz.at++;
  hear(app);
}

function hear(app) {
  app.playNext = true;
  drawQuiz(app);
  find(app.nodes.quiz, "h3")?.focus({ preventScroll: true });
}

function ending(app) {
  const { data, quiz, view } = app;
  const { state } = data;
  const model = modelOf(data, view);
  const answers = Array(state.n).fill(-1);
  quiz.rows.forEach((row, i) => { answers[row] = quiz.answers[i]; });
  const yours = { ...data, models: new Map([["you", { name: "you", predicted: answers }]]) };

  // Two matrices to look at.
  const picture = (source, name, codes) => {
    const shape = { rows: "emotion", columns: "predicted", order: "given", show: "count" };
    const own = { ...view, ...shape, model: name, other: null };
    const matrix = matrixOf(source, own, quiz.rows);
    const right = quiz.rows.filter((row) => codes[row] === state.emotion[row]).length;
    const shown = (i, j) => shownIn(own, matrix, i, j);
    return h("div", {},
      h("b", {}, `${name}: ${right} of ${quiz.rows.length} right`),
      table({ ...app, data: source, view: own }, matrix, "quiz", shown));
  };

  const again = () => {
    app.quiz = null;
    app.update({ quiz: { ...view.quiz, seed: view.quiz.seed + 1 } });
  };
  const save = () => {
    const lines = quiz.rows.map((row, i) => [
      state.utterance[row],
      state.classes[state.emotion[row]],
      state.classes[quiz.answers[i]],
      labelOf(state, model.predicted, row) ?? "",
    ]);
    saveAs("quiz.csv", csv([["utterance", "emotion", "guess", "model"], ...lines]), "text/csv");
  };
  return [
    h("h3", { text: "You and the model", tabindex: -1 }),
    h("div.columns", {},
      picture(yours, "you", answers),
      model.predicted ? picture(data, view.model, model.predicted) : null),
    h("div.row", {},
      button("Again, with other clips", again, { className: "main" }),
      button("Save my answers", save)),
  ];
}
