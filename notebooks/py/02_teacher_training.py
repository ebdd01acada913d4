# %% [markdown]
# # 02 · Hearing and reading at once: the teacher, 3M-SER
#
# **The papers.** P.-N. Tran et al., *Multi-modal Speech Emotion Recognition: Improving Accuracy through Fusion of VGGish
# and BERT Features with Multi-head Attention*, 2023; T. M. Nguyen, P.-N. Tran, D. N. M. Dang, *Enhancing Speech Emotion
# Recognition through Knowledge Distillation*, 2024. The second makes the first its teacher; notebook 03 is about the
# students.
#
# "They cancelled the audit" is good news or bad news, and the voice may not say which. This network reads the words with
# BERT, listens with VGGish, and lets attention decide what counts.
#
# **You will be able to** follow one utterance through both streams, count the network's parameters in the two ways that
# papers count, train it in two stages, find out what each stream is worth, and see what a random split does to a score.
#
# **Time.** The settings below are cut for a laptop with two cores, where the whole notebook takes some minutes; those of
# the paper want a GPU: `sernb run 2 --profile full`.

# %% tags=["parameters"]
corpus: str = "embedded"  # name of a corpus (`sernb corpora` lists them)
root: str = ""  # folder of the corpus; empty: where sernb looks for it
on_bad: str = "raise"  # unreadable recordings: raise an error, or skip them
labels: dict = {}  # own label words of a manifest, such as {"cheerful": "happy"}
emotions: str = ""  # labels to keep, with commas between ("neutral,happy,sad,angry"); empty: all
per_speaker: int = 0  # keep so many utterances of each speaker's emotions, for a quick look; 0: all
protocol: str = "auto"  # who is tested: auto (the corpus's usual one), loso, group-k-fold-by-both …
folds_used: int = 0  # run only the first so many folds; 0: all
seed: int = 0  # of weights and of the order of the utterances
text_encoder: str = "mini-bert"  # mini-bert, a folder, or a hub name; the paper: bert-base-uncased
audio_encoder: str = "mini-vggish"  # mini-vggish, vggish (published weights), a .pth file or a folder
postprocess: bool = False  # VGGish's own PCA, clipping and rounding; needs the published weights
recipe: str = "laptop"  # laptop; paper, code: as published, SGD at 1e-6 with one utterance a step
transfer_epochs: int = 0  # epochs of the head alone; 0: the recipe's
fine_tune_epochs: int = 3  # epochs with the text encoder; 0: the recipe's
ablation: list[str] = ["text", "audio"]  # streams to try alone, beside both together
random_split: bool = True  # train on the paper's random split too, and compare
jobs: int = 0  # trainings side by side, each on its share of the cores; 0: up to four, one on a GPU
utterance: str = ""  # the utterance to look at; empty: the first that the teacher got right
cache: str = ""  # folder for what frozen encoders make of the corpus; empty: kept in memory
save: str = ""  # folder for predictions and the teachers; empty: not saved
pictures: str = ""  # folder for the main pictures as PNG files; empty: not saved

# %% tags=["stage:imports"]
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from IPython.display import display

from sernb import figures, notebook, protocols
from sernb.core.errors import SernbError
from sernb.core.tables import write_predictions
from sernb.evaluation import bootstrap, scores, usual_unit
from sernb.evaluation.audit.parts import speakers as shared_speakers
from sernb.evaluation.audit.words import transcripts as shared_transcripts
from sernb.features import encoders
from sernb.features.text import clean, words_of
from sernb.models.three_m_ser import ThreeMSERConfig
from sernb.models.vggish import EXAMPLE_SECONDS, examples_of
from sernb.studies import recipes, saved, sizes, three_m_inputs, three_m_ser
from sernb.studies.three_m_inputs import attention_of, left_out
from sernb.studies.three_m_ser import RECIPES

device = notebook.start(corpus, f"{text_encoder} + {audio_encoder}", seed)
stages = recipes.chosen(recipe, RECIPES).with_epochs(transfer_epochs, fine_tune_epochs)

