"""``python -m tests.bench.finding``: how well search finds what was meant, on each back end.

The judged questions are put to the demo shop and to a department store of two thousand articles. ``--misses`` shows
those that are not served well; ``--seed`` draws others, which the ranking was not tried on.
"""

import argparse
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from storecore.lists import PageRequest
from storecore.store import Store
from storecore.testing.builders import NOW, ids, make_category, make_product
from tests.bench.judged import DEPTH, Figures, Question, demo, judge, mean, questions
from tests.bench.judged.articles import DEPARTMENTS, articles
from tests.usecases.floor import BACK_ENDS, open_floor
from webapp import demo as demo_shop


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a store said to a question, by SKU, the best first, and how well that serves."""

    question: Question
    found: Sequence[str]

    @property
    def figures(self) -> Figures:
        """NDCG@10 and recall@10."""
        return judge(self.question, self.found)


def answers(back_end: str, folder: Path, seed: str = "", *, each: int = 1) -> Sequence[Answer]:
    """The questions of a seed, or one of ``each`` so many, put to both shops on one back end.

    ``folder`` keeps their files.
    """
    gathered: list[Answer] = []
    for name, fill in (("demo", _fill_demo), ("department-store", _fill_department_store)):
        place = folder / name
        place.mkdir()
        with open_floor(back_end, place) as store:
            asked = fill(store, seed)[::each]
            gathered += (Answer(question=question, found=_found(store, question.text)) for question in asked)
    return gathered


def _found(store: Store, text: str) -> Sequence[str]:
    page = store.catalog.search(text=text, page=PageRequest(limit=DEPTH))
    return [found.offer.product.sku for found in page.items]


def _fill_demo(store: Store, _seed: str) -> Sequence[Question]:
    demo_shop.seed(store)
    everything = store.catalog.products(page=PageRequest(limit=100)).items
    return demo.questions(offer.product.sku for offer in everything)


def _fill_department_store(store: Store, seed: str) -> Sequence[Question]:
    new_id = ids()
    with store.storage.writing(NOW, new_id) as unit:
        shelves: dict[str, str] = {}
        for department, names in DEPARTMENTS.items():
            above = make_category(new_id, name=department)
            unit.categories.add(above)
            shelves[department] = above.id
            for name in names:
                category = make_category(new_id, name=name, parent_id=above.id)
                unit.categories.add(category)
                shelves[name] = category.id
        for article in articles():
            unit.products.add(
                make_product(
                    new_id,
                    sku=article.sku,
                    name=article.name,
                    description=article.description,
                    attributes=article.attributes,
                    category_ids=[shelves[article.kind.category]],
                )
            )
        unit.commit()
    return questions.questions(seed)


def by_kind(given: Sequence[Answer]) -> dict[str, Figures]:
    """The average of each class of questions, and of all of them as ``overall``."""
    kinds = dict.fromkeys(each.question.kind for each in given)
    figures = {kind: mean([each.figures for each in given if each.question.kind == kind]) for kind in kinds}
    return figures | {"overall": mean([each.figures for each in given])}


def typos(given: Sequence[Answer]) -> Figures:
    """The average of the classes of mistyped questions."""
    return mean([each.figures for each in given if each.question.kind.startswith("typo")])


def report(given: Mapping[str, Sequence[Answer]]) -> Iterator[str]:
    """A line for each class of questions, NDCG@10 and recall for each back end."""
    tables = {back_end: by_kind(each) | {"typos": typos(each)} for back_end, each in given.items()}
    some = next(iter(given.values()))
    yield f"{'':20} {'':>4}" + "".join(f"{back_end:>20}" for back_end in tables)
    yield f"{'':20} {'':>4}" + f"{'NDCG@10  recall':>20}" * len(tables)
    for kind in next(iter(tables.values())):
        many = sum(kind in {each.question.kind, "overall"} for each in some) or ""
        row = "".join(f"{table[kind].ndcg:>12.3f}  {table[kind].recall:.3f}" for table in tables.values())
        yield f"{kind:20} {many:>4} {row}"


def main() -> None:
    """Print the figures of each back end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--misses", action="store_true", help="show the questions that are not served well")
    parser.add_argument("--seed", default="", help="draw other questions of the same classes")
    parser.add_argument("back_ends", nargs="*", default=BACK_ENDS, help="memory, sqlite, postgresql")
    asked = parser.parse_args()
    given: dict[str, Sequence[Answer]] = {}
    for back_end in asked.back_ends:
        with tempfile.TemporaryDirectory() as folder:
            given[back_end] = answers(back_end, Path(folder), asked.seed)
    print("\n# Finding: judged questions\n")
    print("\n".join(report(given)))
    for back_end, each in given.items():
        for answer in each:
            figures = answer.figures
            if asked.misses and min(figures.ndcg, figures.recall) < 0.95:
                question = answer.question
                grades = [question.grades.get(sku, 0) for sku in answer.found]
                print(f"{back_end}, {question.kind}: {question.text!r} {figures} {grades}")
                print("   ", *answer.found[:5], "| wanted:", *list(question.grades)[:3])


if __name__ == "__main__":
    main()
