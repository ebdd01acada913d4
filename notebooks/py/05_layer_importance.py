# %% [markdown]
# # 05 · Which layers matter? A look inside a speech encoder
#
# **The paper.** D. de Oliveira, N. Raj Prabhu, T. Gerkmann, *Leveraging Semantic Information for Efficient
# Self-Supervised Emotion Recognition with Audio-Textual Distilled Models*, Interspeech 2023, section 4.2 and Figure 2.
#
# HuBERT learnt from speech that nobody had labelled: some of the sound is hidden, and it guesses which of some hundred *kinds
# of sound* was there. To do that well it has to know sounds, voices, perhaps words. But where is what? The paper freezes
# HuBERT and lets a small regression head mix its layers. The head took the early ones for **arousal** (calm to
# excited), the later ones for **valence** (unpleasant to pleasant). The third rating is **dominance** (weak to in control).
#
# **You will be able to** take an encoder apart layer by layer, learn weights over layers as the paper does, see what those
# weights depend on beside the worth of a layer, and check them with a second, sounder measure.
#
# **Time.** Some minutes on a laptop with two cores. With HuBERT itself, on a GPU: `sernb run 5 --profile full`, best with a
# real corpus (the embedded one is synthetic speech).

# %% tags=["parameters"]
corpus: str = "embedded"  # name of a corpus (`sernb corpora` lists them)
root: str = ""  # folder of the corpus; empty: where sernb looks for it
on_bad: str = "raise"  # unreadable recordings: raise an error, or skip them
labels: dict = {}  # own label words of a manifest, such as {"cheerful": "happy"}
emotions: str = ""  # labels to keep, with commas between ("neutral,happy,sad,angry"); empty: all
per_speaker: int = 0  # keep so many utterances of each speaker's emotions, for a quick look; 0: all
scale: list[float] = []  # lowest and highest possible rating; empty: what the corpus says
protocol: str = "auto"  # who is tested: auto (the corpus's usual one), loso, group-k-fold …
folds_used: int = 0  # run only the first so many folds; 0: all
seeds: list[int] = [0, 1, 2, 3, 4]  # one head over all layers for each, on the next fold each time
speech_encoder: str = "mini-hubert"  # mini-hubert, mini-distilhubert, a folder, or a hub name
layers: int = 0  # keep the first so many layers of the encoder; 0: all
pooling: str = "average"  # over time: average, or "average and maximum" as in the paper (much slower)
epochs: int = 60  # the most that a head over all layers is trained
batch_size: int = 64  # utterances a step of that; the paper: 16
weights_rate: float = 0.05  # learning rate of the weights over layers, the head's is 0.001 (not in the paper)
random_networks: int = 2  # untrained encoders of the same shape to compare with; 0: none
jobs: int = 0  # heads trained side by side; 0: up to four
utterance: str = ""  # the utterance to look at; empty: the first of the corpus
save: str = ""  # folder for the predictions; empty: not saved
pictures: str = ""  # folder for the main pictures as PNG files; empty: not saved

# %% tags=["stage:imports"]
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.stats import spearmanr

from sernb import figures, notebook, protocols
from sernb.core.errors import SernbError
from sernb.core.ratings import targets_of
from sernb.core.tables import DIMENSIONS, write_predictions
from sernb.evaluation import bootstrap, contrast, usual_unit
from sernb.features import encoders, speech
from sernb.studies import layer_importance

device = notebook.start(corpus, speech_encoder, seeds[0])
if pooling not in ("average", "average and maximum"):
    raise SernbError(f'pooling is {pooling!r}; choose "average" or "average and maximum"')

# %% [markdown]
# ## 1 · The recordings, and a frozen encoder
#
# We need sound and something to predict: ratings of arousal, valence and dominance, or emotion labels, or both.

# %% tags=["stage:features"]
utterances, waveforms = notebook.load(corpus, root, emotions=emotions, labels=labels, per_speaker=per_speaker,
                                      on_bad=on_bad)  # fmt: skip
name = utterance or utterances.index[0]
if name not in utterances.index:
    raise SernbError(f"utterance is {name!r}, which is not among the {len(utterances)} of this corpus")
