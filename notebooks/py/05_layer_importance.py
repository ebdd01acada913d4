# %% [markdown]
# # 05 · Which layers matter? A look inside a speech encoder
#
# **The paper.** D. de Oliveira, N. Raj Prabhu, T. Gerkmann, *Leveraging Semantic Information for Efficient
# Self-Supervised Emotion Recognition with Audio-Textual Distilled Models*, Interspeech 2023, section 4.2 and Figure 2.
#
# HuBERT learnt from speech that nobody had labelled: some of the sound is hidden, and it guesses what was there. To do that
# well it has to know sounds, voices, perhaps words. But where is what? The paper freezes HuBERT and lets a small head choose
# among its layers: the early ones for arousal, the late ones for valence.
#
# **You will be able to** take an encoder apart layer by layer, learn weights over layers as the paper does, see what those
# weights depend on beside the worth of a layer, and check them with a second, sounder measure.
#
# **Time.** A minute or two on a laptop with two cores. With HuBERT itself: `sernb run 5 --profile full`.

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
seeds: list[int] = [0, 1, 2, 3, 4]  # the head over all layers is trained once for each
speech_encoder: str = "mini-hubert"  # mini-hubert, mini-distilhubert, a folder, or a hub name
layers: int = 0  # keep the first so many layers of the encoder; 0: all
pooling: str = "average"  # over time: average, or "average and maximum" as in the paper (much slower)
epochs: int = 60  # the most that a head over all layers is trained
batch_size: int = 64  # utterances a step of that; the paper: 16
weights_rate: float = 0.05  # learning rate of the weights over layers, the head's is 0.001 (not in the paper)
random_weights: bool = True  # probe an untrained encoder of the same shape too
utterance: str = ""  # the utterance to look at; empty: the first of the corpus
save: str = ""  # folder for the predictions; empty: not saved
pictures: str = ""  # folder for the main pictures as PNG files; empty: not saved

# %% tags=["stage:imports"]
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from IPython.display import display
from scipy.stats import spearmanr, ttest_1samp

# %% tags=["stage:imports"]
from sernb import audio, corpora, encoders, figures, layer_importance, notebook, protocols, speech
from sernb.errors import SernbError
from sernb.evaluation import bootstrap, paired_bootstrap, usual_unit
from sernb.ratings import targets_of
from sernb.tables import DIMENSIONS, write_predictions

# %%
device = notebook.start(corpus, speech_encoder, seeds[0])
if pooling not in ("average", "average and maximum"):
    raise SernbError(f'pooling is {pooling!r}; choose "average" or "average and maximum"')

# %% [markdown]
# ## 1 · The recordings, and a frozen encoder
#
# We need sound and something to predict: ratings of arousal, valence and dominance, or emotion labels, or both.

# %% tags=["stage:features"]
wanted = [one.strip() for one in emotions.split(",") if one.strip()] or None
options = {"labels": labels} if labels else {}
utterances = corpora.load(corpus, root or None, emotions=wanted, on_bad=on_bad, **options)
if per_speaker:
    known = [one for one in ("speaker", "emotion") if one in utterances]
    utterances = utterances.groupby(known, observed=True, dropna=False).head(per_speaker)
utterances, waveforms = audio.read_utterances(utterances, on_bad=on_bad)
rated = [one for one in DIMENSIONS if one in utterances and utterances[one].notna().sum() > 1]
labelled = "emotion" in utterances
if not rated and not labelled:
    raise SernbError("this notebook needs ratings or emotions; the corpus has neither")
folds = protocols.by_name(protocol, utterances)[: folds_used or None]
folds = protocols.with_validation(folds, utterances, seed=seeds[0])
targets = targets_of(utterances, rated, scale or None) if rated else None
print(f"{len(utterances)} utterances; rated: {', '.join(rated) or 'nothing'}; {len(folds)} folds")

# %% [markdown]
# The encoder is frozen: nothing below trains it. A recording of 3 seconds becomes about 150 frames of 20 ms, and each layer
# has its own version of every frame. **Layer 0** is what the first transformer layer is given: the output of the
# convolutional front end, with positions added. The kit's mini-HuBERT has 6 transformer layers, HuBERT base has 12.

# %% tags=["stage:features"]
encoder, normalise = encoders.speech_encoder(speech_encoder, layers or None)
encoder = encoder.to(device)
states = speech.layer_states(waveforms, utterances.index, encoder, normalise)
count = states.shape[1]
print(f"{count - 1} layers of width {states.shape[2]}; states averaged over time: {states.shape}")

# %% [markdown]
# Let us look at one utterance. Each panel compares every moment with every other: bright where the layer finds two
# moments alike. Listen, then look for the pauses, for sounds that come back, and for what becomes of them in deeper layers.
#
# **Your guess:** in which layer do single sounds stand out best?

