"""The table of templates is checked when it is read, and compared with the platform's own list."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from notifications.templates import TemplateError, differences, load
from tests.support.wechat import TEMPLATES, Platform

TABLE = (Path(__file__).parents[2] / "config" / "templates" / "wechat.toml").read_text(encoding="utf-8")


async def test_our_table_agrees_with_the_platform(platform: Platform) -> None:
    assert differences(TEMPLATES, await platform.client().templates()) == []


async def test_every_difference_is_a_sentence_that_names_the_template(platform: Platform, tmp_path: Path) -> None:
    table = TABLE.replace("sandbox-progress-8Qm2vXkT0cLrYw5BnZd3Jf", "unknown").replace('date4 = "date"', 'date9 = "date"', 1)
    (tmp_path / "wechat.toml").write_text(
        table.replace('[result]\ntitle = "办理结果通知"\nkind = "once"', '[result]\ntitle = "x"\nkind = "lasting"')
    )
    told = differences(load(tmp_path / "wechat.toml"), await platform.client().templates())
    assert [text.partition(":")[0] for text in told] == ["progress", "correction", "result"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("[result]", "[outcome]"), "lacks the template result"),
        (('kind = "once"', 'kind = "twice"'), "correction: kind must be"),
        (('thing5 = "note"', 'thing5 = "weather"'), "progress: no such fact as weather"),
        (('title = "办理进度提醒"\n', ""), "progress: title is missing"),
    ],
)
def test_a_fault_in_the_table_is_named(tmp_path: Path, change: tuple[str, str], complaint: str) -> None:
    (tmp_path / "wechat.toml").write_text(TABLE.replace(*change), encoding="utf-8")
    with pytest.raises(TemplateError, match=re.escape(complaint)):
        load(tmp_path / "wechat.toml")
