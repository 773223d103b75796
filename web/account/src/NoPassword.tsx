import { Link } from "./Link";
import { useTexts } from "./texts/language";

/** What the profile shows of an account that has no password, no passkey and no provider. */
export function NoPassword() {
  const texts = useTexts().setPassword;
  return (
    <section className="card" aria-labelledby="no-password">
      <h2 id="no-password">{texts.title}</h2>
      <p>{texts.intro}</p>
      <p>
        <Link to="password">{texts.link}</Link>
      </p>
    </section>
  );
}
