"""Judges what a bundle says of itself with the programs of others: spdx-tools, in-toto-attestation, jsonschema.

evidence.py BUNDLE: holds the bill of materials against the overlay, and the statement against the files. Prints what it
counted, and ends with 1 and a line for each fault.
"""

import base64
import glob
import hashlib
import json
import os
import sys
import tarfile
from pathlib import Path

import google.protobuf.json_format as protobuf_json
import jsonschema
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from spdx_tools.spdx.model import RelationshipType
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

faults = []


def only(pattern):
    names = glob.glob(os.path.join(sys.argv[1], pattern))
    if len(names) != 1:
        sys.exit(f"{pattern}: {len(names)} files instead of one")
    return names[0]


def demand(is_right, text):
    if not is_right:
        faults.append(text)


def digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def canonical(path):
    text = Path(path).read_text(encoding="utf-8")
    value = json.loads(text)
    again = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    # Python writes an empty list as [], as the file does.
    demand(text == again, f"{path}: is not canonical")
    return value


def judge_bill(path):
    canonical(path)
    document = parse_file(path)
    for message in validate_full_spdx_document(document):
        faults.append(f"{path}: {message.validation_message}")
    packages = {package.spdx_id: package for package in document.packages}
    overlay = packages["SPDXRef-Overlay"]
    listed = {file.name: {c.algorithm.name: c.value for c in file.checksums} for file in document.files}
    code = hashlib.sha1("".join(sorted(c["SHA1"] for c in listed.values())).encode()).hexdigest()
    demand(overlay.verification_code.value == code, "the verification code is another one")
    secrets = set(overlay.verification_code.excluded_files)
    for path in secrets:
        demand(f"secret, digest omitted: {path}" in overlay.comment, f"{path}: is not said to be a secret")
    with tarfile.open(only("*.apkovl.tar.gz")) as archive:
        members = [member for member in archive if member.isfile()]
        for member in members:
            name = "./" + member.name.removeprefix("./")
            data = archive.extractfile(member).read()
            if name in secrets:
                demand(name not in listed, f"{name}: is a secret and listed")
                continue
            found = listed.pop(name, {})
            demand(found.get("SHA1") == hashlib.sha1(data).hexdigest(), f"{name}: has another SHA-1")
            demand(found.get("SHA256") == hashlib.sha256(data).hexdigest(), f"{name}: has another SHA-256")
    demand(not listed, f"not in the overlay: {sorted(listed)}")
    for package in packages.values():
        for name in [package.file_name] if package.file_name else []:
            sums = {c.algorithm.name: c.value for c in package.checksums}
            demand(sums.get("SHA256") == digest(os.path.join(sys.argv[1], name)), f"{name}: has another SHA-256")
    related = {r.related_spdx_element_id for r in document.relationships if r.relationship_type == RelationshipType.CONTAINS}
    for name in packages:
        demand(name == "SPDXRef-Bundle" or name in related, f"{name}: nothing contains it")
    apk = [p for p in document.packages if p.spdx_id.startswith("SPDXRef-Package-")]
    demand(all(p.external_references[0].locator.startswith("pkg:apk/") for p in apk), "a package without a package URL")
    print(f"packages {len(apk)} files {len(document.files)} secrets {len(secrets)}")


def judge_statement(path):
    value = canonical(path)
    schema = json.loads((Path(__file__).parent / "provenance.schema.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    for error in validator.iter_errors(value):
        faults.append(f"{path}: {error.json_path}: {error.message}")
    message = protobuf_json.ParseDict(value, statement_pb2.Statement())
    Statement.copy_from_pb(message).validate()
    manifest = json.loads(Path(only("manifest.json")).read_text(encoding="utf-8"))
    artefacts = {a["file"]: a["sha256"] for a in manifest["artefacts"] if a["role"] != "provenance"}
    subjects = {s["name"]: s["digest"]["sha256"] for s in value["subject"]}
    demand(subjects == artefacts, f"{path}: its subjects are not the artefacts")
    definition = value["predicate"]["buildDefinition"]
    demand(definition["externalParameters"]["recipe"]["sha256"] == manifest["recipe"], "names another recipe")
    demand(definition["externalParameters"]["epoch"] == manifest["epoch"], "names another epoch")
    used = {d["digest"]["sha256"] for d in definition["resolvedDependencies"]}
    demand({i["sha256"] for i in manifest["inputs"]} <= used, "lacks an input of the manifest")
    print(f"subjects {len(subjects)} dependencies {len(used)}")


def judge_envelope(path, statement):
    envelope = json.loads(Path(path).read_text(encoding="utf-8"))
    demand(envelope["payloadType"] == "application/vnd.in-toto+json", "the envelope has another payload type")
    demand(base64.b64decode(envelope["payload"]) == Path(statement).read_bytes(), "the envelope holds another statement")
    demand(len(envelope["signatures"]) == 1, "the envelope has not one signature")


judge_bill(only("*.spdx.json"))
judge_statement(only("*.provenance.json"))
for name in glob.glob(os.path.join(sys.argv[1], "*.intoto.jsonl")):
    judge_envelope(name, only("*.provenance.json"))
for fault in faults:
    print(fault, file=sys.stderr)
sys.exit(1 if faults else 0)
