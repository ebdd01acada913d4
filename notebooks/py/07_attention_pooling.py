# %% [markdown]
# # 07 · Where in the spectrogram is the emotion? Attention pooling
#
# **The paper.** P. Li, Y. Song, I. McLoughlin, W. Guo, L. Dai, *An Attention Pooling based Representation Learning
# Method for Speech Emotion Recognition*, Interspeech 2018.
#
# A small convolutional network looks at two seconds of spectrogram. The question is what to do with the map of features
# that comes out: average it, multiply it with itself, or learn where to look.
#
# **You will be able to** compute the paper's input step by step, say what a filter of a given shape can see, train the
# network with three poolings, test whether they differ, and draw where the network looks.
#
# **Time.** A few minutes on a laptop with the `laptop` profile. The paper's own settings (the defaults below) want a GPU.

# %% tags=["parameters"]
corpus: str = "embedded"  # name of a corpus (`sernb corpora` lists them)
root: str = ""  # folder of the corpus; empty: where sernb looks for it
on_bad: str = "raise"  # unreadable recordings: raise an error, or skip them
labels: dict = {}  # own label words of a manifest, such as {"cheerful": "happy"}
emotions: str = ""  # labels to keep, with commas between ("neutral,happy,sad,angry"); empty: all
per_speaker: int = 0  # keep so many utterances of each speaker's emotions, for a quick look; 0: all
protocol: str = "auto"  # who is tested: auto, loso, session, group … (auto: the corpus's usual one)
folds_used: int = 0  # run only the first so many folds; 0: all
seeds: list = [0]  # one training of every fold for each seed
scaling: str = "mulaw"  # reading of the input scaling: mulaw (to the letter), mulaw01, log
dft: int = 1600  # points of the DFT; 1600 is a grid of 10 Hz
shift: float = 0.010  # seconds from frame to frame
poolings: list = ["attention", "gap", "bilinear"]  # poolings to compare
epochs: int = 50  # the paper's schedule, squeezed into so many
batch_size: int = 64  # segments a step
learning_rate: float = 0.05  # at the start; it falls by ten three times
filter_heights: list = [2, 4, 6, 8, 10, 15, 20, 40, 60, 80, 100]  # bins, at a width of 2 frames
filter_widths: list = [2, 4, 6, 8, 10, 15, 20, 40, 60, 80]  # frames, at a height of 2 bins
filter_epochs: int = 50  # epochs of each filter shape
filter_folds: int = 0  # folds of the filter study; 0: all
utterance: str = ""  # the utterance to look at; empty: the first test utterance that attention got right
save: str = ""  # folder for the predictions and the attention network; empty: not saved
pictures: str = ""  # folder for the main pictures as PNG files; empty: not saved

# %% tags=["stage:imports"]
from dataclasses import replace
from pathlib import Path

import ipywidgets as widgets
import numpy as np
import pandas as pd
import torch
from IPython.display import display

from sernb import audio, corpora, figures, filter_shapes, notebook, protocols, spectrogram, tables
from sernb.cross_validation import cross_validate
from sernb.errors import SernbError
from sernb.evaluation import bootstrap, mcnemar, paired_bootstrap, recalls, scores
from sernb.models.attention_pooling import CNNConfig, SpectrogramCNN
from sernb.training import PAPER

device = notebook.start(corpus, seed=seeds[0])

# %% [markdown]
# ## 1 · The recordings
#
# We load the corpus as a table with one row an utterance, and read its recordings at 16 kHz.

# %% tags=["stage:features"]
wanted = [one.strip() for one in emotions.split(",") if one.strip()] or None
options = {"labels": labels} if labels else {}
utterances = corpora.load(corpus, root or None, emotions=wanted, on_bad=on_bad, **options)
if per_speaker:
    utterances = utterances.groupby(["speaker", "emotion"], observed=True).head(per_speaker)
utterances, waveforms = audio.read_utterances(utterances, on_bad=on_bad)
seconds = pd.Series([len(wave) / 16000 for wave in waveforms], index=utterances.index)
speakers = utterances["speaker"].nunique()
print(f"{len(utterances)} utterances, {speakers} speakers, {seconds.sum() / 60:.0f} minutes")
for note in utterances.attrs["notes"]:
    print(note)
figures.class_balance(utterances)

# %% [markdown]
# **Who is tested?** A network that has heard a speaker before recognises the speaker as well as the emotion. So every
# speaker in a test part is a stranger to the training part. The table says who is where.