wave = waveforms[utterances.index.get_loc(name)][: 6 * 16000]
said = str(utterances["text"].loc[name]) if "text" in utterances else ""
notebook.listen(wave, caption=f"{name}: {said[:90]}")

# %% tags=["stage:features"]
rated = [one for one in DIMENSIONS if one in utterances and utterances[one].notna().sum() > 1]
labelled = "emotion" in utterances
if not rated and not labelled:
    raise SernbError("this notebook needs ratings or emotions; the corpus has neither")
folds = protocols.by_name(protocol, utterances)[: folds_used or None]
folds = protocols.with_validation(folds, utterances, seed=seeds[0])
targets = targets_of(utterances, rated, scale or None) if rated else None
print(f"rated: {', '.join(rated) or 'nothing'}; {len(folds)} folds")

# %% [markdown]
# The encoder is frozen: nothing below trains it. A recording of 3 seconds becomes about 150 frames of 20 ms, and each layer
# has its own version of every frame. **Layer 0** is what the first transformer layer is given: the output of the
# convolutional front end, with positions added. A wide convolution makes these positions, so even layer 0 has looked more
# than a second to either side. The kit's mini-HuBERT has 6 transformer layers, HuBERT base has 12.

# %% tags=["stage:features"]
encoder, normalise = encoders.speech_encoder(speech_encoder, layers or None)
encoder = encoder.to(device)
states = speech.layer_states(waveforms, utterances.index, encoder, normalise)
count, depth = states.shape[1], states.shape[1] - 1
print(f"{count - 1} layers of width {states.shape[2]}; states averaged over time: {states.shape}")

# %% [markdown]
# Let us look at one utterance. Each panel compares every moment with every other, after the layer's mean over the
# utterance was taken off: bright where the layer finds two moments alike.
#
# **Your guess:** listen to it above first. Which panel will show the pauses most plainly, and where will single sounds stand
# apart?

# %%
frame_states = speech.frame_states([wave], [name], encoder, normalise, progress=False)[0]
notebook.keep(figures.frame_similarity(frame_states, waveform=wave), "05_frames", pictures)

# %% [markdown]
# Pauses make bright squares: silence is like silence, wherever it stands. A thin bright line along the diagonal says that a
# moment is like its neighbours only; the wider it grows, the more a layer smooths over single sounds.

# %% [markdown]
# ## 2 · Figure 2: let a head choose its layers
#
# $$x = \sum_{l=0}^{N} w_l\, x_l, \qquad w = \mathrm{softmax}(v)$$
#
# The weights start equal ($v = 0$), so that the first $x$ is the plain mean of all layers; SUPERB made this way of asking
# popular. Then $v$ and a small regression **head** (two linear layers) learn together, for one dimension at a time, to
# make the **CCC** high. The concordance correlation coefficient is 1 only if predictions agree with the ratings in order,
# spread *and* level; 0 is no agreement. We keep the weights of the epoch that did best on the **development part**:
# speakers held out for nothing else.

# %% [markdown]
# One head is one draw of luck, so we train several; each takes the training and development part of another **fold** (another
# split of the speakers), as far as there are folds. The paper gives no settings for this experiment and shows one line a
# dimension, without intervals: high up to layer 4 for arousal; low in the first blocks and highest at 9 and 10 of 12 for valence.
#
# **Your guess:** which dimension will want the deeper layers here?

# %% tags=["stage:training"]
splits = [tuple(utterances.index.get_indexer(one) for one in (fold.train, fold.validation)) for fold in folds]
by_name = {one: targets.values[:, column] for column, one in enumerate(rated)}
if labelled:
    by_name["emotion"] = utterances["emotion"].cat.codes.to_numpy(np.int64)
how = {"epochs": epochs, "batch_size": batch_size, "weights_rate": weights_rate}


def heads(states, chosen: dict, way: str = "none", **other) -> pd.DataFrame:
    """The weights that heads learn, for each target and seed."""
    with notebook.workers(jobs):
        return layer_importance.weights_table(states, chosen, splits, seeds, way, **(how | other))


def joined(tables: dict) -> pd.DataFrame:
    """Tables below one another, each with its name in the column features."""
    return pd.concat([table.assign(features=word) for word, table in tables.items()])


