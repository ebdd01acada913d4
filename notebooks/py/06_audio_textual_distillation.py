# %% [markdown]
# # 06 · Small models that hear and read
#
# **The paper.** D. de Oliveira, N. Raj Prabhu, T. Gerkmann, *Leveraging Semantic Information for Efficient
# Self-Supervised Emotion Recognition with Audio-Textual Distilled Models*, Interspeech 2023.
#
# A distilled speech encoder is small and fast, and as good as its teacher at hearing how *excited* a voice is. Whether the
# speaker feels *well or badly* it hears less well: a cheerful and an angry shout sound alike until one knows the words. So the
# paper gives it the words, read by a small text encoder, and asks: is that enough? And do the words still help when a machine
# wrote them down?
#
# **You will be able to** train regressors for arousal, valence and dominance on speech alone and on speech with words, compare
# them with intervals, fine-tune or freeze, find out how bad a transcript may be, and change a word and watch the prediction move.
#
# **Time.** Five to ten minutes on a laptop with two cores, for one fold (`folds_used=0` takes all). With the paper's encoders: `sernb run 6 --profile full`, on a GPU.

# %% tags=["parameters"]
corpus: str = "embedded"  # name of a corpus with ratings (`sernb corpora` lists them)
root: str = ""  # folder of the corpus; empty: where sernb looks for it
on_bad: str = "raise"  # unreadable recordings: raise an error, or skip them
labels: dict = {}  # own label words of a manifest, such as {"cheerful": "happy"}
per_speaker: int = 0  # keep so many utterances of each speaker's emotions, for a quick look; 0: all
scale: list[float] = []  # lowest and highest possible rating; empty: what the corpus says
protocol: str = "auto"  # who is tested: auto (the corpus's usual one), loso, group-k-fold …
folds_used: int = 1  # run only the first so many folds; 0: all
seeds: list[int] = [0]  # each system is trained once for each
speech_encoders: list[str] = ["mini-hubert:3", "mini-hubert", "mini-distilhubert"]  # large, base, distilled
text_encoder: str = "mini-tinybert"  # mini-tinybert, mini-bert, a folder, or a hub name
recipe: str = "laptop"  # laptop; paper: Adam at 1e-5 until the development CCC stops rising
epochs: int = 0  # the most epochs of fine-tuning; 0: the recipe's
dropout: float = 0.0  # within the speech encoder (paper: 0.1, slow on a CPU); text and head have 0.1
asr: str = "shipped"  # transcripts by machine: shipped (embedded), pocketsphinx, a Whisper; empty: none
error_rates: list[float] = [0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0]  # of corrupted transcripts
utterance: str = ""  # the utterance of the transcript editor; empty: a short one whose words matter
jobs: int = 0  # trainings side by side, each on its share of the cores; 0: up to four, one on a GPU
cache: str = ""  # folder for what front ends and recognisers made of the recordings; empty: kept in memory
save: str = ""  # folder for the predictions; empty: not saved
pictures: str = ""  # folder for the main pictures as PNG files; empty: not saved

# %% tags=["stage:imports"]
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from IPython.display import display

from sernb import figures, notebook, protocols
from sernb.core import ratings
from sernb.core.errors import SernbError
from sernb.core.tables import write_predictions
from sernb.evaluation import bootstrap, concordance, contrast, paired_bootstrap, usual_unit
from sernb.evaluation.words import bare_words, corrupted, error_counts, word_error_rate
from sernb.features import audio, encoders, transcripts
from sernb.studies import audio_text, recipes, regression, saved, sizes
from sernb.studies.audio_text import BOTH, FROZEN, SPEECH, WORDS

device = notebook.start(corpus, f"{', '.join(speech_encoders)} + {text_encoder}", seeds[0])
chosen = recipes.chosen(recipe, regression.RECIPES, epochs)

# %% [markdown]
# ## 1 · Ratings, not classes
#
# Each utterance has three numbers, the mean of what several people said: **arousal** (calm to excited), **valence** (unpleasant to
# pleasant) and **dominance** (weak to strong). We train on them between 0 and 1 and report on the corpus's own scale.

# %% tags=["stage:features"]
utterances, _ = notebook.load(corpus, root, needs=("path", "text"), labels=labels, per_speaker=per_speaker,
                              on_bad=on_bad, waveforms=False)  # fmt: skip
targets = ratings.targets_of(utterances, scale=scale or None)
rated = list(targets.dimensions)
whole = utterances["text"].notna() & utterances[rated].notna().any(axis=1)
if not whole.all():
    print(f"left out: {(~whole).sum()} of {len(whole)} utterances without a transcript or without a rating")
utterances, waveforms = audio.read_utterances(utterances[whole], on_bad=on_bad)
targets = ratings.targets_of(utterances, rated, targets.scale)
notebook.listen(waveforms[0], caption=f"{utterances.index[0]}: {dict(utterances[rated].iloc[0].round(2))}")

# %% tags=["stage:features"]
folds = protocols.by_name(protocol, utterances)[: folds_used or None]
folds = protocols.with_validation(folds, utterances, seed=seeds[0])
print(f"scale {targets.scale[0]:g} to {targets.scale[1]:g}, {len(folds)} fold{'s' * (len(folds) > 1)}")
if len(set(speech_encoders)) < 3 or len(set(speech_encoders)) < len(speech_encoders):
    raise SernbError(f"speech_encoders is {speech_encoders}; give three different ones: a large, a base and a "
                     "distilled encoder (of more, the first, the middle one and the last)")  # fmt: skip

