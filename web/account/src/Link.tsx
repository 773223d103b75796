import type { ComponentProps, MouseEvent } from "react";
import { navigate } from "./router";

/** A link to another of our pages, which does not load the document again. */
export function Link({ to, ...anchor }: { to: string } & ComponentProps<"a">) {
  function follow(event: MouseEvent) {
    const opensElsewhere = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
    if (opensElsewhere || event.button !== 0) return;
    event.preventDefault();
    navigate(to);
  }
  return <a {...anchor} href={to} onClick={follow} />;
}
