"""A department beyond the inner network: how its messages are protected on the way out and opened on the way in, with the keys of now."""

from __future__ import annotations

from collections.abc import Sequence

from backoffice.border import BorderKeys, NotProtected, PublicJwk, checked_jwk, open_protected, protect
from backoffice.partner_keys import PublicPurpose, public_keys
from handlers.catalogue import Department
from handlers.errors import Refused
from handlers.office import Office

NO_KEY = "本镇还没有出内网用的签名密钥：请运行 mobile-api key create，然后重新启动"


class Border:
    """The town's side of the border, with the keys it was started with and those the departments have now."""

    def __init__(self, office: Office) -> None:
        self.keys = BorderKeys(office.keys.border)
        self._office = office

    async def out(self, department: Department, message: bytes) -> bytes:
        """What leaves for a department: signed, and encrypted where it has a key for that. Raises LookupError without a key of ours."""
        if self.keys.current is None:
            raise LookupError(NO_KEY)
        return protect(message, self.keys.current, await self.recipient(department))

    async def take_in(self, department: Department, token: bytes, largest: int) -> bytes:
        """What a department sent, opened; Refused("border_unreadable") if it is not its own, not whole or not for us.

        Who registered a key to have its messages encrypted must encrypt its own as well.
        """
        known = await self._public(department, "verify")
        is_encrypted = await self.recipient(department) is not None
        try:
            return open_protected(token, known, self.keys.by_kid, is_encrypted=is_encrypted, largest=largest)
        except NotProtected as refused:
            raise Refused("border_unreadable", {"reason": refused.reason}) from refused

    async def recipient(self, department: Department) -> PublicJwk | None:
        """The newest key that a department wants its messages encrypted with."""
        found = await self._public(department, "encrypt")
        return found[0] if found else None

    async def _public(self, department: Department, use: PublicPurpose) -> Sequence[PublicJwk]:
        return [checked_jwk(key.public_jwk, use) for key in await public_keys(self._office, department.code, use)]