average = pooling == "average"
whole = states if average else speech.frame_states(waveforms, utterances.index, encoder, normalise)
weights = {"as they are": heads(whole, by_name)}
notebook.keep(figures.layer_weights(weights["as they are"]), "05_layer_weights", pictures)

# %%
scored = weights["as they are"].drop_duplicates(["target", "seed"]).groupby("target", sort=False)["score"]
print("The heads' score on development parts (CCC; UAR for emotion), other speakers than the probes' below:")
scored.agg(["mean", "min", "max"]).round(3)

# %% [markdown]
# With *emotion*, the head is a classifier. Whose curve is its curve like? Emotion classes mix arousal and valence.

# %% [markdown]
# ## 3 · What a weight depends on
#
# A weight multiplies numbers. Were one layer's numbers ten times as large, the same weight would let ten times as much
# of it through. So let us do just that: same states, same heads, same seeds, but the layer in the middle made ten times as loud.
#
# **Your guess:** will the head give the loud layer less weight, more, or the same?

# %% tags=["stage:training"]
first_target = (rated or ["emotion"])[0]
probed_one = {first_target: by_name[first_target]}
middle, loud = count // 2, states.copy()
loud[:, middle] *= 10
here = weights["as they are"].query("target in @probed_one") if average else heads(states, probed_one)
trials = {"as they are": here, f"layer {middle} ten times as loud": heads(loud, probed_one),
          "loud, but each feature standardised": heads(loud, probed_one, "feature")}  # fmt: skip
figures.layer_weights(joined(trials), f"Weights, with layer {middle} as it is and ten times as loud")

# %% [markdown]
# Nothing that the layer *tells* has changed. Yet where the first two lines differ, the weight has. There are two remedies:
#
# - **layer normalisation** gives every vector mean 0 and variance 1 over its features, so all layers are equally long;
# - **standardised features** give each feature mean 0 and variance 1 over the training utterances, so all layers also *vary* equally.
#
# Are they needed here? HuBERT ends each layer with a normalisation, so its frames are nearly equally long; averaging over time
# leaves some difference. (In wav2vec 2.0 large, which is built otherwise, sizes can differ far more.)

# %%
length = np.linalg.norm(states, axis=2).mean(0)
spread = states.std(0).mean(1)
table = pd.DataFrame({"mean length of a layer's vector": length, "spread between utterances": spread})
table["spread / length"] = spread / length
table.rename_axis("layer").round(3)

# %% tags=["stage:training"]
weights["each layer normalised"] = heads(whole, by_name, "layer")
if average:
    weights["each feature standardised"] = heads(states, by_name, "feature")
picture = figures.layer_weights(joined(weights), "Weights of layers as they are, and normalised")
notebook.keep(picture, "05_layer_weights_normalised", pictures)

# %% [markdown]
# The height of these hills is partly our choice too: it depends on how fast the weights may learn.

# %% tags=["stage:training"]
rows = {}
for rate in (0.001, 0.01, weights_rate):
    found = here if rate == weights_rate else heads(states, probed_one, weights_rate=rate)
    mean = 100 * found.groupby("layer")["weight"].mean()
    rows[rate] = {
        "highest − lowest weight (points)": np.ptp(mean).round(1),
        "highest at layer": mean.idxmax(),
    }
pd.DataFrame(rows).T.rename_axis(f"learning rate of the weights ({first_target})")

# %% [markdown]
# One more doubt. Does a hill mean that *training* put something there? Ask networks that were never trained: the same shape,
# random weights, each layer normalised.
#
# **Your guess:** will an untrained network's weights stay equal?

# %% tags=["stage:training"]
untrained = []
for seed in range(random_networks):
    torch.manual_seed(seed)
    blank = type(encoder)(encoder.config).to(device)
    untrained.append(speech.layer_states(waveforms, utterances.index, blank, normalise))
pair = {"trained": weights["each layer normalised"] if average else heads(states, by_name, "layer")}
if untrained:
    pair["random weights"] = heads(untrained[0], by_name, "layer")
    picture = figures.layer_weights(joined(pair), "Weights of a trained and an untrained network, normalised")
    notebook.keep(picture, "05_layer_weights_control", pictures)

# %%
mean = joined(pair).groupby(["features", "target", "layer"], sort=False)["weight"].mean().unstack()
hills = 100 * (mean.max(axis=1) - mean.min(axis=1)).unstack("features", sort=False)
hills.round(1).rename_axis("highest − lowest weight, in points")

