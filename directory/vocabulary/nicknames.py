"""First names that are one name: short forms that do not begin as the whole name does."""

NICKNAMES = {
    "beth": "elizabeth", "betty": "elizabeth", "bill": "william", "bob": "robert", "bud": "robert",
    "chuck": "charles", "dick": "richard", "hank": "henry", "jack": "john", "jim": "james",
    "kate": "katherine", "liz": "elizabeth", "mike": "michael", "molly": "mary", "nancy": "ann",
    "peggy": "margaret", "polly": "mary", "sally": "sarah", "ted": "edward", "tony": "anthony",
}  # fmt: skip
"""Short forms by themselves, with the whole name of each: common ones of American English."""


def also_called(name: str) -> tuple[str, ...]:
    """A folded first name with the others that it may be: `bob` is `bob`, `robert` and `bud`."""
    whole = NICKNAMES.get(name, name)
    short = (each for each, of in NICKNAMES.items() if of == whole)
    return tuple(dict.fromkeys((name, whole, *short)))
