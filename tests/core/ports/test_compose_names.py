"""The name of what runs in a directory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trop_core.ports.compose_names import compose_name, naming_port
from trop_core.ports.made_variables import is_made


@pytest.mark.parametrize(
    ("project", "task", "directory", "expected"),
    [
        ("shop", "login", "/w/x", "shop-login-5000"),
        ("My Shop", "feature/LOGIN_2", "/w/x", "my-shop-feature-login-2-5000"),
        ("shop", None, "/w/x", "shop-5000"),
        (None, "login", "/w/x", "login-5000"),
        (None, None, "/w/My Dir/", "my-dir-5000"),
        ("Café", None, "/w/x", "cafe-5000"),
        ("--", "login", "/w/x", "login-5000"),
        (None, None, "/w/商店", "dir-5000"),
        ("商店", None, "/w/x", "dir-5000"),
        (None, None, "/", "dir-5000"),
    ],
)
def test_a_name_is_a_slug_and_a_port(project: str | None, task: str | None, directory: str, expected: str) -> None:
    assert compose_name(project, task, directory, 5000) == expected


@given(st.none() | st.text(max_size=30), st.none() | st.text(max_size=30), st.text(max_size=30), st.integers(1, 65535))
def test_a_name_is_one_that_compose_takes(project: str | None, task: str | None, directory: str, port: int) -> None:
    name = compose_name(project, task, directory, port)

    assert is_made(name)
    assert name.isascii()
    assert name.endswith(f"-{port}")


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ({"web": 5003, "api": 5001, None: 5000}, 5003),
        ({"api": 5001, None: 5000}, 5001),
        ({"old": 5007, None: 5002}, 5002),
        ({}, None),
    ],
)
def test_a_directory_is_named_by_its_first_stored_service(stored: dict[str | None, int], expected: int | None) -> None:
    assert naming_port(["web", "api", "db"], stored) == expected
