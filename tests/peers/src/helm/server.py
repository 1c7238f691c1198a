"""Helm 4 and the Kubernetes schemas, as a server of lines: a JSON request in, a JSON answer out.

Runs in the virtual environment of requirements.txt. Helm is the wheel helm-python-sdk (https://pypi.org/project/helm-python-sdk),
the schemas are those of kubernetes-validate; what they do not know is held against the CRDs that are given.
"""

import functools
import json
import sys

import helm_python.chart as helm
import helm_python.config
import jsonschema
import kubernetes_validate
import yaml


# It would read all definitions again for each object.
kubernetes_validate.utils.schema_contents = functools.cache(kubernetes_validate.utils.schema_contents)


def lint(request):
    report = helm.lint(request["chart"], request["values"], strict=True)
    found = [f"{message['path']}: {message['error']}" for message in report["messages"] if message["severity"] > 1]
    return found + report["errors"]


def render(request):
    with helm.Chart.load(request["chart"]) as chart:
        files = chart.render(request["values"], name=request["release"], namespace=request["namespace"])
    notes = "".join(text for name, text in files.items() if name.endswith("/NOTES.txt"))
    manifests = [text for name, text in sorted(files.items()) if name.endswith(".yaml")]
    objects = [document for text in manifests for document in yaml.load_all(text, Strict) if document]
    return {"objects": objects, "notes": notes}


def values(request):
    return helm.values_from_yaml(request["text"])


def package(request):
    return helm.package(request["chart"], destination=request["to"])


def install(request):
    """Installs or upgrades."""
    with cluster(request) as config:
        act = config.upgrade if request["upgrade"] else config.install
        options = {} if request["upgrade"] else {"create_namespace": True}
        act(request["chart"], request["release"], request["values"], dry_run="none", **options)


def uninstall(request):
    with cluster(request) as config:
        config.uninstall(request["release"])


def cluster(request):
    return helm_python.config.Config(kubeconfig_path=request["kubeconfig"], namespace=request["namespace"])


def validate(request):
    """What the schemas do not like, object by object."""
    known = crds(tuple(request["crds"]))
    problems = []
    for thing in request["objects"]:
        name = f"{thing['kind']} {thing['metadata']['name']}"
        try:
            schema = known.get((thing["apiVersion"], thing["kind"]))
            if schema:
                jsonschema.Draft202012Validator(schema).validate(thing)
            else:
                kubernetes_validate.validate(thing, request["version"], strict=True)
        except jsonschema.ValidationError as error:
            problems.append(f"{name}: {'.'.join(map(str, error.absolute_path))}: {error.message[:300]}")
        except kubernetes_validate.utils.SchemaNotFoundError:
            problems.append(f"{name}: no schema for {thing['apiVersion']}")
    return problems


@functools.cache
def crds(paths):
    """The schemas of custom resources by version and kind; what they do not name is refused, as the server does it when it is strict."""
    known = {}
    for path in paths:
        with open(path, encoding="utf-8") as file:
            for crd in yaml.safe_load_all(file):
                spec = crd["spec"]
                for version in spec["versions"]:
                    schema = closed(version["schema"]["openAPIV3Schema"])
                    # What every object has is not a part of it.
                    schema["properties"].update(apiVersion=True, kind=True, metadata=True)
                    known[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = schema
    return known


def closed(schema):
    if schema.get("x-kubernetes-int-or-string"):
        schema = {**schema, "anyOf": [{"type": "integer"}, {"type": "string"}]}
        schema.pop("type", None)
    if "properties" in schema:
        schema["properties"] = {name: closed(part) for name, part in schema["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            schema.setdefault("additionalProperties", False)
    if isinstance(schema.get("additionalProperties"), dict):
        schema["additionalProperties"] = closed(schema["additionalProperties"])
    if isinstance(schema.get("items"), dict):
        schema["items"] = closed(schema["items"])
    return schema


class Strict(yaml.SafeLoader):
    """A key that stands twice is a mistake."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep) for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise ValueError(f"twice in one mapping: {twice}")
        return super().construct_mapping(node, deep)


TASKS = {task.__name__: task for task in (lint, render, values, package, install, uninstall, validate)}

for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = {"done": TASKS[request["task"]](request)}
    except Exception as error:  # Whatever it is, the test says it.
        answer = {"failed": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
