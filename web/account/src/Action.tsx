import { Failure } from "./Failure";
import { useChange } from "./useChange";

/** A button that does something, with the message of its error. */
export function Action({ label, run }: { label: string; run: () => Promise<void> }) {
  const { error, isBusy, change } = useChange();
  return (
    <div className="another">
      <Failure error={error} />
      <button type="button" aria-disabled={isBusy} onClick={() => void change(run)}>
        {label}
      </button>
    </div>
  );
}
