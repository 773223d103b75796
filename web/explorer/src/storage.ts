/**
 * The storage of GraphiQL. Only its theme is saved in the browser. Tabs, headers and history can
 * contain tokens and passwords as they were typed, so they stay in memory.
 */

const SAVED_KEY = "graphiql:theme";

class ExplorerStorage {
  private readonly items = new Map<string, string>();

  get length(): number {
    return this.items.size;
  }

  getItem(key: string): string | null {
    return (
      this.items.get(key) ??
      (key === SAVED_KEY ? withLocalStorage((saved) => saved.getItem(key)) : null)
    );
  }

  setItem(key: string, value: string): void {
    this.items.set(key, value);
    if (key === SAVED_KEY) withLocalStorage((saved) => saved.setItem(key, value));
  }

  removeItem(key: string): void {
    this.items.delete(key);
    if (key === SAVED_KEY) withLocalStorage((saved) => saved.removeItem(key));
  }

  clear(): void {
    this.items.clear();
    withLocalStorage((saved) => saved.removeItem(SAVED_KEY));
  }
}

/** Return null if the browser blocks localStorage. */
function withLocalStorage<Result>(act: (saved: Storage) => Result): Result | null {
  try {
    return act(localStorage);
  } catch {
    return null;
  }
}

export const storage = new ExplorerStorage();
