"""Real server processes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit


@contextmanager
def serving(folder: Path, *options: str, **settings: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``serve`` on a free port over an instance folder; the process, and the address of its API.

    A crowd of customers comes from one address here: nothing is limited unless a test asks for it.
    """
    env = {
        **os.environ,
        "INSTANCE_DIR": str(folder),
        "PORT": "0",
        "PYTHONUNBUFFERED": "1",
        "RATE_LIMITS": "off",
        **settings,
    }
    with (folder / "server.log").open("a+", encoding="utf-8") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "webapp", "serve", *options],
            env=env,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        try:
            yield process, _address(process)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        for word in line.split():
            if word.startswith("http://127.0.0.1:") and not urlsplit(word).path.strip("/"):
                return f"{word.rstrip('/')}/api/v1"
    raise AssertionError("".join(said))
