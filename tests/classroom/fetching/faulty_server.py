"""A web server on this computer that makes the mistakes that networks make."""

import http.server
import re
import socket
import struct
import threading
import time

FAULTS = (
    "sound",
    "cut",
    "reset",
    "wrong bytes",
    "too few",
    "too many",
    "404",
    "403",
    "500",
    "redirect",
    "drip",
    "stall",
    "no length",
    "no length, cut",
    "no range",
    "another range",
    "chunked",
    "chunked, cut",
)


class FaultyServer:
    """Serves ``files`` (path -> bytes); each request takes the next fault from ``plan``, and "sound" after the last.

    ``asked`` notes of each request its path and its header Range.
    """

    def __init__(self, rng):
        self.files, self.plan, self.asked, self.rng = {}, [], [], rng
        self.tags = True

        class Handler(_Handler):
            owner = self

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    owner = None
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        self.close_connection = True
        path = self.path.split("?")[0]
        self.owner.asked.append((path, self.headers.get("Range")))
        fault = self.owner.plan.pop(0) if self.owner.plan else "sound"
        content = self.owner.files.get(path)
        try:
            if content is None or fault.isdigit():
                self.send_error(404 if content is None else int(fault))
            elif fault == "redirect":
                self.send_response(302)
                self.send_header("Location", f"{self.path}?moved")
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self._send(content, fault)
        except OSError:
            pass  # the client has gone

    def _send(self, content, fault):
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        asked = asked if fault != "no range" else None
        start = int(asked[1]) if asked else 0
        end = int(asked[2]) + 1 if asked and asked[2] else None
        tag = f'"{hash(content)}"'
        if self.headers.get("If-Range") not in (None, tag):
            start, end = 0, None
        if start and start >= len(content):
            self.send_error(416)
            return
        body = content[start:end]
        length = len(body)
        is_part = start > 0 or end is not None
        if fault == "another range" and self.headers.get("Range"):
            start = start // 2 if start else 7
            body = content[start:]
            length = len(body)
        self.send_response(206 if is_part else 200)
        if self.owner.tags:
            self.send_header("ETag", tag)
        if is_part:
            self.send_header("Content-Range", f"bytes {start}-{start + length - 1}/{len(content)}")
        if fault == "too few":
            body = body[: int(len(body) * self.owner.rng.random())]
            length = len(body)
        if fault == "too many":
            body += b"more"
            length = len(body)
        if fault == "wrong bytes":
            where = self.owner.rng.integers(len(body))
            body = body[:where] + bytes([body[where] ^ 255]) + body[where + 1 :]
        sent = (
            body[: int(len(body) * self.owner.rng.random())] if "cut" in fault or fault in ("reset", "stall") else body
        )
        if "chunked" in fault:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for at in range(0, len(sent), 5000):
                piece = sent[at : at + 5000]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            if "cut" not in fault:
                self.wfile.write(b"0\r\n\r\n")
            return
        if "no length" not in fault:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        if fault == "drip":
            for at in range(0, len(sent), max(1, len(sent) // 20)):
                self.wfile.write(sent[at : at + max(1, len(sent) // 20)])
                self.wfile.flush()
                time.sleep(0.005)
        else:
            self.wfile.write(sent)
            self.wfile.flush()
        if fault == "stall":
            time.sleep(0.4)
        if fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
