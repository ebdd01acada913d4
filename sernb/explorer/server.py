"""The explorer as a page of one's own machine, for those without a notebook: `sernb explore`."""

import json
import re
import secrets
import threading
import webbrowser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sernb.core.errors import SernbError
from sernb.explorer.notes import merged
from sernb.explorer.page import html_page, policy

HOME = "127.0.0.1"
TEXT = "text/plain; charset=utf-8"
LARGEST = 20_000_000  # bytes of notes that are taken


def serve(explorer, port: int = 0, open_browser: bool = True, say=print, keep=None) -> None:
    """Serve an Explorer's page until Ctrl-C; `port` 0 takes a free one, `say` tells the address.

    What is noted in the page goes into `explorer.notes`; `keep(explorer)` is called after each change.

    Only this machine can reach it, and only with the address's token. Raises SernbError for a port that is taken.
    """
    server, url = make_server(explorer, port, keep)
    say(f"The explorer is at {url} (end it with Ctrl-C).")
    try:
        if open_browser:
            webbrowser.open(url)
        server.serve_forever(poll_interval=0.2)
    except KeyboardInterrupt:
        say("The explorer has ended.")
    finally:
        server.server_close()


def make_server(explorer, port: int = 0, keep=None) -> tuple[ThreadingHTTPServer, str]:
    """The server, listening but not serving yet, and the page's address."""
    token = secrets.token_urlsafe(16)
    lock = threading.Lock()

    class Page(Answer):
        def page(self):
            return html_page(explorer.state, explorer.view, explorer.notes, {}, served=True).encode()

        def clip(self, row):
            return (
                json.dumps(explorer.clips.of(row), allow_nan=False).encode()
                if row < explorer.state["n"]
                else None
            )

        def note(self, changes):
            with lock:  # two tabs may note at a time
                explorer.notes = merged(explorer.notes, changes)
                if keep:
                    keep(explorer)

    Page.token = token
    try:
        server = Server((HOME, port), Page)
    except (OSError, OverflowError) as problem:
        raise SernbError(
            f"port {port} cannot be used ({problem}); name another, or 0 for a free one."
        ) from problem
    return server, f"http://{HOME}:{server.server_port}/{token}/"


class Server(ThreadingHTTPServer):
    """Holds a page's worth of requests while it is busy, where the usual 5 would be dropped."""

    request_queue_size = 64
    daemon_threads = True


class Answer(BaseHTTPRequestHandler):
    """Answers for `/<token>/` and `/<token>/clip/<row>` (GET) and `/<token>/notes` (POST); all else is not found.

    The notes that are posted are changes, {utterance: note, or null to take it away} (`sernb.explorer.notes.merged`).
    """

    token = ""
    server_version, sys_version = "sernb", ""
    timeout = 30  # seconds for a request to arrive

    def do_GET(self):
        asked = self._asked(r"(?:clip/(?P<row>[0-9]{1,9}))?")
        if asked and asked["row"] is None:
            self._send(200, "text/html; charset=utf-8", self.page())
        elif asked:
            clip = self.clip(int(asked["row"]))
            kind = TEXT if clip is None else "application/json"
            self._send(404 if clip is None else 200, kind, clip or b"no such utterance\n")

    def do_POST(self):
        if not self._asked("notes"):
            return
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST:
            self._send(413, TEXT, b"too much, or of unknown length\n")
            return
        try:
            self.note(json.loads(self.rfile.read(int(length))))
        except RecursionError:
            self._send(400, TEXT, b"too deeply nested to be notes\n")
        except (SernbError, ValueError, OSError) as problem:  # OSError: where they are to be kept
            self._send(400, TEXT, f"{problem}\n".encode(errors="replace"))
        else:
            self._send(200, TEXT, b"kept\n")

    def _asked(self, what):
        """The match of the path behind the token; None where it was answered already: no such thing here."""
        port = self.server.server_port
        own = [f"{HOME}:{port}", f"localhost:{port}"]
        if self.headers.get("Host") not in own:
            # Another site's name that was made to lead here must not read the page.
            self._send(403, TEXT, b"wrong host\n")
            return None
        if any(
            origin not in [f"http://{one}" for one in own] for origin in self.headers.get_all("Origin", [])
        ):
            # Another site's page must not write, even if it knew the address.
            self._send(403, TEXT, b"wrong origin\n")
            return None
        found = re.fullmatch(rf"/(?P<token>[^/]+)/{what}", self.path.partition("?")[0])
        if found and not secrets.compare_digest(found["token"].encode(), self.token.encode()):
            found = None
        if not found:
            self._send(404, TEXT, b"not found\n")
        return found

    def _send(self, status, kind, body):
        self.send_response(status)
        headers = {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "Content-Security-Policy": f"{policy(served=True)}; frame-ancestors 'none'",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Nothing: the terminal belongs to who started it."""
