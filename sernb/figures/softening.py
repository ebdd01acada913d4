"""What a temperature does to a teacher's probabilities, and to what a student learns from them."""

import numpy as np
import plotly.graph_objects as go
from scipy.special import softmax
from scipy.stats import entropy

from sernb.core.errors import SernbError
from sernb.figures import drawing as draw
from sernb.figures.palette import INK, SERIES_COLORS, Picture, emotion_color

TEMPERATURES = (1, 1.5, 2, 3, 4, 6, 8, 12, 20)
ALPHAS = tuple(k / 20 for k in range(21))
START = {"temperature": 2, "alpha": 0.5}  # what is shown first
MOST = 12  # utterances to choose from: each adds its numbers at every temperature to the page


def softening(
    teacher_logits: np.ndarray, classes: list[str], temperatures=(1, 2, 4, 8), title: str = ""
) -> Picture:
    """The probabilities softmax(logits / temperature) of one utterance, a panel for each temperature.

    ``teacher_logits`` `(classes,)`. Each panel says the entropy in bits (log2(classes) where all are even).
    Raises SernbError where logits and classes differ in number, or a temperature is not above 0.
    """
    logits = draw.array_of(teacher_logits, (len(classes),), f"logits of the {len(classes)} classes")
    if not min(temperatures) > 0:
        raise SernbError(f"each temperature must lie above 0; got {min(temperatures)}.")
    height = 1.5 + 0.34 * len(classes)
    figure, panels = draw.row(height, len(temperatures), sharex=True, sharey=True)
    for ax, temperature in zip(panels, temperatures, strict=True):
        shares = softmax(logits / temperature)
        bars = ax.barh(range(len(classes)), 100 * shares, color=list(map(emotion_color, classes)), height=0.7)
        ax.bar_label(bars, [f"{100 * share:.1f}" for share in shares], padding=2, fontsize=8.5, color=INK)
        # There is room for the numbers.
        draw.tidy(ax, "", "probability (%)", xlim=(0, 128), xticks=[0, 50, 100])
        draw.caption(ax, f"T = {temperature:g}\n{entropy(shares, base=2):.2f} bits", 10)
        ax.tick_params(axis="y", length=0)
    panels[0].set_yticks(range(len(classes)), [draw.short(c, 24) for c in classes])
    panels[0].invert_yaxis()
    even = f"even probabilities: {np.log2(len(classes)):.2f} bits"
    return draw.headline(figure, title or f"One utterance, softened ({even})")


def gradient_share(student, teacher, truth: int, alpha, temperature: float):
    """The share of the gradient's size that is the KL term's: |KL part| / (|KL part| + |CE part|), 0 to 1.

    The gradient is that of alpha · KL · temperature² + (1 - alpha) · CE with respect to the student's logits
    `(classes,)`, of one utterance. ``alpha`` a number or an array. NaN where there is no gradient at all.
    """
    student, teacher, alpha = (np.asarray(values, float) for values in (student, teacher, alpha))
    kl = (softmax(student / temperature) - softmax(teacher / temperature)) / temperature
    ce = softmax(student) - np.eye(len(student))[truth]
    kl = alpha * np.linalg.norm(kl) * temperature**2
    both = kl + (1 - alpha) * np.linalg.norm(ce)
    return np.divide(kl, both, out=np.full_like(both, np.nan), where=both > 0)


