// A listening quiz: guess, then see truth, model and raters; at the end your confusion matrix beside the model's.

function playable(app) {
  const { state } = app.data;
  return [...Array(state.n).keys()].filter((row) => heard(app, row) && state.emotion?.[row] >= 0);
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
  const next = random(seed), by = app.data.state.classes.map(() => []);
  for (const row of playable(app)) by[app.data.state.emotion[row]].push([next(), row]);
  by.forEach((rows) => rows.sort((i, j) => i[0] - j[0]));
  const rows = [];
  for (let turn = 0; rows.length < size && by.some((one) => one.length > turn); turn++) rows.push(...by.filter((one) => one.length > turn).map((one) => one[turn][1]));
  return rows.slice(0, size).map((row) => [next(), row]).sort((i, j) => i[0] - j[0]).map((one) => one[1]);
}

function drawQuiz(app) {
  const here = app.places.quiz, { state } = app.data, { view } = app;
  if (!playable(app).length) {
    here.replaceChildren(h("p.warn", {}, "The quiz needs recordings with a true label; there are none here."));
    return;
  }
  const quiz = app.quiz;
  if (!quiz) {
    const size = h("input", { type: "number", min: 1, max: 200, value: view.quiz.size }), seed = h("input", { type: "number", min: 0, value: view.quiz.seed });
    here.replaceChildren(h("p", {}, "Listen, guess the emotion, then see what was meant, what the model heard and, where it is known, how other people voted."),
      h("div.row", {}, field("clips", size),
        field("which draw (the same number: the same clips)", seed),
        button("Start", () => {
          const chosen = { size: Math.max(1, Math.min(200, Number(size.value) || 10)), seed: Number(seed.value) || 0 };
          app.quiz = { rows: drawn(app, chosen), at: 0, answers: [] };
          app.update({ quiz: chosen });
          hear(app);
        }, { className: "main" })));
    return;
  }
  if (quiz.at >= quiz.rows.length) return finished(app);
  const row = quiz.rows[quiz.at], answer = quiz.answers[quiz.at], sound = h("div.sound", {});
  const guesses = state.classes.map((name, k) => h("button", {
    type: "button", disabled: answer !== undefined, "aria-pressed": String(answer === k), onclick: () => guess(app, k),
  }, `${k + 1} `, chip(app, name)));
  here.replaceChildren(h("h3", { text: `Clip ${quiz.at + 1} of ${quiz.rows.length}: which emotion do you hear?`, tabindex: -1 }), sound,
    h("div.row", { role: "group", label: "Your guess" }, guesses),
    h("div", { role: "status" }, answer === undefined ? h("p.quiet", {}, "Space plays it; the numbers answer.") : [
      h("p", {}, h("b", {}, answer === state.emotion[row] ? "Yes: " : "It was meant as "), chip(app, state.classes[state.emotion[row]])), verdict(app, row), bars(app, row), raters(state, row),
      state.text?.[row] ? data_("p.long", state.text[row]) : null,
      button(quiz.at + 1 < quiz.rows.length ? "Next clip (n)" : "How did I do? (n)", () => onwards(app), { className: "main" }),
    ]));
  app.player?.stop();
  app.player = null;
  app.clip(row).then((clip) => {
    if (app.quiz !== quiz || quiz.rows[quiz.at] !== row) return;
    if (clip.problem) return sound.replaceChildren(h("p.warn", {}, clip.problem));
    app.player = player(app, { ...clip, map: answer === undefined ? null : clip.map }, sound);
    if (app.playNext) app.player.play();
    app.playNext = false;
  });
}

function guess(app, k) {
  const { quiz } = app;
  if (!quiz || quiz.at >= quiz.rows.length || quiz.answers[quiz.at] !== undefined || k >= app.data.state.classes.length) return;
  quiz.answers[quiz.at] = k;
  drawQuiz(app);
  app.places.quiz.querySelector("h3").focus({ preventScroll: true });
}

function onwards(app) {
  if (!app.quiz || app.quiz.answers[app.quiz.at] === undefined) return;
  app.quiz.at++;
  hear(app);
}

function hear(app) {
  app.playNext = true;
  drawQuiz(app);
  app.places.quiz.querySelector("h3")?.focus({ preventScroll: true });
}

function finished(app) {
  const { data, quiz, view, places } = app, { state } = data, a = modelOf(data, view);
  app.player?.stop();
  const own = (codes) => ({ ...data, models: new Map([["you", { name: "you", predicted: codes }]]) });
  const yours = Array(state.n).fill(-1);
  quiz.rows.forEach((row, i) => { yours[row] = quiz.answers[i]; });
  const right = (codes) => quiz.rows.filter((row) => codes[row] === state.emotion[row]).length;
  const still = (source, name, codes) => {
    const matrix = matrixOf(source, { ...view, model: name, rows: "emotion", columns: "predicted", order: "given" }, quiz.rows);
    return h("figure.matrix", {}, h("figcaption", {}, `${name}: ${right(codes)} of ${quiz.rows.length} right`), h("div.scroll", {}, h("table", {},
      h("tr", {}, h("td"), matrix.across.map((one) => h("th", { scope: "col" }, chip(app, one)))),
      matrix.down.map((one, i) => h("tr", {}, h("th", { scope: "row" }, chip(app, one)), matrix.across.map((_, j) =>
        h("td.cell", { style: shade(app, matrix.count(i, j) / Math.max(1, matrix.rowTotal(i))) }, h("b", {}, many(matrix.count(i, j))))))))));
  };
  const rows = quiz.rows.map((row, i) => [state.utterance[row], state.classes[state.emotion[row]], state.classes[quiz.answers[i]], labelOf(state, a.predicted, row) ?? ""]);
  places.quiz.replaceChildren(h("h3", { text: "You and the model, on the same clips", tabindex: -1 }),
    h("div.columns", {}, still(own(yours), "you", yours), a.predicted ? still(data, view.model, a.predicted) : null),
    h("div.row", {}, button("Again, with other clips", () => { app.quiz = null; app.update({ quiz: { ...view.quiz, seed: view.quiz.seed + 1 } }); }, { className: "main" }),
      button("Save my answers (CSV)", () => saveAs("quiz.csv", csv([["utterance", "emotion", "guess", "model"], ...rows]), "text/csv"))));
}

function csv(rows) {
  return rows.map((row) => row.map((one) => (/[",\r\n]/.test(one) ? `"${String(one).replaceAll('"', '""')}"` : one)).join(",")).join("\r\n") + "\r\n";
}
