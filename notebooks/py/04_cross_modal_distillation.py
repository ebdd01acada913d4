# %% [markdown]
# # 04 · A voice learns from words: cross-modal distillation
#
# **The paper.** R. Li, J. Zhao, Q. Jin, *Speech Emotion Recognition via Multi-Level Cross-Modal Distillation*, Interspeech 2022.
#
# Recordings with emotion labels are few. Recordings with *subtitles* are many, and machines that read emotions from words are
# good. So let the reader teach the listener: a text model reads what somebody says in a film, a speech model hears how they say it, and
# learns to answer as the reader does, word by word and layer by layer. No label of any of these recordings is needed. Afterwards the listener is
# fine-tuned on the few recordings that have labels. The paper calls this **MCED**, multi-level cross-modal emotion distillation.
#
# **You will be able to** choose pairs of sound and words by the paper's rules, write its two losses and check what a student can earn
# in them *without* listening, see where in the sound a word looks, and measure what such pretraining is worth, with all labels and with
# a fifth of them.
#
# **Time.** About seven minutes on a laptop with two cores. The paper's sizes want a GPU: `sernb run 4 --profile full`.

# %% tags=["parameters"]
corpus: str = "embedded"  # name of the corpus with labels (`sernb corpora` lists them)
root: str = ""  # folder of the corpus; empty: where sernb looks for it
on_bad: str = "raise"  # unreadable recordings: raise an error, or skip them
labels: dict = {}  # own label words of a manifest, such as {"cheerful": "happy"}
emotions: str = ""  # labels to keep, with commas between ("neutral,happy,sad,angry"); empty: all
per_speaker: int = 0  # keep so many utterances of each speaker's emotions, for a quick look; 0: all
protocol: str = "auto"  # who is tested: auto (the corpus's usual one), loso, group-k-fold …
folds_used: int = 1  # test only the first so many folds; 0: all
seeds: list[int] = [0, 1]  # each student is fine-tuned once for each
pairs: str = "embedded_pairs"  # sound and words without labels: a corpus by name, or the CSV of a manifest
pairs_used: int = 0  # so many of the pairs, drawn at random; 0: all
confident: float = 0.5  # a pair is taken where the teacher is at least so sure (the paper gives no number)
teacher: str = ""  # folder of a text teacher; empty: one is trained here, on words of the embedded corpus
text_encoder: str = "mini-bert"  # what that one starts from; the paper: bert-base-uncased
heard: str = "log-mel"  # 65 bands and their changes; compare: openSMILE's descriptors, as in the paper
recipe: str = "laptop"  # laptop: a small student, few epochs; paper: its sizes, up to 50 epochs
distil_epochs: int = 6  # epochs on the pairs; 0: the recipe's
tune_epochs: int = 8  # epochs on the labels; 0: the recipe's
ways: list[str] = ["RL", "strangers", "norm first"]  # beside RL+FL-4; also FL-4, RL+FL-1, RL+FL-2, RL+FL-3
shares: list[int] = [1, 5]  # fine-tune on all labels, and on 1/5; the paper has 1/2 and 1/3, too
distilled: int = 1  # students distilled in each way; the seeds take turns with them
jobs: int = 0  # trainings side by side, each on its share of the cores; 0: up to four, one on a GPU
cache: str = ""  # folder for features and the teacher's states; empty: kept in memory
save: str = ""  # folder for predictions, students and the teacher; empty: not saved
pictures: str = ""  # folder for the main pictures as PNG files; empty: not saved

# %% tags=["stage:imports"]
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from IPython.display import display
from joblib import delayed

from sernb import corpora, figures, notebook, protocols
from sernb.core.errors import SernbError
from sernb.core.ragged import Ragged
from sernb.core.tables import predictions_of, write_predictions
from sernb.evaluation import bootstrap, usual_unit
from sernb.features import audio, encoders
from sernb.features.frames import RATE, SHIFT, frame_features
from sernb.features.text import clean
from sernb.losses import MCEDConfig, MultiLevelLoss
from sernb.models.speech_student import LAPTOP_STUDENT, SpeechStudent, StudentConfig
from sernb.studies import listening, mced, recipes, saved, teacher_states, text_teacher
from sernb.studies.pairs import select
from sernb.studies.training import side_by_side

device = notebook.start(corpus, teacher or f"{text_encoder} as the teacher", seeds[0])

# %% [markdown]
# ## 1 · The corpus with labels
#
# Speakers are apart: who is tested was never heard before. **sentences** counts the different ones; keep an eye on them, for in
# this notebook words are a teacher, and words can leak.

# %% tags=["stage:features"]
utterances, waveforms = notebook.load(corpus, root, needs=("emotion",), emotions=emotions, labels=labels,
                                      per_speaker=per_speaker, on_bad=on_bad)  # fmt: skip
notebook.listen(waveforms[0], caption=f"{utterances.index[0]}: {utterances['emotion'].iloc[0]}")
folds = protocols.by_name(protocol, utterances)[: folds_used or None]
folds = protocols.with_validation(folds, utterances, seed=seeds[0])
classes = list(utterances["emotion"].cat.categories)
frames = frame_features(waveforms, utterances.index, heard, cache or None)
protocols.describe(folds, utterances)

