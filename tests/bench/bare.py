"""The reference that every route is measured against: Flask answering a constant, on the same server."""

import sys

from flask import Flask
from gunicorn.app.base import BaseApplication

app = Flask(__name__)


@app.get("/bare")
def bare() -> dict[str, str]:
    """Next to nothing."""
    return {"hello": "world"}


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """The store's server settings around the bare app."""

    def load_config(self) -> None:
        """As ``webapp.server`` sets them."""
        for name, value in {"worker_class": "gthread", "threads": int(sys.argv[2]), "keepalive": 15}.items():
            self.cfg.set(name, value)
        self.cfg.set("bind", f"127.0.0.1:{sys.argv[1]}")
        self.cfg.set("loglevel", "error")

    def load(self) -> Flask:
        """The app."""
        return app


if __name__ == "__main__":
    Server().run()
