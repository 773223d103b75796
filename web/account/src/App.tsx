import { useEffect, useRef, useState } from "react";
import { Failure } from "./Failure";
import { Frame, Loading } from "./Frame";
import { setNotice } from "./notice";
import { Admin, AdminAccount } from "./pages/Admin";
import { ChangeEmail } from "./pages/ChangeEmail";
import { Delete } from "./pages/Delete";
import { Events } from "./pages/Events";
import { FinishSignIn } from "./pages/FinishSignIn";
import { ForgotPassword } from "./pages/ForgotPassword";
import { Login } from "./pages/Login";
import { LoginByCode } from "./pages/LoginByCode";
import { NewPasskey } from "./pages/NewPasskey";
import { NotFound } from "./pages/NotFound";
import { Password } from "./pages/Password";
import { Profile } from "./pages/Profile";
import { ResetPassword } from "./pages/ResetPassword";
import { SecondFactor } from "./pages/SecondFactor";
import { SecureAccount } from "./pages/SecureAccount";
import { Security } from "./pages/Security";
import { Sessions } from "./pages/Sessions";
import { SetUpApp } from "./pages/SetUpApp";
import { SignUp } from "./pages/SignUp";
import { UndoEmailChange } from "./pages/UndoEmailChange";
import { VerifyEmail } from "./pages/VerifyEmail";
import { ProofDialog } from "./ProofDialog";
import { returnAddress } from "./returnAddress";
import { goTo, navigate, pageAt, type Page, useAddress } from "./router";
import { nextTask, session, takeFarewell, useSession } from "./session";
import { settings } from "./settings";
import { useSetupRequired } from "./useSetup";

const FOR_ANYONE = {
  "forgot-password": ForgotPassword,
  "reset-password": ResetPassword,
  "secure-account": SecureAccount,
  "undo-email-change": UndoEmailChange,
};
const FOR_VISITORS = {
  login: Login,
  "login-by-code": LoginByCode,
  "second-factor": SecondFactor,
  "finish-sign-in": FinishSignIn,
  "sign-up": SignUp,
};
const FOR_USERS = {
  profile: Profile,
  "verify-email": VerifyEmail,
  "change-email": ChangeEmail,
  security: Security,
  password: Password,
  "authenticator-app": SetUpApp,
  "new-passkey": NewPasskey,
  sessions: Sessions,
  events: Events,
  delete: Delete,
  admin: Admin,
  "admin-account": AdminAccount,
};

/** What a user without a second factor can do on a server that requires one. */
const WITHOUT_SECOND_FACTOR: readonly Page[] = ["authenticator-app", "sessions"];

export function App() {
  const address = useAddress();
  const { status, user } = useSession();
  const needsSetup = useSetupRequired();
  const page = pageAt(address);
  useRedirects(page, address, status, needsSetup);
  const waiting = <Starting />;

  if (!page) return <Frame title="notFound" content={<NotFound />} />;
  if (isForAnyone(page)) {
    const Content = FOR_ANYONE[page];
    return <Frame title={page} content={<Content />} />;
  }
  if (isForVisitors(page)) {
    const Content = FOR_VISITORS[page];
    const content = status === "signedOut" ? <Content returnTo={returnTo(address)} /> : waiting;
    return <Frame title={page} content={content} />;
  }
  const Content = FOR_USERS[page];
  const isSignedIn = status === "signedIn";
  const isAllowed = needsSetup === false || WITHOUT_SECOND_FACTOR.includes(page);
  const isReady = isSignedIn && isAllowed;
  return (
    <>
      <Frame
        title={page}
        isForUsers={isSignedIn}
        content={isReady ? <Content key={user?.id} returnTo={returnTo(address)} /> : waiting}
      />
      <ProofDialog />
    </>
  );
}

/** Shown until the server has said whether someone is signed in, and if it cannot be reached. */
function Starting() {
  const [error, setError] = useState<unknown>();
  const start = () => session.refresh().then(() => setError(undefined), setError);

  useEffect(() => {
    void session.ready.then(({ status }) => (status === "starting" ? start() : undefined));
  }, []);

  return error === undefined ? <Loading /> : <Failure error={error} retry={start} />;
}

/** Lead visitors to the sign-in and back, and users away from it. */
function useRedirects(
  page: Page | undefined,
  address: URL,
  status: string,
  needsSetup: boolean | undefined,
): void {
  const wasSignedIn = useRef(false);
  const { href } = address;

  useEffect(() => {
    if (page && isForAnyone(page)) return;
    const current = new URL(href);
    if (status === "signedIn") {
      wasSignedIn.current = true;
      if (needsSetup === undefined || !page) return;
      if (needsSetup) leadToSetup(page, current);
      else if (isForVisitors(page)) leadOn(current);
    } else if (status === "signedOut" && page && !isForVisitors(page)) {
      const farewell = takeFarewell();
      const back = encodeURIComponent(current.pathname + current.search);
      const isUsual = farewell || page === "profile";
      // The query of /account, such as its return_to, stays.
      const query = isUsual ? current.search : `?return_to=${back}${current.hash}`;
      navigate(`login${query}`, { replace: true });
      setNotice(farewell ?? (wasSignedIn.current ? ({ notices }) => notices.ended : undefined));
      wasSignedIn.current = false;
    }
  }, [status, needsSetup, page, href]);
}

/** Lead a user who has signed in to where they wanted to go. */
function leadOn(current: URL): void {
  const task = nextTask();
  if (task) {
    navigate(`${task}${current.search}`, { replace: true });
    return;
  }
  const target = returnTo(current) ?? new URL("profile", current);
  // The secret of a link that led here first.
  if (target.origin === location.origin) target.hash ||= current.hash;
  goTo(target);
}

/** Lead a user who needs a second factor to its setup, and from there to where they wanted to go. */
function leadToSetup(page: Page, current: URL): void {
  if (WITHOUT_SECOND_FACTOR.includes(page)) return;
  const isPassing = isForVisitors(page) || page === "profile";
  const back = isPassing ? current.search : `?return_to=${encodeURIComponent(current.pathname)}`;
  navigate(`authenticator-app${back}`, { replace: true });
  setNotice(({ secondFactor }) => secondFactor.setUpFirst);
}

function returnTo(address: URL): URL | undefined {
  const text = address.searchParams.get("return_to");
  return returnAddress(text, location.origin, settings.returnOrigins);
}

function isForAnyone(page: Page): page is keyof typeof FOR_ANYONE {
  return page in FOR_ANYONE;
}

function isForVisitors(page: Page): page is keyof typeof FOR_VISITORS {
  return page in FOR_VISITORS;
}
