"""Every setting of the server, documented once, from the environment or a ``.env`` file.

The field's name in capitals is the setting's name. ``webapp.configuration`` loads and judges them.
"""

import ipaddress
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from storecore import media
from storecore.errors import Invalid
from storecore.money import Money
from storecore.pricing import ShippingPolicy, TaxPolicy
from storecore.shop import Shop
from webapp import tax_table
from webapp.refusals import BadSettings
from webapp.setting_types import (
    SQLITE,
    AddressLines,
    Currency,
    DatabaseAddress,
    FileTypes,
    Hosts,
    HttpAddress,
    Keys,
    Networks,
    Origins,
    Percent,
    SearchLanguage,
    SentryAddress,
    Timezone,
    without_password,
)


class Settings(BaseSettings):
    """What the shop owner decides. With no setting at all the shop runs from a folder, for development."""

    model_config = SettingsConfigDict(
        env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    environment: Literal["development", "production"] = Field(
        default="development",
        description="`production` never seeds demo data and refuses to start while anything is unsafe.",
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on; `0.0.0.0` for every interface.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes any free one.")
    workers: int = Field(default=1, ge=1, le=64, description="Server processes.")
    threads: int = Field(default=32, ge=1, le=1024, description="Requests that one process works on at the same time.")
    instance_dir: Path = Field(
        default=Path("instance"), description="Folder of the embedded database, generated secrets and mail files."
    )
    database_url: DatabaseAddress | None = Field(
        default=None,
        repr=False,
        description="The database: `sqlite:///` and the path of a file, or PostgreSQL as "
        "`postgresql+psycopg://user:password@host/database`; by default `store.db` in INSTANCE_DIR.",
    )
    database_pool_size: int = Field(
        default=16,
        ge=1,
        le=256,
        description="Database connections of one process for reading, at most; on PostgreSQL half as many are added "
        "for writing.",
    )
    public_url: HttpAddress | None = Field(
        default=None, description="Where customers reach the shop; links in mail begin with it. Required in production."
    )

    secret_key: Keys = Field(
        default=(),
        description="Signs sessions and links: comma list, the first signs, all verify; 32 characters or more. "
        "Required in production; otherwise generated into INSTANCE_DIR.",
    )
    encryption_keys: Keys = Field(
        default=(),
        description="Encrypt addresses and other personal data at rest: comma list, the first encrypts, all decrypt. "
        "Required in production; otherwise generated into INSTANCE_DIR. Losing them loses the data.",
    )
    flask_debug: bool = Field(default=False, description="Flask's own switch for debugging; refused in production.")

    access_token_expire_minutes: int = Field(default=30, ge=1, le=1440, description="Life of an access token.")
    refresh_token_expire_days: int = Field(default=30, ge=1, le=365, description="Life of a session that is not used.")
    session_expire_days: int = Field(
        default=180, ge=0, le=3650, description="Life of a session, however often it is used; 0 for no end."
    )
    common_passwords: Literal["refuse", "take"] | None = Field(
        default=None,
        description="What becomes of a new password that is among the 3,000 most common: `refuse` or `take`; by "
        "default refused in production.",
    )
    cookie_domain: str | None = Field(
        default=None, description="Domain of the cookies; by default the host that set them."
    )
    cookie_secure: bool | None = Field(
        default=None, description="Send cookies over HTTPS only; by default when PUBLIC_URL begins with https."
    )
    cookie_samesite: Literal["lax", "strict", "none"] = Field(
        default="lax", description="SameSite attribute of the cookies."
    )
    cookie_path: str = Field(default="/", pattern=r"^/[^;\s]*$", description="Path of the cookies.")
    hsts_subdomains: bool = Field(
        default=False,
        description="Keep browsers to HTTPS (for a year) at every host below that of PUBLIC_URL too, once all have it.",
    )
    cors_origins: Origins = Field(
        default=(), description="Comma list of other origins whose pages may call the API with the user's cookies."
    )
    trusted_proxies: int = Field(
        default=0, ge=0, le=10, description="How many proxies in front are ours: so many X-Forwarded-For entries count."
    )
    rate_limits: Literal["on", "off"] = Field(
        default="on",
        description="Limits how often things are done from one address and by one account, and wrong passwords; `off` "
        "in development only. Counted for all processes together on PostgreSQL, for each of them on SQLite.",
    )
    metrics_from: Networks = Field(
        default=(ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1")),
        description="Comma list of addresses and networks that may read /metrics; to others it is not there.",
    )
    allowed_hosts: Hosts = Field(
        default=(),
        description="Comma list of Host names to answer to, without ports; by default any. Required in production.",
    )

    smtp_host: str | None = Field(
        default=None, description="Mail server; by default mail is written to .eml files in INSTANCE_DIR."
    )
    smtp_port: int = Field(default=587, ge=1, le=65535, description="Port of the mail server.")
    smtp_username: str | None = Field(default=None, description="Account at the mail server, if it asks for one.")
    smtp_password: SecretStr | None = Field(default=None, description="Password of that account.")
    smtp_starttls: bool = Field(default=True, description="Encrypt the connection to the mail server (STARTTLS).")
    email_from: str = Field(
        default="shop@example.com", pattern=r"^[^\s@<>]+@[^\s@<>]+$", description="Sender address of the shop's mail."
    )

    support_attachment_dir: Path | None = Field(
        default=None,
        description="Folder of the files that come with support messages, for this shop alone and shared by all of its "
        "servers; by default `attachments` in INSTANCE_DIR.",
    )
    support_attachment_max_mb: int = Field(default=15, ge=1, le=1024, description="Largest of these files, in MiB.")
    support_allowed_types: FileTypes = Field(
        default=media.TYPES,
        description="Comma list of their types, as their content shows, not their names: all that can be recognised, "
        "or fewer.",
    )

    currency: Currency = Field(
        default="USD",
        description="ISO 4217 code of the one currency everything is sold in. Set it before the first product.",
    )
    tax_rate: Percent = Field(default=Decimal(8), description="Percent of tax where TAX_TABLE has no row.")
    tax_table: Path | None = Field(
        default=None,
        description='JSON file of rates: `[{"rate": "8.875", "tax_class": "standard", "country": "US", '
        '"region": "NY"}]`; an empty or missing country or region means everywhere.',
    )
    prices_include_tax: bool = Field(
        default=False, description="Prices contain the tax (VAT) instead of tax being added."
    )
    shipping_fee: str = Field(default="10", description="Flat shipping fee, in CURRENCY.")
    free_shipping_from: str = Field(
        default="100",
        description="Value of goods, in CURRENCY, from which shipping is free; `never` for no such value.",
    )
    shipping_tax_class: str | None = Field(
        default=None, description="Tax class of shipping; by default it is not taxed."
    )
    delivery_eta_minutes: int = Field(
        default=30, ge=0, le=525_600, description="From placing to the promised delivery."
    )
    support_history_limit: int = Field(
        default=50, ge=1, le=1000, description="Messages that a live conversation begins with, the newest ones."
    )
    support_queue_limit: int = Field(
        default=50, ge=1, le=100, description="Waiting conversations that agents see live, those that wait longest."
    )
    low_stock_at: int = Field(default=5, ge=0, le=1_000_000, description="Units left at which staff are told by mail.")

    search_language: SearchLanguage = Field(
        default="english",
        description="Language of the products' texts by its English name, such as `german` or `turkish`: search finds "
        "the other forms of its words.",
    )

    payment_timeout_minutes: int = Field(
        default=30,
        ge=1,
        le=10_080,
        description="How long an order waits for its payment by a provider before it is cancelled.",
    )
    stripe_secret_key: SecretStr | None = Field(
        default=None, description="Takes payments by Stripe: the secret key of the account, `sk_…`."
    )
    stripe_webhook_secret: SecretStr | None = Field(
        default=None,
        description="Signing secret `whsec_…` of the webhook at Stripe, which sends `payment_intent` events to "
        "PUBLIC_URL/api/v1/payments/stripe/events.",
    )
    stripe_api_base: HttpAddress = Field(
        default="https://api.stripe.com", description="Where Stripe's API is, to test against another server."
    )

    shop_name: str = Field(default="Storecore", min_length=1, max_length=100, description="Name on mail and invoices.")
    shop_address: AddressLines = Field(
        default=(), description="Seller's address on invoices, its lines separated by `|`."
    )
    shop_tax_id: str | None = Field(default=None, description="Seller's tax number on invoices.")
    invoice_retention_years: int = Field(
        default=10,
        ge=1,
        le=100,
        description="For how long invoices and credit notes name their buyer, who may have been erased long before.",
    )
    shop_timezone: Timezone = Field(default="UTC", description="Time zone of the dates on documents.")

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Least severity to log."
    )
    log_format: Literal["json", "text"] | None = Field(
        default=None, description="`json`, a line for machines, or `text`; by default json in production."
    )
    log_file: Path | None = Field(
        default=None,
        description="Log into this file, a new one each day, kept for 30 days; by default to standard error.",
    )

    sentry_dsn: SentryAddress | None = Field(
        default=None,
        description="Reports failures to this project of Sentry, without anything personal; needs `storecore[sentry]`.",
    )

    @field_validator("log_level", mode="before")
    @classmethod
    def _any_case(cls, level: object) -> object:
        return level.upper() if isinstance(level, str) else level

    @field_validator("search_language", mode="before")
    @classmethod
    def _lower_case(cls, name: object) -> object:
        return name.lower() if isinstance(name, str) else name

    @property
    def production(self) -> bool:
        """Whether customers' data and money are at stake."""
        return self.environment == "production"

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def secure_cookies(self) -> bool:
        """Whether cookies travel over HTTPS only."""
        if self.cookie_secure is None:
            return (self.public_url or "").startswith("https://")
        return self.cookie_secure

    @property
    def refuses_common_passwords(self) -> bool:
        """Whether new passwords must not be what many have."""
        return self.production if self.common_passwords is None else self.common_passwords == "refuse"

    @property
    def access_token_life(self) -> timedelta:
        """How long an access token opens anything."""
        return timedelta(minutes=self.access_token_expire_minutes)

    @property
    def refresh_token_life(self) -> timedelta:
        """How long a session lasts unused."""
        return timedelta(days=self.refresh_token_expire_days)

    def shop(self, public_url: str | None = None) -> Shop:
        """The rules' view of these settings. ``public_url`` is where the server really is, if PUBLIC_URL is not set.

        Raises :class:`BadSettings` for what only shows when put together: amounts in the currency, the tax table.
        """
        problems: list[str] = []
        fee = self._amount("shipping_fee", problems)
        free_from = None if self.free_shipping_from == "never" else self._amount("free_shipping_from", problems)
        tax = TaxPolicy(default_rate=self.tax_rate, included=self.prices_include_tax)
        try:
            tax = TaxPolicy(default_rate=self.tax_rate, rates=tax_table.read(self.tax_table), included=tax.included)
        except ValueError as error:
            problems.append(f"TAX_TABLE: {error}")
        if problems:
            raise BadSettings(problems)
        here = f"http://{self.host}:{self.port}"
        return Shop(
            name=self.shop_name,
            address=self.shop_address,
            tax_id=self.shop_tax_id,
            timezone=self.shop_timezone,
            currency=self.currency,
            shipping=ShippingPolicy(fee=fee, free_from=free_from, tax_class=self.shipping_tax_class),
            tax=tax,
            delivery_time=timedelta(minutes=self.delivery_eta_minutes),
            low_stock_at=self.low_stock_at,
            payment_timeout=timedelta(minutes=self.payment_timeout_minutes),
            session_lifetime=self.refresh_token_life,
            session_longest=timedelta(days=self.session_expire_days) or None,
            refuses_common_passwords=self.refuses_common_passwords,
            invoice_retention_years=self.invoice_retention_years,
            attachment_types=self.support_allowed_types,
            attachment_most=self.support_attachment_max_mb * 1024 * 1024,
            public_url=self.public_url or public_url or here,
        )

    def _amount(self, name: str, problems: list[str]) -> Money:
        try:
            amount = Money.parse(getattr(self, name), self.currency, field=name.upper())
            if amount.minor >= 0:
                return amount
            problems.append(f"{name.upper()}: can't be negative")
        except Invalid as error:
            problems.append(str(error))
        return Money.zero(self.currency)

    @property
    def mail_folder(self) -> Path:
        """Where mail is written when there is no mail server."""
        return self.instance_dir / "mail"

    @property
    def demo_bank(self) -> Path | None:
        """Where the bank to play with keeps its books; there is none in production."""
        return None if self.production else self.instance_dir / "demo-bank.db"

    @property
    def attachment_folder(self) -> Path:
        """Where the files that come with support messages are."""
        return self.support_attachment_dir or self.instance_dir / "attachments"

    @property
    def database(self) -> Path | str:
        """The file of the database, or the URL of one on a server."""
        if self.database_url is None:
            return self.instance_dir / "store.db"
        return (
            Path(self.database_url.removeprefix(SQLITE)) if self.database_url.startswith(SQLITE) else self.database_url
        )

    @property
    def database_place(self) -> str:
        """Where the database is, without a password."""
        return without_password(self.database) if isinstance(self.database, str) else str(self.database.resolve())
