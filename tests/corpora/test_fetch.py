import hashlib
import io
import tarfile
import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sernb.cli import app
from sernb.core.errors import SernbError
from sernb.corpora import CORPORA
from sernb.corpora.corpus import Source
from sernb.corpora.fetch import fetch, unpack


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(members: dict[str, bytes], mode="w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def public(server, monkeypatch):
    """`public("emodb", content, gives=…)` makes the server the source of a corpus; returns the server."""

    def put(name, *files):
        sources = []
        for address, content, options in files:
            server.files[address] = content
            sources.append(Source(f"{server.url}{address}", **options))
        monkeypatch.setitem(CORPORA, name, replace(CORPORA[name], sources=tuple(sources)))
        return server

    return put


@pytest.fixture
def run(capsys):
    """`run(name, root, …)` fetches a corpus and returns its folder, and what was printed."""

    def fetched(name, root, **options):
        folder = fetch(name, root, **options)
        return folder, " ".join(capsys.readouterr().out.split())

    return fetched


ZIP = zipped(
    {"wav/03a01Fa.wav": b"sound", "erklaerung.txt": b"words", "__MACOSX/._x": b"", "wav/._03a01Fa.wav": b""}
)
EMODB = ("/download.zip", ZIP, {"gives": "wav", "archive": "download.zip"})


def test_archive_without_a_published_sum_is_trusted_once_and_recorded(public, tmp_path, run):
    server = public("emodb", EMODB)
    root, said = run("emodb", tmp_path / "emodb")
    assert (root / "wav" / "03a01Fa.wav").read_bytes() == b"sound"
    assert sorted(p.name for p in root.iterdir()) == ["download.zip.sha256", "erklaerung.txt", "wav"]
    assert (root / "download.zip.sha256").read_text() == f"{sha(ZIP)}  download.zip\n"
    assert f"SHA-256 {sha(ZIP)} (no sum is published; recorded for the next time)" in said
    assert "Licence: none stated" in said and "2 files unpacked" in said
    assert "wav is there already" in run("emodb", root)[1] and len(server.asked) == 1

    for name in ("wav/03a01Fa.wav", "erklaerung.txt"):
        (root / name).unlink()
    (root / "wav").rmdir()
    server.files["/download.zip"] = ZIP + b"changed"
    with pytest.raises(SernbError, match=rf"expected {sha(ZIP)}"):  # the second time it must be the same
        run("emodb", root)
    assert [p.name for p in root.iterdir()] == ["download.zip.sha256"]


def test_a_page_in_place_of_an_archive_is_not_trusted(public, tmp_path, run):
    server = public("emodb", EMODB)
    server.files["/download.zip"] = b"<html>Sign in</html>"
    with pytest.raises(SernbError, match="cannot be unpacked"):
        run("emodb", tmp_path / "emodb")
    assert list((tmp_path / "emodb").iterdir()) == []
    server.files["/download.zip"] = zipped({"other/a.wav": b""})
    with pytest.raises(SernbError, match="holds no wav; has the corpus changed"):
        run("emodb", tmp_path / "other")
    server.files["/download.zip"] = ZIP
    run("emodb", tmp_path / "emodb")


def test_a_sum_of_the_users_own(public, tmp_path, run):
    public("emodb", EMODB)
    with pytest.raises(SernbError, match="expected 000"):
        run("emodb", tmp_path / "emodb", sha256="0" * 64)
    with pytest.raises(SernbError, match="64 hexadecimal digits, got 'abc'"):
        run("emodb", tmp_path / "emodb", sha256="abc")
    assert "SHA-256 as expected" in run("emodb", tmp_path / "emodb", sha256=sha(ZIP))[1]
    public("emobank", ("/e.csv", b"id", {"gives": "corpus/e.csv", "sha256": sha(b"id")}))
    with pytest.raises(SernbError, match="sums of emobank are known"):
        run("emobank", tmp_path / "emobank", sha256=sha(b"id"))


def test_plain_files_with_known_sums(public, tmp_path, run):
    good = ("/e.csv", b"id", {"gives": "corpus/e.csv", "sha256": sha(b"id")})
    public("emobank", good, ("/m.tsv", b"meta", {"gives": "corpus/m.tsv", "sha256": sha(b"other")}))
    with pytest.raises(SernbError, match=r"m.tsv: the sha256 .* The file was removed"):
        run("emobank", tmp_path / "emobank")
    assert [p.name for p in (tmp_path / "emobank" / "corpus").iterdir()] == ["e.csv"]


def test_a_download_that_was_cut_off_goes_on(public, tmp_path, monkeypatch, run):
    monkeypatch.setattr("sernb.corpora.download.PAUSES", ())
    big = zipped({"wav/a.wav": bytes(300_000)})
    server = public("emodb", ("/download.zip", big, {"gives": "wav", "archive": "download.zip"}))
    server.cut = [100_000]
    with pytest.raises(SernbError, match="cut off at 100000"):
        run("emodb", tmp_path / "emodb")
    run("emodb", tmp_path / "emodb")
    assert server.asked[-1][1] == "bytes=100000-"
    assert (tmp_path / "emodb" / "wav" / "a.wav").stat().st_size == 300_000


def test_recordings_only_when_asked_for_with_archives_within(public, tmp_path, run):
    clips = tarred(
        {"MELD.Raw/train.tar.gz": tarred({"train_splits/dia0_utt0.mp4": b"video"}), "MELD.Raw/a.txt": b""}
    )
    public(
        "meld",
        ("/t.csv", b"Sr", {"gives": "train_sent_emo.csv", "sha256": sha(b"Sr")}),
        (
            "/r.tar.gz",
            clips,
            {"gives": "MELD.Raw", "archive": "r.tar.gz", "recordings": True, "sha256": sha(clips)},
        ),
    )
    root, _ = run("meld", tmp_path / "meld")
    assert [p.name for p in root.iterdir()] == ["train_sent_emo.csv"]
    run("meld", root, recordings=True)
    assert (root / "MELD.Raw" / "train_splits" / "dia0_utt0.mp4").read_bytes() == b"video"
    assert sorted(p.name for p in root.rglob("*.tar.gz")) == []
    public("emodb", EMODB)
    with pytest.raises(SernbError, match="leave --recordings out"):
        run("emodb", tmp_path / "emodb", recordings=True)


def test_lfs_pointers_are_filled_checked_and_taken_up_again(public, tmp_path, run):
    sounds = {f"AudioWAV/{number}.wav": bytes([number]) * 1000 for number in range(5)}
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 1000\n"
    pointers = {
        f"CREMA-D-master/{name}": pointer.format(sha(sound)).encode() for name, sound in sounds.items()
    }
    archive = zipped(
        pointers | {"CREMA-D-master/VideoFlash/1.flv": b"", "CREMA-D-master/VideoDemographics.csv": b"A"}
    )
    options = {
        "gives": "AudioWAV",
        "archive": "c.zip",
        "strip": 1,
        "only": ("AudioWAV/*.wav", "VideoDemographics.csv"),
    }
    server = public("cremad")
    public("cremad", ("/c.zip", archive, options | {"lfs": f"{server.url}/media/"}))
    server.files |= {f"/media/{name}": sound for name, sound in sounds.items()}
    server.files["/media/AudioWAV/3.wav"] = b"wrong" * 200
    with pytest.raises(SernbError, match=r"3.wav: the sha256"):
        run("cremad", tmp_path / "cremad")
    assert (tmp_path / "cremad" / "AudioWAV" / "3.wav").read_text().startswith("version https://git-lfs")
    server.files["/media/AudioWAV/3.wav"] = sounds["AudioWAV/3.wav"]
    root, _ = run("cremad", tmp_path / "cremad")
    assert {f"AudioWAV/{p.name}": p.read_bytes() for p in (root / "AudioWAV").iterdir()} == sounds
    assert sorted(p.name for p in root.iterdir()) == ["AudioWAV", "VideoDemographics.csv", "c.zip.sha256"]
    asked = len(server.asked)
    run("cremad", root)
    assert len(server.asked) == asked


@pytest.mark.parametrize("name", ["iemocap", "msp_podcast", "manifest", "embedded", "embedded_pairs"])
def test_what_cannot_be_fetched_says_how_it_is_had(name, tmp_path):
    with pytest.raises(SernbError) as error:
        fetch(name, tmp_path / name)
    assert CORPORA[name].obtain in str(error.value) and "To be fetched are emodb" in str(error.value)
    assert not (tmp_path / name).exists()


def test_every_source_names_its_sum():
    sources = [source for corpus in CORPORA.values() for source in corpus.sources]
    assert all(source.url.startswith("http") for source in sources)
    assert {len(source.sha256) for source in sources if source.sha256} == {64}
    assert all(source.sha256 for name in ("meld", "emobank", "xed") for source in CORPORA[name].sources)


def test_real_texts_have_the_sums(real_text):
    for name, place in (("meld", "meld/data/MELD"), ("emobank", "emobank"), ("xed", "xed_en")):
        folder, _, below = place.partition("/")
        for source in CORPORA[name].sources:
            if not source.recordings:
                assert sha((real_text(folder) / below / source.gives).read_bytes()) == source.sha256


def test_command_line(public, tmp_path, monkeypatch):
    monkeypatch.setenv("SERNB_CORPORA", str(tmp_path))
    public("emodb", EMODB)
    done = CliRunner().invoke(app, ["fetch", "emodb"])
    assert done.exit_code == 0 and f"emodb is in {tmp_path / 'emodb'}." in done.output
    done = CliRunner().invoke(app, ["fetch", "iemocap"])
    assert done.exit_code == 2 and "sail.usc.edu" in done.output
    done = CliRunner().invoke(app, ["fetch", "nothing"])
    assert done.exit_code == 2 and "unknown corpus 'nothing'" in done.output
    (tmp_path / "meld").write_text("")
    done = CliRunner().invoke(app, ["fetch", "meld"])
    assert done.exit_code == 2 and "is a file, expected a folder" in done.output


@pytest.mark.parametrize(
    "name", ["../evil.wav", "/tmp/evil.wav", "wav/../../evil.wav", "..\\evil.wav", "C:/evil.wav"]
)
@pytest.mark.parametrize("make", [zipped, tarred])
def test_nothing_lands_outside(tmp_path, name, make):
    """zipfile takes such parts out of a name; tarfile's filter refuses the archive, which then is left."""
    archive = tmp_path / "a.archive"
    archive.write_bytes(make({"wav/good.wav": b"sound", name: b"evil"}))
    with suppress(SernbError):
        unpack(archive, tmp_path / "out")
    evil = [path for path in tmp_path.rglob("*") if path.is_file() and path.read_bytes() == b"evil"]
    assert all(path.is_relative_to(tmp_path / "out") for path in evil)
    assert not Path("/tmp/evil.wav").exists()
    assert not list((tmp_path / "out").glob("*.unpacking"))


def test_a_link_that_leads_out(tmp_path):
    archive = tmp_path / "a.tar"
    with tarfile.open(archive, "w") as tar:
        link = tarfile.TarInfo("wav")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc"
        tar.addfile(link)
    with pytest.raises(SernbError, match=r"cannot be unpacked.* absolute path"):
        unpack(archive, tmp_path / "out")
    with zipfile.ZipFile(tmp_path / "l.zip", "w") as made:
        info = zipfile.ZipInfo("wav")
        info.external_attr = 0o120777 << 16
        made.writestr(info, "/etc")
    unpack(tmp_path / "l.zip", tmp_path / "out")
    assert (tmp_path / "out" / "wav").read_text() == "/etc"  # a text, and no link


def test_damage_and_full_disks(tmp_path, monkeypatch):
    whole = zipped({"wav/a.wav": bytes(100_000)})
    damaged = bytearray(whole)
    damaged[60] ^= 255
    (tmp_path / "d.zip").write_bytes(damaged)
    with pytest.raises(SernbError, match="cannot be unpacked"):
        unpack(tmp_path / "d.zip", tmp_path / "out")
    (tmp_path / "page.zip").write_text("<html>Sign in</html>")
    with pytest.raises(SernbError, match="cannot be unpacked"):
        unpack(tmp_path / "page.zip", tmp_path / "out")
    (tmp_path / "w.zip").write_bytes(whole)
    with pytest.raises(SernbError, match="holds none of mp3"):
        unpack(tmp_path / "w.zip", tmp_path / "out", only=("mp3/*",))
    (tmp_path / "out" / "wav").mkdir()
    with pytest.raises(SernbError, match=r"wav is in .* already; move it away"):
        unpack(tmp_path / "w.zip", tmp_path / "out")
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 10}))
    with pytest.raises(SernbError, match="needs 0 MB, 0 MB are free"):
        unpack(tmp_path / "w.zip", tmp_path / "elsewhere")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["wav"]
