"""Executed notebooks as HTML pages that need no network: formulas as MathML, plotly.js once beside the
pages."""

import base64
import html
import re
from pathlib import Path

import nbformat
import plotly.io
import plotly.offline
from jinja2 import Environment, PackageLoader, StrictUndefined
from latex2mathml.converter import convert
from markupsafe import Markup
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments.formatters import HtmlFormatter

PLOTLY = "application/vnd.plotly.v1+json"
WIDGET = "application/vnd.jupyter.widget-view+json"
PLOTLY_FILE = "plotly.min.js"
PROGRESS = re.compile(r"\d+%\|.*\|")  # tqdm's bars: of use while a cell runs
NEEDS_WIDGET = "<p class='note'>An interactive control: open the notebook in JupyterLab to use it.</p>"

templates = Environment(
    loader=PackageLoader("sernb.notebook"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


def mathml(latex, display="inline"):
    """A LaTeX formula as MathML, which browsers draw themselves; what cannot be read is shown as written."""
    try:
        return convert(latex.strip().strip("$"), display=display)
    except Exception:
        return f"<code>{html.escape(latex)}</code>"


class MathRenderer(IPythonRenderer):
    """nbconvert's Markdown with MathML in place of text for MathJax, which pages would have to download."""

    def inline_math(self, body):
        return mathml(body)

    def block_math(self, body):
        return mathml(body, "block")

    def latex_environment(self, name, body):
        return mathml(rf"\begin{{{name}}}{body}\end{{{name}}}", "block")


class BodyExporter(HTMLExporter):
    """The notebook's cells as HTML, without a page around them."""

    template_name = "basic"
    folder = ""  # where the images that Markdown names are found

    def markdown2html(self, source):
        renderer = MathRenderer(escape=False, embed_images=True, path=self.folder)
        return MarkdownWithMath(renderer=renderer).render(source)

    def default_filters(self):
        yield from super().default_filters()
        yield ("markdown2html", self.markdown2html)


def title_of(notebook, otherwise):
    """The first level-one heading of a notebook, as plain text."""
    for cell in notebook.cells:
        found = re.search(r"^# +(.+)$", cell.source, re.M) if cell.cell_type == "markdown" else None
        if found:
            return re.sub(r"[*_`]", "", found.group(1)).strip()
    return otherwise


def offline(notebook):
    """A copy of the notebook whose outputs need no download, and whose pictures have a text."""
    copy = nbformat.from_dict(notebook)
    # No page draws widgets, and a "<!--<script>" in their state would swallow the rest of the page.
    copy.metadata.pop("widgets", None)
    heading, figures = "", 0
    for cell in copy.cells:
        if cell.cell_type == "markdown":
            headings = re.findall(r"^#+ +(.+)$", cell.source, re.M)
            heading = re.sub(r"[*_`$]", "", headings[-1]).strip() if headings else heading
        if "outputs" in cell:
            cell.outputs = [output for output in cell.outputs if not is_progress(output)]
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if PLOTLY in data:
                figure = {key: value for key, value in data[PLOTLY].items() if key != "config"}
                look = {"include_plotlyjs": False, "full_html": False, "default_height": "28rem"}
                code = plotly.io.to_html(figure, validate=False, **look)
                label = html.escape(heading, quote=True)
                output.data = {"text/html": f'<div role="figure" aria-label="{label}">{code}</div>'}
            elif WIDGET in data:
                output.data = {"text/html": NEEDS_WIDGET}
            elif "text/latex" in data and "text/html" not in data:
                output.data = {"text/html": mathml(data["text/latex"], "block")}
            for kind in ("image/png", "image/jpeg"):
                if kind in data:
                    figures += 1
                    text = f"Figure {figures}: {heading}" if heading else f"Figure {figures}"
                    output.metadata.setdefault(kind, {}).setdefault("alt", text)
    return copy


def is_progress(output):
    """Whether an output is nothing but progress bars, as widgets or as text."""
    stream = output.output_type == "stream"
    text = output.get("text", "") if stream else output.get("data", {}).get("text/plain", "")
    lines = [line for line in re.split(r"[\r\n]+", text) if line.strip()]
    return bool(lines) and all(map(PROGRESS.search, lines)) and not (stream and output.name != "stderr")


def picture(notebook):
    """PNG bytes for the index: the first of a cell tagged `picture`, else the last; None without one."""
    tagged, every = [], []
    for cell in notebook.cells:
        images = [output.get("data", {}).get("image/png") for output in cell.get("outputs", [])]
        every += filter(None, images)
        tagged += filter(None, images if "picture" in cell.metadata.get("tags", []) else [])
    chosen = tagged[:1] or every[-1:]
    return base64.b64decode("".join(chosen[0])) if chosen else None


def style():
    """The style sheet of all pages, code colours for light and dark included."""
    light = HtmlFormatter(style="default").get_style_defs(".highlight")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".highlight")
    text = templates.get_template("style.css").render()
    return Markup(f"{text}\n{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}")


def page(notebook, entry, folder):
    """The HTML page of an executed notebook; `entry` is its part of the summary, `folder` that of its
    images."""
    exporter = BodyExporter()
    exporter.folder = str(folder)
    body, _ = exporter.from_notebook_node(offline(notebook))
    has_plotly = any(PLOTLY in o.get("data", {}) for c in notebook.cells for o in c.get("outputs", []))
    return templates.get_template("page.html.j2").render(
        entry=entry, body=Markup(body), style=style(), plotly=PLOTLY_FILE if has_plotly else None
    )


def index(summary):
    """The index page of a report, from its summary."""
    return templates.get_template("index.html.j2").render(summary=summary, style=style())


def write_plotly(folder):
    """Put plotly.js beside the pages, once, where one of them uses it."""
    pages = [page.read_text(encoding="utf-8") for page in Path(folder).glob("*.html")]
    if any(f'src="{PLOTLY_FILE}"' in text for text in pages):
        (Path(folder) / PLOTLY_FILE).write_text(plotly.offline.get_plotlyjs(), encoding="utf-8")
