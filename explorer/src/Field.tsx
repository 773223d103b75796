import { useId } from "react";

/** A labelled input with what is wrong with it, for eyes and screen readers alike. */
export function Field(props: {
  name: string;
  label: string;
  type?: string;
  autoComplete: string;
  problems: Record<string, string[]>;
}) {
  const id = useId();
  const problem = props.problems[props.name]?.join(" ");
  return (
    <div className="field">
      <label htmlFor={id}>{props.label}</label>
      <input
        id={id}
        name={props.name}
        type={props.type ?? "text"}
        autoComplete={props.autoComplete}
        autoCapitalize="none"
        spellCheck={false}
        aria-invalid={problem !== undefined}
        aria-describedby={`${id}-problem`}
      />
      <p id={`${id}-problem`} className="problem" role="alert">
        {problem}
      </p>
    </div>
  );
}
