# %% [markdown]
# # 01 · Look at the data, before any model does
#
# **The papers.** All four of this kit begin with a sentence on their data. We take three of those sentences and look at
# what lies behind them: T. M. Nguyen et al., *Enhancing Speech Emotion Recognition through Knowledge Distillation* (2024)
# for the classes and the split, and D. de Oliveira et al., *Leveraging Semantic Information for Efficient Self-Supervised
# Emotion Recognition with Audio-Textual Distilled Models* (Interspeech 2023) for voice and words.
#
# **You will be able to** say who speaks in a corpus and who judged it, point at an utterance and hear it, tell what
# the voice does in each emotion from what the *speaker* does, find the words that give an emotion away, and catch a
# corpus that leaks before it flatters a model.
#
# **Any corpus will do**, with sound or words only, with or without ratings, speakers, sessions: a section that has
# nothing to show says so. `sernb run 1 --corpus NAME --root FOLDER` takes another one. The report says how long it took.

# %% tags=["parameters"]
corpus: str = "embedded"  # name of a corpus (`sernb corpora` lists them)
root: str = ""  # folder of the corpus; empty: where sernb looks for it
on_bad: str = "raise"  # unreadable recordings: raise an error, or skip them
labels: dict = {}  # own label words of a manifest, such as {"cheerful": "happy"}
loader: dict = {}  # options of the corpus's own loader, such as {"classes": "all"} of iemocap (docs/corpora.md)
emotions: str = ""  # labels to keep, with commas between ("neutral,happy,sad,angry"); empty: all
per_speaker: int = 0  # keep so many utterances of each speaker's emotions, for a quick look; 0: all
protocol: str = "auto"  # who is tested: auto (the corpus's usual one), loso, group-k-fold …
listen_to: int = 4000  # recordings that are read, drawn by chance where there are more; 0: all
map_of: int = 1500  # utterances on the map of sounds, drawn by chance where there are more
shuffles: int = 200  # times that labels are shuffled, to see what chance would do
utterance: str = ""  # the utterance to look at and hear; empty: one of typical length
pictures: str = ""  # folder for the main pictures as PNG files; empty: not saved
seed: int = 0  # of everything that is drawn by chance

# %% tags=["stage:imports"]
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from IPython.display import display
from sklearn.manifold import TSNE
from sklearn.preprocessing import StandardScaler

from sernb import figures, notebook, protocols
from sernb.core.errors import SernbError
from sernb.evaluation import annotators, audit, bootstrap, separation
from sernb.evaluation.baselines import voice_and_words
from sernb.evaluation.words import log_odds
from sernb.features import acoustics, audio, spectrogram

notebook.start(corpus, seed=seed)

# %% [markdown]
# ## 1 · What does this corpus know?
#
# A corpus becomes a table with one row an utterance. Loading reads names and tables; nothing is listened to yet. Every
# corpus knows other things, and much of what papers can claim depends on what is *not* there.

# %% tags=["stage:features"]
utterances, _ = notebook.load(corpus, root, emotions=emotions, labels=labels, per_speaker=per_speaker,
                              on_bad=on_bad, waveforms=False, **loader)  # fmt: skip
notebook.headline("Utterances", len(utterances))
utterances.drop(columns="path", errors="ignore").dropna(axis=1, how="all").iloc[:3, :14].T

# %%
has = notebook.knows(utterances)
rated = annotators.rating_columns(utterances)

# %% [markdown]
# ## 2 · Which emotions?
#
# **Before you look:** a model that has learnt nothing can still name the most frequent emotion every time. How often
# is it right, in accuracy (WA), and in the mean of the classes' own recalls (UAR)?

# %%
if "emotion" in has:
    counts = utterances["emotion"].value_counts()
    often = counts.iloc[0] / counts.sum()
    print(f"Always saying “{counts.index[0]}”: WA {often:.3f}, UAR {1 / len(counts):.3f}")
    notebook.keep(figures.class_balance(utterances), "01_emotions", pictures)
else:
    print("No emotion labels here: what follows by emotion is left out.")

