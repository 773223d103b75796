import { useEditorContext } from "@graphiql/react";
import { useEffect } from "react";

/** What GraphiQL's editors do that they should not do here. Renders nothing. */
export function Editors() {
  const { queryEditor, variableEditor, headerEditor, responseEditor } = useEditorContext({
    nonNull: true,
  });

  // The Tab key goes on to what is next, as everywhere (WCAG 2.1.2): nobody is caught in an editor.
  useEffect(() => {
    for (const editor of [queryEditor, variableEditor, headerEditor]) {
      const keys = editor?.getOption("extraKeys");
      if (typeof keys === "object") {
        editor?.setOption("extraKeys", { ...keys, Tab: false, "Shift-Tab": false });
      }
    }
  }, [queryEditor, variableEditor, headerEditor]);

  // An answer may hold an address that anyone has written; hovering over it must not ask for it.
  useEffect(() => {
    responseEditor?.setOption("info" as never, null as never);
  }, [responseEditor]);

  return null;
}