# %%
folds = protocols.by_name(protocol, utterances)[: folds_used or None]
protocols.describe(folds, utterances)

# %% [markdown]
# ## 2 · What the network sees
#
# The paper (2.1) cuts each recording into segments of two seconds. In training a new one starts every second; in the
# test every 0.4 s, and the utterance's score is the mean over its segments.
#
# Listen to one recording, and look at its first segment.

# %%
config = spectrogram.SpectrogramConfig(scaling=scaling, dft=dft, shift=shift, frames=round(2.0 / shift))
example = int((seconds - seconds.median()).abs().argmin())  # a recording of typical length
name, emotion = utterances.index[example], utterances["emotion"].iloc[example]
for kind, step in (("training", spectrogram.TRAIN_STEP), ("test", spectrogram.TEST_STEP)):
    starts = spectrogram.cut(waveforms[example], step, config)
    print(f"{kind}: {len(starts)} segments, starting at {', '.join(f'{one:.1f}' for one in starts)} s")
notebook.listen(waveforms[example], caption=f"{name} · {emotion}")

# %% [markdown]
# A Hamming window of 40 ms moves over the segment, and a DFT takes it apart into frequencies from 0 to 4 kHz. With the
# paper's numbers that is a matrix of 400 × 200; coarser grids are quicker and keep the same picture.

# %%
piece = np.zeros(32000, np.float32)
piece[: min(32000, len(waveforms[example]))] = waveforms[example][:32000]
magnitude = spectrogram.magnitudes(torch.from_numpy(piece)[None], config)
grid = {"hop": config.shift, "window": config.window, "bin_width": config.bin_hz}
print(f"{config.bins} bins of {config.bin_hz:g} Hz × {config.frames} frames of {1000 * config.shift:g} ms")
figures.sound(piece, magnitude[0].numpy(), unit="linear magnitude", title=f"{name}: two seconds", **grid)

# %% [markdown]
# ### The scaling that a sentence hides
#
# "We first linearly transform it to a range of [−1, 1], and then apply a µ-law expansion." Speech is mostly near-silence
# and a few loud partials, so a linear map puts nearly everything at −1. And µ-law stretches what lies around **zero**.
#
# **Before you look:** which of the three readings below leaves the network the most to see?

# %%
for reading, words in spectrogram.SCALINGS.items():
    picture = spectrogram.scale(magnitude, replace(config, scaling=reading))[0].numpy()
    floor = float((picture < picture.min() + 0.02).mean())
    print(f"{reading}: {words}. {100 * floor:.0f} % of the pixels lie within 0.02 of the floor.")
    display(figures.spectrogram(picture, unit=reading, title=reading, **grid))

# %% [markdown]
# We go on with the reading that the parameter `scaling` names, and compute the segments of all recordings.

# %% tags=["stage:features"]
train_segments = spectrogram.segment_spectrograms(utterances, waveforms, config)
test_segments = spectrogram.segment_spectrograms(utterances, waveforms, config, step=spectrogram.TEST_STEP)
print(f"{len(train_segments.table)} training segments, {len(test_segments.table)} test segments, {scaling}")

# %% [markdown]
# ## 3 · Which filter shape?
#
# A filter 2 frames wide and 100 bins high sees a broad band at one moment: the harmonics, the formants. One 80 frames
# wide and 2 bins high sees one frequency for most of a second: how it comes and goes.
#
# The paper (3.2) trains a single convolution with 16 filters of one shape, averages over all positions, and asks how
# often it is right. **Your guess:** what helps more, height or width? Which emotion needs short moments?

# %% tags=["stage:training"]
sgd = {"batch_size": batch_size, "learning_rate": learning_rate}
data = (utterances, train_segments, test_segments)
shapes, shape_predictions = filter_shapes.study(
    *data,
    folds[: filter_folds or None],
    filter_heights,
    filter_widths,
    replace(PAPER.shortened(filter_epochs), **sgd),
    seed=seeds[0],
)
shapes.round(3)

# %%
curves = figures.filter_shapes(
    shapes, hop=config.shift, bin_width=config.bin_hz, title=f"One layer, {corpus}"
)
notebook.keep(curves, "07_filter_shapes", pictures)

