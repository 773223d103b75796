/** A receiver of webhooks, for one request: it verifies the signature and prints the event. */

import { Webhook } from "standardwebhooks";

const { SECRET = "", BODY = "", HEADERS = "{}" } = process.env;

const event = new Webhook(SECRET).verify(BODY, JSON.parse(HEADERS) as Record<string, string>);
console.log(JSON.stringify(event));
