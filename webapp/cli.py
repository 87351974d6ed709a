"""The ``storecore`` command.

Exit codes: 0 done, 1 refused, 2 bad settings or usage, 3 port not to be had, 4 bad database, 5 bad secrets file.
"""

import os
import signal
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from storecore.errors import StoreError
from webapp.refusals import BadSettings, CantStart

if TYPE_CHECKING:
    from storecore.store import Store
    from webapp.settings import Settings


class Refused(click.ClickException):
    """A message for a person, and an exit code for a script."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click reads it from the instance as well


class Commands(click.Group):
    """Says in one line why a command was refused, and exits with the reason's code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; whatever a person can mend becomes a message instead of a traceback."""
        try:
            return super().invoke(ctx)
        except BadSettings as error:
            text = "These settings are wrong or unsafe:\n" + textwrap.indent(str(error), "  ")
            raise Refused(text, error.exit_code) from None
        except CantStart as error:
            raise Refused(str(error), error.exit_code) from None
        except StoreError as error:
            raise Refused(error.message) from None
        except OSError as error:
            raise Refused(f"{error.filename or ''} {error.strerror or error}".strip()) from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="storecore")
def main() -> None:
    """Run the shop. Every setting comes from the environment or a .env file: see `storecore config`."""


def _settings() -> "Settings":
    """The checked settings, with logging set up by them."""
    from webapp import configuration, logs

    settings = configuration.load()
    logs.configure(settings)
    return settings


@main.command()
@click.option("--no-worker", is_flag=True, help="Leave mail and other work to `storecore deliver`.")
def serve(*, no_worker: bool) -> None:
    """Start the HTTP server; in development an empty database is filled with demo data first."""
    from webapp import server, wiring
    from webapp.site import Site

    settings = _settings()
    listener = server.listen(settings)
    address = server.address_of(listener)
    wiring.migrate(settings)
    _index(settings, outdated=True)
    demo = False
    if not settings.production and settings.loopback:
        with wiring.opened(settings, address) as store:
            demo = _fill_if_empty(store) or _has_demo_accounts(store)
    _say_where(settings, address, demo=demo)
    server.run(settings, listener, lambda: Site(settings, address, deliver=not no_worker))


@main.command()
@click.option(
    "--products", type=click.IntRange(1, 1_000_000), help="Invent so many products.  [default: a tenth of the orders]"
)
@click.option("--orders", type=click.IntRange(0, 10_000_000), default=0, help="Invent so many orders.")
@click.option("--seed-number", type=int, default=1, show_default=True, help="Another number, another invented shop.")
def seed(*, products: int | None, orders: int, seed_number: int) -> None:
    """Fill an empty database with demo data: a fashion shop, its staff, customers and orders.

    With --products or --orders two years of an invented shop's trade come on top, to see how things are with many.
    """
    from webapp import demo, progress, wiring

    settings = _settings()
    if settings.production:
        raise Refused("Demo data has a known password; it never goes into a production database.")
    wiring.migrate(settings)
    with wiring.opened(settings) as store:
        if not _fill_if_empty(store):
            raise Refused("The database is not empty; demo data goes only into an empty one.")
    if products or orders:
        products = products or max(60, orders // 10)
        with progress.bars() as advance:
            wiring.invent(
                settings, products=products, orders=orders, seed=seed_number, password=demo.PASSWORD, progress=advance
            )
        click.echo(f"Invented {products:,} products and {orders:,} orders.")
    click.echo(_demo_accounts())


@main.command()
def migrate() -> None:
    """Bring the database to this version of the program; nothing happens to one that is up to date."""
    from webapp import wiring

    settings = _settings()
    wiring.migrate(settings)
    _index(settings, outdated=True)
    click.echo("The database is up to date.")


@main.command()
def reindex() -> None:
    """Write anew what products are found by, wherever it is not what it should be, while the shop goes on selling."""
    from webapp import wiring

    settings = _settings()
    wiring.migrate(settings)
    wrong = _index(settings)
    click.echo(f"The index is up to date; mended: {wrong:,}." if wrong else "The index was up to date.")


def _index(settings: "Settings", *, outdated: bool = False) -> int:
    """Bring the search index up to date; how many products were not. ``outdated``: only those that plainly are not."""
    from storecore.accounts.model import SYSTEM
    from webapp import progress, wiring

    with wiring.opened(settings) as store, progress.bars() as advance:
        return store.catalog.reindex(
            by=SYSTEM, outdated=outdated, progress=lambda done, total: advance("products to search", done, total)
        )


@main.command("create-admin")
@click.option("--email", prompt=True, help="Email to sign in with.")
@click.option("--name", prompt="Full name", help="Full name.")
def create_admin(*, email: str, name: str) -> None:
    """Open an account that may do everything.

    The password is asked for, or taken from ADMIN_PASSWORD or the first line of standard input; never from the
    command line, where others could read it.
    """
    from storecore.accounts.model import SYSTEM
    from webapp import wiring

    settings = _settings()
    password = _admin_password()
    wiring.migrate(settings)
    with wiring.opened(settings) as store:
        admin = store.accounts.create_admin(by=SYSTEM, email=email, password=password, full_name=name)
    click.echo(f"{admin.email} is an admin.")


def _admin_password() -> str:
    if password := os.environ.get("ADMIN_PASSWORD"):
        return password
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return str(password)


@main.command()
@click.option("--once", is_flag=True, help="Do what is due now, then end.")
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65535),
    help="Tell Prometheus how the worker does, at this port of 127.0.0.1; 0 takes any free one.",
)
def deliver(*, once: bool, metrics_port: int | None) -> None:
    """Send mail and do the shop's other work, as a process of its own.

    How much mail is owed is in the database, and told by /metrics of every server.
    """
    from contextlib import ExitStack

    from webapp import wiring
    from webapp.metrics import Metrics
    from webapp.worker import Worker

    settings = _settings()
    wiring.migrate(settings)
    with wiring.opened(settings) as store, ExitStack() as stack:
        if once:
            done = 0
            while just_done := store.work():
                done += just_done
            click.echo(f"{done} done.")
            return
        metrics = Metrics()
        worker = Worker(store, told=lambda failed: metrics.worked(failed=failed))
        if metrics_port is not None:
            click.echo(f"Metrics are at {stack.enter_context(metrics.told_at(metrics_port))}")
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda _signal, _frame: worker.stop())
        click.echo("Delivering; press Ctrl+C to stop.")
        worker.run()


