import { useEffect, useRef, type ReactNode } from "react";
import { useAccess } from "./access";
import { logo } from "./brand";
import { Link } from "./Link";
import { useNotice } from "./notice";
import type { Page } from "./router";
import { isActing, leave, stopActing, useSession } from "./session";
import { settings } from "./settings";
import { LANGUAGES, type Language, setLanguage, useLanguage, useTexts } from "./texts/language";

const SECTIONS = ["profile", "security", "sessions", "events", "delete"] as const;
/** Pages that are reached from a section. */
const PARENTS: Record<string, string> = {
  password: "security",
  "authenticator-app": "security",
  "admin-account": "admin",
};

/** What is around the content of every page: brand, navigation, heading, notice and language. */
export function Frame(props: {
  title: Page | "notFound";
  content: ReactNode;
  isForUsers?: boolean;
}) {
  const texts = useTexts();
  const title = props.title === "notFound" ? texts.notFound.title : texts.pages[props.title];
  const notice = useNotice();
  const heading = useFocusOnChange(props.title);

  useEffect(() => {
    document.title = `${title} · ${settings.name}`;
  }, [title]);

  return (
    <div className={props.isForUsers ? "frame wide" : "frame"}>
      <a className="skip" href="#content">
        {texts.skip}
      </a>
      <header>
        <Link to="profile" className="brand">
          <img src={logo} alt="" />
          {settings.name}
        </Link>
        {props.isForUsers && <User />}
        {props.isForUsers && <ActingBanner />}
      </header>
      <div className="body">
        {props.isForUsers && <Navigation current={props.title} />}
        <main id="content" tabIndex={-1}>
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          <div role="status" className="notice">
            {notice?.(texts)}
          </div>
          {props.content}
        </main>
      </div>
      <footer>
        <Languages />
      </footer>
    </div>
  );
}

export function Loading() {
  return <p className="loading">{useTexts().loading}</p>;
}

function User() {
  const texts = useTexts();
  const { user } = useSession();
  return (
    <div className="user">
      {user && <span aria-label={texts.signedInAs(user.username)}>{user.username}</span>}
      {!isActing() && (
        <button type="button" onClick={() => void leave(({ notices }) => notices.signedOut)}>
          {texts.signOut}
        </button>
      )}
    </div>
  );
}

/** Tells administrators in whose place they act. */
function ActingBanner() {
  const texts = useTexts().acting;
  const { user } = useSession();
  const { impersonatedBy } = useAccess();
  if (!isActing() && !impersonatedBy) return null;
  return (
    <div className="acting">
      <span>{texts.banner(user?.username ?? "")}</span>
      <button type="button" onClick={() => void stopActing()}>
        {texts.end}
      </button>
    </div>
  );
}

function Navigation({ current }: { current: string }) {
  const texts = useTexts();
  const isStaff = useAccess().permissions.includes("READ_ACCOUNTS");
  const sections = isStaff ? ([...SECTIONS, "admin"] as const) : SECTIONS;
  return (
    <nav aria-label={texts.navigation}>
      <ul>
        {sections.map((page) => (
          <li key={page}>
            <Link to={page} aria-current={currentOf(page, current)}>
              {texts.pages[page]}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function currentOf(page: string, current: string): "page" | "true" | undefined {
  if (page === current) return "page";
  return PARENTS[current] === page ? "true" : undefined;
}

function Languages() {
  const texts = useTexts();
  const language = useLanguage();
  return (
    <div role="group" aria-label={texts.language} className="languages">
      {(Object.keys(LANGUAGES) as Language[]).map((name) => (
        <button
          key={name}
          type="button"
          lang={name}
          aria-pressed={name === language}
          onClick={() => setLanguage(name)}
        >
          {LANGUAGES[name]}
        </button>
      ))}
    </div>
  );
}

/**
 * Move the focus to the heading of another page, unless one of its fields has taken it, but leave it
 * alone when the first page is shown.
 */
function useFocusOnChange(title: string) {
  const heading = useRef<HTMLHeadingElement>(null);
  const shown = useRef(title);
  useEffect(() => {
    if (shown.current === title) return;
    shown.current = title;
    window.scrollTo(0, 0);
    if (!document.activeElement?.matches("main input")) heading.current?.focus();
  }, [title]);
  return heading;
}
