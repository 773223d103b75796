import { Link } from "../Link";
import { useTexts } from "../texts/language";

export function NotFound() {
  const texts = useTexts();
  return (
    <>
      <p className="intro">{texts.notFound.text}</p>
      <p>
        <Link to="profile">{texts.notFound.link}</Link>
      </p>
    </>
  );
}
