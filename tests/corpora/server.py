"""A web server on this machine that can be told to misbehave."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONTENT = bytes(range(256)) * 8000  # 2 MB


class Server(ThreadingHTTPServer):
    """`files` {path: content}; `cut`: bytes after which the next answers break off; `asked`: (path, Range)
    of each."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.cut, self.asked = {"/a.zip": CONTENT}, [], []
        self.tag, self.ranges, self.length, self.status = '"one"', True, True, []
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server, path = self.server, self.path.partition("?")[0]
        wanted = self.headers["Range"]
        server.asked.append((path, wanted))
        if server.status:
            return self.send_error(server.status.pop(0))
        if path not in server.files:
            return self.send_error(404)
        content, first = server.files[path], 0
        same = self.headers["If-Range"] in (None, server.tag)
        if wanted and server.ranges and same:
            first = int(wanted.removeprefix("bytes=").rstrip("-"))
            if first >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                return self.end_headers()
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        if server.tag:
            self.send_header("ETag", server.tag)
        if server.length:
            self.send_header("Content-Length", str(len(content) - first))
        self.end_headers()
        self.wfile.write(content[first : first + server.cut.pop(0)] if server.cut else content[first:])
        return None

    def log_message(self, *_):
        pass
