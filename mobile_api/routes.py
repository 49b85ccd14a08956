"""Every address of the API on one screen: method, path below /api/v1, view, who may call it. Pages are in mobile_api/pages."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import hdrs

from mobile_api.views import (
    auth,
    batches,
    cases,
    casesearch,
    claims,
    codes,
    desk,
    documentation,
    exchange,
    exchange_v1,
    expectations,
    health,
    items,
    keys,
    me,
    notes,
    papers,
    proxies,
    replies,
    reports,
    setaside,
    subscriptions,
    supervision,
    sync,
    umbrellas,
    uploads,
    wechat_push,
    worklist,
)
from mobile_api.web.metrics import metrics
from mobile_api.web.operation import MULTIPART, Route, Who, delete, get, post, put
from mobile_api.web.sheets import XLSX

ANYONE, RESIDENT, STAFF, ACCOUNT, SYSTEM = Who.ANYONE, Who.RESIDENT, Who.STAFF, Who.ACCOUNT, Who.SYSTEM
_SIGNED = ("signature_missing", "signature_date", "signature_wrong", "signature_replayed")
_SIGNING = ("commitment_unsigned", "commitment_text_changed", "signature_differs")
_CARD = ("not_found", "forbidden", "card_state")
_CHANGE = ("not_found", "wrong_state", "precondition_failed")
_OVER = ("not_found", "proxy_over")
_PROXY = (
    "proxy_unknown",
    "proxy_not_active",
    "proxy_over",
    "proxy_scope",
    "proxy_not_allowed",
    "proxy_kind",
    "proxy_of_age",
    "proxy_village",
    "applicant_differs",
)
_SETTLING = ("not_found", "forbidden", "proxy_not_waiting")
_ACT = (*_CHANGE, "forbidden", "claimed")
_CLAIM = ("not_found", "forbidden", "claimed", "nothing_to_claim")
_REPORT = ("forbidden", "report_span")

_TABLE: list[Route] = [
    # logging in and out
    post("/auth/wechat", auth.wechat, ANYONE, summary="微信登录", tag="auth", pace="login", errors=("login_code_invalid", "unavailable")),
    post("/auth/refresh", auth.refresh, ANYONE, summary="换取新令牌", tag="auth", pace="login", errors=("not_logged_in",)),
    post("/auth/logout", auth.logout, ACCOUNT, summary="退出登录", tag="auth", status=204),
    get("/auth/sessions", auth.list_sessions, ACCOUNT, summary="已登录的设备", tag="auth"),
    delete("/auth/sessions/{id}", auth.end_session, ACCOUNT, summary="下线一台设备", tag="auth", status=204, errors=("not_found",)),
    post("/staff/login", auth.staff_login, ANYONE, summary="工作人员登录", tag="auth", pace="login", errors=("login_failed",)),
    get("/me", me.show, RESIDENT, summary="我的信息", tag="me"),
    get("/me/preferences", me.show_preferences, RESIDENT, summary="我的偏好", tag="me"),
    put("/me/preferences", me.save_preferences, RESIDENT, summary="保存偏好", tag="me"),
    # acting for others
    get("/me/proxies", proxies.mine, RESIDENT, summary="我的代办授权", tag="proxies"),
    post(
        "/me/proxies", proxies.ask, RESIDENT, summary="申请代办授权", tag="proxies", status=201, idempotency="required",
        errors=("invalid_form", "proxy_self", "proxy_exists", "proxy_too_many", "proxy_needs_guardian", "proxy_not_minor", "proxy_village"),
    ),
    post("/me/proxies/confirm", proxies.confirm, RESIDENT, summary="确认代办授权（被代办人）", tag="proxies", idempotency="required", errors=("proxy_code", "proxy_self", "too_many_requests", "unavailable")),
    delete("/me/proxies/{id}", proxies.revoke, RESIDENT, summary="撤销代办授权", tag="proxies", status=204, errors=("not_found", "proxy_not_waiting")),
    # the catalogue
    get("/items", items.list_items, ANYONE, summary="查找事项", tag="items", errors=("invalid_cursor",)),
    get("/events", items.list_events, ANYONE, summary="人生事件", tag="items"),
    get("/items/{code}", items.show_item, ANYONE, summary="办事指南", tag="items", errors=("item_not_found",)),
    get("/items/{code}/expectation", expectations.of_item, ANYONE, summary="预计用时", tag="items", errors=("item_not_found",)),
    get("/bundles", items.list_bundles, ANYONE, summary="一件事", tag="items"),
    get("/bundles/{code}", items.show_bundle, ANYONE, summary="一件事详情", tag="items", errors=("bundle_not_found", "part_unknown")),
    get("/commitments", papers.commitments, ANYONE, summary="承诺书文本", tag="items"),
    get("/departments", items.list_departments, ANYONE, summary="部门", tag="items"),
    # uploads
    post(
        "/uploads/simple", uploads.create_upload, RESIDENT, summary="上传照片或 PDF", tag="uploads", status=201, takes=MULTIPART,
        errors=("upload_empty", "upload_too_large", "upload_type", "upload_broken", "upload_quota"),
    ),
    get("/uploads/{id}", uploads.show_upload, RESIDENT, summary="附件状态", tag="uploads", errors=("not_found",)),
    get("/uploads/{id}/content", uploads.show_content, RESIDENT, summary="附件内容", tag="uploads", gives="*/*", errors=("not_found",)),
    # cases
    post(
        "/cases", cases.create, RESIDENT, summary="提交申请", tag="cases", status=201, idempotency="required",
        errors=("item_not_found", "invalid_form", "missing_material", "materials_unusable", "bundle_not_found", "bundle_no_draft", "part_unknown", *_SIGNING, "no_green_channel", *_PROXY),
    ),
    get("/cases", cases.listing, RESIDENT, summary="我的办件", tag="cases"),
    get("/cases/{id}", cases.show, RESIDENT, summary="办件详情", tag="cases", errors=_OVER),
    put("/cases/{id}", cases.change, RESIDENT, summary="修改草稿", tag="cases", if_match=True, errors=(*_CHANGE, "proxy_over")),
    post("/cases/{id}/submit", cases.submit, RESIDENT, summary="提交草稿", tag="cases", idempotency="required", if_match="optional", errors=(*_OVER, "wrong_state", "precondition_failed", "invalid_form", "missing_material", "part_waits", *_SIGNING, "applicant_differs")),
    post("/cases/{id}/withdraw", cases.withdraw, RESIDENT, summary="撤回", tag="cases", idempotency="required", if_match="optional", errors=(*_OVER, "wrong_state", "precondition_failed")),
    post("/cases/{id}/corrections", cases.correct, RESIDENT, summary="补正", tag="cases", idempotency="required", if_match="optional", errors=(*_OVER, "wrong_state", "precondition_failed", "invalid_form", "missing_material", *_SIGNING, "applicant_differs")),
    post("/cases/{id}/debts", cases.supply, RESIDENT, summary="补交材料", tag="cases", idempotency="required", errors=(*_OVER, "paper_not_owed", "materials_unusable")),
    post("/cases/{id}/evaluation", cases.evaluate, RESIDENT, summary="评价", tag="cases", idempotency="required", errors=(*_OVER, "not_finished", "already_evaluated")),
    get("/cases/{id}/events", cases.events, RESIDENT, summary="办理经过", tag="cases", errors=_OVER),
    get("/cases/{id}/due-dates", cases.due_dates, RESIDENT, summary="时限说明", tag="cases", errors=_OVER),
    get("/cases/{id}/expectation", expectations.of_case, RESIDENT, summary="预计还需多久", tag="cases", errors=_OVER),
    get("/cases/{id}/receipt.png", cases.receipt_png, RESIDENT, summary="收件凭证二维码", tag="cases", gives="image/png", errors=_OVER),
    get("/cases/{id}/receipt.pdf", cases.receipt_pdf, RESIDENT, summary="收件凭证", tag="cases", gives="application/pdf", errors=_OVER),
    get("/umbrellas", umbrellas.listing, RESIDENT, summary="我的一件事", tag="cases"),
    get("/umbrellas/{id}", umbrellas.show, RESIDENT, summary="一件事进度", tag="cases", errors=_OVER),
    post("/umbrellas/{id}/withdraw", umbrellas.withdraw, RESIDENT, summary="撤回一件事", tag="cases", idempotency="required", errors=(*_OVER, "bundle_over")),
    get("/r/{code}", codes.show_receipt, ANYONE, summary="凭证查询", tag="codes", pace="costly", errors=("not_found",)),
    # codes
    post("/codes/lookup", codes.create_lookup, RESIDENT, summary="出示办事码", tag="codes", status=201, idempotency="accepted", errors=("unavailable",)),
    post("/codes/scan", codes.scan, STAFF, summary="扫码", tag="codes", errors=("code_not_valid", "forbidden", "too_many_requests", "unavailable")),
    # events to the phone
    get("/sync", sync.poll, ACCOUNT, summary="增量消息", tag="sync"),
    get("/stream", sync.stream, ACCOUNT, summary="消息推送（WebSocket）", tag="sync", token_in_query=True),
    get("/inbox", sync.inbox, ACCOUNT, summary="消息中心", tag="sync"),
    post("/inbox/read", sync.read, ACCOUNT, summary="标为已读", tag="sync"),
    get("/subscriptions", subscriptions.show, RESIDENT, summary="订阅消息", tag="subscriptions"),
    post("/subscriptions", subscriptions.record, RESIDENT, summary="记录订阅选择", tag="subscriptions"),
    get("/wechat/push", wechat_push.check, SYSTEM, summary="微信消息推送校验", tag="wechat", gives="text/plain", errors=("forbidden",)),
    post("/wechat/push", wechat_push.receive, SYSTEM, summary="微信消息推送", tag="wechat", gives="text/plain", errors=("forbidden", "too_large")),
    # the desk
    get("/desk/cases", desk.listing, STAFF, summary="待办列表", tag="desk", errors=("forbidden",)),
    get("/desk/cases/{id}", desk.show, STAFF, summary="办件", tag="desk", errors=("not_found",)),
    get("/desk/cases/{id}/particulars", desk.show_particulars, STAFF, summary="办理所需的情况", tag="desk", errors=("not_found",)),
    post("/desk/cases/{id}/accept", desk.accept, STAFF, summary="受理", tag="desk", if_match=True, errors=_ACT),
    post("/desk/cases/{id}/reject", desk.reject, STAFF, summary="不予受理", tag="desk", if_match=True, errors=(*_ACT, "accepted_by_law")),
    post("/desk/cases/{id}/request-correction", desk.request_correction, STAFF, summary="补正告知", tag="desk", if_match=True, errors=(*_ACT, "correction_unknown", "correction_repeated", "accepted_by_law")),
    post("/desk/cases/{id}/decide", desk.decide, STAFF, summary="决定", tag="desk", if_match=True, errors=(*_ACT, "reason_missing", "review_unfinished", "separation", "not_sent_up")),
    post("/desk/cases/{id}/suspend", desk.suspend, STAFF, summary="启动特别程序", tag="desk", if_match=True, errors=(*_ACT, "suspension_too_early", "already_suspended", "procedure_unknown", "until_in_the_past", "task_settled")),
    post("/desk/cases/{id}/resume", desk.resume, STAFF, summary="结束特别程序", tag="desk", if_match=True, errors=(*_ACT, "not_suspended")),
    post("/desk/cases/{id}/extend", desk.extend, STAFF, summary="申请延长期限", tag="desk", if_match=True, errors=(*_ACT, "extension_already_asked", "extension_too_late", "extension_too_long")),
    post("/desk/cases/{id}/extend/approve", desk.approve_extension, STAFF, summary="批准延长期限", tag="desk", if_match=True, errors=(*_ACT, "separation", "extension_not_asked", "extension_too_late", "extension_too_long")),
    post("/desk/cases/{id}/extend/refuse", desk.refuse_extension, STAFF, summary="不批准延长期限", tag="desk", if_match=True, errors=(*_ACT, "separation", "extension_not_asked")),
    post("/desk/cases/{id}/forward", desk.forward, STAFF, summary="转报上级", tag="desk", if_match=True, errors=(*_ACT, "review_unfinished", "not_for_the_county")),
    post("/desk/cases/{id}/deliver", desk.deliver, STAFF, summary="送达结果", tag="desk", if_match=True, errors=(*_ACT, "tracking_missing", "already_delivered")),
    post("/desk/cases/{id}/complete", desk.complete, STAFF, summary="签收办结", tag="desk", if_match=True, errors=(*_ACT, "signature_name_missing", "not_sent_yet", "already_delivered")),
    post("/desk/tasks/{id}/opinion", desk.opinion, STAFF, summary="审查意见", tag="desk", if_match=True, errors=(*_ACT, "task_settled")),
    # the officers' own work: what waits, who has it, notes, templates, many at once, finding a case
    get("/desk/tasks", worklist.listing, STAFF, summary="待办箱", tag="desk", errors=("forbidden", "invalid_cursor")),
    post("/desk/tasks/{id}/claim", claims.claim_task, STAFF, summary="领取（按环节编号）", tag="desk", errors=_CLAIM),
    get("/desk/cases/{id}/claim", claims.show, STAFF, summary="谁在办理", tag="desk", errors=("not_found",)),
    post("/desk/cases/{id}/claim", claims.claim, STAFF, summary="领取，或写明理由接手", tag="desk", errors=_CLAIM),
    post("/desk/cases/{id}/release", claims.release, STAFF, summary="退回", tag="desk", errors=(*_CLAIM, "not_held")),
    post("/desk/cases/{id}/assign", claims.assign, STAFF, summary="分派", tag="desk", errors=(*_CLAIM, "colleague_unknown")),
    post("/desk/cases/{id}/hand-over", claims.hand_over, STAFF, summary="移交", tag="desk", errors=(*_CLAIM, "not_held", "colleague_unknown")),
    get("/desk/cases/{id}/colleagues", claims.colleagues, STAFF, summary="可以交给谁", tag="desk", errors=("not_found",)),
    get("/desk/cases/{id}/notes", notes.listing, STAFF, summary="内部备注", tag="desk", errors=("not_found",)),
    post("/desk/cases/{id}/notes", notes.add, STAFF, summary="写备注", tag="desk", status=201, idempotency="accepted", errors=("not_found", "forbidden", "note_empty")),
    get("/desk/cases/{id}/templates", replies.for_case, STAFF, summary="本办件可用的模板", tag="desk", errors=("not_found",)),
    get("/desk/templates", replies.listing, STAFF, summary="答复模板", tag="desk", errors=("forbidden",)),
    post("/desk/templates", replies.add, STAFF, summary="新增模板", tag="desk", status=201, idempotency="accepted", errors=("forbidden", "template_empty", "placeholder_unknown", "templates_full")),
    put("/desk/templates/{id}", replies.change, STAFF, summary="修改模板", tag="desk", errors=("forbidden", "not_found", "template_empty", "placeholder_unknown")),
    delete("/desk/templates/{id}", replies.retire, STAFF, summary="停用模板", tag="desk", status=204, errors=("forbidden", "not_found")),
    post("/desk/batch", batches.run, STAFF, summary="批量办理", tag="desk", idempotency="required"),
    post("/desk/search", casesearch.search, STAFF, summary="查找办件", tag="desk", errors=("forbidden", "search_empty", "search_span", "invalid_cursor")),
    # papers that may follow
    get("/desk/debts", papers.ledger, STAFF, summary="待补材料台账", tag="desk", errors=("forbidden", "invalid_cursor")),
    post("/desk/cases/{id}/urgent", papers.decide_first, STAFF, summary="先行决定", tag="desk", if_match=True, errors=(*_ACT, "no_green_channel", "separation", "not_sent_up")),
    post("/desk/cases/{id}/waive", papers.waive, STAFF, summary="免予补交", tag="desk", if_match=True, errors=(*_ACT, "paper_not_owed")),
    post("/desk/cases/{id}/after-check", papers.check, STAFF, summary="承诺核查", tag="desk", if_match=True, errors=(*_ACT, "paper_not_owed")),
    post("/desk/cases/{id}/revoke", papers.revoke, STAFF, summary="撤销决定", tag="desk", if_match=True, errors=(*_ACT, "separation", "nothing_to_revoke")),
    post("/desk/cases/{id}/priority", papers.mark, STAFF, summary="列为优先", tag="desk", if_match=True, errors=(*_ACT, "evidence_missing")),
    # authorities to act for others
    get("/desk/proxies", proxies.listing, STAFF, summary="代办授权列表", tag="proxies", errors=("forbidden",)),
    get("/desk/proxies/{id}", proxies.show, STAFF, summary="一份代办授权", tag="proxies", errors=("not_found",)),
    get("/desk/proxies/{id}/document", proxies.document, STAFF, summary="授权证明", tag="proxies", gives="*/*", errors=("not_found",)),
    post("/desk/proxies/{id}/approve", proxies.approve, STAFF, summary="通过代办授权", tag="proxies", idempotency="accepted", errors=(*_SETTLING, "proxy_over", "proxy_not_minor", "proxy_needs_guardian", "proxy_village")),
    post("/desk/proxies/{id}/refuse", proxies.refuse, STAFF, summary="不通过代办授权", tag="proxies", idempotency="accepted", errors=(*_SETTLING, "reason_missing")),
    post("/desk/proxies/{id}/revoke", proxies.take_back, STAFF, summary="收回代办授权", tag="proxies", idempotency="accepted", errors=(*_SETTLING, "reason_missing")),
    post("/desk/proxies/{id}/unlink", proxies.unlink, STAFF, summary="解除被代办人账号", tag="proxies", idempotency="accepted", errors=(*_SETTLING, "reason_missing")),
    # the exchange with departments: how it is doing, and messages that wait for an officer
    get("/exchange/departments", exchange.departments, STAFF, summary="部门交换状况", tag="exchange", errors=("forbidden",)),
    get("/exchange/set-aside", setaside.listing, STAFF, summary="待处理的部门消息", tag="exchange", errors=("forbidden",)),
    get("/exchange/set-aside/{id}", setaside.show, STAFF, summary="一条部门消息", tag="exchange", errors=("forbidden", "not_found")),
    post("/exchange/set-aside/{id}/replay", setaside.replay, STAFF, summary="重新处理部门消息", tag="exchange", errors=("forbidden", "not_found", "message_still_fails")),
    post("/exchange/set-aside/{id}/skip", setaside.skip, STAFF, summary="跳过部门消息", tag="exchange", status=204, errors=("forbidden", "not_found")),
    # electronic supervision: cards, what people do with them, what will be late
    get("/supervision/cards", supervision.listing, STAFF, summary="监察牌列表", tag="supervision", errors=("forbidden", "bad_request")),
    post("/supervision/cards", supervision.issue, STAFF, summary="人工发牌", tag="supervision", status=201, errors=("forbidden", "not_found", "ground_unknown", "card_exists")),
    get("/supervision/cards/{id}", supervision.show, STAFF, summary="一张监察牌", tag="supervision", errors=("not_found",)),
    post("/supervision/cards/{id}/confirm", supervision.confirm, STAFF, summary="确认发牌", tag="supervision", errors=_CARD),
    post("/supervision/cards/{id}/drop", supervision.drop, STAFF, summary="不予发牌", tag="supervision", errors=_CARD),
    post("/supervision/cards/{id}/supervise", supervision.supervise, STAFF, summary="督办", tag="supervision", errors=_CARD),
    post("/supervision/cards/{id}/revoke", supervision.revoke, STAFF, summary="撤销监察牌", tag="supervision", errors=_CARD),
    post("/supervision/cards/{id}/feedback", supervision.feedback, STAFF, summary="反馈", tag="supervision", errors=_CARD),
    post("/supervision/cards/{id}/appeal", supervision.appeal, STAFF, summary="申诉", tag="supervision", errors=_CARD),
    post("/supervision/cards/{id}/settle-appeal", supervision.settle_appeal, STAFF, summary="处理申诉", tag="supervision", errors=_CARD),
    get("/supervision/outlook", supervision.outlook, STAFF, summary="即将超期", tag="supervision", errors=("forbidden",)),
    get("/supervision/grounds", supervision.grounds, STAFF, summary="人工发牌的事由", tag="supervision"),
    get("/supervision/reports", reports.show, STAFF, summary="监察报表", tag="supervision", errors=_REPORT),
    get("/supervision/reports.csv", reports.as_csv, STAFF, summary="监察报表（CSV）", tag="supervision", gives="text/csv", errors=_REPORT),
    get("/supervision/reports.xlsx", reports.as_xlsx, STAFF, summary="监察报表（Excel）", tag="supervision", gives=XLSX, errors=_REPORT),
    # the exchange with departments that do without Redis; each request is signed with a key of the department
    get("/exchange/v1/messages", exchange_v1.messages, SYSTEM, summary="部门取消息", tag="departments", root=True, pace="read", errors=(*_SIGNED, "link_other", "link_paused", "position_unknown")),
    post("/exchange/v1/messages", exchange_v1.post, SYSTEM, summary="部门发送消息", tag="departments", root=True, pace="write", errors=(*_SIGNED, "not_json", "messages_unreadable", "too_large", "border_unreadable")),
    post("/exchange/v1/acknowledgements", exchange_v1.acknowledge, SYSTEM, summary="部门确认收到", tag="departments", root=True, pace="write", errors=(*_SIGNED, "link_other", "position_unknown")),
    get("/exchange/v1/files/{grant}", exchange_v1.file, SYSTEM, summary="部门领取附件", tag="departments", root=True, pace="read", gives="*/*", errors=(*_SIGNED, "grant_not_valid")),
    get("/exchange/v1/state", exchange_v1.state, SYSTEM, summary="部门连接状态", tag="departments", root=True, pace="read", errors=_SIGNED),
    # references and the state of the server
    get("/openapi.json", documentation.openapi, ANYONE, summary="接口描述（OpenAPI 3.1）", tag="reference"),
    get("/asyncapi.json", exchange.asyncapi, ANYONE, summary="部门交换描述（AsyncAPI 3.0）", tag="reference"),
    get("/.well-known/jwks.json", keys.jwks, ANYONE, summary="本镇公钥（JWKS）", tag="reference", root=True, gives="application/jwk-set+json"),
    get("/healthz", health.alive, ANYONE, summary="存活", tag="server", root=True),
    get("/readyz", health.ready, ANYONE, summary="就绪", tag="server", root=True, errors=("unavailable",)),
    get("/metrics", metrics, ANYONE, summary="指标", tag="server", root=True, gives="text/plain"),
    get("/docs", documentation.docs, ANYONE, summary="接口文档", tag="reference", root=True, gives="text/html"),
    get("/docs/errors", documentation.errors, ANYONE, summary="错误说明", tag="reference", root=True, gives="text/html"),
]  # fmt: skip


def _repeatable(route: Route) -> Route:
    """The route, taking an Idempotency-Key if it is an act of somebody who is logged in; an act on a version of a case needs one.

    A file handed in twice is no act: what no case takes is forgotten after a week.
    """
    if route.method != hdrs.METH_POST or not route.who.logs_in or route.takes == MULTIPART or route.idempotency != "none":
        return route
    return replace(route, idempotency="required" if route.if_match else "accepted")


ROUTES: list[Route] = [_repeatable(route) for route in _TABLE]
