"""The served page: this machine, this address, this token; everything else is not found."""

import http.client
import json
import threading
from urllib.parse import urlsplit

import pytest

from sernb.core.errors import SernbError
from sernb.explorer import explore, server


@pytest.fixture(scope="module")
def served(embedded):
    explorer = explore(*embedded, title="embedded")
    running, url = server.make_server(explorer)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield url
    running.shutdown()
    running.server_close()
    thread.join()


def get(url, path=None, host=None, method="GET"):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    connection.putrequest(method, parts.path if path is None else path, skip_host=host is not None)
    if host:
        connection.putheader("Host", host)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, dict(answer.getheaders()), body


def test_the_page(served):
    assert served.startswith("http://127.0.0.1:") and len(urlsplit(served).path) > 20
    status, headers, body = get(served)
    assert status == 200 and headers["Content-Type"] == "text/html; charset=utf-8"
    assert b'"served":true' in body and b"<title>embedded</title>" in body
    assert "connect-src 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Cache-Control"] == "no-store"


def test_a_clip(served):
    status, headers, body = get(served, urlsplit(served).path + "clip/3")
    clip = json.loads(body)
    assert (
        status == 200
        and headers["Content-Type"] == "application/json"
        and headers["Cache-Control"] == "no-store"
    )
    assert clip["row"] == 3 and clip["audio"].startswith("data:audio/flac")


@pytest.mark.parametrize(
    "path",
    [
        "/", "", "{}", "/wrong/", "/wrong/clip/1", "{}clip/", "{}clip/1100", "{}clip/-1", "{}clip/1/",
        "{}clip/9999999999",
        "{}clip/%31", "{}../etc/passwd", "{}clip/../../etc/passwd", "/etc/passwd", "{}index.html",
    ],
)  # fmt: skip
def test_everything_else_is_not_found(served, path):
    token = urlsplit(served).path
    path = path.format(token[:-1] if path == "{}" else token)
    status, headers, body = get(served, path or "/")
    assert status == 404 and b"root:" not in body
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_name_of_another_site_is_refused(served):
    port = urlsplit(served).port
    for host in (
        f"evil.example:{port}",
        "127.0.0.1",
        f"127.0.0.1.evil.example:{port}",
        f"localhost:{port + 1}",
    ):
        status, _, body = get(served, host=host)
        assert status == 403 and b"sernb-data" not in body
    assert get(served, host=f"localhost:{port}")[0] == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "HEAD"])
def test_other_methods_are_not_known(served, method):
    assert get(served, method=method)[0] == 501


def test_many_at_a_time(served):
    path, found = urlsplit(served).path, []
    threads = [
        threading.Thread(target=lambda row=row: found.append(get(served, f"{path}clip/{row}")[0]))
        for row in range(24)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [200] * 24


def test_a_port_that_is_taken(served, small):
    with pytest.raises(SernbError, match="cannot be used"):
        server.make_server(explore(*small), urlsplit(served).port)
    with pytest.raises(SernbError, match="cannot be used"):
        server.make_server(explore(*small), 99999)


def test_ctrl_c_ends_it_quietly(small, monkeypatch):
    said, opened = [], []
    monkeypatch.setattr(server.webbrowser, "open", opened.append)

    def pressed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(server.ThreadingHTTPServer, "serve_forever", pressed)
    server.serve(explore(*small), say=said.append)
    assert said[0].startswith(f"The explorer is at {opened[0]}") and said[-1] == "The explorer has ended."


def post(url, body, host=None, path="notes", length=None, origin=None):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    headers = {"Content-Length": str(len(body) if length is None else length)} | (
        {"Host": host} if host else {}
    )
    headers |= {} if origin is None else {"Origin": origin}
    connection.request("POST", parts.path + path, body, headers)
    answer = connection.getresponse()
    told = answer.status, answer.read()
    connection.close()
    return told


@pytest.fixture
def noted(embedded):
    """(address, explorer, what was kept)."""
    explorer, kept = explore(*embedded, title="embedded"), []
    running, url = server.make_server(explorer, keep=lambda one: kept.append(dict(one.notes)))
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield url, explorer, kept
    running.shutdown()
    running.server_close()


def test_notes_of_the_page_reach_python_and_come_back(noted):
    url, explorer, kept = noted
    name = explorer.state["utterance"][0]
    notes = {name: {"note": "breathy </script>", "tags": ["noisy"]}}
    assert post(url, json.dumps(notes).encode())[0] == 200
    assert explorer.notes == notes == kept[-1]
    assert b"breathy \\u003c/script\\u003e" in get(url)[2]
    assert post(url, b"{}")[0] == 200 and explorer.notes == notes
    assert post(url, json.dumps({name: None}).encode())[0] == 200 and explorer.notes == {} == kept[-1]


def test_what_two_tabs_note_is_brought_together(noted):
    url, explorer, kept = noted
    one, two, three = explorer.state["utterance"][:3]
    explorer.notes = {one: {"note": "of the file", "tags": []}}
    for changes in (
        {two: {"note": "a", "tags": []}},
        {three: {"note": "b", "tags": ["x"]}, two: {"note": "a!", "tags": []}},
        {one: None, "never noted": None},
    ):
        assert post(url, json.dumps(changes).encode())[0] == 200
    assert (
        explorer.notes == {two: {"note": "a!", "tags": []}, three: {"note": "b", "tags": ["x"]}} == kept[-1]
    )
    assert post(url, json.dumps({two: {"note": "", "tags": []}}).encode())[0] == 200  # an empty note is none
    assert list(explorer.notes) == [three]
    assert post(url, json.dumps({one: {"note": "c", "tags": []}, three: 3}).encode())[0] == 400
    assert list(explorer.notes) == [three] and len(kept) == 4


def test_many_notes_at_a_time_are_all_kept(noted):
    url, explorer, _ = noted
    names = explorer.state["utterance"][:24]
    threads = [
        threading.Thread(target=post, args=(url, json.dumps({name: {"note": name, "tags": []}}).encode()))
        for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(explorer.notes) == sorted(names)


@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b'{"a": 1}', b'{"a": {"note": 1}}', b"\xff", b"null",
                                  b"[" * 100_000, b'{"a":' * 100_000])  # fmt: skip
def test_what_are_no_notes_is_refused_and_changes_nothing(noted, body):
    url, explorer, kept = noted
    assert post(url, body)[0] == 400
    assert explorer.notes == {} and kept == []


def test_notes_come_from_this_page_alone(noted):
    url, _, kept = noted
    port = urlsplit(url).port
    for origin in (
        "https://example.org", "null", "", f"https://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}",
        "http://127.0.0.1", f"http://localhost.example.org:{port}",
    ):  # fmt: skip
        status, told = post(url, b"{}", origin=origin)
        assert status == 403 and told == b"wrong origin\n", origin
    assert kept == []
    for origin in (f"http://127.0.0.1:{port}", f"http://localhost:{port}"):
        assert post(url, b"{}", origin=origin)[0] == 200
    kept.clear()
    assert post(url, b"{}", host="example.org")[0] == 403
    assert post(url.rsplit("/", 2)[0] + "/guess/", b"{}")[0] == 404
    assert post(url, b"{}", path="clip/0")[0] == 404
    assert post(url, b"{}", length=10**9)[0] == 413
    assert kept == []
