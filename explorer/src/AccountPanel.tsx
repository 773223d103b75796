import { useState } from "react";
import { logIn, logOut, refresh, register, useAccount } from "./account";
import { Examples } from "./Examples";
import { Field } from "./Field";
import type { GraphQLError } from "./graph";

export function AccountPanel() {
  const account = useAccount();
  return (
    <section className="account" aria-labelledby="account-title">
      <h2 id="account-title">Account</h2>
      <div role="status">
        {account.is === "signed in" && (
          <p>
            Signed in as <strong>{account.token.user.username}</strong> (
            {account.token.user.email}). Every request carries your token, which ends at{" "}
            <Time of={account.until} />.
          </p>
        )}
        {account.is === "expired" && (
          <p className="warning">
            The token of <strong>{account.token.user.username}</strong> expired at{" "}
            <Time of={account.until} />. Requests are sent without it.
          </p>
        )}
        {account.is === "signed out" && account.because && (
          <p className="warning">{account.because} Log in again.</p>
        )}
      </div>
      {account.is === "signed out" ? (
        <SignIn />
      ) : (
        <div className="actions">
          <button type="button" onClick={() => void refresh()}>
            {account.is === "expired" ? "Go on with a new token" : "Get a new token"}
          </button>
          <button type="button" className="quiet" onClick={() => void logOut()}>
            {account.is === "expired" ? "Log in again" : "Log out"}
          </button>
        </div>
      )}
      <Examples />
    </section>
  );
}

function SignIn() {
  const [isNew, setNew] = useState(true);
  return (
    <>
      <fieldset className="choice">
        <legend>Do you have an account here?</legend>
        <label>
          <input type="radio" name="account" checked={isNew} onChange={() => setNew(true)} /> No,
          register
        </label>
        <label>
          <input type="radio" name="account" checked={!isNew} onChange={() => setNew(false)} /> Yes,
          log in
        </label>
      </fieldset>
      {isNew ? <Register /> : <LogIn />}
    </>
  );
}

function Register() {
  return (
    <Form action="Register" send={(values) => register(values as Parameters<typeof register>[0])}>
      {(problems) => (
        <>
          <Field name="username" label="Username" autoComplete="username" problems={problems} />
          <Field name="email" label="Email" type="email" autoComplete="email" problems={problems} />
          <Field
            name="password"
            label="Password"
            type="password"
            autoComplete="new-password"
            problems={problems}
          />
        </>
      )}
    </Form>
  );
}

function LogIn() {
  return (
    <Form action="Log in" send={(values) => logIn(values as Parameters<typeof logIn>[0])}>
      {(problems) => (
        <>
          <Field
            name="username"
            label="Username or email"
            autoComplete="username"
            problems={problems}
          />
          <Field
            name="password"
            label="Password"
            type="password"
            autoComplete="current-password"
            problems={problems}
          />
        </>
      )}
    </Form>
  );
}

type Problems = Record<string, string[]>;

function Form(props: {
  action: string;
  send: (values: Record<string, string>) => Promise<GraphQLError | undefined>;
  children: (problems: Problems) => React.ReactNode;
}) {
  const [error, setError] = useState<GraphQLError>();
  const [isSending, setSending] = useState(false);

  async function submit(event: React.FormEvent<HTMLFormElement>) {
    event.preventDefault();
    setSending(true);
    const entries = new FormData(event.currentTarget).entries();
    setError(await props.send(Object.fromEntries(entries) as Record<string, string>));
    setSending(false);
  }

  const problems = error?.extensions?.fields ?? {};
  return (
    <form onSubmit={(event) => void submit(event)} noValidate>
      {props.children(problems)}
      <button type="submit" disabled={isSending}>
        {props.action}
      </button>
      <p role="alert">{error && Object.keys(problems).length === 0 && error.message}</p>
    </form>
  );
}

function Time({ of }: { of: Date }) {
  const text = of.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return <time dateTime={of.toISOString()}>{text}</time>;
}
