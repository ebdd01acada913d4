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
# students with and without a teacher on equal terms, and judge the difference with intervals over speakers and seeds.
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
transfer_epochs: int = 0  # epochs of the head alone; 0: the recipe's
fine_tune_epochs: int = 0  # epochs with the text encoder, where the teacher speaks; 0: the recipe's
temperature: float = 2.0  # softens teacher and student
alpha: float = 0.5  # share of the teacher's answers in the loss, against the labels
squared: bool = True  # multiply the teacher's share by temperature², as the code does and Eq. 2 does not
feature: str = "mse"  # compare text states by mse, cosine, or none
ablation_seeds: list[int] = [0, 1]  # seeds of the trials with parts of the loss; []: no such trials
sentences: int = 1500  # sentences without a label that the teacher reads too (embedded corpus); 0: none
runs: int = 50  # utterances timed one by one, for the inference time
jobs: int = 0  # trainings side by side, each on its share of the cores; 0: up to four, one on a GPU
cache: str = ""  # folder for what frozen encoders and teachers make of the corpus; empty: kept in memory
save: str = ""  # folder for the predictions; empty: not saved
pictures: str = ""  # folder for the main pictures as PNG files; empty: not saved

# %% tags=["stage:imports"]
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from IPython.display import display
from joblib import cpu_count, parallel_config

from sernb import (
    audio,
    checkpoints,
    corpora,
    distillation,
    encoders,
    figures,
    multimodal,
    notebook,
    protocols,
    sizes,
)
from sernb.distillation import ALONE, Way
from sernb.encoders.vggish_weights import published_pca
from sernb.errors import SernbError
from sernb.evaluation import bootstrap, paired_bootstrap, scores, seed_difference
from sernb.generator.grammar import Grammar
from sernb.generator.knobs import Knobs
from sernb.losses import kl_divergence, soften
from sernb.losses.distillation import DistillationConfig
from sernb.models.three_m_ser import ThreeMSERConfig
from sernb.protocols.sentences import normalised
from sernb.speed import inference_time
from sernb.tables import write_predictions
from sernb.text import clean
from sernb.two_stages import RECIPES

device = notebook.start(corpus, f"{text_encoder} + {audio_encoder}", seeds[0])
at_a_time = jobs or (1 if device.type == "cuda" else min(4, cpu_count()))
if recipe not in RECIPES:
    raise SernbError(f"recipe is {recipe!r}; choose one of {', '.join(RECIPES)}")

# %% [markdown]
# ## 1 · The same corpus, the same teacher
#
# As in notebook 02: words and sound, speakers kept apart, a validation part from the training side. By default two folds
# only, so that five seeds of every student fit into a few minutes.

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
    utterances = utterances.groupby(["speaker", "emotion"], observed=True).head(per_speaker)
utterances, waveforms = audio.read_utterances(utterances, on_bad=on_bad)
folds = protocols.by_name(protocol, utterances)[: folds_used or None]
folds = protocols.with_validation(folds, utterances, seed=seeds[0])
protocols.describe(folds, utterances)

# %% tags=["stage:features"]
text, tokenizer = encoders.text_encoder(text_encoder)
vggish = encoders.audio_encoder(audio_encoder)
text, vggish = text.to(device), vggish.to(device)
pca = published_pca() if postprocess else None
live = RECIPES[recipe].fine_tune.train_audio  # VGGish learns too, so its input is kept
inputs = multimodal.prepare(
    utterances, waveforms, tokenizer, vggish, pca, keep_examples=live, cache=cache or None
)
pretrained = distillation.Encoders(text, vggish, ThreeMSERConfig(), postprocess=pca)
depth = text.config.num_hidden_layers
if wrong := [one for one in layers if not 1 <= one < depth]:
    raise SernbError(f"layers asks for students of {wrong[0]} layers; {text_encoder} has {depth}")
stages = RECIPES[recipe]
given = {"transfer": transfer_epochs, "fine_tune": fine_tune_epochs}
changed = {one: replace(getattr(stages, one), epochs=count) for one, count in given.items() if count}
stages = replace(stages, **changed)

# %% [markdown]
# The teacher is the network with all of BERT's layers, one for each fold. What it says of every utterance, and every
# hidden state of its text encoder, is computed once and kept: no student ever waits for it again.

# %% tags=["stage:training"]
found = {}
if teachers:
    for fold in folds:
        model, read = checkpoints.load_network(Path(teachers) / fold.name)
        if multimodal.fingerprint_of(read) != inputs.vocabulary:
            raise SernbError(f"the teacher in {teachers} reads with another tokenizer than {text_encoder}")
        found[fold.name] = model.to(device)
    answers = [
        distillation.predict(found[fold.name], utterances, inputs, ids, fold.name, "teacher").assign(
            part=part, seed=seeds[0]
        )
        for fold in folds
        for part, ids in (("validation", fold.validation), ("test", fold.test))
    ]
    taught = pd.concat(answers)