def softening_explorer(
    logits: np.ndarray, truths: list[str], classes: list[str], names: list[str]
) -> go.Figure:
    """Two sliders (temperature, alpha) and a choice of utterance, that work in a saved page without a kernel.

    At the left the teacher's softened probabilities with their entropy, hollow those of a student that knows
    nothing; at the right the KL term's share of the gradient's size (with temperature²), over alpha.
    ``logits``: the teacher's, `(utterances, classes)`, of at most 12 utterances; ``names``: what to call
    each. Raises SernbError for lengths that do not fit, and a truth that is no class.
    """
    teacher = draw.array_of(logits, ("utterances", len(classes)), f"logits of the {len(classes)} classes")
    if not len(teacher) == len(truths) == len(names) <= MOST:
        counts = f"{len(teacher)} rows of logits, {len(truths)} truths and {len(names)} names"
        raise SernbError(f"the explorer takes 1 to {MOST} utterances; there are {counts}.")
    draw.known(truths, classes, "class")

    # The traces of all utterances at each temperature. The slider of the temperature swaps all numbers,
    # seen or not; the choice of utterance hides and shows; the slider of alpha moves the line, and the axis
    # of the words on the gradient, which shows one of them at a time. So none undoes another.
    utterances = list(zip(teacher, map(list(classes).index, truths), strict=True))
    traces = {t: [trace for u in utterances for trace in _traces(*u, classes, t)] for t in TEMPERATURES}
    owners = np.repeat(range(len(utterances)), len(traces[1]) // len(utterances)).tolist()
    numbers = [{key: [trace.get(key) for trace in at] for key in ("y", "text")} for at in traces.values()]
    lines = [{"shapes[0].x0": a, "shapes[0].x1": a, "xaxis4.range": [a - 0.02, a + 0.02]} for a in ALPHAS]
    shown = [{"visible": [owner == number for owner in owners]} for number in range(len(utterances))]
    labels = [f"{draw.short(n, 60)}  (true: {draw.short(t, 24)})" for n, t in zip(names, truths, strict=True)]

    figure = _lay_out(
        go.Figure(traces[START["temperature"]]),
        sliders=[
            {"x": 0, "len": 0.54, **_slider("temperature", TEMPERATURES, "restyle", numbers)},
            {"x": 0.64, "len": 0.36, **_slider("alpha", ALPHAS, "relayout", lines)},
        ],
        updatemenus=[{"x": 0, "y": 1.01, "xanchor": "left", "yanchor": "bottom", "pad": {"t": 0, "b": 0},
                      "buttons": _steps(map(draw.escape, labels), "restyle", shown)}],
    )  # fmt: skip
    figure.plotly_restyle(shown[0])
    figure.plotly_relayout(lines[ALPHAS.index(START["alpha"])])
    return figure


def _traces(teacher, truth, classes, temperature):
    """What is drawn of an utterance: bars of both, the entropy as text, the gradient's share twice."""
    student = np.zeros(len(teacher))
    bits, even = entropy(softmax(teacher / temperature), base=2), np.log2(len(teacher))
    share = 100 * gradient_share(student, teacher, truth, ALPHAS, temperature)
    share = [None if np.isnan(s) else round(float(s), 1) for s in share]
    labels, colors = [draw.escape(draw.short(c, 14)) for c in classes], [emotion_color(c) for c in classes]
    # Names that are equal once shortened would share a bar: characters without width keep them apart.
    labels = [label + "\u200b" * labels[:number].count(label) for number, label in enumerate(labels)]
    bars = {"type": "bar", "x": labels, "textposition": "outside", "cliponaxis": False, "textangle": 0,
            "texttemplate": "%{y:.0f}", "textfont": {"size": 11}}  # fmt: skip
    words = {"type": "scatter", "mode": "text", "hoverinfo": "skip", "textfont": {"size": 14}, "yaxis": "y3",
             "showlegend": False}  # fmt: skip

    def bar(name, logits, fill):
        return bars | {
            "name": name, "legendgroup": name, "y": np.round(100 * softmax(logits / temperature), 1).tolist(),
            "marker": {"color": fill, "line": {"color": colors, "width": 2}},
            "hovertemplate": f"%{{x}}: {name} %{{y}} %<extra></extra>",
        }  # fmt: skip

    return [
        bar("teacher", teacher, colors),
        bar("student", student, "white"),
        {**words, "x": [0], "y": [0], "xaxis": "x3", "textposition": "middle right",
         "text": [f"entropy {bits:.2f} of {even:.2f} bits"]},
        {"type": "scatter", "x": ALPHAS, "y": share, "xaxis": "x2", "yaxis": "y2", "mode": "lines+markers",
         "line": {"color": SERIES_COLORS[0]}, "marker": {"size": 5}, "showlegend": False,
         "hovertemplate": "alpha %{x}: KL term %{y} %<extra></extra>"},
        {**words, "x": ALPHAS, "y": [0] * len(ALPHAS), "xaxis": "x4", "texttemplate": "the gradient: %{text}",
         "text": ["there is none" if s is None else f"{s:.0f} % from KL" for s in share]},
    ]  # fmt: skip


def _steps(labels, method, changes):
    steps = zip(labels, changes, strict=True)
    return [{"label": label, "method": method, "args": [change]} for label, change in steps]


def _slider(name, values, method, changes):
    return {"active": values.index(START[name]), "y": -0.27, "yanchor": "top", "pad": {"t": 0, "b": 0},
            "currentvalue": {"prefix": f"{name} = ", "font": {"size": 14}},
            "steps": _steps([f"{value:g}" for value in values], method, changes)}  # fmt: skip


def _lay_out(figure, **controls):
    fixed, hidden = {"fixedrange": True, **draw.AXIS}, {"fixedrange": True, "visible": False}
    left, right, words = [0, 0.54], [0.64, 1], [0.91, 0.99]
    return draw.lay_out(
        figure,
        xaxis={"domain": left, "type": "category", **fixed, "showgrid": False},
        yaxis={"domain": [0, 0.88], "range": [0, 108], "title": {"text": "probability (%)"}, **fixed},
        xaxis2={"domain": right, "range": [-0.02, 1.02], "anchor": "y2",
                "title": {"text": "alpha (weight of the KL term)"}, **fixed},
        yaxis2={"domain": [0, 0.88], "range": [-2, 104], "anchor": "x2",
                "title": {"text": "the KL term's share of the gradient (%)"}, **fixed},
        xaxis3={"domain": left, "range": [0, 1], "anchor": "y3", **hidden},
        xaxis4={"domain": right, "anchor": "y3", **hidden},
        yaxis3={"domain": words, "range": [-1, 1], "anchor": "x3", **hidden},
        shapes=[{"type": "line", "xref": "x2", "yref": "y2", "y0": -2, "y1": 104,
                 "line": {"color": SERIES_COLORS[1], "width": 3}}],
        legend={"x": 0.54, "y": 0.95, "xanchor": "right", "yanchor": "middle", "orientation": "h",
                "bgcolor": "rgba(0,0,0,0)"},
        barmode="group", bargap=0.25, width=900, height=590, margin={"l": 60, "r": 20, "t": 60, "b": 190},
        **controls,
    )  # fmt: skip
