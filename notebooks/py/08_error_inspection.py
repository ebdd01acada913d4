# %% [markdown]
# # 08 · Where does it go wrong? Looking at mistakes
#
# **The idea.** A score says *how often* a model is right. It does not say on whom it fails, whether two models fail on the same clips, or
# whether the label was wrong instead of the model. For that somebody has to look, and listen. Tools for looking are younger than
# scores: LIT (Tenney et al. 2020) and Spotlight put every prediction one click away from its example. This notebook has such a tool
# for speech, and the habits that keep you from seeing patterns where there are none.
#
# **You will be able to** find what a confusion matrix hides, set two models side by side, test on fresh data what you found by looking,
# say when a model had better keep silent, search for wrong labels and know how many of your finds are real, and compare your own ear
# with the model's.
#
# **Time.** About two minutes of computing on a laptop with two cores. Looking takes as long as you like.

# %% tags=["parameters"]
corpus: str = "embedded"  # name of a corpus (`sernb corpora` lists them)
root: str = ""  # folder of the corpus; empty: where sernb looks for it
on_bad: str = "raise"  # unreadable recordings: raise an error, or skip them
labels: dict = {}  # own label words of a manifest, such as {"cheerful": "happy"}
emotions: str = ""  # labels to keep, with commas between ("neutral,happy,sad,angry"); empty: all
per_speaker: int = 0  # keep so many utterances of each speaker's emotions, for a quick look; 0: all
protocol: str = "auto"  # who is tested: auto (the corpus's usual one), loso, group-k-fold …
folds_used: int = 0  # run only the first so many folds; 0: all
seed: int = 0  # of the training, and of all that is drawn at random
predictions: str = ""  # CSV of predictions to inspect; empty: two models are trained here
notes: str = ""  # CSV of notes to go on with; empty: none
scaling: str = "log"  # how the spectrogram is scaled (notebook 07): mulaw, mulaw01, log
dft: int = 640  # points of the DFT; notebook 07 explains it
shift: float = 0.04  # seconds from frame to frame
epochs: int = 3  # of the network that hears
batch_size: int = 16  # segments a step
learning_rate: float = 0.02  # at the start; it falls by ten three times
jobs: int = 0  # trainings side by side, each on its share of the cores; 0: up to four, one on a GPU
save: str = ""  # folder for predictions, notes, the explorer's page and a network; empty: not saved
pictures: str = ""  # folder for the main pictures as PNG files; empty: not saved

# %% tags=["stage:imports"]
import json
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from IPython.display import display
from scipy.stats import binomtest, ttest_ind

# %% tags=["stage:imports"]
from sernb import figures, notebook, protocols
from sernb.core import tables
from sernb.core.errors import SernbError
from sernb.evaluation import bootstrap, luck, scores, usual_unit
from sernb.evaluation.abstaining import abstaining
from sernb.evaluation.annotators import one_against_the_others, rating_columns
from sernb.evaluation.baselines import baseline, guesses, pipeline
from sernb.explorer import explore, overlays, write_notes
from sernb.explorer.view import default_view
from sernb.features import audio, spectrogram
from sernb.models.attention_pooling import CNNConfig
from sernb.studies import recordings, saved
from sernb.studies.attention_pooling import PAPER, cross_validate

VOICE, WORDS, BOTH = "the voice", "the words", "voice and words"
device = notebook.start(corpus, seed=seed)

# %% [markdown]
# ## 1 · Two models, two numbers
#
# We need somebody who makes mistakes. Two somebodies, who make different ones:
#
# - **the voice**: the small network with attention pooling of notebook 07. It hears, and knows no word.
# - **the words**: a bag of words with a logistic regression, `sernb.evaluation.baselines`. It reads the transcript, and hears nothing.
#
# Both are tested on speakers whom they never met, with the usual protocol of most corpora. (To inspect predictions of your own instead: `sernb run 8 -p predictions=FILE.csv`,
# with the corpus they are about.)

# %% tags=["stage:features"]
utterances, waveforms = notebook.load(corpus, root, needs=("path", "emotion"), emotions=emotions, labels=labels,
                                      per_speaker=per_speaker, on_bad=on_bad, waveforms=not predictions)  # fmt: skip
figures.class_balance(utterances)

# %% tags=["stage:features"]
config = spectrogram.SpectrogramConfig(scaling=scaling, dft=dft, shift=shift)
folds = [] if predictions else protocols.by_name(protocol, utterances)[: folds_used or None]
if folds:
    train_segments = spectrogram.segment_spectrograms(utterances, waveforms, config)
    test_segments = spectrogram.segment_spectrograms(utterances, waveforms, config, spectrogram.TEST_STEP)
protocols.describe(folds, utterances) if folds else f"Predictions to inspect: {predictions}"

