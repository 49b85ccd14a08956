from tests.support.wholetown import application_for
import msgspec, jsonschema
from backoffice.registry import check, asyncapi
from storage.envelopes import Envelope
async def test_contract(town):
    r = await town.resident("zhang")
    case = await r.call("POST", "/cases", json=await application_for(r, "MZ-01"), key="first", expect=(201,))
    await town.follow(r, case["id"], until="case.completed")
    db = next(v.database for v in vars(town).values() if hasattr(v, "database"))
    rows = await db.rows("SELECT body FROM outbox ORDER BY id")
    doc = asyncapi("x")
    for row in rows:
        e = msgspec.json.decode(bytes(row["body"]), type=Envelope)
        kind, data = check(e, "to_department")
        jsonschema.validate(msgspec.json.decode(bytes(row["body"])), {**doc["components"]["messages"][kind]["payload"], "components": doc["components"]})
        print(kind, len(row["body"]), e.source, e.correlationid, set(e.data) )
    print(await db.rows("SELECT count(*) AS n FROM outbox WHERE confirmed_at IS NULL"), await db.rows("SELECT * FROM set_aside"))
