"""X-Ray: sampling rules and their tags.

https://docs.aws.amazon.com/xray/latest/api/API_CreateSamplingRule.html
"""

import json
import time

from moto.xray.responses import XRayResponse as Response
from moto.xray.urls import url_paths

from .tags import PerRegion

_tags = PerRegion()
_rules = {}


def add():
    actions = (
        create_sampling_rule,
        get_sampling_rules,
        update_sampling_rule,
        delete_sampling_rule,
        list_tags_for_resource,
        tag_resource,
        untag_resource,
    )
    for action in actions:
        setattr(Response, action.__name__, action)
        path = "".join(word.capitalize() for word in action.__name__.split("_"))
        url_paths[f"{{0}}/{path}$"] = Response.dispatch


def create_sampling_rule(self):
    backend, rule = self.xray_backend, self._get_param("SamplingRule")
    name = rule["RuleName"]
    if name in _rules_of(self):
        return self._error("InvalidRequestException", f"There is a sampling rule {name}.")
    arn = f"arn:aws:xray:{backend.region_name}:{backend.account_id}:sampling-rule/{name}"
    rule = {"Attributes": {}, **rule, "RuleARN": arn}
    record = {"SamplingRule": rule, "CreatedAt": time.time(), "ModifiedAt": time.time()}
    _rules_of(self)[name] = record
    _add_tags(self, arn, self._get_param("Tags") or [])
    return json.dumps({"SamplingRuleRecord": record})


def get_sampling_rules(self):
    return json.dumps({"SamplingRuleRecords": list(_rules_of(self).values())})


def update_sampling_rule(self):
    changes = self._get_param("SamplingRuleUpdate")
    record = _find(self, changes)
    if record is None:
        return _not_found(self)
    record["SamplingRule"].update({name: value for name, value in changes.items() if value is not None})
    record["ModifiedAt"] = time.time()
    return json.dumps({"SamplingRuleRecord": record})


def delete_sampling_rule(self):
    record = _find(self, self.request_params)
    if record is None:
        return _not_found(self)
    del _rules_of(self)[record["SamplingRule"]["RuleName"]]
    _tags.of(self.xray_backend).forget(record["SamplingRule"]["RuleARN"])
    return json.dumps({"SamplingRuleRecord": record})


def list_tags_for_resource(self):
    tags = _tags.of(self.xray_backend).of(self._get_param("ResourceARN"))
    return json.dumps({"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]})


def tag_resource(self):
    _add_tags(self, self._get_param("ResourceARN"), self._get_param("Tags"))
    return json.dumps({})


def untag_resource(self):
    _tags.of(self.xray_backend).remove(self._get_param("ResourceARN"), self._get_param("TagKeys"))
    return json.dumps({})


def _rules_of(response):
    backend = response.xray_backend
    return _rules.setdefault((backend.account_id, backend.region_name), {})


def _find(response, named):
    """The record of the rule that a request names by its name or its ARN."""
    wanted = {named.get("RuleName"), named.get("RuleARN")} - {None}
    records = _rules_of(response).values()
    return next((it for it in records if wanted & {it["SamplingRule"]["RuleName"], it["SamplingRule"]["RuleARN"]}), None)


def _not_found(response):
    return response._error("InvalidRequestException", "There is no such sampling rule.")


def _add_tags(response, arn, tags):
    _tags.of(response.xray_backend).of(arn).update({tag["Key"]: tag["Value"] for tag in tags})
