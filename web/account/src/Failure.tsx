import { explain } from "./errors";
import { useLocale, useTexts } from "./texts/language";

/** The message of a failed request, and a button to try it again. */
export function Failure({ error, retry }: { error: unknown; retry?: () => Promise<void> }) {
  const texts = useTexts();
  const locale = useLocale();
  return (
    <div className="failure" role="alert">
      {error !== undefined && explain(error, texts, locale).message}
      {error !== undefined && retry && (
        <button type="button" onClick={() => void retry()}>
          {texts.tryAgain}
        </button>
      )}
    </div>
  );
}
