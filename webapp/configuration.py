"""Loads the settings and judges them: what is wrong, what would be unsafe, what they are with secrets masked."""

import re
import textwrap
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError

from storecore.money import EXPONENTS
from webapp.http.hosts import answers_to
from webapp.refusals import BadSettings
from webapp.setting_types import Keys, without_password
from webapp.settings import Settings

_GUESSABLE = re.compile(
    r"change.?(me|this)|secret|password|example|default|insecure|development|storecore|123456|abcdefgh|qwerty",
    re.IGNORECASE,
)

SMTP_OVER_TLS = 465
"""A port on which the connection is encrypted from the start."""


def load(env_file: Path | None = Path(".env"), **given: Any) -> Settings:
    """The settings of this process, checked. Raises :class:`BadSettings` with everything that is wrong.

    ``given`` overrides the environment, which overrides the file.
    """
    given["_env_file"] = env_file
    problems = []
    try:
        settings = Settings(**given)
    except ValidationError as error:
        wrong: dict[str, str] = {}
        for detail in error.errors(include_url=False, include_context=False, include_input=False):
            wrong.setdefault(str(detail["loc"][0]).lower(), detail["msg"].removeprefix("Value error, "))
        problems = [f"{name.upper()}: {message}" for name, message in wrong.items()]
        # With the defaults in their place the others can still be judged, so that all is said at once.
        defaults = {name: Settings.model_fields[name].default for name in wrong}
        settings = Settings(**(given | defaults))
    told = {problem.partition(":")[0] for problem in problems}
    try:
        settings.shop()
    except BadSettings as error:
        problems += error.problems
    if settings.cookie_samesite == "none" and not settings.secure_cookies:
        problems.append("COOKIE_SAMESITE: browsers take `none` only with secure cookies; set COOKIE_SECURE")
    if settings.sentry_dsn and find_spec("sentry_sdk") is None:
        problems.append('SENTRY_DSN: needs a package that is missing: pip install "storecore[sentry]"')
    if settings.production:
        problems += [danger for danger in unsafe(settings) if danger.partition(":")[0] not in told]
    if problems:
        raise BadSettings(problems)
    return settings


def unsafe(settings: Settings) -> Iterator[str]:
    """What must not reach customers, a line each: production refuses to start with any of them."""
    yield from _unsafe_keys(settings)
    if settings.flask_debug:
        yield "FLASK_DEBUG: is on"
    if not settings.public_url:
        yield "PUBLIC_URL: is not set"
    elif not settings.public_url.startswith("https://"):
        yield "PUBLIC_URL: must begin with https://, or passwords and cookies travel in the clear"
    if not settings.allowed_hosts:
        yield "ALLOWED_HOSTS: is not set; name the host of PUBLIC_URL, so that no other is taken for the shop"
    if settings.cookie_secure is False:
        yield "COOKIE_SECURE: is off"
    if settings.rate_limits == "off":
        yield "RATE_LIMITS: is off, so passwords can be guessed"
    if plain := [origin for origin in settings.cors_origins if not origin.startswith("https://")]:
        yield f"CORS_ORIGINS: {', '.join(plain)} must begin with https://, or anybody on the way acts for customers"
    if settings.stripe_secret_key and not settings.stripe_api_base.startswith("https://"):
        yield "STRIPE_API_BASE: must begin with https://, or STRIPE_SECRET_KEY travels in the clear"
    if settings.sentry_dsn and not settings.sentry_dsn.get_secret_value().startswith("https://"):
        yield "SENTRY_DSN: must begin with https://, or reports travel in the clear"
    encrypted = settings.smtp_starttls or settings.smtp_port == SMTP_OVER_TLS
    if settings.smtp_host and settings.smtp_password and not encrypted:
        yield "SMTP_STARTTLS: is off, so SMTP_PASSWORD travels in the clear"