# %% [markdown]
# ## 1 · Words and sound
#
# We load the corpus, and read its recordings at 16 kHz. Notes of the transcriber, in brackets, go; an utterance without a
# word becomes "NULL", as in the authors' code.

# %% tags=["stage:features"]
utterances, waveforms = notebook.load(corpus, root, needs=("text", "emotion"), emotions=emotions, labels=labels,
                                      per_speaker=per_speaker, on_bad=on_bad)  # fmt: skip
words = utterances["text"].map(clean)
print(f"{words.nunique()} different texts, {(words == 'NULL').sum()} without a word")
figures.class_balance(utterances)

# %% [markdown]
# **Who is tested?** Nobody who was trained on, unless you ask for a protocol that mixes: then it is said above the table.
# A part of the training side is set aside for validation: the weights that do best there are kept, and the test part has
# no say in that.


# %%
def shared(folds: list) -> None:
    """Who, and what words, stand on both sides of these folds."""
    for finding in (shared_speakers(utterances, folds), shared_transcripts(utterances, folds)):
        print(f"{finding['severity'].upper()}: {finding['finding']}")


folds = protocols.by_name(protocol, utterances)[: folds_used or None]
folds = protocols.with_validation(folds, utterances, seed=seed)
shared(folds)
protocols.describe(folds, utterances)

# %% [markdown]
# ## 2 · Two streams
#
# BERT takes the text apart into pieces, one vector each. VGGish cuts the sound into *examples* of 0.96 s, makes a log-mel
# picture of 96 frames × 64 bands of each, and turns it into 128 numbers. What is left at the end, too short for another
# example, is dropped; a recording shorter than one is filled with silence.
#
# The small encoders `mini-bert` and `mini-vggish` come from the embedded corpus's own workshop. mini-bert was told of
# 60,000 *other* sentences of the same grammar whether they are good or bad news; mini-vggish, how synthetic voices were
# set. No emotion label, speaker or transcript of the corpus was used. Still, scores with them are high for so small a
# corpus, and say nothing of real speech.

# %% tags=["stage:features"]
text, tokenizer = encoders.text_encoder(text_encoder)
vggish = encoders.audio_encoder(audio_encoder)
pca = encoders.published_pca() if postprocess else None
lengths = np.array([len(wave) for wave in waveforms])
example = int(np.abs(lengths - np.median(lengths)).argmin())  # a recording of typical length
name = utterances.index[example]
pieces = tokenizer.convert_ids_to_tokens(tokenizer(words.iloc[example])["input_ids"])
pictures_heard = examples_of(waveforms[example])
notebook.listen(waveforms[example], caption=f"{name} · {words.iloc[example]}")

# %% [markdown]
# **Before you look:** how many vectors will the fusion see of this utterance?

# %%
print(f"{len(pieces)} pieces of text + {len(pictures_heard)} examples of {EXAMPLE_SECONDS} s")
both = figures.streams(waveforms[example], pictures_heard.numpy(), pieces, title=f"{name}: two streams")
notebook.keep(both, "02_streams", pictures)

# %% [markdown]
# VGGish is never trained here, so what it makes of the corpus is computed once. The same goes for BERT, as long as it is
# frozen.

# %% tags=["stage:features"]
text, vggish = text.to(device), vggish.to(device)
live = stages.fine_tune.train_audio  # VGGish learns too, so its input is kept
options = {"keep_examples": live, "cache": cache or None}
inputs = three_m_inputs.prepare(utterances, waveforms, tokenizer, vggish, pca, **options)
unknown = np.mean(inputs.tokens.values == tokenizer.unk_token_id)
counts = (inputs.tokens.lengths.mean(), inputs.audio.lengths.mean())
print("{:.1f} pieces and {:.1f} examples an utterance".format(*counts))
print(f"{100 * unknown:.1f} % of the pieces are unknown to {text_encoder}")

