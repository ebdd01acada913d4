"""What a small BERT imitates in a large one: embeddings, attention scores, hidden states, and answers.

Source: X. Jiao et al., "TinyBERT: Distilling BERT for Natural Language Understanding", Findings of EMNLP 2020
(below: "the paper").
"""

import torch
from torch import nn
from transformers import BertModel

from sernb.losses import FeatureLoss


class Answers(nn.Module):
    """Valence, thing and reversals, three classes each, from the mean of the last states: `(batch, 3, 3)`
    logits."""

    def __init__(self, width: int):
        super().__init__()
        self.read = nn.Linear(width, 9)

    def forward(self, states: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        mean = (states * real[..., None]).sum(1) / real.sum(1, keepdim=True)
        return self.read(mean).unflatten(-1, (3, 3))


class Inside:
    """Watches an encoder: after each call, `scores` holds every layer's attention before the softmax,
    `(batch, heads, tokens, tokens)`. The paper imitates these rather than the weights: its students learnt
    faster from them, and more."""

    def __init__(self, encoder: BertModel):
        self.scores, self.heads = [], encoder.config.num_attention_heads
        for layer in encoder.encoder.layer:
            layer.attention.self.query.register_forward_hook(self._query)
            layer.attention.self.key.register_forward_hook(self._key)
        encoder.register_forward_pre_hook(lambda *_: self.scores.clear())

    def _split(self, projected):
        return projected.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def _query(self, _, __, projected):
        self.query = self._split(projected)

    def _key(self, _, __, projected):
        key = self._split(projected)
        self.scores.append(self.query @ key.transpose(-1, -2) / key.shape[-1] ** 0.5)


def attention_mse(student: torch.Tensor, teacher: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """Mean squared error of attention scores `(batch, heads, tokens, tokens)` between real tokens (paper, Eq.
    7): over the pairs of an utterance and the heads, then over the batch. `real (batch, tokens)` is True at
    real tokens."""
    pairs = real[:, None, :] & real[:, :, None]
    errors = (student - teacher.detach()).square().mean(1).masked_fill(~pairs, 0)
    return (errors.sum((1, 2)) / pairs.sum((1, 2)).clamp(min=1)).mean()


def layers_of(student: int, teacher: int) -> list[int]:
    """The teacher's layer that each of the student's imitates: evenly spaced, the last one last, as in the
    paper."""
    return [round(one * teacher / student) for one in range(1, student + 1)]


class Imitation(nn.Module):
    """The student with what is thrown away after the training: two projections to the teacher's width, and
    its answers."""

    def __init__(self, student: BertModel, teacher: BertModel):
        super().__init__()
        widths = student.config.hidden_size, teacher.config.hidden_size
        self.student, self.watch, self.watched = student, Inside(student), Inside(teacher)
        self.embeddings, self.states = FeatureLoss("mse", *widths), FeatureLoss("mse", *widths)
        self.answers = Answers(widths[0])
        self.pairs = list(
            enumerate(layers_of(student.config.num_hidden_layers, teacher.config.num_hidden_layers), 1)
        )

    def forward(self, ids, real, found) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        """The errors of embeddings, states and attention (paper, Eq. 7 to 9), and the student's answers."""
        own = self.student(ids, attention_mask=real.long(), output_hidden_states=True).hidden_states
        errors = {
            "embeddings": self.embeddings(own[0], found[0], real),
            "states": sum(self.states(own[here], found[there], real) for here, there in self.pairs),
            "attention": sum(
                attention_mse(self.watch.scores[here - 1], self.watched.scores[there - 1], real)
                for here, there in self.pairs
            ),
        }
        return errors, self.answers(own[-1], real)