# %% tags=["stage:training"]
networks, readers, of_models = {}, {}, []
if folds:
    recipe = replace(PAPER.shortened(epochs), batch_size=batch_size, learning_rate=learning_rate)
    data = (utterances, train_segments, test_segments)
    with notebook.workers(jobs, device):
        heard, _, networks = cross_validate(*data, folds, CNNConfig(), recipe, name=VOICE, seed=seed)
    of_models.append(heard.drop(columns="seed"))
has_words = "text" in utterances and utterances["text"].notna().all()
if folds and has_words:
    of_models.append(baseline(utterances, folds, "text").assign(model=WORDS))
    for fold in folds:
        lesson = utterances.loc[fold.train]
        readers[fold.name] = pipeline("text", []).fit(lesson[["text"]], lesson["emotion"].astype(str))
elif folds:
    print("This corpus has no words (or not all of them): only the voice is tested.")

# %% [markdown]
# And a third for free: **voice and words**, the mean of their probabilities. Nobody trains it. If the two make *different* mistakes, it should be
# better than either.
#
# **Your guess:** on what share of the utterances are both wrong?

# %%
if predictions:
    table = tables.read_predictions(predictions)
    if "predicted" not in table:
        raise SernbError(f"{predictions}: this notebook inspects emotion classes; no column is 'predicted'")
    table = table if "model" in table else table.assign(model="model")
    if "speaker" in utterances and "speaker" not in table:
        table = table.join(utterances["speaker"])
    of_models = [table[~table.reset_index().duplicated(["model", "utterance"]).to_numpy()]]  # the first seed
chances = [column for column in of_models[0] if column.startswith("p_")]
if len(of_models) == 2:
    mean = of_models[0].assign(model=BOTH)
    mean[chances] = (of_models[0][chances] + of_models[1].loc[mean.index, chances]) / 2
    mean["predicted"] = mean[chances].idxmax(axis=1).str.removeprefix("p_")
    of_models.append(mean)
answers = tables.check_predictions(pd.concat(of_models))
by_model = dict(list(answers.groupby("model", sort=False, observed=True)))
right = {
    name: rows["emotion"].astype(str) == rows["predicted"].astype(str) for name, rows in by_model.items()
}
first, second = [*by_model, None][:2]
unit, best = usual_unit(answers), scores(answers)["UAR"].idxmax()

# %%
classes = answers["emotion"].nunique()
intervals = bootstrap(answers, ["UAR", "WA"], unit=unit)
compared = figures.model_comparison(intervals, {"chance": {"UAR": 1 / classes}})
notebook.keep(compared, "08_models", pictures)
for row in intervals[intervals["metric"] == "UAR"].itertuples():
    notebook.headline(f"UAR, {row.model}", row)

# %%
names = list(by_model)
pairs = [(a, b) for number, b in enumerate(names) for a in names[number + 1 :]]
rows = [notebook.compare(answers, a, b, unit=unit) for a, b in pairs]
notebook.comparisons(rows) if rows else "One model only."

# %% [markdown]
# The bars and the table draw whole speakers where ten or more are known. The level of **the voice** is that of a short training: its
# settings were chosen for speed, after a look at this corpus. Here it has to make mistakes worth looking at, and it does.
#
# **What does such a number hide?** Each row below is hidden in the accuracy of its column.


# %%
def hidden(rows: pd.DataFrame, right: pd.Series) -> dict:
    """What one accuracy hides: emotions, speakers, and how sure the mistakes were."""
    told = {"accuracy": f"{right.mean():.0%}"}
    for by in ("emotion", "speaker"):
        if by in rows and rows[by].notna().all():
            share = right.groupby(rows[by].astype(str)).mean()
            told |= {
                f"worst {by}": f"{share.idxmin()}: {share.min():.0%}",
                f"best {by}": f"{share.idxmax()}: {share.max():.0%}",
            }
    if chances:
        sure = rows[chances].max(axis=1)
        told["mean sureness where it is right"] = f"{sure[right].mean():.2f}"
        told["mean sureness where it is wrong"] = f"{sure[~right].mean():.2f}"
        told["of its mistakes, 0.8 sure or surer"] = f"{(sure[~right] >= 0.8).mean():.0%}"
    return told


pd.DataFrame({name: hidden(rows, right[name]) for name, rows in by_model.items()})

# %%
if second:
    a, b = right[first], right[second].reindex(right[first].index)
    cells = {"both right": a & b, f"only {first}": a & ~b, f"only {second}": ~a & b, "both wrong": ~a & ~b}
    display(pd.DataFrame({name: f"{100 * one.mean():.0f} %" for name, one in cells.items()}, ["share"]))
    together, by_chance = cells["both wrong"].mean(), (~a).mean() * (~b).mean()
    print(f"Both wrong: {together:.1%}. Had their mistakes nothing to do with one another: {by_chance:.1%}.")

# %% [markdown]
# Where the two shares are close, the models fail independently of one another. If both know something, it should pay to have both.

# %% [markdown]
# ## 2 · The explorer
#
# Everything that follows looks at these predictions through one tool. It gets three things: the predictions, the utterances, and (so that
# you see what a model used) an **overlay**. Over the spectrogram that is the attention of notebook 07 for the predicted emotion,
# averaged where segments overlap. Under it stand the words; their colour tells how much the answer would fall if that word were left out.
#
# The clip that is open at first is the surest mistake of the first model.

