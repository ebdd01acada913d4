import base64
import io
import random

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from bs4 import BeautifulSoup
from joblib import effective_n_jobs

from sernb.core.errors import SernbError
from sernb.figures.palette import Picture
from sernb.notebook import cards as notebook


@pytest.fixture
def shown(monkeypatch):
    """The data of everything that was displayed."""
    displayed = []
    monkeypatch.setattr(notebook, "display", lambda data, raw: displayed.append(data))
    return displayed


def words(data):
    return BeautifulSoup(data["text/html"], "html.parser").get_text()


def test_start_seeds_everything_and_says_where_numbers_come_from(shown):
    def draw():
        device = notebook.start("emodb", "hubert<base>", seed=3)
        return device, random.random(), np.random.rand(), torch.rand(1).item()  # noqa: NPY002

    first, again = draw(), draw()
    assert first == again
    assert first[0].type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert "corpus emodb · hubert<base>" in words(shown[0]) and f"torch {torch.__version__[:4]}" in words(
        shown[0]
    )
    assert shown[0]["application/vnd.sernb.start+json"]["seed"] == 3


def test_the_embedded_corpus_is_called_synthetic(shown):
    notebook.start("embedded", None, 0)
    assert "embedded corpus (synthetic speech) · no pretrained encoder" in words(shown[0])


def test_a_headline_is_data_for_the_runner(shown):
    assert notebook.headline("UAR", np.float64(0.70149), torch.tensor(0.5), None) is None
    data = shown[0]["application/vnd.sernb.headline+json"]
    assert data == {"name": "UAR", "value": 0.70149, "low": 0.5, "high": None}
    assert type(data["value"]) is float
    assert shown[0]["text/plain"] == "UAR: 0.701 [0.500, –]"


def test_a_number_that_is_not_one_is_none(shown):
    notebook.headline("UAR", float("nan"))
    assert shown[0]["application/vnd.sernb.headline+json"]["value"] is None


def test_a_claim_card_holds_both_numbers_and_the_verdict(shown):
    notebook.claim(
        "Li 2018", "attention > GAP", "+2 %", 0.01, -0.03, 0.05, "not seen here", "the interval holds 0"
    )
    text = words(shown[0])
    for part in (
        "Li 2018",
        "attention > GAP",
        "+2 %",
        "0.010 [-0.030, 0.050]",
        "not seen here",
        "the interval holds 0",
    ):
        assert part in text


def test_an_unknown_verdict_lists_the_valid_ones(shown):
    with pytest.raises(SernbError, match="'holds', 'not seen here'"):
        notebook.claim("a", "b", 1, 1, None, None, "true", "")
    assert shown == []


ROW = {"value": 0.02, "low": 0.01, "high": 0.03, "p": 0.04}


@pytest.mark.parametrize(
    "found", [ROW, pd.Series(ROW), next(pd.DataFrame([ROW]).itertuples()), (0.02, 0.01, 0.03),
              {"difference": 0.02, "value": 9, "low": 0.01, "high": 0.03}],
)  # fmt: skip
def test_an_interval_is_a_row_or_three_numbers(shown, found):
    notebook.headline("gain", found)
    assert shown[0]["text/plain"] == "gain: 0.020 [0.010, 0.030]"
    assert notebook.interval(found) == "+0.020 [+0.010, +0.030]"
    assert notebook.interval(found, ".0%") == "2% [1%, 3%]"


def test_an_interval_in_words_has_a_true_minus_and_dashes_for_what_is_not_there():
    assert notebook.interval((-0.1, np.nan, np.nan), ".1f") == "−0.1 [–, –]"


NAN = float("nan")


