# %% [markdown]
# # 03 · A small network learns from a large one: knowledge distillation
#
# **The paper.** T. M. Nguyen, P.-N. Tran, D. N. M. Dang, *Enhancing Speech Emotion Recognition through Knowledge
# Distillation*, 2024.
#
# A student keeps the first layers of the teacher's BERT and drops the rest. It is smaller and faster, and knows less. Can
# the teacher, by saying not just "happy" but "happy, perhaps angry, surely not sad", make up for it?
#
# **You will be able to** soften a teacher's answers and say what that changes, write the paper's loss term by term, train
# students with and without a teacher on equal terms, and judge the difference with intervals over test utterances and
# over seeds.
#
# **Time.** The settings below are cut for a laptop with two cores, where the whole notebook takes some minutes; those of
# the paper want a GPU: `sernb run 3 --profile full`.

# %% tags=["parameters"]
corpus: str = "embedded"  # name of a corpus (`sernb corpora` lists them)
root: str = ""  # folder of the corpus; empty: where sernb looks for it
on_bad: str = "raise"  # unreadable recordings: raise an error, or skip them
labels: dict = {}  # own label words of a manifest, such as {"cheerful": "happy"}
emotions: str = ""  # labels to keep, with commas between ("neutral,happy,sad,angry"); empty: all
per_speaker: int = 0  # keep so many utterances of each speaker's emotions, for a quick look; 0: all
protocol: str = "auto"  # who is tested: auto (the corpus's usual one), loso, group-k-fold-by-both …
folds_used: int = 2  # run only the first so many folds; 0: all
seeds: list[int] = [0, 1, 2, 3, 4]  # each student is trained once for each
text_encoder: str = "mini-bert"  # mini-bert, a folder, or a hub name; the paper: bert-base-uncased
audio_encoder: str = "mini-vggish"  # mini-vggish, vggish (published weights), a .pth file or a folder
postprocess: bool = False  # VGGish's own PCA, clipping and rounding; needs the published weights
teachers: str = ""  # the folder where notebook 02 saved its teachers; empty: trained here
layers: list[int] = [3, 2, 1]  # text layers of the students; the paper: 6, 4 and 2 of 12
recipe: str = "laptop"  # laptop; paper, code: as published, SGD at 1e-6 with one utterance a step
transfer_epochs: int = 3  # epochs of the head alone; 0: the recipe's
fine_tune_epochs: int = 3  # epochs with the text encoder, where the teacher speaks; 0: the recipe's
temperature: float = 2.0  # softens teacher and student
alpha: float = 0.5  # share of the teacher's answers in the loss, against the labels
ablation_seeds: list[int] = [0]  # seeds of the trials with parts of the loss; []: no such trials
sentences: int = (
    1500  # sentences without a label that the teacher reads too (embedded corpus, at most 1500); 0: none
)
jobs: int = 0  # trainings side by side, each on its share of the cores; 0: up to four, one on a GPU
cache: str = ""  # folder for what frozen encoders and teachers make of the corpus; empty: kept in memory
save: str = ""  # folder for the predictions; empty: not saved
pictures: str = ""  # folder for the main pictures as PNG files; empty: not saved

# %% tags=["stage:imports"]
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from IPython.display import display
from joblib import cpu_count, parallel_config

# %% tags=["stage:imports"]
from sernb import corpora, figures, notebook, protocols
from sernb.core.errors import SernbError
from sernb.core.tables import write_predictions
from sernb.corpora import embedded
from sernb.evaluation import bootstrap, paired_bootstrap, scores, seed_difference, usual_unit
from sernb.features import audio, encoders
from sernb.features.text import clean
from sernb.losses import Distillation, DistillationConfig, kl_divergence, soften
from sernb.models.three_m_ser import ThreeMSERConfig
from sernb.studies import sizes, three_m_inputs, three_m_ser
from sernb.studies.three_m_ser import ALONE, RECIPES, Way

# %%
device = notebook.start(corpus, f"{text_encoder} + {audio_encoder}", seeds[0])
at_a_time = jobs or (1 if device.type == "cuda" else min(4, cpu_count()))
if recipe not in RECIPES:
    raise SernbError(f"recipe is {recipe!r}; choose one of {', '.join(RECIPES)}")

