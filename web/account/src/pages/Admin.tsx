/** The pages of administrators. Other users do not load them. */

import { lazy, Suspense, type ComponentType } from "react";
import { Failure } from "../Failure";
import { Loading } from "../Frame";
import { PageError } from "../PageError";

const Accounts = load(async () => (await import("../admin/Accounts")).Accounts);
const OneAccount = load(async () => (await import("../admin/OneAccount")).OneAccount);

export function Admin() {
  return (
    <Suspense fallback={<Loading />}>
      <Accounts />
    </Suspense>
  );
}

export function AdminAccount() {
  return (
    <Suspense fallback={<Loading />}>
      <OneAccount />
    </Suspense>
  );
}

function load(read: () => Promise<ComponentType>) {
  return lazy(async () => ({ default: await read().catch(() => NotLoaded) }));
}

function NotLoaded() {
  const error = new PageError(({ errors }) => errors.network);
  return <Failure error={error} retry={async () => location.reload()} />;
}
