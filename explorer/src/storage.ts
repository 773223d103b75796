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
    return key === KEPT ? localStorage.getItem(key) : (this.items.get(key) ?? null);
  }

  setItem(key: string, value: string): void {
    if (key === KEPT) localStorage.setItem(key, value);
    else this.items.set(key, value);
  }

  removeItem(key: string): void {
    if (key === KEPT) localStorage.removeItem(key);
    else this.items.delete(key);
  }

  clear(): void {
    this.items.clear();
  }
}

export const storage = new ExplorerStorage();
