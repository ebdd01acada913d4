"""How the four papers train, side by side: for each its own recipe, and a laptop's.

A laptop's is cut for the kit's small encoders and minutes on two cores.
"""

from dataclasses import dataclass, replace

import numpy as np

from sernb.core.errors import SernbError

OPTIMIZERS = ("adam", "adamw", "sgd")


@dataclass(frozen=True)
class Recipe:
    """How a network is trained; the defaults are plain AdamW at a level rate.

    Args:
        optimizer: adam, adamw or sgd; `momentum` and `nesterov` are of sgd alone.
        learning_rate, encoder_rate: Their highest; the second, of pretrained parts, None: the same.
        warm_up, falling: Share of the steps in which the rate rises from zero; whether it then falls in a
            straight line to zero, or stays level.
        drops: Epochs, from 1, at whose start the rate falls by `drop` (21.5: half-way through the 21st).
        patience: Epochs in a row without a better one, after which training ends; None runs all.
        clip: The norm at which gradients are cut off; 0 leaves them.
        by_length: Whether a batch holds items of like length, which takes less padding.
        bf16: Half-precision products: faster on GPUs and on CPUs with AMX, slower on other CPUs.
        compiled: torch.compile, which pays on long runs; each epoch then leaves out a last partial batch.
        class_weights, label_smoothing: Of the cross-entropy; each class weighs the same, however frequent.
        frequency_mask, time_mask: SpecAugment; up to so many bins and frames of a segment are silenced.
        masked: Share of the word pieces that a text encoder is to guess.
        standardised: A regressor's head speaks in standard deviations of the training ratings.

    Raises:
        SernbError: For a number that no training can have.
    """

    epochs: int = 10
    batch_size: int = 32
    optimizer: str = "adamw"
    learning_rate: float = 1e-3
    encoder_rate: float | None = None
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0
    warm_up: float = 0.0
    falling: bool = False
    drops: tuple = ()
    drop: float = 0.1
    patience: int | None = None
    clip: float = 1.0
    by_length: bool = True
    bf16: bool = False
    compiled: bool = False
    class_weights: bool = False
    label_smoothing: float = 0.0
    frequency_mask: int = 0
    time_mask: int = 0
    masked: float = 0.15
    standardised: bool = False

    def __post_init__(self):
        for name in ("epochs", "batch_size", "patience"):
            if (value := getattr(self, name)) is not None and value < 1:
                raise SernbError(f"{name} is {value}; it must be at least 1.")
        for name in ("learning_rate", "encoder_rate"):
            if (rate := getattr(self, name)) is not None and not 0 < rate < np.inf:
                raise SernbError(f"{name} is {rate}; it must be a number above 0.")
        if not 0 <= self.warm_up < 1:
            raise SernbError(f"warm_up is {self.warm_up}; it is a share of the epochs, from 0 to below 1.")
        if not 0 < self.masked < 1:
            raise SernbError(f"masked is {self.masked}; it must lie between 0 and 1.")
        if self.optimizer not in OPTIMIZERS:
            raise SernbError(f"optimizer is {self.optimizer!r}; choose one of {', '.join(OPTIMIZERS)}.")

    def shortened(self, epochs: int) -> "Recipe":
        """The same schedule in so many epochs: every drop at its share of the run, even within an epoch."""
        drops = tuple(1 + (epoch - 1) * epochs / self.epochs for epoch in self.drops)
        return replace(self, epochs=epochs, drops=drops)


@dataclass(frozen=True)
class Stage:
    """One stage of 3M-SER: which encoders learn beside the head, and whether a student hears its teacher."""

    recipe: Recipe
    train_text: bool = False
    train_audio: bool = False
    distil: bool = False


@dataclass(frozen=True)
class TwoStages:
    """The transfer stage and the fine-tuning after it; None leaves one out."""

    transfer: Stage | None
    fine_tune: Stage | None

    def with_epochs(self, transfer: int = 0, fine_tune: int = 0) -> "TwoStages":
        """The same stages with so many epochs; 0 leaves a stage's own number."""
        stages = {"transfer": transfer, "fine_tune": fine_tune}
        changed = {
            name: replace(stage, recipe=replace(stage.recipe, epochs=epochs))
            for name, epochs in stages.items()
            if epochs and (stage := getattr(self, name)) is not None
        }
        return replace(self, **changed)