# %% [markdown]
# ## 1 · The same corpus, the same teacher
#
# As in notebook 02: words and sound, a validation part from the training side, speakers apart unless the protocol mixes
# them. By default two folds only, so that five seeds of every student fit into a few minutes: so the teacher's score here
# is not the one of notebook 02.

# %% tags=["stage:features"]
wanted = [one.strip() for one in emotions.split(",") if one.strip()] or None
options = {"labels": labels} if labels else {}
utterances = corpora.load(corpus, root or None, emotions=wanted, on_bad=on_bad, **options)
for column in ("path", "text", "emotion"):
    if column not in utterances:
        raise SernbError(
            f"this notebook needs recordings, words and emotions; the corpus has no column {column!r}"
        )
if per_speaker:
    known = [one for one in ("speaker", "emotion") if one in utterances]
    utterances = utterances.groupby(known, observed=True, dropna=False).head(per_speaker)
utterances, waveforms = audio.read_utterances(utterances, on_bad=on_bad)
folds = protocols.by_name(protocol, utterances)[: folds_used or None]
folds = protocols.with_validation(folds, utterances, seed=seeds[0])
protocols.describe(folds, utterances)

# %% tags=["stage:features"]
text, tokenizer = encoders.text_encoder(text_encoder)
vggish = encoders.audio_encoder(audio_encoder)
text, vggish = text.to(device), vggish.to(device)
pca = encoders.published_pca() if postprocess else None
live = RECIPES[recipe].fine_tune.train_audio  # VGGish learns too, so its input is kept
inputs = three_m_inputs.prepare(
    utterances, waveforms, tokenizer, vggish, pca, keep_examples=live, cache=cache or None
)
pretrained = three_m_ser.Encoders(text, vggish, ThreeMSERConfig(), postprocess=pca)
depth = text.config.num_hidden_layers
if wrong := [one for one in layers if not 1 <= one < depth]:
    raise SernbError(f"layers asks for students of {wrong[0]} layers; {text_encoder} has {depth}")
stages = RECIPES[recipe].with_epochs(transfer_epochs, fine_tune_epochs)

# %% [markdown]
# The teacher is the network with all of BERT's layers, one for each fold. What it says of every utterance, and every
# hidden state of its text encoder, is computed once and kept: no student ever waits for it again.

# %% tags=["stage:training"]
if teachers:
    taught, found = three_m_ser.saved_teachers(teachers, utterances, inputs, folds)
    found = {fold: model.to(device) for fold, model in found.items()}
else:
    with parallel_config(n_jobs=at_a_time):
        taught, _, found = three_m_ser.train_teachers(
            utterances, inputs, folds, pretrained, stages, "teacher", seeds[:1]
        )
outputs = three_m_ser.teacher_outputs(found, inputs, cache or None)
scores(taught[taught["part"] == "test"]).round(3)

# %% [markdown]
# ## 2 · What a teacher knows that a label does not
#
# A label says "happy" and nothing else. The teacher's probabilities, one a class, also say what the utterance could almost
# have been.
# A *temperature* $T$ above 1 makes those other numbers visible (Eq. 1): $P = \mathrm{softmax}(Z/T)$.
#
# **Your guess:** which classes will get the probability that the first one loses?

