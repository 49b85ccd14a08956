"""Members of staff with rows of their own, as pages and claims name them."""

from __future__ import annotations

from handlers.access import Officer
from handlers.office import Office
from storage import staff
from storage.ids import uuid7


async def hired(office: Office, name: str, department: str, role: str = "officer") -> Officer:
    """Somebody at work; he has no password, so that nobody logs in as him."""
    staff_id = uuid7()
    row = {
        "id": staff_id, "username": staff_id, "name": name, "role": role, "department": department or None, "hall": None,
        "area": office.division, "password_hash": "-", "totp_sealed": None, "created_at": office.clock.now(),
    }  # fmt: skip
    assert await staff.insert(office.database, row)
    return Officer(staff_id, role, department, "", office.division)
