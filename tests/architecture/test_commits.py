"""Nothing committed depends on the machine it was written on, or on one place to get packages from."""

from __future__ import annotations

import re

from tests.support.tree import files, name

# Written in parts, so that this file does not name them either.
REGISTRIES = (
    "pypi" + ".org",
    "python" + "hosted.org",
    "registry." + "npmjs",
    "npm" + "mirror",
    "registry." + "yarnpkg",
    "proxy." + "golang",
)
MACHINE_PATHS = re.compile(rb"(?<![\w./-])/(?:root|work|home/[a-z_][\w-]*|Users/\w+)/")
LARGEST_FILE = 1024 * 1024


def test_no_package_registry_is_named():
    found = [(name(path), host) for path in files() for host in REGISTRIES if host.encode() in path.read_bytes()]
    assert found == []


def test_no_path_of_one_machine_is_named():
    found = [(name(path), match[0].decode()) for path in files() for match in MACHINE_PATHS.finditer(path.read_bytes())]
    assert found == []


def test_no_file_is_too_large_for_a_repository():
    assert {name(path): path.stat().st_size for path in files() if path.stat().st_size > LARGEST_FILE} == {}


def test_no_build_product_or_third_party_code_is_committed():
    foreign = re.compile(r"(^|/)(node_modules|dist|\.venv|site-packages|__pycache__)/|\.(pyc|so|whl|tgz|woff2?|ttf|otf|min\.js|min\.css)$")
    assert [name(path) for path in files() if foreign.search(name(path))] == []
