import { useState } from "react";
import { useAccess } from "../access";
import { Dialog } from "../Dialog";
import { Check, Choice, Field } from "../Field";
import { Form, type Values } from "../Form";
import { navigate } from "../router";
import { useTexts } from "../texts/language";
import { type Act, ACTS, missingRoles } from "./acts";
import { say, useAdminTexts } from "./adminTexts";
import type { Account } from "./operations";

/** Buttons for what the roles of the user permit, each of which opens a dialog. */
export function Acts({ account, reload }: { account: Account; reload: () => Promise<void> }) {
  const texts = useAdminTexts().acts;
  const { permissions } = useAccess();
  const [current, setCurrent] = useState<Act>();

  const isProtected = account.roles.length > 0 && !permissions.includes("MANAGE_STAFF");
  const offered = ACTS.filter(
    ({ permission, isOffered }) =>
      !isProtected && permissions.includes(permission) && isOffered(account),
  );

  async function run(act: Act, values: Values) {
    await act.run(account, values);
    setCurrent(undefined);
    if (act.leaves === "page") return;
    if (act.leaves === "accounts") navigate("admin");
    else await reload();
    say(({ acts }) => acts[act.name].done);
  }

  return (
    <section className="card" aria-labelledby="acts">
      <h2 id="acts">{texts.title}</h2>
      {offered.length === 0 && <p>{isProtected ? texts.isStaff : texts.none}</p>}
      <div className="buttons">
        {offered.map((act) => (
          <button
            key={act.name}
            type="button"
            className={act.isDangerous ? "danger quiet" : undefined}
            onClick={() => setCurrent(act)}
          >
            {texts[act.name].label}
          </button>
        ))}
      </div>
      {current && (
        <ActDialog
          act={current}
          account={account}
          run={(values) => run(current, values)}
          cancel={() => setCurrent(undefined)}
        />
      )}
    </section>
  );
}

function ActDialog(props: {
  act: Act;
  account: Account;
  run: (values: Values) => Promise<void>;
  cancel: () => void;
}) {
  const { act, account } = props;
  const texts = useAdminTexts().acts[act.name];
  const { cancel } = useTexts().proof;
  return (
    <Dialog title={`${texts.label}: ${account.username}`} cancel={props.cancel}>
      <p>{texts.about}</p>
      <Form submit={texts.label} isDangerous={act.isDangerous} send={props.run}>
        {act.fields.map((name) => (
          <ActField key={name} name={name} act={act} account={account} />
        ))}
      </Form>
      <button type="button" onClick={props.cancel}>
        {cancel}
      </button>
    </Dialog>
  );
}

function ActField(props: { name: Act["fields"][number]; act: Act; account: Account }) {
  const { acts: texts, roles } = useAdminTexts();
  const { fields } = useTexts();
  const { account, act } = props;
  switch (props.name) {
    case "reason":
      return <Field name="reason" label={texts.reason} hint={texts.reasonHint} autoComplete="off" />;
    case "role": {
      const choices = act.name === "grant" ? missingRoles(account) : account.roles;
      const options = Object.fromEntries(choices.map((role) => [role, roles[role]]));
      return (
        <Choice name="role" label={texts.role} options={options} defaultValue={choices[0] ?? ""} />
      );
    }
    case "username":
      return (
        <Field
          name="username"
          label={fields.username}
          autoComplete="off"
          defaultValue={account.username}
        />
      );
    case "email":
      return (
        <>
          <Field
            name="email"
            label={fields.email}
            type="email"
            autoComplete="off"
            defaultValue={account.email}
          />
          <Check name="emailVerified" label={texts.checkEmail} />
        </>
      );
    case "confirmation":
      return (
        <Field
          name="confirmation"
          label={fields.confirmUsername(account.username)}
          autoComplete="off"
        />
      );
  }
}
