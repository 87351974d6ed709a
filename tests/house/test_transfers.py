"""Products in and out of files on the command line."""

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from webapp.cli import main
from webapp.transfers import MOST_SHOWN

HEADER = "sku,name,categories,price,stock\n"
HAT = "HAT,=Hat,Hats,19.99,5\n"


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def bring(folder: Path, content: str, *options: str) -> Result:
    (folder / "new.csv").write_text(content, encoding="utf-8")
    return run("import-products", "new.csv", *options)


def skus(folder: Path) -> list[str]:
    assert run("export-products", "out.csv", "--force").exit_code == 0
    with (folder / "out.csv").open(encoding="utf-8", newline="") as file:
        return [row["sku"] for row in csv.DictReader(file)]


def test_products_come_in_and_go_out_and_come_in_again(folder: Path) -> None:
    result = bring(folder, HEADER + HAT)
    assert (result.exit_code, result.output) == (
        0,
        "1 created, 0 changed, 0 unchanged, 0 refused.\nNew categories: Hats.\n",
    )
    result = run("export-products", "out.csv")
    assert (result.exit_code, result.output) == (0, "The products are in out.csv.\n")
    result = run("import-products", "out.csv")
    assert (result.exit_code, result.output) == (0, "0 created, 0 changed, 1 unchanged, 0 refused.\n")
    assert sorted(path.name for path in folder.iterdir()) == ["instance", "new.csv", "out.csv"]


def test_a_dry_run_changes_nothing(folder: Path) -> None:
    result = bring(folder, HEADER + HAT, "--dry-run")
    assert (result.exit_code, result.output.splitlines()[0]) == (
        0,
        "Nothing was changed. It would be: 1 created, 0 changed, 0 unchanged, 0 refused.",
    )
    assert skus(folder) == []


def test_bad_rows_are_named_and_refuse_the_file_unless_they_are_skipped(folder: Path) -> None:
    content = HEADER + HAT + "CAP,Cap,Caps,ten,x\n"
    why = 'Line 3 (CAP): price: must be an amount such as "19.99"; stock: must be a whole number, 0 or more\n'
    result = bring(folder, content)
    assert result.exit_code == 1
    assert result.output == why + "Error: Nothing was imported; bad rows: 1.\n"
    result = bring(folder, content, "--dry-run")
    assert (result.exit_code, "Error: Bad rows: 1." in result.output) == (1, True)
    assert skus(folder) == []
    result = bring(folder, content, "--skip-bad")
    assert result.exit_code == 0
    assert result.output.startswith(why + "1 created, 0 changed, 0 unchanged, 1 refused.\n")
    assert skus(folder) == ["HAT"]


@pytest.mark.parametrize("options", [(), ("--skip-bad",), ("--dry-run",)])
def test_a_report_has_a_line_for_each_row(folder: Path, options: tuple[str, ...]) -> None:
    bring(folder, HEADER + HAT + f"{HAT.replace('HAT', 'CAP')}")
    bring(folder, "sku,price,group\nHAT,5,\nCAP,x,\n,1,\n", *options, "--report", "report.csv")
    with (folder / "report.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            ["line", "sku", "result", "changed", "errors"],
            ["2", "HAT", "changed", "price", ""],
            ["3", "CAP", "refused", "", 'price: must be an amount such as "19.99"'],
            ["4", "", "refused", "", "sku: is required"],
        ]


def test_a_terminal_is_not_flooded(folder: Path) -> None:
    result = bring(folder, HEADER + "".join(f"S{number},Hat,Hats,x,1\n" for number in range(MOST_SHOWN + 5)))
    assert result.output.count("must be an amount") == MOST_SHOWN
    assert "… and 5 more; --report writes them all down." in result.output


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "Error: The file is empty."),
        ("name\nHat", "sku: is missing in the header"),
        (HEADER + 'HAT,"Hat', "Error: Line 2, column name: it has a stray quotation mark."),
    ],
)
def test_a_file_that_is_no_sheet_is_refused_in_a_line(folder: Path, content: str, why: str) -> None:
    result = bring(folder, content)
    assert result.exit_code == 1
    assert why in result.output
    assert "Traceback" not in result.output


def test_a_file_that_is_there_is_replaced_by_force_alone(folder: Path) -> None:
    (folder / "out.csv").write_text("mine")
    result = run("export-products", "out.csv")
    assert (result.exit_code, (folder / "out.csv").read_text()) == (1, "mine")
    assert run("export-products", "out.csv", "--force").exit_code == 0
    assert (folder / "out.csv").read_text().startswith("sku,")


def test_files_that_cannot_be_opened_are_refused(folder: Path) -> None:
    assert run("import-products", "none.csv").exit_code == 2
    assert run("export-products", "no/such/folder.csv").exit_code == 1
