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
  const texts = useTexts();
  return (
    <Form submit={props.submit} send={({ code = "" }) => props.send(code)}>
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
    </Form>
  );
}
