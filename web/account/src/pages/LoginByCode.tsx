import { Action } from "../Action";
import { CodeForm } from "../CodeForm";
import { type CodeRequest, codeRequest, useCodeRequest } from "../codeRequest";
import { Field } from "../Field";
import { Form } from "../Form";
import { Link } from "../Link";
import { setNotice } from "../notice";
import { type MailRequest, REQUEST_SIGN_IN, SIGN_IN_BY_MAIL } from "../operations";
import { ReturnNote } from "../ReturnNote";
import { session } from "../session";
import { signIn } from "../signIn";
import { useTexts } from "../texts/language";

/**
 * Sign in with a code by mail: the email first, then the code. The link in the mail leads here and
 * fills in the code, in the browser that requested it.
 */
export function LoginByCode({ returnTo }: { returnTo: URL | undefined }) {
  const { loginByCode: texts, fields } = useTexts();
  const { code, request, keep } = useCodeRequest("sign-in-request");

  async function requestCode(email: string) {
    setNotice(undefined);
    const { requestSignIn } = await session.request<{ requestSignIn: MailRequest }>(
      REQUEST_SIGN_IN,
      { email },
    );
    const minutes = Math.round(requestSignIn.expiresIn / 60);
    keep(codeRequest(requestSignIn, email));
    setNotice(({ loginByCode }) => loginByCode.sent(email.trim(), minutes));
  }

  return (
    <>
      <ReturnNote returnTo={returnTo} />
      {request ? (
        <>
          <EnterCode
            request={request}
            code={code}
            requestAnother={requestCode}
            forget={() => keep(undefined)}
          />
          <Action label={texts.otherEmail} run={async () => keep(undefined)} />
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
  request: CodeRequest;
  code: string | undefined;
  requestAnother: (email: string) => Promise<void>;
  forget: () => void;
}) {
  const texts = useTexts().loginByCode;
  const { ticket, email } = props.request;

  async function signInWith(code: string) {
    await signIn(SIGN_IN_BY_MAIL, { ticket, code });
    props.forget();
  }

  return (
    <>
      <p className="intro">{texts.enter(email)}</p>
      <CodeForm submit={texts.submit} send={signInWith} code={props.code} autoFocus />
      <Action label={texts.another} run={() => props.requestAnother(email)} />
    </>
  );
}
