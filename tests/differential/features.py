"""What of `JwtAuthentication` our filter takes, as a table: what is off is not generated, and a test asks whether it is
still refused, so that nobody forgets to switch it on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Message = dict[str, Any]


@dataclass(frozen=True)
class Feature:
    """A field or a value. `probe` puts it into a message that both filters take without it."""

    name: str
    supported: bool
    probe: Callable[[Message], None]


def _in_provider(**fields: Any) -> Callable[[Message], None]:
    def change(message: Message) -> None:
        next(iter(message["providers"].values())).update(fields)

    return change


def _in_match(**fields: Any) -> Callable[[Message], None]:
    def change(message: Message) -> None:
        message["rules"][0]["match"].update(fields)

    return change


def _instead_of_prefix(**fields: Any) -> Callable[[Message], None]:
    def change(message: Message) -> None:
        message["rules"][0]["match"] = fields

    return change


def _as_requirement(requirement: Any) -> Callable[[Message], None]:
    def change(message: Message) -> None:
        message["rules"][0]["requires"] = requirement

    return change


def template(path_template: str) -> Message:
    """A `path_match_policy`."""
    kind = "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig"
    return {
        "name": "envoy.path.match.uri_template.uri_template_matcher",
        "typed_config": {"@type": kind, "path_template": path_template},
    }


_EXACT = {"exact": "x"}
FEATURES = {
    feature.name: feature
    for feature in (
        Feature("subjects", True, _in_provider(subjects={"prefix": "user-"})),
        Feature("from_cookies", True, _in_provider(from_cookies=["session"])),
        Feature("jwt_cache_config", True, _in_provider(jwt_cache_config={"jwt_cache_size": 100})),
        Feature("safe_regex", True, _instead_of_prefix(safe_regex={"regex": "/.*"})),
        Feature("path_match_policy", True, _instead_of_prefix(path_match_policy=template("/a/{b}"))),
        Feature("connect_matcher", True, _instead_of_prefix(connect_matcher={})),
        Feature("match.headers", True, _in_match(headers=[{"name": "x-a", "string_match": _EXACT}])),
        Feature("match.query_parameters", True, _in_match(query_parameters=[{"name": "a", "string_match": _EXACT}])),
        Feature("extract_only_without_validation", True, _as_requirement({"extract_only_without_validation": {}})),
        Feature(
            "claim_path",
            True,
            _in_provider(claim_to_headers=[{"header_name": "x-a", "claim_path": [{"key": "a.b"}, {"key": "c"}]}]),
        ),
    )
}


def supported(name: str) -> bool:
    """Whether a feature may be generated. What is not in the table has been there from the start."""
    return name not in FEATURES or FEATURES[name].supported
