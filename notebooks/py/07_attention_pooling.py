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
# **Time.** The settings below are cut for a laptop with two cores, where the whole notebook takes some minutes; the paper's
# own, beside them, take hours without a GPU: `sernb run 7 --profile full`.

# %% tags=["parameters"]
corpus: str = "embedded"  # name of a corpus (`sernb corpora` lists them)
root: str = ""  # folder of the corpus; empty: where sernb looks for it
on_bad: str = "raise"  # unreadable recordings: raise an error, or skip them
labels: dict = {}  # own label words of a manifest, such as {"cheerful": "happy"}
emotions: str = ""  # labels to keep, with commas between ("neutral,happy,sad,angry"); empty: all
per_speaker: int = 0  # keep so many utterances of each speaker's emotions, for a quick look; 0: all
protocol: str = "auto"  # who is tested: auto (the corpus's usual one), loso, group-k-fold …
folds_used: int = 0  # run only the first so many folds; 0: all
seeds: list[int] = [0]  # one training of every fold for each seed
scaling: str = "log"  # reading of the input scaling: mulaw (to the letter), mulaw01, log
dft: int = 640  # points of the DFT; the paper: 1600, a grid of 10 Hz
shift: float = 0.04  # seconds from frame to frame; the paper: 0.01
poolings: list[str] = ["attention", "gap", "bilinear"]  # poolings to compare
epochs: int = 3  # the paper's schedule of 50, squeezed into so many
batch_size: int = 32  # segments a step; the paper: 64
learning_rate: float = 0.05  # at the start; it falls by ten three times
filter_heights: list[int] = [2, 4, 8, 32]  # bins, from 2, at a width of 2; the paper: eleven up to 100
filter_widths: list[int] = [2, 4, 8, 16]  # frames, from 2, at a height of 2; the paper: ten up to 80
filter_epochs: int = 2  # epochs of each filter shape; the paper: 50
filter_batch_size: int = 8  # segments a step there: few large steps teach one layer little
filter_folds: int = 1  # folds of the filter study; 0: all, as in the paper
jobs: int = 0  # trainings side by side, each on its share of the cores; 0: up to four, one on a GPU
utterance: str = ""  # the utterance to look at; empty: the first that attention got right
save: str = ""  # folder for predictions and the first fold's attention network; empty: not saved
pictures: str = ""  # folder for the main pictures as PNG files; empty: not saved

# %% tags=["stage:imports"]
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from IPython.display import display

from sernb import figures, notebook, protocols
from sernb.core import tables
from sernb.core.errors import SernbError
from sernb.evaluation import bootstrap, mcnemar, paired_bootstrap, scores, usual_unit
from sernb.features import spectrogram
from sernb.models.attention_pooling import CNNConfig, SpectrogramCNN
from sernb.studies import saved
from sernb.studies.attention_pooling import PAPER, cross_validate, filter_study

device = notebook.start(corpus, seed=seeds[0])
networks_to_train = [CNNConfig(pooling=one) for one in poolings]  # a wrong name stops here

# %% [markdown]
# ## 1 · The recordings
#
# We load the corpus as a table with one row an utterance, and read its recordings at 16 kHz.

# %% tags=["stage:features"]
utterances, waveforms = notebook.load(corpus, root, needs=("speaker", "emotion"), emotions=emotions, labels=labels,
                                      per_speaker=per_speaker, on_bad=on_bad)  # fmt: skip
classes = list(utterances["emotion"].cat.categories)
figures.class_balance(utterances)

# %% [markdown]
# **Who is tested?** A network that has heard a speaker before *may* use the voice instead of the emotion. The paper tests
# one speaker at a time, trained on all others; a corpus with sessions is tested session by session. The table says who
# is where, and above it stands whether anybody is on both sides.

# %%
folds = protocols.by_name(protocol, utterances)[: folds_used or None]
for fold in folds:
    shared = set(utterances["speaker"][fold.train].dropna()) & set(utterances["speaker"][fold.test].dropna())
    if shared:
        print(f"{fold.name}: {len(shared)} speakers are trained on AND tested: the results will flatter")
protocols.describe(folds, utterances)

# %% [markdown]
# ## 2 · What the network sees
#
# The paper (2.1) cuts each recording into segments of two seconds. In training a new one starts every second; in the
# test every 0.4 s, and the utterance's score is the mean over its segments. What is left at the end, too short for
# another step, is not used; a shorter recording is filled with silence.
#
# Listen to one recording, and look at its first segment.