# %% [markdown]
# Layers of one network say nearly the same, so many mixtures do equally well, and which one a head ends at is partly
# arbitrary. Where an untrained network has hills as high as the trained one's, the hills say little about learning. So we want another measure.

# %% [markdown]
# ## 4 · A sounder measure: one probe a layer
#
# Instead of asking a head how it mixes, ask each layer by itself: how well does a *linear* model (a **probe**) read the
# dimension from this layer alone, on speakers it has never heard? Features are standardised first, so the size of a layer plays
# no part. Pasad and others took wav2vec 2.0 apart in such ways: acoustics in the early layers, meaning later.
#
# **Your guess:** how much does an untrained network reach?

# %% tags=["stage:training"]
probed = {"rated": [], "labelled": []}
for number, one in enumerate([states, *untrained]):
    who = {"source": "random weights" if number else "trained", "seed": max(number - 1, 0)}
    if rated:
        table = layer_importance.rated_by_layer(one, utterances, targets, folds)
        probed["rated"].append(table.assign(**who))
    if labelled:
        probed["labelled"].append(layer_importance.classified_by_layer(one, utterances, folds).assign(**who))


# %%
def by_layer(tables: list, metrics: list) -> pd.DataFrame:
    """Scores of each layer with intervals, as the figure takes them; random networks count together."""
    by_source = pd.concat(tables).groupby("source", sort=False)
    found = joined({source: bootstrap(table, metrics, unit) for source, table in by_source})
    target = found["metric"].str.removeprefix("CCC_").replace("UAR", "emotion")
    return found.assign(layer=found["model"].astype(int), target=target)


unit = usual_unit(probed["rated" if rated else "labelled"][0])
metrics = [f"CCC_{one}" for one in rated]
if rated:
    curves = by_layer(probed["rated"], metrics)
    mixed = layer_importance.rated_by_layer(states.mean(1, keepdims=True), utterances, targets, folds)
    mixed = dict(zip(rated, bootstrap(mixed, metrics, unit)["value"], strict=True))
    print(f"Shaded: 95 % intervals, drawing {curves['units'].iloc[0]} {unit}s again and again.")
    notebook.keep(figures.layer_scores(curves, mixed=mixed), "05_layer_scores", pictures)
else:
    print("This corpus has no ratings of arousal, valence or dominance: see the classes below.")

# %% [markdown]
# The dotted line is a probe on the plain mean of all layers. Where it lies above every single layer, layers complement one another.
#
# ## 5 · And for emotion classes?
#
# The same probes, with a linear classifier for the emotions. UAR is the mean recall of the classes.
#
# **Your guess:** emotions mix arousal and valence. Which of their curves will this one resemble?

# %%
if labelled:
    of_classes = by_layer(probed["labelled"], ["UAR"])
    chance = 1 / utterances["emotion"].cat.categories.size
    notebook.keep(figures.layer_scores(of_classes, "UAR", chance=chance), "05_layer_classes", pictures)

# %% [markdown]
# "Best layer" was picked on the very utterances that it is scored on, so its number flatters a little. For real speech, give this
# notebook a corpus: `sernb run 5 --corpus ravdess --root FOLDER` or `--corpus emodb`. What the kit found there stands in
# [docs/results](../docs/results/audio_textual.md).
#
# Do the learned weights agree with the probes? They ask different things: a probe what a layer tells *alone*, a weight what it
# *adds* to the others. And a rank correlation of so few layers has to be high before it is more than chance.

# %%
alone = pd.concat(([curves] if rated else []) + ([of_classes] if labelled else []))
alone = alone[alone["features"] == "trained"].pivot(index="target", columns="layer", values="value")
mean = joined(weights).groupby(["features", "target", "layer"], sort=False)["weight"].mean().unstack()
rank = mean.apply(lambda row: spearmanr(row, alone.loc[row.name[1]]).statistic, axis=1).unstack(0)
rank.loc[list(by_name), list(weights)].round(2).rename_axis("rank correlation of weights and probes")

# %% [markdown]
# Near 1, weights would be a fair picture of worth. Where the numbers are small, or negative, a high weight is no sign that a
# layer tells much.