# %%
classes = list(inputs.classes)
fold = folds[0]
rows = inputs.rows(fold.test)
logits = outputs[fold.name].logits[rows]
unsure = np.argsort(
    -(soften(torch.tensor(logits), 1.0) * -soften(torch.tensor(logits), 1.0).log()).sum(1).numpy()
)
chosen = unsure[np.linspace(0, len(unsure) - 1, 8).astype(int)]  # from the least to the most certain
one = chosen[len(chosen) // 2]
print(
    f"{fold.test[one]}: “{clean(utterances['text'].loc[fold.test[one]])}” is {classes[inputs.labels[rows[one]]]}"
)
softened = figures.softening(logits[one], classes, (1, 2, 4, 8))
notebook.keep(softened, "03_softening", pictures)

# %% [markdown]
# Now for yourself: choose an utterance and move the sliders. On one side stands the teacher's answer at this temperature
# and its entropy in bits; on the other, how much of the **gradient** comes from the teacher and how much from the label,
# for a student that as yet finds all classes equally likely.
#
# The factor $T^2$ belongs to it: softened answers have gradients that shrink as $1/T^2$, and the factor puts them back.
# The authors' code has it (and so have the sliders), the paper's Eq. 2 has not.

# %%
figures.softening_explorer(
    logits[chosen],
    [classes[label] for label in inputs.labels[rows[chosen]]],
    classes,
    [f"{name}: {clean(utterances['text'].loc[name])[:40]}" for name in fold.test[chosen]],
)

# %% [markdown]
# The same in numbers, for the whole test part: how large is the gradient of the KL term for an undecided student?

# %%
sizes_of = {}
for degrees in (1.0, 2.0, 4.0, 8.0):
    for factor in (True, False):
        student = torch.zeros(len(rows), len(classes), requires_grad=True)
        kl_divergence(student, torch.tensor(logits), degrees, factor).backward()
        sizes_of[degrees, "with T²" if factor else "without"] = float(
            student.grad.norm(dim=1).mean() * len(rows)
        )
table = pd.Series(sizes_of).unstack()
table.rename_axis(index="T").round(4)

# %% [markdown]
# ## 3 · The loss, term by term
#
# $$L = \underbrace{\alpha\, T^2\, \mathrm{KL}(P^t \| P^s)}_{\text{as the teacher says}} +
# \underbrace{(1-\alpha)\, \mathrm{CE}(y, p^s)}_{\text{as the label says}} +
# \underbrace{\mathrm{MSE}(f^t, f^s)}_{\text{as the teacher reads}}$$
#
# (Eq. 2 to 6, default settings.) $P$ is softened by $T$; $p^s$ is the student's own softmax, at $T = 1$. Eq. 5 compares one
# embedding an utterance; the authors' code, and we, compare every piece's last hidden state. So teacher and student must
# read the same pieces: the same tokenizer. Padding takes no part. Here are the three terms of an untrained student:

# %%
loss = DistillationConfig(alpha=alpha, temperature=temperature)
student = pretrained.network(classes, seeds[0], min(layers)).to(device).eval()
batch = inputs.dataset(rows, teacher=outputs[fold.name]).__getitems__(range(min(32, len(rows))))
told = {name: one.to(device) for name, one in batch.pop("teacher").items()}
goal = batch.pop("labels").to(device)
with torch.inference_mode():
    said = student(**{name: one.to(device) for name, one in batch.items()})
    total, terms = Distillation(loss)(said, told, goal)
print(f"total {float(total):.3f}")
pd.Series({name: float(one) for name, one in terms.items()}, name="before its weight").round(3)

# %% [markdown]
# ## 4 · The students
#
# BERT2 is the first two layers of the *pretrained* BERT (the authors' code; the paper does not say), not of the teacher's. Both ways of learning share the transfer
# stage, where the teacher is silent, and so start fine-tuning from the very same weights. They take the same number of
# steps, see the utterances in the same order, and differ in the loss alone: with KD the label has half its weight, and one
# teacher speaks to all seeds.

# %% tags=["stage:training"]
ways = {"alone": ALONE, "KD": Way(loss)}
with parallel_config(n_jobs=at_a_time):
    learnt, losses = three_m_ser.train_students(
        utterances, inputs, folds, pretrained, outputs, layers, ways, stages, seeds
    )
everyone = pd.concat([taught, learnt])
tested = everyone[everyone["part"] == "test"]

# %%
smallest, history = min(layers), []
for way in ways:
    of_way = losses[(losses["model"] == f"BERT{smallest} {way}") & (losses["stage"] == "fine-tuning")]
    valid = of_way[["epoch", "fold", "seed", "validation_loss", "validation_UAR"]]
    valid = valid.rename(columns={"validation_loss": "loss", "validation_UAR": "UAR"})
    history.append(valid.assign(fold=valid["fold"] + " " + valid["seed"].astype(str), part=way))
title = f"BERT{smallest}, validation, a line a fold and seed (loss: plain cross-entropy for both)"
figures.learning_curves(pd.concat(history).drop(columns="seed"), title=title)

# %% [markdown]
# ## 5 · Table II, for this corpus
#
# Parameters in both ways of counting (notebook 02), the time for one utterance, and four scores on validation and test,
# as the mean over seeds. BACC is another name for UAR, ACC for WA. Validation is averaged over folds, and flatters, since
# it chose the weights; the test is pooled over folds, and its BACC has an interval. The networks are timed in turn, without
# front end and tokenizer.

# %%
depths = {"teacher": depth} | {f"BERT{one} {way}": one for one in layers for way in ways}
counted = sizes.tables(pretrained.network(classes, 0).shape, [depth, *layers])
typical = (int(inputs.tokens.lengths.mean().round()), max(1, int(inputs.audio.lengths.mean().round())))
networks = {one: pretrained.network(classes, 0, one).to(device) for one in counted.index}
runs = 50
times = sizes.inference_times(networks, *typical, runs=runs)
short = {"UAR": "BACC", "WA": "ACC", "macro_f1": "MF1", "weighted_f1": "WF1"}
unit = usual_unit(tested)
intervals = bootstrap(tested, ["UAR", "WA"], unit=unit)
of_uar = intervals[intervals["metric"] == "UAR"].set_index("model")
rows = {}
for model, one in depths.items():
    row = {
        ("parameters", "published"): f"{counted['published'][one]:,}",
        ("parameters", "all"): f"{counted['all'][one]:,}",
        ("time", "ms"): round(times[one]["median"], 2),
    }
    for part, of_part in everyone[everyone["model"] == model].groupby("part", sort=False):
        folds_of = [one for _, one in of_part.groupby("fold")] if part == "validation" else [of_part]
        by_fold = pd.concat([scores(one) for one in folds_of])
        row |= {(part, name): round(100 * by_fold[metric].mean(), 2) for metric, name in short.items()}
    low, high = 100 * of_uar.loc[model, ["low", "high"]]
    rows[model] = row | {("test", "BACC, 95 %"): f"[{low:.1f}, {high:.1f}]"}
table_2 = pd.DataFrame.from_dict(rows, orient="index")
table_2

# %% [markdown]
# **Before you look on:** which rows would you call better? And would you bet that another five seeds say the same?


# %%
what = (
    "other speakers"
    if unit == "speaker"
    else "other utterances of the same speakers; too few speakers to say more"
)
print(f"intervals by {unit}: {what}")
chance = 1 / len(classes)
notebook.keep(figures.model_comparison(intervals, {"chance": {"UAR": chance}}), "03_students", pictures)

# %% [markdown]
# ## 6 · Does the teacher help?
#
# Two questions, two intervals. **Other test utterances:** the paired bootstrap draws utterances (or speakers), the same
# for both models, with the scores averaged over these seeds. **Other seeds:** each seed gives one difference, and the $t$
# interval says how far the mean of such differences may lie from what we got. All seeds heard the same teacher, though: how
# far another teacher would change the gain is in neither.


# %%
def compare(table: pd.DataFrame, a: str, b: str) -> dict:
    """UAR(a) − UAR(b) with both intervals."""
    test = paired_bootstrap(table, a, b, unit=usual_unit(table))
    over = seed_difference(table, a, b)
    return {
        "a": a,
        "b": b,
        "UAR of a": test["value_a"],
        "UAR of b": test["value_b"],
        "difference": over["difference"],
        f"other {test['unit']}s": f"[{test['low']:+.3f}, {test['high']:+.3f}]",
        "p": test["p"],
        "other seeds": f"[{over['low']:+.3f}, {over['high']:+.3f}]" if over["seeds"] > 1 else "–",
        "low": test["low"],
        "high": test["high"],
        "seeds low": over["low"],
    }


# %%
def table_of(rows: list[dict]) -> pd.DataFrame:
    """Comparisons to look at, three digits."""
    return pd.DataFrame(rows).drop(columns=["low", "high", "seeds low"], errors="ignore").round(3)


gains = {one: compare(tested, f"BERT{one} KD", f"BERT{one} alone") for one in layers}
lacking = {one: compare(tested, "teacher", f"BERT{one} alone") for one in layers}
left = {one: compare(tested, "teacher", f"BERT{one} KD") for one in layers}
for one in layers:
    gain = gains[one]
    notebook.headline(f"KD − alone, BERT{one}, UAR", gain["difference"], gain["low"], gain["high"])
table_of([*gains.values(), *lacking.values(), *left.values()])

# %% [markdown]
# A teacher can only hand on what the student lacks: where "teacher − alone" is near zero, there is nothing to gain. And
# "teacher − KD" says what is still missing. (The teacher has one seed, so "other seeds" is about the students' there.)
#
# **Figure 4** of the paper shows one student's confusion matrices without and with distillation. Ours has the difference
# beside them, in points of each row.

# %%
shown = layers[0]
matrices = figures.confusion_difference(tested, f"BERT{shown} alone", f"BERT{shown} KD")
notebook.keep(matrices, "03_confusion", pictures)

# %% [markdown]
# ## 7 · What do you pay, what do you get?
#
# Accuracy against size, and against the time for one utterance. A point is worth having if nothing to its left is as
# high: those are linked. The arrows lead from a student alone to the same student with a teacher: it costs nothing at
# inference.

# %%
front = intervals[intervals["metric"] == "UAR"].set_index("model")[["value", "low", "high"]]
front["parameters"] = [counted["all"][depths[one]] / 1e6 for one in front.index]
front["ms"] = [times[depths[one]]["median"] for one in front.index]
front["without"] = [one.replace(" KD", " alone") if one.endswith(" KD") else None for one in front.index]
front = front.reset_index()
display(figures.pareto(front, "parameters", x_title="parameters (millions, all counted)", y_title="UAR (%)"))
figures.pareto(front, "ms", x_title="ms for one utterance, batch 1", y_title="UAR (%)")

# %% [markdown]
# ## 8 · Which part of the loss does it?
#
# The smallest student again, with parts of the loss, other temperatures and other weights. Fewer seeds (one, by default),
# so only large differences can be seen. Beyond the paper: cosine instead of MSE, features of the fused state instead of the words, and
# relations (how far the utterances of a batch lie from each other) instead of places.

# %% tags=["stage:training"]
base = DistillationConfig()  # the paper's: KL (α = 0.5, T = 2, T²) + CE + MSE
trials = {
    "alone": ALONE,
    "KL + CE + MSE": Way(base),
    "KL + CE": Way(replace(base, feature="none")),
    "KL + MSE": Way(replace(base, alpha=1.0)),
    "CE + MSE": Way(replace(base, alpha=0.0)),
    "KL": Way(replace(base, alpha=1.0, feature="none")),
    "α = 0.9": Way(replace(base, alpha=0.9)),
    "T = 1": Way(replace(base, temperature=1.0)),
    "T = 8": Way(replace(base, temperature=8.0)),
    "without T²": Way(replace(base, squared=False)),
    "cosine": Way(replace(base, feature="cosine")),
    "fused": Way(replace(base, at="fused")),
    "relational": Way(replace(base, feature="none", relational=1.0)),
}
tried = pd.DataFrame()
if ablation_seeds:
    with parallel_config(n_jobs=at_a_time):
        tried, _ = three_m_ser.train_students(
            utterances, inputs, folds, pretrained, outputs, [smallest], trials, stages, ablation_seeds
        )
    tried = tried[tried["part"] == "test"]
    tried["model"] = tried["model"].str.removeprefix(f"BERT{smallest} ")
    display(figures.model_comparison(bootstrap(tried, "UAR", unit=unit)))

# %%
if ablation_seeds:
    against = [compare(tried, one, "alone") for one in trials if one != "alone"]
    display(table_of(against).drop(columns="b"))

# %% [markdown]
# If no trial did anything, one interval in twenty would still miss zero: among twelve, one such row is no news. Look for a
# pattern. (One seed has no interval over seeds.)
#
# ## 9 · Sentences without a label
#
# A teacher needs no labels to speak. The embedded corpus's grammar wrote 1,500 more sentences for the kit; the teacher
# reads them, and the student learns from what it says. There is no voice to them, so here both read only. All students
# take the same number of steps: those who see more sentences see each less often. None of these sentences is one of the
# corpus, not even with another opener. (Some of them mini-bert may have met when it was pretrained.)

# %% tags=["stage:training"]
pooled = pd.DataFrame()
if sentences and corpus == "embedded":
    lines = embedded.sentences(sentences)
    more = {f"sentence {number}": line for number, line in enumerate(lines)}
    both = pd.concat([utterances, pd.DataFrame({"text": more})]).rename_axis("utterance")
    both["emotion"] = pd.Categorical(both["emotion"], utterances["emotion"].cat.categories)
    read = three_m_inputs.prepare(both, tokenizer=tokenizer)
    reader = replace(pretrained, audio=None)
    with parallel_config(n_jobs=at_a_time):
        of_teacher, _, readers = three_m_ser.train_teachers(
            both, read, folds, reader, stages, "teacher", seeds[:1]
        )
        reading = {"alone": ALONE, "KD": Way(loss), "KD, sentences": Way(loss, sentences=True)}
        told = three_m_ser.teacher_outputs(readers, read)
        extra = np.arange(len(utterances), len(both))
        of_students, _ = three_m_ser.train_students(
            both, read, folds, reader, told, [smallest], reading, stages, seeds, extra
        )
    pooled = pd.concat([of_teacher, of_students])
    pooled = pooled[pooled["part"] == "test"]

# %%
if len(pooled):
    names = [f"BERT{smallest} {way}" for way in reading]
    display(figures.model_comparison(bootstrap(pooled, "UAR", unit=usual_unit(pooled))))
    pairs = [("teacher", names[0]), (names[1], names[0]), (names[2], names[0]), (names[2], names[1])]
    by_reading = [compare(pooled, a, b) for a, b in pairs]
    display(table_of(by_reading))
    more = by_reading[3]
    notebook.headline(
        "more sentences − KD alone, reading only, UAR", more["difference"], more["low"], more["high"]
    )
elif corpus == "embedded":
    print("sentences is 0: not tried.")
else:
    print("Only the embedded corpus comes with more sentences.")

# %% [markdown]
# ## 10 · The paper's claims, held against this run

# %%
paper = "Nguyen et al. 2024"
published = {
    6: (2.60, 2.32),
    4: (2.10, 2.21),
    2: (2.36, 1.98),
}  # points of test BACC: the gain, and what is left


def verdict_of(gain: dict) -> str:
    """Both intervals, over test utterances and over seeds, must leave out zero."""
    lows = (gain["low"], gain["seeds low"])
    if np.isnan(lows).any():
        return "cannot be tested on this corpus"
    return "holds" if min(lows) > 0 else "not seen here"


for one in layers:
    original, gain = 12 * one / depth, gains[one]
    number = f"{published[original][0]:.2f} points of BACC" if original in published else None
    why = f"BACC of BERT{one} ({one} of {depth} layers), KD minus alone; {len(seeds)} seeds, {len(folds)} folds, by {unit}; "
    why += f"over seeds {gain['other seeds']}. " + ("Here KD made it worse." if gain["high"] < 0 else "")
    card = (gain["difference"], gain["low"], gain["high"], verdict_of(gain), why)
    notebook.claim(paper, f"KD improves the student of {original:g} of 12 layers", number, *card)

# %%
margin = 0.03  # three points, set before the run
for one in layers:
    original, rest = 12 * one / depth, left[one]
    number = f"{published[original][1]:.2f} points of BACC" if original in published else None
    verdict = "holds" if rest["high"] < margin else "not seen here"
    why = f"Teacher minus BERT{one} with KD. Holds where the interval ends below {100 * margin:.0f} points."
    card = (rest["difference"], rest["low"], rest["high"], verdict, why)
    notebook.claim(paper, f"With KD, {original:g} of 12 layers nearly match the teacher", number, *card)

# %%
if "neutral" in classes:
    neutral = paired_bootstrap(
        tested, f"BERT{shown} KD", f"BERT{shown} alone", metric="recall_neutral", unit=unit
    )
    verdict = "holds" if neutral["high"] < 0 else "not seen here"
    why = f"Recall of neutral, BERT{shown}, KD minus alone. Holds where the interval lies below zero."
    card = (neutral["difference"], neutral["low"], neutral["high"], verdict, why)
    notebook.claim(paper, "KD costs some recall of neutral (Figure 4)", "Figure 4", *card)

# %%
share, truly = counted.loc[smallest, ["smaller_published", "smaller_all"]]
verdict = "holds" if abs(share - 0.449) < 0.0005 else "cannot be tested on this corpus"
why = "In the paper's way of counting; all parameters counted, it is the number in brackets."
ours = f"{100 * share:.1f} % ({100 * truly:.1f} %)"
notebook.claim(
    paper, "The smallest student is 44.9 % smaller", "44.9 % (38.5 %)", ours, None, None, verdict, why
)
quicker = 1 - times[smallest]["median"] / times[depth]["median"]
verdict = "holds" if times[smallest]["high"] < times[depth]["low"] else "not seen here"
why = f"{runs} runs each, in turn: holds where nearly all runs of the student are shorter than nearly all of the teacher."
words = "The smallest student takes less time for an utterance"
notebook.claim(paper, words, "40.2 % less", f"{100 * quicker:.1f} % less", None, None, verdict, why)

# %% [markdown]
# ## Recap
#
# - Softening shows what a teacher finds possible; the factor $T^2$ keeps its voice as loud at every temperature.
# - A fair comparison starts both students from the same weights and gives them the same steps. Only the loss differs.
# - The gain is a *difference*, with two intervals: other utterances, and other seeds. The paper reports one run.
# - Where the student alone is as good as the teacher, distillation has nothing to give.

# %%
if save:
    Path(save).mkdir(parents=True, exist_ok=True)
    write_predictions(tested, Path(save) / "predictions.csv")
    print(f"saved to {save}")

# %% [markdown]
# ## Exercises
#
# **1.** A teacher's logits are (4, 2, 0, 0). What probability does the second class get at $T = 1$, and at $T = 4$ (three
# digits)?

# %% tags=["exercise"]
at_one, at_four = ..., ...
notebook.check(
    lambda: np.allclose([at_one, at_four], [0.115, 0.259], atol=1e-3),
    "Right. At T = 4 the first class is still first, but what else the teacher finds possible can be heard.",
    "Divide all four by T, take exp, divide by the sum. Or soften(torch.tensor([4., 2., 0., 0.]), T).",
)

# %% [markdown]
# **2.** BERT6 with KD is right on 10 utterances of 554 more than without, in the paper. Suppose that the two disagree (just
# one of them right) on 60 utterances. How many did the better one win, and how many the other? And what is the two-sided p
# of such a result if a fair coin decided (two digits)? `scipy.stats.binomtest(won, 60).pvalue` knows.

# %% tags=["exercise"]
won, lost, p = ..., ..., ...
notebook.check(
    lambda: (won, lost) == (35, 25) and np.isclose(p, 0.245, atol=0.006),
    "Right: one such result in four comes by chance alone.",
    "Two numbers whose sum is 60 and whose difference is 10; then the binomial test of the first.",
)

# %% [markdown]
# **3.** Five seeds gave differences of +0.03, −0.01, +0.02, +0.04 and −0.01 in UAR. What is the 95 % $t$ interval of their
# mean (three digits after the point)? Does it leave out zero?

# %% tags=["exercise"]
low, high = ..., ...
notebook.check(
    lambda: np.allclose([low, high], [-0.0146, 0.0426], atol=6e-4),
    "Right: it holds zero. Three seeds of five in favour is not yet news.",
    "mean ± t · s / √5 with t = 2.776 (four degrees of freedom), and s with n − 1 (np.std(…, ddof=1)).",
)

# %% [markdown]
# ## References
#
# - T. M. Nguyen, P.-N. Tran, D. N. M. Dang. Enhancing speech emotion recognition through knowledge distillation. 2024.
# - G. Hinton, O. Vinyals, J. Dean. Distilling the knowledge in a neural network. 2015.
# - V. Sanh et al. DistilBERT, a distilled version of BERT. 2019. A student from the teacher's own layers.
# - W. Park et al. Relational knowledge distillation. CVPR 2019.
# - C. Guo et al. On calibration of modern neural networks. ICML 2017. Where temperature scaling comes from.
