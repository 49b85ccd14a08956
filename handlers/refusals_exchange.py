"""What the exchange refuses a department: signatures, positions, links and messages."""

from __future__ import annotations

from handlers.errors import Refusal

EXCHANGE: dict[str, Refusal] = {
    "record_not_understood": Refusal(
        422,
        "看不懂部门的记录",
        "请核对 config/mappings 中该部门的对照表：{reason}。",
        "The department's record is not understood",
        "Check the department's mapping in config/mappings: {reason}.",
    ),
    "message_still_fails": Refusal(
        409,
        "这条消息还是不能处理",
        "什么都没有改变。原因：{reason}。请先消除原因，再重新处理，或跳过。",
        "The message still cannot take effect",
        "Nothing was changed. Reason: {reason}. Remove the cause and try again, or skip it.",
    ),
    "signature_missing": Refusal(
        403,
        "请求没有签名，或签名头格式有误",
        "请检查请求头 {header}：需要 X-Exchange-Key、X-Exchange-Date（如 2026-11-24T01:30:00Z）、"
        "X-Exchange-Nonce（16 至 64 个字符）和 X-Exchange-Signature（64 位小写十六进制）。",
        "The request is not signed",
        "Check {header}: the four X-Exchange-* headers are needed, see docs/how-to/connect-a-department.md.",
    ),
    "signature_date": Refusal(
        403,
        "签名时间与服务器相差过大",
        "服务器现在是 {now}，允许相差 {minutes} 分钟。请校准时钟后重新签名。",
        "The signed date is too far from the server's clock",
        "It is {now} here, {minutes} minutes either way are allowed. Set your clock and sign again.",
    ),
    "signature_wrong": Refusal(
        403,
        "签名不正确，或密钥无效",
        "请核对密钥编号，并确认签名的是：方法、路径（含查询）、时间、随机数、请求体的 SHA-256，以换行连接。",
        "The signature is wrong, or the key is not valid",
        "Check the key id, and that you sign METHOD, path with query, date, nonce and hex SHA-256 of the body, joined by newlines.",
    ),
    "signature_replayed": Refusal(
        403,
        "这个随机数已经用过",
        "每个请求（包括重试）都要用新的 X-Exchange-Nonce 重新签名。",
        "This nonce was used before",
        "Sign every request anew, retries too, with a new X-Exchange-Nonce.",
    ),
    "link_other": Refusal(
        409,
        "本部门不按序号取消息",
        '本部门登记的连接方式是：{link}。如需改用接口取消息，请联系管理员改为 link = "pull"。',
        "Your department does not read by position",
        'It is connected by: {link}. Ask the administrator for link = "pull".',
    ),
    "link_paused": Refusal(
        409,
        "与本部门的交换已暂停",
        "消息会保留，恢复后继续。原因：{reason}",
        "The exchange with your department is paused",
        "Messages are kept and go on afterwards. Reason: {reason}",
    ),
    "position_unknown": Refusal(
        409,
        "没有给出过这个序号",
        "已给出到 {position} 号，已确认到 {taken} 号。请从已确认的序号重新读取，重复的消息按办件和 sequence 跳过。",
        "This position was never given",
        "Given up to {position}, confirmed up to {taken}. Read again from the confirmed one; skip repeated messages by case and sequence.",
    ),
    "messages_unreadable": Refusal(
        422,
        "请求体不是消息",
        "请发送一个 CloudEvents 对象，或 messages 数组（1 至 {most} 条）。",
        "The body holds no messages",
        "Send one CloudEvents object, or a messages array of 1 to {most}.",
    ),
    "border_unreadable": Refusal(
        422,
        "签名或加密的消息无法打开",
        "{reason}。出内网的部门应以 application/jose 发送：先签名，再按登记加密，见 docs/how-to/connect-by-webhook.md。",
        "The protected message cannot be opened",
        "Departments beyond the inner network send application/jose, see docs/how-to/connect-by-webhook.md. Reason: {reason}",
    ),
    "grant_not_valid": Refusal(
        404,
        "没有这个附件，或不能再领取",
        "附件凭证只对任务所属部门有效，任务结束 {days} 天后失效。请核对消息中的 grant。",
        "No such file, or no longer to be fetched",
        "A grant holds for its task's department only, until {days} days after the task's end. Check the grant in the message.",
    ),
    "department_unknown": Refusal(
        404, "没有这个部门", "请核对部门代码，见 config/departments。", "No such department", "Check the code, see config/departments."
    ),
    "public_key_unusable": Refusal(
        422,
        "公钥不能使用",
        "{reason}",
        "The public key cannot be used",
        "Give a public {curve} key as a JWK (kty OKP), without its private part.",
    ),
}