else:
    with parallel_config(n_jobs=at_a_time):
        taught, _, found = distillation.train_teachers(
            utterances, inputs, folds, pretrained, stages, "teacher", seeds[:1]
        )
outputs = distillation.teacher_outputs(found, inputs, cache or None)
scores(taught[taught["part"] == "test"]).round(3)

# %% [markdown]
# ## 2 · What a teacher knows that a label does not
#
# A label says "happy" and nothing else. The teacher's four numbers also say what the utterance could almost have been.
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
# Now for yourself: choose an utterance and move the sliders. The upper part shows the teacher's answer at this temperature
# and its entropy in bits. The lower part shows how much of the **gradient** comes from the teacher and how much from the
# label, for a student that as yet finds all classes equally likely.
#
# The factor $T^2$ belongs to it: softened answers have gradients that shrink with $T^2$, and the factor puts them back.
# The authors' code has it, the paper's Eq. 2 has not.

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
# \underbrace{(1-\alpha)\, \mathrm{CE}(y, P^s)}_{\text{as the label says}} +
# \underbrace{\mathrm{MSE}(f^t, f^s)}_{\text{as the teacher reads}}$$
#
# (Eq. 2 to 6.) The last term compares the two text encoders' hidden states, piece by piece. So teacher and student must
# read the same pieces: the same tokenizer. Padding takes no part.
#
# ## 4 · The students
#
# BERT2 is the first two layers of the *pretrained* BERT, not of the teacher's. Both ways of learning share the transfer
# stage, where the teacher is silent, and so start fine-tuning from the very same weights. They take the same number of
# steps, see the utterances in the same order, and differ in the loss alone.

# %% tags=["stage:training"]
loss = DistillationConfig(alpha=alpha, temperature=temperature, squared=squared, feature=feature)
ways = {"alone": ALONE, "KD": Way(loss)}
with parallel_config(n_jobs=at_a_time):
    learnt, losses = distillation.train_students(
        utterances, inputs, folds, pretrained, outputs, layers, ways, stages, seeds
    )
everyone = pd.concat([taught, learnt])
tested = everyone[everyone["part"] == "test"]

# %%
smallest = min(layers)
for way in ways:
    rows_of = losses[(losses["model"] == f"BERT{smallest} {way}") & (losses["stage"] == "fine-tuning")]
    valid = rows_of[["epoch", "fold", "seed", "validation_loss", "validation_UAR"]]
    valid = valid.rename(columns={"validation_loss": "loss", "validation_UAR": "UAR"})
    history = valid.assign(fold=valid["fold"] + " " + valid["seed"].astype(str), part="validation")
    title = f"BERT{smallest} {way}: validation, a line a fold and seed"
    display(figures.learning_curves(history.drop(columns="seed"), title=title))

# %% [markdown]
# ## 5 · Table II, for this corpus
#
# Parameters in both ways of counting (notebook 02), the time for one utterance, and four scores on validation and test,
# as the mean over seeds. BACC is another name for UAR, ACC for WA.

# %%
depths = {"teacher": depth} | {f"BERT{one} {way}": one for one in layers for way in ways}
counted = sizes.tables(pretrained.network(classes, 0).shape, [depth, *layers])
typical = (int(inputs.tokens.lengths.mean().round()), max(1, int(inputs.audio.lengths.mean().round())))
times = {
    one: inference_time(pretrained.network(classes, 0, one).to(device), *typical, runs=runs)
    for one in counted.index
}
short = {"UAR": "BACC", "WA": "ACC", "macro_f1": "MF1", "weighted_f1": "WF1"}
rows = {}
for model, one in depths.items():
    row = {
        ("parameters", "published"): counted["published"][one],
        ("parameters", "all"): counted["all"][one],
        ("time", "ms"): round(times[one]["median"], 2),
    }
    for part, of_part in everyone[everyone["model"] == model].groupby("part", sort=False):
        by_fold = scores(of_part, by=("model", "fold")) if part == "validation" else scores(of_part)
        row |= {(part, name): round(100 * by_fold[metric].mean(), 2) for metric, name in short.items()}
    rows[model] = row
table_2 = pd.DataFrame.from_dict(rows, orient="index")
table_2

# %% [markdown]
# **Before you look on:** which rows would you call better? And would you bet that another five seeds say the same?


# %%
def unit_of(table: pd.DataFrame) -> str:
    """Whole speakers where ten or more are known, else utterances."""
    known = "speaker" in table and table["speaker"].notna().all()
    return "speaker" if known and table["speaker"].nunique() >= 10 else "utterance"