# %%
config = spectrogram.SpectrogramConfig(scaling=scaling, dft=dft, shift=shift)
seconds = np.array([len(wave) / 16000 for wave in waveforms])
example = int(np.abs(seconds - np.median(seconds)).argmin())  # a recording of typical length
for kind, step in (("training", spectrogram.TRAIN_STEP), ("test", spectrogram.TEST_STEP)):
    starts = spectrogram.cut(waveforms[example], step, config)
    print(f"{kind}: {len(starts)} segments, starting at {', '.join(f'{one:.1f}' for one in starts)} s")
name = utterances.index[example]
notebook.listen(waveforms[example], caption=f"{name} · {utterances['emotion'].iloc[example]}")

# %% [markdown]
# A Hamming window of 40 ms moves over the segment, and a DFT takes it apart into frequencies from 0 to 4 kHz. With the
# paper's numbers that is a matrix of 400 × 200. (A DFT of 1600 points of a window of 640 draws a finer grid; what 40 ms
# can tell apart stays about 25 Hz.)
#
# A coarser grid is quicker. But then a filter of "10 × 2" spans other Hz and milliseconds than in the paper, so below we
# check claims about shapes in Hz and ms, and the network is the paper's in form only.

# %%
piece = np.zeros(32000, np.float32)
piece[: min(32000, len(waveforms[example]))] = waveforms[example][:32000]
magnitude = spectrogram.magnitudes(torch.from_numpy(piece)[None], config)
window = round(config.window * config.rate)  # samples
column = np.abs(np.fft.rfft(piece[:window] * np.hamming(window), config.dft))[: config.bins]
print("the first column, by hand, is the same:", np.allclose(column, magnitude[0, :, 0], atol=1e-3))
print(f"{config.bins} bins of {config.bin_hz:g} Hz × {config.frames} frames of {1000 * config.shift:g} ms")
figures.sound(piece, magnitude[0].numpy(), config, unit="linear magnitude", title=f"{name}: two seconds")

# %% [markdown]
# ### The scaling that a sentence hides
#
# "We first linearly transform it to a range of [−1, 1], and then apply a µ-law expansion to each entry x." Over which
# data the linear map is taken, the paper does not say; we take each segment by its own extremes, so how loud a recording
# was is gone.
#
# Speech is mostly near-silence and a few loud partials, so a linear map puts nearly everything at −1. And µ-law stretches
# what lies around **zero**.
#
# **Before you look:** which of the three readings below leaves the network the most to see?

# %%
for reading, words in spectrogram.SCALINGS.items():
    picture = spectrogram.scale(magnitude, replace(config, scaling=reading))[0].numpy()
    floor = float((picture < picture.min() + 0.02).mean())
    print(f"{reading}: {words}. {100 * floor:.0f} % of the pixels lie within 0.02 of the floor.")
    display(figures.spectrogram(picture, config, unit=reading, title=reading))

# %% [markdown]
# We go on with the reading that the parameter `scaling` names, and compute the segments of all recordings.

# %% tags=["stage:features"]
train_segments = spectrogram.segment_spectrograms(utterances, waveforms, config)
test_segments = spectrogram.segment_spectrograms(utterances, waveforms, config, step=spectrogram.TEST_STEP)
data = (utterances, train_segments, test_segments)
print(f"{len(train_segments.table)} training segments, {len(test_segments.table)} test segments, {scaling}")

# %% [markdown]
# ## 3 · Which filter shape?
#
# A tall, narrow filter sees a band of frequencies at one moment: harmonics, formants. A flat, wide one sees one frequency
# for a while: how it comes and goes.
#
# The paper (3.2) trains a single convolution with 16 filters of one shape, averages over all positions, and asks how
# often it is right. **Your guess:** what helps more, height or width? Which emotion needs short moments?

# %% tags=["stage:training"]
recipe = replace(PAPER.shortened(filter_epochs), batch_size=filter_batch_size, learning_rate=learning_rate)
sizes = (filter_heights, filter_widths)
with notebook.workers(jobs, device):
    shapes, shape_predictions = filter_study(
        *data, folds[: filter_folds or None], *sizes, recipe, seed=seeds[0]
    )
shapes.round(3)

# %%
drawn = figures.filter_shapes(shapes, config, title=f"One layer, {corpus}")
notebook.keep(drawn, "07_filter_shapes", pictures)