@pytest.mark.parametrize(
    ("found", "options", "verdict", "ours"),
    [
        ((0.02, 0.01, 0.03), {}, "holds", 0.02),
        ((0.02, -0.01, 0.03), {}, "not seen here", 0.02),
        ((0.02, 0.0, 0.03), {}, "not seen here", 0.02),
        ((0.02, NAN, NAN), {}, notebook.UNTESTED, 0.02),
        (None, {}, notebook.UNTESTED, None),
        ([], {}, notebook.UNTESTED, None),
        ((0.02, 0.01, 0.03), {"testable": False}, notebook.UNTESTED, 0.02),
        ((0.02, -0.01, 0.03), {"above": -0.05}, "holds", 0.02),
        ((0.02, 0.01, 0.03), {"below": 0.0}, "not seen here", 0.02),
        ((-0.02, -0.04, -0.01), {"below": 0.0}, "holds", -0.02),
        ((0.02, 0.01, 0.03), {"also": [-0.01]}, "not seen here", 0.02),
        ((0.02, 0.01, 0.03), {"also": [0.5]}, "holds", 0.02),
        ((0.02, 0.01, 0.03), {"also": [NAN]}, notebook.UNTESTED, 0.02),
        ([(0.3, 0.2, 0.4), (0.02, 0.01, 0.03)], {}, "holds", 0.02),
        ([(0.3, 0.2, 0.4), (0.02, -0.01, 0.03)], {}, "not seen here", 0.02),
        ([(0.3, NAN, NAN), (0.02, -0.01, 0.03)], {}, notebook.UNTESTED, 0.3),
        ([(-0.3, -0.4, -0.2), (-0.02, -0.03, 0.01)], {"below": 0.0}, "not seen here", -0.02),
    ],
)
def test_the_verdict_is_read_from_the_interval(shown, found, options, verdict, ours):
    notebook.claim_of("Li 2018", "attention > GAP", "+2 %", found, "so it was measured", **options)
    data = shown[0]["application/vnd.sernb.claim+json"]
    assert (data["verdict"], data["ours"], data["why"]) == (verdict, ours, "so it was measured")


def test_the_trainings_side_by_side():
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    for jobs, device, most, expected in ((3, gpu, 4, 3), (0, gpu, 4, 1), (0, cpu, 1, 1), (0, None, 1, 1)):
        with notebook.workers(jobs, device, most):
            assert effective_n_jobs(None) == expected


EVIL = "<script>alert('1')</script>\"'><img src=x onerror=alert(1)>"


@pytest.mark.parametrize(
    "show",
    [
        lambda: notebook.start(EVIL, EVIL, 0),
        lambda: notebook.headline(EVIL, 0.5),
        lambda: notebook.claim(EVIL, EVIL, EVIL, EVIL, None, None, "holds", EVIL),
        lambda: notebook.check(False, EVIL, EVIL),
        lambda: notebook.listen(np.zeros(100), 16000, EVIL),
    ],
)
def test_text_is_escaped(shown, show):
    show()
    soup = BeautifulSoup(shown[0]["text/html"], "html.parser")
    assert soup.select("script, img") == []
    assert not [tag for tag in soup.find_all() if any(name.startswith("on") for name in tag.attrs)]


@pytest.mark.parametrize(
    ("condition", "solved"),
    [
        (True, True),
        (False, False),
        (np.array([True, True]), True),
        (np.array([True, False]), False),
        (..., False),
        (None, False),
        (lambda: 1 + 1 == 2, True),
        (lambda: 1 / 0, False),
    ],
)
def test_an_exercise_is_checked_and_never_raises(shown, condition, solved):
    notebook.check(condition, "well done", "look again")
    assert ("well done" in words(shown[0])) == solved
    assert ("look again" in words(shown[0])) != solved


def test_an_answer_left_open_is_no_error(shown):
    dots, half, word, number = ..., (..., 1), "...", 1250
    tried = []
    for condition in (lambda: dots == 1250, lambda: dots > 0, lambda: tried.append(word), ...):
        notebook.check(condition, "ok", "look again")
    notebook.check(lambda: half[0] > 0, "ok", "look again")  # what is inside is not looked at, so it is tried
    notebook.check(lambda: number == 1, "ok", "look again")
    said = [words(one) for one in shown]
    assert said[:4] == ["Not answered yet. look again"] * 4 and not tried
    assert said[4].startswith("Not yet: look again (TypeError") and said[5] == "Not yet: look again"


