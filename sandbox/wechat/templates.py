"""The message templates that the stand-in's mini-program has added, as gettemplate lists them."""

from __future__ import annotations

from dataclasses import dataclass

ONCE, LASTING = 2, 3


@dataclass(frozen=True, slots=True)
class Template:
    """A template; `lines` are (label, field) in the order the phone shows them."""

    id: str
    title: str
    kind: int
    lines: tuple[tuple[str, str], ...]

    @property
    def fields(self) -> list[str]:
        """The keys that a message must fill."""
        return [field for _, field in self.lines]

    def listing(self) -> dict[str, object]:
        """The entry of GET /wxaapi/newtmpl/gettemplate."""
        return {
            "priTmplId": self.id,
            "title": self.title,
            "content": "".join(f"{label}:{{{{{field}.DATA}}}}\n" for label, field in self.lines),
            "example": "".join(f"{label}:示例\n" for label, _ in self.lines),
            "type": self.kind,
            "keywordEnumValueList": [],
        }


_ITEM, _NUMBER = ("事项名称", "thing1"), ("办件编号", "character_string2")

TEMPLATES = {
    template.id: template
    for template in (
        Template(
            "sandbox-progress-8Qm2vXkT0cLrYw5BnZd3Jf",
            "办理进度提醒",
            LASTING,
            (_ITEM, _NUMBER, ("办理状态", "phrase3"), ("更新时间", "time4"), ("备注", "thing5")),
        ),
        Template(
            "sandbox-correction-Ht7pWs1KbVg9RxEa4MuQ",
            "材料补正通知",
            ONCE,
            (_ITEM, _NUMBER, ("补正内容", "thing3"), ("通知日期", "date4")),
        ),
        Template(
            "sandbox-result-Yc6nJd8ZqTf2LmPo5XhGv0Rs",
            "办理结果通知",
            ONCE,
            (_ITEM, _NUMBER, ("办理结果", "phrase3"), ("办结日期", "date4"), ("备注", "thing5")),
        ),
    )
}
