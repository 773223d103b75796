import { useAdminTexts } from "./adminTexts";
import type { AccountEntry } from "./operations";

/** The roles of an account, and whether it is disabled. */
export function Badges({ account }: { account: AccountEntry }) {
  const texts = useAdminTexts();
  return (
    <>
      {account.roles.map((role) => (
        <span key={role} className="badge">
          {texts.roles[role]}
        </span>
      ))}
      {account.disabledAt && <span className="badge off">{texts.disabled}</span>}
    </>
  );
}
