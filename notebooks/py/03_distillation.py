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
sentences: int = 1500  # unlabelled ones that the teacher reads too (embedded corpus, at most 1500); 0: none
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

from sernb import figures, notebook, protocols
from sernb.core.errors import SernbError
from sernb.core.tables import write_predictions
from sernb.corpora import embedded
from sernb.evaluation import bootstrap, paired_bootstrap, scores, usual_unit
from sernb.features import encoders
from sernb.features.text import clean
from sernb.losses import Distillation, DistillationConfig, kl_divergence, soften
from sernb.models.three_m_ser import ThreeMSERConfig
from sernb.studies import recipes, sizes, three_m_inputs, three_m_ser
from sernb.studies.three_m_ser import ALONE, RECIPES, Way

device = notebook.start(corpus, f"{text_encoder} + {audio_encoder}", seeds[0])
stages = recipes.chosen(recipe, RECIPES).with_epochs(transfer_epochs, fine_tune_epochs)

# %% [markdown]
# ## 1 · The same corpus, the same teacher
#
# As in notebook 02: words and sound, a validation part from the training side, speakers apart unless the protocol mixes
# them. By default two folds only, so that five seeds of every student fit into a few minutes: so the teacher's score here
# is not the one of notebook 02.

# %% tags=["stage:features"]
utterances, waveforms = notebook.load(corpus, root, needs=("text", "emotion"), emotions=emotions, labels=labels,
                                      per_speaker=per_speaker, on_bad=on_bad)  # fmt: skip
notebook.listen(waveforms[0], caption=f"{utterances.index[0]}: {utterances['text'].iloc[0]}")
folds = protocols.by_name(protocol, utterances)[: folds_used or None]
folds = protocols.with_validation(folds, utterances, seed=seeds[0])
protocols.describe(folds, utterances)

# %% tags=["stage:features"]
text, tokenizer = encoders.text_encoder(text_encoder)
text, vggish = text.to(device), encoders.audio_encoder(audio_encoder).to(device)
pca = encoders.published_pca() if postprocess else None
depth = text.config.num_hidden_layers
if wrong := [one for one in layers if not 1 <= one < depth]:
    raise SernbError(f"layers asks for students of {wrong[0]} layers; {text_encoder} has {depth}")
live = stages.fine_tune.train_audio  # VGGish learns too, so its input is kept
options = {"keep_examples": live, "cache": cache or None}
inputs = three_m_inputs.prepare(utterances, waveforms, tokenizer, vggish, pca, **options)
pretrained = three_m_ser.Encoders(text, vggish, ThreeMSERConfig(), postprocess=pca)

# %% [markdown]
# The teacher is the network with all of BERT's layers, one for each fold. What it says of every utterance, and every
# hidden state of its text encoder, is computed once and kept: no student ever waits for it again.

# %% tags=["stage:training"]
if teachers:
    taught, found = three_m_ser.saved_teachers(teachers, utterances, inputs, folds)
    found = {fold: model.to(device) for fold, model in found.items()}
