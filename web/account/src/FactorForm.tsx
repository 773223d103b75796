import { useState } from "react";
import { Action } from "./Action";
import { Field, PasswordField } from "./Field";
import { Form } from "./Form";
import { hasPasskeys } from "./passkeys";
import { useTexts } from "./texts/language";
import { UsernameForManagers } from "./UsernameForManagers";

/**
 * What proves who the user is: one form for the password, the code of the authenticator app or a
 * recovery code, and a button for a passkey. `methods` are those that the server takes.
 */
export function FactorForm(props: {
  methods: readonly string[];
  submit: string;
  sendPassword?: (password: string) => Promise<void>;
  sendCode: (code: string) => Promise<void>;
  usePasskey: () => Promise<void>;
}) {
  const texts = useTexts().factors;
  const has = (method: string) => props.methods.includes(method);
  const [prefersRecovery, setPrefersRecovery] = useState(false);
  const isRecovery = prefersRecovery || (has("RECOVERY_CODE") && !has("TOTP"));
  const { sendPassword } = props;
  return (
    <>
      {has("PASSWORD") && sendPassword && (
        <PasswordForm submit={props.submit} send={sendPassword} />
      )}
      {(has("TOTP") || has("RECOVERY_CODE")) && (
        <CodeForm
          key={String(isRecovery)}
          isRecovery={isRecovery}
          isChosen={prefersRecovery}
          submit={props.submit}
          send={props.sendCode}
        />
      )}
      {has("PASSKEY") && hasPasskeys && (
        <Action label={texts.usePasskey} run={props.usePasskey} />
      )}
      {has("TOTP") && has("RECOVERY_CODE") && (
        <button
          type="button"
          className="link"
          onClick={() => setPrefersRecovery(!prefersRecovery)}
        >
          {prefersRecovery ? texts.useApp : texts.useRecoveryCode}
        </button>
      )}
    </>
  );
}

function PasswordForm(props: { submit: string; send: (password: string) => Promise<void> }) {
  const texts = useTexts();
  return (
    <Form submit={props.submit} send={({ password = "" }) => props.send(password)}>
      <UsernameForManagers />
      <PasswordField
        name="password"
        label={texts.fields.currentPassword}
        autoComplete="current-password"
      />
    </Form>
  );
}

function CodeForm(props: {
  isRecovery: boolean;
  isChosen: boolean;
  submit: string;
  send: (code: string) => Promise<void>;
}) {
  const { fields, hints, factors } = useTexts();
  const invalidCode = props.isRecovery ? factors.wrongRecoveryCode : factors.wrongCode;
  return (
    <Form
      submit={props.submit}
      invalidCode={invalidCode}
      send={({ code = "" }) => props.send(code)}
    >
      {props.isRecovery ? (
        <Field
          name="code"
          label={fields.recoveryCode}
          hint={hints.recoveryCode}
          autoComplete="off"
          autoFocus={props.isChosen}
        />
      ) : (
        <Field
          name="code"
          label={fields.appCode}
          hint={hints.appCode}
          autoComplete="one-time-code"
          inputMode="numeric"
          autoFocus
        />
      )}
    </Form>
  );
}