# %%
parts = []
if networks:
    parts.append(overlays.attention(networks, answers[answers["model"] == VOICE], test_segments, config))
if readers:
    parts.append(overlays.words(readers, answers[answers["model"] == WORDS], utterances))
mistakes = by_model[first][~right[first]]
opened = mistakes[chances].max(axis=1).idxmax() if chances and len(mistakes) else None
explorer = explore(answers, utterances, title=f"{corpus}: {', '.join(names)}", notes=notes or None,
                   overlay=overlays.joined(*parts) if parts else None,
                   view={"model": first, "utterance": opened})  # fmt: skip
explorer

# %% [markdown]
# **How to use it.** A row of the matrix is what was meant, a column what the model said. *Click* a cell: its utterances are listed. *Shift-click*
# adds a cell. *Arrow keys* walk through matrix and list. Click an utterance to open it; *space* plays it, *n* goes on to the next and
# plays that, *p* back. "compared with" sets a second model beside the first. Whatever you write into a note stays with its utterance (section 9).
#
# In JupyterLab a right click on the explorer and "Create New View for Cell Output" keeps it beside you while you read on: the cells
# below set its view from Python, by `explorer.view`, and it follows. `explorer.selected` is its list as a table, which they print.


# %%
by_sureness = "confidence" if chances else "given"
everything = tables.classes_of(answers)
off_diagonal = [[a, b] for a in everything for b in everything if a != b]

# %% [markdown]
# ### Stop 1: the largest confusion
#
# **Your guess:** which emotion does the first model take for which other most often? And is it as often the other way round?

# %%
explorer.view = {"model": first}
counts = explorer.matrix.reindex(index=everything, columns=everything, fill_value=0)
meant, said = max(off_diagonal, key=lambda pair: counts.loc[*pair])
for a, b in ((meant, said), (said, meant)):
    if all_of := int(counts.loc[a].sum()):
        ends = binomtest(int(counts.loc[a, b]), all_of).proportion_ci()
        share = notebook.interval((counts.loc[a, b] / all_of, *ends), ".0%")
        print(f"{a} taken for {b}: {counts.loc[a, b]} of {all_of}, {share}")
explorer.view = {"model": first, "cells": [[meant, said]], "sort": by_sureness}
notebook.glance(explorer.selected)

# %% [markdown]
# **Listen for** what the two emotions share. Loudness, tempo, pitch? And look at the attention: is it on the speech at all? A
# confusion that goes one way only is a leaning: the model says the one word too readily. (The intervals take utterances as
# independent, and this pair was *chosen* for being the largest: keep that in mind until section 3.)

# %% [markdown]
# ### Stop 2: one is right, the other wrong
#
# The best place to learn what each of two models knows. On the embedded corpus we know what to expect, for we made it so: **arousal** (how
# stirred somebody is) is mostly in the voice, **valence** (whether it is pleasant) mostly in the words.
#
# First the utterances that only the first model gets right, the surest first.

# %%
if second:
    explorer.view = {"model": first, "other": second, "outcome": "only_a", "sort": by_sureness}
    notebook.glance(explorer.selected)

# %% [markdown]
# And those that only the second gets right, with the words of the surest: orange ones speak for its answer, blue ones against it. A bag of words knows
# no order. Was it right for the right reason?

# %%
if second:
    explorer.view = {"model": second, "other": first, "outcome": "only_a", "sort": by_sureness}
    notebook.glance(explorer.selected)
    if readers and len(explorer.selected):
        read = overlays.words(readers, answers[answers["model"] == WORDS], utterances)
        read = read(explorer.selected.index[0])
        display(figures.token_attributions(read["words"], read["weights"], "logit", read["words_what"]))

# %% [markdown]
# Two lists of a few utterances prove nothing; let us count. Two coarser questions show what a model knows. *Sad or angry?* Both are unpleasant, so
# only arousal tells them apart. *Happy or angry?* Both are stirred, so only valence does. We ask each question of the utterances
# that it is about, and take as the answer whichever of the two has the larger probability. Chance is one half.
#
# **Your guess:** which model wins which question?

# %%
QUESTIONS = {"sad or angry? (arousal)": ("sad", "angry"), "happy or angry? (valence)": ("happy", "angry")}
replies = {}
for question, pair in QUESTIONS.items():
    asked = answers[answers["emotion"].isin(pair)].astype({"emotion": str, "predicted": str})
    columns = [f"p_{one}" for one in pair]
    if set(columns) <= set(chances) and asked["emotion"].nunique() == 2:
        asked["predicted"] = asked[columns].idxmax(axis=1).str.removeprefix("p_")
        found = bootstrap(asked.drop(columns=chances), "UAR", unit=unit)
        replies[question] = {row.model: notebook.interval(row, ".0%") for row in found.itertuples()}
