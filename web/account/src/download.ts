/** Let the browser download a text as a file. */
export function download(name: string, text: string, type: string): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}

export function downloadJson(name: string, data: unknown): void {
  download(name, `${JSON.stringify(data, null, 2)}\n`, "application/json");
}