# %% [markdown]
# The 2024 paper's Figure 3 shows the four emotions that it took from IEMOCAP: 1,708 neutral, 1,636 happy, 1,084 sad and
# 1,103 angry utterances. "Happy" holds those labelled *excited*, too; without that union, happy would be the rarest. So even a
# distribution is a decision. The parameter `loader` takes another one: with IEMOCAP, `{"excited_is_happy": False}` leaves
# the excited out of the four classes, and `{"classes": "all"}` keeps every utterance, the frustrated as a class of their own
# (`sernb run 1 --corpus iemocap -p loader "{classes: all}"`).

# %%
FIGURE_3 = {"neutral": 1708, "happy": 1636, "sad": 1084, "angry": 1103}
counts = utterances["emotion"].value_counts() if "emotion" in has else pd.Series(dtype=int)
counts = {one: int(counts.get(one, 0)) for one in FIGURE_3}
shared = {one: FIGURE_3[one] for one, count in counts.items() if count}
if len(shared) > 1:
    display(figures.class_shares(utterances, shared, "the paper's IEMOCAP", corpus))
numbers, ours = (", ".join(f"{count} {one}" for one, count in of.items()) for of in (FIGURE_3, counts))
verdict = "holds" if counts == FIGURE_3 else "not seen here"
why = "Counted in the labels of this copy."
excited = loader.get("excited_is_happy", True)
if corpus != "iemocap" or not shared or per_speaker or emotions or not excited:
    verdict, ours = "cannot be tested on this corpus", None
    why = "These are counts of all of IEMOCAP, excited as happy; another corpus, or another choice, has its own."
if corpus == "embedded":
    why += " The embedded corpus was made in the same proportions, so its likeness proves nothing."
paper_1, words = "Nguyen et al. 2024", "The four emotions are distributed as in Figure 3"
notebook.claim(paper_1, words, numbers, ours, None, None, verdict, why)

# %% [markdown]
# ## 3 · Who speaks, and how long?
#
# **Look for** a speaker who has one emotion much more often than the others: a model that knows the voice then knows the
# emotion. And **guess:** are some emotions longer?
#
# Over the panels of lengths stands how much of the spread lies *between* emotions, and how much between speakers: 0 %
# means that they tell nothing, 100 % that they tell all (epsilon squared: many groups do not win by their number).

# %%
for group in ("speaker", "session"):
    if group in has and "emotion" in has:
        display(figures.class_balance(utterances, by=group))
    else:
        print(f"Nothing to show by {group}: it needs emotions and {group}s.")

# %% tags=["stage:features"]
heard, waveforms = utterances.iloc[:0], []
if "path" in has:
    chosen = utterances[utterances["path"].notna()]
    if listen_to and len(chosen) > listen_to:
        chosen = chosen.loc[chosen.sample(listen_to, random_state=seed).index.sort_values()]
        print(f"{listen_to} of {len(utterances)} recordings are read, drawn by chance: see `listen_to`.")
    heard, waveforms = audio.read_utterances(chosen, on_bad=on_bad)
    print(f"left out: {len(heard.attrs['skipped'])}, repaired or unusual: {heard.attrs['repairs'] or 0}")
else:
    print("No recordings here, only words: sections 6, 7 and 9 have nothing to hear.")
studied = heard if len(heard) else utterances
seconds = pd.Series([len(wave) / 16000 for wave in waveforms], heard.index, dtype=float)
speakers = utterances["speaker"] if "speaker" in has else None

# %%
lengths = pd.DataFrame(index=utterances.index)
if len(heard):
    short, long = seconds.quantile([0.25, 0.75])
    print(f"{seconds.sum() / 60:.0f} minutes; half of the recordings last {short:.1f} to {long:.1f} s.")
    lengths["recording (s)"] = seconds
if "text" in has:
    lengths["words"] = utterances["text"].dropna().str.split().str.len()
for name in lengths.columns[lengths.nunique() == 1]:
    print(f"{name}: {lengths.pop(name).max():g}, in every utterance")
if "emotion" in has and len(lengths.columns):
    options = {"speakers": speakers, "title": "How long? And how much of it do emotion and speaker explain?"}
    display(figures.measures_by_emotion({"length": lengths}, utterances["emotion"], **options))