pd.DataFrame(replies) if replies else "This corpus has not all of sad, happy and angry (or no probabilities)."

# %% [markdown]
# **What to look at.** Which column is far above one half for whom? On a corpus of actors who all say the same few sentences, words carry no emotion: what they get
# above one half can only come from how often each sentence was recorded with which emotion. And yet their list above looks as convincing as any.

# %% [markdown]
# ### Stop 3: anything can be an axis
#
# Rows need not be emotions. Take speakers, and sort by the share of mistakes: who is understood worst?

# %%
by_speaker = "speaker" in answers and answers["speaker"].notna().all() and answers["speaker"].nunique() > 1
if by_speaker:
    explorer.view = {"model": first, "rows": "speaker", "columns": "predicted", "order": "confusion"}
    share = right[first].groupby(by_model[first]["speaker"]).agg(["mean", "size"])
    share = share.sort_values("mean").rename(columns={"mean": "right", "size": "utterances"})
    display(pd.concat([share.head(3), share.tail(3)]).round(2) if len(share) > 6 else share.round(2))
    of_the_worst = {"speaker": [share.index[0]]}
    explorer.view = {"model": first, "filters": of_the_worst, "cells": off_diagonal, "sort": by_sureness}
    notebook.glance(explorer.selected, 3, 1)

# %% [markdown]
# Tempting, is it not? A poor microphone, an accent, a flat voice: a reason is quickly found for whoever stands first. Hold that
# thought until section 3.

# %% [markdown]
# ### Stop 4: wrong, and sure of it
#
# A model that is wrong *and* unsure does what it can. Wrong and sure is where it learnt something else than we wanted, where the recording is
# broken, or where the label is.

# %%
explorer.view = {"model": first, "cells": off_diagonal, "sort": by_sureness}
notebook.glance(explorer.selected)

# %% [markdown]
# **Decide for each:** what do *you* hear? Write it into a note, with a tag such as `label?`, `noise` or `blind spot`; the list "with a note"
# gathers them.

# %% [markdown]
# ## 3 · A pattern found by looking is a guess
#
# Whoever looks at enough groups finds a bad one. Of ten speakers somebody is the worst, even if all are understood equally well. So
# look at one half of the data, write your guess down, and test it on the other half.
#
# **Your guess:** the speaker who is worst in one half, will they be worst in the other? As bad?


# %%
rows, hit = by_model[first], right[first].to_numpy(float)
if by_speaker:
    who, people = pd.factorize(rows["speaker"])
    label = rows["emotion"].cat.codes.to_numpy()
    half = luck.halves(who, label, np.random.default_rng(seed))
    seen, unseen = (luck.accuracy(hit, who, half == part) for part in (0, 1))
    worst = int(np.nanargmin(seen))
    rank = int((unseen < unseen[worst]).sum()) + 1
    print(f"Worst where we looked: {people[worst]}, {seen[worst]:.0%} right (mean {np.nanmean(seen):.0%}).")
    print(f"In the other half: {unseen[worst]:.0%} right (mean {np.nanmean(unseen):.0%}), "
          f"place {rank} of {len(people)} from below.")  # fmt: skip
    twice = rows.assign(model=np.where(half == 0, "the half that we looked at", "the other half"))
    twice = twice.iloc[np.argsort(half, kind="stable")]
    drawn = figures.group_scores(twice, metric="WA", title=f"Each speaker twice, {first}")
    drawn.axes[0].set_xlabel("")
    notebook.keep(drawn, "08_halves", pictures)

# %% [markdown]
# One split of the data is one throw of the dice, too. So split it many times, take the worst of one half each time, and ask for how much of
# their lag is left in the other. What is lost on the way is **regression to the mean**: an extreme that was chosen for being extreme
# was partly luck.

# %%
if by_speaker:
    found, left = luck.lag_of_the_worst(hit, who, label, splits=300, seed=seed)
    print(f"The worst speaker lies {100 * found:.1f} points below the mean where they were found, and "
          f"{100 * left:.1f} points in the other half (means of 300 splits).")  # fmt: skip
    equal = "All are understood equally well."
    print(f"So {1 - left / found:.0%} of what we saw was luck." if found > 0 else equal)

# %% [markdown]
# And is there *any* difference between speakers? Deal the mistakes out anew at random among all utterances of an emotion: then no speaker is
# harder than another. How often is the worst of them as bad as the one that we saw? How often do speakers differ as much?

# %%
if by_speaker:
    dealt = luck.by_luck(hit, who, label, n=1000, seed=seed)
    print(f"Worst speaker: {dealt.worst:.0%} right; by luck alone {dealt.by_luck:.0%} on average.")
    print(f"As bad or worse by luck: p = {dealt.p_worst:.3f}.")
    print(f"Speakers that differ as much, by luck: p = {dealt.p_any:.3f}.")
    print("They differ beyond luck." if dealt.p_any < 0.05 else "Luck alone could explain these differences.")

