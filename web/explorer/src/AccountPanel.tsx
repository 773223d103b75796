import { useEffect, useRef, useState } from "react";
import {
  enterCode,
  logIn,
  logOut,
  refresh,
  register,
  ticketOf,
  useAccount,
  type Values,
} from "./account";
import { Examples } from "./Examples";
import { Field } from "./Field";
import type { GraphQLError } from "./graph";

export function AccountPanel() {
  const account = useAccount();
  const heading = useRef<HTMLHeadingElement>(null);
  const previousStatus = useRef(account.status);
  const hasSignedIn = useRef(false);
  if ("username" in account) hasSignedIn.current = true;

  // The focused element is removed when the status changes. Focus moves to the heading, so that
  // keyboard users continue from there.
  useEffect(() => {
    const hasStarted = previousStatus.current === "starting";
    const hasChanged = previousStatus.current !== account.status && !hasStarted;
    if (hasChanged && document.activeElement === document.body) {
      heading.current?.focus();
    }
    previousStatus.current = account.status;
  }, [account.status]);

  return (
    <section className="account" aria-labelledby="account-title">
      <h2 id="account-title" ref={heading} tabIndex={-1}>
        Account
      </h2>
      <div role="status">
        {account.status === "signed in" && (
          <p>
            Signed in as <strong>{account.username}</strong> ({account.email}). Your access token is sent with every request and expires
            at <Time date={account.expiresAt} />.
          </p>
        )}
        {account.status === "expired" && (
          <p className="warning">
            The access token of <strong>{account.username}</strong> expired at{" "}
            <Time date={account.expiresAt} />. Get a new one to continue.
          </p>
        )}
        {account.status === "signed out" && account.reason && (
          <p className="warning">{account.reason} Sign in again.</p>
        )}
      </div>
      {account.status === "signed out" && <SignIn isNew={!hasSignedIn.current} />}
      {"username" in account && <Actions />}
      <Examples />
    </section>
  );
}

function Actions() {
  const [error, setError] = useState<GraphQLError>();
  return (
    <>
      <div className="actions">
        <button type="button" onClick={() => void refresh().then(setError)}>
          Get a new token
        </button>
        <button type="button" className="quiet" onClick={() => void logOut()}>
          Sign out
        </button>
      </div>
      <p role="alert">{error?.message}</p>
    </>
  );
}

function SignIn(props: { isNew: boolean }) {
  const [isNew, setNew] = useState(props.isNew);
  const [ticket, setTicket] = useState<string>();

  async function signIn(values: Values) {
    const error = await logIn(values);
    const ticket = ticketOf(error);
    setTicket(ticket);
    return ticket ? undefined : error;
  }

  if (ticket) return <SecondStep ticket={ticket} cancel={() => setTicket(undefined)} />;
  return (
    <>
      <fieldset className="choice">
        <legend>Do you have an account?</legend>
        <label>
          <input type="radio" name="account" checked={isNew} onChange={() => setNew(true)} /> No,
          sign up
        </label>
        <label>
          <input type="radio" name="account" checked={!isNew} onChange={() => setNew(false)} /> Yes,
          sign in
        </label>
      </fieldset>
      {isNew ? (
        <Form key="register" action="Sign up" send={register} fields={REGISTER_FIELDS} />
      ) : (
        <Form key="login" action="Sign in" send={signIn} fields={LOGIN_FIELDS} />
      )}
    </>
  );
}

/** The second step of a sign-in. */
function SecondStep({ ticket, cancel }: { ticket: string; cancel: () => void }) {
  return (
    <>
      <p>Your account has a second factor. Enter a code of your authenticator app, or a recovery code.</p>
      <Form
        action="Sign in"
        send={({ code = "" }) => enterCode(ticket, code)}
        fields={SECOND_FACTOR_FIELDS}
      />
      <button type="button" className="quiet" onClick={cancel}>
        Start again
      </button>
    </>
  );
}

const REGISTER_FIELDS = [
  { name: "username", label: "Username", autoComplete: "username" },
  { name: "email", label: "Email", type: "email", autoComplete: "email" },
  { name: "password", label: "Password", type: "password", autoComplete: "new-password" },
];
const LOGIN_FIELDS = [
  { name: "username", label: "Username or email", autoComplete: "username" },
  { name: "password", label: "Password", type: "password", autoComplete: "current-password" },
];
const SECOND_FACTOR_FIELDS = [
  { name: "code", label: "Code", autoComplete: "one-time-code", autoFocus: true },
];

function Form(props: {
  action: string;
  send: (values: Values) => Promise<GraphQLError | undefined>;
  fields: {
    name: string;
    label: string;
    type?: string;
    autoComplete: string;
    autoFocus?: boolean;
  }[];
}) {
  const [error, setError] = useState<GraphQLError>();
  const isSending = useRef(false);
  const form = useRef<HTMLFormElement>(null);

  useEffect(() => {
    form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [error]);

  async function submit(event: React.FormEvent<HTMLFormElement>) {
    event.preventDefault();
    // The button stays enabled, because a disabled button loses the focus.
    if (isSending.current) return;
    isSending.current = true;
    const entries = new FormData(event.currentTarget).entries();
    setError(await props.send(Object.fromEntries(entries) as Values));
    isSending.current = false;
  }

  const problems = error?.extensions?.fields ?? {};
  const isShown = props.fields.some(({ name }) => name in problems);
  return (
    <form ref={form} onSubmit={(event) => void submit(event)} noValidate>
      {props.fields.map((field) => (
        <Field key={field.name} {...field} problem={problems[field.name]?.join(" ")} />
      ))}
      <button type="submit">{props.action}</button>
      <p role="alert">{isShown ? "" : error?.message}</p>
    </form>
  );
}

function Time({ date }: { date: Date }) {
  const isToday = date.toDateString() === new Date().toDateString();
  const text = isToday
    ? date.toLocaleTimeString([], { timeStyle: "short" })
    : date.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  return <time dateTime={date.toISOString()}>{text}</time>;
}