elif len(lengths.columns):
    display(lengths.describe().round(1))

# %% [markdown]
# ## 4 · The plane of arousal and valence
#
# Instead of choosing a word, annotators can rate how excited a voice sounds (arousal), how pleasant the feeling (valence),
# how much in control the speaker is (dominance).
#
# **Before you look:** which two emotions will lie closest? **Point** at a dot to read its utterance; in JupyterLab a
# **click** plays it. The dots are moved a little, since mean ratings fall on few values; the large marks are means.


# %%
def play(name: str) -> None:
    """Player and words of one utterance."""
    caption = " · ".join([name, *utterances.loc[name].reindex(["emotion", "speaker", "text"]).dropna()])
    if name in heard.index:
        notebook.listen(waveforms[heard.index.get_loc(name)], caption=caption)
    else:
        print(caption)


if {"arousal", "valence"} <= has:
    notebook.clickable(figures.affect_plane(utterances, seed=seed), play)
else:
    print("No arousal and valence here, so no plane.")

# %% [markdown]
# ## 5 · Do the people agree who judged it?
#
# A label is an opinion, or the plurality of several. Krippendorff's alpha compares how often two annotators differ with
# how often they would by chance: 1 is full agreement, 0 is chance. Mind what is counted: where a corpus leaves out the
# clips whose annotators found no majority, as ours and the four classes of IEMOCAP do, those that remain agree more.
#
# **Before you look:** for which of emotion, arousal, valence and dominance is alpha highest? And if one *person* were
# the model, and the others' majority the truth, what would the UAR be?

# %%
if rated:
    table = annotators.agreement(utterances, seed=seed)
    confused = annotators.heard_as(utterances[rated["emotion"]]) if "emotion" in rated else None
    display(figures.annotator_agreement(table, confused), table.round(3))
else:
    print("No single annotators' ratings in this corpus: how far they agreed cannot be seen, only believed.")
if rated and corpus == "embedded":
    print("These annotators are simulated, biases included: how far people agree, only people's can tell.")

# %%
if len(rated.get("emotion", [])) > 2:
    with notebook.where_possible("Nobody to compare with:"):
        people = annotators.one_against_the_others(utterances[rated["emotion"]])
        people = people.join(speakers) if "speaker" in has else people
        unit = "speaker" if "speaker" in has and people["speaker"].notna().all() else "utterance"
        one = bootstrap(people, "UAR", unit=unit, n=1000, seed=seed).iloc[0]
        notebook.headline("UAR of one annotator against the others", one)
listeners = utterances[[name for name in ("recognised", "natural") if name in utterances]]
listeners = listeners.select_dtypes("number").dropna(how="all")
if len(listeners) and "emotion" in has:
    names = {"recognised": "recognised by (% of listeners)", "natural": "called natural by (% of listeners)"}
    title, ways = (
        "What listeners said, of recordings that stayed in the corpus",
        {"listening test": listeners},
    )
    display(figures.measures_by_emotion(ways, utterances["emotion"], names, title=title))

# %% [markdown]
# ## 6 · What does the voice do?
#
# Four simple measures: median pitch, loudness, rate (peaks of loudness a second, nearly syllables) and spectral tilt (how
# far the high bands lie below the low ones: a tense voice is flatter). On the left as recorded; on the right, within
# speakers: each is compared with themselves, in their own standard deviations.
#
# **Before you look:** which measure will tell more about *who* speaks than about how they feel?
#
# (Comparing speakers with themselves needs no labels, but all of a speaker's clips at once. A model tested like that has
# seen the test speaker's other clips: that is *transductive*, and has to be said.)

# %% tags=["stage:features"]
statistics = relative = pd.DataFrame()
if len(heard):
    long = np.array([len(wave) for wave in waveforms]) >= acoustics.SHORTEST * 16000
    kept = [wave for wave, enough in zip(waveforms, long, strict=True) if enough]
    statistics = acoustics.acoustic_table(heard[long], waveforms=kept)
    print(f"{statistics.shape[1]} numbers of each of {len(statistics)} recordings; {(~long).sum()} too short")
