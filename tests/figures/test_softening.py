"""Softened probabilities and the explorer: numbers against hand and torch, controls that undo nothing."""

import json

import numpy as np
import plotly.graph_objects as go
import pytest
import torch

from sernb.core.errors import SernbError
from sernb.figures.softening import ALPHAS, TEMPERATURES, gradient_share, softening, softening_explorer
from sernb.losses import logits_loss
from tests.figures.material import texts

EACH = 5  # traces of an utterance
CLASSES = ["neutral", "happy", "sad", "angry"]


def logits(n=3, classes=4, seed=0):
    return np.random.default_rng(seed).normal(0, 3, (n, classes))


def test_softening_by_hand():
    """Odds of 16 at temperature 1 are odds of 4 at temperature 2: 80 % and 20 %, 0.72 bits."""
    figure = softening(np.array([np.log(16), 0.0]), ["sad", "angry"], (1, 2))
    assert {"94.1", "5.9", "80.0", "20.0", "T = 1\n0.32 bits", "T = 2\n0.72 bits"} <= set(texts(figure))
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["sad", "angry"]
    assert all(ax.get_xlabel() == "probability (%)" for ax in figure.axes)
    assert "1.00 bits" in figure.get_suptitle()


@pytest.mark.parametrize("temperature", [1.0, 2.0, 7.0])
@pytest.mark.parametrize("alpha", [0.2, 0.5, 0.9])
def test_the_gradients_share_is_that_of_the_loss(alpha, temperature):
    """Each part's gradient by autograd: the loss at this alpha less the other part."""
    student, teacher = (torch.tensor(one)[None] for one in logits(2))

    def size(weight, of):
        one = student.clone().requires_grad_()
        (weight * logits_loss(one, teacher, torch.tensor([2]), of, temperature)).backward()
        return one.grad.norm().item()

    kl, ce = size(alpha, 1), size(1 - alpha, 0)
    share = gradient_share(student[0], teacher[0], 2, alpha, temperature)
    assert float(share) == pytest.approx(kl / (kl + ce))


def test_the_gradients_share_where_there_is_none():
    assert np.isnan(gradient_share([1.0, 0.0], [1.0, 0.0], 0, 1.0, 2))
    assert gradient_share([1.0, 0.0], [1.0, 0.0], 0, [0.0, 0.5], 2).tolist() == [0, 0]


def test_the_explorer_shows_teacher_student_entropy_and_share():
    teacher = logits()
    figure = softening_explorer(teacher, ["sad", "happy", "sad"], CLASSES, ["a", "b", "c"])
    assert type(figure) is go.Figure and len(figure.data) == 3 * EACH
    theirs, ours, words, curve, said = figure.data[:EACH]
    p = torch.softmax(torch.tensor(teacher[0]) / 2, 0).numpy()
    np.testing.assert_allclose(theirs.y, 100 * p, atol=0.051)
    assert list(ours.y) == [25] * 4  # a student that knows nothing
    assert words.text[0] == f"entropy {-(p * np.log2(p)).sum():.2f} of 2.00 bits"
    half = curve.y[list(curve.x).index(0.5)]
    assert half == pytest.approx(100 * gradient_share(np.zeros(4), teacher[0], 2, 0.5, 2), abs=0.051)
    assert said.text[list(said.x).index(0.5)] == f"{half:.0f} % from KL"
    assert [one.visible for one in figure.data] == [True] * EACH + [False] * 2 * EACH
    assert figure.layout.xaxis4.range == (0.48, 0.52) and figure.layout.shapes[0].x0 == 0.5


def test_moved_controls_show_the_numbers_of_their_place():
    teacher = logits()
    figure = softening_explorer(teacher, ["sad", "happy", "sad"], CLASSES, ["a", "b", "c"])
    temperature, alpha = figure.layout.sliders
    figure.plotly_restyle(temperature.steps[TEMPERATURES.index(8)].args[0])
    figure.plotly_relayout(alpha.steps[ALPHAS.index(0.8)].args[0])
    figure.plotly_restyle(figure.layout.updatemenus[0].buttons[1].args[0])
    theirs, _, words, curve, said = [trace for trace in figure.data if trace.visible]
    p = torch.softmax(torch.tensor(teacher[1]) / 8, 0).numpy()
    np.testing.assert_allclose(theirs.y, 100 * p, atol=0.051)
    assert words.text[0] == f"entropy {-(p * np.log2(p)).sum():.2f} of 2.00 bits"
    low, high = figure.layout.xaxis4.range  # of all words one stands in the window
    ((place, text),) = [one for one in zip(said.x, said.text, strict=True) if low <= one[0] <= high]
    share = 100 * gradient_share(np.zeros(4), teacher[1], 1, 0.8, 8)
    assert place == figure.layout.shapes[0].x0 == 0.8 and text == f"{share:.0f} % from KL"
    assert curve.y[ALPHAS.index(0.8)] == pytest.approx(share, abs=0.051)


