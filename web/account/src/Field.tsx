import { useId, useState, type ComponentProps } from "react";
import { useTexts } from "./texts/language";
import { useProblem } from "./Form";
import { useFollowingField } from "./useFollowing";

type Props = {
  name: string;
  label: string;
  hint?: string;
  isOptional?: boolean;
} & Omit<ComponentProps<"input">, "name" | "id" | "required">;

/** A labelled input with its hint and its error message, both of which describe it. */
export function Field({ name, label, hint, isOptional, ...input }: Props) {
  const id = useId();
  const problem = useProblem(name);
  const field = useFollowingField<HTMLInputElement>(input.defaultValue);
  const described = [hint && `${id}-hint`, problem && `${id}-problem`].filter(Boolean).join(" ");
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        autoCapitalize="none"
        autoCorrect="off"
        spellCheck={false}
        {...input}
        ref={field}
        id={id}
        name={name}
        aria-required={!isOptional}
        aria-invalid={problem !== undefined}
        aria-describedby={described || undefined}
      />
      {problem && (
        <p id={`${id}-problem`} className="problem">
          {problem}
        </p>
      )}
      {hint && (
        <p id={`${id}-hint`} className="hint">
          {hint}
        </p>
      )}
    </div>
  );
}

/** An input for a password, which can be shown. */
export function PasswordField(props: Props & { autoComplete: "current-password" | "new-password" }) {
  const texts = useTexts();
  const [isShown, setShown] = useState(false);
  return (
    <div className="password">
      <Field {...props} type={isShown ? "text" : "password"} />
      <label className="check">
        <input type="checkbox" checked={isShown} onChange={() => setShown(!isShown)} />
        {texts.showPassword}
      </label>
    </div>
  );
}

/** A labelled list of which one entry is chosen. `options` are the labels by their values. */
export function Choice(props: {
  name: string;
  label: string;
  options: Record<string, string>;
  defaultValue: string;
}) {
  const id = useId();
  const field = useFollowingField<HTMLSelectElement>(props.defaultValue);
  return (
    <div className="field">
      <label htmlFor={id}>{props.label}</label>
      <select ref={field} id={id} name={props.name} defaultValue={props.defaultValue}>
        {Object.entries(props.options).map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </div>
  );
}

/** A labelled checkbox of a form. Its value is "on" if it is checked. */
export function Check({ label, ...input }: { label: string; name: string; defaultChecked?: boolean }) {
  return (
    <label className="check">
      <input type="checkbox" {...input} />
      {label}
    </label>
  );
}
