"""The exercises: left open they give a hint and stop nothing, a right answer is praised, a wrong one is
not."""

from pathlib import Path

import nbformat
import numpy as np
import pytest

from sernb.notebook import cards as notebook

ROOT = Path(__file__).parents[2]
# notebook, first line of the exercise, a right answer, a wrong one
ANSWERS = [
    ("01_data_exploration", "accuracy, uar = ..., ...", "1708 / 5531, 1 / 4", "0.25, 0.309"),
    ("01_data_exploration", "by_chance, beyond_chance = ..., ...", "0.68, 0.5", "0.5, 0.84"),
    (
        "01_data_exploration",
        'ann, bob, more_aroused = ..., ..., "..."',
        '25 / 20, 20 / 10, "Bob"',
        '1.25, 2.0, "Ann"',
    ),
    ("01_data_exploration", "leaks = ...", "2", "0"),
    ("02_teacher_training", "published_smaller, truly_smaller = ..., ...", "44.9, 38.5", "38.5, 44.9"),
    ("02_teacher_training", "examples_in_it, dropped = ..., ...", "4, 4.3 - 4 * 0.96", "5, 0"),
    ("02_teacher_training", "step_length = ...", "1e-6 / (1 - 0.99)", "1e-6"),
    ("03_distillation", "at_one, at_four = ..., ...", "0.1155, 0.2589", "0.5, 0.25"),
    ("03_distillation", "won, lost, p = ..., ..., ...", "35, 25, 0.2451", "35, 25, 0.05"),
    ("03_distillation", "low, high = ..., ...", "-0.0146, 0.0426", "-0.0116, 0.0396"),
    (
        "04_cross_modal_distillation",
        'kl, printed = ..., "..."',
        '0.8 * np.log(3.2) + 0.1 * np.log(0.4) + 0.1 * np.log(0.2), "apart"',
        '0.68, "together"',
    ),
    ("04_cross_modal_distillation", "aligned, centre = ..., ...", "3, 10", "3, 30"),
    ("04_cross_modal_distillation", "too_good = ...", '{"MCED", "RL"}', '{"MCED", "RL", "strangers"}'),
    ("05_layer_importance", "mixed, larger = ..., ...", '(2.0, 0.8), "A"', '(2.0, 0.8), "B"'),
    ("05_layer_importance", "start = ...", "1 / 13", "1 / 12"),
    ("05_layer_importance", "changed = ...", "{'weights as they are'}", "{'probe on layer 3'}"),
    ("06_audio_textual_distillation", "for_constant, for_reverse = ..., ...", "0, -1", "1, 0"),
    (
        "06_audio_textual_distillation",
        "substitutions, deletions, insertions, wer = ..., ..., ..., ...",
        "2, 0, 0, 1 / 3",
        "1, 1, 1, 0.5",
    ),
    ("06_audio_textual_distillation", "of_distilled, of_base = ..., ...", "0.5823, 0.2091", "0.191, 0.092"),
    (
        "06_audio_textual_distillation",
        "without_negations = ...",
        'lambda text: " ".join(w for w in text.split() if w.lower() not in {"not", "never", "no", "nobody"})',
        'lambda text: text.replace("not", "").replace("no", "")',
    ),
    ("07_attention_pooling", "positions = ...", "50 * 25", "400 * 200"),
    (
        "07_attention_pooling",
        "with_sum, with_average = ..., ...",
        "np.exp(8) / (np.exp(8) + 3), np.exp(8 / 1250) / (np.exp(8 / 1250) + 3)",
        "1, 1",
    ),
    ("07_attention_pooling", "hertz, milliseconds = ..., ...", "80, 30", "30, 80"),
    ("07_attention_pooling", "low, high = ..., ...", "-0.02, 0.11", "0.11, -0.02"),
    ("08_error_inspection", "of_the_unsure = ...", "(70 - 36) / (100 - 40)", "36 / 40"),
    (
        "08_error_inspection",
        'angry_as_happy, happy_as_angry, leans_to = ..., ..., "..."',
        '80 / 200, 64 / 320, "happy"',
        '80 / 144, 64 / 144, "happy"',
    ),
    ("08_error_inspection", "at_least_one = ...", "1 - (1 - 0.05) ** 10", "10 * 0.05"),
    (
        "08_error_inspection",
        "precision, times, found_share = ..., ..., ...",
        "24 / 150, (24 / 150) / (50 / 1000), 24 / 50",
        "24 / 50, 3.2, 24 / 150",
    ),
]


def exercises(name):
    cells = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", 4).cells
    return [cell.source for cell in cells if "exercise" in cell.metadata.get("tags", [])]


def said(source, monkeypatch):
    texts = []
    monkeypatch.setattr(notebook, "show", lambda code, text, **data: texts.append(text))
    exec(source, {"notebook": notebook, "np": np})
    return " ".join(texts)


@pytest.mark.parametrize(("name", "line", "right", "wrong"), ANSWERS, ids=[one[1] for one in ANSWERS])
def test_answers(name, line, right, wrong, monkeypatch):
    (source,) = [one for one in exercises(name) if one.startswith(line)]
    variable = line.split(" = ")[0]
    untouched = said(source, monkeypatch)
    assert untouched.startswith("Not answered yet. ") and len(untouched) > 30 and "Error" not in untouched
    assert said(source.replace(line, f"{variable} = {wrong}"), monkeypatch).startswith("Not yet")
    assert said(source.replace(line, f"{variable} = {right}"), monkeypatch).startswith("✓")


def test_every_exercise_has_an_answer_here():
    found = {
        (path.stem, one.splitlines()[0])
        for path in (ROOT / "notebooks").glob("*.ipynb")
        for one in exercises(path.stem)
    }
    assert found == {(name, line) for name, line, *_ in ANSWERS}
