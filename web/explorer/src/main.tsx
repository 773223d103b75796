import { GraphiQL } from "graphiql";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { authorization, updateFrom } from "./account";
import { AccountPanel } from "./AccountPanel";
import { EXAMPLES } from "./documents";
import { Editors } from "./Editors";
import { send } from "./graph";
import { storage } from "./storage";
// The styles without the fonts: graphiql.css embeds them as data: URLs, which the page's Content
// Security Policy does not allow.
import "@graphiql/react/dist/style.css";
import "graphiql/src/style.css";
import "./explorer.css";

const accountPlugin = { title: "Account", icon: AccountIcon, content: AccountPanel };

function AccountIcon() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true">
      <circle cx="12" cy="8" r="4" />
      <path d="M4 21c0-4 3.6-7 8-7s8 3 8 7" />
    </svg>
  );
}

/** Send a request of GraphiQL. A header from the Headers pane overrides the account's token. */
async function fetcher(request: object, options?: { headers?: Record<string, unknown> }) {
  const headers = new Headers(await authorization());
  try {
    for (const [name, value] of Object.entries(options?.headers ?? {})) {
      headers.set(name, String(value));
    }
  } catch {
    return { errors: [{ message: "The Headers pane has an invalid header name or value." }] };
  }
  const sentHeader = headers.get("Authorization");
  const response = await send(request, headers);
  await updateFrom(response, sentHeader);
  return response;
}

const root = document.getElementById("explorer");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <GraphiQL
        fetcher={fetcher as never}
        plugins={[accountPlugin]}
        visiblePlugin={accountPlugin}
        storage={storage}
        defaultQuery={EXAMPLES[0]?.query}
        showPersistHeadersSettings={false}
      >
        <GraphiQL.Logo>
          Gatehouse
          <Editors />
        </GraphiQL.Logo>
      </GraphiQL>
    </StrictMode>,
  );
}
