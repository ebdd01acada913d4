"""The explorer as a page of one's own machine, for those without a notebook: `sernb explore`."""

import json
import re
import secrets
import threading
import webbrowser
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sernb.core.errors import SernbError
from sernb.explorer.notes import merged
from sernb.explorer.page import html_page, policy

HOME = "127.0.0.1"
TEXT = "text/plain; charset=utf-8"
LARGEST = 20_000_000  # bytes of notes that are taken


def serve(
    explorer, port: int = 0, open_browser: bool = True, say: Callable = print, keep: Callable | None = None
) -> None:
    """Serve an Explorer's page until Ctrl-C. Only this machine can reach it, and only with the address's
    token.

    Args:
        explorer: of `sernb.explorer.explore`; what is noted in the page goes into its `notes`.
        port: of the page; 0 takes a free one.
        open_browser: whether a browser is opened.
        say: tells the address.
        keep: is called with the explorer after each change of notes.

    Raises:
        SernbError: the port is taken.
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


def make_server(explorer, port: int = 0, keep: Callable | None = None) -> tuple[ThreadingHTTPServer, str]:
    """The server, listening but not serving yet, and the page's address."""
    try:
        server = Server((HOME, port), Answer)
    except (OSError, OverflowError) as problem:
        raise SernbError(
            f"port {port} cannot be used ({problem}); name another, or 0 for a free one."
        ) from problem
    server.explorer, server.keep = explorer, keep
    server.token, server.lock = secrets.token_urlsafe(16), threading.Lock()
    return server, f"http://{HOME}:{server.server_port}/{server.token}/"


class Server(ThreadingHTTPServer):
    """Holds a page's worth of requests while it is busy, where the usual 5 would be dropped."""

    request_queue_size = 64
    daemon_threads = True


class Answer(BaseHTTPRequestHandler):
    """Answers for `/<token>/` and `/<token>/clip/<row>` (GET) and `/<token>/notes` (POST); all else is not
    found.

    The notes that are posted are changes, as `sernb.explorer.notes.merged` takes them.
    """

    server_version, sys_version = "sernb", ""
    timeout = 30  # seconds for a request to arrive

    def do_GET(self):
        asked, explorer = self._asked(r"(?:clip/(?P<row>[0-9]{1,9}))?"), self.server.explorer
        if asked and asked["row"] is None:
            page = html_page(explorer.state, explorer.view, explorer.notes, {}, served=True)
            self._send(200, "text/html; charset=utf-8", page)
        elif asked and int(asked["row"]) < explorer.state["n"]:
            clip = explorer.clips.of(int(asked["row"]))
            self._send(200, "application/json", json.dumps(clip, allow_nan=False))
        elif asked:
            self._send(404, TEXT, "no such utterance\n")

    def do_POST(self):
        if not self._asked("notes"):
            return
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST:
            self._send(413, TEXT, "too much, or of unknown length\n")
            return
        try:
            changes = json.loads(self.rfile.read(int(length)))
            with self.server.lock:  # two tabs may note at a time
                self.server.explorer.notes = merged(self.server.explorer.notes, changes)
                if self.server.keep:
                    self.server.keep(self.server.explorer)
        except (
            SernbError,
            ValueError,
            OSError,
            RecursionError,
        ) as problem:  # OSError: where they are to be kept
            self._send(400, TEXT, f"{problem}\n")
        else:
            self._send(200, TEXT, "kept\n")

    def _asked(self, what):
        """The match of the path behind the token; None where it was answered already: no such thing here."""
        own = [f"{HOME}:{self.server.server_port}", f"localhost:{self.server.server_port}"]
        origins = self.headers.get_all("Origin", [])
        asked = re.fullmatch(rf"/(?P<token>[^/]+)/{what}", self.path.partition("?")[0])
        if self.headers.get("Host") not in own:
            # Another site's name that was made to lead here must not read the page.
            self._send(403, TEXT, "wrong host\n")
        elif any(origin not in [f"http://{host}" for host in own] for origin in origins):
            # Another site's page must not write, even if it knew the address.
            self._send(403, TEXT, "wrong origin\n")
        elif not asked or not secrets.compare_digest(asked["token"].encode(), self.server.token.encode()):
            self._send(404, TEXT, "not found\n")
        else:
            return asked
        return None

    def _send(self, status, kind, text):
        body = text.encode(errors="replace")
        headers = {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "Content-Security-Policy": f"{policy(served=True)}; frame-ancestors 'none'",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
        }
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Nothing: the terminal belongs to who started it."""
