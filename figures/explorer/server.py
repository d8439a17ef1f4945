"""The server of the explorer, for the person at this machine alone.

It listens on the loopback address. A web site that is open in the same browser could still send requests there, so that
a request is refused unless its Host header names this machine, and a websocket unless it comes from the page itself.
Scripts and styles come from the installed Bokeh, so that no network is needed, whatever the environment says.
"""

from __future__ import annotations

import errno
import threading
import webbrowser
from collections.abc import Callable

from bokeh.document import Document
from bokeh.server.server import BaseServer
from bokeh.server.tornado import BokehTornado
from bokeh.settings import settings
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders, HTTPServerRequest, ResponseStartLine
from tornado.ioloop import IOLoop
from tornado.netutil import bind_sockets
from tornado.routing import AnyMatches, HostMatches, Rule, RuleRouter

__all__ = ["LOOPBACK", "serve"]

LOOPBACK = "127.0.0.1"
NAMES = (LOOPBACK, "localhost")  # of this machine, in Host and Origin
LARGEST_UPLOAD = 200 * 2**20  # bytes of a message, which holds a file in base64


def serve(build: Callable[[Document], None], port: int, browser: bool, listening: Callable[[str], None]) -> None:
    """Serve the page that `build` fills, until the command is interrupted.

    Parameters
    ----------
    build : callable
        fills the document of each page that is opened.
    port : int
        0 for any that is free.
    browser : bool
        whether to open the page.
    listening : callable
        receives the address.

    Raises
    ------
    ValueError
        if the port is in use.
    """
    sockets = _bound(port)
    port = sockets[0].getsockname()[1]
    origins = [f"{name}:{port}" for name in NAMES]
    # Set here, these come before the environment and the user's files of settings.
    settings.resources, settings.allowed_ws_origin = "server", origins
    application = BokehTornado(build, extra_websocket_origins=origins, websocket_max_message_size_bytes=LARGEST_UPLOAD)
    hosts = "|".join(name.replace(".", r"\.") for name in NAMES)
    router = RuleRouter([Rule(HostMatches(f"({hosts})"), application), Rule(AnyMatches(), _refuse)])
    http = HTTPServer(router)
    http.add_sockets(sockets)
    server = BaseServer(IOLoop.current(), application, http)
    server.start()
    address = f"http://{LOOPBACK}:{port}/"
    listening(address)
    if browser:  # some browsers run in the terminal, and end before `open` does
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
    try:
        server.io_loop.start()
    finally:
        server.stop(wait=False)


def _bound(port: int) -> list:
    try:
        return bind_sockets(port, LOOPBACK)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise ValueError(f"--port must be free and open to you, {port} is not; pass another, or 0 for any") from None


def _refuse(request: HTTPServerRequest) -> None:
    """Answer a request to another host, which a page may send that had its name changed to this address."""
    text = b"This page is for this machine: open it at 127.0.0.1.\n"
    headers = HTTPHeaders({"Content-Type": "text/plain", "Content-Length": str(len(text))})
    request.connection.write_headers(ResponseStartLine("HTTP/1.1", 403, "Forbidden"), headers, text)
    request.connection.finish()
