"""The judge must notice every kind of breach; what a whole run may look like is written here by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.chaos.exchange.book import Act, Book, Recorded, read
from tests.chaos.exchange.verdict import Evidence, Verdict, judge

LINE, OTHER = ("case-1", "MZ"), ("case-1", "GA")


def evidence() -> Evidence:
    """Three acts: one to both lines, one of two messages to the first, one whose end nobody was told; and one rolled back."""
    acts = {
        "a:1": Act((LINE, OTHER), 1, 2),
        "b:1": Act((LINE, LINE), 3, 4),
        "a:2": Act((OTHER,), 5),
        "b:2": Act((LINE,), 6, 7),
    }
    return Evidence(
        recorded=Recorded(acts, {"a:1", "b:1"}, {"b:2"}),
        outbox={LINE: [("c1", "a:1:0"), ("c2", "b:1:0"), ("c3", "b:1:1")], OTHER: [("c4", "a:1:1"), ("c5", "a:2:0")]},
        unconfirmed=0,
        done={LINE: [("c1", "a:1:0"), ("c2", "b:1:0"), ("c3", "b:1:1")], OTHER: [("c4", "a:1:1"), ("c5", "a:2:0")]},
        answered={LINE: ["c1", "c2", "c3"], OTHER: ["c4", "c5"]},
        set_aside=[],
    )


def breaches(seen: Evidence) -> set[str]:
    return {kind for kind, lines in vars(judge(seen)).items() if lines}


def test_a_whole_run_is_held() -> None:
    assert judge(evidence()).held


def test_an_act_whose_end_nobody_was_told_may_be_missing_altogether() -> None:
    whole = evidence()
    missing = {OTHER: [("c4", "a:1:1")]}
    assert judge(replace(whole, outbox=whole.outbox | missing, done=whole.done | missing, answered=whole.answered | {OTHER: ["c4"]})).held


def test_a_command_without_effect_is_lost() -> None:
    whole = evidence()
    assert breaches(replace(whole, done=whole.done | {OTHER: []}, answered=whole.answered | {OTHER: []})) == {"lost"}


def test_a_commit_that_the_database_forgot_is_lost() -> None:
    whole = evidence()
    nothing: dict[tuple[str, str], list[tuple[str, str]]] = {OTHER: []}
    assert breaches(replace(whole, outbox=whole.outbox | nothing, done=whole.done | nothing, answered=whole.answered | {OTHER: []})) == {
        "lost"
    }


def test_a_command_that_took_effect_twice_is_doubled() -> None:
    whole = evidence()
    done = {OTHER: [*whole.done[OTHER], whole.done[OTHER][-1]]}
    assert breaches(replace(whole, done=whole.done | done, answered=whole.answered | {OTHER: ["c4", "c5", "c5"]})) == {"doubled"}


def test_an_answer_that_took_effect_twice_or_never_is_noticed() -> None:
    whole = evidence()
    assert breaches(replace(whole, answered=whole.answered | {OTHER: ["c4", "c5", "c4"]})) == {"doubled"}
    assert breaches(replace(whole, answered=whole.answered | {OTHER: ["c4"]})) == {"lost"}


def test_effects_in_another_order_are_noticed_on_both_sides() -> None:
    whole = evidence()
    turned = {LINE: [whole.done[LINE][n] for n in (1, 0, 2)]}
    assert breaches(replace(whole, done=whole.done | turned)) == {"disordered"}
    assert breaches(replace(whole, answered=whole.answered | {LINE: ["c1", "c3", "c2"]})) == {"disordered"}


def test_numbers_given_against_the_order_of_the_commits_are_noticed_by_the_books_alone() -> None:
    whole = evidence()
    for order in ((1, 2, 0), (0, 2, 1)):
        turned = {LINE: [whole.done[LINE][n] for n in order]}
        answered = {LINE: [command for command, _ in turned[LINE]]}
        seen = replace(whole, outbox=whole.outbox | turned, done=whole.done | turned, answered=whole.answered | answered)
        assert breaches(seen) == {"disordered"}


def test_an_effect_of_what_was_rolled_back_or_never_meant_is_invented() -> None:
    whole = evidence()
    for mark in ("b:2:0", "z:1:0", "a:1:1", "b:1:2"):
        more = {LINE: [*whole.done[LINE], ("c9", mark)]}
        answered = {LINE: [*whole.answered[LINE], "c9"]}
        seen = replace(whole, outbox=whole.outbox | more, done=whole.done | more, answered=whole.answered | answered)
        assert breaches(seen) == {"invented"}, mark


def test_an_answer_that_nobody_gave_is_invented() -> None:
    whole = evidence()
    assert breaches(replace(whole, answered=whole.answered | {LINE: ["c1", "c2", "c3", "c9"]})) == {"invented"}


def test_what_is_unfinished_or_set_aside_is_not_held() -> None:
    assert breaches(replace(evidence(), unconfirmed=1)) == {"left"}
    assert breaches(replace(evidence(), set_aside=["MZ: unreadable"])) == {"left"}


def test_the_words_name_the_kind_and_the_message() -> None:
    verdict = Verdict(lost=["one", "two"], doubled=["three"])
    assert verdict.summary() == "2 lost, 1 doubled, 0 out of order, 0 invented, 0 left"
    assert verdict.words(most=1) == ["lost: one", "doubled: three"]


def test_a_book_keeps_what_was_noted_and_a_torn_last_line_says_nothing(tmp_path: Path) -> None:
    book = Book(tmp_path / "writer.book")
    for act in ("a:1", "a:2", "a:3"):
        book.note("intended", act, lines=[LINE])
    book.note("committed", "a:1")
    book.note("undone", "a:2")
    with (tmp_path / "writer.book").open("ab") as torn:
        torn.write(b'{"what": "committed", "act": "a:3"')
    found = read(tmp_path)
    assert (found.committed, found.undone) == ({"a:1"}, {"a:2"})
    assert found.messages() == [("a:1:0", LINE)]
    assert found.acts["a:1"].began <= found.acts["a:1"].ended < found.acts["a:3"].ended