# %% [markdown]
# ## 4 · The network, and three ways to pool
#
# The paper takes both: 8 filters of 10 × 2 and 8 of 2 × 8, side by side, then four 3 × 3 layers, with 2 × 2 max-pools
# between (after layers 1, 2 and 3 here; the paper's figure does not settle where). What comes out is a map $X$ of
# positions × 80 channels. Three poolings turn it into one score a class:
#
# - **gap**: $\mathbf{1}^\top X W_k$ (Eq. 3) divided by the number of positions: the mean, then a linear layer.
# - **bilinear**: $X^\top X$, every channel times every channel, 6400 numbers, l2-normalised, signed square root, then a
#   linear layer (Eq. 4, 3.3).
# - **attention**: $X b$, through a softmax over positions, says where to look, whatever the class (*bottom-up*).
#   $X a_k$ says what speaks for class $k$ there (*top-down*). Multiply, and **sum** over positions (Eq. 8). Section 3.3
#   says "spatially averaged"; after a softmax that would divide twice (exercise 2).
#
# The authors took these two shapes because they had the best WA, in the same cross-validation that Table 1 reports. We
# inherit that choice.

# %%
sizes = {}
for pooling in poolings:
    network = SpectrogramCNN(CNNConfig(classes=len(classes), pooling=pooling))
    modules = {"convolutions": network.layers, "pooling and output": network.pool, "all": network}
    sizes[pooling] = {part: sum(p.numel() for p in module.parameters()) for part, module in modules.items()}
for height, width, _ in CNNConfig().filters:
    span = f"{height * config.bin_hz:g} Hz × {1000 * width * config.shift:g} ms"
    print(f"{height} × {width} is {span} on this grid")
pd.DataFrame(sizes).T.rename_axis("pooling")

# %% [markdown]
# ## 5 · Training
#
# SGD with Nesterov momentum 0.9, weight decay 0.0001, and a learning rate that falls by ten three times, after 40, 60 and
# 80 % of the run (3.1). One network for every fold and pooling. The last epoch's weights count; no epoch is chosen on
# test data.
#
# The default grid, scaling and epochs (profile `laptop`) were chosen for speed, after a look at results on this corpus. So
# take its *level* with a grain of salt; the three poolings are treated alike.

# %% tags=["stage:training"]
recipe = replace(PAPER.shortened(epochs), batch_size=batch_size, learning_rate=learning_rate)
tables_of, curves_of, networks = [], [], {}
with notebook.workers(jobs, device):
    for network_config in networks_to_train:
        for seed in seeds:
            table, curve, of_fold = cross_validate(*data, folds, network_config, recipe, seed=seed)
            tables_of.append(table)
            curves_of.append(curve)
            networks[network_config.pooling] = of_fold
predictions, losses = pd.concat(tables_of), pd.concat(curves_of, ignore_index=True)

# %%
first = losses.query("model == @poolings[0] and seed == @seeds[0]").drop(columns=["model", "seed"])
after = [one - 1 for one in recipe.drops]  # whole epochs done when the rate falls
figures.learning_curves(first, after, title=f"{poolings[0]} pooling: training loss, a line a fold")

# %% [markdown]
# ## 6 · Does the pooling matter?
#
# WA is the share of utterances that are right. UA, which we call UAR, is the mean of the classes' own shares, so that a
# frequent class weighs no more than a rare one.
#
# The bars are 95 % intervals: what other test data would give with the *same* networks. They draw whole speakers where
# ten or more are known (would it be so with other people?), else utterances. Another seed would give other networks, and
# no bar shows that.
#
# **Before you look:** the paper's three poolings lie within four points. How many utterances would you need to see that?

# %%
unit, chance = usual_unit(predictions), 1 / len(classes)
intervals = bootstrap(predictions, ["UAR", "WA"], unit=unit)
notebook.keep(figures.model_comparison(intervals, {"chance": {"UAR": chance}}), "07_poolings", pictures)

# %%
table = scores(predictions)
for way in dict.fromkeys(("utterance", unit)):
    rows = bootstrap(predictions, "UAR", unit=way).itertuples()
    table[f"UAR, 95 % by {way}"] = [notebook.interval(row, ".3f") for row in rows]
for row in intervals[intervals["metric"] == "UAR"].itertuples():
    notebook.headline(f"UAR, {row.model} pooling", row)
if len(seeds) > 1:
    display(scores(predictions, by=("model", "seed")).round(3))
table.round(3)

