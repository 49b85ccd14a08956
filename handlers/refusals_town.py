"""What the town refuses at a person's door: things not found, log-in, forms and materials."""

from __future__ import annotations

from handlers.errors import Refusal

TOWN: dict[str, Refusal] = {
    "not_found": Refusal(
        404, "没有找到", "没有这项内容，或您无权查看。请检查编号。", "Not found", "It does not exist, or is not yours to see. Check the id."
    ),
    "item_not_found": Refusal(
        404, "没有这个事项", "请在事项列表中重新选择。", "No such service item", "Choose one from GET /api/v1/items."
    ),
    "invalid_form": Refusal(
        422,
        "表单有需要修改的地方",
        "请按每一项的提示修改后再提交。",
        "The form needs changes",
        "Mend each listed field, then send it again.",
    ),
    "missing_material": Refusal(
        422, "材料不齐", "请补齐列出的材料后再提交。", "Materials are missing", "Hand in each listed material, then send it again."
    ),
    "login_code_invalid": Refusal(
        401, "登录已过期", "请重新打开小程序登录。", "The log-in code is not valid", "Call wx.login again for a new code."
    ),
    "login_failed": Refusal(
        401, "登录失败", "用户名、密码或动态口令不正确，请重新输入。", "Log-in failed", "User name, password or one-time code is wrong."
    ),
    "account_closed": Refusal(403, "账号已注销", "如需恢复，请到服务大厅办理。", "Account closed", "Ask at the service hall."),
    "username_taken": Refusal(409, "用户名已被使用", "请换一个用户名。", "User name taken", "Choose another one."),
    "materials_unusable": Refusal(
        422,
        "材料无法使用",
        "列出的附件不存在、不是您的，或未通过检查。请重新上传。",
        "Materials cannot be used",
        "Upload the listed files again.",
    ),
    "login_blocked": Refusal(
        403,
        "微信限制了本次登录",
        "该微信账号存在风险，请到服务大厅办理。",
        "Log-in blocked by WeChat",
        "The platform regards this account as risky.",
    ),
    "unknown_template": Refusal(
        422,
        "没有这个消息模板",
        "请重新打开订阅设置后再试。",
        "No such message template",
        "Use the template ids of GET /api/v1/subscriptions.",
    ),
    "invalid_cursor": Refusal(
        422, "翻页位置无效", "请从第一页重新查看。", "The cursor is not valid", "Leave `cursor` out to begin with the first page."
    ),
    "code_not_valid": Refusal(
        404,
        "这个码不能使用",
        "可能已过期、已用过或不是本系统的码，请居民刷新后重新出示。",
        "The code cannot be used",
        "It is too old, already used, or none of ours: ask the resident to show a new one.",
    ),
}