# %% [markdown]
# ## 4 · The network, and three ways to pool
#
# The paper takes both: 8 filters of 10 × 2 and 8 of 2 × 8, side by side, then four 3 × 3 layers. What comes out is a map
# $X$ of positions × 80 channels. Three poolings turn it into one score a class:
#
# - **gap**: the mean over positions, then a linear layer: $\mathbf{1}^\top X W_k$ (Eq. 3).
# - **bilinear**: every channel times every other, $X^\top X$, 6400 numbers, then a linear layer (Eq. 4).
# - **attention**: two maps, multiplied position by position and summed (Eq. 8). The *bottom-up* map $X b$ says where to
#   look, whatever the class; the *top-down* map $X a_k$ says what speaks for class $k$ there.

# %%
classes = len(utterances["emotion"].cat.categories)
sizes = []
for pooling in poolings:
    network = SpectrogramCNN(CNNConfig(classes=classes, pooling=pooling))
    modules = {"convolutions": network.layers, "pooling and output": network.pool, "all": network}
    count = {name: sum(p.numel() for p in part.parameters()) for name, part in modules.items()}
    sizes.append({"pooling": pooling, **count})
pd.DataFrame(sizes).set_index("pooling")

# %% [markdown]
# ## 5 · Training
#
# SGD with Nesterov momentum 0.9, weight decay 0.0001, and a learning rate that falls by ten three times (3.1). One
# network for every fold and pooling; none is chosen on test data, the last epoch counts.

# %% tags=["stage:training"]
recipe = replace(PAPER.shortened(epochs), **sgd)
parts, losses, networks = [], [], {}
for pooling in poolings:
    for seed in seeds:
        one = cross_validate(*data, folds, CNNConfig(pooling=pooling), recipe, seed=seed)
        parts.append(one[0])
        losses.append(one[1])
        networks[pooling] = one[2]
predictions, losses = pd.concat(parts), pd.concat(losses, ignore_index=True)

# %%
first = losses[(losses["model"] == poolings[0]) & (losses["seed"] == seeds[0])]
first = first.drop(columns=["model", "seed"])
figures.learning_curves(first, recipe.drops, title=f"{poolings[0]} pooling: training loss, a line a fold")

# %% [markdown]
# ## 6 · Does the pooling matter?
#
# WA is the share of utterances that are right. UA, which we call UAR, is the mean of the classes' own shares, so that a
# frequent class weighs no more than a rare one. The bars are 95 % intervals.
#
# **Before you look:** the paper's three poolings lie within four points. How many utterances would you need to see that?

# %%
intervals = bootstrap(predictions, ["UAR", "WA"])
compared = figures.model_comparison(
    intervals, {"chance": {"UAR": 1 / classes}}, title=f"Poolings on {corpus}"
)
notebook.keep(compared, "07_poolings", pictures)

# %%
by_speaker = bootstrap(predictions, "UAR", unit="speaker").set_index("model")
table = scores(predictions)
table["95 % by utterance"] = [
    f"[{row.low:.3f}, {row.high:.3f}]" for row in intervals[intervals["metric"] == "UAR"].itertuples()
]
table["95 % by speaker"] = [f"[{row.low:.3f}, {row.high:.3f}]" for row in by_speaker.itertuples()]
for row in intervals[intervals["metric"] == "UAR"].itertuples():
    notebook.headline(f"UAR, {row.model} pooling", row.value, row.low, row.high)
table.round(3)

# %% [markdown]
# Intervals of two models that overlap do not settle it: both were tested on the *same* utterances. A paired test asks
# where they differ. McNemar counts the utterances that only one gets right; the paired bootstrap gives the difference in
# UAR with an interval. It draws whole speakers where there are ten or more of them: the question is whether a difference
# would show again with *other people*.

# %%
unit = "speaker" if predictions["speaker"].nunique() >= 10 else "utterance"
pairs = [(a, "gap") for a in ("attention", "bilinear") if {a, "gap"} <= set(poolings)]
tests = [paired_bootstrap(predictions, a, b, unit=unit) for a, b in pairs]
counts = [mcnemar(predictions, a, b, seed=seeds[0]) for a, b in pairs]
if pairs:
    left = pd.DataFrame(tests)[["a", "b", "difference", "low", "high", "p", "unit"]]
    right = pd.DataFrame(counts)[["only_a", "only_b", "p_mid"]].add_prefix("McNemar ")
    display(pd.concat([left, right], axis=1).round(3))

