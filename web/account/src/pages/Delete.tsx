import { Field } from "../Field";
import { Form, type Values } from "../Form";
import { DELETE_ACCOUNT } from "../operations";
import { PageError } from "../PageError";
import { request } from "../proof";
import { leave, useSession } from "../session";
import { useTexts } from "../texts/language";

export function Delete() {
  const texts = useTexts();
  const username = useSession().user?.username ?? "";

  async function deleteAccount({ name = "" }: Values) {
    if (name.trim().toLowerCase() !== username.toLowerCase()) {
      throw new PageError((texts) => texts.delete.wrongName, "name");
    }
    await request(DELETE_ACCOUNT);
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
        <Field name="name" label={texts.fields.confirmUsername(username)} autoComplete="off" />
      </Form>
    </div>
  );
}
