/** Write the manifest of this package's documents, for TRUSTED_DOCUMENTS. */

import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { TOKEN } from "./dist/graphql.js";

const DOCUMENT = /^const \w+ = [`"](mutation .*?)[`"];$/gms;

const dist = new URL("dist/", import.meta.url);
const scripts = readdirSync(dist).filter((name) => name.endsWith(".js"));
const documents = scripts.flatMap((name) =>
  [...readFileSync(new URL(name, dist), "utf8").matchAll(DOCUMENT)].map(([, text]) =>
    text.replace("${TOKEN}", TOKEN),
  ),
);
const hashOf = (text) => createHash("sha256").update(text).digest("hex");
const texts = Object.fromEntries(documents.map((text) => [`sha256:${hashOf(text)}`, text]));
writeFileSync(new URL("trusted-documents.json", dist), `${JSON.stringify(texts, null, 2)}\n`);