# %% [markdown]
# Intervals of two models that overlap do not settle it: both were tested on the *same* utterances. A paired test asks
# where they differ. The paired bootstrap gives the difference in UAR with an interval. McNemar counts the utterances that
# only one gets right; its p is for WA and one seed, and takes utterances as independent, so it is the optimistic one.

# %%
pairs = [(a, "gap") for a in ("attention", "bilinear") if {a, "gap"} <= set(poolings)]
tests = {a: notebook.compare(predictions, a, b, unit=unit) for a, b in pairs}
counts = [mcnemar(predictions, a, b, seed=seeds[0]) for a, b in pairs]
if pairs:
    right = pd.DataFrame(counts)[["only_a", "only_b", "p_mid"]].add_prefix("McNemar ").round(3)
    display(pd.concat([notebook.comparisons(tests.values()), right], axis=1))

# %% [markdown]
# And the question from above: how many utterances would show a difference as small as the paper's? A rule of thumb for
# McNemar's test takes the share of utterances on which just one of two models is right.

# %%
for count in counts:
    differ = (count["only_a"] + count["only_b"]) / count["n"]
    print(f"{count['a']} and {count['b']}: just one is right on {100 * differ:.0f} % of {count['n']}")
    for gap in (0.005, 0.034) if differ else ():  # the paper's differences
        needed = 7.85 * differ / gap**2  # (1.96 + 0.84)²: two-sided 5 %, power 80 %
        print(f"  to see {100 * gap:.1f} points of WA in 8 of 10 tries: about {needed:,.0f} utterances")

# %% [markdown]
# Which emotions are taken for which? Read a row: of all angry utterances, how many were called happy? And are there
# speakers whom no pooling understands?

# %%
shown = "attention" if "attention" in poolings else poolings[0]
notebook.keep(figures.confusion_matrix(predictions[predictions["model"] == shown]), "07_confusion", pictures)

# %%
if "speaker" in predictions and predictions["speaker"].notna().all():
    display(figures.group_scores(predictions, by="speaker", title="Every speaker, under every pooling"))

# %% [markdown]
# ## 7 · Where does it look?
#
# At each position the two maps are multiplied; added up, they give the class's score. That is exact for the *last* layer,
# and no more: each position of the map has itself seen 61 bins × 59 frames of the spectrogram, so a bright spot says
# "somewhere around here", not "this syllable". And it shows what the network used, not what makes speech sound angry.
#
# We show each product less the mean over classes, since only differences between classes decide. The player has the whole
# utterance, the maps its first two seconds. We start with an utterance that the network got right; choose a wrong one too.

# %%
print(f"One position sees {61 * config.bin_hz:g} Hz × {59 * config.shift:.2g} s on this grid.")
seen = predictions[(predictions["model"] == "attention") & (predictions["seed"] == seeds[-1])]
hits = seen.index[seen["emotion"] == seen["predicted"]]
looked_at = utterance or next(iter([*hits, *seen.index]), "")
if len(seen) and looked_at not in seen.index:
    raise SernbError(f"utterance {utterance!r} was not tested; {', '.join(seen.index[:5])}, … were")


# %%
def maps_of(name: str) -> tuple[np.ndarray, dict, str]:
    """The first segment's spectrogram, its maps, and its own label, of one utterance."""
    x = test_segments.spectrograms[test_segments.of(pd.Index([name]))[:1]]
    network = networks["attention"][seen.loc[name, "fold"]].eval()
    with torch.inference_mode():
        out = network(x.to(next(network.parameters()).device), maps=True)
    maps = {"bottom-up": out.bottom_up[0, 0].cpu().numpy()}
    both = {"top-down": out.top_down, "product": out.product - out.product.mean(1, keepdim=True)}
    maps |= {kind: dict(zip(classes, one[0].cpu().numpy(), strict=True)) for kind, one in both.items()}
    return x[0].numpy(), maps, classes[int(out.logits.argmax())]


def look(name: str) -> None:
    """Player and attention maps of one utterance."""
    row, known = seen.loc[name], utterances.loc[name]
    said = f"{name}: true {row['emotion']}, predicted {row['predicted']}"
    text = f" · “{known['text']}”" if pd.notna(known.get("text")) else ""
    notebook.listen(waveforms[utterances.index.get_loc(name)], caption=said + text)
    x, maps, here = maps_of(name)
    picture = figures.attention_maps(x, maps, config, title=f"{said} (these two seconds: {here})")
    notebook.keep(picture, "07_attention_maps", pictures if name == looked_at else "")


# %% tags=["picture"]
if len(seen):
    look(looked_at)
