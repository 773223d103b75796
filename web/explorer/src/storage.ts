/**
 * What GraphiQL may keep in the browser: its theme. Tabs, headers and history hold tokens and passwords as they were typed,
 * and stay in memory.
 */

const KEPT = "graphiql:theme";

class ExplorerStorage {
  private readonly items = new Map<string, string>();

  get length(): number {
    return this.items.size;
  }

  getItem(key: string): string | null {
    return this.items.get(key) ?? (key === KEPT ? inTheBrowser((kept) => kept.getItem(key)) : null);
  }

  setItem(key: string, value: string): void {
    this.items.set(key, value);
    if (key === KEPT) inTheBrowser((kept) => kept.setItem(key, value));
  }

  removeItem(key: string): void {
    this.items.delete(key);
    if (key === KEPT) inTheBrowser((kept) => kept.removeItem(key));
  }

  clear(): void {
    this.items.clear();
    inTheBrowser((kept) => kept.removeItem(KEPT));
  }
}

/** Nothing where the browser keeps nothing for anyone. */
function inTheBrowser<Result>(act: (kept: Storage) => Result): Result | null {
  try {
    return act(localStorage);
  } catch {
    return null;
  }
}

export const storage = new ExplorerStorage();
