"""Records are frozen, say what they hold, and take what was declared and nothing else."""

from __future__ import annotations

import pytest

from trop_core.records import REQUIRED, Declared, Record


class Base(Record):
    """What several have in common."""

    shared: int = Declared(1, "a number that has a default")  # type: ignore[assignment]


class Named(Base):
    """One with a field that has to be given."""

    name: str = Declared(REQUIRED, "a text")  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("empty")


def test_a_record_has_its_bases_fields_first_and_their_defaults() -> None:
    record = Named(name="a")

    assert list(Named.declared) == ["shared", "name"]
    assert (record.shared, record.name) == (1, "a")
    assert repr(record) == "Named(shared=1, name='a')"


@pytest.mark.parametrize("values", [{}, {"name": "a", "other": 1}], ids=["too few", "too many"])
def test_a_record_takes_what_is_declared_and_nothing_else(values: dict[str, object]) -> None:
    with pytest.raises(TypeError, match="Named"):
        Named(**values)  # type: ignore[arg-type]


def test_a_record_is_checked_when_it_is_made_and_made_again() -> None:
    with pytest.raises(ValueError, match="empty"):
        Named(name="")
    with pytest.raises(ValueError, match="empty"):
        Named(name="a")._replace(name="")


def test_a_record_is_equal_to_one_of_its_kind_with_the_same_values() -> None:
    assert Named(name="a") == Named(name="a", shared=1)
    assert hash(Named(name="a")) == hash(Named(name="a"))
    assert Named(name="a") != Named(name="a", shared=2)
    assert Named(name="a")._replace(shared=2) == Named(name="a", shared=2)
    assert Base() != Record()


def test_a_record_stays_as_it_is() -> None:
    record = Named(name="a")

    with pytest.raises(AttributeError, match="frozen"):
        record.name = "b"  # type: ignore[misc]
    with pytest.raises(AttributeError, match="frozen"):
        del record.name

    assert record.name == "a"
