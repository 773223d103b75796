"""The limits refuse no document that developers and their tools send."""

import itertools
import re
from collections.abc import Iterator

from graphql import OperationDefinitionNode, get_introspection_query

from tests import operations
from tests.documents import PREPARATION, empty_cache
from tests.paths import ROOT

# The largest pages, in any variable that is the size of one.
VARIABLES = dict.fromkeys(("first", "outer", "inner"), 100)

POST = "id title createdAt updatedAt author { __typename id username imageFile createdAt }"
PAGE = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
SESSION = "id isCurrent method device ip createdAt lastUsedAt expiresAt"
EVENT = "id kind createdAt device ip sessionId"
TOKEN = "accessToken expiresIn refreshToken user { id username email }"
USER = "__typename id username imageFile createdAt"

BY_HAND = {
    "a page of 100 posts without content": (
        f"{{ posts(first: 100) {{ edges {{ cursor node {{ {POST} }} }} {PAGE} }} }}"
    ),
    "a page of 50 posts with content": (
        f"{{ posts(first: 50) {{ edges {{ cursor node {{ content {POST} }} }} {PAGE} }} }}"
    ),
    "all of an account": (
        f"{{ me {{ {USER} email sessions {{ {SESSION} }} securityEvents(first: 100) {{"
        f" edges {{ cursor node {{ {EVENT} }} }} {PAGE} }} }} }}"
    ),
    "users by their ids": (
        "{" + " ".join(f'u{n}: user(id: "{n}") {{ {USER} }}' for n in range(30)) + "}"
    ),
    "a fragment in every place": (
        f"query {{ me {{ ...U }} posts(first: 20) {{ edges {{ node {{ author {{ ...U }} }} }} }} }}"
        f" fragment U on User {{ {USER} }}"
    ),
    "components that select what they need": (
        "{ me {"
        + " ".join(f"...F{n}" for n in range(15))
        + "} }"
        + " ".join(
            f"fragment F{n} on PrivateUser {{ id username {field} }}"
            for n, field in enumerate(["email", "imageFile", "createdAt"] * 5)
        )
    ),
    "a page of a blog": (
        f"query Page($id: ID!, $first: Int) {{ me {{ {USER} }} user(id: $id) {{ {USER}"
        f" posts(first: $first) {{ edges {{ cursor node {{ {POST} }} }} {PAGE} }} }}"
        f" posts(first: 10) {{ edges {{ node {{ {POST} content }} }} {PAGE} }} }}"
    ),
}


def introspections() -> Iterator[tuple[str, str]]:
    """Yield the introspection of GraphiQL, Apollo Sandbox, Postman, codegen and others: that of
    graphql-js, with any of its options, and with up to 15 levels of types."""
    options = (
        "descriptions",
        "specified_by_url",
        "directive_is_repeatable",
        "schema_description",
        "input_value_deprecation",
        "one_of",
    )
    for values in itertools.product((False, True), repeat=len(options)):
        chosen = dict(zip(options, values, strict=True))
        for depth in (7, 9, 15) if all(values) else (9,):
            name = f"introspection {depth} {[option for option in chosen if chosen[option]]}"
            yield name, get_introspection_query(type_depth=depth, **chosen)


def documents_of_the_frontends() -> Iterator[tuple[str, str]]:
    """Yield the documents in the TypeScript of `web`."""
    files = [
        file
        for pattern in ("*.ts", "*.tsx", "*.html")
        for file in (ROOT / "web").rglob(pattern)
        if "node_modules" not in file.parts and "dist" not in file.parts
    ]
    for file in files:
        source = file.read_text()
        for name, value in re.findall(r'^const (\w+) = "([^"]*)";', source, re.M):
            source = source.replace(f"${{{name}}}", value)
        for text in re.findall(r"`([^`]*)`", source):
            if re.match(r"(\s|#.*\n)*(query|mutation|fragment)\b[^{]*\{", text):
                # Directives of Relay's compiler never reach a server.
                if "@argumentDefinitions" in text:
                    text = re.sub(r": \$\w+", ": null", text)
                without_directives = re.sub(r"@\w+\([^)]*\)", "", text)
                yield f"{file.name}: {text[:40]}", without_directives.replace("${TOKEN}", TOKEN)


def documents_of_the_pages() -> Iterator[tuple[str, str]]:
    for file in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for text in re.findall(r"^```graphql\n(.*?)^```", file.read_text(), re.M | re.S):
            yield f"{file.name}: {text[:40]}", text


DOCUMENTS = {
    **BY_HAND,
    **{name: text for name, text in vars(operations).items() if name.isupper()},
    **dict(introspections()),
    **dict(documents_of_the_frontends()),
    **dict(documents_of_the_pages()),
}


def complete(text: str) -> str:
    """Return a document with an operation: Relay puts each fragment with its operation."""
    on = re.match(r"\s*fragment (\w+) on Query", text)
    return f"{text} query {{ ...{on[1]} }}" if on and "query" not in text else text


def test_there_are_documents_from_everywhere() -> None:
    assert len(dict(documents_of_the_frontends())) > 12
    assert len(dict(documents_of_the_pages())) > 4


def test_no_ordinary_document_is_refused() -> None:
    fragments = {
        match[1]: text
        for text in DOCUMENTS.values()
        if (match := re.match(r"\s*fragment (\w+) on", text))
    }
    refused = {}
    for name, document in DOCUMENTS.items():
        text = complete(document)
        for spread in set(re.findall(r"\.\.\.(\w+)", text)) & fragments.keys():
            if f"fragment {spread} on" not in text:
                text += fragments[spread]
        documents = empty_cache()
        read = documents.read(text, PREPARATION)
        for node in read.node.definitions:
            if isinstance(node, OperationDefinitionNode):
                operation = read.operation(node.name.value if node.name else None)
                if problems := documents.check(read, operation, VARIABLES, PREPARATION):
                    refused[name] = problems

    assert refused == {}