def test_the_controls_change_different_things():
    figure = softening_explorer(logits(), ["sad"] * 3, CLASSES, ["a", "b", "c"])
    temperature, alpha = figure.layout.sliders
    assert temperature.steps[temperature.active].label == "2" and alpha.steps[alpha.active].label == "0.5"
    assert [one.label for one in temperature.steps] == [f"{t:g}" for t in TEMPERATURES]
    changes = [{key for step in slider.steps for key in step.args[0]} for slider in (temperature, alpha)] + [
        {key for button in figure.layout.updatemenus[0].buttons for key in button.args[0]}
    ]
    assert changes == [{"y", "text"}, {"shapes[0].x0", "shapes[0].x1", "xaxis4.range"}, {"visible"}]
    assert {step.method for step in alpha.steps} == {"relayout"}


def test_each_temperature_changes_every_utterance():
    teacher = logits()
    figure = softening_explorer(teacher, ["sad"] * 3, CLASSES, ["a", "b", "c"])
    for temperature, step in zip(TEMPERATURES, figure.layout.sliders[0].steps, strict=True):
        y, text = step.args[0]["y"], step.args[0]["text"]
        assert len(y) == len(text) == len(figure.data)
        for number, row in enumerate(teacher):
            expected = 100 * torch.softmax(torch.tensor(row) / temperature, 0).numpy()
            np.testing.assert_allclose(y[EACH * number], expected, atol=0.051)
            assert y[EACH * number + 1] == [25.0] * 4  # a student that knows nothing
            assert len(y[EACH * number + 3]) == len(ALPHAS)


def test_one_alpha_alone_is_in_the_window():
    figure = softening_explorer(logits(1), ["sad"], CLASSES, ["a"])
    for value, step in zip(ALPHAS, figure.layout.sliders[1].steps, strict=True):
        low, high = step.args[0]["xaxis4.range"]
        assert [a for a in ALPHAS if low <= a <= high] == [value]


def test_a_teacher_that_knows_nothing_has_no_gradient():
    figure = softening_explorer(np.zeros((1, 4)), ["happy"], CLASSES, ["a"])
    assert figure.data[4].text[-1] == "there is none" and figure.data[3].y[-1] is None  # alpha is 1


def test_the_page_stays_small_and_names_are_harmless():
    bad = "<img src=x onerror=alert(1)>"
    classes = [*CLASSES, "fearful", "disgusted", "surprised", f"{bad}{'long ' * 20}"]
    names = [f"{bad} {i} {'word ' * 40}" for i in range(12)]
    figure = softening_explorer(logits(12, 8), ["sad"] * 11 + classes[-1:], classes, names)
    page = figure.to_json()
    assert len(page) < 200_000
    assert "<img" not in json.dumps(json.loads(page), ensure_ascii=False)
    assert all(len(button.label) < 120 for button in figure.layout.updatemenus[0].buttons)


def test_long_names_that_begin_alike_keep_a_bar_each():
    classes = [f"an exceedingly long label {one}" for one in "abcd"]
    figure = softening_explorer(logits(1), classes[:1], classes, ["a"])
    assert len(set(figure.data[0].x)) == 4


def test_bad_input_is_named():
    good = {"truths": ["sad"] * 3, "classes": CLASSES, "names": ["a", "b", "c"]}
    cases = (
        (r"4 classes.*got the shape \(2,\)", lambda: softening(np.zeros(2), CLASSES)),
        ("NaN", lambda: softening(np.full(4, np.nan), CLASSES)),
        ("temperature.*got 0", lambda: softening(np.zeros(4), CLASSES, (1, 0))),
        ("2 names", lambda: softening_explorer(logits(), **good | {"names": ["a", "b"]})),
        ("no class 'calm'", lambda: softening_explorer(logits(), **good | {"truths": ["calm"] * 3})),
        ("1 to 12", lambda: softening_explorer(logits(13), ["sad"] * 13, CLASSES, ["a"] * 13)),
        (r"\(3, 3\)", lambda: softening_explorer(logits(3, 3), **good)),
    )
    for message, wrong in cases:
        with pytest.raises(SernbError, match=message):
            wrong()
