import type { ReactNode } from "react";
import { Time } from "../Time";
import { useTexts } from "../texts/language";
import { Badges } from "./Badges";
import { useAdminTexts } from "./adminTexts";
import type { Account } from "./operations";

/** What is known about an account. */
export function Facts({ account }: { account: Account }) {
  const { account: texts, ...all } = useAdminTexts();
  const roles = account.roles.map((role) => all.roles[role]).join(", ");
  return (
    <section className="card" aria-labelledby="facts">
      <h2 id="facts">
        {account.username} <Badges account={account} />
      </h2>
      <dl className="facts">
        <Fact name={useTexts().fields.email}>
          {account.email} ({account.emailVerified ? texts.verified : texts.notVerified})
        </Fact>
        <Fact name={texts.state}>
          {account.disabledAt ? all.disabled : all.enabled}
          {account.disabledReason && <p>{texts.disabledBecause(account.disabledReason)}</p>}
          {account.passwordResetRequired && <p>{texts.resetRequired}</p>}
        </Fact>
        <Fact name={texts.roles}>{roles || texts.noRoles}</Fact>
        <Fact name={texts.since}>
          <Time at={account.createdAt} isExact />
        </Fact>
        <Fact name={all.lastSeen}>
          {account.lastSeenAt ? <Time at={account.lastSeenAt} /> : all.never}
        </Fact>
        <Fact name={texts.id}>
          <code>{account.id}</code>
        </Fact>
      </dl>
    </section>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