# %% [markdown]
# ## 3 · The network, and how to count it
#
# The words pass through self-attention, a linear layer to 128 and a layer norm; the sound through a layer norm. Then both
# lie on **one time axis**, words first, and a second attention mixes them. Only position 0 of the result is read: the
# place of `[CLS]`, which has by then asked every word and every second. Two linear layers make class scores of it.
#
# Now the counting. The paper's Table II says 157.91 million parameters for the teacher. The network has 184,176,068. Both
# describe the same network: the published numbers leave out BERT's embeddings and both attention blocks. (Profilers count
# the types of module that they know.) And so "44.9 % smaller" becomes 38.5 % when all is counted.

# %%
published = sizes.tables()
print(sizes.in_words(published))
named = {"teacher": 12, "BERT6": 6, "BERT4": 4, "BERT2": 2}
rows = [sizes.modules(sizes.of_depth(None, count)).assign(model=one) for one, count in named.items()]
lacking = rows[0].query("published == 0")["all"] / 1e6
parts = " + ".join(f"{count:.2f} M ({module})" for module, count in lacking.items())
print(f"\nleft out of every row: {parts} = {lacking.sum():.2f} M")
counted = figures.two_counts(pd.concat(rows).reset_index(), "The paper's networks, counted twice")
notebook.keep(counted, "02_parameters", pictures)

# %% [markdown]
# And the network that we train here:

# %%
config = ThreeMSERConfig(classes=inputs.classes)
pretrained = three_m_ser.Encoders(text, vggish, config, postprocess=pca)
sizes.modules(pretrained.network(inputs.classes, seed))

# %% [markdown]
# ## 4 · Two stages
#
# **Transfer:** both encoders are frozen; only the head learns. **Fine-tuning:** the text encoder learns too, VGGish stays
# frozen. Each stage hands on the weights that did best on the validation part.
#
# The paper trains with SGD at a learning rate of one millionth. That sounds like nothing, and for a single step it is.
# Three things multiply it: momentum 0.99, in the authors' code, sums up the last hundred steps or so; one utterance a
# step makes as many steps an epoch as there are utterances (IEMOCAP: 4,479); and there are 150 epochs. The last column
# says how far a weight could travel on this corpus under a constant gradient of 1, the falling rate included.