person = heard["speaker"].dropna() if "speaker" in has else pd.Series(dtype=object)
with_speaker = statistics.loc[statistics.index.intersection(person.index)]
if len(with_speaker):
    relative = separation.relative_to_speaker(with_speaker, person)

# %% tags=["picture"]
MEASURES = {"pitch_p50": "median pitch (semitones above 55 Hz)", "loudness_mean": "loudness (dB)",
            "syllable_rate": "rate (loudness peaks a second)",
            "tilt": "spectral tilt (dB, low minus high bands)"}  # fmt: skip
if len(statistics) and "emotion" in has:
    ways = {"as recorded": statistics[list(MEASURES)].mask(statistics["voiced_share"] == 0)}
    if len(relative):
        ways["within speakers"] = relative[list(MEASURES)]
    options = {"speakers": speakers, "title": "The voice, and how much of it emotion and speaker explain"}
    drawn = figures.measures_by_emotion(ways, heard["emotion"], MEASURES, **options)
    notebook.keep(drawn, "01_voice", pictures)
else:
    print("Without recordings, or without emotions, there is no voice to show by emotion.")

# %% [markdown]
# The same for all the numbers: which tell most about the emotion once speakers are compared with themselves?

# %%
if len(relative) and "emotion" in has:
    shares = separation.shares_of_measures(statistics, heard["emotion"], person)
    stronger = (shares["speaker, as recorded"] > shares["emotion, as recorded"]).sum()
    print(f"{stronger} of {len(shares)} numbers tell more about the speaker than about the emotion.")
    best = shares.nlargest(8, "emotion, within speakers")
    display(best.mul(100).round(0).astype("Int64").add_suffix(" (%)"))
else:
    print("Without recordings, speakers and emotions there is nothing to compare.")

# %% [markdown]
# ## 7 · See it and hear it
#
# One utterance, as a wave, as a spectrogram in dB, and as the µ-law of its magnitude: the input of the 2018 paper (here
# scaled from 0; notebook 07 shows what the paper's own words do to it). µ-law keeps the loud partials and lets the
# faint rest go dark.

# %%
config = spectrogram.SpectrogramConfig(highest=8000.0, dft=1024)  # the paper's windows, twice its frequencies
if utterance and utterance not in utterances.index:
    raise SernbError(f"there is no utterance {utterance!r}; there are {', '.join(utterances.index[:5])}, …")
long_enough = seconds.index[seconds > 2 * config.window]
typical = (seconds[long_enough] - seconds.median()).abs()
example = utterance if utterance in long_enough else typical.idxmin() if len(typical) else ""


def picture_of(name: str, scaling: str) -> np.ndarray:
    """The scaled spectrogram of a whole utterance, (bins, frames)."""
    wave = torch.from_numpy(waveforms[heard.index.get_loc(name)].copy())[None]
    whole = replace(config, segment=wave.shape[1] / 16000, scaling=scaling)
    return spectrogram.scale(spectrogram.magnitudes(wave, whole), whole)[0].numpy()


# %%
if example:
    play(example)
    wave = waveforms[heard.index.get_loc(example)]
    decibels = 40 * (picture_of(example, "log") - 1)  # the scaling's 80 dB, from -1 to 1
    display(figures.sound(wave, decibels, config, unit="dB below the loudest", title=example))
    mulaw = picture_of(example, "mulaw01")
    display(figures.spectrogram(mulaw, config, unit="µ-law of magnitude", title="µ-law"))
else:
    print("No recordings, nothing to see or hear.")

# %% [markdown]
# Now the same voice in its several emotions: the same sentence where the corpus has it, else one of like length. They come
# in an order drawn by chance. **Listen first,** and name them; the answers stand over the spectrograms below.

