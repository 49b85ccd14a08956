"""The rules a catalogue is held to before it is published: where each comes from, and what it says in both languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning"]

_QA = "政务服务事项质检规则（温州）"
_LICENSING = "行政许可法"
_TOLERANCE = "容缺受理规定（化州 2025）"
_OWN = "本系统"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; `{name}` in a text is filled by what was found. A warning does not keep an item from being published."""

    level: Level
    source: str
    text: str
    remedy: str
    text_en: str
    remedy_en: str


def _error(source: str, text: str, remedy: str, text_en: str, remedy_en: str) -> Rule:
    return Rule("error", source, text, remedy, text_en, remedy_en)


def _warning(source: str, text: str, remedy: str, text_en: str, remedy_en: str) -> Rule:
    return Rule("warning", source, text, remedy, text_en, remedy_en)


RULES: dict[str, Rule] = {
    # How a file is written (checked by mobile_api/tables.py).
    "not-utf8": _error(
        _OWN, "文件不是 UTF-8 编码", "用记事本打开，另存为时编码选 UTF-8。", "the file is not UTF-8 text", "Save it again as UTF-8."
    ),
    "not-toml": _error(
        "TOML 1.0",
        "这一行写法有误（{reason}）",
        "检查引号、括号、逗号、等号是否成对、是否用了中文标点；文字要放在英文双引号里。",
        "this line is no TOML ({reason})",
        "Look for a missing quote, bracket, comma or equals sign.",
    ),
    "unknown-key": _error(
        _OWN,
        "没有“{name}”这一项{hint}",
        "改正名称，或删除这一行。",
        "there is no key `{name}`{hint_en}",
        "Correct the name or delete the line.",
    ),
    "missing-key": _error(_OWN, "缺少“{name}”", "照同类文件补上这一项。", "`{name}` is missing", "Add it, as in the files beside."),
    "wrong-value": _error(
        _OWN, "“{name}”的内容不对：{problem}", "改成要求的写法。", "`{name}` is wrong: {problem_en}", "Write what is asked for."
    ),
    "file-name": _error(
        _OWN,
        "编码“{code}”与文件名不一致",
        "文件名应为 {code}.toml。",
        "the code {code} is not the file's name",
        "Name the file {code}.toml.",
    ),
    "code-twice": _error(
        _OWN, "编码“{code}”在 {other} 中已经用过", "换一个编码，或删除其中一个。", "the code {code} is used in {other} too", "Change one."
    ),
    "calendar": _error(
        "国务院办公厅放假通知", "日历有误：{problem}", "对照通知逐日核对。", "calendar: {problem}", "Compare with the notice."
    ),
    # Limits.
    "promised-over-legal": _error(
        _LICENSING + " 第四十二条",
        "承诺时限 {promised} 超过法定时限 {legal}",
        "缩短承诺时限，使它不超过法定时限。",
        "promised {promised} is longer than legal {legal}",
        "Shorten the promise.",
    ),
    "promised-may-outlast-legal": _warning(
        "居住证暂行条例等以自然日计的期限",
        "承诺 {promised} 个工作日，遇长假会超过法定 {legal} 个自然日",
        "缩短承诺时限，使它在长假前后也不超过法定期限。",
        "{promised} working days may outlast {legal} natural days over a long holiday",
        "Shorten the promise, so that it holds around a holiday too.",
    ),
    "immediate-means-zero": _error(
        _QA,
        "办件类型“{handling}”与承诺时限 {promised} 天不符",
        "即办件的承诺时限为 0；其他办件类型须大于 0。",
        "handling {handling} does not go with a promise of {promised} days",
        "即办件 means 0 days, everything else more than 0.",
    ),
    "extension-too-short": _error(
        _LICENSING + " 第四十二条",
        "延长后的时限 {to} 不长于法定时限 {legal}",
        "填写延长后的总天数。",
        "the extended limit {to} is not longer than the legal {legal}",
        "Give the whole length after the extension.",
    ),
    "parts-over-promised": _error(
        "并联审批",
        "各部门共需 {days} 个工作日，超过承诺时限 {promised}",
        "缩短部门时限，或放宽承诺时限。",
        "the departments need {days} working days, more than the promised {promised}",
        "Shorten their limits or lengthen the promise.",
    ),
    "immediate-waits": _warning(
        "并联审批",
        "即办件要等其他部门 {days} 个工作日，当场办不完",
        "改为当场可得的数据核验（days = 0），或改为承诺件。",
        "an immediate item waits {days} working days for other departments",
        "Let them answer at once (days = 0) or make it 承诺件.",
    ),
    # Access.
    "visit-needs-reason": _error(
        _QA,
        "要到现场 {visits} 次，但没有写原因",
        "填写 visit_reason，说明为什么必须到场。",
        "{visits} visits without a reason",
        "Say in visit_reason why people must come.",
    ),
    "reason-without-visit": _error(
        _QA,
        "到现场次数为 0，却写了到场原因",
        "删除 visit_reason，或改正 visits。",
        "a visit reason, but no visits",
        "Delete visit_reason or correct visits.",
    ),
    "no-way-in": _error(
        _QA,
        "不到现场、不能网上申请，也不收邮寄",
        "开通网上申请（online）或邮寄申请（postal）。",
        "no visit, not online, not by post",
        "Set online or postal.",
    ),
    "fee-needs-basis": _error(
        _QA, "收费但没有写依据", "填写 fee_basis：收费文件的名称和文号。", "a fee without its basis", "Name the decree in fee_basis."
    ),
    "basis-without-fee": _error(
        _QA, "不收费却写了收费依据", "删除 fee_basis，或填写 fee。", "a fee basis, but no fee", "Delete fee_basis or fill in fee."
    ),
    "levels-reversed": _warning(
        "实施清单",
        "决定层级低于受理层级",
        "核对 accept_level 和 decide_level。",
        "it is decided below the level that accepts it",
        "Check accept_level and decide_level.",
    ),
    "forwarded-is-decided-above": _error(
        "实施清单",
        "上报件应由上级决定，但受理和决定是同一层级",
        "改正 decide_level，或改为承诺件。",
        "a 上报件 is decided above the level that accepts it",
        "Correct decide_level or make it 承诺件.",
    ),
    # Result.
    "certificate-unknown": _error(
        "GB/T 36902",
        "没有编码为“{code}”的证照类型",
        "改用 config/certificates 里的编码，或先增加这种证照。",
        "no certificate type {code}",
        "Use a code of config/certificates or add it there.",
    ),
    "result-name": _warning(
        _QA,
        "办理结果“{result}”与证照“{certificate}”名称不符",
        "核对办理结果名称和证照类型。",
        "the result {result} is not named like the certificate {certificate}",
        "Check both names.",
    ),
    "result-is-certificate": _warning(
        _QA,
        "办理结果“{result}”是证，但没有写证照类型",
        "填写 certificate_type，办结后才能生成电子证照。",
        "the result {result} is a certificate without a type",
        "Fill in certificate_type.",
    ),
    "result-issuer": _warning(
        "GB/T 36902",
        "证照“{certificate}”由 {issuer} 签发，不是本事项的部门",
        "核对证照类型或牵头部门。",
        "{certificate} is issued by {issuer}, none of this item's departments",
        "Check the certificate type and the department.",
    ),
    "result-holder": _warning(
        "GB/T 36902",
        "证照“{certificate}”的持有人类型与服务对象不符",
        "核对 audience 和证照的 holder。",
        "the holder of {certificate} is not this item's audience",
        "Check audience and the certificate's holder.",
    ),
    # Departments and parts.
    "department-unknown": _error(
        "实施清单",
        "没有编码为“{code}”的部门",
        "改用 config/departments 里的编码，或先增加部门。",
        "no department {code}",
        "Use a code of config/departments or add it there.",
    ),
    "part-of-lead": _warning(
        "并联审批",
        "牵头部门不必再列为会办部门",
        "删除这一段 [[parts]]。",
        "the lead department needs no part of its own",
        "Delete the part.",
    ),
    "phones-missing": _error(
        _QA,
        "缺少{which}",
        "填写群众能打通的电话号码。",
        "no {which_en} number",
        "Fill in a number that is answered.",
    ),
    "phones-same": _error(
        _QA,
        "咨询电话和投诉电话相同",
        "投诉电话应由另外的人接听。",
        "the same number for questions and complaints",
        "Complaints are taken by somebody else.",
    ),
    "phone-sample": _warning(
        _OWN,
        "“{which}”还是示例号码",
        "上线前换成真实号码。",
        "the {which_en} number is still a sample",
        "Put in the real one before going live.",
    ),
    # Materials.
    "no-materials": _warning(
        _QA, "没有申请材料", "确认不需要任何材料，或补上材料。", "no materials", "Make sure that nothing is needed, or add what is."
    ),
    "material-twice": _error(
        _OWN, "材料编码“{code}”重复", "每份材料用不同的 code。", "material code {code} twice", "Give each its own code."
    ),
    "form-material-certificate": _error(
        _OWN,
        "在线表单不能同时是证照“{code}”",
        '把 source 改为 "upload"，或删除 certificate_type。',
        "a form is no certificate {code}",
        'Set source = "upload" or delete certificate_type.',
    ),
    "tolerable-safety": _error(
        _TOLERANCE,
        "“{name}”涉及安全或环境，不得容缺",
        "删除 tolerable = true。",
        "{name} concerns safety or the environment, which is not to be tolerated missing",
        "Delete tolerable.",
    ),
    "tolerable-core": _error(
        _TOLERANCE,
        "“{name}”是核心材料，不得容缺",
        "删除 tolerable = true，或者删除 core = true。身份证件和申请表总是核心材料。",
        "{name} is core material, which is not to be tolerated missing",
        "Delete tolerable or core. Identity documents and the form itself are always core.",
    ),
    "tolerance-flag": _warning(
        _TOLERANCE,
        "tolerance 写的是 {flag}，与材料的 tolerable 不符",
        "两处改一致；系统以材料为准。",
        "tolerance = {flag} does not agree with the materials",
        "Make them agree; the materials count.",
    ),
    "commitment-flag": _warning(
        "国办发〔2020〕42号（告知承诺制）",
        "commitment 写的是 {flag}，与材料的 commitment 不符",
        "两处改一致；系统以材料为准。",
        "commitment = {flag} does not agree with the materials",
        "Make them agree; the materials count.",
    ),
    # Form.
    "identity-fields": _error(
        "国办函〔2016〕108号",
        "表单缺少{what}",
        "加上申请人名称（applicant_name）、证件号（id_number 或 credit_code）和电话（phone）。",
        "the form lacks {what_en}",
        "Ask for applicant_name, id_number or credit_code, and phone.",
    ),
    "field-name": _error(
        _OWN,
        "字段名“{name}”不规范",
        "用小写英文字母开头的字母、数字、下划线。",
        "field name {name}",
        "Use small letters, digits and underscores.",
    ),
    "field-twice": _error(_OWN, "字段名“{name}”重复", "每个字段用不同的 name。", "field {name} twice", "Give each its own name."),
    "select-needs-options": _error(
        _OWN, "单选“{name}”没有选项", "至少写两个 options。", "{name} is a select without options", "Give it two options or more."
    ),
    "options-need-select": _error(
        _OWN,
        "“{name}”不是单选，却有选项",
        '删除 options，或把 type 改为 "select"。',
        "{name} has options but is no select",
        'Delete them or set type = "select".',
    ),
    "option-twice": _error(
        _OWN, "“{name}”的选项值重复", "每个选项用不同的 value。", "{name} has an option twice", "Give each option its own value."
    ),
    "bounds-reversed": _error(
        _OWN, "“{name}”的最小值大于最大值", "调换 min 和 max。", "the min of {name} is above its max", "Exchange min and max."
    ),
    "bound-does-not-fit": _error(
        _OWN,
        "“{bound}”不适用于 {type} 类型的“{name}”",
        "删除这一行。min、max 用于数字，max_length 用于文字，when 用于日期，must 用于是否。",
        "{bound} does not go with {name}, which is of type {type}",
        "min and max are for numbers, max_length for text, when for dates, must for booleans.",
    ),
    # What residents see.
    "event-unknown": _error(
        _OWN, "没有人生事件“{name}”", "改用 config/events 里的词，或先增加。", "no life event {name}", "Use one of config/events."
    ),
    "no-events": _warning(
        _QA, "没有归入任何人生事件", "填写 events，群众才能按事找到。", "no life event", "Fill in events, so that people find it."
    ),
    "permit-steps": _warning(
        _QA, "行政许可至少要有 5 个办理步骤", "补齐受理、审查、决定、制证、送达。", "a permit has 5 steps or more", "Add the missing steps."
    ),
    "permit-faq": _warning(_QA, "行政许可至少要有 1 条常见问题", "增加 [[faq]]。", "a permit has a question or more", "Add [[faq]]."),
    # Bundles.
    "item-unknown": _error(
        "一件事联办", "没有编码为“{code}”的事项", "改用 config/services 里的编码。", "no item {code}", "Use a code of config/services."
    ),
    "order-incomplete": _error(
        "一件事联办", "“{code}”没有排进办理顺序", "在 order 里加上它。", "{code} is missing in the order", "Add it to order."
    ),
    "order-foreign": _error(
        "一件事联办",
        "办理顺序里的“{code}”不在 items 或 optional 中",
        "从 order 删除，或列入事项。",
        "{code} is in the order but in neither items nor optional",
        "Take it out or list it.",
    ),
    "order-twice": _error(
        "一件事联办", "“{code}”在办理顺序里出现两次", "只保留一处。", "{code} is in the order twice", "Keep one of the two."
    ),
    "bundle-department": _warning(
        "一件事联办",
        "事项“{item}”的部门 {code} 不在 departments 中",
        "把它加入 departments。",
        "department {code} of {item} is missing in departments",
        "Add it to departments.",
    ),
    "bundle-promise": _warning(
        "一件事联办",
        "按顺序办完需 {days} 个工作日，超过承诺的 {promised}",
        "放宽整件事的时限，或压缩各事项时限。",
        "its stages take {days} working days, more than the promised {promised}",
        "Lengthen the promise or shorten the items'.",
    ),
    # Where the data come from.
    "basis-belief": _warning(
        "事项目录说明",
        "时限和材料没有公开依据（belief）",
        '上线前由业务科室对照本地实施清单核定，再把 kind 改为 "source" 并写明出处。',
        "limits and materials rest on belief",
        'Compare with the local list, then set kind = "source" and name it.',
    ),
    "added-belief": _warning(
        "事项目录说明",
        "{what}由编写者补充，尚未核定",
        '核定后把 added 改为 "source"。',
        "{what_en} were added by the authors and are not confirmed",
        'Set added = "source" once they are.',
    ),
}
