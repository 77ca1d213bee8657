"""Checks documents: `validate.py openapi [FILE…]`, or `validate.py SCHEMA.json`, from stdin where no file is named. Says what is wrong
and exits with 1."""

import json
import sys

import jsonschema
import openapi_spec_validator
import yaml


def validate(document):
    if sys.argv[1] == "openapi":
        openapi_spec_validator.validate(document)
    else:
        with open(sys.argv[1], encoding="utf-8") as file:
            schema = json.load(file)
        jsonschema.validators.validator_for(schema)(schema).validate(document)


if len(sys.argv) == 2:
    validate(json.load(sys.stdin))
for name in sys.argv[2:]:
    with open(name, encoding="utf-8") as file:
        document = yaml.safe_load(file)
    try:
        validate(document)
    except Exception as error:
        sys.exit(f"{name}: {error}")
