import { useEffect, useRef, useState } from "react";
import { logIn, logOut, refresh, register, useAccount, type Values } from "./account";
import { Examples } from "./Examples";
import { Field } from "./Field";
import type { GraphQLError } from "./graph";

export function AccountPanel() {
  const account = useAccount();
  const heading = useRef<HTMLHeadingElement>(null);
  const was = useRef(account.is);
  const isKnown = useRef(false);
  if (account.is !== "signed out") isKnown.current = true;

  // What had the focus has gone with the state: the heading is where to go on from.
  useEffect(() => {
    if (was.current !== account.is && document.activeElement === document.body) {
      heading.current?.focus();
    }
    was.current = account.is;
  }, [account.is]);

  return (
    <section className="account" aria-labelledby="account-title">
      <h2 id="account-title" ref={heading} tabIndex={-1}>
        Account
      </h2>
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
            <Time of={account.until} />. What needs a user is refused until you have a new one.
          </p>
        )}
        {account.is === "signed out" && account.because && (
          <p className="warning">{account.because} Log in again.</p>
        )}
      </div>
      {account.is === "signed out" ? (
        <SignIn isNew={!isKnown.current} />
      ) : (
        <Actions isExpired={account.is === "expired"} />
      )}
      <Examples />
    </section>
  );
}

function Actions({ isExpired }: { isExpired: boolean }) {
  const [error, setError] = useState<GraphQLError>();
  return (
    <>
      <div className="actions">
        <button type="button" onClick={() => void refresh().then(setError)}>
          {isExpired ? "Go on with a new token" : "Get a new token"}
        </button>
        <button type="button" className="quiet" onClick={() => void logOut()}>
          {isExpired ? "Log in again" : "Log out"}
        </button>
      </div>
      <p role="alert">{error?.message}</p>
    </>
  );
}

function SignIn(props: { isNew: boolean }) {
  const [isNew, setNew] = useState(props.isNew);
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
      {isNew ? (
        <Form key="register" action="Register" send={register} fields={REGISTER_FIELDS} />
      ) : (
        <Form key="login" action="Log in" send={logIn} fields={LOGIN_FIELDS} />
      )}
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

function Form(props: {
  action: string;
  send: (values: Values) => Promise<GraphQLError | undefined>;
  fields: { name: string; label: string; type?: string; autoComplete: string }[];
}) {
  const [error, setError] = useState<GraphQLError>();
  const isSending = useRef(false);
  const form = useRef<HTMLFormElement>(null);

  useEffect(() => {
    form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [error]);

  async function submit(event: React.FormEvent<HTMLFormElement>) {
    event.preventDefault();
    // The button stays enabled: a disabled one loses the focus.
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

function Time({ of }: { of: Date }) {
  const isToday = of.toDateString() === new Date().toDateString();
  const text = isToday
    ? of.toLocaleTimeString([], { timeStyle: "short" })
    : of.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  return <time dateTime={of.toISOString()}>{text}</time>;
}
