import { useEffect, useRef } from "react";
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
        <button type="button" onClick={() => save(text)}>
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

/** Let the browser download a text. */
function save(text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = "recovery-codes.txt";
  link.click();
  URL.revokeObjectURL(address);
}
