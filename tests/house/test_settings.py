"""What the settings accept, what they refuse, and what production demands."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from traceback import format_exception
from typing import get_args

import pytest

from adapters.stemming import language
from storecore.media import TYPES
from storecore.money import Money
from storecore.pricing import Destination
from webapp import configuration
from webapp.refusals import BadSettings
from webapp.settings import Settings

KEY = "kR3vX9_mQ2pL7sT0wZ5yB8nC1dF4gH6jA-eU"
OTHER_KEY = "Zq8-Yt6_Wr4Ep2Lo0Ik9Mj7Nh5Bg3Vf1CdXs"
PRODUCTION = {
    "ENVIRONMENT": "production",
    "PUBLIC_URL": "https://shop.test",
    "SECRET_KEY": KEY,
    "ENCRYPTION_KEYS": OTHER_KEY,
    "ALLOWED_HOSTS": "shop.test",
}


def load(monkeypatch: pytest.MonkeyPatch, **names: str) -> Settings:
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    return configuration.load()


def refused(monkeypatch: pytest.MonkeyPatch, **names: str) -> dict[str, str]:
    with pytest.raises(BadSettings) as caught:
        load(monkeypatch, **names)
    return {line.partition(":")[0]: line for line in caught.value.problems}


def test_without_any_setting_the_shop_runs_for_development(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch)
    assert (settings.environment, settings.host, settings.port) == ("development", "127.0.0.1", 8000)
    assert settings.loopback
    assert settings.database == Path("instance/store.db")
    shop = settings.shop()
    assert (shop.currency, shop.tax.default_rate) == ("USD", Decimal(8))
    assert (shop.shipping.fee, shop.shipping.free_from) == (Money(1000, "USD"), Money(10000, "USD"))
    assert shop.public_url == "http://127.0.0.1:8000"


def test_a_file_sets_and_the_environment_overrides_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("PORT=9001\nSHOP_NAME=Kırmızı Dükkân\nCURRENCY=\n", encoding="utf-8")
    settings = load(monkeypatch, PORT="9002")
    assert (settings.port, settings.shop_name, settings.currency) == (9002, "Kırmızı Dükkân", "USD")


def test_the_shop_is_built_from_text_without_floats(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = load(
        monkeypatch,
        CURRENCY="KWD",
        TAX_RATE="8.875",
        PRICES_INCLUDE_TAX="true",
        SHIPPING_FEE="1.250",
        FREE_SHIPPING_FROM="never",
        SHIPPING_TAX_CLASS="standard",
        DELIVERY_ETA_MINUTES="90",
        LOW_STOCK_AT="3",
        PAYMENT_TIMEOUT_MINUTES="45",
        SHOP_ADDRESS="1 Main Street | 12345 Springfield",
        SHOP_TAX_ID="T-1",
        SHOP_TIMEZONE="Europe/Istanbul",
        REFRESH_TOKEN_EXPIRE_DAYS="7",
    ).shop()
    assert shop.tax.default_rate == Decimal("8.875")
    assert shop.tax.included
    assert shop.shipping.fee == Money(1250, "KWD")
    assert shop.shipping.free_from is None
    assert shop.shipping.tax_class == "standard"
    assert shop.delivery_time == timedelta(minutes=90)
    assert shop.session_lifetime == timedelta(days=7)
    assert shop.low_stock_at == 3
    assert shop.payment_timeout == timedelta(minutes=45)
    assert shop.address == ("1 Main Street", "12345 Springfield")
    assert (shop.tax_id, shop.timezone) == ("T-1", "Europe/Istanbul")


def test_the_database_may_be_any_file(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, DATABASE_URL="sqlite:////srv/shop.db").database == Path("/srv/shop.db")
    assert load(monkeypatch, DATABASE_URL="sqlite:///shop.db").database == Path("shop.db")


def test_the_database_may_be_on_a_server_and_its_password_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    places = {
        "postgresql+psycopg://shop:pl:ant%40ed@db.test:5433/shop": "postgresql+psycopg://shop:********@db.test:5433/shop",
        "postgresql:///shop?password=pl:ant%40ed": "postgresql:///shop?password=********",
    }
    for url, place in places.items():
        settings = load(monkeypatch, DATABASE_URL=url)
        assert (settings.database, settings.database_place) == (url, place)
        shown_values = [value for name, value, _ in configuration.shown(settings) if name == "DATABASE_URL"]
        for text in (repr(settings), *shown_values):
            assert "ant%40ed" not in text


def test_rate_limits_are_on_unless_development_turns_them_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch).rate_limits == "on"
    assert load(monkeypatch, RATE_LIMITS="off").rate_limits == "off"
    assert refused(monkeypatch, **PRODUCTION).keys() == {"RATE_LIMITS"}
    assert "passwords can be guessed" in refused(monkeypatch, **PRODUCTION)["RATE_LIMITS"]
    assert load(monkeypatch, RATE_LIMITS="on").production


def test_the_tax_table_is_read_exactly_from_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    table = tmp_path / "rates.json"
    table.write_text('[{"rate": 8.1, "country": "US", "region": "NY"}, {"rate": "5", "tax_class": "books"}]')
    tax = load(monkeypatch, TAX_TABLE=str(table)).shop().tax
    assert tax.rate("standard", Destination(country="US", region="NY")) == Decimal("8.1")
    assert tax.rate("books", Destination(country="DE")) == Decimal(5)
    assert tax.rate("standard", Destination(country="DE")) == Decimal(8)


@pytest.mark.parametrize(
    "content",
    [
        "no json",
        '{"rate": "8"}',
        '[{"country": "US"}]',
        '[{"rate": "8", "contry": "US"}]',
        '[{"rate": "101"}]',
        '[{"rate": "-1"}]',
        '[{"rate": true}]',
        '[{"rate": "NaN"}]',
        '[{"rate": "8", "country": 1}]',
        '[{"rate": "8", "country": "US"}, {"rate": "9", "country": "us"}]',
        None,
    ],
)
def test_a_wrong_tax_table_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    table = tmp_path / "rates.json"
    if content is not None:
        table.write_text(content)
    assert "rates.json" in refused(monkeypatch, TAX_TABLE=str(table))["TAX_TABLE"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENVIRONMENT", "staging"),
        ("PORT", "70000"),
        ("PORT", "eight"),
        ("WORKERS", "0"),
        ("DATABASE_URL", "store.db"),
        ("DATABASE_URL", "oracle://db.test/shop"),
        ("DATABASE_URL", "postgresql+asyncpg://db.test/shop"),
        ("DATABASE_URL", "postgresql+psycopg://shop@db.test"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("CURRENCY", "usd"),
        ("SUPPORT_ALLOWED_TYPES", "image/png,image/svg+xml"),
        ("SUPPORT_ALLOWED_TYPES", ","),
        ("SUPPORT_ATTACHMENT_MAX_MB", "0"),
        ("SUPPORT_ATTACHMENT_MAX_MB", "1025"),
        ("TAX_RATE", "100.1"),
        ("TAX_RATE", "-1"),
        ("TAX_RATE", "NaN"),
        ("SHIPPING_FEE", "10.001"),
        ("SHIPPING_FEE", "-1"),
        ("FREE_SHIPPING_FROM", "much"),
        ("SHOP_TIMEZONE", "Mars/Olympus"),
        ("SHOP_TIMEZONE", "../etc/passwd"),
        ("PUBLIC_URL", "shop.test"),
        ("PUBLIC_URL", "https://shop.test/?a=1"),
        ("CORS_ORIGINS", "*"),
        ("CORS_ORIGINS", "https://*.shop.test"),
        ("CORS_ORIGINS", "https://shop.test/path"),
        ("CORS_ORIGINS", "null"),
        ("ALLOWED_HOSTS", "*"),
        ("ALLOWED_HOSTS", "*.shop.test"),
        ("ALLOWED_HOSTS", "shop.test:443"),
        ("ALLOWED_HOSTS", "https://shop.test"),
        ("ALLOWED_HOSTS", "shop.test/"),
        ("SECRET_KEY", "short"),
        ("ENCRYPTION_KEYS", f"{KEY},short"),
        ("COOKIE_SAMESITE", "none"),
        ("COOKIE_PATH", "/; Domain=evil.test"),
        ("EMAIL_FROM", "shop"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_a_wrong_value_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    problems = refused(monkeypatch, **{name: value})
    assert list(problems) == [name]
    if "KEY" in name:
        assert "short," not in problems[name]
        assert KEY not in problems[name]


def test_everything_wrong_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    problems = refused(
        monkeypatch,
        ENVIRONMENT="production",
        SECRET_KEY="short",
        COOKIE_SECURE="false",
        CORS_ORIGINS="*",
        FLASK_DEBUG="1",
        TAX_RATE="many",
        SHIPPING_FEE="free",
    )
    assert set(problems) == {
        "SECRET_KEY",
        "ENCRYPTION_KEYS",
        "COOKIE_SECURE",
        "CORS_ORIGINS",
        "FLASK_DEBUG",
        "PUBLIC_URL",
        "ALLOWED_HOSTS",
        "TAX_RATE",
        "SHIPPING_FEE",
    }


def test_production_starts_with_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, **PRODUCTION)
    assert settings.secure_cookies
    assert settings.shop().public_url == "https://shop.test"
    assert not list(configuration.unsafe(settings))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "change-me-change-me-change-me-change-me"),
        ("SECRET_KEY", "a" * 64),
        ("SECRET_KEY", "Zq8-Yt6_Wr4Ep2Lo" * 3),
        ("SECRET_KEY", f"{KEY},{KEY}"),
        ("ENCRYPTION_KEYS", f"{OTHER_KEY},{OTHER_KEY}"),
        ("SECRET_KEY", f"{KEY},development-key-development-key-dev"),
        ("ENCRYPTION_KEYS", ""),
        ("ENCRYPTION_KEYS", KEY),
        ("PUBLIC_URL", ""),
        ("PUBLIC_URL", "http://shop.test"),
        ("COOKIE_SECURE", "false"),
        ("FLASK_DEBUG", "true"),
        ("ALLOWED_HOSTS", ""),
        ("CORS_ORIGINS", "http://app.shop.test"),
        ("SENTRY_DSN", "http://key@sentry.test/1"),
    ],
)
def test_production_refuses_what_is_unsafe(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    assert set(refused(monkeypatch, **{**PRODUCTION, name: value})) == {name}


def test_production_refuses_a_mail_password_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    mail = {"SMTP_HOST": "mail.test", "SMTP_PASSWORD": "hunter22", "SMTP_STARTTLS": "false"}
    assert set(refused(monkeypatch, **PRODUCTION, **mail)) == {"SMTP_STARTTLS"}


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ({}, {"TRUSTED_PROXIES", "DATABASE_URL"}),
        ({"TRUSTED_PROXIES": "1", "DATABASE_URL": "postgresql://shop@db.test/shop"}, set()),
        ({"ALLOWED_HOSTS": "other.test"}, {"TRUSTED_PROXIES", "DATABASE_URL", "ALLOWED_HOSTS"}),
        ({"ALLOWED_HOSTS": ".test"}, {"TRUSTED_PROXIES", "DATABASE_URL"}),
    ],
)
def test_what_may_surprise_in_production_is_said(
    monkeypatch: pytest.MonkeyPatch, names: dict[str, str], told: set[str]
) -> None:
    mail = {"SMTP_HOST": "mail.test", "EMAIL_FROM": "shop@shop.test"}
    settings = load(monkeypatch, **{**PRODUCTION, **mail, **names})
    assert {line.partition(":")[0] for line in configuration.cautions(settings)} == told


SECRETS = {
    "SECRET_KEY": KEY,
    "ENCRYPTION_KEYS": OTHER_KEY,
    "DATABASE_URL": "postgresql://shop:planted-1-database@db.test/shop",
    "SMTP_PASSWORD": "planted-2-mail",
    "STRIPE_SECRET_KEY": "sk_live_planted-3-stripe",
    "STRIPE_WEBHOOK_SECRET": "whsec_planted-4-webhook",
    "SENTRY_DSN": "https://planted-5-sentry@sentry.test/1",
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_that_is_refused_is_not_repeated(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    wrong = {**PRODUCTION, **SECRETS, name: f"\x00 {SECRETS[name][:9]} planted", "PORT": "many"}
    with pytest.raises(BadSettings) as caught:
        configuration.load(None, **{name.lower(): value for name, value in wrong.items()})
    traceback = "".join(format_exception(caught.value))
    assert "PORT" in traceback
    for secret in ("planted", *SECRETS.values()):
        assert secret not in traceback


def test_secrets_are_masked_wherever_settings_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, **PRODUCTION | SECRETS)
    text = json.dumps(list(configuration.shown(settings))) + repr(settings) + str(settings)
    for secret in (KEY, OTHER_KEY, "planted"):
        assert secret not in text
    shown = {name: value for name, value, _ in configuration.shown(settings)}
    assert shown["SECRET_KEY"] == shown["SMTP_PASSWORD"] == "********"


@pytest.mark.parametrize(
    ("given", "development", "production"),
    [({}, False, True), ({"COMMON_PASSWORDS": "take"}, False, False), ({"COMMON_PASSWORDS": "refuse"}, True, True)],
)
def test_common_passwords_are_for_development_unless_told(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], development: bool, production: bool
) -> None:
    assert load(monkeypatch, **given).shop().refuses_common_passwords is development
    assert load(monkeypatch, **PRODUCTION | given).shop().refuses_common_passwords is production


def test_sessions_end_after_180_days_unless_they_last_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch).shop().session_longest == timedelta(days=180)
    assert load(monkeypatch, SESSION_EXPIRE_DAYS="0").shop().session_longest is None


def test_cookies_are_secure_exactly_when_the_shop_is_reached_by_https(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not load(monkeypatch).secure_cookies
    assert not load(monkeypatch, PUBLIC_URL="http://localhost:8000").secure_cookies
    assert load(monkeypatch, PUBLIC_URL="https://shop.test").secure_cookies
    assert load(monkeypatch, PUBLIC_URL="http://localhost:8000", COOKIE_SECURE="true").secure_cookies


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False),
     ("192.168.1.2", False), ("shop.test", False)],
)  # fmt: skip
def test_only_a_loopback_host_counts_as_this_machine(host: str, loopback: bool) -> None:
    assert Settings(host=host).loopback is loopback


def test_names_in_the_file_that_are_no_settings_are_found(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("PORT=1\nexport SHOP_NAMME=x\n# FOO=1\nSMTP_HOTS = y\n")
    assert configuration.unknown_names(env_file) == ["SHOP_NAMME", "SMTP_HOTS"]
    assert configuration.unknown_names(tmp_path / "none") == []


def test_the_example_file_is_what_the_program_prints() -> None:
    example = Path(__file__).parents[2] / ".env.example"
    assert example.read_text(encoding="utf-8") == configuration.example()


def test_every_setting_says_what_it_is_for() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith((".", "`")), name


def test_every_language_that_may_be_set_can_be_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch).search_language == "english"
    assert load(monkeypatch, SEARCH_LANGUAGE="Turkish").search_language == "turkish"
    assert "'english'" in refused(monkeypatch, SEARCH_LANGUAGE="klingon")["SEARCH_LANGUAGE"]
    for name in get_args(Settings.model_fields["search_language"].annotation):
        assert language(name).stem("x")


def test_files_of_support_may_be_fewer_smaller_and_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = load(monkeypatch)
    assert settings.attachment_folder == settings.instance_dir / "attachments"
    assert (settings.shop().attachment_types, settings.shop().attachment_most) == (TYPES, 15 * 1024 * 1024)
    few = {"SUPPORT_ALLOWED_TYPES": "image/png, text/plain", "SUPPORT_ATTACHMENT_MAX_MB": "2"}
    settings = load(monkeypatch, **few, SUPPORT_ATTACHMENT_DIR=str(tmp_path))
    assert settings.attachment_folder == tmp_path
    assert settings.shop().attachment_types == ("image/png", "text/plain")
    assert settings.shop().attachment_most == 2 * 1024 * 1024