else:
    with notebook.workers(jobs, device):
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
classes, fold = list(inputs.classes), folds[0]
rows = inputs.rows(fold.test)
logits = outputs[fold.name].logits[rows]
answers = soften(torch.tensor(logits), 1.0)
unsure = np.argsort(-(answers * -answers.log()).sum(1).numpy())
chosen = unsure[np.linspace(0, len(unsure) - 1, 8).astype(int)]  # from the least to the most certain
one, texts = chosen[len(chosen) // 2], utterances["text"].loc[fold.test].map(clean)
print(f"{fold.test[one]}: “{texts.iloc[one]}” is {classes[inputs.labels[rows[one]]]}")
notebook.keep(figures.softening(logits[one], classes, (1, 2, 4, 8)), "03_softening", pictures)

# %% [markdown]
# Now for yourself: choose an utterance and move the sliders. On one side stands the teacher's answer at this temperature
# and its entropy in bits; on the other, how much of the **gradient** comes from the teacher and how much from the label,
# for a student that as yet finds all classes equally likely.
#
# The factor $T^2$ belongs to it: softened answers have gradients that shrink as $1/T^2$, and the factor puts them back.
# The authors' code has it (and so have the sliders), the paper's Eq. 2 has not.

# %%
truths = [classes[label] for label in inputs.labels[rows[chosen]]]
names = [f"{name}: {said[:40]}" for name, said in texts.iloc[chosen].items()]
figures.softening_explorer(logits[chosen], truths, classes, names)

# %% [markdown]
# The same in numbers, for the whole test part: how large is the gradient of the KL term for an undecided student?

# %%
sizes_of = {}
for degrees in (1.0, 2.0, 4.0, 8.0):
    for factor in (True, False):
        student = torch.zeros(len(rows), len(classes), requires_grad=True)
        kl_divergence(student, torch.tensor(logits), degrees, factor).backward()
        size = float(student.grad.norm(dim=1).mean() * len(rows))
        sizes_of[degrees, "with T²" if factor else "without"] = size
pd.Series(sizes_of).unstack().rename_axis(index="T").round(4)

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
with notebook.workers(jobs, device):
    learnt, losses = three_m_ser.train_students(
        utterances, inputs, folds, pretrained, outputs, layers, ways, stages, seeds
    )
everyone = pd.concat([taught, learnt])
tested = everyone[everyone["part"] == "test"]

# %%
smallest = min(layers)
history = losses[(losses["stage"] == "fine-tuning") & losses["model"].str.startswith(f"BERT{smallest} ")]
lines = history["fold"] + " " + history["seed"].astype(str)
history = history[["epoch", "validation_loss", "validation_UAR"]].assign(fold=lines, part=history["model"])
history = history.rename(columns=lambda name: name.removeprefix("validation_"))
title = f"BERT{smallest}, validation, a line a fold and seed (loss: plain cross-entropy for both)"
figures.learning_curves(history, title=title)

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
unit = usual_unit(tested)
intervals = bootstrap(tested, ["UAR", "WA"], unit=unit)
of_uar = intervals[intervals["metric"] == "UAR"].set_index("model")[["value", "low", "high"]]

# %%
short = {"UAR": "BACC", "WA": "ACC", "macro_f1": "MF1", "weighted_f1": "WF1"}
rows = {}
for model, one in depths.items():
    rows[model] = {("parameters", way): f"{counted[way][one]:,}" for way in ("published", "all")}
    rows[model]["time", "ms"] = round(times[one]["median"], 2)
    for part, of_part in everyone[everyone["model"] == model].groupby("part", sort=False):
        by_fold = [scores(one) for _, one in of_part.groupby("fold" if part == "validation" else "model")]
        means = (100 * pd.concat(by_fold)[list(short)].mean()).round(2)
        rows[model] |= {(part, name): mean for name, mean in zip(short.values(), means, strict=True)}
    rows[model]["test", "BACC, 95 %"] = notebook.interval(100 * of_uar.loc[model], ".1f")
table_2 = pd.DataFrame.from_dict(rows, orient="index")
table_2

# %% [markdown]
# **Before you look on:** which rows would you call better? And would you bet that another five seeds say the same?


# %%
others = "speakers" if unit == "speaker" else "utterances of the same speakers; too few speakers to say more"
print(f"intervals by {unit}: other {others}")
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
gains = {one: notebook.compare(tested, f"BERT{one} KD", f"BERT{one} alone") for one in layers}
lacking = {one: notebook.compare(tested, "teacher", f"BERT{one} alone") for one in layers}
left = {one: notebook.compare(tested, "teacher", f"BERT{one} KD") for one in layers}
for one, gain in gains.items():
    notebook.headline(f"KD − alone, BERT{one}, UAR", gain)
notebook.comparisons([*gains.values(), *lacking.values(), *left.values()])

# %% [markdown]
# A teacher can only hand on what the student lacks: where "teacher − alone" is near zero, there is nothing to gain. And
# "teacher − KD" says what is still missing. (The teacher has one seed, so "other seeds" is about the students' there.)
#
# **Figure 4** of the paper shows one student's confusion matrices without and with distillation. Ours has the difference
# beside them, in points of each row.

# %%
shown = (f"BERT{layers[0]} alone", f"BERT{layers[0]} KD")
notebook.keep(figures.confusion_difference(tested, *shown), "03_confusion", pictures)

# %% [markdown]
# ## 7 · What do you pay, what do you get?
#
# Accuracy against size, and against the time for one utterance. A point is worth having if nothing to its left is as
# high: those are linked. The arrows lead from a student alone to the same student with a teacher: it costs nothing at
# inference.

# %%
front = of_uar.rename_axis("model").reset_index()
front["parameters"] = [counted["all"][depths[one]] / 1e6 for one in front["model"]]
front["ms"] = [times[depths[one]]["median"] for one in front["model"]]
front["without"] = [one.replace(" KD", " alone") if one.endswith(" KD") else None for one in front["model"]]
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
changes = {
    "KL + CE + MSE": {},
    "KL + CE": {"feature": "none"},
    "KL + MSE": {"alpha": 1.0},
    "CE + MSE": {"alpha": 0.0},
    "KL": {"alpha": 1.0, "feature": "none"},
    "α = 0.9": {"alpha": 0.9},
    "T = 1": {"temperature": 1.0},
    "T = 8": {"temperature": 8.0},
    "without T²": {"squared": False},
    "cosine": {"feature": "cosine"},
    "fused": {"at": "fused"},
    "relational": {"feature": "none", "relational": 1.0},
}
trials = {"alone": ALONE} | {name: Way(replace(base, **change)) for name, change in changes.items()}
if ablation_seeds:
    with notebook.workers(jobs, device):
        tried, _ = three_m_ser.train_students(
            utterances, inputs, folds, pretrained, outputs, [smallest], trials, stages, ablation_seeds
        )
    tried = tried[tried["part"] == "test"]
    tried["model"] = tried["model"].str.removeprefix(f"BERT{smallest} ")
    display(figures.model_comparison(bootstrap(tried, "UAR", unit=unit)))

# %%
if ablation_seeds:
    display(notebook.comparisons(notebook.compare(tried, one, "alone") for one in changes).drop(columns="b"))

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
    more = {f"sentence {number}": line for number, line in enumerate(embedded.sentences(sentences))}
    both = pd.concat([utterances, pd.DataFrame({"text": more})]).rename_axis("utterance")
    both["emotion"] = pd.Categorical(both["emotion"], classes)
    read, reader = three_m_inputs.prepare(both, tokenizer=tokenizer), replace(pretrained, audio=None)
    reading = {"alone": ALONE, "KD": Way(loss), "KD, sentences": Way(loss, sentences=True)}
    extra = np.arange(len(utterances), len(both))
    with notebook.workers(jobs, device):
        of_teacher, _, readers = three_m_ser.train_teachers(
            both, read, folds, reader, stages, "teacher", seeds[:1]
        )
        told = three_m_ser.teacher_outputs(readers, read)
        of_students, _ = three_m_ser.train_students(
            both, read, folds, reader, told, [smallest], reading, stages, seeds, extra
        )
    pooled = pd.concat([of_teacher, of_students])
    pooled = pooled[pooled["part"] == "test"]

# %%
if len(pooled):
    alone, kd, more = (f"BERT{smallest} {way}" for way in reading)
    display(figures.model_comparison(bootstrap(pooled, "UAR", unit=usual_unit(pooled))))
    pairs = [("teacher", alone), (kd, alone), (more, alone), (more, kd)]
    by_reading = [notebook.compare(pooled, a, b) for a, b in pairs]
    display(notebook.comparisons(by_reading))
    notebook.headline("more sentences − KD alone, reading only, UAR", by_reading[3])
else:
    print(
        "Not tried: sentences is 0, or this is another corpus than the embedded one, which comes with more."
    )

# %% [markdown]
# ## 10 · The paper's claims, held against this run

# %%
paper = "Nguyen et al. 2024"
published = {6: (2.60, 2.32), 4: (2.10, 2.21), 2: (2.36, 1.98)}  # points of test BACC: the gain, what is left
originals = {one: 12 * one / depth for one in layers}
for one, gain in gains.items():
    original, over = originals[one], gain[["difference", "seeds low", "seeds high"]]
    number = f"{published[original][0]:.2f} points of BACC" if original in published else None
    why = f"BACC of BERT{one} ({one} of {depth} layers), KD minus alone; {len(seeds)} seeds, {len(folds)} folds, "
    why += f"by {unit}; over seeds {notebook.interval(tuple(over))}. {'Here KD made it worse.' * (gain['high'] < 0)}"
    words = f"KD improves the student of {original:g} of 12 layers"
    notebook.claim_of(paper, words, number, gain, why, also=[gain["seeds low"]])

# %%
margin = 0.03  # three points, set before the run
for one, rest in left.items():
    original = originals[one]
    number = f"{published[original][1]:.2f} points of BACC" if original in published else None
    why = f"Teacher minus BERT{one} with KD. Holds where the interval ends below {100 * margin:.0f} points."
    words = f"With KD, {original:g} of 12 layers nearly match the teacher"
    notebook.claim_of(paper, words, number, rest, why, below=margin)

# %%
if "neutral" in classes:
    neutral = paired_bootstrap(tested, *shown[::-1], metric="recall_neutral", unit=unit)
    why = f"Recall of neutral, BERT{layers[0]}, KD minus alone. Holds where the interval lies below zero."
    words = "KD costs some recall of neutral (Figure 4)"
    notebook.claim_of(paper, words, "Figure 4", neutral, why, below=0.0)

# %%
share, truly = counted.loc[smallest, ["smaller_published", "smaller_all"]]
verdict = "holds" if abs(share - 0.449) < 0.0005 else "cannot be tested on this corpus"
why = "In the paper's way of counting; all parameters counted, it is the number in brackets."
words, ours = "The smallest student is 44.9 % smaller", f"{100 * share:.1f} % ({100 * truly:.1f} %)"
notebook.claim(paper, words, "44.9 % (38.5 %)", ours, None, None, verdict, why)

fast, slow = times[smallest], times[depth]
verdict = "holds" if fast["high"] < slow["low"] else "not seen here"
why = f"{runs} runs each, in turn: holds where nearly all runs of the student are shorter than the teacher's."
words, less = "The smallest student takes less time for an utterance", 1 - fast["median"] / slow["median"]
notebook.claim(paper, words, "40.2 % less", f"{100 * less:.1f} % less", None, None, verdict, why)

# %% [markdown]
# ## Recap
#
# - Softening shows what a teacher finds possible; the factor $T^2$ keeps its voice as loud at every temperature.
# - A fair comparison starts both students from the same weights and gives them the same steps. Only the loss differs.
# - The gain is a *difference*, with two intervals: other utterances, and other seeds. The paper reports one run.
# - Where the student alone is as good as the teacher, distillation has nothing to give.

# %%
if save:
    write_predictions(tested, Path(save) / "predictions.csv")
    print(f"saved to {save}")

# %% [markdown]
# ## Exercises
#
# **1.** A teacher's logits are (4, 2, 0, 0). What probability does the second class get at $T = 1$, and at $T = 4$ (three
# digits)?

# %% tags=["exercise"]
at_one, at_four = ..., ...
notebook.check(lambda: np.allclose([at_one, at_four], [0.115, 0.259], atol=1e-3),
               "Right. At T = 4 the first class is still first, but what else the teacher finds possible can be heard.",
               "Divide all four by T, take exp, divide by the sum. Or soften(torch.tensor([4., 2., 0., 0.]), T).")  # fmt: skip

# %% [markdown]
# **2.** BERT6 with KD is right on 10 utterances of 554 more than without, in the paper. Suppose that the two disagree (just
# one of them right) on 60 utterances. How many did the better one win, and how many the other? And what is the two-sided p
# of such a result if a fair coin decided (two digits)? `scipy.stats.binomtest(won, 60).pvalue` knows.

# %% tags=["exercise"]
won, lost, p = ..., ..., ...
notebook.check(lambda: (won, lost) == (35, 25) and np.isclose(p, 0.245, atol=0.006),
               "Right: one such result in four comes by chance alone.",
               "Two numbers whose sum is 60 and whose difference is 10; then the binomial test of the first.")  # fmt: skip

# %% [markdown]
# **3.** Five seeds gave differences of +0.03, −0.01, +0.02, +0.04 and −0.01 in UAR. What is the 95 % $t$ interval of their
# mean (three digits after the point)? Does it leave out zero?

# %% tags=["exercise"]
low, high = ..., ...
notebook.check(lambda: np.allclose([low, high], [-0.0146, 0.0426], atol=6e-4),
               "Right: it holds zero. Three seeds of five in favour is not yet news.",
               "mean ± t · s / √5 with t = 2.776 (four degrees of freedom), and s with n − 1 (np.std(…, ddof=1)).")  # fmt: skip

# %% [markdown]
# ## References
#
# - T. M. Nguyen, P.-N. Tran, D. N. M. Dang. Enhancing speech emotion recognition through knowledge distillation. 2024.
# - G. Hinton, O. Vinyals, J. Dean. Distilling the knowledge in a neural network. 2015.
# - V. Sanh et al. DistilBERT, a distilled version of BERT. 2019. A student from the teacher's own layers.
# - W. Park et al. Relational knowledge distillation. CVPR 2019.
# - C. Guo et al. On calibration of modern neural networks. ICML 2017. Where temperature scaling comes from.