unit = unit_of(tested)
intervals = bootstrap(tested, ["UAR", "WA"], unit=unit)
chance = 1 / len(classes)
notebook.keep(figures.model_comparison(intervals, {"chance": {"UAR": chance}}), "03_students", pictures)

# %% [markdown]
# ## 6 · Does the teacher help?
#
# Two questions, two intervals. **Other test utterances:** the paired bootstrap draws utterances (or speakers), the same
# for both models, with the scores averaged over these seeds. **Other seeds:** each seed gives one difference, and the $t$
# interval says how far the mean of such differences may lie from what we got.


# %%
def compare(table: pd.DataFrame, a: str, b: str) -> dict:
    """UAR(a) − UAR(b) with both intervals."""
    test = paired_bootstrap(table, a, b, unit=unit_of(table))
    over = seed_difference(table, a, b)
    return {
        "a": a,
        "b": b,
        "UAR of a": test["value_a"],
        "UAR of b": test["value_b"],
        "difference": over["difference"],
        f"other {test['unit']}s": f"[{test['low']:+.3f}, {test['high']:+.3f}]",
        "p": test["p"],
        "other seeds": f"[{over['low']:+.3f}, {over['high']:+.3f}]",
        "low": test["low"],
        "high": test["high"],
    }


gains = {one: compare(tested, f"BERT{one} KD", f"BERT{one} alone") for one in layers}
losses_of = {one: compare(tested, "teacher", f"BERT{one} alone") for one in layers}
for one in layers:
    gain = gains[one]
    notebook.headline(f"KD − alone, BERT{one}, UAR", gain["difference"], gain["low"], gain["high"])
pd.DataFrame([*gains.values(), *losses_of.values()]).drop(columns=["low", "high"]).round(3)

# %% [markdown]
# A teacher can only hand on what the student lacks: where the lower rows (teacher − student) are near zero, there is
# nothing to gain, and the upper rows cannot show much.
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
# The smallest student again, with parts of the loss, other temperatures and other weights. Fewer seeds, so only large
# differences can be seen. Beyond the paper: cosine instead of MSE, features of the fused state instead of the words, and
# relations (how far the utterances of a batch lie from each other) instead of places.

# %% tags=["stage:training"]
trials = {
    "alone": ALONE,
    "KL + CE + MSE": Way(loss),
    "KL + CE": Way(replace(loss, feature="none")),
    "CE + MSE": Way(replace(loss, alpha=0.0)),
    "KL alone": Way(replace(loss, alpha=1.0, feature="none")),
    "T = 1": Way(replace(loss, temperature=1.0)),
    "T = 8": Way(replace(loss, temperature=8.0)),
    "without T²": Way(replace(loss, squared=not squared)),
    "cosine": Way(replace(loss, feature="cosine")),
    "fused": Way(replace(loss, at="fused")),
    "relational": Way(replace(loss, feature="none", relational=1.0)),
}
tried = pd.DataFrame()
if ablation_seeds:
    with parallel_config(n_jobs=at_a_time):
        tried, _ = distillation.train_students(
            utterances, inputs, folds, pretrained, outputs, [smallest], trials, stages, ablation_seeds
        )
    tried = tried[tried["part"] == "test"]
    tried["model"] = tried["model"].str.removeprefix(f"BERT{smallest} ")
    display(figures.model_comparison(bootstrap(tried, "UAR", unit=unit)))

# %%
if ablation_seeds:
    against = [compare(tried, one, "alone") for one in trials if one != "alone"]
    display(pd.DataFrame(against).drop(columns=["b", "low", "high"]).round(3))

# %% [markdown]
# With ten comparisons, one interval in twenty leaves out zero by luck alone. So a single row that does says little; look
# for a pattern.
#
# ## 9 · Sentences without a label
#
# A teacher needs no labels to speak. The embedded corpus's grammar can write as many sentences as we like; the teacher
# reads them, and the student learns from what it says. There is no voice to them, so here both read only. All students
# take the same number of steps: those who see more sentences see each less often.

