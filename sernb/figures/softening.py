"""What a temperature does to a teacher's probabilities, and to what a student learns from them."""

import html

import numpy as np
import plotly.graph_objects as go
from scipy.special import softmax
from scipy.stats import entropy

from sernb.core.errors import SernbError
from sernb.figures.palette import INK, SERIES_COLORS, Picture, emotion_color, plain, tidy

TEMPERATURES = (1, 1.5, 2, 3, 4, 6, 8, 12, 20)
ALPHAS = tuple(k / 20 for k in range(21))
MOST = 12  # utterances to choose from: each adds its numbers at every temperature to the page
LONGEST = 60  # characters of an utterance's name that the choice shows
EACH = 5  # traces of an utterance


def softening(
    teacher_logits: np.ndarray, classes: list[str], temperatures=(1, 2, 4, 8), title: str = ""
) -> Picture:
    """The probabilities softmax(logits / temperature) of one utterance, a panel for each temperature.

    ``teacher_logits`` (classes,). Each panel says the entropy in bits; even probabilities have log2(classes) of them.
    Raises SernbError where logits and classes differ in number, or a temperature is not above 0.
    """
    logits = _logits(teacher_logits, classes, 1)
    _checked(temperatures, "temperature", 0, np.inf)
    figure = Picture(height=1.5 + 0.34 * len(classes))
    panels = figure.subplots(1, len(temperatures), sharex=True, sharey=True, squeeze=False)[0]
    for ax, temperature in zip(panels, temperatures, strict=True):
        shares = softmax(logits / temperature)
        bars = ax.barh(
            range(len(classes)), 100 * shares, color=[emotion_color(c) for c in classes], height=0.7
        )
        ax.bar_label(bars, [f"{100 * one:.1f}" for one in shares], padding=2, fontsize=8.5, color=INK)
        tidy(ax, "", "probability (%)")
        ax.set_title(
            f"T = {temperature:g}\n{entropy(shares, base=2):.2f} bits", loc="left", fontsize=10, color=INK
        )
        ax.set_xlim(0, 128)  # room for the numbers
        ax.set_xticks([0, 50, 100])
        ax.tick_params(axis="y", length=0)
    panels[0].set_yticks(range(len(classes)), [plain(_short(c, 24)) for c in classes])
    panels[0].invert_yaxis()
    most = f"even probabilities: {np.log2(len(classes)):.2f} bits"
    figure.suptitle(
        plain(title or f"One utterance, softened ({most})"), x=0.01, ha="left", fontsize=11, fontweight="bold",
        color=INK,
    )  # fmt: skip
    return figure


def gradient_share(student, teacher, truth: int, alpha, temperature: float, squared: bool = True):
    """The share of the gradient's size that is the KL term's: |KL part| / (|KL part| + |CE part|), from 0 to 1.

    The gradient is that of alpha · KL · temperature² + (1 - alpha) · CE with respect to the student's logits
    ``(classes,)``, of one utterance; without ``squared`` the factor temperature² is left out. ``alpha`` a number or an
    array. NaN where there is no gradient at all.
    """
    student, teacher, alpha = (np.asarray(one, float) for one in (student, teacher, alpha))
    kl = (softmax(student / temperature) - softmax(teacher / temperature)) / temperature
    ce = softmax(student) - np.eye(len(student))[truth]
    kl = alpha * np.linalg.norm(kl) * (temperature**2 if squared else 1)
    both = kl + (1 - alpha) * np.linalg.norm(ce)
    return np.divide(kl, both, out=np.full_like(both, np.nan), where=both > 0)


