/** Downloads a file from memory; nothing leaves the browser. */
export function saveFile(name: string, type: string, content: string | Blob): void {
  const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The download begins after this task; the address must live until then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
