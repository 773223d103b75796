import { useEditorContext } from "@graphiql/react";
import { useEffect } from "react";

/** Turn off two features of GraphiQL's editors. Renders nothing. */
export function Editors() {
  const { queryEditor, variableEditor, headerEditor, responseEditor } = useEditorContext({
    nonNull: true,
  });

  // Tab moves the focus out of an editor instead of indenting (WCAG 2.1.2, No Keyboard Trap).
  useEffect(() => {
    for (const editor of [queryEditor, variableEditor, headerEditor]) {
      const keys = editor?.getOption("extraKeys");
      if (typeof keys === "object") {
        editor?.setOption("extraKeys", { ...keys, Tab: false, "Shift-Tab": false });
      }
    }
  }, [queryEditor, variableEditor, headerEditor]);

  // GraphiQL loads the image at a URL in a response when the pointer is over it. Any user can write
  // such a URL, so hovering must not send a request.
  useEffect(() => {
    responseEditor?.setOption("info" as never, null as never);
  }, [responseEditor]);

  return null;
}
