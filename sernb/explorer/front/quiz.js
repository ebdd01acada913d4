// A listening quiz: guess, then see truth, model and raters; at the end your confusion matrix beside the model's.

// Clips that pass the filters; of a saved page those that were drawn for it by chance, not because a model fails on them.
function playable(app) {
  const { quiz, emotion } = app.data.state;
  return (quiz ?? app.rows).filter((row) => heard(app, row) && emotion?.[row] >= 0 && app.rows.includes(row));
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
    put(here, h("p.warn", {}, "The quiz needs recordings with a true label; there are none here."));
    return;
  }
  const quiz = app.quiz;
  if (!quiz) {
    const size = h("input", { type: "number", min: 1, max: 200, value: view.quiz.size }), seed = h("input", { type: "number", min: 0, value: view.quiz.seed });
    put(here, h("p", {}, "Listen, guess, then see what was meant, what the model heard and how others voted."),
      h("div.row", {}, field("clips", size),
        field("draw (same number, same clips)", seed),
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
    disabled: answer !== undefined, "aria-pressed": String(answer === k), onclick: () => guess(app, k),
  }, `${k + 1} `, chip(app, name)));
  put(here, h("h3", { text: `Clip ${quiz.at + 1} of ${quiz.rows.length}: which emotion do you hear?`, tabindex: -1 }), sound,
    h("div.row", { role: "group", label: "Your guess" }, guesses),
    h("div", { role: "status" }, answer === undefined ? h("p.quiet", {}, "Space plays it; the numbers answer.") : [
      h("p", {}, h("b", {}, answer === state.emotion[row] ? "Yes: " : "It was meant as "), chip(app, state.classes[state.emotion[row]])), verdict(app, row), bars(app, row), raters(state, row),
      state.text?.[row] ? quote("p.long", state.text[row]) : null,
      button(quiz.at + 1 < quiz.rows.length ? "Next clip (n)" : "How did I do? (n)", () => onwards(app), { className: "main" }),
    ]));
  app.player?.stop();
  app.player = null;
  app.clip(row).then((clip) => {
    if (app.quiz !== quiz || quiz.rows[quiz.at] !== row) return;
    if (clip.problem) return put(sound, h("p.warn", {}, clip.problem));
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
  find(app.places.quiz, "h3").focus({ preventScroll: true });
}

function onwards(app) {
  if (!app.quiz || app.quiz.answers[app.quiz.at] === undefined) return;
  app.quiz.at++;
  hear(app);
}

function hear(app) {
  app.playNext = true;
  drawQuiz(app);
  find(app.places.quiz, "h3")?.focus({ preventScroll: true });
}

function finished(app) {
  const { data, quiz, view, places } = app, { state } = data, a = modelOf(data, view);
  app.player?.stop();
  const own = (codes) => ({ ...data, models: new Map([["you", { name: "you", predicted: codes }]]) });
  const yours = Array(state.n).fill(-1);
  quiz.rows.forEach((row, i) => { yours[row] = quiz.answers[i]; });
  const right = (codes) => quiz.rows.filter((row) => codes[row] === state.emotion[row]).length;
  const still = (source, model, codes) => {
    const own = { ...view, model, other: null, rows: "emotion", columns: "predicted", order: "given", show: "count" }, matrix = matrixOf(source, own, quiz.rows);
    return h("div", {}, h("b", {}, `${model}: ${right(codes)} of ${quiz.rows.length} right`), table({ ...app, data: source, view: own }, matrix, "quiz", (i, j) => shownIn(own, matrix, i, j)));
  };
  const rows = quiz.rows.map((row, i) => [state.utterance[row], state.classes[state.emotion[row]], state.classes[quiz.answers[i]], labelOf(state, a.predicted, row) ?? ""]);
  put(places.quiz, h("h3", { text: "You and the model", tabindex: -1 }),
    h("div.columns", {}, still(own(yours), "you", yours), a.predicted ? still(data, view.model, a.predicted) : null),
    h("div.row", {}, button("Again, with other clips", () => { app.quiz = null; app.update({ quiz: { ...view.quiz, seed: view.quiz.seed + 1 } }); }, { className: "main" }),
      button("Save my answers", () => saveAs("quiz.csv", csv([["utterance", "emotion", "guess", "model"], ...rows]), "text/csv"))));
}

function csv(rows) {
  return rows.map((row) => row.map((one) => (/[",\r\n]/.test(one) ? `"${String(one).replaceAll('"', '""')}"` : one)).join(",")).join("\r\n") + "\r\n";
}
