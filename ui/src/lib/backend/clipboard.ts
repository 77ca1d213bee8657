/**
 * Copies a text, now or once it is there. Only what a person does may write to the clipboard, and soon after it does not count
 * any more: a text that has to be asked for first is promised to the clipboard at once.
 */
export async function toClipboard(text: string | Promise<string>): Promise<void> {
  if (typeof text === 'string') return navigator.clipboard.writeText(text);
  const item = new ClipboardItem({ 'text/plain': text.then((ready) => new Blob([ready], { type: 'text/plain' })) });
  // Why there is no text says more than that none could be copied.
  await Promise.all([text, navigator.clipboard.write([item])]);
}
