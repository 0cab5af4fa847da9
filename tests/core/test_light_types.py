"""What stands for ``typing`` at run time does what the program asks of that."""

from __future__ import annotations

import collections
import copy
import enum
import pickle
import types
import typing

import pytest

from trop_core.light_types import Any, Enum, Literal, NamedTuple, Words


class Light(NamedTuple):
    """Two names, one of them with a default."""

    first: int
    second: str | None = None

    @property
    def both(self) -> str:
        """Something of its own."""
        return f"{self.first} {self.second}"


class Real(typing.NamedTuple):
    """The same, as ``typing`` makes it."""

    first: int
    second: str | None = None


class Empty(NamedTuple):
    """No names."""


class Changed(Light):
    """A class below."""


@pytest.mark.parametrize("fields", [((1,), {}), ((1, "a"), {}), ((1,), {"second": "a"}), ((), {"first": 1})], ids=str)
def test_a_tuple_is_made_as_typing_makes_it(fields: tuple[tuple[Any, ...], dict[str, Any]]) -> None:
    places, names = fields

    light, real = Light(*places, **names), Real(*places, **names)

    assert tuple(light) == tuple(real)
    assert light == tuple(light)
    assert (light.first, light.second) == (real.first, real.second)
    assert repr(light).removeprefix("Light") == repr(real).removeprefix("Real")
    assert light._asdict() == real._asdict()
    assert tuple(light._replace(second="b")) == tuple(real._replace(second="b"))
    assert light._replace() == light
    assert type(light._replace()) is Light
    with pytest.raises(ValueError, match="Got unexpected field names: \\['third'\\]"):
        light._replace(first=1, third=2)  # type: ignore[call-arg]
    assert (copy.copy(light), pickle.loads(pickle.dumps(light))) == (light, light)
    assert hash(light) == hash(real)


@pytest.mark.parametrize(
    "fields",
    [((), {}), ((1, "a", 2), {}), ((1,), {"third": 1}), ((1,), {"first": 1})],
    ids=["too few", "too many", "unknown", "twice"],
)
def test_what_no_tuple_is_made_of_is_refused_as_typing_does(fields: tuple[tuple[Any, ...], dict[str, Any]]) -> None:
    places, names = fields
    refusals = []

    for kind in (Light, Real):
        with pytest.raises(TypeError) as refusal:
            kind(*places, **names)
        refusals.append(str(refusal.value).removeprefix(f"{kind.__name__}."))

    assert refusals[0] == refusals[1] != ""


@pytest.mark.parametrize("count", range(12))
def test_a_tuple_of_any_length_is_made_as_typing_makes_it(count: int) -> None:
    names = [f"field_{chr(ord('z') - number)}" for number in range(count)]
    last = names[-1:]
    declared = {"__annotations__": dict.fromkeys(names, int), **dict.fromkeys(last, -1)}
    light: Any = types.new_class("Some", (NamedTuple,), exec_body=lambda namespace: namespace.update(declared))
    make_real: Any = collections.namedtuple  # noqa: PYI024 - its names are known here alone
    real = make_real("Some", names, defaults=[-1 for _ in last])

    values = dict(zip(names, range(count), strict=True))

    assert tuple(light(*range(count))) == tuple(light(**values)) == tuple(range(count))
    assert repr(light(**values)) == repr(real(**values))
    assert tuple(light(*range(count - len(last)))) == tuple(real(*range(count - len(last))))
    with pytest.raises(TypeError, match=r"^Some\.__new__\(\) takes "):
        light(*range(count + 1))


def test_a_class_is_what_typing_makes_of_it() -> None:
    for attribute in ("_fields", "_field_defaults", "__match_args__", "__slots__", "__bases__", "__class__"):
        assert getattr(Light, attribute) == getattr(Real, attribute)
    assert typing.get_type_hints(Light) == typing.get_type_hints(Real)
    assert Light(1, "a").both == "1 a"
    assert not hasattr(Light(1), "__dict__")
    assert Empty() == ()
    assert type(Changed(1)._replace(first=2)) is type(Changed._make((1, "a"))) is Changed
    with pytest.raises(AttributeError):
        Light(1).first = 2  # type: ignore[misc]
    with pytest.raises(ValueError, match="third"):
        Light(1)._replace(third=3)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="Expected 2 arguments, got 1"):
        Light._make((1,))


class LightState(Enum):
    """Two states."""

    ON = "on"
    OFF = "off"

    @property
    def other(self) -> str:
        """Something of its own."""
        return "off" if self is LightState.ON else "on"


class RealState(enum.Enum):
    """The same, as ``enum`` makes it."""

    ON = "on"
    OFF = "off"


def test_there_is_one_of_each_state_as_enum_has_it() -> None:
    assert [(state.name, state.value) for state in LightState] == [(state.name, state.value) for state in RealState]
    assert [str(state).partition(".")[2] for state in LightState] == [
        str(state).partition(".")[2] for state in RealState
    ]
    assert repr(LightState.ON).removeprefix("<Light") == repr(RealState.ON).removeprefix("<Real")
    assert (
        LightState("on") is copy.deepcopy(LightState.ON) is pickle.loads(pickle.dumps(LightState.ON)) is LightState.ON
    )
    assert LightState("on").other == "off"
    assert len({LightState.ON, LightState.OFF, LightState("off")}) == 2
    for kind in (LightState, RealState):
        with pytest.raises(ValueError, match=r"'no' is not a valid .*State"):
            kind("no")


def test_words_become_those_of_typing_beside_something_else() -> None:
    words: Any = Literal["a", "b"]
    beside: Any = words | None

    assert isinstance(words, Words)
    assert beside == typing.Optional[typing.Literal["a", "b"]]  # noqa: UP045 - compared as an object