@main.command()
def verify() -> None:
    """Prove that nothing in the database was lost, sold twice or altered; names each row that is wrong.

    The shop may go on selling meanwhile. Nothing is changed.
    """
    from webapp import progress, wiring

    settings = _settings()
    checked: dict[str, int] = {}
    with progress.bars() as advance:

        def note(what: str, done: int, total: int | None) -> None:
            checked[what] = done
            advance(what, done, total)

        found = wiring.verify(settings, note)
    for finding in found:
        click.echo(str(finding))
    if found:
        raise Refused(f"{len(found)} findings.")
    del checked["file"]
    rows = ", ".join(f"{what.replace('_', ' ')} {count:,}" for what, count in checked.items())
    click.echo(f"All is well. {sum(checked.values()):,} rows checked: {rows}.")
    if older := wiring.fields_to_renew(settings):
        click.echo(
            f"Fields encrypted with an older key or for no row: {older:,}; `storecore rotate-keys` encrypts them anew."
        )


@main.command("rotate-keys")
def rotate_keys() -> None:
    """Encrypt with the newest key, each field for its row, whatever is not, while the shop goes on selling.

    First put the new key in front of the others and start every process of the shop anew. Stopped at any time, this
    can be begun again, and goes on where it was. When it says so, the older keys can be removed.
    """
    from webapp import progress, wiring

    settings = _settings()
    wiring.migrate(settings)
    with progress.bars() as advance:
        rotated = wiring.rotate_keys(settings, advance)
    click.echo(f"Encrypted anew: {rotated.renewed:,} fields.")
    if rotated.unreadable:
        click.echo(f"No key opens {rotated.unreadable:,} fields; `storecore verify` names them.")
    if not rotated.done:
        raise Refused("Something is still being encrypted with an older key: start every process with the new one.")
    click.echo("Nothing needs the older keys any more, if no process has one of them in front; they can be removed.")


@main.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def backup(*, file: Path, force: bool) -> None:
    """Copy the database into FILE, as it is now, while the shop goes on selling."""
    from webapp import progress, wiring

    settings = _settings()
    try:
        with progress.bars() as advance:
            wiring.backup(settings, file, replace=force, progress=lambda done, total: advance("pages", done, total))
    except FileExistsError:
        raise Refused(f"{file} is there already; --force replaces it.") from None
    click.echo(f"The database is in {file}.")
    keys = "ENCRYPTION_KEYS" if settings.encryption_keys else str(settings.instance_dir.resolve() / "secrets.json")
    click.echo(
        f"Nothing else was copied. What is encrypted in it can be read only with {keys}: keep that safe as well."
    )