# %% [markdown]
# Which emotions are taken for which? Read a row: of all angry utterances, how many were called happy? And are there
# speakers whom no pooling understands?

# %%
shown = "attention" if "attention" in poolings else poolings[0]
notebook.keep(figures.confusion_matrix(predictions[predictions["model"] == shown]), "07_confusion", pictures)

# %%
figures.group_scores(predictions, by="speaker", title="Every speaker, under every pooling")

# %% [markdown]
# ## 7 · Where does it look?
#
# The product of the two maps sums to the class's score, so it shows exactly what spoke for it, position by position.
# Listen, then look. Does the network attend to the syllables that you heard the emotion in?

# %%
chosen = "attention" in poolings
seen = predictions[(predictions["model"] == "attention") & (predictions["seed"] == seeds[-1])]
hits = seen.index[seen["emotion"] == seen["predicted"]]
looked_at = utterance or next(iter([*hits, *seen.index]), "")
if chosen and looked_at not in seen.index:
    raise SernbError(
        f"utterance {utterance!r} was not tested; among those that were: {', '.join(seen.index[:5])}"
    )


def look(name: str) -> None:
    """Player and attention maps over the first segment of one utterance."""
    row, number = seen.loc[name], utterances.index.get_loc(name)
    x = test_segments.spectrograms[test_segments.of(pd.Index([name]))[:1]]
    network = networks["attention"][row["fold"]].eval()
    with torch.inference_mode():
        out = network(x.to(next(network.parameters()).device), maps=True)
    labels = utterances["emotion"].cat.categories
    top, product = (
        dict(zip(labels, one[0].cpu().numpy(), strict=True)) for one in (out.top_down, out.product)
    )
    maps = {"bottom-up": out.bottom_up[0, 0].cpu().numpy(), "top-down": top, "product": product}
    words = f" · “{utterances['text'].iloc[number]}”" if "text" in utterances else ""
    heard = f"true {row['emotion']}, heard {row['predicted']}"
    notebook.listen(waveforms[number], caption=f"{name} · {heard}{words}")
    picture = figures.attention_maps(x[0].numpy(), maps, title=f"{name}: {heard}", **grid)
    notebook.keep(picture, "07_attention_maps", pictures if name == looked_at else "")


# %% tags=["picture"]
if chosen:
    look(looked_at)

# %% [markdown]
# In JupyterLab you can choose any test utterance; in a saved page you see the one above.

# %%
if chosen:
    menu = widgets.Dropdown(options=list(seen.index), value=looked_at, description="utterance")
    output = widgets.Output()

    def show(change: dict) -> None:
        output.clear_output(wait=True)
        with output:
            look(change["new"])

    menu.observe(show, names="value")
    display(menu, output)

# %% [markdown]
# ## 8 · The paper's claims, held against this run

# %%
paper = "Li et al. 2018"


def verdict(low: float) -> str:
    """A difference holds if its interval lies above 0."""
    return "holds" if low > 0 else "not seen here"


card = (None, None, None, "cannot be tested on this corpus", "It is a number of IEMOCAP's improvised part.")
if corpus == "iemocap" and chosen:
    best = intervals[(intervals["metric"] == "UAR") & (intervals["model"] == "attention")].iloc[0]
    why = "The same corpus. Holds if the interval reaches the paper's number."
    card = (best["value"], best["low"], best["high"], verdict(best["high"] - 0.6806), why)
notebook.claim(paper, "Attention pooling reaches a UA of 68.06 % (Table 1)", 0.6806, *card)

# %%
said = {
    "attention": ("Attention pooling beats global average pooling (UA, Table 1)", 0.0052),
    "bilinear": ("Bilinear pooling is worse than global average pooling (UA, Table 1)", -0.0338),
}
for (a, _), test in zip(pairs, tests, strict=True):
    words, number = said[a]
    why = f"Difference in UAR, paired bootstrap over {test['units']} {unit}s, p = {test['p']:.2f}."
    held = verdict(test["low"] if number > 0 else -test["high"])
    notebook.claim(paper, words, number, test["difference"], test["low"], test["high"], held, why)

# %% [markdown]
# And the filters. Each claim becomes a difference between two shapes, tested on the same utterances.