# %%
name = utterance or utterances.index[0]
if name not in utterances.index:
    raise SernbError(f"utterance is {name!r}, which is not among the {len(utterances)} of this corpus")
place = utterances.index.get_loc(name)
wave = waveforms[place][: 6 * 16000]
said = str(utterances["text"].loc[name]) if "text" in utterances else ""
notebook.listen(wave, caption=f"{name}: {said[:90]}")
frame_states = speech.frame_states([wave], [name], encoder, normalise, progress=False)[0]
notebook.keep(figures.frame_similarity(frame_states, waveform=wave), "05_frames", pictures)

# %% [markdown]
# ## 2 · Figure 2: let a head choose its layers
#
# $$x = \sum_{l=0}^{N} w_l\, x_l, \qquad w = \mathrm{softmax}(v)$$
#
# The weights start equal ($v = 0$), so that the first $x$ is the plain mean of all layers. Then $v$ and a small regression head
# learn together, for one dimension at a time, to make the concordance high; the weights of the best epoch on the development
# part are kept. One head is one draw of luck, so we train several.
#
# **Your guess:** which dimension will want the deeper layers?

# %% tags=["stage:training"]
first = folds[0]
train_rows, tried_rows = (utterances.index.get_indexer(one) for one in (first.train, first.validation))
over_time = states
if pooling != "average":
    over_time = speech.frame_states(waveforms, utterances.index, encoder, normalise)
by_name = {one: targets.values[:, column] for column, one in enumerate(rated)}
if not rated:
    by_name = {"emotion": utterances["emotion"].cat.codes.to_numpy(np.int64)}
weights, how = {}, {"epochs": epochs, "batch_size": batch_size, "weights_rate": weights_rate}
for way, word in (("none", "as they are"), ("layer", "each layer normalised")):
    weights[word] = layer_importance.weights_table(
        over_time, by_name, train_rows, tried_rows, seeds, way, **how
    )
notebook.keep(figures.layer_weights(weights["as they are"]), "05_layer_weights", pictures)

# %%
heads = weights["as they are"].drop_duplicates(["target", "seed"]).groupby("target", sort=False)["score"]
print("The heads' score on the development part (CCC, or UAR for classes):")
heads.agg(["mean", "min", "max"]).round(3)

# %% [markdown]
# ## 3 · What a weight depends on
#
# A weight multiplies numbers, and layers come in different sizes. A layer whose numbers are large is heard with a small weight;
# one whose numbers are small needs a large one. So a weight alone says little about worth. How large are these layers?

# %%
length = np.linalg.norm(states, axis=2).mean(0)
spread = states.std(0).mean(1)
table = pd.DataFrame({"mean length of a layer's vector": length, "spread between utterances": spread})
table.rename_axis("layer").round(3)

# %% [markdown]
# The remedy: give each layer mean 0 and variance 1 over its features before it is weighted (layer normalisation, without weights
# of its own). Same heads, same seeds, same rows:

# %%
both = pd.concat([one.assign(features=word) for word, one in weights.items()])
notebook.keep(figures.layer_weights(both), "05_layer_weights_normalised", pictures)

# %% [markdown]
# One more doubt. Does a hill in such a figure mean that *training* put something there? Ask a network that was never
# trained: the same shape, random weights, each layer normalised.
#
# **Your guess:** flat?

# %% tags=["stage:training"]
sources = {"trained": states}
if random_weights:
    torch.manual_seed(seeds[0])
    untrained = type(encoder)(encoder.config).to(device)
    sources["random weights"] = speech.layer_states(waveforms, utterances.index, untrained, normalise)
    untaught = sources["random weights"]
    control = layer_importance.weights_table(untaught, by_name, train_rows, tried_rows, seeds, "layer", **how)
    pair = {"trained": weights["each layer normalised"], "random weights": control}
    if pooling == "average":
        pair = pd.concat([one.assign(features=word) for word, one in pair.items()])
        notebook.keep(figures.layer_weights(pair), "05_layer_weights_control", pictures)

# %% [markdown]
# Where the untrained network has hills too, a hill is no proof of learning, and no proof of worth: heads settle on some layer
# because layers that say the same need not share the weight. So we want another measure.

# %% [markdown]
# ## 4 · A sounder measure: one probe a layer
#
# Instead of asking a head how it mixes, ask each layer by itself: how well does a *linear* model read the dimension from
# this layer alone, on speakers it has never heard? The features are scaled first, so the size of a layer plays no part.
# Beside it, the same network with random weights: what it reaches needed no learning.
#
# **Your guess:** how much does an untrained network reach?

