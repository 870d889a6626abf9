"""The API's names → words for people and for generated clients."""

from collections.abc import Iterable


def spaced(name: str) -> str:
    return name.replace("_", " ").replace("-", " ")


def title(name: str) -> str:
    """
    >>> title("time_tracking")
    'Time tracking'
    """
    return spaced(name).capitalize()


def join_camel(names: Iterable[str]) -> str:
    """
    >>> join_camel(["list", "collection", "time_tracking"])
    'listCollectionTimeTracking'
    """
    first, *others = (word for name in names for word in spaced(name).split())
    return first.lower() + "".join(word[:1].upper() + word[1:] for word in others)


def component(name: str) -> str:
    """The name of an object's schema.

    >>> component("order_row")
    'OrderRow'
    """
    return "".join(word.capitalize() for word in name.split("_"))


def singular(name: str) -> str:
    """
    >>> singular("activities"), singular("labels")
    ('activity', 'label')
    """
    return f"{name[:-3]}y" if name.endswith("ies") else name.removesuffix("s")


def plural(name: str) -> str:
    """
    >>> plural("activity"), plural("order row"), plural("status")
    ('activities', 'order rows', 'statuses')
    """
    if name.endswith("y") and name[-2] not in "aeiou":
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith("s") else f"{name}s"
