"""The modules of the front end name what they take from each other, and become one text without imports."""

import re

import pytest

from sernb.core.errors import SernbError
from sernb.explorer import front

MODULES = (*front.PARTS, "page.js")


def declared(text):
    """Names that a module declares at its top."""
    names = re.findall(r"^(?:export )?(?:async )?function (\w+)", text, re.MULTILINE)
    for lists in re.findall(r"^(?:export )?const (\w+|\[[^\]]*\])", text, re.MULTILINE):
        names += re.findall(r"\w+", lists)
    return names


def imported(text):
    """{name: module} of a module's imports."""
    found = re.findall(r'^import \{([^}]*)\} from "\./(\S+)";$', text, re.MULTILINE)
    return {name: module for names, module in found for name in re.findall(r"\w+", names)}


def test_they_import_what_they_use_and_nothing_else():
    texts = {name: front.read(name) for name in MODULES}
    exported = {
        name: set(re.findall(r"^export (?:const|function) (\w+)", text, re.MULTILINE))
        for name, text in texts.items()
    }
    for module, text in texts.items():
        code = re.sub(r"//.*", "", re.sub(r"^import .*", "", text, flags=re.MULTILINE))
        taken = imported(text)
        for name, source in taken.items():
            assert name in exported[source], f"{module} imports {name}, which {source} does not export"
            assert re.search(rf"\b{name}\b", code), f"{module} imports {name} and does not use it"
        own = {*taken, *declared(text), *re.findall(r"(?:const|let|function) (\w+)", text)}
        for source, names in exported.items():
            for name in names - own if source != module else ():
                called = rf"(?<![.\w]){name}\b" if name.isupper() else rf"(?<![.\w]){name}\("
                assert not re.search(called, code), f"{module} uses {name} of {source} without importing it"


def test_no_name_is_declared_twice_for_they_share_one_scope():
    names = [name for module in MODULES for name in declared(front.read(module))]
    assert len(set(names)) == len(names)


def test_joined_they_import_and_export_nothing_but_the_widget():
    text = front.module()
    assert not re.search(r"^import\b", text, re.MULTILINE)
    assert re.findall(r"^export\b.*", text, re.MULTILINE) == ["export default { render };"]
    assert "\r" not in text


def test_a_part_of_the_front_end_that_is_missing_is_named(monkeypatch):
    monkeypatch.setattr(front, "PARTS", ("none.js",))
    with pytest.raises(SernbError, match=r"none.js: a part of the explorer is missing"):
        front.module()
