import { createContext, useContext, useEffect, useRef, useState, type FormEvent, type ReactNode } from "react";
import { explain, type Explanation } from "./errors";
import { ResetLink } from "./ResetLink";
import { useLocale, useTexts } from "./texts/language";

export type Values = Record<string, string>;

const Problems = createContext<Record<string, string>>({});

export function useProblem(name: string): string | undefined {
  return useContext(Problems)[name];
}

/**
 * A form that keeps its input after an error, shows the messages at their fields, and moves the
 * focus to the first of them.
 */
export function Form(props: {
  submit: string;
  isDangerous?: boolean | undefined;
  /** What INVALID_CODE means here, if it is not about a mail. */
  invalidCode?: string;
  send: (values: Values, form: HTMLFormElement) => Promise<void>;
  children: ReactNode;
}) {
  const texts = useTexts();
  const locale = useLocale();
  const form = useRef<HTMLFormElement>(null);
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<{ error: unknown } | { missing: string[] }>();

  const explanation = failure && explanationOf(failure);
  const hasFields = Object.keys(explanation?.fields ?? {}).length > 0;

  useEffect(() => {
    form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [failure]);

  function explanationOf(failure: { error: unknown } | { missing: string[] }): Explanation {
    if ("error" in failure) return explain(failure.error, texts, locale, props.invalidCode);
    const fields = Object.fromEntries(failure.missing.map((name) => [name, texts.required]));
    return { message: texts.errors.fields, fields };
  }

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const current = event.currentTarget;
    // The button keeps the focus, which a disabled one would lose.
    if (isBusy) return;
    const missing = missingIn(current);
    if (missing.length > 0) {
      setFailure({ missing });
      return;
    }
    setBusy(true);
    // An error that comes again is announced again.
    setFailure(undefined);
    try {
      const values = Object.fromEntries(new FormData(current).entries()) as Values;
      await props.send(values, current);
    } catch (error) {
      setFailure({ error });
    }
    setBusy(false);
  }

  return (
    // method: without the script, a password must not get into the address.
    <form ref={form} method="post" onSubmit={(event) => void submit(event)} noValidate>
      <Problems value={explanation?.fields ?? {}}>{props.children}</Problems>
      <div role="alert" className="failure">
        {explanation && (hasFields ? texts.errors.fields : explanation.message)}
        {explanation?.needsReset && <ResetLink />}
      </div>
      <button
        type="submit"
        className={props.isDangerous ? "danger" : "primary"}
        aria-disabled={isBusy}
      >
        {isBusy ? texts.busy : props.submit}
      </button>
    </form>
  );
}

function missingIn(form: HTMLFormElement): string[] {
  const inputs = form.querySelectorAll<HTMLInputElement>("input[aria-required=true]");
  return [...inputs].filter(({ value }) => value === "").map(({ name }) => name);
}
