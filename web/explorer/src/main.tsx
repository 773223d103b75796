import { GraphiQL } from "graphiql";
import { type DocumentNode, getOperationAST, parse, print, separateOperations } from "graphql";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { authorization, run, updateFrom } from "./account";
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

interface Request {
  query: string;
  variables?: Record<string, unknown>;
  operationName?: string | null;
}

interface Observer {
  next: (result: object) => void;
  complete: () => void;
}

/** Send a request of GraphiQL. A header from the Headers pane overrides the account's token. */
function fetcher(request: Request, { headers }: { headers?: Record<string, unknown> } = {}) {
  const document = parsed(request.query);
  const operation = document && getOperationAST(document, request.operationName);
  if (!document || operation?.operation !== "subscription") return execute(request, headers);
  if (Object.keys(headers ?? {}).some((name) => /^authorization$/i.test(name))) {
    const message = "A subscription has the account's token. Empty the Headers pane, and sign in.";
    return { errors: [{ message }] };
  }
  return { subscribe: (observer: Observer) => watch(request, document, observer) };
}

/** GraphiQL's own is late: it waits until the user stops typing. */
function parsed(query: string): DocumentNode | undefined {
  try {
    return parse(query);
  } catch {
    return undefined;
  }
}

/** Show each event of a subscription until the user stops it. */
function watch(
  { query, variables, operationName }: Request,
  document: DocumentNode,
  { next, complete }: Observer,
) {
  const alone = operationName && separateOperations(document)[operationName];
  const unsubscribe = run(alone ? print(alone) : query, {
    ...(variables && { variables }),
    next: (data) => next({ data }),
    ended: (error) => {
      if (error) next({ errors: [{ message: error.message, extensions: error.extensions }] });
      complete();
    },
  });
  return { unsubscribe };
}

async function execute(request: Request, typed?: Record<string, unknown>) {
  const headers = new Headers(await authorization());
  try {
    for (const [name, value] of Object.entries(typed ?? {})) {
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
