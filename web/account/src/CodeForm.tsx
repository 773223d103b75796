import { Field } from "./Field";
import { Form } from "./Form";
import { useTexts } from "./texts/language";

/** A form for the code of a mail. `code` is filled in. */
export function CodeForm(props: {
  submit: string;
  send: (code: string) => Promise<void>;
  code?: string;
  autoFocus?: boolean;
}) {
  return (
    <Form submit={props.submit} send={({ code = "" }) => props.send(code)}>
      <CodeField code={props.code} autoFocus={props.autoFocus} />
    </Form>
  );
}

/** The field for the code, in a form that may have others. */
export function CodeField(props: { code: string | undefined; autoFocus: boolean | undefined }) {
  const texts = useTexts();
  return (
    <Field
      key={props.code}
      name="code"
      label={texts.fields.code}
      hint={texts.hints.code}
      autoComplete="one-time-code"
      inputMode="numeric"
      defaultValue={props.code}
      autoFocus={props.autoFocus}
    />
  );
}
