"""A light HTTP client for many officers in one process: kept-alive connections, nothing of the answer kept but its text."""

import asyncio
import random
import time
from dataclasses import dataclass, replace
from itertools import count

from django.urls import reverse

from benchmarks.web import CSRF, HOST
from census_verify.log_in import RETRY_SECONDS
from census_verify.supervisor import DEMO_PASSWORD


@dataclass(frozen=True)
class Answer:
    status: int
    seconds: float
    cookies: tuple[str, ...] = ()  # as the server set them, "name=value"
    body: bytes = b""


class Officer:
    """One browser: a cookie and a connection that is opened again when the server closed it."""

    def __init__(self, port: int, cookie: str = ""):
        self.port, self.cookie = port, cookie
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def get(self, path: str) -> Answer:
        return await self._ask("GET", path, b"")

    async def post(self, path: str, body: str) -> Answer:
        return await self._ask("POST", path, body.encode())

    async def log_in(self, username: str) -> Answer:
        """As the page does it: asked to come again, it comes again by itself (static/js/log_in.js)."""
        started = time.perf_counter()
        for tries in count(1):
            answer = await self.post(reverse("login"), f"username={username}&password={DEMO_PASSWORD}")
            if answer.status != 503:
                return replace(answer, seconds=time.perf_counter() - started)
            await asyncio.sleep(RETRY_SECONDS * min(tries, 3) * (0.5 + random.random()))

    def close(self) -> None:
        if self.writer:
            self.writer.close()
        self.reader = self.writer = None

    async def _ask(self, method: str, path: str, body: bytes) -> Answer:
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {self.cookie}\r\nAccept-Encoding: gzip\r\n"
        if method == "POST":
            head += f"X-CSRFToken: {CSRF}\r\nX-Waits: 1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
        request = head.encode() + b"\r\n" + body
        started = time.perf_counter()
        kept = self.writer is not None
        try:
            return await self._send(request, started)
        except (OSError, asyncio.IncompleteReadError):
            self.close()
            if not kept:
                raise
        # the server had closed the connection it kept: as a browser does, once more on a new one
        return await self._send(request, started)

    async def _send(self, request: bytes, started: float) -> Answer:
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(HOST, self.port)
        self.writer.write(request)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines) if name}
        set_cookies = [line.split(":", 1)[1].strip() for line in lines if line.lower().startswith("set-cookie:")]
        cookies = tuple(line.split(";", 1)[0] for line in set_cookies)
        body = b""
        if headers.get("transfer-encoding") == "chunked":
            while size := int((await self.reader.readuntil(b"\r\n")).strip() or b"0", 16):
                body += (await self.reader.readexactly(size + 2))[:-2]
            await self.reader.readuntil(b"\r\n")
        elif length := int(headers.get("content-length", 0)):
            body = await self.reader.readexactly(length)
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Answer(int(first.split()[1]), time.perf_counter() - started, cookies, body)
