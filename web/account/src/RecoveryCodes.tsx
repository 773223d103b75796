import { useEffect, useRef } from "react";
import { download } from "./download";
import { setNotice } from "./notice";
import { useSession } from "./session";
import { settings } from "./settings";
import { useTexts } from "./texts/language";

/** New recovery codes, which cannot be shown again. Printed, they are alone on the page. */
export function RecoveryCodes({ codes, done }: { codes: string[]; done: () => void }) {
  const texts = useTexts().recoveryCodes;
  const title = texts.of(settings.name, useSession().user?.username ?? "");
  const text = `${title}\n\n${codes.join("\n")}\n`;
  const heading = useRef<HTMLHeadingElement>(null);

  useEffect(() => heading.current?.focus(), []);

  async function copy() {
    await navigator.clipboard.writeText(text);
    setNotice(({ recoveryCodes }) => recoveryCodes.copied);
  }

  return (
    <section className="card recovery-codes" aria-labelledby="recovery-codes">
      <h2 id="recovery-codes" ref={heading} tabIndex={-1}>
        {texts.title}
      </h2>
      <p className="screen">{texts.intro}</p>
      <p className="paper">{title}</p>
      <ol>
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ol>
      <div className="buttons screen">
        {/* Browsers have it on secure pages only. */}
        {"clipboard" in navigator && (
          <button type="button" onClick={() => void copy()}>
            {texts.copy}
          </button>
        )}
        <button type="button" onClick={() => download("recovery-codes.txt", text, "text/plain")}>
          {texts.download}
        </button>
        <button type="button" onClick={() => window.print()}>
          {texts.print}
        </button>
      </div>
      <button type="button" className="primary screen" onClick={done}>
        {texts.done}
      </button>
    </section>
  );
}
