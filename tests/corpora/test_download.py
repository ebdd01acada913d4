"""Downloads from a server on this machine that can be told to misbehave."""

import errno
import hashlib

import pytest

from sernb.core.errors import SernbError
from sernb.corpora import download as module
from sernb.corpora.download import download
from tests.corpora.server import CONTENT

SUM = hashlib.sha256(CONTENT).hexdigest()


def get(server, path, pauses=(), **options):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PAUSES", pauses)
        return download(f"{server.url}/a.zip", path, progress=False, **options)


def test_whole_and_checked(server, tmp_path):
    path = tmp_path / "new" / "a.zip"
    assert get(server, path, sha256=SUM.upper()) == SUM
    assert path.read_bytes() == CONTENT and [p.name for p in path.parent.iterdir()] == ["a.zip"]
    assert server.asked == [("/a.zip", None)]


def test_a_broken_connection_is_taken_up_where_it_broke(server, tmp_path):
    server.cut = [700_000, 400_000]
    assert get(server, tmp_path / "a.zip", pauses=(0, 0), sha256=SUM) == SUM
    assert [wanted for _, wanted in server.asked] == [None, "bytes=700000-", "bytes=1100000-"]


def test_the_next_call_goes_on(server, tmp_path):
    path = tmp_path / "a.zip"
    server.cut = [700_000]
    with pytest.raises(
        SernbError, match=r"cut off at 700000 of 2048000 bytes.*0.7 MB are here; the same command goes on"
    ):
        get(server, path)
    assert not path.exists() and (tmp_path / "a.zip.part").stat().st_size == 700_000
    assert get(server, path) == SUM
    assert server.asked[-1] == ("/a.zip", "bytes=700000-")
    assert [p.name for p in tmp_path.iterdir()] == ["a.zip"]


def test_all_of_it_is_here_but_was_not_checked_yet(server, tmp_path):
    path = tmp_path / "a.zip"
    server.cut = [700_000]
    with pytest.raises(SernbError):
        get(server, path)
    (tmp_path / "a.zip.part").write_bytes(CONTENT)
    assert get(server, path) == SUM and path.read_bytes() == CONTENT


def test_a_file_that_changed_meanwhile_begins_anew(server, tmp_path):
    server.cut = [700_000]
    with pytest.raises(SernbError):
        get(server, tmp_path / "a.zip")
    server.files["/a.zip"], server.tag = CONTENT[::-1], '"two"'
    assert get(server, tmp_path / "a.zip") == hashlib.sha256(CONTENT[::-1]).hexdigest()
    assert (tmp_path / "a.zip").read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("without", ["ranges", "tag"])
def test_servers_that_cannot_go_on_begin_anew(server, tmp_path, without):
    setattr(server, without, False if without == "ranges" else None)
    server.cut = [700_000]
    assert get(server, tmp_path / "a.zip", pauses=(0,)) == SUM
    assert server.asked[1][1] == (None if without == "tag" else "bytes=700000-")


def test_a_server_that_does_not_say_how_long_the_file_is(server, tmp_path):
    server.length = False
    assert get(server, tmp_path / "a.zip", sha256=SUM) == SUM


@pytest.mark.parametrize("name", ["sha256", "md5"])
def test_a_wrong_sum_leaves_no_file(server, tmp_path, name):
    wrong = "0" * (64 if name == "sha256" else 32)
    with pytest.raises(
        SernbError, match=rf"the {name} of a.zip.part is \w+, expected 000.*The file was removed"
    ):
        get(server, tmp_path / "a.zip", **{name: wrong})
    assert list(tmp_path.iterdir()) == []


def test_refusals(server, tmp_path):
    with pytest.raises(SernbError, match=r"b.zip: not found \(404\).*the publisher may have moved it"):
        download(f"{server.url}/b.zip", tmp_path / "b.zip", progress=False)
    server.status = [403]
    with pytest.raises(SernbError, match=r"the server answers Forbidden \(403\)"):
        get(server, tmp_path / "a.zip", pauses=(0,))
    server.status = [503, 429]
    assert get(server, tmp_path / "a.zip", pauses=(0, 0)) == SUM
    with pytest.raises(SernbError, match="expected an address that begins with https"):
        download("file:///etc/hosts", tmp_path / "c")
    assert [p.name for p in tmp_path.iterdir()] == ["a.zip"]


def test_nobody_answers(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PAUSES", ())
    with pytest.raises(SernbError, match=r"the connection failed .*Nothing came"):
        download("http://127.0.0.1:9/a.zip", tmp_path / "a.zip", progress=False)


def test_a_full_disk_is_told_before_and_while_writing(server, tmp_path, monkeypatch):
    class Usage:
        free = 1_000_000

    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: Usage)
    with pytest.raises(SernbError, match=r"cannot be written \(2 MB are needed, 1 MB are free\)"):
        get(server, tmp_path / "a.zip", pauses=(0, 0))
    assert len(server.asked) == 1  # trying again would not help
    monkeypatch.undo()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module.tqdm, "update", full)
    with pytest.raises(
        SernbError, match=r"No space left on device\). 0.3 MB are here; the same command goes on"
    ):
        get(server, tmp_path / "a.zip", pauses=(0, 0))
    assert not (tmp_path / "a.zip").exists()
