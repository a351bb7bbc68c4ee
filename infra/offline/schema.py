"""The schema of the google provider, read from a package of its bindings.

Run as `python -m infra.offline.schema WHEEL JSON`.

The provider itself is a download of its own that an offline machine does not have. Its bindings for
JavaScript come as a wheel and hold, as generated code of an even shape, what each resource takes:

    // push_endpoint - computed: false, optional: false, required: true        which arguments there are
    push_endpoint: { value: …, isBlock: false, type: "simple", storageClassType: "string" }  of what type
    _pushConfig = new …OutputReference(this, "push_config");                   blocks that stand there once

What is left out: the rules that only the provider knows (enumerations, conflicts, patterns), and whatever
lies below a block that contains itself.
"""

import io
import json
import re
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Block = dict[str, Any]
"""{"attributes": name → {type, required, optional, computed}, "blocks": name → {nesting, min_items,
max_items, block}}; a type is Terraform's, as JSON: "string", ["list", "string"]."""

# A block that nests in itself would have no end.
MAX_DEPTH = 10
ANY = "dynamic"
NESTINGS = {"list": "LIST", "set": "SET", "map": "MAP", "struct": "SINGLE"}
SCALARS = {"string": "string", "number": "number", "boolean": "bool"}
_GETTERS: Mapping[str, object] = {
    "StringAttribute": "string",
    "NumberAttribute": "number",
    "BooleanAttribute": "bool",
    "ListAttribute": ["list", "string"],
    "StringMapAttribute": ["map", "string"],
}
_KINDS = ("Map", "List", "Set")

_MODULE = re.compile(r"package/lib/(data-google-)?[\w-]+/index\.js")
_CLASS = re.compile(r"^class (\w+) extends cdktn\.(\w+) \{(.*?)^\}", re.S | re.M)
_WRITER = re.compile(r"^function (\w+)ToHclTerraform\(struct\) \{(.*?)^\}", re.S | re.M)
_TOP_WRITER = re.compile(r"synthesizeHclAttributes\(\) \{(.*?)^    \}", re.S | re.M)
_RESOURCE_TYPE = re.compile(r'tfResourceType = "(\w+)"')
_FLAGS = re.compile(r"// (\w+) - computed: (\w+), optional: (\w+), required: (\w+)")
_ENTRY = re.compile(
    r'^\s+"?([\w-]+)"?: \{\s+value: (.*?),\n'
    r'\s+isBlock: (\w+),\s+type: "(\w+)",\s+storageClassType: "([^"]+)"',
    re.S | re.M,
)


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """One argument as the bindings write it out."""

    value: str
    is_block: bool
    nesting: str
    storage: str

    @property
    def writer(self) -> str:
        """The function that writes the block, which is named after the block's class."""
        found = re.search(r"(\w+)ToHclTerraform", self.value)
        return found[1].lower() if found else ""

    @property
    def type(self) -> object:
        """Terraform's type, as JSON has it; `dynamic` for one that the bindings do not tell."""
        for kind in _KINDS:
            if self.storage.endswith(kind):
                inner = SCALARS.get(self.storage.removesuffix(kind), ANY)
                return [self.nesting if self.nesting == "set" else kind.lower(), inner]
        return SCALARS.get(self.storage, ANY)


@dataclass(frozen=True, kw_only=True)
class _Module:
    """The code of one resource: the text of its classes, and what its functions write."""

    classes: Mapping[str, str]
    entries: Mapping[str, Mapping[str, _Entry]]

    def block(self, of: str, entries: Mapping[str, _Entry], depth: int = 0) -> Block:
        """One block and all below it, to MAX_DEPTH.

        An argument without an entry is written by nobody: only the provider sets it, and it is computed.
        """
        made: Block = {"attributes": {}, "blocks": {}}
        if depth > MAX_DEPTH:
            return made
        for name, *flags in _FLAGS.findall(of):
            computed, optional, required = (flag == "true" for flag in flags)
            entry = entries.get(name)
            if entry is not None and entry.is_block:
                made["blocks"][name] = self._nested(name, entry, within=of, required=required, depth=depth)
                continue
            made["attributes"][name] = {
                "type": entry.type if entry else _read_type(name, of),
                "required": required and entry is not None,
                "optional": optional,
                "computed": computed or entry is None,
            }
        return made

    def _nested(self, name: str, entry: _Entry, *, within: str, required: bool, depth: int) -> Block:
        """A block within a block: how often it may stand there, and what it holds."""
        # A list of one at most has an output of its own kind in the bindings.
        stands_once = re.search(rf'= new \w+OutputReference\(this, "{name}"\)', within) is not None
        nesting = "SINGLE" if name == "timeouts" else NESTINGS[entry.nesting]
        return {
            "nesting": nesting,
            # Of a single block the protocol counts nothing.
            "min_items": int(required and nesting != "SINGLE"),
            "max_items": int(stands_once and nesting != "SINGLE"),
            "block": self.block(
                self.classes.get(f"{entry.writer}outputreference", ""),
                self.entries.get(entry.writer, {}),
                depth + 1,
            ),
        }


def read_module(code: str) -> tuple[str, Block] | None:
    """`google_pubsub_topic` and its block, or None where the code is no resource and no data source."""
    # By lower-case names: functions are spelt after classes, but begin with a small letter.
    classes = {name.lower(): (base, body) for name, base, body in _CLASS.findall(code)}
    tops = [body for base, body in classes.values() if base in ("TerraformResource", "TerraformDataSource")]
    if not tops:
        return None
    module = _Module(
        classes={name: body for name, (_, body) in classes.items()},
        entries={name.lower(): _entries(body) for name, body in _WRITER.findall(code)},
    )
    (top,), written = tops, _TOP_WRITER.search(tops[0])
    name = _RESOURCE_TYPE.search(top)
    assert name and written, "the bindings have another shape"
    return name[1], module.block(top, _entries(written[1]))


def read_wheel(wheel: Path) -> dict[str, dict[str, Block]]:
    """{"resources": …, "data_sources": …}, each by the name of its type."""
    found: dict[str, dict[str, Block]] = {"resources": {}, "data_sources": {}}
    for path, code in _modules(wheel):
        if module := read_module(code):
            kind = "data_sources" if "/data-google-" in path else "resources"
            found[kind][module[0]] = module[1]
    return found


def _modules(wheel: Path) -> Iterator[tuple[str, str]]:
    """Path and code of each resource and data source; the bindings are an archive within the wheel."""
    with zipfile.ZipFile(wheel) as outer:
        [inner] = [name for name in outer.namelist() if name.endswith(".jsii.tgz")]
        with tarfile.open(fileobj=io.BytesIO(outer.read(inner))) as bindings:
            for member in bindings:
                file = bindings.extractfile(member) if _MODULE.fullmatch(member.name) else None
                if file is not None:
                    yield member.name, file.read().decode()


def _entries(body: str) -> dict[str, _Entry]:
    """The arguments that one function of the bindings writes out, by name."""
    return {
        name: _Entry(value=value, is_block=is_block == "true", nesting=nesting, storage=storage)
        for name, value, is_block, nesting, storage in _ENTRY.findall(body)
    }


def _read_type(name: str, of: str) -> object:
    """The type of an attribute that only the provider sets, by the way in which it is read."""
    found = re.search(rf"this\.get(\w+)\('{name}'\)", of)
    return _GETTERS.get(found[1], ANY) if found else ANY


def main(wheel: str, target: str) -> None:
    """Read the wheel, and write its schema as JSON to the file `target`."""
    Path(target).write_text(json.dumps(read_wheel(Path(wheel))), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
