import { useId } from "react";

/** A labelled input with its error message, which screen readers announce. */
export function Field(props: {
  name: string;
  label: string;
  type?: string;
  autoComplete: string;
  autoFocus?: boolean;
  problem: string | undefined;
}) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{props.label}</label>
      <input
        id={id}
        name={props.name}
        type={props.type ?? "text"}
        autoComplete={props.autoComplete}
        autoFocus={props.autoFocus}
        autoCapitalize="none"
        spellCheck={false}
        aria-invalid={props.problem !== undefined}
        aria-describedby={`${id}-problem`}
      />
      <p id={`${id}-problem`} role="alert">
        {props.problem}
      </p>
    </div>
  );
}