# %% tags=["stage:training"]
probed = {}
for source, one in sources.items():
    parts = []
    if rated:
        parts.append(layer_importance.rated_by_layer(one, utterances, targets, folds))
    if labelled:
        parts.append(layer_importance.classified_by_layer(one, utterances, folds))
    probed[source] = parts


# %%
def by_layer(table: pd.DataFrame, metrics: list, source: str) -> pd.DataFrame:
    """Scores of each layer with intervals, as the figure takes them."""
    found = bootstrap(table, metrics, unit=usual_unit(table))
    target = found["metric"].str.removeprefix("CCC_")
    return found.assign(layer=found["model"].astype(int), target=target, features=source)


metrics = [f"CCC_{one}" for one in rated]
if rated:
    curves = pd.concat([by_layer(parts[0], metrics, source) for source, parts in probed.items()])
    print(f"intervals by {usual_unit(probed['trained'][0])}")
    notebook.keep(figures.layer_scores(curves), "05_layer_scores", pictures)
else:
    print("This corpus has no ratings of arousal, valence or dominance: see the classes below.")

# %% [markdown]
# Do the learned weights agree with the probes? If weights measured worth, a layer with a higher weight would have the better
# probe: a rank correlation near 1.

# %%
if rated:
    rows = {}
    for word, one in weights.items():
        mean = one.groupby(["target", "layer"])["weight"].mean()
        for target in rated:
            alone = curves[(curves["features"] == "trained") & (curves["target"] == target)].set_index(
                "layer"
            )["value"]
            rows[target, word] = spearmanr(mean[target], alone.sort_index()).statistic
    display(
        pd.Series(rows).unstack()[list(weights)].round(2).rename_axis("rank correlation, weights and probes")
    )

# %% [markdown]
# ## 5 · And for emotion classes?
#
# The same probes, with a linear classifier for the emotions. UAR is the mean recall of the classes.

# %%
if labelled:
    classes = list(utterances["emotion"].cat.categories)
    of_classes = pd.concat(
        [by_layer(parts[-1], ["UAR"], source).assign(target="emotion") for source, parts in probed.items()]
    )
    notebook.keep(
        figures.layer_scores(of_classes, "UAR", chance=1 / len(classes)), "05_layer_classes", pictures
    )
    top = of_classes[of_classes["features"] == "trained"].sort_values("value").iloc[-1]
    notebook.headline(f"best single layer ({top['layer']}), UAR", top["value"], top["low"], top["high"])

# %% [markdown]
# "Best layer" was picked on the very utterances that it is scored on, so its number flatters a little. For real speech, give this
# notebook a corpus: `sernb run 5 --corpus ravdess --root FOLDER` or `--corpus emodb`. The kit's results with both stand
# in [docs/results.md](../docs/results.md).

# %% [markdown]
# ## 6 · The paper's claims, held against this run
#
# Fixed before the run: *early* are the layers up to a third of the depth (up to 4 of 12, as the paper says), *late* the
# others. A claim about weights holds where the 95 % interval over seeds lies on the paper's side of zero. The probes are compared
# at layers chosen beforehand: a third of the depth against the last for arousal, three quarters against a sixth for valence
# (the paper sees valence peak at 9 and 10 of 12).

# %%
paper, depth = "de Oliveira et al. 2023", count - 1


def early_minus_late(table: pd.DataFrame, target: str) -> tuple:
    """Mean weight of early layers less that of late ones: mean over seeds, and its 95 % t interval."""
    wide = table[table["target"] == target].pivot(index="seed", columns="layer", values="weight")
    early = [one for one in wide if one <= round(depth / 3)]
    each = wide[early].mean(axis=1) - wide.drop(columns=early).mean(axis=1)
    low, high = ttest_1samp(each, 0).confidence_interval(0.95) if len(each) > 1 else (np.nan, np.nan)
    return each.mean(), float(low), float(high)


def verdict_of(low: float, high: float, sign: int) -> str:
    if np.isnan(low):
        return "cannot be tested on this corpus"
    return "holds" if (low > 0 if sign > 0 else high < 0) else "not seen here"


# %%
for target, sign, words in (
    ("arousal", 1, "Early layers have higher weights than deeper ones for arousal"),
    ("valence", -1, "Deeper layers have higher weights for valence"),
):
    if target not in rated:
        continue
    for word, one in weights.items():
        value, low, high = early_minus_late(one, target)
        why = f"Layers {word}: mean weight of layers 0 to {round(depth / 3)} less that of the others; {len(seeds)} seeds."
        notebook.claim(paper, words, "Figure 2", value, low, high, verdict_of(low, high, sign), why)