def chosen(name: str, recipes: dict, epochs: int = 0):
    """The recipe of that name, with so many epochs (0: its own)."""
    if name not in recipes:
        raise SernbError(f"recipe is {name!r}; choose one of {', '.join(recipes)}.")
    return replace(recipes[name], epochs=epochs) if epochs else recipes[name]


# Attention-pooling CNN (Li et al. 2018, 3.1): SGD with Nesterov momentum, steps down by ten, no clipping.
_NESTEROV = Recipe(epochs=50, batch_size=64, optimizer="sgd", learning_rate=0.05, momentum=0.9, nesterov=True)
ATTENTION_POOLING = {"paper": replace(_NESTEROV, weight_decay=1e-4, drops=(21, 31, 41), clip=0)}

# 3M-SER and its students (Nguyen et al. 2024, III.B): SGD at 1e-6, one utterance a step; momentum and weight
# decay stand in the authors' code only. In theirs the fine-tuning's rate falls by ten every 30 epochs.
_LEVEL = Recipe(epochs=50, batch_size=1, optimizer="sgd", learning_rate=1e-6, momentum=0.99, clip=0)
_SGD = replace(_LEVEL, weight_decay=1e-6, drops=(31, 61, 91))
_ADAMW = Recipe(epochs=4, batch_size=16, learning_rate=1e-3, weight_decay=0.01, falling=True)
_DISTILSER = Stage(replace(_SGD, epochs=100), train_text=True, distil=True)
THREE_M_SER = {
    "paper": TwoStages(Stage(_SGD), _DISTILSER),
    # The authors' configuration also trains VGGish; behind its post-processor's rounding the gradient is 0.
    "code": TwoStages(Stage(_SGD), replace(_DISTILSER, train_audio=True)),
    "laptop": TwoStages(
        Stage(_ADAMW), Stage(replace(_ADAMW, epochs=6, encoder_rate=1e-4), train_text=True, distil=True)
    ),
}

# The speech student of MCED (Li, Zhao, Jin 2022, 3.2): Adam at 1e-4 that falls in a straight line, 50 epochs
# at most. The paper names neither the batch (32 utterances of like length here) nor when it stops.
_ADAM = Recipe(epochs=50, batch_size=32, optimizer="adam", learning_rate=1e-4, falling=True)
MCED = {"paper": _ADAM, "laptop": replace(_ADAM, epochs=12, batch_size=16, learning_rate=5e-4, warm_up=0.1)}

# MCED's text teacher (same paper, 3.2): at most 6 epochs of fine-tuning, 20 of reading on; the rest, left
# open, is usual for BERT-base (Devlin et al. 2019). The laptop's are for encoders as narrow as mini-bert.
_BERT = Recipe(weight_decay=0.01, warm_up=0.1, falling=True)
TEXT_TEACHER = {
    "paper": replace(_BERT, epochs=6, batch_size=32, learning_rate=2e-5, patience=2),
    "laptop": replace(_BERT, epochs=3, batch_size=64, learning_rate=5e-4, patience=2),
}
TEXT_READING = {
    "paper": replace(_BERT, epochs=20, batch_size=256, learning_rate=1e-4),
    "laptop": replace(_BERT, epochs=5, batch_size=128, learning_rate=1e-3),
}

# Audio-textual regressors (de Oliveira et al. 2023, 3.2): Adam at 1e-5, batches of 16 of like length, early
# stopping; neither epochs nor patience are named. "head" is for a head alone, on frozen encoders.
_PAPER = Recipe(epochs=30, batch_size=16, optimizer="adam", learning_rate=1e-5, patience=5)
_HEAD = replace(_PAPER, epochs=40, learning_rate=1e-3, standardised=True)
_BOTH = replace(_HEAD, epochs=4, learning_rate=2e-3, encoder_rate=6e-4, patience=2, warm_up=0.1, falling=True)
AUDIO_TEXT = {"paper": _PAPER, "laptop": _BOTH, "head": _HEAD}