# %% [markdown]
# ## 6 · The paper's claims, held against this run
#
# Fixed before the run. In all cards a positive number is on the paper's side.
#
# - **Weights**: the mean weight of the layers up to a third of the depth (the paper's 4 of 12) against that of the deeper ones;
#   for valence without layer 0, as the paper speaks of blocks. Layers as they are, as in the paper; 95 % t interval over heads. With
#   enough heads any difference would "hold": read its size too.
# - **Probes**: a layer at a sixth of the depth against one at three quarters (the paper's valence peaks at 9 and 10 of 12).
# - A claim *holds* where the interval lies above zero, and lies above zero too after the untrained network's number was taken off.

# %%
paper = "de Oliveira et al. 2023"
third, shallow, deep = round(depth / 3), max(1, int(depth / 6 + 0.5)), int(3 * depth / 4 + 0.5)
lacking = "It takes ratings, and an encoder of some layers."


def early_less_late(table: pd.DataFrame, target: str, first: int) -> pd.Series:
    """Mean weight of the layers from `first` to a third of the depth less that of the others, in points, by seed."""
    wide = 100 * table[table["target"] == target].pivot(index="seed", columns="layer", values="weight")
    return wide.loc[:, first:third].mean(axis=1) - wide.loc[:, third + 1 :].mean(axis=1)


def in_points(each: pd.Series) -> str:
    return notebook.interval(notebook.t_interval(each), "+.1f")


# %%
for target, sign, first, words, number in (
    ("arousal", 1, 0, "Shallow layers are more important for arousal", "high up to layer 4"),
    ("valence", -1, 1, "Deeper layers are more important for valence", "peak at 9 and 10 of 12"),
):
    if target not in rated or depth < 2:
        notebook.claim_of(paper, words, number, None, lacking)
        continue
    each = {word: sign * early_less_late(one, target, first) for word, one in (weights | pair).items()}
    less = each["trained"] - each["random weights"] if untrained else each["trained"]
    others = [f"{word}: {in_points(each[word])}" for word in weights if word != "as they are"]
    why = f"Weights, in points, {len(seeds)} heads. " + "; ".join(others)
    if untrained:
        why += f"; the same less an untrained network's (layers normalised): {in_points(less)}."
    found, beyond = notebook.t_interval(each["as they are"]), notebook.t_interval(less)
    notebook.claim_of(paper, words, number, found, why, also=[beyond[1]])


# %%
def beside(targets: list, layers: tuple, sources: tuple = ("trained",)) -> pd.Series:
    """CCC of the first layer less that of the second; less the same of a second target, of a second source."""
    table = pd.concat(probed["rated"])
    table = table.assign(model=table["source"] + " " + table["model"])
    terms = [
        (f"{source} {layer}", f"CCC_{target}") for source in sources for target in targets for layer in layers
    ]
    signs = [a * b * c for a in (1, -1)[: len(sources)] for b in (1, -1)[: len(targets)] for c in (1, -1)]
    return contrast(table, terms, lambda *found: sum(a * b for a, b in zip(signs, found, strict=True)), unit)


# %%
for asked, layers, words in (
    (["arousal"], (shallow, deep), "Shallow layers are more important for arousal"),
    (["valence"], (deep, shallow), "Deeper layers are more important for valence"),
    (["arousal", "valence"], (shallow, deep), "Arousal wants shallower layers than valence does"),
):
    if set(asked) - set(rated) or shallow == deep:
        notebook.claim_of(paper, words, "Figure 2", None, lacking)
        continue
    here = beside(asked, layers)
    beyond = beside(asked, layers, ("trained", "random weights")) if untrained else here
    why = f"Linear probes (the paper used weights): CCC of {asked[0]} at layer {layers[0]} less that at layer {layers[1]}"
    why += ", less the same for valence" * (len(asked) > 1) + f"; p = {here['p']:.3f}, by {unit}."
    why += f" The same less untrained networks': {notebook.interval(beyond)}." if untrained else ""
    notebook.claim_of(paper, words, "Figure 2", here, why, also=[beyond["low"]])

# %%
if {"arousal", "valence"} <= set(rated) and shallow != deep:
    notebook.headline(f"arousal less valence, layer {shallow} − layer {deep}, CCC", here)