# %% [markdown]
# Here are two excited voices. **Which one is pleased?** Decide before you read the words, which stand below the plane.

# %%
shown = "valence" if "valence" in rated else rated[0]
pair = []
if {"arousal", "valence"} <= set(rated):
    excited = utterances[utterances["arousal"] >= utterances["arousal"].quantile(0.75)]
    if "speaker" in excited and excited["speaker"].notna().any():  # one voice, if there is one that has both
        apart = excited.groupby("speaker", observed=True)["valence"].agg(lambda one: one.max() - one.min())
        excited = excited[excited["speaker"] == apart.idxmax()]
    pair = sorted({excited["valence"].idxmin(), excited["valence"].idxmax()})
for number, name in enumerate(pair, 1):
    notebook.listen(waveforms[utterances.index.get_loc(name)], caption=f"voice {number}")

# %% [markdown]
# In the plane of both dimensions excited voices lie at the top, and pleased ones at the right.

# %%
if pair:
    display(figures.affect_plane(utterances))
for number, name in enumerate(pair, 1):
    print(f"Voice {number}, valence {utterances['valence'].loc[name]:.2f}: “{utterances['text'].loc[name]}”")

# %% [markdown]
# Who is tested? On MSP-Podcast the paper has two test parts, podcasts *seen* in training and *unseen* ones, and so has this
# notebook there. Other corpora are tested on speakers that were never trained on, which is nearer to the paper's unseen part;
# so the cards below have both numbers of the paper.

# %%
protocols.describe(folds, utterances).drop(columns=["speakers"], errors="ignore")

# %% [markdown]
# ## 2 · The loss: concordance
#
# $$\mathrm{CCC} = \frac{2\rho\,\sigma_y\sigma_{\hat y}}{\sigma_{\hat y}^2 + \sigma_y^2 + (\mu_y - \mu_{\hat y})^2}$$
#
# (Eq. 3.) $y$ are the true values and $\hat y$ the predicted ones, $\mu$ their means, $\sigma$ their standard deviations (SD), and
# $\rho$ is Pearson's correlation, called $r$ below. Correlation asks whether predictions rise and fall with the truth. Concordance
# also asks for the right level and the right spread. Training makes 1 − CCC small, averaged over the three dimensions.
#
# **Your guess:** three guesses with the same correlation. Which is worst, the shifted one or the timid one? (The true values are
# this corpus's; the guesses are invented, with chance added to the truth.)

# %%
truth = utterances[rated[0]].dropna().to_numpy(float)
good = truth + np.random.default_rng(0).normal(0, 0.5 * truth.std(), len(truth))
mean, spread = truth.mean(), truth.std()
guesses = {"a good guess": good, "shifted by 1 SD": good + spread, "timid": mean + 0.3 * (good - mean)}
figures.concordance_panels(truth, guesses, targets.scale, rated[0])

# %%
agreement = {label: concordance(truth, guess) for label, guess in guesses.items()}
worst = min(agreement, key=agreement.get)
print(f"All three have r = {np.corrcoef(truth, good)[0, 1]:.2f}, and their CCCs are "
      + ", ".join(f"{value:.2f} ({label})" for label, value in agreement.items())
      + f". Worst is “{worst}”.")  # fmt: skip

# %% [markdown]
# A timid guess stays near the average and risks little. Squared error rewards such caution; CCC does not. In training the CCC is
# computed on one batch at a time (the recipe's `batch_size`, below), so each step sees a small, noisy sample of it.

# %% [markdown]
# ## 3 · Six systems, and one more
#
# ```text
# sound → front end (frozen) → speech encoder → (mean + max) / 2 ┐
#                                                                ├ side by side → linear → tanh → linear → A, V, D
# words ———————————————————————→ text encoder → (mean + max) / 2 ┘
# ```
#
# (Figure 1 of the paper; A, V, D: arousal, valence, dominance.) Mean and maximum are taken over time, without the padding. Three speech encoders, each *alone* and *with
# words*, make the paper's six systems. The seventh, *words alone*, is not in the paper: it tells how much of a rating can be read
# without any sound. The front end stays frozen; so it runs once, before the training.

# %% [markdown]
# By default our *large* is smaller than *base*: it is the mini-HuBERT cut to 3 of its 6 layers (`mini-hubert:3`), as the paper cuts
# its wav2vec 2.0 to 12 of 24. *Base* is the whole mini-HuBERT; *distilled* is the mini-DistilHuBERT that learnt from it. So what the paper
# says of its large model cannot be tested with these three. `speech_encoders` takes published ones.
#
# **Mind the head start.** Our text encoder learnt from 60,000 sentences of the grammar that also wrote the embedded corpus, and was
# taught which are good, plain or bad news (none of these transcripts among them; its depth was chosen on this corpus). The
# paper's TinyBERT had no such lesson. How much words help here is an upper limit, not a finding.


