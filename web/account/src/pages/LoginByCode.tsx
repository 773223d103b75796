import { useEffect, useState } from "react";
import { Action } from "../Action";
import { CodeForm } from "../CodeForm";
import { Field } from "../Field";
import { Form } from "../Form";
import { Link } from "../Link";
import { setNotice } from "../notice";
import { type MailRequest, REQUEST_SIGN_IN, SIGN_IN_BY_MAIL, type Token } from "../operations";
import { ReturnNote } from "../ReturnNote";
import { navigate } from "../router";
import { useSecret } from "../secrets";
import { session } from "../session";
import { forgetRequest, keepRequest, readRequest, type SignInRequest } from "../signInRequest";
import { useTexts } from "../texts/language";

/**
 * Sign in with a code by mail: the email first, then the code. The link in the mail leads here and
 * fills in the code, in the browser that requested it.
 */
export function LoginByCode({ returnTo }: { returnTo: URL | undefined }) {
  const { loginByCode: texts, fields } = useTexts();
  const code = useSecret("code");
  const [request, setRequest] = useState(readRequest);

  // The link in the mail does not have the address to return to.
  useEffect(() => {
    if (code && request?.search && !location.search) {
      navigate(`login-by-code${request.search}`, { replace: true });
    }
  }, [code, request]);

  async function requestCode(email: string) {
    setNotice(undefined);
    const { requestSignIn } = await session.request<{ requestSignIn: MailRequest }>(
      REQUEST_SIGN_IN,
      { email },
    );
    const { ticket, expiresIn } = requestSignIn;
    const expiresAt = Date.now() + expiresIn * 1000;
    const made = { ticket, email: email.trim(), expiresAt, search: location.search };
    keepRequest(made);
    setRequest(made);
    setNotice(({ loginByCode }) => loginByCode.sent(made.email, Math.round(expiresIn / 60)));
  }

  return (
    <>
      <ReturnNote returnTo={returnTo} />
      {request ? (
        <>
          <EnterCode request={request} code={code} requestAnother={requestCode} />
          <Action
            label={texts.otherEmail}
            run={async () => {
              forgetRequest();
              setRequest(undefined);
            }}
          />
        </>
      ) : (
        <>
          <p className="intro">{code ? texts.elsewhere : texts.intro}</p>
          <Form submit={texts.request} send={({ email = "" }) => requestCode(email)}>
            <Field name="email" label={fields.email} type="email" autoComplete="email" />
          </Form>
        </>
      )}
      <p className="other">
        <Link to={`login${location.search}${location.hash}`}>{texts.byPassword}</Link>
      </p>
    </>
  );
}

function EnterCode(props: {
  request: SignInRequest;
  code: string | undefined;
  requestAnother: (email: string) => Promise<void>;
}) {
  const texts = useTexts().loginByCode;
  const { ticket, email } = props.request;

  async function signIn(code: string) {
    const { signInByMail } = await session.request<{ signInByMail: Token }>(SIGN_IN_BY_MAIL, {
      ticket,
      code,
    });
    forgetRequest();
    session.adopt(signInByMail);
  }

  return (
    <>
      <p className="intro">{texts.enter(email)}</p>
      <CodeForm submit={texts.submit} send={signIn} code={props.code} autoFocus />
      <Action label={texts.another} run={() => props.requestAnother(email)} />
    </>
  );
}