# %%
third, last, quarters, sixth = round(depth / 3), depth, round(3 * depth / 4), round(depth / 6)
for target, a, b, words in (
    ("arousal", third, last, "What tells arousal stands in the early layers"),
    ("valence", quarters, sixth, "What tells valence stands in the deeper layers"),
):
    if target not in rated or a == b:
        continue
    table = probed["trained"][0]
    pair = paired_bootstrap(table, str(a), str(b), metric=f"CCC_{target}", unit=usual_unit(table))
    why = f"CCC of the probe on layer {a} less that on layer {b} of {depth}; p = {pair['p']:.3f}, by {pair['unit']}."
    verdict = verdict_of(pair["low"], pair["high"], 1)
    notebook.claim(
        paper, f"{words} (by probes)", "Figure 2", pair["difference"], pair["low"], pair["high"], verdict, why
    )
    notebook.headline(f"{target}, layer {a} − layer {b}, CCC", pair["difference"], pair["low"], pair["high"])

# %% [markdown]
# ## What carries over, and what does not
#
# - **The method** carries over whole: change `speech_encoder` to `facebook/hubert-base-ls960`, and the same cells draw
#   the paper's Figure 2 for your corpus, with seeds, intervals and probes.
# - **The lesson about scale** carries over: look at the size of the layers before you read a weight.
# - **The order of layers does not.** A mini-HuBERT of a few layers, trained for minutes on synthetic English, hardly knows
#   words. Nothing here says where HuBERT base, with 960 hours of books read aloud behind it, keeps valence.
# - On the embedded corpus valence lives mostly in the *words*, by construction, and a little in the voice. So an encoder that
#   hears only sounds can find but that little.

# %% [markdown]
# ## Recap
#
# - A frozen encoder has as many versions of an utterance as it has layers; a softmax over layers lets a head mix them.
# - Learned weights depend on the scale of a layer, on the learning rate and on luck: several seeds, and a second measure.
# - A linear probe a layer, with an interval, beside random weights, says what stands where, and what was learnt.

# %%
if save:
    Path(save).mkdir(parents=True, exist_ok=True)
    kinds = (["dimensions"] if rated else []) + (["emotions"] if labelled else [])
    for kind, table in zip(kinds, probed["trained"], strict=True):
        write_predictions(table, Path(save) / f"{kind}.csv")
    pd.concat([one.assign(features=word) for word, one in weights.items()]).to_csv(
        Path(save) / "weights.csv", index=False
    )
    print(f"saved to {save}")

# %% [markdown]
# ## Exercises
#
# **1.** A head sees two layers. Layer A is (10, 0) and layer B is (0, 1), with weights 0.2 and 0.8. What is the weighted sum, and
# which layer makes up the larger part of it ("A" or "B")?

# %% tags=["exercise"]
mixed, larger = ..., ...
notebook.check(
    lambda: np.allclose(mixed, [2.0, 0.8]) and larger == "A",
    "Right: the layer with a quarter of the other's weight is still the louder one.",
    "Multiply each layer by its weight and add; then compare 2.0 with 0.8.",
)

# %% [markdown]
# **2.** HuBERT base has 12 transformer layers and a front end. What is each layer's weight before training (three digits after
# the point)?

# %% tags=["exercise"]
start = ...
notebook.check(
    lambda: np.isclose(start, 0.077, atol=6e-4),
    "Right: a softmax over 13 zeros is 1/13 each, so the first mixture is the plain mean.",
    "Count the front end as layer 0; softmax of equal numbers gives equal shares.",
)

# %% [markdown]
# **3.** Truth is (1, 2, 3) and a model says (2, 3, 4). Pearson's correlation is 1. What is the CCC (three digits)?

# %% tags=["exercise"]
ccc = ...
notebook.check(
    lambda: np.isclose(ccc, 4 / 7, atol=6e-4),
    "Right: CCC also asks for the right level, and these predictions are all one too high.",
    "2 · cov / (var + var + (difference of means)²), with 2/3 for covariance and both variances.",
)

# %% [markdown]
# ## References
#
# - D. de Oliveira, N. Raj Prabhu, T. Gerkmann. Leveraging semantic information for efficient self-supervised emotion
#   recognition with audio-textual distilled models. Interspeech 2023.
# - W.-N. Hsu et al. HuBERT: self-supervised speech representation learning by masked prediction of hidden units. 2021.
# - S. Yang et al. SUPERB: speech processing universal performance benchmark. Interspeech 2021. Weights over layers.
# - A. Pasad, J.-C. Chou, K. Livescu. Layer-wise analysis of a self-supervised speech representation model. ASRU 2021.
# - L. I.-K. Lin. A concordance correlation coefficient to evaluate reproducibility. Biometrics 1989.
