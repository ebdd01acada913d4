"""Coloured words and the transcript editor: numbers, harmless words, errors as text, a report's picture."""

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from IPython.display import HTML

from sernb.core.errors import SernbError
from sernb.figures import token_attributions, transcript_editor

PUSH = {"good": 0.5, "bad": -0.5, "not": -0.1}


def soup(code):
    return BeautifulSoup(code, "html.parser")


def words_of(code):
    """[(word, number, background)]"""
    found = [one for one in soup(code).find_all("span") if one.find("br")]
    return [
        (*one.get_text("|").strip().split("|"), one["style"].split("background:")[1].split(";")[0])
        for one in found
    ]


def predict(text):
    words = text.split()
    if "boom" in words:
        raise ValueError("no <b>such</b> word")
    push = np.array([PUSH.get(word, 0.0) for word in words])
    return {"valence": 3 + push.sum(), "arousal": 3.0}, pd.DataFrame(
        {"word": words, "arousal": 0.0, "valence": push}
    )


def test_words_have_their_numbers_and_colours():
    code = token_attributions(["not", "bad", "good", "it"], [-0.1, -0.5, 0.5, 0]).data
    found = words_of(code)
    assert [one[:2] for one in found] == [
        ("not", "−0.10"),
        ("bad", "−0.50"),
        ("good", "+0.50"),
        ("it", "0.00"),
    ]
    red, blue = ([int(one[2][i : i + 2], 16) for one in found] for i in (1, 5))
    assert blue[1] > red[1] and red[2] > blue[2]  # blue pushes down, orange up
    assert found[3][2].startswith("#fff") and red[1] < red[0] < 255  # the further, the darker
    assert (
        "pushes down −0.50" in soup(code).get_text() and "+0.50 pushes up (points)" in soup(code).get_text()
    )


def test_dimensions_are_lines_on_one_scale():
    frame = pd.DataFrame({"valence": [0.4, 0.0], "<i>arousal": [0.0, 0.2]})
    code = token_attributions(["a", "b"], frame, unit="of 4 points", title="<u>").data
    assert (
        len(words_of(code)) == 4
        and code.count("pushes up") == 1
        and "+0.40 pushes up (of 4 points)" in soup(code).get_text()
    )
    assert not soup(code).find_all(["i", "u"]) and "<i>arousal" in soup(code).get_text()
    strong, weak = (words_of(token_attributions(["a"], [0.2], most=one).data)[0][2] for one in (None, 1.0))
    assert strong != weak


def test_words_are_harmless_and_nothing_may_be_pushed():
    code = token_attributions(["<script>alert(1)</script>", "a'b\"&"], [0, 0]).data
    assert not soup(code).find_all("script") and "<script>alert(1)</script>" in soup(code).get_text()
    assert "No word changes the prediction" in code and "a'b\"&" in soup(code).get_text()
    assert token_attributions([], []).data
    for message, values in (
        (r"each of the 1 words.*\(2,\)", [1, 2]),
        ("finite", [np.nan]),
        ("v for each.*finite", {"v": [np.inf]}),
    ):
        with pytest.raises(SernbError, match=message):
            token_attributions(["a"], values)


@pytest.fixture
def editor(monkeypatch):
    monkeypatch.delenv("SERNB_REPORT", raising=False)
    return transcript_editor(predict, "not bad", (1, 5))


def test_the_editor_shows_the_first_transcript(editor):
    (field, _), message, shown = editor.children[0].children, *editor.children[1:]
    assert field.value == "not bad" and field.continuous_update is False and field.description == "Transcript"
    text = soup(shown.value).get_text(" ")
    assert "valence" in text and "2.40" in text and "from" not in text.split("bars from")[0]
    assert text.index("arousal") < text.index("valence")  # in the order of the dimensions
    assert message.value == ""


def test_a_changed_word_moves_the_bars_and_the_words(editor):
    (field, back), _, shown = editor.children[0].children, *editor.children[1:]
    before = shown.value
    field.value = "not good"
    text = soup(shown.value).get_text(" ")
    assert "3.40 , +1.00 from 2.40" in text and ("good", "+0.50") in [
        one[:2] for one in words_of(shown.value)
    ]
    bar, mark = (
        [one["style"] for one in soup(shown.value).find_all("span") if key in one.get("style", "")][1]
        for key in ("left:0;", "left:calc(")
    )
    assert "width:60.0%" in bar and "left:calc(35.0%" in mark
    back.click()
    assert field.value == "not bad" and shown.value == before


def test_errors_are_text_below_the_field_and_leave_the_picture(editor):
    (field, _), message, shown = editor.children[0].children, *editor.children[1:]
    before = shown.value
    field.value = "boom"
    assert "ValueError: no &lt;b&gt;such&lt;/b&gt; word" in message.value and "role='alert'" in message.value
    field.value = "   "
    assert "write at least one word" in message.value and shown.value == before
    field.value = "not good <script>x</script>"
    assert "role='alert'" not in message.value and not soup(shown.value).find_all("script")


def test_colours_keep_their_scale(editor):
    (field, _), _, shown = editor.children[0].children, *editor.children[1:]
    first = dict((one[0], one[2]) for one in words_of(shown.value)[2:])
    field.value = "not it"
    assert dict((one[0], one[2]) for one in words_of(shown.value)[2:])["not"] == first["not"]


def test_a_report_holds_a_picture(monkeypatch):
    monkeypatch.setenv("SERNB_REPORT", "1")
    picture = transcript_editor(predict, "not <script>u1</script> bad", (1, 5))
    assert isinstance(picture, HTML)
    text = soup(picture.data).get_text(" ")
    assert (
        "“not <script>u1</script> bad”" in text
        and "2.40" in text
        and "JupyterLab" in text
        and "−0.50" in text
    )
    assert not soup(picture.data).find_all("script")


def test_values_beyond_the_scale_and_bad_answers(editor):
    far = transcript_editor(
        lambda text: ({"valence": 9.0}, pd.DataFrame({"word": ["a"], "valence": [0.0]})), "a", (1, 5)
    )
    assert "width:100.0%" in far.children[2].value and "9.00" in far.children[2].value
    frame = pd.DataFrame({"word": ["a"]})
    with pytest.raises(SernbError, match=r"columns word, valence; there are word"):
        transcript_editor(lambda text: ({"valence": 1.0}, frame), "a", (1, 5))
    with pytest.raises(SernbError, match="finite"):
        transcript_editor(lambda text: ({"valence": np.nan}, frame.assign(valence=0)), "a", (1, 5))
    with pytest.raises(SernbError, match=r"\(5, 1\)"):
        transcript_editor(predict, "a", (5, 1))


def test_what_raters_said_is_a_diamond(monkeypatch):
    monkeypatch.setenv("SERNB_REPORT", "1")
    code = transcript_editor(predict, "not bad", (1, 5), truth={"valence": 2.0, "arousal": np.nan}).data
    (diamond,) = [one for one in soup(code).find_all("span") if "rotate(45deg)" in one.get("style", "")]
    assert "left:calc(25.0% -" in diamond["style"]
    text = soup(code).get_text(" ")
    assert "raters 2.00" in text and "diamond: what the raters said" in text and "nan" not in text
    plain = transcript_editor(predict, "not bad", (1, 5)).data
    assert "rotate(45deg)" not in plain and "diamond" not in plain


def test_words_that_do_little_stay_white():
    none, small, enough, _ = words_of(token_attributions(list("abcd"), [0, 0.09, -0.11, 1.0]).data)
    assert small[2] == none[2] != enough[2] and small[1] == "+0.09"
