import { explain } from "./errors";
import { useLocale, useTexts } from "./texts/language";

/** The message of a failed request, and a button to try it again. */
export function Failure(props: { error: unknown; retry?: () => Promise<void> }) {
  const texts = useTexts();
  const locale = useLocale();
  const { retry } = props;
  return (
    <div className="failure" role="alert">
      {props.error !== undefined && explain(props.error, texts, locale).message}{" "}
      {props.error !== undefined && retry && (
        <button type="button" onClick={() => void retry()}>
          {texts.tryAgain}
        </button>
      )}
    </div>
  );
}
