"""What can be wrong with one field or one material, in Chinese and English; `{name}` is a value of the item, never what was handed in."""

from __future__ import annotations

from handlers.errors import FieldError

COMPLAINTS: dict[str, tuple[str, str]] = {
    "unknown_field": ("本事项的表单没有这一项，请删除。", "The form of this item has no such field; remove it."),
    "required": ("请{verb}“{label}”。", "“{label}” is required."),
    "wrong_type": ("“{label}”请用文字填写。", "“{label}” must be a text."),
    "too_long": ("“{label}”最多 {longest} 个字，请缩短。", "“{label}” may have {longest} characters; shorten it."),
    "bad_character": (
        "“{label}”含有不能识别的字符，请删除后重新填写。",
        "“{label}” holds control characters; remove them.",
    ),
    "not_a_number": ("“{label}”请填写{kind}。", "“{label}” must be a {kind_en}."),
    "too_small": ("“{label}”不能小于 {least:g}。", "“{label}” must be {least:g} or more."),
    "too_large": ("“{label}”不能大于 {most:g}。", "“{label}” must be {most:g} or less."),
    "not_a_date": ("“{label}”请填写真实的日期，格式如 2026-01-31。", "“{label}” must be a real date such as 2026-01-31."),
    "not_past": ("“{label}”不能晚于今天，请核对。", "“{label}” must not be later than today."),
    "not_future": ("“{label}”不能早于今天，请重新选择。", "“{label}” must not be earlier than today."),
    "not_an_option": ("“{label}”请从所列选项中选择一项。", "“{label}” must be one of its options."),
    "not_yes_or_no": ("“{label}”请选择“是”或“否”。", "“{label}” must be true or false."),
    "must_be_accepted": ("请阅读并勾选“{label}”，否则无法办理。", "“{label}” must be read and accepted."),
    "invalid_id_number": (
        "“{label}”有误：{problem}",
        "“{label}” is no valid ID number (18 characters, GB 11643); compare every digit.",
    ),
    "invalid_credit_code": (
        "“{label}”有误：{problem}",
        "“{label}” is no valid unified social credit code (18 characters, GB 32100); compare every character.",
    ),
    "invalid_phone": (
        "“{label}”有误：{problem}",
        "“{label}” must be an 11-digit mobile number, or a landline with area code such as 0315-1234567.",
    ),
    "unknown_material": ("本事项不需要这份材料，请删除。", "This item does not ask for this material; remove it."),
    "material_twice": (
        "“{label}”列了两次，请把附件合并到一处。",
        "“{label}” is listed twice; put its uploads into one entry.",
    ),
    "commitment_not_allowed": ("“{label}”不能用承诺代替，请上传。", "No commitment may stand in for “{label}”; upload it."),
    "too_many_uploads": (
        "“{label}”最多上传 {most} 个附件，请合并后重新上传。",
        "“{label}” may have {most} uploads; combine them.",
    ),
    "upload_twice": ("“{label}”有重复的附件，请删除重复的。", "“{label}” names an upload twice; remove the second."),
    "missing_material": ("缺少“{label}”，{way}", "“{label}” is missing; {way_en}"),
    "upload_unusable": (
        "第 {place} 项材料的附件无法使用，请重新上传。",
        "An upload of material no. {place} cannot be used; upload it again.",
    ),
    "commitment_unsigned": ("请阅读承诺书并签名。", "Read the commitment and sign it."),
    "signature_differs": (
        "签名须与申请表上的申请人名称一致，代办的可签代办人姓名。",
        "Sign by the name of the applicant in the form, or by that of who acts for him.",
    ),
    "applicant_differs": (
        "代办的申请表填写被代办人，应与授权上的姓名（名称）、证件号码一致。",
        "The applicant is the principal: name and number as in the authority.",
    ),
    "agent_is_minor": ("代办人须年满 18 周岁。", "Who acts for others is of age."),
    "kind_does_not_fit": (
        "所选事项不能以这种身份代办，请删去。",
        "This kind may not act in an item that is named; leave it out.",
    ),
    "document_missing": ("请上传授权证明。", "Upload the paper that shows the authority."),
    "invalid_village": ("请填写本镇的 12 位村（社区）代码。", "The village has twelve digits and lies in this town."),
    "valid_too_long": (
        "有效期请选今天至 {last} 之间的日期。",
        "The last day lies between today and {last}.",
    ),
    "no_such_department": ("没有这个部门，已有：{known}。", "There is no such department; known are {known}."),
    "department_needed": (
        "经办和审批人员须属于一个部门，请加 --department 部门代码。",
        "An officer or approver belongs to a department: give --department CODE.",
    ),
    "too_short": ("密码至少 {least} 个字符。", "A password has {least} characters or more."),
}


def complaint(pointer: str, code: str, **values: object) -> FieldError:
    """What is wrong at a place (JSON pointer), worded in both languages."""
    said, said_en = COMPLAINTS[code]
    return FieldError(pointer, code, said.format(**values), said_en.format(**values))