else:
    fixed = of_classes if labelled else curves
    fixed = fixed[(fixed["features"] == "trained") & (fixed["layer"] == deep)].iloc[0]
    notebook.headline(f"probe on layer {deep}, {fixed['metric']}", fixed)

# %% [markdown]
# ## What carries over, and what does not
#
# - **The method** carries over whole: change `speech_encoder` to `facebook/hubert-base-ls960`, and the same cells draw
#   a figure like the paper's for your corpus (their recipe for it is not published), with seeds, intervals and probes.
# - **The lesson about scale** carries over: look at the size of the layers before you read a weight.
# - **The order of layers does not carry over.** Our mini-HuBERT is small and learnt from synthetic English alone; we tested
#   what it knows of phones, voice and pitch ([its card](../sernb/features/weights/mini_hubert/README.md)), never of words. Nothing
#   here says where HuBERT base, with 960 hours of books read aloud behind it, keeps valence.
# - **A home advantage.** It learnt from the very synthesiser that speaks the embedded corpus, and from voices moved by
#   the same rules. HuBERT had no such lesson.
# - On the embedded corpus valence lives mostly in the *words*, by construction, and a little in the voice. An encoder that has
#   not learnt words finds only that little.

# %% [markdown]
# ## Recap
#
# - A frozen encoder has as many versions of an utterance as it has layers; a softmax over layers lets a head mix them.
# - Learned weights depend on the scale of a layer, on the learning rate and on luck: several heads, and a second measure.
# - A linear probe a layer, with an interval, beside random weights, says what stands where, and what was learnt.

# %%
if save:
    for kind in ("rated", "labelled"):
        if probed[kind]:
            table = pd.concat(probed[kind])
            table["model"] = table["source"] + ", layer " + table["model"]
            write_predictions(table.drop(columns=["source"]), Path(save) / f"{kind}.csv")
    joined(weights).to_csv(Path(save) / "weights.csv", index=False)
    print(f"saved to {save}")

# %% [markdown]
# ## Exercises
#
# **1.** A head sees two layers. Layer A is (10, 0) and layer B is (0, 1), with weights 0.2 and 0.8. What is the weighted sum, and
# which layer makes up the larger part of it ("A" or "B")?

# %% tags=["exercise"]
mixed, larger = ..., ...
notebook.check(lambda: np.allclose(mixed, [2.0, 0.8]) and larger == "A",
               "Right: the layer with a quarter of the other's weight is still the louder one.",
               "Multiply each layer by its weight and add; then see which number came from which layer.")  # fmt: skip

# %% [markdown]
# **2.** HuBERT base has 12 transformer layers and a front end. What is each layer's weight before training (three digits after
# the point)?

# %% tags=["exercise"]
start = ...
notebook.check(lambda: np.isclose(start, 0.077, atol=6e-4),
               "Right: a softmax over 13 zeros is 1/13 each, so the first mixture is the plain mean.",
               "Count the front end as layer 0; softmax of equal numbers gives equal shares.")  # fmt: skip

# %% [markdown]
# **3.** All numbers of layer 3 are multiplied by 10. Which of these can come out otherwise: "weights as they are", "weights, layers
# normalised", "probe on layer 3"? Answer with a set, such as {"probe on layer 3"}.

# %% tags=["exercise"]
changed = ...
notebook.check(lambda: set(changed) == {"weights as they are"},
               "Right: whatever standardises its input first cannot see the factor.",
               "Ask of each what it does to a layer's numbers before it uses them.")  # fmt: skip

# %% [markdown]
# ## References
#
# - D. de Oliveira, N. Raj Prabhu, T. Gerkmann. Leveraging semantic information for efficient self-supervised emotion
#   recognition with audio-textual distilled models. Interspeech 2023.
# - W.-N. Hsu et al. HuBERT: self-supervised speech representation learning by masked prediction of hidden units. 2021.
# - S. Yang et al. SUPERB: speech processing universal performance benchmark. Interspeech 2021. Weights over layers.
# - A. Pasad, J.-C. Chou, K. Livescu. Layer-wise analysis of a self-supervised speech representation model. ASRU 2021.
# - L. I.-K. Lin. A concordance correlation coefficient to evaluate reproducibility. Biometrics 1989.
