import { useState } from "react";
import { Action } from "../Action";
import { downloadJson } from "../download";
import { EmailForm } from "../EmailForm";
import { EmailVerification } from "../EmailVerification";
import { Failure } from "../Failure";
import { Choice, Field } from "../Field";
import { Form, type Values } from "../Form";
import { Loading } from "../Frame";
import { setNotice } from "../notice";
import { useLive } from "../live";
import {
  EXPORT_MY_DATA,
  FOLLOW_PROFILE,
  type Profile as Data,
  READ_PROFILE,
  UPDATE_PROFILE,
} from "../operations";
import { NoPassword } from "../NoPassword";
import { Picture } from "../Picture";
import { request } from "../proof";
import { session } from "../session";
import { settings } from "../settings";
import { useDay } from "../Time";
import { LANGUAGES, useTexts } from "../texts/language";
import { useFollowingState } from "../useFollowing";
import { useQuery } from "../useQuery";

export function Profile() {
  const texts = useTexts();
  const { data, error, load, setData } = useQuery<{ me: Data }>(READ_PROFILE);
  const [isUpdated, setUpdated] = useState(false);

  useLive<{ me: Data }>(FOLLOW_PROFILE, ({ me }) => {
    // The name is in the session's state too.
    if (me.username !== session.state.user?.username) void session.refresh().catch(() => {});
    // What was saved here comes as well.
    setUpdated(data !== undefined && JSON.stringify(me) !== JSON.stringify(data.me));
    setData({ me });
  });

  return (
    <>
      <p className="intro">{texts.profile.intro}</p>
      <div role="status" className="hidden">
        {isUpdated && texts.profile.updated}
      </div>
      {error !== undefined ? (
        <Failure error={error} retry={load} />
      ) : data ? (
        <ProfileForm profile={data.me} onSave={(me) => setData({ me })} />
      ) : (
        <Loading />
      )}
    </>
  );
}

function ProfileForm({ profile, onSave }: { profile: Data; onSave: (saved: Data) => void }) {
  const texts = useTexts();
  const since = useDay(profile.createdAt);
  const [email, setEmail] = useFollowingState(profile.email);

  async function save(values: Values) {
    setNotice(undefined);
    const changes = changesIn(values, profile);
    if (Object.keys(changes).length === 0) {
      setNotice(({ profile }) => profile.unchanged);
      return;
    }
    const { updateMe } = await request<{ updateMe: Data }>(UPDATE_PROFILE, { input: changes });
    // The name is in the session's state, here and in other tabs.
    if (changes.username) await session.refresh().catch(() => {});
    setEmail(updateMe.email);
    onSave(updateMe);
    setNotice(({ profile }) => profile.saved);
  }

  return (
    <>
      <div className="card identity">
        <span className="avatar" aria-hidden="true">
          {profile.username.slice(0, 2)}
        </span>
        <div>
          <strong>{profile.username}</strong>
          <p className="hint">{texts.profile.since(since)}</p>
        </div>
      </div>
      {settings.pictures && <Picture profile={profile} onSave={onSave} />}
      <div className="card">
        <Form submit={texts.profile.submit} send={save}>
          <Field
            name="username"
            label={texts.fields.username}
            hint={texts.hints.username}
            autoComplete="username"
            defaultValue={profile.username}
          />
          {!settings.sendsMail && (
            <Field
              name="email"
              label={texts.fields.email}
              type="email"
              autoComplete="email"
              value={email}
              onChange={(event) => setEmail(event.target.value)}
            />
          )}
          {settings.imageUrls && (
            <Field
              name="imageFile"
              label={texts.fields.imageFile}
              hint={texts.hints.imageFile}
              autoComplete="photo"
              inputMode="url"
              isOptional
              defaultValue={profile.imageFile ?? ""}
            />
          )}
          {settings.sendsMail && (
            <Choice
              name="locale"
              label={texts.fields.locale}
              options={LANGUAGES}
              defaultValue={profile.locale}
            />
          )}
        </Form>
      </div>
      {hasNoWayIn(profile) && <NoPassword />}
      {settings.sendsMail && <EmailForm profile={profile} />}
      {settings.sendsMail && !profile.emailVerified && (
        <EmailVerification email={profile.email} onVerified={onSave} />
      )}
      <Export username={profile.username} />
    </>
  );
}

/** Return whether only a code by mail signs the user in. */
function hasNoWayIn({ hasPassword, factors, identities }: Data): boolean {
  return !hasPassword && factors.passkeys.length === 0 && identities.length === 0;
}

/** Lets users download what is stored about them. */
function Export({ username }: { username: string }) {
  const texts = useTexts().profile;

  async function exportData() {
    const { exportMyData } = await request<{ exportMyData: unknown }>(EXPORT_MY_DATA);
    downloadJson(`${username}.json`, exportMyData);
  }

  return (
    <section className="card" aria-labelledby="export">
      <h2 id="export">{texts.export}</h2>
      <p className="hint">{texts.exportIntro}</p>
      <Action label={texts.exportSubmit} run={exportData} />
    </section>
  );
}

/** Return what differs, since the server counts changes of names and emails against a rate limit. */
function changesIn(values: Values, profile: Data): Partial<Data> {
  const changes: Partial<Data> = {};
  const [username, email] = [values.username?.trim(), values.email?.trim()];
  if (username !== profile.username) changes.username = username;
  if (email !== undefined && email !== profile.email) changes.email = email;
  const imageFile = values.imageFile?.trim() || null;
  if (settings.imageUrls && imageFile !== profile.imageFile) changes.imageFile = imageFile;
  if (values.locale && values.locale !== profile.locale) changes.locale = values.locale;
  return changes;
}
