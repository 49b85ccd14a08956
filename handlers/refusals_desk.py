"""What the officers' own work refuses: cases that somebody else holds, templates, notes, searches."""

from __future__ import annotations

from handlers.errors import Refusal

DESK: dict[str, Refusal] = {
    "claimed": Refusal(
        409,
        "正在由同事办理",
        "该办件由 {holder} 领取，到 {until} 为止。请等到期，或请对方退回、移交；审批人员可以写明理由接手。",
        "A colleague is working on it",
        "{holder} has claimed this case until {until}. Wait, ask for a release or hand-over; an approver may take over with a reason.",
    ),
    "nothing_to_claim": Refusal(
        409,
        "没有等待您部门办理的环节",
        "该办件在您部门没有待办的环节，不用领取。",
        "Nothing to claim",
        "No part of this case waits at your department's desk.",
    ),
    "not_held": Refusal(
        409,
        "您没有领取这个办件",
        "只有正在办理的人可以退回或移交；领取已到期的，请重新领取。",
        "You do not hold this case",
        "Only who holds a case can release it or hand it over; if your claim has lapsed, claim it again.",
    ),
    "colleague_unknown": Refusal(
        422,
        "不能交给所选人员",
        "请从列表中选择本部门、本地区在岗的同事。",
        "This colleague cannot take it",
        "Choose somebody from the case's list of colleagues: active, of your department and area.",
    ),
    "placeholder_unknown": Refusal(
        422,
        "模板里的占位符不认识",
        "可以使用的占位符只有：{known}，花括号不能单独出现。",
        "Unknown placeholder",
        "Only these placeholders are known: {known}; braces cannot stand alone.",
    ),
    "template_empty": Refusal(422, "模板没有内容", "请填写标题和正文。", "The template is empty", "Give it a title and a text."),
    "templates_full": Refusal(
        409,
        "模板太多",
        "每个部门最多 {most} 个模板，请先停用不再使用的。",
        "Too many templates",
        "A department has {most} at most; retire those that nobody uses.",
    ),
    "note_empty": Refusal(422, "备注没有内容", "请填写备注。", "The note is empty", "Write something."),
    "search_empty": Refusal(
        422,
        "请给出查找条件",
        "请填写编号、收件凭证码、申请人全名、事项或日期中的至少一项。",
        "Say what to look for",
        "Give a number, a receipt code, the applicant's whole name, an item or a day.",
    ),
    "search_span": Refusal(
        422, "日期先后颠倒", "开始日期不能晚于结束日期。", "The days are the wrong way round", "The first day must not be after the last."
    ),
}
