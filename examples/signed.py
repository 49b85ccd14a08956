"""One signed request to the town, to look around or to fetch a file; it needs Python 3.11 and nothing else.

python signed.py GET /exchange/v1/state
python signed.py GET /exchange/v1/files/GRANT > paper.jpg
python signed.py POST /exchange/v1/messages < answer.json
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import os
import secrets
import sys
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from urllib.parse import urlsplit


def signed(method: str, path: str, body: bytes) -> dict[str, str]:
    """The four headers that say who asks: a signature over method, path with query, date, nonce and the digest of the body."""
    date, nonce = dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), secrets.token_hex(16)
    text = "\n".join((method, path, date, nonce, hashlib.sha256(body).hexdigest()))
    signature = hmac.digest(bytes.fromhex(os.environ["EXCHANGE_SECRET"]), text.encode(), "sha256").hex()
    key = os.environ["EXCHANGE_KEY"]
    return {"X-Exchange-Key": key, "X-Exchange-Date": date, "X-Exchange-Nonce": nonce, "X-Exchange-Signature": signature}


def ask(method: str, path: str, body: bytes = b"") -> HTTPResponse:
    """The town's answer; every request, a repeated one too, is signed anew."""
    town = urlsplit(os.environ["TOWN_URL"])
    kind = HTTPSConnection if town.scheme == "https" else HTTPConnection
    connection = kind(town.netloc, timeout=60)
    connection.request(method, path, body, {**signed(method, path, body), "Content-Type": "application/json"})
    return connection.getresponse()


if __name__ == "__main__":
    answer = ask(sys.argv[1], sys.argv[2], b"" if sys.argv[1] == "GET" else sys.stdin.buffer.read())
    sys.stdout.buffer.write(answer.read())
    sys.exit(answer.status >= 400)  # noqa: PLR2004 - what went wrong stands in the answer