else:
    print("no attention pooling in this run")

# %% [markdown]
# In JupyterLab you can choose any test utterance; in a saved page you see the one above.

# %%
if len(seen):
    notebook.menu(seen.index, look, looked_at)

# %% [markdown]
# ## 8 · The paper's claims, held against this run
#
# A card says "holds" only where the interval of a difference lies wholly on the claim's side of zero. "Not seen here" may
# mean that there is no difference, or that this run is too small to tell; the card says which.

# %%
paper = "Li et al. 2018"


def outcome(difference: pd.Series, number: float = np.nan) -> str:
    """What a difference's interval says, in words; `number` is the paper's."""
    low, high, told = difference["low"], difference["high"], f"{difference['units']} {difference['unit']}s"
    told += f", p = {difference['p']:.3f}. "
    if not np.isfinite([low, high]).all():
        return f"{told}One unit only: no interval."
    if low > 0 or high < 0:
        return f"{told}The interval leaves out 0: the first is {'better' if low > 0 else 'worse'} here."
    both = " and the paper's difference" if low <= number <= high else ""
    return f"{told}The interval holds 0{both}: this run cannot tell."


words = "Attention pooling reaches a UA of 68.06 % (Table 1)"
why = "It is a number of IEMOCAP's improvised part; the level of another corpus says nothing on it."
notebook.claim_of(paper, words, 0.6806, None, why)

# %%
for a, words, number, side in (
    ("attention", "Attention pooling beats global average pooling", 0.0052, "above"),
    ("bilinear", "Bilinear pooling is worse than global average pooling", -0.0338, "below"),
):
    why = "This run has not both poolings."
    if a in tests:
        why = f"Paired bootstrap, {len(seeds)} seed(s), {outcome(tests[a], number)}"
    notebook.claim_of(paper, f"{words} (UA, Table 1)", number, tests.get(a), why, **{side: 0.0})

# %% [markdown]
# And the filters. Each claim becomes a difference between two shapes, tested on the same utterances, but only where at
# least one of the two recognises something at all.

# %%
shape_unit = usual_unit(shape_predictions)
shape_uar = bootstrap(shape_predictions, "UAR", unit=shape_unit).set_index("model")


def shape_claim(words: str, a: tuple, b: tuple, metric: str = "WA") -> None:
    """Claim card: is shape `a` (height, width) better than `b`?"""
    names, test = [f"{height} x {width}" for height, width in (a, b)], None
    if names[0] == names[1] or not set(names) <= set(shape_uar.index):
        why = "This run has not both shapes."
    elif not shape_uar.loc[names, "low"].max() > chance:
        why = "In this run neither shape is above chance (UAR), so their difference says nothing."
    else:
        test = paired_bootstrap(shape_predictions, *names, metric=metric, unit=shape_unit)
        sizes = [f"{h * config.bin_hz:g} Hz × {1000 * w * config.shift:g} ms" for h, w in (a, b)]
        why = f"{metric}, {sizes[0]} minus {sizes[1]}; {outcome(test)}"
    notebook.claim_of(paper, words, "Figure 2, no numbers", test, why)


# %%
tall = min(filter_heights, key=lambda one: abs(one * config.bin_hz - 100))
wide = min(filter_widths, key=lambda one: abs(one * config.shift - 0.08))
shape_claim("WA rises from the smallest height to 100 Hz", (tall, 2), (min(filter_heights), 2))
shape_claim("WA rises from the smallest width to 80 ms", (2, wide), (2, min(filter_widths)))
shape_claim("… and falls again towards the widest", (2, wide), (2, max(filter_widths)))
if "angry" in shapes:
    shape_claim("Angry falls with wide filters", (2, wide), (2, max(filter_widths)), "recall_angry")

# %%
four = ("neutral", "happy", "sad", "angry")
if set(four) <= set(shape_predictions["emotion"]):
    # the mean over shapes: to the bootstrap, a shape is what a seed is elsewhere
    pooled = shape_predictions.assign(seed=shape_predictions["model"], model="one layer")
    rows = bootstrap(pooled, [f"recall_{one}" for one in four], unit=shape_unit)
    rows = rows.set_index(rows["metric"].str.removeprefix("recall_"))
    means = ", ".join(f"{emotion} {value:.2f}" for emotion, value in rows["value"].items())
    why = f"Mean recall over all shapes: {means}. Holds if happy's interval lies below the others'."
    words = "Happy is the class that a single layer recognises worst"
    above_chance = bootstrap(pooled, "UAR", unit=shape_unit)["low"].iloc[0] > chance
    notebook.claim_of(paper, words, "Figure 2's text", rows.loc["happy"], why,
                      below=rows.drop("happy")["low"].min(), testable=above_chance)  # fmt: skip

