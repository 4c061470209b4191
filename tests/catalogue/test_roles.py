"""Roles of photos by their names and places."""

import pytest

from pipelines.catalogue.mapping import Photo
from pipelines.catalogue.roles import Roles
from tests.catalogue.mapped import section

PHOTOS = [
    "https://cdn.example/p/1_Front.jpg?v=2", "https://cdn.example/p/1%20Size%20Chart.JPG?width=800&name=logo",
    "logos/acme.png", "p/1-4.jpg", "p/1-5.jpg",
]  # fmt: skip


def roles_of(rules: list[dict[str, object]], **more: object) -> list[str]:
    told = Roles.of(section(roles=rules, **more)).told([Photo(uri, "") for uri in PHOTOS])
    return [photo.role for photo in told]


@pytest.mark.parametrize(
    ("rules", "roles"),
    [
        ([], ["main", "main", "main", "main", "main"]),
        ([{"position": 1, "role": "main"}, {"role": "side"}], ["main", "side", "side", "side", "side"]),
        ([{"position": -1, "role": "last"}], ["main", "main", "main", "main", "last"]),
        ([{"position": 2, "role": "b"}, {"position": -4, "role": "c"}], ["main", "b", "main", "main", "main"]),
        ([{"name": "*size*chart*", "role": "size_chart"}], ["main", "size_chart", "main", "main", "main"]),
        ([{"name": "*.jpg", "role": "jpg"}], ["jpg", "jpg", "main", "jpg", "jpg"]),
        ([{"name": "1-?.jpg", "role": "x"}], ["main", "main", "main", "x", "x"]),
        ([{"name": "*logo*", "role": "logo"}], ["main", "logo", "logo", "main", "main"]),
        ([{"name": "LOGOS/*", "role": "logo"}], ["main", "main", "logo", "main", "main"]),
        ([{"pattern": r"-[45]\.jpe?g$", "role": "x"}], ["main", "main", "main", "x", "x"]),
        ([{"pattern": r"^1.front", "role": "x"}], ["x", "main", "main", "main", "main"]),
        ([{"name": "*.jpg", "position": -1, "role": "x"}], ["main", "main", "main", "main", "x"]),
        (
            [{"name": "*chart*", "role": "chart"}, {"position": 2, "role": "second"}, {"role": "side"}],
            ["side", "chart", "side", "side", "side"],
        ),
    ],
)
def test_the_first_rule_that_fits_counts(rules: list[dict[str, object]], roles: list[str]) -> None:
    assert roles_of(rules) == roles


def test_a_role_that_the_row_names_counts_before_rules() -> None:
    told = Roles.of(section(roles=[{"role": "side"}])).told([Photo("a.jpg", "street"), Photo("b.jpg", "")])
    assert [photo.role for photo in told] == ["street", "side"]


def test_where_no_rule_fits_the_default_counts() -> None:
    assert roles_of([{"position": 1, "role": "main"}], default_role="more") == ["main", *["more"] * 4]


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ({"position": 0, "role": "x"}, "is no place; the first photo is 1, the last one -1"),
        ({"pattern": "*_size*", "role": "x"}, "is no regular expression.*write 'name' for a glob"),
        ({"name": "*"}, "role\n *Field required"),
        ({"role": "x", "glob": "*"}, "Extra inputs"),
    ],
)
def test_what_is_no_rule_is_refused(rule: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=f"(?s){why}"):
        section(roles=[rule])
