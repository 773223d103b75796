import { useTexts } from "./texts/language";

/** Says where a sign-in leads to, if that is another application. */
export function ReturnNote({ returnTo }: { returnTo: URL | undefined }) {
  const texts = useTexts();
  if (!returnTo || returnTo.origin === location.origin) return null;
  return <p className="intro">{texts.login.returnsTo(returnTo.host)}</p>;
}