def test_a_check_that_cannot_be_tried_says_why(shown):
    notebook.check(lambda: undefined, "ok", "hint")  # noqa: F821
    assert "NameError" in words(shown[0])


def heard(data):
    audio = BeautifulSoup(data["text/html"], "html.parser").audio
    return soundfile.read(io.BytesIO(base64.b64decode(audio["src"].split(",")[1])))


def test_the_player_holds_the_sound_itself(shown, tmp_path):
    wave = 0.5 * np.sin(np.arange(8000) / 10).astype("float32")
    notebook.listen(wave, 8000, "a tone")
    sound, rate = heard(shown[0])
    assert rate == 8000 and np.allclose(sound, wave, atol=1e-4)
    assert words(shown[0]) == "a tone · 1.0 s at 8000 Hz"
    soundfile.write(tmp_path / "a tone.wav", wave, 8000)
    notebook.listen(tmp_path / "a tone.wav", 8000)
    assert np.allclose(heard(shown[1])[0], wave, atol=1e-3)


def test_long_sound_is_cut_and_loud_sound_is_not_clipped(shown):
    notebook.listen(np.full(1000 * 30, 4.0), 1000)
    sound, _ = heard(shown[0])
    assert len(sound) == 20 * 1000 and sound.max() > 0.99
    assert "30.0 s at 1000 Hz, the first 20 s of it" in words(shown[0])


@pytest.mark.parametrize("wave", [np.zeros(0), np.zeros((2, 100)), np.array([0.0, np.nan])])
def test_what_is_no_waveform_is_refused(shown, wave):
    with pytest.raises(SernbError, match=r"waveform \(samples,\)"):
        notebook.listen(wave)


def test_a_kept_figure_is_shown_and_written(monkeypatch, tmp_path):
    seen = []
    monkeypatch.setattr(notebook, "display", seen.append)
    figure = Picture()
    notebook.keep(figure, "07_x")
    assert seen == [figure] and not list(tmp_path.iterdir())
    notebook.keep(figure, "07_x", str(tmp_path / "figures"))
    (written,) = (tmp_path / "figures").iterdir()
    assert written.name == "07_x.png" and written.read_bytes().startswith(b"\x89PNG")


@pytest.fixture
def plane():
    import plotly.graph_objects as go

    dots = go.Scatter(x=[1, 2], y=[1, 2], mode="markers", customdata=[["a", "hover"], ["b", "hover"]])
    return go.Figure([dots, go.Scatter(x=[3], y=[3])])


def test_in_a_report_a_figure_stays_a_figure(plane, monkeypatch):
    displayed = []
    monkeypatch.setattr(notebook, "display", lambda *things: displayed.extend(things))
    monkeypatch.setenv("SERNB_REPORT", "1")
    notebook.clickable(plane, print)
    assert displayed == [plane]  # a FigureWidget would store megabytes of JavaScript in the notebook


def test_a_click_tells_the_id_of_the_dot(plane, monkeypatch):
    from plotly.callbacks import InputDeviceState, Points

    displayed, clicked = [], []
    monkeypatch.setattr(notebook, "display", lambda *things: displayed.extend(things))
    monkeypatch.delenv("SERNB_REPORT", raising=False)
    notebook.clickable(plane, clicked.append)
    live = displayed[0]
    for trace, hit in ((0, [1]), (0, []), (1, [0])):
        live.data[trace]._dispatch_on_click(Points(point_inds=hit, trace_index=trace), InputDeviceState())
    assert clicked == ["b"]


def test_a_menu_shows_what_is_chosen(monkeypatch):
    displayed, chosen = [], []
    monkeypatch.setattr(notebook, "display", lambda *things: displayed.extend(things))
    notebook.menu(pd.Index(["a", "b"]), chosen.append, "b")
    menu, _ = displayed
    assert menu.value == "b" and chosen == []
    menu.value = "a"
    assert chosen == ["a"]