# %% [markdown]
# The same holds for every filter you set in the explorer: each is one more look, and one of twenty looks finds something at the 5 % level in
# pure noise. Write down what you expect *before* you look, or keep a part of the data that you do not look at.

# %% [markdown]
# ## 4 · When should it say "I don't know"?
#
# A model gives probabilities, and need not answer when the largest is small. The surest utterances are answered first: the further to the left,
# the more is left unanswered, and (one hopes) the more of the answers are right.
#
# **Your guess:** how many utterances may a model answer if nine answers of ten are to be right?

# %% tags=["picture"]
if chances:
    drawn = figures.abstaining(answers, title=f"Answer only when sure, {corpus}")
    notebook.keep(drawn, "08_abstaining", pictures)
else:
    notebook.keep(compared, "08_models", "")
    print("These predictions have no probabilities (columns p_<class>): nobody knows how sure the model was.")

# %%
HALF, GOOD = 0.5, 0.9
kept = pd.DataFrame()
if chances:
    kept = abstaining(answers, coverage=HALF, accuracy=GOOD, unit=unit).set_index(["model", "metric"])
    shown = kept.apply(notebook.interval, axis=1, form=".1%").unstack(sort=False)
    headings = ["right of all", "right of the surest half", "gain", "may answer, if 9 of 10 shall be right"]
    display(shown.set_axis(headings, axis=1))
    row = kept.loc[(best, "coverage at accuracy")]
    notebook.headline(f"Share answered with 9 of 10 right, {best}", row)

# %% [markdown]
# Two warnings. The threshold was found on the utterances that it is judged by, so on new ones it does a little worse. And the last column is a
# place on a curve that wobbles: see how wide its interval is.
#
# **And who is not answered?** Silence is not dealt out evenly. Here the surest half again, emotion by emotion, and at that threshold in the explorer.

# %%
rows, hits = by_model[best], right[best]
if chances:
    sure, groups = rows[chances].max(axis=1), rows["emotion"].astype(str)
    threshold = float(np.floor(1000 * sure.quantile(1 - HALF)) / 1000)
    explorer.view = {"model": best, "threshold": threshold}
    answered = int(explorer.matrix.to_numpy().sum())
    print(f"{best}, threshold {threshold:.2f}: {answered} of {len(rows)} utterances are answered")
    kept_up = sure >= threshold
    of = {"answered": kept_up, "right of all": hits, "right of those answered": hits[kept_up]}
    display(pd.DataFrame({name: one.groupby(groups).mean() for name, one in of.items()}).map("{:.0%}".format))

# %% [markdown]
# ## 5 · Likely label errors
#
# Some mistakes are not the model's. **Confident learning** (Northcutt, Jiang and Chuang 2021) asks of every clip: does a model that has never seen it
# give another label a probability as high as it usually gives to clips of that other label? Then the label is suspect. `cleanlab` does
# it, an optional extra: `pip install 'sernb[labels]'`. The explorer lists the suspects as "likely label errors", the most doubtful first.
#
# **Your guess:** of a hundred suspects, how many labels are truly wrong?

# %%
suspects = explorer.state["models"][names.index(best)]["errors"]
if suspects:
    explorer.view = {"model": best, "list": "errors"}
    print(f"{best}: of {len(rows)} utterances it takes {(~hits).sum()} for another emotion, ", end="")
    print(f"and {len(suspects['rows'])} are suspects.")
    notebook.glance(explorer.selected)
else:
    found = [one for one in explorer.state["notices"] if "cleanlab" in one or "label errors" in one]
    print(" ".join(found) or "Nothing here looks like a wrong label.")

# %% [markdown]
# Are they wrong? In a real corpus nobody knows; you have to listen. The embedded corpus knows: `emotion` is what most of four simulated annotators
# heard, `emotion_true` what was meant before anyone spoke. So here a method can be marked, beside simpler lists: as many clips, those whose
# label the model finds least likely; all of the model's mistakes; all clips.
#
# **Your guess:** is the cleverer list better than the simplest? And are the lists of weaker models shorter or longer?


# %%
def suspects_of(name: str) -> np.ndarray:
    """The places in `rows` of a model's suspects, the most doubtful first."""
    listed = explorer.state["models"][names.index(name)]["errors"] or {"rows": []}
    return rows.index.get_indexer([explorer.state["utterance"][one] for one in listed["rows"]])


# %%
marked, place = {}, suspects_of(best)
truth = utterances["emotion_true"].reindex(rows.index) if "emotion_true" in utterances else None
if len(place) and truth is not None and truth.notna().all():
    wrong = (rows["emotion"].astype(str) != truth.astype(str)).to_numpy()
    doubt = np.array([row[f"p_{row['emotion']}"] for _, row in rows.iterrows()])
    least = np.argsort(doubt, kind="stable")[: len(place)]
    lists = {"confident learning": place, "label least likely": least}
    lists |= {"all mistakes of the model": np.flatnonzero(~hits.to_numpy()), "all": np.arange(len(rows))}
    lists |= {f"confident learning, first {k}": place[:k] for k in (25, 50) if k < len(place)}
    lists |= {f"confident learning, {name}": suspects_of(name) for name in names if name != best}
    units, shown = pd.factorize(rows["speaker"] if unit == "speaker" else rows.index)[0], {}
    for name, chosen in lists.items():
        inside = np.isin(np.arange(len(rows)), chosen)
        marked[name] = luck.share_of(wrong, inside, units, seed=seed)
        shown[name] = {"clips": inside.sum(), "wrong labels": notebook.interval(marked[name][0], ".1%"),
                       "found": f"{(inside & wrong).sum()} of {wrong.sum()}"}  # fmt: skip
    display(pd.DataFrame(shown).T)