# %% tags=["stage:features"]
text, tokenizer = encoders.text_encoder(text_encoder)
text, reader = text.to(device), Path(text_encoder).name
studied = encoders.speech_encoders(speech_encoders, dropout, device)
large, base, distilled = (list(studied)[place] for place in (0, len(studied) // 2, -1))

# %%
configs = {label: network.config for label, (network, _) in studied.items()}
shapes = {
    label: config.to_diff_dict() | {"model_type": config.model_type} for label, config in configs.items()
}
here = sizes.regressors(shapes, text.config.to_diff_dict()) / 1e6
published = sizes.regressors() / 1e6
larger = here["audio"][large] > here["audio"][base]  # by default it is not
for name, table in {"the paper": published, "here": here}.items():
    less = 1 - table["audio + text"].iloc[-1] / table["audio + text"].iloc[0]
    print(f"{name}: distilled with words has {less:.0%} fewer parameters than {table.index[0]} with words")
counted = pd.concat({"the paper's": published, "here": here}, names=["", "encoder"])
counted[["audio", "audio + text"]].round(2).add_suffix(" (M)")

# %% [markdown]
# **FT** (fine-tuned): the encoders are trained together with the head. **FT→FRZ**: the speech encoder is fine-tuned alone first,
# then both encoders are frozen and only a new head learns to combine them. That is how they are trained:

# %%
trained = {f"FT here ({recipe})": chosen, "FT, the paper": regression.PAPER, "FT→FRZ, head": regression.HEAD}
settings = ["learning_rate", "encoder_rate", "batch_size", "epochs", "patience"]
table = pd.DataFrame({name: vars(one) for name, one in trained.items()}).loc[settings]
table.astype(object).fillna("the same")

# %% [markdown]
# *epochs* are the most there may be; training ends after *patience* epochs without a better CCC on the development part, and the best
# epoch is kept. (The paper says neither number; these are ours.) The laptop recipe takes much
# larger steps than the paper's, and so few epochs, because its encoders are small.
#
# **Your guess:** where will words help most, and which dimension will they hardly touch?

# %% tags=["stage:features"]
options = {"tokenizer": tokenizer, "cache": cache or None}
spoken = {
    label: regression.prepare(utterances, targets, waveforms, network, normalise, **options)
    for label, (network, normalise) in studied.items()
}
read_only = regression.prepare(utterances, targets, tokenizer=tokenizer)

# %% tags=["stage:training"]
found, histories, models, most = [], [], {}, min(4, len(folds) * len(seeds))
tasks = [(spoken[label], network, label, audio_text.SYSTEMS) for label, (network, _) in studied.items()]
with notebook.workers(jobs, device, most):
    for inputs, network, label, systems in [*tasks, (read_only, None, reader, (WORDS,))]:
        table, curve, made = audio_text.train_systems(
            utterances, inputs, folds, network, text, label, systems, chosen, seeds=seeds
        )
        found.append(table)
        histories.append(curve)
        models |= made
predictions, history = pd.concat(found), pd.concat(histories)
tested = predictions[predictions["part"] == "test"]

# %%
best = history.groupby(["model", "fold", "seed"], sort=False)["development_CCC"]
print("Epochs run, and the best CCC on the development part (mean over dimensions):")
best.agg(["size", "max"]).rename(columns={"size": "epochs", "max": "best CCC"}).unstack("fold").round(3)

# %% [markdown]
# ## 4 · Table 1, for this corpus
#
# CCC on the test part, with 95 % intervals. FT→FRZ has the next section for itself.

# %%
metrics = [f"CCC_{one}" for one in rated]
parts = {"seen": "fixed, test", "unseen": "fixed, test_unseen"}  # MSP-Podcast's two test parts
there = set(tested["fold"])
by_part = {name: tested[tested["fold"] == fold] for name, fold in parts.items() if fold in there}
by_part = by_part or {"unseen speakers": tested}
first_part, main = next(iter(by_part.items()))  # the sections below look at this one: of two, the seen part
unit = usual_unit(main)
intervals = {name: bootstrap(table, metrics, usual_unit(table)) for name, table in by_part.items()}
intervals = pd.concat(intervals, names=["part", None]).reset_index("part")

# %%
called = {SPEECH: "speech alone", BOTH: "speech and words", WORDS: "words alone"}
kinds = pd.CategoricalDtype([*called.values()])  # one colour each, in all pictures
drawn = intervals.copy()
drawn[["encoder", "way"]] = drawn["model"].str.rsplit(", ", n=1).tolist()
drawn = drawn[drawn["way"].isin(list(called))]
part = ", " + drawn["part"] if len(by_part) > 1 else ""
drawn = drawn.assign(system=drawn["way"].map(called).astype(kinds), model=drawn["encoder"] + part)
notebook.keep(figures.dimension_comparison(drawn, "system"), "06_systems", pictures)

# %%
together = f"The test parts of {len(folds)} folds are pooled. " if len(folds) > 1 else ""
other = "still other seeds" if len(seeds) > 1 else "another seed (seeds=[0, 1, 2] tries three)"
print(f"{together}Each system was trained once a fold with each of the seeds {', '.join(map(str, seeds))}. An "
      f"interval tells how its number would move with other {unit}s, not with {other}.")  # fmt: skip

# %% [markdown]
# **What to look at.** The middle column first, valence: how far is *speech and words* from *speech alone*, and how far from *words
# alone*? Then ask whether any arousal interval leaves the others. An overlap of two intervals decides nothing, though: a difference
# has an interval of its own, in the next section.
#
# Beside the paper's Table 1 (A, V, D as above):

# %%
printed = audio_text.of_systems()
roles = dict(zip((large, base, distilled), published.index, strict=True))
ours = intervals[intervals["part"] == first_part].pivot(index="model", columns="metric", values="value")
rows = {
    (called[system], role): ours.loc[f"{label}, {system}", metrics].set_axis(rated)
    for system in (SPEECH, BOTH)
    for role, label in zip(("large", "base", "distilled"), roles, strict=True)
}
beside = {f"here, {first_part}": pd.DataFrame(rows).T}
beside |= {f"the paper, {part}": printed[part][rated].set_axis(list(rows)) for part in audio_text.PARTS}
beside = pd.concat(beside, axis=1).rename(columns={one: one[0].upper() for one in rated}, level=1)
beside.style.format(lambda value: f"{value:.3f}".replace("-", "−"))

# %% [markdown]
# Compare rows and directions, not sizes: another corpus, other encoders, other ratings.

# %% [markdown]
# ## 5 · Figure 3: what words add to valence, and whether to freeze
#
# The bars show how much higher the CCC of valence is than with speech alone, as a share of it; each interval draws the same
# utterances (or speakers) for both systems. The white marks are the paper's. FT and FT→FRZ differ in more than freezing: look up
# their epochs and learning rates in the table of section 3.

# %%
settings = {"FT": BOTH, "FT→FRZ": FROZEN}
rows = [
    paired_bootstrap(table, f"{label}, {system}", f"{label}, {SPEECH}", f"CCC_{shown}", usual_unit(table), relative=True)
    .rename({"difference": "value"}).to_dict() | {"part": part, "encoder": label, "setting": setting}
    for part, table in by_part.items() for label in studied for setting, system in settings.items()
]  # fmt: skip
theirs = audio_text.relative_gains(shown)
theirs = theirs.assign(encoder=theirs["encoder"].map({original: label for label, original in roles.items()}))
theirs = theirs.assign(setting="FT", name="the paper's FT, " + theirs["part"])
theirs = theirs if len(by_part) > 1 else theirs.drop(columns="part")
picture = figures.relative_gain(pd.DataFrame(rows), published=theirs, dimension=shown)
notebook.keep(picture, "06_relative_gain", pictures)


# %%
def compared(a: str, b: str, dimension: str, table: pd.DataFrame = main) -> pd.Series:
    """CCC of model a less that of model b on the same utterances, with its interval."""
    return paired_bootstrap(table, a, b, f"CCC_{dimension}", unit)


print(f"CCC with words less CCC of speech alone, intervals by {unit}")
gains = {(label, setting): {one: compared(f"{label}, {system}", f"{label}, {SPEECH}", one) for one in rated}
         for label in studied for setting, system in settings.items()}  # fmt: skip
pd.DataFrame(gains).map(notebook.interval).T[rated]

# %% [markdown]
# **What to look at.** Which intervals leave zero out? A share can be large because there was little before: hold each bar against
# the difference in the table. In which dimensions do words change nothing that this test could see?

# %% [markdown]
# ## 6 · Table 2: when a machine writes the words down
#
# In practice nobody types the transcript. A recogniser (ASR) makes errors; the *word error rate* (WER) counts them: wrong, missing
# and added words, divided by the number of words that were said. With the kit come the transcripts that PocketSphinx, a small
# recogniser, made of the embedded corpus. Let us read a few, from good to bad. All are of utterances that are tested.

# %% tags=["stage:features"]
if asr == "shipped" and corpus != "embedded":
    print("Transcripts by machine come with the kit for the embedded corpus only: set asr to a recogniser.")
    asr = ""
heard_by = "PocketSphinx" if asr == "shipped" else Path(asr).name
if asr == "shipped":
    utterances["asr_text"] = transcripts.machine_transcripts().reindex(utterances.index)
elif asr:
    recogniser = transcripts.recogniser(asr)
    utterances = transcripts.transcribed(utterances, waveforms, recogniser, heard_by, cache or None)
said = utterances["text"].loc[main.index.unique()]
if asr:
    errors = word_error_rate(said, utterances["asr_text"].loc[said.index])
    notebook.headline(f"word error rate of {heard_by}", errors["WER"], errors["low"], errors["high"])

# %%
if asr:
    heard = utterances["asr_text"].loc[said.index]
    counts = error_counts(said, heard)
    rate = counts[:, :3].sum(1) / np.maximum(counts[:, [0, 1, 3]].sum(1), 1)
    read = pd.DataFrame({"said": said, "heard": heard, "WER": rate}).sort_values("WER", kind="stable")
    rows = np.linspace(0.1, 0.9, min(5, len(read))) * (len(read) - 1)
    display(read.iloc[rows.round().astype(int)].style.format({"WER": "{:.0%}"}))

# %% [markdown]
# If the rate is high: PocketSphinx is a small recogniser of an older kind, and the voices of the embedded corpus are synthetic. The
# paper's Whisper makes far fewer errors: `asr="openai/whisper-tiny"` takes its smaller one (a download).
#
# Two questions. **Learnt from human words, reads the machine's**: does a finished model survive? **Learnt from the machine's words
# and reads them** (as in the paper's Table 2): can it learn to live with them? Here for the distilled encoder.

# %% tags=["stage:training"]
human, alone, reading = f"{distilled}, {BOTH}", f"{distilled}, {SPEECH}", f"{reader}, {WORDS}"
first_seed = main[main["seed"] == seeds[0]]
tried = [fold for fold in folds if fold.name in set(main["fold"])]
heard = replace(spoken[distilled], tokens=None)
pooled = {(human, fold.name): regression.frozen(models[human, fold.name], heard) for fold in tried}
pooled |= {(reading, fold.name): replace(read_only, tokens=None) for fold in tried}


def tested_with(words: pd.Series, name: str, seed: int = 0, model: str = human, head=None) -> pd.DataFrame:
    """A model that learnt from human words, tested with these; with a recipe, a new head learns these first."""
    given = [(models[model, fold.name], pooled[model, fold.name], fold) for fold in tried]
    return audio_text.with_other_words(given, utterances.assign(text=words), tokenizer, name, seed, head)


# %% tags=["stage:training"]
no_words = first_seed[first_seed["model"] == alone].assign(model="no words")
by_asr = [no_words, first_seed[first_seed["model"] == human].assign(model="human words")]
if asr:
    survives, learns = f"learnt human words, reads {heard_by}'s", f"learnt and reads {heard_by}'s"
    by_asr.append(tested_with(utterances["asr_text"], survives))
    read = regression.with_words(spoken[distilled], utterances, tokenizer, "asr_text")
    with notebook.workers(jobs, device, most):
        again, _, _ = audio_text.train_systems(
            utterances, read, tried, studied[distilled][0], text, distilled, (BOTH,), chosen, seeds=seeds[:1]
        )
    by_asr.append(again[again["part"] == "test"].assign(model=learns))
by_asr = pd.concat(by_asr)
of_asr = bootstrap(by_asr, metrics, unit=unit)
of_asr["target"] = of_asr["metric"].str.removeprefix("CCC_")
system = np.where(of_asr["model"] == "no words", called[SPEECH], called[BOTH])
of_asr["system"] = pd.Series(system, of_asr.index, dtype=kinds)
figures.dimension_comparison(of_asr, "system")

# %% [markdown]
# **What to look at.** In valence, does either row with the machine's words leave *no words* behind? And how far is it from *human
# words*? If the error rate is far above the paper's, this is a much harder question than the paper's.

# %% [markdown]
# ### How bad may a transcript be?
#
# A recogniser has one error rate. To draw a curve we need any error rate we like, so we spoil the human transcripts: words give way
# to words spelt alike, vanish, or appear, until the wanted share is wrong. Three draws each. A finished model that learnt from
# human words reads them; beside it one whose *head* learnt anew from words just as spoilt, on the same two encoders, frozen (that is
# cheap, and one draw); and the model that reads without hearing.
#
# **Your guess:** at which error rate are the words worth nothing?


# %% tags=["stage:training"]
knows_human = "speech and words, learnt from human words"
knows_spoilt = "speech and words, head learnt from spoilt words"
only_reads = "words alone, learnt from human words"
quick = replace(regression.HEAD, epochs=20, batch_size=64, learning_rate=2e-3)
curves, rates = [], {}
for rate in error_rates:
    draws = [corrupted(utterances["text"], rate, draw) for draw in range(3 if rate else 1)]
    draws = [pd.Series(words, utterances.index) for words in draws]
    wrong = [word_error_rate(said, words.loc[said.index])["WER"] for words in draws]
    rates[rate] = float(np.mean(wrong))
    for draw, words in enumerate(draws):
        curves.append(tested_with(words, knows_human, draw).assign(rate=rate))
        curves.append(tested_with(words, only_reads, draw, reading).assign(rate=rate))
    curves.append(tested_with(draws[0], knows_spoilt, head=quick).assign(rate=rate))
curves = pd.concat(curves)

# %%
points = {rates[rate]: bootstrap(table, metrics, unit=unit) for rate, table in curves.groupby("rate")}
points = pd.concat(points, names=["wer", None]).reset_index("wer")
points["target"] = points["metric"].str.removeprefix("CCC_")
order = [called[SPEECH], knows_human, only_reads, knows_spoilt]  # the colours of the pictures above
points["system"] = pd.Categorical(points["model"], order)
unread = of_asr[of_asr["model"] == "no words"].set_index("target")[["value", "low", "high"]]
unread, marks = {one: tuple(unread.loc[one]) for one in rated}, None
if asr:
    marks = of_asr[of_asr["model"].isin([survives, learns])].rename(columns={"model": "name"})
    marks = marks.assign(wer=errors["WER"])
notebook.keep(figures.wer_curve(points, marks, unread), "06_word_errors", pictures)

# %%
for system in (knows_human, knows_spoilt):
    of_system, at = curves[curves["model"] == system], "nowhere up to the highest rate tried"
    for rate in sorted(error_rates, reverse=True):
        table = pd.concat([of_system[of_system["rate"] == rate], no_words])
        if not compared(system, "no words", shown, table)["low"] > 0:
            at = f"from a WER of {rates[rate]:.0%}"
    print(f"{system}: in {shown}, no longer clearly better than no words {at}")
for name, row in audio_text.of_recognisers().iterrows():
    heard = f"WER {row['WER']:.1%}" if row["WER"] else "taken as without errors"
    scored = ", ".join(f"{one} {row[one]:.3f}" for one in rated)
    print(f"In the paper, transcripts by {name} ({heard}): {scored}")

# %% [markdown]
# "No longer clearly better" means that the 95 % interval of the difference reaches zero, at the lowest of the rates tried.
#
# A model that was trained on good words believes what it reads. Where its curve falls below the dashed line, it would do
# better not to read at all. Does the head that learnt from spoilt words find out for itself? And the mark of the model that learnt
# from a machine's words?
#
# At a rate of zero both curves with speech read human words: a gap there comes from the way they were trained, not from transcripts.
#
# Marks and curves need not meet: a spoilt word gives way to another word of this corpus, which the text encoder knows; a
# recogniser writes words from anywhere.

# %% [markdown]
# ## 7 · Change a word
#
# Below is one test utterance, its transcript and what the distilled model makes of both. It is not a typical one: of the short test
# utterances we take the one in which a single word moves the prediction most (`utterance` names another).
#
# Below each word: the rating with it, less the rating without it. In a sentence that says the same twice no single word matters;
# effects do not add up. **Change a word and press Enter**: the sound stays the same, only the words change.

# %%
fold = tried[0]


def effects(words: str, name: str):
    """The distilled model's rating of an utterance with these words, and what each word does to it."""
    speech = pooled[human, fold.name].speech_pooled[utterances.index.get_loc(name)]
    return regression.word_effects(models[human, fold.name], words, tokenizer, targets, speech)


lengths = utterances.loc[fold.test, "text"].map(lambda one: len(bare_words(one)))
short = list(lengths.index[lengths.between(2, 10)][:200])  # as many are enough to choose from
if utterance and utterance not in fold.test:
    raise SernbError(f"utterance is {utterance!r}; choose one of the test part, such as {fold.test[0]}")
moved = {one: effects(str(utterances["text"].loc[one]), one)[1][shown].abs().max() for one in short}
name = utterance or max(moved, key=moved.get, default=lengths.idxmax())

# %%
notebook.listen(waveforms[utterances.index.get_loc(name)], caption=name)
figures.transcript_editor(lambda words: effects(words, name), str(utterances["text"].loc[name]), targets.scale,
                          truth=utterances.loc[name, rated].astype(float).to_dict())  # fmt: skip

# %% [markdown]
# **Try this.** Turn the sentence into its opposite with one word. Then take out the smallest word that matters. Can you change valence
# without touching arousal? Write a word that this corpus never uses: what does the model make of it?

# %% [markdown]
# ## 8 · The plane of emotions
#
# Every dot is a test utterance where the distilled model with words puts it. Point at one for its words. In JupyterLab, click on one
# to hear it (a saved page cannot play it); the buttons draw a line from each prediction to the truth.
#
# Predictions are not cut off, so some may lie beyond the scale, which is the dotted box.


# %%
def play(name: str) -> None:
    """What a click on a dot shows."""
    place = utterances.index.get_loc(name)
    notebook.listen(waveforms[place], caption=f"{name}: {utterances['text'].iloc[place]}")


if {"arousal", "valence"} <= set(rated):
    notebook.clickable(figures.predicted_plane(first_seed[first_seed["model"] == human], utterances), play)

# %% [markdown]
# **Why columns?** With the kit's own text encoder you may see the dots gather in three columns: it was taught three kinds of news,
# and valence follows them. Ratings by people do not come in three kinds.

# %% [markdown]
# ## 9 · The paper's claims, held against this run
#
# Fixed before the run: a gain *holds* where its 95 % interval lies above zero; "on par" holds where the lower end of the interval
# lies above −0.05 (a clear but small loss still passes). A claim about several systems or dimensions holds only if it holds for
# all; its card shows the weakest. The paper's numbers are differences, in its seen and its unseen test part.

# %%
paper, margin = "de Oliveira et al. 2023", 0.05
start = "Mind the head start: our text encoder was taught what is good and bad news, the paper's was not. "
start = start if text_encoder in ("mini-tinybert", "mini-bert") else ""
small = f"What stands for the large encoder ({large}) has fewer parameters here than the base one. "
small = "" if larger else small


def printed_difference(a: tuple, b: tuple, dimension: str) -> str:
    """Of two systems (encoder here, system): a less b in the paper's Table 1, seen and unseen."""
    one, two = (printed.loc[(roles[label], system)].xs(dimension, level=1) for label, system in (a, b))
    told = [
        f"{part} {a - b:+.3f} ({a:.3f} against {b:.3f})"
        for part, a, b in zip(one.index, one, two, strict=True)
    ]
    return "; ".join(told).replace("-", "−")


# %%
def card(words: str, number: str, pairs: dict, least: float, why: str, testable: bool = True) -> None:
    """A claim card for differences {what: pair}: it holds where all intervals lie above `least`."""
    told = "; ".join(f"{what}: {notebook.interval(pair)}" for what, pair in pairs.items())
    weakest = min(pairs.values(), key=lambda pair: -np.inf if np.isnan(pair["low"]) else pair["low"])
    lost = " A clear but small loss passes, too." if least < weakest["low"] and weakest["high"] < 0 else ""
    bound = f"{least:g}".replace("-", "−")
    why = f"{why}{told}. Holds where the lower end lies above {bound}.{lost} Intervals by {unit}."
    notebook.claim_of(paper, words, number, list(pairs.values()), why, above=least, testable=testable)


# %%
if "arousal" in rated:
    a, b = (distilled, SPEECH), (large, SPEECH)
    pairs = {"CCC of arousal, distilled less large": compared(", ".join(a), ", ".join(b), "arousal")}
    card("On speech alone, the distilled encoder matches the large one in arousal",
         printed_difference(a, b, "arousal"), pairs, -margin, small, larger)  # fmt: skip
if "valence" in rated:
    a, b = (base, SPEECH), (distilled, SPEECH)
    pairs = {"CCC of valence, base less distilled": compared(", ".join(a), ", ".join(b), "valence")}
    card("On speech alone, the distilled encoder hears valence less well than its teacher",
         printed_difference(a, b, "valence"), pairs, 0.0,
         "Whether there was much to lose: what the teacher's deep layers know of valence is in notebook 05. ")  # fmt: skip

# %%
if "valence" in rated:
    pairs = {one: gains[one, "FT"]["valence"] for one in studied}
    theirs = " · ".join(f"{original}: {printed_difference((one, BOTH), (one, SPEECH), 'valence')}"
                        for one, original in roles.items())  # fmt: skip
    card("Words improve valence, whichever the speech encoder", theirs, pairs, 0.0, start)
pairs = {one: compared(f"{distilled}, {BOTH}", f"{large}, {BOTH}", one) for one in rated}
theirs = " · ".join(f"{one}: {printed_difference((distilled, BOTH), (large, BOTH), one)}" for one in rated)
dimensions = ", ".join(rated[:-1]) + " and " + rated[-1] if len(rated) > 1 else rated[0]
card(f"With words, the distilled encoder is on par with the large one in {dimensions}", theirs, pairs,
     -margin, small, larger)  # fmt: skip

# %%
if "valence" in rated:
    both = {
        (one, label): compared(f"{label}, {BOTH}", f"{label}, {FROZEN}", one)
        for one in rated
        for label in studied
    }
    beyond = "; ".join(f"{label} {one} {notebook.interval(pair)}"
                       for (one, label), pair in both.items() if one != "valence")  # fmt: skip
    rate = chosen.encoder_rate or chosen.learning_rate
    why = f"{start}The budgets differ: FT has up to {chosen.epochs} epochs at {rate:g}; FT→FRZ has these for speech "
    why += f"alone, then up to {regression.HEAD.epochs} epochs of a new head at {regression.HEAD.learning_rate:g}. "
    why += f"In the other dimensions: {beyond}. " if beyond else ""
    card("Fine-tuning both encoders beats freezing both (FT→FRZ) in valence, in all cases", "Figure 3, bars only",
         {label: both["valence", label] for label in studied}, 0.0, f"{why}In valence: ")  # fmt: skip


# %%
def gain_over(other: str) -> pd.Series:
    """The distilled encoder's relative gain in valence less that of another, on the same resamples."""
    terms = [(f"{one}, {system}", "CCC_valence") for one in (distilled, other) for system in (BOTH, SPEECH)]
    found = contrast(main, terms, lambda a, b, c, d: a / b - c / d, unit)
    silent = intervals[intervals["model"].isin([f"{distilled}, {SPEECH}", f"{other}, {SPEECH}"])]
    silent = silent[(silent["metric"] == "CCC_valence") & (silent["part"] == first_part)]
    if not (silent["low"] > 0).all():  # a share of what may well be nothing
        found[["value", "low", "high"]] = np.nan
    return found


# %%
if "valence" in rated:
    over = {f"the base one ({base})": gain_over(base), f"the large one ({large})": gain_over(large)}
    counting = list(over.values())[: None if larger else 1]
    nothing = "cannot be told, since speech alone may well be worth nothing"
    told = "; ".join(f"than {one}: " + (notebook.interval(pair, "+.0%") if pair["low"] == pair["low"] else nothing)
                     for one, pair in over.items())  # fmt: skip
    why = f"{start}Relative gain of the distilled encoder, in percentage points more {told}. Holds where the intervals lie above 0. "
    why += f"{small}So only the base one counts. " if not larger else ""
    of_paper = audio_text.relative_gains().set_index(["encoder", "part"])["value"]
    number = "; ".join(f"{part} " + ", ".join(f"{of_paper[roles[one], part]:.0%} ({roles[one]})" for one in
                       (distilled, base, large)) for part in audio_text.PARTS)  # fmt: skip
    notebook.claim_of(paper, "Words help the distilled encoder's valence most", number, counting, why)

# %%
of_seed = f" (seed {seeds[0]})" if len(seeds) > 1 else ""
if asr and "valence" in rated:
    of_paper = audio_text.of_recognisers()
    people, machine = of_paper.loc[["human", "Whisper tiny"], "valence"]
    number = f"seen {machine - people:+.3f} (Whisper tiny {machine:.3f}, human {people:.3f})".replace(
        "-", "−"
    )
    pair = compared(learns, "human words", "valence", by_asr)
    why = f"The paper's recognisers have a WER of at most {of_paper['WER'].max():.1%}; {heard_by} has "
    why += f"{errors['WER']:.1%} on these utterances. "
    card("Transcripts by machine do as well as human ones", number,
         {f"CCC of valence, {learns} words less human ones": pair}, -margin, why)  # fmt: skip
    gain = compared(learns, "no words", "valence", by_asr)
    notebook.headline(f"{heard_by}'s words − no words, CCC of valence{of_seed}", gain)
if "valence" in rated:
    gain = compared("human words", "no words", "valence", by_asr)
    notebook.headline(f"words − no words, distilled encoder, CCC of valence{of_seed}", gain)

# %% [markdown]
# ## Recap
#
# - Whether a dimension is *heard* or *read* is a matter of three rows: speech alone, words alone, and both. Look them up for arousal
#   and for valence before you say it.
# - On the embedded corpus the outcome is built in: the generator puts valence into the words, and the text encoder was taught to
#   read it there. How much words help here is an upper limit. How much they help *you* only your corpus can say.
# - A difference between two systems needs an interval of the *difference*, on the same utterances; so does the question whose gain
#   is larger.
# - Error rate is not harm: what counts is which words are lost, and whether the model learnt from words like these.
# - A comparison of two ways to train is one of their budgets, too.

# %%
if save:
    write_predictions(tested, Path(save) / "predictions.csv")
    history.to_csv(Path(save) / "curves.csv", index=False)
    about = {"corpus": corpus, "scale": targets.scale, "standardised": studied[distilled][1]}
    for fold in folds:
        saved.save(models[human, fold.name], Path(save) / "models" / fold.name, about, tokenizer)
    print(f"saved to {save}")

# %% [markdown]
# ## Exercises
#
# **1.** The truth is (1, 2, 3), a model says (2, 2, 2) for everything. What is its CCC, and what is it for a model that says
# (3, 2, 1)?

# %% tags=["exercise"]
for_constant, for_reverse = ..., ...
notebook.check(lambda: np.allclose([for_constant, for_reverse], [0, -1]),
               "Right: a constant agrees with nothing, and the reverse disagrees with everything.",
               "The covariance with a constant is 0. For the reverse, means and variances are equal and the covariance is minus the variance.")  # fmt: skip

# %% [markdown]
# **2.** "They refused to raise the rent" was heard as "they used to raise a rent". How many substitutions, deletions and insertions
# are that, and what is the WER (two digits)?

# %% tags=["exercise"]
substitutions, deletions, insertions, wer = ..., ..., ..., ...
notebook.check(lambda: (substitutions, deletions, insertions) == (2, 0, 0) and np.isclose(wer, 0.33, atol=0.006),
               "Right. And the valence has turned round: two errors of six words, one of them fatal.",
               "Write both below one another: the fewest changes that turn one into the other, divided by the words that were said.")  # fmt: skip

# %% [markdown]
# **3.** Audio alone has a CCC of 0.328 for valence, audio and text 0.519 (the paper's DistilHuBERT). What is the relative gain
# (two digits)? And for HuBERT base, 0.440 and 0.532?

# %% tags=["exercise"]
of_distilled, of_base = ..., ...
notebook.check(lambda: np.allclose([of_distilled, of_base], [0.58, 0.21], atol=0.006),
               "Right: the smaller the first number, the larger the share. The gains themselves are 0.191 and 0.092.",
               "(with − without) / without.")  # fmt: skip

# %% [markdown]
# **4.** Are some small words worth more than others? Write a function that takes the words *not*, *never*, *no* and *nobody* out of a
# text (with any capital; the others stay as they are, and *don't* and *nothing* stay). `without_negations("I do not know.")`
# is `"I do know."`

# %% tags=["exercise"]
without_negations = ...
notebook.check(
    lambda: (
        without_negations("Nobody said that I never know nothing.") == "said that I know nothing."
        and without_negations("We do not moan") == "We do moan"
    ),
    "Right. The next cell reads the test transcripts through your function.",
    "Split the text at its spaces, keep the words whose small letters are none of the four, and join them again.",
)

# %% [markdown]
# Only the utterances from which something was taken are tested, three times: with all their words, without the negations, and with as
# many words of any kind taken out at random. **Your guess:** which costs more valence?


# %%
def without_some(text: str, count: int, rng: np.random.Generator) -> str:
    """The text without so many of its words, drawn at random."""
    words = text.split()
    kept = sorted(rng.choice(len(words), max(len(words) - count, 0), replace=False))
    return " ".join(words[place] for place in kept)


if callable(without_negations):
    texts, rng = utterances["text"], np.random.default_rng(0)
    fewer = texts.map(without_negations)
    lost = texts.str.split().str.len() - fewer.str.split().str.len()
    others = [without_some(one, count, rng) for one, count in zip(texts, lost, strict=True)]
    others = pd.Series(others, utterances.index)
    read = {"all words": texts, "without negations": fewer, "without as many at random": others}
    table = pd.concat([tested_with(words, name) for name, words in read.items()])
    table = table[table.index.isin(lost.index[lost > 0])]
    display(figures.dimension_comparison(bootstrap(table, metrics, unit=usual_unit(table))))

# %% [markdown]
# ## References
#
# - D. de Oliveira, N. Raj Prabhu, T. Gerkmann. Leveraging semantic information for efficient self-supervised emotion
#   recognition with audio-textual distilled models. Interspeech 2023.
# - H.-J. Chang, S. Yang, H. Lee. DistilHuBERT: speech representation learning by layer-wise distillation. ICASSP 2022.
# - X. Jiao et al. TinyBERT: distilling BERT for natural language understanding. Findings of EMNLP 2020.
# - J. Wagner et al. Dawn of the transformer era in speech emotion recognition: closing the valence gap. 2023.
# - L. I.-K. Lin. A concordance correlation coefficient to evaluate reproducibility. Biometrics 1989.
