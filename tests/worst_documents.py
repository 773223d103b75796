"""Documents that are as costly to prepare as the limits allow, each in its own way."""

from collections.abc import Callable


def fragments(number: int, body: Callable[[int], str], on: str = "Query") -> str:
    return " ".join(f"fragment f{n} on {on} {{ {body(n)} }}" for n in range(number))


WORST = {
    "inline fragments": "{" + "...{me{id id id}}" * 110 + "}",
    "inline fragments within the limit of tokens": "{" + "...{me{id id}}" * 60 + "}",
    "nested inline fragments": "{" + "...{me{id}" * 60 + "}" * 61,
    "objects of one name": "{" + "me{id me{id}}" * 60 + "}",
    "spreads of spreads": "{...f0 ...f1 me{id}}"
    + fragments(28, lambda n: f"...f{n + 1} ...f{n + 2} me{{id}}")
    + "fragment f28 on Query{me{id}} fragment f29 on Query{me{id}}",
    "fields of one fragment": "{"
    + "".join(f"a{n}:user(id:1){{...f}}" for n in range(40))
    + "}fragment f on PublicUser{"
    + "id username imageFile createdAt " * 8
    + "}",
    "arguments that differ": "{" + "".join(f"user(id:{n}){{id}}" for n in range(45)) + "}",
    "errors after many lines": "\n" * 980 + "{" + " ".join(f"n{n}" for n in range(480)) + "}",
    "errors of many lines": "\n" * 16_000 + "{" + " ".join(f"n{n}" for n in range(100)) + "}",
    "variables of one name": "\n" * 980 + "query(" + "$v:Int " * 120 + "){me{id}}",
    "unknown fields of an input": "mutation{createPost(input:{"
    + " ".join(f"a{n}:1" for n in range(160))
    + "}){id}}",
    "names that are nearly right": "{" + " ".join(f"usernam{n}" for n in range(490)) + "}",
    "unused fragments": "{me{id}}" + fragments(70, lambda n: "id", "User"),
    "unused variables": "query(" + " ".join(f"$v{n}:Int" for n in range(120)) + "){me{id}}",
    "fragments in a circle": "{...f0}" + fragments(60, lambda n: f"...f{(n + 1) % 60}"),
    "directives": "{me" + "@skip(if:true)" * 75 + "{id}}",
    "unknown directives": "{me" + "".join(f"@d{n}" for n in range(240)) + "{id}}",
    "lists in literals": "{user(id:[" + "1 " * 480 + "]){id}}",
    "nested lists": "{user(id:" + "[" * 190 + "]" * 190 + "){id}}",
    "strings": '{user(id:"' + "\\u0041" * 2_600 + '"){id}}',
    "block strings": '{user(id:["' + '""a\n b""" """' * 200 + '"]){id}}',
    "a long number": "{user(id:1." + "1" * 16_000 + "){id}}",
    "long names": "{" + " ".join(f"n{n}" + "x" * 300 for n in range(50)) + "}",
    "comments": "{me{id}}#" + "x" * 16_000,
}