# %%
gallery = []
if example and "emotion" in has:
    same_voice = heard.loc[long_enough]
    if "speaker" in has:
        same_voice = same_voice[same_voice["speaker"] == heard.loc[example, "speaker"]]
    unlike = (seconds[same_voice.index] - seconds[example]).abs()
    if "text" in has:
        unlike += 1000.0 * (same_voice["text"] != heard.loc[example, "text"])
    gallery = list(unlike.groupby(same_voice["emotion"], observed=True).idxmin().dropna())
    gallery = list(np.random.default_rng(seed).permutation(gallery))
for number, name in enumerate(gallery, 1):
    notebook.listen(waveforms[heard.index.get_loc(name)], caption=f"voice {number}")

# %%
panels = {
    f"{n}: {heard.loc[one, 'emotion']} · {one}": picture_of(one, "log") for n, one in enumerate(gallery, 1)
}
if panels:
    title = "One voice, several emotions (each 80 dB below its loudest)"
    display(figures.spectrograms(panels, config, title=title))
else:
    print("No recordings with emotions, so no voices to compare.")

# %% [markdown]
# ## 8 · Which words give it away?
#
# For each word: are its odds in one emotion higher than in all the others? Rare words make wild odds, so a prior, made of
# how often each word is said at all, holds them back (Monroe et al. 2008); z is the difference in its standard errors.
#
# With thousands of words, some reach a high z by luck. So the labels are shuffled, again and again, and the dashed
# line is what the *best* word of shuffled labels exceeds in one of twenty shuffles.
#
# **Before you look:** will it be words of feeling, or small words?

# %%
groups, what = (utterances["emotion"], "emotion") if "emotion" in has else (None, "third of the valence")
if groups is None and "valence" in has:  # sentences that were rated, but not named
    thirds = ["low valence", "middle", "high valence"]
    groups = pd.qcut(utterances["valence"].rank(method="first"), 3, labels=thirds)
told, bar = None, np.nan
if "text" in has and groups is not None:
    several = groups.groupby(utterances["text"], observed=True).nunique()
    print(f"{len(several)} different texts; {(several > 1).sum()} are said in more than one {what}.")
    with notebook.where_possible("Nothing to compare:"):  # too few words, say
        told, bar = log_odds(utterances["text"], groups, shuffles=shuffles, seed=seed)
else:
    print("No words here, or nothing to compare them by.")

# %%
beyond = [] if told is None else told[told["z"] > bar]
if len(beyond):
    notebook.keep(figures.telling_words(told, bar), "01_words", pictures)
    each = beyond["group"].value_counts(sort=False)
    print("Words beyond the line:", ", ".join(f"{count} {group}" for group, count in each.items()))
elif told is not None:
    print("No word passes the line: the texts give nothing away word by word, so there is nothing to draw.")

# %% [markdown]
# Where a word stands above the line, that is all it says: it is said more often in this emotion *in this corpus*. A
# model of words will use it, whether it means anything or only tells a topic or a script.
#
# ## 9 · A map of sounds: emotion or speaker?
#
# t-SNE draws utterances that sound alike close together (about a hundred acoustic numbers, each brought to the same
# spread). Coloured once by emotion and once by speaker.
#
# **Before you look:** which colours will clump more? A map can deceive: distances between clumps mean little, and clumps
# appear in noise. So we ask the numbers themselves: of an utterance's ten nearest neighbours, how many bear its own
# label, and how many would if the labels were shuffled?

# %%
purity = separation.emotion_or_speaker(statistics, heard, shuffles=shuffles, seed=seed)
if len(purity):
    display(purity.round(3))
else:
    print("No map: it needs recordings, and emotions or speakers.")

