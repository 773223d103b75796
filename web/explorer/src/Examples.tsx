import { useEditorContext } from "@graphiql/react";
import { useEffect, useState } from "react";
import { EXAMPLES, type Example } from "./documents";

export function Examples() {
  const editors = useEditorContext({ nonNull: true });
  const [opening, setOpening] = useState<Example>();
  const { queryEditor, variableEditor, setOperationName } = editors;

  // Opening a tab empties the editors, so they are filled after it has opened.
  useEffect(() => {
    if (!opening || !queryEditor || !variableEditor) return;
    queryEditor.setValue(opening.query);
    variableEditor.setValue(opening.variables ? JSON.stringify(opening.variables, null, 2) : "");
    // GraphiQL updates the name with a delay. Until then it would send that of the previous tab.
    setOperationName(opening.operation);
    setOpening(undefined);
  }, [opening, queryEditor, variableEditor, setOperationName]);

  function open(example: Example) {
    if (!opening && queryEditor?.getValue().trim()) editors.addTab();
    setOpening(example);
  }

  return (
    <>
      <h3>Examples</h3>
      <ul className="examples">
        {EXAMPLES.map((example) => (
          <li key={example.title}>
            <button type="button" className="quiet" onClick={() => open(example)}>
              {example.title}
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