# %% [markdown]
# ## Recap
#
# - A sentence of a methods section ("linearly transform, then µ-law") can be read in several ways, and the pictures of
#   section 2 differ plainly. Whether the results do is exercise 4.
# - A filter's height and width, in Hz and ms, decide what it can see; the study takes one layer and one side at a time.
# - Attention pooling is two maps and a product that adds up to the score: exact at the last layer, blurred by what each of
#   its positions has seen.
# - Whether it is *better* is a question for a paired test, with an interval, on speakers never heard before. The smaller
#   the difference, the more utterances that takes, and it grows with the square.

# %%
if save:
    folder = Path(save)
    tables.write_predictions(predictions, folder / "predictions.csv")
    if len(seen):
        about = {"corpus": corpus, "classes": classes, "spectrogram": asdict(config)}
        saved.save(networks["attention"][folds[0].name], folder / "attention", about)
    print(f"saved to {folder}")

# %% [markdown]
# ## Exercises
#
# **1.** The bottom-up map is a softmax over positions. How many positions are there for the paper's 400 × 200 input
# with three 2 × 2 max-pools? Replace the dots.

# %% tags=["exercise"]
positions = ...
notebook.check(lambda: positions == 50 * 25,
               "Right: 400/8 × 200/8. That is the factor by which an average instead of a sum would shrink the logits.",
               "Each max-pool halves both sides. Start from 400 and 200.")  # fmt: skip

# %% [markdown]
# **2.** Suppose a class's summed score is 8 and the other three are 0. What is that class's probability with the sum, and
# what with the average over the positions of exercise 1? Replace both dots (four digits).

# %% tags=["exercise"]
with_sum, with_average = ..., ...
notebook.check(lambda: np.allclose([with_sum, with_average], [0.9990, 0.2512], atol=1e-4),
               "Right: nearly 1 against barely more than a quarter. With the average every gradient shrinks as well.",
               "Softmax of (8, 0, 0, 0), then of (8/1250, 0, 0, 0).")  # fmt: skip

# %% [markdown]
# **3.** What does a filter of 8 × 3 (height × width) span on the *paper's* grid, in Hz and in ms, counted as 10 Hz a bin
# and 10 ms a frame?

# %% tags=["exercise"]
hertz, milliseconds = ..., ...
notebook.check(lambda: (hertz, milliseconds) == (80, 30),
               "Right. On a coarser grid the same 8 × 3 spans more of both.",
               "Height is frequency: 8 bins. Width is time: 3 frames.")  # fmt: skip

# %% [markdown]
# **4.** Run this notebook twice, with another `scaling` and another folder in `save` each time, and compare attention on
# the *same utterances*:
#
# ```python
# both = [tables.read_predictions(f"{one}/predictions.csv") for one in ("runs/log", "runs/mulaw")]
# both = [one[one["model"] == "attention"].assign(model=name) for one, name in zip(both, ("log", "mulaw"))]
# paired_bootstrap(pd.concat(both), "log", "mulaw", unit=unit)
# ```
#
# Fill in the interval of the difference.

# %% tags=["exercise"]
low, high = ..., ...
notebook.check(lambda: -1 <= low <= high <= 1,
               "Now: does it hold 0? And would you decide the same by looking whether the two single intervals overlap?",
               "Two differences of UAR, the lower first: the entries low and high of paired_bootstrap.")  # fmt: skip

# %% [markdown]
# ## References
#
# - P. Li, Y. Song, I. McLoughlin, W. Guo, L. Dai. An attention pooling based representation learning method for speech
#   emotion recognition. Interspeech 2018.
# - R. Girdhar, D. Ramanan. Attentional pooling for action recognition. NeurIPS 2017. The idea, for pictures.
# - T.-Y. Lin, A. RoyChowdhury, S. Maji. Bilinear CNN models for fine-grained visual recognition. ICCV 2015.
# - M. W. Fagerland, S. Lydersen, P. Laake. The McNemar test for binary matched-pairs data: mid-p and asymptotic are better
#   than exact conditional. BMC Medical Research Methodology 2013.
# - T. C. Hesterberg. What teachers should know about the bootstrap. The American Statistician 2015.
