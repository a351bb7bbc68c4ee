"""A stand-in for the google provider: knows its schema, plans by copying, changes nothing, reaches nobody.

    python provider.py SCHEMA SOCKET ANSWERS

Terraform reaches it over gRPC (protocol 6) instead of starting a provider of its own, once it finds the line
that this prints in TF_REATTACH_PROVIDERS. SCHEMA is the file that schema.py makes. ANSWERS is JSON, type →
attribute → value: what a plan would have looked up of a data source, and what it knows of a resource before
there is one; `{name}` in a value stands for the resource's own argument. Runs in the environment of
infra/offline/requirements.txt, and imports nothing of the project for that reason.
"""

import json
import os
import sys
from collections.abc import Mapping
from concurrent import futures
from pathlib import Path
from typing import Any, cast

import grpc
import msgpack
from tf.gen import tfplugin_pb2 as messages
from tf.gen import tfplugin_pb2_grpc as services

Block = Mapping[str, Any]
UNKNOWN = msgpack.ExtType(0, b"\x00")
"""How Terraform writes a value that is known after the apply."""
SETTINGS = ("project", "region", "zone", "billing_project", "user_project_override")
"""Arguments of the provider itself; all are optional, and none changes anything here."""
MADE_UP: Mapping[Any, Any] = {"string": "offline", "number": 1, "bool": False}
"""What a data source answers where nobody said otherwise."""


def to_block(block: Block) -> messages.Schema.Block:
    """Our schema file's description of a block as the protocol has it."""
    # An enumeration of the protocol: the schema file has its names.
    nesting = messages.Schema.NestedBlock.NestingMode
    return messages.Schema.Block(
        attributes=[
            messages.Schema.Attribute(
                name=name,
                type=json.dumps(each["type"]).encode(),
                required=each["required"],
                optional=each["optional"],
                computed=each["computed"],
            )
            for name, each in block["attributes"].items()
        ],
        block_types=[
            messages.Schema.NestedBlock(
                type_name=name,
                block=to_block(each["block"]),
                nesting=nesting.Value(each["nesting"]),
                min_items=each["min_items"],
                max_items=each["max_items"],
            )
            for name, each in block["blocks"].items()
        ],
    )


def to_schema(block: Block) -> messages.Schema:
    """The whole schema of one type; version 0, so that Terraform migrates no state."""
    return messages.Schema(version=0, block=to_block(block))


def plan(block: Block, proposed: dict[str, Any] | None, known: Mapping[str, str]) -> dict[str, Any] | None:
    """What is proposed, with what the provider sets itself as `known`, else marked as unknown; None is a
    deletion."""
    if proposed is None:
        return None
    computed = {
        name: known[name].format_map(proposed) if name in known else UNKNOWN
        for name, each in block["attributes"].items()
        # What the configuration sets itself stands as it is, computed or not.
        if each["computed"] and proposed.get(name) is None
    }
    return proposed | computed


def answer(block: Block, asked: dict[str, Any], answers: Mapping[str, Any]) -> dict[str, Any]:
    """A data source's attributes: as asked, else as told, else made up from their type."""
    made_up = {
        name: answers.get(name, MADE_UP.get(each["type"]) if isinstance(each["type"], str) else None)
        for name, each in block["attributes"].items()
        if asked.get(name) is None
    }
    return asked | made_up


def unpack(value: messages.DynamicValue) -> Any:
    """A value of the protocol. What is known after the apply arrives as msgpack's extension type 0."""
    return msgpack.unpackb(value.msgpack, ext_hook=msgpack.ExtType, strict_map_key=False)


def pack(value: object) -> messages.DynamicValue:
    """A value for the protocol."""
    return messages.DynamicValue(msgpack=msgpack.packb(value))


class Provider(services.ProviderServicer):  # type: ignore[misc]  # generated code, without types
    """Answers in Terraform's own terms; what it does not implement Terraform does without."""

    def __init__(self, schema: Mapping[str, Mapping[str, Block]], answers: Mapping[str, Mapping[str, Any]]):
        self._resources, self._data_sources = schema["resources"], schema["data_sources"]
        self._answers = answers

    def GetProviderSchema(self, request: Any, context: Any) -> Any:
        """All types that SCHEMA names; Terraform asks once, before anything else."""
        setting = {"type": "string", "required": False, "optional": True, "computed": False}
        return messages.GetProviderSchema.Response(
            provider=to_schema({"attributes": dict.fromkeys(SETTINGS, setting), "blocks": {}}),
            resource_schemas={name: to_schema(block) for name, block in self._resources.items()},
            data_source_schemas={name: to_schema(block) for name, block in self._data_sources.items()},
        )

    def GetMetadata(self, request: Any, context: Any) -> Any:
        """Terraform falls back on the schema."""
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "the schema tells it")

    def ValidateProviderConfig(self, request: Any, context: Any) -> Any:
        """Nothing to object to: Terraform itself has compared it with the schema."""
        return messages.ValidateProviderConfig.Response()

    def ValidateResourceConfig(self, request: Any, context: Any) -> Any:
        """Nothing to object to: Terraform itself has compared it with the schema."""
        return messages.ValidateResourceConfig.Response()

    def ValidateDataResourceConfig(self, request: Any, context: Any) -> Any:
        """Nothing to object to: Terraform itself has compared it with the schema."""
        return messages.ValidateDataResourceConfig.Response()

    def ConfigureProvider(self, request: Any, context: Any) -> Any:
        """Nobody is connected to."""
        return messages.ConfigureProvider.Response()

    def PlanResourceChange(self, request: Any, context: Any) -> Any:
        """What is proposed, completed by what a provider would know."""
        name = request.type_name
        known = self._answers.get(name, {})
        planned = plan(self._resources[name], unpack(request.proposed_new_state), known)
        return messages.PlanResourceChange.Response(planned_state=pack(planned))

    def ReadDataSource(self, request: Any, context: Any) -> Any:
        """What the plan would have looked up."""
        name = request.type_name
        read = answer(self._data_sources[name], unpack(request.config), self._answers.get(name, {}))
        return messages.ReadDataSource.Response(state=pack(read))

    def GetFunctions(self, request: Any, context: Any) -> Any:
        """There are none."""
        return messages.GetFunctions.Response()

    def StopProvider(self, request: Any, context: Any) -> Any:
        """Nothing is under way that could be stopped."""
        return messages.StopProvider.Response()


def main(schema: str, socket: str, answers: str) -> None:
    """Serve on the socket until the process is killed.

    The one line on stdout tells Terraform where to find it.
    """
    # A few threads: Terraform asks for several resources at a time.
    server = cast(Any, grpc).server(futures.ThreadPoolExecutor(max_workers=4))
    provider = Provider(json.loads(Path(schema).read_text(encoding="utf-8")), json.loads(answers))
    services.add_ProviderServicer_to_server(provider, server)
    server.add_insecure_port(f"unix://{socket}")
    server.start()
    address = {"Network": "unix", "String": socket}
    attached = {
        "Protocol": "grpc",
        "ProtocolVersion": 6,
        "Pid": os.getpid(),
        # A provider under test: Terraform neither starts nor ends it.
        "Test": True,
        "Addr": address,
    }
    print(json.dumps({"hashicorp/google": attached}), flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main(*sys.argv[1:])
