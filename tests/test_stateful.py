"""After any sequence of operations, the API and a small model in Python have the same data."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from api.app import create_app
from domain import usernames
from tests import databases
from tests.conftest import DATABASES, client_of, settings_for
from tests.operations import (
    CREATE_POST,
    DELETE_ME,
    DELETE_POST,
    LOGIN,
    LOGOUT_EVERYWHERE,
    ME,
    POST,
    POSTS,
    REFRESH,
    REGISTER,
    UPDATE_POST,
)
from tests.posts import titles
from tests.users import Answer, GraphQL

# Few names, some of which have the same key.
names = strategies.sampled_from(["ada", "ADA", "grace", "linus", "1inus", "margaret"])
passwords = strategies.sampled_from(["analytical engine", "nanoseconds of wire"])
texts = strategies.text(min_size=1, max_size=20).filter(
    lambda text: text.strip() and text.isprintable()
)
picks = strategies.integers(min_value=0, max_value=50)


class Gatehouse(RuleBasedStateMachine):
    """The API over HTTP, and its model: users by their names' keys, and posts, newest first."""

    def __init__(self, database_url: str) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.app = create_app(settings_for(database_url))
        self.graphql = GraphQL(client_of(self.app))
        self.users: dict[str, dict[str, str]] = {}
        self.posts: list[dict[str, str]] = []

    def teardown(self) -> None:
        self.run(self.graphql.client.aclose())
        self.run(self.app.state.gatehouse.services.close())
        self.runner.close()

    def run(self, answer: Any) -> Any:
        return self.runner.run(answer)

    def user(self, pick: int) -> dict[str, str]:
        return list(self.users.values())[pick % len(self.users)]

    def post(self, pick: int) -> dict[str, str]:
        return self.posts[pick % len(self.posts)]

    @rule(name=names, password=passwords)
    def register(self, name: str, password: str) -> None:
        email = f"{name}@example.com"
        answer = self.run(self.graphql(REGISTER, username=name, email=email, password=password))
        key = usernames.key(name)
        assert key is not None
        if key in self.users:
            assert answer.code == "USERNAME_TAKEN"
            return
        token = answer.data["register"]
        self.users[key] = {
            "id": token["user"]["id"],
            "name": name,
            "email": email.lower(),
            "password": password,
            "token": token["accessToken"],
            "refresh": token["refreshToken"],
        }

    @rule(name=names, by_email=strategies.booleans(), password=passwords)
    def log_in(self, name: str, by_email: bool, password: str) -> None:
        login = f"{name}@example.com" if by_email else name
        answer = self.run(self.graphql(LOGIN, username=login, password=password))
        found = [
            user
            for key, user in self.users.items()
            if (user["email"] == login.lower() if by_email else key == usernames.key(name))
        ]
        if found and found[0]["password"] == password:
            token = answer.data["login"]
            assert token["user"]["id"] == found[0]["id"]
            found[0]["token"], found[0]["refresh"] = token["accessToken"], token["refreshToken"]
        else:
            assert answer.code == "INVALID_CREDENTIALS"

    @precondition(lambda self: self.users)
    @rule(pick=picks)
    def refresh(self, pick: int) -> None:
        user = self.user(pick)
        token = self.run(self.graphql(REFRESH, token=user["refresh"])).data["refresh"]
        assert token["user"]["id"] == user["id"]
        user["token"], user["refresh"] = token["accessToken"], token["refreshToken"]

    @precondition(lambda self: self.users)
    @rule(pick=picks)
    def log_out_everywhere_and_in_again(self, pick: int) -> None:
        user = self.user(pick)
        self.run(self.graphql(LOGOUT_EVERYWHERE, by=user["token"]))
        assert self.run(self.graphql(ME, by=user["token"])).code == "UNAUTHENTICATED"
        assert self.run(self.graphql(REFRESH, token=user["refresh"])).code == "UNAUTHENTICATED"
        self.log_in(user["name"], by_email=False, password=user["password"])

    @precondition(lambda self: self.users)
    @rule(pick=picks)
    def delete_account(self, pick: int) -> None:
        user = self.user(pick)
        self.run(self.graphql(DELETE_ME, by=user["token"], password=user["password"]))
        self.users = {k: other for k, other in self.users.items() if other is not user}
        self.posts = [post for post in self.posts if post["author"] != user["id"]]

    @precondition(lambda self: self.users)
    @rule(pick=picks, title=texts, content=texts)
    def publish(self, pick: int, title: str, content: str) -> None:
        author = self.user(pick)
        text = {"title": title, "content": content}
        answer = self.run(self.graphql(CREATE_POST, by=author["token"], input=text))
        post = answer.data["createPost"]
        assert post["author"] == {"id": author["id"], "username": author["name"]}
        self.posts.insert(0, {"id": post["id"], "author": author["id"], **text})

    @precondition(lambda self: self.posts)
    @rule(pick=picks, editor=picks, title=texts)
    def edit(self, pick: int, editor: int, title: str) -> None:
        post, user = self.post(pick), self.user(editor)
        text = {"title": title, "content": post["content"]}
        answer = self.run(self.graphql(UPDATE_POST, by=user["token"], id=post["id"], input=text))
        if self.is_allowed(user, post, answer):
            post["title"] = title

    @precondition(lambda self: self.posts)
    @rule(pick=picks)
    def read(self, pick: int) -> None:
        post = self.post(pick)
        answer = self.run(self.graphql(POST, id=post["id"]))
        [author] = [user for user in self.users.values() if user["id"] == post["author"]]
        assert answer.data["post"] == {
            "id": post["id"],
            "title": post["title"],
            "content": post["content"],
            "author": {"username": author["name"]},
        }

    @precondition(lambda self: self.posts)
    @rule(pick=picks, remover=picks)
    def remove(self, pick: int, remover: int) -> None:
        post, user = self.post(pick), self.user(remover)
        answer = self.run(self.graphql(DELETE_POST, by=user["token"], id=post["id"]))
        if self.is_allowed(user, post, answer):
            self.posts.remove(post)
            assert self.run(self.graphql(POST, id=post["id"])).data == {"post": None}

    @rule(size=strategies.integers(min_value=1, max_value=5))
    def page_through_everything(self, size: int) -> None:
        assert self.all_pages(size) == [post["title"] for post in self.posts]

    @precondition(lambda self: self.users)
    @rule(pick=picks, size=strategies.integers(min_value=1, max_value=5))
    def page_through_one_author(self, pick: int, size: int) -> None:
        author = self.user(pick)["id"]
        theirs = [post["title"] for post in self.posts if post["author"] == author]
        assert self.all_pages(size, author=author) == theirs

    def all_pages(self, size: int, **arguments: str) -> list[str]:
        found: list[str] = []
        after = None
        while True:
            page = self.run(self.graphql(POSTS, first=size, after=after, **arguments)).data["posts"]
            found += titles(page)
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                return found

    def is_allowed(self, user: dict[str, str], post: dict[str, str], answer: Answer) -> bool:
        if user["id"] == post["author"]:
            assert answer.errors == []
            return True
        assert answer.code == "FORBIDDEN"
        return False


@pytest.fixture(params=DATABASES)
def new_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], str]:
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("migrated_sqlite")
        return lambda: databases.copy_of(template, tmp_path_factory.mktemp("model"))
    url: str = request.getfixturevalue("migrated_postgres")
    return lambda: databases.without_users(url)


def test_whatever_users_do_the_api_and_a_model_agree(new_database: Callable[[], str]) -> None:
    class OnThisDatabase(Gatehouse):
        def __init__(self) -> None:
            super().__init__(new_database())

    run_state_machine_as_test(
        OnThisDatabase,
        settings=settings(
            max_examples=20,
            stateful_step_count=30,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