# %% tags=["stage:training"]
pooled = pd.DataFrame()
if sentences and corpus == "embedded":
    grammar, known = Grammar(random.Random(seeds[0] + 1), Knobs()), set(utterances["text"].map(normalised))
    more = {}
    while len(more) < sentences:
        line = grammar.sentence(grammar.rng.choice([-1, 0, 1])).text
        if normalised(line) not in known:
            more[f"sentence {len(more)}"] = line
    both = pd.concat([utterances, pd.DataFrame({"text": more})]).rename_axis("utterance")
    both["emotion"] = pd.Categorical(both["emotion"], utterances["emotion"].cat.categories)
    read = multimodal.prepare(both, tokenizer=tokenizer)
    reader = replace(pretrained, audio=None)
    with parallel_config(n_jobs=at_a_time):
        of_teacher, _, readers = distillation.train_teachers(
            both, read, folds, reader, stages, "teacher", seeds[:1]
        )
        ways = {"alone": ALONE, "KD": Way(loss), "KD, sentences": Way(loss, sentences=True)}
        told = distillation.teacher_outputs(readers, read)
        extra = np.arange(len(utterances), len(both))
        of_students, _ = distillation.train_students(
            both, read, folds, reader, told, [smallest], ways, stages, seeds, extra
        )
    pooled = pd.concat([of_teacher, of_students])
    pooled = pooled[pooled["part"] == "test"]

# %%
if len(pooled):
    names = [f"BERT{smallest} {way}" for way in ways]
    display(figures.model_comparison(bootstrap(pooled, "UAR", unit=unit_of(pooled))))
    pairs = [("teacher", names[0]), (names[1], names[0]), (names[2], names[0]), (names[2], names[1])]
    display(pd.DataFrame([compare(pooled, a, b) for a, b in pairs]).drop(columns=["low", "high"]).round(3))
else:
    print("Only the embedded corpus comes with a grammar that writes more sentences.")

# %% [markdown]
# ## 10 · The paper's claims, held against this run

# %%
paper = "Nguyen et al. 2024"
published = {6: 1.59, 4: 1.37, 2: 1.21}  # points, the mean of eight scores
for one, (original, points) in zip(layers, published.items(), strict=False):
    gain = gains[one]
    verdict = "holds" if gain["low"] > 0 else "not seen here"
    seeds_said = gain["other seeds"]
    why = f"UAR of BERT{one} ({one} of {depth} layers) with KD minus alone, {len(seeds)} seeds, {len(folds)} folds; "
    why += f"by {unit}; over other seeds {seeds_said}. The paper's number is the mean gain of eight scores, in points."
    words = f"KD improves BERT{original} ({original} of 12 layers)"
    notebook.claim(
        paper, words, f"{points} points", gain["difference"], gain["low"], gain["high"], verdict, why
    )

# %%
saved = 1 - counted["all"] / counted["all"][depth]
quicker = {one: 1 - times[one]["median"] / times[depth]["median"] for one in layers}
why = f"All parameters counted, {smallest} of {depth} layers here. The paper's 44.9 % is 38.5 % when all are counted."
notebook.claim(paper, "The smallest student is 44.9 % smaller", "44.9 %", f"{100 * saved[smallest]:.1f} %", None, None,
               "holds" if depth == 12 else "cannot be tested on this corpus", why)  # fmt: skip
why = f"Median of {runs} runs on this machine, {typical[0]} pieces and {typical[1]} examples."
verdict = "holds" if quicker[smallest] > 0.05 else "not seen here"
notebook.claim(paper, "The smallest student is 40.2 % faster", "40.2 %", f"{100 * quicker[smallest]:.1f} %", None, None,
               verdict, why)  # fmt: skip

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
# **2.** Suppose a student with KD is right on 10 utterances of 554 more than without, the paper's test part and gain. The
# two disagree (just one of them right) on 60 utterances. How many did the better one win, and how many the other?

# %% tags=["exercise"]
won, lost = ..., ...
notebook.check(
    lambda: (won, lost) == (35, 25),
    "Right. Now: how often would a fair coin give 35 or more of 60? (scipy.stats.binomtest(35, 60).pvalue)",
    "Two numbers whose sum is 60 and whose difference is 10.",
)

# %% [markdown]
# **3.** Five seeds gave differences of +0.03, −0.01, +0.02, +0.04, −0.01 in UAR. What is the 95 % $t$ interval of their
# mean (two digits)? Does it leave out zero?

# %% tags=["exercise"]
low, high = ..., ...
notebook.check(
    lambda: np.allclose([low, high], [-0.01, 0.04], atol=0.0051),
    "Right: it holds zero. Three seeds of five in favour is not yet news.",
    "stats.t.interval(0.95, 4, mean, stats.sem(differences)).",
)

# %% [markdown]
# ## References
#
# - T. M. Nguyen, P.-N. Tran, D. N. M. Dang. Enhancing speech emotion recognition through knowledge distillation. 2024.
# - G. Hinton, O. Vinyals, J. Dean. Distilling the knowledge in a neural network. 2015.
# - V. Sanh et al. DistilBERT, a distilled version of BERT. 2019. A student from the teacher's own layers.
# - W. Park et al. Relational knowledge distillation. CVPR 2019.
# - C. Guo et al. On calibration of modern neural networks. ICML 2017. Where temperature scaling comes from.
