"""The server of the explorer: whom it answers, and how it ends."""

from __future__ import annotations

import http.client
import re
import signal
import socket
from urllib.parse import urlsplit

import pytest

pytest.importorskip("bokeh", reason="comes with the extra `explore`")

from tests.figures.explorer.serving import explorer, interrupt

pytestmark = pytest.mark.slow

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.fixture(scope="module")
def address():
    with explorer(BOKEH_RESOURCES="cdn", BOKEH_ALLOW_WS_ORIGIN="example.org") as (address, _):
        yield address


def answer(address: str, path: str = "/", **headers: str) -> tuple[int, str]:
    """Status and text of the answer to a request; an underscore stands for a hyphen in the name of a header."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
    connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    status = response.status
    text = "" if status == 101 else response.read().decode()
    connection.close()
    return status, text


def test_the_page_asks_for_nothing_from_a_network(address):
    """Whatever the environment says of where Bokeh's scripts come from."""
    status, text = answer(address)
    assert status == 200
    loaded = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert loaded and all(link.startswith("/static/") for link in loaded), loaded
    assert all(answer(address, link)[0] == 200 for link in loaded)
    assert "//cdn." not in text


def test_another_host_is_refused(address):
    port = urlsplit(address).port
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"LOCALHOST:{port}"):
        assert answer(address, Host=host)[0] == 200, host
    for host in ("example.org", f"example.org:{port}", f"127.0.0.1.example.org:{port}", f"127x0x0x1:{port}", "[::1]"):
        for path in ("/", "/static/js/bokeh.min.js", "/nothing"):
            status, text = answer(address, path, Host=host)
            assert (status, "open it at 127.0.0.1" in text) == (403, True), (host, path)


def test_a_websocket_of_another_page_is_refused(address):
    port = urlsplit(address).port

    def status(origin, host=f"127.0.0.1:{port}"):
        return answer(address, "/ws", Host=host, Origin=origin, **UPGRADE)[0]

    assert status(f"http://127.0.0.1:{port}") == 101
    assert status(f"http://localhost:{port}") == 101
    for origin in (
        "http://example.org",
        f"http://example.org:{port}",
        "http://127.0.0.1:1",
        "http://localhost",
        "null",
    ):
        assert status(origin) == 403, origin
    assert status(f"http://127.0.0.1:{port}", host=f"example.org:{port}") == 403


def test_it_listens_on_the_loopback_address_alone(address):
    port = urlsplit(address).port
    with socket.socket(socket.AF_INET6) as other, pytest.raises(OSError):
        other.settimeout(5)
        other.connect(("::1", port))
    with socket.socket() as same_port:  # of another address of this machine, where nothing listens
        same_port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        same_port.bind(("127.0.0.2", port))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_it(number):
    with explorer() as (address, process):
        assert answer(address)[0] == 200
        assert interrupt(process, number) == (130, "", "python -m figures: interrupted\n")


def test_a_port_in_use():
    with explorer() as (address, _):
        port = urlsplit(address).port
        words = f"--port must be free and open to you, {port} is not; pass another, or 0 for any"
        with pytest.raises(AssertionError, match=words), explorer("--port", str(port)):
            pass
