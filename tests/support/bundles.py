"""What a resident does with a bundle (一件事): fill in its one form, follow its parts, add what is asked for when a part's turn comes."""

from __future__ import annotations

from typing import Any

from mobile_api.journey.client import Client
from mobile_api.journey.sample import fill_form
from tests.support.wholetown import Town, photograph


async def application_for_bundle(resident: Client, code: str, *parts: str) -> dict[str, Any]:
    """A complete application for a bundle with these optional parts: every question answered, every paper photographed once."""
    guide = await resident.call("GET", f"/bundles/{code}", params={"parts": ",".join(parts)})
    papers = [paper["code"] for paper in guide["materials"] if paper["required"]]
    materials = [{"material": paper, "uploads": [await photograph(resident, paper)]} for paper in papers]
    return {"bundle": code, "parts": list(parts), "form": fill_form(guide["form"]["fields"]), "materials": materials}


async def complete_part(resident: Client, part: dict[str, Any]) -> None:
    """Add to a part whose turn has come whatever its item still asks for, and submit it."""
    case = await resident.call("GET", f"/cases/{part['case_id']}")
    guide = await resident.call("GET", f"/items/{part['code']}")
    given = [
        {"material": one["material"], "uploads": [upload["id"] for upload in one["uploads"]]}
        for one in case["materials"]
        if one["source"] == "upload"
    ]
    known = {one["material"] for one in case["materials"]}
    lacking = [one["code"] for one in guide["materials"] if one["required"] and one["source"] == "upload" and one["code"] not in known]
    given += [{"material": code, "uploads": [await photograph(resident, code)]} for code in lacking]
    form = {**fill_form(guide["form"]["fields"]), **case["form"]}
    path = f"/cases/{case['id']}"
    await resident.call("PUT", path, json={"form": form, "materials": given}, headers={"If-Match": f'"v{case["version"]}"'})
    await resident.call("POST", f"{path}/submit", json={}, key=f"submit-{case['id']}")


async def play_through(town: Town, resident: Client, umbrella_id: str) -> dict[str, Any]:
    """Follow a bundle to its end, adding what is asked for; the umbrella as it then is."""

    async def look() -> dict[str, Any] | None:
        umbrella = await resident.call("GET", f"/umbrellas/{umbrella_id}")
        for part in umbrella["parts"]:
            if part["state"] == "draft" and not part["waiting"]:
                await complete_part(resident, part)
        return dict(umbrella) if umbrella["finished_at"] else None

    finished = await town.until(look, "the end of the bundle")
    assert finished is not None
    return finished
