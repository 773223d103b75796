import { GraphiQL } from "graphiql";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { authorization, heed } from "./account";
import { AccountPanel } from "./AccountPanel";
import { EXAMPLES } from "./documents";
import { Editors } from "./Editors";
import { send } from "./graph";
import { storage } from "./storage";
// The styles without the fonts, which graphiql.css holds as data: addresses that our policy does not allow.
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

/** What is typed into the Headers pane wins over the account's token. */
async function ask(request: object, options?: { headers?: Record<string, unknown> }) {
  const headers = new Headers(authorization());
  try {
    for (const [name, value] of Object.entries(options?.headers ?? {})) {
      headers.set(name, String(value));
    }
  } catch {
    return { errors: [{ message: "The Headers pane has something that no header can hold." }] };
  }
  const sent = headers.get("Authorization");
  const answer = await send(request, headers);
  heed(answer, sent);
  return answer;
}

const root = document.getElementById("explorer");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <GraphiQL
        fetcher={ask as never}
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
