import { Failure } from "./Failure";
import { goToProvider, useProviderFailure } from "./providers";
import { settings } from "./settings";
import { useTexts } from "./texts/language";
import { useChange } from "./useChange";

/** A button for each identity provider, to sign in or to sign up. */
export function ProviderButtons({ page }: { page: "login" | "sign-up" }) {
  const texts = useTexts().providers;
  const { error, isBusy, change } = useChange();
  if (settings.providers.length === 0) return null;
  return (
    <div className="another" role="group" aria-label={texts.otherWays}>
      <Failure error={error} />
      {settings.providers.map(({ name, label }) => (
        <button
          key={name}
          type="button"
          aria-disabled={isBusy}
          onClick={() => void change(() => goToProvider(name, page))}
        >
          {texts.signIn(label)}
        </button>
      ))}
    </div>
  );
}

/** Why the user has come back from a provider without being signed in. */
export function ProviderFailure() {
  const failure = useProviderFailure();
  return failure === undefined ? null : <Failure error={failure} />;
}
