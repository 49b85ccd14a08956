"""What a department beyond the border does with JOSE, by a library of its own: opens what the town sends, protects what it answers."""

from __future__ import annotations

from dataclasses import dataclass

from joserfc import jwe, jws
from joserfc.errors import JoseError
from joserfc.jwe import JWERegistry
from joserfc.jwk import KeySet, OKPKey

_SIGN, _WRAP, _ENCRYPT = "Ed25519", "ECDH-ES+A256KW", "A256GCM"


class Unreadable(Exception):
    """Not from the town, or not for us."""


class _Roomy(JWERegistry):
    max_ciphertext_length = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Border:
    """Our keys, and the town's public ones as /.well-known/jwks.json gives them."""

    town: KeySet
    signing: OKPKey
    opening: OKPKey | None = None

    def open(self, token: bytes) -> bytes:
        """The message inside; raises Unreadable."""
        try:
            if self.opening is not None:
                token = jwe.decrypt_compact(token, self.opening, registry=_Roomy(algorithms=[_WRAP, _ENCRYPT])).plaintext or b""
            return jws.deserialize_compact(token, self.town, algorithms=[_SIGN]).payload
        except (JoseError, ValueError) as error:
            raise Unreadable(f"border: {error}") from error

    def protect(self, message: bytes) -> bytes:
        """An answer for the town: signed, then encrypted with the town's newest key."""
        signed = jws.serialize_compact({"alg": _SIGN, "kid": self.signing.thumbprint()}, message, self.signing, algorithms=[_SIGN])
        to = next(key for key in self.town.keys if key.get("use") == "enc")
        header = {"alg": _WRAP, "enc": _ENCRYPT, "kid": to.kid, "cty": "jose"}
        return jwe.encrypt_compact(header, signed.encode(), to, registry=_Roomy(algorithms=[_WRAP, _ENCRYPT])).encode()