# %%
def shape_claim(text: str, a: tuple, b: tuple, metric: str = "WA") -> None:
    """Claim card: is shape `a` (height, width) better than `b`?"""
    names = [f"{height} x {width}" for height, width in (a, b)]
    if names[0] == names[1] or not set(names) <= set(shape_predictions["model"]):
        card = (None, None, None, "cannot be tested on this corpus", "This run has not both shapes.")
    else:
        test = paired_bootstrap(shape_predictions, *names, metric=metric)
        why = f"{metric} of {names[0]} minus {names[1]} (bins x frames), p = {test['p']:.2f}, by utterance."
        card = (test["difference"], test["low"], test["high"], verdict(test["low"]), why)
    notebook.claim(paper, text, None, *card)


tall = min(filter_heights, key=lambda one: abs(one * config.bin_hz - 100))
wide = min(filter_widths, key=lambda one: abs(one * config.shift - 0.08))
shape_claim("Filters 100 Hz high beat those of the smallest height", (tall, 2), (min(filter_heights), 2))
shape_claim("Filters 80 ms wide beat the widest (WA peaks, then falls)", (2, wide), (2, max(filter_widths)))
if "angry" in shapes:
    shape_claim("Angry falls with wide filters", (2, wide), (2, max(filter_widths)), "recall_angry")

# %%
recall = recalls(shape_predictions).mean()
if "happy" in recall:
    held = "holds" if recall.idxmin() == "happy" else "not seen here"
    why = "Mean recall over all shapes: " + ", ".join(f"{name} {one:.2f}" for name, one in recall.items())
    words = "Happy is the class that a single layer recognises worst"
    notebook.claim(paper, words, None, float(recall["happy"]), None, None, held, why)

# %% [markdown]
# ## Recap
#
# - A sentence of a methods section ("linearly transform, then µ-law") has readings that differ more than the models do.
# - A filter's height and width decide what it can hear; the study takes one layer and one number at a time.
# - Attention pooling is two maps and a product. Its sum *is* the score, so its picture is an explanation by construction.
# - Whether it is *better* is a question for a paired test, with an interval, on speakers never heard before.

# %% tags=["stage:features"]
if save:
    folder = Path(save)
    folder.mkdir(parents=True, exist_ok=True)
    tables.write_predictions(predictions, folder / "predictions.csv")
    if chosen:
        networks["attention"][folds[0].name].save_pretrained(folder / "attention")
    print(f"saved to {folder}")

# %% [markdown]
# ## Exercises
#
# **1.** The bottom-up map is a softmax over positions. How many positions are there for the paper's 400 × 200 input
# with three 2 × 2 max-pools? Replace the dots.

# %% tags=["exercise"]
positions = ...
notebook.check(
    lambda: positions == 50 * 25,
    "Right: 400/8 × 200/8. That is the factor by which an average instead of a sum would shrink the logits.",
    "Each max-pool halves both sides. Start from 400 and 200.",
)

# %% [markdown]
# **2.** An average instead of the sum (3.3 against Eq. 8) divides every logit by that number. Compute the highest
# probability that a class can have at the start if its logit is 8 and the other three are 0, with the sum and with the
# average.

# %% tags=["exercise"]
with_sum, with_average = ..., ...
notebook.check(
    lambda: np.allclose([with_sum, with_average], [0.999, 0.2512], atol=0.001),
    "Right: nearly 1 against barely more than a quarter. The averaged network has almost no gradient to start with.",
    "Softmax of (8, 0, 0, 0), then of (8/1250, 0, 0, 0).",
)

# %% [markdown]
# **3.** Run this notebook again with `scaling` set to another reading. Fill in the UAR of attention pooling that you got,
# and keep the run's interval beside it.

# %% tags=["exercise"]
other_uar = ...
notebook.check(
    lambda: 0 < other_uar < 1,
    "Now ask: does the other run's interval leave out this one's value?",
    "A share between 0 and 1, as in the table of section 6.",
)

# %% [markdown]
# ## References
#
# - P. Li, Y. Song, I. McLoughlin, W. Guo, L. Dai. An attention pooling based representation learning method for speech
#   emotion recognition. Interspeech 2018.
# - R. Girdhar, D. Ramanan. Attentional pooling for action recognition. NeurIPS 2017. The idea, for pictures.
# - T.-Y. Lin, A. RoyChowdhury, S. Maji. Bilinear CNN models for fine-grained visual recognition. ICCV 2015.
# - D. S. Park et al. SpecAugment. Interspeech 2019. T. Ko et al. Audio augmentation for speech recognition.
#   Interspeech 2015.