# %%
if marked:
    value = marked["confident learning"][0][0]
    notebook.headline("Suspects whose label is truly wrong", marked["confident learning"][0])
    print(f"A suspect's label is {value / marked['all'][0][0]:.1f} times as likely to be wrong as any, "
          f"and {1 - value:.0%} are right.")  # fmt: skip
    notebook.glance(explorer.selected, 6, 0, ("emotion_true",))
else:
    print("Whether these labels are wrong is not known here. The list says where to listen first, no more.")

# %% [markdown]
# A suspect is no verdict: a model that is not good enough doubts labels that are right. Correcting labels *unheard*, by what a model says, makes a
# corpus that agrees with that model, and a test on it that flatters.
#
# **What did people say?** Where single annotators or listeners are known, a suspect label should be one that fewer of them agree with.

# %%
heard_by, votes = {}, rating_columns(utterances).get("emotion", [])
if votes:
    given = utterances.loc[rows.index, votes]
    same = given.eq(rows["emotion"].astype(str), axis=0).where(given.notna())
    heard_by["annotators who gave the label (%)"] = 100 * same.mean(axis=1)
for column in {"recognised", "natural"} & set(utterances):
    heard_by[f"listeners: {column} (%)"] = utterances[column].reindex(rows.index)
suspect, compared_by = np.isin(np.arange(len(rows)), place), {}
for what, values in heard_by.items():
    one, two = values[suspect].dropna(), values[~suspect].dropna()
    if min(len(one), len(two)) > 1 and values.std() > 0:
        ends, means = ttest_ind(one, two, equal_var=False).confidence_interval(), (one.mean(), two.mean())
        compared_by[what] = dict(zip(("suspects", "others"), np.round(means, 1), strict=True))
        compared_by[what]["difference"] = notebook.interval((means[0] - means[1], *ends), "+.1f")
pd.DataFrame(compared_by).T if compared_by else "No annotators or listeners are known here (or no suspects)."

# %% [markdown]
# ## 6 · Not only classes
#
# Arousal, valence and dominance are numbers, and a mistake has a size and a direction: the **residual**, predicted less true. The explorer
# has a tab for them. For **the voice** a ridge regression guesses them from the mean, the spread and the change of the spectrogram
# in 40 bands (quick, and not very good); for **the words** another guesses valence from a bag of words.

# %%
dims = [one for one in tables.DIMENSIONS if networks and one in utterances and utterances[one].notna().any()]
guessed = []
if dims:
    bands = torch.nn.functional.adaptive_avg_pool2d(test_segments.spectrograms, (40, config.frames))
    parts = [bands.mean(2), bands.std(2), bands.diff(dim=2).abs().mean(2)]  # (segments, 40) each
    statistics = pd.DataFrame(torch.cat(parts, 1).numpy()).add_prefix("band ")
    statistics = statistics.groupby(test_segments.table["utterance"].to_numpy()).mean()
    by_words = ["valence"] if "valence" in dims and has_words else []
    for name, of, heard in ((VOICE, dims, statistics), (WORDS, by_words, None)):
        if of:
            table = pd.DataFrame({f"{one}_predicted": guesses(utterances, one, folds, heard) for one in of})
            known = utterances[[*of, *({"speaker"} & set(utterances))]]
            guessed.append(table.rename_axis("utterance").assign(model=name).join(known))
else:
    print("This corpus has no ratings of arousal, valence and dominance (or nothing was trained here).")

# %%
if guessed:
    found = [bootstrap(one, [f"CCC_{d}" for d in dims if f"{d}_predicted" in one], unit) for one in guessed]
    display(pd.concat(found).set_index(["model", "metric"])[["value", "low", "high"]].round(2))
    view = {"tab": "dimensions", "dimension": "valence" if "valence" in dims else dims[0], "sort": "residual"}
    rated = explore(pd.concat(guessed), utterances, title=f"{corpus}: dimensions", view=view)
    rated.report_cap = 1_500_000
    display(rated)

# %% [markdown]
# Each dot is an utterance: true value across, predicted one up. *Draw a box* around dots, and they are listed. On the diagonal truth and prediction
# agree.
#
# **Your guess:** which utterances have the largest residuals?

