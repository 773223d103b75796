import { Link } from "./Link";
import { settings } from "./settings";
import { useTexts } from "./texts/language";

/** Leads to the page that requests a link to reset the password, on a server that sends mail. */
export function ResetLink() {
  const text = useTexts().errors.requestReset;
  return settings.sendsMail ? <Link to="forgot-password">{text}</Link> : null;
}
