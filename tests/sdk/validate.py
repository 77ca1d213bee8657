"""Checks a document from stdin: `validate.py openapi`, or `validate.py SCHEMA.json`. Says what is wrong and exits with 1."""

import json
import sys

import jsonschema
import openapi_spec_validator

document = json.load(sys.stdin)
if sys.argv[1] == "openapi":
    openapi_spec_validator.validate(document)
else:
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.validators.validator_for(schema)(schema).validate(document)
