"""What the rules of papers that may follow refuse: 容缺受理, 告知承诺, 绿色通道, 优先办理."""

from __future__ import annotations

from handlers.errors import Refusal

PAPERS: dict[str, Refusal] = {
    "commitment_unsigned": Refusal(
        422,
        "需要签署承诺书",
        "暂缺可以容缺的材料，或者以承诺代替材料的，请阅读承诺书并签名后再提交。",
        "A commitment has to be signed",
        "A paper that is to follow or is promised needs the signed text: see GET /commitments, send `commitments`.",
    ),
    "commitment_text_changed": Refusal(
        409,
        "承诺书文字已更新",
        "您看到的承诺书已有新版本，请重新阅读并签名。",
        "The text has a newer version",
        "Show the text of GET /commitments again and have it signed anew.",
    ),
    "signature_differs": Refusal(
        422,
        "签名与申请人不一致",
        "承诺书应由申请人签名，请填写与申请表一致的名称；代办的也可由代办人签名。",
        "The signature is not the applicant's name",
        "Sign with the name that stands in the form, or as the agent.",
    ),
    "paper_not_owed": Refusal(
        409,
        "这份材料不需要补交",
        "它没有列入待补清单，或者已经处理过了；补交须附上文件。",
        "This paper is not owed",
        "It is not on the list, or has been settled already; a paper is supplied with files.",
    ),
    "no_green_channel": Refusal(
        409,
        "本事项没有绿色通道",
        "只有列入绿色通道的单个事项可以申请急办、先行决定。",
        "No green channel",
        "Only single items with a green channel can be urgent or be decided first.",
    ),
    "nothing_to_revoke": Refusal(
        409,
        "没有可以撤销的理由",
        "只有准予的决定，在材料逾期未补或者承诺经核查不实时，才能这样撤销。",
        "Nothing to revoke",
        "Only a grant whose papers lapsed or whose promise was broken is revoked here.",
    ),
    "evidence_missing": Refusal(
        422, "请写明凭据", "请写明凭什么证件或情况列为优先。", "The evidence is missing", "Say what shows that the applicant goes first."
    ),
}