# %%
groupings, panels = [one for one in ("emotion", "speaker") if one in purity.index], {}
if groupings:
    known = heard.loc[statistics.index, groupings].dropna().index
    known = known[np.sort(np.random.default_rng(seed).permutation(len(known))[:map_of])]
    tables = {"": statistics} | ({", compared with themselves": relative} if len(groupings) > 1 else {})
    for way, table in tables.items():
        draw = TSNE(perplexity=max(1, min(30, (len(known) - 1) // 3)), init="pca", random_state=seed)
        places = draw.fit_transform(StandardScaler().fit_transform(table.loc[known]))
        panels |= {f"by {one}{way}": (places, heard.loc[known, one]) for one in groupings[: 1 if way else 2]}
    drawn = figures.feature_map(panels, title=f"{len(known)} utterances by how they sound")
    notebook.keep(drawn, "01_map", pictures)

# %% [markdown]
# `above_chance` is what compares: 0 is chance and 1 is all neighbours of one's own kind, however many kinds there are.

# %%
above = purity["above_chance"] if len(purity) else {}
for one in groupings:
    notebook.headline(f"Neighbours of the same {one}, above chance", above[one])
if len(groupings) == 2:
    stronger = "emotion" if above["emotion"] > above["speaker"] else "speaker"
    print(f"In these simple numbers the {stronger} is the stronger: ", end="")
    print(f"{above['emotion']:.2f} for the emotion, {above['speaker']:.2f} for the speaker.")
    if (unsure := purity.index[purity["p"] > 0.05]).size:
        print(f"Not told from shuffled labels: {', '.join(unsure)}.")

# %% [markdown]
# ## 10 · What does the voice tell, what do the words?
#
# The 2023 paper starts from here: "the arousal dimension is well explained by paralinguistic cues, and semantic cues are
# more informative of the valence dimension". Two small models guess the ratings, one from the acoustic numbers and one
# from the words (a bag of words), for people that they were not trained on.
#
# **Your guess:** in which dimension do the words win?
#
# A guess from the words can fail for two reasons: the words do not tell, or the reader cannot read. In the embedded
# corpus a sentence's valence is composed (*the street party was called off*: a good thing, turned round), so that a bag of
# words is meant to do badly. But there the truth of the words is known, too: the column `valence_of_words` holds the
# sentence's valence by construction, -1, 0 or 1 (docs/embedded_corpus.md). Where a corpus has it, we look at it as well.

# %%
folds, compared = [], pd.DataFrame()
with notebook.where_possible("No folds, so nothing is trained and tested:", told=protocol == "auto"):
    folds = protocols.by_name(protocol, studied)
with notebook.where_possible("Not compared:"):  # too few of some part, say
    compared = voice_and_words(studied, folds, statistics, seed)
if len(compared):
    display(compared.rename(columns={"voice": "r, voice", "words": "r, words"}).round(3))
else:
    print("This needs recordings, words and ratings of the same utterances, which are not all here.")
truth = np.nan
if {"valence_of_words", "valence"} <= set(studied):
    truth = studied["valence"].corr(pd.to_numeric(studied["valence_of_words"], errors="coerce"))
    print(f"r of the rated valence with the words' own, known by construction: {truth:.3f}")

# %%
texts = {"arousal": ("the voice tells arousal better than the words do", 1),
         "valence": ("the words tell valence better than the voice does", -1)}  # fmt: skip
for one, (text, sign) in texts.items():
    found, why = None, "Recordings, words and ratings of the same utterances are not all here."
    if one in compared.index:
        row = compared.loc[one]
        found = (sign * row["difference"], *sorted([sign * row["low"], sign * row["high"]]))
        why = f"Difference of two correlations, interval by {row['units']} {row['unit']}s. The words are a bag of "
        why += "words: what a sentence says by its order is lost, and a better reader may do better."
        if one == "valence" and not np.isnan(truth):
            why += f" The true valence of the words, valence_of_words, has r {truth:.2f} with the ratings."
    words = f"Introduction, in our words: {text}"
    notebook.claim_of("de Oliveira et al. 2023", words, "no number", found, why)

# %% [markdown]
# ## 11 · The audit: what could leak?
#
# A test is fair when nothing but the emotion helps. The audit looks for what else could: speakers, sentences or whole
# recordings that stand in training *and* test, recordings that are there twice (even resampled or cut), loudness,
# silence or length that give the class away, parts that differ in their classes. First, who and what is tested:

# %%
if folds:
    parts = protocols.describe(folds, studied)
    display(parts[parts["part"] == "test"].head(12).reset_index(drop=True))
findings = audit.audit(studied, folds or None, waveforms=waveforms or None, seed=seed)
print(", ".join(f"{count} × {severity}" for severity, count in findings["severity"].value_counts().items()))
display(findings.loc[findings["severity"] != "fine", ["severity", "check", "finding"]])
fine = ", ".join(findings.loc[findings["severity"] == "fine", "check"])
print(f"Fine: {fine or 'none'}. (`findings` holds a sentence on each.)")

# %% [markdown]
# Listen to what stands first in the findings that are more than "fine".

# %%
for _, one in findings[findings["severity"].isin(["leak", "caution"])].head(6).iterrows():
    for number, name in enumerate([name for name in one["utterances"] if name in heard.index][:2]):
        if not number:
            print(f"{one['severity']}, {one['check']}")
        play(name)

# %% [markdown]
# ### What does a random split gain?
#
# The 2024 paper says that its utterances were "divided into the train, validation, and test datasets"; its code draws
# them at random, 4,479, 498 and 554 of them, so that all ten speakers are in every part. Here is that split beside
# this corpus's own protocol: of what is tested, how much is by speakers, and in words, that were trained on? Words count as
# the same where only case and punctuation differ. (The audit's "transcripts" counts something else: the validation too,
# and sentences that are nearly the same, but none of one or two words.)

# %%
splits = {"this corpus's own": folds, "drawn as the paper's": []}
with warnings.catch_warnings(), notebook.where_possible("No split like the paper's:"):
    warnings.simplefilter("ignore")  # that speakers are shared is what we want to see
    splits["drawn as the paper's"] = protocols.distilser_split(studied, seed=seed)
met = {"the speaker is in training (%)": studied["speaker"]} if "speaker" in has else {}
if "text" in has:
    words = studied["text"].map(protocols.normalised, na_action="ignore")
    met["all the same words are in training (%)"] = words.where(words != "")
rows = {}
for name, split in splits.items():
    rows[name] = {"tested": sum(len(fold.test) for fold in split)}
    for what, values in met.items() if split else ():
        known = sum(values[fold.test].isin(values[fold.train].dropna()).sum() for fold in split)
        rows[name][what] = round(100 * known / rows[name]["tested"], 1)
pd.DataFrame.from_dict(rows, orient="index")

# %% [markdown]
# How much does that help? We take a *simple* model (a logistic regression), and test each utterance once by a model that
# has heard its speaker, and once by one that has not. (Where the protocol's own folds share speakers, or are very many,
# five folds of speakers stand in for them.) **Your guess,** in points of UAR?

# %% tags=["stage:training"]
gain, few = None, studied.sample(min(listen_to or len(studied), len(studied)), random_state=seed).sort_index()
with notebook.where_possible("Not measured:"):
    if "speaker" not in has or studied["speaker"].nunique() < 2:
        raise SernbError("it needs two speakers or more.")
    apart = audit.speakers_apart(studied, folds, seed)
    gain = audit.random_split_gain(few, statistics if len(statistics) else None, apart, seed)
    print(f"UAR {gain['folds']:.3f} with speakers kept apart, {gain['random']:.3f} on random folds,", end=" ")
    print(f"chance {gain['chance']:.3f}. {gain['note']}")
    notebook.headline("What a random split gains, UAR", gain["gain"], gain["low"], gain["high"])

# %%
card = (
    None,
    None,
    None,
    "cannot be tested on this corpus",
    "There are no emotions, or no speakers to keep apart.",
)
if gain:
    verdict, why = "cannot be tested on this corpus", "The interval holds 0 and more: it cannot tell."
    if gain["low"] > 0:
        verdict, why = "not seen here", "It flatters: a part of what it measures is not the emotion."
    elif gain["high"] < 0.02:
        verdict, why = "holds", "Less than two points, if anything, for this model on this corpus."
    why = f"Here: UAR of random folds minus that of speakers apart, a simple model, by {gain['unit']}. {why}"
    card = (gain["gain"], gain["low"], gain["high"], verdict, why)
text = "Implied by Table II: a test drawn at random from everybody's utterances is a fair one"
notebook.claim(paper_1, text, "not measured (its teacher's BACC, 0.812, is of such a test)", *card)

# %% [markdown]
# This is one simple model. A network of millions of weights can learn a voice or a line by heart, and may gain more: in
# the paper's split, 151 of 554 test transcripts stand word for word in training.
#
# ## Recap
#
# - A distribution of emotions is a decision (who counts *excited* as happy?), and sets what guessing already reaches.
# - Labels are opinions: alpha and one-against-the-others say how far people themselves agree on them.
# - A measure can tell who speaks, or how they feel; comparing speakers with themselves takes the first away.
# - A picture of clumps is a question; neighbours against shuffled labels are an answer.
# - Words that pass the line are what a model of words will use, for better or worse.
# - Run the audit *before* the model. What it finds costs minutes now and a paper later.
#
# ## Exercises
#
# **1.** With the paper's Figure 3 (1708, 1636, 1084, 1103): what accuracy and what UAR does a model have that always says
# "neutral"? Replace both dots (three digits).

# %% tags=["exercise"]
accuracy, uar = ..., ...
notebook.check(lambda: np.allclose([accuracy, uar], [0.309, 0.25], atol=0.001),
               "Right. UAR does not reward a model for knowing which class is frequent.",
               "Accuracy: 1708 of all. UAR: one class has recall 1, three have 0.")  # fmt: skip

# %% [markdown]
# **2.** Two annotators each say "neutral" for 80 % of the clips and "angry" for 20 %, without listening. How often do they
# agree? And if they agree on 84 % in truth, what is the agreement beyond chance, (observed − chance) / (1 − chance)?

# %% tags=["exercise"]
by_chance, beyond_chance = ..., ...
notebook.check(lambda: np.allclose([by_chance, beyond_chance], [0.68, 0.5], atol=0.005),
               "Right: 84 % sounds like much, and is half of the way from guessing to full agreement. Alpha is of this kind.",
               "Both say neutral with .8 × .8, both angry with .2 × .2; add the two.")  # fmt: skip

# %% [markdown]
# **3.** Ann speaks at 200 Hz with a standard deviation of 20 Hz, Bob at 110 Hz with 10 Hz. Ann says something at
# 225 Hz, Bob at 130 Hz. How many of their own standard deviations above their mean are they, and who sounds more aroused
# *for themselves*?

# %% tags=["exercise"]
ann, bob, more_aroused = ..., ..., "..."
notebook.check(lambda: (ann, bob, more_aroused) == (1.25, 2.0, "Bob"),
               "Right. As recorded, Ann is 95 Hz higher; compared with themselves, Bob is further from home.",
               "(225 − 200) / 20 and (130 − 110) / 10; the name with a capital letter.")  # fmt: skip

# %% [markdown]
# **4.** Let the corpus leak: `protocols.by_name("random", studied)` makes the paper's kind of split. Audit it with
# `audit.audit(studied, folds, waveforms or None)`, and count the findings with severity "leak".

# %% tags=["exercise"]
leaks = ...
notebook.check(lambda: int(leaks) > 0,
               "So speakers (and perhaps sentences) are on both sides. Which of the findings above were there before?",
               'Something like (audit.audit(…)["severity"] == "leak").sum(); a random split always shares what it can.')  # fmt: skip

# %% [markdown]
# ## References
#
# - T. M. Nguyen et al. Enhancing speech emotion recognition through knowledge distillation. 2024.
# - D. de Oliveira, N. Raj Prabhu, T. Gerkmann. Leveraging semantic information for efficient self-supervised emotion
#   recognition with audio-textual distilled models. Interspeech 2023.
# - C. Busso et al. IEMOCAP: interactive emotional dyadic motion capture database. Language Resources and Evaluation 2008.
# - K. Krippendorff. Computing Krippendorff's alpha-reliability. 2011.
# - B. L. Monroe, M. P. Colaresi, K. M. Quinn. Fightin' words: lexical feature selection and evaluation for identifying
#   the content of political conflict. Political Analysis 2008.
# - L. van der Maaten, G. Hinton. Visualizing data using t-SNE. Journal of Machine Learning Research 2008.
# - T. L. Kelley. An unbiased correlation ratio measure. Proceedings of the National Academy of Sciences 1935.