def softening_explorer(
    logits: np.ndarray,
    truths: list[str],
    classes: list[str],
    names: list[str],
    student: np.ndarray | None = None,
    temperatures=TEMPERATURES,
    alphas=ALPHAS,
    start: tuple[float, float] = (2, 0.5),
) -> go.Figure:
    """Two sliders (temperature, alpha) and a choice of utterance, that work in a saved page without a kernel.

    At the left the teacher's softened probabilities with their entropy, the student's beside them, hollow; at the
    right the share of the gradient's size that comes from the KL term (`gradient_share`, with temperature²), as a curve
    over alpha, with a line at the alpha chosen. ``logits`` and ``student`` (utterances, classes); without a student it
    is one that knows nothing (all classes even). ``truths`` are class names, ``names`` what to call each utterance;
    both are data and are escaped. ``start``: the temperature and alpha shown first. At most 12 utterances.
    Raises SernbError for lengths that do not fit, a truth that is no class, and values out of range.
    """
    teacher = _logits(logits, classes, 2)
    student = np.zeros_like(teacher) if student is None else _logits(student, classes, 2)
    _checked(temperatures, "temperature", 0, np.inf)
    _checked(alphas, "alpha", -1e-9, 1 + 1e-9)
    if not len(teacher) == len(student) == len(truths) == len(names) or not 1 <= len(teacher) <= MOST:
        raise SernbError(
            f"the explorer takes 1 to {MOST} utterances, each with logits, truth and name; there are {len(teacher)} rows "
            f"of teacher logits, {len(student)} of student logits, {len(truths)} truths and {len(names)} names."
        )
    strange = [truth for truth in truths if truth not in list(classes)]
    if strange:
        raise SernbError(
            f"the truth {strange[0]!r} is no class; the classes are {', '.join(map(str, classes))}."
        )
    places = [list(classes).index(truth) for truth in truths]
    at_t, at_alpha = (int(np.argmin(np.abs(np.subtract(v, s)))) for v, s in zip((temperatures, alphas), start, strict=True))  # fmt: skip
    # What each temperature changes, of every utterance, seen or not: so the choice of utterance, which only hides and
    # shows, and the two sliders never undo one another.
    states = [
        [part for row in zip(teacher, student, places, strict=True) for part in _parts(*row, t, alphas)]
        for t in temperatures
    ]
    figure = go.Figure()
    for number in range(len(teacher)):
        for kind, state in zip(
            _kinds(classes, alphas), states[at_t][EACH * number : EACH * (number + 1)], strict=True
        ):
            figure.add_trace({**kind, **state, "visible": number == 0})
    _axes(figure, alphas, at_alpha)
    _controls(figure, states, temperatures, alphas, (at_t, at_alpha), truths, names)
    return figure


def _parts(teacher, student, truth, temperature, alphas):
    """What changes with the temperature: teacher's and student's percentages, the entropy, the gradient's share twice."""
    theirs, ours = (np.round(100 * softmax(one / temperature), 1).tolist() for one in (teacher, student))
    bits = entropy(softmax(teacher / temperature), base=2)
    shares = 100 * gradient_share(student, teacher, truth, alphas, temperature)
    shares = [None if np.isnan(one) else round(float(one), 1) for one in shares]
    return (
        {"y": theirs, "text": None},
        {"y": ours, "text": None},
        {"y": [0], "text": [f"entropy {bits:.2f} of {np.log2(len(teacher)):.2f} bits"]},
        {"y": shares, "text": None},
        {"y": [0] * len(shares), "text": ["there is none" if s is None else f"{s:.0f} % from KL" for s in shares]},
    )  # fmt: skip


def _kinds(classes, alphas):
    """The traces of an utterance, without what changes."""
    labels, colors = [_escape(_short(c, 14)) for c in classes], [emotion_color(c) for c in classes]
    # Names that are equal once shortened would share a bar: characters without width keep them apart.
    labels = [label + "\u200b" * labels[:number].count(label) for number, label in enumerate(labels)]
    said = {
        "type": "scatter",
        "mode": "text",
        "hoverinfo": "skip",
        "textfont": {"size": 14},
        "showlegend": False,
    }
    bars = {
        "type": "bar",
        "x": labels,
        "textposition": "outside",
        "cliponaxis": False,
        "textangle": 0,
        "texttemplate": "%{y:.0f}",
        "textfont": {"size": 11},
    }
    return (
        {**bars, "name": "teacher", "legendgroup": "teacher", "marker": {"color": colors, "line": {"color": colors, "width": 2}},
         "hovertemplate": "%{x}: teacher %{y} %<extra></extra>"},
        {**bars, "name": "student", "legendgroup": "student",
         "marker": {"color": "white", "line": {"color": colors, "width": 2}},
         "hovertemplate": "%{x}: student %{y} %<extra></extra>"},
        {**said, "x": [0], "xaxis": "x3", "yaxis": "y3", "textposition": "middle right"},
        {"type": "scatter", "x": list(alphas), "xaxis": "x2", "yaxis": "y2", "mode": "lines+markers",
         "line": {"color": SERIES_COLORS[0]}, "marker": {"size": 5}, "showlegend": False,
         "hovertemplate": "alpha %{x}: KL term %{y} %<extra></extra>"},
        {**said, "x": list(alphas), "xaxis": "x4", "yaxis": "y3", "texttemplate": "the gradient: %{text}"},
    )  # fmt: skip


