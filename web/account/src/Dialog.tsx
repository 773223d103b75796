import { useId, useLayoutEffect, useRef, type ReactNode } from "react";

/** A modal dialog with a title. The browser keeps the focus in it and, after it, gives it back. */
export function Dialog(props: { title: string; cancel: () => void; children: ReactNode }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();

  // Closed before it is removed, so that the focus returns.
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);

  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        props.cancel();
      }}
    >
      <h2 id={id}>{props.title}</h2>
      {props.children}
    </dialog>
  );
}
