"""Answers of idempotent requests."""

from datetime import timedelta
from functools import partial

from storecore.ports import Storage, Unit
from storecore.testing.builders import NOW, ids
from storecore.testing.contracts.proving import Contract, Together, overlap, rerun, seen, written


class AnswersContract(Contract):
    """A key is claimed by one unit, and its answer is kept with the effect."""

    def test_a_claimed_key_is_answered_the_same_ever_after(self, storage: Storage) -> None:
        with written(storage) as unit:
            assert unit.answers.find("POST /orders ada", "key") is None
            assert unit.answers.claim("POST /orders ada", "key", b"fingerprint", NOW)
            unit.answers.keep("POST /orders ada", "key", b'{"\x00": "\xff"}')
        with written(storage) as unit:
            assert not unit.answers.claim("POST /orders ada", "key", b"another", NOW)
            assert unit.answers.find("POST /orders ada", "key") == (b"fingerprint", b'{"\x00": "\xff"}')
        with seen(storage) as unit:
            assert unit.answers.find("POST /orders ada", "key") == (b"fingerprint", b'{"\x00": "\xff"}')

    def test_a_key_that_is_claimed_has_no_answer_yet(self, storage: Storage) -> None:
        with written(storage) as unit:
            assert unit.answers.claim("ada", "key", b"fingerprint", NOW)
            assert unit.answers.find("ada", "key") is None
            unit.answers.keep("ada", "key", b"said")
            assert unit.answers.find("ada", "key") == (b"fingerprint", b"said")

    def test_a_key_is_of_one_scope(self, storage: Storage) -> None:
        with written(storage) as unit:
            assert unit.answers.claim("ada", "key", b"1", NOW)
            unit.answers.keep("ada", "key", b"for ada")
        with written(storage) as unit:
            assert unit.answers.find("bob", "key") is None
            assert unit.answers.find("ada", "KEY") is None
            assert unit.answers.claim("bob", "key", b"2", NOW)
            unit.answers.keep("bob", "key", b"")
        with seen(storage) as unit:
            assert unit.answers.find("ada", "key") == (b"1", b"for ada")
            assert unit.answers.find("bob", "key") == (b"2", b"")

    def test_a_claim_that_is_rolled_back_can_be_made_again(self, storage: Storage) -> None:
        with storage.writing(NOW, ids()) as unit:
            assert unit.answers.claim("ada", "key", b"1", NOW)
            unit.answers.keep("ada", "key", b"never said")
        with written(storage) as unit:
            assert unit.answers.find("ada", "key") is None
            assert unit.answers.claim("ada", "key", b"2", NOW)

    def test_sweeping_forgets_old_answers(self, storage: Storage) -> None:
        for hours in (0, 1):
            with written(storage) as unit:
                unit.answers.claim("ada", f"{hours}", b"1", NOW + timedelta(hours=hours))
                unit.answers.keep("ada", f"{hours}", b"said")
        with written(storage) as unit:
            assert unit.answers.sweep(NOW) == 0
            assert unit.answers.sweep(NOW + timedelta(hours=1)) == 1
        with written(storage) as unit:
            assert unit.answers.find("ada", "0") is None
            assert unit.answers.find("ada", "1") == (b"1", b"said")
            assert unit.answers.claim("ada", "0", b"2", NOW)

    def test_two_units_at_once_do_not_both_get_a_key(self, storage: Storage) -> None:
        def claim(unit: Unit) -> bool:
            mine = unit.answers.claim("ada", "key", b"1", NOW)
            if mine:
                unit.answers.keep("ada", "key", b"said")
            return mine

        assert sorted(map(repr, overlap(storage, claim, claim))) == ["False", "True"]

    def test_twenty_duplicates_at_once_have_one_effect(self, storage: Storage) -> None:
        def request(number: int) -> bytes:
            def body(unit: Unit) -> bytes:
                if unit.answers.claim("ada", "key", b"1", NOW):
                    unit.answers.keep("ada", "key", f"answer of {number}".encode())
                found = unit.answers.find("ada", "key")
                assert found is not None
                return found[1]

            return rerun(storage, body)

        answers = Together(*[partial(request, number) for number in range(20)]).succeed()
        assert len(set(answers)) == 1
