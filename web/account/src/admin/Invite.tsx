import { useState } from "react";
import { Field } from "../Field";
import { Form, type Values } from "../Form";
import { session } from "../session";
import { say, useAdminTexts } from "./adminTexts";
import { INVITE } from "./operations";

/** Invite someone by mail to create an account. */
export function Invite() {
  const texts = useAdminTexts().invite;
  const [sent, setSent] = useState(0);

  async function invite({ email = "" }: Values) {
    await session.request(INVITE, { email });
    say((texts) => texts.invite.sent(email.trim()));
    setSent(sent + 1);
  }

  return (
    <section className="card" aria-labelledby="invite">
      <h2 id="invite">{texts.title}</h2>
      <p className="hint">{texts.intro}</p>
      <Form key={sent} submit={texts.submit} send={invite}>
        <Field name="email" label={texts.email} type="email" autoComplete="off" />
      </Form>
    </section>
  );
}
