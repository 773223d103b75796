import { explain } from "./errors";
import { ResetLink } from "./ResetLink";
import { useLocale, useTexts } from "./texts/language";

/** The message of a failed request, and a button to try it again. */
export function Failure({ error, retry }: { error: unknown; retry?: () => Promise<void> }) {
  const texts = useTexts();
  const locale = useLocale();
  const explanation = error === undefined ? undefined : explain(error, texts, locale);
  // There is no field that could show them.
  const problems = Object.values(explanation?.fields ?? {}).join(" ");
  return (
    <div className="failure" role="alert">
      {problems || explanation?.message}
      {explanation?.needsReset && <ResetLink />}
      {error !== undefined && retry && (
        <button type="button" onClick={() => void retry()}>
          {texts.tryAgain}
        </button>
      )}
    </div>
  );
}
