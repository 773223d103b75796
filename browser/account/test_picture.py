"""The picture on the profile page: how users choose a part of it, save it and remove it."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Page, Route, expect

from browser.account.looks import in_scheme
from browser.account.steps import notice, post, switch_language
from browser.account.test_keyboard import tab_to
from browser.axe import problems
from browser.sign_up import PASSWORD, sign_up
from tests.conftest import SECRET_KEY
from tests.images import BLUE, GREEN, RED, image_of, opened, written
from tests.operations import REGISTER
from tests.servers import Server, free_port, running_server

CAMERA = "Analytical Camera"

# Where the middle square is green, and what is to the left and right of it is not.
WIDE = written(image_of(RED, GREEN, BLUE, size=(900, 300)))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server_with(tmp_path_factory.mktemp("pictures"), PICTURE_LIMIT_PER_USER="3/hour") as it:
        yield it


def server_with(folder: Path, **settings: str) -> Any:
    return running_server(f"sqlite:///{folder / 'gatehouse.db'}", SECRET_KEY, folder, **settings)


def photo() -> bytes:
    """Return a JPEG, red above blue, that is stored lying on its side, with camera and place."""
    upright = image_of(RED, BLUE, size=(800, 600)).transpose(Image.Transpose.ROTATE_270)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x0110] = CAMERA
    exif.get_ifd(0x8825).update({1: "N", 2: (51.0, 30.0, 26.0), 3: "W", 4: (0.0, 7.0, 39.0)})
    lying = upright.transpose(Image.Transpose.ROTATE_90)
    return written(lying, "JPEG", quality=95, exif=exif)


def choose(page: Page, content: bytes, name: str = "ada.png") -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a picture").click()
    type = "image/jpeg" if name.endswith("jpg") else "image/png"
    chooser.value.set_files(FilePayload(name=name, mimeType=type, buffer=content))


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()
    expect(notice(page)).to_have_text("Your picture is saved.")


def shown(page: Page) -> Any:
    """Return the picture that the page shows, as the server has it."""
    image = page.get_by_role("img", name="Your picture")
    expect(image).to_have_js_property("complete", True)
    assert image.evaluate("it => it.naturalWidth") == 256
    address = image.get_attribute("src")
    assert address
    return opened(httpx.get(address).raise_for_status().content)


def color(image: Any, x: float, y: float) -> tuple[int, ...]:
    """Return the nearest primary colour at a place, as parts of the width and the height."""
    at = (int(x * (image.width - 1)), int(y * (image.height - 1)))
    return tuple(255 if part > 127 else 0 for part in image.convert("RGB").getpixel(at))


def test_a_photo_is_shown_upright_and_square_without_its_metadata(page: Page, name: str) -> None:
    content = photo()
    assert CAMERA.encode() in content
    sign_up(page, name)
    choose(page, content, "ada.jpg")
    save(page)
    page.reload()
    image = shown(page)

    assert image.size == (256, 256)
    assert [color(image, 0.5, y) for y in (0.05, 0.4, 0.6, 0.95)] == [RED, RED, BLUE, BLUE]
    assert not image.getexif()
    assert set(image.info) <= {"loop", "background", "timestamp", "duration"}


def test_only_the_square_is_sent(page: Page, name: str) -> None:
    sign_up(page, name)
    choose(page, written(image_of(RED, GREEN, BLUE, size=(6000, 2000))))
    with page.expect_request("**/me/picture") as sent:
        save(page)
    body = sent.value.post_data_buffer or b""

    assert sent.value.headers["content-type"] == "image/webp"
    assert Image.open(BytesIO(body)).size == (1024, 1024)


def test_without_a_picture_the_first_letter_is_shown(page: Page, name: str) -> None:
    sign_up(page, name)

    expect(page.locator(".portrait")).to_have_text("a")
    expect(page.get_by_role("button", name="Remove")).to_have_count(0)


def test_an_image_of_another_server_is_not_loaded(page: Page, name: str) -> None:
    sign_up(page, name)
    page.get_by_label("Picture address").fill("https://example.com/ada.png")
    page.get_by_role("button", name="Save changes").click()
    expect(notice(page)).to_have_text("Your changes are saved.")

    # The page fails if it was requested.
    expect(page.locator(".picture")).to_contain_text("at your picture address")
    expect(page.locator(".portrait")).to_have_text("a")


def test_an_image_of_this_server_is_shown(page: Page, server: Server, name: str) -> None:
    values = {"username": f"{name}2", "email": f"{name}2@example.com", "password": PASSWORD}
    token = post(server, REGISTER, values)["register"]["accessToken"]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "image/png"}
    uploaded = httpx.put(f"{server.url}/me/picture", content=WIDE, headers=headers).json()
    sign_up(page, name)
    page.get_by_label("Picture address").fill(uploaded["picture"])
    page.get_by_role("button", name="Save changes").click()

    assert color(shown(page), 0.5, 0.5) == GREEN
    expect(page.get_by_role("button", name="Remove")).to_have_count(0)


@pytest.mark.parametrize(
    ("keys", "colors"),
    [
        ([], (GREEN, GREEN)),
        (["ArrowLeft"] * 20, (BLUE, BLUE)),
        (["ArrowRight"] * 40, (RED, RED)),
        (["ArrowRight"] * 10, (RED, GREEN)),
        (["ArrowRight"] * 10 + ["+"] * 20 + ["ArrowLeft"] * 20, (GREEN, GREEN)),
        (["+"] * 20 + ["ArrowRight"] * 200 + ["-"] * 30, (RED, RED)),
    ],
    ids=["middle", "right", "left", "between", "zoomed in", "zoomed out"],
)
def test_keys_choose_the_part(page: Page, name: str, keys: list[str], colors: Any) -> None:
    sign_up(page, name)
    choose(page, WIDE)
    expect(page.get_by_role("application")).to_be_focused()
    for key in keys:
        page.keyboard.press(key)
    save(page)
    image = shown(page)

    assert (color(image, 0.05, 0.5), color(image, 0.95, 0.5)) == colors


def test_a_pointer_drags_the_picture_and_the_slider_zooms(page: Page, name: str) -> None:
    sign_up(page, name)
    choose(page, WIDE)
    box = page.get_by_role("application").bounding_box()
    assert box
    x, y = box["x"] + box["width"] * 0.9, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - box["width"] / 2, y, steps=5)
    page.mouse.up()
    page.get_by_label("Zoom").fill("4")
    save(page)
    image = shown(page)

    # The border of green and blue stays in the middle.
    assert (color(image, 0.2, 0.5), color(image, 0.8, 0.5)) == (GREEN, BLUE)


def test_a_file_is_dropped_on_the_section(page: Page, name: str) -> None:
    sign_up(page, name)
    page.locator(".picture").evaluate(
        """(section, content) => {
            const dataTransfer = new DataTransfer();
            const bytes = Uint8Array.from(atob(content), (it) => it.charCodeAt(0));
            dataTransfer.items.add(new File([bytes], "ada.png", { type: "image/png" }));
            section.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer }));
        }""",
        b64encode(WIDE).decode(),
    )
    save(page)

    assert color(shown(page), 0.5, 0.5) == GREEN


def test_the_dialog_is_left_without_a_change(page: Page, name: str) -> None:
    sign_up(page, name)
    choose(page, WIDE)
    expect(page.get_by_role("application")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    choose(page, WIDE)
    page.get_by_role("button", name="Cancel").click()

    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Choose a picture")).to_be_focused()
    expect(page.get_by_role("img", name="Your picture")).to_have_count(0)


def test_a_picture_is_replaced_and_removed(page: Page, name: str) -> None:
    sign_up(page, name)
    choose(page, WIDE)
    save(page)
    former = page.get_by_role("img", name="Your picture").get_attribute("src") or ""
    choose(page, photo(), "ada.jpg")
    save(page)
    assert color(shown(page), 0.5, 0.05) == RED
    assert httpx.get(former).status_code == 404
    page.get_by_role("button", name="Remove the picture").click()
    expect(page.get_by_role("dialog")).to_contain_text("Remove your picture?")
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(notice(page)).to_have_text("Your picture is removed.")
    expect(page.get_by_role("button", name="Choose a picture")).to_be_focused()
    expect(page.locator(".portrait")).to_have_text("a")
    page.reload()

    expect(page.locator(".portrait")).to_have_text("a")


def test_everything_is_done_with_the_keyboard_alone(page: Page, name: str) -> None:
    file = FilePayload(name="ada.png", mimeType="image/png", buffer=WIDE)
    # From the beginning: a key is pressed before a listener that comes just before it is in place.
    page.on("filechooser", lambda chooser: chooser.set_files(file))
    sign_up(page, name)
    expect(page.get_by_role("heading", name="Profile")).to_be_focused()
    tab_to(page, "Choose a picture")
    page.keyboard.press("Enter")
    expect(page.get_by_role("application")).to_be_focused()
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
    tab_to(page, "Zoom")
    page.keyboard.press("End")
    expect(page.get_by_label("Zoom")).to_have_value("4")
    tab_to(page, "Save")
    page.keyboard.press("Enter")
    expect(notice(page)).to_have_text("Your picture is saved.")
    assert color(shown(page), 0.5, 0.5) == BLUE
    tab_to(page, "Remove")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")

    expect(notice(page)).to_have_text("Your picture is removed.")


# ---- Errors ----


def test_a_text_that_is_named_like_a_picture_is_none(page: Page, name: str) -> None:
    sign_up(page, name)
    choose(page, b"This is not a picture.", "ada.jpg")
    alert = page.locator(".picture [role=alert]")
    expect(alert).to_have_text(
        "This file is not a picture that can be read. Choose a JPEG, PNG or WebP file."
    )
    switch_language(page, "Deutsch")

    expect(alert).to_have_text(
        "Diese Datei ist kein lesbares Bild. Wählen Sie eine Datei in JPEG, PNG oder WebP."
    )
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_file_that_is_too_large_for_a_browser_is_not_opened(
    page: Page, name: str, tmp_path: Path
) -> None:
    path = tmp_path / "ada.jpg"
    with path.open("wb") as file:
        file.truncate(64 * 1024 * 1024 + 1)
    sign_up(page, name)
    page.locator("input[type=file]").set_input_files(path)

    expect(page.locator(".picture [role=alert]")).to_have_text(
        "This picture is too large for your browser. Choose a smaller one."
    )


def test_too_many_uploads_say_when_to_try_again(unchecked_page: Page, name: str) -> None:
    page = unchecked_page
    sign_up(page, name)
    for _ in range(3):
        choose(page, WIDE)
        save(page)
    choose(page, WIDE)
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_role("dialog").get_by_role("alert")).to_have_text(
        "Too many attempts. Try again in 60 minutes."
    )


@pytest.mark.parametrize(
    ("status", "english", "german"),
    [
        (413, "This picture is too large for the server.", "zu groß für den Server"),
        (415, "The server does not take pictures of this kind.", "nimmt solche Bilder nicht an"),
        (404, "This server is not set up for this.", "nicht eingerichtet"),
        (429, "Too many attempts. Try again in 60 seconds.", "60 Sekunden"),
        (503, "The server cannot store pictures at the moment.", "gerade keine Bilder"),
        (502, "Something went wrong.", "schiefgegangen"),
        (None, "The server cannot be reached.", "nicht erreichbar"),
    ],
)
def test_what_a_proxy_returns_is_said_in_both_languages(
    unchecked_page: Page, name: str, status: int | None, english: str, german: str
) -> None:
    page = unchecked_page
    sign_up(page, name)
    page.route(
        "**/me/picture",
        lambda route: route.fulfill(status=status, body="<h1>No</h1>") if status else route.abort(),
    )
    choose(page, WIDE)
    page.get_by_role("button", name="Save", exact=True).click()
    alert = page.get_by_role("dialog").get_by_role("alert")
    expect(alert).to_contain_text(english)
    page.locator("footer button", has_text="Deutsch").evaluate("it => it.click()")

    expect(alert).to_contain_text(german)


def test_a_token_that_is_refused_is_refreshed(unchecked_page: Page, name: str) -> None:
    page = unchecked_page
    sign_up(page, name)

    def spoil(route: Route) -> None:
        route.continue_(headers={**route.request.headers, "authorization": "Bearer expired"})

    page.route("**/me/picture", spoil, times=1)
    choose(page, WIDE)
    save(page)

    assert color(shown(page), 0.5, 0.5) == GREEN


# ---- Looks ----


@pytest.mark.parametrize("scheme", ["light", "dark"])
class TestAccessibility:
    @pytest.fixture
    def page_options(self, scheme: str) -> dict[str, Any]:
        return in_scheme(scheme) | {"viewport": {"width": 1280, "height": 800}}

    def test_axe_finds_nothing(self, page: Page, name: str) -> None:
        sign_up(page, name)
        choose(page, WIDE)
        expect(page.get_by_role("application")).to_be_focused()
        found = problems(page)
        save(page)
        found += problems(page)

        assert found == []


class TestOnAPhone:
    @pytest.fixture
    def page_options(self) -> dict[str, Any]:
        return {"viewport": {"width": 390, "height": 740}, "has_touch": True}

    def test_fingers_drag_and_zoom(self, page: Page, name: str) -> None:
        sign_up(page, name)
        choose(page, WIDE)
        expect(page.get_by_role("application")).to_be_focused()
        touch = fingers_on(page)
        touch((0.9, 0.5), (0.5, 0.5), (0.4, 0.5))
        touch(*[(0.5, 0.5, 0.5 + apart, 0.5) for apart in (0.1, 0.2, 0.4)])
        assert page.get_by_label("Zoom").input_value() == "4"
        assert page.evaluate("scrollY") == 0
        save(page)
        image = shown(page)

        assert (color(image, 0.5, 0.5), color(image, 0.97, 0.5)) == (GREEN, BLUE)
        assert page.evaluate("document.documentElement.scrollWidth") == 390


def fingers_on(page: Page) -> Callable[..., None]:
    """Return what moves one finger or two over the preview, by parts of its width and height."""
    box = page.get_by_role("application").bounding_box()
    assert box
    devtools = page.context.new_cdp_session(page)

    def send(type: str, *places: float) -> None:
        points = [
            {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}
            for x, y in zip(places[::2], places[1::2], strict=True)
        ]
        devtools.send("Input.dispatchTouchEvent", {"type": type, "touchPoints": points})

    def touch(*steps: tuple[float, ...]) -> None:
        send("touchStart", *steps[0])
        for step in steps[1:]:
            send("touchMove", *step)
        send("touchEnd")

    return touch


# ---- Settings ----


class TestAtAnotherOrigin:
    """Pictures of a CDN. A page at 127.0.0.1 and pictures at localhost have different origins."""

    @pytest.fixture
    def server(self, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
        port = free_port()
        address = f"http://localhost:{port}/pictures"
        folder = tmp_path_factory.mktemp("cdn")
        with server_with(folder, PORT=str(port), PICTURES_PUBLIC_URL=address) as it:
            yield it

    @pytest.fixture
    def origins(self, server: Server) -> tuple[str, ...]:
        return (server.url, f"http://localhost:{urlsplit(server.url).port}")

    def test_they_are_shown(self, page: Page, name: str) -> None:
        sign_up(page, name)
        choose(page, WIDE)
        save(page)
        image = page.get_by_role("img", name="Your picture")

        assert urlsplit(image.get_attribute("src") or "").hostname == "localhost"
        assert color(shown(page), 0.5, 0.5) == GREEN


class TestOff:
    @pytest.fixture
    def server(self, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
        with server_with(tmp_path_factory.mktemp("off"), PICTURES="off", IMAGE_URLS="false") as it:
            yield it

    def test_neither_the_section_nor_the_field_is_there(self, page: Page, name: str) -> None:
        sign_up(page, name)
        expect(page.get_by_role("button", name="Choose a picture")).to_have_count(0)
        expect(page.get_by_label("Picture address")).to_have_count(0)
        page.get_by_label("Username").fill(f"{name}2")
        page.get_by_role("button", name="Save changes").click()

        expect(notice(page)).to_have_text("Your changes are saved.")