# %%
WHOLE, STRANGERS, FIRST = "RL+FL-4", "strangers", "norm first"
there = ["RL", "FL-4", "RL+FL-1", "RL+FL-2", "RL+FL-3", WHOLE, STRANGERS, FIRST]
if wrong := set(ways) - set(there):
    raise SernbError(f"ways asks for {wrong.pop()!r}; choose among {', '.join(there)}")
if not seeds or not 1 <= distilled <= len(seeds):
    raise SernbError(f"distilled is {distilled}; expected 1 to {len(seeds)}, as many as there are seeds")
if wrong := [one for one in shares if one < 1]:
    raise SernbError(f"shares has {wrong[0]}; it takes whole numbers: 3 stands for a third of the labels")
distilling, tuning = (recipes.chosen(recipe, mced.RECIPES, count) for count in (distil_epochs, tune_epochs))

# %% [markdown]
# ## 2 · A teacher that reads
#
# The paper makes its teacher in three stages: **M0**, BERT as it was published; **M1**, M0 reads on in film subtitles and guesses
# masked words; **MT**, M1 is fine-tuned to tell five emotions from labelled sentences (from XED and the series *Friends*). With
# M1 its accuracy (WA) rises from 0.686 to 0.696 (Table 4; no interval given). The kit builds such a teacher with
# `sernb.studies.text_teacher`, and `making/benchmarks/text_teacher.py` repeats Table 4 on XED and MELD.

# %% [markdown]
# Here a small one will do: mini-BERT, fine-tuned on words of the embedded corpus. **Which of them may it read?** Its knowledge
# goes on to the student. Had it read the label of a tested utterance, so had the student, in secret. So it reads nothing
# that is tested in any fold, not even the same sentence spoken by someone else.

# %%
tested_ids = folds[0].test.append([fold.test for fold in folds[1:]]).unique()
words = utterances["text"].map(clean).map(protocols.normalised) if "text" in utterances else None
closed = set() if words is None else set(words[tested_ids])  # sentences that a teacher must not read
lessons = None
if not teacher:
    lessons = utterances if corpus == "embedded" else corpora.load("embedded")
    forbidden = lessons["text"].map(clean).map(protocols.normalised).isin(closed)
    if corpus == "embedded":
        forbidden |= lessons.index.isin(tested_ids)
    lessons = lessons[~forbidden]
    if lessons.empty:
        raise SernbError("all is tested, so no words are left for a teacher: set folds_used, or a teacher")
    (split,) = protocols.with_validation([protocols.Fold("teacher", lessons.index)], lessons, seed=seeds[0])
    print(f"The teacher reads {len(split.train)} utterances, {len(split.validation)} more choose its epoch.")

# %% [markdown]
# A teacher of your own (`teacher`) must not have read them either; the notebook cannot see what it read.

# %% tags=["stage:training"]
if lessons is None:
    reader, tokenizer = text_teacher.load_teacher(teacher)
else:
    encoder, tokenizer = encoders.text_encoder(text_encoder)
    learn, judge = (
        (lessons["text"][one], lessons["emotion"][one].astype(str)) for one in (split.train, split.validation)
    )
    how = text_teacher.RECIPES[recipe]
    reader, curve = text_teacher.fine_tune_text(
        encoder, tokenizer, *learn, lessons["emotion"].cat.categories, *judge, how, seeds[0]
    )
    display(curve.drop(columns="learning_rate").round(3))
reader = reader.to(device)
known = text_teacher.classes_of_teacher(reader)

# %%
on_words = None
if words is not None and utterances["emotion"].loc[tested_ids].isin(known).all():
    found = [
        text_teacher.text_predictions(reader, tokenizer, utterances, one, "the teacher") for one in folds
    ]
    on_words = bootstrap(pd.concat(found), ["WA", "weighted_f1", "UAR"]).set_index("metric")
    display(on_words[["value", "low", "high", "units"]].round(3))
else:
    print(f"The teacher knows {', '.join(known)}: its answers cannot be held against this corpus's labels.")

# %% [markdown]
# The table tells how well the teacher does on the tested *words*, with 95 % intervals by utterance. **Mind the head start**: mini-BERT learnt from 60,000
# sentences of the grammar that also wrote the embedded corpus, and was taught which are good or bad news (none of these transcripts
# among them). BERT had no such lesson. And it has read the labelled words of the whole training part; keep that in mind in section 10.
#
# **Your guess:** which two emotions will words confuse, that a voice tells apart at once?

# %% [markdown]
# ## 3 · Pairs without labels
#
# The paper cut 351 films and series at their subtitles and kept 221,000 utterances: 1.5 s or longer, more than one word,
# and the teacher sure enough of its answer. They were never published. Our pairs come from the generator of the embedded
# corpus: other voices, other sentences, and no label in the package at all.

# %% tags=["stage:features"]
own_name = pairs in corpora.CORPORA
place = (pairs,) if own_name else ("manifest", pairs)
offered, _ = notebook.load(*place, needs=("path", "text"), on_bad=on_bad, waveforms=False)
offered = offered[[one for one in ("path", "start", "end", "text", "speaker") if one in offered]]
known_words = offered["text"].map(clean).map(protocols.normalised).isin(closed)
known_words |= offered["path"].isin(utterances.loc[tested_ids, "path"])
offered = offered[~known_words]
if pairs_used:
    offered = offered.sample(min(pairs_used, len(offered)), random_state=0)
