"""A simulated device. It uses neither Django nor the database: all it knows comes over HTTP."""

import base64
import http.client
import json
import math
import time
from random import Random
from threading import Event
from typing import Any
from urllib.parse import urlsplit

FIRMWARE = ["1.3.0", "1.4.0", "1.4.2"]
PATIENCE = 40
LONGEST_WAIT = 25


class Failed(Exception):
    """The server was unreachable, or refused; `wait` is the number of seconds that it asks to stay away."""

    def __init__(self, what: str, wait: float = 5.0) -> None:
        super().__init__(what)
        self.wait = wait


class Unit:
    """Publishes what it measures, answers calls, reports its firmware, and wipes itself when asked to."""

    def __init__(
        self, name: str, secret: str, base_url: str, *, chance: Random, every: float = 30.0, pause: float = 0
    ) -> None:
        """With a `pause`, poll for calls every `pause` seconds; without one, wait for them at the server."""
        self.name, self.every, self.chance, self.pause = name, every, chance, pause
        self.firmware = chance.choice(FIRMWARE)
        self.temperature, self.total = chance.uniform(17, 23), chance.uniform(0, 500)
        self.battery, self.began = chance.uniform(60, 100), time.monotonic()
        self.published = self.answered = self.wiped = 0
        self._base = urlsplit(base_url)
        self._headers = {
            "Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode(),
            "Content-Type": "application/json",
        }
        self._connection: http.client.HTTPConnection | None = None

    def live(self, over: Event, until: float) -> None:
        """Run until the event is set or the monotonic clock reaches `until`; what fails is tried again later."""
        over.wait(min(self.chance.uniform(0, self.every), max(0.0, until - time.monotonic())))
        while not over.is_set() and time.monotonic() < until:
            try:
                self.wake()
                self.listen(over, min(time.monotonic() + self.every * self.chance.uniform(0.8, 1.2), until))
            except Failed as failed:
                over.wait(min(failed.wait, max(0.0, until - time.monotonic())))
        self.close()

    def wake(self) -> None:
        """Report the firmware, obey a wipe, and publish."""
        state = self.call("POST", "state", {"firmware_version": self.firmware})
        wipe = state["wipe"]
        if wipe and not wipe["confirmed_at"]:
            self.total = 0.0
            self.call("POST", "state", {"wiped": wipe["asked_at"]})
            self.wiped += 1
        messages = self.measure()
        self.call("POST", "messages", messages)
        self.published += len(messages)

    def listen(self, over: Event, until: float) -> None:
        """Wait for calls until the given time, and answer them."""
        while not over.is_set() and (left := until - time.monotonic()) > 0:
            calls, away = self.waiting(0 if self.pause else min(LONGEST_WAIT, math.ceil(left)))
            for call in calls:
                self.call("POST", f"calls/{call['id']}", self.answer(call), may_fail=True)
                self.answered += 1
            over.wait(min(max(away, self.pause), max(0.0, until - time.monotonic())))

    def measure(self) -> list[dict[str, Any]]:
        """Return new readings of the sensors, as messages."""
        self.temperature += self.chance.gauss(0, 0.3) + (20 - self.temperature) * 0.05
        self.total += self.chance.expovariate(1 / 0.02)
        self.battery = max(3.0, self.battery - 0.01)
        found: list[dict[str, Any]] = [
            {"name": "reading", "data": {"temperature": round(self.temperature, 2), "total_m3": round(self.total, 3)}}
        ]
        if self.chance.random() < 0.2:
            found.append(
                {"name": "status", "data": {"battery": round(self.battery), "rssi": self.chance.randint(-95, -55)}}
            )
        if self.chance.random() < 0.01:
            found.append({"name": "alarm/leak", "data": {"litres_per_hour": self.chance.randint(20, 400)}})
        return found

    def answer(self, call: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a call: a result, or an error for an unknown name."""
        variables = {
            "temperature": round(self.temperature, 2),
            "battery": round(self.battery),
            "firmware": self.firmware,
            "uptime": round(time.monotonic() - self.began),
        }
        if call["kind"] == "variable" and call["name"] in variables:
            return {"result": variables[call["name"]]}
        if call["kind"] == "function" and call["name"] in {"identify", "reboot"}:
            return {"result": True}
        return {"error": f"no such {call['kind']}"}

    def waiting(self, seconds: int) -> tuple[list[dict[str, Any]], float]:
        """Return the waiting calls, after up to `seconds` seconds, and how long the server asks to stay away."""
        answer, headers = self._ask("GET", f"calls?wait={seconds}", None)
        return answer["calls"], float(headers.get("Retry-After", 0))

    def call(self, method: str, path: str, body: Any, *, may_fail: bool = False) -> Any:
        """Send a request. Raises Failed if it does not succeed, unless `may_fail` is true; then it returns None."""
        try:
            return self._ask(method, path, body)[0]
        except Failed:
            if may_fail:
                return None
            raise

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self, method: str, path: str, body: Any) -> tuple[Any, Any]:
        try:
            connection = self._connect()
            text = None if body is None else json.dumps(body)
            connection.request(method, f"{self._base.path.rstrip('/')}/device/v1/{path}", text, self._headers)
            answer = connection.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Failed(str(error)) from None
        if answer.status >= 300:
            raise Failed(f"{answer.status} {data[:200]!r}", float(answer.headers.get("Retry-After", 5)))
        return json.loads(data), answer.headers

    def _connect(self) -> http.client.HTTPConnection:
        if self._connection is None:
            make = http.client.HTTPSConnection if self._base.scheme == "https" else http.client.HTTPConnection
            self._connection = make(self._base.hostname or "localhost", self._base.port, timeout=PATIENCE)
        return self._connection
