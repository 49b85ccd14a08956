"""Materials of an application: what was handed in for each, checked against the item and against the uploads that really exist."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from handlers.cards import CardMaterial, CardUpload
from handlers.catalogue import ServiceItem
from handlers.complaints import complaint
from handlers.errors import FieldError, Refused
from handlers.forms import check_materials
from storage import uploads
from storage.database import Queries


class HandedIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One material as the phone hands it in: uploads in page order, or a signed commitment instead."""

    material: str
    uploads: tuple[str, ...] = ()
    commitment: bool = False


async def take_in(
    db: Queries, owner_id: str, item: ServiceItem, handed_in: tuple[HandedIn, ...], kept: tuple[CardMaterial, ...] = ()
) -> tuple[CardMaterial, ...]:
    """The materials for the card; raises Refused with every material that is missing, unknown or unusable.

    `kept` are the materials that the case has already: its certificates are not asked for again (108号), and its files may be handed in
    again by whoever acts in it, the principal or his agent.
    """
    known = {one.material: one for one in certificates(kept)}
    errors = check_materials(without(item, known), handed_in)
    if errors:
        raise Refused("missing_material", errors=errors)
    wanted = [upload for one in handed_in for upload in one.uploads]
    found = {one.id: one for material in kept for one in material.uploads if one.id in wanted}
    if new := [upload for upload in wanted if upload not in found]:
        found |= {row["id"]: _upload(row) for row in await uploads.ready_of_owner(db, owner_id, new)}
    lost = [_unusable(place, one) for place, one in enumerate(handed_in) if any(upload not in found for upload in one.uploads)]
    if lost:
        raise Refused("materials_unusable", errors=lost)
    given = {one.material: one for one in handed_in}
    materials = (
        _material(rule.code, rule.name, rule.source, given.get(rule.code), found) or known.get(rule.code) for rule in item.materials
    )
    return tuple(material for material in materials if material is not None)


def certificates(materials: tuple[CardMaterial, ...]) -> tuple[CardMaterial, ...]:
    """Those that the office has itself."""
    return tuple(one for one in materials if one.source == "certificate")


def without(item: ServiceItem, known: Collection[str]) -> ServiceItem:
    """An item that does not ask for these materials."""
    rules = (msgspec.structs.replace(rule, required=False) if rule.code in known else rule for rule in item.materials)
    return msgspec.structs.replace(item, materials=tuple(rules))


def rows(case_id: str, materials: tuple[CardMaterial, ...]) -> list[tuple[str, str, int, str, str | None]]:
    """The material rows of a case."""
    made: list[tuple[str, str, int, str, str | None]] = []
    for material in materials:
        pages: list[str | None] = [*(upload.id for upload in material.uploads)]
        made += [(case_id, material.material, position, material.source, upload) for position, upload in enumerate(pages or [None])]
    return made


def _material(code: str, name: str, source: str, given: HandedIn | None, found: dict[str, CardUpload]) -> CardMaterial | None:
    if source == "form":
        return CardMaterial(code, name, "form")
    if given is None:
        return None
    if not given.uploads:
        return CardMaterial(code, name, "commitment") if given.commitment else None
    files = tuple(found[upload] for upload in given.uploads)
    return CardMaterial(code, name, "upload", files)


def _upload(row: dict[str, object]) -> CardUpload:
    return msgspec.convert({**row, "sha256": row["digest"]}, CardUpload)


def _unusable(place: int, one: HandedIn) -> FieldError:
    return complaint(f"/materials/{one.material}", "upload_unusable", place=place + 1)