offered, offered_waves = audio.read_utterances(offered, on_bad=on_bad)
answers = teacher_states.answers(reader, tokenizer, offered["text"])
seconds = [len(one) / RATE for one in offered_waves]
kept, dropped = select(offered, answers, confident=confident, seconds=seconds)
told = offered.loc[kept]
sounds = [offered_waves[row] for row in offered.index.get_indexer(kept)]
print(f"left out beforehand, as their words are tested: {known_words.sum()}")
print(f"words that the teacher does not know: {dropped.attrs['out_of_vocabulary']:.0%}")
dropped

# %% [markdown]
# Each row is a rule; the columns to the right say how many of those left the teacher *takes for* a class. Which class loses most when the teacher
# has to be sure? A teacher that cannot tell two emotions apart is sure of neither, and a class without pairs cannot be taught.
# (`sernb run 4 -p confident=0` keeps all pairs: try whether the student gets better by it.)
#
# Listen to some, one for each class that the teacher gave. **Your guess:** what will the teacher, who only reads, have said?

# %%
sure = answers.loc[kept, known]
choice, shown = sure.idxmax(axis=1), []
for one in known:
    of_class = sure.loc[choice == one, one].sort_values().index
    shown += [of_class[len(of_class) // 2]] if len(of_class) else []
for number, name in enumerate(shown, 1):
    notebook.listen(sounds[kept.get_loc(name)], caption=f"pair {number}")

# %%
table = (100 * sure.loc[shown]).round().astype(int).astype(str) + " %"
table.insert(0, "words", told.loc[shown, "text"])
table.set_axis([f"pair {number}" for number in range(1, len(shown) + 1)])

# %% [markdown]
# Did the voice say something else than the words? The student hears the voice, and is told the words' answer. That is the
# paper's one assumption: "the internal emotional states across different modalities are similar".

# %% [markdown]
# ## 4 · A student that hears
#
# ```text
# 130 numbers every 10 ms → 4 convolutions → 6 transformer layers
#                         → maximum over time → 2 linear layers → emotions
# ```
#
# The paper does not say how wide or how fast its convolutions are; these are settings of `StudentConfig`, with our
# choices. (Utterances of one batch are filled up to the longest; that padding is masked everywhere.)

# %%
shape = {"laptop": LAPTOP_STUDENT, "paper": StudentConfig()}[recipe]
rows = {}
for name, one in {"the paper's": StudentConfig(), "here": shape}.items():
    with torch.device("meta"):
        count = sum(weights.numel() for weights in SpeechStudent(one).parameters())
    rows[name] = {"parameters": f"{count:,}", "width": one.width, "transformer layers": one.layers,
                  "a state every": f"{1000 * one.stride * SHIFT / RATE:g} ms"}  # fmt: skip
pd.DataFrame(rows).T

# %% [markdown]
# ## 5 · Two lessons: the answer, and every word
#
# **Response level (RL).** Student and teacher both give probabilities; their Kullback–Leibler divergence is made small
# (Eq. 1), softened by a temperature of 2:
#
# $$\mathcal{L}_{RL} = \frac{1}{N}\sum_i \mathrm{KL}\big(\mathrm{softmax}(z^t_i/\mathrm{temp}) \,\|\, \mathrm{softmax}(z^s_i/\mathrm{temp})\big)$$
#
# (The paper prints a minus before it, which would drive the two apart: a slip. Nor does it give its temperature.)

# %% [markdown]
# **Feature level (FL).** Words and moments of sound differ in number. So each word $h^t$ of a teacher's layer compares itself with every moment
# $h^s$ of a student's layer: the better the match, the more of that moment goes into its weighted mean (Eq. 2). The mean square
# distance of that mean from the word itself is made small (Eq. 3), each pair of layers with a weight λ:
#
# $$A = \mathrm{softmax}\!\left(\frac{h^t W_q\ \mathrm{GELU}(h^s W_k)^\top}{\sqrt{d_t}}\right), \qquad
# \mathcal{L}_{FL} = \frac{1}{N}\sum_i \sum_j \lambda_j \left| A\ \mathrm{GELU}(h^s W_v) - h^t \right|^2$$
#
# The paper pairs layers 6, 8, 10 and 12 of BERT with 3, 4, 5 and 6 of the student, λ = 0.1, 0.1, 0.2, 0.3; from a teacher of another depth we take
# the layers at the same shares of it. $A$, the **soft alignment**, has a row a word and says where it listens.

# %%
depth = reader.config.num_hidden_layers
layers = [max(1, round(depth * one / 12)) for one in (6, 8, 10, 12)]
whole = MCEDConfig(pairs=tuple(zip(layers, (3, 4, 5, 6), strict=True)))
kinds = {f"RL+FL-{count}": whole.last(count) for count in range(4, 0, -1)}
kinds |= {"RL": whole.last(0), "FL-4": replace(whole, response=False), STRANGERS: whole}
tried = [one for one in dict.fromkeys([WHOLE, *ways]) if one != FIRST]
states = teacher_states.teacher_states(reader, tokenizer, told["text"], layers, cache or None)
print(f"layers (teacher → student): {', '.join(f'{a}→{b}' for a, b in whole.pairs)}")
print(f"{states.words.sum():,} pieces of words in {len(kept):,} texts; the teacher's states of them take "
      f"{states.states.values.nbytes / 1e6:,.0f} MB")  # fmt: skip

# %% [markdown]
# The teacher is asked once, and its states are kept in half precision. The student is distilled in several ways: **RL+FL-4**, the whole of MCED;
# **RL** and **FL-4**, each level by itself; and a control that the paper has not, **strangers**: the whole loss, but the sounds are dealt out
# anew, so that a text goes with the sound of *another* pair. That student trains as long and has as much to fit, with nothing to be learnt of the sound that it hears.
#
# Some voices (where speakers are not known: some pairs) are held out. They choose the best epoch, and all numbers of this section and the next are theirs.
#
# **Your guess:** in which lesson will the student that hears strangers do nearly as well?

# %% tags=["stage:training"]
from sklearn.model_selection import GroupShuffleSplit

pair_frames = frame_features(sounds, kept, heard, cache or None)
voices = told["speaker"] if "speaker" in told and told["speaker"].notna().all() else told.index.to_series()
voices = voices if voices.nunique() > 5 else told.index.to_series()
learned, held = next(GroupShuffleSplit(1, test_size=0.1, random_state=0).split(told, groups=voices))
mixed, rng = np.arange(len(kept)), np.random.default_rng(0)
for part in (learned, held):
    mixed[part] = rng.permutation(part)
strange = Ragged.of([pair_frames[row] for row in mixed]) if STRANGERS in tried else None
runs = [(way, seed) for way in tried for seed in range(distilled)]
tasks = (
    delayed(mced.distil)(
        strange if way == STRANGERS else pair_frames, states, None, shape, kinds[way], distilling, seed, held
    )
    for way, seed in runs
)
with notebook.workers(jobs, device):
    pupils = dict(zip(runs, side_by_side(tasks, "distilling", len(runs), "student"), strict=True))

# %%
first, last = (f"FL {'→'.join(map(str, one))}" for one in (whole.pairs[0], whole.pairs[-1]))
history = []
for (way, seed), pupil in pupils.items():
    curve = pupil.curve.drop(columns="loss").rename(columns=lambda name: name.removeprefix("held_out_"))
    curve = curve.reindex(columns=["epoch", "RL", *dict.fromkeys([first, last])])
    history.append(curve.assign(part=way, fold=str(seed)))
title = f"{len(held)} held-out pairs of {len(kept)}: the answer, and words in two pairs of layers"
notebook.keep(figures.learning_curves(pd.concat(history), title=title), "04_distilling", pictures)

# %% [markdown]
# The losses fall. Does the student listen, or has it only learnt an average? What could it earn that says *always the same*? For the answer
# that is the teacher's average answer; for the words, their average state. And Eq. 2 has a floor: GELU is nowhere below −0.17, and neither is an
# average of its values, while the teacher's states are. What lies lower cannot be reached by any student.


# %%
lessons_of = listening.without_listening(whole, states, learned, held)
for way in tried:
    curves = [pupils[way, seed].curve for seed in range(distilled)]
    reached = pd.concat([one.loc[one["held_out_loss"].idxmin()] for one in curves], axis=1).mean(axis=1)
    lessons_of[way] = reached.reindex("held_out_" + lessons_of.index).to_numpy()
lessons_of.style.format("{:.3f}", na_rep="–")

# %% [markdown]
# **What to look at.** Row RL: only what lies below *always the same* was heard. Rows FL: compare with **strangers**. A word is
# both the question and the target, so the loss can fall with the wrong sound, too: any sound will do as a notebook in which
# to look the answer up. What the true sound adds is how much *lower* the whole of MCED comes than strangers. Where it does not, the
# second lesson was learnt without listening.

# %% [markdown]
# ## 6 · Where does a word listen?
#
# The words of a held-out pair, top down, and the time from left to right. Dark is little, bright is much; the dot is where a word listens
# most. Play it, then point at a word.
#
# **Your guess:** will the dots run down a diagonal?


# %%
pupil = pupils[WHOLE, 0]
step = pupil.student.shape.stride * SHIFT / RATE
looked_at = held[np.argsort(states.words[held], kind="stable")[len(held) // 2]]
(found,) = listening.alignments(pupil, states, pair_frames, [looked_at])
name, pair = kept[looked_at], whole.pairs[-1]
ids = tokenizer(clean(told.loc[name, "text"]))["input_ids"][1:-1][: states.words[looked_at]]
spelt, rows = figures.alignment_of_words(ids, found[pair], tokenizer)
notebook.listen(sounds[looked_at], caption=told.loc[name, "text"])
title = f"Layer {pair[0]} of the teacher asks layer {pair[1]} of the student"
display(figures.soft_alignment(rows, spelt, sounds[looked_at], step, title=title))
if pictures:
    still = figures.alignment_picture(rows, spelt, sounds[looked_at], step, title=title)
    notebook.keep(still, "04_alignment", pictures)

# %% [markdown]
# Is it a diagonal, or do all words look at the same place, such as the silence at the beginning? One picture proves little, so let us count.
# For each held-out pair: does the *centre* of a word's listening (its mean time, weighted by the alignment) move on as the words do? A
# rank correlation of 1 says in perfect order, 0 in none, −1 backwards. Held against
#
# - an **untrained** student with untrained blocks: what the shape of the network alone does;
# - the trained one with **another pair's sound**: words know their place in the sentence, and states theirs in time, so an order
#   may come without any listening.
#
# **Your guess:** does the order need the right sound?


# %%
torch.manual_seed(seeds[0])
blank = SpeechStudent(pupil.student.shape).to(device)
blocks = MultiLevelLoss(whole, states.width, shape.width, depth, shape.layers)
blank = pupil._replace(student=blank, loss=blocks.to(device))
alike = held[np.argsort(pair_frames.lengths[held], kind="stable")]  # a neighbour is about as long
given = {"trained": (pupil, alike), "untrained": (blank, alike),
         "trained, another pair's sound": (pupil, np.roll(alike, 1))}  # fmt: skip
given = {
    who: listening.alignments(one, states, pair_frames, alike, sound) for who, (one, sound) in given.items()
}
rows = {}
for pair in whole.pairs:
    order = {who: listening.in_order(found, pair) for who, found in given.items()}
    trained, untrained, other = order.values()
    order |= {"trained − untrained": trained - untrained, "own − another's sound": trained - other}
    means = {who: notebook.t_interval(one) for who, one in order.items()}
    rows["→".join(map(str, pair))] = {who: notebook.interval(mean, "+.2f") for who, mean in means.items()}
print(f"rank correlation of word order and centres of listening, {len(held)} held-out pairs")
pd.DataFrame(rows).T.rename_axis("layers")

# %%
_, low, high = notebook.t_interval(trained - other)
outcome = "the right sound makes no difference that can be seen here: the map is no proof of listening."
if low > 0:
    outcome = "the order follows the sound: with another pair's it is weaker."
elif high < 0:
    outcome = "the order is better with another pair's sound: the map is no alignment."
print(f"In the last pair of layers {outcome}")

# %% [markdown]
# Nothing in the loss asks for an order; a word may find what helps it anywhere in the utterance. So a weak correlation does not say that
# distilling failed. It says that the picture is no transcript.

# %% [markdown]
# ## 7 · Before any label: which emotions has it heard?
#
# "Without any labeled speech emotion data", says the paper of this stage, and measures what comes after it. But the student has answers
# already: nobody told it what anger sounds like, only which *words* go with which sounds. Let it hear the tested voices.
#
# **Your guess:** two of its emotions will be confused with two others. Which with which?

# %%
named = utterances.loc[tested_ids]
named = named[named["emotion"].isin(known)]
judged = []
for (way, seed), pupil in pupils.items() if len(named) else ():
    if kinds[way].response:  # others never learnt to answer
        rows = utterances.index.get_indexer(named.index)
        said = mced.predict(pupil.student, pupil.scaling.applied(frames), rows)
        said = pd.DataFrame(said, named.index, list(pupil.student.shape.classes))
        judged.append(predictions_of(said, utterances, "before any label", way).assign(seed=seed))
if judged:
    judged = pd.concat(judged)
    unlabelled = bootstrap(judged, ["UAR", "WA"], unit=usual_unit(judged))
    chance_of = {"chance": {"UAR": 1 / named["emotion"].nunique()}}
    notebook.keep(figures.model_comparison(unlabelled, chance_of), "04_before_any_label", pictures)
else:
    print(f"No tested utterance has an emotion that the teacher knows ({', '.join(known)}).")

# %%
if len(judged):
    one = judged[(judged["model"] == WHOLE) & (judged["seed"] == judged["seed"].min())]
    notebook.keep(figures.confusion_matrix(one), "04_heard_without_labels", pictures)

# %% [markdown]
# Is there a system in its mistakes? Ask two coarser questions of the same probabilities (of the first student): how **stirred** (happy,
# angry, surprised, fearful) and how **unpleasant** (sad, angry, fearful, disgusted, bored) does it take an utterance to be? The number is an
# AUC: take one utterance of each kind; how often does the right one get the higher number? Chance is one half.

# %%
from scipy.stats import bootstrap as resampled
from sklearn.metrics import roc_auc_score

QUESTIONS = {"stirred or calm": {"happy", "angry", "surprised", "fearful"},
             "pleasant or unpleasant": {"sad", "angry", "fearful", "disgusted", "bored"}}  # fmt: skip
coarse = {}
for question, names in QUESTIONS.items() if len(judged) else ():
    for way, table in judged[judged["seed"] == judged["seed"].min()].groupby("model", sort=False):
        score = table[[f"p_{one}" for one in known if one in names]].sum(axis=1)
        truth = table["emotion"].isin(names)
        if truth.nunique() == 2:
            ends = resampled((truth, score), roc_auc_score, n_resamples=500, paired=True, vectorized=False,
                             method="percentile", rng=0).confidence_interval  # fmt: skip
            value = notebook.interval((roc_auc_score(truth, score), *ends), ".3f")
            coarse.setdefault(question, {})[way] = value
pd.DataFrame(coarse)

# %% [markdown]
# **What to look at.** In the matrix a row is what was meant, a column what the student answered. On our synthetic speech it has learnt to hear
# **arousal**, and that well: anger, stirred as joy is, goes to *happy*, and sadness, quiet as plain speech, to *neutral*. Only
# what words and voice share can pass from teacher to student. Nor could a teacher that is never sure of *sad* teach it. **Strangers**, taught with the wrong sounds, have nothing to go by: their little
# differences still follow loudness or pitch, this way or that, so an AUC of theirs may lie on either side
# of one half; the interval is about other utterances, not about another such student.

# %% [markdown]
# ## 8 · Table 5: is it worth it?
#
# Now the labels. Every student gets a new classifier for this corpus's emotions, the same one for all, and is fine-tuned on the training
# part: same rows, same order, same number of steps; validation chooses the epoch. The only difference is where its body comes from. *No
# pretraining* is the paper's Student−MCED; *MCED*, its Student+MCED, is RL+FL-4 fine-tuned. (The paper: 10 folds, three runs of each.)
#
# Two controls, which the paper has not. **Strangers** had the same lessons with the wrong sounds. **Norm first** has had no lesson at
# all: only its layer norms stand *before* each part of a layer instead of behind it, which makes deep transformers easier to train
# from nothing (Xiong et al. 2020). If that alone gains as much, pretraining was a good place to start from, rather than knowledge.
#
# **Your guess:** will MCED beat *no pretraining* by more than *strangers* does?

# %% tags=["stage:training"]
NONE, MCED = "no pretraining", "MCED"
places = dict(zip(seeds, np.resize(np.arange(distilled), len(seeds)), strict=True))
starts = {NONE: None}
for way in tried:
    name = MCED if way == WHOLE else way
    starts[name] = {seed: pupils[way, place].student for seed, place in places.items()}
two = {name: starts[name] for name in (NONE, MCED)}
with notebook.workers(jobs, device):
    everything, curves = mced.train_folds(utterances, frames, folds, starts, shape, tuning, seeds, [1.0])
    found = [everything]
    if FIRST in ways:
        other = replace(shape, norm_first=True)
        found.append(mced.train_folds(utterances, frames, folds, {FIRST: None}, other, tuning, seeds)[0])
    for count in sorted(set(shares) - {1}):
        longer = replace(tuning, epochs=tuning.epochs * (count if recipe == "laptop" else 1))
        found.append(mced.train_folds(utterances, frames, folds, two, shape, longer, seeds, [1 / count])[0])
everything = pd.concat(found)
tested = everything[everything["part"] == "test"]
full = tested[tested["share"] == 1]

# %%
valid = curves[curves["start"].isin([NONE, MCED])]
valid = valid.assign(fold=valid["fold"] + " " + valid["seed"].astype(str), part=valid["start"])
valid = valid.rename(columns={"validation_UAR": "UAR", "validation_loss": "cross-entropy"})
title = "Fine-tuning, validation: a thin line a fold and seed"
figures.learning_curves(valid[["epoch", "part", "fold", "cross-entropy", "UAR"]], title=title)

# %%
unit, metrics = usual_unit(full), ["UAR", "WA", "weighted_f1"]
intervals = bootstrap(full, metrics, unit=unit)
both = intervals[intervals["model"].isin([NONE, MCED])]
chance = {"chance": {"UAR": 1 / len(classes)}}
notebook.keep(figures.model_comparison(both, chance), "04_with_and_without", pictures)
print(f"seeds: {len(seeds)} (their mean); folds: {len(folds)} (pooled); tested: {full.index.nunique()}")
if on_words is not None:
    print(f"The teacher, who reads the words: UAR {on_words['value']['UAR']:.3f}.")

# %% [markdown]
# Overlapping intervals decide nothing; the *difference* has its own. Two intervals answer two questions: would it survive other
# utterances (other speakers, where ten or more were tested)? And another random start of fine-tuning (another distilled student, or
# another teacher, would be one more source of luck)? With two seeds the second is very wide. `p` belongs to the first.


# %%
def compare(a: str, b: str, metric: str = "UAR") -> pd.Series:
    """Metric of a less that of b, with intervals over utterances (or speakers) and over seeds."""
    return notebook.compare(tested, a, b, metric, unit)


# %%
gain = compare(MCED, NONE)
notebook.headline("MCED − no pretraining, UAR", gain)
against = [gain, *(compare(MCED, NONE, metric) for metric in metrics[1:])]
against += [compare(MCED, one) for one in (STRANGERS, FIRST) if one in starts or one in ways]
notebook.comparisons(against)

# %% [markdown]
# **What to look at.** First row: does the first interval leave zero out? The last rows: is it the teacher's knowledge, or would any training on
# these sounds, or a student that is easier to train, have done it? And which emotions change? Below, MCED less no pretraining, in points of each row.

# %%
notebook.keep(figures.confusion_difference(full, NONE, MCED), "04_confusion", pictures)

# %% [markdown]
# ## 9 · Table 6: which lesson does it?
#
# RL is the answer alone, FL-4 the words alone, RL+FL-k both with the last $k$ pairs of layers. Beside it, the paper's numbers on IEMOCAP
# and MELD: compare directions, not sizes.
#
# **Your guess:** "the performance keeps increasing as we use more layers", says the paper. Does its own column do so?

# %%
order = [NONE, *(one for one in kinds if one in tried and one not in (WHOLE, STRANGERS)), MCED]
order += [one for one in (STRANGERS, FIRST) if one in ways]
drawn = intervals[intervals["metric"] == "UAR"].set_index("model").loc[order].reset_index()
notebook.keep(figures.model_comparison(drawn, chance), "04_levels", pictures)

# %%
ours = intervals.pivot(index="model", columns="metric", values="value").rename(index={MCED: WHOLE})
ours = ours[metrics].set_axis(["here UAR", "here WA", "here WF1"], axis=1)
mced.PRINTED.join(ours, how="left").style.format("{:.3f}", na_rep="not run")

# %% [markdown]
# Ways that were not run: `sernb run 4 -p ways=[RL,FL-4,RL+FL-1,RL+FL-2,RL+FL-3,strangers]`.

# %%
steps = [compare(one, NONE) for one in order if one != NONE]
steps += [compare(MCED, one) for one in order if one not in (NONE, MCED)]
notebook.comparisons(steps)

# %% [markdown]
# ## 10 · Table 7: with fewer labels
#
# Pretraining should help most where labels are few. Both students get the same share of the training labels; the validation part
# stays whole (the paper gives Student−MCED all labels only, the dashed line). A fifth of the labels would be a fifth of the steps,
# too, and who starts from nothing has the longer way: so here a share of 1/n gets n times the epochs, about as many steps. (With
# `--profile full` all have 50 epochs at most.) One thing favours MCED: its teacher has read the words and labels of *all* of
# the training part. A teacher of other sentences (`teacher`) would be the stricter trial.
#
# **Your guess:** where do the two curves lie farthest apart?


# %%
def at_share(start: str, count: int) -> str:
    """The model's name as `train_folds` gives it."""
    return start if count == 1 else f"{start}, {Fraction(1, count)} of the labels"


counts = sorted(set(shares) | {1})
labelled = np.mean([utterances.loc[fold.train, "emotion"].notna().sum() for fold in folds])
rows = []
for start in (NONE, MCED):
    for count in counts:
        found = bootstrap(tested[tested["model"] == at_share(start, count)], "UAR", unit=unit).iloc[0]
        row = {"start": start, "share": 1 / count, "labels": labelled / count}
        rows.append(row | found[["value", "low", "high"]].to_dict())
picture = figures.label_shares(pd.DataFrame(rows), reference=NONE, chance=1 / len(classes))
notebook.keep(picture, "04_label_shares", pictures)

# %%
notebook.comparisons(compare(at_share(MCED, count), at_share(NONE, count)) for count in counts)

# %% [markdown]
# In brackets: about how many labelled utterances. The intervals of one curve move together (the same test utterances), so a crossing is best read from
# the table of differences. The validation part is not counted among the labels, for either student: with a fifth of the labels one would hardly have one.

# %% [markdown]
# ## 11 · The paper's claims, held against this run
#
# Fixed before the run: a claim *holds* where the 95 % interval of the difference in UAR lies above zero, over test utterances and over seeds (where
# there are two or more). A claim about several differences holds if it holds for all; its card shows the weakest. *Not seen here* is no
# disproof: two seeds and one fold can only show a large difference.

# %%
paper, start = "Li et al. 2022", ""
if corpus == "embedded" and not teacher:
    start = "Teacher and pairs come from the grammar that wrote this corpus: a head start. "


def card(words: str, number: str, rows: list, why: str = "", whose: str = paper) -> None:
    """A claim card for differences in UAR, over test utterances and over seeds: the weakest is shown."""
    told = []
    for row in rows:
        over = notebook.interval(tuple(row[["difference", "seeds low", "seeds high"]]))
        told.append(f"{row['a']} less {row['b']}: {notebook.interval(row)}, over seeds {over}")
    of_run = f"by {unit}, seeds: {len(seeds)}, folds: {len(folds)}"
    why += f"{'; '.join(told)}; {of_run}." if rows else "Not run: see the parameters `ways` and `shares`."
    rows = sorted(rows, key=lambda row: np.fmin(row["low"], row["seeds low"]))[:1]  # fmin leaves a NaN out
    why += " Here it is worse." if rows and rows[0]["high"] < 0 else ""
    over_seeds = [row["seeds low"] for row in rows if row["seeds low"] == row["seeds low"]]
    notebook.claim_of(whose, words, number, rows, why, also=over_seeds)


# %%
card("Pretraining with MCED improves the student (Table 5)",
     "+0.025 UAR on IEMOCAP (0.614 against 0.589), +0.074 WF1 on MELD (0.446 against 0.372)", [gain], start)  # fmt: skip
if STRANGERS in tried:
    card("What helps is the knowledge of the text teacher", "no such control", [compare(MCED, STRANGERS)],
         "Against a student that was distilled as long, from texts of other recordings. ", "This notebook")  # fmt: skip
if FIRST in ways:
    card("Pretraining is worth more than a student that is easier to train from nothing", "no such control",
         [compare(MCED, FIRST)], "Against the same student without pretraining, with layer norms first. ", "This notebook")  # fmt: skip
single = [compare(MCED, one) for one in ("RL", "FL-4") if one in tried]
card("Both levels together beat either alone (Table 6)", "IEMOCAP UAR +0.015 over RL, +0.021 over FL-4",
     single if len(single) == 2 else [])  # fmt: skip
card("Performance keeps increasing with more pairs of layers (Table 6)",
     "IEMOCAP UAR, FL-1 to FL-4: 0.608, 0.603, 0.611, 0.614",
     [compare(MCED, "RL+FL-1")] if "RL+FL-1" in tried else [], "Four pairs of layers against one. ")  # fmt: skip

# %%
for count, words, number in (
    (2, "With half of the labels it beats the student without pretraining that has all of them (IEMOCAP)",
     "+0.001 UAR (0.590 against 0.589)"),
    (5, "With a fifth of the labels it beats the student without pretraining that has all of them (MELD)",
     "+0.005 WF1 (0.377 against 0.372); on IEMOCAP −0.048 UAR, which is what is tested here"),
):  # fmt: skip
    rows = [compare(at_share(MCED, count), NONE)] if count in counts else []
    card(f"{words} (Table 7)", number, rows, start)

# %% [markdown]
# ## 12 · Real voices
#
# Does a student that learnt from synthetic English help with speech that it never saw? Before any label it tells stirred from calm in
# English and in German actors, too; what is left of that after fine-tuning is another question. Give the notebook another corpus:
# `sernb run 4 --corpus ravdess --root FOLDER`, or `emodb` (German). Teacher and pairs stay as they are, only the labelled part changes; what the kit
# found there stands in [docs/results](../docs/results/mced.md). For a fair trial of the *method* bring pairs of the same kind as the corpus
# (`pairs`: any recordings with subtitles) and a teacher that learnt from real sentences (`teacher`).

# %% [markdown]
# ## Recap
#
# - A text teacher can teach a speech student without a label of any recording. What it can teach is what *words* know.
# - A falling loss is not yet learning: hold it against the best constant answer, and against strangers' sound.
# - A soft alignment is a means, not a transcript. Whether it follows the sound can be counted.
# - A teacher must not have read what is tested, nor may its students.
# - The gain is a difference with intervals, at each share of the labels; most of the paper's differences are of one to three points, without any.

# %%
if save:
    write_predictions(tested.drop(columns=["start", "share"]), Path(save) / "predictions.csv")
    about = {"corpus": pairs if own_name else "manifest", "features": heard}
    for (way, seed), pupil in pupils.items():
        folder = Path(save) / "students" / f"{way} {seed}"
        saved.save(pupil.student, folder, about, scaling=pupil.scaling)
        pupil.curve.to_csv(Path(save) / f"distilling {way} {seed}.csv", index=False)
    if not teacher and not (Path(save) / "teacher").exists():
        text_teacher.save_teacher(reader, tokenizer, Path(save) / "teacher")
    print(f"saved to {save}")

# %% [markdown]
# ## Exercises
#
# **1.** The teacher says (0.8, 0.1, 0.05, 0.05), the student as yet 0.25 of each. What is KL(teacher ‖ student), in nats (two
# digits)? And with the minus that Eq. 1 prints: would making the loss small drive the two "together" or "apart"?

# %% tags=["exercise"]
kl, printed = ..., "..."
notebook.check(lambda: np.isclose(kl, 0.68, atol=0.006) and printed == "apart",
               "Right: a divergence is never below zero, so the most negative loss is the largest distance.",
               "Add up p · ln(p / q) over the four classes; then ask for which student minus that sum is smallest.")  # fmt: skip

# %% [markdown]
# **2.** A word's scaled scores for two states, at 0 and 40 ms, are (ln 3, 0); the states' values are 4 and 0. What does the word
# hear (the aligned value), and where is the centre of its listening, in ms?

# %% tags=["exercise"]
aligned, centre = ..., ...
notebook.check(lambda: np.allclose([aligned, centre], [3, 10]),
               "Right: three quarters of the listening go to the first state.",
               "softmax(ln 3, 0) gives two shares; take the mean of the values, and of the times, weighted by them.")  # fmt: skip

# %% [markdown]
# **3.** The teacher was fine-tuned on *all* transcripts of a corpus. The student then heard only unlabelled pairs of another corpus, and
# was fine-tuned on the training speakers. Whose score does this make too good? Answer with a set out of "no pretraining", "MCED", "RL",
# "strangers".

# %% tags=["exercise"]
too_good = ...
notebook.check(lambda: set(too_good) == {"MCED", "RL"},
               "Right: tested labels reach them through the teacher. With strangers' sound nothing of it can be learnt.",
               "Follow those labels: to the teacher, and from there to whom? Does a true answer meet its own sound?")  # fmt: skip

# %% [markdown]
# ## References
#
# - R. Li, J. Zhao, Q. Jin. Speech emotion recognition via multi-level cross-modal distillation. Interspeech 2022.
# - S. Albanie, A. Nagrani, A. Vedaldi, A. Zisserman. Emotion recognition in speech using cross-modal transfer in the wild. ACM
#   Multimedia 2018. A teacher that sees faces.
# - G. Hinton, O. Vinyals, J. Dean. Distilling the knowledge in a neural network. 2015.
# - S. Gururangan et al. Don't stop pretraining: adapt language models to domains and tasks. ACL 2020. Stage M1.
# - E. Öhman et al. XED: a multilingual dataset for sentiment analysis and emotion detection. COLING 2020.
# - R. Xiong et al. On layer normalization in the transformer architecture. ICML 2020. Norm first.
# - H. Xu et al. Learning alignment for multimodal emotion recognition from speech. Interspeech 2019.
