"""Which ways to pay a server offers, by its settings."""

import subprocess
import sys
from pathlib import Path

import pytest

from webapp import configuration, wiring
from webapp.refusals import BadSettings
from webapp.settings import Settings

PROJECT = Path(__file__).parents[2]
PRODUCTION = {
    "ENVIRONMENT": "production",
    "PUBLIC_URL": "https://shop.test",
    "SECRET_KEY": "kR3vX9_mQ2pL7sT0wZ5yB8nC1dF4gH6jA-eU",
    "ENCRYPTION_KEYS": "Zq8-Yt6_Wr4Ep2Lo0Ik9Mj7Nh5Bg3Vf1CdXs",
    "ALLOWED_HOSTS": "shop.test",
    "TRUSTED_PROXIES": "1",
    "DATABASE_URL": "postgresql:///shop",
}
STRIPE = {"STRIPE_SECRET_KEY": "sk_live_1", "STRIPE_WEBHOOK_SECRET": "whsec_1"}


def load(monkeypatch: pytest.MonkeyPatch, **names: str) -> Settings:
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    return configuration.load()


def offered(settings: Settings) -> set[str]:
    return set(wiring._providers(settings, "http://shop.test"))


def test_the_demo_bank_is_for_development_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert offered(load(monkeypatch)) == {"demo"}
    assert offered(load(monkeypatch, **PRODUCTION)) == set()


def test_stripe_is_offered_once_its_key_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert offered(load(monkeypatch, **PRODUCTION, **STRIPE)) == {"stripe"}


def test_without_stripes_package_the_server_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "find_spec", lambda name: None)
    with pytest.raises(BadSettings, match=r"storecore\[stripe\]"):
        offered(load(monkeypatch, **STRIPE))


def test_starting_up_does_not_wait_for_stripes_package() -> None:
    program = (
        "import sys; from webapp import configuration, wiring; "
        "wiring._providers(configuration.load(None, stripe_secret_key='sk_test_1'), 'http://shop.test'); "
        "print('stripe' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "False"


def test_keys_of_stripe_are_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, **STRIPE)
    text = str(list(configuration.shown(settings))) + repr(settings)
    assert "sk_live_1" not in text
    assert "whsec_1" not in text


def test_production_sends_stripes_key_over_https_only(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadSettings, match="STRIPE_API_BASE"):
        load(monkeypatch, **PRODUCTION, **STRIPE, STRIPE_API_BASE="http://stripe.test")
    monkeypatch.setenv("ENVIRONMENT", "development")
    assert load(monkeypatch).stripe_api_base == "http://stripe.test"


def test_what_may_surprise_about_stripe_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, **PRODUCTION, STRIPE_SECRET_KEY="sk_test_1")
    named = {caution.partition(":")[0] for caution in configuration.cautions(settings)}
    assert named >= {"STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"}
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_live_1")
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_1")
    named = {caution.partition(":")[0] for caution in configuration.cautions(configuration.load())}
    assert not named & {"STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"}
