"""The rules of departments' mappings, in both languages: what `mobile-api check`, the dry run and a message that cannot be mapped say."""

from __future__ import annotations

from handlers.publication_rules import Rule

_OWN = "本系统"
_ASYNCAPI = "部门交换契约（asyncapi.json）"


def _error(text: str, remedy: str, text_en: str, remedy_en: str, source: str = _OWN) -> Rule:
    return Rule("error", source, text, remedy, text_en, remedy_en)


def _warning(text: str, remedy: str, text_en: str, remedy_en: str, source: str = _OWN) -> Rule:
    return Rule("warning", source, text, remedy, text_en, remedy_en)


MAPPING_RULES: dict[str, Rule] = {
    # How a field is written.
    "mapping-one-source": _error(
        "“{target}”要写且只写 source、sources、constant 中的一个",
        "来源只有一处写 source，几处合并写 sources，固定不变的内容写 constant。",
        "{target} needs exactly one of source, sources and constant",
        "One place: source; several joined: sources; always the same: constant.",
    ),
    "mapping-target-twice": _error(
        "“{target}”在同一张表里写了两次，或与另一栏的分组重名",
        "删除其中一处，或换一个名称。",
        "{target} is written twice in one form, or is the name of a group as well",
        "Delete one or rename it.",
    ),
    "mapping-date": _error(
        "“{target}”的日期格式不能用：{pattern}",
        "%Y、%m、%d 各写一次，如 %Y%m%d 或 %Y年%m月%d日。",
        "{target} cannot use the date pattern {pattern}",
        "Write %Y, %m and %d once each, e.g. %Y%m%d.",
    ),
    "mapping-cut": _error(
        "“{target}”截取的起点在终点之后",
        "first 不得大于 last，都从 1 数起。",
        "the cut of {target} ends before it begins",
        "first must not be above last; both count from 1.",
    ),
    "mapping-pair-twice": _error(
        "“{target}”的码表里“{value}”出现两次",
        "每个值只留一行。",
        "the code table of {target} has {value} twice",
        "Keep one line a value.",
    ),
    # Against the catalogue.
    "mapping-item-foreign": _warning(
        "{department} 不参加办理“{item}”，这张表用不上",
        "核对事项编码，或在事项文件的 [[parts]] 里加上这个部门。",
        "{department} has no part in {item}: this form is never used",
        "Check the item, or add the department to its parts.",
    ),
    "mapping-source-unknown": _error(
        "没有“{source}”这个来源{hint}",
        "改用事项表单里的字段（form.字段名）、材料（materials.编码.files.grant）或说明中列出的名称。",
        "there is no source {source}{hint_en}",
        "Use a field of the item's form (form.NAME), a material (materials.CODE.files.grant) or a name from the how-to.",
    ),
    "mapping-may-lack": _error(
        "必填栏“{target}”的来源 {source} 在 {items} 里可能没有内容",
        "写上 default，或在事项文件里把来源改为必填，或去掉 required。",
        "{target} is required, but {source} may be empty in {items}",
        "Add a default, make the source required in the item, or drop required.",
    ),
    "mapping-choice-lacks": _error(
        "“{target}”的码表缺少选项：{values}（{item}）",
        "在 values 里为每个选项补一行，或写 default。",
        "the code table of {target} lacks {values} ({item})",
        "Add a line for each choice, or a default.",
    ),
    "mapping-choice-unknown": _error(
        "“{target}”的码表里“{value}”不是表单的选项",
        "改成表单里的选项值（value），或删除这一行。",
        "{value} in the code table of {target} is no choice of the form",
        "Write a choice's value, or delete the line.",
    ),
    "mapping-date-source": _error(
        "“{target}”要求日期，但 {source} 不是日期（{item}）",
        "去掉 date，或改用日期字段。",
        "{target} wants a date, but {source} is none ({item})",
        "Delete date, or use a field that is a date.",
    ),
    "mapping-may-overflow": _warning(
        "“{target}”只收 {limit} 字，而 {source} 最多可填 {longest} 字（{item}）",
        "把事项表单里这一项的 max_length 改为 {limit} 以内，或请部门放宽。",
        "{target} takes {limit} characters, {source} may have {longest} ({item})",
        "Lower max_length in the item's form to {limit}, or have the department widen it.",
    ),
    # Answers against the contract.
    "mapping-kind-unknown": _error(
        "没有“{kind}”这种答复{hint}",
        "从部门交换契约里选一种，如 task.decided。",
        "there is no answer {kind}{hint_en}",
        "Choose one of the contract, e.g. task.decided.",
        _ASYNCAPI,
    ),
    "mapping-target-unknown": _error(
        "{kind} 没有“{target}”这一项{hint}",
        "改用契约里的名称，或删除这一段。",
        "{kind} has no {target}{hint_en}",
        "Use a name of the contract, or delete the field.",
        _ASYNCAPI,
    ),
    "mapping-target-missing": _error(
        "{kind} 缺少“{target}”",
        "加一段 [[answers.fields]]，并写 required = true 或 constant。",
        "{kind} lacks {target}",
        "Add a field for it, with required = true or constant.",
        _ASYNCAPI,
    ),
    "mapping-meaning-unknown": _error(
        "“{target}”不能是“{value}”，只能是 {choices}",
        "把 ours 改成其中之一。",
        "{target} cannot be {value}, only {choices}",
        "Write one of them as ours.",
        _ASYNCAPI,
    ),
    "mapping-answer-hidden": _warning(
        "前面有一段没有条件的 [[answers]]，这一段永远用不上",
        "给前面那一段加上 when，或调换顺序。",
        "an answer without conditions stands before this one, which is never used",
        "Give the former conditions, or exchange them.",
    ),
    # While a message is mapped. The value is never said: it is personal.
    "mapping-value-missing": _error(
        "必填栏“{target}”没有内容（来源 {source}）",
        "请申请人补上，或在这一栏写 default。",
        "{target} is required, and {source} is empty",
        "Have it filled in, or add a default.",
    ),
    "mapping-value-unknown": _error(
        "“{target}”的码表里没有收到的这个值",
        "在 values 里补一行，或写 default。",
        "the code table of {target} has no line for the value",
        "Add a line, or a default.",
    ),
    "mapping-not-a-date": _error(
        "“{target}”收到的不是 {pattern} 形式的日期",
        "核对来源和 date 的格式。",
        "the value for {target} is no date like {pattern}",
        "Check the source and the pattern.",
    ),
    "mapping-not-a-number": _error(
        "“{target}”收到的不是数字", "核对来源，或去掉 type。", "the value for {target} is no number", "Check the source, or delete type."
    ),
    "mapping-too-long": _error(
        "“{target}”有 {length} 字，部门只收 {limit} 字",
        "把事项表单里这一项的 max_length 改为 {limit} 以内，或请部门放宽。",
        "{target} has {length} characters, the department takes {limit}",
        "Lower max_length in the item's form, or have the department widen it.",
    ),
    "mapping-record-unknown": _error(
        "没有一段 [[answers]] 符合部门的这条记录",
        "核对 when 的栏名和值，或补一段 [[answers]]。",
        "no answer fits the department's record",
        "Check the conditions, or add an answer.",
    ),
    "mapping-record-unsound": _error(
        "按这一段得到的 {kind} 不符合契约：{problem}",
        "核对这一段的各栏。",
        "what this makes is no {kind}: {problem}",
        "Check its fields.",
        _ASYNCAPI,
    ),
}
