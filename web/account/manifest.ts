/** Write the manifest of the documents of the pages and of their client, for TRUSTED_DOCUMENTS. */

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import * as operations from "./src/operations";

const hashOf = (text: string) => createHash("sha256").update(text).digest("hex");
const texts = Object.fromEntries(
  Object.values(operations).map((text) => [`sha256:${hashOf(text)}`, text]),
);
const ofClient = new URL("../client/dist/trusted-documents.json", import.meta.url);
const file = new URL("../../api/static/account/trusted-documents.json", import.meta.url);
const all = { ...JSON.parse(readFileSync(ofClient, "utf8")), ...texts };
writeFileSync(file, `${JSON.stringify(all, null, 2)}\n`);