# %%
if guessed:
    table, one = guessed[0], rated.view["dimension"]
    residual = table[f"{one}_predicted"] - table[one]
    largest = residual.abs() >= residual.abs().quantile(0.9)
    far = (table[one] - table[one].mean()).abs() / table[one].std()
    print(f"{one}, {VOICE}: how far are the true values from their mean, in standard deviations?")
    print(
        f"The tenth with the largest residuals {far[largest].mean():.1f}, others {far[~largest].mean():.1f}."
    )
    print(f"Correlation of true value and residual: {np.corrcoef(table[one], residual)[0, 1]:+.2f}")
    columns = ["text", "emotion", one, f"{one}_predicted", "speaker"]
    display(rated.selected[[name for name in columns if name in rated.selected]].head(4).round(2))

# %% [markdown]
# A negative correlation is no discovery about voices: a regression that is unsure guesses near the mean, so extremes are always underrated
# (regression to the mean again). Look for large residuals *at the same true value* instead: box a vertical strip.

# %% [markdown]
# ## 7 · And you? The listening quiz
#
# The tab "quiz" plays ten clips; you choose an emotion for each, and see afterwards what was meant, what the models said, and what other
# listeners heard, where that is known. Do it *before* you look at the clips above too closely.

# %%
explorer.view = {"tab": "quiz", "model": best, "quiz": {"size": 10, "seed": seed + 1}}
rows = {"guessing": 100 / classes}
rows |= {f"model: {name}": 100 * hits_of.mean() for name, hits_of in right.items()}
if "recognised" in utterances:
    rows["listeners (recognised)"] = utterances["recognised"].reindex(answers.index.unique()).mean()
if len(votes) > 2:
    alone = one_against_the_others(utterances.loc[answers.index.unique(), votes])
    rows["one annotator, against the others' majority"] = 100 * scores(alone)["WA"].iloc[0]
display(pd.DataFrame({"right (%)": rows}).round(1))
low, high = binomtest(7, 10).proportion_ci()
print(
    f"Seven of ten right: a 95 % interval from {low:.0%} to {high:.0%}. Ten clips are for fun, not a paper."
)

# %% [markdown]
# Do not mix up the rows: an annotator is measured against other annotators, a model against the label. And EMO-DB was published with those
# recordings only that most listeners recognised, so their row flatters them.

# %% [markdown]
# ## 8 · Your own voice
#
# Say something, and see what the network makes of it. It is saved first, for `sernb predict FILE --model FOLDER` wants a folder, and so you can
# use it later. It learnt from other voices, in another room (on the embedded corpus even from a synthesiser): that it is sure of itself means little.

# %%
recorder = None
if networks:
    home = Path(save or tempfile.mkdtemp(prefix="sernb-")) / "voice"
    labels_heard = list(utterances["emotion"].cat.categories)
    about = {"corpus": corpus, "classes": labels_heard, "spectrogram": asdict(config)}
    saved.save(networks[folds[0].name], home, about)
    model = recordings.load_model(home)

    def answer(wave: np.ndarray) -> None:
        """What the network says of a recording, in words."""
        print(recordings.as_text(recordings.predict_waveform(wave, model)))

    example = utterances.loc[folds[0].test].iloc[0]
    answer(audio.read_audio(example["path"], example.get("start"), example.get("end")))
    recorder = notebook.record(answer)
recorder

# %% [markdown]
# What stands above is its answer about the first test utterance, to show the form. Say the same sentence twice, once glad and once angry: does the answer
# follow you, or your microphone?

# %% [markdown]
# ## 9 · Keep what you found
#
# Notes, a view and the whole explorer can leave the notebook:
#
# - **notes** are a CSV (utterance, note, tags), so two people can listen apart and compare. The parameter `notes` reads them again.
# - **a view** is plain JSON: paste it to a colleague, and they see the same cell with the same filters.
# - **a page**: `explorer.save("errors.html", cap=20_000_000)` is one file with the clips that fit. It works without Python, and it holds
#   *recordings of people*: pass it on only where their licence and their consent allow it.

# %%
if suspects and suspects["rows"]:
    name = explorer.state["utterance"][suspects["rows"][0]]
    noted = {name: {"note": f"{best} doubts it; to be heard", "tags": ["label?"]}}
    explorer.notes = noted | explorer.notes
display(explorer.notes_table().head())
changed = {key: value for key, value in explorer.view.items() if value != default_view(explorer.state)[key]}
print(json.dumps(changed, ensure_ascii=False))

# %%
if save:
    folder = Path(save)
    tables.write_predictions(answers, folder / "predictions.csv")
    write_notes(explorer.notes_table(), folder / "notes.csv")
    # what the page begins with
    explorer.view = {"model": first, "cells": [[meant, said]], "sort": by_sureness}
    explorer.save(folder / "errors.html")
    if guessed:
        rated.save(folder / "dimensions.html", cap=8_000_000)
    print(f"saved to {folder}: predictions.csv, notes.csv, errors.html{' and the network' * bool(networks)}")

# %% [markdown]
# Without a notebook: `sernb explore predictions.csv --corpus embedded` opens the same explorer in your browser, and with `--html errors.html`
# it writes the page.

