import assert from "node:assert/strict";
import { test } from "node:test";
import { returnAddress } from "./returnAddress";

const SELF = "https://accounts.example.com";
const ALLOWED = ["https://app.example.com", "http://localhost:5173", "capacitor://localhost"];

const FOLLOWED = [
  ["/", `${SELF}/`],
  ["/account/sessions", `${SELF}/account/sessions`],
  ["/a?next=%2Fb%2F..#c", `${SELF}/a?next=%2Fb%2F..#c`],
  ["/a@b:c", `${SELF}/a@b:c`],
  [SELF, `${SELF}/`],
  [`${SELF}/x`, `${SELF}/x`],
  ["https://app.example.com", "https://app.example.com/"],
  ["https://app.example.com/inbox?a=b#c", "https://app.example.com/inbox?a=b#c"],
  ["https://app.example.com?a=b", "https://app.example.com/?a=b"],
  ["https://app.example.com#a", "https://app.example.com/#a"],
  ["https://app.example.com/%E2%82%AC", "https://app.example.com/%E2%82%AC"],
  ["http://localhost:5173/", "http://localhost:5173/"],
] as const;

const REFUSED = [
  null,
  "",
  " ",
  "account/sessions",
  "evil.example",
  // Another origin.
  "https://evil.example",
  "https://evil.example/https://app.example.com",
  "https://evil.example?https://app.example.com/",
  "https://evil.example#https://app.example.com/",
  "https://evil.app.example.com/",
  "https://app.example.com.evil.example/",
  "https://app.example.comevil.example/",
  "https://app.example.com-evil.example/",
  "https://app.example.com./",
  // Another scheme or port.
  "http://app.example.com/",
  "https://app.example.com:8443/",
  "http://localhost:51733/",
  "http://localhost/",
  "capacitor://localhost/",
  "javascript:alert(1)",
  "JavaScript://app.example.com/%0aalert(1)",
  "data:text/html,x",
  "blob:https://app.example.com/1",
  "view-source:https://app.example.com/",
  // Not as browsers write it.
  "HTTPS://app.example.com/",
  "https://APP.example.com/",
  "https://app.example.com:443/",
  "https:app.example.com/",
  "https:/app.example.com/",
  "https:///app.example.com/",
  "https://аpp.example.com/",
  "https://app.example。com/",
  // Userinfo.
  "https://app.example.com@evil.example/",
  "https://app.example.com:pass@evil.example/",
  "https://app.example.com%40evil.example/",
  "https://user@app.example.com/",
  "https://user:pass@app.example.com/",
  "https://@app.example.com/",
  "//user@evil.example",
  // Slashes and backslashes.
  "//evil.example",
  "///evil.example",
  "////evil.example",
  "/\\evil.example",
  "\\\\evil.example",
  "\\/evil.example",
  "https:\\\\app.example.com\\",
  "https://app.example.com\\@evil.example/",
  "https://app.example.com\\.evil.example/",
  "/a\\b",
  // Blanks and controls, which browsers remove.
  "/\t/evil.example",
  "/\n/evil.example",
  "\t//evil.example",
  " https://evil.example",
  " https://app.example.com/",
  "https://app.example.com /",
  "https://app.example.com\n.evil.example/",
  "java\nscript:alert(1)",
  "/\u0000/evil.example",
  "/\u3000/evil.example",
  "/∕evil.example",
  // Encoded.
  "/%2fevil.example",
  "/%2F%2Fevil.example",
  "/%5cevil.example",
  "/%5C%5Cevil.example",
  "/%252f%252fevil.example",
  "/%09/evil.example",
  "/%0d%0aLocation:%20https://evil.example",
  "/%00",
  "/a/%2e%2e/%2e%2e//evil.example",
  "%2f%2fevil.example",
  "https%3A%2F%2Fevil.example",
  "https://app.example.com/%2f%2fevil.example",
  "https://app.example.com%2f@evil.example/",
  // Too long.
  `/${"a".repeat(2048)}`,
];

for (const [text, address] of FOLLOWED) {
  test(`${text} is followed`, () => {
    assert.equal(returnAddress(text, SELF, ALLOWED)?.href, address);
  });
}

for (const text of REFUSED) {
  test(`${JSON.stringify(text)?.slice(0, 80)} is refused`, () => {
    assert.equal(returnAddress(text, SELF, ALLOWED), undefined);
  });
}

test("a path of dots that leads to // stays on this origin", () => {
  assert.equal(returnAddress("/a/..//evil.example", SELF, ALLOWED)?.origin, SELF);
});

test("any origin (*) is not an origin", () => {
  assert.equal(returnAddress("https://evil.example/", SELF, ["*"]), undefined);
});