def _unsafe_keys(settings: Settings) -> Iterator[str]:
    for name in ("secret_key", "encryption_keys"):
        keys: Keys = getattr(settings, name)
        if not keys:
            yield f"{name.upper()}: is not set"
        if any(_is_guessable(key.get_secret_value()) for key in keys):
            yield f"{name.upper()}: can be guessed"
        if len(set(keys)) < len(keys):
            yield f"{name.upper()}: names a key twice"
    if set(settings.secret_key) & set(settings.encryption_keys):
        yield "ENCRYPTION_KEYS: has a key of SECRET_KEY too; each needs its own"


def cautions(settings: Settings) -> Iterator[str]:
    """What works but may surprise, a line each."""
    if not settings.smtp_host:
        yield f"SMTP_HOST: is not set, so mail is not sent but written to {settings.mail_folder}"
    if settings.smtp_host and settings.email_from.endswith("@example.com"):
        yield "EMAIL_FROM: is still an example"
    if settings.stripe_secret_key and not settings.stripe_webhook_secret:
        yield "STRIPE_WEBHOOK_SECRET: is not set, so a payment with a second step is noticed up to five minutes late"
    if settings.production and settings.stripe_secret_key and _is_test_key(settings.stripe_secret_key):
        yield "STRIPE_SECRET_KEY: is a test key, so nobody is charged"
    if settings.production and settings.public_url and settings.allowed_hosts and not _answers_to_itself(settings):
        yield "ALLOWED_HOSTS: does not name the host of PUBLIC_URL, so a request for it is refused"
    if settings.production and not settings.trusted_proxies:
        yield "TRUSTED_PROXIES: is 0; behind a proxy all customers would seem to come from its address"
    if settings.production and isinstance(settings.database, Path):
        yield f"DATABASE_URL: is a file, {settings.database}; use PostgreSQL for servers on more than one machine"
    if not settings.production and not settings.loopback:
        yield f"HOST: {settings.host} can be reached from other machines while ENVIRONMENT is development"
    if EXPONENTS[settings.currency] == 0 and not {"shipping_fee", "free_shipping_from"} <= settings.model_fields_set:
        yield f"SHIPPING_FEE, FREE_SHIPPING_FROM: the defaults of 10 and 100 are small amounts in {settings.currency}"


def _answers_to_itself(settings: Settings) -> bool:
    return answers_to(urlsplit(settings.public_url or "").netloc, settings.allowed_hosts)


def _is_test_key(key: SecretStr) -> bool:
    return "_test_" in key.get_secret_value()


def _is_guessable(secret: str) -> bool:
    repeats = secret in (secret + secret)[1:-1]
    return repeats or len(set(secret)) < 10 or _GUESSABLE.search(secret) is not None


def shown(settings: Settings) -> Iterator[tuple[str, str, bool]]:
    """Each setting's name, its value as text with secrets masked, and whether it was set (or is the default)."""
    for name in Settings.model_fields:
        yield name.upper(), _masked(getattr(settings, name)), name in settings.model_fields_set


def _masked(value: object) -> str:
    if isinstance(value, SecretStr):
        return "********"
    if isinstance(value, tuple):
        return ", ".join(_masked(part) for part in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else without_password(str(value))


def unknown_names(env_file: Path = Path(".env")) -> list[str]:
    """Names in a ``.env`` file that are no settings: typing errors, most likely."""
    if not env_file.is_file():
        return []
    found = re.findall(r"^\s*(?:export\s+)?(\w+)\s*=", env_file.read_text(encoding="utf-8"), re.MULTILINE)
    return [name for name in found if name.lower() not in Settings.model_fields]


def example() -> str:
    """The text of ``.env.example``: every setting with its description and default, commented out."""
    rows = ["# Settings of the storecore server. Copy this file to .env and uncomment what should differ.", ""]
    for name, field in Settings.model_fields.items():
        rows += textwrap.wrap(field.description or "", 100, initial_indent="# ", subsequent_indent="# ")
        rows += [f"#{name.upper()}={_masked(field.default)}", ""]
    return "\n".join(rows[:-1]) + "\n"