# %%
count, rows = len(folds[0].train), {}
for one, plan in {"paper": RECIPES["paper"], "laptop": RECIPES["laptop"], "here": stages}.items():
    for stage in (plan.transfer, plan.fine_tune):
        how = stage.recipe
        each = -(-count // how.batch_size)
        falls = [how.drop ** sum(drop <= epoch for drop in how.drops) for epoch in range(1, how.epochs + 1)]
        # epochs at the first rate that come to the same
        whole = how.epochs / 2 if how.falling else sum(falls)
        carried = 1 / (1 - how.momentum) if how.optimizer == "sgd" else 1.0
        rows[one, "fine-tuning" if stage.train_text else "transfer"] = {
            "optimizer": how.optimizer,
            "rate": how.learning_rate,
            "rate of BERT": (how.encoder_rate or how.learning_rate) if stage.train_text else 0.0,
            "steps": how.epochs * each,
            "rate × momentum": how.learning_rate * carried,
            "travel": round(how.learning_rate * carried * whole * each, 3),
        }
pd.DataFrame.from_dict(rows, orient="index")

# %% [markdown]
# (AdamW's steps are as long as its rate, whatever the gradient, so its last column is a length of another kind.) On a
# laptop nobody waits for the paper's steps, so the recipe `laptop` takes AdamW, 16
# utterances a step and few epochs. The recipes `paper` and `code` are there by name.
#
# One more network is trained beside those of the folds, on the paper's random split: section 7 is about it.

# %% tags=["stage:training"]
drawn = []
if random_split and all(fold.name != "distilser" for fold in folds):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # what it warns of stands in section 7
        drawn = protocols.by_name("distilser", utterances, seed=seed)
with notebook.workers(jobs, device):
    told, losses, teachers = three_m_ser.train_teachers(
        utterances, inputs, [*folds, *drawn], pretrained, stages, "both", [seed], cache=cache or None
    )
of_drawn = told["fold"].isin([one.name for one in drawn])
predictions, at_random = told[~of_drawn], told[of_drawn].assign(model="random split")

# %%
curves = losses[losses["fold"].isin([one.name for one in folds])]
for stage, rows in curves.groupby("stage", sort=False):
    valid = rows[["epoch", "fold", "validation_loss", "validation_UAR"]]
    valid = valid.rename(columns=lambda name: name.removeprefix("validation_")).assign(part="validation")
    history = pd.concat([rows[["epoch", "fold", "loss"]].assign(part="train"), valid])
    display(figures.learning_curves(history, title=f"{stage}: a line a fold"))

# %% [markdown]
# The training loss may begin above the validation loss: dropout (0.5) is on while training. One seed only, so no
# interval below holds the luck of training; notebook 03 trains five.
#
# ## 5 · How good is it?
#
# **Your guess:** which two emotions will it confuse most?

# %%
tested = predictions[predictions["part"] == "test"]
unit = usual_unit(tested)
for row in bootstrap(tested, ["UAR", "WA"], unit=unit).itertuples():
    notebook.headline(f"{row.metric}, words and sound, test", row)
notebook.keep(figures.confusion_matrix(tested), "02_confusion", pictures)

# %% [markdown]
# Validation and test by fold. (Validation chose the weights, so it flatters a little; a test far below it on one fold
# means that those speakers are hard.)

# %%
uar = {key: scores(rows)["UAR"].iloc[0] for key, rows in predictions.groupby(["fold", "part"], sort=False)}
pd.Series(uar).unstack(sort=False).round(3)

# %% [markdown]
# ## 6 · What is each stream worth?
#
# The same network with one stream left out, trained in the same way. On the embedded corpus valence lives mostly in the
# words and arousal mostly in the voice, so neither should do alone what both do. On a corpus where everybody says the
# same sentences, the words should fall to chance: a good control.

# %% tags=["stage:training"]
alone = [predictions]
with notebook.workers(jobs, device):
    for stream in ablation:
        one = replace(pretrained, **{"audio" if stream == "text" else "text": None})
        table, _, _ = three_m_ser.train_teachers(
            utterances, inputs.only(stream), folds, one, stages, f"{stream} alone", [seed]
        )
        alone.append(table)
streams_tested = pd.concat(alone)
streams_tested = streams_tested[streams_tested["part"] == "test"]
intervals = bootstrap(streams_tested, ["UAR", "WA"], unit=unit)
ablated = figures.model_comparison(intervals, {"chance": {"UAR": 1 / len(inputs.classes)}})
notebook.keep(ablated, "02_streams_alone", pictures)

# %%
gains = {stream: notebook.compare(streams_tested, "both", f"{stream} alone") for stream in ablation}
notebook.comparisons(gains.values()) if gains else "ablation is empty: no stream was tried alone."

# %% [markdown]
# (With few speakers, p cannot get small: 2,000 draws of 15 speakers never go below 0.007.)
#
# ## 7 · The paper's split
#
# The paper draws its test utterances at random: 4,479 / 498 / 554 of IEMOCAP. Then the same speakers stand on both sides,
# and so do the sentences that are said more than once: in the authors' split all 10 speakers, and 151 of 554 test
# transcripts (27 %), word for word. Here is what such a split shares on this corpus, and what it does to
# the score.

# %%
row = None
if drawn:
    shared(drawn)
    at_random = at_random[at_random["part"] == "test"]
    compared = bootstrap(pd.concat([tested.assign(model="apart"), at_random]), "UAR").set_index("model")
    display(compared[["value", "low", "high", "units"]].round(3))
    row, level = compared.loc["random split"], compared.loc["apart", "value"]
    seen = "no difference can be seen" if row["low"] <= level <= row["high"] else "the two differ"
    print(f"{len(at_random)} at random: {notebook.interval(row, '.3f')} against {level:.3f} apart: {seen}")
else:
    print("No random split beside the folds in this run.")

# %% [markdown]
# The two test parts differ, so no paired test applies; and the random one is a tenth of the corpus, hence its wide
# interval. That a split leaks does not mean that *this* network made use of it. Notebook 01 measures what a random split
# gains with a simple model, on the same utterances both times.
#
# ## 8 · What does it listen to?
#
# The attention of position 0 says how much it takes from every word and every second. The words have passed through a
# self-attention before, so we follow their weight back through it (*attention rollout*). Even so, BERT has let each
# word's vector see the whole sentence: weight on a word is not weight on that word alone.
#
# So the table asks in another way: leave one word, or one second, out, and see how much less probable the predicted
# emotion becomes (a word of several pieces: the sum over its pieces). It shows the six words that are missed most, and
# every second. The two columns need not agree.
#
# **Before you look:** which word would *you* leave out to change the meaning?

# %%
hits = tested.index[tested["emotion"] == tested["predicted"]]
looked_at = utterance or next(iter([*hits, *tested.index]))
if looked_at not in tested.index:
    raise SernbError(f"utterance {utterance!r} was not tested; {', '.join(tested.index[:5])}, … were")


# %%
def look(name: str) -> None:
    """Player, the fusion's attention over words and seconds, and what is missed most, of one test utterance."""
    row, number = tested.loc[name], utterances.index.get_loc(name)
    model, length = teachers[row["fold"]], inputs.tokens.lengths[number]
    seen, missed = attention_of(model, inputs, number), left_out(model, inputs, number)
    said, weights = words_of(inputs.tokens[number], seen[:length], tokenizer)
    _, losses_of_words = words_of(inputs.tokens[number], missed[:length], tokenizer)
    starts = np.arange(len(seen) - length) * EXAMPLE_SECONDS
    caption = f"{name}: true {row['emotion']}, predicted {row['predicted']}"
    notebook.listen(waveforms[number], caption=f"{caption} · {words.iloc[number]}")
    picture = figures.fusion_attention(said, weights, starts, seen[length:], waveforms[number], title=caption)
    notebook.keep(picture, "02_fusion_attention", pictures if name == looked_at else "")
    spoken = pd.DataFrame({"attention": weights, "less probable by": losses_of_words}, said)
    spans = [f"{start:.2f} s to {start + EXAMPLE_SECONDS:.2f} s" for start in starts]
    heard = pd.DataFrame({"attention": seen[length:], "less probable by": missed[length:]}, spans)
    display(pd.concat([spoken.sort_values("less probable by", ascending=False).head(6), heard]).round(3))


# %% tags=["picture"]
look(looked_at)

# %% [markdown]
# In JupyterLab you can choose any test utterance; in a saved page you see the one above.

# %%
notebook.menu(tested.index, look, looked_at)

# %% [markdown]
# How much of the attention goes to the words, over some 250 test utterances, and does it differ where the teacher is
# wrong?

# %%
some = tested.iloc[:: max(1, len(tested) // 250)]
shares = []
for fold, number in zip(some["fold"], inputs.rows(some.index), strict=True):
    seen = attention_of(teachers[fold], inputs, number)
    shares.append(seen[: inputs.tokens.lengths[number]].sum())
print(f"share of the words: {100 * np.mean(shares):.0f} % on average")
right = (some["emotion"] == some["predicted"]).map({True: "right", False: "wrong"})
pd.Series(shares, some.index).groupby([some["emotion"], right]).agg(["mean", "size"]).unstack().round(2)

# %% [markdown]
# ## 9 · The papers' claims, held against this run

# %%
words_of_claim, number = "The teacher reaches 81.24 % BACC on the test (Table II)", "81.24 %"
if corpus == "iemocap" and row is not None:
    held = "holds" if row["low"] <= 0.8124 <= row["high"] else "not seen here"
    card = (row["value"], row["low"], row["high"], held, "UAR under a random split; theirs is not known.")
    notebook.claim("Nguyen et al. 2024", words_of_claim, number, *card)
else:
    why = "It is a number of IEMOCAP under a random split; the level of another corpus says nothing on it."
    notebook.claim_of("Nguyen et al. 2024", words_of_claim, number, None, why)

# %%
for stream, gain in gains.items():
    why = f"UAR of both minus {stream} alone, paired bootstrap over {gain['units']} {unit}s, p = {gain['p']:.3f}."
    other = "sound" if stream == "text" else "words"
    words_of_claim = f"Adding the {other} to the {stream} stream makes recognition better"
    notebook.claim_of("Tran et al. 2023", words_of_claim, None, gain, why)

# %% [markdown]
# ## Recap
#
# - Two encoders, one time axis, one position that asks everything: that is 3M-SER. With masks, a batch gives the same
#   scores as utterances one by one.
# - A parameter count depends on who counts. Ask what was left out.
# - What is frozen is computed once. That, and batches, make the difference between hours and minutes.
# - The worth of a stream is a paired difference against the network without it, on speakers never heard.

# %%
if save:
    folder = Path(save)
    write_predictions(streams_tested, folder / "predictions.csv")
    for fold in folds:
        about = {"corpus": corpus, "learnt_from": list(fold.train.append(fold.validation))}
        saved.save(teachers[fold.name], folder / "teachers" / fold.name, about, tokenizer)
    print(f"saved to {folder}")

# %% [markdown]
# ## Exercises
#
# **1.** The paper's teacher has 157.91 million parameters in Table II, its student BERT2 87.03. By how many per cent is
# the student smaller in that count, and by how many in the true one (184,176,068 and 113,297,348)? One digit after the
# point.

# %% tags=["exercise"]
published_smaller, truly_smaller = ..., ...
notebook.check(lambda: np.allclose([published_smaller, truly_smaller], [44.9, 38.5], atol=0.06),
               "Right. What both have in common, and the published count leaves out, makes the student look smaller than it is.",
               "1 − student / teacher, in per cent, once for each way of counting.")  # fmt: skip

# %% [markdown]
# **2.** A recording lasts 4.3 s. How many whole VGGish examples of 0.96 s does it have, and how many seconds are dropped
# at the end (two digits)?

# %% tags=["exercise"]
examples_in_it, dropped = ..., ...
notebook.check(lambda: examples_in_it == 4 and np.isclose(dropped, 0.46, atol=0.005),
               "Right. The last half second of a sentence is often where the voice falls; VGGish never hears it here.",
               "Divide, round down, and see what is left.")  # fmt: skip

# %% [markdown]
# **3.** SGD with momentum 0.99 under a constant gradient of 1, learning rate 0.000001: how long is a step once momentum
# has built up?

# %% tags=["exercise"]
step_length = ...
notebook.check(lambda: np.isclose(step_length, 1e-4),
               "Right: a hundred times the learning rate. That is what lets one millionth work at all.",
               "The steps add up to 1 + 0.99 + 0.99² + …: a geometric series.")  # fmt: skip

# %% [markdown]
# ## References
#
# - P.-N. Tran et al. Multi-modal speech emotion recognition: improving accuracy through fusion of VGGish and BERT features
#   with multi-head attention. INISCOM 2023.
# - T. M. Nguyen, P.-N. Tran, D. N. M. Dang. Enhancing speech emotion recognition through knowledge distillation. 2024.
# - J. Devlin et al. BERT: pre-training of deep bidirectional transformers for language understanding. NAACL 2019.
# - S. Hershey et al. CNN architectures for large-scale audio classification. ICASSP 2017. VGGish.
# - S. Jain, B. C. Wallace. Attention is not explanation. NAACL 2019. Read it before you trust section 8.