@main.command("import-products")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Change nothing; say what would be changed.")
@click.option("--skip-bad", is_flag=True, help="Import the rest when some rows are refused.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write a CSV file with a line per row.")
def import_products(*, file: Path, dry_run: bool, skip_bad: bool, report: Path | None) -> None:
    """Create and change products from FILE, a CSV file with columns of `storecore export-products`.

    One bad row refuses them all, and all are written at once, for which a selling shop waits; with --skip-bad the rest
    is imported, a hundred rows at a time. A file that was imported before changes nothing.
    """
    from webapp import transfers, wiring

    settings = _settings()
    wiring.migrate(settings)
    with wiring.opened(settings) as store:
        done = transfers.take_in(store, file, dry_run=dry_run, skip_bad=skip_bad, report=report)
    if done.refused and not skip_bad:
        raise Refused(f"Bad rows: {done.refused:,}.")


@main.command("export-products")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def export_products(*, file: Path, force: bool) -> None:
    """Write every product, archived ones too, into FILE, a CSV file that imports back to the same catalog."""
    from webapp import transfers, wiring

    settings = _settings()
    if file.exists() and not force:
        raise Refused(f"{file} is there already; --force replaces it.")
    wiring.migrate(settings)
    with wiring.opened(settings) as store:
        transfers.write_out(store, file)
    click.echo(f"The products are in {file}.")


@main.command()
@click.option("--example", is_flag=True, help="Print a .env file of the defaults instead.")
def config(*, example: bool) -> None:
    """Show every setting with secrets masked, and say what is unsafe."""
    from webapp import configuration, wiring
    from webapp.settings import Settings

    if example:
        click.echo(configuration.example(), nl=False)
        return
    settings = configuration.load()
    for name, value, given in configuration.shown(settings):
        about = Settings.model_fields[name.lower()].description or ""
        click.echo(f"{name}={value}{'' if given else '  (default)'}")
        click.echo(textwrap.fill(about, 100, initial_indent="    ", subsequent_indent="    "))
    for title, lines in (
        ("Production would refuse to start:", [] if settings.production else configuration.unsafe(settings)),
        ("Take care:", [*configuration.cautions(settings), *filter(None, [wiring.older_keys(settings)])]),
        ("In .env, but no setting:", configuration.unknown_names()),
    ):
        if told := list(lines):
            click.echo("\n".join(["", title, *(f"  {line}" for line in told)]))


def _fill_if_empty(store: "Store") -> bool:
    """Seed an empty database with demo data; whether it was empty."""
    from webapp import demo

    if not demo.is_empty(store) or _has_demo_accounts(store):
        return False
    click.echo("Filling the empty database with demo data")
    demo.seed(store, lambda what: click.echo(f"  {what} …"))
    return True


def _has_demo_accounts(store: "Store") -> bool:
    from webapp import demo

    with store.storage.reading(store.clock(), str) as unit:
        return any(unit.users.by_email(email) for email in (*demo.STAFF, *demo.CUSTOMERS))


def _say_where(settings: "Settings", address: str, *, demo: bool) -> None:
    place = f"{settings.instance_dir.resolve()}{os.sep}"
    mail = f"{settings.smtp_host}:{settings.smtp_port}" if settings.smtp_host else f"{place}mail{os.sep}"
    rows = {
        "address": address,
        "API docs": f"{address}/api/v1/docs",
        "database": settings.database_place,
        "mail": mail,
        "files": str(settings.attachment_folder.resolve()) + os.sep,
        "secrets": "settings" if settings.secret_key and settings.encryption_keys else f"{place}secrets.json",
        "log": str(settings.log_file or "standard error"),
    }
    click.echo(f"{settings.shop_name} ({settings.environment})")
    for name, where in rows.items():
        click.echo(f"  {name:10}{where}")
    if demo:
        click.echo(_demo_accounts())
    click.echo("Press Ctrl+C to stop.")
    sys.stdout.flush()  # a server process that is forked would print what is left once more


def _demo_accounts() -> str:
    from webapp import demo

    accounts = (*demo.STAFF, next(iter(demo.CUSTOMERS)))
    return "\n".join([f"Demo accounts, each with the password {demo.PASSWORD}:", *(f"  {each}" for each in accounts)])