# %% [markdown]
# ## 10 · Two claims, held against this run
#
# A card says "holds" only where the whole interval lies on the claim's side of zero.

# %%
gain, why = None, "These predictions have no probabilities."
if len(kept):
    gain = kept.loc[(first, "gain")]
    others = ", ".join(f"{name} {kept.loc[(name, 'gain')]['value']:+.3f}" for name in names[1:])
    why = f"{first}: accuracy of the surest half less that of all, by {gain['units']} {unit}s. "
    why += f"The others: {others}. " if others else ""
    why += "The paper chooses a threshold for a promised error; here only the direction is tested."
words = "Who answers only when sure is right more often: error falls as coverage falls"
number = "2 % top-5 error on ImageNet at almost 60 % coverage"
notebook.claim_of("Geifman & El-Yaniv 2017", words, number, gain, why)

# %%
more, why = None, "Which labels are truly wrong is not known here."
if marked:
    share, more = marked["confident learning"]
    why = f"Share of wrong labels among {len(place)} suspects of {best}, less the share among all, by {unit}. A list "
    why += f"as long by the label's probability alone: {marked['label least likely'][0][0]:.1%} against {share[0]:.1%}."
elif not suspects:
    why = "cleanlab is not installed, or there are too few utterances of an emotion."
words = "Confident learning finds wrong labels more often than chance"
notebook.claim_of("Northcutt, Jiang & Chuang 2021", words, None, more, why)

# %% [markdown]
# ## Recap
#
# - One number hides whom a model fails, and that two models of like scores may know different things.
# - A look is a search. What it finds is a guess, to be tested on data that you did not look at; extremes shrink when you look again.
# - A model may keep silent, and is then usually right more often; ask whom its silence hits, and how wide the interval is.
# - A list of likely label errors is a list of what to listen to first. Its share of true errors can be far below one half.
# - Notes, views and pages are plain files: what you heard can be checked by somebody else.

# %% [markdown]
# ## Exercises
#
# **1.** A model answers the 40 of 100 utterances that it is surest of, and 36 are right. Made to answer all, it is right in 70. What share of those
# that it would rather have left out does it get right?

# %% tags=["exercise"]
of_the_unsure = ...
notebook.check(lambda: np.isclose(of_the_unsure, 34 / 60, atol=0.001),
               "Right: 34 of 60. Silence costs right answers, too: more than half of what is withheld would have been right.",
               "How many right answers are there among the 60 that are left? Divide by 60.")  # fmt: skip

# %% [markdown]
# **2.** Of 200 angry utterances 80 are called happy, of 320 happy ones 64 are called angry. Give the share of each emotion that is taken for
# the other. Towards which word does the model lean, "happy" or "angry"?

# %% tags=["exercise"]
angry_as_happy, happy_as_angry, leans_to = ..., ..., "..."
notebook.check(lambda: np.allclose([angry_as_happy, happy_as_angry], [0.4, 0.2]) and leans_to == "happy",
               "Right. The counts 80 and 64 look alike; the shares differ by a factor of two.",
               "Divide each count by how many utterances there are of the emotion that was meant.")  # fmt: skip

# %% [markdown]
# **3.** All ten speakers are equally hard. For each one there is a chance of 5 % to look "significantly" bad by luck. What is the chance that at least
# one of the ten does?

# %% tags=["exercise"]
at_least_one = ...
notebook.check(lambda: np.isclose(at_least_one, 1 - 0.95**10, atol=0.001),
               "Right, about 40 %. With 24 speakers it would be 71 %.",
               "What is the chance that none of them does? The rest is the answer.")  # fmt: skip

# %% [markdown]
# **4.** In 1,000 clips 50 labels are wrong. A list of 150 suspects holds 24 of them. What share of the list is wrong, how many times the base rate is
# that, and what share of the wrong labels was found?

# %% tags=["exercise"]
precision, times, found_share = ..., ..., ...
notebook.check(lambda: np.allclose([precision, times, found_share], [0.16, 3.2, 0.48]),
               "Right. A useful list: half the errors for the work of listening to 15 % of the corpus. And five of six suspects are innocent.",
               "24 of 150; that share against 50 of 1,000; and 24 of 50.")  # fmt: skip

# %% [markdown]
# ## References
#
# - Y. Geifman, R. El-Yaniv. Selective classification for deep neural networks. NeurIPS 2017.
# - C. G. Northcutt, L. Jiang, I. L. Chuang. Confident learning: estimating uncertainty in dataset labels. Journal of Artificial
#   Intelligence Research 70, 2021.
# - I. Tenney et al. The Language Interpretability Tool: extensible, interactive visualizations and analysis for NLP models. EMNLP 2020,
#   system demonstrations.
# - Spotlight (Renumics): interactive exploration of unstructured data, an open-source tool.
# - C. K. Chow. On optimum recognition error and reject tradeoff. IEEE Transactions on Information Theory 1970.
