"""What tests of the server serve in place of the product: an application that says what it got, or waits, or says much.

    python -m tests.server_app [--plain] PORT name=value …    serves it on four threads; the names are limits of the
    worker

With `--plain` it is gunicorn's own threaded worker, for the negative controls.
"""

import hashlib
import os
import sys
import time
from pathlib import Path

MUCH = 24 * 1024 * 1024


def application(environ, start_response):
    path, body = environ["PATH_INFO"], environ["wsgi.input"]
    if path == "/much":
        start_response("200 OK", [("Content-Length", str(MUCH))])
        return (bytes(64 * 1024) for _piece in range(MUCH // (64 * 1024)))
    if path == "/wait":
        while Path(os.environ["GATE"]).exists():
            time.sleep(0.02)
    if path == "/unread":
        answer = b"not read"
    elif path == "/show":
        shown = ("HTTP_HOST", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_FOR")
        answer = " ".join(environ[name] for name in shown).encode()
    else:
        answer = hashlib.sha256(body.read()).hexdigest().encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(answer)))])
    return [answer]


def main(arguments):
    from console.server import gunicorn_worker as server_worker

    is_plain = "--plain" in arguments
    port, *limits = [each for each in arguments if each != "--plain"]
    for limit in limits:
        name, _sign, value = limit.partition("=")
        setattr(server_worker, name, type(getattr(server_worker, name))(value))
    worker = "gthread" if is_plain else "console.server.gunicorn_worker.BufferingWorker"
    sys.argv = [
        "gunicorn",
        "tests.server_app:application",
        f"--bind=127.0.0.1:{port}",
        f"--worker-class={worker}",
        "--threads=4",
        "--no-sendfile",
        "--log-level=warning",
        "--keep-alive=30",
        "--no-control-socket",
    ]
    from gunicorn.app.wsgiapp import run

    run()


if __name__ == "__main__":
    main(sys.argv[1:])
