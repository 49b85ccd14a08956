"""What the rules of acting for others refuse: 代办, 监护, 委托."""

from __future__ import annotations

from handlers.errors import Refusal

PROXIES: dict[str, Refusal] = {
    "proxy_self": Refusal(
        422, "不能给自己代办", "为自己办事请直接申请，不需要授权。", "Nobody acts for himself", "Apply without `on_behalf_of`."
    ),
    "proxy_exists": Refusal(
        409,
        "已有同样的授权",
        "您为这个人申请的同类授权正在审核或者仍然有效。",
        "You have this authority already",
        "One of this kind for this person waits or holds: see GET /me/proxies.",
    ),
    "proxy_too_many": Refusal(
        409,
        "待审核的授权太多",
        "请等待已提交的 {most} 份授权审核后再申请。",
        "Too many wait already",
        "Wait until some of the {most} that wait were looked at.",
    ),
    "proxy_needs_guardian": Refusal(
        422,
        "未成年人由监护人代办",
        "被代办人未满 18 周岁，请以监护人身份申请授权。",
        "Only a guardian acts for a minor",
        "The person is under 18: ask with `kind` guardian.",
    ),
    "proxy_not_minor": Refusal(
        422,
        "成年人不适用监护",
        "被代办人已成年；无民事行为能力或者限制民事行为能力的，请勾选说明并上传证明。",
        "An adult has no guardian",
        "The person is of age; if he needs a guardian set `incapable` and hand in the paper that says so.",
    ),
    "proxy_not_waiting": Refusal(
        409, "这份授权已经处理过", "请刷新后查看现在的状态。", "It has been settled already", "Look at it again: it no longer waits."
    ),
    "proxy_unknown": Refusal(
        422, "没有这份代办授权", "请在您的代办授权中选择。", "No such authority of yours", "Choose one of GET /me/proxies."
    ),
    "proxy_not_active": Refusal(
        409,
        "授权还没有通过审核",
        "工作人员核对后才能代办，通过后会通知您。",
        "Not approved",
        "It can be used once the office has approved it.",
    ),
    "proxy_over": Refusal(
        403,
        "代办授权已经结束",
        "授权已撤销、到期或者不再包括这件事，您不能再代办；被代办人仍可办理。",
        "The authority is over",
        "It was revoked, has run out, or no longer covers this; the principal himself still can.",
    ),
    "proxy_scope": Refusal(
        409,
        "授权不包括这个事项",
        "请另行申请包括本事项的授权。",
        "The authority does not cover this item",
        "Ask for one that names the item.",
    ),
    "proxy_not_allowed": Refusal(
        409, "本事项须由本人办理", "本事项不能代办。", "Only in person", "Nobody can apply for this item for somebody else."
    ),
    "proxy_kind": Refusal(
        409,
        "本事项不能以这种身份代办",
        "可以代办的身份：{possible}。",
        "This kind of agent cannot apply for the item",
        "Possible: {possible}.",
    ),
    "proxy_of_age": Refusal(
        409,
        "被监护人已成年",
        "被监护人已满 18 周岁，请由本人办理，或者由本人委托。",
        "The child is of age",
        "The person applies himself, or gives a mandate.",
    ),
    "proxy_village": Refusal(
        409,
        "只能为本村村民代办",
        "村级代办员只能为一个村、且属于本镇的村民代办。",
        "Only for people of the own village",
        "A village clerk acts for people of one village of this town.",
    ),
    "applicant_differs": Refusal(
        422,
        "申请表填写的不是被代办人",
        "代办的申请表须填写被代办人的姓名（名称）和证件号码。",
        "The form names somebody else",
        "The applicant in the form is the principal: leave his name and number out, or send them as in the authority.",
    ),
    "proxy_code": Refusal(
        422,
        "确认码或证件号码不对",
        "请核对代办人给您的 8 位确认码和您的证件号码。",
        "Code or number is wrong",
        "Compare the eight digits that the agent shows and your number.",
    ),
}