def _axes(figure, alphas, at_alpha):
    fixed = {"fixedrange": True, "gridcolor": "#e4e4e4", "zeroline": False}
    hidden = {"fixedrange": True, "visible": False}
    alpha = alphas[at_alpha]
    figure.update_layout(
        xaxis={"domain": [0, 0.54], "type": "category", **fixed, "showgrid": False},
        yaxis={"domain": [0, 0.88], "range": [0, 108], "title": {"text": "probability (%)"}, **fixed},
        xaxis2={"domain": [0.64, 1], "range": [-0.02, 1.02], "anchor": "y2",
                "title": {"text": "alpha (weight of the KL term)"}, **fixed},
        yaxis2={"domain": [0, 0.88], "range": [-2, 104], "anchor": "x2",
                "title": {"text": "the KL term's share of the gradient (%)"}, **fixed},
        xaxis3={"domain": [0, 0.54], "range": [0, 1], "anchor": "y3", **hidden},
        xaxis4={"domain": [0.64, 1], "range": _window(alpha, alphas), "anchor": "y3", **hidden},
        yaxis3={"domain": [0.91, 0.99], "range": [-1, 1], "anchor": "x3", **hidden},
        shapes=[{"type": "line", "xref": "x2", "yref": "y2", "x0": alpha, "x1": alpha, "y0": -2, "y1": 104,
                 "line": {"color": SERIES_COLORS[1], "width": 3}}],
        legend={"x": 0.54, "y": 0.95, "xanchor": "right", "yanchor": "middle", "orientation": "h", "bgcolor": "rgba(0,0,0,0)"},
        barmode="group", bargap=0.25, width=900, height=590, margin={"l": 60, "r": 20, "t": 60, "b": 190}, plot_bgcolor="white",
        font={"color": INK}, hoverlabel={"align": "left", "bgcolor": "white"},
    )  # fmt: skip


def _window(alpha, alphas):
    """The range of an axis on which one alpha alone is seen: so a slider that moves the axis chooses its words."""
    half = 0.4 * min(np.diff(np.sort(alphas)), default=1.0)
    return [float(alpha - half), float(alpha + half)]


def _controls(figure, states, temperatures, alphas, at, truths, names):
    for_all = [{key: [part[key] for part in state] for key in ("y", "text")} for state in states]
    line = [
        {"shapes[0].x0": a, "shapes[0].x1": a, "xaxis4.range": _window(a, alphas)} for a in map(float, alphas)
    ]
    sliders = (
        ("temperature", temperatures, at[0], 0, 0.54, "restyle", for_all),
        ("alpha", alphas, at[1], 0.64, 0.36, "relayout", line),
    )
    figure.update_layout(
        sliders=[
            {"active": active, "x": x, "len": length, "y": -0.27, "yanchor": "top", "pad": {"t": 0, "b": 0},
             "currentvalue": {"prefix": f"{what} = ", "font": {"size": 14}},
             "steps": [{"label": f"{value:g}", "method": method, "args": [change]}
                       for value, change in zip(values, changes, strict=True)]}
            for what, values, active, x, length, method, changes in sliders
        ],
        updatemenus=[
            {"x": 0, "y": 1.01, "xanchor": "left", "yanchor": "bottom", "pad": {"t": 0, "b": 0}, "buttons": [
                {"label": _escape(f"{_short(name, LONGEST)}  (true: {_short(truth, 24)})"), "method": "restyle",
                 "args": [{"visible": [k // EACH == number for k in range(EACH * len(names))]}]}
                for number, (name, truth) in enumerate(zip(names, truths, strict=True))
            ]}
        ],
    )  # fmt: skip


def _logits(values, classes, dimensions):
    values = np.asarray(values, float)
    if values.ndim != dimensions or values.shape[-1] != len(classes) or not np.isfinite(values).all():
        shape = "(classes,)" if dimensions == 1 else "(utterances, classes)"
        raise SernbError(
            f"expected finite logits {shape} with {len(classes)} classes, got the shape {values.shape}"
            f"{'' if np.isfinite(values).all() else ' with NaN or infinity'}."
        )
    return values


def _checked(values, name, low, high):
    wrong = [one for one in values if not low < one < high]
    if wrong or not len(values):
        raise SernbError(
            f"each {name} must lie between {low:.0f} and {high:.0f}; got {wrong[0] if wrong else 'none'}."
        )


def _short(text, longest):
    text = " ".join(str(text).split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _escape(text):
    """For plotly, which knows &amp; &lt; &gt; but would show &quot; as it stands."""
    return html.escape(str(text), quote=False)
