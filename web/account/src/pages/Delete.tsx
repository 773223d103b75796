import { PasswordField } from "../Field";
import { Form, type Values } from "../Form";
import { DELETE_ACCOUNT } from "../operations";
import { leave, session } from "../session";
import { useTexts } from "../texts/language";
import { UsernameForManagers } from "../UsernameForManagers";

export function Delete() {
  const texts = useTexts();

  async function deleteAccount({ password }: Values) {
    await session.request(DELETE_ACCOUNT, { password });
    await leave(({ notices }) => notices.deleted);
  }

  return (
    <div className="card">
      <p>{texts.delete.intro}</p>
      <ul className="lost">
        {texts.delete.lost.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
      <Form submit={texts.delete.submit} isDangerous send={deleteAccount}>
        <UsernameForManagers />
        <PasswordField
          name="password"
          label={texts.fields.currentPassword}
          hint={texts.delete.confirm}
          autoComplete="current-password"
        />
      </Form>
    </div>
  );
}
