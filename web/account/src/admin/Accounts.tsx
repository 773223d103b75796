import { useState } from "react";
import { useAccess } from "../access";
import { Choice, Field } from "../Field";
import { Form, type Values } from "../Form";
import { Link } from "../Link";
import { type Connection, PagedList } from "../PagedList";
import { navigate, useAddress } from "../router";
import { session } from "../session";
import { settings } from "../settings";
import { Time } from "../Time";
import { Badges } from "./Badges";
import { useAdminTexts } from "./adminTexts";
import { Invite } from "./Invite";
import { type AccountEntry, READ_ACCOUNTS } from "./operations";

/** Search for accounts. What is searched for is in the address, so that the browser's back button works. */
export function Accounts() {
  const texts = useAdminTexts();
  const { permissions } = useAccess();
  const query = useAddress().searchParams;
  const [search, role, state] = ["search", "role", "state"].map((name) => query.get(name) ?? "");
  const [form, setForm] = useState({ key: 0, query: query.toString() });
  const [count, setCount] = useState<number>();

  // The browser's back button fills in the fields anew.
  if (form.query !== query.toString()) setForm({ key: form.key + 1, query: query.toString() });

  async function find(values: Values) {
    const given = Object.entries(values).filter(([, value]) => value.trim() !== "");
    const next = new URLSearchParams(given).toString();
    setForm({ ...form, query: next });
    navigate(`admin?${next}`);
  }

  async function read(after: string | null) {
    const page = await readAccounts(search, role, state, after);
    if (!after) setCount(page.edges.length);
    return page;
  }

  return (
    <>
      <p className="intro">{texts.search.intro}</p>
      <div className="card search" key={form.key}>
        <Form submit={texts.search.submit} send={find}>
          <Field
            name="search"
            label={texts.search.text}
            type="search"
            autoComplete="off"
            isOptional
            defaultValue={search}
          />
          <Choice
            name="role"
            label={texts.search.role}
            options={{ "": texts.search.any, ...texts.roles }}
            defaultValue={role ?? ""}
          />
          <Choice
            name="state"
            label={texts.search.state}
            options={{
              "": texts.search.any,
              enabled: texts.enabled,
              disabled: texts.disabled,
            }}
            defaultValue={state ?? ""}
          />
        </Form>
      </div>
      <div role="status" className="hidden">
        {count !== undefined && texts.search.found(count)}
      </div>
      <PagedList
        key={`list ${query}`}
        read={read}
        row={(account, ref) => <Row key={account.id} account={account} ref={ref} />}
        none={texts.search.none}
        moreShown={texts.search.moreShown}
      />
      {settings.registration === "invite" && permissions.includes("INVITE") && <Invite />}
    </>
  );
}

async function readAccounts(
  search: string | undefined,
  role: string | undefined,
  state: string | undefined,
  after: string | null,
) {
  const disabled = state ? state === "disabled" : null;
  const { accounts } = await session.request<{ accounts: Connection<AccountEntry> }>(
    READ_ACCOUNTS,
    { search: search || null, role: role || null, disabled, after },
  );
  return accounts;
}

function Row({ account, ref }: { account: AccountEntry; ref: React.Ref<HTMLLIElement> }) {
  const texts = useAdminTexts();
  return (
    <li ref={ref} tabIndex={-1}>
      <div className="about">
        <Link to={`admin-account?id=${account.id}`}>
          <strong>{account.username}</strong>
        </Link>{" "}
        <Badges account={account} />
        <p className="hint">{account.email}</p>
      </div>
      <span className="hint">
        {account.lastSeenAt ? (
          <>
            {texts.lastSeen} <Time at={account.lastSeenAt} />
          </>
        ) : (
          texts.never
        )}
      </span>
    </li>
  );
}
