"""The examples of the contract: one story in `examples.yaml`, put where each call is described.

A test tells the story to the service, step by step, and compares every answer with the one that
is written down.
"""

from typing import Any

from loyalty_service.api.problems import MEDIA_TYPE
from loyalty_service.api.texts import load

JSON = "application/json"
Step = dict[str, Any]


def story() -> dict[str, Any]:
    """When the story begins, and its `steps` in order."""
    return load("examples.yaml")


def put_into(document: dict[str, Any]) -> None:
    """Add every step to the request and the answer that it is an example of."""
    by_id = {
        operation["operationId"]: (item, operation)
        for item in document["paths"].values()
        for operation in item.values()
        if isinstance(operation, dict)
    }
    for step in story()["steps"]:
        item, operation = by_id[step["operation"]]
        parameters = [*item.get("parameters", []), *operation.get("parameters", [])]
        if step["status"] < 400:
            _put_request(step, operation, parameters)
        _put_answer(step, _found(document, operation["responses"][str(step["status"])]))


def _put_request(step: Step, operation: dict[str, Any], parameters: list[dict[str, Any]]) -> None:
    values = {**step.get("path", {}), **step.get("query", {})}
    for parameter in parameters:
        if parameter["name"] in values:
            _put(parameter, step, values[parameter["name"]])
    if "body" in step:
        _put(operation["requestBody"]["content"][JSON], step, step["body"])


def _put_answer(step: Step, response: dict[str, Any]) -> None:
    media_type = MEDIA_TYPE if step["status"] >= 400 else JSON
    _put(response["content"][media_type], step, step["answer"])


def _put(place: dict[str, Any], step: Step, value: Any) -> None:
    place.setdefault("examples", {})[step["id"]] = {"summary": step["summary"], "value": value}


def _found(document: dict[str, Any], response: dict[str, Any]) -> dict[str, Any]:
    """The response itself, where an operation only refers to a shared one."""
    name = response.get("$ref", "").removeprefix("#/components/responses/")
    found: dict[str, Any] = document["components"]["responses"][name] if name else response
    return found
