"""Search finds what was meant: every other judged question of ``python -m tests.bench.finding`` on every back end."""

from pathlib import Path

import pytest

from tests.bench import finding
from tests.bench.judged import Figures, Question, judge
from tests.usecases.floor import BACK_ENDS


@pytest.mark.parametrize("back_end", BACK_ENDS)
def test_search_finds_what_was_meant(back_end: str, tmp_path: Path) -> None:
    answers = finding.answers(back_end, tmp_path, each=2)
    figures = finding.by_kind(answers)
    assert len(answers) >= 150
    assert figures["overall"].ndcg >= 0.95
    assert finding.typos(answers).recall >= 0.95
    assert figures["nonsense"].recall == 1, "nonsense finds nothing"
    assert {kind: each for kind, each in figures.items() if min(each.ndcg, each.recall) < 0.85} == {}


def test_the_judge_knows_good_answers_from_bad_ones() -> None:
    question = Question(kind="noun", text="laptop", grades={"LAPTOP": 3, "SLEEVE": 2, "BAG": 1})
    assert judge(question, ["LAPTOP", "SLEEVE", "BAG"]) == Figures(ndcg=1, recall=1)
    assert judge(question, ["HAT", "LAPTOP"]).ndcg < judge(question, ["LAPTOP", "HAT"]).ndcg < 1
    assert judge(question, ["LAPTOP", "BAG"]).recall == 0.5
    assert judge(question, []) == Figures(ndcg=0, recall=0)
    nonsense = Question(kind="nonsense", text="qwzxv", grades={})
    assert (judge(nonsense, []).ndcg, judge(nonsense, ["LAPTOP"]).ndcg) == (1, 0)
